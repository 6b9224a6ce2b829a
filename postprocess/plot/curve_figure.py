"""The demagnetization curve: polarization and flux density in the second quadrant, with the figures a magnet is judged by."""
import numpy as np
from matplotlib.ticker import MaxNLocator

from results import quantity
from style import GREY, LINE, SECOND, WIDE, plt, save

MU0 = 4e-7 * np.pi


def descending_branch(table):
    """Columns H (T) and J (T) of the longest stretch along which the applied field falls."""
    H, J = table["mu0_Hext_T"], table["J_T"]
    breaks = np.flatnonzero(np.diff(H) > 0) + 1
    parts = np.split(np.arange(len(H)), breaks)
    keep = max(parts, key=len)
    return H[keep], J[keep]


def draw(name, figures, table, summary, compare=None):
    results = summary.get("results", {})
    corrected = results.get("internal") or results.get("corrected") or {}
    N = quantity(results, "N", "demagnetizing_factor") or quantity(corrected, "N", "demagnetizing_factor")
    H, J = descending_branch(table)
    figure, (left, right, side) = plt.subplots(1, 3, figsize=(WIDE, 2.7), gridspec_kw=dict(width_ratios=[1.25, 1, 0.62],
                                                                                         wspace=0.36))
    side.set_axis_off()

    polarization(left, H, J, N, name, compare)
    mark_unconverged(left, table)
    flux_density(right, H, J, N)
    mark_polarization(left, results)
    mark_flux(right, H, J, results)
    table_of_figures(side, results, corrected if N else {})
    # beside the plots: a curve may pass anywhere inside them
    side.legend(*left.get_legend_handles_labels(), loc="lower left", bbox_to_anchor=(-0.32, -0.04), handlelength=1.4)
    return save(figure, figures, "curve")


def internal_field(H, J, N):
    """H - N J; jumps vertical, as the figures of merit take them (docs/numerics.md), not back along the load line."""
    return np.minimum.accumulate(H - N * J)


def polarization(axes, H, J, N, name, compare):
    axes.plot(H, J, "-", color=LINE, marker=".", markersize=3, label=name, zorder=3)
    if N:
        axes.plot(internal_field(H, J, N), J, "--", color=LINE, lw=1, label="internal field,\nN = %.3f" % N, zorder=2)
    if compare:
        second, other = compare
        axes.plot(*descending_branch(other), "-", color=SECOND, label=second, zorder=2)
    # a run that was stopped may not have come to negative fields yet
    low = min(-0.05 * H.max(), H.min(), compare[1]["mu0_Hext_T"].min() if compare else 0)
    top = 1.12 * max(J.max(), 1e-3)
    frame(axes, low, max(0.06 * -low, min(H.max(), 0.25 * -low) if H.min() < 0 else H.max()), min(1.08 * J.min(), 0), 1.1 * top)
    axes.set_ylabel(r"polarization $J$ (T)")
    axes.set_xlabel(r"$\mu_0H$ (T)")


def mark_unconverged(axes, table):
    """Steps whose torque stayed above its limit; tables of earlier versions do not tell."""
    bad = table["converged"] == 0 if "converged" in table else []
    if np.any(bad):
        axes.plot(table["mu0_Hext_T"][bad], table["J_T"][bad], "o", color=SECOND, mfc="none", markersize=5, label="not converged", zorder=4)


def flux_density(axes, H, J, N):
    if H.min() >= 0:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no negative field yet", ha="center", transform=axes.transAxes)
        return
    axes.plot(H, J + H, "-", color=LINE, label="applied field")
    reach = -H[np.argmax(J + H < 0)] if (J + H < 0).any() else -H.min()
    if N:
        Hi = internal_field(H, J, N)
        axes.plot(Hi, J + Hi, "--", color=LINE, lw=1, label="internal field")
    frame(axes, -1.15 * max(reach, 1e-3), 0.08 * reach, 0, 1.15 * max((J + H)[H <= 1e-12].max(initial=1e-3), 1e-3))
    axes.set_ylabel(r"flux density $B = J + \mu_0H$ (T)")
    axes.set_xlabel(r"$\mu_0H$ (T)")


def frame(axes, xmin, xmax, ymin, ymax):
    axes.set_xlim(xmin, xmax)
    axes.set_ylim(ymin, ymax)
    axes.axhline(0, color=GREY, lw=0.6, zorder=1)
    axes.axvline(0, color=GREY, lw=0.6, zorder=1)
    top = axes.secondary_xaxis("top", functions=(lambda T: T / MU0 * 1e-3, lambda kA: kA * MU0 * 1e3))
    top.set_xlabel(r"$H$ (kA/m)")
    top.tick_params(direction="in")
    for side in (axes.xaxis, top.xaxis):
        side.set_major_locator(MaxNLocator(5))


def mark_polarization(axes, results):
    point = dict(marker="o", ms=4.5, mfc="white", color=LINE, ls="none", zorder=5)
    Br, Hc, Hk = (quantity(results, k) for k in ("Br", "Hc", "Hk"))
    if Br is not None:
        axes.plot([0], [Br], **point)
        axes.annotate(r"$B_\mathrm{r}$", (0, Br), (-4, 5), textcoords="offset points", ha="right")
    if Hc is not None:
        axes.plot([-Hc], [0], **point)
        axes.annotate(r"$H_\mathrm{c}$", (-Hc, 0), (5, 4), textcoords="offset points")
    if Hk is not None and Br is not None:
        axes.plot([-Hk], [0.9 * Br], **point)
        axes.annotate(r"$H_\mathrm{k}$", (-Hk, 0.9 * Br), (5, -9), textcoords="offset points")


def mark_flux(axes, H, J, results):
    """The largest rectangle under B(H): its area is (BH)max."""
    product = quantity(results, "BHmax")
    B = J + H
    second = (H <= 0) & (B >= 0)
    if product is None or not second.any():
        return
    # densely, as the maximum lies between field steps
    h = np.linspace(H[second].min(), 0, 4001)
    order = np.argsort(H, kind="stable")
    b = np.interp(h, H[order], B[order])
    k = int(np.argmax(-b * h))
    axes.fill([h[k], 0, 0, h[k]], [0, 0, b[k], b[k]], color=LINE, alpha=0.12, lw=0)
    axes.plot([h[k]], [b[k]], "o", ms=4.5, mfc="white", color=LINE, zorder=5)
    axes.text(h[k] / 2, b[k] / 2, "$(BH)_\\mathrm{max}$\n%.0f kJ/m$^3$" % product, ha="center", va="center", fontsize=7)


def table_of_figures(axes, results, corrected):
    """Numbers beside the curves: for the applied field, and for the internal one where the run gives them."""
    rows = [(r"$B_\mathrm{r}$ (T)", "Br", "%.3f"), (r"$\mu_0H_\mathrm{c}$ (T)", "Hc", "%.3f"),
            (r"$\mu_0H_\mathrm{k}$ (T)", "Hk", "%.3f"), (r"$H_\mathrm{k}/H_\mathrm{c}$", "squareness", "%.3f"),
            ("$(BH)_\\mathrm{max}$\n(kJ/m$^3$)", "BHmax", "%.0f")]
    columns = [(0.80, "applied\nfield", results)] + ([(1.28, "internal\nfield", corrected)] if corrected else [])
    for x, title, values in columns:
        axes.text(x, 0.97, title, ha="right", va="center", fontsize=7, transform=axes.transAxes)
    if corrected:  # along a jump the internal field runs back: docs/numerics.md
        axes.text(1.28, 0.30, "internal: jumps taken\nas vertical", ha="right", va="center", fontsize=6, transform=axes.transAxes)
    for line, (label, key, form) in enumerate(rows):
        y = 0.82 - 0.105 * line
        axes.text(-0.22, y, label, va="center", fontsize=7, transform=axes.transAxes)
        for x, _, values in columns:
            value = quantity(values, key)
            text = form % value if value is not None else "-"
            axes.text(x, y, text, ha="right", va="center", fontsize=7, transform=axes.transAxes)
