/* What makes a changed cell complex one still: faces that meet each vertex once, cells closed around each vertex and of
 * at least four faces, no edge pressed flat onto a wall, no face folded, turned or far from plane. */
#include "cells_trial.h"
#include "cells_internal.h"
#include <math.h>
#include <string.h>

static const double turned = 0.5; /* cos 60 deg between a face before and after */

static const double tiny_part = 0.2; /* of min_edge: edges and faces whose direction matters less */

PetscErrorCode mt_trial_begin(const MtEdit *e, int nv, const int32_t *v, MtTrial *t) {
  memset(t, 0, sizeof *t);
  t->nv = nv;
  for (int k = 0; k < nv; k++) {
    const MtIntList *a = &e->around[v[k]];
    for (int i = 0; i < a->n; i++)
      if (e->loop[a->item[i]].n > 0 && mt_list_find(&t->faces, a->item[i]) < 0)
        PetscCall(mt_list_add(&t->faces, a->item[i]));
    t->v[k] = v[k];
    t->walls[k] = e->walls[v[k]];
    memcpy(t->x[k], &e->x[3 * v[k]], sizeof t->x[k]);
    PetscCall(mt_list_copy(a, &t->around[k]));
  }
  PetscCall(PetscCalloc1((size_t)t->faces.n, &t->before));
  PetscCall(PetscMalloc1(3 * (size_t)t->faces.n, &t->area));
  for (int i = 0; i < t->faces.n; i++) {
    const MtIntList *loop = &e->loop[t->faces.item[i]];
    PetscCall(mt_list_copy(loop, &t->before[i]));
    mt_loop_area(e->x, loop->n, loop->item, &t->area[3 * i]);
  }
  return 0;
}

PetscErrorCode mt_trial_end(MtTrial *t) {
  for (int i = 0; i < t->faces.n; i++) PetscCall(PetscFree(t->before[i].item));
  for (int k = 0; k < t->nv; k++) PetscCall(PetscFree(t->around[k].item));
  PetscCall(PetscFree(t->before));
  PetscCall(PetscFree(t->area));
  PetscCall(PetscFree(t->faces.item));
  return 0;
}

PetscErrorCode mt_trial_take_back(MtEdit *e, const MtTrial *t) {
  for (int i = 0; i < t->faces.n; i++) PetscCall(mt_list_copy(&t->before[i], &e->loop[t->faces.item[i]]));
  for (int k = 0; k < t->nv; k++) {
    PetscCall(mt_list_copy(&t->around[k], &e->around[t->v[k]]));
    memcpy(&e->x[3 * t->v[k]], t->x[k], sizeof t->x[k]);
    e->walls[t->v[k]] = t->walls[k];
  }
  return 0;
}

static void forget(MtIntList *l, int32_t item) {
  int at = mt_list_find(l, item);
  if (at >= 0) l->item[at] = l->item[--l->n];
}

PetscErrorCode mt_trial_keep(MtEdit *e, const MtTrial *t) {
  for (int i = 0; i < t->faces.n; i++) {
    int f = t->faces.item[i];
    if (e->loop[f].n > 0) continue;
    for (int k = 0; k < t->before[i].n; k++) forget(&e->around[t->before[i].item[k]], f);
    for (int k = 0; k < t->nv; k++) forget(&e->around[t->v[k]], f);
    for (int side = 0; side < 2; side++) e->cell_faces[mt_edit_cell(e, f, side)]--;
  }
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

/* A face between grains with two edges one after the other on one wall has its corner flat on the wall: whatever its
 * triangles are, that of the corner overlaps those of the wall, and no mesher fills the grain between. */
static bool corners_leave_walls(const MtEdit *e, int w) {
  const MtIntList *a = &e->around[w];
  for (int i = 0; i < a->n; i++) {
    const MtIntList *loop = &e->loop[a->item[i]];
    const int at = mt_list_find(loop, w);
    if (loop->n == 0 || e->face_cells[2 * a->item[i] + 1] < 0) continue;
    for (int k = -1; k < 2; k++) {
      const int middle = (at + k + loop->n) % loop->n;
      const int32_t before = mt_edit_beside(loop, middle, 0, -1), after = mt_edit_beside(loop, middle, 0, 1);
      if (e->walls[before] & e->walls[loop->item[middle]] & e->walls[after]) return false;
    }
  }
  return true;
}

static bool cells_keep_their_faces(const MtEdit *e, const MtTrial *t) {
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

bool mt_trial_topology(const MtEdit *e, int v, const MtTrial *t) {
  const MtIntList *a = &e->around[v];
  if (!cells_keep_their_faces(e, t) || !faces_differ(e, v) || !edges_respect_walls(e, v) || !corners_leave_walls(e, v))
    return false;
  for (int i = 0; i < a->n; i++)
    for (int side = 0; side < 2; side++)
      if (e->loop[a->item[i]].n > 0 && !ring_closes(e, v, mt_edit_cell(e, a->item[i], side))) return false;
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

static bool face_is_flat(const MtEdit *e, const MtIntList *loop, const double before[3], const MtLimit *limit) {
  double area[3], mean[3] = {0}, flatness = cos(limit->bend), tiny = tiny_part * limit->min_edge;
  if (face_is_tiny(e, loop, tiny)) return true;
  mt_loop_area(e->x, loop->n, loop->item, area);
  if (!(dot(area, before) > turned * sqrt(dot(area, area) * dot(before, before)))) return false;
  for (int i = 0; i < loop->n; i++)
    for (int k = 0; k < 3; k++) mean[k] += e->x[3 * loop->item[i] + k] / loop->n;
  for (int i = 0; i < loop->n; i++) {
    int32_t p = loop->item[i], q = loop->item[(i + 1) % loop->n];
    double least = edge_is_tiny(e, p, q, tiny) ? limit->tiny_upright : flatness;
    if (!(fan_cosine(area, mean, &e->x[3 * p], &e->x[3 * q]) > least)) return false;
  }
  return true;
}

bool mt_trial_geometry(const MtEdit *e, const MtTrial *t, const MtLimit *limit) {
  for (int i = 0; i < t->faces.n; i++) {
    const MtIntList *loop = &e->loop[t->faces.item[i]];
    if (loop->n > 0 && !face_is_flat(e, loop, &t->area[3 * i], limit)) return false;
  }
  return true;
}

bool mt_trial_loops_simple(const MtEdit *e) {
  for (int f = 0; f < e->nfaces; f++) {
    const MtIntList *loop = &e->loop[f];
    double area[3], mean[3] = {0};
    if (loop->n == 0) continue;
    mt_loop_area(e->x, loop->n, loop->item, area);
    for (int i = 0; i < 3 * loop->n; i++) mean[i % 3] += e->x[3 * loop->item[i / 3] + i % 3] / loop->n;
    for (int i = 0; i < loop->n; i++)
      if (!(fan_cosine(area, mean, &e->x[3 * loop->item[i]], &e->x[3 * mt_edit_beside(loop, i, 0, 1)]) > 0))
        return false;
  }
  return true;
}

void mt_trial_nearest(const MtEdit *e, const MtTrial *t, int walls, const double middle[3], double x[3]) {
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
