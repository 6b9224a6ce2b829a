/* The table in memory: its lines on the ranks, and how they come there from the files. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "source.h"
#include <string.h>

void mt_table_slab(int64_t lines, int unit, int rank, int ranks, int64_t *start, int64_t *n) {
  mt_slab(lines / unit, rank, ranks, start, n);
  *start *= unit;
  *n *= unit;
}

PetscErrorCode mt_table_create(MPI_Comm comm, int64_t rows, int64_t columns, bool by_columns, int unit, MtTable *t) {
  int rank, ranks;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  *t = (MtTable){.comm = comm, .rows = rows, .columns = columns, .by_columns = by_columns};
  mt_table_slab(by_columns ? columns : rows, unit, rank, ranks, &t->start, &t->n);
  t->width = by_columns ? rows : columns;
  t->value = mt_calloc((size_t)t->n * (size_t)t->width, sizeof *t->value);
  return 0;
}

void mt_table_clear(MtTable *t) {
  free(t->value);
  t->value = NULL;
  t->n = 0;
}

enum { WINDOW = 1 << 22, BATCH = 1 << 19 }; /* numbers a rank reads at a time: at most, at least if there are */

/* Samples dealt to the ranks: each reads its own. */
static PetscErrorCode load_rows(MtSource *s, MtTable *t) {
  const int64_t step = BATCH / t->columns + 1;
  PetscErrorCode rc = 0;
  for (int64_t i = 0; i < t->n && !rc; i += step) {
    const int64_t n = i + step < t->n ? step : t->n - i;
    rc = mt_source_read(s, t->start + i, n, 0, t->columns, t->value + i * t->columns);
  }
  return mt_agree(t->comm, rc);
}

/* Variables dealt to the ranks: in every round each rank reads some samples (so that a file is read once, not by all)
 * and sends the others their parts of them. */
typedef struct {
  int rank, ranks, unit;
  int64_t rows;      /* samples a rank reads in a round */
  int64_t col, ncol; /* the window of columns */
  double *read, *out, *in;
  int *send, *sent_at, *receive, *received_at; /* [ranks] */
} Exchange;

/* What rank r has of the window: first column and how many. */
static int64_t overlap(const Exchange *x, const MtTable *t, int r, int64_t *first) {
  int64_t start, n, end;
  mt_table_slab(t->columns, x->unit, r, x->ranks, &start, &n);
  end = start + n < x->col + x->ncol ? start + n : x->col + x->ncol;
  *first = start > x->col ? start : x->col;
  return end > *first ? end - *first : 0;
}

/* Samples that rank r reads in a round: first and how many. */
static int64_t share(const Exchange *x, const MtTable *t, int64_t round, int r, int64_t *first) {
  *first = (round * x->ranks + r) * x->rows;
  const int64_t left = t->rows - *first;
  return left < 0 ? 0 : (left < x->rows ? left : x->rows);
}

static void pack(const Exchange *x, const MtTable *t, int64_t n) {
  int at = 0;
  for (int r = 0; r < x->ranks; r++) {
    int64_t first;
    const int64_t columns = overlap(x, t, r, &first);
    x->sent_at[r] = at;
    x->send[r] = (int)(n * columns);
    for (int64_t i = 0; i < n; i++, at += (int)columns)
      memcpy(x->out + at, x->read + i * x->ncol + first - x->col, (size_t)columns * sizeof *x->out);
  }
}

static void unpack(const Exchange *x, MtTable *t, int64_t round) {
  int64_t first;
  const int64_t columns = overlap(x, t, x->rank, &first);
  for (int r = 0; r < x->ranks; r++) {
    int64_t row;
    const int64_t n = share(x, t, round, r, &row);
    const double *in = x->in + x->received_at[r];
    for (int64_t i = 0; i < n; i++)
      for (int64_t c = 0; c < columns; c++) t->value[(first - t->start + c) * t->width + row + i] = in[i * columns + c];
  }
}

static PetscErrorCode exchange_round(MtSource *s, MtTable *t, Exchange *x, int64_t round) {
  int64_t row, first;
  const int64_t n = share(x, t, round, x->rank, &row), columns = overlap(x, t, x->rank, &first);
  PetscCall(mt_agree(t->comm, n ? mt_source_read(s, row, n, x->col, x->ncol, x->read) : 0));
  pack(x, t, n);
  for (int r = 0, at = 0; r < x->ranks; r++) {
    x->received_at[r] = at;
    x->receive[r] = (int)(share(x, t, round, r, &row) * columns);
    at += x->receive[r];
  }
  PetscCallMPI(
      MPI_Alltoallv(x->out, x->send, x->sent_at, MPI_DOUBLE, x->in, x->receive, x->received_at, MPI_DOUBLE, t->comm));
  unpack(x, t, round);
  return 0;
}

static PetscErrorCode load_window(MtSource *s, MtTable *t, Exchange *x) {
  int64_t first;
  const int64_t mine = overlap(x, t, x->rank, &first), rounds = (t->rows - 1) / (x->rows * x->ranks) + 1;
  PetscErrorCode rc = 0;
  x->read = mt_malloc((size_t)(x->rows * x->ncol) * sizeof *x->read);
  x->out = mt_malloc((size_t)(x->rows * x->ncol) * sizeof *x->out);
  x->in = mt_malloc((size_t)(x->rows * x->ranks * mine) * sizeof *x->in);
  for (int64_t round = 0; round < rounds && !rc; round++) rc = exchange_round(s, t, x, round);
  free(x->read);
  free(x->out);
  free(x->in);
  return rc;
}

static PetscErrorCode load_columns(MtSource *s, MtTable *t, int unit) {
  Exchange x = {.unit = unit};
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(t->comm, &x.rank));
  PetscCallMPI(MPI_Comm_size(t->comm, &x.ranks));
  const int64_t most = t->columns < WINDOW ? t->columns : WINDOW, all = (t->rows - 1) / x.ranks + 1;
  x.rows = BATCH / most + 1 < all ? BATCH / most + 1 : all;
  int *count = mt_calloc(4 * (size_t)x.ranks, sizeof *count);
  x.send = count, x.sent_at = count + x.ranks, x.receive = count + 2 * x.ranks, x.received_at = count + 3 * x.ranks;
  for (x.col = 0; x.col < t->columns && !rc; x.col += most) {
    x.ncol = t->columns - x.col < most ? t->columns - x.col : most;
    rc = load_window(s, t, &x);
    mt_progress("read %.0f %%", 100. * (double)(x.col + x.ncol) / (double)t->columns);
  }
  mt_progress_end();
  free(count);
  return rc;
}

PetscErrorCode mt_source_load(MtSource *s, MtTable *t, int unit) {
  return t->by_columns ? load_columns(s, t, unit) : load_rows(s, t);
}
