"""Grain growth: grains that shrink and move at rates that are known."""
import math
import os

import h5py
import numpy as np

from cases.phase_field import read_evolve
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


PROGRAM = ((0, 100, 200, 300), (1100, 1300, 1300, 1000))  # s, K


def warmth(t, Q):
    """int of exp(-Q/RT) over that at 1300 K, from 0 to each t."""
    fine = np.linspace(0, PROGRAM[0][-1], 30001)
    factor = np.exp(-Q / 8.31446261815324 * (1 / np.interp(fine, *PROGRAM) - 1 / 1300))
    return np.interp(t, fine, np.concatenate(([0], np.cumsum(0.5 * (factor[1:] + factor[:-1]) * np.diff(fine)))))


def growth_heated(case):
    """Circles that shrink while they are heated, held and cooled: one grain in another, and an order parameter of Allen and Cahn.

    From 1100 to 1300 K in 100 s, held for 100 s, to 1000 K in 100 s; mobilities with Q = 150 kJ/mol. R^2 falls by 2 int M sigma dt (int L kappa dt), the integral by
    the trapezoidal rule; the grain's from 100 s on, when its sharp start has become a profile."""
    Q, lines = 1.5e5, []
    at_1300 = math.exp(Q / 8.31446261815324 / 1300)
    heated = ["temperature={time: [%s], value: [%s]}" % tuple(", ".join(map(str, row)) for row in PROGRAM), "phasefield.activation=150 kJ/mol", "evolve.end=300 s"]
    t, v = volumes(case.run("evolve", "growth", "grain", "phasefield.boundary.mobility=%.17g" % (1e-18 * at_1300), "evolve.snapshot_interval=10 s", *heated))
    field = read_evolve(case.run("evolve", "shrinking", "field", "phasefield.rate=%.17g" % at_1300, *heated))
    for name, t, r2, wanted, start in (("grain", t, 4 / math.pi * v[:, 1], 2 * warmth(t, Q), 100),
                                       ("Allen-Cahn", field["t_s"], 4 / math.pi * 60**2 * field["fraction"], 4 * warmth(field["t_s"], Q), 0)):
        late = t >= start
        r2, t, wanted = r2[late], t[late], wanted[late] - wanted[late][0]
        lines.append(result("%s: fall of R^2" % name, r2[0] - r2[-1], "nm2", wanted[-1], MULLINS + "; S. Arrhenius, Z. Phys. Chem. 4 (1889) 226", 0.01))
        lines.append(result("%s: largest distance from it" % name, float(np.abs(r2[0] - r2 - wanted).max()), "nm2", 0, "the same, at all times", 0.01 * wanted[-1]))
        case.panel("t (s)", "R$^2$ (nm$^2$)", curve("magtwin", t, r2), reference("R$_0^2$ - 2 int", t, r2[0] - wanted), title=name)
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


MU0 = 1.25663706212e-6  # T m/A


def ball_in_field(r, curvature, pressure, times):
    """r(t) of dr/dt = pressure - curvature/r, by Runge and Kutta's method."""
    def rate(x):
        return pressure - curvature / x
    out, t = [], 0.0
    for end in times:
        n = max(1, int(math.ceil((end - t) / 0.05)))
        h = (end - t) / n
        for _ in range(n):
            a = rate(r)
            b = rate(r + h / 2 * a)
            c = rate(r + h / 2 * b)
            r += h / 6 * (a + 2 * b + 2 * c + rate(r + h * c))
        out.append(r)
        t = end
    return np.array(out)


def driven_boundaries(case):
    """Boundaries between a grain with its c axis along a magnetic field and one with it across.

    Pressures of 1.27, 0.77 and 0.89 MJ/m3 (Js 0.8 T in 2 T; the same with K1 = 0.8 MJ/m3, where Js of the other grain turns by 53 degrees; a difference of
    susceptibilities of 0.14 in 4 T); M = 1e-15 m4/(J s), cells of 5 nm. In circles, pressure and curvature (0.5 J/m2) act together: above R = sigma/p = 393 nm they grow;
    the smaller one is followed to R = 200 nm, five widths of its boundary."""
    source = "v = M p: D. A. Molodov et al., Acta Mater. 46 (1998) 5627"
    saturated, lines = 0.8 * 2 / MU0, []
    chi = ["phasefield.driving.field=[0, 0, 4 T]", "phasefield.driving.polarization=0 T", "phasefield.driving.susceptibility=0.14"]
    runs = [("Js, width %d nm" % w, saturated, ["phasefield.boundary.width=%d nm" % w]) for w in (40, 60, 80)]
    runs.append(("Js against K1", saturated - saturated**2 / (4 * 0.8e6), ["phasefield.driving.anisotropy=0.8e6 J/m3"]))
    runs.append(("susceptibility", 0.14 * 4**2 / (2 * MU0), chi))
    for name, pressure, changes in runs:
        t, v = volumes(case.run("evolve", "driven", name.replace(",", "").replace(" ", "_"), *changes))
        late = t >= 60
        lines.append(result("speed, " + name, np.polyfit(t[late], v[late, 1] / 20, 1)[0], "nm/s", pressure * 1e-6, source, 0.01))
        case.panel("t (s)", "moved (nm)", curve("magtwin", t, v[:, 1] / 20 - 152.5), reference("M p t", [0, t[-1]], [0, pressure * 1e-6 * t[-1]]), title=name)
    for radius, end in ((300, 140), (450, 400)):
        t, v = volumes(case.run("evolve", "driven", "radius_%d" % radius, "box.size=[700 nm, 700 nm, 0 nm]", "evolve.end=%d s" % end, "evolve.tolerance=1e-3",
                                "evolve.snapshot_interval=10 s", "phasefield.initial_formula=step(%d - sqrt(x^2 + y^2))" % radius))
        r, late = np.sqrt(4 / math.pi * v[:, 1]), t >= 40
        wanted = ball_in_field(r[late][0], 500, saturated * 1e-6, t[late] - t[late][0])
        lines.append(result("circle of %d nm at first: change of R" % radius, r[-1] - r[late][0], "nm", wanted[-1] - wanted[0],
                            "dR/dt = M (p - sigma/R)", 0.02))
        case.panel("t (s)", "R (nm)", curve("magtwin", t, r), reference("dR/dt = M (p - sigma/R)", t[late], wanted), title="circle of %d nm" % radius)
    return lines
