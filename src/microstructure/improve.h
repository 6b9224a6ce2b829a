/* Private: the finished mesh improved by moving its nodes and by swaps inside one grain or the air (improve_*.c). */
#ifndef MAGTWIN_IMPROVE_H
#define MAGTWIN_IMPROVE_H

#include "magtwin/json.h"
#include "magtwin/mesh.h"

typedef struct {
  int64_t below_before[3], below_after[3]; /* tets of gamma under 0.05, 0.10, 0.15 */
  int64_t inverted_before, inverted_after;
  double gamma_before, gamma_after; /* least */
  int64_t moved;                    /* nodes */
  int64_t surface_moved;            /* of them off the plane of a grain's surface */
  int64_t swaps;                    /* edges and faces replaced */
  double largest, largest_normal;   /* movement, and that off a grain's surface, nm */
  double thickness_change;          /* relative change of the mean thickness of the GB phase */
} MtImproved;

/* Raises the worst radius ratios of m by moving nodes and swapping; region volumes of m are not updated.  Nodes of the
 * outer boundary and of the magnet's walls stay in it, corners where they are; those of a grain's surface slide in its
 * plane, or leave it by little (improve_freedom.c).  layers: of tets across the GB phase.  MT_ERR_FAIL without memory.
 * Deterministic; not collective. */
PetscErrorCode mt_mesh_improve(MtMeshData *m, int layers, MtImproved *done);
/* On the log and as object "improvement". */
void mt_improve_write(const MtImproved *done, MtJson *json);

/* ---- shared by improve_*.c */

typedef struct {
  MtMeshData *m;
  double *x0;              /* [3nv] where the nodes were */
  int32_t *group;          /* [nregions] grain: its region; GB phase, triple lines, junctions: -1; air: -2 */
  int64_t *start, *list;   /* tets of each node, ascending */
  int64_t nsuspects, room; /* tets that may be below a level; -1: not known */
  int64_t *suspects;
  char *suspected;        /* [nt] */
  int layers;             /* of tets across the GB phase */
  double layer;           /* nm, asked thickness of one layer, its mean; 0: no GB phase */
  double volume, contact; /* of the GB phase now, and the area with which it touches grains: nm3, nm2 */
  double thickness0;      /* 2 volume / contact at first */
  int64_t swaps;
  double angle; /* of the shape: weight of the sine of the least dihedral angle, or of the largest if that is less; 0:
                   the radius ratio is all */
  double scale; /* of the radius ratio's part in the shape where an angle counts */
  double least_ratio; /* gamma that must be left for the sake of an angle; 0: as much as the level */
  double off_part;    /* of a layer's thickness: how far a loose node may leave the plane of a grain's surface */
  double height_part; /* allowed change of the height of a layer's tet over a grain, of what it was */
} MtImprove;

PetscErrorCode mt_improve_lists(MtImprove *w); /* anew from m; frees the old ones */
/* The tets around node v have changed. */
void mt_improve_suspect(MtImprove *w, int64_t v);
/* Asked thickness of one layer of a region of kind gb, nm. */
double mt_improve_layer(const MtImprove *w, int32_t region);
void mt_improve_corners(const MtImprove *w, int64_t t, double y[4][3]);
/* Square root of gamma, with the sign: its slope does not vanish where a tet is flat.  Where an angle counts, too, the
 * least of the two, each with its weight, if gamma is below 0.35; above, all sines are more than that of 9 degrees. */
double mt_improve_shape(const MtImprove *w, int64_t t);
double mt_improve_shape_of(const MtImprove *w, const double y[4][3]);
/* The tet behind the face opposite to corner k; -1: none. */
int64_t mt_improve_behind(const MtImprove *w, int64_t t, int k);
/* Bit k: the face opposite to corner k of tet t, which is between two grains, lies on a grain. */
unsigned mt_improve_contact(const MtImprove *w, int64_t t);

/* Where a node may go. */
typedef struct {
  int n;          /* directions, 0: nowhere */
  double d[3][3]; /* orthonormal; a wall's coordinate is exactly 0 */
  int nnormal;    /* normals of grain surfaces, orthonormal */
  double normal[3][3];
  double layer; /* nm, asked thickness of one layer of the thinnest boundary around */
} MtFreedom;
/* loose: also off the surface of a grain. */
void mt_improve_freedom(const MtImprove *w, int64_t v, bool loose, MtFreedom *f);
/* False when a loose node is too far off its surface. */
bool mt_improve_near(const MtImprove *w, int64_t v, const MtFreedom *f);

/* The tets around some nodes, and what they were. */
enum { MT_PATCH_MAX = 1500 };
typedef struct {
  int n;
  int64_t tet[MT_PATCH_MAX];
  double shape[MT_PATCH_MAX];
  double ratio[MT_PATCH_MAX]; /* shape without the angles: kept, as far as it is below the level */
  unsigned char contact[MT_PATCH_MAX];
  double volume, contact_area, level;
} MtPatch;
/* level: shape that no tet of the patch may be pushed below.  False if there are too many tets. */
bool mt_patch_make(const MtImprove *w, int n, const int64_t *node, double level, MtPatch *p);
/* Least shape now; -INFINITY where it is forbidden, or not above `floor`. */
double mt_patch_value(const MtImprove *w, const MtPatch *p, double floor);
/* Volume and contact area of the GB phase in the patch now. */
void mt_patch_layer(const MtImprove *w, const MtPatch *p, double *volume, double *contact);

/* Each moves the nodes of tet t so that the worst tet of their patch is better; true when something moved. */
bool mt_improve_nodes(MtImprove *w, int64_t t, double level, bool loose, MtPatch *scratch);
bool mt_improve_together(MtImprove *w, int64_t t, double level, bool loose, int rings, MtPatch *scratch);

/* Replaces an edge or a face of the tets listed (ascending gamma), where that raises the least shape; the lists are
 * made anew.  *count: how many. */
PetscErrorCode mt_improve_swap(MtImprove *w, int64_t n, const int64_t *tet, int64_t *count);

#endif
