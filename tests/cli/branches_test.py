#!/usr/bin/env python3
"""branches_test.py BUILD: runs of more than one curve: the path at several angles, and reversal curves."""
# timeout: 300
import csv
import json
import math
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check, write

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
ANISOTROPY_FIELD = 6.7125   # T, 2 mu0 K1/Js of Nd2Fe14B at 300 K in the library
GRAIN = """grains: {source: generated, count: 1, box: [8, 8, 8], texture_axis: [0, 0, 1], texture_spread: 0 deg}
mesh: {size: 2 nm, gb: {thickness: 0}}
materials: {grain: Nd2Fe14B}
demagnetizing: {enabled: false}
field:
  start: 1 T
  segments: [{to: -8 T, step: 0.5 T, resolution: 20 mT}]
"""
ANGLES = (1, 15, 30, 50, 70)
GRAINS = """grains: {source: generated, count: 4, box: [20, 20, 20], texture_axis: [0, 0, 1], texture_spread: 15 deg}
mesh: {size: 4 nm, gb: {thickness: 2 nm}}
materials: {grain: Nd2Fe14B, gb: nonmagnetic}
minimizer: {torque: 0.001 mT}
field:
  direction: [0.05, 0.02, 1]
  start: 1 T
  segments: [{to: -6 T, step: 0.5 T, dm_max: 0.05, resolution: 20 mT}]
  reversal: {from: [-1 T, -4.1 T, -4.75 T], to: 0.5 T, close: true, step: 0.5 T, dm_max: 0.05, resolution: 20 mT}
"""


def table(folder, name):
    with open(os.path.join(folder, name), newline="") as f:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(f)]


def run(source, folder, *more, code=0, ranks=1):
    done = support.magtwin(BUILD, "demag", source, "output.folder=" + folder, *more, ranks=ranks)
    check(done.code == code, done)
    return done


def draws(folder, name):
    done = support.magtwin(BUILD, "plot", folder)
    check(done.code == 0, done)
    check(os.path.getsize(os.path.join(folder, "figures", name + ".png")) > 5000, "%s.png is nearly empty" % name)


def test_angles(folder):
    """Coercive and switching field of a particle that turns as one (Stoner, Wohlfarth, Phil. Trans. A 240 (1948) 599)."""
    out = os.path.join(folder, "out")
    done = run(write(folder, GRAIN), out, "field.angles=%s" % list(ANGLES))
    lines = table(out, "branches.csv")
    for line in lines:  # the last words of the run
        check("%g deg: Br %.4g T, Hc %.4g T, largest jump at %.4g T\n" % tuple(line[k] for k in ("angle_deg", "Br_T", "Hc_T", "Hswitch_T")) in done.out, done)
    check([line["angle_deg"] for line in lines] == list(ANGLES), lines)
    for line in lines:
        t = math.radians(line["angle_deg"])
        switching = ANISOTROPY_FIELD * (math.cos(t)**(2 / 3) + math.sin(t)**(2 / 3))**-1.5
        coercive = switching if t < math.pi / 4 else ANISOTROPY_FIELD * math.sin(2 * t) / 2
        check(abs(line["Hswitch_T"] - switching) < 0.01 + 0.002 * switching, (line, switching))
        check(abs(line["Hc_T"] - coercive) < 0.01 + 0.002 * coercive, (line, coercive))
    rows = table(out, "curve.csv")
    for r in rows:  # the field turned towards x
        t = math.radians(ANGLES[int(r["branch"])])
        check(math.hypot(r["mu0_Hx_T"] - r["mu0_Hext_T"] * math.sin(t), r["mu0_Hz_T"] - r["mu0_Hext_T"] * math.cos(t)) < 1e-9, r)
    with open(os.path.join(out, "summary.json")) as f:
        results = json.load(f)["results"]
    check(results["branch_kind"] == "angle" and len(results["branches"]) == len(ANGLES), results["branches"])
    check([e["angle_deg"] for e in results["events"]] == list(ANGLES), results["events"])
    for line, event in zip(lines, results["events"]):
        check(event["field_T"] < -line["Hswitch_T"] < event["field_before_T"] and ANGLES[event["branch"]] == event["angle_deg"], (line, event))
    draws(out, "angles")


def test_unreversed(folder):
    """An angle at which the path ends before the magnet reverses is named, be it the first or a further one."""
    out = os.path.join(folder, "out")
    done = run(write(folder, GRAIN), out, "field.angles=[5, 45, 10]", "field.segments=[{to: -4 T, step: 0.5 T, resolution: 20 mT}]")
    with open(os.path.join(out, "summary.json")) as f:
        said = [w for w in json.load(f)["warnings"] if "did not reverse" in w]
    check([w.split(":")[0] for w in said] == ["at %d deg the magnet did not reverse down to -4 T" % angle for angle in (5, 10)], (said, str(done)))
    check([math.isnan(line["Hc_T"]) for line in table(out, "branches.csv")] == [True, False, True], table(out, "branches.csv"))


def test_reversal(folder):
    """Each curve begins in the state of the path; where nothing switches it runs back along the path, and a minor loop closes."""
    out = os.path.join(folder, "out")
    source = write(folder, GRAINS)
    run(source, out)
    rows = table(out, "curve.csv")
    path = {r["mu0_Hext_T"]: r["m"] for r in rows if r["branch"] == 0}
    for branch, start in ((1, -1), (2, -4.1), (3, -4.75)):
        curve = [r for r in rows if r["branch"] == branch]
        check(curve[0]["mu0_Hext_T"] == start and start in path, "curve %d begins at %g T" % (branch, curve[0]["mu0_Hext_T"]))
        check(abs(curve[0]["m"] - path[start]) < 1e-7, "m = %.9g, on the path %.9g" % (curve[0]["m"], path[start]))
        check(max(r["mu0_Hext_T"] for r in curve) == 0.5 and curve[-1]["mu0_Hext_T"] == start, "the loop is not closed")
        check(abs(curve[-1]["m"] - curve[0]["m"]) < 1e-6, "the minor loop ends at m = %g, not %g" % (curve[-1]["m"], curve[0]["m"]))
    for r in rows:
        if r["branch"] == 1 and r["mu0_Hext_T"] in path:
            check(abs(r["m"] - path[r["mu0_Hext_T"]]) < 1e-6, "reversible, but m = %g, not %g" % (r["m"], path[r["mu0_Hext_T"]]))
    lines = table(out, "branches.csv")
    check(1 < lines[0]["recoil_permeability"] < 1.2, lines[0])
    draws(out, "reversal")
    resumed(folder, source, out)


def resumed(folder, source, reference):
    """From a checkpoint in the middle of a reversal curve: the same bytes."""
    out = os.path.join(folder, "again")
    whole = open(os.path.join(reference, "curve.csv"), "rb").read()
    process = start(source, out)
    curve = os.path.join(out, "curve.csv")
    import signal
    import time
    while process.poll() is None and not (os.path.exists(curve) and any(r.startswith(b"%d,2," % k) for k, r in
                                                                       enumerate(open(curve, "rb").read().split(b"\n")[1:]))):
        time.sleep(0.001)
    process.send_signal(signal.SIGUSR1)
    code = process.wait(60)
    print("# stopped with exit code %s after %d of %d lines" % (code, open(curve, "rb").read().count(b"\n"), whole.count(b"\n")))
    if code == 75:
        run(source, out, "--resume")
    check(open(curve, "rb").read() == whole, "the continued curve differs")
    shutil.rmtree(out)


def start(source, out):
    import subprocess
    return subprocess.Popen([os.path.join(os.path.abspath(BUILD), "magtwin"), "demag", source, "output.folder=" + out],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=support.environment(), cwd=support.ROOT)


def test_not_reached(folder):
    """A path that ends before a reversal field: the other curves, and a warning; states are kept for them even so."""
    out = os.path.join(folder, "out")
    done = run(write(folder, GRAINS), out, "field.stop_below=0.9", "output.states=none", "field.reversal.from=[-1 T, -5.5 T]",
               "field.reversal.close=false")
    check("the path ended before -5.5 T" in done.err + done.out, done)
    check([line["from_T"] for line in table(out, "branches.csv")] == [-1], table(out, "branches.csv"))


def test_refused(folder):
    source = write(folder, GRAINS)
    for change, words in ((["field.reversal.from=[-7 T]"], "which the path does not pass"),
                          (["field.reversal.from=[-2 T, -2 T]"], "twice"),
                          (["field.reversal.count=3"], "either from"),
                          (["field.reversal.from=[0.5 T]"], "already starts"),
                          (["field.angles=[0, 10]"], "cannot go together")):
        done = support.magtwin(BUILD, "check", source, "output.folder=" + os.path.join(folder, "out"), *change)
        check(done.code == 2 and words in done.err + done.out, done)
    source = write(folder, GRAIN)
    for change, words in ((["field.angles=[]"], "angle"), (["field.angles=[0]", "field.angles_toward=[0, 0, 2]"], "parallel"),
                          (["field.reversal.from=[-1 T]", "field.reversal.to=1 T"], "needs step")):
        done = support.magtwin(BUILD, "check", source, "output.folder=" + os.path.join(folder, "out"), *change)
        check(done.code == 2 and words in done.err + done.out, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([
        ("angular dependence of a Stoner-Wohlfarth particle", test_angles),
        ("angles at which the magnet does not reverse", test_unreversed),
        ("reversal curves start on the path, close, and are continued", test_reversal),
        ("a path that ends before a reversal field", test_not_reached),
        ("bad input of both", test_refused),
    ]))
