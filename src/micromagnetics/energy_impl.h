/* What the energy keeps; shared by the files energy*.c and the preconditioner, not by anyone else. */
#ifndef MT_MICROMAGNETICS_ENERGY_IMPL_H
#define MT_MICROMAGNETICS_ENERGY_IMPL_H

#include "magtwin/micromagnetics.h"

/* mu0^-1 and A/nm^2 bring every term to J/m3 x nm3. */
#define MT_PER_NM2 1e18
#define MT_PER_NM 1e9

/* Cubic anisotropy in the same way: the node's distinct crystals. */
typedef struct {
  PetscInt *start; /* [n+1]; NULL: none anywhere */
  double *frame;   /* [9 start[n]] rows: crystal x, y, z */
  double *K1, *K2; /* [start[n]] J/m3 nm3 */
} MtCubic;

struct MtEnergy {
  const MtMesh *mesh;         /* not owned */
  MtNodes *nodes;             /* those of tets with Js > 0 */
  PetscInt n;                 /* owned magnetic nodes */
  double *moment;             /* [n] sum of Js V/4, T nm3, > 0 */
  double volume;              /* of everything that is not air, nm3 */
  double moment_sum;          /* of all ranks, T nm3 */
  MtComposition *composition; /* NULL: constants by region */

  Mat exchange;              /* coefficient 2A, J/m3 x nm3, scalar */
  Mat exchange3;             /* the same for the three components */
  double *exchange_diagonal; /* [n] */

  /* anisotropy: the node's distinct axes with the box weights K V/4 (J/m3 nm3) of the elements that have them */
  PetscInt *axis_start; /* [n+1] */
  double *axis;         /* [3 axis_start[n]] unit */
  double *K1, *K2;      /* [axis_start[n]] */
  double *K3;           /* the same; NULL: 0 everywhere */
  MtCubic cubic;
  Mat between; /* rows 3n, second derivative of what the exact integral of K1 adds; NULL: box scheme */

  Mat interface;   /* scalar, second derivative of the coupling of split grains, J/m3 nm3; NULL: none */
  Mat interface3;  /* the same for the three components */
  Mat dmi;         /* rows 3n, second derivative of the DMI's energy, J/m3 nm3; NULL: none */
  double *surface; /* [6n] node tensors S of surface anisotropy, e = m.S m, J/m3 nm3; NULL: none */
  double *elastic; /* [6n] the same of the magneto-elastic term */

  MtPoisson *poisson; /* NULL: no demagnetizing field */
  Mat D, G;           /* right side from m, and field at the nodes from the potential */
  Vec b, u;           /* rows of the mesh; u in T nm, kept as the next start */
  Vec work;           /* rows 3n */
  double rtol;        /* of the last demagnetizing solve */

  struct MtPrecond *precond; /* of the minimizer (owned by it), lent out while that does not run; NULL: there is none */

  bool embedded;         /* the body is a cut-out of a larger sample (energy_mean.c): */
  double mean[6];        /* its demagnetizing factors less those of the sample, symmetric */
  double mean_stiffness; /* T, > 0: what their field can take from a stiffness at most */
};

/* Energy and derivative of one term on this rank's nodes: adds to g, returns the rank's part of E. */
PetscErrorCode mt_energy_local_exchange(MtEnergy *e, Vec m, double *E, Vec g);
PetscErrorCode mt_energy_local_anisotropy(MtEnergy *e, Vec m, double *E, Vec g);
/* Coupling of grains that have nodes of their own on shared faces (energy_interface.c).  Collective. */
PetscErrorCode mt_energy_setup_interface(MtEnergy *e, const MtMaterial *material, const MtEnergyExtras *extras);
/* materials.interfaces -> extras->interface.  MT_ERR_INPUT with the place.  Not collective. */
PetscErrorCode mt_interfaces_read(const MtInput *in, MtEnergyExtras *extras);
/* Refuses an entry of materials.interfaces whose pair the mesh cannot have.  Not collective. */
PetscErrorCode mt_interfaces_check(const MtInput *in, const MtRegions *r);
/* The grains of two regions as "3-7". */
void mt_pair_name(const MtRegions *r, int one, int other, char name[32]);
/* *E += 1/2 m.L m on this rank's nodes, g += L m. Collective. */
PetscErrorCode mt_energy_local_quadratic(MtEnergy *e, Mat L, Vec m, double *E, Vec g);
/* v - m (m.v) at every node, in place.  Not collective. */
PetscErrorCode mt_energy_tangent(const MtEnergy *e, Vec m, Vec v);
/* w = (exchange + coupling of interfaces + DMI + exact K1 less that of the box scheme) v: all of the second derivative
 * that couples nodes, but for the demagnetizing field's part. Collective. */
PetscErrorCode mt_energy_couplings(const MtEnergy *e, Vec v, Vec w);
/* w += those but for exchange, and whether there are any on some rank.  Collective; not collective. */
PetscErrorCode mt_energy_more_couplings(const MtEnergy *e, Vec v, Vec w);
bool mt_energy_has_more_couplings(const MtEnergy *e);
/* Terms that few runs have, each from what the materials say; nothing is made where none has it.  Collective. */
PetscErrorCode mt_energy_setup_more(MtEnergy *e, const MtMaterial *material, const MtEnergyExtras *extras);
PetscErrorCode mt_energy_free_more(MtEnergy *e);
PetscErrorCode mt_energy_local_more(MtEnergy *e, MtTerm term, Vec m, double *E, Vec g);
/* The node lists of anisotropy, from the materials of the regions; exact: K1 is integrated over the elements.
 * Collective. */
PetscErrorCode mt_energy_setup_anisotropy(MtEnergy *e, const MtMaterial *material, bool exact);
PetscErrorCode mt_energy_free_anisotropy(MtEnergy *e);
/* Whether a node has local terms besides uniaxial K1 and K2, and their second derivative there, added to the symmetric
 * matrix s. */
bool mt_energy_has_more(const MtEnergy *e);
void mt_energy_more_hessian(const MtEnergy *e, PetscInt node, const double m[3], double s[6]);
PetscErrorCode mt_energy_local_demag(MtEnergy *e, Vec m, double rtol, double *E, Vec g);
/* The part of it that a cut-out has: the derivative of its energy at v, which is linear in v, is added to g, the rank's
 * part of the energy to *E.  Nothing without embedding.  Collective. */
PetscErrorCode mt_energy_mean_field(MtEnergy *e, Vec v, double *E, Vec g);

/* "node 17 (region "grain 3")" for a node's file id, on every rank -> text.  Collective. */
PetscErrorCode mt_energy_place(MtEnergy *e, int64_t vid, size_t size, char *text);

#endif
