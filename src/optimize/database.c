/* Reading the database: what was appended is checked line by line and applied, the same on every rank. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where a line is wrong. */
typedef struct {
  MtCampaign *c;
  const MtJsonValue *event;
  int line;
} Line;

#define REFUSE(l, ...) refuse((l), mt_text(__VA_ARGS__))

static PetscErrorCode refuse(const Line *l, char *what) {
  PetscErrorCode rc = mt_error(MT_ERR_INPUT,
                               "%s:%d: %s; nothing was changed. Correct the line, or remove it and all that "
                               "speaks of the same id",
                               l->c->db.path, l->line, what);
  free(what);
  return rc;
}

char *mt_database_space(const MtCampaign *c) {
  char a[32], b[32], *text = mt_text("%s", "");
  for (int i = 0; i < c->space.nvars; i++) {
    const MtVariable *v = &c->space.var[i];
    char *more =
        v->type == MT_VAR_CATEGORICAL
            ? mt_text("%s%s%s categorical", text, i ? "; " : "", v->name)
            : mt_text("%s%s%s %s%s %s..%s", text, i ? "; " : "", v->name, v->type == MT_VAR_REAL ? "real" : "integer",
                      v->log ? " log" : "", mt_real_text(v->min, a), mt_real_text(v->max, b));
    free(text);
    text = more;
    for (int k = 0; k < v->nvalues; k++) {
      more = mt_text("%s%s%s", text, k ? "|" : " ", v->value[k]);
      free(text);
      text = more;
    }
  }
  for (int g = 0; g < c->proposer.ngoals; g++) {
    const MtProposer *p = &c->proposer;
    char *more = p->has_target[g]
                     ? mt_text("%s; target %s at %s", text, c->goal[g].name, mt_real_text(p->target[g], a))
                     : mt_text("%s; %s %s", text, p->sign[g] > 0 ? "minimize" : "maximize", c->goal[g].name);
    free(text);
    text = more;
  }
  return text;
}

static const char *string_of(const Line *l, const char *key) {
  const MtJsonValue *v = mt_json_member(l->event, key);
  return v && v->kind == MT_JSON_STRING ? v->text : NULL;
}

/* The first line must speak of the same variables and goals. */
static PetscErrorCode apply_campaign(Line *l) {
  double format;
  const char *space = string_of(l, "space");
  if (l->c->db.begun) return REFUSE(l, "a second event campaign");
  if (!space || !mt_json_number(mt_json_member(l->event, "format"), &format))
    return REFUSE(l, "an event campaign has a format and a space");
  if (format != 1) return REFUSE(l, "format %g is of a newer version", format);
  char *ours = mt_database_space(l->c);
  PetscErrorCode rc = 0;
  if (strcmp(ours, space))
    rc = mt_error(MT_ERR_INPUT,
                  "%s:%d: belongs to another campaign, \"%s\"; this input says \"%s\". Choose another output.folder",
                  l->c->db.path, l->line, space, ours);
  free(ours);
  l->c->db.begun = !rc;
  return rc;
}

/* The trial that an event speaks of. */
static PetscErrorCode get_trial(const Line *l, int *trial) {
  double id;
  if (!mt_json_number(mt_json_member(l->event, "id"), &id) || id != floor(id) || id < 1)
    return REFUSE(l, "there is no id, a whole number from 1");
  if (id > l->c->db.n) return REFUSE(l, "id %g has not been suggested before", id);
  *trial = (int)id - 1;
  return 0;
}

static PetscErrorCode get_point(const Line *l, double *x) {
  const MtSpace *s = &l->c->space;
  const MtJsonValue *point = mt_json_member(l->event, "x");
  char why[200], number[32];
  if (!point || point->kind != MT_JSON_OBJECT) return REFUSE(l, "there is no x, a map of the variables");
  for (int k = 0; k < point->n; k++)
    if (mt_space_find(s, point->key[k]) < 0) return REFUSE(l, "there is no variable %s", point->key[k]);
  for (int i = 0; i < s->nvars; i++) {
    const MtJsonValue *v = mt_json_member(point, s->var[i].name);
    bool text = s->var[i].type == MT_VAR_CATEGORICAL;
    if (!v) return REFUSE(l, "x lacks %s", s->var[i].name);
    if (v->kind != (text ? MT_JSON_STRING : MT_JSON_NUMBER))
      return REFUSE(l, "%s must be a %s", s->var[i].name, text ? "text" : "number");
    if (!mt_space_value(&s->var[i], text ? v->text : mt_real_text(v->number, number), &x[i], why))
      return REFUSE(l, "%s", why);
  }
  return 0;
}

static PetscErrorCode apply_suggested(Line *l) {
  MtDatabase *db = &l->c->db;
  double id;
  const char *by = string_of(l, "by");
  if (!mt_json_number(mt_json_member(l->event, "id"), &id) || id != db->n + 1)
    return REFUSE(l, "the next suggestion has id %d", db->n + 1);
  if (!by) return REFUSE(l, "\"by\" does not say who suggested it");
  double *x = mt_malloc(sizeof *x * (size_t)l->c->space.nvars);
  PetscErrorCode rc = get_point(l, x);
  if (rc) {
    free(x);
    return rc;
  }
  db->trial = mt_realloc(db->trial, sizeof *db->trial * (size_t)(db->n + 1));
  db->record = mt_realloc(db->record, sizeof *db->record * (size_t)(db->n + 1));
  db->trial[db->n] = (MtTrial){.x = x};
  db->record[db->n++] = (MtRecord){.by = mt_text("%s", by)};
  return 0;
}

static PetscErrorCode apply_started(Line *l) {
  int i = 0;
  PetscErrorCode rc = get_trial(l, &i);
  if (rc) return rc;
  MtRecord *r = &l->c->db.record[i];
  const char *job = string_of(l, "job");
  r->starts++;
  snprintf(r->job, sizeof r->job, "%s", job ? job : "");
  return 0;
}

static PetscErrorCode get_values(const Line *l, double *y) {
  const MtJsonValue *values = mt_json_member(l->event, "y");
  const MtCampaign *c = l->c;
  if (!values || values->kind != MT_JSON_OBJECT) return REFUSE(l, "there is no y, a map of the goals");
  for (int g = 0; g < c->proposer.ngoals; g++)
    if (!mt_json_number(mt_json_member(values, c->goal[g].name), &y[g]))
      return REFUSE(l, "y has no number %s", c->goal[g].name);
  return values->n == c->proposer.ngoals ? 0 : REFUSE(l, "y has more than the goals of this campaign");
}

static PetscErrorCode apply_told(Line *l) {
  MtDatabase *db = &l->c->db;
  const char *status = string_of(l, "status"), *reason = string_of(l, "reason");
  const MtJsonValue *cost = mt_json_member(l->event, "cost");
  double y[MT_GOALS_MAX] = {0}, spent = 0;
  int i = 0;
  PetscErrorCode rc = get_trial(l, &i);
  if (rc) return rc;
  if (db->record[i].line) return REFUSE(l, "id %d was told in line %d already", i + 1, db->record[i].line);
  bool done = status && !strcmp(status, "done");
  if (!done && !(status && !strcmp(status, "failed"))) return REFUSE(l, "the status is neither done nor failed");
  if (done) rc = get_values(l, y);
  if (!rc && cost && (!mt_json_number(cost, &spent) || spent < 0)) rc = REFUSE(l, "the cost is no number >= 0");
  if (rc) return rc;
  db->trial[i].status = done ? MT_TRIAL_DONE : MT_TRIAL_FAILED;
  memcpy(db->trial[i].y, y, sizeof y);
  db->trial[i].cost = spent;
  db->record[i].line = l->line;
  if (reason && !done) db->record[i].reason = mt_text("%s", reason);
  return 0;
}

static PetscErrorCode apply_line(MtCampaign *c, const char *text) {
  static const struct {
    const char *name;
    PetscErrorCode (*apply)(Line *l);
  } events[] = {
      {"campaign", apply_campaign}, {"suggested", apply_suggested}, {"started", apply_started}, {"told", apply_told}};
  char why[200] = "";
  Line l = {c, NULL, c->db.lines + 1};
  MtJsonValue *v = mt_json_read(text, why);
  if (!v) return REFUSE(&l, "not a line of JSON: %s", why);
  l.event = v;
  const char *name = string_of(&l, "event");
  PetscErrorCode rc = 0;
  size_t k = 0, n = sizeof events / sizeof *events;
  while (k < n && !(name && !strcmp(name, events[k].name))) k++;
  if (k == n)
    rc = REFUSE(&l, "%s%s", name ? "unknown event " : "there is no event", name ? name : "");
  else if (k && !c->db.begun)
    rc = REFUSE(&l, "the first line must be the event campaign");
  else
    rc = events[k].apply(&l);
  mt_json_value_free(&v);
  c->db.lines += !rc;
  return rc;
}

/* Bytes behind `from` up to the last end of a line; NULL and *size 0 where there are none. */
static PetscErrorCode read_more(const char *path, long from, char **text, int *size) {
  struct stat st;
  *text = NULL;
  *size = 0;
  errno = 0;
  FILE *f = fopen(path, "rb");
  int err = errno;
  if (!f) return err == ENOENT && from == 0 ? 0 : mt_error(MT_ERR_INPUT, "cannot read %s: %s", path, strerror(err));
  PetscErrorCode rc = 0;
  if (fstat(fileno(f), &st) || st.st_size < from || st.st_size - from > 1000000000)
    rc = mt_error(MT_ERR_INPUT, "%s has become shorter while it was in use, or is too large", path);
  size_t n = rc ? 0 : (size_t)(st.st_size - from);
  char *buffer = mt_calloc(n + 1, 1);
  if (n && (fseek(f, from, SEEK_SET) || fread(buffer, 1, n, f) != n))
    rc = mt_error(MT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
  fclose(f);
  if (rc) n = 0;
  while (n && buffer[n - 1] != '\n') n--; /* a torn last line is none */
  buffer[n] = 0;
  *size = (int)n;
  *text = buffer;
  return rc;
}

static PetscErrorCode apply_text(MtCampaign *c, char *text, int size) {
  PetscErrorCode rc = 0;
  char *end = text + size;
  for (char *line = text; !rc && line < end;) {
    char *stop = memchr(line, '\n', (size_t)(end - line));
    *stop = 0;
    if (strlen(line) != (size_t)(stop - line))
      rc = mt_error(MT_ERR_INPUT, "%s:%d: holds bytes of value 0", c->db.path, c->db.lines + 1);
    else
      rc = apply_line(c, line);
    line = stop + 1;
  }
  return rc;
}

PetscErrorCode mt_database_refresh(MPI_Comm comm, MtCampaign *c) {
  int rank, size = 0;
  char *text = NULL;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) rc = read_more(c->db.path, c->db.size, &text, &size);
  rc = mt_agree_root(comm, rc);
  if (!rc) PetscCallMPI(MPI_Bcast(&size, 1, MPI_INT, 0, comm));
  if (!rc && rank) text = mt_malloc((size_t)size + 1);
  if (!rc && size) PetscCallMPI(MPI_Bcast(text, size, MPI_CHAR, 0, comm));
  if (!rc) {
    c->db.size += size;
    rc = mt_agree(comm, apply_text(c, text, size));
  }
  free(text);
  return rc;
}

void mt_database_free(MtDatabase *db) {
  for (int i = 0; i < db->n; i++) {
    free(db->trial[i].x);
    free(db->record[i].by);
    free(db->record[i].reason);
  }
  free(db->trial);
  free(db->record);
  free(db->path);
  free(db->lock_path);
  *db = (MtDatabase){0};
}
