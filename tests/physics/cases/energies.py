"""Cases of energies that few magnets have: cubic anisotropy, stress, grains coupled through a weak interface."""
import math
import os

import h5py
import numpy as np

from lines import curve, points, reference, result
from tools import A, ANISOTROPY_FIELD, JS, K1, MU0, instability, nodes, read_curve, switching


def direction(easy, degrees):
    """Unit vector so far from the direction `easy`, to no symmetric side of it."""
    z = np.array(easy, float) / np.linalg.norm(easy)
    x = np.cross(z, [0.3, -0.5, 0.8])
    x /= np.linalg.norm(x)
    t = math.radians(degrees)
    return math.cos(t) * z + math.sin(t) * x


def cubic_slope(m, K):
    return 2 * K * m * (1 - m**2)


def follow(m, B, K, J):
    """Nearest minimum of the cubic energy - J m.B/mu0 over |m| = 1, by steepest descent with a Newton step in the tangent plane where
    the energy curves upwards; None: the minimum is gone."""
    for _ in range(200):
        g = cubic_slope(m, K) - J * B / MU0
        frame = np.linalg.svd(m[None])[2][1:]
        slope = frame @ g
        if np.linalg.norm(slope) < 1e-9 * abs(K):
            return m
        # d2/dm2 of K sum m_i^2 m_j^2 has 4 K m_i m_j beside the diagonal, which is 2 K (m_j^2 + m_k^2) = 2 K (1 - m_i^2)
        H = frame @ (4 * K * np.outer(m, m) + np.diag(2 * K * (1 - m**2) - 4 * K * m**2)) @ frame.T - (m @ g) * np.eye(2)
        if np.linalg.eigvalsh(H)[0] <= 0:
            return None
        step = -np.linalg.solve(H, slope)
        m = m + frame.T @ (step * min(1, 0.1 / np.linalg.norm(step)))
        m /= np.linalg.norm(m)
    return m


def coherent_field(easy, along, K, J):
    """Field (T) at which the minimum that begins at `easy` is gone, to 1e-5 of the anisotropy field."""
    m, scale = np.array(easy, float) / np.linalg.norm(easy), 2 * abs(K) * MU0 / J
    for B in -np.arange(0, 2, 1e-4) * scale:
        moved = follow(m, B * along, K, J)
        if moved is None or moved @ m < 0.5:
            return B
        m = moved


def cubic_sphere(case):
    """Switching field of small spheres with cubic anisotropy, field 0.5 degrees from an easy axis, <100> or <111>.

    Coherent rotation, whose limit along the axis is 2 Kc1/Ms and -4/3 Kc1/Ms; at 0.5 degrees the minimum of the energy of one moment
    is followed until it is gone."""
    lines = []
    for name, easy, material, K, factor in (("<100>", (0, 0, 1), "cubic", 4.8e4, 2), ("<111>", (1, 1, 1), "cubic-111", -4.8e4, -4 / 3)):
        along = direction(easy, 0.5)
        wanted = coherent_field(easy, along, K, 2.15)
        folder = case.run("demag", "small_sphere", material, "materials.grain=" + material,
                          "field.direction=[%s]" % ", ".join("%.15g" % v for v in along))
        lines.append(result("cubic sphere, field 0.5 deg from %s: switching field" % name, switching(folder)[0], "T", wanted,
                            "coherent rotation, %.4g T along the axis (B. D. Cullity, C. D. Graham, Introduction to Magnetic Materials, "
                            "2009, 7)" % (-factor * K * MU0 / 2.15), 0.01))
        data = read_curve(folder)
        case.panel("field, mT", "m", curve(name, 1e3 * data["mu0_Hext_T"][1:], data["m"][1:]),
                   reference("coherent rotation", [1e3 * wanted, 1e3 * wanted], [-1, 1]), title="cubic sphere, easy axis " + name)
    return lines


def stressed_sphere(case):
    """Shift of the switching field by a uniaxial stress along the easy axis: 3 lambda s/Ms."""
    lines, s, lam, tilt = [], 0.3e9, 30e-6, math.radians(0.5)
    factor = (math.cos(tilt)**(2 / 3) + math.sin(tilt)**(2 / 3))**-1.5
    common = ["materials.grain=stressed", "field.direction=[%.15g, 0, %.15g]" % (math.sin(tilt), math.cos(tilt)),
              "field.segments=[{to: 0 T, step: 1 T, mode: fixed}, {to: -0.4 T, step: 5 mT, resolution: 0.2 mT}]"]
    free = case.run("demag", "small_sphere", "free", *common)
    with h5py.File(os.path.join(free, "mesh.h5"), "r") as f:
        tets = f["/mesh/tet"].shape[0]
    path = os.path.join(case.folder, "stress.h5")
    with h5py.File(path, "w") as f:
        f.attrs["format"], f.attrs["version"] = "magtwin-elements", 1
        f["stress"] = np.tile([0, 0, s, 0, 0, 0], (tets, 1))
    held = case.run("demag", "small_sphere", "stressed", *common, "materials.stress=" + path)
    shift = switching(free)[0] - switching(held)[0]
    lines.append(result("shift of the switching field by stress", shift, "T", factor * 3 * lam * s * MU0 / JS,
                        "3 lambda s/Ms, B. D. Cullity, C. D. Graham, Introduction to Magnetic Materials, 2009, 8; times the Stoner-"
                        "Wohlfarth factor of 0.5 deg", 0.01))
    return lines


def surface_film(case):
    """Switching field of a small film with surface anisotropy on its faces: 2 (K1 + 2 Ks/t - 2 Ks/w)/Ms."""
    t, w, Ks, tilt = 2e-9, 16e-9, 0.2e-3, math.radians(0.5)
    factor = (math.cos(tilt)**(2 / 3) + math.sin(tilt)**(2 / 3))**-1.5
    wanted = -factor * 2 * (1e5 + 2 * Ks / t - 2 * Ks / w) * MU0 / JS
    folder = case.run("demag", "film", "film", "materials.grain=film-Ks", "field.direction=[%.15g, 0, %.15g]" % (math.sin(tilt), math.cos(tilt)))
    data = read_curve(folder)
    case.panel("field, T", "m", curve("film of 2 nm", data["mu0_Hext_T"][1:], data["m"][1:]),
               reference("coherent rotation", [wanted, wanted], [-1, 1]), title="surface anisotropy")
    return [result("film with surface anisotropy: switching field", switching(folder)[0], "T", wanted,
                   "2 K/Ms with 2 Ks/t added, M. T. Johnson et al., Rep. Prog. Phys. 59 (1996) 1409, less the rim's 2 Ks/w; times the "
                   "Stoner-Wohlfarth factor of 0.5 deg", 0.01)]


def tilted_edge(case):
    """Tilt of the magnetization at the edge of a perpendicular film with interfacial DMI: sin = D/(2 sqrt(A K))."""
    folder = case.run("demag", "film", "edge", "materials.grain=film-DMI", "grains.shape.size=[40 nm, 40 nm, 1 nm]",
                      "grains.shape.spacing=[0.8 nm, 0.8 nm, 1 nm]", "field.segments=[{to: 0 T, step: 1 T, mode: fixed}]", "output.states=all",
                      "field.direction=[0, 0, 1]")
    x, last = nodes(folder), sorted(os.listdir(os.path.join(folder, "states")))[-1]
    with h5py.File(os.path.join(folder, "states", last), "r") as f:
        m = f["/m"][...]
    line = (np.abs(x[:, 1] - 20) < 0.1) & (x[:, 2] < 0.1)
    order = np.argsort(x[line, 0])
    at, mx = x[line, 0][order], m[line, 0][order]
    width, edge = math.sqrt(1.6e-11 / 1e6) * 1e9, math.asin(2e-3 / (2 * math.sqrt(1.6e-11 * 1e6)))
    fine = np.linspace(0, 20, 201)
    profile = np.sin(2 * np.arctan(math.tan(edge / 2) * np.exp(-fine / width)))
    case.panel("distance from the edge, nm", "mx", points("h = 0.8 nm", at[at <= 20], mx[at <= 20]),
               reference("tan(t/2) = tan(t0/2) exp(-x/sqrt(A/K))", fine, profile), title="edge of a film with interfacial DMI")
    source = "S. Rohart and A. Thiaville, Phys. Rev. B 88 (2013) 184422"
    return [result("edge of a film with interfacial DMI: mx", float(mx[0]), "", math.sin(edge), source, 0.01),
            result("the same 4 nm inside", float(np.interp(4, at, mx)), "", float(np.interp(4, fine, profile)), source, 0.02)]


def weak_nucleation(A1, J1, t, J):
    """Field at which a K = 0 layer of t nm on infinite Nd2Fe14B nucleates through an interface of J (J/m2): the torque is continuous,
    2 A1 k1 tan(k1 t) = J (jump of the angle) = 2 A2 k2; k1, k2 as in walls.layer_nucleation_field; bisection on the lowest branch."""
    def excess(B):
        k1, k2 = math.sqrt(J1 * B / MU0 / (2 * A1)), math.sqrt((2 * K1 - JS * B / MU0) / (2 * A))
        return A1 * k1 * math.sin(k1 * t * 1e-9) - math.cos(k1 * t * 1e-9) / (1 / (A * k2) + 2 / J)
    low, high = 1e-9, ANISOTROPY_FIELD
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return low


def weak_interface(case):
    """Nucleation field of a soft layer of 1.5 nm on a hard magnet, coupled by interfaces of 0.5 and 2 mJ/m2."""
    lines = []
    for J in (0.5e-3, 2e-3):
        wanted = -weak_nucleation(2.5e-12, 0.75, 1.5, J)
        path = "field.segments=[{to: %.3f T, step: 1 T, mode: fixed}, {to: %.3f T, step: 0.01 T, mode: fixed}]" % (wanted + 0.1, wanted - 0.03)
        folder = case.run("demag", "weak_interface", "J%g" % (J * 1e3), path,
                          "materials.interfaces=[{pair: 0-1, exchange: %g mJ/m2}]" % (J * 1e3))
        lines.append(result("soft layer behind an interface of %g mJ/m2: nucleation field" % (J * 1e3), instability(folder, "my"), "T", wanted,
                            "continuous torque, A1 k1 tan(k1 t) = 1/(1/(A2 k2) + 2/J); instability of the aligned state", 0.02))
    return lines
