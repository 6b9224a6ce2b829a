#!/usr/bin/env python3
"""validate.py BUILD [CASE...]: the physics of the program, run through the command line as users do, against published and
analytic values.  Writes out/validate/summary.json, a list of {name, value, unit, reference, source, error, tolerance, pass}, prints it
as a table, draws each case beside its reference (out/validate/figures, PNG and SVG) and ends with exit code 1 if one fails.

A case whose executable, inputs and analysis have not changed since it was last run is not run again (out/validate/<case>/result.json);
where the analysis alone has changed, the runs are kept.  The summary is written after every case; it also has the lines of cases
that were not asked for and of which such a result is kept.
"""
import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, HERE)

import support
from lines import Failed

OUT = os.path.join(support.ROOT, "out", "validate")
MATERIALS = [os.path.join(HERE, "inputs", "materials.yaml"), os.path.join(support.ROOT, "inputs", "materials.yaml")]


class Case:
    """One case: its folder, how it runs the program, what it draws."""

    def __init__(self, build, name):
        self.build, self.name, self.folder = build, name, os.path.join(OUT, name)
        self.panels, self.inputs, self.made = [], set(), 0  # made: runs that were not kept ones

    def input(self, name):
        return os.path.join(HERE, "inputs", name + ".yaml")

    def run(self, subcommand, input_name, run_name, *overrides, ranks=1, timeout=6 * 3600, input_file=None):
        """Runs the program, unless the folder holds the same run of the same program; returns the folder with its results.  One that was
        ended in its middle goes on from its checkpoint.  --force: the folder belongs to this case."""
        folder, file = os.path.join(self.folder, run_name), input_file or self.input(input_name)
        self.inputs.add(os.path.relpath(file, support.ROOT))
        mark, kept, begun = self.mark(subcommand, file, overrides, ranks), os.path.join(folder, "run.mark"), os.path.join(folder, "run.begun")
        if holds(kept, mark) and os.path.exists(os.path.join(folder, "summary.json")):
            return folder
        again = "--resume" if subcommand in ("demag", "dynamics", "barrier") and holds(begun, mark) else "--force"
        os.makedirs(folder, exist_ok=True)
        put(begun, mark)
        self.made += 1
        done = support.magtwin(self.build, subcommand, file, "output.folder=" + folder, *overrides, again, ranks=ranks, timeout=timeout)
        if done.code != 0:
            raise Failed(str(done))
        os.replace(begun, kept)
        return folder

    def mark(self, subcommand, file, overrides, ranks):
        """What a run depends on, the state it starts from included."""
        states = [o.split("=", 1)[1] for o in overrides if o.startswith(("field.initial_file=", "dynamics.initial_file="))]
        return digest([os.path.join(self.build, "magtwin"), file] + MATERIALS + states) + " ".join([subcommand, str(ranks)] + list(overrides))

    def panel(self, xlabel, ylabel, *series, **more):
        """One plot of the case's figure; series made by curve(), points() and reference() of lines.py; more: title, xlog, ylog."""
        self.panels.append(dict(xlabel=xlabel, ylabel=ylabel, series=list(series), **more))


def holds(path, text):
    if not os.path.exists(path):
        return False
    with open(path) as f:
        return f.read() == text


def put(path, text):
    with open(path, "w") as f:
        f.write(text)


def digest(paths):
    """Of the content of files; one that is missing counts as such."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.encode())
        if os.path.exists(os.path.join(support.ROOT, path)):
            with open(os.path.join(support.ROOT, path), "rb") as f:
                total.update(hashlib.sha256(f.read()).digest())
    return total.hexdigest()


def fingerprint(build, function, inputs):
    """What the case's results depend on: executable, its module and the shared ones, its inputs and the materials."""
    module = sys.modules[function.__module__].__file__
    shared = [os.path.join(HERE, name) for name in ("lines.py", "tools.py", "chain.py", "facets.py", "validate.py")]
    files = [os.path.join(build, "magtwin"), module] + shared + MATERIALS
    return digest([os.path.relpath(f, support.ROOT) for f in files] + sorted(inputs))


def last_result(build, name, function):
    """What the case gave when it was last run, {} where there is nothing; and whether it still holds."""
    try:
        with open(os.path.join(OUT, name, "result.json")) as f:
            old = json.load(f)
        return old, old["fingerprint"] == fingerprint(build, function, old["inputs"])
    except (OSError, ValueError, KeyError):
        return {}, False


def run_case(build, name, function):
    """Results of the case, kept or new: {fingerprint, inputs, seconds, results, panels}, and whether they are new."""
    case = Case(build, name)
    old, holds_still = last_result(build, name, function)
    if holds_still:
        return old, False
    os.makedirs(case.folder, exist_ok=True)
    start, used = time.monotonic(), processor_time()
    results = function(case)
    new = {"seconds": time.monotonic() - start, "processor_seconds": processor_time() - used, "state": support.state(), "date": time.strftime("%Y-%m-%d"), "inputs": sorted(case.inputs), "results": results, "panels": case.panels}
    if not case.made:  # another analysis of the same runs
        new.update({key: old[key] for key in ("seconds", "processor_seconds", "state", "date") if key in old})
    new["fingerprint"] = fingerprint(build, function, new["inputs"])
    write(os.path.join(case.folder, "result.json"), new)
    return new, True


def processor_time():
    """Of this process and of the runs it waited for, on all their ranks; s."""
    return sum(part.ru_utime + part.ru_stime for part in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def write(path, data):
    with open(path + ".new", "w") as f:
        json.dump(data, f, indent=1)
        f.write("\n")
    os.replace(path + ".new", path)


def show(line):
    reference, error = shown_reference(line)
    print("  %-4s %-64s %12.6g %-8s reference %-14s %s" %
          ("ok" if line["pass"] else "FAIL", line["name"], line["value"], line["unit"], reference, error))


def shown_reference(line):
    """Reference and error of a line as texts."""
    reference = line["reference"]
    if isinstance(reference, list):
        return "%s .. %s" % tuple("" if b is None else "%.5g" % b for b in reference), ""
    error = "%.2g %%" % (100 * line["error"]) if line["error_is"] == "relative" else "%.2g" % line["error"]
    return "%.6g" % reference, error


def not_run(name, reason):
    line = {"name": name, "value": None, "unit": "", "reference": None, "source": "", "error": None, "tolerance": None,
            "error_is": "did not run", "pass": False, "message": str(reason)}
    return {"results": [line], "panels": [], "seconds": 0}


def run_all(build, functions):
    """Runs and prints the cases; name -> what run_case gives."""
    done = {}
    for name, function in functions.items():
        print("%s (%d of %d): %s" % (name, len(done) + 1, len(functions), function.__doc__.split("\n")[0]), flush=True)
        try:
            done[name], new = run_case(build, name, function)
            print("  %.0f s, %.0f s of processor time%s" % (done[name]["seconds"], done[name].get("processor_seconds", 0),
                                                           "" if new else " when it last ran; not changed since"))
        except Failed as reason:
            print("  FAIL " + str(reason).replace("\n", "\n       "))
            done[name] = not_run(name, reason)
        for line in done[name]["results"]:
            if line["value"] is not None:
                show(line)
        sys.stdout.flush()
        summarize(build, done)
    return done


def summarize(build, done):
    """out/validate/summary.json: the cases of this run that have ended, and of the others what is kept and still holds."""
    import cases
    everything = []
    for name, function in cases.CASES.items():
        kept, holds_still = (done[name], True) if name in done else last_result(build, name, function)
        everything += kept["results"] if holds_still else []
    write(os.path.join(OUT, "summary.json"), everything)


def draw(done):
    """The figures, by a process of their own: they are not worth the numbers."""
    data = os.path.join(OUT, "figures.json")
    write(data, {name: {"results": d["results"], "panels": d["panels"]} for name, d in done.items()})
    drawn = subprocess.run([sys.executable, os.path.join(HERE, "figures.py"), data, os.path.join(OUT, "figures")],
                           capture_output=True, text=True)
    print(drawn.stdout.strip() if drawn.returncode == 0 else "no figures: " + drawn.stderr.strip().splitlines()[-1])


def main():
    import cases
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("build")
    parser.add_argument("case", nargs="*", help="only these: " + ", ".join(cases.CASES))
    parser.add_argument("--report", metavar="FILE", help="also write the table of cases and numbers to FILE (docs/validation.md); of cases that were not asked for FILE keeps what it has")
    args = parser.parse_args()
    unknown = [name for name in args.case if name not in cases.CASES]
    if unknown:
        parser.error("no case %s; there are %s" % (", ".join(unknown), ", ".join(cases.CASES)))
    wanted = {name: f for name, f in cases.CASES.items() if not args.case or name in args.case}
    os.makedirs(OUT, exist_ok=True)
    done = run_all(os.path.abspath(args.build), wanted)
    everything = [line for d in done.values() for line in d["results"]]
    draw(done)
    if args.report:
        import report
        report.write(args.report, wanted, done)
    good = sum(line["pass"] for line in everything)
    print("%d of %d agree; out/validate/summary.json" % (good, len(everything)))
    return 0 if good == len(everything) else 1


if __name__ == "__main__":
    sys.exit(main())
