/* Smoothed indicators of the grains, from the voxels around a point alone: only grains that are near exist there. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- slices */

typedef struct {
  int first, n;
} Range;

/* Slices that this rank needs for values between zmin and zmax. */
static Range needed(const MtLabels *l, double radius, double zmin, double zmax) {
  const double h = l->voxel[2];
  int first = (int)floor((zmin - radius) / h) - 1, last = (int)ceil((zmax + radius) / h) + 1;
  first = first < 0 ? 0 : first > l->nz - 1 ? l->nz - 1 : first;
  last = last > l->nz - 1 ? l->nz - 1 : last < first ? first : last;
  return (Range){first, zmin <= zmax ? last - first + 1 : 0};
}

static Range overlap(Range a, Range b) {
  const int first = a.first > b.first ? a.first : b.first,
            end = a.first + a.n < b.first + b.n ? a.first + a.n : b.first + b.n;
  return (Range){first, end > first ? end - first : 0};
}

/* Slices from those that have them, point to point. */
static PetscErrorCode fetch(MPI_Comm comm, const MtLabels *l, Range mine, int32_t *label) {
  int size, rank, count = 0;
  const int64_t slice = (int64_t)l->nx * l->ny;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  Range *want = mt_malloc((size_t)size * sizeof *want);
  MPI_Request *request = mt_malloc(2 * (size_t)size * sizeof(MPI_Request));
  PetscCallMPI(MPI_Allgather(&mine, 2, MPI_INT, want, 2, MPI_INT, comm));
  for (int r = 0; r < size; r++) {
    int64_t start, n;
    mt_slab(l->nz, r, size, &start, &n);
    const Range in = overlap(mine, (Range){(int)start, (int)n}), out = overlap(want[r], (Range){l->z0, l->nz_local});
    if (in.n)
      PetscCallMPI(MPI_Irecv(label + slice * (in.first - mine.first), (int)(slice * in.n), MPI_INT32_T, r, 7, comm,
                             request + count++));
    if (out.n)
      PetscCallMPI(MPI_Isend(l->label + slice * (out.first - l->z0), (int)(slice * out.n), MPI_INT32_T, r, 7, comm,
                             request + count++));
  }
  PetscCallMPI(MPI_Waitall(count, request, MPI_STATUSES_IGNORE));
  free(want);
  free(request);
  return 0;
}

PetscErrorCode mt_field_make(MPI_Comm comm, const MtLabels *l, double radius, double zmin, double zmax,
                             const double *weight, MtField *f) {
  const Range mine = needed(l, radius, zmin, zmax);
  *f = (MtField){.n = {l->nx, l->ny, l->nz}, .z0 = mine.first, .nz = mine.n, .radius = radius, .ngrains = l->ngrains};
  memcpy(f->voxel, l->voxel, sizeof f->voxel);
  f->label = mt_malloc((size_t)l->nx * (size_t)l->ny * (size_t)mine.n * sizeof *f->label);
  f->weight = mt_calloc((size_t)l->ngrains, sizeof *f->weight);
  if (weight) memcpy(f->weight, weight, (size_t)l->ngrains * sizeof *weight);
  return fetch(comm, l, mine, f->label);
}

void mt_field_free(MtField *f) {
  free(f->label), free(f->weight);
  memset(f, 0, sizeof *f);
}

/* ---- values */

static int mirrored(int i, int n) {
  while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
  return i;
}

static int slot_of(MtMix *mix, int32_t grain) {
  for (int i = 0; i < mix->n; i++)
    if (mix->grain[i] == grain) return i;
  if (mix->n == MT_MIX_MAX) return -1;
  mix->grain[mix->n] = grain, mix->value[mix->n] = 0;
  memset(mix->slope[mix->n], 0, sizeof mix->slope[0]);
  return mix->n++;
}

/* w and its derivative by x over -6 (x - voxel) / radius^2. */
static void add_voxel(MtMix *mix, int32_t grain, const double d[3], double u, double radius) {
  const int at = slot_of(mix, grain);
  if (at < 0) return;
  mix->value[at] += u * u * u;
  for (int k = 0; k < 3; k++) mix->slope[at][k] -= 6 * u * u * d[k] / (radius * radius);
}

/* Values add up to 1 before the weights come to them. */
static void normalize(const MtField *f, MtMix *mix) {
  double sum = 0, slope[3] = {0, 0, 0};
  for (int i = 0; i < mix->n; i++) {
    sum += mix->value[i];
    for (int k = 0; k < 3; k++) slope[k] += mix->slope[i][k];
  }
  for (int i = 0; i < mix->n; i++) {
    mix->value[i] /= sum;
    for (int k = 0; k < 3; k++) mix->slope[i][k] = (mix->slope[i][k] - mix->value[i] * slope[k]) / sum;
    mix->value[i] += f->weight[mix->grain[i]];
  }
}

void mt_field_at(const MtField *f, const double x[3], MtMix *mix) {
  int lo[3], hi[3];
  for (int k = 0; k < 3; k++) {
    lo[k] = (int)ceil((x[k] - f->radius) / f->voxel[k] - .5);
    hi[k] = (int)floor((x[k] + f->radius) / f->voxel[k] - .5);
  }
  mix->n = 0;
  for (int k = lo[2]; k <= hi[2]; k++)
    for (int j = lo[1]; j <= hi[1]; j++) {
      const int z = mirrored(k, f->n[2]) - f->z0, y = mirrored(j, f->n[1]);
      const int32_t *row = f->label + ((int64_t)z * f->n[1] + y) * f->n[0];
      double d[3] = {0, x[1] - (j + .5) * f->voxel[1], x[2] - (k + .5) * f->voxel[2]};
      const double far2 = d[1] * d[1] + d[2] * d[2];
      for (int i = lo[0]; i <= hi[0]; i++) {
        d[0] = x[0] - (i + .5) * f->voxel[0];
        const double u = 1 - (far2 + d[0] * d[0]) / (f->radius * f->radius);
        if (u > 0) add_voxel(mix, row[mirrored(i, f->n[0])], d, u, f->radius);
      }
    }
  normalize(f, mix);
}

int mt_mix_largest(const MtMix *mix) {
  int best = 0;
  for (int i = 1; i < mix->n; i++)
    if (mix->value[i] > mix->value[best] || (mix->value[i] == mix->value[best] && mix->grain[i] < mix->grain[best]))
      best = i;
  return best;
}

int mt_mix_find(const MtMix *mix, int32_t grain) {
  for (int i = 0; i < mix->n; i++)
    if (mix->grain[i] == grain) return i;
  return -1;
}
