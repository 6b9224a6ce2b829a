/* Pockets: around a triple line or a junction the planes of its grains are set back further, by b at the line, linearly
 * less up to the reach w of the pocket.  With b = w (f.u)/|u|^2, u the displacement of the grain's corner for an inset
 * of one, f the direction of its faces away from the line, the corner is cut off by a plane through the points at w:
 * the section of a line's pocket is the polygon of these points. */
#include "gb_pockets.h"
#include "cells_internal.h"
#include "magtwin/error.h"
#include "magtwin/random.h"
#include <math.h>
#include <stdlib.h>

static double dot(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* ---- sites */

typedef struct {
  double draw;
  int32_t site;
} Candidate;

static int by_draw(const void *a, const void *b) {
  const Candidate *p = a, *q = b;
  if (p->draw != q->draw) return p->draw < q->draw ? -1 : 1;
  return p->site - q->site;
}

static int by_site(const void *a, const void *b) {
  return *(const int32_t *)a - *(const int32_t *)b;
}

static int vertex_grains(const MtTopology *t, int v, int32_t g[MT_GB_MAX_RING]) {
  int n = 0;
  for (int i = t->vertex_edge_start[v]; i < t->vertex_edge_start[v + 1]; i++) {
    const int e = t->vertex_edge[i];
    for (int j = t->ring_start[e]; j < t->ring_start[e + 1]; j++) {
      int k = 0;
      while (k < n && g[k] != t->ring[j]) k++;
      if (k == n && n < MT_GB_MAX_RING) g[n++] = t->ring[j];
    }
  }
  return n;
}

int mt_pockets_grains(const MtTopology *t, const MtPockets *p, int i, int32_t g[MT_GB_MAX_RING]) {
  const int site = p->site[i];
  int n = 0;
  if (p->junctions) return vertex_grains(t, site, g);
  for (int j = t->ring_start[site]; j < t->ring_start[site + 1] && n < MT_GB_MAX_RING; j++) g[n++] = t->ring[j];
  return n;
}

/* bare [nvertices]: a boundary without phase ends there. */
static bool is_candidate(const MtCells *c, const MtTopology *t, bool junctions, const char *bare, int site) {
  int32_t g[MT_GB_MAX_RING];
  if (junctions) return !bare[site] && !c->walls[site] && vertex_grains(t, site, g) >= 4;
  const int32_t *end = c->edge + 2 * site;
  return !bare[end[0]] && !bare[end[1]] && !(c->walls[end[0]] & c->walls[end[1]]) &&
         t->ring_start[site + 1] - t->ring_start[site] >= 3;
}

static PetscErrorCode draw(Candidate *k, int n, const MtPocketOptions *o, MtPockets *p) {
  MtRandom r;
  if (n == 0)
    return mt_error(MT_ERR_INPUT,
                    "mesh.gb.pockets: there is no %s inside the magnet around which all grains have a phase between "
                    "them",
                    o->junctions ? "junction" : "triple line");
  mt_random_seed(&r, o->seed);
  for (int skip = 0; skip < 16; skip++) (void)mt_random_bits(&r); /* not the numbers of the thickness */
  for (int i = 0; i < n; i++) k[i].draw = mt_random_uniform(&r);
  qsort(k, (size_t)n, sizeof *k, by_draw);
  p->n = (int)fmax(1, round(o->share * n));
  PetscCall(PetscMalloc1((size_t)p->n, &p->site));
  for (int i = 0; i < p->n; i++) p->site[i] = k[i].site;
  qsort(p->site, (size_t)p->n, sizeof *p->site, by_site);
  return 0;
}

PetscErrorCode mt_pockets_choose(const MtCells *c, const MtTopology *t, const MtCopies *q, const MtPocketOptions *o,
                                 MtPockets *p) {
  const int all = o->junctions ? c->nvertices : c->nedges;
  Candidate *k;
  char *bare;
  int n = 0;
  *p = (MtPockets){.junctions = o->junctions, .size = o->size, .depth = 1};
  if (!(o->size > 0) && !(o->fraction > 0)) return 0;
  PetscCall(PetscMalloc1((size_t)all + 1, &k));
  PetscCall(PetscCalloc1((size_t)c->nvertices + 1, &bare));
  for (int f = 0; f < c->nfaces; f++)
    for (int i = c->face_start[f]; i < c->face_start[f + 1]; i++)
      if (c->face_cells[2 * f + 1] >= 0 && !(q->asked[f] > 0)) bare[c->face_vertex[i]] = 1;
  for (int i = 0; i < all; i++)
    if (is_candidate(c, t, o->junctions, bare, i)) k[n++].site = i;
  const PetscErrorCode rc = draw(k, n, o, p);
  PetscCall(PetscFree(bare));
  PetscCall(PetscFree(k));
  return rc;
}

void mt_pockets_free(MtPockets *p) {
  (void)PetscFree(p->site);
  p->n = 0;
}

/* ---- how far the planes go back */

typedef struct {
  int n; /* ends: 2 of a line, 1 of a point */
  int end[2];
  const double *x[2];
} Site;

static Site site_of(const MtCells *c, const MtPockets *p, int i) {
  const int site = p->site[i];
  if (p->junctions) return (Site){1, {site, site}, {c->x + 3 * site, c->x + 3 * site}};
  const int32_t *end = c->edge + 2 * site;
  return (Site){2, {end[0], end[1]}, {c->x + 3 * end[0], c->x + 3 * end[1]}};
}

static double distance(const Site *w, const double *x) {
  double u[3], d[3], along = 0;
  for (int k = 0; k < 3; k++) u[k] = w->x[1][k] - w->x[0][k], d[k] = x[k] - w->x[0][k];
  if (dot(u, u) > 0) along = fmin(fmax(dot(d, u) / dot(u, u), 0), 1);
  for (int k = 0; k < 3; k++) d[k] -= along * u[k];
  return sqrt(dot(d, d));
}

static bool has_vertex(const MtCells *c, int f, int v) {
  for (int i = c->face_start[f]; i < c->face_start[f + 1]; i++)
    if (c->face_vertex[i] == v) return true;
  return false;
}

/* Faces between grain g and others at an end of the site, as surface slots tell them. */
static int faces_at(const MtCells *c, const MtSurface *s, const Site *w, int32_t g, int list[64]) {
  int n = 0;
  for (int m = 0; m < w->n; m++)
    for (int i = s->node_start[w->end[m]]; i < s->node_start[w->end[m] + 1]; i++) {
      const int f = s->slot_face[s->node_slot[i]];
      const int32_t *side = c->face_cells + 2 * f;
      int k = 0;
      while (k < n && list[k] != f) k++;
      if (side[1] >= 0 && (side[0] == g || side[1] == g) && k == n && n < 64) list[n++] = f;
    }
  return n;
}

/* Least squares of normal.u = 1. */
static void corner(int n, double normal[][3], double u[3]) {
  double a[3][3] = {{0}}, b[3] = {0, 0, 0}, top = 0;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 9; k++) a[k / 3][k % 3] += normal[i][k / 3] * normal[i][k % 3];
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 3; k++) b[k] += normal[i][k];
  for (int k = 0; k < 3; k++) top += a[k][k];
  for (int k = 0; k < 3; k++) a[k][k] += 1e-8 * top; /* two planes leave a direction open */
  const double d = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
                   a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                   a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
  for (int k = 0; k < 3; k++) {
    const int i = (k + 1) % 3, j = (k + 2) % 3;
    u[k] = (b[k] * (a[i][i] * a[j][j] - a[i][j] * a[j][i]) + b[i] * (a[i][j] * a[k][j] - a[i][k] * a[j][j]) +
            b[j] * (a[i][k] * a[i][j] - a[i][i] * a[k][j])) /
           d;
  }
}

/* Towards the middle of face f from the site, along the face and away from the line. */
static void away(const MtCells *c, const Site *w, int f, double d[3]) {
  const int n = c->face_start[f + 1] - c->face_start[f];
  double line[3], len2, along;
  for (int k = 0; k < 3; k++) {
    d[k] = -(w->x[0][k] + w->x[1][k]) / 2, line[k] = w->x[1][k] - w->x[0][k];
    for (int i = 0; i < n; i++) d[k] += c->x[3 * c->face_vertex[c->face_start[f] + i] + k] / n;
  }
  len2 = dot(line, line), along = len2 > 0 ? dot(d, line) / len2 : 0;
  for (int k = 0; k < 3; k++) d[k] -= along * line[k];
  const double len = sqrt(dot(d, d));
  for (int k = 0; k < 3; k++) d[k] /= len > 0 ? len : 1;
}

/* f.u of grain g, and 1/|u|^2: the mean over its faces at the site. */
static void corner_of(const MtCells *c, const Site *w, int32_t g, int nfaces, const int *face, double *fu,
                      double *squared) {
  double normal[64][3], u[3], d[3];
  int n = 0;
  *fu = *squared = 0;
  for (int i = 0; i < nfaces; i++) {
    const int f = face[i], start = c->face_start[f];
    if (!has_vertex(c, f, w->end[0]) || !has_vertex(c, f, w->end[1])) continue;
    mt_loop_area(c->x, c->face_start[f + 1] - start, c->face_vertex + start, normal[n]);
    const double len = sqrt(dot(normal[n], normal[n])) * (c->face_cells[2 * f] == g ? -1 : 1);
    for (int k = 0; k < 3; k++) normal[n][k] /= len;
    n++;
  }
  if (n < 2) return;
  corner(n, normal, u);
  for (int i = 0; i < nfaces; i++) {
    if (!has_vertex(c, face[i], w->end[0]) || !has_vertex(c, face[i], w->end[1])) continue;
    away(c, w, face[i], d);
    *fu += dot(d, u) / n;
  }
  *fu = fmax(*fu, 0), *squared = 1 / dot(u, u);
}

static void raise(MtCopies *q, int32_t copy, double bulge, int site) {
  if (!(bulge > q->bulge[copy])) return;
  q->bulge[copy] = bulge, q->pocket[copy] = site;
}

/* Distance from the site along the face: of a node of the surface, and, once its copy is placed, of where that has
 * gone in the plane. */
static double reach_of(const Site *w, const MtSurface *s, const MtCopies *q, int32_t slot, int32_t copy, bool placed) {
  const double *x = s->x + 3 * s->slot_node[slot], *n = s->slot_normal + 3 * slot;
  double d[3], along;
  if (!placed || distance(w, x) == 0) return distance(w, x);
  for (int k = 0; k < 3; k++) d[k] = q->x[3 * copy + k] - x[k];
  along = dot(d, n);
  for (int k = 0; k < 3; k++) d[k] += x[k] - along * n[k];
  return distance(w, d);
}

static void pocket_set(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtPockets *p, int i,
                       bool placed, MtCopies *q) {
  const Site w = site_of(c, p, i);
  int32_t g[MT_GB_MAX_RING];
  const int n = mt_pockets_grains(t, p, i, g);
  for (int k = 0; k < n; k++) {
    int face[64];
    double fu, squared;
    const int nfaces = faces_at(c, s, &w, g[k], face);
    corner_of(c, &w, g[k], nfaces, face, &fu, &squared);
    const double b = p->depth * p->size * fu * squared;
    for (int m = 0; m < nfaces; m++) {
      const double start = placed ? fmin((b + q->asked[face[m]] / 2) * fu, 0.8 * p->size) : 0; /* the corner is here */
      for (int j = s->slot_start[face[m]]; j < s->slot_start[face[m] + 1]; j++) {
        const int32_t copy = mt_copies_find(q, s->slot_node[j], g[k]);
        const double reach = reach_of(&w, s, q, j, copy, placed);
        raise(q, copy, b * fmin(1, (p->size - reach) / (p->size - start)), i);
      }
    }
  }
}

/* The displacement in the planes does not depend on the insets inside the faces: twice is enough. */
PetscErrorCode mt_pockets_place(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtPockets *p,
                                MtCopies *q) {
  if (p->n > 0 && !q->bulge) PetscCall(PetscMalloc2((size_t)q->n, &q->bulge, (size_t)q->n, &q->pocket));
  for (int v = 0; v < s->nv; v++) q->scale[v] = 1;
  for (int placed = 0; placed < 2; placed++) {
    for (int i = 0; i < q->n && p->n > 0; i++) q->bulge[i] = 0, q->pocket[i] = -1;
    for (int i = 0; i < p->n; i++) pocket_set(c, s, t, p, i, placed == 1, q);
    PetscCall(mt_copies_place(c, s, t, q));
  }
  return 0;
}
