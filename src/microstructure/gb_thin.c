/* Where the geometry leaves no room for the full thickness the layer is thinned: around the place all copies go back
 * towards the surface before the inset, by a part of their way that recovers with the distance.  The way back of a copy
 * stays inside its grain where that is convex, and at its end is the original surface, which is valid. */
#include "gb_fill.h"
#include "gb_measure.h"
#include <math.h>
#include <stdlib.h>

/* Of the scale at a place: carefully at first, then in few steps; at the least scale a place is left as it is. */
static const double thinner = 0.75, much_thinner = 0.5, careful = 0.6, least_scale = 0.04;
/* The scale recovers over so many thicknesses, or lengths of what the copies there have moved if these are more: a
 * steeper scale would fold the surface itself. */
static const double reach_thickness = 2, reach_moved = 2.5, most_reach = 4;

typedef struct {
  double x[3], scale, reach; /* nm; scale wanted there */
} Place;

typedef struct {
  int n, room;
  Place *place;
} Places;

static double distance(const double *a, const double *b) {
  return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

static void normal_of(const double *a, const double *b, const double *c, double n[3]) {
  double u[3], v[3];
  for (int k = 0; k < 3; k++) u[k] = b[k] - a[k], v[k] = c[k] - a[k];
  n[0] = u[1] * v[2] - u[2] * v[1], n[1] = u[2] * v[0] - u[0] * v[2], n[2] = u[0] * v[1] - u[1] * v[0];
}

double mt_triangle_gamma(const double a[3], const double b[3], const double c[3]) {
  double n[3], x = distance(b, c), y = distance(c, a), z = distance(a, b);
  normal_of(a, b, c, n);
  double area = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) / 2;
  return x * y * z > 0 ? 16 * area * area / (x * y * z * (x + y + z)) : 0; /* 2 r_in / r_circ */
}

/* The place of n copies (-1: none) that are in each other's way. */
static PetscErrorCode place_add(const MtSurface *s, const MtCopies *q, int n, const int32_t *copy, Places *p) {
  Place at = {{0, 0, 0}, 1, 0};
  double thickness = 0;
  int count = 0;
  for (int i = 0; i < n && copy[i] >= 0; i++) thickness = fmax(thickness, mt_copies_asked(s, q, q->node[copy[i]]));
  at.reach = reach_thickness * thickness;
  if (p->n == p->room) {
    p->room = 2 * p->room + 64;
    PetscCall(PetscRealloc((size_t)p->room * sizeof *p->place, &p->place));
  }
  for (int i = 0; i < n && copy[i] >= 0; i++, count++) {
    const int32_t node = q->node[copy[i]];
    for (int k = 0; k < 3; k++) at.x[k] += s->x[3 * node + k];
    at.scale = fmin(at.scale, q->scale[node]);
    at.reach = fmax(at.reach, reach_moved * distance(q->full + 3 * copy[i], s->x + 3 * node));
  }
  for (int k = 0; k < 3; k++) at.x[k] /= count;
  at.scale = fmax((at.scale > careful ? thinner : much_thinner) * at.scale, least_scale);
  at.reach = fmin(at.reach, most_reach * thickness);
  p->place[p->n++] = at;
  return 0;
}

static void rescale(const MtSurface *s, int v, double scale, MtCopies *q) {
  for (int i = q->first_copy[v]; i < q->first_copy[v + 1]; i++)
    for (int k = 0; k < 3; k++) {
      double x0 = s->x[3 * v + k]; /* where a copy has not moved it keeps its bits: walls */
      q->x[3 * i + k] = x0 + scale * (q->full[3 * i + k] - x0);
    }
  q->scale[v] = scale;
}

/* *nthinned: nodes whose layer became thinner. */
static PetscErrorCode places_apply(const MtSurface *s, Places *p, MtCopies *q, int *nthinned) {
  *nthinned = 0;
  for (int v = 0; v < s->nv && p->n > 0; v++) {
    double scale = q->scale[v];
    for (int i = 0; i < p->n; i++) {
      const Place *at = p->place + i;
      double r = distance(s->x + 3 * v, at->x) / at->reach;
      if (r < 1) scale = fmin(scale, at->scale + (1 - at->scale) * r);
    }
    if (scale < q->scale[v]) rescale(s, v, scale, q), (*nthinned)++;
  }
  return PetscFree(p->place);
}

/* ---- what is bad in the layer */

static PetscErrorCode bad_items(const MtLayer *l, const MtLayerItems *items, bool (*bad)(const MtLayer *, int),
                                Places *p) {
  for (int i = 0; i < items->n; i++)
    if (bad(l, i)) PetscCall(place_add(l->s, l->q, items->per, items->copy + (size_t)items->per * (size_t)i, p));
  return 0;
}

PetscErrorCode mt_thin_folds(const MtLayer *l, MtCopies *q, int *nbad, int *nthinned) {
  Places p = {0, 0, NULL};
  PetscCall(bad_items(l, &l->tet, mt_layer_tet_bad, &p));
  PetscCall(bad_items(l, &l->tri, mt_layer_triangle_bad, &p));
  PetscCall(bad_items(l, &l->hinge, mt_layer_hinge_bad, &p));
  *nbad = p.n;
  return places_apply(l->s, &p, q, nthinned);
}

/* ---- grains that were not filled */

PetscErrorCode mt_thin_failed(const MtCells *c, const MtSurface *s, const int *failed, MtCopies *q, int *nthinned) {
  Places p = {0, 0, NULL};
  for (int k = 0; k < c->ngrains; k++) {
    MtShell shell;
    int32_t *copy;
    int ncuts, *cut;
    if (!failed[k]) continue;
    PetscCall(mt_grain_shell(c, s, q, k, &shell, &copy));
    mt_shell_cuts(&shell, &cut, &ncuts);
    for (int i = 0; i < ncuts; i++) {
      int32_t six[6];
      for (int j = 0; j < 6; j++) six[j] = copy[shell.tri[3 * cut[2 * i + j / 3] + j % 3]];
      PetscCall(place_add(s, q, 6, six, &p));
    }
    for (int i = 0; i < shell.nx && ncuts == 0; i++) /* nowhere: the whole grain */
      PetscCall(place_add(s, q, 1, copy + i, &p));
    mt_shell_free(&shell), free(copy), free(cut);
  }
  return places_apply(s, &p, q, nthinned);
}
