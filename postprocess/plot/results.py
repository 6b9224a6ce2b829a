"""The files of a run, read for figures: curve.csv, summary.json, mesh.h5, switching.h5, states.  Every way in which a file can
be missing or unfinished ends in Unusable with one plain sentence."""
import argparse
import csv
import json
import math
import os
import sys

import h5py
import numpy as np

KINDS = ("grain", "gb", "triple_line", "junction", "air", "surface", "pocket")
GRAIN, GB, TRIPLE, JUNCTION, AIR, SURFACE = range(6)


class Unusable(Exception):
    """A file that cannot be drawn; the text says which and what to do."""


def say(text, to=None):
    """A line for whoever reads it.  Nobody has to (`magtwin plot ... | head`): the figures are drawn all the same."""
    to = to or sys.stdout
    try:
        print(text, file=to, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), to.fileno())


def attempt(part):
    """part() draws and returns the file, or None; whether it could: one sentence where something is missing or cannot be written."""
    try:
        path = part()
    except (Unusable, OSError) as reason:
        say("magtwin plot: %s" % reason, sys.stderr)
        return False
    if path:
        say("wrote %s" % path)
    return True


def draw_folder(about, command, parts, read=None, **options):
    """The program of most figures: `FOLDER [--figures FOLDER]`; parts draw(what, figures) one after the other, whatever becomes of the
    others.  what: read(folder), or the folder itself.  options: further ones, {name: (METAVAR, what it is for)}, each part is called with;
    or with the parts chosen by a function, parts(what, name=...), that function alone.  The exit code."""
    parser = argparse.ArgumentParser(prog="magtwin plot", description=about.splitlines()[0])
    parser.add_argument("folder", help="output folder of magtwin %s" % command)
    parser.add_argument("--figures", metavar="FOLDER", help="where to write (default: FOLDER/figures)")
    for name, (metavar, text) in options.items():
        parser.add_argument("--" + name, metavar=metavar, help=text)
    args = parser.parse_args()
    figures, more = args.figures or os.path.join(args.folder, "figures"), {name: getattr(args, name) for name in options}
    try:
        what = read(args.folder) if read else args.folder
        if callable(parts):
            parts, more = list(parts(what, **more)), {}
    except (Unusable, OSError) as reason:
        say("magtwin plot: %s" % reason, sys.stderr)
        return 2
    done = [attempt(lambda part=part: part(what, figures, **more)) for part in parts]
    return 0 if all(done) else 2


def existing(folder, name):
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise Unusable("%s is missing: is %s the output folder of a finished run?" % (path, folder))
    return path


def read_columns(folder, name, least, needed):
    """A table of a run as {column: array}, with at least so many lines and these columns; text columns stay text."""
    path = existing(folder, name)
    with open(path, newline="") as f:
        rows = list(csv.reader(line for line in f if line.strip() and not line.startswith("#")))
    if len(rows) < least + 1:
        raise Unusable("%s holds %d lines, too few to draw a curve" % (path, max(0, len(rows) - 1)))
    header = [column.strip() for column in rows[0]]
    if any(len(row) != len(header) for row in rows[1:]):
        bad = next(i for i, row in enumerate(rows[1:], 1) if len(row) != len(header))
        raise Unusable("%s is not complete: row %d has %d of %d columns" % (path, bad, len(rows[bad]), len(header)))
    table = {}
    for k, column in enumerate(header):
        try:
            table[column] = np.array([float(row[k]) for row in rows[1:]])
        except ValueError:
            table[column] = np.array([row[k] for row in rows[1:]])
    for column in needed:
        if column not in table:
            raise Unusable("%s has no column %s" % (path, column))
    return table


def read_curve(folder):
    return read_columns(folder, "curve.csv", 2, ("mu0_Hext_T", "J_T"))


def main_branch(table):
    """The rows of the path itself, without reversal curves and further angles."""
    if "branch" not in table:
        return table
    keep = table["branch"] == 0
    return {name: column[keep] for name, column in table.items()}


def read_summary(folder):
    path = existing(folder, "summary.json")
    try:
        with open(path) as f:
            return json.load(f)
    except json.JSONDecodeError as error:
        raise Unusable("%s is not complete (%s)" % (path, error)) from None


def quantity(group, *names):
    """A number of summary.json, written {"value": v, "unit": u} or plainly; None when the run did not reach it."""
    for name in names:
        value = (group or {}).get(name)
        if isinstance(value, dict):
            value = value.get("value")
        if isinstance(value, (int, float)) and math.isfinite(value):
            return float(value)
    return None


def open_h5(path):
    try:
        return h5py.File(path, "r")
    except OSError:
        raise Unusable("%s cannot be read as HDF5: missing, not finished or damaged" % path) from None


def dataset(file, name):
    try:
        return file[name][...]
    except (KeyError, OSError):
        raise Unusable("%s has no complete dataset %s" % (file.filename, name)) from None


class Mesh:
    """The magnet of mesh.h5 (air dropped): x [nv,3] nm, tet [nt,4], region [nt], kind [nr], grains [nr,4], surface nodes [nv]."""

    def __init__(self, path):
        with open_h5(path) as f:
            self.x = dataset(f, "/mesh/x")
            tet, region = dataset(f, "/mesh/tet"), dataset(f, "/mesh/region")
            self.kind, self.grains = dataset(f, "/regions/kind"), dataset(f, "/regions/grains")
            self.size, self.thickness = (float(np.ravel(f["/mesh"].attrs.get(k, 0.0))[0]) for k in ("size", "gb_thickness"))
        if tet.dtype == np.int64 and len(self.x) < 2**31:
            tet = tet.astype(np.int32)
        air = self.kind[region] == AIR
        in_air, in_magnet = np.zeros(len(self.x), bool), np.zeros(len(self.x), bool)
        in_air[tet[air]] = True
        self.tet, self.region = tet[~air], region[~air]
        in_magnet[self.tet] = True
        self.magnetic = np.ones(len(self.tet), bool)  # tets with a moment; read_switching knows
        self.in_magnet = in_magnet
        # faces of the magnet touch air; a mesh without air has them where only one tet is
        self.surface_node = in_air & in_magnet if in_air.any() else in_magnet
        self.box = np.stack([self.x[in_magnet].min(0), self.x[in_magnet].max(0)])

    def is_grain(self):
        """Tets of a grain or of its layer at the surface."""
        return np.isin(self.kind[self.region], (GRAIN, SURFACE))

    def is_surface(self):
        return self.kind[self.region] == SURFACE


def read_mesh(folder):
    """mesh.h5 of the folder, or the mesh of another run that this one took (mesh.file): states.h5 has a link to it."""
    path = os.path.join(folder, "mesh.h5")
    links = os.path.join(folder, "states.h5")
    if not os.path.isfile(path) and os.path.isfile(links):
        with open_h5(links) as f:
            link = f.get("/mesh_file", getlink=True)
            path = os.path.join(folder, link.filename) if isinstance(link, h5py.ExternalLink) else path
        if not os.path.isfile(path):
            raise Unusable("the mesh of %s, %s, is not there any more" % (folder, path))
    return Mesh(existing(folder, "mesh.h5") if path == os.path.join(folder, "mesh.h5") else path)


def read_switching(folder, mesh):
    """Field (T) at which each node reversed; NaN where it did not or carries no moment.  Tells the mesh which tets have a moment."""
    with open_h5(existing(folder, "switching.h5")) as f:
        field = dataset(f, "/switching/field").astype(float).ravel()
        if "/switching/Js" in f:
            mesh.magnetic = dataset(f, "/switching/Js").ravel()[mesh.region] > 0
    if len(field) != len(mesh.x):
        raise Unusable("%s/switching.h5 has %d nodes and the mesh %d: files of different runs" % (folder, len(field), len(mesh.x)))
    return field


def read_mode(folder, name, mesh):
    """(mode [nv,3], eigenvalue in T) of a state file, largest node 1; None where the file holds none."""
    path = existing(folder, name)
    with open_h5(path) as f:
        if "/mode" not in f:
            return None
        mode, eigenvalue = dataset(f, "/mode"), float(np.ravel(f["/mode"].attrs["eigenvalue_T"])[0])
    if mode.shape != mesh.x.shape:
        raise Unusable("%s holds %s values and the mesh has %d nodes" % (path, mode.shape, len(mesh.x)))
    return mode, eigenvalue


def read_state(folder, name, mesh):
    """m [nv,3] of a state file states/<name>."""
    path = name if os.path.isfile(name) else existing(folder, name)
    with open_h5(path) as f:
        where = next((p for p in ("/m", "/state/m", "/fields/m") if p in f), "/m")
        m = dataset(f, where)
    if m.shape != mesh.x.shape:
        raise Unusable("%s holds %s values and the mesh has %d nodes" % (path, m.shape, len(mesh.x)))
    return m
