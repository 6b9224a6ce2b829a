/* Gaussian smoothing, of slices and of the volume. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "segment.h"
#include "slabs.h"
#include <math.h>
#include <string.h>

static double *gaussian(double sigma, int *r) {
  *r = (int)ceil(3.5 * sigma);
  double sum = 0, *w = mt_calloc((size_t)(2 * *r + 1), sizeof *w);
  for (int i = -*r; i <= *r; i++) sum += w[i + *r] = exp(-.5 * i * i / (sigma * sigma));
  for (int i = 0; i <= 2 * *r; i++) w[i] /= sum;
  return w;
}

static int clamped(int i, int n) {
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* One line in place. */
static void smooth_line(int n, size_t step, int r, const double *w, float *v, float *work) {
  for (int i = 0; i < n; i++) work[i] = v[(size_t)i * step];
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int m = -r; m <= r; m++) sum += w[m + r] * work[clamped(i + m, n)];
    v[(size_t)i * step] = (float)sum;
  }
}

void mt_smooth_slice(int nx, int ny, const double sigma[2], float *v) {
  int rx, ry;
  double *wx = gaussian(sigma[0], &rx), *wy = gaussian(sigma[1], &ry);
  float *work = mt_malloc((size_t)(nx > ny ? nx : ny) * sizeof *work);
  for (int j = 0; j < ny; j++) smooth_line(nx, 1, rx, wx, v + (size_t)j * (size_t)nx, work);
  for (int i = 0; i < nx; i++) smooth_line(ny, (size_t)nx, ry, wy, v + i, work);
  free(wx);
  free(wy);
  free(work);
}

PetscErrorCode mt_smooth(MPI_Comm comm, const MtStack *s, const double sigma[3], const float *from, float *to) {
  const size_t slice = (size_t)s->nx * (size_t)s->ny;
  int r;
  double *w = gaussian(sigma[2], &r);
  float *flat = mt_malloc((slice * (size_t)s->nz_local + 1) * sizeof *flat);
  float *all = mt_malloc((slice * (size_t)(s->nz_local + 2 * r) + 1) * sizeof *all);
  memcpy(flat, from, slice * (size_t)s->nz_local * sizeof *flat);
  for (int k = 0; k < s->nz_local; k++) mt_smooth_slice(s->nx, s->ny, sigma, flat + slice * (size_t)k);
  PetscErrorCode rc = mt_slab_halo(comm, s->nz, r, r, (int64_t)slice, MPI_FLOAT, flat, all);
  for (int k = 0; k < s->nz_local && !rc; k++)
    for (size_t i = 0; i < slice; i++) {
      double sum = 0;
      for (int m = -r; m <= r; m++)
        sum += w[m + r] * all[slice * (size_t)(clamped(s->z0 + k + m, s->nz) - s->z0 + r) + i];
      to[slice * (size_t)k + i] = (float)sum;
    }
  free(w);
  free(flat);
  free(all);
  return rc;
}
