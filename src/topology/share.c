/* The diagram of one image shared by ranks: the steps of persistence.c on slabs, with the pairs gathered on rank 0. */
#include "share.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

/* A pair on its way to rank 0; in the dual as computed. */
typedef struct {
  uint64_t pair; /* birth << 32 | death, by index */
  int32_t dimension;
} Found;

typedef struct {
  MtShare s;
  MtPost found;
  int64_t total; /* pixels with critical cells */
} Run;

static void note(Run *r, int k, uint64_t birth, uint64_t death) {
  const Found f = {birth << 32 | death, k};
  mt_post_add(&r->found, 0, &f);
}

static void note_lasting(Run *r, int k, MtIndexPairs *index) {
  for (int64_t i = 0; i < index->n; i++) note(r, k, index->cell[i], UINT32_MAX);
  mt_cells_clear(index);
}

/* Cells by local rank -> by index, and back; both ascend together. */
static void to_index(const MtShare *s, MtCells *c) {
  for (int64_t i = 0, k = 0; i < c->n; i++) {
    while (s->critical[k] < c->cell[i] >> 8) k++;
    c->cell[i] = (uint64_t)s->index[k] << 8 | (c->cell[i] & 0xff);
  }
}

static MtCells to_rank(const MtShare *s, const MtCells *c) {
  MtCells out = {0};
  for (int64_t i = 0, k = 0; i < c->n; i++) {
    while (s->index[k] < (int64_t)(c->cell[i] >> 8)) k++;
    mt_cells_add(&out, (uint64_t)s->critical[k] << 8 | (c->cell[i] & 0xff));
  }
  return out;
}

/* Ends of other ranks' pixels, and who has them. */
typedef struct {
  uint64_t end;
  int owner;
} Far;

static int by_end(const void *a, const void *b) {
  const Far *x = a, *y = b;
  return (x->end > y->end) - (x->end < y->end);
}

static int by_span(const void *a, const void *b) {
  const MtSpan *x = a, *y = b;
  return (x->end > y->end) - (x->end < y->end);
}

/* What came from ranks that have edges to an end of mine -> how far these ranks reach, on me and on them. */
static PetscErrorCode tell_spans(const MtShare *s, int64_t n, const uint64_t *end, const int *from, MtItems *spans) {
  uint64_t *key = mt_malloc((size_t)n * sizeof *key);
  uint32_t *order = mt_malloc((size_t)n * sizeof *order);
  MtPost p;
  void *back;
  int64_t got;
  for (int64_t i = 0; i < n; i++) key[i] = end[i], order[i] = (uint32_t)i;
  mt_sort_keys(n, key, order);
  mt_post_begin(s->comm, sizeof(MtSpan), &p);
  for (int64_t i = 0, next; i < n; i = next) {
    MtSpan span = {(int64_t)key[i], s->rank, s->rank};
    for (next = i; next < n && key[next] == key[i]; next++) {
      const int r = from[order[next]];
      if (r < span.low) span.low = r;
      if (r > span.high) span.high = r;
    }
    *(MtSpan *)mt_items_add(spans, sizeof span) = span;
    for (int64_t k = i; k < next; k++) mt_post_add(&p, from[order[k]], &span);
  }
  PetscCall(mt_post_send(&p, &got, &back, NULL));
  for (int64_t i = 0; i < got; i++) *(MtSpan *)mt_items_add(spans, sizeof(MtSpan)) = ((MtSpan *)back)[i];
  if (spans->n) qsort(spans->item, (size_t)spans->n, sizeof(MtSpan), by_span);
  free(back);
  mt_post_end(&p);
  free(key);
  free(order);
  return 0;
}

/* far: a list of Far, used up.  Where outside, end 0 is everybody's. */
static PetscErrorCode find_spans(const MtShare *s, MtItems *far, bool outside, MtItems *spans) {
  Far *f = far->item;
  MtPost p;
  int64_t n;
  int *from;
  void *in;
  if (outside) *(MtSpan *)mt_items_add(spans, sizeof(MtSpan)) = (MtSpan){0, 0, s->ranks - 1};
  if (far->n) qsort(f, (size_t)far->n, sizeof *f, by_end);
  mt_post_begin(s->comm, sizeof f->end, &p);
  for (int64_t i = 0; i < far->n; i++)
    if (!i || f[i].end != f[i - 1].end) mt_post_add(&p, f[i].owner, &f[i].end);
  PetscCall(mt_post_send(&p, &n, &in, &from));
  mt_post_end(&p);
  mt_items_free(far);
  PetscCall(tell_spans(s, n, in, from, spans));
  free(in);
  free(from);
  return 0;
}

/* Dimension 0, or d-1 in the opposite order: numbers are taken from `turn`, and the outside is end 0. */
typedef struct {
  bool tops;
  uint64_t turn;
} Sense;

static int64_t end_number(const Sense *v, const Run *r, const MtEnd *e) {
  return v->tops ? (e->index < 0 ? 0 : r->total - e->index) : e->index;
}

static void sides_of(const Run *r, const Sense *v, uint64_t cell, uint32_t side[2]) {
  const MtGrid *g = &r->s.grid;
  const uint32_t place = g->place[cell >> 8];
  if (v->tops) {
    mt_sides(g, place, (int)(cell & 0xff), side);
  } else {
    side[0] = place;
    side[1] = mt_grid_home(g, mt_step(g, place, (int)(cell & 0xff)));
  }
}

/* The graph of critical edges (facets, by index; own: the same by local rank) between minima (maxima). */
static PetscErrorCode make_joins(const Run *r, const Sense *v, const MtCells *cells, const MtCells *own, MtItems *joins,
                                 MtItems *spans) {
  MtForest forest;
  MtItems far = {0};
  PetscCall(mt_forest_create(&r->s, v->tops, &forest));
  for (int64_t k = 0; k < cells->n; k++) {
    const int64_t i = v->tops ? cells->n - 1 - k : k;
    MtJoin j = {.key = v->tops ? v->turn - cells->cell[i] : cells->cell[i], .owner = r->s.rank};
    uint32_t side[2];
    sides_of(r, v, own->cell[i], side);
    for (int e = 0; e < 2; e++) {
      const MtEnd end = mt_forest_end(&forest, side[e]);
      j.end[e] = end_number(v, r, &end);
      if (end.owner != r->s.rank && end.index >= 0)
        *(Far *)mt_items_add(&far, sizeof(Far)) = (Far){(uint64_t)j.end[e], end.owner};
    }
    *(MtJoin *)mt_items_add(joins, sizeof j) = j;
  }
  mt_forest_free(&forest);
  return find_spans(&r->s, &far, v->tops, spans);
}

static void reverse(MtCells *c) {
  for (int64_t i = 0, j = c->n - 1; i < j; i++, j--) {
    const uint64_t swap = c->cell[i];
    c->cell[i] = c->cell[j], c->cell[j] = swap;
  }
}

/* Pairs of one of the outermost dimensions; the cells that are in none -> rest, ascending.  cells by index. */
static PetscErrorCode merge(Run *r, bool tops, const MtCells *cells, MtCells *rest) {
  const Sense v = {tops, (uint64_t)r->total << 8 | 0xff};
  MtItems joins = {0}, spans = {0}, pairs = {0};
  MtCells own = to_rank(&r->s, cells);
  PetscCall(make_joins(r, &v, cells, &own, &joins, &spans));
  mt_cells_clear(&own);
  PetscCall(mt_share_merge(&r->s, &joins, &spans, &pairs, rest));
  for (int64_t i = 0; i < pairs.n; i++) {
    const MtJoin *j = (const MtJoin *)pairs.item + i;
    if (tops)
      note(r, r->s.grid.dims - 1, (v.turn - j->key) >> 8, (uint64_t)(r->total - j->end[0]));
    else
      note(r, 0, (uint64_t)j->end[0], j->key >> 8);
  }
  mt_items_free(&pairs);
  if (!tops) return 0;
  for (int64_t i = 0; i < rest->n; i++) rest->cell[i] = v.turn - rest->cell[i];
  reverse(rest);
  return 0;
}

/* Dimension 1 of a volume. */
static PetscErrorCode middle(Run *r, const MtCells *loops, const MtCells *squares) {
  MtCells own_loops = to_rank(&r->s, loops), own_squares = to_rank(&r->s, squares), column;
  MtIndexPairs pairs = {0}, loops_left = {0}, squares_left = {0};
  PetscCall(mt_share_flow(&r->s, &own_loops, &own_squares, &column));
  mt_cells_clear(&own_loops);
  mt_cells_clear(&own_squares);
  PetscCall(mt_share_reduce(&r->s, loops, squares, &column, &pairs, &loops_left, &squares_left));
  for (int64_t i = 0; i < pairs.n; i++) note(r, 1, pairs.cell[i] >> 32, (uint32_t)pairs.cell[i]);
  mt_cells_clear(&pairs);
  mt_cells_clear(&column);
  note_lasting(r, 1, &loops_left);
  note_lasting(r, 2, &squares_left);
  return 0;
}

/* The whole space is one component; of top cells, where no shell is there to say so: see persistence.c. */
static void note_whole(Run *r) {
  const MtCubical *im = r->s.whole;
  const bool shell = !im->periodic[0] || !im->periodic[1] || (r->s.grid.dims == 3 && !im->periodic[2]);
  if (r->s.rank) return;
  if (!im->top_cells)
    note(r, 0, 0, UINT32_MAX);
  else if (!shell)
    note(r, r->s.grid.dims, (uint64_t)r->total - 1, UINT32_MAX);
}

static PetscErrorCode compute(Run *r) {
  MtShare *s = &r->s;
  MtCells loops, rest;
  PetscCall(mt_share_order(s));
  r->total = s->bucket[s->ranks];
  if (r->total >= UINT32_MAX)
    return mt_error(MT_ERR_FAIL, "the image has %lld pixels with critical cells: 2^32 is the limit",
                    (long long)r->total);
  to_index(s, &s->f.edges);
  to_index(s, &s->f.squares);
  PetscCall(merge(r, false, &s->f.edges, &loops));
  mt_cells_clear(&s->f.edges);
  if (s->grid.dims == 2) {
    PetscCall(merge(r, true, &loops, &rest));
    for (int64_t i = 0; i < rest.n; i++) note(r, 1, rest.cell[i] >> 8, UINT32_MAX);
  } else {
    PetscCall(merge(r, true, &s->f.squares, &rest));
    mt_cells_clear(&s->f.squares);
    PetscCall(middle(r, &loops, &rest));
  }
  note_whole(r);
  mt_cells_clear(&loops);
  mt_cells_clear(&rest);
  return 0;
}

/* Pixel and value of an index, asked from the rank that keeps it. */
typedef struct {
  uint64_t key;
  int64_t number;
} Answer;

/* want: ascending, without repetition; only rank 0 asks.  answer [n]. */
static PetscErrorCode look_up(const MtShare *s, const MtCells *want, Answer **answer) {
  MtPost ask, reply;
  int64_t n;
  int *from;
  void *in, *out;
  mt_post_begin(s->comm, sizeof(int64_t), &ask);
  mt_post_begin(s->comm, sizeof(Answer), &reply);
  for (int64_t i = 0; i < want->n; i++) mt_post_add(&ask, mt_share_keeper(s, (int64_t)want->cell[i]), &want->cell[i]);
  PetscCall(mt_post_send(&ask, &n, &in, &from));
  for (int64_t i = 0; i < n; i++) {
    const int64_t at = ((const int64_t *)in)[i] - s->bucket[s->rank];
    const Answer a = {s->key[at], s->number[at]};
    mt_post_add(&reply, from[i], &a);
  }
  free(in);
  free(from);
  PetscCall(mt_post_send(&reply, &n, &out, NULL));
  *answer = out;
  mt_post_end(&ask);
  mt_post_end(&reply);
  return 0;
}

/* Number of a pixel in the image; -1: of the shell. */
static int64_t pixel_of(const MtShare *s, int64_t number) {
  int64_t pixel = 0, at[3] = {number % s->n[0], number / s->n[0] % s->n[1], number / s->n[0] / s->n[1]};
  for (int a = 2; a >= 0; a--) {
    at[a] -= s->n[a] > s->whole->n[a];
    if (at[a] < 0 || at[a] >= s->whole->n[a]) return -1;
    pixel = pixel * s->whole->n[a] + at[a];
  }
  return pixel;
}

typedef struct {
  const MtShare *s;
  const MtCells *index; /* ascending */
  const Answer *answer;
  int64_t total;
} Table;

static MtPair pair_of(const Table *t, uint64_t birth, uint64_t death) {
  const double never = t->s->whole->superlevel ? -INFINITY : INFINITY;
  const uint64_t both[2] = {birth, death};
  double value[2] = {never, never};
  int64_t pixel[2] = {-1, -1};
  for (int e = 0; e < 2; e++) {
    if (both[e] == UINT32_MAX) continue;
    int64_t low = 0, high = t->index->n - 1;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (t->index->cell[middle] < both[e])
        low = middle + 1;
      else
        high = middle;
    }
    pixel[e] = pixel_of(t->s, t->answer[low].number);
    if (t->answer[low].key == MT_HOLE(t->s->whole->top_cells)) pixel[e] = -1; /* it begins and ends nothing */
    if (pixel[e] >= 0) value[e] = mt_entry_value(t->answer[low].key, t->s->up);
  }
  return (MtPair){value[0], value[1], pixel[0], pixel[1]};
}

/* Birth and death of the image itself: top cells are the dual, with the opposite order. */
static int turn_back(const Table *t, const Found *f, uint64_t *birth, uint64_t *death) {
  const uint64_t b = f->pair >> 32, d = (uint32_t)f->pair;
  const int dims = t->s->grid.dims;
  const bool dual = t->s->whole->top_cells;
  *birth = !dual || d == UINT32_MAX ? b : d;
  *death = !dual || d == UINT32_MAX ? d : b;
  return !dual ? f->dimension : (d == UINT32_MAX ? dims - f->dimension : dims - 1 - f->dimension);
}

/* In the order of the image's filtration: by birth, then by death. */
static void build(const Table *t, int64_t n, const Found *f, MtDiagram *d) {
  uint64_t *key = mt_malloc((size_t)n * sizeof *key);
  uint32_t *order = mt_malloc((size_t)n * sizeof *order);
  const bool dual = t->s->whole->top_cells;
  for (int64_t i = 0; i < n; i++) {
    uint64_t birth, death;
    turn_back(t, &f[i], &birth, &death);
    if (dual) birth = (uint64_t)t->total - 1 - birth;
    if (dual && death != UINT32_MAX) death = (uint64_t)t->total - 1 - death;
    key[i] = birth << 32 | death;
    order[i] = (uint32_t)i;
  }
  mt_sort_keys(n, key, order);
  for (int k = 0; k < t->s->grid.dims; k++) d->pair[k] = mt_malloc((size_t)n * sizeof *d->pair[k]);
  for (int64_t i = 0; i < n; i++) {
    uint64_t birth, death;
    const int k = turn_back(t, &f[order[i]], &birth, &death);
    const MtPair p = pair_of(t, birth, death);
    if (p.birth_at >= 0 && p.birth != p.death) d->pair[k][d->n[k]++] = p;
  }
  for (int k = 0; k < t->s->grid.dims; k++) d->pair[k] = mt_realloc(d->pair[k], (size_t)d->n[k] * sizeof *d->pair[k]);
  free(key);
  free(order);
}

static PetscErrorCode gather(Run *r, MtDiagram *d) {
  MtCells want = {0};
  Answer *answer = NULL;
  int64_t n;
  void *items;
  PetscCall(mt_post_send(&r->found, &n, &items, NULL));
  const Found *f = items;
  for (int64_t i = 0; i < n; i++) {
    mt_cells_add(&want, f[i].pair >> 32);
    if ((uint32_t)f[i].pair != UINT32_MAX) mt_cells_add(&want, (uint32_t)f[i].pair);
  }
  mt_sort_keys(want.n, want.cell, NULL);
  int64_t kept = 0;
  for (int64_t i = 0; i < want.n; i++)
    if (!i || want.cell[i] != want.cell[kept - 1]) want.cell[kept++] = want.cell[i];
  want.n = kept;
  PetscCall(look_up(&r->s, &want, &answer));
  const Table t = {&r->s, &want, answer, r->total};
  if (!r->s.rank) build(&t, n, f, d);
  mt_cells_clear(&want);
  free(answer);
  free(items);
  return 0;
}

static PetscErrorCode find_last(const MtShare *s, double *last) {
  const double sign = s->whole->superlevel ? -1 : 1;
  double most = -INFINITY;
  for (int64_t i = 0; i < (int64_t)s->slab.n[0] * s->slab.n[1] * s->slab.n[2]; i++)
    most = fmax(most, sign * s->value[i]);
  PetscCallMPI(MPI_Allreduce(&most, last, 1, MPI_DOUBLE, MPI_MAX, s->comm));
  *last *= sign;
  return 0;
}

static PetscErrorCode share(MPI_Comm comm, const MtCubical *image, MtLayers read, void *context, MtDiagram *d,
                            double *last) {
  Run r = {.total = 0};
  PetscCall(mt_share_create(comm, image, read, context, &r.s));
  mt_post_begin(comm, sizeof(Found), &r.found);
  PetscCall(find_last(&r.s, last));
  PetscCall(compute(&r));
  PetscCall(gather(&r, d));
  mt_post_end(&r.found);
  mt_share_free(&r.s);
  return 0;
}

static PetscErrorCode alone(const MtCubical *image, MtLayers read, void *context, MtDiagram *d, double *last) {
  const int end = image->n[2] > 1 ? 2 : 1;
  const int64_t n = (int64_t)image->n[0] * image->n[1] * image->n[2];
  MtCubical whole = *image;
  double *value = mt_malloc((size_t)n * sizeof *value);
  PetscErrorCode rc = read(context, 0, image->n[end], value);
  uint8_t *hidden = mt_calloc((size_t)n, 1);
  for (int64_t i = 0; i < n && !rc; i++) {
    hidden[i] = isnan(value[i]);
    if (hidden[i]) whole.hidden = hidden;
  }
  whole.value = value;
  if (!rc) rc = mt_persistence(&whole, d);
  *last = image->superlevel ? INFINITY : -INFINITY;
  for (int64_t i = 0; i < n && !rc; i++) *last = image->superlevel ? fmin(*last, value[i]) : fmax(*last, value[i]);
  free(hidden);
  free(value);
  return rc;
}

PetscErrorCode mt_persistence_shared(MPI_Comm comm, const MtCubical *image, MtLayers read, void *context, MtDiagram *d,
                                     double *last) {
  int rank, ranks;
  const int layers = image->n[image->n[2] > 1 ? 2 : 1];
  MPI_Comm used;
  PetscErrorCode rc = 0;
  memset(d, 0, sizeof *d);
  d->dims = image->n[2] > 1 ? 3 : 2;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  const int most = layers / 2 < 1 ? 1 : (layers / 2 < ranks ? layers / 2 : ranks); /* two layers a rank, at least */
  PetscCallMPI(MPI_Comm_split(comm, rank < most ? 0 : MPI_UNDEFINED, rank, &used));
  if (rank < most) rc = most > 1 ? share(used, image, read, context, d, last) : alone(image, read, context, d, last);
  if (rank < most) PetscCallMPI(MPI_Comm_free(&used));
  PetscCall(mt_agree(comm, rc));
  PetscCallMPI(MPI_Bcast(last, 1, MPI_DOUBLE, 0, comm));
  return 0;
}
