/* Who ran a point or an evaluation, when and how often: the file `starts` in its folder, a line a start.
 *
 *     1795281694.125 0.1.0 node17 4711_3 anew      seconds since 1970, version, host, job (- none), anew or continued
 *     retry                                        what is above failed and is done with
 */
#include "magtwin/error.h"
#include "magtwin/evaluation.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Starts without an end after which a point counts as one that kills its machine. */
enum { MAX_STARTS = 5 };

/* One write: it is there whole or, on a full disk, told. */
static PetscErrorCode append(const char *folder, const char *line) {
  char *path = mt_text("%s/starts", folder);
  const size_t n = strlen(line);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666), err = errno;
  PetscErrorCode rc = 0;
  ssize_t done = fd < 0 ? -1 : write(fd, line, n);
  if (fd >= 0) err = done < 0 ? errno : ENOSPC;
  if (done == (ssize_t)n && fsync(fd) && errno != EINVAL) done = -1, err = errno;
  if (fd >= 0) close(fd);
  if (done != (ssize_t)n) rc = mt_error(mt_errno_code(err), "cannot write %s: %s", path, strerror(err));
  free(path);
  return rc;
}

/* The job of SLURM, of an array with its task; "-" outside. */
static char *job_name(void) {
  const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID"),
             *job = getenv("SLURM_JOB_ID");
  if (array && array[0] && task && task[0]) return mt_text("%.30s_%.30s", array, task);
  return mt_text("%.60s", job && job[0] ? job : "-");
}

PetscErrorCode mt_starts_add(const char *folder, bool continued) {
  char host[64] = "", *job = job_name();
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  gethostname(host, sizeof host - 1);
  char *line = mt_text("%lld.%03ld %s %s %s %s\n", (long long)now.tv_sec, now.tv_nsec / 1000000, mt_version(),
                       host[0] ? host : "-", job, continued ? "continued" : "anew");
  PetscErrorCode rc = append(folder, line);
  free(line);
  free(job);
  return rc;
}

PetscErrorCode mt_starts_retry(const char *folder) {
  return append(folder, "retry\n");
}

static void take_line(const char *line, MtStarts *r) {
  MtStarts now = *r;
  char how[16] = "";
  if (!strncmp(line, "retry", 5)) {
    r->unended = 0;
  } else if (line[0] == '.') { /* of earlier versions: a dot a start */
    r->starts += (int)strspn(line, ".");
    r->unended = r->starts;
  } else if (sscanf(line, "%lf %31s %63s %63s %15s", &now.began, now.version, now.host, now.job, how) == 5) {
    *r = now;
    r->starts++;
    r->unended = strcmp(how, "continued") ? r->unended + 1 : 1;
    if (!strcmp(r->host, "-")) r->host[0] = 0;
    if (!strcmp(r->job, "-")) r->job[0] = 0;
  }
}

void mt_starts_read(const char *folder, MtStarts *r) {
  char *path = mt_text("%s/starts", folder), line[300];
  FILE *f = fopen(path, "r");
  *r = (MtStarts){.began = NAN, .ended = mt_process_ended(folder)};
  while (f && fgets(line, sizeof line, f)) take_line(line, r);
  if (f) fclose(f);
  free(path);
  if (r->ended < r->began) r->ended = NAN; /* of a start before */
}

const char *mt_starts_time(double when, char buf[32]) {
  time_t seconds = (time_t)when;
  struct tm t;
  buf[0] = 0;
  if (isfinite(when) && gmtime_r(&seconds, &t)) strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &t);
  return buf;
}

char *mt_starts_reason(const MtStarts *r) {
  return r->unended < MAX_STARTS ? NULL : mt_text("started %d times and killed each time", MAX_STARTS);
}
