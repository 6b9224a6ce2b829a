/* Private: how the meshes of grains end, whichever way they were made. */
#ifndef MAGTWIN_MESH_END_H
#define MAGTWIN_MESH_END_H

#include "gb.h"
#include "magtwin/json.h"

/* The surface layer and the air around what fills the box (options: 0: none), as the last regions of d; m's arrays
 * become d's.  MT_ERR_FAIL where Gmsh cannot fill the air.  Not collective. */
PetscErrorCode mt_mesh_close(const double box[6], int ngrains, const MtMeshOptions *opt, MtTets *m, MtMeshData *d);
/* mt_mesh_improve, with its report.  Not collective. */
PetscErrorCode mt_mesh_better(const MtMeshOptions *opt, MtMeshData *d, MtJson *json);
/* Volumes of the regions; those without a tet (a junction that is flat on the wall, no air) go.  Not collective. */
PetscErrorCode mt_mesh_end_regions(MtMeshData *d);
/* A mesh with a tet of no or negative volume is no mesh, nor is one that does not fill the box just once: MT_ERR_FAIL.
 * Not collective. */
PetscErrorCode mt_mesh_refuse_broken(const MtMeshData *d);

#endif
