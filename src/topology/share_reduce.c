/* Reduction of columns that lie with the ranks their last rows belong to.  A column that meets one of a later square in
 * its place takes it, and the other goes on; so the order in which columns arrive does not matter (D. Morozov,
 * A. Nigmetov, SPAA 2020, 555).  A column whose last row belongs to another rank is sent there: always downwards. */
#include "magtwin/memory.h"
#include "share.h"
#include <string.h>

typedef struct {
  uint64_t square;
  int64_t start, n; /* rows in the store */
} Column;

typedef struct {
  const MtShare *s;
  MtCells rows;   /* the store, rows descending */
  uint64_t slots; /* power of two */
  int64_t used;
  uint64_t *pivot; /* [slots] last row + 1; 0: empty */
  Column *column;  /* [slots] */
  MtCells heap;    /* rows of the column at work */
  MtCells sorted;
  MtPost out; /* square, number of rows, rows */
  MtIndexPairs *squares_left;
} Work;

static void push(Work *w, uint64_t row) {
  mt_cells_add(&w->heap, row);
  uint64_t *h = w->heap.cell;
  int64_t i = w->heap.n - 1;
  for (int64_t up = (i - 1) / 2; i > 0 && h[up] < row; i = up, up = (i - 1) / 2) h[i] = h[up];
  h[i] = row;
}

static uint64_t pop_one(Work *w) {
  uint64_t *h = w->heap.cell, top = h[0], last = h[--w->heap.n];
  int64_t i = 0;
  for (int64_t down = 1; down < w->heap.n; i = down, down = 2 * i + 1) {
    if (down + 1 < w->heap.n && h[down + 1] > h[down]) down++;
    if (h[down] <= last) break;
    h[i] = h[down];
  }
  h[i] = last;
  return top;
}

/* The last row that is there an odd number of times; UINT64_MAX: none. */
static uint64_t pop(Work *w) {
  while (w->heap.n) {
    const uint64_t row = pop_one(w);
    if (!w->heap.n || w->heap.cell[0] != row) return row;
    pop_one(w);
  }
  return UINT64_MAX;
}

static uint64_t slot_of(const Work *w, uint64_t row) {
  uint64_t at = row * UINT64_C(0x9e3779b97f4a7c15) >> 20 & (w->slots - 1);
  while (w->pivot[at] && w->pivot[at] != row + 1) at = (at + 1) & (w->slots - 1);
  return at;
}

static void make_room(Work *w) {
  if (2 * (uint64_t)w->used < w->slots) return;
  const uint64_t n = w->slots;
  uint64_t *pivot = w->pivot;
  Column *column = w->column;
  w->slots = n ? 2 * n : 1024;
  w->pivot = mt_calloc(w->slots, sizeof *w->pivot);
  w->column = mt_malloc(w->slots * sizeof *w->column);
  for (uint64_t i = 0; i < n; i++) {
    if (!pivot[i]) continue;
    const uint64_t at = slot_of(w, pivot[i] - 1);
    w->pivot[at] = pivot[i], w->column[at] = column[i];
  }
  free(pivot);
  free(column);
}

/* The column at work, whose last row has been taken out, into w->sorted. */
static void sort_out(Work *w, uint64_t last) {
  w->sorted.n = 0;
  for (uint64_t row = last; row != UINT64_MAX; row = pop(w)) mt_cells_add(&w->sorted, row);
}

static Column keep(Work *w, uint64_t square) {
  const Column c = {square, w->rows.n, w->sorted.n};
  for (int64_t i = 0; i < w->sorted.n; i++) mt_cells_add(&w->rows, w->sorted.cell[i]);
  return c;
}

static void send(Work *w, int to, uint64_t square) {
  const uint64_t n = (uint64_t)w->sorted.n;
  mt_post_add(&w->out, to, &square);
  mt_post_add(&w->out, to, &n);
  for (int64_t i = 0; i < w->sorted.n; i++) mt_post_add(&w->out, to, &w->sorted.cell[i]);
}

/* Rows of a column but for its last one join those at work. */
static void add(Work *w, const Column *c) {
  for (int64_t i = 1; i < c->n; i++) push(w, w->rows.cell[c->start + i]);
}

/* Finds the place of the column at work. */
static void reduce(Work *w, uint64_t square) {
  for (;;) {
    const uint64_t last = pop(w);
    if (last == UINT64_MAX) {
      mt_cells_add(w->squares_left, square >> 8);
      return;
    }
    const int keeper = mt_share_keeper(w->s, (int64_t)(last >> 8));
    if (keeper != w->s->rank) {
      sort_out(w, last);
      send(w, keeper, square);
      return;
    }
    make_room(w);
    const uint64_t at = slot_of(w, last);
    if (!w->pivot[at]) {
      sort_out(w, last);
      w->column[at] = keep(w, square);
      w->pivot[at] = last + 1;
      w->used++;
      return;
    }
    const Column there = w->column[at];
    if (there.square > square) {
      sort_out(w, last);
      w->column[at] = keep(w, square);
      for (int64_t i = 1; i < w->sorted.n; i++) push(w, w->sorted.cell[i]);
      square = there.square;
    }
    add(w, &there);
  }
}

static void begin(Work *w, const MtCells *squares, const MtCells *column) {
  int64_t at = 0;
  for (int64_t i = 0; i < squares->n; i++, at++) {
    while (column->cell[at] != UINT64_MAX) push(w, column->cell[at++]);
    reduce(w, squares->cell[i]);
  }
}

static PetscErrorCode go_round(Work *w) {
  for (;;) {
    int64_t n = w->out.n;
    void *items;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &n, 1, MPI_INT64_T, MPI_SUM, w->s->comm));
    if (!n) return 0;
    PetscCall(mt_post_send(&w->out, &n, &items, NULL));
    const uint64_t *in = items;
    for (int64_t i = 0; i < n;) {
      const uint64_t square = in[i], rows = in[i + 1];
      for (uint64_t k = 0; k < rows; k++) push(w, in[i + 2 + (int64_t)k]);
      i += 2 + (int64_t)rows;
      reduce(w, square);
    }
    free(items);
  }
}

/* Edges that no column has last, asked where their columns would be: on periodic axes only. */
static PetscErrorCode find_left(const Work *w, const MtCells *loops, MtIndexPairs *left) {
  int64_t n = loops->n - w->used;
  void *items;
  MtPost p;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &n, 1, MPI_INT64_T, MPI_SUM, w->s->comm));
  if (!n) return 0;
  mt_post_begin(w->s->comm, sizeof(uint64_t), &p);
  for (int64_t i = 0; i < loops->n; i++)
    mt_post_add(&p, mt_share_keeper(w->s, (int64_t)(loops->cell[i] >> 8)), &loops->cell[i]);
  PetscCall(mt_post_send(&p, &n, &items, NULL));
  const uint64_t *in = items;
  for (int64_t i = 0; i < n; i++)
    if (!w->slots || !w->pivot[slot_of(w, in[i])]) mt_cells_add(left, in[i] >> 8);
  free(items);
  mt_post_end(&p);
  return 0;
}

PetscErrorCode mt_share_reduce(const MtShare *s, const MtCells *loops, const MtCells *squares, const MtCells *column,
                               MtIndexPairs *pairs, MtIndexPairs *loops_left, MtIndexPairs *squares_left) {
  Work w = {.s = s, .squares_left = squares_left};
  mt_post_begin(s->comm, sizeof(uint64_t), &w.out);
  begin(&w, squares, column);
  PetscCall(go_round(&w));
  for (uint64_t i = 0; i < w.slots; i++)
    if (w.pivot[i]) mt_cells_add(pairs, (w.pivot[i] - 1) >> 8 << 32 | w.column[i].square >> 8);
  PetscCall(find_left(&w, loops, loops_left));
  mt_cells_clear(&w.rows);
  mt_cells_clear(&w.heap);
  mt_cells_clear(&w.sorted);
  mt_post_end(&w.out);
  free(w.pivot);
  free(w.column);
  return 0;
}
