/* An ensemble Kalman smoother without derivatives: all snapshots are taken in at once, again and again with a part of
 * their weight (multiple data assimilation: A. A. Emerick, A. C. Reynolds, Comput. Geosci. 55 (2013) 3), the parts
 * 1/alpha chosen by how much the misfit can bear (M. A. Iglesias, Y. Yang, Inverse Problems 37 (2021) 025008) until
 * they add up to 1.  No noise is drawn: mean and anomalies are moved by the symmetric square root of the ensemble
 * transform filter (B. R. Hunt, E. J. Kostelich, I. Szunyogh, Physica D 230 (2007) 112).
 *
 * Groups of ranks hold the same domain, distributed alike, and compute members at the same time; a member's field goes
 * to the other groups rank by rank for the products of all pairs. */
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include "magtwin/run.h"
#include <math.h>
#include <string.h>

enum { TRIES = 6 };
static const double DONE = 1 - 1e-12;
static const double SHRINK =
    30; /* variances fall by 1 + this at most, so that the model is nearly linear where it is used */

typedef struct {
  MtInvert *v;
  int n, m, s;      /* members, of this group, snapshots */
  int first;        /* of this group's members */
  Vec *field;       /* [m s] computed snapshots, later (computed - mean)/sigma, 0 where nothing is seen */
  Vec *mean;        /* [s]; later (observed - mean)/sigma */
  Vec guest;        /* a field of another group */
  double *misfit;   /* [n] */
  double *gram, *b; /* [n n] and [n] products of the anomalies; with the mean's distance */
} Ensemble;

static double *member(const Ensemble *e, int j) {
  return e->v->member + (size_t)j * (size_t)e->v->twin.n;
}

static Vec field(const Ensemble *e, int j, int k) {
  return e->field[(j - e->first) * e->s + k];
}

static int owner(const Ensemble *e, int j) {
  int64_t start, n;
  int g = 0;
  for (mt_slab(e->n, g, e->v->ngroups, &start, &n); j >= start + n; mt_slab(e->n, g, e->v->ngroups, &start, &n)) g++;
  return g;
}

static PetscErrorCode create(MtInvert *v, Ensemble *e) {
  int64_t start, n;
  *e = (Ensemble){.v = v, .n = v->opt.members, .s = v->twin.seen.n};
  mt_slab(e->n, v->mine, v->ngroups, &start, &n);
  e->first = (int)start;
  e->m = (int)n;
  PetscCall(PetscCalloc1(e->n, &e->misfit));
  PetscCall(PetscCalloc1(e->n * e->n, &e->gram));
  PetscCall(PetscCalloc1(e->n, &e->b));
  PetscCall(VecDuplicateVecs(v->twin.start, e->m * e->s, &e->field));
  PetscCall(VecDuplicateVecs(v->twin.start, e->s, &e->mean));
  return VecDuplicate(v->twin.start, &e->guest);
}

static PetscErrorCode destroy(Ensemble *e) {
  PetscCall(VecDestroyVecs(e->m * e->s, &e->field));
  PetscCall(VecDestroyVecs(e->s, &e->mean));
  PetscCall(PetscFree(e->misfit));
  PetscCall(PetscFree(e->gram));
  PetscCall(PetscFree(e->b));
  return VecDestroy(&e->guest);
}

/* The first ensemble: the prior, within the bounds. */
static void draw(MtInvert *v) {
  for (int j = 0; j < v->opt.members; j++)
    for (int i = 0; i < v->twin.n; i++) {
      const MtUnknown *u = &v->twin.unknown[i];
      const double low = mt_unknown_theta(u, u->low), high = mt_unknown_theta(u, u->high);
      const double deviation = u->deviation > 0 ? fmin(u->deviation, high - low) : .25 * (high - low);
      uint64_t key = v->opt.seed;
      MtRandom r;
      mt_random_seed(&r, mt_splitmix64(&key) ^ (uint64_t)(MT_UNKNOWNS * j + i));
      double *theta = &v->member[j * v->twin.n + i];
      do *theta = u->prior + deviation * mt_random_normal(&r);
      while (*theta < low || *theta > high);
    }
}

static void mean_of(const MtInvert *v, double *mean, double *covariance) {
  const int n = v->twin.n, members = v->opt.members;
  for (int i = 0; i < n; i++) {
    mean[i] = 0;
    for (int j = 0; j < members; j++) mean[i] += v->member[j * n + i] / members;
  }
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++) {
      covariance[i * n + k] = 0;
      for (int j = 0; j < members; j++)
        covariance[i * n + k] += (v->member[j * n + i] - mean[i]) * (v->member[j * n + k] - mean[k]) / (members - 1);
    }
}

/* The model at member j; where it cannot be computed, at half the way to the mean. */
static PetscErrorCode run_member(Ensemble *e, int j, const double *mean) {
  MtTwin *w = &e->v->twin;
  double *theta = member(e, j), misfit;
  for (int attempt = 0;; attempt++) {
    PetscCall(mt_twin_set(w, theta));
    PetscErrorCode rc = mt_twin_record(w, &misfit, e->field + (size_t)(j - e->first) * (size_t)e->s);
    if (!rc) break;
    if (rc != MT_ERR_FAIL || attempt == TRIES) return rc;
    mt_error_clear();
    for (int i = 0; i < w->n; i++) theta[i] = .5 * (theta[i] + mean[i]);
  }
  int rank;
  PetscCallMPI(MPI_Comm_rank(w->comm, &rank));
  e->misfit[j] = rank == 0 ? misfit : 0;
  return 0;
}

/* Members may have moved where the model could not be computed. */
static PetscErrorCode share_members(Ensemble *e) {
  int rank;
  const int n = e->v->twin.n;
  PetscCallMPI(MPI_Comm_rank(e->v->group, &rank));
  for (int j = 0; j < e->n; j++)
    if (rank || owner(e, j) != e->v->mine)
      for (int i = 0; i < n; i++) member(e, j)[i] = 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, e->v->member, e->n * n, MPI_DOUBLE, MPI_SUM, e->v->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, e->misfit, e->n, MPI_DOUBLE, MPI_SUM, e->v->comm));
  return 0;
}

static PetscErrorCode run_all(Ensemble *e, bool *stopped) {
  const MtInvertMark *m = &e->v->mark;
  PetscErrorCode rc = 0;
  memset(e->misfit, 0, (size_t)e->n * sizeof(double));
  *stopped = false;
  for (int j = e->first; j < e->first + e->m && !rc && !*stopped; j++) {
    mt_progress("assimilation %.0f  member %d of %d (%d groups)  %.3g of the misfit taken in", m->iteration,
                j - e->first + 1, e->m, e->v->ngroups, m->share);
    rc = run_member(e, j, m->theta);
    *stopped = !rc && mt_stop_agreed(e->v->group);
  }
  rc = mt_agree(e->v->comm, rc);
  if (rc) return rc;
  int any = *stopped;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT, MPI_MAX, e->v->comm));
  *stopped = any;
  return any ? 0 : share_members(e);
}

/* Scaled by 1/sigma, 0 where nothing was seen: v -= mean. */
static PetscErrorCode scale(const MtSnapshots *s, int k, Vec x, Vec mean, double sign) {
  const PetscScalar *seen, *b;
  PetscScalar *a;
  PetscInt n;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayRead(s->value[k], &seen));
  PetscCall(VecGetArrayRead(mean, &b));
  PetscCall(VecGetArray(x, &a));
  for (PetscInt i = 0; i < n; i++) a[i] = isnan(seen[i]) ? 0 : sign * (a[i] - b[i]) / s->sigma;
  PetscCall(VecRestoreArray(x, &a));
  PetscCall(VecRestoreArrayRead(mean, &b));
  return VecRestoreArrayRead(s->value[k], &seen);
}

static PetscErrorCode make_anomalies(Ensemble *e) {
  const MtSnapshots *s = &e->v->twin.seen;
  for (int k = 0; k < e->s; k++) {
    PetscScalar *a;
    PetscInt n;
    PetscCall(VecZeroEntries(e->mean[k]));
    for (int j = 0; j < e->m; j++) PetscCall(VecAXPY(e->mean[k], 1. / e->n, e->field[j * e->s + k]));
    PetscCall(VecGetLocalSize(e->mean[k], &n));
    PetscCall(VecGetArray(e->mean[k], &a));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, a, (PetscMPIInt)n, MPIU_SCALAR, MPI_SUM, e->v->cross));
    PetscCall(VecRestoreArray(e->mean[k], &a));
    for (int j = 0; j < e->m; j++) PetscCall(scale(s, k, e->field[j * e->s + k], e->mean[k], 1));
    PetscCall(scale(s, k, e->mean[k], s->value[k], -1));
  }
  return 0;
}

static PetscErrorCode local_product(Vec x, Vec y, double *sum) {
  const PetscScalar *a, *b;
  PetscInt n;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayRead(x, &a));
  PetscCall(VecGetArrayRead(y, &b));
  for (PetscInt i = 0; i < n; i++) *sum += a[i] * b[i];
  PetscCall(VecRestoreArrayRead(y, &b));
  return VecRestoreArrayRead(x, &a);
}

/* Member j goes to all groups, which multiply it by theirs. */
static PetscErrorCode multiply(Ensemble *e, int j) {
  const int from = owner(e, j);
  for (int k = 0; k < e->s; k++) {
    PetscScalar *a;
    PetscInt n;
    if (from == e->v->mine) PetscCall(VecCopy(field(e, j, k), e->guest));
    PetscCall(VecGetLocalSize(e->guest, &n));
    PetscCall(VecGetArray(e->guest, &a));
    PetscCallMPI(MPI_Bcast(a, (PetscMPIInt)n, MPIU_SCALAR, from, e->v->cross));
    PetscCall(VecRestoreArray(e->guest, &a));
    for (int i = 0; i < e->m; i++)
      PetscCall(local_product(e->guest, field(e, e->first + i, k), &e->gram[j * e->n + e->first + i]));
    if (from == e->v->mine) PetscCall(local_product(e->guest, e->mean[k], &e->b[j]));
  }
  return 0;
}

static PetscErrorCode make_products(Ensemble *e) {
  memset(e->gram, 0, (size_t)e->n * (size_t)e->n * sizeof(double));
  memset(e->b, 0, (size_t)e->n * sizeof(double));
  for (int j = 0; j < e->n; j++) PetscCall(multiply(e, j));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, e->gram, e->n * e->n, MPI_DOUBLE, MPI_SUM, e->v->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, e->b, e->n, MPI_DOUBLE, MPI_SUM, e->v->comm));
  return 0;
}

/* The part of the data's weight that is taken in now. */
static double choose_part(const Ensemble *e, double *mean) {
  const double values = e->v->twin.seen.count;
  double variance = 0;
  *mean = 0;
  for (int j = 0; j < e->n; j++) *mean += e->misfit[j] / e->n;
  for (int j = 0; j < e->n; j++) variance += pow(e->misfit[j] - *mean, 2) / (e->n - 1);
  return fmin(fmax(values / (2 * *mean), sqrt(values / (2 * variance))), 1 - e->v->mark.share);
}

/* theta_j <- mean + sum_i (theta_i - mean) (w_i + T_ij): G = gram part/(n - 1) = Q diag(l) Q', T = Q (1 + l)^-1/2 Q',
 * w = Q (1 + l)^-1 Q' b part/(n - 1). */
static void transform(Ensemble *e, double *part) {
  const int n = e->n, p = e->v->twin.n;
  double *l = mt_calloc((size_t)n, sizeof *l), *T = mt_calloc((size_t)n * (size_t)n, sizeof *T),
         *old = mt_calloc((size_t)n * (size_t)p, sizeof *old), mean[MT_UNKNOWNS];
  mt_symmetric_eigen(n, e->gram, l); /* rows of gram: eigenvectors */
  *part = fmin(*part, SHRINK * (n - 1) / l[n - 1]);
  for (int k = 0; k < n; k++) {
    const double *q = e->gram + (size_t)k * (size_t)n, more = 1 + fmax(0, l[k]) * *part / (n - 1);
    double along = 0;
    for (int i = 0; i < n; i++) along += q[i] * e->b[i] * *part / (n - 1);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) T[i * n + j] += q[i] * (q[j] / sqrt(more) + along / more);
  }
  memcpy(old, e->v->member, (size_t)(n * p) * sizeof *old);
  for (int i = 0; i < p; i++) {
    mean[i] = 0;
    for (int j = 0; j < n; j++) mean[i] += old[j * p + i] / n;
  }
  for (int j = 0; j < n; j++)
    for (int i = 0; i < p; i++) {
      double sum = mean[i];
      for (int k = 0; k < n; k++) sum += (old[k * p + i] - mean[i]) * T[k * n + j];
      member(e, j)[i] = sum;
    }
  free(l);
  free(T);
  free(old);
}

static void keep_bounds(MtInvert *v) {
  for (int j = 0; j < v->opt.members; j++)
    for (int i = 0; i < v->twin.n; i++) {
      const MtUnknown *u = &v->twin.unknown[i];
      double *theta = &v->member[j * v->twin.n + i];
      *theta = fmin(fmax(*theta, mt_unknown_theta(u, u->low)), mt_unknown_theta(u, u->high));
    }
}

static PetscErrorCode add_row(Ensemble *e, double misfit, const MtPosterior *p) {
  MtInvert *v = e->v;
  double count[5];
  PetscCall(mt_invert_counts(v, count));
  const MtInvertRow row = {.iteration = v->mark.iteration,
                           .round = v->mark.share,
                           .misfit = misfit,
                           .per_value = 2 * misfit / v->twin.seen.count,
                           .distance = NAN,
                           .runs = count[0],
                           .newton = count[3]};
  return mt_invert_add_row(v, &row, v->mark.theta, p->deviation);
}

static PetscErrorCode assimilate(Ensemble *e, MtPosterior *p) {
  MtInvert *v = e->v;
  double misfit;
  double part = choose_part(e, &misfit);
  PetscErrorCode rc = add_row(e, misfit, p);
  if (rc) return rc;
  PetscCall(make_anomalies(e));
  PetscCall(make_products(e));
  if (v->rank == 0) transform(e, &part);
  PetscCallMPI(MPI_Bcast(&part, 1, MPI_DOUBLE, 0, v->comm));
  keep_bounds(v);
  PetscCallMPI(MPI_Bcast(v->member, e->n * v->twin.n, MPI_DOUBLE, 0, v->comm));
  v->mark.share += part;
  v->mark.iteration++;
  mean_of(v, v->mark.theta, p->covariance);
  mt_posterior_look(&v->twin, p);
  return mt_invert_save(v);
}

/* What the mean of the last ensemble leaves, as the last line. */
static PetscErrorCode last_row(Ensemble *e, const MtPosterior *p) {
  double misfit;
  PetscCall(mt_twin_set(&e->v->twin, e->v->mark.theta));
  PetscErrorCode rc = mt_agree(e->v->comm, mt_twin_record(&e->v->twin, &misfit, NULL));
  return rc ? rc : add_row(e, misfit, p);
}

PetscErrorCode mt_invert_ensemble(MtInvert *v, MtPosterior *p, bool *stopped) {
  Ensemble e;
  PetscErrorCode rc = 0;
  PetscCall(create(v, &e));
  if (v->mark.iteration == 0) draw(v);
  mean_of(v, v->mark.theta, p->covariance);
  mt_posterior_look(&v->twin, p);
  const bool done = v->mark.share >= DONE;
  while (v->mark.share < DONE && v->mark.iteration < v->opt.iterations && !rc && !*stopped) {
    rc = run_all(&e, stopped);
    if (!rc && !*stopped) rc = assimilate(&e, p);
  }
  mt_progress_end();
  if (!rc && !*stopped && !done) rc = last_row(&e, p);
  if (!rc && !*stopped && v->mark.share < DONE)
    mt_warn("after %d assimilations only %.3g of the misfit has been taken in: the estimate is not that of the "
            "snapshots yet",
            v->opt.iterations, v->mark.share);
  PetscCall(destroy(&e));
  return rc;
}
