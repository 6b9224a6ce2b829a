#!/usr/bin/env python3
"""dynamics.py BUILD: a dynamics run that is killed or told to stop, and one that fails, go on from their checkpoint to the bit."""
# timeout: 900
import os
import random
import re
import shutil
import signal
import sys

import h5py

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import restart
import support
from support import check

restart.SUBCOMMAND, restart.TABLE = "dynamics", "dynamics.csv"
restart.INPUT = os.path.join(support.ROOT, "tests", "restart", "dynamics.yaml")
TIMES = (0, 0.0005, 0.002, 0.004, 0.005, 0.006, 0.008)  # ns


def states(folder):
    return ["states/" + name for name in sorted(os.listdir(os.path.join(folder, "states")))]


def table(folder, column):
    return [float(row[column]) for row in restart.rows(folder)]


def test_result(folder):
    """A line every .2 ps, a state at each time asked for, counts in the summary; the same bits again."""
    reference = restart.reference(1)
    times = table(reference, "t_ns")
    check(len(times) == 41 and max(abs(t - 2e-4 * i) for i, t in enumerate(times)) < 1e-15, times)
    check(len(states(reference)) == len(TIMES), states(reference))
    with open(os.path.join(reference, "states.xdmf")) as f:
        text = f.read()
    shown = [float(value) for value in re.findall(r'Time Value="([^"]*)"', text)]
    check(len(shown) == len(TIMES) and max(abs(a - b) for a, b in zip(shown, TIMES)) < 1e-15, shown)
    with open(os.path.join(reference, "summary.json")) as f:
        text = f.read()
    check('"demag_solves"' in text and '"end": "time"' in text, text)
    again = os.path.join(folder, "again")
    restart.run(again, 1)
    restart.same_bytes(again, reference, [restart.TABLE] + states(reference))


def test_end_on_the_grid(folder):
    """5 times 0.3 ps is less than 1.5 ps by a rounding error: no line of its own for that."""
    out = os.path.join(folder, "out")
    restart.run(out, 1, "time={end: 1.5 ps, interval: 0.3 ps}")
    check(len(table(out, "t_ns")) == 6, table(out, "t_ns"))


def test_ranks(folder):
    one, two = restart.reference(1), restart.reference(2)
    worst = max(abs(a - b) for name in ("mx", "my", "mz") for a, b in zip(table(one, name), table(two, name)))
    print("# 2 ranks against 1: m differs by %.1e" % worst)
    check(worst < 1e-5, "m differs by %g" % worst)


def test_signals(folder):
    restart.stopped(os.path.join(folder, "usr1_1"), 1, signal.SIGUSR1, False)
    restart.stopped(os.path.join(folder, "term_2"), 2, signal.SIGTERM, False)


def test_killed(folder):
    dice = random.Random(7)
    for i, ranks in enumerate((1, 2, 1)):
        out = os.path.join(folder, "kill_%d" % i)
        restart.kill_somewhere(restart.start(out, ranks), out, ranks, dice, in_checkpoint=i == 2)
        restart.run(out, ranks, "--resume")
        restart.same_bytes(out, restart.reference(ranks), [restart.TABLE] + states(restart.reference(ranks)))


def test_longer(folder):
    """A finished run goes on to a later end; another field is refused."""
    out = os.path.join(folder, "short")
    restart.run(out, 1, "time.end=4 ps")
    restart.run(out, 1, "time.end=4 ps", "dynamics.gamma0=2.2e5", "--resume", expected=2)
    check("another input" in restart.text_of(out + ".log"), restart.text_of(out + ".log"))
    restart.run(out, 1, "--resume")
    restart.same_bytes(out, restart.reference(1), [restart.TABLE])


def test_failed(folder):
    """A step that cannot be made ends the run with time, node, region and field, and with a checkpoint to look at."""
    out = os.path.join(folder, "failed")
    restart.run(out, 1, "integrator.min_step=0.02 ps", "integrator.first_step=0.02 ps", "integrator.tolerance=1e-6", expected=1)
    text = restart.text_of(out + ".log")
    for word in ("no time step can be made", "at t = ", " at node ", 'region "', "in the field", "checkpoint.h5", "to look at in %s/states/state_0" % out):
        check(word in text, "no '%s' in\n%s" % (word, text))
    check(os.path.exists(os.path.join(out, "checkpoint.h5")), "no checkpoint")
    restart.run(out, 1, "--resume", "integrator.tolerance=1e-3", "time.end=0.4 ps")
    check("the integrator has changed" in restart.text_of(out + ".log"), restart.text_of(out + ".log"))


def test_not_started(folder):
    """A start that cannot be evaluated, for an easy axis that is no number: time, node, region, field, and the state to look at."""
    mesh, out = os.path.join(folder, "mesh.h5"), os.path.join(folder, "out")
    shutil.copy(os.path.join(restart.reference(1), "mesh.h5"), mesh)
    with h5py.File(mesh, "r+") as f:
        f["/grains/axis"][1] = float("nan")
    restart.run(out, 1, "mesh.file=" + mesh, expected=1)
    text, state = restart.text_of(out + ".log"), os.path.join(out, "states", "failed.h5")
    check(re.search(r'at t = 0 ns: not a number at node \d+ \(region "[^"]*"\) in the field .*; the state it failed in: ' + state, text), text)
    with h5py.File(state) as failed, h5py.File(os.path.join(restart.reference(1), states(restart.reference(1))[0])) as first:
        check((failed["/m"][:] == first["/m"][:]).all(), "the state is not the one to begin with")


def main():
    tests = [
        ("lines, states and summary as asked for; the same bits twice", test_result),
        ("an end on the grid of lines has one line", test_end_on_the_grid),
        ("1 and 2 ranks: the same trajectory to 1e-5", test_ranks),
        ("USR1 and TERM: exit code 75, continued to the bit", test_signals),
        ("kill -9, continued to the bit", test_killed),
        ("a finished run goes on to a later end; another input is refused", test_longer),
        ("a step that cannot be made: message and checkpoint", test_failed),
        ("a start that cannot be evaluated: message and state", test_not_started),
    ]
    import tempfile
    with tempfile.TemporaryDirectory(prefix="magtwin-dynamics-") as root:
        restart.reference.root = root
        return support.run_tests(tests)


if __name__ == "__main__":
    sys.exit(main())
