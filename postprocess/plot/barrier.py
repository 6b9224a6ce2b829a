#!/usr/bin/env python3
"""barrier.py FOLDER [--figures FOLDER]: figures of a run of energy barriers, as PNG and SVG in FOLDER/figures.

  barriers   the barrier against the field with its fit, and the field at which it is overcome at the asked temperature
  path       the energy along the path at each field, and the terms it is made of at one of them
  saddle     the magnetization at the start, at the saddle and at the end of that path

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished; the figures that can be drawn are drawn.
"""
import csv
import os
import sys

import h5py
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from map_figures import cut_through, fill, limits, outline
from results import Unusable, draw_folder, existing, quantity, read_mesh, read_state, read_summary, say
from style import COLUMN, GREY, LINE, MOMENT_MAP, SECOND, TERMS, WIDE, colour_bar, map_axes, plt, save

KB = 1.380649e-23


def read_table(folder, name):
    with open(existing(folder, name), newline="") as f:
        rows = list(csv.DictReader(f))
    if not rows:
        raise Unusable("%s has no line yet" % os.path.join(folder, name))
    table = {}
    for key in rows[0]:
        try:
            table[key] = np.array([float(row[key]) for row in rows])
        except (TypeError, ValueError):
            table[key] = np.array([row[key] for row in rows])
    return table


def lowest(table):
    """Of the lines of barriers.csv the lowest barrier at each field, of all starts: their numbers."""
    good = np.char.endswith(table["end"], "converged") & np.isfinite(table["barrier_J"])
    best = {}
    for i in np.flatnonzero(good):
        field = table["mu0_H_T"][i]
        if field not in best or table["barrier_J"][i] < table["barrier_J"][best[field]]:
            best[field] = int(i)
    return best


def lowest_paths(folder):
    """barrier.csv with one path a field: that of its lowest barrier; of a field without one, that of the first start."""
    best, starts = lowest(read_table(folder, "barriers.csv")), read_table(folder, "barriers.csv").get("start")
    table = read_table(folder, "barrier.csv")
    if starts is None:
        return table
    wanted = {field: starts[i] for field, i in best.items()}
    keep = np.array([start == wanted.get(field, 1) for field, start in zip(table["mu0_H_T"], table["start"])])
    return {name: column[keep] for name, column in table.items()}


def barriers(folder, figures):
    """Barrier against field; below, in kBT, what the temperature overcomes."""
    table, results = read_table(folder, "barriers.csv"), read_summary(folder)["results"]
    kT = KB * quantity(results, "temperature")
    H, E, good = table["mu0_H_T"], table["barrier_J"] / kT, np.char.endswith(table["end"], "converged")
    figure, axes = plt.subplots(figsize=(COLUMN, 2.6))
    best = np.zeros(len(H), bool)
    best[list(lowest(table).values())] = True
    if (good & ~best).any():
        axes.plot(H[good & ~best], E[good & ~best], "_", color=GREY, ms=7, label="of other starts", zorder=2)
    axes.plot(H[best], E[best], "o", color=LINE, ms=4, label="lowest saddle" if (good & ~best).any() else "saddle of the path", zorder=3)
    if (~good & np.isfinite(E)).any():
        axes.plot(H[~good], E[~good], "o", mfc="none", color=GREY, ms=4, label="path not converged")
    draw_fit(axes, results, H[best], kT)
    axes.axhline(results["ln_f0_t"], color=GREY, lw=0.7, ls=":")
    axes.annotate("%.1f $k_BT$" % results["ln_f0_t"], (axes.get_xlim()[0], results["ln_f0_t"]), xytext=(3, 3),
                  textcoords="offset points", fontsize=7, color="#555555")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(r"$\mu_0H$ (T)")
    axes.set_ylabel("barrier ($k_BT$ at %g K)" % quantity(results, "temperature"))
    axes.legend(loc="best")
    return save(figure, figures, "barriers")


def draw_fit(axes, results, H, kT):
    fit, Hc = results["fit"], quantity(results, "Hc")
    if not fit["points"]:
        return
    E0, H0 = quantity(fit, "E0"), quantity(fit, "H0")
    ends = [h for h in (H.min(), H.max(), Hc) if h is not None]
    margin = 0.15 * (max(ends) - min(ends))
    fine = np.linspace(min(ends) - margin, max(ends) + margin, 200)
    inside = 1 - fine / H0 >= 0
    axes.plot(fine[inside], E0 / kT * (1 - fine[inside] / H0)**fit["n"], "-", color=LINE, lw=1,
              label=r"$E_0(1-H/H_0)^n$" + "\n$H_0$ = %.3g T, $n$ = %.2f" % (H0, fit["n"]) + (" (bound)" if fit.get("n_at_bound") else ""))
    if Hc:
        axes.plot([Hc], [results["ln_f0_t"]], "*", color=SECOND, ms=8, zorder=4,
                  label="coercivity %.3g T" % Hc + ("" if results["Hc_between_fields"] else "\n(extrapolated)"))


def fields_of(table):
    return list(dict.fromkeys(table["mu0_H_T"]))


def shown_field(table):
    """The field in the middle of those with a path."""
    fields = fields_of(table)
    return fields[len(fields) // 2]


def path(folder, figures):
    table = lowest_paths(folder)
    kT = KB * quantity(read_summary(folder)["results"], "temperature")
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDE, 2.6), gridspec_kw=dict(wspace=0.28))
    fields = fields_of(table)
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(fields)))
    for field, colour in zip(fields, colours):
        rows = table["mu0_H_T"] == field
        left.plot(table["arc_length_rad"][rows], table["energy_J"][rows] / kT, ".-", color=colour, ms=4, label="%g T" % field)
    left.legend(title=r"$\mu_0H$", ncol=1 + (len(fields) > 6), loc="best")
    shown = shown_field(table)
    rows = table["mu0_H_T"] == shown
    s, top = table["arc_length_rad"][rows], np.argmax(table["energy_J"][rows])
    right.plot(s, table["energy_J"][rows] / kT, ".-", color="black", ms=4, label="total")
    for name, label, colour in TERMS:
        if name + "_J" in table:
            right.plot(s, table[name + "_J"][rows] / kT, ".-", color=colour, lw=1, ms=3, label=label)
    right.axvline(s[top], color=GREY, lw=0.6, ls=":")
    right.set_title("%g T; dotted: saddle" % shown)
    right.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02))
    for axes in (left, right):
        axes.axhline(0, color=GREY, lw=0.6, zorder=1)
        axes.set_xlabel("arc length (rad)")
        axes.set_ylabel("energy above the start ($k_BT$)")
    return save(figure, figures, "path")


def kept(folder, field):
    """Names of the files of start, saddle and end at this field."""
    names, line = {}, lowest(read_table(folder, "barriers.csv")).get(field)
    with h5py.File(existing(folder, "states.h5"), "r") as f:
        tags, number = f["/list/tags"][...], f["/list/state"][...]
    for i, tag in enumerate(tags):
        tag = tag.decode() if isinstance(tag, bytes) else str(tag)
        if number[i, 1] == field and line in (None, number[i, 0]) and tag in ("initial", "saddle", "last"):
            names[tag] = "states/state_%04d.h5" % (i + 1)
    return [names.get(tag) for tag in ("initial", "saddle", "last")]


def saddle(folder, figures):
    """m along that of the start, on the cut through the node that has turned furthest at the saddle."""
    field = shown_field(lowest_paths(folder))
    names = kept(folder, field)
    if None in names:
        say("no states of the path were kept: no figure of the saddle")
        return None
    mesh = read_mesh(folder)
    m = [read_state(folder, name, mesh) for name in names]
    magnetic = np.linalg.norm(m[0], axis=1) > 0.5
    start = m[0][magnetic].mean(axis=0)
    start /= np.linalg.norm(start)
    turned = np.where(magnetic, ((m[0] - m[1])**2).sum(axis=1), 0)
    cut = cut_through(mesh, 1, mesh.x[int(np.argmax(turned))])
    figure, axes = plt.subplots(1, 3, figsize=(WIDE, 2.6), gridspec_kw=dict(wspace=0.3))
    norm = Normalize(-1, 1)
    for ax, state, what in zip(axes, m, ("start", "saddle", "end of the path")):
        along = state @ start
        along[~magnetic] = np.nan
        fill(ax, cut, cut.node_value(along), MOMENT_MAP, norm)
        outline(ax, cut, mesh)
        limits(ax, mesh, cut)
        map_axes(ax, cut.labels)
        ax.set_title("%s, %g T\ny = %.1f nm" % (what, field, cut.offset))
    colour_bar(figure, ScalarMappable(norm, MOMENT_MAP), list(axes), "m along its start")
    return save(figure, figures, "saddle")


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "barrier", (barriers, path, saddle)))
