/* The keys of section barrier. */
#include "barrier_impl.h"
#include "magtwin/error.h"
#include <math.h>
#include <string.h>

const MtKey mt_barrier_keys[] = {
    {.path = "barrier.direction",
     .type = MT_KEY_VEC3,
     .def = "[0, 0, 1]",
     .help = "Direction of the applied fields, and of the initial state where that is saturated; need not be a unit "
             "vector."},
    {.path = "barrier.fields",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_FIELD,
     .min = -1000,
     .max = 1000,
     .help = "Applied fields along barrier.direction, best the one nearest to switching first: there the softest mode "
             "shows the nucleus of the lowest path. Each path starts from the one before."},
    {.path = "barrier.initial",
     .type = MT_KEY_CHOICE,
     .def = "saturated",
     .choices = "saturated|file",
     .help = "State the magnet leaves: saturated along barrier.direction, or read from barrier.initial_file; relaxed "
             "at each field."},
    {.path = "barrier.initial_file",
     .type = MT_KEY_PATH,
     .when = "barrier.initial=file",
     .help = "A state file of an earlier run on the same mesh, as the one before an event (states/state_0002.h5)."},
    {.path = "barrier.final",
     .type = MT_KEY_CHOICE,
     .def = "reversed",
     .choices = "reversed|file",
     .help = "State the magnet goes to: saturated against barrier.direction, or read from barrier.final_file; relaxed "
             "at each field."},
    {.path = "barrier.final_file",
     .type = MT_KEY_PATH,
     .when = "barrier.final=file",
     .help = "A state file on the same mesh, as the one after the event."},
    {.path = "barrier.images",
     .type = MT_KEY_INT,
     .def = "12",
     .min = 5,
     .max = 1000,
     .help = "Images on the path, with its ends."},
    {.path = "barrier.first_path",
     .type = MT_KEY_CHOICE,
     .def = "nucleus",
     .choices = "nucleus|rotation",
     .help = "The path of the first field before it is relaxed: a reversed nucleus that grows over the magnet, or all "
             "moments turning at once."},
    {.path = "barrier.nucleus",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_LENGTH,
     .def = "",
     .min = -1e6,
     .max = 1e6,
     .help = "Where the nucleus begins. Without it: where the softest mode of the initial state is largest."},
    {.path = "barrier.starts",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 1,
     .max = 100,
     .help = "Places at which a first path begins, each followed through all fields; of the saddles at a field the "
             "lowest counts. The first is barrier.nucleus; each further one is where the softest mode is largest, a "
             "wall's width from all before."},
    {.path = "barrier.groups",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 1,
     .max = 1000,
     .help = "Groups of ranks, each with its own copy of the mesh and its share of the images; divides the number of "
             "ranks."},
    {.path = "barrier.torque",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FIELD,
     .def = "1 mT",
     .max = 1,
     .exclusive_min = true,
     .help = "The saddle is found when the largest torque of all its nodes is below this."},
    {.path = "barrier.path_torque",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FIELD,
     .def = "20 mT",
     .max = 10,
     .exclusive_min = true,
     .help = "And when that of the other images, across the path, is below this."},
    {.path = "barrier.max_rounds",
     .type = MT_KEY_INT,
     .def = "1000",
     .min = 1,
     .max = 1e9,
     .help = "Rounds at one field, after which its path is reported as not converged and its barrier does not count; a "
             "field of which no path has converged makes the exit code 1 in the end."},
    {.path = "barrier.temperature",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TEMPERATURE,
     .def = "300 K",
     .max = 1e4,
     .exclusive_min = true,
     .help = "Temperature of the thermal activation; the constants follow materials.temperature."},
    {.path = "barrier.time",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "1 s",
     .max = 1e20,
     .exclusive_min = true,
     .help = "Time for which the magnet is to resist its field."},
    {.path = "barrier.attempt_frequency",
     .type = MT_KEY_REAL,
     .def = "7.2e10",
     .min = 1e6,
     .max = 1e15,
     .help = "Attempts per second, f0 (1/s): the coercivity is the field with the barrier kB T ln(f0 t), 25 kB T for "
             "this value and 1 s."},
    {.path = NULL},
};

static PetscErrorCode check_direction(const MtInput *in) {
  double d[3];
  mt_input_vec3(in, d, "barrier.direction");
  if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] > 0) return 0;
  return mt_input_error(in, "barrier.direction", "has no length");
}

PetscErrorCode mt_barrier_check_ranks(MPI_Comm comm, const MtInput *in) {
  int ranks, groups = (int)mt_input_int(in, "barrier.groups");
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  if (ranks % groups == 0) return 0;
  return mt_input_error(in, "barrier.groups", "must divide the number of ranks, %d, is %d", ranks, groups);
}

PetscErrorCode mt_barrier_check(const MtInput *in) {
  int groups = (int)mt_input_int(in, "barrier.groups");
  PetscErrorCode rc = check_direction(in);
  if (!rc && mt_input_has(in, "demagnetizing.sample")) rc = mt_sample_check(in);
  if (rc) return rc;
  if (!mt_input_count(in, "barrier.fields")) return mt_input_error(in, "barrier.fields", "has no field");
  if (groups > (int)mt_input_int(in, "barrier.images"))
    return mt_input_error(in, "barrier.groups", "must not be more than the images of the path, is %d", groups);
  if (mt_input_int(in, "barrier.starts") > 1 && strcmp(mt_input_string(in, "barrier.first_path"), "rotation") == 0)
    return mt_input_error(in, "barrier.starts",
                          "must be 1 where all moments turn at once (barrier.first_path: rotation)");
  if (mt_input_real(in, "barrier.time") * mt_input_real(in, "barrier.attempt_frequency") <= 1)
    return mt_input_error(in, "barrier.time", "must be longer than one attempt (1/barrier.attempt_frequency)");
  return 0;
}

void mt_barrier_options(const MtInput *in, MtBarrierOptions *o) {
  MtMinimizerOptions m;
  mt_minimizer_options(in, &m);
  *o = (MtBarrierOptions){
      .modes = mt_input_bool(in, "demagnetizing.enabled") ? (int)mt_input_int(in, "demagnetizing.modes") : -1,
      .images = (int)mt_input_int(in, "barrier.images"),
      .groups = (int)mt_input_int(in, "barrier.groups"),
      .fields = mt_input_count(in, "barrier.fields"),
      .starts = (int)mt_input_int(in, "barrier.starts"),
      .rotation = strcmp(mt_input_string(in, "barrier.first_path"), "rotation") == 0,
      .place_given = mt_input_has(in, "barrier.nucleus"),
      .temperature = mt_input_real(in, "barrier.temperature"),
      .attempts = mt_input_real(in, "barrier.time") * mt_input_real(in, "barrier.attempt_frequency"),
      .every_steps = (double)mt_input_int(in, "checkpoint.every_steps"),
      .every_seconds = 60 * mt_input_real(in, "checkpoint.every_minutes"),
      .minimizer = m,
      .path = {.torque = mt_input_real(in, "barrier.torque"),
               .path_torque = mt_input_real(in, "barrier.path_torque"),
               .max_turn = m.max_turn,
               .demag_rtol = m.demag_rtol,
               .inner_iterations = m.inner_iterations,
               .inner_rtol = m.inner_rtol,
               .max_rounds = (int)mt_input_int(in, "barrier.max_rounds")}};
  mt_input_vec3(in, o->direction, "barrier.direction");
  double norm =
      sqrt(o->direction[0] * o->direction[0] + o->direction[1] * o->direction[1] + o->direction[2] * o->direction[2]);
  for (int c = 0; c < 3; c++) o->direction[c] /= norm;
  if (o->place_given) mt_input_vec3(in, o->given, "barrier.nucleus");
  const char *states = mt_input_string(in, "output.states");
  o->states = strcmp(states, "all") == 0 ? 2 : strcmp(states, "none") != 0;
}
