/* Loss and gradient of the fit, block by block, and the count of who wins where. */
#include "magtwin/error.h"
#include "power_fit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Voxel centre in the fit's coordinates. */
static void coordinates(const MtFitProblem *f, int i, int j, int k, double x[3]) {
  const int index[3] = {i, j, k};
  for (int d = 0; d < 3; d++) x[d] = ((index[d] + .5) * f->labels->voxel[d] - f->origin[d]) / f->length;
}

/* Voxels [lo, hi) of block (bi, bj, bk) in this slab; k counts from the bottom of the volume. */
static void block_range(const MtFitProblem *f, int b, int lo[3], int hi[3]) {
  const MtLabels *l = f->labels;
  const int at[3] = {b % f->blocks[0], b / f->blocks[0] % f->blocks[1],
                     b / (f->blocks[0] * f->blocks[1]) + f->block_z0};
  const int first[3] = {0, 0, l->z0}, last[3] = {l->nx, l->ny, l->z0 + l->nz_local};
  for (int d = 0; d < 3; d++) {
    lo[d] = at[d] * MT_FIT_BLOCK > first[d] ? at[d] * MT_FIT_BLOCK : first[d];
    hi[d] = (at[d] + 1) * MT_FIT_BLOCK < last[d] ? (at[d] + 1) * MT_FIT_BLOCK : last[d];
  }
}

static int block_count(const MtFitProblem *f) {
  return f->blocks[0] * f->blocks[1] * f->blocks[2];
}

/* The whole block decides, not its part in this slab: the candidates do not depend on the number of ranks. */
static bool reaches(const MtFitProblem *f, int b, int g, double margin) {
  const int at[3] = {b % f->blocks[0], b / f->blocks[0] % f->blocks[1],
                     b / (f->blocks[0] * f->blocks[1]) + f->block_z0};
  for (int d = 0; d < 3; d++) {
    const double h = f->labels->voxel[d];
    if (f->bounds[6 * g + d] - margin > (at[d] + 1) * MT_FIT_BLOCK * h) return false;
    if (f->bounds[6 * g + 3 + d] + margin < at[d] * MT_FIT_BLOCK * h) return false;
  }
  return true;
}

PetscErrorCode mt_fit_candidates(MtFitProblem *f, double margin) {
  const MtLabels *l = f->labels;
  f->blocks[0] = (l->nx + MT_FIT_BLOCK - 1) / MT_FIT_BLOCK;
  f->blocks[1] = (l->ny + MT_FIT_BLOCK - 1) / MT_FIT_BLOCK;
  f->block_z0 = l->z0 / MT_FIT_BLOCK;
  f->blocks[2] = l->nz_local ? (l->z0 + l->nz_local - 1) / MT_FIT_BLOCK - f->block_z0 + 1 : 0;
  const int n = block_count(f);
  PetscCall(PetscFree(f->start));
  PetscCall(PetscFree(f->candidate));
  PetscCall(PetscMalloc1((size_t)n + 1, &f->start));
  f->start[0] = 0;
  for (int b = 0; b < n; b++) {
    f->start[b + 1] = f->start[b];
    for (int g = 0; g < f->n; g++) f->start[b + 1] += reaches(f, b, g, margin);
  }
  PetscCall(PetscMalloc1((size_t)f->start[n], &f->candidate));
  for (int b = 0, at = 0; b < n; b++)
    for (int g = 0; g < f->n; g++)
      if (reaches(f, b, g, margin)) f->candidate[at++] = g;
  return 0;
}

/* One voxel: p [m] are the candidates' values and become their probabilities; returns -log of that of `own`. */
static double softmax(int m, const double *theta, const double x[3], int own, double *p) {
  double top = -INFINITY, sum = 0;
  for (int c = 0; c < m; c++) {
    p[c] = theta[4 * c] * x[0] + theta[4 * c + 1] * x[1] + theta[4 * c + 2] * x[2] + theta[4 * c + 3];
    top = fmax(top, p[c]);
  }
  const double mine = p[own];
  for (int c = 0; c < m; c++) sum += p[c] = exp(p[c] - top);
  for (int c = 0; c < m; c++) p[c] /= sum;
  /* cppcheck-suppress invalidFunctionArg ; m > 0, and the largest candidate alone adds 1 */
  return log(sum) + top - mine;
}

/* Position of grain g among the m candidates; it is one of them, since its voxel is within its own bounds. */
static int own_candidate(int m, const int *candidate, int g) {
  int lo = 0, hi = m - 1;
  while (lo < hi) {
    const int mid = (lo + hi) / 2;
    if (candidate[mid] < g)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

/* One layer of a block: theta [4m] of the candidates; sets gradient [4m] and returns the loss.  p [m] is scratch. */
static double layer_loss(const MtFitProblem *f, int b, int k, const double *theta, double *gradient, double *p) {
  const MtLabels *l = f->labels;
  const int m = f->start[b + 1] - f->start[b], *candidate = f->candidate + f->start[b];
  int lo[3], hi[3];
  double loss = 0;
  block_range(f, b, lo, hi);
  memset(gradient, 0, 4 * (size_t)m * sizeof *gradient);
  for (int j = lo[1]; j < hi[1]; j++)
    for (int i = lo[0]; i < hi[0]; i++) {
      const int32_t g = l->label[((int64_t)(k - l->z0) * l->ny + j) * l->nx + i];
      if (g < 0) continue;
      double x[3];
      coordinates(f, i, j, k, x);
      const int own = own_candidate(m, candidate, g);
      loss += softmax(m, theta, x, own, p);
      p[own] -= 1;
      for (int c = 0; c < m; c++) {
        for (int d = 0; d < 3; d++) gradient[4 * c + d] += p[c] * x[d];
        gradient[4 * c + 3] += p[c];
      }
    }
  return loss;
}

/* A number as a whole multiple of 1/scale, held within `most`, so that sums do not depend on their order. */
static int64_t fixed_point(double value, double scale, double most) {
  return llrint(fmin(fmax(value, -most), most) * scale);
}

static PetscErrorCode add_blocks(MtFitProblem *f, const double *theta, int64_t *sum) {
  double *block_theta, *gradient, *p;
  PetscCall(PetscMalloc3(4 * (size_t)f->n, &block_theta, 4 * (size_t)f->n, &gradient, (size_t)f->n, &p));
  for (int b = 0; b < block_count(f); b++) {
    const int m = f->start[b + 1] - f->start[b], *candidate = f->candidate + f->start[b];
    int lo[3], hi[3];
    block_range(f, b, lo, hi);
    for (int c = 0; c < m; c++) memcpy(block_theta + 4 * c, theta + 4 * candidate[c], 4 * sizeof *theta);
    for (int k = lo[2]; k < hi[2]; k++) {
      const double loss = layer_loss(f, b, k, block_theta, gradient, p);
      sum[4 * f->n] += fixed_point(loss, f->loss_scale, MT_FIT_MOST_LOSS * MT_FIT_BLOCK * MT_FIT_BLOCK);
      for (int c = 0; c < m; c++)
        for (int d = 0; d < 4; d++)
          sum[4 * candidate[c] + d] += fixed_point(gradient[4 * c + d], f->gradient_scale, INFINITY);
    }
  }
  PetscCall(PetscFree3(block_theta, gradient, p));
  return 0;
}

PetscErrorCode mt_fit_loss(MtFitProblem *f, const double *theta, double *loss, double *gradient) {
  const int n = 4 * f->n;
  int64_t *sum = f->sum;
  memset(sum, 0, ((size_t)n + 1) * sizeof *sum);
  PetscCall(add_blocks(f, theta, sum));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, n + 1, MPI_INT64_T, MPI_SUM, f->comm));
  *loss = (double)sum[n] / f->loss_scale / (double)f->nvoxels;
  for (int i = 0; i < n; i++) {
    *loss += f->ridge / 2 * theta[i] * theta[i];
    gradient[i] = (double)sum[i] / f->gradient_scale / (double)f->nvoxels + f->ridge * theta[i];
  }
  return 0;
}

static int winner(const MtFitProblem *f, const double *theta, const double x[3]) {
  double top = -INFINITY;
  int best = 0;
  for (int g = 0; g < f->n; g++) {
    const double *t = theta + 4 * g, value = t[0] * x[0] + t[1] * x[1] + t[2] * x[2] + t[3];
    if (value > top) top = value, best = g;
  }
  return best;
}

static void assess_block(const MtFitProblem *f, int b, const double *theta, int64_t *wins, int64_t *own,
                         int64_t *outside) {
  const MtLabels *l = f->labels;
  const int m = f->start[b + 1] - f->start[b], *candidate = f->candidate + f->start[b];
  int lo[3], hi[3];
  block_range(f, b, lo, hi);
  for (int k = lo[2]; k < hi[2]; k++)
    for (int j = lo[1]; j < hi[1]; j++)
      for (int i = lo[0]; i < hi[0]; i++) {
        const int32_t g = l->label[((int64_t)(k - l->z0) * l->ny + j) * l->nx + i];
        double x[3];
        coordinates(f, i, j, k, x);
        const int best = winner(f, theta, x);
        wins[best]++;
        if (g == best)
          own[best]++;
        else if (g >= 0 && candidate[own_candidate(m, candidate, best)] != best)
          ++*outside;
      }
}

PetscErrorCode mt_fit_assess(const MtFitProblem *f, const double *theta, int64_t *wins, int64_t *own,
                             int64_t *outside) {
  memset(wins, 0, (size_t)f->n * sizeof *wins);
  memset(own, 0, (size_t)f->n * sizeof *own);
  *outside = 0;
  for (int b = 0; b < block_count(f); b++) assess_block(f, b, theta, wins, own, outside);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, wins, f->n, MPI_INT64_T, MPI_SUM, f->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, own, f->n, MPI_INT64_T, MPI_SUM, f->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, outside, 1, MPI_INT64_T, MPI_SUM, f->comm));
  return 0;
}
