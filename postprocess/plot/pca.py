#!/usr/bin/env python3
"""pca.py FOLDER [--figures FOLDER]: figures of a run of magtwin pca, as PNG and SVG in FOLDER/figures.

  scores     the samples in the plane of the first two components, and the share of the variance of each
  loadings   the first components as what they are of: diagrams, pictures, columns; of fields on a mesh a cut

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished; the figures that can be drawn are drawn.
"""
import os
import sys

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from geometry import Cut
from map_figures import fill, limits, outline
from results import Mesh, Unusable, dataset, draw_folder, existing, open_h5
from style import GREY, LINE, MOMENT_MAP, WIDE, colour_bar, map_axes, plt, save

SHOWN = 3  # components drawn


class Components:
    """pca.h5: variance, share, scores, loadings [variables, components], blocks [(name, start, shape)], columns: their names in a table with a header or None,
    range of diagrams or None, mesh or None."""

    def __init__(self, folder):
        with open_h5(existing(folder, "pca.h5")) as f:
            self.variance, self.scores, self.loadings, self.factor = (dataset(f, n) for n in ("/variance", "/scores", "/loadings", "/factor"))
            self.variance, k = np.atleast_1d(self.variance), len(np.atleast_1d(self.variance))
            self.scores, self.loadings = self.scores.reshape(-1, k), self.loadings.reshape(-1, k)
            self.share = self.variance / float(np.ravel(f.attrs["total_variance"])[0])
            self.range = f.attrs["low_high_sigma"][:2] if "low_high_sigma" in f.attrs else None
            names = [n.decode() if isinstance(n, bytes) else n for n in dataset(f, "/blocks/name")]
            self.blocks = [(n, int(s[0]), tuple(s[1:])) for n, s in zip(names, dataset(f, "/blocks/start_shape"))]
            self.columns = [n.decode() if isinstance(n, bytes) else n for n in np.atleast_1d(dataset(f, "/blocks/columns"))] if "blocks/columns" in f else None
            text = f.attrs["input"].decode() if isinstance(f.attrs["input"], bytes) else f.attrs["input"]
            self.modes = [dataset(f, "/modes/%04d" % (c + 1)) for c in range(min(k, SHOWN))] if "modes" in f else None
        lines = [line.split("mesh:", 1)[1].strip().strip("\"'") for line in text.splitlines() if line.strip().startswith("mesh:")]
        self.mesh = next((line for line in lines if line), None) if self.modes else None

    def block(self, c, b):
        """Loadings of component c on block b in its shape, axes of length 1 dropped."""
        name, start, shape = self.blocks[b]
        part = self.loadings[start:start + int(np.prod(shape)), c]
        return part.reshape([s for s in shape if s > 1] or [1])


def draw_scores(figure, axes, p, value, label, path=True):
    """The samples, coloured by value, and the path they make where their order means something."""
    second = p.scores[:, 1] if p.scores.shape[1] > 1 else np.zeros(len(p.scores))
    if path:
        axes.plot(p.scores[:, 0], second, color=GREY, lw=0.5, zorder=1)
    drawn = axes.scatter(p.scores[:, 0], second, c=value, s=14, cmap="viridis", zorder=2)
    axes.set_xlabel("PC1 (%.1f %%)" % (100 * p.share[0]))
    if len(p.share) > 1:
        axes.set_ylabel("PC2 (%.1f %%)" % (100 * p.share[1]))
    else:
        axes.set_yticks([])
    bar = colour_bar(figure, drawn, axes, label)
    if label == "sample":
        bar.locator.set_params(integer=True)


def scores(folder, figures):
    p = Components(folder)
    figure, axes = plt.subplots(1, 2, figsize=(WIDE, 2.9), width_ratios=[1.5, 1], layout="constrained")
    draw_scores(figure, axes[0], p, np.arange(1, len(p.scores) + 1), "sample", path=not p.columns)
    number = np.arange(1, len(p.share) + 1)
    axes[1].bar(number, 100 * p.share, color=LINE, width=0.7)
    axes[1].plot(number, 100 * np.cumsum(p.share), "o-", color=GREY, ms=3, label="together")
    axes[1].set_xlabel("component")
    axes[1].set_ylabel("share of the variance (%)")
    axes[1].set_ylim(0, 105)
    axes[1].set_xlim(0.4, max(len(p.share), 3) + 0.6)
    axes[1].xaxis.get_major_locator().set_params(integer=True)
    axes[1].legend(loc="center right")
    return save(figure, figures, "scores")


def symmetric(values):
    top = np.abs(values).max()
    return Normalize(-top, top) if top > 0 else Normalize(-1, 1)


def draw_image(axes, image, norm, low_high):
    """A diagram over birth and death, or a picture."""
    if low_high is not None:
        low, high = low_high
        axes.imshow(image, origin="lower", extent=(low, high, low, high), cmap=MOMENT_MAP, norm=norm, interpolation="nearest")
        axes.plot([low, high], [low, high], color="#555555", lw=0.7)
        axes.set_xlabel("birth")
        axes.set_ylabel("death")
    else:
        axes.imshow(image, cmap=MOMENT_MAP, norm=norm, interpolation="nearest")
        axes.set_xlabel("x (pixels)")
        axes.set_ylabel("y (pixels)")


def draw_signed(figure, axes, part, low_high, label):
    """With its colour bar, or a word where there is nothing."""
    norm = symmetric(part)
    draw_image(axes, part, norm, low_high)
    if part.any():
        colour_bar(figure, ScalarMappable(norm, MOMENT_MAP), axes, label)
    else:
        axes.text(0.5, 0.5, "nothing", transform=axes.transAxes, ha="center", va="center", color="#777777", backgroundcolor="white", fontsize=7)


def draw_block(figure, axes, p, c, b, last=True):
    part = p.block(c, b)
    if part.ndim == 3:  # a volume: its middle slice
        part = part[len(part) // 2]
    diagram = p.range is not None and p.blocks[b][0].endswith("/image")
    if part.ndim == 2 and min(part.shape) > 3:
        draw_signed(figure, axes, part, p.range if diagram else None, "loading")
    elif len(part.ravel()) <= 40:
        axes.bar(np.arange(1, part.size + 1), part.ravel(), color=LINE, width=0.8)
        if p.columns and len(p.columns) == part.size:
            axes.set_xticks(np.arange(1, part.size + 1), p.columns if last else [""] * part.size, rotation=90, fontsize=7)
        else:
            axes.set_xlabel("column")
        axes.set_ylabel("loading")
    else:
        axes.plot(np.arange(1, part.shape[0] + 1), part.reshape(part.shape[0], -1), lw=0.8)
        axes.set_xlabel("index")
    axes.set_title("PC%d, %s" % (c + 1, p.blocks[b][0].strip("/").replace("/image", "").replace("dimension", "dimension ")))


def mesh_loadings(p, figures):
    """The components of the field that a unit of score adds, on a cut through the middle."""
    mesh = Mesh(p.mesh)
    cut = Cut(mesh, 2, float(mesh.box.mean(0)[2]))
    modes = [m.reshape(len(mesh.x), -1) for m in p.modes]
    n = modes[0].shape[1]
    figure, axes = plt.subplots(len(modes), n, figsize=(0.8 + 2.2 * n, 2.1 * len(modes)), squeeze=False, layout="constrained")
    for c, (mode, row) in enumerate(zip(modes, axes)):
        norm = symmetric(mode[np.unique(mesh.tet)])
        for a, ax in enumerate(row):
            fill(ax, cut, cut.node_value(mode[:, a]), MOMENT_MAP, norm)
            outline(ax, cut, mesh)
            limits(ax, mesh, cut)
            map_axes(ax, cut.labels)
            ax.set_title("PC%d%s" % (c + 1, ", " + "xyz"[a] if n == 3 else ""))
        colour_bar(figure, ScalarMappable(norm, MOMENT_MAP), list(row), "a unit of score adds")
    return save(figure, figures, "loadings")


def loadings(folder, figures):
    p = Components(folder)
    if p.modes:
        if not p.mesh or not os.path.isfile(p.mesh):
            raise Unusable("the mesh of %s/pca.h5, %s, is not there: start where the run was started" % (folder, p.mesh))
        return mesh_loadings(p, figures)
    rows, columns = min(SHOWN, len(p.variance)), min(len(p.blocks), 4)
    figure, axes = plt.subplots(rows, columns, figsize=(max(3.4, 3.0 * columns), 2.4 * rows), squeeze=False, layout="constrained")
    for c in range(rows):
        for b in range(columns):
            draw_block(figure, axes[c][b], p, c, b, last=c == rows - 1)
    return save(figure, figures, "loadings")


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "pca", (scores, loadings)))
