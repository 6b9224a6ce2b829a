#!/usr/bin/env python3
"""restart.py BUILD: a run that is killed, told to stop, damaged or moved to another number of ranks must give the same curve."""
# timeout: 900
import csv
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

INPUT = os.path.join(support.ROOT, "tests", "restart", "restart.yaml")
SUBCOMMAND, TABLE = "demag", "curve.csv"  # dynamics.py has others
EXACT = ("step", "segment", "mu0_Hext_T", "mu0_Hx_T", "mu0_Hy_T", "mu0_Hz_T", "event")
CLOSE = ("m", "mx", "my", "mz")
KILLS, SEED = 20, 20261120


def command(folder, ranks, *more):
    program = os.path.join(os.path.abspath(sys.argv[1]), "magtwin")
    return support.launcher(ranks) + [program, SUBCOMMAND, INPUT, "output.folder=" + folder] + list(more)


def start(folder, ranks, *more):
    """A run in a session of its own; what Open MPI leaves behind when killed lies beside the folder, and goes with it."""
    scratch = folder + ".tmp"
    os.makedirs(scratch, exist_ok=True)
    env = support.environment(TMPDIR=scratch, OMPI_MCA_btl_vader_backing_directory=scratch,
                              OMPI_MCA_mpi_yield_when_idle="1")
    with open(folder + ".log", "ab") as log:
        return subprocess.Popen(command(folder, ranks, *more), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env,
                                cwd=support.ROOT, start_new_session=True)


def text_of(path):
    with open(path, errors="replace") as f:
        return f.read()


def finish(process, folder, expected=0, timeout=120):
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        kill(process)
        code = "none after %d s" % timeout
    check(code == expected, "exit code %s, not %s\n%s" % (code, expected, text_of(folder + ".log")[-3000:]))


def run(folder, ranks, *more, expected=0):
    finish(start(folder, ranks, *more), folder, expected)


def session_of(process):
    """The processes of a run: mpirun puts its children into groups of their own, but they stay in its session."""
    members = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            after_name = text_of(stat).rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(after_name[3]) == process.pid and after_name[0] != "Z":
            members.append(int(stat.split("/")[2]))
    return members


def send(pid, what):
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass


def kill(process):
    """kill -9 of every process of the run, until none is left."""
    while True:
        members = session_of(process)
        for pid in members:
            send(pid, signal.SIGKILL)
        process.poll()
        if not members:
            break
        time.sleep(0.01)
    process.wait()


def rows(folder):
    with open(os.path.join(folder, TABLE), newline="") as f:
        return list(csv.DictReader(f))


def same_curve(folder, reference):
    a, b = rows(folder), rows(reference)
    check([r["step"] for r in a] == [str(i) for i in range(len(a))], "steps missing or doubled in %s" % folder)
    check(len(a) == len(b), "%d steps, not %d" % (len(a), len(b)))
    worst = 0.0
    for x, y in zip(a, b):
        for name in EXACT:
            check(x[name] == y[name], "step %s: %s is %s, not %s" % (x["step"], name, x[name], y[name]))
        worst = max([worst] + [abs(float(x[name]) - float(y[name])) for name in CLOSE])
    check(worst < 1e-6, "m differs by %g" % worst)
    return worst


def same_bytes(folder, reference, names):
    for name in names:
        with open(os.path.join(folder, name), "rb") as a, open(os.path.join(reference, name), "rb") as b:
            check(a.read() == b.read(), "%s of two equal runs differs" % name)


def data_files(folder):
    inside = glob.glob(os.path.join(folder, "states", "*.h5")) + [os.path.join(folder, n) for n in ("switching.h5", "mesh.h5")]
    return sorted(os.path.relpath(p, folder) for p in inside)


class Reference:
    """The uninterrupted runs, made once: folder and seconds by rank count."""

    def __init__(self):
        self.folder, self.seconds = {}, {}
        self.root = None

    def __call__(self, ranks):
        if ranks not in self.folder:
            folder = os.path.join(self.root, "reference_%d" % ranks)
            begin = time.monotonic()
            run(folder, ranks)
            self.seconds[ranks] = time.monotonic() - begin
            self.folder[ranks] = folder
        return self.folder[ranks]


reference = Reference()


def test_same_ranks_same_bits(folder):
    for ranks in (1, 2):
        again = os.path.join(folder, "again_%d" % ranks)
        run(again, ranks)
        check(data_files(again) == data_files(reference(ranks)), "two equal runs kept different files")
        check(len(data_files(again)) > 4, "no states were kept: %s" % data_files(again))
        same_bytes(again, reference(ranks), ["curve.csv"] + data_files(again))


def test_other_ranks_same_curve(folder):
    for ranks in (2, 4):
        print("# %d ranks against 1: m differs by %.1e" % (ranks, same_curve(reference(ranks), reference(1))))


def wait_for(process, condition, seconds=60):
    """Until condition() or the end of the run; whether the run still goes."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.0005)
    return process.poll() is None


def kill_somewhere(process, folder, ranks, dice, in_checkpoint):
    """At a random moment of the run, or in the middle of a random one of its checkpoints."""
    if not in_checkpoint:
        time.sleep(dice.uniform(0.1, 1.0) * reference.seconds[ranks])
    else:
        line_count = dice.randrange(1, len(rows(reference(ranks))))
        curve, half_made = os.path.join(folder, TABLE), os.path.join(folder, "checkpoint.h5.tmp")
        wait_for(process, lambda: os.path.exists(curve) and text_of(curve).count("\n") > line_count)
        wait_for(process, lambda: os.path.exists(half_made), 5)
        time.sleep(dice.uniform(0, 0.004))
    before = process.poll() is None
    kill(process)
    return before


def test_killed(folder):
    dice = random.Random(SEED)
    killed, unfinished, half_written, worst = 0, 0, 0, 0.0
    for i in range(KILLS):
        ranks, then = dice.choice([(1, 2), (2, 1), (1, 1), (2, 2), (2, 4), (4, 1)])
        out = os.path.join(folder, "kill_%d" % i)
        reference(ranks)
        killed += kill_somewhere(start(out, ranks), out, ranks, dice, in_checkpoint=i % 3 == 0)
        half_written += os.path.exists(os.path.join(out, "checkpoint.h5.tmp"))
        unfinished += not os.path.exists(os.path.join(out, "summary.json"))
        run(out, then, "--resume")
        worst = max(worst, same_curve(out, reference(then)))
        if ranks == then:
            same_bytes(out, reference(then), ["curve.csv"] + [n for n in data_files(reference(then)) if n != "mesh.h5"])
        shutil.rmtree(out)
        shutil.rmtree(out + ".tmp", ignore_errors=True)
    print("# %d of %d killed before their end, %d with a half-written checkpoint; m differs by %.1e"
          % (killed, KILLS, half_written, worst))
    check(unfinished >= KILLS // 2 and half_written >= 1, "too few kills hit: %d in the run, %d in a checkpoint"
          % (unfinished, half_written))


def stopped(folder, ranks, what, to_launcher):
    """Sends a signal in the middle of the run: exit code 75 and a checkpoint; the continued run has the same curve."""
    process = start(folder, ranks)
    curve = os.path.join(folder, TABLE)
    check(wait_for(process, lambda: os.path.exists(curve) and text_of(curve).count("\n") > 8), "the run ended before the signal")
    # SLURM sends to every process; one rank that heard it is enough
    others = [pid for pid in session_of(process) if pid != process.pid]
    send(process.pid if to_launcher or ranks == 1 else max(others), what)
    finish(process, folder, expected=75)
    done = len(rows(folder))
    check(8 <= done < len(rows(reference(ranks))), "%d steps when stopped" % done)
    check(os.path.exists(os.path.join(folder, "checkpoint.h5")), "no checkpoint")
    run(folder, ranks, "--resume")
    same_bytes(folder, reference(ranks), [TABLE])


def test_signals(folder):
    stopped(os.path.join(folder, "usr1_1"), 1, signal.SIGUSR1, False)
    stopped(os.path.join(folder, "term_1"), 1, signal.SIGTERM, False)
    stopped(os.path.join(folder, "usr1_2"), 2, signal.SIGUSR1, True)
    stopped(os.path.join(folder, "term_2"), 2, signal.SIGTERM, False)


def test_launcher_told_to_end(folder):
    """TERM to mpirun, which kills its ranks: the last words say how to go on, and that gives the same curve."""
    out = os.path.join(folder, "out")
    process = start(out, 2)
    curve = os.path.join(out, TABLE)
    check(wait_for(process, lambda: os.path.exists(curve) and text_of(curve).count("\n") > 8), "the run ended before the signal")
    send(process.pid, signal.SIGTERM)
    check(process.wait(60) != 0, "exit code 0")
    said = text_of(out + ".log")
    check("%s %s --resume" % (SUBCOMMAND, INPUT) in said, said[-2000:])
    run(out, 2, "--resume")
    same_curve(out, reference(2))


def test_stopped_early(folder):
    """A signal before the first field step: exit code 75 without a checkpoint, and --resume begins."""
    out = os.path.join(folder, "early")
    process = start(out, 1)
    check(wait_for(process, lambda: "short edges removed" in text_of(out + ".log")), "the run ended before the signal")
    send(process.pid, signal.SIGUSR1)
    finish(process, out, expected=75)
    check(rows(out) == [] and not os.path.exists(os.path.join(out, "checkpoint.h5")), "the signal came too late for this test")
    run(out, 1, "--resume")
    same_bytes(out, reference(1), ["curve.csv"])


def damage(path, how):
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        if how == "cut":
            f.truncate(size // 2)
        else:
            f.seek(size // 3)
            f.write(b"\x5a" * 512)


def test_damaged(folder):
    for how in ("cut", "overwritten"):
        out = os.path.join(folder, how)
        shutil.copytree(reference(1), out)
        damage(os.path.join(out, "checkpoint.h5"), how)
        run(out, 1, "--resume")
        check("checkpoint.h5.prev" in text_of(out + ".log"), "it is not said that .prev was taken:\n" + text_of(out + ".log"))
        same_bytes(out, reference(1), ["curve.csv"])
        for name in ("checkpoint.h5", "checkpoint.h5.prev"):
            damage(os.path.join(out, name), how)
        run(out, 1, "--resume", expected=2)
        same_bytes(out, reference(1), ["curve.csv"])


def test_foreign(folder):
    """Another field path or material is refused with the lines that differ, and nothing is touched."""
    out = os.path.join(folder, "run")
    shutil.copytree(reference(1), out)
    for change, word in (("field.start=1.5 T", "start"), ("demagnetizing.modes=2", "modes"), ("materials.quadrature=exact", "quadrature")):
        run(out, 1, "--resume", change, expected=2)
        check("another input" in text_of(out + ".log") and word in text_of(out + ".log"), text_of(out + ".log"))
        same_bytes(out, reference(1), ["curve.csv", "checkpoint.h5", "summary.json"])


def test_longer(folder):
    """A finished run goes on: further segments, another stop_below, further angles; the same bytes as in one go.  What was done stays as it was
    asked for: an earlier segment that changed, or is gone, is refused."""
    mesh, to = "mesh.file=" + os.path.join(reference(1), "mesh.h5"), "{to: %g T, step: 0.5 T, dm_max: 0.05, resolution: 20 mT}"
    segments = lambda *fields: "field.segments=[%s]" % ", ".join(to % field for field in fields)
    whole, out = os.path.join(folder, "whole"), os.path.join(folder, "out")
    run(whole, 1, mesh, segments(-3, -6, 0.5))
    run(out, 1, mesh, segments(-3), "field.stop_below=0.9")
    for more in ((segments(-3, -6), "field.stop_below=-0.5"), (segments(-3, -6),), (segments(-3, -6, 0.5),)):
        before = len(rows(out))
        run(out, 1, mesh, *more, "--resume")
        check(len(rows(out)) > before, "%s added nothing" % (more,))
    same_bytes(out, whole, [TABLE])
    for other in (segments(-3, -6, 1), segments(-3, -6), segments(-3.5, -6, 0.5)):
        run(out, 1, mesh, other, "--resume", expected=2)
        check("further entries at the end of field.segments" in text_of(out + ".log"), text_of(out + ".log"))
    whole, out = os.path.join(folder, "angles"), os.path.join(folder, "more_angles")
    run(whole, 1, mesh, segments(-5), "field.angles=[1, 45, 60]")
    run(out, 1, mesh, segments(-5), "field.angles=[1]")
    run(out, 1, mesh, segments(-5), "field.angles=[1, 45, 60]", "--resume")
    same_bytes(out, whole, [TABLE, "branches.csv"])
    for other in ("field.angles=[1, 450]", "field.angles=[1, 45]"):
        run(out, 1, mesh, segments(-5), other, "--resume", expected=2)
    run(out, 1, mesh, segments(-5, 1), "field.angles=[1, 45, 60]", "--resume", expected=2)


def test_method_changed(folder):
    """Another minimizer may go on, but not silently."""
    out = os.path.join(folder, "run")
    shutil.copytree(reference(1), out)
    run(out, 1, "--resume", "minimizer.torque=1e-5 T")
    check("the minimizer has changed" in text_of(out + ".log"), text_of(out + ".log"))
    check("the minimizer has changed" in text_of(os.path.join(out, "summary.json")), "no warning in summary.json")


def test_stale_semaphore(folder):
    """What a run killed inside Open MPI's file opening leaves in /dev/shm, named after the file alone, stops no later run."""
    name = "mesh-%d.h5" % os.getpid()
    mesh, stale = os.path.join(folder, name), "/dev/shm/sem.OMPIO_" + name
    shutil.copy(os.path.join(reference(1), "mesh.h5"), mesh)
    with open(stale, "wb") as f:
        f.write(bytes(32))  # a semaphore of value 0: taken, and never given back
    try:
        env = support.environment()
        env.pop("OMPI_MCA_sharedfp", None)  # the program must see to it, however it is started
        done = subprocess.run(command(os.path.join(folder, "run"), 1, "mesh.file=" + mesh, "field.segments=[{to: 0.9 T, step: 0.1 T}]"),
                              env=env, cwd=support.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    finally:
        os.remove(stale)
    check(done.returncode == 0, done.stdout)


def main():
    tests = [
        ("same ranks twice: the same bits", test_same_ranks_same_bits),
        ("1, 2 and 4 ranks: the same curve to 1e-6", test_other_ranks_same_curve),
        ("%d times kill -9, continued on other ranks: the same curve" % KILLS, test_killed),
        ("USR1 and TERM: exit code 75, continued: the same curve", test_signals),
        ("TERM to the launcher: it is said how to go on", test_launcher_told_to_end),
        ("a signal before the first step: continued from there", test_stopped_early),
        ("damaged checkpoint: the one before is taken", test_damaged),
        ("checkpoint of another input: refused", test_foreign),
        ("a finished run is made longer: the same curve as in one go", test_longer),
        ("checkpoint of another minimizer: continued with a warning", test_method_changed),
        ("a semaphore left by a killed run: not waited for", test_stale_semaphore),
    ]
    import tempfile
    with tempfile.TemporaryDirectory(prefix="magtwin-restart-") as root:
        reference.root = root
        return support.run_tests(tests)


if __name__ == "__main__":
    sys.exit(main())
