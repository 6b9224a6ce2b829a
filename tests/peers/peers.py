#!/usr/bin/env python3
"""peers.py BUILD [edge nm] (`make peers`): the same polycrystal relaxed in the same fields by magtwin and by published codes, one after the other in one
run, with the ratio of their times.  Needs the network and a CPU build of torch once; no other target needs this.

magnum.np (finite differences, torch) is installed by pip into build/peers; its minimizer is MinimizerBB.  torch is Debian's, since the
wheels bring a GPU's libraries along.
mammos-mumag (finite elements, jax) is installed into build/peers-mumag; it reads its mesh, magtwin's with a shell for its own open
boundary, with run-escript of Debian's python3-escript.  Missing Debian packages are installed where root runs this.  jax is an older one
that works with Debian's numpy, against which escript is built.
All run on one and the same core.
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests")]
import mumag_mesh
import support

FIELDS = [1, 0.5, 0, -0.5, -1, -1.5]  # T: before any grain turns, so that both follow one branch
TORQUE = 1e-3  # T
SIZE = 2.0  # nm, edge length and cell
MATERIAL = {"A": 7.7e-12, "K1": 4.3e6, "Js": 1.61}  # Nd2Fe14B of inputs/materials.yaml
DIRECTION = [0.02, 0.01, 1]


def installed(folder, steps):
    """None, or why a step failed."""
    if not os.path.exists(os.path.join(folder, "bin", "python")):
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--system-site-packages", folder], check=True)
    pip = [os.path.join(folder, "bin", "python"), "-m", "pip"]
    for step in steps:
        done = subprocess.run(pip + step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            return "pip: " + (done.stdout.strip().splitlines() or ["failed"])[-1]
    return None


def debian_package(name):
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", name], stdout=subprocess.DEVNULL)


def has_torch():
    return subprocess.run(["/usr/bin/python3", "-c", "import torch"], stderr=subprocess.DEVNULL).returncode == 0


def environment_of_mumag(build):
    """Folder of the packages mammos-mumag is among, or the reason why it cannot run."""
    if not shutil.which("run-escript"):
        debian_package("python3-escript")
    if not shutil.which("run-escript"):
        return None, "no run-escript: apt-get install python3-escript"
    folder = os.path.join(os.path.abspath(build), "peers-mumag")
    # the h5py of a wheel and escript bring two HDF5 libraries into one process: Debian's h5py is used
    reason = installed(folder, [["install", "-q", "numpy==1.24.2", "scipy<1.13", "jax<0.4.31", "jaxlib<0.4.31", "mammos-mumag==0.11.0"],
                                ["uninstall", "-q", "-y", "h5py"]])
    return (None, reason) if reason else (glob.glob(os.path.join(folder, "lib", "python3*", "site-packages"))[0], None)


def environment_of_magnumnp(build):
    """Path of a Python that has magnum.np, or the reason why there is none."""
    if not has_torch():
        debian_package("python3-torch")
    if not has_torch():
        return None, "no torch: apt-get install python3-torch"
    folder = os.path.join(os.path.abspath(build), "peers")
    pip = ["install", "--quiet", "--retries", "1"]  # magnum.np 2 needs torch 2; Debian 12 has 1.13
    reason = installed(folder, [pip + ["--no-deps", "magnumnp<2", "torchdiffeq", "xitorch"],
                                pip + ["scipy", "pyvista", "setproctitle", "tqdm", "h5py"]])
    return (None, reason) if reason else (os.path.join(folder, "bin", "python"), None)


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
    return result_of(done)


def result_of(done):
    found = [line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    return json.loads(found[0]) if found else "it failed: " + (done.stderr.strip().splitlines() or ["no result"])[-1]


def mumag_run(packages, folder, tolerance=1e-10):
    mumag_mesh.write(os.path.join(folder, "mesh.h5"), os.path.join(folder, "model"), MATERIAL)
    size = sum(c * c for c in DIRECTION) ** 0.5
    model = {"folder": folder, "direction": [c / size for c in DIRECTION], "fields": FIELDS, "tolerance": tolerance, "Js": MATERIAL["Js"]}
    path = os.path.join(folder, "mumag.json")
    with open(path, "w") as f:
        json.dump(model, f)
    return result_of(subprocess.run(["run-escript", os.path.join(HERE, "mumag_run.py"), path], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True, env=dict(os.environ, PYTHONPATH=packages, JAX_PLATFORMS="cpu")))


def compare(name, peer, counts, seconds, m):
    """Prints a peer beside magtwin; returns what is kept of it."""
    if isinstance(peer, str):
        print("%s: not run: %s" % (name, peer))
        return {"name": name, "not_run": peer}
    apart = max(abs(ours - row[1]) for ours, row in zip(m, peer["rows"]))
    print("%s: %d nodes or cells, %d evaluations, %.2f s" % (name, peer["nodes"], peer["evaluations"], peer["seconds"]))
    print("%10s %12s %12s" % ("mu0 H (T)", "m, magtwin", "m, " + name))
    for ours, row in zip(m, peer["rows"]):
        print("%10g %12.5f %12.5f%s" % (row[0], ours, row[1], "" if all(row[2:3]) else "  (not converged)"))
    print("%s over magtwin: time %.2f, evaluations %.1f; m apart by at most %.5f" %
          (name, peer["seconds"] / seconds, peer["evaluations"] / counts["evaluations"], apart))
    return dict(peer, name=name, time_ratio=peer["seconds"] / seconds, evaluation_ratio=peer["evaluations"] / counts["evaluations"],
                largest_difference_of_m=apart)


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    edge = float(sys.argv[2]) if len(sys.argv) > 2 else 40.0
    folder = os.path.join(ROOT, "out", "peers")
    os.makedirs(folder, exist_ok=True)
    packages, no_mumag = environment_of_mumag(build)
    python, no_magnumnp = environment_of_magnumnp(build)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # for all that is started from here
    counts, seconds, m = our_run(build, folder, edge)
    print("magtwin: %d magnetic nodes (%d with air), %d evaluations, %.2f s" % (counts["magnetic_nodes"], counts["nodes"],
                                                                              counts["evaluations"], seconds))
    peers = [compare("mammos-mumag", mumag_run(packages, folder) if packages else no_mumag, counts, seconds, m),
             compare("magnum.np", magnumnp_run(python, folder, edge) if python else no_magnumnp, counts, seconds, m)]
    with open(os.path.join(folder, "peers.json"), "w") as f:
        json.dump({"when": time.strftime("%Y-%m-%d"), "magtwin_s": seconds, "magtwin_evaluations": counts["evaluations"], "m": m,
                   "peers": peers}, f, indent=1)
    print("wrote " + os.path.join("out", "peers", "peers.json"))
    sys.exit(any("not_run" in peer for peer in peers))


if __name__ == "__main__":
    main()
