"""Cases of energies that few magnets have: cubic anisotropy, stress, grains coupled through a weak interface."""
import math
import os

import h5py
import numpy as np

import facets
from lines import bound, curve, points, reference, result
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


def follow(m, B, K, J, N):
    """Nearest minimum of the cubic energy - J m.B/mu0 + J^2 m.N.m/(2 mu0) over |m| = 1, by Newton steps in the tangent plane; None: the
    minimum is gone."""
    for _ in range(200):
        g = cubic_slope(m, K) - J * B / MU0 + J**2 / MU0 * N @ m
        frame = np.linalg.svd(m[None])[2][1:]
        slope = frame @ g
        if np.linalg.norm(slope) < 1e-9 * abs(K):
            return m
        # d2/dm2 of K sum m_i^2 m_j^2 has 4 K m_i m_j beside the diagonal, which is 2 K (m_j^2 + m_k^2) = 2 K (1 - m_i^2)
        H = frame @ (4 * K * np.outer(m, m) + np.diag(2 * K * (1 - m**2) - 4 * K * m**2) + J**2 / MU0 * N) @ frame.T - (m @ g) * np.eye(2)
        if np.linalg.eigvalsh(H)[0] <= 0:
            return None
        step = -np.linalg.solve(H, slope)
        m = m + frame.T @ (step * min(1, 0.1 / np.linalg.norm(step)))
        m /= np.linalg.norm(m)
    return m


def coherent_field(easy, along, K, J, N=np.zeros((3, 3))):
    """Field (T) at which the minimum that begins at `easy` is gone, to 1e-4 of the anisotropy field.  N: demagnetizing tensor of the body."""
    m, scale = np.array(easy, float) / np.linalg.norm(easy), 2 * abs(K) * MU0 / J
    for B in -np.arange(0, 2, 1e-4) * scale:
        moved = follow(m, B * along, K, J, N)
        if moved is None or moved @ m < 0.5:
            return B
        m = moved


CUBIC = (("<100>", (0, 0, 1), "cubic", 4.8e4, 2), ("<111>", (1, 1, 1), "cubic-111", -4.8e4, -4 / 3))
CUBIC_JS = 2.15  # T


def tilted_field(along):
    return "field.direction=[%s]" % ", ".join("%.15g" % v for v in along)


def cubic_sphere(case):
    """Switching field of small spheres with cubic anisotropy, field 0.5 degrees from an easy axis, <100> or <111>.

    Coherent rotation, whose limit along the axis is 2 Kc1/Ms and -4/3 Kc1/Ms; at 0.5 degrees the minimum of the energy of one moment
    is followed until it is gone."""
    lines = []
    for name, easy, material, K, factor in CUBIC:
        along = direction(easy, 0.5)
        wanted = coherent_field(easy, along, K, CUBIC_JS)
        folder = case.run("demag", "small_sphere", material, "materials.grain=" + material, tilted_field(along))
        lines.append(result("cubic sphere, field 0.5 deg from %s: switching field" % name, switching(folder)[0], "T", wanted,
                            "coherent rotation, %.4g T along the axis (B. D. Cullity, C. D. Graham, Introduction to Magnetic Materials, "
                            "2009, 7)" % (-factor * K * MU0 / CUBIC_JS), 0.01))
        data = read_curve(folder)
        case.panel("field, mT", "m", curve(name, 1e3 * data["mu0_Hext_T"][1:], data["m"][1:]),
                   reference("coherent rotation", [1e3 * wanted, 1e3 * wanted], [-1, 1]), title="cubic sphere, easy axis " + name)
    return lines


def ball(h):
    """Overrides: the small sphere in air, elements of h nm, with its stray field."""
    return ["demagnetizing.enabled=true", "mesh.air.radius=1.3", "mesh.air.size=%g nm" % h, "mesh.size=%g nm" % h]


def meshed_factors(case, h):
    """Demagnetizing tensor of the ball in the mesh's own discretization, by the energies of six directions held at 1000 T; one of the folders."""
    energies = {}
    for d in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)):
        folder = case.run("demag", "small_sphere", "N_%g_%d%d%d" % ((h,) + d), "field.direction=[%d, %d, %d]" % d, "field.start=1000 T",
                          "field.segments=[{to: 999 T, step: 1 T, mode: fixed}]", "output.states=none", "minimizer.torque=1 mT",
                          "field.stop_below=-1", *ball(h))
        energies[d] = read_curve(folder)["e_demag_J/m3"][0] * 2 * MU0 / CUBIC_JS**2
    N = np.diag([energies[1, 0, 0], energies[0, 1, 0], energies[0, 0, 1]])
    for i, j, d in ((0, 1, (1, 1, 0)), (0, 2, (1, 0, 1)), (1, 2, (0, 1, 1))):
        N[i, j] = N[j, i] = energies[d] - (N[i, i] + N[j, j]) / 2
    return N, folder


def anisotropic(N):
    """What of a demagnetizing tensor turns a magnet, times Js: T."""
    return CUBIC_JS * (N - np.trace(N) / 3 * np.eye(3))


def cubic_ball_facets(case):
    """The same small spheres with their stray field: what the flat facets of the ball do to the switching field.

    A sphere's stray field does not change the field of coherent rotation; a ball of tetrahedra is no sphere. The demagnetizing tensor of its polyhedron,
    from the charges on its facets by a code of its own (tests/physics/facets.py), differs between directions by 5.8 mT over Js at h = D/5, a tenth of
    the anisotropy field, and by 0.2 mT at D/10; linear elements add up to 1 mT and 0.2 mT. Coherent rotation with the tensor of the mesh's own discretization
    gives the switching field. With the body taken as a cut-out of a closed circuit, which takes the mean stray field away, that without stray
    field comes back."""
    lines, tensors = [], {}
    for h, most in ((1.6, 1.1e-3), (0.8, 3e-4)):
        N, folder = meshed_factors(case, h)
        polyhedron = facets.factors(os.path.join(folder, "mesh.h5"))
        tensors[h] = N, polyhedron
        lines.append(bound("ball of h = D/%g: anisotropy of its factors less the polyhedron's, times Js" % (8 / h),
                           float(np.abs(anisotropic(N) - anisotropic(polyhedron)).max()), "T", None, most, "charges on its facets"))
    lines.append(bound("ball of h = D/10: spread of the polyhedron's factors times Js", CUBIC_JS * np.ptp(np.linalg.eigvalsh(polyhedron)), "T",
                       None, 5e-4, "0 for a sphere; 5.8e-3 at D/5"))
    for name, easy, material, K, _ in CUBIC:
        along, series = direction(easy, 0.5), []
        common, alone = ["materials.grain=" + material, tilted_field(along)], coherent_field(easy, along, K, CUBIC_JS)
        for h, (N, _) in tensors.items():
            folder = case.run("demag", "small_sphere", "%s_%g" % (material, h), *common, *ball(h))
            wanted, data = coherent_field(easy, along, K, CUBIC_JS, N), read_curve(folder)
            lines.append(result("faceted ball, field 0.5 deg from %s, h = D/%g: switching field" % (name, 8 / h), switching(folder)[0], "T",
                                wanted, "coherent rotation with its factors; sphere: %.4g T" % alone, 0.01))
            series += [curve("h = D/%g" % (8 / h), 1e3 * data["mu0_Hext_T"][1:], data["m"][1:]), reference(None, [1e3 * wanted] * 2, [-1, 1])]
        closed = case.run("demag", "small_sphere", "%s_closed" % material, *common, *ball(1.6), "demagnetizing.sample=closed_circuit")
        lines.append(result("the same in a closed circuit, h = D/5", switching(closed)[0], "T", alone, "coherent rotation of a sphere", 0.01))
        case.panel("field, mT", "m", *series, title="easy axis %s; dashed: with the factors of the ball" % name)
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
