/* Removal of slivers by cavities that swallow points: what is left must still fill the room once, with every point
 * used.  Surfaces that cut themselves are found; faces that share a triangle are parted. */
#include "../../src/microstructure/faces.h"
#include "../../src/microstructure/gb_fill.h"
#include "magtwin/error.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Octahedron around two inner points close together: 7 tets from point 6 to the outer faces, and the one of face 0 cut
 * in four by point 7; faces outward. */
static double corner[6][3] = {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
static int32_t face[8][3] = {{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}};

static void fill_make(MtFill *f) {
  const double inner[2][3] = {{0, 0, 0}, {.02, .025, .03}};
  const int32_t *a = face[0];
  *f = (MtFill){.nx = 2, .nt = 11, .x = malloc(sizeof inner), .tet = malloc(44 * sizeof(int32_t))};
  memcpy(f->x, inner, sizeof inner);
  for (int i = 0; i < 8; i++)
    memcpy(f->tet + 4 * i, (int32_t[4]){i ? 6 : 7, face[i][0], face[i][1], face[i][2]}, 4 * sizeof(int32_t));
  for (int i = 0; i < 3; i++)
    memcpy(f->tet + 4 * (8 + i), (int32_t[4]){6, a[i], a[(i + 1) % 3], 7}, 4 * sizeof(int32_t));
}

static double volume(const MtFill *f, double *least) {
  double sum = 0;
  for (int t = 0; t < f->nt; t++) {
    double y[4][3];
    for (int k = 0; k < 12; k++) {
      int32_t v = f->tet[4 * t + k / 3];
      y[k / 3][k % 3] = v < 6 ? corner[v][k % 3] : f->x[3 * (v - 6) + k % 3];
    }
    sum += mt_tet_volume((const double(*)[3])y);
    *least = fmin(*least, mt_tet_gamma((const double(*)[3])y));
  }
  return sum;
}

static void swallowed_points_and_tets_are_gone(void **unused) {
  (void)unused;
  MtShell s = {6, 8, corner[0], face[0]};
  MtFill f;
  double before = 1, after = 1;
  int used[16] = {0};
  fill_make(&f);
  assert_true(fabs(volume(&f, &before) - 4. / 3) < 1e-14); /* of the octahedron */
  assert_true(before > 0 && before < 0.15);
  mt_fill_repair(&s, &f);
  assert_true(fabs(volume(&f, &after) - 4. / 3) < 1e-13);
  assert_true(after > 0.3);
  assert_true(f.nx < 10);
  for (int i = 0; i < 4 * f.nt; i++) used[f.tet[i]] = 1;
  for (int i = 0; i < f.nx; i++) assert_true(used[6 + i]);
  mt_fill_free(&f);
}

/* The top of the octahedron goes out through its lower half: faces of the upper half then cut faces of the lower one.
 * Halfway down it cuts nothing. */
static void surfaces_that_cut_themselves_are_found(void **unused) {
  (void)unused;
  double x[6][3];
  MtShell s = {6, 8, x[0], face[0]};
  int n, *cut;
  memcpy(x, corner, sizeof x);
  mt_shell_cuts(&s, &cut, &n);
  assert_int_equal(n, 0);
  free(cut);
  x[4][0] = 0.6, x[4][1] = 0.1, x[4][2] = -0.9;
  mt_shell_cuts(&s, &cut, &n);
  assert_true(n > 0 && n <= 12);
  for (int i = 0; i < n; i++) assert_true((cut[2 * i] < 4) != (cut[2 * i + 1] < 4));
  free(cut);
  x[4][0] = 0.2, x[4][2] = -0.5;
  mt_shell_cuts(&s, &cut, &n);
  assert_int_equal(n, 0);
  free(cut);
}

/* Two faces along 0-1-2, each cut along 0-2: the triangle 0-1-2 comes twice.  The first face goes on to node 3; with
 * three nodes alone it has no diagonal to turn. */
static MtFaceMesh face_with(int n) {
  static const int32_t cut[6] = {0, 1, 2, 0, 2, 3};
  MtFaceMesh m = {0, n - 2, malloc(sizeof(double)), malloc(sizeof cut)};
  memcpy(m.tri, cut, 3 * (size_t)(n - 2) * sizeof *cut);
  return m;
}

/* Area seen along z of face f. */
static double area_of(const MtFaceMesh *m, int n, const int32_t *loop, const double (*x)[3]) {
  double sum = 0;
  for (int k = 0; k < m->ntri; k++) {
    const double *p[3];
    for (int i = 0; i < 3; i++) {
      const int32_t v = m->tri[3 * k + i];
      p[i] = v < n ? x[loop[v]] : m->inner + 3 * (v - n);
    }
    const double area = (p[1][0] - p[0][0]) * (p[2][1] - p[0][1]) - (p[1][1] - p[0][1]) * (p[2][0] - p[0][0]);
    assert_true(area > 0);
    sum += area / 2;
  }
  return sum;
}

static void faces_with_a_common_triangle_are_parted(void **unused) {
  (void)unused;
  const double x[5][3] = {{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {0, 1, 0}, {-.5, -.2, 0}};
  const int32_t loop[8] = {0, 1, 2, 3, 0, 1, 2, 4};
  for (int n = 4; n >= 3; n--) {
    const int32_t loop_start[3] = {0, n, n + 4}, *loops = loop, three[7] = {0, 1, 2, 0, 1, 2, 4};
    MtFaceMesh m[2] = {face_with(n), face_with(4)};
    m[1].tri[3] = 0, m[1].tri[4] = 2, m[1].tri[5] = 3;
    /* its corner at 0 points inward: no turn is possible there */
    int nturned;
    if (n == 3) loops = three;
    assert_int_equal(mt_faces_part(2, loop_start, loops, x[0], m, &nturned), 0);
    assert_int_equal(nturned, 1);
    assert_int_equal(m[0].ninner, n == 4 ? 0 : 1);
    assert_int_equal(m[0].ntri, n == 4 ? 2 : 3);
    assert_int_equal(m[1].ninner + m[1].ntri, 2);
    assert_true(fabs(area_of(m, n, loops, x) - (n == 4 ? 1 : .5)) < 1e-15);
    for (int f = 0; f < 2; f++) free(m[f].inner), free(m[f].tri);
  }
}

/* A square of 10 x 10 squares, each of two triangles, in a plane that rounding bends: no two of them go through each
 * other, whatever the plane. */
static void a_plane_does_not_cut_itself(void **state) {
  (void)state;
  enum { N = 10, POINTS = (N + 1) * (N + 1) };
  double x[3 * POINTS];
  int32_t tri[3 * 2 * N * N];
  MtShell s = {.nx = POINTS, .nt = 2 * N * N, .x = x, .tri = tri};
  int n, *pair, t = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      const int32_t a = i * (N + 1) + j, b = a + N + 1;
      memcpy(tri + 3 * t++, (int32_t[3]){a, a + 1, b}, 3 * sizeof *tri);
      memcpy(tri + 3 * t++, (int32_t[3]){b, a + 1, b + 1}, 3 * sizeof *tri);
    }
  for (int turn = 1; turn < 60; turn++) {
    const double u[3] = {cos(turn), sin(turn) * cos(.7 * turn), sin(turn) * sin(.7 * turn)};
    const double v[3] = {-sin(turn), cos(turn) * cos(.7 * turn), cos(turn) * sin(.7 * turn)};
    for (int k = 0; k < POINTS; k++)
      for (int c = 0; c < 3; c++) {
        const int i = k / (N + 1), j = k % (N + 1);
        x[3 * k + c] = 7.3 + (1.1 * i + .3 * sin(j)) * u[c] + (.9 * j + .2 * sin(3 * i)) * v[c];
      }
    mt_shell_cuts(&s, &pair, &n);
    free(pair);
    assert_int_equal(n, 0);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(swallowed_points_and_tets_are_gone), cmocka_unit_test(surfaces_that_cut_themselves_are_found),
      cmocka_unit_test(a_plane_does_not_cut_itself), cmocka_unit_test(faces_with_a_common_triangle_are_parted)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 99;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 99 : failed;
}
