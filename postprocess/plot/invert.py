#!/usr/bin/env python3
"""invert.py FOLDER [--figures FOLDER]: figures of parameters recovered from snapshots, as PNG and SVG in FOLDER/figures.

  invert     the misfit and the parameters with their deviations, iteration by iteration
  snapshots  observed, computed, and their difference over the noise, at times observed
  taylor     the gradient against differences, where it was tested

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished, or cannot be written.
"""
import csv
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from evolve import mesh_of
from geometry import Cut
from results import dataset, draw_folder, open_h5, read_columns, read_summary
from style import LINE, SECOND, WIDE, colour_bar, map_axes, plt, save
from matplotlib.collections import PolyCollection

SHOWN = 4


def parameters(folder):
    """Names and units of the parameters; before the end there are none."""
    path = os.path.join(folder, "parameters.csv")
    if not os.path.isfile(path):
        return {}
    with open(path, newline="") as f:
        return {row["parameter"]: row for row in csv.DictReader(f)}


def power_of(value):
    """The power of ten that an axis is freed of."""
    power = int(np.floor(np.log10(abs(value)))) if value and np.isfinite(value) else 0
    return power if abs(power) > 3 else 0


def band(value, deviation, positive):
    """Two deviations on either side; of the logarithm where that is what is estimated."""
    if positive:
        return value * np.exp(-2 * deviation / value), value * np.exp(2 * deviation / value)
    return value - 2 * deviation, value + 2 * deviation


def draw_parameter(axes, table, name, last):
    value, deviation = table[name], table[name + "_deviation"]
    power = power_of(value[-1])
    low, high = band(value, deviation, name in last and float(last[name]["min"]) > 0)
    axes.fill_between(table["iteration"], low / 10.0**power, high / 10.0**power, color=LINE, alpha=0.2, lw=0)
    axes.plot(table["iteration"], value / 10.0**power, "o-", color=LINE, ms=3)
    unit = ("10$^{%d}$ " % power if power else "") + (last[name]["unit"].replace("m3", "m$^3$").replace("m5", "m$^5$") if name in last else "")
    if name in last:
        axes.axhline(float(last[name]["estimate"]) / 10.0**power, color=SECOND, lw=0.8)
    axes.set_title(name.replace("double_well.", "").replace("_", " ") + (" (%s)" % unit.strip() if unit.strip() not in ("", "1") else ""), fontsize=8)


def trace(folder, figures):
    table, last = read_columns(folder, "invert.csv", 1, ("iteration", "misfit", "misfit_per_value")), parameters(folder)
    names = [name[:-len("_deviation")] for name in table if name.endswith("_deviation")]
    columns = min(3, len(names))
    rows = 1 + -(-len(names) // columns)
    figure = plt.figure(figsize=(WIDE, 0.6 + 1.7 * rows))
    grid = figure.add_gridspec(rows, columns, wspace=0.3, hspace=0.55)
    axes = figure.add_subplot(grid[0, :])
    axes.plot(table["iteration"], table["misfit_per_value"], "o-", color=LINE, ms=3)
    axes.axhline(1, color="grey", lw=0.8, ls=":")
    axes.set_yscale("log")
    axes.set_ylabel("misfit a value\n(noise$^2$)")
    for i, name in enumerate(names):
        axes = figure.add_subplot(grid[1 + i // columns, i % columns])
        draw_parameter(axes, table, name, last)
        if i + columns >= len(names):
            axes.set_xlabel("iteration")
    return save(figure, figures, "invert")


def draw(axes, f, name, mesh, low, high, colours, values):
    map_axes(axes, "xy")
    if mesh:
        cut = Cut(mesh, 2, mesh.box[:, 2].mean())
        shown = PolyCollection(cut.polygons, cmap=colours, edgecolors="face", linewidths=0.2)
        shown.set_array(cut.node_value(values))
        shown.set_clim(low, high)
        axes.add_collection(shown)
        axes.set_xlim(mesh.box[:, 0])
        axes.set_ylim(mesh.box[:, 1])
        return shown
    n, size = (np.ravel(f[name].attrs[key]) for key in ("nodes", "size_nm"))
    c = values.reshape(int(n[2]), int(n[1]), int(n[0]))[int(n[2]) // 2]
    return axes.imshow(c, origin="lower", extent=(0, size[0], 0, size[1]), vmin=low, vmax=high, cmap=colours, interpolation="nearest")


def noise_of(folder):
    for line in read_summary(folder)["input"].splitlines():
        if line.strip().startswith("noise: "):
            noise = float(line.split("noise: ", 1)[1].split()[0])  # section invert comes after phasefield
    return noise


def snapshots(folder, figures):
    noise = noise_of(folder)
    with open_h5(os.path.join(folder, "snapshots.h5")) as f:
        every = sorted(f["/observed"])
        some = [every[k] for k in np.unique(np.linspace(0, len(every) - 1, min(SHOWN, len(every))).round().astype(int))]
        mesh = None if "nodes" in f["/observed/" + every[0]].attrs else mesh_of(folder)
        pairs = [(dataset(f, "/observed/" + k), dataset(f, "/computed/" + k)) for k in some]
        low, high = min(np.nanmin(p) for p in pairs), max(np.nanmax(p) for p in pairs)
        figure, panels = plt.subplots(3, len(some), figsize=(WIDE, WIDE * 0.78 * (3 / max(3, len(some)))), squeeze=False, sharex=True, sharey=True,
                                      gridspec_kw=dict(wspace=0.12, hspace=0.14))
        for k, (name, (observed, computed)) in enumerate(zip(some, pairs)):
            top = draw(panels[0][k], f, "/observed/" + name, mesh, low, high, "viridis", observed)
            draw(panels[1][k], f, "/computed/" + name, mesh, low, high, "viridis", computed)
            off = draw(panels[2][k], f, "/computed/" + name, mesh, -4, 4, "RdBu_r", (computed - observed) / noise)
            panels[0][k].set_title("t = %.4g s" % float(np.ravel(f["/observed/" + name].attrs["t_s"])[0]))
        for row, label in zip(panels, ("observed", "computed", "difference")):
            for axes in row:
                axes.label_outer()
            row[0].set_ylabel(label + "\n" + row[0].get_ylabel())
        colour_bar(figure, top, panels[:2].ravel().tolist(), "c")
        colour_bar(figure, off, panels[2].ravel().tolist(), "noise")
    return save(figure, figures, "snapshots")


def taylor(folder, figures):
    if not os.path.isfile(os.path.join(folder, "taylor.csv")):
        return None  # not asked for
    table = read_columns(folder, "taylor.csv", 2, ("step", "difference", "remainder"))
    figure, axes = plt.subplots(figsize=(WIDE / 2, 2.6))
    axes.loglog(table["step"], table["difference"], "o-", color=SECOND, ms=3, label="$|J(\\theta + \\epsilon d) - J|$")
    axes.loglog(table["step"], table["remainder"], "o-", color=LINE, ms=3, label="... $- \\epsilon\\, g \\cdot d|$")
    step = np.array(table["step"])
    axes.loglog(step, table["remainder"][-1] * (step / step[-1])**2, color="grey", lw=0.8, ls=":", label="slope 2")
    axes.set_xlabel("step $\\epsilon$")
    axes.legend(loc="best")
    return save(figure, figures, "taylor")


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "invert", (trace, taylor, snapshots)))
