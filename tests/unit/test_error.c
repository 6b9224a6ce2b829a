/* ranks: 1 2 4 */
/* Errors: the first message wins, all ranks agree on the lowest failing one's, PETSc's own errors end in the same
 * record. */
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <petscvec.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int rank, size;

static int forget(void **state) {
  (void)state;
  mt_error_clear();
  return 0;
}

static void test_first_wins(void **state) {
  (void)state;
  assert_string_equal(mt_error_message(), "");
  assert_int_equal(mt_error(MT_ERR_INPUT, "first %d", 1), MT_ERR_INPUT);
  assert_int_equal(mt_error(MT_ERR_FAIL, "second"), MT_ERR_FAIL);
  assert_string_equal(mt_error_message(), "first 1");
}

/* Each set of failing ranks, as bits: everyone returns the code and holds the message of the lowest of them. */
static void test_agree(void **state) {
  (void)state;
  for (int set = 0; set < 1 << size; set++) {
    char wanted[32] = "";
    int lowest = 0;
    while (set && !(set >> lowest & 1)) lowest++;
    if (set) snprintf(wanted, sizeof wanted, "rank %d", lowest);
    PetscErrorCode rc = set >> rank & 1 ? mt_error(rank % 2 ? MT_ERR_INPUT : MT_ERR_FAIL, "rank %d", rank) : 0;
    assert_int_equal(mt_agree(MPI_COMM_WORLD, rc), set == 0 ? 0 : lowest % 2 ? MT_ERR_INPUT : MT_ERR_FAIL);
    assert_string_equal(mt_error_message(), wanted);
    mt_error_clear();
  }
}

static PetscErrorCode call_petsc_wrongly(void) {
  Vec v;
  PetscCall(VecCreate(MPI_COMM_WORLD, &v));
  PetscErrorCode rc = VecSetType(v, "no-such-type");
  PetscCall(VecDestroy(&v));
  PetscCall(rc);
  return 0;
}

static void test_petsc(void **state) {
  (void)state;
  assert_int_not_equal(call_petsc_wrongly(), 0);
  assert_non_null(strstr(mt_error_message(), "no-such-type"));
  assert_null(strchr(mt_error_message(), '\n'));
}

/* A signal on one rank stops all of them. */
static void test_stop(void **state) {
  (void)state;
  mt_stop_install();
  assert_false(mt_stop_agreed(MPI_COMM_WORLD));
  if (rank == size - 1) raise(SIGUSR1);
  assert_true(mt_stop_agreed(MPI_COMM_WORLD));
}

int main(int argc, char **argv) {
  PetscErrorCode rc = PetscInitialize(&argc, &argv, NULL, NULL);
  if (rc || mt_error_install()) return 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_first_wins, forget),
      cmocka_unit_test_teardown(test_agree, forget),
      cmocka_unit_test_teardown(test_petsc, forget),
      cmocka_unit_test_teardown(test_stop, forget),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (PetscFinalize()) return 1;
  return failed;
}
