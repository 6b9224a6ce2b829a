"""The cases of validate.py.  Each runs the program on inputs of tests/physics/inputs and compares what it wrote with a published or an
analytic value; tolerances are those the project promises.  Nd2Fe14B here: A 7.7e-12 J/m, K1 4.3e6 J/m3, Js 1.61 T."""
import csv
import glob
import json
import math
import os

import h5py
import numpy as np

from lines import Failed, bound, result

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MU0 = 4e-7 * math.pi
A, K1, JS = 7.7e-12, 4.3e6, 1.61
KM = JS**2 / (2 * MU0)
ANISOTROPY_FIELD = 2 * K1 * MU0 / JS  # T


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


def demagnetizing_energy(case):
    """Energy of a uniformly magnetized sphere and of a 1 x 1 x 0.1 prism, at two mesh sizes."""
    lines = []
    sphere_source = "N = 1/3: e = Js^2/(6 mu0)"
    errors = []
    for h in (2.0, 1.0):
        folder = case.run("demag", "sphere", "sphere_%g" % h, "mesh.size=%g nm" % h, "mesh.air.size=%g nm" % h)
        e = read_curve(folder)["e_demag_J/m3"][0]
        errors.append(abs(e / (KM / 3) - 1))
    lines.append(result("sphere, h = D/20: demagnetizing energy", e / KM, "Km", 1 / 3, sphere_source, 0.01))
    order = math.log(errors[0] / errors[1]) / math.log(2.0)
    # linear elements: second order in h for the energy; the shell is as fine as the sphere
    lines.append(bound("sphere: order in h from D/10 to D/20", order, "", 1.6, None, "linear elements: 2"))
    for axis, factor in (("z", 0.805078), ("x", 0.097461)):
        direction = {"x": "[1, 0, 0]", "z": "[0, 0, 1]"}[axis]
        folder = case.run("demag", "prism", "prism_" + axis, "field.direction=" + direction)
        e = read_curve(folder)["e_demag_J/m3"][0]
        lines.append(result("prism 1 x 1 x 0.1 along %s, h = 1/20 (graded to h/12 at its edges): demagnetizing energy" % axis, e / KM, "Km", factor,
                            "Aharoni, J. Appl. Phys. 83 (1998) 3432", 0.01))
    return lines


def stoner_wohlfarth(case):
    """Switching field of a small sphere of Nd2Fe14B with the field at an angle to its easy axis."""
    lines = []
    for degrees in (0.1, 10, 45):
        t = math.radians(degrees)
        h = (math.cos(t)**(2 / 3) + math.sin(t)**(2 / 3))**-1.5
        wanted = -h * ANISOTROPY_FIELD
        folder = case.run("demag", "stoner_wohlfarth", "angle_%g" % degrees,
                          "field.direction=[%.17g, 0, %.17g]" % (math.sin(t), math.cos(t)),
                          reversal_path(wanted, 0.5))
        value, width = switching(folder)
        lines.append(result("Stoner-Wohlfarth sphere at %g deg: switching field" % degrees, value, "T", wanted,
                            "Stoner, Wohlfarth, Phil. Trans. A 240 (1948) 599; bracketed to %.1e T" % width, 0.01))
    return lines


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


def read_state(folder):
    first = sorted(os.listdir(os.path.join(folder, "states")))[0]
    with h5py.File(os.path.join(folder, "states", first), "r") as f:
        return f["/m"][...]


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


def demo_mesh(case):
    """The mesh of the demonstration: its size, the thickness of its GB phase, the quality of its elements."""
    folder = case.run("mesh", "demo", "mesh", input_file=os.path.join(ROOT, "inputs", "demo.yaml"), ranks=2)
    summary = read_summary(folder)
    mesh, kinds = summary["mesh"], summary["mesh"]["kinds"]
    magnet = [kind for name, kind in kinds.items() if name != "air"]
    tets = sum(kind["tets"] for kind in magnet)
    thin = sum(kind["gamma_below_0.15"] for kind in magnet)
    asked = mesh["gb_mean_thickness"]["asked"]["value"]
    promised = "what the project promises of its demonstration"
    return [
        bound("demonstration: grains", summary["grains"]["count"], "", 16, None, promised),
        bound("demonstration: nodes", mesh["nodes"], "", 60000, None, promised),
        result("demonstration: mean thickness of the GB phase", mesh["gb_mean_thickness"]["mean"]["value"], "nm", asked,
               "mesh.gb.thickness", 0.02),
        result("demonstration: volume of all regions over that of the box", 1 + mesh["box_defect"], "", 1, "the regions fill the box", 1e-9),
        result("demonstration: inverted elements", sum(kind["inverted"] for kind in kinds.values()), "", 0, promised, 0, absolute=True),
        bound("demonstration: least gamma, air included", min(kind["gamma_min"] for kind in kinds.values()), "", 0.05, None, promised),
        bound("demonstration: elements of the magnet with gamma < 0.15", thin / tets, "", None, 1e-3, promised),
    ]


def measured_grains(case):
    """The EBSD series of iron: how many grains it has, and how well convex cells describe them."""
    files = os.path.join(ROOT, "..", "shared", "data", "ebsd_iron", "S*.ANG")
    if not glob.glob(files):
        print("  not run: there are no files " + files)
        return []
    folder = case.run("reconstruct", "ebsd_iron", "labels", "grains.files=" + files, ranks=2,
                      input_file=os.path.join(ROOT, "inputs", "ebsd_iron.yaml"))
    grains = read_summary(folder)["grains"]
    return [
        result("EBSD of iron: grains of 50 voxels and more at 10 degrees", grains["measured_grains"], "", 64,
               "counted independently for this project", 0, absolute=True),
        result("EBSD of iron: voxels in their own cell, best convex fit", grains["fit"]["convex_fit_agreement"], "", 0.5,
               "about half for these deformed grains, .96 for convex ones", 0.1),
        bound("EBSD of iron: the same, diagram in which no grain is lost", grains["fit"]["agreement"], "", 0.3, None,
              "below the best fit, which leaves grains without a cell"),
        result("EBSD of iron: the convex model is called a poor one", float(grains["fit"]["poor"]), "", 1, "agreement below .8", 0),
    ]


def rank_agreement(case):
    """The same small polycrystal on 1, 2 and 4 ranks, and on 2 ranks twice."""
    curves = {}
    for label, ranks in (("1", 1), ("2", 2), ("2_again", 2), ("4", 4)):
        folder = case.run("demag", "ranks", "ranks_" + label, ranks=ranks)
        curves[label] = (folder, read_curve(folder))
    lines = []
    for label in ("2", "4"):
        one, other = curves["1"][1], curves[label][1]
        same = len(one["m"]) == len(other["m"]) and np.array_equal(one["mu0_Hext_T"], other["mu0_Hext_T"])
        worst = max(np.abs(one[k] - other[k]).max() for k in ("mx", "my", "mz")) if same else math.inf
        lines.append(bound("%s ranks against 1: largest difference of m on the curve" % label, worst, "", None, 1e-6,
                           "the same run on 1 rank"))
    differing = [name for name in ("curve.csv",) if read_bytes(curves["2"][0], name) != read_bytes(curves["2_again"][0], name)]
    lines.append(result("2 ranks twice: curve.csv files that differ", len(differing), "", 0, "the same run again", 0, absolute=True))
    return lines


def read_bytes(folder, name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


CASES = {
    "demo_mesh": demo_mesh,
    "measured_grains": measured_grains,
    "demagnetizing_energy": demagnetizing_energy,
    "stoner_wohlfarth": stoner_wohlfarth,
    "domain_wall": domain_wall,
    "soft_layer": soft_layer,
    "pinned_wall": pinned_wall,
    "rank_agreement": rank_agreement,
}
