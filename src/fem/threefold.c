/* A scalar matrix applied to the three components of a field, as PETSc's MATMAIJ does it, but compiled for the machine
 * it runs on: this product is what most of a minimization's time goes into. */
#include "magtwin/fem.h"

typedef struct {
  PetscInt n;
  const PetscInt *start, *col;
  const PetscScalar *value;
} Rows;

typedef struct {
  Mat scalar;
  Mat block[2]; /* of this rank's rows: own columns, the others'; borrowed; the second NULL on one rank */
  Rows rows[2]; /* borrowed from them */
  Vec ghost;    /* the others' values, three for each column of the second block; NULL on one rank */
  VecScatter fetch;
} Threefold;

/* y = (or +=) the product, row by row, two columns at a time in two sums. */
static void multiply(const Rows *r, const double *restrict x, bool add, double *restrict y) {
  for (PetscInt i = 0; i < r->n; i++) {
    double s[3] = {0, 0, 0}, t[3] = {0, 0, 0};
    PetscInt k = r->start[i];
    const PetscInt end = r->start[i + 1];
    for (; k + 1 < end; k += 2) {
      const double a = r->value[k], b = r->value[k + 1];
      const double *u = x + 3 * r->col[k], *v = x + 3 * r->col[k + 1];
      for (int c = 0; c < 3; c++) {
        s[c] += a * u[c];
        t[c] += b * v[c];
      }
    }
    for (int c = 0; k < end && c < 3; c++) s[c] += r->value[k] * x[3 * r->col[k] + c];
    for (int c = 0; c < 3; c++) y[3 * i + c] = (add ? y[3 * i + c] : 0) + (s[c] + t[c]);
  }
}

static PetscErrorCode multiply_ghosts(Threefold *f, double *y) {
  const PetscScalar *x;
  PetscCall(VecGetArrayRead(f->ghost, &x));
  multiply(&f->rows[1], x, true, y);
  return VecRestoreArrayRead(f->ghost, &x);
}

static PetscErrorCode threefold_mult(Mat A, Vec in, Vec out) {
  Threefold *f;
  const PetscScalar *x;
  PetscScalar *y;
  PetscCall(MatShellGetContext(A, &f));
  if (f->ghost) PetscCall(VecScatterBegin(f->fetch, in, f->ghost, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArrayRead(in, &x));
  PetscCall(VecGetArrayWrite(out, &y));
  multiply(&f->rows[0], x, false, y);
  if (f->ghost) {
    PetscCall(VecScatterEnd(f->fetch, in, f->ghost, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(multiply_ghosts(f, y));
  }
  PetscCall(VecRestoreArrayWrite(out, &y));
  return VecRestoreArrayRead(in, &x);
}

static PetscErrorCode borrow(Mat block, Rows *r) {
  PetscBool done;
  PetscCall(MatGetRowIJ(block, 0, PETSC_FALSE, PETSC_FALSE, &r->n, &r->start, &r->col, &done));
  if (!done) SETERRQ(PETSC_COMM_SELF, PETSC_ERR_SUP, "rows of a matrix that is not AIJ");
  return MatSeqAIJGetArrayRead(block, &r->value);
}

static PetscErrorCode give_back(Mat block, Rows *r) {
  PetscBool done;
  PetscCall(MatSeqAIJRestoreArrayRead(block, &r->value));
  return MatRestoreRowIJ(block, 0, PETSC_FALSE, PETSC_FALSE, &r->n, &r->start, &r->col, &done);
}

static PetscErrorCode threefold_destroy(Mat A) {
  Threefold *f;
  PetscCall(MatShellGetContext(A, &f));
  for (int i = 0; i < 2; i++)
    if (f->block[i]) PetscCall(give_back(f->block[i], &f->rows[i]));
  PetscCall(VecScatterDestroy(&f->fetch));
  PetscCall(VecDestroy(&f->ghost));
  PetscCall(MatDestroy(&f->scalar));
  return PetscFree(f);
}

/* The others' values that this rank's rows need, in the order of the second block's columns. */
static PetscErrorCode make_fetch(Threefold *f, const PetscInt *column) {
  Vec like;
  IS from;
  PetscInt n, rows;
  PetscCall(MatGetLocalSize(f->block[1], NULL, &n));
  PetscCall(MatGetLocalSize(f->scalar, &rows, NULL));
  PetscCall(VecCreateMPI(PetscObjectComm((PetscObject)f->scalar), 3 * rows, PETSC_DETERMINE, &like));
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, 3 * n, &f->ghost));
  PetscCall(ISCreateBlock(PETSC_COMM_SELF, 3, n, column, PETSC_COPY_VALUES, &from));
  PetscCall(VecScatterCreate(like, from, f->ghost, NULL, &f->fetch));
  PetscCall(ISDestroy(&from));
  return VecDestroy(&like);
}

PetscErrorCode mt_fem_threefold(Mat scalar, Mat *A) {
  Threefold *f;
  PetscBool parallel;
  PetscInt n;
  PetscCall(PetscNew(&f));
  PetscCall(PetscObjectReference((PetscObject)scalar));
  f->scalar = f->block[0] = scalar;
  PetscCall(PetscObjectTypeCompare((PetscObject)scalar, MATMPIAIJ, &parallel));
  if (parallel) {
    const PetscInt *column;
    PetscCall(MatMPIAIJGetSeqAIJ(scalar, &f->block[0], &f->block[1], &column));
    PetscCall(make_fetch(f, column));
  }
  for (int i = 0; i < 2; i++)
    if (f->block[i]) PetscCall(borrow(f->block[i], &f->rows[i]));
  PetscCall(MatGetLocalSize(scalar, &n, NULL));
  PetscCall(MatCreateShell(PetscObjectComm((PetscObject)scalar), 3 * n, 3 * n, PETSC_DETERMINE, PETSC_DETERMINE, f, A));
  PetscCall(MatShellSetOperation(*A, MATOP_MULT, (void (*)(void))threefold_mult));
  return MatShellSetOperation(*A, MATOP_DESTROY, (void (*)(void))threefold_destroy);
}
