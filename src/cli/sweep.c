/* magtwin sweep: many points laid out beforehand; run, point, status, slurm. */
#include "magtwin/sweep.h"
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <stdlib.h>
#include <string.h>

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in, MtSweep *s, int *code) {
  const char *folder = mt_input_string(in, "output.folder");
  bool stopped = false;
  MtJson *json;
  PetscCall(mt_summary_begin(comm, "sweep", in, &json));
  PetscErrorCode rc = mt_sweep_run(comm, s, json, &stopped);
  if (rc) {
    mt_json_free(&json);
    return rc;
  }
  PetscCall(mt_summary_end(comm, folder, &json));
  *code = stopped ? MT_EXIT_RESUBMIT : 0;
  if (stopped)
    mt_log("stopped by a signal; continue %s: magtwin sweep %s (same overrides)", folder, args->file);
  else
    PetscCall(mt_sweep_status(comm, s));
  return 0;
}

static PetscErrorCode point(MPI_Comm comm, const CliArgs *args, MtSweep *s, int *code) {
  char *end = NULL;
  long number = args->nverb_words == 1 ? strtol(args->verb_words[0], &end, 10) : 0;
  if (!end || *end) return mt_error(MT_ERR_INPUT, "usage: magtwin sweep %s point NUMBER", args->file);
  return mt_sweep_point(comm, s, (int)number, code);
}

static PetscErrorCode slurm(MPI_Comm comm, const CliArgs *args, const MtSweep *s) {
  const char **words = calloc((size_t)args->nwords + 1, sizeof *words);
  if (!words) return mt_error(MT_ERR_FAIL, "no memory for %d words", args->nwords);
  words[0] = args->file;
  for (int i = 0; i < args->nwords; i++) words[1 + i] = args->words[i];
  PetscErrorCode rc = mt_sweep_slurm(comm, s, 1 + args->nwords, words);
  free(words);
  return rc;
}

static PetscErrorCode act(MPI_Comm comm, const CliArgs *args, const MtInput *in, MtSweep *s, int *code) {
  const char *verb = args->verb ? args->verb : "run";
  if (strcmp(verb, "point") && args->nverb_words)
    return mt_error(MT_ERR_INPUT, "%s takes nothing behind it, got %s", verb, args->verb_words[0]);
  if (!strcmp(verb, "run") || !strcmp(verb, "point")) mt_stop_install();
  PetscCall(mt_sweep_check_runs(s, cli_check_run));
  PetscCall(mt_output_open(comm, mt_input_string(in, "output.folder"), CLI_TABLES " " CLI_DATABASE, false, false));
  PetscCall(mt_sweep_open(comm, s));
  if (!strcmp(verb, "run")) return run(comm, args, in, s, code);
  if (!strcmp(verb, "point")) return point(comm, args, s, code);
  return strcmp(verb, "slurm") ? mt_sweep_status(comm, s) : slurm(comm, args, s);
}

PetscErrorCode cli_sweep(const CliArgs *args, int *code) {
  MtInput *in;
  MtSweep *s = NULL;
  *code = 0;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = mt_sweep_create(in, mt_input_string(in, "output.folder"), &s);
  if (!rc) rc = act(PETSC_COMM_WORLD, args, in, s, code);
  mt_sweep_destroy(&s);
  mt_input_destroy(&in);
  return rc;
}
