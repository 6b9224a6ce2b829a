"""The figures of a run, drawn from files made here: a box of Kuhn tets with Voronoi grains, a GB phase and a reversal."""
import itertools
import json
import os
import subprocess
import sys

import h5py
import numpy as np

import support
from support import check

SCRIPT = os.path.join(support.ROOT, "postprocess", "plot", "demag.py")
HC = {0: -3.1, 1: -3.4, 2: -3.8, 3: -4.2, 4: -4.3, 5: -4.6}


def kuhn_box(n, box):
    """Nodes [nv,3] and tets [nt,4] (positive) of n^3 cubes of six tets, and the cube index of each tet."""
    g = np.arange(n + 1)
    x = np.stack(np.meshgrid(g, g, g, indexing="ij"), -1).reshape(-1, 3) * (box / n)
    i, j, k = (a.ravel() for a in np.meshgrid(*[np.arange(n)] * 3, indexing="ij"))
    node = lambda d: ((i + d[0]) * (n + 1) + j + d[1]) * (n + 1) + k + d[2]
    tets = []
    for p in itertools.permutations(range(3)):
        d, path = [0, 0, 0], [node((0, 0, 0))]
        for axis in p:
            d[axis] = 1
            path.append(node(d))
        if np.linalg.det(np.eye(3)[list(p)]) < 0:
            path[2], path[3] = path[3], path[2]
        tets.append(np.stack(path, -1))
    return x, np.concatenate(tets)


def write_run(folder, n=16, box=80.0, thickness=5.0):
    os.makedirs(os.path.join(folder, "states"), exist_ok=True)
    x, tet = kuhn_box(n, box)
    shell = box / n * 2  # the outer cubes are air
    seeds = np.random.default_rng(3).uniform(0.1 * box, 0.9 * box, (len(HC), 3))
    centre = x[tet].mean(1)
    distance = np.sort(np.linalg.norm(centre[:, None] - seeds, axis=2), axis=1)
    nearest = np.argsort(np.linalg.norm(centre[:, None] - seeds, axis=2), axis=1)
    region = nearest[:, 0].copy()
    near = (distance - distance[:, :1] < thickness).sum(1)
    names, kinds, grains = ["grain %d" % i for i in range(len(HC))], [0] * len(HC), [[i, -1, -1, -1] for i in range(len(HC))]
    table = {}
    for t in np.flatnonzero(near > 1):
        who = tuple(sorted(nearest[t, :min(near[t], 4)]))
        if who not in table:
            table[who] = len(names)
            names.append("gb")
            kinds.append(len(who) - 1)
            grains.append(list(who) + [-1] * (4 - len(who)))
        region[t] = table[who]
    region[((centre < shell) | (centre > box - shell)).any(1)] = len(names)
    kinds.append(4)
    grains.append([-1] * 4)
    with h5py.File(os.path.join(folder, "mesh.h5"), "w") as f:
        f["/mesh/x"], f["/mesh/tet"], f["/mesh/region"] = x, tet.astype(np.int32), region.astype(np.int32)
        f["/mesh"].attrs["size"], f["/mesh"].attrs["gb_thickness"] = box / n, thickness
        f["/regions/kind"], f["/regions/grains"] = np.array(kinds, np.int32), np.array(grains, np.int32)
    grain = np.argmin(np.linalg.norm(x[:, None] - seeds, axis=2), axis=1)
    field = np.array([HC[g] for g in grain])
    magnet = np.zeros(len(x), bool)
    magnet[tet[region != len(names)]] = True
    field[~magnet | (grain == 5)] = np.nan
    with h5py.File(os.path.join(folder, "switching.h5"), "w") as f:
        f["/switching/field"] = field
    write_curve(folder)
    write_states(folder, x, magnet, field)
    events = [{"number": i + 1, "field_T": HC[g], "jump": jump, "position_nm": list(seeds[g]),
               "state_before": "states/before_%d.h5" % i, "state_after": "states/after_%d.h5" % i}
              for i, (g, jump) in enumerate([(0, -0.2), (1, -0.3), (3, -0.5)])]
    figures = {"Br": 1.5, "Hc": 3.6, "Hk": 3.1, "squareness": 0.86, "BHmax": 430}
    quantities = lambda d: {k: {"value": v, "unit": "T"} for k, v in d.items()}
    summary = {"results": dict(quantities(figures), N=1 / 3, internal=quantities(dict(figures, Br=1.55, Hk=None)), events=events)}
    with open(os.path.join(folder, "summary.json"), "w") as f:
        json.dump(summary, f)


def write_curve(folder):
    H = np.arange(1.0, -5.01, -0.1)
    m = np.array([1 - sum(0.33 for c in HC.values() if h <= c) for h in H]) - 0.005 * (1 - H)
    with open(os.path.join(folder, "curve.csv"), "w") as f:
        f.write("step,segment,mu0_Hext_T,mu0_Hx_T,mu0_Hy_T,mu0_Hz_T,J_T,m,event\n")
        for i, (h, mm) in enumerate(zip(H, m)):
            f.write("%d,0,%.17g,0,0,%.17g,%.17g,%.17g,0\n" % (i, h, h, 1.55 * mm, mm))


def write_states(folder, x, magnet, field):
    for i, h in enumerate((HC[0], HC[1], HC[3])):
        for when, reversed_ in (("before", field > h), ("after", field >= h)):
            m = np.zeros_like(x)
            m[magnet, 2] = np.where(reversed_[magnet], -1.0, 1.0)
            with h5py.File(os.path.join(folder, "states", "%s_%d.h5" % (when, i)), "w") as f:
                f["/m"] = m
                if when == "before":  # a nucleus where the node of the lowest field is
                    centre = x[np.flatnonzero(magnet)[np.nanargmax(np.where(field[magnet] == h, 1, 0))]]
                    f["/mode"] = np.outer(np.exp(-((x - centre)**2).sum(1) / 400) * magnet, [1.0, 0, 0])
                    f["/mode"].attrs["eigenvalue_T"] = 0.05


def draw(*args):
    return draw_with(SCRIPT, *args)


def draw_with(script, *args):
    done = subprocess.run([sys.executable, script] + list(args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check("Traceback" not in done.stderr, done.stderr)
    return done


def all_figures(folder):
    write_run(folder)
    done = draw(folder, "--compare", folder)
    check(done.returncode == 0, done.stderr)
    for name in ("curve", "switching_field", "mesh", "states", "nucleus"):
        for ending in ("png", "svg"):
            path = os.path.join(folder, "figures", "%s.%s" % (name, ending))
            check(os.path.getsize(path) > 5000, "%s is nearly empty" % path)
            check(os.path.getsize(path) < 3e6, "%s is %d bytes" % (path, os.path.getsize(path)))
    check("b" in open(os.path.join(folder, "figures", "curve.svg")).read(), "no text in the SVG")


def run_in_time(folder):
    """The figure of dynamics.csv: the field as a panel of its own where it changes; half a table is refused."""
    path, script = os.path.join(folder, "dynamics.csv"), os.path.join(os.path.dirname(SCRIPT), "dynamics.py")
    for name, field in (("constant", 0.0), ("ramp", 1.0)):
        with open(path, "w") as f:
            f.write("t_ns,mx,my,mz,mu0_Hx_T,mu0_Hy_T,mu0_Hz_T,e_total_J/m3,e_zeeman_J/m3,e_demag_J/m3\n")
            f.writelines("%g,%g,%g,0.1,%g,0,0,3e4,2e4,1e4\n" % (t, np.cos(t), np.sin(t), field * t) for t in np.linspace(0, 3, 61))
        done = draw_with(script, folder, "--compare", folder, "--figures", os.path.join(folder, name))
        check(done.returncode == 0 and "Warning" not in done.stderr, done.stderr)
        svg = open(os.path.join(folder, name, "dynamics.svg")).read()
        check(("(ns)" in svg) and ("stray field" in svg) and ("exchange" not in svg), "labels of the figure")
        check(svg.count("axes_") == (4 if field else 2), "%d panels" % svg.count("axes_"))
    with open(path, "a") as f:
        f.write("3.05,0.5")
    done = draw_with(script, folder)
    check(done.returncode == 2 and "not complete" in done.stderr, done.stderr)


def cut_fills_the_box(folder):
    """The polygons of a cut tile the magnet's cross-section: their areas add up to it, whatever the plane."""
    write_run(folder, n=12)
    sys.path.insert(0, os.path.dirname(SCRIPT))
    import geometry
    import results
    mesh = results.Mesh(os.path.join(folder, "mesh.h5"))
    size = np.ptp(mesh.box, axis=0)
    for axis, offset in ((0, 33.3), (1, 40.0), (2, 41.7)):
        cut = geometry.Cut(mesh, axis, offset)
        area = sum(polygon_area(p) for p in cut.polygons)
        wanted = np.prod(np.delete(size, axis))
        check(abs(area - wanted) < 1e-9 * wanted, "axis %d: %.12g, section %.12g" % (axis, area, wanted))
        value = cut.node_value(mesh.x[:, cut.plane[0]])
        check(np.isfinite(value).all() and value.min() >= mesh.box[0][cut.plane[0]], "values leave the box")
    faces, owner = geometry.surface_triangles(mesh)
    p = mesh.x[faces]
    vector = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]) / 2
    area = np.linalg.norm(vector, axis=1).sum()
    wanted = 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    check(abs(area - wanted) < 1e-9 * wanted, "surface %.12g of %.12g" % (area, wanted))
    outward = (vector * (p.mean(1) - mesh.box.mean(0))).sum(1)
    check((outward > 0).all(), "a surface triangle points inwards")


def polygon_area(p):
    x, y = p[:, 0], p[:, 1]
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def refuses(folder):
    done = draw(folder)
    check(done.returncode == 2 and "curve.csv is missing" in done.stderr, done.stderr)
    write_run(folder, n=12)
    path = os.path.join(folder, "mesh.h5")
    data = open(path, "rb").read()
    with open(path, "wb") as f:
        f.write(data[:len(data) // 2])
    done = draw(folder)
    check(done.returncode == 2 and "mesh.h5 cannot be read" in done.stderr, done.stderr)
    check(os.path.exists(os.path.join(folder, "figures", "curve.png")), "the curve could have been drawn")


def unwritable(folder):
    """A folder below a plain file can be written by nobody, root included."""
    write_run(folder, n=12)
    open(os.path.join(folder, "file"), "w").close()
    done = draw(folder, "--figures", os.path.join(folder, "file", "x"))
    check(done.returncode == 2 and done.stderr.count("Not a directory") == 1, done.stderr)


def before_the_field_turns(folder):
    """A run stopped while its field is still positive: half a picture, without complaints of the library."""
    write_run(folder, n=12)
    path = os.path.join(folder, "curve.csv")
    lines = open(path).read().splitlines(True)
    with open(path, "w") as f:
        f.writelines(lines[:4])
    done = draw(folder)
    check("Warning" not in done.stderr and "curve.png" in done.stdout, done.stderr)


def half_curve(folder):
    write_run(folder, n=12)
    path = os.path.join(folder, "curve.csv")
    text = open(path).read()
    with open(path, "w") as f:
        f.write(text[:-20])
    done = draw(folder)
    check(done.returncode == 2 and "not complete" in done.stderr, done.stderr)
    check(not os.path.exists(os.path.join(folder, "figures", "curve.png")), "a curve from half a file")


def mesh_of_another_run(folder):
    """A run with mesh.file has no mesh of its own, only a link to it in states.h5."""
    run, other = os.path.join(folder, "run"), os.path.join(folder, "other")
    os.mkdir(other)
    os.mkdir(run)
    write_run(run, n=12)
    os.rename(os.path.join(run, "mesh.h5"), os.path.join(other, "mesh.h5"))
    with h5py.File(os.path.join(run, "states.h5"), "a") as f:
        f["/mesh_file"] = h5py.ExternalLink(os.path.join(other, "mesh.h5"), "/")
    done = draw(run)
    check(done.returncode == 0 and "mesh.png" in done.stdout, done.stderr)
    os.remove(os.path.join(other, "mesh.h5"))
    done = draw(run)
    check(done.returncode == 2 and "not there any more" in done.stderr, done.stderr)


def forc(folder):
    """The distribution of a polarization whose mixed derivative is known, everywhere but where too few points are."""
    sys.path.insert(0, os.path.dirname(SCRIPT))
    import branch_figures
    H = np.arange(-3.0, 2.01, 0.25)
    start = np.arange(-3.0, -0.4, 0.25)
    a, b = np.meshgrid(start, H, indexing="ij")
    M = np.where(b >= a, 0.3 * a * b + 0.1 * a - 0.2 * b**2 + 1, np.nan)
    rho = branch_figures.distribution(H, M, start)
    check(np.isfinite(rho).sum() > 0.9 * np.isfinite(M).sum(), "%d points" % np.isfinite(rho).sum())
    check(np.nanmax(np.abs(rho + 0.15)) < 1e-9, "rho is %g to %g, not -0.15" % (np.nanmin(rho), np.nanmax(rho)))


def mesh_report(folder):
    """Volumes add up to the magnet's; against voxels of the same Voronoi cells every grain has its volume and its place."""
    write_run(folder, n=12)
    x, tet = kuhn_box(12, 80.0)
    kind = {"tets": 1, "inverted": 0, "gamma_min": 0.5, "gamma_histogram": [1] * 20, "dihedral_histogram": [1] * 18,
            "volume": {"value": 0.5, "unit": "nm3"}, "dihedral_min": {"value": 30, "unit": "deg"}, "dihedral_max": {"value": 100, "unit": "deg"}}
    thickness = {"asked": {"value": 5, "unit": "nm"}, "mean": {"value": 5, "unit": "nm"}, "histogram_bin": {"value": 0.5, "unit": "nm"},
                 "histogram_area_nm2": [0] * 10 + [7] + [0] * 10}
    mesh = {"nodes": len(x), "tets": len(tet), "magnet_volume": {"value": 1, "unit": "nm3"}, "box_defect": 0.0,
            "kinds": {"grain": kind, "gb": kind}, "gb_mean_thickness": thickness}
    with open(os.path.join(folder, "summary.json"), "w") as f:
        json.dump({"subcommand": "mesh", "mesh": mesh, "grains": {"scale": 2.0}}, f)
    low, size, n = 80 / 6, 80 * 2 / 3, 32  # the magnet without its shell of air
    z, y, x = (np.indices((n, n, n)) + 0.5) * size / n + low
    seeds = np.random.default_rng(3).uniform(8, 72, (len(HC), 3))
    label = np.argmin([(x - s[0])**2 + (y - s[1])**2 + (z - s[2])**2 for s in seeds], axis=0) + 1
    path = os.path.join(folder, "labels.h5")
    with h5py.File(path, "w") as f:
        f["/labels"] = label.ravel().astype(np.int32)
        f["/labels"].attrs["dims"], f["/labels"].attrs["voxel"] = [n, n, n], [size / n / 2] * 3  # the mesh is scaled by 2
    script = os.path.join(os.path.dirname(SCRIPT), "mesh.py")
    done = subprocess.run([sys.executable, script, folder, "--labels", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(done.returncode == 0, done.stderr)
    report = json.load(open(os.path.join(folder, "mesh_report.json")))
    total = sum(g["cell_nm3"] for g in report["grains"])
    check(abs(total / size**3 - 1) < 1e-9, "cells add up to %.12g of %.12g nm3" % (total, size**3))
    errors = report["against_labels"]  # tets of 6.7 nm against cells of about 30 nm
    check(errors["volume_error_rms"] < 0.05 and errors["centroid_error_largest_nm"] < 1.5, str(errors))
    page = open(os.path.join(folder, "mesh_report.html")).read()
    for name in ("quality", "cuts", "grain_errors"):
        check('src="figures/%s.png"' % name in page, "no figure %s on the page" % name)
        check(os.path.getsize(os.path.join(folder, "figures", name + ".png")) > 5000, "%s is nearly empty" % name)
    shortest = report["shortest_edges"][0]["length_nm"]
    check(abs(shortest - 80 / 12) < 1e-9, "shortest edge %g nm" % shortest)
    done = subprocess.run([sys.executable, script, folder, "--labels", os.path.join(folder, "no.h5")], stderr=subprocess.PIPE, text=True)
    check(done.returncode == 2 and "cannot be read" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(support.run_tests([("all figures as PNG and SVG", all_figures), ("mesh of another run", mesh_of_another_run), ("run in time", run_in_time), ("a cut fills the section", cut_fills_the_box),
                                ("missing and damaged files", refuses), ("half-written curve", half_curve),
                                ("folder that cannot be written", unwritable), ("no negative field yet", before_the_field_turns),
                                ("distribution of reversal curves", forc), ("report on a mesh", mesh_report)]))
