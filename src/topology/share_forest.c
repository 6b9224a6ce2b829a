/* Where ways down (up) end, through other ranks' slabs: each rank follows its own; ends of ways that enter through a
 * layer at a neighbour are told to it, round by round, until all are known. */
#include "magtwin/memory.h"
#include "share.h"
#include <string.h>

/* Layer through which ways lead to (out) and come from (in) the neighbour on a side: of top cells, which lie between
 * layers, one and the same. */
static int layer_of(const MtForest *f, int side, bool out) {
  const MtGrid *g = &f->s->grid;
  if (f->tops) return side ? g->to - 1 : g->from - 1;
  return side ? g->to - !out : g->from - out;
}

static uint32_t size_of(const MtForest *f) {
  return f->s->grid.stride[f->s->grid.dims - 1];
}

/* Of a root of the forest: the place whose pixel it ends at. */
static uint32_t pixel_of(const MtForest *f, uint32_t root) {
  return f->tops ? mt_top_last(&f->s->grid, root) : root;
}

MtEnd mt_forest_end(const MtForest *f, uint32_t place) {
  const MtShare *s = f->s;
  const uint32_t root = f->tops && place == MT_OUTSIDE ? place : mt_find(f->parent, place);
  if (f->tops && root == MT_OUTSIDE) return (MtEnd){-1, s->rank, 1};
  const uint32_t pixel = pixel_of(f, root);
  if (mt_share_own(s, pixel)) return (MtEnd){mt_share_index(s, s->grid.rank[pixel]), s->rank, 1};
  const int side = pixel >= s->own_to;
  return f->end[side][root - mt_share_layer(s, layer_of(f, side, true))];
}

/* Is there an image's cell at this place of a layer that ways come in through? */
static bool counts(const MtForest *f, uint32_t place) {
  const MtGrid *g = &f->s->grid;
  if (!f->tops) return g->rank[place] != MT_NOWHERE;
  for (int k = 0; k < 1 << g->dims; k++) {
    uint32_t at = place;
    for (int a = 0; a < g->dims; a++) at += (k >> a & 1) ? g->stride[a] : 0;
    if (g->rank[at] == MT_NOWHERE) return false;
  }
  return true;
}

/* What this rank can say about the ways that come in on a side; how many it cannot yet. */
static int64_t answer(const MtForest *f, int side, MtEnd *say) {
  const uint32_t base = mt_share_layer(f->s, layer_of(f, side, false));
  int64_t open = 0;
  for (uint32_t q = 0; q < size_of(f); q++) {
    say[q] = (MtEnd){-1, -1, -1};
    const uint32_t place = base + q;
    if (!counts(f, place) || mt_grid_home(&f->s->grid, place) != place) continue;
    if (f->tops && !mt_share_own(f->s, mt_top_last(&f->s->grid, place))) continue;
    say[q] = mt_forest_end(f, place);
    open += say[q].known == 0;
  }
  return open;
}

static PetscErrorCode exchange(MtForest *f, MtEnd *const say[2]) {
  const MtShare *s = f->s;
  const int peer[2] = {s->low, s->high}, bytes = (int)sizeof(MtEnd);
  MPI_Request request[4];
  MPI_Datatype type;
  int n = 0;
  PetscCallMPI(MPI_Type_contiguous(bytes, MPI_BYTE, &type));
  PetscCallMPI(MPI_Type_commit(&type));
  for (int side = 0; side < 2; side++) /* the tag is the side on which the receiver gets it */
    if (peer[side] >= 0)
      PetscCallMPI(MPI_Irecv(f->end[side], (int)size_of(f), type, peer[side], 80 + side, s->comm, &request[n++]));
  for (int side = 0; side < 2; side++)
    if (peer[side] >= 0)
      PetscCallMPI(MPI_Isend(say[side], (int)size_of(f), type, peer[side], 80 + !side, s->comm, &request[n++]));
  PetscCallMPI(MPI_Waitall(n, request, MPI_STATUSES_IGNORE));
  PetscCallMPI(MPI_Type_free(&type));
  return 0;
}

static PetscErrorCode resolve(MtForest *f) {
  MtEnd *say[2];
  int64_t open = 1;
  for (int side = 0; side < 2; side++) {
    say[side] = mt_malloc(size_of(f) * sizeof *say[side]);
    f->end[side] = mt_calloc(size_of(f), sizeof *f->end[side]); /* nothing is known */
  }
  while (open) {
    open = 0;
    for (int side = 0; side < 2; side++)
      if ((side ? f->s->high : f->s->low) >= 0) open += answer(f, side, say[side]);
    PetscCall(exchange(f, say));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &open, 1, MPI_INT64_T, MPI_SUM, f->s->comm));
  }
  for (int side = 0; side < 2; side++) free(say[side]);
  return 0;
}

static void point(MtForest *f) {
  const MtGrid *g = &f->s->grid;
  const uint32_t places = g->stride[2] * ((uint32_t)g->n[2] + (g->dims == 3 ? 2 : 0));
  f->parent = mt_malloc(places * sizeof *f->parent);
  for (uint32_t p = 0; p < places; p++) f->parent[p] = p;
  for (uint32_t p = f->s->own_from; p < f->s->own_to; p++) {
    if (!mt_share_pixel(f->s, p)) continue;
    if (f->tops)
      mt_point_up(&f->s->f, p, f->parent);
    else
      mt_point_down(&f->s->f, p, f->parent);
  }
}

PetscErrorCode mt_forest_create(const MtShare *s, bool tops, MtForest *f) {
  *f = (MtForest){.s = s, .tops = tops};
  point(f);
  return resolve(f);
}

void mt_forest_free(MtForest *f) {
  free(f->parent);
  free(f->end[0]);
  free(f->end[1]);
  memset(f, 0, sizeof *f);
}
