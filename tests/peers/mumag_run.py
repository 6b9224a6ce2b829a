"""mumag_run.py JSON: the model in JSON by mammos-mumag, field after field, on magtwin's mesh; prints JSON.

Run by peers.py with run-escript.  Its nonlinear conjugate gradients, tolerances and open boundary are as its authors left them.  The
loop runs twice: jax compiles it in the first, the second is what is timed.
"""
import importlib.util
import json
import os
import sys
import time

SCRIPTS = os.path.join(os.path.dirname(importlib.util.find_spec("mammos_mumag").origin), "scripts")
sys.path.insert(0, SCRIPTS)
import jax

jax.config.update("jax_enable_x64", True)
import loop
from escript_tools import readmesh_get_tags  # noqa: F401  (loads Finley before the matrices are made)
from mapping import escript2arrays

P2 = """[mesh]
size = 1.e-9
scale = 0.0
[initial state]
mx = %.16g
my = %.16g
mz = %.16g
[field]
hmag_on = 1
hstart = %.16g
hfinal = %.16g
hstep = %.16g
hx = %.16g
hy = %.16g
hz = %.16g
mstep = 1e9
mfinal = -1e9
[minimizer]
tol_fun = %g
tol_hmag_factor = 1
precond_iter = 10
"""


def main():
    with open(sys.argv[1]) as f:
        model = json.load(f)
    os.chdir(model["folder"])
    d, fields = model["direction"], model["fields"]
    with open("model.p2", "w") as f:
        f.write(P2 % (*d, fields[0], fields[-1], fields[1] - fields[0], *d, model["tolerance"]))
    m, pars, tags = escript2arrays("model", 0)
    loop.m, loop.name, loop.tags = m, "model", tags  # it reads globals of its main program: the preconditioner the first m
    for _ in range(2):
        start = time.time()
        iterations, calls, rec, n = loop.solve("model", m, pars, len(fields))
        jax.block_until_ready(rec)
        seconds = time.time() - start
    rows = [[float(B), float(J) / model["Js"]] for _, B, J, *_ in rec[:int(n)]]
    print("RESULT " + json.dumps({"seconds": seconds, "evaluations": int(calls), "iterations": int(iterations), "nodes": len(m) // 3,
                                  "rows": rows}))


main()
