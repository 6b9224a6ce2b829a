/* Stability of a state: the smallest eigenvalue of the energy's Hessian on the tangent planes of the spheres |m| = 1.
 *
 * Generalized Davidson (R. B. Morgan, D. S. Scott, SIAM J. Sci. Stat. Comput. 7 (1986) 817; here SLEPc's) on
 * M^-1/2 H M^-1/2 in frames (e1, e2) of the tangent planes, M = moment/mu0: its eigenvalues are fields in T.  H =
 * exchange
 * + local curvature + what the stray field adds, one solve for the potential a product.  Preconditioned as the
 * minimizer is; it finds the same soft modes. */
#include "energy_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include "preconditioner.h"
#include <math.h>
#include <slepceps.h>

static const double STATE_RTOL = 1e-6; /* of the potential of the state */
static const double FLOOR = .1;        /* T, of the preconditioner */
static const double INNER_RTOL = .1;   /* of the preconditioner */
static const double CLEAR = .1;        /* T: an eigenvalue beyond need not be known better than a look tells */
enum { INNER_ITERATIONS = 20 };

/* How well an eigenvalue is to be known. */
typedef struct {
  double demag_rtol; /* of the potential of a mode; what it adds is a part of Js */
  /* T; enters the eigenvalue squared, over the gap to the next; smaller than that asks for, so that no lower mode is
   * missed (docs/numerics.md) */
  double residual;
  double share;   /* the same as a part of a positive eigenvalue: the larger of the two holds */
  int iterations; /* at most */
} Accuracy;
/* The residual of a look can stay just above what is asked for, which is less than the error of its potentials. */
static const Accuracy FULL = {1e-3, 1e-3, 0, 400}, LOOK = {1e-2, 1e-3, .005, 25};

/* What is asked for. */
typedef struct {
  int count; /* of eigenvalues, the smallest ones */
  bool look; /* only decide */
  Vec guess; /* rows 3n, of the first mode; NULL: none */
} Ask;

typedef struct {
  MtEnergy *energy;
  MtPrecond *pc; /* that of the minimizer if there is one, 240 bytes a node less; else own */
  MtPrecond own;
  double *frame; /* [6n] e1, e2 */
  double *scale; /* [n] sqrt(mu0/moment), 1/sqrt(J/m3 nm3 per T) */
  Vec m, g;      /* state (not owned) and derivative */
  Vec v, w;      /* rows 3n */
  Vec u;         /* potential of a mode */
  const Accuracy *to;
  int products;
  int64_t inner;
} Hessian;

/* Coordinates in the frames -> tangent field, times M^(power/2), power -1 or 1. */
static PetscErrorCode expand(const Hessian *h, Vec x, int power, Vec v) {
  const PetscScalar *a;
  PetscScalar *b;
  PetscCall(VecGetArrayRead(x, &a));
  PetscCall(VecGetArray(v, &b));
  for (PetscInt i = 0; i < h->energy->n; i++) {
    const double *e1 = h->frame + 6 * i, *e2 = e1 + 3, s = power > 0 ? 1 / h->scale[i] : h->scale[i];
    for (int c = 0; c < 3; c++) b[3 * i + c] = s * (a[2 * i] * e1[c] + a[2 * i + 1] * e2[c]);
  }
  PetscCall(VecRestoreArray(v, &b));
  PetscCall(VecRestoreArrayRead(x, &a));
  return 0;
}

/* Its transpose. */
static PetscErrorCode restrict_to(const Hessian *h, Vec v, int power, Vec x) {
  const PetscScalar *a;
  PetscScalar *b;
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(VecGetArray(x, &b));
  for (PetscInt i = 0; i < h->energy->n; i++) {
    double s = power > 0 ? 1 / h->scale[i] : h->scale[i];
    for (int k = 0; k < 2; k++) b[2 * i + k] = s * mt_dot3(h->frame + 6 * i + 3 * k, a + 3 * i);
  }
  PetscCall(VecRestoreArray(x, &b));
  PetscCall(VecRestoreArrayRead(v, &a));
  return 0;
}

/* Adds the field of the mode's own charges. */
static PetscErrorCode add_demag(Hessian *h, Vec v, Vec w) {
  MtEnergy *e = h->energy;
  PetscInt its;
  if (!e->poisson) return 0;
  PetscCall(MatMult(e->D, v, e->b));
  PetscCall(VecZeroEntries(h->u));
  PetscCall(mt_poisson_solve(e->poisson, e->b, h->u, h->to->demag_rtol, 0, &its));
  PetscCall(MatMult(e->G, h->u, e->work));
  PetscCall(VecAXPY(w, 1 / MT_MU0, e->work));
  double unused = 0;
  return mt_energy_mean_field(e, v, &unused, w);
}

static PetscErrorCode hessian_mult(Mat A, Vec x, Vec y) {
  Hessian *h;
  PetscCall(MatShellGetContext(A, &h));
  PetscCall(expand(h, x, -1, h->v));
  PetscCall(mt_precond_hessian(h->pc, h->m, h->v, h->w));
  PetscCall(add_demag(h, h->v, h->w));
  h->products++;
  return restrict_to(h, h->w, -1, y);
}

static PetscErrorCode precondition(PC pc, Vec x, Vec y) {
  Hessian *h;
  PetscCall(PCShellGetContext(pc, &h));
  PetscCall(expand(h, x, 1, h->v));
  PetscCall(mt_precond_apply(h->pc, h->m, h->v, INNER_RTOL, INNER_ITERATIONS, h->w, &h->inner));
  return restrict_to(h, h->w, 1, y);
}

static PetscErrorCode make_frames(Hessian *h) {
  const PetscScalar *m;
  PetscInt n = h->energy->n;
  PetscCall(PetscMalloc2(6 * n, &h->frame, n, &h->scale));
  PetscCall(VecGetArrayRead(h->m, &m));
  for (PetscInt i = 0; i < n; i++) {
    mt_kernel_frame(m + 3 * i, h->frame + 6 * i, h->frame + 6 * i + 3);
    h->scale[i] = sqrt(MT_MU0 / h->energy->moment[i]);
  }
  return VecRestoreArrayRead(h->m, &m);
}

static PetscErrorCode open_hessian(MtEnergy *e, Vec m, const double B[3], Hessian *h) {
  MtEnergyValues E;
  *h = (Hessian){.energy = e, .m = m};
  PetscCall(make_frames(h));
  PetscCall(VecDuplicate(m, &h->g));
  PetscCall(VecDuplicate(m, &h->v));
  PetscCall(VecDuplicate(m, &h->w));
  if (e->poisson) PetscCall(mt_poisson_create_vec(e->poisson, &h->u));
  PetscCall(mt_energy_eval(e, m, B, STATE_RTOL, &E, h->g));
  h->pc = e->precond ? e->precond : &h->own;
  if (h->pc == &h->own) PetscCall(mt_precond_create(e, FLOOR, h->pc));
  return mt_precond_setup(h->pc, m, h->g);
}

static PetscErrorCode close_hessian(Hessian *h) {
  if (h->pc == &h->own) PetscCall(mt_precond_destroy(h->pc));
  PetscCall(VecDestroy(&h->g));
  PetscCall(VecDestroy(&h->v));
  PetscCall(VecDestroy(&h->w));
  PetscCall(VecDestroy(&h->u));
  return PetscFree2(h->frame, h->scale);
}

/* Noise, smoothed by the preconditioner: its soft modes. */
static PetscErrorCode start_vector(Hessian *h, Vec x) {
  PetscCall(mt_precond_noise(h->pc, h->v));
  PetscCall(restrict_to(h, h->v, -1, x));
  PetscCall(expand(h, x, 1, h->v)); /* the tangent part */
  PetscCall(mt_precond_apply(h->pc, h->m, h->v, INNER_RTOL, INNER_ITERATIONS, h->w, &h->inner));
  return restrict_to(h, h->w, 1, x);
}

static PetscErrorCode choose_preconditioner(Hessian *h, EPS eps) {
  ST st;
  KSP ksp;
  PC pc;
  PetscCall(EPSGetST(eps, &st));
  PetscCall(STSetType(st, STPRECOND));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPPREONLY));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, h));
  return PCShellSetApply(pc, precondition);
}

/* A start is not taken for a mode, however good it is: SLEPc 3.18 ends in an error where that leaves its space empty.
 */
static PetscErrorCode error_of(EPS eps, PetscScalar lambda, PetscScalar unused, PetscReal residual, PetscReal *error,
                               void *ctx) {
  const Accuracy *to = ctx;
  PetscInt iteration;
  (void)unused;
  PetscCall(EPSGetIterationNumber(eps, &iteration));
  *error = residual * to->residual / fmax(to->residual, to->share * lambda);
  if (!iteration) *error = fmax(*error, 2 * to->residual);
  return 0;
}

static PetscErrorCode make_solver(Hessian *h, Mat A, Vec start, int count, EPS *eps) {
  PetscCall(EPSCreate(h->energy->mesh->comm, eps));
  PetscCall(EPSSetOperators(*eps, A, NULL));
  PetscCall(EPSSetProblemType(*eps, EPS_HEP));
  PetscCall(EPSSetType(*eps, EPSGD));
  PetscCall(EPSSetWhichEigenpairs(*eps, EPS_SMALLEST_REAL));
  PetscCall(EPSSetDimensions(*eps, count, count > 1 ? 12 : 8, PETSC_DEFAULT)); /* the peak of a run's memory */
  PetscCall(EPSSetConvergenceTestFunction(*eps, error_of, (void *)h->to, NULL));
  PetscCall(EPSSetTolerances(*eps, h->to->residual, h->to->iterations));
  PetscCall(EPSSetInitialSpace(*eps, 1, &start));
  if (count == 1) PetscCall(EPSGDSetInitialSize(*eps, 1)); /* else white noise besides, a product each */
  return choose_preconditioner(h, *eps);
}

/* Largest node of unit length. */
static PetscErrorCode scale_mode(const Hessian *h, Vec mode) {
  const PetscScalar *v;
  double local = 0, most;
  PetscCall(VecGetArrayRead(mode, &v));
  for (PetscInt i = 0; i < h->energy->n; i++) local = fmax(local, mt_dot3(v + 3 * i, v + 3 * i));
  PetscCall(VecRestoreArrayRead(mode, &v));
  PetscCallMPI(MPI_Allreduce(&local, &most, 1, MPI_DOUBLE, MPI_MAX, h->energy->mesh->comm));
  return most > 0 ? VecScale(mode, 1 / sqrt(most)) : 0;
}

/* Eigenvalues found, the smallest first; NaN for those that were not. */
static PetscErrorCode take(const Hessian *h, EPS eps, PetscInt found, int count, Vec x, double *lambda, Vec mode) {
  for (int i = 0; i < count; i++) {
    lambda[i] = NAN;
    if (i < found) PetscCall(EPSGetEigenpair(eps, i, &lambda[i], NULL, i ? NULL : x, NULL));
  }
  if (!found) return 0;
  PetscCall(expand(h, x, -1, mode));
  return scale_mode(h, mode);
}

/* Begins with x, and leaves the vector of the smallest one in it. */
static PetscErrorCode solve(Hessian *h, Mat A, const Accuracy *to, Vec x, int count, double *lambda, Vec mode) {
  EPS eps;
  PetscInt found;
  h->to = to;
  PetscCall(make_solver(h, A, x, count, &eps));
  PetscCall(EPSSolve(eps));
  PetscCall(EPSGetConverged(eps, &found));
  PetscCall(take(h, eps, found, count, x, lambda, mode));
  PetscCall(EPSDestroy(&eps));
  if (found) return 0;
  return mt_error(MT_ERR_FAIL, "the stability of the state was not decided in %d products", h->products);
}

/* Noise, and of equal norm what is guessed, in one vector.  Apart from each other they would be a space that holds a
 * guessed mode as it is, accepted at once though the noise knows a lower one (docs/numerics.md). */
static PetscErrorCode make_start(Hessian *h, Mat A, Vec guess, Vec *start) {
  Vec x;
  PetscCall(MatCreateVecs(A, start, NULL));
  PetscCall(start_vector(h, *start));
  if (!guess) return 0;
  PetscCall(VecDuplicate(*start, &x));
  PetscCall(restrict_to(h, guess, 1, x));
  PetscCall(VecNormalize(x, NULL));
  PetscCall(VecNormalize(*start, NULL));
  PetscCall(VecAXPY(*start, 1, x));
  return VecDestroy(&x);
}

static PetscErrorCode solve_all(Hessian *h, const Ask *ask, double *lambda, Vec mode) {
  Mat A;
  Vec x;
  PetscInt n = 2 * h->energy->n;
  PetscErrorCode rc = 0;
  PetscCall(MatCreateShell(h->energy->mesh->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, h, &A));
  PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))hessian_mult));
  PetscCall(make_start(h, A, ask->guess, &x));
  *lambda = 0;
  if (ask->look) rc = solve(h, A, &LOOK, x, ask->count, lambda, mode);
  if (rc == MT_ERR_FAIL) { /* undecided: again with better potentials */
    mt_error_clear();
    *lambda = rc = 0;
  }
  if (!rc && *lambda < CLEAR) rc = solve(h, A, &FULL, x, ask->count, lambda, mode);
  PetscCall(VecDestroy(&x));
  PetscCall(MatDestroy(&A));
  return rc;
}

static PetscErrorCode start_slepc(void) {
  if (SlepcInitializeCalled) return 0;
  PetscCall(SlepcInitializeNoArguments());
  return PetscRegisterFinalize(SlepcFinalize);
}

static PetscErrorCode lowest(MtEnergy *e, Vec m, const double B[3], const Ask *ask, double *lambda, Vec mode,
                             int *products) {
  Hessian h;
  PetscCall(start_slepc());
  PetscCall(open_hessian(e, m, B, &h));
  PetscErrorCode rc = solve_all(&h, ask, lambda, mode);
  *products = h.products;
  PetscErrorCode closed = close_hessian(&h);
  return rc ? rc : closed;
}

PetscErrorCode mt_stability_lowest(MtEnergy *e, Vec m, const double B[3], int count, double *lambda, Vec mode,
                                   int *products) {
  return lowest(e, m, B, &(Ask){.count = count}, lambda, mode, products);
}

PetscErrorCode mt_stability_eigenvalue(MtEnergy *e, Vec m, const double B[3], Vec guess, double *lambda, Vec mode,
                                       int *products) {
  return lowest(e, m, B, &(Ask){.count = 1, .guess = guess}, lambda, mode, products);
}

PetscErrorCode mt_stability_look(MtEnergy *e, Vec m, const double B[3], Vec guess, double *lambda, Vec mode,
                                 int *products) {
  return lowest(e, m, B, &(Ask){.count = 1, .look = true, .guess = guess}, lambda, mode, products);
}
