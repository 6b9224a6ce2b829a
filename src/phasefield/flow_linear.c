/* An implicit step linearized at a state.
 *
 * S = q w + T w^-1 (w f'' + kappa K), T = M K (conserved) or L w; K and w are symmetric, so S' = q w + (w f'' + kappa
 * K) w^-1 T.  The preconditioner of the flow is a symmetric operator but for rounding of its cycles and serves both.
 * Diffusion: S = q w + K_D, symmetric; where c is fixed nothing moves and l is 0. */
#include "flow_impl.h"
#include "magtwin/adjoint.h"
#include "magtwin/diffusion.h"
#include "magtwin/error.h"
#include <math.h>

enum { MAX_ITERATIONS = 500 };

struct MtFlowLinear {
  MtFlow *flow;
  Mat S, St;
  KSP ksp, kspt; /* NULL: diffusion, the solver of which is its own */
  double rtol, t;
  Vec c, a, b; /* the state; work */
  double iterations;
};

static PetscErrorCode apply(Mat A, Vec x, Vec y) {
  MtFlowLinear *l;
  PetscCall(MatShellGetContext(A, &l));
  MtFlow *f = l->flow;
  PetscCall(MatMult(f->K, x, l->a));
  PetscCall(VecPointwiseDivide(l->a, l->a, f->w));
  PetscCall(VecPointwiseMult(l->b, f->curvature, x));
  PetscCall(VecAXPY(l->b, f->model.kappa, l->a));
  PetscCall(mt_flow_transport(f, l->b, y));
  PetscCall(VecPointwiseMult(l->a, f->w, x));
  return VecAXPY(y, f->shift, l->a);
}

static PetscErrorCode apply_transposed(Mat A, Vec x, Vec y) {
  MtFlowLinear *l;
  PetscCall(MatShellGetContext(A, &l));
  MtFlow *f = l->flow;
  PetscCall(mt_flow_transport(f, x, l->a));
  PetscCall(VecPointwiseDivide(l->b, l->a, f->w));
  PetscCall(MatMult(f->K, l->b, y));
  PetscCall(VecScale(y, f->model.kappa));
  PetscCall(VecPointwiseMult(l->a, f->curvature, l->a)); /* f'' w w^-1 T x */
  PetscCall(VecAXPY(y, 1, l->a));
  PetscCall(VecPointwiseMult(l->a, f->w, x));
  return VecAXPY(y, f->shift, l->a);
}

static PetscErrorCode precondition(PC pc, Vec x, Vec y) {
  MtFlowLinear *l;
  PC own;
  PetscCall(PCShellGetContext(pc, &l));
  PetscCall(KSPGetPC(l->flow->ksp, &own));
  return PCApply(own, x, y);
}

static PetscErrorCode make_solver(MtFlowLinear *l, PetscErrorCode (*mult)(Mat, Vec, Vec), double rtol, Mat *S,
                                  KSP *ksp) {
  const PetscInt n = l->flow->domain->n_owned;
  PC pc;
  PetscCall(MatCreateShell(l->flow->domain->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, l, S));
  PetscCall(MatShellSetOperation(*S, MATOP_MULT, (void (*)(void))mult));
  PetscCall(KSPCreate(l->flow->domain->comm, ksp));
  PetscCall(KSPSetOperators(*ksp, *S, *S));
  /* flexible: it sums the cycles' own results, and so gets beyond their seven digits */
  PetscCall(KSPSetType(*ksp, KSPFGMRES));
  PetscCall(KSPGMRESSetRestart(*ksp, 60));
  PetscCall(KSPSetPCSide(*ksp, PC_RIGHT));
  PetscCall(KSPSetNormType(*ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPSetTolerances(*ksp, rtol, PETSC_DEFAULT, 1e10, MAX_ITERATIONS));
  PetscCall(KSPGetPC(*ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, l));
  return PCShellSetApply(pc, precondition);
}

PetscErrorCode mt_flow_linear_create(MtFlow *flow, double rtol, MtFlowLinear **linear) {
  MtFlowLinear *l;
  PetscCall(PetscNew(&l));
  *linear = l;
  l->flow = flow;
  l->rtol = rtol;
  Vec *const vec[] = {&l->c, &l->a, &l->b};
  for (size_t i = 0; i < sizeof vec / sizeof *vec; i++) PetscCall(VecDuplicate(flow->w, vec[i]));
  if (flow->model.diffusion) return 0;
  PetscCall(make_solver(l, apply, rtol, &l->S, &l->ksp));
  return make_solver(l, apply_transposed, rtol, &l->St, &l->kspt);
}

PetscErrorCode mt_flow_linear_destroy(MtFlowLinear **linear) {
  MtFlowLinear *l = *linear;
  if (!l) return 0;
  Vec *const vec[] = {&l->c, &l->a, &l->b};
  for (size_t i = 0; i < sizeof vec / sizeof *vec; i++) PetscCall(VecDestroy(vec[i]));
  PetscCall(KSPDestroy(&l->ksp));
  PetscCall(KSPDestroy(&l->kspt));
  PetscCall(MatDestroy(&l->S));
  PetscCall(MatDestroy(&l->St));
  return PetscFree(*linear);
}

PetscErrorCode mt_flow_set_numbers(MtFlow *f, double kappa, double mobility) {
  f->model.kappa = kappa;
  f->model.mobility = f->mobility0 = mobility;
  return 0;
}

Vec mt_flow_weights(const MtFlow *f) {
  return f->w;
}

PetscErrorCode mt_flow_linear_at(MtFlowLinear *l, double t, double shift, Vec c) {
  MtFlow *f = l->flow;
  const MtFlowModel *m = &f->model;
  if (!m->diffusion) mt_flow_set_time(f, t);
  PetscCall(VecCopy(c, l->c));
  l->t = t;
  if (!m->diffusion) PetscCall(mt_flow_gradient(f, c, l->a, true));
  return mt_flow_solver_set(f, t, shift);
}

/* By the solver that the steps use, to another tolerance. */
static PetscErrorCode solve_diffusion(MtFlowLinear *l, Vec y, Vec x) {
  KSP ksp = l->flow->ksp;
  PetscReal rtol, atol, dtol;
  PetscInt most;
  PetscCall(VecCopy(y, l->a));
  PetscCall(mt_diffusion_release(l->flow->model.diffusion, l->a));
  PetscCall(KSPGetTolerances(ksp, &rtol, &atol, &dtol, &most));
  PetscCall(KSPSetTolerances(ksp, l->rtol, atol, dtol, most));
  PetscCall(KSPSolve(ksp, l->a, x));
  return KSPSetTolerances(ksp, rtol, atol, dtol, most);
}

PetscErrorCode mt_flow_linear_solve(MtFlowLinear *l, bool transposed, Vec y, Vec x) {
  const bool own = l->flow->model.diffusion != NULL;
  KSP ksp = own ? l->flow->ksp : transposed ? l->kspt : l->ksp;
  KSPConvergedReason reason;
  PetscInt its;
  PetscCall(VecZeroEntries(x));
  if (own)
    PetscCall(solve_diffusion(l, y, x));
  else
    PetscCall(KSPSolve(ksp, y, x));
  PetscCall(KSPGetConvergedReason(ksp, &reason));
  PetscCall(KSPGetIterationNumber(ksp, &its));
  l->iterations += (double)its;
  return reason > 0 ? 0
                    : mt_error(MT_ERR_FAIL, "a linearized step%s is not solved after %d iterations (PETSc reason %d)",
                               transposed ? ", transposed," : "", (int)its, (int)reason);
}

/* y = df'/d(number) at c */
static PetscErrorCode slope(const MtFlowLinear *l, const MtFreeEnergy *derivative, Vec y) {
  const PetscScalar *c;
  PetscScalar *a;
  double at[3];
  PetscCall(VecGetArrayRead(l->c, &c));
  PetscCall(VecGetArray(y, &a));
  for (PetscInt i = 0; i < l->flow->domain->n_owned; i++) {
    mt_free_energy_at(derivative, c[i], at);
    a[i] = at[1];
  }
  PetscCall(VecRestoreArray(y, &a));
  return VecRestoreArrayRead(l->c, &c);
}

PetscErrorCode mt_flow_linear_number(MtFlowLinear *l, MtFlowNumber number, const MtFreeEnergy *derivative, Vec y) {
  MtFlow *f = l->flow;
  if (number.kind == MT_NUMBER_DIFFUSIVITY || number.kind == MT_NUMBER_BARRIER)
    return mt_diffusion_number(f->model.diffusion, number.k, number.kind == MT_NUMBER_BARRIER, l->t, l->c, y);
  if (number.kind == MT_NUMBER_ENERGY) {
    PetscCall(slope(l, derivative, l->a));
    return mt_flow_transport(f, l->a, y);
  }
  if (number.kind == MT_NUMBER_KAPPA)
    PetscCall(MatMult(f->K, l->c, l->a));
  else
    PetscCall(mt_flow_gradient(f, l->c, l->a, false));
  PetscCall(VecPointwiseDivide(l->a, l->a, f->w));
  PetscCall(mt_flow_transport(f, l->a, y));
  return number.kind == MT_NUMBER_MOBILITY ? VecScale(y, 1 / f->mobility0) : 0;
}

double mt_flow_linear_iterations(const MtFlowLinear *l) {
  return l->iterations;
}
