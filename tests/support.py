"""What the tests in Python share: the environment of runs, one call of magtwin, and TAP on stdout."""
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# As make/targets.mk: mpirun as root (containers), more ranks than cores, several runs side by side, one thread a rank.
RUN_DEFAULTS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_sharedfp": "^sm",  # see src/cli/main.c
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def state():
    """The commit of this checkout, with a + where sources differ from it."""
    def git(*words):
        try:
            return subprocess.run(["git", "-C", ROOT] + list(words), capture_output=True, text=True).stdout.strip()
        except OSError:
            return ""
    head = git("rev-parse", "--short", "HEAD")
    return "commit %s%s" % (head, "+" * bool(git("status", "--porcelain", "--untracked-files=no", "src", "include"))) if head else "no commit known"


def environment(**more):
    env = dict(RUN_DEFAULTS)
    env.update(os.environ)
    env.update(more)
    return env


def launcher(ranks):
    """The words before the program; one rank needs none."""
    if ranks == 1:
        return []
    return os.environ.get("MPIEXEC", "mpirun").split() + ["-n", str(ranks)]


class Result:
    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        return "$ %s\nexit %s\n%s%s" % (" ".join(self.command), self.code, self.out[-4000:], self.err[-4000:])


def magtwin(build, *args, ranks=1, cwd=ROOT, timeout=120, **env):
    """Runs the program as a user does; Result with exit code, stdout, stderr (code None: it ran into the timeout)."""
    command = launcher(ranks) + [os.path.join(os.path.abspath(build), "magtwin")] + [str(a) for a in args]
    proc = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                            env=environment(**env), start_new_session=True)
    try:
        out, err = proc.communicate(timeout=timeout)
        return Result(command, proc.returncode, out, err)
    except subprocess.TimeoutExpired:
        end_session(proc)
        out, err = proc.communicate()
        return Result(command, None, out, err)


def end_session(proc):
    """Ends a child that leads its own session, and what it started."""
    import signal
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(proc.pid, sig)
        except ProcessLookupError:
            return
        try:
            proc.wait(timeout=10)
        except subprocess.TimeoutExpired:
            pass


class Skip(Exception):
    """Raised by a test that cannot run here; its text is the reason."""


def check(condition, message):
    if not condition:
        raise AssertionError(str(message))


def write(folder, text, name="run.yaml"):
    """A file of a test, mostly its input; the path."""
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def two_grains(step):
    """Input of a short run: two grains turn over, in fields that change by step (T)."""
    return """\
grains: {source: generated, count: 2, box: [16, 12, 12], texture_axis: [0, 0, 1], texture_spread: 5 deg}
mesh: {size: 4 nm, gb: {thickness: 0}}
materials: {grain: Nd2Fe14B}
field:
  direction: [0.05, 0.02, 1]
  start: 1 T
  segments: [{to: -8 T, step: %g T, mode: fixed}]
""" % step


def run_tests(tests):
    """tests: list of (name, function(folder)).  Each gets a folder of its own; TAP on stdout; exit code 1 on a failure."""
    print("1..%d" % len(tests), flush=True)
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        folder = tempfile.mkdtemp(prefix="magtwin-test-")
        try:
            test(folder)
            print("ok %d - %s" % (number, name))
        except Skip as reason:
            print("ok %d - %s # SKIP %s" % (number, name, reason))
        except Exception:
            failed += 1
            print("not ok %d - %s" % (number, name))
            for line in traceback.format_exc().rstrip().splitlines():
                print("# " + line)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.flush()
    return 1 if failed else 0
