/* Geodesics on the unit sphere of one node, in plain C. */
#ifndef MT_MICROMAGNETICS_PATH_KERNELS_H
#define MT_MICROMAGNETICS_PATH_KERNELS_H

/* The tangent vector v at a that leads to b, as long as the angle between them, which is returned.  Opposite vectors:
 * some direction, the same for the same a. */
double mt_kernel_log(const double a[3], const double b[3], double v[3]);
/* The point at the fraction t of the way from a to b. */
void mt_kernel_slerp(const double a[3], const double b[3], double t, double c[3]);
/* The same by way of a point between them: for b = -a the way leads through `aside`, for b near a it is the geodesic.
 */
void mt_kernel_detour(const double a[3], const double b[3], const double aside[3], double t, double c[3]);

#endif
