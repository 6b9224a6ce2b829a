/* The slab of a rank: its layers, one more of each neighbour, and their gradient field. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "share.h"
#include <math.h>
#include <string.h>

/* Layers of the slab, numbered in the whole with its shell: those of the neighbours and own ones; may go beyond the
 * ends where the axis wraps. */
typedef struct {
  int from, to;
} Layers;

static int last_axis(const MtShare *s) {
  return s->whole->n[2] > 1 ? 2 : 1;
}

static Layers place_slab(MtShare *s, MtSlab *slab) {
  const int last = last_axis(s);
  const bool wraps = s->whole->periodic[last], shell = s->whole->top_cells && !wraps;
  int64_t own;
  for (int a = 0; a < 3; a++) {
    const bool around = s->whole->top_cells && a <= last && !s->whole->periodic[a];
    s->n[a] = s->whole->n[a] + 2 * around;
    slab->shell_low[a] = slab->shell_high[a] = around;
  }
  mt_slab(s->n[last], s->rank, s->ranks, &s->first, &own);
  s->layers = (int)own;
  s->low = s->rank > 0 || wraps ? (s->rank + s->ranks - 1) % s->ranks : -1;
  s->high = s->rank + 1 < s->ranks || wraps ? (s->rank + 1) % s->ranks : -1;
  const Layers l = {(int)s->first - (s->low >= 0), (int)(s->first + own) + (s->high >= 0)};
  slab->shell_low[last] = shell && l.from == 0;
  slab->shell_high[last] = shell && l.to == s->n[last];
  slab->dims = last + 1;
  slab->from = (int)s->first - l.from;
  slab->to = slab->from + (int)own;
  slab->first = l.from < 0 ? 1 : (l.to > s->n[last] ? l.to - l.from - 1 : 0);
  return l;
}

/* Numbers that are none are holes. */
static void find_holes(MtShare *s) {
  const int64_t n = (int64_t)s->slab.n[0] * s->slab.n[1] * s->slab.n[2];
  for (int64_t i = 0; i < n; i++) {
    if (!isnan(s->value[i])) continue;
    if (!s->hidden) s->hidden = mt_calloc((size_t)n, 1);
    s->hidden[i] = 1;
  }
  s->slab.hidden = s->hidden;
}

/* The layers of the image among them; around the ends where it wraps. */
static PetscErrorCode read_layers(MtShare *s, Layers l, const MtSlab *slab, MtLayers read, void *context) {
  const int last = last_axis(s), n = s->whole->n[last], shell = s->n[last] > n;
  const int from = l.from - shell + slab->shell_low[last], to = l.to - shell - slab->shell_high[last];
  const int inner_from = from < 0 ? 0 : from, inner_to = to > n ? n : to;
  const size_t layer = (size_t)s->whole->n[0] * (last == 2 ? (size_t)s->whole->n[1] : 1);
  s->value = mt_malloc((size_t)(to - from) * layer * sizeof *s->value);
  double *inner = s->value + (size_t)(inner_from - from) * layer;
  if (from < 0) PetscCall(read(context, n - 1, 1, s->value));
  PetscCall(read(context, inner_from, inner_to - inner_from, inner));
  if (to > n) PetscCall(read(context, 0, 1, inner + (size_t)(inner_to - inner_from) * layer));
  s->slab = *s->whole;
  s->slab.n[last] = to - from;
  s->slab.periodic[last] = false;
  s->slab.value = s->value;
  find_holes(s);
  return 0;
}

PetscErrorCode mt_share_create(MPI_Comm comm, const MtCubical *whole, MtLayers read, void *context, MtShare *s) {
  MtSlab slab = {.first = 0};
  memset(s, 0, sizeof *s);
  s->comm = comm, s->whole = whole;
  s->up = whole->superlevel == whole->top_cells;
  PetscCallMPI(MPI_Comm_rank(comm, &s->rank));
  PetscCallMPI(MPI_Comm_size(comm, &s->ranks));
  const Layers l = place_slab(s, &slab);
  PetscErrorCode rc = read_layers(s, l, &slab, read, context);
  if (!rc) rc = mt_grid_create_slab(&s->slab, s->up, &slab, &s->grid);
  rc = mt_agree(comm, rc);
  if (rc) {
    mt_share_free(s);
    return rc;
  }
  s->own_from = mt_share_layer(s, slab.from);
  s->own_to = mt_share_layer(s, slab.to);
  mt_gradient_create(&s->grid, &s->f);
  return 0;
}

void mt_share_free(MtShare *s) {
  mt_gradient_free(&s->f);
  mt_grid_free(&s->grid);
  free(s->value);
  free(s->hidden);
  free(s->critical);
  free(s->index);
  free(s->bucket);
  free(s->key);
  free(s->number);
  memset(s, 0, sizeof *s);
}
