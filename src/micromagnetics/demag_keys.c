/* The keys of a demagnetization run, and the values taken from them. */
#include "hysteresis.h"
#include <string.h>

const MtKey mt_demag_keys[] = {
    {"field.direction", MT_KEY_VEC3, MT_DIM_NONE, "[0, 0, 1]", 0, 0, NULL, NULL,
     "Direction of the applied field; need not be a unit vector.", false},
    {"field.start", MT_KEY_REAL, MT_DIM_FIELD, NULL, -1000, 1000, NULL, NULL,
     "Field along field.direction at which the path starts.", false},
    {"field.segments", MT_KEY_LIST, MT_DIM_NONE, NULL, 1, 10000, NULL, NULL,
     "The path: each segment is the straight line in field space from where the one before ended to its own end.",
     false},
    {"field.segments[].to", MT_KEY_REAL, MT_DIM_FIELD, NULL, -1000, 1000, NULL, NULL,
     "Field along the segment's direction at which the segment ends.", false},
    {"field.segments[].step", MT_KEY_REAL, MT_DIM_FIELD, NULL, 0, 1000, NULL, NULL,
     "Field step; the largest one when mode is adaptive. Zero field and the end of the segment are always hit.", true},
    {"field.segments[].direction", MT_KEY_VEC3, MT_DIM_NONE, "", 0, 0, NULL, NULL,
     "Direction of this segment's end field and of its m; field.direction if not given.", false},
    {"field.segments[].mode", MT_KEY_CHOICE, MT_DIM_NONE, "adaptive", 0, 0, "fixed|adaptive", NULL,
     "adaptive: a step in which m changes by more than dm_max is rolled back and bisected down to resolution.", false},
    {"field.segments[].dm_max", MT_KEY_REAL, MT_DIM_NONE, "0.02", 0, 2, NULL, NULL,
     "Largest change of m (of saturation, along the segment's direction) in an adaptive step.", true},
    {"field.segments[].resolution", MT_KEY_REAL, MT_DIM_FIELD, "5 mT", 0, 1000, NULL, NULL,
     "Smallest adaptive step: how finely the field of a jump is bracketed.", true},
    {"field.segments[].every_event", MT_KEY_BOOL, MT_DIM_NONE, "false", 0, 0, NULL, NULL,
     "adaptive: a step in which the state leaves its branch is rolled back however little m changes, so that the field "
     "of every event is bracketed, also of one grain of very many: see switching.h5, and with output.event_drop below "
     "2/grains the list of events. Each costs a few relaxations. With minimizer.events: flow.",
     false},
    {"field.stop_below", MT_KEY_REAL, MT_DIM_NONE, "", -1, 1, NULL, NULL,
     "The path ends early when m along the starting field falls below this.", false},
    {"field.reversal.from", MT_KEY_REALS, MT_DIM_FIELD, "", -1000, 1000, NULL, NULL,
     "Reversal curves: fields along the path at which it halts and from whose states, once it is walked, a curve each "
     "goes to field.reversal.to.",
     false},
    {"field.reversal.first", MT_KEY_REAL, MT_DIM_FIELD, "", -1000, 1000, NULL, NULL,
     "The same fields evenly spaced, in place of from: the first.", false},
    {"field.reversal.last", MT_KEY_REAL, MT_DIM_FIELD, "", -1000, 1000, NULL, NULL, "The last of them.", false},
    {"field.reversal.count", MT_KEY_INT, MT_DIM_NONE, "", 1, 10000, NULL, NULL, "Their number.", false},
    {"field.reversal.to", MT_KEY_REAL, MT_DIM_FIELD, "", -1000, 1000, NULL, NULL,
     "Field at which the reversal curves end.", false},
    {"field.reversal.close", MT_KEY_BOOL, MT_DIM_NONE, "false", 0, 0, NULL, NULL,
     "Whether they go back to their start: minor loops.", false},
    {"field.reversal.step", MT_KEY_REAL, MT_DIM_FIELD, "", 0, 1000, NULL, NULL, "As field.segments[].step.", true},
    {"field.reversal.mode", MT_KEY_CHOICE, MT_DIM_NONE, "adaptive", 0, 0, "fixed|adaptive", NULL,
     "As field.segments[].mode.", false},
    {"field.reversal.dm_max", MT_KEY_REAL, MT_DIM_NONE, "0.02", 0, 2, NULL, NULL, "As field.segments[].dm_max.", true},
    {"field.reversal.resolution", MT_KEY_REAL, MT_DIM_FIELD, "5 mT", 0, 1000, NULL, NULL,
     "As field.segments[].resolution.", true},
    {"field.reversal.every_event", MT_KEY_BOOL, MT_DIM_NONE, "false", 0, 0, NULL, NULL,
     "As field.segments[].every_event.", false},
    {"field.angles", MT_KEY_REALS, MT_DIM_ANGLE, "", -360, 360, NULL, NULL,
     "The path is walked once for each of these angles, all its fields turned by it from field.direction: the angular "
     "dependence of the coercive field.",
     false},
    {"field.angles_toward", MT_KEY_VEC3, MT_DIM_NONE, "", 0, 0, NULL, NULL,
     "Direction towards which field.direction turns by field.angles; x, or y where the field is along x.", false},
    {"field.initial", MT_KEY_CHOICE, MT_DIM_NONE, "saturated", 0, 0, "saturated|file", NULL,
     "State before the first field: saturated along it, or read from field.initial_file.", false},
    {"field.initial_file", MT_KEY_PATH, MT_DIM_NONE, NULL, 0, 0, NULL, "field.initial=file",
     "A state file of an earlier run on the same mesh (states/state_0001.h5).", false},
    {"minimizer.torque", MT_KEY_REAL, MT_DIM_FIELD, "0.1 mT", 0, 1, NULL, NULL,
     "A state counts as relaxed when the largest torque mu0 |m x H| of all nodes is below this.", true},
    {"minimizer.max_iterations", MT_KEY_INT, MT_DIM_NONE, "5000", 1, 1e9, NULL, NULL,
     "Iterations at one field, after which the step is reported as not converged: it has a 0 in the column converged "
     "of curve.csv, and what is read off it is said to be so.",
     false},
    {"minimizer.give_up", MT_KEY_REAL, MT_DIM_NONE, "100", 1, 1e15, NULL, NULL,
     "A field step that ends with more than this many times minimizer.torque ends the run with exit code 1; the "
     "checkpoint holds the state before it.",
     false},
    {"minimizer.max_turn", MT_KEY_REAL, MT_DIM_ANGLE, "20 deg", 0, 90, NULL, NULL,
     "Largest rotation of any node in one iteration.", true},
    {"minimizer.events", MT_KEY_CHOICE, MT_DIM_NONE, "flow", 0, 0, "flow|minimize", NULL,
     "How a state is left that is no longer stable: along the dissipative path, as the dynamics at large damping "
     "does, or by minimization, whose jumps may end elsewhere.",
     false},
    {"minimizer.inner_iterations", MT_KEY_INT, MT_DIM_NONE, "20", 1, 1000, NULL, NULL,
     "Largest number of inner iterations of the preconditioner.", false},
    {"minimizer.inner_rtol", MT_KEY_REAL, MT_DIM_NONE, "0.02", 0, 1, NULL, NULL,
     "Relative residual at which the preconditioner's inner iterations stop.", true},
    {"minimizer.demag_rtol", MT_KEY_REAL, MT_DIM_NONE, "1e-7", 0, 1e-2, NULL, NULL,
     "Relative residual of the demagnetizing solve at convergence; looser far from it.", true},
    {"demagnetizing.enabled", MT_KEY_BOOL, MT_DIM_NONE, "true", 0, 0, NULL, NULL,
     "Whether the magnet's own stray field is computed.", false},
    {"demagnetizing.modes", MT_KEY_INT, MT_DIM_NONE, "4", 0, 32, NULL, NULL,
     "Highest degree l of the spherical harmonics closed exactly on the outer sphere.", false},
    {"demagnetizing.sample", MT_KEY_CHOICE, MT_DIM_NONE, "mesh", 0, 0, "mesh|closed_circuit|factors", NULL,
     "What the meshed body is: mesh: a magnet of its own; else a cut-out of a larger one, whose mean demagnetizing "
     "field is "
     "that of a closed circuit (none), or of a sample with demagnetizing.sample_factors.",
     false},
    {"demagnetizing.sample_factors", MT_KEY_VEC3, MT_DIM_NONE, NULL, 0, 1, NULL, "demagnetizing.sample=factors",
     "Demagnetizing factors of the sample along x, y, z.", false},
    {"demagnetizing.loop_factor", MT_KEY_REAL, MT_DIM_NONE, "", 0, 1, NULL, NULL,
     "Demagnetizing factor along the field with which the loop is corrected to the internal field; if not given that "
     "of "
     "the sample, for a mesh of its own that of the box around the magnet.",
     false},
    {"checkpoint.every_steps", MT_KEY_INT, MT_DIM_NONE, "1", 1, 1e9, NULL, NULL,
     "Accepted field steps, or lines of dynamics.csv, between checkpoints.", false},
    {"checkpoint.every_minutes", MT_KEY_REAL, MT_DIM_NONE, "0", 0, 1e6, NULL, NULL,
     "Least time between checkpoints, in minutes.", false},
    {"output.states", MT_KEY_CHOICE, MT_DIM_NONE, "events", 0, 0, "events|all|none", NULL,
     "States kept: events = at remanence, before and after each large event, nearest to coercivity, the last.", false},
    {"output.event_drop", MT_KEY_REAL, MT_DIM_NONE, "0.05", 0, 2, NULL, NULL,
     "Change of m in one accepted step that makes it a large event.", true},
    {"petsc_options", MT_KEY_STRING, MT_DIM_NONE, "", 0, 0, NULL, NULL,
     "Options for PETSc's solver of the demagnetizing field, as on its command line (-demag_ksp_view -demag_pc_type "
     "gamg); "
     "one that it does not use is an error.",
     false},
    {NULL, MT_KEY_BOOL, MT_DIM_NONE, NULL, 0, 0, NULL, NULL, NULL, false}};

/* Factors of a body add up to 1; those of a sample with part of its walls in a circuit to less. */
PetscErrorCode mt_sample_check(const MtInput *in) {
  double N[3];
  /* `magtwin check` reads inputs whose section demagnetizing is not filled in */
  if (!mt_input_has(in, "demagnetizing.sample") || !strcmp(mt_input_string(in, "demagnetizing.sample"), "mesh"))
    return 0;
  if (!mt_input_bool(in, "demagnetizing.enabled"))
    return mt_input_error(in, "demagnetizing.sample", "needs the demagnetizing field: demagnetizing.enabled");
  if (!mt_input_has(in, "demagnetizing.sample_factors")) return 0;
  mt_input_vec3(in, N, "demagnetizing.sample_factors");
  if (N[0] + N[1] + N[2] <= 1 + 1e-6) return 0;
  return mt_input_error(in, "demagnetizing.sample_factors", "must not add up to more than 1, is %g",
                        N[0] + N[1] + N[2]);
}

PetscErrorCode mt_demag_check(const MtInput *in) {
  MtFieldPlan plan;
  PetscCall(mt_field_plan_read(in, &plan));
  mt_field_plan_free(&plan);
  return mt_sample_check(in);
}

static MtStatesKept states_choice(const char *text) {
  if (strcmp(text, "all") == 0) return MT_STATES_ALL;
  return strcmp(text, "none") == 0 ? MT_STATES_NONE : MT_STATES_EVENTS;
}

bool mt_sample_read(const MtInput *in, double sample[6]) {
  if (mt_input_has(in, "demagnetizing.sample_factors")) {
    double N[3];
    mt_input_vec3(in, N, "demagnetizing.sample_factors");
    memcpy(sample, (double[6]){N[0], 0, 0, N[1], 0, N[2]}, 6 * sizeof *sample);
  }
  return strcmp(mt_input_string(in, "demagnetizing.sample"), "mesh") != 0;
}

void mt_demag_options(const MtInput *in, MtDemagOptions *o) {
  o->stop_below = mt_input_has(in, "field.stop_below") ? mt_input_real(in, "field.stop_below") : -INFINITY;
  bool file = strcmp(mt_input_string(in, "field.initial"), "file") == 0;
  o->initial_file = file ? mt_input_string(in, "field.initial_file") : NULL;
  o->modes = mt_input_bool(in, "demagnetizing.enabled") ? (int)mt_input_int(in, "demagnetizing.modes") : -1;
  o->embedded = mt_sample_read(in, o->sample);
  o->loop_factor = mt_input_has(in, "demagnetizing.loop_factor") ? mt_input_real(in, "demagnetizing.loop_factor") : NAN;
  o->checkpoint_steps = mt_input_int(in, "checkpoint.every_steps");
  o->checkpoint_seconds = 60 * mt_input_real(in, "checkpoint.every_minutes");
  o->states = states_choice(mt_input_string(in, "output.states"));
  o->event_drop = mt_input_real(in, "output.event_drop");
  o->flow = strcmp(mt_input_string(in, "minimizer.events"), "flow") == 0;
  mt_minimizer_options(in, &o->minimizer);
}

void mt_minimizer_options(const MtInput *in, MtMinimizerOptions *o) {
  *o = (MtMinimizerOptions){.torque = mt_input_real(in, "minimizer.torque"),
                            .max_iterations = (int)mt_input_int(in, "minimizer.max_iterations"),
                            .max_turn = mt_input_real(in, "minimizer.max_turn") * MT_PI / 180,
                            .demag_rtol = mt_input_real(in, "minimizer.demag_rtol"),
                            .inner_iterations = (int)mt_input_int(in, "minimizer.inner_iterations"),
                            .inner_rtol = mt_input_real(in, "minimizer.inner_rtol"),
                            .give_up = mt_input_real(in, "minimizer.give_up")};
}
