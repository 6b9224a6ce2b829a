/* Forces on the images of a path and the steps they make. */
#include "kernels.h"
#include "path_kernels.h"
#include "path_method.h"
#include <math.h>

static const double HELD = .7;   /* height of an open end between the start and the top: it slides down to it */
static const double FLOOR = .1;  /* T, least curvature along the path at the climber */
static const double RIDGE = 20;  /* T, stiffness along the path in the steps across it: above any anisotropy field */
static const double CLIMB = .15; /* rad: longest step of the climber along the path */

/* Adds c log_m(other) to t. */
static PetscErrorCode add_towards(const MtPath *p, Vec m, Vec other, double c, Vec t) {
  const PetscScalar *x, *y;
  PetscScalar *z;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(other, &y));
  PetscCall(VecGetArray(t, &z));
  for (PetscInt i = 0; i < p->energy->n; i++) {
    double v[3];
    mt_kernel_log(x + 3 * i, y + 3 * i, v);
    for (int k = 0; k < 3; k++) z[3 * i + k] += c * v[k];
  }
  PetscCall(VecRestoreArray(t, &z));
  PetscCall(VecRestoreArrayRead(other, &y));
  return VecRestoreArrayRead(m, &x);
}

/* Moment-weighted mean of w.w. */
static PetscErrorCode weighted(const MtPath *p, Vec w, double *sum) {
  const PetscScalar *x;
  double local = 0;
  PetscCall(VecGetArrayRead(w, &x));
  for (PetscInt i = 0; i < p->energy->n; i++)
    local += p->energy->moment[i] / p->energy->moment_sum * mt_dot3(x + 3 * i, x + 3 * i);
  PetscCall(VecRestoreArrayRead(w, &x));
  PetscCallMPI(MPI_Allreduce(&local, sum, 1, MPI_DOUBLE, MPI_SUM, p->team->group));
  return 0;
}

/* y += c (moment/sum of moments) x */
static PetscErrorCode add_weighted(const MtPath *p, double c, Vec x, Vec y) {
  const PetscScalar *a;
  PetscScalar *b;
  PetscCall(VecGetArrayRead(x, &a));
  PetscCall(VecGetArray(y, &b));
  for (PetscInt i = 0; i < p->energy->n; i++)
    for (int k = 0; k < 3; k++) b[3 * i + k] += c * p->energy->moment[i] / p->energy->moment_sum * a[3 * i + k];
  PetscCall(VecRestoreArray(y, &b));
  return VecRestoreArrayRead(x, &a);
}

/* Shares of the neighbours before and behind in the tangent: the higher one alone, both at an extremum (Henkelman and
 * Jonsson). */
static void upwind(const MtPath *p, int i, double share[2]) {
  double E = p->E[i].total, up = i + 1 < p->n ? p->E[i + 1].total - E : -INFINITY, down = p->E[i - 1].total - E;
  bool ahead = up > down;
  if (i + 1 == p->n || (up > 0) != (down > 0)) {
    share[0] = i + 1 < p->n && ahead ? 0 : 1;
    share[1] = 1 - share[0];
    return;
  }
  double most = fmax(fabs(up), fabs(down)), least = fmin(fabs(up), fabs(down));
  share[1] = most > 0 ? (ahead ? most : least) : 1;
  share[0] = most > 0 ? (ahead ? least : most) : 1;
}

/* p->tangent: unit in the moment-weighted mean, at image i. */
static PetscErrorCode tangent(MtPath *p, int i) {
  double share[2], size, sum;
  upwind(p, i, share);
  sum = share[0] + share[1];
  PetscCall(VecZeroEntries(p->tangent));
  if (share[0] > 0) PetscCall(add_towards(p, p->image[i].m, mt_path_m(p, i - 1), -share[0] / sum, p->tangent));
  if (share[1] > 0) PetscCall(add_towards(p, p->image[i].m, mt_path_m(p, i + 1), share[1] / sum, p->tangent));
  PetscCall(weighted(p, p->tangent, &size));
  return size > 0 ? VecScale(p->tangent, 1 / sqrt(size)) : 0;
}

/* An open end that is still too high slides down, all of its force counts. */
static bool slides(const MtPath *p, int i) {
  if (i + 1 < p->n || !p->now.open) return false;
  int top = mt_path_top(p);
  if (top < 0) return p->E[i].total >= p->E[0].total;
  return p->E[i].total > p->E[0].total + HELD * (p->E[top].total - p->E[0].total);
}

/* The tangent turns with the image against its neighbour: the force across the path carries what happens uphill
 * downhill, one image a round at most, or kinks grow.  T. */
static double carried(const MtPath *p, int i, double along) {
  double share[2];
  upwind(p, i, share);
  double spacing = share[1] > share[0] ? p->s[i + 1] - p->s[i] : p->s[i] - p->s[i - 1];
  return spacing > 0 ? fabs(along) * MT_MU0 / (p->energy->moment_sum * spacing) : 0;
}

static PetscErrorCode force(MtPath *p, int i) {
  PetscScalar along;
  Vec f = p->image[i].step;
  PetscCall(VecCopy(p->image[i].g, f));
  PetscCall(mt_energy_tangent(p->energy, p->image[i].m, f));
  PetscCall(tangent(p, i));
  PetscCall(VecDot(f, p->tangent, &along));
  bool whole = i == (int)p->now.climber;
  if (whole) PetscCall(mt_energy_torque(p->energy, p->image[i].m, f, &p->torque[i]));
  p->shift[i] = whole ? 0 : carried(p, i, along);
  if (!slides(p, i)) PetscCall(add_weighted(p, -along, p->tangent, f));
  if (!whole) PetscCall(mt_energy_torque(p->energy, p->image[i].m, f, &p->torque[i]));
  return 0;
}

PetscErrorCode mt_path_forces(MtPath *p) {
  for (int i = 0; i < p->n; i++) {
    p->torque[i] = 0;
    if (i < p->start || i >= p->end || i == 0 || (i == p->n - 1 && !p->now.open)) continue;
    p->in_work = p->image[i].m;
    PetscCall(force(p, i));
  }
  p->in_work = NULL;
  return 0;
}

/* The climber goes up along the path: by Newton's step where the energy is concave, with |curvature| elsewhere. */
static PetscErrorCode climb(MtPath *p, int i) {
  PetscScalar along;
  double curvature, weight;
  Vec m = p->image[i].m, g = p->image[i].g;
  PetscCall(VecDot(g, p->tangent, &along));
  PetscCall(mt_precond_along(&p->pc, m, g, p->tangent, &curvature, &weight));
  double step = along / (fmax(fabs(curvature), FLOOR * weight) + p->now.shift * weight);
  return VecAXPY(p->image[i].step, fmax(-CLIMB, fmin(CLIMB, step)), p->tangent);
}

static PetscErrorCode limit_turn(const MtPath *p, Vec d) {
  const PetscScalar *x;
  double local = 0, most;
  PetscCall(VecGetArrayRead(d, &x));
  for (PetscInt i = 0; i < p->energy->n; i++) local = fmax(local, mt_dot3(x + 3 * i, x + 3 * i));
  PetscCall(VecRestoreArrayRead(d, &x));
  PetscCallMPI(MPI_Allreduce(&local, &most, 1, MPI_DOUBLE, MPI_MAX, p->team->group));
  double limit = 2 * tan(.5 * p->opt.max_turn) / sqrt(most);
  return most > 0 && limit < 1 ? VecScale(d, limit) : 0;
}

/* Along the path the energy is often concave, which is no business of a step across it: with that direction made stiff
 * the local Hessian is definite where the path is good, and the step is Newton's, not that of the absolute values. */
static PetscErrorCode make_ridge(MtPath *p, int i) {
  PetscCall(tangent(p, i));
  PetscCall(VecZeroEntries(p->ridge));
  PetscCall(add_weighted(p, 1, p->tangent, p->ridge));
  p->pc.ridge = slides(p, i) ? NULL : p->ridge;
  p->pc.steepness = RIDGE * p->energy->moment_sum / MT_MU0;
  return 0;
}

static PetscErrorCode solve(MtPath *p, MtPathImage *image, double shift) {
  int64_t its = 0;
  p->pc.shift = shift;
  PetscCall(mt_precond_setup(&p->pc, image->m, image->g));
  PetscCall(mt_precond_apply(&p->pc, image->m, p->work, p->opt.inner_rtol, p->opt.inner_iterations, image->step, &its));
  p->now.inner += (double)its;
  return 0;
}

/* What is not definite may be so with the stray field's stiffness, which lies between 0 and Js: better a part of that
 * than the absolute values, whose steps along a mode that the stray field alone holds are far too short. */
static PetscErrorCode solve_stiffened(MtPath *p, MtPathImage *image, double shift) {
  const double most = p->energy->poisson ? mt_energy_saturation(p->energy) : 0;
  PetscCall(solve(p, image, shift));
  if (p->pc.definite || most == 0) return 0;
  for (double more = most / 4; !p->pc.definite && more <= most / 2; more *= 2) PetscCall(solve(p, image, shift + more));
  return p->pc.definite ? 0 : solve(p, image, shift);
}

/* step: from the force to the step, across the path. */
static PetscErrorCode step(MtPath *p, int i) {
  MtPathImage *image = &p->image[i];
  double along = 0;
  PetscCall(VecCopy(image->step, p->work));
  PetscCall(make_ridge(p, i));
  PetscCall(solve_stiffened(p, image, p->now.shift + p->shift[i]));
  PetscCall(VecScale(image->step, -1));
  if (!slides(p, i)) {
    PetscCall(VecDot(image->step, p->ridge, &along));
    PetscCall(VecAXPY(image->step, -along, p->tangent));
  }
  if (i == (int)p->now.climber) PetscCall(climb(p, i));
  return limit_turn(p, image->step);
}

static PetscErrorCode turn(const MtPath *p, MtPathImage *image) {
  const PetscScalar *d;
  PetscScalar *m;
  PetscCall(VecGetArrayRead(image->step, &d));
  PetscCall(VecGetArray(image->m, &m));
  for (PetscInt i = 0; i < p->energy->n; i++) {
    double from[3] = {m[3 * i], m[3 * i + 1], m[3 * i + 2]};
    mt_kernel_turn(from, d + 3 * i, 1, m + 3 * i);
  }
  PetscCall(VecRestoreArray(image->m, &m));
  return VecRestoreArrayRead(image->step, &d);
}

static bool moves(const MtPath *p, int i) {
  return i > 0 && (i < p->n - 1 || p->now.open > 0);
}

/* All steps before any turn: they are made from the same path, whichever group makes them. */
PetscErrorCode mt_path_move(MtPath *p) {
  for (int i = p->start; i < p->end; i++) {
    if (!moves(p, i)) continue;
    p->in_work = p->image[i].m;
    PetscCall(step(p, i));
  }
  p->in_work = NULL;
  for (int i = p->start; i < p->end; i++)
    if (moves(p, i)) PetscCall(turn(p, &p->image[i]));
  return 0;
}
