/* Phase-field runs: `magtwin evolve`, a composition or an order parameter in time (phasefield.h). */
#ifndef MAGTWIN_EVOLVE_H
#define MAGTWIN_EVOLVE_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include "magtwin/phasefield.h"

extern const MtKey mt_evolve_keys[];        /* sections box, phasefield, evolve */
extern const MtKey mt_diffusion_keys[];     /* sections diffusion, temperature */
extern const MtKey mt_kks_keys[];           /* section kks */
extern const MtKey mt_grain_growth_keys[];  /* of phasefield, for grain growth */
extern const MtKey mt_grain_driving_keys[]; /* of phasefield.driving */
extern const MtKey mt_wetting_keys[];       /* section wetting */

/* The rules between the keys of those sections that are there: MT_ERR_INPUT with file:line:column.  To be called before
 * anything is written.  Not collective (the same on every rank). */
PetscErrorCode mt_evolve_check(const MtInput *in);

bool mt_evolve_from_labels(const MtInput *in); /* phasefield.initial=labels */
bool mt_evolve_on_box(const MtInput *in);      /* else on a mesh */

/* What a run takes from others; arrays are the caller's. */
typedef struct {
  const MtStartLabels *labels; /* of a start from labels; NULL: none */
  int ngrains;                 /* of phasefield.driving.state: */
  const double *energy;        /* [ngrains] J/m3 of each grain, NAN: not known */
} MtEvolveGiven;

/* The whole run, on the box of the input or, without one, on the mesh file at mesh_path (from labels without a mesh: on
 * a box with their voxels as cells).  evolve.csv, fields, checkpoint
 * and restart, results in json (objects "counts" and "results").  *stopped: ended on a signal after a checkpoint.
 * Where no time step can be made: a checkpoint and the fields of the last state, and MT_ERR_FAIL.  Collective. */
PetscErrorCode mt_evolve_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const MtEvolveGiven *given,
                             const char *folder, bool resume, MtJson *json, bool *stopped);

#endif
