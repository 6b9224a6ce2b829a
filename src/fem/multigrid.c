/* The levels of a multigrid, taken from BoomerAMG; its cycle; its coarsest level, solved exactly where it is small. */
#include "multigrid_impl.h"
#include <math.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

enum { EXACT = 200 }; /* unknowns of a dense inverse, at most */

static PetscErrorCode destroy_all(PetscInt n, Mat **A) {
  for (PetscInt l = 0; l < n; l++) PetscCall(MatDestroy(&(*A)[l]));
  return PetscFree(*A);
}

/* This rank's rows of the inverse of the coarsest matrix, from all of it. */
static PetscErrorCode invert(MtMultigrid *mg, PetscInt first, PetscInt n, PetscScalar *all) {
  Mat A, one, inverse;
  const PetscScalar *value;
  const PetscInt N = mg->all;
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, N, N, all, &A));
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, N, n, NULL, &one));
  PetscCall(MatDuplicate(one, MAT_DO_NOT_COPY_VALUES, &inverse));
  for (PetscInt i = 0; i < n; i++) PetscCall(MatSetValue(one, first + i, i, 1, INSERT_VALUES));
  PetscCall(MatAssemblyBegin(one, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(one, MAT_FINAL_ASSEMBLY));
  PetscCall(MatLUFactor(A, NULL, NULL, NULL));
  PetscCall(MatMatSolve(A, one, inverse));
  PetscCall(MatDenseGetArrayRead(inverse, &value));
  PetscCall(PetscArraycpy(mg->inverse, value, N * n));
  PetscCall(MatDenseRestoreArrayRead(inverse, &value));
  PetscCall(MatDestroy(&inverse));
  PetscCall(MatDestroy(&one));
  return MatDestroy(&A);
}

/* Rows first..first+n-1 of A, dense. */
static PetscErrorCode dense_rows(Mat A, double scale, PetscInt first, PetscInt n, PetscInt N, PetscScalar *rows) {
  PetscCall(PetscArrayzero(rows, n * N));
  for (PetscInt i = 0; i < n; i++) {
    PetscInt entries;
    const PetscInt *col;
    const PetscScalar *value;
    PetscCall(MatGetRow(A, first + i, &entries, &col, &value));
    for (PetscInt k = 0; k < entries; k++) rows[i * N + col[k]] = scale * value[k];
    PetscCall(MatRestoreRow(A, first + i, &entries, &col, &value));
  }
  return 0;
}

/* The matrix is symmetric: its rows, one after the other, are its columns. */
static PetscErrorCode gather(MtMultigrid *mg, Mat A, PetscInt first, PetscInt n, PetscScalar *all) {
  PetscMPIInt ranks;
  int *count, *place;
  const PetscInt N = mg->all;
  PetscCallMPI(MPI_Comm_size(mg->comm, &ranks));
  PetscCall(PetscMalloc2(ranks, &count, ranks, &place));
  for (PetscMPIInt r = 0; r < ranks; r++) {
    count[r] = (int)N * mg->count[r];
    place[r] = (int)N * mg->place[r];
  }
  PetscCall(dense_rows(A, mg->scale, first, n, N, all + first * N));
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, count, place, MPIU_SCALAR, mg->comm));
  return PetscFree2(count, place);
}

static PetscErrorCode make_inverse(MtMultigrid *mg, Mat A, MtLevel *l) {
  PetscMPIInt ranks;
  PetscInt first;
  PetscScalar *all;
  PetscCall(MatGetLocalSize(A, &l->n, NULL));
  PetscCall(MatGetOwnershipRange(A, &first, NULL));
  PetscCallMPI(MPI_Comm_size(mg->comm, &ranks));
  PetscCall(PetscMalloc2(ranks, &mg->count, ranks, &mg->place));
  int n = (int)l->n, place = (int)first;
  PetscCallMPI(MPI_Allgather(&n, 1, MPI_INT, mg->count, 1, MPI_INT, mg->comm));
  PetscCallMPI(MPI_Allgather(&place, 1, MPI_INT, mg->place, 1, MPI_INT, mg->comm));
  PetscCall(PetscCalloc1(l->n, &l->x));
  PetscCall(PetscMalloc2(l->n * mg->all + 1, &mg->inverse, mg->all, &mg->rhs));
  PetscCall(PetscMalloc1(mg->all * mg->all, &all));
  PetscCall(gather(mg, A, first, l->n, all));
  PetscCall(invert(mg, first, l->n, all));
  return PetscFree(all);
}

/* A coarsest level of more unknowns than a few is one without strong couplings, which sweeps solve. */
static PetscErrorCode make_coarsest(MtMultigrid *mg, Mat A, MtLevel *l) {
  PetscCall(MatGetSize(A, &mg->all, NULL));
  if (mg->all <= EXACT) return make_inverse(mg, A, l);
  PetscCall(MatGetLocalSize(A, &l->n, NULL));
  PetscCall(mt_level_no_interpolation(l));
  return mt_level_matrix(A, mg->scale, l);
}

static PetscErrorCode nonzeros(Mat A, double *nz) {
  MatInfo info;
  PetscCall(MatGetInfo(A, MAT_GLOBAL_SUM, &info));
  *nz = info.nz_used;
  return 0;
}

/* The power of two that brings the largest diagonal entry to 1 .. 2: with a rate of 1e-60 it is of the order 1e60. */
static PetscErrorCode find_scale(Mat A, double *scale) {
  Vec diagonal;
  PetscReal most;
  int exponent;
  PetscCall(MatCreateVecs(A, &diagonal, NULL));
  PetscCall(MatGetDiagonal(A, diagonal));
  PetscCall(VecNorm(diagonal, NORM_INFINITY, &most));
  PetscCall(VecDestroy(&diagonal));
  frexp(most, &exponent);
  *scale = ldexp(1, 1 - exponent);
  return 0;
}

/* The library's matrices begin with those of the coarsest level; A is the finest. */
static PetscErrorCode make_levels(MtMultigrid *mg, Mat A, Mat *P, Mat *coarse) {
  double fine = 1, sum = 0;
  PetscCall(nonzeros(A, &fine));
  PetscCall(find_scale(A, &mg->scale));
  for (int l = 0; l < mg->levels; l++) {
    const int place = mg->levels - 1 - l;
    Mat here = l ? coarse[place] : A;
    double nz = 0;
    PetscCall(nonzeros(here, &nz));
    sum += nz;
    if (l == mg->levels - 1) {
      PetscCall(make_coarsest(mg, here, &mg->level[l]));
    } else {
      PetscCall(mt_level_interpolation(P[place - 1], &mg->level[l], &mg->level[l + 1]));
      PetscCall(mt_level_matrix(here, mg->scale, &mg->level[l]));
    }
  }
  PetscCall(PetscMalloc1(mg->level[0].n, &mg->level[0].b));
  mg->complexity = sum / fine;
  return 0;
}

PetscErrorCode mt_multigrid_library_type(PC pc) {
#if defined(PETSC_HAVE_HYPRE)
  PetscCall(PCSetType(pc, PCHYPRE));
  return PCHYPRESetType(pc, "boomeramg");
#else
  return PCSetType(pc, PCGAMG);
#endif
}

PetscErrorCode mt_multigrid_library(Mat A, const char *prefix, PC *library) {
  PetscCall(PCCreate(PetscObjectComm((PetscObject)A), library));
  PetscCall(PCSetOptionsPrefix(*library, prefix));
  PetscCall(mt_multigrid_library_type(*library));
  PetscCall(PCSetFromOptions(*library));
  PetscCall(PCSetOperators(*library, A, A));
  return PCSetUp(*library);
}

#if defined(PETSC_HAVE_HYPRE)
static PetscErrorCode from_library(Mat A, const char *prefix, MtMultigrid **out) {
  PC pc;
  PetscInt levels;
  Mat *P, *coarse;
  MtMultigrid *mg;
  PetscCall(mt_multigrid_library(A, prefix, &pc));
  PetscCall(PCGetInterpolations(pc, &levels, &P));
  PetscCall(PCGetCoarseOperators(pc, &levels, &coarse));
  PetscCall(PetscNew(&mg));
  mg->comm = PetscObjectComm((PetscObject)A);
  mg->levels = (int)levels;
  PetscCall(PetscCalloc1(levels, &mg->level));
  PetscCall(make_levels(mg, A, P, coarse));
  *out = mg;
  PetscCall(destroy_all(levels - 1, &P));
  PetscCall(destroy_all(levels - 1, &coarse));
  return PCDestroy(&pc);
}
#else
static PetscErrorCode from_library(Mat A, const char *prefix, MtMultigrid **out) {
  (void)A;
  (void)prefix;
  (void)out;
  return 0;
}
#endif

PetscErrorCode mt_multigrid_create(Mat A, const char *prefix, MtMultigrid **mg) {
  *mg = NULL;
  return from_library(A, prefix, mg);
}

PetscErrorCode mt_multigrid_destroy(MtMultigrid **out) {
  MtMultigrid *mg = *out;
  if (!mg) return 0;
  for (int l = 0; l < mg->levels; l++) PetscCall(mt_level_destroy(&mg->level[l]));
  PetscCall(PetscFree(mg->level));
  PetscCall(PetscFree2(mg->count, mg->place));
  PetscCall(PetscFree2(mg->inverse, mg->rhs));
  return PetscFree(*out);
}

static PetscErrorCode sweep_both(MtLevel *l) {
  mt_level_sweep_down(l);
  return mt_level_sweep_up(l);
}

static PetscErrorCode solve_coarsest(MtMultigrid *mg) {
  MtLevel *l = &mg->level[mg->levels - 1];
  if (!mg->inverse) return sweep_both(l);
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(mg->comm, &rank));
  double *own = mg->rhs + mg->place[rank];
  for (PetscInt i = 0; i < l->n; i++) own[i] = l->b[i];
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, mg->rhs, mg->count, mg->place, MPI_DOUBLE, mg->comm));
  for (PetscInt i = 0; i < l->n; i++) {
    double s = 0;
    for (PetscInt k = 0; k < mg->all; k++) s += mg->inverse[i * mg->all + k] * mg->rhs[k];
    l->x[i] = (float)s;
  }
  return 0;
}

static PetscErrorCode cycle(MtMultigrid *mg) {
  MtLevel *l = mg->level;
  const int last = mg->levels - 1;
  for (int k = 0; k < last; k++) {
    mt_level_sweep_down(&l[k]);
    PetscCall(mt_level_restrict(&l[k], &l[k + 1]));
  }
  PetscCall(solve_coarsest(mg));
  for (int k = last - 1; k >= 0; k--) {
    PetscCall(mt_level_correct(&l[k], &l[k + 1]));
    PetscCall(mt_level_sweep_up(&l[k]));
  }
  return 0;
}

/* Where a field has tails, floats below 1e-38 come up in a cycle; the processor takes a hundred times longer over each.
 */
#if defined(__SSE__)
static unsigned flush_to_zero(void) {
  const unsigned mode = _mm_getcsr(), results_and_operands = 0x8040;
  _mm_setcsr(mode | results_and_operands);
  return mode;
}
static void restore_mode(unsigned mode) {
  _mm_setcsr(mode);
}
#else
static unsigned flush_to_zero(void) {
  return 0;
}
static void restore_mode(unsigned mode) {
  (void)mode;
}
#endif

PetscErrorCode mt_multigrid_cycle(MtMultigrid *mg, Vec b, Vec x) {
  const PetscScalar *in;
  PetscScalar *out;
  MtLevel *l = mg->level;
  PetscCall(VecGetArrayRead(b, &in));
  for (PetscInt i = 0; i < l->n; i++) l->b[i] = (float)in[i];
  PetscCall(VecRestoreArrayRead(b, &in));
  const unsigned mode = flush_to_zero();
  PetscErrorCode rc = cycle(mg);
  restore_mode(mode);
  if (rc) return rc;
  PetscCall(VecGetArrayWrite(x, &out));
  for (PetscInt i = 0; i < l->n; i++) out[i] = mg->scale * l->x[i];
  return VecRestoreArrayWrite(x, &out);
}

double mt_multigrid_complexity(const MtMultigrid *mg) {
  return mg->complexity;
}
