"""The sections of the page of one run: numbers, warnings, figures, tables, mesh, timings, input, files."""
import csv
import os
import sys

from page import box, details, number, picture, seconds, table, text, tiles
from tables import ROWS, group_table, list_table, plain, value_of, words

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "plot"))
from results import quantity

# what a figure of magtwin plot shows; in the order of the page
CAPTIONS = {
    "curve": "Polarization J and flux density B against the applied field and, dashed, the internal one.",
    "angles": "The curves at several angles of the field, and the coercive field against the angle.",
    "reversal": "Curves that begin on the path, and what they say together.",
    "switching_field": "The field at which each node reversed, on the surface and on two cuts. Stars: where events began.",
    "states": "The magnetization before and after the first and the largest event. Lines: boundaries of the grains.",
    "nucleus": "The softest mode before these events: where the magnet was about to turn.",
    "dynamics": "The mean magnetization, the energies and, where it changes, the applied field against time.",
    "barrier": "Energy along the paths, and the barrier against the field.",
    "diagrams": "Pairs of birth and death of all images.",
    "images": "Persistence images, mean over the series, and the Betti curve of every image.",
    "pixels": "Where the features that last longest are born and die.",
    "grains": "Sizes, shapes, neighbours and contacts of the grains.",
    "labels": "The grains on three planes through the middle.",
    "mesh": "Grains and grain-boundary phase on a cut, and the mesh of a triple junction.",
    "scores": "The samples in the plane of the first two components, and the share of the variance of each.",
    "invert": "The misfit, and the parameters with two deviations on either side, iteration by iteration. Red: the estimate.",
    "snapshots": "Observed, computed, and their difference over the noise.",
    "taylor": "The gradient against differences: what it leaves must fall as the square of the step.",
    "evolve": "Energies, phase fraction, interface and time step against time; of grain growth, mean radius and number of grains.",
    "fields": "The composition, order parameter or grains at the times kept.",
    "bands": "Energy of the pictures by scale and direction of the waves: the mean, and every picture.",
    "estimates": "Parameters estimated of pictures that the model had not seen, against the known ones.",
    "peaks": "Spectrum, best fit and what it leaves; free energy of every number of peaks, the best at 0.",
    "unmix": "Map and spectrum of each component.",
    "landscape": "The energy against the component, passes from valley to top, and all terms along the series, at fixed field.",
    "forces": "Derivatives of the energy terms along the component: where above zero while the component grows, that term holds; below, it drives.",
    "maps": "Where: contributions to the followed energy. Red resists, blue promotes.",
    "pictures": "The same laid on the pixels that belong to each feature; its mean over the pixels is the change of the energy.",
    "places": "Features of the first and the last sample where they are born: red resists, blue promotes.",
    "regression": "Ridge regression of each term on what is seen: score on samples held out, and the share of permuted series that score as well.",
    "loadings": "The first components, as what they are of.",
    "cuts": "The mesh on three planes through the middle.",
    "quality": "Shape of the tetrahedra by kind of region, and thickness of the grain-boundary phase over its area. Grey: dihedral angles below 8 degrees.",
    "grain_errors": "Grains against the voxels they came from.",
}
MESH = ("mesh", "cuts", "quality", "grain_errors")
SHOWN = {"stopped", "results", "mesh", "counts", "phases", "peak_memory_per_rank", "libraries", "warnings", "volumes"}
# tables: what they are; those that a figure shows whole are left out
TABLES = {"branches.csv": "a line a curve", "barriers.csv": "a line a field", "images.csv": "a line an image", "drift.csv": "a line a slice", "grains.csv": "a line a grain",
          "contacts.csv": "a line a pair of grains", "scores.csv": "a line a sample", "measured.csv": "the measured curve", "parameters.csv": "a line a parameter"}
DRAWN = ("curve.csv", "dynamics.csv", "evolve.csv", "invert.csv", "taylor.csv", "barrier.csv")
FOLDED = 15  # lines of a table from which on it is folded
COLUMNS = 40  # of a table of the page, from the first on
HEADLINES = {"Br": "remanence", "Hc": "coercive field", "Hk": "knee field", "BHmax": "largest energy product"}


def headline(summary):
    results, pairs = summary.get("results") or {}, []
    for key, name in HEADLINES.items():
        if key in results:
            pairs.append((name + " " + key, value_of(results[key])))
    events = (summary.get("counts") or {}).get("events")
    if events is not None:
        pairs.append(("events" if events != 1 else "event", number(events)))
    for group, key, name in (("grains", "count", "grains"), ("mesh", "tets", "tetrahedra"), ("topology", "images", "images")):
        value = (summary.get(group) or {}).get(key)
        if isinstance(value, int):
            pairs.append((name, number(value)))
    wall = quantity(summary, "wall")
    if wall is not None:
        ranks = summary.get("ranks", 1)
        pairs.append(("on %d rank%s" % (ranks, "" if ranks == 1 else "s"), seconds(wall)))
    return tiles(pairs)


def figures(drawn, keep):
    """The figures that `keep` wants, known ones in their order, then the rest."""
    names = [n for n in CAPTIONS if n in drawn] + [n for n in drawn if n not in CAPTIONS]
    return "".join(picture(drawn[n], CAPTIONS.get(n, words(n))) for n in names if keep(n))


def results(summary):
    group = summary.get("results") or {}
    internal = group.get("internal")
    both = [k for k in HEADLINES if k in group] + (["squareness"] if "squareness" in group else [])
    parts = []
    if both:
        header = ("", "applied field") + (("internal field",) if internal else ())
        parts.append(table(header, [[HEADLINES.get(k, k)] + [value_of(g.get(k)) for g in (group, internal) if g] for k in both]))
    parts.append(group_table(group, skip=set(both) | ({"internal"} if both else set())))
    return "".join(parts)


def csv_tables(folder):
    parts = []
    names = [n for n in os.listdir(folder) if n.endswith(".csv") and n not in DRAWN]
    for name in sorted(names, key=lambda n: (n not in TABLES, n)):
        with open(os.path.join(folder, name), newline="", encoding="utf-8", errors="replace") as f:
            rows = [r for r in csv.reader(line for line in f if not line.startswith("#")) if r]
        if not rows:
            continue
        shown = table([words(h) for h in rows[0][:COLUMNS]], [[short(v) for v in r[:COLUMNS]] for r in rows[1:ROWS + 1]])
        beyond = ["%d %s" % (n, what) for n, what in ((len(rows) - 1 - ROWS, "lines"), (len(rows[0]) - COLUMNS, "columns")) if n > 0]
        more = "<p class=soft>%s more in %s.</p>" % (" and ".join(beyond), name) if beyond else ""
        whole = shown + more if len(rows) <= FOLDED else details("%d lines" % (len(rows) - 1), shown + more)
        parts.append("<h3>%s</h3><p class=soft>%s</p>%s" % (text(words(name[:-4])), text(name + (", " + TABLES[name] if name in TABLES else "")), whole))
    return "".join(parts)


def short(value):
    """A number of a table as a person writes it; other texts as they are."""
    try:
        return number(int(value) if value.lstrip("-").isdigit() else float(value))
    except ValueError:
        return value


def mesh(summary, drawn):
    group = summary.get("mesh") or {}
    kinds = group.get("kinds") or {}
    total = quantity(group, "magnet_volume")
    rows = []
    for kind, g in kinds.items():
        volume = quantity(g, "volume")
        rows.append([words(kind), g.get("tets"), "%.3f %%" % (100 * volume / total) if total and volume is not None and kind != "air" else None,
                     g.get("gamma_min"), g.get("gamma_mean"), value_of(g.get("dihedral_min")), value_of(g.get("dihedral_max")), g.get("inverted")])
    parts = [figures(drawn, lambda n: n in MESH)]
    if rows:
        parts.append(table(("region", "tetrahedra", "share of the magnet", "least radius ratio", "mean", "least dihedral angle", "largest", "inverted"), rows))
    if plain(group):
        parts.append(details("Numbers of the mesh", table((), plain(group)) + (list_table(group["worst"]) if group.get("worst") else "")))
    return "".join(parts)


def other_groups(summary):
    """Groups that this page does not know by name, as tables."""
    parts = []
    for name, group in summary.items():
        if isinstance(group, dict) and name not in SHOWN and value_of(group) is None:
            inside = group_table(group)
            parts.append("<div><h3>%s</h3>%s</div>" % (text(words(name)), inside) if inside else "")
    return "<div class=groups>%s</div>" % "".join(parts) if any(parts) else ""


def timings(summary):
    phases = {k: quantity(v, "wall") for k, v in (summary.get("phases") or {}).items()}
    phases = {k: v for k, v in phases.items() if v is not None}
    if not phases:
        return ""
    longest = max(max(phases.values()), 1e-9)
    rows = "".join("<tr><td class=t>%s<td>%s<td class=t><span class=bar style=\"width:%.1frem\"></span></tr>" % (text(k), text(seconds(v)), 20 * v / longest)
                   for k, v in sorted(phases.items(), key=lambda kv: -kv[1]))
    memory = summary.get("peak_memory_per_rank") or {}
    note = "<p>Phases nest: a phase counts what is called inside it. Peak memory of a rank: %s to %s.</p>" % (
        text(value_of(memory.get("min")) or "?"), text(value_of(memory.get("max")) or "?")) if memory else ""
    counts = summary.get("counts") or {}
    return "<table><tr><th class=t>phase<th>wall time<th></tr>%s</table>%s%s" % (
        rows, note, details("Counts of work", table((), plain(counts))) if plain(counts) else "")


def warnings(summary, trouble):
    return box("warn", "Warnings of the run", summary.get("warnings") or []) + box("bad", "Not on this page", trouble)


def input_of(summary, command=True):
    lines = []
    if command and summary.get("command"):
        lines.append("<p>Command: <code>%s</code></p>" % text(summary["command"]))
    if summary.get("input_file"):
        lines.append("<p>Input file: <code>%s</code>. Below with every default filled in.</p>" % text(summary["input_file"]))
    if summary.get("input"):
        lines.append(details("All keys of the input", "<pre>%s</pre>" % text(summary["input"])))
    libraries = ", ".join("%s %s" % (k, v) for k, v in (summary.get("libraries") or {}).items())
    lines.append("<p class=soft>magtwin %s%s</p>" % (text(summary.get("version", "?")), "; " + text(libraries) if libraries else ""))
    return "".join(lines)


def size(n):
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return "%.3g %s" % (n, unit)
        n /= 1000


def files(folder):
    rows, many = [], {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            rows.append((name, size(os.path.getsize(path))))
        elif os.path.isdir(path):
            many[name + "/"] = sum(len(f) for _, _, f in os.walk(path))
    rows += [(name, "%d files" % n) for name, n in many.items()]
    return details("%d files and folders" % len(rows), table(("", ""), rows))


def pictures(folder):
    """PNG files that the run itself wrote: stages of a stack, the board of two registered pictures."""
    found = [os.path.join(folder, "board.png")] if os.path.isfile(os.path.join(folder, "board.png")) else []
    where = os.path.join(folder, "pictures")
    if os.path.isdir(where):
        found += [os.path.join(where, n) for n in sorted(os.listdir(where)) if n.endswith(".png")][:12]
    return "".join(picture(p, os.path.basename(p), 0.6) for p in found if os.path.getsize(p) < 3e6)


def fill(page, folder, summary, drawn, trouble):
    page.above(headline(summary) + warnings(summary, trouble))
    page.add("Figures", figures(drawn, lambda n: n not in MESH))
    page.add("Results", results(summary) + csv_tables(folder))
    page.add("Pictures of the stages", pictures(folder))
    page.add("Mesh", mesh(summary, drawn))
    page.add("More numbers", other_groups(summary))
    page.add("Where the time went", timings(summary))
    page.add("Input", input_of(summary))
    page.add("Files", files(folder))
