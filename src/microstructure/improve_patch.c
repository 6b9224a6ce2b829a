/* The tets around nodes that are to move: their least radius ratio, and what forbids a move: a tet pushed below the
 * level aimed at, a layer between two grains that becomes thinner or thicker than allowed, there or on average. */
#include "improve.h"
#include <math.h>
#include <stdlib.h>

static const double mean_part = 1e-3; /* allowed change of the mean thickness */

static int compare_i64(const void *a, const void *b) {
  int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
  return (i > j) - (i < j);
}

/* Area of the face opposite to corner k. */
static double face_area(const double y[4][3], int k) {
  double normal[4][3];
  mt_tet_normals(y, normal);
  return sqrt(normal[k][0] * normal[k][0] + normal[k][1] * normal[k][1] + normal[k][2] * normal[k][2]) / 2;
}

void mt_patch_layer(const MtImprove *w, const MtPatch *p, double *volume, double *contact) {
  *volume = *contact = 0;
  for (int i = 0; i < p->n; i++) {
    double y[4][3];
    if (w->m->regions.kind[w->m->region[p->tet[i]]] != MT_REGION_GB) continue;
    mt_improve_corners(w, p->tet[i], y);
    *volume += mt_tet_volume((const double(*)[3])y);
    for (int k = 0; k < 4; k++)
      if (p->contact[i] & 1u << k) *contact += face_area((const double(*)[3])y, k);
  }
}

static double ratio_of(const MtImprove *w, int64_t t) {
  double y[4][3];
  mt_improve_corners(w, t, y);
  const double g = mt_tet_gamma((const double(*)[3])y);
  return g < 0 ? -sqrt(-g) : sqrt(g);
}

bool mt_patch_make(const MtImprove *w, int n, const int64_t *node, double level, MtPatch *p) {
  int64_t all[2 * MT_PATCH_MAX];
  int count = 0;
  p->n = 0, p->level = level;
  for (int i = 0; i < n; i++)
    for (int64_t k = w->start[node[i]]; k < w->start[node[i] + 1]; k++) {
      if (count == 2 * MT_PATCH_MAX) return false;
      all[count++] = w->list[k];
    }
  /* cppcheck-suppress uninitvar ; the first `count` are filled */
  qsort(all, (size_t)count, sizeof *all, compare_i64);
  for (int i = 0; i < count; i++) {
    if (i > 0 && all[i] == all[i - 1]) continue;
    if (p->n == MT_PATCH_MAX) return false;
    p->tet[p->n] = all[i];
    p->shape[p->n] = mt_improve_shape(w, all[i]);
    p->ratio[p->n] = w->angle > 0 ? ratio_of(w, all[i]) : p->shape[p->n];
    p->contact[p->n++] = (unsigned char)mt_improve_contact(w, all[i]);
  }
  mt_patch_layer(w, p, &p->volume, &p->contact_area);
  return true;
}

static double height(const double *x, const int64_t *t, int k) {
  double y[4][3];
  for (int i = 0; i < 12; i++) y[i / 3][i % 3] = x[3 * t[i / 3] + i % 3];
  double area = face_area((const double(*)[3])y, k);
  return area > 0 ? 3 * mt_tet_volume((const double(*)[3])y) / area : 0;
}

static bool height_allowed(const MtImprove *w, int64_t t, int k) {
  double now = height(w->m->x, w->m->tet + 4 * t, k), old = height(w->x0, w->m->tet + 4 * t, k);
  double most = fmax((1 + w->height_part) * old, mt_improve_layer(w, w->m->region[t])),
         least = old > 0 ? (1 - w->height_part) * old : old;
  return now <= most && now >= least; /* a layer that was too thin may grow */
}

static bool mean_allowed(const MtImprove *w, const MtPatch *p) {
  double volume, contact;
  mt_patch_layer(w, p, &volume, &contact);
  double v = w->volume + volume - p->volume, a = w->contact + contact - p->contact_area;
  return !(w->thickness0 > 0) || fabs(2 * v / a / w->thickness0 - 1) <= mean_part;
}

double mt_patch_value(const MtImprove *w, const MtPatch *p, double floor) {
  const double kept = w->least_ratio > 0 ? sqrt(w->least_ratio) : p->level;
  double least = 1;
  bool layer = false;
  for (int i = 0; i < p->n; i++) {
    double q = mt_improve_shape(w, p->tet[i]);
    if (!(q > floor) || (q < p->level && p->shape[i] >= p->level)) return -INFINITY;
    if (w->angle > 0 && ratio_of(w, p->tet[i]) < fmin(kept, p->ratio[i])) return -INFINITY;
    least = fmin(least, q);
    layer = layer || p->contact[i];
  }
  for (int i = 0; i < p->n && layer; i++)
    for (int k = 0; k < 4; k++)
      if (p->contact[i] & 1u << k && !height_allowed(w, p->tet[i], k)) return -INFINITY;
  return layer && !mean_allowed(w, p) ? -INFINITY : least;
}
