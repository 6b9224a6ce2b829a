/* Nodes moved so that the least shape of the tets around them grows.  One by one: along the steepest ascent of the
 * worst tets together (the shortest vector in the convex hull of their slopes: L. A. Freitag, C. Ollivier-Gooch, Int.
 * J. Numer. Meth. Eng. 40 (1997) 3979), and where that does not help along fixed directions.  Together: all nodes
 * around a tet along the slope of a smooth minimum, -log(sum exp(-beta q)) / beta. */
#include "improve.h"
#include <math.h>
#include <string.h>

enum { HULL_STEPS = 30, HALVINGS = 9, NODE_STEPS = 60, JOINT_STEPS = 40, JOINT_MAX = 160, ACTIVE_MAX = 200 };
static const double enough = 0.55;  /* shape (gamma 0.3) beyond which a node is left alone */
static const double gain = 1e-4;    /* least improvement of the shape that counts */
static const double active = 0.05;  /* tets within this of the worst one are raised together */
static const double sharpness = 40; /* beta */

static double *at(const MtImprove *w, int64_t v) {
  return w->m->x + 3 * v;
}

/* Mean edge at v of its tets. */
static double size_at(const MtImprove *w, int64_t v) {
  double sum = 0;
  int n = 0;
  for (int64_t i = w->start[v]; i < w->start[v + 1]; i++)
    for (int k = 0; k < 4; k++) {
      int64_t u = w->m->tet[4 * w->list[i] + k];
      const double *x = at(w, v), *y = at(w, u);
      if (u == v) continue;
      sum += sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) + (x[2] - y[2]) * (x[2] - y[2])), n++;
    }
  return n ? sum / n : 0;
}

static void move_along(double *x, double step, const double d[3]) {
  for (int k = 0; k < 3; k++)
    if (d[k] != 0) x[k] += step * d[k]; /* a wall's coordinate keeps its bits */
}

/* Slope of the shape of tet t for a movement of v along its free directions, times h. */
static void slope(const MtImprove *w, int64_t t, int64_t v, const MtFreedom *f, double h, double g[3]) {
  double *x = at(w, v), old[3] = {x[0], x[1], x[2]};
  g[0] = g[1] = g[2] = 0;
  for (int i = 0; i < f->n; i++) {
    move_along(x, h, f->d[i]);
    double up = mt_improve_shape(w, t);
    memcpy(x, old, sizeof old);
    move_along(x, -h, f->d[i]);
    g[i] = (up - mt_improve_shape(w, t)) / 2;
    memcpy(x, old, sizeof old);
  }
}

/* Shortest vector of the convex hull of n slopes, by Gilbert's iteration. */
static void shortest_in_hull(int n, double g[][3], double s[3]) {
  memcpy(s, g[0], 3 * sizeof(double));
  for (int step = 0; step < HULL_STEPS; step++) {
    double least = INFINITY, along = 0, length2 = 0;
    int which = 0;
    for (int i = 0; i < n; i++) {
      double p = g[i][0] * s[0] + g[i][1] * s[1] + g[i][2] * s[2];
      if (p < least) least = p, which = i;
    }
    for (int k = 0; k < 3; k++) {
      double d = s[k] - g[which][k];
      along += d * s[k], length2 += d * d;
    }
    if (!(length2 > 0) || along <= 0) return;
    double part = fmin(1, along / length2);
    for (int k = 0; k < 3; k++) s[k] += part * (g[which][k] - s[k]);
  }
}

/* Unit direction in which the worst tets around v all gain; false if there is none. */
static bool ascent(const MtImprove *w, int64_t v, const MtFreedom *f, const MtPatch *p, double worst, double h,
                   double d[3]) {
  double g[ACTIVE_MAX][3], s[3] = {0, 0, 0}, len = 0;
  int n = 0;
  for (int i = 0; i < p->n && n < ACTIVE_MAX; i++)
    if (mt_improve_shape(w, p->tet[i]) <= worst + active) slope(w, p->tet[i], v, f, h, g[n++]);
  if (n == 0) return false;
  shortest_in_hull(n, g, s);
  memset(d, 0, 3 * sizeof(double));
  for (int i = 0; i < f->n; i++)
    for (int k = 0; k < 3; k++) d[k] += s[i] * f->d[i][k];
  for (int k = 0; k < 3; k++) len += d[k] * d[k];
  for (int k = 0; k < 3 && len > 0; k++) d[k] /= sqrt(len);
  return len > 0;
}

/* Combination number m of the free directions with factors -1, 0, 1. */
static bool fixed_direction(const MtFreedom *f, int m, double d[3]) {
  memset(d, 0, 3 * sizeof(double));
  bool any = false;
  for (int i = 0; i < 3; i++, m /= 3) {
    int factor = m % 3 == 2 ? -1 : m % 3;
    if (factor && i >= f->n) return false;
    any = any || factor;
    for (int k = 0; k < 3; k++) d[k] += factor * f->d[i][k];
  }
  return any;
}

static bool try_step(const MtImprove *w, int64_t v, const MtFreedom *f, const MtPatch *p, const double d[3],
                     double step, double *best) {
  double *x = at(w, v), old[3] = {x[0], x[1], x[2]};
  move_along(x, step, d);
  if (mt_improve_near(w, v, f)) {
    double now = mt_patch_value(w, p, *best + gain);
    if (now > *best) {
      *best = now;
      return true;
    }
  }
  memcpy(x, old, sizeof old);
  return false;
}

static void keep_layer(MtImprove *w, const MtPatch *p) {
  double volume, contact;
  mt_patch_layer(w, p, &volume, &contact);
  w->volume += volume - p->volume, w->contact += contact - p->contact_area;
}

static double least_of(const MtPatch *p) {
  double least = 1;
  for (int i = 0; i < p->n; i++) least = fmin(least, p->shape[i]);
  return least;
}

static bool move_one(MtImprove *w, int64_t v, double level, bool loose, MtPatch *p) {
  MtFreedom f;
  double d[3], size = size_at(w, v), step = 0.2 * size;
  mt_improve_freedom(w, v, loose, &f);
  if (f.n == 0 || (loose && f.nnormal == 0) || !mt_patch_make(w, 1, &v, level, p)) return false;
  double best = least_of(p), before = best;
  for (int k = 0, halved = 0; k < NODE_STEPS && halved < HALVINGS && best < enough; k++) {
    bool better = ascent(w, v, &f, p, best, 1e-4 * size, d) && try_step(w, v, &f, p, d, step, &best);
    for (int m = 1; m < 27 && !better; m++) better = fixed_direction(&f, m, d) && try_step(w, v, &f, p, d, step, &best);
    if (!better) step /= 2, halved++;
  }
  if (best > before) keep_layer(w, p), mt_improve_suspect(w, v);
  return best > before;
}

bool mt_improve_nodes(MtImprove *w, int64_t t, double level, bool loose, MtPatch *scratch) {
  bool moved = false;
  for (int k = 0; k < 4 && mt_improve_shape(w, t) < level; k++) {
    bool one = move_one(w, w->m->tet[4 * t + k], level, loose, scratch);
    moved = moved || one;
  }
  return moved;
}

/* ---- together */

typedef struct {
  int n;
  int64_t node[JOINT_MAX];
  MtFreedom f[JOINT_MAX];
  double g[JOINT_MAX][3], old[JOINT_MAX][3];
} Joint;

static void joint_add(const MtImprove *w, int64_t v, bool loose, Joint *j) {
  for (int i = 0; i < j->n; i++)
    if (j->node[i] == v) return;
  if (j->n == JOINT_MAX) return;
  mt_improve_freedom(w, v, loose, j->f + j->n);
  if (j->f[j->n].n > 0) j->node[j->n++] = v;
}

static void joint_collect(const MtImprove *w, int64_t t, bool loose, int rings, Joint *j) {
  const int64_t *c = w->m->tet + 4 * t;
  j->n = 0;
  for (int k = 0; k < 4; k++) joint_add(w, c[k], loose, j);
  for (int k = 0; k < 4 && rings > 1; k++)
    for (int64_t i = w->start[c[k]]; i < w->start[c[k] + 1]; i++)
      for (int n = 0; n < 4; n++) joint_add(w, w->m->tet[4 * w->list[i] + n], loose, j);
}

static int joint_find(const Joint *j, int64_t v) {
  for (int i = 0; i < j->n; i++)
    if (j->node[i] == v) return i;
  return -1;
}

/* Slopes of the smooth minimum; the longest gets length 1.  False if all vanish. */
static bool joint_slopes(const MtImprove *w, Joint *j, const MtPatch *p, double worst, double h) {
  double most = 0;
  memset(j->g, 0, sizeof j->g);
  for (int i = 0; i < p->n; i++) {
    double q = mt_improve_shape(w, p->tet[i]), weight = exp(-sharpness * (q - worst));
    if (weight < 1e-4) continue;
    for (int k = 0; k < 4; k++) {
      int at_node = joint_find(j, w->m->tet[4 * p->tet[i] + k]);
      double g[3];
      if (at_node < 0) continue;
      slope(w, p->tet[i], j->node[at_node], j->f + at_node, h, g);
      for (int n = 0; n < 3; n++) j->g[at_node][n] += weight * g[n];
    }
  }
  for (int i = 0; i < j->n; i++)
    most = fmax(most, j->g[i][0] * j->g[i][0] + j->g[i][1] * j->g[i][1] + j->g[i][2] * j->g[i][2]);
  for (int i = 0; i < j->n && most > 0; i++)
    for (int k = 0; k < 3; k++) j->g[i][k] /= sqrt(most);
  return most > 0;
}

static bool joint_step(const MtImprove *w, Joint *j, const MtPatch *p, double step, double *best) {
  bool near = true;
  for (int i = 0; i < j->n; i++) {
    double *x = at(w, j->node[i]);
    memcpy(j->old[i], x, sizeof j->old[i]);
    for (int k = 0; k < j->f[i].n; k++) move_along(x, step * j->g[i][k], j->f[i].d[k]);
    near = near && mt_improve_near(w, j->node[i], j->f + i);
  }
  double now = near ? mt_patch_value(w, p, *best + gain) : -INFINITY;
  if (now > *best) {
    *best = now;
    return true;
  }
  for (int i = 0; i < j->n; i++) memcpy(at(w, j->node[i]), j->old[i], sizeof j->old[i]);
  return false;
}

bool mt_improve_together(MtImprove *w, int64_t t, double level, bool loose, int rings, MtPatch *p) {
  Joint j;
  joint_collect(w, t, loose, rings, &j);
  if (j.n == 0 || !mt_patch_make(w, j.n, j.node, level, p)) return false;
  double size = size_at(w, w->m->tet[4 * t]), best = least_of(p), before = best, step = 0.2 * size;
  for (int k = 0, halved = 0; k < JOINT_STEPS && halved < HALVINGS && best < level; k++) {
    if (!joint_slopes(w, &j, p, best, 1e-4 * size)) break;
    while (halved < HALVINGS && !joint_step(w, &j, p, step, &best)) step /= 2, halved++;
  }
  if (best > before) keep_layer(w, p);
  for (int i = 0; i < j.n && best > before; i++) mt_improve_suspect(w, j.node[i]);
  return best > before;
}
