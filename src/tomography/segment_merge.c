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
      link[kept - 1].weak += link[i].weak;
    } else {
      link[kept++] = link[i];
    }
  }
  return kept;
}

typedef enum { ALL, CORES, THIN } Which; /* regions: both with a core; both without, but open somewhere */

typedef struct {
  int64_t n, nlinks;
  double core;
  bool by_opening; /* which boundary is the weakest: by its open part, or by its mean strength */
  Which which;     /* regions between which it is looked for */
  MtLink *link;    /* between regions by number, reduced */
  int64_t *root;   /* [n] region that each one became part of; itself if it still is one */
  int64_t *size;   /* [n] voxels */
  int64_t *open;   /* [n] of these weaker than a boundary */
  double *depth;   /* [n] of the deepest voxel, in units of 2^-24 px */
  int64_t *best;   /* [n] link with the weakest boundary, -1 */
} Graph;

static double strength(const Graph *g, const MtLink *l) {
  const double n = (double)l->count;
  return g->by_opening ? 1 - (double)l->weak / n : (double)l->sum / n;
}

/* The weaker of two boundaries; of equal ones the first by its ends, which is a rule without regard to order. */
static bool weaker(const Graph *g, int64_t i, int64_t j) {
  if (j < 0) return true;
  const double a = strength(g, &g->link[i]), b = strength(g, &g->link[j]);
  return a < b || (a == b && i < j);
}

static bool counts(const Graph *g, const MtLink *l) {
  const bool a = g->depth[l->a] >= g->core, b = g->depth[l->b] >= g->core;
  return g->which == ALL || (g->which == CORES && a && b) ||
         (g->which == THIN && !a && !b && g->open[l->a] && g->open[l->b]);
}

static void find_best(Graph *g, bool by_opening, Which which) {
  g->by_opening = by_opening;
  g->which = which;
  for (int64_t r = 0; r < g->n; r++) g->best[r] = -1;
  for (int64_t i = 0; i < g->nlinks; i++) {
    if (!counts(g, &g->link[i])) continue;
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
  g->open[a] += g->open[b];
  g->depth[a] = fmax(g->depth[a], g->depth[b]);
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

/* Regions without a core, each with the neighbour behind its weakest boundary; returns how many. */
static int64_t merge_shallow(Graph *g) {
  int64_t merged = 0;
  find_best(g, false, ALL);
  for (int64_t r = 0; r < g->n; r++) {
    const int64_t best = g->root[r] == r && g->depth[r] < g->core ? g->best[r] : -1;
    if (best < 0) continue;
    const MtLink *l = &g->link[best];
    const int64_t other = l->a == r ? l->b : l->a;
    /* not with one that goes elsewhere itself; of two that have chosen each other, once */
    if (g->depth[other] < g->core && (g->best[other] != best || other < r)) continue;
    join(g, l->a, l->b);
    merged++;
  }
  if (merged) contract(g);
  return merged;
}

/* Pairs that are each other's weakest, while the boundary is open; returns how many. */
static int64_t merge_open(Graph *g, Which which) {
  int64_t merged = 0;
  find_best(g, true, which);
  for (int64_t i = 0; i < g->nlinks; i++) {
    const MtLink *l = &g->link[i];
    if (strength(g, l) >= MT_CLOSED || g->best[l->a] != i || g->best[l->b] != i) continue;
    join(g, l->a, l->b);
    merged++;
  }
  if (merged) contract(g);
  return merged;
}

/* A grain may be too thin for a core, but what has `least` open voxels does not lie in a boundary: it passes for one
 * with a core.  Where its boundaries are open it is merged with the others. */
static void keep_thin(Graph *g, int64_t least) {
  for (int64_t r = 0; r < g->n; r++)
    if (g->root[r] == r && g->open[r] >= least) g->depth[r] = fmax(g->depth[r], g->core);
}

/* The smallest of those too small first, so that small ones do not all pour into one another. */
static bool merge_smallest(Graph *g, int64_t least) {
  int64_t at = -1;
  find_best(g, false, ALL);
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

/* Voxels that a pocket encloses have no neighbour to go to: they stay without a region. */
static int32_t number_regions(Graph *g, int64_t min_voxels, int32_t *region) {
  int32_t n = 0;
  for (int64_t r = 0; r < g->n; r++) { /* a root comes before what belongs to it */
    const int64_t root = find(g->root, r);
    const bool kept = root == r && g->size[r] && (g->size[r] >= min_voxels || g->best[r] >= 0);
    region[r] = root != r ? region[root] : kept ? n++ : -1;
  }
  return n;
}

void mt_regions_merge(int64_t n, MtLink *link, double core, int64_t min_voxels, int64_t nid, const int64_t *id,
                      int32_t *region, int32_t *nregions) {
  Graph g = {.n = nid, .link = link, .core = core};
  g.root = mt_malloc((size_t)(nid + 1) * sizeof *g.root);
  g.size = mt_calloc((size_t)nid + 1, sizeof *g.size);
  g.open = mt_calloc((size_t)nid + 1, sizeof *g.open);
  g.depth = mt_calloc((size_t)nid + 1, sizeof *g.depth);
  g.best = mt_malloc((size_t)(nid + 1) * sizeof *g.best);
  for (int64_t r = 0; r < nid; r++) g.root[r] = r;
  for (int64_t i = 0; i < n; i++) {
    MtLink l = link[i];
    l.a = position(nid, id, l.a);
    l.b = position(nid, id, l.b);
    if (l.a == l.b) {
      g.size[l.a] += l.count;
      g.open[l.a] += l.weak;
      g.depth[l.a] = (double)l.sum;
    } else {
      g.link[g.nlinks++] = l;
    }
  }
  g.nlinks = mt_links_reduce(g.nlinks, g.link);
  while (merge_open(&g, CORES)) continue; /* before what lies in the boundaries is added to them */
  while (merge_open(&g, THIN)) continue;
  keep_thin(&g, min_voxels);
  while (merge_shallow(&g)) continue;
  while (merge_open(&g, ALL)) continue;
  while (merge_smallest(&g, min_voxels)) continue;
  *nregions = number_regions(&g, min_voxels, region);
  free(g.root);
  free(g.size);
  free(g.open);
  free(g.depth);
  free(g.best);
}
