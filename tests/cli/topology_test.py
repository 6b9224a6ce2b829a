#!/usr/bin/env python3
"""topology_test.py BUILD: magtwin topology as users call it: diagrams others computed, every kind of file, bad input, ranks, restart."""
# timeout: 600
import os
import struct
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
DATA = os.path.join(os.path.dirname(support.ROOT), "shared", "data")


def data(*path):
    for root in (DATA, os.path.join(os.path.dirname(os.path.dirname(support.ROOT)), "shared", "data")):
        if os.path.exists(os.path.join(root, *path)):
            return os.path.join(root, *path)
    raise support.Skip("no ../shared/data/" + "/".join(path))


def topology(folder, files, *more, ranks=1, out="out", code=0, options=()):
    """Runs it on files and checks the exit code; (result, output folder)."""
    text = os.path.join(folder, "in.yaml")
    with open(text, "w") as f:
        f.write("topology:\n  files: '%s'\noutput:\n  folder: %s\n" % (files, os.path.join(folder, out)))
    r = support.magtwin(BUILD, "topology", text, *more, *options, ranks=ranks)
    check(r.code == code, r)
    return r, os.path.join(folder, out)


def pairs(out, image=1):
    """Rows dimension, birth, death, pixels of one diagram."""
    return np.loadtxt(os.path.join(out, "diagrams", "%04d.csv" % image), delimiter=",", skiprows=1, ndmin=2)


def as_set(rows):
    return sorted(map(tuple, np.asarray(rows, float).tolist()))


def dipha(path):
    with open(path, "rb") as f:
        magic, kind, n = struct.unpack("<3q", f.read(24))
        check((magic, kind) == (8067171840, 2), path)
        return np.frombuffer(f.read(), np.dtype([("k", "<i8"), ("b", "<f8"), ("d", "<f8")]), n)


def test_dipha(folder):
    """What DIPHA computed for its own images (0b87476): finite pairs, those that live, and the lasting ones."""
    for name, other in (("noise_3_16", "noise_3_16_def"), ("smooth_16", "smooth_def"), ("ramp_3_16", "ramp_3_16_def")):
        theirs = dipha(data("ph", "dipha", other + ".diagram"))
        _, out = topology(folder, data("ph", "dipha", name + ".complex"), "topology.write.dipha=true",
                          "topology.lasting=true", out=name)
        ours = dipha(os.path.join(out, "diagrams", "0001.diagram"))
        finite = lambda d: as_set(np.stack([d["k"], d["b"], d["d"]], 1)[(d["b"] != d["d"]) & (d["k"] >= 0)])
        check(finite(ours) == finite(theirs), "%s: %d pairs, DIPHA %d" % (name, len(finite(ours)), len(finite(theirs))))
        lasting = lambda d: as_set(np.stack([d["k"], d["b"], d["d"]], 1)[d["k"] < 0])
        check(lasting(ours) == lasting(theirs), (name, lasting(ours), lasting(theirs)))
    check(len(finite(theirs)) == 0, "the ramp has no finite pair")


def test_homcloud(folder):
    """The tutorial's binary image: 111 finite pairs of dimension 0 with their birth pixels (homcloud-website 8d3a4d7)."""
    theirs = np.loadtxt(data("ph", "homcloud_tutorial", "binary-image-pd0-homcloud.csv"), delimiter=",", skiprows=1)
    png = data("ph", "homcloud_tutorial", "binary-image.png")
    _, out = topology(folder, png, "topology.binary=manhattan", "topology.phase=dark")
    ours = pairs(out)
    ours = ours[ours[:, 0] == 0]
    check(len(ours) == 111 == len(theirs), len(ours))
    check(as_set(ours[:, 1:3]) == as_set(theirs[:, :2]), "births and deaths")
    # where two pixels of one value begin a feature, the choice is each program's own
    distance = np.loadtxt(data("ph", "homcloud_tutorial", "binary-image-signed-manhattan.csv"), delimiter=",")
    for row in ours:
        check(distance[int(row[4]), int(row[3])] == row[1] and distance[int(row[7]), int(row[6])] == row[2], row)
    same = set(as_set(theirs[:, [0, 2, 3]])) & set(as_set(ours[:, [1, 4, 3]]))
    check(len(same) >= 100, "%d of 111 birth pixels are HomCloud's" % len(same))


def smooth(shape, seed):
    a = np.random.default_rng(seed).standard_normal(shape)
    for axis in range(len(shape)):
        a = a + np.roll(a, 1, axis) + np.roll(a, -1, axis)
    return a / a.std()


def test_kinds_of_files(folder):
    """One image as npy in both orders, HDF5 and 16 bit PNG gives one diagram."""
    import zlib
    a = np.round(1000 + 200 * smooth((20, 30), 1)).clip(0, 65535).astype(np.uint16)
    np.save(os.path.join(folder, "c.npy"), a)
    np.save(os.path.join(folder, "f.npy"), np.asfortranarray(a.astype(np.float32)))
    with h5py.File(os.path.join(folder, "a.h5"), "w") as f:
        f["deep/image"] = a
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in a)
    with open(os.path.join(folder, "a.png"), "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30, 20, 16, 0, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    expected = None
    for name, more in (("c.npy", ()), ("f.npy", ()), ("a.h5", ("topology.dataset=/deep/image",)), ("a.png", ())):
        _, out = topology(folder, os.path.join(folder, name), *more, out=name + "_out")
        got = pairs(out)
        check(len(got) > 10, name)
        for row in got:
            check(a[int(row[4]), int(row[3])] == row[1] and a[int(row[7]), int(row[6])] == row[2], (name, row))
        check(expected is None or np.array_equal(got, expected), name)
        expected = got


def test_formats(folder):
    np.save(os.path.join(folder, "a.npy"), smooth((12, 13, 14), 2))
    _, out = topology(folder, os.path.join(folder, "a.npy"), "topology.write={npy: true, dipha: true, text: true}")
    csv = pairs(out)
    check(np.array_equal(np.load(os.path.join(out, "diagrams", "0001.npy")), csv), "npy")
    d = dipha(os.path.join(out, "diagrams", "0001.diagram"))
    check(np.array_equal(np.stack([d["k"], d["b"], d["d"]], 1), csv[:, :3]), "dipha")
    with h5py.File(os.path.join(out, "diagrams.h5")) as f:
        for k in range(3):
            text = np.loadtxt(os.path.join(out, "diagrams", "0001_dim%d.txt" % k), ndmin=2)
            check(np.array_equal(text.reshape(-1, 2), csv[csv[:, 0] == k, 1:3]), "text %d" % k)
            check(np.array_equal(f["dimension%d/pairs" % k][:], csv[csv[:, 0] == k, 1:3]), "hdf5 %d" % k)


def series(folder, n=7):
    for i in range(n):
        np.save(os.path.join(folder, "s%d.npy" % (i + 8)), smooth((15, 17), i))
    return os.path.join(folder, "s*.npy")


def contents(out):
    """Bytes of the files that do not depend on the ranks."""
    files = {}
    for name in sorted(os.listdir(os.path.join(out, "diagrams"))):
        with open(os.path.join(out, "diagrams", name), "rb") as f:
            files[name] = f.read()
    for name in ("images.csv", "distances.csv"):
        if os.path.exists(os.path.join(out, name)):
            with open(os.path.join(out, name), "rb") as f:
                files[name] = f.read()
    for name in ("diagrams.h5", "features.h5"):
        with h5py.File(os.path.join(out, name)) as f:
            f.visititems(lambda key, x: files.update({name + key: x[()].tobytes()}) if isinstance(x, h5py.Dataset) else None)
    return files


def test_ranks(folder):
    files = series(folder)
    more = ["topology.write.npy=true", "topology.distances=bottleneck"]
    _, out = topology(folder, files, *more, out="r1")
    one = contents(out)
    check(len(one) == 7 * 2 + 2 + 6 + 6, sorted(one))
    far = np.loadtxt(os.path.join(out, "distances.csv"), delimiter=",", skiprows=1)
    # moving every value by at most c moves no diagram further (stability: Cohen-Steiner, Edelsbrunner, Harer 2007)
    moved = [np.abs(smooth((15, 17), i) - smooth((15, 17), i + 1)).max() for i in range(6)]
    check(far.shape == (6, 4) and (far[:, 2:] > 0).all() and (far[:, 2:] <= np.array(moved)[:, None]).all(), far)
    for ranks in (2, 3, 5):
        check(contents(topology(folder, files, *more, ranks=ranks, out="r%d" % ranks)[1]) == one, ranks)


def test_resume(folder):
    files = series(folder)
    _, out = topology(folder, files)
    whole = contents(out)
    for name in ("diagrams/0003.csv", "diagrams/0006.csv", "diagrams.h5", "images.csv"):
        os.unlink(os.path.join(out, name))
    r, _ = topology(folder, files, ranks=2, options=["--resume"])
    check("5 of them were there already" in r.out, r)
    check(contents(out) == whole, "continued")
    r, _ = topology(folder, files, code=2)
    check("--force" in r.err, r)
    r, _ = topology(folder, files, "topology.levels=superlevel", options=["--resume"], code=2)
    check("another input" in r.err, r)
    with open(os.path.join(out, "diagrams", "0002.csv"), "a") as f:
        f.write("0,1,2,99,0,0,0,0,0\n")
    r, _ = topology(folder, files, options=["--resume"], code=2)
    check("0002.csv:" in r.err, r)


def kuhn_mesh(path, n, box):
    """A magnet of one grain, n^3 cubes of six tets; the coordinates of its nodes."""
    import itertools
    g = np.arange(n + 1)
    x = np.stack(np.meshgrid(g, g, g, indexing="ij"), -1).reshape(-1, 3) * (box / n)
    i, j, k = (a.ravel() for a in np.meshgrid(*[np.arange(n)] * 3, indexing="ij"))
    node = lambda d: ((i + d[0]) * (n + 1) + j + d[1]) * (n + 1) + k + d[2]
    tets = []
    for p in itertools.permutations(range(3)):
        d, corners = [0, 0, 0], [node((0, 0, 0))]
        for axis in p:
            d[axis] = 1
            corners.append(node(d))
        if np.linalg.det(np.eye(3)[list(p)]) < 0:
            corners[2], corners[3] = corners[3], corners[2]
        tets.append(np.stack(corners, -1))
    tets = np.concatenate(tets)
    with h5py.File(path, "w") as f:
        f.attrs.update({"format": np.bytes_("magtwin-mesh"), "version": np.int64(1), "ranks": np.int64(1), "made_by": np.bytes_("test"),
                        "input": np.bytes_("none")})
        f["mesh/x"], f["mesh/tet"], f["mesh/region"] = x, tets.astype(np.int32), np.zeros(len(tets), np.int32)
        f["mesh"].attrs.update({"sphere": np.zeros(4), "magnet_box": np.array([0, 0, 0, box, box, box], float), "gb_thickness": 0.0, "size": box / n})
        f["regions/kind"], f["regions/grains"] = np.zeros(1, np.int32), np.array([[0, -1, -1, -1]], np.int32)
        f["regions/name"], f["regions/volume"] = np.array([b"grain 0"]), np.array([float(box)**3])
        f["grains/axis"], f["grains/center"] = np.array([[0.0, 0, 1]]), np.full((1, 3), box / 2)
    return x


def test_states(folder):
    """m_z is a zigzag over x, linear between planes of nodes: points in the middle between them have the mean of two planes."""
    zigzag = np.array([0, 4, 1, 5, 2, 6, 3, 7, 0.0])  # in the middles 2 2.5 3 3.5 4 4.5 5 3.5
    mesh = os.path.join(folder, "mesh.h5")
    x = kuhn_mesh(mesh, 8, 80.0)
    with h5py.File(os.path.join(folder, "state.h5"), "w") as f:
        f["m"] = np.stack([np.ones(len(x)), -x[:, 1], zigzag[np.rint(x[:, 0] / 10).astype(int)]], 1)
    more = ["topology.mesh=" + mesh, "topology.grid.points=[8, 5, 1]"]
    _, out = topology(folder, os.path.join(folder, "state.h5"), *more)
    rows = pairs(out)
    check(len(rows) == 1 and rows[0, [0, 3, 6]].tolist() == [0, 7, 6] and np.allclose(rows[0, 1:3], [3.5, 5], atol=1e-12), rows)
    # the box reaches beyond the magnet on both sides: what lies outside enters last, and joins nothing
    _, out = topology(folder, os.path.join(folder, "state.h5"), *more[:1], "topology.grid={points: [12, 5, 1], low: [-20, 0, 0], high: [100, 80, 80]}",
                      ranks=2, out="beyond")
    rows = pairs(out)
    check(len(rows) == 1 and rows[0, [0, 3, 6]].tolist() == [0, 9, 8] and np.allclose(rows[0, 1:3], [3.5, 5], atol=1e-12), rows)
    r, _ = topology(folder, os.path.join(folder, "state.h5"), *more, "topology.dataset=/n", out="none", code=2)
    check("state.h5: has no dataset /n" in r.err, r)
    r, _ = topology(folder, os.path.join(folder, "state.h5"), more[0], "topology.grid={low: [200, 0, 0], high: [300, 80, 80]}", out="far", code=2)
    check("none of its points lies in the magnet" in r.err, r)


def test_crop_and_figures(folder):
    """Pixels are those of the part that is used; every figure is drawn."""
    a = smooth((40, 50), 5)
    np.save(os.path.join(folder, "a.npy"), a)
    np.save(os.path.join(folder, "b.npy"), a[5:38, 7:48])
    one = topology(folder, os.path.join(folder, "a.npy"), "topology.crop=[7, 5, 48, 38]")[1]
    two = topology(folder, os.path.join(folder, "b.npy"), out="two")[1]
    check(np.array_equal(pairs(one), pairs(two)) and len(pairs(one)) > 50, "crop")
    r = support.magtwin(BUILD, "plot", one)
    check(r.code == 0, r)
    for name in ("diagrams", "images", "pixels"):
        check(os.path.getsize(os.path.join(one, "figures", name + ".png")) > 10000, name)
    r, _ = topology(folder, os.path.join(folder, "a.npy"), "topology.crop=[7, 5, 51, 38]", out="bad", code=2)
    check("topology.crop" in r.err and "50 x 40" in r.err, r)
    r, out = topology(folder, os.path.join(folder, "b.npy"), "topology.crop=[]", "topology.min_persistence=1000", ranks=2, out="short")
    check("pairs last less than topology.min_persistence = 1000: none is left" in r.err and not len(pairs(out)), r)


def test_regions(folder):
    """Two bright squares on a dark ground, of 16 and 9 pixels, the smaller one less bright and with a hole: its pixels come back."""
    a = np.zeros((20, 30))
    a[2:6, 3:7] = 9
    a[10:13, 15:18] = 5
    a[11, 16] = 2
    np.save(os.path.join(folder, "a.npy"), a)
    _, out = topology(folder, os.path.join(folder, "a.npy"), "topology.levels=superlevel", "topology.regions=5")
    rows = np.loadtxt(os.path.join(out, "diagrams", "0001_regions.csv"), delimiter=",", skiprows=1)
    check(rows.tolist() == [[0, 5, 0, 9, 16, 11, 0, 15, 10, 0, 17, 12, 0], [1, 5, 2, 1, 16, 11, 0, 16, 11, 0, 16, 11, 0]], rows)
    shown = np.load(os.path.join(out, "diagrams", "0001_regions.npy"))
    check((shown[10:13, 15:18] > 0).all() and shown[11, 16] == 2 and (shown > 0).sum() == 9, shown)


def test_bad_input(folder):
    files = series(folder, 3)
    np.save(os.path.join(folder, "s11.npy"), np.zeros((15, 18)))
    for ranks in (1, 2):
        r, out = topology(folder, files, ranks=ranks, code=2)
        check("s11.npy has 18 x 15 x 1 pixels" in r.err, r)
        check(not os.path.exists(os.path.join(out, "diagrams")), "something was written")
    broken = smooth((15, 17), 1)
    broken[3, 4] = np.nan
    np.save(os.path.join(folder, "s11.npy"), broken)
    r, out = topology(folder, files, ranks=2, out="nan", code=2)
    check("s11.npy: pixel x 4, y 3, z 0 is not a finite number" in r.err, r)
    r, _ = topology(folder, os.path.join(folder, "none*.npy"), code=2)
    check("none" in r.err, r)
    np.save(os.path.join(folder, "empty.npy"), np.zeros((0, 5)))
    r, _ = topology(folder, os.path.join(folder, "empty.npy"), code=2)
    check("has a side of 0" in r.err, r)
    r, _ = topology(folder, files.replace("s*", "s8"), "topology.periodic=z", code=2)
    check("topology.periodic" in r.err and "one pixel along z" in r.err, r)
    with open(os.path.join(folder, "a.txt"), "w") as f:
        f.write("1 2 3")
    r, _ = topology(folder, os.path.join(folder, "a.txt"), code=2)
    check("a.txt: this kind of file is not known" in r.err, r)


def test_constant(folder):
    """Nothing is born and dies in a constant image, black and white or not."""
    np.save(os.path.join(folder, "a.npy"), np.full((9, 8), 3.0))
    for more in ((), ("topology.binary=euclidean",), ("topology.construction=top-cells",)):
        _, out = topology(folder, os.path.join(folder, "a.npy"), *more, options=["--force"])
        check(len(pairs(out)) == 0, pairs(out))
    _, out = topology(folder, os.path.join(folder, "a.npy"), "topology.lasting=true", options=["--force"])
    check(pairs(out)[:, :3].tolist() == [[0, 3, np.inf]], pairs(out))


def test_mask(folder):
    """A ring of dark pixels around a hole never dies; what lies under the mask, NaN too, counts nothing."""
    a = np.full((9, 9), 5.0)
    a[2:7, 2:7] = 1
    a[3:6, 3:6] = 8
    a[4, 4] = np.nan
    np.save(os.path.join(folder, "a.npy"), a)
    mask = np.ones((9, 9), np.uint8)
    mask[4, 4] = 0
    np.save(os.path.join(folder, "mask.npy"), mask)
    more = ["topology.lasting=true", "topology.mask=" + os.path.join(folder, "mask.npy")]
    for construction in ("vertex", "top-cells"):
        _, out = topology(folder, os.path.join(folder, "a.npy"), *more, "topology.construction=" + construction, out=construction)
        check(pairs(out)[:, :3].tolist() == [[0, 1, np.inf], [1, 1, np.inf]], pairs(out))
    _, out = topology(folder, os.path.join(folder, "a.npy"), *more, "topology.blur=1", "topology.binary=manhattan", out="distance")
    check(len(pairs(out)) > 0, "blur and distance beside a hole")
    np.save(os.path.join(folder, "mask.npy"), np.zeros((9, 9)))
    r, _ = topology(folder, os.path.join(folder, "a.npy"), *more, out="none", code=2, ranks=2)
    check("mask.npy: the mask hides every pixel" in r.err, r)
    np.save(os.path.join(folder, "mask.npy"), np.ones((9, 8)))
    r, _ = topology(folder, os.path.join(folder, "a.npy"), *more, out="none", code=2)
    check("mask.npy: the mask has 8 x 9 x 1 pixels, the images 9 x 9 x 1" in r.err, r)


def read_diagrams(folder, files, *more, ranks=1, out="read", code=0):
    text = os.path.join(folder, "read.yaml")
    with open(text, "w") as f:
        f.write("topology:\n  diagrams: '%s'\noutput:\n  folder: %s\n" % (files, os.path.join(folder, out)))
    r = support.magtwin(BUILD, "topology", text, *more, ranks=ranks)
    check(r.code == code, r)
    return r, os.path.join(folder, out)


def test_diagrams_of_others(folder):
    """What a run wrote in four formats is read back to the same vectors and distances; HomCloud's, CubicalRipser's and DIPHA's files are read."""
    for i in range(3):
        np.save(os.path.join(folder, "v%d.npy" % i), smooth((9, 10, 11), i))
    _, out = topology(folder, os.path.join(folder, "v*.npy"), "topology.write={npy: true, dipha: true, text: true}",
                      "topology.distances=wasserstein", "topology.lasting=true", "topology.regions=2", "topology.cycles=2")
    with h5py.File(os.path.join(out, "features.h5")) as f:
        vectors = {k: f["dimension%d/image" % k][:] for k in range(3)}
    far = np.loadtxt(os.path.join(out, "distances.csv"), delimiter=",", skiprows=1)
    for n, files in enumerate(("*.csv", "*.npy", "*.diagram", "*_dim?.txt")):
        _, again = read_diagrams(folder, os.path.join(out, "diagrams", files), "topology.distances=wasserstein", ranks=1 + n % 2, out="again%d" % n)
        with h5py.File(os.path.join(again, "features.h5")) as f:
            for k in range(3):
                check(np.array_equal(f["dimension%d/image" % k][:], vectors[k]), (files, k))
        check(np.array_equal(np.loadtxt(os.path.join(again, "distances.csv"), delimiter=",", skiprows=1), far), files)
    with open(os.path.join(folder, "gudhi.txt"), "w") as f:
        f.write("# field, dimension, birth, death\n2 0 0.5 inf\n2 0 0.5 1.5\n2 1 1 2\n")
    _, again = read_diagrams(folder, os.path.join(folder, "gudhi.txt"), out="gudhi")
    check(pairs(again)[:, :3].tolist() == [[0, 0.5, 1.5], [1, 1, 2]], pairs(again))
    with open(os.path.join(folder, "bad.csv"), "w") as f:
        f.write("dimension,birth,death\n0,1,2\n0,1,x\n")
    r, _ = read_diagrams(folder, os.path.join(folder, "bad.csv"), out="bad", code=2, ranks=2)
    check("bad.csv:3: is not a line of a diagram" in r.err, r)
    r, _ = read_diagrams(folder, os.path.join(folder, "v0.npy"), out="bad2", code=2)
    check("v0.npy: a diagram is an array of rows" in r.err, r)
    r, _ = read_diagrams(folder, os.path.join(folder, "gudhi.txt"), "topology.files=" + os.path.join(folder, "v0.npy"), out="bad3", code=2)
    check("either topology.files or topology.diagrams" in r.err, r)
    theirs = data("ph", "homcloud_tutorial", "binary-image-pd0-homcloud.csv")
    _, again = read_diagrams(folder, theirs, out="homcloud")
    check(len(pairs(again)) == 111 and (pairs(again)[:, 0] == 0).all(), len(pairs(again)))
    _, again = read_diagrams(folder, data("ph", "homcloud_tutorial", "binary-image-cubicalripser-V.csv"), out="ripser")
    check((pairs(again)[:, 0] == 0).sum() == 111, "CubicalRipser's")
    _, again = read_diagrams(folder, data("ph", "dipha", "noise_3_16_def.diagram"), out="dipha")
    check([int((pairs(again)[:, 0] == k).sum()) for k in range(3)] == [640, 686, 100], "DIPHA's")


def read_cycles(out):
    """{pair number: (dimension, birth, death, rows of corners)}."""
    rows = np.loadtxt(os.path.join(out, "diagrams", "0001_cycles.csv"), delimiter=",", skiprows=1, ndmin=2)
    return {int(n): (int(rows[rows[:, 0] == n][0, 1]), *rows[rows[:, 0] == n][0, 2:4], rows[rows[:, 0] == n][:, 4:]) for n in np.unique(rows[:, 0])}


def facets(low, high):
    """The boundary of a cell given by two opposite corners."""
    for a in np.flatnonzero(np.array(low) != np.array(high)):
        for end in (low[a], high[a]):
            yield tuple(low[:a]) + (end,) + tuple(low[a + 1:]), tuple(high[:a]) + (end,) + tuple(high[a + 1:])


def cells_of(a, d, level):
    """Cells of dimension d of the vertex construction that are there at a level."""
    import itertools
    for axes in itertools.combinations(range(3), d):
        step = np.array([i in axes for i in range(3)], int)
        shape = np.array(a.shape) - step
        top = np.max([a[tuple(slice(o, o + n) for o, n in zip(off, shape))] for off in itertools.product(*[range(s + 1) for s in step])], 0)
        for at in np.argwhere(top <= level):
            yield tuple(at), tuple(at + step)


def bounds(a, cycle, level):
    """Is a cycle of edges the sum of boundaries of squares that are there at a level?  Elimination modulo 2 with integers as bit fields."""
    index, columns = {}, {}
    bits = lambda cells: sum(1 << index.setdefault(c, len(index)) for c in cells)

    def left(v):
        while v and v.bit_length() in columns:
            v ^= columns[v.bit_length()]
        return v

    for square in cells_of(a, 2, level):
        v = left(bits(facets(*square)))
        if v:
            columns[v.bit_length()] = v
    return not left(bits(cycle))


def check_closed(cells, name):
    count = {}
    for low, high in cells:
        for f in facets(low, high):
            count[f] = count.get(f, 0) + 1
    check(cells and all(n % 2 == 0 for n in count.values()), (name, "is not closed"))


def test_cycles(folder):
    """Every cycle is closed, is there when its pair is born, and bounds when it dies but not before."""
    for seed, (shape, construction) in enumerate((((6, 5, 5), "vertex"), ((4, 4, 4), "top-cells"), ((14, 15), "vertex"), ((14, 15), "top-cells"))):
        a = np.round(np.random.default_rng(seed).standard_normal(shape), 1)
        np.save(os.path.join(folder, "a.npy"), a)
        _, out = topology(folder, os.path.join(folder, "a.npy"), "topology.cycles=6", "topology.construction=" + construction, out="c%d" % seed)
        # points of the complex: pixels, or every cell of the top-cell construction at the odd and even places of the doubled grid
        a = a if a.ndim == 3 else a[None]
        double = construction == "top-cells"
        if double:
            pad = np.pad(a, 1, constant_values=np.inf) if len(a) > 1 else np.pad(a, ((0, 0), (1, 1), (1, 1)), constant_values=np.inf)
            for axis in range(3):
                if a.shape[axis] > 1:
                    pad = np.repeat(pad, 2, axis)
                    n = pad.shape[axis]
                    pad = np.minimum(np.take(pad, range(1, n - 2), axis), np.take(pad, range(2, n - 1), axis))
            a = pad
        found = read_cycles(out)
        check({c[0] for c in found.values()} == ({0, 1, 2} if len(a) > 1 else {0, 1}), found.keys())
        for number, (k, birth, death, rows) in found.items():
            if k == 0:
                continue
            place = lambda x: tuple(int(round(2 * c + 1 if double and a.shape[i] > 1 else c)) for i, c in enumerate(x[::-1]))
            cells = [(place(r[:3]), place(r[3:])) for r in rows]
            check_closed(cells, number)
            corners = {c for low, high in cells for c in (low, high)}
            check(max(a[c] for c in corners) <= birth < death, (seed, number, birth))
            if len(a) > 1 and k == 1:
                # edges of the coarse complex are two of the doubled grid only where the cycle is that of top cells
                check(bounds(a, cells, death) and not bounds(a, cells, death - 0.05), (seed, number, birth, death))


def test_shared_mask(folder):
    """A mask beside a volume, or a picture, that ranks share: each reads its layers; the files are those of one rank."""
    a = smooth((12, 11, 10), 4)
    holes = np.random.default_rng(3).random(a.shape) > 0.1
    a[~holes] = np.nan
    files = {"v.npy": a, "holes.npy": holes.astype(np.uint8), "slice.npy": holes[4].astype(np.uint8), "none.npy": np.zeros(a.shape), "p.npy": np.nan_to_num(a[5], nan=9.0)}
    for name, value in files.items():
        np.save(os.path.join(folder, name), value)
    np.save(os.path.join(folder, "w.npy"), np.nan_to_num(a))
    path = lambda name: os.path.join(folder, name)
    for n, (image, mask, more) in enumerate((("v.npy", "holes.npy", ["topology.crop=[1, 2, 9, 11]"]), ("w.npy", "slice.npy", ["topology.construction=top-cells"]), ("p.npy", "slice.npy", ["topology.levels=superlevel"]))):
        more = more + ["topology.lasting=true", "topology.write.dipha=true", "topology.mask=" + path(mask)]
        one = contents(topology(folder, path(image), *more, "topology.share=images", out="m%d" % n)[1])
        for ranks in (2, 3):
            theirs = contents(topology(folder, path(image), *more, "topology.share=volume", ranks=ranks, out="n%d_%d" % (n, ranks))[1])
            check(theirs == one, (image, mask, ranks))
    r, _ = topology(folder, path("w.npy"), "topology.share=volume", "topology.mask=" + path("none.npy"), ranks=3, out="none", code=2)
    check("none.npy: the mask hides every pixel" in r.err, r)


def test_shared_volume(folder):
    """Each rank reads its layers of one volume, from every kind of file; the files are those of one rank."""
    a = smooth((12, 11, 10), 4)
    np.save(os.path.join(folder, "c.npy"), a)
    np.save(os.path.join(folder, "f.npy"), np.asfortranarray(a))
    with h5py.File(os.path.join(folder, "a.h5"), "w") as f:
        f["v"], f["flat"] = a, a.ravel()
        f["flat"].attrs["dims"] = np.array(a.shape, np.int64)
    with open(os.path.join(folder, "a.complex"), "wb") as f:
        f.write(struct.pack("<4q", 8067171840, 1, a.size, 3) + struct.pack("<3q", *a.shape[::-1]) + a.astype("<f8").tobytes())
    crop = ["topology.crop=[1, 2, 9, 11]"]
    _, out = topology(folder, os.path.join(folder, "c.npy"), *crop, "topology.write.dipha=true", "topology.lasting=true", out="one")
    one = contents(out)
    for n, (name, more) in enumerate((("c.npy", []), ("f.npy", []), ("a.h5", ["topology.dataset=/v"]), ("a.h5", ["topology.dataset=/flat"]), ("a.complex", []))):
        _, out = topology(folder, os.path.join(folder, name), *crop, *more, "topology.write.dipha=true", "topology.lasting=true",
                          "topology.share=volume", ranks=(2, 3, 5, 2, 3)[n], out="s%d" % n)
        theirs = contents(out)
        check({k: v for k, v in theirs.items() if k != "images.csv"} == {k: v for k, v in one.items() if k != "images.csv"}, (name, more))
    r, _ = topology(folder, os.path.join(folder, "c.npy"), "topology.share=volume", "topology.blur=1", ranks=2, out="blur", code=2)
    check("topology.blur needs whole images" in r.err, r)
    a[9, 3, 4] = np.inf
    np.save(os.path.join(folder, "c.npy"), a)
    r, _ = topology(folder, os.path.join(folder, "c.npy"), "topology.share=volume", ranks=2, out="inf", code=2)
    check("c.npy: pixel x 4, y 3, z 9 is not a finite number" in r.err, r)


if __name__ == "__main__":
    import warnings
    warnings.filterwarnings("ignore", message=".*input contained no data.*")
    sys.exit(support.run_tests([(f.__name__[5:], f) for f in (
        test_dipha, test_homcloud, test_kinds_of_files, test_formats, test_ranks, test_resume, test_states, test_crop_and_figures, test_regions, test_bad_input,
        test_constant, test_mask, test_diagrams_of_others, test_cycles,
        test_shared_volume, test_shared_mask)]))
