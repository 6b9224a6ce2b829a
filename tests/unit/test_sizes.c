/* ranks: 1 2 */
/* Edge lengths of finished meshes against what was asked: at the phase, growing with the distance from it, and in the
 * middle of grains. */
#include "cubes.h"

enum { BINS = 6 };
static int rank;

/* Of the point x in its cube of edge a: from the nearest plane between or around the cubes, before the inset. */
static double depth_of(const double x[3], double a) {
  double least = INFINITY;
  for (int k = 0; k < 3; k++) {
    const double in_cube = x[k] > a ? x[k] - a : x[k];
    least = fmin(least, fmin(in_cube, a - in_cube));
  }
  return least;
}

/* Sums over edges inside grains, by depth: of their lengths, of the asked ones, and how many; an edge counts once for
 * every tet. */
typedef struct {
  double length[BINS], asked[BINS], n[BINS];
  double surface, nsurface; /* of those in the surface of a grain */
} Sizes;

static void take_edge(const MtMeshOptions *o, double a, const double *p, const double *q, Sizes *s) {
  double middle[3], length = 0;
  for (int k = 0; k < 3; k++) middle[k] = (p[k] + q[k]) / 2, length += (p[k] - q[k]) * (p[k] - q[k]);
  const double depth = depth_of(middle, a), least = fmin(depth_of(p, a), depth_of(q, a));
  if (depth < o->thickness / 2 + 1e-6) s->surface += sqrt(length), s->nsurface++;
  if (least < o->thickness / 2 + 1e-6) return; /* those that end at the surface have half of its size */
  const int bin = (int)fmin(BINS - 1, BINS * depth / (a / 2));
  s->length[bin] += sqrt(length), s->n[bin]++;
  s->asked[bin] += fmax(o->size, fmin(o->inner_size, o->size + o->growth * depth));
}

static Sizes measure(const MtMeshData *d, const MtMeshOptions *o, double a) {
  Sizes s = {.surface = 0};
  for (int64_t t = 0; t < d->nt; t++)
    for (int k = 0; k < 6; k++) {
      static const int end[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};
      if (d->regions.kind[d->region[t]] != MT_REGION_GRAIN) continue;
      take_edge(o, a, d->x + 3 * d->tet[4 * t + end[k][0]], d->x + 3 * d->tet[4 * t + end[k][1]], &s);
    }
  return s;
}

/* Mean edge over what was asked: in all, and at each depth that has enough edges to tell. */
static void assert_sizes(double inner, double growth, double whole, double each) {
  const double a = 30;
  const MtMeshOptions o = {.size = 2.5, .thickness = 3, .layers = 1, .inner_size = inner, .growth = growth};
  MtCells c;
  MtMeshData d;
  MtJson *json = mt_json_new();
  cubes(a, &c);
  assert_int_equal(mt_mesh_cells(PETSC_COMM_WORLD, &c, &o, &d, json), 0);
  if (rank == 0) {
    const Sizes s = measure(&d, &o, a);
    double length = 0, asked = 0;
    for (int b = 0; b < BINS; b++) {
      length += s.length[b], asked += s.asked[b];
      const double ratio = s.length[b] / s.asked[b];
      if (s.n[b] > 1000 && !(fabs(ratio - 1) < each))
        fail_msg("growth %g, bin %d: edges are %.3f of what was asked", growth, b, ratio);
    }
    if (!(fabs(length / asked - 1) < whole))
      fail_msg("growth %g: edges are %.3f of what was asked", growth, length / asked);
    const double at_phase = s.surface / s.nsurface / o.size;
    if (!(fabs(at_phase - 1) < 0.1)) fail_msg("at the surface edges are %.3f of mesh.size", at_phase);
    assert_true(worst_gamma(&d) > 0.15);
  }
  mt_json_free(&json);
  mt_mesh_data_free(&d);
  mt_cells_free(&c);
}

static void one_size_everywhere(void **state) {
  (void)state;
  assert_sizes(0, 0.3, 0.02, 0.05);
}

static void edges_grow_as_asked(void **state) {
  (void)state;
  assert_sizes(8, 0.1, 0.02, 0.05);
  assert_sizes(8, 0.3, 0.03, 0.1);
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_size_everywhere), cmocka_unit_test(edges_grow_as_asked)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
