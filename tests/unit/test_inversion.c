/* ranks: 1 2 */
/* Parameters of a phase field from snapshots: the discrete adjoint against differences (Taylor test), against the
 * sensitivities, and with states computed again; derivatives of free energies by their numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/inversion/invert_impl.h"
#include "folder.h"
#include "magtwin/diffusion.h"
#include "magtwin/elastic.h"
#include "magtwin/error.h"
#include "magtwin/evolve.h"
#include "magtwin/npy.h"
#include "near.h"
#include <string.h>
#include <unistd.h>

enum { N = 24 };

/* Each derivative of f' against a difference; all of them are polynomials or linear in the number, so the central
 * difference has no error but rounding. */
static void by_numbers(MtFreeEnergy *e) {
  const double c = .37, h = 1e-4;
  for (int k = 0; k < mt_free_energy_count(e); k++) {
    const double at = mt_free_energy_get(e, k);
    double a[3], b[3], f[3];
    MtFreeEnergy d;
    mt_free_energy_derivative(e, k, &d);
    mt_free_energy_at(&d, c, f);
    mt_free_energy_set(e, k, at + h);
    mt_free_energy_at(e, c, a);
    mt_free_energy_set(e, k, at - h);
    mt_free_energy_at(e, c, b);
    mt_free_energy_set(e, k, at);
    for (int j = 0; j < 3; j++) assert_near((a[j] - b[j]) / (2 * h), f[j], 1e-6 * (1 + fabs(f[j])));
    mt_free_energy_free(&d);
  }
}

static void test_numbers(void **state) {
  double well[] = {5, .3, .7}, poly[] = {1, -2, .5, 3, 4}, c[] = {0, .2, .5, .7, 1}, a[] = {1, .3, .4, .2, 2};
  MtFreeEnergy w = {.kind = MT_ENERGY_DOUBLE_WELL, .n = 3, .a = well};
  MtFreeEnergy p = {.kind = MT_ENERGY_POLYNOMIAL, .n = 5, .a = poly};
  MtFreeEnergy r = {.kind = MT_ENERGY_REGULAR_SOLUTION, .rt = 2, .omega = 5};
  MtFreeEnergy t = {.kind = MT_ENERGY_TABLE, .n = 5, .c = c, .a = a};
  (void)state;
  mt_free_energy_spline(&t);
  by_numbers(&w);
  by_numbers(&p);
  by_numbers(&r);
  by_numbers(&t);
  free(t.second);
}

static const MtKey output_keys[] = {{.path = "output.folder", .type = MT_KEY_NEWPATH, .help = ""}, {.path = NULL}};
static const MtKey *const tables[] = {
    output_keys, mt_evolve_keys, mt_diffusion_keys, mt_wetting_keys, mt_elastic_keys, mt_invert_keys, NULL};

typedef struct {
  char folder[64];
  int rank;
  MtInput *in;
  MtTwin twin;
} Case;

static void write_snapshot(const char *folder, int k, double level) {
  char path[128];
  double c[N * N];
  for (int j = 0; j < N; j++)
    for (int i = 0; i < N; i++) c[j * N + i] = .5 + level * cos(.4 * i) * cos(.3 * j + .1 * i);
  c[7] = NAN; /* not seen */
  snprintf(path, sizeof path, "%s/seen%d.npy", folder, k);
  assert_int_equal(mt_npy_write(path, N, N, c), 0);
}

#define WELL                                                                                                           \
  "double_well: {height: 5, low: 0.3, high: 0.7}, gradient_energy: 2e-18, initial_formula: 0.5 + "                     \
  "0.04*cos(2*pi*x/24)*cos(4*pi*y/24) + 0.02*sin(4*pi*x/24), "
#define THREE                                                                                                          \
  "{name: phasefield.double_well.height, min: 1, max: 20}, {name: phasefield.double_well.high, min: 0.6, max: 0.9}, "  \
  "{name: phasefield.gradient_energy, min: 1e-19, max: 1e-17}, "
#define CONSERVED WELL "model: cahn_hilliard, mobility: 5e-18"
#define RELAXED WELL "model: allen_cahn, rate: 1"
#define HEATED WELL "model: cahn_hilliard, mobility: 2e-15, activation: 50000" /* about 5e-18 at 1000 K */
#define DIFFUSING "model: diffusion, initial_formula: exp(-x/4) + 0.3*cos(2*pi*y/24)*exp(-(x - 12)^2/20)"
#define MEDIA                                                                                                          \
  "diffusion: {media: [{D0: 4e-15, Q: 50000}, {D0: 2e-15, Q: 35000, where: 3 - abs(y - 12)}],\n"                       \
  "  fixed: [{at: x_min, c: 1}]}\n" HEAT
#define HEAT "temperature: {time: [0, 0.5, 1], value: [900, 1000, 950]}\n"
#define MOBILITY THREE "{name: phasefield.mobility, min: 1e-19, max: 1e-16}"
#define RATE THREE "{name: phasefield.rate, min: 0.1, max: 10}"

static void open_case(Case *k, const char *model, const char *parameters, const char *more, const char *section) {
  char path[128], text[2048];
  const bool open = strstr(model, "diffusion"); /* at both ends of x */
  memcpy(k->folder, "/tmp/magtwin_invert_XXXXXX", 27);
  assert_int_equal(folder_make(k->folder, &k->rank), 0);
  snprintf(path, sizeof path, "%s/run.yaml", k->folder);
  if (k->rank == 0) {
    write_snapshot(k->folder, 1, .05);
    write_snapshot(k->folder, 2, .1);
    snprintf(text, sizeof text,
             "box: {size: [%d, %d, 0], spacing: 1, periodic: %s}\n"
             "phasefield: {%s}\n"
             "evolve: {end: 1, first_step: 0.01, tolerance: 1e-5}\n"
             "invert: {snapshots: %s/seen*.npy, times: [0.3, 0.8], noise: 0.1, %s parameters: [%s]}\n"
             "%soutput: {folder: %s/out}\n",
             open ? N - 1 : N, N, open ? "y" : "xy", model, k->folder, more, parameters, section, k->folder);
    assert_int_equal(mt_file_write(path, text), 0);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  const PetscErrorCode rc = mt_input_read_for(PETSC_COMM_WORLD, path, 0, NULL, tables,
                                              "box phasefield diffusion temperature evolve invert", &k->in);
  if (rc) print_error("%s\n", mt_error_message());
  assert_int_equal(rc, 0);
  assert_int_equal(mt_twin_open(&k->twin, PETSC_COMM_WORLD, k->in, ""), 0);
}

static void close_case(Case *k) {
  mt_twin_close(&k->twin);
  mt_input_destroy(&k->in);
}

static double misfit_at(MtTwin *w, const double *theta) {
  double misfit;
  bool good;
  mt_twin_set(w, theta);
  assert_int_equal(mt_twin_forward(w, &misfit, &good, NULL), 0);
  assert_true(good);
  return misfit;
}

/* |J(theta + e v) - J - e g.v| falls as e^2 over four decades: slope of each pair of decades, and of all. */
static void taylor(Case *k) {
  MtTwin *w = &k->twin;
  double misfit, g[MT_UNKNOWNS], at[MT_UNKNOWNS], along = 0, rest[5];
  const double v[4] = {1, -.5, .7, .8};
  assert_int_equal(mt_twin_record(w, &misfit, NULL), 0);
  memcpy(at, w->theta, sizeof at);
  const double J = misfit_at(w, at);
  assert_int_equal(mt_twin_reverse(w, g, NULL), 0);
  for (int p = 0; p < 4; p++) along += g[p] * v[p];
  for (int e = 0; e < 5; e++) {
    double there[MT_UNKNOWNS];
    const double size = pow(10, -1.5 - e);
    for (int p = 0; p < 4; p++) there[p] = at[p] + size * v[p];
    rest[e] = fabs(misfit_at(w, there) - J - size * along);
  }
  print_message("%d steps, J %.6g, g.v %.6g, rest %.3g .. %.3g, slope %.4f\n", w->steps.n, J, along, rest[0], rest[4],
                log10(rest[0] / rest[4]) / 4);
  for (int e = 1; e < 5; e++) assert_near(log10(rest[e - 1] / rest[e]), 2, .1);
}

/* The gradient of forward sensitivities is that of the adjoint, and that of an adjoint with few states. */
static void duality(Case *k) {
  MtTwin *w = &k->twin;
  double misfit, g[MT_UNKNOWNS], s[MT_UNKNOWNS], H[16] = {0};
  bool good;
  misfit_at(w, w->theta);
  assert_int_equal(mt_twin_reverse(w, g, NULL), 0);
  assert_int_equal(mt_twin_sensitivity(w, &misfit, s, H, NULL, &good), 0);
  for (int p = 0; p < 4; p++) assert_near(s[p], g[p], 1e-7 * fabs(g[p]) + 1e-9);
}

/* The gradient by the state at the beginning, against a central difference. */
static void by_start(Case *k) {
  MtTwin *w = &k->twin;
  double g[MT_UNKNOWNS], J[2], along;
  const double e = 1e-4;
  Vec d, v;
  misfit_at(w, w->theta);
  assert_int_equal(mt_flow_create_vec(w->flow, &d), 0);
  assert_int_equal(VecDuplicate(d, &v), 0);
  assert_int_equal(mt_twin_reverse(w, g, d), 0);
  VecCopy(w->start, v);
  VecShift(v, -.47);
  if (w->diffusion) mt_diffusion_release(w->diffusion, v);
  VecDot(v, d, &along);
  for (int side = 0; side < 2; side++) {
    VecAXPY(w->start, side ? -2 * e : e, v);
    J[side] = misfit_at(w, w->theta);
  }
  VecAXPY(w->start, e, v);
  assert_near((J[0] - J[1]) / (2 * e), along, 1e-6 * fabs(along));
  VecDestroy(&d);
  VecDestroy(&v);
}

static void test_gradient(void **state) {
  static const char *const kind[][3] = {{CONSERVED, MOBILITY, ""},
                                        {RELAXED, RATE, ""},
                                        {HEATED, THREE "{name: phasefield.mobility, min: 1e-17, max: 1e-14}", HEAT},
                                        {DIFFUSING,
                                         "{name: \"diffusion.media[0].D0\", min: 1e-16, max: 1e-13}, "
                                         "{name: \"diffusion.media[1].Q\", min: 0, max: 80000}, "
                                         "{name: \"diffusion.media[1].D0\", min: 1e-16, max: 1e-13}, "
                                         "{name: \"diffusion.media[0].Q\", min: 20000, max: 80000}",
                                         MEDIA}};
  (void)state;
  for (int i = 0; i < 4; i++) {
    Case k;
    open_case(&k, kind[i][0], kind[i][1], "", kind[i][2]);
    taylor(&k);
    duality(&k);
    by_start(&k);
    close_case(&k);
  }
}

static void test_few_states(void **state) {
  double g[2][MT_UNKNOWNS], misfit;
  (void)state;
  for (int few = 0; few < 2; few++) {
    Case k;
    open_case(&k, CONSERVED, MOBILITY, few ? "states: 9," : "", "");
    assert_int_equal(mt_twin_record(&k.twin, &misfit, NULL), 0);
    misfit_at(&k.twin, k.twin.theta);
    assert_int_equal(mt_twin_reverse(&k.twin, g[few], NULL), 0);
    print_message("%d steps, %.0f computed again\n", k.twin.steps.n, k.twin.recomputed);
    assert_true(few == (k.twin.recomputed > 0));
    close_case(&k);
  }
  for (int p = 0; p < 4; p++) assert_near(g[1][p], g[0][p], 1e-7 * fabs(g[0][p]));
}

/* d[k] = (c_k at theta + e of parameter p, or at the start + e v, less that at - e)/(2 e). */
static void difference(MtTwin *w, int p, Vec v, Vec *d, Vec *other) {
  const double e = 1e-4;
  double theta[MT_UNKNOWNS], misfit;
  bool good;
  memcpy(theta, w->theta, sizeof theta);
  for (int side = 0; side < 2; side++) {
    if (v)
      VecAXPY(w->start, side ? -2 * e : e, v);
    else
      theta[p] += side ? -2 * e : e;
    mt_twin_set(w, theta);
    assert_int_equal(mt_twin_forward(w, &misfit, &good, side ? other : d), 0);
  }
  for (int k = 0; k < w->seen.n; k++) {
    VecAXPY(d[k], -1, other[k]);
    VecScale(d[k], 1 / (2 * e));
  }
  if (v)
    VecAXPY(w->start, e, v);
  else
    theta[p] += e;
  mt_twin_set(w, theta);
}

/* What the error of the start does to the estimates: rows by the adjoint against differences of forward runs. */
static void test_start(void **state) {
  Case k;
  Vec row[4], *by_v, *by_p, *other, v;
  double misfit, product, sum;
  (void)state;
  open_case(&k, CONSERVED, MOBILITY, "states: 9,", "");
  MtTwin *w = &k.twin;
  VecDuplicate(w->start, &v);
  VecCopy(w->start, v);
  VecShift(v, -.47);
  for (int p = 0; p < 4; p++) VecDuplicate(v, &row[p]);
  VecDuplicateVecs(v, w->seen.n, &by_v);
  VecDuplicateVecs(v, w->seen.n, &by_p);
  VecDuplicateVecs(v, w->seen.n, &other);
  assert_int_equal(mt_twin_record(w, &misfit, NULL), 0);
  assert_int_equal(mt_start_rows(w, row), 0);
  difference(w, 0, v, by_v, other);
  for (int p = 0; p < 4; p++) {
    difference(w, p, NULL, by_p, other);
    sum = 0;
    for (int s = 0; s < w->seen.n; s++) mt_snapshots_product(&w->seen, s, by_p[s], by_v[s], &sum);
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
    VecDot(row[p], v, &product);
    print_message("row %d along v: %.9g, by differences %.9g\n", p, product, sum);
    assert_near(product, sum, 1e-5 * fabs(sum));
    VecDestroy(&row[p]);
  }
  VecDestroyVecs(w->seen.n, &by_v);
  VecDestroyVecs(w->seen.n, &by_p);
  VecDestroyVecs(w->seen.n, &other);
  VecDestroy(&v);
  close_case(&k);
}

/* A run of the model made of the input is the march that finds the steps of the adjoint, but for the tolerances of its
 * solvers; it depends on the parameters alone. */
static void test_forward(void **state) {
  static const char *const kind[][3] = {
      {CONSERVED, MOBILITY, ""}, {DIFFUSING, "{name: \"diffusion.media[0].D0\", min: 1e-16, max: 1e-13}", MEDIA}};
  (void)state;
  for (int i = 0; i < 2; i++) {
    double misfit[2], again, theta[MT_UNKNOWNS];
    for (int forward = 0; forward < 2; forward++) {
      Case k;
      open_case(&k, kind[i][0], kind[i][1], forward ? "method: ensemble," : "", kind[i][2]);
      memcpy(theta, k.twin.theta, sizeof theta);
      theta[0] += .1;
      assert_int_equal(mt_twin_set(&k.twin, theta), 0);
      assert_int_equal(mt_twin_record(&k.twin, &misfit[forward], NULL), 0);
      assert_int_equal(mt_twin_set(&k.twin, k.twin.theta), 0);
      if (forward) assert_int_equal(mt_twin_record(&k.twin, &again, NULL), 0);
      close_case(&k);
    }
    assert_near(misfit[1], misfit[0], 1e-5 * misfit[0]);
    assert_true(again == misfit[1]);
  }
}

/* The whole command, search and ensemble, continued from its checkpoint too: what it leaves. */
static void test_run(void **state) {
  static const char *const more[] = {"iterations: 2, taylor_test: true,",
                                     "method: ensemble, members: 6, iterations: 2,"};
  (void)state;
  for (int i = 0; i < 2; i++) {
    static const char *const left[] = {"invert.csv", "parameters.csv", "snapshots.h5", "checkpoint.h5"};
    Case k;
    char path[128];
    bool stopped;
    MtJson *json = mt_json_new();
    open_case(&k, RELAXED, RATE, more[i], "");
    for (int again = 0; again < 2; again++)
      assert_int_equal(mt_invert_run(PETSC_COMM_WORLD, k.in, "", k.folder, again, json, &stopped), 0);
    assert_false(stopped);
    MPI_Barrier(PETSC_COMM_WORLD);
    for (size_t f = 0; f < sizeof left / sizeof *left; f++) {
      snprintf(path, sizeof path, "%s/%s", k.folder, left[f]);
      assert_int_equal(access(path, F_OK), 0);
    }
    mt_json_free(&json);
    close_case(&k);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers),    cmocka_unit_test(test_gradient),
                                     cmocka_unit_test(test_few_states), cmocka_unit_test(test_forward),
                                     cmocka_unit_test(test_start),      cmocka_unit_test(test_run)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  mt_error_install();
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
