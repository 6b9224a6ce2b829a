/* Appending to the database: under its lock, a line whole and synced or not at all. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static PetscErrorCode failed(const char *path, int err) {
  return mt_error(mt_errno_code(err), "cannot write %s: %s; what it holds is whole", path, strerror(err));
}

/* All of text or nothing: what a full disk took is cut off again. */
static PetscErrorCode append(const char *path, long size, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT, 0666), err = 0;
  size_t left = strlen(text);
  if (fd < 0) return failed(path, errno);
  if (lseek(fd, size, SEEK_SET) < 0 || ftruncate(fd, size)) err = errno; /* a torn last line goes */
  while (left && !err) {
    ssize_t n = write(fd, text, left);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) err = n < 0 ? errno : ENOSPC;
    if (n > 0) {
      text += n;
      left -= (size_t)n;
    }
  }
  if (!err && fsync(fd) && errno != EINVAL) err = errno;
  if (err && ftruncate(fd, size)) err = err ? err : errno;
  close(fd);
  return err ? failed(path, err) : 0;
}

static MtJson *event(const char *name) {
  MtJson *j = mt_json_new_line();
  mt_json_string(j, "event", name);
  return j;
}

/* Ends the line with the time and appends it on rank 0, then reads it back everywhere. */
static PetscErrorCode commit(MPI_Comm comm, MtCampaign *c, MtJson *j) {
  char when[32] = "";
  time_t now = time(NULL);
  struct tm utc;
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (gmtime_r(&now, &utc)) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
  mt_json_string(j, "time", when);
  if (rank == 0) rc = append(c->db.path, c->db.size, mt_json_text(j));
  mt_json_free(&j);
  rc = mt_agree_root(comm, rc);
  return rc ? rc : mt_database_refresh(comm, c);
}

static PetscErrorCode begin(MPI_Comm comm, MtCampaign *c) {
  char *space = mt_database_space(c);
  MtJson *j = event("campaign");
  mt_json_int(j, "format", 1);
  mt_json_string(j, "space", space);
  mt_json_int(j, "seed", (int64_t)c->proposer.seed);
  mt_json_string(j, "version", mt_version());
  free(space);
  return commit(comm, c, j);
}

PetscErrorCode mt_database_open(MPI_Comm comm, MtCampaign *c, MtWriter *w) {
  int rank;
  bool locked = true;
  char owner[200] = "";
  PetscErrorCode rc = 0;
  w->lock.fd = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) rc = mt_lock_take(c->db.lock_path, true, &w->lock, &locked, owner);
  rc = mt_agree_root(comm, rc);
  if (!rc) rc = mt_database_refresh(comm, c);
  if (!rc && !c->db.begun) rc = begin(comm, c);
  if (rc) mt_database_close(w);
  return rc;
}

void mt_database_close(MtWriter *w) {
  mt_lock_free(&w->lock);
}

static void add_point(MtJson *j, const MtSpace *s, const double *x) {
  mt_json_object(j, "x");
  for (int i = 0; i < s->nvars; i++)
    if (s->var[i].type == MT_VAR_CATEGORICAL)
      mt_json_string(j, s->var[i].name, s->var[i].value[(int)x[i]]);
    else
      mt_json_real(j, s->var[i].name, x[i]);
  mt_json_end(j);
}

static void add_expected(MtJson *j, const MtCampaign *c, const MtProposal *how) {
  if (!isfinite(how->mean[0])) return;
  mt_json_object(j, "expected");
  for (int g = 0; g < c->proposer.ngoals; g++)
    mt_json_reals(j, c->goal[g].name, 2, (double[]){how->mean[g], how->sd[g]});
  if (how->feasible < 1) mt_json_real(j, "success", how->feasible);
  mt_json_end(j);
}

PetscErrorCode mt_database_suggested(MPI_Comm comm, MtCampaign *c, const char *by, const double *x,
                                     const MtProposal *how) {
  MtJson *j = event("suggested");
  mt_json_int(j, "id", c->db.n + 1);
  mt_json_string(j, "by", by);
  if (how) mt_json_string(j, "how", how->how);
  add_point(j, &c->space, x);
  if (how) add_expected(j, c, how);
  return commit(comm, c, j);
}

PetscErrorCode mt_database_started(MPI_Comm comm, MtCampaign *c, int trial, long job) {
  char host[100] = "", number[32];
  MtJson *j = event("started");
  gethostname(host, sizeof host - 1);
  snprintf(number, sizeof number, "%ld", job);
  mt_json_int(j, "id", trial + 1);
  mt_json_string(j, job ? "job" : "host", job ? number : host);
  return commit(comm, c, j);
}

PetscErrorCode mt_database_told(MPI_Comm comm, MtCampaign *c, const char *by, int trial, const double *y, double cost,
                                const char *reason) {
  MtJson *j = event("told");
  mt_json_int(j, "id", trial + 1);
  mt_json_string(j, "by", by);
  mt_json_string(j, "status", y ? "done" : "failed");
  if (y) mt_json_object(j, "y");
  for (int g = 0; y && g < c->proposer.ngoals; g++) mt_json_real(j, c->goal[g].name, y[g]);
  if (y) mt_json_end(j);
  if (cost > 0) mt_json_real(j, "cost", cost);
  if (!y) mt_json_string(j, "reason", reason ? reason : "no reason given");
  return commit(comm, c, j);
}
