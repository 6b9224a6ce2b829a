#!/usr/bin/env python3
"""grain_growth_test.py BUILD: magtwin evolve with phasefield.model: grain_growth: random grains, stopped and continued, on two ranks, in three
dimensions, from a file or a mesh; energies by pair; bad input."""
# timeout: 300
import json
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from _evolve import Evolve, table
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
INPUT = """box: {size: [60, 60, 0], spacing: 1, periodic: xy}
phasefield:
  model: grain_growth
  boundary: {energy: 0.6 J/m2, mobility: 1e-18 m4/(J s), width: 5 nm}
  initial: voronoi
  grains: 20
evolve: {end: 40 s, first_step: 0.05 s, tolerance: 2e-3, interval: 4 s, snapshots: [20]}
"""


RUNS = Evolve(BUILD, INPUT)
evolve, source = RUNS.run, RUNS.source


def check_list(out, number, t):
    """The list of grains against the line of its time; in a periodic plane of triple points grains have six neighbours in the mean (Euler)."""
    grains = table(out, os.path.join("fields", "grains_%04d.csv" % number))
    row = list(t["t_s"]).index(grains["t_s"][0])
    check(len(grains["grain"]) == t["grains"][row] and np.isclose(grains["radius_nm"].mean(), t["mean_radius_nm"][row], rtol=1e-8), grains)
    check(np.allclose(np.pi * grains["radius_nm"]**2, grains["volume_nm2"]) and abs(grains["volume_nm2"].sum() - 3600) < 40, grains)
    check(abs(grains["surface_nm"].sum() / 2 / t["interface_nm"][row] - 1) < 0.05, grains["surface_nm"])
    check(abs(grains["neighbours"].mean() - 6) < 0.5 or len(grains["grain"]) < 13, grains["neighbours"])
    check(((grains["x_nm"] >= 0) & (grains["x_nm"] < 60)).all() and (grains["z_nm"] == 0).all(), grains)


def test_growth(folder):
    out = evolve(folder, "out")
    t = table(out)
    f = t["f_total_J/m3"]
    check((np.diff(f) <= 0).all(), "the energy rises")
    check(t["grains"][0] == 20 and (np.diff(t["grains"]) <= 0).all() and t["grains"][-1] < 20, t["grains"])
    check(np.allclose(t["f_bulk_J/m3"] + t["f_gradient_J/m3"], f, rtol=1e-14), "the terms do not add up")
    check(abs(f[-1] * 3600e-9 / 0.6 / t["interface_nm"][-1] - 1) < 0.1, "energy and length of the boundaries do not agree")
    with open(os.path.join(out, "summary.json")) as h:
        summary = json.load(h)
    check(summary["results"]["largest_rise_of_energy"]["value"] <= 0 and summary["results"]["grains"] == t["grains"][-1], summary["results"])
    with h5py.File(os.path.join(out, "fields", "fields_0003.h5")) as h:
        grain, volume = h["/grain"][...], h["/grains/volume"][...].ravel()
        check(len(np.unique(grain)) == t["grains"][-1] and np.isclose(volume.sum(), 3600), (np.unique(grain), volume.sum()))
        check(0.3 < h["/sum_eta2"][...].min() and h["/sum_eta2"][...].max() < 1.05, h["/sum_eta2"][...].max())
    check_list(out, 3, t)
    drawn = support.magtwin(BUILD, "plot", out)
    check(drawn.code == 0, drawn)
    for name in ("evolve", "fields", "grains"):
        check(os.path.getsize(os.path.join(out, "figures", name + ".png")) > 20000, name)
    two = table(evolve(folder, "two", ranks=2))
    check(np.allclose(two["f_total_J/m3"], f, rtol=1e-6), two["f_total_J/m3"] / f - 1)


def test_continued(folder):
    """A run that ends at 8 s and goes on to 12 s is the run that passes 8 s, to the bit; on other ranks nearly."""
    whole = evolve(folder, "whole", "evolve.end=12 s", "evolve.snapshots=[8]")
    for ranks, out in (1, "parts"), (2, "more"):
        parts = evolve(folder, out, "evolve.end=8 s", "evolve.snapshots=[8]")
        again = support.magtwin(BUILD, "evolve", source(folder), "output.folder=" + parts, "--resume", "evolve.end=12 s", "evolve.snapshots=[8]", ranks=ranks)
        check(again.code == 0, again)
        if ranks == 2:
            check(np.isclose(table(parts)["f_total_J/m3"][-1], table(whole)["f_total_J/m3"][-1], rtol=1e-6), "on two ranks")
            continue
        for name in ["evolve.csv", "fields/grains_0003.csv"] + ["fields/fields_%04d.h5" % i for i in (1, 2, 3)]:
            with open(os.path.join(whole, name), "rb") as a, open(os.path.join(parts, name), "rb") as b:
                check(a.read() == b.read(), name + " differs")


def test_start(folder):
    """Three dimensions, and a start from the grains of a file."""
    solid = ["box.size=[20, 20, 20]", "box.periodic=xyz", "phasefield.grains=6", "evolve.end=4 s", "evolve.snapshots=[]"]
    out = evolve(folder, "solid", *solid, ranks=2)
    check(table(out)["grains"][0] == 6 and (np.diff(table(out)["f_total_J/m3"]) <= 0).all(), table(out))
    last = os.path.join(out, "fields", "fields_0002.h5")
    text = INPUT.replace("  initial: voronoi\n  grains: 20\n", "  initial: file\n  initial_file: %s\n" % last)
    new = evolve(folder, "new", *[word for word in solid if "grains" not in word], text=text)
    with h5py.File(last) as a, h5py.File(os.path.join(new, "fields", "fields_0001.h5")) as b:
        check((a["/grain"][...] == b["/grain"][...]).all(), "not the grains of the file")


def test_boundaries(folder):
    """Energies by the angle between grains, and by pair: a table without a pair that meets ends the run."""
    t = table(evolve(folder, "angle", "phasefield.boundary.law=read_shockley", "phasefield.boundary.cutoff=40", "evolve.end=8 s", "evolve.snapshots=[]"))
    check((np.diff(t["f_total_J/m3"]) <= 0).all(), t["f_total_J/m3"])
    path = os.path.join(folder, "pairs.csv")
    text = INPUT.replace("box: {size: [60, 60, 0], spacing: 1, periodic: xy}\n", "box: {size: [30, 30, 0], spacing: 1}\n").replace(
        "boundary: {energy: 0.6 J/m2, mobility: 1e-18 m4/(J s), width: 5 nm}", "boundary: {width: 5 nm, law: table, table: %s}" % path).replace(
        "  initial: voronoi\n  grains: 20\n", "  initial_formula: floor(x/10.1)\n")
    three = ("evolve.end=20 s", "evolve.snapshots=[]")

    def lines(*rows):
        with open(path, "w") as f:
            f.write("a,b,energy,mobility\n" + "".join(row + "\n" for row in rows))

    lines("0,1,0.3,1e-18", "1,2,0.6,2e-18", "0,2,0.5,1e-18")
    out = evolve(folder, "table", *three, text=text)
    f = table(out)["f_total_J/m3"][-1] * 900e-9 / 30
    check(abs(f - 0.9) < 0.03, f)
    lines("0,1,0.3,1e-18", "0,2,0.5,1e-18")
    done = evolve(folder, "gap", *three, text=text, code=1, ranks=2)
    check("does not have the grains 1 and 2, which meet at (" in done.err, done)
    for rows, words in ((("0,0,1,1",), "no pair of grains"), (("0,1,1,1e-18", "1,0,1,1e-18"), "twice"), (("0,1,1,1", "0,2,0.1,1"), "factor of 5"), (("0,1,-1,1",), "> 0")):
        lines(*rows)
        done = evolve(folder, "bad", *three, text=text, code=2)
        check(words in done.err, (rows, str(done)))


def test_driving(folder):
    """Bulk energies of grains: the one with less grows, on any number of ranks; a magnetic field, stopped and continued; what is refused."""
    path, axes = os.path.join(folder, "bulk.csv"), os.path.join(folder, "axes.csv")
    formula = INPUT.replace("  initial: voronoi\n  grains: 20\n", "  initial_formula: step(x - 30)\n").replace("[60, 60, 0], spacing: 1, periodic: xy", "[60, 4, 0], spacing: 1")
    table_key, field = "phasefield.driving.table=" + path, ["phasefield.driving.field=[0, 0, 2]", "phasefield.driving.polarization=1.2 T", "phasefield.boundary.orientations=" + axes]
    with open(axes, "w") as f:
        f.write("w,x,y,z\n1,0,0,0\n0.6,0.8,0,0\n")

    def lines(*rows):
        with open(path, "w") as f:
            f.write("grain,energy\n" + "".join(row + "\n" for row in rows))

    lines("1,2e7", "0,-3e6")
    moved = []
    for ranks in 1, 2:
        out = evolve(folder, "driven_%d" % ranks, table_key, "evolve.snapshots=[]", "evolve.end=60 s", text=formula, ranks=ranks)
        t = table(out)
        check((np.diff(t["f_total_J/m3"]) <= 0).all() and np.allclose(t["f_bulk_J/m3"] + t["f_gradient_J/m3"], t["f_total_J/m3"], rtol=1e-14), t)
        with h5py.File(os.path.join(out, "fields", "fields_0002.h5")) as h:
            moved.append(h["/grains/volume"][...].ravel()[0] / 4 - 29.5)
        check(abs(t["f_driving_J/m3"][-1] / 2.3e7 - 1 + (29.5 + moved[-1]) / 60) < 1e-3, t["f_driving_J/m3"])
    check(abs(moved[0] - 60 * 2.3e-2) < 0.1 and abs(moved[1] / moved[0] - 1) < 1e-4, moved)
    whole, parts = (evolve(folder, name, "evolve.end=%d s" % end, "evolve.snapshots=[8]", *field, text=formula) for name, end in (("whole", 12), ("parts", 8)))
    again = support.magtwin(BUILD, "evolve", source(folder, formula), "output.folder=" + parts, "--resume", "evolve.end=12 s", "evolve.snapshots=[8]", *field)
    check(again.code == 0, again)
    with open(os.path.join(whole, "evolve.csv"), "rb") as a, open(os.path.join(parts, "evolve.csv"), "rb") as b:
        check(a.read() == b.read(), "the continued run differs")
    wanted = 1.2 * 2 / 1.25663706212e-6 * (1 - 0.28)  # the c axis of grain 1 is turned by acos(0.36 - 0.64)
    check(abs(table(whole)["f_driving_J/m3"][0] / (wanted * 30.5 / 60) - 1) < 1e-9, table(whole)["f_driving_J/m3"][0])
    for rows, words in ((("0,1",), "no energy of grain 1"), (("0,1", "0,2"), "grain 0 twice"), (("0,0", "1,1e9"), "thinner ones"), (("0.5,1",), "no number of a grain")):
        lines(*rows)
        done = evolve(folder, "bad", table_key, code=2, text=formula)
        check(words in done.err and not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), (rows, str(done)))
    stiff = ["phasefield.driving.anisotropy=1e6 J/m3"]
    for overrides, words in ((field[:1], "drives nothing without"), (field[1:2], "drives nothing without"), (field[2:], "is used by"), (stiff, "holds nothing without")):
        done = evolve(folder, "bad", *overrides, code=2, text=formula)
        check(words in done.err, (overrides, str(done)))


def test_heated(folder):
    """Mobilities that follow a temperature program: steps end at its corners, a cold piece stands still; stopped and continued; what is refused."""
    program = ["phasefield.activation=150 kJ/mol", "phasefield.boundary.mobility=1e-12 m4/(J s)", "temperature={time: [0, 6, 10, 20], value: [1300 K, 1300 K, 300 K, 300 K]}"]
    whole, parts = (evolve(folder, name, "evolve.end=%d s" % end, "evolve.interval=3 s", "evolve.snapshots=[8]", *program) for name, end in (("whole", 14), ("parts", 8)))
    again = support.magtwin(BUILD, "evolve", source(folder), "output.folder=" + parts, "--resume", "evolve.end=14 s", "evolve.interval=3 s", "evolve.snapshots=[8]", *program)
    check(again.code == 0, again)
    for name in ["evolve.csv"] + ["fields/fields_%04d.h5" % i for i in (1, 2, 3)]:
        with open(os.path.join(whole, name), "rb") as a, open(os.path.join(parts, name), "rb") as b:
            check(a.read() == b.read(), name + " differs")
    t = table(whole)
    check(set((0, 3, 6, 8, 9, 10, 12, 14)) == set(t["t_s"]), t["t_s"])
    check(np.allclose(t["temperature_K"], np.interp(t["t_s"], (0, 6, 10, 20), (1300, 1300, 300, 300)), rtol=1e-12), t["temperature_K"])
    f = t["f_total_J/m3"]
    check((np.diff(f[:4]) < 0).all() and (np.diff(f) <= 0).all() and f[5] - f[7] < 1e-3 * (f[1] - f[2]), f)  # BDF2 coasts for a step or two
    with open(os.path.join(whole, "summary.json")) as h:
        check(json.load(h)["results"]["temperature"] == {"value": 300, "unit": "K"}, "temperature of the summary")
    for overrides, words in ((program[:1], "section temperature is missing"), (["temperature.time=[0, 5]"], "temperature.value"),
                             (program[:2] + ["temperature={time: [0, 5, 5], value: [300 K, 400 K, 500 K]}"], "must ascend")):
        done = evolve(folder, "bad", *overrides, code=2)
        check(words in done.err and not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), (overrides, str(done)))


def test_conserved(folder):
    """Liquid between two grains keeps its area and lowers the energy; stopped and continued to the bit, on two ranks; what is refused."""
    path = os.path.join(folder, "liquid.csv")
    with open(path, "w") as f:
        f.write("a b energy mobility\n0 1 1.2 1e-18\n0 2 0.6 1e-18\n1 2 0.6 1e-18\n")
    text = INPUT.replace("  initial: voronoi\n  grains: 20\n", "  initial_formula: s = step(12 - sqrt((x - 30)^2 + (y - 33)^2)); 2*s + (1 - s)*step(y - 30)\n").replace(
        "boundary: {energy: 0.6 J/m2, mobility: 1e-18 m4/(J s), width: 5 nm}", "boundary: {width: 5 nm, law: table, table: %s}" % path).replace(", periodic: xy", "")
    keep = ["phasefield.conserved=[2]", "evolve.end=30 s"]
    whole, parts = evolve(folder, "whole", *keep, text=text), evolve(folder, "parts", keep[0], "evolve.end=20 s", text=text)
    again = support.magtwin(BUILD, "evolve", source(folder, text), "output.folder=" + parts, "--resume", *keep)
    check(again.code == 0, again)
    for name in ["evolve.csv"] + ["fields/fields_%04d.h5" % i for i in (1, 2, 3)]:
        with open(os.path.join(whole, name), "rb") as a, open(os.path.join(parts, name), "rb") as b:
            check(a.read() == b.read(), name + " differs")
    two = evolve(folder, "two", *keep, text=text, ranks=2)
    for out in (whole, two):
        volume = []
        for i in (1, 2, 3):
            with h5py.File(os.path.join(out, "fields", "fields_%04d.h5" % i)) as f:
                volume.append(f["/grains/volume"][...].ravel())
        check(np.allclose([v[2] for v in volume], volume[0][2], rtol=1e-6) and abs(volume[0][0] - volume[2][0]) > 1, volume)
        check((np.diff(table(out)["f_total_J/m3"]) <= 0).all(), table(out)["f_total_J/m3"])
        with open(os.path.join(out, "summary.json")) as f:
            check(json.load(f)["results"]["pressure"]["value"] > 0, "pressure")
    shrunk = evolve(folder, "shrunk", "evolve.end=30 s", text=text)
    with h5py.File(os.path.join(shrunk, "fields", "fields_0003.h5")) as f:
        check(f["/grains/volume"][...].ravel()[2] < 0.97 * volume[0][2], (f["/grains/volume"][...], volume))
    for value, words in (("[3]", "grains are numbered from 0 to 2"), ("[1, 1]", "has grain 1 twice"), ("[0, 1, 2]", "has all 3 grains"), ("[0.5]", "has 0.5")):
        done = evolve(folder, "bad", "phasefield.conserved=" + value, code=2, text=text)
        check(words in done.err and not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), (value, str(done)))


def test_regions(folder):
    """The grains of a mesh with a phase between them: every node gets one, and they grow."""
    mesh = os.path.join(folder, "mesh")
    with open(os.path.join(folder, "mesh.yaml"), "w") as f:
        f.write("grains: {source: generated, count: 4, seed: 3, box: [24 nm, 24 nm, 24 nm]}\nmesh: {size: 3 nm, gb: {thickness: 2 nm}}\n")
    done = support.magtwin(BUILD, "mesh", os.path.join(folder, "mesh.yaml"), "output.folder=" + mesh)
    check(done.code == 0, done)
    text = INPUT.replace("box: {size: [60, 60, 0], spacing: 1, periodic: xy}\n", "mesh: {file: %s}\n" % os.path.join(mesh, "mesh.h5")).replace(
        "  initial: voronoi\n  grains: 20\n", "  initial: regions\n").replace("width: 5 nm", "width: 13 nm")
    out = evolve(folder, "grown", "evolve.end=10 s", "evolve.snapshots=[]", text=text, ranks=2)
    t = table(out)
    check(t["grains"][0] == 4 and (np.diff(t["f_total_J/m3"]) <= 0).all(), t)
    with h5py.File(os.path.join(out, "fields", "fields_0001.h5")) as f, h5py.File(os.path.join(mesh, "mesh.h5")) as g:
        grain, tet, region = f["/grain"][...], g["/mesh/tet"][...], g["/mesh/region"][...]
        inside = g["/regions/kind"][...][region] == 0
        mine = g["/regions/grains"][...][region[inside], 0]
        check((grain[tet[inside]] == mine[:, None]).mean() > 0.99, "grains of nodes are not those of their tetrahedra")
    drawn = support.magtwin(BUILD, "plot", out)
    check(drawn.code == 0 and "fields.png" in drawn.out, drawn)


def test_bad_input(folder):
    formula = INPUT.replace("  initial: voronoi\n  grains: 20\n", "  initial_formula: step(x - 30)\n")
    for override, text, words in [("phasefield.boundary.width=2 nm", INPUT, "2 times the cells"), ("phasefield.boundary.energy=0", INPUT, "must be > 0"),
                                  ("phasefield.initial_formula=x - 30", formula, "the labels do not cover the box: -30 at (0, 0, 0) nm"),
                                  ("phasefield.initial=regions", formula.replace("  initial_formula: step(x - 30)\n", ""), "which a box does not have"),
                                  ("phasefield.noise=0.1", INPUT, "counts only with"), ("phasefield.model=allen_cahn", INPUT, "counts only with")]:
        done = evolve(folder, "bad", override, code=2, text=text)
        check(words in done.err, (override, str(done)))
        check(not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), override)
    done = evolve(folder, "range", "phasefield.range=[0, 0.99]", "evolve.min_step=0.01 s", code=1)
    check("an order parameter leaves its range" in done.err and "that of grain" in done.err, done)
    check(os.path.exists(os.path.join(folder, "range", "checkpoint.h5")), done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("random grains", test_growth), ("stopped and continued", test_continued), ("other starts", test_start), ("energies of pairs", test_boundaries), ("bulk energies and fields", test_driving), ("temperatures", test_heated), ("grains that keep their volume", test_conserved), ("grains of a mesh", test_regions), ("bad input", test_bad_input)]))
