/* Private: how the meshes of grains end, whichever way they were made. */
#ifndef MAGTWIN_MESH_END_H
#define MAGTWIN_MESH_END_H

#include "gb.h"
#include "magtwin/json.h"

/* The box with its surface layer, the sphere around it (radius 0: no air) and the edge length at the sphere, nm. */
void mt_mesh_bounds(const double box[6], const MtMeshOptions *opt, double magnet[6], double sphere[4],
                    double *air_size);
/* m's arrays become d's, with what was asked of them. */
void mt_mesh_take(MtTets *m, const MtMeshOptions *opt, MtMeshData *d);
/* The air around what fills the box (if the options want it), as the last region of d; then as mt_mesh_take.
 * MT_ERR_FAIL where Gmsh cannot fill it.  Not collective. */
PetscErrorCode mt_mesh_close(const double box[6], const MtMeshOptions *opt, MtTets *m, MtMeshData *d);
/* mt_mesh_improve, with its report.  Not collective. */
PetscErrorCode mt_mesh_better(const MtMeshOptions *opt, MtMeshData *d, MtJson *json);
/* Volumes of the regions; those without a tet (a junction that is flat on the wall, no air) go.  Not collective. */
PetscErrorCode mt_mesh_end_regions(MtMeshData *d);
/* A mesh with a tet of no or negative volume is no mesh, nor is one that does not fill the box just once: MT_ERR_FAIL.
 * Not collective. */
PetscErrorCode mt_mesh_refuse_broken(const MtMeshData *d);

#endif
