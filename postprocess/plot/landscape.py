#!/usr/bin/env python3
"""landscape.py FOLDER [--figures FOLDER]: figures of a run of magtwin landscape, as PNG and SVG in FOLDER/figures, and FOLDER/landscape.html
with all of them on one page that needs nothing but itself.

  scores      the samples in the plane of the first two components, coloured by the field where it is known
  landscape   the energies at fixed field against the component and along the series, with the passes
  forces      dE/dPC of every term along the series: what drives and what holds
  maps        promoting and resisting places: on a cut of the mesh beside the true work, on the picture, or in the diagrams
  regression  how well each term follows from what is seen, on samples held out, and by chance
  loadings    what the components are made of

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished; the figures that can be drawn are drawn.
"""
import argparse
import os
import sys

import numpy as np
from matplotlib.cm import ScalarMappable

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(1, os.path.join(os.path.dirname(HERE), "report"))
import page
import pca
from geometry import Cut
from map_figures import fill, limits, outline
from results import Mesh, attempt, dataset, existing, open_h5, quantity, read_summary
from style import GREY, LINE, MOMENT_MAP, SECOND, TERMS, WIDE, colour_bar, map_axes, plt, save

NAMES = {name: (label, colour) for name, label, colour in TERMS}
OTHERS = ["#1b4f8a", "#c4551a", "#4d9221", "#7b3294", "#b8860b", "#018571", "#d01c8b", "#8a8a8a"]


class Landscape:
    """landscape.h5: terms, work, energy [n, terms], scores [n, K], slope [n, terms] of the component, passes, maps by name."""

    def __init__(self, folder):
        self.folder = folder
        with open_h5(existing(folder, "landscape.h5")) as f:
            self.terms = [t.decode() if isinstance(t, bytes) else t for t in dataset(f, "/terms")]
            n = len(self.terms)
            self.work, self.energy = dataset(f, "/work").reshape(-1, n), dataset(f, "/energy").reshape(-1, n)
            self.scores = dataset(f, "/scores").reshape(len(self.work), -1)
            self.component, self.of = (int(v) for v in f.attrs["component_term"])
            self.first, self.last = (int(v) for v in f.attrs["from_to"])
            self.slope = dataset(f, "/slope/%04d" % (self.component + 1)).reshape(-1, n)
            self.field = dataset(f, "/field") if "field" in f else None
            self.regression = dataset(f, "/regression") if "regression" in f else None
            self.maps = {"%s/%s" % (g, w): dataset(f, "/maps/%s/%s" % (g, w)) for g in ("path", "ridge") if "maps/" + g in f
                         for w in ("net", "resisting", "promoting")}
            self.nodes = {"%s/%s" % (g, w): dataset(f, "/nodes/%s/%s" % (g, w)) for g in ("truth", "path", "ridge") if "nodes/" + g in f
                          for w in ("net", "resisting", "promoting")}
        self.passes = np.loadtxt(existing(folder, "passes.csv"), delimiter=",", skiprows=1, ndmin=2)
        self.pc, self.number = self.scores[:, self.component], np.arange(1, len(self.work) + 1)

    def look(self, t):
        """Label and colour of a term."""
        if self.terms[t] in NAMES:
            return NAMES[self.terms[t]]
        return self.terms[t], "black" if self.terms[t] == "internal" else GREY if self.terms[t] == "total" else OTHERS[t % len(OTHERS)]


def scores(folder, figures):
    l, p = Landscape(folder), pca.Components(folder)
    figure, axes = plt.subplots(figsize=(4.6, 3.2), layout="constrained")
    value, label = (l.number, "sample") if l.field is None or np.ptp(l.field) == 0 else (l.field, r"$\mu_0H$ (T)")
    pca.draw_scores(figure, axes, p, value, label)
    return save(figure, figures, "scores")


def draw_passes(axes, l, x, y):
    for number, row in enumerate(l.passes, 1):
        valley, top = int(row[1]) - 1, int(row[2]) - 1
        axes.plot([x[valley], x[top]], [y[valley], y[top]], "o", color=SECOND, ms=4, zorder=5)
        axes.annotate("pass %d: %.3g" % (number, row[5] / 1e3), (x[top], y[top]), (0, 5), textcoords="offset points", fontsize=6.5, ha="center", color=SECOND)


def landscape(folder, figures):
    """The energy that is followed against the component; all terms along the series, each from its first value on."""
    l = Landscape(folder)
    figure, axes = plt.subplots(1, 2, figsize=(WIDE, 2.9), layout="constrained")
    y = l.work[:, l.of] / 1e3
    axes[0].plot(l.pc, y, color=GREY, lw=0.7, zorder=1)
    drawn = axes[0].scatter(l.pc, y, c=l.number, s=12, cmap="viridis", zorder=2)
    draw_passes(axes[0], l, l.pc, y)
    axes[0].set_xlabel("PC%d" % (l.component + 1))
    axes[0].set_ylabel("%s energy (kJ/m³)" % l.terms[l.of])
    axes[0].margins(0.08)
    colour_bar(figure, drawn, axes[0], "sample")
    for t in range(len(l.terms)):
        label, colour = l.look(t)
        axes[1].plot(l.number, (l.work[:, t] - l.work[0, t]) / 1e3, color=colour, label=label, lw=1.8 if t == l.of else 1)
    axes[1].set_xlabel("sample")
    axes[1].set_ylabel("energy since the first sample,\nat fixed field (kJ/m³)")
    axes[1].legend()
    return save(figure, figures, "landscape")


def forces(folder, figures):
    """dE/dPC by term; a little beyond its inner 84 %, since it has no bound where the component turns round."""
    l = Landscape(folder)
    figure, axes = plt.subplots(figsize=(WIDE, 2.6), layout="constrained")
    known = l.slope[np.isfinite(l.slope)]
    for t in range(len(l.terms)):
        label, colour = l.look(t)
        axes.plot(l.number, l.slope[:, t] / 1e3, color=colour, label=label, lw=1.8 if t == l.of else 1)
    if len(known):
        low, high = np.percentile(known, [8, 92]) / 1e3
        pad = 0.15 * (high - low) + 1e-12
        axes.set_ylim(low - pad, high + pad)
    axes.axhline(0, color="#555555", lw=0.6)
    axes.set_xlabel("sample")
    axes.set_ylabel("dE/dPC%d (kJ/m³)" % (l.component + 1))
    axes.legend(ncol=2)
    return save(figure, figures, "forces")


def regression(folder, figures):
    l = Landscape(folder)
    if l.regression is None:
        return None
    figure, axes = plt.subplots(figsize=(4.6, 0.5 + 0.32 * len(l.terms)), layout="constrained")
    place = np.arange(len(l.terms))
    axes.barh(place, np.maximum(l.regression[:, 0], 0), color=[l.look(t)[1] for t in place], height=0.6)
    for t in place:
        axes.text(1.02, t, "%.3f, by chance %.2g" % tuple(l.regression[t, :2]), va="center", fontsize=7)
    axes.set_yticks(place, [l.look(t)[0] for t in place])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("score on samples held out (1: exact, 0: the mean)")
    return save(figure, figures, "regression")


def mesh_maps(l, p, figures):
    """Truth, along the component, by regression; what resists, what promotes, on a cut through the middle."""
    mesh = Mesh(p.mesh)
    cut = Cut(mesh, 2, float(mesh.box.mean(0)[2]))
    groups = [(g, label) for g, label in (("truth", "true work"), ("path", "along PC%d" % (l.component + 1)), ("ridge", "regression")) if g + "/net" in l.nodes]
    wide = np.ptp(mesh.box[:, 0]) > 1.6 * np.ptp(mesh.box[:, 1])
    shape = (len(groups), 3)
    height = 2.3 * np.ptp(mesh.box[:, 1]) / np.ptp(mesh.box[:, 0]) + 0.75
    figure, axes = plt.subplots(*shape, figsize=(WIDE + 0.6, height * len(groups)), squeeze=False, layout="constrained")
    used = np.unique(mesh.tet)
    for row, (group, label) in zip(axes, groups):
        for ax, what in zip(row, ("net", "resisting", "promoting")):
            value = l.nodes["%s/%s" % (group, what)] / 1e3
            norm = pca.symmetric(value[used])
            fill(ax, cut, cut.node_value(value), MOMENT_MAP, norm)
            outline(ax, cut, mesh)
            limits(ax, mesh, cut)
            map_axes(ax, cut.labels)
            ax.set_title("%s, %s" % (label, what))
            colour_bar(figure, ScalarMappable(norm, MOMENT_MAP), ax, "kJ/m³")
    return save(figure, figures, "maps")


def block_maps(l, p, figures):
    """The same over the blocks of the variables: pictures, diagrams, columns."""
    names = [n for n in ("path/net", "path/resisting", "path/promoting", "ridge/net") if n in l.maps]
    blocks = min(len(p.blocks), 3)
    figure, axes = plt.subplots(blocks, len(names), figsize=(2.7 * len(names), 2.4 * blocks), squeeze=False, layout="constrained")
    for b in range(blocks):
        name, start, shape = p.blocks[b]
        sides = [s for s in shape if s > 1] or [1]
        for ax, which in zip(axes[b], names):
            part = (l.maps[which][start:start + int(np.prod(shape))] / 1e3).reshape(sides)
            part = part[len(part) // 2] if part.ndim == 3 else part
            if part.ndim == 2 and min(part.shape) > 3:
                norm = pca.symmetric(part)
                pca.draw_image(ax, part, norm, p.range if p.range is not None and name.endswith("/image") else None)
                colour_bar(figure, ScalarMappable(norm, MOMENT_MAP), ax, "kJ/m³")
            else:
                ax.bar(np.arange(1, part.size + 1), part.ravel(), color=LINE, width=0.8)
                ax.set_xlabel("column")
                ax.set_ylabel("kJ/m³")
            ax.set_title("%s%s" % (which.replace("path", "PC%d" % (l.component + 1)).replace("/", ", "), "" if blocks == 1 else ", " + name.strip("/")))
    return save(figure, figures, "maps")


def maps(folder, figures):
    l, p = Landscape(folder), pca.Components(folder)
    if l.nodes and "path/net" in l.nodes and p.mesh and os.path.isfile(p.mesh):
        return mesh_maps(l, p, figures)
    return block_maps(l, p, figures)


CAPTIONS = {
    "scores": "The samples in the plane of the first two components; neighbours in the series are joined.",
    "landscape": "The energy against the component, passes from valley to top (kJ/m³), and all terms along the series. Changes are at fixed field: that of the applied field changes with the moment alone.",
    "forces": "Derivatives of the energy terms along the component: where a term's is above zero while the component grows, that term holds; below, it drives. Cut a little beyond the inner 84 %.",
    "maps": "Where: contributions to the followed energy. Red resists, blue promotes.",
    "regression": "Ridge regression of each term on what is seen: score on samples held out, and the share of permuted series that score as well.",
    "loadings": "What the components are made of.",
}
PARTS = (scores, landscape, forces, maps, regression, pca.loadings)


def facts(l, summary):
    """Tiles of the page: numbers of the run."""
    group = summary["landscape"]
    pairs = [("samples", page.number(group["samples"])), ("share of PC1", "%.1f %%" % (100 * summary["pca"]["variance"][0] / summary["pca"]["total_variance"])),
             ("passes", page.number(group["passes"]))]
    for key, label in (("roc_area_path", "ROC area along the component"), ("roc_area_ridge", "ROC area by regression")):
        value = quantity(group, key)
        if value is not None:
            pairs.append((label, "%.3f" % value))
    return page.tiles(pairs)


def passes_table(l):
    header = ["pass", "from sample", "to sample", "rise (J/m³)"] + [l.look(t)[0] for t in range(len(l.terms) - 2)]
    return page.table(header, [[str(int(r[0])), int(r[1]), int(r[2]), float(r[5])] + [float(v) for v in r[6:4 + len(l.terms)]] for r in l.passes]) if len(l.passes) else "<p>None.</p>"


def write_page(folder, figures):
    l, summary = Landscape(folder), read_summary(folder)
    whole = page.Page("Extended free energy: %s" % os.path.basename(os.path.abspath(folder)), "magtwin landscape; the energy followed is %s, along PC%d" % (l.terms[l.of], l.component + 1))
    whole.above(facts(l, summary))
    whole.above(page.box("warn", "Warnings", summary.get("warnings", [])))
    for name in ("scores", "landscape"):
        whole.add(name.capitalize(), shown(figures, name))
    whole.add("Passes", passes_table(l))
    for name in ("forces", "maps", "regression", "loadings"):
        whole.add(name.capitalize(), shown(figures, name))
    path = os.path.join(folder, "landscape.html")
    with open(path, "w", encoding="utf-8") as f:
        f.write(whole.whole())
    return path


def shown(figures, name):
    path = os.path.join(figures, name + ".png")
    return page.picture(path, CAPTIONS[name]) if os.path.isfile(path) else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--figures", help="where to write (default: figures in the folder)")
    args = parser.parse_args()
    figures = args.figures or os.path.join(args.folder, "figures")
    done = [attempt(lambda part=part: part(args.folder, figures)) for part in PARTS + (write_page,)]
    return 0 if all(done) else 2


if __name__ == "__main__":
    sys.exit(main())
