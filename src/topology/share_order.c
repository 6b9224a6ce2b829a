/* A number for every pixel that has a critical cell, in the order in which pixels enter: sorted by samples (W. D.
 * Frazer, A. C. McKellar, J. ACM 17 (1970) 496), a bucket a rank; equal values lie in one bucket. */
#include "magtwin/memory.h"
#include "share.h"
#include <string.h>

typedef struct {
  uint64_t key;
  int64_t number;
} Entry;

static bool is_critical(const MtShare *s, uint32_t place) {
  const MtStar *t = mt_star_at(&s->f, place);
  if (t->down < 0 || t->edges || t->squares) return true;
  for (int k = 0; k < 1 << s->grid.dims; k++)
    if (t->top[k] == MT_CRITICAL) return true;
  return false;
}

static void list_critical(MtShare *s) {
  MtCells list = {0};
  for (uint32_t p = s->own_from; p < s->own_to; p++) /* place by place: memory is read in its order */
    if (mt_share_pixel(s, p) && is_critical(s, p)) mt_cells_add(&list, s->grid.rank[p]);
  mt_sort_keys(list.n, list.cell, NULL);
  s->ncritical = list.n;
  s->critical = mt_malloc((size_t)list.n * sizeof *s->critical);
  for (int64_t i = 0; i < list.n; i++) s->critical[i] = (uint32_t)list.cell[i];
  mt_cells_clear(&list);
}

/* Of the pixel at a place: how it enters, and its number in the whole. */
static Entry entry_of(const MtShare *s, uint32_t place) {
  const MtGrid *g = &s->grid;
  const int last = g->dims - 1;
  const int64_t pixel = mt_grid_pixel(g, place), layer = place / g->stride[last] - 1;
  const int64_t y = (int64_t)(place % g->stride[2] / g->stride[1]) - 1, x = (int64_t)(place % g->stride[1]) - 1;
  const int64_t own = layer - g->from + s->first, row = last == 2 ? own * s->n[1] + y : own;
  const bool hole = pixel >= 0 && s->hidden && s->hidden[pixel];
  const uint64_t key = pixel < 0 ? 0 : (hole ? MT_HOLE(s->whole->top_cells) : mt_entry_key(s->value[pixel], s->up));
  return (Entry){key, row * s->n[0] + x};
}

/* Keys below limit[r] belong to ranks up to r. */
static PetscErrorCode choose_limits(const MtShare *s, uint64_t *limit) {
  const int each = 65536 / s->ranks < 1 ? 1 : (65536 / s->ranks > 64 ? 64 : 65536 / s->ranks);
  uint64_t mine[64], *all = mt_malloc((size_t)s->ranks * (size_t)each * sizeof *all);
  for (int i = 0; i < each; i++) {
    const int64_t at = (2 * i + 1) * s->ncritical / (2 * each);
    mine[i] = s->ncritical ? entry_of(s, s->grid.place[s->critical[at]]).key : UINT64_MAX;
  }
  PetscCallMPI(MPI_Allgather(mine, each, MPI_UINT64_T, all, each, MPI_UINT64_T, s->comm));
  mt_sort_keys((int64_t)s->ranks * each, all, NULL);
  for (int r = 0; r + 1 < s->ranks; r++) limit[r] = all[(int64_t)(r + 1) * each];
  limit[s->ranks - 1] = UINT64_MAX;
  free(all);
  return 0;
}

static int bucket_of(const uint64_t *limit, int ranks, uint64_t key) {
  int low = 0, high = ranks - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (key < limit[middle])
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* What arrived, from rank to rank by number: equal keys stay in this order. */
static void fill_bucket(MtShare *s, int64_t n, const Entry *in, uint32_t *order) {
  s->key = mt_malloc((size_t)n * sizeof *s->key);
  s->number = mt_malloc((size_t)n * sizeof *s->number);
  for (int64_t i = 0; i < n; i++) s->key[i] = in[i].key, order[i] = (uint32_t)i;
  mt_sort_keys(n, s->key, order);
  for (int64_t i = 0; i < n; i++) s->number[i] = in[order[i]].number;
}

static PetscErrorCode count_buckets(MtShare *s, int64_t n) {
  s->bucket = mt_malloc(((size_t)s->ranks + 1) * sizeof *s->bucket);
  PetscCallMPI(MPI_Allgather(&n, 1, MPI_INT64_T, s->bucket + 1, 1, MPI_INT64_T, s->comm));
  s->bucket[0] = 0;
  for (int r = 0; r < s->ranks; r++) s->bucket[r + 1] += s->bucket[r];
  return 0;
}

/* The answers come from rank to rank in the order asked: a rank's pixels ascend through the buckets. */
static PetscErrorCode send_back(MtShare *s, int64_t n, const int *from, const uint32_t *order) {
  int64_t *index = mt_malloc((size_t)n * sizeof *index), got;
  void *back = NULL;
  MtPost p;
  mt_post_begin(s->comm, sizeof *index, &p);
  for (int64_t i = 0; i < n; i++) index[order[i]] = s->bucket[s->rank] + i;
  for (int64_t i = 0; i < n; i++) mt_post_add(&p, from[i], &index[i]);
  PetscErrorCode rc = mt_post_send(&p, &got, &back, NULL);
  s->index = back;
  mt_post_end(&p);
  free(index);
  return rc;
}

/* Every entry to the rank of its bucket. */
static PetscErrorCode send_entries(MtShare *s, int64_t *n, void **in, int **from) {
  uint64_t *limit = mt_malloc((size_t)s->ranks * sizeof *limit);
  MtPost p;
  mt_post_begin(s->comm, sizeof(Entry), &p);
  PetscErrorCode rc = choose_limits(s, limit);
  for (int64_t i = 0; !rc && i < s->ncritical; i++) {
    const Entry e = entry_of(s, s->grid.place[s->critical[i]]);
    mt_post_add(&p, bucket_of(limit, s->ranks, e.key), &e);
  }
  if (!rc) rc = mt_post_send(&p, n, in, from);
  mt_post_end(&p);
  free(limit);
  return rc;
}

PetscErrorCode mt_share_order(MtShare *s) {
  int64_t n;
  int *from;
  void *in;
  list_critical(s);
  PetscCall(send_entries(s, &n, &in, &from));
  uint32_t *order = mt_malloc((size_t)n * sizeof *order);
  fill_bucket(s, n, in, order);
  free(in);
  PetscErrorCode rc = count_buckets(s, n);
  if (!rc) rc = send_back(s, n, from, order);
  free(order);
  free(from);
  return rc;
}

int64_t mt_share_index(const MtShare *s, uint32_t rank) {
  int64_t low = 0, high = s->ncritical - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (s->critical[middle] < rank)
      low = middle + 1;
    else
      high = middle;
  }
  return s->index[low];
}

int mt_share_keeper(const MtShare *s, int64_t index) {
  int low = 0, high = s->ranks - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (index < s->bucket[middle + 1])
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}
