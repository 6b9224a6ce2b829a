/* The linear tetrahedron: grad(lambda_i) = (inward area normal of the face opposite to i) / (3 V).  Plain C. */
#include "magtwin/fem.h"

void mt_fem_tet(const double x[4][3], double grad[4][3], double *volume) {
  const double v6 = mt_tet_normals(x, grad);
  for (int i = 0; i < 4; i++)
    for (int c = 0; c < 3; c++) grad[i][c] /= v6;
  *volume = v6 / 6;
}
