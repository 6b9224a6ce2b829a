"""The micromagnetic standard problems of muMAG (https://www.ctcms.nist.gov/~rdm/mumag.org.html)."""
import itertools
import math
import os

import numpy as np

from lines import Failed, bound, curve, level, points, reference_points, result
from tools import KM_1T, grid, limit, nodes, prism_factor, read_curve, read_state, read_summary, write_state

DONAHUE = "M. J. Donahue, muMAG standard problem 2"
RAVE = "muMAG standard problem 3; W. Rave, K. Fabian, A. Hubert, J. Magn. Magn. Mater. 190 (1998) 332"
# d/lex: Hc/Ms, Mrx/Ms, Mry/Ms
SP2 = {5: (0.05612, 0.9999, 0.0), 10: (0.05454, 0.9989, 0.0), 20: (0.04991, 0.9701, 0.0819), 30: (0.04594, 0.9627, 0.0756)}
# Donahue's coercive field at 30 is that of one layer of cells; the limit with m free through the thickness is 1.4 % lower
SP2_LAYERS = {30: (0.0453, "finite differences with four layers of cells, limit in h^2 (tests/physics/finite_differences.py sp2, docs/numerics.md)")}

# from d on: edge, growth, spacing in units of d, more for tools.grid; the fine grid has every brick of the coarse one cut into eight
SP2_GRIDS = {5: (0.025, 1, (0.2, 0.2, 0.035), {}), 20: (0.025, 1, (0.15, 0.15, 0.035), {}), 30: (0.025, 0.8, (0.1, 1 / 12, 0.1), {"radius": 1.6})}
LEVELS = {"coarse": 1, "fine": 2}
# at 30 bricks are cut into six, not to lock, and the field passes the first event, where both ends turn, in one step to so many mT
SP2_MORE = {30: ["grains.shape.cut=six"]}
SP2_PASSED = {30: {"coarse": 40.5, "fine": 43}}


def sp2_path(d, level):
    if d not in SP2_PASSED:
        return []
    passed = SP2_PASSED[d][level]
    return ["minimizer.torque=0.1 mT", "field.segments=[{to: 0 T, step: 0.25 T, mode: fixed}, {to: -30 mT, step: 30 mT, mode: fixed}, "
            "{to: -%g mT, step: %g mT, mode: fixed}, {to: -60 mT, step: 0.4 mT, dm_max: 0.3, resolution: 0.1 mT}]" % (passed, passed - 30)]


def sp2_family(d):
    return max(first for first in SP2_GRIDS if first <= d)


def sp2_grid(d, level):
    edge, growth, spacing, more = SP2_GRIDS[sp2_family(d)]
    return (["grains.shape.size=[%g nm, %g nm, %g nm]" % (5 * d, d, 0.1 * d)] + grid(LEVELS[level], edge * d, growth, [s * d for s in spacing], **more) +
            SP2_MORE.get(d, []))


def sp2_curve(case, d, level):
    """Falling branch of the plate of width d (exchange lengths)."""
    return read_curve(case.run("demag", "sp2", "d%d_%s" % (d, level), *sp2_grid(d, level), *sp2_path(d, level)))


def coercivity(c):
    """Field along [1,1,1] (T) at which m along it vanishes: middle of the step of a jump, else by the cubic H(m) through four points."""
    if not (c["m"] < 0).any():
        return math.nan
    k = int(np.argmax(c["m"] < 0))
    H, m = c["mu0_Hext_T"], c["m"]
    if c["event"][k]:
        return float(-(H[k - 1] + H[k]) / 2)
    near = slice(k - 3, k + 1) if k + 1 >= len(H) or c["event"][k + 1] else slice(k - 2, k + 2)
    return float(-np.polyfit(m[near], H[near], 3)[-1])


def stray_field_weight(case, d):
    """What extrapolates from coarse to fine grid: limit = fine + weight (fine - coarse) gives the plate, uniformly magnetized along y, its
    demagnetizing factor.  Its error is the stray field's at the edges, as the coercive field's; 1/3 would be second order, but the
    singular edges add a logarithm."""
    wanted = prism_factor(5, 0.1, 1)
    e = [read_curve(case.run("demag", "sp2", "N_d%d_%s" % (d, level), *sp2_grid(d, level), "field.direction=[0, 1, 0]",
                             "field.start=1000 T", "field.segments=[{to: 999 T, step: 1 T, mode: fixed}]", "output.states=none"))
         ["e_demag_J/m3"][0] / KM_1T for level in LEVELS]
    return (wanted - e[1]) / (e[1] - e[0])


def sp2_sizes(case, sizes):
    """Lines of these plates; their values on coarse and fine grid and in the limit as panels."""
    lines, found = [], {}
    for d in sizes:
        wanted = SP2[d]
        both = [sp2_curve(case, d, level) for level in LEVELS]
        zero = [int(np.argmin(np.abs(c["mu0_Hext_T"]))) for c in both]
        coarse, fine = [np.array([coercivity(c), c["mx"][z], c["my"][z]]) for c, z in zip(both, zero)]
        found[d] = coarse, fine, fine + stray_field_weight(case, sp2_family(d)) * (fine - coarse)
        Hc, mx, my = found[d][-1]
        lines.append(result("SP2 d/lex = %d: Hc/Ms, limit in h" % d, Hc, "", wanted[0], DONAHUE, 0.01))
        if d in SP2_LAYERS:
            lines.append(result("SP2 d/lex = %d: the same, beside cells that resolve the thickness" % d, Hc, "", *SP2_LAYERS[d], 0.01))
        lines.append(result("SP2 d/lex = %d: Mrx/Ms, limit in h" % d, mx, "", wanted[1], DONAHUE, 0.01))
        lines.append(result("SP2 d/lex = %d: Mry/Ms, limit in h" % d, my, "", wanted[2], DONAHUE, 0.01, absolute=wanted[2] == 0))
    for column, name in enumerate(("Hc / Ms", "Mrx / Ms", "Mry / Ms")):
        case.panel("d / lex", name, *[points(label, sizes, [found[d][k][column] for d in sizes]) for k, label in
                                      enumerate(("coarse grid", "fine grid", "limit in h"))],
                   reference_points("Donahue", list(SP2), [SP2[d][column] for d in SP2]))
    return lines


def standard_problem_2(case):
    """muMAG standard problem 2: coercive field and remanence of a thin plate along its space diagonal, against its size; up to d/lex = 20.

    The plate is 5d x d x 0.1d, without anisotropy. Two grids, the second with every brick of the first cut into eight. What is left at the second is
    the stray field at the edges, -2 to -3 % of the demagnetizing factor along y; the limit is extrapolated with the weight that makes this factor exact
    (Aharoni, J. Appl. Phys. 83 (1998) 3432)."""
    return sp2_sizes(case, [5, 10, 20])


def standard_problem_2_large(case):
    """muMAG standard problem 2 at d/lex = 30, where the plate reverses by two events; half an hour of one core.

    Donahue's coercive field, 0.04594, is that of one layer of cells through the thickness; it is compared with finite differences of four layers, 1.4 %
    below, too (docs/numerics.md, standard problem 2)."""
    return sp2_sizes(case, [30])


# at the limit, over Km: stray field, exchange, anisotropy
FLOWER, VORTEX = (0.2792, 0.0177, 0.0056), (0.0780, 0.1724, 0.0521)
COLUMNS = ("e_demag_J/m3", "e_exchange_J/m3", "e_anisotropy_J/m3")
SP3_SIZES, SP3_REFINE = (8.4, 8.54), (1, 2, 3)
# how much larger the cube is where the vortex has the energy of the twisted flower than where it has that of the flower, in exchange lengths
TWISTED = 0.0294
DIFFERENCES = "finite differences with 16, 20 and 24 cells an edge, limit in h^2 (tests/physics/finite_differences.py sp3, docs/numerics.md)"


def vortex(x):
    """m that circulates about y, its core pointing along y; x [n,3]."""
    r = x - 0.5 * (x.min(0) + x.max(0))
    m = np.stack([-r[:, 2], np.full(len(r), 0.2 * np.ptp(x[:, 0])), r[:, 0]], axis=1)
    return m / np.linalg.norm(m, axis=1)[:, None]


def twisted(x, m, L):
    """m turned about z, by as much as the distance from the axis; x [n,3], m [n,3], 0 in the air."""
    r = (x - 0.5 * (x.min(0) + x.max(0))) * (2 / L)
    return directions(m + np.where(m.any(1)[:, None], 0.4 * np.stack([-r[:, 1], r[:, 0], np.zeros(len(r))], axis=1), 0))


def directions(m):
    """m over its size; 0 where it is 0."""
    size = np.linalg.norm(m, axis=1)[:, None]
    return np.divide(m, size, out=np.zeros_like(m), where=size > 0)


def images(x, m):
    """m under each of the 16 operations of 4/mmm about z, together with the reversal of time where one alone would reverse m along z; x, m [n,3]."""
    x = x - 0.5 * (x.min(0) + x.max(0))
    near = 1e-6 * np.ptp(x)

    def order(points):
        return np.lexsort(np.round(points / near).T)
    place = order(x)
    for signs in itertools.product((1, -1), repeat=3):
        for axes in ((0, 1, 2), (1, 0, 2)):
            R = np.diag(signs)[:, axes]
            moved, image = order(x @ R.T), np.empty_like(m)
            if np.abs(x[place] - (x @ R.T)[moved]).max() > near:
                raise Failed("the mesh is not symmetric")
            image[place] = R[2, 2] * (m @ R.T)[moved]
            yield image


def asymmetry(x, m):
    """Largest difference between m and its images."""
    return max(np.abs(image - m).max() for image in images(x, m))


def symmetric(x, m):
    """Mean direction of the images of m."""
    return directions(sum(images(x, m)))


def sp3_from(case, name, like, m, *overrides):
    """A run that starts from m; like: folder of one on the same mesh."""
    start = os.path.join(case.folder, name + "_start.h5")
    write_state(like, start, m)
    return case.run("demag", "sp3", name, "field.initial=file", "field.initial_file=" + start, *overrides)


def sp3_flower(case, name, *overrides):
    """The stationary state among those with the symmetry of the cube, whether the energy has a minimum there or a saddle: minimization that
    is stopped before it can leave the flower, and the mean over the group, in turns, until nothing is left to minimize.  The last run has made
    no iteration: its state is the symmetric one, its torque below the limit."""
    overrides += ("minimizer.max_iterations=15", "minimizer.give_up=1e15")
    folder = case.run("demag", "sp3", name + "_0", *overrides)
    for turn in range(1, 20):
        folder = sp3_from(case, "%s_%d" % (name, turn), folder, symmetric(nodes(folder), read_state(folder)), *overrides)
        c = read_curve(folder)
        if c["converged"][0] and not c["iterations"][0]:
            return folder
    raise Failed("no flower without torque: %g T in %s" % (c["torque_T"][0], folder))


def sp3_cube(L, refine):
    """Overrides of the cube of edge L (exchange lengths), and the name of its runs."""
    return (["grains.shape.size=[%.10g nm, %.10g nm, %.10g nm]" % (L, L, L)] + grid(refine, 0.06 * L, 0.5, 3 * (0.12 * L,)),
            "L%g_refine%d" % (L, refine))


def sp3_states(case, L, refine):
    """Folders of flower, vortex and twisted flower."""
    overrides, name = sp3_cube(L, refine)
    flower = sp3_flower(case, name + "_flower", *overrides)
    x, m = nodes(flower), read_state(flower)
    return (flower, sp3_from(case, name + "_vortex", flower, vortex(x), *overrides),
            sp3_from(case, name + "_twisted", flower, twisted(x, m, L), *overrides))


def sp3_crossing(e, state):
    """Share of the way from the first size to the second at which `state` has the energy of the vortex; e [size, state, term]."""
    over = e.sum(2)[:, state] - e.sum(2)[:, 1]
    return over[0] / (over[0] - over[1])


def sp3_is_flower(case, flowers, L, both):
    """That the states compared are the flower, stationary and of full symmetry; and that it is a saddle, which flow leaves for the twisted one.
    both: flower and twisted flower of the coarsest grid at size L."""
    defect = max(asymmetry(nodes(f), read_state(f)) for f in flowers)
    overrides, name = sp3_cube(L, SP3_REFINE[0])
    flow = sp3_from(case, name + "_flow", both[0], read_state(both[0]), "minimizer.events=flow", "output.event_drop=1e-3", *overrides)
    events = read_summary(flow)["results"]["events"]
    if not events:
        raise Failed("flow stays on the flower in %s" % flow)
    ends = [read_curve(f)["e_total_J/m3"][-1] for f in (flow, both[1])]
    return [bound("SP3: flower, largest difference between m and its 16 images by 4/mmm", defect, "", None, 1e-12, "the state that Rave et al. compare"),
            bound("SP3: flower at %g lex, coarsest grid: smallest stiffness" % L, 1e3 * events[0]["eigenvalue_before_T"], "mT", None, 0,
                  "a saddle: the twisted flower has less energy there"),
            result("SP3: the same: energy flow from it ends with, over the twisted flower's", ends[0] / ends[1], "", 1,
                   "minimization from a flower turned by 0.4 at its sides", 1e-6)]


def standard_problem_3(case):
    """muMAG standard problem 3: size of a cube at which flower and vortex have the same energy.

    Ku = 0.1 Km along z; the vortex turns about y.  Grids of three sizes; energies are interpolated to the size and the limit in h^2.  At these sizes
    the flower is a saddle of the energy: it is held by its symmetry.  The minimum beside it is the flower turned about z one way all through, which
    has lost the mirror planes (twisted flower)."""
    lines, sizes, twisted_sizes, at_limit, flowers, first = [], [], [], [], [], None
    for refine in SP3_REFINE:
        folders = [sp3_states(case, L, refine) for L in SP3_SIZES]
        e = np.array([[[read_curve(f)[column][0] / KM_1T for column in COLUMNS] for f in states] for states in folders])
        share, twisted_share = sp3_crossing(e, 0), sp3_crossing(e, 2)
        sizes.append(SP3_SIZES[0] + share * (SP3_SIZES[1] - SP3_SIZES[0]))
        twisted_sizes.append(SP3_SIZES[0] + twisted_share * (SP3_SIZES[1] - SP3_SIZES[0]))
        at_limit.append(e[0] + share * (e[1] - e[0]))
        flowers += [states[0] for states in folders]
        first = first or (folders[0][0], folders[0][2])
    h = [1 / refine for refine in SP3_REFINE]
    L, L_twisted = limit(h[-2:], sizes[-2:]), limit(h[-2:], twisted_sizes[-2:])
    lines.append(result("SP3: L/lex where flower = vortex, limit in h", L, "", 8.47, RAVE, 0.02, absolute=True))
    final = np.array([[limit(h[-2:], [e[s, t] for e in at_limit[-2:]]) for t in range(3)] for s in range(2)])
    lines.append(result("SP3: energy/Km at that size", float(final.sum(1).mean()), "", 0.3026, RAVE, 0.01))
    for s, (state, wanted) in enumerate((("flower", FLOWER), ("vortex", VORTEX))):
        for t, term in enumerate(("stray field", "exchange", "anisotropy")):
            lines.append(result("SP3: %s, %s/Km" % (state, term), final[s, t], "", wanted[t], RAVE, 0.01))
    lines += sp3_is_flower(case, flowers, SP3_SIZES[0], first)
    lines.append(result("SP3: L/lex where twisted flower = vortex, over that of the flower", L_twisted - L, "", TWISTED, DIFFERENCES, 0.002, absolute=True))
    case.panel("(h / coarsest h)$^2$", "L / lex where energy = vortex's", curve("flower; at 0: limit", [0] + list(np.square(h[::-1])), [L] + sizes[::-1]),
               curve("twisted flower", [0] + list(np.square(h[::-1])), [L_twisted] + twisted_sizes[::-1]), level("Rave et al.: 8.47", 8.47))
    series = []
    for s, state in enumerate(("flower", "vortex")):
        for t, term in enumerate(("stray field", "exchange", "anisotropy")):
            wanted = (FLOWER, VORTEX)[s][t]
            series.append(curve("%s, %s" % (state, term), [0] + list(np.square(h[::-1])), [final[s, t] / wanted - 1] +
                                [e[s, t] / wanted - 1 for e in at_limit[::-1]]))
    case.panel("(h / coarsest h)$^2$", "energy / reference - 1", *series, level("Rave et al.", 0))
    return lines
