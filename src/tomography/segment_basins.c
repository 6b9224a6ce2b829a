/* Catchment basins by steepest descent.  Every voxel points to its lowest neighbour; a way that leaves the slab waits
 * until the neighbour's rank knows where it ends.  Ways are short, so that a few rounds are enough. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "segment.h"
#include "slabs.h"
#include <math.h>

typedef struct {
  MPI_Comm comm;
  const MtStack *s;
  int64_t slice, n, first; /* voxels of a slice, of the slab, and before the slab */
  int64_t *next;           /* [n] global number of the lowest neighbour, or itself */
  int64_t *basin;          /* [n] -1: not known yet */
  int64_t *around;         /* [n + 2 slice] basins with the slices below and above */
} Descent;

static void look(const float *h, int64_t at, int64_t shift, double *least, int64_t *best) {
  const double v = h[at + shift];
  if (v < *least || (v == *least && shift < *best)) {
    *least = v;
    *best = shift;
  }
}

static void find_next(Descent *d, const float *h) {
  const MtStack *s = d->s;
  const int64_t nx = s->nx > 1 ? s->nx : 1, ny = s->ny > 1 ? s->ny : 1;
  for (int64_t v = 0; v < d->n; v++) {
    const int64_t i = v % nx, j = v / nx % ny, k = v / d->slice + s->z0, at = v + d->slice;
    double least = h[at];
    int64_t best = 0;
    if (k) look(h, at, -d->slice, &least, &best);
    if (j) look(h, at, -nx, &least, &best);
    if (i) look(h, at, -1, &least, &best);
    if (i + 1 < nx) look(h, at, 1, &least, &best);
    if (j + 1 < ny) look(h, at, nx, &least, &best);
    if (k + 1 < s->nz) look(h, at, d->slice, &least, &best);
    d->next[v] = v + d->first + best;
  }
}

/* Follows the ways inside the slab; afterwards next is a minimum or the first voxel outside. */
static void shorten(Descent *d) {
  for (int64_t v = 0; v < d->n; v++) {
    int64_t end = v;
    while (d->next[end] != end + d->first) {
      const int64_t to = d->next[end] - d->first;
      if (to < 0 || to >= d->n) break;
      end = to;
    }
    const int64_t target = d->next[end];
    for (int64_t w = v; w != end;) { /* the whole way gets the end at once */
      const int64_t to = d->next[w] - d->first;
      d->next[w] = target;
      w = to;
    }
  }
  for (int64_t v = 0; v < d->n; v++) {
    const int64_t to = d->next[v] - d->first;
    d->basin[v] = to >= 0 && to < d->n ? d->next[v] : -1;
  }
}

static PetscErrorCode ask_neighbours(Descent *d) {
  int64_t left = 1;
  while (left) {
    PetscCall(mt_slab_halo(d->comm, d->s->nz, 1, 1, d->slice, MPI_INT64_T, d->basin, d->around));
    left = 0;
    for (int64_t v = 0; v < d->n; v++) {
      if (d->basin[v] >= 0) continue;
      d->basin[v] = d->around[d->next[v] - d->first + d->slice];
      left += d->basin[v] < 0;
    }
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &left, 1, MPI_INT64_T, MPI_SUM, d->comm));
  }
  return 0;
}

PetscErrorCode mt_basins(MPI_Comm comm, const MtStack *s, const float *height, int64_t **basin) {
  Descent d = {.comm = comm, .s = s, .slice = (int64_t)s->nx * s->ny};
  d.n = d.slice * s->nz_local;
  d.first = d.slice * s->z0;
  const size_t wide = (size_t)(d.n + 2 * d.slice);
  float *h = mt_malloc(wide * sizeof *h);
  d.next = mt_malloc(((size_t)d.n + 1) * sizeof *d.next);
  d.around = mt_malloc(wide * sizeof *d.around);
  d.basin = *basin = mt_malloc(((size_t)d.n + 1) * sizeof *d.basin);
  PetscErrorCode rc = mt_slab_halo(comm, s->nz, 1, 1, d.slice, MPI_FLOAT, height, h);
  if (!rc) {
    find_next(&d, h);
    shorten(&d);
    rc = ask_neighbours(&d);
  }
  free(h);
  free(d.next);
  free(d.around);
  return rc;
}
