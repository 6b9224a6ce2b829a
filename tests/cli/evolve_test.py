#!/usr/bin/env python3
"""evolve_test.py BUILD: magtwin evolve as users call it: a decomposition on a box, stopped and continued, on two ranks, on tetrahedra of
a mesh; bad input, and a run that fails."""
# timeout: 600
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
INPUT = """box: {size: [60, 60, 0], spacing: 3}
phasefield:
  double_well: {height: 5, low: 0.3, high: 0.7}
  gradient_energy: 2e-18
  mobility: 5e-18
  initial_formula: 0.5 + 0.01*(cos(0.105*x)*cos(0.11*y) + (cos(0.13*x)*cos(0.087*y))^2 + cos(0.025*x - 0.15*y)*cos(0.07*x - 0.02*y))
evolve: {end: 20 s, first_step: 0.05 s, snapshots: [10]}
"""
MESH = """grains:
  source: shape
  shape: {kind: box, size: [16 nm, 16 nm, 8 nm], spacing: [2 nm, 2 nm, 2 nm]}
mesh: {size: 2 nm}
"""


RUNS = Evolve(BUILD, INPUT)
evolve, source = RUNS.run, RUNS.source


def test_decomposition(folder):
    out = evolve(folder, "out")
    t = table(out)
    f = t["f_total_J/m3"]
    x, y = np.meshgrid(np.arange(21) * 3., np.arange(21) * 3.)
    c = .5 + .01 * (np.cos(.105 * x) * np.cos(.11 * y) + (np.cos(.13 * x) * np.cos(.087 * y))**2 +
                    np.cos(.025 * x - .15 * y) * np.cos(.07 * x - .02 * y))
    with h5py.File(os.path.join(out, "fields", "fields_0001.h5")) as h:
        check(np.allclose(h["/c"][...], c.ravel(), atol=1e-14), "the start is not the formula")
    check((np.diff(f) <= 1e-12 * abs(f[:-1])).all(), "the energy rises")
    check(np.ptp(t["c_mean"]) < 1e-12, np.ptp(t["c_mean"]))
    check(np.allclose(t["f_bulk_J/m3"] + t["f_gradient_J/m3"], f, rtol=1e-14), "the terms do not add up")
    with open(os.path.join(out, "summary.json")) as h:
        summary = json.load(h)
    check(summary["results"]["end"] == "time" and summary["counts"]["fields"] == 3, summary["results"])
    check(summary["results"]["newton_per_step"] < 5, summary["results"])
    check(os.path.exists(os.path.join(out, "fields.xdmf")), "no fields.xdmf")
    drawn = support.magtwin(BUILD, "plot", out)
    check(drawn.code == 0, drawn)
    for name in ("evolve", "fields"):
        check(os.path.getsize(os.path.join(out, "figures", name + ".png")) > 20000, name)
    two = table(evolve(folder, "two", ranks=2))
    check(np.allclose(two["f_total_J/m3"][-1], f[-1], rtol=1e-6), (two["f_total_J/m3"][-1], f[-1]))


def test_continued(folder):
    """A run that ends at 5 s and goes on to 8 s is the run that passes 5 s, to the bit."""
    short = "evolve.snapshots=[5]", "evolve.end=8 s"
    whole = evolve(folder, "whole", *short)
    parts = evolve(folder, "parts", "evolve.snapshots=[5]", "evolve.end=5 s")
    again = support.magtwin(BUILD, "evolve", source(folder), "output.folder=" + parts, "--resume", *short)
    check(again.code == 0, again)
    for name in ["evolve.csv"] + ["fields/fields_%04d.h5" % i for i in (1, 2, 3)]:
        with open(os.path.join(whole, name), "rb") as a, open(os.path.join(parts, name), "rb") as b:
            check(a.read() == b.read(), name + " differs")
    other = support.magtwin(BUILD, "evolve", source(folder), "output.folder=" + parts, "--resume", "phasefield.mobility=1e-18")
    check(other.code == 2 and "another input" in other.err, other)
    newest = os.path.join(parts, "checkpoint.h5")
    with open(newest, "r+b") as f:
        f.truncate(3000)
    mended = support.magtwin(BUILD, "evolve", source(folder), "output.folder=" + parts, "--resume", *short)
    check(mended.code == 0 and "going on from" in mended.err and os.path.exists(newest + ".damaged"), mended)
    os.remove(newest + ".prev")
    with open(newest, "r+b") as f:
        f.truncate(3000)
    broken = support.magtwin(BUILD, "evolve", source(folder), "output.folder=" + parts, "--resume")
    check(broken.code == 2 and "no usable checkpoint" in broken.err, broken)


def test_all_columns(folder):
    """Temperature, elasticity and a load together: every column there is, and the energies add up."""
    t = table(evolve(folder, "out", "box.periodic=xy", "box.size=[60, 60, 0]", "temperature={time: [0 s], value: [900 K]}", "phasefield.activation=1 kJ/mol", "evolve.end=0.2 s", "evolve.snapshots=[]",
                     "elasticity={misfit: [0.01], stiffness: [200, 100, 50], stress: [10, 0, 0]}"))
    names = ["temperature_K", "f_elastic_J/m3", "f_load_J/m3"]
    check(len(t) == 17 and all(name in t for name in names), sorted(t))
    check((t["temperature_K"] == 900).all() and t["f_elastic_J/m3"][-1] > 0 and t["f_load_J/m3"][-1] < 0, [t[name] for name in names])
    parts = sum(t["f_%s_J/m3" % name] for name in ("bulk", "gradient", "elastic", "load"))
    check(np.allclose(parts, t["f_total_J/m3"], rtol=1e-12), (parts, t["f_total_J/m3"]))


def test_mesh(folder):
    """On tetrahedra of a mesh file; nothing flows through the ends, and the fields open beside the mesh."""
    out = os.path.join(folder, "mesh")
    done = support.magtwin(BUILD, "mesh", support.write(folder, MESH, "mesh.yaml"), "output.folder=" + out)
    check(done.code == 0, done)
    text = INPUT.replace("box: {size: [60, 60, 0], spacing: 3}", "mesh: {file: %s}" % os.path.join(out, "mesh.h5"))
    run = evolve(folder, "tets", "evolve.end=5 s", "phasefield.noise=0.05", text=text, ranks=2)
    t = table(run)
    check(np.ptp(t["c_mean"]) < 1e-12 and (np.diff(t["f_total_J/m3"]) <= 0).all(), t["f_total_J/m3"])
    drawn = support.magtwin(BUILD, "plot", run)
    check(drawn.code == 0 and "fields.png" in drawn.out, drawn)
    with h5py.File(os.path.join(run, "fields", "fields_0002.h5")) as f, h5py.File(os.path.join(out, "mesh.h5")) as g:
        tets, kind = g["/mesh/tet"][...], g["/regions/kind"][...]
        body = np.unique(tets[kind[g["/mesh/region"][...]] != 4])
        check(len(f["/c"]) == len(g["/mesh/x"]) and (np.isfinite(f["/c"][...]).nonzero()[0] == body).all(), "not one value a node of the body")


def test_bad_input(folder):
    for override, words in [("phasefield.double_well.high=0.2", "must be above low"),
                            ("phasefield.initial_formula=0.5 + sn(x)", "unknown name \"sn\" at character 7"),
                            ("phasefield.source=t*", "ends too early"),
                            ("phasefield.range=[1, 0]", "two numbers"),
                            ("phasefield.range=[0.6, 0.9]", "at the beginning is"),
                            ("box.periodic=z", "two dimensions"), ("mesh={file: README.md, size: 1}", "a run is on one of them"),
                            ("evolve.min_step=1 s", None), ("evolve.min_step=0.1 s", "longer than the first step"),
                            ("phasefield.gradient_energy=2e-24", "makes interfaces 0.00447 nm wide, but the longest edge is 3 nm"),
                            ("evolve.snapshots=[5, 5]", "must ascend")]:
        done = support.magtwin(BUILD, "evolve", source(folder), "output.folder=" + os.path.join(folder, "bad"), "evolve.max_step=0.5 s", override)
        check(done.code == 2 and (words or "longer than the longest") in done.err, (override, str(done)))
        check(not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), override)
    text = INPUT.replace("  double_well: {height: 5, low: 0.3, high: 0.7}\n", "  energy: polynomial\n  polynomial: [0, 1, 2, 3]\n")
    done = evolve(folder, "bad", code=2, text=text)
    check("no lower bound" in done.err, done)


def test_failure(folder):
    """Noise that a least step cannot follow: what, when, where, and the last good state."""
    done = evolve(folder, "out", "evolve.min_step=0.04 s", "evolve.tolerance=1e-9", code=1)
    check("no step of 0.04 s or longer can be made at t = 0 s: its error is above the tolerance; worst at (" in done.err, done)
    check(os.path.exists(os.path.join(folder, "out", "checkpoint.h5")), done)


def test_least_step(folder):
    """A source that grows beyond all bounds: no step that was accepted is below the least, but at times asked for; the last good state
    can be looked at, and another run begins from it."""
    text = """box: {size: [3, 2, 0], spacing: 1}
phasefield: {model: allen_cahn, double_well: {height: 5}, gradient_energy: 2e-17, rate: 1e-3, initial_formula: 0, source: 1/(0.5-t)^2}
evolve: {end: 1 s, first_step: 0.01 s, min_step: 1e-4 s}
"""
    for override, source in (("phasefield.seed=1", "first"), ("phasefield.source=1/(t-0.5)", "pole")):
        done = evolve(folder, source, override, code=1, text=text)
        check("no step of 0.0001 s or longer can be made at t = 0.4" in done.err and "worst at (" in done.err, done)
        out = os.path.join(folder, source)
        t = table(out)
        check(t["dt_s"][1:].min() >= 1e-4 * (1 - 1e-9), t["dt_s"][1:].min())
        check("to look at in %s/fields/fields_0002.h5" % out in done.err and "fields_0002.h5" in open(os.path.join(out, "fields.xdmf")).read(), done)
        last = os.path.join(out, "fields", "fields_0002.h5")
        with h5py.File(last) as h:
            check(abs(h["/c"][...].max() - t["c_max"][-1]) < 1e-12 and h["/"].attrs["t_s"] == t["t_s"][-1], t["t_s"][-1])
    begins = ["phasefield.initial=file", "phasefield.initial_file=" + last, "phasefield.source=0", "evolve.end=0.02 s"]
    check(table(evolve(folder, "on", *begins, text=text.replace(" initial_formula: 0,", "")))["c_max"][0] == t["c_max"][-1], "another start")
    evolve(folder, "first", "phasefield.seed=1", "evolve.min_step=1e-5 s", "evolve.end=0.49 s", "--resume", text=text)
    short = table(evolve(folder, "short", "evolve.interval=5e-5 s", "evolve.end=0.005 s", "phasefield.source=0.1", text=text))
    check(len(short["t_s"]) == 101, len(short["t_s"]))



DIFFUSION = """box: {size: [20, 4, 0], spacing: 1}
phasefield: {model: diffusion, initial_formula: step(3.5 - x)}
diffusion:
  media:
    - {D0: 1e6 nm2/s, Q: 100 kJ/mol}
    - {D0: 1e8 nm2/s, Q: 100 kJ/mol, where: 2 - y}
temperature: {time: [0, 2 s, 6 s], value: [600, 1000, 1000]}
evolve: {end: 8 s, first_step: 0.01 s, tolerance: 1e-3}
"""
GRAINS = """grains: {source: generated, count: 2, box: [12 nm, 8 nm, 8 nm], seed: 2}
mesh: {size: 2 nm, gb: {thickness: 2 nm}}
"""


def test_diffusion(folder):
    """A film spreads: nothing is lost, temperatures stand in the table, the field is continued to the bit; on a mesh from a surface."""
    out = evolve(folder, "film", text=DIFFUSION)
    t = table(out)
    check(np.ptp(t["c_mean"]) < 1e-12 and "f_total_J/m3" not in t, list(t))
    check(2 in t["t_s"] and 6 in t["t_s"], "no step ends at a corner of the program")
    check(np.allclose(t["temperature_K"], np.interp(t["t_s"], [0, 2, 6], [600, 1000, 1000])), t["temperature_K"])
    drawn = support.magtwin(BUILD, "plot", out)
    check(drawn.code == 0, drawn)
    parts = evolve(folder, "parts", "evolve.end=6 s", text=DIFFUSION)
    again = support.magtwin(BUILD, "evolve", source(folder, DIFFUSION), "output.folder=" + parts, "--resume")
    check(again.code == 0, again)
    check(np.allclose(table(parts)["c_max"][-1], t["c_max"][-1], atol=2e-3), "continued to something else")
    mesh = os.path.join(folder, "grains")
    done = support.magtwin(BUILD, "mesh", support.write(folder, GRAINS, "grains.yaml"), "output.folder=" + mesh)
    check(done.code == 0, done)
    text = DIFFUSION.split("box", 1)[0] + """mesh: {file: %s}
phasefield: {model: diffusion, initial_formula: "0"}
diffusion:
  media: [{D0: 0.1 nm2/s}, {regions: [gb], D0: 1e4 nm2/s}]
  fixed: [{at: z_min, c: 1}, {at: z_max, c: 0.5}]
evolve: {end: 1 s, first_step: 0.01 s, tolerance: 1e-3}
""" % os.path.join(mesh, "mesh.h5")
    run = evolve(folder, "held", text=text, ranks=2)
    with h5py.File(os.path.join(run, "fields", "fields_0002.h5")) as f, h5py.File(os.path.join(mesh, "mesh.h5")) as g:
        x, kind, c = g["/mesh/x"][...], g["/regions/kind"][...][g["/mesh/region"][...]], f["/c"][...]
        phase = np.unique(g["/mesh/tet"][...][kind == 1])
        grain = np.setdiff1d(np.unique(g["/mesh/tet"][...][kind == 0]), phase)
    body = np.isfinite(c)
    for end, held in ((body & (x[:, 2] < 1e-6), 1), (body & (x[:, 2] > 8 - 1e-6), 0.5)):
        check(end.sum() > 10 and abs(c[end] - held).max() < 1e-13, "not held")
    before = evolve(folder, "before", "evolve.end=0", text=text)
    for start in (run, before):  # held from the first step on: what is written at 0 s is the state before
        with h5py.File(os.path.join(start, "fields", "fields_0001.h5")) as f:
            check(not np.nan_to_num(f["/c"][...]).any(), "the start is changed")
    check(len(table(before)["t_s"]) == 1 and os.listdir(os.path.join(before, "fields")) == ["fields_0001.h5"], "more than the start")
    check(abs(c[phase] - (1 - x[phase, 2] / 16)).max() < 0.02, "the GB phase is not in its steady state")
    middle = grain[(abs(x[grain, 2] - 4) < 1) & (abs(x[grain, 0] - x[phase, 0].mean()) > 4)]
    check(len(middle) and c[middle].max() < 0.01, c[middle])


def test_bad_diffusion(folder):
    for override, words in [("diffusion.media=[{D0: 1 m2/s, Q: 1 J/mol, where: x - 10}]", "leaves a gap: no medium is at ("),
                            ("diffusion.media=[{D0: 1 m2/s, Q: 1 J/mol, regions: [gb]}]", "but the run is on a box"),
                            ("diffusion.media=[{D0: 1 m2/s, Q: 1 J/mol, where: x*t}]", "a medium stays where it is"),
                            ("diffusion.fixed=[{at: z_min, c: 1}]", "has two dimensions, without z"),
                            ("temperature={time: [0, 2, 1], value: [600, 700, 800]}", "must ascend"),
                            ("temperature={time: [0, 2], value: [600]}", "1 temperatures for 2 times"),
                            ("temperature={time: [1, 2], value: [600, 700]}", "must begin at 0 s"),
                            ("phasefield.mobility=1e-18", "counts only with phasefield.model=cahn_hilliard")]:
        done = support.magtwin(BUILD, "evolve", source(folder, DIFFUSION), "output.folder=" + os.path.join(folder, "bad"), override)
        check(done.code == 2 and words in done.err, (override, str(done)))
        check(not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), override)
    done = evolve(folder, "bad", code=2, text=DIFFUSION.replace("temperature:", "# temperature:"))
    check("section temperature is missing" in done.err and "run.yaml:5:" in done.err, done)



KKS = """box: {size: [24, 24, 0], spacing: 1}
phasefield: {model: kks, initial_formula: "0.5*(1 - tanh((sqrt(x^2 + y^2) - 10)/1.5))"}
temperature: {time: [0, 2 s], value: [1273 K, 1173 K]}
kks:
  interface_energy: 0.3 J/m2
  interface_width: 1.5 nm
  rate: 1e-8 m3/(J s)
  initial_c: "0.118 + 0.332*step(sqrt(x^2 + y^2) - 10)"
  phases:
    - {energy: regular_solution, temperature: 1100 K, interaction: 2 kJ/mol, molar_volume: 1e-5 m3/mol, D0: 1e-13 m2/s, Q: 100 kJ/mol}
    - {curvature: 2e10 J/m3, minimum: 0.118, ends: [-5e8, -5e8], D0: 1e-14 m2/s, Q: 130 kJ/mol}
evolve: {end: 4 s, first_step: 1 us, tolerance: 1e-3, snapshots: [2]}
"""


SOLID = "{curvature: 2e10 J/m3, minimum: 0.118, ends: [-5e8, -5e8], D0: 1e-14 m2/s, Q: 130 kJ/mol}"


def test_two_phases(folder):
    """A grain in liquid: c is kept, the energy falls where T is held, the run is continued to the bit; the field is a start of another."""
    out = evolve(folder, "liquid", text=KKS)
    t = table(out)
    check(np.ptp(t["c_mean"]) < 1e-12 and (np.diff(t["f_total_J/m3"]) <= 0).all(), t["f_total_J/m3"])
    check(0 < t["c_min"].min() and t["c_max"].max() < 1 and abs(t["temperature_K"][-1] - 1173) < 1e-9, t)
    parts = evolve(folder, "parts", "evolve.end=2 s", text=KKS)
    again = support.magtwin(BUILD, "evolve", source(folder, KKS), "output.folder=" + parts, "--resume")
    check(again.code == 0, again)
    with open(os.path.join(out, "evolve.csv"), "rb") as a, open(os.path.join(parts, "evolve.csv"), "rb") as b:
        check(a.read() == b.read(), "evolve.csv differs")
    drawn = support.magtwin(BUILD, "plot", out)
    check(drawn.code == 0, drawn)
    last = os.path.join(out, "fields", "fields_0003.h5")
    text = KKS.replace('initial_formula: "0.5*(1 - tanh((sqrt(x^2 + y^2) - 10)/1.5))"', "initial: file, initial_file: " + last)
    further = table(evolve(folder, "further", "evolve.end=0.1 s", text=text.replace("initial_c:", "# initial_c:"), ranks=2))
    check(abs(further["fraction"][0] - t["fraction"][-1]) < 1e-12, "not the field of the file")


def test_local_equilibrium(folder):
    """L from the thin-interface limit, told and in the summary, as the diffusivities at the time have it; refused where there is no one equilibrium."""
    text = KKS.replace("rate: 1e-8 m3/(J s)", "kinetics: diffusion")
    out = evolve(folder, "local", "evolve.snapshots=[]", text=text, ranks=2)
    t = table(out)
    check(np.ptp(t["c_mean"]) < 1e-12 and (np.diff(t["f_total_J/m3"]) <= 0).all(), t["f_total_J/m3"])
    with open(os.path.join(out, "summary.json")) as f:
        rate = json.load(f)["results"]["rate"]
    # The common tangent of both phases by hand (bisection, tests/unit/test_kks.c), D at 1173 K; 1/L = 209/840 l^2 3 (c1 - c0)^2/max(M)
    gas, liquid = 8.31446261815324, lambda c: 1e5 * (gas * 1100 * np.log(c / (1 - c)) + 2000 * (1 - 2 * c))
    f = lambda c: 1e5 * (gas * 1100 * (c * np.log(c) + (1 - c) * np.log(1 - c)) + 2000 * c * (1 - c))
    c = np.linspace(0.13, 0.9, 2000001)
    other = 0.118 + liquid(c) / 2e10
    c0 = c[np.argmin(abs(f(c) - (1e10 * (other - 0.118)**2 - 5e8) - liquid(c) * (c - other)))]
    c1 = 0.118 + liquid(c0) / 2e10
    curvature = 1e5 * (gas * 1100 / (c0 * (1 - c0)) - 4000)
    wanted = 1e5 * np.exp(-1e5 / (gas * 1173)) / curvature / (209 / 840 * 3 * 1.5**2 * (c1 - c0)**2)
    check(rate["unit"] == "m3/(J s)" and abs(rate["value"] / wanted - 1) < 1e-4, (rate, wanted))
    for change, words in [(("ends: [-5e8, -5e8]", "ends: [5e8, 5e8]"), "the phases have no common tangent"),
                          (("kinetics: diffusion", "kinetics: diffusion\n  rate: 1e-8 m3/(J s)"), "counts only with kks.kinetics=rate"),
                          (("model: kks", "model: kks, activation: 1 kJ/mol"), "takes Q of the phases"),
                          (("kinetics: diffusion", "kinetics: rate"), "kks.rate")]:
        done = evolve(folder, "bad", code=2, text=text.replace(*change))
        check(words in done.err, (words, str(done)))


def test_bad_phases(folder):
    for text, words in [(KKS.replace("interaction: 2 kJ/mol", "interaction: 30 kJ/mol"), "is not convex at c ="),
                        (KKS.replace("  initial_c:", "  # initial_c:"), "need kks.initial_c"),
                        (KKS.replace("temperature: {time", "# {time"), "section temperature is missing"),
                        (KKS.replace("ends: [-5e8, -5e8]", "ends: [1]"), "must be two energies"),
                        (KKS.replace("0.118 + 0.332", "0.118 + 1.5"), "c at the beginning is 1.618 at"),
                        (KKS.replace('formula: "0.5*', 'formula: "2*'), "phi at the beginning is"),
                        (KKS.replace(SOLID, "{energy: polynomial, polynomial: [0, 0, 1e9, -2e8], D0: 1e-14 m2/s}"), "has no lower bound"),
                        (KKS.replace(SOLID, "{energy: table, c: [0, 0.2, 0.3, 0.5], f: [1e8, 0, 1e8, 0], D0: 1e-14 m2/s}"), "is not convex at c = 0.25"),
                        (KKS.replace(SOLID, "{energy: table, c: [0.1, 0.12, 0.14], f: [1e8, -5e8, 1e8], D0: 1e-14 m2/s}"), "have no common potential there"),
                        (KKS.replace("model: kks", "model: kks, noise: 0.1"), "is not for two phases")]:
        done = evolve(folder, "bad", code=2, text=text)
        check(words in done.err, (words, str(done)))
        check(not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), words)



WALL = "wetting={energy: 1e-9 J/m2, grains: step(x - 30)%s}"


def test_faults(folder):
    """Steps below the smallest and values out of range in each model: what, when, where, which value, and the last good state, which is the start or later."""
    small, narrow = ["evolve.min_step=0.009 s", "evolve.tolerance=1e-9", "evolve.first_step=0.02 s"], "evolve.min_step=1e-4 s"
    for text, overrides, words in [(KKS, small, ("no step of 0.009 s or longer can be made at t = 0 s: its error is above the tolerance; worst at (", "where phi =")),
                                   (KKS, ["phasefield.range=[0.117, 0.4505]", narrow, "evolve.first_step=1e-3 s"], ("the state leaves its range of 0.117 to 0.4505; worst at (", "where c = 0.4")),
                                   (DIFFUSION, small, ("its error is above the tolerance; worst at (", ", 0) nm, where c =")),
                                   (DIFFUSION, ["phasefield.range=[-0.1, 1.2]", "phasefield.source=1", narrow], ("leaves its range of -0.1 to 1.2; worst at (", "where c = 1.2")),
                                   (INPUT, [WALL % "", "phasefield.range=[0.45, 0.55]", "evolve.min_step=0.001 s"], ("leaves its range of 0.45 to 0.55; worst at (", "where c = 0.55")),
                                   (INPUT, [WALL % "", "evolve.min_step=0.04 s", "evolve.tolerance=1e-9"], ("its error is above the tolerance; worst at (",))]:
        done = evolve(folder, "failed", "--force", *overrides, code=1, text=text)
        check(all(word in done.err for word in words) and " at t = " in done.err, (overrides, str(done)))
        with h5py.File(os.path.join(folder, "failed", "checkpoint.h5")) as f:
            state = f["/state/c0"][...]
        low, high = (0.117, 0.4505) if "0.4505" in str(overrides) else (0.45, 0.55) if "0.45" in str(overrides) else (-0.1, 1.2)
        check(low <= state.min() and state.max() <= high, (overrides, state.min(), state.max()))


def test_bad_wetting(folder):
    """Elements without a grain, and energies of pairs that are none, or given twice; a grain that is nowhere is told."""
    pair = ", pairs: [{grains: [%s], energy: 2e-9 J/m2}%s]"
    for override, words in [("wetting={energy: 1e-9 J/m2, grains: sqrt(x - 30)}", "every element needs the number of a grain"),
                            (WALL % (pair % ("1, 1", "")), "must be the numbers of two grains, is [1, 1]"),
                            (WALL % (pair % ("0, 0.5", "")), "must be the numbers of two grains, is [0, 0.5]"),
                            (WALL % (pair % ("0, 1", ", {grains: [1, 0], energy: 3e-9 J/m2}")), "wetting.pairs[1].grains: has the grains 0 and 1 again")]:
        done = evolve(folder, "bad", override, code=2)
        check(words in done.err and not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), (override, str(done)))
    done = support.magtwin(BUILD, "evolve", source(folder), "output.folder=" + os.path.join(folder, "told"), WALL % (pair % ("0, 7", "")), "evolve.end=0.1 s", "evolve.snapshots=[]", ranks=2)
    check(done.code == 0 and "1 of 1 have a grain that is not there" in done.err, done)


TOUCHING = """grains: {source: generated, count: 2, box: [12 nm, 8 nm, 8 nm], seed: 2}
mesh: {size: 1.5 nm, gb: {thickness: 0}}
"""
WETTING = """mesh: {file: %s}
phasefield:
  double_well: {height: 9e8 J/m3, low: 0, high: 1}
  gradient_energy: 1.8e-9 J/m
  mobility: 1e-27 m5/(J s)
  initial_formula: 0.5*(1 - tanh((sqrt((x - 6)^2 + (y - 4)^2 + z^2) - 4)/2))
wetting: {energy: 0.2 J/m2, pairs: [{grains: [1, 0], energy: 0.8 J/m2}]}
evolve: {end: 20 s, first_step: 1 ms, tolerance: 0.01}
"""


def test_wetting(folder):
    """Liquid goes along a boundary of a mesh that costs more than two wet sides: nothing is lost, the energy falls."""
    mesh = os.path.join(folder, "touching")
    done = support.magtwin(BUILD, "mesh", support.write(folder, TOUCHING, "grains.yaml"), "output.folder=" + mesh)
    check(done.code == 0, done)
    text = WETTING % os.path.join(mesh, "mesh.h5")
    t = table(evolve(folder, "wet", text=text, ranks=2))
    check(np.ptp(t["c_mean"]) < 1e-12 and (np.diff(t["f_total_J/m3"]) <= 0).all(), t["f_total_J/m3"])
    with h5py.File(os.path.join(folder, "wet", "fields", "fields_0002.h5")) as f, h5py.File(os.path.join(mesh, "mesh.h5")) as g:
        x, tets, c = g["/mesh/x"][...], g["/mesh/tet"][...], f["/c"][...]
        grains = g["/regions/kind"][...][g["/mesh/region"][...]] == 0
        first = g["/mesh/region"][...] == g["/mesh/region"][...][grains][0]
        boundary = np.intersect1d(np.unique(tets[grains & first]), np.unique(tets[grains & ~first]))
    far = boundary[x[boundary, 2] > 7]
    inside = np.setdiff1d(np.unique(tets[grains]), boundary)
    inside = inside[(x[inside, 2] > 7) & (abs(x[inside, 0] - x[boundary, 0].mean()) > 4)]
    check(c[far].min() > c[inside].max() + 0.1, (c[far], c[inside]))
    for old, new, words in [("wetting: {", "wetting: {grains: x, ", "is for a box"), ("grains: [1, 0]", "grains: [1]", "two grains"),
                            ("  double_well:", "  energy: polynomial\n  polynomial: [0, 0, 1] #", "with a double well")]:
        done = evolve(folder, "bad", text=text.replace(old, new), code=2)
        check(words in done.err, done)
    done = evolve(folder, "bad", text=DIFFUSION + "wetting: {energy: 0.1, grains: x}\n", code=2)
    check("with a double well" in done.err, done)
    done = evolve(folder, "bad", "wetting={energy: 0.1}", code=2)
    check("on a box needs wetting.grains" in done.err, done)
    done = evolve(folder, "bad", "wetting={energy: 0.1, grains: '3'}", code=2)
    check("there is one grain" in done.err, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("decomposition on a box", test_decomposition), ("stopped and continued", test_continued),
                                ("all columns", test_all_columns), ("on a mesh", test_mesh), ("bad input", test_bad_input), ("diffusion", test_diffusion),
                                ("bad media", test_bad_diffusion), ("two phases", test_two_phases), ("local equilibrium", test_local_equilibrium),
                                ("bad phases", test_bad_phases),
                                ("wetting", test_wetting), ("faults of each model", test_faults), ("bad wetting", test_bad_wetting), ("a run that fails", test_failure),
                                ("the least step", test_least_step)]))
