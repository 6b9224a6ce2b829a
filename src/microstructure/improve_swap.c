/* Bad tets inside one grain or the air taken out by another cut of the same room: the tets around an edge by those over
 * a triangulation of their ring, the best of all by dynamic programming (3-2, 4-4 and larger swaps; G. T. Klincsek,
 * Ann. Discrete Math. 9 (1980) 121; J. R. Shewchuk, "Two discrete optimization algorithms for the topological
 * improvement of tetrahedral meshes", 2002), or the two tets of a face by three around a new edge. */
#include "improve.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RING_MAX = 8, NEW_MAX = 2 * RING_MAX };
static const double gain = 0.02; /* of the least shape; less is not worth a swap */

typedef struct {
  int nold, nnew;
  int64_t old[RING_MAX], new[NEW_MAX][4];
  double gain;
} Swap;

static double shape_of(const MtImprove *w, const int64_t v[4]) {
  double y[4][3];
  for (int i = 0; i < 4; i++) memcpy(y[i], w->m->x + 3 * v[i], sizeof y[i]);
  if (w->angle > 0 && mt_tet_gamma((const double(*)[3])y) < w->least_ratio) return -1;
  return mt_improve_shape_of(w, (const double(*)[3])y);
}

static bool holds(const int64_t *t, int64_t v) {
  return t[0] == v || t[1] == v || t[2] == v || t[3] == v;
}

static void keep_best(const Swap *s, Swap *best) {
  if (s->gain > best->gain) *best = *s;
}

static double least_old(const MtImprove *w, const Swap *s) {
  double least = 1;
  for (int i = 0; i < s->nold; i++) least = fmin(least, mt_improve_shape(w, s->old[i]));
  return least;
}

/* ---- an edge */

/* The tets around edge a-b in order and the ring of nodes opposite, seen so that (ring i, ring i+1, a, b) is positive.
 * False at a surface, beside another region, or with too many tets. */
static bool ring_walk(const MtImprove *w, int64_t t, int64_t a, int64_t b, Swap *s, int64_t *ring) {
  const int64_t *c = w->m->tet + 4 * t;
  int64_t from = -1, to = -1;
  for (int k = 0; k < 4; k++)
    if (c[k] != a && c[k] != b) from = from < 0 ? c[k] : from, to = c[k];
  if (shape_of(w, (int64_t[4]){from, to, a, b}) < 0) {
    int64_t swap = from;
    from = to, to = swap;
  }
  int64_t now = t, first = from;
  for (s->nold = 0;;) {
    if (s->nold == RING_MAX) return false;
    s->old[s->nold] = now, ring[s->nold++] = from;
    if (to == first) return s->nold >= 3;
    c = w->m->tet + 4 * now;
    int away = 0;
    while (c[away] != from) away++;
    now = mt_improve_behind(w, now, away);
    if (now < 0 || w->m->region[now] != w->m->region[t]) return false;
    from = to;
    for (int k = 0; k < 4; k++) {
      int64_t v = w->m->tet[4 * now + k];
      if (v != a && v != b && v != from) to = v;
    }
  }
}

static double pair_shape(const MtImprove *w, const int64_t *ring, int i, int k, int j, int64_t a, int64_t b) {
  double up = shape_of(w, (int64_t[4]){ring[i], ring[k], ring[j], b});
  return fmin(up, shape_of(w, (int64_t[4]){ring[i], ring[j], ring[k], a}));
}

static void triangles_add(int i, int j, int cut[RING_MAX][RING_MAX], const int64_t *ring, int64_t a, int64_t b,
                          Swap *s) {
  if (j - i < 2) return;
  int k = cut[i][j];
  memcpy(s->new[s->nnew++], (int64_t[4]){ring[i], ring[k], ring[j], b}, sizeof s->new[0]);
  memcpy(s->new[s->nnew++], (int64_t[4]){ring[i], ring[j], ring[k], a}, sizeof s->new[0]);
  triangles_add(i, k, cut, ring, a, b, s);
  triangles_add(k, j, cut, ring, a, b, s);
}

static void try_edge(const MtImprove *w, int64_t t, int64_t a, int64_t b, Swap *best) {
  Swap s = {0};
  int64_t ring[RING_MAX];
  double q[RING_MAX][RING_MAX] = {{0}};
  int cut[RING_MAX][RING_MAX];
  if (!ring_walk(w, t, a, b, &s, ring)) return;
  int n = s.nold;
  for (int i = 0; i + 1 < n; i++) q[i][i + 1] = 1;
  for (int span = 2; span < n; span++)
    for (int i = 0; i + span < n; i++) {
      int j = i + span;
      q[i][j] = -INFINITY, cut[i][j] = i + 1;
      for (int k = i + 1; k < j; k++) {
        double now = fmin(pair_shape(w, ring, i, k, j, a, b), fmin(q[i][k], q[k][j]));
        if (now > q[i][j]) q[i][j] = now, cut[i][j] = k;
      }
    }
  double before = least_old(w, &s);
  s.gain = before > 0 ? q[0][n - 1] - before : 0;
  triangles_add(0, n - 1, cut, ring, a, b, &s);
  keep_best(&s, best);
}

/* ---- a face */

static void try_face(const MtImprove *w, int64_t t, int k, Swap *best) {
  static const int side[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};
  int64_t other = mt_improve_behind(w, t, k);
  if (other < 0 || w->m->region[other] != w->m->region[t]) return;
  const int64_t *c = w->m->tet + 4 * t, top = c[k];
  int64_t bottom = -1, f[3] = {c[side[k][0]], c[side[k][1]], c[side[k][2]]};
  for (int i = 0; i < 4; i++)
    if (!holds(c, w->m->tet[4 * other + i])) bottom = w->m->tet[4 * other + i];
  if (bottom < 0) return;
  Swap s = {.nold = 2, .nnew = 3, .old = {t, other}};
  double least = 1, before = least_old(w, &s);
  for (int i = 0; i < 3; i++) {
    memcpy(s.new[i], (int64_t[4]){f[i], f[(i + 1) % 3], top, bottom}, sizeof s.new[i]);
    if (i == 0 && shape_of(w, s.new[0]) < 0) { /* the face as seen from the other side */
      int64_t swap = f[0];
      f[0] = f[1], f[1] = swap;
      memcpy(s.new[0], (int64_t[4]){f[0], f[1], top, bottom}, sizeof s.new[0]);
    }
    least = fmin(least, shape_of(w, s.new[i]));
  }
  s.gain = before > 0 ? least - before : 0;
  keep_best(&s, best);
}

/* ---- all */

static bool untouched(const MtImprove *w, const Swap *s, const char *touched) {
  for (int i = 0; i < 4 * s->nold; i++)
    if (touched[w->m->tet[4 * s->old[i / 4] + i % 4]]) return false;
  return true;
}

/* Old places are used first; tets that are left over get region -1. */
static PetscErrorCode replace(MtImprove *w, const Swap *s, char *touched) {
  MtMeshData *m = w->m;
  int32_t region = m->region[s->old[0]];
  for (int i = 0; i < 4 * s->nold; i++) touched[m->tet[4 * s->old[i / 4] + i % 4]] = 1;
  if (s->nnew > s->nold) {
    size_t nt = (size_t)(m->nt + s->nnew - s->nold);
    int64_t *tet = realloc(m->tet, 4 * nt * sizeof *tet);
    if (tet) m->tet = tet;
    int32_t *r = realloc(m->region, nt * sizeof *r);
    if (r) m->region = r;
    if (!tet || !r) return PETSC_ERR_MEM;
  }
  for (int i = 0; i < s->nnew; i++) {
    int64_t t = i < s->nold ? s->old[i] : m->nt++;
    memcpy(m->tet + 4 * t, s->new[i], sizeof s->new[i]);
    m->region[t] = region;
  }
  for (int i = s->nnew; i < s->nold; i++) m->region[s->old[i]] = -1;
  w->swaps++;
  return 0;
}

static void compact(MtMeshData *m) {
  int64_t n = 0;
  for (int64_t t = 0; t < m->nt; t++) {
    if (m->region[t] < 0) continue;
    memmove(m->tet + 4 * n, m->tet + 4 * t, 4 * sizeof *m->tet);
    m->region[n++] = m->region[t];
  }
  m->nt = n;
}

static void best_swap(const MtImprove *w, int64_t t, Swap *best) {
  const int64_t *c = w->m->tet + 4 * t;
  MtRegionKind kind = w->m->regions.kind[w->m->region[t]];
  best->gain = gain;
  if (kind != MT_REGION_GRAIN && kind != MT_REGION_AIR) return;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < i; j++) try_edge(w, t, c[i], c[j], best);
  for (int k = 0; k < 4; k++) try_face(w, t, k, best);
}

/* Tets that share a node with a swap of this pass wait for the next one: their lists are out of date. */
PetscErrorCode mt_improve_swap(MtImprove *w, int64_t n, const int64_t *tet, int64_t *count) {
  char *touched = calloc((size_t)w->m->nv, 1);
  int64_t before = w->swaps;
  PetscErrorCode rc = touched ? 0 : PETSC_ERR_MEM;
  for (int64_t i = 0; i < n && !rc; i++) {
    Swap best = {0};
    const int64_t *c = w->m->tet + 4 * tet[i];
    if (touched[c[0]] || touched[c[1]] || touched[c[2]] || touched[c[3]]) continue;
    best_swap(w, tet[i], &best);
    if (best.nold > 0 && untouched(w, &best, touched)) rc = replace(w, &best, touched);
  }
  free(touched);
  *count = w->swaps - before;
  if (rc || *count == 0) return rc;
  compact(w->m);
  w->nsuspects = -1;
  return mt_improve_lists(w);
}
