#!/usr/bin/env python3
"""mesh_ranks.py BUILD [--grains N]: one microstructure with a GB phase meshed on 1 and on 2 ranks: time, memory and how the work was shared.

Asked of 1000 grains: meshed and written in less than 15 minutes on 2 ranks, 1.6 times faster than on 1; 5 million tets within 12 GB.
Wall time counts only on a machine with nothing else to do: the processor time of the busiest rank stands beside it.
Writes out/bench/mesh_ranks.json; exit code 1 when a run fails or, with 1000 grains or more, less is reached than asked.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support

OUT = os.path.join(support.ROOT, "out", "bench")
MINUTES, FASTER, GIBIBYTES, ASKED_AT = 15, 1.6, 12 * 1e9 / 2**30, 1000
GRAIN, SIZE, THICKNESS = 40.0, 5.5, 3.0  # nm; 1000 of these grains have 5 million tets


def words(grains, folder):
    edge = GRAIN * grains ** (1 / 3)
    return ["grains.source=generated", "grains.count=%d" % grains, "grains.box=[%.4g nm, %.4g nm, %.4g nm]" % (edge, edge, edge), "grains.seed=2",
            "grains.size_spread=0.3", "mesh.size=%g nm" % SIZE, "mesh.gb.thickness=%g nm" % THICKNESS, "output.folder=" + folder]


def run(build, grains, ranks, folder):
    """summary.json of the run and its wall time, s."""
    launcher = [] if ranks == 1 else [os.environ.get("MPIEXEC", "mpirun"), "-n", str(ranks)]
    with open(os.path.join(folder, "empty.yaml"), "w") as f:
        f.write("title: mesh on %d ranks\n" % ranks)
    out = os.path.join(folder, "ranks%d" % ranks)
    command = launcher + [os.path.join(os.path.abspath(build), "magtwin"), "mesh", f.name, "--force"] + words(grains, out)
    start = time.time()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=support.environment())
    if done.returncode:
        print(done.stdout[-2000:])
        raise SystemExit("mesh of %d grains on %d ranks: exit code %d" % (grains, ranks, done.returncode))
    with open(os.path.join(out, "summary.json")) as f:
        return json.load(f), time.time() - start


def row_of(summary, wall):
    kinds, phases, memory = summary["mesh"]["kinds"], summary["phases"], summary["peak_memory_per_rank"]
    mean = summary["mesh"]["gb_mean_thickness"]
    return {"ranks": summary["ranks"], "tets": summary["mesh"]["tets"], "wall_s": round(wall, 1),
            "processor_busiest_s": phases["mesh"]["processor"]["value"], "processor_all_s": phases["mesh"]["processor_all_ranks"]["value"],
            "phases": {name: [p["processor"]["value"], p["processor_all_ranks"]["value"]] for name, p in phases.items()},
            "fill": summary["fill"], "memory_gib_all_ranks_at_most": round(summary["ranks"] * memory["max"]["value"] / 1024, 2),
            "memory_gib_largest_rank": round(memory["max"]["value"] / 1024, 2),
            "gamma_below_0.1": sum(sum(k["gamma_histogram"][:2]) for k in kinds.values()), "inverted": sum(k["inverted"] for k in kinds.values()),
            "dihedral_min_deg": min(k["dihedral_min"]["value"] for k in kinds.values()),
            "thickness_mean_over_asked": mean["mean"]["value"] / mean["asked"]["value"], "box_defect": summary["mesh"]["box_defect"]}


def show(rows):
    one, two = rows
    print("%-24s %14s %14s" % ("", "1 rank", "2 ranks"))
    for key in ("tets", "wall_s", "processor_busiest_s", "processor_all_s", "memory_gib_all_ranks_at_most", "inverted", "gamma_below_0.1"):
        print("%-24s %14s %14s" % (key[:24], one[key], two[key]))
    print("processor time by phase, s: of the one rank; of the busier of two, of both together")
    for name, (first, _) in one["phases"].items():
        print("  %-22s %14.2f %14.2f %14.2f" % ((name, first) + tuple(two["phases"].get(name, (0, 0)))))
    for row in rows:
        f = row["fill"]
        print("%d rank(s): %.0f tets filled by the rank with most, grains %.0f to %.0f, air %.0f on rank %d" % (
            row["ranks"], f["tets_of_a_rank_most"], f["grain_tets_of_a_rank_least"], f["grain_tets_of_a_rank_most"], f["air_tets"], f["air_rank"]))


def judged(rows, grains):
    """What was reached, beside what is asked of 1000 grains."""
    one, two = rows
    reached = {"faster_wall": one["wall_s"] / two["wall_s"], "faster_processor": one["processor_busiest_s"] / two["processor_busiest_s"],
               "minutes_on_2_ranks": two["wall_s"] / 60, "gigabytes_of_5e6_tets": two["memory_gib_all_ranks_at_most"] * 2**30 / 1e9 * 5e6 / two["tets"]}
    print("2 ranks over 1: %.2f by wall time, %.2f by processor time (asked: %g); %.1f minutes on 2 ranks (asked: %d for 1000 grains); "
          "%.1f GB for 5 million tets (asked: 12)" % (reached["faster_wall"], reached["faster_processor"], FASTER, reached["minutes_on_2_ranks"],
                                                    MINUTES, reached["gigabytes_of_5e6_tets"]))
    good = reached["faster_wall"] >= FASTER and reached["minutes_on_2_ranks"] < MINUTES and two["memory_gib_all_ranks_at_most"] < GIBIBYTES
    return reached, good or grains < ASKED_AT


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("--grains", type=int, default=ASKED_AT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="magtwin-mesh-ranks-") as folder:
        rows = [row_of(*run(args.build, args.grains, ranks, folder)) for ranks in (1, 2)]
    show(rows)
    reached, good = judged(rows, args.grains)
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, "mesh_ranks.json"), "w") as f:
        json.dump({"grains": args.grains, "reached": reached, "runs": rows}, f, indent=1)
        f.write("\n")
    print("%d grains: out/bench/mesh_ranks.json" % args.grains)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
