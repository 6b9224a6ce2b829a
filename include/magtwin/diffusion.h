/* Diffusion through media of different diffusivity: lattice, grain boundaries, junctions.  Fluxes -D grad c with c
 * continuous; the ends are closed but where c is fixed.  Formulas and sources: docs/numerics.md, "Phase field". */
#ifndef MAGTWIN_DIFFUSION_H
#define MAGTWIN_DIFFUSION_H

#include "magtwin/phasefield.h"

/* D = D0 exp(-Q/RT) */
typedef struct {
  double D0; /* nm2/s */
  double Q;  /* J/mol */
} MtMedium;
typedef struct {
  int n;                    /* media */
  const MtMedium *medium;   /* [n], copied */
  const int *of;            /* [domain->ne] medium of each local element, copied */
  const MtProgram *program; /* NULL or n = 0: only where all Q are 0; not owned */
  const double *fixed;      /* [domain->n_owned] c where it is fixed, NAN elsewhere; NULL: nowhere; copied */
  double linear_rtol;       /* of each linear solve */
} MtDiffusionModel;
/* domain and program are kept and must outlive *diffusion.  Collective. */
PetscErrorCode mt_diffusion_create(const MtDomain *domain, const MtDiffusionModel *model, MtDiffusion **diffusion);
PetscErrorCode mt_diffusion_destroy(MtDiffusion **diffusion);
/* Sets c where it is fixed.  Collective. */
PetscErrorCode mt_diffusion_impose(const MtDiffusion *d, Vec c);
/* Is c fixed nowhere?  Then its mean stays.  Not collective (the same on every rank). */
bool mt_diffusion_closed(const MtDiffusion *d);
/* Zeros where c is fixed.  Collective. */
PetscErrorCode mt_diffusion_release(const MtDiffusion *d, Vec v);
/* y = K_D(t) c, what leaves each node, nm2/s times nm^(dim - 2); 0 where c is fixed.  Collective. */
PetscErrorCode mt_diffusion_apply(MtDiffusion *d, double t, Vec c, Vec y);
/* The numbers of medium m, 0 <= m < n, and setting them.  Not collective (the same on every rank). */
MtMedium mt_diffusion_medium(const MtDiffusion *d, int m);
void mt_diffusion_set(MtDiffusion *d, int m, MtMedium medium);
/* y = the derivative of K_D(t) c by D0 of medium m or, with barrier, by its Q; per nm2/s and J/mol.  Collective. */
PetscErrorCode mt_diffusion_number(MtDiffusion *d, int m, bool barrier, double t, Vec c, Vec y);
/* Sets the operator shift w + K_D(t) of *ksp (conjugate gradients, AMG), the preconditioner anew where it has become
 * too different; *ksp is d's.  Right sides must be 0 where c is fixed.  Collective. */
PetscErrorCode mt_diffusion_system(MtDiffusion *d, double t, double shift, Vec w, KSP *ksp);
/* What the preconditioner was last made of: shift, T; 0: not yet.  And making it of given ones.  As mt_flow_amg. */
void mt_diffusion_amg(const MtDiffusion *d, double amg[4]);
PetscErrorCode mt_diffusion_set_amg(MtDiffusion *d, Vec w, const double amg[4]);

#endif
