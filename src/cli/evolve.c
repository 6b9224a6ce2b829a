/* magtwin evolve: a phase field in time, on a box of the input, on a mesh of grains, or from labelled voxels. */
#include "magtwin/evolve.h"
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/microstructure.h"
#include "magtwin/run.h"
#include "magtwin/work.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE "phasefield.driving.state"
#define ENERGIES "driving.csv"

static bool measured(const MtInput *in) {
  static const char *const source[] = {"labels", "stack", "ebsd"};
  bool any = false;
  for (int k = 0; k < 3 && mt_input_has(in, "grains.source"); k++)
    any = any || strcmp(mt_input_string(in, "grains.source"), source[k]) == 0;
  return any;
}

static PetscErrorCode check(MPI_Comm comm, const MtInput *in) {
  const bool mesh = mt_input_has(in, "mesh.file") || mt_input_has(in, "mesh.size");
  if (mt_evolve_from_labels(in) && !measured(in))
    return mt_input_error(in, "phasefield.initial",
                          "is labels: section grains with source labels, stack or ebsd has to say which");
  if (mt_input_has(in, "grains.source") && !mt_evolve_on_box(in) && !mesh)
    return mt_input_error(in, "grains.source", "a mesh of grains needs the section mesh");
  PetscErrorCode rc = mt_evolve_check(in);
  if (rc || !mt_input_has(in, STATE)) return rc;
  if (!mt_input_has(in, "materials.grain"))
    return mt_input_error(in, STATE, "needs section materials, with which it was computed");
  return mt_materials_check(comm, in);
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

/* A line a grain. */
static PetscErrorCode write_energies(const char *folder, const MtGrainEnergies *e) {
  char path[CLI_PATH], *text = NULL;
  size_t size;
  PetscErrorCode rc = cli_path(path, folder, ENERGIES);
  FILE *f = rc ? NULL : open_memstream(&text, &size);
  if (!f) return rc ? rc : mt_error(MT_ERR_FAIL, "out of memory for %d grains", e->n);
  fprintf(f, "grain,energy,anisotropy,zeeman,stray,volume_nm3\n");
  for (int k = 0; k < e->n; k++)
    fprintf(f, "%d,%.9g,%.9g,%.9g,%.9g,%.9g\n", k, e->anisotropy[k] + e->zeeman[k] + e->stray[k], e->anisotropy[k],
            e->zeeman[k], e->stray[k], e->volume[k]);
  fclose(f);
  rc = mt_file_write(path, text);
  free(text);
  return rc;
}

/* Energies of the grains in a state, for `given`; *energy is the caller's. */
static PetscErrorCode take_state(MPI_Comm comm, const MtInput *in, const char *mesh, const char *folder,
                                 MtEvolveGiven *given, double **energy) {
  MtGrainEnergies e;
  int rank;
  char old[CLI_PATH];
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0 && !cli_path(old, folder, ENERGIES)) unlink(old);
  if (!mt_input_has(in, STATE)) return 0;
  if (mt_input_has(in, "phasefield.driving.mesh")) mesh = mt_input_string(in, "phasefield.driving.mesh");
  mt_phase_begin("energies of the state");
  PetscErrorCode rc = mt_grain_energies(comm, in, mesh, STATE, mt_input_string(in, STATE), &e);
  mt_phase_end("energies of the state");
  if (!rc) rc = mt_agree_root(comm, rank ? 0 : write_energies(folder, &e));
  *energy = mt_calloc((size_t)e.n + 1, sizeof **energy);
  for (int k = 0; k < e.n && !rc; k++) (*energy)[k] = e.anisotropy[k] + e.zeeman[k] + e.stray[k];
  given->ngrains = e.n;
  given->energy = *energy;
  if (!rc)
    mt_log("energies of %d grains in a field of %g, %g, %g T: %s/" ENERGIES, e.n, e.B[0], e.B[1], e.B[2], folder);
  mt_grain_energies_free(&e);
  return rc;
}

static PetscErrorCode run(MPI_Comm comm, const MtInput *in, const char *mesh, const char *folder, bool resume,
                          MtJson *json, bool *stopped) {
  MtLabels l = {0};
  MtStartLabels labels;
  MtEvolveGiven given = {0};
  double *energy = NULL;
  PetscErrorCode rc = 0;
  if (mt_evolve_from_labels(in)) {
    rc = mt_labels_measure(comm, in, !strcmp(mt_input_string(in, "phasefield.unlabelled"), "fill"), &l, json);
    if (rc) return rc;
    labels = start_from(in, &l);
    given.labels = &labels;
  }
  rc = take_state(comm, in, mesh, folder, &given, &energy);
  if (!rc) rc = mt_evolve_run(comm, in, mesh, &given, folder, resume, json, stopped);
  free(energy);
  mt_labels_free(&l);
  return rc;
}

PetscErrorCode cli_evolve(const CliArgs *args, int *code) {
  static const CliSimulation sim = {.table = "evolve.csv",
                                    .wrote = "evolve.csv, summary.json and fields",
                                    .starts = {STATE},
                                    .check = check,
                                    .nonmagnetic = true,
                                    .run = run};
  return cli_simulate(args, &sim, code);
}
