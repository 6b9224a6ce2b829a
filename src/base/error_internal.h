/* Agreement for the errors of parallel files, inside base. */
#ifndef BASE_ERROR_INTERNAL_H
#define BASE_ERROR_INTERNAL_H

#include <petscsys.h>

/* mt_agree after a library's collective call that may fail on one rank and leave the others waiting inside: the failing
 * rank waits for them some time, then prints and aborts all.  Collective on comm. */
PetscErrorCode mt_agree_or_abort(MPI_Comm comm, PetscErrorCode rc);

#endif
