/* Fields in time: each kind at points known in closed form, their sums and kinks; and the rules between the keys, each
 * broken one a sentence with its place. */
#include "magtwin/dynamics.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static PetscErrorCode read_text(const char *text, MtInput **in) {
  const MtKey *const tables[] = {mt_dynamics_keys, NULL};
  mt_error_clear();
  assert_int_equal(mt_file_write(path, text), 0);
  return mt_input_read(PETSC_COMM_SELF, path, 0, NULL, tables, in);
}

static MtTimeField field_of(const char *parts) {
  char text[1024];
  MtInput *in;
  MtTimeField field;
  snprintf(text, sizeof text, "dynamics:\n  field:\n%stime: {end: 1 ns}\n", parts);
  assert_int_equal(read_text(text, &in), 0);
  assert_int_equal(mt_time_field_read(in, &field), 0);
  mt_input_destroy(&in);
  return field;
}

/* Component c at t (ns), continued from the piece that holds `from`. */
static double at(MtTimeField *f, double from, double t, int c) {
  double B[3];
  mt_time_field_at(f, from, t, B);
  return B[c];
}

static void kinds(void **state) {
  (void)state;
  MtTimeField f = field_of("    - {value: 2 T, direction: [0, 3, 0], start: 10 ps, end: 20 ps}\n");
  assert_near(at(&f, .005, .005, 1), 0, 0);
  assert_near(at(&f, .01, .01, 1), 2, 0);
  assert_near(at(&f, .015, .02, 1), 2, 0); /* up to its end from before */
  assert_near(at(&f, .02, .02, 1), 0, 0);
  mt_time_field_free(&f);
  f = field_of("    - {kind: ramp, from: 1 T, value: -1 T, start: 10 ps, end: 20 ps}\n");
  assert_near(at(&f, 0, .01, 2), 1, 0);
  assert_near(at(&f, .01, .0125, 2), .5, 1e-12);
  assert_near(at(&f, .03, .04, 2), -1, 0);
  mt_time_field_free(&f);
  f = field_of("    - {kind: sine, value: 3 T, frequency: 10 GHz, phase: 90 deg, start: 5 ps}\n");
  assert_near(at(&f, .005, .005, 2), 3, 1e-12);
  assert_near(at(&f, .005, .030, 2), 0, 1e-12); /* a quarter of 100 ps later */
  assert_near(at(&f, .005, .055, 2), -3, 1e-12);
  mt_time_field_free(&f);
  f = field_of("    - {kind: pulse, value: 4 T, start: 10 ps, end: 30 ps, rise: 8 ps}\n");
  assert_near(at(&f, .010, .014, 2), 2, 1e-12);
  assert_near(at(&f, .020, .025, 2), 4, 0);
  assert_near(at(&f, .030, .036, 2), 1, 1e-12);
  assert_near(at(&f, .040, .041, 2), 0, 0);
  mt_time_field_free(&f);
}

static void sums_and_kinks(void **state) {
  (void)state;
  static const double expected[] = {.01, .012, .03, .032, .05};
  MtTimeField f = field_of("    - {value: 1 T}\n"
                           "    - {kind: pulse, value: 2 T, start: 10 ps, end: 30 ps, rise: 2 ps}\n"
                           "    - {kind: ramp, value: 1 T, direction: [1, 0, 0], end: 50 ps}\n");
  double t = 0;
  assert_near(at(&f, .02, .02, 2), 3, 1e-12);
  assert_near(at(&f, .02, .02, 0), .4, 1e-12);
  for (int k = 0; k < 5; k++) {
    t = mt_time_field_kink(&f, t);
    assert_near(t, expected[k], 1e-15);
  }
  assert_true(isinf(mt_time_field_kink(&f, t)));
  mt_time_field_free(&f);
}

static void refused(const char *text, const char *place, const char *words) {
  MtInput *in = NULL;
  PetscErrorCode rc = read_text(text, &in);
  if (!rc) {
    rc = mt_dynamics_check(in);
    mt_input_destroy(&in);
  }
  assert_int_equal(rc, MT_ERR_INPUT);
  if (!strstr(mt_error_message(), words) || !strstr(mt_error_message(), place))
    fail_msg("\"%s\" and \"%s\" expected in: %s", place, words, mt_error_message());
}

static void rules(void **state) {
  (void)state;
  refused("dynamics:\n  field:\n    - {kind: ramp, value: 1 T}\ntime: {end: 1 ns}\n", ":3:", "needs an end");
  refused("dynamics:\n  field:\n    - {value: 1 T, start: 2 ps, end: 1 ps}\ntime: {end: 1 ns}\n",
          ":3:", "after the start");
  refused("dynamics:\n  field:\n    - {kind: sine, value: 1 T}\ntime: {end: 1 ns}\n", ":3:", "frequency");
  refused("dynamics:\n  field:\n    - {value: 1 T, rise: 1 ps}\ntime: {end: 1 ns}\n", ":3:", "kind=pulse");
  refused("dynamics:\n  field:\n    - {kind: pulse, value: 1 T, end: 1 ps, rise: 2 ps}\ntime: {end: 1 ns}\n",
          ":3:", "longer than the pulse");
  refused("dynamics:\n  field:\n    - {value: 1 T, direction: [0, 0, 0]}\ntime: {end: 1 ns}\n", ":3:", "zero vector");
  refused("dynamics: {initial_direction: [0, 0, 0]}\ntime: {end: 1 ns}\n", ":1:", "zero vector");
  refused("integrator: {min_step: 1 ps, max_step: 1 fs}\ntime: {end: 1 ns}\n", ":1:", "longer than the longest");
  refused("integrator: {min_step: 1 ps}\ntime: {end: 1 ns}\n", ":1:", "longer than the first step");
  refused("time: {end: 1 ns, snapshots: [2 ps, 1 ps]}\n", ":1:", "must ascend");
  refused("time: {interval: 1 ps}\n", "time.end", "missing");
  mt_error_clear();
}

static int setup(void **state) {
  (void)state;
  strcpy(path, "/tmp/magtwin-time-field-XXXXXX");
  int fd = mkstemp(path);
  return fd < 0 ? -1 : close(fd);
}
static int teardown(void **state) {
  (void)state;
  return unlink(path);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(sums_and_kinks),
                                     cmocka_unit_test(rules)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, setup, teardown);
  return PetscFinalize() || failed;
}
