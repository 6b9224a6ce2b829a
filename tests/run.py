#!/usr/bin/env python3
"""run.py BUILD [--sanitizer] [--jobs N] [NAME...]: runs the unit programs and the Python tests, and counts.

Unit programs are BUILD/tests/<name>, made from tests/unit/<name>.c with cmocka; a first line such as

    /* ranks: 1 2 4 */      or      /* ranks: 2  timeout: 60 */

says on how many ranks to run it (without it: on one).  Python tests are tests/{cli,restart,slurm}/*.py (first lines may hold
"# timeout: 600"), called with BUILD as argument.  All of them write TAP.  A case on N ranks passes when it passes on every rank.
One-rank unit programs run N at once; then tests/restart and tests/slurm, which mostly wait, beside all the others, one of each at a time.
Names select the programs whose name contains one of them.  The last line is the count: `N passed, N failed`;
skipped cases are counted on the line before.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

import support

UNIT_TIMEOUT, SCRIPT_TIMEOUT = 120, 600
# Under mpirun each rank writes its TAP to a file of its own, else the ranks' lines would mix.
PER_RANK = 'r=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-${SLURM_PROCID:-0}}}; exec "$1" >"$0.$r" 2>&1'


class Program:
    def __init__(self, name, command, ranks, timeout):
        self.name, self.command, self.ranks, self.timeout = name, command, ranks, timeout
        self.label = name if ranks == 1 else "%s, %d ranks" % (name, ranks)


class Outcome:
    def __init__(self, program, seconds, cases, detail):
        self.program, self.seconds, self.cases, self.detail = program, seconds, cases, detail

    def names(self, status):
        return [(name, note) for name, (state, note) in self.cases.items() if state == status]


def unit_programs(build, sanitizer):
    slower = 4 if sanitizer else 1
    for source in sorted(glob.glob(os.path.join(support.ROOT, "tests/unit/*.c"))):
        name = os.path.basename(source)[:-2]
        exe = os.path.join(os.path.abspath(build), "tests", name)
        with open(source, encoding="utf-8") as f:
            first = f.readline()
        ranks = re.search(r"ranks:((?:\s+\d+)+)", first)
        limit = re.search(r"timeout:\s*(\d+)", first)
        seconds = slower * (int(limit.group(1)) if limit else UNIT_TIMEOUT)
        for n in [int(r) for r in ranks.group(1).split()] if ranks else [1]:
            yield Program(name, [exe], n, seconds)


def script_programs(build):
    for folder in ("cli", "restart", "slurm"):
        for source in sorted(glob.glob(os.path.join(support.ROOT, "tests", folder, "*.py"))):
            if os.path.basename(source).startswith("_"):
                continue
            with open(source, encoding="utf-8") as f:
                limit = re.search(r"^# timeout:\s*(\d+)", f.read(2000), re.M)
            yield Program("%s/%s" % (folder, os.path.basename(source)), [sys.executable, source, os.path.abspath(build)], 1,
                          int(limit.group(1)) if limit else SCRIPT_TIMEOUT)


def smoke_program(build):
    """A small demagnetization run under the sanitizer."""
    script = os.path.join(support.ROOT, "tests", "cli", "_smoke.py")
    return Program("cli/_smoke.py", [sys.executable, script, os.path.abspath(build)], 1, SCRIPT_TIMEOUT)


def execute(program):
    if not os.access(program.command[0], os.X_OK):
        return Outcome(program, 0.0, {"(start)": ("failed", "not built: " + program.command[0])}, "")
    with tempfile.TemporaryDirectory(prefix="magtwin-run-") as folder:
        # what unit programs write stays in a folder that goes away
        scratch = os.path.join(folder, "work")
        os.mkdir(scratch)
        # measured data beside the checkout stay where the tests look for them: ../shared
        data = os.path.join(os.path.dirname(support.ROOT), "shared")
        if os.path.isdir(data):
            os.symlink(data, os.path.join(folder, "shared"))
        base = os.path.join(folder, "tap")
        if program.ranks == 1:
            command, stdout = program.command, open(base + ".0", "wb")
        else:
            command = support.launcher(program.ranks) + ["/bin/sh", "-c", PER_RANK, base] + program.command
            stdout = open(base + ".launcher", "wb")
        start = time.monotonic()
        with stdout:
            env = support.environment(CMOCKA_MESSAGE_OUTPUT="TAP", PYTHONPATH=os.path.join(support.ROOT, "tests"),
                                      MAGTWIN_ROOT=support.ROOT)
            proc = subprocess.Popen(command, stdout=stdout, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                    cwd=scratch, env=env, start_new_session=True)
            try:
                code = proc.wait(timeout=program.timeout)
            except subprocess.TimeoutExpired:
                support.end_session(proc)
                code = None
        seconds = time.monotonic() - start
        texts = [read(path) for path in sorted(glob.glob(base + ".[0-9]*"))]
        return judge(program, code, seconds, texts, read(base + ".launcher"))


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


RESULT = re.compile(r"^(not )?ok \d+(?: -)?\s*(.*?)\s*(?:# ?SKIP\b\s*(.*))?$", re.I)


def parse(text):
    """TAP of one rank: (planned, [(name, "passed"|"failed"|"skipped", note)])."""
    planned, cases, last = 0, [], ""
    for line in text.splitlines():
        plan = re.match(r"1\.\.(\d+)", line)
        result = RESULT.match(line)
        if plan:
            planned += int(plan.group(1))
        elif result:
            skipped = "skip" in line.lower() and result.group(3) is not None
            state = "skipped" if skipped else "failed" if result.group(1) else "passed"
            # cmocka's skip has no reason: the line printed before it has
            cases.append((result.group(2) or result.group(3), state, (result.group(3) if result.group(2) else "") or last))
            last = ""
        elif line.strip():
            last = line.strip("# ")
    return planned, cases


def judge(program, code, seconds, texts, launcher_text):
    worst = {"passed": 0, "skipped": 1, "failed": 2}
    cases, short = {}, False
    for text in texts:
        planned, results = parse(text)
        short = short or len(results) < planned or planned == 0
        for name, state, note in results:
            if name not in cases or worst[state] > worst[cases[name][0]]:
                cases[name] = (state, note)
    failed = any(state == "failed" for state, _ in cases.values())
    if code is None:
        cases["(time)"] = ("failed", "ended after %d s" % program.timeout)
    elif (code != 0 and not failed) or short or len(texts) != program.ranks:
        why = "signal %d" % -code if code < 0 else "exit code %d" % code
        cases["(end)"] = ("failed", "%s%s" % (why, ", before all its cases had run" if short else ""))
    detail = ""
    if any(state == "failed" for state, _ in cases.values()):
        parts = [t if len(texts) == 1 else "rank %d:\n%s" % (r, t) for r, t in enumerate(texts)]
        detail = "\n".join(trim(t) for t in parts + [launcher_text] if t.strip())
    return Outcome(program, seconds, cases, detail)


def trim(text, head=15, tail=45):
    lines = [line for line in text.splitlines() if not line.startswith("ok ")]
    if len(lines) > head + tail:
        lines = lines[:head] + ["... %d lines ..." % (len(lines) - head - tail)] + lines[-tail:]
    return "\n".join("    " + line for line in lines)


TELLING = threading.Lock()


def tell(outcome):
    with TELLING:
        tell_alone(outcome)


def tell_alone(outcome):
    failed, skipped = outcome.names("failed"), outcome.names("skipped")
    word = "FAILED" if failed else "ok"
    count = "%d of %d" % (len(outcome.names("passed")), len(outcome.cases))
    print("%-6s %-46s %8s %7.1f s" % (word, outcome.program.label, count, outcome.seconds))
    for name, note in failed:
        print("       failed: %s  %s" % (name, note if name.startswith("(") else ""))
    for name, note in skipped:
        print("       skipped: %s: %s" % (name, note or "no reason given"))
    if outcome.detail:
        print(outcome.detail)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--sanitizer", action="store_true", help="unit programs and a small run, with longer time limits")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="one-rank unit programs run at once")
    parser.add_argument("name", nargs="*", help="only programs whose name contains one of these")
    args = parser.parse_args()
    units = list(unit_programs(args.build, args.sanitizer))
    scripts = [smoke_program(args.build)] if args.sanitizer else list(script_programs(args.build))
    wanted = lambda p: not args.name or any(n in p.name for n in args.name)
    serial = [p for p in units if p.ranks == 1 and wanted(p)]
    parallel = [p for p in units if p.ranks > 1 and wanted(p)] + [p for p in scripts if wanted(p)]
    waits = lambda p: p.name.startswith(("restart/", "slurm/"))
    lanes = [[p for p in parallel if not waits(p)], [p for p in parallel if waits(p)]]
    if args.jobs < 2:
        lanes = [lanes[0] + lanes[1]]
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, args.jobs)) as pool:
        for outcome in pool.map(execute, serial):
            tell(outcome)
            outcomes.append(outcome)
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(lanes)) as pool:
        for lane in [pool.submit(run_lane, programs) for programs in lanes]:
            outcomes += lane.result()
    return count(outcomes)


def run_lane(programs):
    outcomes = []
    for program in programs:
        outcomes.append(execute(program))
        tell(outcomes[-1])
    return outcomes


def count(outcomes):
    total = {s: sum(len(o.names(s)) for o in outcomes) for s in ("passed", "failed", "skipped")}
    for outcome in outcomes:
        for name, _ in outcome.names("failed"):
            print("failed: %s: %s" % (outcome.program.label, name))
    if total["skipped"]:
        print("%d skipped, with their reasons above" % total["skipped"])
    print("%d passed, %d failed" % (total["passed"], total["failed"]))
    return 1 if total["failed"] or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
