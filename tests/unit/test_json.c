/* JSON: the text for each kind of value, escapes (RFC 8259), numbers that read back the same. */
#include "magtwin/json.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_text(void **state) {
  (void)state;
  MtJson *j = mt_json_new();
  mt_json_string(j, "s", "a\"b\\c\n\x01µ");
  mt_json_object(j, "o");
  mt_json_bool(j, "yes", 1);
  mt_json_object(j, "empty");
  mt_json_end(j);
  mt_json_end(j);
  mt_json_array(j, "list");
  mt_json_int(j, NULL, -9223372036854775807);
  mt_json_object(j, NULL);
  mt_json_quantity(j, "B", 1.5, "T");
  mt_json_end(j);
  mt_json_end(j);
  mt_json_reals(j, "r", 3, (double[]){0.1, NAN, -INFINITY});
  assert_string_equal(
      mt_json_text(j),
      "{\n  \"s\": \"a\\\"b\\\\c\\n\\u0001µ\",\n  \"o\": {\n    \"yes\": true,\n    \"empty\": {}\n  },\n"
      "  \"list\": [\n    -9223372036854775807,\n    {\n      \"B\": {\"value\": 1.5, \"unit\": \"T\"}\n    }\n  ],\n"
      "  \"r\": [0.1, null, null]\n}\n");
  mt_json_free(&j);
  assert_null(j);
}

/* What is left open is closed, once. */
static void test_closes(void **state) {
  (void)state;
  MtJson *j = mt_json_new();
  mt_json_object(j, "a");
  mt_json_array(j, "b");
  mt_json_text(j);
  assert_string_equal(mt_json_text(j), "{\n  \"a\": {\n    \"b\": []\n  }\n}\n");
  mt_json_free(&j);
}

static void test_reals(void **state) {
  (void)state;
  const double values[] = {0.1,  1.0 / 3,       1e-300, 5e-324, 1.7976931348623157e308, 123456789.123456789,
                           -0.0, 2.0 / 3 * 1e-7};
  char buf[32];
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
    assert_true(strtod(mt_real_text(values[i], buf), NULL) == values[i]);
  assert_string_equal(mt_real_text(0.1, buf), "0.1");
  assert_string_equal(mt_real_text(3, buf), "3");
}

/* On one line, and read back: what was written, with numbers of 17 digits and characters beyond ASCII. */
static void test_read(void **state) {
  (void)state;
  char why[200];
  double v = 0;
  MtJson *j = mt_json_new_line();
  mt_json_string(j, "s", "a\"b\\c\n\x01µ");
  mt_json_array(j, "list");
  mt_json_real(j, NULL, 1.0 / 3);
  mt_json_quantity(j, NULL, 1.5, "T");
  mt_json_real(j, NULL, NAN);
  mt_json_end(j);
  const char *text = mt_json_text(j);
  assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
  MtJsonValue *read = mt_json_read(text, why);
  assert_non_null(read);
  assert_string_equal(mt_json_member(read, "s")->text, "a\"b\\c\n\x01µ");
  assert_true(mt_json_number(mt_json_find(read, "list.0"), &v) && v == 1.0 / 3);
  assert_true(mt_json_number(mt_json_find(read, "list.1"), &v) && v == 1.5);
  assert_false(mt_json_number(mt_json_find(read, "list.2"), &v));
  assert_null(mt_json_find(read, "list.3"));
  mt_json_value_free(&read);
  read = mt_json_read("\"\\u00b5\\ud83d\\ude00\\/\"", why);
  assert_non_null(read);
  assert_string_equal(read->text, "µ😀/");
  mt_json_value_free(&read);
  mt_json_free(&j);
}

static void test_refused(void **state) {
  (void)state;
  const char *const bad[] = {"",          "{",         "{\"a\": 1,}", "{\"a\": 1, \"a\": 2}",
                             "[1 2]",     "nul",       "01x",         "\"a",
                             "\"\\q\"",   "{\"a\" 1}", "1 2",         "1e999",
                             "\"\\u00\"", "\"a\nb\"",  "+1",          "[NaN]",
                             "{a: 1}"};
  char why[200], deep[200];
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_null(mt_json_read(bad[i], why));
  memset(deep, '[', sizeof deep - 1);
  deep[sizeof deep - 1] = 0;
  assert_null(mt_json_read(deep, why));
  assert_string_equal(why, "nested too deeply at character 33");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_closes),
                                     cmocka_unit_test(test_reals), cmocka_unit_test(test_read),
                                     cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
