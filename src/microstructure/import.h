/* Finished meshes of other programs; private to this module. */
#ifndef MAGTWIN_IMPORT_H
#define MAGTWIN_IMPORT_H

#include "gb.h"
#include "magtwin/input.h"
#include "magtwin/json.h"

/* Tetrahedra of a file with a number for each of its volumes; arrays from malloc. */
typedef struct {
  MtTets m;    /* region: number of the volume */
  int n;       /* volumes */
  char **name; /* [n] of its first physical group, or "": it has none; owned */
} MtImported;
/* Whatever Gmsh opens (by the ending of the name), and .vtu with its volumes by `array` (NULL: to be found); nodes at
 * one place become one, tets get positive volume, lengths are multiplied by unit.  MT_ERR_INPUT where there are other
 * volume elements, or none.  Between mt_gmsh_begin and mt_gmsh_end.  Not collective. */
PetscErrorCode mt_import_gmsh(const char *path, const char *array, double unit, MtImported *f);
/* The tetrahedra of a .vtu file as volumes 1, 2, ... of Gmsh's model, and the names [n] of these, from malloc ("": it
 * has none), also after an error.  MT_ERR_INPUT with the line. */
bool mt_import_is_vtu(const char *path);
PetscErrorCode mt_import_vtu(const char *path, const char *array, int *n, char ***names);
void mt_import_free(MtImported *f); /* a zeroed struct is fine */

/* The regions of the volumes by their names: as magtwin writes them ("grain 3", "gb 3-7", ..., "air"); others are
 * grains, numbered as they come.  f->m.region becomes the region, the air the last; r has room for one more.  Grains
 * have no axes yet.
 * *air: there is air.  MT_ERR_INPUT.  Not collective. */
PetscErrorCode mt_import_regions(const char *path, MtImported *f, MtRegions *r, bool *air);

/* Source mesh of section grains.  Result on rank 0.  Collective. */
PetscErrorCode mt_mesh_import(MPI_Comm comm, const MtInput *in, MtMeshData *mesh, MtJson *json);

#endif
