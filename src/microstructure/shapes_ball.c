/* A box in its ball of air as one structured grid.  Planes are dense at the faces of the box, where charges sit, and
 * spread geometrically to both sides; around the box they go on to a larger box, whose surface is then carried along
 * rays to the sphere, layer by layer.  Bricks may be flat and long: along an edge of a plate nothing changes, so a few
 * nodes do there what needs very many small regular tetrahedra.
 *
 * All bricks are cut into five tetrahedra, four of whose corners are nodes of even parity; a node's parity is that of
 * the sum of its indices, a step outward counting as one, so that the cuts meet on all faces, also where three faces of
 * the larger box come together. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "shapes.h"
#include <math.h>
#include <stdlib.h>

#define INNER .7 /* corner of the larger box, over the radius of the sphere */

typedef struct {
  int n[3];           /* bricks of the larger box */
  int from[3], to[3]; /* bricks of the body: from <= i < to */
  double *plane[3];   /* [n+1] nm from the centre; owned */
  int nlayers;        /* between the larger box and the sphere */
  double *share;      /* [nlayers+1] of the way to the sphere, 0..1; owned */
  int64_t nbox;       /* nodes of the larger box */
  int64_t nsurface;   /* of them on its surface */
  int64_t *surface;   /* [nbox] number on the surface, -1 inside; owned */
} Ball;

/* Lengths first, first (1 + growth), ..., none above `most`, scaled down to add up to `length`; malloc'ed. */
static double *graded(double length, double first, double growth, double most, int *n) {
  double sum = 0, h = fmin(first, most), *step = NULL;
  *n = 0;
  while (sum < length * (1 - 1e-9)) {
    step = mt_realloc(step, sizeof *step * (size_t)(*n + 1));
    sum += step[(*n)++] = h;
    h = fmin(h * (1 + growth), most);
  }
  for (int i = 0; i < *n; i++) step[i] *= length / sum;
  return step;
}

/* Margin m of air about the body, so that the corner of the larger box lies at INNER times the radius. */
static double margin(const MtShape *s) {
  double sum = 0, sum2 = 0;
  for (int c = 0; c < 3; c++) {
    sum += s->edge[c] / 2;
    sum2 += s->edge[c] * s->edge[c] / 4;
  }
  const double root = sum * sum - 3 * (sum2 - INNER * INNER * s->radius * s->radius);
  return root > sum * sum ? (sqrt(root) - sum) / 3 : 0;
}

/* Planes along d, symmetric about the centre. */
static void planes(const MtShape *s, int d, Ball *b) {
  const double half = s->edge[d] / 2;
  int nin, nout = 0;
  double at = 0, *in = graded(half, s->edge_size, s->growth, s->spacing[d], &nin), *out = NULL;
  if (margin(s) > 0) out = graded(margin(s), in[0] * (1 + s->growth), s->growth, INFINITY, &nout);
  const int middle = nin + nout;
  b->n[d] = 2 * middle;
  b->from[d] = nout;
  b->to[d] = nout + 2 * nin;
  b->plane[d] = mt_malloc(sizeof(double) * (size_t)(2 * middle + 1));
  b->plane[d][middle] = 0;
  for (int i = 0; i < middle; i++) {
    at = i == nin - 1 ? half : at + (i < nin ? in[nin - 1 - i] : out[i - nin]);
    b->plane[d][middle + 1 + i] = at;
    b->plane[d][middle - 1 - i] = -at;
  }
  free(in);
  free(out);
}

/* Layers to the sphere: the first as thick as the last bricks before it, then graded to the air's edge length. */
static void layers(const MtShape *s, Ball *b) {
  double way = s->radius, first = 0;
  for (int c = 0; c < 3; c++) {
    const double *x = b->plane[c] + b->n[c];
    way -= x[0] / 3;
    first += (x[0] - x[-1]) * (1 + s->growth) / 3;
  }
  double *step = graded(way, first, s->growth, s->air_size, &b->nlayers);
  b->share = mt_malloc(sizeof(double) * (size_t)(b->nlayers + 1));
  b->share[0] = 0;
  for (int l = 0; l < b->nlayers; l++) b->share[l + 1] = b->share[l] + step[l] / way;
  b->share[b->nlayers] = 1;
  free(step);
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

/* Coordinates of a node of the larger box and of those it is carried to. */
static void place(const MtShape *s, const Ball *b, const int i[3], MtMeshData *m) {
  double x[3], r = 0;
  for (int c = 0; c < 3; c++) {
    x[c] = b->plane[c][i[c]];
    r += x[c] * x[c];
  }
  const int last = on_surface(b, i) ? b->nlayers : 0;
  const double stretch = s->radius / sqrt(r) - 1; /* used on the surface only, where r > 0 */
  for (int l = 0; l <= last; l++) {
    double *y = m->x + 3 * node(b, i, l);
    for (int c = 0; c < 3; c++) y[c] = s->edge[c] / 2 + x[c] * (l ? 1 + b->share[l] * stretch : 1);
  }
}

static void add_nodes(const MtShape *s, const Ball *b, MtMeshData *m) {
  int i[3];
  m->nv = b->nbox + b->nlayers * b->nsurface;
  m->x = mt_malloc(sizeof(double) * 3 * (size_t)m->nv);
  for (i[2] = 0; i[2] <= b->n[2]; i[2]++)
    for (i[1] = 0; i[1] <= b->n[1]; i[1]++)
      for (i[0] = 0; i[0] <= b->n[0]; i[0]++) place(s, b, i, m);
}

static void add_bricks(const Ball *b, MtMeshData *m) {
  int i[3];
  for (i[2] = 0; i[2] < b->n[2]; i[2]++)
    for (i[1] = 0; i[1] < b->n[1]; i[1]++)
      for (i[0] = 0; i[0] < b->n[0]; i[0]++) {
        bool air = false;
        int64_t corner[8];
        for (int c = 0; c < 3; c++) air = air || i[c] < b->from[c] || i[c] >= b->to[c];
        for (int q = 0; q < 8; q++)
          corner[q] = box_node(b, (const int[3]){i[0] + (q & 1), i[1] + (q >> 1 & 1), i[2] + (q >> 2)});
        mt_shape_cut(corner, i[0] + i[1] + i[2], air, m);
      }
}

/* The layers over face `side` (0, 1) of the larger box across direction d. */
static void add_face(const Ball *b, int d, int side, MtMeshData *m) {
  const int u = (d + 1) % 3, v = (d + 2) % 3;
  int i[3];
  i[d] = side ? b->n[d] : 0;
  for (int l = 0; l < b->nlayers; l++)
    for (i[v] = 0; i[v] < b->n[v]; i[v]++)
      for (i[u] = 0; i[u] < b->n[u]; i[u]++) {
        int64_t corner[8];
        for (int q = 0; q < 8; q++) {
          int at[3] = {i[0], i[1], i[2]};
          at[u] += q & 1;
          at[v] += q >> 1 & 1;
          corner[q] = node(b, at, l + (q >> 2));
        }
        mt_shape_cut(corner, i[0] + i[1] + i[2] + l, 1, m);
      }
}

PetscErrorCode mt_shape_ball(const MtShape *s, MtMeshData *mesh) {
  Ball b = {0};
  for (int d = 0; d < 3; d++) planes(s, d, &b);
  layers(s, &b);
  number_surface(&b);
  add_nodes(s, &b, mesh);
  int64_t bricks = (int64_t)b.n[0] * b.n[1] * b.n[2];
  for (int d = 0; d < 3; d++) bricks += 2 * (int64_t)b.nlayers * b.n[(d + 1) % 3] * b.n[(d + 2) % 3];
  mesh->tet = mt_malloc(sizeof(int64_t) * 20 * (size_t)bricks);
  mesh->region = mt_malloc(sizeof(int32_t) * 5 * (size_t)bricks);
  mesh->nt = 0;
  add_bricks(&b, mesh);
  for (int f = 0; f < 6; f++) add_face(&b, f / 2, f % 2, mesh);
  for (int d = 0; d < 3; d++) free(b.plane[d]);
  free(b.share);
  free(b.surface);
  return 0;
}
