#!/usr/bin/env python3
"""report.py FOLDER [--script FILE] [--figures FOLDER] [--output FILE]: one HTML page of a run or a campaign, with everything inside it: FOLDER/report.html.

--script: what draws the figures of this folder (as magtwin plot would); --figures: where it draws (default: figures in the folder).
Needs numpy, h5py and matplotlib.  Exit code 2 when nothing can be told of the folder, or the page cannot be written.
"""
import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "plot")]
import analysis_parts
import campaign_parts
import run_parts
import sweep_parts
from page import Page
from results import Unusable, say


def read_summary(folder, trouble):
    """summary.json, {} while there is none."""
    path = os.path.join(folder, "summary.json")
    try:
        with open(path) as f:
            return json.load(f)
    except FileNotFoundError:
        return {}
    except (OSError, json.JSONDecodeError) as reason:
        trouble.append("%s: %s" % (path, reason))
        return {}


def draw(folder, script, figures, trouble):
    """Runs the figure script: {name: file} of what it drew."""
    if not script:
        return {}
    done = subprocess.run([sys.executable, script, folder, "--figures", figures], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    trouble += [line.split("magtwin plot: ", 1)[-1] for line in done.stderr.splitlines() if line.startswith("magtwin plot: ")]
    if done.returncode not in (0, 2):
        trouble.append("the figures ended with: %s" % (done.stderr.strip().splitlines() or ["exit code %d" % done.returncode])[-1])
    paths = [line[len("wrote "):] for line in done.stdout.splitlines() if line.startswith("wrote ") and line.endswith(".png")]
    return {os.path.splitext(os.path.basename(p))[0]: p for p in paths}


def draw_quality(summary, figures, drawn, trouble):
    """Of a run that made its mesh itself: the figure of the elements."""
    kinds = (summary.get("mesh") or {}).get("kinds")
    if "quality" in drawn or not kinds:
        return
    import mesh
    try:
        drawn["quality"] = mesh.quality_figure(figures, {
            "thickness": summary["mesh"].get("gb_mean_thickness"),
            "histograms": {k: {"gamma": v["gamma_histogram"], "dihedral_10deg": v["dihedral_histogram"]} for k, v in kinds.items()}})
    except (KeyError, OSError) as reason:
        trouble.append("no figure of the elements: %s" % reason)


def title_of(summary, folder):
    """The title of the input, else the folder's name."""
    for line in (summary.get("input") or "").splitlines():
        if line.startswith("title:"):
            return line[len("title:"):].strip().strip("\"'") or os.path.basename(os.path.abspath(folder))
    return os.path.basename(os.path.abspath(folder))


def when(folder):
    times = [os.path.getmtime(os.path.join(folder, n)) for n in os.listdir(folder)
             if n in ("summary.json", "curve.csv", "dynamics.csv", "database.jsonl", "results.csv", "analysis.json")]
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(max(times))) if times else "no date"


def make(args):
    trouble = []
    if not os.path.isdir(args.folder):
        raise Unusable("there is no folder %s" % args.folder)
    summary = read_summary(args.folder, trouble)
    campaign = campaign_parts.read(args.folder)
    sweep = None if campaign else sweep_parts.read(args.folder)
    analysis = [] if summary or campaign or sweep or args.script else analysis_parts.read(args.folder)
    if not summary and not campaign and not sweep and not args.script and not analysis:
        raise Unusable("%s holds no summary.json, no campaign and nothing that can be drawn: is it the output folder of a run?" % args.folder)
    figures = args.figures or os.path.join(args.folder, "figures")
    drawn = draw(args.folder, args.script, figures, trouble)
    what = "magtwin " + summary["subcommand"] if "subcommand" in summary else "campaign" if campaign else "sweep" if sweep else "analysis" if analysis else "a run"
    unfinished = " \u2013 stopped by a signal: --resume continues" if summary.get("stopped") else "" if summary or analysis else " \u2013 not finished: there is no summary.json yet"
    page = Page(title_of(summary or (analysis[0][2] if analysis else {}), args.folder), "%s, folder %s, %s%s" % (what, args.folder, when(args.folder), unfinished))
    if campaign:
        campaign_parts.fill(page, args.folder, summary, campaign, drawn, trouble)
    elif sweep:
        sweep_parts.fill(page, args.folder, summary, sweep, drawn, trouble)
    elif analysis:
        analysis_parts.fill(page, args.folder, analysis, trouble)
    else:
        draw_quality(summary, figures, drawn, trouble)
        run_parts.fill(page, args.folder, summary, drawn, trouble)
    path = args.output or os.path.join(args.folder, "report.html")
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.write(page.whole())
    os.replace(path + ".tmp", path)
    say("wrote %s (%.1f MB)" % (path, os.path.getsize(path) / 1e6))


def main():
    parser = argparse.ArgumentParser(prog="magtwin report", description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="output folder of a run or a campaign")
    parser.add_argument("--script", help=argparse.SUPPRESS)
    parser.add_argument("--figures", metavar="FOLDER", help="where to draw (default: figures in the folder)")
    parser.add_argument("--output", metavar="FILE", help="the page (default: report.html in the folder)")
    args = parser.parse_args()
    try:
        make(args)
    except (Unusable, OSError) as reason:
        say("magtwin report: %s" % reason, sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
