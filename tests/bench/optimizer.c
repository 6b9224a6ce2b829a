/* optimizer PROBLEM EVALUATIONS FIRST_SEED SEEDS [BATCH]: searches of test functions through the library.  A line a
 * seed: seed, with BATCH so many points at a time, told when all are done; what is reached after EVALUATIONS (smallest
 * value; of several goals the share of the hypervolume), processor seconds; and, with `suggest`, the wall time of a
 * suggestion from EVALUATIONS points in 10 dimensions. */
#include "magtwin/error.h"
#include "magtwin/optimize.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* L. C. W. Dixon, G. P. Szego, Towards Global Optimisation 2 (1978); smallest value 0.397887. */
static void branin(const double *x, double *y) {
  const double pi = acos(-1), a = x[1] - 5.1 / (4 * pi * pi) * x[0] * x[0] + 5 / pi * x[0] - 6;
  y[0] = a * a + 10 * (1 - 1 / (8 * pi)) * cos(x[0]) + 10;
}

/* The same book; smallest value -3.32237. */
static void hartmann6(const double *x, double *y) {
  static const double alpha[4] = {1, 1.2, 3, 3.2};
  static const double a[4][6] = {
      {10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}};
  static const double p[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                                 {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                                 {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                                 {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
  y[0] = 0;
  for (int i = 0; i < 4; i++) {
    double s = 0;
    for (int j = 0; j < 6; j++) s += a[i][j] * (x[j] - p[i][j]) * (x[j] - p[i][j]);
    y[0] -= alpha[i] * exp(-s);
  }
}

/* ZDT1 in 4 variables: front f2 = 1 - sqrt(f1), x2 = x3 = x4 = 0.  E. Zitzler, K. Deb, L. Thiele, Evol. Comput. 8, 173
 * (2000). */
static void zdt1(const double *x, double *y) {
  const double g = 1 + 9 * (x[1] + x[2] + x[3]) / 3;
  y[0] = x[0];
  y[1] = g * (1 - sqrt(x[0] / g));
}

/* Two paraboloids in 3 variables, around (.2, .2, .2) and (.8, .8, .8): the front is the line between them. */
static void paraboloids(const double *x, double *y) {
  y[0] = y[1] = 0;
  for (int k = 0; k < 3; k++) {
    y[0] += (x[k] - 0.2) * (x[k] - 0.2);
    y[1] += (x[k] - 0.8) * (x[k] - 0.8);
  }
}

/* DTLZ2 of three goals in 5 variables: the front is the octant of the sphere around the origin.  K. Deb, L. Thiele, M.
 * Laumanns, E. Zitzler, CEC 2002, 825. */
static void dtlz2(const double *x, double *y) {
  const double right = 0.5 * acos(-1);
  double g = 1;
  for (int k = 2; k < 5; k++) g += (x[k] - 0.5) * (x[k] - 0.5);
  y[0] = g * cos(x[0] * right) * cos(x[1] * right);
  y[1] = g * cos(x[0] * right) * sin(x[1] * right);
  y[2] = g * sin(x[0] * right);
}

static double zdt1_front(double f1) {
  return 1 - sqrt(f1);
}

/* f1 = d^2, f2 = (D - d)^2, D^2 = 3 * 0.36 */
static double paraboloids_front(double f1) {
  double d = sqrt(1.08) - sqrt(f1);
  return d * d;
}

typedef struct {
  const char *name;
  int nvars, ngoals;
  double min[2], max[2]; /* of the first two variables; 0 and 1 for the rest */
  void (*value)(const double *x, double *y);
  double reference[3];        /* of several goals */
  double (*front)(double f1); /* of two */
  double end;                 /* of the front in its first value */
} Problem;

static const Problem problems[] = {
    {"branin", 2, 1, {-5, 0}, {10, 15}, branin, {0}, NULL, 0},
    {"hartmann6", 6, 1, {0, 0}, {1, 1}, hartmann6, {0}, NULL, 0},
    {"zdt1", 4, 2, {0, 0}, {1, 1}, zdt1, {1.1, 1.1}, zdt1_front, 1},
    {"paraboloids", 3, 2, {0, 0}, {1, 1}, paraboloids, {1.2, 1.2}, paraboloids_front, 1.08},
    {"dtlz2", 5, 3, {0, 0}, {1, 1}, dtlz2, {1.1, 1.1, 1.1}, NULL, 0},
};

/* Volume between the front and the reference: of the sphere exactly, of two goals by the midpoint rule; f1 beyond the
 * end of the front gains nothing more. */
static double whole_volume(const Problem *q) {
  const int n = 1000000;
  double sum = 0, end = fmin(q->end, q->reference[0]);
  if (q->ngoals == 3) return pow(q->reference[0], 3) - acos(-1) / 6;
  for (int i = 0; i < n; i++) sum += fmax(q->reference[1] - q->front((i + 0.5) * end / n), 0) * end / n;
  return sum + (q->reference[0] - end) * (q->reference[1] - q->front(end));
}

static double reached(const Problem *q, int n, const MtTrial *trial) {
  double best = INFINITY, *y = malloc(sizeof *y * 3 * (size_t)n);
  for (int i = 0; i < n; i++) {
    memcpy(y + q->ngoals * i, trial[i].y, sizeof *y * (size_t)q->ngoals);
    best = fmin(best, trial[i].y[0]);
  }
  if (q->ngoals > 1) best = mt_hypervolume(q->ngoals, n, y, q->reference) / whole_volume(q);
  free(y);
  return best;
}

static PetscErrorCode search(const Problem *q, int n, uint64_t seed, int batch) {
  MtSpace s = {0};
  MtTrial *trial = calloc((size_t)n, sizeof *trial);
  MtProposer p = {
      .ngoals = q->ngoals, .sign = {1, 1, 1}, .initial = 2 * (q->nvars + 1), .budget = n, .seed = seed, .kappa = 2};
  MtProposal how;
  clock_t start = clock();
  if (q->ngoals > 1) {
    p.has_reference = true;
    memcpy(p.reference, q->reference, sizeof q->reference);
  }
  for (int k = 0; k < q->nvars; k++) {
    char name[16];
    snprintf(name, sizeof name, "x%d", k);
    mt_space_add(&s, name, MT_VAR_REAL, k < 2 ? q->min[k] : 0, k < 2 ? q->max[k] : 1, false, 0, NULL);
  }
  for (int i = 0; i < n; i++) {
    trial[i].x = malloc(sizeof(double) * (size_t)q->nvars);
    PetscCall(mt_propose(PETSC_COMM_WORLD, &s, &p, i, trial, trial[i].x, &how));
    q->value(trial[i].x, trial[i].y);
    for (int k = i; (i + 1) % batch == 0 && k > i - batch; k--) trial[k].status = MT_TRIAL_DONE;
  }
  printf("%d %.10g %.3f\n", (int)seed, reached(q, n, trial), (double)(clock() - start) / CLOCKS_PER_SEC);
  fflush(stdout);
  for (int i = 0; i < n; i++) free(trial[i].x);
  free(trial);
  mt_space_free(&s);
  return 0;
}

/* A suggestion from n points of a smooth function in 10 dimensions. */
static PetscErrorCode suggest(int n) {
  MtSpace s = {0};
  MtTrial *trial = calloc((size_t)n, sizeof *trial);
  MtProposer p = {.ngoals = 1, .sign = {1, 1}, .initial = 10, .seed = 1};
  MtProposal how;
  int rank;
  double x[10], u[10];
  char name[16];
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  for (int k = 0; k < 10; k++) {
    snprintf(name, sizeof name, "x%d", k);
    mt_space_add(&s, name, MT_VAR_REAL, 0, 1, false, 0, NULL);
  }
  for (int i = 0; i < n; i++) {
    trial[i].x = malloc(sizeof u);
    mt_sobol(10, 5, (uint32_t)i, trial[i].x);
    trial[i].status = MT_TRIAL_DONE;
    for (int k = 0; k < 10; k++)
      trial[i].y[0] += (k + 1) * pow(trial[i].x[k] - 0.1 * k, 2) + 0.3 * sin(7 * trial[i].x[k]);
  }
  double wall = MPI_Wtime();
  PetscCall(mt_propose(PETSC_COMM_WORLD, &s, &p, n, trial, x, &how));
  wall = MPI_Wtime() - wall;
  if (rank == 0) printf("%d %.3f %.3f\n", n, wall, (double)clock() / CLOCKS_PER_SEC);
  for (int i = 0; i < n; i++) free(trial[i].x);
  free(trial);
  mt_space_free(&s);
  return 0;
}

int main(int argc, char **argv) {
  PetscErrorCode rc = argc < 3;
  if (PetscInitialize(NULL, NULL, NULL, NULL) || mt_error_install()) return 1;
  if (!rc && !strcmp(argv[1], "suggest")) rc = suggest(atoi(argv[2]));
  for (size_t k = 0; argc >= 5 && k < sizeof problems / sizeof *problems; k++)
    for (int i = 0; !rc && !strcmp(argv[1], problems[k].name) && i < atoi(argv[4]); i++)
      rc = search(&problems[k], atoi(argv[2]), (uint64_t)(atoi(argv[3]) + i), argc > 5 ? atoi(argv[5]) : 1);
  return PetscFinalize() || rc;
}
