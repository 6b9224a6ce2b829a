"""Liquid on a boundary between two grains: contact angles and the wetting transition."""
import math

import numpy as np

from cases.phase_field import read_evolve
from cases.diffusion import kept
from lines import bound, curve, reference, result

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
