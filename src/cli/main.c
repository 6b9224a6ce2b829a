/* magtwin: starts MPI and PETSc, runs one subcommand, ends with its exit code. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <petscsys.h>

/* PETSc reads neither our command line nor a .petscrc of the folder, and leaves the signals to us. */
static PetscErrorCode start_petsc(void) {
  static char *quiet[] = {"magtwin", "-skip_petscrc", "-no_signal_handler", NULL};
  int n = 3;
  char **args = quiet;
  PetscErrorCode rc = PetscInitialize(&n, &args, NULL, NULL);
  if (!rc) rc = mt_error_install();
  if (!rc) mt_stop_install();
  return rc;
}

int main(int argc, char **argv) {
  int code = 0;
  mt_run_set_command(argc, argv);
  PetscErrorCode rc = start_petsc();
  if (!rc) rc = cli_run(argc - 1, argv + 1, &code);
  if (rc) return mt_error_report(rc);
  if (PetscFinalize()) return 1;
  return code;
}
