/* magtwin barrier: energy barriers between two states, and the coercivity at finite temperature. */
#include "magtwin/barrier.h"
#include "cli.h"
#include "magtwin/error.h"

static PetscErrorCode check(MPI_Comm comm, const MtInput *in) {
  PetscErrorCode rc = mt_barrier_check(in);
  return rc ? rc : mt_barrier_check_ranks(comm, in);
}

/* Fields without a converged path, of the one run of this process: known in the end, when everything is written. */
static int missing;

static PetscErrorCode run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder, bool resume,
                          MtJson *json, bool *stopped) {
  return mt_barrier_run(comm, in, mesh_path, folder, resume, json, stopped, &missing);
}

PetscErrorCode cli_barrier(const CliArgs *args, int *code) {
  static const CliSimulation sim = {.table = "barriers.csv",
                                    .wrote = "barriers.csv, barrier.csv, summary.json and states",
                                    .starts = {"barrier.initial_file", "barrier.final_file"},
                                    .check = check,
                                    .run = run};
  PetscErrorCode rc = cli_simulate(args, &sim, code);
  if (rc || *code || !missing) return rc;
  return mt_error(
      MT_ERR_FAIL,
      "no path of %d of the fields has converged: see the column end of barriers.csv; begin again with more "
      "barrier.max_rounds or other barrier.images",
      missing);
}
