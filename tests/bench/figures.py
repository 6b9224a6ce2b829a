"""Figures of the bench: how cost grows with nodes and ranks, and where along a branch the evaluations go."""
import math
import os
import sys

# behind the parts of the bench, which have names of their own like grains and topology
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "postprocess", "plot"))
from matplotlib.ticker import NullFormatter
from style import GREY, LINE, SECOND, WIDE, plt, save


def exponent(points, key):
    """Least-squares slope of log(key) over log(nodes)."""
    x, y = [math.log(p["nodes"]) for p in points], [math.log(p[key]) for p in points]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


def power(axes, x, y, p, label):
    """The power p through the first point."""
    axes.plot(x, [y[0] * (v / x[0]) ** p for v in x], "--", color=GREY, lw=1, label=label)


def finish(axes, xlabel, ylabel):
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", bbox_to_anchor=(-0.05, 1.0), handlelength=1.4)  # above: lines may pass anywhere inside


def growth(points, name, folder):
    """name: of the figure."""
    n = [p["nodes"] for p in points]
    figure, (time, count, memory) = plt.subplots(1, 3, figsize=(WIDE, 2.3), gridspec_kw=dict(wspace=0.6))
    time.loglog(n, [p["path"] for p in points], "o-", color=LINE, ms=4, label="wall, field path")
    time.loglog(n, [p["processor"] for p in points], "s-", color=SECOND, ms=4, label="processor, run")
    power(time, n, [p["path"] for p in points], 1.15, r"$N^{1.15}$")
    finish(time, "nodes", "s")
    for key, over, colour, label in (("iterations", None, LINE, "iterations / 100"), ("demag_iterations", "evaluations", SECOND, "CG per evaluation"),
                                     ("inner_iterations", "iterations", GREY, "inner CG per iteration")):
        count.semilogx(n, [p[key] / (p[over] if over else 100) for p in points], "o-", ms=4, color=colour, label=label)
    count.set_ylim(0, None)
    finish(count, "nodes", "number")
    memory.semilogx(n, [p["bytes"] for p in points], "o-", color=LINE, ms=4)
    memory.axhline(2500, color=GREY, ls="--", lw=1)
    memory.set_ylim(0, None)
    finish(memory, "nodes", "bytes per node, peak\n(less a run's on 424)")
    for axes in (time, count, memory):
        axes.set_xticks(n)
        axes.set_xticklabels(["%.3g M" % (v / 1e6) if v >= 1e6 else "%.0f k" % (v / 1e3) for v in n])
        axes.xaxis.set_minor_formatter(NullFormatter())
    save(figure, folder, "growth_" + name)


def ranks(points, folder):
    n = [p["ranks"] for p in points]
    figure, (message, volume, memory) = plt.subplots(1, 3, figsize=(WIDE, 2.3), gridspec_kw=dict(wspace=0.6))
    some = [p for p in points if p["messages"]]
    if some:
        message.loglog([p["ranks"] for p in some], [p["messages"] for p in some], "o-", color=LINE, ms=4)
        volume.loglog([p["ranks"] for p in some], [p["bytes"] / 1e6 for p in some], "o-", color=LINE, ms=4)
    finish(message, "ranks", "messages an evaluation\n(busiest rank)")
    finish(volume, "ranks", "MB an evaluation\n(busiest rank)")
    memory.loglog(n, [p["memory"] for p in points], "o-", color=SECOND, ms=4, label="whole")
    memory.loglog(n, [p["own"] for p in points], "s-", color=LINE, ms=4, label="less a run's on 424 nodes")
    power(memory, n, [p["own"] for p in points], -1, "1/ranks")
    finish(memory, "ranks", "MiB, largest rank")
    for axes in (message, volume, memory):
        axes.set_xscale("log", base=2)
        axes.set_xticks(n)
        axes.set_xticklabels(["%d" % v for v in n])
    save(figure, folder, "ranks")


def steps(c, event, folder):
    """c: columns of curve.csv; event: row of the first event."""
    figure, axes = plt.subplots(figsize=(3.4, 2.3))
    H = c["mu0_Hext_T"][:event]
    axes.plot(H, c["evaluations"][:event], "o-", color=LINE, ms=3, label="energy evaluations")
    axes.plot(H, c["demag_iterations"][:event], "s-", color=SECOND, ms=3, label="CG iterations of the potential")
    axes.axhline(3, color=GREY, ls="--", lw=1)
    axes.set_ylim(0, None)
    axes.invert_xaxis()
    finish(axes, r"$\mu_0H$ (T)", "a field step of 0.1 T")
    save(figure, folder, "steps")
