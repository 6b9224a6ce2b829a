#!/usr/bin/env python3
"""validate.py BUILD [CASE...]: the physics of the program, run through the command line as users do, against published and
analytic values.  Writes out/validate/summary.json, a list of {name, value, unit, reference, source, error, tolerance, pass}, prints it
as a table and ends with exit code 1 if one fails.

A case whose executable, input and analysis have not changed since it was last run is not run again (out/validate/<case>/result.json).
"""
import argparse
import hashlib
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, HERE)

import support
from lines import Failed

OUT = os.path.join(support.ROOT, "out", "validate")


class Case:
    """One case: its folder, and how it runs the program."""

    def __init__(self, build, name):
        self.build, self.name, self.folder = build, name, os.path.join(OUT, name)

    def input(self, name):
        return os.path.join(HERE, "inputs", name + ".yaml")

    def run(self, subcommand, input_name, run_name, *overrides, ranks=1, timeout=1800, input_file=None):
        """Runs the program; returns the folder with its results.  --force: the folder belongs to this case."""
        folder = os.path.join(self.folder, run_name)
        done = support.magtwin(self.build, subcommand, input_file or self.input(input_name), "output.folder=" + folder, *overrides,
                               "--force", ranks=ranks, timeout=timeout)
        if done.code != 0:
            raise Failed(str(done))
        return folder


def fingerprint(build, name):
    digest = hashlib.sha256()
    for path in [os.path.join(build, "magtwin"), os.path.join(HERE, "cases.py"), os.path.join(HERE, "lines.py"), os.path.abspath(__file__)]:
        with open(path, "rb") as f:
            digest.update(hashlib.sha256(f.read()).digest())
    for folder in (os.path.join(HERE, "inputs"), os.path.join(support.ROOT, "inputs")):
        for file in sorted(os.listdir(folder)):
            with open(os.path.join(folder, file), "rb") as f:
                digest.update(hashlib.sha256(f.read()).digest())
    digest.update(name.encode())
    return digest.hexdigest()


def run_case(build, name, function):
    case = Case(build, name)
    kept = os.path.join(case.folder, "result.json")
    mark = fingerprint(build, name)
    try:
        with open(kept) as f:
            old = json.load(f)
        if old["fingerprint"] == mark:
            return old["results"], None
    except (OSError, ValueError, KeyError):
        pass
    os.makedirs(case.folder, exist_ok=True)
    start = time.monotonic()
    results = function(case)
    seconds = time.monotonic() - start
    write(kept, {"fingerprint": mark, "seconds": seconds, "results": results})
    return results, seconds


def write(path, data):
    with open(path + ".new", "w") as f:
        json.dump(data, f, indent=1)
        f.write("\n")
    os.replace(path + ".new", path)


def show(line):
    reference = line["reference"]
    if isinstance(reference, list):
        text = "%s .. %s" % tuple("" if b is None else "%.5g" % b for b in reference)
        error = ""
    else:
        text = "%.6g" % reference
        error = "%.2g %%" % (100 * line["error"]) if line["error_is"] == "relative" else "%.2g" % line["error"]
    print("  %-4s %-52s %12.6g %-8s reference %-14s %s" %
          ("ok" if line["pass"] else "FAIL", line["name"], line["value"], line["unit"], text, error))


def main():
    import cases
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("build")
    parser.add_argument("case", nargs="*", help="only these: " + ", ".join(cases.CASES))
    args = parser.parse_args()
    everything, failed = [], 0
    for name, function in cases.CASES.items():
        if args.case and name not in args.case:
            continue
        print("%s: %s" % (name, function.__doc__.split("\n")[0]), flush=True)
        try:
            results, seconds = run_case(os.path.abspath(args.build), name, function)
            print("  not changed since its last run" if seconds is None else "  %.0f s" % seconds)
        except Failed as reason:
            print("  FAIL " + str(reason).replace("\n", "\n       "))
            results = [{"name": name, "value": None, "unit": "", "reference": None, "source": "", "error": None, "tolerance": None,
                        "error_is": "did not run", "pass": False, "message": str(reason)}]
        for line in results:
            if line["value"] is not None:
                show(line)
        failed += sum(not line["pass"] for line in results)
        everything += results
        sys.stdout.flush()
    os.makedirs(OUT, exist_ok=True)
    write(os.path.join(OUT, "summary.json"), everything)
    print("%d of %d agree; out/validate/summary.json" % (len(everything) - failed, len(everything)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
