/* A numbering of some of the mesh's nodes: local order and ownership are the mesh's. */
#include "magtwin/fem.h"

static PetscErrorCode number_members(const MtMesh *mesh, const bool *member, MtNodes *n) {
  PetscCall(PetscMalloc1(mesh->nv_local, &n->index));
  for (PetscInt i = 0; i < mesh->nv_local; i++) {
    n->index[i] = member[i] ? n->n_local++ : -1;
    if (i < mesh->nv_owned && member[i]) n->n_owned++;
  }
  PetscCall(PetscMalloc1(n->n_local, &n->node));
  for (PetscInt i = 0; i < mesh->nv_local; i++)
    if (member[i]) n->node[n->index[i]] = i;
  return 0;
}

/* Owners know the rows; ghosts are told. */
static PetscErrorCode number_rows(const MtMesh *mesh, MtNodes *n) {
  PetscInt *row;
  PetscCall(PetscMalloc1(mesh->nv_local, &row));
  for (PetscInt i = 0; i < mesh->nv_local; i++) row[i] = n->index[i] < 0 ? -1 : n->row_start + n->index[i];
  PetscCall(PetscSFBcastBegin(mesh->sf, MPIU_INT, row, row, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(mesh->sf, MPIU_INT, row, row, MPI_REPLACE));
  PetscCall(PetscMalloc1(n->n_local, &n->row));
  for (PetscInt i = 0; i < n->n_local; i++) n->row[i] = row[n->node[i]];
  PetscCall(PetscFree(row));
  return 0;
}

PetscErrorCode mt_nodes_create(const MtMesh *mesh, const bool *member, MtNodes **nodes) {
  MtNodes *n;
  PetscCall(PetscNew(&n));
  PetscCall(number_members(mesh, member, n));
  const int64_t owned = n->n_owned;
  PetscCallMPI(MPI_Allreduce(&owned, &n->n_global, 1, MPI_INT64_T, MPI_SUM, mesh->comm));
  PetscCallMPI(MPI_Scan(&n->n_owned, &n->row_start, 1, MPIU_INT, MPI_SUM, mesh->comm));
  n->row_start -= n->n_owned;
  PetscCall(number_rows(mesh, n));
  *nodes = n;
  return 0;
}

PetscErrorCode mt_nodes_destroy(MtNodes **nodes) {
  if (!*nodes) return 0;
  PetscCall(PetscFree((*nodes)->node));
  PetscCall(PetscFree((*nodes)->index));
  PetscCall(PetscFree((*nodes)->row));
  PetscCall(PetscFree(*nodes));
  return 0;
}
