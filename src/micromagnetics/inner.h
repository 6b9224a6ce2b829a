/* The inner solver of the preconditioner: conjugate gradients on (what couples nodes + a block a node) in the tangent
 * planes, in single precision.
 *
 * An inner solution is a direction that a line search takes over; two digits of it are asked for, seven are kept, and
 * sums over nodes are in double precision.  Half the bytes, and four components at a time: this loop is where most of
 * a minimization's time goes.  Inner solvers in single precision: A. Buttari et al., ACM Trans. Math. Softw. 34 (2008)
 * 17. */
#ifndef MT_MICROMAGNETICS_INNER_H
#define MT_MICROMAGNETICS_INNER_H

#include "energy_impl.h"

typedef struct MtInner MtInner;

typedef struct {
  int iterations; /* at most */
  double rtol;    /* of the residual in the norm of the blocks' inverses */
} MtPrecondStop;

/* The operator and its preconditioner; all borrowed. */
typedef struct {
  Vec m;               /* the state; rows 3n */
  const float *block;  /* [6n] symmetric tensor of each node, in its tangent plane, J/m3 nm3 */
  const float *jacobi; /* [6n] inverse of block + diagonal of the couplings, likewise */
  Vec ridge;           /* a covector whose square, times steepness, is added; NULL: none */
  double steepness;    /* J/m3 nm3 */
} MtInnerOperator;

/* Of the energy's couplings (mt_energy_couplings), whose exchange is copied.  The energy outlives it.  Collective. */
PetscErrorCode mt_inner_create(const MtEnergy *e, MtInner **inner);
PetscErrorCode mt_inner_destroy(MtInner **inner);
/* y = approximate solution for the tangent field b, from zero.  *definite: no direction of negative curvature was met;
 * a curvature below 1e-6 of the largest is not told from zero.  Adds to *its.  Collective. */
PetscErrorCode mt_inner_solve(MtInner *s, const MtInnerOperator *A, Vec b, const MtPrecondStop *stop, Vec y,
                              bool *definite, int64_t *its);

#endif
