"""Figure `grains` of a grain growth run: sizes beside Hillert's distribution, neighbours, and neighbours against size (fields/grains_*.csv)."""
import os

import numpy as np

from results import Unusable, read_columns
from style import LINE, SECOND, WIDE, plt, save

TIMES = 3  # distributions drawn beside the last
NEEDED = ("t_s", "radius_nm", "neighbours")


def hillert(u, dim):
    """Density of R/<R> in normal growth, M. Hillert, Acta Metall. 13 (1965) 227: <R> is 8/9 of the critical radius in three dimensions, all of it in two."""
    mean, b = (1, 2) if dim == 2 else (8 / 9, 3)
    x = np.clip(np.asarray(u, float) * mean, 0, 2 - 1e-9)
    return mean * (2 * np.e)**b * b * x / (2 - x)**(2 + b) * np.exp(-2 * b / (2 - x))


def tables(folder):
    """The lists kept, in time; those of at least two grains."""
    where = os.path.join(folder, "fields")
    names = sorted(name for name in os.listdir(where) if name.startswith("grains_") and name.endswith(".csv"))
    found = [read_columns(where, name, 1, NEEDED) for name in names]
    found = [table for table in found if len(table["t_s"]) > 1]
    if not found:
        raise Unusable("%s holds no lists of two grains or more" % where)
    return found


def has_tables(folder):
    where = os.path.join(folder, "fields")
    return os.path.isdir(where) and any(name.startswith("grains_") and name.endswith(".csv") for name in os.listdir(where))


def relative(table):
    return table["radius_nm"] / table["radius_nm"].mean()


def sizes(axes, shown, dim):
    """Distributions as steps, the last filled."""
    u = np.linspace(0, 2.5, 200)
    for k, table in enumerate(shown):
        values, last = relative(table), k == len(shown) - 1
        bins = np.linspace(0, 2.5, 1 + int(np.clip(2 * len(values)**(1 / 3), 6, 25)))
        grey = str(0.75 - 0.45 * k / max(1, len(shown) - 1))
        axes.hist(values, bins, density=True, histtype="stepfilled" if last else "step", color=LINE if last else grey, alpha=0.55 if last else 1,
                  label="%.4g s, %d grains" % (table["t_s"][0], len(values)))
    axes.plot(u, hillert(u, dim), color=SECOND, label="Hillert, %d-D" % dim)
    axes.set_xlabel("R/<R>")
    axes.set_ylabel("density")
    axes.set_xlim(0, 2.5)
    axes.legend(fontsize=6)


def neighbours(axes, table):
    n = table["neighbours"]
    axes.hist(n, np.arange(n.min() - 0.5, n.max() + 1), color=LINE, alpha=0.85)
    axes.axvline(n.mean(), color="black", lw=0.8)
    axes.set_xlabel("neighbours")
    axes.set_ylabel("grains")
    axes.set_title("t = %.4g s: mean %.3g" % (table["t_s"][0], n.mean()), fontsize=7)


def draw(folder, figures):
    found = tables(folder)
    dim = 2 if "volume_nm2" in found[0] else 3
    shown = [found[k] for k in np.unique(np.linspace(0, len(found) - 1, TIMES).round().astype(int))]
    figure, panels = plt.subplots(1, 3, figsize=(WIDE, 2.4), layout="constrained", gridspec_kw=dict(width_ratios=(1.3, 1, 1)))
    sizes(panels[0], shown, dim)
    neighbours(panels[1], shown[-1])
    panels[2].plot(relative(shown[-1]), shown[-1]["neighbours"], ".", color=LINE, ms=3)
    panels[2].set_xlabel("R/<R>")
    panels[2].set_ylabel("neighbours")
    panels[2].set_xlim(left=0)
    return save(figure, figures, "grains")
