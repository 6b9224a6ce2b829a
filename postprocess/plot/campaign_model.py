"""What the model of a campaign (model.json) expects: slices, planes, importance, how far it can be trusted, posterior."""
import numpy as np
from matplotlib.ticker import MaxNLocator

from results import Unusable
from style import COLUMN, GREY, LINE, SECOND, WIDE, plt, save

ROW = 4  # slices side by side
LOGARITHMIC = ("log_ei", "log_ehvi", "pi")  # acquisitions that are logarithms: drawn as what they are the logarithm of


def acquisition_of(model, values):
    """Acquisition with its largest value 1 (log EI as EI), or from 0 to 1."""
    a = np.array([np.nan if v is None else v for v in values], float)
    if model["acquisition"] in LOGARITHMIC:
        return np.exp(a - np.nanmax(a))
    return (a - np.nanmin(a)) / max(np.nanmax(a) - np.nanmin(a), 1e-300)


def where(slice_):
    """Places on the axis: numbers, or 0, 1, .. for categories."""
    x = slice_["x"]
    return np.arange(len(x)) if isinstance(x[0], str) else np.array(x, float)


def label_axis(axes, campaign, name, x):
    if isinstance(x[0], str):
        axes.set_xticks(range(len(x)), x)
        axes.set_xlim(-0.5, len(x) - 0.5)
    else:
        axes.set_xlim(x[0], x[-1])
        if campaign.is_log(name):
            axes.set_xscale("log")
        else:
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=campaign.ranges[name][0] == "integer"))
    axes.set_xlabel(name)


def column(values):
    return np.array([np.nan if v is None else v for v in values], float)


def draw_slice(axes, campaign, cut, goal):
    x, mean, sd = where(cut), column(cut["goals"][goal.name]["mean"]), column(cut["goals"][goal.name]["sd"])
    if isinstance(cut["x"][0], str):
        axes.errorbar(x, mean, 2 * sd, fmt="s", color=LINE, ms=4, capsize=3, lw=1, zorder=3)
    else:
        axes.fill_between(x, mean - 2 * sd, mean + 2 * sd, color=LINE, alpha=0.18, lw=0)
        axes.plot(x, mean, color=LINE, zorder=3)
    name = cut["variable"]
    done = campaign.done()
    values = [cut["x"].index(t.x[name]) if isinstance(cut["x"][0], str) else t.x[name] for t in done]
    axes.plot(values, [t.y[goal.name] for t in done], "o", ms=2.5, color=GREY, mew=0, zorder=2)
    centre = next((t for t in done if t.number == campaign.model["centre"]), None)
    if centre:
        at = cut["x"].index(centre.x[name]) if isinstance(cut["x"][0], str) else centre.x[name]
        axes.plot([at], [centre.y[goal.name]], "*", ms=9, color=SECOND, mec="white", mew=0.5, zorder=4)
    if goal.target is not None:
        axes.axhline(goal.target, color=GREY, lw=0.8, ls=":")


def slices(campaign, figures):
    """A column a variable, a row a goal, and the acquisition at the bottom; many variables: the most important ones."""
    model = campaign.model
    cuts = sorted(model["slices"], key=lambda c: -weight(model, c["variable"]))[:2 * ROW]
    blocks = [cuts[k:k + ROW] for k in range(0, len(cuts), ROW)]
    rows = len(campaign.goals) + 1
    width = max(len(b) for b in blocks)
    figure, panels = plt.subplots(rows * len(blocks), width, figsize=(WIDE * (0.34 + 0.66 * width / ROW) if width < ROW else WIDE, len(blocks) * (1.7 * len(campaign.goals) + 1.1)),
                                  squeeze=False, layout="constrained", gridspec_kw=dict(height_ratios=([1.7] * len(campaign.goals) + [0.7]) * len(blocks)))
    for axes in panels.ravel():
        axes.set_visible(False)
    for b, block in enumerate(blocks):
        for k, cut in enumerate(block):
            for g, goal in enumerate(campaign.goals):
                axes = panels[b * rows + g, k]
                axes.set_visible(True)
                draw_slice(axes, campaign, cut, goal)
                label_axis(axes, campaign, cut["variable"], cut["x"])
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
                axes.set_ylabel(goal.name if k == 0 else "")
            axes = panels[b * rows + rows - 1, k]
            axes.set_visible(True)
            a = acquisition_of(model, cut["acquisition"])
            if isinstance(cut["x"][0], str):
                axes.bar(where(cut), a, 0.5, color=SECOND, alpha=0.6)
            else:
                axes.fill_between(where(cut), 0, a, color=SECOND, alpha=0.4, lw=0)
            axes.set_ylim(0, 1.08)
            axes.set_yticks([])
            axes.set_ylabel("next" if k == 0 else "")
            label_axis(axes, campaign, cut["variable"], cut["x"])
    return save(figure, figures, "slices")


def weight(model, name):
    return max((i["total"] or 0 for g in model["goals"] for i in g["importance"] if i["variable"] == name), default=0)


def planes(campaign, figures):
    """Mean, standard deviation and acquisition over pairs of variables."""
    model = campaign.model
    if not model["planes"]:
        return None
    count = 2 * len(campaign.goals) + 1
    across = count if count <= 5 else 4  # more than two goals: two of them in a row
    rows = len(model["planes"]) * -(-count // across)
    figure, panels = plt.subplots(rows, across, figsize=(2.35 * across if across < 4 else WIDE * 1.3, 2.1 * rows + 0.2), squeeze=False, layout="constrained")
    for row, plane in zip(panels.reshape(len(model["planes"]), -1), model["planes"]):
        for axes in row[count:]:
            axes.remove()
        x, y = np.array(plane["x"]), np.array(plane["y"])
        shape = (len(y), len(x))
        drawn = []
        for goal in campaign.goals:
            g = plane["goals"][goal.name]
            drawn += [(column(g["mean"]).reshape(shape), "viridis", "expected %s" % goal.name),
                      (column(g["sd"]).reshape(shape), "magma_r", "uncertainty of %s" % goal.name)]
        drawn.append((acquisition_of(model, plane["acquisition"]).reshape(shape), "Oranges", "where to look next"))
        for axes, (z, colours, title) in zip(row, drawn):
            image = axes.pcolormesh(x, y, z, cmap=colours, shading="nearest", rasterized=True)
            done = campaign.done()
            axes.plot([t.x[plane["variables"][0]] for t in done], [t.x[plane["variables"][1]] for t in done], "o", ms=2.2, mfc="white", mec="black", mew=0.4)
            label_axis(axes, campaign, plane["variables"][0], plane["x"])
            axes.set_ylim(y[0], y[-1])
            if campaign.is_log(plane["variables"][1]):
                axes.set_yscale("log")
            axes.set_ylabel(plane["variables"][1])
            axes.set_title(title)
            figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02, aspect=22)
    return save(figure, figures, "planes")


def importance(campaign, figures):
    model = campaign.model
    names = sorted(campaign.variables, key=lambda n: weight(model, n))[-20:]
    figure, panels = plt.subplots(1, len(model["goals"]), figsize=(COLUMN * 1.25 * len(model["goals"]), 0.6 + 0.26 * len(names)), squeeze=False, layout="constrained")
    for axes, goal in zip(panels[0], model["goals"]):
        table = {i["variable"]: i for i in goal["importance"]}
        at = np.arange(len(names))
        axes.barh(at, [table[n]["total"] or 0 for n in names], 0.7, color=LINE, alpha=0.3, label="with interactions")
        axes.barh(at, [table[n]["first"] or 0 for n in names], 0.36, color=LINE, label="alone")
        axes.set_yticks(at, names)
        axes.set_xlim(0, max(1, max(table[n]["total"] or 0 for n in names) * 1.05))
        axes.set_xlabel("share of the variance of %s" % goal["name"])
    panels[0, -1].legend(loc="lower right")
    return save(figure, figures, "importance")


def trust(campaign, figures):
    model = campaign.model
    told = {t.number: t for t in campaign.done()}
    figure, panels = plt.subplots(1, len(model["goals"]), figsize=(COLUMN * 0.95 * len(model["goals"]), 2.9), squeeze=False, layout="constrained")
    for axes, goal in zip(panels[0], model["goals"]):
        rows = [(told[r["id"]].y[goal["name"]], r["mean"], r["sd"]) for r in goal["left_out"] if r["id"] in told]
        if not rows:
            raise Unusable("model.json belongs to other trials: run magtwin optimize INPUT model")
        y, mean, sd = np.array(rows).T
        low, high = min(y.min(), mean.min()), max(y.max(), mean.max())
        axes.plot([low, high], [low, high], color=GREY, lw=0.8)
        axes.errorbar(y, mean, 2 * sd, fmt="o", ms=3, color=LINE, lw=0.6)
        inside = np.mean(np.abs(mean - y) <= 2 * sd + 1e-12 * np.abs(y))
        error = np.sqrt(np.mean((mean - y)**2) / max(np.var(y), 1e-300))
        axes.set_title("error %.2g of the scatter;\n%d %% within 2 sd" % (error, round(100 * inside)))
        axes.set_xlabel("%s, told" % goal["name"])
        axes.set_ylabel("%s, expected without it" % goal["name"])
        pad = 0.05 * max(high - low, 1e-12)
        axes.set_xlim(low - pad, high + pad)
        axes.set_ylim(low - 3 * pad, high + 3 * pad)
    return save(figure, figures, "trust")


def posterior(campaign, figures):
    """Draws of the posterior: marginals on the diagonal, pairs below."""
    found = campaign.model.get("posterior")
    if not found:
        return None
    names = [v["variable"] for v in found["variables"]][:6]
    draws = {v["variable"]: v["draws"] for v in found["variables"]}
    n = len(names)
    figure, panels = plt.subplots(n, n, figsize=(min(WIDE, 1.9 * n), min(WIDE, 1.75 * n)), squeeze=False, layout="constrained")
    best = campaign.best()
    for i, below in enumerate(names):
        for j, across in enumerate(names):
            axes = panels[i, j]
            if j > i:
                axes.set_visible(False)
                continue
            values = campaign.model["ranges"][across]
            place = lambda name, v: [campaign.model["ranges"][name].index(w) for w in v] if isinstance(v[0], str) else v
            x = place(across, draws[across])
            if i == j:
                axes.hist(x, len(values) if isinstance(values[0], str) else 24, color=LINE, alpha=0.75)
                axes.set_yticks([])
            else:
                axes.plot(x, place(below, draws[below]), ".", ms=1.6, color=LINE, alpha=0.35, mew=0)
                if best:
                    axes.plot(place(across, [best.x[across]]), place(below, [best.x[below]]), "*", color=SECOND, ms=8, mec="white", mew=0.5)
                if not isinstance(campaign.model["ranges"][below][0], str):
                    axes.set_ylim(*campaign.model["ranges"][below])
            label_axis(axes, campaign, across, values)
            axes.set_ylabel(below if j == 0 and i else "")
            if i < n - 1:
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
            if j and i != j:
                axes.tick_params(labelleft=False)
    return save(figure, figures, "posterior")


PARTS = [slices, planes, importance, trust, posterior]
