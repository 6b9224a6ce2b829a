"""Diffusion along grain boundaries and into grains, and between two phases, against analytic solutions."""
import csv
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


def planar_growth(case):
    """A flat interface between two phases (Kim, Kim and Suzuki) moves as diffusion in the supersaturated one allows.

    Slope of its place against the square root of time over the last nine tenths of 200 s: the start is not Zener's. Iterations with equal steps of
    0.1 s to 5 s, on edges of 0.4 and 0.1 of the interface's l."""
    folder = case.run("evolve", "zener", "adaptive")
    t, x, rows = read(folder, 120)
    late = t > 0.1 * t[-1]
    slope, offset = np.polyfit(np.sqrt(t[late]), x[late], 1)
    wanted = 2 * zener(0.5)
    case.panel("sqrt of t (s$^{1/2}$)", "place of the interface (nm)", curve("magtwin", np.sqrt(t), x), reference("Zener", np.sqrt(t[[0, -1]]), offset + wanted * np.sqrt(t[[0, -1]])))
    lines = [result("planar growth: dx/d(sqrt t)", float(slope), "nm/s^1/2", wanted, "C. Zener, J. Appl. Phys. 20 (1949) 950", 0.02),
             bound("planar growth: largest change of the mean of c", float(np.abs(rows["c_mean"] - rows["c_mean"][0]).max()), "", 0, 1e-12, "mass is conserved"),
             bound("planar growth: largest rise of the energy over all", float(np.diff(rows["f_total_J/m3"]).max() / rows["f_total_J/m3"][0]), "", -1, 1e-12, "energy falls"),
             bound("planar growth: Newton iterations a step", float(rows["newton_iterations"][-1] / (rows["steps"][-1] + rows["rejected"][-1])), "", 0, 5, "issue: at most 5")]
    equal = ["evolve.tolerance=0", "evolve.first_step=0.1 s", "evolve.end=5 s"]
    count = []
    for h in (0.4, 0.1):
        _, _, rows = read(case.run("evolve", "zener", "equal_%g" % h, "box.size=[40 nm, %g nm, 0 nm]" % (3 * h), "box.spacing=%g nm" % h, *equal), 40)
        count.append(float(rows["linear_iterations"][-1] / rows["newton_iterations"][-1]))
    return lines + [bound("planar growth: linear iterations a Newton iteration, h/4 over h", count[1] / count[0], "", 0, 1.3, "independent of the mesh")]


def read(folder, length):
    """Times, how far the interface went from 10 nm on (nm), and all columns."""
    with open(os.path.join(folder, "evolve.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    table = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    return table["t_s"], length * table["fraction"] - 10, table


def zener(supersaturation):
    """lambda of x = 2 lambda sqrt(D t): sqrt(pi) lambda exp(lambda^2) erfc(lambda) = supersaturation."""
    low, high = 0.0, 3.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = math.sqrt(math.pi) * middle * math.exp(middle**2) * math.erfc(middle) < supersaturation
        low, high = (middle, high) if below else (low, middle)
    return low
