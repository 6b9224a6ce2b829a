"""A SLURM of this machine's own for tests: munged, slurmctld and slurmd in a folder, on free ports, ended by their own process ids."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import support

CONF = """\
ClusterName=magtwin
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
# a requeued job may start again when its credentials have expired: 120 s elsewhere
AuthInfo=socket={folder}/munge.sock,cred_expire={requeue}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0,sched_min_interval=100000
MinJobAge=3600
ReturnToService=2
BatchStartTimeout=1
SlurmdTimeout=60
KillWait=3
OverTimeLimit=0
JobRequeue=1
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "BOOT_FAIL", "OUT_OF_MEMORY", "DEADLINE", "PREEMPTED"}


def free_ports(n):
    held = [socket.socket() for _ in range(n)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def find(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin")


def missing():
    """Why there can be no SLURM here; None: there can."""
    lacking = [name for name in ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue") if not find(name)]
    return "SLURM is not installed (%s; Debian: slurm-wlm munge)" % ", ".join(lacking) if lacking else None


class Cluster:
    """Start, stop, break and ask a SLURM in `folder`; every wait ends."""

    def __init__(self, folder, requeue=8):
        self.folder, self.daemons = folder, {}
        for name in ("state", "spool"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        import pwd
        text = CONF.format(host=socket.gethostname().split(".")[0], user=pwd.getpwuid(os.geteuid()).pw_name, folder=folder, requeue=requeue,
                           ports=free_ports(2))
        self.conf = os.path.join(folder, "slurm.conf")
        with open(self.conf, "w") as f:
            f.write(text)
        # not /tmp: steps of another SLURM have the same numbers
        os.makedirs(os.path.join(folder, "pmix"), exist_ok=True)
        with open(os.path.join(folder, "mpi.conf"), "w") as f:
            f.write("PMIxCliTmpDirBase=%s/pmix\n" % folder)
        self.env = {k: v for k, v in support.environment().items() if not k.startswith(("SLURM_", "SBATCH_"))}
        self.env.update(SLURM_CONF=self.conf, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def start(self):
        os.chmod(self.folder, 0o755)  # munged wants its folder closed to other writers
        key, socket_file = os.path.join(self.folder, "munge.key"), os.path.join(self.folder, "munge.sock")
        subprocess.run([find("mungekey"), "--create", "--keyfile=" + key], check=True)
        self.daemon("munged", ["--foreground", "--force", "--key-file=" + key, "--socket=" + socket_file, "--num-threads=2",
                               "--log-file=" + os.path.join(self.folder, "munged.log"), "--pid-file=" + os.path.join(self.folder, "munged.pid"),
                               "--seed-file=" + os.path.join(self.folder, "munged.seed")])
        self.until(lambda: os.path.exists(socket_file), 20, "munged made no socket")
        self.daemon("slurmctld", ["-D"])
        self.daemon("slurmd", ["-D"])
        self.until_ready()

    def daemon(self, name, words=("-D",)):
        log = open(os.path.join(self.folder, name + ".out"), "ab")
        self.daemons[name] = subprocess.Popen([find(name)] + list(words), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.env,
                                              start_new_session=True)
        log.close()

    def kill(self, name):
        """As a crash: the steps that slurmd started live on."""
        proc = self.daemons.pop(name)
        proc.kill()
        proc.wait()

    def until_ready(self):
        self.until(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T") or "mixed" in self.ask("sinfo", "-h", "-o", "%T"), 60,
                   "the node did not come up")

    def stop(self):
        if "slurmctld" in self.daemons:
            self.ask("scancel", "--full", "--signal=KILL", "--user=" + str(os.geteuid()))
            deadline = time.monotonic() + 6
            while self.ask("squeue", "-h") and time.monotonic() < deadline:
                time.sleep(0.2)
        for name in ("slurmd", "slurmctld", "munged"):
            proc = self.daemons.pop(name, None)
            if proc:
                proc.send_signal(signal.SIGTERM)
                try:
                    proc.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    proc.kill()
                    proc.wait()

    def ask(self, *words):
        done = subprocess.run([find(words[0])] + list(words[1:]), env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60)
        return done.stdout if done.returncode == 0 else ""

    def call(self, *words, cwd=support.ROOT, **env):
        """What a program that talks to SLURM prints."""
        done = subprocess.run(list(words), cwd=cwd, env=dict(self.env, **env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        support.check(done.returncode == 0, done.stdout)
        return done.stdout

    def sbatch(self, *words, cwd=support.ROOT, **env):
        """The job's number."""
        done = subprocess.run([find("sbatch"), "--parsable"] + [str(w) for w in words], cwd=cwd, env=dict(self.env, **env),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        support.check(done.returncode == 0, "sbatch: " + done.stderr)
        return int(done.stdout.split(";")[0])

    def job(self, number):
        """{task or None: {key: value}} of scontrol show job."""
        found = {}
        for line in self.ask("scontrol", "-o", "show", "job", str(number)).splitlines():
            pairs = dict(re.findall(r"(\w+)=(\S*)", line))
            if "JobState" in pairs:
                task = pairs.get("ArrayTaskId")
                found[int(task) if task and task.isdigit() else None] = pairs
        return found

    def steps(self, number):
        """Process ids of the daemons that watch the job's steps, and of its script: what dies with a node."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    words = f.read().replace(b"\0", b" ").decode(errors="replace")
                if re.search(r"slurmstepd: \[%d\.|job0*%d/slurm_script" % (number, number), words) and self.ours(pid):
                    found.append(int(pid))
            except OSError:
                pass
        return found

    def ours(self, pid):
        with open("/proc/%s/environ" % pid, "rb") as env, open("/proc/%s/cmdline" % pid, "rb") as words:
            return self.conf.encode() in env.read() or self.folder.encode() in words.read()

    def state(self, number):
        return self.job(number).get(None, {}).get("JobState", "")

    def lose_node(self, number):
        """The job's steps and slurmd die, as of a power cut; after a while slurmd is back."""
        self.kill("slurmd")
        for pid in self.steps(number):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(13)  # a younger job may be starting still, slurmctld would think
        self.daemon("slurmd")

    def heal(self):
        """What an administrator does after slurmctld forgot what it had started: it drains nodes and holds jobs that it meets twice."""
        if "drain" in self.ask("sinfo", "-h", "-o", "%T"):
            self.ask("scontrol", "update", "NodeName=" + socket.gethostname().split(".")[0], "State=RESUME")
        for line in self.ask("squeue", "-h", "-r", "-o", "%i %r").splitlines():
            if "held" in line.lower():
                self.ask("scontrol", "release", line.split()[0])

    def wait(self, number, timeout=120, heal=False):
        """Until every task of the job has ended: {task or None: (state, exit code)}."""
        def over():
            if heal:
                self.heal()
            jobs = self.job(number)
            return jobs and all(j["JobState"] in ENDED for j in jobs.values())
        self.until(over, timeout, lambda: "job %d has not ended: %s" % (number, self.ask("squeue")))
        return {task: (j["JobState"], int(j["ExitCode"].split(":")[0]) or 128 * (j["ExitCode"][-2:] != ":0")) for task, j in self.job(number).items()}

    @staticmethod
    def until(condition, timeout, complaint):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                support.check(False, complaint() if callable(complaint) else complaint)
            time.sleep(0.1)
