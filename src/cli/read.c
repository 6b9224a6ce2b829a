/* The one schema of the program, put together from the modules' tables, and reading an input with it. */
#include "cli.h"
#include "magtwin/barrier.h"
#include "magtwin/campaign.h"
#include "magtwin/dynamics.h"
#include "magtwin/elastic.h"
#include "magtwin/error.h"
#include "magtwin/evolve.h"
#include "magtwin/invert.h"
#include "magtwin/landscape.h"
#include "magtwin/measured.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/microstructure.h"
#include "magtwin/pca.h"
#include "magtwin/peaks.h"
#include "magtwin/sweep.h"
#include "magtwin/texture.h"
#include "magtwin/tomography.h"
#include "magtwin/topology.h"
#include "magtwin/unmix.h"
#include <stdio.h>

static const MtKey output_keys[] = {
    {.path = "title", .type = MT_KEY_STRING, .def = "", .help = "A line about this run, kept with its results."},
    {.path = "output.folder",
     .type = MT_KEY_NEWPATH,
     .help = "Folder of the results; made if missing, never overwritten without --force."},
    {.path = NULL},
};

const MtKey *const cli_tables[] = {output_keys,          mt_grains_keys,        mt_generate_keys,  mt_stack_keys,
                                   mt_register_keys,     mt_mesh_keys,          mt_materials_keys, mt_demag_keys,
                                   mt_measured_keys,     mt_barrier_keys,       mt_dynamics_keys,  mt_evolve_keys,
                                   mt_diffusion_keys,    mt_kks_keys,           mt_wetting_keys,   mt_elastic_keys,
                                   mt_grain_growth_keys, mt_grain_driving_keys, mt_invert_keys,    mt_topology_keys,
                                   mt_pca_keys,          mt_texture_keys,       mt_unmix_keys,     mt_peaks_keys,
                                   mt_landscape_keys,    mt_optimize_keys,      mt_sweep_keys,     NULL};

PetscErrorCode cli_read_input(const CliArgs *args, MtInput **in) {
  PetscCall(mt_input_read_for(PETSC_COMM_WORLD, args->file, args->nwords, args->words, cli_tables,
                              args->command->needed, in));
  PetscErrorCode rc = cli_lengths_resolve(PETSC_COMM_WORLD, *in);
  if (!rc) rc = mt_petsc_options_set(*in);
  if (rc) mt_input_destroy(in);
  return rc;
}

PetscErrorCode cli_path(char path[CLI_PATH], const char *folder, const char *name) {
  int n = snprintf(path, CLI_PATH, "%s%s%s", folder, folder[0] ? "/" : "", name);
  return n < CLI_PATH ? 0 : mt_error(MT_ERR_INPUT, "the name of the folder is too long: %.60s...", folder);
}
