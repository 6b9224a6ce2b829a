#!/usr/bin/env python3
"""peers.py BUILD [edge nm]: the same polycrystal relaxed in the same fields by magtwin and by published codes, one after the other in one
run, with the ratio of their times.  Needs the network and a CPU build of torch once; no other target needs this.

magnum.np (finite differences, torch) is installed by pip into build/peers; its minimizer is MinimizerBB.  torch comes from Debian's
python3-torch if that is installed, since the wheels of PyPI bring a GPU's libraries along.
mammos-mumag (finite elements) is on PyPI, but it computes inside run-escript of esys-escript, which is neither on PyPI nor in Debian 12: it
is run only where that program is found.
"""
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import support

FIELDS = [1, 0.5, 0, -0.5, -1, -1.5]  # T: before any grain turns, so that both follow one branch
TORQUE = 1e-3  # T
SIZE = 2.0  # nm, edge length and cell
MATERIAL = {"A": 7.7e-12, "K1": 4.3e6, "Js": 1.61}  # Nd2Fe14B of inputs/materials.yaml
DIRECTION = [0.02, 0.01, 1]


def environment_of_peers(build):
    """Path of a Python that has magnum.np, or the reason why there is none."""
    folder = os.path.join(os.path.abspath(build), "peers")
    python = os.path.join(folder, "bin", "python")
    base = "/usr/bin/python3"
    has_torch = subprocess.run([base, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode == 0
    if not os.path.exists(python):
        subprocess.run([base, "-m", "venv"] + (["--system-site-packages"] if has_torch else []) + [folder], check=True)
    packages = ["magnumnp<2" if has_torch else "magnumnp", "torchdiffeq", "xitorch"]  # magnum.np 2 needs torch 2; Debian 12 has 1.13
    pip = [python, "-m", "pip", "install", "--quiet", "--retries", "1"]
    if has_torch:
        steps = [pip + ["--no-deps"] + packages, pip + ["scipy", "pyvista", "setproctitle", "tqdm", "h5py"]]
    else:
        steps = [pip + ["torch", "--index-url", "https://download.pytorch.org/whl/cpu"], pip + packages + ["h5py"]]
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            return None, "pip: %s (without a CPU torch: apt-get install python3-torch)" % (done.stdout.strip().splitlines() or ["failed"])[-1]
    return python, None


def our_run(build, folder, edge):
    """Mesh first, its time is not compared; the curve and the seconds of the field path."""
    text = """title: the model of tests/peers
grains: {source: generated, count: 8, box: [%g nm, %g nm, %g nm], texture_spread: 15 deg, seed: 1}
mesh: {size: %g nm, gb: {thickness: 0}}
field:
  direction: [%s]
  start: %g T
  segments: [{to: %g T, step: %g T}]
minimizer: {torque: %g T}
output: {folder: %s, states: none}
""" % (edge, edge, edge, SIZE, ", ".join("%g" % c for c in DIRECTION), FIELDS[0], FIELDS[-1], FIELDS[0] - FIELDS[1], TORQUE, folder)
    path = os.path.join(folder, "model.yaml")
    with open(path, "w") as f:
        f.write(text)
    for command in ("mesh", "demag"):
        done = support.magtwin(build, command, path, "--force", timeout=36000)
        if done.code != 0:
            sys.exit(str(done))
    with open(os.path.join(folder, "summary.json")) as f:
        summary = json.load(f)
    with open(os.path.join(folder, "curve.csv")) as f:
        rows = [line.strip().split(",") for line in f]
    m = [float(row[rows[0].index("m")]) for row in rows[1:]]
    return summary["counts"], summary["phases"]["field path"]["wall"]["value"], m


def magnumnp_run(python, folder, edge):
    model = dict(MATERIAL, mesh=os.path.join(folder, "mesh.h5"), cells=round(edge / SIZE), h=SIZE, direction=DIRECTION, fields=FIELDS,
                 torque=TORQUE, max_iterations=20000, threads=1)
    path = os.path.join(folder, "model.json")
    with open(path, "w") as f:
        json.dump(model, f)
    done = subprocess.run([python, os.path.join(HERE, "magnumnp_run.py"), path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          cwd=folder)
    result = [line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    return json.loads(result[0]) if result else "it failed: " + (done.stderr.strip().splitlines() or ["no result"])[-1]


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    edge = float(sys.argv[2]) if len(sys.argv) > 2 else 40.0
    folder = os.path.join(ROOT, "out", "peers")
    os.makedirs(folder, exist_ok=True)
    if not shutil.which("run-escript"):
        print("mammos-mumag: not run: its finite elements need run-escript of esys-escript, which is not on PyPI nor in Debian 12")
    else:
        print("mammos-mumag: run-escript is there, but this script does not drive it yet: not run")
    python, reason = environment_of_peers(build)
    counts, seconds, m = our_run(build, folder, edge)
    print("magtwin: %d magnetic nodes (%d with air), %d evaluations, %.2f s" % (counts["magnetic_nodes"], counts["nodes"],
                                                                              counts["evaluations"], seconds))
    peer = magnumnp_run(python, folder, edge) if python else reason
    if isinstance(peer, str):
        sys.exit("magnum.np: not run: " + peer)
    print("magnum.np: %d cells, %d evaluations, %.2f s" % (peer["nodes"], peer["evaluations"], peer["seconds"]))
    print("%10s %12s %12s" % ("mu0 H (T)", "m, magtwin", "m, magnum.np"))
    for ours, (B, theirs, converged, _) in zip(m, peer["rows"]):
        print("%10g %12.5f %12.5f%s" % (B, ours, theirs, "" if converged else "  (not converged)"))
    print("time, magnum.np over magtwin, one core each: %.2f; evaluations %.1f" % (peer["seconds"] / seconds,
                                                                                  peer["evaluations"] / counts["evaluations"]))
    with open(os.path.join(folder, "peers.json"), "w") as f:
        json.dump({"when": time.strftime("%Y-%m-%d"), "magtwin_s": seconds, "magtwin_evaluations": counts["evaluations"], "m": m,
                   "magnumnp": peer}, f, indent=1)


if __name__ == "__main__":
    main()
