/* Columns of the reduction as closed cycles.  The reduction leaves out the edges of the spanning forest (each pixel's
 * way down, and the critical edges that join components): they can be put back in one way only.  Odd pixels hand their
 * oddness down the forest, minima along the tree of the joins. */
#include "cycles.h"
#include "heap.h"
#include "magtwin/memory.h"
#include <string.h>

struct MtCloser {
  const MtGradient *f;
  const MtGrid *g;
  uint8_t *edges; /* [places] the cycle at work: bits of edges by the pixel they enter with */
  uint8_t *odd;   /* [places] */
  MtHeap pixels;  /* rank << 32 | place */
  MtHeap nodes;   /* minima to look at, by their order in the tree */
  MtCells touched;
  int32_t *node;     /* [places] of a minimum: its order in the tree; else -1 */
  int32_t *above;    /* [minima] order of the minimum it hangs on; of the root -1 */
  uint64_t *join;    /* [minima] and the edge to it */
  uint32_t *minimum; /* [minima] place */
};

static uint32_t next_of(const MtCloser *c, uint32_t place, int e) {
  return mt_grid_home(c->g, mt_step(c->g, place, e));
}

static uint32_t bottom(const MtCloser *c, uint32_t place) {
  for (int e; (e = mt_star_at(c->f, place)->down) >= 0;) place = next_of(c, place, e);
  return place;
}

static uint32_t place_of(const MtCloser *c, uint64_t cell) {
  return c->g->place[cell >> 8];
}

/* Neighbours of every minimum through the joins, as lists one after the other. */
typedef struct {
  int64_t *start; /* [minima + 1] */
  int32_t *other; /* [2 joins] */
  uint64_t *cell; /* [2 joins] */
} Graph;

static void make_graph(MtCloser *c, const MtCells *joins, int32_t n, Graph *graph) {
  int32_t(*end)[2] = mt_malloc((size_t)joins->n * sizeof *end);
  graph->start = mt_calloc((size_t)n + 2, sizeof *graph->start);
  graph->other = mt_malloc(2 * (size_t)joins->n * sizeof *graph->other);
  graph->cell = mt_malloc(2 * (size_t)joins->n * sizeof *graph->cell);
  for (int64_t i = 0; i < joins->n; i++) {
    const uint32_t place = place_of(c, joins->cell[i]);
    end[i][0] = c->node[bottom(c, place)];
    end[i][1] = c->node[bottom(c, next_of(c, place, (int)(joins->cell[i] & 0xff)))];
    for (int s = 0; s < 2; s++) graph->start[end[i][s] + 2]++;
  }
  for (int32_t m = 0; m < n; m++) graph->start[m + 2] += graph->start[m + 1];
  for (int64_t i = 0; i < joins->n; i++)
    for (int s = 0; s < 2; s++) {
      const int64_t at = graph->start[end[i][s] + 1]++;
      graph->other[at] = end[i][!s];
      graph->cell[at] = joins->cell[i];
    }
  free(end);
}

/* Numbers the minima anew, breadth first from the first one: whoever hangs on another comes after it. */
static void make_tree(MtCloser *c, const Graph *graph, int32_t n, const uint32_t *found) {
  int32_t *order = mt_malloc((size_t)n * sizeof *order), *queue = mt_malloc((size_t)n * sizeof *queue), tail = 0;
  memset(order, 0xff, (size_t)n * sizeof *order);
  for (int32_t root = 0, head = 0; root < n; root++) {
    if (order[root] >= 0) continue;
    c->above[tail] = -1;
    order[root] = tail;
    queue[tail++] = root;
    for (; head < tail; head++)
      for (int64_t k = graph->start[queue[head]]; k < graph->start[queue[head] + 1]; k++) {
        const int32_t m = graph->other[k];
        if (order[m] >= 0) continue;
        c->above[tail] = head;
        c->join[tail] = graph->cell[k];
        order[m] = tail;
        queue[tail++] = m;
      }
  }
  for (int32_t m = 0; m < n; m++) {
    c->node[found[m]] = order[m];
    c->minimum[order[m]] = found[m];
  }
  free(order);
  free(queue);
}

MtCloser *mt_closer_new(const MtGradient *f, const MtCells *joins) {
  const MtGrid *g = f->grid;
  const size_t places = (size_t)g->stride[2] * ((size_t)g->n[2] + 2);
  MtCloser *c = mt_calloc(1, sizeof *c);
  int32_t n = 0;
  Graph graph;
  c->f = f, c->g = g;
  c->edges = mt_calloc(places, 1);
  c->odd = mt_calloc(places, 1);
  c->node = mt_malloc(places * sizeof *c->node);
  memset(c->node, 0xff, places * sizeof *c->node);
  for (uint32_t r = 0; r < g->pixels; r++) n += mt_star_at(f, g->place[r])->down < 0;
  uint32_t *found = mt_malloc((size_t)n * sizeof *found);
  n = 0;
  for (uint32_t r = 0; r < g->pixels; r++) {
    if (mt_star_at(f, g->place[r])->down >= 0) continue;
    c->node[g->place[r]] = n;
    found[n++] = g->place[r];
  }
  c->above = mt_malloc((size_t)n * sizeof *c->above);
  c->join = mt_malloc((size_t)n * sizeof *c->join);
  c->minimum = mt_malloc((size_t)n * sizeof *c->minimum);
  make_graph(c, joins, n, &graph);
  make_tree(c, &graph, n, found);
  free(graph.start);
  free(graph.other);
  free(graph.cell);
  free(found);
  return c;
}

void mt_closer_free(MtCloser **c) {
  if (!*c) return;
  free((*c)->edges);
  free((*c)->odd);
  free((*c)->pixels.item);
  free((*c)->nodes.item);
  mt_cells_clear(&(*c)->touched);
  free((*c)->node);
  free((*c)->above);
  free((*c)->join);
  free((*c)->minimum);
  free(*c);
  *c = NULL;
}

static void turn(MtCloser *c, uint32_t place) {
  c->odd[place] ^= 1;
  mt_heap_push(&c->pixels, (uint64_t)c->g->rank[place] << 32 | place);
}

static void add_edge(MtCloser *c, uint32_t place, int e) {
  c->edges[place] ^= (uint8_t)(1U << e);
  mt_cells_add(&c->touched, place);
  turn(c, place);
  turn(c, next_of(c, place, e));
}

/* Down the forest, the last pixels first; minima that are odd in the end are put down as nodes. */
static void go_down(MtCloser *c) {
  while (c->pixels.n) {
    const uint32_t place = (uint32_t)mt_heap_pop(&c->pixels);
    if (!c->odd[place]) continue;
    const int e = mt_star_at(c->f, place)->down;
    if (e >= 0)
      add_edge(c, place, e);
    else
      mt_heap_push(&c->nodes, (uint64_t)c->node[place]);
  }
}

/* Towards the root of the tree: a node that comes an odd number of times hands on to the one above. */
static void go_home(MtCloser *c) {
  while (c->nodes.n) {
    const uint64_t node = mt_heap_pop(&c->nodes);
    if (c->nodes.n && c->nodes.item[0] == node) {
      mt_heap_pop(&c->nodes);
      continue;
    }
    if (c->above[node] < 0) continue;
    mt_heap_push(&c->nodes, (uint64_t)c->above[node]);
    add_edge(c, place_of(c, c->join[node]), (int)(c->join[node] & 0xff));
  }
}

static void take_cells(MtCloser *c, MtCycle *cycle) {
  cycle->cell = mt_malloc(MT_EDGES * (size_t)c->touched.n * sizeof *cycle->cell);
  cycle->n = 0;
  for (int64_t i = 0; i < c->touched.n; i++) {
    const uint32_t place = (uint32_t)c->touched.cell[i];
    const int64_t pixel = mt_grid_pixel(c->g, place), nx = c->g->n[0], ny = c->g->n[1];
    const int32_t at[3] = {(int32_t)(pixel % nx), (int32_t)(pixel / nx % ny), (int32_t)(pixel / nx / ny)};
    for (int e = 0; e < MT_EDGES; e++) {
      if (!(c->edges[place] >> e & 1)) continue;
      int32_t *cell = cycle->cell[cycle->n++];
      for (int a = 0; a < 3; a++) cell[a] = cell[3 + a] = 2 * at[a];
      if (e & 1)
        cell[3 + (e >> 1)] += 2;
      else
        cell[e >> 1] -= 2;
    }
    c->edges[place] = 0;
  }
}

void mt_closer_cycle(MtCloser *c, const MtColumns *columns, int64_t i, MtCycle *cycle) {
  c->touched.n = 0;
  for (int64_t k = columns->start[i]; columns->place[k]; k++)
    for (int e = 0; e < MT_EDGES; e++)
      if (columns->edges[k] >> e & 1) add_edge(c, columns->place[k], e);
  go_down(c);
  go_home(c); /* its edges make pixels odd again, whose ways down end where the minima were odd */
  while (c->pixels.n) {
    const uint32_t place = (uint32_t)mt_heap_pop(&c->pixels);
    const int e = c->odd[place] ? mt_star_at(c->f, place)->down : -1;
    if (e >= 0) add_edge(c, place, e);
  }
  take_cells(c, cycle);
}
