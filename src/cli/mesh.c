/* magtwin mesh: grains -> mesh.h5. */
#include "cli.h"
#include "magtwin/log.h"
#include "magtwin/microstructure.h"
#include "magtwin/run.h"

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in) {
  const char *folder = mt_input_string(in, "output.folder");
  char path[CLI_PATH];
  MtJson *json;
  PetscCall(cli_path(path, folder, "mesh.h5"));
  PetscCall(mt_output_open(comm, folder, "mesh.h5 " CLI_TABLES, args->force, false));
  PetscCall(mt_summary_begin(comm, "mesh", in, &json));
  PetscCall(cli_lengths_report(comm, in, json));
  PetscCall(mt_microstructure_build(comm, in, path, json));
  PetscCall(mt_summary_clear(comm, folder, "mesh"));
  PetscCall(mt_summary_end(comm, folder, &json));
  mt_log("wrote %s and %s/summary.json; next: magtwin demag %s%s", path, folder, args->file,
         args->nwords ? " (same overrides)" : "");
  return 0;
}

PetscErrorCode cli_mesh(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in);
  mt_input_destroy(&in);
  *code = 0;
  return rc;
}
