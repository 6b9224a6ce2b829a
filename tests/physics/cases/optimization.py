"""Bayesian optimization on test functions whose minima and fronts are known, and of parameters behind a curve that are known."""
import json
import os
import shutil
import subprocess

import numpy as np

import support
from lines import Failed, bound, points, reference, reference_points, result
from tools import read_curve

FIRST, SEEDS = 5001, 20  # no setting was chosen with these; seen before: 1 to 120, 401 to 420, 501 to 520, 601 to 720, 3001 to 3400
BEST60 = 0.9195  # share of the volume that 60 points of the sphere reach; the best of a coordinate search from even points
BOOK = "L. C. W. Dixon, G. P. Szego, Towards Global Optimisation 2 (1978)"
BRANIN, HARTMANN6 = 0.397887, -3.32237


def searches(case, problem, evaluations):
    """What each seed reaches after so many evaluations."""
    program = os.path.join(os.path.abspath(case.build), "optimizer")
    done = subprocess.run([program, problem, str(evaluations), str(FIRST), str(SEEDS)], capture_output=True, text=True, env=support.environment())
    if done.returncode != 0:
        raise Failed("%s %s: %s" % (program, problem, done.stderr))
    return np.sort([float(line.split()[1]) for line in done.stdout.splitlines()])


def test_functions(case):
    """Bayesian optimization: what 20 searches with different random numbers reach.

    Branin's function has three equal minima, Hartmann's in 6 dimensions a local one at -3.203 in which a search can end. The areas are
    shares of the exact one below the reference (1.1, 1.1) for ZDT1 in 4 variables and (1.2, 1.2) for two paraboloids in 3. DTLZ2 has three goals and 5
    variables; its front is an octant of the unit sphere, the volume below (1.1, 1.1, 1.1) is 1.331 - pi/6, of which no 60 points reach more than about 0.92."""
    branin, hartmann = searches(case, "branin", 30), searches(case, "hartmann6", 60)
    zdt1, paraboloids = searches(case, "zdt1", 60), searches(case, "paraboloids", 60)
    dtlz2 = searches(case, "dtlz2", 60)
    seeds = range(1, SEEDS + 1)
    case.panel("searches, sorted", "distance from the minimum", points("Branin, 30 evaluations", seeds, branin - BRANIN),
               points("Hartmann 6, 60 evaluations", seeds, np.maximum(hartmann - HARTMANN6, 1e-6)),
               reference("asked of Branin", [1, SEEDS], [0.01, 0.01]), ylog=True)
    case.panel("searches, sorted", "share of the area or volume", points("ZDT1", seeds, zdt1), points("paraboloids", seeds, paraboloids),
               points("DTLZ2, three goals", seeds, dtlz2), reference("asked of two goals", [1, SEEDS], [0.98, 0.98]),
               reference("60 points of the sphere", [1, SEEDS], [BEST60, BEST60]))
    return [bound("Branin, 30 evaluations: worst of 20 above the minimum", float(branin[-1] - BRANIN), "", 0, 0.01, BOOK),
            bound("Branin: median of 20", float(np.median(branin) - BRANIN), "", 0, 0.01, BOOK),
            bound("Hartmann 6, 60 evaluations: median of 20", float(np.median(hartmann)), "", None, -3.29, BOOK),
            bound("Hartmann 6: searches of 20 that end in the global minimum", float(np.sum(hartmann <= -3.29)), "", 10, None, BOOK),
            bound("two goals, ZDT1, 60 evaluations: smallest share of the area", float(zdt1[0]), "", 0.98, None,
                  "E. Zitzler, K. Deb, L. Thiele, Evol. Comput. 8, 173 (2000)"),
            bound("two goals, paraboloids, 60 evaluations: smallest share of the area", float(paraboloids[0]), "", 0.98, None, "analytic"),
            bound("three goals, DTLZ2, 60 evaluations: smallest share of the volume that 60 points can have", float(dtlz2[0] / BEST60), "", 0.9, 1,
                  "K. Deb et al., CEC 2002, 825")]


TRUE = {"Js": 0.68, "thickness": 2.75}  # T, nm
CAMPAIGN = """\
optimize:
  variables:
    - {name: Js, key: "materials.change[0].Js", unit: T, min: 0.2, max: 1.2}
    - {name: thickness, key: mesh.gb.thickness, unit: nm, min: 1.5, max: 4}
  goals: [{name: distance, want: minimize, number: results.distance, scatter: 0.01}]
  evaluate: run
  run: {input: INPUT, overrides: ["measured.file=FOLDER/measured.csv"]}
  noise: true
  evaluations: 40
  seed: 1
output: {folder: FOLDER/fit}
"""


def write_measured(folder, path):
    """60 points evenly along the curve of a run, with noise of 5 mT in the polarization."""
    table = read_curve(folder)
    H, J = table["mu0_Hext_T"], table["J_T"]
    along = np.concatenate([[0], np.cumsum(np.hypot(np.diff(H), np.diff(J)))])
    at = np.linspace(0, along[-1], 60)
    H, J = np.interp(at, along, H), np.interp(at, along, J) + np.random.default_rng(1).normal(0, 0.005, 60)
    with open(path, "w") as f:
        f.write("mu0_Hext_T,J_T\n")
        f.writelines("%.9f,%.9f\n" % pair for pair in zip(H, J))
    return H, J


def recovery(case):
    """Inverse design: the polarization and the thickness of a grain-boundary phase behind a curve that was computed with them.

    Two grains, 2100 nodes; the curve has 60 points and noise of 5 mT. 40 runs at most; the distance is results.distance. The posterior is
    that of the model with a scatter of 0.01 T."""
    overrides = ["materials.change[0].Js=%g T" % TRUE["Js"], "mesh.gb.thickness=%g nm" % TRUE["thickness"]]
    truth = case.run("demag", "two_grains", "truth", *overrides)
    H, J = write_measured(truth, os.path.join(case.folder, "measured.csv"))
    file, fit = os.path.join(case.folder, "fit.yaml"), os.path.join(case.folder, "fit")
    with open(file, "w") as f:
        f.write(CAMPAIGN.replace("INPUT", case.input("two_grains")).replace("FOLDER", case.folder))
    shutil.rmtree(fit, ignore_errors=True)
    done = support.magtwin(case.build, "optimize", file, timeout=3600)
    if done.code != 0:
        raise Failed(str(done))
    with open(os.path.join(fit, "summary.json")) as f:
        best = json.load(f)["results"]["best"]
    with open(os.path.join(fit, "model.json")) as f:
        posterior = {v["variable"]: v for v in json.load(f)["posterior"]["variables"]}
    with open(os.path.join(fit, "database.jsonl")) as f:
        told = [e for e in map(json.loads, f) if e["event"] == "told"]
    found = read_curve(os.path.join(fit, "evaluations", "%04d" % best["id"]))
    case.panel("applied field (T)", "polarization (T)", points("best run", found["mu0_Hext_T"], found["J_T"]), reference_points("measured", H, J))
    distances = [e["y"]["distance"] for e in told if e["status"] == "done"]
    case.panel("evaluation", "smallest distance (T)", points("so far", range(1, len(distances) + 1), np.minimum.accumulate(distances)), ylog=True)
    source = "the value behind the curve"
    lines = [result("%s of the best run" % name, best["x"][name], unit, TRUE[name], source, 0.05) for name, unit in (("Js", "T"), ("thickness", "nm"))]
    lines.append(bound("runs", len(told), "", 1, 40, "asked"))
    for name, unit in (("Js", "T"), ("thickness", "nm")):
        v = posterior[name]
        lines.append(bound("%s: the true value over the lower end of the posterior (5 %%)" % name, TRUE[name] / v["low"], "", 1, None, source))
        lines.append(bound("%s: over its upper end (95 %%)" % name, TRUE[name] / v["high"], "", None, 1, source))
    return lines
