/* The keys of section sweep, and the sweep they describe. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "sweep_impl.h"
#include <stdio.h>
#include <string.h>

const MtKey mt_sweep_keys[] = {
    {.path = "sweep.axes", .type = MT_KEY_LIST, .min = 1, .max = 21, .help = "What is varied: one map an axis."},
    {.path = "sweep.axes[].name", .type = MT_KEY_STRING, .help = "Its name in the table and in constraints."},
    {.path = "sweep.axes[].key",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "The key of the input that it sets. Without it: its name."},
    {.path = "sweep.axes[].unit", .type = MT_KEY_STRING, .def = "", .help = "Written behind its value."},
    {.path = "sweep.axes[].kind",
     .type = MT_KEY_CHOICE,
     .def = "range",
     .choices = "range|list",
     .help = "Values from min to max, or those listed."},
    {.path = "sweep.axes[].values",
     .type = MT_KEY_STRINGS,
     .min = 1,
     .max = 10000,
     .when = "sweep.axes[].kind=list",
     .help = "The values."},
    {.path = "sweep.axes[].min", .type = MT_KEY_REAL, .when = "sweep.axes[].kind=range", .help = "Smallest value."},
    {.path = "sweep.axes[].max", .type = MT_KEY_REAL, .when = "sweep.axes[].kind=range", .help = "Largest value."},
    {.path = "sweep.axes[].count",
     .type = MT_KEY_INT,
     .def = "5",
     .min = 2,
     .max = 10000,
     .when = "sweep.axes[].kind=range",
     .help = "Values in a grid, both ends included; other designs do not need it."},
    {.path = "sweep.axes[].scale",
     .type = MT_KEY_CHOICE,
     .def = "linear",
     .choices = "linear|log",
     .when = "sweep.axes[].kind=range",
     .help = "Equal steps, or equal factors (min > 0)."},
    {.path = "sweep.axes[].whole",
     .type = MT_KEY_BOOL,
     .def = "false",
     .when = "sweep.axes[].kind=range",
     .help = "true: whole numbers."},
    {.path = "sweep.design",
     .type = MT_KEY_CHOICE,
     .def = "grid",
     .choices = "grid|latin|sobol",
     .help = "All combinations, a Latin hypercube, or Sobol's sequence."},
    {.path = "sweep.points",
     .type = MT_KEY_INT,
     .min = 1,
     .max = 100000,
     .when = "sweep.design=latin|sobol",
     .help = "Number of points; constraints leave fewer of a Latin hypercube."},
    {.path = "sweep.constraints",
     .type = MT_KEY_STRINGS,
     .def = "",
     .max = 100,
     .help = "Linear ones between ranges, as \"thickness - 2*texture <= 5\": other points are left out."},
    {.path = "sweep.repeats",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 1,
     .max = 10000,
     .help = "Runs of every point, each with its own seed."},
    {.path = "sweep.seed_key",
     .type = MT_KEY_STRING,
     .def = "grains.seed",
     .help = "The key of the input that takes the seeds of the repeats; counts with more than one."},
    {.path = "sweep.seed",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 0,
     .max = 1e9,
     .help = "The seed of the first repeat, and of the design."},
    {.path = "sweep.evaluate",
     .type = MT_KEY_CHOICE,
     .def = "run",
     .choices = "run|command",
     .help = "Runs of magtwin, or a command."},
    {.path = "sweep.command",
     .type = MT_KEY_STRING,
     .when = "sweep.evaluate=command",
     .help = "Shell command; {name} stands for the value of an axis, {folder} for the point's own folder. "
             "Another exit code than 0 is a failure of the point, but 126 and 127, no such program, end the sweep."},
    {.path = "sweep.input", .type = MT_KEY_PATH, .when = "sweep.evaluate=run", .help = "The input of the runs."},
    {.path = "sweep.subcommand",
     .type = MT_KEY_CHOICE,
     .def = "demag",
     .choices = MT_RUNS_RESUMED "|" MT_RUNS_ANEW,
     .when = "sweep.evaluate=run",
     .help =
         "The subcommand. After a kill demag, dynamics, barrier, evolve and topology go on from their checkpoints; the "
         "others begin anew."},
    {.path = "sweep.before",
     .type = MT_KEY_CHOICE,
     .def = "none",
     .choices = "none|evolve",
     .when = "sweep.evaluate=run",
     .help = "evolve: an anneal before, at every point: magtwin evolve with the same input and values, in the folder "
             "evolve of the point; the subcommand gets its last field as materials.composition.file, and its mesh."},
    {.path = "sweep.launcher",
     .type = MT_KEY_STRING,
     .def = "",
     .when = "sweep.evaluate=run",
     .help = "What stands before magtwin, as mpirun -n 4 or srun. Without it: one rank."},
    {.path = "sweep.numbers",
     .type = MT_KEY_STRINGS,
     .min = 1,
     .max = 64,
     .help =
         "Columns of the table: with runs where they stand in summary.json, as results.Hc; of a command the names of "
         "the numbers in the last line it prints."},
    {.path = "sweep.compare",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "An axis of a grid without constraints: the table also has the change of every number, and per cent, from "
             "the point with the first value of this axis and all else alike."},
    {.path = "sweep.parallel", .type = MT_KEY_INT, .def = "1", .min = 1, .max = 1000, .help = "Points at a time."},
    {.path = NULL},
};

static char *optional(const MtInput *in, const char *path, int i, const char *otherwise) {
  return mt_text("%s", mt_input_has(in, path, i) ? mt_input_string(in, path, i) : otherwise);
}

static PetscErrorCode add_range(const MtInput *in, MtSweep *s, int i, const char *name) {
  char path[64];
  double min = mt_input_real(in, "sweep.axes[%d].min", i), max = mt_input_real(in, "sweep.axes[%d].max", i);
  bool log = !strcmp(mt_input_string(in, "sweep.axes[%d].scale", i), "log");
  bool whole = mt_input_bool(in, "sweep.axes[%d].whole", i);
  snprintf(path, sizeof path, "sweep.axes[%d].max", i);
  if (!(min < max)) return mt_input_error(in, path, "the range of %s is empty or reversed: %g .. %g", name, min, max);
  if (log && min <= 0) return mt_input_error(in, path, "a logarithmic scale needs min > 0; %s begins at %g", name, min);
  if (whole && (min != (double)(long)min || max != (double)(long)max))
    return mt_input_error(in, path, "the range of whole numbers %s begins or ends between two", name);
  s->levels[i] = (int)mt_input_int(in, "sweep.axes[%d].count", i);
  mt_space_add(&s->space, name, whole ? MT_VAR_INTEGER : MT_VAR_REAL, min, max, log, 0, NULL);
  return 0;
}

static void add_list(const MtInput *in, MtSweep *s, int i, const char *name) {
  const int n = mt_input_count(in, "sweep.axes[%d].values", i);
  const char **value = mt_malloc(sizeof *value * (size_t)n);
  for (int k = 0; k < n; k++) value[k] = mt_input_string_at(in, k, "sweep.axes[%d].values", i);
  mt_space_add(&s->space, name, MT_VAR_CATEGORICAL, 0, 0, false, n, value);
  s->levels[i] = n;
  free(value);
}

static PetscErrorCode add_axes(const MtInput *in, MtSweep *s) {
  const int n = mt_input_count(in, "sweep.axes");
  PetscErrorCode rc = 0;
  s->key = mt_calloc((size_t)n, sizeof *s->key);
  s->unit = mt_calloc((size_t)n, sizeof *s->unit);
  s->levels = mt_calloc((size_t)n, sizeof *s->levels);
  for (int i = 0; i < n && !rc; i++) {
    char path[64];
    const char *name = mt_input_string(in, "sweep.axes[%d].name", i);
    snprintf(path, sizeof path, "sweep.axes[%d].name", i);
    if (!name[0] || strpbrk(name, " ,\"=\n{}"))
      return mt_input_error(in, path, "\"%s\" cannot be the name of an axis: no blanks, commas, quotes, =, { or }",
                            name);
    if (mt_space_find(&s->space, name) >= 0) return mt_input_error(in, path, "two axes are called %s", name);
    if (!strcmp(mt_input_string(in, "sweep.axes[%d].kind", i), "list"))
      add_list(in, s, i, name);
    else
      rc = add_range(in, s, i, name);
    if (rc) return rc; /* the variable is not there: nor are its texts */
    s->key[i] = optional(in, "sweep.axes[%d].key", i, name);
    s->unit[i] = optional(in, "sweep.axes[%d].unit", i, "");
  }
  return rc;
}

static PetscErrorCode add_evaluation(const MtInput *in, MtSweep *s) {
  char name[100];
  if (!strcmp(mt_input_string(in, "sweep.evaluate"), "command")) {
    s->command = optional(in, "sweep.command", 0, "");
    s->evaluator = (MtEvaluator){.space = &s->space, .command = s->command};
    if (mt_evaluation_unknown(&s->space, s->command, name))
      return mt_input_error(in, "sweep.command", "{%s} is no axis of this sweep", name);
    return 0;
  }
  s->subcommand = optional(in, "sweep.subcommand", 0, "");
  s->input = optional(in, "sweep.input", 0, "");
  s->launcher = optional(in, "sweep.launcher", 0, "");
  if (strcmp(mt_input_string(in, "sweep.before"), "none")) s->before = optional(in, "sweep.before", 0, "");
  if (s->before && !strcmp(s->before, s->subcommand))
    return mt_input_error(in, "sweep.before", "is the subcommand itself");
  s->evaluator = (MtEvaluator){&s->space, s->key, s->unit, NULL, s->subcommand, s->input, s->launcher, s->before};
  return 0;
}

static PetscErrorCode add_comparison(const MtInput *in, MtSweep *s) {
  s->compared = -1;
  if (!mt_input_has(in, "sweep.compare")) return 0;
  const char *name = mt_input_string(in, "sweep.compare");
  s->compared = mt_space_find(&s->space, name);
  if (s->compared < 0) return mt_input_error(in, "sweep.compare", "\"%s\" is no axis of this sweep", name);
  if (strcmp(mt_input_string(in, "sweep.design"), "grid") || mt_input_count(in, "sweep.constraints"))
    return mt_input_error(in, "sweep.compare",
                          "needs a grid without constraints, in which every point has a first one");
  return 0;
}

static void add_numbers(const MtInput *in, MtSweep *s) {
  s->nnumbers = mt_input_count(in, "sweep.numbers");
  s->number = mt_calloc((size_t)s->nnumbers, sizeof *s->number);
  for (int k = 0; k < s->nnumbers; k++) {
    char *name = mt_text("%s", mt_input_string_at(in, k, "sweep.numbers"));
    s->number[k] = (MtNumber){name, s->command ? NULL : name};
  }
}

PetscErrorCode mt_sweep_create(const MtInput *in, const char *folder, MtSweep **out) {
  MtSweep *s = *out = mt_calloc(1, sizeof *s);
  char why[200];
  s->folder = mt_text("%s", folder);
  s->parallel = (int)mt_input_int(in, "sweep.parallel");
  if (mt_input_int(in, "sweep.repeats") > 1) s->seed_key = optional(in, "sweep.seed_key", 0, "");
  PetscErrorCode rc = add_axes(in, s);
  for (int i = 0; !rc && i < mt_input_count(in, "sweep.constraints"); i++)
    if (!mt_space_constrain(&s->space, mt_input_string_at(in, i, "sweep.constraints"), why))
      rc = mt_input_error(in, "sweep.constraints", "%s", why);
  if (!rc) rc = add_comparison(in, s);
  if (!rc) rc = add_evaluation(in, s);
  if (!rc) add_numbers(in, s);
  if (!rc) rc = mt_sweep_lay_out(in, s);
  if (rc) mt_sweep_destroy(out);
  return rc;
}

void mt_sweep_destroy(MtSweep **out) {
  MtSweep *s = *out;
  if (!s) return;
  for (int i = 0; i < s->npoints; i++) {
    free(s->point[i].x);
    free(s->point[i].y);
    free(s->point[i].reason);
  }
  for (int i = 0; i < s->space.nvars; i++) {
    free(s->key[i]);
    free(s->unit[i]);
  }
  for (int k = 0; k < s->nnumbers; k++) free((char *)s->number[k].name);
  mt_space_free(&s->space);
  free(s->point);
  free(s->number);
  free(s->key);
  free(s->unit);
  free(s->levels);
  free(s->folder);
  free(s->command);
  free(s->subcommand);
  free(s->input);
  free(s->launcher);
  free(s->before);
  free(s->seed_key);
  free(s);
  *out = NULL;
}
