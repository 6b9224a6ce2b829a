#!/usr/bin/env python3
"""texture.py FOLDER [--figures FOLDER]: figures of a run of magtwin texture, as PNG and SVG in FOLDER/figures.

  bands      energy of the bands by scale and orientation: the mean of the pictures, and the scales of every picture
  estimates  estimated against known parameters, of pictures that the model had not seen

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished; the figures that can be drawn are drawn.
"""
import csv
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import draw_folder, existing
from style import LINE, plt, save


def bands(folder, figures):
    with h5py.File(existing(folder, "texture.h5"), "r") as f:
        scales, orientations = (int(n) for n in f.attrs["scales_orientations"])
        names = [n.decode() for n in f["names"][:]]
        x = f["features"][:]
    at = [names.index("energy_%d_%d" % (s, k)) for s in range(scales) for k in range(orientations)]
    energy = x[:, at].reshape(-1, scales, orientations)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0), layout="constrained")
    drawn = left.imshow(energy.mean(0), cmap="viridis", vmin=0, aspect="auto")
    left.set_xticks(range(orientations), ["%.0f" % (180 * k / orientations) for k in range(orientations)])
    left.set_yticks(range(scales), ["%d" % s for s in range(scales)])
    left.set_xlabel("direction of the waves (degrees from x, y down)")
    left.set_ylabel("scale (0: finest)")
    left.set_title("mean of %d picture%s" % (len(x), "" if len(x) == 1 else "s"))
    figure.colorbar(drawn, ax=left, pad=0.02, aspect=20, label="share of the energy")
    total = np.concatenate([x[:, [names.index("energy_high")]], energy.sum(2), x[:, [names.index("energy_low")]]], 1)
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(x)))
    for row, shade in zip(total, shades):
        right.plot(row, color=shade, lw=1, marker="o", ms=2)
    right.set_xticks(range(scales + 2), ["finer"] + ["%d" % s for s in range(scales)] + ["coarser"])
    right.set_xlabel("scale (0: finest band)")
    right.set_ylabel("share of the energy, all directions")
    right.set_title("every picture, from the first (dark) to the last")
    right.set_ylim(bottom=0)
    return save(figure, figures, "bands")


def estimates(folder, figures):
    path = os.path.join(folder, "estimates.csv")
    if not os.path.exists(path):
        return None
    with open(path, newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["fold"]]
    targets = list(dict.fromkeys(r["target"] for r in rows))
    figure, axes = plt.subplots(1, len(targets), figsize=(0.4 + 2.8 * len(targets), 2.9), squeeze=False, layout="constrained")
    for target, ax in zip(targets, axes[0]):
        mine = [r for r in rows if r["target"] == target]
        known, guess = (np.array([float(r[c]) for r in mine]) for c in ("value", "estimate"))
        error = np.array([float(r["deviation"] or "nan") for r in mine])
        if np.isfinite(error).any():
            ax.errorbar(known, guess, error, fmt="none", ecolor="#aaaaaa", lw=0.7)
        ax.plot(known, guess, "o", ms=3, color=LINE)
        ends = [min(known.min(), guess.min()), max(known.max(), guess.max())]
        ax.plot(ends, ends, color="#555555", lw=0.7)
        explained = 1 - ((known - guess)**2).sum() / max(((known - known.mean())**2).sum(), 1e-300)
        ax.set_title("%s: %.2f explained" % (target, explained))
        ax.set_xlabel("known")
        ax.set_ylabel("estimated, left out")
    return save(figure, figures, "estimates")


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "texture", (bands, estimates)))
