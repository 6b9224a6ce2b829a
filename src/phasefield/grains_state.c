/* The state of grain growth: measured, put into files. */
#include "grains_impl.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include <math.h>

PetscErrorCode mt_growth_fields(MtGrowth *g, Vec grain, Vec sum) {
  const MtGrainSet *s = &g->set;
  PetscScalar *a, *b;
  PetscCall(VecGetArray(grain, &a));
  PetscCall(VecGetArray(sum, &b));
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    PetscInt most = s->start[i];
    b[i] = 0;
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) {
      if (g->c[0][p] > g->c[0][most]) most = p;
      b[i] += g->c[0][p] * g->c[0][p];
    }
    a[i] = s->grain[most];
  }
  PetscCall(VecRestoreArray(sum, &b));
  return VecRestoreArray(grain, &a);
}

PetscErrorCode mt_growth_pairs(const MtGrowth *g, int64_t *pairs, int *most) {
  int64_t own = g->set.n_owned;
  int here = 0;
  for (PetscInt i = 0; i < g->domain->n_owned; i++) here = PetscMax(here, g->set.start[i + 1] - g->set.start[i]);
  PetscCallMPI(MPI_Allreduce(&own, pairs, 1, MPI_INT64_T, MPI_SUM, g->domain->comm));
  PetscCallMPI(MPI_Allreduce(&here, most, 1, MPI_INT, MPI_MAX, g->domain->comm));
  return 0;
}

/* Of the pairs of owned nodes: what = -1 the grain (no pair there: -1), else the state of that number. */
static PetscErrorCode slot(const MtGrowth *g, int k, int what, Vec v) {
  PetscScalar *a;
  PetscCall(VecGetArray(v, &a));
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    const PetscInt p = g->set.start[i] + k;
    const bool there = p < g->set.start[i + 1];
    a[i] = what < 0 ? (there ? g->set.grain[p] : -1) : there ? g->c[what][p] : 0;
  }
  return VecRestoreArray(v, &a);
}

static void slot_name(int k, int what, char name[64]) {
  if (what < 0)
    snprintf(name, 64, "/state/grain_%d", k);
  else
    snprintf(name, 64, "/state/c%d_%d", what, k);
}

static PetscErrorCode make_rows(const MtDomain *d, Vec *v) {
  return VecCreateMPI(d->comm, d->n_owned, PETSC_DETERMINE, v);
}

/* As many datasets as the node with most grains has: the file does not depend on the ranks. */
PetscErrorCode mt_growth_save(const MtGrowth *g, MtH5 *f) {
  int64_t pairs, size[2];
  int most;
  char name[64];
  Vec v;
  PetscErrorCode rc = 0;
  PetscCall(mt_growth_pairs(g, &pairs, &most));
  PetscCall(make_rows(g->domain, &v));
  for (int k = 0; k < most && !rc; k++)
    for (int what = -1; what < MT_GRAIN_STATES && !rc; what++) {
      PetscCall(slot(g, k, what, v));
      slot_name(k, what, name);
      rc = mt_domain_write(g->domain, f, name, v, "1");
    }
  size[0] = g->ngrains;
  size[1] = most;
  if (!rc) rc = mt_h5_set_ints(f, "/state", "grains", 2, size);
  if (!rc && g->model->conserved)
    rc = mt_h5_set_reals(f, "/state", "conserved", 2, (double[]){g->pressure, g->volume0});
  PetscCall(VecDestroy(&v));
  return rc;
}

static PetscErrorCode read_slots(const MtGrowth *g, MtH5 *f, int most, double *table) {
  const PetscInt n = g->domain->n_owned;
  const PetscScalar *a;
  char name[64];
  Vec v;
  PetscErrorCode rc = 0;
  PetscCall(make_rows(g->domain, &v));
  for (int k = 0; k < most && !rc; k++)
    for (int what = -1; what < MT_GRAIN_STATES && !rc; what++) {
      slot_name(k, what, name);
      rc = mt_domain_read(g->domain, f, name, v);
      PetscCall(VecGetArrayRead(v, &a));
      for (PetscInt i = 0; i < n; i++) table[((size_t)i * (size_t)most + (size_t)k) * 4 + (size_t)(what + 1)] = a[i];
      PetscCall(VecRestoreArrayRead(v, &a));
    }
  PetscCall(VecDestroy(&v));
  return rc;
}

/* Counts, then fills, from the table [n_owned][most][4] of grain, c0, c1, c2. */
static PetscErrorCode take_table(MtGrowth *g, int most, const double *table) {
  const PetscInt n = g->domain->n_owned;
  PetscInt *start, at = 0;
  int32_t *grain;
  double *c[MT_GRAIN_STATES];
  PetscCall(PetscCalloc1(n + 1, &start));
  for (PetscInt r = 0; r < n * most; r++) start[r / most + 1] += table[4 * (size_t)r] >= 0;
  for (PetscInt i = 0; i < n; i++) start[i + 1] += start[i];
  PetscCall(PetscMalloc1(start[n], &grain));
  for (int k = 0; k < MT_GRAIN_STATES; k++) PetscCall(PetscCalloc1(start[n] + 1, &c[k]));
  for (PetscInt r = 0; r < n * most; r++) {
    const double *record = table + 4 * (size_t)r;
    if (!(record[0] >= 0)) continue;
    grain[at] = (int32_t)record[0];
    for (int k = 0; k < MT_GRAIN_STATES; k++) c[k][at] = record[1 + k];
    at++;
  }
  return mt_grain_set_take(g, start, grain, c);
}

PetscErrorCode mt_growth_load(MtGrowth *g, MtH5 *f) {
  int64_t size[2];
  double *table, kept[2] = {0, 0};
  PetscErrorCode rc = mt_h5_get_ints(f, "/state", "grains", 2, size);
  if (rc) return rc;
  PetscCall(PetscMalloc1((size_t)g->domain->n_owned * (size_t)size[1] * 4, &table));
  rc = read_slots(g, f, (int)size[1], table);
  g->ngrains = (int)size[0];
  if (!rc) rc = take_table(g, (int)size[1], table);
  PetscCall(PetscFree(table));
  if (!rc && g->model->conserved) rc = mt_h5_get_reals(f, "/state", "conserved", 2, kept);
  if (!rc) rc = mt_grain_conserved_set(g, kept[0], kept[1]);
  return rc ? rc : mt_grain_energy(g, g->c[0], &g->stepper.energy);
}
