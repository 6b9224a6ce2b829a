"""Diffusion along grain boundaries and into grains, against analytic solutions."""
import glob
import math
import os

import h5py
import numpy as np

from lines import bound, curve, points, reference, result

ERFC = np.vectorize(math.erfc)
GRID = np.linspace(0, 4, 4001)
TABLE = ERFC(GRID)


def kept(folder):
    """(t, c, shape of a box or None) of the fields kept but the first."""
    for path in sorted(glob.glob(os.path.join(folder, "fields", "*.h5")))[1:]:
        with h5py.File(path, "r") as f:
            yield float(np.ravel(f.attrs["t_s"])[0]), f["/c"][...], tuple(f["/c"].attrs["nodes"][1::-1]) if "nodes" in f["/c"].attrs else None


def whipple(xi, eta, beta, ratio):
    """R. T. P. Whipple, Phil. Mag. 45 (1954) 1225: c beside a thin slab whose diffusivity is `ratio` times the lattice's, constant
    source; xi, eta: distances from the slab and from the source over sqrt(D t), beta = (ratio - 1) half-thickness/sqrt(D t)."""
    node, weight = np.polynomial.legendre.leggauss(400)
    low = 1 / math.sqrt(ratio)
    s = low + (1 - low) * ((node + 1) / 2)**2  # sigma = 1/s^2; denser where the root is singular
    sigma = 1 / s**2
    inner = np.exp(-eta**2 * s**2 / 4) * ERFC(0.5 * np.sqrt((ratio - 1) / (ratio - sigma)) * ((sigma - 1) / beta + xi))
    return math.erfc(eta / 2) + eta / math.sqrt(math.pi) * float(np.sum(weight * (node + 1) / 2 * (1 - low) * inner))


def gb_diffusion(case):
    """Diffusion from a surface into a lattice with a fast grain boundary, and the shell that grows from such a boundary into grains.

    The slab is on triangles of 0.5 nm, the shell on the tetrahedra (1.5 nm) of two grains with a GB phase of 2 nm."""
    lines = slab(case)
    folder = case.run("mesh", "shell_mesh", "shell_mesh")
    mesh = os.path.join(folder, "mesh.h5")
    return lines + shell(case, case.run("evolve", "shell", "shell", "mesh.file=" + mesh), mesh)


def slab(case):
    lines = []
    for t, c, shape in kept(case.run("evolve", "gb_slab", "slab")):
        c, root = c.reshape(shape), math.sqrt(t)
        y = np.arange(2, 90, 2.0)
        wanted = {x: np.array([whipple((x - 1) / root, v / root, 199 / root, 200) for v in y]) for x in (1.0, 4.0)}
        for x, exact in wanted.items():
            seen = c[(2 * y).astype(int), int(2 * x)]
            lines.append(bound("%g nm beside the slab, t = %g s: largest error of c" % (x - 1, t), float(abs(seen - exact).max()), "", 0, 0.01,
                               "R. T. P. Whipple, Phil. Mag. 45 (1954) 1225"))
            if t == 16:
                case.panel("along the slab (nm)", "c", curve("magtwin", y, seen), reference("Whipple", y, exact), title="%g nm beside the slab" % (x - 1), ylog=True)
    return lines


def shell(case, folder, mesh):
    """sqrt(D t) from c = erfc(d/(2 sqrt(D t))), d the distance from the GB phase, far from the surface."""
    with h5py.File(mesh, "r") as f:
        x, kind = f["/mesh/x"][...], f["/regions/kind"][...][f["/mesh/region"][...]]
        phase = x[np.unique(f["/mesh/tet"][...][kind == 1]), 0]
    d = abs(x[:, 0] - phase.mean()) - 1
    t, depth = [], []
    for now, c, _ in kept(folder):
        some = (x[:, 2] > 15) & (d > 0) & (c > 0.05) & (c < 0.9)
        q = np.interp(-c[some], -TABLE, GRID)
        t.append(now)
        depth.append(0.5 * float(np.sum(d[some] * q) / np.sum(q * q)))
    case.panel("t (s)", "depth of the shell (nm)", points("magtwin", t, depth), reference("sqrt(D t)", t, list(np.sqrt(t))), xlog=True, ylog=True)
    source = "J. Crank, The Mathematics of Diffusion (1975) 2.45"
    return [result("shell: exponent of its depth in time", float(np.polyfit(np.log(t), np.log(depth), 1)[0]), "", 0.5, "issue: square root of time", 0.05),
            result("shell: depth at t = 16 s", depth[-1], "nm", 4, source, 0.05)]
