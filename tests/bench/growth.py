"""How a loop's time grows with the number of nodes: by more grains of one size, and by smaller elements in the same magnet."""
import os

import figures
import measure
from measure import OUT

ASKED = "asked of this program"
# Fixed steps where meshes are compared: how often an adaptive path tries again depends on where the grains of a mesh turn.
FIXED = "field.segments=[{to: -6 T, step: 0.25 T, mode: fixed}]"
GRAINS = {"quick": [30851], "normal": [50000, 100000], "full": [50000, 100000, 300000]}
# Element sizes of one magnet, nm.  The last has a million nodes.
MAGNET = ["grains.count=27", "grains.box=[74 nm, 74 nm, 74 nm]"]
REFINED = {"quick": [3], "normal": [2.4, 1.85], "full": [2.4, 1.85, 1.3, 0.84]}
# The mesh of `million`: rounder grains than the rest of the bench, whose 259 leave no room for their phase at six places.
MILLION = ["grains.count=259", "grains.box=[159.4 nm, 159.4 nm, 159.4 nm]", "grains.lloyd=20", "mesh.size=1.85 nm"]


def point(bench, name, overrides, ranks=1):
    """Runs a loop, adds its lines, and returns what the growth is made of."""
    mesh = measure.mesh(bench.build, name, *overrides)
    summary = measure.demag(bench.build, "growth_" + name, mesh, FIXED, ranks=ranks)
    c, base = summary["counts"], bench.base_memory(ranks)
    at = ", %d nodes, %d rank%s" % (c["nodes"], ranks, "s"[:ranks - 1])
    full = ranks * measure.memory(summary) * 2**20 / c["nodes"]
    own = full - ranks * base * 2**20 / c["nodes"]
    bench.method(summary, at)
    bench.speed(summary, ranks, at)
    bench.at_most("bytes per node at the peak, less a run's on 424 nodes" + at, own, "B", 2500, ASKED)
    bench.note("bytes per node at the peak, nothing taken off" + at, full, "B")
    return {"nodes": c["nodes"], "path": measure.path_seconds(summary), "processor": summary["measured"]["processor"],
            "iterations": c["iterations"], "evaluations": c["evaluations"], "demag_iterations": c["demag_iterations"],
            "inner_iterations": c["inner_iterations"], "bytes": own, "summary": summary, "mesh": mesh}


def exponents(bench, points, what):
    if len(points) < 2:
        return
    bench.at_most("growth of the loop's wall time, %s: exponent of N" % what, figures.exponent(points, "path"), "", 1.15, ASKED)
    bench.note("the same of the whole run's processor time", figures.exponent(points, "processor"))
    bench.note("the same of its iterations", figures.exponent(points, "iterations"))
    figures.growth(points, what.replace(" ", "_"), os.path.join(OUT, "figures"))


def grains(bench, size):
    """Grains of 25 nm, so that only their number grows."""
    points = [point(bench, "%d" % n, measure.polycrystal(n)) for n in GRAINS[size]]
    exponents(bench, points, "more grains")
    two_ranks(bench, points[min(1, len(points) - 1)])


def two_ranks(bench, one):
    """The loop of `one` again on 2 ranks."""
    summary = measure.demag(bench.build, "growth_pair", one["mesh"], FIXED, ranks=2)
    at, seconds = ", %d nodes" % one["nodes"], measure.path_seconds(summary)
    bench.note("field path%s, 2 ranks" % at, seconds, "s")
    bench.note("minimizer iterations%s, 2 ranks" % at, summary["counts"]["iterations"])
    bench.note("memory of both ranks together" + at, 2 * measure.memory(summary) / 1024, "GiB")
    bench.at_least("speed-up of 2 ranks" + at, one["path"] / seconds, "", 1.7, ASKED)


def refined(bench, size):
    points = [point(bench, "refined_%g" % h, MAGNET + ["mesh.size=%g nm" % h]) for h in REFINED[size]]
    exponents(bench, points, "smaller elements")
    if size == "full":
        two_ranks(bench, points[-1])


def million(bench):
    last = point(bench, "million", MILLION, 2)
    bench.at_most("memory of both ranks together, %d nodes" % last["nodes"], 2 * measure.memory(last["summary"]) / 1024, "GiB", 24, ASKED)
