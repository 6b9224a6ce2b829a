#!/usr/bin/env python3
"""figures.py DATA FOLDER: draws what validate.py collected: one figure a case, and all errors beside their tolerances."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "postprocess", "plot"))

from style import COLUMN, GREY, KEPT, LINE, REVERSED, SECOND, WIDE, plt, save

COLOURS = [LINE, SECOND, "#3a7d44", "#7b3f8c", "#8a6d1f", "#444444"]
MARKERS = "osD^vP"


def draw_series(axes, series, colour, marker):
    kind, x, y, label = series["kind"], series["x"], series["y"], series["label"]
    if kind == "level":
        axes.axhline(y[0], color=GREY, lw=1, ls="--", label=label, zorder=1)
    elif kind == "reference points" or (kind == "reference" and len(x) == 1):
        axes.plot(x, y, ls="none", marker="x", ms=6, mew=1.4, color="black", label=label, zorder=4)
    elif kind == "reference":
        axes.plot(x, y, "--", color="black", lw=1, label=label, zorder=2)
    elif kind == "curve":
        axes.plot(x, y, "-", color=colour, marker=marker, ms=2.5, label=label, zorder=3)
    else:
        axes.plot(x, y, ls="none", marker=marker, ms=4.5, mfc="white", color=colour, label=label, zorder=5)


def draw_panel(axes, panel):
    own = 0
    for series in panel["series"]:
        computed = series["kind"] in ("points", "curve")
        draw_series(axes, series, COLOURS[own % len(COLOURS)], MARKERS[own % len(MARKERS)])
        own += computed
    axes.set_xlabel(panel["xlabel"])
    axes.set_ylabel(panel["ylabel"])
    axes.set_title(panel.get("title", ""))
    if panel.get("xlog"):
        axes.set_xscale("log")
    if panel.get("ylog"):
        axes.set_yscale("log")
    for limits, apply in ((panel.get("xlim"), axes.set_xlim), (panel.get("ylim"), axes.set_ylim)):
        if limits:
            apply(limits)
    axes.margins(y=0.15)
    axes.legend(loc="best", handlelength=1.6)


def case_figure(name, panels, folder):
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(COLUMN if columns == 1 else WIDE, 2.7 * rows), squeeze=False,
                                layout="constrained")
    for k, axes in enumerate(grid.flat):
        if k < len(panels):
            draw_panel(axes, panels[k])
        else:
            axes.set_axis_off()
    return save(figure, folder, name)


def overview(data, folder):
    """A row for each number that has a tolerance: its error as a share of that."""
    rows = [(case, line) for case, d in data.items() for line in d["results"] if line.get("tolerance") and line["error"] is not None]
    if not rows:
        return None
    figure, axes = plt.subplots(figsize=(WIDE, 0.6 + 0.145 * len(rows)))
    least, height, before, band = 1e-4, len(rows), None, False
    for k, (case, line) in enumerate(rows):
        y, share = height - 1 - k, line["error"] / line["tolerance"]
        band = band != (case != before)
        before = case
        if band:
            axes.axhspan(y - 0.5, y + 0.5, color="#f1f1f1", lw=0, zorder=0)
        axes.plot([least, max(share, least)], [y, y], color=GREY, lw=0.8, zorder=1)
        axes.plot([max(share, least)], [y], marker="<" if share < least else "o", ms=3.5, color=KEPT if line["pass"] else REVERSED, zorder=2)
    axes.axvline(1, color=REVERSED, lw=1)
    axes.set_xscale("log")
    axes.set_xlim(least, max(3, 2 * max(line["error"] / line["tolerance"] for _, line in rows)))
    axes.set_ylim(-0.7, height - 0.3)
    axes.set_yticks(range(height - 1, -1, -1))
    axes.set_yticklabels([line["name"] for _, line in rows], fontsize=6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("error over tolerance (right of 1: fails)")
    return save(figure, folder, "overview")


def main():
    with open(sys.argv[1]) as f:
        data = json.load(f)
    drawn = [case_figure(name, d["panels"], sys.argv[2]) for name, d in data.items() if d["panels"]]
    drawn.append(overview(data, sys.argv[2]))
    print("figures (PNG and SVG): " + " ".join(os.path.relpath(p) for p in drawn if p))


if __name__ == "__main__":
    main()
