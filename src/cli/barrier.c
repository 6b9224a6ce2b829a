/* magtwin barrier: energy barriers between two states, and the coercivity at finite temperature. */
#include "magtwin/barrier.h"
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"

static void tell(const CliArgs *args, const char *folder, bool stopped) {
  if (stopped) {
    mt_log("stopped by a signal; continue %s: magtwin barrier %s --resume (same overrides)", folder, args->file);
    return;
  }
  mt_log("wrote %s: barriers.csv, barrier.csv, summary.json and states", folder);
  mt_log("look at it: magtwin plot %s", folder);
}

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in, int *code) {
  const char *folder = mt_input_string(in, "output.folder");
  char mesh[CLI_PATH];
  bool stopped = false;
  MtJson *json;
  if (args->force && args->resume)
    return mt_error(MT_ERR_INPUT, "--force starts anew and --resume continues: give one of them");
  PetscCall(mt_barrier_check(in));
  PetscCall(mt_barrier_check_ranks(comm, in));
  PetscCall(mt_materials_check(comm, in));
  if (args->resume) PetscCall(cli_resumable(comm, folder, "barriers.csv"));
  if (!args->resume) PetscCall(cli_start_is_safe(comm, in, "barrier.initial_file", folder));
  if (!args->resume) PetscCall(cli_start_is_safe(comm, in, "barrier.final_file", folder));
  PetscCall(mt_output_open(comm, folder, "barriers.csv curve.csv dynamics.csv", args->force, args->resume));
  PetscCall(mt_summary_begin(comm, "barrier", in, &json));
  PetscCall(cli_demag_mesh(comm, in, folder, args->force, json, mesh));
  PetscCall(mt_barrier_run(comm, in, mesh, folder, args->resume, json, &stopped));
  PetscCall(mt_summary_end(comm, folder, &json));
  tell(args, folder, stopped);
  *code = stopped ? MT_EXIT_RESUBMIT : 0;
  return 0;
}

PetscErrorCode cli_barrier(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in, code);
  mt_input_destroy(&in);
  return rc;
}
