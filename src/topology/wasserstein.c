/* Wasserstein distance as an assignment by shortest augmenting paths (R. Jonker, A. Volgenant, Computing 38 (1987)
 * 325), from the points of one diagram and then from those of the other that are left.  What a match may cost is not
 * listed: where a point can go to comes from a k-d tree in the order of reduced costs, bounded from below by the
 * distance to a box and the largest dual variable in it. */
#include "magtwin/memory.h"
#include "matching.h"
#include <math.h>
#include <string.h>

MtPoints mt_points_of(int64_t n, const MtPair *pair) {
  const size_t room = (size_t)n + 1;
  MtPoints p = {0, mt_calloc(room, sizeof(double)), mt_calloc(room, sizeof(double))};
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(pair[i].birth) || !isfinite(pair[i].death)) continue;
    p.birth[p.n] = pair[i].birth;
    p.death[p.n++] = pair[i].death;
  }
  return p;
}

void mt_points_free(MtPoints *p) {
  free(p->birth);
  free(p->death);
}

double mt_to_diagonal(const MtPoints *p, int i) {
  return fabs(p->death[i] - p->birth[i]) / 2;
}

/* A search from a point: at a node of the other side's tree, at a point there, or at the diagonal; the length of the
 * way to it, or less. */
typedef enum { AT_NODE, AT_POINT, AT_DIAGONAL } Kind;
typedef struct {
  double length;
  int from, at; /* the point that is left; node or point of the other side */
  Kind kind;
} Way;

/* The points of one diagram.  Each ends with a point of the other or at its diagonal.  Dual variables, the gains of the
 * tree: those of two points add up to what their match costs at most, to exactly that where they are matched; none is
 * above the price at the diagonal, and is equal to it where that is taken. */
typedef struct {
  MtPoints points;
  MtTree tree;
  int *mate; /* [n] -1: none, or the diagonal */
} Side;

typedef struct {
  Side side[2];
  double order;
  double *reached;    /* [n] length of the way to a point of the side searched */
  int *before, *list; /* [n] point it was reached from; points that were reached */
  bool *done;         /* [n] */
  double limit;       /* the shortest way to an end so far */
  int n, room;
  Way *heap; /* owned */
} Assignment;

static double raise(const Assignment *s, double x) {
  return s->order == 2 ? x * x : (s->order == 1 ? x : pow(x, s->order));
}

static void push(Assignment *s, Way w) {
  if (w.length > s->limit) return;
  if (s->n == s->room) {
    s->room = 2 * s->room + 64;
    s->heap = mt_realloc(s->heap, (size_t)s->room * sizeof *s->heap);
  }
  int i = s->n++;
  for (int up = (i - 1) / 2; i > 0 && s->heap[up].length > w.length; i = up, up = (i - 1) / 2) s->heap[i] = s->heap[up];
  s->heap[i] = w;
}

static Way pop(Assignment *s) {
  Way *h = s->heap;
  const Way top = h[0], last = h[--s->n];
  int i = 0;
  for (int down = 1; down < s->n; i = down, down = 2 * i + 1) {
    if (down + 1 < s->n && h[down + 1].length < h[down].length) down++;
    if (h[down].length >= last.length) break;
    h[i] = h[down];
  }
  h[i] = last;
  return top;
}

/* From a point that was reached after `length`: to the diagonal, or on to the other side. */
static void leave(Assignment *s, int k, int point, double length) {
  const Side *own = &s->side[k], *other = &s->side[!k];
  const double rest = length - own->tree.gain[point], end = rest + raise(s, mt_to_diagonal(&own->points, point));
  push(s, (Way){end, point, -1, AT_DIAGONAL});
  s->limit = fmin(s->limit, end);
  if (other->points.n) push(s, (Way){rest - other->tree.most[0], point, 0, AT_NODE});
}

/* rest: the length of the way to the point, less its dual variable. */
static void open_node(Assignment *s, int k, int point, int node, double rest) {
  const MtPoints *own = &s->side[k].points;
  const Side *other = &s->side[!k];
  const MtTree *t = &other->tree;
  if (node < t->leaves - 1) {
    for (int c = 2 * node + 1; c <= 2 * node + 2; c++) {
      const double away = mt_tree_away(t, c, own->birth[point], own->death[point]);
      if (away < INFINITY) push(s, (Way){rest + raise(s, away) - t->most[c], point, c, AT_NODE});
    }
    return;
  }
  const int l = node - (t->leaves - 1);
  for (int i = t->start[l]; i < t->start[l + 1]; i++) {
    const int j = t->order[i];
    if (s->done[j]) continue;
    const double way = rest + raise(s, mt_points_apart(own, point, &other->points, j)) - t->gain[j];
    push(s, (Way){way, point, j, AT_POINT});
    if (other->mate[j] < 0) s->limit = fmin(s->limit, way);
  }
}

/* The way back from the point that took the diagonal, or from one that had no partner. */
static void take_path(const Assignment *s, int k, int start, const Way *end) {
  int *mate = s->side[k].mate, *theirs = s->side[!k].mate;
  int at = end->kind == AT_POINT ? end->at : mate[end->from];
  if (end->kind == AT_DIAGONAL) mate[end->from] = -1;
  while (at >= 0) {
    const int point = s->before[at], next = mate[point];
    theirs[at] = point;
    mate[point] = at;
    at = point == start ? -1 : next;
  }
}

/* The nearest end, by E. W. Dijkstra's method on reduced costs; how many points were passed, *end. */
static int find_end(Assignment *s, int k, int start, Way *end) {
  const Side *own = &s->side[k], *other = &s->side[!k];
  int n = 0;
  s->n = 0;
  s->limit = INFINITY;
  leave(s, k, start, 0);
  for (;;) {
    const Way w = *end = pop(s);
    if (w.kind == AT_DIAGONAL) return n;
    if (w.kind == AT_NODE) {
      const double so_far = w.from == start ? 0 : s->reached[own->mate[w.from]];
      open_node(s, k, w.from, w.at, so_far - own->tree.gain[w.from]);
      continue;
    }
    if (s->done[w.at]) continue;
    s->before[w.at] = w.from;
    if (other->mate[w.at] < 0) return n;
    s->done[w.at] = true;
    s->list[n++] = w.at;
    s->reached[w.at] = w.length;
    leave(s, k, other->mate[w.at], w.length);
  }
}

/* Finds an end for one point; others give way. */
static void assign(Assignment *s, int k, int start) {
  Side *own = &s->side[k], *other = &s->side[!k];
  Way end;
  const int n = find_end(s, k, start, &end);
  mt_tree_set_gain(&own->tree, start, own->tree.gain[start] + end.length);
  for (int i = 0; i < n; i++) {
    const int j = s->list[i], point = other->mate[j];
    const double rise = fmax(0, end.length - s->reached[j]);
    mt_tree_set_gain(&own->tree, point, own->tree.gain[point] + rise);
    mt_tree_set_gain(&other->tree, j, other->tree.gain[j] - rise);
    s->done[j] = false;
  }
  take_path(s, k, start, &end);
}

static double total(const Assignment *s) {
  const Side *a = &s->side[0], *b = &s->side[1];
  double sum = 0;
  for (int i = 0; i < a->points.n; i++)
    sum += raise(s, a->mate[i] < 0 ? mt_to_diagonal(&a->points, i)
                                   : mt_points_apart(&a->points, i, &b->points, a->mate[i]));
  for (int j = 0; j < b->points.n; j++)
    if (b->mate[j] < 0) sum += raise(s, mt_to_diagonal(&b->points, j));
  return sum;
}

static void side_create(int64_t n, const MtPair *pair, Side *side) {
  side->points = mt_points_of(n, pair);
  mt_tree_create(&side->points, &side->tree);
  side->mate = mt_malloc((size_t)side->points.n * sizeof *side->mate);
  for (int i = 0; i < side->points.n; i++) side->mate[i] = -1;
}

static void side_free(Side *side) {
  mt_tree_free(&side->tree);
  mt_points_free(&side->points);
  free(side->mate);
}

double mt_wasserstein(int64_t na, const MtPair *pa, int64_t nb, const MtPair *pb, double order) {
  Assignment s = {.order = order, .room = 64};
  side_create(na, pa, &s.side[0]);
  side_create(nb, pb, &s.side[1]);
  const size_t room = (size_t)(na > nb ? na : nb);
  s.reached = mt_malloc(room * sizeof *s.reached);
  s.before = mt_malloc(room * sizeof *s.before);
  s.list = mt_malloc(room * sizeof *s.list);
  s.done = mt_calloc(room, sizeof *s.done);
  s.heap = mt_calloc((size_t)s.room, sizeof *s.heap);
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < s.side[k].points.n; i++)
      if (s.side[k].mate[i] < 0) assign(&s, k, i);
  const double sum = total(&s);
  for (int k = 0; k < 2; k++) side_free(&s.side[k]);
  free(s.reached);
  free(s.before);
  free(s.list);
  free(s.done);
  free(s.heap);
  return pow(sum, 1 / order);
}
