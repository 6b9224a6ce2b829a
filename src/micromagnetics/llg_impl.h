/* What the integrator of the Landau-Lifshitz-Gilbert equation keeps; shared by the files llg*.c only. */
#ifndef MT_MICROMAGNETICS_LLG_IMPL_H
#define MT_MICROMAGNETICS_LLG_IMPL_H

#include "magtwin/llg.h"
#include "preconditioner.h"

enum { MT_LLG_STAGES = 7 };

/* A Rosenbrock-W or explicit Runge-Kutta method, in the variables in which a stage needs no product with the Jacobian
 * (E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, IV.7.25):
 *     (1/(dt gamma) - J) u_i = f(y + sum a_ij u_j) + sum c_ij u_j/dt,   y1 = y + sum m_j u_j;
 * explicit: u_i = dt f(...). */
typedef struct {
  int stages;
  int order;     /* of the error estimate: it shrinks as dt^order */
  bool implicit; /* else gamma and c are 0 */
  bool fsal;     /* the last stage is the state at the end of the step */
  double gamma;
  double time[MT_LLG_STAGES];                /* of the stages, in units of dt */
  double a[MT_LLG_STAGES][MT_LLG_STAGES];    /* strictly lower triangular */
  double c[MT_LLG_STAGES][MT_LLG_STAGES];    /* the same */
  double m[MT_LLG_STAGES], e[MT_LLG_STAGES]; /* weights of the step, and of its estimated error */
} MtLlgScheme;
void mt_llg_scheme(MtLlgMethod method, MtLlgScheme *scheme);

/* The linear systems of the stages: (shift M (alpha + m x) + H) u = M (alpha + m x) r with M = moment/mu0 and the local
 * Hessian H of the state m, by GMRES with the blocks of the diagonal. */
typedef struct {
  MtEnergy *energy;    /* not owned */
  const double *alpha; /* [n] not owned */
  MtPrecond local;     /* its Hessian */
  double shift;        /* T */
  double *inverse;     /* [6n] of the diagonal's blocks: symmetric part */
  double *skew;        /* [n] and the factor of m x */
  Vec m;               /* not owned */
  Vec rhs;
  Mat A;
  KSP ksp;
} MtLlgSystem;
/* rtol: relative residual, in the norm of the preconditioner. */
PetscErrorCode mt_llg_system_create(MtEnergy *e, const double *alpha, double rtol, MtLlgSystem *s);
PetscErrorCode mt_llg_system_destroy(MtLlgSystem *s);
/* For the state m with derivative g.  Not collective. */
PetscErrorCode mt_llg_system_state(MtLlgSystem *s, Vec m, Vec g);
PetscErrorCode mt_llg_system_shift(MtLlgSystem *s, double shift);
/* r (T, tangent) -> u; *its counts.  Collective. */
PetscErrorCode mt_llg_system_solve(MtLlgSystem *s, Vec r, Vec u, double *its);

struct MtLlg {
  MtEnergy *energy; /* not owned */
  MtLlgOptions opt;
  MtLlgScheme scheme;
  MtLlgField field; /* at NULL: constant_B */
  double constant_B[3];
  MtLlgMonitor monitor;
  void *monitor_ctx;
  double gamma;  /* rad/(ns T) */
  double *alpha; /* [n] */
  Mat drift;     /* moment-weighted u.grad of the three components; NULL: no current */
  MtLlgSystem system;

  Vec m;                /* the state; the caller's */
  Vec g;                /* its dE/dm */
  Vec m_stage, g_stage; /* state of a stage, or after the step tried */
  Vec rate, y, grad;    /* dm/dt; tangent vector of the stage or step; (u.grad) m times moment */
  Vec u[MT_LLG_STAGES]; /* unknowns of the stages */
  Vec potential;        /* of m; NULL without demagnetizing field */
  double B[3];          /* T, applied, in which g was computed */
  MtEnergyValues E;
  double torque; /* T */
  int64_t worst; /* file id */
  MtLlgProgress now;
  bool kept_system; /* the system belongs to m */
};

/* The state m at time t in the piece of the field that holds `from` -> g, E, B; counts.  *good: all is finite.
 * Collective. */
PetscErrorCode mt_llg_eval(MtLlg *llg, Vec m, double from, double t, double demag_rtol, MtEnergyValues *E, double B[3],
                           Vec g, bool *good);
/* One step of dt from m: m_stage is the new state (g_stage its derivative if the scheme is fsal), llg->y the step in
 * the tangent planes of m.  *error: over the tolerance; *good: false if it cannot be judged (not finite, or too long).
 * worst: file id of the node with the largest error.  Collective. */
PetscErrorCode mt_llg_step(MtLlg *llg, double dt, double *error, int64_t *worst, MtEnergyValues *E, double B[3],
                           bool *good);

#endif
