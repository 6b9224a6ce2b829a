"""Pictures of a tetrahedral mesh without a 3-D library: plane cuts, outlines of regions on them, and the magnet's surface.

A cut is the set of polygons in which a plane meets the tets: a triangle where it parts one node from three, a quadrilateral where
it parts two from two.  A node on the plane counts as above it, so that neighbours always agree.
"""
import numpy as np

AXES = "xyz"
# faces of a positively oriented tet, outward by the right-hand rule
FACES = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])


class Cut:
    """Polygons where the plane {x[axis] = offset} meets the tets.  polygons: list of [k,2] arrays; tet [np]: the tet of each;
    node_value(v) gives each polygon the mean of v at its corners (NaN corners left out)."""

    def __init__(self, mesh, axis, offset):
        self.mesh, self.axis, self.offset = mesh, axis, offset
        self.plane = [k for k in range(3) if k != axis]
        self.labels = [AXES[k] for k in self.plane]
        self.d = mesh.x[:, axis] - offset
        above = self.d >= 0
        count = above[mesh.tet].sum(1)
        triangles = np.flatnonzero((count == 1) | (count == 3))
        quads = np.flatnonzero(count == 2)
        self.tet = np.concatenate([triangles, quads])
        # corners as crossed edges (node a, node b), padded to 4 by repeating the last
        self.edges = np.concatenate([self._corners(triangles, above, 1), self._corners(quads, above, 2)])
        self.points = self._cross(self.edges)
        self.polygons = list(self.points[:len(triangles), :3]) + list(self.points[len(triangles):])

    def _corners(self, tets, above, kind):
        t = self.mesh.tet[tets]
        up = above[t]
        if kind == 1:  # the lone node first
            lone_up = up.sum(1) == 1
            order = np.argsort(np.where(lone_up[:, None], ~up, up), axis=1, kind="stable")
            s = np.take_along_axis(t, order, 1)
            ends = [(0, 1), (0, 2), (0, 3), (0, 3)]
        else:  # around the quadrilateral: a-c, a-d, b-d, b-c
            order = np.argsort(~up, axis=1, kind="stable")
            s = np.take_along_axis(t, order, 1)
            ends = [(0, 2), (0, 3), (1, 3), (1, 2)]
        return np.stack([s[:, list(e)] for e in ends], axis=1) if len(t) else np.zeros((0, 4, 2), t.dtype)

    def _weights(self, edges):
        da, db = self.d[edges[..., 0]], self.d[edges[..., 1]]
        return da / (da - db)

    def _cross(self, edges):
        w = self._weights(edges)[..., None]
        x = self.mesh.x
        return ((1 - w) * x[edges[..., 0]] + w * x[edges[..., 1]])[..., self.plane]

    def node_value(self, values):
        v = values[self.edges]
        w = self._weights(self.edges)
        w = np.stack([1 - w, w], -1) * np.isfinite(v)
        total = w.sum((1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(total > 0, (w * np.nan_to_num(v)).sum((1, 2)) / total, np.nan)

    def outlines(self, key):
        """Segments [ns,2,2] between polygons of different key (key [nt]: for example the region of each tet), and the rim."""
        t = self.mesh.tet[self.tet]
        faces = np.sort(t[:, FACES].reshape(-1, 3), axis=1)
        owner = np.repeat(self.tet, 4)
        up = self.d[faces] >= 0
        crossed = (up.sum(1) % 3) != 0
        faces, owner, up = faces[crossed], owner[crossed], up[crossed]
        order = np.lexsort(faces.T)
        faces, owner, up = faces[order], owner[order], up[order]
        same = np.zeros(len(faces), bool)  # equal to the next one
        same[:-1] = (faces[:-1] == faces[1:]).all(1)
        second = np.roll(same, 1)
        differs = np.zeros(len(faces), bool)
        differs[:-1] = same[:-1] & (key[owner[:-1]] != key[owner[1:]])
        wanted = differs | ~(same | second)
        faces, up = faces[wanted], up[wanted]
        lone_up = up.sum(1) == 1
        order = np.argsort(np.where(lone_up[:, None], ~up, up), axis=1, kind="stable")
        s = np.take_along_axis(faces, order, 1)
        return self._cross(np.stack([s[:, [0, 1]], s[:, [0, 2]]], axis=1))


def surface_triangles(mesh):
    """Outward triangles [n,3] of the magnet's surface, and the tet of each."""
    candidate = mesh.surface_node[mesh.tet].sum(1) >= 3
    index = np.flatnonzero(candidate)
    faces = mesh.tet[index][:, FACES].reshape(-1, 3)
    owner = np.repeat(index, 4)
    on = mesh.surface_node[faces].all(1)
    faces, owner = faces[on], owner[on]
    key = np.sort(faces, axis=1)
    order = np.lexsort(key.T)
    key = key[order]
    same = np.zeros(len(key) + 1, bool)
    same[1:-1] = (key[:-1] == key[1:]).all(1)
    once = order[~(same[:-1] | same[1:])]
    return faces[once], owner[once]


class View:
    """Parallel projection seen from `direction`, z upwards on the page."""

    def __init__(self, direction=(1.0, -1.7, 1.1)):
        self.toward = np.array(direction) / np.linalg.norm(direction)
        self.right = np.cross([0, 0, 1.0], self.toward)
        self.right /= np.linalg.norm(self.right)
        self.up = np.cross(self.toward, self.right)

    def project(self, x):
        return np.stack([x @ self.right, x @ self.up], axis=-1)

    def visible(self, x, triangles):
        """Triangles that face the viewer, the farthest first."""
        p = x[triangles]
        normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
        facing = np.flatnonzero(normal @ self.toward > 0)
        depth = p[facing].mean(1) @ self.toward
        return facing[np.argsort(depth, kind="stable")]

    def box_edges(self, box):
        """Edges of the box [2,3] that the viewer sees, projected."""
        corner = np.array([[box[i][0], box[j][1], box[k][2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
        hidden = np.argmin(corner @ self.toward)
        pairs = [(a, b) for a in range(8) for b in (a ^ 1, a ^ 2, a ^ 4) if a < b and hidden not in (a, b)]
        return self.project(corner)[np.array(pairs)]
