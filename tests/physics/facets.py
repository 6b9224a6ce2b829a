"""Demagnetizing tensor of a uniformly magnetized polyhedron from the charges on its facets, independently of the program: the surface of
the grain in a mesh file, the potential of a charged triangle in closed form (D. Wilton et al., IEEE Trans. Antennas Propag. 32 (1984) 276)."""
import h5py
import numpy as np


def surface(path):
    """Triangles [n,3,3] of the surface of region 0, normals outwards [n,3], areas [n], volume."""
    with h5py.File(path, "r") as f:
        x, tet, region = f["/mesh/x"][...], f["/mesh/tet"][...], f["/mesh/region"][...]
    tet, once = tet[region == 0], {}
    for t in tet:
        for k in range(4):
            face = [t[j] for j in range(4) if j != k]
            if once.pop(tuple(sorted(face)), None) is None:
                once[tuple(sorted(face))] = face, t[k]
    triangles = np.array([x[face] for face, _ in once.values()])
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normal *= np.sign(np.einsum("ij,ij->i", normal, triangles[:, 0] - x[[inner for _, inner in once.values()]]))[:, None]
    twice = np.linalg.norm(normal, axis=1)
    return triangles, normal / twice[:, None], twice / 2, np.abs(np.linalg.det(x[tet][:, 1:] - x[tet][:, :1])).sum() / 6


def potential(triangle, normal, points):
    """Integral of 1/r over the triangle, at the points [n,3]."""
    total, d = np.zeros(len(points)), (points - triangle[0]) @ normal
    for a, b in zip(triangle, np.roll(triangle, -1, axis=0)):
        along = (b - a) / np.linalg.norm(b - a)
        across = np.cross(along, normal)
        if across @ (a - triangle.mean(0)) < 0:
            across = -across
        t, low, high = (a - points) @ across, (a - points) @ along, (b - points) @ along
        r2 = t**2 + d**2
        r_low, r_high = np.sqrt(low**2 + r2), np.sqrt(high**2 + r2)
        log = np.where(r2 > 1e-20, np.log(np.maximum(r_high + high, 1e-300) / np.maximum(r_low + low, 1e-300)), 0)
        total += t * log - np.abs(d) * (np.arctan2(t * high, r2 + np.abs(d) * r_high) - np.arctan2(t * low, r2 + np.abs(d) * r_low))
    return total


def factors(path, parts=6):
    """Demagnetizing tensor of the grain in the mesh file: sum over pairs of facets of n_s n_t integral of 1/r/(4 pi V); the outer integral by
    the midpoints of parts^2 pieces."""
    triangles, normal, area, volume = surface(path)
    inner = [((i + k / 3) / parts, (j + k / 3) / parts) for i in range(parts) for j in range(parts - i) for k in (1, 2)
             if k == 1 or j < parts - i - 1]
    u, v = np.array(inner).T[:, None, :, None]
    corner, side1, side2 = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    points = (corner[:, None] + u * side1[:, None] + v * side2[:, None]).reshape(-1, 3)
    pair = np.array([potential(t, n, points).reshape(len(area), -1).mean(1) * area for t, n in zip(triangles, normal)])
    return np.einsum("si,st,tj->ij", normal, pair, normal) / (4 * np.pi * volume)
