/* Points inside a filled grain moved one by one so that the worst of their tets becomes better: pattern search on the
 * smallest radius ratio around the point (as in Freitag and Ollivier-Gooch, Int. J. Numer. Meth. Eng. 40 (1997) 3979).
 * The surface does not move. */
#include "gb_fill.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

static const double smooth_below = 0.25; /* points with a tet under this radius ratio are moved */
enum { PASSES = 6, TRIES = 24 };

static const double *point_of(const MtShell *s, const MtFill *f, int32_t i) {
  return i < s->nx ? s->x + 3 * i : f->x + 3 * (i - s->nx);
}

static double gamma_of(const MtShell *s, const MtFill *f, int t) {
  double y[4][3];
  for (int k = 0; k < 12; k++) y[k / 3][k % 3] = point_of(s, f, f->tet[4 * t + k / 3])[k % 3];
  return mt_tet_gamma((const double(*)[3])y);
}

static double worst_around(const MtShell *s, const MtFill *f, const int *tets, int n) {
  double worst = 1;
  for (int i = 0; i < n; i++) worst = fmin(worst, gamma_of(s, f, tets[i]));
  return worst;
}

static double shortest_edge(const MtShell *s, const MtFill *f, int32_t v, const int *tets, int n) {
  double least = 1e300;
  const double *x = point_of(s, f, v);
  for (int i = 0; i < 4 * n; i++) {
    int32_t w = f->tet[4 * tets[i / 4] + i % 4];
    const double *y = point_of(s, f, w);
    if (w != v)
      least = fmin(least,
                   sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) + (x[2] - y[2]) * (x[2] - y[2])));
  }
  return least;
}

static void move_point(const MtShell *s, MtFill *f, int32_t v, const int *tets, int n) {
  static const int direction[14][3] = {{1, 0, 0},  {-1, 0, 0},  {0, 1, 0},    {0, -1, 0}, {0, 0, 1},
                                       {0, 0, -1}, {1, 1, 1},   {-1, -1, -1}, {1, 1, -1}, {-1, -1, 1},
                                       {1, -1, 1}, {-1, 1, -1}, {-1, 1, 1},   {1, -1, -1}};
  double *x = f->x + 3 * (v - s->nx), best = worst_around(s, f, tets, n), step = 0.3 * shortest_edge(s, f, v, tets, n);
  for (int k = 0; k < TRIES; k++) {
    bool better = false;
    for (int d = 0; d < 14 && !better; d++) {
      double old[3] = {x[0], x[1], x[2]};
      for (int i = 0; i < 3; i++) x[i] += step * direction[d][i];
      double now = worst_around(s, f, tets, n);
      better = now > best + 1e-4;
      if (better)
        best = now;
      else
        memcpy(x, old, sizeof old);
    }
    if (!better) step /= 2;
  }
}

double mt_fill_smooth(const MtShell *s, MtFill *f) {
  int *start = mt_calloc((size_t)f->nx + 2, sizeof *start), *list = mt_malloc((4 * (size_t)f->nt + 1) * sizeof *list);
  double worst = 1;
  for (int i = 0; i < 4 * f->nt; i++)
    if (f->tet[i] >= s->nx) start[f->tet[i] - s->nx + 2]++;
  for (int i = 0; i < f->nx; i++) start[i + 2] += start[i + 1];
  for (int i = 0; i < 4 * f->nt; i++)
    if (f->tet[i] >= s->nx) list[start[f->tet[i] - s->nx + 1]++] = i / 4;
  for (int pass = 0; pass < PASSES; pass++)
    for (int t = 0; t < f->nt; t++) {
      if (gamma_of(s, f, t) > smooth_below) continue;
      for (int k = 0; k < 4; k++) {
        int v = f->tet[4 * t + k] - s->nx;
        if (v >= 0) move_point(s, f, f->tet[4 * t + k], list + start[v], start[v + 1] - start[v]);
      }
    }
  for (int t = 0; t < f->nt; t++) worst = fmin(worst, gamma_of(s, f, t));
  free(start), free(list);
  return worst;
}
