/* The pieces of the layer between grains.  Around a boundary triangle there are two grains, around an edge of a triple
 * line three, at a quadruple point four; a piece is the product of that triangle, edge or point with the simplex of its
 * grains, cut into tets along the staircases of its corners.  Neighbours agree, since nodes and grains are ordered. */
#include "magtwin/memory.h"
#include "voxel_phase.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int position(const MtVoxelNode *v, int32_t grain) {
  for (int i = 0; i < v->ngrains; i++)
    if (v->grain[i] == grain) return i;
  return -1;
}

int64_t mt_copy_of(const MtVoxelMesh *m, const int64_t *first, int64_t v, int32_t grain) {
  return first[v] + (first[v + 1] - first[v] > 1 ? position(m->node + v, grain) : 0);
}

/* ---- finding them */

typedef struct {
  MtPiece *list;
  int64_t n, room;
} Pieces;

static MtPiece *piece_add(Pieces *p, int nnodes, int ngrains) {
  if (p->n == p->room) p->list = mt_realloc(p->list, (size_t)(p->room = 2 * p->room + 1024) * sizeof *p->list);
  MtPiece *now = p->list + p->n++;
  memset(now, 0, sizeof *now);
  for (int i = 0; i < 4; i++) now->grain[i] = -1;
  now->nnodes = nnodes, now->ngrains = ngrains;
  return now;
}

static void sort_nodes(MtPiece *p) {
  for (int i = 0; i < p->nnodes; i++)
    for (int j = i + 1; j < p->nnodes; j++)
      if (p->node[j] < p->node[i]) {
        const int64_t s = p->node[i];
        p->node[i] = p->node[j], p->node[j] = s;
      }
}

static void centre_of(const MtVoxelMesh *m, int n, const int64_t *v, double c[3]) {
  for (int k = 0; k < 3; k++) {
    c[k] = 0;
    for (int i = 0; i < n; i++) c[k] += m->node[v[i]].x[k] / n;
  }
}

/* Grains that both nodes have, ascending. */
static int common(const MtVoxelNode *a, const MtVoxelNode *b, int32_t grain[4]) {
  int n = 0;
  for (int i = 0; i < a->ngrains; i++)
    if (position(b, a->grain[i]) >= 0) grain[n++] = a->grain[i];
  return n;
}

/* Where the tet of one grain lies, seen from the piece. */
static void add_direction(const MtVoxelMesh *m, int64_t t, MtPiece *p) {
  double from[3], to[3];
  centre_of(m, p->nnodes, p->node, from);
  centre_of(m, 4, m->tet + 4 * t, to);
  for (int i = 0; i < p->ngrains; i++)
    for (int k = 0; k < 3 && p->grain[i] == m->grain[t]; k++) p->toward[i][k] += to[k] - from[k];
}

static void triangle_of(const MtVoxelMesh *m, int64_t t, Pieces *p) {
  int corner = 0;
  const int32_t q = mt_voxel_behind(m, t, &corner);
  double y[4][3], normal[4][3];
  if (q <= m->grain[t]) return;
  MtPiece *now = piece_add(p, 3, 2);
  for (int i = 0; i < 3; i++) now->node[i] = m->tet[4 * t + ((corner + 1 + i) & 3)];
  sort_nodes(now);
  now->grain[0] = m->grain[t], now->grain[1] = q;
  for (int i = 0; i < 4; i++) memcpy(y[i], m->node[m->tet[4 * t + i]].x, sizeof y[i]);
  mt_tet_normals((const double(*)[3])y, normal);
  for (int k = 0; k < 3; k++) now->toward[0][k] = normal[corner][k] / 2, now->toward[1][k] = -normal[corner][k] / 2;
}

/* An entry for every tet at an edge or a point; merged later. */
static void edges_and_points_of(const MtVoxelMesh *m, int64_t t, Pieces *p) {
  const int64_t *v = m->tet + 4 * t;
  int32_t grain[4];
  for (int e = 0; e < 6; e++) {
    const int64_t a = v[mt_voxel_edge[e][0]], b = v[mt_voxel_edge[e][1]];
    if (m->node[a].ngrains < 3 || m->node[b].ngrains < 3 || common(m->node + a, m->node + b, grain) < 3) continue;
    MtPiece *now = piece_add(p, 2, 3);
    now->node[0] = a, now->node[1] = b;
    sort_nodes(now);
    memcpy(now->grain, grain, 3 * sizeof *grain);
    add_direction(m, t, now);
  }
  for (int k = 0; k < 4; k++) {
    if (m->node[v[k]].ngrains < 4) continue;
    MtPiece *now = piece_add(p, 1, 4);
    now->node[0] = v[k];
    memcpy(now->grain, m->node[v[k]].grain, sizeof now->grain);
    add_direction(m, t, now);
  }
}

static int compare_piece(const void *a, const void *b) {
  const MtPiece *p = a, *q = b;
  if (p->ngrains != q->ngrains) return p->ngrains < q->ngrains ? -1 : 1;
  for (int i = 0; i < p->nnodes; i++)
    if (p->node[i] != q->node[i]) return p->node[i] < q->node[i] ? -1 : 1;
  return 0;
}

MtPiece *mt_pieces_find(const MtVoxelMesh *m, int64_t *n) {
  Pieces p = {0};
  int64_t kept = 0;
  for (int64_t t = 0; t < m->nt; t++) triangle_of(m, t, &p);
  for (int64_t t = 0; t < m->nt; t++) edges_and_points_of(m, t, &p);
  if (p.n) qsort(p.list, (size_t)p.n, sizeof *p.list, compare_piece);
  for (int64_t i = 0; i < p.n; i++) {
    MtPiece *last = p.list + kept - 1;
    if (!kept || compare_piece(p.list + i, last))
      p.list[kept++] = p.list[i];
    else
      for (int k = 0; k < 12; k++) last->toward[k / 3][k % 3] += p.list[i].toward[k / 3][k % 3];
  }
  *n = kept;
  return p.list;
}

/* ---- tets */

/* Staircase number s: at each corner either the node or the grain goes on; bit i of `way` set: the grain. */
static bool staircase(const MtPiece *p, unsigned way, int node[4], int grain[4]) {
  int a = 0, b = 0;
  node[0] = grain[0] = 0;
  for (int i = 0; i < 3; i++) {
    if (way & 1u << i)
      b++;
    else
      a++;
    node[i + 1] = a, grain[i + 1] = b;
  }
  return a == p->nnodes - 1 && b == p->ngrains - 1;
}

/* Which way round, from nodes a little apart along the directions of their grains. */
static bool turned(const MtVoxelMesh *m, const MtPiece *p, const int node[4], const int grain[4]) {
  double y[4][3];
  for (int i = 0; i < 4; i++) {
    const double *d = p->toward[grain[i]], length = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    for (int k = 0; k < 3; k++) y[i][k] = m->node[p->node[node[i]]].x[k] + .1 * m->a * d[k] / fmax(length, 1e-300);
  }
  return mt_tet_volume((const double(*)[3])y) < 0;
}

static void piece_cut(const MtVoxelMesh *m, const int64_t *first, const MtPiece *p, MtTets *out) {
  int node[4], grain[4];
  for (unsigned way = 0; way < 8; way++) {
    if (!staircase(p, way, node, grain)) continue;
    const bool swap = turned(m, p, node, grain);
    for (int i = 0; i < 4; i++) {
      const int k = swap && i < 2 ? 1 - i : i;
      out->tet[4 * out->nt + i] = mt_copy_of(m, first, p->node[node[k]], p->grain[grain[k]]);
    }
    out->region[out->nt++] = p->region;
  }
}

PetscErrorCode mt_pieces_cut(const MtVoxelMesh *m, const int64_t *first, int64_t n, const MtPiece *piece, MtTets *out) {
  PetscCall(mt_tets_reserve(out, first[m->nv], m->nt + 3 * n));
  out->nv = first[m->nv];
  for (int64_t t = 0; t < m->nt; t++) {
    for (int k = 0; k < 4; k++) out->tet[4 * t + k] = mt_copy_of(m, first, m->tet[4 * t + k], m->grain[t]);
    out->region[t] = m->grain[t];
  }
  out->nt = m->nt;
  for (int64_t i = 0; i < n; i++) piece_cut(m, first, piece + i, out);
  return 0;
}

/* ---- regions: one for each set of grains */

static int compare_set(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  const int n = (p[2] >= 0) + (p[3] >= 0), l = (q[2] >= 0) + (q[3] >= 0);
  if (n != l) return n < l ? -1 : 1;
  for (int i = 0; i < 4; i++)
    if (p[i] != q[i]) return p[i] < q[i] ? -1 : 1;
  return 0;
}

void mt_pieces_regions(int ngrains, int64_t n, MtPiece *piece, MtRegions *r) {
  static const MtRegionKind kind[5] = {MT_REGION_AIR, MT_REGION_GRAIN, MT_REGION_GB, MT_REGION_TRIPLE,
                                       MT_REGION_JUNCTION};
  int32_t(*set)[4] = mt_malloc((size_t)n * sizeof *set);
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i++) memcpy(set[i], piece[i].grain, sizeof set[i]);
  if (n) qsort(set, (size_t)n, sizeof *set, compare_set);
  for (int64_t i = 0; i < n; i++)
    if (!kept || compare_set(set[i], set[kept - 1])) memmove(set[kept++], set[i], sizeof *set);
  mt_regions_alloc(ngrains + (int)kept + 1, r);
  for (int32_t g = 0; g < ngrains; g++) mt_regions_add(r, MT_REGION_GRAIN, 1, &g, -1);
  for (int64_t i = 0; i < kept; i++) {
    const int count = 2 + (set[i][2] >= 0) + (set[i][3] >= 0);
    mt_regions_add(r, kind[count], count, set[i], -1);
  }
  mt_regions_add(r, MT_REGION_AIR, 0, set[0], -1);
  for (int64_t i = 0; i < n; i++) {
    const int32_t *at = bsearch(piece[i].grain, set, (size_t)kept, sizeof *set, compare_set);
    piece[i].region = ngrains + (int32_t)((at - set[0]) / 4);
  }
  free(set);
}
