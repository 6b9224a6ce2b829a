/* Slices go point to point to the ranks that need them, however thin the slabs are. */
#include "slabs.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include <string.h>

typedef struct {
  int64_t lo, hi;
} Range;

static Range slab_of(int nz, int rank, int size) {
  int64_t start, n;
  mt_slab(nz, rank, size, &start, &n);
  return (Range){start, start + n};
}

static Range widened(Range r, int below, int above, int nz) {
  if (r.lo == r.hi) return r;
  r.lo -= below;
  r.hi += above;
  return (Range){r.lo < 0 ? 0 : r.lo, r.hi > nz ? nz : r.hi};
}

static Range common(Range a, Range b) {
  const Range c = {a.lo > b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
  return c.hi > c.lo ? c : (Range){0, 0};
}

typedef struct {
  MPI_Comm comm;
  MPI_Datatype type;
  int64_t items;
  size_t slice; /* bytes */
  int n, room;
  MPI_Request *request;
} Exchange;

static void post(Exchange *x, int peer, Range what, int64_t first, char *data, bool sending) {
  for (int64_t k = what.lo; k < what.hi; k++) {
    if (x->n == x->room) {
      x->room = 2 * x->room + 16;
      x->request = mt_realloc(x->request, (size_t)x->room * sizeof(MPI_Request));
    }
    char *at = data + (size_t)(k - first) * x->slice;
    const int tag = (int)(k % 32000); /* the order of messages of one pair and tag is kept */
    MPI_Request *r = &x->request[x->n++];
    const int n = (int)x->items;
    const int rc =
        sending ? MPI_Isend(at, n, x->type, peer, tag, x->comm, r) : MPI_Irecv(at, n, x->type, peer, tag, x->comm, r);
    if (rc) MPI_Abort(x->comm, rc);
  }
}

PetscErrorCode mt_slab_halo(MPI_Comm comm, int nz, int below, int above, int64_t items, MPI_Datatype type,
                            const void *mine, void *halo) {
  int rank, size, bytes;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Type_size(type, &bytes));
  Exchange x = {.comm = comm, .type = type, .items = items, .slice = (size_t)items * (size_t)bytes};
  const Range own = slab_of(nz, rank, size), want = widened(own, below, above, nz);
  for (int r = 0; r < size; r++) {
    if (r == rank) continue;
    const Range theirs = slab_of(nz, r, size);
    post(&x, r, common(want, theirs), own.lo - below, halo, false);
    post(&x, r, common(own, widened(theirs, below, above, nz)), own.lo, (char *)mine, true);
  }
  if (own.hi > own.lo) memcpy((char *)halo + (size_t)below * x.slice, mine, (size_t)(own.hi - own.lo) * x.slice);
  PetscCallMPI(MPI_Waitall(x.n, x.request, MPI_STATUSES_IGNORE));
  free(x.request);
  return 0;
}

PetscErrorCode mt_slab_gather(MPI_Comm comm, int nz, int items, const double *mine, double *all) {
  int rank, size;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  int *count = mt_malloc(2 * (size_t)size * sizeof *count), *start = count + size;
  for (int r = 0; r < size; r++) {
    const Range s = slab_of(nz, r, size);
    count[r] = (int)(s.hi - s.lo) * items;
    start[r] = (int)s.lo * items;
  }
  PetscCallMPI(MPI_Allgatherv(mine, count[rank], MPI_DOUBLE, all, count, start, MPI_DOUBLE, comm));
  free(count);
  return 0;
}
