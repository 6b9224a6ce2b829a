/* magtwin dynamics: the Landau-Lifshitz-Gilbert equation in time, on whatever the input gives: grains or a mesh. */
#include "magtwin/dynamics.h"
#include "cli.h"

static PetscErrorCode check(MPI_Comm comm, const MtInput *in) {
  (void)comm;
  return mt_dynamics_check(in);
}

PetscErrorCode cli_dynamics(const CliArgs *args, int *code) {
  static const CliSimulation sim = {.table = "dynamics.csv",
                                    .wrote = "dynamics.csv, summary.json and states",
                                    .starts = {"dynamics.initial_file"},
                                    .check = check,
                                    .run = mt_dynamics_run};
  return cli_simulate(args, &sim, code);
}
