/* What happens to labels after the grains are found: voxels of dissolved grains go to their neighbours, and the grains
 * get their final numbers. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <stdlib.h>
#include <string.h>

/* [slice below | slab | slice above]; labels of the last step, -1 outside the volume. */
typedef struct {
  int below, above;
  int64_t slice, n;
  int32_t *old;
} Halo;

static PetscErrorCode halo_update(MPI_Comm comm, const MtLabels *l, Halo *h) {
  const int count = (int)h->slice;
  if (h->n) memcpy(h->old + h->slice, l->label, (size_t)h->n * sizeof *h->old);
  int32_t *first = h->old + h->slice, *last = h->old + (h->n ? h->n : h->slice), *top = h->old + h->slice + h->n;
  PetscCallMPI(MPI_Sendrecv(last, count, MPI_INT32_T, h->above, 1, h->old, count, MPI_INT32_T, h->below, 1, comm,
                            MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Sendrecv(first, count, MPI_INT32_T, h->below, 2, top, count, MPI_INT32_T, h->above, 2, comm,
                            MPI_STATUS_IGNORE));
  return 0;
}

/* The most frequent of the labels >= 0, the smallest on a tie; -1 if there is none. */
static int32_t majority(const int32_t label[6]) {
  int32_t best = -1;
  int votes = 0;
  for (int a = 0; a < 6; a++) {
    int n = 0;
    if (label[a] < 0) continue;
    for (int b = 0; b < 6; b++) n += label[b] == label[a];
    if (n > votes || (n == votes && label[a] < best)) votes = n, best = label[a];
  }
  return best;
}

static int64_t fill_step(MtLabels *l, const Halo *h) {
  const int64_t nx = l->nx;
  int64_t left = 0;
  for (int64_t i = 0; i < h->n; i++) {
    if (l->label[i] >= 0) continue;
    const int64_t x = i % nx, y = i / nx % l->ny;
    const int32_t *o = h->old + h->slice + i;
    const int32_t near[6] = {
        x ? o[-1] : -1, x + 1 < nx ? o[1] : -1, y ? o[-nx] : -1, y + 1 < l->ny ? o[nx] : -1, o[-h->slice], o[h->slice]};
    l->label[i] = majority(near);
    left += l->label[i] < 0;
  }
  return left;
}

PetscErrorCode mt_labels_fill(MPI_Comm comm, MtLabels *l) {
  Halo h = {.slice = (int64_t)l->nx * l->ny};
  int64_t left = 1;
  if (!l->ngrains) return mt_error(MT_ERR_INPUT, "there is no grain to give the unlabelled voxels to");
  h.n = h.slice * l->nz_local;
  mt_labels_neighbours(comm, l, &h.below, &h.above);
  PetscErrorCode rc = 0;
  h.old = mt_malloc((size_t)(h.n + 2 * h.slice) * sizeof *h.old);
  for (int64_t i = 0; i < h.n + 2 * h.slice; i++) h.old[i] = -1;
  while (!rc && left) {
    rc = halo_update(comm, l, &h);
    left = rc ? 0 : fill_step(l, &h);
    if (!rc) rc = MPI_Allreduce(MPI_IN_PLACE, &left, 1, MPI_INT64_T, MPI_SUM, comm);
  }
  free(h.old);
  return rc;
}

typedef struct {
  int64_t first;
  int grain;
} First;

static int compare_first(const void *a, const void *b) {
  return mt_compare_i64(&((const First *)a)->first, &((const First *)b)->first);
}

/* Rows of `width` numbers into the new order; v NULL: nothing. */
static void reorder(int n, const First *order, int width, double *v, double *work) {
  if (!v) return;
  for (int g = 0; g < n; g++) memcpy(work + width * g, v + width * order[g].grain, (size_t)width * sizeof *work);
  memcpy(v, work, (size_t)(width * n) * sizeof *work);
}

/* New number of each old grain, its axis and orientation with it. */
static void apply_order(MtLabels *l, const First *order, int32_t *number, double *work) {
  for (int g = 0; g < l->ngrains; g++) number[order[g].grain] = g;
  reorder(l->ngrains, order, 3, l->axis, work);
  reorder(l->ngrains, order, 4, l->orientation, work);
  const int64_t n = (int64_t)l->nx * l->ny * l->nz_local;
  for (int64_t i = 0; i < n; i++)
    if (l->label[i] >= 0) l->label[i] = number[l->label[i]];
}

PetscErrorCode mt_labels_renumber(MPI_Comm comm, MtLabels *l) {
  const size_t ng = (size_t)l->ngrains;
  const int64_t slice = (int64_t)l->nx * l->ny, n = slice * l->nz_local;
  int64_t *first = mt_malloc((ng + 1) * sizeof *first);
  First *order = mt_malloc((ng + 1) * sizeof *order);
  int32_t *number = mt_malloc((ng + 1) * sizeof *number);
  double *work = mt_malloc((4 * ng + 1) * sizeof *work);
  for (size_t g = 0; g < ng; g++) first[g] = INT64_MAX;
  for (int64_t i = n - 1; i >= 0; i--)
    if (l->label[i] >= 0) first[l->label[i]] = i + slice * l->z0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, first, l->ngrains, MPI_INT64_T, MPI_MIN, comm));
  for (int g = 0; g < l->ngrains; g++) order[g] = (First){first[g], g};
  qsort(order, ng, sizeof *order, compare_first);
  apply_order(l, order, number, work);
  free(first);
  free(order);
  free(number);
  free(work);
  return mt_labels_count(comm, l);
}
