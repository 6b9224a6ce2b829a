/* The rules between the keys of section field: each broken one is a sentence with the place of the key. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/loop.h"
#include "magtwin/micromagnetics.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static PetscErrorCode read_field(const char *text, MtInput **in) {
  const MtKey *const tables[] = {mt_demag_keys, NULL};
  mt_error_clear();
  assert_int_equal(mt_file_write(path, text), 0);
  return mt_input_read(PETSC_COMM_SELF, path, 0, NULL, tables, in);
}

/* Refused, wherever the rule is checked, with these words and at this place. */
static void refused(const char *text, const char *place, const char *words) {
  MtInput *in = NULL;
  PetscErrorCode rc = read_field(text, &in);
  if (!rc) {
    rc = mt_demag_check(in);
    mt_input_destroy(&in);
  }
  assert_int_equal(rc, MT_ERR_INPUT);
  if (!strstr(mt_error_message(), words) || !strstr(mt_error_message(), place))
    fail_msg("\"%s\" and \"%s\" expected in: %s", place, words, mt_error_message());
}

static void test_refused(void **state) {
  (void)state;
  refused("field:\n  start: 1 T\n  segments:\n    - {to: 1 T, step: 0.1 T}\n", ":4:", "zero length");
  refused("field:\n  start: 1 T\n  segments:\n    - {to: -1 T, step: 0.1 T}\n    - {to: -1 T, step: 0.1 T}\n",
          ":5:", "zero length");
  refused("field:\n  start: 1 T\n  segments:\n    - {to: 0.5 T, step: 1 T}\n", ":4:", "longer than the segment");
  refused("field:\n  start: 1 T\n  segments:\n    - {to: -1 T, step: -0.1 T}\n", ":4:", "step");
  refused("field:\n  start: 1 T\n  segments:\n    - {to: -1 T, step: 0.1 T, resolution: 0.2 T}\n",
          ":4:", "exceed the step");
  refused("field:\n  start: 1 T\n  direction: [0, 0, 0]\n  segments:\n    - {to: -1 T, step: 0.1 T}\n",
          ":3:", "zero vector");
  refused("field:\n  start: 1 T\n  segments: []\n", ":3:", "segments");
  refused("field:\n  segments:\n    - {to: -1 T, step: 0.1 T}\n", ":2:", "missing key field.start");
}

/* A path as it is meant: directions normalized, each segment from the end of the one before. */
static void test_read(void **state) {
  (void)state;
  MtInput *in;
  MtFieldPath p;
  const char *text = "field:\n"
                     "  start: 2 T\n"
                     "  direction: [3, 0, 4]\n"
                     "  segments:\n"
                     "    - {to: -500 mT, step: 0.1 T, mode: fixed}\n"
                     "    - {to: 1 T, direction: [0, 1, 0], step: 0.2 T, dm_max: 0.1, resolution: 1 mT}\n";
  assert_int_equal(read_field(text, &in), 0);
  assert_int_equal(mt_field_path_read(in, &p), 0);
  mt_input_destroy(&in);
  assert_int_equal(p.n, 2);
  assert_near(p.start[0], 1.2, 1e-15);
  assert_near(p.start[2], 1.6, 1e-15);
  assert_near(p.segment[0].length, 2.5, 1e-14);
  assert_near(p.segment[0].zero, 2, 1e-14);
  assert_false(p.segment[0].adaptive);
  assert_near(p.segment[1].from[0], -.3, 1e-15);
  assert_near(p.segment[1].to[1], 1, 0);
  assert_near(p.segment[1].length, sqrt(1.25), 1e-14);
  assert_true(p.segment[1].adaptive && p.segment[1].zero < 0);
  assert_near(p.segment[1].resolution, 1e-3, 1e-18);
  mt_field_path_free(&p);
}

static int setup(void **state) {
  (void)state;
  strcpy(path, "/tmp/mt_field_XXXXXX");
  int fd = mkstemp(path);
  return fd < 0 || close(fd);
}

static int teardown(void **state) {
  (void)state;
  return unlink(path);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused), cmocka_unit_test(test_read)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, setup, teardown);
  return PetscFinalize() || failed;
}
