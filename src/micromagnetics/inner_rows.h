/* The exchange matrix in single precision, for fields of four floats a node (x, y, z, 0). */
#ifndef MT_MICROMAGNETICS_INNER_ROWS_H
#define MT_MICROMAGNETICS_INNER_ROWS_H

#include <petscmat.h>
#include <petscsf.h>
#include <stdbool.h>

typedef float MtQuad __attribute__((vector_size(16)));

typedef struct {
  Mat block; /* borrowed from the matrix; NULL: no such columns on any rank */
  PetscInt n;
  const PetscInt *start, *col; /* the block's */
  float *value;                /* own copy */
} MtInnerPart;

typedef struct {
  Mat scalar;             /* referenced */
  MtInnerPart own, other; /* columns of this rank, of the others */
  PetscInt nedge;         /* rows with columns of others */
  PetscInt *edge;
  PetscSF fetch;
  MPI_Datatype quad;
  MtQuad *ghost; /* the others' values, in the order of other.col */
} MtInnerRows;

/* Collective. */
PetscErrorCode mt_inner_rows_create(Mat scalar, MtInnerRows *r);
PetscErrorCode mt_inner_rows_destroy(MtInnerRows *r);
/* Between begin and end the ghost values of x are on their way; collective, both. */
PetscErrorCode mt_inner_rows_begin(MtInnerRows *r, const MtQuad *x);
PetscErrorCode mt_inner_rows_end(MtInnerRows *r, const MtQuad *x);

/* Whether row i needs values of other ranks. */
static inline bool mt_inner_at_edge(const MtInnerRows *r, PetscInt i) {
  return r->nedge > 0 && r->other.start[i + 1] > r->other.start[i];
}

/* Row i of one part times x, two columns at a time in two sums. */
static inline MtQuad mt_inner_row(const MtInnerPart *r, PetscInt i, const MtQuad *restrict x) {
  MtQuad s = {0, 0, 0, 0}, t = {0, 0, 0, 0};
  PetscInt k = r->start[i];
  const PetscInt end = r->start[i + 1];
  for (; k + 1 < end; k += 2) {
    s += r->value[k] * x[r->col[k]];
    t += r->value[k + 1] * x[r->col[k + 1]];
  }
  if (k < end) s += r->value[k] * x[r->col[k]];
  return s + t;
}

#endif
