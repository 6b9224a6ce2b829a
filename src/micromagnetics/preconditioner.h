/* The minimizer's preconditioner: exchange + local curvature, made positive definite where it is not. */
#ifndef MT_MICROMAGNETICS_PRECONDITIONER_H
#define MT_MICROMAGNETICS_PRECONDITIONER_H

#include "inner.h"

typedef struct MtPrecond {
  MtEnergy *energy; /* not owned */
  double floor;     /* T: smallest curvature of a node, times its moment */
  double shift;     /* T: added to the curvature of every node, times its moment; 0 if not set */
  double *hessian;  /* [6n] local curvature as symmetric tensors in the tangent planes, J/m3 nm3 */
  float *factor;    /* [6n] two tangent vectors a, b of each node: a a' + b b' = (|curvature| + exchange diagonal)^-1 */
  float *block;     /* [3n] the curvature between them as the last solve took it, with its signs or without */
  Vec ridge;        /* a covector whose square, times steepness, is added to every operator; NULL: none; not owned */
  double steepness; /* J/m3 nm3 */
  bool definite;    /* the last solve met no direction of negative curvature */
  MtInner *inner;   /* NULL before the first solve */
} MtPrecond;

PetscErrorCode mt_precond_create(MtEnergy *e, double floor, MtPrecond *pc);
PetscErrorCode mt_precond_destroy(MtPrecond *pc);
/* For the state m with derivative g.  Not collective. */
PetscErrorCode mt_precond_setup(MtPrecond *pc, Vec m, Vec g);
/* y = approximate inverse applied to the tangent field b: at most maxit conjugate gradients, until the residual in the
 * preconditioner's norm falls below rtol of its start; on exchange + local curvature, and once more with |local
 * curvature| if a direction of negative curvature is met.  y.b > 0.  Adds to *its.  Collective. */
PetscErrorCode mt_precond_apply(MtPrecond *pc, Vec m, Vec b, double rtol, int maxit, Vec y, int64_t *its);
/* The same on exchange + local curvature alone.  *definite: no direction of negative curvature was met; else y is of no
 * use. */
PetscErrorCode mt_precond_solve(MtPrecond *pc, Vec m, Vec b, const MtPrecondStop *stop, Vec y, bool *definite,
                                int64_t *its);
/* w = (exchange + local curvature) v for a tangent field v: the Hessian but for the demagnetizing field's part.
 * Collective. */
PetscErrorCode mt_precond_hessian(MtPrecond *pc, Vec m, Vec v, Vec w);
/* Second derivative of the energy along the tangent field d, without the demagnetizing field's own: dHd (J/m3 nm3); and
 * the sum of moment d^2/mu0 (J/m3 nm3 per T) that a uniform stiffness in T is multiplied with.  g: derivative at m.
 * Collective. */
PetscErrorCode mt_precond_along(MtPrecond *pc, Vec m, Vec g, Vec d, double *dHd, double *weight);

/* v: white noise times moment/mu0 (J/m3 nm3 per T), by file id, so the same on any number of ranks; not tangent.  Not
 * collective. */
PetscErrorCode mt_precond_noise(const MtPrecond *pc, Vec v);
/* Whether conjugate gradients from noise meet no direction of a curvature below `margin` (T), with that of the mean
 * field of an embedded body taken off; unlike a gradient, noise hides no mode by its symmetry.  b, y: work, rows 3n.
 * Adds to *its.  Collective. */
PetscErrorCode mt_precond_probe(MtPrecond *pc, Vec m, Vec g, double margin, Vec b, Vec y, bool *definite, int64_t *its);

#endif
