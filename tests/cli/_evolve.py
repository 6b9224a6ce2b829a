"""Runs of magtwin evolve, as its tests call them."""
import csv
import os

import numpy as np

import support
from support import check


class Evolve:
    """Of one build, with the input that a test means when it names none."""

    def __init__(self, build, text):
        self.build, self.text = build, text

    def source(self, folder, text=None):
        return support.write(folder, text or self.text)

    def run(self, folder, out, *overrides, ranks=1, code=0, text=None):
        """The output folder; with an exit code other than 0 the Result."""
        out = os.path.join(folder, out)
        done = support.magtwin(self.build, "evolve", self.source(folder, text), "output.folder=" + out, *overrides, ranks=ranks)
        check(done.code == code, done)
        return out if code == 0 else done


def table(out, name="evolve.csv"):
    """A table of numbers as {column: array}."""
    with open(os.path.join(out, name), newline="") as f:
        rows = list(csv.DictReader(f))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
