"""One run of the program with what it cost: wall and processor time, memory, counts, and the messages of its ranks."""
import glob
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support

OUT = os.path.join(support.ROOT, "out", "bench")
INPUT = os.path.join(support.ROOT, "tests", "bench", "bench.yaml")


class Failed(Exception):
    pass


def processor_seconds():
    t = os.times()
    return t.children_user + t.children_system


def magtwin(build, *args, ranks=1, timeout=6 * 3600, **env):
    done = support.magtwin(build, *args, ranks=ranks, timeout=timeout, **env)
    if done.code != 0:
        raise Failed(str(done))
    return done


def polycrystal(nodes):
    """Overrides for a mesh of about so many nodes (with the air): grains of 25 nm, so that only their number grows."""
    edge = 50 * (nodes / 30851) ** (1 / 3)  # bench.yaml as it stands has 30 851
    edge = round(edge, 1)
    return ["grains.count=%d" % round(8 * (edge / 50) ** 3), "grains.box=[%g nm, %g nm, %g nm]" % (edge, edge, edge)]


def mesh(build, name, *overrides, input_file=INPUT):
    """Overrides that name a mesh, made once for all runs on it: the mesher's memory and time are not theirs."""
    folder = os.path.join(OUT, "mesh_" + name)
    magtwin(build, "mesh", input_file, "output.folder=" + folder, "--force", *overrides)
    return ["mesh.file=" + os.path.join(folder, "mesh.h5"), *overrides]


def monitoring():
    """Open MPI's counters of messages, if the MPI in use has them."""
    return bool(glob.glob("/usr/lib/*/openmpi/lib/openmpi3/mca_pml_monitoring.so")) or os.environ.get("BENCH_MONITORING") == "1"


def messages_of(prefix):
    """Open MPI's files of a run, one a rank: {rank: [messages, bytes]} of what each sent, its part of collectives included."""
    total = {}
    for path in glob.glob(prefix + ".*.prof"):
        for text in open(path):
            word = text.split()
            # "E|I  from  to  <bytes> bytes  <n> msgs sent ...": point to point by the program, and by its collectives
            if len(word) > 6 and word[0] in "EI" and word[4] == "bytes" and word[6] == "msgs":
                entry = total.setdefault(int(word[1]), [0, 0])
                entry[0] += int(word[5])
                entry[1] += int(word[3])
    return total


def demag(build, name, mesh_made, *overrides, ranks=1, count_messages=False, input_file=INPUT):
    """Runs and returns the summary, with "measured": wall and processor seconds, messages per rank."""
    folder = os.path.join(OUT, "run_" + name)
    prefix, env = os.path.join(OUT, "messages_" + name), {}
    count_messages = count_messages and ranks > 1 and monitoring()
    if count_messages:
        for old in glob.glob(prefix + ".*.prof"):
            os.remove(old)
        env = {"OMPI_MCA_pml_monitoring_enable": "2", "OMPI_MCA_pml_monitoring_enable_output": "3",
               "OMPI_MCA_pml_monitoring_filename": prefix}
    cpu, wall = processor_seconds(), time.time()
    magtwin(build, "demag", input_file, *mesh_made, "output.folder=" + folder, "output.states=none", "--force", *overrides,
            ranks=ranks, **env)
    with open(os.path.join(folder, "summary.json")) as f:
        summary = json.load(f)
    summary["measured"] = {"wall": time.time() - wall, "processor": processor_seconds() - cpu,
                           "messages": messages_of(prefix) if count_messages else {}}
    return summary


def path_seconds(summary):
    return summary["phases"]["field path"]["wall"]["value"]


def memory(summary):
    """MiB, of the rank with most."""
    return summary["peak_memory_per_rank"]["max"]["value"]


def curve(name):
    """Columns of curve.csv by name."""
    with open(os.path.join(OUT, "run_" + name, "curve.csv")) as f:
        rows = [row.strip().split(",") for row in f if row.strip() and not row.startswith("#")]
    return {key: [float(row[i]) for row in rows[1:]] for i, key in enumerate(rows[0])}


def stream(build, ranks):
    """GB/s of all ranks together, the best of three programs."""
    command = support.launcher(ranks) + [os.path.join(os.path.abspath(build), "stream")]
    values = []
    for _ in range(3):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=support.environment(), timeout=600)
        if done.returncode != 0:
            raise Failed("stream: " + done.stderr)
        values.append(float(done.stdout))
    return max(values)
