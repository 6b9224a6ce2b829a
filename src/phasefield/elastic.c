/* Mechanical equilibrium for a composition c: the displacement u that minimizes
 *
 *   F(c) = min sum_e V/2 (E + e(u) - c' e0) : C(c_e) : (E + e(u) - c' e0),  c' = c_e - reference,
 *
 * less V S : E where the stress S is applied; c_e the mean of an element, e(u) its strain, E the mean strain of
 * periodic axes (A. G. Khachaturyan, Theory of Structural Transformations in Solids (1983), for the energy).  As u is
 * the minimum, dF/dc is the explicit part alone, exactly that of the discrete energy.  Conjugate gradients with
 * smoothed aggregation (PETSc's GAMG) that knows the rigid motions, made once from the mean of the two stiffnesses;
 * every solve starts from 0, so that it depends on c alone and a continued run repeats it to the bit. */
#include "elastic_impl.h"
#include "magtwin/error.h"
#include <math.h>

enum { MAX_MEAN = 60 };
static const double SHIFT = 1e-6;   /* of the diagonal, where the body can move as a whole */
static const double MEAN_RTOL = 10; /* of the mean stress, where it is relaxed, over that of the linear solves */

void mt_stiffness_stress(const MtStiffness *C, const double e[6], double s[6]) {
  const double trace = e[0] + e[1] + e[2];
  for (int a = 0; a < 3; a++) {
    s[a] = C->C12 * trace + (C->C11 - C->C12) * e[a];
    s[3 + a] = 2 * C->C44 * e[3 + a];
  }
}

/* a : b of symmetric tensors. */
static double contract(const double a[6], const double b[6]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + 2 * (a[3] * b[3] + a[4] * b[4] + a[5] * b[5]);
}

/* Translations of all nodes, where some axis is periodic; otherwise the rotations too. */
static PetscErrorCode translations(const MtElastic *e, MatNullSpace *space) {
  const MtDomain *d = e->domain;
  Vec v[3];
  PetscScalar *a;
  for (int c = 0; c < d->dim; c++) {
    PetscCall(VecDuplicate(e->b, &v[c]));
    PetscCall(VecGetArray(v[c], &a));
    for (PetscInt i = 0; i < d->n_owned; i++)
      for (int k = 0; k < d->dim; k++) a[d->dim * i + k] = k == c ? 1 / sqrt((double)d->n_global) : 0;
    PetscCall(VecRestoreArray(v[c], &a));
  }
  PetscCall(MatNullSpaceCreate(d->comm, PETSC_FALSE, d->dim, v, space));
  for (int c = 0; c < d->dim; c++) PetscCall(VecDestroy(&v[c]));
  return 0;
}

static PetscErrorCode rigid_motions(const MtElastic *e, MatNullSpace *space) {
  const MtDomain *d = e->domain;
  Vec x;
  PetscScalar *a;
  PetscCall(VecDuplicate(e->b, &x));
  PetscCall(VecSetBlockSize(x, d->dim));
  PetscCall(VecGetArray(x, &a));
  for (PetscInt i = 0; i < d->n_owned; i++)
    for (int k = 0; k < d->dim; k++) a[d->dim * i + k] = d->x[3 * i + k];
  PetscCall(VecRestoreArray(x, &a));
  PetscCall(MatNullSpaceCreateRigidBody(x, space));
  return VecDestroy(&x);
}

static bool any_periodic(const MtDomain *d) {
  return d->period[0] > 0 || d->period[1] > 0 || (d->dim == 3 && d->period[2] > 0);
}
static bool all_periodic(const MtDomain *d) {
  return d->period[0] > 0 && d->period[1] > 0 && (d->dim == 2 || d->period[2] > 0);
}

static PetscErrorCode set_spaces(MtElastic *e) {
  MatNullSpace rigid, null = NULL;
  if (any_periodic(e->domain)) /* which cannot turn */
    PetscCall(translations(e, &rigid));
  else
    PetscCall(rigid_motions(e, &rigid));
  PetscCall(MatSetNearNullSpace(e->P, rigid));
  if (all_periodic(e->domain) || !e->model.clamped) {
    null = rigid;
    PetscCall(PetscObjectReference((PetscObject)null));
  }
  if (null) { /* what the preconditioner is made of must not be singular: its coarsest level is factored */
    PetscCall(MatSetNullSpace(e->A, null));
    PetscCall(MatShift(e->P, SHIFT * mt_elastic_size(e)));
  }
  PetscCall(MatNullSpaceDestroy(&null));
  return MatNullSpaceDestroy(&rigid);
}

/* Ten iterations, PETSc's default, may leave the largest eigenvalue of a level too small; its smoother then grows what
 * it should damp (seen with two stiffnesses in the ratio 3).  Options of the user come first. */
static PetscErrorCode choose_smoother(void) {
  static const char *const option[2][2] = {{"-elastic_mg_levels_esteig_ksp_max_it", "30"},
                                           {"-elastic_mg_levels_ksp_chebyshev_esteig", "0,0.2,0,1.5"}};
  for (int k = 0; k < 2; k++) {
    PetscBool given;
    PetscCall(PetscOptionsHasName(NULL, NULL, option[k][0], &given));
    if (!given) PetscCall(PetscOptionsSetValue(NULL, option[k][0], option[k][1]));
  }
  return 0;
}

static PetscErrorCode make_solver(MtElastic *e) {
  PC pc;
  PetscCall(mt_elastic_matrix(e, &e->P));
  PetscCall(mt_elastic_assemble(e, NULL, e->P));
  PetscCall(mt_elastic_matrix(e, &e->A));
  if (e->uniform) PetscCall(mt_elastic_assemble(e, NULL, e->A));
  PetscCall(set_spaces(e));
  PetscCall(choose_smoother());
  PetscCall(KSPCreate(e->domain->comm, &e->ksp));
  PetscCall(KSPSetOptionsPrefix(e->ksp, "elastic_"));
  PetscCall(KSPSetOperators(e->ksp, e->A, e->P));
  PetscCall(KSPSetType(e->ksp, KSPCG));
  PetscCall(KSPSetTolerances(e->ksp, e->model.rtol, 1e-300, PETSC_DEFAULT, 2000));
  PetscCall(KSPSetNormType(e->ksp, KSP_NORM_NATURAL));
  PetscCall(KSPGetPC(e->ksp, &pc));
  PetscCall(PCSetType(pc, PCGAMG));
  PetscCall(KSPSetFromOptions(e->ksp));
  return 0;
}

PetscErrorCode mt_elastic_create(const MtDomain *d, const MtElasticModel *model, MtElastic **elastic) {
  const MtStiffness *a = &model->phase[0], *b = &model->phase[1];
  const PetscInt nghost = d->n_local - d->n_owned;
  MtElastic *e;
  PetscCall(PetscNew(&e));
  *elastic = e;
  e->domain = d;
  e->model = *model;
  e->uniform = a->C11 == b->C11 && a->C12 == b->C12 && a->C44 == b->C44;
  PetscCall(VecCreateGhost(d->comm, d->n_owned, PETSC_DETERMINE, nghost, d->row + d->n_owned, &e->c));
  PetscCall(
      VecCreateGhostBlock(d->comm, d->dim, d->dim * d->n_owned, PETSC_DETERMINE, nghost, d->row + d->n_owned, &e->u));
  PetscCall(VecCreateMPI(d->comm, d->dim * d->n_owned, PETSC_DETERMINE, &e->b));
  PetscCall(VecSetBlockSize(e->b, d->dim));
  PetscCall(VecZeroEntries(e->u));
  PetscCall(mt_elastic_hold(e));
  return make_solver(e);
}

PetscErrorCode mt_elastic_destroy(MtElastic **elastic) {
  MtElastic *e = *elastic;
  if (!e) return 0;
  PetscCall(KSPDestroy(&e->ksp));
  PetscCall(MatDestroy(&e->A));
  PetscCall(MatDestroy(&e->P));
  PetscCall(VecDestroy(&e->u));
  PetscCall(VecDestroy(&e->b));
  PetscCall(VecDestroy(&e->c));
  PetscCall(PetscFree(e->held));
  return PetscFree(*elastic);
}

/* Values of owned nodes and ghosts, to be given back. */
static PetscErrorCode borrow(Vec v, Vec *local, const PetscScalar **a) {
  PetscCall(VecGhostGetLocalForm(v, local));
  return VecGetArrayRead(*local, a);
}
static PetscErrorCode give_back(Vec v, Vec *local, const PetscScalar **a) {
  PetscCall(VecRestoreArrayRead(*local, a));
  return VecGhostRestoreLocalForm(v, local);
}

/* b = sum V grad . C : (c' e0 - E) */
static PetscErrorCode right_side(MtElastic *e, const PetscScalar *c) {
  const MtDomain *d = e->domain;
  static const int voigt[3][3] = {{0, 5, 4}, {5, 1, 3}, {4, 3, 2}};
  PetscScalar *b;
  PetscCall(VecZeroEntries(e->b));
  PetscCall(VecGetArray(e->b, &b));
  for (PetscInt t = 0; t < d->ne; t++) {
    double grad[4][3], V, free[6], s[6];
    const double at = mt_elastic_element(e, t, c, grad, &V);
    const MtStiffness C = mt_elastic_stiffness(e, at, NULL);
    for (int k = 0; k < 6; k++) free[k] = (at - e->model.reference) * e->model.misfit[k] - e->mean[k];
    mt_stiffness_stress(&C, free, s);
    for (int k = 0; k <= d->dim; k++) {
      const PetscInt i = d->element[(d->dim + 1) * t + k];
      if (i >= d->n_owned || e->held[i]) continue;
      for (int a = 0; a < d->dim; a++)
        for (int f = 0; f < d->dim; f++) b[d->dim * i + a] += V * s[voigt[a][f]] * grad[k][f];
    }
  }
  return VecRestoreArray(e->b, &b);
}

/* Elastic strain, stress, stiffness' slope and volume of an element. */
static void element_state(const MtElastic *e, PetscInt t, const PetscScalar *c, const PetscScalar *u, double strain[6],
                          double stress[6], MtStiffness *slope, double *V) {
  const MtDomain *d = e->domain;
  static const int pair[6][2] = {{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}};
  double grad[4][3], H[3][3] = {{0}};
  const double at = mt_elastic_element(e, t, c, grad, V);
  const MtStiffness C = mt_elastic_stiffness(e, at, slope);
  for (int k = 0; k <= d->dim; k++)
    for (int a = 0; a < d->dim; a++)
      for (int f = 0; f < d->dim; f++)
        H[a][f] += PetscRealPart(u[d->dim * d->element[(d->dim + 1) * t + k] + a]) * grad[k][f];
  for (int k = 0; k < 6; k++)
    strain[k] = .5 * (H[pair[k][0]][pair[k][1]] + H[pair[k][1]][pair[k][0]]) + e->mean[k] -
                (at - e->model.reference) * e->model.misfit[k];
  mt_stiffness_stress(&C, strain, stress);
}

static PetscErrorCode solve_once(MtElastic *e, const PetscScalar *c) {
  PetscInt its;
  KSPConvergedReason reason;
  PetscReal norm;
  PetscCall(right_side(e, c));
  PetscCall(VecZeroEntries(e->u));
  PetscCall(VecNorm(e->b, NORM_INFINITY, &norm));
  if (norm > 0) { /* nothing to do where nothing pulls */
    PetscCall(KSPSolve(e->ksp, e->b, e->u));
    PetscCall(KSPGetIterationNumber(e->ksp, &its));
    PetscCall(KSPGetConvergedReason(e->ksp, &reason));
    e->iterations += its;
    if (reason < 0)
      return mt_error(MT_ERR_FAIL,
                      "the elastic equilibrium is not found: conjugate gradients end with %s after %d "
                      "iterations",
                      KSPConvergedReasons[reason], (int)its);
  }
  e->solves++;
  PetscCall(VecGhostUpdateBegin(e->u, INSERT_VALUES, SCATTER_FORWARD));
  return VecGhostUpdateEnd(e->u, INSERT_VALUES, SCATTER_FORWARD);
}

/* Sums over the domain: stress [6], C11 C12 C44 [3], and the size of C e0. */
static PetscErrorCode means(const MtElastic *e, const PetscScalar *c, double sum[10]) {
  const MtDomain *d = e->domain;
  const PetscScalar *u;
  Vec local;
  for (int k = 0; k < 10; k++) sum[k] = 0;
  PetscCall(borrow(e->u, &local, &u));
  for (PetscInt t = 0; t < d->ne; t++) {
    double strain[6], stress[6], grad[4][3], V;
    if (!d->element_owned[t]) continue;
    element_state(e, t, c, u, strain, stress, NULL, &V);
    const MtStiffness C = mt_elastic_stiffness(e, mt_elastic_element(e, t, c, grad, &V), NULL);
    for (int k = 0; k < 6; k++) sum[k] += V * stress[k];
    sum[6] += V * C.C11;
    sum[7] += V * C.C12;
    sum[8] += V * C.C44;
    sum[9] += V * sqrt(contract(stress, stress));
  }
  PetscCall(give_back(e->u, &local, &u));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 10, MPI_DOUBLE, MPI_SUM, d->comm));
  for (int k = 0; k < 10; k++) sum[k] /= d->volume;
  return 0;
}

/* Changes E so that, with the mean stiffness, the mean stress of the components between periodic axes would be that
 * applied; *left: the largest component that it is off now over the mean size of the stress. */
static void relax_mean(MtElastic *e, const double sum[10], double *left) {
  const double *period = e->domain->period;
  static const int pair[6][2] = {{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}};
  const double *S = e->model.applied, size = fmax(sum[9], sqrt(contract(S, S)));
  double M[3][4] = {{0}};
  *left = 0;
  for (int a = 0; a < 3; a++) {
    const bool moves = period[a] > 0;
    for (int b = 0; b < 3; b++) M[a][b] = moves && period[b] > 0 ? (a == b ? sum[6] : sum[7]) : a == b;
    M[a][3] = moves ? sum[a] - S[a] : 0;
  }
  for (int a = 0; a < 3; a++) /* Gauss; diagonally dominant for any crystal that is stable */
    for (int r = 0; r < 3; r++) {
      const double factor = r == a ? 0 : M[r][a] / M[a][a];
      for (int k = 0; k < 4; k++) M[r][k] -= factor * M[a][k];
    }
  for (int k = 0; k < 6; k++) {
    if (!(period[pair[k][0]] > 0 && period[pair[k][1]] > 0)) continue;
    *left = fmax(*left, fabs(sum[k] - S[k]) / (size > 0 ? size : 1));
    e->mean[k] -= k < 3 ? M[k][3] / M[k][k] : (sum[k] - S[k]) / (2 * sum[8]);
  }
}

static PetscErrorCode solve_relaxed(MtElastic *e, const PetscScalar *c) {
  double sum[10], left = INFINITY;
  const double *period = e->domain->period;
  for (int k = 0; k < 6; k++) e->mean[k] = 0;
  PetscErrorCode rc = solve_once(e, c);
  if (rc || !e->model.relaxed || !(period[0] > 0 || period[1] > 0 || period[2] > 0)) return rc;
  for (int it = 0; it < MAX_MEAN; it++) {
    double before[6];
    PetscCall(means(e, c, sum));
    for (int k = 0; k < 6; k++) before[k] = e->mean[k];
    relax_mean(e, sum, &left);
    if (left <= MEAN_RTOL * e->model.rtol) {
      for (int k = 0; k < 6; k++) e->mean[k] = before[k];
      return 0;
    }
    rc = solve_once(e, c);
    if (rc) return rc;
  }
  return mt_error(MT_ERR_FAIL,
                  "the mean stress of the periodic axes is not relaxed after %d solves: %.3g of the stress "
                  "is left",
                  MAX_MEAN, left);
}

PetscErrorCode mt_elastic_solve(MtElastic *e, Vec c) {
  const PetscScalar *a;
  Vec local;
  PetscCall(VecCopy(c, e->c));
  PetscCall(VecGhostUpdateBegin(e->c, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(e->c, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(borrow(e->c, &local, &a));
  PetscErrorCode rc = 0;
  if (!e->uniform) {
    PetscCall(mt_elastic_assemble(e, a, e->A));
    PetscCall(KSPSetReusePreconditioner(e->ksp, e->solves > 0));
    PetscCall(KSPSetOperators(e->ksp, e->A, e->P));
  }
  rc = solve_relaxed(e, a);
  PetscCall(give_back(e->c, &local, &a));
  return rc;
}

PetscErrorCode mt_elastic_energy(const MtElastic *e, double *energy) {
  const MtDomain *d = e->domain;
  const PetscScalar *c, *u;
  Vec local[2];
  double sum = 0;
  PetscCall(borrow(e->c, &local[0], &c));
  PetscCall(borrow(e->u, &local[1], &u));
  for (PetscInt t = 0; t < d->ne; t++) {
    double strain[6], stress[6], V;
    if (!d->element_owned[t]) continue;
    element_state(e, t, c, u, strain, stress, NULL, &V);
    sum += .5 * V * contract(strain, stress);
  }
  PetscCall(give_back(e->u, &local[1], &u));
  PetscCall(give_back(e->c, &local[0], &c));
  PetscCallMPI(MPI_Allreduce(&sum, energy, 1, MPI_DOUBLE, MPI_SUM, d->comm));
  *energy /= d->volume;
  return 0;
}

double mt_elastic_load(const MtElastic *e) {
  return -contract(e->model.applied, e->mean);
}

PetscErrorCode mt_elastic_gradient(const MtElastic *e, Vec y) {
  const MtDomain *d = e->domain;
  const PetscScalar *c, *u;
  PetscScalar *out;
  Vec local[2];
  PetscCall(borrow(e->c, &local[0], &c));
  PetscCall(borrow(e->u, &local[1], &u));
  PetscCall(VecGetArray(y, &out));
  for (PetscInt t = 0; t < d->ne; t++) {
    double strain[6], stress[6], softer[6], V;
    MtStiffness slope;
    element_state(e, t, c, u, strain, stress, &slope, &V);
    mt_stiffness_stress(&slope, strain, softer);
    const double force = V / (d->dim + 1) * (.5 * contract(strain, softer) - contract(stress, e->model.misfit));
    for (int k = 0; k <= d->dim; k++) {
      const PetscInt i = d->element[(d->dim + 1) * t + k];
      if (i < d->n_owned) out[i] += force;
    }
  }
  PetscCall(VecRestoreArray(y, &out));
  PetscCall(give_back(e->u, &local[1], &u));
  return give_back(e->c, &local[0], &c);
}

PetscErrorCode mt_elastic_fields(const MtElastic *e, double *strain, double *stress) {
  const PetscScalar *c, *u;
  Vec local[2];
  PetscCall(borrow(e->c, &local[0], &c));
  PetscCall(borrow(e->u, &local[1], &u));
  for (PetscInt t = 0; t < e->domain->ne; t++) {
    double one[6], two[6], V;
    element_state(e, t, c, u, one, two, NULL, &V);
    for (int k = 0; k < 6; k++) {
      if (strain) strain[6 * t + k] = one[k];
      if (stress) stress[6 * t + k] = two[k];
    }
  }
  PetscCall(give_back(e->u, &local[1], &u));
  return give_back(e->c, &local[0], &c);
}

double mt_elastic_curvature(const MtElastic *e) {
  double most = 0;
  for (int k = 0; k < 2; k++) {
    double s[6];
    mt_stiffness_stress(&e->model.phase[k], e->model.misfit, s);
    most = fmax(most, contract(s, e->model.misfit));
  }
  return .5 * most;
}

void mt_elastic_count(const MtElastic *e, int64_t *iterations, int64_t *solves) {
  *iterations = e->iterations;
  *solves = e->solves;
}
