#!/usr/bin/env python3
"""demag.py FOLDER [--compare FOLDER] [--figures FOLDER]: figures of a demagnetization run, as PNG and SVG in FOLDER/figures.

  curve            J and B against the applied and the internal field, with Br, Hc, Hk and (BH)max
  switching_field  the field at which each node reversed, on the surface and on two cuts, with the sites where events began
  mesh             grains and GB phase on a cut, and the mesh of a triple junction
  states           the magnetization before and after the first and the largest event
  nucleus          the softest mode of the states before these events: where, and how far, the magnet was about to turn
  angles           with field.angles: the curves, and the coercive field against the angle
  reversal         with field.reversal: the curves, and their distribution (8 evenly spaced ones or more) or recoil permeability
  grains, labels   where the grains were reconstructed in the same folder: those of grains.py

Needs numpy, h5py and matplotlib.  Exit code 2 when a file is missing or unfinished, or cannot be written; the figures that can be drawn are drawn.
"""
import argparse
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import branch_figures
import curve_figure
import grains
import map_figures
from results import Unusable, main_branch, quantity, read_curve, read_mesh, read_mode, read_state, read_summary, read_switching, say


def events_of(summary):
    """The list of events of summary.json, wherever the run keeps it."""
    return summary.get("events") or summary.get("results", {}).get("events") or []


def sites_of(summary):
    sites = []
    for number, event in enumerate(events_of(summary), 1):
        position = event.get("position_nm", event.get("position"))
        if isinstance(position, dict):
            position = position.get("value")
        if position is not None:
            jump = quantity(event, "jump", "dm")
            sites.append(map_figures.Site(number, position, quantity(event, "mu0_H_T", "field_T", "field"), jump or 0.0))
    return sites


def chosen_events(summary, sites):
    """First and largest event, if their states were kept."""
    chosen = []
    for site in sites[:1] + ([max(sites, key=lambda s: abs(s.jump))] if sites else []):
        event = events_of(summary)[site.number - 1]
        if event.get("state_before") and event.get("state_after") and all(site is not c for c, _ in chosen):
            chosen.append((site, event))
    return chosen


def state_rows(folder, summary, mesh, sites):
    rows = []
    for site, event in chosen_events(summary, sites):
        what = "event %d at %.2f T" % (site.number, site.field)
        rows.append((what, site, read_state(folder, event["state_before"], mesh), read_state(folder, event["state_after"], mesh)))
    return rows


def nucleus_rows(folder, summary, mesh, sites):
    rows = []
    for site, event in chosen_events(summary, sites):
        kept = read_mode(folder, event["state_before"], mesh)
        if kept:
            what = "before event %d at %.2f T" % (site.number, site.field)
            rows.append((what, site, *kept))
    return rows


def field_direction(summary, table):
    """Unit vector of the saturating field: the first applied field that is not zero."""
    B = np.stack([table[k] for k in ("mu0_Hx_T", "mu0_Hy_T", "mu0_Hz_T")], axis=1)
    size = np.linalg.norm(B, axis=1)
    first = int(np.argmax(size > 1e-12))
    return B[first] / size[first]


def main():
    parser = argparse.ArgumentParser(prog="magtwin plot", description="figures of the results in a folder, as PNG and SVG")
    parser.add_argument("folder", help="output folder of magtwin demag")
    parser.add_argument("--compare", metavar="FOLDER", help="a second run, drawn into the curve")
    parser.add_argument("--figures", metavar="FOLDER", help="where to write (default: FOLDER/figures)")
    args = parser.parse_args()
    figures = args.figures or os.path.join(args.folder, "figures")
    run = Drawing(args.folder, figures, args.compare)
    for part in (run.curve, run.mesh_picture, run.switching, run.states, run.nucleus, run.branches):
        run.attempt(part)
    for part in grains.parts_of(args.folder):
        run.attempt(lambda part=part: part(args.folder, figures))
    return 2 if run.trouble else 0


def name_of(folder):
    return os.path.basename(os.path.abspath(folder))


class Drawing:
    """One run's files, read when first needed and once."""

    def __init__(self, folder, figures, compare):
        self.folder, self.figures, self.compare = folder, figures, compare
        self.trouble, self.kept = [], {}

    def attempt(self, part):
        try:
            path = part()
            if path:
                say("wrote %s" % path)
        except (Unusable, OSError) as reason:
            if str(reason) not in self.trouble:
                say("magtwin plot: %s" % reason, sys.stderr)
            self.trouble.append(str(reason))

    def get(self, name, make):
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    @property
    def summary(self):
        return self.get("summary", lambda: read_summary(self.folder))

    @property
    def table(self):
        return self.get("table", lambda: main_branch(self.everything))

    @property
    def everything(self):
        return self.get("everything", lambda: read_curve(self.folder))

    @property
    def mesh(self):
        return self.get("mesh", lambda: read_mesh(self.folder))

    def curve(self):
        other = (name_of(self.compare), main_branch(read_curve(self.compare))) if self.compare else None
        table = self.table  # complains first
        summary = self.summary if os.path.exists(os.path.join(self.folder, "summary.json")) else {}  # of a run that is not over: the curve alone
        return curve_figure.draw(name_of(self.folder), self.figures, table, summary, other)

    def mesh_picture(self):
        return map_figures.mesh_picture(self.figures, self.mesh)

    def switching(self):
        rows = len(self.table["m"])  # the map is that of the path itself: further angles and reversal curves come after its rows
        sites = [s for s in sites_of(self.summary) if events_of(self.summary)[s.number - 1].get("step", 0) < rows]
        return map_figures.switching(self.figures, self.mesh, read_switching(self.folder, self.mesh), sites)

    def states(self):
        rows = state_rows(self.folder, self.summary, self.mesh, sites_of(self.summary))
        if not rows:
            say("no states around events were kept: no figure of states")
            return None
        return map_figures.states(self.figures, self.mesh, rows, field_direction(self.summary, self.table))

    def nucleus(self):
        rows = nucleus_rows(self.folder, self.summary, self.mesh, sites_of(self.summary))
        if not rows:
            say("no unstable modes were kept: no figure of nuclei")
            return None
        return map_figures.nucleus(self.figures, self.mesh, rows)

    def branches(self):
        draw = {"angle": branch_figures.angles, "reversal": branch_figures.reversal}.get(
            self.summary.get("results", {}).get("branch_kind"))
        return draw(self.figures, self.folder, self.everything) if draw else None


if __name__ == "__main__":
    sys.exit(main())
