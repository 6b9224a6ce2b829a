/* Sparse exchange: who sends to whom is found by consensus, so that no rank keeps lists of all others (T. Hoefler,
 * C. Siebert, A. Lumsdaine, ACM SIGPLAN Not. 45 (2010) 159; in PETSc PetscCommBuildTwoSided). */
#include "post.h"
#include "grid.h"
#include "magtwin/memory.h"
#include <string.h>

void mt_post_begin(MPI_Comm comm, size_t bytes, MtPost *p) {
  *p = (MtPost){.comm = comm, .bytes = bytes};
}

void mt_post_add(MtPost *p, int to, const void *item) {
  if (p->n == p->room) {
    p->room += p->room / 2 + 256;
    p->to = mt_realloc(p->to, (size_t)p->room * sizeof *p->to);
    p->item = mt_realloc(p->item, (size_t)p->room * p->bytes);
  }
  p->to[p->n] = to;
  memcpy(p->item + (size_t)p->n++ * p->bytes, item, p->bytes);
}

void mt_post_end(MtPost *p) {
  free(p->to);
  free(p->item);
  memset(p, 0, sizeof *p);
}

typedef struct {
  PetscMPIInt n;
  PetscMPIInt *rank, *count; /* [n] owned */
} Peers;

/* Items by addressee. */
static Peers sort_items(MtPost *p) {
  uint64_t *key = mt_malloc((size_t)p->n * sizeof *key);
  uint32_t *order = mt_malloc((size_t)p->n * sizeof *order);
  char *sorted = mt_malloc((size_t)p->n * p->bytes);
  Peers to = {0, NULL, NULL};
  for (int64_t i = 0; i < p->n; i++) key[i] = (uint64_t)p->to[i], order[i] = (uint32_t)i;
  mt_sort_keys(p->n, key, order);
  for (int64_t i = 0; i < p->n; i++) {
    memcpy(sorted + (size_t)i * p->bytes, p->item + order[i] * p->bytes, p->bytes);
    to.n += !i || key[i] != key[i - 1];
  }
  to.rank = mt_malloc((size_t)to.n * sizeof *to.rank);
  to.count = mt_calloc((size_t)to.n, sizeof *to.count);
  to.n = 0;
  for (int64_t i = 0; i < p->n; i++) {
    if (!i || key[i] != key[i - 1]) to.rank[to.n++] = (PetscMPIInt)key[i];
    to.count[to.n - 1]++;
  }
  free(key);
  free(order);
  free(p->item);
  p->item = sorted;
  p->room = p->n;
  return to;
}

/* By rank: who answers first is chance. */
static void sort_peers(Peers *from) {
  for (PetscMPIInt i = 1; i < from->n; i++)
    for (PetscMPIInt j = i; j > 0 && from->rank[j - 1] > from->rank[j]; j--) {
      const PetscMPIInt rank = from->rank[j], count = from->count[j];
      from->rank[j] = from->rank[j - 1], from->count[j] = from->count[j - 1];
      from->rank[j - 1] = rank, from->count[j - 1] = count;
    }
}

static PetscErrorCode transfer(const MtPost *p, const Peers *to, const Peers *from, char *in) {
  enum { TAG = 71 };
  MPI_Datatype type;
  MPI_Request *request = mt_malloc((size_t)(to->n + from->n) * sizeof(MPI_Request));
  const char *out = p->item;
  int n = 0;
  PetscCallMPI(MPI_Type_contiguous((int)p->bytes, MPI_BYTE, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  for (PetscMPIInt i = 0; i < from->n; in += (size_t)from->count[i++] * p->bytes)
    PetscCallMPI(MPI_Irecv(in, from->count[i], type, from->rank[i], TAG, p->comm, &request[n++]));
  for (PetscMPIInt i = 0; i < to->n; out += (size_t)to->count[i++] * p->bytes)
    PetscCallMPI(MPI_Isend(out, to->count[i], type, to->rank[i], TAG, p->comm, &request[n++]));
  PetscCallMPI(MPI_Waitall(n, request, MPI_STATUSES_IGNORE));
  PetscCallMPI(MPI_Type_free(&type));
  free(request);
  return 0;
}

PetscErrorCode mt_post_send(MtPost *p, int64_t *n, void **items, int **from) {
  Peers to = sort_items(p), senders = {0, NULL, NULL};
  PetscCall(
      PetscCommBuildTwoSided(p->comm, 1, MPI_INT, to.n, to.rank, to.count, &senders.n, &senders.rank, &senders.count));
  sort_peers(&senders);
  *n = 0;
  for (PetscMPIInt i = 0; i < senders.n; i++) *n += senders.count[i];
  *items = mt_malloc((size_t)*n * p->bytes);
  PetscCall(transfer(p, &to, &senders, *items));
  PetscCallMPI(MPI_Barrier(p->comm)); /* the next exchange uses the same tag */
  if (from) {
    int *f = *from = mt_malloc((size_t)*n * sizeof *f);
    for (PetscMPIInt i = 0; i < senders.n; i++)
      for (PetscMPIInt k = 0; k < senders.count[i]; k++) *f++ = senders.rank[i];
  }
  PetscCall(PetscFree(senders.rank));
  PetscCall(PetscFree(senders.count));
  free(to.rank);
  free(to.count);
  p->n = 0;
  return 0;
}
