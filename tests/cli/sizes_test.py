"""Sizes of a mesh in exchange lengths of its materials: what they become, what is told, what is refused."""
import json
import os
import sys

import h5py

import support
from support import check

BUILD = sys.argv[1]
INPUT = """grains: {source: generated, count: 3, box: [20 nm, 20 nm, 20 nm], seed: 3}
mesh:
  size: 2.5 lex
  inner_size: 5 lex
  gb: {thickness: 2 nm}
  air: {radius: 0}
materials: {grain: Nd2Fe14B, gb: gb-0.5T}
output: {folder: %s}
"""
BLOCH = 1.33817  # nm, sqrt(A/K1) of Nd2Fe14B: A = 7.7 pJ/m, K1 = 4.3 MJ/m3
EXCHANGE = 2.73237  # nm, sqrt(2 A mu0)/Js, Js = 1.61 T


def write(folder, change=("", "")):
    path = os.path.join(folder, "run.yaml")
    with open(path, "w") as f:
        f.write((INPUT % os.path.join(folder, "out")).replace(*change))
    return path


def near(a, b):
    return abs(a / b - 1) < 1e-4


def test_told(folder):
    """The smaller of the two lengths is the unit; the log and the summary hold both, the mesh file nanometres."""
    done = support.magtwin(BUILD, "mesh", write(folder), ranks=2)
    check(done.code == 0 and "mesh.size: 2.5 lex = 3.345 nm" in done.out, done)
    with open(os.path.join(folder, "out", "summary.json")) as f:
        lex = json.load(f)["lex"]
    check(lex["material"] == "Nd2Fe14B" and near(lex["nm"], BLOCH) and near(lex["bloch_parameter_nm"], BLOCH), lex)
    check(near(lex["exchange_length_nm"], EXCHANGE), lex)
    check([(e["key"], e["lex"]) for e in lex["lengths"]] == [("mesh.size", 2.5), ("mesh.inner_size", 5)], lex)
    check(near(lex["lengths"][1]["nm"], 5 * BLOCH), lex)
    with h5py.File(os.path.join(folder, "out", "mesh.h5")) as f:
        check(near(f["/mesh"].attrs["size"], 2.5 * BLOCH), f["/mesh"].attrs["size"])


def test_refused(folder):
    """file:line:column, the key and the rule; nothing is written."""
    for change, place, words in (
            (("materials: {grain: Nd2Fe14B, gb: gb-0.5T}\n", ""), ":3:9", "there is no section materials"),
            (("thickness: 2 nm", "thickness: 2 lex"), ":5:19", '"lex" is not a unit it can have (accepted: nm, um, mm, m)'),
            (("2.5 lex", "0.001 lex"), ":3:9", "is 0.001 lex = 0.001338 nm"),
            (("2.5 lex", "-2 lex"), ":3:9", "is -2 lex"),
            (("2.5 lex", "2.5 lexx"), ":3:9", "accepted: nm, um, mm, m, lex"),
            (("Nd2Fe14B, gb: gb-0.5T", "nonmagnetic"), ":7:20", "not magnetic"),
            (("Nd2Fe14B", "Nd2Fe14"), ":7:20", "did you mean Nd2Fe14B?")):
        for command in ("mesh", "check"):
            done = support.magtwin(BUILD, command, write(folder, change))
            check(done.code == 2 and "run.yaml" + place in done.err and words in done.err, done)
    check(not os.path.exists(os.path.join(folder, "out")), os.listdir(folder))


def test_far_too_many(folder):
    """Lengths in other units than they were meant in: said at once."""
    done = support.magtwin(BUILD, "mesh", write(folder), "grains.box=[20 um, 20 um, 20 um]", "mesh.size=2 nm", "mesh.inner_size=2 nm", timeout=60)
    check(done.code == 2 and "mesh.size: would give about 9.7e+12 tetrahedra" in done.err and "as large as a cube of 2e+04 nm" in done.err, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("what they become", test_told), ("refused", test_refused), ("far too many", test_far_too_many)]))
