/* magtwin demag: the demagnetization curve, from whatever the input gives: grains or a mesh. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"

static void tell(const CliArgs *args, const char *folder, bool stopped) {
  if (stopped) {
    mt_log("stopped by a signal; continue %s: magtwin demag %s --resume (same overrides)", folder, args->file);
    return;
  }
  mt_log("wrote %s: curve.csv, summary.json, states and the switching-field map", folder);
  mt_log("look at it: magtwin plot %s", folder);
}

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in, int *code) {
  const char *folder = mt_input_string(in, "output.folder");
  char mesh[CLI_PATH];
  bool stopped = false;
  MtJson *json;
  if (args->force && args->resume)
    return mt_error(MT_ERR_INPUT, "--force starts anew and --resume continues: give one of them");
  PetscCall(mt_demag_check(in));
  PetscCall(mt_materials_check(comm, in));
  PetscCall(cli_start_is_safe(comm, in, "field.initial_file", folder));
  if (args->resume) PetscCall(cli_resumable(comm, folder, "curve.csv"));
  PetscCall(mt_output_open(comm, folder, "curve.csv dynamics.csv", args->force, args->resume));
  PetscCall(mt_summary_begin(comm, "demag", in, &json));
  PetscCall(cli_demag_mesh(comm, in, folder, args->force, json, mesh));
  PetscCall(mt_hysteresis_run(comm, in, mesh, folder, args->resume, json, &stopped));
  PetscCall(mt_summary_end(comm, folder, &json));
  tell(args, folder, stopped);
  *code = stopped ? MT_EXIT_RESUBMIT : 0;
  return 0;
}

PetscErrorCode cli_demag(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in, code);
  mt_input_destroy(&in);
  return rc;
}
