#!/usr/bin/env python3
"""peaks.py FOLDER [--figures FOLDER]: figures of a run of magtwin peaks, as PNG and SVG in FOLDER/figures.

  peaks   the spectrum with the best fit, its peaks and what it leaves; and the free energy of every number of peaks

Needs numpy and matplotlib.  Exit code 2 when a file is missing or unfinished.
"""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import draw_folder, existing
from style import LINE, SECOND, plt, save


def table(path):
    return np.atleast_1d(np.genfromtxt(path, delimiter=",", names=True))


def peaks(folder, figures):
    fit, models = table(existing(folder, "fit.csv")), table(existing(folder, "models.csv"))
    figure, axes = plt.subplot_mosaic([["fit", "models"], ["rest", "models"]], figsize=(7.4, 3.6), width_ratios=[2.2, 1],
                                      height_ratios=[3, 1], layout="constrained")
    ax, rest, bars = axes["fit"], axes["rest"], axes["models"]
    ax.plot(fit["x"], fit["y"], "o", ms=2.5, color="#777777", label="measured")
    for name in fit.dtype.names[4:]:
        ax.fill_between(fit["x"], fit["background"], fit["background"] + fit[name], alpha=0.3, lw=0)
    ax.plot(fit["x"], fit["fit"], color=LINE, lw=1.2, label="best fit")
    ax.legend()
    ax.set_ylabel("y")
    ax.tick_params(labelbottom=False)
    rest.plot(fit["x"], fit["y"] - fit["fit"], color=SECOND, lw=0.8)
    rest.axhline(0, color="#555555", lw=0.5)
    rest.set_ylabel("left")
    rest.set_xlabel("x")
    best = models["free_energy"].argmin()
    shown = models["free_energy"] - models["free_energy"].min()
    bars.plot(models["peaks"], shown, "o-", ms=4, color=LINE)
    bars.plot(models["peaks"][best], 0, "o", ms=7, color=SECOND)
    bars.set_yscale("symlog", linthresh=1)
    bars.set_ylim(bottom=-0.3)
    bars.set_xticks(models["peaks"].astype(int))
    bars.set_xlabel("peaks")
    bars.set_ylabel("free energy above the least")
    bars.set_title("probability of %d: %.2f" % (models["peaks"][best], models["probability"][best]))
    return save(figure, figures, "peaks")


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "peaks", (peaks,)))
