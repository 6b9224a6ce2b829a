#!/usr/bin/env python3
"""labels_start_test.py BUILD: magtwin evolve from labelled voxels: volumes are the voxels counted, grains shrink at the known rate, on two ranks, in three
dimensions, with orientations, on a mesh; phases by a table; bad input."""
# timeout: 300
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from _evolve import Evolve, table
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
INPUT = """grains: {source: labels, file: %s, voxel: [0.75 nm, 0.75 nm, 0.75 nm]}
phasefield:
  model: grain_growth
  boundary: {energy: 1 J/m2, mobility: 1e-18 m4/(J s), width: 6 nm}
  initial: labels
evolve: {end: 100 s, first_step: 0.05 s, tolerance: 1e-3, snapshot_interval: 20 s}
"""
FIELD = """grains: {source: labels, file: %s, voxel: [1 nm, 1 nm, 1 nm]}
phasefield: {model: cahn_hilliard, double_well: {height: 1e8 J/m3}, gradient_energy: 1e-10 J/m, mobility: 1e-27 m5/(J s), initial: labels, label_values: %s}
evolve: {end: 1 s, first_step: 0.01 s}
"""


def ball(n, radius, dim):
    """Label 7 within `radius` voxels of the middle, 3 around; every node of a voxel is at its lower corner."""
    at = np.arange(n) + 0.5 - n / 2
    r2 = at[:, None]**2 + at[None, :]**2 if dim == 2 else at[:, None, None]**2 + at[None, :, None]**2 + at[None, None, :]**2
    label = np.where(r2 < radius**2, 7, 3).astype(np.int32)
    return label[None] if dim == 2 else label


def save(folder, name, label):
    path = os.path.join(folder, name)
    np.save(path, label)
    return path


def volumes(out, number):
    with h5py.File(os.path.join(out, "fields", "fields_%04d.h5" % number)) as f:
        return f["/grains/volume"][...].ravel(), f["/grains/label"][...].ravel(), float(np.ravel(f.attrs["t_s"])[0])


def test_circle(folder):
    """Without a section box a voxel is a cell; the area falls by 2 pi M sigma t."""
    label = ball(80, 27, 2)
    runs = Evolve(BUILD, INPUT % save(folder, "circle.npy", label))
    out = runs.run(folder, "out")
    first, names, _ = volumes(out, 1)
    check(list(names) == [3, 7] and abs(first[1] - (label == 7).sum() * 0.75**2) < 1e-9 and abs(first.sum() - 3600) < 1e-9, (first, names))
    a, b = volumes(out, 2), volumes(out, 6)
    rate = (a[0][1] - b[0][1]) / (b[2] - a[2])
    check(abs(rate / (2 * np.pi) - 1) < 0.01, rate)
    drawn = support.magtwin(BUILD, "plot", out)
    check(drawn.code == 0, drawn)
    two = runs.run(folder, "two", "evolve.end=20 s", ranks=2)
    check(abs(volumes(two, 2)[0] / a[0] - 1).max() < 1e-6, volumes(two, 2))


def test_ball(folder):
    """An HDF5 volume in three dimensions on two ranks, the z axis periodic in a box that is given; the energy of 7.5 degrees by Read and Shockley from the
    orientations of the volume."""
    label, path, turns = ball(24, 8, 3), os.path.join(folder, "ball.h5"), os.path.join(folder, "turns.csv")
    with h5py.File(path, "w") as f:
        f["/seen"] = label
    half = np.radians(7.5) / 2
    with open(turns, "w") as f:
        f.write("label,w,x,y,z\n7,%.15g,%.15g,0,0\n3,1,0,0,0\n" % (np.cos(half), np.sin(half)))
    runs = Evolve(BUILD, INPUT % path)
    keys = ["grains.dataset=/seen", "grains.orientations=" + turns, "phasefield.boundary.law=read_shockley", "phasefield.boundary.width=2.5 nm", "evolve.end=2 s", "evolve.snapshot_interval=2 s"]
    out = runs.run(folder, "out", *keys, ranks=2)
    first, names, _ = volumes(out, 1)
    check(list(names) == [3, 7] and abs(first[1] - (label == 7).sum() * 0.75**3) < 1e-9 and abs(first.sum() - 18**3) < 1e-8, (first, names))
    t = table(out)
    wanted = 0.5 * (1 - np.log(0.5))
    energy = t["f_total_J/m3"][-1] * 18**3 * 1e-9 / t["interface_nm2"][-1]
    check(abs(energy / wanted - 1) < 0.05, (energy, wanted))
    given = runs.run(folder, "given", "box={size: [18, 18, 18], spacing: 0.75, periodic: z}", *keys)
    check(np.allclose(volumes(given, 1)[0], first, rtol=1e-12), volumes(given, 1))
    grown = os.path.join(out, "fields", "fields_0002.h5")
    again = runs.run(folder, "again", "grains={source: labels, file: %s, dataset: /grain}" % grown, "phasefield.boundary.width=2.5 nm", "evolve.end=0.1 s", ranks=2)
    with h5py.File(grown) as f, h5py.File(os.path.join(again, "fields", "fields_0001.h5")) as g:
        grain = f["/grain"][...]
        check(abs(g["/grains/volume"][...].ravel()[1] - (grain == 1).sum() * (18 / 25)**3) < 1e-9 and list(g["/grains/label"][...].ravel()) == [1, 2], "not the grown grains")
        check((f["/grains/orientation"][...] == g["/grains/orientation"][...]).all() and (g["/grain"][...].reshape(26, 26, 26)[:25, :25, :25].ravel() == grain.ravel()).all(), "not their orientations")


def test_mesh(folder):
    """Nodes of a mesh that is made of the labels take the voxels where they are."""
    label = np.where(np.arange(24)[None, None, :] < 12, 1, 2) * np.ones((24, 24, 24), np.int32)
    runs = Evolve(BUILD, INPUT % save(folder, "halves.npy", label.astype(np.int32)))
    out = runs.run(folder, "out", "grains.voxel=[1, 1, 1]", "mesh={size: 3 nm, route: convex, gb: {thickness: 0}}", "phasefield.boundary.width=16 nm", "evolve.end=1 s", ranks=2)
    with h5py.File(os.path.join(out, "fields", "fields_0001.h5")) as f, h5py.File(os.path.join(out, "mesh.h5")) as g:
        grain, x = f["/grain"][...].ravel(), g["/mesh/x"][...][:, 0]
        inside = ~np.isnan(grain)
        check((grain[inside] == (x[inside] >= 12 - 1e-9)).all() and inside.sum() > 500, "nodes are not in the grain of their voxel")


def test_phases(folder):
    """Labels that are phases: c by a table, also of the background."""
    label, values = ball(32, 9, 2), os.path.join(folder, "values.csv")
    label[label == 3] = 0
    path = save(folder, "phases.npy", label)
    with open(values, "w") as f:
        f.write("label,c,phi\n7,0.9,1\n0,0.1,0\n")
    out = Evolve(BUILD, FIELD % (path, values)).run(folder, "out", ranks=2)
    inside = (label == 7).mean()
    with h5py.File(os.path.join(out, "fields", "fields_0001.h5")) as f:
        c = f["/c"][...].ravel().reshape(33, 33)
    check((c[:32, :32] == np.where(label[0] == 7, 0.9, 0.1)).all(), c)
    t = table(out)
    check(abs(t["c_mean"][0] - (0.1 + 0.8 * inside)) < 1e-12 and abs(t["c_mean"][-1] - t["c_mean"][0]) < 1e-12, t["c_mean"])
    with open(values, "w") as f:
        f.write("label,c\n7,0.9\n")
    done = Evolve(BUILD, FIELD % (path, values)).run(folder, "gap", ranks=2, code=2)
    check("no c of label 0, which is at (0, 0, 0) nm" in done.err, done)
    two = FIELD.replace("cahn_hilliard, double_well: {height: 1e8 J/m3}, gradient_energy: 1e-10 J/m, mobility: 1e-27 m5/(J s)", "kks") + """kks:
  {interface_energy: 0.3 J/m2, interface_width: 1.5 nm, rate: 1e-8, phases: [{curvature: 1e9, minimum: 0.1, D0: 1e-18}, {curvature: 1e9, minimum: 0.9, D0: 1e-18}]}
"""
    with open(values, "w") as f:
        f.write("label,c,phi\n7,0.9,1\n0,0.1,0\n")
    out = Evolve(BUILD, two % (path, values)).run(folder, "kks", "evolve.end=0.01 s")
    with h5py.File(os.path.join(out, "fields", "fields_0001.h5")) as f:
        check(abs(f["/phi"][...].mean() * 33**2 - (label == 7).sum()) < 1e-9, f["/phi"][...].mean())


def test_background(folder):
    """Voxels of no grain are refused, with a place, or given to the grains around."""
    label = ball(40, 10, 2)
    label[0, 5, 9] = 0
    runs = Evolve(BUILD, INPUT % save(folder, "hole.npy", label))
    done = runs.run(folder, "bad", ranks=2, code=2)
    check("the labels do not cover the box: 0 at (6.75, 3.75, 0) nm is the background" in done.err, done)
    out = runs.run(folder, "out", "phasefield.unlabelled=fill", "evolve.end=1 s")
    check(abs(volumes(out, 1)[0][1] - (label == 7).sum() * 0.75**2) < 1e-9 and abs(volumes(out, 1)[0].sum() - 900) < 1e-9, volumes(out, 1))


def test_bad_input(folder):
    path = save(folder, "circle.npy", ball(20, 5, 2))
    runs = Evolve(BUILD, INPUT % path)
    flat = save(folder, "flat.npy", np.ones((3, 20, 20), np.int32))
    for overrides, words in ((["box={size: [20, 15, 0], spacing: 0.75}"], "the labels do not cover the box: they end at (15, 15, 0.75) nm, and a node lies at (15.5556, 0, 0) nm"),
                             (["grains.file=" + flat, "box={size: [15, 15, 0], spacing: 0.75}"], "two dimensions, but the labels have 3 slices"),
                             (["phasefield.label_values=" + path], "is for other models"), (["phasefield.initial=voronoi", "phasefield.grains=3"], "needs the section mesh"),
                             (["grains={source: generated, count: 3, box: [9, 9, 9]}"], "source labels, stack or ebsd")):
        done = runs.run(folder, "bad", *overrides, code=2)
        check(words in done.err and not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), (overrides, str(done)))
    alone = FIELD.replace(", label_values: %s", "") % path
    done = Evolve(BUILD, alone).run(folder, "bad", code=2)
    check("is labels, which needs phasefield.label_values" in done.err, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("a circle", test_circle), ("a ball", test_ball), ("on a mesh", test_mesh), ("phases", test_phases), ("background", test_background), ("bad input", test_bad_input)]))
