/* Distances of diagrams as matchings.  Bottleneck: at a price, all pairs that cannot afford the diagonal must find a
 * partner; by the theorem of N. Mendelsohn and A. Dulmage (Canad. J. Math. 10 (1958) 517) it is enough to ask this of
 * each diagram alone.  Wasserstein: an assignment by shortest augmenting paths (R. Jonker, A. Volgenant, Computing 38
 * (1987) 325). */
#include "magtwin/memory.h"
#include "magtwin/topology.h"
#include <float.h>
#include <math.h>
#include <string.h>

typedef struct {
  int n;
  double *birth, *death; /* owned */
} Points;

static Points points_of(int64_t n, const MtPair *pair) {
  const size_t room = (size_t)n + 1;
  Points p = {0, mt_calloc(room, sizeof(double)), mt_calloc(room, sizeof(double))};
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(pair[i].birth) || !isfinite(pair[i].death)) continue;
    p.birth[p.n] = pair[i].birth;
    p.death[p.n++] = pair[i].death;
  }
  return p;
}

static void points_free(Points *p) {
  free(p->birth);
  free(p->death);
}

static double apart(const Points *a, int i, const Points *b, int j) {
  return fmax(fabs(a->birth[i] - b->birth[j]), fabs(a->death[i] - b->death[j]));
}

static double to_diagonal(const Points *a, int i) {
  return fabs(a->death[i] - a->birth[i]) / 2;
}

typedef struct {
  int *row_of;       /* [b] partner, -1: none */
  int *from, *queue; /* [b], [a] breadth-first search: row from which a column was reached, -1: not yet */
} Search;

/* One more row finds a column, others give way; false: it cannot. */
static bool augment(const Points *a, const Points *b, double price, int row, int *column_of, const Search *s) {
  int head = 0, tail = 0;
  for (int j = 0; j < b->n; j++) s->from[j] = -1;
  s->queue[tail++] = row;
  while (head < tail) {
    const int i = s->queue[head++];
    for (int j = 0; j < b->n; j++) {
      if (s->from[j] >= 0 || apart(a, i, b, j) > price) continue;
      s->from[j] = i;
      if (s->row_of[j] >= 0) {
        s->queue[tail++] = s->row_of[j];
        continue;
      }
      for (int k = j; k >= 0;) { /* back along the path */
        const int r = s->from[k], before = column_of[r];
        s->row_of[k] = r;
        column_of[r] = k;
        k = before;
      }
      return true;
    }
  }
  return false;
}

/* Can all points of a that are dearer than the price at the diagonal be matched with points of b? */
static bool all_matched(const Points *a, const Points *b, double price) {
  int *store = mt_malloc((2 * (size_t)a->n + 2 * (size_t)b->n + 2) * sizeof *store);
  int *column_of = store + 2 * b->n, good = 1;
  const Search s = {store, store + b->n, column_of + a->n};
  for (int i = 0; i < 2 * b->n + a->n; i++) store[i] = -1;
  for (int i = 0; i < a->n && good; i++)
    if (to_diagonal(a, i) > price) good = augment(a, b, price, i, column_of, &s);
  free(store);
  return good;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Every price at which something changes, up to the one of leaving all to the diagonal; ascending. */
static int64_t prices(const Points *a, const Points *b, double **price) {
  double most = 0;
  int64_t n = 0, room = (int64_t)a->n * b->n + a->n + b->n + 1;
  for (int i = 0; i < a->n; i++) most = fmax(most, to_diagonal(a, i));
  for (int j = 0; j < b->n; j++) most = fmax(most, to_diagonal(b, j));
  double *p = *price = mt_malloc((size_t)room * sizeof *p);
  p[n++] = 0;
  for (int i = 0; i < a->n; i++) p[n++] = to_diagonal(a, i);
  for (int j = 0; j < b->n; j++) p[n++] = to_diagonal(b, j);
  for (int i = 0; i < a->n; i++)
    for (int j = 0; j < b->n; j++)
      if (apart(a, i, b, j) < most) p[n++] = apart(a, i, b, j);
  qsort(p, (size_t)n, sizeof *p, by_value);
  return n;
}

double mt_bottleneck(int64_t na, const MtPair *pa, int64_t nb, const MtPair *pb) {
  Points a = points_of(na, pa), b = points_of(nb, pb);
  double *price;
  int64_t low = 0, high = prices(&a, &b, &price) - 1; /* the highest is always enough */
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (all_matched(&a, &b, price[middle]) && all_matched(&b, &a, price[middle]))
      high = middle;
    else
      low = middle + 1;
  }
  const double distance = price[low];
  free(price);
  points_free(&a);
  points_free(&b);
  return distance;
}

/* Rows: points of a; columns: points of b, then for each row the diagonal.  What b's points cost at the diagonal is
 * paid in advance, and given back where one is matched. */
typedef struct {
  const Points *a, *b;
  double order;
  double *row_price, *column_price, *shortest; /* dual variables and path lengths; [a], [a+b], [a+b] */
  int *row_of, *before;                        /* [a+b] */
  bool *done;                                  /* [a+b] */
} Assignment;

static double cost(const Assignment *s, int i, int j) {
  if (j >= s->b->n) return j - s->b->n == i ? pow(to_diagonal(s->a, i), s->order) : DBL_MAX;
  return pow(apart(s->a, i, s->b, j), s->order) - pow(to_diagonal(s->b, j), s->order);
}

/* From column `at` (its row, or `row` to begin with) to the nearest column that is not done. */
static int advance(const Assignment *s, int i, int at, double so_far) {
  const int columns = s->a->n + s->b->n;
  int best = -1;
  for (int j = 0; j < columns; j++) {
    if (s->done[j]) continue;
    const double c = cost(s, i, j);
    const double length = c < DBL_MAX ? so_far + c - s->row_price[i] - s->column_price[j] : DBL_MAX;
    if (length < s->shortest[j]) {
      s->shortest[j] = length;
      s->before[j] = at;
    }
    if (best < 0 || s->shortest[j] < s->shortest[best]) best = j;
  }
  return best;
}

static void assign_row(const Assignment *s, int row) {
  const int columns = s->a->n + s->b->n;
  for (int j = 0; j < columns; j++) {
    s->shortest[j] = DBL_MAX;
    s->done[j] = false;
  }
  int at = advance(s, row, -1, 0);
  while (s->row_of[at] >= 0) {
    s->done[at] = true;
    at = advance(s, s->row_of[at], at, s->shortest[at]);
  }
  const double end = s->shortest[at];
  s->row_price[row] += end;
  for (int j = 0; j < columns; j++)
    if (s->done[j]) {
      s->row_price[s->row_of[j]] += end - s->shortest[j];
      s->column_price[j] -= end - s->shortest[j];
    }
  for (int j = at; j >= 0;) {
    const int k = s->before[j];
    s->row_of[j] = k >= 0 ? s->row_of[k] : row;
    j = k;
  }
}

double mt_wasserstein(int64_t na, const MtPair *pa, int64_t nb, const MtPair *pb, double order) {
  Points a = points_of(na, pa), b = points_of(nb, pb);
  const size_t columns = (size_t)a.n + (size_t)b.n + 1;
  double sum = 0, *store = mt_calloc((size_t)a.n + 2 * columns, sizeof *store);
  int *numbers = mt_calloc(2 * columns, sizeof *numbers);
  Assignment s = {&a,
                  &b,
                  order,
                  store,
                  store + a.n,
                  store + (size_t)a.n + columns,
                  numbers,
                  numbers + columns,
                  mt_calloc(columns, sizeof(bool))};
  memset(numbers, 0xff, 2 * columns * sizeof *numbers);
  for (int i = 0; i < a.n; i++) assign_row(&s, i);
  for (int j = 0; j < b.n; j++) sum += pow(s.row_of[j] < 0 ? to_diagonal(&b, j) : apart(&a, s.row_of[j], &b, j), order);
  for (int i = 0; i < a.n; i++)
    if (s.row_of[b.n + i] >= 0) sum += pow(to_diagonal(&a, i), order);
  free(store);
  free(numbers);
  free(s.done);
  points_free(&a);
  points_free(&b);
  return pow(sum, 1 / order);
}
