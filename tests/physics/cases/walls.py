"""Cases of domain walls: energy and width, pinning at a phase boundary, nucleation in a soft layer.  No stray field."""
import math
import os

import numpy as np

from lines import bound, result
from tools import A, ANISOTROPY_FIELD, JS, K1, MU0, instability, nodes, read_curve, read_state, reversal_path, switching, write_state


def rod_with_wall(case, name, width, centre, *overrides):
    """Makes the mesh of input `name` by a run of one step; returns a state file on it with a wall m_z = -tanh((x - centre)/width)."""
    folder = case.run("demag", name, name + "_start", "field.start=0.1 T", "field.segments=[{to: 0.2 T, step: 0.1 T, mode: fixed}]",
                      "output.states=all", *overrides)
    x = nodes(folder)[:, 0]
    m = np.zeros((len(x), 3))
    m[:, 2] = -np.tanh((x - centre) / width)
    m[:, 1] = 1 / np.cosh((x - centre) / width)
    path = os.path.join(case.folder, name + "_wall.h5")
    write_state(folder, path, m)
    return path


def domain_wall(case):
    """Width and energy of a 180 degree wall of Nd2Fe14B in a rod without stray field."""
    width, length = math.sqrt(A / K1) * 1e9, 40.0
    start = rod_with_wall(case, "wall", width, 0.5 * length)
    folder = case.run("demag", "wall", "wall", "field.initial=file", "field.initial_file=" + start, "output.states=all")
    curve = read_curve(folder)
    x, m = nodes(folder)[:, 0], read_state(folder)
    middle = np.abs(m[:, 2]) < 0.8
    slope = np.polyfit(x[middle], np.arctanh(m[middle, 2]), 1)[0]
    energy = (curve["e_exchange_J/m3"][0] + curve["e_anisotropy_J/m3"][0]) * length * 1e-9 * 1e3
    source = "Bloch wall: pi sqrt(A/K1), 4 sqrt(A K1)"
    return [result("wall width", math.pi / abs(slope), "nm", math.pi * width, source, 0.01),
            result("wall energy", energy, "mJ/m2", 4e3 * math.sqrt(A * K1), source, 0.01)]


def pinned_wall(case):
    """Field that frees a wall from the boundary of a soft and a hard phase (A, K and J all differ)."""
    start = rod_with_wall(case, "pinned_wall", 5.0, 20.0)
    folder = case.run("demag", "pinned_wall", "pinned_wall", "field.initial=file", "field.initial_file=" + start)
    value, width = switching(folder)
    hard, soft = (1e-11, 1e6, 1.0), (2.5e-12, 1e5, 0.25)
    eA, eK, eJ = (s / h for s, h in zip(soft, hard))
    wanted = MU0 * 2 * hard[1] / hard[2] * (1 - eK * eA) / (1 + math.sqrt(eJ * eA))**2
    return [result("wall pinned at a phase boundary: depinning field", value, "T", wanted,
                   "Heistracher et al., J. Magn. Magn. Mater. 548 (2022) 168875; bracketed to %.1e T" % width, 0.02)]


def layer_nucleation_field(A1, J1, t):
    """Field at which a planar K = 0 layer (A1 J/m, J1 T, thickness t nm) in infinite Nd2Fe14B nucleates: A1 k1 tan(k1 t/2) = A2 k2
    with k1 = sqrt(J1 H/2A1), k2 = sqrt((2 K2 - J2 H)/2A2); bisection on the lowest branch."""
    def excess(B):
        k1, k2 = math.sqrt(J1 * B / MU0 / (2 * A1)), math.sqrt((2 * K1 - JS * B / MU0) / (2 * A))
        return A1 * k1 * math.sin(k1 * t * 5e-10) - A * k2 * math.cos(k1 * t * 5e-10)
    low, high = 1e-9, ANISOTROPY_FIELD
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return low


def soft_layer(case):
    """Nucleation field of a planar soft layer in Nd2Fe14B, two layers."""
    lines = []
    for name, A1, J1, t in (("layer_3nm", 2.5e-12, 0.75, 3.0), ("layer_2nm", 7.7e-12, 1.61, 2.0)):
        wanted = -layer_nucleation_field(A1, J1, t)
        folder = case.run("demag", name, name, reversal_path(wanted, 0.3))
        what = "soft layer of %g nm (A %.2g J/m, J %g T): " % (t, A1, J1)
        lines.append(result(what + "nucleation field", instability(folder, "my"), "T", wanted,
                            "planar nucleation, A1 k1 tan(k1 t/2) = A2 k2; instability of the aligned state", 0.02))
        # the magnet cannot reverse before it nucleates; a weak layer holds its nucleus beyond that
        lines.append(bound(what + "reversal field", switching(folder)[0], "T", None, 0.98 * wanted, "not before nucleation"))
    return lines
