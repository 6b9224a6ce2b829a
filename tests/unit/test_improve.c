/* Improvement of a mesh made bad by hand: bars and cubes of boxes cut by Kuhn's scheme, with nodes pushed about. */
#include "../../src/microstructure/improve.h"
#include "magtwin/error.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
  int n[3];
  const double *cut[3];     /* [n+1] planes between the boxes */
  int layer_from, layer_to; /* boxes along x that are GB phase; none if equal */
} Bar;

static int64_t node_of(const Bar *b, const int i[3]) {
  return ((int64_t)i[0] * (b->n[1] + 1) + i[1]) * (b->n[2] + 1) + i[2];
}

/* Six tets from one corner of the box to the opposite one; the same cut on both sides of a face. */
static void cut_box(const Bar *b, const int i[3], int region, MtMeshData *m) {
  static const int order[6][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {1, 0, 2}, {2, 1, 0}};
  for (int s = 0; s < 6; s++) {
    int at[3] = {i[0], i[1], i[2]};
    int64_t *t = m->tet + 4 * m->nt;
    t[0] = node_of(b, at);
    for (int k = 0; k < 3; k++) at[order[s][k]]++, t[k + 1] = node_of(b, at);
    if (s >= 3) {
      int64_t swap = t[2];
      t[2] = t[3], t[3] = swap;
    }
    m->region[m->nt++] = region;
  }
}

static void bar_make(const Bar *b, MtMeshData *m) {
  int boxes = b->n[0] * b->n[1] * b->n[2];
  static const MtRegionKind kind[3] = {MT_REGION_GRAIN, MT_REGION_GB, MT_REGION_GRAIN};
  memset(m, 0, sizeof *m);
  m->nv = (int64_t)(b->n[0] + 1) * (b->n[1] + 1) * (b->n[2] + 1);
  m->x = calloc(3 * (size_t)m->nv, sizeof *m->x);
  m->tet = calloc(24 * (size_t)boxes, sizeof *m->tet);
  m->region = calloc(6 * (size_t)boxes, sizeof *m->region);
  m->regions.n = 3;
  m->regions.kind = malloc(sizeof kind);
  memcpy(m->regions.kind, kind, sizeof kind);
  for (int i[3] = {0, 0, 0}; i[0] <= b->n[0]; i[0]++)
    for (i[1] = 0; i[1] <= b->n[1]; i[1]++)
      for (i[2] = 0; i[2] <= b->n[2]; i[2]++) {
        for (int k = 0; k < 3; k++) m->x[3 * node_of(b, i) + k] = b->cut[k][i[k]];
        if (i[0] == b->n[0] || i[1] == b->n[1] || i[2] == b->n[2]) continue;
        cut_box(b, i, i[0] < b->layer_from ? 0 : i[0] < b->layer_to ? 1 : 2, m);
      }
  for (int k = 0; k < 3; k++) m->magnet_box[k] = b->cut[k][0], m->magnet_box[3 + k] = b->cut[k][b->n[k]];
  m->gb_thickness = b->layer_to > b->layer_from ? b->cut[0][b->layer_to] - b->cut[0][b->layer_from] : 0;
}

static void bar_free(MtMeshData *m) {
  free(m->regions.kind);
  memset(&m->regions, 0, sizeof m->regions);
  mt_mesh_data_free(m);
}

static double volume_of(const MtMeshData *m, int32_t region) {
  double sum = 0;
  for (int64_t t = 0; t < m->nt; t++) {
    double y[4][3];
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = m->x[3 * m->tet[4 * t + k / 3] + k % 3];
    if (region < 0 || m->region[t] == region) sum += mt_tet_volume((const double(*)[3])y);
  }
  return sum;
}

static const double even[5] = {0, 3, 6, 9, 12};
static const Bar cube = {{4, 4, 4}, {even, even, even}, 4, 4};

static const double along[6] = {0, 3, 6, 9, 12, 15};
static const Bar layered = {{5, 4, 4}, {along, even, even}, 2, 3}; /* grain | layer from 6 to 9 nm | grain */

static double *x_at(MtMeshData *m, const Bar *b, int i, int j, int k) {
  return m->x + 3 * node_of(b, (int[3]){i, j, k});
}

static void assert_near(double a, double b, double tolerance) {
  if (!(fabs(a - b) <= tolerance)) fail_msg("%.17g differs from %.17g by more than %g", a, b, tolerance);
}

/* A node pushed through its neighbours turns tets inside out; one on a wall, one on an edge of the box are misplaced
 * too. */
static void spoil(MtMeshData *m) {
  x_at(m, &cube, 2, 2, 2)[0] += 3.5;
  x_at(m, &cube, 0, 1, 2)[1] += 2.9;
  x_at(m, &cube, 4, 4, 2)[2] -= 2.95;
}

static void inverted_tets_are_untangled(void **unused) {
  (void)unused;
  MtMeshData m;
  MtImproved done;
  bar_make(&cube, &m);
  double volume = volume_of(&m, -1);
  spoil(&m);
  assert_int_equal(mt_mesh_improve(&m, 1, &done), 0);
  assert_true(done.inverted_before > 0 && done.gamma_before < 0);
  assert_int_equal(done.inverted_after, 0);
  assert_true(done.gamma_after > 0.15);
  assert_int_equal(done.below_after[2], 0);
  assert_true(done.moved >= 3 && done.largest > 1);
  assert_near(volume, 1728, 1e-12 * 1728);
  assert_near(volume_of(&m, -1) / volume, 1, 1e-12);
  bar_free(&m);
}

static void walls_edges_and_corners_are_kept(void **unused) {
  (void)unused;
  MtMeshData m, before;
  MtImproved done;
  bar_make(&cube, &m);
  bar_make(&cube, &before);
  spoil(&m);
  assert_int_equal(mt_mesh_improve(&m, 1, &done), 0);
  for (int64_t i = 0; i < 3 * m.nv; i++)
    if (before.x[i] == 0 || before.x[i] == 12) assert_true(m.x[i] == before.x[i]); /* to the bit */
  bar_free(&m), bar_free(&before);
}

/* Nodes of the layer's surfaces are misplaced in their plane: they slide back in it, and nothing leaves it. */
static void the_layer_keeps_its_planes(void **unused) {
  (void)unused;
  MtMeshData m;
  MtImproved done;
  bar_make(&layered, &m);
  x_at(&m, &layered, 2, 2, 2)[1] += 2.9;
  x_at(&m, &layered, 3, 1, 2)[2] += 2.9;
  assert_int_equal(mt_mesh_improve(&m, 1, &done), 0);
  assert_true(done.below_before[0] > 0);
  assert_int_equal(done.below_after[2], 0);
  assert_int_equal(done.surface_moved, 0);
  assert_near(volume_of(&m, 1), 3 * 144, 1e-10);
  assert_near(volume_of(&m, 0), 6 * 144, 1e-10);
  assert_near(done.thickness_change, 0, 1e-12);
  bar_free(&m);
}

/* A corner of the layer's surface that is out of its plane may move along the normal, but only by 0.15 of the layer
 * (where angles are good then), and the mean thickness stays within 0.1 %. */
static void a_loose_surface_moves_within_bounds(void **unused) {
  (void)unused;
  MtMeshData m;
  MtImproved done;
  bar_make(&layered, &m);
  x_at(&m, &layered, 2, 2, 2)[0] += 2.8;
  double layer = volume_of(&m, 1);
  assert_int_equal(mt_mesh_improve(&m, 1, &done), 0);
  assert_true(done.gamma_after > done.gamma_before);
  assert_true(done.largest_normal <= 0.15 * 3 + 1e-8);
  assert_true(fabs(done.thickness_change) <= 1e-3);
  assert_near(volume_of(&m, 1) / layer, 1, 0.05);
  assert_near(volume_of(&m, -1), 15 * 144, 1e-9);
  bar_free(&m);
}

static double least_angle(const MtMeshData *m) {
  double least = 180;
  for (int64_t t = 0; t < m->nt; t++) {
    double y[4][3], low, high;
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = m->x[3 * m->tet[4 * t + k / 3] + k % 3];
    mt_tet_dihedral((const double(*)[3])y, &low, &high);
    least = fmin(least, low);
  }
  return least;
}

/* A layer of 2 nm over boxes of 12 nm is 0.6 nm thick at one node.  Kuhn's tets of a box a x b x b have no smaller
 * angle than atan(a/b): 9.46 degrees in the full layer, 2.86 over that node.  Nodes that slide, and go 0.15 of the
 * layer off its surface, do not reach 8 degrees: they go as far as the angle needs. */
static void small_angles_get_the_room_they_need(void **unused) {
  (void)unused;
  enum { N = 24 };
  static const double across[4] = {0, 12, 14, 26};
  double grid[N + 1];
  for (int i = 0; i <= N; i++) grid[i] = 12 * i;
  const Bar flat = {{3, N, N}, {across, grid, grid}, 1, 2};
  MtMeshData m;
  MtImproved done;
  bar_make(&flat, &m);
  x_at(&m, &flat, 1, N / 2, N / 2)[0] += 1.4;
  assert_near(least_angle(&m), atan(0.6 / 12) * 45 / atan(1), 0.1);
  assert_int_equal(mt_mesh_improve(&m, 1, &done), 0);
  assert_true(least_angle(&m) > 8);
  assert_true(done.gamma_after >= 0.12 - 1e-6);
  assert_true(done.largest_normal > 0.15 * 2 && done.largest_normal <= 0.35 * 2 + 1e-8);
  assert_true(fabs(done.thickness_change) <= 1e-3);
  assert_near(volume_of(&m, -1) / (26. * 288 * 288), 1, 1e-12);
  bar_free(&m);
}

/* Four nodes nearly in one plane around an edge nobody can move: two tets over the other diagonal are the cure. */
static void a_sliver_is_swapped_away(void **unused) {
  (void)unused;
  const double x[6][3] = {{1, 0, .01}, {0, 1, -.01}, {-1, 0, .01}, {0, -1, -.01}, {0, 0, 1}, {0, 0, -1}};
  const int64_t tet[5][4] = {{0, 2, 1, 3}, {0, 2, 3, 4}, {0, 1, 2, 4}, {0, 3, 1, 5}, {1, 3, 2, 5}};
  MtMeshData m = {.nv = 6, .nt = 5};
  MtImproved done;
  m.x = malloc(sizeof x), m.tet = malloc(sizeof tet), m.region = calloc(5, sizeof *m.region);
  m.regions.n = 1, m.regions.kind = calloc(1, sizeof *m.regions.kind);
  memcpy(m.x, x, sizeof x), memcpy(m.tet, tet, sizeof tet);
  for (int t = 0; t < 5; t++) {
    double y[4][3];
    int64_t *c = m.tet + 4 * t, swap = c[0];
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = m.x[3 * c[k / 3] + k % 3];
    if (mt_tet_volume((const double(*)[3])y) < 0) c[0] = c[1], c[1] = swap;
  }
  double volume = volume_of(&m, -1);
  assert_int_equal(mt_mesh_improve(&m, 1, &done), 0);
  assert_true(done.below_before[0] == 1);
  assert_true(done.swaps >= 1);
  assert_int_equal(m.nt, 4);
  assert_int_equal(done.below_after[2], 0);
  assert_int_equal(done.moved, 0); /* all nodes lie on a boundary that is no wall */
  assert_near(volume_of(&m, -1), volume, 1e-15);
  bar_free(&m);
}

static void the_same_bits_each_time(void **unused) {
  (void)unused;
  MtMeshData m[2];
  MtImproved done[2];
  for (int i = 0; i < 2; i++) {
    bar_make(&cube, m + i);
    spoil(m + i);
    assert_int_equal(mt_mesh_improve(m + i, 1, done + i), 0);
  }
  assert_int_equal(m[0].nt, m[1].nt);
  assert_memory_equal(m[0].x, m[1].x, 3 * (size_t)m[0].nv * sizeof(double));
  assert_memory_equal(m[0].tet, m[1].tet, 4 * (size_t)m[0].nt * sizeof(int64_t));
  bar_free(m), bar_free(m + 1);
}

/* A good mesh is left as it is. */
static void nothing_is_done_without_need(void **unused) {
  (void)unused;
  MtMeshData m, before;
  MtImproved done;
  bar_make(&layered, &m);
  bar_make(&layered, &before);
  assert_int_equal(mt_mesh_improve(&m, 1, &done), 0);
  assert_int_equal(done.moved + done.swaps, 0);
  assert_memory_equal(m.x, before.x, 3 * (size_t)m.nv * sizeof(double));
  bar_free(&m), bar_free(&before);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inverted_tets_are_untangled),
      cmocka_unit_test(walls_edges_and_corners_are_kept),
      cmocka_unit_test(the_layer_keeps_its_planes),
      cmocka_unit_test(a_loose_surface_moves_within_bounds),
      cmocka_unit_test(small_angles_get_the_room_they_need),
      cmocka_unit_test(a_sliver_is_swapped_away),
      cmocka_unit_test(the_same_bits_each_time),
      cmocka_unit_test(nothing_is_done_without_need),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 99;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 99 : failed;
}
