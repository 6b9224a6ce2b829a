/* Power diagrams cut out of a box: against planes and polyhedra known in closed form, and against the definition
 * itself. */
#include "magtwin/cells.h"
#include "magtwin/error.h"
#include "refused.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small generator of the test's own (Knuth's MMIX constants), so that the oracle shares nothing with the code. */
static uint64_t state = 1;
static double uniform(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)(state >> 11) / 9007199254740992.0;
}

static void make(MtPower *p, int n, double lx, double ly, double lz) {
  const double box[6] = {0, 0, 0, lx, ly, lz};
  p->n = n;
  memcpy(p->box, box, sizeof box);
  assert_int_equal(PetscCalloc1(3 * (size_t)n, &p->seed), 0);
  assert_int_equal(PetscCalloc1((size_t)n, &p->weight), 0);
  assert_int_equal(PetscCalloc1(3 * (size_t)n, &p->axis), 0);
  assert_int_equal(PetscCalloc1((size_t)n, &p->label), 0);
  for (int k = 0; k < n; k++) p->label[k] = k;
}

/* m^3 seeds of a cubic lattice, 10 nm apart. */
static void make_cubic(MtPower *p, int m) {
  make(p, m * m * m, 10 * m, 10 * m, 10 * m);
  for (int k = 0; k < p->n; k++) {
    p->seed[3 * k] = 5 + 10 * (k % m);
    p->seed[3 * k + 1] = 5 + 10 * (k / m % m);
    p->seed[3 * k + 2] = 5 + 10 * (k / (m * m));
  }
}

static void make_random(MtPower *p, int n, uint64_t seed) {
  make(p, n, 80, 60, 100);
  state = seed;
  for (int k = 0; k < n; k++) {
    for (int d = 0; d < 3; d++) p->seed[3 * k + d] = p->box[3 + d] * uniform();
    p->weight[k] = 30 * uniform() / pow(n / 16., 2. / 3.);
  }
}

static double face_area(const MtCells *c, int f) {
  double a[3] = {0};
  const double *o = &c->x[3 * c->face_vertex[c->face_start[f]]];
  for (int i = c->face_start[f] + 1; i + 1 < c->face_start[f + 1]; i++) {
    const double *p = &c->x[3 * c->face_vertex[i]], *q = &c->x[3 * c->face_vertex[i + 1]];
    for (int d = 0; d < 3; d++) {
      int e = (d + 1) % 3, g = (d + 2) % 3;
      a[d] += ((p[e] - o[e]) * (q[g] - o[g]) - (p[g] - o[g]) * (q[e] - o[e])) / 2;
    }
  }
  return sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
}

static void assert_near(double a, double b, double tolerance) {
  if (!(fabs(a - b) <= tolerance)) fail_msg("%.17g differs from %.17g by more than %g", a, b, tolerance);
}

static void assert_valid(const MtCells *c) {
  if (mt_cells_check(c) != 0) fail_msg("%s", mt_error_message());
}

static void one_grain_is_the_box(void **unused) {
  (void)unused;
  MtPower p = {0};
  MtCells c;
  make(&p, 1, 2, 3, 5);
  p.seed[0] = 1;
  assert_int_equal(mt_cells_build(&p, &c), 0);
  assert_valid(&c);
  assert_int_equal(c.nvertices, 8);
  assert_int_equal(c.nedges, 12);
  assert_int_equal(c.nfaces, 6);
  assert_near(c.volume[0], 30, 1e-13);
  for (int d = 0; d < 3; d++) assert_near(c.center[d], c.box[3 + d] / 2, 1e-14);
  mt_cells_free(&c);
  mt_power_free(&p);
}

/* Between (x1, y0, z0) and (x2, y0, z0) the plane is x = (x1 + x2)/2 + (w1 - w2)/(2 (x2 - x1)). */
static void two_seeds_are_parted_by_the_power_plane(void **unused) {
  (void)unused;
  MtPower p = {0};
  MtCells c;
  make(&p, 2, 10, 4, 5);
  const double seed[6] = {2, 2, 2, 6, 2, 2};
  memcpy(p.seed, seed, sizeof seed);
  p.weight[0] = 3;
  p.weight[1] = -5;
  assert_int_equal(mt_cells_build(&p, &c), 0);
  assert_valid(&c);
  const double plane = 4 + (3. + 5.) / (2 * 4);
  assert_near(c.volume[0], 20 * plane, 1e-12);
  assert_near(c.volume[1], 20 * (10 - plane), 1e-12);
  assert_near(c.center[0], plane / 2, 1e-13);
  for (int f = 0; f < c.nfaces; f++)
    if (c.face_cells[2 * f + 1] == 1) {
      assert_near(face_area(&c, f), 20, 1e-12);
      for (int i = c.face_start[f]; i < c.face_start[f + 1]; i++) assert_near(c.x[3 * c.face_vertex[i]], plane, 1e-13);
    }
  mt_cells_free(&c);
  mt_power_free(&p);
}

/* BCC lattice of cubic constant a: cells in the bulk are truncated octahedra of volume a^3/2, six squares of area a^2/8
 * and eight hexagons of area 3 sqrt(3) a^2/16 (edge a sqrt(2)/4); Weaire, The Kelvin Problem (1996). */
static void bcc_seeds_make_truncated_octahedra(void **unused) {
  (void)unused;
  MtPower p = {0};
  MtCells c;
  const int m = 4;
  const double a = 7.5;
  make(&p, 2 * m * m * m, m * a, m * a, m * a);
  for (int i = 0, k = 0; i < m * m * m; i++)
    for (int half = 0; half < 2; half++, k++) {
      const int at[3] = {i % m, i / m % m, i / (m * m)};
      for (int d = 0; d < 3; d++) p.seed[3 * k + d] = a * (at[d] + (half ? .75 : .25));
    }
  assert_int_equal(mt_cells_build(&p, &c), 0);
  assert_valid(&c);
  int bulk = 2 * (1 + m * (1 + m * 1)), squares = 0, hexagons = 0;
  assert_near(c.volume[bulk], a * a * a / 2, 1e-5);
  for (int f = 0; f < c.nfaces; f++) {
    if (c.face_cells[2 * f] != bulk && c.face_cells[2 * f + 1] != bulk) continue;
    double area = face_area(&c, f);
    if (fabs(area - a * a / 8) < 1e-5)
      squares++;
    else if (fabs(area - 3 * sqrt(3) * a * a / 16) < 1e-5)
      hexagons++;
    else if (area > 1e-5)
      fail_msg("face of area %g in a truncated octahedron", area);
  }
  assert_int_equal(squares, 6);
  assert_int_equal(hexagons, 8);
  mt_cells_free(&c);
  mt_power_free(&p);
}

/* Eight cubes meet at every inner vertex: the worst degeneracy a lattice offers. */
static void cubic_seeds_make_cubes(void **unused) {
  (void)unused;
  MtPower p = {0};
  MtCells c;
  const int m = 5;
  make_cubic(&p, m);
  assert_int_equal(mt_cells_build(&p, &c), 0);
  assert_valid(&c);
  for (int k = 0; k < p.n; k++) assert_near(c.volume[k], 1000, 1e-4);
  mt_cells_free(&c);
  mt_power_free(&p);
}

/* Point x is in cell k when it is on the inner side of all its faces. */
static bool inside(const MtCells *c, int k, const double x[3]) {
  for (int f = 0; f < c->nfaces; f++) {
    int side = c->face_cells[2 * f] == k ? 1 : c->face_cells[2 * f + 1] == k ? -1 : 0;
    if (!side) continue;
    const double *o = &c->x[3 * c->face_vertex[c->face_start[f]]];
    double s = 0;
    for (int i = c->face_start[f] + 1; i + 1 < c->face_start[f + 1]; i++) {
      const double *p = &c->x[3 * c->face_vertex[i]], *q = &c->x[3 * c->face_vertex[i + 1]];
      for (int d = 0; d < 3; d++) {
        int e = (d + 1) % 3, g = (d + 2) % 3;
        s += (x[d] - o[d]) * ((p[e] - o[e]) * (q[g] - o[g]) - (p[g] - o[g]) * (q[e] - o[e]));
      }
    }
    if (side * s > 0) return false;
  }
  return true;
}

static int cell_by_definition(const MtPower *p, const double x[3]) {
  int best = 0;
  double least = INFINITY;
  for (int k = 0; k < p->n; k++) {
    double power = -p->weight[k];
    for (int d = 0; d < 3; d++) power += (x[d] - p->seed[3 * k + d]) * (x[d] - p->seed[3 * k + d]);
    if (power < least) {
      least = power;
      best = k;
    }
  }
  return best;
}

static void random_cells_are_the_definition(void **unused) {
  (void)unused;
  const int sizes[] = {16, 200, 1000};
  for (int t = 0; t < 3; t++) {
    MtPower p = {0};
    MtCells c;
    make_random(&p, sizes[t], 11 + (uint64_t)t);
    if (mt_cells_build(&p, &c) != 0) fail_msg("%s", mt_error_message());
    assert_valid(&c);
    for (int i = 0; i < 2000; i++) {
      double x[3];
      for (int d = 0; d < 3; d++) x[d] = p.box[3 + d] * uniform();
      assert_true(inside(&c, cell_by_definition(&p, x), x));
    }
    mt_cells_free(&c);
    mt_power_free(&p);
  }
}

/* The normal of a face by the right-hand rule points from its first to its second cell. */
static void faces_turn_towards_their_second_cell(void **unused) {
  (void)unused;
  MtPower p = {0};
  MtCells c;
  make_random(&p, 40, 5);
  assert_int_equal(mt_cells_build(&p, &c), 0);
  for (int f = 0; f < c.nfaces; f++) {
    const int32_t *v = &c.face_vertex[c.face_start[f]];
    int a = c.face_cells[2 * f];
    double volume = 0;
    for (int i = 1; i + 1 < c.face_start[f + 1] - c.face_start[f]; i++)
      for (int d = 0; d < 3; d++) {
        int e = (d + 1) % 3, g = (d + 2) % 3;
        const double *o = &c.x[3 * v[0]], *q = &c.x[3 * v[i]], *r = &c.x[3 * v[i + 1]];
        volume += (o[d] - c.center[3 * a + d]) * ((q[e] - o[e]) * (r[g] - o[g]) - (q[g] - o[g]) * (r[e] - o[e]));
      }
    assert_true(volume > 0);
  }
  mt_cells_free(&c);
  mt_power_free(&p);
}

static void bad_diagrams_are_refused(void **unused) {
  (void)unused;
  MtPower p = {0};
  MtCells c;
  make_random(&p, 10, 3);
  p.weight[4] = -1e5;
  assert_refused(mt_cells_build(&p, &c), "grain 4");
  p.weight[4] = p.weight[5];
  memcpy(&p.seed[12], &p.seed[15], 3 * sizeof(double));
  assert_int_equal(mt_cells_build(&p, &c), MT_ERR_INPUT);
  mt_error_clear();
  mt_power_free(&p);
}

static void damage_is_found(void **unused) {
  (void)unused;
  MtPower p = {0};
  MtCells c;
  make_random(&p, 12, 7);
  assert_int_equal(mt_cells_build(&p, &c), 0);
  int32_t kept = c.face_vertex[0];
  c.face_vertex[0] = c.face_vertex[1];
  assert_int_equal(mt_cells_check(&c), MT_ERR_FAIL);
  mt_error_clear();
  c.face_vertex[0] = kept;
  assert_valid(&c);
  c.volume[3] *= 1 + 1e-9;
  assert_int_equal(mt_cells_check(&c), MT_ERR_FAIL);
  mt_error_clear();
  mt_cells_free(&c);
  mt_power_free(&p);
}

static double shortest_edge(const MtCells *c) {
  double least = INFINITY;
  for (int i = 0; i < c->nedges; i++) {
    const double *u = &c->x[3 * c->edge[2 * i]], *w = &c->x[3 * c->edge[2 * i + 1]];
    least = fmin(least, sqrt(pow(u[0] - w[0], 2) + pow(u[1] - w[1], 2) + pow(u[2] - w[2], 2)));
  }
  return least;
}

/* Without an inset an edge is bad when it is short; the complex stays one whatever is removed, and changes volumes
 * little. */
static void short_edges_are_removed(void **unused) {
  (void)unused;
  for (uint64_t seed = 1; seed < 6; seed++) {
    MtPower p = {0};
    MtCells before, c;
    make_random(&p, 60, seed);
    assert_int_equal(mt_cells_build(&p, &before), 0);
    assert_int_equal(mt_cells_build(&p, &c), 0);
    assert_int_equal(mt_cells_regularize(&c, 0, 1), 0);
    assert_valid(&c);
    assert_true(c.ncollapsed > 0);
    assert_true(before.nvertices - c.nvertices == c.ncollapsed);
    assert_true(shortest_edge(&c) > 5 * shortest_edge(&before));
    for (int k = 0; k < p.n; k++) assert_near(c.volume[k], before.volume[k], .1 * before.volume[k] + 10);
    mt_cells_free(&before);
    mt_cells_free(&c);
    mt_power_free(&p);
  }
}

/* The cubic lattice again: its split vertices are edges of about 1e-9 nm, and all of them must go: 6^3 corners are
 * left. */
static void split_lattice_vertices_are_joined_again(void **unused) {
  (void)unused;
  MtPower p = {0};
  MtCells c;
  const int m = 5;
  make_cubic(&p, m);
  assert_int_equal(mt_cells_build(&p, &c), 0);
  assert_int_equal(mt_cells_regularize(&c, 1, 1), 0);
  assert_valid(&c);
  assert_int_equal(c.nvertices, (m + 1) * (m + 1) * (m + 1));
  assert_int_equal(c.nfaces, 3 * m * m * (m + 1));
  mt_cells_free(&c);
  mt_power_free(&p);
}

/* Whatever the seed, the complex holds, and a grain-boundary phase of 3 nm leaves more edges too short than one without
 * thickness. */
static void the_inset_counts(void **unused) {
  (void)unused;
  for (uint64_t seed = 1; seed < 11; seed++) {
    MtPower p = {0};
    MtCells plain, c;
    make_random(&p, 30, seed);
    assert_int_equal(mt_cells_build(&p, &plain), 0);
    assert_int_equal(mt_cells_build(&p, &c), 0);
    assert_int_equal(mt_cells_regularize(&plain, 0, 1), 0);
    assert_int_equal(mt_cells_regularize(&c, 1.5, 1), 0);
    assert_valid(&plain);
    assert_valid(&c);
    assert_true(c.ncollapsed > plain.ncollapsed);
    mt_cells_free(&plain);
    mt_cells_free(&c);
    mt_power_free(&p);
  }
}

/* Sine-like measure of how a face's loop turns about its mean, in the plane of its area: positive at every edge when
 * the loop is simple and seen whole from there, as Gmsh needs it. */
static double least_turn(const MtCells *c, int f) {
  const int32_t *loop = &c->face_vertex[c->face_start[f]];
  int n = c->face_start[f + 1] - c->face_start[f];
  double mean[3] = {0}, area[3] = {0}, turn[64][3], least = 1;
  assert_true(n <= 64);
  for (int i = 0; i < 3 * n; i++) mean[i % 3] += c->x[3 * loop[i / 3] + i % 3] / n;
  for (int i = 0; i < n; i++) {
    const double *p = &c->x[3 * loop[i]], *q = &c->x[3 * loop[(i + 1) % n]];
    for (int k = 0; k < 3; k++) {
      int a = (k + 1) % 3, b = (k + 2) % 3;
      turn[i][k] = (p[a] - mean[a]) * (q[b] - mean[b]) - (p[b] - mean[b]) * (q[a] - mean[a]);
      area[k] += turn[i][k];
    }
  }
  for (int i = 0; i < n; i++) {
    double along = 0;
    for (int k = 0; k < 3; k++) along += turn[i][k] * area[k];
    least = fmin(least, along);
  }
  return least;
}

/* Edges far too short used to be left running back over their neighbours on the way out: faces no mesher can fill. */
static void loops_stay_simple(void **unused) {
  (void)unused;
  for (uint64_t seed = 1; seed < 31; seed++) {
    MtPower p = {0};
    MtCells c;
    make_random(&p, 40, seed);
    assert_int_equal(mt_cells_build(&p, &c), 0);
    assert_int_equal(mt_cells_regularize(&c, 1.5, 3), 0);
    assert_valid(&c);
    for (int f = 0; f < c.nfaces; f++) assert_true(least_turn(&c, f) > 0);
    mt_cells_free(&c);
    mt_power_free(&p);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_grain_is_the_box),
      cmocka_unit_test(two_seeds_are_parted_by_the_power_plane),
      cmocka_unit_test(bcc_seeds_make_truncated_octahedra),
      cmocka_unit_test(cubic_seeds_make_cubes),
      cmocka_unit_test(random_cells_are_the_definition),
      cmocka_unit_test(faces_turn_towards_their_second_cell),
      cmocka_unit_test(bad_diagrams_are_refused),
      cmocka_unit_test(damage_is_found),
      cmocka_unit_test(short_edges_are_removed),
      cmocka_unit_test(split_lattice_vertices_are_joined_again),
      cmocka_unit_test(the_inset_counts),
      cmocka_unit_test(loops_stay_simple),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 99;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 99 : failed;
}
