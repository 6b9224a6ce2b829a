"""magnumnp_run.py JSON: relaxes the model in JSON with magnum.np (cells instead of tetrahedra), field after field; prints JSON.

Run by peers.py in its own environment.  The minimizer is magnum.np's MinimizerBB (steepest descent with Barzilai-Borwein steps); a state
counts as relaxed by the same torque as in magtwin, max |m x (m x H)| mu0.
"""
import json
import sys
import time

import h5py
import numpy as np
import torch
from magnumnp import DemagField, ExchangeField, ExternalField, Mesh, MinimizerBB, State, UniaxialAnisotropyField, constants
from scipy.spatial import cKDTree


class Counted:
    """A field term that counts how often its field is asked for."""

    def __init__(self, term):
        self.term, self.calls = term, 0

    def h(self, state):
        self.calls += 1
        return self.term.h(state)

    def E(self, state):
        return self.term.E(state)


def axes_of_cells(model):
    """Easy axis of each cell: that of the magnetic tet whose centre is nearest to the cell's."""
    with h5py.File(model["mesh"]) as f:
        x, tet, region = f["mesh/x"][:], f["mesh/tet"][:], f["mesh/region"][:]
        grain, axis = f["regions/grains"][:, 0], f["grains/axis"][:]
    magnetic = grain[region] >= 0
    n = model["cells"]
    c = (np.arange(n) + 0.5) * model["h"]
    centres = np.stack(np.meshgrid(c, c, c, indexing="ij"), axis=-1)
    nearest = cKDTree(x[tet[magnetic]].mean(1)).query(centres.reshape(-1, 3))[1]
    return axis[grain[region[magnetic][nearest]]].reshape(n, n, n, 3)


def main():
    with open(sys.argv[1]) as f:
        model = json.load(f)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(model["threads"])
    n, h = model["cells"], model["h"] * 1e-9
    mesh = Mesh((n, n, n), (h, h, h))
    state = State(mesh)
    axis = torch.tensor(axes_of_cells(model))
    state.material = {"Ms": model["Js"] / constants.mu_0, "A": model["A"], "Ku": model["K1"], "Ku_axis": axis}
    direction = np.array(model["direction"]) / np.linalg.norm(model["direction"])
    state.m = state.Constant([float(c) for c in direction])
    field = state.Constant([0.0, 0.0, 0.0])
    demag = Counted(DemagField())
    minimizer = MinimizerBB([demag, ExchangeField(), UniaxialAnisotropyField(), ExternalField(lambda state: field)])
    demag.h(state)  # the demagnetization tensor is set up: not part of the time
    demag.calls, rows, start = 0, [], time.time()
    for B in model["fields"]:
        field[...] = torch.tensor(direction * B / constants.mu_0)
        converged = minimizer.minimize(state, maxiter=model["max_iterations"], dm_tol=model["torque"] / constants.mu_0)
        rows.append([B, float((state.m.reshape(-1, 3).mean(0) * torch.tensor(direction)).sum()), bool(converged), demag.calls])
    print("RESULT " + json.dumps({"seconds": time.time() - start, "evaluations": demag.calls, "nodes": n**3, "rows": rows}))


if __name__ == "__main__":
    main()
