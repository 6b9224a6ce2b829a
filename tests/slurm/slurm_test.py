#!/usr/bin/env python3
"""slurm_test.py BUILD: jobscripts/ in a real SLURM on this machine: killed ranks, daemons and nodes, wall times, requeues, dependencies."""
# timeout: 1500
import csv
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time

import support
from _campaign import on_slurm
from _cluster import Cluster, missing
from support import Skip, check

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
MAGTWIN = os.path.join(BUILD, "magtwin")
SCRIPTS = os.path.join(support.ROOT, "jobscripts")
SRUN, MPIRUN = "srun --mpi=pmix", "mpirun"
LATER = 5  # lines of curve.csv after which something happens to a run

RUN = support.two_grains(0.05)
CLUSTER = None  # of all tests; None where there is no SLURM


def running():
    if CLUSTER is None:
        raise Skip(missing() or "SLURM did not start here")
    return CLUSTER


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def submit(script, folder, *words, launch=SRUN, ranks=2, options=(), **env):
    """A job of one of the scripts, its log in the folder."""
    return running().sbatch("--ntasks=%d" % ranks, "--time=10", "--output=" + os.path.join(folder, "%x-%j.log"), *options,
                            os.path.join(SCRIPTS, script), *words, cwd=folder, MAGTWIN=MAGTWIN, MAGTWIN_LAUNCH=launch, **env)


def chain(folder, out, **more):
    return submit("chain.slurm", folder, "demag", write(folder, "run.yaml", RUN), "output.folder=" + out, **more)


def lines(out):
    try:
        with open(os.path.join(out, "curve.csv")) as f:
            return f.read().split("\n")[1:-1]
    except FileNotFoundError:
        return []


def under_way(out, more_than=LATER):
    Cluster.until(lambda: len(lines(out)) > more_than, 120, lambda: "the run in %s does not get on: %s" % (out, running().ask("squeue")))


def programs(out):
    """Process ids of magtwin with this folder on its command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                words = f.read().split(b"\0")
            if os.readlink("/proc/%s/exe" % pid) == os.path.realpath(MAGTWIN) and any(out.encode() in w for w in words):
                found.append(int(pid))
        except OSError:
            pass
    return found


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


KEPT = {}


def undisturbed(ranks=2):
    """The lines of the same run in one go."""
    if ranks not in KEPT:
        folder = tempfile.mkdtemp(prefix="magtwin-slurm-run-")
        done = support.magtwin(BUILD, "demag", write(folder, "run.yaml", RUN), "output.folder=" + os.path.join(folder, "out"), ranks=ranks)
        check(done.code == 0, done)
        KEPT[ranks] = lines(os.path.join(folder, "out"))
        shutil.rmtree(folder)
    return KEPT[ranks]


def logs(folder):
    return "".join(open(os.path.join(folder, n)).read() for n in sorted(os.listdir(folder)) if n.endswith(".log"))


def complete(folder, out, jobs):
    check(jobs == {None: ("COMPLETED", 0)}, "%s\n%s" % (jobs, logs(folder)))
    check(lines(out) == undisturbed(), "%d lines, %d in one go\n%s" % (len(lines(out)), len(undisturbed()), logs(folder)))


def single(folder):
    """One run a job, by srun and by mpirun; each job ends as its run does."""
    source, small = write(folder, "run.yaml", RUN), "field.segments=[{to: 0 T, step: 1 T, mode: fixed}]"
    jobs = [(0, submit("single.slurm", folder, "demag", source, small, "output.folder=" + os.path.join(folder, name), launch=launch))
            for name, launch in (("srun", SRUN), ("mpirun", MPIRUN))]
    jobs += [(2, submit("single.slurm", folder, "demag", source, "mesh.siize=3", launch=launch)) for launch in (SRUN, MPIRUN)]
    for code, job in jobs:
        check(running().wait(job) == {None: ("FAILED" if code else "COMPLETED", code)}, "%s\n%s" % (running().job(job), logs(folder)))
    check(all(len(lines(os.path.join(folder, name))) == 2 for name in ("srun", "mpirun")), logs(folder))


def chained(folder):
    """USR1 before the end: a checkpoint, the job again (requeued, or a new one), and in the end the curve of a run in one go."""
    ways = [("srun", dict(launch=SRUN)), ("mpirun", dict(launch=MPIRUN)), ("submit", dict(launch=SRUN, MAGTWIN_CHAIN="submit", MAGTWIN_SBATCH="--time=10"))]
    jobs = {}
    for name, how in ways:
        here = os.path.join(folder, name)
        os.mkdir(here)
        jobs[name] = chain(here, os.path.join(here, "out"), options=["--job-name=" + name], **how)
        under_way(os.path.join(here, "out"))
        running().ask("scancel", "--batch", "--signal=USR1", str(jobs[name]))
    for name, job in jobs.items():
        here = os.path.join(folder, name)
        ended = running().wait(job, 180)
        check("start 1" in logs(here) and "not finished: back into the queue" in logs(here), logs(here))
        if name == "submit":
            check(ended == {None: ("FAILED", 75)}, ended)
            ended = running().wait(int(logs(here).split("Submitted batch job ")[1].split()[0]), 180)
        complete(here, os.path.join(here, "out"), ended)
        check("start 2" in logs(here), logs(here))


def last_start(folder):
    """The job that is not finished after as many as allowed ends with 75."""
    out = os.path.join(folder, "out")
    job = chain(folder, out, MAGTWIN_RESTARTS="1")
    under_way(out)
    running().ask("scancel", "--batch", "--signal=USR1", str(job))
    check(running().wait(job) == {None: ("FAILED", 75)} and "not finished after 1 jobs" in logs(folder), logs(folder))


def nothing_started(folder):
    """A launcher that ends with 0 and starts nothing, as srun does when a step cannot be launched: the job fails."""
    for script in ("single.slurm", "chain.slurm"):
        job = submit(script, folder, "demag", write(folder, "run.yaml", RUN), launch="true")
        check(running().wait(job) == {None: ("FAILED", 1)} and "no rank was started" in logs(folder), logs(folder))


def killed_rank(folder):
    """The job of a killed rank fails, soon, with its code; submitted again it goes on from the checkpoint."""
    for name, launch in (("srun", SRUN), ("mpirun", MPIRUN)):
        here, out = os.path.join(folder, name), os.path.join(folder, name, "out")
        os.mkdir(here)
        job = chain(here, out, launch=launch)
        under_way(out)
        os.kill(max(programs(out)), signal.SIGKILL)
        (state, code), = running().wait(job, 90).values()
        check(state == "FAILED" and code not in (0, 75), "%s %d\n%s" % (state, code, logs(here)))
        check(not programs(out), "ranks are left")
        before = lines(out)
        complete(here, out, running().wait(chain(here, out, launch=launch)))
        check(lines(out)[:len(before) - 1] == before[:-1], "steps were lost")


SAVED = 12  # s: a slurmctld that is killed forgets jobs and steps it has not saved yet, which it does every few seconds


def killed_daemons(folder):
    """slurmd and slurmctld die and come back: the job does not notice."""
    out = os.path.join(folder, "out")
    job = chain(folder, out)
    under_way(out)
    signal_all(programs(out), signal.SIGSTOP)
    time.sleep(SAVED)
    for name in ("slurmd", "slurmctld"):
        running().kill(name)
    running().daemon("slurmctld")
    running().daemon("slurmd")
    running().until_ready()
    signal_all(programs(out), signal.SIGCONT)
    complete(folder, out, running().wait(job))
    check("start 2" not in logs(folder), logs(folder))


def lost_node(folder):
    """slurmd and all that it started die, as of a power cut: SLURM puts the job back by itself and the run goes on."""
    out = os.path.join(folder, "out")
    job = chain(folder, out)
    under_way(out)
    signal_all(programs(out), signal.SIGKILL)
    running().lose_node(job)
    complete(folder, out, running().wait(job, 180))
    check("start 2" in logs(folder), logs(folder))


LIMITED = {}


def start_limited(folder):
    """Two jobs that come to their wall time of a minute, frozen, while other tests run: one is told before the end."""
    for name, warning in (("warned", "B:USR1@40"), ("unwarned", "B:CONT@1")):
        here = os.path.join(folder, name)
        os.mkdir(here)
        job = chain(here, os.path.join(here, "out"), options=["--time=1", "--signal=" + warning])
        under_way(os.path.join(here, "out"))
        signal_all(programs(os.path.join(here, "out")), signal.SIGSTOP)
        LIMITED[name] = (here, os.path.join(here, "out"), job)


def told_of_the_end(folder):
    """USR1 before the wall time: a checkpoint and the same job again."""
    here, out, job = LIMITED["warned"]
    Cluster.until(lambda: any(usr1_waits(pid) for pid in programs(out)), 90, "SLURM sent no USR1")
    running().ask("scontrol", "update", "job=%d" % job, "TimeLimit=10")  # the next start is not limited so
    signal_all(programs(out), signal.SIGCONT)
    complete(here, out, running().wait(job, 180))
    check("start 2" in logs(here), logs(here))


def usr1_waits(pid):
    with open("/proc/%d/status" % pid) as f:
        pending = int(next(line for line in f if line.startswith("ShdPnd")).split()[1], 16)
    return pending & 1 << (signal.SIGUSR1 - 1)


def end_of_time(folder):
    """The wall time without a word before: the job ends as TIMEOUT with no rank left, and the next one goes on from the last checkpoint."""
    here, out, job = LIMITED["unwarned"]
    (state, _), = running().wait(job, 180).values()
    check(state == "TIMEOUT" and not programs(out), "%s %s" % (state, programs(out)))
    complete(here, out, running().wait(chain(here, out)))


SWEEP = """\
sweep:
  axes: [{name: x, min: 1, max: %d, count: %d, whole: true}]
  evaluate: command
  command: >-
    %s
  numbers: [f]
  parallel: 8
output: {folder: %s}
"""


def failing_task(folder):
    """A task that fails: its code, its reason in the table; afterok never runs, afterany does."""
    source = write(folder, "sweep.yaml", SWEEP % (4, 4, "test {x} != 3 || { echo broken >&2; exit 4; }; echo {x}", os.path.join(folder, "out")))
    job = submit("sweep.slurm", folder, source, ranks=1, options=["--array=1-4"], launch="")
    after = {kind: submit("post.slurm", folder, os.path.join(folder, "out"), "sweep", source, ranks=1,
                          options=["--dependency=%s:%d" % (kind, job), "--kill-on-invalid-dep=yes", "--job-name=" + kind])
             for kind in ("afterok", "afterany")}
    check(running().wait(job) == {1: ("COMPLETED", 0), 2: ("COMPLETED", 0), 3: ("FAILED", 1), 4: ("COMPLETED", 0)}, running().job(job))
    check(running().wait(after["afterok"])[None][0] == "CANCELLED", running().job(after["afterok"]))
    check(running().wait(after["afterany"]) == {None: ("COMPLETED", 0)}, logs(folder))
    with open(os.path.join(folder, "out", "results.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    check([(r["status"], r["f"], r["reason"]) for r in rows] == [("done", "1", ""), ("done", "2", ""), ("failed", "", "exit code 4: broken"), ("done", "4", "")], rows)


RUNS = """\
sweep:
  axes: [{name: spread, key: grains.texture_spread, unit: deg, min: 4, max: 6, count: 2}]
  repeats: 2
  input: run.yaml
  numbers: [results.Hc]
  parallel: 4
output: {folder: local}
"""


def results(folder):
    with open(os.path.join(folder, "results.csv"), newline="") as f:
        return list(csv.DictReader(f))


def sweep_of_runs(folder):
    """Curves on two ranks each as an array with its figures behind it, by submit.sh; one task is stopped and goes on.  The table is that of
    a sweep without SLURM."""
    write(folder, "run.yaml", RUN)
    source, out = write(folder, "sweep.yaml", RUNS), os.path.join(folder, "out")
    done = support.magtwin(BUILD, "sweep", source, "sweep.launcher=mpirun -n 2", "sweep.parallel=1", cwd=folder, timeout=300)
    check(done.code == 0, done)
    done = running().call(os.path.join(SCRIPTS, "submit.sh"), "sweep", "out", "sweep.yaml", cwd=folder, MAGTWIN=MAGTWIN, MAGTWIN_LAUNCH=SRUN + " -n 2",
                          MAGTWIN_SBATCH="--ntasks=2 --time=10", MAGTWIN_SBATCH_POST="--output=post.log")
    job, post = (int(n) for n in re.search(r"job (\d+), figures (\d+)", done).groups())
    under_way(os.path.join(out, "points", "0001"))
    running().ask("scancel", "--batch", "--signal=USR1", "%d_1" % job)
    check(set(running().wait(job, 300).values()) == {("COMPLETED", 0)}, running().job(job))
    check(running().wait(post) == {None: ("COMPLETED", 0)}, open(os.path.join(folder, "post.log")).read())
    rows, alone = results(out), results(os.path.join(folder, "local"))
    check([r["results.Hc"] for r in rows] == [r["results.Hc"] for r in alone] and all(float(r["results.Hc"]) > 1 for r in rows), rows)
    check([r["starts"] for r in rows] == ["2", "1", "1", "1"] and [r["job"] for r in rows] == ["%d_%d" % (job, n) for n in range(1, 5)], rows)
    check([r["ranks"] for r in rows] == ["2"] * 4, rows)
    check(os.path.exists(os.path.join(out, "figures", "curves_Hc.png")), "no figures")


OPTIMIZE = """\
optimize:
  variables: [{name: x, min: 0, max: 1}]
  goals: [{name: loss, want: minimize}]
  evaluate: command
  command: "sleep 1; awk -v x={x} 'BEGIN { print (x-0.3)^2 }'"
  initial: 3
  evaluations: 6
  parallel: 2
output: {folder: %s}
"""


def optimization(folder):
    """A campaign in an allocation: stopped before the end, requeued, and finished with as many evaluations as asked."""
    out = os.path.join(folder, "out")
    job = submit("optimize.slurm", folder, write(folder, "campaign.yaml", OPTIMIZE % out), ranks=2)
    database = os.path.join(out, "database.jsonl")
    Cluster.until(lambda: os.path.exists(database) and "told" in open(database).read(), 120, "nothing is told")
    running().ask("scancel", "--batch", "--signal=USR1", str(job))
    check(running().wait(job, 180) == {None: ("COMPLETED", 0)} and "start 2" in logs(folder), logs(folder))
    with open(database) as f:
        events = [json.loads(line) for line in f]
    told = [e["id"] for e in events if e["event"] == "told"]
    check(sorted(told) == list(range(1, 7)), told)


def campaign(folder):
    """Forty points, two of which fail, through three kills of all of them and one of each daemon."""
    found = on_slurm(BUILD, running(), folder, 40, 0.5)
    check(found["points"] == 40 and found["failed"] == 2, found)


def with_cluster(tests):
    """The tests between start and end of a SLURM of their own."""
    global CLUSTER
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # out of time: SLURM is ended all the same
    folder = tempfile.mkdtemp(prefix="magtwin-slurm-")
    if not missing():
        CLUSTER = Cluster(folder)
    try:
        if CLUSTER:
            try:
                CLUSTER.start()
                if any(test in (told_of_the_end, end_of_time) for _, test in tests):
                    start_limited(folder)
            except Exception as why:  # a machine on which its daemons do not run
                print("# SLURM: %s" % why)
                CLUSTER.stop()
                CLUSTER = None
        return support.run_tests(tests)
    finally:
        if CLUSTER:
            CLUSTER.stop()
        shutil.rmtree(folder, ignore_errors=True)


TESTS = [("single runs", single), ("chained runs", chained), ("USR1 before the wall time", told_of_the_end), ("the wall time", end_of_time),
         ("the last start", last_start), ("nothing started", nothing_started), ("a killed rank", killed_rank), ("killed daemons", killed_daemons), ("a lost node", lost_node),
         ("a failing task of an array", failing_task),
         ("a sweep of runs", sweep_of_runs), ("an optimization", optimization), ("a campaign through kills", campaign)]

if __name__ == "__main__":
    names = sys.argv[2:]
    sys.exit(with_cluster([t for t in TESTS if not names or any(n in t[0] for n in names)]))
