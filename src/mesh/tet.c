/* Shape of one tetrahedron: volume, radius ratio, dihedral angles.  Plain C.
 * Circumradius: R = |a^2 (b x c) + b^2 (c x a) + c^2 (a x b)| / (12 V) with a, b, c the edges at one corner; inradius:
 * 3 V / S (A. Liu, B. Joe, "Relationship between tetrahedron shape measures", BIT 34 (1994) 268). */
#include "magtwin/mesh.h"
#include "magtwin/units.h"
#include <math.h>

static void cross(const double a[3], const double b[3], double c[3]) {
  c[0] = a[1] * b[2] - a[2] * b[1];
  c[1] = a[2] * b[0] - a[0] * b[2];
  c[2] = a[0] * b[1] - a[1] * b[0];
}

static double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void edges_at_first_corner(const double x[4][3], double e[3][3]) {
  for (int k = 0; k < 3; k++)
    for (int c = 0; c < 3; c++) e[k][c] = x[k + 1][c] - x[0][c];
}

double mt_tet_normals(const double x[4][3], double normal[4][3]) {
  double e[3][3];
  edges_at_first_corner(x, e);
  for (int k = 0; k < 3; k++) cross(e[(k + 1) % 3], e[(k + 2) % 3], normal[k + 1]);
  for (int c = 0; c < 3; c++) normal[0][c] = -(normal[1][c] + normal[2][c] + normal[3][c]);
  return dot(e[0], normal[1]);
}

double mt_tet_volume(const double x[4][3]) {
  double e[3][3], n[3];
  edges_at_first_corner(x, e);
  cross(e[1], e[2], n);
  return dot(e[0], n) / 6;
}

double mt_tet_gamma(const double x[4][3]) {
  double e[3][3], normal[4][3], r[3] = {0, 0, 0};
  edges_at_first_corner(x, e);
  const double v6 = mt_tet_normals(x, normal);
  double surface = 0;
  for (int k = 0; k < 4; k++) surface += sqrt(dot(normal[k], normal[k])) / 2;
  for (int k = 0; k < 3; k++)
    for (int c = 0; c < 3; c++) r[c] += dot(e[k], e[k]) * normal[k + 1][c];
  const double circum = sqrt(dot(r, r)); /* 12 V R */
  if (surface <= 0 || circum <= 0) return 0;
  const double v = v6 / 6;
  return 3 * (3 * v / surface) * (12 * fabs(v) / circum);
}

void mt_tet_dihedral(const double x[4][3], double *min, double *max) {
  double normal[4][3], length[4];
  mt_tet_normals(x, normal);
  for (int k = 0; k < 4; k++) length[k] = sqrt(dot(normal[k], normal[k]));
  *min = 180;
  *max = 0;
  for (int i = 0; i < 4; i++)
    for (int j = i + 1; j < 4; j++) {
      const double c = -dot(normal[i], normal[j]) / (length[i] * length[j]);
      const double angle = acos(fmax(-1, fmin(1, c))) * 180 / MT_PI;
      *min = fmin(*min, angle);
      *max = fmax(*max, angle);
    }
}
