/* How sure a label is: how far a voxel lies from the boundary of its grain, in the uncertainty of that boundary's
 * place.
 *
 * A crest of strength S, smoothed by sigma, is moved by noise of strength N by about sigma N / S; to this comes the
 * misfit of the drift.  A voxel whose nearest other label is d px away has the boundary somewhere between d - 1 and d
 * from its centre, anywhere alike: the probability that it is on its own side is the mean of that of a Gaussian number
 * below these distances.  The two factors that the size of the uncertainty needs are measured on generated stacks
 * (docs/numerics.md), where what is stated is compared with the truth. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/units.h"
#include "segment.h"
#include "slabs.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double spread = 1.8; /* of the place, over sigma N / S and the drift's misfit */
static const double pocket = .35; /* px, more where a pocket begins: films run into its edge */

enum { REACH = 3, SIDE = 2 * REACH + 1, MOST = SIDE * SIDE * SIDE };

typedef struct {
  int i, j, k;
  double far; /* px */
} Offset;

static int by_distance(const void *a, const void *b) {
  const Offset *x = a, *y = b;
  if (x->far != y->far) return x->far < y->far ? -1 : 1;
  return memcmp(&x->i, &y->i, 3 * sizeof x->i);
}

/* Nearest first, up to REACH px. */
static int list_offsets(const MtStack *s, Offset *list) {
  const double cy = s->voxel[1] / s->voxel[0], cz = s->voxel[2] / s->voxel[0];
  int n = 0;
  for (int k = -REACH; k <= REACH; k++)
    for (int j = -REACH; j <= REACH; j++)
      for (int i = -REACH; i <= REACH; i++) {
        const double far = sqrt(i * i + cy * cy * j * j + cz * cz * k * k);
        if (far > 0 && far <= REACH) list[n++] = (Offset){i, j, k, far};
      }
  qsort(list, (size_t)n, sizeof *list, by_distance);
  return n;
}

typedef struct {
  const MtStack *s;
  const MtPlace *place;
  int32_t *label; /* with REACH slices below and above */
  float *strength;
  int n;
  Offset list[MOST];
} Field;

/* Integral of the Gaussian distribution of deviation s up to x. */
static double integral(double x, double s) {
  return .5 * x * erfc(-x / s / sqrt(2)) + s * exp(-.5 * x * x / (s * s)) / sqrt(2 * MT_PI);
}

static float confidence(const Field *f, int i, int j, int k) {
  const MtStack *s = f->s;
  const int64_t nx = s->nx, slice = nx * s->ny, at = slice * (k + REACH) + j * nx + i;
  for (int m = 0; m < f->n; m++) {
    const Offset *o = &f->list[m];
    const int x = i + o->i, y = j + o->j, z = s->z0 + k + o->k;
    if (x < 0 || y < 0 || z < 0 || x >= s->nx || y >= s->ny || z >= s->nz) continue;
    const int64_t other = at + slice * o->k + nx * o->j + o->i;
    if (f->label[other] == f->label[at]) continue;
    const double crest = fmax(1e-30, fmaxf(f->strength[at], f->strength[other]));
    const double place = spread * f->place->smooth * fmin(2, f->place->noise / crest), drift = spread * f->place->drift,
                 edge = f->label[other] < 0 || f->label[at] < 0 ? pocket : 0;
    const double s_all = fmax(1e-3, sqrt(place * place + drift * drift + edge * edge));
    return (float)fmin(1, integral(o->far, s_all) - integral(o->far - 1, s_all));
  }
  return 1;
}

PetscErrorCode mt_confidence(MPI_Comm comm, const MtStack *s, const int32_t *label, const float *strength,
                             const MtPlace *place, float **result) {
  const int64_t slice = (int64_t)s->nx * s->ny;
  const size_t n = (size_t)(slice * s->nz_local), wide = n + 2 * REACH * (size_t)slice + 1;
  Field *f = mt_calloc(1, sizeof *f);
  f->s = s;
  f->place = place;
  f->label = mt_calloc(wide, sizeof *f->label);
  f->strength = mt_calloc(wide, sizeof *f->strength);
  f->n = list_offsets(s, f->list);
  *result = mt_malloc((n + 1) * sizeof **result);
  PetscErrorCode rc = mt_slab_halo(comm, s->nz, REACH, REACH, slice, MPI_INT32_T, label, f->label);
  if (!rc) rc = mt_slab_halo(comm, s->nz, REACH, REACH, slice, MPI_FLOAT, strength, f->strength);
  for (size_t v = 0; v < n && !rc; v++)
    (*result)[v] =
        confidence(f, (int)(v % (size_t)s->nx), (int)(v / (size_t)s->nx % (size_t)s->ny), (int)(v / (size_t)slice));
  free(f->label);
  free(f->strength);
  free(f);
  return rc;
}
