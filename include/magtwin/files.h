/* Files by a pattern. */
#ifndef MAGTWIN_FILES_H
#define MAGTWIN_FILES_H

#include <petscsys.h>

typedef struct {
  int n;
  char **path; /* [n] owned */
  char *text;  /* storage of the paths; owned */
} MtFiles;

/* The files that match a shell pattern, sorted with numbers by value ("s9" before "s10"), the same on every rank; none
 * is no error.  Free with mt_files_free.  Collective. */
PetscErrorCode mt_files_find(MPI_Comm comm, const char *pattern, MtFiles *f);
/* A zeroed struct is fine.  Not collective. */
void mt_files_free(MtFiles *f);
int mt_files_compare(const char *a, const char *b); /* that order */

#endif
