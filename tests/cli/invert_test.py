#!/usr/bin/env python3
"""invert_test.py BUILD: magtwin invert as users call it: parameters of a twin from fields, arrays and pictures, by adjoint and by ensemble,
on two ranks, killed and continued; bad input."""
# timeout: 900
import csv
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
MODEL = """box: {size: [40, 40, 0], spacing: 2, periodic: xy}
phasefield:
  double_well: {height: 5, low: 0.3, high: 0.7}
  gradient_energy: 2e-18
  mobility: 5e-18
  initial_formula: 0.5 + 0.04*cos(2*pi*x/40)*cos(4*pi*y/40) + 0.03*sin(4*pi*x/40 + 1)
evolve: {end: 8 s, first_step: 0.1 s, tolerance: 1e-3, snapshots: [2, 4]}
"""
INVERT = """invert:
  snapshots: %s
  noise: 0.01
  parameters:
    - {name: phasefield.double_well.height, min: 1, max: 20}
    - {name: phasefield.double_well.high, min: 0.6, max: 0.9}
    - {name: phasefield.mobility, min: 1e-18, max: 1e-16}
"""
START = "phasefield.double_well.height=4", "phasefield.double_well.high=0.75", "phasefield.mobility=8e-18"
TRUTH = {"double_well.height": 5, "double_well.high": 0.7, "mobility": 5e-18}


def twin(folder):
    """Fields of the model with the true parameters."""
    out = os.path.join(folder, "truth")
    if not os.path.exists(out):
        done = support.magtwin(BUILD, "evolve", support.write(folder, MODEL, "truth.yaml"), "output.folder=" + out)
        check(done.code == 0, done)
    return os.path.join(out, "fields", "fields_*.h5")


def invert(folder, out, *overrides, ranks=1, code=0, seen=None, text=None):
    out = os.path.join(folder, out)
    path = support.write(folder, text or MODEL + INVERT % (seen or twin(folder)), "invert.yaml")
    done = support.magtwin(BUILD, "invert", path, "output.folder=" + out, *START, *overrides, ranks=ranks, timeout=300)
    check(done.code == code, done)
    return out if code == 0 else done


def parameters(out):
    with open(os.path.join(out, "parameters.csv"), newline="") as f:
        return {row["parameter"]: row for row in csv.DictReader(f)}


def close(out, relative, deviations=None):
    for name, row in parameters(out).items():
        error = abs(float(row["estimate"]) - TRUTH[name])
        check(error < relative * TRUTH[name], (name, row["estimate"]))
        check(not deviations or error < deviations * float(row["deviation"]), (name, row["estimate"], row["deviation"]))


def test_twin(folder):
    out = invert(folder, "out", "invert.taylor_test=true")
    close(out, 1e-3)
    with open(os.path.join(out, "taylor.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    step, rest = (np.array([float(row[name]) for row in rows]) for name in ("step", "remainder"))
    slope = np.log10(rest[0] / rest[-1]) / np.log10(step[0] / step[-1])
    check(step[0] / step[-1] > 9.9e3 and abs(slope - 2) < 0.05, slope)
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    check(summary["results"]["parameters"]["mobility"]["unit"] == "m5/(J s)", summary["results"])
    check(summary["counts"]["evaluations"] > 3 and summary["counts"]["linear_iterations"] > 10, summary["counts"])
    with h5py.File(os.path.join(out, "snapshots.h5")) as f:
        check(len(f["/observed"]) == 4 and abs(f["/observed/0004"][...] - f["/computed/0004"][...]).max() < 1e-3, "snapshots")
    drawn = support.magtwin(BUILD, "plot", out)
    check(drawn.code == 0 and all(os.path.getsize(os.path.join(out, "figures", n + ".png")) > 10000 for n in ("invert", "snapshots", "taylor")), drawn)
    two = invert(folder, "two", "invert.states=8", ranks=2)
    close(two, 1e-3)
    close(invert(folder, "quasi", "invert.method=blmvm"), 1e-2)


def write_png(path, c):
    """Gray, 16 bits, 0..1; the upper edge is the largest y."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    gray = (np.clip(c[::-1], 0, 1) * 65535).round().astype(">u2")
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", c.shape[1], c.shape[0], 16, 0, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in gray))) + chunk(b"IEND", b""))


def noisy_arrays(folder, noise):
    """The fields as .npy with noise of a seed; the last one as a picture of 16 bits instead."""
    seen = os.path.join(folder, "seen")
    os.makedirs(seen, exist_ok=True)
    random = np.random.default_rng(1)
    for k in (2, 3, 4):
        with h5py.File(os.path.join(folder, "truth", "fields", "fields_%04d.h5" % k)) as f:
            c = f["/c"][...].reshape(20, 20)
        c = c + noise * random.standard_normal(c.shape)
        c[3, 5:9] = np.nan if k == 2 else 7  # not seen; wrong, hidden by the mask
        if k == 4:
            write_png(os.path.join(seen, "s4.png"), c)
        else:
            np.save(os.path.join(seen, "s%d.npy" % k), c)
    mask = np.ones((20, 20))
    mask[3, 5:9] = 0
    np.save(os.path.join(folder, "mask.npy"), mask)
    return os.path.join(seen, "s*"), os.path.join(folder, "mask.npy")


def test_arrays(folder):
    twin(folder)
    seen, mask = noisy_arrays(folder, 0.01)
    out = invert(folder, "arrays", "invert.times=[2, 4, 8]", "invert.mask=" + mask, seen=seen)
    close(out, 0.03, deviations=3.5)
    with open(os.path.join(out, "summary.json")) as f:
        per_value = json.load(f)["results"]["misfit_per_value"]
    check(abs(per_value - 1) < 5 * np.sqrt(2 / 1188), per_value)
    done = invert(folder, "bad", seen=seen, code=2)
    check("has no time of its own" in done.err and "invert.yaml:" in done.err, done)
    done = invert(folder, "bad", "invert.times=[1, 2]", seen=seen, code=2)
    check("are 2, but invert.snapshots are 3 files" in done.err, done)
    done = invert(folder, "bad", "invert.times=[2, 4, 8]", "box.spacing=1", seen=seen, code=2)
    check("is 20 x 20 x 1 (x last), but the box has 1 x 40 x 40 nodes" in done.err, done)
    done = invert(folder, "bad", "box.spacing=1", code=2)
    check("nodes: the field is of another box" in done.err or "but the box" in done.err, done)
    check(not os.path.exists(os.path.join(folder, "bad", "parameters.csv")), "written")


def test_ensemble(folder):
    twin(folder)
    more = "invert.method=ensemble", "invert.members=20"
    tables = []
    for k in range(2):
        out = invert(folder, "ensemble%d" % k, *more, ranks=2)
        with open(os.path.join(out, "invert.csv")) as f:
            tables.append(f.read())
    close(out, 0.03)
    check(tables[0] == tables[1], "the same ranks, another result")
    done = invert(folder, "bad", *more, "invert.groups=2", code=2)
    check("2 groups cannot be made of 1 ranks" in done.err, done)


DIFFUSION = """box: {size: [15, 16, 0], spacing: 1, periodic: y}
phasefield: {model: diffusion, initial_formula: "exp(-(x/2)^2)"}
diffusion:
  media: [{D0: 5.8e-6, Q: 250 kJ/mol}, {D0: 2e-17, where: "2 - abs(y - 8)"}]
  fixed: [{at: x_min, c: 1}]
temperature: {time: [0, 4, 6], value: [1000, 1000, 1080]}
evolve: {end: 6 s, first_step: 0.02 s, tolerance: 1e-3, snapshots: [2, 4]}
"""


def test_diffusion(folder):
    """Lattice and boundary under a temperature program, by adjoint and by ensemble."""
    fields = os.path.join(folder, "layers")
    done = support.magtwin(BUILD, "evolve", support.write(folder, DIFFUSION, "layers.yaml"), "output.folder=" + fields)
    check(done.code == 0, done)
    sought = [("diffusion.media[0].Q", 200e3, 300e3, 255e3, 250e3), ("diffusion.media[1].D0", 1e-18, 1e-15, 4e-17, 2e-17)]
    text = DIFFUSION + "invert: {snapshots: '%s', noise: 0.01, parameters: [%s]}\n" % (
        os.path.join(fields, "fields", "fields_*.h5"), ", ".join("{name: '%s', min: %g, max: %g}" % row[:3] for row in sought))
    path, start = support.write(folder, text, "seek.yaml"), ["%s=%g" % (row[0], row[3]) for row in sought]
    for ranks, method in (2, "gauss_newton"), (1, "ensemble"):
        out = os.path.join(folder, "diffusion_" + method)
        done = support.magtwin(BUILD, "invert", path, "output.folder=" + out, "invert.method=" + method, *start, ranks=ranks, timeout=300)
        check(done.code == 0, done)
        for key, _, _, _, truth in sought:
            row = parameters(out)[key.split(".", 1)[1]]
            check(abs(float(row["estimate"]) - truth) < (1e-3 if method == "gauss_newton" else 0.02) * truth, (method, row))
    for old, new, words in [("media[0].Q", "media[2].Q", "there are 2 entries, counted from 0"), ("min: 1e-18", "min: 0", "must be > 0"),
                            ("diffusion.media[0].Q", "phasefield.mobility", "is no number of this model")]:
        done = support.magtwin(BUILD, "invert", support.write(folder, text.replace(old, new), "bad.yaml"), "output.folder=" + os.path.join(folder, "bad"))
        check(done.code == 2 and words in done.err and "bad.yaml:" in done.err, done)


KKS = """box: {size: [15, 15, 0], spacing: 1}
phasefield: {model: kks, initial_formula: "0.5*(1 - tanh((sqrt(x^2 + y^2) - 6)/1.5))"}
kks:
  interface_energy: 0.02
  interface_width: 1.5
  rate: 2e-8
  initial_c: "p = 0.5*(1 - tanh((sqrt(x^2 + y^2) - 6)/1.5)); 0.6*p + 0.4*(1 - p)"
  phases: [{curvature: 1e8, minimum: 0.2, D0: 1e-17}, {curvature: 1e8, minimum: 0.6, D0: 1e-18}]
evolve: {end: 2 s, first_step: 0.01 s, tolerance: 1e-3, snapshots: [0.5, 1]}
"""
GROWTH = """box: {size: [30, 30, 0], spacing: 2}
phasefield: {model: grain_growth, boundary: {energy: 0.04, mobility: 1e-15, width: 10}, initial_formula: step(22 - sqrt(x^2 + y^2))}
evolve: {end: 3 s, first_step: 0.05 s, tolerance: 1e-3, snapshots: [1]}
"""
WETTED = """box: {size: [20, 20, 0], spacing: 1}
phasefield: {model: cahn_hilliard, double_well: {height: 9e8}, gradient_energy: 3.6e-9, mobility: 1e-26, initial_formula: 0.5*(1 - tanh((sqrt(x^2 + (y - 10)^2) - 7)/2))}
wetting: {energy: 0.3, grains: step(y - 10)}
evolve: {end: 20 s, first_step: 0.1 s, tolerance: 2e-3, snapshots: [5]}
"""


def test_forward_only(folder):
    """An ensemble finds a number of each model without an adjoint; other methods refuse it."""
    for name, model, key, low, start, truth, high, field in [
            ("kks", KKS, "kks.phases[0].D0", 1e-18, 2e-17, 1e-17, 1e-16, "phi"),
            ("growth", GROWTH, "phasefield.boundary.mobility", 1e-16, 5e-16, 1e-15, 1e-14, "sum_eta2"),
            ("wetting", WETTED, "wetting.energy", 0.05, 0.2, 0.3, 1, "c")]:
        fields = os.path.join(folder, name)
        done = support.magtwin(BUILD, "evolve", support.write(folder, model, name + ".yaml"), "output.folder=" + fields)
        check(done.code == 0, done)
        text = model + "invert: {snapshots: '%s', observed: %s, noise: 0.005, method: ensemble, members: 8, parameters: [{name: '%s', min: %g, max: %g}]}\n" % (
            os.path.join(fields, "fields", "fields_*.h5"), field, key, low, high)
        path, out = support.write(folder, text, name + "_seek.yaml"), os.path.join(folder, name + "_out")
        done = support.magtwin(BUILD, "invert", path, "output.folder=" + out, "%s=%g" % (key, start), timeout=300)
        check(done.code == 0, done)
        row = parameters(out)[key.split(".", 1)[1]]
        check(abs(float(row["estimate"]) - truth) < 0.03 * truth, row)
        bad = support.write(folder, text.replace("method: ensemble, members: 8, ", ""), "bad.yaml")
        done = support.magtwin(BUILD, "invert", bad, "output.folder=" + os.path.join(folder, "bad"))
        check(done.code == 2 and "use ensemble" in done.err, done)
    for more, words in ("invert.observed=phi", "is phi, which cahn_hilliard does not have"), ("invert.parameters[0].name=wetting.pairs", "cannot be sought"):
        done = support.magtwin(BUILD, "invert", path, "output.folder=" + os.path.join(folder, "bad"), more)
        check(done.code == 2 and words in done.err, done)
    check(not os.path.exists(os.path.join(folder, "bad", "invert.csv")), "written")


def test_continued(folder):
    """Killed in the middle, then continued: the estimate of the run that was left alone."""
    for method, members in (("gauss_newton", ()), ("ensemble", ("invert.method=ensemble", "invert.members=12"))):
        out = os.path.join(folder, method)
        path = support.write(folder, MODEL + INVERT % twin(folder), "invert.yaml")
        words = [os.path.join(BUILD, "magtwin"), "invert", path, "output.folder=" + out, *START, *members]
        run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=support.environment(), start_new_session=True)
        table = os.path.join(out, "invert.csv")
        while run.poll() is None and not (os.path.exists(os.path.join(out, "checkpoint.h5.prev")) and os.path.exists(table)):
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
        lines = open(table).read().count("\n")
        done = support.magtwin(BUILD, *words[1:], "--resume", timeout=300)
        check(done.code == 0 and "going on from the checkpoint" in done.out, done)
        check(open(table).read().count("\n") > lines, "nothing was added")
        close(out, 1e-3 if method == "gauss_newton" else 0.03)
        done = support.magtwin(BUILD, *words[1:], "invert.noise=0.02", "--resume")
        check(done.code == 2 and "another input" in done.err, done)


def test_not_fixed(folder):
    """c depends on two products of height, mobility and gradient energy: one combination of the three is free, and that is said."""
    text = (MODEL + INVERT % twin(folder)).replace("double_well.high, min: 0.6, max: 0.9", "gradient_energy, min: 5e-19, max: 8e-18")
    path, out = support.write(folder, text, "free.yaml"), os.path.join(folder, "free")
    done = support.magtwin(BUILD, "invert", path, "output.folder=" + out, "phasefield.mobility=6e-18", "invert.iterations=4", timeout=300)
    check(done.code == 0 and "hardly fix one combination" in done.err, done)


def test_bad_input(folder):
    text = MODEL + INVERT % twin(folder)
    for old, new, words in [("min: 1, max: 20", "max: 20", "min"), ("min: 1, max: 20", "min: 6, max: 20", "begins at 4, outside of 6 .. 20"),
                            ("double_well.high", "double_well.hight", "cannot be sought"), ("phasefield.mobility,", "phasefield.rate,", "is no number of this model"),
                            ("min: 0.6, max: 0.9", "min: 0.2, max: 0.9", "the double well meet"), ("min: 1e-18", "min: 0", "must be > 0"),
                            ("phasefield.double_well.high,", "phasefield.double_well.height,", "given twice"), ("noise: 0.01", "noise: 0", "noise")]:
        done = invert(folder, "bad", code=2, text=text.replace(old, new) if "high," not in old else text.replace(old + " min: 0.6, max: 0.9", new + " min: 1, max: 20"))
        check(words in done.err and "invert.yaml:" in done.err, (new, str(done)))


if __name__ == "__main__":
    sys.exit(support.run_tests([("a twin", test_twin), ("arrays with noise and a mask", test_arrays), ("an ensemble", test_ensemble),
                                ("diffusion", test_diffusion), ("models without an adjoint", test_forward_only),
                                ("killed and continued", test_continued), ("a combination that is not fixed", test_not_fixed),
                                ("bad input", test_bad_input)]))
