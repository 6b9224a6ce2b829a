/* Singular vectors by SLEPc: thick-restart Lanczos bidiagonalization with the table as an operator. */
#include "components.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <math.h>
#include <slepcsvd.h>
#include <string.h>

typedef struct {
  const MtTable *t;
  Vec all; /* the short side on every rank */
  VecScatter gather;
} Operator;

/* y = A x */
static PetscErrorCode apply(Mat A, Vec x, Vec y) {
  Operator *op;
  const PetscScalar *in;
  PetscScalar *out;
  PetscCall(MatShellGetContext(A, (void *)&op));
  PetscCall(VecScatterBegin(op->gather, x, op->all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(op->gather, x, op->all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArrayRead(op->all, &in));
  PetscCall(VecGetArray(y, &out));
  mt_pca_multiply(op->t, 1, in, out);
  PetscCall(VecRestoreArray(y, &out));
  PetscCall(VecRestoreArrayRead(op->all, &in));
  return 0;
}

/* x = A' y */
static PetscErrorCode apply_back(Mat A, Vec y, Vec x) {
  Operator *op;
  const PetscScalar *in;
  PetscScalar *sum, *out;
  PetscInt start, n;
  PetscCall(MatShellGetContext(A, (void *)&op));
  PetscCall(VecGetArrayRead(y, &in));
  PetscCall(VecGetArray(op->all, &sum));
  PetscCall(mt_pca_multiply_back(op->t, 1, in, sum));
  PetscCall(VecGetOwnershipRange(x, &start, NULL));
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArray(x, &out));
  memcpy(out, sum + start, (size_t)n * sizeof *out);
  PetscCall(VecRestoreArray(x, &out));
  PetscCall(VecRestoreArray(op->all, &sum));
  PetscCall(VecRestoreArrayRead(y, &in));
  return 0;
}

static PetscErrorCode make_operator(Operator *op, Mat *A) {
  const MtTable *t = op->t;
  Vec x;
  PetscCall(MatCreateShell(t->comm, (PetscInt)t->n, PETSC_DECIDE, PETSC_DETERMINE, (PetscInt)t->width, op, A));
  PetscCall(MatShellSetOperation(*A, MATOP_MULT, (void (*)(void))apply));
  PetscCall(MatShellSetOperation(*A, MATOP_MULT_TRANSPOSE, (void (*)(void))apply_back));
  PetscCall(MatCreateVecs(*A, &x, NULL));
  PetscCall(VecScatterCreateToAll(x, &op->gather, &op->all));
  return VecDestroy(&x);
}

/* Noise numbered by the entry: the same on any number of ranks. */
static PetscErrorCode start_vector(Mat A, Vec *v) {
  PetscInt start, end;
  PetscScalar *value;
  PetscCall(MatCreateVecs(A, v, NULL));
  PetscCall(VecGetOwnershipRange(*v, &start, &end));
  PetscCall(VecGetArray(*v, &value));
  for (PetscInt i = start; i < end; i++) {
    uint64_t state = (uint64_t)i + 1;
    value[i - start] = (double)(mt_splitmix64(&state) >> 11) * 0x1p-53 - .5;
  }
  return VecRestoreArray(*v, &value);
}

static PetscErrorCode solve(Mat A, double norm, int k, SVD *svd) {
  Vec start;
  const double accuracy = 1e-13; /* of the Frobenius norm: what rounding lets be reached */
  PetscCall(SVDCreate(PetscObjectComm((PetscObject)A), svd));
  PetscCall(SVDSetOperators(*svd, A, NULL));
  PetscCall(SVDSetType(*svd, SVDTRLANCZOS));
  PetscCall(SVDSetDimensions(*svd, k, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(SVDSetConvergenceTest(*svd, SVD_CONV_ABS));
  PetscCall(SVDSetTolerances(*svd, accuracy * norm, 300));
  PetscCall(start_vector(A, &start));
  PetscCall(SVDSetInitialSpaces(*svd, 1, &start, 0, NULL));
  PetscCall(SVDSolve(*svd));
  return VecDestroy(&start);
}

static PetscErrorCode take(Operator *op, Mat A, SVD svd, int k, int *found, double *singular, double *lines,
                           double *across) {
  const MtTable *t = op->t;
  PetscInt converged;
  Vec u, v;
  const PetscScalar *value;
  PetscCall(SVDGetConverged(svd, &converged));
  *found = converged < k ? (int)converged : k;
  PetscCall(MatCreateVecs(A, &v, &u));
  for (int c = 0; c < *found; c++) {
    PetscReal s;
    PetscCall(SVDGetSingularTriplet(svd, c, &s, u, v));
    singular[c] = s;
    PetscCall(VecGetArrayRead(u, &value));
    for (int64_t i = 0; i < t->n; i++) lines[i * *found + c] = value[i];
    PetscCall(VecRestoreArrayRead(u, &value));
    PetscCall(VecScatterBegin(op->gather, v, op->all, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecScatterEnd(op->gather, v, op->all, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecGetArrayRead(op->all, &value));
    for (int64_t j = 0; j < t->width; j++) across[j * *found + c] = value[j];
    PetscCall(VecRestoreArrayRead(op->all, &value));
  }
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&v));
  return 0;
}

static PetscErrorCode start_slepc(void) {
  if (SlepcInitializeCalled) return 0;
  PetscCall(SlepcInitializeNoArguments());
  return PetscRegisterFinalize(SlepcFinalize);
}

PetscErrorCode mt_pca_svd(const MtTable *t, double norm, int k, int *found, double *singular, double *lines,
                          double *across) {
  Operator op = {.t = t};
  Mat A = NULL;
  SVD svd = NULL;
  PetscCall(start_slepc());
  PetscCall(make_operator(&op, &A));
  PetscErrorCode rc = solve(A, norm, k, &svd);
  if (!rc) rc = take(&op, A, svd, k, found, singular, lines, across);
  PetscCall(SVDDestroy(&svd));
  PetscCall(MatDestroy(&A));
  PetscCall(VecDestroy(&op.all));
  PetscCall(VecScatterDestroy(&op.gather));
  return rc;
}
