#!/usr/bin/env python3
"""grains.py FOLDER [--figures FOLDER]: the grains that `magtwin reconstruct` found, figures in FOLDER/figures.

  grains     distributions of diameter, aspect along the axis, neighbours and areas of contact (grains.csv, contacts.csv)
  labels     the labels on three planes through the middle, and how sure they are where labels.h5 says so

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished.
"""
import os
import sys

import numpy as np
from matplotlib.colors import ListedColormap

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import Unusable, dataset, draw_folder, existing, open_h5, read_columns
from style import GRAIN_COLOURS, LINE, WIDE, colour_bar, map_axes, plt, save

PANELS = (("diameter_nm", "diameter (nm)"), ("aspect", "width across over along the axis"), ("neighbours", "neighbours"))


def histogram(axes, values, label, whole=False):
    bins = np.arange(values.min() - .5, values.max() + 1) if whole else max(5, int(np.sqrt(len(values)) * 1.5))
    axes.hist(values, bins, color=LINE, alpha=.85)
    axes.axvline(values.mean(), color="black", lw=.8)
    axes.set_xlabel(label)
    axes.set_title("mean %.3g, standard deviation %.2g" % (values.mean(), values.std()), fontsize=7)


def draw_distributions(folder, figures):
    table = read_columns(folder, "grains.csv", 1, [name for name, _ in PANELS])
    contact = read_columns(folder, "contacts.csv", 1, ["grain_a", "area_nm2"])
    figure, axes = plt.subplots(2, 2, figsize=(WIDE, 4.2), layout="constrained")
    for a, (name, label) in zip(axes.flat, PANELS):
        histogram(a, table[name], label, name == "neighbours")
        a.set_ylabel("grains")
    between = contact["area_nm2"][contact["grain_a"] > 0]
    if len(between):
        histogram(axes[1, 1], between, "area of contact of two grains (nm²)")
    axes[1, 1].set_ylabel("contacts")
    return save(figure, figures, "grains")


def read_labels(path):
    with open_h5(path) as f:
        try:
            dims, voxel = f["/labels"].attrs["dims"], f["/labels"].attrs["voxel"]
        except KeyError as e:
            raise Unusable("%s: %s" % (path, e)) from e
        label = dataset(f, "/labels").reshape(dims)
        sure = dataset(f, "/confidence").reshape(dims) / 255 if "/confidence" in f else None
    return label, sure, voxel


def cut(volume, axis):
    return np.take(volume, volume.shape[axis] // 2, axis=axis)


def draw_labels(folder, figures):
    label, sure, voxel = read_labels(existing(folder, "labels.h5"))
    rows = 1 if sure is None else 2
    colours = ListedColormap(["white"] + [GRAIN_COLOURS[i % len(GRAIN_COLOURS)] for i in range(label.max())])
    figure, axes = plt.subplots(rows, 3, figsize=(WIDE, 2.3 * rows), layout="constrained", squeeze=False)
    for column, (axis, names) in enumerate(((0, "xy"), (1, "xz"), (2, "yz"))):
        across, down = ("xyz".index(c) for c in names)
        extent = (0, label.shape[2 - across] * voxel[across], label.shape[2 - down] * voxel[down], 0)
        axes[0, column].imshow(cut(label, axis), cmap=colours, vmin=-.5, vmax=label.max() + .5, interpolation="nearest", extent=extent)
        if sure is not None:
            image = axes[1, column].imshow(cut(sure, axis), cmap="gray", vmin=.5, vmax=1, interpolation="nearest", extent=extent)
        for row in axes:
            map_axes(row[column], names)
    axes[0, 0].set_title("grains; white: none")
    if sure is not None:
        axes[1, 0].set_title("probability of the label")
        colour_bar(figure, image, axes[1, 2], "probability")
    return save(figure, figures, "labels")


PARTS = (draw_distributions, draw_labels)


def parts_of(folder):
    """What there is to draw of the grains in a folder where another run went on from them."""
    there = all(os.path.isfile(os.path.join(folder, name)) for name in ("labels.h5", "grains.csv", "contacts.csv"))
    return PARTS if there else ()


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "reconstruct", PARTS))
