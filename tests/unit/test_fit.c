/* ranks: 1 2 3 */
/* The convex fit of a power diagram to labels: on labels that a power diagram made, and on hard ones. */
#include "../../src/microstructure/measured.h"
#include "../../src/microstructure/power_fit.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double voxel[3] = {4, 4, 5};

/* A small generator of the test's own (Knuth's MMIX constants). */
static uint64_t state = 1;
static double uniform(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)(state >> 11) / 9007199254740992.0;
}

static void center(const MtLabels *l, int64_t v, double x[3]) {
  x[0] = (v % l->nx + .5) * l->voxel[0];
  x[1] = (v / l->nx % l->ny + .5) * l->voxel[1];
  x[2] = (l->z0 + v / ((int64_t)l->nx * l->ny) + .5) * l->voxel[2];
}

static int nearest(int n, const double *seed, const double *weight, const double x[3]) {
  int best = 0;
  double least = INFINITY;
  for (int k = 0; k < n; k++) {
    const double *s = seed + 3 * k;
    const double power = pow(x[0] - s[0], 2) + pow(x[1] - s[1], 2) + pow(x[2] - s[2], 2) - weight[k];
    if (power < least) least = power, best = k;
  }
  return best;
}

static int64_t count(const MtLabels *l) {
  return (int64_t)l->nx * l->ny * l->nz_local;
}

static void volume(MtLabels *l, int nx, int ny, int nz, int ngrains) {
  memset(l, 0, sizeof *l);
  assert_int_equal(mt_labels_layout(PETSC_COMM_WORLD, nx, ny, nz, l), 0);
  memcpy(l->voxel, voxel, sizeof voxel);
  l->ngrains = ngrains;
  l->axis = calloc(3 * (size_t)ngrains, sizeof *l->axis);
  l->source = calloc((size_t)ngrains, sizeof *l->source);
  l->orientation = calloc(4 * (size_t)ngrains, sizeof *l->orientation);
  for (int g = 0; g < ngrains; g++) l->axis[3 * g + g % 3] = 1, l->source[g] = 10 + g;
  for (int g = 0; g < ngrains; g++) l->orientation[4 * g] = cos(g), l->orientation[4 * g + 3] = sin(g);
}

/* Labels of a random power diagram of n cells, 32 x 28 x 30 voxels. */
static void power_labels(MtLabels *l, int n, uint64_t seed) {
  double *s = malloc(4 * (size_t)n * sizeof *s), *w = s + 3 * n;
  volume(l, 32, 28, 30, n);
  state = seed;
  for (int k = 0; k < n; k++) {
    s[3 * k] = 128 * uniform();
    s[3 * k + 1] = 112 * uniform();
    s[3 * k + 2] = 150 * uniform();
    w[k] = 300 * uniform();
  }
  for (int64_t v = 0; v < count(l); v++) {
    double x[3];
    center(l, v, x);
    l->label[v] = nearest(n, s, w, x);
  }
  free(s);
  assert_int_equal(mt_labels_count(PETSC_COMM_WORLD, l), 0);
}

/* The share of labelled voxels in the cell of their own grain, straight from the definition of the cells. */
static double agreement(const MtLabels *l, const MtPower *p) {
  int64_t n[2] = {0, 0};
  for (int64_t v = 0; v < count(l); v++) {
    double x[3];
    if (l->label[v] < 0) continue;
    center(l, v, x);
    n[0] += p->label[nearest(p->n, p->seed, p->weight, x)] == l->source[l->label[v]];
    n[1]++;
  }
  MPI_Allreduce(MPI_IN_PLACE, n, 2, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
  return (double)n[0] / (double)n[1];
}

static void fit_and_check(MtLabels *l, double least, MtPower *p, MtFit *fit) {
  assert_int_equal(mt_power_fit(PETSC_COMM_WORLD, l, p, fit), 0);
  print_message("agreement %.4f, %d iterations, loss %.4g\n", fit->agreement, fit->iterations, fit->loss);
  assert_true(fit->agreement >= least);
  assert_true(fabs(agreement(l, p) - fit->agreement) < 2e-4); /* a voxel on a face may fall to either side */
}

static void done(MtLabels *l, MtPower *p, MtFit *fit) {
  mt_labels_free(l);
  mt_power_free(p);
  mt_fit_free(fit);
}

static void clean_labels(void **unused) {
  (void)unused;
  for (uint64_t seed = 1; seed <= 2; seed++) {
    MtLabels l;
    MtPower p;
    MtFit fit;
    power_labels(&l, 24, seed);
    fit_and_check(&l, .98, &p, &fit);
    assert_int_equal(p.n, 24);
    assert_true(p.box[3] == 128 && p.box[4] == 112 && p.box[5] == 150 && p.box[0] == 0);
    assert_true(p.axis[3 * 4 + 1] == 1);
    assert_true(p.orientation[4 * 4] == cos(4) && p.orientation[4 * 4 + 3] == sin(4));
    done(&l, &p, &fit);
  }
}

/* A quarter of the voxels without a label: the fit is the same diagram. */
static void unlabelled_voxels(void **unused) {
  (void)unused;
  MtLabels l;
  MtPower p;
  MtFit fit;
  power_labels(&l, 12, 7);
  for (int64_t v = 0; v < count(&l); v++)
    if ((v % l.nx + v / l.nx) % 4 == 0) l.label[v] = -1;
  assert_int_equal(mt_labels_count(PETSC_COMM_WORLD, &l), 0);
  fit_and_check(&l, .98, &p, &fit);
  done(&l, &p, &fit);
}

/* One voxel in twenty with any label at all: against the labels before the noise the cells are as good as without. */
static void noisy_labels(void **unused) {
  (void)unused;
  MtLabels l, noisy;
  MtPower p;
  MtFit fit;
  power_labels(&l, 24, 3);
  power_labels(&noisy, 24, 3);
  for (int64_t v = 0; v < count(&l); v++) {
    state = (uint64_t)(v + (int64_t)l.z0 * l.nx * l.ny) * 0x9e3779b97f4a7c15u + 1;
    (void)uniform();
    if (uniform() < .05) noisy.label[v] = (int32_t)(24 * uniform());
  }
  assert_int_equal(mt_labels_count(PETSC_COMM_WORLD, &noisy), 0);
  fit_and_check(&noisy, .93, &p, &fit); /* 1 - .05 * 23/24 = .952 of the labels are right */
  print_message("agreement with the labels before the noise %.4f\n", agreement(&l, &p));
  assert_true(agreement(&l, &p) > .98);
  mt_labels_free(&l);
  done(&noisy, &p, &fit);
}

/* A small ball in the middle of a large grain, concentric: both centroids are one point, and no half space cuts it off.
 * The fit must say so and leave it out, not make a diagram with an empty cell. */
static void enclosed_grain(void **unused) {
  (void)unused;
  MtLabels l;
  MtPower p;
  MtFit fit;
  volume(&l, 20, 20, 16, 2);
  for (int64_t v = 0; v < count(&l); v++) {
    double x[3];
    center(&l, v, x);
    l.label[v] = pow(x[0] - 40, 2) + pow(x[1] - 40, 2) + pow(x[2] - 40, 2) < 200;
  }
  assert_int_equal(mt_labels_count(PETSC_COMM_WORLD, &l), 0);
  const int warnings = mt_warn_count();
  fit_and_check(&l, .9, &p, &fit);
  assert_int_equal(p.n, 1);
  assert_int_equal(p.label[0], 10);
  assert_int_equal(mt_warn_count(), warnings + 1);
  assert_non_null(strstr(mt_warn_text(warnings), "label 11"));
  assert_true(fit.grain_agreement[0] == 1 && fit.grain_agreement[1] == 0);
  done(&l, &p, &fit);
}

/* Shells: nothing convex; the score has to tell. */
static void poor_model(void **unused) {
  (void)unused;
  MtLabels l;
  MtPower p;
  MtFit fit;
  volume(&l, 24, 24, 20, 4);
  for (int64_t v = 0; v < count(&l); v++) {
    double x[3];
    center(&l, v, x);
    l.label[v] = (int)(sqrt(pow(x[0] - 48, 2) + pow(x[1] - 48, 2) + pow(x[2] - 50, 2)) / 12) % 4;
  }
  assert_int_equal(mt_labels_count(PETSC_COMM_WORLD, &l), 0);
  fit_and_check(&l, .2, &p, &fit);
  assert_true(fit.agreement < .6);
  done(&l, &p, &fit);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(clean_labels),   cmocka_unit_test(unlabelled_voxels), cmocka_unit_test(noisy_labels),
      cmocka_unit_test(enclosed_grain), cmocka_unit_test(poor_model),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (PetscFinalize()) return 1;
  return failed;
}
