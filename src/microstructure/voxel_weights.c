/* Smoothing shrinks what is small or thin: weights on the indicators give every grain its volume back.  Counted at
 * voxel centres; Newton's step with the diagonal alone, the density of voxels whose two largest values nearly agree. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20 };
static const double band = .1, part = .7, most_step = .05, most_weight = .4;

/* Voxels with more than one grain in reach; the others keep their label whatever the weights. */
typedef struct {
  int64_t n, room, values, room_values;
  int64_t *start; /* [n+1] */
  int32_t *grain; /* [values] */
  float *value;
} Mixed;

static void mixed_add(Mixed *m, const MtMix *mix) {
  if (m->n + 2 > m->room) {
    m->room = 2 * m->room + 1024;
    m->start = mt_realloc(m->start, (size_t)m->room * sizeof *m->start);
  }
  if (m->values + mix->n > m->room_values) {
    m->room_values = 2 * m->room_values + 4096;
    m->grain = mt_realloc(m->grain, (size_t)m->room_values * sizeof *m->grain);
    m->value = mt_realloc(m->value, (size_t)m->room_values * sizeof *m->value);
  }
  m->start[m->n++] = m->values;
  for (int i = 0; i < mix->n; i++, m->values++)
    m->grain[m->values] = mix->grain[i], m->value[m->values] = (float)mix->value[i];
  m->start[m->n] = m->values;
}

static void collect(const MtLabels *l, const MtField *f, Mixed *m, int64_t *certain) {
  MtMix mix;
  for (int k = 0; k < l->nz_local; k++)
    for (int j = 0; j < l->ny; j++)
      for (int i = 0; i < l->nx; i++) {
        const double x[3] = {(i + .5) * l->voxel[0], (j + .5) * l->voxel[1], (l->z0 + k + .5) * l->voxel[2]};
        mt_field_at(f, x, &mix);
        if (mix.n == 1)
          certain[mix.grain[0]]++;
        else
          mixed_add(m, &mix);
      }
}

/* count [2 ngrains]: voxels of each grain, then those near a change of hands. */
static void count_voxels(const Mixed *m, int ngrains, const double *weight, int64_t *count) {
  for (int64_t v = 0; v < m->n; v++) {
    double first = -INFINITY, second = -INFINITY;
    int32_t owner = 0, next = 0;
    for (int64_t i = m->start[v]; i < m->start[v + 1]; i++) {
      const double value = (double)m->value[i] + weight[m->grain[i]];
      if (value > first || (value == first && m->grain[i] < owner))
        second = first, next = owner, first = value, owner = m->grain[i];
      else if (value > second)
        second = value, next = m->grain[i];
    }
    count[owner]++;
    if (first - second < band) count[ngrains + owner]++, count[ngrains + next]++;
  }
}

static double step_of(int64_t wanted, int64_t got, int64_t near) {
  const double density = fmax(1, (double)near) / (2 * band);
  return fmax(-most_step, fmin(most_step, part * (double)(wanted - got) / density));
}

static PetscErrorCode iterate(MPI_Comm comm, const MtLabels *l, const Mixed *m, const int64_t *certain,
                              double *weight) {
  const int n = l->ngrains;
  int64_t *count = mt_calloc(2 * (size_t)n, sizeof *count);
  for (int round = 0; round < ROUNDS; round++) {
    memcpy(count, certain, (size_t)n * sizeof *count);
    memset(count + n, 0, (size_t)n * sizeof *count);
    count_voxels(m, n, weight, count);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, count, 2 * n, MPI_INT64_T, MPI_SUM, comm));
    for (int g = 0; g < n; g++) {
      const double w = weight[g] + step_of(l->voxels[g], count[g], count[n + g]);
      weight[g] = fmax(-most_weight, fmin(most_weight, w));
    }
  }
  free(count);
  return 0;
}

PetscErrorCode mt_field_weights(MPI_Comm comm, const MtLabels *l, double radius, double *weight) {
  const double h = l->voxel[2];
  Mixed m = {0};
  MtField f;
  int64_t *certain = mt_calloc((size_t)l->ngrains, sizeof *certain);
  memset(weight, 0, (size_t)l->ngrains * sizeof *weight);
  PetscErrorCode rc = mt_field_make(comm, l, radius, l->nz_local ? l->z0 * h : 1,
                                    l->nz_local ? (l->z0 + l->nz_local) * h : 0, NULL, &f);
  if (!rc) {
    collect(l, &f, &m, certain);
    rc = iterate(comm, l, &m, certain, weight);
    mt_field_free(&f);
  }
  free(certain), free(m.start), free(m.grain), free(m.value);
  return rc;
}
