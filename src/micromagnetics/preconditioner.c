/* The preconditioner of the energy minimization, in the tangent planes of the state: H = P K P + C where it is positive
 * definite as far as its solver sees, else S = P K P + |C|.
 *
 * K is the matrix that couples nodes (exchange, and where there are any interfaces and DMI), P the projection on the
 * tangent planes, C the local part of the Hessian at each node (anisotropy, and -m.g from the constraint |m| = 1, which
 * carries every field).  C is indefinite while a wall or a nucleus moves; its 2 x 2 blocks enter with the absolute
 * values of their eigenvalues, floored, so S is positive definite and the step moves whole walls instead of shrinking
 * to a scaled gradient at one place.  Absolute values: Y. Dauphin et al., NIPS 27 (2014), "saddle-free Newton"; the
 * local Hessian as preconditioner: L. Exl et al., Comput. Phys. Commun. 235 (2019) 179. Solved by conjugate gradients,
 * inner.h. */
#include "preconditioner.h"
#include "kernels.h"
#include "magtwin/random.h"
#include <math.h>

static const MtPrecondStop PROBE = {40, 1e-6}; /* noise is to be taken apart, not the system to be solved */

PetscErrorCode mt_precond_create(MtEnergy *e, double floor, MtPrecond *pc) {
  pc->energy = e;
  pc->floor = floor;
  PetscCall(PetscMalloc1(6 * e->n, &pc->hessian));
  return PetscMalloc2(6 * e->n, &pc->factor, 3 * e->n, &pc->block);
}

PetscErrorCode mt_precond_destroy(MtPrecond *pc) {
  PetscCall(PetscFree(pc->hessian));
  PetscCall(PetscFree2(pc->factor, pc->block));
  return mt_inner_destroy(&pc->inner);
}

/* Terms that few runs have. */
static void add_more(const MtEnergy *e, PetscInt i, const double m[3], const double e1[3], const double e2[3],
                     double h[3]) {
  double s[6] = {0}, w[3];
  mt_energy_more_hessian(e, i, m, s);
  mt_symmetric3(s, e1, w);
  h[0] += mt_dot3(e1, w);
  h[1] += mt_dot3(e2, w);
  h[2] += mt_quadratic3(s, e2);
}

/* The node's block of C in its frame: anisotropy - m.g. */
static void local_curvature(const MtEnergy *e, PetscInt i, const double m[3], const double g[3], const double e1[3],
                            const double e2[3], double h[3]) {
  h[0] = h[2] = -mt_dot3(m, g);
  h[1] = 0;
  for (PetscInt a = e->axis_start[i]; a < e->axis_start[i + 1]; a++) {
    const double *k = e->axis + 3 * a;
    double c = mt_kernel_anisotropy_curvature(m, k, e->K1[a], e->K2[a]);
    double k1 = mt_dot3(k, e1), k2 = mt_dot3(k, e2);
    h[0] += c * k1 * k1;
    h[1] += c * k1 * k2;
    h[2] += c * k2 * k2;
  }
  if (mt_energy_has_more(e)) add_more(e, i, m, e1, e2, h);
}

/* g g' = (h + diagonal)^-1 for two tangent vectors g, by Cholesky's factor: h + diagonal = l l', g = (e1, e2) l'^-1. */
static void factor_node(const double h[3], double diagonal, const double e1[3], const double e2[3], float g[6]) {
  const double l = sqrt(h[0] + diagonal), k = h[1] / l, d = sqrt(h[2] + diagonal - k * k);
  for (int c = 0; c < 3; c++) {
    g[c] = (float)(e1[c] / l);
    g[3 + c] = (float)((e2[c] - k / l * e1[c]) / d);
  }
}

static void setup_node(MtPrecond *pc, PetscInt i, const double m[3], const double g[3]) {
  const MtEnergy *e = pc->energy;
  double e1[3], e2[3], h[3];
  mt_kernel_frame(m, e1, e2);
  local_curvature(e, i, m, g, e1, e2, h);
  for (int k = 0; k < 3; k += 2) h[k] += pc->shift * e->moment[i] / MT_MU0;
  mt_kernel_expand(h, e1, e2, pc->hessian + 6 * i);
  mt_kernel_absolute(h, pc->floor * e->moment[i] / MT_MU0);
  factor_node(h, e->exchange_diagonal[i], e1, e2, pc->factor + 6 * i);
}

PetscErrorCode mt_precond_setup(MtPrecond *pc, Vec m, Vec g) {
  const PetscScalar *x, *y;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(g, &y));
  for (PetscInt i = 0; i < pc->energy->n; i++) setup_node(pc, i, x + 3 * i, y + 3 * i);
  PetscCall(VecRestoreArrayRead(g, &y));
  PetscCall(VecRestoreArrayRead(m, &x));
  return 0;
}

PetscErrorCode mt_precond_hessian(MtPrecond *pc, Vec m, Vec v, Vec w) {
  const PetscScalar *x, *y;
  PetscScalar *z;
  PetscCall(mt_energy_couplings(pc->energy, v, w));
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(v, &y));
  PetscCall(VecGetArray(w, &z));
  for (PetscInt i = 0; i < pc->energy->n; i++) {
    double c[3];
    mt_tangent3(x + 3 * i, z + 3 * i);
    mt_symmetric3(pc->hessian + 6 * i, y + 3 * i, c);
    for (int j = 0; j < 3; j++) z[3 * i + j] += c[j];
  }
  PetscCall(VecRestoreArray(w, &z));
  PetscCall(VecRestoreArrayRead(v, &y));
  return VecRestoreArrayRead(m, &x);
}

/* The tensor s between two vectors: {aa, ab, bb}. */
static void between(const double s[6], const double a[3], const double b[3], double h[3]) {
  double w[3];
  mt_symmetric3(s, a, w);
  h[0] = mt_dot3(a, w);
  h[1] = mt_dot3(b, w);
  h[2] = mt_quadratic3(s, b);
}

/* The tensor s in the tangent plane of m with the absolute values of its eigenvalues, not below the floor. */
static void absolute_node(const double s[6], const double m[3], double floor, double absolute[6]) {
  double e1[3], e2[3], h[3];
  mt_kernel_frame(m, e1, e2);
  between(s, e1, e2, h);
  mt_kernel_absolute(h, floor);
  mt_kernel_expand(h, e1, e2, absolute);
}

/* The local curvature as the inner solver takes it: with its signs or without.  Made for each solve: that costs less
 * than one of its iterations, and both kept would be 12 bytes a node. */
static PetscErrorCode make_block(MtPrecond *pc, Vec m, bool absolute) {
  const MtEnergy *e = pc->energy;
  const PetscScalar *x;
  PetscCall(VecGetArrayRead(m, &x));
  for (PetscInt i = 0; i < e->n; i++) {
    const float *g = pc->factor + 6 * i;
    const double a[3] = {g[0], g[1], g[2]}, b[3] = {g[3], g[4], g[5]};
    const double *s = pc->hessian + 6 * i;
    double t[6], h[3];
    if (absolute) absolute_node(s, x + 3 * i, pc->floor * e->moment[i] / MT_MU0, t);
    between(absolute ? t : s, a, b, h);
    for (int k = 0; k < 3; k++) pc->block[3 * i + k] = (float)h[k];
  }
  return VecRestoreArrayRead(m, &x);
}

static PetscErrorCode solve(MtPrecond *pc, bool absolute, Vec m, Vec b, const MtPrecondStop *stop, Vec y,
                            bool *definite, int64_t *its) {
  const MtInnerOperator A = {pc->factor, pc->block, pc->ridge, pc->steepness};
  PetscCall(make_block(pc, m, absolute));
  if (!pc->inner) PetscCall(mt_inner_create(pc->energy, &pc->inner));
  return mt_inner_solve(pc->inner, &A, b, stop, y, definite, its);
}

PetscErrorCode mt_precond_solve(MtPrecond *pc, Vec m, Vec b, const MtPrecondStop *stop, Vec y, bool *definite,
                                int64_t *its) {
  return solve(pc, false, m, b, stop, y, definite, its);
}

PetscErrorCode mt_precond_apply(MtPrecond *pc, Vec m, Vec b, double rtol, int maxit, Vec y, int64_t *its) {
  const MtPrecondStop stop = {maxit, rtol};
  bool definite;
  PetscCall(solve(pc, false, m, b, &stop, y, &pc->definite, its));
  if (pc->definite) return 0;
  return solve(pc, true, m, b, &stop, y, &definite, its);
}

PetscErrorCode mt_precond_noise(const MtPrecond *pc, Vec v) {
  const MtEnergy *e = pc->energy;
  PetscScalar *x;
  PetscCall(VecGetArray(v, &x));
  for (PetscInt i = 0; i < e->n; i++) {
    MtRandom random;
    mt_random_seed(&random, (uint64_t)e->mesh->vid[e->nodes->node[i]]);
    double weight = e->moment[i] / MT_MU0;
    for (int c = 0; c < 3; c++) x[3 * i + c] = weight * (mt_random_uniform(&random) - .5);
  }
  return VecRestoreArray(v, &x);
}

PetscErrorCode mt_precond_probe(MtPrecond *pc, Vec m, Vec g, double margin, Vec b, Vec y, bool *definite,
                                int64_t *its) {
  const double shift = pc->shift;
  PetscCall(mt_precond_noise(pc, b));
  PetscCall(mt_energy_tangent(pc->energy, m, b));
  pc->shift = -margin - (pc->energy->embedded ? pc->energy->mean_stiffness : 0);
  PetscCall(mt_precond_setup(pc, m, g));
  PetscCall(mt_precond_solve(pc, m, b, &PROBE, y, definite, its));
  pc->shift = shift;
  return 0;
}

/* The node's part of dHd with the signed curvature. */
static double along_node(const MtEnergy *e, PetscInt i, const double m[3], const double g[3], const double d[3]) {
  double sum = -mt_dot3(m, g) * mt_dot3(d, d);
  for (PetscInt a = e->axis_start[i]; a < e->axis_start[i + 1]; a++) {
    double kd = mt_dot3(e->axis + 3 * a, d);
    sum += mt_kernel_anisotropy_curvature(m, e->axis + 3 * a, e->K1[a], e->K2[a]) * kd * kd;
  }
  if (mt_energy_has_more(e)) {
    double s[6] = {0};
    mt_energy_more_hessian(e, i, m, s);
    sum += mt_quadratic3(s, d);
  }
  return sum;
}

PetscErrorCode mt_precond_along(MtPrecond *pc, Vec m, Vec g, Vec d, double *dHd, double *weight) {
  const MtEnergy *e = pc->energy;
  const PetscScalar *x, *y, *v, *w;
  double local[2] = {0, 0}, sum[2];
  PetscCall(mt_energy_couplings(e, d, e->work));
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(g, &y));
  PetscCall(VecGetArrayRead(d, &v));
  PetscCall(VecGetArrayRead(e->work, &w));
  for (PetscInt i = 0; i < e->n; i++) {
    local[0] += mt_dot3(v + 3 * i, w + 3 * i) + along_node(e, i, x + 3 * i, y + 3 * i, v + 3 * i);
    local[1] += e->moment[i] / MT_MU0 * mt_dot3(v + 3 * i, v + 3 * i);
  }
  PetscCall(VecRestoreArrayRead(e->work, &w));
  PetscCall(VecRestoreArrayRead(d, &v));
  PetscCall(VecRestoreArrayRead(g, &y));
  PetscCall(VecRestoreArrayRead(m, &x));
  PetscCallMPI(MPI_Allreduce(local, sum, 2, MPI_DOUBLE, MPI_SUM, e->mesh->comm));
  *dHd = sum[0];
  *weight = sum[1];
  return 0;
}
