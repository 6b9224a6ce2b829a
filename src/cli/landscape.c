/* magtwin landscape: components and energies of a series -> the extended free energy. */
#include "magtwin/landscape.h"
#include "cli.h"
#include "magtwin/log.h"
#include "magtwin/run.h"

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in) {
  const char *folder = mt_input_string(in, "output.folder");
  MtJson *json;
  PetscCall(mt_output_open(comm, folder, "landscape.h5 pca.h5 diagrams.h5 " CLI_TABLES, args->force, false));
  PetscCall(mt_summary_begin(comm, "landscape", in, &json));
  PetscErrorCode rc = mt_landscape_run(comm, in, folder, json);
  if (rc) {
    mt_json_free(&json);
    return rc;
  }
  PetscCall(mt_summary_clear(comm, folder, "landscape"));
  PetscCall(mt_summary_end(comm, folder, &json));
  mt_log(
      "wrote %s: landscape.h5, landscape.csv, passes.csv, pca.h5, scores.csv, summary.json; look at it: magtwin plot "
      "%s",
      folder, folder);
  return 0;
}

PetscErrorCode cli_landscape(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in);
  mt_input_destroy(&in);
  *code = 0;
  return rc;
}
