"""Cases of switching: coherent rotation (Stoner-Wohlfarth, ellipsoids) and nucleation by curling."""
import numpy as np

from lines import Failed, level, points, reference, result
from tools import A, ANISOTROPY_FIELD, JS, MU0, limit, read_curve, reversal_path, stoner_wohlfarth_field, switching, tilted

STONER = "Stoner, Wohlfarth, Phil. Trans. A 240 (1948) 599"


def stoner_wohlfarth(case):
    """Switching field of a small sphere of Nd2Fe14B with the field at an angle to its easy axis; no stray field."""
    lines, angles, values = [], (0.1, 1, 5, 10, 30, 45), []
    for degrees in angles:
        wanted = -stoner_wohlfarth_field(degrees) * ANISOTROPY_FIELD
        folder = case.run("demag", "stoner_wohlfarth", "angle_%g" % degrees, tilted(degrees), reversal_path(wanted, 0.5))
        value, width = switching(folder)
        values.append(-value / ANISOTROPY_FIELD)
        lines.append(result("Stoner-Wohlfarth sphere at %g deg: switching field" % degrees, value, "T", wanted,
                            "%s; bracketed to %.1e T" % (STONER, width), 0.01))
    fine = np.concatenate([np.geomspace(0.01, 1, 40), np.linspace(1.2, 45, 100)])
    case.panel("angle of the field (degrees)", "switching field / anisotropy field", points("magtwin", angles, values),
               reference("Stoner and Wohlfarth", fine, [stoner_wohlfarth_field(a) for a in fine]))
    return lines


ELLIPSOIDS = (("sphere", (8, 8, 8), 1 / 3), ("prolate 2:1", (6, 6, 12), 0.173564), ("oblate 2:1", (10, 10, 5), 0.527200))


def ellipsoids(case):
    """Switching field of small ellipsoids of Nd2Fe14B with their stray field, easy axis = their axis, field tilted by 0.1 degree.

    They rotate as a whole; the shape adds (N across - N along) Js to the anisotropy field."""
    lines, fields = [], []
    for name, size, along in ELLIPSOIDS:
        shape = (0.5 * (1 - along) - along) * JS
        wanted = -stoner_wohlfarth_field(0.1) * (ANISOTROPY_FIELD + shape)
        folder = case.run("demag", "ellipsoid", name.split()[0], tilted(0.1), "grains.shape.size=[%g nm, %g nm, %g nm]" % size,
                          reversal_path(wanted, 0.3))
        value, width = switching(folder)
        fields.append((along, value))
        lines.append(result("%s of Nd2Fe14B, field at 0.1 deg: switching field" % name, value, "T", wanted,
                            "%s, N by Osborn, Phys. Rev. 67 (1945) 351; bracketed to %.1e T" % (STONER, width), 0.01))
    N = np.linspace(0.1, 0.6, 11)
    case.panel("demagnetizing factor along the axis", "switching field (T)", points("magtwin", *zip(*[(n, -v) for n, v in fields])),
               reference("coherent rotation", N, stoner_wohlfarth_field(0.1) * (ANISOTROPY_FIELD + (0.5 - 1.5 * N) * JS)))
    return lines


CURLING_K, CURLING_Q = 0.5e6, 2.0816  # J/m3; root of the derivative of the spherical Bessel function j1


def curling_field(radius):
    """Nucleation field (T) of a sphere by curling; radius in nm."""
    return MU0 * 2 * CURLING_K / JS - JS / 3 + 2 * CURLING_Q**2 * A * MU0 / (JS * (radius * 1e-9)**2)


def eigenvalues(folder):
    """Fields and smallest eigenvalues (T) of the energy's Hessian along the aligned branch, where the run computed them."""
    c = read_curve(folder)
    known = np.isfinite(c["eigenvalue_T"]) & (c["m"] > 0.999)
    if known.sum() < 2:
        raise Failed("%d eigenvalues in %s, at least 2 are needed" % (known.sum(), folder))
    return c["mu0_Hext_T"][known], c["eigenvalue_T"][known]


def curling(case):
    """Nucleation by curling in a sphere: aligned state in its own stray field, unstable to a vortex about the axis.

    A sphere of Nd2Fe14B's A and Js with K1 = 0.5 MJ/m3, large enough that curling comes before rotation as a whole (2 K1/Js).
    The smallest eigenvalue of the energy's Hessian, a stiffness in T, falls with the field one to one; where its line reaches zero the state
    is unstable. Limit in h^2 of two meshes."""
    lines, found, lamda, radii, parts = [], [], [], (12, 16), (7, 10)
    for R in radii:
        wanted, values = -curling_field(R), []
        for n in parts:
            h = R / n
            folder = case.run("demag", "curling", "R%d_h%d" % (R, n), "grains.shape.size=[%g nm, %g nm, %g nm]" % (2 * R, 2 * R, 2 * R),
                              "mesh.size=%g nm" % h, "mesh.air.size=%g nm" % h,
                              "field.segments=[{to: %.3f T, step: 0.5 T, mode: fixed}, {to: %.3f T, step: 0.01 T, mode: fixed}]" %
                              (wanted + 0.1, wanted + 0.03))
            B, stiffness = eigenvalues(folder)
            values.append(float(np.polyfit(stiffness, B, 1)[1]))
            lamda.append(points("R = %d nm, h = R/%d" % (R, n), B, stiffness))
        value = limit([1 / n for n in parts], values)
        found.append((values, value))
        lines.append(result("sphere of radius %d nm: nucleation by curling, limit in h" % R, value, "T", wanted,
                            "Frei, Shtrikman, Treves, Phys. Rev. 106 (1957) 446; q = 2.0816", 0.02))
        lines.append(result("sphere of radius %d nm: nucleation by curling, h = R/%d" % (R, parts[-1]), values[-1], "T", wanted, "the same", 0.02))
    R = np.linspace(9, 20, 50)
    case.panel("radius (nm)", "nucleation field (T)", *[points("h = R/%d" % n, radii, [-v[k] for v, _ in found]) for k, n in enumerate(parts)],
               points("limit in h", radii, [-v for _, v in found]), reference("curling", R, [curling_field(r) for r in R]),
               level("coherent rotation", 2 * CURLING_K * MU0 / JS))
    case.panel(r"$\mu_0 H$ (T)", "smallest eigenvalue (T)", *lamda, *[reference(None, [-curling_field(r), 0.15 - curling_field(r)], [0, 0.15])
                                                                     for r in radii], title="dashed: analytic")
    return lines
