/* The tets of the GB phase, the triangles of the grains' surfaces and the angles between these, kept by the copies they
 * hang on, so that a copy can be moved and judged alone. */
#include "gb_measure.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdlib.h>

static const double tet_limit = 0.06;   /* radius ratio */
static const double shape_limit = 0.08; /* of a triangle, unless it was bad before */
static const double fold_limit = 0.1;   /* area that must be left of a triangle, in its old plane */
static const double hinge_limit = 0.06; /* rad */
static const double worse = 0.5;        /* of what it was: what was bad before the inset may become this bad */

enum { JUNCTION = 1 }; /* region of the tets at vertices; the others have 0 */

/* ---- items by copy */

static PetscErrorCode items_list(int ncopies, MtLayerItems *items) {
  const int64_t n = (int64_t)items->n * items->per;
  PetscCall(PetscCalloc1((size_t)ncopies + 2, &items->start));
  PetscCall(PetscMalloc1((size_t)n + 1, &items->list));
  for (int64_t i = 0; i < n; i++) {
    if (items->copy[i] >= 0) items->start[items->copy[i] + 2]++;
  }
  for (int v = 0; v < ncopies; v++) items->start[v + 2] += items->start[v + 1];
  for (int64_t i = 0; i < n; i++) {
    if (items->copy[i] >= 0) items->list[items->start[items->copy[i] + 1]++] = (int32_t)(i / items->per);
  }
  return 0;
}

static PetscErrorCode items_free(MtLayerItems *items) {
  PetscCall(PetscFree(items->copy));
  PetscCall(PetscFree(items->start));
  return PetscFree(items->list);
}

static void hang_on(int32_t *copies, int64_t copy) {
  int k = 0;
  while (copies[k] >= 0 && copies[k] != copy) k++;
  copies[k] = (int32_t)copy;
}

static PetscErrorCode tets_make(const MtCells *c, const MtTopology *t, MtLayer *l) {
  int32_t *face, *edge, *vertex;
  l->m.track = true;
  PetscCall(PetscCalloc3((size_t)c->nfaces, &face, (size_t)c->nedges, &edge, (size_t)c->nvertices, &vertex));
  for (int f = 0; f < c->nfaces; f++) face[f] = c->face_cells[2 * f + 1] >= 0 ? 0 : -1;
  for (int v = 0; v < c->nvertices; v++) vertex[v] = JUNCTION;
  PetscCall(mt_gb_layers(c, l->s, t, l->q, l->layers, face, edge, vertex, -1, &l->m));
  PetscCall(PetscFree3(face, edge, vertex));
  l->tet.n = (int)l->m.nt, l->tet.per = MT_LAYER_PER_TET;
  PetscCall(PetscMalloc1(MT_LAYER_PER_TET * (size_t)l->m.nt + 1, &l->tet.copy));
  for (int64_t i = 0; i < MT_LAYER_PER_TET * l->m.nt; i++) l->tet.copy[i] = -1;
  for (int64_t i = 0; i < 4 * l->m.nt; i++) {
    int64_t v = l->m.tet[i];
    int32_t *copies = l->tet.copy + MT_LAYER_PER_TET * (i / 4);
    if (v < l->q->n) hang_on(copies, v);
    for (int k = 0; k < 4 && v >= l->q->n && l->m.from[v].corner[k] >= 0; k++)
      if (l->m.from[v].corner[k] < l->q->n) hang_on(copies, l->m.from[v].corner[k]);
  }
  return 0;
}

/* Triangles keep the order of the surface's; *outward says whether that is the one seen from outside the grain, *of
 * which grain. */
static PetscErrorCode triangles_make(const MtCells *c, MtLayer *l, int8_t **outward, int32_t **of) {
  const MtSurface *s = l->s;
  MtLayerItems *tri = &l->tri;
  tri->per = 3;
  PetscCall(PetscMalloc1(6 * (size_t)s->nt + 1, &tri->copy));
  PetscCall(PetscMalloc1(2 * (size_t)s->nt + 1, &l->origin));
  PetscCall(PetscMalloc1(2 * (size_t)s->nt + 1, outward));
  PetscCall(PetscMalloc1(2 * (size_t)s->nt + 1, of));
  for (int f = 0; f < c->nfaces; f++)
    for (int side = 0; side < 2; side++) {
      const int32_t grain = c->face_cells[2 * f + side];
      for (int k = s->face_start[f]; k < s->face_start[f + 1] && grain >= 0; k++) {
        for (int i = 0; i < 3; i++) tri->copy[3 * tri->n + i] = mt_copies_find(l->q, s->tri[3 * k + i], grain);
        (*outward)[tri->n] = side == 0, (*of)[tri->n] = grain;
        l->origin[tri->n++] = k;
      }
    }
  return 0;
}

typedef struct {
  int32_t low, high, opposite, grain;
  int32_t along; /* 1: seen from outside the triangle runs from low to high */
} HalfEdge;

static int compare_half_edges(const void *a, const void *b) {
  const HalfEdge *p = a, *q = b;
  if (p->low != q->low) return p->low < q->low ? -1 : 1;
  if (p->high != q->high) return p->high < q->high ? -1 : 1;
  if (p->grain != q->grain) return p->grain < q->grain ? -1 : 1;
  return q->along - p->along;
}

static PetscErrorCode hinges_make(const int8_t *outward, const int32_t *of, MtLayer *l) {
  HalfEdge *h;
  MtLayerItems *hinge = &l->hinge;
  const int n = 3 * l->tri.n;
  hinge->per = 4;
  PetscCall(PetscMalloc1((size_t)n + 1, &h));
  PetscCall(PetscMalloc1(2 * (size_t)n + 1, &hinge->copy));
  for (int i = 0; i < n; i++) {
    const int32_t *t = l->tri.copy + 3 * (i / 3), a = t[i % 3], b = t[(i + 1) % 3];
    h[i] = (HalfEdge){a < b ? a : b, a < b ? b : a, t[(i + 2) % 3], of[i / 3], (a < b) == (outward[i / 3] == 1)};
  }
  qsort(h, (size_t)n, sizeof *h, compare_half_edges);
  for (int i = 0; i + 1 < n; i++) {
    if (h[i].low != h[i + 1].low || h[i].high != h[i + 1].high || h[i].grain != h[i + 1].grain) continue;
    if (!h[i].along || h[i + 1].along) continue;
    const int32_t four[4] = {h[i].low, h[i].high, h[i].opposite, h[i + 1].opposite};
    memcpy(hinge->copy + 4 * hinge->n++, four, sizeof four);
  }
  return PetscFree(h);
}

/* ---- measures */

static void vector(const double *a, const double *b, double d[3]) {
  for (int k = 0; k < 3; k++) d[k] = b[k] - a[k];
}

static double dot(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void cross(const double *a, const double *b, double *c) {
  c[0] = a[1] * b[2] - a[2] * b[1], c[1] = a[2] * b[0] - a[0] * b[2], c[2] = a[0] * b[1] - a[1] * b[0];
}

static void normal_of(const double *a, const double *b, const double *c, double n[3]) {
  double u[3], v[3];
  vector(a, b, u), vector(a, c, v);
  cross(u, v, n);
}

/* Points of the lattice go with the copies they lie between. */
static void point_of(const MtLayer *l, int64_t v, double x[3]) {
  const MtLatticePoint *p = v < l->q->n ? NULL : l->m.from + v;
  if (!p || p->corner[0] < 0) {
    memcpy(x, l->m.x + 3 * v, 3 * sizeof *x);
    return;
  }
  x[0] = x[1] = x[2] = 0;
  for (int i = 0; i < 4 && p->corner[i] >= 0; i++)
    for (int k = 0; k < 3; k++) x[k] += l->m.x[3 * p->corner[i] + k] * p->weight[i] / l->layers;
}

double mt_layer_tet(const MtLayer *l, int i) {
  double y[4][3];
  for (int k = 0; k < 4; k++) point_of(l, l->m.tet[4 * i + k], y[k]);
  return mt_tet_gamma((const double(*)[3])y);
}

/* The triangle's corners now and before the inset; the area left in its plane, as a part. */
static double triangle_area_left(const MtLayer *l, int i, const double *p[3], const double *o[3]) {
  double n[3], n0[3];
  for (int k = 0; k < 3; k++) {
    p[k] = l->m.x + 3 * l->tri.copy[3 * i + k];
    o[k] = l->s->x + 3 * l->s->tri[3 * l->origin[i] + k];
  }
  normal_of(p[0], p[1], p[2], n);
  normal_of(o[0], o[1], o[2], n0);
  return dot(n, n0) / dot(n0, n0);
}

double mt_layer_triangle(const MtLayer *l, int i) {
  const double *p[3], *o[3];
  double left = triangle_area_left(l, i, p, o), g = mt_triangle_gamma(p[0], p[1], p[2]);
  return left > 0 ? fmin(g, left) : fmax(-g, left);
}

static double narrower(double angle) {
  return fmin(angle, 2 * MT_PI - angle);
}

/* Angle inside the grain, 0 to 2 pi; where `roughly`, all between pi/2 and 3 pi/2 are pi. */
static double hinge_angle(const double *a, const double *b, const double *c, const double *d, bool roughly) {
  double e[3], u[3], v[3], n[3], p[3];
  vector(a, b, e), vector(a, c, u), vector(a, d, v);
  cross(e, u, n); /* outward */
  cross(n, e, p); /* from the edge into the first triangle */
  if (roughly && dot(v, p) <= 0) return MT_PI;
  double len = sqrt(dot(e, e)), angle = atan2(-dot(v, n) * len, dot(v, p));
  return angle < 0 ? angle + 2 * MT_PI : angle;
}

static double hinge_before(const MtLayer *l, int i) {
  const double *o[4];
  for (int k = 0; k < 4; k++) o[k] = l->s->x + 3 * l->q->node[l->hinge.copy[4 * i + k]];
  return hinge_angle(o[0], o[1], o[2], o[3], false);
}

double mt_layer_hinge(const MtLayer *l, int i) {
  const double before = l->hinge0[i], *p[4];
  for (int k = 0; k < 4; k++) p[k] = l->m.x + 3 * l->hinge.copy[4 * i + k];
  double angle = hinge_angle(p[0], p[1], p[2], p[3], narrower(before) > MT_PI / 2);
  if (angle - before > MT_PI) angle -= 2 * MT_PI; /* the way it went from where it was */
  if (before - angle > MT_PI) angle += 2 * MT_PI;
  return narrower(angle);
}

static double (*const measures[MT_LAYER_KINDS])(const MtLayer *, int) = {mt_layer_triangle, mt_layer_tet,
                                                                         mt_layer_hinge}; /* the cheapest first */

double mt_layer_worst(const MtLayer *l, int32_t copy, double floor, MtLayerItem *worst) {
  const MtLayerItems *const items[MT_LAYER_KINDS] = {&l->tri, &l->tet, &l->hinge};
  double least = 1;
  if (worst->kind >= 0) { /* most moves fail where the one before them did */
    const double value = measures[worst->kind](l, worst->item);
    if (value <= floor) return value;
  }
  for (int kind = 0; kind < MT_LAYER_KINDS; kind++)
    for (int i = items[kind]->start[copy]; i < items[kind]->start[copy + 1] && least > floor; i++) {
      const double value = measures[kind](l, items[kind]->list[i]);
      if (value < least) least = value, *worst = (MtLayerItem){kind, items[kind]->list[i]};
    }
  return least;
}

/* ---- what is bad */

bool mt_layer_tet_bad(const MtLayer *l, int i) {
  return l->m.region[i] != JUNCTION && mt_layer_tet(l, i) < tet_limit;
}

bool mt_layer_triangle_bad(const MtLayer *l, int i) {
  const double *p[3], *o[3];
  if (triangle_area_left(l, i, p, o) < fold_limit) return true;
  return mt_triangle_gamma(p[0], p[1], p[2]) < fmin(shape_limit, worse * mt_triangle_gamma(o[0], o[1], o[2]));
}

bool mt_layer_hinge_bad(const MtLayer *l, int i) {
  return mt_layer_hinge(l, i) < fmin(hinge_limit, worse * narrower(l->hinge0[i]));
}

/* ---- all */

PetscErrorCode mt_layer_make(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q, int layers,
                             MtLayer *l) {
  int8_t *outward;
  int32_t *of;
  *l = (MtLayer){.s = s, .q = q, .layers = layers};
  PetscCall(tets_make(c, t, l));
  PetscCall(triangles_make(c, l, &outward, &of));
  PetscCall(hinges_make(outward, of, l));
  PetscCall(PetscFree(outward));
  PetscCall(PetscFree(of));
  PetscCall(PetscMalloc1((size_t)l->hinge.n + 1, &l->hinge0));
  for (int i = 0; i < l->hinge.n; i++) l->hinge0[i] = hinge_before(l, i);
  PetscCall(items_list(q->n, &l->tet));
  PetscCall(items_list(q->n, &l->tri));
  return items_list(q->n, &l->hinge);
}

PetscErrorCode mt_layer_free(MtLayer *l) {
  mt_tets_free(&l->m);
  PetscCall(items_free(&l->tet));
  PetscCall(items_free(&l->tri));
  PetscCall(items_free(&l->hinge));
  PetscCall(PetscFree(l->origin));
  return PetscFree(l->hinge0);
}
