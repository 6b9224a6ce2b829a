#!/usr/bin/env python3
"""evolve.py FOLDER [--compare FOLDER] [--figures FOLDER]: figures of a phase-field run, as PNG and SVG in FOLDER/figures.

  evolve     energies, phase fraction and interface against time, and the time steps
  fields     c (or the grains) at times that were kept: the box, or a cut through the middle of a box in three dimensions or of a mesh

  grains     of grain growth: sizes beside Hillert's distribution, neighbours, neighbours against size

Of grain growth, evolve has the square of the mean radius, the number of grains, the energy and the boundaries.

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished, or cannot be written.
"""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grain_sizes
from geometry import Cut
from results import Mesh, Unusable, dataset, draw_folder, open_h5, read_columns, read_summary
from style import GB_COLOUR, GRAIN_COLOURS, LINE, SECOND, WIDE, colour_bar, map_axes, plt, save
from matplotlib.collections import PolyCollection
from matplotlib.colors import BoundaryNorm, ListedColormap

SHOWN = 6


def read_times(folder):
    return read_columns(folder, "evolve.csv", 2, ("t_s", "dt_s", "steps"))


def draw_growth(panels, table, other, area):
    """What grain growth has: the mean radius, the number of grains, energy and boundaries."""
    shown = (("<R>$^2$ (nm$^2$)", lambda t: t["mean_radius_nm"]**2), ("grains", lambda t: t["grains"]), ("energy (J/m$^3$)", lambda t: t["f_total_J/m3"]),
             ("boundaries (%s)" % area.split("_")[1].replace("2", "$^2$"), lambda t: t[area]))
    for axes, (label, value) in zip(panels.ravel(), shown):
        axes.plot(table["t_s"], value(table), color=LINE)
        if other:
            axes.plot(other["t_s"], value(other), color=LINE, ls="--", lw=0.9)
        axes.set_ylabel(label)
        axes.set_xlim(table["t_s"][0], table["t_s"][-1])
    panels[1, 0].set_yscale("log")
    for axes in panels[1]:
        axes.set_xlabel("t (s)")


def mean(axes, table, other):
    """The mean of c, with the temperature where there is a program."""
    axes.plot(table["t_s"], table["c_mean"], color=LINE)
    if other and "c_mean" in other:
        axes.plot(other["t_s"], other["c_mean"], color=LINE, ls="--", lw=0.9)
    axes.set_ylabel("mean of c")
    if "temperature_K" in table:
        right = axes.twinx()
        right.plot(table["t_s"], table["temperature_K"], color=SECOND, lw=1)
        right.set_ylabel("temperature (K)", color=SECOND)


def draw_field(panels, table, other, area):
    """Energies, phase fraction, interface, time step of one field."""
    energy, fraction, interface, step = panels.ravel()
    if "f_total_J/m3" not in table:
        mean(energy, table, other)
    for name, label, colour in () if "f_total_J/m3" not in table else (("total", "total", "black"), ("bulk", "bulk", LINE), ("gradient", "gradient", SECOND)):
        energy.plot(table["t_s"], table["f_%s_J/m3" % name], color=colour, label=label, lw=2.6 if name == "total" else 1.2)  # seen where another covers it
        if other:
            energy.plot(other["t_s"], other["f_%s_J/m3" % name], color=colour, ls="--", lw=0.9)
    if "f_total_J/m3" in table:
        energy.set_ylabel("energy (J/m$^3$)")
        energy.legend(loc="best")
    for axes, name, label in ((fraction, "fraction", "phase fraction"), (interface, area, "interface (%s)" % area.split("_")[1].replace("2", "$^2$"))):
        axes.plot(table["t_s"], table[name], color=LINE)
        if other:
            axes.plot(other["t_s"], other[name], color=LINE, ls="--", lw=0.9)
        axes.set_ylabel(label)
    step.plot(table["t_s"][1:], table["dt_s"][1:], color=LINE, lw=0.9)
    step.set_yscale("log")
    step.set_ylabel("time step (s)")
    for axes in (interface, step):
        time_axis(axes, table["t_s"])


def time_axis(axes, t):
    """Logarithmic where the run spans more than two decades of steps."""
    start = t[1] if t[0] == 0 else t[0]
    axes.set_xlabel("t (s)")
    if t[-1] > 100 * start:
        axes.set_xscale("log")
        axes.set_xlim(start, t[-1])
    else:
        axes.set_xlim(t[0], t[-1])


def curve(folder, figures, compare):
    table, other = read_times(folder), read_times(compare) if compare else None
    area = next(name for name in table if name.startswith("interface_"))
    figure, panels = plt.subplots(2, 2, figsize=(WIDE, 4.4), sharex=True, gridspec_kw=dict(wspace=0.3, hspace=0.1))
    (draw_growth if "grains" in table else draw_field)(panels, table, other, area)
    if other:
        figure.text(0.125, 0.0, "dashed: %s" % os.path.basename(os.path.abspath(compare)), fontsize=7, va="top")
    return save(figure, figures, "evolve")


def kept(folder):
    """(time, path) of the fields kept, at most SHOWN: the first, the last and those between."""
    where = os.path.join(folder, "fields")
    names = sorted(name for name in os.listdir(where) if name.endswith(".h5")) if os.path.isdir(where) else []
    if not names:
        raise Unusable("%s holds no fields" % where)
    some = np.unique(np.linspace(0, len(names) - 1, min(SHOWN, len(names))).round().astype(int))
    out = []
    for k in some:
        path = os.path.join(where, names[k])
        with open_h5(path) as f:
            out.append((float(np.ravel(f.attrs["t_s"])[0]), path))
    return out


def mesh_of(folder):
    own = os.path.join(folder, "mesh.h5")
    if os.path.isfile(own):
        return Mesh(own)
    for line in read_summary(folder)["input"].splitlines():
        if line.strip().startswith("file: "):
            return Mesh(line.split("file: ", 1)[1].strip().strip('"'))
    raise Unusable("the mesh of %s is not known" % folder)


def look(name, values):
    """Colours of a field: by value, or of the grains, which repeat."""
    if name == "/c":
        return dict(cmap="viridis", vmin=min(np.nanmin(v) for v in values), vmax=max(np.nanmax(v) for v in values))
    n = int(max(np.nanmax(v) for v in values)) + 1
    return dict(cmap=ListedColormap([GRAIN_COLOURS[(7 * k) % len(GRAIN_COLOURS)] for k in range(max(n, 2))]), norm=BoundaryNorm(np.arange(max(n, 2) + 1) - 0.5, max(n, 2)))


def borders(grain):
    """Where the next pixel is of another grain."""
    out = np.zeros(grain.shape, bool)
    out[:, :-1] |= grain[:, :-1] != grain[:, 1:]
    out[:-1] |= grain[:-1] != grain[1:]
    return out


def draw_box(axes, f, name, colours):
    """The plane of a box, or the middle one of its depth."""
    n, size = (np.ravel(f[name].attrs[key]) for key in ("nodes", "size_nm"))
    c = dataset(f, name).reshape(int(n[2]), int(n[1]), int(n[0]))[int(n[2]) // 2]
    if name != "/c":
        c = np.ma.masked_where(borders(c), c)
        axes.set_facecolor(GB_COLOUR)
    map_axes(axes, "xy")
    return axes.imshow(c, origin="lower", extent=(0, size[0], 0, size[1]), interpolation="nearest", **colours)


def draw_mesh(axes, f, mesh, name, colours):
    cut = Cut(mesh, 2, mesh.box[:, 2].mean())
    limits = [colours[key] for key in ("vmin", "vmax") if key in colours]
    polygons = PolyCollection(cut.polygons, cmap=colours["cmap"], norm=colours.get("norm"), edgecolors="face", linewidths=0.2)
    polygons.set_array(cut.node_value(dataset(f, name)))
    if limits:
        polygons.set_clim(*limits)
    axes.add_collection(polygons)
    map_axes(axes, "xy")
    axes.set_xlim(mesh.box[:, 0])
    axes.set_ylim(mesh.box[:, 1])
    return polygons


def fields(folder, figures, **_):
    files = kept(folder)
    with open_h5(files[0][1]) as f:
        name = "/grain" if "grain" in f else "/c"
        mesh = None if "nodes" in f[name].attrs else mesh_of(folder)
    values = []
    for _, path in files:
        with open_h5(path) as f:
            values.append(dataset(f, name))
    colours = look(name, values)
    columns = min(3, len(files))
    rows = -(-len(files) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(WIDE, WIDE / 3 * rows), squeeze=False, sharex=True, sharey=True,
                                  gridspec_kw=dict(wspace=0.16, hspace=0.12))
    for axes, (t, path) in zip(panels.ravel(), files):
        with open_h5(path) as f:
            shown = draw_mesh(axes, f, mesh, name, colours) if mesh else draw_box(axes, f, name, colours)
        axes.set_title("t = %.4g s" % t)
        axes.label_outer()
    for axes in panels.ravel()[len(files):]:
        axes.set_axis_off()
    if name == "/c":
        colour_bar(figure, shown, panels.ravel().tolist(), "c")
    return save(figure, figures, "fields")


def sizes(folder, figures, **_):
    return grain_sizes.draw(folder, figures) if grain_sizes.has_tables(folder) else None


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "evolve", (curve, sizes, fields), compare=("FOLDER", "a second run, drawn dashed")))
