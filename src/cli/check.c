/* magtwin check: is this input valid, what does it mean with all defaults filled in, and for which subcommands is it
 * complete. */
#include "cli.h"
#include "magtwin/barrier.h"
#include "magtwin/campaign.h"
#include "magtwin/dynamics.h"
#include "magtwin/error.h"
#include "magtwin/evolve.h"
#include "magtwin/invert.h"
#include "magtwin/log.h"
#include "magtwin/measured.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/microstructure.h"
#include "magtwin/sweep.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The message without its first line ("2 errors in the input"). */
static const char *details(void) {
  const char *line = strchr(mt_error_message(), '\n');
  return line ? line + 1 : mt_error_message();
}

typedef struct {
  bool computes;      /* complete for one that computes something on a mesh */
  char missing[8192]; /* what the others lack */
  char names[256];    /* of the others */
} Verdict;

static void add(char *text, size_t size, const char *first, const char *second) {
  size_t used = strlen(text);
  snprintf(text + used, size - used, "%s%s", first, second);
}

static PetscErrorCode tell_complete(const CliArgs *args, const CliCommand *command, Verdict *v) {
  CliArgs as = *args;
  MtInput *in;
  as.command = command;
  PetscErrorCode rc = cli_read_input(&as, &in);
  if (rc == MT_ERR_INPUT) {
    add(v->names, sizeof v->names, *v->names ? ", " : "", command->name);
    add(v->missing, sizeof v->missing, "# not enough for magtwin ", command->name);
    add(v->missing, sizeof v->missing, ":\n", details());
    add(v->missing, sizeof v->missing, "\n", "");
    mt_error_clear();
    return 0;
  }
  if (rc) return rc;
  mt_log("# complete for magtwin %s", command->name);
  v->computes =
      v->computes || (command->run != cli_mesh && command->run != cli_reconstruct && command->run != cli_generate);
  mt_input_destroy(&in);
  return 0;
}

/* What is missing matters to those who get nothing computed; a demag input is not an unfinished barrier input. */
static void tell_missing(Verdict *v) {
  if (!*v->names) return;
  if (v->computes)
    mt_log("# without the keys of magtwin %s (see --help there)", v->names);
  else
    mt_log("%.*s", (int)strlen(v->missing) - 1, v->missing);
}

static PetscErrorCode check_sweep(const MtInput *in) {
  MtSweep *s = NULL;
  PetscErrorCode rc = mt_sweep_create(in, mt_input_string(in, "output.folder"), &s);
  mt_sweep_destroy(&s);
  return rc;
}

static PetscErrorCode check_campaign(const MtInput *in) {
  MtCampaign *c = NULL;
  PetscErrorCode rc = mt_campaign_create(PETSC_COMM_WORLD, in, mt_input_string(in, "output.folder"), &c);
  mt_campaign_destroy(&c);
  return rc;
}

/* Rules between values, as a run applies them before it computes. */
static PetscErrorCode check_meaning(const MtInput *in) {
  PetscErrorCode rc = mt_input_has(in, "field.start") ? mt_demag_check(in) : 0;
  if (!rc) rc = mt_measured_check(PETSC_COMM_WORLD, in);
  if (!rc && mt_input_has(in, "barrier.fields")) rc = mt_barrier_check(in);
  if (!rc) rc = mt_dynamics_check(in);
  if (!rc) rc = mt_evolve_check(in);
  if (!rc) rc = mt_invert_check(in);
  if (!rc && mt_input_has(in, "optimize.evaluate")) rc = check_campaign(in);
  if (!rc && mt_input_has(in, "sweep.design")) rc = check_sweep(in);
  if (!rc && !mt_input_has(in, "mesh.file")) rc = mt_microstructure_check(in);
  if (!rc && mt_input_has(in, "materials.grain")) rc = mt_materials_check(PETSC_COMM_WORLD, in);
  if (!rc) rc = mt_composition_check(PETSC_COMM_WORLD, in, mt_input_has(in, "materials.composition.file"));
  return rc || !mt_input_has(in, "mesh.file") ? rc : cli_mesh_file(PETSC_COMM_WORLD, in);
}

PetscErrorCode cli_check(const CliArgs *args, int *code) {
  MtInput *in;
  int n;
  struct stat st;
  const CliCommand *list = cli_commands(&n);
  if (!stat(args->file, &st) && S_ISFIFO(st.st_mode))
    return mt_error(MT_ERR_INPUT, "%s is a pipe, which can be read only once; check needs a file", args->file);
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = check_meaning(in);
  if (!rc)
    mt_log("# %s with all defaults, in canonical units (lengths nm, fields T, energies J/m3)\n%s# ok",
           mt_input_path(in), mt_input_canonical(in));
  bool measured = mt_input_has(in, "grains.source") && strcmp(mt_input_string(in, "grains.source"), "generated") &&
                  strcmp(mt_input_string(in, "grains.source"), "shape") &&
                  strcmp(mt_input_string(in, "grains.source"), "tess") &&
                  strcmp(mt_input_string(in, "grains.source"), "mesh");
  mt_input_destroy(&in);
  Verdict v = {0};
  for (int i = 0; i < n && !rc; i++)
    if (list[i].takes == CLI_INPUT && list[i].run != cli_check && (measured || list[i].run != cli_reconstruct))
      rc = tell_complete(args, &list[i], &v);
  if (!rc) tell_missing(&v);
  *code = 0;
  return rc;
}
