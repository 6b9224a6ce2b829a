/* A folder for what a test writes: made by rank 0, known to all. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include <petscsys.h>
#include <stdlib.h>

/* name: "/tmp/magtwin_<what>_XXXXXX", changed in place.  0, or -1 if there is no folder.  Collective. */
static inline int folder_make(char name[64], int *rank) {
  MPI_Comm_rank(PETSC_COMM_WORLD, rank);
  int good = *rank || mkdtemp(name);
  if (MPI_Bcast(name, 64, MPI_CHAR, 0, PETSC_COMM_WORLD) || MPI_Bcast(&good, 1, MPI_INT, 0, PETSC_COMM_WORLD))
    return -1;
  return good ? 0 : -1;
}

#endif
