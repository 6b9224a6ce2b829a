"""Persistence images back on their pictures, where the place is known."""
import os

import h5py
import numpy as np

from cases.landscape import summary
from lines import bound, curve, reference, result

DISC, RADIUS = {"hard": (88.0, 30.0), "plain": (44.0, 30.0)}, 12.0  # nm


def mesh_with_discs(case):
    """The strip as one region with two discs in it, made of the mesh of three layers; the wall to begin with."""
    layers = os.path.join(case.run("mesh", "island", "layers"), "mesh.h5")
    mesh, start = os.path.join(case.folder, "discs.h5"), os.path.join(case.folder, "wall.h5")
    with open(layers, "rb") as a, open(mesh, "wb") as b:
        b.write(a.read())
    with h5py.File(mesh, "r+") as f:
        x, tet = f["/mesh/x"][:], f["/mesh/tet"][:]
        middle, region = x[tet].mean(1), np.zeros(len(tet), np.int32)
        for number, name in ((1, "hard"), (2, "plain")):
            region[np.hypot(*(middle[:, :2] - DISC[name]).T) < RADIUS] = number
        f["/mesh/region"][...] = region
        f["/regions/volume"][...] = np.bincount(region, np.linalg.det(x[tet][:, 1:] - x[tet][:, :1]) / 6, 3)
    with h5py.File(start, "w") as f:
        f["/m"] = np.stack([0 * x[:, 0], 1 / np.cosh((x[:, 0] - 15) / 5), -np.tanh((x[:, 0] - 15) / 5)], 1)
        f.attrs.update({"format": np.bytes_("magtwin-state"), "version": np.int64(1), "made_by": np.bytes_("validate"), "ranks": np.int64(1), "field_T": [0.0, 0.0, 0.5]})
    return mesh, start


def area(score, label):
    """Under the receiver operating characteristic, ties counted half, by all pairs."""
    a, b = np.sort(score[~label]), score[label]
    return float((np.searchsorted(a, b, "left") + np.searchsorted(a, b, "right")).mean() / 2 / len(a))


def pinned_island(case):
    """A wall driven at a disc of 24 nm that it cannot enter bows around it and closes behind: the map of the persistence images of m_z lies on that disc.

    States of the dynamics (0.5 T, damping 1) of a strip of 132 x 60 nm, sampled on 132 x 60 points; an equal disc without the anisotropy lies on the way. The feature is the loop of reversed
    magnetization around the hard disc; its contributions go to the pixels that it encloses. The true work -m.H is taken up beside the disc, by what reverses while the wall grows longer, and not in
    it, so the score against it is given without a bound."""
    mesh, start = mesh_with_discs(case)
    run = case.run("dynamics", "island", "run", "mesh.file=" + mesh, "dynamics.initial=file", "dynamics.initial_file=" + start)
    states = "%s/states/*.h5" % run
    case.run("topology", "island", "diagrams", "topology.files=" + states, "topology.mesh=" + mesh)
    folder = case.run("landscape", "island", "landscape", "landscape.states=" + states, "landscape.mesh=" + mesh)
    s = summary(folder)["landscape"]
    with h5py.File(os.path.join(folder, "landscape.h5"), "r") as f:
        path, ridge, truth = (f["places/%s/net" % g][:].reshape(60, 132) for g in ("path", "ridge", "truth"))
        work = f["work"][:, [t.decode() for t in f["terms"][:]].index("internal")]
        pc = f["scores"][:, 0]
    steps = np.abs(np.diff(pc)) > 1e-9 * np.ptp(pc)
    y, x = np.mgrid[0:60, 0:132] + 0.5
    disc = {name: np.hypot(x - at[0], y - at[1]) < RADIUS for name, at in DISC.items()}
    case.panel("x (nm), middle of the strip", "contribution (kJ/m³)", curve("along PC1", x[30], path[30] / 1e3), curve("by regression", x[30], ridge[30] / 1e3), reference("true work", x[30], truth[30] / 1e3))
    source = "the planted disc"
    share = lambda a: float(a[disc["hard"]].sum() / a.sum())
    return [bound("share of the map along PC1 that lies in the hard disc", share(path), "", 0.8, 1.0, source + ", 5.7 % of the strip"),
            bound("the same by regression", share(ridge), "", 0.8, 1.0, source),
            bound("area under the ROC curve, map along PC1 against the hard disc", area(path.ravel(), disc["hard"].ravel()), "", 0.8, 1.0, source + "; its rim belongs to the wall"),
            bound("the plain disc: largest number of the map over that of the hard disc", float(abs(path[disc["plain"]]).max() / path[disc["hard"]].max()), "", 0, 0.05, "it does not hold"),
            result("mean of the map along PC1 over the strip", float(path.mean()), "J/m3", float(np.diff(work)[steps].sum()), "change of the energy over the steps in which PC1 moves", 1e-10),
            bound("area against the true work, resisting map along PC1", s["roc_area_places_path"], "", 0, 1, "no demand: the work is taken up beside the disc")]
