/* The ranks' parts put together on rank 0: nodes are the same where their keys are. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "voxel.h"
#include <stdlib.h>
#include <string.h>

enum { TAG_COUNT = 11, TAG_NODE, TAG_TET, TAG_GRAIN };

static PetscErrorCode send_all(MPI_Comm comm, const MtVoxelMesh *m, MPI_Datatype node) {
  const int64_t count[2] = {m->nv, m->nt};
  PetscCallMPI(MPI_Send(count, 2, MPI_INT64_T, 0, TAG_COUNT, comm));
  PetscCallMPI(MPI_Send(m->node, (int)m->nv, node, 0, TAG_NODE, comm));
  PetscCallMPI(MPI_Send(m->tet, 4 * (int)m->nt, MPI_INT64_T, 0, TAG_TET, comm));
  PetscCallMPI(MPI_Send(m->grain, (int)m->nt, MPI_INT32_T, 0, TAG_GRAIN, comm));
  return 0;
}

static PetscErrorCode receive_from(MPI_Comm comm, int from, MtVoxelMesh *m, MPI_Datatype node) {
  int64_t count[2] = {0, 0};
  PetscCallMPI(MPI_Recv(count, 2, MPI_INT64_T, from, TAG_COUNT, comm, MPI_STATUS_IGNORE));
  const size_t nv = (size_t)(m->nv + count[0]), nt = (size_t)(m->nt + count[1]);
  m->node = mt_realloc(m->node, nv * sizeof *m->node);
  m->tet = mt_realloc(m->tet, 4 * nt * sizeof *m->tet);
  m->grain = mt_realloc(m->grain, nt * sizeof *m->grain);
  int64_t *tet = m->tet + 4 * m->nt;
  PetscCallMPI(MPI_Recv(m->node + m->nv, (int)count[0], node, from, TAG_NODE, comm, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Recv(tet, 4 * (int)count[1], MPI_INT64_T, from, TAG_TET, comm, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Recv(m->grain + m->nt, (int)count[1], MPI_INT32_T, from, TAG_GRAIN, comm, MPI_STATUS_IGNORE));
  for (int64_t i = 0; i < 4 * count[1]; i++) tet[i] += m->nv;
  m->nv += count[0], m->nt += count[1];
  return 0;
}

/* ---- */

typedef struct {
  int64_t key[4], from;
} Place;

static int compare_place(const void *a, const void *b) {
  const Place *p = a, *q = b;
  for (int k = 0; k < 4; k++)
    if (p->key[k] != q->key[k]) return p->key[k] < q->key[k] ? -1 : 1;
  return (p->from > q->from) - (p->from < q->from);
}

static void join(MtVoxelMesh *m) {
  Place *place = mt_malloc((size_t)m->nv * sizeof *place);
  MtVoxelNode *node = mt_malloc((size_t)m->nv * sizeof *node);
  int64_t *number = mt_malloc((size_t)m->nv * sizeof *number), n = 0;
  for (int64_t v = 0; v < m->nv; v++) {
    memcpy(place[v].key, m->node[v].key, sizeof place[v].key);
    place[v].from = v;
  }
  if (m->nv) qsort(place, (size_t)m->nv, sizeof *place, compare_place);
  for (int64_t i = 0; i < m->nv; i++) {
    const bool again = i > 0 && memcmp(place[i].key, place[i - 1].key, sizeof place[i].key) == 0;
    if (!again) node[n++] = m->node[place[i].from];
    number[place[i].from] = n - 1;
  }
  for (int64_t i = 0; i < 4 * m->nt; i++) m->tet[i] = number[m->tet[i]];
  free(m->node), free(place), free(number);
  m->node = node, m->nv = n;
}

PetscErrorCode mt_voxel_gather(MPI_Comm comm, MtVoxelMesh *m) {
  int rank, size;
  MPI_Datatype node;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Type_contiguous((int)sizeof(MtVoxelNode), MPI_BYTE, &node));
  PetscCallMPI(MPI_Type_commit(&node));
  if (rank == 0)
    for (int r = 1; r < size; r++) PetscCall(receive_from(comm, r, m, node));
  else
    PetscCall(send_all(comm, m, node));
  PetscCallMPI(MPI_Type_free(&node));
  if (rank == 0)
    join(m);
  else
    mt_voxel_free(m);
  return 0;
}
