/* The keys of section optimize, and the campaign they describe. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const MtKey mt_optimize_keys[] = {
    {.path = "optimize.variables",
     .type = MT_KEY_LIST,
     .min = 1,
     .max = 100,
     .help = "What may be chosen: one map a variable."},
    {.path = "optimize.variables[].name",
     .type = MT_KEY_STRING,
     .help = "Its name in the database and in constraints."},
    {.path = "optimize.variables[].type",
     .type = MT_KEY_CHOICE,
     .def = "real",
     .choices = "real|integer|categorical",
     .help = "Any number in the range, whole numbers, or one of the values."},
    {.path = "optimize.variables[].min",
     .type = MT_KEY_REAL,
     .when = "optimize.variables[].type=real|integer",
     .help = "Smallest value."},
    {.path = "optimize.variables[].max",
     .type = MT_KEY_REAL,
     .when = "optimize.variables[].type=real|integer",
     .help = "Largest value."},
    {.path = "optimize.variables[].scale",
     .type = MT_KEY_CHOICE,
     .def = "linear",
     .choices = "linear|log",
     .when = "optimize.variables[].type=real|integer",
     .help = "log: steps by a factor matter, not by an amount; needs min > 0."},
    {.path = "optimize.variables[].values",
     .type = MT_KEY_STRINGS,
     .min = 2,
     .max = 100,
     .when = "optimize.variables[].type=categorical",
     .help = "The values it can take."},
    {.path = "optimize.variables[].key",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "With optimize.evaluate run: the key of the input that it sets. Without it: its name."},
    {.path = "optimize.variables[].unit",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "With optimize.evaluate run: written behind its value. Without it: the key's own unit."},
    {.path = "optimize.candidates",
     .type = MT_KEY_PATH,
     .def = "",
     .help = "A table (csv, names of the variables in its first line): only its points are proposed."},
    {.path = "optimize.constraints",
     .type = MT_KEY_STRINGS,
     .def = "",
     .max = 100,
     .help = "Linear ones, as \"2*thickness - Js <= 5\", that every point must satisfy."},
    {.path = "optimize.goals",
     .type = MT_KEY_LIST,
     .min = 1,
     .max = MT_GOALS_MAX,
     .help = "What is wanted. Of several goals the front is sought (expected hypervolume improvement)."},
    {.path = "optimize.goals[].name", .type = MT_KEY_STRING, .help = "Its name in the database."},
    {.path = "optimize.goals[].want",
     .type = MT_KEY_CHOICE,
     .def = "minimize",
     .choices = "minimize|maximize|target",
     .help = "Which way is better; target: the nearer to optimize.goals[].target."},
    {.path = "optimize.goals[].target",
     .type = MT_KEY_REAL,
     .when = "optimize.goals[].want=target",
     .help = "The value that is wanted."},
    {.path = "optimize.goals[].scatter",
     .type = MT_KEY_REAL,
     .def = "",
     .max = INFINITY,
     .exclusive_min = true,
     .help =
         "How far from its target, or as a misfit that is minimized from 0, a point may lie that explains the data: "
         "the standard deviation of measurement and model together. The model then says which values of the "
         "variables do (posterior, flat over their ranges)."},
    {.path = "optimize.goals[].number",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "Where the number stands in the summary.json of an evaluation, as results.Hc. Without it: a command "
             "prints the numbers of the goals, in their order, as its last line."},
    {.path = "optimize.goals[].reference",
     .type = MT_KEY_REAL,
     .def = "",
     .help = "Of several goals: the worst value that still counts. Without it: a tenth beyond the front so far."},
    {.path = "optimize.evaluate",
     .type = MT_KEY_CHOICE,
     .choices = "run|command|hand",
     .help = "Who evaluates a point: runs of magtwin, a command, or people with suggest and tell."},
    {.path = "optimize.command",
     .type = MT_KEY_STRING,
     .when = "optimize.evaluate=command",
     .help = "Shell command; {name} stands for the value of a variable, {folder} for a folder of the evaluation's own. "
             "Another exit code than 0 is a failure of the point, but 126 and 127, no such program, end the campaign."},
    {.path = "optimize.run.input",
     .type = MT_KEY_PATH,
     .when = "optimize.evaluate=run",
     .help = "The input of the runs; the variables override its keys."},
    {.path = "optimize.run.subcommand",
     .type = MT_KEY_CHOICE,
     .def = "demag",
     .choices = MT_RUNS_RESUMED "|" MT_RUNS_ANEW,
     .when = "optimize.evaluate=run",
     .help =
         "The subcommand. After a kill demag, dynamics, barrier, evolve and topology go on from their checkpoints; the "
         "others begin anew."},
    {.path = "optimize.run.overrides",
     .type = MT_KEY_STRINGS,
     .def = "",
     .max = 100,
     .when = "optimize.evaluate=run",
     .help = "Further overrides of its keys, the same for all runs: [\"mesh.size=3 nm\"]."},
    {.path = "optimize.run.launcher",
     .type = MT_KEY_STRING,
     .def = "",
     .when = "optimize.evaluate=run",
     .help = "What stands before magtwin, as mpirun -n 4 or srun -n 4. Without it: one rank."},
    {.path = "optimize.jobs",
     .type = MT_KEY_CHOICE,
     .def = "local",
     .choices = "local|slurm",
     .when = "optimize.evaluate=run|command",
     .help =
         "Where evaluations run: local, as processes beside the campaign or in its allocation; slurm, each as a job "
         "of its own, which the campaign submits and waits for."},
    {.path = "optimize.slurm.options",
     .type = MT_KEY_STRING,
     .def = "",
     .when = "optimize.jobs=slurm",
     .help = "Options of sbatch for each job: \"--ntasks=8 --time=4:00:00\". Without it: one task, a day."},
    {.path = "optimize.slurm.interval",
     .type = MT_KEY_REAL,
     .def = "10",
     .min = 0.1,
     .max = 3600,
     .when = "optimize.jobs=slurm",
     .help = "Seconds from one look into SLURM's queue to the next, one for all jobs."},
    {.path = "optimize.slurm.patience",
     .type = MT_KEY_REAL,
     .def = "60",
     .max = 86400,
     .when = "optimize.jobs=slurm",
     .help =
         "Seconds after which a job that has left the queue, and whose exit code has not come, counts as lost and is "
         "submitted again: as long as the file system needs to show what another node has written."},
    {.path = "optimize.evaluations",
     .type = MT_KEY_INT,
     .def = "50",
     .min = 1,
     .max = 100000,
     .help =
         "Number of evaluations, failed ones included. A larger one continues a campaign that has ended. Of one goal "
         "without noise, target or cost the last tenth goes where the model expects the best (log_ei, one at a time)."},
    {.path = "optimize.initial",
     .type = MT_KEY_INT,
     .def = "",
     .min = 2,
     .max = 100000,
     .help = "Points spread over the space (Sobol) before the first model. Without it: 2 (variables + 1)."},
    {.path = "optimize.transfer",
     .type = MT_KEY_PATH,
     .def = "",
     .help = "The database.jsonl of a related campaign with the same variables and goals, whose ranges may differ: its "
             "model is what the model of this one begins with. Without optimize.initial three points are then spread."},
    {.path = "optimize.parallel",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 1,
     .max = 1000,
     .help = "Evaluations at a time. With more than one the next point is chosen as soon as one ends; those under way "
             "are taken into account with what may come out there."},
    {.path = "optimize.acquisition",
     .type = MT_KEY_CHOICE,
     .def = "log_ei",
     .choices = "log_ei|ucb|pi|thompson",
     .help =
         "Of one goal: logarithm of the expected improvement, confidence bound, probability of improvement, or a draw "
         "from the model."},
    {.path = "optimize.kappa",
     .type = MT_KEY_REAL,
     .def = "2",
     .max = 100,
     .when = "optimize.acquisition=ucb",
     .help = "Standard deviations that the confidence bound lies from the mean."},
    {.path = "optimize.kernel",
     .type = MT_KEY_CHOICE,
     .def = "matern52",
     .choices = "matern52|matern32",
     .help = "Smoothness of the model: twice differentiable, or once."},
    {.path = "optimize.noise",
     .type = MT_KEY_BOOL,
     .def = "false",
     .help = "true: the same point gives scattered values (experiments), or neighbouring ones do (runs that each make "
             "a mesh "
             "of their own); the noise is learnt."},
    {.path = "optimize.cost_aware",
     .type = MT_KEY_BOOL,
     .def = "false",
     .help =
         "true: improvement per cost, learnt from the seconds of each evaluation or from what is told; the sequence "
         "then depends on these times."},
    {.path = "optimize.seed",
     .type = MT_KEY_INT,
     .def = "0",
     .min = 0,
     .max = 9e15,
     .help = "Of all random numbers: the same seed gives the same sequence, on any number of ranks."},
    {.path = NULL},
};

/* A word that can be a name: in constraints, in {} and before =. */
static bool good_name(const char *s) {
  static const char more[] = "0123456789_.[]";
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  static const char *const taken[] = {"by", "cost", "failed", "folder", "id"};
  if (!*s || !strchr(letters, *s) || strlen(s) > 90) return false;
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
    if (!strcmp(s, taken[i])) return false;
  for (; *s; s++)
    if (!strchr(letters, *s) && !strchr(more, *s)) return false;
  return true;
}

static PetscErrorCode check_name(const MtInput *in, const MtCampaign *c, const char *path, const char *name) {
  if (!good_name(name))
    return mt_input_error(in, path,
                          "%s cannot be a name: letters, digits, _ . [ ] and not by, cost, failed, folder, id", name);
  bool taken = mt_space_find(&c->space, name) >= 0;
  for (int g = 0; g < c->proposer.ngoals; g++) taken = taken || !strcmp(c->goal[g].name, name);
  return taken ? mt_input_error(in, path, "%s is the name of two variables or goals", name) : 0;
}

static PetscErrorCode add_categorical(const MtInput *in, MtCampaign *c, int i, const char *name) {
  const char *value[100];
  char path[64];
  int n = mt_input_count(in, "optimize.variables[%d].values", i);
  snprintf(path, sizeof path, "optimize.variables[%d].values", i);
  for (int k = 0; k < n; k++) {
    value[k] = mt_input_string_at(in, k, "optimize.variables[%d].values", i);
    for (int j = 0; j < k; j++)
      if (!strcmp(value[j], value[k])) return mt_input_error(in, path, "%s is given twice", value[k]);
  }
  mt_space_add(&c->space, name, MT_VAR_CATEGORICAL, 0, 0, false, n, value);
  return 0;
}

static PetscErrorCode add_number(const MtInput *in, MtCampaign *c, int i, const char *name, MtVarType type) {
  char path[64];
  double min = mt_input_real(in, "optimize.variables[%d].min", i),
         max = mt_input_real(in, "optimize.variables[%d].max", i);
  bool log = !strcmp(mt_input_string(in, "optimize.variables[%d].scale", i), "log");
  snprintf(path, sizeof path, "optimize.variables[%d].max", i);
  if (!(min < max)) return mt_input_error(in, path, "the range of %s is empty or reversed: %g .. %g", name, min, max);
  if (type == MT_VAR_INTEGER && (min != floor(min) || max != floor(max)))
    return mt_input_error(in, path, "the range of a whole number %s begins or ends between two: %g .. %g", name, min,
                          max);
  snprintf(path, sizeof path, "optimize.variables[%d].scale", i);
  if (log && min <= 0) return mt_input_error(in, path, "a logarithmic scale needs min > 0; %s begins at %g", name, min);
  mt_space_add(&c->space, name, type, min, max, log, 0, NULL);
  return 0;
}

static char *optional(const MtInput *in, const char *path, int i, const char *otherwise) {
  const char *s =
      mt_input_has(in, path, i) ? mt_input_string(in, path, i) : otherwise; /* NOLINT: formats of this file */
  return s ? mt_text("%s", s) : NULL;
}

static PetscErrorCode add_variables(const MtInput *in, MtCampaign *c) {
  int n = mt_input_count(in, "optimize.variables");
  c->key = mt_calloc((size_t)n, sizeof *c->key);
  c->unit = mt_calloc((size_t)n, sizeof *c->unit);
  for (int i = 0; i < n; i++) {
    char path[64];
    const char *name = mt_input_string(in, "optimize.variables[%d].name", i),
               *type = mt_input_string(in, "optimize.variables[%d].type", i);
    snprintf(path, sizeof path, "optimize.variables[%d].name", i);
    PetscErrorCode rc = check_name(in, c, path, name);
    if (!rc && !strcmp(type, "categorical"))
      rc = add_categorical(in, c, i, name);
    else if (!rc)
      rc = add_number(in, c, i, name, strcmp(type, "integer") ? MT_VAR_REAL : MT_VAR_INTEGER);
    if (rc) return rc;
    c->key[i] = optional(in, "optimize.variables[%d].key", i, name);
    c->unit[i] = optional(in, "optimize.variables[%d].unit", i, "");
  }
  return 0;
}

/* Which way is better, and how far off still explains the data. */
static PetscErrorCode add_want(const MtInput *in, MtCampaign *c, int i) {
  const char *want = mt_input_string(in, "optimize.goals[%d].want", i);
  MtProposer *p = &c->proposer;
  char path[64];
  p->sign[i] = strcmp(want, "maximize") ? 1 : -1;
  p->has_target[i] = !strcmp(want, "target");
  if (p->has_target[i]) p->target[i] = mt_input_real(in, "optimize.goals[%d].target", i);
  if (!mt_input_has(in, "optimize.goals[%d].scatter", i)) return 0;
  snprintf(path, sizeof path, "optimize.goals[%d].scatter", i);
  if (p->sign[i] < 0) return mt_input_error(in, path, "counts only for a target, or for a misfit that is minimized");
  c->scatter[i] = mt_input_real(in, "optimize.goals[%d].scatter", i);
  return 0;
}

static PetscErrorCode add_goals(const MtInput *in, MtCampaign *c) {
  int n = mt_input_count(in, "optimize.goals");
  for (int i = 0; i < n; i++) {
    char path[64];
    const char *name = mt_input_string(in, "optimize.goals[%d].name", i);
    snprintf(path, sizeof path, "optimize.goals[%d].name", i);
    PetscErrorCode rc = check_name(in, c, path, name);
    if (rc) return rc;
    c->goal[i].name = mt_text("%s", name);
    c->goal[i].number = optional(in, "optimize.goals[%d].number", i, NULL);
    c->proposer.ngoals = i + 1;
    rc = add_want(in, c, i);
    if (rc) return rc;
    bool has = mt_input_has(in, "optimize.goals[%d].reference", i);
    snprintf(path, sizeof path, "optimize.goals[%d].%s", i, has ? "reference" : "name");
    if (has && n == 1) return mt_input_error(in, path, "counts only with several goals");
    if (i && has != c->proposer.has_reference) return mt_input_error(in, path, "give all goals a reference, or none");
    c->proposer.has_reference = has;
    if (has) c->proposer.reference[i] = mt_input_real(in, "optimize.goals[%d].reference", i);
    if (!c->goal[i].number && c->evaluate == MT_EVALUATE_RUN)
      return mt_input_error(in, path, "with optimize.evaluate run a goal says which number of summary.json it is");
    if (i && !c->goal[0].number != !c->goal[i].number)
      return mt_input_error(in, path, "either all goals have a number in summary.json, or none");
  }
  return 0;
}

static PetscErrorCode add_constraints(const MtInput *in, MtCampaign *c) {
  char why[200];
  for (int i = 0; i < mt_input_count(in, "optimize.constraints"); i++)
    if (!mt_space_constrain(&c->space, mt_input_string_at(in, i, "optimize.constraints"), why))
      return mt_input_error(in, "optimize.constraints", "%s", why);
  return 0;
}

static MtAcquisition acquisition(const char *name) {
  static const char *const names[] = {"log_ei", "ucb", "pi", "thompson"};
  int i = 0;
  while (strcmp(names[i], name)) i++;
  return (MtAcquisition)i;
}

static PetscErrorCode add_settings(const MtInput *in, MtCampaign *c) {
  MtProposer *p = &c->proposer;
  c->evaluations = (int)mt_input_int(in, "optimize.evaluations");
  c->parallel = (int)mt_input_int(in, "optimize.parallel");
  p->initial = mt_input_has(in, "optimize.initial")    ? (int)mt_input_int(in, "optimize.initial")
               : mt_input_has(in, "optimize.transfer") ? 3
                                                       : 2 * (c->space.nvars + 1);
  p->acquisition = acquisition(mt_input_string(in, "optimize.acquisition"));
  p->kernel = strcmp(mt_input_string(in, "optimize.kernel"), "matern32") ? MT_MATERN52 : MT_MATERN32;
  p->kappa = p->acquisition == MT_ACQUIRE_UCB ? mt_input_real(in, "optimize.kappa") : 0;
  p->noisy = mt_input_bool(in, "optimize.noise");
  p->cost_aware = mt_input_bool(in, "optimize.cost_aware");
  p->seed = (uint64_t)mt_input_int(in, "optimize.seed");
  p->budget = c->evaluations;
  if (p->ngoals == 1 && p->has_target[0] && (p->acquisition == MT_ACQUIRE_UCB || p->acquisition == MT_ACQUIRE_PI))
    return mt_input_error(in, "optimize.acquisition", "a target is sought with log_ei or thompson");
  if (p->cost_aware && p->ngoals == 1 && p->acquisition != MT_ACQUIRE_LOG_EI && p->acquisition != MT_ACQUIRE_PI)
    return mt_input_error(in, "optimize.cost_aware", "only log_ei and pi can be divided by a cost");
  if (p->ngoals > 1 && p->acquisition != MT_ACQUIRE_LOG_EI)
    return mt_input_error(in, "optimize.acquisition",
                          "several goals have one acquisition, the hypervolume improvement (log_ei)");
  return 0;
}

static void add_jobs(const MtInput *in, MtCampaign *c) {
  c->slurm = c->evaluate != MT_EVALUATE_HAND && !strcmp(mt_input_string(in, "optimize.jobs"), "slurm");
  if (!c->slurm) return;
  c->options = optional(in, "optimize.slurm.options", 0, "");
  c->interval = mt_input_real(in, "optimize.slurm.interval");
  c->patience = mt_input_real(in, "optimize.slurm.patience");
}

static PetscErrorCode add_evaluation(const MtInput *in, MtCampaign *c) {
  add_jobs(in, c);
  if (c->evaluate == MT_EVALUATE_COMMAND) {
    char name[100];
    c->command = mt_text("%s", mt_input_string(in, "optimize.command"));
    c->evaluator = (MtEvaluator){.space = &c->space, .command = c->command};
    if (mt_evaluation_unknown(&c->space, c->command, name))
      return mt_input_error(in, "optimize.command", "{%s} is no variable of this campaign", name);
    return 0;
  }
  if (c->evaluate != MT_EVALUATE_RUN) return 0;
  c->subcommand = mt_text("%s", mt_input_string(in, "optimize.run.subcommand"));
  c->input = mt_text("%s", mt_input_string(in, "optimize.run.input"));
  const int n = mt_input_has(in, "optimize.run.overrides") ? mt_input_count(in, "optimize.run.overrides") : 0;
  c->more = mt_calloc((size_t)n + 1, sizeof *c->more);
  for (int i = 0; i < n; i++) {
    c->more[i] = mt_text("%s", mt_input_string_at(in, i, "optimize.run.overrides"));
    if (!strchr(c->more[i], '='))
      return mt_input_error(in, "optimize.run.overrides", "%s: an override is written key=value", c->more[i]);
  }
  c->launcher = optional(in, "optimize.run.launcher", 0, "");
  c->evaluator = (MtEvaluator){&c->space, c->key, c->unit, NULL, c->subcommand, c->input, c->launcher, NULL};
  return 0;
}

static MtEvaluate evaluate_of(const MtInput *in) {
  const char *s = mt_input_string(in, "optimize.evaluate");
  return !strcmp(s, "hand") ? MT_EVALUATE_HAND : !strcmp(s, "command") ? MT_EVALUATE_COMMAND : MT_EVALUATE_RUN;
}

PetscErrorCode mt_campaign_create(MPI_Comm comm, const MtInput *in, const char *folder, MtCampaign **out) {
  MtCampaign *c = *out = mt_calloc(1, sizeof *c);
  c->folder = mt_text("%s", folder);
  c->db.path = mt_text("%s/database.jsonl", folder);
  c->db.lock_path = mt_text("%s/database.lock", folder);
  c->evaluate = evaluate_of(in);
  PetscErrorCode rc = add_variables(in, c);
  if (!rc) rc = add_goals(in, c);
  if (!rc) rc = add_constraints(in, c);
  if (!rc) rc = add_settings(in, c);
  if (!rc) rc = add_evaluation(in, c);
  if (!rc && mt_input_has(in, "optimize.candidates"))
    rc = mt_space_read_pool(comm, &c->space, mt_input_string(in, "optimize.candidates"));
  if (!rc && mt_input_has(in, "optimize.transfer"))
    rc = mt_campaign_transfer(comm, c, mt_input_string(in, "optimize.transfer"));
  if (!rc) mt_space_enumerate(&c->space, 20000);
  if (rc) mt_campaign_destroy(out);
  return rc;
}

void mt_campaign_destroy(MtCampaign **out) {
  MtCampaign *c = *out;
  if (!c) return;
  mt_database_free(&c->db);
  for (int i = 0; i < c->proposer.nprior; i++) free(c->prior[i].x);
  free(c->prior);
  for (int i = 0; i < c->space.nvars && c->key; i++) {
    free(c->key[i]);
    free(c->unit[i]);
  }
  for (int g = 0; g < MT_GOALS_MAX; g++) {
    free((char *)c->goal[g].name);
    free((char *)c->goal[g].number);
  }
  mt_space_free(&c->space);
  free(c->key);
  free(c->unit);
  free(c->folder);
  free(c->command);
  free(c->subcommand);
  free(c->input);
  free(c->launcher);
  free(c->options);
  free(c->words);
  for (int i = 0; c->more && c->more[i]; i++) free(c->more[i]);
  free(c->more);
  free(c);
  *out = NULL;
}
