#!/usr/bin/env python3
"""sweep.py FOLDER [--figures FOLDER] [--number NAME]: figures of a sweep, as PNG and SVG in FOLDER/figures, a set for every number.

  curves_NUMBER   the number over the axis with the most values, a line for each value of a second axis (not of scattered designs)
  map_NUMBER      the number over the two axes that matter most (with two axes or more)
  effects_NUMBER  the mean over everything else at each value of each axis, and the share of the variance that the axis explains

Points are means over the repeats, bars their standard deviation; red ticks are points that failed.
Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished; the figures that can be drawn are drawn.
"""
import json
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import Unusable, dataset, draw_folder, existing, open_h5
from style import COLUMN, FIELD_MAP, GREY, LINE, REVERSED, SECOND, WIDE, colour_bar, plt, save

LINES = ["#1b4f8a", "#c4551a", "#4d9221", "#7b3294", "#b8860b", "#018571", "#d01c8b", "#8a8a8a"]
BINS = 6  # of an axis whose values do not repeat


class Axis:
    """One axis: values as numbers (of a list: their places), its levels where values repeat, the names of a list."""

    def __init__(self, name, data):
        self.name, self.unit = name, text(data.attrs.get("unit", ""))
        raw = data[...]
        if raw.dtype.kind in "SO":
            words = [text(v) for v in raw]
            self.names = list(dict.fromkeys(words))
            self.value = np.array([float(self.names.index(w)) for w in words])
        else:
            self.names, self.value = None, raw.astype(float)
        self.levels = np.unique(self.value)
        self.log = self.names is None and self.levels[0] > 0 and len(self.levels) > 2 and np.ptp(np.diff(np.log(self.levels))) < 1e-6

    def label(self):
        return self.name + (" (%s)" % self.unit if self.unit else "")

    def at(self, level):
        return self.names[int(level)] if self.names else ("%g %s" % (level, self.unit)).strip()

    def dress(self, axes):
        """The x axis of a drawing."""
        axes.set_xlabel(self.label())
        if self.names:
            axes.set_xticks(range(len(self.names)), self.names, rotation=20 if sum(map(len, self.names)) > 30 else 0)
            axes.set_xlim(-0.4, len(self.names) - 0.6)
        elif self.log:
            axes.set_xscale("log")


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class Sweep:
    """results.h5: axes, numbers {name: values, NaN unless done}, status; which axes are on levels."""

    def __init__(self, folder):
        self.folder = folder
        with open_h5(existing(folder, "results.h5")) as f:
            if "axes" not in f or "numbers" not in f:
                raise Unusable("%s/results.h5 is not of a sweep" % folder)
            order = header(folder)
            self.axes = sorted((Axis(n, f["axes"][n]) for n in f["axes"]), key=lambda a: order.index(a.name) if a.name in order else 0)
            self.number = {n: dataset(f, "/numbers/" + n) for n in sorted(f["numbers"], key=lambda n: order.index(n) if n in order else 0)}
            self.status = np.array([text(s) for s in dataset(f, "/status")])
        self.failed = self.status == "failed"
        points = len({tuple(a.value[i] for a in self.axes) for i in range(len(self.status))})
        self.axes = [a for a in self.axes if len(a.levels) > 1] or self.axes[:1]
        for a in self.axes:
            a.on_levels = a.names is not None or len(self.axes) == 1 or len(a.levels) < points

    def unit(self, name):
        """As the first run that wrote it says."""
        for i in np.flatnonzero(self.status == "done")[:1]:
            try:
                with open(os.path.join(self.folder, "points", "%04d" % (i + 1), "summary.json")) as f:
                    value = json.load(f)
                for part in name.split("."):
                    value = value[int(part) if isinstance(value, list) else part]
                return value.get("unit", "") if isinstance(value, dict) else ""
            except (OSError, ValueError, KeyError, IndexError):
                return ""
        return ""

    def label(self, name):
        unit = self.unit(name)
        return name.split(".")[-1] + (" (%s)" % unit if unit else "")


def header(folder):
    with open(existing(folder, "results.csv")) as f:
        return f.readline().strip().split(",")


def groups(axis):
    """Places of the points on each level, or in each of a few bins, with the value that stands for them."""
    if axis.on_levels:
        return [(level, np.flatnonzero(axis.value == level)) for level in axis.levels]
    edges = np.quantile(axis.value, np.linspace(0, 1, min(BINS, max(2, len(axis.value) // 5)) + 1))
    which = np.clip(np.searchsorted(edges, axis.value, side="right") - 1, 0, len(edges) - 2)
    return [(axis.value[which == b].mean(), np.flatnonzero(which == b)) for b in range(len(edges) - 1) if (which == b).any()]


def share(axis, y):
    """Of the variance of y, how much the levels of the axis explain beyond what chance does: omega squared (Hays, Statistics, 1963)."""
    parts = [values[np.isfinite(values)] for values in (y[g] for _, g in groups(axis))]
    parts = [p for p in parts if len(p)]
    n, k = sum(map(len, parts)), len(parts)
    between = sum(len(p) * (p.mean() - np.nanmean(y))**2 for p in parts)
    within = sum(((p - p.mean())**2).sum() for p in parts)
    chance = within / (n - k) if n > k else 0.0
    return max(0.0, (between - (k - 1) * chance) / (between + within + chance)) if between > 0 else 0.0


def mark_failed(axes, axis, failed):
    if failed.any():
        axes.plot(axis.value[failed], np.full(failed.sum(), 0.02), "|", color=REVERSED, ms=7, mew=1.2, transform=axes.get_xaxis_transform(),
                  label="failed (%d)" % failed.sum(), clip_on=False)


def draw_line(axes, axis, y, keep, **style):
    """Means and spread at the levels of the axis."""
    x, mean, spread = [], [], []
    for level, group in groups(axis):
        values = y[group][keep[group]]
        values = values[np.isfinite(values)]
        if len(values):
            x.append(level)
            mean.append(values.mean())
            spread.append(values.std(ddof=1) if len(values) > 1 else 0.0)
    if x:
        axes.errorbar(x, mean, yerr=spread if any(spread) else None, fmt="o-" if not axis.names else "o", ms=3.5, capsize=2, elinewidth=0.8, **style)


def ordered(sweep, y):
    """Axes, those that explain most first."""
    return sorted(sweep.axes, key=lambda a: -share(a, y))


def curves(sweep, name, figures):
    y = sweep.number[name]
    ranges = [a for a in sweep.axes if a.names is None] or sweep.axes
    x = max(ranges, key=lambda a: len(a.levels))
    if not all(a.on_levels for a in sweep.axes):
        return None
    others = [a for a in ordered(sweep, y) if a is not x]
    lines = next((a for a in others if len(a.levels) <= len(LINES)), None)
    panels = next((a for a in others if a is not lines and len(a.levels) <= 3), None)
    columns = panels.levels if panels else [None]
    figure, grid = plt.subplots(1, len(columns), figsize=(COLUMN if len(columns) == 1 else WIDE, 2.7), squeeze=False, sharey=True,
                                gridspec_kw=dict(wspace=0.08))
    for axes, column in zip(grid[0], columns):
        inside = panels.value == column if panels else np.ones(len(y), bool)
        for k, level in enumerate(lines.levels if lines else [None]):
            keep = inside & (lines.value == level) if lines else inside
            draw_line(axes, x, y, keep, color=LINES[k % len(LINES)], label=lines.at(level) if lines else None)
        mark_failed(axes, x, sweep.failed & inside)
        x.dress(axes)
        if panels:
            axes.set_title("%s = %s" % (panels.name, panels.at(column)))
    grid[0][0].set_ylabel(sweep.label(name))
    if grid[0][0].get_legend_handles_labels()[1]:
        grid[0][-1].legend(title=lines.label() if lines else None, loc="upper left", bbox_to_anchor=(1.0, 1.02))
    return save(figure, figures, "curves_" + short(name))


def heat(sweep, name, figures):
    if len(sweep.axes) < 2:
        return None
    y = sweep.number[name]
    a, b = ordered(sweep, y)[:2]
    if len(b.levels) > len(a.levels):
        a, b = b, a
    figure, axes = plt.subplots(figsize=(COLUMN, 2.9))
    shown = cells(axes, a, b, y, sweep.failed) if a.on_levels and b.on_levels else scattered(axes, a, b, y, sweep.failed)
    colour_bar(figure, shown, axes, sweep.label(name))
    axes.set_xlabel(a.label())
    axes.set_ylabel(b.label())
    return save(figure, figures, "map_" + short(name))


def cells(axes, a, b, y, failed):
    """A field for each pair of levels: the mean over the rest."""
    table = np.full((len(b.levels), len(a.levels)), np.nan)
    for i, v in enumerate(b.levels):
        for j, u in enumerate(a.levels):
            here = (a.value == u) & (b.value == v)
            if np.isfinite(y[here]).any():
                table[i, j] = np.nanmean(y[here])
            if failed[here].any():
                axes.plot(j, i, "x", color=REVERSED, ms=5, mew=1.2)
    shown = axes.imshow(table, origin="lower", aspect="auto", cmap=FIELD_MAP)
    for i, j in np.argwhere(np.isfinite(table)) if table.size <= 48 else ():
        axes.text(j, i + 0.14 * failed.any(), "%.3g" % table[i, j], ha="center", va="center", fontsize=6.5,
                  color="white" if shown.norm(table[i, j]) < 0.6 else "black")
    for axis, set_ticks in ((a, axes.set_xticks), (b, axes.set_yticks)):
        step = max(1, len(axis.levels) // 8)
        set_ticks(range(0, len(axis.levels), step), [axis.names[int(v)] if axis.names else "%.4g" % v for v in axis.levels[::step]])
    return shown


def scattered(axes, a, b, y, failed):
    good = np.isfinite(y)
    if good.sum() >= 8 and a.names is None and b.names is None:
        axes.tricontourf(a.value[good], b.value[good], y[good], levels=12, cmap=FIELD_MAP, alpha=0.55)
    axes.plot(a.value[failed], b.value[failed], "x", color=REVERSED, ms=5, mew=1.2)
    for axis, set_ticks in ((a, axes.set_xticks), (b, axes.set_yticks)):
        if axis.names:
            set_ticks(range(len(axis.names)), axis.names)
    return axes.scatter(a.value[good], b.value[good], c=y[good], cmap=FIELD_MAP, s=16, edgecolors="white", linewidths=0.4, zorder=3)


def effects(sweep, name, figures):
    y, list_ = sweep.number[name], sweep.axes[:6]
    everything = np.ones(len(y), bool)
    figure, grid = plt.subplots(1, len(list_) + 1, figsize=(min(WIDE, 1.9 * len(list_) + 2.0), 2.4), squeeze=False,
                                gridspec_kw=dict(wspace=0.12, width_ratios=[1] * len(list_) + [0.8]))
    for k, (axes, axis) in enumerate(zip(grid[0], list_)):
        jitter = 0.06 * (np.arange(len(y)) % 5 - 2) if axis.names else 0
        axes.plot(axis.value + jitter, y, ".", color=GREY, ms=3, alpha=0.5, zorder=1)
        draw_line(axes, axis, y, everything, color=LINE)
        mark_failed(axes, axis, sweep.failed)
        axis.dress(axes)
        if k:
            axes.sharey(grid[0][0])
            axes.tick_params(labelleft=False)
    grid[0][0].set_ylabel(sweep.label(name))
    bars(grid[0][-1], [(a.name, share(a, y)) for a in list_])
    return save(figure, figures, "effects_" + short(name))


def bars(axes, shares):
    axes.barh(range(len(shares)), [100 * s for _, s in shares], color=SECOND, height=0.55)
    axes.set_yticks(range(len(shares)), [n for n, _ in shares])
    axes.yaxis.tick_right()
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the variance (%)")


def short(name):
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in (name[8:] if name.startswith("results.") else name))


def figures_of(sweep, name):
    """All figures of one number."""
    def nothing(*_):
        raise Unusable("no point of %s has a value of %s yet" % (sweep.folder, name))

    if not np.isfinite(sweep.number[name]).any():
        return [nothing]
    return [lambda _, figures, draw=draw: draw(sweep, name, figures) for draw in (curves, heat, effects)]


def parts(sweep, number):
    if number and number not in sweep.number:
        raise Unusable("%s has no number %s, but %s" % (sweep.folder, number, ", ".join(sweep.number)))
    return [part for name in ([number] if number else sweep.number) for part in figures_of(sweep, name)]


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "sweep", parts, read=Sweep, number=("NAME", "only this column of the table")))
