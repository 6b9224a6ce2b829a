/* magtwin optimize: a campaign of evaluations that chooses its next point itself; run, suggest, tell, status. */
#include "cli.h"
#include "magtwin/barrier.h"
#include "magtwin/campaign.h"
#include "magtwin/dynamics.h"
#include "magtwin/error.h"
#include "magtwin/evolve.h"
#include "magtwin/log.h"
#include "magtwin/measured.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const CliCommand *command_of(const char *name) {
  int n;
  const CliCommand *list = cli_commands(&n);
  for (int i = 0; i < n; i++)
    if (!strcmp(list[i].name, name)) return &list[i];
  return NULL;
}

PetscErrorCode cli_check_run(const char *subcommand, char *input, int noverrides, char **overrides) {
  const CliCommand *c = command_of(subcommand);
  MtInput *in;
  PetscErrorCode rc =
      mt_input_read_for(PETSC_COMM_WORLD, input, noverrides, overrides, cli_tables, c ? c->needed : NULL, &in);
  if (rc) return rc;
  rc = cli_lengths_resolve(PETSC_COMM_WORLD, in);
  if (!rc && c && c->run == cli_demag) rc = mt_demag_check(in);
  if (!rc && c && c->run == cli_demag) rc = mt_measured_check(PETSC_COMM_WORLD, in);
  if (!rc && c && c->run == cli_barrier) rc = mt_barrier_check(in);
  if (!rc && c && c->run == cli_dynamics) rc = mt_dynamics_check(in);
  if (!rc && c && c->run == cli_evolve) rc = mt_evolve_check(in);
  const bool magnetic = c && strstr(c->needed, "materials") && mt_input_has(in, "materials.grain");
  if (!rc && magnetic) rc = mt_materials_check(PETSC_COMM_WORLD, in);
  if (!rc && magnetic)
    rc = mt_composition_check(PETSC_COMM_WORLD, in, false); /* the file may be made by a step before */
  mt_input_destroy(&in);
  return rc;
}

/* For the jobs of the campaign: they are called as we were. */
static void note_call(const CliArgs *args, MtCampaign *c) {
  mt_campaign_called(c, 1, (const char *const[]){args->file});
  mt_campaign_called(c, args->nwords, (const char *const *)args->words);
}

static PetscErrorCode evaluate(MPI_Comm comm, const CliArgs *args, MtCampaign *c, int *code) {
  char *end = NULL;
  long number = args->nverb_words == 1 ? strtol(args->verb_words[0], &end, 10) : 0;
  if (!end || *end || number != (int)number)
    return mt_error(MT_ERR_INPUT, "usage: magtwin optimize %s evaluate NUMBER", args->file);
  mt_stop_install();
  return mt_campaign_evaluate(comm, c, (int)number, code);
}

static PetscErrorCode run(MPI_Comm comm, const CliArgs *args, const MtInput *in, MtCampaign *c, int *code) {
  const char *folder = mt_input_string(in, "output.folder");
  bool stopped = false;
  MtJson *json;
  mt_stop_install();
  PetscCall(mt_campaign_check_runs(c, cli_check_run));
  PetscCall(mt_output_open(comm, folder, CLI_TABLES " " CLI_POINTS, false, false));
  note_call(args, c);
  PetscCall(mt_summary_begin(comm, "optimize", in, &json));
  PetscErrorCode rc = mt_campaign_run(comm, c, json, &stopped);
  if (rc) {
    mt_json_free(&json);
    return rc;
  }
  if (!stopped && mt_campaign_done(c) >= 2) rc = mt_campaign_model(comm, c);
  if (rc) {
    mt_json_free(&json);
    return rc;
  }
  PetscCall(mt_summary_end(comm, folder, &json));
  *code = stopped ? MT_EXIT_RESUBMIT : 0;
  if (stopped) {
    const bool jobs = !strcmp(mt_input_string(in, "optimize.jobs"), "slurm");
    mt_log("stopped by a signal%s; continue %s: magtwin optimize %s (same overrides)",
           jobs ? "; its jobs stay in SLURM's queue" : "", folder, args->file);
    return 0;
  }
  PetscCall(mt_campaign_status(comm, c));
  mt_log("wrote %s: database.jsonl, trials.csv, model.json, summary.json, evaluations; see magtwin report %s", folder,
         folder);
  return 0;
}

static PetscErrorCode suggest(MPI_Comm comm, const CliArgs *args, const MtInput *in, MtCampaign *c) {
  char *end = NULL;
  long count = args->nverb_words ? strtol(args->verb_words[0], &end, 10) : 1;
  if (args->nverb_words > 1 || (end && *end) || count < 1 || count > 10000)
    return mt_error(MT_ERR_INPUT, "suggest takes a number of points, from 1 to 10000");
  PetscCall(mt_output_open(comm, mt_input_string(in, "output.folder"), CLI_TABLES " " CLI_POINTS, false, false));
  return mt_campaign_suggest(comm, c, (int)count);
}

static PetscErrorCode tell(MPI_Comm comm, const CliArgs *args, const MtInput *in, MtCampaign *c) {
  if (!args->nverb_words)
    return mt_error(MT_ERR_INPUT, "usage: magtwin optimize %s tell NUMBER goal=value, or a whole point", args->file);
  PetscCall(mt_output_open(comm, mt_input_string(in, "output.folder"), CLI_TABLES " " CLI_POINTS, false, false));
  return mt_campaign_tell(comm, c, args->nverb_words, args->verb_words);
}

/* Of a campaign that has begun. */
static PetscErrorCode look(MPI_Comm comm, const char *verb, const MtInput *in, MtCampaign *c) {
  char path[CLI_PATH];
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = cli_path(path, mt_input_string(in, "output.folder"), CLI_DATABASE);
  if (!rc && rank == 0 && access(path, F_OK)) rc = mt_error(MT_ERR_INPUT, "there is no campaign yet: no file %s", path);
  rc = mt_agree(comm, rc);
  if (rc || !strcmp(verb, "status")) return rc ? rc : mt_campaign_status(comm, c);
  PetscCall(mt_campaign_model(comm, c));
  mt_log("wrote %s/model.json", mt_input_string(in, "output.folder"));
  return 0;
}

PetscErrorCode cli_optimize(const CliArgs *args, int *code) {
  const char *verb = args->verb ? args->verb : "run";
  MtInput *in;
  MtCampaign *c = NULL;
  *code = 0;
  PetscCall(cli_read_input(args, &in));
  PetscErrorCode rc = mt_campaign_create(PETSC_COMM_WORLD, in, mt_input_string(in, "output.folder"), &c);
  if (!rc && !strcmp(verb, "run") && args->nverb_words)
    rc = mt_error(MT_ERR_INPUT, "run takes nothing behind it, got %s", args->verb_words[0]);
  else if (!rc && !strcmp(verb, "run"))
    rc = run(PETSC_COMM_WORLD, args, in, c, code);
  else if (!rc && !strcmp(verb, "suggest"))
    rc = suggest(PETSC_COMM_WORLD, args, in, c);
  else if (!rc && !strcmp(verb, "tell"))
    rc = tell(PETSC_COMM_WORLD, args, in, c);
  else if (!rc && !strcmp(verb, "evaluate"))
    rc = evaluate(PETSC_COMM_WORLD, args, c, code);
  else if (!rc)
    rc = look(PETSC_COMM_WORLD, verb, in, c);
  mt_campaign_destroy(&c);
  mt_input_destroy(&in);
  return rc;
}
