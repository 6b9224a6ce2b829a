/* Full orientations for grains of which only the easy axis is known: crystal [001] along it, and the turn about it by
 * chance.  Uniaxial anisotropy does not feel that turn; cubic anisotropy does. */
#include "power_axes.h"
#include <math.h>
#include <string.h>

/* Shortest turn of z to a: the half-way quaternion (1 + a.z, z x a), normalized. */
static void shortest(const double a[3], double q[4]) {
  const double norm = sqrt(2 * (1 + a[2]));
  const double about_x[4] = {0, 1, 0, 0}, turn[4] = {(1 + a[2]) / norm, -a[1] / norm, a[0] / norm, 0};
  memcpy(q, 1 + a[2] > 1e-14 ? turn : about_x, sizeof turn);
}

void mt_quat_to_axis(const double a[3], double angle, double q[4]) {
  const double c = cos(angle / 2), s = sin(angle / 2);
  double t[4];
  shortest(a, t);
  q[0] = t[0] * c - t[3] * s;
  q[1] = t[1] * c + t[2] * s;
  q[2] = t[2] * c - t[1] * s;
  q[3] = t[3] * c + t[0] * s;
}

void mt_power_draw_turns(uint64_t seed, int n, const double *axis, double *orientation) {
  MtRandom r;
  mt_random_seed(&r, mt_splitmix64(&seed));
  for (int k = 0; k < n; k++) mt_quat_to_axis(axis + 3 * k, 2 * MT_PI * mt_random_uniform(&r), orientation + 4 * k);
}
