/* magtwin generate: grains by chance -> the slices that a microscope would take of them, and the truth beside. */
#include "cli.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include "magtwin/tomography.h"

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in) {
  const char *folder = mt_input_string(in, "output.folder");
  MtJson *json;
  PetscCall(mt_output_open(comm, folder, "truth.h5 labels.h5 mesh.h5 curve.csv", args->force, false));
  PetscCall(mt_summary_begin(comm, "generate", in, &json));
  mt_phase_begin("drawing of the stack");
  PetscCall(mt_stack_generate(comm, in, folder, json));
  mt_phase_end("drawing of the stack");
  PetscCall(mt_summary_clear(comm, folder, "generate"));
  PetscCall(mt_summary_end(comm, folder, &json));
  mt_log("wrote %s/slices, truth.h5, truth_grains.csv, truth_drift.csv; next: magtwin reconstruct %s/reconstruct.yaml",
         folder, folder);
  return 0;
}

PetscErrorCode cli_generate(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in);
  mt_input_destroy(&in);
  *code = 0;
  return rc;
}
