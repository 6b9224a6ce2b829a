/* Numbers of many pairs laid on the pixels that belong to each.  The regions of an image's pairs are nested: a pixel
 * lies in those of the component that it joined and of all components that this one became a part of later, until the
 * last of them dies.  One walk along this tree of joins does what a flood a pair would do. */
#include "grid.h"
#include "magtwin/memory.h"
#include "region.h"
#include <math.h>
#include <stdlib.h>

#define NOBODY (-1)

/* Components are named by the pixel at which they are born; the outside and what is hidden is one of its own. */
typedef struct {
  const MtCubical *image;
  bool enclosed;      /* what loops and voids enclose: pixels in the opposite order, the outside first */
  bool corners;       /* pixels are joined across corners */
  int64_t n, outside; /* pixels; the outside's name: n */
  uint32_t *order;    /* [n] pixels as they enter; owned */
  int64_t *root;      /* [n+1] union-find, NOBODY: not there yet; owned */
  int64_t *oldest;    /* [n+1] of a root: its component; owned */
  int64_t *first;     /* [n+1] component that a pixel joined; owned */
  int64_t *up;        /* [n+1] the one that it became a part of, NOBODY: it lasts; owned */
  int64_t *age;       /* [n+1] of a component: when it was born, the outside -1; owned */
  int64_t deaths;
  int64_t *dead; /* [deaths] components in the order in which they die; owned */
} Tree;

static bool hidden(const Tree *t, int64_t p) {
  return t->image->hidden && t->image->hidden[p];
}

/* As the grid of the homology has them: the dual of top cells is sorted, and goes forward for what is enclosed. */
static void sort_pixels(Tree *t) {
  const bool up = t->image->superlevel == t->image->top_cells, forward = t->enclosed == t->image->top_cells;
  uint64_t *key = mt_malloc((size_t)t->n * sizeof *key);
  for (int64_t i = 0; i < t->n; i++) {
    key[i] = hidden(t, i) ? 0 : mt_entry_key(t->image->value[i], up);
    t->order[i] = (uint32_t)i;
  }
  mt_sort_keys(t->n, key, t->order);
  free(key);
  for (int64_t i = 0, j = t->n - 1; i < j && !forward; i++, j--) {
    const uint32_t swap = t->order[i];
    t->order[i] = t->order[j], t->order[j] = swap;
  }
}

static int64_t find(Tree *t, int64_t p) {
  while (t->root[p] != p) p = t->root[p] = t->root[t->root[p]];
  return p;
}

/* The components of a pixel that enters and of its neighbour become one: the younger dies, unless it is the pixel. */
static void join(Tree *t, int64_t pixel, int64_t other) {
  const int64_t a = find(t, pixel), b = find(t, other);
  if (a == b) return;
  const int64_t x = t->oldest[a], y = t->oldest[b], old = t->age[x] < t->age[y] ? x : y, young = old == x ? y : x;
  t->root[a] = b;
  t->oldest[b] = old;
  if (young == pixel) return; /* it begins nothing */
  t->up[young] = old;
  t->dead[t->deaths++] = young;
}

static bool is_step(const Tree *t, const int step[3]) {
  const int length = abs(step[0]) + abs(step[1]) + abs(step[2]);
  return length == 1 || (t->corners && length > 1);
}

/* Components of what is there around a pixel, by a pixel of each; how many of at most 27. */
static int around(const Tree *t, int64_t pixel, int64_t other[27]) {
  int count = 0;
  for (int k = 0; k < 27; k++) {
    const int step[3] = {k % 3 - 1, k / 3 % 3 - 1, k / 9 - 1};
    if (!is_step(t, step) || (step[2] && t->image->n[2] == 1)) continue;
    const int64_t q = mt_pixel_step(t->image, pixel, step);
    if (q < 0 && t->enclosed) other[count++] = t->outside;
    if (q >= 0 && t->root[q] != NOBODY) other[count++] = q;
  }
  return count;
}

/* The oldest takes all others, which end at once: none of them has a part of another. */
static void enter(Tree *t, int64_t pixel, int64_t when) {
  int64_t other[27], best = 0;
  const int count = around(t, pixel, other);
  t->root[pixel] = t->oldest[pixel] = pixel;
  t->age[pixel] = when;
  for (int k = 1; k < count; k++)
    if (t->age[t->oldest[find(t, other[k])]] < t->age[t->oldest[find(t, other[best])]]) best = k;
  if (count) join(t, pixel, other[best]);
  for (int k = 0; k < count; k++) join(t, pixel, other[k]);
  t->first[pixel] = t->oldest[find(t, pixel)];
}

static void grow(Tree *t, const MtCubical *image, bool enclosed) {
  const int64_t n = (int64_t)image->n[0] * image->n[1] * image->n[2];
  const size_t bytes = ((size_t)n + 1) * sizeof(int64_t);
  *t = (Tree){.image = image, .enclosed = enclosed, .corners = enclosed != image->top_cells, .n = n, .outside = n};
  t->order = mt_malloc((size_t)n * sizeof *t->order);
  t->root = mt_malloc(bytes), t->oldest = mt_malloc(bytes), t->first = mt_malloc(bytes);
  t->up = mt_malloc(bytes), t->age = mt_malloc(bytes), t->dead = mt_malloc(bytes);
  for (int64_t i = 0; i <= n; i++) t->root[i] = t->up[i] = t->first[i] = NOBODY;
  sort_pixels(t);
  t->root[n] = t->oldest[n] = n;
  t->age[n] = -1;
  for (int64_t i = 0; i < n && enclosed; i++)
    if (hidden(t, i)) t->root[i] = n;
  for (int64_t i = 0; i < n; i++)
    if (!hidden(t, t->order[i])) enter(t, t->order[i], i);
}

static void fell(Tree *t) {
  free(t->order);
  free(t->root);
  free(t->oldest);
  free(t->first);
  free(t->up);
  free(t->age);
  free(t->dead);
}

/* When a component dies; after all others if it lasts. */
static void order_deaths(const Tree *t, int64_t *death) {
  for (int64_t i = 0; i <= t->n; i++) death[i] = INT64_MAX;
  for (int64_t i = 0; i < t->deaths; i++) death[t->dead[i]] = i;
}

/* The first component that both became a part of, or are; NOBODY: none. */
static int64_t common(const Tree *t, const int64_t *death, int64_t a, int64_t b) {
  while (a != b) {
    int64_t *early = death[a] < death[b] ? &a : &b;
    if (death[*early] == INT64_MAX) return NOBODY;
    *early = t->up[*early];
  }
  return a;
}

/* A pixel lies on the borders of its components up to the last one that has not all its neighbours across faces: the
 * name of the one behind, NOBODY: all are bordered by it; its own: none is. */
static int64_t inner_from(const Tree *t, const int64_t *death, int64_t pixel) {
  int64_t from = t->first[pixel];
  for (int a = 0; a < 3; a++)
    for (int way = -1; way <= 1; way += 2) {
      int step[3] = {0};
      step[a] = way;
      const int64_t q = t->image->n[a] > 1 ? mt_pixel_step(t->image, pixel, step) : -1;
      if (q < 0 || t->first[q] == NOBODY || from == NOBODY) continue;
      from = common(t, death, from, t->first[q]);
    }
  return from;
}

/* from [n]: the component above the borders that a pixel lies on; NULL: it counts for all that it lies in.  Weights of
 * the components, then sums along the way up. */
static void lay(const Tree *t, const double *amount, const int64_t *from, double *map) {
  double *size = mt_calloc((size_t)t->n + 1, sizeof *size), *sum = mt_calloc((size_t)t->n + 1, sizeof *sum);
  for (int64_t p = 0; p < t->n; p++) {
    if (t->first[p] == NOBODY) continue;
    size[t->first[p]] += 1;
    if (from && from[p] != NOBODY) size[from[p]] -= 1;
  }
  for (int64_t i = 0; i < t->deaths; i++) size[t->up[t->dead[i]]] += size[t->dead[i]];
  for (int64_t i = t->deaths - 1; i >= 0; i--) {
    const int64_t c = t->dead[i];
    sum[c] = sum[t->up[c]] + (size[c] > 0 ? amount[c] / size[c] : 0);
  }
  for (int64_t p = 0; p < t->n; p++)
    if (t->first[p] != NOBODY) map[p] += sum[t->first[p]] - (from && from[p] != NOBODY ? sum[from[p]] : 0);
  free(size);
  free(sum);
}

static int64_t *borders(const Tree *t) {
  int64_t *death = mt_malloc(((size_t)t->n + 1) * sizeof *death), *from = mt_malloc((size_t)t->n * sizeof *from);
  order_deaths(t, death);
  for (int64_t p = 0; p < t->n; p++) from[p] = t->first[p] == NOBODY ? NOBODY : inner_from(t, death, p);
  free(death);
  return from;
}

static void on_cells(int64_t n, const MtPair *pair, const double *amount, double *map) {
  for (int64_t i = 0; i < n; i++) {
    if (pair[i].birth_at < 0 || pair[i].death_at < 0) continue;
    map[pair[i].birth_at] += amount[i] / 2;
    map[pair[i].death_at] += amount[i] / 2;
  }
}

void mt_pair_spread(const MtCubical *image, MtSpread where, int dimension, int64_t n, const MtPair *pair,
                    const double *amount, double *map) {
  const int dims = image->n[2] > 1 ? 3 : 2;
  if (where == MT_SPREAD_CELLS || (dimension != 0 && dimension != dims - 1)) {
    on_cells(n, pair, amount, map);
    return;
  }
  Tree t;
  grow(&t, image, dimension > 0);
  double *of = mt_calloc((size_t)t.n + 1, sizeof *of);
  for (int64_t i = 0; i < n; i++)
    if (pair[i].birth_at >= 0 && pair[i].death_at >= 0) of[dimension ? pair[i].death_at : pair[i].birth_at] = amount[i];
  int64_t *from = where == MT_SPREAD_BORDER ? borders(&t) : NULL;
  lay(&t, of, from, map);
  free(from);
  free(of);
  fell(&t);
}
