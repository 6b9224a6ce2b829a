/* From the unknowns of the fit to seeds and weights.
 *
 * A positive factor t on all (a, b) and one affine function added to all of them leave every cell as it is.  Both are
 * free, and are chosen so that the seeds t a/2 + c lie as near as possible (least squares) to the centroids of the
 * grains. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "power_fit.h"
#include "power_transport.h"
#include <math.h>
#include <string.h>

/* Moves of the seeds to the centroids of their cells: rounder cells that a mesher can fill, a little further from where
 * the grains were measured. */
enum { relaxation_steps = 2 };

static const double volume_tolerance = 1e-6; /* of each grain; a voxel is more */

typedef struct {
  double scale;    /* nm per unit of a: seed = scale a + shift */
  double shift[3]; /* nm */
} Gauge;

static Gauge choose_gauge(const MtFitProblem *f, const double *theta) {
  double mean_a[3] = {0}, mean_x[3] = {0}, cross = 0, square = 0;
  for (int g = 0; g < f->n; g++)
    for (int d = 0; d < 3; d++) {
      mean_a[d] += theta[4 * g + d] / f->n;
      mean_x[d] += f->centroid[3 * g + d] / f->n;
    }
  for (int g = 0; g < f->n; g++)
    for (int d = 0; d < 3; d++) {
      const double a = theta[4 * g + d] - mean_a[d];
      cross += a * (f->centroid[3 * g + d] - mean_x[d]);
      square += a * a;
    }
  Gauge gauge = {.scale = cross > 0 && square > 0 ? cross / square : f->length};
  for (int d = 0; d < 3; d++) gauge.shift[d] = mean_x[d] - gauge.scale * mean_a[d];
  return gauge;
}

/* The value of a grain is a.(x - origin)/length + b; times 2 scale length, plus 2 shift.x, it is 2 s.x + w - |s|^2. */
static void seed_and_weight(const MtFitProblem *f, const double *theta, const Gauge *gauge, double *seed,
                            double *weight) {
  double square = 0, at_origin = 0;
  for (int d = 0; d < 3; d++) {
    seed[d] = gauge->scale * theta[d] + gauge->shift[d];
    square += seed[d] * seed[d];
    at_origin += 2 * gauge->scale * theta[d] * f->origin[d];
  }
  *weight = 2 * gauge->scale * f->length * theta[3] - at_origin + square;
}

static PetscErrorCode allocate(const MtFitProblem *f, MtPower *p) {
  const size_t n = (size_t)f->n;
  memset(p, 0, sizeof *p);
  p->n = f->n;
  PetscCall(PetscMalloc1(3 * n, &p->seed));
  PetscCall(PetscCalloc1(n, &p->weight));
  PetscCall(PetscMalloc1(3 * n, &p->axis));
  PetscCall(PetscMalloc1(n, &p->label));
  for (int d = 0; d < 3; d++) p->box[3 + d] = 2 * f->origin[d];
  memcpy(p->axis, f->labels->axis, 3 * n * sizeof *p->axis);
  if (f->labels->orientation) {
    PetscCall(PetscMalloc1(4 * n, &p->orientation));
    memcpy(p->orientation, f->labels->orientation, 4 * n * sizeof *p->orientation);
  }
  for (int g = 0; g < f->n; g++) p->label[g] = (int32_t)f->labels->source[g];
  return 0;
}

PetscErrorCode mt_fit_power(const MtFitProblem *f, const double *theta, MtPower *p) {
  const Gauge gauge = choose_gauge(f, theta);
  double mean = 0;
  PetscCall(allocate(f, p));
  for (int g = 0; g < f->n; g++) {
    seed_and_weight(f, theta + 4 * g, &gauge, p->seed + 3 * g, p->weight + g);
    mean += p->weight[g] / p->n;
  }
  for (int g = 0; g < f->n; g++) p->weight[g] -= mean; /* only differences matter */
  return 0;
}

void mt_fit_unknowns(const MtFitProblem *f, const MtPower *p, double *theta) {
  for (int g = 0; g < f->n; g++) {
    double square = 0;
    for (int d = 0; d < 3; d++) {
      const double s = (p->seed[3 * g + d] - f->origin[d]) / f->length;
      theta[4 * g + d] = 2 * s;
      square += s * s;
    }
    theta[4 * g + 3] = p->weight[g] / (f->length * f->length) - square;
  }
}

PetscErrorCode mt_fit_volumes(const MtFitProblem *f, MtPower *p, bool *done) {
  double *volume;
  MtCells cells;
  PetscCall(allocate(f, p));
  memcpy(p->seed, f->centroid, 3 * (size_t)f->n * sizeof *p->seed);
  PetscCall(PetscMalloc1((size_t)f->n, &volume));
  const double box = p->box[3] * p->box[4] * p->box[5];
  for (int g = 0; g < f->n; g++) volume[g] = box * (double)f->labels->voxels[g] / (double)f->nvoxels;
  *done = true;
  for (int step = 0; *done && step <= relaxation_steps; step++) {
    if (step) {
      memcpy(p->seed, cells.center, 3 * (size_t)f->n * sizeof *p->seed);
      mt_cells_free(&cells);
    }
    *done = mt_power_set_volumes(p, volume, volume_tolerance, &cells) == 0;
  }
  PetscCall(PetscFree(volume));
  if (*done) {
    mt_cells_free(&cells);
    return 0;
  }
  mt_error_clear();
  mt_power_free(p);
  return 0;
}

/* Highest value of the grains that win somewhere, at x (fit's coordinates). */
static double best_value(const MtFitProblem *f, const double *theta, const int64_t *wins, const double x[3]) {
  double best = -INFINITY;
  for (int g = 0; g < f->n; g++) {
    const double *t = theta + 4 * g;
    if (wins[g]) best = fmax(best, t[0] * x[0] + t[1] * x[1] + t[2] * x[2] + t[3]);
  }
  return best;
}

void mt_fit_place(const MtFitProblem *f, const int64_t *wins, const double *raise, double *theta) {
  const Gauge gauge = choose_gauge(f, theta);
  for (int g = 0; g < f->n; g++) {
    double x[3], *t = theta + 4 * g, at = 0;
    if (wins[g]) continue;
    for (int d = 0; d < 3; d++) {
      x[d] = (f->centroid[3 * g + d] - f->origin[d]) / f->length;
      t[d] = (f->centroid[3 * g + d] - gauge.shift[d]) / gauge.scale;
      at += t[d] * x[d];
    }
    t[3] = best_value(f, theta, wins, x) + raise[g] * f->length / gauge.scale - at;
  }
}

void mt_fit_drop(const MtFitProblem *f, const int64_t *wins, MtPower *p) {
  int k = 0;
  for (int g = 0; g < f->n; g++) {
    if (!wins[g]) {
      mt_warn("grain %d (label %lld, %lld voxels) has no cell in the fitted diagram and is left out", g,
              (long long)f->labels->source[g], (long long)f->labels->voxels[g]);
      continue;
    }
    memmove(p->seed + 3 * k, p->seed + 3 * g, 3 * sizeof *p->seed);
    memmove(p->axis + 3 * k, p->axis + 3 * g, 3 * sizeof *p->axis);
    if (p->orientation) memmove(p->orientation + 4 * k, p->orientation + 4 * g, 4 * sizeof *p->orientation);
    p->weight[k] = p->weight[g];
    p->label[k++] = p->label[g];
  }
  p->n = k;
}
