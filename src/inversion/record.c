/* invert.csv, and checkpoint.h5, format "magtwin-invert-checkpoint" 1: /run/mark, /run/rows, /run/members (of an
 * ensemble); attribute "input" (canonical text of the sections that decide the result).  A continued search goes on at
 * its last iterate, on the same steps; an ensemble at its last assimilation. */
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "magtwin-invert-checkpoint"
static const char SECTIONS[] = "box mesh phasefield diffusion kks wetting temperature elasticity invert";

char *mt_invert_path(const MtInvert *v, const char *name) {
  const size_t n = strlen(v->folder) + strlen(name) + 2;
  char *path = mt_malloc(n);
  snprintf(path, n, "%s/%s", v->folder, name);
  return path;
}

PetscErrorCode mt_invert_counts(const MtInvert *v, double count[5]) {
  const MtTwin *w = &v->twin;
  double now[5] = {w->runs + w->recorded, w->adjoints, w->tangents, w->newton,
                   w->linear ? mt_flow_linear_iterations(w->linear) : 0};
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, now, 5, MPI_DOUBLE, MPI_SUM, v->cross));
  for (int i = 0; i < 5; i++) count[i] = v->mark.before[i] + now[i];
  return 0;
}

static void print_header(const MtInvert *v, FILE *f) {
  fprintf(f,
          "iteration,%s,misfit,misfit_per_value,distance,runs,adjoints,sensitivities,newton_iterations,"
          "linear_iterations",
          v->opt.method == MT_INVERT_ENSEMBLE ? "share" : "round");
  for (int i = 0; i < v->twin.n; i++) {
    const char *name = strchr(v->twin.unknown[i].name, '.') + 1;
    fprintf(f, ",%s,%s_deviation", name, name);
  }
  fputc('\n', f);
}

static void print_row(const MtInvert *v, FILE *f, const double *value) {
  for (int c = 0; c < v->columns; c++) fprintf(f, "%s%.17g", c ? "," : "", value[c]);
  fputc('\n', f);
}

static PetscErrorCode csv_begin(MtInvert *v) {
  char *path = mt_invert_path(v, "invert.csv"), *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  print_header(v, f);
  for (int i = 0; i < v->nrows; i++) print_row(v, f, v->row + (size_t)i * (size_t)v->columns);
  fclose(f);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  if (!rc && !(v->csv = fopen(path, "a"))) rc = mt_error(MT_ERR_INPUT, "cannot write to %s", path);
  free(path);
  return rc;
}

PetscErrorCode mt_invert_csv_open(MtInvert *v) {
  v->columns = MT_INVERT_ROW + 2 * v->twin.n;
  return mt_agree_root(v->comm, v->rank ? 0 : csv_begin(v));
}

PetscErrorCode mt_invert_add_row(MtInvert *v, const MtInvertRow *row, const double *theta, const double *deviation) {
  v->row = mt_realloc(v->row, (size_t)(v->nrows + 1) * (size_t)v->columns * sizeof *v->row);
  double *value = v->row + (size_t)v->nrows++ * (size_t)v->columns;
  memcpy(value, row, sizeof *row);
  for (int i = 0; i < v->twin.n; i++) {
    const MtUnknown *u = &v->twin.unknown[i];
    value[MT_INVERT_ROW + 2 * i] = mt_unknown_value(u, theta[i]);
    value[MT_INVERT_ROW + 2 * i + 1] = deviation ? deviation[i] * mt_unknown_slope(u, theta[i]) : NAN;
  }
  PetscErrorCode rc = 0;
  if (v->rank == 0) {
    print_row(v, v->csv, value);
    if (fflush(v->csv) != 0)
      rc = mt_error(MT_ERR_INPUT, "cannot write to %s/invert.csv: the disk or a quota may be full", v->folder);
  }
  return mt_agree_root(v->comm, rc);
}

static PetscErrorCode write_table(const MtInvert *v, MtH5 *f, const char *name, int n, int width, const void *data) {
  return mt_h5_write(f, name, H5T_NATIVE_DOUBLE, n, width, 0, v->rank ? 0 : n, data, NULL);
}

static PetscErrorCode write_all(MtInvert *v, MtH5 *f) {
  char *text = mt_input_section(v->in, SECTIONS);
  MtInvertMark mark = v->mark;
  PetscCall(mt_invert_counts(v, mark.before));
  PetscErrorCode rc = mt_h5_set_string(f, "/", "input", text);
  free(text);
  if (!rc) rc = write_table(v, f, "/run/mark", 1, MT_INVERT_MARK, &mark);
  if (!rc) rc = write_table(v, f, "/run/rows", v->nrows, v->columns, v->row);
  if (!rc && v->member) rc = write_table(v, f, "/run/members", v->opt.members, v->twin.n, v->member);
  return rc;
}

PetscErrorCode mt_invert_save(MtInvert *v) {
  MtH5 *f;
  char *path = mt_invert_path(v, "checkpoint.h5");
  PetscErrorCode rc = mt_h5_create(v->comm, path, FORMAT, 1, &f);
  free(path);
  if (rc) return rc;
  rc = write_all(v, f);
  if (!rc) return mt_h5_commit(&f, true);
  mt_h5_discard(&f);
  return rc;
}

static PetscErrorCode check_input(const MtInvert *v, MtH5 *f, const char *path, bool *foreign) {
  char *then = NULL, *now = mt_input_section(v->in, SECTIONS);
  PetscErrorCode rc = mt_h5_get_string(f, "/", "input", &then);
  *foreign = !rc && strcmp(then, now) != 0;
  free(then);
  free(now);
  if (!*foreign) return rc;
  return mt_error(MT_ERR_INPUT,
                  "%s belongs to another input: the sections box, mesh, phasefield, diffusion, kks, wetting, "
                  "temperature, elasticity and invert "
                  "must be as they were; "
                  "restore them, or start anew with --force instead of --resume",
                  path);
}

static PetscErrorCode read_table(MtH5 *f, const char *path, const char *name, int rows, int width, void *table) {
  int64_t n;
  void *data;
  PetscErrorCode rc = mt_h5_read_all(f, name, H5T_NATIVE_DOUBLE, width, &n, &data);
  if (rc) return rc;
  if (n == rows) memcpy(table, data, (size_t)rows * (size_t)width * sizeof(double));
  free(data);
  return n == rows ? 0 : mt_error(MT_ERR_INPUT, "%s is damaged: %s has %lld rows", path, name, (long long)n);
}

static PetscErrorCode read_rows(MtInvert *v, MtH5 *f) {
  int64_t n;
  void *data;
  v->columns = MT_INVERT_ROW + 2 * v->twin.n;
  PetscErrorCode rc = mt_h5_read_all(f, "/run/rows", H5T_NATIVE_DOUBLE, v->columns, &n, &data);
  if (rc) return rc;
  free(v->row);
  v->row = data;
  v->nrows = (int)n;
  return 0;
}

static PetscErrorCode read_all(void *ctx, const char *path, bool *foreign) {
  MtInvert *v = ctx;
  MtH5 *f;
  PetscErrorCode rc = mt_h5_open(v->comm, path, FORMAT, 1, &f);
  if (rc) return rc;
  rc = check_input(v, f, path, foreign);
  if (!rc) rc = read_table(f, path, "/run/mark", 1, MT_INVERT_MARK, &v->mark);
  if (!rc) rc = read_rows(v, f);
  if (!rc && v->member) rc = read_table(f, path, "/run/members", v->opt.members, v->twin.n, v->member);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

PetscErrorCode mt_invert_load(MtInvert *v, bool *found) {
  char *path = mt_invert_path(v, "checkpoint.h5");
  PetscErrorCode rc = mt_h5_read_newest(v->comm, path, read_all, v, found);
  free(path);
  return rc;
}
