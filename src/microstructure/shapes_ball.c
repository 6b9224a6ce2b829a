/* A box in its ball of air as one structured mesh.  Inside, a grid whose planes are dense at the faces of the box,
 * where charges sit, and spread geometrically.  Outside, its surface is carried on: first to larger and larger boxes,
 * the same margin on all sides, then along rays to the sphere; the layers grow geometrically as well.  Bricks may be
 * flat and long: along an edge of a plate nothing changes, so a few nodes do there what needs very many small regular
 * tetrahedra.
 *
 * The cut of a brick follows the parities of its nodes' indices (shapes.h), steps outward being the index across the
 * face, so that the cuts meet on all faces, also where bricks over three faces of the box come together. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "shapes.h"
#include <math.h>
#include <stdlib.h>

#define BOXES .5 /* the corner of the last box lies this share of the way from the body's corner to the sphere */

typedef struct {
  int n[3];         /* bricks of the body */
  double *plane[3]; /* [n+1] nm from the centre; owned */
  double first;     /* nm, thinnest brick at the faces of the body, before it is cut by refine */
  int nmargin;      /* layers between boxes */
  double *margin;   /* [nmargin+1] nm, from 0 on; owned */
  int nround;       /* layers between the last box and the sphere */
  double *share;    /* [nround+1] of the way to the sphere, 0..1; owned */
  int64_t nbox;     /* nodes of the body */
  int64_t nsurface; /* of them on its surface */
  int64_t *surface; /* [nbox] number on the surface, -1 inside; owned */
} Ball;

/* 0, first, first (2 + growth), ...: no step above `most`, scaled down to end at `length`; each step then cut evenly
 * into `refine`; [*n+1], malloc'ed. */
static double *graded(const MtShape *s, double length, double first, double most, int *n) {
  const int parts = s->refine;
  double h = fmin(first, most), *at = mt_malloc(sizeof *at);
  at[ *n = 0] = 0;
  do {
    at = mt_realloc(at, sizeof *at * (size_t)(*n + parts + 1));
    for (int k = 1; k <= parts; k++) at[*n + k] = at[*n] + h * k / parts;
    *n += parts;
    h = fmin(h * (1 + s->growth), most);
  } while (at[*n] < length * (1 - 1e-9));
  const double scale = length / at[*n];
  for (int i = 1; i < *n; i++) at[i] *= scale;
  at[*n] = length;
  return at;
}

/* Planes along d, symmetric about the centre. */
static void planes(const MtShape *s, int d, Ball *b) {
  int half;
  double *at = graded(s, s->edge[d] / 2, s->edge_size, s->spacing[d], &half);
  b->n[d] = 2 * half;
  b->plane[d] = mt_malloc(sizeof(double) * (size_t)(2 * half + 1));
  for (int i = 0; i <= half; i++) {
    b->plane[d][i] = at[i] - s->edge[d] / 2;
    b->plane[d][2 * half - i] = s->edge[d] / 2 - at[i];
  }
  b->first = fmin(b->first, at[s->refine]);
  free(at);
}

/* Margin of the last box. */
static double last_margin(const MtShape *s) {
  double sum = 0, sum2 = 0;
  for (int c = 0; c < 3; c++) {
    sum += s->edge[c] / 2;
    sum2 += s->edge[c] * s->edge[c] / 4;
  }
  const double corner = sqrt(sum2) + BOXES * (s->radius - sqrt(sum2));
  return (sqrt(sum * sum + 3 * (corner * corner - sum2)) - sum) / 3;
}

/* Layers: the first as thick as the bricks at the body's faces, none thicker than the air's edge length. */
static void layers(const MtShape *s, Ball *b) {
  const double margin = last_margin(s);
  double way = s->radius;
  for (int c = 0; c < 3; c++) way -= (s->edge[c] / 2 + margin) / 3;
  b->margin = graded(s, margin, b->first, s->air_size, &b->nmargin);
  const double last = b->margin[b->nmargin] - b->margin[b->nmargin - s->refine];
  b->share = graded(s, way, last * (1 + s->growth), s->air_size, &b->nround);
  for (int l = 0; l <= b->nround; l++) b->share[l] /= way;
}

static int64_t box_node(const Ball *b, const int i[3]) {
  return ((int64_t)i[2] * (b->n[1] + 1) + i[1]) * (b->n[0] + 1) + i[0];
}

static bool on_surface(const Ball *b, const int i[3]) {
  bool on = false;
  for (int c = 0; c < 3; c++) on = on || i[c] == 0 || i[c] == b->n[c];
  return on;
}

/* Node of the surface's node i, l layers out. */
static int64_t node(const Ball *b, const int i[3], int l) {
  const int64_t v = box_node(b, i);
  return l == 0 ? v : b->nbox + (l - 1) * b->nsurface + b->surface[v];
}

static void number_surface(Ball *b) {
  b->nbox = (int64_t)(b->n[0] + 1) * (b->n[1] + 1) * (b->n[2] + 1);
  b->surface = mt_malloc(sizeof *b->surface * (size_t)b->nbox);
  b->nsurface = 0;
  int64_t v = 0;
  int i[3];
  for (i[2] = 0; i[2] <= b->n[2]; i[2]++)
    for (i[1] = 0; i[1] <= b->n[1]; i[1]++)
      for (i[0] = 0; i[0] <= b->n[0]; i[0]++, v++) b->surface[v] = on_surface(b, i) ? b->nsurface++ : -1;
}

/* Where a node of the body is carried to, l layers out; from the centre. */
static void carried(const MtShape *s, const Ball *b, const int i[3], int l, double y[3]) {
  const double margin = b->margin[l < b->nmargin ? l : b->nmargin];
  double r = 0;
  for (int c = 0; c < 3; c++) {
    y[c] = b->plane[c][i[c]] * (1 + margin / (s->edge[c] / 2));
    r += y[c] * y[c];
  }
  if (l <= b->nmargin) return;
  const double stretch = 1 + b->share[l - b->nmargin] * (s->radius / sqrt(r) - 1);
  for (int c = 0; c < 3; c++) y[c] *= stretch;
}

static void add_nodes(const MtShape *s, const Ball *b, MtMeshData *m) {
  const int last = b->nmargin + b->nround;
  int i[3];
  m->nv = b->nbox + last * b->nsurface;
  m->x = mt_malloc(sizeof(double) * 3 * (size_t)m->nv);
  for (i[2] = 0; i[2] <= b->n[2]; i[2]++)
    for (i[1] = 0; i[1] <= b->n[1]; i[1]++)
      for (i[0] = 0; i[0] <= b->n[0]; i[0]++)
        for (int l = 0; l <= (on_surface(b, i) ? last : 0); l++) {
          double *x = m->x + 3 * node(b, i, l);
          carried(s, b, i, l, x);
          for (int c = 0; c < 3; c++) x[c] += s->edge[c] / 2;
        }
}

static void add_body(const MtShape *s, const Ball *b, MtMeshData *m) {
  int i[3];
  for (i[2] = 0; i[2] < b->n[2]; i[2]++)
    for (i[1] = 0; i[1] < b->n[1]; i[1]++)
      for (i[0] = 0; i[0] < b->n[0]; i[0]++) {
        int64_t corner[8];
        for (int q = 0; q < 8; q++)
          corner[q] = box_node(b, (const int[3]){i[0] + (q & 1), i[1] + (q >> 1 & 1), i[2] + (q >> 2)});
        mt_shape_cut(s, corner, i, 0, m);
      }
}

/* The layers over face `side` (0, 1) of the body across direction d. */
static void add_face(const MtShape *s, const Ball *b, int d, int side, MtMeshData *m) {
  const int u = (d + 1) % 3, v = (d + 2) % 3;
  int i[3];
  i[d] = side ? b->n[d] : 0;
  for (int l = 0; l < b->nmargin + b->nround; l++)
    for (i[v] = 0; i[v] < b->n[v]; i[v]++)
      for (i[u] = 0; i[u] < b->n[u]; i[u]++) {
        int64_t corner[8];
        for (int q = 0; q < 8; q++) {
          int at[3] = {i[0], i[1], i[2]};
          at[u] += q & 1;
          at[v] += q >> 1 & 1;
          corner[q] = node(b, at, l + (q >> 2));
        }
        mt_shape_cut(s, corner, (const int[3]){i[u], i[v], i[d] + l}, 1, m);
      }
}

PetscErrorCode mt_shape_ball(const MtShape *s, MtMeshData *mesh) {
  Ball b = {.first = INFINITY};
  for (int d = 0; d < 3; d++) planes(s, d, &b);
  layers(s, &b);
  number_surface(&b);
  add_nodes(s, &b, mesh);
  int64_t bricks = (int64_t)b.n[0] * b.n[1] * b.n[2];
  for (int d = 0; d < 3; d++) bricks += 2 * (int64_t)(b.nmargin + b.nround) * b.n[(d + 1) % 3] * b.n[(d + 2) % 3];
  mesh->tet = mt_malloc(sizeof(int64_t) * 4 * (size_t)s->cut * (size_t)bricks);
  mesh->region = mt_malloc(sizeof(int32_t) * (size_t)s->cut * (size_t)bricks);
  mesh->nt = 0;
  add_body(s, &b, mesh);
  for (int f = 0; f < 6; f++) add_face(s, &b, f / 2, f % 2, mesh);
  for (int d = 0; d < 3; d++) free(b.plane[d]);
  free(b.margin);
  free(b.share);
  free(b.surface);
  return 0;
}
