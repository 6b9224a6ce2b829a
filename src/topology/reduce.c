/* Dimension 1 of a volume: the boundary of each critical square, followed down the gradient field to critical edges
 * from the last one on, until one is met that no earlier square has taken.  Columns are kept as they are when they end,
 * as pixels with a bit for each edge that enters with them. */
#include "cycles.h"
#include "gradient.h"
#include "heap.h"
#include "magtwin/memory.h"
#include <string.h>

enum { QUEUED = 1 << 7 }; /* in a pixel's byte beside its six edges: it is in the heap */

typedef struct {
  int64_t n, room;
  uint32_t *place; /* owned */
  uint8_t *edges;  /* owned */
} Chains;          /* columns one after the other */

typedef struct {
  const MtGradient *f;
  const MtGrid *g;
  const MtStar *table;
  uint8_t *edges; /* [places] the chain at work */
  MtHeap heap;    /* its pixels, the last one first: rank << 32 | place */
  uint64_t slots; /* power of two; critical edges that are loops: cell + 1, 0: empty */
  uint64_t *loop;
  int64_t *column; /* [slots] start of the column with this last edge, -1: none */
  Chains kept;
} Work;

static void add_edges(Work *w, uint32_t place, uint8_t edges) {
  w->edges[place] ^= edges;
  if (w->edges[place] & QUEUED) return;
  w->edges[place] |= QUEUED;
  mt_heap_push(&w->heap, (uint64_t)w->g->rank[place] << 32 | place);
}

/* The edge from a place in direction e, unless it is paired with a pixel: those end there. */
static void add_edge(Work *w, uint32_t from, int e) {
  const MtGrid *g = w->g;
  const uint32_t to = mt_step(g, from, e), rank = g->rank[to];
  if (rank > g->rank[from]) {
    from = to;
    e ^= 1;
  }
  from = mt_grid_home(g, from);
  if (w->table[w->f->type[from]].down != e) add_edges(w, from, (uint8_t)(1U << e));
}

/* The two edges of a square of this pixel that do not touch it. */
static void add_far_edges(Work *w, uint32_t place, int s) {
  const int a = mt_square_edge_a(s), b = mt_square_edge_b(s);
  add_edge(w, mt_step(w->g, place, a), b);
  add_edge(w, mt_step(w->g, place, b), a);
}

static uint64_t slot_of(const Work *w, uint64_t cell) {
  uint64_t at = cell * UINT64_C(0x9e3779b97f4a7c15) >> 20 & (w->slots - 1);
  while (w->loop[at] && w->loop[at] != cell + 1) at = (at + 1) & (w->slots - 1);
  return at;
}

static void keep(Work *w, uint32_t place, uint8_t edges) {
  Chains *k = &w->kept;
  if (k->n == k->room) {
    k->room = k->room ? k->room + k->room / 2 : 65536;
    k->place = mt_realloc(k->place, (size_t)k->room * sizeof *k->place);
    k->edges = mt_realloc(k->edges, (size_t)k->room * sizeof *k->edges);
  }
  k->place[k->n] = place;
  k->edges[k->n++] = edges;
}

/* A column begins with its last edge's pixel and ends with a place 0.  What is left of the work becomes one. */
static int64_t keep_column(Work *w, uint32_t place, uint8_t edges) {
  const int64_t start = w->kept.n;
  keep(w, place, edges);
  for (int64_t i = 0; i < w->heap.n; i++) {
    const uint32_t p = (uint32_t)w->heap.item[i];
    if (w->edges[p] & ~QUEUED) keep(w, p, w->edges[p] & (uint8_t)~QUEUED);
    w->edges[p] = 0;
  }
  w->heap.n = 0;
  keep(w, 0, 0);
  return start;
}

/* Adds a column to the chain; its part at the pixel at work is returned. */
static uint8_t add_column(Work *w, int64_t start) {
  const Chains *k = &w->kept;
  for (int64_t i = start + 1; k->place[i]; i++) add_edges(w, k->place[i], k->edges[i]);
  return k->edges[start];
}

/* Follows the edges of one pixel to its critical edges, the rest to pixels below. */
static uint8_t follow(Work *w, uint32_t place, unsigned edges) {
  const MtStar *t = w->table + w->f->type[place];
  unsigned squares = 0, rest = 0;
  for (int e = 0; edges; e++, edges >>= 1)
    if (edges & 1) {
      squares ^= t->flow[e];
      rest ^= t->rest[e];
    }
  for (int s = 0; squares; s++, squares >>= 1)
    if (squares & 1) add_far_edges(w, place, s);
  return (uint8_t)rest;
}

/* Goes through the critical edges of a pixel from the last; true when one takes the chain. */
static bool settle(Work *w, uint32_t place, uint32_t rank, uint8_t rest, uint64_t *taken) {
  for (int e = MT_EDGES - 1; e >= 0; e--) {
    if (!(rest >> e & 1)) continue;
    const uint64_t cell = (uint64_t)rank << 8 | (unsigned)e, slot = slot_of(w, cell);
    if (!w->loop[slot]) {
      rest ^= (uint8_t)(1U << e);
    } else if (w->column[slot] < 0) {
      w->column[slot] = keep_column(w, place, rest);
      *taken = cell;
      return true;
    } else {
      rest ^= add_column(w, w->column[slot]);
    }
  }
  return false;
}

/* Reduces the boundary of a square; false: nothing is left of it. */
static bool reduce(Work *w, uint64_t cell, uint64_t *taken) {
  const uint32_t start = w->g->place[cell >> 8];
  const int s = (int)(cell & 0xff);
  add_edges(w, start, (uint8_t)(1U << mt_square_edge_a(s) | 1U << mt_square_edge_b(s)));
  add_far_edges(w, start, s);
  while (w->heap.n) {
    const uint64_t item = mt_heap_pop(&w->heap);
    const uint32_t place = (uint32_t)item;
    const unsigned edges = w->edges[place] & (unsigned)~QUEUED;
    w->edges[place] = 0;
    const uint8_t rest = edges ? follow(w, place, edges) : 0;
    if (rest && settle(w, place, (uint32_t)(item >> 32), rest, taken)) return true;
  }
  return false;
}

static void list_loops(Work *w, const MtCells *loops) {
  for (w->slots = 16; w->slots < 2 * (uint64_t)loops->n; w->slots *= 2) {}
  w->loop = mt_calloc(w->slots, sizeof *w->loop);
  w->column = mt_malloc(w->slots * sizeof *w->column);
  memset(w->column, 0xff, w->slots * sizeof *w->column);
  for (int64_t i = 0; i < loops->n; i++) w->loop[slot_of(w, loops->cell[i])] = loops->cell[i] + 1;
}

/* The chains become those of the columns, one for each pair. */
static void hand_over(Work *w, const MtCells *taken, MtColumns *c) {
  c->start = mt_malloc((size_t)taken->n * sizeof *c->start);
  for (int64_t i = 0; i < taken->n; i++) c->start[i] = w->column[slot_of(w, taken->cell[i])];
  c->place = w->kept.place, c->edges = w->kept.edges;
  w->kept.place = NULL, w->kept.edges = NULL;
}

void mt_columns_free(MtColumns *c) {
  free(c->place);
  free(c->edges);
  free(c->start);
  memset(c, 0, sizeof *c);
}

void mt_reduce(const MtGradient *f, const MtCells *loops, const MtCells *squares, MtRanks *pairs, MtCells *loops_left,
               MtCells *squares_left, MtColumns *columns) {
  const MtGrid *g = f->grid;
  Work w = {.f = f, .g = g, .table = mt_stars_table(f->stars)};
  MtCells births = {0}; /* of the pairs, for the columns */
  w.edges = mt_calloc(g->stride[2] * ((uint32_t)g->n[2] + 2), 1);
  keep(&w, 0, 0);
  list_loops(&w, loops);
  for (int64_t i = 0; i < squares->n; i++) {
    uint64_t taken;
    if (reduce(&w, squares->cell[i], &taken)) {
      mt_cells_add(pairs, taken >> 8 << 32 | squares->cell[i] >> 8);
      if (columns) mt_cells_add(&births, taken);
    } else {
      mt_cells_add(squares_left, squares->cell[i]);
    }
  }
  for (int64_t i = 0; i < loops->n; i++)
    if (w.column[slot_of(&w, loops->cell[i])] < 0) mt_cells_add(loops_left, loops->cell[i]);
  if (columns) hand_over(&w, &births, columns);
  mt_cells_clear(&births);
  free(w.edges);
  free(w.heap.item);
  free(w.loop);
  free(w.column);
  free(w.kept.place);
  free(w.kept.edges);
}
