/* Distances between the images of a path, and images at equal distances again. */
#include "kernels.h"
#include "path_kernels.h"
#include "path_method.h"
#include <math.h>

PetscErrorCode mt_path_neighbours(MtPath *p) {
  for (int k = 0; k + 1 < p->n; k++) {
    int a = mt_team_owner(p->team, p->n, k), b = mt_team_owner(p->team, p->n, k + 1);
    if (a == b) continue;
    PetscCall(mt_team_send(p->team, a, b, p->image[k].m, p->before));
    PetscCall(mt_team_send(p->team, b, a, p->image[k + 1].m, p->after));
  }
  return 0;
}

Vec mt_path_m(const MtPath *p, int i) {
  if (i >= p->start && i < p->end) return p->image[i].m;
  return i < p->start ? p->before : p->after;
}

/* Root of the moment-weighted mean of the squared angles, and the largest angle; rad. */
static PetscErrorCode distance(const MtPath *p, Vec a, Vec b, double *length, double *turn) {
  const MtEnergy *e = p->energy;
  const PetscScalar *x, *y;
  double sum = 0, most = 0, v[3];
  PetscCall(VecGetArrayRead(a, &x));
  PetscCall(VecGetArrayRead(b, &y));
  for (PetscInt i = 0; i < e->n; i++) {
    double angle = mt_kernel_log(x + 3 * i, y + 3 * i, v);
    sum += e->moment[i] * angle * angle;
    most = fmax(most, angle);
  }
  PetscCall(VecRestoreArrayRead(b, &y));
  PetscCall(VecRestoreArrayRead(a, &x));
  PetscCallMPI(MPI_Allreduce(&sum, length, 1, MPI_DOUBLE, MPI_SUM, p->team->group));
  PetscCallMPI(MPI_Allreduce(&most, turn, 1, MPI_DOUBLE, MPI_MAX, p->team->group));
  *length = sqrt(*length / e->moment_sum);
  return 0;
}

PetscErrorCode mt_path_lengths(MtPath *p) {
  PetscCall(mt_path_neighbours(p));
  for (int i = 0; i < p->n; i++) {
    p->s[i] = p->turn[i] = 0;
    if (i < p->start || i >= p->end || i == 0) continue;
    PetscCall(distance(p, mt_path_m(p, i - 1), p->image[i].m, &p->s[i], &p->turn[i]));
  }
  PetscCall(mt_team_share(p->team, p->n, p->s));
  PetscCall(mt_team_share(p->team, p->n, p->turn));
  for (int i = 1; i < p->n; i++) p->s[i] += p->s[i - 1];
  return 0;
}

static PetscErrorCode between(const MtPath *p, Vec a, Vec b, double t, Vec c) {
  const PetscScalar *x, *y;
  PetscScalar *z;
  PetscCall(VecGetArrayRead(a, &x));
  PetscCall(VecGetArrayRead(b, &y));
  PetscCall(VecGetArray(c, &z));
  for (PetscInt i = 0; i < p->energy->n; i++) mt_kernel_slerp(x + 3 * i, y + 3 * i, t, z + 3 * i);
  PetscCall(VecRestoreArray(c, &z));
  PetscCall(VecRestoreArrayRead(b, &y));
  return VecRestoreArrayRead(a, &x);
}

/* Arc length at which image j shall be. */
static double target(const MtPath *p, int j, double length) {
  int c = (int)p->now.climber;
  if (c <= 0) return length * j / (p->n - 1);
  return j <= c ? p->s[c] * j / c : p->s[c] + (length - p->s[c]) * (j - c) / (p->n - 1 - c);
}

/* The point of the old path at t -> g of image j, wherever its neighbours on the old path are. */
static PetscErrorCode place(MtPath *p, int j, double t, Vec a, Vec b) {
  int k = 0, to = mt_team_owner(p->team, p->n, j);
  while (k + 2 < p->n && p->s[k + 1] < t) k++;
  double size = p->s[k + 1] - p->s[k], f = size > 0 ? fmin(fmax((t - p->s[k]) / size, 0), 1) : 0;
  PetscCall(mt_team_send(p->team, mt_team_owner(p->team, p->n, k), to, p->image[k].m, a));
  PetscCall(mt_team_send(p->team, mt_team_owner(p->team, p->n, k + 1), to, p->image[k + 1].m, b));
  return to == p->team->mine ? between(p, a, b, f, p->image[j].g) : 0;
}

PetscErrorCode mt_path_spread(MtPath *p, double length) {
  Vec a, b;
  bool shorter = length < p->s[p->n - 1];
  int last = shorter ? p->n : p->n - 1;
  PetscCall(VecDuplicate(p->tangent, &a));
  PetscCall(VecDuplicate(p->tangent, &b));
  for (int j = 1; j < last; j++)
    if (j != (int)p->now.climber) PetscCall(place(p, j, target(p, j, length), a, b));
  for (int j = 1; j < last; j++) /* g is free: the next round makes it anew */
    if (j != (int)p->now.climber && j >= p->start && j < p->end) PetscCall(VecSwap(p->image[j].m, p->image[j].g));
  PetscCall(VecDestroy(&b));
  return VecDestroy(&a);
}
