/* The cell complex of a power diagram.  Every cell is cut out of the box on its own; a vertex of a cell is known by its
 * generators (the cell and the three cells or walls behind its planes), and the cells share it when each of them has
 * found the same four.  Where rounding makes them disagree (lattices, more than four cells at a point), the weights are
 * moved by a tiny fixed pattern and all is cut again: symbolic perturbation made numeric, as in H. Edelsbrunner and E.
 * P. Muecke, ACM Trans. Graphics 9, 66 (1990). */
#include "cells_internal.h"
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "power_clip.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int32_t key[4]; /* generators, ascending */
  int32_t cell, corner;
} Corner;

/* All cells side by side: the corners of cell k are start[k] .. start[k+1]-1; `next` counts from start[k]. */
typedef struct {
  int n, capacity;
  int32_t *start;
  MtPolyVertex *v;
  int32_t *id; /* vertex of the complex */
} Soup;

static PetscErrorCode soup_free(Soup *s) {
  PetscCall(PetscFree(s->start));
  PetscCall(PetscFree(s->v));
  PetscCall(PetscFree(s->id));
  return 0;
}

static PetscErrorCode soup_append(Soup *s, const MtPoly *p) {
  if (s->n + p->n > s->capacity) {
    s->capacity = 2 * (s->n + p->n);
    PetscCall(PetscRealloc((size_t)s->capacity * sizeof *s->v, &s->v));
  }
  memcpy(&s->v[s->n], p->v, (size_t)p->n * sizeof *p->v);
  s->n += p->n;
  return 0;
}

static PetscErrorCode cut_all(const MtPower *p, const double *weight, Soup *s, MtClipState *state, int *cell) {
  MtClipper clipper;
  PetscCall(mt_clipper_create(p, weight, &clipper));
  PetscCall(PetscMalloc1((size_t)p->n + 1, &s->start));
  *state = MT_CLIP_OK;
  for (int k = 0; k < p->n && *state == MT_CLIP_OK; k++) {
    s->start[k] = s->n;
    *cell = k;
    PetscCall(mt_clipper_cell(&clipper, k, state));
    if (*state == MT_CLIP_OK) PetscCall(soup_append(s, &clipper.poly));
  }
  s->start[p->n] = s->n;
  PetscCall(mt_clipper_destroy(&clipper));
  return 0;
}

static int compare_ints(const void *a, const void *b) {
  int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
  return (i > j) - (i < j);
}

static int compare_keys(const int32_t *a, const int32_t *b) {
  for (int i = 0; i < 4; i++)
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}

static int compare_corners(const void *a, const void *b) {
  const Corner *p = a, *q = b;
  int order = compare_keys(p->key, q->key);
  return order ? order : (p->cell > q->cell) - (p->cell < q->cell);
}

static void sorted_corners(const Soup *s, int ncells, Corner *corner) {
  for (int k = 0; k < ncells; k++)
    for (int i = s->start[k]; i < s->start[k + 1]; i++) {
      corner[i] = (Corner){.key = {k, s->v[i].plane[0], s->v[i].plane[1], s->v[i].plane[2]}, .cell = k, .corner = i};
      qsort(corner[i].key, 4, sizeof corner[i].key[0], compare_ints);
    }
  qsort(corner, (size_t)s->n, sizeof *corner, compare_corners);
}

static int cells_in_key(const int32_t key[4]) {
  int n = 0;
  for (int i = 0; i < 4; i++) n += key[i] >= 0;
  return n;
}

/* Numbers the vertices in the order of their keys; the position is that of the first cell.  *shared: every key was
 * found by all its cells. */
static PetscErrorCode number_vertices(Soup *s, MtCells *c, bool *shared) {
  Corner *corner;
  PetscCall(PetscMalloc1((size_t)s->n, &corner));
  PetscCall(PetscMalloc1((size_t)s->n, &s->id));
  PetscCall(PetscMalloc1(3 * (size_t)s->n, &c->x));
  PetscCall(PetscMalloc1((size_t)s->n, &c->walls));
  sorted_corners(s, c->ngrains, corner);
  *shared = true;
  for (int i = 0, j; i < s->n; i = j) {
    const int32_t *key = corner[i].key;
    for (j = i; j < s->n && compare_keys(corner[j].key, key) == 0; j++) s->id[corner[j].corner] = c->nvertices;
    *shared = *shared && j - i == cells_in_key(key);
    memcpy(&c->x[3 * c->nvertices], s->v[corner[i].corner].x, 3 * sizeof(double));
    c->walls[c->nvertices] = 0;
    for (int m = 0; m < 4; m++)
      if (key[m] < 0) c->walls[c->nvertices] |= (int8_t)(1 << (-1 - key[m]));
    c->nvertices++;
  }
  PetscCall(PetscFree(corner));
  return 0;
}

static int compare_edges(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  if (p[0] != q[0]) return p[0] < q[0] ? -1 : 1;
  return (p[1] > q[1]) - (p[1] < q[1]);
}

static PetscErrorCode collect_edges(const Soup *s, MtCells *c) {
  PetscCall(PetscMalloc1(3 * (size_t)s->n, &c->edge)); /* 3 ends at each corner, half of them first ends: 2 x 3/2 */
  int n = 0;
  for (int k = 0; k < c->ngrains; k++)
    for (int i = s->start[k]; i < s->start[k + 1]; i++)
      for (int t = 0; t < 3; t++) {
        int32_t u = s->id[i], w = s->id[s->start[k] + s->v[i].next[t]];
        if (u > w) continue;
        c->edge[2 * n] = u;
        c->edge[2 * n++ + 1] = w;
      }
  qsort(c->edge, (size_t)n, 2 * sizeof *c->edge, compare_edges);
  for (int i = 0; i < n; i++)
    if (c->nedges == 0 || compare_edges(&c->edge[2 * (c->nedges - 1)], &c->edge[2 * i]) != 0) {
      memmove(&c->edge[2 * c->nedges++], &c->edge[2 * i], 2 * sizeof *c->edge);
    }
  return 0;
}

/* Walks around the face on slot t of corner i, counterclockwise seen from outside of cell k. */
static void walk_face(const Soup *s, int k, int i, int t, bool *seen, MtCells *c) {
  int32_t plane = s->v[i].plane[t];
  int n = c->face_start[c->nfaces];
  while (!seen[3 * i + t]) {
    seen[3 * i + t] = true;
    c->face_vertex[n++] = s->id[i];
    i = s->start[k] + s->v[i].next[(t + 1) % 3];
    for (t = 0; t < 2 && s->v[i].plane[t] != plane;) t++;
  }
  c->face_cells[2 * c->nfaces] = k;
  c->face_cells[2 * c->nfaces + 1] = plane;
  c->face_start[++c->nfaces] = n;
}

static PetscErrorCode collect_faces(const Soup *s, MtCells *c) {
  bool *seen;
  PetscCall(PetscCalloc1(3 * (size_t)s->n, &seen));
  PetscCall(PetscMalloc1(3 * (size_t)s->n, &c->face_vertex));
  PetscCall(PetscMalloc1(2 * (size_t)s->n, &c->face_cells));
  PetscCall(PetscMalloc1((size_t)s->n + 1, &c->face_start));
  c->face_start[0] = 0;
  for (int k = 0; k < c->ngrains; k++)
    for (int i = s->start[k]; i < s->start[k + 1]; i++)
      for (int t = 0; t < 3; t++) {
        int32_t plane = s->v[i].plane[t];
        if (!seen[3 * i + t] && (plane < 0 || plane > k)) walk_face(s, k, i, t, seen, c);
      }
  PetscCall(PetscFree(seen));
  return 0;
}

static PetscErrorCode assemble(const MtPower *p, Soup *s, MtCells *c, bool *shared) {
  c->ngrains = p->n;
  memcpy(c->box, p->box, sizeof c->box);
  PetscCall(number_vertices(s, c, shared));
  if (!*shared) return 0;
  PetscCall(collect_edges(s, c));
  PetscCall(collect_faces(s, c));
  PetscCall(PetscMalloc1(3 * (size_t)p->n, &c->axis));
  PetscCall(PetscMalloc1(3 * (size_t)p->n, &c->center));
  PetscCall(PetscMalloc1((size_t)p->n, &c->volume));
  memcpy(c->axis, p->axis, 3 * (size_t)p->n * sizeof *p->axis);
  if (p->orientation) {
    PetscCall(PetscMalloc1(4 * (size_t)p->n, &c->orientation));
    memcpy(c->orientation, p->orientation, 4 * (size_t)p->n * sizeof *p->orientation);
  }
  mt_cells_measure(c, true);
  return 0;
}

/* A number in [-1, 1) that depends on k alone, without order: a linear sequence would leave a lattice degenerate. */
static double pattern(int k) {
  uint64_t state = (uint64_t)k;
  return (double)(mt_splitmix64(&state) >> 11) * 0x1p-52 - 1;
}

static double mean_spacing2(const MtPower *p) {
  double v = 1;
  for (int d = 0; d < 3; d++) v *= p->box[3 + d] - p->box[d];
  return pow(v / p->n, 2. / 3.);
}

static PetscErrorCode attempt(const MtPower *p, const double *weight, MtCells *c, MtClipState *state, int *cell) {
  Soup soup = {0};
  bool shared = true;
  memset(c, 0, sizeof *c);
  PetscCall(cut_all(p, weight, &soup, state, cell));
  if (*state == MT_CLIP_OK) PetscCall(assemble(p, &soup, c, &shared));
  PetscCall(soup_free(&soup));
  if (*state == MT_CLIP_OK && (!shared || mt_cells_check(c) != 0)) {
    mt_error_clear();
    *state = MT_CLIP_DEGENERATE;
  }
  if (*state != MT_CLIP_OK) mt_cells_free(c);
  return 0;
}

enum { ATTEMPTS = 12 };

PetscErrorCode mt_cells_try(const MtPower *p, MtCells *c, int *empty) {
  MtClipState state = MT_CLIP_DEGENERATE;
  double *weight, size = mean_spacing2(p);
  int cell = 0;
  PetscCall(PetscMalloc1((size_t)p->n, &weight));
  for (int i = 0; i < ATTEMPTS && state == MT_CLIP_DEGENERATE; i++) {
    double amount = i == 0 ? 0 : 1e-11 * size * pow(4, i);
    for (int k = 0; k < p->n; k++) weight[k] = p->weight[k] + amount * pattern(k);
    PetscCall(attempt(p, weight, c, &state, &cell));
  }
  PetscCall(PetscFree(weight));
  *empty = state == MT_CLIP_EMPTY ? cell : -1;
  if (state != MT_CLIP_DEGENERATE) return 0;
  return mt_error(MT_ERR_INPUT,
                  "grains: the cells could not be told apart near grain %d; do two grains share a centre?",
                  (int)p->label[cell]);
}

PetscErrorCode mt_cells_build(const MtPower *p, MtCells *c) {
  int empty;
  if (p->n < 1) return mt_error(MT_ERR_INPUT, "grains: at least one grain is needed, there are %d", p->n);
  PetscCall(mt_cells_try(p, c, &empty));
  if (empty < 0) return 0;
  return mt_error(MT_ERR_INPUT, "grain %d has no room left beside its neighbours (empty cell, weight %g nm2)",
                  (int)p->label[empty], p->weight[empty]);
}

void mt_power_free(MtPower *p) {
  void *owned[] = {p->seed, p->weight, p->axis, p->orientation, p->label};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) (void)PetscFree(owned[i]);
  memset(p, 0, sizeof *p);
}
