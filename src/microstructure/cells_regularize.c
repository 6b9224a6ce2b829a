/* Short edges removed with the grain-boundary phase in mind.  What counts is not the length of an edge but what the
 * inset of the grain leaves of it, so each edge is measured in each of its grains.  Pass after pass, the worst edges
 * first, until nothing more can go. */
#include "cells_edit.h"
#include "cells_internal.h"
#include "magtwin/units.h"
#include <stdlib.h>

typedef struct {
  double left; /* nm, least over the grains */
  int32_t u, w;
} BadEdge;

static int compare_ends(const void *a, const void *b) {
  const BadEdge *p = a, *q = b;
  if (p->u != q->u) return p->u < q->u ? -1 : 1;
  if (p->w != q->w) return p->w < q->w ? -1 : 1;
  return (p->left > q->left) - (p->left < q->left);
}

static int compare_left(const void *a, const void *b) {
  const BadEdge *p = a, *q = b;
  if (p->left != q->left) return p->left < q->left ? -1 : 1;
  return compare_ends(a, b);
}

/* All edges that keep less than min_edge in some grain, each once, worst first. */
static PetscErrorCode find_bad_edges(const MtEdit *e, const MtLimit *limit, BadEdge **bad, int *nbad) {
  int capacity = 0, n = 0, m = 0;
  for (int f = 0; f < e->nfaces; f++) capacity += 2 * e->loop[f].n;
  PetscCall(PetscMalloc1((size_t)capacity, bad));
  for (int f = 0; f < e->nfaces; f++)
    for (int i = 0; i < e->loop[f].n; i++)
      for (int side = 0; side < 2; side++) {
        int32_t u = e->loop[f].item[i], w = mt_edit_beside(&e->loop[f], i, 0, 1), g = e->face_cells[2 * f + side];
        double left = g < 0 ? limit->min_edge : mt_edit_inset_length(e, u, w, g, limit->inset);
        if (left < limit->min_edge) (*bad)[n++] = (BadEdge){left, u < w ? u : w, u < w ? w : u};
      }
  qsort(*bad, (size_t)n, sizeof **bad, compare_ends);
  for (int i = 0; i < n; i++)
    if (m == 0 || (*bad)[m - 1].u != (*bad)[i].u || (*bad)[m - 1].w != (*bad)[i].w) (*bad)[m++] = (*bad)[i];
  qsort(*bad, (size_t)m, sizeof **bad, compare_left);
  *nbad = m;
  return 0;
}

static void mark_neighbours(const MtEdit *e, int v, bool *touched) {
  for (int i = 0; i < e->around[v].n; i++) {
    const MtIntList *loop = &e->loop[e->around[v].item[i]];
    for (int k = 0; k < loop->n; k++) touched[loop->item[k]] = true;
  }
}

/* Edges near one that went in this pass wait for the next: their measure has changed. */
static PetscErrorCode collapse_pass(MtEdit *e, const MtLimit *limit, int *ndone) {
  BadEdge *bad;
  bool *touched;
  int n;
  PetscCall(find_bad_edges(e, limit, &bad, &n));
  PetscCall(PetscCalloc1((size_t)e->nvertices, &touched));
  *ndone = 0;
  for (int i = 0; i < n; i++) {
    bool done;
    if (touched[bad[i].u] || touched[bad[i].w]) continue;
    PetscCall(mt_edit_collapse(e, bad[i].u, bad[i].w, limit, &done));
    if (!done) continue;
    mark_neighbours(e, bad[i].w, touched);
    touched[bad[i].u] = true;
    (*ndone)++;
  }
  PetscCall(PetscFree(bad));
  PetscCall(PetscFree(touched));
  return 0;
}

/* Faces may bend as little as will do: the first limit is that of R. Quey et al., Comput. Methods Appl. Mech. Eng. 200,
 * 1729 (2011); the later ones are for what is left, where a bent face is the smaller evil. */
static const double bends[] = {20 * MT_PI / 180, 30 * MT_PI / 180, 40 * MT_PI / 180};

PetscErrorCode mt_cells_regularize(MtCells *c, double inset, double min_edge) {
  MtEdit e;
  PetscCall(mt_edit_create(c, &e));
  for (size_t i = 0; i < sizeof bends / sizeof bends[0]; i++) {
    MtLimit limit = {inset, min_edge, bends[i]};
    int ndone = 1;
    while (ndone > 0) PetscCall(collapse_pass(&e, &limit, &ndone));
  }
  PetscCall(mt_edit_finish(&e, c));
  return 0;
}
