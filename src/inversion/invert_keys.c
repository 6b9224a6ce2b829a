/* The keys of section invert, and the rules between them. */
#include "../phasefield/evolve_impl.h"
#include "invert_impl.h"
#include "magtwin/elastic.h"
#include "magtwin/error.h"
#include "magtwin/evolve.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const MtKey mt_invert_keys[] = {
    {.path = "invert.snapshots",
     .type = MT_KEY_PATH,
     .help = "What was observed, by name or pattern, in the order of the numbers in the names: files of fields of "
             "magtwin evolve, or on a box .npy arrays [y, x] or [z, y, x] and gray pictures (PNG, TIFF; the upper edge "
             "is the largest y). One value a node: as many as box.size/box.spacing, and one more along axes that are "
             "not periodic. NaN: not seen."},
    {.path = "invert.times",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TIME,
     .def = "[]",
     .min = 0,
     .max = 1e15,
     .help = "Times of the snapshots, ascending; without them those that the files of fields have."},
    {.path = "invert.noise",
     .type = MT_KEY_REAL,
     .min = 0,
     .max = 1e6,
     .help = "Standard deviation of the noise of the snapshots, in c, independent from node to node.",
     .exclusive_min = true},
    {.path = "invert.gray", .type = MT_KEY_REALS, .def = "[0, 1]", .help = "c of black and of white in pictures."},
    {.path = "invert.observed",
     .type = MT_KEY_CHOICE,
     .choices = "c|phi|sum_eta2",
     .def = "",
     .help = "The field that the snapshots show: c, phi of two phases, or sum_eta2 of grains, 1 in a grain and less in "
             "its boundaries. Without it c, and sum_eta2 of grains."},
    {.path = "invert.mask",
     .type = MT_KEY_PATH,
     .def = "",
     .help = "A file of the kind and size of a snapshot: where it is 0 nothing was seen."},
    {.path = "invert.initial",
     .type = MT_KEY_CHOICE,
     .def = "model",
     .choices = "model|snapshot",
     .help = "The state at the beginning: that of section phasefield at t = 0, or the first snapshot as it is."},
    {.path = "invert.initial_noise",
     .type = MT_KEY_REAL,
     .def = "0",
     .min = 0,
     .max = 1e6,
     .when = "invert.method=gauss_newton|blmvm",
     .help =
         "Standard deviation of the error of the state at the beginning, independent from node to node: that of the "
         "noise where the state is a snapshot. The estimates stay, their deviations then hold it too. 0: the state "
         "is known."},
    {.path = "invert.parameters", .type = MT_KEY_LIST, .min = 1, .max = 16, .help = "What is sought: one map each."},
    {.path = "invert.parameters[].name",
     .type = MT_KEY_STRING,
     .help = "The key: phasefield.gradient_energy, .mobility, .rate, .double_well.height, .double_well.low, "
             ".double_well.high, .polynomial[k] (k from 0), .solution.temperature, .solution.interaction, .table.f[k]; "
             "diffusion.media[k].D0, .Q. By an ensemble alone phasefield.activation, "
             "phasefield.boundary.energy, .mobility, kks.interface_energy, .rate, kks.phases[k].D0, .Q, .curvature, "
             ".minimum, .interaction, wetting.energy, elasticity.misfit[k]. Its value in the input is where the search "
             "begins."},
    {.path = "invert.parameters[].min",
     .type = MT_KEY_REAL,
     .help = "Smallest value, in the unit that the key has without one."},
    {.path = "invert.parameters[].max", .type = MT_KEY_REAL, .help = "Largest value."},
    {.path = "invert.parameters[].deviation",
     .type = MT_KEY_REAL,
     .def = "",
     .min = 0,
     .max = 1e30,
     .help = "What is known before: standard deviation about the value in the input; relative (0.2: 20 %) "
             "where min > 0, else in the unit of the key. Without it nothing but the bounds; an ensemble then begins "
             "with a quarter of their width.",
     .exclusive_min = true},
    {.path = "invert.method",
     .type = MT_KEY_CHOICE,
     .def = "gauss_newton",
     .choices = "gauss_newton|blmvm|ensemble",
     .help =
         "Adjoint gradients and a Gauss-Newton matrix from sensitivities (TAO's bntr), adjoint gradients alone (TAO's "
         "blmvm), or an ensemble Kalman smoother without derivatives, for all models and sections of magtwin evolve."},
    {.path = "invert.iterations",
     .type = MT_KEY_INT,
     .def = "50",
     .min = 1,
     .max = 10000,
     .help = "Largest number of iterations, or of assimilations of an ensemble."},
    {.path = "invert.states",
     .type = MT_KEY_INT,
     .def = "",
     .min = 4,
     .max = 1e9,
     .help = "Fields of a trajectory kept in memory for the adjoint; states that do not fit are computed again. "
             "Without it all are kept."},
    {.path = "invert.taylor_test",
     .type = MT_KEY_BOOL,
     .def = "false",
     .help = "true: taylor.csv compares the gradient at the start with differences of the misfit, step by step."},
    {.path = "invert.members",
     .type = MT_KEY_INT,
     .def = "40",
     .min = 4,
     .max = 1000,
     .when = "invert.method=ensemble",
     .help = "Members of the ensemble."},
    {.path = "invert.groups",
     .type = MT_KEY_INT,
     .def = "",
     .min = 1,
     .max = 1e6,
     .when = "invert.method=ensemble",
     .help = "Groups of ranks that compute members at the same time; must divide the number of ranks. Without it a "
             "group is one rank."},
    {.path = "invert.seed",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 0,
     .max = 9e15,
     .when = "invert.method=ensemble",
     .help = "Seed of the first ensemble."},
    {0},
};

void mt_invert_options(const MtInput *in, MtInvertOptions *o) {
  const char *method = mt_input_string(in, "invert.method");
  *o = (MtInvertOptions){.from_snapshot = strcmp(mt_input_string(in, "invert.initial"), "snapshot") == 0,
                         .taylor = mt_input_bool(in, "invert.taylor_test"),
                         .iterations = (int)mt_input_int(in, "invert.iterations"),
                         .noise = mt_input_real(in, "invert.noise")};
  if (mt_input_has(in, "invert.initial_noise")) o->initial_noise = mt_input_real(in, "invert.initial_noise");
  o->method = strcmp(method, "ensemble") == 0 ? MT_INVERT_ENSEMBLE
              : strcmp(method, "blmvm") == 0  ? MT_INVERT_BLMVM
                                              : MT_INVERT_GAUSS_NEWTON;
  if (mt_input_has(in, "invert.states")) o->states = (int)mt_input_int(in, "invert.states");
  if (o->method != MT_INVERT_ENSEMBLE) return;
  o->members = (int)mt_input_int(in, "invert.members");
  o->groups = mt_input_has(in, "invert.groups") ? (int)mt_input_int(in, "invert.groups") : 0;
  o->seed = (uint64_t)mt_input_int(in, "invert.seed");
}

static PetscErrorCode check_times(const MtInput *in) {
  const int n = mt_input_count(in, "invert.times");
  for (int i = 1; i < n; i++)
    if (!(mt_input_real_at(in, i, "invert.times") > mt_input_real_at(in, i - 1, "invert.times")))
      return mt_input_error(in, "invert.times", "must ascend, but entry %d is not after the one before", i + 1);
  if (mt_input_count(in, "invert.gray") != 2)
    return mt_input_error(in, "invert.gray", "must be two numbers: c of black and of white");
  return 0;
}

static bool one_field(const char *model) {
  return strcmp(model, "cahn_hilliard") == 0 || strcmp(model, "allen_cahn") == 0 || strcmp(model, "diffusion") == 0;
}

/* What only forward runs know. */
static PetscErrorCode check_adjoint(const MtInput *in) {
  const char *model = mt_input_string(in, "phasefield.model"), *method = mt_input_string(in, "invert.method");
  if (strcmp(method, "ensemble") == 0) return 0;
  if (!one_field(model))
    return mt_input_error(in, "invert.method", "is %s, but %s has no adjoint: use ensemble", method, model);
  if (mt_wetting_given(in))
    return mt_input_error(in, "invert.method", "is %s, but boundaries (wetting.energy) have no adjoint: use ensemble",
                          method);
  if (mt_elastic_asked(in))
    return mt_input_error(in, "invert.method", "is %s, but elastic energy has no adjoint: use ensemble", method);
  return 0;
}

static PetscErrorCode check_observed(const MtInput *in) {
  const char *model = mt_input_string(in, "phasefield.model"), *seen = mt_invert_observed(in);
  const bool grains = strcmp(model, "grain_growth") == 0, two = strcmp(model, "kks") == 0;
  if ((strcmp(seen, "sum_eta2") == 0) != grains || (strcmp(seen, "phi") == 0 && !two))
    return mt_input_error(in, "invert.observed", "is %s, which %s does not have", seen, model);
  if (!one_field(model) && strcmp(mt_input_string(in, "invert.initial"), "snapshot") == 0)
    return mt_input_error(in, "invert.initial", "is snapshot, but one field is not the whole state of %s", model);
  return 0;
}

PetscErrorCode mt_invert_check(const MtInput *in) {
  MtUnknown u[MT_UNKNOWNS];
  int n;
  if (!mt_input_has(in, "invert.noise")) return 0;
  if (mt_evolve_from_labels(in))
    return mt_input_error(in, "phasefield.initial",
                          "is labels, which magtwin invert does not read: take a file of fields");
  if (mt_input_has(in, "phasefield.driving.state"))
    return mt_input_error(in, "phasefield.driving.state",
                          "is not read by magtwin invert: take the driving.csv of a run as phasefield.driving.table");
  PetscErrorCode rc = check_times(in);
  if (rc || !mt_input_has(in, "phasefield.model")) return rc;
  rc = check_adjoint(in);
  if (!rc) rc = check_observed(in);
  return rc ? rc : mt_invert_unknowns(in, &n, u);
}
