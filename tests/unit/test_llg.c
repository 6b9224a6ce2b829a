/* ranks: 1 2 */
/* The Landau-Lifshitz-Gilbert equation against its solutions in closed form, with every method. */
#include "magtwin/llg.h"
#include "near.h"
#include "relax.h"

static const double AXIS[1][3] = {{0, 0, 1}};
static const double GAMMA = MT_GAMMA / MT_MU0 * 1e-9; /* rad/(ns T) */
static const MtLlgMethod METHODS[3] = {MT_LLG_IMPLICIT, MT_LLG_DORMAND_PRINCE, MT_LLG_HEUN};

typedef struct {
  MtMesh *mesh;
  MtEnergy *energy;
  MtLlg *llg;
  Vec m;
  MtLlgReport report;
  MtMaterial material[3];
} Llg;

static PetscErrorCode open_energy(const Brick *b, const MtMaterial *material, int modes, Llg *l) {
  for (int i = 0; i < b->nregions; i++) l->material[i] = material[i];
  PetscCall(brick_mesh(b, &l->mesh));
  PetscCall(mt_energy_create(l->mesh, material, modes, &l->energy));
  return mt_energy_create_vec(l->energy, &l->m);
}
static PetscErrorCode open_llg(const MtLlgOptions *opt, Llg *l) {
  PetscCall(mt_llg_destroy(&l->llg));
  return mt_llg_create(l->energy, opt, &l->llg);
}
static PetscErrorCode close_all(Llg *l) {
  PetscCall(mt_llg_destroy(&l->llg));
  PetscCall(VecDestroy(&l->m));
  PetscCall(mt_energy_destroy(&l->energy));
  return mt_mesh_destroy(&l->mesh);
}
static PetscErrorCode set_state(Llg *l, void (*state)(const double x[3], double m[3])) {
  const MtNodes *nodes = mt_energy_nodes(l->energy);
  PetscScalar *y;
  PetscCall(VecGetArray(l->m, &y));
  for (PetscInt i = 0; i < nodes->n_owned; i++) state(l->mesh->x + 3 * nodes->node[i], y + 3 * i);
  return VecRestoreArray(l->m, &y);
}
static PetscErrorCode mean(Llg *l, double m[3]) {
  for (int c = 0; c < 3; c++) {
    double d[3] = {c == 0, c == 1, c == 2};
    PetscCall(mt_energy_polarization(l->energy, l->m, d, &m[c]));
    m[c] /= mt_energy_saturation(l->energy);
  }
  return 0;
}
/* Largest abs(|m| - 1). */
static PetscErrorCode norm_error(Llg *l, double *error) {
  const PetscScalar *x;
  double local = 0;
  PetscCall(VecGetArrayRead(l->m, &x));
  for (PetscInt i = 0; i < mt_energy_nodes(l->energy)->n_owned; i++)
    local =
        fmax(local, fabs(sqrt(x[3 * i] * x[3 * i] + x[3 * i + 1] * x[3 * i + 1] + x[3 * i + 2] * x[3 * i + 2]) - 1));
  PetscCall(VecRestoreArrayRead(l->m, &x));
  PetscCallMPI(MPI_Allreduce(&local, error, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  return 0;
}

static const Brick CUBE = {.n = {2, 2, 2}, .hi = {4, 4, 4}, .nregions = 1, .axis = AXIS};
static const MtMaterial SOFT[1] = {{.name = "soft", .A = 1e-15, .Js = 1}};

static void along_x(const double x[3], double m[3]) {
  (void)x;
  m[0] = 1;
  m[1] = m[2] = 0;
}

/* m from x in B along z: its angle around z and mz after t ns. */
static PetscErrorCode precess(Llg *l, MtLlgOptions *opt, double B, double t, double *phi, double *mz) {
  double field[3] = {0, 0, B}, m[3], norm;
  PetscCall(open_llg(opt, l));
  PetscCall(set_state(l, along_x));
  PetscCall(mt_llg_run(l->llg, l->m, field, t, 0, &l->report));
  assert_int_equal(l->report.end, MT_LLG_TIME);
  assert_true(l->report.progress.t == t);
  PetscCall(norm_error(l, &norm));
  assert_true(norm < 1e-12);
  PetscCall(mean(l, m));
  *phi = atan2(m[1], m[0]);
  *mz = m[2];
  return 0;
}

/* 28.0249 GHz/T of the free electron: gamma0 = 1.76086e11 x mu0; one turn at 1 T is the inverse of that. */
static PetscErrorCode frequency(void) {
  Llg l = {0};
  double phi, mz;
  PetscCall(open_energy(&CUBE, SOFT, -1, &l));
  for (int k = 0; k < 3; k++) {
    MtLlgOptions opt = mt_llg_defaults();
    opt.method = METHODS[k];
    opt.alpha = 0;
    opt.tolerance = k == 2 ? 1e-6 : 1e-5;
    opt.gamma0 = 1.76085963e11 * MT_MU0;
    PetscCall(precess(&l, &opt, 1, 10 / 28.0249514, &phi, &mz));
    assert_near(phi, 0, 2e-3);
    assert_near(mz, 0, 1e-3);
  }
  return close_all(&l);
}
static void precession_at_28_GHz_per_tesla(void **state) {
  (void)state;
  assert_int_equal(frequency(), 0);
}

/* mz = tanh(alpha gamma B t/(1 + alpha^2)), phi = gamma B t/(1 + alpha^2): T. L. Gilbert, IEEE Trans. Magn. 40 (2004)
 * 3443 in closed form.  The error falls with the order of the method: explicit ones with fixed steps, the implicit one
 * with those of two tolerances. */
static PetscErrorCode damping(MtLlgMethod method, double *ratio, double *error) {
  const double alpha = .1, B = 1, t = .1, rate = GAMMA * B * t / (1 + alpha * alpha);
  Llg l = {0};
  double phi, mz, steps[2], errors[2];
  PetscCall(open_energy(&CUBE, SOFT, -1, &l));
  for (int k = 0; k < 2; k++) {
    MtLlgOptions opt = mt_llg_defaults();
    opt.method = method;
    opt.alpha = alpha;
    opt.tolerance = method != MT_LLG_IMPLICIT ? .1 : k ? 1e-8 : 1e-5;
    if (method != MT_LLG_IMPLICIT) opt.dt_start = opt.dt_max = t / (k ? 160 : 80);
    PetscCall(precess(&l, &opt, B, t, &phi, &mz));
    errors[k] = hypot(remainder(phi - rate, 2 * MT_PI), mz - tanh(alpha * rate));
    steps[k] = l.report.progress.steps + l.report.progress.rejected;
  }
  *ratio = log(errors[0] / errors[1]) / log(steps[1] / steps[0]);
  *error = errors[1];
  return close_all(&l);
}
static void damping_as_in_closed_form(void **state) {
  (void)state;
  static const double order[3] = {3, 5, 2};
  for (int k = 0; k < 3; k++) {
    double ratio = 0, error = 1;
    assert_int_equal(damping(METHODS[k], &ratio, &error), 0);
    assert_true(error < .03);
    assert_near(ratio, order[k], .4);
  }
}

/* A cosine along x, a little out of the z axis. */
static void wave(const double x[3], double m[3]) {
  m[0] = .01 * cos(MT_PI * x[0] / 20);
  m[1] = 0;
  m[2] = sqrt(1 - m[0] * m[0]);
}
/* A standing spin wave in a bar of length L turns at gamma (B + 2 K1 mu0/Js + 2 A mu0 k^2/Js), k = pi/L: C. Kittel,
 * Phys. Rev. 110 (1958) 1295. */
static PetscErrorCode spin_wave(void) {
  static const Brick bar = {.n = {40, 1, 1}, .hi = {20, 1, 1}, .nregions = 1, .axis = AXIS};
  static const MtMaterial material[1] = {{.name = "hard", .A = 1e-11, .Js = 1, .K1 = 1e5}};
  const double k = MT_PI / 20e-9, B = .5 + 2 * 1e5 * MT_MU0 + 2 * 1e-11 * MT_MU0 * k * k, field[3] = {0, 0, .5};
  Llg l = {0};
  double norm;
  PetscCall(open_energy(&bar, material, -1, &l));
  MtLlgOptions opt = mt_llg_defaults();
  opt.alpha = 0;
  opt.tolerance = 1e-6;
  PetscCall(open_llg(&opt, &l));
  PetscCall(set_state(&l, wave));
  PetscCall(mt_llg_run(l.llg, l.m, field, 5 * 2 * MT_PI / (GAMMA * B), 0, &l.report));
  Vec start;
  PetscCall(VecDuplicate(l.m, &start));
  PetscCall(VecCopy(l.m, start));
  PetscCall(set_state(&l, wave));
  PetscCall(VecAXPY(start, -1, l.m));
  PetscCall(VecNorm(start, NORM_INFINITY, &norm));
  assert_true(norm <
              .01 * 2 * MT_PI * 5 * 2e-3); /* h^2 k^2/12 of the exchange part: 5e-4, and 5e-5 for its amplitude */
  PetscCall(VecDestroy(&start));
  return close_all(&l);
}
static void spin_wave_turns_at_its_frequency(void **state) {
  (void)state;
  assert_int_equal(spin_wave(), 0);
}

static double most_rise, first_energy, last_energy;
static PetscErrorCode watch_energy(void *ctx, Vec m, const MtLlgReport *report, bool *stop) {
  (void)ctx;
  (void)m;
  (void)stop;
  most_rise = fmax(most_rise, report->energy.total - last_energy);
  last_energy = report->energy.total;
  return 0;
}

static void twisted(const double x[3], double m[3]) {
  double a = .3 + .05 * x[0], b = .08 * x[1] - .03 * x[2];
  m[0] = sin(a) * cos(b);
  m[1] = sin(a) * sin(b);
  m[2] = cos(a);
}
static const double TWO_AXES[3][3] = {{0, 0, 1}, {0, .28, .96}, {0, 0, 1}};
static const MtMaterial HARD[3] = {{.name = "a", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6, .alpha = .02},
                                   {.name = "b", .A = 7.7e-12, .Js = 1.2, .K1 = 2e6, .alpha = .5},
                                   {.name = "air"}};

/* Twisted grains with stray field: the energy's change along the run. */
static PetscErrorCode energies(double alpha, double tolerance, double t, double *rise, double *change) {
  const Brick b = brick_cube_in_air(8, TWO_AXES);
  const double field[3] = {.3, 0, -.4};
  Llg l = {0};
  PetscCall(open_energy(&b, HARD, 2, &l));
  MtLlgOptions opt = mt_llg_defaults();
  opt.alpha = alpha;
  opt.tolerance = tolerance;
  PetscCall(open_llg(&opt, &l));
  PetscCall(set_state(&l, twisted));
  PetscCall(mt_llg_set_monitor(l.llg, watch_energy, NULL));
  most_rise = -INFINITY;
  last_energy = INFINITY;
  PetscCall(mt_llg_run(l.llg, l.m, field, 0, 0, &l.report));
  first_energy = last_energy = l.report.energy.total;
  PetscCall(mt_llg_run(l.llg, l.m, field, t, 0, &l.report));
  print_message("alpha %g tolerance %g: %g steps, %g rejected, %g evaluations, %g demag iterations, %g inner; E %g -> "
                "%g, rise %g\n",
                alpha, tolerance, l.report.progress.steps, l.report.progress.rejected, l.report.progress.evaluations,
                l.report.progress.demag_iterations, l.report.progress.inner_iterations, first_energy, last_energy,
                most_rise);
  *rise = most_rise / fabs(first_energy);
  *change = (last_energy - first_energy) / fabs(first_energy);
  return close_all(&l);
}
static void energy_never_rises_at_constant_field(void **state) {
  (void)state;
  static const double alpha[3] = {1, .1, .01};
  for (int k = 0; k < 3; k++) {
    double rise = 1, change = 1;
    assert_int_equal(energies(alpha[k], 1e-4, .01, &rise, &change), 0);
    assert_true(rise < 1e-10);
    assert_true(change < -.01);
  }
}
static void energy_is_kept_without_damping(void **state) {
  (void)state;
  double rise, change[2];
  for (int k = 0; k < 2; k++) assert_int_equal(energies(0, k ? 1e-6 : 1e-4, .01, &rise, &change[k]), 0);
  assert_true(fabs(change[0]) < 1e-2 && fabs(change[1]) < 1e-4);
}

/* alpha of regions: two grains, no exchange between them to speak of, each damped by its own. */
static int halves(const double x[3]) {
  return x[0] > 2;
}
static PetscErrorCode two_dampings(void) {
  static const Brick b = {.n = {4, 1, 1}, .hi = {4, 1, 1}, .nregions = 2, .axis = TWO_AXES, .region = halves};
  static const MtMaterial material[2] = {{.name = "a", .A = 1e-18, .Js = 1, .alpha = .05},
                                         {.name = "b", .A = 1e-18, .Js = 1, .alpha = .4}};
  const double field[3] = {0, 0, 1}, t = .02;
  Llg l = {0};
  PetscCall(open_energy(&b, material, -1, &l));
  MtLlgOptions opt = mt_llg_defaults();
  PetscCall(open_llg(&opt, &l));
  PetscCall(mt_llg_set_materials(l.llg, material, true));
  PetscCall(set_state(&l, along_x));
  PetscCall(mt_llg_run(l.llg, l.m, field, t, 0, &l.report));
  const MtNodes *nodes = mt_energy_nodes(l.energy);
  const PetscScalar *y;
  PetscCall(VecGetArrayRead(l.m, &y));
  for (PetscInt i = 0; i < nodes->n_owned; i++) {
    double x = l.mesh->x[3 * nodes->node[i]], alpha = x < 2 ? .05 : .4;
    if (fabs(x - 2) < .1) continue; /* between the two, as the volumes around the node are */
    assert_near(y[3 * i + 2], tanh(alpha * GAMMA * t / (1 + alpha * alpha)), 1e-3);
  }
  PetscCall(VecRestoreArrayRead(l.m, &y));
  return close_all(&l);
}
static void each_region_has_its_damping(void **state) {
  (void)state;
  assert_int_equal(two_dampings(), 0);
}

/* A wall across a bar, in the easy plane of y and z. */
static const double WALL_WIDTH = 5;
static void wall(const double x[3], double m[3]) {
  double a = (x[0] - 30) / WALL_WIDTH;
  m[0] = 0;
  m[1] = 1 / cosh(a);
  m[2] = tanh(a);
}
/* Where xi = alpha a texture m(x) drifts rigidly, m(x - u t): the two torques add up to convection.  A. Thiaville et
 * al., Europhys. Lett. 69 (2005) 990. */
static PetscErrorCode drift(MtLlgMethod method, double *distance) {
  static const Brick bar = {.n = {100, 1, 1}, .hi = {100, 1, 1}, .nregions = 1, .axis = AXIS};
  static const MtMaterial material[1] = {{.name = "hard", .A = 1e-11, .Js = 1, .K1 = 4e5}};
  const double none[3] = {0};
  double before[3], after[3];
  Llg l = {0};
  PetscCall(open_energy(&bar, material, -1, &l));
  MtLlgOptions opt = mt_llg_defaults();
  opt.method = method;
  opt.alpha = opt.xi = .1;
  opt.velocity[0] = 500;
  PetscCall(open_llg(&opt, &l));
  PetscCall(mt_llg_set_materials(l.llg, material, false));
  PetscCall(set_state(&l, wall));
  PetscCall(mean(&l, before));
  PetscCall(mt_llg_run(l.llg, l.m, none, .05, 0, &l.report));
  PetscCall(mean(&l, after));
  *distance = (before[2] - after[2]) * 50;
  assert_near(after[1], before[1], .02 * before[1]);
  return close_all(&l);
}
static void current_moves_a_wall_at_its_velocity(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    double distance = 0;
    assert_int_equal(drift(METHODS[k], &distance), 0);
    assert_near(distance, 25, .25);
  }
}

/* 1 T along z, switched to x at .01 ns. */
static void switched(void *ctx, double from, double t, double B[3]) {
  (void)ctx;
  (void)t;
  B[0] = from >= .01;
  B[1] = 0;
  B[2] = 1 - B[0];
}
static double switched_at(void *ctx, double t) {
  (void)ctx;
  return t < .01 ? .01 : INFINITY;
}
static void slanted(const double x[3], double m[3]) {
  (void)x;
  m[0] = .6;
  m[1] = 0;
  m[2] = .8;
}
/* Two turns about two axes, each in closed form: no step reaches over the switch. */
static PetscErrorCode field_switch(void) {
  const double turn = GAMMA * .01;
  double m[3];
  Llg l = {0};
  MtLlgField field = {.at = switched, .next_kink = switched_at};
  PetscCall(open_energy(&CUBE, SOFT, -1, &l));
  MtLlgOptions opt = mt_llg_defaults();
  opt.alpha = 0;
  opt.tolerance = 1e-6;
  PetscCall(open_llg(&opt, &l));
  PetscCall(set_state(&l, slanted));
  PetscCall(mt_llg_set_field(l.llg, &field));
  PetscCall(mt_llg_start(l.llg, l.m, NULL));
  PetscCall(mt_llg_advance(l.llg, .02, 0, &l.report));
  PetscCall(mean(&l, m));
  double x = .6 * cos(turn), y = .6 * sin(turn), z = .8;
  assert_near(m[0], x, 2e-5);
  assert_near(m[1], y * cos(turn) - z * sin(turn), 2e-5);
  assert_near(m[2], y * sin(turn) + z * cos(turn), 2e-5);
  return close_all(&l);
}
static void steps_end_where_the_field_has_a_kink(void **state) {
  (void)state;
  assert_int_equal(field_switch(), 0);
}

static PetscErrorCode same_bits(Vec a, Vec b) {
  PetscBool same;
  PetscCall(VecEqual(a, b, &same));
  assert_true(same);
  return 0;
}
/* In one go, and stopped half way, its state, potential and progress carried to another integrator. */
static PetscErrorCode restarted(void) {
  const Brick b = brick_cube_in_air(8, TWO_AXES);
  MtLlgField field = {.at = switched, .next_kink = switched_at};
  MtLlgProgress half;
  Llg l = {0};
  Vec u, whole, m_half, u_half;
  PetscCall(open_energy(&b, HARD, 2, &l));
  MtLlgOptions opt = mt_llg_defaults();
  PetscCall(open_llg(&opt, &l));
  PetscCall(mt_llg_set_materials(l.llg, HARD, true));
  PetscCall(mt_llg_set_field(l.llg, &field));
  PetscCall(set_state(&l, twisted));
  PetscCall(mt_energy_potential(l.energy, &u));
  PetscCall(VecDuplicate(l.m, &whole));
  PetscCall(VecDuplicate(l.m, &m_half));
  PetscCall(VecDuplicate(u, &u_half));
  PetscCall(mt_llg_start(l.llg, l.m, NULL));
  PetscCall(mt_llg_advance(l.llg, .005, 0, &l.report));
  half = l.report.progress;
  PetscCall(VecCopy(l.m, m_half));
  PetscCall(VecCopy(u, u_half));
  PetscCall(mt_llg_advance(l.llg, .01, 0, &l.report));
  PetscCall(mt_llg_advance(l.llg, .015, 0, &l.report));
  PetscCall(VecCopy(l.m, whole));
  PetscCall(open_llg(&opt, &l));
  PetscCall(mt_llg_set_materials(l.llg, HARD, true));
  PetscCall(mt_llg_set_field(l.llg, &field));
  PetscCall(VecCopy(m_half, l.m));
  PetscCall(VecCopy(u_half, u));
  PetscCall(mt_llg_start(l.llg, l.m, &half));
  PetscCall(mt_llg_advance(l.llg, .01, 0, &l.report));
  PetscCall(mt_llg_advance(l.llg, .015, 0, &l.report));
  PetscCall(same_bits(l.m, whole));
  PetscCall(VecDestroy(&whole));
  PetscCall(VecDestroy(&m_half));
  PetscCall(VecDestroy(&u_half));
  return close_all(&l);
}
static void restarted_to_the_bit(void **state) {
  (void)state;
  assert_int_equal(restarted(), 0);
}

/* Ends at the torque asked for; and where no step can be made, with a message and the last good state. */
static PetscErrorCode ends(void) {
  const double field[3] = {0, 0, 1};
  double norm;
  Llg l = {0};
  PetscCall(open_energy(&CUBE, SOFT, -1, &l));
  MtLlgOptions opt = mt_llg_defaults();
  PetscCall(open_llg(&opt, &l));
  PetscCall(set_state(&l, slanted));
  PetscCall(mt_llg_run(l.llg, l.m, field, 10, 1e-4, &l.report));
  assert_int_equal(l.report.end, MT_LLG_TORQUE);
  assert_true(l.report.torque < 1e-4 && l.report.progress.t < 1);
  opt.dt_start = opt.dt_min = .1;
  PetscCall(open_llg(&opt, &l));
  PetscCall(set_state(&l, slanted));
  assert_int_equal(mt_llg_run(l.llg, l.m, field, 10, 0, &l.report), MT_ERR_FAIL);
  assert_non_null(strstr(mt_error_message(), "no time step can be made"));
  assert_non_null(strstr(mt_error_message(), "region \"grain 0\""));
  mt_error_clear();
  PetscCall(norm_error(&l, &norm));
  assert_true(norm < 1e-12);
  return close_all(&l);
}
static void ends_at_a_torque_or_with_a_message(void **state) {
  (void)state;
  assert_int_equal(ends(), 0);
}

static void not_a_number(void *ctx, double from, double t, double B[3]) {
  (void)ctx;
  (void)from;
  for (int c = 0; c < 3; c++) B[c] = t > .01 ? NAN : 1;
}
static PetscErrorCode bad_field(void) {
  MtLlgField field = {.at = not_a_number};
  Llg l = {0};
  PetscCall(open_energy(&CUBE, SOFT, -1, &l));
  MtLlgOptions opt = mt_llg_defaults();
  PetscCall(open_llg(&opt, &l));
  PetscCall(mt_llg_set_field(l.llg, &field));
  PetscCall(set_state(&l, slanted));
  PetscCall(mt_llg_start(l.llg, l.m, NULL));
  assert_int_equal(mt_llg_advance(l.llg, 1, 0, &l.report), MT_ERR_FAIL);
  assert_non_null(strstr(mt_error_message(), "no time step can be made"));
  mt_error_clear();
  return close_all(&l);
}
static void not_a_number_ends_the_run(void **state) {
  (void)state;
  assert_int_equal(bad_field(), 0);
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(precession_at_28_GHz_per_tesla),
      cmocka_unit_test(damping_as_in_closed_form),
      cmocka_unit_test(spin_wave_turns_at_its_frequency),
      cmocka_unit_test(energy_never_rises_at_constant_field),
      cmocka_unit_test(energy_is_kept_without_damping),
      cmocka_unit_test(each_region_has_its_damping),
      cmocka_unit_test(current_moves_a_wall_at_its_velocity),
      cmocka_unit_test(steps_end_where_the_field_has_a_kink),
      cmocka_unit_test(restarted_to_the_bit),
      cmocka_unit_test(ends_at_a_torque_or_with_a_message),
      cmocka_unit_test(not_a_number_ends_the_run),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
