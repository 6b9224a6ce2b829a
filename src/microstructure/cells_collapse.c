/* Merging the two ends of an edge, tried at a few places and taken back where the complex would break or gain nothing.
 */
#include "cells_trial.h"
#include <math.h>
#include <string.h>

/* Renames u to w in a loop; faces that shrink to a line are emptied.  False if the face would meet w twice. */
static bool rename_vertex(MtIntList *loop, int u, int w) {
  int at = mt_list_find(loop, u), other = mt_list_find(loop, w);
  if (at < 0) return true;
  if (other < 0) {
    loop->item[at] = w;
    return true;
  }
  int gap = (at - other + loop->n) % loop->n;
  if (gap != 1 && gap != loop->n - 1) return false;
  memmove(&loop->item[at], &loop->item[at + 1], (size_t)(loop->n - at - 1) * sizeof *loop->item);
  if (--loop->n < 3) loop->n = 0;
  return true;
}

static PetscErrorCode merge(MtEdit *e, int u, int w, const double x[3], const MtTrial *t, bool *ok) {
  *ok = true;
  for (int i = 0; i < t->faces.n; i++) *ok = rename_vertex(&e->loop[t->faces.item[i]], u, w) && *ok;
  memcpy(&e->x[3 * w], x, 3 * sizeof *x);
  e->walls[w] |= e->walls[u];
  e->around[u].n = 0;
  PetscCall(mt_list_copy(&t->faces, &e->around[w]));
  return 0;
}

enum { PLACES = 4 };

/* Where the merged vertex may be: the end with more walls, or, with equal walls, near the planes, between the ends, or
 * at one of them. */
static int places(const MtEdit *e, int u, int w, const MtTrial *t, double x[PLACES][3]) {
  const double *a = &e->x[3 * u], *b = &e->x[3 * w];
  int both = e->walls[u] & e->walls[w], n = 0;
  if (both != e->walls[u] && both != e->walls[w]) return 0;
  if (e->walls[u] == e->walls[w]) {
    for (int k = 0; k < 3; k++) x[1][k] = (a[k] + b[k]) / 2;
    mt_trial_nearest(e, t, both, x[1], x[0]);
    n = 2;
  }
  if (both == e->walls[u]) memcpy(x[n++], b, 3 * sizeof *b);
  if (both == e->walls[w]) memcpy(x[n++], a, 3 * sizeof *a);
  return n;
}

PetscErrorCode mt_edit_collapse(MtEdit *e, int u, int w, const MtLimit *limit, bool *done) {
  MtTrial t;
  const int32_t ends[2] = {u, w};
  double x[PLACES][3], before = mt_edit_lack(e, u, limit) + mt_edit_lack(e, w, limit);
  *done = false;
  PetscCall(mt_trial_begin(e, 2, ends, &t));
  int n = places(e, u, w, &t, x);
  for (int i = 0; i < n && !*done; i++) {
    bool ok;
    PetscCall(merge(e, u, w, x[i], &t, &ok));
    *done = ok && mt_trial_topology(e, w, &t) && mt_trial_geometry(e, &t, limit) && mt_edit_has_room(e, w, limit) &&
            mt_edit_lack(e, w, limit) < before;
    if (*done)
      PetscCall(mt_trial_keep(e, &t));
    else
      PetscCall(mt_trial_take_back(e, &t));
  }
  e->ncollapsed += *done;
  PetscCall(mt_trial_end(&t));
  return 0;
}

/* Without a phase what the edge lacks, nm: the lack at the vertex has it once for each of its grains, and going as far
 * bends faces and takes percents of small grains.  With a phase all that lacks at the vertex: less leaves sharper
 * elements (docs/numerics.md). */
static double slide_reach(const MtEdit *e, int u, int w, const MtLimit *limit, double lack) {
  const double *a = &e->x[3 * u], *b = &e->x[3 * w];
  if (limit->inset > 0) return lack;
  return limit->min_edge - sqrt(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2) + pow(a[2] - b[2], 2));
}

PetscErrorCode mt_edit_slide(MtEdit *e, int u, int w, const MtLimit *limit, bool *done) {
  MtTrial t;
  const int32_t v[1] = {u};
  const double before = mt_edit_lack(e, u, limit), reach = slide_reach(e, u, w, limit, before);
  double away[3], norm = 0;
  for (int k = 0; k < 3; k++) {
    away[k] = e->walls[u] >> (2 * k) & 3 ? 0 : e->x[3 * u + k] - e->x[3 * w + k];
    norm += away[k] * away[k];
  }
  *done = false;
  if (norm == 0) return 0;
  PetscCall(mt_trial_begin(e, 1, v, &t));
  for (double part = 1; part > 0.2 && !*done; part /= 2) {
    for (int k = 0; k < 3; k++) e->x[3 * u + k] += part * 1.2 * reach * away[k] / sqrt(norm);
    *done =
        mt_trial_geometry(e, &t, limit) && mt_edit_has_room(e, u, limit) && mt_edit_lack(e, u, limit) < 0.9 * before;
    if (!*done) PetscCall(mt_trial_take_back(e, &t));
  }
  PetscCall(mt_trial_end(&t));
  return 0;
}
