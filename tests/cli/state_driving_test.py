#!/usr/bin/env python3
"""state_driving_test.py BUILD: bulk energies of grains from a state of magtwin demag: its own energies by grain, K1 sin^2 of grains that all point along z,
any number of ranks; what is refused."""
# timeout: 300
import os
import sys

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from _evolve import Evolve, table
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
MAGNET = """grains: {source: generated, count: 4, seed: 3, box: [24 nm, 24 nm, 24 nm], texture_spread: 25 deg}
mesh: {size: 4 nm, gb: {thickness: 2 nm}}
materials: {grain: Nd2Fe14B, gb: nonmagnetic}
field: {direction: [0.02, 0.01, 1], start: 3 T, segments: [{to: 2 T, step: 1 T, mode: fixed}]}
"""
GROWTH = """mesh: {file: %s}
materials: {grain: Nd2Fe14B, gb: nonmagnetic}
phasefield:
  model: grain_growth
  boundary: {energy: 0.6 J/m2, mobility: 1e-18 m4/(J s), width: 20 nm}
  initial: regions
evolve: {end: 2 s, first_step: 0.05 s, tolerance: 2e-3}
"""
JS, K1, MU0 = 1.61, 4.3e6, 1.25663706212e-6  # Nd2Fe14B of the library


def magnet(folder):
    """A curve of two fields, all states kept."""
    out = os.path.join(folder, "magnet")
    if not os.path.exists(out):
        done = support.magtwin(BUILD, "demag", support.write(folder, MAGNET), "output.folder=" + out, "output.states=all")
        check(done.code == 0, done)
    return out


def test_energies(folder):
    """The grains' energies add up to those of the curve (twice that of the stray field: each grain lies in the field of all), on one and on two ranks."""
    out = magnet(folder)
    with open(os.path.join(out, "curve.csv")) as f:
        names, row = f.readline().strip().split(","), [float(v) for v in f.readline().split(",")]
    curve = dict(zip(names, row))
    runs = Evolve(BUILD, GROWTH % os.path.join(out, "mesh.h5"))
    state = "phasefield.driving.state=" + os.path.join(out, "states", "state_0001.h5")
    for ranks in 1, 2:
        done = runs.run(folder, "energies_%d" % ranks, state, ranks=ranks)
        e, t = table(done, "driving.csv"), table(done)
        volume = e["volume_nm3"]
        check(list(e["grain"]) == [0, 1, 2, 3] and np.allclose(e["energy"], e["anisotropy"] + e["zeeman"] + e["stray"], rtol=1e-8), e)
        for name, share in (("anisotropy", 1), ("zeeman", 1), ("stray", 2)):
            key = {"anisotropy": "e_anisotropy_J/m3", "zeeman": "e_zeeman_J/m3", "stray": "e_demag_J/m3"}[name]
            check(abs((volume * e[name]).sum() / (share * curve[key] * 24**3) - 1) < 1e-7, (name, (volume * e[name]).sum(), curve[key] * 24**3))
        with h5py.File(os.path.join(done, "fields", "fields_0001.h5")) as f:
            v = f["/grains/volume"][...].ravel()
        wanted = (v * (e["energy"] - e["energy"].min())).sum() / v.sum()
        check(abs(t["f_driving_J/m3"][0] / wanted - 1) < 1e-6 and (np.diff(t["f_total_J/m3"]) <= 0).all(), (t["f_driving_J/m3"][0], wanted))


def test_single_domains(folder):
    """All of m along z, without stray field: K1 sin^2 of the angle to each c axis, and -Js B_z/mu0; on a box with as many grains too."""
    out = magnet(folder)
    state = os.path.join(folder, "along_z.h5")
    with open(os.path.join(out, "states", "state_0001.h5"), "rb") as a, open(state, "wb") as b:
        b.write(a.read())
    with h5py.File(state, "r+") as f:
        m = f["/m"][...]
        m[np.linalg.norm(m, axis=1) > 0.5] = [0, 0, 1]
        f["/m"][...] = m
        field = np.ravel(f.attrs["field_T"])[2]
    with h5py.File(os.path.join(out, "mesh.h5")) as f:
        c = f["/grains/axis"][...][:, 2]
    keys = ["phasefield.driving.state=" + state, "demagnetizing.enabled=false"]
    done = Evolve(BUILD, GROWTH % os.path.join(out, "mesh.h5")).run(folder, "z", *keys)
    e = table(done, "driving.csv")
    check(np.allclose(e["anisotropy"], K1 * (1 - c**2), rtol=1e-8) and (1 - c**2).max() > 0.05, (e["anisotropy"], K1 * (1 - c**2)))
    check(np.allclose(e["zeeman"], -JS * field / MU0, rtol=1e-8) and (e["stray"] == 0).all(), e)
    box = (GROWTH % "none").replace("mesh: {file: none}", "box: {size: [40, 40, 0], spacing: 1}").replace("initial: regions", 'initial_formula: "floor(x/20.1) + 2*floor(y/20.1)"').replace("20 nm", "5 nm")
    mesh = "phasefield.driving.mesh=" + os.path.join(out, "mesh.h5")
    t = table(Evolve(BUILD, box).run(folder, "box", mesh, *keys))
    check(0 < t["f_driving_J/m3"][0] < K1 * (c**2).max() and (np.diff(t["f_total_J/m3"]) <= 0).all(), t["f_driving_J/m3"])
    for text, overrides, words in ((box, keys, "phasefield.driving.mesh has to name it"), (box, [mesh], "of no use without"),
                                   (box.replace("floor(x/20.1) +", "floor(x/10.1) +"), [mesh] + keys, "has no energy of grain 4: its mesh has 4 grains"),
                                   (box.replace("materials: {grain: Nd2Fe14B, gb: nonmagnetic}\n", ""), [mesh] + keys, "needs section materials"),
                                   (box.replace("gb: nonmagnetic}", "gb: nonmagnetic, assign: [{region: grain 2, material: nonmagnetic}]}"), [mesh] + keys, "has no polarization in section materials"),
                                   (box, [mesh] + keys + ["phasefield.driving.field=[0, 0, 1]", "phasefield.driving.polarization=1 T"], "is in the state already"),
                                   (box, [mesh] + keys + ["phasefield.boundary.width=90 nm", "phasefield.boundary.energy=0.001"], "thinner ones")):
        bad = Evolve(BUILD, text).run(folder, "bad", *overrides, code=2)
        check(words in bad.err and not os.path.exists(os.path.join(folder, "bad", "evolve.csv")), (overrides, str(bad)))


if __name__ == "__main__":
    sys.exit(support.run_tests([("energies of a state", test_energies), ("single domains", test_single_domains)]))
