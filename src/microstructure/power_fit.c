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
enum { MOST_ITERATIONS = 300, MOST_ROUNDS = 3 };

static double equivalent_diameter(double volume) {
  return cbrt(6 * volume / MT_PI);
}

/* Sums of the voxel numbers, and the bounds as maxima of -index and index: whole numbers, the same for any number of
 * ranks. */
static void add_voxel(const int index[3], int64_t *sum, int64_t *bounds) {
  for (int d = 0; d < 3; d++) {
    sum[d] += index[d];
    bounds[d] = bounds[d] > -index[d] ? bounds[d] : -index[d];
    bounds[3 + d] = bounds[3 + d] > index[d] ? bounds[3 + d] : index[d];
  }
}

static PetscErrorCode measure_grains(MtFitProblem *f) {
  const MtLabels *l = f->labels;
  int64_t *sum, *bounds, v = 0;
  PetscCall(PetscCalloc1(3 * (size_t)f->n, &sum));
  PetscCall(PetscMalloc1(6 * (size_t)f->n, &bounds));
  for (int i = 0; i < 6 * f->n; i++) bounds[i] = INT64_MIN;
  for (int k = 0; k < l->nz_local; k++)
    for (int j = 0; j < l->ny; j++)
      for (int i = 0; i < l->nx; i++, v++) {
        const int index[3] = {i, j, l->z0 + k};
        if (l->label[v] >= 0) add_voxel(index, sum + 3 * l->label[v], bounds + 6 * l->label[v]);
      }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 3 * f->n, MPI_INT64_T, MPI_SUM, f->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, bounds, 6 * f->n, MPI_INT64_T, MPI_MAX, f->comm));
  for (int g = 0; g < f->n; g++)
    for (int d = 0; d < 3; d++) {
      f->centroid[3 * g + d] = ((double)sum[3 * g + d] / (double)l->voxels[g] + .5) * l->voxel[d];
      f->bounds[6 * g + d] = ((double)-bounds[6 * g + d] + .5) * l->voxel[d];
      f->bounds[6 * g + 3 + d] = ((double)bounds[6 * g + 3 + d] + .5) * l->voxel[d];
    }
  PetscCall(PetscFree(sum));
  PetscCall(PetscFree(bounds));
  return 0;
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
  *f = (MtFitProblem){.comm = comm, .labels = l, .n = l->ngrains, .ridge = ridge_strength / (double)n};
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
  return measure_grains(f);
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

static PetscErrorCode tao_loss(Tao tao, Vec x, PetscReal *loss, Vec gradient, void *context) {
  const PetscScalar *theta;
  PetscScalar *g;
  (void)tao;
  PetscCall(VecGetArrayRead(x, &theta));
  PetscCall(VecGetArrayWrite(gradient, &g));
  PetscCall(mt_fit_loss(context, theta, loss, g));
  PetscCall(VecRestoreArrayWrite(gradient, &g));
  PetscCall(VecRestoreArrayRead(x, &theta));
  return 0;
}

/* theta in and out; every rank runs the same iteration on the same numbers. */
static PetscErrorCode minimize(MtFitProblem *f, double *theta, MtFit *fit) {
  Tao tao;
  Vec x;
  PetscInt iterations;
  PetscReal loss;
  PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, 4 * f->n, theta, &x));
  PetscCall(TaoCreate(PETSC_COMM_SELF, &tao));
  PetscCall(TaoSetType(tao, TAOLMVM));
  PetscCall(TaoSetSolution(tao, x));
  PetscCall(TaoSetObjectiveAndGradient(tao, NULL, tao_loss, f));
  PetscCall(TaoSetTolerances(tao, gradient_tolerance, 0, 0));
  PetscCall(TaoSetMaximumIterations(tao, MOST_ITERATIONS));
  PetscCall(TaoSolve(tao));
  PetscCall(TaoGetSolutionStatus(tao, &iterations, &loss, NULL, NULL, NULL, NULL));
  PetscCall(TaoDestroy(&tao));
  PetscCall(VecDestroy(&x));
  fit->iterations += (int)iterations;
  fit->loss = loss;
  return 0;
}

static PetscErrorCode fit_rounds(MtFitProblem *f, double *theta, int64_t *wins, int64_t *own, MtFit *fit) {
  double margin = f->length / 2;
  start_values(f, theta);
  for (int round = 0; round < MOST_ROUNDS; round++, margin *= 2) {
    int64_t outside;
    PetscCall(mt_fit_candidates(f, margin));
    PetscCall(minimize(f, theta, fit));
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

/* The diagram of the fit if it has a cell for every grain; else the one of the volumes; else that of the fit without
 * the lost grains. */
static PetscErrorCode choose_power(MtFitProblem *f, double *theta, int64_t *wins, int64_t *own, MtPower *p,
                                   MtFit *fit) {
  int64_t outside;
  fit->agreement = fit->fit_agreement = score(f, own, fit->grain_agreement);
  for (int g = 0; g < f->n; g++) fit->lost += !wins[g];
  if (!all_win(f->n, wins)) PetscCall(mt_fit_volumes(f, p, &fit->by_volume));
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
