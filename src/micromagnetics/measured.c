/* The measured curve of section measured: its keys, and reading it. */
#include "magtwin/measured.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/texttable.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const MtKey mt_measured_keys[] = {
    {.path = "measured.file",
     .type = MT_KEY_PATH,
     .help = "A measured demagnetization curve, a table with names in its first line: the run then tells how far its "
             "own curve is from it, results.distance. Of a loop the falling branch alone."},
    {.path = "measured.field",
     .type = MT_KEY_STRING,
     .def = "mu0_Hext_T",
     .help = "Name of the column with the field, positive along the saturating one."},
    {.path = "measured.field_unit",
     .type = MT_KEY_CHOICE,
     .def = "T",
     .choices = "T|mT|kA/m|A/m|kOe|Oe",
     .help = "Its unit."},
    {.path = "measured.polarization",
     .type = MT_KEY_STRING,
     .def = "J_T",
     .help = "Name of the column with the polarization, or with the magnetization in kA/m (emu/cm3)."},
    {.path = "measured.polarization_unit",
     .type = MT_KEY_CHOICE,
     .def = "T",
     .choices = "T|mT|kA/m|A/m",
     .help = "Its unit."},
    {.path = "measured.against",
     .type = MT_KEY_CHOICE,
     .def = "applied",
     .choices = "applied|internal",
     .help = "The field it was measured against: internal for a curve corrected for demagnetization, or of a closed "
             "circuit."},
    {.path = "measured.weight",
     .type = MT_KEY_REAL,
     .def = "1",
     .max = 1000,
     .exclusive_min = true,
     .help = "How much a difference in field counts beside one in polarization of the same number of T."},
    {.path = NULL},
};

static PetscErrorCode add_point(MtMeasured *m, const MtTextTable *t, const int *column, const double *factor) {
  double value[2];
  for (int k = 0; k < 2; k++) {
    const bool good = column[k] < t->n && mt_text_number(t->cell[column[k]], &value[k]) && isfinite(value[k]);
    if (!good)
      return mt_error(MT_ERR_INPUT, "%s:%lld: no number in column %d", t->path, (long long)t->line, column[k] + 1);
  }
  m->H = mt_realloc(m->H, sizeof *m->H * 2 * (size_t)(m->n + 1));
  m->H[2 * m->n] = factor[0] * value[0];
  m->H[2 * m->n++ + 1] = factor[1] * value[1];
  return 0;
}

static PetscErrorCode find_column(const MtInput *in, const MtTextTable *t, const char *key, int *column) {
  char message[512];
  if (!mt_text_need_column(t, mt_input_string(in, "%s", key), column)) return 0;
  snprintf(message, sizeof message, "%s", mt_error_message());
  mt_error_clear();
  return mt_error(MT_ERR_INPUT, "%s; name the columns in measured.field and measured.polarization", message);
}

static PetscErrorCode read_points(const MtInput *in, MtTextTable *t, MtMeasured *m) {
  const double factor[2] = {mt_unit_factor(MT_DIM_FIELD, mt_input_string(in, "measured.field_unit")),
                            mt_unit_factor(MT_DIM_FIELD, mt_input_string(in, "measured.polarization_unit"))};
  int column[2] = {-1, -1};
  PetscErrorCode rc = 0;
  if (mt_text_next(t)) {
    rc = find_column(in, t, "measured.field", &column[0]);
    if (!rc) rc = find_column(in, t, "measured.polarization", &column[1]);
  }
  while (!rc && mt_text_next(t)) rc = add_point(m, t, column, factor);
  return rc;
}

/* Falling, from pairs to two arrays; noise of the field up to a hundredth of its range is smoothed away. */
static PetscErrorCode order(const char *path, MtMeasured *m) {
  const int n = m->n;
  if (n < 3) return mt_error(MT_ERR_INPUT, "%s holds %d points, too few for a curve", path, n);
  double *pair = m->H, low = pair[0], high = pair[0];
  const bool rising = pair[2 * (n - 1)] > pair[0];
  m->H = mt_malloc(sizeof *m->H * 2 * (size_t)n);
  m->J = m->H + n;
  for (int i = 0; i < n; i++) {
    const double *p = pair + 2 * (rising ? n - 1 - i : i);
    m->H[i] = p[0];
    m->J[i] = p[1];
    low = fmin(low, p[0]);
    high = fmax(high, p[0]);
  }
  free(pair);
  for (int i = 1; i < n; i++) {
    if (m->H[i] > m->H[i - 1] + 0.01 * (high - low))
      return mt_error(MT_ERR_INPUT,
                      "%s: the field goes back and forth (%g T after %g T); give the falling branch alone", path,
                      m->H[i], m->H[i - 1]);
    m->H[i] = fmin(m->H[i], m->H[i - 1]);
  }
  if (!(high > low)) return mt_error(MT_ERR_INPUT, "%s: all points have the field %g T", path, low);
  return 0;
}

static PetscErrorCode read_root(const MtInput *in, MtMeasured *m) {
  const char *path = mt_input_string(in, "measured.file");
  MtTextTable t;
  PetscErrorCode rc = mt_text_open(path, &t);
  if (!rc) rc = read_points(in, &t, m);
  mt_text_close(&t);
  return rc ? rc : order(path, m);
}

PetscErrorCode mt_measured_read(MPI_Comm comm, const MtInput *in, MtMeasured *m) {
  int rank;
  *m = (MtMeasured){0};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = mt_agree_root(comm, rank ? 0 : read_root(in, m));
  if (!rc) PetscCallMPI(MPI_Bcast(&m->n, 1, MPI_INT, 0, comm));
  if (!rc && rank) {
    m->H = mt_malloc(sizeof *m->H * 2 * (size_t)m->n);
    m->J = m->H + m->n;
  }
  if (!rc) PetscCallMPI(MPI_Bcast(m->H, 2 * m->n, MPI_DOUBLE, 0, comm));
  if (rc) mt_measured_free(m);
  return rc;
}

void mt_measured_free(MtMeasured *m) {
  free(m->H);
  *m = (MtMeasured){0};
}

PetscErrorCode mt_measured_write(const char *folder, const MtMeasured *m) {
  char *text = NULL, path[4096];
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) return mt_error(MT_ERR_FAIL, "no memory for a curve of %d points", m->n);
  fputs("mu0_Hext_T,J_T\n", f);
  for (int i = 0; i < m->n; i++) fprintf(f, "%.17g,%.17g\n", m->H[i], m->J[i]);
  fclose(f);
  snprintf(path, sizeof path, "%s/measured.csv", folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

PetscErrorCode mt_measured_check(MPI_Comm comm, const MtInput *in) {
  MtMeasured m;
  if (!mt_input_has(in, "measured.file")) return 0;
  PetscErrorCode rc = mt_measured_read(comm, in, &m);
  mt_measured_free(&m);
  return rc;
}
