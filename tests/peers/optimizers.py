#!/usr/bin/env python3
"""optimizers.py BUILD [seeds [first]]: Branin's and Hartmann's function searched by magtwin, Optuna and scikit-optimize with the same numbers of
evaluations, in one run.  Prints what each reaches (median and worst of the seeds; 5 by default, from 1 on), the ratios of the peers to magtwin, and writes
out/peers/optimizers.json.  A search of a peer takes minutes at most; what each found is told on stderr when it ends.

Needs the network once: optuna (its default sampler, TPE) and scikit-optimize (gp_minimize, its default portfolio of acquisitions) are
installed by pip into build/peers-optimize; no other target needs them.
"""
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests")]
import peers
import support

EVALUATIONS = {"branin": 30, "hartmann6": 60}
MINIMUM = {"branin": 0.397887, "hartmann6": -3.32237}


def branin(x):
    a = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10


A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
     [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]]


def hartmann6(x):
    return -sum(c * math.exp(-sum(a * (v - p) ** 2 for a, v, p in zip(A[i], x, P[i]))) for i, c in enumerate((1, 1.2, 3, 3.2)))


FUNCTIONS = {"branin": (branin, [(-5.0, 10.0), (0.0, 15.0)]), "hartmann6": (hartmann6, [(0.0, 1.0)] * 6)}


def by_optuna(problem, seed):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    function, ranges = FUNCTIONS[problem]
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(lambda t: function([t.suggest_float("x%d" % i, *r) for i, r in enumerate(ranges)]), n_trials=EVALUATIONS[problem])
    return study.best_value


def by_skopt(problem, seed):
    import skopt
    function, ranges = FUNCTIONS[problem]
    return float(skopt.gp_minimize(function, ranges, n_calls=EVALUATIONS[problem], random_state=seed).fun)


def search(name, seeds, first):
    """In the folder's own Python: one line of JSON a search."""
    for problem in FUNCTIONS:
        for seed in range(first, first + seeds):
            print(json.dumps({"problem": problem, "value": {"optuna": by_optuna, "skopt": by_skopt}[name](problem, seed)}), flush=True)


def peer(python, name, seeds, first):
    """problem -> values, or the reason why the peer did not run."""
    values = {}
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen([python, os.path.abspath(__file__), "--search", name, str(seeds), str(first)], stdout=subprocess.PIPE, stderr=errors, text=True,
                              env=support.environment()) as process:
            for found in map(json.loads, (line for line in process.stdout if line.startswith("{"))):  # they chat
                values.setdefault(found["problem"], []).append(found["value"])
                print("%s %s: %.6g" % (name, found["problem"], found["value"]), file=sys.stderr, flush=True)
        errors.seek(0)
        return values if process.returncode == 0 else (errors.read().strip().splitlines() or ["failed"])[-1]


def magtwin(build, seeds, first):
    values = {}
    for problem, evaluations in EVALUATIONS.items():
        done = subprocess.run([os.path.join(os.path.abspath(build), "optimizer"), problem, str(evaluations), str(first), str(seeds)],
                              capture_output=True, text=True, check=True, env=support.environment())
        values[problem] = [float(line.split()[1]) for line in done.stdout.splitlines()]
    return values


def print_ratios(name, theirs, ours):
    """Distances from the minimum, median and mean over the seeds: above 1 the peer is further away."""
    for problem, lowest in MINIMUM.items():
        median, mean = (f(v - lowest for v in theirs[problem]) / max(f(v - lowest for v in ours[problem]), 1e-6) for f in (statistics.median, statistics.mean))
        print("%-8s over magtwin, %-10s distance from the minimum: median %.3g times, mean %.3g times" % (name, problem, median, mean))


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    seeds, first = (int(sys.argv[k]) if len(sys.argv) > k else default for k, default in ((2, 5), (3, 1)))
    folder = os.path.join(os.path.abspath(build), "peers-optimize")
    reason = peers.installed(folder, [["install", "-q", "optuna", "scikit-optimize"]])
    python = os.path.join(folder, "bin", "python")
    results = {"magtwin": magtwin(build, seeds, first)}
    for name in ("optuna", "skopt"):
        results[name] = reason or peer(python, name, seeds, first)
    for name, values in results.items():
        if isinstance(values, str):
            print("%-8s did not run: %s" % (name, values))
            continue
        for problem, v in values.items():
            print("%-8s %-10s %d evaluations, %d seeds: median %.3g above the minimum, worst %.3g" %
                  (name, problem, EVALUATIONS[problem], seeds, statistics.median(v) - MINIMUM[problem], max(v) - MINIMUM[problem]))
    for name in ("optuna", "skopt"):
        if not isinstance(results[name], str):
            print_ratios(name, results[name], results["magtwin"])
    os.makedirs(os.path.join(ROOT, "out", "peers"), exist_ok=True)
    with open(os.path.join(ROOT, "out", "peers", "optimizers.json"), "w") as f:
        json.dump(results, f, indent=1)


if __name__ == "__main__":
    if len(sys.argv) > 3 and sys.argv[1] == "--search":
        search(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
