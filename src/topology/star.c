/* Optimal pairing of a lower star: a spanning forest of the lower link pairs its vertices with edges, a spanning forest
 * of what is left, seen from the missing triangles, pairs edges with triangles.  What stays alone are as many cells as
 * the link has holes (V. Robins et al., IEEE TPAMI 33 (2011) 1646, theorem 11). */
#include "star.h"
#include "magtwin/memory.h"
#include <string.h>

enum { TYPES = 1 << 15, SLOTS = 1 << 16 }; /* 15935 types exist */

struct MtStars {
  int dims, n;
  uint16_t slot[SLOTS]; /* type + 1; 0: empty */
  uint32_t cells[TYPES];
  MtStar type[TYPES];
};

MtStars *mt_stars_new(int dims) {
  MtStars *s = mt_calloc(1, sizeof *s);
  s->dims = dims;
  return s;
}

void mt_stars_free(MtStars **s) {
  free(*s);
  *s = NULL;
}

const MtStar *mt_stars_table(const MtStars *s) {
  return s->type;
}

/* Square s of cells that has edge e: the other edge, -1: it has not. */
static int across(int s, int e) {
  const int a = mt_square_edge_a(s), b = mt_square_edge_b(s);
  return e == a ? b : (e == b ? a : -1);
}

/* Breadth first from edge root: pairs each edge with the square that leads back to the root.  Returns the edges seen;
 * tree gets the squares used. */
static unsigned grow_tree(uint32_t cells, int root, MtStar *t, uint16_t *tree, int8_t *pair) {
  int queue[MT_EDGES], head = 0, tail = 0;
  unsigned seen = 1U << root;
  queue[tail++] = root;
  while (head < tail) {
    const int e = queue[head++];
    for (int s = 0; s < MT_SQUARES; s++) {
      const int f = cells >> (MT_SQUARE_BIT + s) & 1 ? across(s, e) : -1;
      if (f < 0 || seen >> f & 1) continue;
      seen |= 1U << f;
      queue[tail++] = f;
      *tree |= (uint16_t)(1U << s);
      pair[f] = (int8_t)s;
      t->flow[f] = (uint16_t)(t->flow[e] | 1U << s);
      t->rest[f] = t->rest[e];
    }
  }
  return seen;
}

/* Squares of cube c. */
static int cube_square(int c, int q) {
  const int p[3] = {c & 1, c >> 1 & 1, c >> 2 & 1};
  return 4 * q + 2 * p[mt_plane_b(q)] + p[mt_plane_a(q)];
}

/* Cubes from the missing ones inwards, through squares that no edge has taken. */
static void pair_cubes(uint32_t cells, uint16_t tree, MtStar *t) {
  int queue[2 * MT_CUBES], head = 0, tail = 0;
  unsigned present = cells >> MT_CUBE_BIT, seen = ~present & 0xff;
  uint16_t taken = 0;
  for (int c = 0; c < MT_CUBES; c++)
    if (seen >> c & 1) queue[tail++] = c;
  if (!tail) { /* a maximum: one cube stays alone */
    t->top[0] = MT_CRITICAL;
    seen = 1;
    queue[tail++] = 0;
  }
  while (head < tail) {
    const int c = queue[head++];
    for (int q = 0; q < 3; q++) {
      const int s = cube_square(c, q), next = c ^ (q == 0 ? 4 : (q == 1 ? 2 : 1));
      if (seen >> next & 1 || tree >> s & 1 || !(cells >> (MT_SQUARE_BIT + s) & 1)) continue;
      seen |= 1U << next;
      taken |= (uint16_t)(1U << s);
      t->top[next] = (int8_t)s;
      queue[tail++] = next;
    }
  }
  t->squares = (uint16_t)((cells >> MT_SQUARE_BIT & 0xfff) & (unsigned)~(tree | taken));
}

static void pair_cells(int dims, uint32_t cells, MtStar *t) {
  int8_t pair[MT_EDGES];
  unsigned left = cells & 0x3f;
  uint16_t tree = 0;
  memset(t, 0, sizeof *t);
  memset(t->top, MT_ABSENT, sizeof t->top);
  t->down = MT_CRITICAL;
  for (int e = 0; e < MT_EDGES; e++) {
    if (!(left >> e & 1)) continue;
    if (t->down == MT_CRITICAL) {
      t->down = (int16_t)e;
    } else {
      t->edges |= (uint8_t)(1U << e);
      t->rest[e] = (uint8_t)(1U << e);
    }
    left &= ~grow_tree(cells, e, t, &tree, pair);
  }
  if (dims == 3) {
    pair_cubes(cells, tree, t);
    return;
  }
  for (int s = 0; s < 4; s++)
    if (cells >> (MT_SQUARE_BIT + s) & 1) t->top[s] = MT_CRITICAL;
  for (int e = 0; e < MT_EDGES; e++)
    if (cells >> e & 1 && e != t->down && !(t->edges >> e & 1)) t->top[pair[e]] = (int8_t)e;
}

uint16_t mt_stars_find(MtStars *s, uint32_t cells) {
  uint32_t at = cells * 2654435761U >> 16;
  while (s->slot[at]) {
    if (s->cells[s->slot[at] - 1] == cells) return (uint16_t)(s->slot[at] - 1);
    at = (at + 1) & (SLOTS - 1);
  }
  s->cells[s->n] = cells;
  pair_cells(s->dims, cells, &s->type[s->n]);
  s->slot[at] = (uint16_t)++s->n;
  return (uint16_t)(s->n - 1);
}
