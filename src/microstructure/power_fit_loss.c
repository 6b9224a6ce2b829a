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

/* Position of grain g among the m candidates, -1 if it is none of them (a stray voxel, far from its grain). */
static int own_candidate(int m, const int *candidate, int g) {
  int lo = 0, hi = m - 1;
  while (lo < hi) {
    const int mid = (lo + hi) / 2;
    if (candidate[mid] < g)
      lo = mid + 1;
    else
      hi = mid;
  }
  return m > 0 && candidate[lo] == g ? lo : -1;
}

/* Voxels that enter the loss: those of every stride-th column, row and layer whose grain is a candidate. */
static PetscErrorCode count_used(MtFitProblem *f) {
  const MtLabels *l = f->labels;
  f->nused = 0;
  for (int b = 0; b < block_count(f); b++) {
    const int m = f->start[b + 1] - f->start[b], *candidate = f->candidate + f->start[b];
    int lo[3], hi[3];
    block_range(f, b, lo, hi);
    for (int k = lo[2]; k < hi[2]; k++)
      for (int j = lo[1]; j < hi[1] && k % f->stride == 0; j++)
        for (int i = lo[0]; i < hi[0] && j % f->stride == 0; i += f->stride) {
          const int32_t g = l->label[((int64_t)(k - l->z0) * l->ny + j) * l->nx + i];
          f->nused += g >= 0 && own_candidate(m, candidate, g) >= 0;
        }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &f->nused, 1, MPI_INT64_T, MPI_SUM, f->comm));
  return 0;
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
  PetscCall(PetscMalloc1((size_t)f->start[n] + 1, &f->candidate));
  for (int b = 0, at = 0; b < n; b++)
    for (int g = 0; g < f->n; g++)
      if (reaches(f, b, g, margin)) f->candidate[at++] = g;
  return count_used(f);
}

/* ---- loss of one layer of a block */

/* The candidates of a block: theta [4m] of all of them, and of those that count in the layer at hand. */
typedef struct {
  int m, nactive;
  const int *candidate;
  int *active;                      /* [nactive] positions among the m */
  double *theta, *near, *p, *slope; /* [4m] of all; of the active ones: [4m], values and probabilities [m], their
                                       gradient [4m] */
  double *gradient;                 /* [4m] of all */
} Block;

/* exp(-36) is the rounding of 1: what lies so far below the best all over a layer has no part in any sum there. */
static const double negligible = 36;

static double value_at(const double *t, const double x[3]) {
  return t[0] * x[0] + t[1] * x[1] + t[2] * x[2] + t[3];
}

/* Keeps the grains that may come near the best one somewhere in the box of centre x and half edges h.  The whole layer
 * of the block decides, not the part with voxels. */
static void choose_active(int m, const double *theta, const double x[3], const double h[3], double below, int *nactive,
                          int *active) {
  double floor = -INFINITY;
  for (int c = 0; c < m; c++) {
    const double *t = theta + 4 * c, swing = fabs(t[0]) * h[0] + fabs(t[1]) * h[1] + fabs(t[2]) * h[2];
    floor = fmax(floor, value_at(t, x) - swing);
  }
  *nactive = 0;
  for (int c = 0; c < m; c++) {
    const double *t = theta + 4 * c, swing = fabs(t[0]) * h[0] + fabs(t[1]) * h[1] + fabs(t[2]) * h[2];
    if (value_at(t, x) + swing >= floor - below) active[(*nactive)++] = c;
  }
}

/* Centre and half edges of block b, or of its layer k (k >= 0), in the fit's coordinates. */
static void block_box(const MtFitProblem *f, int b, int k, double x[3], double h[3]) {
  const int at[3] = {b % f->blocks[0], b / f->blocks[0] % f->blocks[1],
                     b / (f->blocks[0] * f->blocks[1]) + f->block_z0};
  for (int d = 0; d < 3; d++) {
    x[d] = ((at[d] + .5) * MT_FIT_BLOCK * f->labels->voxel[d] - f->origin[d]) / f->length;
    h[d] = MT_FIT_BLOCK * f->labels->voxel[d] / f->length / 2;
  }
  if (k < 0) return;
  x[2] = ((k + .5) * f->labels->voxel[2] - f->origin[2]) / f->length;
  h[2] = 0;
}

/* Values of the active candidates at x become their probabilities in p; returns the log of the sum of exponentials. */
static double softmax(const Block *q, const double x[3]) {
  double top = -INFINITY, sum = 0;
  for (int c = 0; c < q->nactive; c++) {
    q->p[c] = value_at(q->near + 4 * c, x);
    top = fmax(top, q->p[c]);
  }
  for (int c = 0; c < q->nactive; c++) sum += q->p[c] = exp(q->p[c] - top);
  for (int c = 0; c < q->nactive; c++) q->p[c] /= sum;
  /* cppcheck-suppress invalidFunctionArg ; the largest candidate alone adds 1 */
  return log(sum) + top;
}

static void layer_begin(const MtFitProblem *f, int b, int k, Block *q) {
  double x[3], h[3];
  block_box(f, b, k, x, h);
  choose_active(q->m, q->theta, x, h, negligible, &q->nactive, q->active);
  for (int c = 0; c < q->nactive; c++) memcpy(q->near + 4 * c, q->theta + 4 * q->active[c], 4 * sizeof *q->near);
  memset(q->slope, 0, 4 * (size_t)q->nactive * sizeof *q->slope);
  memset(q->gradient, 0, 4 * (size_t)q->m * sizeof *q->gradient);
}

static void layer_end(Block *q) {
  for (int c = 0; c < q->nactive; c++)
    for (int d = 0; d < 4; d++) q->gradient[4 * q->active[c] + d] += q->slope[4 * c + d];
}

/* Adds the loss of a voxel whose label has the probability exp(-far), and returns its weight in the gradient.  With
 * noise, a label is taken for wrong with that probability, and is then any of the m candidates (N. Natarajan et al.,
 * Adv. Neural Inf. Process. Syst. 26 (2013) 1196): labels that do not fit at all cease to pull. */
static double trust_in(const MtFitProblem *f, int m, double far, double *loss) {
  if (f->noise == 0) {
    *loss += far;
    return 1;
  }
  const double right = (1 - f->noise) * exp(-far), either = right + f->noise / m;
  *loss -= log(either);
  return right / either;
}

/* One layer of a block: sets the gradient and returns the loss. */
static double layer_loss(const MtFitProblem *f, int b, int k, Block *q) {
  const MtLabels *l = f->labels;
  int lo[3], hi[3];
  double loss = 0;
  block_range(f, b, lo, hi);
  layer_begin(f, b, k, q);
  for (int j = lo[1]; j < hi[1]; j++)
    for (int i = lo[0]; i < hi[0] && j % f->stride == 0; i += f->stride) {
      const int32_t g = l->label[((int64_t)(k - l->z0) * l->ny + j) * l->nx + i];
      const int own = g < 0 ? -1 : own_candidate(q->m, q->candidate, g);
      if (own < 0) continue;
      double x[3];
      coordinates(f, i, j, k, x);
      const double far = softmax(q, x) - value_at(q->theta + 4 * own, x), trust = trust_in(f, q->m, far, &loss);
      for (int c = 0; c < q->nactive; c++) {
        const double p = trust * q->p[c];
        for (int d = 0; d < 3; d++) q->slope[4 * c + d] += p * x[d];
        q->slope[4 * c + 3] += p;
      }
      for (int d = 0; d < 3; d++) q->gradient[4 * own + d] -= trust * x[d];
      q->gradient[4 * own + 3] -= trust;
    }
  layer_end(q);
  return loss;
}

/* A number as a whole multiple of 1/scale, held within `most`, so that sums do not depend on their order. */
static int64_t fixed_point(double value, double scale, double most) {
  return llrint(fmin(fmax(value, -most), most) * scale);
}

static void add_block(MtFitProblem *f, int b, const double *theta, Block *q, int64_t *sum) {
  int lo[3], hi[3];
  block_range(f, b, lo, hi);
  q->m = f->start[b + 1] - f->start[b], q->candidate = f->candidate + f->start[b];
  for (int c = 0; c < q->m; c++) memcpy(q->theta + 4 * c, theta + 4 * q->candidate[c], 4 * sizeof *theta);
  for (int k = lo[2]; k < hi[2]; k++) {
    if (k % f->stride) continue;
    const double loss = layer_loss(f, b, k, q);
    sum[4 * f->n] += fixed_point(loss, f->loss_scale, MT_FIT_MOST_LOSS * MT_FIT_BLOCK * MT_FIT_BLOCK);
    for (int i = 0; i < 4 * q->m; i++)
      sum[4 * q->candidate[i / 4] + i % 4] += fixed_point(q->gradient[i], f->gradient_scale, INFINITY);
  }
}

static PetscErrorCode add_blocks(MtFitProblem *f, const double *theta, int64_t *sum) {
  Block q;
  size_t most = 1;
  for (int b = 0; b < block_count(f); b++)
    if ((size_t)(f->start[b + 1] - f->start[b]) > most) most = (size_t)(f->start[b + 1] - f->start[b]);
  PetscCall(PetscMalloc6(4 * most, &q.theta, 4 * most, &q.near, most, &q.p, 4 * most, &q.slope, 4 * most, &q.gradient,
                         most, &q.active));
  for (int b = 0; b < block_count(f); b++) add_block(f, b, theta, &q, sum);
  PetscCall(PetscFree6(q.theta, q.near, q.p, q.slope, q.gradient, q.active));
  return 0;
}

PetscErrorCode mt_fit_loss(MtFitProblem *f, const double *theta, double *loss, double *gradient) {
  const int n = 4 * f->n;
  int64_t *sum = f->sum;
  memset(sum, 0, ((size_t)n + 1) * sizeof *sum);
  PetscCall(add_blocks(f, theta, sum));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, n + 1, MPI_INT64_T, MPI_SUM, f->comm));
  *loss = (double)sum[n] / f->loss_scale / (double)f->nused;
  for (int i = 0; i < n; i++) gradient[i] = (double)sum[i] / f->gradient_scale / (double)f->nused;
  return 0;
}

/* ---- who wins where */

static int winner(int m, const int *grain, const double *theta, const double x[3]) {
  double top = -INFINITY;
  int best = 0;
  for (int c = 0; c < m; c++) {
    const double value = value_at(theta + 4 * grain[c], x);
    if (value > top) top = value, best = grain[c];
  }
  return best;
}

/* The grains that may win somewhere in the block come into `near` [n]; ties go to the lowest number. */
static void assess_block(const MtFitProblem *f, int b, const double *theta, int *near, int64_t *wins, int64_t *own,
                         int64_t *outside) {
  const MtLabels *l = f->labels;
  const int m = f->start[b + 1] - f->start[b], *candidate = f->candidate + f->start[b];
  int lo[3], hi[3], nnear;
  double center[3], half[3];
  block_range(f, b, lo, hi);
  block_box(f, b, -1, center, half);
  choose_active(f->n, theta, center, half, 1e-9, &nnear, near);
  for (int k = lo[2]; k < hi[2]; k++)
    for (int j = lo[1]; j < hi[1]; j++)
      for (int i = lo[0]; i < hi[0]; i++) {
        const int32_t g = l->label[((int64_t)(k - l->z0) * l->ny + j) * l->nx + i];
        double x[3];
        coordinates(f, i, j, k, x);
        const int best = winner(nnear, near, theta, x);
        wins[best]++;
        if (g == best)
          own[best]++;
        else if (g >= 0 && own_candidate(m, candidate, best) < 0)
          ++*outside;
      }
}

PetscErrorCode mt_fit_assess(const MtFitProblem *f, const double *theta, int64_t *wins, int64_t *own,
                             int64_t *outside) {
  int *near;
  memset(wins, 0, (size_t)f->n * sizeof *wins);
  memset(own, 0, (size_t)f->n * sizeof *own);
  *outside = 0;
  PetscCall(PetscMalloc1((size_t)f->n, &near));
  for (int b = 0; b < block_count(f); b++) assess_block(f, b, theta, near, wins, own, outside);
  PetscCall(PetscFree(near));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, wins, f->n, MPI_INT64_T, MPI_SUM, f->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, own, f->n, MPI_INT64_T, MPI_SUM, f->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, outside, 1, MPI_INT64_T, MPI_SUM, f->comm));
  return 0;
}
