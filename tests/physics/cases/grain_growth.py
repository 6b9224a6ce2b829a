"""Grain growth: grains that shrink and move at rates that are known."""
import math
import os

import h5py
import numpy as np

from lines import curve, reference, result

MULLINS = "W. W. Mullins, J. Appl. Phys. 27 (1956) 900"


def volumes(folder):
    """Times of the fields kept, and the volume of every grain at each."""
    where = os.path.join(folder, "fields")
    times, values = [], []
    for name in sorted(os.listdir(where)):
        if name.endswith(".h5"):
            with h5py.File(os.path.join(where, name), "r") as f:
                times.append(float(np.ravel(f.attrs["t_s"])[0]))
                values.append(np.ravel(f["/grains/volume"][...]))
    return np.array(times), np.array(values)


def line_of(case, name, t, value, unit, wanted, start, source, tolerance, ylabel):
    """The fall of `value` after the sharp start has become a profile, by least squares."""
    t, value = t[t >= start], value[t >= start]
    case.panel("t (s)", ylabel, curve("magtwin", t, value),
               reference("%.4g t" % -wanted, [t[0], t[-1]], [value[0], value[0] - wanted * (t[-1] - t[0])]), title=name)
    return result(name, -np.polyfit(t, value, 1)[0], unit, wanted, source, tolerance)


def growth_shrinking(case):
    """A circle and a sphere of one grain that shrink, and a half loop that draws back.

    M sigma = 1 nm2/s; R^2 = R0^2 - 2 (d - 1) M sigma t; a half loop of width a moves by pi M sigma/a, half of it is computed."""
    t, v = volumes(case.run("evolve", "growth", "circle"))
    lines = [line_of(case, "circle: fall of R^2", t, 4 / math.pi * v[:, 1], "nm2/s", 2, 20, MULLINS, 0.01, "R$^2$ (nm$^2$)")]
    t, v = volumes(case.run("evolve", "growth", "sphere", "box.size=[30 nm, 30 nm, 30 nm]", "evolve.end=40 s", "evolve.snapshot_interval=4 s",
                            "phasefield.initial_formula=step(24 - sqrt(x^2 + y^2 + z^2))"))
    lines.append(line_of(case, "sphere: fall of R^2", t, (6 / math.pi * v[:, 1])**(2 / 3), "nm2/s", 4, 8, MULLINS, 0.01, "R$^2$ (nm$^2$)"))
    t, v = volumes(case.run("evolve", "growth", "loop", "box.size=[90 nm, 30 nm, 0 nm]", "evolve.end=300 s",
                            "phasefield.initial_formula=step(x - 15)*step(15 - y)"))
    lines.append(line_of(case, "half loop: speed", t, v[:, 1] / 15, "nm/s", math.pi / 30, 60, MULLINS + ": a steady loop", 0.01, "length (nm)"))
    return lines
