/* magtwin dynamics: the Landau-Lifshitz-Gilbert equation in time, on whatever the input gives: grains or a mesh. */
#include "magtwin/dynamics.h"
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"

static void tell(const CliArgs *args, const char *folder, bool stopped) {
  if (stopped)
    mt_log("stopped by a signal; continue %s: magtwin dynamics %s --resume (same overrides)", folder, args->file);
  else
    mt_log("wrote %s: dynamics.csv, summary.json and states", folder);
}

static PetscErrorCode check(MPI_Comm comm, const CliArgs *args, const MtInput *in) {
  if (args->force && args->resume)
    return mt_error(MT_ERR_INPUT, "--force starts anew and --resume continues: give one of them");
  PetscErrorCode rc = mt_dynamics_check(in);
  if (!rc) rc = mt_materials_check(comm, in);
  if (!rc) rc = cli_start_is_safe(comm, in, "dynamics.initial_file", mt_input_string(in, "output.folder"));
  if (rc || !args->resume) return rc;
  return cli_resumable(comm, mt_input_string(in, "output.folder"), "dynamics.csv");
}

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in, int *code) {
  const char *folder = mt_input_string(in, "output.folder");
  char mesh[CLI_PATH];
  bool stopped = false;
  MtJson *json;
  PetscCall(check(comm, args, in));
  PetscCall(mt_output_open(comm, folder, "curve.csv dynamics.csv", args->force, args->resume));
  PetscCall(mt_summary_begin(comm, "dynamics", in, &json));
  PetscCall(cli_demag_mesh(comm, in, folder, args->force, json, mesh));
  PetscCall(mt_dynamics_run(comm, in, mesh, folder, args->resume, json, &stopped));
  PetscCall(mt_summary_end(comm, folder, &json));
  tell(args, folder, stopped);
  *code = stopped ? MT_EXIT_RESUBMIT : 0;
  return 0;
}

PetscErrorCode cli_dynamics(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in, code);
  mt_input_destroy(&in);
  return rc;
}
