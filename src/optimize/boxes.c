/* Several goals: the part of the space below the reference that a front does not dominate, cut into boxes.
 *
 * Method: a sweep over the last goal.  Boxes that are open upwards cover what is left at the height reached; a point
 * closes those that it cuts, and what it leaves of them goes on as new ones, which are merged where two make a box: for
 * three goals and n points 2n + 1 boxes, the least possible (as K. Yang et al., J. Glob. Optim. 75, 3 (2019)); for
 * four and 50 points about 450.  Equal values need no care: no step supposes that values differ. */
#include "acquisition.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

/* Goals that are not there are 0 in both. */
typedef struct {
  double low[MT_GOALS_MAX], high[MT_GOALS_MAX];
} Box;

typedef struct {
  int n, room;
  Box *box;
} Boxes;

static void add(Boxes *b, const Box *box) {
  if (b->n == b->room) {
    b->room = 2 * b->room + 16;
    b->box = mt_realloc(b->box, sizeof *b->box * (size_t)b->room);
  }
  b->box[b->n++] = *box;
}

static int compare(double p, double q) {
  return (p > q) - (p < q);
}

/* All but the last goal, then the lower end in that. */
static int along_the_last(const void *a, const void *b) {
  const Box *p = a, *q = b;
  for (int g = 0; g < MT_GOALS_MAX - 1; g++) {
    const int low = compare(p->low[g], q->low[g]), high = compare(p->high[g], q->high[g]);
    if (low || high) return low ? low : high;
  }
  return compare(p->low[MT_GOALS_MAX - 1], q->low[MT_GOALS_MAX - 1]);
}

static void swap(double *v, int g) {
  const double old = v[g];
  v[g] = v[MT_GOALS_MAX - 1];
  v[MT_GOALS_MAX - 1] = old;
}

/* Boxes that lie behind each other along one goal and are alike in the others become one; were there any? */
static bool merge_along(Boxes *b, int goal) {
  enum { LAST = MT_GOALS_MAX - 1 };
  int kept = 0;
  const int before = b->n;
  if (before < 2) return false;
  for (int i = 0; i < b->n; i++) swap(b->box[i].low, goal), swap(b->box[i].high, goal);
  qsort(b->box, (size_t)b->n, sizeof *b->box, along_the_last);
  for (int i = 0; i < b->n; i++) {
    Box *top = kept ? &b->box[kept - 1] : NULL;
    bool joined = top && top->high[LAST] == b->box[i].low[LAST];
    for (int g = 0; g < LAST && joined; g++)
      joined = top->low[g] == b->box[i].low[g] && top->high[g] == b->box[i].high[g];
    if (joined)
      top->high[LAST] = b->box[i].high[LAST];
    else
      b->box[kept++] = b->box[i];
  }
  b->n = kept;
  for (int i = 0; i < b->n; i++) swap(b->box[i].low, goal), swap(b->box[i].high, goal);
  return kept < before;
}

/* What p leaves of a box that it cuts, at the height of p and above. */
static void split(int goals, Box box, const double *p, Boxes *fresh) {
  for (int g = 0; g < goals - 1; g++) {
    if (p[g] <= box.low[g]) continue;
    Box part = box;
    part.high[g] = p[g];
    add(fresh, &part);
    box.low[g] = p[g];
  }
}

static bool cuts(int goals, const double *p, const Box *box) {
  for (int g = 0; g < goals; g++)
    if (p[g] >= box->high[g]) return false;
  return true;
}

/* One point of the sweep. */
static void sweep(int goals, const double *p, Boxes *open, Boxes *closed) {
  const int last = goals - 1;
  Boxes fresh = {0};
  int kept = 0;
  for (int i = 0; i < open->n; i++) {
    Box box = open->box[i];
    if (!cuts(goals, p, &box)) {
      open->box[kept++] = box;
      continue;
    }
    Box below = box;
    below.high[last] = p[last];
    if (below.high[last] > below.low[last]) add(closed, &below);
    box.low[last] = p[last];
    split(goals, box, p, &fresh);
  }
  open->n = kept;
  for (bool merged = true; merged;) {
    merged = false;
    for (int g = 0; g < last; g++) merged = merge_along(&fresh, g) || merged;
  }
  for (int i = 0; i < fresh.n; i++) add(open, &fresh.box[i]);
  free(fresh.box);
}

/* Points by their last values, then by the others: the same boxes in whatever order they come. */
static void sort_points(int goals, int n, double *y) {
  double row[MT_GOALS_MAX];
  const size_t size = sizeof row[0] * (size_t)goals;
  for (int i = 1; i < n; i++) {
    int at = i;
    memcpy(row, y + (ptrdiff_t)i * goals, size);
    for (; at > 0; at--) {
      const double *before = y + (ptrdiff_t)(at - 1) * goals;
      int order = 0;
      for (int g = goals - 1; g >= 0 && !order; g--) order = compare(before[g], row[g]);
      if (order <= 0) break;
      memcpy(y + (ptrdiff_t)at * goals, before, size);
    }
    memcpy(y + (ptrdiff_t)at * goals, row, size);
  }
}

static int by_ends(const void *a, const void *b) {
  const double *p = a, *q = b;
  const int low = compare(p[0], q[0]);
  return low ? low : compare(p[1], q[1]);
}

/* The different intervals of one goal, and which of them each box has. */
static void number_intervals(MtBoxes *out, const Box *box, int goal) {
  const size_t n = (size_t)out->n;
  double *ends = mt_malloc(sizeof *ends * 2 * n);
  int count = 0;
  for (size_t i = 0; i < n; i++) {
    ends[2 * i] = box[i].low[goal];
    ends[2 * i + 1] = box[i].high[goal];
  }
  qsort(ends, n, 2 * sizeof *ends, by_ends);
  for (size_t i = 0; i < n; i++) {
    if (count && !by_ends(ends + 2 * i, ends + 2 * (count - 1))) continue;
    memmove(ends + 2 * (size_t)count++, ends + 2 * i, 2 * sizeof *ends);
  }
  for (size_t i = 0; i < n; i++) {
    const double key[2] = {box[i].low[goal], box[i].high[goal]};
    const double *at = bsearch(key, ends, (size_t)count, sizeof key, by_ends);
    out->which[i * (size_t)out->goals + (size_t)goal] = (int)((at - ends) / 2);
  }
  out->nends[goal] = count;
  out->ends[goal] = ends;
}

MtBoxes mt_boxes(int goals, int n, const double *y, const double *reference) {
  double *kept = mt_malloc(sizeof *kept * (size_t)goals * (size_t)n);
  Boxes open = {0}, closed = {0};
  Box all = {{0}, {0}};
  const int m = mt_front_below(goals, n, y, reference, kept);
  for (int g = 0; g < goals; g++) {
    all.low[g] = -INFINITY;
    all.high[g] = reference[g];
  }
  add(&open, &all);
  sort_points(goals, m, kept);
  for (int i = 0; i < m; i++) sweep(goals, kept + (ptrdiff_t)i * goals, &open, &closed);
  for (int i = 0; i < open.n; i++) add(&closed, &open.box[i]);
  MtBoxes out = {.goals = goals, .n = closed.n};
  out.which = mt_malloc(sizeof *out.which * (size_t)goals * (size_t)closed.n);
  for (int g = 0; g < goals; g++) {
    out.target[g] = NAN;
    number_intervals(&out, closed.box, g);
  }
  free(open.box);
  free(closed.box);
  free(kept);
  return out;
}

void mt_boxes_free(MtBoxes *b) {
  for (int g = 0; g < b->goals; g++) free(b->ends[g]);
  free(b->which);
  *b = (MtBoxes){0};
}
