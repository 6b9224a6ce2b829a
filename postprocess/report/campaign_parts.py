"""The sections of the page of a campaign: what was found, how it went, what the model says, what failed."""
import os
import sys

import numpy as np

import members
from page import box, details, number, picture, seconds, table, text, tiles
from run_parts import figures, files, input_of, timings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "plot"))
from campaign import Campaign

CAPTIONS = {
    "convergence": "What came out, in the order in which the points were proposed, and the best so far. White: spread over the space; blue: chosen by the model.",
    "front": "All points; those on the front are not beaten by any other in all numbers. Of more than two goals, over each pair of them: grey, the front that these two would have alone.",
    "curves": "Demagnetization curves of the runs, coloured by what they reached.",
    "slices": "What the model expects along each variable through the best point (star), with two standard deviations. Grey points: the evaluations, which lie elsewhere in the "
              "other variables. Below, in orange: where it would look next (acquisition, largest 1).",
    "planes": "The same over pairs of the variables that matter most, through the best point: expected value, its uncertainty, and where it would look next. Points: the evaluations.",
    "importance": "Share of the variance that each variable explains when all vary over their whole ranges (Sobol' indices of the model): by itself, and with its interactions.",
    "trust": "Each evaluation against what the model says of it without having seen it. Where these points lie far from the line, do not trust the slices above.",
    "posterior": "Values of the variables that explain the data within the given scatter, drawn from the model: each alone, and pairs. A long thin cloud: the data know only a combination of the two.",
}
ORDER = (("How it went", ("convergence", "curves", "front")), ("What the model expects", ("slices", "planes")), ("Which variables matter", ("importance",)),
         ("What the data say of the variables", ("posterior",)), ("Can the model be trusted", ("trust",)))
TOP = 10


def read(folder):
    """The campaign of a folder; None where there is none."""
    return Campaign(folder) if os.path.isfile(os.path.join(folder, "database.jsonl")) else None


def headline(campaign):
    count = lambda *which: sum(t.status in which for t in campaign.trials)
    pairs, best = [], campaign.best()
    if best and len(campaign.goals) == 1:
        goal = campaign.goals[0]
        pairs.append(("%s %s, evaluation %d" % ("best" if goal.target is None else "nearest", goal.name, best.number), number(float(best.y[goal.name]))))
        pairs += [(name, value if isinstance(value, str) else number(float(value))) for name, value in best.x.items()]
    elif best:
        pairs.append(("points on the front", number(len(campaign.front()))))
    pairs.append(("evaluations done", number(count("done"))))
    for name, which in (("failed", ("failed",)), ("under way or waiting", ("started", "waiting"))):
        if count(*which):
            pairs.append((name, number(count(*which))))
    if campaign.begun and campaign.last and campaign.last > campaign.begun:
        pairs.append(("from first to last event", seconds((campaign.last - campaign.begun).total_seconds())))
    return tiles(pairs)


def row(campaign, trial):
    who = {"spread": "spread", "model": "model", "person": trial.by}[trial.kind()]
    cost = seconds(trial.cost) if isinstance(trial.cost, (int, float)) else None
    return ([str(trial.number), trial.status] + [v if isinstance(v, str) else float(v) for v in (trial.x[n] for n in campaign.variables)] +
            [trial.y.get(g.name) for g in campaign.goals] + [who, cost, trial.reason or ""])


def trial_table(campaign, trials, best=()):
    header = ["", "status"] + campaign.variables + [g.name for g in campaign.goals] + ["proposed by", "cost", "reason"]
    marks = ["best" if t.number in best else "failed" if t.status == "failed" else "" for t in trials]
    return table(header, [row(campaign, t) for t in trials], marks, words=(1, len(header) - 3, len(header) - 1))


def found(campaign):
    """The best points, or the front."""
    if not campaign.done():
        return "<p>No evaluation is done yet.</p>"
    if len(campaign.goals) > 1:
        return "<p>Points that no other one beats in all numbers:</p>" + trial_table(campaign, campaign.front())
    goal = campaign.goals[0]
    first = sorted(campaign.done(), key=lambda t: goal.loss(t.y[goal.name]))[:TOP]
    return "<p>%s</p>%s" % (text("The best %d; %s." % (len(first), goal.wanted())), trial_table(campaign, first, best={first[0].number}))


def stale(campaign):
    lines = []
    if campaign.done() and not campaign.model:
        lines.append("no model.json, so nothing of what the model expects: magtwin optimize INPUT model writes it")
    elif campaign.model and campaign.model.get("lines") != campaign.lines:
        lines.append("the model is of the first %d points; there are %d events more since: magtwin optimize INPUT model writes it anew"
                     % (campaign.model["trials"], campaign.lines - campaign.model["lines"]))
    return lines


def share(value):
    return "%.0f %%" % (100 * value)


def posterior(campaign):
    """Table of the posterior, and what cannot be told apart, in words."""
    kept = (campaign.model or {}).get("posterior")
    if not kept:
        return ""
    rows = [[v["variable"]] + [x if x is None or isinstance(x, str) else float(x) for x in (v.get("low"), v["middle"], v.get("high"))] + [share(v["narrowed"])] for v in kept["variables"]]
    parts = ["<p>Between the two outer columns lie 90 of 100 draws. Last column: width of the draws over the width of the range that was searched; near 100 % the data say nothing.</p>",
             table(("variable", "5 %", "middle", "95 %", "width left"), rows)]
    unknown = [v["variable"] for v in kept["variables"] if v["narrowed"] > 0.7]
    if unknown:
        parts.append("<p>The data say little or nothing of: <b>%s</b>.</p>" % text(", ".join(unknown)))
    for pair in kept["together"]:
        parts.append("<p>The data cannot tell <b>%s</b> and <b>%s</b> apart: a larger value of one is made good by a %s one of the other (correlation %+.2f).</p>" % (
            text(pair["variables"][0]), text(pair["variables"][1]), "smaller" if pair["correlation"] < 0 else "larger", pair["correlation"]))
    if kept["open"] > 0.1:
        parts.append("<p>Not settled: of all that the model cannot exclude, %s lies where it is not sure itself (its uncertainty exceeds the scatter). More evaluations there would tell.</p>" % share(kept["open"]))
    if not unknown and not kept["together"]:
        parts.append("<p>Every variable is told by the data on its own.</p>")
    return "".join(parts)


def costs(campaign):
    spent = [t.cost for t in campaign.told() if isinstance(t.cost, (int, float))]
    if not spent:
        return ""
    return "<p>%d evaluations with a known cost: %s in all, %s in the middle, %s at most. Costs of runs are wall times.</p>" % (
        len(spent), text(seconds(sum(spent))), text(seconds(float(np.median(spent)))), text(seconds(max(spent))))


def under_way(campaign):
    waiting = [t for t in campaign.trials if t.status in ("started", "waiting")]
    return "<p>Under way or waiting:</p>" + trial_table(campaign, waiting) if waiting else ""


def failures(campaign):
    failed = [t for t in campaign.trials if t.status == "failed"]
    return trial_table(campaign, failed) if failed else ""


def fill(page, folder, summary, campaign, drawn, trouble):
    page.above(headline(campaign) + box("warn", "Warnings", (summary.get("warnings") or []) + stale(campaign) + members.warnings([campaign.evaluation(t) for t in campaign.done()])) + box("bad", "Not on this page", trouble))
    page.add("What was found", found(campaign) + under_way(campaign))
    shown = set()
    for title, names in ORDER:
        shown.update(names)
        inside = "".join(picture(drawn[n], CAPTIONS[n]) for n in names if n in drawn)
        page.add(title, inside + (posterior(campaign) if "posterior" in names else ""))
    page.add("More figures", figures(drawn, lambda n: n not in shown))
    page.add("What failed", failures(campaign))
    page.add("All points", details("%d points" % len(campaign.trials), trial_table(campaign, campaign.trials)))
    page.add("Where the time went", costs(campaign) + timings(summary))
    page.add("What was searched", table(("variable", "kind and range"), [(n, " ".join(campaign.ranges[n])) for n in campaign.variables], words=(1,)) +
             table(("goal", ""), [(g.name, g.wanted()) for g in campaign.goals], words=(1,)))
    page.add("Input", input_of(summary) if summary else "")
    page.add("Files", files(folder))
