"""Pictures of the magnet: where and at which field it reversed, the mesh, and the states around an event."""
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import ListedColormap, Normalize, to_rgba

from geometry import Cut, View, surface_triangles
from results import GB, TRIPLE, JUNCTION
from style import (FIELD_MAP, GB_COLOUR, GRAIN_COLOURS, MODE_MAP, MOMENT_MAP, NOT_MAGNETIC, NOT_REVERSED, WIDE, colour_bar, map_axes,
                   plt, save)


class Site:
    """Where an event began: number as in the list of events, position (nm), field (T), change of m."""

    def __init__(self, number, position, field, jump):
        self.number, self.position, self.field, self.jump = number, np.asarray(position, float), field, jump


def outline_key(mesh):
    """Region of each tet, with the whole GB phase as one: an outline then runs along every grain's surface."""
    return np.where(mesh.is_grain(), mesh.region, -1)


def paint(values, magnetic, cmap, norm):
    """Colours of values; those without a value and those without a moment have their own."""
    colours = ScalarMappable(norm, cmap).to_rgba(np.nan_to_num(values))
    colours[~np.isfinite(values)] = to_rgba(NOT_REVERSED)
    colours[~magnetic] = to_rgba(NOT_MAGNETIC)
    return colours


def fill(axes, cut, values, cmap, norm, edges=None):
    """Polygons coloured by value; rasterized inside the SVG, else it would hold every one of them."""
    colours = paint(values, cut.mesh.magnetic[cut.tet], cmap, norm)
    line = dict(edgecolors=colours, linewidths=0.35) if edges is None else edges
    axes.add_collection(PolyCollection(cut.polygons, facecolors=colours, rasterized=edges is None, **line))


def outline(axes, cut, mesh, colour="black", width=0.5):
    axes.add_collection(LineCollection(cut.outlines(outline_key(mesh)), colors=colour, linewidths=width))


def limits(axes, mesh, cut):
    low, high = mesh.box[0][cut.plane], mesh.box[1][cut.plane]
    pad = 0.02 * (high - low).max()
    axes.set_xlim(low[0] - pad, high[0] + pad)
    axes.set_ylim(low[1] - pad, high[1] + pad)


def mark(axes, xy, site, size=11):
    axes.plot(*xy, marker="*", ms=size, mfc="white", mec="black", mew=0.8, ls="none", zorder=8)
    axes.annotate(str(site.number), xy, (5, 4), textcoords="offset points", fontsize=7.5, fontweight="bold", zorder=9,
                  bbox=dict(boxstyle="round,pad=0.12", facecolor="white", edgecolor="none", alpha=0.85))


def cut_through(mesh, axis, position):
    """A plane near the position that lies inside the magnet and away from its walls."""
    low, high = mesh.box[0][axis], mesh.box[1][axis]
    edge = 0.04 * (high - low)
    return Cut(mesh, axis, float(np.clip(position[axis], low + edge, high - edge)))


def switching(figures, mesh, field, sites):
    """The surface and two cuts, every node coloured by the applied field at which it reversed."""
    magnetic = field[np.isfinite(field)]
    # the outermost half per cent must not use up the colours
    norm = Normalize(*np.percentile(magnetic, [0.5, 99.5])) if len(magnetic) else Normalize(-1, 0)
    if norm.vmin == norm.vmax:
        norm = Normalize(norm.vmin - 0.1, norm.vmax + 0.1)
    figure, axes = plt.subplots(1, 3, figsize=(WIDE, 2.55), gridspec_kw=dict(width_ratios=[1.25, 1, 1], wspace=0.42))
    surface(axes[0], mesh, field, norm, sites)
    middle = mesh.box.mean(0)
    first = sites[0].position if sites else middle
    largest = max(sites, key=lambda s: abs(s.jump)).position if sites else middle
    for ax, axis, position in ((axes[1], 2, first), (axes[2], 1, largest)):
        cut = cut_through(mesh, axis, position)
        fill(ax, cut, cut.node_value(field), FIELD_MAP, norm)
        outline(ax, cut, mesh)
        limits(ax, mesh, cut)
        map_axes(ax, cut.labels)
        ax.set_title("cut %s = %.1f nm" % ("xyz"[axis], cut.offset), pad=9)
        for site in sites:
            if abs(site.position[axis] - cut.offset) < max(0.05 * np.ptp(mesh.box[:, axis]), 1.5 * mesh.size):
                mark(ax, site.position[cut.plane], site)
    bar = colour_bar(figure, ScalarMappable(norm, FIELD_MAP), list(axes), r"$\mu_0H$ at reversal (T)")
    bar.ax.tick_params(direction="out")
    notes = ["stars: where the events began (%s%s)" % (", ".join("%d: %.2f T" % (s.number, s.field) for s in sites[:6]), ", ..." * (len(sites) > 6))] if sites else []
    used = np.unique(mesh.tet[mesh.magnetic])
    greys = ["light grey: not reversed"] * bool((~np.isfinite(field[used])).any()) + ["dark grey: without a moment"] * bool((~mesh.magnetic).any())
    notes += ["; ".join(greys)] if greys else []
    figure.text(0.13, 0.07, "\n".join(notes), fontsize=7, ha="left", va="top")
    return save(figure, figures, "switching_field")


def surface(axes, mesh, field, norm, sites):
    view = View()
    triangles, owner = surface_triangles(mesh)
    order = view.visible(mesh.x, triangles)
    shown = triangles[order]
    corner = field[shown]
    known = np.isfinite(corner)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(known.any(1), np.nan_to_num(corner).sum(1) / known.sum(1), np.nan)
    colours = paint(value, mesh.magnetic[owner[order]], FIELD_MAP, norm)
    axes.add_collection(PolyCollection(view.project(mesh.x[shown]), facecolors=colours, edgecolors=colours, linewidths=0.35,
                                       rasterized=True))
    axes.add_collection(LineCollection(view.box_edges(mesh.box), colors="black", linewidths=0.6))
    edge_labels(axes, mesh, view)
    for site in sites[:9]:
        mark(axes, view.project(site.position), site)
    axes.autoscale_view()
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title("surface (stars seen through)")


def edge_labels(axes, mesh, view):
    """The box's size along the three edges that bound the picture below and at the side."""
    low, high = mesh.box
    ends = [((low[0], low[1], low[2]), (high[0], low[1], low[2])), ((high[0], low[1], low[2]), (high[0], high[1], low[2])),
            ((low[0], low[1], low[2]), (low[0], low[1], high[2]))]
    for k, (a, b) in enumerate(ends):
        p, q = view.project(np.array(a)), view.project(np.array(b))
        angle = np.degrees(np.arctan2(*(q - p)[::-1]))
        axes.annotate("%s, %.0f nm" % ("xyz"[k], high[k] - low[k]), (p + q) / 2, fontsize=7, ha="center",
                      va="bottom" if k == 2 else "top", rotation=angle, rotation_mode="anchor", xytext=(-3, 0) if k == 2 else (0, -3),
                      textcoords="offset points")


def mesh_picture(figures, mesh):
    """A cut with its grains and the GB phase, and the mesh of one triple junction near its middle."""
    junction, axis = triple_junction(mesh)
    cut = Cut(mesh, axis, float(junction[axis]) + 1e-6)
    figure, axes = plt.subplots(1, 2, figsize=(WIDE, 3.2), gridspec_kw=dict(wspace=0.28))
    kind = mesh.kind[mesh.region[cut.tet]]
    names = mesh.grains[mesh.region[cut.tet], 0]
    count = len(GRAIN_COLOURS)
    value = np.where(kind == 0, names % count, np.where(kind == GB, count, count + 1)).astype(float)
    order = np.argsort(value, kind="stable")  # the outlines of later polygons cover earlier ones: a border in one piece, not a saw
    table = ListedColormap(GRAIN_COLOURS + [GB_COLOUR, "#a01010"])
    norm = Normalize(-0.5, count + 1.5)
    half = min(4.0 * max(mesh.thickness, 1.5 * mesh.size), 0.3 * float(np.ptp(mesh.box, axis=0).min()))
    centre = junction[cut.plane]
    for ax, lines in ((axes[0], dict(edgecolors="none", linewidths=0)), (axes[1], dict(edgecolors="#202020", linewidths=0.35))):
        shown = cut if ax is axes[0] else inside(cut, centre, half)
        keep = order if ax is axes[0] else shown
        polygons = [cut.polygons[i] for i in keep]
        colours = ScalarMappable(norm, table).to_rgba(value[keep])
        if ax is axes[0]:
            lines = dict(edgecolors=colours, linewidths=0.35)
        ax.add_collection(PolyCollection(polygons, facecolors=colours, rasterized=ax is axes[0], **lines))
        map_axes(ax, cut.labels)
    limits(axes[0], mesh, cut)
    axes[1].set_xlim(centre[0] - half, centre[0] + half)
    axes[1].set_ylim(centre[1] - half, centre[1] + half)
    axes[0].add_patch(plt.Rectangle(centre - half, 2 * half, 2 * half, fill=False, ec="black", lw=0.9))
    axes[0].set_title("cut %s = %.1f nm: grains, GB phase (dark)" % ("xyz"[axis], cut.offset))
    axes[1].set_title("junction (red), edges %.1f nm%s" %
                      (mesh.size, ", GB %.1f nm" % mesh.thickness if mesh.thickness > 0 else ""))
    return save(figure, figures, "mesh")


def inside(cut, centre, half):
    """Indices of the polygons that reach into the window."""
    low, high = cut.points.min(1), cut.points.max(1)
    return np.flatnonzero(((low < centre + half) & (high > centre - half)).all(1))


def triple_junction(mesh):
    """A point of a triple line (else of the GB phase, else the middle) nearest the middle, and the axis most along that line."""
    middle = mesh.box.mean(0)
    for wanted in (TRIPLE, JUNCTION, GB):
        tets = np.flatnonzero(mesh.kind[mesh.region] == wanted)
        if len(tets):
            centres = mesh.x[mesh.tet[tets]].mean(1)
            nearest = int(np.argmin(((centres - middle) ** 2).sum(1)))
            line = centres[mesh.region[tets] == mesh.region[tets[nearest]]]
            return centres[nearest], int(np.argmax(np.ptp(line, axis=0)))
    return middle, 2


def states(figures, mesh, rows, direction):
    """m.h on a cut through the site of each event: rows of (title, site, m before, m after)."""
    figure, axes = plt.subplots(len(rows), 2, figsize=(WIDE * 0.78, 2.75 * len(rows)), squeeze=False,
                                gridspec_kw=dict(wspace=0.25, hspace=0.38))
    norm = Normalize(-1, 1)
    for line, (title, site, before, after) in zip(axes, rows):
        cut = cut_through(mesh, 2, site.position)
        for ax, m, when in ((line[0], before, "before"), (line[1], after, "after")):
            along = m @ direction
            along[np.linalg.norm(m, axis=1) < 0.5] = np.nan
            fill(ax, cut, cut.node_value(along), MOMENT_MAP, norm)
            outline(ax, cut, mesh)
            limits(ax, mesh, cut)
            map_axes(ax, cut.labels)
            ax.set_title("%s, %s\nz = %.1f nm" % (title, when, cut.offset))
        mark(line[0], site.position[cut.plane], site)
    colour_bar(figure, ScalarMappable(norm, MOMENT_MAP), [a for line in axes for a in line],
               r"$\mathbf{m}\cdot\mathbf{h}$ (1: along the saturating field)")
    return save(figure, figures, "states")


def nucleus(figures, mesh, rows):
    """The turn of the softest mode before an event, on two cuts through its largest node: rows of (title, site, mode, eigenvalue)."""
    figure, axes = plt.subplots(len(rows), 2, figsize=(WIDE * 0.78, 2.75 * len(rows)), squeeze=False,
                                gridspec_kw=dict(wspace=0.25, hspace=0.38))
    norm = Normalize(0, 1)
    for line, (title, site, mode, eigenvalue) in zip(axes, rows):
        turn = np.linalg.norm(mode, axis=1)
        top = mesh.x[int(np.argmax(turn))]
        turn[turn == 0] = np.nan
        for ax, axis in ((line[0], 2), (line[1], 1)):
            cut = cut_through(mesh, axis, top)
            fill(ax, cut, cut.node_value(turn), MODE_MAP, norm)
            outline(ax, cut, mesh)
            limits(ax, mesh, cut)
            map_axes(ax, cut.labels)
            if abs(site.position[axis] - cut.offset) < max(0.1 * np.ptp(mesh.box[:, axis]), 1.5 * mesh.size):
                mark(ax, site.position[cut.plane], site)
        line[0].set_title("%s\nz = %.1f nm" % (title, cut_through(mesh, 2, top).offset))
        line[1].set_title("eigenvalue %.3f T\ny = %.1f nm" % (eigenvalue, cut_through(mesh, 1, top).offset))
    colour_bar(figure, ScalarMappable(norm, MODE_MAP), [a for line in axes for a in line], "turn of the softest mode (largest: 1)")
    return save(figure, figures, "nucleus")
