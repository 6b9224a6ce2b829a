"""Sweeps: what two groups are worth beside one, and a campaign of 200 points through kills."""
import os
import shutil
import sys
import tempfile
import time

import support

sys.path.insert(0, os.path.join(support.ROOT, "tests", "slurm"))
import _campaign
import _cluster
import measure

RUN = """\
grains: {source: generated, count: 2, box: [16, 12, 12], texture_axis: [0, 0, 1], texture_spread: 5 deg}
mesh: {size: 4 nm, gb: {thickness: 0}}
materials: {grain: Nd2Fe14B}
field: {direction: [0.05, 0.02, 1], start: 1 T, segments: [{to: -8 T, step: 0.01 T, mode: fixed}]}
"""
SWEEP = """\
sweep:
  axes: [{name: x, key: grains.texture_spread, unit: deg, min: 4, max: 6, count: %d}]
  parallel: %d
  %s
output: {folder: %s}
"""
SLEEP = "evaluate: command\n  command: sleep 1; echo {x}\n  numbers: [f]"
RUNS = "input: %s\n  numbers: [results.Hc]"


def wall(build, what, count, groups):
    """Seconds of so many points on so many groups of one rank."""
    folder = tempfile.mkdtemp(prefix="magtwin-bench-sweep-")
    try:
        base, source = os.path.join(folder, "base.yaml"), os.path.join(folder, "sweep.yaml")
        with open(base, "w") as f:
            f.write(RUN)
        with open(source, "w") as f:
            f.write(SWEEP % (count, groups, what % base if "%s" in what else what, os.path.join(folder, "out")))
        began = time.time()
        done = support.magtwin(build, "sweep", source, timeout=3600)
        seconds = time.time() - began
        if done.code != 0 or "%d done" % count not in done.out:
            raise measure.Failed(str(done))
        return seconds
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def gain(build, what, count):
    """How many times as fast two groups are as one."""
    return wall(build, what, count, 1) / wall(build, what, count, 2)


def through_kills(build, points, seconds):
    """Counts of a campaign on this workstation and, where there is one, in a SLURM; None for the latter where there is none."""
    found = []
    for run in (on_workstation, on_slurm):
        folder = tempfile.mkdtemp(prefix="magtwin-bench-campaign-")
        try:
            found.append(run(build, folder, points, seconds))
        except AssertionError as why:
            raise measure.Failed(str(why)) from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def on_workstation(build, folder, points, seconds):
    return _campaign.on_a_workstation(build, folder, points, seconds)


def on_slurm(build, folder, points, seconds):
    if _cluster.missing():
        return None
    home = os.path.join(folder, "slurm")
    os.makedirs(home)
    cluster = _cluster.Cluster(home)
    try:
        cluster.start()
        return _campaign.on_slurm(build, cluster, folder, points, seconds)
    finally:
        cluster.stop()
