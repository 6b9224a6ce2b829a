"""magtwin optimize as users call it: sequences that survive kills and rank counts, failures, people beside the machine, bad input.
# timeout: 900
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import support
from support import Skip, check

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"

CAMPAIGN = """\
optimize:
  variables:
    - {name: x, min: 0, max: 1}
    - {name: n, type: integer, min: 0, max: 40}
    - {name: c, type: categorical, values: [a, b]}
  constraints: ["x + 0.01*n <= 1.2"]
  goals:
    - {name: loss, want: minimize}
  evaluate: command
  command: >-
    COMMAND
  initial: 4
  evaluations: 7
  seed: 5
output:
  folder: FOLDER
"""
# (x - 0.3)^2 + (n - 25)^2/1000 + 0.2 [c = b]
VALUE = """awk -v x={x} -v n={n} -v c={c} 'BEGIN { printf "%.15g\\n", (x-0.3)^2 + (n-25)^2/1000 + 0.2*(c == "b") }'"""


def write(folder, command=VALUE, name="campaign.yaml", change=lambda text: text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(change(CAMPAIGN.replace("COMMAND", command).replace("FOLDER", out_of(folder))))
    return path


def out_of(folder):
    return os.path.join(folder, "out")


def database(folder):
    return os.path.join(out_of(folder), "database.jsonl")


def events(folder, kind):
    with open(database(folder)) as f:
        return [e for e in map(json.loads, f) if e["event"] == kind]


def sequence(folder):
    """What was proposed and told, in order of the numbers: bit by bit, as texts."""
    told = {e["id"]: e for e in events(folder, "told")}
    return [(e["id"], json.dumps(e["x"]), json.dumps(told.get(e["id"], {}).get("y"))) for e in events(folder, "suggested")]


def optimize(folder, *words, **more):
    return support.magtwin(BUILD, "optimize", os.path.join(folder, "campaign.yaml"), *words, **more)


def succeeds(done):
    check(done.code == 0, done)
    return done


def refused(done, *words, code=2):
    check(done.code == code, done)
    for word in words:
        check(word in done.err, "no %r in: %s" % (word, done))
    check("Traceback" not in done.err and "PETSC ERROR" not in done.err, done)


KEPT = {}


def reference():
    """The folder of one undisturbed campaign."""
    if not KEPT:
        import tempfile
        KEPT["folder"] = tempfile.mkdtemp(prefix="magtwin-optimize-")
        write(KEPT["folder"])
        KEPT["done"] = succeeds(optimize(KEPT["folder"]))
    return KEPT["folder"]


def finishes(_):
    folder = reference()
    check(len(events(folder, "told")) == 7, "not 7 told")
    check([e["how"] for e in events(folder, "suggested")] == ["spread"] * 4 + ["log_ei"] * 3, "wrong order of methods")
    with open(os.path.join(out_of(folder), "summary.json")) as f:
        summary = json.load(f)
    best = min(e["y"]["loss"] for e in events(folder, "told"))
    check(summary["results"]["best"]["loss"] == best and summary["counts"]["done"] == 7, summary["results"])
    with open(os.path.join(out_of(folder), "trials.csv")) as f:
        lines = f.read().splitlines()
    check(lines[0] == "id,status,by,x,n,c,loss,cost,reason" and len(lines) == 8, lines)
    status = succeeds(optimize(folder, "status"))
    check("7 of 7 evaluations: 7 done" in status.out and "best:" in status.out, status)


def same_on_two_ranks(folder):
    write(folder)
    succeeds(optimize(folder, ranks=2))
    check(sequence(folder) == sequence(reference()), "another sequence on two ranks")


def survives_kills(folder):
    """Every evaluation kills the campaign once, while it runs itself; the campaign is begun again until it is done."""
    write(folder, "if [ ! -e {folder}/once ]; then touch {folder}/once; kill -9 $PPID; sleep 0.1; fi; " + VALUE)
    for attempt in range(20):
        done = optimize(folder)
        if done.code == 0:
            break
        check(done.code == -signal.SIGKILL, done)
    check(done.code == 0 and attempt == 7, "%d attempts; %s" % (attempt, done))
    check(sequence(folder) == sequence(reference()), "another sequence after kills")


def survives_any_cut(folder):
    """The database cut after any line, or in the middle of one, as a kill leaves it: the same sequence in the end."""
    with open(database(reference())) as f:
        lines = f.readlines()
    for keep in range(0, len(lines), 5):
        here = os.path.join(folder, str(keep))
        shutil.copytree(reference(), here)
        write(here)
        with open(database(here), "w") as f:
            f.write("".join(lines[:keep]) + lines[keep][:20])
        succeeds(optimize(here))
        check(sequence(here) == sequence(reference()), "another sequence after a cut at line %d" % keep)


def failures_are_information(folder):
    write(folder, "if awk -v x={x} 'BEGIN { exit !(x > 0.6) }'; then echo no such phase >&2; exit 3; fi; " + VALUE)
    succeeds(optimize(folder))
    failed = [e for e in events(folder, "told") if e["status"] == "failed"]
    check(failed and all(e["reason"] == "exit code 3: no such phase" for e in failed), failed)
    check(any("success" in e.get("expected", {}) for e in events(folder, "suggested")), "no probability of success")


def all_fail(folder):
    write(folder, "exit 7")
    refused(optimize(folder), "all of the first 5 evaluations failed", "exit code 7", code=1)


def no_program(folder):
    """A command that the shell does not find is no failure of a point: told at once, and the campaign goes on when it is mended."""
    write(folder, "no-such-program {x}")
    refused(optimize(folder), "could not be started (exit code 127)", "no-such-program", code=1)
    check(len(events(folder, "suggested")) == 1 and not events(folder, "told"), events(folder, "told"))
    open(os.path.join(folder, "no-such-program"), "w").close()
    refused(optimize(folder, PATH=folder + ":" + os.environ["PATH"]), "could not be started (exit code 12", "ermission denied", code=1)
    with open(os.path.join(folder, "no-such-program"), "w") as f:
        f.write("#!/bin/sh\necho $1\n")
    os.chmod(os.path.join(folder, "no-such-program"), 0o755)
    succeeds(optimize(folder, PATH=folder + ":" + os.environ["PATH"]))
    check([e["id"] for e in events(folder, "told")] == list(range(1, 8)), events(folder, "told"))


def no_slurm(folder):
    """Jobs of a SLURM that is not there; a folder that a sweep has."""
    write(folder, change=lambda text: text.replace("evaluate: command", "evaluate: command\n  jobs: slurm"))
    os.mkdir(os.path.join(folder, "bin"))
    for place in os.environ["PATH"].split(":"):  # all programs but those
        for name in os.listdir(place) if os.path.isdir(place) else []:
            if name not in ("sbatch", "squeue") and not os.path.lexists(os.path.join(folder, "bin", name)):
                os.symlink(os.path.join(place, name), os.path.join(folder, "bin", name))
    refused(optimize(folder, PATH=os.path.join(folder, "bin")), "there is no SLURM here")
    check(not events(folder, "suggested") if os.path.exists(database(folder)) else True, "something was suggested")
    refused(optimize(folder, "evaluate", "1"), "there is no suggestion 1")
    refused(optimize(folder, "evaluate"), "usage:")
    open(os.path.join(out_of(folder), "points.csv"), "w").close()
    refused(optimize(folder, "suggest"), "already holds a result (points.csv)")


def no_number(folder):
    write(folder, "echo fine", change=lambda text: text.replace("initial: 4", "initial: 2").replace("evaluations: 7", "evaluations: 2"))
    succeeds(optimize(folder))
    check(all("does not hold 1 number" in e["reason"] for e in events(folder, "told")), events(folder, "told"))


def edited_database(folder):
    with open(database(reference())) as f:
        lines = f.readlines()
    second = json.loads(lines[1])
    far, other, wrong = dict(second), dict(second), dict(second)
    far["x"] = dict(second["x"], x=7)
    other["id"], wrong["x"] = 5, dict(second["x"], c="z")
    cases = [("{\"event\": \"suggested\", \"id\": 1,\n", "not a line of JSON"), ("nonsense\n", "not a line of JSON"),
             (json.dumps(far) + "\n", "x = 7 lies outside 0 .. 1"), (json.dumps(other) + "\n", "the next suggestion has id 1"),
             (json.dumps(wrong) + "\n", "z is none of the values of c"), (lines[1].replace("suggested", "sugested"), "unknown event")]
    write(folder)
    os.makedirs(out_of(folder))
    for text, word in cases:
        broken = lines[0] + text + "".join(lines[2:])
        with open(database(folder), "w") as f:
            f.write(broken)
        for verb in ("run", "status"):
            refused(optimize(folder, verb), "database.jsonl:2: ", word)
        check(open(database(folder)).read() == broken, "the database was changed")
    with open(database(folder), "w") as f:
        f.write("".join(lines) + lines[-1])
    refused(optimize(folder, "status"), "database.jsonl:%d: id 7 was told in line %d already" % (len(lines) + 1, len(lines)))


def another_campaign(folder):
    shutil.copytree(out_of(reference()), out_of(folder))
    write(folder, change=lambda text: text.replace("max: 40", "max: 50"))
    refused(optimize(folder), "database.jsonl:1: belongs to another campaign")


def another_question(folder):
    """A base input, a key, an override or a number that has changed since the campaign began is refused with the line, and nothing is touched."""
    for name, text in (("base.yaml", BASE), ("campaign.yaml", RUNS)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
    words = ["optimize.run.overrides=[\"grains.seed=4\"]"]
    succeeds(optimize(folder, *words, cwd=folder))
    before = open(database(folder)).read()
    more = words + ["optimize.evaluations=3"]
    cases = [(["optimize.run.overrides=[\"grains.seed=5\"]"], "other evaluations", "line 2 of out/evaluation.txt is \"grains.seed=4\", now the input says \"grains.seed=5\""),
             (words[:1] + ["optimize.goals=[{name: nodes, want: maximize, number: counts.tets}]"], "other evaluations", "\"nodes is counts.nodes\", now the input says \"nodes is counts.tets\"")]
    for changed, what, line in cases:
        refused(optimize(folder, *changed, "optimize.evaluations=3", cwd=folder), "out holds a campaign with " + what, "choose another output.folder, or undo the change", line)
    with open(os.path.join(folder, "base.yaml"), "w") as f:
        f.write(BASE.replace("seed: 3", "seed: 9"))
    refused(optimize(folder, *more, cwd=folder), "another base input", "line 1 of out/base.yaml", "now base.yaml says")
    check(open(database(folder)).read() == before and sorted(os.listdir(os.path.join(out_of(folder), "evaluations"))) == ["0001", "0002"], "something was written")
    with open(os.path.join(folder, "base.yaml"), "w") as f:
        f.write(BASE)
    succeeds(optimize(folder, *more, "optimize.run.launcher=env", cwd=folder))


def two_processes(folder):
    write(folder, "sleep 2; " + VALUE)
    first = subprocess.Popen([os.path.join(os.path.abspath(BUILD), "magtwin"), "optimize", os.path.join(folder, "campaign.yaml")],
                             stdout=subprocess.DEVNULL, env=support.environment(), start_new_session=True)
    while not os.path.exists(database(folder)) or not events(folder, "started"):
        time.sleep(0.05)
    refused(optimize(folder), "is run by another process (process %d on" % first.pid)
    # a person adds a point meanwhile
    succeeds(optimize(folder, "tell", "x=0.3", "n=25", "c=a", "loss=-1", "by=anna"))
    first.send_signal(signal.SIGTERM)
    check(first.wait(timeout=60) == 75, "exit code %s" % first.returncode)
    told = events(folder, "told")
    check([e["by"] for e in told if e["y"]["loss"] == -1] == ["anna"], told)
    status = succeeds(optimize(folder, "status"))
    check("proposed by anna" in status.out and "loss=-1" in status.out, status)


def by_hand(folder):
    write(folder, change=lambda text: text.replace("evaluate: command", "evaluate: hand").replace("  command: >-\n    " + VALUE + "\n", ""))
    refused(optimize(folder), "use suggest")
    out = succeeds(optimize(folder, "suggest", "3")).out
    check([line.split()[0] for line in out.splitlines()] == ["1", "2", "3"], out)
    succeeds(optimize(folder, "tell", "2", "loss=1.5", "cost=30"))
    succeeds(optimize(folder, "tell", "1", "failed=did not sinter"))
    check([e["status"] for e in events(folder, "told")] == ["done", "failed"], events(folder, "told"))
    before = open(database(folder)).read()
    refused(optimize(folder, "tell", "2", "loss=1"), "was told already")
    refused(optimize(folder, "tell", "9", "loss=1"), "no suggestion 9")
    refused(optimize(folder, "tell", "3", "los=1"), "did you mean loss?")
    refused(optimize(folder, "tell", "3", "loss=abc"), "is not a number")
    refused(optimize(folder, "tell", "x=0.3", "loss=1"), "3 values")
    refused(optimize(folder, "tell", "x=1", "n=40", "c=a", "loss=1"), "the constraint")
    refused(optimize(folder, "sugest"), "did you mean suggest?")
    check(open(database(folder)).read() == before, "a refused word changed the database")


def full_disk(folder):
    """A disk that is full in the middle of an event: a clear message, the database whole, and it goes on when there is room."""
    disk = os.path.join(folder, "out")
    os.mkdir(disk)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("cannot mount a small disk here")
    try:
        write(folder)
        succeeds(optimize(folder, "suggest"))
        with open(os.path.join(disk, "filler"), "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 1024)
            except OSError:
                pass
        words = ["tell", "x=0.3", "n=25", "c=a", "loss=1", "by=" + 3000 * "a"]
        for _ in range(3):
            done = optimize(folder, *words)
            check(open(database(folder)).read().endswith("}\n"), "a torn line is left")
            if "database.jsonl" in done.err:
                break
        refused(done, "cannot write", "database.jsonl", "what it holds is whole", code=1)
        os.unlink(os.path.join(disk, "filler"))
        succeeds(optimize(folder, *words))
        check(events(folder, "told")[-1]["y"] == {"loss": 1}, events(folder, "told"))
    finally:
        subprocess.run(["umount", disk])


def bad_campaigns(folder):
    cases = [("max: 1}", "max: -1}", "empty or reversed"), ("x + 0.01*n", "y + 0.01*n", "no variable at \"y"),
             ("{x} -v n", "{z} -v n", "{z} is no variable"), ("name: n", "name: x", "two variables or goals"),
             ("values: [a, b]", "values: [a, a]", "given twice"), ("want: minimize", "want: minimise", "did you mean minimize"),
             ("seed: 5", "acquisition: ucb\n  cost_aware: true", "divided by a cost")]
    for old, new, word in cases:
        write(folder, change=lambda text: text.replace(old, new, 1))
        refused(optimize(folder), word, "campaign.yaml:")
        check(not os.path.exists(out_of(folder)), "the folder was made")


BASE = """\
grains: {source: generated, count: 1, box: [12 nm, 12 nm, 12 nm], seed: 3}
mesh: {size: 4 nm, gb: {thickness: 0}}
materials: {grain: Nd2Fe14B}
field:
  direction: [0.1, 0, 1]
  start: 1 T
  segments: [{to: 0 T, step: 1 T, mode: fixed}]
output: {folder: base_out}
"""
RUNS = """\
optimize:
  variables: [{name: size, key: mesh.size, unit: nm, min: 3.4, max: 4}]
  goals: [{name: nodes, want: maximize, number: counts.nodes}]
  evaluate: run
  run: {input: base.yaml}
  initial: 2
  evaluations: 2
output: {folder: out}
"""


def transfer(folder):
    """A campaign that begins with the model of another one finds its minimum in three proposals; what is not related is refused."""
    other = os.path.join(folder, "other")
    shutil.copytree(reference(), other)
    path = database(other)
    write(folder, change=lambda text: text.replace("initial: 4", "transfer: %s" % path).replace("evaluations: 7", "evaluations: 6").replace("max: 1}", "max: 0.9}"))
    succeeds(optimize(folder))
    check([e["how"] for e in events(folder, "suggested")] == ["spread"] * 3 + ["log_ei"] * 3, events(folder, "suggested"))
    known = min(e["y"]["loss"] for e in events(other, "told"))
    check(min(e["y"]["loss"] for e in events(folder, "told")) < known, "no better than %g" % known)
    write(folder, change=lambda text: text.replace("initial: 4", "transfer: %s" % path).replace("name: loss", "name: gain"))
    refused(optimize(folder), "the results of that campaign have no gain")
    with open(path) as f:
        lines = f.readlines()
    with open(path, "w") as f:
        f.write("".join(lines[:4]) + "nonsense\n")
    write(folder, change=lambda text: text.replace("initial: 4", "transfer: %s" % path))
    refused(optimize(folder), "database.jsonl:5: not a line of JSON")
    with open(path, "w") as f:
        f.write("".join(lines[:4]))
    refused(optimize(folder), "1 evaluations are done that this campaign can use")


def runs_of_magtwin(folder):
    for name, text in (("base.yaml", BASE), ("campaign.yaml", RUNS)):
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
    refused(optimize(folder, "optimize.variables=[{name: a, key: field.sttart, min: 0.5, max: 2}]", cwd=folder), "did you mean field.start?")
    refused(optimize(folder, "optimize.variables=[{name: a, key: mesh.size, min: -1, max: 2}]", cwd=folder), "mesh.size: must be >= 0.01")
    check(not os.path.exists(out_of(folder)), "the folder was made")
    refused(optimize(folder, "optimize.goals=[{name: nodes, number: counts.nods}]", cwd=folder), "has no number counts.nods", "counts.nodes")
    refused(optimize(folder, "optimize.run.overrides=[mesh.sise=4]", cwd=folder), "did you mean mesh.size?")
    shutil.rmtree(out_of(folder))
    done = optimize(folder, "optimize.run.launcher=no-such-launcher", cwd=folder)
    refused(done, "evaluations/0001: the program of 1 could not be started (exit code 127)", "no-such-launcher", "no failure of this point", code=1)
    check(not events(folder, "told"), events(folder, "told"))
    shutil.rmtree(out_of(folder))
    succeeds(optimize(folder, "optimize.goals=[{name: nodes, number: counts.nodes}]", cwd=folder, ranks=2))
    told = events(folder, "told")
    check(len(told) == 2 and all(e["y"]["nodes"] > 10 for e in told), told)


def main():
    code = support.run_tests([
        ("a campaign finishes", finishes), ("the same on two ranks", same_on_two_ranks), ("kill -9 at every evaluation", survives_kills),
        ("a database cut anywhere", survives_any_cut), ("failures are information", failures_are_information),
        ("all evaluations fail", all_fail), ("no program to start", no_program), ("no SLURM", no_slurm), ("no number in the output", no_number), ("a database edited into nonsense", edited_database),
        ("a database of another campaign", another_campaign), ("another base input", another_question), ("two processes in one folder", two_processes), ("by hand", by_hand),
        ("a full disk", full_disk), ("bad campaigns", bad_campaigns), ("transfer from another campaign", transfer), ("runs of magtwin", runs_of_magtwin)])
    shutil.rmtree(KEPT.get("folder", ""), ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
