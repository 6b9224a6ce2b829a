/* Grain growth: an order parameter for each grain, kept only at the nodes around the grain.
 *
 * F = int m ((1 - s)^2/4 + sum_{i<j} (gamma_ij - 1/2) eta_i^2 eta_j^2) + kappa/2 sum |grad eta_i|^2, s = sum eta_i^2;
 * d eta_i/dt = -L dF/d eta_i.  Source: N. Moelans, B. Blanpain, P. Wollants, Phys. Rev. B 78 (2008) 024113.
 * Grains with bulk energies e_i add int sum e_i eta_i^2/s (N. Moelans, Acta Mater. 59 (2011) 1077).
 * Lengths in nm, energy densities in J/m3, times in s; grains are numbered from 0. */
#ifndef MAGTWIN_GRAINGROWTH_H
#define MAGTWIN_GRAINGROWTH_H

#include "magtwin/phasefield.h"
#include <stdint.h>

/* Energy and mobility of the boundary of two grains. */
typedef enum {
  MT_BOUNDARY_CONSTANT,
  MT_BOUNDARY_READ_SHOCKLEY, /* by the angle between the grains */
  MT_BOUNDARY_TABLE          /* by the pair */
} MtBoundaryKind;
typedef struct {
  MtBoundaryKind kind;
  double energy, mobility; /* J/m2, m4/(J s); of the table's: the largest energy */
  double lowest;           /* J/m2, least energy of any pair */
  double cutoff;           /* deg, angle from which on the energy is the whole */
  double slowest;          /* m4/(J s): by the angle too, mobilities fall to this; 0: all are alike */
  int ngrains;
  double *orientation; /* [4 ngrains] unit quaternions w x y z, crystal (tetragonal, 422) -> sample; owned */
  int npairs;
  int32_t *pair;                       /* [2 npairs] ascending, the smaller grain first; owned */
  double *pair_energy, *pair_mobility; /* [npairs]; owned */
} MtBoundaryLaw;
void mt_boundary_law_free(MtBoundaryLaw *law); /* a zeroed struct is fine */
/* J/m2 and m4/(J s) of a pair; false: the table does not have it.  Plain C. */
bool mt_boundary(const MtBoundaryLaw *law, int32_t a, int32_t b, double *energy, double *mobility);
/* The least angle that turns one tetragonal lattice into another, deg.  Plain C. */
double mt_disorientation(const double a[4], const double b[4]);

/* sigma = g(gamma) sqrt(m kappa), by the path of least action between the wells; gamma > 1/2.  Plain C. */
double mt_grain_energy_factor(double gamma);
/* Coefficients for boundaries of that law: the one of the largest energy is `width` nm wide, sqrt(kappa/(m f0)), f0 the
 * height of its saddle; others are wider, by about the ratio of the energies.  All scaled to nm, J/m3, s. */
typedef struct {
  double kappa, m;          /* J/m3 nm2; J/m3 */
  bool uniform;             /* all boundaries alike: */
  double gamma, rate;       /* of them; else of the largest energy; rate L in 1/s per J/m3 */
  MtFreeEnergy inverse;     /* gamma of g, a spline; owned */
  const double *bulk;       /* [grains] J/m3, none below 0; NULL: grains have none; the caller's */
  const bool *conserved;    /* [grains] those whose volume together stays; NULL: none; the caller's */
  const MtProgram *program; /* every L is the one above times exp(-activation/RT(t)); NULL: as it is; not owned */
  double activation;        /* J/mol */
} MtGrainModel;
void mt_grain_model(const MtBoundaryLaw *law, double width, MtGrainModel *model);
void mt_grain_model_free(MtGrainModel *model);
/* gamma and L of a boundary of that energy (J/m2) and mobility (m4/(J s)); not of uniform models.  Plain C. */
double mt_grain_model_gamma(const MtGrainModel *model, double energy);
double mt_grain_model_rate(const MtGrainModel *model, double energy, double mobility);

/* A grain in a magnetic field. */
typedef struct {
  double field[3];       /* T, mu0 H in the grains */
  double polarization;   /* Js, T; 0: not ferromagnetic */
  double anisotropy;     /* K1 along c, J/m3; infinite: Js stays along c */
  double susceptibility; /* along c less that across, beside Js */
} MtGrainMagnet;
/* J/m3 of a grain with the unit vector c along its axis, in one domain of the least energy (E. C. Stoner, E. P.
 * Wohlfarth, Phil. Trans. R. Soc. A 240 (1948) 599; W. W. Mullins, Acta Metall. 4 (1956) 421).  Plain C. */
double mt_grain_magnetic(const MtGrainMagnet *m, const double c[3]);

typedef struct {
  double threshold;        /* an order parameter is active where it or a neighbour is above; dropped below a tenth */
  double newton_tolerance; /* as in MtFlowOptions */
  double linear_rtol;
} MtGrainOptions;

/* The state and its march in time (BDF2 as in MtMarch). */
typedef struct MtGrowth MtGrowth; /* opaque */
/* domain, law and model are kept and must outlive *grains.  Collective. */
PetscErrorCode mt_growth_create(const MtDomain *domain, const MtBoundaryLaw *law, const MtGrainModel *model,
                                const MtGrainOptions *opt, const MtMarchOptions *march, MtGrowth **grains);
PetscErrorCode mt_growth_destroy(MtGrowth **grains);
/* Begins with eta = 1 of the grain label[i] at owned node i, sharp.  ngrains: on every rank alike.  Collective. */
PetscErrorCode mt_growth_start(MtGrowth *grains, int ngrains, const int32_t *label, double t);
MtMarchState *mt_growth_state(MtGrowth *grains);
int mt_growth_number(const MtGrowth *grains); /* at the beginning */
/* As mt_march_step.  MT_ERR_FAIL also where a pair meets that the table of boundaries does not have.  Collective. */
PetscErrorCode mt_growth_step(MtGrowth *grains, double until);
MtFlowEnergy mt_growth_energy(const MtGrowth *grains);
double mt_growth_pressure(const MtGrowth *grains); /* J/m3, of conserved grains over others; 0: there are none */

/* The grain of the largest order parameter, and sum eta^2, as fields of rows.  Collective. */
PetscErrorCode mt_growth_fields(MtGrowth *grains, Vec grain, Vec sum);
/* Share of the domain of each grain, int eta_i^2/s, volume [ngrains] nm3 (nm2); its largest order parameter, peak
 * [ngrains]: a grain is gone where that is below 1/2; surface [ngrains] of each (nm2; nm), int |grad eta_i^2/s|, half
 * the sum of which is the area of all boundaries; on every rank.  Collective. */
PetscErrorCode mt_growth_measure(MtGrowth *grains, double *volume, double *peak, double *surface);
/* Of each grain [mt_growth_number]: volume, peak and surface as above; x, nm, its centroid, in a periodic box within it
 * (of a grain that reaches less than half a period from there); with how many grains it shares a boundary, on rank 0:
 * those with which an edge joins it across a face of the nodes' cells, and that are there (peak > 1/2).  Collective. */
typedef struct {
  double volume, peak, surface, x[3];
  int neighbours;
} MtGrainRecord;
PetscErrorCode mt_growth_statistics(MtGrowth *grains, MtGrainRecord *of);
/* Active (node, grain) pairs, and the most at a node, over all ranks.  Collective. */
PetscErrorCode mt_growth_pairs(const MtGrowth *grains, int64_t *pairs, int *most);
/* The active pairs and their three states, as datasets under /state by file id, and back (then ready for the next
 * step).  Collective. */
PetscErrorCode mt_growth_save(const MtGrowth *grains, struct MtH5 *f);
PetscErrorCode mt_growth_load(MtGrowth *grains, struct MtH5 *f);

#endif
