/* ranks: 1 2 3 5 */
/* Images shared by ranks have the diagrams that one rank computes, pixel for pixel. */
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/topology.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static PetscErrorCode read_layers(void *context, int from, int n, double *value) {
  const MtCubical *im = context;
  const size_t layer = (size_t)im->n[0] * (im->n[2] > 1 ? (size_t)im->n[1] : 1);
  memcpy(value, im->value + (size_t)from * layer, (size_t)n * layer * sizeof *value);
  for (size_t i = 0; i < (size_t)n * layer && im->hidden; i++)
    if (im->hidden[(size_t)from * layer + i]) value[i] = NAN;
  return 0;
}

static void check_same(const MtDiagram *a, const MtDiagram *b) {
  for (int k = 0; k < a->dims; k++) {
    assert_int_equal(a->n[k], b->n[k]);
    for (int64_t i = 0; i < a->n[k]; i++) {
      const MtPair *p = &a->pair[k][i], *q = &b->pair[k][i];
      assert_int_equal(p->birth_at, q->birth_at);
      assert_int_equal(p->death_at, q->death_at);
      assert_true(p->birth == q->birth && p->death == q->death);
    }
  }
}

static void check_image(MtCubical *im) {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int kind = 0; kind < 4; kind++) {
    MtDiagram shared, alone;
    double last;
    im->top_cells = kind & 1;
    im->superlevel = kind >> 1;
    MtCubical plain = *im;
    plain.hidden = NULL;
    assert_int_equal(mt_persistence_shared(MPI_COMM_WORLD, &plain, read_layers, im, &shared, &last), 0);
    assert_int_equal(mt_persistence(im, &alone), 0);
    if (!rank)
      check_same(&shared, &alone);
    else
      assert_int_equal(shared.n[0] + shared.n[1] + shared.n[2], 0);
    double high = im->superlevel ? INFINITY : -INFINITY;
    for (int i = 0; i < im->n[0] * im->n[1] * im->n[2]; i++)
      if (!im->hidden || !im->hidden[i]) high = im->superlevel ? fmin(high, im->value[i]) : fmax(high, im->value[i]);
    assert_true(last == high);
    mt_diagram_free(&shared);
    mt_diagram_free(&alone);
  }
}

static int below(MtRandom *r, int n) {
  return (int)(mt_random_uniform(r) * n);
}

/* Noise, few values with many ties, waves, a plateau, a ramp that leads through all slabs. */
static double paint(MtRandom *r, int kind, int x, int y, int z) {
  const double noise = mt_random_uniform(r);
  if (kind == 0) return noise;
  if (kind == 1) return floor(3 * noise);
  if (kind == 2) return sin(.7 * x) + sin(.5 * y + .3 * x) + sin(.6 * z);
  if (kind == 3) return 0;
  return .1 * (x + 3 * y - 2 * z) + (noise > .9 ? noise : 0);
}

static void random_images(int dims, int count) {
  MtRandom r;
  mt_random_seed(&r, 17 + (uint64_t)dims);
  for (int t = 0; t < count; t++) {
    MtCubical im = {0};
    const int most = dims == 2 ? 30 : 12;
    for (int a = 0; a < 3; a++) {
      im.n[a] = a < dims ? 2 + below(&r, most) : 1;
      im.periodic[a] = a < dims && t % 2 && below(&r, 2);
    }
    const int n = im.n[0] * im.n[1] * im.n[2];
    double *value = malloc((size_t)n * sizeof *value);
    for (int i = 0; i < n; i++) value[i] = paint(&r, t % 5, i % im.n[0], i / im.n[0] % im.n[1], i / im.n[0] / im.n[1]);
    im.value = value;
    check_image(&im);
    uint8_t *hole = malloc((size_t)n);
    for (int i = 0; i < n; i++) hole[i] = mt_random_uniform(&r) < .15;
    hole[below(&r, n)] = 0;
    im.hidden = hole;
    check_image(&im);
    free(hole);
    free(value);
  }
}

static void test_pictures(void **state) {
  (void)state;
  random_images(2, 30);
}

static void test_volumes(void **state) {
  (void)state;
  random_images(3, 30);
}

static PetscErrorCode read_badly(void *context, int from, int n, double *value) {
  PetscErrorCode rc = read_layers(context, from, n, value);
  return from ? mt_error(MT_ERR_INPUT, "layer %d is lost", from) : rc;
}

/* One rank that cannot read ends all. */
static void test_error(void **state) {
  int ranks;
  double value[8 * 8 * 12] = {0}, last;
  MtCubical im = {.n = {8, 8, 12}, .value = value};
  MtDiagram d;
  (void)state;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  assert_int_equal(mt_persistence_shared(MPI_COMM_WORLD, &im, read_badly, &im, &d, &last),
                   ranks > 1 ? MT_ERR_INPUT : 0);
  assert_true(ranks == 1 || strstr(mt_error_message(), "is lost"));
  mt_error_clear();
  mt_diagram_free(&d);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pictures),
      cmocka_unit_test(test_volumes),
      cmocka_unit_test(test_error),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
