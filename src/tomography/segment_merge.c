/* Regions that no boundary parts become one. */
#include "../microstructure/measured.h"
#include "magtwin/memory.h"
#include "segment.h"
#include <math.h>
#include <stdlib.h>

static int by_ends(const void *p, const void *q) {
  const MtLink *x = p, *y = q;
  if (x->a != y->a) return x->a < y->a ? -1 : 1;
  return (x->b > y->b) - (x->b < y->b);
}

int64_t mt_links_reduce(int64_t n, MtLink *link) {
  int64_t kept = 0;
  if (n > 1) qsort(link, (size_t)n, sizeof *link, by_ends);
  for (int64_t i = 0; i < n; i++) {
    if (kept && link[kept - 1].a == link[i].a && link[kept - 1].b == link[i].b) {
      link[kept - 1].sum += link[i].sum;
      link[kept - 1].count += link[i].count;
    } else {
      link[kept++] = link[i];
    }
  }
  return kept;
}

typedef struct {
  int64_t n, nlinks;
  double threshold;
  MtLink *link;  /* between regions by number, reduced */
  int64_t *root; /* [n] region that each one became part of; itself if it still is one */
  int64_t *size; /* [n] voxels */
  double *floor; /* [n] the smallest strength in it */
  int64_t *best; /* [n] link with the weakest boundary, -1 */
} Graph;

/* How far a boundary rises, in the mean, above the shallower of its two regions, over the least that a boundary must
 * rise: `threshold`, and .65 of its own strength, for what lies on the slope of a strong boundary is no grain. */
static double rise(const Graph *g, const MtLink *l) {
  const double mean = (double)l->sum / (double)l->count;
  return (mean - fmax(g->floor[l->a], g->floor[l->b])) / fmax(g->threshold, .65 * mean);
}

/* The weaker of two boundaries; of equal ones the first by its ends, which is a rule without regard to order. */
static bool weaker(const Graph *g, int64_t i, int64_t j) {
  if (j < 0) return true;
  const double a = rise(g, &g->link[i]), b = rise(g, &g->link[j]);
  return a < b || (a == b && i < j);
}

static void find_best(Graph *g) {
  for (int64_t r = 0; r < g->n; r++) g->best[r] = -1;
  for (int64_t i = 0; i < g->nlinks; i++) {
    if (weaker(g, i, g->best[g->link[i].a])) g->best[g->link[i].a] = i;
    if (weaker(g, i, g->best[g->link[i].b])) g->best[g->link[i].b] = i;
  }
}

static int64_t find(int64_t *root, int64_t i) {
  while (root[i] != i) i = root[i] = root[root[i]];
  return i;
}

static void join(Graph *g, int64_t a, int64_t b) {
  a = find(g->root, a);
  b = find(g->root, b);
  if (a == b) return;
  if (b < a) {
    const int64_t t = a;
    a = b;
    b = t;
  }
  g->root[b] = a;
  g->size[a] += g->size[b];
  g->floor[a] = fmin(g->floor[a], g->floor[b]);
}

/* Ends of all links by the regions that there are now. */
static void contract(Graph *g) {
  int64_t kept = 0;
  for (int64_t i = 0; i < g->nlinks; i++) {
    MtLink l = g->link[i];
    const int64_t a = find(g->root, l.a), b = find(g->root, l.b);
    if (a == b) continue;
    l.a = a < b ? a : b;
    l.b = a < b ? b : a;
    g->link[kept++] = l;
  }
  g->nlinks = mt_links_reduce(kept, g->link);
}

/* Pairs that are each other's weakest, while that is weak; returns how many. */
static int64_t merge_weak(Graph *g) {
  int64_t merged = 0;
  find_best(g);
  for (int64_t i = 0; i < g->nlinks; i++) {
    const MtLink *l = &g->link[i];
    if (rise(g, l) >= 1 || g->best[l->a] != i || g->best[l->b] != i) continue;
    join(g, l->a, l->b);
    merged++;
  }
  if (merged) contract(g);
  return merged;
}

/* The smallest of those too small first, so that small ones do not all pour into one another. */
static bool merge_smallest(Graph *g, int64_t least) {
  int64_t at = -1;
  find_best(g);
  for (int64_t r = 0; r < g->n; r++)
    if (g->root[r] == r && g->size[r] < least && g->best[r] >= 0 && (at < 0 || g->size[r] < g->size[at])) at = r;
  if (at < 0) return false;
  join(g, g->link[g->best[at]].a, g->link[g->best[at]].b);
  contract(g);
  return true;
}

static int64_t position(int64_t n, const int64_t *id, int64_t v) {
  const int64_t *p = n ? bsearch(&v, id, (size_t)n, sizeof *id, mt_compare_i64) : NULL;
  return p ? p - id : 0; /* every end of a link is among the ids */
}

void mt_regions_merge(int64_t n, MtLink *link, double threshold, int64_t min_voxels, int64_t nid, const int64_t *id,
                      int32_t *region, int32_t *nregions) {
  Graph g = {.n = nid, .link = link, .threshold = threshold};
  g.root = mt_malloc((size_t)(nid + 1) * sizeof *g.root);
  g.size = mt_calloc((size_t)nid + 1, sizeof *g.size);
  g.floor = mt_calloc((size_t)nid + 1, sizeof *g.floor);
  g.best = mt_malloc((size_t)(nid + 1) * sizeof *g.best);
  for (int64_t r = 0; r < nid; r++) g.root[r] = r;
  for (int64_t i = 0; i < n; i++) {
    MtLink l = link[i];
    l.a = position(nid, id, l.a);
    l.b = position(nid, id, l.b);
    if (l.a == l.b) {
      g.size[l.a] += l.count;
      g.floor[l.a] = (double)l.sum;
    } else {
      g.link[g.nlinks++] = l;
    }
  }
  g.nlinks = mt_links_reduce(g.nlinks, g.link);
  while (merge_weak(&g)) continue;
  while (merge_smallest(&g, min_voxels)) continue;
  *nregions = 0;
  for (int64_t r = 0; r < nid; r++) { /* a root comes before what belongs to it */
    const int64_t root = find(g.root, r);
    region[r] = root == r ? (g.size[r] ? (*nregions)++ : -1) : region[root];
  }
  free(g.root);
  free(g.size);
  free(g.floor);
  free(g.best);
}
