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

static void put_point(FILE *f, const MtSweep *s, int i) {
  const MtPoint *p = &s->point[i];
  char buf[32];
  fprintf(f, "%d,%s", i + 1, mt_point_names[p->state]);
  for (int k = 0; k < s->space.nvars; k++) {
    putc(',', f);
    put_cell(f, mt_space_text(&s->space.var[k], p->x[k], buf));
  }
  fprintf(f, ",%s", p->seed < 0 ? "" : mt_real_text((double)p->seed, buf));
  for (int k = 0; k < s->nnumbers; k++)
    fprintf(f, ",%s", p->state == MT_POINT_DONE && isfinite(p->y[k]) ? mt_real_text(p->y[k], buf) : "");
  fprintf(f, ",points/%04d,", i + 1);
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
  fputs(",folder,reason\n", f);
  for (int i = 0; i < s->npoints; i++) put_point(f, s, i);
  fclose(f);
  char *path = mt_text("%s/results.csv", s->folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(path);
  free(text);
  return rc;
}

static PetscErrorCode put_column(MtH5 *f, const char *group, const char *name, int n, const double *value) {
  char *path = mt_text("%s/%s", group, name);
  PetscErrorCode rc = mt_h5_write(f, path, H5T_NATIVE_DOUBLE, n, 1, 0, n, value, NULL);
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

static PetscErrorCode put_columns(const MtSweep *s, MtH5 *f) {
  PetscErrorCode rc = 0;
  double *column = mt_malloc(sizeof *column * (size_t)s->npoints);
  for (int k = 0; k < s->space.nvars && !rc; k++) {
    for (int i = 0; i < s->npoints; i++) column[i] = s->point[i].x[k];
    rc = s->space.var[k].type == MT_VAR_CATEGORICAL ? put_texts(s, f, k)
                                                    : put_column(f, "/axes", s->space.var[k].name, s->npoints, column);
  }
  for (int k = 0; k < s->nnumbers && !rc; k++) {
    for (int i = 0; i < s->npoints; i++) column[i] = s->point[i].state == MT_POINT_DONE ? s->point[i].y[k] : NAN;
    rc = put_column(f, "/numbers", s->number[k].name, s->npoints, column);
  }
  for (int i = 0; i < s->npoints; i++) column[i] = (double)s->point[i].seed;
  if (!rc) rc = put_column(f, "", "seed", s->npoints, column);
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

static PetscErrorCode write_h5(const MtSweep *s) {
  char *path = mt_text("%s/results.h5", s->folder);
  MtH5 *f;
  PetscErrorCode rc = mt_h5_create(PETSC_COMM_SELF, path, "magtwin-sweep", 1, &f);
  free(path);
  if (rc) return rc;
  rc = put_columns(s, f);
  if (!rc) rc = put_states(s, f);
  if (rc) {
    mt_h5_discard(&f);
    return rc;
  }
  return mt_h5_commit(&f, false);
}

PetscErrorCode mt_sweep_table(const MtSweep *s) {
  PetscErrorCode rc = write_csv(s);
  return rc ? rc : write_h5(s);
}
