#!/usr/bin/env python3
"""topology.py BUILD [side]: persistent homology by magtwin, GUDHI and CubicalRipser, one after the other on one core in one run.

First 200 random images of all kinds, pair for pair against GUDHI; then volumes of side^3 voxels (128): smooth, the signed distance of it, and
uniform noise, with the times of the computation alone, and the number of pairs of each.  Needs the network once: gudhi and cripser are
installed by pip into build/peers-topology; no other target needs this.  A peer that takes longer than LIMIT is stopped and said so.
"""
import json
import os
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests")]
import support
from peers import installed

LIMIT = 1800  # s

# Runs in the environment of the peers: argv[1] names a job, a line RESULT comes back.
PEER = r"""
import json, sys, time
import numpy as np
job = json.load(open(sys.argv[1]))
if job["who"] == "equal":
    import gudhi
    rows = []
    for one in job["images"]:
        a = np.load(one["file"]) * (-1 if one["superlevel"] else 1)
        cells = {"vertices" if one["vertex"] else "top_dimensional_cells": a}
        if any(one["periodic"]):
            c = gudhi.PeriodicCubicalComplex(periodic_dimensions=one["periodic"], **cells)
        else:
            c = gudhi.CubicalComplex(**cells)
        c.compute_persistence(homology_coeff_field=2)
        pairs = []
        for k in range(a.ndim):
            d = c.persistence_intervals_in_dimension(k).reshape(-1, 2)
            d = d[np.isfinite(d[:, 1])]
            pairs += [[k, float(b), float(e)] for b, e in d]
        rows.append(sorted(pairs))
    print("RESULT " + json.dumps(rows))
else:
    a = np.load(job["file"])
    if job["who"] == "gudhi":
        import gudhi
        start = time.perf_counter()
        c = gudhi.CubicalComplex(vertices=a)
        c.compute_persistence(homology_coeff_field=2)
        seconds = time.perf_counter() - start
        n = [int(np.isfinite(c.persistence_intervals_in_dimension(k)[:, 1]).sum()) for k in range(a.ndim)]
    else:
        import cripser
        start = time.perf_counter()
        r = cripser.computePH(a, maxdim=a.ndim - 1)
        seconds = time.perf_counter() - start
        n = [int(((r[:, 0] == k) & (r[:, 2] < 1e300)).sum()) for k in range(a.ndim)]
    import resource
    print("RESULT " + json.dumps({"seconds": seconds, "pairs": n, "peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def ask(python, folder, job):
    """A peer's answer, or the reason why there is none."""
    path = os.path.join(folder, "job.json")
    with open(path, "w") as f:
        json.dump(job, f)
    try:
        done = subprocess.run([python, "-c", PEER, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "longer than %d s" % LIMIT
    found = [line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    return json.loads(found[0]) if found else "it failed: " + (done.stderr.strip().splitlines() or ["no result"])[-1]


def ours(build, folder, files, *more):
    path = os.path.join(folder, "in.yaml")
    with open(path, "w") as f:
        f.write("topology: {files: '%s'}\noutput: {folder: %s}\n" % (files, os.path.join(folder, "run")))
    done = support.magtwin(build, "topology", path, "--force", *more, timeout=LIMIT)
    if done.code != 0:
        sys.exit(str(done))
    with open(os.path.join(folder, "run", "summary.json")) as f:
        return json.load(f)


def diagram(folder, image):
    rows = np.loadtxt(os.path.join(folder, "run", "diagrams", "%04d.csv" % image), delimiter=",", skiprows=1, ndmin=2)
    return rows[:, :3] if rows.size else np.zeros((0, 3))


def paint(rng, kind, shape):
    a = rng.random(shape)
    if kind == 1:
        a = rng.integers(0, 4, shape).astype(float)
    if kind >= 2:
        for axis in range(len(shape)):
            a = a + np.roll(a, 1, axis) + np.roll(a, -1, axis)
    return np.round(a, 1) if kind == 3 else a


def equal(build, python, folder):
    """20 sizes and settings of 10 images; how many diagrams of 200 are GUDHI's."""
    rng = np.random.default_rng(1)
    mine, images = [], []
    for s in range(20):
        shape = tuple(int(n) for n in (rng.integers(5, 40, 2) if s % 2 else rng.integers(3, 13, 3)))
        vertex, superlevel, wraps = bool(s // 2 % 2), bool(s // 4 % 2), s % 5 == 0
        periodic = [bool(rng.integers(0, 2)) and wraps for _ in shape]
        axes = "".join(name for name, p in zip("xyz", periodic[::-1]) if p) or "none"
        for i in range(10):
            np.save(os.path.join(folder, "s%02d_%d.npy" % (s, i)), paint(rng, i % 4, shape))
            images.append({"file": os.path.join(folder, "s%02d_%d.npy" % (s, i)), "vertex": vertex, "superlevel": superlevel, "periodic": periodic})
        ours(build, folder, os.path.join(folder, "s%02d_*.npy" % s), "topology.construction=" + ("vertex" if vertex else "top-cells"),
             "topology.levels=" + ("superlevel" if superlevel else "sublevel"), "topology.periodic=" + axes, "topology.features.bins=2")
        sign = np.array([1, -1, -1]) if superlevel else 1
        mine += [sorted(map(list, (diagram(folder, i + 1) * sign).tolist())) for i in range(10)]
    theirs = ask(python, folder, {"who": "equal", "images": images})
    if isinstance(theirs, str):
        return {"not_run": theirs}
    same = sum(a == b for a, b in zip(mine, theirs))
    print("GUDHI: %d of %d diagrams equal, pair for pair (%d pairs)" % (same, len(mine), sum(map(len, mine))))
    return {"equal": same, "of": len(mine)}


def volume(kind, n):
    rng = np.random.default_rng(3)
    if kind == "random":
        return rng.random((n, n, n))
    k = np.fft.fftfreq(n) * n
    square = sum(np.meshgrid(k**2, k**2, k**2, indexing="ij"))
    return np.fft.ifftn(np.fft.fftn(rng.standard_normal((n, n, n))) * np.exp(-square / (2 * (n / 20)**2))).real


def taxicab(mask):
    """Manhattan distance to the nearest voxel that is not in the mask."""
    d = np.where(mask, 10.0 * sum(mask.shape), 0.0)
    for axis in range(mask.ndim):
        ramp = np.arange(mask.shape[axis]).reshape([-1 if a == axis else 1 for a in range(mask.ndim)])
        d = np.minimum.accumulate(d - ramp, axis) + ramp
        d = np.flip(np.minimum.accumulate(np.flip(d, axis) - ramp, axis) + ramp, axis)
    return d


def race(build, python, folder, n, kind):
    path = os.path.join(folder, kind + ".npy")
    a = volume("smooth" if kind == "distance" else kind, n)
    np.save(path, a)
    more = ["topology.features.bins=2"]
    if kind == "distance":
        np.save(path, taxicab(a <= 0) - taxicab(a > 0))
    summary = ours(build, folder, path, *more)
    pairs = diagram(folder, 1)
    row = {"kind": kind, "magtwin_s": summary["topology"]["homology_wall"]["value"], "pairs": [int((pairs[:, 0] == k).sum()) for k in range(3)]}
    print("%s, %d^3: magtwin %.2f s, pairs %s" % (kind, n, row["magtwin_s"], row["pairs"]))
    for who in ("cripser", "gudhi"):
        peer = row[who] = ask(python, folder, {"who": who, "file": path})
        if isinstance(peer, str):
            print("  %-8s not run: %s" % (who, peer))
        else:
            print("  %-8s %.2f s, %.1f times; %.0f MB; pairs %s" % (who, peer["seconds"], peer["seconds"] / row["magtwin_s"], peer["peak_MB"],
                                                                "the same number" if peer["pairs"] == row["pairs"] else peer["pairs"]))
    return row


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 128
    home = os.path.join(os.path.abspath(build), "peers-topology")
    reason = installed(home, [["install", "-q", "gudhi", "cripser", "numpy", "scipy"]])
    if reason:
        sys.exit("the peers cannot be installed: " + reason)
    folder, python = os.path.join(ROOT, "out", "peers", "topology"), os.path.join(home, "bin", "python")
    os.makedirs(folder, exist_ok=True)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    result = {"gudhi": equal(build, python, folder), "side": side, "volumes": []}
    for kind in ("smooth", "distance", "random"):
        result["volumes"].append(race(build, python, folder, side, kind))
    with open(os.path.join(ROOT, "out", "peers", "topology.json"), "w") as f:
        json.dump(result, f, indent=1)
    print("wrote " + os.path.join("out", "peers", "topology.json"))
    sys.exit(result["gudhi"].get("equal") != result["gudhi"].get("of"))


if __name__ == "__main__":
    main()
