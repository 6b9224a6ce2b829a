/* Exact sparsity from the tets around each row, and the search for an entry in it. */
#include "pattern.h"

/* Nodes on one place share the row of the first, on the same rank. */
static PetscErrorCode number_places(const MtMesh *mesh, MtNumbering *n) {
  for (PetscInt i = 0; i < mesh->nv_local; i++) {
    n->local[i] = i < mesh->nv_owned ? mesh->base_row[i] - mesh->row_start : -1;
    n->global[i] = mesh->base_row[i];
  }
  return 0;
}

PetscErrorCode mt_numbering_create(const MtMesh *mesh, const MtNodes *nodes, MtNumbering *n) {
  PetscCall(PetscMalloc2(mesh->nv_local, &n->local, mesh->nv_local, &n->global));
  n->nrows = nodes ? nodes->n_owned : mesh->nv_owned;
  n->single = -1;
  if (!nodes && mesh->base_row) return number_places(mesh, n);
  for (PetscInt i = 0; i < mesh->nv_local; i++) {
    const PetscInt k = nodes ? nodes->index[i] : i;
    n->local[i] = i < mesh->nv_owned ? k : -1;
    n->global[i] = k < 0 ? -1 : nodes ? nodes->row[k] : mesh->row[i];
  }
  return 0;
}

PetscErrorCode mt_numbering_destroy(MtNumbering *n) {
  return PetscFree2(n->local, n->global);
}

/* Tets with coef != 0 at each row -> start [nrows+1], list. */
static PetscErrorCode tets_of_rows(const MtMesh *mesh, const double *coef, const MtNumbering *row, PetscInt **start,
                                   PetscInt **list) {
  PetscInt *next;
  PetscCall(PetscCalloc1(row->nrows + 1, start));
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    for (int k = 0; k < 4; k++) {
      const PetscInt r = row->local[mesh->tet[4 * t + k]];
      if (coef[t] != 0 && r >= 0) (*start)[r + 1]++;
    }
  for (PetscInt r = 0; r < row->nrows; r++) (*start)[r + 1] += (*start)[r];
  PetscCall(PetscMalloc1((*start)[row->nrows], list));
  PetscCall(PetscMalloc1(row->nrows, &next));
  PetscCall(PetscArraycpy(next, *start, row->nrows));
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    for (int k = 0; k < 4; k++) {
      const PetscInt r = row->local[mesh->tet[4 * t + k]];
      if (coef[t] != 0 && r >= 0) (*list)[next[r]++] = t;
    }
  PetscCall(PetscFree(next));
  return 0;
}

/* Columns of one row -> out, ascending and unique; *n in: room, out: number. */
static PetscErrorCode columns_of_row(const MtMesh *mesh, const MtNumbering *col, PetscInt row, const PetscInt *tet,
                                     PetscInt ntets, PetscInt *n, PetscInt *out) {
  *n = 0;
  for (PetscInt i = 0; i < ntets; i++)
    for (int k = 0; k < 4; k++) {
      const PetscInt c = col->global[mesh->tet[4 * tet[i] + k]];
      if (c >= 0) out[(*n)++] = c;
    }
  if (!ntets && col->single >= 0) out[(*n)++] = col->single + row;
  return PetscSortRemoveDupsInt(n, out);
}

PetscErrorCode mt_pattern_create(const MtMesh *mesh, const double *coef, const MtNumbering *row, const MtNumbering *col,
                                 MtPattern *p) {
  PetscInt *start, *list, *buffer, most = 0;
  PetscCall(tets_of_rows(mesh, coef, row, &start, &list));
  for (PetscInt r = 0; r < row->nrows; r++) most = PetscMax(most, start[r + 1] - start[r]);
  PetscCall(PetscMalloc1(4 * most + 1, &buffer));
  p->n = row->nrows;
  PetscCall(PetscCalloc1(p->n + 1, &p->start));
  for (PetscInt r = 0; r < p->n; r++) { /* count, then fill: exact memory */
    PetscInt n;
    PetscCall(columns_of_row(mesh, col, r, list + start[r], start[r + 1] - start[r], &n, buffer));
    p->start[r + 1] = p->start[r] + n;
  }
  PetscCall(PetscMalloc1(p->start[p->n], &p->col));
  for (PetscInt r = 0; r < p->n; r++) {
    PetscInt n;
    PetscCall(columns_of_row(mesh, col, r, list + start[r], start[r + 1] - start[r], &n, buffer));
    PetscCall(PetscArraycpy(p->col + p->start[r], buffer, n));
  }
  PetscCall(PetscFree(buffer));
  PetscCall(PetscFree(start));
  PetscCall(PetscFree(list));
  return 0;
}

PetscErrorCode mt_pattern_destroy(MtPattern *p) {
  PetscCall(PetscFree(p->start));
  PetscCall(PetscFree(p->col));
  return 0;
}

PetscInt mt_pattern_find(const MtPattern *p, PetscInt row, PetscInt col) {
  PetscInt low = p->start[row], high = p->start[row + 1];
  while (high - low > 1) {
    const PetscInt middle = (low + high) / 2;
    if (p->col[middle] <= col)
      low = middle;
    else
      high = middle;
  }
  return low;
}

void mt_fem_mesh_tet(const MtMesh *mesh, PetscInt t, double grad[4][3], double *volume) {
  double x[4][3];
  for (int k = 0; k < 4; k++)
    for (int c = 0; c < 3; c++) x[k][c] = mesh->x[3 * mesh->tet[4 * t + k] + c];
  mt_fem_tet((const double(*)[3])x, grad, volume);
}
