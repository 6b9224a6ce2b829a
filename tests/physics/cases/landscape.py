"""Principal components and the extended free energy, where the answer is known."""
import json
import os

import h5py
import numpy as np

from lines import bound, curve, points, reference, result

NUMPY, ANALYTIC = "numpy's singular value decomposition", "analytic"


def write_input(case, name, text):
    """An input of the case's own, with its output folder; its name."""
    os.makedirs(case.folder, exist_ok=True)
    path = os.path.join(case.folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(text + "output: {folder: out/validate}\n")
    return path


def summary(folder):
    with open(os.path.join(folder, "summary.json")) as f:
        return json.load(f)


def known_covariance(case):
    """Principal components of 300 samples of 2000 variables whose covariance is known, by both methods on 1, 2 and 3 ranks.

    The spectrum falls by 20 % a component; errors are shares of the first eigenvalue, subspaces those of the first 10 components."""
    rng = np.random.default_rng(7)
    u = np.linalg.qr(np.column_stack([np.ones(300), rng.standard_normal((300, 20))]))[0][:, 1:]
    v = np.linalg.qr(rng.standard_normal((2000, 20)))[0]
    s = 50 * 0.9 ** np.arange(20)
    x = 40 + (u * s) @ v.T
    path = write_input(case, "table", "pca: {files: %s/table.npy, components: 10}\n" % case.folder)
    np.save(os.path.join(case.folder, "table.npy"), x)
    oracle = np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:10].T
    lines, found = [], []
    for method, deal, ranks in (("gram", "columns", 1), ("svd", "columns", 1), ("gram", "rows", 2), ("svd", "rows", 3)):
        folder = case.run("pca", None, "%s_%s_%d" % (method, deal, ranks), "pca.method=" + method, "pca.distribute=" + deal, ranks=ranks, input_file=path)
        with h5py.File(os.path.join(folder, "pca.h5"), "r") as f:
            variance, loadings, scores = f["variance"][:], f["loadings"][:], f["scores"][:]
        found.append((variance, loadings, scores))
        name = "%s, by %s, %d rank%s" % (method, deal, ranks, "s"[:ranks - 1])
        lines.append(bound(name + ": largest error of the spectrum", float(abs(variance - s[:10]**2 / 299).max() * 299 / s[0]**2), "", 0, 1e-10, ANALYTIC))
        lines.append(bound(name + ": sine of the angle of the subspaces", float(np.linalg.norm(loadings - oracle @ (oracle.T @ loadings), 2)), "", 0, 1e-8, NUMPY))
    apart = max(abs(a - b).max() / abs(b).max() for other in found[1:] for a, b in zip(other, found[0]))
    lines.append(bound("largest difference of variances, loadings and scores of the four", float(apart), "", 0, 1e-10, "the same table"))
    case.panel("component", "variance", points("found", range(1, 11), found[0][0]), reference("known", np.arange(1, 11), s[:10]**2 / 299), ylog=True)
    return lines


def quadratic_well(case):
    """A wall of width 1 moved by up to 0.1 through a quadratic well, seen in pictures: its landscape is a parabola.

    The features of a wall that moves by much less than its width lie on a straight line; what is left falls with the square of the reach."""
    at, x = np.linspace(-0.1, 0.1, 41), np.linspace(-6, 6, 64)
    path = write_input(case, "well", "pca: {files: %s/well.npy, components: 3}\nlandscape: {energy: table, table: %s/well.csv}\n" % (case.folder, case.folder))
    np.save(os.path.join(case.folder, "well.npy"), np.array([np.repeat(np.tanh(x - a)[None], 8, 0) for a in at]))
    np.savetxt(os.path.join(case.folder, "well.csv"), 1.5e4 * at**2, header="e_well_J/m3", comments="", fmt="%.17g")
    folder = case.run("landscape", None, "well", input_file=path)
    with h5py.File(os.path.join(folder, "landscape.h5"), "r") as f:
        pc, slope = f["scores"][:, 0], f["slope/0001"][:, 0]
    line = np.polyfit(pc, slope, 1)
    expected = 3e4 * np.polyfit(pc, at, 1)[0]**2
    s = summary(folder)["landscape"]
    case.panel("PC1", "dE/dPC1 (J/m³)", points("found", pc, slope), reference("linear", pc, expected * pc))
    return [bound("dE/dPC1: largest distance from a straight line, share of its range", float(abs(slope - np.polyval(line, pc)).max() / np.ptp(slope)), "", 0, 2e-3, ANALYTIC),
            result("its slope", float(line[0]), "J/m3", float(expected), ANALYTIC, 0.005),
            bound("sum over i of PC_k,i less PC_k, share of the largest", s["sum_defect"], "", 0, 1e-12, "the definition"),
            bound("held-out score of the regression", s["regression"]["well"]["score"], "", 0.999, None, ANALYTIC),
            bound("its share of permuted series", s["regression"]["well"]["chance"], "", 0, 0.005, "1/201 is the least")]


SIZE, DISC, RADIUS = (120.0, 28.0), {"pinning": (80.0, 14.0), "plain": (40.0, 14.0)}, 12.0  # nm


def mesh_with_discs(case):
    """The strip as one region with two discs in it, made of the mesh of three layers; the wall to begin with."""
    layers = os.path.join(case.run("mesh", "discs", "layers"), "mesh.h5")
    mesh, start = os.path.join(case.folder, "discs.h5"), os.path.join(case.folder, "wall.h5")
    with open(layers, "rb") as a, open(mesh, "wb") as b:
        b.write(a.read())
    with h5py.File(mesh, "r+") as f:
        x, tet = f["/mesh/x"][:], f["/mesh/tet"][:]
        middle = x[tet].mean(1)
        region = np.zeros(len(tet), np.int32)
        for number, name in ((1, "pinning"), (2, "plain")):
            region[np.hypot(*(middle[:, :2] - DISC[name]).T) < RADIUS] = number
        f["/mesh/region"][...] = region
        f["/regions/volume"][...] = np.bincount(region, np.linalg.det(x[tet][:, 1:] - x[tet][:, :1]) / 6, 3)
    width = 5.0
    with h5py.File(start, "w") as f:
        f["/m"] = np.stack([0 * x[:, 0], 1 / np.cosh((x[:, 0] - 15) / width), -np.tanh((x[:, 0] - 15) / width)], 1)
        f.attrs.update({"format": np.bytes_("magtwin-state"), "version": np.int64(1), "made_by": np.bytes_("validate"), "ranks": np.int64(1), "field_T": [0.0, 0.0, 0.4]})
    return mesh, start, x


def pinning_disc(case):
    """A wall driven past two discs of 24 nm in a strip of 120 x 28 nm, of which one has 1.75 times the anisotropy: the map finds it.

    States of the dynamics (0.4 T, damping 1), the field m as feature, no stray field. The truth is the work -m.H of every node, summed over the series; labels are the
    tenth of the strip that takes up most. The wall is held where it enters the disc and pulled where it leaves it, so that what lights up is the side on which it enters."""
    mesh, start, x = mesh_with_discs(case)
    run = case.run("dynamics", "discs", "run", "mesh.file=" + mesh, "dynamics.initial=file", "dynamics.initial_file=" + start)
    folder = case.run("landscape", "discs", "landscape", "pca.files=%s/states/*.h5" % run, "pca.mesh=" + mesh)
    s = summary(folder)["landscape"]
    with h5py.File(os.path.join(folder, "landscape.h5"), "r") as f:
        net, truth, pc = f["nodes/path/net"][:] / 1e3, f["nodes/truth/net"][:] / 1e3, f["scores"][:, 0]
        work = f["work"][:, [t.decode() for t in f["terms"][:]].index("internal")]
    row = (abs(x[:, 1] - 14) < 1e-6) & (abs(x[:, 2]) < 1e-6)
    row = np.flatnonzero(row)[np.argsort(x[row, 0])]
    lights = lambda name: float(net[np.hypot(*(x[:, :2] - DISC[name]).T) < RADIUS].max())
    case.panel("PC1", "internal energy (kJ/m³)", points("found", pc, work / 1e3))
    case.panel("x (nm), middle of the strip", "work taken up (kJ/m³)", curve("map along PC1", x[row, 0], net[row]), reference("true", x[row, 0], truth[row]))
    return [bound("area under the ROC curve, resisting places along PC1", s["roc_area_path"], "", 0.9, None, "true work -m.H of every node"),
            bound("the same by regression", s["roc_area_ridge"], "", 0.9, None, "true work -m.H of every node"),
            bound("net map along PC1", s["roc_area_path_net"], "", 0.9, None, "true work -m.H of every node"),
            bound("the plain disc: its brightest place over that of the pinning disc", lights("plain") / lights("pinning"), "", -0.05, 0.05, "it does not pin"),
            bound("sum over i of PC_k,i less PC_k, share of the largest", s["sum_defect"], "", 0, 1e-12, "the definition"),
            result("true work, sum over the nodes", float(work[-1] - work[0]), "J/m3", total_work(folder), "its definition", 1e-5)]


def total_work(folder):
    with h5py.File(os.path.join(folder, "landscape.h5"), "r") as f:
        return float((f["nodes/truth/net"][:] * f["nodes/volume"][:]).sum() / f["nodes/volume"][:].sum())
