#!/usr/bin/env python3
"""bench.py BUILD: speed and memory of a small demagnetization run on 1 and 2 ranks, beside the machine's memory bandwidth.
Writes out/bench/summary.json, a list of {name, value, unit, reference, source, error, pass} as validate.py does, and prints it.

The counts come from the summary.json of the runs; times are those of the field path alone (mesh and set-up are listed apart).
pass: no worse than the published number, whatever the machine (null where there is none to compare with); error: value/reference - 1.
A number that is worse is one to look into, not an error: the exit code is 0.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support

OUT = os.path.join(support.ROOT, "out", "bench")
INPUT = os.path.join(support.ROOT, "tests", "bench", "bench.yaml")
PEER = "MaMMoS 2026, 1.35 M nodes, 16-core Xeon or A100"


def line(name, value, unit, reference=None, source="", smaller_is_better=False):
    error = None if reference is None else value / reference - 1
    good = None if error is None else bool(error <= 0 if smaller_is_better else error >= 0)
    return {"name": name, "value": value, "unit": unit, "reference": reference, "source": source, "error": error, "pass": good}


def stream(build, ranks):
    command = support.launcher(ranks) + [os.path.join(os.path.abspath(build), "stream")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=support.environment(), timeout=300)
    if done.returncode != 0:
        sys.exit("bench.py: stream failed: " + done.stderr)
    return float(done.stdout)


def run(build, ranks):
    folder = os.path.join(OUT, "run_%d" % ranks)
    done = support.magtwin(build, "demag", INPUT, "output.folder=" + folder, "--force", ranks=ranks, timeout=3600)
    if done.code != 0:
        sys.exit("bench.py: %s" % done)
    with open(os.path.join(folder, "summary.json")) as f:
        return json.load(f)


def of_run(summary, ranks, bandwidth):
    c = summary["counts"]
    seconds = summary["phases"]["field path"]["wall"]["value"]
    memory = summary["peak_memory_per_rank"]["max"]["value"]
    nodes, iterations, evaluations = c["magnetic_nodes"], c["iterations"], c["evaluations"]
    speed = nodes * iterations / (seconds * ranks)
    at = " on %d rank%s" % (ranks, "s" if ranks > 1 else "")
    lines = [
        line("field path" + at, seconds, "s"),
        line("time per energy evaluation" + at, seconds / evaluations, "s"),
        line("node-iterations per core-second" + at, speed, "1/s", 7.0e4, PEER),
        line("node-iterations per GB of STREAM traffic" + at, nodes * iterations / (seconds * bandwidth), "1/GB", 1.45e4, PEER),
        line("largest memory of a rank" + at, memory, "MiB"),
        line("memory, all ranks, per node of the mesh" + at, summary["peak_memory_per_rank"]["max"]["value"] * ranks * 2**20 / c["nodes"],
             "B"),
    ]
    return lines, seconds


def of_method(summary):
    c = summary["counts"]
    lines = [
        line("nodes of the mesh", c["nodes"], ""),
        line("magnetic nodes", c["magnetic_nodes"], ""),
        line("minimizer iterations", c["iterations"], ""),
        line("energy evaluations per iteration", c["evaluations"] / c["iterations"], "", 1.21, PEER, True),
        line("demagnetizing CG iterations per evaluation", c["demag_iterations"] / c["evaluations"], "", 11.7, PEER, True),
    ]
    if "demag_spmv" in c:
        lines.append(line("matrix products (equivalents) of the demagnetizing field per evaluation", c["demag_spmv"] / c["evaluations"],
                          "", 35, "textbook multigrid: 30-40 for one solve", True))
    for name, phase in summary["phases"].items():
        lines.append(line("phase: %s (1 rank)" % name, phase["wall"]["value"], "s"))
    return lines


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    os.makedirs(OUT, exist_ok=True)
    bandwidth = {n: stream(build, n) for n in (1, 2)}
    lines = [line("STREAM triad, %d rank%s" % (n, "s" if n > 1 else ""), bandwidth[n], "GB/s") for n in (1, 2)]
    seconds = {}
    for ranks in (1, 2):
        summary = run(build, ranks)
        if ranks == 1:
            lines += of_method(summary)
        more, seconds[ranks] = of_run(summary, ranks, bandwidth[ranks])
        lines += more
    lines.append(line("speed-up of 2 ranks", seconds[1] / seconds[2], "", 2, "as many cores"))
    with open(os.path.join(OUT, "summary.json"), "w") as f:
        json.dump(lines, f, indent=1)
        f.write("\n")
    for item in lines:
        verdict = "" if item["pass"] is None else "reached" if item["pass"] else "not reached"
        reference = "" if item["reference"] is None else "  (%.3g, %s: %s)" % (item["reference"], verdict, item["source"])
        print("%-72s %12.5g %-5s%s" % (item["name"], item["value"], item["unit"], reference))
    print("out/bench/summary.json")


if __name__ == "__main__":
    main()
