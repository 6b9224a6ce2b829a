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


class Strip:
    """A strip with two discs and the wall that is driven past them; lengths nm, K MJ/m3.  The wall goes along `axis` (0: x, 1: y) from `start`, up if `way` is 1."""

    def __init__(self, name, size, pinning, plain, radius, K, axis, way, start, end, field=0.4, spacing=3.5):
        self.name, self.size, self.disc, self.radius, self.K = name, size, {"pinning": pinning, "plain": plain}, radius, K
        self.axis, self.way, self.start, self.end, self.field, self.spacing = axis, way, start, end, field, spacing

    def within(self, x, name):
        return np.hypot(*(x[:, :2] - self.disc[name]).T) < self.radius

    def overrides(self, case):
        """Size and time; materials with the disc's anisotropy."""
        library = os.path.join(case.folder, self.name + "_materials.yaml")
        with open(library, "w") as f:
            f.write("materials:\n" + "".join("  - {name: %s, A: 10 pJ/m, Js: 1 T, K1: %g MJ/m3, source: made up}\n" % material for material in (("plain", 0.4), ("pinning", self.K))))
        wide, spacing = [0, 0, 4.0], [self.spacing, self.spacing, 4.0]
        wide[:2], spacing[self.axis] = self.size, 3.0
        third = self.size[self.axis] / 3
        return ["materials.library=" + library, "time.end=%g ps" % self.end, "grains.shape.axis=" + "xy"[self.axis], "grains.shape.layers=[%.17g, %.17g, %.17g]" % (third, third, third),
                "grains.shape.size=[%g nm, %g nm, %g nm]" % tuple(wide), "grains.shape.spacing=[%g nm, %g nm, %g nm]" % tuple(spacing)]


# Settings (features, field, share of the labels, bounds) were found with the first. The next two came after, unseen: they showed that the components of a node must count by their
# sum. The last two were run after that. The wall leaves all strips but the first, which it begins to leave: while it is inside, the places where it stands have taken up its energy.
STRIPS = (Strip("wall along x", (120, 28), (80, 14), (40, 14), 12, 0.7, 0, 1, 15, 630),
          Strip("wall along -x", (150, 35), (62, 20), (108, 15), 9, 0.9, 0, -1, 135, 840),
          Strip("wall along y", (42, 132), (19, 50), (22, 92), 14, 0.6, 1, 1, 15, 750),
          Strip("fresh, wall along x", (140, 24), (45, 9), (95, 15), 8, 0.8, 0, 1, 15, 900),
          Strip("fresh, wall along -y", (30, 150), (12, 60), (18, 110), 10, 1.0, 1, -1, 135, 990))


def mesh_with_discs(case, strip, name="discs"):
    """The strip as one region with two discs in it, made of the mesh of three layers of the input `name`; the wall to begin with."""
    layers = os.path.join(case.run("mesh", name, strip.name + "/layers", *strip.overrides(case)), "mesh.h5")
    mesh, start = os.path.join(case.folder, strip.name, "discs.h5"), os.path.join(case.folder, strip.name, "wall.h5")
    with open(layers, "rb") as a, open(mesh, "wb") as b:
        b.write(a.read())
    with h5py.File(mesh, "r+") as f:
        x, tet = f["/mesh/x"][:], f["/mesh/tet"][:]
        region = np.zeros(len(tet), np.int32)
        for number, name in ((1, "pinning"), (2, "plain")):
            region[strip.within(x[tet].mean(1), name)] = number
        f["/mesh/region"][...] = region
        f["/regions/volume"][...] = np.bincount(region, np.linalg.det(x[tet][:, 1:] - x[tet][:, :1]) / 6, 3)
    along = strip.way * (x[:, strip.axis] - strip.start) / 5.0
    with h5py.File(start, "w") as f:
        f["/m"] = np.stack([0 * along, 1 / np.cosh(along), -np.tanh(along)], 1)
        f.attrs.update({"format": np.bytes_("magtwin-state"), "version": np.int64(1), "made_by": np.bytes_("validate"), "ranks": np.int64(1), "field_T": [0.0, 0.0, strip.field]})
    return mesh, start, x


def pinning_disc(case):
    """A wall driven past two discs in a strip, of which one has 1.5 to 2.5 times the anisotropy: the map finds it, at five places, sizes, strengths and ways of the wall.

    States of the dynamics (0.4 T, damping 1), the field m as feature, no stray field. The truth is the work -m.H of every node, summed over the series; labels are the
    tenth of the strip that takes up most. The wall is held where it enters the disc and pulled where it leaves it, so that what lights up is the side on which it enters.
    Where the wall leaves the strip it gives back all its energy, five times what the disc takes; the regression, linear in m, is then not asked for its map."""
    os.makedirs(case.folder, exist_ok=True)
    return [line for strip in STRIPS for line in one_strip(case, strip)]


def one_strip(case, strip):
    mesh, start, x = mesh_with_discs(case, strip)
    more = strip.overrides(case)
    run = case.run("dynamics", "discs", strip.name + "/run", "mesh.file=" + mesh, "dynamics.initial=file", "dynamics.initial_file=" + start, *more)
    folder = case.run("landscape", "discs", strip.name + "/landscape", "pca.files=%s/states/*.h5" % run, "pca.mesh=" + mesh, *more)
    s = summary(folder)["landscape"]
    with h5py.File(os.path.join(folder, "landscape.h5"), "r") as f:
        net, truth, pc = f["nodes/path/net"][:] / 1e3, f["nodes/truth/net"][:] / 1e3, f["scores"][:, 0]
        work = f["work"][:, [t.decode() for t in f["terms"][:]].index("internal")]
    across, along = 1 - strip.axis, x[:, strip.axis]
    row = np.flatnonzero((abs(x[:, across] - strip.disc["pinning"][across]) < 1.8) & (abs(x[:, 2]) < 1e-6))
    row = row[np.argsort(along[row])]
    lights = lambda name: float(net[strip.within(x, name)].max())
    case.panel("PC1", "internal energy (kJ/m³)", points(strip.name, pc, work / 1e3))
    case.panel("nm along the way, through the pinning disc", "work taken up (kJ/m³)", curve("map along PC1", along[row], net[row]), reference("true", along[row], truth[row]), title=strip.name)
    ridge = [] if strip is not STRIPS[0] else [bound(strip.name + ": area under the ROC curve, resisting places by regression", s["roc_area_ridge"], "", 0.9, None, "true work -m.H of every node")]
    print("  %s: by regression %.3f" % (strip.name, s["roc_area_ridge"]))
    return ridge + [bound(strip.name + ": area under the ROC curve, resisting places along PC1", s["roc_area_path"], "", 0.9, None, "true work -m.H of every node"),
            bound(strip.name + ": net map along PC1", s["roc_area_path_net"], "", 0.9, None, "true work -m.H of every node"),
            bound(strip.name + ": the plain disc: its brightest place over that of the pinning disc", lights("plain") / lights("pinning"), "", -0.05, 0.05, "it does not pin"),
            bound(strip.name + ": sum over i of PC_k,i less PC_k, share of the largest", s["sum_defect"], "", 0, 1e-12, "the definition"),
            result(strip.name + ": true work, sum over the nodes", float(work[-1] - work[0]), "J/m3", total_work(folder), "its definition", 1e-5)]


def total_work(folder):
    with h5py.File(os.path.join(folder, "landscape.h5"), "r") as f:
        return float((f["nodes/truth/net"][:] * f["nodes/volume"][:]).sum() / f["nodes/volume"][:].sum())
