/* The finished mesh improved where it is worst: for rising levels of the radius ratio and the angles, the nodes of
 * every tet below the level are moved one by one, tets inside a grain or the air are swapped, and what is still bad is
 * moved together with the nodes around it; last, nodes of grain surfaces may leave their plane by little.  Serial, in
 * the order of the tets' shapes and ids: the same bits for any number of ranks. */
#include "improve.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 4, FLOORS = 3, BOUNDS = 3, ROUNDS = 6 };
static const double levels[LEVELS] = {0.05, 0.1, 0.15, 0.2}; /* radius ratio */
static const double floors[FLOORS] = {0.2, 0.15, 0.12};      /* radius ratio that an angle must leave */
static const double off_parts[BOUNDS] = {0.15, 0.25, 0.35};  /* of a layer, as much as will do */
static const double height_parts[BOUNDS] = {0.25, 0.4, 0.5}; /* of a layer's height */
static const double least_angle = 8.5;                       /* deg, aimed at; 8 is promised */
static const double own_part = 0.4;   /* of the angle of a layer's prism over a triangle of the asked size */
static const double looked_at = 0.36; /* gamma above which a tet is below no level and has no bad angle */
static const double counted[3] = {0.05, 0.1, 0.15};

typedef struct {
  double shape;
  int64_t tet;
} Bad;

static int compare_bad(const void *a, const void *b) {
  const Bad *p = a, *q = b;
  if (p->shape != q->shape) return p->shape < q->shape ? -1 : 1;
  return (p->tet > q->tet) - (p->tet < q->tet);
}

static void suspect_add(MtImprove *w, int64_t t) {
  if (w->suspected[t]) return;
  w->suspected[t] = 1;
  if (w->nsuspects == w->room) {
    w->room = 2 * w->room + 1024;
    w->suspects = mt_realloc(w->suspects, (size_t)w->room * sizeof *w->suspects);
  }
  w->suspects[w->nsuspects++] = t;
}

void mt_improve_suspect(MtImprove *w, int64_t v) {
  for (int64_t i = w->start[v]; i < w->start[v + 1] && w->nsuspects >= 0; i++) suspect_add(w, w->list[i]);
}

/* All that a level or the angles may look at; afterwards only what has moved joins them. */
static void suspects_find(MtImprove *w) {
  free(w->suspected);
  w->suspected = mt_calloc((size_t)w->m->nt + 1, 1);
  w->nsuspects = 0;
  for (int64_t t = 0; t < w->m->nt; t++) {
    double y[4][3];
    mt_improve_corners(w, t, y);
    if (!(mt_tet_gamma((const double(*)[3])y) >= looked_at)) suspect_add(w, t);
  }
}

/* Tets below the level, the worst first; *list from malloc. */
static void find_bad(MtImprove *w, double level, int64_t **list, int64_t *n) {
  if (w->nsuspects < 0) suspects_find(w);
  Bad *bad = mt_malloc(((size_t)w->nsuspects + 1) * sizeof *bad);
  *n = 0;
  for (int64_t i = 0; i < w->nsuspects; i++) {
    double q = mt_improve_shape(w, w->suspects[i]);
    if (!(q >= level)) bad[(*n)++] = (Bad){q, w->suspects[i]};
  }
  *list = mt_malloc(((size_t)*n + 1) * sizeof **list);
  qsort(bad, (size_t)*n, sizeof *bad, compare_bad);
  for (int64_t i = 0; i < *n; i++) (*list)[i] = bad[i].tet;
  free(bad);
}

static int64_t move_bad(MtImprove *w, int64_t n, const int64_t *tet, double level, bool loose, MtPatch *p) {
  int64_t moved = 0;
  for (int64_t i = 0; i < n; i++)
    if (mt_improve_shape(w, tet[i]) < level) moved += mt_improve_nodes(w, tet[i], level, loose, p);
  for (int rings = 1; rings <= 2; rings++)
    for (int64_t i = 0; i < n; i++)
      if (mt_improve_shape(w, tet[i]) < level) moved += mt_improve_together(w, tet[i], level, loose, rings, p);
  return moved;
}

/* One round; *changes counts what was done. */
static PetscErrorCode round_of(MtImprove *w, double level, bool loose, MtPatch *p, int64_t *changes) {
  int64_t *bad, n, swaps = 0;
  find_bad(w, level, &bad, &n);
  *changes = move_bad(w, n, bad, level, loose, p);
  free(bad);
  find_bad(w, level, &bad, &n);
  PetscErrorCode rc = mt_improve_swap(w, n, bad, &swaps);
  *changes += swaps;
  free(bad);
  return rc;
}

static PetscErrorCode improve_level(MtImprove *w, double level, MtPatch *p) {
  for (int loose = 0; loose < 2; loose++) {
    int64_t changes = 1;
    for (int k = 0; k < ROUNDS && changes > 0; k++) {
      PetscErrorCode rc = round_of(w, level, loose, p, &changes);
      if (rc) return rc;
    }
  }
  return 0;
}

/* Prisms of a flat layer have small angles by themselves, which no movement of nodes mends. */
static double angle_wanted(const MtImprove *w) {
  const double height = sqrt(3) / 2 * w->m->size,
               own = w->layer > 0 && height > 0 ? atan(w->layer / height) : MT_PI / 2;
  return fmin(least_angle * MT_PI / 180, own_part * own);
}

static void bounds_set(MtImprove *w, int k) {
  w->off_part = off_parts[k], w->height_part = height_parts[k];
}

static PetscErrorCode improve_angles(MtImprove *w, double floor, MtPatch *p) {
  const double last = sqrt(levels[LEVELS - 1]);
  w->least_ratio = floor;
  w->scale = last / sqrt(floor);
  return improve_level(w, last, p);
}

/* Radius ratios and angles together for rising levels; then angles that still lack, for which radius ratios are given
 * up down to a floor, and last the layer's height around them. */
static PetscErrorCode improve_all(MtImprove *w, MtPatch *p) {
  PetscErrorCode rc = 0;
  bounds_set(w, 0);
  w->angle = sqrt(levels[LEVELS - 1]) / sin(angle_wanted(w));
  w->scale = 1;
  for (int l = 0; l < LEVELS && !rc; l++) rc = improve_level(w, sqrt(levels[l]), p);
  for (int k = 0; k < FLOORS && !rc; k++) rc = improve_angles(w, floors[k], p);
  for (int k = 1; k < BOUNDS && !rc; k++) {
    bounds_set(w, k);
    rc = improve_angles(w, floors[FLOORS - 1], p);
  }
  w->angle = 0;
  return rc;
}

/* ---- before and after */

static void groups_make(const MtRegions *r, int32_t *group) {
  for (int i = 0; i < r->n; i++) group[i] = mt_region_is_grain(r->kind[i]) ? i : r->kind[i] == MT_REGION_AIR ? -2 : -1;
}

static void layer_measure(MtImprove *w) {
  MtPatch p;
  p.n = 1;
  for (int64_t t = 0; t < w->m->nt; t++) {
    double volume, contact;
    p.tet[0] = t, p.contact[0] = (unsigned char)mt_improve_contact(w, t);
    mt_patch_layer(w, &p, &volume, &contact);
    w->volume += volume, w->contact += contact;
  }
  w->thickness0 = w->contact > 0 ? 2 * w->volume / w->contact : 0;
}

static void quality(const MtImprove *w, int64_t below[3], int64_t *inverted, double *least) {
  memset(below, 0, 3 * sizeof *below);
  *inverted = 0, *least = 1;
  for (int64_t t = 0; t < w->m->nt; t++) {
    double q = mt_improve_shape(w, t), g = q * fabs(q);
    for (int i = 0; i < 3; i++) below[i] += g < counted[i];
    *inverted += !(g > 0);
    *least = fmin(*least, g);
  }
}

static void movements(const MtImprove *w, MtImproved *done) {
  for (int64_t v = 0; v < w->m->nv; v++) {
    MtFreedom f;
    double d[3], len = 0, off = 0;
    for (int k = 0; k < 3; k++) d[k] = w->m->x[3 * v + k] - w->x0[3 * v + k], len += d[k] * d[k];
    if (len == 0) continue;
    mt_improve_freedom(w, v, false, &f);
    for (int i = 0; i < f.nnormal; i++) {
      double part = d[0] * f.normal[i][0] + d[1] * f.normal[i][1] + d[2] * f.normal[i][2];
      off += part * part;
    }
    done->moved++;
    done->surface_moved += off > 1e-16;
    done->largest = fmax(done->largest, sqrt(len));
    done->largest_normal = fmax(done->largest_normal, sqrt(off));
  }
}

static PetscErrorCode improve(MtImprove *w, MtPatch *p, MtImproved *done) {
  groups_make(&w->m->regions, w->group);
  memcpy(w->x0, w->m->x, 3 * (size_t)w->m->nv * sizeof *w->x0);
  PetscErrorCode rc = mt_improve_lists(w);
  if (rc) return rc;
  layer_measure(w);
  quality(w, done->below_before, &done->inverted_before, &done->gamma_before);
  rc = improve_all(w, p);
  if (rc) return rc;
  quality(w, done->below_after, &done->inverted_after, &done->gamma_after);
  movements(w, done);
  done->swaps = w->swaps;
  if (w->thickness0 > 0) done->thickness_change = 2 * w->volume / w->contact / w->thickness0 - 1;
  return 0;
}

PetscErrorCode mt_mesh_improve(MtMeshData *m, int layers, MtImproved *done) {
  MtImprove w = {.m = m, .layers = layers, .nsuspects = -1, .layer = layers > 0 ? m->gb_thickness / layers : 0};
  MtPatch *p = malloc(sizeof *p);
  memset(done, 0, sizeof *done);
  w.x0 = malloc((3 * (size_t)m->nv + 1) * sizeof *w.x0);
  w.group = malloc(((size_t)m->regions.n + 1) * sizeof *w.group);
  PetscErrorCode rc = p && w.x0 && w.group ? improve(&w, p, done) : PETSC_ERR_MEM;
  free(p), free(w.x0), free(w.group), free(w.start), free(w.list), free(w.suspects), free(w.suspected);
  if (rc) return mt_error(MT_ERR_FAIL, "out of memory while the mesh was improved (%lld tets)", (long long)m->nt);
  return 0;
}

void mt_improve_write(const MtImproved *d, MtJson *json) {
  static const char *const below[3] = {"gamma_below_0.05", "gamma_below_0.10", "gamma_below_0.15"};
  mt_log("mesh improved: least gamma %.3f -> %.3f, tets below 0.05: %lld -> %lld, below 0.15: %lld -> %lld; %lld nodes "
         "moved by up to %.3g nm "
         "(%lld off a grain's surface, up to %.2g nm), %lld swaps, thickness %+.3f %%",
         d->gamma_before, d->gamma_after, (long long)d->below_before[0], (long long)d->below_after[0],
         (long long)d->below_before[2], (long long)d->below_after[2], (long long)d->moved, d->largest,
         (long long)d->surface_moved, d->largest_normal, (long long)d->swaps, 100 * d->thickness_change);
  mt_json_object(json, "improvement");
  mt_json_real(json, "gamma_min_before", d->gamma_before);
  mt_json_real(json, "gamma_min", d->gamma_after);
  for (int i = 0; i < 3; i++) {
    mt_json_array(json, below[i]);
    mt_json_int(json, NULL, d->below_before[i]);
    mt_json_int(json, NULL, d->below_after[i]);
    mt_json_end(json);
  }
  mt_json_int(json, "inverted_before", d->inverted_before);
  mt_json_int(json, "inverted", d->inverted_after);
  mt_json_int(json, "nodes_moved", d->moved);
  mt_json_quantity(json, "largest_movement", d->largest, "nm");
  mt_json_int(json, "nodes_off_surface", d->surface_moved);
  mt_json_quantity(json, "largest_off_surface", d->largest_normal, "nm");
  mt_json_int(json, "swaps", d->swaps);
  mt_json_real(json, "thickness_change", d->thickness_change);
  mt_json_end(json);
}
