/* magtwin register: two pictures of one section laid on one another. */
#include "cli.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include "magtwin/tomography.h"

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in) {
  const char *folder = mt_input_string(in, "output.folder");
  MtJson *json;
  PetscCall(mt_output_open(comm, folder, "residual.csv " CLI_TABLES, args->force, false));
  PetscCall(mt_summary_begin(comm, "register", in, &json));
  PetscCall(mt_register_pictures(comm, in, folder, json));
  PetscCall(mt_summary_clear(comm, folder, "register"));
  PetscCall(mt_summary_end(comm, folder, &json));
  mt_log("wrote %s/residual.csv, board.png (squares of both pictures) and summary.json", folder);
  return 0;
}

PetscErrorCode cli_register(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in);
  mt_input_destroy(&in);
  *code = 0;
  return rc;
}
