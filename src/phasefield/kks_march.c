/* March of two phases in time: the steps of march.c for phi and c together. */
#include "bdf2.h"
#include "kks_impl.h"
#include "magtwin/error.h"
#include <math.h>

typedef enum { GOOD, TOO_INEXACT, NOT_SOLVED, OUT_OF_RANGE, ENERGY_ROSE } Verdict;
static const double ROUNDING = 1e-12; /* of the energy, relative to the sum of its parts */

enum { VECTORS = 3 * MT_KKS_FIELDS + 5 * MT_KKS_FIELDS + 7 };

static void list_vectors(MtKks *k, Vec *list[VECTORS]) {
  int n = 0;
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    for (int b = 0; b < 3; b++) list[n++] = &k->state[b][f];
    Vec *const each[] = {&k->next[f], &k->guess[f], &k->base[f], &k->delta[f], &k->residual[f]};
    for (int i = 0; i < 5; i++) list[n++] = each[i];
  }
  Vec *const single[] = {&k->mu, &k->chi, &k->coupling, &k->second, &k->M, &k->work, &k->work2};
  for (int i = 0; i < 7; i++) list[n++] = single[i];
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
  PetscCall(
      VecCreateGhost(d->comm, d->n_owned, PETSC_DETERMINE, d->n_local - d->n_owned, d->row + d->n_owned, &k->spread));
  PetscCall(PetscMalloc1(d->ne, &k->factor));
  PetscCall(VecSum(k->w, &sum));
  k->volume = PetscRealPart(sum);
  return 0;
}

PetscErrorCode mt_kks_create(const MtDomain *domain, const MtKksModel *model, const MtFlowOptions *opt,
                             const MtMarchOptions *march, MtKks **kks) {
  MtKks *k;
  PetscCall(PetscNew(&k));
  *kks = k;
  k->domain = domain;
  k->model = model;
  k->opt = *opt;
  k->march = *march;
  k->scale = model->well;
  PetscCall(mt_domain_operators(domain, &k->K, &k->w));
  PetscCall(MatDuplicate(k->K, MAT_COPY_VALUES, &k->KM));
  PetscCall(make_vectors(k));
  return mt_kks_linear_create(k);
}

PetscErrorCode mt_kks_destroy(MtKks **kks) {
  MtKks *k = *kks;
  Vec *list[VECTORS];
  if (!k) return 0;
  PetscCall(mt_kks_linear_destroy(k));
  list_vectors(k, list);
  for (int i = 0; i < VECTORS; i++) PetscCall(VecDestroy(list[i]));
  PetscCall(VecDestroy(&k->spread));
  PetscCall(VecDestroy(&k->w));
  PetscCall(MatDestroy(&k->K));
  PetscCall(MatDestroy(&k->KM));
  PetscCall(PetscFree(k->factor));
  return PetscFree(*kks);
}

Vec mt_kks_field(MtKks *k, int back, int field) {
  return k->state[back][field];
}

MtMarchState *mt_kks_state(MtKks *k) {
  return &k->s;
}

MtFlowEnergy mt_kks_energy(const MtKks *k) {
  return k->energy;
}

PetscErrorCode mt_kks_means(MtKks *k, double *c, double *share) {
  const PetscScalar *p, *w;
  PetscScalar sum;
  *share = 0;
  PetscCall(VecDot(k->w, k->state[0][MT_KKS_C], &sum));
  *c = PetscRealPart(sum) / k->volume;
  PetscCall(VecGetArrayRead(k->state[0][MT_KKS_PHI], &p));
  PetscCall(VecGetArrayRead(k->w, &w));
  for (PetscInt i = 0; i < k->domain->n_owned; i++) {
    const double x = fmin(fmax(p[i], 0), 1);
    *share += w[i] * x * x * x * (10 + x * (6 * x - 15)) / k->volume;
  }
  PetscCall(VecRestoreArrayRead(k->w, &w));
  PetscCall(VecRestoreArrayRead(k->state[0][MT_KKS_PHI], &p));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, share, 1, MPI_DOUBLE, MPI_SUM, k->domain->comm));
  return 0;
}

PetscErrorCode mt_kks_start(MtKks *k, double t) {
  double share;
  k->s = (MtMarchState){.t = t, .dt = k->march.first};
  PetscCall(mt_kks_means(k, &k->s.mean0, &share));
  PetscCall(mt_kks_rate(k, t));
  return mt_kks_continue(k);
}

PetscErrorCode mt_kks_continue(MtKks *k) {
  return mt_kks_measure(k, k->s.t, k->state[0][MT_KKS_PHI], k->state[0][MT_KKS_C], &k->energy);
}

/* The node where |v| of both fields is largest; there the values of `at`.  Collective. */
static PetscErrorCode worst_node(MtKks *k, const Vec v[], const Vec at[], double *largest) {
  const MtDomain *d = k->domain;
  struct {
    double value;
    int rank;
  } best = {-1, 0};
  double record[5] = {0};
  const PetscScalar *a[MT_KKS_FIELDS];
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    PetscInt i;
    PetscReal size;
    PetscCall(VecGetArrayRead(v[f], &a[f]));
    for (i = 0; i < d->n_owned; i++) {
      size = fabs(a[f][i]);
      if (!(size > best.value)) continue;
      best.value = size;
      for (int c = 0; c < 3; c++) record[c] = d->x[3 * i + c];
      record[3] = f;
      record[4] = (double)i;
    }
    PetscCall(VecRestoreArrayRead(v[f], &a[f]));
  }
  if (best.value >= 0) {
    const int f = (int)record[3];
    PetscCall(VecGetArrayRead(at[f], &a[f]));
    record[4] = a[f][(PetscInt)record[4]];
    PetscCall(VecRestoreArrayRead(at[f], &a[f]));
  }
  PetscCallMPI(MPI_Comm_rank(d->comm, &best.rank));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &best, 1, MPI_DOUBLE_INT, MPI_MAXLOC, d->comm));
  PetscCallMPI(MPI_Bcast(record, 5, MPI_DOUBLE, best.rank, d->comm));
  *largest = best.value;
  for (int c = 0; c < 3; c++) k->trouble.x[c] = record[c];
  k->trouble.field = (int)record[3];
  k->trouble.value = record[4];
  return 0;
}

/* How far c lies outside its range becomes the guess of it, 0 that of phi. */
static PetscErrorCode in_range(MtKks *k, bool *good) {
  PetscReal low, high;
  double largest;
  *good = true;
  if (isinf(k->march.low) && isinf(k->march.high)) return 0;
  PetscCall(VecMin(k->next[MT_KKS_C], NULL, &low));
  PetscCall(VecMax(k->next[MT_KKS_C], NULL, &high));
  if (low >= k->march.low && high <= k->march.high) return 0;
  *good = false;
  PetscCall(VecZeroEntries(k->guess[MT_KKS_PHI]));
  PetscCall(VecCopy(k->next[MT_KKS_C], k->guess[MT_KKS_C]));
  PetscCall(VecShift(k->guess[MT_KKS_C], -.5 * (fmax(k->march.low, -1e300) + fmin(k->march.high, 1e300))));
  return worst_node(k, k->guess, k->next, &largest);
}

static PetscErrorCode judge(MtKks *k, double h, double part, MtFlowEnergy *e, Verdict *v) {
  bool good;
  PetscCall(in_range(k, &good));
  *v = OUT_OF_RANGE;
  if (!good) return 0;
  for (int f = 0; f < MT_KKS_FIELDS; f++) PetscCall(VecAXPBY(k->guess[f], part, -part, k->next[f]));
  PetscCall(worst_node(k, k->guess, k->next, &k->trouble.error));
  *v = TOO_INEXACT;
  if (k->march.tolerance > 0 && k->trouble.error > k->march.tolerance) return 0;
  PetscCall(mt_kks_measure(k, k->s.t + h, k->next[MT_KKS_PHI], k->next[MT_KKS_C], e));
  *v = e->total > k->energy.total + ROUNDING * (fabs(k->energy.bulk) + k->energy.gradient) ? ENERGY_ROSE : GOOD;
  return 0;
}

static PetscErrorCode combine(Vec out, Vec a, Vec b, Vec c, const double factor[3]) {
  PetscCall(VecCopy(a, out));
  PetscCall(VecScale(out, factor[0]));
  PetscCall(VecAXPY(out, factor[1], b));
  return VecAXPY(out, factor[2], c);
}

static PetscErrorCode try_step(MtKks *k, double h, MtFlowEnergy *e, Verdict *v) {
  const MtBdf2 b = mt_bdf2(h, k->s.h1, k->s.h2);
  const double base[3] = {b.base[0], b.base[1], 0};
  MtFlowSolve how;
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    PetscCall(combine(k->base[f], k->state[0][f], k->state[1][f], k->state[2][f], base));
    PetscCall(combine(k->guess[f], k->state[0][f], k->state[1][f], k->state[2][f], b.guess));
    PetscCall(VecCopy(k->guess[f], k->next[f]));
  }
  k->shift = b.shift;
  PetscCall(mt_kks_solve(k, k->s.t + h, &how));
  k->s.newton += how.newton;
  k->s.linear += how.linear;
  *v = NOT_SOLVED;
  if (!how.converged) return worst_node(k, k->delta, k->state[0], &k->trouble.error);
  return judge(k, h, b.share, e, v);
}

/* The accepted state takes the place of the oldest one; the rate at the beginning stays there for one step more. */
static void accept(MtKks *k, double h, double until, const MtFlowEnergy *e) {
  const bool first = k->s.h1 == 0;
  k->s.dt = k->march.tolerance > 0 ? fmin(mt_bdf2_next(h, k->s.h1, k->trouble.error, k->march.tolerance), k->march.max)
                                   : k->march.first;
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    Vec next = k->next[f];
    k->next[f] = k->state[first ? 1 : 2][f];
    if (!first) k->state[2][f] = k->state[1][f];
    k->state[1][f] = k->state[0][f];
    k->state[0][f] = next;
  }
  k->s.h2 = k->s.h1;
  k->s.h1 = h;
  k->s.t = fabs(k->s.t + h - until) <= 1e-12 * fabs(until) ? until : k->s.t + h;
  k->s.steps++;
  k->energy = *e;
}

static PetscErrorCode give_up(const MtKks *k, Verdict v) {
  static const char *const why[] = {[TOO_INEXACT] = "its error is above the tolerance",
                                    [NOT_SOLVED] = "Newton's method does not converge",
                                    [OUT_OF_RANGE] = "c leaves its range",
                                    [ENERGY_ROSE] = "the energy rises"};
  const double *x = k->trouble.x;
  return mt_error(
      MT_ERR_FAIL,
      "no step of %.3g s or longer can be made at t = %.9g s: %s; worst at (%.6g, %.6g, %.6g) nm, where %s = "
      "%.9g",
      k->march.min, k->s.t, why[v], x[0], x[1], x[2], k->trouble.field == MT_KKS_PHI ? "phi" : "c", k->trouble.value);
}

PetscErrorCode mt_kks_step(MtKks *k, double until) {
  double wanted = k->s.dt;
  for (;;) {
    const double h = mt_bdf2_fit(fmin(wanted, k->march.max), until - k->s.t);
    MtFlowEnergy e;
    Verdict v = NOT_SOLVED;
    PetscCall(try_step(k, h, &e, &v));
    if (v == GOOD) {
      accept(k, h, until, &e);
      return 0;
    }
    k->s.rejected++;
    wanted = k->march.tolerance == 0 ? .5 * h
             : v == TOO_INEXACT      ? mt_bdf2_shorter(h, k->s.h1, k->trouble.error, k->march.tolerance)
                                     : .4 * h;
    if (wanted < k->march.min) return give_up(k, v);
  }
}
