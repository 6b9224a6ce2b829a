#!/usr/bin/env python3
"""analyse_test.py BUILD: magtwin analyse: pictures with M(H), a run, nothing twice, killed in the middle of a series, bad input, the page."""
# timeout: 600
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
PICTURES = """\
title: a series of pictures
topology: {files: 'FOLDER/p*.npy', features: {bins: 16}}
texture: {scales: 2, orientations: 4}
landscape: {energy: moment, table: FOLDER/mh.csv, field_column: B, moment_column: m, saturation: 1.6 T, permutations: 10}
output: {folder: FOLDER/out}
"""
RUN = """\
grains: {source: shape, shape: {kind: box, size: [24 nm, 6 nm, 3 nm], spacing: [2 nm, 3 nm, 3 nm]}}
mesh: {size: 2 nm, air: {radius: 0}}
materials: {library: FOLDER/lib.yaml, grain: plain}
demagnetizing: {enabled: false}
field: {direction: [0.1, 0, 1], start: 0.5 T, segments: [{to: -0.6 T, step: 0.1 T, mode: fixed}]}
topology: {component: x, grid: {points: [24, 6, 1]}}
landscape: {energy: states, permutations: 10}
output:
  folder: FOLDER/out   # of all steps
"""


def analyse(folder, text, *more, code=0):
    path = os.path.join(folder, "in.yaml")
    with open(path, "w") as f:
        f.write(text.replace("FOLDER", folder))
    r = support.magtwin(BUILD, "analyse", path, *more)
    check(r.code == code, r)
    return r


def pictures(folder, n=8, side=24):
    """Stripes that lean over while the field turns round, and M(H) by which they do."""
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    B = np.linspace(1, -1, n)
    for i, b in enumerate(B):
        np.save(os.path.join(folder, "p%03d.npy" % i), np.tanh(3 * np.sin(x / 3.0 + 0.2 * i) + 2 * b) + 0.1 * np.cos(0.7 * y + i))
    np.savetxt(os.path.join(folder, "mh.csv"), np.c_[B, np.tanh(3 * B + 0.5)], delimiter=",", header="B,m", comments="", fmt="%.17g")


def page_of(folder):
    with open(os.path.join(folder, "out", "report.html"), encoding="utf-8") as f:
        return f.read()


def steps(r):
    return [line.split(", ", 1)[1] for line in r.out.splitlines() if line.startswith("step ")]


def dates(folder):
    return {os.path.join(at, n): os.stat(os.path.join(at, n)).st_mtime_ns for at, _, names in os.walk(folder) for n in names if n.endswith((".csv", ".h5", "summary.json"))}


def test_pictures(folder):
    """One command to the page; again nothing is computed; another key is refused, and with --force only what depends on it is computed."""
    pictures(folder)
    check(len(steps(analyse(folder, PICTURES))) == 4, "steps")
    page = page_of(folder)
    for title in ("What is on the pictures", "Their texture", "What varies", "What it costs, and where"):
        check(">%s</h2>" % title in page, title)
    check("columns more in texture.csv" in page, "a page that a person can read has no table of a hundred columns")
    check(page.count("data:image/png") >= 10 and "http" not in page.split("<body>")[1] and "a series of pictures" in page, page.count("data:image/png"))
    with open(os.path.join(folder, "out", "landscape", "summary.json")) as f:
        check(json.load(f)["landscape"]["samples"] == 8, "samples")
    before = dates(os.path.join(folder, "out"))
    check(all(s.endswith("done already") for s in steps(analyse(folder, PICTURES))), "twice")
    check(dates(os.path.join(folder, "out")) == before, "something was written again")
    r = analyse(folder, PICTURES, "landscape.factor=0.2", code=2)
    check("landscape is of another input" in r.err and "--force" in r.err, r)
    r = analyse(folder, PICTURES, "landscape.factor=0.2", "--force")
    check([s.endswith("done already") for s in steps(r)] == [True, True, True, False], r)


def test_run(folder):
    """demag, topology, pca and landscape of a simulated reversal."""
    with open(os.path.join(folder, "lib.yaml"), "w") as f:
        f.write("materials:\n  - {name: plain, A: 10 pJ/m, Js: 1 T, K1: 0.4 MJ/m3, source: test}\n")
    check([s.split(":")[0] for s in steps(analyse(folder, RUN))] == ["demag", "topology", "pca", "landscape"], "steps")
    page = page_of(folder)
    check(all(">%s</h2>" % t in page for t in ("The run", "What is on the pictures", "What varies", "What it costs, and where")), "the page")
    check('alt="pictures"' in page and 'alt="curve"' in page, "figures")


def test_killed(folder):
    """Killed in the middle of a series: what was done is not done again, and the result is that of a run in one go."""
    n = 60
    pictures(folder, n, 160)
    text = PICTURES.split("texture:")[0].replace("bins: 16", "bins: 8") + "output: {folder: FOLDER/out}\n"
    path, out = os.path.join(folder, "in.yaml"), os.path.join(folder, "out", "topology")
    with open(path, "w") as f:
        f.write(text.replace("FOLDER", folder))
    process = subprocess.Popen([os.path.join(BUILD, "magtwin"), "analyse", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    there = lambda: {k: v for k, v in dates(os.path.join(out, "diagrams")).items()}
    while process.poll() is None and len(there()) < 10:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = there()
    check(10 <= len(done) < n, "%d of %d were done" % (len(done), n))
    r = analyse(folder, text)
    check("%d of them were there already" % len(done) in r.out, r)
    check({k: v for k, v in there().items() if k in done} == done and len(there()) == n, "done twice")
    once = os.path.join(folder, "once")
    r = support.magtwin(BUILD, "topology", path, "output.folder=" + once)
    for name in ("images.csv", "diagrams/0007.csv", "diagrams/0055.csv"):
        with open(os.path.join(once, name), "rb") as a, open(os.path.join(out, name), "rb") as b:
            check(a.read() == b.read(), name)


def test_bad_input(folder):
    pictures(folder)
    for text, more, message in ((PICTURES, ["topology.levels=up"], "topology.levels"), (PICTURES.replace("p*.npy", "q*.npy"), [], "no file matches"), (PICTURES, ["region"], "key=value"),
                                ("output: {folder: FOLDER/out}\n", [], "neither a run"), (PICTURES.split("output")[0], [], "output.folder")):
        r = analyse(folder, text, *more, code=2)
        check(message in r.err, (message, str(r)))
        check(not os.path.exists(os.path.join(folder, "out")), message)
    r = analyse(folder, PICTURES, "landscape.moment_column=M", code=2)
    check("no column M" in r.err and "landscape ended with exit code 2" in r.err, r)


if __name__ == "__main__":
    sys.exit(support.run_tests([(f.__name__[5:], f) for f in (test_pictures, test_run, test_killed, test_bad_input)]))
