/* The files of a stack, in the order of the slices; private to this module. */
#ifndef TOMOGRAPHY_STACK_FILES_H
#define TOMOGRAPHY_STACK_FILES_H

#include "magtwin/input.h"

/* Slice k lies in file path[file[k]], page page[k]; file[k] -1: there is no file with its number. */
typedef struct {
  int nz, nfiles;
  char **path; /* [nfiles] into text; owned */
  char *text;  /* owned */
  int *file, *page;
  char **lost_name; /* [nz] of the file that should be there, where file[k] is -1; owned, each too */
} MtSlices;

/* The files that match stack.files, the same on every rank: sorted by number, or the pages of one file.  MT_ERR_INPUT:
 * no file, two with one number, a missing number unless stack.missing allows it.  Collective. */
PetscErrorCode mt_slices_find(MPI_Comm comm, const MtInput *in, MtSlices *s);
void mt_slices_free(MtSlices *s);
/* "file" or "file, page 3" for messages; returns buf. */
const char *mt_slices_name(const MtSlices *s, int k, char buf[300]);

#endif
