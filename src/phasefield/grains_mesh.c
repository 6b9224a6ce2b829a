/* The grains of a mesh as labels of its nodes: a node is in the grain of the largest tetrahedron at it; one that lies
 * within the phase between grains alone gets the grain of its nearest neighbour, layer by layer. */
#include "grains_input.h"
#include "magtwin/error.h"
#include <math.h>

typedef struct {
  double *label; /* [nv_local of the mesh] -1: none yet */
  double *best;  /* [nv_local] volume of the largest tet, later the distance of the neighbour chosen */
} Labels;

static PetscErrorCode by_tets(const MtMesh *m, Labels *l) {
  double x[4][3];
  for (PetscInt t = 0; t < m->nt_local; t++) {
    if (!mt_region_is_grain(m->regions.kind[m->region[t]])) continue;
    for (int k = 0; k < 4; k++)
      for (int c = 0; c < 3; c++) x[k][c] = m->x[3 * m->tet[4 * t + k] + c];
    const double volume = mt_tet_volume((const double(*)[3])x);
    for (int k = 0; k < 4; k++) {
      const PetscInt i = m->tet[4 * t + k];
      if (!(volume > l->best[i])) continue;
      l->best[i] = volume;
      l->label[i] = m->regions.grains[4 * m->region[t]];
    }
  }
  return mt_mesh_ghosts(m, 1, l->label);
}

static double distance2(const MtMesh *m, PetscInt a, PetscInt b) {
  double sum = 0;
  for (int c = 0; c < 3; c++) sum += (m->x[3 * a + c] - m->x[3 * b + c]) * (m->x[3 * a + c] - m->x[3 * b + c]);
  return sum;
}

/* One layer more; *left: nodes of the domain still without a grain, over all ranks. */
static PetscErrorCode spread(const MtDomain *d, Labels *l, double *next, int64_t *left) {
  const MtMesh *m = d->mesh;
  int64_t own = 0;
  for (PetscInt i = 0; i < m->nv_local; i++) {
    next[i] = l->label[i];
    l->best[i] = INFINITY;
  }
  for (PetscInt e = 0; e < d->ne; e++)
    for (int j = 0; j < 4; j++)
      for (int k = 0; k < 4; k++) {
        const PetscInt a = d->nodes->node[d->element[4 * e + j]], b = d->nodes->node[d->element[4 * e + k]];
        if (l->label[a] >= 0 || l->label[b] < 0 || !(distance2(m, a, b) < l->best[a])) continue;
        l->best[a] = distance2(m, a, b);
        next[a] = l->label[b];
      }
  for (PetscInt i = 0; i < d->n_owned; i++) own += next[d->nodes->node[i]] < 0;
  PetscCall(PetscArraycpy(l->label, next, m->nv_local));
  PetscCall(mt_mesh_ghosts(m, 1, l->label));
  PetscCallMPI(MPI_Allreduce(&own, left, 1, MPI_INT64_T, MPI_SUM, d->comm));
  return 0;
}

static PetscErrorCode take(const MtDomain *d, const Labels *l, int32_t *label) {
  PetscErrorCode rc = 0;
  for (PetscInt i = 0; i < d->n_owned && !rc; i++) {
    const double *x = d->x + 3 * i;
    label[i] = (int32_t)l->label[d->nodes->node[i]];
    if (label[i] < 0)
      rc = mt_error(MT_ERR_INPUT, "the labels do not cover the mesh: no grain is joined to (%.6g, %.6g, %.6g) nm", x[0],
                    x[1], x[2]);
  }
  return mt_agree(d->comm, rc);
}

PetscErrorCode mt_grain_growth_regions(const MtDomain *d, int32_t *label) {
  const PetscInt n = d->mesh->nv_local;
  Labels l;
  double *next;
  int64_t left = INT64_MAX, before;
  PetscCall(PetscMalloc3(n, &l.label, n, &l.best, n, &next));
  for (PetscInt i = 0; i < n; i++) {
    l.label[i] = -1;
    l.best[i] = 0;
  }
  PetscCall(by_tets(d->mesh, &l));
  do {
    before = left;
    PetscCall(spread(d, &l, next, &left));
  } while (left > 0 && left < before);
  PetscErrorCode rc = take(d, &l, label);
  PetscCall(PetscFree3(l.label, l.best, next));
  return rc;
}
