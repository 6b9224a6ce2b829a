/* Section kks.diagram: compositions of both phases in equilibrium against temperature. */
#include "evolve_impl.h"
#include "kks_input.h"
#include "magtwin/error.h"

static const char AT[] = "kks.diagram.temperature";
static const char *const SIDE[2] = {"kks.diagram.first", "kks.diagram.second"};

static PetscErrorCode check_side(const MtInput *in, const MtKksModel *m, int k) {
  double low, high;
  mt_kks_phase_range(&m->phase[k], &low, &high);
  for (int i = 0; i < m->diagram.n; i++) {
    const double c = m->diagram.c[k][i];
    if (!(c >= low && c <= high))
      return mt_input_error(in, SIDE[k], "has %g, but c of this phase is from %g to %g", c, low, high);
  }
  return 0;
}

static PetscErrorCode check_temperatures(const MtInput *in, const MtKksModel *m) {
  const MtKksDiagram *d = &m->diagram;
  for (int i = 1; i < d->n; i++)
    if (!(d->T[i] > d->T[i - 1]))
      return mt_input_error(in, AT, "must ascend, but entry %d is not above the one before", i + 1);
  if (!m->program) return mt_input_error(in, AT, "needs section temperature");
  for (int i = 0; i < m->program->n; i++) {
    const double T = m->program->T[i];
    if (!(T >= d->T[0] && T <= d->T[d->n - 1]))
      return mt_input_error(in, AT, "goes from %g to %g K, but section temperature to %g K", d->T[0], d->T[d->n - 1],
                            T);
  }
  return 0;
}

PetscErrorCode mt_kks_read_diagram(const MtInput *in, MtKksModel *m) {
  MtKksDiagram *d = &m->diagram;
  const int n = mt_input_count(in, AT);
  for (int k = 0; k < 2; k++)
    if (mt_input_count(in, "%s", SIDE[k]) != n)
      return mt_input_error(in, SIDE[k], "has %d values for %d temperatures", mt_input_count(in, "%s", SIDE[k]), n);
  if (n == 0) return 0;
  for (int i = 0; i < 2; i++)
    if (m->phase[1].tilt[i] != 0 || m->phase[1].entropy[i] != 0)
      return mt_input_error(in, AT, "sets the ends of the second phase: leave out its ends and entropies");
  d->T = mt_evolve_reals(in, AT, &d->n);
  for (int k = 0; k < 2; k++) d->c[k] = mt_evolve_reals(in, SIDE[k], &d->n);
  PetscErrorCode rc = check_temperatures(in, m);
  for (int k = 0; k < 2 && !rc; k++) rc = check_side(in, m, k);
  return rc;
}
