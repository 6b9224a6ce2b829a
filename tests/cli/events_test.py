#!/usr/bin/env python3
"""events_test.py BUILD: runs whose events follow the dissipative path (minimizer.events: flow, the default), and by minimization."""
# timeout: 300
import csv
import json
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

ANISOTROPY_FIELD = 6.7125   # T, 2 mu0 K1/Js of Nd2Fe14B at 300 K in the library
GRAIN = """grains: {source: generated, count: 1, box: [8, 8, 8], texture_axis: [0, 0, 1], texture_spread: 0 deg}
mesh: {size: 2 nm, gb: {thickness: 0}}
materials: {grain: Nd2Fe14B}
demagnetizing: {enabled: false}
field: {start: 0 T, segments: [{to: -8 T, step: 0.5 T, mode: fixed}]}
"""
MINIMIZE = "minimizer.events=minimize"
STEPS = "field.segments=[{to: -6 T, step: 0.5 T, mode: fixed}]"
LOOSE_GRAINS = """grains: {source: labels, file: %(at)s/labels.npy, voxel: [1 nm, 1 nm, 1 nm], orientations: %(at)s/axes.csv}
mesh: {size: 2 nm, gb: {thickness: 0}, split_grains: true}
materials: {grain: Nd2Fe14B, interfaces: [{pair: "*", factor: 0}]}
demagnetizing: {enabled: false}
output: {states: none}
field: {start: 1 T, segments: [{to: -8 T, step: 0.5 T, mode: fixed}]}
"""
RESTART = os.path.join(support.ROOT, "tests", "restart", "restart.yaml")


def rows(folder):
    with open(os.path.join(folder, "curve.csv"), newline="") as f:
        return list(csv.DictReader(f))


def run(source, folder, *more, ranks=1):
    done = support.magtwin(sys.argv[1], "demag", source, "output.folder=" + folder, *more, ranks=ranks,
                           OMPI_MCA_mpi_yield_when_idle="1")
    check(done.code == 0, done)
    return rows(folder)


def test_left_when_unstable(folder):
    """Exactly along the axis there is no torque at any field: the eigenvalue alone says when the state is left."""
    source = os.path.join(folder, "grain.yaml")
    with open(source, "w") as f:
        f.write(GRAIN)
    by_torque = run(source, os.path.join(folder, "minimize"), MINIMIZE)
    check(float(by_torque[-1]["m"]) > 0.999, "a magnet without torque turned: m = %s" % by_torque[-1]["m"])
    flow = os.path.join(folder, "flow")
    for r in run(source, flow):
        B = float(r["mu0_Hext_T"])
        expected = 1 if B > -ANISOTROPY_FIELD else -1
        check(abs(float(r["m"]) - expected) < 1e-3, "m = %s at %s T" % (r["m"], r["mu0_Hext_T"]))
        if B == -7:  # the reversed state: no curvature of it is negative, so no eigenvalue is needed (that of it: test_stability.c)
            check(r["eigenvalue_T"] == "nan", r)
    nucleus(flow)


def test_first_state_that_is_a_saddle_is_said(folder):
    """Across the axis there is no torque at 0 T, and nothing holds the grain there: stiffness -2 K1/Js (Stoner and Wohlfarth)."""
    source, out = os.path.join(folder, "grain.yaml"), os.path.join(folder, "out")
    with open(source, "w") as f:
        f.write(GRAIN)
    done = support.magtwin(sys.argv[1], "demag", source, "output.folder=" + out, "field.direction=[1, 0, 0]",
                           "field.segments=[{to: -0.5 T, step: 0.5 T, mode: fixed}]")
    check(done.code == 0, done)
    check("the first state, at 0 T, is a saddle of the energy (smallest eigenvalue -6.71 T)" in done.err + done.out, done)
    first, second = rows(out)
    check(abs(float(first["eigenvalue_T"]) + ANISOTROPY_FIELD) < 3e-3, first)
    check(abs(float(first["m"]) - 1) < 1e-6, first)
    check(abs(float(second["m"]) + 0.5 / ANISOTROPY_FIELD) < 1e-4, "the hard axis, Stoner and Wohlfarth: m = %s" % second["m"])


def loose_grains(folder, degrees):
    """The curve of cubes of 8 nm in a row, of no coupling, their easy axes turned by so much from the field."""
    np.save(os.path.join(folder, "labels.npy"), np.ones((8, 8, 1), np.int32) * np.repeat(1 + np.arange(len(degrees), dtype=np.int32), 8))
    with open(os.path.join(folder, "axes.csv"), "w") as f:
        f.writelines("%d,%.15g,0,%.15g\n" % (1 + k, np.sin(np.radians(a)), np.cos(np.radians(a))) for k, a in enumerate(degrees))
    source = os.path.join(folder, "loose.yaml")
    with open(source, "w") as f:
        f.write(LOOSE_GRAINS % {"at": folder})
    return run(source, os.path.join(folder, "out"))


def test_equal_grains_turn_together(folder):
    """Eight of them become unstable in one field, and turn in it."""
    curve = loose_grains(folder, 8 * [0])
    for r in curve:
        check(abs(float(r["m"]) - (1 if float(r["mu0_Hext_T"]) > -7 else -1)) < 1e-3, r)


def test_left_though_another_grain_turns(folder):
    """The gradient of the grain that turns says nothing of the one without torque; that is left in the first field beyond its anisotropy field."""
    curve = loose_grains(folder, [0, 80])
    check(all(int(r["iterations"]) > 0 for r in curve), "a step that took no iteration: the other grain does not turn")
    late = [float(r["mu0_Hext_T"]) for r in curve if float(r["m"]) < -0.5]
    check(late and late[0] == -7, "left at %s T" % late[:1])


def nucleus(folder):
    """The mode kept with the state before the event: uniform rotation, its stiffness that of Stoner and Wohlfarth."""
    with open(os.path.join(folder, "summary.json")) as f:
        event, = json.load(f)["results"]["events"]
    check(abs(event["eigenvalue_before_T"] - (ANISOTROPY_FIELD - 6.5)) < 3e-3, event)
    with h5py.File(os.path.join(folder, event["state_before"]), "r") as f:
        mode, moment = f["/mode"][...], np.linalg.norm(f["/m"][...], axis=1) > 0.5
        check(abs(float(f["/mode"].attrs["eigenvalue_T"]) - event["eigenvalue_before_T"]) < 1e-12, "another eigenvalue in the file")
    check(np.abs(np.linalg.norm(mode[moment], axis=1) - 1).max() < 0.02, "the mode is not uniform")
    check(np.abs(mode[:, 2]).max() < 1e-6, "the mode is not across m")
    with h5py.File(os.path.join(folder, event["state_after"]), "r") as f:
        check("/mode" not in f, "a mode where no event follows")
    check('Name="mode"' in open(os.path.join(folder, "states.xdmf")).read(), "states.xdmf does not show the mode")


def test_same_on_ranks(folder):
    out = {n: os.path.join(folder, "ranks_%d" % n) for n in (1, 2)}
    curve = {n: run(RESTART, out[n], STEPS, ranks=n) for n in out}
    check(any(float(r["event"]) for r in curve[1]), "no event")
    check(len(curve[1]) == len(curve[2]), "%d steps on 1 rank, %d on 2" % (len(curve[1]), len(curve[2])))
    worst = max(abs(float(a["m"]) - float(b["m"])) for a, b in zip(curve[1], curve[2]))
    check(worst < 1e-6, "m differs by %g" % worst)
    print("# 2 ranks against 1: m differs by %.1e" % worst)
    again = os.path.join(folder, "again")
    run(RESTART, again, STEPS)
    with open(os.path.join(out[1], "curve.csv"), "rb") as a, open(os.path.join(again, "curve.csv"), "rb") as b:
        check(a.read() == b.read(), "two equal runs differ")


if __name__ == "__main__":
    sys.exit(support.run_tests([
        ("a state is left when its eigenvalue is negative, not before", test_left_when_unstable),
        ("a first state that is a saddle is said, and left", test_first_state_that_is_a_saddle_is_said),
        ("a state without torque is left, though another grain turns", test_left_though_another_grain_turns),
        ("equal grains without coupling turn in one field", test_equal_grains_turn_together),
        ("events along the path: the same on 1 and 2 ranks, and twice", test_same_on_ranks),
    ]))
