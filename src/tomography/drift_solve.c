/* Positions of all slices from the shifts of pairs of them.
 *
 * Neighbours alone would add their errors up to a walk; pairs over many distances hold it back where the pictures still
 * have something in common, and their weights say how much.  Normal equations are banded: a Cholesky factor costs
 * slices x distance^2. */
#include "drift.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

typedef struct {
  int nz, band;     /* unknowns 1 .. nz-1; the first slice is at 0 */
  double *m;        /* [nz (band + 1)] m[k][d]: entry (k, k - d) */
  double *right[2]; /* [nz] */
} Band;

static double *entry(const Band *b, int k, int d) {
  return &b->m[(size_t)k * (size_t)(b->band + 1) + (size_t)d];
}

static void assemble(Band *b, const uint8_t *lost, int n, const MtPair *pair, const double *factor) {
  memset(b->m, 0, (size_t)b->nz * (size_t)(b->band + 1) * sizeof *b->m);
  memset(b->right[0], 0, (size_t)b->nz * sizeof *b->right[0]);
  memset(b->right[1], 0, (size_t)b->nz * sizeof *b->right[1]);
  for (int i = 0; i < n; i++) {
    const MtPair *p = &pair[i];
    const double w = p->weight * factor[i];
    *entry(b, p->from, 0) += w;
    *entry(b, p->to, 0) += w;
    *entry(b, p->to, p->to - p->from) -= w;
    for (int d = 0; d < 2; d++) {
      b->right[d][p->from] -= w * p->shift[d];
      b->right[d][p->to] += w * p->shift[d];
    }
  }
  for (int k = 0; k < b->nz; k++)
    if (lost[k]) *entry(b, k, 0) = 1;              /* no pair has it: 0 for now */
  *entry(b, 0, 0) += 1e12 * (1 + *entry(b, 0, 0)); /* the first slice stays at 0 */
}

/* False where a slice is not held. */
static bool factor_and_solve(Band *b) {
  for (int k = 0; k < b->nz; k++)
    for (int d = b->band < k ? b->band : k; d >= 0; d--) {
      const int c = k - d;
      const double before = *entry(b, k, 0);
      for (int e = c > b->band ? c - b->band : 0; e < c; e++)
        if (k - e <= b->band) *entry(b, k, d) -= *entry(b, k, k - e) * *entry(b, c, c - e);
      if (d)
        *entry(b, k, d) /= *entry(b, c, 0);
      else if (!(*entry(b, k, 0) > 1e-9 * before) || !(before > 0))
        return false;
      else
        *entry(b, k, 0) = sqrt(*entry(b, k, 0));
    }
  for (int s = 0; s < 2; s++) {
    double *x = b->right[s];
    for (int k = 0; k < b->nz; k++) {
      for (int d = 1; d <= b->band && d <= k; d++) x[k] -= *entry(b, k, d) * x[k - d];
      x[k] /= *entry(b, k, 0);
    }
    for (int k = b->nz - 1; k >= 0; k--) {
      for (int d = 1; d <= b->band && k + d < b->nz; d++) x[k] -= *entry(b, k + d, d) * x[k + d];
      x[k] /= *entry(b, k, 0);
    }
  }
  return true;
}

static double misfit(const Band *b, const MtPair *p) {
  return hypot(b->right[0][p->to] - b->right[0][p->from] - p->shift[0],
               b->right[1][p->to] - b->right[1][p->from] - p->shift[1]);
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Huber's weights: 1 up to twice the usual misfit, falling beyond; none beyond ten times. */
static int reweigh(const Band *b, int n, const MtPair *pair, double *factor, double *work) {
  int rejected = 0;
  for (int i = 0; i < n; i++) work[i] = misfit(b, &pair[i]);
  qsort(work, (size_t)n, sizeof *work, compare);
  const double usual = fmax(.02, 1.2 * work[n / 2]); /* the median of |2-D Gaussian| is 1.18 sigma */
  for (int i = 0; i < n; i++) {
    const double r = misfit(b, &pair[i]) / (2 * usual);
    factor[i] = r <= 1 ? 1 : r > 5 ? 1e-6 : 1 / r;
    rejected += r > 5;
  }
  return rejected;
}

static void keep_positions(const Band *b, const uint8_t *lost, MtDrift *d) {
  for (int k = 0; k < b->nz; k++)
    for (int c = 0; c < 2; c++) d->at[2 * k + c] = b->right[c][k] - b->right[c][0];
  for (int k = 0; k < b->nz; k++) {
    int lo = k, hi = k;
    if (!lost[k]) continue;
    while (lo > 0 && lost[lo]) lo--;
    while (hi < b->nz - 1 && lost[hi]) hi++;
    const double t = (double)(k - lo) / (hi - lo);
    for (int c = 0; c < 2; c++) d->at[2 * k + c] = (1 - t) * d->at[2 * lo + c] + t * d->at[2 * hi + c];
  }
}

static void measure(const Band *b, int n, const MtPair *pair, const double *factor, MtDrift *d) {
  double *weight = mt_calloc((size_t)b->nz, sizeof *weight), sum = 0, all = 0;
  for (int i = 0; i < n; i++) {
    const double w = pair[i].weight * factor[i], r = misfit(b, &pair[i]);
    d->misfit[pair[i].from] += w * r * r;
    d->misfit[pair[i].to] += w * r * r;
    weight[pair[i].from] += w;
    weight[pair[i].to] += w;
    sum += w * r * r;
    all += w;
  }
  for (int k = 0; k < b->nz; k++) d->misfit[k] = weight[k] > 0 ? sqrt(d->misfit[k] / weight[k]) : 0;
  d->rms = all > 0 ? sqrt(sum / all) : 0;
  free(weight);
}

static int find(int *root, int k) {
  while (root[k] != k) k = root[k] = root[root[k]];
  return k;
}

/* The first slice that no chain of pairs leads to from the first one; -1: all are held together. */
static int first_loose(int nz, const uint8_t *lost, int n, const MtPair *pair) {
  int *root = mt_malloc((size_t)nz * sizeof *root), loose = -1;
  for (int k = 0; k < nz; k++) root[k] = k;
  for (int i = 0; i < n; i++) {
    const int a = find(root, pair[i].from), b = find(root, pair[i].to);
    root[a > b ? a : b] = a > b ? b : a;
  }
  for (int k = nz - 1; k >= 0; k--)
    if (!lost[k] && find(root, k)) loose = k;
  free(root);
  return loose;
}

static PetscErrorCode iterate(Band *b, const uint8_t *lost, int n, const MtPair *pair, MtDrift *d) {
  enum { ROUNDS = 12 };
  double *factor = mt_malloc(2 * ((size_t)n + 1) * sizeof *factor), *work = factor + n + 1;
  PetscErrorCode rc = 0;
  for (int i = 0; i < n; i++) factor[i] = 1;
  for (int round = 0; round < ROUNDS && !rc; round++) {
    if (round) d->nrejected = reweigh(b, n, pair, factor, work);
    assemble(b, lost, n, pair, factor);
    if (!factor_and_solve(b)) rc = mt_error(MT_ERR_FAIL, "the equations for the drift cannot be solved");
  }
  if (!rc) keep_positions(b, lost, d);
  if (!rc) measure(b, n, pair, factor, d);
  free(factor);
  return rc;
}

PetscErrorCode mt_drift_solve(int nz, const uint8_t *lost, int npairs, const MtPair *pair, MtDrift *d) {
  Band b = {.nz = nz, .band = 1};
  memset(d, 0, sizeof *d);
  for (int i = 0; i < npairs; i++)
    if (pair[i].to - pair[i].from > b.band) b.band = pair[i].to - pair[i].from;
  d->npairs = npairs;
  d->at = mt_calloc(2 * (size_t)nz, sizeof *d->at);
  d->misfit = mt_calloc((size_t)nz, sizeof *d->misfit);
  b.m = mt_calloc((size_t)nz * (size_t)(b.band + 1), sizeof *b.m);
  b.right[0] = mt_calloc(2 * (size_t)nz, sizeof *b.right[0]);
  b.right[1] = b.right[0] + nz;
  const int loose = first_loose(nz, lost, npairs, pair);
  PetscErrorCode rc = 0;
  if (loose >= 0)
    rc =
        mt_error(MT_ERR_INPUT,
                 "slice %d has nothing in common with the slices before it: the drift cannot be followed to it", loose);
  if (!rc) rc = iterate(&b, lost, npairs, pair, d);
  free(b.m);
  free(b.right[0]);
  if (rc) mt_drift_free(d);
  return rc;
}

void mt_drift_free(MtDrift *d) {
  free(d->at);
  free(d->misfit);
  memset(d, 0, sizeof *d);
}
