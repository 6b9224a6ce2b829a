"""Figures of a run with more than one branch: the coercive field against the angle of the field, and reversal curves."""
import csv
import math

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize

from results import existing
from style import ANGLE_MAP, GREY, LINE, SECOND, WIDE, colour_bar, plt, save

FEWEST = 8  # reversal curves for a distribution


def read_branches(folder):
    """branches.csv as {column: array}."""
    with open(existing(folder, "branches.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def rows_of(table, branch):
    keep = table["branch"] == branch
    return table["mu0_Hext_T"][keep], table["J_T"][keep]


def stoner_wohlfarth(angle):
    """Coercive field of a particle that turns as one, over the anisotropy field (Phil. Trans. A 240 (1948) 599)."""
    t = abs(math.radians(angle))
    switching = (math.cos(t)**(2 / 3) + math.sin(t)**(2 / 3))**-1.5
    return switching if t < math.pi / 4 else math.sin(2 * t) / 2


def angles(figures, folder, table):
    """Curves at every angle; Hc and the switching field against it, with Stoner-Wohlfarth and Kondorsky through the first."""
    b = read_branches(folder)
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDE, 2.8), gridspec_kw=dict(wspace=0.42, width_ratios=[1.15, 1]))
    norm = Normalize(b["angle_deg"].min(), b["angle_deg"].max())
    shades = ListedColormap(plt.get_cmap(ANGLE_MAP)(np.linspace(0, 0.9, 256)))  # its end is too light for a line
    for branch, angle in zip(b["branch"], b["angle_deg"]):
        left.plot(*rows_of(table, branch), "-", color=shades(norm(angle)), lw=1)
    for axes in (left,):
        axes.axhline(0, color=GREY, lw=0.6, zorder=1)
        axes.axvline(0, color=GREY, lw=0.6, zorder=1)
    left.set_xlabel(r"$\mu_0H$ (T)")
    left.set_ylabel(r"polarization along the field $J$ (T)")
    bar = colour_bar(figure, ScalarMappable(norm, shades), left, "angle (deg)")
    bar.ax.set_ylim(norm.vmin, norm.vmax)
    right.plot(b["angle_deg"], b["Hswitch_T"], "s--", color=SECOND, ms=4, lw=0.8, mfc="white", label="largest jump")
    right.plot(b["angle_deg"], b["Hc_T"], "o-", color=LINE, ms=4, label=r"$\mu_0H_\mathrm{c}$")
    first = int(np.argmin(np.abs(b["angle_deg"])))
    references(right, b["angle_deg"], b["angle_deg"][first], b["Hc_T"][first])
    right.set_ylim(0, 1.25 * np.nanmax([b["Hc_T"], b["Hswitch_T"]]))
    right.set_xlabel("angle of the field (deg)")
    right.set_ylabel(r"$\mu_0H$ (T)")
    right.legend(loc="best", fontsize=6.5)
    return save(figure, figures, "angles")


def references(axes, angle, zero, Hc):
    """Both models through the coercive field at the smallest angle."""
    if not math.isfinite(Hc):
        return
    fine = np.linspace(angle.min(), angle.max(), 200)
    axes.plot(fine, [Hc * stoner_wohlfarth(a) / stoner_wohlfarth(zero) for a in fine], ":", color=GREY, lw=1, label="Stoner-Wohlfarth, scaled")
    with np.errstate(divide="ignore"):
        axes.plot(fine, Hc * np.cos(np.radians(zero)) / np.maximum(np.cos(np.radians(fine)), 1e-3), "-.", color=GREY, lw=1,
                  label=r"Kondorsky, $1/\cos$")


def distribution(H, M, start, reach=2):
    """rho = -1/2 d2M/(dHa dHb) on the grid of fields Hb (columns) and reversal fields Ha (rows), by the mixed coefficient of a
    parabola fitted to (2 reach + 1)^2 points (Pike, Roberts, Verosub, J. Appl. Phys. 85 (1999) 6660).  M [na,nb], NaN below Hb = Ha."""
    rho = np.full(M.shape, np.nan)
    for i in range(len(start)):
        for j in range(len(H)):
            if not np.isfinite(M[i, j]):
                continue
            r, c = slice(max(0, i - reach), i + reach + 1), slice(max(0, j - reach), j + reach + 1)
            a, b = np.meshgrid(start[r] - start[i], H[c] - H[j], indexing="ij")
            m = M[r, c]
            known = np.isfinite(m)
            if known.sum() < 6:
                continue
            a, b, m = a[known], b[known], m[known]
            base = np.stack([np.ones_like(a), a, b, a * a, b * b, a * b], axis=1)
            if np.linalg.matrix_rank(base) == 6:
                rho[i, j] = -0.5 * np.linalg.lstsq(base, m, rcond=None)[0][5]
    return rho


def on_grid(table, b):
    """All reversal curves at common fields: the spacing of the reversal fields."""
    order = np.argsort(b["from_T"])
    start = b["from_T"][order]
    step = np.median(np.diff(start))
    curves = [rows_of(table, k) for k in b["branch"][order]]
    H = np.arange(start[0], max(c[0].max() for c in curves) + 0.5 * step, step)
    M = np.array([np.interp(H, *half(c), left=np.nan, right=np.nan) for c in curves])
    return H, start, M


def half(curve):
    """The way up of a curve that may come back."""
    H, J = curve
    top = int(np.argmax(H))
    return H[:top + 1], J[:top + 1]


def reversal(figures, folder, table):
    """The curves on their main branch; beside them their distribution, or with few of them the recoil permeability."""
    b = read_branches(folder)
    many = len(b["branch"]) >= FEWEST and np.ptp(np.diff(np.sort(b["from_T"]))) < 1e-6
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDE, 2.8), gridspec_kw=dict(wspace=0.35))
    left.plot(*rows_of(table, 0), "-", color=LINE, lw=1.4, zorder=3, label="the path")
    for i, branch in enumerate(b["branch"]):
        left.plot(*rows_of(table, branch), "-", color=SECOND, lw=0.7, label=None if i else "reversal curves")
    left.plot(b["from_T"], b["J_from_T"], "o", color=LINE, ms=2.5, zorder=4)
    left.axhline(0, color=GREY, lw=0.6, zorder=1)
    left.axvline(0, color=GREY, lw=0.6, zorder=1)
    left.set_xlabel(r"$\mu_0H$ (T)")
    left.set_ylabel(r"polarization $J$ (T)")
    left.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncol=2)  # above: curves may pass anywhere inside
    if many:
        forc_map(figure, right, *on_grid(table, b))
    else:
        right.plot(b["from_T"], b["recoil_permeability"], "o-", color=LINE, ms=4)
        right.set_xlabel(r"reversal field $\mu_0H_a$ (T)")
        right.set_ylabel("recoil permeability")
    return save(figure, figures, "reversal")


def forc_map(figure, axes, H, start, M):
    rho = distribution(H, M, start)
    a, b = np.meshgrid(start, H, indexing="ij")
    known = np.isfinite(rho)
    top = np.nanmax(np.abs(rho)) or 1.0
    shown = axes.tripcolor(0.5 * (b - a)[known], 0.5 * (b + a)[known], rho[known], cmap="RdBu_r", norm=Normalize(-top, top),
                           shading="gouraud", rasterized=True)
    axes.axhline(0, color=GREY, lw=0.6)
    axes.set_xlabel(r"$\mu_0H_\mathrm{switch} = \mu_0(H_b - H_a)/2$ (T)")
    axes.set_ylabel(r"$\mu_0H_\mathrm{interaction} = \mu_0(H_b + H_a)/2$ (T)")
    colour_bar(figure, shown, axes, r"$-\frac{1}{2}\,\partial^2 J/\partial H_a\partial H_b$ (1/T)")
