#!/usr/bin/env python3
"""optimize.py FOLDER [--figures FOLDER]: figures of a campaign of magtwin optimize, as PNG and SVG in FOLDER/figures.

  convergence   what came out, in the order of the points, and the best so far (of several goals: what the front dominates)
  front         of several goals: all points over each pair of them, and the front
  slices        what the model expects along each variable through the best point, with its uncertainty; below it, where it would look next
  planes        the same over pairs of the variables that matter most
  importance    how much of what the model expects each variable explains
  trust         what the model says of each point when that point is left out, against what came out
  posterior     where a misfit has a scatter (optimize.goals[].scatter): which values of the variables explain the data
  curves        demagnetization curves of the runs, and the measured one

All but the first, second and last need model.json, which a finished campaign has and `magtwin optimize INPUT model` writes anew.
Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or makes no sense; the figures that can be drawn are drawn.
"""
import itertools
import os
import sys

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import MaxNLocator

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import campaign_model
from campaign import Campaign, added, reference_of
from results import Unusable, draw_folder, main_branch, read_curve
from style import COLUMN, GREY, LINE, SECOND, WIDE, colour_bar, plt, save

KINDS = {"spread": ("o", "white", "spread over the space"), "model": ("o", LINE, "chosen by the model"), "person": ("D", SECOND, "given by a person")}
CURVES = 200  # of runs in one figure


def scatter(axes, trials, values):
    """Points marked by who chose them."""
    for kind, (marker, face, label) in KINDS.items():
        chosen = [k for k, t in enumerate(trials) if t.kind() == kind]
        if chosen:
            axes.plot([trials[k].number for k in chosen], [values[k] for k in chosen], marker, mfc=face, mec=SECOND if kind == "person" else LINE, ms=4.5, mew=0.9,
                      label=label, ls="none", zorder=3)


def mark_failed(axes, campaign):
    failed = [t.number for t in campaign.told() if t.status == "failed"]
    if failed:
        axes.plot(failed, np.full(len(failed), 0.03), "x", color="#b2182b", ms=5, transform=axes.get_xaxis_transform(), label="failed", zorder=4)


def convergence(campaign, figures):
    done = campaign.done()
    if not done:
        raise Unusable("no evaluation of %s is done yet" % campaign.folder)
    several = len(campaign.goals) > 1
    count = len(campaign.goals) + several
    figure, panels = panels_of(count, min(count, 4), 0.75 * WIDE if not several else WIDE, 2.5)
    losses = campaign.losses(done)
    for g, (axes, goal) in enumerate(zip(panels, campaign.goals)):
        values = [t.y[goal.name] for t in done]
        best = [values[k] for k in (int(np.argmin(losses[:i + 1, g])) for i in range(len(done)))]
        axes.step([t.number for t in done], best, where="post", color=GREY, lw=1.2, label="best so far", zorder=2)
        if goal.target is not None:
            axes.axhline(goal.target, color=GREY, lw=0.8, ls=":", label="wanted")
        scatter(axes, done, values)
        axes.set_ylabel(goal.name)
        axes.set_title(goal.wanted())
        mark_failed(axes, campaign)
    if several:
        axes, reference = panels[-1], reference_of(losses)
        grown = np.cumsum([added(losses[i], losses[:i], reference) for i in range(len(done))])
        axes.step([t.number for t in done], grown / max(grown[-1], 1e-300), where="post", color=LINE)
        axes.set_ylabel("%s dominated (last: 1)" % ("area" if len(campaign.goals) == 2 else "volume"))
        axes.set_title("growth of the front")
        axes.set_ylim(0, 1.05)
    for axes in panels:
        axes.set_xlabel("evaluation")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=5)
    return save(figure, figures, "convergence")


def panels_of(count, across, width, height):
    """A figure with `count` panels in rows of `across`, each row so high."""
    rows = -(-count // across)
    figure, panels = plt.subplots(rows, across, figsize=(width, height * rows), squeeze=False, layout="constrained")
    for axes in panels.flat[count:]:
        axes.remove()
    return figure, list(panels.flat[:count])


def front_panel(axes, campaign, a, b):
    """All points over two of the goals, the front of all goals ringed, and of more than two the front of these two alone; the scatter drawn."""
    done, best = campaign.done(), campaign.front()
    drawn = axes.scatter([t.y[a.name] for t in done], [t.y[b.name] for t in done], c=[t.number for t in done], cmap="viridis", s=16, zorder=3)
    line = "none" if a.target is not None or b.target is not None else "-"  # distances from targets: no order along a front
    several = len(campaign.goals) > 2
    axes.plot([t.y[a.name] for t in best], [t.y[b.name] for t in best], ls="none" if several else line, color=SECOND, lw=1, marker="o", mfc="none", ms=7, label="front", zorder=2)
    if several and line == "-":
        pair = campaign.front([a, b])
        axes.plot([t.y[a.name] for t in pair], [t.y[b.name] for t in pair], color=GREY, lw=1, label="front of these two alone", zorder=1)
    for goal, line in ((a, axes.axvline), (b, axes.axhline)):
        if goal.target is not None:
            line(goal.target, color=GREY, lw=0.8, ls=":", label="wanted" if goal is a else None)
    axes.set_xlabel(a.wanted())
    axes.set_ylabel(b.wanted())
    return drawn


def front(campaign, figures):
    if len(campaign.goals) < 2 or not campaign.done():
        return None
    pairs = list(itertools.combinations(campaign.goals, 2))
    if len(pairs) == 1:
        figure, panels = panels_of(1, 1, COLUMN * 1.4, 3.1)
    else:
        figure, panels = panels_of(len(pairs), 3, WIDE, 2.6)
    for axes, (a, b) in zip(panels, pairs):
        drawn = front_panel(axes, campaign, a, b)
    if len(pairs) == 1:
        panels[0].legend()
    else:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=3)
    colour_bar(figure, drawn, panels if len(pairs) > 1 else panels[0], "evaluation")
    return save(figure, figures, "front")


def measured_of(campaign):
    """The measured curve [n, 2] that the runs were compared with: kept beside the first of them that has one."""
    for trial in campaign.done():
        path = os.path.join(campaign.evaluation(trial), "measured.csv")
        if os.path.isfile(path):
            return np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    return None


def curves(campaign, figures):
    """J over H of the runs, coloured by what they reached; the best on top."""
    goal = campaign.goals[0]
    drawn = []
    for trial in campaign.done()[-CURVES:]:
        try:
            drawn.append((goal.loss(trial.y[goal.name]), trial, main_branch(read_curve(campaign.evaluation(trial)))))
        except (Unusable, OSError):
            continue  # no run of demag, or tidied away
    if not drawn:
        return None
    drawn.sort(key=lambda d: -d[0])
    figure, axes = plt.subplots(figsize=(0.75 * WIDE, 3.0), layout="constrained")
    low, high = min(d[0] for d in drawn), max(d[0] for d in drawn)
    logarithmic = goal.sign > 0 and low > 0 and high > 30 * low
    norm = LogNorm(low, high) if logarithmic else Normalize(low, high if high > low else low + 1)
    for loss, _, table in drawn:
        axes.plot(table["mu0_Hext_T"], table["J_T"], color=plt.get_cmap("viridis_r")(norm(loss)), lw=0.6)
    measured = measured_of(campaign)
    if measured is not None:
        axes.plot(measured[:, 0], measured[:, 1], "o", ms=3, mfc="none", mec="black", mew=0.7, label="measured")
    if len(campaign.goals) == 1:
        axes.plot(drawn[-1][2]["mu0_Hext_T"], drawn[-1][2]["J_T"], color=SECOND, lw=1.8, label="best (%d)" % drawn[-1][1].number)
    axes.axhline(0, color=GREY, lw=0.6)
    axes.axvline(0, color=GREY, lw=0.6)
    axes.set_xlabel(r"$\mu_0H$ (T)")
    axes.set_ylabel(r"polarization $J$ (T)")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best")
    if goal.sign < 0:  # the bar in values of the goal; the largest, the best, stays the brightest
        colour_bar(figure, ScalarMappable(Normalize(-norm.vmax, -norm.vmin), "viridis"), axes, goal.name)
    else:
        colour_bar(figure, ScalarMappable(norm, "viridis_r"), axes, goal.name if goal.target is None else "distance of %s from %g" % (goal.name, goal.target))
    return save(figure, figures, "curves")


def parts(campaign):
    return [convergence, front, curves] + (campaign_model.PARTS if campaign.model else [])


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "optimize", parts, read=Campaign))
