"""The page of an analysis: what lies in the folders below one, step by step from the run or the pictures to the landscape."""
import json
import os
import subprocess
import sys

import page
import run_parts

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = {"demag": "The run", "dynamics": "The run", "topology": "What is on the pictures", "texture": "Their texture", "pca": "What varies", "landscape": "What it costs, and where"}


def read(folder):
    """[(subcommand, folder, summary)] of the steps below a folder, in their order; [] where it is no analysis."""
    found = []
    for name in sorted(os.listdir(folder)):
        try:
            with open(os.path.join(folder, name, "summary.json"), encoding="utf-8") as f:
                summary = json.load(f)
        except (OSError, ValueError):
            continue
        if summary.get("subcommand") in STEPS:
            found.append((summary["subcommand"], os.path.join(folder, name), summary))
    return sorted(found, key=lambda step: (list(STEPS).index(step[0]), step[1]))


def draw(name, folder, trouble):
    """Figures of a step: {name: file}."""
    script = os.path.join(HERE, "..", "plot", name + ".py")
    done = subprocess.run([sys.executable, script, folder, "--figures", os.path.join(folder, "figures")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    trouble += [line.split("magtwin plot: ", 1)[-1] for line in done.stderr.splitlines() if line.startswith("magtwin plot: ")]
    if done.returncode not in (0, 2):
        trouble.append("the figures of %s ended with: %s" % (folder, (done.stderr.strip().splitlines() or ["exit code %d" % done.returncode])[-1]))
    paths = [line[len("wrote "):] for line in done.stdout.splitlines() if line.startswith("wrote ") and line.endswith(".png")]
    return {os.path.splitext(os.path.basename(p))[0]: p for p in paths}


def tiles(steps):
    pairs = []
    for name, _, s in steps:
        group = s.get(name) or {}
        if name == "topology":
            pairs.append(("images", page.number(group.get("images", 0))))
        if name == "pca" and group.get("total_variance"):
            pairs.append(("share of PC1", "%.1f %%" % (100 * group["variance"][0] / group["total_variance"])))
        if name == "landscape":
            pairs.append(("passes", page.number(group.get("passes", 0))))
            for key, label in (("roc_area_path", "ROC area of the map"), ("roc_area_places_path", "ROC area of the places")):
                if isinstance(group.get(key), float):
                    pairs.append((label, "%.3f" % group[key]))
    return page.tiles(pairs)


def fill(whole, folder, steps, trouble):
    warnings = ["%s: %s" % (name, text) for name, _, s in steps for text in s.get("warnings") or []]
    parts = []
    for name, where, summary in steps:
        drawn = draw(name, where, trouble)
        inside = "<p class=soft>magtwin %s, folder %s</p>" % (page.text(name), page.text(where))
        if name in ("demag", "dynamics"):
            inside += run_parts.results(summary)
        inside += run_parts.figures(drawn, lambda n: n not in run_parts.MESH)
        inside += page.details("Numbers and tables", run_parts.other_groups(summary) + run_parts.csv_tables(where))
        parts.append((STEPS[name], inside, summary))
    whole.above(tiles(steps) + page.box("warn", "Warnings", warnings) + page.box("bad", "Not on this page", trouble))
    for title, inside, _ in parts:
        whole.add(title, inside)
    whole.add("Where the time went", "".join("<h3>%s</h3>%s" % (page.text(name), run_parts.timings(s)) for name, _, s in steps))
    whole.add("Input", "".join("<h3>%s</h3>%s" % (page.text(name), run_parts.input_of(s)) for name, _, s in steps))
