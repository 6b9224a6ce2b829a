"""The dynamic standard problems of muMAG: a plate that reverses in a field, and a vortex that a current moves."""
import csv
import os

import numpy as np

from lines import Failed, bound, curve, reference, reference_points, result
from tools import KM_1T, ROOT, grid, prism_factor, read_curve

SP4_SOURCE = "mean and spread of the solutions of muMAG standard problem 4, as collected in cmt-dtu-energy/MagTense"
SP4_DATA = os.path.join(ROOT, "tests", "physics", "data", "sp4")  # its README.md says whose they are
SP4_FIELDS = {1: "{value: 24.97298540 mT, direction: [-24.6, 4.3, 0]}", 2: "{value: 36.05468069 mT, direction: [-35.5, -6.3, 0]}"}
JS = 1.005309649  # T, permalloy
# every brick of the fine grids is an eighth of one of the coarse ones: edges of the body and bricks inside it err in opposite directions
LEVELS = {"coarse": 1, "fine": 2}
SP4_GRIDS = {level: grid(refine, 1, 0.8, (10, 6.25, 3), air=200, radius=1.6) for level, refine in LEVELS.items()}
# largest difference of <my> from the published mean before and after 0.15 ns: the spread of the published curves
SP4_SPREAD = ((0, 0.151, 0.003), (0.151, 0.201, 0.03))
# m after 1 ns in cells of 3.125 x 3.125 x 2.5 nm
SP5_1NS = (-0.2346374, -0.0945090, 0.0229435)
SP5_GRIDS = {level: grid(refine, 2.5, 0.5, (5, 5, 2.5), air=100, radius=1.6) for level, refine in LEVELS.items()}
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


def at_crossing(t, x, y):
    """y when x falls through zero."""
    k = int(np.argmax(x < 0))
    near = slice(k - 2, k + 2)
    return float(np.polyval(np.polyfit(t[near], y[near], 3), crossing(t, x)))


def edge_weight(case, name, grids, wanted):
    """What extrapolates from coarse to fine grid, limit = fine + weight (fine - coarse): it gives the body, uniformly magnetized along y, its
    demagnetizing factor.  What is left of the error is the stray field's at the edges; there is a logarithm in it (as in standard
    problem 2), so that it has no order in h."""
    held = ["field.direction=[0, 1, 0]", "field.start=1000 T", "field.segments=[{to: 999 T, step: 1 T, mode: fixed}]", "output.states=none"]
    e = [read_curve(case.run("demag", name, "N_" + level, *overrides, *held, ranks=2))["e_demag_J/m3"][0] / (KM_1T * JS**2)
         for level, overrides in grids.items()]
    return (wanted - e[1]) / (e[1] - e[0])


def beyond(weight, coarse, fine):
    return fine + weight * (fine - coarse)


def start_lines(weight, starts, published):
    """The relaxed states; the published mean is of codes with cells of 3 to 5 nm."""
    lines = []
    for name in ("mx", "my"):
        coarse, fine = (float(read_curve(folder)[name][-1]) for folder in starts)
        lines.append(result("SP4 start: %s, limit in h" % name, beyond(weight, coarse, fine), "", float(published[name][0]), SP4_SOURCE, 0.001,
                            absolute=True))
    return lines


def reversal_lines(field, weight, runs, published):
    """The time of <mx> = 0, <my> then, and <my> until 0.2 ns."""
    title, t = "SP4 field %d: " % field, published["t_ns"]
    times = [crossing(run["t_ns"], run["mx"]) for run in runs]
    then = [at_crossing(run["t_ns"], run["mx"], run["my"]) for run in runs]
    wanted = crossing(t, published["mx"])
    lines = [result(title + "<mx> = 0, limit in h", beyond(weight, *times), "ns", wanted, SP4_SOURCE, 0.002, absolute=True),
             result(title + "<my> then, limit in h", beyond(weight, *then), "", at_crossing(t, published["mx"], published["my"]), SP4_SOURCE,
                    float(np.interp(wanted, t, published["ey"])), absolute=True)]
    my = beyond(weight, *(np.interp(t, run["t_ns"], run["my"]) for run in runs))
    for begin, end, spread in SP4_SPREAD:
        part = (t >= begin) & (t < end)
        lines.append(bound(title + "largest difference of <my> to %g ns, limit in h" % round(end, 2), float(np.abs(my - published["my"])[part].max()),
                           "", None, spread, SP4_SOURCE))
    return lines


def standard_problem_4(case):
    """muMAG standard problem 4: a permalloy plate of 500 x 125 x 3 nm reverses in two fields.

    The start is relaxed from saturation along [1, 1, 1]. Two grids, dense at the edges of the plate and in the air about them, every brick of the second
    cut into eight; the limit in h with the weight that makes the plate's demagnetizing factor exact."""
    tables = {field: read_table(os.path.join(SP4_DATA, "sp4_field%d_mean.csv" % field)) for field in SP4_FIELDS}
    starts = [case.run("demag", "sp4", "start_" + level, *overrides, ranks=2) for level, overrides in SP4_GRIDS.items()]
    weight = edge_weight(case, "sp4", SP4_GRIDS, prism_factor(500, 3, 125))
    lines = start_lines(weight, starts, tables[1])
    for field, parts in SP4_FIELDS.items():
        runs = [read_table(os.path.join(case.run("dynamics", "sp4", "field%d_%s" % (field, level), *overrides, *from_state(start),
                                                 "dynamics.field=[%s]" % parts, ranks=2), "dynamics.csv"))
                for (level, overrides), start in zip(SP4_GRIDS.items(), starts)]
        lines += reversal_lines(field, weight, runs, tables[field])
        shown = tables[field]["t_ns"] < 0.2001
        for name in ("mx", "my"):
            case.panel("t (ns)", "<%s>, field %d" % (name, field), *[curve(level, run["t_ns"], run[name]) for level, run in zip(SP4_GRIDS, runs)],
                       reference("published mean", tables[field]["t_ns"][shown], tables[field][name][shown]))
    return lines


def standard_problem_5(case):
    """muMAG standard problem 5: a vortex in a permalloy square of 100 x 100 x 10 nm, moved by a current (Zhang and Li's torque).

    The current is switched on at the relaxed vortex; m after 1 ns, on its way around the new equilibrium. Two grids, every brick of the second cut
    into eight, and the limit in h with the weight that makes the square's demagnetizing factor exact."""
    runs = []
    for level, overrides in SP5_GRIDS.items():
        start = case.run("dynamics", "sp5", "start_" + level, *overrides, ranks=2)
        folder = case.run("dynamics", "sp5", "current_" + level, *overrides, *from_state(start), "dynamics.alpha=0.1",
                          "dynamics.current={velocity: [-72.17, 0, 0], xi: 0.05}", "time={end: 1 ns, interval: 20 ps}", ranks=2)
        runs.append(read_table(os.path.join(folder, "dynamics.csv")))
    weight = edge_weight(case, "sp5", SP5_GRIDS, prism_factor(100, 10, 100))
    lines = []
    for name, wanted in zip(("mx", "my", "mz"), SP5_1NS):
        lines.append(result("SP5: %s after 1 ns, limit in h" % name, beyond(weight, *(float(run[name][-1]) for run in runs)), "", wanted, SP5_SOURCE,
                            0.01, absolute=True))
    for k, name in enumerate(("mx", "my")):
        case.panel("t (ns)", "<%s>" % name, *[curve(level, run["t_ns"], run[name]) for level, run in zip(SP5_GRIDS, runs)],
                   reference_points("mumax2", [1.0], [SP5_1NS[k]]))
    return lines
