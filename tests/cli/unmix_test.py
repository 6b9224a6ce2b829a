#!/usr/bin/env python3
"""unmix_test.py BUILD: magtwin unmix as users call it: planted components come back, on any number of ranks; bad input, figures."""
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


def unmix(folder, file, *more, ranks=1, out="out", code=0):
    path = os.path.join(folder, "in.yaml")
    with open(path, "w") as f:
        f.write("unmix: {file: '%s', components: 3}\noutput: {folder: %s}\n" % (os.path.join(folder, file), os.path.join(folder, out)))
    r = support.magtwin(BUILD, "unmix", path, *more, ranks=ranks)
    check(r.code == code, r)
    return r, os.path.join(folder, out)


def result(out):
    with h5py.File(os.path.join(out, "unmix.h5")) as f:
        maps, spectra = f["maps"][:], f["spectra"][:]
    with open(os.path.join(out, "summary.json")) as f:
        return maps, spectra, json.load(f)["unmix"]


def planted(noise=0.02):
    """Three phases that do not overlap, of uneven brightness, with spectra that do; background between them of none."""
    rng = np.random.default_rng(4)
    e = np.arange(80)
    peak = lambda at, width: np.exp(-0.5 * ((e - at) / width)**2)
    spectra = np.array([peak(20, 6) + 0.5 * peak(55, 5), peak(30, 7), peak(45, 9) + 0.3 * peak(20, 6)])
    spectra /= np.linalg.norm(spectra, axis=1)[:, None]
    maps = np.zeros((24, 30, 3))
    maps[2:12, 3:14, 0], maps[8:22, 16:28, 1], maps[15:23, 2:13, 2] = 1, 1, 1
    maps *= 4 * (0.5 + rng.random((24, 30, 1)))
    x = maps @ spectra + noise * np.abs(rng.standard_normal((24, 30, 80)))
    return maps.reshape(-1, 3), spectra, x


def check_recovered(maps, spectra, true_maps, true_spectra, name):
    match = [int(np.argmax(true_spectra @ s)) for s in spectra]
    check(sorted(match) == [0, 1, 2], (name, match))
    check(all(true_spectra[m] @ s > 0.999 for m, s in zip(match, spectra)), (name, "spectra"))
    inside = true_maps.sum(1) > 0
    check((np.array(match)[maps.argmax(1)] == true_maps.argmax(1))[inside].all(), (name, "supports"))


def test_planted(folder):
    true_maps, true_spectra, x = planted()
    np.save(os.path.join(folder, "x.npy"), x)
    np.save(os.path.join(folder, "list.npy"), x.reshape(-1, 80))
    with h5py.File(os.path.join(folder, "x.h5"), "w") as f:
        f["counts"] = x
    first = None
    for n, (file, more, ranks) in enumerate((("x.npy", (), 1), ("x.npy", (), 2), ("list.npy", (), 3), ("x.h5", ("unmix.dataset=/counts",), 2))):
        _, out = unmix(folder, file, *more, ranks=ranks, out="o%d" % n)
        maps, spectra, summary = result(out)
        check_recovered(maps, spectra, true_maps, true_spectra, (file, ranks))
        # what noise there is, and in every pixel one component but for it
        check(summary["residual"] < 0.05 and summary["overlap"] < 1e-12, summary)
        inside = true_maps.sum(1) > 0
        rest = np.sort(maps[inside], 1)
        check((rest[:, 1] == 0).all(), (file, "one component a pixel", rest[:, 1].max()))
        first = first if first is not None else maps
        check(np.allclose(maps, first, atol=1e-6 * first.max()), (file, ranks))
    r = support.magtwin(BUILD, "plot", out)
    true_maps, _, x = planted(0)  # without noise the supports come back to the last pixel
    np.save(os.path.join(folder, "x.npy"), x)
    maps, _, summary = result(unmix(folder, "x.npy", out="exact")[1])
    check(summary["overlap"] < 1e-12 and summary["residual"] < 1e-7, summary)
    check(((maps > 0).sum(0) == [(m > 0).sum() for m in sorted(true_maps.T, key=lambda m: -(m**2).sum())]).all(), "supports")
    check(r.code == 0 and os.path.getsize(os.path.join(out, "figures", "unmix.png")) > 10000, r)


def test_orthogonal_spectra(folder):
    """The same of the other side: spectra without a common channel, maps that overlap."""
    true_maps, true_spectra, x = planted(0)
    swapped = (x.reshape(-1, 80) + 0.0).T.reshape(8, 10, -1)  # pixels become channels
    np.save(os.path.join(folder, "x.npy"), swapped)
    _, out = unmix(folder, "x.npy", "unmix.orthogonal=spectra", ranks=2)
    maps, spectra, summary = result(out)
    check(summary["overlap"] < 1e-12 and summary["residual"] < 1e-6, summary)
    match = [int(np.argmax(true_maps.T @ s / np.linalg.norm(true_maps, axis=0))) for s in spectra]
    check(sorted(match) == [0, 1, 2], match)


def test_bad_input(folder):
    _, _, x = planted()
    x[3, 4, 5] = -1
    np.save(os.path.join(folder, "x.npy"), x)
    r, _ = unmix(folder, "x.npy", ranks=2, code=2)
    check("x.npy: pixel 94, channel 5 is -1" in r.err, r)
    unmix(folder, "x.npy", "unmix.negative=clip", "unmix.starts=1", out="clip")
    x[3, 4, 5] = np.nan
    np.save(os.path.join(folder, "x.npy"), x)
    r, _ = unmix(folder, "x.npy", code=2, out="nan")
    check("x.npy: pixel 94, channel 5 is not a finite number" in r.err, r)
    np.save(os.path.join(folder, "x.npy"), np.ones((2, 1, 9)))
    r, _ = unmix(folder, "x.npy", code=2, ranks=2, out="few")
    check("at most 2 components" in r.err, r)


if __name__ == "__main__":
    sys.exit(support.run_tests([(f.__name__[5:], f) for f in (test_planted, test_orthogonal_spectra, test_bad_input)]))
