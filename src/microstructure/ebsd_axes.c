/* Mean orientation of each grain: its voxels' quaternions, each in the equivalent description nearest to a reference,
 * added up and normalized (F. L. Markley et al., J. Guid. Control Dyn. 30 (2007) 1193: for a narrow spread the
 * eigenvector mean and this sum agree to second order).  The reference is the grain's first voxel, then, once more, the
 * mean itself. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Orientation of the first voxel of each grain: one rank adds it, the others zeros, so that the sum is exact. */
static PetscErrorCode first_orientations(MPI_Comm comm, const MtEbsd *e, const MtLabels *l, double *ref) {
  const int64_t slice = (int64_t)l->nx * l->ny, n = slice * l->nz_local;
  int64_t *first = mt_malloc(((size_t)l->ngrains + 1) * sizeof *first);
  for (int g = 0; g < l->ngrains; g++) first[g] = INT64_MAX;
  for (int64_t i = n - 1; i >= 0; i--)
    if (l->label[i] >= 0) first[l->label[i]] = i + slice * l->z0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, first, l->ngrains, MPI_INT64_T, MPI_MIN, comm));
  memset(ref, 0, 4 * (size_t)l->ngrains * sizeof *ref);
  for (int g = 0; g < l->ngrains; g++) {
    const int64_t i = first[g] - slice * l->z0;
    if (i >= 0 && i < n) memcpy(ref + 4 * g, e->q + 4 * i, 4 * sizeof *ref);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ref, 4 * l->ngrains, MPI_DOUBLE, MPI_SUM, comm));
  free(first);
  return 0;
}

static PetscErrorCode mean_orientations(MPI_Comm comm, const MtEbsd *e, const MtSymmetry *s, const MtLabels *l,
                                        double *ref, double *sum) {
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local;
  memset(sum, 0, 4 * (size_t)l->ngrains * sizeof *sum);
  for (int64_t i = 0; i < n; i++) {
    double q[4];
    if (l->label[i] < 0) continue;
    mt_quat_nearest(ref + 4 * l->label[i], e->q + 4 * i, s, q);
    for (int d = 0; d < 4; d++) sum[4 * l->label[i] + d] += q[d];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 4 * l->ngrains, MPI_DOUBLE, MPI_SUM, comm));
  for (int g = 0; g < l->ngrains; g++) {
    const double *q = sum + 4 * g, norm = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    for (int d = 0; d < 4; d++) ref[4 * g + d] = q[d] / norm;
  }
  return 0;
}

PetscErrorCode mt_ebsd_axes(MPI_Comm comm, const MtEbsd *e, const MtSymmetry *s, const double easy[3], MtLabels *l) {
  const size_t ng = (size_t)l->ngrains;
  double *ref = mt_malloc((8 * ng + 1) * sizeof *ref);
  const double norm = sqrt(easy[0] * easy[0] + easy[1] * easy[1] + easy[2] * easy[2]);
  const double unit[3] = {easy[0] / norm, easy[1] / norm, easy[2] / norm};
  free(l->axis);
  l->axis = mt_malloc((3 * ng + 1) * sizeof *l->axis);
  PetscCall(first_orientations(comm, e, l, ref));
  for (int pass = 0; pass < 2; pass++) PetscCall(mean_orientations(comm, e, s, l, ref, ref + 4 * ng));
  for (size_t g = 0; g < ng; g++) mt_quat_rotate(ref + 4 * g, unit, l->axis + 3 * g);
  free(l->orientation);
  l->orientation = memcpy(mt_malloc((4 * ng + 1) * sizeof *ref), ref, 4 * ng * sizeof *ref);
  free(ref);
  return 0;
}
