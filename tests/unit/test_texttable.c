/* ranks: 1 2 */
/* Tables as text: cells, quotes, comments, names; whole tables of numbers. */
#include "folder.h"
#include "magtwin/error.h"
#include "magtwin/texttable.h"
#include "refused.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64] = "/tmp/magtwin_texttable_XXXXXX", file[80];
static int rank;

static void put(const char *text) {
  MPI_Barrier(PETSC_COMM_WORLD); /* all have read the last one */
  if (!rank) {
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
}

static void expect(MtTextTable *t, int line, int n, const char *const *cell) {
  assert_true(mt_text_next(t));
  assert_int_equal(t->line, line);
  assert_int_equal(t->n, n);
  for (int k = 0; k < n; k++) assert_string_equal(t->cell[k], cell[k]);
}

static void test_cells(void **state) {
  (void)state;
  MtTextTable t;
  put("# a comment\n\n field (T) ,\"a, \"\"b\"\"\" , c\r\n1,2,\n  1   2.5  # last \n1;2 3;;\n\tx\t y\n\"p q\"  r \n 2 "
      "\t 0  1.5\n2\t\t3");
  assert_int_equal(mt_text_open(file, &t), 0);
  for (int turn = 0; turn < 2; turn++, mt_text_rewind(&t)) {
    expect(&t, 3, 3, (const char *const[]){"field (T)", "a, \"b\"", "c"});
    assert_int_equal(mt_text_column(&t, "c"), 2);
    assert_int_equal(mt_text_column(&t, "d"), -1);
    expect(&t, 4, 3, (const char *const[]){"1", "2", ""});
    expect(&t, 5, 2, (const char *const[]){"1", "2.5"});
    expect(&t, 6, 4, (const char *const[]){"1", "2 3", "", ""});
    expect(&t, 7, 3, (const char *const[]){"", "x", "y"});
    expect(&t, 8, 2, (const char *const[]){"p q", "r"});
    expect(&t, 9, 3, (const char *const[]){"2", "0", "1.5"});
    expect(&t, 10, 3, (const char *const[]){"2", "", "3"});
    assert_false(mt_text_next(&t));
  }
  mt_text_close(&t);
}

static void test_names(void **state) {
  (void)state;
  MtTextTable t;
  int column;
  put("mu0_Hext_T J_T\n");
  assert_int_equal(mt_text_open(file, &t), 0);
  assert_true(mt_text_next(&t));
  assert_int_equal(mt_text_need_column(&t, "J_T", &column), 0);
  assert_int_equal(column, 1);
  assert_refused(mt_text_need_column(&t, "mu0_Hex_T", &column),
                 ":1: there is no column mu0_Hex_T; did you mean mu0_Hext_T?");
  mt_text_close(&t);
  assert_refused(mt_text_open("none/such.csv", &t), "none/such.csv: cannot be read: No such file");
  mt_text_close(&t);
}

static void test_numbers(void **state) {
  (void)state;
  double x;
  MtNumbers t;
  assert_true(mt_text_number("-1e-3", &x) && x == -1e-3);
  assert_false(mt_text_number("1 T", &x) || mt_text_number("", &x));
  put("image,field,\"m, z\"\na.png,1.5,2\nb.png,inf,-3e2\n");
  assert_int_equal(mt_numbers_read(PETSC_COMM_WORLD, file, &t), 0);
  assert_int_equal(t.rows, 2);
  assert_int_equal(t.columns, 3);
  assert_int_equal(mt_numbers_column(&t, "m, z"), 2);
  assert_true(isnan(t.value[0]) && t.value[1] == 1.5 && t.value[2] == 2);
  assert_true(isnan(t.value[4]) && t.value[5] == -300);
  mt_numbers_free(&t);
  put("a,b\n1,2\n3\n");
  assert_refused(mt_numbers_read(PETSC_COMM_WORLD, file, &t), ":3: 1 cells under a first line of 2");
  put("a,b\n");
  assert_int_equal(mt_numbers_read(PETSC_COMM_WORLD, file, &t), MT_ERR_INPUT);
  mt_error_clear();
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cells), cmocka_unit_test(test_names),
                                     cmocka_unit_test(test_numbers)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = folder_make(folder, &rank);
  snprintf(file, sizeof file, "%s/table.csv", folder);
  failed = failed || cmocka_run_group_tests(tests, NULL, NULL);
  if (!rank) unlink(file);
  if (!rank) rmdir(folder);
  return PetscFinalize() ? 1 : failed;
}
