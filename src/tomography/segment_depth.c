/* How deep a voxel lies inside a grain: its distance from boundaries and pockets, along one axis after the other
 * (A. Rosenfeld, J. L. Pfaltz, Pattern Recognit. 1, 33 (1968); exact for squares of distances). */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "segment.h"
#include "slabs.h"
#include <math.h>
#include <string.h>

enum { FAR = 12 }; /* px: deeper is all the same */

double mt_strength_level(const MtNoise *noise, double widths) {
  return noise->centre + widths * noise->width;
}

/* Median and upper quartile of the share q of the voxels that is weakest. */
static PetscErrorCode weakest(MPI_Comm comm, int64_t n, const float *strength, double q, MtNoise *noise) {
  double quartile;
  PetscCall(mt_quantile(comm, n, strength, .5 * q, &noise->centre));
  PetscCall(mt_quantile(comm, n, strength, .75 * q, &quartile));
  noise->width = quartile - noise->centre;
  return 0;
}

PetscErrorCode mt_strength_noise(MPI_Comm comm, int64_t n, const float *strength, MtNoise *noise) {
  enum { ROUNDS = 20 };
  PetscCall(weakest(comm, n, strength, .25, noise)); /* too little: grows to what is noise, and stops at boundaries */
  for (int round = 0; round < ROUNDS; round++) {
    int64_t count[2] = {0, n};
    for (int64_t v = 0; v < n; v++) count[0] += strength[v] < mt_strength_level(noise, MT_OPEN);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, 2, MPI_INT64_T, MPI_SUM, comm));
    PetscCall(weakest(comm, n, strength, (double)count[0] / (double)count[1], noise));
  }
  return 0;
}

/* Squares of distances along one line: the least of what the voxels within reach have and how far they are. */
static void along(int n, size_t step, double pixels, float *d, float *work) {
  const int reach = (int)ceil(FAR / pixels);
  for (int i = 0; i < n; i++) work[i] = d[(size_t)i * step];
  for (int i = 0; i < n; i++) {
    float least = work[i];
    for (int m = i > reach ? i - reach : 0; m < n && m <= i + reach; m++) {
      const float far = (float)(pixels * (m - i));
      least = fminf(least, work[m] + far * far);
    }
    d[(size_t)i * step] = least;
  }
}

static void in_slice(const MtStack *s, float *d, float *work) {
  for (int j = 0; j < s->ny; j++) along(s->nx, 1, 1, d + (size_t)j * (size_t)s->nx, work);
  for (int i = 0; i < s->nx; i++) along(s->ny, (size_t)s->nx, s->voxel[1] / s->voxel[0], d + i, work);
}

PetscErrorCode mt_depth(MPI_Comm comm, const MtStack *s, const float *strength, const uint8_t *phase, double open,
                        float **depth) {
  const size_t slice = (size_t)s->nx * (size_t)s->ny, n = slice * (size_t)s->nz_local;
  const double pixels = s->voxel[2] / s->voxel[0];
  const int reach = (int)ceil(FAR / pixels);
  const int longest = s->nx > s->ny ? s->nx : s->ny;
  float *work = mt_malloc((size_t)longest * sizeof *work);
  float *flat = mt_calloc(n + 1, sizeof *flat), *all = mt_calloc(n + 2 * slice * (size_t)reach + 1, sizeof *all);
  *depth = mt_malloc((n + 1) * sizeof **depth);
  for (size_t v = 0; v < n; v++) flat[v] = phase[v] || strength[v] >= open ? 0 : FAR * FAR;
  for (int k = 0; k < s->nz_local; k++) in_slice(s, flat + slice * (size_t)k, work);
  PetscErrorCode rc = mt_slab_halo(comm, s->nz, reach, reach, (int64_t)slice, MPI_FLOAT, flat, all);
  for (size_t v = 0; v < n && !rc; v++) {
    const int k = (int)(v / slice) + s->z0;
    float least = flat[v];
    for (int m = -reach; m <= reach; m++) {
      const float far = (float)(pixels * m);
      if (k + m >= 0 && k + m < s->nz) least = fminf(least, all[v + slice * (size_t)(m + reach)] + far * far);
    }
    (*depth)[v] = sqrtf(least);
  }
  free(work);
  free(flat);
  free(all);
  return rc;
}
