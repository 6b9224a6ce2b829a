#!/usr/bin/env bash
# The demonstration: one microstructure, two GB phases, the curves and the figures.
set -eu
build=${BUILD:-build} np=${NP:-2} mpiexec=${MPIEXEC:-mpirun} python=${PYTHON:-python3}
start=$(date +%s)

run() { # folder, overrides...
  local out=$1
  shift
  $mpiexec -n "$np" "$build/magtwin" demag inputs/demo.yaml output.folder="$out" "$@" --force
}
run out/demo
# the same grains and the same mesh, so that only the GB phase differs
run out/demo_nonmagnetic materials.gb=nonmagnetic mesh.file=out/demo/mesh.h5
"$python" postprocess/plot/demag.py out/demo --compare out/demo_nonmagnetic
"$python" postprocess/plot/demag.py out/demo_nonmagnetic

"$python" - out/demo out/demo_nonmagnetic <<'PY'
import json, sys
coercivity = []
for folder in sys.argv[1:]:
    results = json.load(open(folder + "/summary.json"))["results"]
    coercivity.append(results["Hc"]["value"])
    def show(key):  # null: the curve did not get there
        value = results[key]["value"]
        return "not reached" if value is None else "%.3f %s" % (value, results[key]["unit"])
    print("%-22s coercivity %s, remanence %s" % (folder, show("Hc"), show("Br")))
# a ferromagnetic phase is where reversal starts and carries it from grain to grain; without it the grains hold longer
if None in coercivity or not 0 < coercivity[0] < coercivity[1]:
    sys.exit("the demonstration expects a larger coercivity with the nonmagnetic GB phase")
PY
echo "figures:     out/demo/figures/*.png (and .svg), out/demo_nonmagnetic/figures"
echo "curve:       out/demo/curve.csv, numbers in out/demo/summary.json"
echo "for ParaView: out/demo/states.xdmf"
echo "took $(($(date +%s) - start)) s"
