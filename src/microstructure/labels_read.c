/* Measured grains, whatever they were measured with. */
#include "measured.h"
#include <string.h>

PetscErrorCode mt_labels_read(MPI_Comm comm, const MtInput *in, MtLabels *l) {
  memset(l, 0, sizeof *l);
  const bool ebsd = !strcmp(mt_input_string(in, "grains.source"), "ebsd");
  PetscErrorCode rc = ebsd ? mt_ebsd_read(comm, in, l) : mt_volume_read(comm, in, l);
  if (rc) mt_labels_free(l);
  return rc;
}
