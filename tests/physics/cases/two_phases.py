"""Two phases (Kim, Kim and Suzuki) whose interface is in local equilibrium: growth from a similarity solution, and a disc's shift of composition."""
import math
import os

import h5py
import numpy as np

from cases.diffusion import read, zener
from lines import bound, curve, points, reference, result

SUPERSATURATION, ORIGIN, LENGTH = 0.5, 10.0, 120.0  # of phase 0 far away; nm
LAMBDA = zener(SUPERSATURATION)
ZENER = "C. Zener, J. Appl. Phys. 20 (1949) 950"
# M. Abramowitz, I. Stegun, Handbook of Mathematical Functions (1964) 7.1.26: erfc within 1.5e-7
ERFC = "k = 1/(1 + 0.3275911*s); f = k*(0.254829592 + k*(-0.284496736 + k*(1.421413741 + k*(-1.453152027 + k*1.061405429))))*exp(-s^2)"


def grow(case, name, width, start, *overrides, D1=1.0):
    """(t, place - Zener's, Zener's place, folder) of growth that begins as the similarity solution with the interface at `start` nm."""
    t0 = (start / (2 * LAMBDA))**2
    phi = "0.5*(1 - tanh((x - %g)/%g))" % (ORIGIN + start, width)
    c = "p = %s; h = p^3*(10 - 15*p + 6*p^2); s = max((x - %g)/%.12g, %.12g); %s; 0.9*h + (1 - h)*(0.5 - 0.4*f/%.12g)" % (
        phi, ORIGIN, 2 * math.sqrt(t0), LAMBDA, ERFC, math.erfc(LAMBDA))
    folder = case.run("evolve", "two_phases", name, "phasefield.initial_formula=" + phi, "kks.initial_c=" + c, "kks.interface_width=%g nm" % width,
                      "box.spacing=%g nm" % (0.2 * width), "box.size=[%g nm, %g nm, 0 nm]" % (LENGTH, 0.6 * width), "kks.phases[1].D0=%g nm2/s" % D1, *overrides)
    t, x, rows = read(folder, LENGTH)
    wanted = 2 * LAMBDA * np.sqrt(t + t0)
    return t, x - wanted, wanted, folder, rows


def thin_interface(case):
    """An interface between two phases that is in local equilibrium (kks.kinetics: diffusion) moves as a sharp one does, from the beginning.

    The start is Zener's similarity solution with the interface at 2 or 8 nm, where it moves at 0.19 and 0.05 nm/s; errors are the largest distances from 2 lambda sqrt(D t) in 100 s
    (300 s where a phase is slow) beside those with kks.rate of 1e-8 m3/(J s). The phase that grows diffuses as fast as the other, or 100 times slower. A quarter of a disc ends in equilibrium with what is around it."""
    lines = []
    for width, start in ((1, 2), (2, 2), (1, 8), (2, 8)):
        t, off, wanted, _, _ = grow(case, "local_%g_%g" % (width, start), width, start)
        given, far = grow(case, "rate_%g_%g" % (width, start), width, start, "kks.kinetics=rate", "kks.rate=1e-8 m3/(J s)")[:2]
        what = "l = %g nm, from %g nm" % (width, start)
        lines.append(result(what + ": place, at its worst", float(wanted[-1] + off[np.argmax(abs(off))]), "nm", float(wanted[-1]), ZENER, 0.08, absolute=True))
        lines.append(bound(what + ": the same error with a rate, over it", float(abs(far).max() / abs(off).max()), "", 8, None, "the thin-interface limit counts"))
        case.panel("t (s)", "place less Zener's (nm)", curve("local equilibrium", t, off), curve("rate 1e-8", given, far), reference("Zener", [0, 100], [0, 0]), title=what)
    return lines + slow_phase(case) + disc(case)


def slow_phase(case):
    t, off, wanted, folder, rows = grow(case, "local_slow", 1, 2, "evolve.end=300 s", D1=0.01)
    given, far, _, other, _ = grow(case, "rate_slow", 1, 2, "evolve.end=300 s", "kks.kinetics=rate", "kks.rate=1e-8 m3/(J s)", D1=0.01)
    case.panel("t (s)", "place less Zener's (nm)", curve("local equilibrium", t, off), curve("rate 1e-8", given, far), reference("Zener", [0, 300], [0, 0]), title="D of the grown phase / 100")
    (x, c), (y, trapped) = grown(folder), grown(other)
    case.panel("x (nm)", "c of the grown phase", points("local equilibrium", x, c), points("rate 1e-8", y, trapped), reference("equilibrium", [x[0], x[-1]], [0.9, 0.9]))
    return [result("slow phase: place, at its worst", float(wanted[-1] + off[np.argmax(abs(off))]), "nm", float(wanted[-1]), ZENER, 0.08, absolute=True),
            result("slow phase: c of what grew, at its worst", float(c[np.argmax(abs(c - 0.9))]), "", 0.9, "the common tangent", 0.005, absolute=True),
            bound("slow phase: the same error with a rate", float(abs(trapped - 0.9).max()), "", 0.03, None, "solute is trapped"),
            bound("slow phase: largest rise of the energy over all", float(np.diff(rows["f_total_J/m3"]).max() / rows["f_total_J/m3"][0]), "", -1, 1e-12, "energy falls"),
            bound("slow phase: largest change of the mean of c", float(np.abs(rows["c_mean"] - rows["c_mean"][0]).max()), "", 0, 1e-12, "mass is conserved")]


def last(folder):
    fields = os.path.join(folder, "fields")
    with h5py.File(os.path.join(fields, sorted(os.listdir(fields))[-1]), "r") as f:
        n = f["/c"].attrs["nodes"]
        return f["/c"][...].reshape(n[1], n[0]), f["/phi"][...].reshape(n[1], n[0])


def grown(folder):
    """Places and c of the phase that grew in the run."""
    c, phi = last(folder)
    x = np.linspace(0, LENGTH, c.shape[1])
    there = (x > ORIGIN + 2 + 2) & (phi[0] > 0.999)
    return x[there], c[0][there]


def disc(case):
    phi = "0.5*(1 - tanh(sqrt(x^2 + y^2) - 8))"
    folder = case.run("evolve", "two_phases", "disc", "box.size=[20 nm, 20 nm, 0 nm]", "box.spacing=0.4 nm", "box.periodic=none", "phasefield.initial_formula=" + phi,
                      "kks.initial_c=p = %s; h = p^3*(10 - 15*p + 6*p^2); 0.94*h + 0.14*(1 - h)" % phi, "evolve.end=3000 s", "evolve.tolerance=1e-3")
    c, _ = last(folder)
    _, _, rows = read(folder, 1)
    radius = math.sqrt(4 / math.pi * 400 * rows["fraction"][-1])
    wanted = 0.3 / (1e9 * 0.8 * radius * 1e-9)  # of both: sigma/(R f'' (c1 - c0))
    source = "Gibbs and Thomson: sigma/(R f'' (c1 - c0)), R = %.3f nm" % radius
    return [result("disc: c around it above 0.1", float(c[-1, -1] - 0.1), "", wanted, source, 0.01),
            result("disc: c in it above 0.9", float(c[0, 0] - 0.9), "", wanted, source, 0.01)]
