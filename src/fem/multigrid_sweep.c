/* The parts of a cycle on one level.  A is symmetric, so that the rows of its lower half L, in the order of the sweeps,
 * serve twice while they are read once: row i gives sum over j before i of a_ij x_j, and a_ij x_i to each such j. */
#include "multigrid_impl.h"

/* The entries k..end-1 times x, in two sums. */
static inline float sum(const MtLevel *l, PetscInt k, PetscInt end, const float *restrict x) {
  float s = 0, t = 0;
  for (; k + 1 < end; k += 2) {
    s += l->value[k] * x[l->col[k]];
    t += l->value[k + 1] * x[l->col[k + 1]];
  }
  return k < end ? s + t + l->value[k] * x[l->col[k]] : s + t;
}

/* Adds them times x to y: columns of the upper half. */
static inline void spread(const MtLevel *l, PetscInt k, PetscInt end, float x, float *restrict y) {
  for (; k < end; k++) y[l->col[k]] += l->value[k] * x;
}

static PetscErrorCode fetch(const MtHalo *h, const float *own, float *others) {
  if (!h->sf) return 0;
  PetscCall(PetscSFBcastBegin(h->sf, MPI_FLOAT, own, others, MPI_REPLACE));
  return PetscSFBcastEnd(h->sf, MPI_FLOAT, own, others, MPI_REPLACE);
}

/* (D + L) x = b, and y = U x: the residual is -y, but for other ranks' columns. */
void mt_level_sweep_down(MtLevel *l) {
  for (PetscInt i = 0; i < l->n; i++) l->y[i] = 0;
  for (PetscInt k = 0; k < l->n; k++) {
    const PetscInt i = l->node[k];
    l->x[i] = l->inverse[i] * (l->b[i] - sum(l, l->start[k], l->other[k], l->x));
    spread(l, l->start[k], l->other[k], l->x[i], l->y);
  }
}

PetscErrorCode mt_level_restrict(MtLevel *l, MtLevel *coarse) {
  PetscCall(fetch(&l->halo, l->x, l->x + l->n));
  PetscCall(PetscArrayzero(coarse->b, coarse->n + l->coarse.n));
  for (PetscInt k = 0; k < l->n; k++) {
    const PetscInt i = l->node[k];
    const float r = -l->y[i] - sum(l, l->other[k], l->start[k + 1], l->x);
    for (PetscInt e = l->pstart[i]; e < l->pstart[i + 1]; e++) coarse->b[l->pcol[e]] += l->pvalue[e] * r;
  }
  if (!l->coarse.sf) return 0;
  PetscCall(PetscSFReduceBegin(l->coarse.sf, MPI_FLOAT, coarse->b + coarse->n, coarse->b, MPI_SUM));
  return PetscSFReduceEnd(l->coarse.sf, MPI_FLOAT, coarse->b + coarse->n, coarse->b, MPI_SUM);
}

PetscErrorCode mt_level_correct(MtLevel *l, MtLevel *coarse) {
  float *e = coarse->b; /* has room for the values of other ranks, and is not needed any more */
  PetscCall(PetscArraycpy(e, coarse->x, coarse->n));
  PetscCall(fetch(&l->coarse, e, e + coarse->n));
  for (PetscInt i = 0; i < l->n; i++) {
    float s = 0;
    for (PetscInt k = l->pstart[i]; k < l->pstart[i + 1]; k++) s += l->pvalue[k] * e[l->pcol[k]];
    l->x[i] += s;
  }
  return 0;
}

/* (D + U) x = b - L x', x' as it was: the nodes before i still are when it is i's turn; y = U x. */
PetscErrorCode mt_level_sweep_up(MtLevel *l) {
  PetscCall(fetch(&l->halo, l->x, l->x + l->n));
  for (PetscInt i = 0; i < l->n; i++) l->y[i] = 0;
  for (PetscInt k = l->n - 1; k >= 0; k--) {
    const PetscInt i = l->node[k];
    l->x[i] = l->inverse[i] * (l->b[i] - sum(l, l->start[k], l->start[k + 1], l->x) - l->y[i]);
    spread(l, l->start[k], l->other[k], l->x[i], l->y);
  }
  return 0;
}
