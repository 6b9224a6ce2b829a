#!/usr/bin/env python3
"""mesher.py BUILD [--wide] [--jobs N] [NAME...]: meshes of many generated microstructures against what the mesher promises.

Promised of every set of grains: it fills; no tet of radius ratio gamma below 0.05, fewer than 1 in 1000 below 0.15; the GB phase within
2 % of its thickness on average.  --wide: every seed with every size and number of layers.  Names select the cases that contain one of them.
Writes out/bench/mesher.json, a list of objects with the columns of the table that is printed; exit code 1 when a promise is broken.
"""
import argparse
import concurrent.futures
import json
import os
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support

OUT = os.path.join(support.ROOT, "out", "bench")
CPU_LIMIT = 900  # s of one case: far more than any needs
LEAST_GAMMA, FEW, THICKNESS = 0.05, 1e-3, 0.02  # no tet below; tets below 0.15; mean thickness
COLUMNS = ("case", "nodes", "tets", "thickness_mean", "thinned_percent", "rounds", "gamma_min", "below_0.05", "below_0.15", "seconds",
           "mebibytes", "broken")


def case(seed, size=3.0, layers=1, spread=0.3, min_edge=None, thickness=3.0, count=16, edge=76.0):
    """Name and key=value words; lengths in nm; min_edge None: the program's own."""
    name = "n%d_s%d_h%g_t%g_l%d_d%g" % (count, seed, size, thickness, layers, spread)
    words = ["grains.count=%d" % count, "grains.box=[%g nm, %g nm, %g nm]" % (edge, edge, edge), "grains.seed=%d" % seed,
             "grains.size_spread=%g" % spread, "mesh.size=%g nm" % size, "mesh.gb.layers=%d" % layers,
             "mesh.gb.thickness=%g nm" % thickness]
    if min_edge is not None:
        name += "_e%g" % min_edge
        words.append("mesh.min_edge=%g nm" % min_edge)
    return name, words


def usual_cases():
    cases = [case(seed, layers=1 + seed % 2) for seed in range(1, 11)]
    cases += [case(seed, size=2, layers=2 - seed % 2) for seed in (1, 2, 3, 4)]
    cases += [case(seed, spread=spread) for spread in (0.1, 0.2, 0.4) for seed in (4, 5)]
    cases += [case(seed, spread=0.4, min_edge=min_edge) for min_edge in (1, 2) for seed in (4, 8)]
    cases += [case(4, layers=2, min_edge=2), case(7, layers=3)]
    cases += [case(seed, thickness=thickness) for thickness in (2, 4) for seed in (1, 6)]
    cases += [case(seed, size=6, count=64, edge=200) for seed in (1, 2, 3)]
    cases += [case(6, size=6, count=64, edge=200, thickness=4), case(1, size=4, count=64, edge=101, thickness=4)]
    return cases


def wide_cases():
    cases = [case(seed, size, layers) for size in (2, 3) for layers in (1, 2) for seed in range(1, 11)]
    cases += [case(seed, spread=spread) for spread in (0.1, 0.2, 0.4) for seed in range(1, 11)]
    cases += [case(seed, min_edge=min_edge) for min_edge in (1, 2, 3) for seed in range(1, 11)]
    cases += [case(seed, spread=0.4, min_edge=min_edge) for min_edge in (1, 2) for seed in range(1, 11)]
    cases += [case(seed, thickness=thickness) for thickness in (2, 4) for seed in range(1, 11)]
    cases += [case(seed, size=6, count=64, edge=200) for seed in range(1, 11)]
    return cases


def run(build, name, words, folder):
    """Exit code, what was printed, CPU seconds, MiB."""
    command = [os.path.join(os.path.abspath(build), "magtwin"), "mesh", os.path.join(support.ROOT, "inputs", "demo.yaml"), "--force",
               "output.folder=" + os.path.join(folder, name)]
    if not any(w.startswith("mesh.min_edge") for w in words):
        command[2] = without_min_edge(command[2], folder)
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT + 10))
    with tempfile.TemporaryFile("w+") as text:
        child = subprocess.Popen(command + words, stdout=text, stderr=subprocess.STDOUT, env=support.environment(), preexec_fn=limit)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        text.seek(0)
        return child.returncode, text.read(), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def without_min_edge(path, folder):
    """The demonstration's input without its mesh.min_edge: the program's own default then holds."""
    copy = os.path.join(folder, "default_min_edge.yaml")
    with open(path) as f:
        lines = [line for line in f if not line.strip().startswith("min_edge:")]
    with open(copy, "w") as f:
        f.writelines(lines)
    return copy


def of_summary(summary):
    kinds, layer, mean = summary["mesh"]["kinds"].values(), summary["gb_phase"], summary["mesh"]["gb_mean_thickness"]
    tets = sum(k["tets"] for k in kinds)
    return {"nodes": summary["mesh"]["nodes"], "tets": tets,
            "thickness_mean": mean["mean"]["value"] / mean["asked"]["value"],
            "thinned_percent": 100 * layer["thinned_nodes"] / layer["surface_nodes"], "rounds": layer["rounds"],
            "gamma_min": min(k["gamma_min"] for k in kinds), "below_0.05": sum(k["gamma_below_0.05"] for k in kinds),
            "below_0.15": sum(k["gamma_below_0.15"] for k in kinds)}


def broken_promises(row):
    broken = []
    if row["gamma_min"] < LEAST_GAMMA:
        broken.append("gamma")
    if row["below_0.15"] > FEW * row["tets"]:
        broken.append("below 0.15")
    if abs(row["thickness_mean"] - 1) > THICKNESS:
        broken.append("thickness")
    return ", ".join(broken)


def measure(build, name, words, folder):
    code, text, seconds, mebibytes = run(build, name, words, folder)
    row = {"case": name, "seconds": round(seconds, 2), "mebibytes": round(mebibytes)}
    if code != 0:
        last = [line for line in text.replace("\r", "\n").splitlines() if line.strip()][-1:]
        row.update(broken="exit code %d" % code, message=" ".join(last))
        return row
    with open(os.path.join(folder, name, "summary.json")) as f:
        row.update(of_summary(json.load(f)))
    row["broken"] = broken_promises(row)
    return row


def show(row):
    form = "%-26s %7s %8s %9s %8s %6s %9s %6s %6s %8s %6s  %s"
    if row is None:
        return form % ("case", "nodes", "tets", "mean t/t", "thin %", "rounds", "gamma", "<.05", "<.15", "CPU s", "MiB", "")
    if "nodes" not in row:
        return form % ((row["case"],) + 8 * ("",) + ("%.1f" % row["seconds"], row["mebibytes"], row["broken"] + ": " + row["message"]))
    return form % (row["case"], row["nodes"], row["tets"], "%.4f" % row["thickness_mean"], "%.2f" % row["thinned_percent"], row["rounds"],
                   "%.3f" % row["gamma_min"], row["below_0.05"], row["below_0.15"], "%.1f" % row["seconds"], row["mebibytes"], row["broken"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    cases = wide_cases() if args.wide else usual_cases()
    cases = [c for c in cases if not args.names or any(n in c[0] for n in args.names)]
    print(show(None), flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="magtwin-mesher-") as folder, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for row in pool.map(lambda c: measure(args.build, c[0], c[1], folder), cases):
            rows.append({key: row.get(key) for key in COLUMNS + (("message",) if "message" in row else ())})
            print(show(row), flush=True)
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, "mesher.json"), "w") as f:
        json.dump(rows, f, indent=1)
        f.write("\n")
    broken = sum(bool(row["broken"]) for row in rows)
    print("%d cases, %d with a broken promise: out/bench/mesher.json" % (len(rows), broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
