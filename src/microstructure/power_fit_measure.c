/* Where the labelled grains are, and which voxels lie so far from their grain that the labels must be noisy. */
#include "magtwin/error.h"
#include "power_fit.h"
#include <math.h>
#include <string.h>

static const double stray_limit = 4;   /* standard deviations; the apex of a cone lies at 3.9 */
static const double noise_from = 2e-3; /* share of strays from which on labels count as noisy */
enum { MOST_TURNS = 12 };

/* Whole-number sums over the voxels of each grain, the same for any number of ranks. */
typedef struct {
  int64_t *count;         /* [n] */
  int64_t *sum, *square;  /* [3n] of the voxel numbers */
  int64_t *bounds;        /* [6n] maxima of -index and index */
  double *middle, *reach; /* [3n] voxels further from the middle than reach, in voxels, are strays */
} Moments;

static PetscErrorCode moments_alloc(int n, Moments *m) {
  PetscCall(
      PetscMalloc4((size_t)n, &m->count, 3 * (size_t)n, &m->sum, 3 * (size_t)n, &m->square, 6 * (size_t)n, &m->bounds));
  PetscCall(PetscCalloc2(3 * (size_t)n, &m->middle, 3 * (size_t)n, &m->reach));
  for (int i = 0; i < 3 * n; i++) m->reach[i] = INFINITY;
  return 0;
}

static PetscErrorCode moments_free(Moments *m) {
  PetscCall(PetscFree4(m->count, m->sum, m->square, m->bounds));
  return PetscFree2(m->middle, m->reach);
}

static void add_voxel(const int index[3], int g, Moments *m) {
  const double *middle = m->middle + 3 * g, *reach = m->reach + 3 * g;
  int64_t *bounds = m->bounds + 6 * g;
  for (int d = 0; d < 3; d++)
    if (fabs(index[d] - middle[d]) > reach[d]) return;
  m->count[g]++;
  for (int d = 0; d < 3; d++) {
    m->sum[3 * g + d] += index[d];
    m->square[3 * g + d] += (int64_t)index[d] * index[d];
    bounds[d] = bounds[d] > -index[d] ? bounds[d] : -index[d];
    bounds[3 + d] = bounds[3 + d] > index[d] ? bounds[3 + d] : index[d];
  }
}

/* *kept: voxels that are no strays. */
static PetscErrorCode sum_moments(const MtFitProblem *f, Moments *m, int64_t *kept) {
  const MtLabels *l = f->labels;
  int64_t v = 0;
  memset(m->count, 0, (size_t)f->n * sizeof *m->count);
  memset(m->sum, 0, 3 * (size_t)f->n * sizeof *m->sum);
  memset(m->square, 0, 3 * (size_t)f->n * sizeof *m->square);
  for (int i = 0; i < 6 * f->n; i++) m->bounds[i] = INT64_MIN;
  for (int k = 0; k < l->nz_local; k++)
    for (int j = 0; j < l->ny; j++)
      for (int i = 0; i < l->nx; i++, v++)
        if (l->label[v] >= 0) add_voxel((int[3]){i, j, l->z0 + k}, l->label[v], m);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, m->count, f->n, MPI_INT64_T, MPI_SUM, f->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, m->sum, 3 * f->n, MPI_INT64_T, MPI_SUM, f->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, m->square, 3 * f->n, MPI_INT64_T, MPI_SUM, f->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, m->bounds, 6 * f->n, MPI_INT64_T, MPI_MAX, f->comm));
  *kept = 0;
  for (int g = 0; g < f->n; g++) *kept += m->count[g];
  return 0;
}

/* What lies further out than stray_limit standard deviations along an axis belongs elsewhere. */
static void set_reach(int n, Moments *m) {
  for (int i = 0; i < 3 * n; i++) {
    const int g = i / 3;
    const double count = (double)m->count[g], mean = (double)m->sum[i] / count;
    m->middle[i] = mean;
    m->reach[i] = 1 + stray_limit * sqrt(fmax(0, (double)m->square[i] / count - mean * mean));
  }
}

static void use_moments(MtFitProblem *f, const Moments *m) {
  for (int i = 0; i < 3 * f->n; i++) {
    const int g = i / 3, d = i % 3;
    const double h = f->labels->voxel[d];
    f->centroid[i] = ((double)m->sum[i] / (double)m->count[g] + .5) * h;
    f->bounds[6 * g + d] = ((double)-m->bounds[6 * g + d] + .5) * h;
    f->bounds[6 * g + 3 + d] = ((double)m->bounds[6 * g + 3 + d] + .5) * h;
  }
}

/* Centroids and bounds without strays where these are many enough to be noise; each turn of leaving them out makes the
 * rest narrower, down to the grain itself. */
PetscErrorCode mt_fit_measure(MtFitProblem *f) {
  Moments m;
  int64_t kept = f->nvoxels, before;
  PetscCall(moments_alloc(f->n, &m));
  PetscCall(sum_moments(f, &m, &kept));
  use_moments(f, &m);
  for (int turn = 0; turn < MOST_TURNS; turn++) {
    before = kept;
    set_reach(f->n, &m);
    PetscCall(sum_moments(f, &m, &kept));
    if (kept == before) break;
  }
  f->strays = (double)(f->nvoxels - kept) / (double)f->nvoxels;
  if (f->strays < noise_from) f->strays = 0;
  if (f->strays > 0) use_moments(f, &m);
  return moments_free(&m);
}
