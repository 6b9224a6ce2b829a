/* Whether the mesh can hold the interface that a free energy makes.
 *
 * Across a flat interface c = tanh(x/l) between the wells of h (c - a)^2 (b - c)^2, l = sqrt(2 kappa/h)/(b - a)
 * (J. W. Cahn, J. E. Hilliard, J. Chem. Phys. 28 (1958) 258); the least f'' of that energy is -h (b - a)^2, so that
 * l = sqrt(2 kappa/-f''), which serves any energy with a spinodal: 2 pi l/sqrt(2) is the least wave length that grows
 * there. */
#include "evolve_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>

enum { SAMPLES = 4000 };
static const double NM2 = 1e18;                 /* m2 -> nm2 */
static const double ENOUGH = 2.5, LEAST = 0.75; /* edges across 2 l */

/* All zeros of f'' of a polynomial lie within this of 0 (Cauchy). */
static double bound(const MtFreeEnergy *e) {
  const int n = e->n - 1;
  double most = 0;
  for (int k = 2; k < n; k++) most = fmax(most, fabs(k * (k - 1.) * e->a[k] / (n * (n - 1.) * e->a[n])));
  return 1 + most;
}

static double least_curvature(const MtFreeEnergy *e) {
  double low = e->low, high = e->high, least = INFINITY, f[3];
  if (e->kind == MT_ENERGY_DOUBLE_WELL) low = e->a[1], high = e->a[2];
  if (e->kind == MT_ENERGY_POLYNOMIAL) low = fmax(low, -bound(e)), high = fmin(high, bound(e));
  for (int i = 0; i <= SAMPLES; i++) {
    mt_free_energy_at(e, low + (high - low) * i / SAMPLES, f);
    least = fmin(least, f[2]);
  }
  return least;
}

static double longest_edge(const MtDomain *d) {
  double x[4][3], most = 0;
  for (PetscInt t = 0; t < d->ne; t++) {
    mt_domain_corners(d, t, x);
    for (int i = 0; i <= d->dim; i++)
      for (int j = i + 1; j <= d->dim; j++)
        most = fmax(most, hypot(hypot(x[i][0] - x[j][0], x[i][1] - x[j][1]), x[i][2] - x[j][2]));
  }
  return most;
}

/* The least f'' of the free energy over its temperature program: f'' is linear in T, so one of the corners has it. */
static PetscErrorCode curvature_of(const MtInput *in, double *curvature) {
  MtFreeEnergy e;
  MtProgram p;
  PetscErrorCode rc = mt_evolve_energy(in, &e);
  if (rc) return rc;
  rc = mt_diffusion_program(in, &p);
  if (!rc && p.n == 0) *curvature = least_curvature(&e);
  for (int i = 0; !rc && i < p.n; i++) {
    const MtFreeEnergy heated = mt_free_energy_heated(&e, p.T[i]);
    *curvature = fmin(*curvature, least_curvature(&heated));
  }
  mt_program_free(&p);
  mt_free_energy_free(&e);
  return rc;
}

PetscErrorCode mt_evolve_resolved(const MtDomain *d, const MtInput *in) {
  double h = 0, curvature = 0;
  if (mt_evolve_diffuses(in) || mt_evolve_two_phases(in) || mt_grain_growth_asked(in)) return 0;
  PetscErrorCode rc = curvature_of(in, &curvature);
  if (rc || !(curvature < 0)) return rc; /* one phase */
  const double width = 2 * sqrt(2 * NM2 * mt_input_real(in, "phasefield.gradient_energy") / -curvature);
  for (int c = 0; c < d->box.dim; c++) h = fmax(h, d->box.size[c] / (double)d->box.cells[c]);
  if (d->mesh) h = longest_edge(d);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &h, 1, MPI_DOUBLE, MPI_MAX, d->comm));
  if (width < LEAST * h)
    return mt_input_error(
        in, "phasefield.gradient_energy",
        "makes interfaces %.3g nm wide, but the longest edge is %.3g nm: they would stick to the mesh; "
        "make the edges finer, best a third of that width, or kappa larger",
        width, h);
  if (width < ENOUGH * h)
    mt_warn(
        "interfaces are %.3g nm wide, only %.2g times the longest edge (%.3g nm), less than %g: they may stick to the "
        "mesh",
        width, width / h, h, ENOUGH);
  return 0;
}
