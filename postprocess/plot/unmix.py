#!/usr/bin/env python3
"""unmix.py FOLDER [--figures FOLDER]: figures of a run of magtwin unmix, as PNG and SVG in FOLDER/figures.

  unmix   the map of each component above its spectrum

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished.
"""
import os
import sys

import h5py

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import draw_folder, existing
from style import LINE, plt, save

SHOWN = 6  # components


def unmix(folder, figures):
    with h5py.File(existing(folder, "unmix.h5"), "r") as f:
        ny, nx = (int(n) for n in f.attrs["dims"])
        maps, spectra = f["maps"][:], f["spectra"][:]
    k = min(SHOWN, len(spectra))
    figure, axes = plt.subplots(2, k, figsize=(0.6 + 2.2 * k, 4.2), squeeze=False, layout="constrained", height_ratios=[1.4, 1], sharey="row")
    for c in range(k):
        top, bottom = axes[:, c]
        if ny > 1:
            drawn = top.imshow(maps[:, c].reshape(ny, nx), cmap="viridis", vmin=0, vmax=maps.max(), interpolation="nearest")
        else:
            top.plot(maps[:, c], color=LINE, lw=0.8)
        top.set_title("component %d" % (c + 1))
        bottom.plot(spectra[c], color=LINE, lw=1)
        bottom.set_xlabel("channel")
    axes[0, 0].set_ylabel("y (pixels)" if ny > 1 else "amount")
    axes[1, 0].set_ylabel("spectrum, unit length")
    axes[1, 0].set_ylim(bottom=0)
    if ny > 1:
        figure.colorbar(drawn, ax=list(axes[0]), pad=0.01, aspect=20, label="amount")
    return save(figure, figures, "unmix")


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "unmix", (unmix,)))
