/* Test meshes without a mesher: a cube grid of n^3 bricks, 6 tets each (Kuhn), shaped into a ball of radius R.
 * Up to the max-norm s0 of the cube [-1,1]^3 it is the magnet: a box with half edges a, or a ball of radius a[0];
 * beyond, each ray goes on straight to the sphere.  Region 0: "grain 0", region 1: "air"; s0 = 1: no air, and a box
 * stays a box. */
#ifndef MAGTWIN_TESTS_BALL_H
#define MAGTWIN_TESTS_BALL_H

#include "magtwin/mesh.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int n;       /* bricks along an edge */
  double s0;   /* where the magnet ends; a multiple of 2/n */
  double a[3]; /* half edges, nm; or radius a[0] */
  bool round;  /* a ball in a ball */
  double R;    /* outer radius, nm */
} Ball;

static inline void ball_point(const Ball *b, const double p[3], double x[3]) {
  const double s = fmax(fabs(p[0]), fmax(fabs(p[1]), fabs(p[2]))), len = sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
  double inner[3], outer[3], norm = 0;
  if (s == 0) {
    x[0] = x[1] = x[2] = 0;
    return;
  }
  for (int c = 0; c < 3; c++)
    inner[c] = b->round ? p[c] / len * b->a[0] : p[c] / s * b->a[c]; /* on the magnet's surface */
  for (int c = 0; c < 3; c++) norm += inner[c] * inner[c];
  for (int c = 0; c < 3; c++) outer[c] = inner[c] / sqrt(norm) * b->R;
  const double t = s <= b->s0 * (1 + 1e-12) ? 0 : (s - b->s0) / (1 - b->s0);
  for (int c = 0; c < 3; c++) x[c] = t == 0 ? inner[c] * s / b->s0 : (1 - t) * inner[c] + t * outer[c];
}

static inline void ball_regions(MtRegions *r, bool air) {
  r->n = air ? 2 : 1;
  r->kind = calloc((size_t)r->n, sizeof *r->kind);
  r->grains = malloc(sizeof(int32_t) * 4 * (size_t)r->n);
  for (int i = 0; i < 4 * r->n; i++) r->grains[i] = -1;
  r->grains[0] = 0;
  r->kind[0] = MT_REGION_GRAIN;
  r->name = calloc((size_t)r->n, sizeof *r->name);
  r->name[0] = strdup("grain 0");
  if (air) {
    r->kind[1] = MT_REGION_AIR;
    r->name[1] = strdup("air");
  }
  r->volume = calloc((size_t)r->n, sizeof(double));
  r->ngrains = 1;
  r->axis = calloc(3, sizeof(double));
  r->axis[2] = 1;
  r->center = calloc(3, sizeof(double));
}

static inline void ball_tet(MtMeshData *d, const int64_t v[4], int32_t region) {
  double x[4][3];
  int64_t *tet = d->tet + 4 * d->nt;
  for (int k = 0; k < 4; k++) {
    tet[k] = v[k];
    for (int c = 0; c < 3; c++) x[k][c] = d->x[3 * v[k] + c];
  }
  double volume = mt_tet_volume((const double(*)[3])x);
  if (volume < 0) {
    tet[2] = v[3];
    tet[3] = v[2];
    volume = -volume;
  }
  d->regions.volume[region] += volume;
  d->region[d->nt++] = region;
}

/* Six tets along the diagonal 0-7 of a brick, one for each order of the three directions. */
static inline void ball_brick(MtMeshData *d, int n, int i, int j, int k, int32_t region) {
  static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  const int64_t step[3] = {1, n + 1, (int64_t)(n + 1) * (n + 1)};
  for (int q = 0; q < 6; q++) {
    int64_t v[4] = {i + step[1] * j + step[2] * k};
    for (int c = 0; c < 3; c++) v[c + 1] = v[c] + step[order[q][c]];
    ball_tet(d, v, region);
  }
}

static inline void ball_make(const Ball *b, MtMeshData *d) {
  const int n = b->n, m = n + 1;
  *d = (MtMeshData){.nv = (int64_t)m * m * m, .size = 2 * b->a[0] / n};
  d->x = malloc(sizeof(double) * 3 * (size_t)d->nv);
  d->tet = malloc(sizeof(int64_t) * 24 * (size_t)n * (size_t)n * (size_t)n);
  d->region = malloc(sizeof(int32_t) * 6 * (size_t)n * (size_t)n * (size_t)n);
  ball_regions(&d->regions, b->s0 < 1);
  for (int64_t v = 0; v < d->nv; v++) {
    const double p[3] = {2.0 * (double)(v % m) / n - 1, 2.0 * (double)(v / m % m) / n - 1,
                         2.0 * (double)(v / m / m) / n - 1};
    ball_point(b, p, d->x + 3 * v);
  }
  for (int k = 0; k < n; k++)
    for (int j = 0; j < n; j++)
      for (int i = 0; i < n; i++) {
        const double s = fmax(fabs(2 * (i + .5) / n - 1), fmax(fabs(2 * (j + .5) / n - 1), fabs(2 * (k + .5) / n - 1)));
        ball_brick(d, n, i, j, k, s > b->s0);
      }
  d->sphere[3] = b->s0 < 1 ? b->R : 0;
  for (int c = 0; c < 3; c++) {
    d->magnet_box[c] = b->round ? -b->a[0] : -b->a[c];
    d->magnet_box[3 + c] = -d->magnet_box[c];
  }
}

/* Writes the mesh and reads it back distributed. */
static inline PetscErrorCode ball_mesh(MPI_Comm comm, const Ball *b, const char *path, MtMesh **mesh) {
  MtMeshData d = {0};
  int rank;
  MPI_Comm_rank(comm, &rank);
  if (!rank) ball_make(b, &d);
  PetscErrorCode rc = mt_mesh_data_write(comm, rank ? NULL : &d, path, "");
  mt_mesh_data_free(&d);
  return rc ? rc : mt_mesh_read(comm, path, mesh);
}

#endif
