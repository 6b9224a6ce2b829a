/* A power diagram fitted to labelled voxels.
 *
 * The cells of a power diagram are argmax_k(a_k.x + b_k) with a = 2 s, b = w - |s|^2, so that the labels can be fitted
 * by softmax (multinomial logistic) regression: minimize the mean of log sum_k exp(a_k.x + b_k) - (a_g.x + b_g), g the
 * label at x.  The problem is convex and smooth (C. M. Bishop, Pattern Recognition and Machine Learning, 2006, 4.3.4;
 * for power diagrams of grains: A. Alpers et al., Phil. Mag. 95 (2015) 1016 solve the same argmax by linear
 * programming).  A weak ridge keeps the unknowns bounded where the cells separate the labels without error.
 *
 * Speed: the sum runs over the grains that can win near a voxel only: those whose bounds, widened by half a mean
 * diameter, reach into its block of 8 x 8 x 8 voxels.  If the result lets another grain win somewhere, the margin is
 * doubled and the fit goes on. Limited-memory quasi-Newton (TAO's LMVM) runs alike on every rank; an iteration costs
 * one reduction of 4n + 1 numbers. */
#include "power_fit.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/units.h"
#include <math.h>
#include <petsctao.h>
#include <stdlib.h>
#include <string.h>

static const double ridge_strength = 1e-6; /* of the mean square unknown, against a loss of 0.1 to 1 */
static const double start_sharpness = 5;   /* inverse temperature of the start: walls soft over a tenth of a diameter */
static const double gradient_tolerance = 1e-6; /* of the mean loss: labels stop to change well before */
static const double outside_allowed = 1e-3;    /* fraction of voxels won by a grain that was not considered there */
static const double enough = 5e-3;             /* the loss fell by less than this part of it ... */
static const double coarse_across = 10;        /* voxels across a mean grain, at least, in the coarse fit */
static const double few_lost = .05; /* share of the grains that the fit may lose and the others still keep its cells */
static const double first_raise = .25;
enum { RAISES = 4 };
enum { MOST_ITERATIONS = 300, MOST_ROUNDS = 3, LOOK_BACK = 10 /* ... in so many iterations */ };

static double equivalent_diameter(double volume) {
  return cbrt(6 * volume / MT_PI);
}

/* As fine as 62 bits allow for a sum over all voxels. */
static void choose_scales(MtFitProblem *f) {
  double reach = 1;
  for (int d = 0; d < 3; d++) reach = fmax(reach, f->origin[d] / f->length);
  f->gradient_scale = exp2(62 - ceil(log2((double)f->nvoxels * reach)));
  f->loss_scale = exp2(62 - ceil(log2((double)f->nvoxels * MT_FIT_MOST_LOSS)));
}

static PetscErrorCode problem_make(MPI_Comm comm, const MtLabels *l, MtFitProblem *f) {
  const size_t n = (size_t)l->ngrains;
  *f = (MtFitProblem){.stride = 1, .comm = comm, .labels = l, .n = l->ngrains, .ridge = ridge_strength / (double)n};
  const double volume = l->voxel[0] * l->voxel[1] * l->voxel[2];
  for (int g = 0; g < f->n; g++) {
    if (!l->voxels[g]) return mt_error(MT_ERR_FAIL, "grain %d has no voxel", g);
    f->nvoxels += l->voxels[g];
    f->length += equivalent_diameter(volume * (double)l->voxels[g]) / f->n;
  }
  const int size[3] = {l->nx, l->ny, l->nz};
  for (int d = 0; d < 3; d++) f->origin[d] = size[d] * l->voxel[d] / 2;
  PetscCall(PetscMalloc3(3 * n, &f->centroid, 6 * n, &f->bounds, 4 * n + 1, &f->sum));
  choose_scales(f);
  return mt_fit_measure(f);
}

static PetscErrorCode problem_free(MtFitProblem *f) {
  PetscCall(PetscFree(f->start));
  PetscCall(PetscFree(f->candidate));
  PetscCall(PetscFree3(f->centroid, f->bounds, f->sum));
  return 0;
}

/* Seeds at the centroids, weights from the radii. */
static void start_values(const MtFitProblem *f, double *theta) {
  const MtLabels *l = f->labels;
  const double volume = l->voxel[0] * l->voxel[1] * l->voxel[2];
  for (int g = 0; g < f->n; g++) {
    const double radius = equivalent_diameter(volume * (double)l->voxels[g]) / 2 / f->length;
    double square = 0;
    for (int d = 0; d < 3; d++) {
      const double s = (f->centroid[3 * g + d] - f->origin[d]) / f->length;
      theta[4 * g + d] = 2 * start_sharpness * s;
      square += s * s;
    }
    theta[4 * g + 3] = start_sharpness * (radius * radius - square);
  }
}

/* What the iteration works on: (a, v) of each grain, v = a.c + b its value at its centroid c.  In these unknowns far
 * corners of a large volume are no stiffer than its middle. */
typedef struct {
  MtFitProblem *f;
  double *theta;
  double past[LOOK_BACK]; /* losses of the last iterations */
} Descent;

static void centroid_in_fit(const MtFitProblem *f, int g, double c[3]) {
  for (int d = 0; d < 3; d++) c[d] = (f->centroid[3 * g + d] - f->origin[d]) / f->length;
}

/* b from v (sign -1), or v from b (sign 1). */
static void shift_values(const MtFitProblem *f, double sign, const double *from, double *to) {
  for (int g = 0; g < f->n; g++) {
    double c[3];
    centroid_in_fit(f, g, c);
    for (int d = 0; d < 4; d++) to[4 * g + d] = from[4 * g + d];
    for (int d = 0; d < 3; d++) to[4 * g + 3] += sign * c[d] * from[4 * g + d];
  }
}

/* The unknowns of a Voronoi diagram about the centroids, of sharpness 1: the ridge holds deviations from a multiple of
 * it, and that multiple, so that it does not grow with the volume. */
static double voronoi_part(const MtFitProblem *f, int i) {
  double c[3];
  centroid_in_fit(f, i / 4, c);
  return i % 4 < 3 ? 2 * c[i % 4] : c[0] * c[0] + c[1] * c[1] + c[2] * c[2];
}

static double add_ridge(const MtFitProblem *f, const double *u, double *gradient) {
  double cross = 0, square = f->n, sum = 0;
  for (int i = 0; i < 4 * f->n; i++) {
    const double q = voronoi_part(f, i);
    cross += q * u[i], square += q * q;
  }
  const double sharpness = cross / square;
  for (int i = 0; i < 4 * f->n; i++) {
    const double rest = u[i] - sharpness * voronoi_part(f, i);
    sum += rest * rest;
    gradient[i] += f->ridge * rest;
  }
  return f->ridge / 2 * (sum + f->n * sharpness * sharpness);
}

static PetscErrorCode tao_loss(Tao tao, Vec x, PetscReal *loss, Vec gradient, void *context) {
  const Descent *s = context;
  const PetscScalar *u;
  PetscScalar *g;
  (void)tao;
  PetscCall(VecGetArrayRead(x, &u));
  PetscCall(VecGetArrayWrite(gradient, &g));
  shift_values(s->f, -1, u, s->theta);
  PetscCall(mt_fit_loss(s->f, s->theta, loss, g));
  for (int i = 0; i < s->f->n; i++) {
    double c[3];
    centroid_in_fit(s->f, i, c);
    for (int d = 0; d < 3; d++) g[4 * i + d] -= c[d] * g[4 * i + 3];
  }
  *loss += add_ridge(s->f, u, g);
  PetscCall(VecRestoreArrayWrite(gradient, &g));
  PetscCall(VecRestoreArrayRead(x, &u));
  return 0;
}

/* Done when the slope is nothing, or when the loss has all but stopped to fall. */
static PetscErrorCode tao_done(Tao tao, void *context) {
  Descent *s = context;
  PetscInt it;
  PetscReal loss, slope;
  TaoConvergedReason reason = TAO_CONTINUE_ITERATING;
  PetscCall(TaoGetSolutionStatus(tao, &it, &loss, &slope, NULL, NULL, NULL));
  if (it >= LOOK_BACK && s->past[it % LOOK_BACK] - loss < enough * loss) reason = TAO_CONVERGED_USER;
  if (slope <= gradient_tolerance) reason = TAO_CONVERGED_GATOL;
  if (reason == TAO_CONTINUE_ITERATING && it >= MOST_ITERATIONS) reason = TAO_DIVERGED_MAXITS;
  s->past[it % LOOK_BACK] = loss;
  PetscCall(TaoSetConvergedReason(tao, reason));
  return 0;
}

/* u in and out; every rank runs the same iteration on the same numbers. */
static PetscErrorCode descend(Descent *s, double *u, MtFit *fit) {
  Tao tao;
  Vec x;
  PetscInt iterations;
  PetscReal loss;
  PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, 4 * s->f->n, u, &x));
  PetscCall(TaoCreate(PETSC_COMM_SELF, &tao));
  PetscCall(TaoSetType(tao, TAOLMVM));
  PetscCall(TaoSetSolution(tao, x));
  PetscCall(TaoSetObjectiveAndGradient(tao, NULL, tao_loss, s));
  PetscCall(TaoSetConvergenceTest(tao, tao_done, s));
  PetscCall(TaoSolve(tao));
  PetscCall(TaoGetSolutionStatus(tao, &iterations, &loss, NULL, NULL, NULL, NULL));
  PetscCall(TaoDestroy(&tao));
  PetscCall(VecDestroy(&x));
  fit->iterations += (int)iterations;
  fit->loss = loss;
  return 0;
}

/* theta in and out. */
static PetscErrorCode minimize(MtFitProblem *f, double *theta, MtFit *fit) {
  Descent s = {.f = f, .theta = theta};
  double *u;
  PetscCall(PetscMalloc1(4 * (size_t)f->n, &u));
  shift_values(f, 1, theta, u);
  PetscCall(descend(&s, u, fit));
  shift_values(f, -1, u, theta);
  return PetscFree(u);
}

/* Most of the way is gone with a part of the voxels, if they are many. */
static int coarse_stride(const MtFitProblem *f) {
  const double *h = f->labels->voxel, largest = fmax(h[0], fmax(h[1], h[2]));
  const int stride = (int)floor(f->length / largest / coarse_across);
  return stride < 1 ? 1 : stride > MT_FIT_BLOCK / 2 ? MT_FIT_BLOCK / 2 : stride;
}

static PetscErrorCode fit_rounds(MtFitProblem *f, double *theta, int64_t *wins, int64_t *own, MtFit *fit) {
  double margin = f->length / 2;
  start_values(f, theta);
  for (int round = 0; round < MOST_ROUNDS; round++, margin *= 2) {
    int64_t outside;
    const int coarse = round == 0 ? coarse_stride(f) : 1;
    for (int stride = coarse; stride >= 1; stride = stride > 1 ? 1 : 0) {
      f->stride = stride;
      PetscCall(mt_fit_candidates(f, margin));
      f->noise = 0;
      if (stride == coarse || f->strays == 0) PetscCall(minimize(f, theta, fit));
      f->noise = f->strays; /* with noise the loss is not convex: it starts from where the convex one has led */
      if (f->noise > 0) PetscCall(minimize(f, theta, fit));
    }
    PetscCall(mt_fit_assess(f, theta, wins, own, &outside));
    if ((double)outside <= outside_allowed * (double)f->nvoxels) break;
  }
  return 0;
}

static double score(const MtFitProblem *f, const int64_t *own, double *each) {
  int64_t right = 0;
  for (int g = 0; g < f->n; g++) {
    right += own[g];
    each[g] = (double)own[g] / (double)f->labels->voxels[g];
  }
  return (double)right / (double)f->nvoxels;
}

static bool all_win(int n, const int64_t *wins) {
  for (int g = 0; g < n; g++)
    if (!wins[g]) return false;
  return true;
}

static int count_lost(int n, const int64_t *wins) {
  int lost = 0;
  for (int g = 0; g < n; g++) lost += !wins[g];
  return lost;
}

/* Cells for the few grains that the fit lost: set at their centroids, raised until they have about their volume.  True
 * in *done when every grain has a cell then; theta, wins and own are new in any case. */
static PetscErrorCode rescue(MtFitProblem *f, double *theta, int64_t *wins, int64_t *own, bool *done) {
  int64_t *lost, outside;
  double *raise;
  PetscCall(PetscMalloc2((size_t)f->n, &lost, (size_t)f->n, &raise));
  memcpy(lost, wins, (size_t)f->n * sizeof *lost);
  for (int g = 0; g < f->n; g++) raise[g] = first_raise;
  for (int k = 0; k < RAISES; k++) {
    mt_fit_place(f, lost, raise, theta);
    PetscCall(mt_fit_assess(f, theta, wins, own, &outside));
    for (int g = 0; g < f->n; g++) raise[g] *= wins[g] ? cbrt((double)f->labels->voxels[g] / (double)wins[g]) : 2;
  }
  *done = all_win(f->n, wins);
  return PetscFree2(lost, raise);
}

/* The diagram of the fit if it has a cell for every grain, or can be given one; else the one of the volumes; else that
 * of the fit without the lost grains. */
static PetscErrorCode choose_power(MtFitProblem *f, double *theta, int64_t *wins, int64_t *own, MtPower *p,
                                   MtFit *fit) {
  int64_t outside;
  bool whole;
  fit->strays = f->strays;
  fit->fit_agreement = score(f, own, fit->grain_agreement);
  fit->lost = count_lost(f->n, wins);
  whole = fit->lost == 0;
  if (!whole && fit->lost <= few_lost * f->n) PetscCall(rescue(f, theta, wins, own, &whole));
  fit->agreement = score(f, own, fit->grain_agreement);
  if (!whole) PetscCall(mt_fit_volumes(f, p, &fit->by_volume));
  if (!fit->by_volume) {
    PetscCall(mt_fit_power(f, theta, p));
    mt_fit_drop(f, wins, p);
    return 0;
  }
  mt_fit_unknowns(f, p, theta);
  PetscCall(mt_fit_assess(f, theta, wins, own, &outside));
  fit->agreement = score(f, own, fit->grain_agreement);
  return 0;
}

PetscErrorCode mt_power_fit(MPI_Comm comm, const MtLabels *labels, MtPower *p, MtFit *fit) {
  MtFitProblem f;
  double *theta;
  int64_t *wins, *own;
  memset(fit, 0, sizeof *fit);
  PetscCall(problem_make(comm, labels, &f));
  PetscCall(PetscMalloc3(4 * (size_t)f.n, &theta, (size_t)f.n, &wins, (size_t)f.n, &own));
  PetscCall(PetscMalloc1((size_t)f.n, &fit->grain_agreement));
  PetscCall(fit_rounds(&f, theta, wins, own, fit));
  PetscCall(choose_power(&f, theta, wins, own, p, fit));
  PetscCall(PetscFree3(theta, wins, own));
  return problem_free(&f);
}

void mt_fit_free(MtFit *fit) {
  (void)PetscFree(fit->grain_agreement);
  memset(fit, 0, sizeof *fit);
}
