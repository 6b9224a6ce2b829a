/* The search for the minimum by PETSc's TAO: bounded Newton method with trust region and the Gauss-Newton matrix
 * (bntr), or limited-memory quasi-Newton (blmvm), of the misfit on given steps with its discrete adjoint.
 *
 * Steps are found at the parameters where a round begins and kept while TAO runs, so that the misfit is smooth and its
 * gradient exact; rounds end when parameters move by less than a tenth of their deviations. */
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <math.h>
#include <petsctao.h>
#include <string.h>

enum { ROUNDS = 6 };
static const double NEAR = .01, SETTLED = .1; /* standard deviations */
static const double NO_MODEL = 1e100;         /* misfit where the model cannot be computed */

typedef struct {
  MtInvert *v;
  double value;                                          /* of the misfit where the twin is; NAN: not known */
  double at[MT_UNKNOWNS], misfit, gradient[MT_UNKNOWNS]; /* of the last evaluation with a gradient */
  double matrix_at[MT_UNKNOWNS], matrix[MT_UNKNOWNS * MT_UNKNOWNS];
  bool has_matrix, stopped;
  MtPosterior posterior;
  Vec x;
  Mat H;
} Search;

static PetscErrorCode get(const Search *s, Vec x, double *theta) {
  const PetscScalar *a;
  const int n = s->v->twin.n;
  PetscCall(VecGetArrayRead(x, &a));
  if (s->v->rank == 0) memcpy(theta, a, (size_t)n * sizeof *theta);
  PetscCall(VecRestoreArrayRead(x, &a));
  PetscCallMPI(MPI_Bcast(theta, n, MPI_DOUBLE, 0, s->v->comm));
  return 0;
}

static PetscErrorCode put(const Search *s, const double *theta, Vec x) {
  PetscScalar *a;
  PetscCall(VecGetArray(x, &a));
  if (s->v->rank == 0) memcpy(a, theta, (size_t)s->v->twin.n * sizeof *theta);
  return VecRestoreArray(x, &a);
}

/* The model at theta on the steps there are; where one of them cannot be solved, on its own. */
static PetscErrorCode run_model(Search *s, const double *theta, double *misfit) {
  MtTwin *w = &s->v->twin;
  bool good;
  PetscCall(mt_twin_set(w, theta));
  PetscErrorCode rc = mt_twin_forward(w, misfit, &good, NULL);
  if (rc || good) return rc;
  rc = mt_twin_record(w, misfit, NULL);
  if (!rc) rc = mt_twin_forward(w, misfit, &good, NULL);
  if (rc && rc != MT_ERR_FAIL) return rc;
  if (rc || !good) *misfit = NO_MODEL;
  if (rc) mt_error_clear();
  return 0;
}

static bool is_at(const Search *s, const double *theta) {
  return memcmp(theta, s->v->twin.theta, (size_t)s->v->twin.n * sizeof *theta) == 0;
}

static PetscErrorCode evaluate(Search *s, const double *theta, double *misfit) {
  PetscErrorCode rc = 0;
  if (!is_at(s, theta) || isnan(s->value)) rc = run_model(s, theta, &s->value);
  if (!rc) *misfit = s->value + mt_twin_prior(&s->v->twin, theta, NULL);
  return rc;
}

static PetscErrorCode objective(Tao tao, Vec x, PetscReal *f, void *ctx) {
  Search *s = ctx;
  double theta[MT_UNKNOWNS];
  (void)tao;
  PetscCall(get(s, x, theta));
  return evaluate(s, theta, f);
}

static PetscErrorCode gradient(Tao tao, Vec x, PetscReal *f, Vec g, void *ctx) {
  Search *s = ctx;
  MtTwin *w = &s->v->twin;
  (void)tao;
  PetscCall(get(s, x, s->at));
  PetscErrorCode rc = evaluate(s, s->at, &s->misfit);
  if (rc) return rc;
  memset(s->gradient, 0, sizeof s->gradient);
  if (s->misfit < NO_MODEL) rc = mt_twin_reverse(w, s->gradient, NULL);
  if (rc) return rc;
  mt_twin_prior(w, s->at, s->gradient);
  *f = s->misfit;
  return put(s, s->gradient, g);
}

/* The Gauss-Newton matrix at theta, unless it is there. */
static PetscErrorCode make_matrix(Search *s, const double *theta) {
  MtTwin *w = &s->v->twin;
  const int n = w->n;
  double misfit, g[MT_UNKNOWNS];
  bool good;
  if (s->has_matrix && memcmp(theta, s->matrix_at, (size_t)n * sizeof *theta) == 0) return 0;
  if (!is_at(s, theta)) {
    PetscCall(mt_twin_set(w, theta));
    s->value = NAN;
  }
  PetscErrorCode rc = mt_twin_sensitivity(w, &misfit, g, s->matrix, NULL, &good);
  if (!rc && !good) rc = mt_error(MT_ERR_FAIL, "the steps of the march cannot be repeated for the sensitivities");
  if (rc) return rc;
  for (int i = 0; i < n; i++)
    if (w->unknown[i].deviation > 0) s->matrix[i * n + i] += 1 / pow(w->unknown[i].deviation, 2);
  memcpy(s->matrix_at, theta, sizeof s->matrix_at);
  s->has_matrix = true;
  mt_posterior_laplace(w, theta, s->matrix, &s->posterior);
  return 0;
}

static PetscErrorCode hessian(Tao tao, Vec x, Mat H, Mat P, void *ctx) {
  Search *s = ctx;
  double theta[MT_UNKNOWNS];
  const int n = s->v->twin.n;
  (void)tao;
  (void)P;
  PetscCall(get(s, x, theta));
  PetscErrorCode rc = make_matrix(s, theta);
  if (rc) return rc;
  for (PetscInt i = 0; i < n && s->v->rank == 0; i++)
    for (PetscInt j = 0; j < n; j++) PetscCall(MatSetValue(H, i, j, s->matrix[i * n + j], INSERT_VALUES));
  PetscCall(MatAssemblyBegin(H, MAT_FINAL_ASSEMBLY));
  return MatAssemblyEnd(H, MAT_FINAL_ASSEMBLY);
}

/* A line of the table, the checkpoint, and whether to go on. */
static PetscErrorCode look(Search *s, bool *near) {
  MtInvert *v = s->v;
  const double known = v->twin.seen.count;
  double count[5], prior = mt_twin_prior(&v->twin, s->at, NULL);
  const double distance = s->has_matrix ? mt_posterior_distance(&v->twin, &s->posterior, s->gradient) : NAN;
  PetscCall(mt_invert_counts(v, count));
  const MtInvertRow row = {.iteration = v->mark.iteration++,
                           .round = v->mark.round,
                           .misfit = s->misfit,
                           .per_value = 2 * (s->misfit - prior) / known,
                           .distance = distance,
                           .runs = count[0],
                           .adjoints = count[1],
                           .tangents = count[2],
                           .newton = count[3],
                           .linear = count[4]};
  memcpy(v->mark.theta, s->at, sizeof v->mark.theta);
  mt_progress("round %.0f  iteration %.0f  misfit %.6g, %.4g a value  minimum %.2g deviations away  %.0f runs, %.0f "
              "adjoints",
              row.round, row.iteration, row.misfit, row.per_value, distance, row.runs, row.adjoints);
  PetscErrorCode rc = mt_invert_add_row(v, &row, s->at, s->has_matrix ? s->posterior.deviation : NULL);
  if (!rc) rc = mt_invert_save(v);
  *near = distance < NEAR;
  s->stopped = mt_stop_agreed(v->comm);
  return rc;
}

/* Of an iterate, whose misfit and gradient are those of the last evaluation. */
static PetscErrorCode converged(Tao tao, void *ctx) {
  Search *s = ctx;
  Vec x;
  PetscInt its;
  double theta[MT_UNKNOWNS];
  bool near = false;
  PetscCall(TaoGetIterationNumber(tao, &its));
  PetscCall(TaoGetSolution(tao, &x));
  PetscCall(get(s, x, theta));
  PetscErrorCode rc = 0;
  if (s->v->opt.method == MT_INVERT_GAUSS_NEWTON || !s->has_matrix) rc = make_matrix(s, theta);
  if (!rc) rc = look(s, &near);
  if (rc) return rc;
  if (near || s->stopped) return TaoSetConvergedReason(tao, TAO_CONVERGED_USER);
  if (its >= s->v->opt.iterations) return TaoSetConvergedReason(tao, TAO_DIVERGED_MAXITS);
  return 0;
}

static PetscErrorCode set_default(const char *name, const char *value) {
  PetscBool given;
  PetscCall(PetscOptionsHasName(NULL, NULL, name, &given));
  return given ? 0 : PetscOptionsSetValue(NULL, name, value);
}

static PetscErrorCode set_bounds(Search *s, Tao tao) {
  const MtTwin *w = &s->v->twin;
  double bound[2][MT_UNKNOWNS];
  Vec low, high;
  for (int i = 0; i < w->n; i++) {
    bound[0][i] = mt_unknown_theta(&w->unknown[i], w->unknown[i].low);
    bound[1][i] = mt_unknown_theta(&w->unknown[i], w->unknown[i].high);
  }
  PetscCall(VecDuplicate(s->x, &low));
  PetscCall(VecDuplicate(s->x, &high));
  PetscCall(put(s, bound[0], low));
  PetscCall(put(s, bound[1], high));
  PetscCall(TaoSetVariableBounds(tao, low, high));
  PetscCall(VecDestroy(&low));
  return VecDestroy(&high);
}

static PetscErrorCode make_tao(Search *s, Tao *tao) {
  const bool newton = s->v->opt.method == MT_INVERT_GAUSS_NEWTON;
  PetscCall(set_default("-invert_tao_bnk_init_type", "constant"));
  PetscCall(TaoCreate(s->v->comm, tao));
  PetscCall(TaoSetOptionsPrefix(*tao, "invert_"));
  PetscCall(TaoSetType(*tao, newton ? TAOBNTR : TAOBLMVM));
  PetscCall(TaoSetSolution(*tao, s->x));
  PetscCall(TaoSetObjective(*tao, objective, s));
  PetscCall(TaoSetObjectiveAndGradient(*tao, NULL, gradient, s));
  if (newton) PetscCall(TaoSetHessian(*tao, s->H, s->H, hessian, s));
  if (newton) PetscCall(TaoSetInitialTrustRegionRadius(*tao, 1));
  PetscCall(TaoSetConvergenceTest(*tao, converged, s));
  PetscCall(TaoSetTolerances(*tao, 0, 0, 0));
  PetscCall(TaoSetMaximumIterations(*tao, s->v->opt.iterations));
  PetscCall(set_bounds(s, *tao));
  return TaoSetFromOptions(*tao);
}

/* On the steps of where it begins. */
static PetscErrorCode one_round(Search *s, TaoConvergedReason *reason) {
  Tao tao;
  PetscCall(put(s, s->v->mark.theta, s->x));
  PetscCall(make_tao(s, &tao));
  s->has_matrix = false;
  PetscCall(TaoSolve(tao));
  PetscCall(TaoGetConvergedReason(tao, reason));
  PetscCall(get(s, s->x, s->v->mark.theta));
  return TaoDestroy(&tao);
}

static double moved(const Search *s) {
  const MtInvertMark *m = &s->v->mark;
  double most = 0;
  for (int i = 0; i < s->v->twin.n; i++)
    if (!s->posterior.at_bound[i])
      most = fmax(most, fabs(m->theta[i] - m->recorded[i]) / fmax(s->posterior.deviation[i], 1e-12));
  return most;
}

static PetscErrorCode find_steps(Search *s, const double *theta) {
  double misfit;
  PetscCall(mt_twin_set(&s->v->twin, theta));
  PetscErrorCode rc = mt_twin_record(&s->v->twin, &misfit, NULL);
  s->value = NAN;
  memcpy(s->v->mark.recorded, s->v->twin.theta, sizeof s->v->mark.recorded);
  return rc;
}

static PetscErrorCode rounds(Search *s) {
  MtInvertMark *m = &s->v->mark;
  TaoConvergedReason reason;
  bool resumed = m->iteration > 0; /* on the steps there were */
  for (; m->round < ROUNDS; m->round++, resumed = false) {
    PetscErrorCode rc = find_steps(s, resumed ? m->recorded : m->theta);
    if (!rc) rc = one_round(s, &reason);
    if (rc || s->stopped) return rc;
    if (reason < 0)
      mt_warn("round %.0f of the search ended without its minimum (TAO's reason %d): the estimate may be off", m->round,
              (int)reason);
    if (moved(s) < SETTLED) return 0;
  }
  mt_warn("the parameters still move with the time steps after %d rounds: choose a smaller evolve.tolerance", ROUNDS);
  return 0;
}

static PetscErrorCode make_space(Search *s) {
  const PetscInt n = s->v->rank ? 0 : s->v->twin.n;
  PetscCall(VecCreateMPI(s->v->comm, n, PETSC_DETERMINE, &s->x));
  PetscCall(MatCreateDense(s->v->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, NULL, &s->H));
  return 0;
}

/* The posterior with the error of the start, where the search has ended. */
static PetscErrorCode with_start(Search *s) {
  if (!is_at(s, s->v->mark.theta)) PetscCall(mt_twin_set(&s->v->twin, s->v->mark.theta));
  return mt_posterior_start(&s->v->twin, s->v->opt.initial_noise, &s->posterior);
}

PetscErrorCode mt_invert_search(MtInvert *v, MtPosterior *p, bool *stopped) {
  Search s = {.v = v, .value = NAN};
  PetscCall(make_space(&s));
  if (v->mark.iteration == 0) memcpy(v->mark.theta, v->twin.theta, sizeof v->mark.theta);
  PetscErrorCode rc = rounds(&s);
  mt_progress_end();
  *stopped = s.stopped;
  if (!rc && !s.stopped) rc = make_matrix(&s, v->mark.theta);
  if (!rc && !s.stopped && v->opt.initial_noise > 0) rc = with_start(&s);
  *p = s.posterior;
  PetscCall(VecDestroy(&s.x));
  PetscCall(MatDestroy(&s.H));
  return rc;
}
