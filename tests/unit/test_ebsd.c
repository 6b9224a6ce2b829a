/* ranks: 1 2 3 */
/* Orientations, .ang files, labelling and clean-up of an EBSD series. */
#include "../../src/microstructure/measured.h"
#include "magtwin/error.h"
#include "near.h"
#include "refused.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A small generator of the test's own (Knuth's MMIX constants). */
static uint64_t state = 1;
static double uniform(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)(state >> 11) / 9007199254740992.0;
}

/* ---- the oracle: rotation matrices, the group found among signed permutations, the angle from the trace ---- */

/* Crystal to sample, Rz(phi1) Rx(Phi) Rz(phi2), written out (Bunge 1982, eq. 2.50, transposed). */
static void matrix(const double e[3], double g[3][3]) {
  const double c1 = cos(e[0]), s1 = sin(e[0]), c = cos(e[1]), s = sin(e[1]), c2 = cos(e[2]), s2 = sin(e[2]);
  const double m[3][3] = {{c1 * c2 - s1 * s2 * c, -c1 * s2 - s1 * c2 * c, s1 * s},
                          {s1 * c2 + c1 * s2 * c, -s1 * s2 + c1 * c2 * c, -c1 * s},
                          {s2 * s, c2 * s, c}};
  memcpy(g, m, sizeof m);
}

/* The 24 signed permutation matrices of determinant 1; the 8 that keep the z axis are the tetragonal class. */
static int signed_permutations(bool tetragonal, double op[24][3][3]) {
  static const int perm[6][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}};
  int n = 0;
  for (int p = 0; p < 6; p++)
    for (int signs = 0; signs < 8; signs++) {
      double parity = p < 3 ? 1 : -1;
      for (int d = 0; d < 3; d++) parity *= signs >> d & 1 ? -1 : 1;
      if (parity < 0 || (tetragonal && perm[p][2] != 2)) continue;
      memset(op[n], 0, sizeof op[n]);
      for (int d = 0; d < 3; d++) op[n][d][perm[p][d]] = signs >> d & 1 ? -1 : 1;
      n++;
    }
  return n;
}

static double oracle_angle(const double a[3], const double b[3], bool tetragonal) {
  double ga[3][3], gb[3][3], op[24][3][3], best = -1;
  const int n = signed_permutations(tetragonal, op);
  assert_int_equal(n, tetragonal ? 8 : 24);
  matrix(a, ga);
  matrix(b, gb);
  for (int k = 0; k < n; k++) {
    double trace = 0; /* of ga^T gb op */
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++)
        for (int m = 0; m < 3; m++) trace += ga[m][i] * gb[m][j] * op[k][j][i];
    best = fmax(best, trace);
  }
  return acos(fmin(1, (best - 1) / 2)) * 180 / MT_PI;
}

static void random_angles(double e[3]) {
  e[0] = 2 * MT_PI * uniform();
  e[1] = acos(1 - 2 * uniform());
  e[2] = 2 * MT_PI * uniform();
}

static void disorientation_against_matrices(void **unused) {
  (void)unused;
  MtSymmetry cubic, tetragonal;
  mt_symmetry_make("cubic", &cubic);
  mt_symmetry_make("tetragonal", &tetragonal);
  assert_int_equal(cubic.n, 24);
  assert_int_equal(tetragonal.n, 8);
  state = 3;
  for (int i = 0; i < 300; i++) {
    double a[3], b[3], qa[4], qb[4];
    random_angles(a);
    random_angles(b);
    mt_quat_bunge(a, qa);
    mt_quat_bunge(b, qb);
    assert_near(mt_quat_disorientation(qa, qb, &cubic), oracle_angle(a, b, false), 1e-6);
    assert_near(mt_quat_disorientation(qa, qb, &tetragonal), oracle_angle(a, b, true), 1e-6);
  }
}

/* Largest disorientation: 62.80 deg for 432 (J. K. Mackenzie, Biometrika 45 (1958) 229), 98.42 deg for 422 and 93.84
 * deg for 622 (H. Grimmer, Scripta Metall. 13 (1979) 161).  Random pairs come near and never beyond. */
static void largest_disorientation(void **unused) {
  (void)unused;
  const char *name[3] = {"cubic", "tetragonal", "hexagonal"};
  const double limit[3] = {62.7994, 98.4211, 93.8411};
  for (int s = 0; s < 3; s++) {
    MtSymmetry sym;
    double most = 0;
    mt_symmetry_make(name[s], &sym);
    state = 5;
    for (int i = 0; i < 40000; i++) {
      double a[3], b[3], qa[4], qb[4];
      random_angles(a);
      random_angles(b);
      mt_quat_bunge(a, qa);
      mt_quat_bunge(b, qb);
      most = fmax(most, mt_quat_disorientation(qa, qb, &sym));
    }
    print_message("%s: largest disorientation %.3f deg\n", name[s], most);
    assert_true(most <= limit[s] + 1e-3 && most > limit[s] - 2.5);
  }
}

static void directions(void **unused) {
  (void)unused;
  double g[3][3], e[3], q[4], v[3] = {.6, 0, .8}, turned[3], nearest[4];
  MtSymmetry cubic;
  mt_symmetry_make("cubic", &cubic);
  state = 9;
  for (int i = 0; i < 50; i++) {
    random_angles(e);
    matrix(e, g);
    mt_quat_bunge(e, q);
    mt_quat_rotate(q, v, turned);
    for (int d = 0; d < 3; d++) assert_near(turned[d], g[d][0] * v[0] + g[d][2] * v[2], 1e-12);
    const double ref[4] = {1, 0, 0, 0};
    mt_quat_nearest(ref, q, &cubic, nearest);
    assert_near(2 * acos(fmin(1, nearest[0])) * 180 / MT_PI, mt_quat_disorientation(ref, q, &cubic), 1e-6);
    assert_near(mt_quat_disorientation(nearest, q, &cubic), 0, 1e-5);
  }
}

static void order_of_names(void **unused) {
  (void)unused;
  assert_true(mt_files_compare("s9.ang", "s10.ang") < 0);
  assert_true(mt_files_compare("s009.ang", "s10.ang") < 0);
  assert_true(mt_files_compare("a2b10", "a2b9") > 0);
  assert_true(mt_files_compare("a1", "a1") == 0);
  assert_true(mt_files_compare("a", "a1") < 0);
}

/* ---- .ang files ---- */

static char folder[64];

static const char *in_folder(const char *name) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void write_text(const char *name, const char *text) {
  FILE *f = fopen(in_folder(name), "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void refuses(const char *text, const char *message) {
  MtAng a;
  write_text("bad.ang", text);
  assert_refused(mt_ang_read(in_folder("bad.ang"), &a), message);
}

static void ang_file(void **unused) {
  (void)unused;
  MtAng a;
  write_text("good.ang",
             "# GRID: SqrGrid\n# NROWS: 99\n"
             " 0.5 0.25 0.125 0.0 0.0 100 0.9 0 1 1.5\r\n 0 0 0 0.5 0.0 100 -1 0 1 1.5\n 0 0 0 1.0 0.0 1 0.5 0 1 1\n"
             " 1 0 0 0.0 0.25 100 0.9 0 1 1.5\n 0 1 0 0.5 0.25 100 0.8 0 1 1.5\n 12.56637 12.56637 12.56637 1.0 0.25 1 "
             "0.5 0 1 1");
  assert_int_equal(mt_ang_read(in_folder("good.ang"), &a), 0);
  assert_int_equal(a.nx, 3);
  assert_int_equal(a.ny, 2);
  assert_near(a.dx, .5, 1e-15);
  assert_near(a.dy, .25, 1e-15);
  assert_near(a.ci[1], -1, 0);
  assert_near(a.ci[4], .8, 0);
  assert_near(a.ci[5], -1, 0); /* 4 pi marks a point without a solution */
  assert_near(a.q[0], cos(.125) * cos(.3125), 1e-15);
  mt_ang_free(&a);
}

static void bad_ang_files(void **unused) {
  (void)unused;
  MtAng a;
  refuses("# only\n", "no points");
  refuses(" 0 0 0 0 0 1 1\n 0 0 0 1 0 1 1\n 0 0 0 0 1 1 1\n 0 0 0 1 1\n",
          "bad.ang:4:11: the line ends after 5 numbers");
  refuses(" 0 0 0 0 0 1 1\n 0 0 x 1 0 1 1\n", "bad.ang:2:6: 'x' is not a number");
  refuses(" 0 0 0 0 0 1 1\n 0 0 nan 1 0 1 1\n", "bad.ang:2:6: 'nan' is not a number");
  refuses(" 0 0 0 0 0 1 1\n 0 0 0 1 0 1 1\n 0 0 0 0 1 1 1\n", "the last row has 1 of 2 points: is the file truncated?");
  refuses(" 30 0 0 0 0 1 1\n", "not in radians");
  refuses(" 0 0 0 0 0 1 1\n 0 0 0 1 0 1 1\n 0 0 0 .5 1 1 1\n 0 0 0 1.5 1 1 1\n", "not on the square grid");
  assert_refused(mt_ang_read(in_folder("none.ang"), &a), "none.ang: cannot be read");
}

/* The header as HKL's Channel 5 writes it. */
#define CTF                                                                                                            \
  "Channel Text File\r\nPrj\tmap\r\nAuthor\t[Unknown]\r\nJobMode\tGrid\r\nXCells\t3\r\nYCells\t2\r\nXStep\t0.5\r\n"    \
  "YStep\t0.25\r\nAcqE1\t0\r\nAcqE2\t0\r\nAcqE3\t0\r\nEuler angles refer to Sample Coordinate system (CS0)!\tMag\t"    \
  "2000\tCoverage\t100\tDevice\t0\tKV\t20\tTiltAngle\t70\tTiltAxis\t0\r\nPhases\t1\r\n8.8;8.8;12.2\t90;90;90\t"        \
  "Nd2Fe14B\t5\t136\t\t\tHerbst\r\nPhase\tX\tY\tBands\tError\tEuler1\tEuler2\tEuler3\tMAD\tBC\tBS\r\n"

/* The same orientations as in the .ang file above, in degrees. */
static void ctf_file(void **unused) {
  (void)unused;
  MtAng a;
  write_text("good.ctf", CTF "1\t0.0000\t0.0000\t8\t0\t28.64788976\t14.32394488\t7.16197244\t0.5\t90\t80\r\n"
                             "0 0.5 0 0 3 0 0 0 0 90 80\n"
                             "1 1 0 8 0 0 0 0 .5 90 80\n1 0 0.25 8 0 0 0 0 .5 90 80\n1 0.5 0.25 8 0 0 0 0 .5 90 80\n"
                             "1 1 0.25 8 0 360 0 0 .5 90 80\n");
  if (mt_ang_read(in_folder("good.ctf"), &a)) fail_msg("%s", mt_error_message());
  assert_int_equal(a.nx, 3);
  assert_int_equal(a.ny, 2);
  assert_near(a.dx, .5, 1e-15);
  assert_near(a.dy, .25, 1e-15);
  assert_near(a.ci[0], 1, 0);
  assert_near(a.ci[1], MT_ANG_NOTHING, 0);
  assert_near(a.q[0], cos(.125) * cos(.3125), 1e-9);
  mt_ang_free(&a);
}

static void refuses_ctf(const char *text, const char *message) {
  MtAng a;
  write_text("bad.ctf", text);
  assert_refused(mt_ang_read(in_folder("bad.ctf"), &a), message);
}

static void bad_ctf_files(void **unused) {
  (void)unused;
  refuses_ctf("Channel Text File\n1 0 0 8 0 0 0 0\n", "no points"); /* no line of names */
  refuses_ctf(CTF "1 0 0 8 0 0 0\n", "bad.ctf:16:14: the line ends after 7 numbers, expected 8 (Phase X Y");
  refuses_ctf(CTF "1 0 0 8 0 0,5 0 0\n", "bad.ctf:16:11: '0,5' is not a number");
  refuses_ctf(CTF "1 0 0 8 0 1000 0 0\n", "not in degrees");
}

/* ---- labelling, against a flood fill of the whole volume on every rank ---- */

enum { NX = 9, NY = 7, NZ = 10, N = NX * NY * NZ };

typedef struct {
  double q[4 * N];
  bool valid[N];
  int region[N], label[N], size[N], nregions, ngrains;
} Whole;

/* Patches of 30 orientations nearest to random points, in two of three slices shifted, with noise of single voxels. */
static void make_whole(Whole *w) {
  double seed[30][3], angle[30][3];
  state = 17;
  for (int k = 0; k < 30; k++) {
    random_angles(angle[k]);
    for (int d = 0; d < 3; d++) seed[k][d] = 10 * uniform();
  }
  for (int v = 0; v < N; v++) {
    const double x[3] = {v % NX, v / NX % NY, v / (NX * NY)};
    int best = 0;
    double least = 1e9, own[3];
    for (int k = 0; k < 30; k++) {
      const double r = pow(x[0] - seed[k][0], 2) + pow(x[1] - seed[k][1], 2) + pow(x[2] - seed[k][2], 2);
      if (r < least) least = r, best = k;
    }
    memcpy(own, angle[best], sizeof own);
    own[0] += .02 * uniform();
    if (uniform() < .08) random_angles(own);
    mt_quat_bunge(own, w->q + 4 * v);
    w->valid[v] = uniform() > .03;
  }
}

static int neighbour(int v, int side) {
  const int x[3] = {v % NX, v / NX % NY, v / (NX * NY)}, n[3] = {NX, NY, NZ}, step[3] = {1, NX, NX * NY};
  const int d = side / 2, to = x[d] + (side % 2 ? 1 : -1);
  return to < 0 || to >= n[d] ? -1 : v + (side % 2 ? step[d] : -step[d]);
}

static int flood(Whole *w, const MtSymmetry *s, double angle, int first, int *stack) {
  int depth = 1, size = 0;
  stack[0] = first;
  w->region[first] = first;
  while (depth) {
    const int v = stack[--depth];
    size++;
    for (int side = 0; side < 6; side++) {
      const int o = neighbour(v, side);
      if (o < 0 || !w->valid[o] || w->region[o] >= 0) continue;
      if (mt_quat_disorientation(w->q + 4 * v, w->q + 4 * o, s) >= angle) continue;
      w->region[o] = first;
      stack[depth++] = o;
    }
  }
  return size;
}

static void label_whole(Whole *w, const MtSymmetry *s, double angle, int min_voxels) {
  static int stack[N];
  for (int v = 0; v < N; v++) w->region[v] = w->label[v] = -1;
  w->nregions = w->ngrains = 0;
  for (int v = 0; v < N; v++) {
    if (!w->valid[v] || w->region[v] >= 0) continue;
    w->nregions++;
    if (flood(w, s, angle, v, stack) < min_voxels) continue;
    for (int o = 0; o < N; o++)
      if (w->region[o] == v) w->label[o] = w->ngrains;
    w->ngrains++;
  }
}

static void slab_of(const Whole *w, MtLabels *l, MtEbsd *e) {
  memset(l, 0, sizeof *l);
  assert_int_equal(mt_labels_layout(PETSC_COMM_WORLD, NX, NY, NZ, l), 0);
  const size_t n = (size_t)NX * NY * (size_t)l->nz_local, first = (size_t)NX * NY * (size_t)l->z0;
  e->q = malloc(4 * n * sizeof *e->q);
  e->valid = malloc(n * sizeof *e->valid);
  e->ci = NULL;
  memcpy(e->q, w->q + 4 * first, 4 * n * sizeof *e->q);
  memcpy(e->valid, w->valid + first, n * sizeof *e->valid);
}

/* One step of the clean-up as documented, on the whole volume. */
static int fill_whole(Whole *w) {
  static int old[N];
  int left = 0;
  memcpy(old, w->label, sizeof old);
  for (int v = 0; v < N; v++) {
    int votes[N] = {0}, best = -1;
    if (old[v] >= 0) continue;
    for (int side = 0; side < 6; side++) {
      const int o = neighbour(v, side);
      if (o >= 0 && old[o] >= 0) votes[old[o]]++;
    }
    for (int g = w->ngrains - 1; g >= 0; g--)
      if (votes[g] && (best < 0 || votes[g] >= votes[best])) best = g;
    w->label[v] = best;
    left += best < 0;
  }
  return left;
}

static void number_by_first(Whole *w) {
  int number[N], n = 0;
  for (int g = 0; g < w->ngrains; g++) number[g] = -1;
  for (int v = 0; v < N; v++) {
    if (number[w->label[v]] < 0) number[w->label[v]] = n++;
    w->label[v] = number[w->label[v]];
  }
}

static void assert_same_labels(const Whole *w, const MtLabels *l) {
  const int n = NX * NY * l->nz_local, first = NX * NY * l->z0;
  assert_int_equal(l->ngrains, w->ngrains);
  for (int v = 0; v < n; v++)
    if (l->label[v] != w->label[first + v])
      fail_msg("voxel %d has label %d, not %d", first + v, l->label[v], w->label[first + v]);
}

static void labelling(void **unused) {
  (void)unused;
  static Whole w;
  MtLabels l;
  MtEbsd e;
  MtSymmetry s;
  mt_symmetry_make("tetragonal", &s);
  make_whole(&w);
  label_whole(&w, &s, 10, 8);
  slab_of(&w, &l, &e);
  assert_int_equal(mt_ebsd_connect(PETSC_COMM_WORLD, &e, &s, cos(10 * MT_PI / 360), 8, &l), 0);
  print_message("%d regions, %d grains, %.3f of the volume\n", w.nregions, w.ngrains, l.kept);
  assert_true(w.ngrains > 10 && w.nregions > 2 * w.ngrains);
  assert_int_equal(l.nregions, w.nregions);
  assert_same_labels(&w, &l);
  const double easy[3] = {0, 0, 2};
  assert_int_equal(mt_ebsd_axes(PETSC_COMM_WORLD, &e, &s, easy, &l), 0);
  assert_int_equal(mt_labels_fill(PETSC_COMM_WORLD, &l), 0);
  assert_int_equal(mt_labels_renumber(PETSC_COMM_WORLD, &l), 0);
  while (fill_whole(&w)) {}
  number_by_first(&w);
  assert_same_labels(&w, &l);
  int64_t all = 0;
  for (int g = 0; g < l.ngrains; g++) all += l.voxels[g];
  assert_int_equal(all, N);
  free(e.q);
  free(e.valid);
  mt_labels_free(&l);
}

/* The mean of a grain whose voxels are described by different equivalent angles is its one axis. */
static void mean_axis(void **unused) {
  (void)unused;
  static Whole w;
  MtLabels l;
  MtEbsd e;
  MtSymmetry s;
  double mean[3] = {.7, .9, .4}, g[3][3];
  mt_symmetry_make("tetragonal", &s);
  state = 23;
  for (int v = 0; v < N; v++) {
    /* symmetric noise about the mean, and a quarter turn about [001], which is the same orientation */
    const double angle[3] = {mean[0] + (v % 2 ? .03 : -.03), mean[1], mean[2] + MT_PI / 2 * (v / 2 % 4)};
    mt_quat_bunge(angle, w.q + 4 * v);
    w.valid[v] = true;
  }
  slab_of(&w, &l, &e);
  assert_int_equal(mt_ebsd_connect(PETSC_COMM_WORLD, &e, &s, cos(10 * MT_PI / 360), 8, &l), 0);
  assert_int_equal(l.ngrains, 1);
  const double easy[3] = {0, 0, 2};
  assert_int_equal(mt_ebsd_axes(PETSC_COMM_WORLD, &e, &s, easy, &l), 0);
  matrix(mean, g);
  for (int d = 0; d < 3; d++) assert_near(l.axis[d], g[d][2], 1e-4);
  /* crystal [100]: a quarter turn about [001] is no other orientation */
  const double x[3] = {1, 0, 0}, y[3] = {0, 1, 0};
  double a[3], b[3];
  mt_quat_rotate(l.orientation, x, a);
  mt_quat_rotate(l.orientation, y, b);
  double along = 0, across = 0;
  for (int d = 0; d < 3; d++) along += a[d] * g[d][0], across += b[d] * g[d][0];
  assert_near(fmax(fabs(along), fabs(across)), 1, 1e-4);
  free(e.q);
  free(e.valid);
  mt_labels_free(&l);
}

static int make_folder(void **unused) {
  (void)unused;
  snprintf(folder, sizeof folder, "/tmp/magtwin_ebsd_XXXXXX"); /* one for each rank */
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused) {
  (void)unused;
  remove(in_folder("good.ang"));
  remove(in_folder("bad.ang"));
  remove(in_folder("good.ctf"));
  remove(in_folder("bad.ctf"));
  return rmdir(folder);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(disorientation_against_matrices),
      cmocka_unit_test(largest_disorientation),
      cmocka_unit_test(directions),
      cmocka_unit_test(order_of_names),
      cmocka_unit_test(ang_file),
      cmocka_unit_test(bad_ang_files),
      cmocka_unit_test(ctf_file),
      cmocka_unit_test(bad_ctf_files),
      cmocka_unit_test(labelling),
      cmocka_unit_test(mean_axis),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  if (PetscFinalize()) return 1;
  return failed;
}
