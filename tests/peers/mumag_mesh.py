"""magtwin's mesh as mammos-mumag reads it: Finley's .fly, with the shell of its open boundary around magtwin's sphere, and the constants
of each region (.krn)."""
import h5py
import numpy as np

SHELL = 3  # layers of tets from the sphere's radius to twice as much


def outer_faces(tet):
    faces = np.sort(np.concatenate([tet[:, [1, 2, 3]], tet[:, [0, 2, 3]], tet[:, [0, 1, 3]], tet[:, [0, 1, 2]]]), axis=1)
    unique, count = np.unique(faces, axis=0, return_counts=True)
    return unique[count == 1]


def shell(x, tet, radius):
    """Nodes and tets of the shell: copies of the outer nodes further out; a prism (a b c, a' b' c'), a < b < c, in three tets."""
    faces = outer_faces(tet)
    outer = np.unique(faces)
    place = np.searchsorted(outer, faces)
    layers, nodes = [outer], []
    for k in range(1, SHELL + 1):
        direction = x[outer] / np.linalg.norm(x[outer], axis=1)[:, None]
        nodes.append(direction * radius * (1 + k / SHELL))
        layers.append(len(x) + (k - 1) * len(outer) + np.arange(len(outer)))
    tets = []
    for low, high in zip(layers, layers[1:]):
        a, b, c = low[place].T
        A, B, C = high[place].T
        tets += [np.stack(t, axis=1) for t in ((a, b, c, C), (a, b, B, C), (a, A, B, C))]
    return np.concatenate(nodes), np.concatenate(tets)


def upright(x, tet):
    """The same tets with positive volume."""
    e = x[tet[:, 1:]] - x[tet[:, :1]]
    turned = np.linalg.det(e) < 0
    tet[turned] = tet[turned][:, [0, 2, 1, 3]]
    return tet


def write(mesh, name, material):
    """name.fly and name.krn.  Tags: grains 1..n, the inner air n + 1, the shell n + 2, as mammos-mumag asks for.  Returns nodes and grains."""
    with h5py.File(mesh) as f:
        centre, radius = f["mesh"].attrs["sphere"][:3], f["mesh"].attrs["sphere"][3]
        x, tet, region = f["mesh/x"][:] - centre, f["mesh/tet"][:].astype(int), f["mesh/region"][:]
        grain, axis = f["regions/grains"][:, 0], f["grains/axis"][:]
    n = len(axis)
    tag = np.where(grain[region] >= 0, grain[region] + 1, n + 1)
    more_x, more_tet = shell(x, tet, radius)
    tag = np.concatenate([tag, np.full(len(more_tet), n + 2)])
    x, tet = np.concatenate([x, more_x]), np.concatenate([tet, more_tet])
    tet = upright(x, tet)
    with open(name + ".fly", "w") as f:
        f.write("Mesh\n3D-nodes %d\n" % len(x))
        f.writelines("%d %d 0 %.16e %.16e %.16e\n" % (i + 1, i + 1, *p) for i, p in enumerate(x))
        f.write("Tet4 %d\n" % len(tet))
        f.writelines("%d %d %d %d %d %d\n" % (i + 1, tag[i], *(t + 1)) for i, t in enumerate(tet))
        f.write("Tri3 0\nTri3_Contact 0\nPoint1 0\nTags\n")
    with open(name + ".krn", "w") as f:
        for a in axis:
            f.write("%.16g %.16g %g 0.0 %g %g 1.0 0.0\n" % (np.arccos(np.clip(a[2], -1, 1)), np.arctan2(a[1], a[0]), material["K1"],
                                                          material["Js"], material["A"]))
        f.write("0 0 0 0.0 0 0 0 0.0\n" * 2)
    return len(x)
