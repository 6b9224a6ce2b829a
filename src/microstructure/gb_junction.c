/* The small polyhedron of GB phase at a vertex of the complex: its corners are the copies of the vertex, its sides the
 * end caps of the triple lines that come in and, on the box, the polygon on the wall.  It is cut into tets from one
 * point, a corner or the middle, whichever leaves the best worst tet. */
#include "gb.h"
#include <math.h>

typedef struct {
  int n;
  int32_t p[MT_GB_MAX_STAR][3]; /* copies, counterclockwise seen from outside */
} Hull;

static bool same_triangle(const int32_t *a, const int32_t *b) {
  for (int i = 0; i < 3; i++) {
    bool found = false;
    for (int j = 0; j < 3; j++) found |= a[i] == b[j];
    if (!found) return false;
  }
  return true;
}

/* A triangle that comes twice has a flat bit of polyhedron between its two sides: both go. */
static void hull_add(Hull *h, int32_t a, int32_t b, int32_t c) {
  const int32_t t[3] = {a, b, c};
  if (a == b || b == c || c == a) return; /* grains that touch */
  for (int i = 0; i < h->n; i++) {
    if (!same_triangle(h->p[i], t)) continue;
    h->n--;
    memcpy(h->p[i], h->p[h->n], sizeof t);
    return;
  }
  if (h->n < MT_GB_MAX_STAR) memcpy(h->p[h->n++], t, sizeof t);
}

static void add_cap(const MtCells *c, const MtTopology *t, const MtCopies *q, int v, int e, Hull *h) {
  int n = t->ring_start[e + 1] - t->ring_start[e], corners = n + t->ring_corner[e];
  int32_t p[MT_GB_MAX_RING];
  for (int i = 0; i < corners; i++) {
    int j = (q->first[e] + i) % corners;
    p[i] = mt_copies_find(q, v, j < n ? t->ring[t->ring_start[e] + j] : -1);
  }
  bool out = c->edge[2 * e] == v;
  for (int i = 1; i + 1 < corners; i++) hull_add(h, p[0], out ? p[i] : p[i + 1], out ? p[i + 1] : p[i]);
}

static void hull_make(const MtCells *c, const MtTopology *t, const MtCopies *q, int v, Hull *h) {
  h->n = 0;
  for (int i = t->vertex_edge_start[v]; i < t->vertex_edge_start[v + 1]; i++) add_cap(c, t, q, v, t->vertex_edge[i], h);
  for (int wall = 0; wall < 6; wall++) {
    if (!(c->walls[v] >> wall & 1)) continue;
    int32_t g[MT_GB_MAX_RING], p[MT_GB_MAX_RING];
    int n = mt_topology_wall_ring(c, t, v, wall, g);
    for (int i = 0; i < n; i++) p[i] = mt_copies_find(q, v, g[i]);
    for (int i = 1; i + 1 < n; i++) hull_add(h, p[0], p[i], p[i + 1]);
  }
}

/* Flat by construction: all four in one wall. */
static bool flat(const double *x[4]) {
  for (int k = 0; k < 3; k++)
    if (x[0][k] == x[1][k] && x[0][k] == x[2][k] && x[0][k] == x[3][k]) return true;
  return false;
}

/* Radius ratio of the worst tet of the star from `apex` (a copy, or -1: the point `mid`); fills tet. */
static double star_from(const Hull *h, const MtCopies *q, int32_t apex, const double *mid, int32_t (*tet)[4],
                        int *count) {
  double worst = 1;
  *count = 0;
  for (int i = 0; i < h->n; i++) {
    const int32_t *p = h->p[i];
    if (p[0] == apex || p[1] == apex || p[2] == apex) continue;
    const double *x[4] = {apex < 0 ? mid : q->x + 3 * apex, q->x + 3 * p[0], q->x + 3 * p[1], q->x + 3 * p[2]};
    double y[4][3];
    if (flat(x)) continue;
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = x[k / 3][k % 3];
    worst = fmin(worst, mt_tet_gamma((const double(*)[3])y));
    memcpy(tet[*count], (int32_t[4]){apex < 0 ? q->n : apex, p[0], p[1], p[2]}, 4 * sizeof(int32_t));
    (*count)++;
  }
  return worst;
}

int mt_junction_star(const MtCells *c, const MtTopology *t, const MtCopies *q, int v, int32_t (*tet)[4], bool *center,
                     double x[3], double *gamma) {
  Hull h;
  int32_t best = -1;
  int n, copies = q->first_copy[v + 1] - q->first_copy[v];
  *gamma = 1, *center = false;
  if (copies < 3) return 0;
  hull_make(c, t, q, v, &h);
  if (h.n == 0) return 0;
  x[0] = x[1] = x[2] = 0;
  for (int i = q->first_copy[v]; i < q->first_copy[v + 1]; i++)
    for (int k = 0; k < 3; k++) x[k] += q->x[3 * i + k] / copies;
  *gamma = -2;
  for (int i = q->first_copy[v]; i < q->first_copy[v + 1]; i++) {
    double g = star_from(&h, q, i, x, tet, &n);
    if (g > *gamma) *gamma = g, best = i;
  }
  double middle = star_from(&h, q, -1, x, tet, &n);
  if (middle > *gamma + 0.02) *gamma = middle, best = -1;
  *center = best < 0;
  star_from(&h, q, best, x, tet, &n);
  return n;
}
