/* The table of a sweep, failures included: results.csv and results.h5. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/json.h"
#include "magtwin/memory.h"
#include "sweep_impl.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_cell(FILE *f, const char *text) {
  bool quote = strpbrk(text, ",\"\n") != NULL;
  if (quote) putc('"', f);
  for (; *text; text++) {
    if (*text == '"') putc('"', f);
    putc(*text == '\n' ? ' ' : *text, f);
  }
  if (quote) putc('"', f);
}

static void put_record(FILE *f, const MtStarts *r) {
  char buf[32];
  fprintf(f, "%d,%s,", r->starts, mt_starts_time(r->began, buf));
  fprintf(f, "%s,", mt_starts_time(r->ended, buf));
  if (isfinite(r->ended - r->began)) fprintf(f, "%.3f", r->ended - r->began);
  putc(',', f);
  if (r->ranks) fprintf(f, "%d", r->ranks);
  putc(',', f);
  put_cell(f, r->version);
  putc(',', f);
  put_cell(f, r->host);
  putc(',', f);
  put_cell(f, r->job);
  putc(',', f);
}

static void put_number(FILE *f, double x) {
  char buf[32];
  fprintf(f, ",%s", isfinite(x) ? mt_real_text(x, buf) : "");
}

static void put_point(FILE *f, const MtSweep *s, int i) {
  const MtPoint *p = &s->point[i];
  char buf[32];
  fprintf(f, "%d,%s", i + 1, mt_point_names[p->state]);
  for (int k = 0; k < s->space.nvars; k++) {
    putc(',', f);
    put_cell(f, mt_space_text(&s->space.var[k], p->x[k], buf));
  }
  fprintf(f, ",%s", p->seed < 0 ? "" : mt_real_text((double)p->seed, buf));
  for (int k = 0; k < s->nnumbers; k++) put_number(f, p->state == MT_POINT_DONE ? p->y[k] : NAN);
  for (int k = 0; s->compared >= 0 && k < s->nnumbers; k++) {
    double percent;
    put_number(f, mt_sweep_change(s, i, k, &percent));
    put_number(f, percent);
  }
  fprintf(f, ",points/%04d,", i + 1);
  put_record(f, &p->record);
  put_cell(f, p->reason ? p->reason : "");
  putc('\n', f);
}

static PetscErrorCode write_csv(const MtSweep *s) {
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) return mt_error(MT_ERR_FAIL, "no memory for the table of %d points", s->npoints);
  fputs("id,status", f);
  for (int k = 0; k < s->space.nvars; k++) fprintf(f, ",%s", s->space.var[k].name);
  fputs(",seed", f);
  for (int k = 0; k < s->nnumbers; k++) fprintf(f, ",%s", s->number[k].name);
  for (int k = 0; s->compared >= 0 && k < s->nnumbers; k++)
    fprintf(f, ",%s_change,%s_percent", s->number[k].name, s->number[k].name);
  fputs(",folder,starts,began,ended,wall_s,ranks,version,host,job,reason\n", f);
  for (int i = 0; i < s->npoints; i++) put_point(f, s, i);
  fclose(f);
  char *path = mt_text("%s/results.csv", s->folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(path);
  free(text);
  return rc;
}

static PetscErrorCode put_column(MtH5 *f, const char *group, const char *name, int n, const double *value,
                                 const char *unit) {
  char *path = mt_text("%s/%s", group, name);
  PetscErrorCode rc = mt_h5_write(f, path, H5T_NATIVE_DOUBLE, n, 1, 0, n, value, unit && unit[0] ? unit : NULL);
  free(path);
  return rc;
}

/* An axis of listed values: as texts. */
static PetscErrorCode put_texts(const MtSweep *s, MtH5 *f, int axis) {
  const MtVariable *v = &s->space.var[axis];
  const char **text = mt_malloc(sizeof *text * (size_t)s->npoints);
  char *path = mt_text("/axes/%s", v->name);
  for (int i = 0; i < s->npoints; i++) text[i] = v->value[(int)s->point[i].x[axis]];
  PetscErrorCode rc = mt_h5_write_strings(f, path, s->npoints, text);
  free(path);
  free(text);
  return rc;
}

static PetscErrorCode put_changes(const MtSweep *s, MtH5 *f, int k) {
  double *change = mt_malloc(sizeof *change * 2 * (size_t)s->npoints), *percent = change + s->npoints;
  for (int i = 0; i < s->npoints; i++) change[i] = mt_sweep_change(s, i, k, &percent[i]);
  PetscErrorCode rc = put_column(f, "/changes", s->number[k].name, s->npoints, change, NULL);
  if (!rc) rc = put_column(f, "/percent", s->number[k].name, s->npoints, percent, NULL);
  free(change);
  return rc;
}

static PetscErrorCode put_columns(const MtSweep *s, MtH5 *f) {
  PetscErrorCode rc = 0;
  double *column = mt_malloc(sizeof *column * (size_t)s->npoints);
  for (int k = 0; k < s->space.nvars && !rc; k++) {
    for (int i = 0; i < s->npoints; i++) column[i] = s->point[i].x[k];
    rc = s->space.var[k].type == MT_VAR_CATEGORICAL
             ? put_texts(s, f, k)
             : put_column(f, "/axes", s->space.var[k].name, s->npoints, column, s->unit[k]);
  }
  for (int k = 0; k < s->nnumbers && !rc; k++) {
    for (int i = 0; i < s->npoints; i++) column[i] = s->point[i].state == MT_POINT_DONE ? s->point[i].y[k] : NAN;
    rc = put_column(f, "/numbers", s->number[k].name, s->npoints, column, NULL);
  }
  for (int k = 0; s->compared >= 0 && k < s->nnumbers && !rc; k++) rc = put_changes(s, f, k);
  for (int i = 0; i < s->npoints; i++) column[i] = (double)s->point[i].seed;
  if (!rc) rc = put_column(f, "", "seed", s->npoints, column, NULL);
  free(column);
  return rc;
}

static PetscErrorCode put_states(const MtSweep *s, MtH5 *f) {
  const char **text = mt_malloc(sizeof *text * (size_t)s->npoints);
  for (int i = 0; i < s->npoints; i++) text[i] = mt_point_names[s->point[i].state];
  PetscErrorCode rc = mt_h5_write_strings(f, "/status", s->npoints, text);
  for (int i = 0; i < s->npoints; i++) text[i] = s->point[i].reason ? s->point[i].reason : "";
  if (!rc) rc = mt_h5_write_strings(f, "/reason", s->npoints, text);
  free(text);
  return rc;
}

typedef struct {
  const char *name, *unit;
  double (*of)(const MtStarts *r);
} RecordNumber;

static double starts_of(const MtStarts *r) {
  return r->starts;
}

static double ranks_of(const MtStarts *r) {
  return r->ranks;
}

static double wall_of(const MtStarts *r) {
  return r->ended - r->began;
}

typedef const char *(*RecordText)(const MtStarts *r, char buf[32]);

static const char *began_of(const MtStarts *r, char buf[32]) {
  return mt_starts_time(r->began, buf);
}

static const char *ended_of(const MtStarts *r, char buf[32]) {
  return mt_starts_time(r->ended, buf);
}

static const char *version_of(const MtStarts *r, char buf[32]) {
  (void)buf;
  return r->version;
}

static const char *host_of(const MtStarts *r, char buf[32]) {
  (void)buf;
  return r->host;
}

static const char *job_of(const MtStarts *r, char buf[32]) {
  (void)buf;
  return r->job;
}

static PetscErrorCode put_record_texts(const MtSweep *s, MtH5 *f, const char *name, RecordText of) {
  char(*text)[64] = mt_calloc((size_t)s->npoints, sizeof *text), buf[32];
  const char **list = mt_malloc(sizeof *list * (size_t)s->npoints);
  for (int i = 0; i < s->npoints; i++) {
    snprintf(text[i], sizeof text[i], "%s", of(&s->point[i].record, buf));
    list[i] = text[i];
  }
  PetscErrorCode rc = mt_h5_write_strings(f, name, s->npoints, list);
  free(list);
  free(text);
  return rc;
}

static PetscErrorCode put_records(const MtSweep *s, MtH5 *f) {
  static const RecordNumber number[] = {{"starts", NULL, starts_of}, {"ranks", NULL, ranks_of}, {"wall", "s", wall_of}};
  static const struct {
    const char *name;
    RecordText of;
  } text[] = {{"/provenance/began", began_of},
              {"/provenance/ended", ended_of},
              {"/provenance/version", version_of},
              {"/provenance/host", host_of},
              {"/provenance/job", job_of}};
  double *column = mt_malloc(sizeof *column * (size_t)s->npoints);
  PetscErrorCode rc = 0;
  for (size_t k = 0; k < sizeof number / sizeof *number && !rc; k++) {
    for (int i = 0; i < s->npoints; i++) column[i] = number[k].of(&s->point[i].record);
    rc = put_column(f, "/provenance", number[k].name, s->npoints, column, number[k].unit);
  }
  for (size_t k = 0; k < sizeof text / sizeof *text && !rc; k++) rc = put_record_texts(s, f, text[k].name, text[k].of);
  free(column);
  return rc;
}

static PetscErrorCode write_h5(const MtSweep *s) {
  char *path = mt_text("%s/results.h5", s->folder);
  MtH5 *f;
  PetscErrorCode rc = mt_h5_create(PETSC_COMM_SELF, path, "magtwin-sweep", 1, &f);
  free(path);
  if (rc) return rc;
  rc = put_columns(s, f);
  if (!rc) rc = put_states(s, f);
  if (!rc) rc = put_records(s, f);
  if (rc) {
    mt_h5_discard(&f);
    return rc;
  }
  return mt_h5_commit(&f, false);
}

/* Under a lock: `status` may be asked for by several, beside the sweep itself. */
PetscErrorCode mt_sweep_table(const MtSweep *s) {
  char *path = mt_text("%s/table.lock", s->folder), owner[200];
  bool locked;
  MtLock lock;
  PetscErrorCode rc = mt_lock_take(path, true, &lock, &locked, owner);
  if (!rc) rc = write_csv(s);
  if (!rc) rc = write_h5(s);
  mt_lock_free(&lock);
  free(path);
  return rc;
}
