"""magnumnp_run.py JSON: relaxes the model in JSON with magnum.np (cells instead of tetrahedra), field after field; prints JSON.

Run by peers.py in its own environment.  The minimizer is magnum.np's MinimizerBB (steepest descent with Barzilai-Borwein steps); a state
counts as relaxed by the same torque as in magtwin, max |m x (m x H)| mu0.
"""
import json
import sys
import time

import numpy as np
import torch
from magnumnp import DemagField, ExchangeField, ExternalField, Mesh, MinimizerBB, State, UniaxialAnisotropyField, constants, logging


class Counted:
    """A field term that counts how often its field is asked for."""

    def __init__(self, term):
        self.term, self.calls = term, 0

    def h(self, state):
        self.calls += 1
        return self.term.h(state)

    def E(self, state):
        return self.term.E(state)


def grains_of_cells(model):
    n, h = model["cells"], model["h"]
    x = (np.arange(n) + 0.5) * h
    p = np.stack(np.meshgrid(x, x, x, indexing="ij"), axis=-1)
    # the cells of magtwin's own diagram: |x - s|^2 - w is least
    d = ((p[..., None, :] - np.array(model["seeds"])) ** 2).sum(-1) - np.array(model["weights"])
    return d.argmin(-1)


def main():
    with open(sys.argv[1]) as f:
        model = json.load(f)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(model["threads"])
    n, h = model["cells"], model["h"] * 1e-9
    mesh = Mesh((n, n, n), (h, h, h))
    state = State(mesh)
    axis = torch.tensor(np.array(model["axes"])[grains_of_cells(model)])
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
    logging.disable() if hasattr(logging, "disable") else None
    main()
