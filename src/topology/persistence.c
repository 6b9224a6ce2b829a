/* Diagrams of an image from the pairs of the vertex construction.
 *
 * Sublevel sets of top cells are dual to superlevel sets of vertices: a pair of cells of dimensions k, k+1 is one of
 * dimensions d-k-1, d-k with birth and death exchanged.  A shell that enters the dual first stands for what is outside;
 * features born with it are those of the top cells that never die. */
#include "cycles.h"
#include "gradient.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

typedef struct {
  const MtCubical *image;
  MtGrid grid;
  MtDiagram *d;
  int64_t room[3];
  int most; /* loops of which the cycles are wanted */
  MtCycles *cycles;
} Run;

static void add_pair(Run *r, int k, MtPair p) {
  MtDiagram *d = r->d;
  if (d->n[k] == r->room[k]) {
    r->room[k] = r->room[k] ? r->room[k] + r->room[k] / 2 : 256;
    d->pair[k] = mt_realloc(d->pair[k], (size_t)r->room[k] * sizeof *d->pair[k]);
  }
  d->pair[k][d->n[k]++] = p;
}

static double value_at(const Run *r, int64_t pixel) {
  if (pixel >= 0) return r->image->value[pixel];
  return r->image->superlevel ? -INFINITY : INFINITY;
}

/* A hole is not there to begin or end a feature. */
static int64_t seen(const Run *r, int64_t pixel) {
  return pixel >= 0 && r->image->hidden && r->image->hidden[pixel] ? -1 : pixel;
}

/* A feature of dimension k of the image itself; pixel -1: never. */
static void note(Run *r, int k, int64_t birth_at, int64_t death_at) {
  birth_at = seen(r, birth_at), death_at = seen(r, death_at);
  const MtPair p = {value_at(r, birth_at), value_at(r, death_at), birth_at, death_at};
  if (birth_at >= 0 && p.birth != p.death) add_pair(r, k, p);
}

static int64_t pixel_of(const Run *r, uint64_t rank) {
  return mt_grid_pixel(&r->grid, r->grid.place[rank]);
}

/* Pairs of dimension k as computed, ranks; frees them. */
static void note_pairs(Run *r, int k, MtRanks *pairs) {
  for (int64_t i = 0; i < pairs->n; i++) {
    const int64_t birth = pixel_of(r, pairs->cell[i] >> 32), death = pixel_of(r, (uint32_t)pairs->cell[i]);
    if (r->image->top_cells)
      note(r, r->d->dims - 1 - k, death, birth);
    else
      note(r, k, birth, death);
  }
  mt_cells_clear(pairs);
}

/* Cells without a partner begin features of dimension k that never end; frees them. */
static void note_lasting(Run *r, int k, MtCells *cells) {
  for (int64_t i = 0; i < cells->n; i++)
    note(r, r->image->top_cells ? r->d->dims - k : k, pixel_of(r, cells->cell[i] >> 8), -1);
  mt_cells_clear(cells);
}

/* The whole space is one component; of top cells, where no shell is there to say so. */
static void note_whole(Run *r) {
  const MtGrid *g = &r->grid;
  if (!r->image->top_cells)
    note(r, 0, pixel_of(r, 0), -1);
  else if (!g->in_shell)
    note(r, 0, pixel_of(r, g->pixels - 1), -1);
}

/* Cycles of the longest pairs of the reduction. */
static void close_longest(Run *r, const MtGradient *f, const MtCells *joins, const MtRanks *pairs,
                          const MtColumns *columns) {
  MtLength *e = mt_malloc((size_t)pairs->n * sizeof *e);
  int64_t n = 0;
  for (int64_t i = 0; i < pairs->n; i++) {
    const int64_t birth = seen(r, pixel_of(r, pairs->cell[i] >> 32)),
                  death = seen(r, pixel_of(r, (uint32_t)pairs->cell[i]));
    if (birth >= 0 && death >= 0) e[n++] = (MtLength){fabs(value_at(r, death) - value_at(r, birth)), i};
  }
  qsort(e, (size_t)n, sizeof *e, mt_by_length);
  MtCloser *closer = n ? mt_closer_new(f, joins) : NULL;
  for (int64_t i = 0; i < n && i < r->most && e[i].length > 0; i++) {
    const uint64_t both = pairs->cell[e[i].at];
    const int64_t birth = pixel_of(r, both >> 32), death = pixel_of(r, (uint32_t)both);
    const MtPair p = {value_at(r, birth), value_at(r, death), birth, death};
    mt_closer_cycle(closer, columns, e[i].at, mt_cycles_add(r->cycles, 1, &p));
  }
  mt_closer_free(&closer);
  free(e);
}

/* Dimension 1 of a volume; joins: the critical edges that end components, where cycles are wanted. */
static void reduce(Run *r, const MtGradient *f, const MtCells *joins, const MtCells *loops, const MtCells *rest) {
  MtRanks pairs = {0};
  MtCells loops_left = {0}, squares_left = {0};
  MtColumns columns = {0};
  mt_reduce(f, loops, rest, &pairs, &loops_left, &squares_left, r->most ? &columns : NULL);
  if (r->most) close_longest(r, f, joins, &pairs, &columns);
  mt_columns_free(&columns);
  note_pairs(r, 1, &pairs);
  note_lasting(r, 1, &loops_left);
  note_lasting(r, 2, &squares_left);
}

/* The critical edges that are not loops; both lists ascend. */
static void list_joins(const MtCells *edges, const MtCells *loops, MtCells *joins) {
  for (int64_t i = 0, l = 0; i < edges->n; i++) {
    if (l < loops->n && loops->cell[l] == edges->cell[i])
      l++;
    else
      mt_cells_add(joins, edges->cell[i]);
  }
}

static void compute(Run *r) {
  MtGradient f;
  MtRanks pairs = {0};
  MtCells loops = {0}, rest = {0}, joins = {0};
  mt_gradient_create(&r->grid, &f);
  mt_merge_minima(&f, &pairs, &loops);
  note_pairs(r, 0, &pairs);
  if (r->most) list_joins(&f.edges, &loops, &joins);
  mt_cells_clear(&f.edges);
  if (r->d->dims == 2) {
    mt_merge_maxima(&f, &loops, &pairs, &rest);
    note_pairs(r, 1, &pairs);
    note_lasting(r, 1, &rest);
  } else {
    mt_merge_maxima(&f, &f.squares, &pairs, &rest);
    note_pairs(r, 2, &pairs);
    mt_cells_clear(&f.squares);
    reduce(r, &f, &joins, &loops, &rest);
  }
  note_whole(r);
  mt_cells_clear(&loops);
  mt_cells_clear(&joins);
  mt_cells_clear(&rest);
  mt_gradient_free(&f);
}

static uint64_t rank_of(const Run *r, int64_t pixel) {
  const MtGrid *g = &r->grid;
  const int64_t nx = r->image->n[0], ny = r->image->n[1];
  const uint32_t at[3] = {(uint32_t)(pixel % nx), (uint32_t)(pixel / nx % ny), (uint32_t)(pixel / nx / ny)};
  uint32_t place = 0;
  if (pixel < 0) return MT_NOWHERE;
  for (int a = 0; a < 3; a++) place += a < g->dims ? (at[a] + (uint32_t)g->shell[a] + 1) * g->stride[a] : 0;
  return r->image->top_cells ? g->pixels - 1 - g->rank[place] : g->rank[place];
}

/* By rank of birth, then of death. */
static void sort_pairs(const Run *r, int k) {
  const int64_t n = r->d->n[k];
  MtPair *old = r->d->pair[k];
  uint64_t *key = mt_malloc((size_t)n * sizeof *key);
  uint32_t *from = mt_malloc((size_t)n * sizeof *from);
  for (int64_t i = 0; i < n; i++) {
    key[i] = rank_of(r, old[i].birth_at) << 32 | rank_of(r, old[i].death_at);
    from[i] = (uint32_t)i;
  }
  mt_sort_keys(n, key, from);
  free(key);
  MtPair *sorted = mt_malloc((size_t)n * sizeof *sorted);
  for (int64_t i = 0; i < n; i++) sorted[i] = old[from[i]];
  free(old);
  free(from);
  r->d->pair[k] = sorted;
}

PetscErrorCode mt_persistence(const MtCubical *image, MtDiagram *d) {
  return mt_persistence_loops(image, d, 0, NULL);
}

PetscErrorCode mt_persistence_loops(const MtCubical *image, MtDiagram *d, int most, MtCycles *loops) {
  Run r = {.image = image, .d = d, .most = image->n[2] > 1 && !image->top_cells ? most : 0, .cycles = loops};
  memset(d, 0, sizeof *d);
  d->dims = image->n[2] > 1 ? 3 : 2;
  PetscCall(mt_grid_create(image, image->superlevel == image->top_cells, image->top_cells, &r.grid));
  compute(&r);
  for (int k = 0; k < d->dims; k++) sort_pairs(&r, k);
  mt_grid_free(&r.grid);
  return 0;
}

void mt_diagram_free(MtDiagram *d) {
  for (int k = 0; k < 3; k++) free(d->pair[k]);
  memset(d, 0, sizeof *d);
}
