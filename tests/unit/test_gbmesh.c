/* ranks: 1 2 */
/* Meshes with a GB phase: volumes known in closed form, conformity by counting faces, the same bits on any rank count.
 */
#include "magtwin/error.h"
#include "magtwin/microstructure.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int rank;

/* ---- 2 x 2 x 2 cubes of edge a, by hand */

static int grid(const int i[3]) {
  return i[0] + 3 * i[1] + 9 * i[2];
}

static int grain_of(const int i[3]) {
  return i[0] + 2 * i[1] + 4 * i[2];
}

static void cube_edges(MtCells *c) {
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
static void cube_face(MtCells *c, int d, int p, int u, int v) {
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

static void cubes(double a, MtCells *c) {
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

static void random_cells(int n, double edge, uint64_t seed, double inset, double min_edge, MtCells *c) {
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
  assert_int_equal(mt_cells_regularize(c, inset, min_edge), 0);
  mt_power_free(&p);
}

/* ---- checks */

typedef struct {
  int64_t v[3];
} Face;

static int compare_face(const void *a, const void *b) {
  const Face *p = a, *q = b;
  for (int k = 0; k < 3; k++)
    if (p->v[k] != q->v[k]) return p->v[k] < q->v[k] ? -1 : 1;
  return 0;
}

static int compare_id(const void *a, const void *b) {
  const int64_t *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

static bool outside(const MtMeshData *d, const Face *f) {
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
static void assert_conforming(const MtMeshData *d) {
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

static double worst_gamma(const MtMeshData *d) {
  double worst = 1;
  for (int64_t t = 0; t < d->nt; t++) {
    double y[4][3];
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = d->x[3 * d->tet[4 * t + k / 3] + k % 3];
    worst = fmin(worst, mt_tet_gamma((const double(*)[3])y));
  }
  return worst;
}

/* Volume by kind, air left out of the sum. */
static double volumes(const MtMeshData *d, double kind[MT_REGION_NKINDS]) {
  double sum = 0;
  for (int k = 0; k < MT_REGION_NKINDS; k++) kind[k] = 0;
  for (int i = 0; i < d->regions.n; i++) {
    kind[d->regions.kind[i]] += d->regions.volume[i];
    if (d->regions.kind[i] != MT_REGION_AIR) sum += d->regions.volume[i];
  }
  return sum;
}

static void mesh(MPI_Comm comm, const MtCells *c, double size, double t, int layers, double air, MtMeshData *d) {
  MtMeshOptions o = {size, t, layers, air, 0};
  MtJson *json = mt_json_new();
  assert_int_equal(mt_mesh_cells(comm, c, &o, d, json), 0);
  mt_json_free(&json);
}

/* ---- tests */

/* Planes at a and 2a cut off t/2 on either side: grains (a - t/2)^3, interfaces t (a - t/2)^2, lines t^2 (a - t/2),
 * centre t^3. */
static void cubes_have_their_volumes(void **state) {
  (void)state;
  const double a = 12, t = 2, s = a - t / 2;
  MtCells c;
  cubes(a, &c);
  for (int layers = 1; layers <= 3; layers++) {
    MtMeshData d;
    double kind[MT_REGION_NKINDS];
    mesh(PETSC_COMM_WORLD, &c, 4, t, layers, 0, &d);
    if (rank == 0) {
      assert_float_equal(volumes(&d, kind) / pow(2 * a, 3), 1, 1e-12);
      assert_float_equal(kind[MT_REGION_GRAIN], 8 * s * s * s, 1e-9);
      assert_float_equal(kind[MT_REGION_GB], 12 * t * s * s, 1e-9);
      assert_float_equal(kind[MT_REGION_TRIPLE], 6 * t * t * s, 1e-9);
      assert_float_equal(kind[MT_REGION_JUNCTION], t * t * t, 1e-9);
      assert_int_equal(d.regions.n, 8 + 12 + 6 + 1);
      for (int i = 0; i < d.regions.n; i++)
        if (d.regions.kind[i] == MT_REGION_GB) assert_float_equal(d.regions.volume[i], t * s * s, 1e-9);
      assert_true(worst_gamma(&d) > 0.05);
      assert_conforming(&d);
    }
    mt_mesh_data_free(&d);
  }
  mt_cells_free(&c);
}

static void layers_multiply_the_elements(void **state) {
  (void)state;
  MtCells c;
  int64_t count[4] = {0};
  cubes(12, &c);
  for (int layers = 1; layers <= 3; layers++) {
    MtMeshData d;
    mesh(PETSC_COMM_WORLD, &c, 6, 2, layers, 0, &d);
    for (int64_t i = 0; rank == 0 && i < d.nt; i++) count[layers] += d.regions.kind[d.region[i]] == MT_REGION_GB;
    mt_mesh_data_free(&d);
  }
  if (rank == 0) assert_true(count[1] > 0 && count[2] == 2 * count[1] && count[3] == 3 * count[1]);
  mt_cells_free(&c);
}

static void without_thickness_grains_touch(void **state) {
  (void)state;
  MtCells c;
  MtMeshData d;
  double kind[MT_REGION_NKINDS];
  random_cells(8, 40, 5, 0, 1, &c);
  mesh(PETSC_COMM_WORLD, &c, 5, 0, 1, 0, &d);
  if (rank == 0) {
    assert_float_equal(volumes(&d, kind) / 64000, 1, 1e-12);
    assert_int_equal(d.regions.n, 8);
    for (int k = 0; k < 8; k++) /* faces left a little bent by edge removal are filled in differently */
      assert_float_equal(d.regions.volume[k] / c.volume[k], 1, 1e-3);
    assert_true(worst_gamma(&d) > 0.05);
    assert_conforming(&d);
  }
  mt_mesh_data_free(&d);
  mt_cells_free(&c);
}

static void random_grains_close(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    MtCells c;
    MtMeshData d;
    double kind[MT_REGION_NKINDS];
    random_cells(8, 50, seed, 1, 2, &c);
    mesh(PETSC_COMM_WORLD, &c, 4, 2, 1 + (int)(seed % 2), seed == 1 ? 1.2 : 0, &d);
    if (rank == 0) {
      assert_float_equal(volumes(&d, kind) / 125000, 1, 1e-12);
      assert_true(worst_gamma(&d) > 0.1);
      assert_conforming(&d);
      if (seed == 1) { /* between the sphere and a polyhedron in it whose facets are 0.12 of the radius */
        double ball = 4. / 3 * 3.14159265358979 * pow(d.sphere[3], 3);
        assert_true(kind[MT_REGION_AIR] + 125000 < ball && kind[MT_REGION_AIR] + 125000 > 0.99 * ball);
      }
    }
    mt_mesh_data_free(&d);
    mt_cells_free(&c);
  }
}

/* Each rank alone, and all together: the same bits. */
static void ranks_do_not_matter(void **state) {
  (void)state;
  MtCells c;
  MtMeshData one, all;
  random_cells(6, 40, 7, 1, 2, &c);
  mesh(PETSC_COMM_SELF, &c, 4, 2, 1, 0, &one);
  mesh(PETSC_COMM_WORLD, &c, 4, 2, 1, 0, &all);
  if (rank == 0) {
    assert_int_equal(one.nv, all.nv);
    assert_int_equal(one.nt, all.nt);
    assert_memory_equal(one.x, all.x, 3 * (size_t)one.nv * sizeof(double));
    assert_memory_equal(one.tet, all.tet, 4 * (size_t)one.nt * sizeof(int64_t));
    assert_memory_equal(one.region, all.region, (size_t)one.nt * sizeof(int32_t));
  }
  mt_mesh_data_free(&one);
  mt_mesh_data_free(&all);
  mt_cells_free(&c);
}

/* Thicker than the short edges of the grains: no room everywhere, yet every grain fills and nothing is inverted. */
static void thick_layers_are_thinned(void **state) {
  (void)state;
  MtCells c;
  MtMeshData d;
  double kind[MT_REGION_NKINDS];
  random_cells(12, 40, 3, 2.5, 1, &c);
  mesh(PETSC_COMM_WORLD, &c, 4, 5, 1, 0, &d);
  if (rank == 0) {
    assert_float_equal(volumes(&d, kind) / 64000, 1, 1e-12);
    assert_true(worst_gamma(&d) > 0.1);
    assert_conforming(&d);
  }
  mt_mesh_data_free(&d);
  mt_cells_free(&c);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cubes_have_their_volumes),
      cmocka_unit_test(layers_multiply_the_elements),
      cmocka_unit_test(without_thickness_grains_touch),
      cmocka_unit_test(random_grains_close),
      cmocka_unit_test(ranks_do_not_matter),
      cmocka_unit_test(thick_layers_are_thinned),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  if (MPI_Comm_rank(PETSC_COMM_WORLD, &rank)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
