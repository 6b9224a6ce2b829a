/* Micromagnetic terms at one node, in plain C: what can be tested without a mesh, MPI or PETSc.
 * Vectors are double[3]; m is a unit vector, a tangent vector is perpendicular to it. */
#ifndef MT_MICROMAGNETICS_KERNELS_H
#define MT_MICROMAGNETICS_KERNELS_H

static inline double mt_dot3(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
static inline void mt_cross3(const double a[3], const double b[3], double c[3]) {
  c[0] = a[1] * b[2] - a[2] * b[1];
  c[1] = a[2] * b[0] - a[0] * b[2];
  c[2] = a[0] * b[1] - a[1] * b[0];
}
/* v - m (m.v): the part of v in the tangent plane of m. */
static inline void mt_tangent3(const double m[3], double v[3]) {
  double c = mt_dot3(m, v);
  for (int i = 0; i < 3; i++) v[i] -= c * m[i];
}

/* Uniaxial anisotropy with axis k: e = K1 s + K2 s^2, s = 1 - (m.k)^2 = sin^2 of the angle to the axis.
 * Returns e; adds de/dm to g. */
double mt_kernel_anisotropy(const double m[3], const double k[3], double K1, double K2, double g[3]);
/* d2e/dm2 = c k k^T; returns c. */
double mt_kernel_anisotropy_curvature(const double m[3], const double k[3], double K1, double K2);
/* The same for the third constant: e = K3 s^3. */
double mt_kernel_sixth(const double m[3], const double k[3], double K3, double g[3]);
double mt_kernel_sixth_curvature(const double m[3], const double k[3], double K3);
/* Cubic anisotropy in the crystal axes of the rows of frame [3][3], a = frame m: e = K1 (a1^2 a2^2 + a2^2 a3^2 + a3^2
 * a1^2) + K2 a1^2 a2^2 a3^2.  Returns e; adds de/dm to g. */
double mt_kernel_cubic(const double m[3], const double frame[9], double K1, double K2, double g[3]);
/* Adds d2e/dm2 to the symmetric matrix s. */
void mt_kernel_cubic_hessian(const double m[3], const double frame[9], double K1, double K2, double s[6]);
/* Rows of frame: the directions in the sample of crystal x, y, z turned by the unit quaternion q = (w, x, y, z). */
void mt_kernel_crystal(const double q[4], double frame[9]);

/* Magneto-elastic energy of a cubic crystal: e = m.S m with S = b1 times the diagonal of T and b2 times the rest, T
 * (strain or stress, xx yy zz yz xz xy in the sample frame) and S written in the crystal's axes.  Strain: b1 = B1, b2 =
 * B2; stress: b1 = -3/2 lambda100, b2 = -3/2 lambda111.  frame NULL: isotropic, b1 alone.  Adds weight * S to s, in the
 * sample frame.  C. Kittel, Rev. Mod. Phys. 21 (1949) 541; B. D. Cullity and C. D. Graham, Introduction to Magnetic
 * Materials (2009) 8. */
void mt_kernel_elastic(const double T[6], const double *frame, double b1, double b2, double weight, double s[6]);

/* Two unit vectors that make a right-handed frame with m. */
void mt_kernel_frame(const double m[3], double e1[3], double e2[3]);
/* Symmetric 2x2 matrix [a b; b c] with its eigenvalues replaced by max(|eigenvalue|, floor), in place. */
void mt_kernel_absolute(double h[3], double floor);

/* The Cayley step: m turned towards the tangent vector d by the angle 2 atan(t|d|/2).  It keeps |m| for any t, and to
 * second order it is m + t d - t^2 |d|^2 m / 2, the geodesic.  Source: Goldfarb, Wen and Yin, SIAM J. Imaging Sci. 2
 * (2009) 84. */
void mt_kernel_turn(const double m[3], const double d[3], double t, double turned[3]);
/* Carries d, or another tangent vector v of the same node, along that turn (parallel transport), in place for v. */
void mt_kernel_carry(const double m[3], const double d[3], double t, double v[3]);
/* d(turned)/dt . g */
double mt_kernel_slope(const double m[3], const double d[3], double t, const double g[3]);

/* Symmetric 3x3 matrix s = {xx, xy, xz, yy, yz, zz} times v. */
static inline void mt_symmetric3(const double s[6], const double v[3], double w[3]) {
  w[0] = s[0] * v[0] + s[1] * v[1] + s[2] * v[2];
  w[1] = s[1] * v[0] + s[3] * v[1] + s[4] * v[2];
  w[2] = s[2] * v[0] + s[4] * v[1] + s[5] * v[2];
}
static inline double mt_quadratic3(const double s[6], const double v[3]) {
  double w[3];
  mt_symmetric3(s, v, w);
  return mt_dot3(v, w);
}
/* s += c k k^T */
static inline void mt_add_dyad3(double c, const double k[3], double s[6]) {
  int n = 0;
  for (int i = 0; i < 3; i++)
    for (int j = i; j < 3; j++) s[n++] += c * k[i] * k[j];
}
/* h = [a b; b c] in the frame (e1, e2) as a symmetric 3x3 matrix. */
void mt_kernel_expand(const double h[3], const double e1[3], const double e2[3], double s[6]);

#endif
