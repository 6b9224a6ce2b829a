/* Volumes of grains and of the phase between them from the planes of a power diagram, against closed forms and against
 * the points of a fine grid. */
#include "magtwin/error.h"
#include "magtwin/microstructure.h"
#include "magtwin/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void diagram(int n, const double *seed, double edge, MtPower *p) {
  *p = (MtPower){.n = n, .box = {0, 0, 0, edge, edge, edge}};
  assert_int_equal(PetscMalloc1(3 * (size_t)n, &p->seed), 0);
  assert_int_equal(PetscCalloc1((size_t)n, &p->weight), 0);
  memcpy(p->seed, seed, 3 * (size_t)n * sizeof *seed);
}

static void volumes(const MtPower *p, double inset, double v[MT_REGION_NKINDS]) {
  bool known;
  assert_int_equal(mt_power_inset_volumes(p, inset, NULL, v, &known), 0);
  assert_true(known);
}

static void two_halves(void **unused) {
  (void)unused;
  const double seed[6] = {5, 10, 10, 15, 10, 10}, t = 3;
  double v[MT_REGION_NKINDS];
  MtPower p;
  diagram(2, seed, 20, &p);
  volumes(&p, t / 2, v);
  assert_float_equal(v[MT_REGION_GRAIN], 400 * (20 - t), 1e-9);
  assert_float_equal(v[MT_REGION_GB], 400 * t, 1e-9);
  assert_true(v[MT_REGION_TRIPLE] == 0 && v[MT_REGION_JUNCTION] == 0);
  volumes(&p, 0, v);
  assert_float_equal(v[MT_REGION_GRAIN], 8000, 1e-9);
  mt_power_free(&p);
}

/* Three cells at 120 degrees about an axis: corners t/(2 sin 60) away from it, so a triangle of edge t. */
static void a_triple_line_is_a_prism(void **unused) {
  (void)unused;
  const double edge = 20, t = 2;
  double seed[9], v[MT_REGION_NKINDS];
  MtPower p;
  for (int i = 0; i < 3; i++) {
    double angle = 0.3 + i * 2 * acos(-1) / 3;
    seed[3 * i] = 10 + 3 * cos(angle), seed[3 * i + 1] = 10 + 3 * sin(angle), seed[3 * i + 2] = 10;
  }
  diagram(3, seed, edge, &p);
  volumes(&p, t / 2, v);
  assert_float_equal(v[MT_REGION_TRIPLE], sqrt(3) / 4 * t * t * edge, 1e-9);
  assert_float_equal(v[MT_REGION_GRAIN] + v[MT_REGION_GB] + v[MT_REGION_TRIPLE], 8000,
                     8000 * 2e-3); /* walls cut askew */
  mt_power_free(&p);
}

/* Seeds on a regular tetrahedron: set-back corners at r = (t/2) sqrt(3/2) from the point, a regular tetrahedron of
 * volume 8 sqrt(3)/27 r^3. */
static void a_junction_is_a_tetrahedron(void **unused) {
  (void)unused;
  static const double direction[4][3] = {{1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}};
  const double t = 2, r = t / 2 * sqrt(1.5);
  double seed[12], v[MT_REGION_NKINDS];
  MtPower p;
  for (int i = 0; i < 12; i++) seed[i] = 10 + (double[3]){0.03, -0.02, 0.01}[i % 3] + 4 * direction[i / 3][i % 3];
  diagram(4, seed, 20, &p);
  volumes(&p, t / 2, v);
  assert_float_equal(v[MT_REGION_JUNCTION], 8 * sqrt(3) / 27 * r * r * r, 1e-9);
  mt_power_free(&p);
}

/* Part of the grid's points that lie in a cell and `inset` away from all planes through which it has a neighbour. Cells
 * beyond are so far that their planes, set back, take nothing more. */
static double counted(const MtPower *p, int n, double inset) {
  int64_t in = 0;
  for (int64_t i = 0; i < (int64_t)n * n * n; i++) {
    const double h = p->box[3] / n,
                 x[3] = {h * ((double)(i % n) + .5), h * ((double)(i / n % n) + .5), h * ((double)(i / n / n) + .5)};
    double least = INFINITY, second = INFINITY;
    int cell = 0;
    double power[64];
    for (int k = 0; k < p->n; k++) {
      power[k] = 0;
      for (int m = 0; m < 3; m++) power[k] += (x[m] - p->seed[3 * k + m]) * (x[m] - p->seed[3 * k + m]);
      if (power[k] < least) least = power[k], cell = k;
    }
    for (int k = 0; k < p->n;
         k++) { /* distance from the plane between them: difference of powers over twice that of seeds */
      double apart = 0;
      for (int m = 0; m < 3; m++) apart += pow(p->seed[3 * k + m] - p->seed[3 * cell + m], 2);
      if (k != cell) second = fmin(second, (power[k] - least) / (2 * sqrt(apart)));
    }
    in += second > inset;
  }
  return (double)in / ((double)n * n * n);
}

static void random_grains_are_counted(void **unused) {
  (void)unused;
  enum { N = 12, GRID = 160 };
  const double edge = 60, inset = 1, box = edge * edge * edge;
  double seed[3 * N], v[MT_REGION_NKINDS];
  MtRandom r;
  MtPower p;
  mt_random_seed(&r, 5);
  for (int i = 0; i < 3 * N; i++) seed[i] = edge * mt_random_uniform(&r);
  diagram(N, seed, edge, &p);
  volumes(&p, inset, v);
  /* 4 million points leave about 1e-5 open; the phase's parts by their mean faces and edges, not cut out exactly, 2e-4
   */
  assert_float_equal(v[MT_REGION_GRAIN] / box, counted(&p, GRID, inset), 1e-4);
  assert_float_equal((v[MT_REGION_GRAIN] + v[MT_REGION_GB] + v[MT_REGION_TRIPLE] + v[MT_REGION_JUNCTION]) / box, 1,
                     1e-3);
  mt_power_free(&p);
}

/* Thicker than the grains: nothing is left of them. */
static void grains_may_vanish(void **unused) {
  (void)unused;
  const double seed[9] = {5, 10, 10, 8, 10.1, 9.9, 15, 10, 10};
  double v[MT_REGION_NKINDS];
  MtPower p;
  diagram(3, seed, 20, &p);
  volumes(&p, 4, v);
  assert_true(v[MT_REGION_GRAIN] > 0 && v[MT_REGION_GRAIN] < 8000 - 400 * 12);
  mt_power_free(&p);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_halves),
      cmocka_unit_test(a_triple_line_is_a_prism),
      cmocka_unit_test(a_junction_is_a_tetrahedron),
      cmocka_unit_test(random_grains_are_counted),
      cmocka_unit_test(grains_may_vanish),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 99;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 99 : failed;
}
