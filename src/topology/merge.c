/* The outermost dimensions by union-find.  The forests of the gradient field (each pixel points down, each top cell
 * points up) are the first state of it: what is left to join are the minima, or the maxima, at critical cells. */
#include "gradient.h"
#include "magtwin/memory.h"

uint32_t mt_find(uint32_t *parent, uint32_t a) {
  while (parent[a] != a) a = parent[a] = parent[parent[a]];
  return a;
}

static uint32_t places_of(const MtGrid *g) {
  return g->stride[2] * ((uint32_t)g->n[2] + (g->dims == 3 ? 2 : 0));
}

static uint32_t row_of(const MtGrid *g, int y, int z) {
  return 1 + (uint32_t)(y + 1) * g->stride[1] + (uint32_t)(z + (g->dims == 3)) * g->stride[2];
}

void mt_point_down(const MtGradient *f, uint32_t place, uint32_t *parent) {
  const int e = mt_star_at(f, place)->down;
  parent[place] = e < 0 ? place : mt_grid_home(f->grid, mt_step(f->grid, place, e));
}

void mt_merge_minima(const MtGradient *f, MtRanks *pairs, MtCells *loops) {
  const MtGrid *g = f->grid;
  uint32_t *parent = mt_malloc(places_of(g) * sizeof *parent);
  for (int z = 0; z < g->n[2]; z++)
    for (int y = 0; y < g->n[1]; y++)
      for (uint32_t x = 0; x < (uint32_t)g->n[0]; x++) mt_point_down(f, row_of(g, y, z) + x, parent);
  for (int64_t i = 0; i < f->edges.n; i++) {
    const uint64_t cell = f->edges.cell[i];
    const uint32_t death = (uint32_t)(cell >> 8), place = g->place[death];
    uint32_t a = mt_find(parent, place), b = mt_find(parent, mt_grid_home(g, mt_step(g, place, (int)(cell & 0xff))));
    if (a == b) {
      mt_cells_add(loops, cell);
      continue;
    }
    if (g->rank[a] > g->rank[b]) {
      const uint32_t swap = a;
      a = b, b = swap;
    }
    parent[b] = a;
    mt_cells_add(pairs, (uint64_t)g->rank[b] << 32 | death);
  }
  free(parent);
}

/* The top cell k at a pixel by its corner with the smallest coordinates. */
static uint32_t top_at(const MtGrid *g, uint32_t place, int k) {
  for (int a = 0; a < g->dims; a++)
    if (!(k >> a & 1)) place -= g->stride[a];
  return mt_grid_home(g, place);
}

/* The axis across a facet: square or, in two dimensions, edge. */
static int normal_of(const MtGrid *g, int facet) {
  return g->dims == 3 ? 2 - (facet >> 2) : 1 - (facet >> 1);
}

/* The top cell beyond: k is the one asked for, across the axis from a facet of the pixel. */
static uint32_t beyond(const MtGrid *g, uint32_t place, int axis, int k) {
  const uint32_t next = mt_step(g, place, 2 * axis + (k >> axis & 1));
  return g->rank[next] == MT_NOWHERE ? (uint32_t)MT_OUTSIDE : top_at(g, place, k);
}

void mt_point_up(const MtGradient *f, uint32_t place, uint32_t *parent) {
  const MtGrid *g = f->grid;
  const MtStar *t = mt_star_at(f, place);
  for (int k = 0; k < 1 << g->dims; k++) {
    if (t->top[k] == MT_ABSENT) continue;
    const uint32_t own = top_at(g, place, k);
    const int axis = normal_of(g, t->top[k]);
    parent[own] = t->top[k] == MT_CRITICAL ? own : beyond(g, place, axis, k ^ 1 << axis);
  }
}

/* The top cells on both sides of a facet. */
void mt_sides(const MtGrid *g, uint32_t place, int facet, uint32_t side[2]) {
  const int axis = normal_of(g, facet);
  int k;
  if (g->dims == 3)
    k = (facet & 1) << mt_plane_a(facet >> 2) | (facet >> 1 & 1) << mt_plane_b(facet >> 2);
  else
    k = (facet & 1) << (facet >> 1);
  side[0] = beyond(g, place, axis, k);
  side[1] = beyond(g, place, axis, k | 1 << axis);
}

uint32_t mt_top_last(const MtGrid *g, uint32_t top) {
  uint32_t last = top;
  for (int k = 1; k < 1 << g->dims; k++) {
    uint32_t at = top;
    for (int a = 0; a < g->dims; a++) at += (k >> a & 1) ? g->stride[a] : 0;
    if (g->rank[at] > g->rank[last]) last = at;
  }
  return last;
}

/* Rank with which a top cell enters. */
static uint32_t top_rank(const MtGrid *g, uint32_t top) {
  return top == MT_OUTSIDE ? MT_NOWHERE : g->rank[mt_top_last(g, top)];
}

static uint32_t *top_forest(const MtGradient *f) {
  const MtGrid *g = f->grid;
  uint32_t *parent = mt_malloc(places_of(g) * sizeof *parent);
  parent[MT_OUTSIDE] = MT_OUTSIDE;
  for (int z = 0; z < g->n[2]; z++)
    for (int y = 0; y < g->n[1]; y++)
      for (uint32_t x = 0; x < (uint32_t)g->n[0]; x++) mt_point_up(f, row_of(g, y, z) + x, parent);
  return parent;
}

static void reverse(MtCells *c) {
  for (int64_t i = 0, j = c->n - 1; i < j; i++, j--) {
    const uint64_t swap = c->cell[i];
    c->cell[i] = c->cell[j], c->cell[j] = swap;
  }
}

void mt_merge_maxima(const MtGradient *f, const MtCells *facets, MtRanks *pairs, MtCells *rest) {
  const MtGrid *g = f->grid;
  uint32_t *parent = top_forest(f);
  for (int64_t i = facets->n - 1; i >= 0; i--) {
    const uint64_t cell = facets->cell[i];
    const uint32_t birth = (uint32_t)(cell >> 8);
    uint32_t side[2];
    mt_sides(g, g->place[birth], (int)(cell & 0xff), side);
    const uint32_t a = mt_find(parent, side[0]), b = mt_find(parent, side[1]);
    if (a == b) {
      mt_cells_add(rest, cell);
      continue;
    }
    const uint32_t rank_a = top_rank(g, a), rank_b = top_rank(g, b);
    const uint32_t young = rank_a < rank_b ? a : b, old = rank_a < rank_b ? b : a;
    parent[young] = old;
    mt_cells_add(pairs, (uint64_t)birth << 32 | (rank_a < rank_b ? rank_a : rank_b));
  }
  reverse(rest);
  free(parent);
}
