"""The whole line under the sanitizers: a few grains with a GB phase, meshed and run through three fields, on one and two ranks."""
import os
import sys

import support
from support import check

INPUT = os.path.join(support.ROOT, "tests", "physics", "inputs", "ranks.yaml")
FEW_STEPS = ["field.start=1 T", "field.segments=[{to: 0 T, step: 0.5 T, mode: fixed}]"]


def run_on(ranks):
    def test(folder):
        out = os.path.join(folder, "run")
        done = support.magtwin(sys.argv[1], "demag", INPUT, "output.folder=" + out, *FEW_STEPS, ranks=ranks, timeout=280)
        check(done.code == 0, done)
        check(os.path.exists(os.path.join(out, "curve.csv")), done)
    return test


if __name__ == "__main__":
    sys.exit(support.run_tests([("a short run on %d ranks" % n, run_on(n)) for n in (1, 2)]))
