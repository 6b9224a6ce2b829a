#!/usr/bin/env python3
"""Made-up spectra with a known answer, to try `magtwin peaks` and `magtwin unmix` on; no measurement.

    python3 inputs/spectra.py      # out/spectra/spectrum.csv: three peaks on a constant; out/spectra/spectra.npy: three phases

peaks should find 3 of them, at 3.0, 4.4 and 7.2, full widths 1.2, 1.0 and 1.6; unmix the three blocks of the map.
"""
import os

import numpy as np

FOLDER = os.path.join("out", "spectra")


def spectrum(random):
    x = np.linspace(0, 10, 120)
    y = 0.2 + 0.03 * random.standard_normal(len(x))
    for at, width, height in ((3.0, 1.2, 1.0), (4.4, 1.0, 0.6), (7.2, 1.6, 0.8)):
        y += height * np.exp(-4 * np.log(2) * ((x - at) / width)**2)
    return np.c_[x, y]


def phases(random):
    """24 x 30 pixels, 80 channels: blocks of three phases of uneven brightness, whose spectra overlap, and nothing between them."""
    channel = np.arange(80)
    peak = lambda at, width: np.exp(-0.5 * ((channel - at) / width)**2)
    spectra = np.array([peak(20, 6) + 0.5 * peak(55, 5), peak(30, 7), peak(45, 9) + 0.3 * peak(20, 6)])
    maps = np.zeros((24, 30, 3))
    maps[2:12, 3:14, 0], maps[8:22, 16:28, 1], maps[15:23, 2:13, 2] = 1, 1, 1
    return maps * (0.5 + random.random((24, 30, 1))) @ spectra + 0.005 * np.abs(random.standard_normal((24, 30, 80)))


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    np.savetxt(os.path.join(FOLDER, "spectrum.csv"), spectrum(np.random.default_rng(3)), delimiter=",", header="x,y", comments="", fmt="%.5f")
    np.save(os.path.join(FOLDER, "spectra.npy"), phases(np.random.default_rng(4)))
    print("wrote %s: spectrum.csv, spectra.npy" % FOLDER)
