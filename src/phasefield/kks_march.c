/* March of two phases in time, phi and c together. */
#include "kks_impl.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdio.h>

static const double PHI_LOW = -.1, PHI_HIGH = 1.1; /* far from the wells of 0 and 1 it stands for no state */
enum { VECTORS = 2 * MT_KKS_FIELDS + 7 };

static void list_vectors(MtKks *k, Vec *list[VECTORS]) {
  Vec *const all[VECTORS] = {&k->delta[0], &k->delta[1], &k->residual[0], &k->residual[1], &k->mu,   &k->chi,
                             &k->coupling, &k->second,   &k->M,           &k->work,        &k->work2};
  for (int i = 0; i < VECTORS; i++) list[i] = all[i];
}

static PetscErrorCode make_vectors(MtKks *k) {
  const MtDomain *d = k->domain;
  Vec *list[VECTORS];
  PetscScalar sum;
  list_vectors(k, list);
  for (int i = 0; i < VECTORS; i++) {
    PetscCall(VecDuplicate(k->w, list[i]));
    PetscCall(VecZeroEntries(*list[i]));
  }
  for (int f = 0; f < MT_KKS_FIELDS; f++) PetscCall(mt_multistep_create(k->w, &k->field[f]));
  PetscCall(
      VecCreateGhost(d->comm, d->n_owned, PETSC_DETERMINE, d->n_local - d->n_owned, d->row + d->n_owned, &k->spread));
  PetscCall(PetscMalloc1(d->ne, &k->factor));
  PetscCall(VecSum(k->w, &sum));
  k->volume = PetscRealPart(sum);
  return 0;
}

static MtKks *kks_of(MtStepper *s) {
  return (MtKks *)s;
}

static void name(const MtWorst *w, char text[64]) {
  snprintf(text, 64, "%s =",
           w->of == MT_KKS_BAD_POINT ? "the phases have no common potential at c"
           : w->of == MT_KKS_PHI     ? "phi"
                                     : "c");
}

static PetscErrorCode solve(MtStepper *s, const MtBdf2 *b, double t, MtFlowSolve *how) {
  MtKks *k = kks_of(s);
  for (int f = 0; f < MT_KKS_FIELDS; f++) PetscCall(mt_multistep_predict(&k->field[f], b));
  k->shift = b->shift;
  return mt_kks_solve(k, t, how);
}

static PetscErrorCode correction(MtStepper *s, MtWorst *w) {
  const MtKks *k = kks_of(s);
  if (k->lost >= 0) {
    const PetscScalar *c;
    PetscCall(VecGetArrayRead(k->field[MT_KKS_C].next, &c));
    mt_worst_note(w, k->domain, k->lost, INFINITY, c[k->lost], MT_KKS_BAD_POINT);
    PetscCall(VecRestoreArrayRead(k->field[MT_KKS_C].next, &c));
    return 0;
  }
  for (int f = 0; f < MT_KKS_FIELDS; f++) PetscCall(mt_worst_size(w, k->domain, k->delta[f], k->field[f].c[0], f));
  return 0;
}

static PetscErrorCode outside(MtStepper *s, MtWorst *w) {
  const MtKks *k = kks_of(s);
  PetscCall(mt_worst_outside(w, k->domain, k->field[MT_KKS_PHI].next, MT_KKS_PHI, PHI_LOW, PHI_HIGH));
  return mt_worst_outside(w, k->domain, k->field[MT_KKS_C].next, MT_KKS_C, s->opt.low, s->opt.high);
}

static PetscErrorCode error(MtStepper *s, double share, MtWorst *w) {
  MtKks *k = kks_of(s);
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    PetscCall(mt_multistep_error(&k->field[f], share));
    PetscCall(mt_worst_size(w, k->domain, k->field[f].guess, k->field[f].next, f));
  }
  return 0;
}

static PetscErrorCode energy(MtStepper *s, double t, MtFlowEnergy *e) {
  const MtMultistep *field = kks_of(s)->field;
  return mt_kks_measure(kks_of(s), t, field[MT_KKS_PHI].next, field[MT_KKS_C].next, e);
}

static PetscErrorCode heat(MtStepper *s, double t, double *added) {
  return mt_kks_heat(kks_of(s), s->now.t, t, added);
}

static PetscErrorCode accept(MtStepper *s, bool first) {
  for (int f = 0; f < MT_KKS_FIELDS; f++) mt_multistep_accept(&kks_of(s)->field[f], first);
  return 0;
}

static const MtStepperCalls CALLS = {.subject = "the state",
                                     .name = name,
                                     .solve = solve,
                                     .correction = correction,
                                     .outside = outside,
                                     .error = error,
                                     .energy = energy,
                                     .heat = heat,
                                     .accept = accept};

PetscErrorCode mt_kks_create(const MtDomain *domain, const MtKksModel *model, const MtFlowOptions *opt,
                             const MtMarchOptions *march, MtKks **kks) {
  MtKks *k;
  PetscCall(PetscNew(&k));
  *kks = k;
  k->domain = domain;
  k->model = model;
  k->now = *model;
  k->opt = *opt;
  k->stepper = (MtStepper){.call = &CALLS, .comm = domain->comm, .opt = *march, .bounded = true};
  k->scale = model->well;
  PetscCall(mt_domain_operators(domain, &k->K, &k->w));
  PetscCall(MatDuplicate(k->K, MAT_COPY_VALUES, &k->KM));
  PetscCall(make_vectors(k));
  PetscCall(mt_kks_trapping_create(k));
  return mt_kks_linear_create(k);
}

PetscErrorCode mt_kks_destroy(MtKks **kks) {
  MtKks *k = *kks;
  Vec *list[VECTORS];
  if (!k) return 0;
  PetscCall(mt_kks_linear_destroy(k));
  PetscCall(mt_kks_trapping_destroy(k));
  list_vectors(k, list);
  for (int i = 0; i < VECTORS; i++) PetscCall(VecDestroy(list[i]));
  for (int f = 0; f < MT_KKS_FIELDS; f++) PetscCall(mt_multistep_destroy(&k->field[f]));
  PetscCall(VecDestroy(&k->spread));
  PetscCall(VecDestroy(&k->w));
  PetscCall(MatDestroy(&k->K));
  PetscCall(MatDestroy(&k->KM));
  PetscCall(PetscFree(k->factor));
  return PetscFree(*kks);
}

Vec mt_kks_field(MtKks *k, int back, int field) {
  return k->field[field].c[back];
}

MtMarchState *mt_kks_state(MtKks *k) {
  return &k->stepper.now;
}

MtFlowEnergy mt_kks_energy(const MtKks *k) {
  return k->stepper.energy;
}

PetscErrorCode mt_kks_means(MtKks *k, double *c, double *share) {
  const PetscScalar *p, *w;
  PetscScalar sum;
  *share = 0;
  PetscCall(VecDot(k->w, k->field[MT_KKS_C].c[0], &sum));
  *c = PetscRealPart(sum) / k->volume;
  PetscCall(VecGetArrayRead(k->field[MT_KKS_PHI].c[0], &p));
  PetscCall(VecGetArrayRead(k->w, &w));
  for (PetscInt i = 0; i < k->domain->n_owned; i++) {
    const double x = fmin(fmax(p[i], 0), 1);
    *share += w[i] * x * x * x * (10 + x * (6 * x - 15)) / k->volume;
  }
  PetscCall(VecRestoreArrayRead(k->w, &w));
  PetscCall(VecRestoreArrayRead(k->field[MT_KKS_PHI].c[0], &p));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, share, 1, MPI_DOUBLE, MPI_SUM, k->domain->comm));
  return 0;
}

static PetscErrorCode check_points(const MtKks *k) {
  const PetscScalar *phi, *c;
  PetscErrorCode rc = 0;
  if (k->lost < 0) return 0;
  const double *x = k->domain->x + 3 * k->lost;
  PetscCall(VecGetArrayRead(k->field[MT_KKS_PHI].c[0], &phi));
  PetscCall(VecGetArrayRead(k->field[MT_KKS_C].c[0], &c));
  rc = mt_error(MT_ERR_INPUT,
                "at the beginning phi = %g and c = %g at (%g, %g, %g) nm: the phases (kks.phases) have no common "
                "potential there",
                phi[k->lost], c[k->lost], x[0], x[1], x[2]);
  PetscCall(VecRestoreArrayRead(k->field[MT_KKS_C].c[0], &c));
  PetscCall(VecRestoreArrayRead(k->field[MT_KKS_PHI].c[0], &phi));
  return rc;
}

PetscErrorCode mt_kks_start(MtKks *k, double t) {
  double share;
  k->stepper.now = (MtMarchState){.t = t, .dt = k->stepper.opt.first};
  PetscCall(mt_kks_means(k, &k->stepper.now.mean0, &share));
  PetscCall(mt_kks_rate(k, t));
  PetscErrorCode rc = mt_agree(k->domain->comm, check_points(k));
  return rc ? rc : mt_kks_continue(k);
}

PetscErrorCode mt_kks_continue(MtKks *k) {
  return mt_kks_measure(k, k->stepper.now.t, k->field[MT_KKS_PHI].c[0], k->field[MT_KKS_C].c[0], &k->stepper.energy);
}

PetscErrorCode mt_kks_step(MtKks *k, double until) {
  return mt_stepper_step(&k->stepper, until);
}
