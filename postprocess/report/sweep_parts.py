"""The sections of the page of a sweep: counts, figures, what failed and why, the table."""
import csv
import os

import members
from page import box, details, number, picture, table, tiles
from run_parts import files, figures, input_of, short, timings
from tables import words

CAPTIONS = (("curves_", "over the axis with the most values, a line for each value of a second axis. Bars: standard deviation over repeats; red ticks: points that failed."),
            ("map_", "over the two axes that matter most."),
            ("effects_", "the mean over everything else at each value of each axis, and the share of the variance that the axis explains."))
FAILED = 50  # listed openly


class Sweep:
    """results.csv, else points.csv where nothing has been collected yet."""

    def __init__(self, folder):
        self.folder = folder
        self.name = "results.csv" if os.path.isfile(os.path.join(folder, "results.csv")) else "points.csv"
        with open(os.path.join(folder, self.name), newline="", encoding="utf-8") as f:
            rows = [r for r in csv.reader(f) if r]
        self.header, self.rows = rows[0] if rows else [], rows[1:]

    def status(self, row):
        return row[self.header.index("status")] if "status" in self.header else "waiting"

    def folders(self):
        at = self.header.index("folder") if "folder" in self.header else None
        return [os.path.join(self.folder, row[at]) for row in self.rows] if at is not None else []


def read(folder):
    """The sweep of a folder; None where there is none."""
    return Sweep(folder) if os.path.isfile(os.path.join(folder, "points.csv")) else None


def headline(sweep):
    count = {}
    for row in sweep.rows:
        count[sweep.status(row)] = count.get(sweep.status(row), 0) + 1
    return tiles([("points", number(len(sweep.rows)))] + [(name, number(count[name])) for name in ("done", "failed", "running", "waiting") if name in count])


def results(sweep, rows):
    left = [k for k, name in enumerate(sweep.header) if name in ("status", "folder", "reason") or any(short(r[k]) == r[k] and r[k] for r in sweep.rows)]
    return table([words(h) if h else "" for h in sweep.header], [[short(v) for v in row] for row in rows], ["failed" if sweep.status(r) == "failed" else "" for r in rows], words=left)


def failures(sweep, failed):
    """Number, axes, seed and reason; the rest is in the table of all points."""
    end = sweep.header.index("seed") + 1 if "seed" in sweep.header else len(sweep.header)
    keep = [0] + list(range(2, end)) + ([sweep.header.index("reason")] if "reason" in sweep.header else [])
    rows = [[short(r[k]) for k in keep] for r in failed[:FAILED]]
    more = "<p>%d more in %s.</p>" % (len(failed) - FAILED, sweep.name) if len(failed) > FAILED else ""
    return table([words(sweep.header[k]) for k in keep], rows, words=(len(keep) - 1,)) + more


def captioned(drawn):
    """Figures by number: curves, map, effects of one, then of the next."""
    parts = []
    for name in sorted(drawn, key=lambda n: (n.split("_", 1)[-1], n.split("_", 1)[0])):
        text = next((t for head, t in CAPTIONS if name.startswith(head)), None)
        if text:
            parts.append(picture(drawn[name], "%s: %s" % (name.split("_", 1)[1], text)))
    return "".join(parts) + figures(drawn, lambda n: not any(n.startswith(head) for head, _ in CAPTIONS))


def fill(page, folder, summary, sweep, drawn, trouble):
    failed = [r for r in sweep.rows if sweep.status(r) == "failed"]
    page.above(headline(sweep) + box("warn", "Warnings", (summary.get("warnings") or []) + members.warnings(sweep.folders())) + box("bad", "Not on this page", trouble))
    page.add("Figures", captioned(drawn))
    page.add("What failed", failures(sweep, failed) if failed else "")
    page.add("All points", details("%d points" % len(sweep.rows), results(sweep, sweep.rows)))
    page.add("Where the time went", timings(summary))
    page.add("Input", input_of(summary) if summary else "")
    page.add("Files", files(folder))
