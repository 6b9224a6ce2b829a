/* What clang's static analyzer cannot see across files, put before each file it reads: the error calls hand back the
 * code they are given, so that what follows a PetscCall or an mt_agree has succeeded on this rank, too. */
#include "magtwin/error.h"
#include <petscsys.h>

#undef PetscCall
#undef PetscCallMPI
#define PetscCall(...)                                                                                                 \
  do {                                                                                                                 \
    PetscErrorCode modelled_code = (__VA_ARGS__);                                                                      \
    if (modelled_code) return modelled_code;                                                                           \
  } while (0)
#define PetscCallMPI(...)                                                                                              \
  do {                                                                                                                 \
    (void)(__VA_ARGS__); /* MPI ends the program itself */                                                             \
  } while (0)

static inline PetscErrorCode modelled_agree(MPI_Comm comm, PetscErrorCode rc) {
  PetscErrorCode agreed = mt_agree(comm, rc);
  return rc ? rc : agreed;
}
#define mt_agree(comm, rc) modelled_agree((comm), (rc))
#define mt_error(code, ...) (mt_error((code), __VA_ARGS__), (code))
