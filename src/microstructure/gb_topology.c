/* Order of the grains around the edges and, on the walls, around the vertices of a cell complex.
 *
 * A face's loop runs counterclockwise seen from its second side.  Turning counterclockwise about an edge taken in the
 * loop's own direction therefore crosses the face from the first side to the second: the order follows from the loops
 * alone, without coordinates. */
#include "gb.h"
#include "magtwin/error.h"

typedef struct {
  int32_t edge, from, to; /* turning counterclockwise one leaves `from` and enters `to` (grain, or wall < 0) */
} Crossing;

static int compare_edge_key(const void *a, const void *b) {
  const int64_t *p = a, *q = b;
  return (p[0] > q[0]) - (p[0] < q[0]);
}

static int compare_crossing(const void *a, const void *b) {
  const Crossing *p = a, *q = b;
  if (p->edge != q->edge) return p->edge < q->edge ? -1 : 1;
  return (p->from > q->from) - (p->from < q->from);
}

static int64_t edge_key(int32_t u, int32_t w) {
  return u < w ? ((int64_t)u << 32) | w : ((int64_t)w << 32) | u;
}

/* Pairs (key, edge) sorted by key. */
static PetscErrorCode edge_table(const MtCells *c, int64_t **table) {
  PetscCall(PetscMalloc1(2 * (size_t)c->nedges + 1, table));
  for (int e = 0; e < c->nedges; e++) {
    (*table)[2 * e] = edge_key(c->edge[2 * e], c->edge[2 * e + 1]);
    (*table)[2 * e + 1] = e;
  }
  qsort(*table, (size_t)c->nedges, 2 * sizeof(int64_t), compare_edge_key);
  return 0;
}

static int32_t edge_find(const int64_t *table, int n, int32_t u, int32_t w) {
  const int64_t key[2] = {edge_key(u, w), 0};
  const int64_t *hit = bsearch(key, table, (size_t)n, 2 * sizeof(int64_t), compare_edge_key);
  return hit ? (int32_t)hit[1] : -1;
}

static PetscErrorCode crossings_make(const MtCells *c, Crossing **list, int *n) {
  int64_t *table;
  *n = c->face_start[c->nfaces];
  PetscCall(edge_table(c, &table));
  PetscCall(PetscMalloc1((size_t)*n + 1, list));
  for (int f = 0, k = 0; f < c->nfaces; f++) {
    int s = c->face_start[f], m = c->face_start[f + 1] - s;
    for (int i = 0; i < m; i++, k++) {
      int32_t u = c->face_vertex[s + i], w = c->face_vertex[s + (i + 1) % m], a = c->face_cells[2 * f],
              b = c->face_cells[2 * f + 1];
      int32_t e = edge_find(table, c->nedges, u, w);
      if (e < 0) return mt_error(MT_ERR_FAIL, "cell complex: face %d has a side %d-%d that is no edge", f, u, w);
      bool along = u == c->edge[2 * e];
      (*list)[k] = (Crossing){e, along ? a : b, along ? b : a};
    }
  }
  qsort(*list, (size_t)*n, sizeof(Crossing), compare_crossing);
  return PetscFree(table);
}

/* Walks from crossing to crossing of one edge; list sorted by `from`, so walls come first: an open fan starts at its
 * wall. */
static int ring_walk(const Crossing *list, int n, int32_t *ring, int8_t *corner) {
  int count = 0, at = 0;
  bool open = list[0].from < 0;
  *corner = 0;
  if (!open) ring[count++] = list[0].from;
  for (int step = 0; step < n; step++) {
    int32_t g = list[at].to;
    if (g < 0) {
      *corner = open && g != list[0].from;
      return count;
    }
    if (!open && g == ring[0]) return count;
    if (count == n + 1) return -1;
    ring[count++] = g;
    for (at = 0; at < n && list[at].from != g; at++) {}
    if (at == n) return -1;
  }
  return -1;
}

static PetscErrorCode rings_make(const MtCells *c, MtTopology *t) {
  Crossing *list;
  int n;
  PetscCall(crossings_make(c, &list, &n));
  PetscCall(PetscCalloc1((size_t)c->nedges + 1, &t->ring_start));
  PetscCall(PetscCalloc1((size_t)c->nedges + 1, &t->ring_corner));
  PetscCall(PetscMalloc1((size_t)(n + c->nedges) + 1, &t->ring));
  for (int e = 0, at = 0; e < c->nedges; e++) {
    int end = at;
    while (end < n && list[end].edge == e) end++;
    int k = end > at ? ring_walk(list + at, end - at, t->ring + t->ring_start[e], t->ring_corner + e) : -1;
    if (k < 1 || k > MT_GB_MAX_RING - 1)
      return mt_error(MT_ERR_FAIL, "cell complex: the faces around edge %d (of %d) do not close", e, end - at);
    if (k < 2) t->ring_corner[e] = 0; /* a box edge inside one grain */
    t->ring_start[e + 1] = t->ring_start[e] + k;
    at = end;
  }
  return PetscFree(list);
}

static PetscErrorCode vertex_edges_make(const MtCells *c, MtTopology *t) {
  PetscCall(PetscCalloc1((size_t)c->nvertices + 2, &t->vertex_edge_start));
  PetscCall(PetscMalloc1(2 * (size_t)c->nedges + 1, &t->vertex_edge));
  int32_t *start = t->vertex_edge_start;
  for (int i = 0; i < 2 * c->nedges; i++) start[c->edge[i] + 2]++;
  for (int v = 0; v < c->nvertices; v++) start[v + 2] += start[v + 1];
  for (int i = 0; i < 2 * c->nedges; i++) t->vertex_edge[start[c->edge[i] + 1]++] = i / 2;
  return 0;
}

/* Grains with a face at v on each of the walls in `walls`. */
static bool some_grain_fills_corner(const MtCells *c, int v) {
  int walls = (unsigned char)c->walls[v];
  for (int g = 0; g < c->ngrains; g++) {
    int have = 0;
    for (int f = 0; f < c->nfaces; f++) {
      if (c->face_cells[2 * f] != g || c->face_cells[2 * f + 1] >= 0) continue;
      for (int i = c->face_start[f]; i < c->face_start[f + 1]; i++)
        if (c->face_vertex[i] == v) have |= 1 << (-c->face_cells[2 * f + 1] - 1);
    }
    if ((have & walls) == walls) return true;
  }
  return false;
}

static PetscErrorCode vertex_corners_make(const MtCells *c, MtTopology *t) {
  PetscCall(PetscCalloc1((size_t)c->nvertices + 1, &t->vertex_corner));
  for (int e = 0; e < c->nedges; e++)
    if (t->ring_corner[e]) t->vertex_corner[c->edge[2 * e]] = t->vertex_corner[c->edge[2 * e + 1]] = 1;
  for (int v = 0; v < c->nvertices; v++) {
    int n = 0;
    for (int b = 0; b < 6; b++) n += c->walls[v] >> b & 1;
    if (n == 3 && !some_grain_fills_corner(c, v)) t->vertex_corner[v] = 1;
  }
  return 0;
}

PetscErrorCode mt_topology_make(const MtCells *c, MtTopology *t) {
  memset(t, 0, sizeof *t);
  PetscCall(rings_make(c, t));
  PetscCall(vertex_edges_make(c, t));
  PetscCall(vertex_corners_make(c, t));
  return 0;
}

void mt_topology_free(MtTopology *t) {
  (void)PetscFree(t->ring_start);
  (void)PetscFree(t->ring);
  (void)PetscFree(t->ring_corner);
  (void)PetscFree(t->vertex_edge_start);
  (void)PetscFree(t->vertex_edge);
  (void)PetscFree(t->vertex_corner);
}

typedef struct {
  int32_t grain, next, previous; /* of the vertex in the loop of the grain's face on the wall */
} Sector;

static int sectors_find(const MtCells *c, int v, int wall, Sector *s) {
  int n = 0;
  for (int f = 0; f < c->nfaces && n < MT_GB_MAX_RING; f++) {
    if (c->face_cells[2 * f + 1] != -(wall + 1)) continue;
    int start = c->face_start[f], m = c->face_start[f + 1] - start;
    for (int i = 0; i < m; i++)
      if (c->face_vertex[start + i] == v)
        s[n++] = (Sector){c->face_cells[2 * f], c->face_vertex[start + (i + 1) % m],
                          c->face_vertex[start + (i + m - 1) % m]};
  }
  return n;
}

int mt_topology_wall_ring(const MtCells *c, const MtTopology *t, int v, int wall, int32_t grains[MT_GB_MAX_RING]) {
  Sector s[MT_GB_MAX_RING];
  int n = sectors_find(c, v, wall, s), at = 0, count = 0;
  bool open = false;
  for (int i = 0; i < n; i++) { /* an open chain starts where nobody comes before */
    bool preceded = false;
    for (int j = 0; j < n; j++) preceded |= s[j].previous == s[i].next;
    if (!preceded) at = i, open = true;
  }
  for (int step = 0; step < n; step++) {
    grains[count++] = s[at].grain;
    int j = 0;
    while (j < n && s[j].next != s[at].previous) j++;
    if (j == n) break;
    at = j;
  }
  if (open && t->vertex_corner[v] && count < MT_GB_MAX_RING) grains[count++] = -1;
  return count;
}
