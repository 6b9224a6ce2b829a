/* The table of regions: grains, one GB region per pair of grains, one per triple line, one per junction, layers at
 * the surface, then air. */
#include "gb_pockets.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <stdio.h>
#include <stdlib.h>

static int compare_grain(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

static int compare_pair(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  return p[0] != q[0] ? (p[0] > q[0]) - (p[0] < q[0]) : (p[1] > q[1]) - (p[1] < q[1]);
}

void mt_regions_alloc(int room, MtRegions *r) {
  r->kind = mt_calloc((size_t)room, sizeof *r->kind);
  r->grains = mt_malloc(4 * (size_t)room * sizeof *r->grains);
  r->name = mt_calloc((size_t)room, sizeof *r->name);
  r->volume = mt_calloc((size_t)room, sizeof *r->volume);
}

int32_t mt_regions_add(MtRegions *r, MtRegionKind kind, int n, const int32_t *grains, int number) {
  char text[200];
  int at = snprintf(text, sizeof text, "%s", mt_region_kind_name(kind));
  int32_t sorted[MT_GB_MAX_RING];
  memcpy(sorted, grains, (size_t)n * sizeof *grains);
  qsort(sorted, (size_t)n, sizeof *sorted, compare_grain);
  for (int i = 0; i < n && at < 160; i++)
    at += snprintf(text + at, sizeof text - (size_t)at, "%s%d", i ? "-" : " ", sorted[i]);
  if (number >= 0) snprintf(text + at, sizeof text - (size_t)at, " #%d", number);
  r->kind[r->n] = kind;
  for (int i = 0; i < 4; i++) r->grains[4 * r->n + i] = i < n ? sorted[i] : -1;
  r->name[r->n] = mt_malloc(strlen(text) + 1);
  memcpy(r->name[r->n], text, strlen(text) + 1);
  return r->n++;
}

static bool has_phase(const MtCells *c, int f) {
  return c->face_cells[2 * f + 1] >= 0 && (!c->thickness || c->thickness[f] > 0);
}

static PetscErrorCode pairs_add(const MtCells *c, int room, MtRegions *r, int32_t *face_region) {
  int32_t *pair;
  int n = 0, first = r->n;
  PetscCall(PetscMalloc1(2 * (size_t)c->nfaces + 1, &pair));
  for (int f = 0; f < c->nfaces; f++)
    if (has_phase(c, f)) memcpy(pair + 2 * n++, c->face_cells + 2 * f, 2 * sizeof *pair);
  qsort(pair, (size_t)n, 2 * sizeof *pair, compare_pair);
  for (int i = 0; i < n; i++)
    if (i == 0 || compare_pair(pair + 2 * i, pair + 2 * i - 2)) mt_regions_add(r, MT_REGION_GB, 2, pair + 2 * i, -1);
  if (c->thickness) r->thickness = mt_calloc((size_t)room, sizeof(double));
  for (int f = 0; f < c->nfaces; f++) {
    if (!has_phase(c, f)) continue;
    int low = first, high = r->n - 1;
    while (low < high) { /* the pairs are sorted */
      int middle = (low + high) / 2;
      if (compare_pair(r->grains + 4 * middle, c->face_cells + 2 * f) < 0)
        low = middle + 1;
      else
        high = middle;
    }
    face_region[f] = low;
    if (c->thickness) r->thickness[low] = c->thickness[f];
  }
  return PetscFree(pair);
}

/* Grains at each vertex, from the rings of its edges. */
static int vertex_grains(const MtTopology *t, int v, int32_t g[MT_GB_MAX_RING]) {
  int n = 0;
  for (int i = t->vertex_edge_start[v]; i < t->vertex_edge_start[v + 1]; i++) {
    int e = t->vertex_edge[i];
    for (int j = t->ring_start[e]; j < t->ring_start[e + 1]; j++) {
      int k = 0;
      while (k < n && g[k] != t->ring[j]) k++;
      if (k == n && n < MT_GB_MAX_RING) g[n++] = t->ring[j];
    }
  }
  return n;
}

static void grains_copy(const MtCells *c, MtRegions *r) {
  size_t n = 3 * (size_t)c->ngrains * sizeof(double);
  r->ngrains = c->ngrains;
  r->axis = mt_malloc(n + 1), r->center = mt_malloc(n + 1);
  memcpy(r->axis, c->axis, n);
  memcpy(r->center, c->center, n);
  if (c->orientation) {
    const size_t size = 4 * (size_t)c->ngrains * sizeof(double);
    r->orientation = memcpy(mt_malloc(size + 1), c->orientation, size);
  }
  for (int32_t g = 0; g < c->ngrains; g++) mt_regions_add(r, MT_REGION_GRAIN, 1, &g, -1);
}

static void pockets_add(const MtTopology *t, const MtPockets *p, MtRegions *r) {
  int32_t g[MT_GB_MAX_RING];
  for (int i = 0; i < p->n; i++) {
    const int n = mt_pockets_grains(t, p, i, g);
    mt_regions_add(r, MT_REGION_POCKET, n, g, p->site[i]);
  }
}

PetscErrorCode mt_gb_regions(const MtCells *c, const MtTopology *t, bool split, bool surface, const MtPockets *pockets,
                             MtRegions *r, int32_t **face_region, int32_t **edge_region, int32_t **vertex_region,
                             int32_t *pocket) {
  const int room = 2 * c->ngrains + c->nfaces + c->nedges + c->nvertices + 1 + (pockets ? pockets->n : 0);
  int32_t g[MT_GB_MAX_RING];
  memset(r, 0, sizeof *r);
  mt_regions_alloc(room, r);
  PetscCall(PetscMalloc3((size_t)c->nfaces, face_region, (size_t)c->nedges, edge_region, (size_t)c->nvertices,
                         vertex_region));
  for (int i = 0; i < c->nfaces; i++) (*face_region)[i] = -1;
  for (int i = 0; i < c->nedges; i++) (*edge_region)[i] = -1;
  for (int i = 0; i < c->nvertices; i++) (*vertex_region)[i] = -1;
  grains_copy(c, r);
  if (split) PetscCall(pairs_add(c, room, r, *face_region));
  for (int e = 0; e < c->nedges && split; e++) {
    int n = t->ring_start[e + 1] - t->ring_start[e];
    if (n + t->ring_corner[e] >= 3)
      (*edge_region)[e] = mt_regions_add(r, MT_REGION_TRIPLE, n, t->ring + t->ring_start[e], e);
  }
  for (int v = 0; v < c->nvertices && split; v++) {
    int n = vertex_grains(t, v, g);
    if (n + t->vertex_corner[v] >= 4) (*vertex_region)[v] = mt_regions_add(r, MT_REGION_JUNCTION, n, g, v);
  }
  *pocket = r->n;
  if (pockets) pockets_add(t, pockets, r);
  for (int32_t k = 0; k < c->ngrains && surface; k++) mt_regions_add(r, MT_REGION_SURFACE, 1, &k, -1);
  mt_regions_add(r, MT_REGION_AIR, 0, g, -1);
  return 0;
}
