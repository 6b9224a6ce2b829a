/* Is this a cell complex of the box?  Every edge of a cell borders exactly two of its faces, which turn around it in
 * opposite ways; every cell is a sphere; the whole is a ball; volumes and wall areas add up to the box. */
#include "cells_internal.h"
#include "magtwin/cells.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One side of an edge in a face of a cell: `turn` is +1 where the face, seen from outside the cell, runs from low to
 * high. */
typedef struct {
  int32_t cell, low, high, turn;
} HalfEdge;

static int compare_half_edges(const void *a, const void *b) {
  const HalfEdge *p = a, *q = b;
  const int32_t x[4] = {p->cell, p->low, p->high, p->turn}, y[4] = {q->cell, q->low, q->high, q->turn};
  for (int i = 0; i < 4; i++)
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}

static int collect_half_edges(const MtCells *c, HalfEdge *h) {
  int n = 0;
  for (int f = 0; f < c->nfaces; f++)
    for (int side = 0; side < 2; side++) {
      int32_t cell = c->face_cells[2 * f + side], first = c->face_start[f], size = c->face_start[f + 1] - first;
      for (int i = 0; cell >= 0 && i < size; i++) {
        int32_t u = c->face_vertex[first + i], w = c->face_vertex[first + (i + 1) % size];
        h[n++] = (HalfEdge){cell, u < w ? u : w, u < w ? w : u, (u < w) == (side == 0) ? 1 : -1};
      }
    }
  qsort(h, (size_t)n, sizeof *h, compare_half_edges);
  return n;
}

static bool edge_exists(const MtCells *c, int32_t u, int32_t w) {
  int low = 0, high = c->nedges;
  while (low < high) {
    int mid = (low + high) / 2;
    const int32_t *e = &c->edge[2 * mid];
    if (e[0] == u && e[1] == w) return true;
    if (e[0] < u || (e[0] == u && e[1] < w))
      low = mid + 1;
    else
      high = mid;
  }
  return false;
}

static PetscErrorCode check_half_edges(const MtCells *c, const HalfEdge *h, int n, int *cell_edges) {
  for (int i = 0; i < n; i += 2) {
    const HalfEdge *a = &h[i], *b = &h[i + 1];
    bool closed = i + 1 < n && a->cell == b->cell && a->low == b->low && a->high == b->high && a->turn == -b->turn;
    bool alone = i + 2 >= n || h[i + 2].cell != a->cell || h[i + 2].low != a->low || h[i + 2].high != a->high;
    if (!closed || !alone)
      return mt_error(MT_ERR_FAIL, "cells: grain %d is not closed at edge %d-%d", a->cell, a->low, a->high);
    if (a->low == a->high || !edge_exists(c, a->low, a->high))
      return mt_error(MT_ERR_FAIL, "cells: face of grain %d uses %d-%d, which is no edge", a->cell, a->low, a->high);
    cell_edges[a->cell]++;
  }
  return 0;
}

static PetscErrorCode check_closed(const MtCells *c, int *cell_edges) {
  HalfEdge *h;
  PetscCall(PetscMalloc1(2 * (size_t)c->face_start[c->nfaces], &h));
  int n = collect_half_edges(c, h);
  PetscErrorCode rc = check_half_edges(c, h, n, cell_edges);
  PetscCall(PetscFree(h));
  return rc;
}

static PetscErrorCode check_loop(const MtCells *c, int f) {
  int32_t a = c->face_cells[2 * f], b = c->face_cells[2 * f + 1], n = c->face_start[f + 1] - c->face_start[f];
  const int32_t *loop = &c->face_vertex[c->face_start[f]];
  if (n < 3) return mt_error(MT_ERR_FAIL, "cells: face %d has %d vertices", f, n);
  if (a < 0 || a >= c->ngrains || b >= c->ngrains || b < -6 || (b >= 0 && b <= a))
    return mt_error(MT_ERR_FAIL, "cells: face %d lies between %d and %d", f, a, b);
  for (int i = 0; i < n; i++) {
    if (b < 0 && !(c->walls[loop[i]] >> (-1 - b) & 1))
      return mt_error(MT_ERR_FAIL, "cells: vertex %d of face %d is not on wall %d", loop[i], f, b);
    for (int j = 0; j < i; j++)
      if (loop[i] == loop[j]) return mt_error(MT_ERR_FAIL, "cells: face %d meets vertex %d twice", f, loop[i]);
  }
  return 0;
}

typedef struct {
  int32_t cell, vertex;
} Incidence;

static int compare_incidences(const void *a, const void *b) {
  const Incidence *p = a, *q = b;
  if (p->cell != q->cell) return p->cell < q->cell ? -1 : 1;
  return (p->vertex > q->vertex) - (p->vertex < q->vertex);
}

static PetscErrorCode count_vertices(const MtCells *c, int *cell_vertices) {
  Incidence *v;
  int n = 0;
  PetscCall(PetscMalloc1(2 * (size_t)c->face_start[c->nfaces], &v));
  for (int f = 0; f < c->nfaces; f++)
    for (int side = 0; side < 2; side++)
      for (int i = c->face_start[f]; c->face_cells[2 * f + side] >= 0 && i < c->face_start[f + 1]; i++)
        v[n++] = (Incidence){c->face_cells[2 * f + side], c->face_vertex[i]};
  qsort(v, (size_t)n, sizeof *v, compare_incidences);
  for (int i = 0; i < n; i++)
    if (i == 0 || compare_incidences(&v[i - 1], &v[i]) != 0) cell_vertices[v[i].cell]++;
  PetscCall(PetscFree(v));
  return 0;
}

static PetscErrorCode check_euler(const MtCells *c, const int *cell_vertices, const int *cell_edges) {
  int *cell_faces;
  PetscErrorCode rc = 0;
  PetscCall(PetscCalloc1((size_t)c->ngrains, &cell_faces));
  for (int i = 0; i < 2 * c->nfaces; i++)
    if (c->face_cells[i] >= 0) cell_faces[c->face_cells[i]]++;
  for (int g = 0; g < c->ngrains && rc == 0; g++)
    if (cell_vertices[g] - cell_edges[g] + cell_faces[g] != 2)
      rc = mt_error(MT_ERR_FAIL, "cells: grain %d has %d vertices, %d edges, %d faces: no sphere", g, cell_vertices[g],
                    cell_edges[g], cell_faces[g]);
  int ball = c->nvertices - c->nedges + c->nfaces - c->ngrains;
  if (rc == 0 && ball != 1) rc = mt_error(MT_ERR_FAIL, "cells: Euler characteristic of the whole is %d, not 1", ball);
  PetscCall(PetscFree(cell_faces));
  return rc;
}

static PetscErrorCode check_topology(const MtCells *c) {
  int *edges, *vertices;
  PetscCall(PetscCalloc2((size_t)c->ngrains, &edges, (size_t)c->ngrains, &vertices));
  PetscErrorCode rc = check_closed(c, edges);
  if (rc == 0) rc = count_vertices(c, vertices);
  if (rc == 0) rc = check_euler(c, vertices, edges);
  PetscCall(PetscFree2(edges, vertices));
  return rc;
}

static PetscErrorCode check_measures(const MtCells *c) {
  double wall[6] = {0}, size[3], box = 1, sum = 0;
  for (int d = 0; d < 3; d++) box *= size[d] = c->box[3 + d] - c->box[d];
  for (int g = 0; g < c->ngrains; g++) {
    if (!(c->volume[g] > 0)) return mt_error(MT_ERR_FAIL, "cells: grain %d has volume %g nm3", g, c->volume[g]);
    sum += c->volume[g];
  }
  if (fabs(sum - box) > 1e-12 * box)
    return mt_error(MT_ERR_FAIL, "cells: grains fill %.15g nm3 of the box's %.15g", sum, box);
  for (int f = 0; f < c->nfaces; f++) {
    double area[3];
    int w = -1 - c->face_cells[2 * f + 1];
    mt_loop_area(c->x, c->face_start[f + 1] - c->face_start[f], &c->face_vertex[c->face_start[f]], area);
    if (w >= 0) wall[w] += w % 2 ? area[w / 2] : -area[w / 2];
  }
  for (int w = 0; w < 6; w++) {
    double whole = box / size[w / 2];
    if (fabs(wall[w] - whole) > 1e-12 * whole)
      return mt_error(MT_ERR_FAIL, "cells: faces on wall %d cover %.15g nm2 of %.15g", -1 - w, wall[w], whole);
  }
  return 0;
}

PetscErrorCode mt_cells_check(const MtCells *c) {
  PetscErrorCode rc = 0;
  for (int f = 0; f < c->nfaces && rc == 0; f++) rc = check_loop(c, f);
  if (rc == 0) rc = check_topology(c);
  if (rc == 0) rc = check_measures(c);
  return rc;
}

void mt_cells_free(MtCells *c) {
  void *owned[] = {c->x,    c->walls,       c->edge,   c->face_cells, c->face_start, c->face_vertex,
                   c->axis, c->orientation, c->center, c->volume,     c->thickness,  c->gb_class};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) (void)PetscFree(owned[i]);
  memset(c, 0, sizeof *c);
}
