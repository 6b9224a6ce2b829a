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

static void third_constant_is_K3_sin6(void **state) {
  (void)state;
  double k[3] = {0, 0, 1}, g[3] = {0};
  for (double angle = 0; angle < 1.6; angle += .2) {
    double m[3] = {0, sin(angle), cos(angle)};
    assert_near(mt_kernel_sixth(m, k, 2.5, g), 2.5 * pow(sin(angle), 6), 1e-14);
  }
}

/* <100>: 0; <110>: K1/4; <111>: K1/3 + K2/27 (J. M. D. Coey, Magnetism and Magnetic Materials, 2010, 5.5.2), in a
 * crystal turned by 90 degrees about x and then by .3 rad about z. */
static void cubic_energy_of_the_three_directions(void **state) {
  (void)state;
  double h = sqrt(.5), q[4] = {cos(.15) * h, cos(.15) * h, sin(.15) * h, sin(.15) * h}, f[9], g[3] = {0}, m[3];
  mt_kernel_crystal(q, f);
  assert_near(f[0], cos(.3), 1e-15); /* crystal x */
  assert_near(f[1], sin(.3), 1e-15);
  assert_near(f[5], 1, 1e-15); /* crystal y -> z */
  assert_near(mt_kernel_cubic(f + 6, f, 48, 7, g), 0, 1e-13);
  for (int i = 0; i < 3; i++) m[i] = h * (f[i] - f[3 + i]);
  assert_near(mt_kernel_cubic(m, f, 48, 7, g), 12, 1e-13);
  for (int i = 0; i < 3; i++) m[i] = sqrt(1. / 3) * (f[i] - f[3 + i] + f[6 + i]);
  assert_near(mt_kernel_cubic(m, f, 48, 7, g), 16 + 7. / 27, 1e-13);
}

/* Derivative and second derivative of a kernel along V by central differences, 1e-6 relative. */
typedef double (*Kernel)(const double m[3], double g[3]);
static void check_differences(Kernel e, const double s[6]) {
  double g[3] = {0}, gu[3] = {0}, gd[3] = {0}, w[3], h = 1e-4, up[3], down[3], size = 0;
  for (int i = 0; i < 3; i++) up[i] = M[i] + h * V[i], down[i] = M[i] - h * V[i];
  e(M, g);
  double dE = e(up, gu) - e(down, gd);
  assert_near(dE / (2 * h) / mt_dot3(g, V), 1, 1e-6);
  mt_symmetric3(s, V, w);
  for (int i = 0; i < 3; i++) size = fmax(size, fabs(w[i]));
  for (int i = 0; i < 3; i++) assert_near((gu[i] - gd[i]) / (2 * h), w[i], 1e-6 * size);
}

static double sixth(const double m[3], double g[3]) {
  return mt_kernel_sixth(m, AXIS, 2.5, g);
}
static const double TURN[4] = {.5, .1, -.7, .5};
static double cubic(const double m[3], double g[3]) {
  double f[9];
  mt_kernel_crystal(TURN, f);
  return mt_kernel_cubic(m, f, -3, 5, g);
}
/* Uniaxial stress s along z on an isotropic material: -3/2 lambda s cos^2, up to a constant (B. D. Cullity and C. D.
 * Graham, Introduction to Magnetic Materials (2009) 8.5).  Cubic: B1 (exx a1^2 + ...) + 2 B2 (exy a1 a2 + ...). */
static void elastic_energy_of_stress_and_strain(void **state) {
  (void)state;
  const double stress[6] = {0, 0, 7, 0, 0, 0}, strain[6] = {1, 2, 4, .3, .2, .1};
  double S[6] = {0}, C[6] = {0}, f[9], a[3];
  mt_kernel_elastic(stress, NULL, -1.5 * 2, -1.5 * 2, 1, S);
  assert_near(mt_quadratic3(S, M), -1.5 * 2 * 7 * M[2] * M[2], 1e-14);
  const double identity[4] = {1, 0, 0, 0};
  mt_kernel_crystal(identity, f);
  mt_kernel_elastic(strain, f, 3, 5, 2, C);
  double e = 3 * (M[0] * M[0] + 2 * M[1] * M[1] + 4 * M[2] * M[2]) +
             10 * (.1 * M[0] * M[1] + .3 * M[1] * M[2] + .2 * M[0] * M[2]);
  assert_near(mt_quadratic3(C, M), 2 * e, 1e-14);
  /* a hydrostatic strain has no direction in any crystal */
  const double all[6] = {1, 1, 1, 0, 0, 0};
  double H[6] = {0};
  mt_kernel_crystal(TURN, f);
  mt_kernel_elastic(all, f, 3, 5, 1, H);
  assert_near(mt_quadratic3(H, M), 3, 1e-14);
  /* turned with the crystal: the same energy */
  double turned[6] = {0}, T[6] = {0};
  for (int i = 0; i < 3; i++) mt_add_dyad3(i == 1 ? 2 : i == 2 ? 4 : 1, f + 3 * i, turned);
  const double t[6] = {turned[0], turned[3], turned[5], turned[4], turned[2], turned[1]};
  mt_kernel_elastic(t, f, 3, 5, 1, T);
  for (int i = 0; i < 3; i++) a[i] = mt_dot3(f + 3 * i, M);
  assert_near(mt_quadratic3(T, M), 3 * (a[0] * a[0] + 2 * a[1] * a[1] + 4 * a[2] * a[2]), 1e-13);
}

static void more_anisotropy_matches_central_differences(void **state) {
  (void)state;
  double s[6] = {0}, c[6] = {0}, f[9];
  mt_add_dyad3(mt_kernel_sixth_curvature(M, AXIS, 2.5), AXIS, s);
  check_differences(sixth, s);
  mt_kernel_crystal(TURN, f);
  mt_kernel_cubic_hessian(M, f, -3, 5, c);
  check_differences(cubic, c);
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
      cmocka_unit_test(third_constant_is_K3_sin6),
      cmocka_unit_test(cubic_energy_of_the_three_directions),
      cmocka_unit_test(elastic_energy_of_stress_and_strain),
      cmocka_unit_test(more_anisotropy_matches_central_differences),
      cmocka_unit_test(absolute_keeps_eigenvectors),
      cmocka_unit_test(turn_keeps_the_norm_and_turns_by_the_angle),
      cmocka_unit_test(carried_vectors_stay_tangent_and_keep_their_lengths_and_angles),
      cmocka_unit_test(slope_matches_central_differences),
      cmocka_unit_test(expanded_matrix_acts_in_the_tangent_plane),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
