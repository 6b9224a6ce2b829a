/* Where the geometry leaves no room for the full thickness the layer is thinned: the scale of the displacement falls
 * around the place and recovers over three thicknesses.  With scale 0 the surface is the original one, which is valid.
 */
#include "gb_fill.h"
#include <math.h>
#include <stdlib.h>

static const double thinner = 0.75, least_scale = 0.04;
static const double fold_limit = 0.1;   /* area that must be left of a triangle, in its old plane */
static const double shape_limit = 0.08; /* radius ratio of a triangle, unless it was bad before */
static const double tet_limit = 0.06;

typedef struct {
  int n, room;
  double *x;     /* [3n] */
  double *scale; /* [n] wanted there */
} Places;

static PetscErrorCode place_add(Places *p, const double x[3], double scale) {
  if (p->n == p->room) {
    p->room = 2 * p->room + 64;
    PetscCall(PetscRealloc(3 * (size_t)p->room * sizeof(double), &p->x));
    PetscCall(PetscRealloc((size_t)p->room * sizeof(double), &p->scale));
  }
  memcpy(p->x + 3 * p->n, x, 3 * sizeof(double));
  p->scale[p->n++] = fmax(scale, least_scale);
  return 0;
}

static double distance(const double *a, const double *b) {
  return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

static void places_apply(const MtSurface *s, double thickness, const Places *p, MtCopies *q, MtThinning *th) {
  for (int v = 0; v < s->nv; v++)
    for (int i = 0; i < p->n; i++) {
      double r = distance(s->x + 3 * v, p->x + 3 * i);
      if (r < 3 * thickness) q->scale[v] = fmin(q->scale[v], p->scale[i] + (1 - p->scale[i]) * r / (3 * thickness));
    }
  th->rounds += p->n > 0;
  th->nplaces += p->n;
}

static PetscErrorCode places_free(Places *p) {
  PetscCall(PetscFree(p->x));
  return PetscFree(p->scale);
}

static void normal_of(const double *a, const double *b, const double *c, double n[3]) {
  double u[3], v[3];
  for (int k = 0; k < 3; k++) u[k] = b[k] - a[k], v[k] = c[k] - a[k];
  n[0] = u[1] * v[2] - u[2] * v[1], n[1] = u[2] * v[0] - u[0] * v[2], n[2] = u[0] * v[1] - u[1] * v[0];
}

double mt_triangle_gamma(const double a[3], const double b[3], const double c[3]) {
  double n[3], x = distance(b, c), y = distance(c, a), z = distance(a, b);
  normal_of(a, b, c, n);
  double area = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) / 2;
  return x * y * z > 0 ? 16 * area * area / (x * y * z * (x + y + z)) : 0; /* 2 r_in / r_circ */
}

/* ---- folded triangles */

static bool triangle_bad(const MtSurface *s, const MtCopies *q, int k, int32_t grain) {
  const double *o[3], *p[3];
  double n0[3], n1[3];
  for (int i = 0; i < 3; i++)
    o[i] = s->x + 3 * s->tri[3 * k + i], p[i] = q->x + 3 * mt_copies_find(q, s->tri[3 * k + i], grain);
  normal_of(o[0], o[1], o[2], n0);
  normal_of(p[0], p[1], p[2], n1);
  double along = n0[0] * n1[0] + n0[1] * n1[1] + n0[2] * n1[2], full = n0[0] * n0[0] + n0[1] * n0[1] + n0[2] * n0[2];
  if (along < fold_limit * full) return true;
  return mt_triangle_gamma(p[0], p[1], p[2]) < fmin(shape_limit, 0.5 * mt_triangle_gamma(o[0], o[1], o[2]));
}

static PetscErrorCode place_triangle(const MtSurface *s, const MtCopies *q, int k, Places *out) {
  double x[3] = {0, 0, 0}, scale = 1;
  for (int i = 0; i < 9; i++) x[i % 3] += s->x[3 * s->tri[3 * k + i / 3] + i % 3] / 3;
  for (int i = 0; i < 3; i++) scale = fmin(scale, q->scale[s->tri[3 * k + i]]);
  return place_add(out, x, thinner * scale);
}

static PetscErrorCode folded_triangles(const MtCells *c, const MtSurface *s, const MtCopies *q, Places *out) {
  for (int f = 0; f < c->nfaces; f++)
    for (int k = s->face_start[f]; k < s->face_start[f + 1]; k++) {
      bool bad = false;
      for (int side = 0; side < 2; side++)
        if (c->face_cells[2 * f + side] >= 0) bad |= triangle_bad(s, q, k, c->face_cells[2 * f + side]);
      if (bad) PetscCall(place_triangle(s, q, k, out));
    }
  return 0;
}

/* ---- bad tets of the layer (its prisms; a junction's shape does not depend on the scale) */

/* Surface node of a point of the layer: that of the first copy it lies between. */
static int32_t node_of(const MtTets *m, const MtCopies *q, int64_t v) {
  return q->node[v < q->n ? v : m->from[v].corner[0]];
}

static PetscErrorCode bad_tets(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q, int layers,
                               Places *out) {
  MtTets m = {.track = true};
  int32_t *face, *edge, *vertex;
  PetscCall(PetscCalloc3((size_t)c->nfaces, &face, (size_t)c->nedges, &edge, (size_t)c->nvertices, &vertex));
  for (int f = 0; f < c->nfaces; f++) face[f] = c->face_cells[2 * f + 1] >= 0 ? 0 : -1;
  for (int v = 0; v < c->nvertices; v++) vertex[v] = -1;
  PetscCall(mt_gb_layers(c, s, t, q, layers, face, edge, vertex, &m));
  for (int64_t i = 0; i < m.nt; i++) {
    double y[4][3], x[3] = {0, 0, 0}, scale = 1;
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = m.x[3 * m.tet[4 * i + k / 3] + k % 3];
    double gamma = mt_tet_gamma((const double(*)[3])y);
    for (int k = 0; k < 4; k++) scale = fmin(scale, q->scale[node_of(&m, q, m.tet[4 * i + k])]);
    if (gamma > tet_limit || (gamma > tet_limit / 10 && scale < 0.2)) continue; /* thin layers have flat tets */
    for (int k = 0; k < 12; k++) x[k % 3] += s->x[3 * node_of(&m, q, m.tet[4 * i + k / 3]) + k % 3] / 4;
    PetscCall(place_add(out, x, thinner * scale));
  }
  mt_tets_free(&m);
  return PetscFree3(face, edge, vertex);
}

PetscErrorCode mt_thin_folds(const MtCells *c, const MtSurface *s, const MtTopology *t, MtCopies *q, double thickness,
                             int layers, MtThinning *th, int *nbad) {
  Places p = {0, 0, NULL, NULL};
  PetscCall(folded_triangles(c, s, q, &p));
  PetscCall(bad_tets(c, s, t, q, layers, &p));
  *nbad = p.n;
  places_apply(s, thickness, &p, q, th);
  return places_free(&p);
}

/* ---- surfaces that cut themselves */

/* Does the segment ab pass through the triangle p q r?  Signs of volumes. */
static bool segment_cuts(const double *a, const double *b, const double *p, const double *q, const double *r) {
  double n[3], v[3];
  normal_of(p, q, r, n);
  double da = 0, db = 0;
  for (int k = 0; k < 3; k++) da += n[k] * (a[k] - p[k]), db += n[k] * (b[k] - p[k]);
  if (da * db >= 0) return false;
  const double *side[3] = {p, q, r};
  double sign[3];
  for (int i = 0; i < 3; i++) {
    normal_of(a, side[i], side[(i + 1) % 3], v);
    sign[i] = v[0] * (b[0] - a[0]) + v[1] * (b[1] - a[1]) + v[2] * (b[2] - a[2]);
  }
  return (sign[0] > 0 && sign[1] > 0 && sign[2] > 0) || (sign[0] < 0 && sign[1] < 0 && sign[2] < 0);
}

static bool share_point(const int32_t *a, const int32_t *b) {
  for (int i = 0; i < 9; i++)
    if (a[i / 3] == b[i % 3]) return true;
  return false;
}

static void bounds(const MtShell *s, int k, double box[6]) {
  for (int i = 0; i < 3; i++) {
    box[i] = 1e300, box[3 + i] = -1e300;
    for (int j = 0; j < 3; j++) {
      double x = s->x[3 * s->tri[3 * k + j] + i];
      box[i] = fmin(box[i], x), box[3 + i] = fmax(box[3 + i], x);
    }
  }
}

static bool triangles_cut(const MtShell *s, int a, int b) {
  const int32_t *t = s->tri + 3 * a, *u = s->tri + 3 * b;
  for (int i = 0; i < 3; i++)
    if (segment_cuts(s->x + 3 * t[i], s->x + 3 * t[(i + 1) % 3], s->x + 3 * u[0], s->x + 3 * u[1], s->x + 3 * u[2]))
      return true;
  return false;
}

static PetscErrorCode self_cuts(const MtShell *s, const int32_t *copy, const MtSurface *surf, const MtCopies *q,
                                Places *out) {
  double *box;
  PetscCall(PetscMalloc1(6 * (size_t)s->nt + 1, &box));
  for (int k = 0; k < s->nt; k++) bounds(s, k, box + 6 * k);
  for (int a = 0; a < s->nt; a++) {
    bool cut = false;
    for (int b = 0; b < s->nt && !cut; b++) {
      bool apart = false;
      for (int k = 0; k < 3; k++) apart |= box[6 * a + k] > box[6 * b + 3 + k] || box[6 * b + k] > box[6 * a + 3 + k];
      cut =
          !apart && !share_point(s->tri + 3 * a, s->tri + 3 * b) && (triangles_cut(s, a, b) || triangles_cut(s, b, a));
    }
    double x[3] = {0, 0, 0}, scale = 1;
    for (int i = 0; i < 3 && cut; i++) {
      int32_t node = q->node[copy[s->tri[3 * a + i]]];
      for (int k = 0; k < 3; k++) x[k] += surf->x[3 * node + k] / 3;
      scale = fmin(scale, q->scale[node]);
    }
    if (cut) PetscCall(place_add(out, x, thinner * scale));
  }
  return PetscFree(box);
}

PetscErrorCode mt_thin_failed(const MtCells *c, const MtSurface *s, MtCopies *q, double thickness, const int *failed,
                              MtThinning *th) {
  Places p = {0, 0, NULL, NULL};
  for (int k = 0; k < c->ngrains; k++) {
    MtShell shell;
    int32_t *copy;
    int before = p.n;
    if (!failed[k]) continue;
    PetscCall(mt_grain_shell(c, s, q, k, &shell, &copy));
    PetscCall(self_cuts(&shell, copy, s, q, &p));
    for (int i = 0; i < shell.nx && p.n == before + i; i++) { /* nowhere: the whole grain */
      int32_t node = q->node[copy[i]];
      PetscCall(place_add(&p, s->x + 3 * node, thinner * q->scale[node]));
    }
    mt_shell_free(&shell), free(copy);
  }
  places_apply(s, thickness, &p, q, th);
  return places_free(&p);
}
