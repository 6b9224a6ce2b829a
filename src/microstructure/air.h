/* Private: the air around the magnet. */
#ifndef MAGTWIN_AIR_H
#define MAGTWIN_AIR_H

#include "gb_fill.h"
#include "gb_pockets.h"
#include "magtwin/input.h"

/* mesh.air.radius leaves room for a layer of tets, or there is no air.  MT_ERR_INPUT with the place.  Not collective.
 */
PetscErrorCode mt_air_check(const MtInput *in);

/* A triangle on a wall of the box, the region of the tet behind it. */
typedef struct {
  int64_t key[3], tri[3]; /* ascending; as the tet has them, outward */
  int32_t region;
} MtOuterFace;
/* All three nodes of the triangle lie on one wall of the box. */
bool mt_on_wall(const double *x, const double box[6], const int64_t *triangle);
/* Faces of tets, and of the nmore triangles of volumes that are not meshed yet, whose three nodes lie on one wall of
 * the box (NULL: whatever nodes they have); those that come once, sorted by key; *list from malloc. */
void mt_outer_faces(const MtTets *m, const double box[6], int nmore, const MtOuterFace *more, MtOuterFace **list,
                    int *n);

/* Appends the layer between the box with these n outer triangles and a larger one, of `layers` elements; over grain g
 * (region g < ngrains) it has the region first + g, over all else the region of what is below.  Not collective. */
PetscErrorCode mt_surface_layer(const double from[6], const double to[6], int layers, int ngrains, int32_t first, int n,
                                const MtOuterFace *face, MtTets *m);

/* What is known of a mesh of cells before its grains are filled: everything but these and the air. */
typedef struct {
  MtRegions regions;
  MtTets m;                              /* copies first, the phase, the surface layer */
  double magnet[6], sphere[4], air_size; /* as mt_mesh_bounds has them */
  int nface;
  MtOuterFace *face; /* towards the air, from malloc */
} MtSkin;
/* The same bits on every rank.  Not collective. */
PetscErrorCode mt_skin_make(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q,
                            const MtMeshOptions *opt, const MtPockets *p, MtSkin *skin);
void mt_skin_free(MtSkin *skin);

/* The room between the magnet's outer triangles and a sphere around them. */
typedef struct {
  double radius, size; /* of the sphere and of the edges there, nm */
  MtShell shell;       /* the sphere, then nface triangles of the magnet, seen from the air */
  int nface;
  int64_t *node; /* [shell.nx] node of the mesh of each point, -1: on the sphere */
  MtFill fill;   /* nt 0: not filled */
} MtAir;
/* The surface for these triangles of m around the sphere (centre, radius).  Not collective. */
PetscErrorCode mt_air_surface(const MtTets *m, int n, const MtOuterFace *face, const double sphere[4], double size,
                              MtAir *air);
/* MT_ERR_FAIL where Gmsh cannot.  Not collective. */
PetscErrorCode mt_air_fill(MtAir *air);
/* The filled air, with new nodes for those of the sphere, after m's.  Not collective. */
PetscErrorCode mt_air_append(const MtAir *air, int32_t region, MtTets *m);
void mt_air_free(MtAir *air);

#endif
