/* The database of a related campaign as what this one begins with. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Its points in the order of their numbers, and which of them count. */
typedef struct {
  MtCampaign *c;
  const char *path;
  int line, n;
  MtTrial *trial; /* [n]; WAITING: not told, or with a category that this campaign does not have */
  bool *known;    /* [n] */
} Other;

static bool take_value(const MtVariable *v, const MtJsonValue *value, double *x) {
  char why[200];
  if (v->type == MT_VAR_CATEGORICAL) return value->kind == MT_JSON_STRING && mt_space_value(v, value->text, x, why);
  return mt_json_number(value, x);
}

static PetscErrorCode add_point(Other *o, const MtJsonValue *event) {
  const MtSpace *s = &o->c->space;
  const MtJsonValue *point = mt_json_member(event, "x");
  o->trial = mt_realloc(o->trial, sizeof *o->trial * (size_t)(o->n + 1));
  o->known = mt_realloc(o->known, sizeof *o->known * (size_t)(o->n + 1));
  o->trial[o->n] = (MtTrial){.x = mt_malloc(sizeof(double) * (size_t)s->nvars)};
  o->known[o->n] = true;
  for (int i = 0; i < s->nvars; i++) {
    const MtJsonValue *v = point ? mt_json_member(point, s->var[i].name) : NULL;
    if (!v) {
      o->n++;
      return mt_error(MT_ERR_INPUT, "%s:%d: the points of that campaign have no %s", o->path, o->line, s->var[i].name);
    }
    o->known[o->n] = o->known[o->n] && take_value(&s->var[i], v, &o->trial[o->n].x[i]);
  }
  o->n++;
  return 0;
}

static PetscErrorCode add_result(Other *o, const MtJsonValue *event) {
  const MtJsonValue *status = mt_json_member(event, "status"), *y = mt_json_member(event, "y");
  double id;
  if (!mt_json_number(mt_json_member(event, "id"), &id) || !(id >= 1 && id <= o->n))
    return mt_error(MT_ERR_INPUT, "%s:%d: a result of a point that was not suggested", o->path, o->line);
  MtTrial *t = &o->trial[(int)id - 1];
  if (!status || !status->text || strcmp(status->text, "done") || !o->known[(int)id - 1]) return 0;
  for (int g = 0; g < o->c->proposer.ngoals; g++)
    if (!y || !mt_json_number(mt_json_member(y, o->c->goal[g].name), &t->y[g]))
      return mt_error(MT_ERR_INPUT, "%s:%d: the results of that campaign have no %s", o->path, o->line,
                      o->c->goal[g].name);
  t->status = MT_TRIAL_DONE;
  return 0;
}

static PetscErrorCode apply_line(Other *o, const char *text) {
  char why[200];
  MtJsonValue *v = mt_json_read(text, why);
  if (!v) return mt_error(MT_ERR_INPUT, "%s:%d: not a line of JSON: %s", o->path, o->line, why);
  const MtJsonValue *event = mt_json_member(v, "event");
  PetscErrorCode rc = 0;
  if (event && event->text && !strcmp(event->text, "suggested")) rc = add_point(o, v);
  if (event && event->text && !strcmp(event->text, "told")) rc = add_result(o, v);
  mt_json_value_free(&v);
  return rc;
}

/* The whole file on every rank. */
static PetscErrorCode read_shared(MPI_Comm comm, const char *path, char **text) {
  int rank, size = 0;
  size_t room = 0;
  PetscErrorCode rc = 0;
  *text = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    errno = 0;
    FILE *f = fopen(path, "r");
    ssize_t n = f ? getdelim(text, &room, 0, f) : -1;
    if (n < 0 || n > 1000000000)
      rc = mt_error(MT_ERR_INPUT, "cannot read %s: %s", path,
                    f && !errno ? "it is empty or too large" : strerror(errno));
    if (f) fclose(f);
    size = (int)n;
  }
  rc = mt_agree_root(comm, rc);
  if (!rc) PetscCallMPI(MPI_Bcast(&size, 1, MPI_INT, 0, comm));
  if (!rc && rank) *text = mt_calloc((size_t)size + 1, 1);
  if (!rc) PetscCallMPI(MPI_Bcast(*text, size, MPI_CHAR, 0, comm));
  return rc;
}

PetscErrorCode mt_campaign_transfer(MPI_Comm comm, MtCampaign *c, const char *path) {
  Other o = {.c = c, .path = path};
  char *text;
  int done = 0;
  PetscErrorCode rc = read_shared(comm, path, &text);
  for (char *line = text, *end; !rc && (end = strchr(line, '\n')); line = end + 1) { /* a torn last line is none */
    *end = 0;
    o.line++;
    rc = apply_line(&o, line);
  }
  free(text);
  free(o.known);
  for (int i = 0; i < o.n; i++) done += o.trial[i].status == MT_TRIAL_DONE;
  c->prior = o.trial; /* freed with the campaign, after an error too */
  c->proposer.prior = o.trial;
  c->proposer.nprior = o.n;
  if (!rc && done < 2)
    rc =
        mt_error(MT_ERR_INPUT, "%s: %d evaluations are done that this campaign can use; a model needs two", path, done);
  return rc;
}
