/* What the subcommands that compute on a mesh have in common: rules, folder, mesh, run, summary, last words. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/evolve.h"
#include "magtwin/log.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The tables of the other kinds, separated by blanks -> text. */
static void others(const char *own, char *text, size_t size) {
  char all[] = CLI_TABLES, *rest = all;
  *text = 0;
  for (const char *name; (name = strtok_r(rest, " ", &rest));)
    if (strcmp(name, own)) snprintf(text + strlen(text), size - strlen(text), " %s", name);
}

static PetscErrorCode open_folder(MPI_Comm comm, const CliArgs *args, const MtInput *in, const CliSimulation *sim) {
  const char *folder = mt_input_string(in, "output.folder");
  char names[128];
  if (args->resume) PetscCall(cli_resumable(comm, folder, sim->table));
  for (const char *const *key = sim->starts; *key; key++) PetscCall(cli_start_is_safe(comm, in, *key, folder));
  others(sim->table, names, sizeof names);
  PetscCall(mt_output_open(comm, folder, names, args->force, false));
  return mt_output_open(comm, folder, sim->table, args->force, args->resume);
}

/* What --force replaces goes as a whole: a table left behind would speak of states that are not there any more. */
static PetscErrorCode remove_others(MPI_Comm comm, const char *folder, const char *own) {
  char names[128], path[CLI_PATH], *rest = names;
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  others(own, names, sizeof names);
  for (const char *name; rank == 0 && (name = strtok_r(rest, " ", &rest));)
    if (!cli_path(path, folder, name)) unlink(path);
  return 0;
}

static void tell(const CliArgs *args, const CliSimulation *sim, const char *folder, bool stopped) {
  if (stopped) {
    mt_log("stopped by a signal; continue %s: magtwin %s %s --resume (same overrides)", folder, args->command->name,
           args->file);
    return;
  }
  mt_log("wrote %s: %s", folder, sim->wrote);
  mt_log("look at it: magtwin plot %s", folder);
}

static void prepare_last_words(MPI_Comm comm, const CliArgs *args) {
  int rank;
  MPI_Comm_rank(comm, &rank);
  if (rank == 0)
    mt_stop_last_words(
        "\nmagtwin: told to end, a checkpoint follows. If the launcher does not wait for it, the one before "
        "stands: magtwin %s %s --resume (same overrides)",
        args->command->name, args->file);
}

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in, const CliSimulation *sim, int *code) {
  const char *folder = mt_input_string(in, "output.folder");
  char mesh[CLI_PATH] = "";
  bool stopped = false;
  MtJson *json;
  if (args->force && args->resume)
    return mt_error(MT_ERR_INPUT, "--force starts anew and --resume continues: give one of them");
  PetscCall(sim->check(comm, in));
  if (!sim->nonmagnetic) PetscCall(mt_materials_check(comm, in));
  if (!sim->nonmagnetic) PetscCall(mt_composition_check(comm, in, true));
  PetscCall(open_folder(comm, args, in, sim));
  prepare_last_words(comm, args);
  PetscCall(mt_summary_begin(comm, args->command->name, in, &json));
  if (!sim->nonmagnetic || !mt_evolve_on_box(in)) PetscCall(cli_demag_mesh(comm, in, folder, args->force, json, mesh));
  if (args->force) PetscCall(remove_others(comm, folder, sim->table));
  PetscCall(sim->run(comm, in, mesh, folder, args->resume, json, &stopped));
  if (stopped) mt_json_bool(json, "stopped", true);
  PetscCall(mt_summary_end(comm, folder, &json));
  tell(args, sim, folder, stopped);
  *code = stopped ? MT_EXIT_RESUBMIT : 0;
  return 0;
}

PetscErrorCode cli_simulate(const CliArgs *args, const CliSimulation *sim, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in, sim, code);
  mt_input_destroy(&in);
  return rc;
}
