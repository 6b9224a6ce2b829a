#!/usr/bin/env python3
"""pca_test.py BUILD: magtwin pca as users call it: every kind of file against numpy, ranks, bad input, the figures."""
# timeout: 600
import csv
import json
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"


def pca(folder, files, *more, ranks=1, out="out", code=0, options=("--force",)):
    text = os.path.join(folder, "in.yaml")
    with open(text, "w") as f:
        f.write("pca:\n  files: '%s'\noutput:\n  folder: %s\n" % (files, os.path.join(folder, out)))
    r = support.magtwin(BUILD, "pca", text, *more, *options, ranks=ranks)
    check(r.code == code, r)
    return r, os.path.join(folder, out)


def result(out):
    with h5py.File(os.path.join(out, "pca.h5"), "r") as f:
        return {name: f[name][:] for name in ("variance", "loadings", "scores", "mean", "factor")}


def table(rows=30, columns=12, seed=1, mean=5.0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, columns)) * np.linspace(3, 0.2, columns) + mean


def against_numpy(out, x, k=4):
    """Spectrum to 1e-10, subspace and scores to 1e-8 of numpy's singular value decomposition."""
    r, centred = result(out), x - x.mean(0)
    u, s, v = np.linalg.svd(centred, full_matrices=False)
    check(np.allclose(r["variance"][:k], s[:k]**2 / (len(x) - 1), rtol=0, atol=1e-10 * s[0]**2 / (len(x) - 1)), r["variance"])
    L = r["loadings"][:, :k]
    check(np.linalg.norm(L - v[:k].T @ (v[:k] @ L), 2) < 1e-8, "another subspace")
    check(np.allclose(r["scores"][:, :k], centred @ L, atol=1e-8 * s[0]), "scores do not belong to the loadings")
    check((L[np.abs(L).argmax(0), range(k)] > 0).all(), "signs")


def test_kinds(folder):
    """One table as csv, blanks, .npy, HDF5, files of one sample each, pictures."""
    x = table()
    at = lambda name: os.path.join(folder, name)
    np.save(at("a.npy"), x)
    np.savetxt(at("a.csv"), x, delimiter=",", fmt="%.17g", header=",".join("c%d" % i for i in range(12)), comments="")
    with open(at("named.csv"), "w") as f:
        f.write("# a comment\nname,second,first\n" + "".join('"grain, %d",%.17g,%.17g\n' % (i, *row[1::-1]) for i, row in enumerate(x)))
    np.savetxt(at("a.txt"), x, fmt="%.17g")
    with h5py.File(at("a.h5"), "w") as f:
        f["/left"], f["/right"], f["/cube"] = x[:, :5], x[:, 5:].astype("<f8"), x.reshape(30, 3, 2, 2)
    for i, row in enumerate(x):
        np.save(at("s%d.npy" % i), row.reshape(3, 4))
        np.savetxt(at("t%d.csv" % i), row.reshape(6, 2), delimiter=";", fmt="%.17g")
    for name, files, more in (("npy", "a.npy", []), ("csv", "a.csv", []), ("txt", "a.txt", []), ("h5", "a.h5", ["pca.datasets=[left, right]"]),
                              ("cube", "a.h5", ["pca.datasets=[cube]"]), ("series", "s*.npy", []), ("spectra", "t*.csv", [])):
        against_numpy(pca(folder, at(files), *more, out=name)[1], x)
    against_numpy(pca(folder, at("a.csv"), "pca.columns=[c3, c0]", out="chosen")[1], x[:, [3, 0]], 2)
    _, named = pca(folder, at("named.csv"), out="named", ranks=2)
    against_numpy(named, x[:, 1::-1], 2)
    with h5py.File(os.path.join(named, "pca.h5"), "r") as f:
        check([n.decode() for n in f["blocks/columns"][:]] == ["second", "first"], "names of the columns")
    r = support.magtwin(BUILD, "plot", named)
    check(r.code == 0, r)
    with open(os.path.join(folder, "series", "scores.csv")) as f:
        rows = list(csv.DictReader(f))
    check([os.path.basename(row["file"]) for row in rows] == ["s%d.npy" % i for i in range(30)], rows[:3])
    check(abs(float(rows[7]["PC1"]) - result(os.path.join(folder, "series"))["scores"][7, 0]) < 1e-14, rows[7])


def test_pictures(folder):
    import struct
    import zlib
    rng = np.random.default_rng(2)
    x = rng.integers(0, 256, (5, 6, 7)).astype(np.uint8)
    for i, picture in enumerate(x):
        piece = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        rows = b"".join(b"\0" + row.tobytes() for row in picture)
        with open(os.path.join(folder, "p%d.png" % i), "wb") as f:
            f.write(b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", struct.pack(">2I5B", 7, 6, 8, 0, 0, 0, 0)) + piece(b"IDAT", zlib.compress(rows)) + piece(b"IEND", b""))
    _, out = pca(folder, os.path.join(folder, "p*.png"))
    against_numpy(out, x.reshape(5, -1).astype(float))
    with h5py.File(os.path.join(out, "pca.h5"), "r") as f:
        check(f["blocks/start_shape"][:].tolist() == [[0, 1, 6, 7]], f["blocks/start_shape"][:])


def test_ranks(folder):
    """The same numbers on 1, 2, 3, 5 ranks, dealt either way, by either method; ranks may be more than samples."""
    for name, x in (("wide", table(7, 40)), ("tall", table(40, 7))):
        path = os.path.join(folder, name + ".npy")
        np.save(path, x)
        first = result(pca(folder, path, "pca.components=%d" % min(4, x.shape[1]), out="first")[1])
        for ranks, deal, method in ((1, "rows", "svd"), (2, "columns", "gram"), (3, "rows", "gram"), (5, "columns", "svd")):
            other = result(pca(folder, path, "pca.components=%d" % min(4, x.shape[1]), "pca.distribute=" + deal, "pca.method=" + method, ranks=ranks, out="other")[1])
            for key, value in first.items():
                check(np.allclose(other[key], value, rtol=0, atol=1e-11 * max(1, abs(value).max())), (name, ranks, deal, method, key))


def test_options(folder):
    x = table()
    path = os.path.join(folder, "a.npy")
    np.save(path, x)
    scaled = (x - x.mean(0)) / x.std(0, ddof=1)
    against_numpy(pca(folder, path, "pca.scale=deviation")[1], scaled)
    r = result(pca(folder, path, "pca.center=false", "pca.components=3")[1])
    s = np.linalg.svd(x, compute_uv=False)
    check(np.allclose(r["variance"], s[:3]**2 / 30, rtol=1e-12), "without centring")
    low = np.outer(np.arange(6.0), np.ones(9)) + 1e6
    np.save(path, low)
    done, out = pca(folder, path, "pca.components=3")
    check(len(result(out)["variance"]) == 1 and "the data have 1" in done.err, done)


def test_features(folder):
    """Persistence images of magtwin topology as they are written; the blocks keep their shapes."""
    rng = np.random.default_rng(4)
    for i in range(4):
        np.save(os.path.join(folder, "v%d.npy" % i), rng.random((16, 16)))
    text = os.path.join(folder, "t.yaml")
    with open(text, "w") as f:
        f.write("topology: {files: '%s/v*.npy', features: {bins: 8}}\noutput: {folder: %s/topo}\n" % (folder, folder))
    r = support.magtwin(BUILD, "topology", text)
    check(r.code == 0, r)
    _, out = pca(folder, os.path.join(folder, "topo", "features.h5"))
    with h5py.File(os.path.join(folder, "topo", "features.h5"), "r") as f:
        against_numpy(out, np.hstack([f["dimension%d/image" % k][:] for k in (0, 1)]), 3)
    with h5py.File(os.path.join(out, "pca.h5"), "r") as f:
        check(f["blocks/start_shape"][:].tolist() == [[0, 1, 8, 8], [64, 1, 8, 8]], f["blocks/start_shape"][:])
    r = support.magtwin(BUILD, "plot", out)
    check(r.code == 0 and all(os.path.exists(os.path.join(out, "figures", n + ".png")) for n in ("scores", "loadings")), r)


def test_beside(folder):
    """Persistence images with texture statistics of the same pictures, as HDF5 and as csv: the decomposition of both side by side, however they are dealt."""
    for i in range(6):
        np.save(os.path.join(folder, "v%d.npy" % i), np.random.default_rng(i).random((16, 18)))
    for command, more in (("topology", "topology: {files: '%s/v*.npy', features: {bins: 6}}\n" % folder), ("texture", "topology: {files: '%s/v*.npy'}\ntexture: {scales: 2}\n" % folder)):
        text = os.path.join(folder, command + ".yaml")
        with open(text, "w") as f:
            f.write(more + "output: {folder: %s/%s}\n" % (folder, command))
        r = support.magtwin(BUILD, command, text)
        check(r.code == 0, r)
    features, texture = os.path.join(folder, "topology", "features.h5"), os.path.join(folder, "texture", "texture")
    with h5py.File(features, "r") as f, h5py.File(texture + ".h5", "r") as g:
        x = np.hstack([f["dimension0/image"][:], f["dimension1/image"][:], g["features"][:]])
    for beside, ranks, deal in ((".h5", 1, "columns"), (".csv", 2, "columns"), (".h5", 3, "rows")):
        _, out = pca(folder, features, "pca.beside=" + texture + beside, "pca.distribute=" + deal, ranks=ranks)
        against_numpy(out, x, 4)
    _, out = pca(folder, texture + ".csv", "pca.beside=" + features)
    against_numpy(out, np.hstack([x[:, 72:], x[:, :72]]), 4)
    np.save(os.path.join(folder, "five.npy"), np.ones((5, 2)))
    r, _ = pca(folder, features, "pca.beside=%s/five.npy" % folder, code=2, out="bad")
    check("five.npy has 5 samples" in r.err and "features.h5 has 6" in r.err, r)
    r = support.magtwin(BUILD, "plot", out)
    check(r.code == 0, r)


def test_bad_input(folder):
    x = table()
    at = lambda name: os.path.join(folder, name)
    np.save(at("a.npy"), x)
    x[4, 6] = np.nan
    np.save(at("nan.npy"), x)
    np.save(at("constant.npy"), np.ones((5, 4)))
    np.save(at("one.npy"), np.ones((1, 4)))
    np.save(at("s1.npy"), np.ones(4))
    np.save(at("s2.npy"), np.ones(5))
    with open(at("text.csv"), "w") as f:
        f.write("a,b\n1,2\n3,x\n")
    with open(at("empty.csv"), "w") as f:
        f.write("a,b\n")
    with h5py.File(at("a.h5"), "w") as f:
        f["/x"] = x[:, :3]
    for files, more, text in (("nan.npy", [], "nan.npy: number 7 of sample 5 is not finite"), ("constant.npy", [], "constant.npy: all 5 samples are equal"),
                              ("one.npy", [], "one sample"), ("s?.npy", [], "s2.npy has 5 numbers a sample"), ("text.csv", [], "text.csv:3: 'x' in column 2"),
                              ("empty.csv", [], "has a header only"), ("a.h5", [], "pca.datasets"), ("a.h5", ["pca.datasets=[y]"], "no dataset y"),
                              ("a.npy", ["pca.components=30"], "at most 12 components, not 30"), ("text.csv", ["pca.columns=[c]"], "no column c"),
                              ("none*.npy", [], "none*.npy")):
        r, out = pca(folder, at(files), *more, ranks=2 if files in ("nan.npy", "text.csv", "s?.npy") else 1, code=2, out="bad")
        check(text in r.err, (files, text, str(r)))
        check(not os.path.exists(os.path.join(out, "pca.h5")), files)
    pca(folder, at("a.npy"))
    r, _ = pca(folder, at("a.npy"), options=(), code=2)
    check("--force" in r.err, r)
    with open(at("out/summary.json")) as f:
        check(json.load(f)["subcommand"] == "pca", "summary")


if __name__ == "__main__":
    sys.exit(support.run_tests([(f.__name__[5:], f) for f in (test_kinds, test_pictures, test_ranks, test_options, test_features, test_beside, test_bad_input)]))
