"""Bad input as users make it: exit code 2, a sentence that names the place and the rule, and nothing overwritten.
# timeout: 900
"""
import csv
import glob
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np

import support
from support import Skip, check, write

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"

GOOD = """\
grains:
  source: generated
  count: 4
  box: [24 nm, 24 nm, 24 nm]
  seed: 3
mesh:
  size: 3 nm
  gb:
    thickness: 3 nm
materials:
  gb: nonmagnetic
field:
  direction: [0.05, 0.02, 1]
  start: 1 T
  segments:
    - {to: 0.5 T, step: 0.5 T, mode: fixed}
output:
  folder: %s
"""


def out_of(folder):
    return os.path.join(folder, "out")


def refused(done, *words, place=None):
    """Exit code 2, every word in the message, file:line:column when a place is given, one message whatever the ranks."""
    check(done.code == 2, done)
    for word in words:
        check(word in done.err, "no %r in: %s" % (word, done))
    if place:
        check(re.search(r"run\.yaml:%s: " % place, done.err), "no run.yaml:%s in: %s" % (place, done))
    check("Traceback" not in done.err and "PETSC ERROR" not in done.err, done)
    first = done.err.strip().splitlines()[0]
    check(done.err.count(first) == 1, "said more than once: %s" % done)


def bad_text(old, new, words, place, ranks=1, subcommand="demag", leaves=None):
    """Replaces one piece of the good input; the run must be refused.  What the file alone shows leaves no folder; what shows only when
    grains or mesh are there may leave the files `leaves`, and never a result."""
    def test(folder):
        text = GOOD % out_of(folder)
        check(old in text, "the test's own input lacks %r" % old)
        path = write(folder, text.replace(old, new, 1))
        refused(support.magtwin(BUILD, subcommand, path, ranks=ranks), *words, place=place)
        if leaves is None:
            check(not os.path.exists(out_of(folder)), "the folder of the results was made")
        else:
            files = sorted(os.path.relpath(f, out_of(folder)) for f in snapshot(out_of(folder)))
            check(set(files) <= set(leaves), "left behind: %s" % files)
    return test


def all_errors_at_once(folder):
    text = GOOD % out_of(folder)
    text = text.replace("size: 3 nm", "sise: 3 nm").replace("thickness: 3 nm", "thickness: -3 nm").replace("count: 4", "count: 0")
    done = support.magtwin(BUILD, "demag", write(folder, text))
    refused(done, "did you mean", "mesh.gb.thickness", "grains.count")
    check(len(re.findall(r"run\.yaml:\d+:\d+: ", done.err)) == 3, done)


def override_is_checked(folder):
    path = write(folder, GOOD % out_of(folder))
    refused(support.magtwin(BUILD, "demag", path, "mesh.sise=2 nm"), "mesh.sise", "did you mean")
    refused(support.magtwin(BUILD, "demag", path, "mesh.gb.thickness=-1 nm"), "mesh.gb.thickness")


def complete_for_what_it_has(folder):
    """check names a subcommand only where the input has the keys it cannot do without, also those that the schema calls optional."""
    text = "pca: {files: a.csv}\noutput: {folder: %s}\n" % out_of(folder)
    done = support.magtwin(BUILD, "check", write(folder, text))
    check(done.code == 0 and re.findall("complete for magtwin (.*)", done.out) == ["pca"], done)
    refused(support.magtwin(BUILD, "topology", write(folder, text + "topology: {blur: 2}\n")), "missing key topology.files or topology.diagrams",
            place=r"3:\d+")
    text += "topology: {diagrams: %s}\n" % write(folder, "1,2\n", "a.csv")
    done = support.magtwin(BUILD, "check", write(folder, text))
    check(re.findall("complete for magtwin (.*)", done.out) == ["topology", "pca"], done)


def missing_slice(folder):
    data = os.path.join(folder, "S%02d.ang")
    for k in (0, 1, 3, 4):
        write(folder, angle_map(4, 3), os.path.basename(data % k))
    refused(support.magtwin(BUILD, "demag", write(folder, ebsd_input(folder))), "S0")


def slices_of_different_size(folder):
    for k in range(4):
        write(folder, angle_map(4, 3 if k != 2 else 4), "S%02d.ang" % k)
    refused(support.magtwin(BUILD, "demag", write(folder, ebsd_input(folder))), "S02.ang")


def angle_map(nx, ny):
    lines = ["# GRID: SqrGrid"]
    for j in range(ny):
        for i in range(nx):
            lines.append("0.1 0.2 0.3 %g %g 100 0.9 0 1 1" % (0.4 * i, 0.4 * j))
    return "\n".join(lines) + "\n"


def ebsd_input(folder):
    text = GOOD % out_of(folder)
    start, end = text.index("  source"), text.index("mesh:")
    grains = "  source: ebsd\n  files: %s/S*.ang\n  slice_step: 0.4 um\n  symmetry: cubic\n" % folder
    return text[:start] + grains + text[end:]


def made_mesh(folder):
    """A finished run; returns input and mesh file."""
    path = write(folder, GOOD % out_of(folder))
    done = support.magtwin(BUILD, "demag", path)
    check(done.code == 0, done)
    return path, os.path.join(out_of(folder), "mesh.h5")


def snapshot(folder):
    kept = {}
    for root, _, files in os.walk(folder):
        for name in files:
            full = os.path.join(root, name)
            with open(full, "rb") as f:
                kept[full] = f.read()
    return kept


def no_overwriting(folder):
    path, _ = made_mesh(folder)
    before = snapshot(out_of(folder))
    for ranks in (1, 2):
        refused(support.magtwin(BUILD, "demag", path, ranks=ranks), "--force")
    check(snapshot(out_of(folder)) == before, "files changed without --force")
    done = support.magtwin(BUILD, "demag", path, "--force")
    check(done.code == 0, done)


def no_overwriting_by_resume(folder):
    """--resume without a checkpoint starts anew, but never over a finished result; nor does another subcommand go over its summary."""
    path, mesh = made_mesh(folder)
    for name in ("checkpoint.h5", "checkpoint.h5.prev"):
        os.remove(os.path.join(out_of(folder), name))
    before = snapshot(out_of(folder))
    for ranks in (1, 2):
        refused(support.magtwin(BUILD, "demag", path, "--resume", ranks=ranks), "no checkpoint", "--force")
    check(snapshot(out_of(folder)) == before, "a finished result changed")
    os.rename(mesh, os.path.join(folder, "mesh.h5"))
    before = snapshot(out_of(folder))
    done = support.magtwin(BUILD, "mesh", path)
    refused(done, "curve.csv", "--force", "--resume by the subcommand that wrote it")
    other = os.path.join(folder, "meshed")
    os.mkdir(other)
    open(os.path.join(other, "mesh.h5"), "w").close()
    done = support.magtwin(BUILD, "mesh", path, "output.folder=" + other)
    refused(done, "mesh.h5", "--force")
    check("--resume" not in done.err, done)
    check(snapshot(out_of(folder)) == before, "the summary of the curve was overwritten")


def no_overwriting_by_another_kind(folder):
    """Checkpoints and states of all kinds have the same names: curve, dynamics and barriers do not share a folder unless asked to."""
    path = write(folder, GOOD % out_of(folder))
    short = ["time.end=1e-4 ns", "barrier.fields=[0 T]"]
    for owner in ("dynamics", "demag"):
        done = support.magtwin(BUILD, owner, path, *short, "--force")
        check(done.code == 0, done)
        before = snapshot(out_of(folder))
        table = {"dynamics": "dynamics.csv", "demag": "curve.csv"}[owner]
        for other in {"demag", "dynamics", "barrier", "mesh"} - {owner}:
            for flag in ([], ["--resume"]) if other != "mesh" else ([],):
                refused(support.magtwin(BUILD, other, path, *short, *flag), "mesh.h5" if other == "mesh" else table, "--force")
        check(snapshot(out_of(folder)) == before, "results of %s changed" % owner)
    check(not os.path.exists(os.path.join(out_of(folder), "dynamics.csv")), "--force left a table whose states are gone")
    done = support.magtwin(BUILD, "demag", path, "--resume")
    check(done.code == 0, done)


def ranks_inside_the_magnet(folder):
    """On many ranks some own nothing of the outer sphere."""
    path, mesh = made_mesh(folder)
    curves = []
    for ranks in (1, 16):
        out = os.path.join(folder, "on_%d" % ranks)
        done = support.magtwin(BUILD, "demag", path, "mesh.file=" + mesh, "output.folder=" + out, ranks=ranks)
        check(done.code == 0, done)
        check("\033" not in done.out and "\r" not in done.out, "codes of a terminal in a log: %r" % done.out)
        with open(os.path.join(out, "curve.csv"), newline="") as f:
            curves.append([float(row["m"]) for row in csv.DictReader(f)])
    check(len(curves[0]) > 1 and all(abs(a - b) < 1e-6 for a, b in zip(*curves)), curves)


def truncated_mesh(folder):
    path, mesh = made_mesh(folder)
    with open(mesh, "rb") as f:
        data = f.read()
    for part in (len(data) // 2, len(data) - 7, 100, 0):
        broken = os.path.join(folder, "broken.h5")
        with open(broken, "wb") as f:
            f.write(data[:part])
        before = snapshot(out_of(folder))
        for ranks in (1, 2) if part == len(data) // 2 else (1,):
            done = support.magtwin(BUILD, "demag", path, "mesh.file=" + broken, "output.folder=" + os.path.join(folder, "other"), ranks=ranks)
            refused(done, "broken.h5")
        refused(support.magtwin(BUILD, "check", path, "mesh.file=" + broken), "broken.h5")
        check(snapshot(out_of(folder)) == before, "the finished run changed")
    before = snapshot(out_of(folder))
    refused(support.magtwin(BUILD, "demag", path, "--force", "mesh.file=" + broken), "broken.h5")
    check(snapshot(out_of(folder)) == before, "--force destroyed a result for a mesh that cannot be read")


def mesh_of_another_input(folder):
    path, mesh = made_mesh(folder)
    done = support.magtwin(BUILD, "demag", path, "mesh.file=" + mesh, "grains.seed=4", "output.folder=" + os.path.join(folder, "other"))
    refused(done, "mesh.h5")


def truncated_checkpoint(folder):
    """With the newest checkpoint damaged the one before is taken; with both damaged the run refuses and changes nothing."""
    path, _ = made_mesh(folder)
    names = [n for n in os.listdir(out_of(folder)) if "checkpoint" in n]
    check(names, "no checkpoint in %s" % os.listdir(out_of(folder)))
    for name in names:
        full = os.path.join(out_of(folder), name)
        with open(full, "r+b") as f:
            f.truncate(os.path.getsize(full) // 2)
    before = snapshot(out_of(folder))
    refused(support.magtwin(BUILD, "demag", path, "--resume"), "checkpoint")
    check(snapshot(out_of(folder)) == before, "files changed")


def small_disk(folder, size):
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    if os.geteuid() != 0:
        raise Skip("needs root to mount a small disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%s" % size, "tmpfs", disk], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("cannot mount a small disk here")
    return disk


def full_disk(folder):
    disk = small_disk(folder, "64k")
    try:
        path = write(folder, GOOD % os.path.join(disk, "out"))
        done = support.magtwin(BUILD, "demag", path, ranks=2)
        check(done.code == 1, done)
        check("disk is full" in done.err, "the reason is not said: %s" % done)
        check(not glob.glob(os.path.join(disk, "out", "*.tmp")), "half a file is left")
    finally:
        subprocess.run(["umount", disk])


def unwritable(folder):
    """A folder below a plain file can be written by nobody, root included."""
    write(folder, "", "file")
    path = write(folder, GOOD % os.path.join(folder, "file", "out"))
    for ranks in (1, 2):
        refused(support.magtwin(BUILD, "demag", path, ranks=ranks), "file")


def missing_input(folder):
    refused(support.magtwin(BUILD, "demag", os.path.join(folder, "no.yaml")), "no.yaml")
    refused(support.magtwin(BUILD, "demga", "x.yaml"), "did you mean demag")
    fifo = os.path.join(folder, "fifo.yaml")
    os.mkfifo(fifo)
    refused(support.magtwin(BUILD, "check", fifo), "pipe")


def help_of_a_subcommand(folder):
    plot = support.magtwin(BUILD, "help", "plot")
    check(plot.code == 0 and "--compare" in plot.out and "--figures" in plot.out, plot)
    check(plot.out == support.magtwin(BUILD, "plot", "--help").out, plot)
    refused(support.magtwin(BUILD, "help", "demga"), "did you mean demag")
    keys = {name: support.magtwin(BUILD, name, "--help").out for name in ("check", "sweep", "reconstruct", "demag", "evolve")}
    check("  sweep.axes[].count\n" in keys["sweep"] and "  grains.source\n" not in keys["sweep"], "keys of sweep")
    check("  stack.voxel\n" in keys["reconstruct"] and "  mesh.size\n" not in keys["reconstruct"], "keys of reconstruct")
    check("  mesh.file\n" in keys["evolve"] and not any("  %s\n" % key in keys["evolve"] for key in ("mesh.size", "output.states")), "keys of evolve")
    check("later evolve.end" in keys["evolve"] and "field.segments" not in keys["evolve"], "--resume of evolve")
    check(all("  %s\n" % key in keys["demag"] for key in ("grains.source", "mesh.size", "minimizer.max_turn", "materials[].Js")), "keys of demag")
    check(all("  %s\n" % key in keys["check"] for key in ("sweep.axes[].count", "stack.voxel", "mesh.size", "materials[].Js")), "all keys")


def folders_without_figures(folder):
    """A folder of pictures, not of a run: the message says where they are."""
    write(folder, "", "board.png")
    refused(support.magtwin(BUILD, "plot", folder), "residual.csv")
    for name in ("plot", "report"):
        refused(support.magtwin(BUILD, name, os.path.join(folder, "board.png")), "there is no folder")


def nearest_material(folder):
    """Of two names one letter away the one that begins alike for longest: gb-0.75T, not gb-0.5T."""
    path = write(folder, (GOOD % out_of(folder)).replace("gb: nonmagnetic", "gb: gb-0.7T"))
    refused(support.magtwin(BUILD, "check", path), "did you mean gb-0.75T")


def good_input_is_checked(folder):
    path = write(folder, GOOD % out_of(folder))
    done = support.magtwin(BUILD, "check", path)
    check(done.code == 0, done)
    check(not os.path.exists(out_of(folder)), "check wrote something")


def check_knows_materials(folder):
    """What demag would refuse check refuses, and does not say ok first; a body without grain boundaries needs no material for them."""
    path = write(folder, GOOD % out_of(folder))
    done = support.magtwin(BUILD, "check", path, "materials.gb=nonmagnetc")
    refused(done, "nonmagnetc", "did you mean")
    check("# ok" not in done.out, done)
    library = write(folder, "materials:\n  - {name: own, A: 7.7 pJ/m, Js: 1.61 T, source: test}\n", "own.yaml")
    body = write(folder, "grains: {source: shape, shape: {kind: box, size: [4 nm, 4 nm, 4 nm]}}\nmesh: {size: 2 nm, air: {radius: 0}}\n"
                 "materials: {library: %s, grain: own}\ndemagnetizing: {enabled: false}\n"
                 "field: {start: 1 T, segments: [{to: 0.5 T, step: 0.5 T}]}\noutput: {folder: %s}\n" % (library, out_of(folder)), "body.yaml")
    done = support.magtwin(BUILD, "demag", body)
    check(done.code == 0, done)
    refused(support.magtwin(BUILD, "check", body, "grains.shape.kind=sphere", "grains.shape.size=[4 nm, 4 nm, 5 nm]"), "three equal diameters")


EVERYTHING = """\
grains: {source: shape, shape: {kind: layers, size: [6 nm, 4 nm, 8 nm], axis: z, layers: [4 nm, 4 nm], crystal_turn: 30 deg}}
mesh: {size: 2 nm, air: {radius: 0}, split_grains: true}
materials:
  library: %s
  grain: own
  interfaces: [{pair: "0-1", factor: 0.3}]
demagnetizing: {enabled: false}
field: {direction: [0.05, 0.02, 1], start: 1 T, segments: [{to: 0.5 T, step: 0.5 T}]}
output: {folder: %s}
"""


def write_strain(path, tets, e=1e-3):
    import h5py
    with h5py.File(path, "w") as f:
        f.attrs["format"], f.attrs["version"] = "magtwin-elements", 1
        f["strain"] = np.tile([e, 0, 0, 0, 0, 2e-4], (tets, 1))


def more_energies(folder):
    """Every energy that few magnets have, from files as users write them: their columns stand at the end of curve.csv; a strain of another
    mesh is refused."""
    import h5py
    library = write(folder, "materials:\n  - {name: own, A: 10 pJ/m, Js: 1.2 T, Kc1: 48 kJ/m3, K3: 1 kJ/m3, Ks: 0.1 mJ/m2, D: 0.5 mJ/m2, "
                    "Di: 0.1 mJ/m2, B1: -3 MJ/m3, B2: 7 MJ/m3, source: test}\n  - {name: nonmagnetic, A: 0, Js: 0, source: test}\n", "own.yaml")
    path, mesh = write(folder, EVERYTHING % (library, out_of(folder))), os.path.join(folder, "grains")
    done = support.magtwin(BUILD, "mesh", path, "output.folder=" + mesh)
    check(done.code == 0, done)
    with h5py.File(os.path.join(mesh, "mesh.h5"), "r") as f:
        tets = f["/mesh/tet"].shape[0]
        check(int((f["/mesh/base"][...] != np.arange(f["/mesh/x"].shape[0])).sum()) == 4 * 3, "twins of the layers")
    strain = os.path.join(folder, "strain.h5")
    common = ("mesh.file=" + os.path.join(mesh, "mesh.h5"), "materials.strain=" + strain)
    write_strain(strain, tets - 1)
    refused(support.magtwin(BUILD, "demag", path, *common, ranks=2), "%d rows" % (tets - 1), "%d tetrahedra" % tets)
    write_strain(strain, tets)
    done = support.magtwin(BUILD, "demag", path, *common, "--force", ranks=2)
    check(done.code == 0, done)
    with open(os.path.join(out_of(folder), "curve.csv")) as f:
        names, first = f.readline().strip().split(","), [float(v) for v in f.readline().split(",")]
    check(names[-4:] == ["e_" + name + "_J/m3" for name in ("surface", "dmi", "elastic", "interface")], names)
    energy = dict(zip(names, first))
    parts = sum(energy[name] for name in names if name.startswith("e_") and "total" not in name)
    check(abs(parts / energy["e_total_J/m3"] - 1) < 1e-9, energy)
    check(all(energy[name] != 0 for name in names[-4:]), energy)
    done = support.magtwin(BUILD, "demag", path, *common, "--resume")
    check(done.code == 0, done)
    write_strain(strain, tets, 2e-3)
    refused(support.magtwin(BUILD, "demag", path, *common, "--resume"), "other materials")
    for pair, words in (("0-7", "no grains"), ("7-*", "no grains"), ("1-0", "the smaller number first")):
        refused(support.magtwin(BUILD, "demag", path, *common, "--force", "materials.interfaces=[{pair: '*', factor: 0.3}, {pair: '%s', factor: 0}]" % pair),
                "materials.interfaces[1].pair", words)


def a_signal_ends_what_has_no_checkpoint(folder):
    command = [os.path.join(os.path.abspath(BUILD), "magtwin"), "mesh", write(folder, GOOD % out_of(folder)), "mesh.size=0.5 nm"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=support.environment())
    wanted = "short edges removed"
    seen = next((line for line in process.stdout if wanted in line), None)
    check(seen, "the run ended before it could be stopped")
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(20)
    finally:
        process.kill()
        process.stdout.close()
    check(code == -signal.SIGTERM, "exit code %s after TERM" % code)
    check(not os.path.exists(os.path.join(out_of(folder), "mesh.h5")), "a mesh was written")


def results_of_a_run(folder):
    path, _ = made_mesh(folder)
    out = out_of(folder)
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    check({"PETSc", "SLEPc", "hypre", "HDF5", "METIS", "libyaml", "MPI"} <= set(summary["libraries"]), summary["libraries"])
    check(re.fullmatch(r"[0-9.]+", summary["gmsh"]), summary["gmsh"])
    check(summary["counts"]["steps"] >= 2 and summary["counts"]["magnetic_nodes"] > 0, summary["counts"])
    with open(os.path.join(out, "curve.csv")) as f:
        lines = [line for line in f if not line.startswith("#")]
    check(lines[0].startswith("step,branch,segment,mu0_Hext_T"), lines[0])
    check(len(lines) == 1 + summary["counts"]["steps"], "%d lines" % len(lines))
    values = np.array([[float(x) for x in line.split(",")] for line in lines[1:]])
    eigenvalue = lines[0].split(",").index("eigenvalue_T")  # nan where it was not needed
    check(np.isfinite(np.delete(values, eigenvalue, axis=1)).all(), "not all numbers are finite")


def options_that_nothing_uses(folder):
    """What belongs to no solver is refused by every subcommand; what the solver does not know, before the first field."""
    path = write(folder, GOOD % out_of(folder) + 'petsc_options: "-ksp_rtol 1e-3"\n')
    for subcommand in ("demag", "mesh", "check"):
        refused(support.magtwin(BUILD, subcommand, path), "-ksp_rtol", "-demag_", place=r"\d+:\d+")
    check(not os.path.exists(out_of(folder)), "the folder of the results was made")
    path = write(folder, GOOD % out_of(folder) + 'petsc_options: "-demag_ksp_max_it 500 -demag_ksp_typ cg"\n')
    refused(support.magtwin(BUILD, "demag", path, ranks=2), "-demag_ksp_typ", place=r"\d+:\d+")
    left = sorted(os.listdir(out_of(folder)))
    check(all(name.startswith("mesh.h5") for name in left), "left behind: %s" % left)
    done = support.magtwin(BUILD, "demag", path, "petsc_options=-demag_ksp_max_it 500 -demag_pc_type bjacobi -demag_sub_pc_type icc")
    check(done.code == 0, done)


def summaries_of_two_subcommands(folder):
    """demag into a folder that mesh made keeps the summary of the mesh."""
    path = write(folder, GOOD % out_of(folder))
    for subcommand in ("mesh", "demag"):
        done = support.magtwin(BUILD, subcommand, path)
        check(done.code == 0, done)
    for name, subcommand in (("summary_mesh.json", "mesh"), ("summary.json", "demag")):
        with open(os.path.join(out_of(folder), name)) as f:
            check(json.load(f)["subcommand"] == subcommand, name)


def mesh_for_other_programs(folder):
    """mesh.vtu and mesh.msh hold the numbers of mesh.h5, to the bit."""
    import h5py
    path = write(folder, GOOD % out_of(folder))
    refused(support.magtwin(BUILD, "mesh", path, "mesh.also=[stl]"), "mesh.also", "stl")
    done = support.magtwin(BUILD, "mesh", path, "mesh.size=6 nm", "mesh.also=[msh, vtu, xdmf]")
    check(done.code == 0, done)
    with h5py.File(os.path.join(out_of(folder), "mesh.h5"), "r") as f:
        x, tet, region, names = f["/mesh/x"][...], f["/mesh/tet"][...], f["/mesh/region"][...], len(f["/regions/name"])
    with open(os.path.join(out_of(folder), "mesh.vtu"), "rb") as f:
        data = f.read()
    start = data.index(b"_", data.index(b"<AppendedData")) + 1
    for kind, name, offset in re.findall(rb'type="(\w+)" Name="(\w+)"[^>]*offset="(\d+)"', data[:start]):
        at = start + int(offset)
        size = int(np.frombuffer(data[at:at + 8], "<u8")[0])
        array = np.frombuffer(data[at + 8:at + 8 + size], kind.decode().lower())
        wanted = {b"x": x, b"connectivity": tet, b"region": region, b"offsets": np.arange(4, 4 * len(tet) + 1, 4)}.get(name)
        check(wanted is None or np.array_equal(array, wanted.ravel()), "%s of mesh.vtu is not that of mesh.h5" % name)
    with open(os.path.join(out_of(folder), "mesh.msh")) as f:
        lines = f.read().splitlines()
    nodes, elements = lines.index("$Nodes") + 2, lines.index("$Elements") + 2
    check(int(lines[lines.index("$PhysicalNames") + 1]) == names, "regions of mesh.msh")
    check(np.array_equal(np.array([row.split()[1:] for row in lines[nodes:nodes + len(x)]], float), x), "nodes of mesh.msh")
    rows = np.array([row.split() for row in lines[elements:elements + len(tet)]], int)
    check(np.array_equal(rows[:, 5:] - 1, tet) and np.array_equal(rows[:, 3] - 1, region), "tets of mesh.msh")
    check("mesh.h5:/" in open(os.path.join(out_of(folder), "mesh.xdmf")).read(), "mesh.xdmf")


TESTS = [
    ("the summary of the mesh is kept beside that of the curve", summaries_of_two_subcommands),
    ("valid inputs are accepted", good_input_is_checked),
    ("check refuses what demag refuses", check_knows_materials),
    ("a run leaves its results", results_of_a_run),
    ("TERM ends a mesher at once", a_signal_ends_what_has_no_checkpoint),
    ("unknown key", bad_text("  size: 3 nm", "  sise: 3 nm", ["mesh.sise", "did you mean"], "7:3")),
    ("unknown key, 2 ranks", bad_text("  size: 3 nm", "  sise: 3 nm", ["mesh.sise", "did you mean"], "7:3", ranks=2)),
    ("repeated key", bad_text("  count: 4\n", "  count: 4\n  count: 5\n", ["grains.count"], "4:3")),
    ("wrong unit", bad_text("size: 3 nm", "size: 3 T", ["mesh.size", "nm"], r"7:\d+")),
    ("not a number", bad_text("size: 3 nm", "size: .nan", ["mesh.size"], r"7:\d+")),
    ("negative thickness", bad_text("thickness: 3 nm", "thickness: -3 nm", ["mesh.gb.thickness", "-3"], r"9:\d+")),
    ("pair of a boundary with the larger number first", bad_text("thickness: 3 nm", "thickness: 3 nm\n    pairs: [{pair: '2-1', thickness: 2 nm}]",
                                                                 ["mesh.gb.pairs[0].pair", "smaller number first"], r"10:\d+", leaves=[], subcommand="check")),
    ("pair of a boundary with another sign between", bad_text("thickness: 3 nm", "thickness: 3 nm\n    pairs: [{pair: '1:2', thickness: 2 nm}]",
                                                              ["mesh.gb.pairs[0].pair", "3-7"], r"10:\d+", leaves=[], subcommand="check")),
    ("thickness larger than a grain", bad_text("thickness: 3 nm", "thickness: 30 nm", ["thickness"], r"9:\d+", leaves=[])),
    ("thickness larger than a grain, 2 ranks", bad_text("thickness: 3 nm", "thickness: 30 nm", ["thickness"], r"9:\d+", ranks=2, leaves=[])),
    ("thickness larger than a grain, seen by check", bad_text("thickness: 3 nm", "thickness: 30 nm", ["thickness", "smallest grain"], r"9:\d+",
                                                              subcommand="check")),
    ("a sphere close to the magnet, seen by check", bad_text("  size: 3 nm", "  size: 3 nm\n  air: {radius: 1.01}", ["mesh.air.radius"], r"8:\d+",
                                                             subcommand="check")),
    ("0 grains", bad_text("count: 4", "count: 0", ["grains.count"], r"3:\d+")),
    ("field path of zero length", bad_text("to: 0.5 T", "to: 1 T", ["field"], r"16:\d+")),
    ("field path without segments", bad_text("    - {to: 0.5 T, step: 0.5 T, mode: fixed}\n", "    []\n", ["field.segments"], r"1[56]:\d+")),
    ("unknown material", bad_text("gb: nonmagnetic", "gb: nonmagnetc", ["nonmagnetc", "did you mean"], r"11:\d+", leaves=["mesh.h5"])),
    ("temperature beyond the table", bad_text("gb: nonmagnetic", "gb: nonmagnetic\n  temperature: 600 K", ["materials.temperature", "473 K"],
                                              r"12:\d+", leaves=[])),
    ("coupled grains without nodes of their own", bad_text("gb: nonmagnetic", "gb: nonmagnetic\n  interfaces: [{pair: '*', factor: 1}]",
                                                           ["materials.interfaces", "mesh.split_grains"], r"12:\d+", leaves=[])),
    ("split grains with a phase between them", bad_text("  size: 3 nm", "  size: 3 nm\n  split_grains: true", ["mesh.gb.thickness"],
                                                        r"8:\d+", leaves=[], subcommand="mesh")),
    ("energies that few magnets have", more_energies),
    ("all errors at once", all_errors_at_once),
    ("overrides are checked", override_is_checked),
    ("options of PETSc that nothing uses", options_that_nothing_uses),
    ("missing input file and unknown subcommand", missing_input),
    ("help of a subcommand", help_of_a_subcommand),
    ("folders without figures", folders_without_figures),
    ("the nearest name is suggested", nearest_material),
    ("check says for what an input is complete", complete_for_what_it_has),
    ("missing slice", missing_slice),
    ("slices of different size", slices_of_different_size),
    ("no overwriting without --force", no_overwriting),
    ("no overwriting by --resume or another subcommand", no_overwriting_by_resume),
    ("no overwriting by another kind of run", no_overwriting_by_another_kind),
    ("ranks inside the magnet", ranks_inside_the_magnet),
    ("mesh for other programs", mesh_for_other_programs),
    ("truncated mesh", truncated_mesh),
    ("mesh of another input", mesh_of_another_input),
    ("damaged checkpoints", truncated_checkpoint),
    ("full disk", full_disk),
    ("unwritable folder", unwritable),
]

if __name__ == "__main__":
    sys.exit(support.run_tests(TESTS))
