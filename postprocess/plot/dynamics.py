#!/usr/bin/env python3
"""dynamics.py FOLDER [--compare FOLDER] [--figures FOLDER]: figure of a run in time, as PNG and SVG in FOLDER/figures.

  dynamics   m, the energies and, where it changes, the applied field against time

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished, or cannot be written.
"""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import draw_folder, read_columns
from style import GREY, TERMS, WIDE, plt, save

XYZ = (("x", "#1b4f8a"), ("y", "#c4551a"), ("z", "#4d9221"))  # as exchange, anisotropy and field: no fourth set of colours
FIELD = ("mu0_Hx_T", "mu0_Hy_T", "mu0_Hz_T")


def read_times(folder):
    """dynamics.csv as {column: array}, the time in ps where the run is shorter than 2 ns; and that unit."""
    table = read_columns(folder, "dynamics.csv", 2, ("t_ns", "mx", "my", "mz", "e_total_J/m3") + FIELD)
    unit = "ps" if table["t_ns"][-1] < 2 else "ns"
    table["t"] = table["t_ns"] * (1e3 if unit == "ps" else 1)
    return table, unit


def field_changes(table):
    return any(np.ptp(table[name]) > 1e-9 for name in FIELD)


def components(axes, table, names, scale, **how):
    for (c, colour), name in zip(XYZ, names):
        axes.plot(table["t"], scale * table[name], color=colour, **(how or {"label": c}))


def magnetization(axes, table, other):
    axes.axhline(0, color=GREY, lw=0.6, zorder=1)
    components(axes, table, ("mx", "my", "mz"), 1)
    if other:
        components(axes, other, ("mx", "my", "mz"), 1, ls="--", lw=0.9)
    axes.set_ylabel("mean magnetization over Ms")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=3, handlelength=1.4)


def energies(axes, table):
    """In kJ/m3 of the magnet; terms that are zero throughout are left out."""
    axes.axhline(0, color=GREY, lw=0.6, zorder=1)
    axes.plot(table["t"], 1e-3 * table["e_total_J/m3"], color="black", label="total")
    for name, label, colour in TERMS:
        column = table.get("e_%s_J/m3" % name)
        if column is not None and np.any(column):
            axes.plot(table["t"], 1e-3 * column, color=colour, lw=1, label=label)
    axes.set_ylabel("energy (kJ/m$^3$)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=3, handlelength=1.4)


def applied(axes, table):
    """In mT where it stays below 1 T."""
    largest = max(np.abs(table[name]).max() for name in FIELD)
    axes.axhline(0, color=GREY, lw=0.6, zorder=1)
    components(axes, table, FIELD, 1e3 if largest < 1 else 1)
    axes.set_ylabel(r"$\mu_0H$ (%s)" % ("mT" if largest < 1 else "T"))


def draw(folder, figures, compare):
    table, unit = read_times(folder)
    other = None
    if compare:
        other = read_times(compare)[0]
        other["t"] = other["t_ns"] * (1e3 if unit == "ps" else 1)
    rows = 2 if field_changes(table) else 1
    figure, panels = plt.subplots(rows, 2, figsize=(WIDE, 2.7 + 1.1 * (rows - 1)), sharex=True, squeeze=False,
                                  gridspec_kw=dict(wspace=0.26, hspace=0.1, height_ratios=[2.4, 1][:rows]))
    magnetization(panels[0, 0], table, other)
    energies(panels[0, 1], table)
    if rows == 2:
        applied(panels[1, 0], table)
        panels[1, 1].set_axis_off()
        panels[0, 1].tick_params(labelbottom=True)
    for axes in (panels[-1, 0], panels[0, 1]):
        axes.set_xlabel("t (%s)" % unit)
    panels[0, 0].set_xlim(table["t"][0], table["t"][-1])
    figure.align_ylabels(panels[:, 0])
    if other:
        figure.text(0.125, 0.0, "dashed: %s" % os.path.basename(os.path.abspath(compare)), fontsize=7, va="top")
    return save(figure, figures, "dynamics")


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "dynamics", (draw,), compare=("FOLDER", "a second run, its m drawn dashed")))
