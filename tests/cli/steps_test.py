#!/usr/bin/env python3
"""steps_test.py BUILD: where a magnet switches does not depend on how the field gets there: fixed and adaptive steps, and adaptive ones
of other sizes, meet at the same events within their resolution, and end each in the same state."""
# timeout: 300
import csv
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support
from support import check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
GRAINS = """grains: {source: generated, count: 4, box: [20, 20, 20], texture_axis: [0, 0, 1], texture_spread: 15 deg}
mesh: {size: 4 nm, gb: {thickness: 2 nm}}
materials: {grain: Nd2Fe14B, gb: nonmagnetic}
field: {direction: [0.05, 0.02, 1], start: 0 T, segments: [{to: -7 T, step: 0.02 T, mode: fixed}]}
"""
# name, override of the path, resolution (T)
PATHS = [("fixed 0.02 T", None, 0.02),
         ("adaptive 0.5 T", "field.segments=[{to: -7 T, step: 0.5 T, dm_max: 0.05, resolution: 0.02 T}]", 0.02),
         ("adaptive 0.3 T, dm_max 0.02", "field.segments=[{to: -7 T, step: 0.3 T, dm_max: 0.02, resolution: 0.02 T}]", 0.02),
         ("adaptive 0.5 T, every event", "field.segments=[{to: -7 T, step: 0.5 T, dm_max: 2, every_event: true, resolution: 0.02 T}]", 0.02),
         ("fixed 0.05 T", "field.segments=[{to: -7 T, step: 0.05 T, mode: fixed}]", 0.05)]


def events_of(folder):
    """(field before, field after, m after) of every event."""
    with open(os.path.join(folder, "curve.csv"), newline="") as f:
        rows = list(csv.DictReader(f))
    pairs = zip(rows, rows[1:])
    return [(float(a["mu0_Hext_T"]), float(b["mu0_Hext_T"]), float(b["m"])) for a, b in pairs if float(b["event"])]


def same_events(folder):
    source = os.path.join(folder, "run.yaml")
    with open(source, "w") as f:
        f.write(GRAINS)
    mesh, reference = [], None
    for number, (name, path, resolution) in enumerate(PATHS):
        out = os.path.join(folder, "run_%d" % number)
        done = support.magtwin(BUILD, "demag", source, "output.folder=" + out, *mesh, *([path] if path else []))
        check(done.code == 0, done)
        mesh = ["mesh.file=" + os.path.join(folder, "run_0", "mesh.h5")]
        events = events_of(out)
        print("# %s: %s" % (name, ", ".join("%.4f T -> m %+.4f" % (b, m) for _, b, m in events)))
        reference = reference or events
        check(len(events) >= 3 and len(events) == len(reference), "%d events, not %d" % (len(events), len(reference)))
        for (before, after, m), (before0, after0, m0) in zip(events, reference):
            # each brackets the field of the event: the brackets must overlap
            check(max(after, after0) <= min(before, before0) + 1e-9, "%s: in %g .. %g T, not in %g .. %g T" % (name, before, after, before0, after0))
            check(before - after <= resolution + 1e-9, "%s: bracketed to %g T only" % (name, before - after))
            check(abs(m - m0) < 5e-3, "%s: m = %g after the event, not %g" % (name, m, m0))


def refused(folder):
    """Where no event could be rolled back."""
    source = os.path.join(folder, "run.yaml")
    with open(source, "w") as f:
        f.write(GRAINS)
    for more, missing in ((["field.segments=[{to: -7 T, step: 0.5 T, mode: fixed, every_event: true}]"], "needs mode: adaptive"),
                          (["field.segments=[{to: -7 T, step: 0.5 T, every_event: true}]", "minimizer.events=minimize"], "needs minimizer.events: flow"),
                          (["field.reversal={from: [-1 T], to: 0 T, step: 0.5 T, mode: fixed, every_event: true}"], "needs mode: adaptive")):
        done = support.magtwin(BUILD, "demag", source, "output.folder=" + os.path.join(folder, "out"), *more)
        check(done.code != 0 and missing in done.err, done)


if __name__ == "__main__":
    sys.exit(support.run_tests([("events do not depend on the field step", same_events),
                                ("every_event where it could do nothing is refused", refused)]))
