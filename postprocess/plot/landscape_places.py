"""What persistence images contribute, laid on their pictures: figure `pictures` of magtwin landscape."""
import csv
import os

import numpy as np
from matplotlib.cm import ScalarMappable

import pca
import topology
from results import dataset, open_h5
from style import MOMENT_MAP, WIDE, colour_bar, plt, save

GROUPS = (("truth", "true work"), ("path", "along PC%d"), ("ridge", "regression"))
FAINT = 0.35  # share of the largest number from which on a colour covers the picture


def fullest(f, size):
    """The slice of a volume in which most resists or promotes along the component."""
    a = np.abs(np.nan_to_num(dataset(f, "/places/path/net").reshape(size)))
    return int(a.sum((1, 2)).argmax())


def one_slice(f, name, size, at):
    """kJ/m3."""
    return dataset(f, name).reshape(size)[at] / 1e3


def gray(source, sample, shape):
    """The picture of a sample behind its map, or None: states and volumes have none."""
    folder = os.path.dirname(source) or "."
    if not os.path.isfile(os.path.join(folder, "images.csv")) or not os.path.isfile(os.path.join(folder, "diagrams.h5")):
        return None
    with open(os.path.join(folder, "images.csv"), newline="") as f:
        files = [row["file"] for row in csv.DictReader(f)]
    with open_h5(os.path.join(folder, "diagrams.h5")) as f:
        x0, y0 = (int(c) for c in np.ravel(f.attrs["from"])[:2])
    ny, nx = shape
    picture = topology.read_picture(files[sample], x0 + nx, y0 + ny) if sample < len(files) else None
    return None if picture is None else picture[y0:y0 + ny, x0:x0 + nx]


def draw(axes, value, norm, picture):
    """Row 0 of a picture is at its top, of a cut through states at the bottom."""
    ny, nx = value.shape
    if picture is None:
        axes.imshow(np.ma.masked_invalid(value), cmap=MOMENT_MAP, norm=norm, origin="lower", interpolation="nearest")
        return
    axes.imshow(picture, cmap="gray", vmin=np.percentile(picture, 1), vmax=np.percentile(picture, 99), interpolation="nearest", extent=(-0.5, nx - 0.5, ny - 0.5, -0.5))
    colours = plt.get_cmap(MOMENT_MAP)(norm(np.nan_to_num(value)))
    colours[..., 3] = np.minimum(1, np.abs(np.nan_to_num(value)) / (FAINT * norm.vmax)) * 0.8
    axes.imshow(colours, interpolation="nearest", extent=(-0.5, nx - 0.5, ny - 0.5, -0.5))


def pictures(l, source, figures):
    """Net, resisting and promoting of each group; None where the run laid nothing on pictures."""
    with open_h5(os.path.join(l.folder, "landscape.h5")) as f:
        if "places/path" not in f:
            return None
        size = [int(n) for n in f["places"].attrs["size_zyx"]]
        at = fullest(f, size)
        maps = {"%s/%s" % (g, w): one_slice(f, "/places/%s/%s" % (g, w), size, at) for g, _ in GROUPS if "places/" + g in f for w in ("net", "resisting", "promoting")}
    if min(size[1:]) < 2:
        return None
    groups = [(g, label) for g, label in GROUPS if g + "/net" in maps]
    behind = gray(source, l.last, size[1:]) if source and size[0] == 1 else None
    height = (WIDE + 0.6) / 3 * 0.8 * size[1] / size[2] + 0.75
    figure, axes = plt.subplots(len(groups), 3, figsize=(WIDE + 0.6, height * len(groups)), squeeze=False, layout="constrained")
    for row, (group, label) in zip(axes, groups):
        for ax, what in zip(row, ("net", "resisting", "promoting")):
            value = maps["%s/%s" % (group, what)]
            norm = pca.symmetric(value[np.isfinite(value)])
            draw(ax, value, norm, behind)
            ax.set_title("%s, %s" % (label % (l.component + 1) if "%" in label else label, what))
            colour_bar(figure, ScalarMappable(norm, MOMENT_MAP), ax, "kJ/m³")
    for ax in axes[-1]:
        ax.set_xlabel("x (pixels)")
    for row in axes:
        row[0].set_ylabel("y (pixels)")
    if size[0] > 1:
        figure.suptitle("slice %d of %d along z, in which the map has most" % (at + 1, size[0]), fontsize=8)
    return save(figure, figures, "pictures")
