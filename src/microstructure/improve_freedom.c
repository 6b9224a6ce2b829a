/* What a node may do, read from the mesh itself: faces with air on one side only, or with nothing behind them, are the
 * outer boundary: in a wall of the magnet's box their nodes slide, elsewhere (the sphere) they stay.  Faces of a grain
 * are kept in their plane: a node in one plane slides in it, on an edge along it, at a corner it stays; so the grains
 * and the thickness of the layer between them do not change.  A loose node may leave the plane by a part of the layer.
 */
#include "improve.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double angles_from = 0.35; /* gamma below which angles are looked at */
static const double same_plane = 1e-6;  /* sine of the angle under which normals count as one */
static const int side[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};

PetscErrorCode mt_improve_lists(MtImprove *w) {
  const MtMeshData *m = w->m;
  free(w->start), free(w->list);
  w->start = calloc((size_t)m->nv + 2, sizeof *w->start);
  w->list = malloc((4 * (size_t)m->nt + 1) * sizeof *w->list);
  if (!w->start || !w->list) return PETSC_ERR_MEM;
  for (int64_t i = 0; i < 4 * m->nt; i++) w->start[m->tet[i] + 2]++;
  for (int64_t v = 0; v < m->nv; v++) w->start[v + 2] += w->start[v + 1];
  for (int64_t i = 0; i < 4 * m->nt; i++) w->list[w->start[m->tet[i] + 1]++] = i / 4;
  return 0;
}

double mt_improve_layer(const MtImprove *w, int32_t region) {
  const double *asked = w->m->regions.thickness;
  return asked && w->layers > 0 ? asked[region] / w->layers : w->layer;
}

void mt_improve_corners(const MtImprove *w, int64_t t, double y[4][3]) {
  for (int i = 0; i < 4; i++) memcpy(y[i], w->m->x + 3 * w->m->tet[4 * t + i], 3 * sizeof(double));
}

/* Least sine of the six dihedral angles. */
static double least_sine(const double y[4][3]) {
  double normal[4][3], length2[4], most = 0;
  mt_tet_normals(y, normal);
  for (int k = 0; k < 4; k++)
    length2[k] = normal[k][0] * normal[k][0] + normal[k][1] * normal[k][1] + normal[k][2] * normal[k][2];
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < i; j++) {
      const double c = normal[i][0] * normal[j][0] + normal[i][1] * normal[j][1] + normal[i][2] * normal[j][2];
      most = fmax(most, c * c / (length2[i] * length2[j]));
    }
  return sqrt(fmax(0, 1 - most));
}

double mt_improve_shape_of(const MtImprove *w, const double y[4][3]) {
  const double g = mt_tet_gamma(y), ratio = g < 0 ? -sqrt(-g) : sqrt(g);
  return w->angle > 0 && g > 0 && g < angles_from ? fmin(w->scale * ratio, w->angle * least_sine(y)) : ratio;
}

double mt_improve_shape(const MtImprove *w, int64_t t) {
  double y[4][3];
  mt_improve_corners(w, t, y);
  return mt_improve_shape_of(w, (const double(*)[3])y);
}

static bool holds(const int64_t *t, int64_t v) {
  return t[0] == v || t[1] == v || t[2] == v || t[3] == v;
}

int64_t mt_improve_behind(const MtImprove *w, int64_t t, int k) {
  const int64_t *v = w->m->tet + 4 * t, a = v[side[k][0]], b = v[side[k][1]], c = v[side[k][2]];
  for (int64_t i = w->start[a]; i < w->start[a + 1]; i++) {
    int64_t other = w->list[i];
    const int64_t *u = w->m->tet + 4 * other;
    if (other != t && holds(u, b) && holds(u, c)) return other;
  }
  return -1;
}

unsigned mt_improve_contact(const MtImprove *w, int64_t t) {
  const MtRegions *r = &w->m->regions;
  unsigned faces = 0;
  if (r->kind[w->m->region[t]] != MT_REGION_GB) return 0;
  for (int k = 0; k < 4; k++) {
    int64_t other = mt_improve_behind(w, t, k);
    if (other >= 0 && mt_region_is_grain(r->kind[w->m->region[other]])) faces |= 1u << k;
  }
  return faces;
}

/* ---- directions */

/* Takes the part of v along the n unit vectors u away; returns what is left of its length, relative. */
static double residual(int n, double u[][3], double v[3]) {
  double before = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  for (int i = 0; i < n; i++) {
    double part = u[i][0] * v[0] + u[i][1] * v[1] + u[i][2] * v[2];
    for (int k = 0; k < 3; k++) v[k] -= part * u[i][k];
  }
  double after = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  for (int k = 0; k < 3 && after > 0; k++) v[k] /= after;
  return before > 0 ? after / before : 0;
}

static void face_normal(const double *x, const int64_t *t, int k, double n[3]) {
  const double *a = x + 3 * t[side[k][0]], *b = x + 3 * t[side[k][1]], *c = x + 3 * t[side[k][2]];
  double u[3], v[3];
  for (int i = 0; i < 3; i++) u[i] = b[i] - a[i], v[i] = c[i] - a[i];
  n[0] = u[1] * v[2] - u[2] * v[1], n[1] = u[2] * v[0] - u[0] * v[2], n[2] = u[0] * v[1] - u[1] * v[0];
}

/* Bit of the coordinate that a face in a wall has in common with it, 8 for a face elsewhere. */
static unsigned wall_of(const MtMeshData *m, const int64_t *t, int k) {
  for (int wall = 0; wall < 6; wall++) {
    bool all = true;
    for (int i = 0; i < 3; i++) all = all && m->x[3 * t[side[k][i]] + wall % 3] == m->magnet_box[wall];
    if (all) return 1u << wall % 3;
  }
  return 8;
}

/* Walls as a mask; normals of grain surfaces as they were at first, without the part along the walls. */
static unsigned surfaces_of(const MtImprove *w, int64_t v, double closed[3][3], int *n, int *nwalls) {
  double normal[128][3];
  int count = 0;
  unsigned walls = 0;
  for (int64_t i = w->start[v]; i < w->start[v + 1]; i++) {
    int64_t t = w->list[i];
    const int64_t *c = w->m->tet + 4 * t;
    for (int k = 0; k < 4; k++) {
      if (c[k] == v) continue;
      int64_t other = mt_improve_behind(w, t, k);
      int32_t g = w->group[w->m->region[t]], h = other < 0 ? -3 : w->group[w->m->region[other]];
      if (g == h) continue;
      if (g < -1 || h < -1)
        walls |= wall_of(w->m, c, k);
      else if (count < 128)
        face_normal(w->x0, c, k, normal[count++]);
      else
        walls |= 8;
    }
  }
  *n = 0;
  for (int k = 0; k < 3; k++)
    if (walls & 1u << k) memset(closed[*n], 0, 3 * sizeof(double)), closed[(*n)++][k] = 1;
  *nwalls = *n;
  for (int i = 0; i < count && *n < 3; i++)
    if (residual(*n, closed, normal[i]) > same_plane) memcpy(closed[(*n)++], normal[i], sizeof normal[i]);
  return walls;
}

static double thinnest_around(const MtImprove *w, int64_t v) {
  double least = w->layer;
  for (int64_t i = w->start[v]; i < w->start[v + 1] && w->m->regions.thickness; i++) {
    const int32_t region = w->m->region[w->list[i]];
    if (w->m->regions.kind[region] == MT_REGION_GB) least = fmin(least, mt_improve_layer(w, region));
  }
  return least;
}

void mt_improve_freedom(const MtImprove *w, int64_t v, bool loose, MtFreedom *f) {
  double taken[3][3], closed[3][3];
  int n, nwalls;
  memset(f, 0, sizeof *f);
  f->layer = thinnest_around(w, v);
  if (surfaces_of(w, v, closed, &n, &nwalls) & 8) return;
  for (int i = nwalls; i < n; i++) memcpy(f->normal[f->nnormal++], closed[i], sizeof closed[i]);
  int ntaken = loose && w->layer > 0 ? nwalls : n;
  memcpy(taken, closed, sizeof closed);
  while (ntaken < 3) { /* the axis that has most left */
    double best[3] = {0, 0, 0}, most = 0;
    for (int k = 0; k < 3; k++) {
      double e[3] = {k == 0, k == 1, k == 2}, left = residual(ntaken, taken, e);
      if (left > most) most = left, memcpy(best, e, sizeof e);
    }
    memcpy(taken[ntaken++], best, sizeof best);
    memcpy(f->d[f->n++], best, sizeof best);
  }
}

bool mt_improve_near(const MtImprove *w, int64_t v, const MtFreedom *f) {
  double off2 = 0, most = w->off_part * f->layer;
  for (int i = 0; i < f->nnormal; i++) {
    double part = 0;
    for (int k = 0; k < 3; k++) part += f->normal[i][k] * (w->m->x[3 * v + k] - w->x0[3 * v + k]);
    off2 += part * part;
  }
  return off2 <= most * most + 1e-16;
}
