/* Copies around bad tets of the layer and folded triangles of the grains moved one at a time: a pattern search on the
 * worst radius ratio at the copy.  First they slide in their own planes (on edges: along the edge), so that the
 * thickness stays; those for which that does not do leave their planes, which costs less of the layer than thinning it
 * around the place. */
#include "gb_fill.h"
#include <math.h>

static const double relax_below = 0.2;               /* copies of tets under this radius ratio are moved */
static const double free_below = 0.1;                /* and where that does not do, they leave their planes */
static const double least_part[3] = {0.7, 0.4, 0.1}; /* of the thickness is kept then, as much as will do */
enum { PASSES = 4, TRIES = 14, PER_TET = 16 };

typedef struct {
  MtTets m; /* the layer in one piece; its first nodes are the copies */
  int ncopies, layers;
  int32_t *copies; /* [16 nt] the copies on which a tet hangs, each once, -1: no more */
  int ntri;
  int32_t *tri;                                         /* [3 ntri] copies, the grains' surfaces on interfaces */
  int32_t *origin;                                      /* [ntri] triangle of the surface */
  int32_t *tet_start, *tet_list, *tri_start, *tri_list; /* by copy */
} Layer;

typedef struct {
  const MtCopies *q;
  Layer l;
  bool free;          /* may leave their planes */
  double least_depth; /* nm, into the grain, that a move must leave */
} Work;

/* Lists by copy of the items that hold it; -1 is left out. */
static PetscErrorCode lists_make(int ncopies, int64_t n, int per, const int32_t *item, int32_t **start,
                                 int32_t **list) {
  PetscCall(PetscCalloc1((size_t)ncopies + 2, start));
  PetscCall(PetscMalloc1((size_t)(n * per) + 1, list));
  for (int64_t i = 0; i < n * per; i++) {
    if (item[i] >= 0) (*start)[item[i] + 2]++;
  }
  for (int v = 0; v < ncopies; v++) (*start)[v + 2] += (*start)[v + 1];
  for (int64_t i = 0; i < n * per; i++) {
    if (item[i] >= 0) (*list)[(*start)[item[i] + 1]++] = (int32_t)(i / per);
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

static void hang_on(int32_t *copies, int64_t copy) {
  int k = 0;
  while (copies[k] >= 0 && copies[k] != copy) k++;
  copies[k] = (int32_t)copy;
}

static PetscErrorCode copies_of_tets(Layer *l) {
  PetscCall(PetscMalloc1(PER_TET * (size_t)l->m.nt + 1, &l->copies));
  for (int64_t i = 0; i < PER_TET * l->m.nt; i++) l->copies[i] = -1;
  for (int64_t i = 0; i < 4 * l->m.nt; i++) {
    int64_t v = l->m.tet[i];
    int32_t *copies = l->copies + PER_TET * (i / 4);
    if (v < l->ncopies) hang_on(copies, v);
    for (int k = 0; k < 4 && v >= l->ncopies && l->m.from[v].corner[k] >= 0; k++)
      if (l->m.from[v].corner[k] < l->ncopies) hang_on(copies, l->m.from[v].corner[k]);
  }
  return 0;
}

static PetscErrorCode layer_make(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q,
                                 int layers, Layer *l) {
  int32_t *face, *edge, *vertex;
  memset(l, 0, sizeof *l);
  l->ncopies = q->n, l->layers = layers, l->m.track = true;
  PetscCall(PetscCalloc3((size_t)c->nfaces, &face, (size_t)c->nedges, &edge, (size_t)c->nvertices, &vertex));
  for (int f = 0; f < c->nfaces; f++) face[f] = c->face_cells[2 * f + 1] >= 0 ? 0 : -1;
  PetscCall(mt_gb_layers(c, s, t, q, layers, face, edge, vertex, &l->m));
  PetscCall(PetscFree3(face, edge, vertex));
  PetscCall(triangles_make(c, s, q, l));
  PetscCall(copies_of_tets(l));
  PetscCall(lists_make(q->n, l->m.nt, PER_TET, l->copies, &l->tet_start, &l->tet_list));
  return lists_make(q->n, l->ntri, 3, l->tri, &l->tri_start, &l->tri_list);
}

static PetscErrorCode layer_free(Layer *l) {
  mt_tets_free(&l->m);
  PetscCall(PetscFree(l->copies));
  PetscCall(PetscFree2(l->tri, l->origin));
  PetscCall(PetscFree(l->tet_start));
  PetscCall(PetscFree(l->tet_list));
  PetscCall(PetscFree(l->tri_start));
  return PetscFree(l->tri_list);
}

/* Points of the lattice go with the copies they lie between. */
static void point_of(const Layer *l, int64_t v, double x[3]) {
  const MtLatticePoint *p = v < l->ncopies ? NULL : l->m.from + v;
  if (!p || p->corner[0] < 0) {
    memcpy(x, l->m.x + 3 * v, 3 * sizeof *x);
    return;
  }
  x[0] = x[1] = x[2] = 0;
  for (int i = 0; i < 4 && p->corner[i] >= 0; i++)
    for (int k = 0; k < 3; k++) x[k] += l->m.x[3 * p->corner[i] + k] * p->weight[i] / l->layers;
}

static double tet_gamma(const Layer *l, int64_t t) {
  double y[4][3];
  for (int k = 0; k < 4; k++) point_of(l, l->m.tet[4 * t + k], y[k]);
  return mt_tet_gamma((const double(*)[3])y);
}

static void normal_of(const double *a, const double *b, const double *c, double n[3]) {
  double u[3], v[3];
  for (int k = 0; k < 3; k++) u[k] = b[k] - a[k], v[k] = c[k] - a[k];
  n[0] = u[1] * v[2] - u[2] * v[1], n[1] = u[2] * v[0] - u[0] * v[2], n[2] = u[0] * v[1] - u[1] * v[0];
}

/* Radius ratio, or the part of its area that is left in its old plane if that is less; negative when it is turned over.
 */
static double triangle_gamma(const Layer *l, const MtSurface *s, int k) {
  const double *p[3];
  const int32_t *o = s->tri + 3 * l->origin[k];
  double n[3], n0[3], along = 0, full = 0;
  for (int i = 0; i < 3; i++) p[i] = l->m.x + 3 * l->tri[3 * k + i];
  normal_of(p[0], p[1], p[2], n);
  normal_of(s->x + 3 * o[0], s->x + 3 * o[1], s->x + 3 * o[2], n0);
  for (int i = 0; i < 3; i++) along += n[i] * n0[i], full += n0[i] * n0[i];
  double g = mt_triangle_gamma(p[0], p[1], p[2]);
  return along > 0 ? fmin(g, along / full) : fmax(-g, along / full);
}

static double worst_at(const Layer *l, const MtSurface *s, int32_t copy) {
  double worst = 1;
  for (int i = l->tet_start[copy]; i < l->tet_start[copy + 1]; i++) worst = fmin(worst, tet_gamma(l, l->tet_list[i]));
  for (int i = l->tri_start[copy]; i < l->tri_start[copy + 1]; i++)
    worst = fmin(worst, triangle_gamma(l, s, l->tri_list[i]));
  return worst;
}

/* Directions in which a copy may slide: 2 in a face, 1 on an edge, 0 at a vertex. */
static int sliding_directions(const MtCells *c, const MtSurface *s, int32_t node, double d[3][3]) {
  const int8_t dim = s->dim[node];
  if (dim == 0) return 0;
  const int e = s->entity[node];
  double a[3] = {0, 0, 0}, *u = d[0];
  if (dim == 1) {
    for (int k = 0; k < 3; k++) u[k] = c->x[3 * c->edge[2 * e + 1] + k] - c->x[3 * c->edge[2 * e] + k];
  } else {
    const double *n = s->slot_normal + 3 * s->node_slot[s->node_start[node]];
    a[fabs(n[0]) < 0.6 ? 0 : 1] = 1;
    u[0] = n[1] * a[2] - n[2] * a[1], u[1] = n[2] * a[0] - n[0] * a[2], u[2] = n[0] * a[1] - n[1] * a[0];
    double *v = d[1];
    v[0] = n[1] * u[2] - n[2] * u[1], v[1] = n[2] * u[0] - n[0] * u[2], v[2] = n[0] * u[1] - n[1] * u[0];
  }
  for (int m = 0; m < dim; m++) {
    double len = sqrt(d[m][0] * d[m][0] + d[m][1] * d[m][1] + d[m][2] * d[m][2]);
    for (int k = 0; k < 3; k++) d[m][k] /= len;
  }
  return dim;
}

/* All axes but those across the walls on which the copy lies. */
static int free_directions(const MtCells *c, const double *x, double d[3][3]) {
  int n = 0;
  for (int k = 0; k < 3; k++) {
    if (x[k] == c->box[k] || x[k] == c->box[3 + k]) continue;
    memset(d[n], 0, sizeof d[n]);
    d[n++][k] = 1;
  }
  return n;
}

static bool inside(const MtCells *c, const double *x) {
  for (int k = 0; k < 3; k++)
    if (x[k] < c->box[k] || x[k] > c->box[3 + k]) return false;
  return true;
}

/* Distance into the grain from the interface next to it, least over the interfaces at the copy. */
static double depth(const MtCells *c, const MtSurface *s, const Work *w, int32_t copy) {
  const int32_t node = w->q->node[copy], grain = w->q->grain[copy];
  double least = 1e300;
  for (int i = s->node_start[node]; i < s->node_start[node + 1]; i++) {
    const int32_t slot = s->node_slot[i], *side = c->face_cells + 2 * s->slot_face[slot];
    double along = 0;
    if (side[1] < 0 || (side[0] != grain && side[1] != grain)) continue;
    for (int k = 0; k < 3; k++) along += s->slot_normal[3 * slot + k] * (w->l.m.x[3 * copy + k] - s->x[3 * node + k]);
    least = fmin(least, side[0] == grain ? -along : along);
  }
  return least;
}

/* One trial of each of the 3^n - 1 directions that are sums of +-d. */
static bool step_taken(const MtCells *c, const MtSurface *s, Work *w, int32_t copy, int n, double d[3][3], double step,
                       double *best) {
  static const int count[4] = {1, 3, 9, 27};
  double *x = w->l.m.x + 3 * copy, old[3] = {x[0], x[1], x[2]};
  for (int m = 0; m < count[n]; m++) {
    const int sign[3] = {m % 3 - 1, m / 3 % 3 - 1, m / 9 - 1};
    for (int j = 0; j < n; j++)
      for (int k = 0; k < 3; k++) x[k] += step * sign[j] * d[j][k];
    double now = worst_at(&w->l, s, copy);
    if (now > *best + 1e-4 && depth(c, s, w, copy) > w->least_depth && inside(c, x)) {
      *best = now;
      return true;
    }
    memcpy(x, old, sizeof old);
  }
  return false;
}

/* True when the copy has found a better place. */
static bool move(const MtCells *c, const MtSurface *s, Work *w, int32_t copy, double step) {
  double d[3][3];
  bool moved = false;
  if (w->q->grain[copy] < 0) return false;
  const int32_t node = w->q->node[copy];
  int n = w->free ? free_directions(c, w->l.m.x + 3 * copy, d) : sliding_directions(c, s, node, d);
  double best = worst_at(&w->l, s, copy);
  for (int k = 0; k < TRIES && n > 0; k++) {
    bool better = step_taken(c, s, w, copy, n, d, step, &best);
    if (!better) step /= 2;
    moved = moved || better;
  }
  return moved;
}

static void relax(const MtCells *c, const MtSurface *s, Work *w, double below, double step) {
  bool moved = true;
  for (int pass = 0; pass < PASSES && moved; pass++) {
    moved = false;
    for (int64_t i = 0; i < w->l.m.nt; i++) {
      if (tet_gamma(&w->l, i) > below) continue;
      const int32_t *copies = w->l.copies + PER_TET * i;
      for (int k = 0; k < PER_TET && copies[k] >= 0; k++) moved |= move(c, s, w, copies[k], step);
    }
    for (int i = 0; i < w->l.ntri; i++) {
      if (triangle_gamma(&w->l, s, i) > below) continue;
      for (int k = 0; k < 3; k++) moved |= move(c, s, w, w->l.tri[3 * i + k], step);
    }
  }
}

PetscErrorCode mt_copies_relax(const MtCells *c, const MtSurface *s, const MtTopology *t, double thickness, int layers,
                               MtCopies *q) {
  Work w = {.q = q, .free = false, .least_depth = -1e300};
  PetscCall(layer_make(c, s, t, q, layers, &w.l));
  relax(c, s, &w, relax_below, thickness / 4);
  w.free = true;
  for (int k = 0; k < 3; k++) {
    w.least_depth = least_part[k] * thickness / 2;
    relax(c, s, &w, free_below, thickness / 4);
  }
  memcpy(q->x, w.l.m.x, 3 * (size_t)q->n * sizeof(double));
  return layer_free(&w.l);
}
