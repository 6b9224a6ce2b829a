/* From a cell complex to its editable form and back. */
#include "cells_edit.h"
#include "cells_internal.h"
#include <stdlib.h>
#include <string.h>

static PetscErrorCode list_reserve(MtIntList *l, int n) {
  if (n <= l->capacity) return 0;
  l->capacity = 2 * n;
  PetscCall(PetscRealloc((size_t)l->capacity * sizeof *l->item, &l->item));
  return 0;
}

PetscErrorCode mt_list_add(MtIntList *l, int32_t item) {
  PetscCall(list_reserve(l, l->n + 1));
  l->item[l->n++] = item;
  return 0;
}

PetscErrorCode mt_list_copy(const MtIntList *from, MtIntList *to) {
  PetscCall(list_reserve(to, from->n));
  to->n = from->n;
  if (from->n > 0) memcpy(to->item, from->item, (size_t)from->n * sizeof *to->item);
  return 0;
}

int mt_list_find(const MtIntList *l, int32_t item) {
  for (int i = 0; i < l->n; i++)
    if (l->item[i] == item) return i;
  return -1;
}

static PetscErrorCode allocate(const MtCells *c, MtEdit *e) {
  memset(e, 0, sizeof *e);
  e->ngrains = c->ngrains;
  e->nvertices = c->nvertices;
  e->nfaces = c->nfaces;
  PetscCall(PetscMalloc1(3 * (size_t)c->nvertices, &e->x));
  PetscCall(PetscMalloc1((size_t)c->nvertices, &e->walls));
  PetscCall(PetscMalloc1(2 * (size_t)c->nfaces, &e->face_cells));
  PetscCall(PetscCalloc1((size_t)c->nfaces, &e->loop));
  PetscCall(PetscCalloc1((size_t)c->nvertices, &e->around));
  PetscCall(PetscCalloc1((size_t)c->ngrains + 1, &e->cell_faces));
  return 0;
}

PetscErrorCode mt_edit_create(const MtCells *c, MtEdit *e) {
  PetscCall(allocate(c, e));
  memcpy(e->x, c->x, 3 * (size_t)c->nvertices * sizeof *e->x);
  memcpy(e->walls, c->walls, (size_t)c->nvertices * sizeof *e->walls);
  memcpy(e->face_cells, c->face_cells, 2 * (size_t)c->nfaces * sizeof *e->face_cells);
  if (c->thickness) {
    PetscCall(PetscMalloc1((size_t)c->nfaces + 1, &e->thickness));
    memcpy(e->thickness, c->thickness, (size_t)c->nfaces * sizeof *e->thickness);
  }
  for (int f = 0; f < c->nfaces; f++) {
    for (int i = c->face_start[f]; i < c->face_start[f + 1]; i++) {
      PetscCall(mt_list_add(&e->loop[f], c->face_vertex[i]));
      PetscCall(mt_list_add(&e->around[c->face_vertex[i]], f));
    }
    for (int side = 0; side < 2; side++) e->cell_faces[mt_edit_cell(e, f, side)]++;
  }
  return 0;
}

static void put_vertices(MtEdit *e, MtCells *c, int32_t *id) {
  c->nvertices = 0;
  for (int v = 0; v < e->nvertices; v++) {
    if (e->around[v].n == 0) continue;
    id[v] = c->nvertices;
    memcpy(&c->x[3 * c->nvertices], &e->x[3 * v], 3 * sizeof *c->x);
    c->walls[c->nvertices++] = e->walls[v];
  }
}

static void put_faces(const MtEdit *e, MtCells *c, const int32_t *id) {
  int n = 0;
  c->nfaces = 0;
  for (int f = 0; f < e->nfaces; f++) {
    if (e->loop[f].n == 0) continue;
    memcpy(&c->face_cells[2 * c->nfaces], &e->face_cells[2 * f], 2 * sizeof *c->face_cells);
    if (c->thickness) c->thickness[c->nfaces] = c->thickness[f], c->gb_class[c->nfaces] = c->gb_class[f];
    for (int i = 0; i < e->loop[f].n; i++) c->face_vertex[n++] = id[e->loop[f].item[i]];
    c->face_start[++c->nfaces] = n;
  }
}

static int compare_edges(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  if (p[0] != q[0]) return p[0] < q[0] ? -1 : 1;
  return (p[1] > q[1]) - (p[1] < q[1]);
}

static PetscErrorCode put_edges(MtCells *c) {
  int n = c->face_start[c->nfaces], m = 0;
  PetscCall(PetscFree(c->edge));
  PetscCall(PetscMalloc1(2 * (size_t)n, &c->edge));
  for (int f = 0; f < c->nfaces; f++)
    for (int i = c->face_start[f]; i < c->face_start[f + 1]; i++) {
      int32_t u = c->face_vertex[i], w = c->face_vertex[i + 1 < c->face_start[f + 1] ? i + 1 : c->face_start[f]];
      c->edge[2 * i] = u < w ? u : w;
      c->edge[2 * i + 1] = u < w ? w : u;
    }
  qsort(c->edge, (size_t)n, 2 * sizeof *c->edge, compare_edges);
  for (int i = 0; i < n; i++)
    if (m == 0 || compare_edges(&c->edge[2 * (m - 1)], &c->edge[2 * i]) != 0)
      memmove(&c->edge[2 * m++], &c->edge[2 * i], 2 * sizeof *c->edge);
  c->nedges = m;
  return 0;
}

PetscErrorCode mt_edit_free(MtEdit *e) {
  for (int f = 0; f < e->nfaces; f++) PetscCall(PetscFree(e->loop[f].item));
  for (int v = 0; v < e->nvertices; v++) PetscCall(PetscFree(e->around[v].item));
  PetscCall(PetscFree(e->x));
  PetscCall(PetscFree(e->walls));
  PetscCall(PetscFree(e->face_cells));
  PetscCall(PetscFree(e->thickness));
  PetscCall(PetscFree(e->loop));
  PetscCall(PetscFree(e->around));
  PetscCall(PetscFree(e->cell_faces));
  return 0;
}

PetscErrorCode mt_edit_finish(MtEdit *e, MtCells *c) {
  int32_t *id, capacity = 0;
  for (int f = 0; f < e->nfaces; f++) capacity += e->loop[f].n;
  PetscCall(PetscMalloc1((size_t)e->nvertices, &id));
  PetscCall(PetscRealloc((size_t)capacity * sizeof *c->face_vertex, &c->face_vertex));
  put_vertices(e, c, id);
  put_faces(e, c, id);
  PetscCall(put_edges(c));
  PetscCall(PetscFree(id));
  c->ncollapsed += e->ncollapsed;
  PetscCall(mt_edit_free(e));
  mt_cells_measure(c, false);
  return 0;
}
