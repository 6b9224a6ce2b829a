/* Merging two vertices of a cell complex, tried and taken back when what comes out is no longer one: a face that meets
 * a vertex twice, a cell pinched at the vertex or with less than four faces, an edge pressed flat onto a wall, a face
 * folded or far from plane, a cell turned inside out. */
#include "cells_edit.h"
#include "cells_internal.h"
#include <math.h>
#include <string.h>

static const double turned = 0.5; /* cos 60 deg between a face before and after */

static const double tiny_part = 0.2; /* of min_edge: edges and faces whose direction is not looked at */

/* What a trial changes, to take it back. */
typedef struct {
  MtIntList faces;   /* that touch u or w */
  MtIntList *before; /* [faces.n] their loops */
  double *area;      /* [3 faces.n] their area vectors */
  MtIntList around_w;
  double xw[3];
  int8_t walls_w;
} Trial;

static PetscErrorCode trial_begin(const MtEdit *e, int u, int w, Trial *t) {
  memset(t, 0, sizeof *t);
  for (int end = 0; end < 2; end++) {
    const MtIntList *a = &e->around[end ? w : u];
    for (int i = 0; i < a->n; i++)
      if (e->loop[a->item[i]].n > 0 && mt_list_find(&t->faces, a->item[i]) < 0)
        PetscCall(mt_list_add(&t->faces, a->item[i]));
  }
  PetscCall(PetscCalloc1((size_t)t->faces.n, &t->before));
  PetscCall(PetscMalloc1(3 * (size_t)t->faces.n, &t->area));
  for (int i = 0; i < t->faces.n; i++) {
    const MtIntList *loop = &e->loop[t->faces.item[i]];
    PetscCall(mt_list_copy(loop, &t->before[i]));
    mt_loop_area(e->x, loop->n, loop->item, &t->area[3 * i]);
  }
  PetscCall(mt_list_copy(&e->around[w], &t->around_w));
  memcpy(t->xw, &e->x[3 * w], sizeof t->xw);
  t->walls_w = e->walls[w];
  return 0;
}

static PetscErrorCode trial_end(Trial *t) {
  for (int i = 0; i < t->faces.n; i++) PetscCall(PetscFree(t->before[i].item));
  PetscCall(PetscFree(t->before));
  PetscCall(PetscFree(t->area));
  PetscCall(PetscFree(t->faces.item));
  PetscCall(PetscFree(t->around_w.item));
  return 0;
}

static PetscErrorCode take_back(MtEdit *e, int w, const Trial *t) {
  for (int i = 0; i < t->faces.n; i++) PetscCall(mt_list_copy(&t->before[i], &e->loop[t->faces.item[i]]));
  PetscCall(mt_list_copy(&t->around_w, &e->around[w]));
  memcpy(&e->x[3 * w], t->xw, sizeof t->xw);
  e->walls[w] = t->walls_w;
  return 0;
}

/* Renames u to w in a loop; faces that shrink to a line are emptied.  False if the face would meet w twice. */
static bool rename_vertex(MtIntList *loop, int u, int w) {
  int at = mt_list_find(loop, u), other = mt_list_find(loop, w);
  if (at < 0) return true;
  if (other < 0) {
    loop->item[at] = w;
    return true;
  }
  int gap = (at - other + loop->n) % loop->n;
  if (gap != 1 && gap != loop->n - 1) return false;
  memmove(&loop->item[at], &loop->item[at + 1], (size_t)(loop->n - at - 1) * sizeof *loop->item);
  if (--loop->n < 3) loop->n = 0;
  return true;
}

static PetscErrorCode merge(MtEdit *e, int u, int w, const double x[3], const Trial *t, bool *ok) {
  *ok = true;
  for (int i = 0; i < t->faces.n; i++) *ok = rename_vertex(&e->loop[t->faces.item[i]], u, w) && *ok;
  memcpy(&e->x[3 * w], x, 3 * sizeof *x);
  e->walls[w] |= e->walls[u];
  PetscCall(mt_list_copy(&t->faces, &e->around[w]));
  return 0;
}

/* The faces of a cell at w close up in one ring. */
static bool ring_closes(const MtEdit *e, int w, int cell) {
  const MtIntList *a = &e->around[w];
  int count = 0, steps = 0;
  int32_t start = -1, at;
  for (int i = 0; i < a->n; i++) {
    const MtIntList *loop = &e->loop[a->item[i]];
    for (int side = 0; side < 2 && loop->n > 0; side++) {
      if (mt_edit_cell(e, a->item[i], side) != cell) continue;
      start = mt_edit_beside(loop, mt_list_find(loop, w), side, -1);
      count++;
    }
  }
  at = start;
  do {
    int32_t next = -1;
    for (int i = 0; i < a->n; i++) {
      const MtIntList *loop = &e->loop[a->item[i]];
      for (int side = 0; side < 2 && loop->n > 0; side++) {
        int pos = mt_list_find(loop, w);
        if (mt_edit_cell(e, a->item[i], side) != cell || mt_edit_beside(loop, pos, side, -1) != at) continue;
        if (next >= 0) return false;
        next = mt_edit_beside(loop, pos, side, 1);
      }
    }
    at = next;
    steps++;
  } while (at >= 0 && at != start && steps <= count);
  return count >= 2 && at == start && steps == count;
}

static bool same_vertices(const MtIntList *a, const MtIntList *b) {
  if (a->n != b->n) return false;
  for (int i = 0; i < a->n; i++)
    if (mt_list_find(b, a->item[i]) < 0) return false;
  return true;
}

static bool faces_differ(const MtEdit *e, int w) {
  const MtIntList *a = &e->around[w];
  for (int i = 0; i < a->n; i++)
    for (int j = 0; j < i; j++) {
      const MtIntList *p = &e->loop[a->item[i]], *q = &e->loop[a->item[j]];
      if (p->n > 0 && q->n > 0 && same_vertices(p, q)) return false;
    }
  return true;
}

/* An edge between two points of a wall must be an edge of that wall's faces, or something flat lies between it and the
 * wall. */
static bool edge_lies_in_wall(const MtEdit *e, int w, int32_t z, int wall) {
  const MtIntList *a = &e->around[w];
  for (int i = 0; i < a->n; i++) {
    const MtIntList *loop = &e->loop[a->item[i]];
    if (loop->n == 0 || e->face_cells[2 * a->item[i] + 1] != -1 - wall) continue;
    int at = mt_list_find(loop, w);
    if (mt_edit_beside(loop, at, 0, 1) == z || mt_edit_beside(loop, at, 0, -1) == z) return true;
  }
  return false;
}

static bool edges_respect_walls(const MtEdit *e, int w) {
  const MtIntList *a = &e->around[w];
  for (int i = 0; i < a->n; i++) {
    const MtIntList *loop = &e->loop[a->item[i]];
    if (loop->n == 0) continue;
    for (int step = -1; step < 2; step += 2) {
      int32_t z = mt_edit_beside(loop, mt_list_find(loop, w), 0, step);
      for (int wall = 0; wall < 6; wall++)
        if (e->walls[w] & e->walls[z] & (1 << wall) && !edge_lies_in_wall(e, w, z, wall)) return false;
    }
  }
  return true;
}

static bool cells_keep_their_faces(const MtEdit *e, const Trial *t) {
  for (int i = 0; i < t->faces.n; i++)
    for (int side = 0; side < 2; side++) {
      int cell = mt_edit_cell(e, t->faces.item[i], side), lost = 0;
      for (int j = 0; j < t->faces.n; j++)
        lost += e->loop[t->faces.item[j]].n == 0 &&
                (mt_edit_cell(e, t->faces.item[j], 0) == cell || mt_edit_cell(e, t->faces.item[j], 1) == cell);
      if (e->cell_faces[cell] - lost < 4) return false;
    }
  return true;
}

static bool topology_holds(const MtEdit *e, int w, const Trial *t) {
  if (!cells_keep_their_faces(e, t) || !faces_differ(e, w) || !edges_respect_walls(e, w)) return false;
  for (int i = 0; i < t->faces.n; i++)
    for (int side = 0; side < 2; side++)
      if (e->loop[t->faces.item[i]].n > 0 && !ring_closes(e, w, mt_edit_cell(e, t->faces.item[i], side))) return false;
  return true;
}

static double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Faces and edges far below the wanted length have no direction worth keeping: they are on their way out. */
static bool edge_is_tiny(const MtEdit *e, int32_t u, int32_t w, double tiny) {
  double l2 = 0;
  for (int k = 0; k < 3; k++) l2 += (e->x[3 * u + k] - e->x[3 * w + k]) * (e->x[3 * u + k] - e->x[3 * w + k]);
  return l2 < tiny * tiny;
}

static bool face_is_tiny(const MtEdit *e, const MtIntList *loop, double tiny) {
  for (int i = 1; i < loop->n; i++)
    if (!edge_is_tiny(e, loop->item[0], loop->item[i], tiny)) return false;
  return true;
}

/* Cosine between the area vector and the triangle of the mean of the loop and p, q. */
static double fan_cosine(const double area[3], const double mean[3], const double *p, const double *q) {
  double a[3], b[3], n[3];
  for (int k = 0; k < 3; k++) {
    a[k] = p[k] - mean[k];
    b[k] = q[k] - mean[k];
  }
  for (int k = 0; k < 3; k++) n[k] = a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3];
  return dot(n, area) / sqrt(dot(n, n) * dot(area, area));
}

static bool face_is_flat(const MtEdit *e, const MtIntList *loop, const double before[3], double flatness, double tiny) {
  double area[3], mean[3] = {0};
  if (face_is_tiny(e, loop, tiny)) return true;
  mt_loop_area(e->x, loop->n, loop->item, area);
  if (!(dot(area, before) > turned * sqrt(dot(area, area) * dot(before, before)))) return false;
  for (int i = 0; i < loop->n; i++)
    for (int k = 0; k < 3; k++) mean[k] += e->x[3 * loop->item[i] + k] / loop->n;
  for (int i = 0; i < loop->n; i++) {
    int32_t p = loop->item[i], q = loop->item[(i + 1) % loop->n];
    if (!edge_is_tiny(e, p, q, tiny) && !(fan_cosine(area, mean, &e->x[3 * p], &e->x[3 * q]) > flatness)) return false;
  }
  return true;
}

static bool geometry_holds(const MtEdit *e, const Trial *t, double flatness, double tiny) {
  for (int i = 0; i < t->faces.n; i++) {
    const MtIntList *loop = &e->loop[t->faces.item[i]];
    if (loop->n > 0 && !face_is_flat(e, loop, &t->area[3 * i], flatness, tiny)) return false;
  }
  return true;
}

static void forget(MtIntList *l, int32_t item) {
  int at = mt_list_find(l, item);
  if (at >= 0) l->item[at] = l->item[--l->n];
}

/* The trial stands: vertices forget the faces that are gone. */
static PetscErrorCode keep(MtEdit *e, int u, int w, const Trial *t) {
  for (int i = 0; i < t->faces.n; i++) {
    int f = t->faces.item[i];
    if (e->loop[f].n > 0) continue;
    for (int k = 0; k < t->before[i].n; k++) forget(&e->around[t->before[i].item[k]], f);
    forget(&e->around[w], f);
    for (int side = 0; side < 2; side++) e->cell_faces[mt_edit_cell(e, f, side)]--;
  }
  e->around[u].n = 0;
  e->ncollapsed++;
  return 0;
}

/* The point nearest to the planes of all faces around, starting from the middle, within the walls (quadric error: M.
 * Garland and P. S. Heckbert, Proc. SIGGRAPH 209 (1997)).  Planes met at small angles only are left alone. */
static void nearest_to_planes(const MtEdit *e, const Trial *t, int walls, const double middle[3], double x[3]) {
  double ata[3][3] = {{0}}, atb[3] = {0}, d[3];
  for (int i = 0; i < t->faces.n; i++) {
    const MtIntList *loop = &e->loop[t->faces.item[i]];
    const double *area = &t->area[3 * i], *o = &e->x[3 * loop->item[0]];
    double size = sqrt(dot(area, area)), n[3], height = 0;
    if (size == 0) continue;
    for (int k = 0; k < 3; k++) height += area[k] / size * (o[k] - middle[k]);
    for (int k = 0; k < 3; k++) n[k] = walls >> (2 * k) & 3 ? 0 : area[k] / size;
    for (int k = 0; k < 3; k++) {
      atb[k] += n[k] * height * size;
      for (int m = 0; m < 3; m++) ata[k][m] += n[k] * n[m] * size;
    }
  }
  mt_least_norm(ata, atb, d);
  for (int k = 0; k < 3; k++) x[k] = middle[k] + d[k];
}

enum { PLACES = 4 };

/* Where the merged vertex may be: the end with more walls, or, with equal walls, near the planes, between the ends, or
 * at one of them. */
static int places(const MtEdit *e, int u, int w, const Trial *t, double x[PLACES][3]) {
  const double *a = &e->x[3 * u], *b = &e->x[3 * w];
  int both = e->walls[u] & e->walls[w], n = 0;
  if (both != e->walls[u] && both != e->walls[w]) return 0;
  if (e->walls[u] == e->walls[w]) {
    for (int k = 0; k < 3; k++) x[1][k] = (a[k] + b[k]) / 2;
    nearest_to_planes(e, t, both, x[1], x[0]);
    n = 2;
  }
  if (both == e->walls[u]) memcpy(x[n++], b, 3 * sizeof *b);
  if (both == e->walls[w]) memcpy(x[n++], a, 3 * sizeof *a);
  return n;
}

PetscErrorCode mt_edit_collapse(MtEdit *e, int u, int w, const MtLimit *limit, bool *done) {
  Trial t;
  double x[PLACES][3], before = mt_edit_lack(e, u, limit) + mt_edit_lack(e, w, limit);
  *done = false;
  PetscCall(trial_begin(e, u, w, &t));
  int n = places(e, u, w, &t, x);
  for (int i = 0; i < n && !*done; i++) {
    bool ok;
    PetscCall(merge(e, u, w, x[i], &t, &ok));
    *done = ok && topology_holds(e, w, &t) && geometry_holds(e, &t, cos(limit->bend), tiny_part * limit->min_edge) &&
            mt_edit_lack(e, w, limit) < before;
    if (*done)
      PetscCall(keep(e, u, w, &t));
    else
      PetscCall(take_back(e, w, &t));
  }
  PetscCall(trial_end(&t));
  return 0;
}
