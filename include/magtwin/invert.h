/* Parameters from observations: `magtwin invert`, the free energy, mobility and gradient energy of a phase field from
 * snapshots of it. */
#ifndef MAGTWIN_INVERT_H
#define MAGTWIN_INVERT_H

#include "magtwin/input.h"
#include "magtwin/json.h"

extern const MtKey mt_invert_keys[]; /* section invert */

/* The rules between its keys, and with those of phasefield, where it is there: MT_ERR_INPUT with file:line:column.  Not
 * collective (the same on every rank). */
PetscErrorCode mt_invert_check(const MtInput *in);

/* The whole estimate, on the box of the input or on the mesh file at mesh_path: invert.csv, parameters.csv,
 * snapshots.h5, checkpoint and restart, results in json.  *stopped: ended on a signal after a checkpoint.
 * Collective. */
PetscErrorCode mt_invert_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder, bool resume,
                             MtJson *json, bool *stopped);

#endif
