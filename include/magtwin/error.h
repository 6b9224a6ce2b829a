/* Errors: one message, one exit code, whatever the number of ranks.
 *
 * Functions return a PetscErrorCode and are called through PetscCall.  A function that finds something wrong
 * returns mt_error(...), which records the message; callers hand the code up to main, which prints it once.
 */
#ifndef MAGTWIN_ERROR_H
#define MAGTWIN_ERROR_H

#include <petscsys.h>

/* Return codes of this library; PETSc's own are >= 55. */
enum {
  MT_ERR_FAIL = 1,  /* the computation could not be done: exit code 1 */
  MT_ERR_INPUT = 2, /* bad input, file or folder: exit code 2 */
  MT_ERR_DISK = 3,  /* the disk did not take what was written, it is full: exit code 1 */
};

/* Exit code of a run that stopped on a signal after writing a checkpoint: "submit me again" (EX_TEMPFAIL). */
enum { MT_EXIT_RESUBMIT = 75 };

/* Records the message (the first one recorded wins) and returns `code`.  Not collective. */
PetscErrorCode mt_error(PetscErrorCode code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* MT_ERR_DISK if this errno says that there is no room on a disk, or that the disk failed; else MT_ERR_INPUT: the path
 * is a bad one.  Not collective. */
PetscErrorCode mt_errno_code(int err);

/* Makes all ranks agree: if any rank comes with rc != 0, every rank returns the code of the lowest failing rank and
 * holds its message.  Call it after work that can fail on some ranks only.  Collective on comm. */
PetscErrorCode mt_agree(MPI_Comm comm, PetscErrorCode rc);

/* `rc` known on rank 0 only (work done there alone): the same on every rank afterwards.  Collective on comm. */
#define mt_agree_root(comm, rc) mt_agree((comm), (rc))

/* Prints the recorded message once and ends the program with the exit code that belongs to rc: finalizes when all
 * ranks agreed on the error, else aborts all ranks.  Returns the exit code in the agreed case.  Not collective. */
int mt_error_report(PetscErrorCode rc);

/* The recorded message ("" if none), and a way to forget it (after a recoverable error, and in tests). */
const char *mt_error_message(void);
void mt_error_clear(void);

/* Routes PETSc's own errors into the same record.  Collective; call once after PetscInitialize. */
PetscErrorCode mt_error_install(void);

/* HDF5 call that returns a negative number on failure. */
#define MT_H5(expr)                                                                                                    \
  do {                                                                                                                 \
    if ((long long)(expr) < 0) return mt_error(MT_ERR_FAIL, "HDF5: %s failed (%s:%d)", #expr, __FILE__, __LINE__);     \
  } while (0)

#endif
