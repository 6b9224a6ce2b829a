"""magtwin sweep as users call it: every point once, whatever is killed; failures in the table; bad input.
# timeout: 900
"""
import calendar
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import h5py

import support
from support import Skip, check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"

SWEEP = """\
sweep:
  axes:
    - {name: x, min: 0, max: 1, count: 4}
    - {name: c, kind: list, values: [a, "b,c"]}
  evaluate: command
  command: >-
    COMMAND
  numbers: [f]
  parallel: 2
output:
  folder: FOLDER
"""
VALUE = "echo . >> {folder}/runs; awk -v x={x} 'BEGIN { print x*x }'"


def out_of(folder):
    return os.path.join(folder, "out")


def write(folder, command=VALUE, change=lambda text: text):
    with open(os.path.join(folder, "sweep.yaml"), "w") as f:
        f.write(change(SWEEP.replace("COMMAND", command).replace("FOLDER", out_of(folder))))


def sweep(folder, *words, **more):
    return support.magtwin(BUILD, "sweep", os.path.join(folder, "sweep.yaml"), *words, **more)


def table(folder):
    with open(os.path.join(out_of(folder), "results.csv"), newline="") as f:
        return list(csv.DictReader(f))


def runs(folder, number):
    """How often the command of a point was begun."""
    path = os.path.join(out_of(folder), "points", "%04d" % number, "runs")
    return len(open(path).readlines()) if os.path.exists(path) else 0


def succeeds(done):
    check(done.code == 0, done)
    return done


def refused(done, *words):
    check(done.code == 2, done)
    for word in words:
        check(word in done.err, "no %r in: %s" % (word, done))


def grid(folder):
    write(folder)
    succeeds(sweep(folder, ranks=2))
    rows = table(folder)
    check([(float(r["x"]), r["c"]) for r in rows] == [(k / 3, c) for k in range(4) for c in ("a", "b,c")], rows)
    check(all(r["status"] == "done" and abs(float(r["f"]) - float(r["x"]) ** 2) < 1e-5 for r in rows), rows)
    with h5py.File(os.path.join(out_of(folder), "results.h5")) as f:
        check(abs(f["numbers/f"][7, ...].item() - 1) < 1e-12 and f["axes/c"][1].decode() == "b,c", "results.h5")
    succeeds(sweep(folder))  # nothing is left to do
    check([runs(folder, n) for n in range(1, 9)] == [1] * 8, "a point was run twice")
    with open(os.path.join(out_of(folder), "summary.json")) as f:
        check(json.load(f)["counts"]["done"] == 8, "summary.json")


def compared(folder):
    """Changes along x stand beside the numbers, for each value of the other axis and each repeat; none where the first point has failed."""
    text = lambda t: t.replace("  numbers: [f]", "  numbers: [f]\n  compare: x\n  repeats: 2")
    write(folder, "if [ {x} = 0 ] && [ {c} = a ]; then exit 3; fi; awk -v x={x} 'BEGIN { print 3*x - 2 }'", text)
    done = succeeds(sweep(folder))
    check("point 7:  x 0.333333  c b,c  f -1 (+1, +50 %)" in done.out, done)
    for r in table(folder):
        x, wanted = float(r["x"]), ("", "") if r["c"] == "a" else (3 * float(r["x"]), 150 * float(r["x"]))
        seen = tuple(float(v) if v else "" for v in (r["f_change"], r["f_percent"]))
        check(seen == wanted or all(abs(a - b) < 1e-3 for a, b in zip(seen, wanted)), (x, seen, wanted))
    with h5py.File(os.path.join(out_of(folder), "results.h5")) as f:
        check(abs(f["percent/f"][15, ...].item() - 150) < 1e-3 and abs(f["changes/f"][15, ...].item() - 3) < 1e-3, "results.h5")
    for change, words in (("compare: y", "is no axis of this sweep"), ("compare: x\n  design: latin\n  points: 3", "needs a grid")):
        write(folder, VALUE, lambda t: t.replace("numbers: [f]", "numbers: [f]\n  " + change))
        refused(sweep(folder, "output.folder=" + os.path.join(folder, "other")), words)


def failures(folder):
    write(folder, "echo . >> {folder}/runs; if [ ! -e %s/good ] && [ {x} = 1 ]; then echo broken >&2; exit 4; fi; %s"
          % (folder, VALUE.split("; ", 1)[1]))
    succeeds(sweep(folder))
    failed = [r for r in table(folder) if r["status"] == "failed"]
    check([(r["id"], r["f"], r["reason"]) for r in failed] == [(n, "", "exit code 4: broken") for n in ("7", "8")], failed)
    check("point 7 failed: exit code 4: broken" in succeeds(sweep(folder, "status")).out, "status")
    open(os.path.join(folder, "good"), "w").close()
    succeeds(sweep(folder))  # what failed, once more
    check([runs(folder, n) for n in range(1, 9)] == [1] * 6 + [2] * 2, "runs")
    check(all(r["status"] == "done" for r in table(folder)), table(folder))


def no_program(folder):
    """A command that the shell does not find is no failure of a point: told at once, and the point waits."""
    write(folder, "no-such-program {x}")
    for verb in (["run"], ["point", "1"]):
        done = sweep(folder, *verb)
        check(done.code == 1 and "points/0001: the program of 1 could not be started (exit code 127)" in done.err and "no-such-program" in done.err, done)
    check("0 done, 0 failed, 0 running, 8 waiting" in succeeds(sweep(folder, "status")).out, "not all wait")
    write(folder, "another-program {x}")  # nothing has come of the first yet
    check("another-program" in sweep(folder).err, "the command was not mended")
    write(folder, "no-such-program {x}")
    program = os.path.join(folder, "no-such-program")
    with open(program, "w") as f:
        f.write("#!/bin/sh\necho $1\n")
    os.chmod(program, 0o755)
    succeeds(sweep(folder, PATH=folder + ":" + os.environ["PATH"]))
    check(all(r["status"] == "done" for r in table(folder)), table(folder))


def kills(folder):
    """The sweep is killed three times while points run; each of them is run once all the same: they outlive it."""
    write(folder, "echo . >> {folder}/runs; sleep 0.5; " + VALUE.split("; ", 1)[1])
    program = [os.path.join(os.path.abspath(BUILD), "magtwin"), "sweep", os.path.join(folder, "sweep.yaml")]
    for n in (2, 4, 6):
        proc = subprocess.Popen(program, stdout=subprocess.DEVNULL, env=support.environment(), start_new_session=True)
        while not runs(folder, n) and proc.poll() is None:
            time.sleep(0.02)
        proc.send_signal(signal.SIGKILL)
        proc.wait()
    succeeds(sweep(folder))
    check([runs(folder, n) for n in range(1, 9)] == [1] * 8, [runs(folder, n) for n in range(1, 9)])
    check(all(r["status"] == "done" for r in table(folder)), table(folder))


def designs(folder):
    base = lambda text: text.replace("    - {name: c, kind: list, values: [a, \"b,c\"]}\n", "    - {name: y, min: 1, max: 100, scale: log}\n")
    write(folder, change=lambda text: base(text).replace("numbers", "design: sobol\n  points: 6\n  repeats: 2\n  seed: 7\n  constraints: [\"x + 0.01*y <= 1\"]\n  numbers"))
    succeeds(sweep(folder))
    rows = table(folder)
    check(len(rows) == 12 and [r["seed"] for r in rows[:4]] == ["7", "8", "7", "8"], rows)
    check(all(float(r["x"]) + 0.01 * float(r["y"]) <= 1 and 1 <= float(r["y"]) <= 100 for r in rows), rows)
    refused(sweep(folder, "sweep.seed=9"), "holds a sweep with other points")


def single_points(folder):
    """What the tasks of a job array do."""
    write(folder)
    out = succeeds(sweep(folder, "slurm")).out
    check("points 1-8" in out, out)
    with open(os.path.join(out_of(folder), "sweep.slurm")) as f:
        script = f.read()
    check("--array=1-8%2" in script and "point <= points" in script and "points=8" in script, script)
    check(subprocess.run(["bash", "-n", os.path.join(out_of(folder), "sweep.slurm")]).returncode == 0, "syntax of sweep.slurm")
    succeeds(sweep(folder, "point", "3"))
    succeeds(sweep(folder, "point", "3"))
    check(runs(folder, 3) == 1, "run twice")
    check("points 1-2,4-8" in succeeds(sweep(folder, "slurm")).out, "missing points")
    refused(sweep(folder, "point", "9"), "no point 9")


def provenance(folder):
    """Who computed a row, when, how long, how often: in both tables, for points of any status."""
    before = time.time()
    write(folder, "[ {x} != 1 ] || exit 4; sleep 0.2; " + VALUE.split("; ", 1)[1])
    done = support.magtwin(BUILD, "sweep", os.path.join(folder, "sweep.yaml"), SLURM_ARRAY_JOB_ID="47", SLURM_ARRAY_TASK_ID="3")
    check(succeeds(done) and [r["status"] for r in table(folder)] == ["done"] * 6 + ["failed"] * 2, table(folder))
    version = support.magtwin(BUILD, "version").out.split()[1]
    for row in table(folder):
        check((row["starts"], row["version"], row["host"], row["job"]) == ("1", version, socket.gethostname(), "47_3"), row)
        began, ended = (calendar.timegm(time.strptime(row[k], "%Y-%m-%dT%H:%M:%SZ")) for k in ("began", "ended"))
        check(before - 1 <= began <= ended <= time.time() and (row["status"] == "failed" or float(row["wall_s"]) >= 0.2), row)
    with h5py.File(os.path.join(out_of(folder), "results.h5")) as f:
        check(sorted(f["provenance"]) == ["began", "ended", "host", "job", "ranks", "starts", "version", "wall"], list(f["provenance"]))
        check([t.decode() for t in f["status"][...]] == [r["status"] for r in table(folder)], "status")
        check([t.decode() for t in f["provenance/began"][...]] == [r["began"] for r in table(folder)], "began")
        check(f["provenance/wall"].attrs["unit"] in (b"s", "s"), "unit")


def long_arrays(folder):
    """More points than an array may have tasks: a task takes every thousandth."""
    write(folder, change=lambda text: text.replace("count: 4", "count: 600"))
    check("points 1-1000 and every thousandth" in succeeds(sweep(folder, "slurm")).out, "message")
    with open(os.path.join(out_of(folder), "sweep.slurm")) as f:
        check("point <= points" in f.read(), "no loop")
    done = subprocess.run(["bash", os.path.join(out_of(folder), "sweep.slurm")], env=support.environment(SLURM_ARRAY_TASK_ID="7"), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0 and [runs(folder, n) for n in (6, 7, 8, 1007)] == [0, 1, 0, 1], done.stdout)


def one_point(folder):
    """A failed point is tried again by hand, not by a task that SLURM started again; a stopped one says so."""
    write(folder, "echo . >> {folder}/runs; exit 3")
    check(sweep(folder, "point", "1").code == 1 and runs(folder, 1) == 1, "first")
    done = sweep(folder, "point", "1", SLURM_RESTART_COUNT="1")
    check(done.code == 1 and runs(folder, 1) == 1 and "exit code 3" in done.out, done)
    check(sweep(folder, "point", "1").code == 1 and runs(folder, 1) == 2, "again")
    shutil.rmtree(out_of(folder))
    go = os.path.join(folder, "go")
    write(folder, "echo . >> {folder}/runs; for i in $(seq 600); do [ -e %s ] || sleep 0.1; done; %s" % (go, VALUE.split("; ", 1)[1]))
    command = [os.path.join(os.path.abspath(BUILD), "magtwin"), "sweep", os.path.join(folder, "sweep.yaml"), "point", "2"]
    start = lambda: subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=support.environment(), start_new_session=True)
    first = start()
    while not runs(folder, 2):
        time.sleep(0.02)
    second = start()  # waits for the first, and does not run it again
    check("run by another process: waiting" in second.stdout.readline(), "no word of waiting")
    open(go, "w").close()
    check(first.wait(60) == 0 and second.wait(60) == 0 and runs(folder, 2) == 1, runs(folder, 2))
    shutil.rmtree(out_of(folder))
    os.unlink(go)
    third = start()
    while not runs(folder, 2):
        time.sleep(0.02)
    third.send_signal(signal.SIGUSR1)
    check(third.wait(60) == 75, "a stopped point ends with %s" % third.returncode)
    check("8 waiting" in succeeds(sweep(folder, "status")).out, "it does not wait")
    open(go, "w").close()
    check(succeeds(sweep(folder, "point", "2")) and runs(folder, 2) == 2, "not continued")


def figures(folder):
    """Curves, map and main effects of a grid with failures; of a Latin hypercube without curves; what cannot be drawn is told."""
    write(folder, "[ {x} != 1 ] || exit 4; " + VALUE.split("; ", 1)[1])
    succeeds(sweep(folder))
    done = succeeds(support.magtwin(BUILD, "plot", out_of(folder)))
    drawn = lambda: sorted(n for n in os.listdir(os.path.join(out_of(folder), "figures")) if n.endswith(".png"))
    check(drawn() == ["curves_f.png", "effects_f.png", "map_f.png"] and "Traceback" not in done.err, done)
    with open(os.path.join(out_of(folder), "figures", "curves_f.svg")) as f:
        check("failed (2)" in f.read(), "failures are not in the legend")
    shutil.rmtree(out_of(folder))
    write(folder, change=lambda text: text.replace("numbers: [f]", "numbers: [f]\n  design: latin\n  points: 12"))
    succeeds(sweep(folder))
    succeeds(support.magtwin(BUILD, "plot", out_of(folder)))
    check(drawn() == ["effects_f.png", "map_f.png"], drawn())
    shutil.rmtree(out_of(folder))
    write(folder, "exit 1")
    succeeds(sweep(folder))
    refused(support.magtwin(BUILD, "plot", out_of(folder)), "no point of", "has a value of f")


BASE = """\
grains: {source: generated, count: 1, box: [12 nm, 12 nm, 12 nm], seed: 3}
mesh: {size: 4 nm, gb: {thickness: 0}}
materials: {grain: Nd2Fe14B}
field: {direction: [0.1, 0, 1], start: 1 T, segments: [{to: 0 T, step: 1 T, mode: fixed}]}
"""
RUNS = """\
sweep:
  axes: [{name: size, key: mesh.size, unit: nm, min: 3.5, max: 4, count: 2}]
  input: base.yaml
  numbers: [counts.nodes]
output: {folder: out}
"""


def other_runs(folder):
    """Runs that are begun anew, with --force, as well as those that --resume continues; each subcommand has the option it is called with."""
    with open(os.path.join(folder, "table.csv"), "w") as f:
        f.write("a,b,c\n" + "".join("%d,%d,%d\n" % (k, k * k, k % 3) for k in range(9)))
    with open(os.path.join(folder, "base.yaml"), "w") as f:
        f.write("pca: {files: table.csv}\n")
    with open(os.path.join(folder, "sweep.yaml"), "w") as f:
        f.write("sweep:\n  axes: [{name: k, key: pca.components, min: 1, max: 2, count: 2, whole: true}]\n  input: base.yaml\n  subcommand: pca\n"
                "  numbers: [pca.explained]\noutput: {folder: out}\n")
    succeeds(sweep(folder, cwd=folder))
    explained = [float(r["pca.explained"]) for r in table(folder)]
    check(0.5 < explained[0] < explained[1] <= 1, explained)
    refused(sweep(folder, "sweep.subcommand=pka", cwd=folder), "pca")
    choices = support.magtwin(BUILD, "sweep", "--help").out
    for name in ("demag", "dynamics", "barrier", "evolve", "topology", "generate", "reconstruct", "mesh", "texture", "unmix", "peaks", "pca", "landscape"):
        check(name in choices, name)
        text = support.magtwin(BUILD, name, "--help").out
        check(("--resume" if name in ("demag", "dynamics", "barrier", "evolve", "topology") else "--force") in text, text)
    check(support.magtwin(BUILD, "sweep", os.path.join(folder, "sweep.yaml"), "sweep.subcommand=evolve", "sweep.input=" + os.path.join(support.ROOT, "inputs/evolve.yaml"),
                          "sweep.axes=[{name: e, key: evolve.end, unit: s, min: 1, max: 2, count: 2}]", "output.folder=evolved", "slurm", cwd=folder).code == 0, "evolve")


def other_input(folder):
    """A base input, a command or points that have changed are refused with the line; nothing is touched."""
    for name, text in (("base.yaml", BASE), ("sweep.yaml", RUNS)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
    succeeds(sweep(folder, cwd=folder))
    rows = table(folder)
    check([r["ranks"] for r in rows] == ["1", "1"] and all(float(r["counts.nodes"]) > 8 for r in rows), rows)
    with open(os.path.join(folder, "base.yaml"), "w") as f:
        f.write(BASE.replace("Nd2Fe14B", "nonmagnetic"))
    for verb in ("run", "status", "slurm"):
        refused(sweep(folder, verb, cwd=folder), "a sweep with another base input: choose another output.folder, or undo the change (line 3 of", "materials: {grain: Nd2Fe14B}",
                "now base.yaml says \"materials: {grain: nonmagnetic}\"")
    check(table(folder) == rows, "the table was changed")
    with open(os.path.join(folder, "base.yaml"), "w") as f:
        f.write(BASE)
    succeeds(sweep(folder, "sweep.launcher=env", cwd=folder))
    shutil.rmtree(out_of(folder))
    write(folder)
    succeeds(sweep(folder, "point", "1"))
    write(folder, "echo 7")
    refused(sweep(folder), "a sweep with another command")


def two_sweeps(folder):
    """Two at once in one folder: the second is told who has it; what another began there is refused."""
    write(folder, "echo . >> {folder}/runs; sleep 1; " + VALUE.split("; ", 1)[1])
    program = [os.path.join(os.path.abspath(BUILD), "magtwin"), "sweep", os.path.join(folder, "sweep.yaml")]
    first = subprocess.Popen(program, stdout=subprocess.DEVNULL, env=support.environment(), start_new_session=True)
    while not runs(folder, 1):
        time.sleep(0.02)
    refused(sweep(folder), "is run by another process (process %d on" % first.pid)
    check("running" in succeeds(sweep(folder, "status")).out, "status beside it")
    refused(sweep(folder, "sweep.seed=9", "sweep.repeats=2"), "other points")
    check(first.wait(120) == 0 and [runs(folder, n) for n in range(1, 9)] == [1] * 8, "runs")


def edited(folder):
    """Files of the folder edited into nonsense: told, or read anew; points that are done stay done."""
    write(folder)
    succeeds(sweep(folder))
    good = table(folder)
    cases = [("points/0003/output.txt", "nonsense\n", "does not hold 1 number"), ("points/0003/exit_code", "77777 x\n", "exit_code holds 77777, which is none"),
             ("points/0003/starts", "\0\1 nonsense\n", None), ("results.csv", "nonsense", None), ("results.h5", "nonsense", None)]
    for name, text, reason in cases:
        path = os.path.join(out_of(folder), name)
        kept = open(path, "rb").read()
        with open(path, "w") as f:
            f.write(text)
        succeeds(sweep(folder, "status"))
        row = table(folder)[2]
        check(row["status"] == ("failed" if reason else "done") and (not reason or reason in row["reason"]), row)
        if name.startswith("points/"):
            with open(path, "wb") as f:
                f.write(kept)
    succeeds(sweep(folder, "status"))
    check(table(folder) == good and [runs(folder, n) for n in range(1, 9)] == [1] * 8, "not as before")
    with open(os.path.join(out_of(folder), "points.csv"), "a") as f:
        f.write("9,1,a,\n")
    refused(sweep(folder), "other points")


def full_disk(folder):
    """A disk that fills: a plain message, exit code 1, no endless loop; with room again only what is missing runs."""
    disk = out_of(folder)
    os.mkdir(disk)
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("cannot mount a small disk here")
    try:
        count = os.path.join(folder, "runs")
        write(folder, "echo {x} {c} >> %s; [ {x} != 1 ] || head -c 500000 /dev/zero > %s/filler || true; %s" % (count, disk, VALUE.split("; ", 1)[1]))
        done = sweep(folder, "sweep.parallel=1")
        check(done.code == 1 and ("No space left" in done.err or "is the disk full?" in done.err), done)
        before = sorted(open(count).read().splitlines())
        os.unlink(os.path.join(disk, "filler"))
        done = sweep(folder, "sweep.parallel=1")  # the seventh point fills it again, and is the first without a record
        check(done.code == 1, done)
        subprocess.run(["mount", "-o", "remount,size=2m", disk], check=True)
        succeeds(sweep(folder, "sweep.parallel=1"))
        check([r["status"] for r in table(folder)] == ["done"] * 8, table(folder))
        lines = open(count).read().splitlines()
        check(all(lines.count(line) == 1 for line in before if not line.startswith("1 ")), lines)
    finally:
        subprocess.run(["umount", disk])


def results_of_others(folder):
    """A folder with a campaign, or with a run: what to do is told, and no option that there is not."""
    write(folder)
    os.mkdir(out_of(folder))
    for name, more in (("database.jsonl", False), ("curve.csv", True)):
        path = os.path.join(out_of(folder), name)
        open(path, "w").close()
        done = sweep(folder)
        refused(done, "already holds a result (%s): choose another folder" % name)
        check("--force" not in done.err and ("--resume" in done.err) == more, done)
        os.unlink(path)


def nobody_reads(folder):
    """magtwin plot FOLDER | head: all figures, and no word of a broken pipe."""
    write(folder)
    succeeds(sweep(folder))
    program = os.path.join(os.path.abspath(BUILD), "magtwin")
    done = subprocess.run(["bash", "-c", "set -o pipefail; %s plot %s 2>%s/errors | true" % (program, out_of(folder), folder)], env=support.environment())
    errors = open(os.path.join(folder, "errors")).read()
    check(done.returncode == 0 and not errors, "exit code %d: %s" % (done.returncode, errors))
    check(len([n for n in os.listdir(os.path.join(out_of(folder), "figures")) if n.endswith(".png")]) == 3, "not all figures")


def bad_input(folder):
    for old, new, word in (("max: 1,", "max: -1,", "empty or reversed"), ("{x}", "{z}", "{z} is no axis"), ("name: c", "name: x", "two axes"),
                           ("count: 4", "count: 90000", "count: must be"), ("numbers: [f]", "numbers: [f]\n  constraints: [\"x >= 2\"]", "no point")):
        write(folder, change=lambda text: text.replace(old, new, 1))
        refused(sweep(folder), word)
        check(not os.path.exists(out_of(folder)), "the folder was made")


if __name__ == "__main__":
    sys.exit(support.run_tests([("a grid", grid), ("changes along an axis", compared), ("failures in the table", failures), ("no program to start", no_program), ("three kills", kills), ("designs", designs),
                                ("single points and the job array", single_points), ("provenance of every row", provenance), ("more points than tasks", long_arrays),
                                ("one point", one_point), ("other runs", other_runs), ("another input", other_input), ("two sweeps in one folder", two_sweeps), ("figures", figures),
                                ("files edited into nonsense", edited), ("a full disk", full_disk), ("results of others", results_of_others), ("a plot that nobody reads", nobody_reads), ("bad input", bad_input)]))
