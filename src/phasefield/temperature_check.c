/* A temperature program must act on something, or its run would be taken for one at those temperatures. */
#include "evolve_impl.h"
#include "kks_input.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <string.h>

static bool any_medium(const MtInput *in) {
  const int n = mt_input_count(in, "diffusion.media");
  for (int m = 0; m < n; m++)
    if (mt_input_real(in, "diffusion.media[%d].Q", m) > 0) return true;
  return false;
}

static PetscErrorCode any_phase(const MtInput *in, bool *any) {
  MtProgram program;
  MtKksModel m = {0};
  PetscErrorCode rc = mt_diffusion_program(in, &program);
  if (!rc) rc = mt_kks_model(in, &program, &m);
  if (!rc) {
    *any = m.activation > 0 || m.phase[0].Q > 0 || m.phase[1].Q > 0 || mt_kks_follows(&m);
    mt_kks_free(&m);
  }
  mt_program_free(&program);
  return rc;
}

static PetscErrorCode any_energy(const MtInput *in, bool *any) {
  MtFreeEnergy e;
  PetscErrorCode rc = mt_evolve_energy(in, &e);
  if (rc) return rc;
  *any = mt_input_real(in, "phasefield.activation") > 0 || mt_free_energy_follows(&e);
  mt_free_energy_free(&e);
  return 0;
}

PetscErrorCode mt_temperature_check(const MtInput *in) {
  bool any = false;
  PetscErrorCode rc = 0;
  if (!mt_input_has(in, "temperature.time")) return 0;
  if (mt_evolve_diffuses(in))
    any = any_medium(in);
  else if (mt_evolve_two_phases(in))
    rc = any_phase(in, &any);
  else if (mt_grain_growth_asked(in))
    any = mt_input_real(in, "phasefield.activation") > 0;
  else
    rc = any_energy(in, &any);
  if (rc || any) return rc;
  return mt_input_error(in, "temperature.time",
                        "acts on nothing: no activation energy (phasefield.activation, Q) is above 0, and no free "
                        "energy follows the temperature");
}

/* `key` fixes the temperature of a free energy that would follow the program. */
static void warn_fixed(const MtInput *in, const char *key) {
  if (mt_input_has(in, "temperature.time") && mt_input_has(in, "%s", key))
    mt_warn("%s is given: this free energy stays that of %g K while section temperature changes the mobilities; "
            "leave it out, and it follows",
            key, mt_input_real(in, "%s", key));
}

void mt_temperature_warn(const MtInput *in) {
  if (mt_evolve_two_phases(in)) {
    warn_fixed(in, "kks.phases[0].temperature");
    warn_fixed(in, "kks.phases[1].temperature");
  } else if (!mt_evolve_diffuses(in)) {
    warn_fixed(in, "phasefield.solution.temperature");
  }
}
