/* Points inside a filled grain moved one by one so that the worst of their tets becomes better: pattern search on the
 * smallest radius ratio around the point (as in Freitag and Ollivier-Gooch, Int. J. Numer. Meth. Eng. 40 (1997) 3979).
 * The surface does not move. */
#include "gb_fill.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

static const double smooth_below = 0.25; /* points with a tet under this radius ratio are moved */
enum { PASSES = 6, TRIES = 24 };

/* Of the inner points, counted in trials. */
typedef struct {
  int64_t now, *tried, *moved; /* 0: never; tried without success */
} Times;

static const double *point_of(const MtShell *s, const MtFill *f, int32_t i) {
  return i < s->nx ? s->x + 3 * i : f->x + 3 * (i - s->nx);
}

static double gamma_of(const MtShell *s, const MtFill *f, int t) {
  double y[4][3];
  for (int k = 0; k < 12; k++) y[k / 3][k % 3] = point_of(s, f, f->tet[4 * t + k / 3])[k % 3];
  return mt_tet_gamma((const double(*)[3])y);
}

/* Once one is not above `floor`, that one. */
static double worst_around(const MtShell *s, const MtFill *f, const int *tets, int n, double floor) {
  double worst = 1;
  for (int i = 0; i < n && worst > floor; i++) worst = fmin(worst, gamma_of(s, f, tets[i]));
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

/* True when it has found a better place. */
static bool move_point(const MtShell *s, MtFill *f, int32_t v, const int *tets, int n) {
  static const int direction[14][3] = {{1, 0, 0},  {-1, 0, 0},  {0, 1, 0},    {0, -1, 0}, {0, 0, 1},
                                       {0, 0, -1}, {1, 1, 1},   {-1, -1, -1}, {1, 1, -1}, {-1, -1, 1},
                                       {1, -1, 1}, {-1, 1, -1}, {-1, 1, 1},   {1, -1, -1}};
  double *x = f->x + 3 * (v - s->nx), best = worst_around(s, f, tets, n, -INFINITY),
         step = 0.3 * shortest_edge(s, f, v, tets, n);
  bool moved = false;
  for (int k = 0; k < TRIES; k++) {
    bool better = false;
    for (int d = 0; d < 14 && !better; d++) {
      double old[3] = {x[0], x[1], x[2]};
      for (int i = 0; i < 3; i++) x[i] += step * direction[d][i];
      double now = worst_around(s, f, tets, n, best + 1e-4);
      better = now > best + 1e-4;
      if (better)
        best = now;
      else
        memcpy(x, old, sizeof old);
    }
    if (!better) step /= 2;
    moved = moved || better;
  }
  return moved;
}

/* Nothing around the point has moved since it found no better place. */
static bool is_stuck(const MtShell *s, const MtFill *f, const Times *time, int v, const int *tets, int n) {
  if (time->tried[v] == 0) return false;
  for (int i = 0; i < 4 * n; i++) {
    const int w = f->tet[4 * tets[i / 4] + i % 4] - s->nx;
    if (w >= 0 && time->moved[w] > time->tried[v]) return false;
  }
  return true;
}

static void try_point(const MtShell *s, MtFill *f, Times *time, int v, const int *tets, int n) {
  if (is_stuck(s, f, time, v, tets, n)) return;
  time->now++;
  *(move_point(s, f, v + s->nx, tets, n) ? time->moved + v : time->tried + v) = time->now;
}

double mt_fill_smooth(const MtShell *s, MtFill *f) {
  int *start = mt_calloc((size_t)f->nx + 2, sizeof *start), *list = mt_malloc((4 * (size_t)f->nt + 1) * sizeof *list);
  Times time = {0, mt_calloc((size_t)f->nx + 1, sizeof(int64_t)), mt_calloc((size_t)f->nx + 1, sizeof(int64_t))};
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
        if (v >= 0) try_point(s, f, &time, v, list + start[v], start[v + 1] - start[v]);
      }
    }
  for (int t = 0; t < f->nt; t++) worst = fmin(worst, gamma_of(s, f, t));
  free(start), free(list), free(time.tried), free(time.moved);
  return worst;
}
