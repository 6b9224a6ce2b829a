"""VTK's XML files as meshes: ours come back with their regions, those of other writers are read in every form that is named, and
what cannot be read is refused with its place.  tests/cli/vtu: two cubes of 10 with 6 tetrahedra each, numbers 7 (below) and 3 (above),
and a triangle, written by VTK 9.7 (vtk_*) and by meshio 5.3 (meshio_*)."""
import glob
import os
import sys

import h5py
import numpy as np

import support
from support import check

BUILD = sys.argv[1]
FILES = sorted(glob.glob(os.path.join(support.ROOT, "tests", "cli", "vtu", "*.vtu")))
MADE = """grains: {source: generated, count: 3, box: [30 nm, 30 nm, 30 nm], seed: 3}
mesh: {size: 6 nm, gb: {thickness: 3 nm}, air: {radius: 1.6}, also: [vtu]}
output: {folder: %s}
"""
TAKEN = """grains:
  source: mesh
  file: %s
  unit: 1 nm
mesh: {air: {radius: 0}}
output: {folder: %s}
"""


def write(path, data):
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def take(folder, file, *more, ranks=1):
    out = os.path.join(folder, "taken")
    return out, support.magtwin(BUILD, "mesh", write(out + ".yaml", TAKEN % (file, out)), "--force", *more, ranks=ranks)


def regions(folder):
    with h5py.File(os.path.join(folder, "mesh.h5")) as f:
        names = [n.decode() for n in f["/regions/name"][...]]
        return dict(zip(names, f["/regions/volume"][...])), f["/mesh/x"][...], len(f["/mesh/tet"])


def ours(folder):
    """A mesh written by mesh.also and read again: names of regions, volumes, nodes; by kinds where there are no names."""
    first = os.path.join(folder, "made")
    done = support.magtwin(BUILD, "mesh", write(first + ".yaml", MADE % first))
    check(done.code == 0, done)
    file = os.path.join(first, "mesh.vtu")
    second, done = take(folder, file, ranks=2)
    check(done.code == 0 and "air among them" in done.out, done)
    (a, x, tets), (b, y, tets_now) = regions(first), regions(second)
    check(sorted(a) == sorted(b) and tets == tets_now and len(x) == len(y), (a, b))
    check(all(abs(b[n] / a[n] - 1) < 1e-9 for n in a), (a, b))
    check(np.abs(np.sort(x, axis=0) - np.sort(y, axis=0)).max() < 1e-9, "nodes")
    text = read(file)
    bare = text[:text.index(b"<FieldData>")] + text[text.index(b"</FieldData>") + 12:]
    second, done = take(folder, write(os.path.join(folder, "bare.vtu"), bare))
    b = regions(second)[0]
    check(done.code == 0 and {"grain 0", "grain 1", "grain 2", "gb #3", "air"} <= set(b), (done, b))
    check(np.allclose(sorted(a.values()), sorted(b.values()), rtol=1e-9), (a, b))


def others(folder):
    check(len(FILES) == 8, FILES)
    for file in FILES:
        out, done = take(folder, file)
        array = "medit:ref" if "meshio" in file else "MaterialIDs"
        check(done.code == 0 and "by the cell array " + array in done.out and 'volume 1 "3" is grain 0' in done.out, done)
        volumes, x, tets = regions(out)
        check(sorted(volumes) == ["grain 0", "grain 1"] and np.allclose(list(volumes.values()), 1000, rtol=1e-12), volumes)
        check(tets == 12 and x.shape == (12, 3), x.shape)
        with h5py.File(os.path.join(out, "mesh.h5")) as f:
            check(np.allclose(f["/grains/center"][...], [[5, 5, 15], [5, 5, 5]]), f["/grains/center"][...])


def refused(folder):
    """Exit code 2, file and line, and what is wrong there."""
    raw, packed, text = (read(next(f for f in FILES if name in f)) for name in ("vtk_raw_32", "inline_zlib", "vtk_ascii"))
    cases = [(raw[:-40], "array types: its data end after 3 of 13 bytes"), (raw[:-900], "lies behind the end of the file"), (text[:1500], "is no complete XML file"), (packed[:-900], "XML"),
             (raw.replace(b'NumberOfPoints="12"', b'NumberOfPoints="13"'), "array Points: holds 288 bytes, must be 312"),
             (text.replace(b'NumberOfPoints="12"', b'NumberOfPoints="11"'), "array Points: has 36 numbers, must have 33"),
             (text.replace(b'NumberOfPoints="12"', b'NumberOfPoints="99999999999"'), "more than a file of"),
             (packed.replace(b'NumberOfCells="13"', b'NumberOfCells="12"'), "array types: holds 13 bytes, must be 12"),
             (text.replace(b"LittleEndian", b"BigEndian"), 'byte_order="BigEndian"'),
             (packed.replace(b"vtkZLibData", b"vtkLZ4Data"), 'compressor="vtkLZ4DataCompressor"'),
             (text.replace(b"UnstructuredGrid", b"PolyData"), "of type PolyData"),
             (text.replace(b"          10 10 10 10", b"          12 10 10 10"), "cell 0 is a hexahedron (VTK's type 12)"),
             (text.replace(b"          0 1 3 7", b"          0 1 3 77"), "cell 0 has node 77, but there are 12"),
             (text.replace(b"          0 1 3 7", b"          0 1 3 x"), '"x'), (b"<html></html>", "is no VTK file")]
    for data, why in cases:
        check(data not in (raw, packed, text), why)
        out, done = take(folder, write(os.path.join(folder, "bad.vtu"), data))
        check(done.code == 2 and "bad.vtu:" in done.err and why in done.err, (why, done))
        check(not os.path.exists(os.path.join(out, "mesh.h5")), done)
    for array, why in (("grains", 'no cell array "grains" (grains.array); its cells have MaterialIDs, quality, velocity'),
                       ("velocity", "more than one number"), ("quality", "not a whole number")):
        out, done = take(folder, next(f for f in FILES if "vtk_ascii" in f), "grains.array=" + array)
        check(done.code == 2 and "vtk_ascii.vtu:" in done.err and why in done.err, done)
    out, done = take(folder, write(os.path.join(folder, "some.msh"), b""), "grains.array=region")
    check(done.code == 2 and "counts only where grains.file is a .vtu" in done.err, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("ours", ours), ("of others", others), ("refused", refused)]))
