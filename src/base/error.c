/* One message and one exit code, whatever the number of ranks.
 *
 * Method: the first message recorded on a rank wins; mt_agree spreads the one of the lowest failing rank.  A report
 * that was not agreed upon waits a moment for the other ranks (nonblocking barrier on a communicator of its own): if
 * all of them come with an error, they end together with one message; if some still compute, the program is aborted. */
#include "magtwin/error.h"
#include "error_internal.h"
#include "magtwin/log.h"
#include <errno.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 2000, PATIENCE_MS = 20000, STAGGER_MS = 40, STAGGER_MAX = 50 };

static struct {
  char *text;    /* owned; NULL: nothing recorded */
  bool agreed;   /* every rank holds the same text */
  MPI_Comm comm; /* for reports alone; MPI_COMM_NULL before mt_error_install */
} record = {NULL, false, MPI_COMM_NULL};

static void record_take(char *text) {
  free(record.text);
  record.text = text;
}

static char *format_text(const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *text = malloc((size_t)(n > 0 ? n : 0) + 1);
  if (!text) abort();
  vsnprintf(text, (size_t)(n > 0 ? n : 0) + 1, format, args);
  return text;
}

PetscErrorCode mt_error(PetscErrorCode code, const char *format, ...) {
  if (record.text) return code;
  va_list args;
  va_start(args, format);
  record_take(format_text(format, args));
  va_end(args);
  return code;
}

PetscErrorCode mt_errno_code(int err) {
  return err == ENOSPC || err == EDQUOT || err == EFBIG || err == EIO ? MT_ERR_DISK : MT_ERR_INPUT;
}

static void sleep_ms(int ms) {
  nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000L}, NULL);
}

/* False if the request is not complete after so long. */
static bool completes(MPI_Request *request, int patience_ms) {
  int done = 0;
  for (int ms = 0; ms <= patience_ms && !done; ms += 5) {
    if (MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (!done) sleep_ms(5);
  }
  return done;
}

static int exit_code(PetscErrorCode rc) {
  return rc == MT_ERR_INPUT ? 2 : 1;
}

static void print_record(PetscErrorCode rc) {
  mt_progress_end();
  fflush(stdout);
  if (record.text)
    fprintf(stderr, "magtwin: %s\n", record.text);
  else
    fprintf(stderr, "magtwin: failed without a message (code %d)\n", (int)rc);
  fflush(stderr);
}

/* Ends every rank; the abort of the first one that prints ends the others before they do. */
static void end_all(PetscErrorCode rc) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  sleep_ms(STAGGER_MS * (rank < STAGGER_MAX ? rank : STAGGER_MAX));
  print_record(rc);
  MPI_Abort(MPI_COMM_WORLD, exit_code(rc));
}

/* Everyone takes the code and message of rank `lowest`. */
static PetscErrorCode adopt(MPI_Comm comm, int lowest, PetscErrorCode rc) {
  int rank, head[2] = {(int)rc, (int)strlen(mt_error_message())};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Bcast(head, 2, MPI_INT, lowest, comm));
  char *text = malloc((size_t)head[1] + 1);
  if (!text) abort();
  if (rank == lowest) memcpy(text, mt_error_message(), (size_t)head[1] + 1);
  PetscCallMPI(MPI_Bcast(text, head[1] + 1, MPI_CHAR, lowest, comm));
  record_take(text);
  record.agreed = true;
  return (PetscErrorCode)head[0];
}

PetscErrorCode mt_agree(MPI_Comm comm, PetscErrorCode rc) {
  int rank, size;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  int lowest = rc ? rank : size;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, comm));
  return lowest == size ? 0 : adopt(comm, lowest, rc);
}

PetscErrorCode mt_agree_or_abort(MPI_Comm comm, PetscErrorCode rc) {
  int rank, size, lowest;
  MPI_Request request;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  int mine = rc ? rank : size;
  PetscCallMPI(MPI_Iallreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, comm, &request));
  if (rc && !completes(&request, PATIENCE_MS)) end_all(rc);
  if (!rc) PetscCallMPI(MPI_Wait(&request, MPI_STATUS_IGNORE));
  return lowest == size ? 0 : adopt(comm, lowest, rc);
}

const char *mt_error_message(void) {
  return record.text ? record.text : "";
}

void mt_error_clear(void) {
  record_take(NULL);
  record.agreed = false;
}

/* PETSc's own errors carry the function and place where they began; ours arrive here as repetitions only. */
static PetscErrorCode handle_petsc(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                                   PetscErrorType type, const char *text, void *ctx) {
  (void)comm;
  (void)ctx;
  if (type != PETSC_ERROR_INITIAL) return code;
  const char *general = NULL;
  PetscErrorMessage(code, &general, NULL);
  mt_error(code, "PETSc: %s%s%s (%s, %s:%d)", text ? text : "", general ? "; " : "", general ? general : "",
           function ? function : "?", file ? file : "?", line);
  return code;
}

static PetscErrorCode free_report_comm(void) {
  if (record.comm != MPI_COMM_NULL) MPI_Comm_free(&record.comm);
  PetscCall(PetscPopErrorHandler());
  return 0;
}

PetscErrorCode mt_error_install(void) {
  if (record.comm != MPI_COMM_NULL) return 0;
  PetscCallMPI(MPI_Comm_dup(MPI_COMM_WORLD, &record.comm));
  PetscCall(PetscPushErrorHandler(handle_petsc, NULL));
  PetscCall(PetscRegisterFinalize(free_report_comm));
  return 0;
}

/* True when every rank came here with an error within WAIT_MS. */
static bool all_arrived(MPI_Comm comm) {
  MPI_Request request;
  return MPI_Ibarrier(comm, &request) == MPI_SUCCESS && completes(&request, WAIT_MS);
}

int mt_error_report(PetscErrorCode rc) {
  int up = 0, rank = 0;
  MPI_Initialized(&up);
  if (!up) {
    print_record(rc);
    return exit_code(rc);
  }
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm comm = record.comm != MPI_COMM_NULL ? record.comm : MPI_COMM_WORLD;
  if (!record.agreed && all_arrived(comm)) rc = mt_agree(comm, rc);
  if (!record.agreed) end_all(rc);
  if (rank == 0) print_record(rc);
  mt_error_clear();
  PetscBool petsc;
  if (!PetscInitialized(&petsc) && petsc) PetscFinalize();
  return exit_code(rc);
}
