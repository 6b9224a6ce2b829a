/* ranks: 1 2 */
/* Meshes cut from a lattice: grains of any form keep their volumes, angles are bounded, faces fit, walls are flat, and
 * the number of ranks does not matter. */
#include "../../src/microstructure/measured.h"
#include "../../src/microstructure/mesh_report.h"
#include "../../src/microstructure/voxel.h"
#include "magtwin/error.h"
#include "refused.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int rank;

/* ---- labels; places in voxels */

typedef int (*Form)(double x, double y, double z);

static int two_spheres(double x, double y, double z) { /* one of them at a wall */
  if (pow(x - 8, 2) + pow(y - 9, 2) + pow(z - 10, 2) < 36) return 1;
  return pow(x - 20, 2) + pow(y - 13, 2) + pow(z - 3, 2) < 25 ? 2 : 0;
}

static int gyroid(double x, double y, double z) {
  const double k = 2 * 3.141592653589793 / 24;
  return sin(k * x) * cos(k * y) + sin(k * y) * cos(k * z) + sin(k * z) * cos(k * x) > .2;
}

static double pseudo(int64_t i) {
  uint64_t s = (uint64_t)i * 0x9E3779B97F4A7C15u;
  s = (s ^ s >> 30) * 0xBF58476D1CE4E5B9u;
  s = (s ^ s >> 27) * 0x94D049BB133111EBu;
  return (double)((s ^ s >> 31) >> 11) / 9007199254740992.0;
}

static int voronoi(double x, double y, double z) {
  int best = 0;
  double least = INFINITY;
  for (int g = 0; g < 20; g++) {
    const double d =
        pow(x - 24 * pseudo(3 * g + 1), 2) + pow(y - 20 * pseudo(3 * g + 2), 2) + pow(z - 22 * pseudo(3 * g + 3), 2);
    if (d < least) least = d, best = g;
  }
  return best;
}

/* Every tenth voxel near a boundary takes the label of a point 1.5 voxels away. */
static int jagged(double x, double y, double z) {
  const int64_t i = (int64_t)(x + 100 * y + 10000 * z) * 5;
  if (pseudo(i) > .1) return voronoi(x, y, z);
  return voronoi(x + 3 * (pseudo(i + 1) - .5), y + 3 * (pseudo(i + 2) - .5), z + 3 * (pseudo(i + 3) - .5));
}

static void labels_make(MPI_Comm comm, Form form, int nx, int ny, int nz, MtLabels *l) {
  memset(l, 0, sizeof *l);
  assert_int_equal(mt_labels_layout(comm, nx, ny, nz, l), 0);
  for (int k = 0; k < 3; k++) l->voxel[k] = 2;
  int64_t v = 0;
  int n = 0;
  for (int k = l->z0; k < l->z0 + l->nz_local; k++)
    for (int j = 0; j < ny; j++)
      for (int i = 0; i < nx; i++, v++) {
        l->label[v] = form(i + .5, j + .5, k + .5);
        if (l->label[v] >= n) n = l->label[v] + 1;
      }
  MPI_Allreduce(&n, &l->ngrains, 1, MPI_INT, MPI_MAX, comm);
  assert_int_equal(mt_labels_count(comm, l), 0);
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

static bool on_wall(const MtVoxelMesh *m, const Face *f) {
  for (int w = 0; w < 6; w++) {
    bool all = true;
    for (int k = 0; k < 3; k++) all = all && m->node[f->v[k]].x[w % 3] == (w < 3 ? 0 : m->box[w - 3]);
    if (all) return true;
  }
  return false;
}

static void assert_conforming(const MtVoxelMesh *m) {
  Face *f = malloc(4 * (size_t)m->nt * sizeof *f);
  for (int64_t i = 0; i < 4 * m->nt; i++) {
    int n = 0;
    for (int k = 0; k < 4; k++)
      if (k != i % 4) f[i].v[n++] = m->tet[4 * (i / 4) + k];
    qsort(f[i].v, 3, sizeof(int64_t), compare_id);
  }
  qsort(f, 4 * (size_t)m->nt, sizeof *f, compare_face);
  for (int64_t i = 0, n; i < 4 * m->nt; i += n) {
    for (n = 1; i + n < 4 * m->nt && compare_face(f + i, f + i + n) == 0; n++) {}
    if (n == 1)
      assert_true(on_wall(m, f + i));
    else
      assert_int_equal(n, 2);
  }
  free(f);
}

typedef struct {
  double low, high, least_volume, sum, worst; /* degrees, nm3, and the largest relative error of a grain's volume */
} Shape;

static Shape shape_of(const MtVoxelMesh *m, const MtLabels *l) {
  Shape s = {180, 0, INFINITY, 0, 0};
  double *volume = malloc((size_t)l->ngrains * sizeof *volume);
  for (int64_t t = 0; t < m->nt; t++) {
    double y[4][3], low, high;
    for (int k = 0; k < 4; k++) memcpy(y[k], m->node[m->tet[4 * t + k]].x, sizeof y[k]);
    mt_tet_dihedral((const double(*)[3])y, &low, &high);
    const double v = mt_tet_volume((const double(*)[3])y);
    s.low = fmin(s.low, low), s.high = fmax(s.high, high), s.least_volume = fmin(s.least_volume, v), s.sum += v;
  }
  mt_voxel_volumes(m, l->ngrains, volume);
  for (int g = 0; g < l->ngrains; g++) s.worst = fmax(s.worst, fabs(volume[g] / (8. * (double)l->voxels[g]) - 1));
  free(volume);
  return s;
}

/* Volumes within 2 %, angles between 8 and 160 degrees: what issue and README promise. */
static void check(Form form, int nx, int ny, int nz, double size) {
  MtLabels l;
  MtVoxelMesh m;
  labels_make(PETSC_COMM_WORLD, form, nx, ny, nz, &l);
  assert_int_equal(mt_voxel_build(PETSC_COMM_WORLD, &l, size, &m), 0);
  if (rank == 0) {
    const Shape s = shape_of(&m, &l);
    print_message("# %lld nodes, %lld tets, angles %.1f to %.1f, volumes within %.2g %%\n", (long long)m.nv,
                  (long long)m.nt, s.low, s.high, 100 * s.worst);
    assert_true(s.least_volume > 0);
    assert_true(fabs(s.sum / (8. * nx * ny * nz) - 1) < 1e-12);
    assert_true(s.low > 8 && s.high < 160);
    assert_true(s.worst < .02);
    assert_conforming(&m);
  }
  mt_voxel_free(&m);
  mt_labels_free(&l);
}

static void spheres_keep_their_volume(void **state) {
  (void)state;
  check(two_spheres, 26, 22, 20, 4);
}

static void a_gyroid_is_cut_in_two(void **state) {
  (void)state;
  check(gyroid, 24, 24, 24, 5);
}

static void twenty_cells(void **state) {
  (void)state;
  check(voronoi, 24, 20, 22, 4);
}

static void jagged_labels(void **state) {
  (void)state;
  check(jagged, 24, 20, 22, 4);
}

/* Bit for bit the mesh that one rank makes alone. */
static void ranks_do_not_matter(void **state) {
  MtLabels l;
  MtVoxelMesh m, alone;
  (void)state;
  labels_make(PETSC_COMM_WORLD, gyroid, 13, 11, 15, &l);
  assert_int_equal(mt_voxel_build(PETSC_COMM_WORLD, &l, 4, &m), 0);
  mt_labels_free(&l);
  if (rank == 0) {
    labels_make(PETSC_COMM_SELF, gyroid, 13, 11, 15, &l);
    assert_int_equal(mt_voxel_build(PETSC_COMM_SELF, &l, 4, &alone), 0);
    assert_int_equal(m.nv, alone.nv);
    assert_int_equal(m.nt, alone.nt);
    assert_memory_equal(m.tet, alone.tet, 4 * (size_t)m.nt * sizeof *m.tet);
    assert_memory_equal(m.grain, alone.grain, (size_t)m.nt * sizeof *m.grain);
    for (int64_t v = 0; v < m.nv; v++) assert_memory_equal(m.node[v].x, alone.node[v].x, sizeof m.node[v].x);
    mt_labels_free(&l);
    mt_voxel_free(&alone);
  }
  mt_voxel_free(&m);
}

static int thin_plate(double x, double y, double z) {
  (void)y, (void)z;
  return (int)(x / 1.5) == 3;
}

static void a_grain_that_is_missed_is_named(void **state) {
  MtLabels l;
  MtVoxelMesh m;
  (void)state;
  labels_make(PETSC_COMM_WORLD, thin_plate, 12, 8, 8, &l);
  assert_refused(mt_voxel_build(PETSC_COMM_WORLD, &l, 20, &m), "grain 1 (");
  mt_voxel_free(&m);
  mt_labels_free(&l);
}

/* ---- with a layer */

static double thickness_of(const MtMeshData *d) { /* nm: over all boundaries, from volumes and contact areas */
  MtFaceReport r;
  assert_int_equal(mt_mesh_faces(d, &r), 0);
  assert_int_equal(r.broken_faces, 0);
  assert_true(fabs(r.boundary_area / (2 * (48. * 40 + 48 * 44 + 40 * 44)) - 1) < 1e-12);
  assert_int_equal(PetscFree(r.thickness), 0);
  return r.thickness_mean;
}

static void assert_layer(const MtMeshData *d, double thickness) {
  MtQuality q;
  double sum = 0, low = 180, high = 0;
  int kinds[MT_REGION_NKINDS] = {0};
  mt_mesh_quality(d, &q);
  for (int k = 0; k < MT_REGION_AIR; k++) {
    low = fmin(low, q.kind[k].dihedral_min), high = fmax(high, q.kind[k].dihedral_max);
    assert_int_equal(q.kind[k].inverted, 0);
    assert_true(q.kind[k].ntets > 0);
  }
  for (int i = 0; i < d->regions.n; i++) sum += d->regions.volume[i], kinds[d->regions.kind[i]]++;
  const double t = thickness_of(d);
  print_message("# layer of %g nm: %.4f, angles %.1f to %.1f, %d boundaries, %d triple lines, %d junctions\n",
                thickness, t, low, high, kinds[MT_REGION_GB], kinds[MT_REGION_TRIPLE], kinds[MT_REGION_JUNCTION]);
  assert_true(fabs(sum / (48. * 40 * 44) - 1) < 1e-9);
  assert_true(fabs(t / thickness - 1) < .01);
  assert_true(low > 8 && high < 160);
}

static void a_layer_between_the_cells(void **state) {
  const MtMeshOptions o = {.size = 4, .thickness = 1, .layers = 1};
  MtLabels l;
  MtMeshData d;
  MtJson *json = mt_json_new();
  (void)state;
  memset(&d, 0, sizeof d);
  labels_make(PETSC_COMM_WORLD, voronoi, 24, 20, 22, &l);
  l.axis = calloc(3 * (size_t)l.ngrains, sizeof *l.axis);
  assert_int_equal(mt_mesh_labels(PETSC_COMM_WORLD, &l, &o, &d, json), 0);
  if (rank == 0) assert_layer(&d, 1);
  mt_mesh_data_free(&d);
  mt_labels_free(&l);
  mt_json_free(&json);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spheres_keep_their_volume),
      cmocka_unit_test(a_gyroid_is_cut_in_two),
      cmocka_unit_test(twenty_cells),
      cmocka_unit_test(jagged_labels),
      cmocka_unit_test(ranks_do_not_matter),
      cmocka_unit_test(a_grain_that_is_missed_is_named),
      cmocka_unit_test(a_layer_between_the_cells),
  };
  PetscInitialize(&argc, &argv, NULL, NULL);
  mt_error_install();
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
