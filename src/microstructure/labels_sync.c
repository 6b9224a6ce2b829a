/* Slabs of label volumes, and lists of ids that all ranks need to see. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int mt_compare_i64(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int64_t mt_sort_unique(int64_t n, int64_t *v) {
  int64_t kept = 0;
  if (n > 1) qsort(v, (size_t)n, sizeof *v, mt_compare_i64);
  for (int64_t i = 0; i < n; i++)
    if (!i || v[i] != v[kept - 1]) v[kept++] = v[i];
  return kept;
}

PetscErrorCode mt_gather_i64(MPI_Comm comm, int64_t n, const int64_t *mine, int64_t *nall, int64_t **all) {
  int size;
  int64_t total = 0;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  *all = NULL;
  PetscCallMPI(MPI_Allreduce(&n, &total, 1, MPI_INT64_T, MPI_SUM, comm));
  if (total > INT_MAX) /* the same on every rank */
    return mt_error(MT_ERR_INPUT, "%lld regions are too many: is this a volume of grains?", (long long)total);
  int *count = mt_calloc(2 * (size_t)size, sizeof *count), *start = count + size;
  *all = mt_malloc((size_t)(total + 1) * sizeof **all);
  const int mine_count = (int)n;
  PetscCallMPI(MPI_Allgather(&mine_count, 1, MPI_INT, count, 1, MPI_INT, comm));
  for (int r = 1; r < size; r++) start[r] = start[r - 1] + count[r - 1];
  PetscCallMPI(MPI_Allgatherv(mine, mine_count, MPI_INT64_T, *all, count, start, MPI_INT64_T, comm));
  *nall = total;
  free(count);
  return 0;
}

PetscErrorCode mt_labels_layout(MPI_Comm comm, int nx, int ny, int nz, MtLabels *l) {
  int rank, size;
  int64_t start, n;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  mt_slab(nz, rank, size, &start, &n);
  l->nx = nx;
  l->ny = ny;
  l->nz = nz;
  l->z0 = (int)start;
  l->nz_local = (int)n;
  PetscErrorCode rc = 0;
  if ((int64_t)nx * ny * n > INT_MAX - 1)
    rc = mt_error(MT_ERR_INPUT, "%d x %d x %lld voxels on one rank are too many: use more ranks", nx, ny, (long long)n);
  else if (!(l->label = malloc(((size_t)nx * (size_t)ny * (size_t)n + 1) * sizeof *l->label)))
    rc = mt_error(MT_ERR_FAIL, "not enough memory for %d x %d x %lld voxels", nx, ny, (long long)n);
  return mt_agree(comm, rc);
}

void mt_labels_neighbours(MPI_Comm comm, const MtLabels *l, int *below, int *above) {
  int size;
  *below = *above = MPI_PROC_NULL;
  if (!l->nz_local) return;
  MPI_Comm_size(comm, &size);
  for (int r = 0; r < size; r++) {
    int64_t start, n;
    mt_slab(l->nz, r, size, &start, &n);
    if (n && start + n == l->z0) *below = r;
    if (n && start == l->z0 + l->nz_local) *above = r;
  }
}

PetscErrorCode mt_labels_count(MPI_Comm comm, MtLabels *l) {
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local;
  free(l->voxels);
  l->voxels = mt_calloc((size_t)l->ngrains + 1, sizeof *l->voxels);
  for (int64_t i = 0; i < n; i++)
    if (l->label[i] >= 0) l->voxels[l->label[i]]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, l->voxels, l->ngrains, MPI_INT64_T, MPI_SUM, comm));
  return 0;
}

void mt_labels_free(MtLabels *l) {
  free(l->label);
  free(l->axis);
  free(l->orientation);
  free(l->voxels);
  free(l->source);
  free(l->confidence);
  memset(l, 0, sizeof *l);
}
