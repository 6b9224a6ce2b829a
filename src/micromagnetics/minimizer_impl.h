/* The minimizer's state; shared by minimizer.c and minimizer_search.c. */
#ifndef MT_MICROMAGNETICS_MINIMIZER_IMPL_H
#define MT_MICROMAGNETICS_MINIMIZER_IMPL_H

#include "preconditioner.h"

struct MtMinimizer {
  MtEnergy *energy; /* not owned */
  MtMinimizerOptions opt;
  MtPrecond pc;
  MtMinimizerMonitor monitor;
  void *monitor_ctx;

  Vec g;            /* dE/dm at the current state */
  Vec gp, gp_old;   /* its tangent part, and that of the state before, carried here */
  Vec y;            /* the inner solver's */
  Vec d;            /* search direction */
  Vec m_new, g_new; /* trial state; m_new also the inner solver's right side */

  double B[3];       /* T */
  double rtol;       /* of the next demagnetizing solve */
  double rtol_here;  /* of that of the current state */
  double t;          /* length of the last step along d */
  double rate;       /* torque after the last step over that before */
  double stiffness;  /* T: what the demagnetizing field added to the curvature along the last step */
  bool restart;      /* the next direction forgets the last one */
  bool moved;        /* a step has been taken: d is the last one, carried to where it led */
  bool expected;     /* the next run's start may be relaxed already */
  bool known_stable; /* the end of the next run need not be looked at */
  bool tight;        /* the potential as exact as it gets, whatever the torque */
  double torque;     /* T */
  double best;       /* T: smallest torque so far */
  int idle;          /* iterations in a row that lowered neither energy nor torque visibly */
  int64_t worst;     /* file id */
  MtEnergyValues E;
  MtMinimizerReport *report;
};

typedef struct {
  double t; /* last step tried */
  bool accepted;
  bool by_slope; /* the energies did not differ by more than their error */
} MtStep;
/* Looks along d from m for a step that lowers the energy.  On success m_new, g_new and *E
 * hold the new state.  slope: d.g at m, negative.  Collective. */
PetscErrorCode mt_minimizer_search(MtMinimizer *min, Vec m, double slope, MtEnergyValues *E, MtStep *step);
/* Evaluates a state, counts it, and ends the program's field step if it is not finite. */
PetscErrorCode mt_minimizer_eval(MtMinimizer *min, Vec m, double rtol, MtEnergyValues *E, Vec g);
/* turned: m after the step t along d.  Not collective. */
PetscErrorCode mt_minimizer_turn(const MtMinimizer *min, Vec m, double t, Vec turned);
/* How far two energies may differ by rounding and by potentials with this residual. */
double mt_minimizer_energy_error(const MtEnergyValues *E, double rtol);
/* The parts of a run: begin with the first evaluation of m, judge, end with the report. */
PetscErrorCode mt_minimizer_begin(MtMinimizer *min, Vec m, const double B[3], MtMinimizerReport *report);
PetscErrorCode mt_minimizer_end(MtMinimizer *min);
/* At most so many iterations from the current state, until it is relaxed, stuck, or the monitor stops it. */
PetscErrorCode mt_minimizer_descend(MtMinimizer *min, Vec m, int most, bool *stop);
/* Whether noise meets no curvature below margin (T) at m (mt_precond_probe): report->definite.  Changes gp and y. */
PetscErrorCode mt_minimizer_look_around(MtMinimizer *min, Vec m, double margin);
/* Torque below the limit, seen with the potential as exact as it gets. */
PetscErrorCode mt_minimizer_converged(MtMinimizer *min, Vec m, bool *yes);
/* The current state once more with the potential as exact as it gets, and the next one too. */
PetscErrorCode mt_minimizer_look_tight(MtMinimizer *min, Vec m);
/* The residual of the potential of the next state. */
double mt_minimizer_demag_rtol(const MtMinimizer *min);
/* The tangent part of g -> gp. */
PetscErrorCode mt_minimizer_tangent(MtMinimizer *min, Vec m);
/* Carries gp_old and d along the step t from m. */
PetscErrorCode mt_minimizer_carry(MtMinimizer *min, Vec m, double t);
/* m_new, g_new, E become the state; doubtful: the energy fell by no more than its error. */
PetscErrorCode mt_minimizer_take(MtMinimizer *min, Vec m, const MtEnergyValues *E, bool doubtful);
/* Many such steps in a row, without a smaller torque either. */
bool mt_minimizer_stuck(const MtMinimizer *min);

#endif
