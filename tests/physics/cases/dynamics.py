"""The dynamic standard problems of muMAG: a plate that reverses in a field, and a vortex that a current moves."""
import csv
import os

import numpy as np

from lines import Failed, bound, curve, reference, reference_points, result
from tools import KM_1T, ROOT, grid, prism_factor, read_curve

SP4_SOURCE = "mean and spread of the solutions of muMAG standard problem 4, as collected in cmt-dtu-energy/MagTense"
SP4_FIELDS = {1: "{value: 24.97298540 mT, direction: [-24.6, 4.3, 0]}", 2: "{value: 36.05468069 mT, direction: [-35.5, -6.3, 0]}"}
JS = 1.005309649  # T, permalloy
SP4_REFINE = (1, 2)  # of bricks of 10 x 10 x 3 nm
# m after 1 ns in cells of 3.125 x 3.125 x 2.5 nm
SP5_1NS = (-0.2346374, -0.0945090, 0.0229435)
SP5_SOURCE = "test/standardproblem5.mx3 of mumax3, by mumax2; problem: M. Najafi et al., J. Appl. Phys. 105 (2009) 113914"


def read_table(path):
    with open(path, newline="") as f:
        rows = list(csv.DictReader(line for line in f if not line.startswith("#")))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def last_state(folder):
    states = os.path.join(folder, "states")
    return os.path.join(states, sorted(os.listdir(states))[-1])


def from_state(folder):
    """Overrides of a dynamics run on the mesh and from the last state of another run."""
    return ["mesh.file=" + os.path.join(folder, "mesh.h5"), "dynamics.initial=file", "dynamics.initial_file=" + last_state(folder)]


def crossing(t, x):
    """The first time at which x falls through zero, by the cubic through four points."""
    k = int(np.argmax(x < 0))
    if k < 2:
        raise Failed("<mx> does not fall through zero")
    near = slice(k - 2, k + 2)
    return float(np.polyval(np.polyfit(x[near], t[near], 3), 0))


def edge_weight(case, name, grids, wanted):
    """What extrapolates from coarse to fine grid, limit = fine + weight (fine - coarse): it gives the body, uniformly magnetized along y, its
    demagnetizing factor.  What is left of the error is the stray field's at the edges; 1/3 would be second order, but there they add a
    logarithm (as in standard problem 2)."""
    held = ["field.direction=[0, 1, 0]", "field.start=1000 T", "field.segments=[{to: 999 T, step: 1 T, mode: fixed}]", "output.states=none"]
    e = [read_curve(case.run("demag", name, "N_%d" % k, *overrides, *held, ranks=2))["e_demag_J/m3"][0] / (KM_1T * JS**2)
         for k, overrides in enumerate(grids)]
    return (wanted - e[1]) / (e[1] - e[0])


def plate(refine):
    return grid(refine, 2.5, 1, (10, 10, 3), air=100)


def standard_problem_4(case):
    """muMAG standard problem 4: a permalloy plate of 500 x 125 x 3 nm reverses in two fields.

    The start is relaxed from saturation along [1, 1, 1]. Two grids, every brick of the second cut into eight; the limit in h with the weight
    that makes the plate's demagnetizing factor exact. Within the published spread: the largest difference of my until 0.2 ns over the spread of the published solutions there."""
    folder = os.path.join(ROOT, "..", "shared", "data", "sp4")
    if not os.path.isdir(folder):
        print("  not run: there is no folder " + folder)
        return []
    starts = [case.run("demag", "sp4", "start_%d" % r, *plate(r), ranks=2) for r in SP4_REFINE]
    weight = edge_weight(case, "sp4", [plate(r) for r in SP4_REFINE], prism_factor(500, 3, 125))
    lines = []
    for field, parts in SP4_FIELDS.items():
        published = read_table(os.path.join(folder, "sp4_field%d_mean.csv" % field))
        early = published["t_ns"] < 0.2001
        runs = [read_table(os.path.join(case.run("dynamics", "sp4", "field%d_%d" % (field, r), *plate(r), *from_state(start),
                                                 "dynamics.field=[%s]" % parts, ranks=2), "dynamics.csv"))
                for r, start in zip(SP4_REFINE, starts)]
        times = [crossing(run["t_ns"], run["mx"]) for run in runs]
        wanted = crossing(published["t_ns"], published["mx"])
        limit = times[1] + weight * (times[1] - times[0])
        lines.append(result("SP4 field %d: <mx> = 0, limit in h" % field, limit, "ns", wanted, SP4_SOURCE, 0.002, absolute=True))
        my = [np.interp(published["t_ns"][early], run["t_ns"], run["my"]) for run in runs]
        off = np.abs(my[1] + weight * (my[1] - my[0]) - published["my"][early]) / published["ey"][early]
        lines.append(bound("SP4 field %d: my until 0.2 ns, largest difference over the spread, limit in h" % field, float(off.max()), "",
                           None, 1, SP4_SOURCE))
        for name in ("mx", "my"):
            case.panel("t (ns)", "<%s>, field %d" % (name, field),
                       *[curve("h = %.3g nm" % (10 / r), run["t_ns"], run[name]) for r, run in zip(SP4_REFINE, runs)],
                       reference("published mean", published["t_ns"][early], published[name][early]))
    return lines


def square(refine):
    return grid(refine, 2.5, 0.4, (5, 5, 2.5), air=100)


def standard_problem_5(case):
    """muMAG standard problem 5: a vortex in a permalloy square of 100 x 100 x 10 nm, moved by a current (Zhang and Li's torque).

    The current is switched on at the relaxed vortex; m after 1 ns, on its way around the new equilibrium. Two grids, every brick of the second cut
    into eight, and the limit in h with the weight that makes the square's demagnetizing factor exact."""
    runs = []
    for r in (1, 2):
        start = case.run("dynamics", "sp5", "start_%d" % r, *square(r), ranks=2)
        folder = case.run("dynamics", "sp5", "current_%d" % r, *square(r), *from_state(start), "dynamics.alpha=0.1",
                          "dynamics.current={velocity: [-72.17, 0, 0], xi: 0.05}", "time={end: 1 ns, interval: 20 ps}", ranks=2)
        runs.append(read_table(os.path.join(folder, "dynamics.csv")))
    weight = edge_weight(case, "sp5", [square(r) for r in (1, 2)], prism_factor(100, 10, 100))
    lines = []
    for name, wanted in zip(("mx", "my", "mz"), SP5_1NS):
        coarse, fine = (float(run[name][-1]) for run in runs)
        lines.append(result("SP5: %s after 1 ns, limit in h" % name, fine + weight * (fine - coarse), "", wanted, SP5_SOURCE, 0.01, absolute=True))
    for k, name in enumerate(("mx", "my")):
        case.panel("t (ns)", "<%s>" % name, *[curve("h = %g nm" % h, run["t_ns"], run[name]) for h, run in zip((5, 2.5), runs)],
                   reference_points("mumax2", [1.0], [SP5_1NS[k]]))
    return lines
