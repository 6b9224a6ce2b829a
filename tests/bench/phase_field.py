"""Part `evolve` of the bench: what the models of `magtwin evolve` cost, step by step, and what it follows.

Steps are of equal length, so that all runs of a model do the same: time is that of the steps alone, without lines and files."""
import csv
import json
import os
from collections import namedtuple

import measure
from figures import LINE, SECOND, WIDE, plt, save

ASKED = "asked of this program"
INPUTS, PHYSICS = os.path.join(measure.support.ROOT, "inputs"), os.path.join(measure.support.ROOT, "tests", "physics", "inputs")
Model = namedtuple("Model", "source overrides spacing step steps values")  # nm, s; values moved at a node, None: pairs of node and grain
MODELS = {
    "Cahn-Hilliard, 2-D": Model(os.path.join(INPUTS, "evolve.yaml"), [], 0.5, 0.25, 40, 1),
    "Allen-Cahn, 3-D": Model(os.path.join(PHYSICS, "shrinking.yaml"),
                             ["box.size=[40 nm, 40 nm, 40 nm]", "phasefield.initial_formula=0.5*(1 - tanh((sqrt(x^2 + y^2 + z^2) - 28)/2))"], 0.8, 0.5, 30, 1),
    "grain growth, 3-D": Model(os.path.join(PHYSICS, "normal_growth.yaml"),
                               ["box.size=[50 nm, 50 nm, 50 nm]", "phasefield.grains=60", "phasefield.boundary.width=4 nm", "phasefield.threshold=1e-3"], 1, 0.5, 20, None),
    "two phases, 2-D": Model(os.path.join(PHYSICS, "zener.yaml"), ["box.size=[120 nm, 60 nm, 0 nm]"], 0.4, 0.05, 40, 2),
    "diffusion, 2-D": Model(os.path.join(PHYSICS, "gb_slab.yaml"), ["box.size=[60 nm, 150 nm, 0 nm]"], 0.25, 0.1, 60, 1),
}
GROWTH = MODELS["grain growth, 3-D"]
# Edges h, of which the second run has h/4.
REFINED = {
    "Cahn-Hilliard": (MODELS["Cahn-Hilliard, 2-D"]._replace(steps=20), 4),
    "Allen-Cahn": (Model(os.path.join(PHYSICS, "shrinking.yaml"), [], 2, 0.5, 20, 1), 2),
    "two phases": (MODELS["two phases, 2-D"]._replace(overrides=["box.size=[60 nm, 12 nm, 0 nm]"], steps=20), 0.8),
    "diffusion": (Model(os.path.join(PHYSICS, "gb_slab.yaml"), [], 1, 0.1, 20, 1), 1),
}
# Of grain growth h/2 alone: it is preconditioned by a sweep of Gauss and Seidel, iterations count the nodes across an interface.
WIDE_BOUNDARIES = GROWTH._replace(overrides=["box.size=[50 nm, 50 nm, 50 nm]", "phasefield.grains=20", "phasefield.boundary.width=8 nm", "phasefield.threshold=1e-2"], steps=4)
LAYERS = Model(os.path.join(PHYSICS, "growth.yaml"), ["box.size=[256 nm, 24 nm, 24 nm]", "box.periodic=xyz", "phasefield.boundary.width=5 nm"], 1, 0.5, 8, None)
REPEATS = 5
COARSER = {"quick": 2, "normal": 1, "full": 0.5}
EDGE = {"quick": 30, "normal": 50, "full": 80}  # nm, of the box of grain growth
SHARES = ["assembly", "preconditioner", "linear solves", "forces", "energies", "lists of grains", "lines and files"]


def seconds(summary, phase, kind="wall"):
    return summary["phases"].get(phase, {}).get(kind, {"value": 0})["value"]


def rows(folder):
    with open(os.path.join(folder, "evolve.csv"), newline="") as f:
        table = list(csv.DictReader(f))
    return {name: [float(row[name]) for row in table] for name in table[0]}


def last_of(overrides):
    """Of those of one key the last."""
    return list({text.split("=", 1)[0]: text for text in overrides}.values())


class Run:
    """A run of a model in equal steps, and its counts."""

    def __init__(self, build, name, model, spacing, *more, ranks=1, steps=None):
        folder, steps = os.path.join(measure.OUT, "run_evolve_" + name), steps or model.steps
        end = model.step * steps
        equal = ["box.spacing=%g nm" % spacing, "evolve.tolerance=0", "evolve.first_step=%g s" % model.step, "evolve.end=%g s" % end,
                 "evolve.interval=%g s" % (model.step * max(1, steps // 4)), "evolve.snapshots=[]", "evolve.snapshot_interval=%g s" % end]
        measure.magtwin(build, "evolve", model.source, "output.folder=" + folder, "--force", *last_of(model.overrides + equal + list(more)), ranks=ranks)
        with open(os.path.join(folder, "summary.json")) as f:
            self.summary = json.load(f)
        counts, table = self.summary["counts"], rows(folder)
        self.ranks, self.nodes, self.steps = ranks, counts["nodes"], counts["steps"] + counts["rejected"]
        self.values = model.values * self.nodes if model.values else sum(table["pairs"][1:]) / len(table["pairs"][1:])
        self.newton, self.linear = counts["newton_iterations"] / self.steps, counts["linear_iterations"] / self.steps
        self.wall = seconds(self.summary, "time") - seconds(self.summary, "lines and files")
        self.processor = seconds(self.summary, "time", "processor_all_ranks") - seconds(self.summary, "lines and files", "processor_all_ranks")
        self.area = next((value[-1] for name, value in table.items() if name.startswith("interface_")), None)

    def share(self, phase):
        return seconds(self.summary, phase) / seconds(self.summary, "time")

    def own_memory(self, base):
        """Bytes a node beyond those of a tiny run."""
        return self.ranks * (measure.memory(self.summary) - base) * 2**20 / self.nodes


def name_of(model):
    return model.split(",")[0].lower().replace(" ", "_").replace("-", "_")


def sized(model, size):
    """Finer, but of grain growth, where boundaries keep their edges and the box grows."""
    if model is not GROWTH:
        return model._replace(spacing=model.spacing * COARSER[size])
    edge = EDGE[size]
    return model._replace(overrides=model.overrides + ["box.size=[%d nm, %d nm, %d nm]" % (edge, edge, edge), "phasefield.grains=%d" % round(60 * (edge / 50)**3)])


def speed(bench, size):
    """Values moved per second and core, shares, and 2 ranks beside 1."""
    shares = {}
    for model, spec in MODELS.items():
        spec = sized(spec, size)
        one, two = (Run(bench.build, "%s_%d" % (name_of(model), ranks), spec, spec.spacing, ranks=ranks) for ranks in (1, 2))
        at = ", %s, %d nodes" % (model, one.nodes)
        for run in (one, two):
            bench.note("degrees of freedom (values moved a step) per second and core%s, %d rank%s" % (at, run.ranks, "s"[:run.ranks - 1]),
                       run.values * run.steps / (run.wall * run.ranks), "1/s")
        bench.note("the same per second of the processor, 1 rank" + at, one.values * one.steps / one.processor, "1/s")
        shares[model] = {phase: one.share(phase) for phase in SHARES}
        shares[model]["the rest"] = 1 - sum(shares[model].values())
        for phase, share in shares[model].items():
            if share > 0:
                bench.note("share of %s%s" % (phase, at), share)
        bench.at_most("Newton iterations a step" + at, one.newton, "", 5, ASKED)
        bench.note("linear iterations a step" + at, one.linear)
        bench.at_least("speed-up of 2 ranks" + at, one.wall / two.wall, "", 1.7, ASKED)
        bench.note("processor time of 1 rank over that of 2 together" + at, one.processor / two.processor)
        bench.note("linear iterations of 2 ranks over those of 1" + at, two.linear / one.linear)
    return shares


def refined(bench):
    """Iterations a step with edges of h and h/4."""
    points = {}
    for name, (model, h) in REFINED.items():
        coarse, fine = points[name] = [Run(bench.build, "refined", model, edge) for edge in (h, h / 4)]
        at = ", %s, %d and %d nodes" % (name, coarse.nodes, fine.nodes)
        bench.at_most("Newton iterations a step, h/4 over h" + at, fine.newton / coarse.newton, "", 1.3, ASKED)
        bench.at_most("linear iterations a step, h/4 over h" + at, fine.linear / coarse.linear, "", 1.3, ASKED)
    coarse, fine = points["grain growth"] = [Run(bench.build, "refined", WIDE_BOUNDARIES, edge) for edge in (2, 1)]
    bench.note("linear iterations a step, h/2 over h, grain growth, %d and %d nodes" % (coarse.nodes, fine.nodes), fine.linear / coarse.linear)
    return points


def layers(bench, base):
    """The same layers as 2, 4 and 16 grains: the same boundaries, whatever their number.  The least of some runs of each in turn: one run of a second varies by
    a fifth from one to the next."""
    runs, counts = {}, (2, 4, 16)
    for grains in REPEATS * counts:
        formula = "phasefield.initial_formula=k = floor(x/16); k - %d*floor(k/%d)" % (grains, grains)
        runs.setdefault(grains, []).append(Run(bench.build, "layers_%d" % grains, LAYERS, 1, formula))
    runs = [min(runs[grains], key=lambda run: run.processor) for grains in counts]
    for grains, run in zip(counts, runs):
        at = ", 16 layers as %d grains, %d nodes" % (grains, run.nodes)
        bench.note("pairs of node and grain" + at, run.values)
        bench.note("linear iterations a step" + at, run.linear)
        bench.note("processor time a step" + at, run.processor / run.steps, "s")
        bench.note("memory of a node, less a small run's" + at, run.own_memory(base), "B")
    for what, value in (("processor time a step", lambda r: r.processor / r.steps), ("memory of a node, less a small run's", lambda r: r.own_memory(base))):
        bench.at_most("%s of 16 grains over that of 2, the same boundaries" % what, value(runs[-1]) / value(runs[0]), "", 1.1, "independent of the number of grains")


def boundaries(bench, base, size):
    """Random grains, ever more of them in one box: cost beside the area of their boundaries."""
    counts = {"quick": (4, 32), "normal": (4, 16, 64), "full": (4, 16, 64, 256)}[size]
    runs = []
    for grains in counts:
        runs.append(Run(bench.build, "boundaries_%d" % grains, GROWTH, 1, "phasefield.grains=%d" % grains, steps=8))
        run, at = runs[-1], ", %d random grains, %d nodes" % (grains, runs[-1].nodes)
        bench.note("area of boundaries" + at, run.area, "nm2")
        bench.note("pairs of node and grain" + at, run.values)
        bench.note("processor time a step" + at, run.processor / run.steps, "s")
        bench.note("the same over pairs" + at, run.processor / run.steps / run.values, "s")
        bench.note("memory of a node, less a small run's" + at, run.own_memory(base), "B")
    first, last = runs[0], runs[-1]
    bench.at_most("processor time a step over pairs, %d grains over %d" % (counts[-1], counts[0]), last.processor / last.values * first.values / first.processor, "", 1.2,
                  "cost follows the boundaries")
    return runs


def draw(shares, points, runs):
    figure, (share, iteration, cost) = plt.subplots(1, 3, figsize=(WIDE, 2.6), layout="constrained", gridspec_kw=dict(width_ratios=(1.5, 1, 1)))
    left = [0.0] * len(shares)
    for k, phase in enumerate(SHARES + ["the rest"]):
        values = [shares[model][phase] for model in shares]
        share.barh(range(len(shares)), values, left=left, color=plt.get_cmap("tab10")(k), label=phase)
        left = [a + b for a, b in zip(left, values)]
    share.set_yticks(range(len(shares)), [model.replace(", ", ",\n") for model in shares], fontsize=6)
    share.set_xlim(0, 1)
    share.set_xlabel("share of the time")
    share.legend(loc="lower left", bbox_to_anchor=(-0.1, 1), ncols=3, fontsize=5)
    for k, (model, pair) in enumerate(points.items()):
        iteration.semilogx([run.nodes for run in pair], [run.linear for run in pair], "o-", ms=4, color=plt.get_cmap("tab10")(k), label=model)
    iteration.set_ylim(0, None)
    iteration.legend(loc="lower left", bbox_to_anchor=(-0.2, 1), fontsize=5)
    iteration.set_xlabel("nodes")
    iteration.set_ylabel("linear iterations a step")
    area = [run.area / 1000 for run in runs]
    cost.plot(area, [run.processor / run.steps for run in runs], "o-", color=LINE, ms=4, label="processor time a step (s)")
    cost.plot(area, [run.values / 1e6 for run in runs], "s--", color=SECOND, ms=4, label=r"pairs (10$^6$)")
    cost.set_xlim(0, None)
    cost.set_ylim(0, None)
    cost.legend(loc="lower left", bbox_to_anchor=(-0.2, 1), fontsize=5)
    cost.set_xlabel("boundaries (10$^3$ nm$^2$)")
    save(figure, os.path.join(measure.OUT, "figures"), "evolve")


def bench(bench, size):
    tiny = Run(bench.build, "tiny", GROWTH, 1, "box.size=[8 nm, 8 nm, 8 nm]", "phasefield.grains=1", steps=1)
    base = measure.memory(tiny.summary)
    shares = speed(bench, size)
    points = refined(bench)
    layers(bench, base)
    draw(shares, points, boundaries(bench, base, size))
