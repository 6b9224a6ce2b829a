#!/usr/bin/env python3
"""events.py BUILD: where events end.  Small polycrystals with a GB phase walk their field path; from the state before each of 20
events, in the field of the event, the next equilibrium is found again by the flow, by minimization and by the Landau-Lifshitz-Gilbert
equation with damping 1 (tests/bench/events.c).  Writes out/bench/events: summary.json (a list as bench.py's, with when and at which commit),
events.csv, events.png.

A grain counts as reversed where its mean m along the starting field is negative.  Exit code 1 if a number is worse than asked.
"""
import csv
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support

OUT = os.path.join(support.ROOT, "out", "bench", "events")
EVENTS, SYSTEMS, JOBS = 20, [(gb, seed) for seed in range(1, 7) for gb in ("nonmagnetic", "gb-0.5T")], 2
INPUT = """grains: {source: generated, count: 8, box: [30, 30, 30], texture_axis: [0, 0, 1], texture_spread: 10 deg, seed: %d}
mesh: {size: 1.9 nm, gb: {thickness: 2 nm}}
"""
MATERIALS = "materials: {grain: Nd2Fe14B, gb: %s}\n"
FIELD = """field:
  direction: [0.02, 0.01, 1]
  start: 0 T
  segments: [{to: -7 T, step: 0.25 T, dm_max: 0.05, resolution: 50 mT}]
  stop_below: -0.9
"""
METHODS = ("flow", "minimize", "llg")
COLUMNS = ("gb", "seed", "number", "field_T") + tuple("%s_%s" % (m, what) for m in METHODS for what in ("m", "evaluations", "torque_T",
                                                                                                       "reversed"))


def path_of(build, gb, seed):
    """Runs the field path; the folder, and the run's events."""
    folder = os.path.join(OUT, "%s_%d" % (gb, seed))
    os.makedirs(folder, exist_ok=True)
    source = os.path.join(folder, "run.yaml")
    with open(source, "w") as f:
        f.write(INPUT % seed + MATERIALS % gb + FIELD)
    done = support.magtwin(build, "demag", source, "output.folder=" + folder, "--force", timeout=3600)
    if done.code != 0:
        sys.exit("events.py: %s" % done)
    with open(os.path.join(folder, "summary.json")) as f:
        return folder, json.load(f)["results"]["events"]


def ends_of(build, gb, seed, folder, event):
    """One event by the three methods -> a row of the table."""
    source = os.path.join(folder, "event.yaml")
    with open(source, "w") as f:
        f.write(MATERIALS % gb + FIELD)
    with open(os.path.join(folder, "curve.csv")) as f:
        B = next([r["mu0_Hx_T"], r["mu0_Hy_T"], r["mu0_Hz_T"]] for r in csv.DictReader(f) if int(r["step"]) == event["step"])
    command = [os.path.join(os.path.abspath(build), "events"), source, os.path.join(folder, "mesh.h5"),
               os.path.join(folder, event["state_before"])] + B
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=support.environment(), timeout=7200)
    if done.returncode != 0:
        sys.exit("events.py: %s\n%s" % (" ".join(command), done.stderr))
    row = {"gb": gb, "seed": seed, "number": event["number"], "field_T": event["field_T"]}
    for line in done.stdout.splitlines():
        name, evaluations, m, torque, *grains = line.split()
        row.update({name + "_m": float(m), name + "_evaluations": int(evaluations), name + "_torque_T": float(torque),
                    name + "_reversed": "".join("1" if float(g) < 0 else "0" for g in grains)})
    return row


def one_system(build, gb, seed):
    folder, events = path_of(build, gb, seed)
    kept = [e for e in events if e.get("state_before")]
    return [ends_of(build, gb, seed, folder, e) for e in kept]


def collect(build):
    rows = []
    with ThreadPoolExecutor(JOBS) as pool:
        for first in range(0, len(SYSTEMS), JOBS):
            for result in pool.map(lambda s: one_system(build, *s), SYSTEMS[first:first + JOBS]):
                rows += result
                for r in result:
                    print("  " + text_of(r), flush=True)
            if len(rows) >= EVENTS:
                break
    return rows[:EVENTS]


def text_of(r):
    ends = "  ".join("%s %+.4f %s %6d" % (m, r[m + "_m"], r[m + "_reversed"], r[m + "_evaluations"]) for m in METHODS)
    return "%-11s seed %d event %d %+.3f T  %s" % (r["gb"], r["seed"], r["number"], r["field_T"], ends)


def agrees(r, method):
    return abs(r[method + "_m"] - r["llg_m"]) <= 0.01 and r[method + "_reversed"] == r["llg_reversed"]


def lines_of(rows):
    source = "issue: m within 0.01 of LLG with damping 1, the same grains reversed"
    mean = {m: sum(r[m + "_evaluations"] for r in rows) / len(rows) for m in METHODS}
    wanted = [("events compared", len(rows), EVENTS, "", False),
              ("events that flow ends as LLG does", sum(agrees(r, "flow") for r in rows), 19, source, False),
              ("events that minimization ends as LLG does", sum(agrees(r, "minimize") for r in rows), None, "no demand: a named option", False),
              ("evaluations of an event by flow, mean", mean["flow"], 300, "issue", True),
              ("evaluations of flow over those of LLG", mean["flow"] / mean["llg"], 1 / 20, "issue", True),
              ("evaluations of an event by minimization, mean", mean["minimize"], None, "", True),
              ("evaluations of an event by LLG, explicit, mean", mean["llg"], None, "", True)]
    lines = []
    for name, value, reference, origin, smaller in wanted:
        good = None if reference is None else bool(value <= reference if smaller else value >= reference)
        lines.append({"name": name, "value": value, "unit": "", "reference": reference, "source": origin,
                      "error": None if reference is None else value / reference - 1, "pass": good})
    return lines


def draw(rows):
    sys.path.insert(0, os.path.join(support.ROOT, "postprocess", "plot"))
    from style import LINE, SECOND, GREY, WIDE, plt, save
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDE, 2.6), gridspec_kw=dict(wspace=0.3))
    number = range(1, len(rows) + 1)
    for method, colour, marker in (("flow", LINE, "o"), ("minimize", SECOND, "s"), ("llg", GREY, "^")):
        left.semilogy(number, [r[method + "_evaluations"] for r in rows], marker, color=colour, ms=4, label=method.replace("llg", "LLG"))
        if method != "llg":
            right.semilogy(number, [max(abs(r[method + "_m"] - r["llg_m"]), 1e-8) for r in rows], marker, color=colour, ms=4, label=method)
    right.axhline(0.01, color=GREY, lw=0.8, ls="--")
    left.set_ylabel("energy evaluations")
    right.set_ylabel(r"$|m - m_\mathrm{LLG}|$ after the event")
    for axes in (left, right):
        axes.set_xlabel("event")
        axes.legend(loc="best")
    return save(figure, OUT, "events")


def main():
    os.makedirs(OUT, exist_ok=True)
    state = support.state()  # now: the program has just been made, and sources may go on while it runs
    print("events: %d events of polycrystals with a GB phase, h <= 2 nm; %s" % (EVENTS, state), flush=True)
    rows = collect(sys.argv[1])
    with open(os.path.join(OUT, "events.csv"), "w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    now = {"when": time.strftime("%Y-%m-%dT%H:%M:%S"), "state": state}
    lines = [dict(line, **now) for line in lines_of(rows)]
    with open(os.path.join(OUT, "summary.json"), "w") as f:
        json.dump(lines, f, indent=1)
        f.write("\n")
    for line in lines:
        print("  %-4s %-50s %12.5g  wanted %s" % ({True: "ok", False: "FAIL", None: ""}[line["pass"]], line["name"], line["value"],
                                                "-" if line["reference"] is None else "%.5g" % line["reference"]))
    print("wrote %s" % draw(rows))
    return 0 if all(line["pass"] is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
