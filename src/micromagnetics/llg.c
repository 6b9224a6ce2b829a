/* The Landau-Lifshitz-Gilbert equation in time: steps under error control from kink to kink of the field.
 *
 * Linearly implicit: exchange on a mesh of 2 nm holds nodes with fields of 100 T, so that an explicit step ends at .1
 * ps whatever the accuracy asked for (D. Suess et al., J. Magn. Magn. Mater. 248 (2002) 298, who take preconditioned
 * BDF for this reason).  A Rosenbrock-W method needs the Jacobian only approximately: the local terms, and not the
 * stray field, whose Jacobian is dense and bounded by Js.  The stray field is current in every stage all the same,
 * order 3 and L-stability hold, and one stage costs one solve for the potential and one linear system without it
 * (llg_system.c). Against the alternatives: docs/numerics.md, Dynamics. */
#include "kernels.h"
#include "llg_impl.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double SAFETY = .9, GROW = 4, SHRINK = .2;
static const double INNER_PER_TOLERANCE = .1, INNER_LEAST = 1e-10, INNER_MOST = 1e-3; /* relative residuals */
static const double FAILED = .25;  /* a step that could not be judged is shortened by this */
static const double NO_SOLVE = .9; /* residual with which a potential that belongs to m is taken as it is */

MtLlgOptions mt_llg_defaults(void) {
  return (MtLlgOptions){.method = MT_LLG_IMPLICIT,
                        .gamma0 = MT_GAMMA,
                        .alpha = 1,
                        .tolerance = 1e-4,
                        .dt_start = 1e-5,
                        .dt_min = 1e-9,
                        .dt_max = 1,
                        .demag_rtol = 1e-5};
}

static void constant_field(void *ctx, double from, double t, double B[3]) {
  (void)from;
  (void)t;
  memcpy(B, ctx, 3 * sizeof *B);
}

/* Moment-weighted u.grad of three components.  Tets without magnetization carry none. */
static PetscErrorCode make_drift(MtLlg *llg, const double *Js) {
  Mat A;
  const double *u = llg->opt.velocity;
  if (mt_dot3(u, u) == 0) return 0;
  PetscCall(mt_fem_advection(llg->energy->mesh, llg->energy->nodes, Js, u, &A));
  PetscCall(mt_fem_threefold(A, &llg->drift));
  PetscCall(MatDestroy(&A));
  return mt_energy_create_vec(llg->energy, &llg->grad);
}

static PetscErrorCode make_vectors(MtLlg *llg) {
  Vec u, *all[] = {&llg->g, &llg->m_stage, &llg->g_stage, &llg->rate, &llg->y};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) PetscCall(mt_energy_create_vec(llg->energy, all[i]));
  for (int i = 0; i < llg->scheme.stages; i++) PetscCall(VecDuplicate(llg->g, &llg->u[i]));
  PetscCall(mt_energy_potential(llg->energy, &u));
  return u ? VecDuplicate(u, &llg->potential) : 0;
}

/* The systems' error stays below the step's, which turns no node by more than a few tenths of a radian. */
static double inner_rtol(const MtLlgOptions *opt) {
  return fmax(INNER_LEAST, fmin(INNER_MOST, INNER_PER_TOLERANCE * opt->tolerance));
}

PetscErrorCode mt_llg_create(MtEnergy *e, const MtLlgOptions *opt, MtLlg **result) {
  MtLlg *llg;
  PetscCall(PetscNew(&llg));
  *result = llg;
  llg->energy = e;
  llg->opt = *opt;
  llg->gamma = opt->gamma0 / MT_MU0 * 1e-9;
  mt_llg_scheme(opt->method, &llg->scheme);
  llg->field = (MtLlgField){.ctx = llg->constant_B, .at = constant_field};
  PetscCall(PetscMalloc1(e->n, &llg->alpha));
  for (PetscInt i = 0; i < e->n; i++) llg->alpha[i] = opt->alpha;
  PetscCall(make_vectors(llg));
  return llg->scheme.implicit ? mt_llg_system_create(e, llg->alpha, inner_rtol(opt), &llg->system) : 0;
}

PetscErrorCode mt_llg_destroy(MtLlg **result) {
  MtLlg *llg = *result;
  if (!llg) return 0;
  Vec *all[] = {&llg->g, &llg->m_stage, &llg->g_stage, &llg->rate, &llg->y, &llg->grad, &llg->potential};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) PetscCall(VecDestroy(all[i]));
  for (int i = 0; i < MT_LLG_STAGES; i++) PetscCall(VecDestroy(&llg->u[i]));
  PetscCall(mt_llg_system_destroy(&llg->system));
  PetscCall(MatDestroy(&llg->drift));
  PetscCall(PetscFree(llg->alpha));
  return PetscFree(*result);
}

/* Values of each local tet's material. */
static void per_tet(const MtEnergy *e, const MtMaterial *material, bool times_alpha, double *coef) {
  for (PetscInt t = 0; t < e->mesh->nt_local; t++) {
    MtMaterial own;
    const MtMaterial *m = mt_composition_at(e->composition, e->mesh, material, t, &own);
    coef[t] = times_alpha ? m->alpha * m->Js : m->Js;
  }
}

PetscErrorCode mt_llg_set_materials(MtLlg *llg, const MtMaterial *material, bool damping) {
  const MtEnergy *e = llg->energy;
  double *coef;
  PetscCall(PetscMalloc1(e->mesh->nt_local, &coef));
  if (damping) {
    per_tet(e, material, true, coef);
    PetscCall(mt_fem_lumped(e->mesh, e->nodes, coef, llg->alpha));
    for (PetscInt i = 0; i < e->n; i++) llg->alpha[i] /= e->moment[i];
  }
  per_tet(e, material, false, coef);
  PetscCall(make_drift(llg, coef));
  return PetscFree(coef);
}

PetscErrorCode mt_llg_set_field(MtLlg *llg, const MtLlgField *field) {
  llg->field = *field;
  return 0;
}

PetscErrorCode mt_llg_set_monitor(MtLlg *llg, MtLlgMonitor monitor, void *ctx) {
  llg->monitor = monitor;
  llg->monitor_ctx = ctx;
  return 0;
}

static PetscErrorCode at_time(const MtLlg *llg, PetscErrorCode rc) {
  if (rc != MT_ERR_FAIL) return rc;
  char *text = strdup(mt_error_message());
  mt_error_clear();
  rc = mt_error(rc, "at t = %.9g ns: %s", llg->now.t, text ? text : "");
  free(text);
  return rc;
}

/* Evaluates m itself; rtol: of the potential.  One that is taken as it is costs no solve and does not count: a run that
 * goes on has the counts of one that was not stopped. */
static PetscErrorCode look(MtLlg *llg, double rtol) {
  bool good;
  PetscErrorCode rc = mt_llg_eval(llg, llg->m, llg->now.t, llg->now.t, rtol, &llg->E, llg->B, llg->g, &good);
  if (rtol == NO_SOLVE) llg->now.evaluations--;
  if (!rc && !good) rc = mt_energy_not_finite(llg->energy, llg->m, llg->g, llg->B);
  if (rc) return at_time(llg, rc);
  llg->kept_system = false;
  return mt_energy_worst(llg->energy, llg->m, llg->g, &llg->torque, &llg->worst);
}

static PetscErrorCode normalize(const MtLlg *llg, Vec m) {
  PetscScalar *x;
  PetscCall(VecGetArray(m, &x));
  for (PetscInt i = 0; i < llg->energy->n; i++) {
    double norm = sqrt(mt_dot3(x + 3 * i, x + 3 * i));
    for (int c = 0; c < 3; c++) x[3 * i + c] /= norm;
  }
  return VecRestoreArray(m, &x);
}

PetscErrorCode mt_llg_start(MtLlg *llg, Vec m, const MtLlgProgress *from) {
  llg->m = m;
  llg->now = from ? *from : (MtLlgProgress){.dt = llg->opt.dt_start, .error = 1};
  if (!from) PetscCall(normalize(llg, m));
  return look(llg, from ? NO_SOLVE : llg->opt.demag_rtol);
}

static PetscErrorCode save_potential(MtLlg *llg) {
  return llg->potential ? VecCopy(llg->energy->u, llg->potential) : 0;
}
static PetscErrorCode restore_potential(MtLlg *llg) {
  return llg->potential ? VecCopy(llg->potential, llg->energy->u) : 0;
}

/* The next step by the error of this one and the last (K. Gustafsson, ACM Trans. Math. Softw. 17 (1991) 533). */
static double next_step(const MtLlg *llg, double dt, double error, bool rejected) {
  double k = llg->scheme.order, now = fmax(error, 1e-6), before = fmax(llg->now.error, 1e-6);
  double factor = rejected ? SAFETY * pow(now, -1 / k) : SAFETY * pow(now, -.7 / k) * pow(before, .4 / k);
  return dt * fmin(GROW, fmax(SHRINK, factor));
}

/* Not even the shortest step can be made: the place is that of the largest error, or of the largest torque where there
 * is none. */
static PetscErrorCode no_step(MtLlg *llg, double dt, double error, int64_t worst) {
  const double *B = llg->B;
  bool judged = isfinite(error) && worst != INT64_MAX;
  char place[256], why[96];
  if (judged)
    snprintf(why, sizeof why, "the error is %.3g times the tolerance", error);
  else
    snprintf(why, sizeof why, "no finite state follows; the largest torque is %.3g T", llg->torque);
  PetscCall(mt_energy_place(llg->energy, judged ? worst : llg->worst, sizeof place, place));
  return mt_error(MT_ERR_FAIL,
                  "at t = %.9g ns no time step can be made: with %.3g ns %s at %s, in the field %g, %g, %g T",
                  llg->now.t, dt, why, place, B[0], B[1], B[2]);
}

/* The tried state becomes the state, once it has its derivative. */
static PetscErrorCode accept(MtLlg *llg, double t, MtEnergyValues *E, double B[3]) {
  bool good = true;
  if (!llg->scheme.fsal) {
    PetscErrorCode rc = mt_llg_eval(llg, llg->m_stage, llg->now.t, t, llg->opt.demag_rtol, E, B, llg->g_stage, &good);
    if (!rc && !good) rc = mt_energy_not_finite(llg->energy, llg->m_stage, llg->g_stage, B);
    if (rc) return rc;
  }
  PetscCall(VecCopy(llg->m_stage, llg->m));
  PetscCall(VecSwap(llg->g, llg->g_stage));
  llg->E = *E;
  memcpy(llg->B, B, sizeof llg->B);
  llg->now.t = t;
  llg->now.steps++;
  llg->kept_system = false;
  return mt_energy_worst(llg->energy, llg->m, llg->g, &llg->torque, &llg->worst);
}

/* The next step to try after one that was accepted; shortened: it was to hit a time, and says little of longer ones. */
static void lengthen(MtLlg *llg, double dt, double error, bool rejected, bool shortened) {
  double next = next_step(llg, dt, error, rejected && error > .5);
  if (rejected) next = fmin(next, dt);
  llg->now.dt = fmax(llg->opt.dt_min, shortened && !rejected ? fmax(next, llg->now.dt) : next);
  llg->now.error = error;
}

/* One accepted step, no further than `end`. */
static PetscErrorCode try_towards(MtLlg *llg, double end) {
  MtEnergyValues E;
  double error, B[3], from = llg->now.t;
  int64_t worst;
  bool good, rejected = false;
  PetscCall(save_potential(llg));
  for (;;) {
    double left = end - from, dt = fmin(llg->now.dt, llg->opt.dt_max);
    /* the last two steps before the end share what is left: no tiny one remains */
    bool last = dt >= left * (1 - 1e-9), shortened = last || 2 * dt > left;
    if (shortened) dt = last ? left : left / 2;
    PetscErrorCode rc = mt_llg_step(llg, dt, &error, &worst, &E, B, &good);
    if (rc) return rc;
    if (good && error <= 1) {
      rc = accept(llg, last ? end : from + dt, &E, B);
      if (!rc) lengthen(llg, dt, error, rejected, shortened);
      return rc;
    }
    rejected = true;
    llg->now.rejected++;
    PetscCall(restore_potential(llg));
    if (dt <= llg->opt.dt_min) return no_step(llg, dt, error, worst);
    llg->now.dt = fmax(llg->opt.dt_min, good ? next_step(llg, dt, error, true) : FAILED * dt);
  }
}

/* The same; what fails leaves the last good state with its potential. */
static PetscErrorCode step_towards(MtLlg *llg, double end) {
  PetscErrorCode rc = try_towards(llg, end);
  if (rc == MT_ERR_FAIL && restore_potential(llg)) return rc;
  return rc == MT_ERR_FAIL && !strstr(mt_error_message(), "at t = ") ? at_time(llg, rc) : rc;
}

static void report_to(const MtLlg *llg, MtLlgEnd end, MtLlgReport *report) {
  *report = (MtLlgReport){.end = end,
                          .progress = llg->now,
                          .energy = llg->E,
                          .B = {llg->B[0], llg->B[1], llg->B[2]},
                          .torque = llg->torque,
                          .worst_node = llg->worst};
}

/* Where a piece of the field begins, g is that of its first field. */
static PetscErrorCode begin_piece(MtLlg *llg) {
  double B[3];
  llg->field.at(llg->field.ctx, llg->now.t, llg->now.t, B);
  bool same = B[0] == llg->B[0] && B[1] == llg->B[1] && B[2] == llg->B[2];
  return same ? 0 : look(llg, NO_SOLVE);
}

/* To `end`, which lies in the same piece. */
static PetscErrorCode advance_piece(MtLlg *llg, double end, double torque, MtLlgReport *report, bool *done) {
  PetscCall(begin_piece(llg));
  while (llg->now.t < end && !*done) {
    bool stop = false;
    double solves = llg->potential ? (double)mt_poisson_count(llg->energy->poisson).solves : 0;
    double before = (double)mt_energy_demag_iterations(llg->energy);
    PetscErrorCode rc = step_towards(llg, end);
    llg->now.demag_iterations += (double)mt_energy_demag_iterations(llg->energy) - before;
    if (llg->potential) llg->now.demag_solves += (double)mt_poisson_count(llg->energy->poisson).solves - solves;
    if (rc) return rc;
    *done = llg->torque < torque;
    report_to(llg, *done ? MT_LLG_TORQUE : MT_LLG_TIME, report);
    if (llg->monitor) PetscCall(llg->monitor(llg->monitor_ctx, llg->m, report, &stop));
    if (stop && !*done) report->end = MT_LLG_STOPPED;
    *done = *done || stop;
  }
  return 0;
}

PetscErrorCode mt_llg_advance(MtLlg *llg, double t_end, double torque, MtLlgReport *report) {
  bool done = llg->torque < torque;
  report_to(llg, done ? MT_LLG_TORQUE : MT_LLG_TIME, report);
  while (llg->now.t < t_end && !done) {
    double kink = llg->field.next_kink ? llg->field.next_kink(llg->field.ctx, llg->now.t) : INFINITY;
    PetscErrorCode rc = advance_piece(llg, fmin(kink, t_end), torque, report, &done);
    if (rc) return rc;
  }
  return 0;
}

PetscErrorCode mt_llg_run(MtLlg *llg, Vec m, const double B[3], double t_end, double torque, MtLlgReport *report) {
  MtLlgField field = llg->field;
  memcpy(llg->constant_B, B, sizeof llg->constant_B);
  llg->field = (MtLlgField){.ctx = llg->constant_B, .at = constant_field};
  PetscErrorCode rc = mt_llg_start(llg, m, NULL);
  if (!rc) rc = mt_llg_advance(llg, t_end, torque, report);
  llg->field = field;
  return rc;
}
