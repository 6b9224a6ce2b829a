#!/usr/bin/env python3
"""embedding_test.py BUILD: a mesh as a cut-out of a larger sample (demagnetizing.sample), and the factor of the loop."""
import csv
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
PLATE = """grains: {source: generated, count: 1, box: [16, 16, 8], texture_axis: [0, 0, 1], texture_spread: 0 deg}
mesh: {size: 2 nm, gb: {thickness: 0}}
materials: {grain: Nd2Fe14B}
field:
  direction: [0.02, 0, 1]
  start: 0 T
  segments: [{to: -8 T, step: 0.5 T, resolution: 20 mT}]
"""
ANISOTROPY_FIELD = 6.7125   # T, 2 mu0 K1/Js of Nd2Fe14B at 300 K in the library


def run(source, out, *more):
    done = support.magtwin(BUILD, "demag", source, "output.folder=" + out, *more)
    check(done.code == 0, done)
    with open(os.path.join(out, "summary.json")) as f:
        results = json.load(f)["results"]
    with open(os.path.join(out, "curve.csv"), newline="") as f:
        return results, list(csv.DictReader(f))


def write(folder):
    path = os.path.join(folder, "run.yaml")
    with open(path, "w") as f:
        f.write(PLATE)
    return path


def samples(folder):
    """The plate's mean field is -N J along z: applied fields of the same states differ by (N_body - N_sample) J, as long as m is
    nearly uniform; so do their coercive fields, at which the jump begins from J = Js."""
    source, Js = write(folder), 1.61
    open_, rows = run(source, os.path.join(folder, "open"))
    mesh = "mesh.file=" + os.path.join(folder, "open", "mesh.h5")
    closed, closed_rows = run(source, os.path.join(folder, "closed"), mesh, "demagnetizing.sample=closed_circuit")
    half, _ = run(source, os.path.join(folder, "half"), mesh, "demagnetizing.sample=factors", "demagnetizing.sample_factors=[0.1, 0.1, 0.3]",
                  "demagnetizing.loop_factor=0.25")
    N = closed["N_cut_out"]
    check(abs(sum(N) - 1) < 0.08 and N[2] > 1.5 * N[0], N)  # a plate of four elements: docs/numerics.md has the errors at edges
    check("N_cut_out" not in open_ and closed["N"] == 0 and half["N"] == 0.25, (closed["N"], half["N"]))
    check(closed["internal"]["Hc"] == closed["Hc"], "internal and applied field differ in a closed circuit")
    check(abs(float(closed_rows[0]["e_demag_J/m3"])) < 0.02 * float(rows[0]["e_demag_J/m3"]), "uniform m has energy in a closed circuit")
    Hc = [r["Hc"]["value"] for r in (open_, closed, half)]
    print("# N of the mesh %s; Hc %.3f T open, %.3f T closed, %.3f T with N = 0.3" % (["%.4f" % n for n in N], *Hc))
    # turning as one: the stiffness has N_across - N_along, of the body, of nothing, of the sample
    check(abs((Hc[1] - Hc[0]) - (N[2] - N[0]) * Js) < 0.15 * (N[2] - N[0]) * Js, Hc)
    check(abs((Hc[1] - Hc[2]) - 0.2 * Js) < 0.15 * 0.2 * Js, Hc)


def refused(folder):
    source = write(folder)
    for change, words in ((["demagnetizing.sample=closed_circuit", "demagnetizing.enabled=false"], "needs the demagnetizing field"),
                          (["demagnetizing.sample=factors", "demagnetizing.sample_factors=[0.5, 0.5, 0.5]"], "add up to more than 1"),
                          (["demagnetizing.sample=factors"], "sample_factors"), (["demagnetizing.sample=bulk"], "closed_circuit")):
        done = support.magtwin(BUILD, "check", source, "output.folder=" + os.path.join(folder, "out"), *change)
        check(done.code == 2 and words in done.err + done.out, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("cut-outs of a closed circuit and of a sample", samples), ("bad input", refused)]))
