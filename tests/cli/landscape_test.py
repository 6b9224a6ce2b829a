#!/usr/bin/env python3
"""landscape_test.py BUILD: magtwin landscape as users call it: a wall in a quadratic well, M(H), states of a run, ranks, bad input, the page."""
# timeout: 600
import csv
import glob
import json
import os
import sys
from xml.etree import ElementTree

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check
from topology_test import kuhn_mesh

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
SAMPLES, STIFFNESS = 31, 3e4


def landscape(folder, text, *more, ranks=1, out="out", code=0):
    path = os.path.join(folder, "in.yaml")
    with open(path, "w") as f:
        f.write(text + "output: {folder: %s}\n" % os.path.join(folder, out))
    r = support.magtwin(BUILD, "landscape", path, "--force", *more, ranks=ranks)
    check(r.code == code, r)
    return r, os.path.join(folder, out)


def summary(out):
    with open(os.path.join(out, "summary.json")) as f:
        return json.load(f)["landscape"]


def well(folder, reach=0.1):
    """Pictures of a wall of width 1 at places -reach .. reach, and its energy there."""
    at = np.linspace(-reach, reach, SAMPLES)
    x = np.linspace(-6, 6, 48)
    np.save(os.path.join(folder, "p.npy"), np.array([np.repeat(np.tanh(x - a)[None], 6, 0) for a in at]))
    with open(os.path.join(folder, "e.csv"), "w") as f:
        f.write("place,e_well_J/m3,e_total_J/m3\n" + "".join("%.17g,%.17g,0\n" % (a, 0.5 * STIFFNESS * a * a) for a in at))
    return at, "pca: {files: %s/p.npy, components: 3}\nlandscape: {energy: table, table: %s/e.csv, permutations: 40}\n" % (folder, folder)


def test_quadratic_well(folder):
    """dE/dPC1 is linear, contributions add up to the component and to the energy, and the lowest point is no pass."""
    at, text = well(folder)
    _, out = landscape(folder, text)
    with h5py.File(os.path.join(out, "landscape.h5"), "r") as f:
        pc, slope = f["scores"][:, 0], f["slope/0001"][:, 0]
        line = np.polyfit(pc, slope, 1)
        check(abs(slope - np.polyval(line, pc)).max() < 2e-3 * np.ptp(slope), "not linear")
        check(abs(line[0] / (STIFFNESS * np.polyfit(pc, at, 1)[0]**2) - 1) < 5e-3, line)
        check(abs(f["maps/path/net"][:].sum()) < 1e-9 * f["work"][:].max(), "a walk there and back")
        with h5py.File(os.path.join(out, "pca.h5"), "r") as g:
            check(abs(f["maps/dPC"][:].sum() - (g["scores"][-1, 0] - g["scores"][0, 0])) < 1e-12, "dPC")
    s = summary(out)
    check(s["sum_defect"] < 1e-12, s)
    check(s["regression"]["well"]["score"] > 0.999 and abs(s["regression"]["well"]["chance"] - 1 / 41) < 1e-12, s)
    with open(os.path.join(out, "passes.csv")) as f:
        rows = list(csv.DictReader(f))
    check([(r["from"], r["top"]) for r in rows] == [("16", "31")], rows)
    check(abs(float(rows[0]["rise_internal_J/m3"]) - 0.5 * STIFFNESS * 0.01) < 1e-9, rows)
    r = support.magtwin(BUILD, "plot", out)
    names = ["figures/%s.png" % n for n in ("scores", "landscape", "forces", "maps", "regression", "loadings")] + ["landscape.html"]
    check(r.code == 0 and all(os.path.exists(os.path.join(out, n)) for n in names), r)
    with open(os.path.join(out, "landscape.html")) as f:
        page = f.read()
    check(page.count("data:image/png") == 6 and "http" not in page.split("<body>")[1], "the page")


def test_ranks(folder):
    _, text = well(folder)
    first = landscape(folder, text, out="first")[1]
    for ranks in (2, 3):
        other = landscape(folder, text, ranks=ranks, out="other")[1]
        with h5py.File(os.path.join(first, "landscape.h5"), "r") as a, h5py.File(os.path.join(other, "landscape.h5"), "r") as b:
            for name in ("scores", "work", "maps/path/net", "maps/ridge/resisting", "regression"):
                top = abs(a[name][:]).max()
                check(np.allclose(a[name][:], b[name][:], rtol=0, atol=(1e-6 if "r" == name[0] or "ridge" in name else 1e-9) * top), (ranks, name))


def test_moment(folder):
    """M(H) of a loop: the work of the field is what the stray field and the rest take up; energies at fixed field add up to nothing."""
    B, m = np.linspace(1, -1, 21), np.tanh(3 * np.linspace(1, -1, 21) + 1)
    np.save(os.path.join(folder, "p.npy"), np.outer(m, np.ones(30)) + 1e-3 * np.random.default_rng(1).standard_normal((21, 30)))
    np.savetxt(os.path.join(folder, "mh.csv"), np.c_[B, m], delimiter=",", header="B,m", comments="", fmt="%.17g")
    text = "pca: {files: %s/p.npy, components: 2}\nlandscape: {energy: moment, table: %s/mh.csv, field_column: B, moment_column: m, saturation: 1.6 T, factor: 0.2}\n" % (folder, folder)
    _, out = landscape(folder, text)
    mu0, J = 4e-7 * np.pi, 1.6 * m
    with open(os.path.join(out, "landscape.csv")) as f:
        rows = list(csv.DictReader(f))
    of = lambda name: np.array([float(r[name]) for r in rows])
    work = np.concatenate([[0], np.cumsum((B[1:] + B[:-1]) / 2 * np.diff(J))]) / mu0
    check(np.allclose(of("w_demag_J/m3"), 0.2 * J**2 / 2 / mu0, rtol=1e-9), "demag")
    check(np.allclose(of("w_internal_J/m3") - of("w_internal_J/m3")[0], work, atol=1e-6 * abs(work).max()), "internal")
    check(np.ptp(of("w_total_J/m3")) < 1e-6 * abs(work).max(), "total")
    r, out = landscape(folder, text, "landscape.factor=0", "landscape.permutations=10", out="none")
    demag = summary(out)["regression"]["demag"]
    check("regression of demag: none, it does not change" in r.out and demag["score"] is None and demag["chance"] is None, (str(r), demag))
    check(support.magtwin(BUILD, "plot", out).code == 0, "figures of a term that does not change")


RUN = """\
grains: {source: shape, shape: {kind: box, size: [24 nm, 6 nm, 3 nm], spacing: [2 nm, 3 nm, 3 nm]}}
mesh: {size: 2 nm, air: {radius: 0}}
materials: {library: LIB, grain: plain}
demagnetizing: {enabled: false}
field: {direction: [0.1, 0, 1], start: 0.5 T, segments: [{to: -0.6 T, step: 0.1 T, mode: fixed}]}
pca: {files: 'RUN/states/*.h5', mesh: RUN/mesh.h5}
landscape: {energy: states, permutations: 20}
"""


def check_nodes(f, m, energy):
    """The maps of the nodes from the states alone: a step resists at a node where its three components add up to more than 0."""
    volume = f["nodes/volume"][:]
    x = (m * np.sqrt(volume / volume.sum())[:, None]).reshape(len(m), -1)
    axis = np.linalg.svd(x - x.mean(0), full_matrices=False)[2][0]
    step = np.diff(x, axis=0) * axis
    part = (step * (np.diff(energy) / step.sum(1))[:, None]).reshape(len(step), -1, 3).sum(2) * volume.sum() / volume
    for name, expected in (("net", part), ("resisting", np.maximum(part, 0)), ("promoting", np.minimum(part, 0))):
        found = f["nodes/path/" + name][:]
        check(np.allclose(found, expected.sum(0), rtol=0, atol=1e-6 * abs(part).max()), (name, found, expected.sum(0)))


def test_states(folder):
    """Energies computed from states are those of curve.csv; the true work adds up to their change; one input for demag, pca, landscape."""
    with open(os.path.join(folder, "lib.yaml"), "w") as f:
        f.write("materials:\n  - {name: plain, A: 10 pJ/m, Js: 1 T, K1: 0.4 MJ/m3, source: test}\n")
    text = RUN.replace("RUN", os.path.join(folder, "run")).replace("LIB", os.path.join(folder, "lib.yaml"))
    path = os.path.join(folder, "demag.yaml")
    with open(path, "w") as f:
        f.write(text + "output: {folder: %s/run, states: all}\n" % folder)
    r = support.magtwin(BUILD, "demag", path)
    check(r.code == 0, r)
    r = support.magtwin(BUILD, "pca", path, "output.folder=%s/pca" % folder)
    check(r.code == 0, r)
    _, out = landscape(folder, text, ranks=2)
    with open(os.path.join(folder, "run", "curve.csv")) as f:
        curve = list(csv.DictReader(f))
    with open(os.path.join(out, "landscape.csv")) as f:
        rows = list(csv.DictReader(f))
    check(len(curve) == len(rows), (len(curve), len(rows)))
    for term in ("exchange", "anisotropy", "zeeman"):
        a, b = (np.array([float(r["e_%s_J/m3" % term]) for r in t]) for t in (curve, rows))
        check(np.allclose(a, b, rtol=1e-9, atol=1e-3), term)
    with h5py.File(os.path.join(out, "landscape.h5"), "r") as f:
        work = (f["nodes/truth/net"][:] * f["nodes/volume"][:]).sum() / f["nodes/volume"][:].sum()
        internal = f["work"][:, [t.decode() for t in f["terms"][:]].index("internal")]
        check(abs(work - (internal[-1] - internal[0])) < 1e-6 * abs(internal).max(), (work, internal))
        check_nodes(f, np.array([h5py.File(name)["/m"][:] for name in sorted(glob.glob(os.path.join(folder, "run", "states", "*.h5")))]), internal)
    features_of_states(folder, path)
    check(os.path.exists(os.path.join(out, "maps.xdmf")) and os.path.exists(os.path.join(out, "modes.xdmf")), "xdmf")
    r = support.magtwin(BUILD, "plot", out)
    check(r.code == 0, r)


def features_of_states(folder, path):
    """Diagrams of the states instead: scored on the grid, with the true work of the nodes sampled there."""
    run = os.path.join(folder, "run")
    r = support.magtwin(BUILD, "topology", path, "topology.files=%s/states/*.h5" % run, "topology.mesh=%s/mesh.h5" % run, "topology.component=x", "topology.grid.points=[24, 6, 1]",
                        "output.folder=%s/diagrams" % folder)
    check(r.code == 0, r)
    with open(path) as f:
        text = f.read().replace(", mesh: %s/mesh.h5" % run, "")
    with open(path + "_features.yaml", "w") as f:
        f.write(text)
    r = support.magtwin(BUILD, "landscape", path + "_features.yaml", "pca.files=%s/diagrams/features.h5" % folder, "landscape.states=%s/states/*.h5" % run, "landscape.mesh=%s/mesh.h5" % run,
                        "output.folder=%s/features" % folder, ranks=2)
    check(r.code == 0, r)
    s = summary(os.path.join(folder, "features"))
    check(all("roc_area_places_" + n in s for n in ("path", "path_net", "ridge", "ridge_net")), s)  # none: all places take up alike
    with h5py.File(os.path.join(folder, "features", "landscape.h5"), "r") as f, h5py.File(os.path.join(run, "mesh.h5"), "r") as g:
        truth, nodal, x = f["places/truth/net"][:].reshape(6, 24), f["nodes/truth/net"][:], g["mesh/x"][:]
        check(np.isfinite(truth).all() and nodal.min() <= truth.min() and truth.max() <= nodal.max(), "truth on the grid")
        mean = [nodal[(abs(x[:, 0] - c) < 1e-6)].mean() for c in (6, 12, 18)]
        check(all(abs(truth[:, k - 1:k + 1].mean() - m) < 0.2 * np.ptp(nodal) for k, m in zip((6, 12, 18), mean)), (truth.mean(0), mean))


def planted(folder):
    """States on a mesh of 8^3 cubes of 10 nm: m_z has a large peak that stays, and a small one at CORNER that grows; and their energies."""
    mesh = os.path.join(folder, "mesh.h5")
    x = kuhn_mesh(mesh, 8, 80.0)
    peak = lambda at: np.exp(-((x - at)**2).sum(1) / 2 / WIDE**2)
    energies = []
    for s in range(7):
        with h5py.File(os.path.join(folder, "p%d.h5" % s), "w") as f:
            f["m"] = np.stack([0 * x[:, 0], 0 * x[:, 0], -1 + 2 * peak(STAYS) + 0.2 * (s + 1) * peak(CORNER)], 1)
        energies.append(1000.0 * s * s)
    np.savetxt(os.path.join(folder, "e.csv"), energies, header="e_a", comments="")
    return mesh, x


CORNER, STAYS, WIDE = np.array([60.0, 60, 50]), np.array([20.0, 20, 20]), 14.0


def test_nodes(folder):
    """Features of sampled states: their maps are on the nodes too, at the planted place, with the sum they have on the grid, on any ranks, for a finer and a coarser grid."""
    mesh, x = planted(folder)
    for points, most in (("[24, 24, 24]", 0.01), ("[8, 8, 8]", 0.02), ("[5, 6, 7]", 0.1)):
        files = "topology: {files: '%s/p*.h5', mesh: %s, levels: superlevel, grid: {points: %s}, features: {bins: 16}}\noutput: {folder: %s/topo}\n" % (folder, mesh, points, folder)
        with open(os.path.join(folder, "t.yaml"), "w") as f:
            f.write(files)
        r = support.magtwin(BUILD, "topology", os.path.join(folder, "t.yaml"), "--force")
        check(r.code == 0, r)
        text = "pca: {files: %s/topo/features.h5}\nlandscape: {energy: table, table: %s/e.csv, permutations: 0}\n" % (folder, folder)
        first = None
        for ranks in (1, 2, 3) if points[1] == "5" else (1, 2):
            _, out = landscape(folder, text, ranks=ranks, out="on_nodes")
            with h5py.File(os.path.join(out, "landscape.h5"), "r") as f:
                volume, pixels, change = f["places/nodes/volume"][:], f["places/path/net"][:], f["work"][-1, 0] - f["work"][0, 0]
                nodal = {n: f["places/nodes/" + n][:] for n in ("path/net", "path/resisting", "path/promoting", "ridge/net", "dPC")}
                moved = f["scores"][-1, 0] - f["scores"][0, 0]
            net = nodal["path/net"]
            check(abs(volume.sum() / 80**3 - 1) < 1e-12 and abs(pixels.mean() / change - 1) < 1e-9, (volume.sum(), pixels.mean(), change))
            check(abs((net * volume).sum() / volume.sum() / change - 1) < most and abs((nodal["dPC"] * volume).sum() / volume.sum() / moved - 1) < most, (points, (net * volume).sum() / 80**3, change))
            check(np.allclose(nodal["path/resisting"] + nodal["path/promoting"], net, rtol=0, atol=1e-9 * net.max()) and nodal["path/promoting"].max() <= 0, "parts")
            share, within = net * volume / (net * volume).sum(), lambda at, reach: np.sqrt(((x - at)**2).sum(1)) < reach
            check(np.sqrt(((share @ x - CORNER)**2).sum()) < 10, ("an edge from the planted place", points, share @ x))
            check(share[within(CORNER, 3 * WIDE)].sum() > 0.95 and share[within(STAYS, 2 * WIDE)].sum() < 0.01, (points, share[within(CORNER, 3 * WIDE)].sum(), share[within(STAYS, 2 * WIDE)].sum()))
            check(first is None or all(np.allclose(nodal[n], first[n], rtol=0, atol=1e-9 * abs(first[n]).max()) for n in nodal if "ridge" not in n), ranks)
            first = nodal
            check(abs(summary(out)["places_on_nodes"] - 1) < most, summary(out))
    check_xdmf(folder, out, len(x))


def check_xdmf(folder, out, nodes):
    """Each dataset it names is there and has a number a node."""
    named = [d for d in ElementTree.parse(os.path.join(out, "maps.xdmf")).iter("Attribute") if d.get("Center") == "Node"]
    check([d.get("Name") for d in named] == ["dPC"] + ["%s/%s" % (m, w) for m in ("path", "ridge") for w in ("net", "resisting", "promoting")], [d.get("Name") for d in named])
    for d in named:
        file, dataset = d.find("DataItem").text.strip().split(":")
        with h5py.File(os.path.join(out, file), "r") as f:
            check(f[dataset].shape[0] == nodes == int(d.find("DataItem").get("Dimensions").split()[0]), dataset)


def test_places(folder):
    """Persistence images: what the pairs of a picture add to the component sums to it, and they are drawn on the picture."""
    x, y = np.meshgrid(np.arange(24), np.arange(20))
    for i in range(6):
        np.save(os.path.join(folder, "v%d.npy" % i), np.sin(x / (2.0 + 0.2 * i)) * np.cos(y / 3.0 + 0.3 * i) + 0.1 * np.cos(x * y + i))
    with open(os.path.join(folder, "t.yaml"), "w") as f:
        f.write("topology: {files: '%s/v*.npy', features: {bins: 12, weight: arctan, weight_scale: 2, sigma: 0.3}}\noutput: {folder: %s/topo}\n" % (folder, folder))
    r = support.magtwin(BUILD, "topology", os.path.join(folder, "t.yaml"))
    check(r.code == 0, r)
    np.savetxt(os.path.join(folder, "e.csv"), np.arange(6.0)**2, header="e_a", comments="")
    _, out = landscape(folder, "pca: {files: %s/topo/features.h5}\nlandscape: {energy: table, table: %s/e.csv, permutations: 0}\n" % (folder, folder))
    for name in ("plot", "report"):
        sys.path.insert(0, os.path.join(support.ROOT, "postprocess", name))
    import landscape as drawn
    import pca
    l, p = drawn.Landscape(out), pca.Components(out)
    pairs = drawn.Pairs(l, p, drawn.source_of(out))
    sums = np.array([sum(pairs.contributions(s, b)[0].sum() for b in range(2)) for s in range(6)])
    check(np.allclose(np.diff(sums), np.diff(l.pc), rtol=0, atol=1e-12 * abs(l.pc).max()), (np.diff(sums), np.diff(l.pc)))
    r = support.magtwin(BUILD, "plot", out)
    check(r.code == 0 and all(os.path.exists(os.path.join(out, "figures", n + ".png")) for n in ("places", "pictures")), r)
    check_pictures(folder, out, pairs)


def check_pictures(folder, out, pairs):
    """The maps on the pictures: the same sums, on any number of ranks; cells by hand; without the pictures a warning."""
    text = "pca: {files: %s/topo/features.h5}\nlandscape: {energy: table, table: %s/e.csv, permutations: 0}\n" % (folder, folder)
    first = None
    for ranks, where in ((1, "region"), (2, "region"), (3, "region"), (1, "border"), (2, "cells")):
        _, now = landscape(folder, text, "landscape.places=" + where, ranks=ranks, out="pictures")
        with h5py.File(os.path.join(now, "landscape.h5"), "r") as f:
            net = f["places/path/net"][:]
            check(abs(net.mean() / f["maps/path/net"][:].sum() - 1) < 1e-12 and abs(net.mean() / (f["work"][-1, 0] - f["work"][0, 0]) - 1) < 1e-12, where)
            ridge = f["places/ridge/net"][:].mean() - f["maps/ridge/net"][:].sum()
            check(abs(ridge) < 1e-10 * abs(f["maps/ridge/net"][:]).sum(), (where, ridge))
            check(list(f["places"].attrs["size_zyx"]) == [1, 20, 24] and abs(f["places/path/resisting"][:] + f["places/path/promoting"][:] - net).max() < 1e-9 * abs(net).max(), where)
            work, pc = f["work"][:, 0], f["scores"][:, 0]
        if where == "region":
            check(first is None or np.allclose(net, first, rtol=0, atol=1e-9 * abs(first).max()), ranks)
            first = net
    np.save(os.path.join(folder, "more.npy"), np.random.default_rng(2).random((6, 3)))
    _, both = landscape(folder, text, "pca.beside=%s/more.npy" % folder, "pca.scale=deviation", out="both")
    with h5py.File(os.path.join(both, "landscape.h5"), "r") as f:
        there, images = f["places/path/net"][:].mean(), f["maps/path/net"][:2 * 12 * 12].sum()
        check(abs(there / images - 1) < 1e-10 and len(f["maps/path/net"]) == 2 * 12 * 12 + 3, (there, images))
    check(np.allclose(net, by_hand(pairs, np.diff(work) / np.diff(pc)), rtol=0, atol=1e-10 * abs(net).max()), "cells")
    os.rename(os.path.join(folder, "v3.npy"), os.path.join(folder, "w3.npy"))
    r, now = landscape(folder, text, out="pictures")
    check("not drawn back" in r.err, r)
    with h5py.File(os.path.join(now, "landscape.h5"), "r") as f:
        check("places" not in f, "places of pictures that are gone")


def by_hand(pairs, slope):
    """Half of each contribution on the pixel of birth, half on that of death, over the steps."""
    maps = np.zeros((6, 20 * 24))
    for s in range(6):
        for b in range(2):
            value, birth, death = pairs.contributions(s, b, both=True)
            np.add.at(maps[s], birth, value / 2)
            np.add.at(maps[s], death, value / 2)
    return maps.shape[1] * (slope[:, None] * np.diff(maps, axis=0)).sum(0)


def test_bad_input(folder):
    """One sentence each, and whatever the energies lack before the components are computed."""
    _, text = well(folder)
    at = lambda name: os.path.join(folder, name)
    states = "materials: {grain: Nd2Fe14B}\ndemagnetizing: {enabled: false}\n"
    for name, body in (("short.csv", "e_a\n1\n2\n"), ("none.csv", "a\n" + "1\n" * SAMPLES), ("hole.csv", "e_a\n" + "1\n" * (SAMPLES - 1) + "x\n")):
        with open(at(name), "w") as f:
            f.write(body)
    for more, message in ((["landscape.table=" + at("short.csv")], "has 2 rows, but there are 31 samples"), (["landscape.table=" + at("none.csv")], "begins with e_"),
                          (["landscape.table=" + at("hole.csv")], "row 31 of column e_a is no number"), (["landscape.table=" + at("gone.csv")], "gone.csv"),
                          (["landscape.terms=[e_x]"], "no column e_x"), (["landscape.of=exchange"], "there is no energy exchange; there are well, internal, total"),
                          (["landscape.component=9"], "there are 3 components"), (["landscape.from=9", "landscape.to=4"], "from 9 to 4"),
                          (["landscape.energy=states"], "section materials"), (["landscape.energy=moment"], "no column mu0_Hext_T")):
        r, out = landscape(folder, text, *more, code=2, out="bad")
        check(message in r.err, (more, str(r)))
        check("of the variance" not in r.out or "components" in message, (more, str(r)))
        check(not os.path.exists(os.path.join(out, "landscape.h5")), more)
    r, _ = landscape(folder, states + text, "landscape.energy=states", "landscape.mesh=" + at("m.h5"), "landscape.states=" + at("gone*.h5"), code=2, out="bad")
    check("0 states match" in r.err and "of the variance" not in r.out, r)


if __name__ == "__main__":
    sys.exit(support.run_tests([(f.__name__[5:], f) for f in (test_quadratic_well, test_ranks, test_moment, test_states, test_nodes, test_places, test_bad_input)]))
