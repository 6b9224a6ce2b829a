/* Boundaries of critical squares in a volume shared by ranks, followed down the gradient field to critical edges.  An
 * edge that enters with a pixel of a neighbour is handed to it; as the flow is linear, what a square has left with
 * several ranks is followed by each on its own, and equal ends cancel in the end. */
#include "heap.h"
#include "magtwin/memory.h"
#include "share.h"
#include <string.h>

enum { QUEUED = 1 << 7 };

/* A critical edge at the end of a square's boundary; squares by the rank that has them and their place in its list. */
typedef struct {
  uint64_t square, row;
} End;

/* An edge for a neighbour. */
typedef struct {
  uint64_t square;
  uint32_t at; /* place in the layer */
  int32_t home;
  uint8_t edge, side; /* side: on which the receiver has the layer */
} Crossing;

typedef struct {
  const MtShare *s;
  const MtGrid *g;
  const MtStar *table;
  uint8_t *edges, *loops; /* [places] the chain at work; edges that are loops */
  MtHeap heap;            /* its pixels, the last one first: rank << 32 | place */
  uint64_t square;        /* at work */
  int32_t home;
  MtPost ends, crossings;
} Flow;

static void hand_over(Flow *w, uint32_t place, int e) {
  const MtShare *s = w->s;
  const int high = place >= s->own_to;
  const uint32_t base = mt_share_layer(s, high ? s->grid.to : s->grid.from - 1);
  const Crossing c = {w->square, place - base, w->home, (uint8_t)e, (uint8_t)!high};
  mt_post_add(&w->crossings, high ? s->high : s->low, &c);
}

static void add_bit(Flow *w, uint32_t place, uint8_t bit) {
  w->edges[place] ^= bit;
  if (w->edges[place] & QUEUED) return;
  w->edges[place] |= QUEUED;
  mt_heap_push(&w->heap, (uint64_t)w->g->rank[place] << 32 | place);
}

/* An edge by the pixel it enters with; those paired with that pixel end there. */
static void add_own(Flow *w, uint32_t place, int e) {
  if (!mt_share_own(w->s, place))
    hand_over(w, place, e);
  else if (w->table[w->s->f.type[place]].down != e)
    add_bit(w, place, (uint8_t)(1U << e));
}

static void add_edge(Flow *w, uint32_t from, int e) {
  const MtGrid *g = w->g;
  const uint32_t to = mt_step(g, from, e);
  if (g->rank[to] > g->rank[from])
    add_own(w, mt_grid_home(g, to), e ^ 1);
  else
    add_own(w, mt_grid_home(g, from), e);
}

/* The two edges of a square of this pixel that do not touch it. */
static void add_far_edges(Flow *w, uint32_t place, int s) {
  const int a = mt_square_edge_a(s), b = mt_square_edge_b(s);
  add_edge(w, mt_step(w->g, place, a), b);
  add_edge(w, mt_step(w->g, place, b), a);
}

static void follow_pixel(Flow *w, uint32_t place, unsigned edges) {
  const MtStar *t = w->table + w->s->f.type[place];
  unsigned squares = 0, rest = 0;
  for (int e = 0; edges; e++, edges >>= 1)
    if (edges & 1) {
      squares ^= t->flow[e];
      rest ^= t->rest[e];
    }
  for (int s = 0; squares; s++, squares >>= 1)
    if (squares & 1) add_far_edges(w, place, s);
  rest &= w->loops[place];
  if (!rest) return;
  const uint64_t row = (uint64_t)mt_share_index(w->s, w->g->rank[place]) << 8;
  for (unsigned e = 0; e < MT_EDGES; e++) {
    const End end = {w->square, row | e};
    if (rest >> e & 1) mt_post_add(&w->ends, w->home, &end);
  }
}

static void follow(Flow *w) {
  while (w->heap.n) {
    const uint32_t place = (uint32_t)mt_heap_pop(&w->heap);
    const unsigned edges = w->edges[place] & (unsigned)~QUEUED;
    w->edges[place] = 0;
    if (edges) follow_pixel(w, place, edges);
  }
}

static void begin_all(Flow *w, const MtCells *squares) {
  w->home = w->s->rank;
  for (int64_t i = 0; i < squares->n; i++) {
    const uint64_t cell = squares->cell[i]; /* by local rank */
    const uint32_t place = w->g->place[cell >> 8];
    const int q = (int)(cell & 0xff);
    w->square = (uint64_t)i;
    add_bit(w, place, (uint8_t)(1U << mt_square_edge_a(q) | 1U << mt_square_edge_b(q)));
    add_far_edges(w, place, q);
    follow(w);
  }
}

/* Edges of one square come one after the other: the crossings of a rank lie in the order of its squares. */
static void go_on(Flow *w, int64_t n, const Crossing *in) {
  for (int64_t i = 0, end; i < n; i = end) {
    w->square = in[i].square, w->home = in[i].home;
    for (end = i; end < n && in[end].square == w->square && in[end].home == w->home; end++) {
      const int layer = in[end].side ? w->g->to - 1 : w->g->from;
      add_own(w, mt_share_layer(w->s, layer) + in[end].at, in[end].edge);
    }
    follow(w);
  }
}

static PetscErrorCode go_round(Flow *w) {
  for (;;) {
    int64_t n = w->crossings.n;
    void *in;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &n, 1, MPI_INT64_T, MPI_SUM, w->s->comm));
    if (!n) return 0;
    PetscCall(mt_post_send(&w->crossings, &n, &in, NULL));
    go_on(w, n, in);
    free(in);
  }
}

/* Ends by square, the last rows first; those that come twice cancel. */
static void collect(int64_t n, const End *end, int64_t squares, MtCells *column) {
  uint64_t *key = mt_malloc((size_t)n * sizeof *key);
  uint32_t *order = mt_malloc((size_t)n * sizeof *order);
  int64_t at = 0;
  for (int64_t i = 0; i < n; i++) key[i] = ~end[i].row, order[i] = (uint32_t)i;
  mt_sort_keys(n, key, order);
  for (int64_t i = 0; i < n; i++) key[i] = end[order[i]].square;
  mt_sort_keys(n, key, order);
  memset(column, 0, sizeof *column);
  for (int64_t q = 0; q < squares; q++) {
    for (int64_t next; at < n && key[at] == (uint64_t)q; at = next) {
      const uint64_t row = end[order[at]].row;
      for (next = at; next < n && key[next] == (uint64_t)q && end[order[next]].row == row; next++) {}
      if ((next - at) % 2) mt_cells_add(column, row);
    }
    mt_cells_add(column, UINT64_MAX);
  }
  free(key);
  free(order);
}

PetscErrorCode mt_share_flow(const MtShare *s, const MtCells *loops, const MtCells *squares, MtCells *column) {
  const size_t places = (size_t)s->grid.stride[2] * ((size_t)s->grid.n[2] + 2);
  Flow w = {.s = s, .g = &s->grid, .table = mt_stars_table(s->f.stars)};
  int64_t n;
  void *in;
  w.edges = mt_calloc(places, 1);
  w.loops = mt_calloc(places, 1);
  for (int64_t i = 0; i < loops->n; i++)
    w.loops[s->grid.place[loops->cell[i] >> 8]] |= (uint8_t)(1U << (loops->cell[i] & 0xff));
  mt_post_begin(s->comm, sizeof(End), &w.ends);
  mt_post_begin(s->comm, sizeof(Crossing), &w.crossings);
  begin_all(&w, squares);
  PetscCall(go_round(&w));
  free(w.edges);
  free(w.loops);
  free(w.heap.item);
  mt_post_end(&w.crossings);
  PetscCall(mt_post_send(&w.ends, &n, &in, NULL));
  mt_post_end(&w.ends);
  collect(n, in, squares->n, column);
  free(in);
  return 0;
}
