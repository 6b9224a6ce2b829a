/* Steps of writing a file safely, shared inside base.  None is collective. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <petscsys.h>

char *mt_file_join(const char *a, const char *b); /* malloc'ed a + b */
/* mt_errno_code(err), "cannot <what> <path>: <reason of err>", with the free space when that is the reason. */
PetscErrorCode mt_file_failed(const char *path, const char *what, int err);
PetscErrorCode mt_file_sync(const char *path);                    /* file or folder, to the disk */
PetscErrorCode mt_file_replace(const char *from, const char *to); /* rename and sync of the folder */

#endif
