/* The energies of the samples: computed from states, read from a table, or what the field has done (M(H)). */
#include "landscape_impl.h"
#include "magtwin/error.h"
#include "magtwin/files.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/texttable.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void make(MtEnergies *e, int n, int terms) {
  e->n = n;
  e->terms = terms + 2;
  e->name = mt_calloc((size_t)e->terms, sizeof *e->name);
  e->energy = mt_calloc((size_t)n * (size_t)e->terms, sizeof *e->energy);
  e->work = mt_calloc((size_t)n * (size_t)e->terms, sizeof *e->work);
  strcpy(e->name[terms], "internal");
  strcpy(e->name[terms + 1], "total");
}

void mt_energies_free(MtEnergies *e) {
  free(e->name);
  free(e->energy);
  free(e->work);
  free(e->B);
  free(e->J);
  mt_work_free(&e->nodes);
  memset(e, 0, sizeof *e);
}

static bool is_zeeman(const char *name) {
  return strstr(name, "zeeman") || strstr(name, "Zeeman");
}

/* internal and total of the energies, then the changes at fixed fields.  applied [n]: work of the applied field's term
 * since the first sample, NULL: it is taken from the energies. */
static void add_sums(MtEnergies *e, const double *applied) {
  const int T = e->terms;
  for (int s = 0; s < e->n; s++) {
    double *E = e->energy + (size_t)s * (size_t)T, *W = e->work + (size_t)s * (size_t)T;
    for (int t = 0; t < T - 2; t++) {
      const bool zeeman = is_zeeman(e->name[t]);
      W[t] = zeeman && applied ? e->energy[t] + applied[s] : E[t];
      if (!zeeman) E[T - 2] += E[t], W[T - 2] += W[t];
      E[T - 1] += E[t], W[T - 1] += W[t];
    }
  }
}

static void add_columns(MtEnergies *e) {
  e->B = mt_calloc((size_t)e->n, sizeof *e->B);
  e->J = mt_calloc((size_t)e->n, sizeof *e->J);
}

/* Of vectors: the field along the direction in which it is largest, J along the same. */
static void project(MtEnergies *e) {
  const MtWork *w = &e->nodes;
  double d[3] = {0, 0, 1}, top = 0;
  for (int s = 0; s < e->n; s++) {
    const double *B = w->B + 3 * (size_t)s, size = sqrt(B[0] * B[0] + B[1] * B[1] + B[2] * B[2]);
    if (size > top * (1 + 1e-9)) {
      for (int a = 0; a < 3; a++) d[a] = B[a] / size;
      top = size;
    }
  }
  int axis = 0; /* signs as a person would choose them */
  for (int a = 1; a < 3; a++)
    if (fabs(d[a]) > fabs(d[axis])) axis = a;
  for (int a = 0; a < 3 && d[axis] < 0; a++) d[a] = a == axis ? d[a] : -d[a];
  d[axis] = fabs(d[axis]);
  for (int s = 0; s < e->n; s++)
    for (int a = 0; a < 3; a++) e->B[s] += d[a] * w->B[3 * s + a], e->J[s] += d[a] * w->J[3 * s + a];
}

static void from_work(MtEnergies *e) {
  static const char *const name[MT_NTERMS] = {"exchange", "anisotropy", "zeeman",  "demag",
                                              "surface",  "dmi",        "elastic", "interface"};
  const MtWork *w = &e->nodes;
  int terms = 0;
  for (int t = 0; t < MT_NTERMS; t++) terms += w->uses[t];
  double *applied = mt_calloc((size_t)w->n, sizeof *applied);
  make(e, w->n, terms);
  for (int t = 0, k = 0; t < MT_NTERMS; t++) {
    if (!w->uses[t]) continue;
    strcpy(e->name[k], name[t]);
    for (int s = 0; s < e->n; s++) e->energy[(size_t)s * (size_t)e->terms + (size_t)k] = w->term[s * MT_NTERMS + t];
    k++;
  }
  for (int s = 1; s < e->n; s++) {
    applied[s] = applied[s - 1];
    for (int a = 0; a < 3; a++) {
      const int now = 3 * s + a, last = now - 3;
      applied[s] -= (w->B[now] + w->B[last]) / 2 * (w->J[now] - w->J[last]) / MT_MU0;
    }
  }
  add_sums(e, applied);
  add_columns(e);
  project(e);
  free(applied);
}

static const char *key_or(const MtInput *in, const char *key, const char *other) {
  return mt_input_has(in, "%s", key) ? key : other;
}

static PetscErrorCode read_states(MPI_Comm comm, const MtInput *in, int n, MtEnergies *e) {
  const char *key = key_or(in, "landscape.states", "pca.files"), *mesh = key_or(in, "landscape.mesh", "pca.mesh");
  MtFiles files;
  if (!mt_input_has(in, "materials.grain"))
    return mt_input_error(in, "landscape.energy", "states needs the section materials of their run in this input");
  if (!mt_input_has(in, "%s", mesh))
    return mt_input_error(in, "landscape.energy", "states needs landscape.mesh, the mesh.h5 of their run");
  PetscCall(mt_files_find(comm, mt_input_string(in, "%s", key), &files));
  PetscErrorCode rc = 0;
  if (files.n != n)
    rc = mt_input_error(in, key, "%d states match %s, but there are %d samples", files.n,
                        mt_input_string(in, "%s", key), n);
  if (!rc)
    rc = mt_work_compute(comm, in, mt_input_string(in, "%s", mesh), key, n, (const char *const *)files.path, &e->nodes);
  if (!rc) from_work(e);
  mt_files_free(&files);
  return rc;
}

/* A column must be there and hold numbers only. */
static PetscErrorCode need_column(const MtInput *in, const MtNumbers *csv, const char *name, int *column) {
  const char *path = mt_input_string(in, "landscape.table");
  *column = mt_numbers_column(csv, name);
  if (*column < 0) return mt_error(MT_ERR_INPUT, "%s: has no column %s", path, name);
  for (int s = 0; s < csv->rows; s++)
    if (!isfinite(csv->value[(size_t)s * (size_t)csv->columns + (size_t)*column]))
      return mt_error(MT_ERR_INPUT, "%s: row %d of column %s is no number", path, s + 1, name);
  return 0;
}

/* Which columns are energies -> column [csv->columns]. */
static PetscErrorCode choose_terms(const MtInput *in, const MtNumbers *csv, int *n, int *column) {
  *n = 0;
  if (mt_input_has(in, "landscape.terms")) {
    for (int i = 0; i < mt_input_count(in, "landscape.terms") && *n < csv->columns; i++)
      PetscCall(need_column(in, csv, mt_input_string_at(in, i, "landscape.terms"), &column[(*n)++]));
  } else {
    for (int k = 0; k < csv->columns; k++)
      if (!strncmp(csv->name[k], "e_", 2) && strncmp(csv->name[k], "e_total", 7) != 0)
        PetscCall(need_column(in, csv, csv->name[k], &column[(*n)++]));
  }
  if (*n) return 0;
  return mt_error(MT_ERR_INPUT, "%s: has no column that begins with e_; name the energies in landscape.terms",
                  mt_input_string(in, "landscape.table"));
}

/* e_exchange_J/m3 -> exchange */
static void term_name(const char *column, char name[MT_LAND_NAME]) {
  snprintf(name, MT_LAND_NAME, "%s", strncmp(column, "e_", 2) ? column : column + 2);
  char *unit = strstr(name, "_J/m3");
  if (unit) *unit = 0;
}

static PetscErrorCode field_and_moment(const MtInput *in, const MtNumbers *csv, MtEnergies *e) {
  int b, j;
  PetscCall(need_column(in, csv, mt_input_string(in, "landscape.field_column"), &b));
  PetscCall(need_column(in, csv, mt_input_string(in, "landscape.moment_column"), &j));
  add_columns(e);
  for (int s = 0; s < e->n; s++) {
    e->B[s] = csv->value[(size_t)s * (size_t)csv->columns + (size_t)b];
    e->J[s] = csv->value[(size_t)s * (size_t)csv->columns + (size_t)j] * mt_input_real(in, "landscape.saturation");
  }
  return 0;
}

/* Work of the field on the sample since the first one, J/m3. */
static double *work_of_field(const MtEnergies *e) {
  double *work = mt_calloc((size_t)e->n, sizeof *work);
  for (int s = 1; s < e->n; s++) work[s] = work[s - 1] + (e->B[s] + e->B[s - 1]) / 2 * (e->J[s] - e->J[s - 1]) / MT_MU0;
  return work;
}

static PetscErrorCode from_table(const MtInput *in, const MtNumbers *csv, MtEnergies *e) {
  int terms, *column = mt_malloc((size_t)csv->columns * sizeof *column);
  bool zeeman = false;
  PetscErrorCode rc = choose_terms(in, csv, &terms, column);
  if (!rc) make(e, csv->rows, terms);
  for (int k = 0; k < terms && !rc; k++) {
    term_name(csv->name[column[k]], e->name[k]);
    zeeman = zeeman || is_zeeman(e->name[k]);
    for (int s = 0; s < e->n; s++)
      e->energy[(size_t)s * (size_t)e->terms + (size_t)k] =
          csv->value[(size_t)s * (size_t)csv->columns + (size_t)column[k]];
  }
  free(column);
  const bool known = !rc && mt_numbers_column(csv, mt_input_string(in, "landscape.field_column")) >= 0 &&
                     mt_numbers_column(csv, mt_input_string(in, "landscape.moment_column")) >= 0;
  if (known) rc = field_and_moment(in, csv, e);
  if (rc) return rc;
  double *work = known ? work_of_field(e) : NULL;
  for (int s = 0; s < e->n && work; s++) work[s] = -work[s];
  add_sums(e, zeeman ? work : NULL);
  if (zeeman && !known)
    mt_warn("%s has no columns of field and polarization: the energy of the applied field is taken with all its "
            "changes, not at fixed fields",
            mt_input_string(in, "landscape.table"));
  free(work);
  return 0;
}

/* What a magnetometer knows: the field does int H dJ on the sample, of which N J^2/(2 mu0) is the stray field's and the
 * rest goes into walls, domains and heat. */
static PetscErrorCode from_moment(const MtInput *in, const MtNumbers *csv, MtEnergies *e) {
  enum { REST, DEMAG, ZEEMAN };
  const double N = mt_input_real(in, "landscape.factor");
  make(e, csv->rows, 3);
  strcpy(e->name[REST], "rest");
  strcpy(e->name[DEMAG], "demag");
  strcpy(e->name[ZEEMAN], "zeeman");
  PetscCall(field_and_moment(in, csv, e));
  double *work = work_of_field(e);
  for (int s = 0; s < e->n; s++) {
    double *E = e->energy + (size_t)s * (size_t)e->terms;
    E[DEMAG] = N * e->J[s] * e->J[s] / (2 * MT_MU0);
    E[REST] = work[s] - (E[DEMAG] - e->energy[DEMAG]);
    E[ZEEMAN] = -e->B[s] * e->J[s] / MT_MU0;
  }
  for (int s = 0; s < e->n; s++) work[s] = -work[s];
  add_sums(e, work);
  free(work);
  return 0;
}

static PetscErrorCode read_csv(MPI_Comm comm, const MtInput *in, int n, bool moment, MtEnergies *e) {
  MtNumbers csv;
  if (!mt_input_has(in, "landscape.table"))
    return mt_input_error(in, "landscape.energy", "needs landscape.table, the csv file");
  PetscErrorCode rc = mt_numbers_read(comm, mt_input_string(in, "landscape.table"), &csv);
  if (!rc && csv.rows != n)
    rc = mt_input_error(in, "landscape.table", "has %d rows, but there are %d samples in %s%s", csv.rows, n,
                        mt_input_string(in, "pca.files"),
                        moment ? "" : ": of a run of magtwin whose states are not of all rows take energy: states");
  if (!rc) rc = moment ? from_moment(in, &csv, e) : from_table(in, &csv, e);
  mt_numbers_free(&csv);
  return rc;
}

PetscErrorCode mt_energies_read(MPI_Comm comm, const MtInput *in, int n, MtEnergies *e) {
  const char *from = mt_input_string(in, "landscape.energy");
  memset(e, 0, sizeof *e);
  if (from[0] == 's') return read_states(comm, in, n, e);
  return read_csv(comm, in, n, from[0] == 'm', e);
}
