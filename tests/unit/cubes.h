/* Cell complexes for the tests of meshes with a GB phase, and what every such mesh must be. */
#include "magtwin/microstructure.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- 2 x 2 x 2 cubes of edge a, by hand */

static inline int grid(const int i[3]) {
  return i[0] + 3 * i[1] + 9 * i[2];
}

static inline int grain_of(const int i[3]) {
  return i[0] + 2 * i[1] + 4 * i[2];
}

static inline void cube_edges(MtCells *c) {
  assert_int_equal(PetscCalloc1(2 * 54, &c->edge), 0);
  for (int d = 0; d < 3; d++)
    for (int k = 0; k < 27; k++) {
      int i[3] = {k % 3, k / 3 % 3, k / 9};
      if (i[d] == 2) continue;
      c->edge[2 * c->nedges] = grid(i);
      i[d]++;
      c->edge[2 * c->nedges++ + 1] = grid(i);
    }
}

/* The face of plane p across axis d; (u,v): which quarter. */
static inline void cube_face(MtCells *c, int d, int p, int u, int v) {
  static const int corner[4][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}};
  int f = c->nfaces++, below[3], above[3];
  below[d] = p - 1, above[d] = p;
  below[(d + 1) % 3] = above[(d + 1) % 3] = u;
  below[(d + 2) % 3] = above[(d + 2) % 3] = v;
  c->face_cells[2 * f] = p == 0 ? grain_of(above) : grain_of(below);
  c->face_cells[2 * f + 1] = p == 1 ? grain_of(above) : -(2 * d + (p == 2) + 1);
  for (int k = 0; k < 4; k++) {
    int i[3], at = p == 0 ? 3 - k : k;
    i[d] = p, i[(d + 1) % 3] = u + corner[at][0], i[(d + 2) % 3] = v + corner[at][1];
    c->face_vertex[4 * f + k] = grid(i);
  }
  c->face_start[f + 1] = 4 * (f + 1);
}

static inline void cubes(double a, MtCells *c) {
  memset(c, 0, sizeof *c);
  c->ngrains = 8, c->nvertices = 27;
  for (int k = 0; k < 3; k++) c->box[3 + k] = 2 * a;
  assert_int_equal(PetscCalloc1(3 * 27, &c->x), 0);
  assert_int_equal(PetscCalloc1(27, &c->walls), 0);
  assert_int_equal(PetscCalloc1(2 * 36, &c->face_cells), 0);
  assert_int_equal(PetscCalloc1(37, &c->face_start), 0);
  assert_int_equal(PetscCalloc1(4 * 36, &c->face_vertex), 0);
  assert_int_equal(PetscCalloc1(24, &c->axis), 0);
  assert_int_equal(PetscCalloc1(24, &c->center), 0);
  assert_int_equal(PetscCalloc1(8, &c->volume), 0);
  for (int k = 0; k < 27; k++)
    for (int d = 0; d < 3; d++) {
      int i = d == 0 ? k % 3 : d == 1 ? k / 3 % 3 : k / 9;
      c->x[3 * k + d] = a * i;
      if (i != 1) c->walls[k] |= (int8_t)(1 << (2 * d + (i == 2)));
    }
  cube_edges(c);
  for (int k = 0; k < 36; k++) cube_face(c, k / 12, k / 4 % 3, k % 2, k / 2 % 2);
  for (int k = 0; k < 8; k++) c->axis[3 * k + 2] = 1, c->volume[k] = a * a * a;
}

/* ---- random grains */

static inline void centroidal_cells(int n, double edge, uint64_t seed, MtCells *c) {
  MtPower p = {.n = n, .box = {0, 0, 0, edge, edge, edge}};
  uint64_t state = seed;
  assert_int_equal(PetscCalloc1(3 * (size_t)n, &p.seed), 0);
  assert_int_equal(PetscCalloc1((size_t)n, &p.weight), 0);
  assert_int_equal(PetscCalloc1(3 * (size_t)n, &p.axis), 0);
  assert_int_equal(PetscCalloc1((size_t)n, &p.label), 0);
  for (int i = 0; i < 3 * n; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    p.seed[i] = edge * (double)(state >> 11) / 9007199254740992.0;
  }
  for (int it = 0; it < 3; it++) { /* towards the centroids: grains without splinters */
    assert_int_equal(mt_cells_build(&p, c), 0);
    memcpy(p.seed, c->center, 3 * (size_t)n * sizeof(double));
    mt_cells_free(c);
  }
  assert_int_equal(mt_cells_build(&p, c), 0);
  mt_power_free(&p);
}

static inline void random_cells(int n, double edge, uint64_t seed, double inset, double min_edge, MtCells *c) {
  centroidal_cells(n, edge, seed, c);
  assert_int_equal(mt_cells_regularize(c, inset, min_edge), 0);
}

/* ---- checks */

typedef struct {
  int64_t v[3];
} Face;

static inline int compare_face(const void *a, const void *b) {
  const Face *p = a, *q = b;
  for (int k = 0; k < 3; k++)
    if (p->v[k] != q->v[k]) return p->v[k] < q->v[k] ? -1 : 1;
  return 0;
}

static inline int compare_id(const void *a, const void *b) {
  const int64_t *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

static inline bool outside(const MtMeshData *d, const Face *f) {
  if (d->sphere[3] > 0) {
    for (int k = 0; k < 3; k++) {
      double r = 0;
      for (int m = 0; m < 3; m++) r += pow(d->x[3 * f->v[k] + m] - d->sphere[m], 2);
      if (fabs(sqrt(r) / d->sphere[3] - 1) > 1e-12) return false;
    }
    return true;
  }
  for (int w = 0; w < 6; w++) {
    bool all = true;
    for (int k = 0; k < 3; k++) all = all && d->x[3 * f->v[k] + w % 3] == d->magnet_box[w];
    if (all) return true;
  }
  return false;
}

/* Every face belongs to two tets, or to one and lies on the outside. */
static inline void assert_conforming(const MtMeshData *d) {
  Face *f = malloc(4 * (size_t)d->nt * sizeof *f);
  for (int64_t i = 0; i < 4 * d->nt; i++) {
    int n = 0;
    for (int k = 0; k < 4; k++)
      if (k != i % 4) f[i].v[n++] = d->tet[4 * (i / 4) + k];
    qsort(f[i].v, 3, sizeof(int64_t), compare_id);
  }
  qsort(f, 4 * (size_t)d->nt, sizeof *f, compare_face);
  for (int64_t i = 0, n; i < 4 * d->nt; i += n) {
    for (n = 1; i + n < 4 * d->nt && compare_face(f + i, f + i + n) == 0; n++) {}
    if (n == 1)
      assert_true(outside(d, f + i));
    else
      assert_int_equal(n, 2);
  }
  free(f);
}

static inline double worst_gamma(const MtMeshData *d) {
  double worst = 1;
  for (int64_t t = 0; t < d->nt; t++) {
    double y[4][3];
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = d->x[3 * d->tet[4 * t + k / 3] + k % 3];
    worst = fmin(worst, mt_tet_gamma((const double(*)[3])y));
  }
  return worst;
}

/* Volume by kind, air left out of the sum. */
static inline double volumes(const MtMeshData *d, double kind[MT_REGION_NKINDS]) {
  double sum = 0;
  for (int k = 0; k < MT_REGION_NKINDS; k++) kind[k] = 0;
  for (int i = 0; i < d->regions.n; i++) {
    kind[d->regions.kind[i]] += d->regions.volume[i];
    if (d->regions.kind[i] != MT_REGION_AIR) sum += d->regions.volume[i];
  }
  return sum;
}

static inline void mesh(MPI_Comm comm, const MtCells *c, double size, double t, int layers, double air, MtMeshData *d) {
  MtMeshOptions o = {.size = size, .thickness = t, .layers = layers, .air_radius = air};
  MtJson *json = mt_json_new();
  assert_int_equal(mt_mesh_cells(comm, c, &o, d, json), 0);
  mt_json_free(&json);
}
