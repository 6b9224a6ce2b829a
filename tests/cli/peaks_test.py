#!/usr/bin/env python3
"""peaks_test.py BUILD: magtwin peaks as users call it: planted peaks come back, the same on any number of ranks; bad input, figures."""
# timeout: 600
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
PLANTED = [(3.0, 1.2, 1.0), (7.2, 1.0, 0.9)]  # position, width, height


def spectrum(folder, name="s.csv", noise=0.03, background=0.0):
    rng = np.random.default_rng(3)
    x = np.linspace(0, 10, 60)
    y = background + noise * rng.standard_normal(len(x))
    for at, width, height in PLANTED:
        y += height * np.exp(-4 * np.log(2) * ((x - at) / width)**2)
    np.savetxt(os.path.join(folder, name), np.c_[x, y, -y], delimiter=",", header="energy,counts,other", comments="")


def peaks(folder, *more, ranks=1, out="out", code=0, file="s.csv"):
    path = os.path.join(folder, "in.yaml")
    with open(path, "w") as f:
        f.write("peaks: {file: %s, most: 3, width: [0.5, 3], replicas: 20, burn: 300, sweeps: 400}\noutput: {folder: %s}\n" %
                (os.path.join(folder, file), os.path.join(folder, out)))
    r = support.magtwin(BUILD, "peaks", path, *more, ranks=ranks)
    check(r.code == code, r)
    return r, os.path.join(folder, out)


def contents(out):
    files = {}
    for name in ("models.csv", "peaks.csv", "fit.csv"):
        with open(os.path.join(out, name), "rb") as f:
            files[name] = f.read()
    return files


def check_planted(out):
    rows = np.genfromtxt(os.path.join(out, "peaks.csv"), delimiter=",", names=True)
    check(len(rows) == 2, rows)
    for row, (at, width, height) in zip(rows, PLANTED):
        for name, true in (("position", at), ("width", width), ("height", height)):
            check(abs(row[name] - true) < 4 * row[name + "_deviation"] + 1e-3 and row[name + "_deviation"] < 0.1, (name, row))


def test_planted(folder):
    spectrum(folder)
    _, out = peaks(folder)
    check_planted(out)
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)["peaks"]
    check(summary["number"] == 2 and 0.02 < summary["noise"] < 0.045, summary)  # the noise was not given: 0.03
    models = np.genfromtxt(os.path.join(out, "models.csv"), delimiter=",", names=True)
    check((models["free_energy_error"] > 0).all() and (models["free_energy_error"] < 3).all(), models)
    one = contents(out)
    for ranks in (2, 3):
        check(contents(peaks(folder, ranks=ranks, out="r%d" % ranks)[1]) == one, ranks)
    r = support.magtwin(BUILD, "plot", out)
    check(r.code == 0 and os.path.getsize(os.path.join(out, "figures", "peaks.png")) > 10000, r)


def test_background_and_noise(folder):
    spectrum(folder, background=0.5)
    _, out = peaks(folder, "peaks.background=constant", "peaks.noise=0.03", "peaks.least=2", "peaks.most=2")
    check_planted(out)
    rows = np.genfromtxt(os.path.join(out, "fit.csv"), delimiter=",", names=True)
    check(abs(rows["background"] - 0.5).max() < 0.05, rows["background"][0])
    check(np.std(rows["y"] - rows["fit"]) < 0.04, "residual")


def test_bad_input(folder):
    spectrum(folder)
    for more, text in ((["peaks.columns=[1, 7]"], "0 points in columns 1 and 7"), (["peaks.width=[3, 1]"], "the larger one last"),
                       (["peaks.least=4"], "is below peaks.least"), (["peaks.columns=[2, 1]"], "x must ascend")):
        r, _ = peaks(folder, *more, ranks=2, out="bad", code=2)
        check(text in r.err, (more, r))
    with open(os.path.join(folder, "s.csv"), "a") as f:
        f.write("11,nan,3\n")
    r, _ = peaks(folder, out="bad", code=2)
    check("s.csv:62: x must ascend, and both must be finite" in r.err, r)
    np.savetxt(os.path.join(folder, "flat.csv"), np.c_[np.arange(9), np.ones(9)], delimiter=",")
    r, _ = peaks(folder, file="flat.csv", out="bad", code=2)
    check("flat.csv: is the same everywhere" in r.err, r)


if __name__ == "__main__":
    sys.exit(support.run_tests([(f.__name__[5:], f) for f in (test_planted, test_background_and_noise, test_bad_input)]))
