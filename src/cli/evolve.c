/* magtwin evolve: a phase field in time, on a box of the input, on a mesh of grains, or from labelled voxels. */
#include "magtwin/evolve.h"
#include "cli.h"
#include "magtwin/microstructure.h"
#include <string.h>

static bool measured(const MtInput *in) {
  static const char *const source[] = {"labels", "stack", "ebsd"};
  bool any = false;
  for (int k = 0; k < 3 && mt_input_has(in, "grains.source"); k++)
    any = any || strcmp(mt_input_string(in, "grains.source"), source[k]) == 0;
  return any;
}

static PetscErrorCode check(MPI_Comm comm, const MtInput *in) {
  (void)comm;
  const bool mesh = mt_input_has(in, "mesh.file") || mt_input_has(in, "mesh.size");
  if (mt_evolve_from_labels(in) && !measured(in))
    return mt_input_error(in, "phasefield.initial",
                          "is labels: section grains with source labels, stack or ebsd has to say which");
  if (mt_input_has(in, "grains.source") && !mt_evolve_on_box(in) && !mesh)
    return mt_input_error(in, "grains.source", "a mesh of grains needs the section mesh");
  return mt_evolve_check(in);
}

static MtStartLabels start_from(const MtInput *in, const MtLabels *l) {
  const bool own = !strcmp(mt_input_string(in, "grains.source"), "labels");
  return (MtStartLabels){.n = {l->nx, l->ny, l->nz},
                         .nz_local = l->nz_local,
                         .voxel = {l->voxel[0], l->voxel[1], l->voxel[2]},
                         .grain = l->label,
                         .ngrains = l->ngrains,
                         .source = l->source,
                         .background = own ? mt_input_int(in, "grains.background") : 0,
                         .axis = l->axis,
                         .orientation = l->orientation};
}

static PetscErrorCode run(MPI_Comm comm, const MtInput *in, const char *mesh, const char *folder, bool resume,
                          MtJson *json, bool *stopped) {
  MtLabels l;
  if (!mt_evolve_from_labels(in)) return mt_evolve_run(comm, in, mesh, NULL, folder, resume, json, stopped);
  PetscErrorCode rc =
      mt_labels_measure(comm, in, !strcmp(mt_input_string(in, "phasefield.unlabelled"), "fill"), &l, json);
  if (rc) return rc;
  const MtStartLabels labels = start_from(in, &l);
  rc = mt_evolve_run(comm, in, mesh, &labels, folder, resume, json, stopped);
  mt_labels_free(&l);
  return rc;
}

PetscErrorCode cli_evolve(const CliArgs *args, int *code) {
  static const CliSimulation sim = {.table = "evolve.csv",
                                    .wrote = "evolve.csv, summary.json and fields",
                                    .check = check,
                                    .nonmagnetic = true,
                                    .run = run};
  return cli_simulate(args, &sim, code);
}
