/* Slices moved onto the first one, and lost ones filled. */
#include "drift.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "slabs.h"
#include <math.h>
#include <string.h>

MtRect mt_drift_common(const MtStack *s, const MtDrift *d) {
  double lo[2] = {0, 0}, hi[2] = {0, 0};
  for (int k = 0; k < s->nz; k++)
    for (int c = 0; c < 2; c++) {
      lo[c] = fmin(lo[c], d->at[2 * k + c]);
      hi[c] = fmax(hi[c], d->at[2 * k + c]);
    }
  return (MtRect){(int)ceil(-lo[0]), (int)ceil(-lo[1]), s->nx - (int)ceil(hi[0]), s->ny - (int)ceil(hi[1])};
}

/* Keys' kernel with a = -1/2 for the four pixels around a place t beyond the second. */
static void cubic(double t, double w[4]) {
  w[0] = ((-.5 * t + 1) * t - .5) * t;
  w[1] = (1.5 * t - 2.5) * t * t + 1;
  w[2] = ((-1.5 * t + 2) * t + .5) * t;
  w[3] = (.5 * t - .5) * t * t;
}

static int clamped(int i, int n) {
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static void move(const MtStack *s, const float *from, const double at[2], MtRect r, float *to) {
  double wx[4], wy[4];
  const int bx = (int)floor(at[0]), by = (int)floor(at[1]);
  cubic(at[0] - bx, wx);
  cubic(at[1] - by, wy);
  for (int j = r.y0; j < r.y1; j++)
    for (int i = r.x0; i < r.x1; i++) {
      double v = 0;
      for (int b = 0; b < 4; b++) {
        const float *row = from + (size_t)clamped(j + by + b - 1, s->ny) * (size_t)s->nx;
        double line = 0;
        for (int a = 0; a < 4; a++) line += wx[a] * row[clamped(i + bx + a - 1, s->nx)];
        v += wy[b] * line;
      }
      *to++ = (float)v;
    }
}

/* Longest run of lost slices. */
static int longest_gap(const MtStack *s) {
  int most = 0, run = 0;
  for (int k = 0; k < s->nz; k++) {
    run = s->lost[k] ? run + 1 : 0;
    most = run > most ? run : most;
  }
  return most;
}

static PetscErrorCode fill(MPI_Comm comm, MtStack *s) {
  const int gap = longest_gap(s);
  const size_t slice = (size_t)s->nx * (size_t)s->ny;
  if (!gap) return 0;
  float *all = mt_malloc((slice * (size_t)(s->nz_local + 2 * gap) + 1) * sizeof *all);
  PetscErrorCode rc = mt_slab_halo(comm, s->nz, gap, gap, (int64_t)slice, MPI_FLOAT, s->gray, all);
  for (int k = 0; k < s->nz_local && !rc; k++) {
    int lo = s->z0 + k, hi = lo;
    if (!s->lost[lo]) continue;
    while (s->lost[lo]) lo--;
    while (s->lost[hi]) hi++;
    const float t = (float)(s->z0 + k - lo) / (float)(hi - lo);
    const float *a = all + slice * (size_t)(lo - s->z0 + gap), *b = all + slice * (size_t)(hi - s->z0 + gap);
    float *to = s->gray + slice * (size_t)k;
    for (size_t i = 0; i < slice; i++) to[i] = (1 - t) * a[i] + t * b[i];
  }
  free(all);
  return rc;
}

PetscErrorCode mt_drift_apply(MPI_Comm comm, MtStack *s, const MtDrift *d, MtRect r) {
  const size_t old = (size_t)s->nx * (size_t)s->ny;
  const int nx = r.x1 - r.x0, ny = r.y1 - r.y0;
  float *moved = mt_malloc(((size_t)nx * (size_t)ny * (size_t)s->nz_local + 1) * sizeof *moved);
  for (int k = 0; k < s->nz_local; k++)
    move(s, s->gray + old * (size_t)k, d->at + 2 * (s->z0 + k), r, moved + (size_t)nx * (size_t)ny * (size_t)k);
  free(s->gray);
  s->gray = moved;
  s->nx = nx;
  s->ny = ny;
  return fill(comm, s);
}
