/* The gradient flow dc/dt = -G mu + s: energy, chemical potential, and Newton's method for an implicit step.
 *
 * The energy is F = sum w f(c) + kappa/2 c.K c with lumped weights w, so that mu = F'(c)/w is the exact derivative and
 * dF/dt = -mu.wG mu <= 0 without a source.  mu is eliminated: with lumped weights it costs a division. */
#include "flow_impl.h"
#include "magtwin/diffusion.h"
#include "magtwin/elastic.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <math.h>

enum { MAX_NEWTON = 8 };

PetscErrorCode mt_flow_create(const MtDomain *domain, const MtFlowModel *model, const MtFlowOptions *opt,
                              MtFlow **flow) {
  MtFlow *f;
  PetscScalar sum;
  PetscCall(PetscNew(&f));
  *flow = f;
  f->domain = domain;
  f->model = *model;
  f->opt = *opt;
  f->source_t = NAN;
  f->mobility0 = model->mobility;
  PetscCall(mt_domain_operators(domain, &f->K, &f->w));
  if (model->diffusion) PetscCall(MatDestroy(&f->K)); /* it has its own */
  PetscCall(VecSum(f->w, &sum));
  f->volume = PetscRealPart(sum);
  Vec *const vec[] = {&f->curvature, &f->residual, &f->delta, &f->mu, &f->work, &f->inner};
  for (size_t i = 0; i < sizeof vec / sizeof *vec; i++) PetscCall(VecDuplicate(f->w, vec[i]));
  if (model->source) PetscCall(VecDuplicate(f->w, &f->source));
  return mt_flow_solver_create(f);
}

PetscErrorCode mt_flow_destroy(MtFlow **flow) {
  MtFlow *f = *flow;
  if (!f) return 0;
  PetscCall(mt_flow_solver_destroy(f));
  Vec *const vec[] = {&f->w, &f->curvature, &f->residual, &f->delta, &f->mu, &f->work, &f->inner, &f->source};
  for (size_t i = 0; i < sizeof vec / sizeof *vec; i++) PetscCall(VecDestroy(vec[i]));
  PetscCall(MatDestroy(&f->K));
  return PetscFree(*flow);
}

PetscErrorCode mt_flow_create_vec(const MtFlow *flow, Vec *v) {
  PetscCall(VecDuplicate(flow->w, v));
  return VecZeroEntries(*v);
}

/* The boundaries' share of a node, per its volume. */
static void add_wall(const MtFlow *f, PetscInt i, double c, double w, double at[3]) {
  double p[3];
  mt_wall_at(&f->model, c, p);
  for (int k = 0; k < 3; k++) at[k] += f->model.wall[i] / w * p[k];
}

/* y += dF/dc of the elastic energy.  Its second derivative is no matrix: half of its largest stands for it, so that
 * Newton's method contracts by at most a half of what is left of it. */
static PetscErrorCode add_elastic(MtFlow *f, Vec c, Vec y, bool curvature) {
  MtElastic *e = f->model.elastic;
  if (!e) return 0;
  PetscErrorCode rc = mt_elastic_solve(e, c);
  if (rc) return rc;
  PetscCall(mt_elastic_gradient(e, y));
  if (!curvature) return 0;
  f->mean_curvature += mt_elastic_curvature(e);
  return VecShift(f->curvature, mt_elastic_curvature(e));
}

PetscErrorCode mt_flow_gradient(MtFlow *f, Vec c, Vec y, bool curvature) {
  const PetscScalar *ca, *w;
  PetscScalar *ya, *second;
  double sum = 0, at[3];
  PetscCall(MatMult(f->K, c, y));
  PetscCall(VecGetArrayRead(c, &ca));
  PetscCall(VecGetArrayRead(f->w, &w));
  PetscCall(VecGetArray(y, &ya));
  PetscCall(VecGetArray(f->curvature, &second));
  for (PetscInt i = 0; i < f->domain->n_owned; i++) {
    mt_free_energy_at(&f->energy, ca[i], at);
    if (f->model.wall) add_wall(f, i, ca[i], w[i], at);
    ya[i] = w[i] * at[1] + f->model.kappa * ya[i];
    if (!curvature) continue;
    second[i] = at[2];
    sum += w[i] * at[2];
  }
  PetscCall(VecRestoreArray(f->curvature, &second));
  PetscCall(VecRestoreArray(y, &ya));
  PetscCall(VecRestoreArrayRead(f->w, &w));
  PetscCall(VecRestoreArrayRead(c, &ca));
  if (!curvature) return add_elastic(f, c, y, false);
  PetscCallMPI(MPI_Allreduce(&sum, &f->mean_curvature, 1, MPI_DOUBLE, MPI_SUM, f->domain->comm));
  f->mean_curvature /= f->volume;
  return add_elastic(f, c, y, true);
}

PetscErrorCode mt_flow_transport(MtFlow *f, Vec mu, Vec y) {
  if (f->model.kind == MT_FLOW_CONSERVED)
    PetscCall(MatMult(f->K, mu, y));
  else
    PetscCall(VecPointwiseMult(y, f->w, mu));
  return VecScale(y, f->model.mobility);
}

PetscErrorCode mt_flow_source(MtFlow *f, double t) {
  const MtFormula *s = f->model.source;
  PetscScalar *a;
  if (f->source_t == t || (!isnan(f->source_t) && !mt_formula_uses(s, MT_VAR_T))) return 0;
  PetscCall(VecGetArray(f->source, &a));
  for (PetscInt i = 0; i < f->domain->n_owned; i++) {
    const double *x = f->domain->x + 3 * i, at[MT_NVARS] = {x[0], x[1], x[2], t};
    a[i] = mt_formula_value(s, at);
  }
  PetscCall(VecRestoreArray(f->source, &a));
  f->source_t = t;
  return 0;
}

void mt_flow_set_time(MtFlow *f, double t) {
  const MtFlowModel *m = &f->model;
  const double T = m->program ? mt_program_at(m->program, t) : NAN;
  if (m->program) f->model.mobility = f->mobility0 * mt_arrhenius(m->activation, T);
  if (m->energy) f->energy = mt_free_energy_heated(m->energy, T);
}

/* out = w G mu(c) */
static PetscErrorCode dissipation(MtFlow *f, double t, Vec c, bool curvature, Vec out) {
  const MtFlowModel *m = &f->model;
  if (m->diffusion) return mt_diffusion_apply(m->diffusion, t, c, out);
  mt_flow_set_time(f, t);
  PetscCall(mt_flow_gradient(f, c, f->mu, curvature));
  PetscCall(VecPointwiseDivide(f->mu, f->mu, f->w));
  return mt_flow_transport(f, f->mu, out);
}

/* out = w G mu(c) - w s(t) */
static PetscErrorCode forces(MtFlow *f, double t, Vec c, bool curvature, Vec out) {
  PetscCall(dissipation(f, t, c, curvature, out));
  if (!f->source) return 0;
  PetscCall(mt_flow_source(f, t));
  PetscCall(VecPointwiseMult(f->work, f->w, f->source));
  PetscCall(VecAXPY(out, -1, f->work));
  return f->model.diffusion ? mt_diffusion_release(f->model.diffusion, out) : 0;
}

PetscErrorCode mt_flow_rate(MtFlow *f, double t, Vec c, Vec rate) {
  PetscCall(forces(f, t, c, false, rate));
  PetscCall(VecPointwiseDivide(rate, rate, f->w));
  return VecScale(rate, -1);
}

PetscErrorCode mt_flow_energy(MtFlow *f, double t, Vec c, MtFlowEnergy *e) {
  const PetscScalar *ca, *w;
  PetscScalar gradient;
  double bulk = 0, at[3];
  *e = (MtFlowEnergy){0};
  if (f->model.diffusion) return 0;
  mt_flow_set_time(f, t);
  PetscCall(VecGetArrayRead(c, &ca));
  PetscCall(VecGetArrayRead(f->w, &w));
  for (PetscInt i = 0; i < f->domain->n_owned; i++) {
    mt_free_energy_at(&f->energy, ca[i], at);
    if (f->model.wall) add_wall(f, i, ca[i], w[i], at);
    bulk += w[i] * at[0];
  }
  PetscCall(VecRestoreArrayRead(f->w, &w));
  PetscCall(VecRestoreArrayRead(c, &ca));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &bulk, 1, MPI_DOUBLE, MPI_SUM, f->domain->comm));
  PetscCall(MatMult(f->K, c, f->work));
  PetscCall(VecDot(c, f->work, &gradient));
  e->bulk = bulk / f->volume;
  e->gradient = .5 * f->model.kappa * PetscRealPart(gradient) / f->volume;
  e->total = e->bulk + e->gradient;
  if (!f->model.elastic) return 0;
  PetscErrorCode rc = mt_elastic_solve(f->model.elastic, c);
  if (rc) return rc;
  PetscCall(mt_elastic_energy(f->model.elastic, &e->elastic));
  e->load = mt_elastic_load(f->model.elastic);
  e->total += e->elastic + e->load;
  return 0;
}

PetscErrorCode mt_flow_heat(MtFlow *f, double from, double to, Vec c, double *added) {
  const MtFlowModel *m = &f->model;
  const PetscScalar *ca, *w;
  double sum = 0, a[3], b[3];
  *added = 0;
  if (m->diffusion || !m->program || !mt_free_energy_follows(m->energy)) return 0;
  const double T[2] = {mt_program_at(m->program, from), mt_program_at(m->program, to)};
  if (T[0] == T[1]) return 0;
  const MtFreeEnergy before = mt_free_energy_heated(m->energy, T[0]), after = mt_free_energy_heated(m->energy, T[1]);
  PetscCall(VecGetArrayRead(c, &ca));
  PetscCall(VecGetArrayRead(f->w, &w));
  for (PetscInt i = 0; i < f->domain->n_owned; i++) {
    mt_free_energy_at(&before, ca[i], a);
    mt_free_energy_at(&after, ca[i], b);
    sum += w[i] * (b[0] - a[0]);
  }
  PetscCall(VecRestoreArrayRead(f->w, &w));
  PetscCall(VecRestoreArrayRead(c, &ca));
  PetscCallMPI(MPI_Allreduce(&sum, added, 1, MPI_DOUBLE, MPI_SUM, f->domain->comm));
  *added /= f->volume;
  return 0;
}

PetscErrorCode mt_flow_mean(const MtFlow *f, Vec c, double *mean) {
  PetscScalar sum;
  PetscCall(VecDot(f->w, c, &sum));
  *mean = PetscRealPart(sum) / f->volume;
  return 0;
}

/* residual = w shift (c - b) + w G mu - w s, and S of this state. */
static PetscErrorCode linearize(MtFlow *f, double t, double shift, Vec b, Vec c) {
  mt_phase_begin("forces");
  PetscErrorCode rc = forces(f, t, c, true, f->residual);
  mt_phase_end("forces");
  PetscCall(rc);
  PetscCall(VecWAXPY(f->work, -1, b, c));
  PetscCall(VecPointwiseMult(f->work, f->work, f->w));
  PetscCall(VecAXPY(f->residual, shift, f->work));
  return mt_flow_solver_set(f, t, shift);
}

/* The mean of a conserved correction is known: what the residual's sum demands. */
static PetscErrorCode correct_mean(MtFlow *f, double shift) {
  PetscScalar want, have;
  const MtDiffusion *d = f->model.diffusion;
  if (d ? !mt_diffusion_closed(d) : f->model.kind != MT_FLOW_CONSERVED) return 0;
  PetscCall(VecSum(f->residual, &want));
  PetscCall(VecDot(f->w, f->delta, &have));
  return VecShift(f->delta, (want / shift - have) / f->volume);
}

static PetscErrorCode correct(MtFlow *f, double shift, Vec c, double *change, MtFlowSolve *how) {
  PetscInt its;
  KSPConvergedReason reason;
  PetscCall(VecZeroEntries(f->delta));
  mt_phase_begin("linear solves");
  PetscCall(KSPSolve(f->ksp, f->residual, f->delta));
  mt_phase_end("linear solves");
  PetscCall(KSPGetIterationNumber(f->ksp, &its));
  PetscCall(KSPGetConvergedReason(f->ksp, &reason));
  how->linear += (int)its;
  how->newton++;
  PetscCall(correct_mean(f, shift));
  PetscCall(VecAXPY(c, -1, f->delta));
  PetscCall(VecNorm(f->delta, NORM_INFINITY, change));
  if (reason < 0) *change = INFINITY;
  return 0;
}

PetscErrorCode mt_flow_solve(MtFlow *f, double t, double shift, Vec b, Vec c, MtFlowSolve *how) {
  double change, before = INFINITY;
  *how = (MtFlowSolve){0};
  while (how->newton < MAX_NEWTON) {
    PetscCall(linearize(f, t, shift, b, c));
    PetscCall(correct(f, shift, c, &change, how));
    if (!isfinite(change) || (how->newton > 2 && change > 2 * before)) return 0;
    const double left = fmax(change / before, 10 * f->opt.linear_rtol) * change; /* of the next iteration */
    if (change <= f->opt.newton_tolerance || (isfinite(before) && left <= f->opt.newton_tolerance)) {
      how->converged = true;
      return 0;
    }
    before = change;
  }
  return 0;
}

PetscErrorCode mt_flow_level(MtFlow *f, Vec c, double level, double *fraction, double *area) {
  return mt_domain_level(f->domain, c, level, fraction, area);
}

PetscErrorCode mt_domain_level(const MtDomain *d, Vec c, double level, double *fraction, double *area) {
  const PetscInt nghost = d->n_local - d->n_owned;
  const PetscScalar *a;
  double x[4][3], u[4], sum[2] = {0, 0}, above, cut;
  Vec ghosted, local;
  PetscCall(VecCreateGhost(d->comm, d->n_owned, PETSC_DETERMINE, nghost, d->row + d->n_owned, &ghosted));
  PetscCall(VecCopy(c, ghosted));
  PetscCall(VecGhostUpdateBegin(ghosted, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(ghosted, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(ghosted, &local));
  PetscCall(VecGetArrayRead(local, &a));
  for (PetscInt e = 0; e < d->ne; e++) {
    if (!d->element_owned[e]) continue;
    for (int k = 0; k <= d->dim; k++) u[k] = PetscRealPart(a[d->element[(d->dim + 1) * e + k]]);
    mt_domain_corners(d, e, x);
    mt_simplex_cut(d->dim, (const double(*)[3])x, u, level, &above, &cut);
    sum[0] += above;
    sum[1] += cut;
  }
  PetscCall(VecRestoreArrayRead(local, &a));
  PetscCall(VecGhostRestoreLocalForm(ghosted, &local));
  PetscCall(VecDestroy(&ghosted));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_SUM, d->comm));
  *fraction = sum[0] / d->volume;
  *area = sum[1];
  return 0;
}
