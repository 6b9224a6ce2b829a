/* The open file behind MtH5. */
#ifndef BASE_H5_INTERNAL_H
#define BASE_H5_INTERNAL_H

#include "magtwin/h5.h"

struct MtH5 {
  MPI_Comm comm;
  hid_t id;
  char *path;        /* owned; the final place */
  char *tmp;         /* owned; where it is written, NULL when open for reading */
  struct MtH5 *next; /* in the list of unfinished ones */
};

/* Agreed error for an HDF5 call on a file that is written (the disk) or read (damage); `what` names the dataset. */
PetscErrorCode mt_h5_failed(MtH5 *f, const char *what, bool failed);

/* Makes the groups above `name` that are missing; itself: and that one. */
void mt_h5_make_groups(MtH5 *f, const char *name, bool itself);

/* MT_ERR_DISK if the disk has no room for so many bytes: said before HDF5's collective calls, in which a full disk can
 * leave ranks waiting for each other.  Collective. */
PetscErrorCode mt_h5_room(MtH5 *f, const char *what, int64_t bytes);

#endif
