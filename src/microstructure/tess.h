/* Tessellations as Neper writes them, format ***tess (https://neper.info/doc/fileformat.html); private to this module.
 * None is collective. */
#ifndef MAGTWIN_TESS_H
#define MAGTWIN_TESS_H

#include "magtwin/cells.h"
#include "magtwin/input.h"
#include "magtwin/json.h"

/* What of a file is used; arrays from malloc, numbers of vertices, faces and cells from 0. */
typedef struct {
  int ncells, nvertices, nfaces;
  double *x;       /* [3 nvertices] in the file's unit */
  int *face_start; /* [nfaces + 1] into face_vertex */
  int32_t *face_vertex;
  int *cell_start;     /* [ncells + 1] into cell_face */
  int32_t *cell_face;  /* face + 1, negative: its loop turns clockwise seen from outside the cell */
  double *orientation; /* [4 ncells] unit quaternions w, x, y, z, crystal -> sample; NULL: the file has none */
} MtTess;
/* A tessellation of three dimensions.  MT_ERR_INPUT with file:line.  Free it in any case. */
PetscErrorCode mt_tess_read(const char *path, MtTess *t);
void mt_tess_free(MtTess *t); /* a zeroed struct is fine */

/* Its cells, from the origin on, each unit of the file `unit` nm long (0: such that the spheres of the cells' volumes
 * have mean_size nm as mean diameter).  MT_ERR_INPUT where they do not fill a box along the axes. axis is set from the
 * orientations, or left zero where there are none. */
PetscErrorCode mt_tess_cells(const MtTess *t, const char *path, double unit, double mean_size, MtCells *c);

/* Source tess of section grains: the file of the input to cells, with axes drawn where it has none.  On every rank the
 * same; collective. */
PetscErrorCode mt_tess_grains(MPI_Comm comm, const MtInput *in, MtCells *c, MtJson *json);

#endif
