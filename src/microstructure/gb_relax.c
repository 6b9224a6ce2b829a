/* Copies around bad tets of the layer slid in their own planes (on edges: along the edge), so that the thickness stays:
 * a pattern search on the worst radius ratio among the layer's tets and the grain's triangles at the copy. */
#include "gb_fill.h"
#include <math.h>

static const double relax_below = 0.2; /* copies of tets under this radius ratio are moved */
enum { PASSES = 4, TRIES = 14 };

typedef struct {
  MtTets m; /* the layer in one piece; its first nodes are the copies */
  int ntri;
  int32_t *tri;                                         /* [3 ntri] copies, the grains' surfaces on interfaces */
  int32_t *origin;                                      /* [ntri] triangle of the surface */
  int32_t *tet_start, *tet_list, *tri_start, *tri_list; /* by copy */
} Layer;

/* Lists by copy of the items that hold it; nodes from ncopies on are left out. */
static PetscErrorCode lists_make(int ncopies, int64_t n, int per, const int64_t *wide, const int32_t *narrow,
                                 int32_t **start, int32_t **list) {
  PetscCall(PetscCalloc1((size_t)ncopies + 2, start));
  PetscCall(PetscMalloc1((size_t)(n * per) + 1, list));
  for (int64_t i = 0; i < n * per; i++) {
    int64_t v = wide ? wide[i] : narrow[i];
    if (v < ncopies) (*start)[v + 2]++;
  }
  for (int v = 0; v < ncopies; v++) (*start)[v + 2] += (*start)[v + 1];
  for (int64_t i = 0; i < n * per; i++) {
    int64_t v = wide ? wide[i] : narrow[i];
    if (v < ncopies) (*list)[(*start)[v + 1]++] = (int32_t)(i / per);
  }
  return 0;
}

static PetscErrorCode triangles_make(const MtCells *c, const MtSurface *s, const MtCopies *q, Layer *l) {
  PetscCall(PetscMalloc2(6 * (size_t)s->nt + 1, &l->tri, 2 * (size_t)s->nt + 1, &l->origin));
  for (int f = 0; f < c->nfaces; f++)
    for (int side = 0; side < 2; side++) {
      if (c->face_cells[2 * f + side] < 0) continue;
      for (int k = s->face_start[f]; k < s->face_start[f + 1]; k++) {
        for (int i = 0; i < 3; i++)
          l->tri[3 * l->ntri + i] = mt_copies_find(q, s->tri[3 * k + i], c->face_cells[2 * f + side]);
        l->origin[l->ntri++] = k;
      }
    }
  return 0;
}

static PetscErrorCode layer_make(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q,
                                 Layer *l) {
  int32_t *face, *edge, *vertex;
  memset(l, 0, sizeof *l);
  PetscCall(PetscCalloc3((size_t)c->nfaces, &face, (size_t)c->nedges, &edge, (size_t)c->nvertices, &vertex));
  for (int f = 0; f < c->nfaces; f++) face[f] = c->face_cells[2 * f + 1] >= 0 ? 0 : -1;
  for (int v = 0; v < c->nvertices; v++) vertex[v] = -1;
  PetscCall(mt_gb_layers(c, s, t, q, 1, face, edge, vertex, &l->m));
  PetscCall(PetscFree3(face, edge, vertex));
  PetscCall(triangles_make(c, s, q, l));
  PetscCall(lists_make(q->n, l->m.nt, 4, l->m.tet, NULL, &l->tet_start, &l->tet_list));
  return lists_make(q->n, l->ntri, 3, NULL, l->tri, &l->tri_start, &l->tri_list);
}

static PetscErrorCode layer_free(Layer *l) {
  mt_tets_free(&l->m);
  PetscCall(PetscFree2(l->tri, l->origin));
  PetscCall(PetscFree(l->tet_start));
  PetscCall(PetscFree(l->tet_list));
  PetscCall(PetscFree(l->tri_start));
  return PetscFree(l->tri_list);
}

static double tet_gamma(const Layer *l, int64_t t) {
  double y[4][3];
  for (int k = 0; k < 12; k++) y[k / 3][k % 3] = l->m.x[3 * l->m.tet[4 * t + k / 3] + k % 3];
  return mt_tet_gamma((const double(*)[3])y);
}

static void normal_of(const double *a, const double *b, const double *c, double n[3]) {
  double u[3], v[3];
  for (int k = 0; k < 3; k++) u[k] = b[k] - a[k], v[k] = c[k] - a[k];
  n[0] = u[1] * v[2] - u[2] * v[1], n[1] = u[2] * v[0] - u[0] * v[2], n[2] = u[0] * v[1] - u[1] * v[0];
}

/* Radius ratio in the plane, negative when the triangle is turned over against the original one. */
static double triangle_gamma(const Layer *l, const MtSurface *s, int k) {
  const double *p[3];
  const int32_t *o = s->tri + 3 * l->origin[k];
  double n[3], n0[3];
  for (int i = 0; i < 3; i++) p[i] = l->m.x + 3 * l->tri[3 * k + i];
  normal_of(p[0], p[1], p[2], n);
  normal_of(s->x + 3 * o[0], s->x + 3 * o[1], s->x + 3 * o[2], n0);
  double g = mt_triangle_gamma(p[0], p[1], p[2]);
  return n[0] * n0[0] + n[1] * n0[1] + n[2] * n0[2] > 0 ? g : -g;
}

static double worst_at(const Layer *l, const MtSurface *s, int32_t copy) {
  double worst = 1;
  for (int i = l->tet_start[copy]; i < l->tet_start[copy + 1]; i++) worst = fmin(worst, tet_gamma(l, l->tet_list[i]));
  for (int i = l->tri_start[copy]; i < l->tri_start[copy + 1]; i++)
    worst = fmin(worst, triangle_gamma(l, s, l->tri_list[i]));
  return worst;
}

/* Directions in which a copy may slide: 2 in a face, 1 on an edge, 0 at a vertex. */
static int directions(const MtCells *c, const MtSurface *s, int32_t node, double d[2][3]) {
  if (s->dim[node] == 0) return 0;
  const int e = s->entity[node];
  double a[3] = {0, 0, 0}, *u = d[0];
  if (s->dim[node] == 1) {
    for (int k = 0; k < 3; k++) u[k] = c->x[3 * c->edge[2 * e + 1] + k] - c->x[3 * c->edge[2 * e] + k];
  } else {
    const double *n = s->slot_normal + 3 * s->node_slot[s->node_start[node]];
    a[fabs(n[0]) < 0.6 ? 0 : 1] = 1;
    u[0] = n[1] * a[2] - n[2] * a[1], u[1] = n[2] * a[0] - n[0] * a[2], u[2] = n[0] * a[1] - n[1] * a[0];
    double *v = d[1];
    v[0] = n[1] * u[2] - n[2] * u[1], v[1] = n[2] * u[0] - n[0] * u[2], v[2] = n[0] * u[1] - n[1] * u[0];
  }
  for (int m = 0; m < s->dim[node]; m++) {
    double len = sqrt(d[m][0] * d[m][0] + d[m][1] * d[m][1] + d[m][2] * d[m][2]);
    for (int k = 0; k < 3; k++) d[m][k] /= len;
  }
  return s->dim[node];
}

static void slide(const MtCells *c, const MtSurface *s, const MtCopies *q, Layer *l, int32_t copy, double step) {
  double d[2][3], *x = l->m.x + 3 * copy;
  int n = directions(c, s, q->node[copy], d);
  if (n == 0 || q->grain[copy] < 0) return;
  double best = worst_at(l, s, copy);
  for (int k = 0; k < TRIES; k++) {
    bool better = false;
    for (int m = 0; m < 4 * n && !better; m++) { /* along d0, (d1), and between them */
      double old[3] = {x[0], x[1], x[2]}, sign = m % 2 ? -step : step;
      const double *u = d[m / 2 % n], *v = d[(m / 2 + 1) % n];
      double other = n == 2 && m >= 4 ? (m / 2 % 2 ? 1 : -1) : 0;
      for (int i = 0; i < 3; i++) x[i] += sign * (u[i] + other * v[i]);
      double now = worst_at(l, s, copy);
      better = now > best + 1e-4;
      if (better)
        best = now;
      else
        memcpy(x, old, sizeof old);
    }
    if (!better) step /= 2;
  }
}

PetscErrorCode mt_copies_relax(const MtCells *c, const MtSurface *s, const MtTopology *t, double thickness,
                               MtCopies *q) {
  Layer l;
  PetscCall(layer_make(c, s, t, q, &l));
  for (int pass = 0; pass < PASSES; pass++)
    for (int64_t i = 0; i < l.m.nt; i++) {
      if (tet_gamma(&l, i) > relax_below) continue;
      for (int k = 0; k < 4; k++) slide(c, s, q, &l, (int32_t)l.m.tet[4 * i + k], thickness / 4);
    }
  memcpy(q->x, l.m.x, 3 * (size_t)q->n * sizeof(double));
  return layer_free(&l);
}
