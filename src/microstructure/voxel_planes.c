/* The shortest way onto up to three planes. */
#include "voxel.h"

/* On the squared sine between two planes: parallel ones do not send a node far away. */
static const double ridge = 1e-3;

void mt_small_solve(int n, double a[3][3], double b[3]) {
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) {
      const double part = a[j][i] / a[i][i];
      for (int k = i; k < n; k++) a[j][k] -= part * a[i][k];
      b[j] -= part * b[i];
    }
  for (int i = n - 1; i >= 0; i--) {
    for (int j = i + 1; j < n; j++) b[i] -= a[i][j] * b[j];
    b[i] /= a[i][i];
  }
}

void mt_planes_reach(int nplanes, const double n[3][3], const double gap[3], unsigned walls, double d[3]) {
  double in[3][3] = {{0}}, a[3][3] = {{0}}, b[3] = {0};
  for (int i = 0; i < nplanes; i++) {
    b[i] = gap[i];
    for (int k = 0; k < 3; k++) in[i][k] = walls & 1u << k ? 0 : n[i][k];
  }
  for (int i = 0; i < nplanes; i++)
    for (int j = 0; j < nplanes; j++)
      a[i][j] = in[i][0] * in[j][0] + in[i][1] * in[j][1] + in[i][2] * in[j][2] + (i == j ? ridge : 0);
  mt_small_solve(nplanes, a, b);
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < nplanes; i++) d[k] += b[i] * in[i][k];
}
