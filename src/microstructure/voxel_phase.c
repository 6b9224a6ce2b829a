/* A layer between the grains: each node of a boundary gets a copy for each grain there, which moves into its grain
 * until it is half the thickness away from every boundary of that grain.  Where that would spoil a tet the copies stay
 * closer, and try again after the nodes around have moved. */
#include "voxel_phase.h"
#include "magtwin/memory.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { THIN_ROUNDS = 16, GROW_ROUNDS = 6 };
static const double spoilt = .5;      /* score of a tet that thins its nodes at first */
static const double thinner = .75;    /* factor for that */
static const double good = .85;       /* score aimed at, 13 to 151 degrees, */
static const double least_good = .59; /* or 8.8 to 159.6 degrees, */
static const double own_part = .9;    /* or as much of what a flat layer has by itself, in between */
static const double grow_floor = .6;  /* score below which growth may not bring a tet: 9 to 159 degrees */
static const double slack = .008;     /* of the thickness: how far from its planes a copy may stay */
static const double most_lean = 1.3;  /* over half the thickness, where triangles lean */
static const double most_times = 1;   /* thicknesses that a copy goes at most */

typedef struct {
  const MtVoxelMesh *v;
  double thickness;
  int64_t *first; /* [nv+1] */
  int64_t npieces;
  MtPiece *piece;
  double (*normal)[6][4]; /* [nv] between grains i < j of a node, number pair(i, j); from i to j, times area; area */
  double *scale;          /* [nv] of the thickness, at first */
  MtTets *m;
  MtRelax r;
  double *full; /* [3 copies] the way to the whole thickness */
} Phase;

static int pair(int i, int j) {
  static const int number[4][4] = {{-1, 0, 1, 2}, {0, -1, 3, 4}, {1, 3, -1, 5}, {2, 4, 5, -1}};
  return number[i][j];
}

static int position(const MtVoxelNode *v, int32_t grain) {
  int i = 0;
  while (i < v->ngrains - 1 && v->grain[i] != grain) i++;
  return i;
}

static double length_of(const double d[3]) {
  return sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
}

static void normals_make(Phase *p) {
  p->normal = mt_calloc((size_t)p->v->nv, sizeof *p->normal);
  for (int64_t i = 0; i < p->npieces && p->piece[i].ngrains == 2; i++) {
    const MtPiece *t = p->piece + i;
    for (int c = 0; c < 3; c++) {
      const MtVoxelNode *v = p->v->node + t->node[c];
      double *n = p->normal[t->node[c]][pair(position(v, t->grain[0]), position(v, t->grain[1]))];
      for (int k = 0; k < 3; k++) n[k] += t->toward[1][k];
      n[3] += length_of(t->toward[1]);
    }
  }
}

/* Planes that the copy of the i-th grain is to lie on: half the thickness into the grain, and more where the triangles
 * around lean against their common normal, so that the mean of what lies between them is the thickness. */
static void hold_make(const Phase *p, int64_t v, int i, MtHold *h) {
  const MtVoxelNode *o = p->v->node + v;
  h->slack = slack * p->thickness;
  for (int j = 0; j < o->ngrains; j++) {
    if (j == i) continue;
    const double *n = p->normal[v][pair(i, j)], length = (i < j ? -1 : 1) * length_of(n);
    double *to = h->n[h->nplanes];
    if (length == 0) continue;
    h->c[h->nplanes] = p->thickness / 2 * fmin(most_lean, n[3] / fabs(length));
    for (int k = 0; k < 3; k++) to[k] = n[k] / length, h->c[h->nplanes] += to[k] * o->x[k];
    h->nplanes++;
  }
}

/* The way onto the planes, twice: the second time takes away what the ridge left. */
static void way_of(const Phase *p, const MtHold *h, const double x[3], double d[3]) {
  const unsigned walls = mt_relax_walls(&p->r, x);
  double gap[3], length = 0;
  d[0] = d[1] = d[2] = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < h->nplanes; i++) {
      gap[i] = h->c[i];
      for (int k = 0; k < 3; k++) gap[i] -= h->n[i][k] * (x[k] + d[k]);
    }
    mt_planes_reach(h->nplanes, (const double(*)[3])h->n, gap, walls, d);
  }
  for (int k = 0; k < 3; k++) length += d[k] * d[k];
  const double most = most_times * p->thickness;
  for (int k = 0; k < 3 && sqrt(length) > most; k++) d[k] *= most / sqrt(length);
}

static void copies_make(Phase *p) {
  const MtVoxelMesh *v = p->v;
  p->r.hold = mt_calloc((size_t)p->first[v->nv], sizeof *p->r.hold);
  p->full = mt_calloc(3 * (size_t)p->first[v->nv], sizeof *p->full);
  for (int64_t u = 0; u < v->nv; u++) {
    MtHold *h = p->r.hold + p->first[u];
    const int64_t n = p->first[u + 1] - p->first[u];
    for (int64_t i = 0; i < n; i++) memcpy(p->m->x + 3 * (p->first[u] + i), v->node[u].x, 3 * sizeof(double));
    for (int i = 0; i < n && n > 1; i++) {
      hold_make(p, u, i, h + i);
      way_of(p, h + i, v->node[u].x, p->full + 3 * (p->first[u] + i));
    }
    if (n > 1 || v->node[u].ngrains == 1) continue;
    h->nplanes = v->node[u].nplanes, h->slack = .06 * v->a; /* no layer: where the boundary is */
    memcpy(h->n, v->node[u].n, sizeof h->n), memcpy(h->c, v->node[u].c, sizeof h->c);
  }
}

static void node_place(const Phase *p, int64_t v) {
  for (int64_t i = p->first[v]; i < p->first[v + 1]; i++)
    for (int k = 0; k < 3; k++)
      if (p->full[3 * i + k] != 0) p->m->x[3 * i + k] = p->v->node[v].x[k] + p->scale[v] * p->full[3 * i + k];
}

static double score_of(const Phase *p, int64_t t) {
  double y[4][3];
  for (int k = 0; k < 4; k++) memcpy(y[k], p->m->x + 3 * p->m->tet[4 * t + k], sizeof y[k]);
  return mt_voxel_score((const double(*)[3])y);
}

/* Nodes of spoilt tets are set closer together, until none is spoilt or it does not help. */
static void thin(Phase *p) {
  int64_t *node = mt_malloc((size_t)p->m->nv * sizeof *node), bad = 1;
  for (int64_t v = 0; v < p->v->nv; v++)
    for (int64_t i = p->first[v]; i < p->first[v + 1]; i++) node[i] = v;
  for (int round = 0; round < THIN_ROUNDS && bad > 0; round++) {
    bool *touched = mt_calloc((size_t)p->v->nv, sizeof *touched);
    bad = 0;
    for (int64_t v = 0; v < p->v->nv; v++) node_place(p, v);
    for (int64_t t = 0; t < p->m->nt; t++) {
      const double least = t < p->v->nt ? spoilt : 0; /* a thin layer is flat by itself */
      if (score_of(p, t) > least) continue;
      bad++;
      for (int k = 0; k < 4; k++) touched[node[p->m->tet[4 * t + k]]] = true;
    }
    for (int64_t v = 0; v < p->v->nv; v++)
      if (touched[v]) p->scale[v] *= thinner;
    free(touched);
  }
  free(node);
}

/* Wide triangles of the boundary, 0.65 spacings high, leave a thin layer with small angles that no movement mends. */
double mt_voxel_target(double thickness, double spacing) {
  const double own = atan(thickness / (.65 * spacing)) / (15 * MT_PI / 180);
  return thickness > 0 ? fmax(least_good, fmin(good, own_part * own)) : good;
}

static void grow(Phase *p) {
  const double aim = mt_voxel_target(p->thickness, p->v->a);
  for (int round = 0; round < GROW_ROUNDS; round++) {
    const int64_t left = mt_relax_worst(&p->r, aim, 3);
    for (int64_t i = 0; i < p->m->nv; i++) {
      double d[3];
      if (p->r.hold[i].nplanes == 0) continue;
      way_of(p, p->r.hold + i, p->m->x + 3 * i, d);
      if (length_of(d) > slack * p->thickness) mt_relax_move(&p->r, i, d, grow_floor);
    }
    if (left == 0 && round > 1) break;
  }
  mt_relax_worst(&p->r, aim, 4);
  mt_relax_loosen(&p->r, aim, p->thickness);
}

static void layer_measure(const Phase *p, MtVoxelLayer *l) {
  double area = 0;
  memset(l, 0, sizeof *l);
  for (int64_t i = 0; i < p->npieces && p->piece[i].ngrains == 2; i++) {
    const MtPiece *t = p->piece + i;
    const double *n = t->toward[1], a = length_of(n);
    double gap = 0;
    for (int c = 0; c < 3; c++) {
      const double *x = p->m->x + 3 * mt_copy_of(p->v, p->first, t->node[c], t->grain[0]),
                   *y = p->m->x + 3 * mt_copy_of(p->v, p->first, t->node[c], t->grain[1]);
      for (int k = 0; k < 3; k++) gap += (y[k] - x[k]) * n[k] / (3 * a);
    }
    area += a, l->mean += a * gap, l->thin += gap < .98 * p->thickness ? a : 0;
  }
  l->mean /= fmax(area, 1e-300), l->thin /= fmax(area, 1e-300);
  for (int64_t i = 0; i < p->m->nv; i++) {
    const MtHold *h = p->r.hold + i;
    bool near = false;
    for (int k = 0; k < h->nplanes; k++) {
      const double *n = h->n[k], *x = p->m->x + 3 * i;
      near = near || n[0] * x[0] + n[1] * x[1] + n[2] * x[2] < h->c[k] - .05 * p->thickness;
    }
    l->thinned += near;
  }
}

static void number_copies(Phase *p) {
  p->first = mt_malloc(((size_t)p->v->nv + 1) * sizeof *p->first);
  p->first[0] = 0;
  for (int64_t v = 0; v < p->v->nv; v++) p->first[v + 1] = p->first[v] + (p->thickness > 0 ? p->v->node[v].ngrains : 1);
}

/* Copies of the nodes, tets over them, and where they may go. */
static PetscErrorCode begin(Phase *p, int ngrains, const double box[6], MtRegions *r) {
  number_copies(p);
  if (p->thickness > 0) p->piece = mt_pieces_find(p->v, &p->npieces);
  mt_pieces_regions(ngrains, p->npieces, p->piece, r);
  PetscErrorCode rc = mt_pieces_cut(p->v, p->first, p->npieces, p->piece, p->m);
  if (rc) return rc;
  p->r = (MtRelax){.nv = p->m->nv, .nt = p->m->nt, .x = p->m->x, .tet = p->m->tet, .box = box};
  normals_make(p);
  copies_make(p);
  p->scale = mt_malloc((size_t)p->v->nv * sizeof *p->scale);
  for (int64_t u = 0; u < p->v->nv; u++) p->scale[u] = 1;
  return 0;
}

PetscErrorCode mt_voxel_phase(const MtVoxelMesh *v, int ngrains, double thickness, MtRegions *r, MtTets *m,
                              MtHold **hold, MtVoxelLayer *layer) {
  const double box[6] = {0, 0, 0, v->box[0], v->box[1], v->box[2]};
  Phase p = {.v = v, .thickness = thickness, .m = m};
  memset(m, 0, sizeof *m);
  memset(r, 0, sizeof *r);
  memset(layer, 0, sizeof *layer);
  PetscErrorCode rc = begin(&p, ngrains, box, r);
  if (!rc && thickness > 0) {
    mt_relax_lists(&p.r);
    thin(&p);
    grow(&p);
    layer_measure(&p, layer);
  }
  *hold = p.r.hold, p.r.hold = NULL;
  mt_relax_free(&p.r);
  free(p.first), free(p.piece), free(p.normal), free(p.scale), free(p.full);
  return rc;
}
