/* magtwin check: is this input valid, and what does it mean with all defaults filled in. */
#include "cli.h"
#include "magtwin/log.h"

PetscErrorCode cli_check(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, "output", &in));
  mt_log("# %s with all defaults, in canonical units (lengths nm, fields T, energies J/m3)\n%s# ok", mt_input_path(in),
         mt_input_canonical(in));
  mt_input_destroy(&in);
  *code = 0;
  return 0;
}
