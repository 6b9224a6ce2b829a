#!/usr/bin/env python3
"""topology.py FOLDER [--figures FOLDER]: figures of a run of magtwin topology, as PNG and SVG in FOLDER/figures.

  diagrams   pairs of birth and death of all images, a histogram with logarithmic colours for each dimension
  images     the persistence images, mean over the series, and the Betti curves of the images
  pixels     of single pictures that can be read here: where the features that last longest are born and die; their cycles
             where the run wrote them (topology.cycles)

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished; the figures that can be drawn are drawn.
"""
import csv
import os
import sys

import h5py
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.ticker import NullFormatter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import Unusable, draw_folder, existing
from style import LINE, SECOND, WIDE, colour_bar, plt, save

SHOWN = 40  # features drawn on a picture, of each dimension
NAMES = {2: ["domains", "loops"], 3: ["domains", "loops", "voids"]}


def dimensions(f):
    return [k for k in range(3) if "dimension%d" % k in f]


def finite(pairs):
    return pairs[np.isfinite(pairs).all(1)]


def bounds(f):
    values = np.concatenate([finite(f["dimension%d/pairs" % k][:]).ravel() for k in dimensions(f)])
    if not len(values):
        raise Unusable("no image has a feature that is born and dies")
    return values.min(), values.max()


def diagrams(folder, figures):
    """One histogram a dimension, births across, deaths up, the diagonal in between."""
    with h5py.File(existing(folder, "diagrams.h5"), "r") as f:
        low, high = bounds(f)
        ks = dimensions(f)
        edges = np.linspace(low, high + 1e-9 * (high - low), 129)
        counts = [np.histogram2d(*finite(f["dimension%d/pairs" % k][:]).T, bins=edges)[0].T for k in ks]
        images = len(f["dimension0/count"])
    most = max(10, max(c.max() for c in counts))
    figure, axes = plt.subplots(1, len(ks), figsize=(0.5 + 2.9 * len(ks), 2.9), squeeze=False, layout="constrained")
    for k, count, ax in zip(ks, counts, axes[0]):
        drawn = ax.pcolormesh(edges, edges, np.where(count > 0, count, np.nan), norm=LogNorm(1, most), cmap="viridis", rasterized=True)
        ax.plot([low, high], [low, high], color="#555555", lw=0.7)
        ax.set_aspect("equal")
        ax.set_xlabel("birth")
        ax.set_ylabel("death")
        ax.set_title("dimension %d (%s): %d pairs" % (k, NAMES[len(ks)][k], int(count.sum())))
    bar = colour_bar(figure, drawn, list(axes[0]), "pairs a bin, %d image%s" % (images, "" if images == 1 else "s"))
    bar.ax.yaxis.set_major_formatter("{x:.0f}")
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    return save(figure, figures, "diagrams")


def images(folder, figures):
    """The mean persistence image of each dimension; below it the Betti curve of every image."""
    with h5py.File(existing(folder, "features.h5"), "r") as f:
        low, high, sigma = f.attrs["low_high_sigma"]
        bins, ks = int(np.ravel(f.attrs["bins"])[0]), dimensions(f)
        mean = [f["dimension%d/image" % k][:].mean(0).reshape(bins, bins) for k in ks]
        betti = [f["dimension%d/betti" % k][:].reshape(-1, bins) for k in ks]
    figure, axes = plt.subplots(2, len(ks), figsize=(2.9 * len(ks), 4.6), squeeze=False, height_ratios=[2.3, 1], layout="constrained")
    middle = low + (np.arange(bins) + 0.5) * (high - low) / bins
    for k, image, curves, column in zip(ks, mean, betti, axes.T):
        drawn = column[0].imshow(image, origin="lower", extent=(low, high, low, high), cmap="magma_r", interpolation="nearest")
        column[0].plot([low, high], [low, high], color="#555555", lw=0.7)
        column[0].set_xlabel("birth")
        column[0].set_ylabel("death")
        column[0].set_title("dimension %d (%s)" % (k, NAMES[len(ks)][k]))
        figure.colorbar(drawn, ax=column[0], shrink=0.65, pad=0.02, aspect=20, label="weight a bin")
        shades = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(curves)))
        for i, (curve, shade) in enumerate(zip(curves, shades)):
            column[1].plot(middle, curve, color=shade, lw=1, label="image %d" % (i + 1))
        if len(curves) <= 4:
            column[1].legend()
        column[1].set_ylim(bottom=0)
        column[1].set_xlabel("value")
        column[1].set_ylabel("features alive")
        if len(curves) > 4:
            column[1].set_title("images from the first (dark) to the last")
    return save(figure, figures, "images")


def read_tiff(path, page):
    """By PIL, which matplotlib brings; None where it cannot."""
    from PIL import Image
    try:
        with Image.open(path) as f:
            f.seek(page)
            return np.asarray(f, float)
    except (OSError, EOFError, ValueError):
        return None


def read_picture(path, nx, ny):
    """The picture as gray numbers, or None where this is not the place to read it."""
    path, page = (path.rsplit(", page ", 1) + ["0"])[:2]
    ending = os.path.splitext(path)[1].lower()
    if not os.path.exists(path) or ending not in (".png", ".npy", ".tif", ".tiff"):
        return None
    a = np.load(path) if ending == ".npy" else plt.imread(path) if ending == ".png" else read_tiff(path, int(page))
    a = a[..., :3].mean(-1) if ending != ".npy" and a is not None and a.ndim == 3 else a
    return None if a is None else a if a.ndim == 2 and a.shape[0] >= ny and a.shape[1] >= nx else None


def draw_cycles(folder, axes, x0, y0):
    """The loops of the first picture, edge by edge."""
    path = os.path.join(folder, "diagrams", "0001_cycles.csv")
    if not os.path.exists(path):
        return
    rows = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    rows = rows[rows[:, 1] == 1] if len(rows) else np.zeros((0, 10))
    edges = np.stack([rows[:, 4:6], rows[:, 7:9]], 1) + [x0, y0]
    axes.add_collection(LineCollection(edges, colors=SECOND, linewidths=0.9, label="cycles"))


def pixels(folder, figures):
    """The features that last longest, on the first picture."""
    with h5py.File(existing(folder, "diagrams.h5"), "r") as f:
        nz, ny, nx = f.attrs["dims"]
        x0, y0 = np.ravel(f.attrs["from"])
        parts = {k: (f["dimension%d/pairs" % k][:int(f["dimension%d/count" % k][0])],
                     f["dimension%d/pixels" % k][:int(f["dimension%d/count" % k][0])]) for k in dimensions(f)}
    with open(existing(folder, "images.csv"), newline="") as f:
        path = next(csv.DictReader(f))["file"]
    picture = read_picture(path, x0 + nx, y0 + ny) if nz == 1 else None
    if picture is None:
        return None
    picture = picture[y0:y0 + ny, x0:x0 + nx]
    figure, axes = plt.subplots(figsize=(WIDE * 0.7, WIDE * 0.7 * ny / nx + 0.4))
    axes.imshow(picture, cmap="gray", vmin=np.percentile(picture, 1), vmax=np.percentile(picture, 99), interpolation="nearest",
                extent=(x0 - 0.5, x0 + nx - 0.5, y0 + ny - 0.5, y0 - 0.5))
    for k, colour in ((0, LINE), (1, SECOND)):
        pairs, where = parts[k]
        good = np.flatnonzero(where[:, 1] >= 0)
        longest = good[np.argsort(-np.abs(np.diff(pairs[good])[:, 0]), kind="stable")][:SHOWN]
        birth, death = where[longest].T
        axes.plot([x0 + birth % nx, x0 + death % nx], [y0 + birth // nx, y0 + death // nx], color=colour, lw=0.7)
        axes.plot(x0 + birth % nx, y0 + birth // nx, "o", ms=3, color=colour, label="dimension %d: birth" % k)
        axes.plot(x0 + death % nx, y0 + death // nx, "s", ms=3, mfc="none", color=colour, label="death")
    draw_cycles(folder, axes, x0, y0)
    axes.set_title("%s: features that last longest, at most %d a dimension" % (os.path.basename(path), SHOWN))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncol=4)
    axes.set_xlabel("x (pixels)")
    axes.set_ylabel("y (pixels)")
    return save(figure, figures, "pixels")


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "topology", (diagrams, images, pixels)))
