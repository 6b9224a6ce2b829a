/* ranks: 1 2 3 */
/* HDF5 store: slabs by any number of ranks, commit and .prev, damaged and foreign files. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "refused.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/magtwin-h5-XXXXXX", path[64], prev[72], tmp[72];
static int rank, size;

static int make_folder(void **state) {
  (void)state;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (rank == 0 && !mkdtemp(folder)) return 1;
  if (MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD)) return 1;
  snprintf(path, sizeof path, "%s/a.h5", folder);
  snprintf(prev, sizeof prev, "%s.prev", path);
  snprintf(tmp, sizeof tmp, "%s.tmp", path);
  return 0;
}

static int clean(void **state) {
  (void)state;
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) {
    remove(path);
    remove(prev);
    remove(tmp);
  }
  mt_error_clear();
  MPI_Barrier(MPI_COMM_WORLD);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  return rank == 0 ? rmdir(folder) : 0;
}

static double value(int64_t row, int c) {
  return (double)row * 3 + c + 0.25;
}

/* x [n,3] and id [n], by slabs */
static void write_file(int64_t ntotal, double shift) {
  MtH5 *f;
  int64_t start, n;
  mt_slab(ntotal, rank, size, &start, &n);
  double *x = malloc(sizeof(double) * (size_t)(3 * n + 1));
  int32_t *id = malloc(sizeof(int32_t) * (size_t)(n + 1));
  for (int64_t i = 0; i < n; i++) {
    for (int c = 0; c < 3; c++) x[3 * i + c] = value(start + i, c) + shift;
    id[i] = (int32_t)(start + i);
  }
  assert_int_equal(mt_h5_create(MPI_COMM_WORLD, path, "magtwin-test", 2, &f), 0);
  assert_int_equal(mt_h5_write(f, "/a/b/x", H5T_NATIVE_DOUBLE, ntotal, 3, start, n, x, "nm"), 0);
  assert_int_equal(mt_h5_write(f, "/id", H5T_NATIVE_INT32, ntotal, 1, start, n, id, NULL), 0);
  assert_int_equal(mt_h5_set_reals(f, "/a", "sphere", 4, (double[]){1, 2, 3, 4.5}), 0);
  assert_int_equal(mt_h5_set_string(f, "/", "input", "a: 1\nb: 2\n"), 0);
  assert_int_equal(mt_h5_write_strings(f, "/names", 3, (const char *[]){"grain 1", "", "gb 1-2"}), 0);
  assert_int_equal(mt_h5_commit(&f, true), 0);
  free(x);
  free(id);
}

/* Read with a split that is not the one of the writing: all rows on the last rank. */
static void check_slabs(int64_t ntotal) {
  MtH5 *f;
  int64_t n = rank == size - 1 ? ntotal : 0, rows;
  double *x = malloc(sizeof(double) * (size_t)(3 * n + 1));
  assert_int_equal(mt_h5_open(MPI_COMM_WORLD, path, "magtwin-test", 2, &f), 0);
  assert_int_equal(mt_h5_rows(f, "/a/b/x", &rows), 0);
  assert_int_equal(rows, ntotal);
  assert_int_equal(mt_h5_read(f, "/a/b/x", H5T_NATIVE_DOUBLE, 3, 0, n, x), 0);
  for (int64_t i = 0; i < 3 * n; i++) assert_true(x[i] == value(i / 3, (int)(i % 3)));
  assert_int_equal(mt_h5_close(&f), 0);
  free(x);
}

static void test_slabs(void **state) {
  (void)state;
  const int64_t sizes[] = {0, 1, 2, 7, 100000}; /* fewer rows than ranks, several chunks */
  for (int i = 0; i < 5; i++) {
    write_file(sizes[i], 0);
    check_slabs(sizes[i]);
  }
}

static void test_replicated(void **state) {
  (void)state;
  MtH5 *f;
  int64_t n;
  void *id;
  int ns;
  char **names, *input, *unit;
  double sphere[4];
  write_file(11, 0);
  assert_int_equal(mt_h5_open(MPI_COMM_WORLD, path, "magtwin-test", 2, &f), 0);
  assert_int_equal(mt_h5_read_all(f, "/id", H5T_NATIVE_INT64, 1, &n, &id), 0);
  assert_int_equal(n, 11);
  for (int i = 0; i < 11; i++) assert_int_equal(((int64_t *)id)[i], i);
  assert_int_equal(mt_h5_read_strings(f, "/names", &ns, &names), 0);
  assert_int_equal(ns, 3);
  assert_string_equal(names[0], "grain 1");
  assert_string_equal(names[1], "");
  assert_string_equal(names[2], "gb 1-2");
  assert_int_equal(mt_h5_get_string(f, "/", "input", &input), 0);
  assert_string_equal(input, "a: 1\nb: 2\n");
  assert_int_equal(mt_h5_get_string(f, "/a/b/x", "unit", &unit), 0);
  assert_string_equal(unit, "nm");
  assert_int_equal(mt_h5_get_reals(f, "/a", "sphere", 4, sphere), 0);
  assert_true(sphere[3] == 4.5);
  assert_true(mt_h5_exists(f, "/a/b"));
  assert_false(mt_h5_exists(f, "/a/c/d"));
  mt_h5_close(&f);
  for (int i = 0; i < ns; i++) free(names[i]);
  free(names);
  free(id);
  free(input);
  free(unit);
}

static void test_commit(void **state) {
  (void)state;
  MtH5 *f;
  write_file(5, 0);
  write_file(5, 1000);
  assert_int_equal(access(prev, R_OK), 0);
  assert_int_not_equal(access(tmp, F_OK), 0);
  for (int i = 0; i < 2; i++) { /* the new file holds the new values, .prev the old ones */
    double x[3];
    assert_int_equal(mt_h5_open(MPI_COMM_WORLD, i ? prev : path, "magtwin-test", 2, &f), 0);
    assert_int_equal(mt_h5_read(f, "/a/b/x", H5T_NATIVE_DOUBLE, 3, 0, 1, x), 0);
    assert_true(x[0] == (i ? 0.25 : 1000.25));
    mt_h5_close(&f);
  }
  assert_int_equal(mt_h5_create(MPI_COMM_WORLD, path, "magtwin-test", 1, &f), 0);
  assert_int_equal(mt_h5_discard(&f), 0);
  assert_int_not_equal(access(tmp, F_OK), 0);
}

static void expect_refused(const char *file, const char *format, int version, const char *says) {
  MtH5 *f;
  mt_error_clear();
  assert_refused(mt_h5_open(MPI_COMM_WORLD, file, format, version, &f), says);
}

static void test_refused(void **state) {
  (void)state;
  write_file(100000, 0);
  expect_refused("/nowhere/x.h5", "magtwin-test", 2, "No such file");
  expect_refused(folder, "magtwin-test", 2, "not a file");
  expect_refused(path, "magtwin-mesh", 2, "magtwin-test file");
  expect_refused(path, "magtwin-test", 1, "newer");
  struct stat st;
  stat(path, &st);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) assert_int_equal(truncate(path, st.st_size / 2), 0);
  MPI_Barrier(MPI_COMM_WORLD);
  expect_refused(path, "magtwin-test", 2, "truncated");
  if (rank == 0) assert_int_equal(truncate(path, 0), 0);
  MPI_Barrier(MPI_COMM_WORLD);
  expect_refused(path, "magtwin-test", 2, "empty");
}

/* One flipped byte in the data is found by the checksum, on every rank. */
static void test_checksum(void **state) {
  (void)state;
  MtH5 *f;
  const double wanted = value(77777, 0);
  double *x = malloc(sizeof(double) * 300000);
  write_file(100000, 0);
  if (rank == 0) {
    FILE *file = fopen(path, "r+b");
    char *all = malloc(4000000);
    size_t n = fread(all, 1, 4000000, file), at = 0;
    while (at + 8 < n && memcmp(all + at, &wanted, 8)) at++;
    assert_true(at + 8 < n);
    fseek(file, (long)at, SEEK_SET);
    fputc(all[at] ^ 1, file);
    fclose(file);
    free(all);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  assert_int_equal(mt_h5_open(MPI_COMM_WORLD, path, "magtwin-test", 2, &f), 0);
  int64_t start, n;
  mt_slab(100000, rank, size, &start, &n);
  assert_int_equal(mt_h5_read(f, "/a/b/x", H5T_NATIVE_DOUBLE, 3, start, n, x), MT_ERR_INPUT);
  assert_non_null(strstr(mt_error_message(), "/a/b/x"));
  mt_h5_close(&f);
  free(x);
}

static void test_missing_dataset(void **state) {
  (void)state;
  MtH5 *f;
  double x[3];
  write_file(4, 0);
  assert_int_equal(mt_h5_open(MPI_COMM_WORLD, path, "magtwin-test", 2, &f), 0);
  assert_int_equal(mt_h5_read(f, "/a/y", H5T_NATIVE_DOUBLE, 3, 0, 1, x), MT_ERR_INPUT);
  mt_error_clear();
  assert_int_equal(mt_h5_read(f, "/a/b/x", H5T_NATIVE_DOUBLE, 2, 0, 1, x), MT_ERR_INPUT);
  mt_error_clear();
  assert_int_equal(mt_h5_read(f, "/a/b/x", H5T_NATIVE_DOUBLE, 3, 2, 3, x), MT_ERR_INPUT);
  mt_h5_close(&f);
}

static void test_unwritable(void **state) {
  (void)state;
  MtH5 *f;
  char inside[96];
  snprintf(inside, sizeof inside, "%s/b.h5", path);
  write_file(1, 0);
  assert_refused(mt_h5_create(MPI_COMM_WORLD, inside, "magtwin-test", 1, &f), inside);
  if (rank == 0) {
    assert_int_equal(mt_file_write(inside, "text"), MT_ERR_INPUT);
    mt_error_clear();
    assert_int_equal(mt_folder_make(path), MT_ERR_INPUT);
  }
}

/* A write that does not fit leaves the old file as it was, and no half one. */
static void test_full(void **state) {
  (void)state;
  if (rank) return;
  struct rlimit all, small;
  char text[5001], found[8] = "";
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  assert_int_equal(mt_file_write(path, "old"), 0);
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &all);
  small = all;
  small.rlim_cur = 1000;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  PetscErrorCode rc = mt_file_write(path, text);
  setrlimit(RLIMIT_FSIZE, &all);
  assert_int_equal(rc, MT_ERR_DISK);
  assert_non_null(strstr(mt_error_message(), path));
  assert_int_not_equal(access(tmp, F_OK), 0);
  FILE *f = fopen(path, "r");
  assert_non_null(fgets(found, sizeof found, f));
  fclose(f);
  assert_string_equal(found, "old");
}

int main(int argc, char **argv) {
  PetscErrorCode rc = PetscInitialize(&argc, &argv, NULL, NULL);
  if (rc || mt_error_install()) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_slabs, clean),      cmocka_unit_test_teardown(test_replicated, clean),
      cmocka_unit_test_teardown(test_commit, clean),     cmocka_unit_test_teardown(test_refused, clean),
      cmocka_unit_test_teardown(test_checksum, clean),   cmocka_unit_test_teardown(test_missing_dataset, clean),
      cmocka_unit_test_teardown(test_unwritable, clean), cmocka_unit_test_teardown(test_full, clean),
  };
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  if (PetscFinalize()) return 1;
  return failed;
}
