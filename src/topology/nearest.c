/* A k-d tree for points of the plane (J. L. Bentley, Commun. ACM 18 (1975) 509), with points that can be taken out and
 * with the largest gain below every node. */
#include "nearest.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

enum { LEAF = 8 }; /* points, at most */

static const double *axis_of(const MtPoints *p, int axis) {
  return axis ? p->death : p->birth;
}

/* The m smallest coordinates before the others (C. A. R. Hoare, Commun. ACM 4 (1961) 321). */
static void part(int n, int m, int *order, const double *x) {
  int low = 0, high = n - 1;
  while (low < high) {
    const double middle = x[order[low + (high - low) / 2]];
    int i = low, j = high;
    while (i <= j) {
      while (x[order[i]] < middle) i++;
      while (x[order[j]] > middle) j--;
      if (i > j) break;
      const int swap = order[i];
      order[i++] = order[j], order[j--] = swap;
    }
    if (m <= j)
      high = j;
    else if (m >= i)
      low = i;
    else
      return;
  }
}

static void bound(MtTree *t, int node, int from, int to) {
  double *b = t->box[node];
  b[0] = b[2] = INFINITY;
  b[1] = b[3] = -INFINITY;
  for (int i = from; i < to; i++) {
    const double x = t->points->birth[t->order[i]], y = t->points->death[t->order[i]];
    b[0] = fmin(b[0], x), b[1] = fmax(b[1], x);
    b[2] = fmin(b[2], y), b[3] = fmax(b[3], y);
  }
}

/* The leaves below a node have equal numbers of points, but for one. */
static void build(MtTree *t, int node, int from, int to, int first_leaf, int leaves) {
  bound(t, node, from, to);
  if (leaves == 1) {
    t->start[first_leaf] = from;
    for (int i = from; i < to; i++) t->leaf_of[t->order[i]] = node;
    return;
  }
  const int middle = from + (to - from) / 2;
  const double *b = t->box[node];
  if (to > from) part(to - from, middle - from, t->order + from, axis_of(t->points, b[3] - b[2] > b[1] - b[0]));
  build(t, 2 * node + 1, from, middle, first_leaf, leaves / 2);
  build(t, 2 * node + 2, middle, to, first_leaf + leaves / 2, leaves / 2);
}

void mt_tree_create(const MtPoints *points, MtTree *t) {
  const size_t n = (size_t)points->n;
  *t = (MtTree){.points = points, .leaves = 1};
  while (t->leaves * LEAF < points->n) t->leaves *= 2;
  t->nodes = 2 * t->leaves - 1;
  t->order = mt_calloc(n, sizeof *t->order);
  t->start = mt_malloc(((size_t)t->leaves + 1) * sizeof *t->start);
  t->leaf_of = mt_malloc(n * sizeof *t->leaf_of);
  t->box = mt_malloc((size_t)t->nodes * sizeof *t->box);
  t->alive = mt_malloc((size_t)t->nodes * sizeof *t->alive);
  t->taken = mt_calloc(n, sizeof *t->taken);
  t->gain = mt_calloc(n, sizeof *t->gain);
  t->most = mt_calloc((size_t)t->nodes, sizeof *t->most);
  for (int i = 0; i < points->n; i++) t->order[i] = i;
  build(t, 0, 0, points->n, 0, t->leaves);
  t->start[t->leaves] = points->n;
  mt_tree_restore(t);
}

void mt_tree_free(MtTree *t) {
  free(t->order);
  free(t->start);
  free(t->leaf_of);
  free(t->box);
  free(t->alive);
  free(t->taken);
  free(t->gain);
  free(t->most);
  memset(t, 0, sizeof *t);
}

void mt_tree_restore(MtTree *t) {
  memset(t->taken, 0, (size_t)t->points->n * sizeof *t->taken);
  for (int l = 0; l < t->leaves; l++) t->alive[t->leaves - 1 + l] = t->start[l + 1] - t->start[l];
  for (int i = t->leaves - 2; i >= 0; i--) t->alive[i] = t->alive[2 * i + 1] + t->alive[2 * i + 2];
}

double mt_points_apart(const MtPoints *a, int i, const MtPoints *b, int j) {
  return fmax(fabs(a->birth[i] - b->birth[j]), fabs(a->death[i] - b->death[j]));
}

/* Rounded as the distance of a point in the box would be, so that no such point is further off than this says. */
double mt_tree_away(const MtTree *t, int node, double birth, double death) {
  const double *b = t->box[node];
  const double x = fmax(b[0] - birth, birth - b[1]), y = fmax(b[2] - death, death - b[3]);
  return fmax(0, fmax(x, y));
}

static int find(const MtTree *t, int node, double birth, double death, double reach) {
  if (!t->alive[node] || mt_tree_away(t, node, birth, death) > reach) return -1;
  if (node < t->leaves - 1) {
    const int found = find(t, 2 * node + 1, birth, death, reach);
    return found >= 0 ? found : find(t, 2 * node + 2, birth, death, reach);
  }
  const int l = node - (t->leaves - 1);
  for (int i = t->start[l]; i < t->start[l + 1]; i++) {
    const int p = t->order[i];
    const double away = fmax(fabs(birth - t->points->birth[p]), fabs(death - t->points->death[p]));
    if (!t->taken[p] && away <= reach) return p;
  }
  return -1;
}

int mt_tree_take(MtTree *t, double birth, double death, double reach) {
  const int p = find(t, 0, birth, death, reach);
  if (p < 0) return -1;
  t->taken[p] = true;
  for (int node = t->leaf_of[p];; node = (node - 1) / 2) {
    t->alive[node]--;
    if (!node) return p;
  }
}

static void look(const MtTree *t, int node, double birth, double death, double *least) {
  if (mt_tree_away(t, node, birth, death) >= *least) return;
  if (node < t->leaves - 1) {
    const int left = 2 * node + 1;
    const bool swap = mt_tree_away(t, left, birth, death) > mt_tree_away(t, left + 1, birth, death);
    look(t, left + swap, birth, death, least);
    look(t, left + !swap, birth, death, least);
    return;
  }
  const int l = node - (t->leaves - 1);
  for (int i = t->start[l]; i < t->start[l + 1]; i++) {
    const int p = t->order[i];
    *least = fmin(*least, fmax(fabs(birth - t->points->birth[p]), fabs(death - t->points->death[p])));
  }
}

double mt_tree_nearest(const MtTree *t, double birth, double death, double limit) {
  look(t, 0, birth, death, &limit);
  return limit;
}

static double most_of(const MtTree *t, int node) {
  if (node < t->leaves - 1) return fmax(t->most[2 * node + 1], t->most[2 * node + 2]);
  const int l = node - (t->leaves - 1);
  double most = -INFINITY;
  for (int i = t->start[l]; i < t->start[l + 1]; i++) most = fmax(most, t->gain[t->order[i]]);
  return most;
}

void mt_tree_set_gain(MtTree *t, int point, double gain) {
  t->gain[point] = gain;
  for (int node = t->leaf_of[point];; node = (node - 1) / 2) {
    const double most = most_of(t, node);
    if (t->most[node] == most) return;
    t->most[node] = most;
    if (!node) return;
  }
}
