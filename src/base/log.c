/* What a person reads while the program runs: lines, warnings (kept for summary.json) and one progress line. */
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <mpi.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* s between progress lines that go to a file: more the longer the run, some 350 lines in a day */
enum { PROGRESS_EVERY = 5, PROGRESS_SLOWER = 60 };

static struct {
  char **text; /* [n] owned */
  int n;
} warnings;

static bool hushed;

static struct {
  char text[512]; /* "": none */
  bool printed;   /* the text stands in the output already */
  time_t last;    /* when one was printed to a file */
} progress;

static bool speaks(void) {
  int up = 0, down = 0, rank = 0;
  MPI_Initialized(&up);
  MPI_Finalized(&down);
  if (up && !down) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank == 0;
}

/* Open MPI's mpirun gives rank 0 a terminal of its own whatever its own output is; a rank's parent is mpirun, or on
 * other nodes a daemon without a terminal. */
static bool launcher_has_terminal(void) {
  char link[64], target[64];
  snprintf(link, sizeof link, "/proc/%d/fd/1", (int)getppid());
  ssize_t n = readlink(link, target, sizeof target - 1);
  target[n > 0 ? n : 0] = 0;
  return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0;
}

static bool on_terminal(void) {
  static int known = -1;
  if (known < 0) known = isatty(STDOUT_FILENO) && (!getenv("OMPI_COMM_WORLD_SIZE") || launcher_has_terminal());
  return known;
}

/* A line goes above the progress line, which is drawn again below it. */
static void progress_hide(void) {
  if (progress.text[0] && on_terminal()) fputs("\r\033[K", stdout);
}

static void progress_show(void) {
  if (progress.text[0] && on_terminal()) fputs(progress.text, stdout);
  fflush(stdout);
}

void mt_log_hush(bool hush) {
  hushed = hush;
}

void mt_log(const char *format, ...) {
  if (hushed || !speaks()) return;
  progress_hide();
  va_list args;
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
  progress_show();
}

static void warning_keep(const char *text) {
  char **more = realloc(warnings.text, sizeof(char *) * (size_t)(warnings.n + 1));
  if (!more) abort();
  warnings.text = more;
  size_t size = strlen(text) + 1;
  more[warnings.n] = malloc(size);
  if (!more[warnings.n]) abort();
  memcpy(more[warnings.n++], text, size);
}

static void free_warnings(void) {
  for (int i = 0; i < warnings.n; i++) free(warnings.text[i]);
  free(warnings.text);
  warnings.text = NULL;
  warnings.n = 0;
}

void mt_warn(const char *format, ...) {
  static bool registered;
  if (hushed) return;
  if (!registered) registered = atexit(free_warnings) == 0;
  char text[2048];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  warning_keep(text);
  if (!speaks()) return;
  progress_hide();
  fflush(stdout);
  fprintf(stderr, "warning: %s\n", text);
  progress_show();
}

int mt_warn_count(void) {
  return warnings.n;
}

const char *mt_warn_text(int i) {
  return i >= 0 && i < warnings.n ? warnings.text[i] : "";
}

void mt_progress(const char *format, ...) {
  if (!speaks()) return;
  progress_hide();
  va_list args;
  va_start(args, format);
  vsnprintf(progress.text, sizeof progress.text, format, args);
  va_end(args);
  progress.printed = false;
  if (on_terminal()) {
    progress_show();
  } else if (time(NULL) - progress.last >= PROGRESS_EVERY + mt_wall() / PROGRESS_SLOWER) {
    printf("%s\n", progress.text);
    fflush(stdout);
    progress.last = time(NULL);
    progress.printed = true;
  }
}

void mt_progress_end(void) {
  if (!progress.text[0]) return;
  if (on_terminal())
    putchar('\n');
  else if (!progress.printed)
    printf("%s\n", progress.text);
  fflush(stdout);
  progress.text[0] = 0;
  progress.last = 0;
}

const char *mt_duration(double seconds, char buf[32]) {
  long s = (long)(seconds + 0.5);
  if (seconds < 10)
    snprintf(buf, 32, "%.1f s", seconds);
  else if (s < 60)
    snprintf(buf, 32, "%ld s", s);
  else if (s < 3600)
    snprintf(buf, 32, "%ld m %ld s", s / 60, s % 60);
  else if (s < 86400)
    snprintf(buf, 32, "%ld h %ld m", s / 3600, s / 60 % 60);
  else
    snprintf(buf, 32, "%ld d %ld h", s / 86400, s / 3600 % 24);
  return buf;
}
