#!/usr/bin/env python3
"""analyse.py INPUT [key=value ...] [--launch COMMAND] [--force]: one input, one command, one page.

Runs what the input has sections for, each in a folder of its own below output.folder: demag (sections grains and field) or dynamics, topology of
the states or of the pictures of topology.files, texture, pca of the persistence images, landscape; then report.html with all of it.  The same command again
continues what was stopped and does nothing that is done.  Exit code: that of the step that failed, 2 for bad input.
"""
import argparse
import glob
import hashlib
import json
import os
import shlex
import subprocess
import sys

import yaml

RUN = "grains generate stack mesh materials field minimizer demagnetizing checkpoint measured dynamics integrator time petsc_options"
SECTIONS = {"demag": RUN, "dynamics": RUN, "topology": "topology", "texture": "topology texture", "pca": "pca", "landscape": "pca landscape materials demagnetizing"}
RESUMED = ("demag", "dynamics", "topology")


class Refused(Exception):
    pass


def read_sections(path):
    """{name: value} of the top level: maps, lists, and plain values as text."""
    with open(path, encoding="utf-8") as f:
        try:
            sections = yaml.load(f, Loader=yaml.BaseLoader)
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            raise Refused("%s:%d:%d: %s" % (path, at.line + 1, at.column + 1, error.problem)) from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Refused("%s: %s" % (path, error)) from None
    if not isinstance(sections, dict):
        raise Refused('%s is not a map of sections ("topology:")' % path)
    return sections


class Plan:
    """The steps of an input: [(name, overrides)], in the order in which they run."""

    def __init__(self, path, words):
        self.sections = read_sections(path)
        self.words = [w for w in words if not w.startswith("output.folder=")]
        self.given = dict(w.split("=", 1) for w in words)
        self.folder = self.get("output", "folder")
        if not self.folder:
            raise Refused("%s names no output.folder" % path)
        self.steps = self.plan(path)

    def has(self, section):
        return section in self.sections or any(w.startswith(section + ".") for w in self.words)

    def get(self, section, key):
        """A plain value; None where it is not there."""
        values = self.sections.get(section)
        value = values.get(key) if isinstance(values, dict) else None
        return self.given.get(section + "." + key) or (value if isinstance(value, str) else None)

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def plan(self, path):
        run = "dynamics" if self.has("dynamics") else "demag" if self.has("field") else None
        if not run and not self.has("topology"):
            raise Refused("%s has neither a run to analyse (sections grains and field, or dynamics) nor pictures (topology.files)" % path)
        steps, of_states = [], {}
        if run:
            mesh = self.get("mesh", "file") or self.at(run, "mesh.h5")
            of_states = {"states": self.at(run, "states", "*.h5"), "mesh": mesh}
            steps.append((run, {"output.states": "all"} if run == "demag" else {}))
        steps.append(("topology", {"topology.files": of_states["states"], "topology.mesh": of_states["mesh"]} if run else {}))
        if self.has("texture") and not run:
            steps.append(("texture", {}))
        features = {"pca.files": self.at("topology", "features.h5")}
        steps.append(("pca", features))
        if self.has("landscape"):
            steps.append(("landscape", {**features, **{"landscape." + k: v for k, v in of_states.items()}}))
        return [(name, ["%s=%s" % kv for kv in more.items() if kv[0] not in self.given]) for name, more in steps]

    def inputs(self, name):
        """Files of the user's that a step reads, with size and date."""
        patterns = {"topology": [self.get("topology", "files"), self.get("topology", "mask")], "texture": [self.get("topology", "files"), self.get("texture", "targets")],
                    "landscape": [self.get("landscape", "table")]}.get(name, [])
        paths = [p for pattern in patterns if pattern for p in sorted(glob.glob(pattern))]
        return ["%s %d %d" % (p, os.path.getsize(p), os.stat(p).st_mtime_ns) for p in paths]

    def mark(self, name, more):
        """What a step depends on besides the steps before it."""
        names = SECTIONS[name].split()
        lines = [json.dumps([n, self.sections[n]], sort_keys=True) for n in names if n in self.sections] + [w for w in self.words if w.split(".")[0] in names] + more + self.inputs(name)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def finished(folder):
    try:
        with open(os.path.join(folder, "summary.json")) as f:
            return not json.load(f).get("stopped")
    except (OSError, ValueError):
        return False


def put(path, data):
    with open(path + ".tmp", "w") as f:
        json.dump(data, f, indent=1)
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".tmp", path)


def choose(plan, marks, force):
    """{step: None: it is done; [] or options to run it with}; refuses what would overwrite."""
    todo, fresh = {}, True
    for name, more in plan.steps:
        folder, mark = plan.at(name), plan.mark(name, more)
        same = marks.get(name) == mark
        if fresh and same and finished(folder):
            todo[name] = None
            continue
        if os.path.isdir(folder) and not same and not force and name in marks:
            raise Refused("%s is of another input or of other pictures: --force computes it, and what follows from it, anew" % folder)
        begun = os.path.isdir(folder)
        mine = same or name not in marks  # killed before it was marked: these steps look for themselves whether the input is theirs
        todo[name] = (["--resume"] if name in RESUMED and mine and fresh else ["--force"]) if begun else []
        fresh = False
    return todo


def run(command, mark):
    """Marks the folder as soon as it is there: bad input leaves none behind."""
    process, marked = subprocess.Popen(command), False
    while True:
        try:
            code = process.wait(None if marked else 0.02)
            break
        except subprocess.TimeoutExpired:
            marked = mark()
    if not marked:
        mark()
    return code


def analyse(args):
    plan = Plan(args.input, args.words)
    kept = plan.at("analysis.json")
    marks = {}
    if os.path.isfile(kept):
        with open(kept) as f:
            marks = json.load(f)["steps"]
    elif os.path.isdir(plan.folder) and set(os.listdir(plan.folder)) - {name for name, _ in plan.steps} and not args.force:
        raise Refused("%s holds something else: give another output.folder, or --force" % plan.folder)
    todo = choose(plan, marks, args.force)
    for number, (name, more) in enumerate(plan.steps, 1):
        if todo[name] is None:
            print("step %d of %d, %s: done already" % (number, len(plan.steps), name), flush=True)
            continue
        print("step %d of %d, %s: %s" % (number, len(plan.steps), name, plan.at(name)), flush=True)
        command = shlex.split(args.launch) + [args.program, name, args.input] + plan.words + more + ["output.folder=" + plan.at(name)] + todo[name]
        code = run(command, lambda name=name, more=more: os.path.isdir(plan.at(name)) and put_mark(kept, marks, name, plan.mark(name, more), plan))
        if code:
            print("magtwin analyse: %s ended with exit code %d; the same command continues" % (name, code), file=sys.stderr)
            return code if code > 0 else 1
    if all(options is None for options in todo.values()) and os.path.isfile(plan.at("report.html")):
        print("%s is of these results already" % plan.at("report.html"))
        return 0
    return subprocess.run([args.program, "report", plan.folder]).returncode


def put_mark(kept, marks, name, mark, plan):
    marks[name] = mark
    if os.path.isdir(plan.folder):
        put(kept, {"format": "magtwin-analysis", "version": 1, "order": [n for n, _ in plan.steps], "steps": marks})
    return True


def main():
    parser = argparse.ArgumentParser(prog="magtwin analyse", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("input")
    parser.add_argument("words", nargs="*", metavar="key=value")
    parser.add_argument("--program", default="magtwin", help=argparse.SUPPRESS)
    parser.add_argument("--launch", default=os.environ.get("MAGTWIN_LAUNCH", ""), metavar="COMMAND")
    parser.add_argument("--force", action="store_true")
    args = parser.parse_intermixed_args()
    try:
        bad = [w for w in args.words if "=" not in w]
        if bad:
            raise Refused("%s: an override is written key=value (one input file)" % bad[0])
        return analyse(args)
    except (Refused, OSError) as reason:
        print("magtwin analyse: %s" % reason, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
