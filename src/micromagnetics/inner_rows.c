/* The exchange matrix in single precision: a copy of its values, its own pattern. */
#include "inner_rows.h"

static PetscErrorCode copy_part(Mat block, MtInnerPart *part) {
  const PetscScalar *value;
  PetscBool done;
  part->block = block;
  PetscCall(MatGetRowIJ(block, 0, PETSC_FALSE, PETSC_FALSE, &part->n, &part->start, &part->col, &done));
  if (!done) SETERRQ(PETSC_COMM_SELF, PETSC_ERR_SUP, "rows of a matrix that is not AIJ");
  PetscCall(PetscMalloc1(part->start[part->n], &part->value));
  PetscCall(MatSeqAIJGetArrayRead(block, &value));
  for (PetscInt k = 0; k < part->start[part->n]; k++) part->value[k] = (float)value[k];
  return MatSeqAIJRestoreArrayRead(block, &value);
}

static PetscErrorCode free_part(MtInnerPart *part) {
  PetscBool done;
  if (!part->block) return 0;
  PetscCall(PetscFree(part->value));
  return MatRestoreRowIJ(part->block, 0, PETSC_FALSE, PETSC_FALSE, &part->n, &part->start, &part->col, &done);
}

static PetscErrorCode find_diagonal(MtInnerRows *r) {
  const MtInnerPart *own = &r->own;
  PetscCall(PetscMalloc1(own->n, &r->diagonal));
  for (PetscInt i = 0; i < own->n; i++) {
    PetscInt k = own->start[i];
    while (k < own->start[i + 1] && own->col[k] < i) k++;
    if (k == own->start[i + 1] || own->col[k] != i)
      SETERRQ(PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "a row has no diagonal");
    r->diagonal[i] = k;
  }
  return 0;
}

static PetscErrorCode make_fetch(MtInnerRows *r, const PetscInt *column) {
  PetscLayout layout;
  PetscInt n;
  PetscCall(MatGetLocalSize(r->other.block, NULL, &n));
  PetscCall(MatGetLayouts(r->scalar, &layout, NULL));
  PetscCall(PetscMalloc1(n, &r->ghost));
  PetscCallMPI(MPI_Type_contiguous(4, MPI_FLOAT, &r->quad));
  PetscCallMPI(MPI_Type_commit(&r->quad));
  PetscCall(PetscSFCreate(PetscObjectComm((PetscObject)r->scalar), &r->fetch));
  return PetscSFSetGraphLayout(r->fetch, layout, n, NULL, PETSC_COPY_VALUES, column);
}

PetscErrorCode mt_inner_rows_create(Mat scalar, MtInnerRows *r) {
  PetscBool parallel;
  const PetscInt *column;
  Mat own = scalar, other;
  *r = (MtInnerRows){.scalar = scalar};
  PetscCall(PetscObjectReference((PetscObject)scalar));
  PetscCall(PetscObjectTypeCompare((PetscObject)scalar, MATMPIAIJ, &parallel));
  if (parallel) {
    PetscCall(MatMPIAIJGetSeqAIJ(scalar, &own, &other, &column));
    PetscCall(copy_part(other, &r->other));
    PetscCall(make_fetch(r, column));
  }
  PetscCall(copy_part(own, &r->own));
  return find_diagonal(r);
}

PetscErrorCode mt_inner_rows_destroy(MtInnerRows *r) {
  PetscCall(free_part(&r->own));
  PetscCall(free_part(&r->other));
  PetscCall(PetscFree(r->diagonal));
  PetscCall(PetscFree(r->ghost));
  PetscCall(PetscSFDestroy(&r->fetch));
  if (r->quad) PetscCallMPI(MPI_Type_free(&r->quad));
  return MatDestroy(&r->scalar);
}

PetscErrorCode mt_inner_rows_fetch(MtInnerRows *r, const MtQuad *x) {
  if (!r->fetch) return 0;
  PetscCall(PetscSFBcastBegin(r->fetch, r->quad, x, r->ghost, MPI_REPLACE));
  return PetscSFBcastEnd(r->fetch, r->quad, x, r->ghost, MPI_REPLACE);
}
