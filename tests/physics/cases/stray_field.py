"""Cases of the stray field: energies of uniformly magnetized bodies."""
import math

import numpy as np

from lines import bound, curve, level, points, reference, result
from tools import KM, grid, limit, read_curve

AHARONI = "Aharoni, J. Appl. Phys. 83 (1998) 3432"
OSBORN = "Osborn, Phys. Rev. 67 (1945) 351"


def factor(folder):
    """Demagnetizing factor: energy over Js^2/(2 mu0)."""
    return read_curve(folder)["e_demag_J/m3"][0] / KM


def demagnetizing_energy(case):
    """Energy of a uniformly magnetized sphere, and of a 1 x 1 x 0.1 prism on regular tetrahedra refined at its edges."""
    lines, sizes = [], (2.5, 2.0, 1.4, 1.0)
    values = [factor(case.run("demag", "sphere", "sphere_%g" % h, "mesh.size=%g nm" % h, "mesh.air.size=%g nm" % h)) for h in sizes]
    lines.append(result("sphere, h = D/20: demagnetizing factor", values[-1], "", 1 / 3, "N = 1/3", 0.01))
    order = math.log((1 / 3 - values[1]) / (1 / 3 - values[3])) / math.log(2.0)
    # linear elements: second order in h for the energy; the shell is as fine as the sphere
    lines.append(bound("sphere: order in h from D/10 to D/20", order, "", 1.6, None, "linear elements: 2"))
    case.panel("h / D", "relative error of the energy", points("sphere", [h / 20 for h in sizes], [1 - 3 * v for v in values]),
               reference("second order", [0.05, 0.125], [0.007, 0.007 * 6.25]), xlog=True, ylog=True)
    for axis, wanted in (("z", 0.805078), ("x", 0.097461)):
        direction = {"x": "[1, 0, 0]", "z": "[0, 0, 1]"}[axis]
        value = factor(case.run("demag", "prism", "prism_" + axis, "field.direction=" + direction))
        lines.append(result("prism 1 x 1 x 0.1 along %s, h = 1/20 (graded to h/12 at its edges): N" % axis, value, "", wanted, AHARONI, 0.01))
    return lines


PRISMS = (  # name, size (nm), factors by direction, spacing (nm), edge (nm), growth, refine, radius of the air
    ("1x1x0.1", (20, 20, 2), {"z": 0.805078, "x": 0.097461}, (2.5, 2.5, 0.667), 0.25, 0.5, (1, 2), 2.0),
    ("2x1x1", (20, 10, 10), {"x": 0.198316, "y": 0.400842}, (3, 3, 3), 1, 1, (1, 2, 3), 1.5),
    ("1x1x10", (2, 2, 20), {"x": 0.477134, "z": 0.045731}, (0.667, 0.667, 2.5), 0.25, 0.7, (1, 2, 3), 1.5),
)


def demagnetizing_factors(case):
    """Demagnetizing factors of prisms, by the limit in h of two grids, and of spheroids.

    Linear elements give too little energy, most of it at the edges of charged faces, where the potential goes as r log r.  On a grid whose
    bricks are cut further (grains.shape.refine) the error falls as h^2 and the limit is found from the two finest."""
    lines, series = [], []
    for name, size, factors, spacing, edge, growth, refine, radius in PRISMS:
        for axis, wanted in factors.items():
            values = [factor(case.run("demag", "prism_grid", "prism_%s_%s_%d" % (name, axis, k), "field.direction=" + unit(axis),
                                      "grains.shape.size=[%g nm, %g nm, %g nm]" % size, "mesh.air.radius=%g" % radius,
                                      *grid(k, edge, growth, spacing))) for k in refine]
            h = [1 / k for k in refine]
            value = limit(h[-2:], values[-2:])
            lines.append(result("prism %s along %s: N, limit in h" % (name, axis), value, "", wanted, AHARONI, 0.01))
            series.append(curve("%s along %s" % (name, axis), [0] + list(np.square(h[::-1])), [value / wanted - 1] + [v / wanted - 1 for v in values[::-1]]))
    case.panel("(h / coarsest h)$^2$", "N / N (Aharoni) - 1", *series, level("Aharoni", 0), title="prisms; at 0: limit from the two finest")
    lines += spheroids(case)
    return lines


def unit(axis):
    return {"x": "[1, 0, 0]", "y": "[0, 1, 0]", "z": "[0, 0, 1]"}[axis]


def spheroids(case):
    """Factors along and across the axis of 2:1 spheroids; the air is as fine as the body."""
    lines, series, sizes = [], [], (1.25, 0.9)
    for name, size, along in (("prolate", "[10 nm, 10 nm, 20 nm]", 0.173564), ("oblate", "[20 nm, 20 nm, 10 nm]", 0.527200)):
        for axis, wanted in (("z", along), ("x", (1 - along) / 2)):
            values = [factor(case.run("demag", "spheroid", "%s_%s_%g" % (name, axis, h), "grains.shape.size=" + size,
                                      "field.direction=" + unit(axis), "mesh.size=%g nm" % h, "mesh.air.size=%g nm" % h)) for h in sizes]
            value = limit(sizes, values)
            lines.append(result("%s spheroid 2:1 along %s: N, limit in h" % (name, axis), value, "", wanted, OSBORN, 0.01))
            series.append(curve("%s along %s" % (name, axis), [0] + [(h / 10)**2 for h in sizes[::-1]], [value / wanted - 1] + [v / wanted - 1 for v in values[::-1]]))
    case.panel("(h / short axis)$^2$", "N / N (Osborn) - 1", *series, level("Osborn", 0), title="spheroids 2:1; at 0: limit")
    return lines
