/* Sparsity of an operator that couples the nodes of each tet: exact, rows of this rank, columns ascending. */
#ifndef MAGTWIN_FEM_PATTERN_H
#define MAGTWIN_FEM_PATTERN_H

#include "magtwin/fem.h"

/* Which rows and columns the nodes of the mesh have; -1: none. */
typedef struct {
  PetscInt nrows;   /* on this rank */
  PetscInt single;  /* >= 0: rows without a tet have one entry, on the diagonal, which starts in this column */
  PetscInt *local;  /* [nv_local] row on this rank */
  PetscInt *global; /* [nv_local] row over all ranks, also as a column */
} MtNumbering;
/* nodes NULL: all nodes of the mesh. */
PetscErrorCode mt_numbering_create(const MtMesh *mesh, const MtNodes *nodes, MtNumbering *n);
PetscErrorCode mt_numbering_destroy(MtNumbering *n);

typedef struct {
  PetscInt n;
  PetscInt *start; /* [n+1] */
  PetscInt *col;   /* [start[n]] global, ascending in each row */
} MtPattern;
PetscErrorCode mt_pattern_create(const MtMesh *mesh, const double *coef, const MtNumbering *row, const MtNumbering *col,
                                 MtPattern *p);
PetscErrorCode mt_pattern_destroy(MtPattern *p);
/* Where (local row, global column) lies in col; it must be there. */
PetscInt mt_pattern_find(const MtPattern *p, PetscInt row, PetscInt col);

/* AIJ from this rank's rows, columns ascending in each; the arrays are copied.  *A is the caller's.  Collective. */
PetscErrorCode mt_matrix_from_rows(MPI_Comm comm, PetscInt nrows, PetscInt ncols, const PetscInt *start,
                                   const PetscInt *col, const PetscScalar *value, Mat *A);

/* Geometry of local tet t. */
void mt_fem_mesh_tet(const MtMesh *mesh, PetscInt t, double grad[4][3], double *volume);

#endif
