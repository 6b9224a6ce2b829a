/* Node kernels of micromagnetics: anisotropy and its derivatives against central differences, the Cayley step against
 * its closed form, the absolute value of a symmetric 2x2 matrix against its eigenvalues. */
#include "../../src/micromagnetics/kernels.h"
#include "near.h"

static const double M[3] = {0.6, -0.48, 0.64}, AXIS[3] = {2. / 7, 3. / 7, 6. / 7}, V[3] = {.3, -1.1, .7};

static void anisotropy_is_K1_sin2_plus_K2_sin4(void **state) {
  (void)state;
  double angle = .4, m[3] = {sin(angle), 0, cos(angle)}, k[3] = {0, 0, 1}, g[3] = {0}, s = sin(angle) * sin(angle);
  assert_near(mt_kernel_anisotropy(m, k, 4.3e6, .65e6, g), 4.3e6 * s + .65e6 * s * s, 1e-8);
}

static void anisotropy_derivative_matches_central_differences(void **state) {
  (void)state;
  double g[3] = {0}, unused[3] = {0}, h = 1e-5, up[3], down[3], along = 0;
  mt_kernel_anisotropy(M, AXIS, 4.3, .65, g);
  for (int i = 0; i < 3; i++) up[i] = M[i] + h * V[i], down[i] = M[i] - h * V[i], along += g[i] * V[i];
  double dE = mt_kernel_anisotropy(up, AXIS, 4.3, .65, unused) - mt_kernel_anisotropy(down, AXIS, 4.3, .65, unused);
  assert_near(dE / (2 * h) / along, 1, 1e-8);
}

static void anisotropy_curvature_matches_differences_of_the_derivative(void **state) {
  (void)state;
  double gu[3] = {0}, gd[3] = {0}, h = 1e-5, up[3], down[3];
  for (int i = 0; i < 3; i++) up[i] = M[i] + h * V[i], down[i] = M[i] - h * V[i];
  mt_kernel_anisotropy(up, AXIS, 4.3, .65, gu);
  mt_kernel_anisotropy(down, AXIS, 4.3, .65, gd);
  double c = mt_kernel_anisotropy_curvature(M, AXIS, 4.3, .65);
  for (int i = 0; i < 3; i++) assert_near((gu[i] - gd[i]) / (2 * h), c * mt_dot3(AXIS, V) * AXIS[i], 1e-7);
}

static void absolute_keeps_eigenvectors(void **state) {
  (void)state;
  /* eigenvalues 3 and -2 with eigenvectors at the angle .3 */
  double c = cos(.3), s = sin(.3);
  double h[3] = {3 * c * c - 2 * s * s, 5 * c * s, 3 * s * s - 2 * c * c};
  mt_kernel_absolute(h, .1);
  assert_near(h[0], 3 * c * c + 2 * s * s, 1e-14);
  assert_near(h[1], c * s, 1e-14);
  assert_near(h[2], 3 * s * s + 2 * c * c, 1e-14);
  double zero[3] = {0, 0, 0};
  mt_kernel_absolute(zero, .1);
  assert_near(zero[0], .1, 1e-15);
  assert_near(zero[1], 0, 1e-15);
  assert_near(zero[2], .1, 1e-15);
}

static void turn_keeps_the_norm_and_turns_by_the_angle(void **state) {
  (void)state;
  double d[3] = {V[0], V[1], V[2]}, turned[3];
  mt_tangent3(M, d);
  for (double t = .1; t < 100; t *= 3) {
    mt_kernel_turn(M, d, t, turned);
    assert_near(mt_dot3(turned, turned), 1, 1e-14);
    assert_near(mt_dot3(turned, M), cos(2 * atan(.5 * t * sqrt(mt_dot3(d, d)))), 1e-13);
  }
}

static void carried_vectors_stay_tangent_and_keep_their_lengths_and_angles(void **state) {
  (void)state;
  double d[3] = {V[0], V[1], V[2]}, v[3] = {-.2, .5, 1.3}, turned[3];
  mt_tangent3(M, d);
  mt_tangent3(M, v);
  double d0[3] = {d[0], d[1], d[2]}, vv = mt_dot3(v, v), dd = mt_dot3(d, d), vd = mt_dot3(v, d);
  mt_kernel_turn(M, d0, .8, turned);
  mt_kernel_carry(M, d0, .8, v);
  mt_kernel_carry(M, d0, .8, d);
  assert_near(mt_dot3(v, turned), 0, 1e-14);
  assert_near(mt_dot3(d, turned), 0, 1e-14);
  assert_near(mt_dot3(v, v), vv, 1e-13);
  assert_near(mt_dot3(d, d), dd, 1e-13);
  assert_near(mt_dot3(v, d), vd, 1e-13);
}

static void slope_matches_central_differences(void **state) {
  (void)state;
  double d[3] = {V[0], V[1], V[2]}, g[3] = {0}, m[3], unused[3] = {0}, t = .7, h = 1e-5, e[2];
  mt_tangent3(M, d);
  for (int i = 0; i < 2; i++) {
    mt_kernel_turn(M, d, t + (i ? h : -h), m);
    e[i] = mt_kernel_anisotropy(m, AXIS, 4.3, .65, unused);
  }
  mt_kernel_turn(M, d, t, m);
  mt_kernel_anisotropy(m, AXIS, 4.3, .65, g);
  assert_near(mt_kernel_slope(M, d, t, g), (e[1] - e[0]) / (2 * h), 1e-8);
}

static void expanded_matrix_acts_in_the_tangent_plane(void **state) {
  (void)state;
  double e1[3], e2[3], s[6], w[3], h[3] = {2, -.5, 3};
  mt_kernel_frame(M, e1, e2);
  assert_near(mt_dot3(e1, e2), 0, 1e-15);
  mt_kernel_expand(h, e1, e2, s);
  mt_symmetric3(s, e1, w);
  assert_near(mt_dot3(w, e1), 2, 1e-14);
  assert_near(mt_dot3(w, e2), -.5, 1e-14);
  mt_symmetric3(s, M, w);
  assert_near(mt_dot3(w, w), 0, 1e-14);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(anisotropy_is_K1_sin2_plus_K2_sin4),
      cmocka_unit_test(anisotropy_derivative_matches_central_differences),
      cmocka_unit_test(anisotropy_curvature_matches_differences_of_the_derivative),
      cmocka_unit_test(absolute_keeps_eigenvectors),
      cmocka_unit_test(turn_keeps_the_norm_and_turns_by_the_angle),
      cmocka_unit_test(carried_vectors_stay_tangent_and_keep_their_lengths_and_angles),
      cmocka_unit_test(slope_matches_central_differences),
      cmocka_unit_test(expanded_matrix_acts_in_the_tangent_plane),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
