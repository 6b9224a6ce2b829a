/* magtwin reconstruct: measured sections, a stack of pictures or a labelled volume -> labels.h5, and how well convex
 * cells describe the grains. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/microstructure.h"
#include "magtwin/run.h"
#include "magtwin/tomography.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static PetscErrorCode read_labels(MPI_Comm comm, const MtInput *in, MtLabels *labels, MtJson *json) {
  if (strcmp(mt_input_string(in, "grains.source"), "stack")) return mt_labels_read(comm, in, labels);
  if (!mt_input_has(in, "stack.files"))
    return mt_input_error(in, "grains.source", "is stack, but there is no section stack that says where it is");
  return mt_stack_reconstruct(comm, in, mt_input_string(in, "output.folder"), labels, json);
}

/* Axes for the grains' aspects: those that were measured, or else the one they were drawn about. */
static PetscErrorCode measure(MPI_Comm comm, const MtInput *in, const MtLabels *labels, MtJson *json) {
  const char *folder = mt_input_string(in, "output.folder");
  if (!labels->axes_drawn) return mt_labels_statistics(comm, labels, labels->axis, folder, json);
  double c[3], *axis = mt_malloc(3 * (size_t)labels->ngrains * sizeof *axis);
  mt_input_vec3(in, c, "grains.texture_axis");
  const double length = hypot(hypot(c[0], c[1]), c[2]);
  for (int i = 0; i < 3 * labels->ngrains; i++) axis[i] = c[i % 3] / length;
  PetscErrorCode rc = mt_labels_statistics(comm, labels, axis, folder, json);
  free(axis);
  return rc;
}

static PetscErrorCode label_and_fit(MPI_Comm comm, const MtInput *in, const char *path, MtJson *json) {
  MtLabels labels;
  MtPower power;
  memset(&labels, 0, sizeof labels);
  memset(&power, 0, sizeof power);
  mt_phase_begin("reading of the grains");
  PetscCall(read_labels(comm, in, &labels, json));
  mt_phase_end("reading of the grains");
  mt_phase_begin("writing of the labels");
  PetscErrorCode rc = mt_labels_write(comm, &labels, path, in);
  mt_phase_end("writing of the labels");
  if (!rc) rc = measure(comm, in, &labels, json);
  mt_json_object(json, "grains");
  if (!rc) rc = mt_grains_fit(comm, in, &labels, &power, json);
  mt_json_end(json);
  mt_power_free(&power);
  mt_labels_free(&labels);
  return rc;
}

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in) {
  const char *source = mt_input_string(in, "grains.source"), *folder = mt_input_string(in, "output.folder");
  char path[CLI_PATH];
  MtJson *json;
  if (strcmp(source, "ebsd") && strcmp(source, "labels") && strcmp(source, "stack"))
    return mt_input_error(in, "grains.source",
                          "there is nothing to reconstruct from %s grains; it must be ebsd, stack or labels", source);
  PetscCall(cli_path(path, folder, "labels.h5"));
  PetscCall(mt_output_open(comm, folder, "labels.h5 " CLI_TABLES, args->force, false));
  PetscCall(mt_summary_begin(comm, "reconstruct", in, &json));
  PetscCall(label_and_fit(comm, in, path, json));
  PetscCall(mt_summary_clear(comm, folder, "reconstruct"));
  PetscCall(mt_summary_end(comm, folder, &json));
  mt_log("wrote %s and %s/summary.json; look at it: magtwin info %s", path, folder, path);
  return 0;
}

PetscErrorCode cli_reconstruct(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in);
  mt_input_destroy(&in);
  *code = 0;
  return rc;
}
