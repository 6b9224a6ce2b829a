/* Two phases of a composition (S. G. Kim, W. T. Kim, T. Suzuki, Phys. Rev. E 60 (1999) 7186): at each place phi, the
 * share of phase 1, and c; inside an interface both phases have the same chemical potential.  Formulas:
 * docs/numerics.md, "Phase field". */
#ifndef MAGTWIN_KKS_H
#define MAGTWIN_KKS_H

#include "magtwin/phasefield.h"

/* A phase: f(c) + (1 - c) tilt[0] + c tilt[1], convex; diffusivity D0 exp(-Q/RT). */
typedef struct {
  MtFreeEnergy f;
  double tilt[2];    /* J/m3 */
  double entropy[2]; /* J/(m3 K): tilt falls by this for each K above the model's reference */
  double D0, Q;      /* nm2/s, J/mol */
} MtKksPhase;
/* Both side by side. */
typedef struct {
  double c[2], curvature[2]; /* f'' there, J/m3 */
} MtKksEquilibrium;
/* c of both phases in equilibrium (liquidus and solidus) at ascending temperatures, straight lines between. */
typedef struct {
  int n;            /* 0: no diagram */
  double *T, *c[2]; /* [n] K; owned */
} MtKksDiagram;
typedef struct {
  MtKksPhase phase[2];          /* at phi = 0 and at phi = 1 */
  double well, kappa;           /* J/m3, J/m3 nm2: W phi^2 (1 - phi)^2 + kappa/2 |grad phi|^2 */
  double rate;                  /* L of dphi/dt = -L dF/dphi, 1/s per J/m3, times exp(-activation/RT(t)); 0: that of
                                   local equilibrium, with the current against trapping */
  double activation;            /* J/mol */
  MtKksEquilibrium equilibrium; /* for it */
  double reference;             /* K */
  MtKksDiagram diagram;         /* sets the tilt of phase[1], so that the common tangent touches there */
  const MtProgram *program;     /* NULL: no temperatures; not owned */
} MtKksModel;
/* well and kappa of an interface of energy sigma (J/m2) that is tanh(x/width) (nm). */
void mt_kks_interface(MtKksModel *m, double sigma, double width);
void mt_kks_free(MtKksModel *m); /* the energies of its phases, the diagram */
/* Do the phases follow the temperature; c in equilibrium by a diagram at T (K), its ends continued; the model at T,
 * with its tilts and equilibrium: shares its arrays with m, never to be freed.  Plain C. */
bool mt_kks_follows(const MtKksModel *m);
void mt_kks_diagram_at(const MtKksDiagram *d, double T, double c[2]);
void mt_kks_heated(const MtKksModel *m, double T, MtKksModel *now);
/* f, f', f'' of a phase with its tilt.  Plain C. */
void mt_kks_phase_at(const MtKksPhase *p, double c, double f[3]);
/* The compositions that a phase may have: its own range, or 0 to 1 where that has no end.  Plain C. */
void mt_kks_phase_range(const MtKksPhase *p, double *low, double *high);
/* Where f'' <= 0 of a phase between low and high, so that it cannot be used there; NAN: nowhere.  Plain C. */
double mt_kks_concave(const MtKksPhase *p, double low, double high);

/* How many common tangents the phases have between their ends (0 and 1 where they have none), and the first. Plain C.
 */
int mt_kks_equilibrium(const MtKksModel *m, MtKksEquilibrium *e);
/* The L with which an interface has no kinetics of its own, to first order in its width over the diffusion lengths, at
 * the diffusivities D (nm2/s) of both phases; the model's equilibrium is set.  1/s per J/m3.  Plain C. */
double mt_kks_local_equilibrium(const MtKksModel *m, const double D[2]);
/* A of the current against trapping A h (1 - h) (c1 - c0) v that goes with it: (M0 - M1)/max(M0, M1).  Plain C. */
double mt_kks_uneven(const MtKksModel *m, const double D[2]);

/* One place. */
typedef struct {
  double c[2];      /* of the phases */
  double f;         /* of both and the well, J/m3 */
  double mu, chi;   /* their potential, J/m3; dc/dmu at fixed phi */
  double slope;     /* df/dphi at fixed c */
  double s, second; /* -h'(c1 - c0) = chi d2f/dphi dc; d2f/dphi2 at fixed mu */
  double mobility;  /* M of the flux -M grad mu */
} MtKksPoint;
/* D: nm2/s of both phases now.  false: no c of the phases is found (phases that are not convex).  Plain C. */
bool mt_kks_at(const MtKksModel *m, const double D[2], double phi, double c, MtKksPoint *p);

enum { MT_KKS_PHI, MT_KKS_C, MT_KKS_FIELDS };
typedef struct MtKks MtKks; /* opaque */
/* domain and model are kept and must outlive *kks.  Collective. */
PetscErrorCode mt_kks_create(const MtDomain *domain, const MtKksModel *model, const MtFlowOptions *opt,
                             const MtMarchOptions *march, MtKks **kks);
PetscErrorCode mt_kks_destroy(MtKks **kks);
/* As mt_march_field, _state, _start, _continue, _step, _energy; c is conserved to rounding. */
Vec mt_kks_field(MtKks *kks, int back, int field);
MtMarchState *mt_kks_state(MtKks *kks);
PetscErrorCode mt_kks_start(MtKks *kks, double t);
PetscErrorCode mt_kks_continue(MtKks *kks);
PetscErrorCode mt_kks_step(MtKks *kks, double until);
MtFlowEnergy mt_kks_energy(const MtKks *kks);
/* L, 1/s per J/m3; c of both phases in equilibrium, where L comes from it.  Not collective. */
double mt_kks_rate_at(MtKks *kks, double t);
void mt_kks_equilibrium_at(MtKks *kks, double t, double c[2]);
/* Means of c and of h(phi), the share of phase 1.  Collective. */
PetscErrorCode mt_kks_means(MtKks *kks, double *c, double *share);

#endif
