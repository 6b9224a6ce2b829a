"""Grain growth: grains that shrink and move at rates that are known."""
import math
import os

import h5py
import numpy as np

from lines import curve, reference, result
from tools import ROOT

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


def growth_junction(case):
    """The angles at triple junctions of boundaries with unequal energies.

    Two grains below, one above, side walls at a distance of a = 60 nm from the junction. The steady shape turns by theta = v a/(M sigma) between wall and
    junction, v its speed; Young's law: sigma_12 = 2 sigma sin(theta). The width of boundaries is 4.5 nm: what it does to the angle falls with it."""
    lines = []
    for ratio in ("0.6", "1", "1.5"):
        table = os.path.join(ROOT, "tests", "physics", "inputs", "boundaries_%s.csv" % ratio)
        t, v = volumes(case.run("evolve", "junction", "ratio_" + ratio, "phasefield.boundary.table=" + table))
        late = t >= 1600
        speed = np.polyfit(t[late], v[late, 0] / 120, 1)[0]
        wanted = 180 - 2 * math.degrees(math.asin(float(ratio) / 2))
        lines.append(result("angle of the upper grain, energies 1, 1, " + ratio, 180 - 2 * math.degrees(60 * speed), "deg", wanted, "Young's law", 1, absolute=True))
        case.panel("t (s)", "upper grain (nm$^2$)", curve("magtwin", t, v[:, 0]), title="1, 1, " + ratio)
    return lines


def von_neumann(case):
    """Grains of four and eight sides shrink and grow by pi/3 M sigma (n - 6), whatever their size.

    After 120 s, when the sharp start and its right angles have relaxed; the radius is about 11 widths of a boundary."""
    source = "W. W. Mullins, J. Appl. Phys. 27 (1956) 900; J. von Neumann, Metal Interfaces (1952) 108"
    lines = []
    for sides in (4, 8):
        formula = ("u = x - 75; v = y - 75; step(sqrt(u^2 + v^2) - 40)*(1 + min(%d, floor((atan2(v, u) + pi)/(2*pi)*%d)))" % (sides - 1, sides))
        t, v = volumes(case.run("evolve", "von_neumann", "sides_%d" % sides, "phasefield.initial_formula=" + formula))
        wanted = math.pi / 3 * (sides - 6)
        late = t >= 120
        rate = np.polyfit(t[late], v[late, 0], 1)[0]
        lines.append(result("%d sides: growth of the area" % sides, rate, "nm2/s", wanted, source, 0.03))
        case.panel("t (s)", "area (nm$^2$)", curve("magtwin", t, v[:, 0]),
                   reference("%.3f t" % wanted, [t[late][0], t[-1]], [v[late, 0][0], v[late, 0][0] + wanted * (t[-1] - t[late][0])]), title="%d sides" % sides)
    return lines
