/* magtwin topology: images -> persistence diagrams. */
#include "magtwin/topology.h"
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in, int *code) {
  const char *folder = mt_input_string(in, "output.folder");
  bool stopped;
  MtJson *json;
  if (args->force && args->resume)
    return mt_error(MT_ERR_INPUT, "--force starts anew and --resume continues: give one of them");
  PetscCall(mt_output_open(comm, folder, "diagrams.h5 diagrams " CLI_TABLES, args->force, args->resume));
  PetscCall(mt_summary_begin(comm, "topology", in, &json));
  PetscCall(mt_topology_run(comm, in, folder, args->resume, json, &stopped));
  PetscCall(mt_summary_clear(comm, folder, "topology"));
  if (stopped) mt_json_bool(json, "stopped", true);
  PetscCall(mt_summary_end(comm, folder, &json));
  if (stopped)
    mt_log("stopped by a signal; continue %s: magtwin topology %s --resume (same overrides)", folder, args->file);
  else
    mt_log("wrote %s: diagrams.h5, diagrams/, features.h5, images.csv, summary.json; look at it: magtwin plot %s",
           folder, folder);
  *code = stopped ? MT_EXIT_RESUBMIT : 0;
  return 0;
}

PetscErrorCode cli_topology(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in, code);
  mt_input_destroy(&in);
  return rc;
}
