/* Lower stars of all pixels, a stretch of a row at a time so that the compiler compares many pixels at once. */
#include "gradient.h"
#include "magtwin/memory.h"
#include <string.h>

enum { STRETCH = 256 };

/* Bits of the cells of the lower stars of some pixels. */
typedef struct {
  uint32_t edge[MT_EDGES][STRETCH], square[MT_SQUARES][STRETCH], cells[STRETCH];
} Stretch;

void mt_cells_add(MtCells *c, uint64_t cell) {
  if (c->n == c->room) {
    c->room = c->room ? c->room + c->room / 2 : 1024;
    c->cell = mt_realloc(c->cell, (size_t)c->room * sizeof *c->cell);
  }
  c->cell[c->n++] = cell;
}

void mt_cells_clear(MtCells *c) {
  free(c->cell);
  memset(c, 0, sizeof *c);
}

/* lower[i] = 1 where the pixel at `other` enters before the one at `own`. */
static void compare(int n, const uint32_t *restrict own, const uint32_t *restrict other, uint32_t *restrict lower) {
  for (int i = 0; i < n; i++) lower[i] = other[i] < own[i];
}

static void and_compare(int n, const uint32_t *restrict own, const uint32_t *restrict other, const uint32_t *restrict a,
                        const uint32_t *restrict b, uint32_t *restrict lower) {
  for (int i = 0; i < n; i++) lower[i] = (other[i] < own[i]) & a[i] & b[i];
}

static void cube_compare(int n, const uint32_t *restrict own, const uint32_t *restrict other,
                         const uint32_t *restrict a, const uint32_t *restrict b, const uint32_t *restrict c, int bit,
                         uint32_t *restrict cells) {
  for (int i = 0; i < n; i++) cells[i] |= ((other[i] < own[i]) & a[i] & b[i] & c[i]) << bit;
}

static void add_bits(int n, const uint32_t *restrict from, int bit, uint32_t *restrict cells) {
  for (int i = 0; i < n; i++) cells[i] |= from[i] << bit;
}

static ptrdiff_t offset(const MtGrid *g, int e) {
  return e & 1 ? (ptrdiff_t)g->stride[e >> 1] : -(ptrdiff_t)g->stride[e >> 1];
}

static void find_cells(const MtGrid *g, const uint32_t *own, int n, Stretch *s) {
  const int edges = 2 * g->dims, squares = g->dims == 3 ? MT_SQUARES : 4;
  memset(s->cells, 0, sizeof s->cells);
  for (int e = 0; e < edges; e++) {
    compare(n, own, own + offset(g, e), s->edge[e]);
    add_bits(n, s->edge[e], e, s->cells);
  }
  for (int q = 0; q < squares; q++) {
    const int a = mt_square_edge_a(q), b = mt_square_edge_b(q);
    and_compare(n, own, own + offset(g, a) + offset(g, b), s->edge[a], s->edge[b], s->square[q]);
    add_bits(n, s->square[q], MT_SQUARE_BIT + q, s->cells);
  }
  for (int c = 0; c < MT_CUBES && g->dims == 3; c++) {
    const int x = c & 1, y = 2 + (c >> 1 & 1), z = 4 + (c >> 2);
    cube_compare(n, own, own + offset(g, x) + offset(g, y) + offset(g, z), s->square[mt_square_of(x, y)],
                 s->square[mt_square_of(x, z)], s->square[mt_square_of(y, z)], MT_CUBE_BIT + c, s->cells);
  }
}

static void note_critical(MtGradient *f, uint32_t place, const MtStar *t) {
  const uint64_t high = (uint64_t)f->grid->rank[place] << 8;
  for (unsigned e = t->edges, i = 0; e; e >>= 1, i++)
    if (e & 1) mt_cells_add(&f->edges, high | i);
  for (unsigned s = t->squares, i = 0; s; s >>= 1, i++)
    if (s & 1) mt_cells_add(&f->squares, high | i);
}

static void sort_out(MtGradient *f, uint32_t place, int n, const Stretch *s) {
  for (int i = 0; i < n; i++) {
    const uint16_t type = mt_stars_find(f->stars, s->cells[i]);
    const MtStar *t = mt_stars_table(f->stars) + type;
    f->type[place + (uint32_t)i] = type;
    if (t->edges | t->squares) note_critical(f, place + (uint32_t)i, t);
  }
}

void mt_gradient_create(const MtGrid *g, MtGradient *f) {
  const uint32_t border = g->dims == 3, places = g->stride[2] * ((uint32_t)g->n[2] + 2 * border);
  Stretch *s = mt_calloc(1, sizeof *s);
  *f = (MtGradient){.grid = g, .stars = mt_stars_new(g->dims)};
  f->type = mt_calloc(places, sizeof *f->type);
  const int first[2] = {g->dims == 2 ? g->from : 0, g->dims == 3 ? g->from : 0};
  const int end[2] = {g->dims == 2 ? g->to : g->n[1], g->dims == 3 ? g->to : 1};
  for (int z = first[1]; z < end[1]; z++)
    for (int y = first[0]; y < end[0]; y++)
      for (int x = 0; x < g->n[0]; x += STRETCH) {
        const uint32_t place =
            1 + (uint32_t)x + (uint32_t)(y + 1) * g->stride[1] + ((uint32_t)z + border) * g->stride[2];
        const int n = g->n[0] - x < STRETCH ? g->n[0] - x : STRETCH;
        find_cells(g, g->rank + place, n, s);
        sort_out(f, place, n, s);
      }
  free(s);
  mt_sort_keys(f->edges.n, f->edges.cell, NULL);
  mt_sort_keys(f->squares.n, f->squares.cell, NULL);
}

void mt_gradient_free(MtGradient *f) {
  free(f->type);
  mt_stars_free(&f->stars);
  mt_cells_clear(&f->edges);
  mt_cells_clear(&f->squares);
}
