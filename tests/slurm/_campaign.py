"""A sweep of many points, one in twenty of which fails, through kills of all that it runs and of SLURM's daemons."""
import csv
import os
import signal
import subprocess
import time

import support
from support import check

# A point: begun, a while, a failure of one of three kinds where x is 7, 27, 47, 67, ..., ended, the number.
POINT = r"""
x=$1 folder=$2
echo . >> $folder/begun
sleep %g
case $((x %% 60)) in
  7) echo broken >&2; exit 4 ;;
  27) kill -9 $$ ;;
  47) echo nonsense; exit 0 ;;
esac
echo . >> $folder/ended
echo $((x * x))
"""
SWEEP = """\
sweep:
  axes: [{name: x, min: 1, max: %d, count: %d, whole: true}]
  evaluate: command
  command: sh %s {x} {folder}
  numbers: [f]
  parallel: 8
output: {folder: %s}
"""


class Campaign:
    def __init__(self, build, folder, points, seconds):
        self.program, self.folder, self.points = os.path.join(os.path.abspath(build), "magtwin"), folder, points
        self.out, self.input = os.path.join(folder, "out"), os.path.join(folder, "sweep.yaml")
        self.done = {}
        self.mark = dict(MAGTWIN_TEST=folder)  # in the environment of everything that belongs to it
        with open(self.input, "w") as f:
            f.write(SWEEP % (points, points, os.path.join(folder, "point.sh"), self.out))
        with open(os.path.join(folder, "point.sh"), "w") as f:
            f.write(POINT % seconds)

    def sweep(self, *words):
        done = subprocess.run([self.program, "sweep", self.input] + list(words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=support.environment(**self.mark), timeout=300)
        return done.returncode, done.stdout

    def ended(self):
        return sum(os.path.exists(os.path.join(self.out, "points", "%04d" % n, "exit_code")) for n in range(1, self.points + 1))

    def times(self, what, number):
        path = os.path.join(self.out, "points", "%04d" % number, what)
        return len(open(path).readlines()) if os.path.exists(path) else 0

    def wait_for(self, share, alive=lambda: True, timeout=300):
        deadline = time.monotonic() + timeout
        while self.ended() < share * self.points:
            check(alive(), "it has ended")
            check(time.monotonic() < deadline, "%d of %d points have ended" % (self.ended(), self.points))
            time.sleep(0.05)

    def note_done(self):
        """The points that are done, and how often each was begun: never again."""
        for n in range(1, self.points + 1):
            try:
                with open(os.path.join(self.out, "points", "%04d" % n, "exit_code")) as f:
                    if f.read().split()[0] == "0":
                        self.done.setdefault(n, self.times("begun", n))
            except FileNotFoundError:
                pass

    def kill(self):
        """All processes of the campaign at once, the points too."""
        mark = ("MAGTWIN_TEST=" + self.folder).encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/environ" % pid, "rb") as f:
                    if mark in f.read().split(b"\0"):
                        os.kill(int(pid), signal.SIGKILL)
            except (OSError, ValueError):
                pass
        self.note_done()

    def table(self):
        with open(os.path.join(self.out, "results.csv"), newline="") as f:
            return list(csv.DictReader(f))

    def judge(self):
        """Every point once and done, or failed with the reason that was put into it; the counts of it."""
        code, text = self.sweep("status")
        rows = self.table()
        check(code == 0 and [r["id"] for r in rows] == [str(n) for n in range(1, self.points + 1)], text)
        reasons = {7: "exit code 4: broken", 27: "ended by signal 9", 47: "does not hold 1 number"}
        for row in rows:
            n = int(row["id"])
            if n % 60 in reasons:
                check(row["status"] == "failed" and reasons[n % 60] in row["reason"] and not row["f"], row)
                continue
            check(row["status"] == "done" and float(row["f"]) == n * n and not row["reason"], row)
            # one that was killed between its last word and the record of it is the only kind that may come to its end again
            check(self.times("ended", n) >= 1 and self.times("begun", n) == self.done.get(n, self.times("begun", n)),
                  "point %d was done and begun again" % n)
            check(int(row["starts"]) >= 1 and row["began"] and row["ended"] and row["version"] and row["host"], row)
        count = lambda what: sum(self.times(what, n) for n in range(1, self.points + 1))
        return dict(points=len(rows), twice=sum(self.times("begun", n) != m for n, m in self.done.items()), failed=sum(r["status"] == "failed" for r in rows), noted=len(self.done), begun=count("begun"), ended=count("ended"))


def on_a_workstation(build, folder, points, seconds):
    """Killed three times, points included, begun again."""
    c = Campaign(build, folder, points, seconds)
    for share in (0.2, 0.4, 0.6):
        proc = subprocess.Popen([c.program, "sweep", c.input], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=support.environment(**c.mark),
                                start_new_session=True)
        c.wait_for(share, lambda: proc.poll() is None)
        c.kill()
        check(proc.wait(60) == -signal.SIGKILL, "it ended before the kill")
    code, text = c.sweep()
    check(code == 0, text)
    return c.judge()


def on_slurm(build, cluster, folder, points, seconds):
    """The array cancelled, its processes killed, its node lost, and both daemons killed under it."""
    c = Campaign(build, folder, points, seconds)

    def submit():
        code, text = c.sweep("slurm")
        check(code == 0, text)
        return cluster.sbatch(os.path.join(c.out, "sweep.slurm"), cwd=folder, **c.mark)

    job = submit()
    c.wait_for(0.2)
    cluster.ask("scancel", str(job))
    cluster.wait(job)
    c.note_done()
    job = submit()
    c.wait_for(0.4)
    c.kill()
    cluster.ask("scancel", str(job))
    cluster.wait(job)
    job = submit()
    c.wait_for(0.6)
    c.kill()
    cluster.lose_node(job)
    c.wait_for(0.75)
    c.note_done()
    for name in ("slurmctld", "slurmd"):
        cluster.kill(name)
        cluster.daemon(name)
    cluster.wait(job, 600, heal=True)
    code, text = c.sweep("status")
    if " 0 running, 0 waiting" not in text:  # tasks whose start was lost with the node
        cluster.wait(submit(), 600)
    return c.judge()
