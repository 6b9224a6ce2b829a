/* The diagrams of a series in one HDF5 file: the pairs of all images one after the other, and how many each has. */
#include "diagrams.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include <stdio.h>

typedef struct {
  MPI_Comm comm;
  MtH5 *f;
  int total, start, n;
  const MtDiagram *d;
} Series;

/* Pairs of dimension k here, before this rank, and of all. */
static PetscErrorCode count_pairs(const Series *s, int k, int64_t *n, int64_t *start, int64_t *total) {
  *n = *start = 0;
  for (int i = 0; i < s->n; i++) *n += s->d[i].n[k];
  PetscCallMPI(MPI_Exscan(n, start, 1, MPI_INT64_T, MPI_SUM, s->comm));
  PetscCallMPI(MPI_Allreduce(n, total, 1, MPI_INT64_T, MPI_SUM, s->comm));
  int rank;
  PetscCallMPI(MPI_Comm_rank(s->comm, &rank));
  if (!rank) *start = 0;
  return 0;
}

static PetscErrorCode write_dimension(const Series *s, int k) {
  int64_t n, start, total, at = 0;
  char name[3][32];
  PetscCall(count_pairs(s, k, &n, &start, &total));
  double *value = mt_malloc(2 * (size_t)n * sizeof *value);
  int64_t *pixel = mt_malloc(2 * (size_t)n * sizeof *pixel), *count = mt_malloc((size_t)s->n * sizeof *count);
  for (int i = 0; i < s->n; i++) {
    count[i] = s->d[i].n[k];
    for (int64_t j = 0; j < s->d[i].n[k]; j++, at++) {
      const MtPair *p = &s->d[i].pair[k][j];
      value[2 * at] = p->birth, value[2 * at + 1] = p->death;
      pixel[2 * at] = p->birth_at, pixel[2 * at + 1] = p->death_at;
    }
  }
  snprintf(name[0], sizeof name[0], "/dimension%d/pairs", k);
  snprintf(name[1], sizeof name[1], "/dimension%d/pixels", k);
  snprintf(name[2], sizeof name[2], "/dimension%d/count", k);
  PetscErrorCode rc = mt_h5_write(s->f, name[0], H5T_NATIVE_DOUBLE, total, 2, start, n, value, "1");
  if (!rc) rc = mt_h5_write(s->f, name[1], H5T_NATIVE_INT64, total, 2, start, n, pixel, "1");
  if (!rc) rc = mt_h5_write(s->f, name[2], H5T_NATIVE_INT64, s->total, 1, s->start, s->n, count, "1");
  free(value);
  free(pixel);
  free(count);
  return rc;
}

PetscErrorCode mt_diagrams_write_hdf5(MPI_Comm comm, const char *path, const MtInput *in, int dims, const int size[3],
                                      const int from[2], int total, int start, int n, const MtDiagram *d) {
  Series s = {comm, NULL, total, start, n, d};
  const int64_t side[3] = {size[2], size[1], size[0]}, first[2] = {from[0], from[1]};
  PetscCall(mt_h5_create(comm, path, "magtwin-diagrams", 1, &s.f));
  PetscErrorCode rc = mt_h5_set_ints(s.f, "/", "dims", 3, side);
  if (!rc) rc = mt_h5_set_ints(s.f, "/", "from", 2, first);
  if (!rc) rc = mt_h5_set_string(s.f, "/", "input", mt_input_canonical(in));
  for (int k = 0; k < dims && !rc; k++) rc = write_dimension(&s, k);
  if (!rc) return mt_h5_commit(&s.f, false);
  if (s.f) PetscCall(mt_h5_discard(&s.f));
  return rc;
}
