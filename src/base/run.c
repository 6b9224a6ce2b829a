/* What every run has: phases, the stop flag, the output folder. */
#include "magtwin/run.h"
#include "file.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "run_internal.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static MtPhase phases[MT_MAX_PHASES];
static int nphases;
static char *command_line;
static bool may_force;              /* what refusals may suggest */
static const char *may_resume = ""; /* of the caller */
static char *made_folder;           /* by this run; NULL: none */
static volatile sig_atomic_t stop_signal;
static char last_words[1024];
static volatile sig_atomic_t last_words_length; /* 0: none */

const char *mt_version(void) {
  return "0.1.0";
}

static double clock_seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double mt_wall(void) {
  static double start;
  if (start == 0) start = clock_seconds(CLOCK_MONOTONIC);
  return clock_seconds(CLOCK_MONOTONIC) - start;
}

MtPhase *mt_phase_find(const char *name, bool add) {
  for (int i = 0; i < nphases; i++)
    if (!strcmp(phases[i].name, name)) return &phases[i];
  if (!add || nphases == MT_MAX_PHASES) return NULL;
  MtPhase *p = &phases[nphases++];
  strncpy(p->name, name, sizeof p->name - 1);
  return p;
}

const MtPhase *mt_phase_list(int *n) {
  *n = nphases;
  return phases;
}

void mt_phase_begin(const char *name) {
  MtPhase *p = mt_phase_find(name, true);
  if (p && p->depth++ == 0) p->start = mt_wall(), p->processor_start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void mt_phase_end(const char *name) {
  MtPhase *p = mt_phase_find(name, false);
  if (!p || p->depth == 0 || --p->depth > 0) return;
  p->seconds += mt_wall() - p->start;
  p->processor += clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - p->processor_start;
  p->calls++;
}

static void on_signal(int signal_number) {
  const int err = errno;
  const ssize_t wrote = signal_number == SIGTERM && stop_signal != SIGTERM && last_words_length
                            ? write(STDERR_FILENO, last_words, (size_t)last_words_length)
                            : 0;
  (void)wrote; /* nobody is left to be told */
  stop_signal = signal_number;
  errno = err;
}

void mt_stop_last_words(const char *format, ...) {
  va_list args;
  last_words_length = 0;
  va_start(args, format);
  const int n = vsnprintf(last_words, sizeof last_words - 1, format, args);
  va_end(args);
  if (n < 0 || (size_t)n >= sizeof last_words - 1) return;
  last_words[n] = '\n';
  last_words_length = n + 1;
}

/* A second Ctrl-C ends the program at once; USR1 and TERM may come again (schedulers repeat them). */
void mt_stop_install(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  action.sa_flags |= (int)SA_RESETHAND;
  sigaction(SIGINT, &action, NULL);
}

bool mt_stop_raised(void) {
  return stop_signal != 0;
}

bool mt_stop_agreed(MPI_Comm comm) {
  int stop = stop_signal != 0;
  MPI_Allreduce(MPI_IN_PLACE, &stop, 1, MPI_INT, MPI_MAX, comm);
  return stop != 0;
}

static char *path_in(const char *folder, const char *name) {
  char *a = mt_file_join(folder, "/"), *b = mt_file_join(a, name);
  free(a);
  return b;
}

/* Under a name of its own: the tasks of a job array begin in one folder at once. */
static PetscErrorCode folder_writable(const char *folder) {
  char name[100] = ".magtwin-probe-";
  gethostname(name + strlen(name), 60);
  name[80] = 0;
  snprintf(name + strlen(name), 16, "-%ld", (long)getpid());
  char *probe = path_in(folder, name);
  PetscErrorCode rc = mt_file_write(probe, "");
  if (!rc) unlink(probe);
  free(probe);
  return rc;
}

/* A folder made by a run that failed before it wrote anything is taken away again (rmdir spares what is not empty). */
static void remove_empty(void) {
  if (made_folder) rmdir(made_folder);
  free(made_folder);
  made_folder = NULL;
}

static void remember_folder(const char *folder) {
  if (!made_folder) atexit(remove_empty);
  free(made_folder);
  made_folder = mt_file_join(folder, "");
}

/* The first of the markers that is there -> name, a copy; NULL: none. */
static char *find_result(const char *folder, const char *markers) {
  char *copy = mt_file_join(markers, ""), *rest = copy, *found = NULL;
  for (char *name; !found && (name = strtok_r(rest, " ", &rest));) {
    char *path = path_in(folder, name);
    if (!access(path, F_OK)) found = mt_file_join(name, "");
    free(path);
  }
  free(copy);
  return found;
}

void mt_output_ways(bool force, const char *resumable) {
  may_force = force;
  may_resume = resumable;
}

static bool is_one_of(const char *name, const char *names) {
  const size_t n = strlen(name);
  for (const char *s = names; (s = strstr(s, name)); s += n)
    if ((s == names || s[-1] == ' ') && (!s[n] || s[n] == ' ')) return true;
  return false;
}

static PetscErrorCode refuse_result(const char *folder, const char *markers) {
  char *found = find_result(folder, markers);
  PetscErrorCode rc = 0;
  if (found)
    rc = mt_error(MT_ERR_INPUT, "%s already holds a result (%s): choose another folder (output.folder=...)%s%s", folder,
                  found, may_force ? ", or overwrite it with --force" : "",
                  is_one_of(found, may_resume) ? ", or continue it with --resume by the subcommand that wrote it" : "");
  free(found);
  return rc;
}

static PetscErrorCode open_folder(const char *folder, const char *markers, bool overwrite) {
  PetscErrorCode rc = overwrite ? 0 : refuse_result(folder, markers);
  if (rc) return rc;
  bool made = access(folder, F_OK) != 0;
  PetscCall(mt_folder_make(folder));
  if (made) remember_folder(folder);
  return folder_writable(folder);
}

PetscErrorCode mt_output_open(MPI_Comm comm, const char *folder, const char *markers, bool force, bool resume) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  return mt_agree(comm, rank ? 0 : open_folder(folder, markers, force || resume));
}

static void free_command(void) {
  free(command_line);
  command_line = NULL;
}

void mt_run_set_command(int argc, char **argv) {
  mt_wall(); /* the clock starts here */
  size_t size = 1;
  for (int i = 0; i < argc; i++) size += strlen(argv[i]) + 1;
  free(command_line);
  command_line = calloc(1, size);
  if (!command_line) abort();
  for (int i = 0; i < argc; i++) {
    if (i) strcat(command_line, " ");
    strcat(command_line, argv[i]);
  }
  atexit(free_command);
}

const char *mt_run_command(void) {
  return command_line ? command_line : "";
}
