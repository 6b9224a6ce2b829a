/* magtwin demag: the demagnetization curve, from whatever the input gives: grains or a mesh. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tell(const CliArgs *args, const char *folder, bool stopped) {
  if (stopped) {
    mt_log("stopped by a signal; continue %s: magtwin demag %s --resume (same overrides)", folder, args->file);
    return;
  }
  mt_log("wrote %s: curve.csv, summary.json, states and the switching-field map", folder);
  mt_log("look at it: magtwin plot %s", folder);
}

static bool holds(const char *folder, const char *name) {
  char path[CLI_PATH];
  return !cli_path(path, folder, name) && !access(path, F_OK);
}

/* A curve of one field step or more; one that was stopped before its first step has its header only. */
static bool holds_steps(const char *folder) {
  char path[CLI_PATH];
  FILE *f = cli_path(path, folder, "curve.csv") ? NULL : fopen(path, "r");
  int lines = 0;
  for (int c; f && lines < 2 && (c = getc(f)) != EOF;) lines += c == '\n';
  if (f) fclose(f);
  return lines >= 2;
}

/* A result whose checkpoint is gone cannot be continued, and starting anew would overwrite it. */
static PetscErrorCode resumable(MPI_Comm comm, const char *folder) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0 && holds_steps(folder) && holds(folder, "summary.json") && !holds(folder, "checkpoint.h5") &&
      !holds(folder, "checkpoint.h5.prev"))
    rc = mt_error(MT_ERR_INPUT,
                  "%s holds a result but no checkpoint to resume from: start anew with --force instead of --resume, or "
                  "choose another folder (output.folder=...)",
                  folder);
  return mt_agree_root(comm, rc);
}

/* The states of a folder are replaced by a run into it: its start must not be one of them. */
static PetscErrorCode start_is_safe(MPI_Comm comm, const MtInput *in, const char *folder) {
  char states[CLI_PATH], inside[PATH_MAX], start[PATH_MAX];
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0 && mt_input_has(in, "field.initial_file") && !cli_path(states, folder, "states") &&
      realpath(states, inside) && realpath(mt_input_string(in, "field.initial_file"), start)) {
    size_t n = strlen(inside);
    if (strncmp(start, inside, n) == 0 && start[n] == '/')
      rc = mt_input_error(in, "field.initial_file",
                          "is among the states of output.folder, %s, which this run replaces: choose another "
                          "output.folder, or copy the file elsewhere",
                          folder);
  }
  return mt_agree_root(comm, rc);
}

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in, int *code) {
  const char *folder = mt_input_string(in, "output.folder");
  char mesh[CLI_PATH];
  bool stopped = false;
  MtJson *json;
  if (args->force && args->resume)
    return mt_error(MT_ERR_INPUT, "--force starts anew and --resume continues: give one of them");
  PetscCall(mt_demag_check(in));
  PetscCall(mt_materials_check(comm, in));
  PetscCall(start_is_safe(comm, in, folder));
  if (args->resume) PetscCall(resumable(comm, folder));
  PetscCall(mt_output_open(comm, folder, "curve.csv", args->force, args->resume));
  PetscCall(mt_summary_begin(comm, "demag", in, &json));
  PetscCall(cli_demag_mesh(comm, in, folder, args->force, json, mesh));
  PetscCall(mt_hysteresis_run(comm, in, mesh, folder, args->resume, json, &stopped));
  PetscCall(mt_summary_end(comm, folder, &json));
  tell(args, folder, stopped);
  *code = stopped ? MT_EXIT_RESUBMIT : 0;
  return 0;
}

PetscErrorCode cli_demag(const CliArgs *args, int *code) {
  MtInput *in;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = run(PETSC_COMM_WORLD, args, in, code);
  mt_input_destroy(&in);
  return rc;
}
