#!/usr/bin/env python3
"""coupling_test.py BUILD: from a phase field to a demagnetization curve: the constants of every element from the field of a run and a
table, on other ranks than wrote it, stopped and continued; and what is refused."""
# timeout: 600
import csv
import json
import math
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
# A particle of 3 nm turns as one (E. C. Stoner and E. P. Wohlfarth).  The composition is a wave that flattens: its mean stays.
INPUT = """grains:
  source: shape
  shape: {kind: box, size: [3 nm, 3 nm, 3 nm], spacing: [1 nm, 1 nm, 1 nm]}
mesh: {size: 1 nm}
phasefield:
  energy: polynomial
  polynomial: [0, 0, 1e6 J/m3]
  gradient_energy: 1e-14 J/m
  mobility: 1e-24 m5/(J s)
  initial_formula: 0.5 + 0.4*cos(pi*x/1.5)*cos(pi*z/3)
evolve: {end: 0.2 s, first_step: 0.01 s, snapshots: [0.1]}
materials:
  grain: Nd2Fe14B
  composition:
    tables:
      - {file: %s}
demagnetizing: {enabled: false}
field:
  direction: [0, 0.01, 1]
  start: 1 T
  segments: [{to: -12 T, step: 0.5 T, resolution: 20 mT}]
  stop_below: -0.5
"""
TABLE = "composition, Js (T), K1 (MJ/m3), A (pJ/m)\n0, 1.61, 4.3, 7.7\n1, 1.2, 6.3, 5.7\n"


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.table = os.path.join(folder, "table.csv")
        self.input = os.path.join(folder, "run.yaml")
        self.write(self.table, TABLE)
        self.write(self.input, INPUT % self.table)

    @staticmethod
    def write(path, text):
        with open(path, "w") as f:
            f.write(text)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, command, out, *overrides, ranks=1, code=0):
        done = support.magtwin(BUILD, command, self.input, "output.folder=" + self.path(out), *overrides, ranks=ranks)
        check(done.code == code, done)
        return done

    def anneal(self):
        self.run("mesh", "mesh")
        self.run("evolve", "anneal", self.mesh())

    def mesh(self):
        return "mesh.file=" + self.path("mesh/mesh.h5")

    def demag(self, out, *overrides, **more):
        return self.run("demag", out, self.mesh(), *overrides, **more)

    def results(self, out):
        with open(os.path.join(self.path(out), "summary.json")) as f:
            return json.load(f)["results"]


def stoner_wohlfarth(K1, Js, angle=math.atan(0.01)):
    """Switching field, T, at this angle between field and easy axis."""
    factor = (math.cos(angle)**(2 / 3) + math.sin(angle)**(2 / 3))**-1.5
    return 2 * 4e-7 * math.pi * K1 / Js * factor


def test_anneal_to_curve(folder):
    case = Case(folder)
    case.anneal()
    last = "materials.composition.file=" + case.path("anneal")
    case.demag("hard", last, ranks=2)
    found = case.results("hard")
    c = found["composition"]
    check(c["file"].endswith("anneal/fields/fields_0003.h5") and abs(c["time"]["value"] - 0.2) < 1e-12, c)
    with h5py.File(c["file"]) as f:
        field = f["/c"][...]
    mean = case.results("anneal")["c_mean"]  # lumped weights have the same mean as elements
    check(abs(c["c"]["mean"]["value"] - mean) < 1e-9 and c["c"]["max"]["value"] <= np.nanmax(field) + 1e-12, c)
    K1, Js = 4.3e6 + 2e6 * mean, 1.61 - 0.41 * mean
    check(abs(c["K1"]["mean"]["value"] / K1 - 1) < 1e-9 and abs(c["Js"]["mean"]["value"] / Js - 1) < 1e-9, c)
    check(abs(found["Hc"]["value"] / stoner_wohlfarth(K1, Js) - 1) < 0.01, (found["Hc"], stoner_wohlfarth(K1, Js)))
    check(abs(found["J_sat"]["value"] - Js) < 1e-9, found["J_sat"])
    case.demag("plain", "materials.composition={}")
    check(abs(case.results("plain")["Hc"]["value"] / stoner_wohlfarth(4.3e6, 1.61) - 1) < 0.01, case.results("plain")["Hc"])
    check("composition" not in case.results("plain"), case.results("plain"))


SWEEP = """sweep:
  axes: [{name: time, key: evolve.end, unit: s, min: 0.05, max: 0.4, count: 2, scale: log}]
  input: %s
  before: evolve
  subcommand: demag
  numbers: [results.Hc, results.composition.c.max, results.composition.time]
output: {folder: %s}
"""


def test_sweep(folder):
    """Anneal time -> coercivity: every point anneals, and its curve stands on what came out, on the mesh of the anneal."""
    case = Case(folder)
    case.write(case.input, INPUT.replace(", snapshots: [0.1]", "").replace("to: -12 T, step: 0.5 T", "to: -12 T, step: 1 T") % case.table)
    case.write(case.path("sweep.yaml"), SWEEP % (case.input, case.path("sweep")))
    done = support.magtwin(BUILD, "sweep", case.path("sweep.yaml"))
    check(done.code == 0, done)
    with open(case.path("sweep/results.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    check([r["status"] for r in rows] == ["done", "done"], rows)
    check([abs(float(r["results.composition.time"]) / t - 1) < 1e-9 for r, t in zip(rows, (0.05, 0.4))] == [True, True], rows)
    mean = case.results("sweep/points/0001/evolve")["c_mean"]
    for r in rows:  # the mean stays, and a particle this small feels nothing else
        check(abs(float(r["results.Hc"]) / stoner_wohlfarth(4.3e6 + 2e6 * mean, 1.61 - 0.41 * mean) - 1) < 0.01, rows)
    check(float(rows[0]["results.composition.c.max"]) > float(rows[1]["results.composition.c.max"]) + 0.1, rows)
    check(os.path.exists(case.path("sweep/points/0001/evolve/mesh.h5")) and not os.path.exists(case.path("sweep/points/0001/mesh.h5")),
          "the mesh was made twice")
    drawn = support.magtwin(BUILD, "plot", case.path("sweep"))
    check(drawn.code == 0 and "curves_Hc.png" in drawn.out, drawn)
    done = support.magtwin(BUILD, "sweep", case.path("sweep.yaml"), "sweep.subcommand=evolve", "output.folder=" + case.path("other"))
    check(done.code == 2 and "is the subcommand itself" in done.err, done)
    done = support.magtwin(BUILD, "sweep", case.path("sweep.yaml"), "sweep.axes[0].key=phasefield.noise", "sweep.axes[0].max=1e7",
                           "output.folder=" + case.path("other"))
    check(done.code == 2 and "phasefield.noise" in done.err, done)


def test_sweep_of_labels(folder):
    """Grains of a volume of labels before an anneal and after it: the curve takes the mesh of the anneal; changes stand in the table."""
    case = Case(folder)
    path = case.path("labels.h5")
    with h5py.File(path, "w") as f:
        f["labels"] = np.ones((3, 3, 3), dtype="i4")
    text = INPUT.replace(", snapshots: [0.1]", "").replace("to: -12 T, step: 0.5 T", "to: -12 T, step: 1 T") % case.table
    labels = "grains: {source: labels, file: %s, dataset: /labels, voxel: [1 nm, 1 nm, 1 nm]}\nmesh:" % path
    case.write(case.input, labels + text.split("mesh:", 1)[1])
    case.write(case.path("sweep.yaml"), SWEEP.replace("min: 0.05, max: 0.4, count: 2, scale: log", "min: 0, max: 0.4, count: 2").replace(
        "  numbers:", "  compare: time\n  numbers:") % (case.input, case.path("sweep")))
    done = support.magtwin(BUILD, "sweep", case.path("sweep.yaml"))
    check(done.code == 0 and "2 done, 0 failed" in done.out, done)
    with open(case.path("sweep/results.csv"), newline="") as f:
        first, last = csv.DictReader(f)
    check(float(first["results.composition.time"]) == 0 and float(first["results.composition.c.max"]) > float(last["results.composition.c.max"]) + 0.1, (first, last))
    change = float(last["results.Hc"]) - float(first["results.Hc"])
    check(abs(float(last["results.Hc_change"]) - change) < 1e-12 and abs(float(last["results.Hc_percent"]) - 100 * change / float(first["results.Hc"])) < 1e-9, last)


def test_times_and_restart(folder):
    case = Case(folder)
    case.anneal()
    short = ["field.segments=[{to: -2 T, step: 1 T, mode: fixed}]", "materials.composition.file=" + case.path("anneal")]
    case.demag("at", "materials.composition.time=0.1 s", *short)
    check(case.results("at")["composition"]["file"].endswith("fields_0002.h5"), case.results("at")["composition"])
    case.demag("at", "materials.composition.time=0.1 s", "--resume", *short, ranks=2)
    case.write(case.table, TABLE.replace("6.3", "6.4"))
    done = case.demag("at", "materials.composition.time=0.1 s", "--resume", *short, code=2)
    check("belongs to other materials" in done.err, done)


LIBRARY = "materials:\n  - {name: X, A: 7.7 pJ/m, Js: 1.6 T, K1: 4.3 MJ/m3, lambda100: 1e-3, lambda111: 1e-3, source: none}\n"


def test_stress(folder):
    """The misfit of a body that cannot move is a uniform stress -C:e; its magneto-elastic energy adds 3/2 lambda (s_zz - s_xx) to K1."""
    case = Case(folder)
    case.run("mesh", "mesh")
    case.write(case.path("library.yaml"), LIBRARY)
    elastic = ["elasticity={misfit: [0, 0, -0.01], stiffness: [200 GPa, 100 GPa, 50 GPa], ends: clamped}", "phasefield.initial_formula=1",
               "phasefield.model=cahn_hilliard", "evolve.snapshots=[]", "evolve.end=0.02 s"]
    case.run("evolve", "elastic", case.mesh(), *elastic, ranks=2)
    with open(case.path("elastic/evolve.csv"), newline="") as f:
        last = list(csv.DictReader(f))[-1]
    check(abs(float(last["f_elastic_J/m3"]) / (.5 * 200e9 * 1e-4) - 1) < 1e-6, last)
    path = case.path("elastic/fields/fields_0001.h5")
    with h5py.File(path) as f, h5py.File(case.path("mesh/mesh.h5")) as g:
        body = g["/regions/kind"][...][g["/mesh/region"][...]] != 4
        stress = f["/stress"][...]
    check(np.allclose(stress[body], [1e9, 1e9, 2e9, 0, 0, 0], atol=10) and not stress[~body].any(), stress[body][:3])
    case.demag("pulled", "materials.composition={}", "materials.library=" + case.path("library.yaml"), "materials.grain=X",
               "materials.stress=" + path)
    Hc, expected = case.results("pulled")["Hc"]["value"], stoner_wohlfarth(4.3e6 + 1.5e-3 * 1e9, 1.6)
    check(abs(Hc / expected - 1) < 0.01, (Hc, expected))
    for override, words in [("elasticity={misfit: [1, 2], stiffness: [2, 1, 1]}", "must have 1, 3 or 6"),
                            ("elasticity={misfit: [1], stiffness: [1, 2, 1]}", "is no stable crystal"),
                            ("elasticity={misfit: [1], stiffness: [2, 1, 1], high: -1}", "must be above low"),
                            ("elasticity={misfit: [1], stiffness: [2, 1, 1], stress: [1]}", "must have 3 or 6"),
                            ("elasticity={misfit: [1], stiffness: [2, 1, 1], stress: [0, 1, 0]}", "but y is not periodic"),
                            ("elasticity={misfit: [1], stiffness: [2, 1, 1], stress: [0, 1, 0], periodic: fixed}", "that keep their length"),
                            ("elasticity={misfit: [1]}", "missing key elasticity.stiffness")]:
        done = case.run("evolve", "bad", case.mesh(), override, code=2)
        check(words in done.err, (words, str(done)))


def test_bad_input(folder):
    case = Case(folder)
    case.anneal()
    anneal = "materials.composition.file=" + case.path("anneal")
    for overrides, words in [(["materials.composition.file=" + case.path("nothing")], "there is no file or folder"),
                             (["materials.composition.file=" + case.path("mesh")], "no result of magtwin evolve"),
                             ([], "needs materials.composition.file"),
                             ([anneal, "materials.composition.time=7 s"], "has no field of 7 s, but of 0, 0.1, 0.2 s"),
                             ([anneal, "materials.composition.field=d"], "has no dataset /d"),
                             ([anneal, "materials.composition.tables=[]"], "needs materials.composition.tables"),
                             ([anneal, "materials.composition.tables=[{c: [0, 0.45], K1: [1, 2]}]"], "is outside of the table"),
                             ([anneal, "materials.composition.tables=[{c: [1, 0], K1: [1, 2]}]"], "must ascend"),
                             ([anneal, "materials.composition.tables=[{c: [0, 1], K1: [1 T, 2]}]"], "J/m3")]:
        done = case.demag("bad", *overrides, code=2)
        check(words in done.err, (words, str(done)))
        check(not os.path.exists(os.path.join(case.path("bad"), "curve.csv")), words)
    case.write(case.table, "composition,K1\n0,4e6\n1,\n")
    done = case.demag("bad", anneal, code=2)
    check("no number in column 2 (K1) of row 2: the table has a gap" in done.err, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("an anneal and its curve", test_anneal_to_curve), ("a sweep of anneals", test_sweep), ("a sweep of labels", test_sweep_of_labels),
                                ("times and restart", test_times_and_restart),
                                ("a misfit and its stress", test_stress), ("bad input", test_bad_input)]))
