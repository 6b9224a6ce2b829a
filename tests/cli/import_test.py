"""Finished meshes of other programs: what mesh.also writes comes back with its regions, a body without air gets it, foreign names are
grains; files that cannot be used are refused."""
import os
import re
import sys

import h5py
import numpy as np

import support
from support import check

BUILD = sys.argv[1]

MADE = """grains: {source: generated, count: 3, box: [30 nm, 30 nm, 30 nm], seed: 3}
mesh: {size: 5 nm, gb: {thickness: %s nm}, air: {radius: %s}, also: [msh]}
output: {folder: %s}
"""
TAKEN = """grains: {source: mesh, file: %s, unit: 1 nm}
output: {folder: %s}
"""


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def make(folder, name, air, thickness=3):
    out = os.path.join(folder, name)
    done = support.magtwin(BUILD, "mesh", write(out + ".yaml", MADE % (thickness, air, out)))
    check(done.code == 0, done)
    return out


def take(folder, name, file, *more, ranks=1):
    out = os.path.join(folder, name)
    return out, support.magtwin(BUILD, "mesh", write(out + ".yaml", TAKEN % (file, out)), *more, ranks=ranks)


def regions(folder):
    with h5py.File(os.path.join(folder, "mesh.h5")) as f:
        names = [n.decode() for n in f["/regions/name"][...]]
        return dict(zip(names, f["/regions/volume"][...])), len(f["/mesh/x"]), len(f["/mesh/tet"])


def test_again(folder):
    """A mesh written for Gmsh and read again is the same mesh."""
    first = make(folder, "made", 1.6)
    second, done = take(folder, "taken", os.path.join(first, "mesh.msh"), ranks=2)
    check(done.code == 0 and "3 grains" in done.out, done)
    (a, nodes, tets), (b, nodes_now, tets_now) = regions(first), regions(second)
    check((nodes, tets) == (nodes_now, tets_now) and sorted(a) == sorted(b), (a, b))
    check(all(abs(b[n] / a[n] - 1) < 1e-9 for n in a), (a, b))


def test_air(folder):
    """A magnet without air gets a sphere of it; names of other programs are grains."""
    first = make(folder, "bare", 0, thickness=0)
    with open(os.path.join(first, "mesh.msh")) as f:
        text = f.read().replace('"grain 0"', '"poly1"').replace('"grain 2"', '"left part"')
    own = write(os.path.join(folder, "own.msh"), text)
    second, done = take(folder, "aired", own, "mesh.air.radius=1.7")
    check(done.code == 0 and '"left part" is grain' in done.out, done)
    (a, *_), (b, *_) = regions(first), regions(second)
    check("air" in b and len(b) == len(a) + 1, b)
    check(abs(sum(v for n, v in b.items() if n != "air") / sum(a.values()) - 1) < 1e-9, (a, b))
    with h5py.File(os.path.join(second, "mesh.h5")) as f:
        r = np.linalg.norm(f["/mesh/x"][...] - f["/mesh"].attrs["sphere"][:3], axis=1).max()
        check(abs(r / f["/mesh"].attrs["sphere"][3] - 1) < 1e-9, r)


def test_refused(folder):
    first = make(folder, "good", 0)
    with open(os.path.join(first, "mesh.msh")) as f:
        text = f.read()
    empty = re.sub(r"(?s)\$Elements.*\$EndElements", "$Elements\n1\n1 15 2 1 1 1\n$EndElements", text)
    for name, content, why in [("short.msh", text[:9000], "cannot read it"), ("points.msh", empty, "no tetrahedra"),
                               ("air.msh", text.replace('"grain 0"', '"air"'), "no volume of its own")]:
        out, done = take(folder, "refused", write(os.path.join(folder, name), content))
        check(done.code == 2 and why in done.err and not os.path.exists(os.path.join(out, "mesh.h5")), done)
    out, done = take(folder, "refused", os.path.join(folder, "short.msh"), "grains.unit=")
    check(done.code == 2, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("written and read again", test_again), ("air around it", test_air), ("refused", test_refused)]))
