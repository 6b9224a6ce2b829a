/* This rank's tets of the lattice, their cuts and where these belong: on the surface where two indicators are equal,
 * the line of three, the point of four.  First the cuts lie near the middle of edges, faces and tets, so that all tets
 * are good; the distance to where they belong is left to the relaxation. */
#include "magtwin/memory.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SECANTS = 6, NEWTONS = 4 };
static const double least_part = .25;   /* of an edge on each side of its cut */
static const double least_weight = .15; /* of each corner in a cut of a face or tet */
static const double farthest = .5;      /* of the spacing: from the middle of a face or tet to where its cut belongs */

typedef struct {
  const MtField *f;
  const MtLattice *l;
  MtVoxelMesh *m;
  int64_t nkeys, room_keys, room_t;
  int64_t (*key)[4]; /* of nodes, many more than once */
} Cut;

/* ---- tets of the lattice: an edge between two centres, or from a centre to the wall, and an edge of the face between
 */

typedef void (*TetAction)(Cut *c, const int64_t id[4]);

static void around_face(Cut *c, const int centre[3], int d, int side, TetAction action) {
  static const int turn[5][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}};
  const MtLattice *l = c->l;
  int far[3] = {centre[0], centre[1], centre[2]}, q[2][3];
  const int plane = centre[d] + side;
  far[d] = plane == 0 || plane == 2 * l->n[d] ? plane : centre[d] + 2 * side;
  for (int t = 0; t < 4; t++) {
    for (int e = 0; e < 2; e++) {
      q[e][d] = plane;
      for (int s = 0; s < 2; s++) q[e][(d + 1 + s) % 3] = centre[(d + 1 + s) % 3] + turn[t + e][s];
    }
    const int64_t id[4] = {mt_lattice_id(l, centre[0], centre[1], centre[2]), mt_lattice_id(l, far[0], far[1], far[2]),
                           mt_lattice_id(l, q[0][0], q[0][1], q[0][2]), mt_lattice_id(l, q[1][0], q[1][1], q[1][2])};
    action(c, id);
  }
}

/* A face between two cells belongs to the one before it. */
static void each_tet(Cut *c, TetAction action) {
  for (int k = c->l->k0; k < c->l->k1; k++)
    for (int j = 0; j < c->l->n[1]; j++)
      for (int i = 0; i < c->l->n[0]; i++) {
        const int centre[3] = {2 * i + 1, 2 * j + 1, 2 * k + 1};
        for (int d = 0; d < 3; d++) {
          around_face(c, centre, d, 1, action);
          if (centre[d] == 1) around_face(c, centre, d, -1, action);
        }
      }
}

static int compare_id(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The 15 keys of a tet with ascending id; those that are no nodes have key[0] = -1. */
static void keys_of(const Cut *c, const int64_t id[4], int32_t label[4], int64_t key[15][4]) {
  memset(key, -1, 15 * sizeof *key);
  for (int i = 0; i < 4; i++) label[i] = c->l->label[mt_lattice_at(c->l, id[i])], key[i][0] = id[i];
  for (int e = 0; e < 6; e++) {
    const int *v = mt_voxel_edge[e];
    if (label[v[0]] != label[v[1]]) key[4 + e][0] = id[v[0]], key[4 + e][1] = id[v[1]];
  }
  int faces = 0;
  for (int i = 0; i < 4; i++) {
    const int v[3] = {i == 0, 1 + (i <= 1), 2 + (i <= 2)};
    if (label[v[0]] == label[v[1]] || label[v[0]] == label[v[2]] || label[v[1]] == label[v[2]]) continue;
    for (int k = 0; k < 3; k++) key[10 + i][k] = id[v[k]];
    faces++;
  }
  if (faces == 4) memcpy(key[14], id, sizeof key[14]);
}

/* ---- nodes */

static void add_keys(Cut *c, const int64_t id[4]) {
  int64_t sorted[4], key[15][4];
  int32_t label[4];
  memcpy(sorted, id, sizeof sorted);
  qsort(sorted, 4, sizeof *sorted, compare_id);
  keys_of(c, sorted, label, key);
  if (c->nkeys + 15 > c->room_keys) {
    c->room_keys = 2 * c->room_keys + 4096;
    c->key = mt_realloc(c->key, (size_t)c->room_keys * sizeof *c->key);
  }
  for (int i = 0; i < 15; i++)
    if (key[i][0] >= 0) memcpy(c->key[c->nkeys++], key[i], sizeof key[i]);
}

static int compare_key(const void *a, const void *b) {
  const int64_t *p = a, *q = b;
  for (int k = 0; k < 4; k++)
    if (p[k] != q[k]) return p[k] < q[k] ? -1 : 1;
  return 0;
}

static int compare_node(const void *a, const void *b) {
  return compare_key(((const MtVoxelNode *)a)->key, ((const MtVoxelNode *)b)->key);
}

static void nodes_make(Cut *c) {
  int64_t kept = 0;
  if (c->nkeys) qsort(c->key, (size_t)c->nkeys, sizeof *c->key, compare_key);
  for (int64_t i = 0; i < c->nkeys; i++)
    if (!i || compare_key(c->key[i], c->key[kept - 1])) memmove(c->key[kept++], c->key[i], sizeof *c->key);
  c->m->nv = kept;
  c->m->node = mt_calloc((size_t)kept, sizeof *c->m->node);
  for (int64_t i = 0; i < kept; i++) memcpy(c->m->node[i].key, c->key[i], sizeof *c->key);
  free(c->key);
}

/* ---- where a node is, and where it belongs */

/* Planes of equal values of grain[0] and each other, to first order at x. */
static void planes_at(const Cut *c, const double x[3], MtVoxelNode *v) {
  MtMix mix;
  mt_field_at(c->f, x, &mix);
  const int p = mt_mix_find(&mix, v->grain[0]);
  v->nplanes = v->ngrains - 1;
  memset(v->n, 0, sizeof v->n), memset(v->c, 0, sizeof v->c);
  for (int i = 0; i < v->nplanes && p >= 0; i++) {
    const int q = mt_mix_find(&mix, v->grain[i + 1]);
    double length = 0;
    if (q < 0) continue; /* not near any more: no plane */
    for (int k = 0; k < 3; k++) v->n[i][k] = mix.slope[q][k] - mix.slope[p][k], length += v->n[i][k] * v->n[i][k];
    length = fmax(sqrt(length), 1e-300);
    v->c[i] = (mix.value[p] - mix.value[q]) / length;
    for (int k = 0; k < 3; k++) v->n[i][k] /= length, v->c[i] += v->n[i][k] * x[k];
  }
}

static double difference(const Cut *c, const MtVoxelNode *v, const double x[3]) {
  MtMix mix;
  mt_field_at(c->f, x, &mix);
  const int p = mt_mix_find(&mix, v->grain[0]), q = mt_mix_find(&mix, v->grain[1]);
  return (p < 0 ? -1 : mix.value[p]) - (q < 0 ? -1 : mix.value[q]);
}

/* Coordinates that all corners share keep their bits: walls stay flat. */
static void between(const Cut *c, const MtVoxelNode *v, const double *weight, double x[3]) {
  const double *first = c->l->x + 3 * mt_lattice_at(c->l, v->key[0]);
  for (int k = 0; k < 3; k++) {
    bool same = true;
    x[k] = 0;
    for (int i = 0; i < v->ngrains; i++) {
      const double *at = c->l->x + 3 * mt_lattice_at(c->l, v->key[i]);
      x[k] += weight[i] * at[k];
      same = same && at[k] == first[k];
    }
    if (same) x[k] = first[k];
  }
}

/* False position with halved end values (Illinois) from the first corner to the second. */
static void cut_edge(const Cut *c, MtVoxelNode *v) {
  const bool first_is_0 = c->l->label[mt_lattice_at(c->l, v->key[0])] == v->grain[0];
  double lo = 0, hi = 1, w[2] = {1, 0}, x[3], flo, fhi, s = .5;
  between(c, v, w, x), flo = difference(c, v, x) * (first_is_0 ? 1 : -1);
  w[0] = 0, w[1] = 1;
  between(c, v, w, x), fhi = difference(c, v, x) * (first_is_0 ? 1 : -1);
  for (int step = 0; step < SECANTS; step++) {
    s = flo - fhi > 0 ? lo + (hi - lo) * fmin(fmax(flo / (flo - fhi), .02), .98) : .5;
    w[0] = 1 - s, w[1] = s;
    between(c, v, w, x);
    const double f = difference(c, v, x) * (first_is_0 ? 1 : -1);
    if (f > 0)
      lo = s, flo = f, fhi /= 2;
    else
      hi = s, fhi = f, flo /= 2;
  }
  planes_at(c, x, v);
  s = fmin(fmax(s, least_part), 1 - least_part);
  w[0] = 1 - s, w[1] = s;
  between(c, v, w, v->x);
}

/* Weights of the corners nearest to x, none below the least. */
static void weights_of(const Cut *c, const MtVoxelNode *v, const double x[3], double *w) {
  const int n = v->ngrains - 1;
  const double *o = c->l->x + 3 * mt_lattice_at(c->l, v->key[0]);
  double e[3][3], a[3][3], b[3] = {0, 0, 0}, sum = 0;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 3; k++) e[i][k] = c->l->x[3 * mt_lattice_at(c->l, v->key[i + 1]) + k] - o[k];
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < 3; k++) b[i] += e[i][k] * (x[k] - o[k]);
    for (int j = 0; j < n; j++) a[i][j] = e[i][0] * e[j][0] + e[i][1] * e[j][1] + e[i][2] * e[j][2];
  }
  mt_small_solve(n, a, b);
  w[0] = 1;
  for (int i = 0; i < n; i++) w[i + 1] = b[i], w[0] -= b[i];
  for (int i = 0; i <= n; i++) w[i] = fmax(w[i], least_weight), sum += w[i];
  for (int i = 0; i <= n; i++) w[i] /= sum;
}

static void cut_inside(const Cut *c, MtVoxelNode *v) {
  const double n = v->ngrains, most = farthest * (c->l->a[0] + c->l->a[1] + c->l->a[2]) / 3;
  double w[4] = {1 / n, 1 / n, 1 / n, 1 / n}, from[3], x[3], d[3], gap[3];
  between(c, v, w, from);
  memcpy(x, from, sizeof x);
  for (int step = 0; step < NEWTONS; step++) {
    double length = 0;
    planes_at(c, x, v);
    for (int k = 0; k < 3; k++) d[k] = 0;
    for (int i = 0; i < v->nplanes; i++) gap[i] = v->c[i] - v->n[i][0] * x[0] - v->n[i][1] * x[1] - v->n[i][2] * x[2];
    mt_planes_reach(v->nplanes, (const double(*)[3])v->n, gap, 0, d);
    for (int k = 0; k < 3; k++) d[k] += x[k] - from[k], length += d[k] * d[k];
    length = sqrt(length);
    for (int k = 0; k < 3; k++) x[k] = from[k] + d[k] * fmin(1, most / fmax(length, 1e-300));
  }
  planes_at(c, x, v);
  weights_of(c, v, x, w);
  between(c, v, w, v->x);
}

static int compare_grain(const void *a, const void *b) {
  return (*(const int32_t *)a > *(const int32_t *)b) - (*(const int32_t *)a < *(const int32_t *)b);
}

static void place(const Cut *c, MtVoxelNode *v) {
  v->ngrains = 0, v->nplanes = 0;
  for (int k = 0; k < 4; k++) v->grain[k] = -1;
  while (v->ngrains < 4 && v->key[v->ngrains] >= 0) {
    v->grain[v->ngrains] = c->l->label[mt_lattice_at(c->l, v->key[v->ngrains])];
    v->ngrains++;
  }
  qsort(v->grain, (size_t)v->ngrains, sizeof *v->grain, compare_grain);
  if (v->ngrains == 1)
    memcpy(v->x, c->l->x + 3 * mt_lattice_at(c->l, v->key[0]), sizeof v->x);
  else if (v->ngrains == 2)
    cut_edge(c, v);
  else
    cut_inside(c, v);
}

/* ---- tets */

static void add_tets(Cut *c, const int64_t id[4]) {
  int64_t sorted[4], key[15][4], number[15];
  int32_t label[4], grain[24];
  double x[15][3];
  int tet[24][4];
  MtVoxelMesh *m = c->m;
  memcpy(sorted, id, sizeof sorted);
  qsort(sorted, 4, sizeof *sorted, compare_id);
  keys_of(c, sorted, label, key);
  memset(x, 0, sizeof x);
  for (int i = 0; i < 15; i++) {
    MtVoxelNode want = {.ngrains = 0};
    if (key[i][0] < 0) continue;
    memcpy(want.key, key[i], sizeof key[i]);
    const MtVoxelNode *at = bsearch(&want, m->node, (size_t)m->nv, sizeof want, compare_node);
    number[i] = at - m->node;
    memcpy(x[i], at->x, sizeof x[i]);
  }
  const int n = mt_voxel_stencil(label, (const double(*)[3])x, tet, grain);
  if (m->nt + n > c->room_t) {
    c->room_t = 2 * c->room_t + 4096;
    m->tet = mt_realloc(m->tet, 4 * (size_t)c->room_t * sizeof *m->tet);
    m->grain = mt_realloc(m->grain, (size_t)c->room_t * sizeof *m->grain);
  }
  for (int t = 0; t < n; t++, m->nt++) {
    for (int k = 0; k < 4; k++) m->tet[4 * m->nt + k] = number[tet[t][k]];
    m->grain[m->nt] = grain[t];
  }
}

void mt_voxel_cut(const MtField *f, const MtLattice *l, MtVoxelMesh *m) {
  Cut c = {.f = f, .l = l, .m = m};
  memset(m, 0, sizeof *m);
  memcpy(m->box, l->box, sizeof m->box);
  m->a = (l->a[0] + l->a[1] + l->a[2]) / 3;
  each_tet(&c, add_keys);
  nodes_make(&c);
  for (int64_t v = 0; v < m->nv; v++) place(&c, m->node + v);
  each_tet(&c, add_tets);
}

void mt_voxel_free(MtVoxelMesh *m) {
  free(m->node), free(m->tet), free(m->grain);
  memset(m, 0, sizeof *m);
}
