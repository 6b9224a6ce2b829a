/* magtwin peaks: a spectrum -> its peaks and their number. */
#include "magtwin/peaks.h"
#include "cli.h"
#include "magtwin/log.h"
#include "magtwin/run.h"

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in) {
  const char *folder = mt_input_string(in, "output.folder");
  MtJson *json;
  PetscCall(mt_output_open(comm, folder, "fit.csv unmix.h5 texture.h5 pca.h5 landscape.h5 diagrams.h5 " CLI_TABLES,
                           args->force, false));
  PetscCall(mt_summary_begin(comm, "peaks", in, &json));
  PetscErrorCode rc = mt_peaks_run(comm, in, folder, json);
  if (rc) {
    mt_json_free(&json);
    return rc;
  }
  PetscCall(mt_summary_clear(comm, folder, "peaks"));
  PetscCall(mt_summary_end(comm, folder, &json));
  mt_log("wrote %s: models.csv, peaks.csv, fit.csv, summary.json; look at it: magtwin plot %s", folder, folder);
  return 0;
}

PetscErrorCode cli_peaks(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in);
  mt_input_destroy(&in);
  *code = 0;
  return rc;
}
