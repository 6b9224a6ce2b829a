/* Structured test meshes without a mesher: a box of bricks cut into six tets each (Kuhn), optionally bent so that the
 * outer boundary is a sphere.  Written to a file in the temporary folder and read back distributed, as any mesh is. */
#ifndef TEST_BRICK_H
#define TEST_BRICK_H

#include "magtwin/error.h"
#include "magtwin/mesh.h"
#include "magtwin/microstructure.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  int n[3];                         /* bricks */
  double lo[3], hi[3];              /* nm */
  int nregions;                     /* region i: grain i with axis[i], or air where air[i] */
  const double (*axis)[3];          /* unit */
  const bool *air;                  /* NULL: none */
  bool split;                       /* grains have nodes of their own on shared faces */
  const double (*orientation)[4];   /* of the crystals, unit quaternions; NULL: not known */
  int (*region)(const double x[3]); /* at the centre of a brick, before bending */
  double
      radius; /* nm: the box -R..R is bent so that its boundary is the sphere of radius R, see brick_ball; 0: a box */
} Brick;

static inline int64_t brick_node(const Brick *b, int i, int j, int k) {
  return ((int64_t)k * (b->n[1] + 1) + j) * (b->n[0] + 1) + i;
}

/* The cube -R/2..R/2 in the middle stays, the boundary of the cube -R..R becomes the sphere of radius R. */
static inline void brick_ball(double x[3], double R) {
  double inf = fmax(fabs(x[0]), fmax(fabs(x[1]), fabs(x[2]))) / R;
  double two = sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) / R;
  if (inf <= .5) return;
  double w = (inf - .5) / .5;
  for (int c = 0; c < 3; c++) x[c] *= 1 - w + w * inf / two;
}

static inline void brick_nodes(const Brick *b, MtMeshData *d) {
  d->nv = (int64_t)(b->n[0] + 1) * (b->n[1] + 1) * (b->n[2] + 1);
  d->x = malloc(sizeof(double) * 3 * (size_t)d->nv);
  for (int k = 0; k <= b->n[2]; k++)
    for (int j = 0; j <= b->n[1]; j++)
      for (int i = 0; i <= b->n[0]; i++) {
        int index[3] = {i, j, k};
        double *x = d->x + 3 * brick_node(b, i, j, k);
        for (int c = 0; c < 3; c++) x[c] = b->lo[c] + (b->hi[c] - b->lo[c]) * index[c] / b->n[c];
        if (b->radius > 0) brick_ball(x, b->radius);
      }
}

/* The six tets of a brick: paths from corner 000 to corner 111 along the edges. */
static inline void brick_tets(const Brick *b, const int at[3], int32_t region, MtMeshData *d) {
  static const int path[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (int p = 0; p < 6; p++) {
    int c[3] = {at[0], at[1], at[2]};
    int64_t *tet = d->tet + 4 * d->nt;
    double x[4][3];
    for (int a = 0; a < 4; a++) {
      tet[a] = brick_node(b, c[0], c[1], c[2]);
      memcpy(x[a], d->x + 3 * tet[a], sizeof x[a]);
      if (a < 3) c[path[p][a]]++;
    }
    double volume = mt_tet_volume((const double(*)[3])x);
    if (volume < 0) {
      int64_t swap = tet[2];
      tet[2] = tet[3];
      tet[3] = swap;
    }
    d->region[d->nt++] = region;
    d->regions.volume[region] += fabs(volume);
  }
}

static inline void brick_regions(const Brick *b, MtRegions *r) {
  size_t n = (size_t)b->nregions;
  r->n = r->ngrains = b->nregions;
  r->kind = calloc(n, sizeof *r->kind);
  r->grains = malloc(4 * n * sizeof *r->grains);
  r->name = malloc(n * sizeof *r->name);
  r->volume = calloc(n, sizeof *r->volume);
  r->axis = malloc(3 * n * sizeof *r->axis);
  r->center = calloc(3 * n, sizeof *r->center);
  for (int i = 0; i < b->nregions; i++) {
    char name[32];
    snprintf(name, sizeof name, "grain %d", i);
    r->name[i] = strdup(name);
    r->kind[i] = b->air && b->air[i] ? MT_REGION_AIR : MT_REGION_GRAIN;
    for (int c = 0; c < 4; c++) r->grains[4 * i + c] = c ? -1 : i;
    for (int c = 0; c < 3; c++) r->axis[3 * i + c] = b->axis[i][c];
  }
  if (!b->orientation) return;
  r->orientation = malloc(4 * n * sizeof *r->orientation);
  memcpy(r->orientation, b->orientation, 4 * n * sizeof *r->orientation);
}

static inline void brick_fill(const Brick *b, MtMeshData *d) {
  int64_t bricks = (int64_t)b->n[0] * b->n[1] * b->n[2];
  brick_nodes(b, d);
  brick_regions(b, &d->regions);
  d->tet = malloc(sizeof(int64_t) * 24 * (size_t)bricks);
  d->region = malloc(sizeof(int32_t) * 6 * (size_t)bricks);
  for (int k = 0; k < b->n[2]; k++)
    for (int j = 0; j < b->n[1]; j++)
      for (int i = 0; i < b->n[0]; i++) {
        int at[3] = {i, j, k};
        double x[3];
        for (int c = 0; c < 3; c++) x[c] = b->lo[c] + (b->hi[c] - b->lo[c]) * (at[c] + .5) / b->n[c];
        brick_tets(b, at, b->region ? b->region(x) : 0, d);
      }
  for (int c = 0; c < 3; c++) d->magnet_box[c] = b->lo[c], d->magnet_box[3 + c] = b->hi[c];
  d->sphere[3] = b->radius;
  d->size = (b->hi[0] - b->lo[0]) / b->n[0];
}

/* The mesh distributed over comm.  Collective on comm. */
static inline PetscErrorCode brick_mesh_on(const Brick *b, MPI_Comm comm, MtMesh **mesh) {
  MtMeshData d = {0};
  PetscMPIInt rank;
  char folder[] = "/tmp/magtwin-brick-XXXXXX", path[64];
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) {
    brick_fill(b, &d);
    if (b->split) mt_mesh_split_grains(&d);
    if (!mkdtemp(folder)) return mt_error(MT_ERR_FAIL, "no temporary folder");
  }
  PetscCallMPI(MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, comm));
  snprintf(path, sizeof path, "%s/mesh.h5", folder);
  PetscCall(mt_mesh_data_write(comm, rank ? NULL : &d, path, ""));
  PetscCall(mt_mesh_read(comm, path, mesh));
  if (!rank) {
    mt_mesh_data_free(&d);
    snprintf(path, sizeof path, "rm -r %s", folder);
    if (system(path)) return mt_error(MT_ERR_FAIL, "cannot remove %s", folder);
  }
  return 0;
}
static inline PetscErrorCode brick_mesh(const Brick *b, MtMesh **mesh) {
  return brick_mesh_on(b, PETSC_COMM_WORLD, mesh);
}

/* A cube of two grains, 20 nm, with as much air around it, ending on a ball; axis: of the regions grain, grain, air. */
static inline int cube_in_air(const double x[3]) {
  return fmax(fabs(x[0]), fmax(fabs(x[1]), fabs(x[2]))) < 10 ? x[0] < 0 ? 0 : 1 : 2;
}
static const bool CUBE_AIR[] = {false, false, true};
static inline Brick brick_cube_in_air(int n, const double (*axis)[3]) {
  return (Brick){.n = {n, n, n},
                 .lo = {-20, -20, -20},
                 .hi = {20, 20, 20},
                 .nregions = 3,
                 .axis = axis,
                 .air = CUBE_AIR,
                 .region = cube_in_air,
                 .radius = 20};
}

#endif
