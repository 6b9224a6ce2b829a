"""Cases of thermal activation: energy barriers of a small particle and of a rod, and the coercivity at a temperature."""
import csv
import math
import os

import h5py
import numpy as np

from lines import Failed, bound, points, reference, result
from tools import A, ANISOTROPY_FIELD, K1, read_summary

KB = 1.380649e-23


def read_barriers(folder):
    """Fields (T) and barriers (J), and the two smallest eigenvalues (T) of each saddle, which must have converged."""
    with open(os.path.join(folder, "barriers.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    if any(row["end"] not in ("converged", "saddle_converged") for row in rows):
        raise Failed("not converged in %s: %s" % (folder, [(row["mu0_H_T"], row["end"]) for row in rows]))
    return tuple(np.array([float(row[name]) for row in rows])
                 for name in ("mu0_H_T", "barrier_J", "eigenvalue_1_T", "eigenvalue_2_T"))


def magnet_volume(folder):
    """m3, of the tets of the first region, the grain."""
    with h5py.File(os.path.join(folder, "mesh.h5"), "r") as f:
        x, tet, region = f["/mesh/x"][...], f["/mesh/tet"][...], f["/mesh/region"][...]
    p = x[tet[region == 0]]
    return float(np.abs(np.linalg.det(p[:, 1:] - p[:, :1])).sum()) / 6 * 1e-27


def particle_barrier(case):
    """Energy barrier of a single-domain sphere with its stray field, and its coercivity at 300 K for 1 s (25 kBT)."""
    folder = case.run("barrier", "barrier_sphere", "barrier_sphere")
    H, E, first, second = read_barriers(folder)
    KV, T = K1 * magnet_volume(folder), 300.0
    wanted = KV * (1 + H / ANISOTROPY_FIELD)**2
    summary = read_summary(folder)["results"]
    sharrock = -ANISOTROPY_FIELD * (1 - math.sqrt(KB * T * summary["ln_f0_t"] / KV))
    fine = np.linspace(0, -ANISOTROPY_FIELD, 60)
    case.panel("field (T)", "barrier (kBT at 300 K)", points("path", H, E / (KB * T)),
               reference("K V (1 - H/HK)$^2$", fine, KV * (1 + fine / ANISOTROPY_FIELD)**2 / (KB * T)))
    source = "coherent rotation with the field along the axis (Stoner, Wohlfarth 1948): K V (1 - H/HK)^2, V of the mesh"
    lines = [result("barrier of a sphere at %g T" % h, e, "J", w, source, 0.01) for h, e, w in zip(H, E, wanted)]
    lines.append(result("coercivity of the sphere at 300 K, 1 s", summary["Hc"]["value"], "T", sharrock,
                        "Sharrock, J. Appl. Phys. 76 (1994) 6413: HK (1 - sqrt(25 kBT/K V))", 0.01))
    lines.append(bound("sphere: largest of the smallest eigenvalues at the saddles", first.max(), "T", None, -1.0, "one unstable direction"))
    lines.append(bound("sphere: least of the second ones", second.min(), "T", -2e-3, None, "and no other"))
    return lines


def rise_behind(folder):
    """Largest rise of the energy from one image to the next behind the saddle, over the barrier, of all fields: an open end lies downhill."""
    with open(os.path.join(folder, "barrier.csv"), newline="") as f:
        rows = [(float(row["mu0_H_T"]), float(row["energy_J"])) for row in csv.DictReader(f)]
    paths = [np.array([E for H, E in rows if H == field]) for field in sorted({H for H, _ in rows})]
    return max(float(np.diff(E[E.argmax():]).max() / E.max()) for E in paths)


def cube_barrier(case):
    """Barrier of a cube of 12 nm with its stray field, that reverses from a corner: the same whatever path the rounds begin with.

    At -2.5 T the path of -5 T, cut behind its own saddle, ends before the new one: the run has to notice and begin a whole path."""
    runs = [case.run("barrier", "barrier_cube", name, "barrier.fields=[%s]" % fields) for name, fields in (("both", "-5 T, -2.5 T"), ("one", "-2.5 T"))]
    both, one = [read_barriers(folder) for folder in runs]
    with open(os.path.join(runs[0], "barriers.csv"), newline="") as f:
        rounds = [int(float(row["rounds"])) for row in csv.DictReader(f)]
    return [result("barrier of a cube at -2.5 T, after -5 T", both[1][-1], "J", one[1][0], "the same run at -2.5 T alone", 1e-5),
            bound("cube: largest of the smallest eigenvalues at the saddles", both[2].max(), "T", None, -0.5, "one unstable direction"),
            bound("cube: least of the second ones", both[3].min(), "T", 0, None, "and no other"),
            bound("cube: rise of the energy behind a saddle, over the barrier", rise_behind(runs[0]), "", None, 0, "the way out of the start goes down there"),
            bound("cube: rounds of a path, at most", max(rounds), "", None, 70, "steps across the path are Newton's")]


def soliton(h):
    """J/m2: of a pair of walls in a rod, Braun 1993; half of it at a free end."""
    R = math.acosh(1 / math.sqrt(h))
    return 8 * math.sqrt(A * K1) * (math.tanh(R) - h * R)


def rod_barrier(case):
    """Energy barrier of a thin rod without stray field: a wall from its end, and a pair of walls in its middle."""
    lines, section, series = [], 1e-18, []
    fine = np.linspace(0.01, 0.99, 99)
    for name, share, more in (("end", 0.5, []), ("middle", 1.0, ["barrier.nucleus=[0.5 nm, 0.5 nm, 30 nm]", "barrier.images=16"])):
        folder = case.run("barrier", "barrier_rod", "barrier_rod_" + name, *more)
        H, E, first, second = read_barriers(folder)
        h = -H / ANISOTROPY_FIELD
        source = "Braun, Phys. Rev. Lett. 71 (1993) 3557: 8 sqrt(AK) S (tanh R - h R), cosh^2 R = 1/h; half of it at an end"
        lines += [result("barrier of a rod, from its %s, h = %.2f" % (name, x), e, "J", share * soliton(x) * section, source, 0.02)
                  for x, e in zip(h, E)]
        lines.append(bound("rod, %s: least of the second eigenvalues" % name, second.min(), "T", -2e-2, None,
                           "one unstable direction; moving the pair and turning it about the axis cost nothing"))
        series += [points("from its " + name, h, E * 1e20),
                   reference("Braun, %s" % name, fine, [share * soliton(x) * section * 1e20 for x in fine])]
    case.panel("field / anisotropy field", "barrier (1e-20 J)", *series)
    return lines
