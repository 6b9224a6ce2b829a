#!/usr/bin/env python3
"""texture_test.py BUILD: magtwin texture as users call it: features on any number of ranks, estimates of planted parameters, bad input, figures."""
# timeout: 600
import json
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"


def texture(folder, *more, ranks=1, out="out", code=0):
    path = os.path.join(folder, "in.yaml")
    with open(path, "w") as f:
        f.write("topology: {files: '%s/p*.npy'}\ntexture: {scales: 3}\noutput: {folder: %s}\n" % (folder, os.path.join(folder, out)))
    r = support.magtwin(BUILD, "texture", path, *more, ranks=ranks)
    check(r.code == code, r)
    return r, os.path.join(folder, out)


def domains(rng, angle, period, n=48):
    """Stripes of two phases, of a period and a direction, with noise: what a domain picture with an easy axis looks like."""
    y, x = np.mgrid[:n, :n]
    wave = np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + 7 * rng.random())
    return np.sign(wave) + 0.2 * rng.standard_normal((n, n))


def series(folder, count=60):
    """Pictures whose stripes follow a law: period by the field, direction by the angle; and a column that is chance."""
    rng = np.random.default_rng(2)
    rows = []
    for i in range(count):
        angle, period = np.pi * rng.random(), 5 + 9 * rng.random()
        np.save(os.path.join(folder, "p%03d.npy" % i), domains(rng, angle, period))
        rows.append(["p%03d.npy" % i, np.log(period), np.cos(2 * angle), rng.standard_normal()])
    with open(os.path.join(folder, "targets.csv"), "w") as f:
        f.write("file,log_period,axis,chance\n")
        for i, row in enumerate(rows):
            f.write("%s,%s,%.17g,%.17g\n" % (row[0], "" if i < 5 else "%.17g" % row[1], row[2], row[3]))
    return np.array([row[1:] for row in rows], float)


def scores(out):
    with open(os.path.join(out, "summary.json")) as f:
        return json.load(f)["texture"]


def test_estimates(folder):
    truth = series(folder)
    targets = "texture.targets=" + os.path.join(folder, "targets.csv")
    _, out = texture(folder, targets)
    s = scores(out)
    check(s["energy_error"] < 1e-12, s)
    check(s["estimates"]["log_period"]["explained"] > 0.9 and s["estimates"]["axis"]["explained"] > 0.9, s)
    check(s["estimates"]["chance"]["explained"] < 0.1, s)  # nothing to be learnt, and cross-validation says so
    rows = np.genfromtxt(os.path.join(out, "estimates.csv"), delimiter=",", names=True, dtype=None, encoding=None)
    unknown = [r for r in rows if r["target"] == "log_period" and np.isnan(r["value"])]
    check(len(unknown) == 5 and all(abs(r["estimate"] - truth[r["image"] - 1, 0]) < 0.3 for r in unknown), unknown)
    files = {}
    for name in ("texture.csv", "estimates.csv"):
        with open(os.path.join(out, name), "rb") as f:
            files[name] = f.read()
    for ranks in (2, 3):
        _, again = texture(folder, targets, ranks=ranks, out="r%d" % ranks)
        for name in files:
            with open(os.path.join(again, name), "rb") as f:
                check(f.read() == files[name], (ranks, name))
    _, out = texture(folder, targets, "texture.model=gp", "texture.components=8", "texture.target=[log_period]", ranks=2, out="gp")
    s = scores(out)
    check(list(s["estimates"]) == ["log_period"] and s["estimates"]["log_period"]["explained"] > 0.8, s)
    r = support.magtwin(BUILD, "plot", out)
    check(r.code == 0, r)
    for name in ("bands", "estimates"):
        check(os.path.getsize(os.path.join(out, "figures", name + ".png")) > 10000, name)


def test_constant(folder):
    """Pictures without any texture have numbers, too."""
    for i in range(3):
        np.save(os.path.join(folder, "p%d.npy" % i), np.full((40, 40), float(i)))
    _, out = texture(folder, "texture.window=none")
    with h5py.File(os.path.join(out, "texture.h5")) as f:
        x = f["features"][:]
        names = [n.decode() for n in f["names"][:]]
    check(names[0] == "mean" and np.allclose(x[:, 0], [0, 1, 2]) and np.abs(x[:, 1:]).max() < 1e-12, x)


def test_bad_input(folder):
    truth = series(folder, 12)
    check(len(truth) == 12, "series")
    bad = os.path.join(folder, "bad.csv")
    with open(bad, "w") as f:
        f.write("a,b\n1,2\n")
    for more, text in ((["texture.targets=" + bad], "has 1 rows, but there are 12 pictures"),
                       (["texture.targets=" + os.path.join(folder, "targets.csv"), "texture.target=[field]"], "has no column field"),
                       (["texture.targets=" + os.path.join(folder, "targets.csv"), "texture.folds=12"], "too few"),
                       (["texture.scales=5"], "have 3 scales at most")):
        r, _ = texture(folder, *more, ranks=2, out="bad", code=2)
        check(text in r.err, r)
        support_remove(os.path.join(folder, "bad"))
    np.save(os.path.join(folder, "p100.npy"), np.full((48, 48), np.nan))
    r, _ = texture(folder, out="nan", code=2)
    check("p100.npy: pixel x 0, y 0, z 0 is not a finite number" in r.err, r)
    np.save(os.path.join(folder, "p100.npy"), np.zeros((20, 20, 20)))
    r, _ = texture(folder, out="size", code=2)
    check("images of one series have one size" in r.err, r)


def support_remove(folder):
    import shutil
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(support.run_tests([(f.__name__[5:], f) for f in (test_estimates, test_constant, test_bad_input)]))
