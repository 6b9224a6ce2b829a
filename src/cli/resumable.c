/* Whether a run may write into its folder: continued, or with a start that it would not replace. */
#include "cli.h"
#include "magtwin/error.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool holds(const char *folder, const char *name) {
  char path[CLI_PATH];
  return !cli_path(path, folder, name) && !access(path, F_OK);
}

/* A table of one line or more; that of a run stopped before its first has its header only. */
static bool holds_steps(const char *folder, const char *table) {
  char path[CLI_PATH];
  FILE *f = cli_path(path, folder, table) ? NULL : fopen(path, "r");
  int lines = 0;
  for (int c; f && lines < 2 && (c = getc(f)) != EOF;) lines += c == '\n';
  if (f) fclose(f);
  return lines >= 2;
}

/* A result whose checkpoint is gone cannot be continued, and starting anew would overwrite it. */
PetscErrorCode cli_resumable(MPI_Comm comm, const char *folder, const char *table) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0 && holds_steps(folder, table) && holds(folder, "summary.json") && !holds(folder, "checkpoint.h5") &&
      !holds(folder, "checkpoint.h5.prev"))
    rc = mt_error(MT_ERR_INPUT,
                  "%s holds a result but no checkpoint to resume from: start anew with --force instead of --resume, or "
                  "choose another folder (output.folder=...)",
                  folder);
  return mt_agree_root(comm, rc);
}

PetscErrorCode cli_start_is_safe(MPI_Comm comm, const MtInput *in, const char *key, const char *folder) {
  char states[CLI_PATH], inside[PATH_MAX], start[PATH_MAX];
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0 && mt_input_has(in, "%s", key) && !cli_path(states, folder, "states") && realpath(states, inside) &&
      realpath(mt_input_string(in, "%s", key), start)) {
    size_t n = strlen(inside);
    if (strncmp(start, inside, n) == 0 && start[n] == '/')
      rc = mt_input_error(in, key,
                          "is among the states of output.folder, %s, which this run replaces: choose another "
                          "output.folder, or copy the file elsewhere",
                          folder);
  }
  return mt_agree_root(comm, rc);
}
