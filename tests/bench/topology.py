"""Part `topology` of the bench: volumes and pictures made here, times of the computation alone (homology_wall), memory beyond that of an empty run."""
import json
import os

import numpy as np

import measure
import support

VOLUMES = {"quick": [64], "normal": [128, 192], "full": [128, 192, 256]}
PICTURES = {"quick": 20, "normal": 100, "full": 800}


def smooth(shape, seed=3):
    """Gaussian random field with a correlation length of a twentieth of the side or so."""
    rng, square = np.random.default_rng(seed), 0
    for n, axis in zip(shape, range(len(shape))):
        k = np.fft.fftfreq(n) * n / (n / 20)
        square = square + (k**2).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return np.fft.ifftn(np.fft.fftn(rng.standard_normal(shape)) * np.exp(-square / 2)).real


def run(build, folder, files, *more, ranks=1):
    path = os.path.join(folder, "in.yaml")
    with open(path, "w") as f:
        f.write("topology: {files: '%s'}\noutput: {folder: %s}\n" % (files, os.path.join(folder, "run")))
    done = support.magtwin(build, "topology", path, "--force", *more, ranks=ranks, timeout=3600)
    if done.code != 0:
        raise measure.Failed(str(done))
    with open(os.path.join(folder, "run", "summary.json")) as f:
        return json.load(f)


def wall(summary):
    return summary["topology"]["homology_wall"]["value"]


def volumes(bench, folder, line, asked):
    path = os.path.join(folder, "a.npy")
    np.save(path, np.arange(12.0).reshape(3, 4))
    base = measure.memory(run(bench.build, folder, path, "topology.features.bins=2"))
    for n in VOLUMES[bench.size]:
        for kind in ("smooth", "distance", "random"):
            a = np.random.default_rng(3).random((n, n, n)) if kind == "random" else smooth((n, n, n))
            np.save(path, a)
            more = ["topology.features.bins=2"] + (["topology.binary=euclidean", "topology.threshold=0"] if kind == "distance" else [])
            summary = run(bench.build, folder, path, *more)
            own = (measure.memory(summary) - base) * 2**20 / n**3
            bench.add(line("persistent homology of %d^3 voxels, %s" % (n, kind), wall(summary), "s"))
            if kind == "smooth":
                bench.add(asked("bytes a voxel at the peak, image and result included, %d^3, smooth" % n, own, "B", 60, "asked"))
            else:
                bench.add(line("bytes a voxel at the peak, image and result included, %d^3, %s" % (n, kind), own, "B"))


def large(bench, folder, asked):
    """A volume that fills a workstation, as single precision on disk."""
    path, n = os.path.join(folder, "large.npy"), 512
    np.save(path, smooth((n, n, n)).astype(np.float32))
    summary = run(bench.build, folder, path, "topology.features.bins=2")
    os.remove(path)
    bench.note("persistent homology of %d^3 voxels, smooth" % n, wall(summary), "s")
    bench.add(asked("memory of the run of %d^3 voxels, smooth" % n, measure.memory(summary) / 1024, "GiB", 24, "asked"))


def shared(bench, folder, line):
    """One volume by 1 rank and by 2, and the bytes a voxel of each rank."""
    n, path = VOLUMES[bench.size][-1], os.path.join(folder, "a.npy")
    np.save(path, np.arange(12.0).reshape(3, 4))
    base = measure.memory(run(bench.build, folder, path, "topology.features.bins=2"))
    for kind in ("smooth", "random"):
        np.save(path, smooth((n, n, n)) if kind == "smooth" else np.random.default_rng(3).random((n, n, n)))
        runs = {r: run(bench.build, folder, path, "topology.features.bins=2", "topology.share=volume", ranks=r) for r in (1, 2)}
        goal = (1.6, "asked") if kind == "smooth" else ()
        bench.add(line("speed-up of 2 ranks that share %d^3 voxels, %s" % (n, kind), wall(runs[1]) / wall(runs[2]), "", *goal))
        bench.add(line("bytes a voxel on each of 2 ranks that share %d^3, %s" % (n, kind), (measure.memory(runs[2]) - base) * 2**20 / (n**3 / 2), "B"))


def pictures(bench, folder, line, asked):
    path = os.path.join(folder, "a.npy")
    np.save(path, smooth((4096, 4096)))
    bench.add(asked("persistent homology of 4096^2 pixels, smooth", wall(run(bench.build, folder, path, "topology.features.bins=2")), "s", 3, "asked"))
    n = PICTURES[bench.size]
    for i in range(n):
        np.save(os.path.join(folder, "p%d.npy" % i), smooth((512, 512), i).astype(np.float32))
    times = {}
    for ranks in (1, 2):
        summary = run(bench.build, folder, os.path.join(folder, "p*.npy"), "topology.features.bins=128", ranks=ranks)
        times[ranks] = sum(summary["phases"][p]["wall"]["value"] for p in ("diagrams", "features"))
    bench.add(asked("%d pictures of 512 x 512 with persistence images, 2 ranks" % n, times[2], "s", 60 * n / 800, "asked"))
    bench.add(line("speed-up of 2 ranks there", times[1] / times[2], "", 1.6, "asked"))


def bench(bench, out, line, asked):
    folder = os.path.join(out, "topology")
    os.makedirs(folder, exist_ok=True)
    volumes(bench, folder, line, asked)
    shared(bench, folder, line)
    pictures(bench, folder, line, asked)
    if bench.size == "full":
        large(bench, folder, asked)
