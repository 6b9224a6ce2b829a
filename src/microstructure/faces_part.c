/* Triangles that two faces have in common, and how they are got rid of. */
#include "faces.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  int nfaces;
  const int32_t *loop_start, *loop;
  const double *x;
  MtFaceMesh *m;
} Faces;

typedef struct {
  int32_t key[3]; /* nodes, ascending */
  int32_t face, tri;
} RimTriangle;

enum { PASSES = 8 };
static const double least_shape = 0.01; /* radius ratio of a triangle that may come of a turn */

static int compare_rims(const void *a, const void *b) {
  const RimTriangle *p = a, *q = b;
  for (int k = 0; k < 3; k++)
    if (p->key[k] != q->key[k]) return p->key[k] < q->key[k] ? -1 : 1;
  if (p->face != q->face) return p->face < q->face ? -1 : 1;
  return (p->tri > q->tri) - (p->tri < q->tri);
}

static int loop_length(const Faces *w, int f) {
  return w->loop_start[f + 1] - w->loop_start[f];
}

static bool rim_make(const Faces *w, int f, int k, RimTriangle *r) {
  const int32_t *t = w->m[f].tri + 3 * k;
  *r = (RimTriangle){{-1, -1, -1}, f, k};
  for (int i = 0; i < 3; i++) {
    if (t[i] >= loop_length(w, f)) return false;
    const int32_t node = w->loop[w->loop_start[f] + t[i]];
    int j = i;
    for (; j > 0 && r->key[j - 1] > node; j--) r->key[j] = r->key[j - 1];
    r->key[j] = node;
  }
  return true;
}

/* All triangles with three nodes on the rim of their face, sorted.  *rim from malloc. */
static int rims_list(const Faces *w, RimTriangle **rim) {
  int n = 0, room = 0;
  for (int f = 0; f < w->nfaces; f++) room += w->m[f].ntri;
  *rim = mt_malloc(((size_t)room + 1) * sizeof **rim);
  for (int f = 0; f < w->nfaces; f++)
    for (int k = 0; k < w->m[f].ntri; k++) n += rim_make(w, f, k, *rim + n);
  qsort(*rim, (size_t)n, sizeof **rim, compare_rims);
  return n;
}

static bool same_nodes(const RimTriangle *a, const RimTriangle *b) {
  return a->key[0] == b->key[0] && a->key[1] == b->key[1] && a->key[2] == b->key[2];
}

static const double *point_of(const Faces *w, int f, int32_t i) {
  const int n = loop_length(w, f);
  return i < n ? w->x + 3 * w->loop[w->loop_start[f] + i] : w->m[f].inner + 3 * (i - n);
}

static void area_of(const Faces *w, int f, int32_t a, int32_t b, int32_t c, double n[3]) {
  const double *p = point_of(w, f, a), *q = point_of(w, f, b), *r = point_of(w, f, c);
  double u[3], v[3];
  for (int k = 0; k < 3; k++) u[k] = q[k] - p[k], v[k] = r[k] - p[k];
  n[0] = u[1] * v[2] - u[2] * v[1], n[1] = u[2] * v[0] - u[0] * v[2], n[2] = u[0] * v[1] - u[1] * v[0];
}

/* Radius ratio with the sign of the area seen along the normal. */
static double shape(const Faces *w, int f, int32_t a, int32_t b, int32_t c, const double normal[3]) {
  double n[3];
  area_of(w, f, a, b, c, n);
  const double gamma = mt_triangle_gamma(point_of(w, f, a), point_of(w, f, b), point_of(w, f, c));
  return n[0] * normal[0] + n[1] * normal[1] + n[2] * normal[2] > 0 ? gamma : -gamma;
}

static void face_normal(const Faces *w, int f, double n[3]) {
  n[0] = n[1] = n[2] = 0;
  for (int k = 0; k < w->m[f].ntri; k++) {
    const int32_t *t = w->m[f].tri + 3 * k;
    double a[3];
    area_of(w, f, t[0], t[1], t[2], a);
    for (int d = 0; d < 3; d++) n[d] += a[d];
  }
}

/* The triangle of face f behind side (b, c) of triangle k, and its corner off that side; -1: the rim. */
static int behind(const Faces *w, int f, int k, int32_t b, int32_t c, int32_t *corner) {
  for (int j = 0; j < w->m[f].ntri; j++) {
    const int32_t *t = w->m[f].tri + 3 * j;
    for (int i = 0; i < 3 && j != k; i++)
      if (t[i] == c && t[(i + 1) % 3] == b) {
        *corner = t[(i + 2) % 3];
        return j;
      }
  }
  return -1;
}

typedef struct {
  double worst; /* shape of the worse of the two new triangles */
  int face, tri, beside, side;
  int32_t corner;
} Turn;

/* Turning the side opposite to corner i of triangle k: a-b-c, c-b-d become a-b-d, a-d-c. */
static void try_turns(const Faces *w, const RimTriangle *r, Turn *best) {
  double normal[3];
  face_normal(w, r->face, normal);
  for (int i = 0; i < 3; i++) {
    const int32_t *t = w->m[r->face].tri + 3 * r->tri, a = t[i], b = t[(i + 1) % 3], c = t[(i + 2) % 3];
    Turn now = {.face = r->face, .tri = r->tri, .side = i};
    now.beside = behind(w, r->face, r->tri, b, c, &now.corner);
    if (now.beside < 0) continue;
    now.worst = fmin(shape(w, r->face, a, b, now.corner, normal), shape(w, r->face, a, now.corner, c, normal));
    if (now.worst > best->worst) *best = now;
  }
}

static void apply_turn(const Faces *w, const Turn *turn) {
  int32_t *t = w->m[turn->face].tri + 3 * turn->tri, *u = w->m[turn->face].tri + 3 * turn->beside;
  const int32_t a = t[turn->side], b = t[(turn->side + 1) % 3], c = t[(turn->side + 2) % 3], d = turn->corner;
  t[0] = a, t[1] = b, t[2] = d;
  u[0] = a, u[1] = d, u[2] = c;
}

/* A point in the middle of the triangle, which becomes three. */
static void put_point(const Faces *w, const RimTriangle *r) {
  MtFaceMesh *m = w->m + r->face;
  const int32_t *old = m->tri + 3 * r->tri, t[3] = {old[0], old[1], old[2]}, p = loop_length(w, r->face) + m->ninner;
  double x[3] = {0, 0, 0};
  for (int i = 0; i < 9; i++) x[i % 3] += point_of(w, r->face, t[i / 3])[i % 3] / 3;
  m->inner = mt_realloc(m->inner, (3 * (size_t)m->ninner + 4) * sizeof *m->inner);
  m->tri = mt_realloc(m->tri, (3 * (size_t)m->ntri + 7) * sizeof *m->tri);
  for (int k = 0; k < 3; k++) {
    const double *q = point_of(w, r->face, t[0]); /* the coordinate of a wall to the bit */
    const bool common = q[k] == point_of(w, r->face, t[1])[k] && q[k] == point_of(w, r->face, t[2])[k];
    m->inner[3 * m->ninner + k] = common ? q[k] : x[k];
  }
  m->ninner++;
  for (int i = 0; i < 3; i++) {
    int32_t *u = m->tri + 3 * (i == 0 ? r->tri : m->ntri++);
    u[0] = t[i], u[1] = t[(i + 1) % 3], u[2] = p;
  }
}

/* Triangles that an earlier turn of the same pass has changed wait for the next. */
static bool is_still(const Faces *w, const RimTriangle *r) {
  RimTriangle now;
  return rim_make(w, r->face, r->tri, &now) && same_nodes(&now, r);
}

PetscErrorCode mt_faces_part(int nfaces, const int32_t *loop_start, const int32_t *loop, const double *x, MtFaceMesh *m,
                             int *nturned) {
  Faces w = {nfaces, loop_start, loop, x, m};
  *nturned = 0;
  for (int pass = 0, twice = 1; pass < PASSES && twice > 0; pass++) {
    RimTriangle *rim;
    const int n = rims_list(&w, &rim);
    twice = 0;
    for (int i = 0; i + 1 < n; i++) {
      Turn best = {.worst = least_shape};
      if (!same_nodes(rim + i, rim + i + 1) || !is_still(&w, rim + i) || !is_still(&w, rim + i + 1)) continue;
      try_turns(&w, rim + i, &best);
      try_turns(&w, rim + i + 1, &best);
      if (best.worst > least_shape && pass < PASSES / 2) /* a turn may make another pair; points never do */
        apply_turn(&w, &best);
      else
        put_point(&w, rim + i);
      twice++;
    }
    *nturned += twice;
    free(rim);
  }
  return 0;
}
