#!/usr/bin/env python3
"""landscape.py FOLDER [--figures FOLDER]: figures of a run of magtwin landscape, as PNG and SVG in FOLDER/figures, and FOLDER/landscape.html
with all of them on one page that needs nothing but itself.

  scores      the samples in the plane of the first two components, coloured by the field where it is known
  landscape   the energies at fixed field against the component and along the series, with the passes
  forces      dE/dPC of every term along the series: what drives and what holds
  maps        promoting and resisting places: on a cut of the mesh beside the true work, on the picture, or in the diagrams
  pictures    of persistence images: the same maps on the pictures, or on a cut through the states beside the true work
  places      of persistence images: the features of the first and the last sample of the maps on their pictures, by what they contribute
  regression  how well each term follows from what is seen, on samples held out, and by chance
  loadings    what the components are made of

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished; the figures that can be drawn are drawn.
"""
import csv
import os
import re
import sys

import numpy as np
from matplotlib.cm import ScalarMappable

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(1, os.path.join(os.path.dirname(HERE), "report"))
import landscape_places
import page
import pca
import topology
from geometry import Cut
from map_figures import fill, limits, outline
from results import Mesh, dataset, draw_folder, existing, open_h5, quantity, read_summary
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

    def drawn(self, values):
        """(term, label, colour) of the columns of values that differ; those that are equal to an earlier one share its line."""
        shown = []
        for t in range(len(self.terms)):
            same = [k for k, s in enumerate(shown) if np.allclose(values[:, s[0]], values[:, t], rtol=1e-9, atol=1e-12 * np.nanmax(np.abs(values), initial=0), equal_nan=True)]
            if same and self.terms[t] in ("internal", "total"):
                first = shown[same[0]]
                shown[same[0]] = (t if t == self.of else first[0], first[1] + " = " + self.look(t)[0], "black" if self.of in (t, first[0]) else first[2])
            else:
                shown.append((t, *self.look(t)))
        return shown

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
        share = (x[top] - np.min(x)) / (np.ptp(x) or 1)  # towards the inside at the ends
        axes.annotate("pass %d: %.3g" % (number, row[5] / 1e3), (x[top], y[top]), (0, 5), textcoords="offset points", fontsize=6.5, color=SECOND,
                      ha="left" if share < 0.2 else "right" if share > 0.8 else "center")


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
    axes[0].margins(0.08, 0.1)
    colour_bar(figure, drawn, axes[0], "sample").locator.set_params(integer=True)
    for t, label, colour in l.drawn(l.work - l.work[0]):
        axes[1].plot(l.number, (l.work[:, t] - l.work[0, t]) / 1e3, color=colour, label=label, lw=1.8 if t == l.of else 1)
    axes[1].set_xlabel("sample")
    axes[1].xaxis.get_major_locator().set_params(integer=True)
    axes[1].set_ylabel("energy since the first sample,\nat fixed field (kJ/m³)")
    axes[1].legend()
    return save(figure, figures, "landscape")


def forces(folder, figures):
    """dE/dPC by term; a little beyond its inner 84 %, since it has no bound where the component turns round."""
    l = Landscape(folder)
    figure, axes = plt.subplots(figsize=(WIDE, 2.6), layout="constrained")
    known = l.slope[np.isfinite(l.slope)]
    for t, label, colour in l.drawn(l.slope):
        axes.plot(l.number, l.slope[:, t] / 1e3, color=colour, label=label, lw=1.8 if t == l.of else 1)
    if len(known):
        low, high = np.percentile(known, [8, 92]) / 1e3
        pad = 0.15 * (high - low) + 1e-12
        axes.set_ylim(low - pad, high + pad)
    axes.axhline(0, color="#555555", lw=0.6)
    axes.set_xlabel("sample")
    axes.xaxis.get_major_locator().set_params(integer=True)
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
        score, chance = l.regression[t, :2]
        text = "%.3f" % score + (", by chance %.2g" % chance if np.isfinite(chance) else "") if np.isfinite(score) else "does not change"
        axes.text(1.02, t, text, va="center", fontsize=7)
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
            draw_block(figure, ax, part, p.range if p.range is not None and name.endswith("/image") else None)
            if b == 0:
                ax.set_title(which.replace("path", "along PC%d" % (l.component + 1)).replace("ridge", "regression").replace("/", ", "))
        if blocks > 1:
            axes[b][0].set_ylabel("%s\n%s" % (name.strip("/").replace("/image", "").replace("dimension", "dimension "), axes[b][0].get_ylabel()))
    return save(figure, figures, "maps")


def draw_block(figure, ax, part, extent):
    """A picture, the middle slice of a volume, or bars."""
    part = part[len(part) // 2] if part.ndim == 3 else part
    if part.ndim == 2 and min(part.shape) > 3:
        pca.draw_signed(figure, ax, part, extent, "kJ/m³")
        return
    ax.bar(np.arange(1, part.size + 1), part.ravel(), color=LINE, width=0.8)
    ax.set_xlabel("column")
    ax.set_ylabel("kJ/m³")


def maps(folder, figures):
    l, p = Landscape(folder), pca.Components(folder)
    if l.nodes and "path/net" in l.nodes and p.mesh and os.path.isfile(p.mesh):
        return mesh_maps(l, p, figures)
    return block_maps(l, p, figures)


class Pairs:
    """The pairs behind persistence images: what each adds to the component.  A pair lies in one bin and is spread by the Gaussian of the
    images, so it adds its weight times the loadings spread by the same Gaussian; the sum over all pairs is that over all bins."""

    def __init__(self, l, p, source):
        self.l, self.p, self.folder = l, p, os.path.dirname(source) or "."
        with open_h5(source) as f:
            self.low, self.high, sigma = f.attrs["low_high_sigma"]
            self.bins = int(np.ravel(f.attrs["bins"])[0])
            text = f.attrs["input"].decode() if isinstance(f.attrs["input"], bytes) else f.attrs["input"]
        self.weight = {key: value for key, value in re.findall(r"(weight|weight_scale|weight_power): (\S+)", text)}
        factor = [p.factor[start:start + int(np.prod(shape))] for _, start, shape in p.blocks]
        self.spread = [self.smooth((p.block(l.component, b).ravel() * factor[b]).reshape(self.bins, self.bins), sigma / (self.high - self.low) * self.bins)
                       for b in range(len(p.blocks))]
        with open_h5(existing(self.folder, "diagrams.h5")) as f:
            self.dims, self.corner = f.attrs["dims"], np.ravel(f.attrs["from"])
            read = lambda name: dataset(f, "/%s/%s" % (self.of(name[0]), name[1]))
            self.pairs, self.pixels, self.count = ([np.atleast_1d(read((b, what))) for b in range(len(p.blocks))] for what in ("pairs", "pixels", "count"))
        with open(existing(self.folder, "images.csv"), newline="") as f:
            self.files = [row["file"] for row in csv.DictReader(f)]

    def of(self, b):
        return self.p.blocks[b][0].strip("/").split("/")[0]

    def smooth(self, image, sigma):
        reach = int(np.ceil(4 * sigma))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma)**2) if sigma > 0 else np.ones(1)
        kernel /= kernel.sum()
        along = lambda a: np.array([np.convolve(row, kernel)[reach:reach + len(row)] for row in a])
        return along(along(image).T).T

    def weigh(self, length):
        kind = self.weight.get("weight", "linear")
        if kind == "arctan":
            return np.arctan(float(self.weight.get("weight_scale", 1)) * length**float(self.weight.get("weight_power", 1)))
        return length if kind == "linear" else np.ones(len(length))

    def contributions(self, sample, b, both=False):
        """(value, birth pixel) of the pairs of block b of a sample, from 0, that lie in the range; both: and death pixel."""
        start = int(self.count[b][:sample].sum())
        rows = slice(start, start + int(self.count[b][sample]))
        pair, pixel = self.pairs[b].reshape(-1, 2)[rows], self.pixels[b].reshape(-1, 2)[rows]
        place = (pair - self.low) / (self.high - self.low) * self.bins
        good = np.isfinite(pair).all(1) & (place >= 0).all(1) & (place <= self.bins).all(1)
        x, y = np.minimum(place[good].astype(int), self.bins - 1).T
        return self.weigh(np.abs(np.diff(pair[good])[:, 0])) * self.spread[b][y, x], *(pixel[good, :2 if both else 1].T)


def source_of(folder):
    """features.h5 of magtwin topology that the components are of, or None."""
    with open_h5(existing(folder, "pca.h5")) as f:
        path = f.attrs["files"].decode() if isinstance(f.attrs["files"], bytes) else f.attrs["files"]
        return path if "low_high_sigma" in f.attrs and os.path.isfile(path) else None


def places(folder, figures):
    """Both pictures with their features; the slope is that of the whole step between them."""
    source = source_of(folder)
    if source is None:
        return None
    l, p = Landscape(folder), pca.Components(folder)
    if any(not name.endswith("/image") for name, _, _ in p.blocks):
        return None
    pairs = Pairs(l, p, source)
    nz, ny, nx = (int(n) for n in pairs.dims)
    if nz > 1 or len(pairs.files) != len(l.pc):
        return None
    change = l.pc[l.last] - l.pc[l.first]
    slope = (l.work[l.last, l.of] - l.work[l.first, l.of]) / change / 1e3 if change else 0.0
    shown = [(s, sign * slope, [pairs.contributions(s, b) for b in range(len(p.blocks))]) for s, sign in ((l.first, -1), (l.last, 1))]
    top = max([np.abs(scale * v).max() for _, scale, parts in shown for v, _ in parts if len(v)] + [1e-300])
    norm = plt.Normalize(-top, top)
    x0, y0 = (int(c) for c in pairs.corner[:2])
    figure, axes = plt.subplots(1, 2, figsize=(WIDE, WIDE / 2 * ny / nx + 0.4), layout="constrained")
    for ax, (s, scale, parts) in zip(axes, shown):
        picture = topology.read_picture(pairs.files[s], x0 + nx, y0 + ny)
        if picture is not None:
            ax.imshow(picture[y0:y0 + ny, x0:x0 + nx], cmap="gray", extent=(-0.5, nx - 0.5, ny - 0.5, -0.5))
        for (value, pixel), marker in zip(parts, "osd"):
            value = scale * value
            most = np.argsort(-np.abs(value), kind="stable")[:300]
            ax.scatter(pixel[most] % nx, pixel[most] // nx, c=value[most], s=4 + 40 * np.abs(value[most]) / top, cmap=MOMENT_MAP, norm=norm, marker=marker,
                       edgecolors="#333333", linewidths=0.3)
        ax.set_xlim(-0.5, nx - 0.5)
        ax.set_ylim(ny - 0.5, -0.5)
        ax.set_aspect("equal")
        ax.set_xlabel("x (pixels)")
        ax.set_title("sample %d, %s" % (s + 1, "what went" if scale * (1 if slope >= 0 else -1) < 0 else "what came"))
    axes[0].set_ylabel("y (pixels)")
    colour_bar(figure, ScalarMappable(norm, MOMENT_MAP), list(axes), "contribution to the %s energy (kJ/m³)" % l.terms[l.of])
    return save(figure, figures, "places")


def pictures(folder, figures):
    source = source_of(folder)
    return landscape_places.pictures(Landscape(folder), source, figures) if source else None


CAPTIONS = {
    "scores": "The samples in the plane of the first two components; neighbours in the series are joined.",
    "landscape": "The energy against the component, passes from valley to top (kJ/m³), and all terms along the series. Changes are at fixed field: that of the applied field changes with the moment alone.",
    "forces": "Derivatives of the energy terms along the component: where a term's is above zero while the component grows, that term holds; below, it drives. Cut a little beyond the inner 84 %.",
    "maps": "Where: contributions to the followed energy. Red resists, blue promotes.",
    "pictures": "The same on the pictures: what each feature contributes, laid on the pixels that belong to it (landscape.places). The mean over the pixels is the change of the energy.",
    "places": "Features of the first and the last sample at the pixels where they are born (round: dimension 0, square: 1): red resists, blue promotes; larger, more. Their sum is the change of the energy along the component.",
    "regression": "Ridge regression of each term on what is seen: score on samples held out, and the share of permuted series that score as well.",
    "loadings": "What the components are made of.",
}
PARTS = (scores, landscape, forces, maps, pictures, places, regression, pca.loadings)


def facts(l, summary):
    """Tiles of the page: numbers of the run."""
    group = summary["landscape"]
    pairs = [("samples", page.number(group["samples"])), ("share of PC1", "%.1f %%" % (100 * summary["pca"]["variance"][0] / summary["pca"]["total_variance"])),
             ("passes", page.number(group["passes"]))]
    for key, label in (("roc_area_path", "ROC area along the component"), ("roc_area_ridge", "ROC area by regression"),
                       ("roc_area_places_path", "ROC area of the features' places")):
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
    for name in ("forces", "maps", "pictures", "places", "regression", "loadings"):
        whole.add(name.capitalize(), shown(figures, name))
    path = os.path.join(folder, "landscape.html")
    with open(path, "w", encoding="utf-8") as f:
        f.write(whole.whole())
    return path


def shown(figures, name):
    path = os.path.join(figures, name + ".png")
    return page.picture(path, CAPTIONS[name]) if os.path.isfile(path) else ""


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "landscape", PARTS + (write_page,)))
