/* Components merged by ranks: each first merges what no other rank can change, then pairs of ranks merge what is left,
 * twice as many with each step.  A component is open while a rank outside of the group has edges to it; the younger of
 * two that an edge joins dies there, unless it is open: then the edge is handed on. */
#include "magtwin/memory.h"
#include "share.h"
#include <string.h>

void *mt_items_add(MtItems *l, size_t bytes) {
  if (l->n == l->room) {
    l->room = l->room ? l->room + l->room / 2 : 256;
    l->item = mt_realloc(l->item, (size_t)l->room * bytes);
  }
  return (char *)l->item + (size_t)l->n++ * bytes;
}

void mt_items_free(MtItems *l) {
  free(l->item);
  memset(l, 0, sizeof *l);
}

/* The ends of a group's edges, oldest first. */
typedef struct {
  int64_t n;
  int64_t *end;
  int64_t *parent; /* [n] the root is the oldest of its component */
  bool *open;      /* [n] */
} Nodes;

static void list_nodes(const MtItems *joins, const MtItems *spans, int low, int high, Nodes *m) {
  const MtJoin *j = joins->item;
  const MtSpan *span = spans->item;
  uint64_t *end = mt_malloc(2 * (size_t)joins->n * sizeof *end);
  for (int64_t i = 0; i < 2 * joins->n; i++) end[i] = (uint64_t)j[i / 2].end[i % 2];
  mt_sort_keys(2 * joins->n, end, NULL);
  m->n = 0;
  for (int64_t i = 0; i < 2 * joins->n; i++)
    if (!i || end[i] != end[i - 1]) end[m->n++] = end[i];
  m->end = (int64_t *)end;
  m->parent = mt_calloc((size_t)m->n, sizeof *m->parent);
  m->open = mt_calloc((size_t)m->n, sizeof *m->open);
  for (int64_t i = 0, k = 0; i < m->n; i++) {
    m->parent[i] = i;
    while (k < spans->n && span[k].end < m->end[i]) k++;
    m->open[i] = k < spans->n && span[k].end == m->end[i] && (span[k].low < low || span[k].high >= high);
  }
}

static int64_t root_of(Nodes *m, int64_t end) {
  int64_t low = 0, high = m->n - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (m->end[middle] < end)
      low = middle + 1;
    else
      high = middle;
  }
  while (m->parent[low] != low) low = m->parent[low] = m->parent[m->parent[low]];
  return low;
}

/* What cannot be decided in the group of ranks low .. high-1 stays in joins. */
static void merge_group(MtItems *joins, const MtItems *spans, int low, int high, MtItems *pairs, MtItems *cycles) {
  Nodes m;
  MtJoin *j = joins->item;
  int64_t left = 0;
  list_nodes(joins, spans, low, high, &m);
  for (int64_t i = 0; i < joins->n; i++) {
    const int64_t a = root_of(&m, j[i].end[0]), b = root_of(&m, j[i].end[1]), young = a > b ? a : b,
                  old = a > b ? b : a;
    const MtJoin joined = {j[i].key, {m.end[young], m.end[old]}, j[i].owner};
    if (a == b) {
      *(MtJoin *)mt_items_add(cycles, sizeof joined) = j[i];
      continue;
    }
    if (m.open[young])
      j[left++] = joined;
    else
      *(MtJoin *)mt_items_add(pairs, sizeof joined) = joined;
    m.parent[young] = old;
    m.open[old] = m.open[old] || m.open[young];
  }
  joins->n = left;
  free(m.end);
  free(m.parent);
  free(m.open);
}

static PetscErrorCode send_list(MPI_Comm comm, int to, size_t bytes, const MtItems *l) {
  MPI_Datatype type;
  PetscCallMPI(MPI_Type_contiguous((int)bytes, MPI_BYTE, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  PetscCallMPI(MPI_Send(l->item, (int)l->n, type, to, 90, comm));
  PetscCallMPI(MPI_Type_free(&type));
  return 0;
}

static PetscErrorCode receive_list(MPI_Comm comm, int from, size_t bytes, MtItems *l) {
  MPI_Datatype type;
  MPI_Status status;
  int n;
  PetscCallMPI(MPI_Type_contiguous((int)bytes, MPI_BYTE, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  PetscCallMPI(MPI_Probe(from, 90, comm, &status));
  PetscCallMPI(MPI_Get_count(&status, type, &n));
  *l = (MtItems){n, n, mt_calloc((size_t)n, bytes)};
  PetscCallMPI(MPI_Recv(l->item, n, type, from, 90, comm, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Type_free(&type));
  return 0;
}

/* Two ascending lists become one. */
static void mix_joins(MtItems *a, MtItems *b) {
  const MtJoin *p = a->item, *q = b->item;
  MtJoin *out = mt_malloc((size_t)(a->n + b->n) * sizeof *out);
  for (int64_t i = 0, j = 0; i + j < a->n + b->n;) {
    const bool first = j == b->n || (i < a->n && p[i].key < q[j].key);
    out[i + j] = first ? p[i] : q[j];
    i += first, j += !first;
  }
  const int64_t n = a->n + b->n;
  mt_items_free(a);
  mt_items_free(b);
  *a = (MtItems){n, n, out};
}

/* The same, an end that both have once. */
static void mix_spans(MtItems *a, MtItems *b) {
  const MtSpan *p = a->item, *q = b->item;
  MtSpan *out = mt_malloc((size_t)(a->n + b->n) * sizeof *out);
  int64_t n = 0;
  for (int64_t i = 0, j = 0; i < a->n || j < b->n;) {
    const bool first = j == b->n || (i < a->n && p[i].end <= q[j].end);
    const MtSpan *next = first ? &p[i++] : &q[j++];
    if (!n || out[n - 1].end != next->end) out[n++] = *next;
  }
  mt_items_free(a);
  mt_items_free(b);
  *a = (MtItems){n, n, out};
}

static PetscErrorCode climb(const MtShare *s, MtItems *joins, MtItems *spans, MtItems *pairs, MtItems *cycles) {
  for (int step = 1; step < s->ranks; step *= 2) {
    MtItems more_joins, more_spans;
    if (s->rank & step) {
      PetscCall(send_list(s->comm, s->rank - step, sizeof(MtJoin), joins));
      PetscCall(send_list(s->comm, s->rank - step, sizeof(MtSpan), spans));
      return 0;
    }
    if (s->rank + step >= s->ranks) continue;
    PetscCall(receive_list(s->comm, s->rank + step, sizeof(MtJoin), &more_joins));
    mix_joins(joins, &more_joins);
    PetscCall(receive_list(s->comm, s->rank + step, sizeof(MtSpan), &more_spans));
    mix_spans(spans, &more_spans);
    merge_group(joins, spans, s->rank, s->rank + 2 * step, pairs, cycles);
  }
  return 0;
}

PetscErrorCode mt_share_merge(const MtShare *s, MtItems *joins, MtItems *spans, MtItems *pairs, MtCells *cycles) {
  MtItems closed = {0};
  MtPost p;
  int64_t n;
  void *back;
  PetscErrorCode rc;
  /* the last group reaches beyond the last rank: nobody is there */
  merge_group(joins, spans, s->rank, s->rank + 1, pairs, &closed);
  rc = climb(s, joins, spans, pairs, &closed);
  mt_items_free(joins);
  mt_items_free(spans);
  mt_post_begin(s->comm, sizeof(uint64_t), &p);
  for (int64_t i = 0; !rc && i < closed.n; i++) {
    const MtJoin *j = (const MtJoin *)closed.item + i;
    mt_post_add(&p, j->owner, &j->key);
  }
  mt_items_free(&closed);
  if (!rc) rc = mt_post_send(&p, &n, &back, NULL);
  mt_post_end(&p);
  PetscCall(rc);
  mt_sort_keys(n, back, NULL);
  *cycles = (MtCells){n, n, back};
  return 0;
}
