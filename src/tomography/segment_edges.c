/* Where boundaries are: bright or dark films, and steps of the gray value. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "segment.h"
#include "slabs.h"
#include <math.h>
#include <string.h>

static int clamped(int i, int n) {
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* The largest and the smallest eigenvalue of the symmetric matrix xx yy zz yz xz xy.
 * Source: O. K. Smith, Commun. ACM 4, 168 (1961). */
static void eigenvalues(const double a[6], double *top, double *bottom) {
  const double q = (a[0] + a[1] + a[2]) / 3, off = a[3] * a[3] + a[4] * a[4] + a[5] * a[5];
  const double x = a[0] - q, y = a[1] - q, z = a[2] - q, p = sqrt((x * x + y * y + z * z + 2 * off) / 6);
  *top = *bottom = q;
  if (!(p > 0)) return;
  const double det = x * (y * z - a[3] * a[3]) - a[5] * (a[5] * z - a[3] * a[4]) + a[4] * (a[5] * a[3] - y * a[4]);
  const double r = fmin(1, fmax(-1, det / (2 * p * p * p))), phi = acos(r) / 3;
  *top = q + 2 * p * cos(phi);
  *bottom = q + 2 * p * cos(phi + 2 * MT_PI / 3);
}

static double combine(MtBoundary kind, const double h[6], const double g[3], double sigma) {
  double top, bottom;
  eigenvalues(h, &top, &bottom);
  if (kind == MT_BOUNDARY_BRIGHT) return fmax(0, -sigma * sigma * bottom);
  if (kind == MT_BOUNDARY_DARK) return fmax(0, sigma * sigma * top);
  const double bend = sigma * sigma * fmax(fabs(top), fabs(bottom));
  return sqrt(bend * bend + sigma * sigma * (g[0] * g[0] + g[1] * g[1] + g[2] * g[2]));
}

/* Central differences at voxel (i,j) of the middle slice; v: slices below, here, above; c: pixels a voxel along x, y,
 * z.
 */
static double strength_at(const MtStack *s, MtBoundary kind, float *const v[3], int i, int j, const double c[3],
                          double sigma) {
  const int nx = s->nx, left = clamped(i - 1, nx), right = clamped(i + 1, nx);
  const int up = clamped(j - 1, s->ny), down = clamped(j + 1, s->ny);
#define AT(z, y, x) ((double)v[z][(size_t)(y) * (size_t)nx + (size_t)(x)])
  const double here = 2 * AT(1, j, i);
  const double g[3] = {(AT(1, j, right) - AT(1, j, left)) / (2 * c[0]), (AT(1, down, i) - AT(1, up, i)) / (2 * c[1]),
                       (AT(2, j, i) - AT(0, j, i)) / (2 * c[2])};
  const double h[6] = {(AT(1, j, right) + AT(1, j, left) - here) / (c[0] * c[0]),
                       (AT(1, down, i) + AT(1, up, i) - here) / (c[1] * c[1]),
                       (AT(2, j, i) + AT(0, j, i) - here) / (c[2] * c[2]),
                       (AT(2, down, i) - AT(2, up, i) - AT(0, down, i) + AT(0, up, i)) / (4 * c[1] * c[2]),
                       (AT(2, j, right) - AT(2, j, left) - AT(0, j, right) + AT(0, j, left)) / (4 * c[0] * c[2]),
                       (AT(1, down, right) - AT(1, down, left) - AT(1, up, right) + AT(1, up, left)) /
                           (4 * c[0] * c[1])};
#undef AT
  return combine(kind, h, g, sigma);
}

PetscErrorCode mt_boundaries(MPI_Comm comm, const MtStack *s, MtBoundary kind, double smooth, float **strength) {
  const size_t slice = (size_t)s->nx * (size_t)s->ny, n = slice * (size_t)s->nz_local;
  double c[3], sigma[3];
  for (int d = 0; d < 3; d++) {
    c[d] = s->voxel[d] / s->voxel[0];
    sigma[d] = fmax(.3, smooth / c[d]);
  }
  float *flat = mt_malloc((n + 1) * sizeof *flat), *all = mt_malloc((n + 2 * slice + 1) * sizeof *all);
  *strength = mt_malloc((n + 1) * sizeof **strength);
  PetscErrorCode rc = mt_smooth(comm, s, sigma, s->gray, flat);
  if (!rc) rc = mt_slab_halo(comm, s->nz, 1, 1, (int64_t)slice, MPI_FLOAT, flat, all);
  for (int k = 0; k < s->nz_local && !rc; k++) {
    float *v[3];
    for (int d = 0; d < 3; d++) v[d] = all + slice * (size_t)(clamped(s->z0 + k + d - 1, s->nz) - s->z0 + 1);
    for (int j = 0; j < s->ny; j++)
      for (int i = 0; i < s->nx; i++)
        (*strength)[slice * (size_t)k + (size_t)j * (size_t)s->nx + (size_t)i] =
            (float)strength_at(s, kind, v, i, j, c, smooth);
  }
  free(flat);
  free(all);
  return rc;
}

PetscErrorCode mt_quantile(MPI_Comm comm, int64_t n, const float *v, double q, double *value) {
  enum { BINS = 4096 };
  int64_t *count = mt_calloc(BINS + 1, sizeof *count), total = 0, sum = 0;
  float ends[2] = {INFINITY, INFINITY}; /* smallest, and the largest turned over */
  for (int64_t i = 0; i < n; i++) {
    ends[0] = fminf(ends[0], v[i]);
    ends[1] = fminf(ends[1], -v[i]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ends, 2, MPI_FLOAT, MPI_MIN, comm));
  const double lo = ends[0], width = fmax(1e-30, (-(double)ends[1] - lo) / BINS);
  for (int64_t i = 0; i < n; i++) count[clamped((int)((v[i] - lo) / width), BINS)]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, BINS, MPI_INT64_T, MPI_SUM, comm));
  for (int b = 0; b < BINS; b++) total += count[b];
  int b = 0;
  for (; b < BINS - 1 && (double)(sum + count[b]) < q * (double)total; b++) sum += count[b];
  *value = lo + (b + .5) * width;
  free(count);
  return 0;
}
