/* The bright phase of pockets: by a gray value, or by a Markov random field.  Sums are made slice by slice and added in
 * their order: ranks do not matter. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "segment.h"
#include "slabs.h"
#include <math.h>
#include <string.h>

/* Number, sum and sum of squares of the gray values of both classes in each slice: all [6]. */
static PetscErrorCode class_sums(MPI_Comm comm, const MtStack *s, const uint8_t *phase, double sum[6]) {
  const int64_t slice = (int64_t)s->nx * s->ny;
  double *mine = mt_calloc(6 * (size_t)s->nz_local + 1, sizeof *mine), *all = mt_calloc(6 * (size_t)s->nz, sizeof *all);
  for (int64_t v = 0; v < slice * s->nz_local; v++) {
    double *m = mine + 6 * (v / slice) + 3 * phase[v];
    m[0] += 1;
    m[1] += s->gray[v];
    m[2] += (double)s->gray[v] * s->gray[v];
  }
  PetscErrorCode rc = mt_slab_gather(comm, s->nz, 6, mine, all);
  memset(sum, 0, 6 * sizeof *sum);
  for (int k = 0; k < s->nz; k++)
    for (int i = 0; i < 6; i++) sum[i] += all[6 * k + i];
  free(mine);
  free(all);
  return rc;
}

static void classify(int64_t n, const float *gray, double level, uint8_t *phase) {
  for (int64_t v = 0; v < n; v++) phase[v] = gray[v] > level;
}

/* One step over a cross of 7 voxels: all (erosion) or any (dilation) of them; the ends of the volume repeat. */
static PetscErrorCode step(MPI_Comm comm, const MtStack *s, bool erode, uint8_t *phase) {
  const int64_t nx = s->nx, slice = nx * s->ny, n = slice * s->nz_local;
  uint8_t *wide = mt_malloc((size_t)(n + 2 * slice + 1));
  PetscErrorCode rc = mt_slab_halo(comm, s->nz, 1, 1, slice, MPI_UINT8_T, phase, wide);
  for (int64_t v = 0; v < n && !rc; v++) {
    const int64_t i = v % nx, j = v / nx % s->ny, k = v / slice + s->z0;
    const uint8_t *p = wide + v + slice;
    const int sum = p[0] + p[i ? -1 : 0] + p[i + 1 < nx ? 1 : 0] + p[j ? -nx : 0] + p[j + 1 < s->ny ? nx : 0] +
                    p[k ? -slice : 0] + p[k + 1 < s->nz ? slice : 0];
    phase[v] = erode ? sum == 7 : sum > 0;
  }
  free(wide);
  return rc;
}

/* Opening: what holds no such cross is dropped. */
static PetscErrorCode drop_thin(MPI_Comm comm, const MtStack *s, uint8_t *phase) {
  PetscCall(step(comm, s, true, phase));
  return step(comm, s, false, phase);
}

/* The middle between the median and the mean of the bright voxels that have bright ones all around them, so that films
 * and edges do not count; again and again (T. W. Ridler, S. Calvard, IEEE Trans. SMC 8, 630 (1978)).  Begun between the
 * median and the brightest of a thousand. */
static PetscErrorCode split(MPI_Comm comm, const MtStack *s, uint8_t *phase, double *level) {
  const int64_t n = (int64_t)s->nx * s->ny * s->nz_local;
  double lo, hi, sum[6], last = -INFINITY;
  PetscCall(mt_quantile(comm, n, s->gray, .5, &lo));
  PetscCall(mt_quantile(comm, n, s->gray, .999, &hi));
  *level = .5 * (lo + hi);
  for (int round = 0; round < 20 && fabs(*level - last) > 1e-4; round++) {
    classify(n, s->gray, *level, phase);
    PetscCall(step(comm, s, true, phase));
    PetscCall(class_sums(comm, s, phase, sum));
    last = *level;
    if (sum[3] > 0) *level = .5 * (lo + sum[4] / sum[3]);
  }
  classify(n, s->gray, *level, phase);
  return 0;
}

PetscErrorCode mt_phases_threshold(MPI_Comm comm, const MtStack *s, uint8_t **phase, double *level) {
  *phase = mt_calloc((size_t)s->nx * (size_t)s->ny * (size_t)s->nz_local + 1, 1);
  PetscCall(split(comm, s, *phase, level));
  return drop_thin(comm, s, *phase);
}

/* ---- Markov random field ---- */

enum { LEAST_INNER = 30 }; /* voxels that a variance needs */

typedef struct {
  double mean[2], variance[2];
} Classes;

/* The bright class from voxels with bright ones all around: with films and edges among them it grows broad and takes
 * ever more of these.  inner [voxels]: work. */
static PetscErrorCode measure(MPI_Comm comm, const MtStack *s, const uint8_t *phase, uint8_t *inner, Classes *c) {
  double sum[6], middle[6];
  memcpy(inner, phase, (size_t)s->nx * (size_t)s->ny * (size_t)s->nz_local);
  PetscCall(class_sums(comm, s, phase, sum));
  PetscCall(step(comm, s, true, inner));
  PetscCall(class_sums(comm, s, inner, middle));
  if (middle[3] >= LEAST_INNER) memcpy(sum + 3, middle + 3, 3 * sizeof *sum);
  for (int k = 0; k < 2; k++) {
    const double n = fmax(1, sum[3 * k]);
    c->mean[k] = sum[3 * k + 1] / n;
    c->variance[k] = fmax(1e-6, sum[3 * k + 2] / n - c->mean[k] * c->mean[k]);
  }
  return 0;
}

/* Energy of the two classes at a voxel with `bright` bright ones among `near` neighbours: positive if dark is better.
 */
static double difference(const Classes *c, double gray, int bright, int near, double beta) {
  double e[2];
  for (int k = 0; k < 2; k++)
    e[k] = .5 * pow(gray - c->mean[k], 2) / c->variance[k] + .5 * log(c->variance[k]) -
           beta * (k ? bright : near - bright);
  /* a broad bright class must not claim what is darker than the dark one */
  return gray < c->mean[0] ? 1 : e[1] - e[0];
}

/* Voxels of one colour of the checkerboard take the better class; returns how many changed. */
static PetscErrorCode relax(MPI_Comm comm, const MtStack *s, const Classes *c, double beta, int colour, uint8_t *phase,
                            uint8_t *wide, int64_t *changed) {
  const int64_t nx = s->nx, slice = nx * s->ny, n = slice * s->nz_local;
  PetscCall(mt_slab_halo(comm, s->nz, 1, 1, slice, MPI_UINT8_T, phase, wide));
  for (int64_t v = 0; v < n; v++) {
    const int64_t i = v % nx, j = v / nx % s->ny, k = v / slice + s->z0;
    if ((i + j + k) % 2 != colour) continue;
    const uint8_t *p = wide + v + slice;
    int bright = 0, near = 0;
    if (i) bright += p[-1], near++;
    if (i + 1 < nx) bright += p[1], near++;
    if (j) bright += p[-nx], near++;
    if (j + 1 < s->ny) bright += p[nx], near++;
    if (k) bright += p[-slice], near++;
    if (k + 1 < s->nz) bright += p[slice], near++;
    const uint8_t better = difference(c, s->gray[v], bright, near, beta) < 0;
    *changed += better != phase[v];
    phase[v] = better;
  }
  return 0;
}

PetscErrorCode mt_phases_hmrf(MPI_Comm comm, const MtStack *s, double beta, uint8_t **phase, double *level) {
  enum { ROUNDS = 30 };
  const int64_t slice = (int64_t)s->nx * s->ny, n = slice * s->nz_local;
  Classes c = {{0}, {1, 1}};
  int64_t changed = 1;
  *phase = mt_calloc((size_t)n + 1, 1);
  PetscCall(split(comm, s, *phase, level));
  uint8_t *wide = mt_calloc((size_t)(n + 2 * slice) + 1, 1), *inner = mt_malloc((size_t)n + 1);
  PetscErrorCode rc = 0;
  for (int round = 0; round < ROUNDS && changed && !rc; round++) {
    changed = 0;
    rc = measure(comm, s, *phase, inner, &c);
    for (int colour = 0; colour < 2 && !rc; colour++) rc = relax(comm, s, &c, beta, colour, *phase, wide, &changed);
    if (!rc) rc = MPI_Allreduce(MPI_IN_PLACE, &changed, 1, MPI_INT64_T, MPI_SUM, comm);
  }
  free(wide);
  free(inner);
  if (!rc && changed) mt_warn("stack: %lld voxels still change class after %d rounds", (long long)changed, ROUNDS);
  return rc ? rc : drop_thin(comm, s, *phase);
}
