/* Starting other programs and knowing how they ended (process.h). */
#include "magtwin/process.h"
#include "file.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* What launchers and MPI libraries leave in the environment of their ranks; a program started from here must not take
 * itself for one of them. */
static bool of_launcher(const char *entry) {
  static const char *const prefixes[] = {"OMPI_COMM_",      "OMPI_UNIVERSE",
                                         "OMPI_APP_",       "OMPI_NUM_APP",
                                         "OMPI_FIRST_",     "OMPI_FILE_LOCATION",
                                         "OMPI_ARGV",       "OMPI_COMMAND",
                                         "OMPI_MCA_orte_",  "OMPI_MCA_ess",
                                         "OMPI_MCA_pmix",   "OMPI_MCA_initial_wdir",
                                         "OMPI_MCA_plm",    "OMPI_MCA_mpi_oversubscribe",
                                         "PMIX_",           "PMI_",
                                         "PRTE_",           "HYDI_",
                                         "HYDRA_",          "MPI_LOCALRANKID",
                                         "MPI_LOCALNRANKS", "SLURM_PROCID",
                                         "SLURM_LOCALID",   "SLURM_STEP"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
    if (!strncmp(entry, prefixes[i], strlen(prefixes[i]))) return true;
  return false;
}

/* What SLURM tells a job of itself, and a job that it submits must not take for its own. */
static bool of_job(const char *entry) {
  return !strncmp(entry, "SLURM_", 6) && strncmp(entry, "SLURM_CONF=", 11) != 0;
}

static char **clean_environment(bool anew) {
  size_t n = 0, kept = 0;
  while (environ[n]) n++;
  char **env = mt_malloc((n + 1) * sizeof *env);
  for (size_t i = 0; i < n; i++)
    if (!of_launcher(environ[i]) && !(anew && of_job(environ[i]))) env[kept++] = environ[i];
  env[kept] = NULL;
  return env;
}

static char *in_folder(const char *folder, const char *name) {
  size_t n = strlen(folder) + strlen(name) + 2;
  char *path = mt_malloc(n);
  snprintf(path, n, "%s/%s", folder, name);
  return path;
}

/* The lock is taken here and handed on: it lives as long as one process that inherited it does. */
static PetscErrorCode open_lock(const char *folder, int *fd) {
  char *path = in_folder(folder, "running.lock");
  PetscErrorCode rc = 0;
  *fd = open(path, O_RDWR | O_CREAT, 0666);
  if (*fd < 0)
    rc = mt_file_failed(path, "write", errno);
  else if (flock(*fd, LOCK_EX | LOCK_NB))
    rc = errno == EWOULDBLOCK ? mt_error(MT_ERR_INPUT, "something still runs in %s", folder)
                              : mt_file_failed(path, "lock", errno);
  if (rc && *fd >= 0) close(*fd);
  free(path);
  return rc;
}

/* The command with a record of its end.  The shell outlives signals to the group, to write it. */
static char *with_record(const char *command, const char *folder) {
  static const char form[] =
      "trap : USR1 TERM INT\n(%s\n)\ncode=$?\necho $code $(date +%%s.%%N) >%s/exit_code.new && mv %s/exit_code.new "
      "%s/exit_code\nexit $code\n";
  char *quoted = NULL;
  mt_command_add(&quoted, folder);
  size_t n = sizeof form + strlen(command) + 3 * strlen(quoted);
  char *text = mt_malloc(n);
  snprintf(text, n, form, command, quoted, quoted, quoted);
  free(quoted);
  return text;
}

/* By /bin/sh, in a process group of its own. */
static int spawn(const char *script, const posix_spawn_file_actions_t *files, char **env, pid_t *pid) {
  char shell[] = "sh", option[] = "-c", *text = strdup(script), *words[] = {shell, option, text, NULL};
  posix_spawnattr_t how;
  sigset_t none;
  posix_spawnattr_init(&how);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&how, 0);
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&how, &none);
  int err = text ? posix_spawn(pid, "/bin/sh", files, &how, words, env) : ENOMEM;
  posix_spawnattr_destroy(&how);
  free(text);
  free(env);
  return err;
}

static int spawn_to_files(const char *script, const char *output, const char *errors, pid_t *pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  posix_spawn_file_actions_addopen(&files, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  int err = spawn(script, &files, clean_environment(false), pid);
  posix_spawn_file_actions_destroy(&files);
  return err;
}

static int spawn_to_pipe(const char *command, int to, pid_t *pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, to, 1);
  posix_spawn_file_actions_adddup2(&files, to, 2);
  int err = spawn(command, &files, clean_environment(true), pid);
  posix_spawn_file_actions_destroy(&files);
  return err;
}

static char *read_all(int from) {
  char *text = mt_calloc(1, 1);
  size_t n = 0;
  for (ssize_t got = 1; got > 0 || (got < 0 && errno == EINTR);) {
    text = mt_realloc(text, n + 4096 + 1);
    got = read(from, text + n, 4096);
    if (got > 0) n += (size_t)got;
  }
  while (n && strchr(" \t\r\n", text[n - 1])) n--;
  text[n] = 0;
  return text;
}

/* Of a child that ends; 128 + signal. */
static int wait_for(pid_t pid) {
  int status = 0;
  pid_t got;
  do got = waitpid(pid, &status, 0);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int mt_process_ask(const char *command, char **text) {
  int ends[2], err = 0;
  pid_t pid = 0;
  *text = NULL;
  if (pipe(ends)) {
    err = errno;
  } else {
    for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    err = spawn_to_pipe(command, ends[1], &pid);
    close(ends[1]);
    if (!err) *text = read_all(ends[0]);
    close(ends[0]);
  }
  if (!err) return wait_for(pid);
  *text = strdup(strerror(err));
  if (!*text) mt_memory_end(64);
  return -1;
}

PetscErrorCode mt_process_start(const char *command, const char *folder, MtProcess *p) {
  int lock;
  PetscCall(open_lock(folder, &lock));
  char *output = in_folder(folder, "output.txt"), *errors = in_folder(folder, "errors.txt");
  char *record = in_folder(folder, "exit_code"), *script = with_record(command, folder);
  unlink(record);
  *p = (MtProcess){.code = -1};
  int err = spawn_to_files(script, output, errors, &p->pid);
  close(lock); /* the child has it */
  free(output);
  free(errors);
  free(record);
  free(script);
  if (err) return mt_error(MT_ERR_FAIL, "cannot start a command in %s: %s", folder, strerror(err));
  p->folder = strdup(folder);
  if (!p->folder) mt_memory_end(strlen(folder));
  return 0;
}

void mt_process_adopt(const char *folder, MtProcess *p) {
  *p = (MtProcess){.code = -1, .folder = strdup(folder)};
  if (!p->folder) mt_memory_end(strlen(folder));
}

static bool lock_held(const char *folder) {
  char *path = in_folder(folder, "running.lock");
  int fd = open(path, O_RDWR);
  bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
  if (fd >= 0) close(fd);
  free(path);
  return held;
}

bool mt_process_runs(MtProcess *p) {
  if (p->pid > 0) {
    int status;
    pid_t got = waitpid(p->pid, &status, WNOHANG);
    if (got == 0) return true;
    if (got > 0) p->code = WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -1;
    p->pid = 0;
  }
  return lock_held(p->folder); /* what it left behind counts */
}

void mt_process_signal(const MtProcess *p, int signal_number) {
  if (p->pid > 0) kill(-p->pid, signal_number);
}

void mt_process_free(MtProcess *p) {
  free(p->folder);
  *p = (MtProcess){0};
}

MtProcessState mt_process_state(const char *folder, int *code) {
  char *path = in_folder(folder, "exit_code");
  FILE *f = fopen(path, "r");
  bool ended = f && fscanf(f, "%d", code) == 1;
  if (f) fclose(f);
  free(path);
  if (lock_held(folder)) return MT_PROCESS_RUNNING;
  return ended ? MT_PROCESS_ENDED : MT_PROCESS_NONE;
}

double mt_process_ended(const char *folder) {
  char *path = in_folder(folder, "exit_code");
  FILE *f = fopen(path, "r");
  struct stat info;
  double when = NAN;
  if (f && fscanf(f, "%*d %lf", &when) != 1 && !fstat(fileno(f), &info)) when = (double)info.st_mtime;
  if (f) fclose(f);
  free(path);
  return when;
}

char *mt_process_last_line(const char *folder, const char *name) {
  enum { TAIL = 4096, LINE = 400 };
  char *path = in_folder(folder, name), *text = mt_calloc(1, TAIL + 1), *line = text;
  FILE *f = fopen(path, "r");
  size_t n = 0;
  if (f && !fseek(f, 0, SEEK_END)) {
    long size = ftell(f);
    if (size >= 0 && !fseek(f, size > TAIL ? size - TAIL : 0, SEEK_SET)) n = fread(text, 1, TAIL, f);
  }
  if (f) fclose(f);
  free(path);
  while (n && strchr(" \t\r\n", text[n - 1])) n--;
  text[n] = 0;
  for (size_t i = n; i > 0 && text[i - 1] != '\n'; i--) line = text + i - 1;
  memmove(text, line, strlen(line) + 1);
  text[LINE] = 0;
  return text;
}

void mt_command_add(char **text, const char *word) {
  size_t used = *text ? strlen(*text) : 0, n = used + 4 * strlen(word) + 4;
  char *to = *text = mt_realloc(*text, n);
  to += used;
  if (used) *to++ = ' ';
  *to++ = '\'';
  for (; *word; word++) {
    if (*word != '\'') {
      *to++ = *word;
      continue;
    }
    memcpy(to, "'\\''", 4);
    to += 4;
  }
  *to++ = '\'';
  *to = 0;
}

/* A program that was built anew meanwhile is the one at the same place. */
const char *mt_program_path(void) {
  static const char gone[] = " (deleted)";
  static char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  path[n > 0 ? n : 0] = 0;
  const size_t length = strlen(path), tail = sizeof gone - 1;
  if (length > tail && !strcmp(path + length - tail, gone) && access(path, F_OK)) path[length - tail] = 0;
  return n > 0 ? path : "magtwin";
}

/* Who holds the lock, as it wrote itself there. */
static void read_owner(int fd, char owner[200]) {
  ssize_t n = pread(fd, owner, 199, 0);
  owner[n > 0 ? n : 0] = 0;
  owner[strcspn(owner, "\n")] = 0;
}

static void write_owner(int fd) {
  char host[100] = "", text[200];
  gethostname(host, sizeof host - 1);
  int n = snprintf(text, sizeof text, "process %ld on %s\n", (long)getpid(), host);
  if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n) return; /* only for the message to others */
}

PetscErrorCode mt_lock_take(const char *path, bool wait, MtLock *lock, bool *locked, char owner[200]) {
  int failed;
  *locked = false;
  lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock->fd < 0) return mt_file_failed(path, "write", errno);
  do failed = flock(lock->fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
  while (failed && errno == EINTR);
  int err = errno;
  *locked = !failed;
  if (*locked) {
    write_owner(lock->fd);
    return 0;
  }
  if (err == EWOULDBLOCK) read_owner(lock->fd, owner);
  mt_lock_free(lock);
  return err == EWOULDBLOCK ? 0 : mt_file_failed(path, "lock", err);
}

void mt_lock_free(MtLock *lock) {
  if (lock->fd >= 0) close(lock->fd);
  lock->fd = -1;
}

PetscErrorCode mt_wait_root(MPI_Comm comm, int n, int *value) {
  MPI_Request request;
  int done = 0;
  PetscCallMPI(MPI_Ibcast(value, n, MPI_INT, 0, comm, &request));
  for (int i = 0; !done; i++) {
    PetscCallMPI(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    if (!done && i > 100) nanosleep(&(struct timespec){0, 5000000}, NULL);
  }
  return 0;
}
