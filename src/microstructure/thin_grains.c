/* Grains thinner than the phase between them: an inset of half the thickness from all sides would turn them inside
 * out.  Told before anything is made, since what makes room for the phase would move their boundaries instead. */
#include "thin_grains.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- cells */

/* Faces of each grain: list[start[g] .. start[g+1]-1]. */
static void faces_of_grains(const MtCells *c, int **start, int **list) {
  int *s = mt_calloc((size_t)c->ngrains + 2, sizeof *s);
  for (int i = 0; i < 2 * c->nfaces; i++)
    if (c->face_cells[i] >= 0) s[c->face_cells[i] + 2]++;
  for (int g = 0; g < c->ngrains; g++) s[g + 2] += s[g + 1];
  *list = mt_malloc((size_t)s[c->ngrains + 1] * sizeof **list);
  for (int i = 0; i < 2 * c->nfaces; i++)
    if (c->face_cells[i] >= 0) (*list)[s[c->face_cells[i] + 1]++] = i / 2;
  *start = s;
}

/* Unit normal of a face and a point of it (sum over its loop: Newell's). */
static void plane_of(const MtCells *c, int f, double n[3], const double **at) {
  const int first = c->face_start[f], count = c->face_start[f + 1] - first;
  memset(n, 0, 3 * sizeof *n);
  for (int i = 0; i < count; i++) {
    const double *p = c->x + 3 * c->face_vertex[first + i], *q = c->x + 3 * c->face_vertex[first + (i + 1) % count];
    for (int k = 0; k < 3; k++) {
      const int a = (k + 1) % 3, b = (k + 2) % 3;
      n[k] += (p[a] - q[a]) * (p[b] + q[b]);
    }
  }
  const double length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  for (int k = 0; k < 3; k++) n[k] /= fmax(length, 1e-300);
  *at = c->x + 3 * c->face_vertex[first];
}

static double half_thickness(const MtCells *c, int f, double thickness) {
  if (c->face_cells[2 * f] < 0 || c->face_cells[2 * f + 1] < 0) return 0;
  return (c->thickness ? c->thickness[f] : thickness) / 2;
}

/* Distance of the grain's furthest vertex from a face; *wall: all that are nearly as far lie on one wall. */
static double width_from(const MtCells *c, int n, const int *face, int f, bool *wall) {
  double normal[3], most = 0;
  const double *at;
  unsigned common = 0;
  plane_of(c, f, normal, &at);
  for (int pass = 0; pass < 2; pass++) {
    if (pass) common = 63;
    for (int i = 0; i < n; i++)
      for (int v = c->face_start[face[i]]; v < c->face_start[face[i] + 1]; v++) {
        const double *x = c->x + 3 * c->face_vertex[v];
        const double d = fabs((x[0] - at[0]) * normal[0] + (x[1] - at[1]) * normal[1] + (x[2] - at[2]) * normal[2]);
        if (!pass) most = fmax(most, d);
        if (pass && d > .98 * most) common &= (unsigned)c->walls[c->face_vertex[v]];
      }
  }
  *wall = common != 0;
  return most;
}

int mt_cells_too_thin(const MtCells *c, double thickness, double *width) {
  int *start, *list, worst = -1;
  double least = 1;
  faces_of_grains(c, &start, &list);
  for (int g = 0; g < c->ngrains; g++) {
    const int n = start[g + 1] - start[g], *face = list + start[g];
    double thinnest = INFINITY; /* that another side takes at least */
    for (int i = 0; i < n; i++) {
      const double h = half_thickness(c, face[i], thickness);
      if (h > 0) thinnest = fmin(thinnest, h);
    }
    for (int i = 0; i < n; i++) {
      bool wall;
      const double h = half_thickness(c, face[i], thickness), w = width_from(c, n, face, face[i], &wall);
      const double room = h > 0 ? w / (h + (wall ? 0 : thinnest)) : INFINITY;
      if (room < least) least = room, worst = g, *width = w;
    }
  }
  free(start);
  free(list);
  return worst;
}

/* ---- voxels */

typedef struct {
  int i, j, k;
  double far; /* nm */
} Offset;

static int by_distance(const void *a, const void *b) {
  const Offset *x = a, *y = b;
  return (x->far > y->far) - (x->far < y->far);
}

/* Voxels whose centres are nearer than `reach`, the nearest first. */
static int list_offsets(const double voxel[3], double reach, Offset **list) {
  int most[3], n = 0;
  for (int d = 0; d < 3; d++) most[d] = (int)(reach / voxel[d]);
  *list = mt_malloc((size_t)(2 * most[0] + 1) * (size_t)(2 * most[1] + 1) * (size_t)(2 * most[2] + 1) * sizeof **list);
  for (int k = -most[2]; k <= most[2]; k++)
    for (int j = -most[1]; j <= most[1]; j++)
      for (int i = -most[0]; i <= most[0]; i++) {
        const double x = i * voxel[0], y = j * voxel[1], z = k * voxel[2], far = sqrt(x * x + y * y + z * z);
        if (far > 0 && far < reach) (*list)[n++] = (Offset){i, j, k, far};
      }
  qsort(*list, (size_t)n, sizeof **list, by_distance);
  return n;
}

/* Distance of the nearest voxel of another label, `reach` if none is nearer. */
static double room_at(const MtField *f, int n, const Offset *list, const int at[3], double reach) {
  const int32_t *label = f->label;
  const int64_t slice = (int64_t)f->n[0] * f->n[1];
  const int32_t own = label[slice * (at[2] - f->z0) + (int64_t)at[1] * f->n[0] + at[0]];
  for (int m = 0; m < n; m++) {
    const int x = at[0] + list[m].i, y = at[1] + list[m].j, z = at[2] + list[m].k;
    if (x < 0 || y < 0 || z < 0 || x >= f->n[0] || y >= f->n[1] || z >= f->n[2]) continue; /* a wall has no phase */
    if (label[slice * (z - f->z0) + (int64_t)y * f->n[0] + x] != own) return list[m].far;
  }
  return reach;
}

/* A grain with room `reach` is not looked at again. */
static void rooms(const MtLabels *l, const MtField *f, double reach, double *room) {
  Offset *list;
  const int n = list_offsets(l->voxel, reach, &list);
  for (int k = l->z0; k < l->z0 + l->nz_local; k++)
    for (int j = 0; j < l->ny; j++)
      for (int i = 0; i < l->nx; i++) {
        const int32_t g = l->label[((int64_t)(k - l->z0) * l->ny + j) * l->nx + i];
        if (g < 0 || room[g] >= reach) continue;
        room[g] = fmax(room[g], room_at(f, n, list, (const int[3]){i, j, k}, reach));
      }
  free(list);
}

PetscErrorCode mt_labels_too_thin(MPI_Comm comm, const MtLabels *l, double thickness, int *grain, double *width) {
  const double reach = thickness / 2 * (1 + 1e-9), h = l->voxel[2];
  MtField f;
  PetscCall(mt_field_make(comm, l, reach, l->nz_local ? l->z0 * h : 1, l->nz_local ? (l->z0 + l->nz_local) * h : 0,
                          NULL, &f));
  double *room = mt_calloc((size_t)l->ngrains + 1, sizeof *room);
  rooms(l, &f, reach, room);
  mt_field_free(&f);
  PetscErrorCode rc = MPI_Allreduce(MPI_IN_PLACE, room, l->ngrains, MPI_DOUBLE, MPI_MAX, comm);
  *grain = -1;
  for (int g = l->ngrains - 1; g >= 0; g--)
    if (room[g] < reach) *grain = g, *width = 2 * room[g];
  free(room);
  return rc;
}
