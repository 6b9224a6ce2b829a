/* magtwin barrier: energy barriers between two states, and the coercivity at finite temperature. */
#include "magtwin/barrier.h"
#include "cli.h"

static PetscErrorCode check(MPI_Comm comm, const MtInput *in) {
  PetscErrorCode rc = mt_barrier_check(in);
  return rc ? rc : mt_barrier_check_ranks(comm, in);
}

PetscErrorCode cli_barrier(const CliArgs *args, int *code) {
  static const CliSimulation sim = {.table = "barriers.csv",
                                    .wrote = "barriers.csv, barrier.csv, summary.json and states",
                                    .starts = {"barrier.initial_file", "barrier.final_file"},
                                    .check = check,
                                    .run = mt_barrier_run};
  return cli_simulate(args, &sim, code);
}
