/* Bottleneck distance.  At a price, all pairs that cannot afford the diagonal must find a partner; by the theorem of
 * N. Mendelsohn and A. Dulmage (Canad. J. Math. 10 (1958) 517) it is enough to ask this of each diagram alone.  The
 * least price is found by bisection over the numbers a double can be.  Partners are sought in a k-d tree, as proposed
 * by A. Efrat, A. Itai, M. J. Katz, Algorithmica 31 (2001) 1. */
#include "magtwin/memory.h"
#include "matching.h"
#include <math.h>
#include <string.h>

typedef struct {
  const MtPoints *a, *b;
  MtTree *tree; /* of b */
  double price;
  int *row_of, *column_of; /* [b], [a] partner, -1: none */
  int *from, *root, *next; /* [b] row a column was reached from; [a] where its search began; [a] queue */
  bool *done;              /* [a] of a root: it has found a column */
} Search;

/* A free column was reached: back along the path. */
static void augment(const Search *s, int column) {
  while (column >= 0) {
    const int row = s->from[column], before = s->column_of[row];
    s->row_of[column] = row;
    s->column_of[row] = column;
    column = before;
  }
}

/* All rows without a column search together, breadth first; each column is seen once, so their paths do not cross.
 * How many found one. */
static int search(const Search *s, int n) {
  int found = 0;
  mt_tree_restore(s->tree);
  for (int head = 0; head < n; head++) {
    const int row = s->next[head], root = s->root[row];
    for (int j; !s->done[root] && (j = mt_tree_take(s->tree, s->a->birth[row], s->a->death[row], s->price)) >= 0;) {
      s->from[j] = row;
      if (s->row_of[j] < 0) {
        augment(s, j);
        s->done[root] = true;
        found++;
      } else {
        s->root[s->row_of[j]] = root;
        s->next[n++] = s->row_of[j];
      }
    }
  }
  return found;
}

/* Rows that must be matched and are not -> queue. */
static int list_rows(const Search *s) {
  int n = 0;
  for (int i = 0; i < s->a->n; i++)
    if (s->column_of[i] < 0 && mt_to_diagonal(s->a, i) > s->price) {
      s->next[n++] = i;
      s->root[i] = i;
      s->done[i] = false;
    }
  return n;
}

/* Can all points of a that are dearer than the price at the diagonal be matched with points of b? */
static bool all_matched(const MtPoints *a, const MtPoints *b, MtTree *tree, double price) {
  const size_t na = (size_t)a->n, nb = (size_t)b->n;
  int *store = mt_malloc((3 * na + 2 * nb) * sizeof *store);
  bool *done = mt_malloc(na * sizeof *done);
  const Search s = {
      a, b, tree, price, store, store + nb + nb, store + nb, store + 2 * nb + na, store + 2 * nb + 2 * na, done};
  memset(store, 0xff, (2 * nb + na) * sizeof *store);
  int left = list_rows(&s), found = 1;
  while (left && found) {
    found = search(&s, left);
    left = list_rows(&s);
  }
  free(store);
  free(done);
  return !left;
}

typedef struct {
  MtPoints a, b;
  MtTree tree_a, tree_b;
} Two;

static bool enough(Two *t, double price) {
  return all_matched(&t->a, &t->b, &t->tree_b, price) && all_matched(&t->b, &t->a, &t->tree_a, price);
}

/* Doubles that are not negative have the order of their bits. */
static uint64_t bits_of(double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

static double real_of(uint64_t bits) {
  double v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

/* No point can do with less than its nearest neighbour or the diagonal. */
static double at_least(const MtPoints *a, const MtTree *b) {
  double most = 0;
  for (int i = 0; i < a->n; i++) most = fmax(most, mt_tree_nearest(b, a->birth[i], a->death[i], mt_to_diagonal(a, i)));
  return most;
}

/* All left to the diagonal: always enough. */
static double dearest(const Two *t) {
  double most = 0;
  for (int i = 0; i < t->a.n; i++) most = fmax(most, mt_to_diagonal(&t->a, i));
  for (int j = 0; j < t->b.n; j++) most = fmax(most, mt_to_diagonal(&t->b, j));
  return most;
}

/* The least price at which all is matched: up from what it cannot be below, where few partners are in reach. */
static double least_price(Two *t) {
  const double top = dearest(t);
  double price = fmax(at_least(&t->a, &t->tree_b), at_least(&t->b, &t->tree_a));
  uint64_t low = bits_of(price);
  while (!enough(t, price)) {
    low = bits_of(price) + 1;
    price = fmin(top, fmax(2 * price, top * 0x1p-60));
  }
  uint64_t high = bits_of(price);
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (enough(t, real_of(middle)))
      high = middle;
    else
      low = middle + 1;
  }
  return real_of(high);
}

double mt_bottleneck(int64_t na, const MtPair *pa, int64_t nb, const MtPair *pb) {
  Two t = {.a = mt_points_of(na, pa), .b = mt_points_of(nb, pb)};
  mt_tree_create(&t.a, &t.tree_a);
  mt_tree_create(&t.b, &t.tree_b);
  const double price = least_price(&t);
  mt_tree_free(&t.tree_a);
  mt_tree_free(&t.tree_b);
  mt_points_free(&t.a);
  mt_points_free(&t.b);
  return price;
}
