/* Private to the mesher of grains with a GB phase: the surface mesh of the cell complex, its topology, the copies of
 * surface nodes that belong to grains, and the growing list of tetrahedra.  Order of work: faces_* (surface),
 * gb_topology, gb_offset (copies), gb_layers (tets of the GB phase), fill_* (grains), air_* (shell), gb_mesh (all). */
#ifndef MAGTWIN_GB_H
#define MAGTWIN_GB_H

#include "magtwin/microstructure.h"

struct MtPockets;
#define MT_GB_MAX_RING 32 /* corners of the polygon of copies around an edge, or on a wall around a vertex */

/* Surface mesh of a cell complex; replicated, the same bits on every rank. */
typedef struct {
  int nv, nt;
  double *x;           /* [3nv] nm; the vertices of the complex come first, with their numbers */
  int8_t *dim;         /* [nv] 0: vertex, 1: on an edge, 2: on a face */
  int32_t *entity;     /* [nv] number of that vertex, edge or face */
  int32_t *edge_start; /* [nedges+1] into edge_node */
  int32_t *edge_node;  /* nodes along each edge, ends included, from its first to its second vertex */
  int32_t *face_start; /* [nfaces+1] triangles of each face */
  int32_t *tri;        /* [3nt] counterclockwise seen from the face's second side */
  int32_t *slot_start; /* [nfaces+1] nodes of each face, one slot for each node in each face that holds it */
  int32_t *slot_node;
  double *slot_normal; /* [3 slots] unit, from the first side to the second */
  int32_t *node_start; /* [nv+1] into node_slot: the slots of each node, by ascending face */
  int32_t *node_slot;
  int32_t *slot_face;
} MtSurface;

/* Around every edge the grains in cyclic order, around every vertex its edges. */
typedef struct {
  int32_t *ring_start; /* [nedges+1] */
  int32_t *ring;       /* grains counterclockwise about first -> second vertex; open fans from wall to wall */
  int8_t *ring_corner; /* [nedges] 1: the fan ends on two walls, so that the box edge itself closes the polygon */
  int32_t *vertex_edge_start, *vertex_edge; /* [nvertices+1] */
  int8_t *vertex_corner;                    /* [nvertices] 1: the point itself is a corner of the GB phase there */
} MtTopology;

/* One copy of a surface node for each grain that meets there (grain -1: the node itself, on box edges and corners);
 * grains that touch there through boundaries without phase have one together. */
typedef struct {
  int32_t *start; /* [nv+1] grains at each node, ascending, -1 last */
  int32_t *grain; /* [start[nv]] */
  int32_t *copy;  /* [start[nv]] the copy of each */
  int n;
  int32_t *first_copy; /* [nv+1] copies of each node */
  int32_t *node;       /* [n] */
  double *x;           /* [3n] */
  double *full;        /* [3n] where mt_copies_place puts them for the whole thickness */
  double *scale;       /* [nv] 1: full thickness, smaller where the layer was thinned */
  double nominal;      /* nm, of the phase on the whole; 0: none */
  double *asked;       /* [nfaces] nm, its thickness at each face; 0: walls */
  int32_t *first;      /* [nedges] corner of the ring from which its polygon is cut into triangles */
  double *bulge;       /* [n] nm, set back by this more, for a pocket; NULL: no pockets */
  int32_t *pocket;     /* [n] the pocket a copy belongs to most, -1: none */
  int nblended;        /* vertices whose copies were moved off the exact thickness for the junction's shape */
} MtCopies;

/* A point between copies: the mean of corners [ascending, -1: none] with weights that add up to the number of layers.
 */
typedef struct {
  int64_t corner[4];
  int32_t weight[4];
} MtLatticePoint;

/* Growing mesh: corner points first (copies), then centres, lattice points, inner points. */
typedef struct {
  int64_t nv, nt, cap_v, cap_t;
  double *x;
  bool track;           /* set before the layers are made: keep `from` */
  MtLatticePoint *from; /* [nv] what a point lies between; NULL unless tracked, corner[0] = -1: nothing */
  int64_t *tet;
  int32_t *region;
} MtTets;

/* Closed triangulated surfaces to be filled; the result holds the inner points and tets over surface + inner points. */
typedef struct {
  int nx, nt;   /* points and triangles */
  double *x;    /* [3nx] */
  int32_t *tri; /* [3nt] outward; all of one volume */
} MtShell;
typedef struct {
  int nx, nt;   /* inner points and tets */
  double *x;    /* [3nx] inner points */
  int32_t *tet; /* [4nt] points 0..shell.nx-1 on the surface, then the inner ones */
} MtFill;

PetscErrorCode mt_surface_make(MPI_Comm comm, const MtCells *c, double size, MtSurface *s);
void mt_surface_free(MtSurface *s);
/* One face in its plane: n boundary points in a loop, xy [2n]; inner points and triangles come malloc'ed.  Gmsh must be
 * on. */
PetscErrorCode mt_face_mesh(int n, const double *xy, double size, int *ninner, double **inner, int *ntri,
                            int32_t **tri);

PetscErrorCode mt_topology_make(const MtCells *c, MtTopology *t);
void mt_topology_free(MtTopology *t);
/* Copies of the polygon's corners on wall `wall` (0..5) around vertex v, counterclockwise seen from outside; returns
 * count. */
int mt_topology_wall_ring(const MtCells *c, const MtTopology *t, int v, int wall, int32_t grains[MT_GB_MAX_RING]);

/* The pocket of these copies (-1: none of them) that cuts deepest, -1: none. */
int32_t mt_copies_pocket(const MtCopies *q, int n, const int64_t *copy);
/* Copies for a phase of this thickness (nm; 0: none), or of c->thickness.  Same bits on every rank; not collective. */
PetscErrorCode mt_copies_alloc(const MtCells *c, const MtSurface *s, const MtTopology *t, double thickness,
                               MtCopies *q);
/* Sets x and full; scale must hold values. */
PetscErrorCode mt_copies_place(const MtCells *c, const MtSurface *s, const MtTopology *t, MtCopies *q);
/* Largest thickness asked at the boundaries around a node, nm; the nominal one where there is none. */
double mt_copies_asked(const MtSurface *s, const MtCopies *q, int32_t node);
void mt_copies_free(MtCopies *q);
int32_t mt_copies_find(const MtCopies *q, int32_t node, int32_t grain);
/* The copy stands on side 0 or 1 of face f, seen from its node: -1 on neither, 2 on both. */
int mt_copies_side(const MtCells *c, const MtCopies *q, int32_t copy, int f);
/* By how much it is set back from face f at full scale, nm. */
static inline double mt_copies_inset(const MtCopies *q, int32_t copy, int f) {
  return q->asked[f] / 2 + (q->bulge ? q->bulge[copy] : 0);
}
/* The first grain of a copy, -1: none. */
int32_t mt_copies_grain(const MtCopies *q, int32_t copy);
double mt_triangle_gamma(const double a[3], const double b[3], const double c[3]);

/* Junction at vertex v: tets over copies (4 each, positive) and, when *center, the point `q->n` with position x.
 * Returns the number of tets; *gamma the smallest radius ratio (1 when there are none). */
int mt_junction_star(const MtCells *c, const MtTopology *t, const MtCopies *q, int v, int32_t (*tet)[4], bool *center,
                     double x[3], double *gamma);
#define MT_GB_MAX_STAR 128

/* A table with room for so many regions, and a region of n grains more; number < 0: not part of its name. */
void mt_regions_alloc(int room, MtRegions *r);
int32_t mt_regions_add(MtRegions *r, MtRegionKind kind, int n, const int32_t *grains, int number);
/* All tets of the GB phase, with regions numbered as mt_gb_regions does. */
/* One of each pocket from *pocket on (none: NULL); the last are one `surface` region a grain, if wanted, and air. */
PetscErrorCode mt_gb_regions(const MtCells *c, const MtTopology *t, bool split, bool surface,
                             const struct MtPockets *pockets, MtRegions *r, int32_t **face_region,
                             int32_t **edge_region, int32_t **vertex_region, int32_t *pocket);
PetscErrorCode mt_gb_layers(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q, int layers,
                            const int32_t *face_region, const int32_t *edge_region, const int32_t *vertex_region,
                            int32_t pocket, MtTets *m);

PetscErrorCode mt_tets_reserve(MtTets *m, int64_t nv, int64_t nt);
void mt_tets_free(MtTets *m);

void mt_gmsh_begin(void);
void mt_gmsh_end(void);
/* Of the library that runs ("4.8.4"); begins and ends by itself. */
void mt_gmsh_version(char text[32]);
/* Fills one closed shell (or, with a hole, the room between two); false when Gmsh could not.  Not collective. */
/* Edges that grow from the surface of a convex grain into it: size + growth times the distance, at most inner. */
typedef struct {
  double size, inner, growth; /* nm, nm, 1 */
  int nplanes;
  double *plane; /* [4 nplanes] unit inward normal n and n.x at the plane; PetscMalloc */
} MtGrading;
/* grading NULL: even. */
bool mt_fill_shell(const MtShell *s, int nhole, double size, const MtGrading *grading, MtFill *f);
void mt_fill_free(MtFill *f);
void mt_shell_free(MtShell *s);

#endif
