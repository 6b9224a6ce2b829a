#!/usr/bin/env python3
"""barrier_test.py BUILD: energy barriers as users ask for them: bad input, groups of ranks, stop and continue, states of a file, figures."""
# timeout: 300
import csv
import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

INPUT = """grains: {source: shape, shape: {kind: sphere, size: [4 nm, 4 nm, 4 nm]}}
mesh: {size: 1 nm, air: {radius: 0}}
materials: {grain: Nd2Fe14B}
demagnetizing: {enabled: false}
barrier: {fields: [-2 T, -3 T], images: 10}
"""
LONG = ["barrier.images=24", "mesh.size=0.7 nm"]


def source(folder):
    path = os.path.join(folder, "run.yaml")
    if not os.path.exists(path):
        with open(path, "w") as f:
            f.write(INPUT)
    return path


def run(folder, name, *more, ranks=1, code=0):
    out = os.path.join(folder, name)
    done = support.magtwin(sys.argv[1], "barrier", source(folder), "output.folder=" + out, *more, ranks=ranks,
                           OMPI_MCA_mpi_yield_when_idle="1")
    check(done.code == code, done)
    return out, done


def table(folder, name="barriers.csv"):
    with open(os.path.join(folder, name), newline="") as f:
        return list(csv.DictReader(f))


def text(folder, name):
    with open(os.path.join(folder, name)) as f:
        return f.read()


def test_groups_change_no_bit(folder):
    one, _ = run(folder, "one")
    two, _ = run(folder, "two", "barrier.groups=2", ranks=2)
    for name in ("barriers.csv", "barrier.csv"):
        check(text(one, name) == text(two, name), "%s differs between one group and two" % name)
    rows = table(one)
    check([row["end"] for row in rows] == ["converged"] * 2, rows)
    check(all(float(row["eigenvalue_1_T"]) < -1 and float(row["eigenvalue_2_T"]) > -2e-3 for row in rows), rows)
    with open(os.path.join(one, "summary.json")) as f:
        results = json.load(f)["results"]
    check(abs(results["fit"]["n"] - 2) < 0.02 and abs(results["fit"]["H0"]["value"] + 6.7125) < 0.07, results["fit"])


def test_more_ranks_in_a_group_agree(folder):
    one, _ = run(folder, "one")
    two, _ = run(folder, "two", ranks=2)
    for a, b in zip(table(one), table(two)):
        check(abs(float(a["barrier_J"]) / float(b["barrier_J"]) - 1) < 1e-3, (a, b))


def stopped(folder, name, *more):
    """A run in two groups that is told to stop once it has a checkpoint."""
    out = os.path.join(folder, name)
    program = os.path.join(os.path.abspath(sys.argv[1]), "magtwin")
    command = support.launcher(2) + [program, "barrier", source(folder), "output.folder=" + out, "barrier.groups=2"] + LONG + list(more)
    process = subprocess.Popen(command, env=support.environment(OMPI_MCA_mpi_yield_when_idle="1"), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.time() + 60
    while not os.path.exists(os.path.join(out, "checkpoint.h5.prev")) and process.poll() is None and time.time() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGUSR1)
    try:
        code = process.wait(60)
    finally:
        support.end_session(process)
    check(code == 75, "exit code %s" % code)
    return out


def test_stop_and_continue_gives_the_same(folder):
    whole, _ = run(folder, "whole", "barrier.groups=2", *LONG, ranks=2)
    parts = stopped(folder, "parts")
    _, done = run(folder, "parts", "barrier.groups=2", "--resume", *LONG, ranks=2)
    check("going on from the checkpoint" in done.out, done)
    for name in ("barriers.csv", "barrier.csv"):
        check(text(whole, name) == text(parts, name), "%s differs after stop and continue" % name)


def test_continuing_a_finished_run_changes_nothing(folder):
    out, _ = run(folder, "out")
    before = [text(out, name) for name in ("barriers.csv", "barrier.csv")]
    _, done = run(folder, "out", "--resume")
    check("all 2 fields are done" in done.out, done)
    check(before == [text(out, name) for name in ("barriers.csv", "barrier.csv")], "the tables changed")


def test_more_fields_and_another_temperature(folder):
    """A finished run goes on with further fields, on other groups of ranks; its barriers are looked at at another temperature as they are."""
    whole, _ = run(folder, "whole")
    out, _ = run(folder, "out", "barrier.fields=[%s T]" % table(whole)[0]["mu0_H_T"])
    _, done = run(folder, "out", "--resume", "barrier.groups=2", ranks=2)
    for name in ("barriers.csv", "barrier.csv"):
        check(text(whole, name) == text(out, name), "%s differs: %s" % (name, done))
    _, done = run(folder, "out", "--resume", "barrier.temperature=400 K")
    check("at 400 K" in done.out, done)
    for a, b in zip(table(whole), table(out)):
        check(a["barrier_J"] == b["barrier_J"] and abs(float(b["barrier_kBT"]) / float(a["barrier_kBT"]) - 0.75) < 1e-6, (a, b))
    _, done = run(folder, "out", "--resume", "barrier.fields=[-1 T]", code=2)
    check("further entries at the end of barrier.fields" in done.err, done)


def test_states_of_files(folder):
    first, _ = run(folder, "first", "barrier.fields=[-2 T]")
    states = ["barrier.initial=file", "barrier.initial_file=%s/states/state_0001.h5" % first, "barrier.final=file",
              "barrier.final_file=%s/states/state_0003.h5" % first, "mesh.file=%s/mesh.h5" % first, "barrier.fields=[-2 T]"]
    again, _ = run(folder, "again", *states)
    a, b = (float(table(out)[0]["barrier_J"]) for out in (first, again))
    check(abs(a / b - 1) < 2e-3, (a, b))


def test_no_barrier_beyond_switching(folder):
    out, done = run(folder, "out", "barrier.fields=[-7 T]")
    check(table(out)[0]["end"] == "initial_state_unstable" and "not stable" in done.err, done)


def check_failed_state(out, done, field):
    """The state in which the run failed is there to look at, named by the message; -> m."""
    state = os.path.join(out, "states", "failed.h5")
    check("; the state it failed in: " + state in done.err and os.path.exists(os.path.join(out, "failed.xdmf")), done)
    with h5py.File(state) as f:
        check(np.allclose(f.attrs["field_T"], [0, 0, field], atol=1e-12), f.attrs["field_T"])
        return f["/m"][:]


def test_a_solver_that_stagnates(folder):
    """The field, the reason, what is left in the checkpoint; continued by a solver that does not."""
    stray, hopeless = ["demagnetizing.enabled=true", "mesh.air.radius=1.2"], "petsc_options=-demag_ksp_divtol 1e-9"
    _, done = run(folder, "first", *stray, hopeless, code=1)
    check("field 1 of 2, -2 T: its states could not be relaxed" in done.err and "did not converge" in done.err, done)
    check_failed_state(os.path.join(folder, "first"), done, -2)
    _, done = run(folder, "groups", *stray, hopeless, "barrier.groups=2", ranks=2, code=1)
    check_failed_state(os.path.join(folder, "groups"), done, -2)
    out, _ = run(folder, "out", *stray, "barrier.fields=[-2 T]")
    before = text(out, "barriers.csv")
    _, done = run(folder, "out", *stray, hopeless, "--resume", code=1)
    check("field 2 of 2, -3 T" in done.err and "out/checkpoint.h5" in done.err, done)
    check_failed_state(out, done, -3)
    run(folder, "out", *stray, "--resume")
    check(not os.path.exists(os.path.join(out, "states", "failed.h5")), "a run that went on has a state it failed in")
    check(text(out, "barriers.csv").startswith(before) and len(table(out)) == 2, text(out, "barriers.csv"))


def test_a_path_whose_solver_stagnates(folder):
    """An image of it is what there is to look at, neither of the ends; whichever group it was in that fails, the run does."""
    stray = ["demagnetizing.enabled=true", "mesh.air.radius=1.2"]
    out = stopped(folder, "out", *stray)
    for residual in ("1e-9", "0.01", "0.02"):  # what images begin with is up to about the last: not all groups fail in the same one
        hopeless = "petsc_options=-demag_ksp_divtol " + residual
        _, done = run(folder, "out", "barrier.groups=2", "--resume", *LONG, *stray, hopeless, ranks=2, code=1)
        check("field 1 of 2, -2 T: its path could not be followed beyond round " in done.err, done)
        m = check_failed_state(out, done, -2)
        m = m[np.linalg.norm(m, axis=1) > 0.5]  # no air
        check(len(m) > 20 and abs(m[:, 2].mean()) < 0.999, "%d nodes, mean of mz %g" % (len(m), m[:, 2].mean()))


def test_lowest_of_several_starts(folder):
    """A rod in its stray field reverses from an end at half the barrier of its middle: a search that is told to begin in the middle finds an end
    with its second start, whether that is asked for at once or later."""
    rod = ["grains.shape={kind: box, size: [3 nm, 3 nm, 24 nm]}", "mesh.size=1.5 nm", "mesh.air.radius=1.1", "demagnetizing.enabled=true",
           "barrier.nucleus=[1.5 nm, 1.5 nm, 12 nm]", "barrier.fields=[-3 T]"]
    out, _ = run(folder, "out", *rod, "barrier.starts=2")
    middle, end = table(out)
    check([middle["start"], end["start"]] == ["1", "2"] and middle["end"] == end["end"] == "converged", (middle, end))
    check(0.4 < float(end["barrier_J"]) / float(middle["barrier_J"]) < 0.5, (middle, end))
    with open(os.path.join(out, "summary.json")) as f:
        check([b["lowest"] for b in json.load(f)["results"]["barriers"]] == [False, True], "the lowest")
    done = support.magtwin(sys.argv[1], "plot", out)
    check(done.code == 0, done)
    parts, _ = run(folder, "parts", *rod)
    _, done = run(folder, "parts", *rod, "barrier.starts=2", "--resume")
    check("another place" in done.out, done)
    for name in ("barriers.csv", "barrier.csv"):
        check(text(out, name) == text(parts, name), "%s differs where the second start came later" % name)
    _, done = run(folder, "parts", *rod[:-1], "barrier.fields=[-3 T, -2 T]", "barrier.starts=2", "--resume", code=2)
    check("several places" in done.err, done)
    refused(folder, "barrier.starts=2", "barrier.first_path=rotation", words=["barrier.starts"])


def test_too_few_images(folder):
    """A wall that runs through a rod turns nodes about between neighbours of a short row: it is said how many images may do."""
    _, done = run(folder, "out", "grains.shape={kind: box, size: [2 nm, 2 nm, 24 nm]}", "barrier.images=5", "barrier.max_rounds=2", "barrier.fields=[-2 T]", code=1)
    check("between neighbours of the path" in done.err and "barrier.images of" in done.err, done)
    check("not converged: the path at -2 T, start 1 (max_rounds after 2 rounds" in done.out and "no path of 1 of the fields has converged" in done.err, done)
    check(os.path.exists(os.path.join(folder, "out", "summary.json")), done)


def refused(folder, *more, words, ranks=1):
    out, done = run(folder, "bad", *more, ranks=ranks, code=2)
    check(all(word in done.err for word in words), done)
    check(not os.path.exists(out), "%s was made" % out)


def test_bad_input(folder):
    refused(folder, "barrier.groups=3", words=["barrier.groups", "divide the number of ranks"])
    refused(folder, "barrier.groups=2", words=["must divide"])
    refused(folder, "barrier.fields=[]", words=["barrier.fields"])
    refused(folder, "barrier.direction=[0, 0, 0]", words=["barrier.direction", "no length"])
    refused(folder, "barrier.initial=file", words=["barrier.initial_file"])
    refused(folder, "barrier.images=3", words=["barrier.images"])
    refused(folder, "barrier.time=1e-12 s", words=["barrier.time"])


def test_figures(folder):
    out, _ = run(folder, "out")
    done = support.magtwin(sys.argv[1], "plot", out)
    check(done.code == 0, done)
    for name in ("barriers", "path", "saddle"):
        check(os.path.getsize(os.path.join(out, "figures", name + ".png")) > 5000, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([
        ("one group of ranks and two give the same bits", test_groups_change_no_bit),
        ("two ranks in one group agree with one", test_more_ranks_in_a_group_agree),
        ("a run that is stopped and continued gives the same bits", test_stop_and_continue_gives_the_same),
        ("continuing a finished run changes nothing", test_continuing_a_finished_run_changes_nothing),
        ("more fields, and another temperature", test_more_fields_and_another_temperature),
        ("paths between states of files", test_states_of_files),
        ("a solver that stagnates: field, reason, checkpoint", test_a_solver_that_stagnates),
        ("a path whose solver stagnates: the image", test_a_path_whose_solver_stagnates),
        ("the lowest of several starts", test_lowest_of_several_starts),
        ("too few images for what happens on the way", test_too_few_images),
        ("no barrier beyond the switching field, and it says so", test_no_barrier_beyond_switching),
        ("bad input is refused before anything is written", test_bad_input),
        ("figures", test_figures),
    ]))
