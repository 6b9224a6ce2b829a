/* magtwin demag: the demagnetization curve, from whatever the input gives: grains or a mesh. */
#include "cli.h"
#include "magtwin/measured.h"
#include "magtwin/micromagnetics.h"

static PetscErrorCode check(MPI_Comm comm, const MtInput *in) {
  PetscErrorCode rc = mt_demag_check(in);
  return rc ? rc : mt_measured_check(comm, in);
}

PetscErrorCode cli_demag(const CliArgs *args, int *code) {
  static const CliSimulation sim = {.table = "curve.csv",
                                    .wrote = "curve.csv, summary.json, states and the switching-field map",
                                    .starts = {"field.initial_file"},
                                    .check = check,
                                    .run = mt_hysteresis_run};
  return cli_simulate(args, &sim, code);
}
