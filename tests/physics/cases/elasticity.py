"""Elasticity of phases with a misfit: energies of inclusions, and the equilibrium of coherent phases, and a stress that drives interfaces."""
import math

import numpy as np

from cases.phase_field import read_evolve, slope
from lines import bound, curve, points, reference, result

YOUNG, POISSON = 160e9, 1 / 3  # of the inputs' C11, C12, C44
STIFF = YOUNG / (1 - POISSON)  # (C11 + 2 C12)(C11 - C12)/C11
ESHELBY = "eta^2 E/(1 - nu) (<c^2> - <c>^2): J. D. Eshelby, Proc. R. Soc. A 241 (1957) 376; F. Bitter, Phys. Rev. 37 (1931) 1527"


def moments(dim):
    """Means of c and c^2 of the round profile of the input over the box of 32 nm, to rounding."""
    r, w = np.polynomial.legendre.leggauss(400)
    r, w = 16 * (r + 1) / 2, 16 * w / 2
    if dim == 2:
        d = np.sqrt(r[:, None]**2 + r[None, :]**2)
        w = w[:, None] * w[None, :]
    else:
        r, w = np.polynomial.legendre.leggauss(96)
        r, w = 16 * (r + 1) / 2, 16 * w / 2
        d = np.sqrt(r[:, None, None]**2 + r[None, :, None]**2 + r[None, None, :]**2)
        w = w[:, None, None] * w[None, :, None] * w[None, None, :]
    c = 0.5 - 0.5 * np.tanh((d - 7) / 2)
    return np.sum(w * c) / 16**dim, np.sum(w * c * c) / 16**dim


def inclusions(case):
    """The elastic energy of a cylinder and a sphere with a misfit of 1 % in a periodic body that takes its length.

    In an isotropic body the energy of a dilatation does not depend on the shape. The cylinder is in plane strain, its eigenstrain relative to the mean."""
    lines = []
    for name, dim, meshes, more in (("cylinder", 2, (16, 32, 64, 128), []),
                                    ("sphere", 3, (12, 16, 24, 32),
                                     ["box.size=[32 nm, 32 nm, 32 nm]", "box.periodic=xyz",
                                      "phasefield.initial_formula=0.5 - 0.5*tanh((sqrt((x - 16)^2 + (y - 16)^2 + (z - 16)^2) - 7)/2)"])):
        mean, square = moments(dim)
        wanted = 1e-4 * STIFF * (square - mean * mean)
        h = [32 / n for n in meshes]
        energy = [read_evolve(case.run("evolve", "inclusion", "%s_%d" % (name, n), "box.spacing=%.17g nm" % v, "elasticity.reference=%.17g" % (mean if dim == 2 else 0),
                                       *more))["f_elastic_J/m3"][0] for n, v in zip(meshes, h)]
        error = [abs(e / wanted - 1) for e in energy]
        ratio = (h[-2] / h[-1])**2
        lines.append(result("%s: energy, limit in h" % name, (ratio * energy[-1] - energy[-2]) / (ratio - 1), "J/m3", wanted, ESHELBY, 0.003))
        lines.append(result("%s: order in space" % name, slope(h, error), "", 2, "linear elements", 0.1, absolute=True))
        case.panel("h (nm)", "error of the energy", curve("magtwin", h, error), reference("order 2", [h[0], h[-1]], [error[-1] * (h[0] / h[-1])**2, error[-1]]),
                   xlog=True, ylog=True, title=name)
    return lines


def stressed_interface(case):
    """Interfaces of an order parameter with an eigenstrain of 1 % normal to them, driven by a tension of 300 MPa along it (Allen-Cahn).

    Layers stretched along their normal fit, so that the stress is 300 MPa everywhere and f - S eta c the energy; for f = h c^2 (1 - c)^2 the profile is tanh still and
    v = L sqrt(2 kappa h) (c1 + c3 - 2 c2), c1 < c2 < c3 the roots of 2 h c (1 - c)(1 - 2c) = S eta."""
    t = read_evolve(case.run("evolve", "stressed", "tension"))
    roots = np.sort(np.roots([4, -6, 2, -3e8 * 0.01 / 40e6]).real)
    wanted = 3e-8 * math.sqrt(2 * 1.8e8 * 40e6) * (roots[0] + roots[2] - 2 * roots[1])
    late, moved = t["t_s"] >= 8, 50 * (t["fraction"] - t["fraction"][0])
    speed = np.polyfit(t["t_s"][late], moved[late], 1)[0]
    case.panel("t (s)", "moved (nm)", curve("magtwin", t["t_s"], moved),
               reference("%.4f t" % wanted, [8, t["t_s"][-1]], [moved[late][0], moved[late][0] + wanted * (t["t_s"][-1] - 8)]))
    rise = np.max(np.diff(t["f_total_J/m3"]))
    return [result("speed", speed, "nm/s", wanted, "travelling wave of a quartic, exactly", 0.005),
            bound("largest rise of the energy, that of the load included", rise, "J/m3", None, 0, "F falls")]


def coherent_phases(case):
    """Compositions of two phases in coherent equilibrium, as layers, for misfits from 0 to 0.7 %.

    f = 40 MJ/m3 c^2 (1 - c)^2 with the energy eta^2 Y (c - <c>)^2 of layers has its common tangent at c = 1/2 +- sqrt(1/4 - eta^2 Y/(2 h)), Y = 240 GPa:
    strain closes the miscibility gap at eta = 0.91 %."""
    misfits = (0, 0.3, 0.5, 0.7)
    low, high, wanted = [], [], []
    lines = []
    for misfit in misfits:
        t = read_evolve(case.run("evolve", "coherent", "misfit_%g" % misfit, "elasticity.misfit=[%.17g]" % (misfit / 100)))
        wanted.append(math.sqrt(0.25 - (misfit / 100)**2 * STIFF / (2 * 40e6)))
        low.append(t["c_min"][-1])
        high.append(t["c_max"][-1])
        lines.append(result("width of the gap, misfit %g %%" % misfit, high[-1] - low[-1], "", 2 * wanted[-1], "common tangent: J. W. Cahn, Acta Metall. 9 (1961) 795", 0.001))
    fine = np.linspace(0, 0.912, 100)
    gap = np.sqrt(0.25 - (fine / 100)**2 * STIFF / (2 * 40e6))
    case.panel("c", "misfit (%)", points("magtwin", low + high, misfits + misfits),
               reference("common tangent", np.concatenate([0.5 - gap, 0.5 + gap[::-1]]), np.concatenate([fine, fine[::-1]])))
    return lines
