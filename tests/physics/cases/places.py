"""Persistence images back on their pictures, where the place is known."""
import csv
import os

import h5py
import numpy as np

from cases.landscape import Strip, mesh_with_discs, summary
from lines import bound, curve, reference, result

HALF_WALL = np.pi / 2 * 5.0  # nm: half of pi sqrt(A/K) of the strip

# The first is the one with which the method was made. The next three and all bounds were written down before they were run; over their whole series, which ends long after the wall has
# closed, the map along PC1 broke its bounds and that by regression kept them, so that the maps are now those of the largest pass. The last two were run after that.
STRIPS = (Strip("first", (132, 60), (88, 30), (44, 30), 12, 3.0, 0, 1, 15, 700, field=0.5, spacing=3.0),
          Strip("fresh, wall along -x", (140, 64), (50, 33), (100, 33), 13, 2.5, 0, -1, 125, 950, field=0.5, spacing=3.0),
          Strip("fresh, wall along y", (58, 130), (30, 84), (27, 42), 11, 4.0, 1, 1, 15, 950, field=0.5, spacing=3.0),
          Strip("fresh, wall along x", (126, 54), (80, 26), (40, 28), 10, 3.0, 0, 1, 15, 950, field=0.5, spacing=3.0),
          Strip("last, wall along -y", (62, 136), (33, 56), (29, 100), 12, 3.5, 1, -1, 121, 950, field=0.5, spacing=3.0),
          Strip("last, wall along x", (144, 58), (98, 28), (50, 31), 11, 2.5, 0, 1, 15, 950, field=0.5, spacing=3.0))


def area(score, label):
    """Under the receiver operating characteristic, ties counted half, by all pairs."""
    a, b = np.sort(score[~label]), score[label]
    return float((np.searchsorted(a, b, "left") + np.searchsorted(a, b, "right")).mean() / 2 / len(a))


class Grid:
    """The points of a strip's pictures, 1 nm apart, and what a map has in discs."""

    def __init__(self, strip):
        self.strip, (nx, ny) = strip, strip.size
        self.points = "topology.grid.points=[%d, %d, 1]" % (nx, ny)
        self.y, self.x = np.mgrid[0:ny, 0:nx] + 0.5

    def inside(self, at, radius):
        return np.hypot(self.x - at[0], self.y - at[1]) < radius

    def shares(self, m):
        """(places [n, 2] of the middle of a disc of this size inside the strip, a nm apart; the share of the map in each)."""
        r, (nx, ny) = self.strip.radius, self.strip.size
        at = np.array([(x, y) for y in range(r, ny - r + 1) for x in range(r, nx - r + 1)], float)
        return at, np.array([m[self.inside(p, r)].sum() for p in at]) / m.sum()

    def chance(self, m):
        """Share of the places apart from the hard disc at which a disc would hold as much of the map; how far from it the best place of all is."""
        at, share = self.shares(m)
        far, own = np.hypot(*(at - self.strip.disc["pinning"]).T), m[self.inside(self.strip.disc["pinning"], self.strip.radius)].sum() / m.sum()
        return float((share[far >= 2 * self.strip.radius] >= own).mean()), float(far[share.argmax()])


def loops(folder):
    with open(os.path.join(folder, "images.csv"), newline="") as f:
        return sum(int(row["pairs_1"]) for row in csv.DictReader(f))


def pinned_island(case):
    """A wall driven at a disc that it cannot enter bows around it and closes behind: the map of the persistence images of m_z lies on that disc, in six strips.

    States of the dynamics (0.5 T, damping 1), sampled on points 1 nm apart; an equal disc without the anisotropy lies on the way. The feature is the loop of reversed
    magnetization around the hard disc; its contributions go to the pixels that it encloses. The maps are those of the largest pass: once the wall has closed the loop settles while the
    energy falls elsewhere, and what is then laid along PC1 is large and of both signs (the program warns). Bounds come from elsewhere than the maps: the disc moved to every other place in the strip, the width of
    the wall, a map that knows nothing, and a twin of the strip whose disc is not hard. The true work -m.H is taken up beside the disc, by what reverses while the wall grows longer and before
    there is a loop, so the score against it is given without a bound."""
    os.makedirs(case.folder, exist_ok=True)
    return [line for strip in STRIPS for line in one_strip(case, strip)]


def diagrams(case, strip, grid, mesh, start, what, *more):
    """A run of the strip and the diagrams of its states: patterns of the states, folder."""
    run = case.run("dynamics", "island", strip.name + "/run" + what, "mesh.file=" + mesh, "dynamics.initial=file", "dynamics.initial_file=" + start, *more)
    states = "%s/states/*.h5" % run
    return states, case.run("topology", "island", strip.name + "/diagrams" + what, "topology.files=" + states, "topology.mesh=" + mesh, grid.points, *more)


def largest_pass(folder):
    """Its first and last sample, from 1."""
    with open(os.path.join(folder, "passes.csv"), newline="") as f:
        best = max(csv.DictReader(f), key=lambda row: float(row["rise_internal_J/m3"]))
    return int(best["from"]), int(best["top"])


def one_strip(case, strip):
    mesh, start, _ = mesh_with_discs(case, strip, "island")
    grid, more = Grid(strip), strip.overrides(case)
    states, features = diagrams(case, strip, grid, mesh, start, "", *more)
    twin = diagrams(case, strip, grid, mesh, start, "_twin", *more, "materials.assign=[]")[1]
    analyse = lambda what, *interval: case.run("landscape", "island", strip.name + what, "landscape.states=" + states, "landscape.mesh=" + mesh, "pca.files=%s/features.h5" % features,
                                               "landscape.permutations=0", *interval, *more)
    first, last = largest_pass(analyse("/landscape"))
    folder = analyse("/pass", "landscape.from=%d" % first, "landscape.to=%d" % last)
    with h5py.File(os.path.join(folder, "landscape.h5"), "r") as f:
        path, ridge, truth = (f["places/%s/net" % g][:].reshape(grid.x.shape) for g in ("path", "ridge", "truth"))
        work, pc = f["work"][:, [t.decode() for t in f["terms"][:]].index("internal")], f["scores"][:, 0]
    steps = np.abs(np.diff(pc)) > 1e-9 * np.ptp(pc)
    steps[:first - 1] = steps[last - 1:] = False
    draw(case, strip, grid, path, ridge, truth)
    return lines(strip, grid, path, ridge) + [
        bound(strip.name + ": loops in the states of a twin without the hard disc", loops(twin), "", 0, 0, "a wall that nothing holds stays straight"),
        result(strip.name + ": mean of the map along PC1 over the strip", float(path.mean()), "J/m3", float(np.diff(work)[steps].sum()), "change of the energy over the steps in which PC1 moves", 1e-10),
        bound(strip.name + ": area against the true work, resisting map along PC1", summary(folder)["landscape"]["roc_area_places_path"], "", 0, 1, "no demand: the work is taken up beside the disc")]


def draw(case, strip, grid, path, ridge, truth):
    across = int(strip.disc["pinning"][1 - strip.axis])
    row = (lambda a: a[across]) if strip.axis == 0 else (lambda a: a[:, across])
    along = row(grid.x if strip.axis == 0 else grid.y)
    case.panel("nm along the way, through the hard disc", "contribution (kJ/m³)", curve("along PC1", along, row(path) / 1e3), curve("by regression", along, row(ridge) / 1e3),
               reference("true work", along, row(truth) / 1e3), title=strip.name)


def lines(strip, grid, path, ridge):
    name, hard, near = strip.name + ": ", grid.inside(strip.disc["pinning"], strip.radius), grid.inside(strip.disc["pinning"], strip.radius + HALF_WALL)
    chance, offset = grid.chance(path)
    plain = grid.inside(strip.disc["plain"], strip.radius)
    wall = "the middle of a wall around the disc lies half its width outside"
    return [bound(name + "places elsewhere at which a disc would hold as much of the map along PC1, share of all", chance, "", 0, 0.01, "the place permuted"),
            bound(name + "the same by regression", grid.chance(ridge)[0], "", 0, 0.01, "the place permuted"),
            bound(name + "distance of the place at which a disc would hold most from the hard disc", offset, "nm", 0, HALF_WALL, wall),
            bound(name + "share of the map along PC1 in the hard disc and half a wall's width around it", float(path[near].sum() / path.sum()), "", 0.9, None, wall),
            bound(name + "share of it in the plain disc", float(path[plain].sum() / path.sum()), "", None, float(plain.mean()), "less than of a map that knows nothing"),
            bound(name + "area under the ROC curve against the hard disc", area(path.ravel(), hard.ravel()), "", 0.5, 1, "better than a map that knows nothing")]
