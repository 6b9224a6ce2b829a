#!/usr/bin/env python3
"""bench.py BUILD [quick|full] [part ...]: what a demagnetization run costs, beside the machine's memory bandwidth and published numbers.

Parts: loop (counts and speed on 1 and 2 ranks), growth (loop against the number of grains, and 1 against 2 ranks), refined (the same
magnet in ever smaller elements), steps (smooth field steps), suggest (next point of an optimization), ranks (messages, bytes and memory on
1 to 32 ranks, more than there are cores), grains8 (a loop of 800 steps; not with `quick`), million (a loop of 259 grains in 1e6 nodes;
only by name or with `full`, which also takes growth to 3e5 nodes and refined to 1e6), topology (persistent homology of volumes, pictures
and a series of them), pca (components of 800 samples of 16384
variables), campaigns (two groups of a sweep beside one, 200 points through kills), grains (convex fit of 1000 grains on 200^3 voxels),
evolve (models of the phase field: speed, shares, 1 and 2 ranks, iterations with h and h/4, cost beside grains and boundaries), events (the numbers of the last `make bench-events`).

Writes out/bench/summary.json, a list of {name, value, unit, reference, source, error, pass} as validate.py does, with the part, when it was
measured and at which commit (+: with other sources): parts named alone replace their own lines only, and what is kept of the others is listed
at the end, as are sizes that were left out.  Also out/bench/figures, and prints all.  Counts come from the summary.json of the runs.  Times
are those of the field path alone (mesh and set-up are listed apart): wall times, and processor times where a busy machine would spoil them.
pass: no worse than the reference, whatever the machine (null where there is none); error: value/reference - 1.  A number that is worse is one
to look into, not an error: the exit code is 0.
"""
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import campaigns
import figures
import grains
import growth
import measure
import pca
import phase_field
import support
import topology
from measure import OUT

PEER = "MaMMoS 2026, 1.35 M nodes, 16-core Xeon or A100"
ASKED = "asked of this program"
RANKS = [1, 2, 4, 8, 16, 32]
EVENTS = os.path.join(OUT, "events", "summary.json")  # of `make bench-events`


def line(name, value, unit="", reference=None, source="", smaller_is_better=False):
    error = None if reference is None or value is None else value / reference - 1
    good = None if error is None else bool(error <= 0 if smaller_is_better else error >= 0)
    return {"name": name, "value": value, "unit": unit, "reference": reference, "source": source, "error": error, "pass": good}


class Bench:
    def __init__(self, build, size):
        self.build, self.size, self.lines = build, size, []
        self.state = support.state()  # now: the program has just been made, and sources may go on while it runs
        self.bandwidth, self.base = {}, {}

    def machine(self):
        for n in (1, 2):
            self.bandwidth[n] = measure.stream(self.build, n)
            self.note("STREAM triad, %d rank%s" % (n, "s"[:n - 1]), self.bandwidth[n], "GB/s")
        self.note("load of the machine when the bench began", os.getloadavg()[0])

    def add(self, item):
        self.lines.append(item)
        verdict = "" if item["pass"] is None else "reached" if item["pass"] else "not reached"
        reference = "" if item["reference"] is None else "  (%.3g, %s: %s)" % (item["reference"], verdict, item["source"])
        print("%-84s %12s %-6s%s" % (item["name"], "-" if item["value"] is None else "%.5g" % item["value"], item["unit"], reference),
              flush=True)

    def note(self, name, value, unit=""):
        self.add(line(name, value, unit))

    def at_most(self, *args):
        self.add(line(*args, smaller_is_better=True))

    def at_least(self, *args):
        self.add(line(*args))

    def base_memory(self, ranks):
        """MiB of a rank before any mesh to speak of, by a run on 424 nodes: libraries, MPI.  Lines that take it off say so."""
        if ranks not in self.base:
            self.base[ranks] = self.tiny(ranks)
        return self.base[ranks]

    def tiny(self, ranks):
        mesh = measure.mesh(self.build, "tiny", "grains.box=[16 nm, 16 nm, 16 nm]", "grains.count=1", "mesh.size=4 nm", "mesh.gb.thickness=0")
        return measure.memory(measure.demag(self.build, "tiny", mesh, "field.segments=[{to: 0.5 T, step: 0.5 T}]", ranks=ranks))

    # what a loop costs

    def method(self, summary, at):
        c = summary["counts"]
        self.note("minimizer iterations" + at, c["iterations"])
        self.note("iterations per field step" + at, c["iterations"] / c["steps"])
        self.at_most("energy evaluations per iteration" + at, (c["evaluations"] - c["hessian_products"]) / c["iterations"], "", 1.2,
                     ASKED + "; 1.21: " + PEER)
        self.note("products of the Hessian, for stability, per iteration" + at, c["hessian_products"] / c["iterations"])
        self.at_most("both together" + at, c["evaluations"] / c["iterations"], "", 1.2, ASKED)
        self.at_most("demagnetizing CG iterations per evaluation or product" + at, c["demag_iterations"] / c["evaluations"], "", 4,
                     ASKED + "; 11.7: " + PEER)
        self.at_most("matrix products (equivalents) per demagnetizing solve" + at, c["demag_spmv"] / c["evaluations"], "", 35,
                     "textbook multigrid: 30-40 for one solve")
        self.note("inner CG iterations of the preconditioner per iteration" + at, c["inner_iterations"] / c["iterations"])

    def speed(self, summary, ranks, at):
        c, seconds = summary["counts"], measure.path_seconds(summary)
        work = c["magnetic_nodes"] * c["iterations"]
        self.note("field path" + at, seconds, "s")
        self.note("processor time of the whole run" + at, summary["measured"]["processor"], "s")
        self.note("time per energy evaluation" + at, seconds / c["evaluations"], "s")
        self.at_least("node-iterations per core-second" + at, work / (seconds * ranks), "1/s", 7.0e4, PEER)
        self.at_least("node-iterations per GB of STREAM traffic" + at, work / (seconds * self.bandwidth[ranks]), "1/GB", 3.0e4,
                      ASKED + "; 1.5e4: " + PEER)

    def loop(self):
        mesh = measure.mesh(self.build, "loop")
        seconds = {}
        for ranks in (1, 2):
            summary = measure.demag(self.build, "loop_%d" % ranks, mesh, ranks=ranks)
            at = ", %d nodes, %d rank%s" % (summary["counts"]["nodes"], ranks, "s"[:ranks - 1])
            if ranks == 1:
                self.note("magnetic nodes", summary["counts"]["magnetic_nodes"])
                self.method(summary, at)
            self.speed(summary, ranks, at)
            seconds[ranks] = measure.path_seconds(summary)
        self.at_least("speed-up of 2 ranks", seconds[1] / seconds[2], "", 1.7, ASKED)
        with ThreadPoolExecutor(2) as pool:  # what the machine itself allows: cores may share more than memory
            both = list(pool.map(lambda name: measure.path_seconds(measure.demag(self.build, name, mesh, ranks=1)), ("loop_a", "loop_b")))
        self.note("two independent runs on 1 rank each at a time, over one after the other", 2 * seconds[1] / max(both))
        self.note("speed-up of 2 ranks, over that", max(both) / (2 * seconds[2]))

    # growth with the number of nodes

    def growth(self):
        growth.grains(self, self.size)

    def refined(self):
        growth.refined(self, self.size)

    def million(self):
        growth.million(self)

    # where to go next

    def suggest(self):
        """Wall time of a suggestion from 500 points in 10 dimensions, on 2 ranks."""
        program = os.path.join(os.path.abspath(self.build), "optimizer")
        for ranks in (1, 2):
            done = subprocess.run(support.launcher(ranks) + [program, "suggest", "500"], capture_output=True, text=True, check=True,
                                  env=support.environment())
            self.at_most("suggestion from 500 points in 10 dimensions, %d rank%s" % (ranks, "s"[:ranks - 1]),
                             float(done.stdout.split()[1]), "s", 5, ASKED)

    # smooth steps

    def steps(self):
        mesh = measure.mesh(self.build, "steps", "grains.count=8", "grains.box=[40 nm, 40 nm, 40 nm]", "grains.texture_spread=15 deg",
                            "mesh.size=3 nm", "mesh.gb.thickness=0")
        measure.demag(self.build, "steps", mesh, "field.segments=[{to: -4 T, step: 0.1 T, mode: fixed}]", "minimizer.torque=1e-4 T")
        c = measure.curve("steps")
        event = next((i for i, e in enumerate(c["event"]) if e), len(c["event"]))
        smooth = slice(1, event)
        n = len(c["event"][smooth])
        self.note("smooth steps of 0.1 T, 40 nm cube, h = 3 nm", n)
        self.at_most("energy evaluations a smooth step", sum(c["evaluations"][smooth]) / n, "", 3, ASKED)
        self.note("demagnetizing CG iterations a smooth step", sum(c["demag_iterations"][smooth]) / n)
        figures.steps(c, event, os.path.join(OUT, "figures"))

    # messages and memory

    def ranks(self):
        mesh = measure.mesh(self.build, "ranks", *measure.polycrystal(min(growth.GRAINS[self.size])))
        points, path = [], "field.segments=[{to: 0.5 T, step: 0.25 T}]"
        for n in RANKS:
            first = measure.demag(self.build, "ranks_%d" % n, mesh, path, ranks=n)  # its rank 0 makes the partition and keeps it
            summary = measure.demag(self.build, "ranks_%d" % n, mesh, path, ranks=n, count_messages=True)
            c, sent = summary["counts"], summary["measured"]["messages"]
            base, full = self.base_memory(n), measure.memory(summary)
            point = {"ranks": n, "memory": full, "own": full - base, "messages": None, "bytes": None}
            at = ", %d nodes, %d rank%s" % (c["nodes"], n, "s" if n > 1 else "")
            self.note("largest memory of a rank" + at, full, "MiB")
            if sent:
                point["messages"] = max(v[0] for v in sent.values()) / c["evaluations"]
                point["bytes"] = max(v[1] for v in sent.values()) / c["evaluations"]
                self.note("messages of the busiest rank per evaluation" + at, point["messages"])
                self.note("bytes they carry" + at, point["bytes"], "B")
            if n > 1:
                self.note("largest memory of a rank in the run that makes the partition" + at, measure.memory(first), "MiB")
                self.at_most("largest memory of a rank, less a run's on 424 nodes, over that on 1 rank" + at, point["own"] / points[0]["own"], "",
                                 0.2 if n == 8 else 1.6 / n, ASKED if n == 8 else "as for 8 ranks, 1.6/ranks")
                self.note("largest memory of a rank, nothing taken off, over that on 1 rank" + at, full / points[0]["memory"])
            points.append(point)
        figures.ranks(points, os.path.join(OUT, "figures"))

    # the loop of 800 steps

    def grains8(self):
        source = os.path.join(measure.support.ROOT, "inputs", "eight_grains.yaml")
        mesh = measure.mesh(self.build, "grains8", input_file=source)
        fixed = measure.demag(self.build, "grains8", mesh, ranks=2, input_file=source)
        segments = "field.segments=[%s]" % ", ".join("{to: %d T, step: 0.4 T, dm_max: 0.2, resolution: 0.01 T}" % to for to in (-2, 2))
        adaptive = measure.demag(self.build, "grains8_adaptive", mesh, segments, ranks=2, input_file=source)
        at = ", 8 grains, 80 nm, both branches, 2 ranks"
        self.method(fixed, at)
        self.speed(fixed, 2, at)
        t = [measure.path_seconds(s) for s in (fixed, adaptive)]
        Hc = [s["results"]["Hc"]["value"] for s in (fixed, adaptive)]
        self.at_most("wall time of 800 steps of 0.01 T" + at, t[0], "s", 600, ASKED + "; 2940 s on a GPU: mammos, published")
        self.at_most("wall time of the adaptive path" + at, t[1], "s", 200, ASKED + ": a third of 10 minutes")
        self.at_most("wall time of the adaptive path over that of the fixed steps", t[1] / t[0], "", 1 / 3, ASKED)
        self.note("evaluations of the adaptive path over those of the fixed steps",
                      adaptive["counts"]["evaluations"] / fixed["counts"]["evaluations"])
        self.note("Hc, fixed steps", Hc[0], "T")
        self.at_most("difference of Hc, adaptive", abs(Hc[1] - Hc[0]), "T", 0.01, "the resolution")


    # persistent homology of volumes and pictures

    def topology(self):
        topology.bench(self, OUT, line, lambda *args: line(*args, smaller_is_better=True))

    # principal components

    def pca(self):
        pca.bench(self, OUT)

    # cells of labelled voxels

    def grains(self):
        grains.bench(self, OUT)

    # phase field

    def evolve(self):
        phase_field.bench(self, self.size)

    # sweeps

    def campaigns(self):
        self.at_least("two groups of a sweep beside one: points of 1 s that need no processor", campaigns.gain(self.build, campaigns.SLEEP, 40), "", 1.8, ASKED)
        self.at_least("two groups of a sweep beside one: runs of magtwin demag (two free cores)", campaigns.gain(self.build, campaigns.RUNS, 16), "", 1.8, ASKED)
        for where, found in zip(("on a workstation", "as an array of SLURM"), campaigns.through_kills(self.build, 200, 0.5)):
            if not found:
                self.note("campaign of 200 points %s: there is no SLURM" % where, None)
                continue
            # its judge ends the part where a point is lost, or one that was done is begun again
            self.at_least("campaign of 200 points %s, killed three times: points that end" % where, found["points"], "", 200, ASKED)
            self.note("campaign of 200 points %s: done when killed and begun again" % where, found["twice"])
            self.note("campaign of 200 points %s: failed with the reason put into them" % where, found["failed"])
            self.note("campaign of 200 points %s: starts" % where, found["begun"])

    # where events end: what `make bench-events` found last

    def events(self):
        if not os.path.exists(EVENTS):
            return print("no events: make bench-events")
        made = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(os.path.getmtime(EVENTS)))
        with open(EVENTS) as f:
            lines = [{"when": made, "state": NO_STATE, **item} for item in json.load(f)]
        print("events, kept from " + origin(lines))
        for item in lines:
            self.add(item)


PARTS = ["machine", "loop", "growth", "refined", "steps", "suggest", "ranks", "grains8", "million", "topology", "pca", "campaigns", "grains", "evolve", "events"]
LONG = {"quick": ["grains8", "million"], "normal": ["million"], "full": []}
PART_TEXTS = {"grains8": "grains8 (a loop of 800 steps)", "million": "million (a loop of 259 grains in a million nodes)"}
NO_STATE = "no commit noted"  # by a bench that did not yet


def origin(lines):
    """When and at which commit the lines of a part were measured, as a text."""
    return "%s, %s" % (lines[0].get("when", "an unknown time"), lines[0].get("state", NO_STATE))


def parts_file(part):
    return os.path.join(OUT, "parts", part + ".json")


def known_parts():
    """{part: its lines} of all that were ever measured here."""
    found = {}
    for part in PARTS:
        if os.path.exists(parts_file(part)):
            with open(parts_file(part)) as f:
                found[part] = json.load(f)
    return found


def keep(part, lines, state):
    """The lines of a part, and summary.json anew: each part as it was measured last, with when and at which commit that was."""
    os.makedirs(os.path.dirname(parts_file(part)), exist_ok=True)
    now = {"when": time.strftime("%Y-%m-%dT%H:%M:%S"), "state": state}
    with open(parts_file(part), "w") as f:
        json.dump([{**now, **item, "part": part} for item in lines], f, indent=1)  # lines of bench-events have their own
    with open(os.path.join(OUT, "summary.json"), "w") as f:
        json.dump(sum(known_parts().values(), []), f, indent=1)
        f.write("\n")


def measure_part(bench, part):
    bench.lines, began = [], time.time()
    try:
        getattr(bench, part)()
        bench.note("%s: wall time of this part of the bench" % part, time.time() - began, "s")
    except measure.Failed as failed:
        print("bench.py: %s: %s" % (part, failed), file=sys.stderr)
        bench.note("%s: failed" % part, None)
    keep(part, bench.lines, bench.state)


def say_kept(parts):
    """What summary.json has besides the parts of this run."""
    for part, lines in known_parts().items():
        if part not in parts and lines:
            print("kept: %s, measured %s" % (part, origin(lines)))


def left_out(size):
    """What a full bench measures and one of this size does not."""
    missing = [PART_TEXTS[part] for part in LONG[size]]
    largest, full = max(growth.GRAINS[size]), max(growth.GRAINS["full"])
    if largest < full:
        missing.append("growth beyond %s nodes (to %s)" % (format(largest, ","), format(full, ",")))
    finest, full = min(growth.REFINED[size]), min(growth.REFINED["full"])
    if finest > full:
        missing.append("refined beyond h = %g nm (to %g nm, a million nodes, on 1 and 2 ranks)" % (finest, full))
    if phase_field.EDGE[size] < phase_field.EDGE["full"]:
        missing.append("evolve at its full size")
    if not os.path.exists(EVENTS):
        missing.append("events (make bench-events)")
    return missing


def main():
    words = sys.argv[2:]
    size = words.pop(0) if words and words[0] in LONG else "normal"
    bench = Bench(sys.argv[1] if len(sys.argv) > 1 else "build", size)
    parts = ["machine"] + (words or [p for p in PARTS[1:] if p not in LONG[size]])
    for part in parts:
        measure_part(bench, part)
    say_kept(parts)
    missing = [] if words else left_out(size)
    if missing:
        print("not measured here: %s; make bench BENCH=full" % ", ".join(missing))
    print("out/bench/summary.json, measured at %s" % bench.state)


if __name__ == "__main__":
    main()
