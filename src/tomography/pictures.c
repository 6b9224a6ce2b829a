/* A few slices after each stage, to look at.  The rank that has the slice draws it. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/image.h"
#include "magtwin/memory.h"
#include "stages.h"
#include <stdio.h>
#include <string.h>

/* Is slice k one of those that are drawn? */
static bool drawn(const MtStages *m, int k) {
  const int n = (int)mt_input_int(m->in, "stack.pictures");
  for (int i = 0; i < n; i++)
    if (k == (int)((2LL * i + 1) * m->s.nz / (2 * n))) return true;
  return false;
}

static PetscErrorCode picture_path(const MtStages *m, int k, const char *stage, char path[4096]) {
  if (snprintf(path, 4096, "%s/pictures/%04d_%s.png", m->folder, k, stage) < 4096) return 0;
  return mt_error(MT_ERR_INPUT, "the name of the folder is too long: %.60s...", m->folder);
}

static PetscErrorCode make_folder(const MtStages *m) {
  char path[4096];
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(m->comm, &rank));
  if (!rank && snprintf(path, sizeof path, "%s/pictures", m->folder) < (int)sizeof path) rc = mt_folder_make(path);
  return mt_agree_root(m->comm, rc);
}

static int compare(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Gray values that become black and white. */
static void limits(size_t n, const float *gray, float *lo, float *hi) {
  float *sorted = mt_malloc(n * sizeof *sorted);
  memcpy(sorted, gray, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, compare);
  *lo = sorted[n / 500];
  *hi = sorted[n - 1 - n / 500];
  free(sorted);
  if (!(*hi > *lo)) *hi = *lo + 1;
}

/* A colour that belongs to a label; neighbours' numbers get unlike ones. */
static void colour(int32_t label, double c[3]) {
  uint32_t h = (uint32_t)label * 2654435761U;
  for (int d = 0; d < 3; d++) {
    h ^= h >> 15;
    h *= 2246822519U;
    c[d] = .25 + .75 * (double)(h >> 8 & 255) / 255;
  }
}

static void paint(size_t n, const float *gray, const int32_t *label, unsigned char *rgb) {
  float lo, hi;
  limits(n, gray, &lo, &hi);
  for (size_t i = 0; i < n; i++) {
    double v = (gray[i] - lo) / (hi - lo), c[3] = {1, 1, 1};
    v = v < 0 ? 0 : v > 1 ? 1 : v;
    if (label && label[i] >= 0) colour(label[i], c);
    for (int d = 0; d < 3; d++)
      rgb[3 * i + (size_t)d] = (unsigned char)(255 * (label && label[i] >= 0 ? (.35 + .65 * v) * c[d] : v) + .5);
  }
}

static PetscErrorCode draw(const MtStages *m, const char *stage, const float *value, const int32_t *label) {
  const MtStack *s = &m->s;
  const size_t n = (size_t)s->nx * (size_t)s->ny;
  char path[4096];
  PetscErrorCode rc = 0;
  if (!mt_input_int(m->in, "stack.pictures")) return 0;
  PetscCall(make_folder(m));
  unsigned char *rgb = mt_malloc(3 * n);
  for (int k = 0; k < s->nz_local && !rc; k++) {
    if (!drawn(m, s->z0 + k)) continue;
    paint(n, value + n * (size_t)k, label ? label + n * (size_t)k : NULL, rgb);
    rc = picture_path(m, s->z0 + k, stage, path);
    if (!rc) rc = mt_image_write_colour(path, s->nx, s->ny, rgb);
  }
  free(rgb);
  return mt_agree(m->comm, rc);
}

PetscErrorCode mt_picture_gray(const MtStages *m, const char *stage) {
  return draw(m, stage, m->s.gray, NULL);
}

PetscErrorCode mt_picture_labels(const MtStages *m, const char *stage, const int32_t *label) {
  return draw(m, stage, m->s.gray, label);
}

PetscErrorCode mt_picture_values(const MtStages *m, const char *stage, const float *value) {
  return draw(m, stage, value, NULL);
}
