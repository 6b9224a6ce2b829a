/* The newest readable one of path and path.prev, as mt_h5_commit leaves them. */
#include "file.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static PetscErrorCode exists(MPI_Comm comm, const char *path, bool *yes) {
  int rank, found;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  found = rank == 0 && access(path, F_OK) == 0;
  PetscCallMPI(MPI_Bcast(&found, 1, MPI_INT, 0, comm));
  *yes = found;
  return 0;
}

/* Out of the way of the next file, which would keep it as .prev in place of the good one. */
static PetscErrorCode set_aside(MPI_Comm comm, const char *path) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  char *name = rank ? NULL : mt_file_join(path, ".damaged");
  if (name) rename(path, name);
  free(name);
  return 0;
}

static PetscErrorCode read_newest(MPI_Comm comm, const char *const path[2], MtH5Reader read, void *ctx, bool *found) {
  char damage[512] = "";
  for (int i = 0; i < 2; i++) {
    bool there = false, foreign = false;
    PetscCall(exists(comm, path[i], &there));
    if (!there) continue;
    PetscErrorCode rc = read(ctx, path[i], &foreign);
    if (rc && foreign) return rc;
    if (!rc) {
      *found = true;
      if (!damage[0]) return 0;
      mt_warn("%s; going on from %s", damage, path[i]);
      return set_aside(comm, path[0]);
    }
    snprintf(damage, sizeof damage, "%s", mt_error_message());
    mt_error_clear();
  }
  return damage[0] ? mt_error(MT_ERR_INPUT, "no usable checkpoint: %s; start anew with --force", damage) : 0;
}

PetscErrorCode mt_h5_read_newest(MPI_Comm comm, const char *path, MtH5Reader read, void *ctx, bool *found) {
  char *prev = mt_file_join(path, ".prev");
  const char *const both[2] = {path, prev};
  *found = false;
  PetscErrorCode rc = read_newest(comm, both, read, ctx, found);
  free(prev);
  return rc;
}
