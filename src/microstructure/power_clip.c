/* A power cell by half-space clipping: the box is cut by the bisectors of the other seeds in order of distance, until
 * no further seed can reach the cell (security radius).  Every vertex of the polyhedron has three planes and three
 * neighbours, so a cut is bookkeeping on vertices alone and the orientation of the faces follows without a
 * floating-point decision. Method: C. H. Rycroft, Chaos 19, 041111 (2009); security radius: B. Levy and N. Bonneel,
 * Proc. 21st Int. Meshing Roundtable (2012). */
#include "power_clip.h"
#include <math.h>
#include <string.h>

static PetscErrorCode poly_reserve(MtPoly *p, int n) {
  if (n <= p->capacity) return 0;
  n = 2 * n;
  PetscCall(PetscRealloc((size_t)n * sizeof *p->v, &p->v));
  PetscCall(PetscRealloc((size_t)n * sizeof *p->side, &p->side));
  PetscCall(PetscRealloc((size_t)n * sizeof *p->map, &p->map));
  p->capacity = n;
  return 0;
}

/* Corner i of the box lies on the max wall of axis d where bit d of i is set; its neighbour across axis d is i ^ (1 <<
 * d). */
static PetscErrorCode poly_box(MtPoly *p, const double box[6]) {
  PetscCall(poly_reserve(p, 8));
  p->n = 8;
  for (int i = 0; i < 8; i++) {
    MtPolyVertex *v = &p->v[i];
    bool mirrored = ((i ^ (i >> 1) ^ (i >> 2)) & 1) == 0;
    for (int d = 0; d < 3; d++) {
      int high = (i >> d) & 1, slot = mirrored && d ? 3 - d : d;
      v->x[d] = box[3 * high + d];
      v->plane[slot] = -1 - 2 * d - high;
      v->next[slot] = i ^ (1 << d);
    }
  }
  return 0;
}

/* A point of the edge from k (kept, side <= 0) to i (cut off, side > 0), exact on walls. */
static void cut_edge(const MtPoly *p, const double box[6], int k, int i, MtPolyVertex *w) {
  double t = -p->side[k] / (p->side[i] - p->side[k]);
  for (int d = 0; d < 3; d++) w->x[d] = p->v[k].x[d] + t * (p->v[i].x[d] - p->v[k].x[d]);
  for (int s = 0; s < 3; s++) {
    if (w->plane[s] >= 0) continue;
    int wall = -1 - w->plane[s];
    w->x[wall / 2] = box[3 * (wall % 2) + wall / 2];
  }
}

/* Every edge that crosses the plane `id` gets a vertex: the cut-off end's planes with the one it leaves replaced. */
static PetscErrorCode cut_crossing_edges(MtPoly *p, const double box[6], int32_t id) {
  int n = p->n;
  for (int i = 0; i < n; i++) {
    if (p->side[i] <= 0) continue;
    for (int s = 0; s < 3; s++) {
      int k = p->v[i].next[s];
      if (p->side[k] > 0) continue;
      PetscCall(poly_reserve(p, p->n + 1));
      MtPolyVertex w = p->v[i];
      w.plane[s] = id;
      w.next[s] = k;
      cut_edge(p, box, k, i, &w);
      for (int t = 0; t < 3; t++)
        if (p->v[k].next[t] == i) p->v[k].next[t] = p->n;
      p->side[p->n] = 0;
      p->v[p->n++] = w;
    }
  }
  return 0;
}

static int find_with_plane(const MtPoly *p, int first, int other_than, int32_t plane) {
  int found = -1;
  for (int b = first; b < p->n; b++) {
    const int32_t *q = p->v[b].plane;
    if (b == other_than || (q[0] != plane && q[1] != plane && q[2] != plane)) continue;
    if (found >= 0) return -1;
    found = b;
  }
  return found;
}

/* The new vertices form one face: each is joined to the two others that share one of its older planes. */
static MtClipState link_new_face(MtPoly *p, int first, int32_t id) {
  for (int a = first; a < p->n; a++) {
    MtPolyVertex *v = &p->v[a];
    int s = v->plane[0] == id ? 0 : v->plane[1] == id ? 1 : 2;
    for (int t = 0; t < 3; t++) {
      if (t == s) continue;
      v->next[t] = find_with_plane(p, first, a, v->plane[3 - s - t]);
      if (v->next[t] < 0) return MT_CLIP_DEGENERATE;
    }
  }
  return MT_CLIP_OK;
}

static void poly_compact(MtPoly *p) {
  int n = 0;
  for (int i = 0; i < p->n; i++) p->map[i] = p->side[i] > 0 ? -1 : n++;
  for (int i = 0; i < p->n; i++) {
    if (p->map[i] < 0) continue;
    MtPolyVertex v = p->v[i];
    for (int s = 0; s < 3; s++) v.next[s] = p->map[v.next[s]];
    p->v[p->map[i]] = v;
  }
  p->n = n;
}

/* Keeps the part normal.x <= offset. */
static PetscErrorCode poly_clip(MtPoly *p, const double box[6], const double normal[3], double offset, int32_t id,
                                double tolerance, MtClipState *state) {
  int removed = 0, first = p->n;
  for (int i = 0; i < p->n; i++) {
    const double *x = p->v[i].x;
    p->side[i] = normal[0] * x[0] + normal[1] * x[1] + normal[2] * x[2] - offset;
    if (fabs(p->side[i]) < tolerance) {
      *state = MT_CLIP_DEGENERATE;
      return 0;
    }
    removed += p->side[i] > 0;
  }
  *state = removed == p->n ? MT_CLIP_EMPTY : MT_CLIP_OK;
  if (removed == 0 || *state == MT_CLIP_EMPTY) return 0;
  PetscCall(cut_crossing_edges(p, box, id));
  *state = link_new_face(p, first, id);
  if (*state == MT_CLIP_OK) poly_compact(p);
  return 0;
}

static bool nearer(MtNear a, MtNear b) {
  return a.distance2 < b.distance2 || (a.distance2 == b.distance2 && a.cell < b.cell);
}

static void sift_down(MtNear *h, int n, int i) {
  MtNear item = h[i];
  for (int child = 2 * i + 1; child < n; child = 2 * i + 1) {
    if (child + 1 < n && nearer(h[child + 1], h[child])) child++;
    if (!nearer(h[child], item)) break;
    h[i] = h[child];
    i = child;
  }
  h[i] = item;
}

/* A heap rather than a sorted list: a cell asks for a few dozen neighbours of thousands. */
static int heap_of_neighbours(MtClipper *c, int k) {
  const double *s = c->power->seed;
  int n = 0;
  for (int j = 0; j < c->power->n; j++) {
    if (j == k) continue;
    double dx = s[3 * j] - s[3 * k], dy = s[3 * j + 1] - s[3 * k + 1], dz = s[3 * j + 2] - s[3 * k + 2];
    c->heap[n++] = (MtNear){dx * dx + dy * dy + dz * dz, j};
  }
  for (int i = n / 2 - 1; i >= 0; i--) sift_down(c->heap, n, i);
  return n;
}

static double farthest_vertex(const MtPoly *p, const double s[3]) {
  double r2 = 0;
  for (int i = 0; i < p->n; i++) {
    double dx = p->v[i].x[0] - s[0], dy = p->v[i].x[1] - s[1], dz = p->v[i].x[2] - s[2];
    r2 = fmax(r2, dx * dx + dy * dy + dz * dz);
  }
  return sqrt(r2);
}

static PetscErrorCode clip_by_seed(MtClipper *c, int k, MtNear near, MtClipState *state) {
  const double *sk = &c->power->seed[3 * k], *sj = &c->power->seed[3 * near.cell];
  double dw = c->weight[k] - c->weight[near.cell];
  if (near.distance2 == 0) {
    *state = dw < 0 ? MT_CLIP_EMPTY : dw > 0 ? MT_CLIP_OK : MT_CLIP_DEGENERATE;
    return 0;
  }
  double normal[3], offset = dw / 2;
  for (int d = 0; d < 3; d++) {
    normal[d] = sj[d] - sk[d];
    offset += normal[d] * (sj[d] + sk[d]) / 2;
  }
  PetscCall(poly_clip(&c->poly, c->power->box, normal, offset, near.cell, c->tolerance, state));
  return 0;
}

PetscErrorCode mt_clipper_cell(MtClipper *c, int k, MtClipState *state) {
  *state = MT_CLIP_OK;
  PetscCall(poly_box(&c->poly, c->power->box));
  const double *s = &c->power->seed[3 * k];
  double radius = farthest_vertex(&c->poly, s), gain = c->weight_max - c->weight[k];
  for (int n = heap_of_neighbours(c, k); n > 0;) {
    MtNear near = c->heap[0];
    double d = sqrt(near.distance2);
    /* |x-s_j| >= d - |x-s_k|, so seed j takes nothing within `radius` of s_k once d (d - 2 radius) >= w_j - w_k */
    if (d > radius && d * (d - 2 * radius) > gain) break;
    c->heap[0] = c->heap[--n];
    if (n > 0) sift_down(c->heap, n, 0);
    PetscCall(clip_by_seed(c, k, near, state));
    if (*state != MT_CLIP_OK) break;
    radius = farthest_vertex(&c->poly, s);
  }
  return 0;
}

PetscErrorCode mt_clipper_cut(MtClipper *c, const double normal[3], double offset, int32_t id, MtClipState *state) {
  return poly_clip(&c->poly, c->power->box, normal, offset, id, c->tolerance, state);
}

PetscErrorCode mt_clipper_create(const MtPower *p, const double *weight, MtClipper *c) {
  memset(c, 0, sizeof *c);
  c->power = p;
  c->weight = weight;
  c->weight_max = weight[0];
  for (int i = 1; i < p->n; i++) c->weight_max = fmax(c->weight_max, weight[i]);
  double diagonal2 = 0;
  for (int d = 0; d < 3; d++) diagonal2 += (p->box[3 + d] - p->box[d]) * (p->box[3 + d] - p->box[d]);
  c->tolerance = 1e-14 * diagonal2; /* a few roundings of normal.x - offset */
  PetscCall(PetscMalloc1((size_t)p->n, &c->heap));
  return 0;
}

PetscErrorCode mt_clipper_destroy(MtClipper *c) {
  PetscCall(PetscFree(c->heap));
  PetscCall(PetscFree(c->poly.v));
  PetscCall(PetscFree(c->poly.side));
  PetscCall(PetscFree(c->poly.map));
  return 0;
}
