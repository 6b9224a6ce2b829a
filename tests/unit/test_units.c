/* Units: factors to the canonical ones against the definitions of the SI and of the CGS (1 kOe = 10^6/(4 pi) A/m). */
#include "magtwin/units.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void close_to(double a, double b, double relative) {
  if (!(a >= b * (1 - relative) && a <= b * (1 + relative))) fail_msg("%.17g is not %.17g", a, b);
}

static void test_factors(void **state) {
  (void)state;
  close_to(mt_unit_factor(MT_DIM_LENGTH, "um"), 1e3, 1e-15);
  close_to(mt_unit_factor(MT_DIM_LENGTH, "µm"), 1e3, 1e-15);
  close_to(mt_unit_factor(MT_DIM_LENGTH, "m"), 1e9, 1e-15);
  close_to(mt_unit_factor(MT_DIM_FIELD, "kA/m") * 1e3 / (4 * MT_PI), mt_unit_factor(MT_DIM_FIELD, "kOe"), 1e-9);
  close_to(mt_unit_factor(MT_DIM_FIELD, "A/m"), 4e-7 * MT_PI, 1e-9); /* mu0 of CODATA 2018 */
  close_to(mt_unit_factor(MT_DIM_ANGLE, "rad") * MT_PI, 180, 1e-15);
  close_to(mt_unit_factor(MT_DIM_ENERGY, "MJ/m^3"), 1e6, 1e-15);
  close_to(mt_unit_factor(MT_DIM_EXCHANGE, "pJ/m"), 1e-12, 1e-15);
  close_to(mt_unit_factor(MT_DIM_TIME, "h"), 3600, 1e-15);
}

static void test_refused(void **state) {
  (void)state;
  assert_true(mt_unit_factor(MT_DIM_LENGTH, "kg") == 0);
  assert_true(mt_unit_factor(MT_DIM_LENGTH, "T") == 0);
  assert_true(mt_unit_factor(MT_DIM_LENGTH, "NM") == 0);
  assert_true(mt_unit_factor(MT_DIM_LENGTH, "n") == 0);
  assert_true(mt_unit_factor(MT_DIM_LENGTH, "nmm") == 0);
  assert_true(mt_unit_factor(MT_DIM_NONE, "") == 0);
  assert_true(mt_unit_of_material(MT_DIM_EDGE, "lex") && mt_unit_factor(MT_DIM_EDGE, "um") == 1e3);
  assert_true(!mt_unit_of_material(MT_DIM_LENGTH, "lex") && mt_unit_factor(MT_DIM_LENGTH, "lex") == 0);
}

/* Every unit named in a message is one that is taken, and the canonical one has factor 1. */
static void test_accepted(void **state) {
  (void)state;
  for (MtDimension d = MT_DIM_LENGTH; d <= MT_DIM_TEMPERATURE; d++) {
    char list[128], *rest = list;
    assert_true(mt_unit_factor(d, mt_unit_name(d)) == 1);
    strcpy(list, mt_unit_accepted(d));
    for (char *unit; (unit = strtok_r(rest, ", ", &rest));)
      if (!(mt_unit_factor(d, unit) > 0)) fail_msg("%s is listed but not taken", unit);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_factors), cmocka_unit_test(test_refused),
                                     cmocka_unit_test(test_accepted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
