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
  PetscInt *diagonal;     /* [n] where own.value has the diagonal of each row; columns rise within a row */
  PetscSF fetch;
  MPI_Datatype quad;
  MtQuad *ghost; /* the others' values, in the order of other.col */
} MtInnerRows;

/* Of an assembled matrix with all of its diagonal.  Collective. */
PetscErrorCode mt_inner_rows_create(Mat scalar, MtInnerRows *r);
PetscErrorCode mt_inner_rows_destroy(MtInnerRows *r);
/* The others' values of x; a sweep needs them whole, so nothing is done meanwhile.  Collective. */
PetscErrorCode mt_inner_rows_fetch(MtInnerRows *r, const MtQuad *x);

/* Whether row i needs values of other ranks. */
static inline bool mt_inner_at_edge(const MtInnerRows *r, PetscInt i) {
  return r->other.start && r->other.start[i + 1] > r->other.start[i];
}

/* The entries k..end-1 of one part times x, two columns at a time in two sums. */
static inline MtQuad mt_inner_sum(const MtInnerPart *r, PetscInt k, PetscInt end, const MtQuad *restrict x) {
  MtQuad s = {0, 0, 0, 0}, t = {0, 0, 0, 0};
  for (; k + 1 < end; k += 2) {
    s += r->value[k] * x[r->col[k]];
    t += r->value[k + 1] * x[r->col[k + 1]];
  }
  if (k < end) s += r->value[k] * x[r->col[k]];
  return s + t;
}

/* In row i: the columns below i, those above it, those of other ranks. */
static inline MtQuad mt_inner_below(const MtInnerRows *r, PetscInt i, const MtQuad *restrict x) {
  return mt_inner_sum(&r->own, r->own.start[i], r->diagonal[i], x);
}

static inline MtQuad mt_inner_above(const MtInnerRows *r, PetscInt i, const MtQuad *restrict x) {
  return mt_inner_sum(&r->own, r->diagonal[i] + 1, r->own.start[i + 1], x);
}

static inline MtQuad mt_inner_others(const MtInnerRows *r, PetscInt i) {
  return mt_inner_sum(&r->other, r->other.start[i], r->other.start[i + 1], r->ghost);
}

#endif
