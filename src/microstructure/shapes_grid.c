/* A box as a grid of bricks, each cut into five or six tetrahedra (shapes.h).  Layer planes are planes of the grid. */
#include "magtwin/error.h"
#include "shapes.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  int n[3];         /* bricks */
  double *plane[3]; /* [n+1] nm */
  int *layer;       /* [n[axis]] */
} Grid;

static int bricks(double length, double size) {
  const int n = (int)ceil(length / size - 1e-9);
  return n < 1 ? 1 : n;
}

static PetscErrorCode plane_across(const MtShape *s, int d, Grid *g) {
  g->n[d] = bricks(s->edge[d], s->spacing[d]);
  PetscCall(PetscMalloc1(g->n[d] + 1, &g->plane[d]));
  for (int i = 0; i <= g->n[d]; i++) g->plane[d][i] = s->edge[d] * i / g->n[d];
  return 0;
}

static PetscErrorCode plane_along(const MtShape *s, Grid *g) {
  const int d = s->axis;
  double at = 0;
  int k = 0;
  g->n[d] = 0;
  for (int l = 0; l < s->nlayers; l++) g->n[d] += bricks(s->layer[l], s->spacing[d]);
  PetscCall(PetscMalloc1(g->n[d] + 1, &g->plane[d]));
  PetscCall(PetscMalloc1(g->n[d], &g->layer));
  for (int l = 0; l < s->nlayers; at += s->layer[l++]) {
    const int n = bricks(s->layer[l], s->spacing[d]);
    for (int i = 0; i < n; i++, k++) {
      g->plane[d][k] = at + s->layer[l] * i / n;
      g->layer[k] = l;
    }
  }
  g->plane[d][k] = s->edge[d];
  return 0;
}

static void add_tet(const int64_t corner[8], const int q[4], int turn, int32_t region, MtMeshData *m) {
  for (int c = 0; c < 4; c++) m->tet[4 * m->nt + c] = corner[q[c] ^ turn];
  m->region[m->nt++] = region;
}

void mt_shape_cut(const MtShape *s, const int64_t corner[8], const int at[3], int32_t region, MtMeshData *m) {
  static const int five[5][4] = {{0, 3, 5, 6}, {1, 0, 3, 5}, {2, 3, 0, 6}, {4, 5, 6, 0}, {7, 6, 5, 3}};
  static const int six[6][4] = {{0, 1, 3, 7}, {0, 1, 5, 7}, {0, 2, 3, 7}, {0, 2, 6, 7}, {0, 4, 5, 7}, {0, 4, 6, 7}};
  const int odd = (at[0] & 1) | (at[1] & 1) << 1 | (at[2] & 1) << 2;
  if (s->cut == 6)
    for (int t = 0; t < 6; t++) add_tet(corner, six[t], odd, region, m);
  else
    for (int t = 0; t < 5; t++) add_tet(corner, five[t], (at[0] + at[1] + at[2]) & 1, region, m);
}

static void cut_brick(const MtShape *s, const Grid *g, const int at[3], int32_t region, MtMeshData *m) {
  int64_t corner[8];
  for (int q = 0; q < 8; q++) {
    const int64_t x = at[0] + (q & 1), y = at[1] + (q >> 1 & 1), z = at[2] + (q >> 2);
    corner[q] = (z * (g->n[1] + 1) + y) * (g->n[0] + 1) + x;
  }
  mt_shape_cut(s, corner, at, region, m);
}

static PetscErrorCode allocate(const MtShape *s, const Grid *g, MtMeshData *m) {
  const int64_t nbricks = (int64_t)g->n[0] * g->n[1] * g->n[2];
  m->nv = (int64_t)(g->n[0] + 1) * (g->n[1] + 1) * (g->n[2] + 1);
  m->x = malloc(sizeof(double) * 3 * (size_t)m->nv);
  m->tet = malloc(sizeof(int64_t) * 4 * (size_t)s->cut * (size_t)nbricks);
  m->region = malloc(sizeof(int32_t) * (size_t)s->cut * (size_t)nbricks);
  if (!m->x || !m->tet || !m->region)
    return mt_error(MT_ERR_FAIL, "no memory for a grid of %d x %d x %d bricks; choose a larger mesh.size", g->n[0],
                    g->n[1], g->n[2]);
  return 0;
}

static void fill(const MtShape *s, const Grid *g, MtMeshData *m) {
  int64_t v = 0;
  for (int k = 0; k <= g->n[2]; k++)
    for (int j = 0; j <= g->n[1]; j++)
      for (int i = 0; i <= g->n[0]; i++, v++) {
        m->x[3 * v] = g->plane[0][i];
        m->x[3 * v + 1] = g->plane[1][j];
        m->x[3 * v + 2] = g->plane[2][k];
      }
  m->nt = 0;
  for (int k = 0; k < g->n[2]; k++)
    for (int j = 0; j < g->n[1]; j++)
      for (int i = 0; i < g->n[0]; i++) {
        const int at[3] = {i, j, k};
        cut_brick(s, g, at, g->layer[at[s->axis]], m);
      }
}

PetscErrorCode mt_shape_grid(const MtShape *s, MtMeshData *mesh) {
  Grid g = {0};
  for (int d = 0; d < 3; d++) PetscCall(d == s->axis ? plane_along(s, &g) : plane_across(s, d, &g));
  PetscErrorCode rc = allocate(s, &g, mesh);
  if (!rc) fill(s, &g, mesh);
  for (int d = 0; d < 3; d++) PetscCall(PetscFree(g.plane[d]));
  PetscCall(PetscFree(g.layer));
  return rc;
}
