/* Stiffness and lumped weights of linear tetrahedra on the distributed mesh.
 * Each rank sums its own rows over the tets in the order of the file: no messages, and entries with the same bits for
 * any number of ranks. */
#include "pattern.h"

PetscErrorCode mt_matrix_from_rows(MPI_Comm comm, PetscInt nrows, PetscInt ncols, const PetscInt *start,
                                   const PetscInt *col, const PetscScalar *value, Mat *A) {
  PetscCall(MatCreate(comm, A));
  PetscCall(MatSetSizes(*A, nrows, ncols, PETSC_DETERMINE, PETSC_DETERMINE));
  PetscCall(MatSetType(*A, MATAIJ));
  PetscCall(MatSeqAIJSetPreallocationCSR(*A, start, col, value));
  PetscCall(MatMPIAIJSetPreallocationCSR(*A, start, col, value));
  return 0;
}

static void add_stiffness(const MtPattern *p, const PetscInt *row, const PetscInt *col, double factor,
                          double grad[4][3], PetscScalar *value) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4 && row[i] >= 0; j++) {
      if (col[j] < 0) continue;
      const double g = grad[i][0] * grad[j][0] + grad[i][1] * grad[j][1] + grad[i][2] * grad[j][2];
      value[mt_pattern_find(p, row[i], col[j])] += factor * g;
    }
}

static void corners(const MtMesh *mesh, PetscInt t, const PetscInt *number, PetscInt out[4]) {
  for (int k = 0; k < 4; k++) out[k] = number[mesh->tet[4 * t + k]];
}

/* 1 on the diagonal of nodes that lie on another: they stay at 0 and take no part. */
static void hold_empty_rows(const MtMesh *mesh, const MtPattern *p, PetscScalar *value) {
  for (PetscInt r = 0; r < p->n; r++)
    if (mesh->base_row[r] != mesh->row_start + r) value[p->start[r]] = 1;
}

PetscErrorCode mt_fem_stiffness(const MtMesh *mesh, const MtNodes *nodes, const double *coef, Mat *K) {
  MtNumbering n;
  MtPattern p;
  PetscScalar *value;
  PetscCall(mt_numbering_create(mesh, nodes, &n));
  if (!nodes && mesh->base_row) n.single = mesh->row_start;
  PetscCall(mt_pattern_create(mesh, coef, &n, &n, &p));
  PetscCall(PetscCalloc1(p.start[p.n], &value));
  if (!nodes && mesh->base_row) hold_empty_rows(mesh, &p, value);
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    double grad[4][3], volume;
    PetscInt row[4], col[4];
    if (coef[t] == 0) continue;
    mt_fem_mesh_tet(mesh, t, grad, &volume);
    corners(mesh, t, n.local, row);
    corners(mesh, t, n.global, col);
    add_stiffness(&p, row, col, coef[t] * volume, grad, value);
  }
  PetscCall(mt_matrix_from_rows(mesh->comm, p.n, p.n, p.start, p.col, value, K));
  PetscCall(MatSetOption(*K, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(PetscFree(value));
  PetscCall(mt_pattern_destroy(&p));
  return mt_numbering_destroy(&n);
}

PetscErrorCode mt_fem_lumped(const MtMesh *mesh, const MtNodes *nodes, const double *coef, double *w) {
  MtNumbering n;
  PetscCall(mt_numbering_create(mesh, nodes, &n));
  for (PetscInt i = 0; i < n.nrows; i++) w[i] = 0;
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    double grad[4][3], volume;
    if (coef[t] == 0) continue;
    mt_fem_mesh_tet(mesh, t, grad, &volume);
    for (int k = 0; k < 4; k++) {
      const PetscInt r = n.local[mesh->tet[4 * t + k]];
      if (r >= 0) w[r] += coef[t] * volume / 4;
    }
  }
  return mt_numbering_destroy(&n);
}
