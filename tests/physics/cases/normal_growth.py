"""Normal growth of many grains in three dimensions."""
import csv
import os

import numpy as np

from lines import bound, curve, points, reference, result
from tools import read_summary

HILLERT = "M. Hillert, Acta Metall. 13 (1965) 227: <R> = 8/9 Rc, Rc^2 grows by M sigma/2"
RATE = (8 / 9)**2 / 2  # of <R>^2, for M sigma = 1
VORONOI = 2 + 48 * np.pi**2 / 35  # neighbours of cells around random points: J. L. Meijering, Philips Res. Rep. 8 (1953) 270


def columns(folder, name):
    with open(os.path.join(folder, name), newline="") as f:
        rows = list(csv.DictReader(f))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def lists(folder):
    """The grains at the times kept."""
    where = os.path.join(folder, "fields")
    return [columns(where, name) for name in sorted(os.listdir(where)) if name.startswith("grains_")]


def steady(t, part=0.6):
    """From where so many of the grains are left: the start, whose grains are too alike, is forgotten."""
    return t["grains"] <= part * t["grains"][0]


def straight(t, y):
    """Slope, and the share of the variance that the line explains."""
    return np.polyfit(t, y, 1)[0], np.corrcoef(t, y)[0, 1]**2


def per_area2(folder, t):
    """(V/A)^2: a length of the structure that does not depend on which grains count."""
    return (read_summary(folder)["results"]["volume"]["value"] / t["interface_nm2"])**2


def work(t):
    """Pairs times iterations, per step, between lines."""
    iterations = np.diff(t["linear_iterations"]) + np.diff(t["newton_iterations"])
    return t["pairs"][1:] * iterations / np.diff(t["steps"])


def hillert(u):
    """Density of R/<R>."""
    x = np.clip(8 / 9 * u, 0, 2 - 1e-9)
    return 8 / 9 * (2 * np.e)**3 * 3 * x / (2 - x)**5 * np.exp(-6 / (2 - x))


def draw(case, t, here, grains):
    R2, late = t["mean_radius_nm"]**2, t["t_s"][here]
    case.panel("t (s)", "<R>$^2$ (nm$^2$)", curve("magtwin", t["t_s"], R2), reference("%.3g t, Hillert" % RATE, [late[0], late[-1]], [R2[here][0], R2[here][0] + RATE * (late[-1] - late[0])]))
    case.panel("t (s)", "grains", curve("magtwin", t["t_s"], t["grains"]), ylog=True)
    area = t["interface_nm2"][2:] / 1000
    case.panel("boundaries (10$^3$ nm$^2$)", "pairs (10$^6$)", points("magtwin", area, t["pairs"][2:] / 1e6), reference("proportional", [0, area[0]], [0, t["pairs"][2] / 1e6]))
    u, relative = np.linspace(0, 2.2, 100), grains[-1]["radius_nm"] / grains[-1]["radius_nm"].mean()
    density, edges = np.histogram(relative, np.linspace(0, 2.2, 12), density=True)
    case.panel("R/<R>", "density", points("t = %g s" % grains[-1]["t_s"][0], (edges[1:] + edges[:-1]) / 2, density), reference("Hillert", u, hillert(u)))


def cost(t, here):
    """That a step follows the boundaries: what is stored, and what is computed."""
    over, done = (t["pairs"] / t["interface_nm2"])[here], work(t)[here[1:]] / t["interface_nm2"][here]
    third = max(1, len(done) // 3)
    return [bound("pairs of node and grain over the area of boundaries, largest over smallest", max(over) / min(over), "", None, 1.15, "cost follows the boundaries"),
            bound("pairs times iterations a step over the area, last third over the first", done[-third:].mean() / done[:third].mean(), "", None, 1.15, "the same"),
            bound("pairs at the end over those at 8 s", t["pairs"][-1] / t["pairs"][2], "", None, 0.6, "the same: it falls with them")]


def narrower(case):
    """What the width of boundaries changes: three sets of 150 grains like the thousand, and with all of it 3/4 as wide; few are left at the end, so the mean of
    the three counts."""
    both = []
    for seed in range(1, 4):
        rates = []
        for name, more in (("150", []), ("150_narrow", ["box.spacing=0.75 nm", "phasefield.boundary.width=1.875 nm"])):
            folder = case.run("evolve", "normal_growth", "%s_%d" % (name, seed), "box.size=[42 nm, 42 nm, 42 nm]", "phasefield.grains=150", "phasefield.seed=%d" % seed,
                              "evolve.end=80 s", "evolve.snapshot_interval=80 s", *more)
            t = columns(folder, "evolve.csv")
            rates.append([straight(t["t_s"][steady(t)], y[steady(t)])[0] for y in (t["mean_radius_nm"]**2, per_area2(folder, t))])
        both.append(np.divide(rates[0], rates[1]))
    ratio, scatter = np.mean(both, axis=0), np.std(both, axis=0, ddof=1)
    return [result("growth of %s, 150 grains: widths of 1/2 <R> over 3/8 <R> at the start, mean of 3 sets (they scatter by %.2g)" % (what, scatter[k]), ratio[k], "", 1,
                   "the width is numerical", 0.1) for k, what in enumerate(("<R>^2", "(V/A)^2"))]


def normal_growth(case):
    """Normal growth of 1000 grains in three dimensions: <R>^2 grows linearly, the cost of a step follows the boundaries.

    M sigma = 1 nm2/s; boundaries are 2.5 edges wide, half a mean radius at the start: coarse, which the last lines judge.  From 600 grains on, for the
    cells around random points that it begins with are too alike (standard deviation of R/<R> 0.14, of Hillert's distribution 0.35)."""
    folder = case.run("evolve", "normal_growth", "thousand")
    t, grains = columns(folder, "evolve.csv"), lists(folder)
    here = steady(t)
    rate, linear = straight(t["t_s"][here], t["mean_radius_nm"][here]**2)
    draw(case, t, here, grains)
    R3 = t["grains"] * t["mean_radius_nm"]**3
    return [result("neighbours of a grain at the start", grains[0]["neighbours"].mean(), "", VORONOI, "Meijering 1953; faces below a cell are not seen", 0.05),
            result("growth of <R>^2", rate, "nm2/s", RATE, HILLERT, 0.25),
            bound("<R>^2 against time: r^2 of the line", linear, "", 0.97, None, "parabolic growth"),
            bound("(V/A)^2 against time: r^2 of the line", straight(t["t_s"][here], per_area2(folder, t)[here])[1], "", 0.997, None, "parabolic growth"),
            bound("grains at the end", t["grains"][-1], "", None, 200, "of 1000"),
            bound("N <R>^3, least over largest", min(R3[here]) / max(R3[here]), "", 0.8, None, "grains fall as <R>^-3 where sizes are alike"),
            bound("largest rise of F in a step, over F", read_summary(folder)["results"]["largest_rise_of_energy"]["value"] / t["f_total_J/m3"][-1], "", None, 1e-12, "F falls"),
            *cost(t, here), *narrower(case)]
