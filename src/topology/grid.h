/* What the steps of persistent homology share; private to this module.
 *
 * Everything is computed on the order in which the pixels enter (their rank), in the vertex construction.  Top cells
 * are the dual of it: the same pixels in the opposite order, with a shell that enters before all of them. */
#ifndef TOPOLOGY_GRID_H
#define TOPOLOGY_GRID_H

#include "magtwin/topology.h"

#define MT_NOWHERE UINT32_MAX /* rank of places outside of the image */

/* The pixels with a border one place wide, which repeats the far side of a periodic axis. */
typedef struct {
  int dims;
  int n[3];           /* pixels, with the shell */
  int inner[3];       /* and without */
  int shell[3];       /* 1: begins with a shell of one pixel along this axis, entering first */
  bool wraps;         /* an axis is periodic */
  int from, to;       /* layers along the last axis whose lower stars are wanted: those of a slab, else all */
  uint32_t stride[3]; /* of places */
  uint32_t pixels;    /* n0 n1 n2 */
  uint32_t in_shell;  /* the first in_shell ranks are the shell's */
  uint32_t *rank;     /* [places] 0 .. pixels-1, MT_NOWHERE outside; owned */
  uint32_t *place;    /* [pixels] of each rank; owned */
} MtGrid;

/* Rank of every pixel: ascending values if up, else descending; equal ones by number. */
PetscErrorCode mt_grid_create(const MtCubical *image, bool up, bool shell, MtGrid *g);
/* The same for a slab of an image: layers along its last axis, which does not wrap, with those of the neighbours. */
typedef struct {
  int dims;                         /* of the image: a slab may be one layer */
  bool shell_low[3], shell_high[3]; /* a shell before and after each axis */
  int first;                        /* the layer that comes first among equal values; after the last one follows 0 */
  int from, to;                     /* the layers that are not neighbours', shell included */
} MtSlab;
PetscErrorCode mt_grid_create_slab(const MtCubical *image, bool up, const MtSlab *slab, MtGrid *g);
void mt_grid_free(MtGrid *g);
/* The order in which values enter as unsigned numbers, never 0 or UINT64_MAX; and back. */
uint64_t mt_entry_key(double value, bool up);
double mt_entry_value(uint64_t key, bool up);
/* Number of the pixel in the image; -1: of the shell. */
int64_t mt_grid_pixel(const MtGrid *g, uint32_t place);

/* A place of the border stands for one of the image. */
static inline uint32_t mt_grid_home(const MtGrid *g, uint32_t place) {
  return g->wraps ? g->place[g->rank[place]] : place;
}

/* Sorts keys ascending, keeping the order of equal ones; payload moves along (NULL: none).  Radix sort: time and 8 (or
 * 12) bytes a key. */
void mt_sort_keys(int64_t n, uint64_t *key, uint32_t *payload);

#endif
