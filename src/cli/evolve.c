/* magtwin evolve: a phase field in time, on a box of the input or on a mesh of grains. */
#include "magtwin/evolve.h"
#include "cli.h"

static PetscErrorCode check(MPI_Comm comm, const MtInput *in) {
  (void)comm;
  const bool mesh = mt_input_has(in, "mesh.file") || mt_input_has(in, "mesh.size");
  if (mt_input_has(in, "grains.source") && !mt_input_has(in, "box.size") && !mesh)
    return mt_input_error(in, "grains.source", "a mesh of grains needs the section mesh");
  return mt_evolve_check(in);
}

PetscErrorCode cli_evolve(const CliArgs *args, int *code) {
  static const CliSimulation sim = {.table = "evolve.csv",
                                    .wrote = "evolve.csv, summary.json and fields",
                                    .check = check,
                                    .nonmagnetic = true,
                                    .run = mt_evolve_run};
  return cli_simulate(args, &sim, code);
}
