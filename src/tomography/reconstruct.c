/* magtwin reconstruct, grains of source stack: slices to labelled grains. */
#include "magtwin/error.h"
#include "magtwin/run.h"
#include "stages.h"
#include <string.h>

PetscErrorCode mt_stack_reconstruct(MPI_Comm comm, const MtInput *in, const char *folder, MtLabels *l, MtJson *json) {
  MtStages m = {.comm = comm, .in = in, .folder = folder, .json = json};
  memset(l, 0, sizeof *l);
  mt_json_object(json, "stack");
  mt_phase_begin("reading of the slices");
  PetscErrorCode rc = mt_stack_read(comm, in, &m.s, json);
  mt_phase_end("reading of the slices");
  if (!rc) rc = mt_stages_clean(&m);
  if (!rc) rc = mt_stages_label(&m, l);
  if (!rc) rc = mt_truth_labels(&m, l);
  mt_json_end(json);
  mt_stack_free(&m.s);
  mt_drift_free(&m.drift);
  if (rc) mt_labels_free(l);
  return rc;
}
