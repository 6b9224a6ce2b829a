"""What the cases share: constants, reading of results, switching and nucleation fields, states, limits in h."""
import csv
import json
import math
import os

import h5py
import numpy as np

from lines import Failed

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MU0 = 4e-7 * math.pi
# Nd2Fe14B of the standard problems: J/m, J/m3, T
A, K1, JS = 7.7e-12, 4.3e6, 1.61
KM = JS**2 / (2 * MU0)
ANISOTROPY_FIELD = 2 * K1 * MU0 / JS  # T
KM_1T = 1 / (2 * MU0)  # of 1 T, J/m3


def read_curve(folder):
    with open(os.path.join(folder, "curve.csv"), newline="") as f:
        rows = list(csv.DictReader(line for line in f if not line.startswith("#")))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def read_summary(folder):
    with open(os.path.join(folder, "summary.json")) as f:
        return json.load(f)


def switching(folder):
    """Middle of the field step (T, along the field) with the largest change of m among the events, and half that step.  The largest:
    a coarse step on the way there may hold enough reversible rotation to count as an event."""
    curve = read_curve(folder)
    jump = np.abs(np.diff(curve["m"])) * (curve["event"][1:] > 0)
    if not jump.any():
        raise Failed("no event in %s" % folder)
    k = int(np.argmax(jump))
    H = curve["mu0_Hext_T"]
    return 0.5 * (H[k] + H[k + 1]), 0.5 * abs(H[k] - H[k + 1])


def instability(folder, component):
    """Field (T) at which the aligned state becomes unstable.  A slightly tilted field makes the unstable mode grow as b + c/(H - Hn)
    before it (R. V. Southwell, Proc. R. Soc. A 135 (1932) 601, for buckling loads): Hn by least squares over the points where the
    magnet is still aligned, so that the response is linear.  Reversal may come later: the nucleus can be pinned."""
    curve = read_curve(folder)
    H, y = curve["mu0_Hext_T"], curve[component]
    turned = np.flatnonzero(curve["m"] < 1 - 1e-5)
    last = turned[0] if len(turned) else len(H)
    H, y = H[max(0, last - 6):last], y[max(0, last - 6):last]
    if len(H) < 5:
        raise Failed("%d aligned points before the instability in %s, at least 5 are needed" % (len(H), folder))

    def misfit(field):
        columns = np.stack([np.ones_like(H), 1 / (H - field)], axis=1) / y[:, None]
        return np.linalg.norm(columns @ np.linalg.lstsq(columns, np.ones_like(H), rcond=None)[0] - 1)
    trial = H[-1] - np.geomspace(1e-4, 1.0, 20001)
    return float(trial[np.argmin([misfit(field) for field in trial])])


def reversal_path(wanted, before):
    """From saturation in one step to `before` T short of the expected field, then adaptively past it."""
    return ("field.segments=[{to: %.3f T, step: 1 T, mode: fixed}, {to: %.3f T, step: 0.05 T, resolution: 5 mT}]" %
            (wanted + before, wanted - 0.5))


def write_state(folder, path, m):
    """A state file for field.initial=file: as those the run in `folder` wrote, with another m."""
    states = sorted(os.listdir(os.path.join(folder, "states")))
    with open(os.path.join(folder, "states", states[0]), "rb") as src, open(path, "wb") as dst:
        dst.write(src.read())
    with h5py.File(path, "r+") as f:
        f["/m"][...] = m


def nodes(folder):
    with h5py.File(os.path.join(folder, "mesh.h5"), "r") as f:
        return f["/mesh/x"][...]


def read_state(folder):
    first = sorted(os.listdir(os.path.join(folder, "states")))[0]
    with h5py.File(os.path.join(folder, "states", first), "r") as f:
        return f["/m"][...]


def limit(h, values):
    """Value at h = 0 of the least-squares line in h^2: linear elements are of second order."""
    slope, value = np.polyfit(np.square(h), values, 1)
    return float(value)


def prism_factor(a, b, c):
    """Demagnetizing factor of a box with edges in the ratio a : b : c, along c (Aharoni, J. Appl. Phys. 83 (1998) 3432, eq. 1)."""
    r, ab, ac, bc = math.sqrt(a * a + b * b + c * c), math.hypot(a, b), math.hypot(a, c), math.hypot(b, c)

    def part(p, q):
        """Terms that come twice, with the two edges across changed."""
        pc, pq = math.hypot(p, c), math.hypot(p, q)
        return ((p * p - c * c) / (2 * p * c) * math.log((r - q) / (r + q)) + p / (2 * c) * math.log((pq + q) / (pq - q)) +
                c / (2 * q) * math.log((pc - p) / (pc + p)))
    rest = (a**3 + b**3 - 2 * c**3) / (3 * a * b * c) + (a * a + b * b - 2 * c * c) / (3 * a * b * c) * r
    rest += c / (a * b) * (ac + bc) - (ab**3 + bc**3 + ac**3) / (3 * a * b * c)
    return (part(a, b) + part(b, a) + 2 * math.atan(a * b / (c * r)) + rest) / math.pi


def stoner_wohlfarth_field(degrees):
    """Switching field over the anisotropy field, field at an angle to the easy axis (Stoner, Wohlfarth 1948)."""
    t = math.radians(degrees)
    return (math.cos(t)**(2 / 3) + math.sin(t)**(2 / 3))**-1.5


def tilted(degrees):
    """Override of the field's direction, so far from z towards x."""
    t = math.radians(degrees)
    return "field.direction=[%.17g, 0, %.17g]" % (math.sin(t), math.cos(t))


def grid(refine, edge, growth, spacing, air=1e3, radius=None):
    """Overrides of a box on a grid (nm); cutting every brick makes the error fall as 1/refine^2.  radius: of the sphere, over the box's."""
    return (["mesh.air.radius=%g" % radius] if radius is not None else []) + ["grains.shape.grid=true", "grains.shape.edge_size=%.8g nm" % edge, "grains.shape.growth=%.8g" % growth,
            "grains.shape.spacing=[%s]" % ", ".join("%.8g nm" % s for s in spacing), "mesh.size=%.8g nm" % max(spacing),
            "mesh.air.size=%.8g nm" % air, "grains.shape.refine=%d" % refine]
