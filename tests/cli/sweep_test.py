"""magtwin sweep as users call it: every point once, whatever is killed; failures in the table; bad input.
# timeout: 900
"""
import csv
import json
import os
import signal
import subprocess
import sys
import time

import h5py

import support
from support import check

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
    check("--array=1-8%2" in script and "point \"$SLURM_ARRAY_TASK_ID\"" in script, script)
    check(subprocess.run(["bash", "-n", os.path.join(out_of(folder), "sweep.slurm")]).returncode == 0, "syntax of sweep.slurm")
    succeeds(sweep(folder, "point", "3"))
    succeeds(sweep(folder, "point", "3"))
    check(runs(folder, 3) == 1, "run twice")
    check("points 1-2,4-8" in succeeds(sweep(folder, "slurm")).out, "missing points")
    refused(sweep(folder, "point", "9"), "no point 9")


def bad_input(folder):
    for old, new, word in (("max: 1,", "max: -1,", "empty or reversed"), ("{x}", "{z}", "{z} is no axis"), ("name: c", "name: x", "two axes"),
                           ("count: 4", "count: 90000", "count: must be"), ("numbers: [f]", "numbers: [f]\n  constraints: [\"x >= 2\"]", "no point")):
        write(folder, change=lambda text: text.replace(old, new, 1))
        refused(sweep(folder), word)
        check(not os.path.exists(out_of(folder)), "the folder was made")


if __name__ == "__main__":
    sys.exit(support.run_tests([("a grid", grid), ("failures in the table", failures), ("three kills", kills), ("designs", designs),
                                ("single points and the job array", single_points), ("bad input", bad_input)]))
