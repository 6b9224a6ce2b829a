/* Dynamics: the Landau-Lifshitz-Gilbert equation on the energy of micromagnetics.h,
 *     dm/dt = -gamma m x B + alpha m x dm/dt - (u.grad) m + xi m x (u.grad) m,    B = -(dE/dm) mu0/moment,
 * gamma = gamma0/mu0; time in ns, fields in T.  |m| = 1 holds exactly; the step follows an error estimate (src/
 * micromagnetics/llg.c has method and sources). */
#ifndef MAGTWIN_LLG_H
#define MAGTWIN_LLG_H

#include "magtwin/micromagnetics.h"

typedef enum {
  MT_LLG_IMPLICIT,       /* linearly implicit in exchange, anisotropy and field: ROS34PW2, order 3(2) */
  MT_LLG_DORMAND_PRINCE, /* explicit, order 5(4) */
  MT_LLG_HEUN            /* explicit, order 2(1): the textbook reference */
} MtLlgMethod;

typedef struct {
  MtLlgMethod method;
  double gamma0;      /* m/(A s) */
  double alpha;       /* of every node, until mt_llg_set_materials */
  double tolerance;   /* rad: estimated error of a step at any node */
  double dt_start;    /* ns: first step tried */
  double dt_min;      /* ns: where this is not short enough the run fails */
  double dt_max;      /* ns */
  double demag_rtol;  /* relative residual of the potential, in every stage */
  double velocity[3]; /* u, m/s = nm/ns: drift of the spins, Zhang and Li; 0: no current */
  double xi;          /* its nonadiabaticity */
} MtLlgOptions;
/* Implicit, MT_GAMMA, alpha 1, no current, and the tolerances `magtwin dynamics` has by default.  Not collective. */
MtLlgOptions mt_llg_defaults(void);

/* The applied field as a function of time, smooth between its kinks. */
typedef struct {
  void *ctx;
  /* B (T) at t as the piece that begins at or before `from` <= t continues it (ns).  Not collective. */
  void (*at)(void *ctx, double from, double t, double B[3]);
  /* The first kink after t, INFINITY if none; NULL: the field has no kinks. */
  double (*next_kink)(void *ctx, double t);
} MtLlgField;

/* How far a run is; numbers are doubles so that the struct is an array of them (checkpoints). */
typedef struct {
  double t;                                                             /* ns */
  double dt;                                                            /* ns: the next step to try */
  double error;                                                         /* of the last step over the tolerance */
  double steps, rejected;                                               /* accepted; tried in vain */
  double evaluations, demag_solves, demag_iterations, inner_iterations; /* inner: of the linear systems */
} MtLlgProgress;

typedef enum { MT_LLG_TIME, MT_LLG_TORQUE, MT_LLG_STOPPED } MtLlgEnd;
typedef struct {
  MtLlgEnd end;
  MtLlgProgress progress;
  MtEnergyValues energy;
  double B[3];        /* T, applied */
  double torque;      /* T, largest mu0 |m x H| */
  int64_t worst_node; /* file id of the node that has it */
} MtLlgReport;

/* Called after every accepted step, collectively.  Set *stop to end early. */
typedef PetscErrorCode (*MtLlgMonitor)(void *ctx, Vec m, const MtLlgReport *report, bool *stop);

typedef struct MtLlg MtLlg;
/* e is kept and must outlive *llg; opt is copied.  Collective. */
PetscErrorCode mt_llg_create(MtEnergy *e, const MtLlgOptions *opt, MtLlg **llg);
/* From the material of each region [regions.n]: alpha, at a node the mean weighted with Js V (if damping; else it stays
 * uniform), and the weights of the drift, which moves nothing before.  Collective. */
PetscErrorCode mt_llg_set_materials(MtLlg *llg, const MtMaterial *material, bool damping);
/* Not collective.  field is copied, its ctx must outlive the runs; monitor NULL: none. */
PetscErrorCode mt_llg_set_field(MtLlg *llg, const MtLlgField *field);
PetscErrorCode mt_llg_set_monitor(MtLlg *llg, MtLlgMonitor monitor, void *ctx);

/* One run in a constant field B (T) from t = 0: until t_end (ns), or until the largest torque falls below `torque` (T;
 * 0: never), or the monitor says so.  m: start in, state out.  MT_ERR_FAIL with time, node, region and field where no
 * step can be made or something is not finite; m is the last good state then.  Collective. */
PetscErrorCode mt_llg_run(MtLlg *llg, Vec m, const double B[3], double t_end, double torque, MtLlgReport *report);

/* The same in parts, in the field set before.  Start: m (the caller's, kept and changed until the next start or the
 * end); from NULL: t = 0.  With the m, the potential (mt_energy_potential) and the progress of an earlier run it goes
 * on to the bit.  Collective. */
PetscErrorCode mt_llg_start(MtLlg *llg, Vec m, const MtLlgProgress *from);
/* On to t_end; time and torque as above.  Collective. */
PetscErrorCode mt_llg_advance(MtLlg *llg, double t_end, double torque, MtLlgReport *report);

/* Sets *llg to NULL; NULL is fine.  Collective. */
PetscErrorCode mt_llg_destroy(MtLlg **llg);

#endif
