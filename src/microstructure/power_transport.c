/* Semi-discrete optimal transport: damped Newton on the weights.  The volumes are the gradient of a concave function of
 * the weights, so the Jacobian is minus a graph Laplacian, with area/(2 distance) on each pair of neighbours; the first
 * weight is held.  A step is halved until no cell is smaller than half the smallest one allowed and the residual falls
 * (Kitagawa, Merigot and Thibert 2019, Algorithm 1). */
#include "power_transport.h"
#include "cells_internal.h"
#include "magtwin/error.h"
#include <math.h>
#include <petscksp.h>
#include <string.h>

enum { NEWTON_STEPS = 100, HALVINGS = 40 };

static double least(const double *v, int n) {
  double m = v[0];
  for (int k = 1; k < n; k++) m = fmin(m, v[k]);
  return m;
}

static double residual_norm(const MtCells *c, const double *volume) {
  double sum = 0;
  for (int k = 0; k < c->ngrains; k++) sum += (c->volume[k] - volume[k]) * (c->volume[k] - volume[k]);
  return sqrt(sum);
}

static double worst_relative(const MtCells *c, const double *volume) {
  double worst = 0;
  for (int k = 0; k < c->ngrains; k++) worst = fmax(worst, fabs(c->volume[k] / volume[k] - 1));
  return worst;
}

/* dV_a/dw_b = -area / (2 |s_a - s_b|) for neighbours; rows and columns of cell 0 are left out. */
static PetscErrorCode add_coupling(Mat A, int a, int b, double value) {
  const PetscInt i = a - 1, j = b - 1;
  if (i >= 0) PetscCall(MatSetValue(A, i, i, value, ADD_VALUES));
  if (j >= 0) PetscCall(MatSetValue(A, j, j, value, ADD_VALUES));
  if (i < 0 || j < 0) return 0;
  PetscCall(MatSetValue(A, i, j, -value, ADD_VALUES));
  PetscCall(MatSetValue(A, j, i, -value, ADD_VALUES));
  return 0;
}

static PetscErrorCode count_neighbours(const MtCells *c, PetscInt *nonzeros) {
  for (int k = 1; k < c->ngrains; k++) nonzeros[k - 1] = 1;
  for (int f = 0; f < c->nfaces; f++) {
    int a = c->face_cells[2 * f], b = c->face_cells[2 * f + 1];
    if (a < 1 || b < 1) continue;
    nonzeros[a - 1]++;
    nonzeros[b - 1]++;
  }
  return 0;
}

static PetscErrorCode laplacian(const MtPower *p, const MtCells *c, Mat *A) {
  PetscInt *nonzeros, n = c->ngrains - 1;
  PetscCall(PetscMalloc1((size_t)n, &nonzeros));
  PetscCall(count_neighbours(c, nonzeros));
  PetscCall(MatCreateSeqAIJ(PETSC_COMM_SELF, n, n, 0, nonzeros, A));
  PetscCall(PetscFree(nonzeros));
  for (int f = 0; f < c->nfaces; f++) {
    int a = c->face_cells[2 * f], b = c->face_cells[2 * f + 1];
    if (b < 0) continue;
    double area[3], d2 = 0, s2 = 0;
    mt_loop_area(c->x, c->face_start[f + 1] - c->face_start[f], &c->face_vertex[c->face_start[f]], area);
    for (int d = 0; d < 3; d++) {
      double s = p->seed[3 * a + d] - p->seed[3 * b + d];
      d2 += area[d] * area[d];
      s2 += s * s;
    }
    PetscCall(add_coupling(*A, a, b, sqrt(d2 / s2) / 2));
  }
  PetscCall(MatAssemblyBegin(*A, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(*A, MAT_FINAL_ASSEMBLY));
  return 0;
}

static PetscErrorCode factor_and_solve(Mat A, Vec b, Vec x) {
  KSP ksp;
  PC pc;
  PetscCall(KSPCreate(PETSC_COMM_SELF, &ksp));
  PetscCall(KSPSetOperators(ksp, A, A));
  PetscCall(KSPSetType(ksp, KSPPREONLY));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCCHOLESKY));
  PetscCall(KSPSolve(ksp, b, x));
  PetscCall(KSPDestroy(&ksp));
  return 0;
}

static PetscErrorCode newton_direction(const MtPower *p, const MtCells *c, const double *volume, double *step) {
  Mat A;
  Vec b, x;
  const PetscScalar *solution;
  PetscCall(laplacian(p, c, &A));
  PetscCall(MatCreateVecs(A, &x, &b));
  for (int k = 1; k < c->ngrains; k++) PetscCall(VecSetValue(b, k - 1, volume[k] - c->volume[k], INSERT_VALUES));
  PetscCall(VecAssemblyBegin(b));
  PetscCall(VecAssemblyEnd(b));
  PetscCall(factor_and_solve(A, b, x));
  PetscCall(VecGetArrayRead(x, &solution));
  step[0] = 0;
  for (int k = 1; k < c->ngrains; k++) step[k] = PetscRealPart(solution[k - 1]);
  PetscCall(VecRestoreArrayRead(x, &solution));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&b));
  PetscCall(MatDestroy(&A));
  return 0;
}

/* Halves the step until the cells are large enough and the residual has fallen; then p and c are the new ones.  *moved:
 * it did. */
static PetscErrorCode damped_step(MtPower *p, MtCells *c, const double *volume, const double *step, double floor_volume,
                                  double *old, bool *moved) {
  double before = residual_norm(c, volume), length = 1;
  memcpy(old, p->weight, (size_t)p->n * sizeof *old);
  *moved = false;
  for (int i = 0; i < HALVINGS && !*moved; i++, length /= 2) {
    MtCells trial;
    int empty;
    for (int k = 0; k < p->n; k++) p->weight[k] = old[k] + length * step[k];
    PetscCall(mt_cells_try(p, &trial, &empty));
    if (empty >= 0) continue;
    *moved = least(trial.volume, p->n) >= floor_volume && residual_norm(&trial, volume) <= (1 - length / 2) * before;
    MtCells out = *moved ? *c : trial;
    if (*moved) *c = trial;
    mt_cells_free(&out);
  }
  if (!*moved) memcpy(p->weight, old, (size_t)p->n * sizeof *old);
  return 0;
}

static PetscErrorCode start(MtPower *p, MtCells *c) {
  int empty;
  PetscCall(mt_cells_try(p, c, &empty));
  if (empty < 0) return 0;
  memset(p->weight, 0, (size_t)p->n * sizeof *p->weight);
  return mt_cells_build(p, c);
}

PetscErrorCode mt_power_set_volumes(MtPower *p, const double *volume, double tolerance, MtCells *c) {
  double *step, *old;
  bool moved = true;
  PetscCall(start(p, c));
  PetscCall(PetscMalloc2((size_t)p->n, &step, (size_t)p->n, &old));
  double floor_volume = fmin(least(c->volume, p->n), least(volume, p->n)) / 2;
  for (int i = 0; i < NEWTON_STEPS && moved && worst_relative(c, volume) > tolerance; i++) {
    PetscCall(newton_direction(p, c, volume, step));
    PetscCall(damped_step(p, c, volume, step, floor_volume, old, &moved));
  }
  PetscCall(PetscFree2(step, old));
  if (worst_relative(c, volume) <= tolerance) return 0;
  double reached = worst_relative(c, volume);
  mt_cells_free(c);
  return mt_error(MT_ERR_FAIL, "grains: the volumes were reached only to %.1e of each grain; try another grains.seed",
                  reached);
}
