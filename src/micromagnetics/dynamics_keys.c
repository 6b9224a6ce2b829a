/* The keys of a dynamics run, and the values taken from them. */
#include "dynamics_impl.h"
#include <math.h>
#include <string.h>

static const double NS = 1e9; /* s -> ns */

const MtKey mt_dynamics_keys[] = {
    {.path = "dynamics.field",
     .type = MT_KEY_LIST,
     .def = "[]",
     .max = 1000,
     .help = "The applied field as a sum of parts in time."},
    {.path = "dynamics.field[].kind",
     .type = MT_KEY_CHOICE,
     .def = "constant",
     .choices = "constant|ramp|sine|pulse",
     .help =
         "constant and sine: from start to end, zero outside. ramp: linear in between, held before and after. pulse: "
         "rises at start, falls at end."},
    {.path = "dynamics.field[].value",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FIELD,
     .min = -1000,
     .max = 1000,
     .help = "Field, amplitude of the sine, height of the pulse, end of the ramp."},
    {.path = "dynamics.field[].direction",
     .type = MT_KEY_VEC3,
     .def = "[0, 0, 1]",
     .help = "Its direction; need not be a unit vector."},
    {.path = "dynamics.field[].start",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "0 s",
     .min = 0,
     .max = 1,
     .help = "When the part begins."},
    {.path = "dynamics.field[].end",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "",
     .min = 0,
     .max = 1,
     .help = "When it ends; a ramp and a pulse need one."},
    {.path = "dynamics.field[].from",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FIELD,
     .def = "0 T",
     .min = -1000,
     .max = 1000,
     .when = "dynamics.field[].kind=ramp",
     .help = "Field at the start of the ramp."},
    {.path = "dynamics.field[].rise",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "0 s",
     .min = 0,
     .max = 1,
     .when = "dynamics.field[].kind=pulse",
     .help = "Length of each flank, from start on and from end on."},
    {.path = "dynamics.field[].frequency",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FREQUENCY,
     .min = 0,
     .max = 1e15,
     .when = "dynamics.field[].kind=sine",
     .help = "Frequency of the sine.",
     .exclusive_min = true},
    {.path = "dynamics.field[].phase",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ANGLE,
     .def = "0 deg",
     .min = -360,
     .max = 360,
     .when = "dynamics.field[].kind=sine",
     .help = "Its phase at the start."},
    {.path = "dynamics.initial",
     .type = MT_KEY_CHOICE,
     .def = "saturated",
     .choices = "saturated|file|vortex|random",
     .help =
         "State at the beginning: along initial_direction; of a state file; a vortex around the middle of the magnet, "
         "its core along initial_direction; random at every node."},
    {.path = "dynamics.initial_direction",
     .type = MT_KEY_VEC3,
     .def = "[0, 0, 1]",
     .help = "Of the saturated state, or of the vortex core."},
    {.path = "dynamics.initial_file",
     .type = MT_KEY_PATH,
     .when = "dynamics.initial=file",
     .help = "A state file of an earlier run on the same mesh (states/state_0001.h5)."},
    {.path = "dynamics.core",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "10 nm",
     .min = 0,
     .max = 1e6,
     .when = "dynamics.initial=vortex",
     .help = "Radius of the vortex core, where m is 45 degrees out of the plane.",
     .exclusive_min = true},
    {.path = "dynamics.seed",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 0,
     .max = 1e15,
     .when = "dynamics.initial=random",
     .help = "Seed of the random state; the same on any number of ranks."},
    {.path = "dynamics.alpha",
     .type = MT_KEY_REAL,
     .def = "",
     .min = 0,
     .max = 100,
     .help = "Gilbert damping everywhere; without it that of each material."},
    {.path = "dynamics.gamma0",
     .type = MT_KEY_REAL,
     .def = "2.211e5",
     .min = 1,
     .max = 1e7,
     .help = "Gyromagnetic ratio, m/(A s)."},
    {.path = "dynamics.current.velocity",
     .type = MT_KEY_VEC3,
     .def = "[0, 0, 0]",
     .help =
         "Drift velocity u of the spins in a current, m/s: u = -j P muB/(e Ms (1 + xi^2)) for the current density j."},
    {.path = "dynamics.current.xi",
     .type = MT_KEY_REAL,
     .def = "0",
     .min = -10,
     .max = 10,
     .help = "Its nonadiabaticity."},
    {.path = "integrator.method",
     .type = MT_KEY_CHOICE,
     .def = "implicit",
     .choices = "implicit|dormand-prince|heun",
     .help = "implicit: linearly implicit in the local terms, third order. The others are explicit, fifth and second "
             "order."},
    {.path = "integrator.tolerance",
     .type = MT_KEY_REAL,
     .def = "1e-4",
     .min = 0,
     .max = .1,
     .help = "Largest estimated error of a time step at any node, in radians.",
     .exclusive_min = true},
    {.path = "integrator.demag_rtol",
     .type = MT_KEY_REAL,
     .def = "1e-5",
     .min = 0,
     .max = 1e-2,
     .help = "Relative residual of the demagnetizing solve in every stage.",
     .exclusive_min = true},
    {.path = "integrator.first_step",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "10 fs",
     .min = 0,
     .max = 1,
     .help = "The first time step tried.",
     .exclusive_min = true},
    {.path = "integrator.max_step",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "1 ns",
     .min = 0,
     .max = 1,
     .help = "The longest time step.",
     .exclusive_min = true},
    {.path = "integrator.min_step",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "1e-3 fs",
     .min = 0,
     .max = 1,
     .help = "The shortest time step, but for one that ends at an asked-for time: where it is not short enough the run "
             "fails, with a checkpoint.",
     .exclusive_min = true},
    {.path = "time.end",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .min = 0,
     .max = 1,
     .help = "When the run ends.",
     .exclusive_min = true},
    {.path = "time.torque",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FIELD,
     .def = "0 T",
     .min = 0,
     .max = 100,
     .help = "It ends before when the largest torque mu0 |m x H| falls below this."},
    {.path = "time.interval",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "",
     .min = 0,
     .max = 1,
     .help = "Time between the lines of dynamics.csv, each hit exactly; without it a line for every time step.",
     .exclusive_min = true},
    {.path = "time.snapshot_interval",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "",
     .min = 0,
     .max = 1,
     .help = "Time between states that are kept, from 0 on. The first and the last are always.",
     .exclusive_min = true},
    {.path = "time.snapshots",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TIME,
     .def = "[]",
     .min = 0,
     .max = 1,
     .help = "Further times at which the state is kept, ascending."},
    {0},
};

static PetscErrorCode check_direction(const MtInput *in) {
  double d[3];
  if (!mt_input_has(in, "dynamics.initial_direction")) return 0;
  mt_input_vec3(in, d, "dynamics.initial_direction");
  if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] > 0) return 0;
  return mt_input_error(in, "dynamics.initial_direction", "must not be a zero vector");
}

static PetscErrorCode check_steps(const MtInput *in) {
  if (!mt_input_has(in, "integrator.min_step")) return 0;
  const double least = mt_input_real(in, "integrator.min_step"), most = mt_input_real(in, "integrator.max_step");
  const double first = mt_input_real(in, "integrator.first_step");
  if (least > most)
    return mt_input_error(in, "integrator.min_step", "is %g s, longer than the longest step (%g s)", least, most);
  if (least > first)
    return mt_input_error(in, "integrator.min_step", "is %g s, longer than the first step (%g s)", least, first);
  return 0;
}

static PetscErrorCode check_times(const MtInput *in) {
  int n = mt_input_count(in, "time.snapshots");
  for (int i = 1; i < n; i++)
    if (!(mt_input_real_at(in, i, "time.snapshots") > mt_input_real_at(in, i - 1, "time.snapshots")))
      return mt_input_error(in, "time.snapshots", "must ascend, but entry %d is not after the one before", i + 1);
  return 0;
}

PetscErrorCode mt_dynamics_check(const MtInput *in) {
  MtTimeField field = {0};
  PetscErrorCode rc = mt_input_has(in, "dynamics.field") ? mt_time_field_read(in, &field) : 0;
  if (rc) return rc;
  mt_time_field_free(&field);
  rc = check_direction(in);
  if (!rc) rc = check_steps(in);
  return rc || !mt_input_has(in, "time.end") ? rc : check_times(in);
}

static MtLlgMethod method_of(const char *text) {
  if (strcmp(text, "heun") == 0) return MT_LLG_HEUN;
  return strcmp(text, "dormand-prince") == 0 ? MT_LLG_DORMAND_PRINCE : MT_LLG_IMPLICIT;
}

/* ns; `missing` where the key has no value. */
static double ns_or(const MtInput *in, const char *key, double missing) {
  return mt_input_has(in, "%s", key) ? NS * mt_input_real(in, "%s", key) : missing;
}

void mt_dynamics_options(const MtInput *in, MtDynamicsOptions *o) {
  MtLlgOptions *llg = &o->llg;
  *llg = (MtLlgOptions){.method = method_of(mt_input_string(in, "integrator.method")),
                        .gamma0 = mt_input_real(in, "dynamics.gamma0"),
                        .tolerance = mt_input_real(in, "integrator.tolerance"),
                        .dt_start = NS * mt_input_real(in, "integrator.first_step"),
                        .dt_min = NS * mt_input_real(in, "integrator.min_step"),
                        .dt_max = NS * mt_input_real(in, "integrator.max_step"),
                        .demag_rtol = mt_input_real(in, "integrator.demag_rtol"),
                        .xi = mt_input_real(in, "dynamics.current.xi")};
  mt_input_vec3(in, llg->velocity, "dynamics.current.velocity");
  o->own_damping = !mt_input_has(in, "dynamics.alpha");
  llg->alpha = o->own_damping ? 0 : mt_input_real(in, "dynamics.alpha");
  o->modes = mt_input_bool(in, "demagnetizing.enabled") ? (int)mt_input_int(in, "demagnetizing.modes") : -1;
  o->checkpoint_rows = mt_input_int(in, "checkpoint.every_steps");
  o->checkpoint_seconds = 60 * mt_input_real(in, "checkpoint.every_minutes");
  o->end = NS * mt_input_real(in, "time.end");
  o->torque = mt_input_real(in, "time.torque");
  o->interval = ns_or(in, "time.interval", 0);
  o->snapshot_interval = ns_or(in, "time.snapshot_interval", 0);
}
