/* Label volumes in NumPy's .npy format: integers [nz, ny, nx], C or Fortran order.  Every rank reads its own slab. */
#include "magtwin/error.h"
#include "magtwin/npy.h"
#include "measured.h"
#include <stdlib.h>

static PetscErrorCode check_labels(const MtNpy *f) {
  if (f->kind != 'i' && f->kind != 'u')
    return mt_error(MT_ERR_INPUT, "%s: labels must be integers of 1, 2, 4 or 8 bytes, the file has kind '%c'", f->path,
                    f->kind);
  if (f->dims != 3) return mt_error(MT_ERR_INPUT, "%s: the array must have 3 dimensions (nz, ny, nx)", f->path);
  for (int d = 0; d < 3; d++)
    if (f->shape[d] > 1000000)
      return mt_error(MT_ERR_INPUT, "%s: the array has %lld x %lld x %lld voxels", f->path, f->shape[0], f->shape[1],
                      f->shape[2]);
  return 0;
}

static PetscErrorCode read_slab(const MtNpy *f, const MtLabels *l, int64_t *raw) {
  const long long slice = (long long)l->nx * l->ny;
  const size_t local = (size_t)l->nz_local;
  if (!local) return 0;
  if (!f->fortran) {
    for (size_t k = 0; k < local; k++)
      PetscCall(mt_npy_read_ints(f, slice * (l->z0 + (long long)k), (size_t)slice, 1, raw + (size_t)slice * k));
    return 0;
  }
  for (long long i = 0; i < l->nx; i++) /* in the file z runs fastest */
    for (long long j = 0; j < l->ny; j++)
      PetscCall(mt_npy_read_ints(f, l->z0 + l->nz * (j + l->ny * i), local, (size_t)slice, raw + j * l->nx + i));
  return 0;
}

PetscErrorCode mt_volume_npy(MPI_Comm comm, const char *path, MtLabels *l, int64_t **raw) {
  MtNpy f;
  PetscErrorCode rc = mt_npy_open(path, &f);
  rc = mt_agree(comm, rc ? rc : check_labels(&f));
  if (!rc) rc = mt_labels_layout(comm, (int)f.shape[2], (int)f.shape[1], (int)f.shape[0], l);
  if (!rc) {
    *raw = malloc(((size_t)l->nx * (size_t)l->ny * (size_t)l->nz_local + 1) * sizeof **raw);
    rc = mt_agree(comm, *raw ? read_slab(&f, l, *raw) : mt_error(MT_ERR_FAIL, "%s: not enough memory", path));
  }
  mt_npy_close(&f);
  return rc;
}
