/* ranks: 1 */
/* Diagrams of small images of all kinds against the reduction of their whole boundary matrix, pixel for pixel. */
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/topology.h"
#include "refused.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIXELS = 512, CELLS = 2197, WORDS = (CELLS + 63) / 64 };

/* A cell of the doubled grid: odd coordinates are directions in which it extends. */
typedef struct {
  int at[3], dim, rank;
} Cell;

typedef struct {
  int m[3], n;
  Cell cell[CELLS]; /* in the order of the filtration */
  int where[CELLS]; /* of a place of the doubled grid in that order */
  int owner[CELLS]; /* column that has this cell last, -1: none */
  bool negative[CELLS];
  uint64_t column[CELLS][WORDS];
} Oracle;

static int rank_of[PIXELS], pixel_of[PIXELS]; /* order in which pixels enter */
static const MtCubical *sorted_image;

static int by_entry(const void *a, const void *b) {
  const int i = *(const int *)a, j = *(const int *)b;
  const uint8_t *hidden = sorted_image->hidden;
  const double v = sorted_image->value[i], w = sorted_image->value[j];
  if (hidden && hidden[i] != hidden[j]) return hidden[i] - hidden[j]; /* holes enter last */
  if (hidden && hidden[i]) return (i < j) == sorted_image->top_cells ? 1 : -1;
  if (v != w) return (v < w) == sorted_image->superlevel ? 1 : -1;
  return (i < j) == sorted_image->top_cells ? 1 : -1;
}

static int sort_pixels(const MtCubical *im) {
  const int n = im->n[0] * im->n[1] * im->n[2];
  sorted_image = im;
  for (int i = 0; i < n; i++) pixel_of[i] = i;
  qsort(pixel_of, (size_t)n, sizeof *pixel_of, by_entry);
  for (int i = 0; i < n; i++) rank_of[pixel_of[i]] = i;
  return n;
}

/* Pixels of a cell along one axis. */
static int along(const MtCubical *im, int a, int c, int pixel[2]) {
  const int n = im->n[a], half = c / 2;
  pixel[0] = half, pixel[1] = half;
  if (!im->top_cells) pixel[1] = c & 1 ? (half + 1) % n : half;
  if (im->top_cells && !(c & 1)) {
    pixel[0] = im->periodic[a] ? (half + n - 1) % n : (half ? half - 1 : 0);
    pixel[1] = half < n ? half : n - 1;
  }
  return c & 1;
}

static void make_cell(const MtCubical *im, Cell *c) {
  int pixel[3][2];
  c->dim = 0;
  c->rank = -1;
  for (int a = 0; a < 3; a++) c->dim += along(im, a, c->at[a], pixel[a]);
  if (im->top_cells && im->n[2] == 1) c->dim -= 1; /* the slice itself is no direction */
  for (int k = 0; k < 8; k++) {
    const int p = (pixel[2][k >> 2] * im->n[1] + pixel[1][k >> 1 & 1]) * im->n[0] + pixel[0][k & 1];
    if (c->rank < 0 || (im->top_cells ? rank_of[p] < c->rank : rank_of[p] > c->rank)) c->rank = rank_of[p];
  }
}

static int by_rank(const void *a, const void *b) {
  const Cell *x = a, *y = b;
  return x->rank != y->rank ? x->rank - y->rank : x->dim - y->dim;
}

static int doubled(const Oracle *o, const int at[3]) {
  return (at[2] * o->m[1] + at[1]) * o->m[0] + at[0];
}

static void make_cells(const MtCubical *im, Oracle *o) {
  o->n = 0;
  for (int a = 0; a < 3; a++) {
    o->m[a] = im->periodic[a] ? 2 * im->n[a] : 2 * im->n[a] + (im->top_cells ? 1 : -1);
    if (a == 2 && im->n[2] == 1) o->m[a] = im->top_cells ? 2 : 1;
  }
  for (int z = im->top_cells && im->n[2] == 1; z < o->m[2]; z++)
    for (int y = 0; y < o->m[1]; y++)
      for (int x = 0; x < o->m[0]; x++) {
        Cell *c = &o->cell[o->n++];
        *c = (Cell){.at = {x, y, z}};
        make_cell(im, c);
      }
  qsort(o->cell, (size_t)o->n, sizeof *o->cell, by_rank);
  for (int i = 0; i < o->n; i++) o->where[doubled(o, o->cell[i].at)] = i;
}

static void boundary(const MtCubical *im, Oracle *o, int j) {
  const Cell *c = &o->cell[j];
  memset(o->column[j], 0, sizeof o->column[j]);
  for (int a = 0; a < (im->n[2] == 1 ? 2 : 3); a++)
    for (int side = -1; side <= 1 && c->at[a] & 1; side += 2) {
      int at[3] = {c->at[0], c->at[1], c->at[2]};
      at[a] = (at[a] + side) % o->m[a];
      const int i = o->where[doubled(o, at)];
      o->column[j][i >> 6] ^= UINT64_C(1) << (i & 63);
    }
}

static int last(const uint64_t *column) {
  for (int w = WORDS - 1; w >= 0; w--)
    if (column[w]) return 64 * w + 63 - __builtin_clzll(column[w]);
  return -1;
}

static void reduce_all(const MtCubical *im, Oracle *o) {
  memset(o->negative, 0, sizeof o->negative);
  for (int j = 0; j < o->n; j++) o->owner[j] = -1;
  for (int j = 0; j < o->n; j++) {
    int i;
    boundary(im, o, j);
    while ((i = last(o->column[j])) >= 0 && o->owner[i] >= 0)
      for (int w = 0; w < WORDS; w++) o->column[j][w] ^= o->column[o->owner[i]][w];
    if (i < 0) continue;
    o->owner[i] = j;
    o->negative[j] = true;
  }
}

typedef struct {
  int64_t birth_at, death_at;
} Expected;

static int by_ranks(const void *a, const void *b) {
  const Expected *x = a, *y = b;
  if (x->birth_at != y->birth_at) return rank_of[x->birth_at] - rank_of[y->birth_at];
  if (x->death_at < 0 || y->death_at < 0) return (int)(x->death_at < 0) - (y->death_at < 0);
  return rank_of[x->death_at] - rank_of[y->death_at];
}

static int expected_pairs(const MtCubical *im, const Oracle *o, int k, Expected *e) {
  int n = 0;
  for (int i = 0; i < o->n; i++) {
    if (o->cell[i].dim != k || o->negative[i]) continue;
    const int birth = pixel_of[o->cell[i].rank];
    int death = o->owner[i] < 0 ? -1 : pixel_of[o->cell[o->owner[i]].rank];
    if (im->hidden && im->hidden[birth]) continue;
    if (im->hidden && death >= 0 && im->hidden[death]) death = -1;
    if (death < 0 || im->value[birth] != im->value[death]) e[n++] = (Expected){birth, death};
  }
  qsort(e, (size_t)n, sizeof *e, by_ranks);
  return n;
}

static void check_pairs(const MtCubical *im, const Oracle *o, const MtDiagram *d) {
  static Expected e[CELLS];
  for (int k = 0; k < d->dims; k++) {
    const int n = expected_pairs(im, o, k, e);
    assert_int_equal(d->n[k], n);
    for (int i = 0; i < n; i++) {
      const MtPair *p = &d->pair[k][i];
      assert_int_equal(p->birth_at, e[i].birth_at);
      assert_int_equal(p->death_at, e[i].death_at);
      assert_true(p->birth == im->value[p->birth_at]);
      assert_true(p->death_at < 0 ? isinf(p->death) : p->death == im->value[p->death_at]);
    }
  }
}

static void check_image(MtCubical *im, Oracle *o) {
  for (int kind = 0; kind < 4; kind++) {
    MtDiagram d;
    im->top_cells = kind & 1;
    im->superlevel = kind >> 1;
    sort_pixels(im);
    make_cells(im, o);
    reduce_all(im, o);
    assert_int_equal(mt_persistence(im, &d), 0);
    check_pairs(im, o, &d);
    mt_diagram_free(&d);
  }
}

static int below(MtRandom *r, int n) {
  return (int)(mt_random_uniform(r) * n);
}

/* Random values, few values with many ties, waves, and noise on waves. */
static void paint(MtRandom *r, int kind, const int n[3], double *value) {
  const double phase = 7 * mt_random_uniform(r);
  for (int i = 0; i < n[0] * n[1] * n[2]; i++) {
    const int x = i % n[0], y = i / n[0] % n[1], z = i / n[0] / n[1];
    const double wave = sin(1.3 * x + phase) + sin(1.7 * y - phase) + sin(1.1 * z + x);
    const double random = mt_random_uniform(r);
    value[i] = kind == 0   ? random
               : kind == 1 ? below(r, 3)
               : kind == 2 ? wave
               : kind == 3 ? wave + random
                           : below(r, 6);
  }
}

static void random_images(int dims, int count) {
  Oracle *o = malloc(sizeof *o);
  double value[PIXELS];
  MtRandom r;
  mt_random_seed(&r, 7 + (uint64_t)dims);
  for (int t = 0; t < count; t++) {
    MtCubical im = {.value = value};
    for (int a = 0; a < 3; a++) {
      im.n[a] = dims == 2 ? (a < 2 ? 1 + below(&r, 11) : 1) : 2 + below(&r, 4);
      im.periodic[a] = im.n[a] > 1 && t % 3 == 0 && below(&r, 2);
    }
    paint(&r, t % 5, im.n, value);
    check_image(&im, o);
  }
  free(o);
}

static void test_pictures(void **state) {
  (void)state;
  random_images(2, 120);
}

static void test_volumes(void **state) {
  (void)state;
  random_images(3, 60);
}

/* Holes in a third of the pixels, with numbers under them that are none. */
static void test_holes(void **state) {
  Oracle *o = malloc(sizeof *o);
  double value[PIXELS];
  uint8_t hidden[PIXELS];
  MtRandom r;
  (void)state;
  mt_random_seed(&r, 31);
  for (int t = 0; t < 60; t++) {
    MtCubical im = {.value = value, .hidden = hidden};
    for (int a = 0; a < 3; a++) {
      im.n[a] = t % 2 ? (a < 2 ? 2 + below(&r, 9) : 1) : 2 + below(&r, 4);
      im.periodic[a] = im.n[a] > 1 && t % 3 == 0 && below(&r, 2);
    }
    paint(&r, t % 5, im.n, value);
    for (int i = 0; i < im.n[0] * im.n[1] * im.n[2]; i++) {
      hidden[i] = below(&r, 3) == 0;
      if (hidden[i] && below(&r, 2)) value[i] = NAN;
    }
    check_image(&im, o);
  }
  free(o);
}

/* Pixels p and q touch: across a face, or also a corner. */
static bool touch(const MtCubical *im, int p, int q, bool corners) {
  int far = 0, sum = 0;
  const int *n = im->n, a[3] = {p % n[0], p / n[0] % n[1], p / n[0] / n[1]},
            b[3] = {q % n[0], q / n[0] % n[1], q / n[0] / n[1]};
  for (int i = 0; i < 3; i++) {
    int d = abs(a[i] - b[i]);
    if (im->periodic[i] && n[i] - d < d) d = n[i] - d;
    far = d > far ? d : far;
    sum += d;
  }
  return corners ? far == 1 : sum == 1;
}

/* Grows from the start over all pixels again and again; how many, marked in `in`. */
static int grow(const MtCubical *im, int start, double limit, bool low, bool corners, uint8_t *in) {
  const int n = im->n[0] * im->n[1] * im->n[2];
  int size = 1;
  memset(in, 0, (size_t)n);
  in[start] = 1;
  for (bool more = true; more;) {
    more = false;
    for (int p = 0; p < n; p++)
      for (int q = 0; q < n && !in[p]; q++)
        if (in[q] && touch(im, p, q, corners) && (low ? im->value[p] < limit : im->value[p] > limit)) {
          in[p] = 1;
          size++;
          more = true;
        }
  }
  return size;
}

static void check_region(const MtCubical *im, int k, const MtPair *p) {
  uint8_t in[PIXELS], seen[PIXELS] = {0};
  int64_t *pixel;
  const bool domain = k == 0, low = domain != im->superlevel;
  const int64_t n = mt_pair_region(im, k, p, seen, &pixel);
  const int start = (int)(domain ? p->birth_at : p->death_at);
  assert_int_equal(n, grow(im, start, domain ? p->death : p->birth, low, domain == im->top_cells, in));
  for (int64_t j = 0; j < n; j++) {
    const double v = im->value[pixel[j]]; /* its birth (death) is the extreme of it */
    assert_true(in[pixel[j]] && (!j || pixel[j] > pixel[j - 1]));
    assert_true(low ? v >= im->value[start] : v <= im->value[start]);
  }
  free(pixel);
}

static void test_regions(void **state) {
  double value[PIXELS];
  MtRandom r;
  MtDiagram d;
  (void)state;
  mt_random_seed(&r, 21);
  for (int t = 0; t < 40; t++) {
    MtCubical im = {.value = value, .top_cells = t & 1, .superlevel = t >> 1 & 1};
    for (int a = 0; a < 3; a++) {
      im.n[a] = t % 8 < 4 ? (a < 2 ? 3 + below(&r, 7) : 1) : 2 + below(&r, 4);
      im.periodic[a] = im.n[a] > 1 && t % 3 == 0 && below(&r, 2);
    }
    paint(&r, t % 5, im.n, value);
    assert_int_equal(mt_persistence(&im, &d), 0);
    for (int k = 0; k < d.dims; k += d.dims - 1)
      for (int64_t i = 0; i < d.n[k]; i++)
        if (d.pair[k][i].death_at >= 0) check_region(&im, k, &d.pair[k][i]);
    mt_diagram_free(&d);
  }
}

/* Not a lone feature: a ball of low values in a shell of high ones in a box of low ones. */
static void test_shell(void **state) {
  enum { N = 31 };
  double *value = malloc(N * N * N * sizeof *value);
  MtDiagram d;
  (void)state;
  for (int i = 0; i < N * N * N; i++) {
    const double x = i % N - 15, y = i / N % N - 15, z = i / N / N - 15;
    value[i] = fabs(sqrt(x * x + y * y + z * z) - 10.25);
  }
  MtCubical im = {.n = {N, N, N}, .value = value};
  assert_int_equal(mt_persistence(&im, &d), 0);
  int64_t lasting = 0;
  for (int64_t i = 0; i < d.n[2]; i++)
    if (d.pair[2][i].death - d.pair[2][i].birth > 5) {
      lasting++;
      assert_true(d.pair[2][i].death == 10.25); /* the void of the sphere ends at its centre */
      assert_int_equal(d.pair[2][i].death_at, N * N * N / 2);
    }
  assert_int_equal(lasting, 1);
  mt_diagram_free(&d);
  free(value);
}

static void test_constant(void **state) {
  double value[60] = {0};
  MtDiagram d;
  (void)state;
  for (int i = 0; i < 60; i += 7) value[i] = -0.; /* the same as 0 */
  MtCubical im = {.n = {5, 4, 3}, .value = value};
  assert_int_equal(mt_persistence(&im, &d), 0);
  assert_int_equal(d.n[0], 1); /* the whole, which never dies */
  assert_true(isinf(d.pair[0][0].death));
  assert_int_equal(d.n[1] + d.n[2], 0);
  mt_diagram_free(&d);
}

static void refused(MtCubical im, const char *text) {
  MtDiagram d;
  assert_refused(mt_persistence(&im, &d), text);
}

static void test_bad_images(void **state) {
  double value[6] = {0, 1, 2, NAN, 4, 5};
  (void)state;
  refused((MtCubical){.n = {3, 2, 1}, .value = value}, "x 0, y 1, z 0 is not a finite number");
  refused((MtCubical){.n = {0, 2, 1}, .value = value}, "is empty");
  refused((MtCubical){.n = {3, 2, 1}, .periodic = {false, false, true}, .value = value}, "z has 1");
  refused((MtCubical){.n = {2048, 2048, 1024}, .value = value}, "too large");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pictures), cmocka_unit_test(test_volumes),    cmocka_unit_test(test_shell),
      cmocka_unit_test(test_constant), cmocka_unit_test(test_bad_images), cmocka_unit_test(test_regions),
      cmocka_unit_test(test_holes),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
