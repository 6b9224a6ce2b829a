/* The one schema of the program, put together from the modules' tables, and reading an input with it. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/microstructure.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const MtKey output_keys[] = {
    {.path = "title", .type = MT_KEY_STRING, .def = "", .help = "A line about this run, kept with its results."},
    {.path = "output.folder",
     .type = MT_KEY_NEWPATH,
     .help = "Folder of the results; made if missing, never overwritten without --force."},
    {.path = "petsc_options",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "Options for PETSc's solvers, as on its command line; one that no solver uses is an error."},
    {.path = NULL},
};

const MtKey *const cli_tables[] = {output_keys, mt_grains_keys, mt_mesh_keys, mt_materials_keys, mt_demag_keys, NULL};

PetscErrorCode cli_read_input(const CliArgs *args, MtInput **in) {
  PetscCall(mt_input_read_for(PETSC_COMM_WORLD, args->file, args->nwords, args->words, cli_tables,
                              args->command->needed, in));
  if (mt_input_has(*in, "petsc_options"))
    PetscCall(PetscOptionsInsertString(NULL, mt_input_string(*in, "petsc_options")));
  return 0;
}

/* A word that starts with "-" and a letter is the name of an option; "-3" is a value. */
static bool is_option(const char *word) {
  return word[0] == '-' && ((word[1] | 32) >= 'a' && (word[1] | 32) <= 'z');
}

PetscErrorCode cli_petsc_options_used(const MtInput *in) {
  if (!mt_input_has(in, "petsc_options")) return 0;
  char *text = strdup(mt_input_string(in, "petsc_options")), *rest = text;
  PetscErrorCode rc = 0;
  for (char *word; !rc && (word = strtok_r(rest, " \t\n", &rest));) {
    PetscBool used = PETSC_TRUE;
    if (is_option(word)) rc = PetscOptionsUsed(NULL, word + 1, &used);
    if (!rc && !used) rc = mt_input_error(in, "petsc_options", "no solver used the option %s", word);
  }
  free(text);
  return rc;
}

PetscErrorCode cli_path(char path[CLI_PATH], const char *folder, const char *name) {
  int n = snprintf(path, CLI_PATH, "%s%s%s", folder, folder[0] ? "/" : "", name);
  return n < CLI_PATH ? 0 : mt_error(MT_ERR_INPUT, "the name of the folder is too long: %.60s...", folder);
}
