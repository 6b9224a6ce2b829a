/* Thin corners of faces: a vertex z close to an edge u-w that starts at its neighbour w.  The vertex takes a place in
 * the edge: the face loses w, the other faces around u-w get z between the two.  A triangle vanishes altogether. */
#include "cells_internal.h"
#include "cells_trial.h"
#include <math.h>
#include <string.h>

double mt_edit_inset_height(const MtEdit *e, int face, int i, int j, int g, double inset) {
  const MtIntList *loop = &e->loop[face];
  const int32_t v[3] = {loop->item[i], loop->item[j], loop->item[(j + 1) % loop->n]};
  double y[3][3], area[3], up[3], norm = 0, height = 0, along = 0, length2 = 0;
  mt_loop_area(e->x, loop->n, loop->item, area);
  for (int m = 0; m < 3; m++) {
    mt_edit_inset(e, v[m], g, inset, y[m]);
    for (int k = 0; k < 3; k++) y[m][k] += e->x[3 * v[m] + k];
  }
  for (int k = 0; k < 3; k++) {
    int p = (k + 1) % 3, q = (k + 2) % 3;
    up[k] = area[p] * (y[2][q] - y[1][q]) - area[q] * (y[2][p] - y[1][p]); /* into the face */
    norm += up[k] * up[k];
    along += (y[0][k] - y[1][k]) * (y[2][k] - y[1][k]);
    length2 += (y[2][k] - y[1][k]) * (y[2][k] - y[1][k]);
  }
  for (int k = 0; k < 3; k++) height += (y[0][k] - y[1][k]) * up[k] / sqrt(norm);
  return along >= 0 && along <= length2 ? height : INFINITY;
}

static PetscErrorCode insert_between(MtIntList *loop, int32_t u, int32_t w, int32_t z, bool *inserted) {
  *inserted = false;
  for (int i = 0; i < loop->n && !*inserted; i++) {
    int32_t p = loop->item[i], q = loop->item[(i + 1) % loop->n];
    if (!((p == u && q == w) || (p == w && q == u))) continue;
    PetscCall(mt_list_add(loop, z));
    memmove(&loop->item[i + 2], &loop->item[i + 1], (size_t)(loop->n - i - 2) * sizeof *loop->item);
    loop->item[i + 1] = z;
    *inserted = true;
  }
  return 0;
}

static void drop(MtIntList *l, int32_t item) {
  int at = mt_list_find(l, item);
  if (at < 0) return;
  memmove(&l->item[at], &l->item[at + 1], (size_t)(l->n - at - 1) * sizeof *l->item);
  l->n--;
}

/* z takes the place x in the edge u-w, seen from `face`, in which z and w are neighbours. */
static PetscErrorCode put_between(MtEdit *e, int face, int32_t u, int32_t w, int32_t z, const double x[3],
                                  const MtTrial *t, bool *ok) {
  *ok = true;
  drop(&e->loop[face], w);
  drop(&e->around[w], face);
  if (e->loop[face].n < 3) {
    e->loop[face].n = 0;
    drop(&e->around[u], face);
    drop(&e->around[z], face);
  }
  for (int i = 0; i < t->faces.n; i++) {
    bool inserted;
    int f = t->faces.item[i];
    if (f == face) continue;
    bool has_z = mt_list_find(&e->loop[f], z) >= 0;
    PetscCall(insert_between(&e->loop[f], u, w, z, &inserted));
    if (inserted) PetscCall(mt_list_add(&e->around[z], f));
    *ok = *ok && !(inserted && has_z);
  }
  memcpy(&e->x[3 * z], x, 3 * sizeof *x);
  e->walls[z] |= e->walls[u] & e->walls[w];
  return 0;
}

static void foot(const double *a, const double *b, const double *z, double x[3]) {
  double along = 0, length2 = 0;
  for (int k = 0; k < 3; k++) {
    along += (z[k] - a[k]) * (b[k] - a[k]);
    length2 += (b[k] - a[k]) * (b[k] - a[k]);
  }
  for (int k = 0; k < 3; k++) x[k] = a[k] + along / length2 * (b[k] - a[k]);
}

enum { PLACES = 3 };

/* On the edge, at the vertex, or between, as the walls allow. */
static int places(const MtEdit *e, int32_t u, int32_t w, int32_t z, double x[PLACES][3]) {
  int edge = e->walls[u] & e->walls[w], n = 0;
  double at[3];
  if ((edge & e->walls[z]) != edge && (edge & e->walls[z]) != e->walls[z]) return 0;
  foot(&e->x[3 * u], &e->x[3 * w], &e->x[3 * z], at);
  if (edge == e->walls[z]) {
    for (int k = 0; k < 3; k++) x[n][k] = (at[k] + e->x[3 * z + k]) / 2;
    n++;
  }
  if ((edge & e->walls[z]) == e->walls[z]) memcpy(x[n++], at, sizeof at);
  if ((edge & e->walls[z]) == edge) memcpy(x[n++], &e->x[3 * z], sizeof at);
  return n;
}

static bool holds(const MtEdit *e, const int32_t v[3], const MtTrial *t, const MtLimit *limit, double before) {
  double after = 0;
  for (int k = 0; k < 3; k++)
    if (!mt_trial_topology(e, v[k], t) || !mt_edit_has_room(e, v[k], limit)) return false;
  for (int k = 0; k < 3; k++) after += mt_edit_lack(e, v[k], limit);
  return after <= before && mt_trial_geometry(e, t, limit);
}

PetscErrorCode mt_edit_split(MtEdit *e, int face, int i, int j, const MtLimit *limit, bool *done) {
  const MtIntList *loop = &e->loop[face];
  int n = loop->n, next = (j + 1) % n;
  bool after_w = i == (next + 1) % n; /* z follows the edge, else it comes before it */
  const int32_t z = loop->item[i], u = loop->item[after_w ? j : next], w = loop->item[after_w ? next : j];
  const int32_t v[3] = {z, u, w};
  MtTrial t;
  double x[PLACES][3], before = 0;
  for (int k = 0; k < 3; k++) before += mt_edit_lack(e, v[k], limit);
  *done = false;
  PetscCall(mt_trial_begin(e, 3, v, &t));
  int nplaces = places(e, u, w, z, x);
  for (int k = 0; k < nplaces && !*done; k++) {
    bool ok;
    PetscCall(put_between(e, face, u, w, z, x[k], &t, &ok));
    *done = ok && holds(e, v, &t, limit, before);
    if (*done)
      PetscCall(mt_trial_keep(e, &t));
    else
      PetscCall(mt_trial_take_back(e, &t));
  }
  PetscCall(mt_trial_end(&t));
  return 0;
}
