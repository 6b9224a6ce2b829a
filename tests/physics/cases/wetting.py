"""Liquid on a boundary between two grains: contact angles and the wetting transition."""
import math
import os

import h5py
import numpy as np

from cases.phase_field import read_evolve
from cases.diffusion import kept
from lines import bound, curve, points, reference, result
from tools import ROOT, read_summary

SOLID_LIQUID = 0.3  # J/m2
SIZE = (42.0, 48.0)  # nm; the boundary at half the height


def last(folder):
    """c [y, x] of the last field."""
    _, c, shape = list(kept(folder))[-1]
    return c.reshape(shape)


def crossings(c):
    """Points (nm) where c = 0.5 on the edges of the cells."""
    x, y = np.linspace(0, SIZE[0], c.shape[1]), np.linspace(0, SIZE[1], c.shape[0])
    a, points = c - 0.5, []
    for j, i in np.argwhere(a[:, :-1] * a[:, 1:] < 0):
        points.append((x[i] + (x[i + 1] - x[i]) * a[j, i] / (a[j, i] - a[j, i + 1]), y[j]))
    for j, i in np.argwhere(a[:-1] * a[1:] < 0):
        points.append((x[i], y[j] + (y[j + 1] - y[j]) * a[j, i] / (a[j, i] - a[j + 1, i])))
    return np.array(points)


def angle(c):
    """Degrees between the boundary and the circle about x = 0 through the upper side of the lens, 2 nm and more above the boundary."""
    p = crossings(c)
    p = p[p[:, 1] > 0.5 * SIZE[1] + 2]
    (centre, rest), *_ = np.linalg.lstsq(np.c_[2 * p[:, 1], np.ones(len(p))], (p**2).sum(axis=1), rcond=None)
    return math.degrees(math.acos((0.5 * SIZE[1] - centre) / math.sqrt(rest + centre**2)))


def wetting(case):
    """A lens of liquid on a boundary between two grains takes the angle that the energies demand, or spreads to a film.

    The angle of either side, half of the dihedral angle, from a circle through the interface; edges of 0.375 of the interface's l."""
    source = "T. Young, Phil. Trans. R. Soc. 95 (1805) 65; 2 sigma_sl cos(angle) = sigma_gb"
    lines = []
    for sigma in (0.3, 0.48, 0.54):
        folder = run(case, sigma)
        c, wanted = last(folder), math.degrees(math.acos(sigma / (2 * SOLID_LIQUID)))
        lines.append(result("lens, %g J/m2: angle" % sigma, angle(c), "deg", wanted, source, 3, absolute=True))
        p = crossings(c)
        p = p[np.lexsort((p[:, 0], p[:, 1]))]
        p = p[p[:, 1] > 0.5 * SIZE[1]]
        case.panel("x (nm)", "above the boundary (nm)", curve("magtwin", p[:, 0], p[:, 1] - 0.5 * SIZE[1]), circle(p, wanted), title="%g J/m2: %.1f degrees" % (sigma, wanted))
    lines.append(bound("below the transition (0.54 J/m2): least c on the boundary", float(c[c.shape[0] // 2].min()), "", -0.05, 0.2, "droplets"))
    film = run(case, 0.66)
    lines.append(bound("above the transition (0.66 J/m2): least c on the boundary", float(last(film)[c.shape[0] // 2].min()), "", 0.8, 1.05, "a film"))
    t = read_evolve(film)
    lines.append(bound("film: largest change of the mean of c", float(np.abs(t["c_mean"] - t["c_mean"][0]).max()), "", 0, 1e-12, "mass is conserved"))
    return lines


def run(case, sigma):
    return case.run("evolve", "wetting", "gb_%g" % sigma, "wetting.energy=%g J/m2" % sigma)


def circle(p, degrees):
    """Of the angle wanted, through the height seen."""
    top, wanted = p[:, 1].max() - 0.5 * SIZE[1], math.radians(degrees)
    radius = top / (1 - math.cos(wanted))
    at = np.linspace(0, wanted, 50)
    return reference("Young", radius * np.sin(at), radius * (np.cos(at) - math.cos(wanted)))


def mobile_wetting(case):
    """Liquid between two grains that grow: its volume is kept, and boundaries and liquid move until the angles are those that the energies demand.

    Half a disc of 14 nm on a boundary that is a wave of 3 nm at first; sigma_sl = 1 J/m2, dry boundaries 4 nm wide (2.8 nm for 1.8 J/m2), those of the liquid wider by the ratio of the energies, edges of an eighth of that. The angle of either side from a circle through its nodes 4 nm and more from
    the boundary, and that of the lens of that area under the pressure of the run, sigma_sl/R."""
    source, lines = "T. Young, Phil. Trans. R. Soc. 95 (1805) 65; 2 sigma_sl cos(angle) = sigma_gb", []
    for ratio in ("1", "1.6", "1.8"):
        folder, wanted = mobile(case, ratio), math.degrees(math.acos(float(ratio) / 2))
        grain, volume = grains(folder)
        middle, p = lens(grain)
        for name, side in (("above", 1), ("below", -1)):
            q = np.c_[p[:, 0], side * (p[:, 1] - middle)]
            lines.append(result("%s J/m2: angle %s" % (ratio, name), circle_angle(q[q[:, 1] > 4]), "deg", wanted, source, 3, absolute=True))
        lines.append(result("%s J/m2: angle by pressure and area" % ratio, pressed_angle(folder, volume[-1][2]), "deg", wanted, source, 3, absolute=True))
        lines.append(result("%s J/m2: what is left of the wave of 6 nm" % ratio, float(np.ptp(boundary(grain))), "nm", 0, "flat", 0.5, absolute=True))
        q = np.c_[p[:, 0], p[:, 1] - middle]
        q = q[np.lexsort((q[:, 0], q[:, 1]))]
        case.panel("x (nm)", "above the boundary (nm)", points("magtwin", q[:, 0], q[:, 1]), circle(np.c_[q[:, 0], q[:, 1] + 0.5 * SIZE[1]], wanted), title="%s J/m2: %.1f degrees" % (ratio, wanted))
        lines += kept_lines(folder, ratio, volume)
    folder = mobile(case, "2.2")
    grain, volume = grains(folder)
    lines.append(bound("2.2 J/m2: grains that touch, nodes", float(((grain[1:] + grain[:-1]) == 1).sum()), "", 0, 0, "a film"))
    return lines + kept_lines(folder, "2.2", volume)


def kept_lines(folder, ratio, volume):
    f = read_evolve(folder)["f_total_J/m3"]
    return [bound("%s J/m2: area of the liquid, off by" % ratio, float(abs(volume[-1][2] / volume[0][2] - 1)), "", 0, 1e-7, "it is kept"),
            bound("%s J/m2: largest rise of the energy over all" % ratio, float(np.diff(f).max() / f[0]), "", -1, 1e-12, "energy falls")]


def mobile(case, ratio):
    return case.run("evolve", "mobile_wetting", "mobile_" + ratio, "phasefield.boundary.table=" + os.path.join(ROOT, "tests", "physics", "inputs", "liquid_%s.csv" % ratio),
                    *(["phasefield.boundary.width=2.8 nm", "box.spacing=0.35 nm"] if ratio == "1.8" else []))


def grains(folder):
    """The grain [y, x] of the last field, and the volumes of all at the first and the last."""
    where = os.path.join(folder, "fields")
    names = sorted(name for name in os.listdir(where) if name.endswith(".h5"))
    volume = []
    for name in (names[0], names[-1]):
        with h5py.File(os.path.join(where, name), "r") as f:
            n, grain = f["/grain"].attrs["nodes"], f["/grain"][...]
            volume.append(np.ravel(f["/grains/volume"][...]))
    return grain.reshape(n[1], n[0]), volume


def spacing(grain):
    return SIZE[0] / (grain.shape[1] - 1)


def boundary(grain):
    """Heights (nm) of the boundary between the grains at the nodes right of the liquid."""
    h = spacing(grain)
    right = [i for i in range(grain.shape[1]) if not (grain[:, i] == 2).any()]
    return np.array([((grain[:, i] == 0).sum() - 0.5) * h for i in right[8:]])


def lens(grain):
    """Height of the boundary, and the middles of edges between liquid and grains."""
    h, liquid = spacing(grain), grain == 2
    across = [((i + 0.5) * h, j * h) for j, i in np.argwhere(liquid[:, :-1] != liquid[:, 1:])]
    along = [(i * h, (j + 0.5) * h) for j, i in np.argwhere(liquid[:-1] != liquid[1:])]
    return float(boundary(grain).mean()), np.array(across + along)


def circle_angle(p):
    """Degrees between y = 0 and the circle about x = 0 through the points."""
    (centre, rest), *_ = np.linalg.lstsq(np.c_[2 * p[:, 1], np.ones(len(p))], (p**2).sum(axis=1), rcond=None)
    return math.degrees(math.acos(-centre / math.sqrt(rest + centre**2)))


def pressed_angle(folder, area):
    """Of half a lens of that area with the radius sigma_sl over the pressure: area = R^2 (a - sin a cos a)."""
    radius, low, high = 1e9 / read_summary(folder)["results"]["pressure"]["value"], 0.0, math.pi
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if radius**2 * (middle - math.sin(middle) * math.cos(middle)) < area else (low, middle)
    return math.degrees(low)
