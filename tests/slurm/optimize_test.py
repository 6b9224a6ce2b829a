#!/usr/bin/env python3
"""optimize_test.py BUILD: the evaluations of magtwin optimize as jobs of a real SLURM on this machine: several at a time, kills of the campaign,
failures, lost jobs, a SLURM that is away or refuses, requeued runs; and what of the sequence is reproducible."""
# timeout: 900
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import support
from _cluster import Cluster, missing
from support import Skip, check

BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
MAGTWIN = os.path.join(BUILD, "magtwin")
CLUSTER = None
# The jobs ask for an hour: scripts have SLURM signal them five minutes before the end, which with five minutes is at once.
STARTED = []  # campaigns, which no failure may leave behind

CAMPAIGN = """\
optimize:
  variables: [{name: x, min: 0, max: 1}, {name: y, min: 0, max: 1}]
  goals: [{name: loss, want: minimize}]
  evaluate: command
  command: sh %s {x} {y} {folder}
  jobs: slurm
  slurm: {options: --time=60, interval: 0.3, patience: 1}
  initial: 4
  evaluations: %d
  parallel: 3
output: {folder: %s}
"""
# Fails where x > 0.7; what is begun and ended is noted; waits for the file `go`.
POINT = """\
echo . >> $3/begun
until [ -e %s/go ]; do sleep 0.1; done
awk -v x=$1 'BEGIN { exit !(x > 0.7) }' && { echo too hot >&2; exit 3; }
sleep 0.3
echo . >> $3/ended
awk -v x=$1 -v y=$2 'BEGIN { printf "%%.15g\\n", (x-0.3)^2 + (y-0.6)^2 }'
"""


def running():
    if CLUSTER is None:
        raise Skip(missing() or "SLURM did not start here")
    return CLUSTER


class Campaign:
    def __init__(self, folder, evaluations, go=True):
        self.folder, self.out, self.input = folder, os.path.join(folder, "out"), os.path.join(folder, "campaign.yaml")
        with open(self.input, "w") as f:
            f.write(CAMPAIGN % (os.path.join(folder, "point.sh"), evaluations, self.out))
        with open(os.path.join(folder, "point.sh"), "w") as f:
            f.write(POINT % folder)
        if go:
            self.go()

    def go(self):
        open(os.path.join(self.folder, "go"), "w").close()

    def start(self, *words, **env):
        log = open(os.path.join(self.folder, "campaign.log"), "a")
        proc = subprocess.Popen([MAGTWIN, "optimize", self.input] + list(words), stdout=log, stderr=log, cwd=self.folder,
                                env=dict(running().env, **env), start_new_session=True)
        STARTED.append(proc)
        return proc

    def finish(self, *words, code=0, **env):
        self.ends(self.start(*words, **env), code)
        return self.log()

    def ends(self, proc, code=0):
        self.until(lambda: proc.poll() is not None, "the campaign does not end")
        check(proc.returncode == code, "exit code %s\n%s" % (proc.returncode, self.log()))

    def log(self):
        with open(os.path.join(self.folder, "campaign.log")) as f:
            return f.read()

    def events(self, kind):
        try:
            with open(os.path.join(self.out, "database.jsonl")) as f:
                return [e for e in map(json.loads, (line for line in f if line.endswith("\n"))) if e["event"] == kind]
        except FileNotFoundError:
            return []

    def times(self, what, number):
        path = os.path.join(self.out, "evaluations", "%04d" % number, what)
        return len(open(path).readlines()) if os.path.exists(path) else 0

    def until(self, condition, complaint):
        Cluster.until(condition, 150, lambda: "%s\n%s\n%s" % (complaint, self.log(), running().ask("squeue")))


def killed(folder):
    """Three jobs at a time; the campaign killed by -9 before, between and after results: it finds its jobs again, each is run once, failures
    are told with their reason, and the cost is the time of the run."""
    c = Campaign(folder, 9, go=False)
    proc = c.start()
    c.until(lambda: sum(c.times("begun", n) for n in (1, 2, 3)) == 3, "three do not run at a time")
    proc.kill()
    proc.wait()
    jobs = {e["id"]: e["job"] for e in c.events("started")}
    check(len(running().ask("squeue", "-h").splitlines()) == 3, running().ask("squeue"))
    proc = c.start()
    c.until(lambda: "evaluation 3 is job %s, submitted by a process before" % jobs.get(3, "") in c.log(), "its jobs are not found again")
    proc.kill()
    proc.wait()
    c.go()
    c.until(lambda: not running().ask("squeue", "-h"), "the jobs do not end by themselves")
    proc = c.start()
    c.until(lambda: len(c.events("told")) >= 4, "nothing is told")
    proc.kill()
    proc.wait()
    c.finish()
    told = c.events("told")
    check(sorted(e["id"] for e in told) == list(range(1, 10)), told)
    check([c.times("begun", n) for n in range(1, 10)] == [1] * 9, [c.times("begun", n) for n in range(1, 10)])
    points = {e["id"]: e["x"] for e in c.events("suggested")}
    for e in told:
        x, y = points[e["id"]]["x"], points[e["id"]]["y"]
        if x > 0.7:
            check(e["status"] == "failed" and e["reason"] == "exit code 3: too hot", e)
        else:
            check(abs(e["y"]["loss"] - (x - 0.3)**2 - (y - 0.6)**2) < 1e-12 and 0.2 < e["cost"] < 60, e)
    check({e["status"] for e in told} == {"done", "failed"}, told)
    replayed(c)


def replayed(c):
    """A suggestion follows from the lines before it: with the results in the same order it is the same, bit by bit."""
    with open(os.path.join(c.out, "database.jsonl")) as f:
        lines = f.readlines()
    kept = c.out + ".kept"
    shutil.copytree(c.out, kept)
    for k, line in enumerate(lines):
        if json.loads(line)["event"] != "suggested":
            continue
        with open(os.path.join(c.out, "database.jsonl"), "w") as f:
            f.write("".join(lines[:k]))
        done = subprocess.run([MAGTWIN, "optimize", c.input, "suggest"], cwd=c.folder, env=running().env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        check(done.returncode == 0, done.stdout)
        check(c.events("suggested")[-1]["x"] == json.loads(line)["x"], "%s\n%s" % (c.events("suggested")[-1], line))
    shutil.rmtree(c.out)
    os.rename(kept, c.out)


def lost(folder):
    """One job cancelled while it runs, one before: the campaign notices, submits them again, and every point is told once."""
    c = Campaign(folder, 3, go=False)
    proc = c.start("optimize.slurm.options=--time=60 --begin=now+1hour")
    c.until(lambda: len(c.events("started")) == 3, "not three jobs")
    proc.send_signal(signal.SIGTERM)
    check(proc.wait(30) == 75 and "stopped by a signal; its jobs stay in SLURM's queue" in c.log(), c.log())
    jobs = {e["id"]: e["job"] for e in c.events("started")}
    running().ask("scancel", jobs[1])
    running().ask("scontrol", "update", "job=" + jobs[2], "StartTime=now")
    running().ask("scontrol", "update", "job=" + jobs[3], "StartTime=now")
    c.until(lambda: c.times("begun", 2) and c.times("begun", 3), "they do not begin")
    proc = c.start()
    c.until(lambda: len(c.events("started")) == 4, "the job cancelled before is not submitted again")
    c.until(lambda: c.times("begun", 1), "it does not begin")
    running().ask("scancel", jobs[2])
    c.until(lambda: "job %s of evaluation 2 has left SLURM's queue without a result" % jobs[2] in c.log(), "the loss is not noticed")
    c.go()
    c.ends(proc)
    check(sorted(e["id"] for e in c.events("told")) == [1, 2, 3], c.events("told"))
    check([c.times("begun", n) for n in (1, 2, 3)] == [1, 2, 1], [c.times("begun", n) for n in (1, 2, 3)])
    status = subprocess.run([MAGTWIN, "optimize", c.input, "evaluate", "2"], cwd=folder, env=running().env, stdout=subprocess.PIPE, text=True)
    check(status.returncode == 0 and "told already" in status.stdout, status.stdout)


def away(folder):
    """slurmctld dies and comes back: the campaign waits, and nothing is done twice."""
    c = Campaign(folder, 5, go=False)
    proc = c.start()
    c.until(lambda: sum(c.times("begun", n) for n in (1, 2, 3)) == 3, "three do not run at a time")
    time.sleep(12)  # slurmctld saves its jobs every few seconds
    running().kill("slurmctld")
    c.until(lambda: "SLURM does not answer" in c.log(), "it is not noticed")
    c.go()
    good = sorted(e["id"] for e in c.events("suggested")[:3] if e["x"]["x"] <= 0.7)  # a failure counts when its job has left the queue
    try:
        c.until(lambda: sorted(e["id"] for e in c.events("told")) == good, "what ended is not told without SLURM")
        check(len(c.events("started")) == 3 and proc.poll() is None, c.log())
    finally:
        running().daemon("slurmctld")
        running().until_ready()
    c.ends(proc)
    check("SLURM answers again" in c.log() and sorted(e["id"] for e in c.events("told")) == [1, 2, 3, 4, 5], c.log())
    check([c.times("begun", n) for n in range(1, 6)] == [1] * 5, "begun twice")


def refused(folder):
    """What SLURM does not take, and jobs that end before they begin, end the campaign with their words; no point is blamed."""
    c = Campaign(folder, 3)
    text = c.finish("optimize.slurm.options=--partition=nowhere", code=1)
    check("no job could be submitted" in text and "invalid partition" in text, text)
    text = c.finish(code=1, MAGTWIN=os.path.join(folder, "no-such-magtwin"))
    check("3 jobs in a row ended before their evaluation began" in text and "no-such-magtwin" in text, text)
    check(not c.events("told"), c.events("told"))
    c.finish()
    check(sorted(e["id"] for e in c.events("told")) == [1, 2, 3], c.events("told"))


RUNS = """\
optimize:
  variables: [{name: spread, key: grains.texture_spread, unit: deg, min: 4, max: 6}]
  goals: [{name: Hc, want: maximize, number: results.Hc}]
  evaluate: run
  run: {input: base.yaml, launcher: srun --mpi=pmix -n 2}
  jobs: slurm
  slurm: {options: --ntasks=2 --time=10, interval: 0.3, patience: 2}
  initial: 2
  evaluations: 2
  parallel: 2
output: {folder: out}
"""


def runs(folder):
    """Runs on two ranks; one is stopped before its wall time, goes back into the queue and on from its checkpoint: the campaign waits."""
    support.write(folder, support.two_grains(0.05), "base.yaml")
    support.write(folder, RUNS, "campaign.yaml")
    c = Campaign.__new__(Campaign)
    c.folder, c.out, c.input = folder, os.path.join(folder, "out"), "campaign.yaml"
    proc = c.start()
    c.until(lambda: c.times("curve.csv", 1) > 5, "the first run does not get on")
    job = next(e["job"] for e in c.events("started") if e["id"] == 1)
    running().ask("scancel", "--batch", "--signal=USR1", job)
    c.ends(proc)
    check([c.times("starts", n) for n in (1, 2)] == [2, 1] and len(c.events("started")) == 2, c.log())
    check(all(e["status"] == "done" and e["y"]["Hc"] > 1 for e in c.events("told")), c.events("told"))
    with open(os.path.join(c.out, "evaluations", "0001", "summary.json")) as f:
        check(json.load(f)["ranks"] == 2, "ranks")


TESTS = [("kills of the campaign", killed), ("lost jobs", lost), ("SLURM is away", away), ("what SLURM refuses", refused), ("runs that go on", runs)]


def main():
    global CLUSTER
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # out of time: SLURM is ended all the same
    names = sys.argv[2:]
    folder = tempfile.mkdtemp(prefix="magtwin-slurm-")
    try:
        if not missing():
            CLUSTER = Cluster(folder)
            try:
                CLUSTER.start()
            except Exception as why:  # a machine on which its daemons do not run
                print("# SLURM: %s" % why)
                CLUSTER.stop()
                CLUSTER = None
        return support.run_tests([t for t in TESTS if not names or any(n in t[0] for n in names)])
    finally:
        for proc in STARTED:
            if proc.poll() is None:
                proc.kill()
        if CLUSTER:
            CLUSTER.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
