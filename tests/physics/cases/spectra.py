"""Peaks of spectra that are known: how often their number is found."""
import csv
import json
import os

import numpy as np

import support
from lines import Failed, bound, level, points, reference

PLANTED = ((3.0, 1.2, 1.0), (4.6, 1.4, 0.7), (7.2, 1.0, 0.9))  # position, full width at half maximum, height
NOISE, POINTS, SEEDS = 0.01, 80, 20
FRESH, DRAWN = 301, 201  # the noise and the prior of the heights were chosen with seeds 0 to 19, the length of the runs with 101 to 120: these are others, run once
INPUT = """\
peaks: {file: '%s', width: [0.5, 3], most: %d, seed: %d}
output: {folder: '%s'}
"""


def spectrum(path, seed, planted=PLANTED):
    x = np.linspace(0, 10, POINTS)
    y = NOISE * np.random.default_rng(seed).standard_normal(POINTS)
    for at, width, height in planted:
        y += height * np.exp(-4 * np.log(2) * ((x - at) / width)**2)
    np.savetxt(path, np.c_[x, y], delimiter=",", header="x,y", comments="")
    return x, y


def one(case, seed, planted=PLANTED, most=4):
    """The models by number of peaks, what the summary says, and the positions found."""
    folder = os.path.join(case.folder, "seed%d" % seed)
    os.makedirs(folder, exist_ok=True)
    data, file, out = (os.path.join(folder, name) for name in ("spectrum.csv", "peaks.yaml", "out"))
    spectrum(data, seed, planted)
    with open(file, "w") as f:
        f.write(INPUT % (data, most, seed + 1, out))
    done = support.magtwin(case.build, "peaks", file, "--force", timeout=3600)
    if done.code != 0:
        raise Failed(str(done))
    with open(os.path.join(out, "models.csv"), newline="") as f:
        models = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(f)]
    with open(os.path.join(out, "summary.json")) as f:
        found = json.load(f)["peaks"]
    with open(os.path.join(out, "peaks.csv"), newline="") as f:
        return models, found, [float(row["position"]) for row in csv.DictReader(f)]


def same_peaks(runs, name):
    """The number, the noise and the positions of 20 spectra that differ in their noise alone."""
    right = [found["number"] == len(PLANTED) for _, found, _ in runs]
    far = max((abs(a - p[0]) for (_, _, at), good in zip(runs, right) if good for a, p in zip(at, PLANTED)), default=np.inf)
    return [bound("%s: spectra of 20 with the planted number of peaks" % name, float(sum(right)), "", 19, None, "planted"),
            bound("%s: noise found, mean over the true one" % name, float(np.mean([found["noise"] for _, found, _ in runs]) / NOISE), "", 0.93, 1.07, "planted"),
            bound("%s: worst position" % name, float(far), "", None, 0.2, "planted")]


def draw(seed):
    """One to four peaks anywhere, as wide and high as they happen to be: some lie under others and cannot be told apart."""
    rng = np.random.default_rng(1000 + seed)
    return [(rng.uniform(1, 9), float(np.exp(rng.uniform(np.log(0.5), np.log(3)))), rng.uniform(0.1, 1)) for _ in range(1 + seed % 4)]


def drawn_peaks(case):
    """Whether the program knows how sure it is: how often the number of peaks is right beside how often its probabilities say so.

    20 spectra of 1 to 4 peaks of any position, width and height, in which 1 to 5 are tried: some lie under others and cannot be told apart."""
    stated, right = [], []
    for seed in range(DRAWN, DRAWN + SEEDS):
        planted = draw(seed)
        models, found, _ = one(case, seed, planted, 5)
        stated.append([m["probability"] for m in models])
        right.append(found["number"] == len(planted))
    top = np.max(stated, 1)
    case.panel("stated probability of the number found", "it is the planted one", points("20 spectra", top, right))
    expected, spread = top.sum(), np.sqrt((top * (1 - top)).sum())
    return [bound("1 to 4 peaks drawn at random: spectra of 20 with the planted number", float(sum(right)), "", float(expected - 2 * spread), float(expected + 2 * spread),
                  "the stated probabilities, two standard deviations")]


def number_of_peaks(case):
    """Three peaks, two of which overlap, in 80 points with 1 % of noise that the program is not told: 20 spectra with different noise, and 20 more.

    From 1 to 4 peaks are tried; the number is that of the least free energy. The noise and the prior of the heights were chosen with the first 20 seeds; the second 20 were
    run once, after that."""
    known, fresh = ([one(case, seed) for seed in range(first, first + SEEDS)] for first in (0, FRESH))
    gaps = lambda runs: [models[3]["free_energy"] - models[2]["free_energy"] for models, _, _ in runs]
    case.panel("spectrum", "free energy of 4 peaks over that of 3", points("seeds of the choice", range(1, SEEDS + 1), gaps(known)), points("fresh seeds", range(1, SEEDS + 1), gaps(fresh)),
               level("equal", 0))
    x, y = spectrum(os.path.join(case.folder, "first.csv"), 0)
    clean = sum(h * np.exp(-4 * np.log(2) * ((x - at) / w)**2) for at, w, h in PLANTED)
    case.panel("x", "y", points("the first spectrum", x, y), reference("without noise", x, clean))
    return same_peaks(known, "seeds of the choice") + same_peaks(fresh, "fresh seeds")
