/* magtwin invert: parameters of a phase field from snapshots of it. */
#include "magtwin/invert.h"
#include "cli.h"
#include "magtwin/evolve.h"

static PetscErrorCode check(MPI_Comm comm, const MtInput *in) {
  (void)comm;
  PetscErrorCode rc = mt_evolve_check(in);
  return rc ? rc : mt_invert_check(in);
}

PetscErrorCode cli_invert(const CliArgs *args, int *code) {
  static const CliSimulation sim = {.table = "invert.csv",
                                    .wrote = "invert.csv, parameters.csv, snapshots.h5 and summary.json",
                                    .check = check,
                                    .nonmagnetic = true,
                                    .run = mt_invert_run};
  return cli_simulate(args, &sim, code);
}
