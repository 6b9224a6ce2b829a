/* The lattice: corners and centres of cells, and centres of faces on the walls, so that the walls are flat.  Points too
 * close to a boundary step back from it, so that it cuts edges near their middle. */
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 3 };
static const double margin = .2; /* of the spacing: least distance of a point from a boundary */

void mt_lattice_size(MPI_Comm comm, const double box[3], double size, MtLattice *l) {
  int rank, nranks;
  int64_t start, n;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &nranks);
  memset(l, 0, sizeof *l);
  for (int k = 0; k < 3; k++) {
    l->n[k] = (int)fmax(2, floor(box[k] / (1.1 * size) + .5)); /* mean edge of the lattice's tets: 0.91 spacings */
    l->a[k] = box[k] / l->n[k], l->box[k] = box[k];
  }
  mt_slab(l->n[2], rank, nranks, &start, &n);
  l->k0 = (int)start, l->k1 = (int)(start + n);
  l->plane0 = 2 * l->k0;
  l->nplanes = n == 0 ? 0 : l->k1 == l->n[2] ? 2 * (int)n + 1 : 2 * (int)n + 2;
}

void mt_lattice_free(MtLattice *l) {
  free(l->x), free(l->label);
  l->x = NULL, l->label = NULL;
}

int64_t mt_lattice_id(const MtLattice *l, int i, int j, int k) {
  return ((int64_t)k * (2 * l->n[1] + 1) + j) * (2 * l->n[0] + 1) + i;
}

int64_t mt_lattice_at(const MtLattice *l, int64_t id) {
  return id - mt_lattice_id(l, 0, 0, l->plane0);
}

static bool is_point(const MtLattice *l, const int i[3]) {
  int odd = 0, wall = 0;
  for (int k = 0; k < 3; k++) odd += i[k] & 1, wall += i[k] == 0 || i[k] == 2 * l->n[k];
  return odd == 0 || odd == 3 || (odd == 2 && wall == 1);
}

/* Distance to the nearest boundary as its slope tells, and the unit direction away from it. */
static double distance(const MtMix *mix, int32_t own, double away[3]) {
  const int p = mt_mix_find(mix, own);
  double least = INFINITY;
  for (int q = 0; q < mix->n && p >= 0; q++) {
    double g[3], length = 0;
    if (q == p) continue;
    for (int k = 0; k < 3; k++) g[k] = mix->slope[p][k] - mix->slope[q][k], length += g[k] * g[k];
    length = sqrt(length);
    const double d = (mix->value[p] - mix->value[q]) / fmax(length, 1e-300);
    if (d >= least) continue;
    least = d;
    for (int k = 0; k < 3; k++) away[k] = g[k] / fmax(length, 1e-300);
  }
  return least;
}

/* Each step moves away from the boundary that is nearest then; never by more than the margin in all. */
static void step_back(const MtField *f, const MtLattice *l, const int i[3], int32_t own, double x[3]) {
  const double want = margin * (l->a[0] + l->a[1] + l->a[2]) / 3, from[3] = {x[0], x[1], x[2]};
  MtMix mix;
  for (int step = 0; step < STEPS; step++) {
    double away[3] = {0, 0, 0}, moved = 0;
    mt_field_at(f, x, &mix);
    const double d = distance(&mix, own, away);
    if (d >= want) return;
    for (int k = 0; k < 3; k++) {
      if (i[k] > 0 && i[k] < 2 * l->n[k]) x[k] += (want - d) * away[k];
      moved += (x[k] - from[k]) * (x[k] - from[k]);
    }
    moved = sqrt(moved);
    for (int k = 0; k < 3 && moved > want; k++) x[k] = from[k] + (x[k] - from[k]) * want / moved;
  }
}

static void fill_point(const MtField *f, const MtLattice *l, const int i[3], double x[3], int32_t *label) {
  MtMix mix;
  for (int k = 0; k < 3; k++) x[k] = i[k] == 2 * l->n[k] ? l->box[k] : l->a[k] * i[k] / 2;
  mt_field_at(f, x, &mix);
  *label = mix.grain[mt_mix_largest(&mix)];
  if (mix.n > 1) step_back(f, l, i, *label, x);
}

void mt_lattice_fill(const MtField *f, MtLattice *l) {
  const size_t n = (size_t)(2 * l->n[0] + 1) * (size_t)(2 * l->n[1] + 1) * (size_t)l->nplanes;
  l->x = mt_malloc(3 * n * sizeof *l->x);
  l->label = mt_malloc(n * sizeof *l->label);
  for (int k = l->plane0; k < l->plane0 + l->nplanes; k++)
    for (int j = 0; j <= 2 * l->n[1]; j++)
      for (int i = 0; i <= 2 * l->n[0]; i++) {
        const int at[3] = {i, j, k};
        const int64_t v = mt_lattice_at(l, mt_lattice_id(l, i, j, k));
        l->label[v] = -1;
        if (is_point(l, at)) fill_point(f, l, at, l->x + 3 * v, l->label + v);
      }
}
