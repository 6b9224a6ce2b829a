/* Which pairs of slices are compared, by whom: the rank of the lower slice, with what it needs of the slices above. */
#include "drift.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "slabs.h"
#include <math.h>
#include <string.h>

enum { DISTANCES = 12 };
/* Near ones see the same grains, far ones hold back the sum of errors. */
static const int distances[DISTANCES] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};

typedef struct {
  const MtStack *s;
  MtRect where;
  double whitening;
  int most;            /* px, a shift that is still looked for */
  int pad;             /* px around `where` that are cut out with it */
  int w, h;            /* pixels of `where` with `pad` more on each side */
  int distance, ndist; /* farthest pair, and how many distances are used */
  float *cut;          /* [(nz_local + distance) h w] */
} Finder;

static int clamped(int i, int n) {
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* The part of a slice that is compared, and around it what a shift may bring in; beyond the picture its edge goes on.
 */
static void cut_out(const Finder *f, int k, float *to) {
  const MtStack *s = f->s;
  const float *from = s->gray + (size_t)k * (size_t)s->nx * (size_t)s->ny;
  for (int j = 0; j < f->h; j++)
    for (int i = 0; i < f->w; i++) {
      const int x = clamped(f->where.x0 - f->pad + i, s->nx), y = clamped(f->where.y0 - f->pad + j, s->ny);
      to[(size_t)j * (size_t)f->w + (size_t)i] = from[(size_t)y * (size_t)s->nx + (size_t)x];
    }
}

static PetscErrorCode exchange(MPI_Comm comm, Finder *f) {
  const MtStack *s = f->s;
  const size_t piece = (size_t)f->w * (size_t)f->h;
  float *mine = mt_malloc((piece * (size_t)s->nz_local + 1) * sizeof *mine);
  f->cut = mt_calloc(piece * (size_t)(s->nz_local + f->distance) + 1, sizeof *f->cut);
  for (int k = 0; k < s->nz_local; k++) {
    cut_out(f, k, mine + piece * (size_t)k);
    mt_smooth_slice(f->w, f->h, (const double[2]){1, 1}, mine + piece * (size_t)k);
  }
  PetscErrorCode rc = mt_slab_halo(comm, s->nz, 0, f->distance, (int64_t)piece, MPI_FLOAT, mine, f->cut);
  free(mine);
  return rc;
}

/* The whole pixel by correlation, then least squares.  result: shift, weight. */
static void compare(const Finder *f, MtMatcher *m, int k, int d, double result[3]) {
  const size_t piece = (size_t)f->w * (size_t)f->h;
  const float *a = f->cut + piece * (size_t)k + (size_t)f->pad * (size_t)f->w + (size_t)f->pad;
  const float *b = a + piece * (size_t)d;
  const MtRect *w = &f->where;
  const MtRefine r = {
      w->x1 - w->x0, w->y1 - w->y0, f->w, {-w->x0, -w->y0}, {f->s->nx - 1 - w->x0, f->s->ny - 1 - w->y0}, f->most};
  double agreement = 0;
  int whole[2];
  mt_match(m, a, b, f->w, whole);
  result[0] = whole[0], result[1] = whole[1];
  if (abs(whole[0]) > f->most || abs(whole[1]) > f->most || !mt_refine(&r, a, b, result, &agreement)) return;
  /* the part p that agrees is signal: errors go as (1 - p) / p */
  const double p = fmin(.99, fmax(0, agreement));
  result[2] = p > .02 ? pow(p / (1 - p), 2) : 0;
}

static void compare_slab(const Finder *f, double *mine) {
  const MtStack *s = f->s;
  MtMatcher *m = mt_matcher_create(f->where.x1 - f->where.x0, f->where.y1 - f->where.y0, f->whitening);
  for (int k = 0; k < s->nz_local; k++)
    for (int i = 0; i < f->ndist; i++) {
      const int from = s->z0 + k, to = from + distances[i];
      if (to < s->nz && !s->lost[from] && !s->lost[to])
        compare(f, m, k, distances[i], mine + 3 * ((size_t)k * (size_t)f->ndist + (size_t)i));
    }
  mt_matcher_destroy(&m);
}

static int list_pairs(const Finder *f, const double *all, MtPair *pair) {
  int n = 0;
  for (int k = 0; k < f->s->nz; k++)
    for (int i = 0; i < f->ndist; i++) {
      const double *r = all + 3 * ((size_t)k * (size_t)f->ndist + (size_t)i);
      if (r[2] > 0) pair[n++] = (MtPair){k, k + distances[i], {r[0], r[1]}, r[2]};
    }
  return n;
}

PetscErrorCode mt_drift_find(MPI_Comm comm, const MtStack *s, MtRect where, int distance, int most, double whitening,
                             MtDrift *d) {
  Finder f = {.s = s, .where = where, .most = most, .whitening = whitening};
  memset(d, 0, sizeof *d);
  while (f.ndist < DISTANCES && distances[f.ndist] <= distance) f.distance = distances[f.ndist++];
  f.pad = most + 3;
  f.w = where.x1 - where.x0 + 2 * f.pad;
  f.h = where.y1 - where.y0 + 2 * f.pad;
  const size_t items = 3 * (size_t)f.ndist;
  double *mine = mt_calloc(items * (size_t)s->nz_local + 1, sizeof *mine);
  double *all = mt_calloc(items * (size_t)s->nz + 1, sizeof *all);
  MtPair *pair = mt_malloc((size_t)s->nz * (size_t)f.ndist * sizeof *pair);
  PetscErrorCode rc = exchange(comm, &f);
  if (!rc) compare_slab(&f, mine);
  if (!rc) rc = mt_slab_gather(comm, s->nz, (int)items, mine, all);
  if (!rc) rc = mt_drift_solve(s->nz, s->lost, list_pairs(&f, all, pair), pair, d);
  free(f.cut);
  free(mine);
  free(all);
  free(pair);
  return rc;
}
