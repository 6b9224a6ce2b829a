"""Part `grains` of the bench: the convex fit of 1000 grains on 200^3 voxels, with clean labels and with one in twenty drawn anew."""
import json
import os

import numpy as np

import measure
import support

SIDE, COUNT = 200, 1000
ASKED = "asked of this program"


def cells(side, count, seed=1):
    """Labels [side side side] of the nearest of `count` points, block by block: a block's points are those that can be nearest in it."""
    rng = np.random.default_rng(seed)
    points, block = rng.uniform(0, side, (count, 3)), side // 20
    label = np.empty((side,) * 3, np.int32)
    half = np.sqrt(3) * block / 2
    axes = np.arange(block) + .5
    local = np.stack(np.meshgrid(axes, axes, axes, indexing="ij"), -1).reshape(-1, 3)
    for corner in np.ndindex(20, 20, 20):
        low = np.array(corner) * block
        far = np.linalg.norm(points - low - block / 2, axis=1)
        near = np.flatnonzero(far <= far.min() + 2 * half)
        squares = ((local + low)[:, None] - points[near]) ** 2
        label[tuple(slice(c, c + block) for c in low)] = near[squares.sum(2).argmin(1)].reshape((block,) * 3) + 1
    return label


def noisy(label, part=.05, seed=2):
    rng = np.random.default_rng(seed)
    return np.where(rng.uniform(size=label.shape) < part, rng.integers(1, label.max() + 1, label.shape, np.int32), label)


def fitted(build, folder, label, ranks):
    """Summary of the fit, and the wall time of everything from reading the labels to their statistics."""
    path, text = os.path.join(folder, "labels.npy"), os.path.join(folder, "in.yaml")
    np.save(path, label)
    with open(text, "w") as f:
        f.write("grains: {source: labels, file: %s, voxel: [4 nm, 4 nm, 4 nm], pieces: keep}\noutput: {folder: %s}\n"
                % (path, os.path.join(folder, "run")))
    done = support.magtwin(build, "reconstruct", text, "--force", ranks=ranks, timeout=3600)
    os.unlink(path)
    if done.code != 0:
        raise measure.Failed(str(done))
    with open(os.path.join(folder, "run", "summary.json")) as f:
        return json.load(f)


def bench(bench, out, side=SIDE, count=COUNT):
    folder = os.path.join(out, "grains")
    os.makedirs(folder, exist_ok=True)
    label = cells(side, count)
    for kind, labels, least in (("clean", label, .95), ("one in twenty drawn anew", noisy(label), .92)):
        at = ", %d grains, %d^3 voxels, %s, 2 ranks" % (count, side, kind)
        summary = fitted(bench.build, folder, labels, 2)
        bench.at_least("convex fit: labels in the cell of their own grain" + at, summary["grains"]["fit"]["agreement"], "", least, ASKED)
        bench.at_most("convex fit: wall time" + at, summary["phases"]["fit of the grains"]["wall"]["value"], "s", 180, ASKED)
        bench.note("convex fit: processor time, both ranks" + at, summary["phases"]["fit of the grains"]["processor_all_ranks"]["value"], "s")
