"""Peaks of spectra that are known: how often their number is found."""
import csv
import json
import os

import numpy as np

import support
from lines import Failed, bound, points, reference

PLANTED = ((3.0, 1.2, 1.0), (4.6, 1.4, 0.7), (7.2, 1.0, 0.9))  # position, full width at half maximum, height
NOISE, POINTS, SEEDS = 0.01, 80, 20
INPUT = """\
peaks: {file: '%s', width: [0.5, 3], most: 4, replicas: 28, burn: 300, sweeps: 500, seed: %d}
output: {folder: '%s'}
"""


def spectrum(path, seed):
    x = np.linspace(0, 10, POINTS)
    y = NOISE * np.random.default_rng(seed).standard_normal(POINTS)
    for at, width, height in PLANTED:
        y += height * np.exp(-4 * np.log(2) * ((x - at) / width)**2)
    np.savetxt(path, np.c_[x, y], delimiter=",", header="x,y", comments="")
    return x, y


def one(case, seed):
    """Free energies by number of peaks, the noise and the positions found."""
    folder = os.path.join(case.folder, "seed%d" % seed)
    os.makedirs(folder, exist_ok=True)
    data, file, out = (os.path.join(folder, name) for name in ("spectrum.csv", "peaks.yaml", "out"))
    spectrum(data, seed)
    with open(file, "w") as f:
        f.write(INPUT % (data, seed + 1, out))
    done = support.magtwin(case.build, "peaks", file, "--force", timeout=3600)
    if done.code != 0:
        raise Failed(str(done))
    with open(os.path.join(out, "models.csv"), newline="") as f:
        energy = [float(row["free_energy"]) for row in csv.DictReader(f)]
    with open(os.path.join(out, "summary.json")) as f:
        found = json.load(f)["peaks"]
    with open(os.path.join(out, "peaks.csv"), newline="") as f:
        return energy, found, [float(row["position"]) for row in csv.DictReader(f)]


def number_of_peaks(case):
    """Three peaks, two of which overlap, in 80 points with 1 % of noise that the program is not told: 20 spectra with different noise.

    From 1 to 4 peaks are tried; the number is that of the least free energy."""
    runs = [one(case, seed) for seed in range(SEEDS)]
    right = [found["number"] == len(PLANTED) for _, found, _ in runs]
    above = np.array([energy for energy, _, _ in runs])
    above -= above.min(1)[:, None]
    case.panel("peaks", "free energy above the least", *[points("spectrum %d" % (i + 1), range(1, 5), np.maximum(row, 0.1)) for i, row in enumerate(above)], ylog=True)
    x, y = spectrum(os.path.join(case.folder, "first.csv"), 0)
    clean = sum(h * np.exp(-4 * np.log(2) * ((x - at) / w)**2) for at, w, h in PLANTED)
    case.panel("x", "y", points("the first spectrum", x, y), reference("without noise", x, clean))
    source = "planted"
    far = max(abs(a - p[0]) for (_, found, at), good in zip(runs, right) if good for a, p in zip(at, PLANTED))
    return [bound("spectra of 20 with the planted number of peaks", float(sum(right)), "", 19, None, source),
            bound("noise found, mean over the true one", float(np.mean([found["noise"] for _, found, _ in runs]) / NOISE), "", 0.93, 1.07, source),
            bound("worst position", float(far), "", None, 0.2, source)]
