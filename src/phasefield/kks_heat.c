/* Two phases that follow the temperature: RT of their solutions, the entropies of their ends, a phase diagram. */
#include "kks_impl.h"
#include <math.h>
#include <stdlib.h>

bool mt_kks_follows(const MtKksModel *m) {
  if (m->diagram.n > 0) return true;
  for (int k = 0; k < 2; k++) {
    const MtKksPhase *p = &m->phase[k];
    if (p->entropy[0] != 0 || p->entropy[1] != 0 || mt_free_energy_follows(&p->f)) return true;
  }
  return false;
}

void mt_kks_diagram_at(const MtKksDiagram *d, double T, double c[2]) {
  for (int k = 0; k < 2; k++) c[k] = mt_polyline(d->n, d->T, d->c[k], T);
}

/* The line that, added to phase 1, makes the common tangent touch both phases there. */
static void touch(MtKksPhase phase[2], const double c[2]) {
  double f[2][3];
  mt_kks_phase_at(&phase[0], c[0], f[0]);
  mt_free_energy_at(&phase[1].f, c[1], f[1]);
  const double slope = f[0][1] - f[1][1], value = f[0][0] + f[0][1] * (c[1] - c[0]) - f[1][0];
  phase[1].tilt[0] = value - slope * c[1];
  phase[1].tilt[1] = phase[1].tilt[0] + slope;
}

static void find_equilibrium(MtKksModel *m) {
  const MtKksDiagram *d = &m->diagram;
  if (d->n == 0 && mt_kks_equilibrium(m, &m->equilibrium) == 1) return;
  for (int k = 0; k < 2; k++) {
    double f[3];
    if (d->n == 0) m->equilibrium.c[k] = NAN; /* no step can be made there */
    mt_kks_phase_at(&m->phase[k], m->equilibrium.c[k], f);
    m->equilibrium.curvature[k] = f[2];
  }
}

void mt_kks_heated(const MtKksModel *m, double T, MtKksModel *now) {
  *now = *m;
  for (int k = 0; k < 2; k++) {
    MtKksPhase *p = &now->phase[k];
    p->f = mt_free_energy_heated(&m->phase[k].f, T);
    for (int i = 0; i < 2; i++)
      if (p->entropy[i] != 0) p->tilt[i] -= p->entropy[i] * (T - m->reference);
  }
  if (m->diagram.n > 0) {
    mt_kks_diagram_at(&m->diagram, T, now->equilibrium.c);
    touch(now->phase, now->equilibrium.c);
  }
  if (m->rate == 0) find_equilibrium(now);
}

static double temperature(const MtKks *k, double t) {
  return k->model->program ? mt_program_at(k->model->program, t) : NAN;
}

void mt_kks_set_time(MtKks *k, double t) {
  const double T = temperature(k, t);
  if (!k->model->program || !mt_kks_follows(k->model))
    k->now = *k->model;
  else if (T != k->T_now)
    mt_kks_heated(k->model, T, &k->now);
  k->T_now = T;
  for (int p = 0; p < 2; p++) k->D[p] = k->now.phase[p].D0 * mt_arrhenius(k->now.phase[p].Q, T);
  k->rate =
      k->now.rate > 0 ? k->now.rate * mt_arrhenius(k->now.activation, T) : mt_kks_local_equilibrium(&k->now, k->D);
}

double mt_kks_rate_at(MtKks *k, double t) {
  mt_kks_set_time(k, t);
  return k->rate;
}

void mt_kks_equilibrium_at(MtKks *k, double t, double c[2]) {
  mt_kks_set_time(k, t);
  for (int i = 0; i < 2; i++) c[i] = k->now.equilibrium.c[i];
}

/* The energy without gradients of a state, sum of w f, under both models. */
static PetscErrorCode difference(const MtKks *k, const MtKksModel *before, const MtKksModel *after, double *added) {
  const double none[2] = {0, 0};
  const PetscScalar *phi, *c, *w;
  double sum = 0;
  MtKksPoint a = {.f = 0}, b = a;
  PetscCall(VecGetArrayRead(k->field[MT_KKS_PHI].c[0], &phi));
  PetscCall(VecGetArrayRead(k->field[MT_KKS_C].c[0], &c));
  PetscCall(VecGetArrayRead(k->w, &w));
  for (PetscInt i = 0; i < k->domain->n_owned; i++) {
    const bool found = mt_kks_at(before, none, phi[i], c[i], &a) && mt_kks_at(after, none, phi[i], c[i], &b);
    sum += found ? w[i] * (b.f - a.f) : INFINITY; /* then the step has no points either */
  }
  PetscCall(VecRestoreArrayRead(k->w, &w));
  PetscCall(VecRestoreArrayRead(k->field[MT_KKS_C].c[0], &c));
  PetscCall(VecRestoreArrayRead(k->field[MT_KKS_PHI].c[0], &phi));
  PetscCallMPI(MPI_Allreduce(&sum, added, 1, MPI_DOUBLE, MPI_SUM, k->domain->comm));
  *added /= k->volume;
  return 0;
}

PetscErrorCode mt_kks_heat(const MtKks *k, double from, double to, double *added) {
  const double T[2] = {temperature(k, from), temperature(k, to)};
  MtKksModel m = *k->model, before, after;
  *added = 0;
  if (!m.program || T[0] == T[1] || !mt_kks_follows(&m)) return 0;
  m.rate = 1; /* of no account: no search for an equilibrium */
  mt_kks_heated(&m, T[0], &before);
  mt_kks_heated(&m, T[1], &after);
  return difference(k, &before, &after, added);
}
