/* Pairs of triangles of a closed surface that go through each other, found by a sweep along x.  Triangles with a common
 * side are left out: the angle between them is watched elsewhere. */
#include "gb_fill.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  double low[3], high[3];
  int triangle;
} Box;

static int by_low_x(const void *a, const void *b) {
  const Box *p = a, *q = b;
  if (p->low[0] != q->low[0]) return p->low[0] < q->low[0] ? -1 : 1;
  return p->triangle - q->triangle;
}

static Box box_of(const MtShell *s, int k) {
  Box b = {{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}, k};
  for (int i = 0; i < 9; i++) {
    double x = s->x[3 * s->tri[3 * k + i / 3] + i % 3];
    b.low[i % 3] = fmin(b.low[i % 3], x), b.high[i % 3] = fmax(b.high[i % 3], x);
  }
  return b;
}

static double volume6(const double *a, const double *b, const double *c, const double *d) {
  double u[3], v[3], w[3];
  for (int k = 0; k < 3; k++) u[k] = b[k] - a[k], v[k] = c[k] - a[k], w[k] = d[k] - a[k];
  return w[0] * (u[1] * v[2] - u[2] * v[1]) + w[1] * (u[2] * v[0] - u[0] * v[2]) + w[2] * (u[0] * v[1] - u[1] * v[0]);
}

/* Volumes of tets of edges l1, l2, l3 (nm) are not trusted below this part of l1 l2 l3: those of four points of one
 * plane are nothing but rounding. */
static const double FLAT = 1e-11;

static double distance(const double *a, const double *b) {
  return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/* Does the segment a-b pass through the triangle?  By signs of volumes; touching is not passing, nor is lying in its
 * plane. */
static bool segment_cuts(const double *a, const double *b, const double *p, const double *q, const double *r) {
  const double from = volume6(p, q, r, a), to = volume6(p, q, r, b);
  if (from * to >= 0) return false;
  if (fmin(fabs(from), fabs(to)) <= FLAT * distance(p, q) * distance(p, r) * distance(a, b)) return false;
  double u = volume6(a, b, p, q), v = volume6(a, b, q, r), w = volume6(a, b, r, p);
  return (u > 0 && v > 0 && w > 0) || (u < 0 && v < 0 && w < 0);
}

static bool holds(const int32_t *t, int32_t v) {
  return t[0] == v || t[1] == v || t[2] == v;
}

static bool sides_cut(const MtShell *s, const int32_t *t, const int32_t *u) {
  for (int i = 0; i < 3; i++) {
    int32_t a = t[i], b = t[(i + 1) % 3];
    if (holds(u, a) || holds(u, b)) continue;
    if (segment_cuts(s->x + 3 * a, s->x + 3 * b, s->x + 3 * u[0], s->x + 3 * u[1], s->x + 3 * u[2])) return true;
  }
  return false;
}

static bool triangles_cut(const MtShell *s, int a, int b) {
  const int32_t *t = s->tri + 3 * a, *u = s->tri + 3 * b;
  if (holds(u, t[0]) + holds(u, t[1]) + holds(u, t[2]) > 1) return false;
  return sides_cut(s, t, u) || sides_cut(s, u, t);
}

void mt_shell_cuts(const MtShell *s, int **pair, int *n) {
  Box *box = mt_malloc(((size_t)s->nt + 1) * sizeof *box);
  int room = 16;
  *pair = mt_malloc(2 * (size_t)room * sizeof **pair);
  *n = 0;
  for (int k = 0; k < s->nt; k++) box[k] = box_of(s, k);
  qsort(box, (size_t)s->nt, sizeof *box, by_low_x);
  for (int i = 0; i < s->nt; i++)
    for (int j = i + 1; j < s->nt && box[j].low[0] <= box[i].high[0]; j++) {
      bool apart = false;
      for (int k = 1; k < 3; k++) apart = apart || box[i].low[k] > box[j].high[k] || box[j].low[k] > box[i].high[k];
      if (apart || !triangles_cut(s, box[i].triangle, box[j].triangle)) continue;
      if (*n == room) *pair = mt_realloc(*pair, 2 * (size_t)(room *= 2) * sizeof **pair);
      (*pair)[2 * *n] = box[i].triangle, (*pair)[2 * (*n)++ + 1] = box[j].triangle;
    }
  free(box);
}
