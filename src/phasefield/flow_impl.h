/* The inside of a gradient flow. */
#ifndef MT_PHASEFIELD_FLOW_IMPL_H
#define MT_PHASEFIELD_FLOW_IMPL_H

#include "magtwin/phasefield.h"

typedef struct {
  KSP ksp; /* one cycle of AMG on alpha w + beta K; NULL: not made yet */
  Mat A;
  double alpha, beta; /* of A */
} MtFlowFactor;

struct MtFlow {
  const MtDomain *domain;
  MtFlowModel model;
  MtFlowOptions opt;
  double mobility0;      /* model.mobility and energy hold those of the time of the last residual */
  MtFreeEnergy energy;   /* shares the arrays of model.energy */
  Mat K;                 /* NULL: diffusion */
  Vec w;                 /* lumped weights */
  double volume;         /* sum of w */
  double mean_curvature; /* of f over the domain at the state of the last residual */

  Mat S;                                /* shell: the linear system of a Newton step */
  double shift;                         /* of S */
  Vec curvature;                        /* f'' */
  KSP ksp;                              /* of diffusion: MtDiffusion's */
  MtFlowFactor factor[2];               /* of the preconditioner; relaxed flows have one */
  const MtFlowFactor *second;           /* of the two in a product; may be the first again */
  double source_t;                      /* the time of `source`, NAN: none yet */
  Vec source;                           /* NULL: none */
  Vec residual, delta, mu, work, inner; /* inner: of the preconditioner */
};

/* The mobility and the energy of time t, of the model's numbers as they are now. */
void mt_flow_set_time(MtFlow *flow, double t);
/* y = f'(c) w + kappa K c, f'' in `curvature` if wanted.  Collective. */
PetscErrorCode mt_flow_gradient(MtFlow *flow, Vec c, Vec y, bool curvature);
/* y = w G mu: M K mu or L w mu.  Collective. */
PetscErrorCode mt_flow_transport(MtFlow *flow, Vec mu, Vec y);
/* Makes S and its solver; sets them for a shift, the preconditioner anew where it has become too different. */
PetscErrorCode mt_flow_solver_create(MtFlow *flow);
PetscErrorCode mt_flow_solver_set(MtFlow *flow, double t, double shift);
PetscErrorCode mt_flow_solver_destroy(MtFlow *flow);
/* Energies of the faces between elements of different grains, dealt to their nodes: wall [n_owned]; area of all faces,
 * nm^(dim - 1).  grain [ne]; energy in J/m2, the same both ways.  Collective. */
PetscErrorCode mt_wall_create(const MtDomain *d, const int *grain, double (*energy)(const void *context, int a, int b),
                              const void *context, double *wall, double *area);
/* Of the energy of a boundary: the part that is left beside c, and its two derivatives.  Plain C. */
void mt_wall_at(const MtFlowModel *m, double c, double p[3]);
/* The multigrid of all phase fields: one cycle, options "-evolve_pc_*". */
PetscErrorCode mt_flow_choose_amg(PC pc, int dim);
/* s(t) -> source. */
PetscErrorCode mt_flow_source(MtFlow *flow, double t);

#endif
