/* Short edges removed with the grain-boundary phase in mind.  What counts is not the length of an edge but what the
 * inset of the grain leaves of it, so each edge is measured in each of its grains.  Pass after pass, the worst edges
 * first, until nothing more can go. */
#include "cells_edit.h"
#include "cells_internal.h"
#include "cells_trial.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* All edges at active vertices that keep less than min_edge in some grain, each once, worst first. */
static PetscErrorCode find_bad_edges(const MtEdit *e, const MtLimit *limit, const bool *active, BadEdge **bad,
                                     int *nbad) {
  int capacity = 0, n = 0, m = 0;
  for (int f = 0; f < e->nfaces; f++) capacity += 2 * e->loop[f].n;
  PetscCall(PetscMalloc1((size_t)capacity, bad));
  for (int f = 0; f < e->nfaces; f++)
    for (int i = 0; i < e->loop[f].n; i++)
      for (int side = 0; side < 2; side++) {
        int32_t u = e->loop[f].item[i], w = mt_edit_beside(&e->loop[f], i, 0, 1), g = e->face_cells[2 * f + side];
        double left =
            g < 0 || !(active[u] || active[w]) ? limit->min_edge : mt_edit_inset_length(e, u, w, g, limit->inset);
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

/* Edges near one that went in this pass wait for the next: their measure has changed.  On return `active` marks the
 * vertices near which something has. */
static PetscErrorCode collapse_pass(MtEdit *e, const MtLimit *limit, bool may_slide, bool *active, int *ndone) {
  BadEdge *bad;
  int n;
  PetscCall(find_bad_edges(e, limit, active, &bad, &n));
  memset(active, 0, (size_t)e->nvertices * sizeof *active);
  *ndone = 0;
  for (int i = 0; i < n; i++) {
    bool done;
    if (active[bad[i].u] || active[bad[i].w]) continue;
    PetscCall(mt_edit_collapse(e, bad[i].u, bad[i].w, limit, &done));
    if (!done && may_slide) PetscCall(mt_edit_slide(e, bad[i].u, bad[i].w, limit, &done));
    if (!done && may_slide) PetscCall(mt_edit_slide(e, bad[i].w, bad[i].u, limit, &done));
    if (!done) continue;
    mark_neighbours(e, bad[i].u, active);
    mark_neighbours(e, bad[i].w, active);
    active[bad[i].u] = true;
    (*ndone)++;
  }
  PetscCall(PetscFree(bad));
  return 0;
}

/* Least height of position i over the edge from j among the grains beside the face. */
static double least_height(const MtEdit *e, int face, int i, int j, double inset) {
  double least = INFINITY;
  for (int side = 0; side < 2; side++) {
    int g = e->face_cells[2 * face + side];
    if (g >= 0) least = fmin(least, mt_edit_inset_height(e, face, i, j, g, inset));
  }
  return least;
}

/* A corner as thin as half of what is asked of edges: z stands beside an end of the edge it is close to, on either
 * side. */
static PetscErrorCode split_thin_corner(MtEdit *e, int face, const MtLimit *limit, bool *active, bool *done) {
  *done = false;
  for (int i = 0; i < e->loop[face].n && !*done; i++) {
    int n = e->loop[face].n;
    const int edges[2] = {(i + 1) % n, (i + n - 2) % n};
    const int32_t z = e->loop[face].item[i];
    for (int k = 0; k < 2 && !*done; k++)
      if (least_height(e, face, i, edges[k], limit->inset) < limit->min_edge / 2)
        PetscCall(mt_edit_split(e, face, i, edges[k], limit, done));
    if (*done) mark_neighbours(e, z, active);
  }
  return 0;
}

static PetscErrorCode split_pass(MtEdit *e, const MtLimit *limit, bool *active, int *ndone) {
  *ndone = 0;
  for (int f = 0; f < e->nfaces; f++) {
    bool done;
    PetscCall(split_thin_corner(e, f, limit, active, &done));
    *ndone += done;
  }
  return 0;
}

/* Merging makes vertices fewer and so ends; splitting and sliding need not, so they have a last round. */
enum { ROUNDS = 20 };

static PetscErrorCode improve(MtEdit *e, const MtLimit *limit, bool may_slide, bool *active) {
  for (int round = 0, corners = 1; round < ROUNDS && corners > 0; round++) {
    for (int i = 0, edges = 1; edges > 0 && !(may_slide && i > ROUNDS); i++)
      PetscCall(collapse_pass(e, limit, may_slide, active, &edges));
    PetscCall(split_pass(e, limit, active, &corners));
  }
  return 0;
}

/* Faces may bend as little as will do: the first limit is that of R. Quey et al., Comput. Methods Appl. Mech. Eng. 200,
 * 1729 (2011); the later ones are for what is left, where a bent face is the smaller evil. */
static const struct {
  double bend;
  bool may_slide;
} stages[] = {{20 * MT_PI / 180, false}, {30 * MT_PI / 180, false}, {40 * MT_PI / 180, true}};

static PetscErrorCode regularize(MtEdit *e, double inset, double min_edge, double tiny_upright) {
  bool *active;
  const size_t nstages = sizeof stages / sizeof stages[0];
  PetscCall(PetscMalloc1((size_t)e->nvertices, &active));
  for (size_t i = 0; i < nstages; i++) {
    MtLimit limit = {inset, min_edge, stages[i].bend, tiny_upright};
    for (int v = 0; v < e->nvertices; v++) active[v] = true;
    PetscCall(improve(e, &limit, stages[i].may_slide, active));
  }
  return PetscFree(active);
}

/* Edges on their way out may point anywhere, which removes more of them; but one that stays so has folded its faces.
 * Then all is done again with the direction of the tiniest edges kept. */
PetscErrorCode mt_cells_regularize(MtCells *c, double inset, double min_edge) {
  MtEdit e;
  PetscCall(mt_edit_create(c, &e));
  PetscCall(regularize(&e, inset, min_edge, -2));
  if (!mt_trial_loops_simple(&e)) {
    PetscCall(mt_edit_free(&e));
    PetscCall(mt_edit_create(c, &e));
    PetscCall(regularize(&e, inset, min_edge, 0.1));
  }
  PetscCall(mt_edit_finish(&e, c));
  return 0;
}
