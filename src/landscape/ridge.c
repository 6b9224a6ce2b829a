/* Ridge regression in the space of the samples: the products of centred features of some samples are diagonalized once,
 * and every penalty and every permutation of the terms costs a product with the eigenvectors. */
#include "magtwin/error.h"
#include "magtwin/landscape.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <math.h>
#include <petscblaslapack.h>

enum { PENALTIES = 25 };

/* Samples that are fitted: their centred products in eigenvectors. */
typedef struct {
  int n, *sample;   /* [n] owned */
  double *mu, *V;   /* [n] eigenvalues ascending, vector a at V[a n]; owned */
  double *column;   /* [n] mean of each column of the products; owned */
  double mean;      /* of all products */
  double *z, *work; /* [n] owned */
} Fit;

static void fit_free(Fit *f) {
  free(f->sample);
  free(f->mu);
  free(f->V);
  free(f->column);
  free(f->z);
  free(f->work);
}

static void center(Fit *f, int n, const double *K) {
  for (int a = 0; a < f->n; a++) {
    f->column[a] = 0;
    for (int b = 0; b < f->n; b++) f->column[a] += K[(size_t)f->sample[b] * (size_t)n + (size_t)f->sample[a]] / f->n;
    f->mean += f->column[a] / f->n;
  }
  for (int a = 0; a < f->n; a++)
    for (int b = 0; b < f->n; b++)
      f->V[(size_t)a * (size_t)f->n + (size_t)b] =
          K[(size_t)f->sample[a] * (size_t)n + (size_t)f->sample[b]] - f->column[a] - f->column[b] + f->mean;
}

/* held [n]: samples left out; NULL: none. */
static PetscErrorCode fit_make(int n, const double *K, const bool *held, Fit *f) {
  const size_t room = (size_t)n;
  *f = (Fit){.sample = mt_malloc(room * sizeof(int)), .mu = mt_malloc(room * sizeof(double))};
  f->column = mt_malloc(room * sizeof *f->column);
  f->z = mt_malloc(room * sizeof *f->z);
  f->work = mt_malloc(room * sizeof *f->work);
  for (int s = 0; s < n; s++)
    if (!held || !held[s]) f->sample[f->n++] = s;
  f->V = mt_malloc((size_t)f->n * (size_t)f->n * sizeof *f->V);
  center(f, n, K);
  PetscBLASInt size = f->n, space = 64 * size, info = 0;
  double *work = mt_malloc((size_t)space * sizeof *work);
  LAPACKsyev_("V", "U", &size, f->V, &size, f->mu, work, &space, &info);
  free(work);
  return info ? mt_error(MT_ERR_FAIL, "the products of %d samples were not diagonalized (LAPACK %d)", f->n, (int)info)
              : 0;
}

static double shrink(double mu, double lambda) {
  return fmax(mu, 0) / (fmax(mu, 0) + lambda);
}

/* Generalized cross-validation of a penalty; the mean counts as a parameter. */
static double validate(const Fit *f, double lambda) {
  double rest = 0, freedom = f->n - 1;
  for (int a = 0; a < f->n; a++) {
    const double d = shrink(f->mu[a], lambda);
    rest += (1 - d) * (1 - d) * f->z[a] * f->z[a];
    freedom -= d;
  }
  return rest / (freedom * freedom);
}

static double choose_penalty(const Fit *f) {
  const double top = fmax(f->mu[f->n - 1], 1e-300);
  double best = top, least = INFINITY;
  for (int i = 0; i < PENALTIES; i++) {
    const double lambda = top * pow(10, -10 + .5 * i), value = validate(f, lambda);
    if (value < least) least = value, best = lambda;
  }
  return best;
}

/* y of the samples of f by their place; alpha [f->n], the mean, the penalty. */
static double solve(Fit *f, const double *y, double *mean, double *alpha) {
  *mean = 0;
  for (int b = 0; b < f->n; b++) *mean += y[b] / f->n;
  for (int a = 0; a < f->n; a++) {
    f->z[a] = 0;
    for (int b = 0; b < f->n; b++) f->z[a] += f->V[(size_t)a * (size_t)f->n + (size_t)b] * (y[b] - *mean);
  }
  const double lambda = choose_penalty(f);
  for (int b = 0; b < f->n; b++) alpha[b] = 0;
  for (int a = 0; a < f->n; a++) {
    const double weight = f->z[a] / (fmax(f->mu[a], 0) + lambda);
    for (int b = 0; b < f->n; b++) alpha[b] += weight * f->V[(size_t)a * (size_t)f->n + (size_t)b];
  }
  return lambda;
}

static double predict(const Fit *f, int n, const double *K, int s, double mean, const double *alpha) {
  double row = 0, sum = mean;
  for (int b = 0; b < f->n; b++) row += K[(size_t)s * (size_t)n + (size_t)f->sample[b]] / f->n;
  for (int b = 0; b < f->n; b++)
    sum += alpha[b] * (K[(size_t)s * (size_t)n + (size_t)f->sample[b]] - row - f->column[b] + f->mean);
  return sum;
}

typedef struct {
  const MtRegressionOptions *o;
  int n, terms;
  const double *K, *y;
  int *fold;   /* [n] in which each sample is held out */
  int *order;  /* [n] of this permutation */
  double *sum; /* [folds][1 + permutations][terms][2] squares of errors, squares about the mean */
} Job;

/* Order p of the samples: 0 as they are. */
static void permute(const Job *j, int p) {
  MtRandom r;
  uint64_t seed = j->o->seed + 0x9e3779b97f4a7c15u * (uint64_t)p;
  mt_random_seed(&r, mt_splitmix64(&seed));
  for (int s = 0; s < j->n; s++) j->order[s] = s;
  for (int s = j->n - 1; s > 0 && p; s--) {
    const int t = (int)(mt_random_uniform(&r) * (s + 1)), swap = j->order[s];
    j->order[s] = j->order[t];
    j->order[t] = swap;
  }
}

static void score_fold(const Job *j, Fit *f, int fold, int term, double *sum) {
  double mean, *alpha = mt_malloc((size_t)f->n * sizeof *alpha);
  for (int b = 0; b < f->n; b++) f->work[b] = j->y[(size_t)j->order[f->sample[b]] * (size_t)j->terms + (size_t)term];
  solve(f, f->work, &mean, alpha);
  for (int s = 0; s < j->n; s++) {
    if (j->fold[s] != fold) continue;
    const double y = j->y[(size_t)j->order[s] * (size_t)j->terms + (size_t)term],
                 error = y - predict(f, j->n, j->K, s, mean, alpha);
    sum[0] += error * error;
    sum[1] += (y - mean) * (y - mean);
  }
  free(alpha);
}

static PetscErrorCode do_fold(const Job *j, int fold) {
  Fit f;
  bool *held = mt_malloc((size_t)j->n * sizeof *held);
  const int tries = 1 + j->o->permutations;
  for (int s = 0; s < j->n; s++) held[s] = j->fold[s] == fold;
  PetscErrorCode rc = fit_make(j->n, j->K, held, &f);
  for (int p = 0; p < tries && !rc; p++) {
    permute(j, p);
    for (int t = 0; t < j->terms; t++)
      score_fold(j, &f, fold, t,
                 j->sum + 2 * (((size_t)fold * (size_t)tries + (size_t)p) * (size_t)j->terms + (size_t)t));
  }
  fit_free(&f);
  free(held);
  return rc;
}

static void make_folds(const Job *j) {
  permute(j, j->o->blocks ? 0 : -1); /* -1: an order of its own */
  for (int s = 0; s < j->n; s++)
    j->fold[j->order[s]] = j->o->blocks ? (int)((int64_t)s * j->o->folds / j->n) : s % j->o->folds;
}

static double score_of(const Job *j, int p, int term) {
  const size_t tries = 1 + (size_t)j->o->permutations;
  double error = 0, square = 0;
  for (int f = 0; f < j->o->folds; f++) {
    const double *sum = j->sum + 2 * (((size_t)f * tries + (size_t)p) * (size_t)j->terms + (size_t)term);
    error += sum[0], square += sum[1];
  }
  return square > 0 ? 1 - error / square : NAN;
}

static void judge(const Job *j, MtRegression *r) {
  for (int t = 0; t < j->terms; t++) {
    int as_good = 1;
    r[t].score = score_of(j, 0, t);
    r[t].permuted = j->o->permutations ? 0 : NAN;
    for (int p = 1; p <= j->o->permutations; p++) {
      const double score = score_of(j, p, t);
      as_good += score >= r[t].score;
      r[t].permuted += score / j->o->permutations;
    }
    const bool known = j->o->permutations && isfinite(r[t].score); /* not of a term that never changes */
    r[t].chance = known ? as_good / (1. + j->o->permutations) : NAN;
  }
}

/* The fit to all samples, on rank 0. */
static PetscErrorCode fit_all(MPI_Comm comm, const Job *j, MtRegression *r, double *alpha) {
  int rank;
  Fit f = {0};
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) rc = fit_make(j->n, j->K, NULL, &f);
  double mean, *a = mt_malloc((size_t)j->n * sizeof *a);
  for (int t = 0; t < j->terms && !rank && !rc; t++) {
    for (int s = 0; s < j->n; s++) f.work[s] = j->y[(size_t)s * (size_t)j->terms + (size_t)t];
    r[t].lambda = solve(&f, f.work, &mean, a);
    for (int s = 0; s < j->n; s++) alpha[(size_t)s * (size_t)j->terms + (size_t)t] = a[s];
  }
  free(a);
  fit_free(&f);
  PetscCall(mt_agree_root(comm, rc));
  PetscCallMPI(MPI_Bcast(alpha, j->n * j->terms, MPI_DOUBLE, 0, comm));
  for (int t = 0; t < j->terms; t++) PetscCallMPI(MPI_Bcast(&r[t].lambda, 1, MPI_DOUBLE, 0, comm));
  return 0;
}

PetscErrorCode mt_regression(MPI_Comm comm, const MtRegressionOptions *o, int n, const double *K, int terms,
                             const double *y, MtRegression *r, double *alpha) {
  int rank, ranks;
  if (n < 4 || n < o->folds)
    return mt_error(MT_ERR_INPUT, "%d samples are too few for a regression in %d folds", n, o->folds);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  const size_t sums = 2 * (size_t)o->folds * (1 + (size_t)o->permutations) * (size_t)terms;
  Job j = {o,
           n,
           terms,
           K,
           y,
           mt_malloc((size_t)n * sizeof(int)),
           mt_malloc((size_t)n * sizeof(int)),
           mt_calloc(sums, sizeof(double))};
  PetscErrorCode rc = 0;
  make_folds(&j);
  for (int f = rank; f < o->folds && !rc; f += ranks) rc = do_fold(&j, f);
  rc = mt_agree(comm, rc);
  if (!rc) rc = MPI_Allreduce(MPI_IN_PLACE, j.sum, (int)sums, MPI_DOUBLE, MPI_SUM, comm);
  if (!rc) judge(&j, r);
  if (!rc) rc = fit_all(comm, &j, r, alpha);
  free(j.fold);
  free(j.order);
  free(j.sum);
  return rc;
}
