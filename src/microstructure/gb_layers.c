/* The tetrahedra of the GB phase.  All points that come from one surface node are points of a lattice: barycentric
 * coordinates over the node's copies in steps of 1/layers.  An interface triangle gives one prism per layer; a
 * triple-line segment the product of a lattice triangle and the segment; a junction's tets are cut by the same lattice,
 * so that everything fits.  Prisms are cut into three tets, each side from its smallest node number (Dompierre, Labbe,
 * Vallet, Camarero, 8th Int. Meshing Roundtable (1999) 195), so that neighbours agree. */
#include "gb.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <stdlib.h>

typedef MtLatticePoint Key;

typedef struct {
  const MtCells *c;
  const MtSurface *s;
  const MtTopology *t;
  const MtCopies *q;
  int layers;
  int32_t pocket; /* region of the first pocket, -1: elements of pockets stay with their boundary, line or point */
  MtTets *m;
  Key *key;       /* open addressing */
  int64_t *value; /* node, -1: free */
  size_t room, used;
} Lattice;

/* ---- growing */

PetscErrorCode mt_tets_reserve(MtTets *m, int64_t nv, int64_t nt) {
  if (nv > m->cap_v) {
    m->cap_v = nv + nv / 2 + 1024;
    m->x = mt_realloc(m->x, 3 * (size_t)m->cap_v * sizeof(double));
    if (m->track) m->from = mt_realloc(m->from, (size_t)m->cap_v * sizeof *m->from);
  }
  if (nt > m->cap_t) {
    m->cap_t = nt + nt / 2 + 1024;
    m->tet = mt_realloc(m->tet, 4 * (size_t)m->cap_t * sizeof(int64_t));
    m->region = mt_realloc(m->region, (size_t)m->cap_t * sizeof(int32_t));
  }
  return 0;
}

void mt_tets_free(MtTets *m) {
  free(m->x), free(m->tet), free(m->region), free(m->from);
  memset(m, 0, sizeof *m);
}

static PetscErrorCode add_node(MtTets *m, const double x[3], int64_t *id) {
  PetscCall(mt_tets_reserve(m, m->nv + 1, 0));
  memcpy(m->x + 3 * m->nv, x, 3 * sizeof(double));
  if (m->track) m->from[m->nv].corner[0] = -1;
  *id = m->nv++;
  return 0;
}

/* Flat by construction: all four nodes in one wall, as where a triple line on the wall ends at a vertex whose grains
 * all reach the wall.  Such a tet has its place in no volume; what is beside it fits without it. */
static bool flat_on_wall(const MtTets *m, int64_t a, int64_t b, int64_t c, int64_t d) {
  for (int k = 0; k < 3; k++) {
    double x = m->x[3 * a + k];
    if (x == m->x[3 * b + k] && x == m->x[3 * c + k] && x == m->x[3 * d + k]) return true;
  }
  return false;
}

static PetscErrorCode add_tet(MtTets *m, int64_t a, int64_t b, int64_t c, int64_t d, int32_t region) {
  if (a == b || a == c || a == d || b == c || b == d || c == d) return 0; /* where grains touch the layer ends */
  if (flat_on_wall(m, a, b, c, d)) return 0;
  PetscCall(mt_tets_reserve(m, 0, m->nt + 1));
  memcpy(m->tet + 4 * m->nt, (int64_t[4]){a, b, c, d}, 4 * sizeof(int64_t));
  m->region[m->nt++] = region;
  return 0;
}

/* ---- lattice points */

static size_t key_hash(const Key *k) {
  uint64_t h = 0x9e3779b97f4a7c15u;
  for (int i = 0; i < 4; i++) {
    h ^= (uint64_t)(k->corner[i] + 2) * 64 + (uint64_t)k->weight[i];
    h *= 0xbf58476d1ce4e5b9u;
    h ^= h >> 31;
  }
  return (size_t)h;
}

static bool key_same(const Key *a, const Key *b) {
  for (int i = 0; i < 4; i++)
    if (a->corner[i] != b->corner[i] || a->weight[i] != b->weight[i]) return false;
  return true;
}

static PetscErrorCode table_grow(Lattice *l) {
  size_t old = l->room;
  Key *key = l->key;
  int64_t *value = l->value;
  l->room = old ? 2 * old : 4096;
  PetscCall(PetscMalloc2(l->room, &l->key, l->room, &l->value));
  for (size_t i = 0; i < l->room; i++) l->value[i] = -1;
  for (size_t i = 0; i < old; i++) {
    if (value[i] < 0) continue;
    size_t at = key_hash(key + i) & (l->room - 1);
    while (l->value[at] >= 0) at = (at + 1) & (l->room - 1);
    l->key[at] = key[i], l->value[at] = value[i];
  }
  return PetscFree2(key, value);
}

/* Sorted by corner, each once, without the corners of weight 0. */
static Key key_make(int n, const int64_t *corner, const int32_t *weight) {
  Key k = {{-1, -1, -1, -1}, {0, 0, 0, 0}};
  int used = 0;
  for (int i = 0; i < n; i++) {
    int j = used, same = 0;
    if (weight[i] == 0) continue;
    while (same < used && k.corner[same] != corner[i]) same++;
    if (same < used) {
      k.weight[same] += weight[i];
      continue;
    }
    for (; j > 0 && k.corner[j - 1] > corner[i]; j--) k.corner[j] = k.corner[j - 1], k.weight[j] = k.weight[j - 1];
    k.corner[j] = corner[i], k.weight[j] = weight[i], used++;
  }
  return k;
}

static void lattice_position(const Lattice *l, const Key *key, double x[3]) {
  for (int k = 0; k < 3; k++) {
    double first = l->m->x[3 * key->corner[0] + k];
    x[k] = first; /* a coordinate common to all corners (a wall's) is kept to the bit */
    for (int i = 1; i < 4 && key->corner[i] >= 0; i++)
      x[k] += (l->m->x[3 * key->corner[i] + k] - first) * key->weight[i] / l->layers;
  }
}

static PetscErrorCode lattice_node(Lattice *l, int n, const int64_t *corner, const int32_t *weight, int64_t *id) {
  Key key = key_make(n, corner, weight);
  double x[3];
  if (key.corner[1] < 0) {
    *id = key.corner[0];
    return 0;
  }
  if (2 * l->used >= l->room) PetscCall(table_grow(l));
  size_t at = key_hash(&key) & (l->room - 1);
  while (l->value[at] >= 0 && !key_same(l->key + at, &key)) at = (at + 1) & (l->room - 1);
  if (l->value[at] < 0) {
    lattice_position(l, &key, x);
    PetscCall(add_node(l->m, x, l->value + at));
    if (l->m->track) l->m->from[l->value[at]] = key;
    l->key[at] = key, l->used++;
  }
  *id = l->value[at];
  return 0;
}

/* ---- prisms */

static int64_t min2(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* p[0..2] below, p[3..5] above, counterclockwise seen from above. */
static PetscErrorCode add_prism(Lattice *l, const int64_t p[6], int32_t region) {
  static const int turn[6][6] = {{0, 1, 2, 3, 4, 5}, {1, 2, 0, 4, 5, 3}, {2, 0, 1, 5, 3, 4},
                                 {3, 5, 4, 0, 2, 1}, {4, 3, 5, 1, 0, 2}, {5, 4, 3, 2, 1, 0}};
  int low = 0;
  int64_t v[6];
  for (int i = 1; i < 6; i++) low = p[i] < p[low] ? i : low;
  for (int i = 0; i < 6; i++) v[i] = p[turn[low][i]];
  if (min2(v[1], v[5]) < min2(v[2], v[4])) {
    PetscCall(add_tet(l->m, v[0], v[1], v[2], v[5], region));
    PetscCall(add_tet(l->m, v[0], v[1], v[5], v[4], region));
  } else {
    PetscCall(add_tet(l->m, v[0], v[1], v[2], v[4], region));
    PetscCall(add_tet(l->m, v[0], v[4], v[2], v[5], region));
  }
  return add_tet(l->m, v[0], v[4], v[5], v[3], region);
}

/* Region of an element that lies between these copies. */
static int32_t region_of(const Lattice *l, int n, const int64_t *copy, int32_t region) {
  const int32_t pocket = l->pocket < 0 ? -1 : mt_copies_pocket(l->q, n, copy);
  return pocket < 0 ? region : l->pocket + pocket;
}

static PetscErrorCode add_interface(Lattice *l, int f, int32_t region) {
  int32_t a = l->c->face_cells[2 * f], b = l->c->face_cells[2 * f + 1];
  for (int k = l->s->face_start[f]; k < l->s->face_start[f + 1]; k++) {
    int64_t six[6];
    for (int i = 0; i < 6; i++) six[i] = mt_copies_find(l->q, l->s->tri[3 * k + i % 3], i < 3 ? a : b);
    const int32_t of = region_of(l, 6, six, region);
    for (int layer = 0; layer < l->layers; layer++) {
      int64_t p[6];
      for (int i = 0; i < 6; i++) {
        const int32_t w = layer + i / 3;
        const int64_t corner[2] = {six[i % 3], six[3 + i % 3]};
        PetscCall(lattice_node(l, 2, corner, (int32_t[2]){l->layers - w, w}, p + i));
      }
      PetscCall(add_prism(l, p, of));
    }
  }
  return 0;
}

/* One small triangle of the lattice, extruded along a segment of a triple line. */
static PetscErrorCode add_lattice_prism(Lattice *l, int64_t corner[2][3], int32_t weight[3][3], int32_t region) {
  int64_t p[6];
  for (int i = 0; i < 6; i++) PetscCall(lattice_node(l, 3, corner[i / 3], weight[i % 3], p + i));
  return add_prism(l, p, region);
}

static PetscErrorCode add_lattice_prisms(Lattice *l, int64_t corner[2][3], int32_t region) {
  int n = l->layers;
  for (int i = 0; i < n; i++)
    for (int j = 0; i + j < n; j++) {
      int k = n - 1 - i - j;
      int32_t up[3][3] = {{i + 1, j, k}, {i, j + 1, k}, {i, j, k + 1}};
      PetscCall(add_lattice_prism(l, corner, up, region));
      if (k == 0) continue;
      int32_t down[3][3] = {{i, j + 1, k}, {i + 1, j, k}, {i + 1, j + 1, k - 1}};
      PetscCall(add_lattice_prism(l, corner, down, region));
    }
  return 0;
}

static PetscErrorCode add_triple_line(Lattice *l, int e, int32_t region) {
  const MtTopology *t = l->t;
  const int32_t *node = l->s->edge_node + l->s->edge_start[e];
  int n = t->ring_start[e + 1] - t->ring_start[e], corners = n + t->ring_corner[e];
  int segments = l->s->edge_start[e + 1] - l->s->edge_start[e] - 1;
  for (int k = 0; k < segments; k++) {
    int64_t around[2 * MT_GB_MAX_RING];
    for (int i = 0; i < 2 * n; i++)
      around[i] = mt_copies_find(l->q, node[k + i / n], t->ring[t->ring_start[e] + i % n]);
    const int32_t of_segment = region_of(l, 2 * n, around, region);
    for (int i = 1; i + 1 < corners; i++) {
      const int of[3] = {0, i, i + 1};
      int64_t corner[2][3];
      for (int m = 0; m < 6; m++) {
        int j = (l->q->first[e] + of[m % 3]) % corners;
        corner[m / 3][m % 3] = mt_copies_find(l->q, node[k + m / 3], j < n ? t->ring[t->ring_start[e] + j] : -1);
      }
      PetscCall(add_lattice_prisms(l, corner, of_segment));
    }
  }
  return 0;
}

/* ---- junctions */

/* Sign of the determinant of four weight vectors: whether the small tet turns as the large one. */
static int turn_of(int32_t w[4][4]) {
  double m[3][3];
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 3; k++) m[i][k] = w[i + 1][k + 1] - w[0][k + 1];
  double d = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
             m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
  return d > 0 ? 1 : -1;
}

static PetscErrorCode add_lattice_tet(Lattice *l, const int64_t corner[4], int32_t w[4][4], int32_t region) {
  int64_t p[4];
  for (int i = 0; i < 4; i++) PetscCall(lattice_node(l, 4, corner, w[i], p + i));
  return turn_of(w) > 0 ? add_tet(l->m, p[0], p[1], p[2], p[3], region) : add_tet(l->m, p[1], p[0], p[2], p[3], region);
}

/* An octahedron of the lattice: base + e_i + e_j, cut around the diagonal from (0,1) to (2,3). */
static PetscErrorCode add_octahedron(Lattice *l, const int64_t corner[4], const int32_t base[4], int32_t region) {
  static const int pair[6][2] = {{0, 1}, {2, 3}, {0, 2}, {0, 3}, {1, 3}, {1, 2}};
  for (int k = 0; k < 4; k++) {
    const int of[4] = {0, 1, 2 + k, 2 + (k + 1) % 4};
    int32_t w[4][4];
    for (int i = 0; i < 4; i++) {
      memcpy(w[i], base, sizeof w[i]);
      w[i][pair[of[i]][0]]++, w[i][pair[of[i]][1]]++;
    }
    PetscCall(add_lattice_tet(l, corner, w, region));
  }
  return 0;
}

static PetscErrorCode add_lattice_tets(Lattice *l, const int64_t corner[4], int32_t region) {
  int n = l->layers;
  for (int i = 0; i < n; i++)
    for (int j = 0; i + j < n; j++)
      for (int k = 0; i + j + k < n; k++) {
        int rest = n - 1 - i - j - k;
        int32_t w[4][4];
        for (int m = 0; m < 16; m++) w[m / 4][m % 4] = (int32_t[4]){i, j, k, rest}[m % 4] + (m / 4 == m % 4);
        PetscCall(add_lattice_tet(l, corner, w, region));
        if (rest >= 1) PetscCall(add_octahedron(l, corner, (int32_t[4]){i, j, k, rest - 1}, region));
        if (rest < 2) continue;
        for (int m = 0; m < 16; m++) w[m / 4][m % 4] = (int32_t[4]){i, j, k, rest - 2}[m % 4] + (m / 4 != m % 4);
        PetscCall(add_lattice_tet(l, corner, w, region));
      }
  return 0;
}

static PetscErrorCode add_junction(Lattice *l, int v, int32_t region) {
  int32_t tet[MT_GB_MAX_STAR][4];
  double x[3], gamma;
  bool center;
  int n = mt_junction_star(l->c, l->t, l->q, v, tet, &center, x, &gamma);
  int64_t middle = -1, around[MT_GB_MAX_RING];
  const int first = l->q->first_copy[v], copies = l->q->first_copy[v + 1] - first;
  for (int i = 0; i < copies && i < MT_GB_MAX_RING; i++) around[i] = first + i;
  region = region_of(l, copies < MT_GB_MAX_RING ? copies : MT_GB_MAX_RING, around, region);
  if (n > 0 && center) PetscCall(add_node(l->m, x, &middle));
  for (int i = 0; i < n; i++) {
    int64_t corner[4];
    for (int k = 0; k < 4; k++) corner[k] = tet[i][k] == l->q->n ? middle : tet[i][k];
    PetscCall(add_lattice_tets(l, corner, region));
  }
  return 0;
}

PetscErrorCode mt_gb_layers(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q, int layers,
                            const int32_t *face_region, const int32_t *edge_region, const int32_t *vertex_region,
                            int32_t pocket, MtTets *m) {
  Lattice l = {c, s, t, q, layers, pocket, m, NULL, NULL, 0, 0};
  PetscCall(mt_tets_reserve(m, q->n, 0));
  memcpy(m->x, q->x, 3 * (size_t)q->n * sizeof(double));
  m->nv = q->n, m->nt = 0;
  for (int f = 0; f < c->nfaces; f++)
    if (face_region[f] >= 0) PetscCall(add_interface(&l, f, face_region[f]));
  for (int e = 0; e < c->nedges; e++)
    if (edge_region[e] >= 0) PetscCall(add_triple_line(&l, e, edge_region[e]));
  for (int v = 0; v < c->nvertices; v++)
    if (vertex_region[v] >= 0) PetscCall(add_junction(&l, v, vertex_region[v]));
  return PetscFree2(l.key, l.value);
}
