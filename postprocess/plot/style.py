"""One look for all figures: sizes of a journal's column, colours that survive grey printing and colour blindness."""
import os

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

COLUMN = 3.4  # inch, one column; two columns are 7.0
WIDE = 7.0

REVERSED, KEPT = "#b2182b", "#2166ac"  # the ends of the diverging map, for lines about the same thing
LINE, SECOND, GREY = "#1b4f8a", "#c4551a", "#8a8a8a"
GB_COLOUR = "#3a3a3a"
NOT_MAGNETIC = "#8c8c8c"
NOT_REVERSED = "#e8e8e8"
FIELD_MAP, MOMENT_MAP, MODE_MAP, ANGLE_MAP = "viridis", "RdBu_r", "magma_r", "viridis"
# the terms of the energy: name in the tables, in figures, colour
TERMS = [("exchange", "exchange", "#1b4f8a"), ("anisotropy", "anisotropy", "#c4551a"), ("zeeman", "field", "#4d9221"),
         ("demag", "stray field", "#7b3294"), ("surface", "surface", "#8a8a8a"), ("dmi", "DMI", "#b8860b"),
         ("elastic", "elastic", "#d01c8b"), ("interface", "interface", "#018571")]
# muted, neighbouring entries far apart
GRAIN_COLOURS = ["#8dd3c7", "#ffe8a3", "#bebada", "#f4a59a", "#9cc3dd", "#f7c790", "#c1dd8b", "#f3cfe1", "#d8cfc4", "#a3b18a",
                 "#e6b8af", "#b6d7e4", "#d5c4a1", "#c9e4c5", "#cdb4db", "#ffd6a5"]

plt.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 8, "axes.labelsize": 8, "axes.titlesize": 8, "xtick.labelsize": 7,
    "ytick.labelsize": 7, "legend.fontsize": 7, "axes.linewidth": 0.7, "xtick.direction": "in", "ytick.direction": "in",
    "lines.linewidth": 1.3, "legend.frameon": False, "savefig.dpi": 300, "figure.dpi": 100, "svg.fonttype": "none",
    "svg.hashsalt": "magtwin", "axes.titlelocation": "left",
})


def save(figure, folder, name):
    """PNG and SVG; no dates in them, so that the same data give the same files."""
    os.makedirs(folder, exist_ok=True)
    png, svg = os.path.join(folder, name + ".png"), os.path.join(folder, name + ".svg")
    figure.savefig(png, bbox_inches="tight", metadata={"Software": None})
    figure.savefig(svg, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    return png


def map_axes(axes, labels):
    """A drawing to scale with lengths in nm on both axes."""
    axes.set_aspect("equal")
    axes.set_xlabel("%s (nm)" % labels[0])
    axes.set_ylabel("%s (nm)" % labels[1])
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def colour_bar(figure, mappable, axes, label):
    bar = figure.colorbar(mappable, ax=axes, shrink=0.85, pad=0.02, aspect=22)
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)
    return bar
