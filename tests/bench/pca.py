"""Part `pca` of the bench: 10 components of 800 samples of 16384 variables, from reading the file to the result."""
import json
import os

import h5py
import numpy as np

import measure
import support

ROWS, COLUMNS = 800, 16384


def table():
    """Forty patterns of falling weight, and noise."""
    rng = np.random.default_rng(1)
    patterns = rng.standard_normal((40, COLUMNS)) * np.exp(-np.arange(40) / 6)[:, None]
    return rng.standard_normal((ROWS, 40)) @ patterns + 0.3 * rng.standard_normal((ROWS, COLUMNS))


def seconds(build, folder, path, *more, ranks=1):
    text = os.path.join(folder, "in.yaml")
    with open(text, "w") as f:
        f.write("pca: {files: %s, datasets: [x], components: 10}\noutput: {folder: %s}\n" % (path, os.path.join(folder, "run")))
    done = support.magtwin(build, "pca", text, "--force", *more, ranks=ranks, timeout=600)
    if done.code != 0:
        raise measure.Failed(str(done))
    with open(os.path.join(folder, "run", "summary.json")) as f:
        phases = json.load(f)["phases"]
    return sum(phases[p]["wall"]["value"] for p in ("read", "components"))


def bench(bench, out):
    folder = os.path.join(out, "pca")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "table.h5")
    with h5py.File(path, "w") as f:
        f["x"] = table()
    for ranks, method in ((1, "gram"), (1, "svd"), (2, "gram")):
        name = "components of %d x %d, %s, %d rank%s, reading included" % (ROWS, COLUMNS, method, ranks, "s"[:ranks - 1])
        bench.at_most(name, seconds(bench.build, folder, path, "pca.method=" + method, ranks=ranks), "s", 3, "asked of this program")
