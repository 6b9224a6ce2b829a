/* What the grains are now: volumes, boundaries, what is still there. */
#include "grains_impl.h"
#include <math.h>

/* eta^2/s of every local pair. */
static void shares(const MtGrowth *g, double *share) {
  const MtGrainSet *s = &g->set;
  for (PetscInt i = 0; i < g->domain->n_local; i++) {
    double sum = 0;
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) sum += g->c[0][p] * g->c[0][p];
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) share[p] = sum > 0 ? g->c[0][p] * g->c[0][p] / sum : 0;
  }
}

/* Walks along the lists of an element's corners at once, for they ascend: the next grain, and its gradient there. */
static int32_t next_grain(const MtGrainSet *s, const double *share, int corners, PetscInt *at, const PetscInt *end,
                          double grad[4][3], double sum[3]) {
  int32_t grain = INT32_MAX;
  for (int k = 0; k < corners; k++)
    if (at[k] < end[k] && s->grain[at[k]] < grain) grain = s->grain[at[k]];
  sum[0] = sum[1] = sum[2] = 0;
  for (int k = 0; k < corners; k++) {
    if (at[k] == end[k] || s->grain[at[k]] != grain) continue;
    const double u = share[at[k]++];
    for (int c = 0; c < 3; c++) sum[c] += u * grad[k][c];
  }
  return grain;
}

/* Adds int |grad share| of each grain over an element. */
static void element_surface(const MtGrowth *g, const double *share, PetscInt e, double *surface) {
  const MtDomain *d = g->domain;
  const int corners = d->dim + 1;
  double x[4][3], grad[4][3], sum[3], volume;
  PetscInt at[4], end[4];
  int32_t grain;
  bool alone = true;
  for (int k = 0; k < corners; k++) {
    const PetscInt node = d->element[corners * e + k];
    at[k] = g->set.start[node];
    end[k] = g->set.start[node + 1];
    alone = alone && end[k] - at[k] == 1;
  }
  if (alone) return;
  mt_domain_corners(d, e, x);
  mt_simplex(d->dim, (const double(*)[3])x, grad, &volume);
  while ((grain = next_grain(&g->set, share, corners, at, end, grad, sum)) != INT32_MAX)
    surface[grain] += fabs(volume) * sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
}

PetscErrorCode mt_growth_measure(MtGrowth *g, double *volume, double *peak, double *surface) {
  const MtGrainSet *s = &g->set;
  double *share = g->work[MT_Z];
  PetscCall(mt_grain_ghosts_values(&g->ghosts, g->c[0]));
  shares(g, share);
  PetscCall(PetscArrayzero(volume, g->ngrains));
  PetscCall(PetscArrayzero(peak, g->ngrains));
  PetscCall(PetscArrayzero(surface, g->ngrains));
  for (PetscInt i = 0; i < g->domain->n_owned; i++)
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) {
      volume[s->grain[p]] += g->graph.w[i] * share[p];
      peak[s->grain[p]] = fmax(peak[s->grain[p]], g->c[0][p]);
    }
  for (PetscInt e = 0; e < g->domain->ne; e++)
    if (g->domain->element_owned[e]) element_surface(g, share, e, surface);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, volume, g->ngrains, MPI_DOUBLE, MPI_SUM, g->domain->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, peak, g->ngrains, MPI_DOUBLE, MPI_MAX, g->domain->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, surface, g->ngrains, MPI_DOUBLE, MPI_SUM, g->domain->comm));
  return 0;
}
