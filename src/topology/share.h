/* One image shared by ranks, in slabs along its last axis; private to this module.
 *
 * Pixels that have critical cells are numbered over all ranks in the order in which they enter (their index); a cell is
 * index << 8 | edge or square.  All functions are collective on the slab's communicator. */
#ifndef TOPOLOGY_SHARE_H
#define TOPOLOGY_SHARE_H

#include "gradient.h"
#include "post.h"

typedef struct {
  MPI_Comm comm;
  int rank, ranks;
  const MtCubical *whole; /* the caller's; without values */
  bool up;                /* the order in which values enter */
  int64_t n[3];           /* pixels of the whole, with the shell */
  int64_t first;          /* layer of the whole, with the shell, that is the first of this rank's own */
  int layers;             /* own ones */
  int low, high;          /* ranks of the neighbours, -1: none */
  double *value;          /* of the slab, with the neighbours' layers; owned */
  uint8_t *hidden;        /* its holes; NULL: it has none; owned */
  MtCubical slab;
  MtGrid grid;
  MtGradient f;
  uint32_t own_from, own_to; /* places of the own layers */
  int64_t ncritical;
  uint32_t *critical; /* [ncritical] local ranks, ascending; owned */
  int64_t *index;     /* [ncritical] owned */
  int64_t *bucket;    /* [ranks + 1] indices whose keys a rank keeps; owned */
  uint64_t *key;      /* of the own bucket: how the value enters, 0: the shell; owned */
  int64_t *number;    /* and the pixel of the whole, with the shell; owned */
} MtShare;

/* Reads the layers and computes the gradient field.  share_slab.c */
PetscErrorCode mt_share_create(MPI_Comm comm, const MtCubical *whole, MtLayers read, void *context, MtShare *s);
void mt_share_free(MtShare *s);
/* Keys of holes: of vertices they enter last, of the dual of top cells behind the shell, which has key 0.  No number
 * has them. */
#define MT_HOLE(top_cells) ((top_cells) ? UINT64_C(1) : UINT64_MAX)
/* Numbers the pixels with critical cells.  share_order.c */
PetscErrorCode mt_share_order(MtShare *s);
/* Index of an own pixel by its local rank.  Not collective. */
int64_t mt_share_index(const MtShare *s, uint32_t rank);
int mt_share_keeper(const MtShare *s, int64_t index); /* rank whose bucket has it; not collective */

/* First place of a layer of the slab; places of a layer.  Not collective. */
static inline uint32_t mt_share_layer(const MtShare *s, int layer) {
  return ((uint32_t)layer + 1) * s->grid.stride[s->grid.dims - 1];
}
/* Is there a pixel at this place of the slab, and is it not a copy around a periodic axis?  Not collective. */
static inline bool mt_share_pixel(const MtShare *s, uint32_t place) {
  return s->grid.rank[place] != MT_NOWHERE && mt_grid_home(&s->grid, place) == place;
}
static inline bool mt_share_own(const MtShare *s, uint32_t place) {
  return place >= s->own_from && place < s->own_to;
}

/* Where the ways down (or up) of the forest end: own pixels, or pixels of other ranks. */
typedef struct {
  int64_t index;
  int32_t owner;
  int32_t known; /* 0: not yet; -1: not this rank's to say */
} MtEnd;
typedef struct {
  const MtShare *s;
  bool tops;        /* top cells up, else pixels down */
  uint32_t *parent; /* [places] owned */
  MtEnd *end[2];    /* of the layers at the low and the high neighbour that others' ways lead through; owned */
} MtForest;
PetscErrorCode mt_forest_create(const MtShare *s, bool tops, MtForest *f);
void mt_forest_free(MtForest *f);
/* The end of the way from a place.  index -1: outside of the image.  Not collective. */
MtEnd mt_forest_end(const MtForest *f, uint32_t place);

/* An edge of the graph of ends: of two that it joins the one with the larger number is the younger. */
typedef struct {
  uint64_t key; /* they come in ascending order */
  int64_t end[2];
  int32_t owner; /* rank that has the cell */
} MtJoin;
typedef struct {
  int64_t end;
  int32_t low, high; /* lowest and highest rank whose edges have it */
} MtSpan;
typedef struct {
  int64_t n, room;
  void *item; /* owned */
} MtItems;
void *mt_items_add(MtItems *l, size_t bytes); /* a place for one more */
void mt_items_free(MtItems *l);

/* Merges components along the edges of all ranks (list of MtJoin, used up; spans: list of MtSpan of all ends that other
 * ranks' edges have, used up).  Pairs that were found here: MtJoin with end[0] the younger.  Edges that close a cycle
 * come back to their owners, ascending.  share_merge.c */
PetscErrorCode mt_share_merge(const MtShare *s, MtItems *joins, MtItems *spans, MtItems *pairs, MtCells *cycles);

/* Pairs by index: birth << 32 | death, death UINT32_MAX: never. */
typedef MtCells MtIndexPairs;
/* Boundaries of squares in terms of critical edges of the list loops, followed from slab to slab.  column: for each
 * square its edges by index, descending, ended by UINT64_MAX, one after the other.  share_flow.c */
PetscErrorCode mt_share_flow(const MtShare *s, const MtCells *loops, const MtCells *squares, MtCells *column);
/* Reduces them, squares ascending on each rank; also edges and squares (by index) that stay alone.  share_reduce.c */
PetscErrorCode mt_share_reduce(const MtShare *s, const MtCells *loops, const MtCells *squares, const MtCells *column,
                               MtIndexPairs *pairs, MtIndexPairs *loops_left, MtIndexPairs *squares_left);

#endif
