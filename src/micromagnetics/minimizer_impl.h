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
  Vec y;            /* preconditioned gradient */
  Vec d;            /* search direction */
  Vec m_new, g_new; /* trial state */

  double B[3];      /* T */
  double rtol;      /* of the next demagnetizing solve */
  double rtol_here; /* of that of the current state */
  double rate;      /* torque after the last step over that before */
  double stiffness; /* T: what the demagnetizing field added to the curvature along the last step */
  bool restart;     /* the next direction forgets the last one */
  bool tight;       /* the potential as exact as it gets, whatever the torque */
  double torque;    /* T */
  double best;      /* T: smallest torque so far */
  int idle;         /* iterations in a row that lowered neither energy nor torque visibly */
  int64_t worst;    /* file id */
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

#endif
