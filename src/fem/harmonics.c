/* Real spherical harmonics by the fully normalised recursion in degree, with sin^m(theta) exp(i m phi) = (x + i y)^m
 * kept as a polynomial, so that the poles need no care (S. A. Holmes, W. E. Featherstone, J. Geodesy 76 (2002) 279).
 * Plain C. */
#include "poisson_impl.h"
#include <math.h>

/* Degrees m..L of order m: y gets legendre(z) times c (cos part) and s (sin part). */
static void one_order(int L, int m, double z, double diagonal, double c, double s, double *y) {
  double before = 0, now = diagonal;
  for (int l = m; l <= L; l++) {
    y[l * l + l + m] = now * c;
    if (m) y[l * l + l - m] = now * s;
    const double l1 = l + 1, m2 = (double)m * m;
    const double a = sqrt((4 * l1 * l1 - 1) / (l1 * l1 - m2)), b = sqrt(((double)l * l - m2) / (4.0 * l * l - 1));
    const double next = a * (z * now - (l > m ? b * before : 0));
    before = now;
    now = next;
  }
}

void mt_harmonics(int L, const double p[3], double *y) {
  double c = 1, s = 0, diagonal = 1;
  for (int m = 0; m <= L; m++) {
    one_order(L, m, p[2], diagonal, c, s, y);
    const double next = p[0] * c - p[1] * s;
    s = p[0] * s + p[1] * c;
    c = next;
    diagonal *= sqrt((2.0 * m + 3) / (2.0 * m + 2)) * (m ? 1 : sqrt(2.0));
  }
}
