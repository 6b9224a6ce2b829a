/* A start from a volume of labelled voxels: every node takes the voxel in which it lies, from the rank whose slab of
 * slices that is in; and the table that gives labels a composition. */
#include "evolve_impl.h"
#include "magtwin/error.h"
#include "magtwin/texttable.h"
#include <math.h>
#include <string.h>

static const double EDGE = 1e-9; /* of a voxel: a node this near to a face lies on it */

bool mt_evolve_from_labels(const MtInput *in) {
  return mt_input_has(in, "phasefield.initial") && strcmp(mt_input_string(in, "phasefield.initial"), "labels") == 0;
}

bool mt_evolve_on_box(const MtInput *in) {
  const bool mesh = mt_input_has(in, "mesh.file") || mt_input_has(in, "mesh.size");
  return mt_input_has(in, "box.size") || (mt_evolve_from_labels(in) && !mesh);
}

PetscErrorCode mt_labels_box(const MtStartLabels *l, MtBox *box) {
  double nodes = 1;
  *box = (MtBox){.dim = l->n[2] == 1 ? 2 : 3};
  for (int c = 0; c < box->dim; c++) {
    box->cells[c] = l->n[c];
    box->size[c] = l->n[c] * l->voxel[c];
    nodes *= l->n[c] + 1.;
  }
  if (nodes <= (double)PETSC_MAX_INT) return 0;
  return mt_error(MT_ERR_INPUT,
                  "a box with a cell for each of %d x %d x %d voxels has %.3g nodes, more than this build of PETSc can "
                  "number: give section box",
                  l->n[0], l->n[1], l->n[2], nodes);
}

/* The voxel along an axis; on the far end of the volume the last one.  -1: outside. */
static int64_t voxel_along(const MtStartLabels *l, int c, double x) {
  const double at = floor(x / l->voxel[c] + EDGE);
  if (at == l->n[c] && x <= l->n[c] * l->voxel[c] * (1 + EDGE)) return l->n[c] - 1;
  return at >= 0 && at < l->n[c] ? (int64_t)at : -1;
}

static PetscErrorCode outside(const MtDomain *d, const double x[3]) {
  const MtStartLabels *l = d->labels;
  return mt_error(MT_ERR_INPUT,
                  "the labels do not cover the %s: they end at (%.6g, %.6g, %.6g) nm, and a node lies at (%.6g, %.6g, "
                  "%.6g) nm",
                  d->mesh ? "mesh" : "box", l->n[0] * l->voxel[0], l->n[1] * l->voxel[1], l->n[2] * l->voxel[2], x[0],
                  x[1], x[2]);
}

/* Who has slice z, and its number there. */
static void owner_of(const MtStartLabels *l, int ranks, int64_t z, int *rank, int64_t *slice) {
  int64_t start, n;
  *rank = (int)(z * ranks / l->n[2]);
  mt_slab(l->n[2], *rank, ranks, &start, &n);
  while (z < start) mt_slab(l->n[2], --*rank, ranks, &start, &n);
  while (z >= start + n) mt_slab(l->n[2], ++*rank, ranks, &start, &n);
  *slice = z - start;
}

static PetscErrorCode place(const MtDomain *d, PetscInt i, int ranks, PetscSFNode *voxel) {
  const MtStartLabels *l = d->labels;
  int64_t at[3], slice;
  int rank;
  for (int c = 0; c < 3; c++)
    if ((at[c] = voxel_along(l, c, d->x[3 * i + c])) < 0) return outside(d, d->x + 3 * i);
  owner_of(l, ranks, at[2], &rank, &slice);
  *voxel = (PetscSFNode){.rank = rank, .index = (PetscInt)((slice * l->n[1] + at[1]) * l->n[0] + at[0])};
  return 0;
}

static PetscErrorCode fetch(const MtDomain *d, PetscSFNode *voxel, int32_t *grain) {
  const MtStartLabels *l = d->labels;
  PetscSF sf;
  PetscCall(PetscSFCreate(d->comm, &sf));
  PetscCall(PetscSFSetGraph(sf, (PetscInt)l->nz_local * l->n[1] * l->n[0], d->n_owned, NULL, PETSC_OWN_POINTER, voxel,
                            PETSC_OWN_POINTER));
  PetscCall(PetscSFBcastBegin(sf, MPI_INT32_T, l->grain, grain, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(sf, MPI_INT32_T, l->grain, grain, MPI_REPLACE));
  return PetscSFDestroy(&sf);
}

PetscErrorCode mt_labels_at_nodes(const MtDomain *d, int32_t *grain) {
  PetscSFNode *voxel;
  PetscErrorCode rc = 0;
  int ranks;
  PetscCallMPI(MPI_Comm_size(d->comm, &ranks));
  if (d->dim == 2 && d->labels->n[2] > 1)
    return mt_error(MT_ERR_INPUT, "the box has two dimensions, but the labels have %d slices", d->labels->n[2]);
  if ((double)d->labels->nz_local * d->labels->n[1] * d->labels->n[0] > (double)PETSC_MAX_INT)
    rc = mt_error(MT_ERR_INPUT, "the labels of a rank are more than this build of PETSc can number: more ranks");
  PetscCall(PetscMalloc1(d->n_owned, &voxel));
  for (PetscInt i = 0; i < d->n_owned && !rc; i++) rc = place(d, i, ranks, &voxel[i]);
  rc = mt_agree(d->comm, rc);
  if (!rc) return fetch(d, voxel, grain);
  PetscCall(PetscFree(voxel));
  return rc;
}

/* Label of the file at a node. */
static int64_t label_of(const MtStartLabels *l, int32_t grain) {
  return grain < 0 ? l->background : l->source[grain];
}

static int find_row(const MtNumbers *t, int column, int64_t label) {
  for (int r = 0; r < t->rows; r++)
    if (t->value[(size_t)r * (size_t)t->columns + (size_t)column] == (double)label) return r;
  return -1;
}

/* Row of the table by grain, that of the background last; -1: it has none. */
static PetscErrorCode find_rows(const MtInput *in, const MtStartLabels *l, const MtNumbers *t, int *row) {
  const int label = mt_numbers_column(t, "label");
  if (label < 0) return mt_input_error(in, MT_LABEL_VALUES, "has no column label");
  for (int g = 0; g <= l->ngrains; g++) row[g] = find_row(t, label, label_of(l, g < l->ngrains ? g : -1));
  return 0;
}

static PetscErrorCode take(const MtDomain *d, const MtInput *in, const MtNumbers *t, const int *row,
                           const int32_t *grain, const char *name, PetscScalar *value) {
  const int column = mt_numbers_column(t, name);
  if (column < 0) return mt_input_error(in, MT_LABEL_VALUES, "has no column %s", name);
  for (PetscInt i = 0; i < d->n_owned; i++) {
    const int r = row[grain[i] < 0 ? d->labels->ngrains : grain[i]];
    const double *x = d->x + 3 * i, v = r < 0 ? NAN : t->value[(size_t)r * (size_t)t->columns + (size_t)column];
    if (isnan(v))
      return mt_error(MT_ERR_INPUT, "%s has no %s of label %lld, which is at (%.6g, %.6g, %.6g) nm",
                      mt_input_string(in, MT_LABEL_VALUES), name, (long long)label_of(d->labels, grain[i]), x[0], x[1],
                      x[2]);
    value[i] = v;
  }
  return 0;
}

static PetscErrorCode take_all(const MtDomain *d, const MtInput *in, const MtNumbers *t, int n, const char *const *name,
                               Vec *v) {
  int32_t *grain;
  int *row;
  PetscScalar *a;
  PetscCall(PetscMalloc2(d->n_owned, &grain, d->labels->ngrains + 1, &row));
  PetscErrorCode rc = mt_labels_at_nodes(d, grain);
  if (!rc) rc = find_rows(in, d->labels, t, row);
  for (int k = 0; k < n && !rc; k++) {
    PetscCall(VecGetArray(v[k], &a));
    rc = mt_agree(d->comm, take(d, in, t, row, grain, name[k], a));
    PetscCall(VecRestoreArray(v[k], &a));
  }
  PetscCall(PetscFree2(grain, row));
  return rc;
}

PetscErrorCode mt_labels_values(const MtDomain *d, const MtInput *in, int n, const char *const *name, Vec *v) {
  MtNumbers t = {0};
  PetscErrorCode rc = mt_numbers_read(d->comm, mt_input_string(in, MT_LABEL_VALUES), &t);
  if (!rc) rc = take_all(d, in, &t, n, name, v);
  mt_numbers_free(&t);
  return rc;
}
