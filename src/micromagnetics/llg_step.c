/* One step of the Landau-Lifshitz-Gilbert equation: stages, new state, estimated error.
 *
 * The step lives in the tangent planes of its first state m: y -> ((1 - a^2) m + y)/(1 + a^2), a = |y|/2, is a chart of
 * the spheres, so any Runge-Kutta method for y keeps |m| = 1 and its order (methods on manifolds in local coordinates:
 * H. Munthe-Kaas, BIT 38 (1998) 92; E. Hairer, C. Lubich, G. Wanner, Geometric Numerical Integration (2006) IV.5). */
#include "kernels.h"
#include "llg_impl.h"
#include "llg_kernels.h"
#include "magtwin/error.h"
#include <math.h>

static const double TURN = 1.5; /* rad: of the longest step */

PetscErrorCode mt_llg_eval(MtLlg *llg, Vec m, double from, double t, double demag_rtol, MtEnergyValues *E, double B[3],
                           Vec g, bool *good) {
  llg->field.at(llg->field.ctx, from, t, B);
  PetscCall(mt_energy_eval(llg->energy, m, B, demag_rtol, E, g));
  llg->now.evaluations++;
  *good = isfinite(E->total);
  return 0;
}

/* The drift term at a node, from the moment-weighted derivative along u; zero without a current. */
static void drift_at(const MtLlg *llg, PetscInt i, const double m[3], const PetscScalar *grad, double s[3]) {
  double a[3];
  for (int c = 0; c < 3; c++) s[c] = 0;
  if (!grad) return;
  for (int c = 0; c < 3; c++) a[c] = grad[3 * i + c] / llg->energy->moment[i];
  mt_kernel_llg_drift(m, a, llg->opt.xi, s);
}

/* The nodes' part of rate_of: all arrays of the owned nodes; grad NULL: no current. */
static void rate_nodes(const MtLlg *llg, const PetscScalar *x0, const PetscScalar *x, const PetscScalar *d,
                       const PetscScalar *grad, PetscScalar *f) {
  for (PetscInt i = 0; i < llg->energy->n; i++) {
    double B[3], s[3], rate[3], w = -MT_MU0 / llg->energy->moment[i];
    for (int c = 0; c < 3; c++) B[c] = w * d[3 * i + c];
    drift_at(llg, i, x + 3 * i, grad, s);
    mt_kernel_llg_rate(x + 3 * i, B, s, llg->gamma, llg->alpha[i], rate);
    mt_kernel_llg_pull(x0 + 3 * i, x + 3 * i, rate, f + 3 * i);
  }
}

/* f = dy/dt in the chart of llg->m at the state m with derivative g. */
static PetscErrorCode rate_of(MtLlg *llg, Vec m, Vec g, Vec f) {
  const PetscScalar *x0, *x, *d, *grad = NULL;
  PetscScalar *v;
  if (llg->drift) {
    PetscCall(MatMult(llg->drift, m, llg->grad));
    PetscCall(VecGetArrayRead(llg->grad, &grad));
  }
  PetscCall(VecGetArrayRead(llg->m, &x0));
  PetscCall(VecGetArrayRead(m, &x)); /* the same once more where m is the first stage */
  PetscCall(VecGetArrayRead(g, &d));
  PetscCall(VecGetArray(f, &v));
  rate_nodes(llg, x0, x, d, grad, v);
  PetscCall(VecRestoreArray(f, &v));
  PetscCall(VecRestoreArrayRead(g, &d));
  PetscCall(VecRestoreArrayRead(m, &x));
  PetscCall(VecRestoreArrayRead(llg->m, &x0));
  return grad ? VecRestoreArrayRead(llg->grad, &grad) : 0;
}

/* m_stage: llg->m turned by the tangent vector y, of length 1 to the last digit. */
static PetscErrorCode turn_by(MtLlg *llg, Vec y, Vec turned) {
  const PetscScalar *x, *d;
  PetscScalar *z;
  PetscCall(VecGetArrayRead(llg->m, &x));
  PetscCall(VecGetArrayRead(y, &d));
  PetscCall(VecGetArray(turned, &z));
  for (PetscInt i = 0; i < llg->energy->n; i++) {
    mt_kernel_turn(x + 3 * i, d + 3 * i, 1, z + 3 * i);
    double norm = sqrt(mt_dot3(z + 3 * i, z + 3 * i));
    for (int c = 0; c < 3; c++) z[3 * i + c] /= norm;
  }
  PetscCall(VecRestoreArray(turned, &z));
  PetscCall(VecRestoreArrayRead(y, &d));
  return VecRestoreArrayRead(llg->m, &x);
}

/* y = sum w_j u_j */
static PetscErrorCode combine(MtLlg *llg, int n, const double *w, Vec y) {
  PetscCall(VecSet(y, 0));
  return VecMAXPY(y, n, w, llg->u);
}

/* Largest length of a node's vector in v, with the file id of the node (the smallest of several); INFINITY if not
 * finite. */
static PetscErrorCode longest(MtLlg *llg, Vec v, double *length, int64_t *vid) {
  const PetscScalar *x;
  double most = 0;
  int64_t at = INT64_MAX;
  PetscCall(VecGetArrayRead(v, &x));
  for (PetscInt i = 0; i < llg->energy->n; i++) {
    double d = sqrt(mt_dot3(x + 3 * i, x + 3 * i));
    if (!isfinite(d)) d = INFINITY;
    int64_t id = llg->energy->mesh->vid[llg->energy->nodes->node[i]];
    if (d > most || (d == most && id < at)) {
      most = d;
      at = id;
    }
  }
  PetscCall(VecRestoreArrayRead(v, &x));
  PetscCallMPI(MPI_Allreduce(&most, length, 1, MPI_DOUBLE, MPI_MAX, llg->energy->mesh->comm));
  if (most < *length) at = INT64_MAX;
  PetscCallMPI(MPI_Allreduce(&at, vid, 1, MPI_INT64_T, MPI_MIN, llg->energy->mesh->comm));
  return 0;
}

/* u_i from the rate of the stage. */
static PetscErrorCode stage_unknown(MtLlg *llg, int i, double dt, Vec rate) {
  const MtLlgScheme *s = &llg->scheme;
  double w[MT_LLG_STAGES];
  if (!s->implicit) {
    PetscCall(VecCopy(rate, llg->u[i]));
    return VecScale(llg->u[i], dt);
  }
  for (int j = 0; j < i; j++) w[j] = s->c[i][j] / dt;
  PetscCall(VecMAXPY(rate, i, w, llg->u));
  PetscCall(VecScale(rate, 1 / llg->gamma));
  return mt_llg_system_solve(&llg->system, rate, llg->u[i], &llg->now.inner_iterations);
}

static PetscErrorCode stage(MtLlg *llg, int i, double dt, MtEnergyValues *E, double B[3], bool *good) {
  const MtLlgScheme *s = &llg->scheme;
  *good = true;
  if (i == 0) {
    PetscCall(rate_of(llg, llg->m, llg->g, llg->rate));
    return stage_unknown(llg, i, dt, llg->rate);
  }
  double length;
  int64_t vid;
  PetscCall(combine(llg, i, s->a[i], llg->y));
  PetscCall(longest(llg, llg->y, &length, &vid));
  *good = length < TURN;
  if (!*good) return 0;
  PetscCall(turn_by(llg, llg->y, llg->m_stage));
  PetscCall(mt_llg_eval(llg, llg->m_stage, llg->now.t, llg->now.t + s->time[i] * dt, llg->opt.demag_rtol, E, B,
                        llg->g_stage, good));
  if (!*good) return 0;
  PetscCall(rate_of(llg, llg->m_stage, llg->g_stage, llg->rate));
  return stage_unknown(llg, i, dt, llg->rate);
}

static PetscErrorCode prepare(MtLlg *llg, double dt) {
  if (!llg->scheme.implicit) return 0;
  if (!llg->kept_system) PetscCall(mt_llg_system_state(&llg->system, llg->m, llg->g));
  llg->kept_system = true;
  return mt_llg_system_shift(&llg->system, 1 / (dt * llg->scheme.gamma * llg->gamma));
}

PetscErrorCode mt_llg_step(MtLlg *llg, double dt, double *error, int64_t *worst, MtEnergyValues *E, double B[3],
                           bool *good) {
  const MtLlgScheme *s = &llg->scheme;
  double length;
  int64_t vid;
  *good = true;
  *error = INFINITY;
  *worst = INT64_MAX;
  PetscCall(prepare(llg, dt));
  for (int i = 0; i < s->stages && *good; i++) PetscCall(stage(llg, i, dt, E, B, good));
  if (!*good) return 0;
  PetscCall(combine(llg, s->stages, s->e, llg->y));
  PetscCall(longest(llg, llg->y, error, worst));
  *error /= llg->opt.tolerance;
  PetscCall(combine(llg, s->stages, s->m, llg->y));
  PetscCall(longest(llg, llg->y, &length, &vid));
  *good = length < TURN && isfinite(*error);
  return *good && !s->fsal ? turn_by(llg, llg->y, llg->m_stage) : 0;
}
