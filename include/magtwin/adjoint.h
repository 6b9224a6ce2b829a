/* A gradient flow to first order: its implicit step linearized at a state, solved as it is and transposed, and its
 * derivatives by the numbers of the model (phasefield.h).  Formulas: docs/numerics.md, "Parameters from snapshots". */
#ifndef MAGTWIN_ADJOINT_H
#define MAGTWIN_ADJOINT_H

#include "magtwin/phasefield.h"

/* A number of the model: kappa, the mobility, or number k of the free energy (of a double well height, low, high; of a
 * polynomial its coefficients; of a regular solution rt, omega; of a table its values); of diffusion D0 or Q of medium
 * k; OTHER: by which there are no derivatives. */
typedef enum {
  MT_NUMBER_KAPPA,
  MT_NUMBER_MOBILITY,
  MT_NUMBER_ENERGY,
  MT_NUMBER_DIFFUSIVITY,
  MT_NUMBER_BARRIER,
  MT_NUMBER_OTHER
} MtFlowNumberKind;
typedef struct {
  MtFlowNumberKind kind;
  int k;
} MtFlowNumber;

/* How many numbers the free energy has, and number k in the unit of MtFreeEnergy.  mt_free_energy_set keeps a table's
 * spline up to date.  Plain C. */
int mt_free_energy_count(const MtFreeEnergy *e);
double mt_free_energy_get(const MtFreeEnergy *e, int k);
void mt_free_energy_set(MtFreeEnergy *e, int k, double value);
/* The derivative of f by number k, which is a free energy itself; freed with mt_free_energy_free.  Plain C. */
void mt_free_energy_derivative(const MtFreeEnergy *e, int k, MtFreeEnergy *d);

typedef struct MtFlowLinear MtFlowLinear; /* opaque */
/* Solves to `rtol` of the right side.  flow is kept and must outlive it.  Collective, as all below. */
PetscErrorCode mt_flow_linear_create(MtFlow *flow, double rtol, MtFlowLinear **linear);
PetscErrorCode mt_flow_linear_destroy(MtFlowLinear **linear);
/* Other kappa and mobility; those of the free energy and of diffusion are changed where they are. */
PetscErrorCode mt_flow_set_numbers(MtFlow *flow, double kappa, double mobility);
/* The step to time t solves R(c) = w shift (c - b) + w G mu(c) - w s = 0 (mt_flow_solve): S = dR/dc at c. */
PetscErrorCode mt_flow_linear_at(MtFlowLinear *linear, double t, double shift, Vec c);
/* S x = y, or S' x = y.  x begins at 0.  MT_ERR_FAIL where the iteration does not converge. */
PetscErrorCode mt_flow_linear_solve(MtFlowLinear *linear, bool transposed, Vec y, Vec x);
/* y = dR/d(number) at the state of mt_flow_linear_at, per unit of MtFlowModel, MtFreeEnergy and MtMedium; `derivative`
 * is that of the free energy by it (NULL for the others). */
PetscErrorCode mt_flow_linear_number(MtFlowLinear *linear, MtFlowNumber number, const MtFreeEnergy *derivative, Vec y);
/* The lumped weights w; the flow's. */
Vec mt_flow_weights(const MtFlow *flow);
/* Iterations of all its solves so far. */
double mt_flow_linear_iterations(const MtFlowLinear *linear);

#endif
