/* Figures of merit of curves J(H) whose figures are known in closed form. */
#include "magtwin/loop.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>

#define near(a, b, tol) assert_true(fabs((a) - (b)) <= (tol))

/* A square loop, J = 1.6 T until -3 T: Br, Hc, Hk plain, (BH)max = Br^2/(4 mu0) = 509.3 kJ/m3. */
static void test_square(void **state) {
  (void)state;
  double H[] = {2, 0, -3, -3, -5}, J[] = {1.6, 1.6, 1.6, -1.6, -1.6};
  MtLoopFigures f;
  mt_loop_figures(5, H, J, 0, &f);
  near(f.Br, 1.6, 1e-15);
  near(f.Hc, 3, 1e-15);
  near(f.Hk, 3, 1e-15);
  near(f.squareness, 1, 1e-15);
  near(f.BHmax, 1.6 * 1.6 / (4 * MT_MU0) * 1e-3, 1e-9);
}

/* J = Br (1 + H/Hc): Hk = .1 Hc; B H is a parabola over the whole quadrant: with b = 1 + Br/Hc its top is Br^2/(4 b
 * mu0). */
static void test_straight(void **state) {
  (void)state;
  const double Br = 1.2, Hc = 2;
  double H[] = {.5, -2.5}, J[2];
  for (int i = 0; i < 2; i++) J[i] = Br * (1 + H[i] / Hc);
  MtLoopFigures f;
  mt_loop_figures(2, H, J, 0, &f);
  near(f.Br, Br, 1e-14);
  near(f.Hc, Hc, 1e-14);
  near(f.Hk, .1 * Hc, 1e-14);
  near(f.squareness, .1, 1e-14);
  near(f.BHmax, Br * Br / (4 * (1 + Br / Hc)) / MT_MU0 * 1e-3, 1e-9);
}

/* The curve of the internal field, sheared by N and read back at Hint = H - N J, gives the figures of the unsheared
 * one; uncorrected, Br of a straight line lies where Br (1 - N J/Hc) = J, i.e. J = Br/(1 + N Br/Hc). */
static void test_shear(void **state) {
  (void)state;
  const double Br = 1.2, Hc = 2, N = .3;
  double H[51], J[51];
  for (int i = 0; i < 51; i++) {
    double Hint = .5 - 3 * i / 50.;
    J[i] = Br * (1 + Hint / Hc);
    H[i] = Hint + N * J[i];
  }
  MtLoopFigures f, raw;
  mt_loop_figures(51, H, J, N, &f);
  mt_loop_figures(51, H, J, 0, &raw);
  near(f.Br, Br, 1e-13);
  near(f.Hc, Hc, 1e-13);
  near(f.Hk, .1 * Hc, 1e-13);
  near(raw.Br, Br / (1 + N * Br / Hc), 1e-13);
  near(raw.Hc, Hc, 1e-13); /* J = 0: nothing to correct */
}

/* Square grains in an open circuit: J falls from 1.5 to -0.9 T at once, at H = -3 T, and to -1.5 T at -3.5 T.  Hint
 * runs from -3 - .3 1.5 = -3.45 T back to -2.73 T; the closed circuit shows Hk = Hc = 3.45 T, and never Hk > Hc. */
static void test_jump_back(void **state) {
  (void)state;
  double H[] = {1, -2.99999, -3, -3.5, -3.6}, J[] = {1.5, 1.5, -.9, -1.5, -1.5};
  MtLoopFigures f;
  mt_loop_figures(5, H, J, .3, &f);
  near(f.Hc, 3 + .3 * 1.5, 2e-5);
  near(f.Hk, f.Hc, 1e-12);
  near(f.squareness, 1, 1e-12);
}

/* J = Js tanh((H + Hc)/w) sampled finely: Hk = Hc - w atanh(.9 tanh(Hc/w)). */
static void test_smooth(void **state) {
  (void)state;
  enum { N = 20001 };
  const double Js = 1.5, Hc = 1, w = .4;
  double *H = malloc(2 * N * sizeof *H), *J = H + N;
  for (int i = 0; i < N; i++) {
    H[i] = 2 - 5. * i / (N - 1);
    J[i] = Js * tanh((H[i] + Hc) / w);
  }
  MtLoopFigures f;
  mt_loop_figures(N, H, J, 0, &f);
  near(f.Br, Js * tanh(Hc / w), 1e-7);
  near(f.Hc, Hc, 1e-7);
  near(f.Hk, Hc - w * atanh(.9 * tanh(Hc / w)), 1e-6);
  free(H);
}

/* What the curve does not reach is NaN, never a number. */
static void test_unreached(void **state) {
  (void)state;
  double H[] = {1, -1}, J[] = {1.6, 1.5}, up[] = {2, 1};
  MtLoopFigures f;
  mt_loop_figures(2, H, J, 0, &f);
  near(f.Br, 1.55, 1e-14);
  assert_true(isnan(f.Hc) && isnan(f.Hk) && isnan(f.squareness));
  mt_loop_figures(2, up, J, 0, &f);
  assert_true(isnan(f.Br) && isnan(f.Hc) && isnan(f.BHmax));
}

static void test_branch(void **state) {
  (void)state;
  const double Bz[] = {0, 1, 2, 1, 0, -1, -2, -1, 0}, axis[3] = {0, 0, 1};
  MtCurve c = {0};
  for (int i = 0; i < 9; i++) {
    MtCurveRow row;
    memset(&row, 0, sizeof row);
    row.B[2] = Bz[i];
    assert_int_equal(mt_curve_add(&c, &row), 0);
  }
  int first;
  assert_int_equal(mt_loop_branch(&c, axis, &first), 5);
  assert_int_equal(first, 2);
  mt_curve_free(&c);
}

/* Every number of a row reads back to the same bits, and the header names as many columns as a row has. */
static void test_text(void **state) {
  (void)state;
  MtCurveRow row;
  double *value = (double *)&row, back;
  char text[4096];
  for (int i = 0; i < MT_CURVE_COLUMNS; i++) value[i] = sin(1 + i) * pow(10, i - 9);
  FILE *f = fmemopen(text, sizeof text, "w");
  mt_curve_print_header(f, 0);
  mt_curve_print_row(f, 0, 1e30, &row);
  fclose(f);
  int columns = 1;
  char *at = text;
  for (; *at != '\n'; at++) columns += *at == ',';
  assert_int_equal(columns, MT_CURVE_COLUMNS + 1);
  for (int i = 0; i < MT_CURVE_COLUMNS; i++) {
    back = strtod(at + 1, &at);
    assert_true(back == value[i]);
  }
  assert_string_equal(at, ",1\n");
}

/* Columns of energies that few runs have follow the others. */
static void test_more_columns(void **state) {
  (void)state;
  MtCurveRow row = {.more = {1, 2.5, 3, 4}};
  char text[4096];
  FILE *f = fmemopen(text, sizeof text, "w");
  mt_curve_print_header(f, 2 | 8);
  mt_curve_print_row(f, 2 | 8, 0, &row);
  fclose(f);
  assert_non_null(strstr(text, ",event,converged,e_dmi_J/m3,e_interface_J/m3\n"));
  assert_non_null(strstr(text, ",0,0,2.5,4\n"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_square),    cmocka_unit_test(test_straight), cmocka_unit_test(test_shear),
      cmocka_unit_test(test_jump_back), cmocka_unit_test(test_smooth),   cmocka_unit_test(test_unreached),
      cmocka_unit_test(test_branch),    cmocka_unit_test(test_text),     cmocka_unit_test(test_more_columns)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
