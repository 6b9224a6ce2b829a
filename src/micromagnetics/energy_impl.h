/* What the energy keeps; shared by the files energy*.c and the preconditioner, not by anyone else. */
#ifndef MT_MICROMAGNETICS_ENERGY_IMPL_H
#define MT_MICROMAGNETICS_ENERGY_IMPL_H

#include "magtwin/micromagnetics.h"

/* mu0^-1 and A/nm^2 bring every term to J/m3 x nm3. */
#define MT_PER_NM2 1e18

struct MtEnergy {
  const MtMesh *mesh; /* not owned */
  MtNodes *nodes;     /* those of tets with Js > 0 */
  PetscInt n;         /* owned magnetic nodes */
  double *moment;     /* [n] sum of Js V/4, T nm3, > 0 */
  double volume;      /* of everything that is not air, nm3 */
  double moment_sum;  /* of all ranks, T nm3 */

  Mat exchange;              /* coefficient 2A, J/m3 x nm3, scalar */
  Mat exchange3;             /* the same for the three components */
  double *exchange_diagonal; /* [n] */

  /* anisotropy: the node's distinct axes with the box weights K V/4 (J/m3 nm3) of the elements that have them */
  PetscInt *axis_start; /* [n+1] */
  double *axis;         /* [3 axis_start[n]] unit */
  double *K1, *K2;      /* [axis_start[n]] */

  MtPoisson *poisson; /* NULL: no demagnetizing field */
  Mat D, G;           /* right side from m, and field at the nodes from the potential */
  Vec b, u, Au;       /* rows of the mesh; u in T nm, kept as the next start */
  Vec work;           /* rows 3n */
  double rtol;        /* of the last demagnetizing solve */
};

/* Energy and derivative of one term on this rank's nodes: adds to g, returns the rank's part of E. */
PetscErrorCode mt_energy_local_exchange(MtEnergy *e, Vec m, double *E, Vec g);
PetscErrorCode mt_energy_local_anisotropy(MtEnergy *e, Vec m, double *E, Vec g);
PetscErrorCode mt_energy_local_demag(MtEnergy *e, Vec m, double rtol, double *E, Vec g);

#endif
