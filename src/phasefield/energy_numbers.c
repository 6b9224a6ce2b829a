/* The numbers of a free energy, and its derivatives by them: each is a free energy again. */
#include "magtwin/adjoint.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

int mt_free_energy_count(const MtFreeEnergy *e) {
  return e->kind == MT_ENERGY_REGULAR_SOLUTION ? 2 : e->n;
}

double mt_free_energy_get(const MtFreeEnergy *e, int k) {
  if (e->kind == MT_ENERGY_REGULAR_SOLUTION) return k == 0 ? e->rt : e->omega;
  return e->a[k];
}

void mt_free_energy_set(MtFreeEnergy *e, int k, double value) {
  if (e->kind == MT_ENERGY_REGULAR_SOLUTION) {
    *(k == 0 ? &e->rt : &e->omega) = value;
    return;
  }
  e->a[k] = value;
  if (e->kind != MT_ENERGY_TABLE) return;
  free(e->second);
  mt_free_energy_spline(e);
}

static void unit_polynomial(int n, int k, MtFreeEnergy *d) {
  d->kind = MT_ENERGY_POLYNOMIAL;
  d->n = n;
  d->a = mt_calloc((size_t)n, sizeof *d->a);
  d->a[k] = 1;
}

/* f = h (c - a)^2 (b - c)^2: by h as it is with h = 1, by a and b a polynomial. */
static void of_double_well(const MtFreeEnergy *e, int k, MtFreeEnergy *d) {
  const double h = e->a[0], a = e->a[1], b = e->a[2];
  if (k == 0) {
    d->kind = MT_ENERGY_DOUBLE_WELL;
    d->n = 3;
    d->a = mt_malloc(3 * sizeof *d->a);
    memcpy(d->a, (const double[]){1, a, b}, 3 * sizeof *d->a);
    return;
  }
  const double once = k == 1 ? a : b, twice = k == 1 ? b : a; /* -2h (c - once)(c - twice)^2 */
  unit_polynomial(4, 3, d);
  d->a[0] = 2 * h * once * twice * twice;
  d->a[1] = -2 * h * (twice * twice + 2 * once * twice);
  d->a[2] = 2 * h * (once + 2 * twice);
  d->a[3] = -2 * h;
}

/* A natural spline is linear in its values. */
static void of_table(const MtFreeEnergy *e, int k, MtFreeEnergy *d) {
  unit_polynomial(e->n, k, d);
  d->kind = MT_ENERGY_TABLE;
  d->c = mt_malloc((size_t)e->n * sizeof *d->c);
  memcpy(d->c, e->c, (size_t)e->n * sizeof *d->c);
  mt_free_energy_spline(d);
}

void mt_free_energy_derivative(const MtFreeEnergy *e, int k, MtFreeEnergy *d) {
  *d = (MtFreeEnergy){.kind = e->kind, .low = e->low, .high = e->high};
  if (e->kind == MT_ENERGY_DOUBLE_WELL)
    of_double_well(e, k, d);
  else if (e->kind == MT_ENERGY_POLYNOMIAL)
    unit_polynomial(e->n, k, d);
  else if (e->kind == MT_ENERGY_TABLE)
    of_table(e, k, d);
  else
    *(k == 0 ? &d->rt : &d->omega) = 1;
}
