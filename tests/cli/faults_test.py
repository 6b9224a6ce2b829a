#!/usr/bin/env python3
"""faults_test.py BUILD: runs in which something cannot be done end with what, where, and a checkpoint; none loops for ever."""
# timeout: 300
import csv
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import h5py

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check, write

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
GRAINS = support.two_grains(0.1)
LIBRARY = """materials:
  - {name: nonmagnetic, A: 0 pJ/m, Js: 0 T, K1: 0 MJ/m3, source: test}
  - {name: odd, A: 7.7 pJ/m, Js: %s T, K1: %s MJ/m3, source: test}
"""


def demag(source, out, *more):
    return support.magtwin(BUILD, "demag", source, "output.folder=" + out, *more)


def lines(out):
    with open(os.path.join(out, "curve.csv")) as f:
        return f.read().split("\n")[1:-1]


def check_failed(out, done, reason):
    """The state in which the step failed is there to look at, named by the message."""
    state = os.path.join(out, "states", "failed.h5")
    check("; the state it failed in: " + state in done.err, done)
    check(os.path.exists(os.path.join(out, "failed.xdmf")), os.listdir(out))
    with h5py.File(state) as f:
        said = f.attrs["reason"]
        check(f["/m"].shape[1] == 3 and reason in (said.decode() if isinstance(said, bytes) else str(said)), said)


def unsolved(folder):
    """A solver that does not get there in the middle of a run: the field, the reason, the checkpoint; then it goes on from there."""
    source, out, whole = write(folder, GRAINS), os.path.join(folder, "out"), os.path.join(folder, "whole")
    check(demag(source, whole).code == 0, "the run without a fault")
    os.makedirs(out)
    shutil.copy(os.path.join(whole, "mesh.h5"), out)
    process = subprocess.Popen([os.path.join(os.path.abspath(BUILD), "magtwin"), "demag", source, "output.folder=" + out],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=support.environment(), cwd=support.ROOT)
    curve = os.path.join(out, "curve.csv")
    while process.poll() is None and not (os.path.exists(curve) and len(lines(out)) > 4):
        time.sleep(0.001)
    process.send_signal(signal.SIGUSR1)
    check(process.wait(60) == 75, "the run ended before the signal")
    before = lines(out)
    done = demag(source, out, "--resume", "petsc_options=-demag_ksp_divtol 1e-9")
    check(done.code == 1, done)
    for words in ("field step", " T, could not be made", "did not converge", "checkpoint.h5"):
        check(words in done.err, done)
    check(lines(out)[:len(before)] == before, "steps were lost")
    done = demag(source, out, "--resume")
    check(done.code == 0 and lines(out) == lines(whole), "%d lines, %d in one go\n%s" % (len(lines(out)), len(lines(whole)), done))


def never_reverses(folder):
    source, out = write(folder, GRAINS), os.path.join(folder, "out")
    done = demag(source, out, "field.segments=[{to: -1 T, step: 0.5 T}]")
    check(done.code == 0 and "did not reverse down to -1 T" in done.err + done.out, done)
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    check("Br %.4g T" % summary["results"]["Br"]["value"] in done.out and "Hc " not in done.out, done)
    check(summary["results"]["Hc"]["value"] is None and any("did not reverse" in w for w in summary["warnings"]), summary["warnings"])


def unconverged(folder):
    """Iterations that end before the torque is small: said for every step with field, torque, node and region; the path goes on."""
    source, out = write(folder, GRAINS), os.path.join(folder, "out")
    for ranks in (1, 2):
        done = support.magtwin(BUILD, "demag", source, "output.folder=" + out, "minimizer.max_iterations=1", "minimizer.torque=1e-9 T", "minimizer.give_up=1e12",
                               "field.segments=[{to: 0 T, step: 0.5 T}]", "--force", ranks=ranks)
        check(done.code == 0, done)
        with open(os.path.join(out, "summary.json")) as f:
            summary = json.load(f)
        said = [w for w in summary["warnings"] if "did not converge" in w]
        check(len(said) == len(summary["results"]["unconverged"]) == summary["counts"]["unconverged_steps"] == 3, summary["warnings"])
        check(all(re.search(r" at -?[0-9.]+ T .* [0-9.e-]+ T after \d+ iterations, at node \d+ \(region \"grain [01]\"\) at \(", w) for w in said), said)
        check(done.err.count("field step 1 ") == 1, done)


def far_from_equilibrium(folder):
    """One iteration a field leaves torques of teslas: that ends the run, which then goes on; torques a little above the limit are marked."""
    source, out, whole = write(folder, GRAINS), os.path.join(folder, "out"), os.path.join(folder, "whole")
    short = "field.segments=[{to: 0 T, step: 0.5 T}, {to: -6 T, step: 1 T}]"
    done = demag(source, out, short, "minimizer.max_iterations=1")
    check(done.code == 1 and re.search(r"field step 0, at 1 T, .* after 1 iterations the largest torque is [0-9.]+ T, \d+ times minimizer.torque, "
                                       r"at node \d+ \(region \"grain [01]\"\) at \(.* --resume", done.err), done)
    done = demag(source, out, short, "minimizer.max_iterations=20", "--resume")
    check(done.code == 1 and re.search(r" T, could not be made: after \d+ iterations", done.err) and "the state before it is in %s/checkpoint.h5" % out in done.err, done)
    before = lines(out)
    check(len(before) > 3 and all(line.endswith(",1") for line in before), before)
    check_failed(out, done, "the largest torque")
    check(demag(source, out, short, "--resume").code == 0 and lines(out)[:len(before)] == before, "it does not go on")
    check(not os.path.exists(os.path.join(out, "states", "failed.h5")), "a run that went on has a state it failed in")
    done = demag(source, whole, short, "minimizer.max_iterations=1", "minimizer.give_up=1e6")
    check(done.code == 0 and "Br 1." in done.out and re.search(r"Br [0-9.]+ T \(not converged\), Hc [0-9.]+ T \(not converged\)", done.out), done)
    said = re.search(r"(\d+) of (\d+) field steps did not converge: largest torque ([0-9.]+) T", done.out)
    with open(os.path.join(whole, "curve.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    bad = [row for row in rows if row["converged"] == "0"]
    check(said and int(said[1]) == len(bad) and int(said[2]) == len(rows), done)
    check(abs(max(float(row["torque_T"]) for row in bad) / float(said[3]) - 1) < 0.01, said[0])
    with open(os.path.join(whole, "summary.json")) as f:
        check(json.load(f)["results"]["read_off_unconverged_steps"][:2] == ["Br", "Hc"], whole)


def not_a_number(folder):
    """An easy axis that is no number, as a broken disk leaves it: node, region and field, on any number of ranks, and no hang."""
    source, mesh = write(folder, GRAINS), os.path.join(folder, "mesh", "mesh.h5")
    check(support.magtwin(BUILD, "mesh", source, "output.folder=" + os.path.dirname(mesh)).code == 0, "the mesh")
    with h5py.File(mesh, "r+") as f:
        f["/grains/axis"][1] = float("nan")
    for ranks in (1, 2):
        done = support.magtwin(BUILD, "demag", source, "mesh.file=" + mesh, "output.folder=" + os.path.join(folder, "out"), "--force", ranks=ranks)
        check(done.code == 1 and re.search(r"field step 0, at 1 T, .*not a number at node \d+ \(region \"grain [01]\"\) in the field", done.err), done)
        check_failed(os.path.join(folder, "out"), done, "not a number")


def odd_materials(folder):
    """Js < 0 is refused where it stands, K1 < 0 where the material is named; one that is meant is an easy plane: m lies in it at zero field."""
    source = write(folder, GRAINS.replace("Nd2Fe14B", "odd").replace("materials: {", "materials: {library: %s/odd.yaml, " % folder))
    write(folder, LIBRARY % ("-1.6", "1"), "odd.yaml")
    done = demag(source, os.path.join(folder, "negative"))
    check(done.code == 2 and "odd.yaml:3" in done.err and "Js" in done.err, done)
    write(folder, LIBRARY % ("1.6", "-1"), "odd.yaml")
    done = demag(source, os.path.join(folder, "hard"))
    check(done.code == 2 and 'materials.grain: material "odd" has K1 = -1e+06 J/m3' in done.err and "easy_plane: true" in done.err, done)
    write(folder, (LIBRARY % ("1.6", "-1")).replace("K1: -1", "easy_plane: true, K1: -1"), "odd.yaml")
    out = os.path.join(folder, "plane")
    done = demag(source, out, "field.segments=[{to: 0 T, step: 0.1 T}]", "demagnetizing.enabled=false")
    check(done.code == 0, done)
    with open(os.path.join(out, "curve.csv"), newline="") as f:
        last = list(csv.DictReader(f))[-1]
    check(abs(float(last["mz"])) < 0.1 and math.hypot(float(last["mx"]), float(last["my"])) > 0.99, last)


def hard_axis(folder):
    """K1 < 0 by materials.change, by a table of temperatures and by one of compositions: refused, unless it is meant or an easy cone."""
    odd = "  - {name: odd, A: 7.7 pJ/m, Js: 1.6 T, K1: 1 MJ/m3, table: {T: [100 K, 300 K], K1: [%s MJ/m3, 1 MJ/m3]}, source: test}\n"
    source = write(folder, GRAINS.replace("Nd2Fe14B", "odd").replace("materials: {", "materials: {library: %s/odd.yaml, " % folder))
    tables = "materials.composition.tables=[{c: [0, 0.5, 1], K1: [4e6, -5e6, 4e6]%s}]"
    change = "materials.change=[{material: odd, K1: -1e6%s}]"
    for K1, options, words in (("0.5", [change % ""], 'material "odd" has K1 = -1e+06 J/m3'),
                               ("0.5", [change % ", K2: 0.4e6"], "easy_plane: true"),
                               ("0.5", [change % ", K2: 0.6e6"], None), ("0.5", [change % ", easy_plane: true"], None),
                               ("-3", ["materials.temperature=100 K"], None),
                               ("-3", ["materials.temperature=300 K", change % ""], "K1 = -1e+06"),
                               ("0.5", ["materials.composition.file=nowhere.h5", tables % ""], "tables[0]: K1 is -5e+06 J/m3 at composition 0.5"),
                               ("0.5", ["materials.composition.file=nowhere.h5", tables % ", easy_plane: true"], "there is no file or folder nowhere.h5")):
        write(folder, LIBRARY.split("  - {name: odd")[0] + odd % K1, "odd.yaml")
        done = support.magtwin(BUILD, "check", source, "output.folder=" + folder, *options)
        check(done.code == (2 if words else 0) and (words or "") in done.err, (words, str(done)))


def start_in_the_way(folder):
    """A start among the states that the run would replace is refused and stays; one with a hole is refused too."""
    source, out = write(folder, GRAINS), os.path.join(folder, "out")
    check(demag(source, out, "field.segments=[{to: 0 T, step: 0.5 T}]").code == 0, "the first run")
    state = os.path.join(out, "states", "state_0001.h5")
    for option in ("--force", "--resume"):
        done = demag(source, out, "field.initial=file", "field.initial_file=" + state, option)
        check(done.code == 2 and "replaces" in done.err and "field.initial_file" in done.err, done)
        check(os.path.exists(state), "the start is gone")
    copy = os.path.join(folder, "start.h5")
    shutil.copy(state, copy)
    mesh = "mesh.file=" + os.path.join(out, "mesh.h5")
    good = demag(source, os.path.join(folder, "good"), mesh, "field.initial=file", "field.initial_file=" + copy,
                 "field.segments=[{to: 0 T, step: 0.5 T}]")
    check(good.code == 0, good)
    with h5py.File(copy, "r+") as f:
        f["/m"][:] = float("nan")
    done = demag(source, os.path.join(folder, "hole"), mesh, "field.initial=file", "field.initial_file=" + copy)
    check(done.code == 2 and "field.initial_file" in done.err, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([
        ("a solver that stagnates: field, reason, checkpoint; continued", unsolved),
        ("steps that do not converge: field, node, region", unconverged),
        ("steps that end far from equilibrium", far_from_equilibrium),
        ("a number that is none: node, region, field", not_a_number),
        ("a path that never reverses", never_reverses),
        ("Js < 0 and K1 < 0", odd_materials),
        ("K1 < 0 that is not meant", hard_axis),
        ("a start that the run would remove, and one with a hole", start_in_the_way),
    ]))
