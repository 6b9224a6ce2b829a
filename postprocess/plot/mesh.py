#!/usr/bin/env python3
"""mesh.py FOLDER [--labels FILE] [--figures FOLDER]: report on a mesh, FOLDER/mesh_report.html and mesh_report.json, figures in FOLDER/figures.

  quality    radius ratios and dihedral angles of the tetrahedra, by kind of region; thickness of the GB phase over its area
  cuts       the mesh on three planes through the middle; with --labels over the labelled image

--labels: labels.h5 of `magtwin reconstruct`, from which the grains were made.  Then volume and centroid of every grain are set beside
its voxels.  Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished.
"""
import html
import json
import os
import sys

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from geometry import Cut
from map_figures import limits, outline
from results import GRAIN, KINDS, Unusable, dataset, draw_folder, existing, open_h5, quantity, read_mesh, read_summary, say
from style import GB_COLOUR, GRAIN_COLOURS, GREY, LINE, WIDE, map_axes, plt, save

SHORTEST = 10  # edges in the table
PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
COLOURS = dict(zip(KINDS, ("#1b4f8a", "#c4551a", "#4d9221", "#7b3294", GREY, "#d6a51c", "#17a2b8")))


# ---- numbers

def tet_volumes(mesh):
    p = mesh.x[mesh.tet]
    return np.einsum("ij,ij->i", p[:, 1] - p[:, 0], np.cross(p[:, 2] - p[:, 0], p[:, 3] - p[:, 0])) / 6


def grains_of(mesh):
    """(volume of the grain, volume and centroid of its cell) of every grain: the cell takes an equal part of the phase it touches."""
    number = mesh.grains.max() + 1
    volume = tet_volumes(mesh)
    centre = mesh.x[mesh.tet].mean(1)
    regions = np.bincount(mesh.region, volume, len(mesh.kind))
    moments = np.stack([np.bincount(mesh.region, volume * centre[:, k], len(mesh.kind)) for k in range(3)], axis=1)
    grain, cell, moment = np.zeros(number), np.zeros(number), np.zeros((number, 3))
    for kind, row, v, m in zip(mesh.kind, mesh.grains, regions, moments):
        who = row[row >= 0]
        if len(who) and v > 0:
            cell[who] += v / len(who)
            moment[who] += m / len(who)
            if kind == GRAIN:
                grain[who] += v
    with np.errstate(invalid="ignore"):
        return grain, cell, moment / cell[:, None]


def shortest_edges(mesh):
    """(length, middle, kind of region) of the shortest edges; an edge counts once."""
    found = []
    for a, b in PAIRS:
        u, v = mesh.tet[:, a], mesh.tet[:, b]
        length = np.linalg.norm(mesh.x[u] - mesh.x[v], axis=1)
        few = np.argsort(length, kind="stable")[:40 * SHORTEST]
        found += [(length[i], min(u[i], v[i]), max(u[i], v[i]), mesh.kind[mesh.region[i]]) for i in few]
    edges, seen = [], set()
    for length, u, v, kind in sorted(found):
        if (u, v) not in seen and len(edges) < SHORTEST:
            seen.add((u, v))
            edges.append({"length_nm": float(length), "at_nm": [float(c) for c in (mesh.x[u] + mesh.x[v]) / 2], "region": KINDS[kind]})
    return edges


class Labels:
    """labels.h5: label [nz,ny,nx] (0: none, else grain + 1), voxel (nm, as the mesh is scaled), centroid [n,3] nm, voxels [n]."""

    def __init__(self, path, scale):
        with open_h5(path) as f:
            flat = dataset(f, "/labels")
            try:
                dims, voxel = f["/labels"].attrs["dims"], f["/labels"].attrs["voxel"]
            except KeyError:
                raise Unusable("%s is no labels.h5 of magtwin reconstruct: /labels has no dims and voxel" % path) from None
        self.label, self.voxel = flat.reshape(dims), np.asarray(voxel, float) * scale
        n = int(self.label.max())
        self.voxels = np.bincount(flat, minlength=n + 1)[1:]
        at = np.indices(self.label.shape)[::-1]
        with np.errstate(invalid="ignore"):
            sums = np.stack([np.bincount(flat, a.ravel(), n + 1)[1:] for a in at], axis=1) / self.voxels[:, None]
        self.centroid = (sums + 0.5) * self.voxel


def against_labels(labels, origin, cell, centroid):
    """Per grain: relative error of the volume, distance of the centroids (nm and parts of the diameter)."""
    if len(labels.voxels) != len(cell):
        raise Unusable("the labels hold %d grains and the mesh %d: some were left out, or these are not its labels" % (len(labels.voxels), len(cell)))
    measured = labels.voxels * labels.voxel.prod() * cell.sum() / (labels.voxels.sum() * labels.voxel.prod())
    distance = np.linalg.norm(centroid - origin - labels.centroid, axis=1)
    return cell / measured - 1, distance, distance / np.cbrt(6 * measured / np.pi)


def numbers(mesh, summary, labels):
    grain, cell, centroid = grains_of(mesh)
    kinds, total = summary["mesh"]["kinds"], quantity(summary["mesh"], "magnet_volume")
    report = {"source": "summary.json and mesh.h5", "nodes": summary["mesh"]["nodes"], "tets": summary["mesh"]["tets"],
              "volume_fractions": {k: quantity(v, "volume") / total for k, v in kinds.items() if k != "air"},
              "box_defect": summary["mesh"]["box_defect"],
              "dihedral_min_deg": min(quantity(v, "dihedral_min") for v in kinds.values()),
              "dihedral_max_deg": max(quantity(v, "dihedral_max") for v in kinds.values()),
              "gamma_min": min(v["gamma_min"] for v in kinds.values()), "inverted": sum(v["inverted"] for v in kinds.values()),
              "below_gamma_0.1": sum(sum(v["gamma_histogram"][:2]) for v in kinds.values()),
              "lex": summary.get("lex"), "volumes_against_geometry": summary.get("volumes"), "pockets": summary.get("pockets"), "thickness": summary["mesh"].get("gb_mean_thickness"),
              "histograms": {k: {"gamma": v["gamma_histogram"], "dihedral_10deg": v["dihedral_histogram"]} for k, v in kinds.items()},
              "shortest_edges": shortest_edges(mesh),
              "grains": [{"grain": int(k), "volume_nm3": float(grain[k]), "cell_nm3": float(cell[k]), "centroid_nm": [float(c) for c in centroid[k]]}
                         for k in range(len(grain))]}
    if labels:
        report["image_without_grain"] = float((labels.label == 0).mean())
        volume, distance, part = against_labels(labels, mesh.box[0], cell, centroid)
        for row, v, d in zip(report["grains"], volume, distance):
            row.update(volume_error=float(v), centroid_error_nm=float(d))
        report["against_labels"] = {"volume_error_rms": float(np.sqrt((volume**2).mean())), "volume_error_largest": float(np.abs(volume).max()),
                                    "centroid_error_mean_nm": float(distance.mean()), "centroid_error_largest_nm": float(distance.max()),
                                    "centroid_error_mean_in_diameters": float(part.mean())}
    return report


# ---- figures

def quality_figure(figures, report):
    thick = report["thickness"]
    figure, axes = plt.subplots(1, 3 if thick else 2, figsize=(WIDE, 2.3), gridspec_kw=dict(wspace=0.38))
    for kind, h in report["histograms"].items():
        for ax, values, last in ((axes[0], h["gamma"], 1), (axes[1], h["dihedral_10deg"], 180)):
            values = np.asarray(values, float)
            edges = np.linspace(0, last, len(values) + 1)
            ax.stairs(np.maximum(values, 0.5), edges, color=COLOURS[kind], lw=1, label=kind.replace("_", " "))
    for ax, label in ((axes[0], r"radius ratio $\gamma$"), (axes[1], "dihedral angles (deg)")):
        ax.set_yscale("log")
        ax.set_ylim(bottom=0.7)
        ax.set_xlabel(label)
    axes[0].set_ylabel("tetrahedra")
    axes[1].axvspan(0, 8, color=GREY, alpha=0.25, lw=0)
    axes[0].legend(loc="upper left", fontsize=6)
    if thick:
        area, width = np.asarray(thick["histogram_area_nm2"], float), quantity(thick, "histogram_bin")
        axes[2].bar(np.arange(len(area)) * width, 100 * area / area.sum(), 0.9 * width, color=LINE)
        axes[2].axvline(quantity(thick, "asked"), color=GREY, lw=0.8, ls=":")
        axes[2].set_xlabel("thickness (nm)")
        axes[2].set_ylabel("share of the area (%)")
    return save(figure, figures, "quality")


def grain_colour(labels):
    return np.array([to_rgba(c) for c in GRAIN_COLOURS])[np.asarray(labels) % len(GRAIN_COLOURS)]


def image_below(ax, labels, cut):
    """The labelled voxels on the plane of the cut."""
    origin = cut.mesh.box[0]
    at = int(np.clip((cut.offset - origin[cut.axis]) / labels.voxel[cut.axis], 0, labels.label.shape[2 - cut.axis] - 1))
    picture = np.take(labels.label, at, axis=2 - cut.axis)  # rows: the higher of the two axes
    colours = grain_colour(picture - 1)
    colours[picture == 0] = to_rgba("white")
    low, high = zip(*[(origin[k], origin[k] + labels.label.shape[2 - k] * labels.voxel[k]) for k in cut.plane])
    ax.imshow(colours, origin="lower", extent=(low[0], high[0], low[1], high[1]), interpolation="nearest")


def cuts_figure(figures, mesh, labels):
    figure, axes = plt.subplots(1, 3, figsize=(WIDE, 2.6), gridspec_kw=dict(wspace=0.4))
    middle = mesh.box.mean(0)
    for ax, axis in zip(axes, (2, 1, 0)):
        cut = Cut(mesh, axis, middle[axis])
        grain = np.where(mesh.is_grain()[cut.tet], mesh.grains[mesh.region[cut.tet], 0], -1)
        colours = grain_colour(grain)
        colours[mesh.is_surface()[cut.tet], :3] *= 0.75  # the damaged layer: its grain's colour, darker
        colours[grain < 0] = to_rgba(GB_COLOUR)
        colours[mesh.kind[mesh.region[cut.tet]] == KINDS.index("pocket")] = to_rgba(COLOURS["pocket"])
        if labels:
            image_below(ax, labels, cut)
            colours[grain >= 0, 3] = 0
        ax.add_collection(PolyCollection(cut.polygons, facecolors=colours, edgecolors=(0, 0, 0, 0.35), linewidths=0.12))
        outline(ax, cut, mesh, width=0.4)
        limits(ax, mesh, cut)
        map_axes(ax, cut.labels)
        ax.set_title("%s = %.1f nm" % ("xyz"[axis], cut.offset))
    return save(figure, figures, "cuts")


def errors_figure(figures, report):
    rows = report["grains"]
    figure, axes = plt.subplots(1, 2, figsize=(WIDE * 0.7, 2.2), gridspec_kw=dict(wspace=0.35))
    axes[0].hist([100 * r["volume_error"] for r in rows], 30, color=LINE)
    axes[0].set_xlabel("volume of a cell against its voxels (%)")
    axes[0].set_ylabel("grains")
    axes[1].hist([r["centroid_error_nm"] for r in rows], 30, color=LINE)
    axes[1].set_xlabel("distance of the centroids (nm)")
    return save(figure, figures, "grain_errors")


# ---- page

STYLE = "body{font:15px sans-serif;max-width:60em;margin:2em auto;color:#222}table{border-collapse:collapse;margin:1em 0}" \
        "td,th{border-bottom:1px solid #ccc;padding:.25em .8em;text-align:right}td:first-child,th:first-child{text-align:left}img{max-width:100%}"


def table(header, rows):
    cells = lambda row, tag: "".join("<%s>%s</%s>" % (tag, html.escape(str(c)), tag) for c in row)
    return "<table><tr>%s</tr>%s</table>" % (cells(header, "th"), "".join("<tr>%s</tr>" % cells(r, "td") for r in rows))


def overview(report):
    rows = [("nodes", report["nodes"]), ("tetrahedra", report["tets"]), ("inverted", report["inverted"]),
            ("least radius ratio", "%.3f" % report["gamma_min"]), ("tetrahedra of radius ratio below 0.1", report["below_gamma_0.1"]),
            ("dihedral angles", "%.1f to %.1f deg" % (report["dihedral_min_deg"], report["dihedral_max_deg"])),
            ("all regions against the box", "%+.1e" % report["box_defect"])]
    thick = report["thickness"]
    if thick:
        rows.append(("mean thickness of the GB phase", "%.3f nm (%.3g nm asked)" % (quantity(thick, "mean"), quantity(thick, "asked"))))
    rows += [("%s, asked" % e["key"], "%.3g nm = %.3g lex" % (e["nm"], e["lex"])) for e in (report["lex"] or {}).get("lengths", [])]
    if report["lex"]:
        rows.append(("1 lex, of %s" % report["lex"]["material"], "%.4g nm (exchange length %.4g nm, Bloch parameter %s)" % (
            report["lex"]["nm"], report["lex"]["exchange_length_nm"],
            "%.4g nm" % report["lex"]["bloch_parameter_nm"] if report["lex"]["bloch_parameter_nm"] else "none: no anisotropy")))
    return table(("quantity", "value"), rows)


def volumes(report):
    known = report["volumes_against_geometry"] or {}
    rows = []
    for kind, fraction in report["volume_fractions"].items():
        difference = known.get(kind, {}).get("relative_difference")
        rows.append((kind.replace("_", " "), "%.3f %%" % (100 * fraction), "-" if difference is None else "%+.2f %%" % (100 * difference)))
    text = table(("region", "share of the magnet", "volume against the planes of the grains"), rows)
    pockets = report["pockets"]
    if pockets:
        asked = "" if "fraction_asked" not in pockets else ", %.4g asked" % pockets["fraction_asked"]
        text += "<p>%d pockets at %s reach %.3g nm: %.4g of the volume%s.</p>" % (
            pockets["count"], {"lines": "triple lines", "junctions": "junctions"}[pockets["at"]], quantity(pockets, "size"), pockets["fraction"], asked)
    if "image_without_grain" in report:
        phase = sum(v for k, v in report["volume_fractions"].items() if k not in ("grain", "surface"))
        text += "<p>Voxels of the image that belong to no grain: %.2f %%; phase in the mesh: %.2f %%. An image whose voxels are larger than the phase is thick " \
                "shows none of it.</p>" % (100 * report["image_without_grain"], 100 * phase)
    return text


def grain_table(report):
    rows = report["grains"]
    if "against_labels" not in report:
        return "<p>%d grains; their volumes and centroids are in mesh_report.json.</p>" % len(rows)
    total = report["against_labels"]
    worst = sorted(rows, key=lambda r: -abs(r["volume_error"]))[:15]
    text = "<p>%d grains against their voxels: volume %.2f %% rms, %.2f %% at most; centroid %.2f nm on average (%.3f diameters), %.2f nm at most. " \
           "Volume and centroid are those of the cell: the grain and its part of the phase around it. The grains furthest off:</p>" % (
               len(rows), 100 * total["volume_error_rms"], 100 * total["volume_error_largest"], total["centroid_error_mean_nm"],
               total["centroid_error_mean_in_diameters"], total["centroid_error_largest_nm"])
    return text + table(("grain", "cell (nm3)", "volume error", "centroid error (nm)"),
                        [(r["grain"], "%.0f" % r["cell_nm3"], "%+.2f %%" % (100 * r["volume_error"]), "%.2f" % r["centroid_error_nm"]) for r in worst])


def page(name, report, pictures):
    image = lambda key: '<img src="%s" alt="%s">' % (html.escape(pictures[key]), key) if key in pictures else ""
    edges = table(("shortest edges (nm)", "at (nm)", "region"),
                  [("%.3f" % e["length_nm"], "%.1f, %.1f, %.1f" % tuple(e["at_nm"]), e["region"].replace("_", " ")) for e in report["shortest_edges"]])
    parts = ["<h1>Mesh %s</h1>" % html.escape(name), overview(report), "<h2>Volumes</h2>", volumes(report), "<h2>Cuts</h2>", image("cuts"),
             "<h2>Shape of the elements</h2>", image("quality"), "<p>Grey: dihedral angles below 8 degrees.</p>", edges, "<h2>Grains</h2>",
             grain_table(report), image("grain_errors")]
    return "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Mesh %s</title><style>%s</style>%s</html>\n" % (html.escape(name), STYLE, "\n".join(parts))


def write(path, text):
    with open(path + ".tmp", "w") as f:
        f.write(text)
    os.replace(path + ".tmp", path)
    say("wrote %s" % path)


def make(folder, figures, labels):
    summary, mesh = read_summary(folder), read_mesh(folder)
    if "mesh" not in summary:
        raise Unusable("%s tells nothing of a mesh: is %s the output folder of a finished `magtwin mesh` run?" % (existing(folder, "summary.json"), folder))
    image = Labels(labels, (summary.get("grains") or {}).get("scale") or 1.0) if labels else None
    report = numbers(mesh, summary, image)
    pictures = {"quality": quality_figure(figures, report), "cuts": cuts_figure(figures, mesh, image)}
    if image:
        pictures["grain_errors"] = errors_figure(figures, report)
    for path in pictures.values():
        say("wrote %s" % path)
    name = os.path.basename(os.path.abspath(folder))
    write(os.path.join(folder, "mesh_report.json"), json.dumps(report, indent=1) + "\n")
    write(os.path.join(folder, "mesh_report.html"), page(name, report, {k: os.path.relpath(p, folder) for k, p in pictures.items()}))


if __name__ == "__main__":
    sys.exit(draw_folder(__doc__, "mesh", (make,), labels=("FILE", "labels.h5 from which the grains were made")))
