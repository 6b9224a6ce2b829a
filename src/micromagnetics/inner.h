/* The inner solver of the preconditioner: conjugate gradients on A = (what couples nodes + a block a node) in the
 * tangent planes, preconditioned by symmetric Gauss-Seidel on this rank's nodes, in single precision.
 *
 * With L the couplings to earlier nodes of a rank and D' a positive definite block a node, the preconditioner is
 * (D' + L) D'^-1 (D' + L'), and its two sweeps hold the product with A: S. C. Eisenstat, SIAM J. Sci. Stat. Comput. 2
 * (1981) 1.  Two half rows a node and iteration are all that is read of the matrix.  Couplings between ranks are in A
 * only.
 *
 * An inner solution is a direction that a line search takes over; two digits of it are asked for, seven are kept, and
 * sums over nodes are in double precision.  Half the bytes, and four components at a time: this loop is where much of
 * a minimization's time goes.  Inner solvers in single precision: A. Buttari et al., ACM Trans. Math. Softw. 34 (2008)
 * 17. */
#ifndef MT_MICROMAGNETICS_INNER_H
#define MT_MICROMAGNETICS_INNER_H

#include "energy_impl.h"

typedef struct MtInner MtInner;

typedef struct {
  int iterations; /* at most */
  double rtol;    /* of the residual in the norm of the preconditioner */
} MtPrecondStop;

/* The operator and the blocks of its preconditioner; all borrowed. */
typedef struct {
  const float *factor; /* [6n] two tangent vectors a node, a and b, with a a' + b b' the inverse of its block D' */
  const float *block;  /* [3n] aa, ab, bb of the local part, without the couplings' diagonal */
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
