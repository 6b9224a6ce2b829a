/* The Landau-Lifshitz-Gilbert equation at one node, in plain C.  m is a unit vector, a tangent vector is perpendicular
 * to it. */
#ifndef MT_MICROMAGNETICS_LLG_KERNELS_H
#define MT_MICROMAGNETICS_LLG_KERNELS_H

/* v = dm/dt (rad/ns) from dm/dt = -gamma m x B + s + alpha m x dm/dt, solved for dm/dt; gamma in rad/(ns T), B in T, s
 * tangent, rad/ns. */
void mt_kernel_llg_rate(const double m[3], const double B[3], const double s[3], double gamma, double alpha,
                        double v[3]);
/* s = -a + xi m x a with a the tangent part of (u.grad) m, 1/ns: S. Zhang, Z. Li, Phys. Rev. Lett. 93 (2004) 127204. */
void mt_kernel_llg_drift(const double m[3], const double a[3], double xi, double s[3]);
/* The rate v at m as the rate f of the tangent vector y at m0 that mt_kernel_turn takes to m: derivative of y = 2 (m -
 * (m.m0) m0)/(1 + m.m0). */
void mt_kernel_llg_pull(const double m0[3], const double m[3], const double v[3], double f[3]);
/* Inverse of [a, b - s; b + s, c] in the frame (e1, e2 = m x e1) as symmetric tensor plus skew (m x): z = S v + skew m
 * x v.  h = {a, b, c}. */
void mt_kernel_llg_invert(const double h[3], double s, const double e1[3], const double e2[3], double S[6],
                          double *skew);

#endif
