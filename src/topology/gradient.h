/* The discrete gradient field of a grid and its critical cells; private to this module. */
#ifndef TOPOLOGY_GRADIENT_H
#define TOPOLOGY_GRADIENT_H

#include "grid.h"
#include "star.h"

/* Cells with the rank of the pixel they enter with: rank << 8 | edge or square. */
typedef struct {
  int64_t n, room;
  uint64_t *cell; /* owned */
} MtCells;

typedef struct {
  const MtGrid *grid;
  MtStars *stars;
  uint16_t *type;  /* [places] of the lower star of each pixel; owned */
  MtCells edges;   /* critical, ascending */
  MtCells squares; /* critical, ascending; in two dimensions not listed */
} MtGradient;

void mt_gradient_create(const MtGrid *g, MtGradient *f);
void mt_gradient_free(MtGradient *f);
void mt_cells_add(MtCells *c, uint64_t cell);
void mt_cells_clear(MtCells *c);

static inline const MtStar *mt_star_at(const MtGradient *f, uint32_t place) {
  return mt_stars_table(f->stars) + f->type[place];
}
/* The place one step from another in direction (edge) e; of the border where the image ends or wraps. */
static inline uint32_t mt_step(const MtGrid *g, uint32_t place, int e) {
  return e & 1 ? place + g->stride[e >> 1] : place - g->stride[e >> 1];
}

/* Forests as parents of places; a place of the border stands for all that is not in the image.  merge.c */
enum { MT_OUTSIDE = 0 };
uint32_t mt_find(uint32_t *parent, uint32_t a);
/* Of a pixel its way down, of the top cells that enter with it (by their lowest corners) their ways up. */
void mt_point_down(const MtGradient *f, uint32_t place, uint32_t *parent);
void mt_point_up(const MtGradient *f, uint32_t place, uint32_t *parent);
/* The top cells on both sides of a facet of a pixel; the pixel with which a top cell enters. */
void mt_sides(const MtGrid *g, uint32_t place, int facet, uint32_t side[2]);
uint32_t mt_top_last(const MtGrid *g, uint32_t top);

/* Pairs of cells (rank of birth << 32 | rank of death) of one dimension. */
typedef MtCells MtRanks;

/* Dimension 0: pairs, and the critical edges that end no component -> loops (in ascending order).  merge.c */
void mt_merge_minima(const MtGradient *f, MtRanks *pairs, MtCells *loops);
/* Dimension dims-1: pairs, and those of the critical facets (squares or, in two dimensions, edges) that begin no void
 * -> rest (ascending).  merge.c */
void mt_merge_maxima(const MtGradient *f, const MtCells *facets, MtRanks *pairs, MtCells *rest);
/* Dimension 1 of volumes: pairs of loops with squares; loops and squares that have no partner (periodic axes only) stay
 * in lists of their own.  columns: unless NULL, those of the pairs, the caller's.  reduce.c */
struct MtColumns;
void mt_reduce(const MtGradient *f, const MtCells *loops, const MtCells *squares, MtRanks *pairs, MtCells *loops_left,
               MtCells *squares_left, struct MtColumns *columns);

#endif
