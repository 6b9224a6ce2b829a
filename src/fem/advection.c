/* The derivative along a constant velocity at the nodes: mean of the tets around each, as the box scheme weighs them.
 */
#include "pattern.h"

static void add_rows(const MtPattern *p, const PetscInt row[4], const PetscInt col[4], double weight, const double u[3],
                     double grad[4][3], PetscScalar *value) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4 && row[i] >= 0; j++)
      value[mt_pattern_find(p, row[i], col[j])] += weight * (u[0] * grad[j][0] + u[1] * grad[j][1] + u[2] * grad[j][2]);
}

PetscErrorCode mt_fem_advection(const MtMesh *mesh, const MtNodes *nodes, const double *coef, const double u[3],
                                Mat *A) {
  MtNumbering n;
  MtPattern p;
  PetscScalar *value;
  PetscCall(mt_numbering_create(mesh, nodes, &n));
  PetscCall(mt_pattern_create(mesh, coef, &n, &n, &p));
  PetscCall(PetscCalloc1(p.start[p.n], &value));
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    double grad[4][3], volume;
    PetscInt row[4], col[4];
    if (coef[t] == 0) continue;
    mt_fem_mesh_tet(mesh, t, grad, &volume);
    for (int k = 0; k < 4; k++) {
      row[k] = n.local[mesh->tet[4 * t + k]];
      col[k] = n.global[mesh->tet[4 * t + k]];
    }
    add_rows(&p, row, col, coef[t] * volume / 4, u, grad, value);
  }
  PetscCall(MatCreate(mesh->comm, A));
  PetscCall(MatSetSizes(*A, p.n, p.n, PETSC_DETERMINE, PETSC_DETERMINE));
  PetscCall(MatSetType(*A, MATAIJ));
  PetscCall(MatSeqAIJSetPreallocationCSR(*A, p.start, p.col, value));
  PetscCall(MatMPIAIJSetPreallocationCSR(*A, p.start, p.col, value));
  PetscCall(PetscFree(value));
  PetscCall(mt_pattern_destroy(&p));
  return mt_numbering_destroy(&n);
}
