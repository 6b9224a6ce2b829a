/* Which inputs go on with the run of a checkpoint: the same one, one with keys that may change, one with longer lists.
 */
#include "../../src/micromagnetics/site.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "field:\n  start: 1\n  segments:\n    - to: -1\n      step: 0.5\n"
#define TAIL "  reversal:\n    close: false\nmesh:\n  size: 2\n"
static const char *const OPEN = "barrier.time field.stop_below", *const LONGER = "field.segments field.angles";

static void the_same_goes_on(void **state) {
  (void)state;
  assert_true(mt_site_continues(HEAD TAIL, HEAD TAIL, NULL, NULL));
  assert_true(mt_site_continues("", "", OPEN, LONGER));
  assert_false(mt_site_continues(HEAD TAIL, HEAD, OPEN, LONGER));
  assert_false(mt_site_continues("", HEAD, OPEN, LONGER));
}

static void open_keys_may_change(void **state) {
  (void)state;
  static const char with[] = HEAD "  stop_below: 0.5\n" TAIL, other[] = HEAD "  stop_below: -1\n" TAIL;
  assert_true(mt_site_continues(with, other, OPEN, NULL));
  assert_true(mt_site_continues(with, HEAD TAIL, OPEN, NULL));
  assert_true(mt_site_continues(HEAD TAIL, with, OPEN, NULL));
  assert_false(mt_site_continues(with, other, "barrier.time", NULL));
  /* a key of another section is another key, a part of its name is none */
  assert_false(mt_site_continues("mesh:\n  time: 1\n", "mesh:\n  time: 2\n", OPEN, NULL));
  assert_false(mt_site_continues("barrier:\n  tim: 1\n", "barrier:\n  tim: 2\n", OPEN, NULL));
}

static void lists_may_get_longer(void **state) {
  (void)state;
  static const char more[] = HEAD "    - to: -2\n      step: 1\n    - to: 0\n      step: 1\n" TAIL;
  static const char changed[] = HEAD "      direction: [0, 0, 1]\n" TAIL;
  assert_true(mt_site_continues(HEAD TAIL, more, NULL, LONGER));
  assert_false(mt_site_continues(more, HEAD TAIL, NULL, LONGER));
  assert_false(mt_site_continues(HEAD TAIL, more, NULL, "field.angles"));
  assert_false(mt_site_continues(HEAD TAIL, changed, NULL, LONGER));
  assert_true(mt_site_continues("field:\n  angles: [1, 2]\n", "field:\n  angles: [1, 2, 3]\n", NULL, LONGER));
  assert_false(mt_site_continues("field:\n  angles: [1, 2]\n", "field:\n  angles: [1, 25]\n", NULL, LONGER));
  assert_false(mt_site_continues("field:\n  angles: [1, 2, 3]\n", "field:\n  angles: [1, 2]\n", NULL, LONGER));
  assert_false(mt_site_continues("field:\n  modes: [1, 2]\n", "field:\n  modes: [1, 2, 3]\n", NULL, LONGER));
}

static void the_first_difference_is_shown(void **state) {
  (void)state;
  char a[256], b[256];
  mt_site_first_difference(HEAD TAIL, HEAD "    - to: -2\n" TAIL, a, b);
  assert_string_equal(a, "  reversal:");
  assert_string_equal(b, "    - to: -2");
  mt_site_first_difference(HEAD, HEAD TAIL, a, b);
  assert_string_equal(a, "");
  assert_string_equal(b, "  reversal:");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_goes_on), cmocka_unit_test(open_keys_may_change),
                                     cmocka_unit_test(lists_may_get_longer),
                                     cmocka_unit_test(the_first_difference_is_shown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
