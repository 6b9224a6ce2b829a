/* magtwin: starts MPI and PETSc, runs one subcommand, ends with its exit code. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <stdlib.h>

/* Open MPI opens a named semaphore for every file of MPI-IO, known to the whole machine by the file's name without its
 * folder; a run that is killed there leaves it locked, and every later run on that machine waits for it for ever.  It
 * serves shared file pointers, which nobody uses here. */
static void avoid_semaphores(void) {
  setenv("OMPI_MCA_sharedfp", "^sm", 0);
}

/* PETSc reads neither our command line nor a .petscrc of the folder, and leaves the signals to us. */
static PetscErrorCode start_petsc(void) {
  static char name[] = "magtwin", no_file[] = "-skip_petscrc", no_signals[] = "-no_signal_handler";
  static char *words[] = {name, no_file, no_signals, NULL};
  int n = 3;
  char **args = words;
  avoid_semaphores();
  PetscErrorCode rc = PetscInitialize(&n, &args, NULL, NULL);
  return rc ? rc : mt_error_install();
}

int main(int argc, char **argv) {
  int code = 0;
  CliArgs args;
  mt_run_set_command(argc, argv);
  PetscErrorCode rc = cli_parse(argc - 1, argv + 1, &args);
  if (!rc) mt_output_ways(args.command->force, CLI_RESUMABLE);
  bool parallel = rc || (args.command->parallel && !args.help); /* with rc: so that one rank reports */
  if (parallel && start_petsc()) return 1;
  /* the others have no checkpoint to write: a signal ends them at once */
  if (!rc && args.command->resume) mt_stop_install();
  if (!rc) rc = args.help ? cli_help(&args, &code) : args.command->run(&args, &code);
  free(args.words);
  free(args.verb_words);
  if (rc) return mt_error_report(rc);
  if (parallel && PetscFinalize()) return 1;
  return code;
}
