/* Residuals of two phases, and Newton's method for an implicit step.  The mobility and the current against trapping
 * are those of the guess (of second order in the step), so that K_M and T stay the same in the iteration and c is
 * conserved. */
#include "flow_impl.h"
#include "kks_impl.h"
#include "magtwin/run.h"
#include <math.h>

enum { MAX_NEWTON = 12 };

PetscErrorCode mt_kks_points(MtKks *k, double t, Vec phi, Vec c, Vec slope, double *bulk, bool *good) {
  Vec const out[] = {k->mu, k->chi, k->coupling, k->second, k->M, slope};
  const PetscScalar *pa, *ca, *w;
  PetscScalar *a[6];
  double sum[2] = {0, 0};
  mt_kks_set_time(k, t);
  k->lost = -1;
  PetscCall(VecGetArrayRead(phi, &pa));
  PetscCall(VecGetArrayRead(c, &ca));
  PetscCall(VecGetArrayRead(k->w, &w));
  for (int i = 0; i < 6; i++) PetscCall(VecGetArray(out[i], &a[i]));
  for (PetscInt i = 0; i < k->domain->n_owned; i++) {
    MtKksPoint p = {.chi = 1};
    const bool found = mt_kks_at(&k->now, k->D, pa[i], ca[i], &p) && isfinite(p.f);
    if (!found && k->lost < 0) k->lost = i;
    sum[1] += !found;
    const double value[6] = {p.mu, p.chi, p.s, p.second, p.mobility, p.slope};
    for (int j = 0; j < 6; j++) a[j][i] = value[j];
    sum[0] += w[i] * p.f;
  }
  for (int i = 0; i < 6; i++) PetscCall(VecRestoreArray(out[i], &a[i]));
  PetscCall(VecRestoreArrayRead(k->w, &w));
  PetscCall(VecRestoreArrayRead(c, &ca));
  PetscCall(VecRestoreArrayRead(phi, &pa));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_SUM, k->domain->comm));
  *bulk = sum[0];
  *good = sum[1] == 0 && isfinite(sum[0]);
  return 0;
}

PetscErrorCode mt_kks_transport(MtKks *k) {
  const MtDomain *d = k->domain;
  const PetscScalar *a;
  Vec local;
  PetscCall(VecCopy(k->M, k->spread));
  PetscCall(VecGhostUpdateBegin(k->spread, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(k->spread, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(k->spread, &local));
  PetscCall(VecGetArrayRead(local, &a));
  for (PetscInt e = 0; e < d->ne; e++) {
    k->factor[e] = 0;
    for (int i = 0; i <= d->dim; i++) k->factor[e] += PetscRealPart(a[d->element[(d->dim + 1) * e + i]]) / (d->dim + 1);
  }
  PetscCall(VecRestoreArrayRead(local, &a));
  PetscCall(VecGhostRestoreLocalForm(k->spread, &local));
  return mt_domain_stiffness_set(d, k->factor, k->KM);
}

PetscErrorCode mt_kks_measure(MtKks *k, double t, Vec phi, Vec c, MtFlowEnergy *e) {
  PetscScalar gradient;
  double bulk;
  bool good;
  mt_phase_begin("energies");
  PetscCall(mt_kks_points(k, t, phi, c, k->work2, &bulk, &good));
  PetscCall(MatMult(k->K, phi, k->work));
  PetscCall(VecDot(phi, k->work, &gradient));
  mt_phase_end("energies");
  *e = (MtFlowEnergy){.bulk = good ? bulk / k->volume : INFINITY,
                      .gradient = .5 * k->model->kappa * PetscRealPart(gradient) / k->volume};
  e->total = e->bulk + e->gradient;
  return 0;
}

/* residual = w f_phi + kappa K phi, and K_M mu of the points now (slope in the first). */
static PetscErrorCode forces(MtKks *k, Vec phi) {
  Vec *r = k->residual;
  PetscCall(VecPointwiseMult(r[MT_KKS_PHI], r[MT_KKS_PHI], k->w));
  PetscCall(MatMult(k->K, phi, k->work));
  PetscCall(VecAXPY(r[MT_KKS_PHI], k->model->kappa, k->work));
  return MatMult(k->KM, k->mu, r[MT_KKS_C]);
}

PetscErrorCode mt_kks_rate(MtKks *k, double t) {
  const MtMultistep *field = k->field;
  Vec phi = field[MT_KKS_PHI].c[0], *r = k->residual;
  double bulk;
  bool good;
  PetscCall(mt_kks_points(k, t, phi, field[MT_KKS_C].c[0], r[MT_KKS_PHI], &bulk, &good));
  PetscCall(mt_kks_transport(k));
  PetscCall(mt_kks_trapping(k, phi));
  PetscCall(forces(k, phi));
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    if (f == MT_KKS_C) PetscCall(mt_kks_trapping_add(k, -1, field[MT_KKS_PHI].c[2], r[f]));
    PetscCall(VecPointwiseDivide(field[f].c[2], r[f], k->w));
    PetscCall(VecScale(field[f].c[2], f == MT_KKS_PHI ? -k->rate : -1));
  }
  return 0;
}

/* Both residuals, that of phi divided by L. */
static PetscErrorCode linearize(MtKks *k, double t, bool first, bool *good) {
  const MtMultistep *field = k->field;
  Vec phi = field[MT_KKS_PHI].next, *r = k->residual;
  double bulk;
  mt_phase_begin("forces");
  PetscCall(mt_kks_points(k, t, phi, field[MT_KKS_C].next, r[MT_KKS_PHI], &bulk, good));
  mt_phase_end("forces");
  if (!*good) return 0;
  mt_phase_begin("assembly");
  if (first) PetscCall(mt_kks_transport(k));
  if (first) PetscCall(mt_kks_trapping(k, phi));
  mt_phase_end("assembly");
  PetscCall(forces(k, phi));
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    PetscCall(VecWAXPY(k->work2, -1, field[f].base, field[f].next));
    if (f == MT_KKS_PHI) PetscCall(mt_kks_trapping_add(k, -k->shift, k->work2, r[MT_KKS_C]));
    PetscCall(VecPointwiseMult(k->work2, k->work2, k->w));
    PetscCall(VecAXPY(r[f], f == MT_KKS_PHI ? k->shift / k->rate : k->shift, k->work2));
  }
  return first ? mt_kks_linear_prepare(k) : 0;
}

static PetscErrorCode correct(MtKks *k, double *change, MtFlowSolve *how) {
  PetscInt iterations;
  PetscReal size[MT_KKS_FIELDS];
  bool solved;
  PetscCall(mt_kks_linear_solve(k, &iterations, &solved));
  how->linear += (int)iterations;
  how->newton++;
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    PetscCall(VecAXPY(k->field[f].next, -1, k->delta[f]));
    PetscCall(VecNorm(k->delta[f], NORM_INFINITY, &size[f]));
  }
  *change = solved ? fmax(size[0], size[1]) : INFINITY;
  return 0;
}

PetscErrorCode mt_kks_solve(MtKks *k, double t, MtFlowSolve *how) {
  double change = INFINITY, before = INFINITY;
  *how = (MtFlowSolve){0};
  while (how->newton < MAX_NEWTON) {
    bool good;
    PetscCall(linearize(k, t, how->newton == 0, &good));
    if (!good) return 0;
    PetscCall(correct(k, &change, how));
    if (!isfinite(change) || (how->newton > 2 && change > 2 * before)) return 0;
    const double left = fmax(change / before, 10 * k->opt.linear_rtol) * change; /* of the next iteration */
    if (change <= k->opt.newton_tolerance || (isfinite(before) && left <= k->opt.newton_tolerance)) {
      how->converged = true;
      return 0;
    }
    before = change;
  }
  return 0;
}
