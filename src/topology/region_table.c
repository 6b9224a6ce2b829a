/* The regions of the longest pairs of an image, as a table and a map. */
#include "diagrams.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/npy.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  int dimension;
  int64_t at; /* in the diagram */
  double length;
  int64_t n, *pixel; /* owned */
} Region;

/* Longest first, then by dimension and place in the diagram. */
static int by_length(const void *a, const void *b) {
  const Region *x = a, *y = b;
  if (x->length != y->length) return x->length < y->length ? 1 : -1;
  if (x->dimension != y->dimension) return x->dimension - y->dimension;
  return (x->at > y->at) - (x->at < y->at);
}

/* The `most` longest of one dimension -> list, their number. */
static int longest(const MtDiagram *d, int k, int most, Region *list) {
  int64_t n = 0;
  Region *all = mt_malloc((size_t)d->n[k] * sizeof *all);
  for (int64_t i = 0; i < d->n[k]; i++)
    if (d->pair[k][i].death_at >= 0)
      all[n++] = (Region){.dimension = k, .at = i, .length = fabs(d->pair[k][i].death - d->pair[k][i].birth)};
  qsort(all, (size_t)n, sizeof *all, by_length);
  if (n > most) n = most;
  memcpy(list, all, (size_t)n * sizeof *all);
  free(all);
  return (int)n;
}

static char *describe(char *p, const MtCubical *im, const MtPair *q, const Region *r) {
  double mean[3] = {0};
  int low[3] = {im->n[0], im->n[1], im->n[2]}, high[3] = {0};
  char b[2][32];
  for (int64_t i = 0; i < r->n; i++) {
    const int64_t v = r->pixel[i];
    const int at[3] = {(int)(v % im->n[0]), (int)(v / im->n[0] % im->n[1]), (int)(v / im->n[0] / im->n[1])};
    for (int a = 0; a < 3; a++) {
      mean[a] += (double)at[a] / (double)r->n;
      low[a] = at[a] < low[a] ? at[a] : low[a];
      high[a] = at[a] > high[a] ? at[a] : high[a];
    }
  }
  p += sprintf(p, "%d,%s,%s,%lld", r->dimension, mt_real_text(q->birth, b[0]), mt_real_text(q->death, b[1]),
               (long long)r->n);
  return p + sprintf(p, ",%.6g,%.6g,%.6g,%d,%d,%d,%d,%d,%d\n", mean[0], mean[1], mean[2], low[0], low[1], low[2],
                     high[0], high[1], high[2]);
}

static PetscErrorCode write_table(const char *stem, const MtCubical *im, const MtDiagram *d, int n, const Region *r) {
  static const char header[] =
      "dimension,birth,death,pixels,mean_x,mean_y,mean_z,min_x,min_y,min_z,max_x,max_y,max_z\n";
  char *text = mt_malloc(sizeof header + 256 * (size_t)n), *p = stpcpy(text, header), path[4300];
  for (int i = 0; i < n; i++) p = describe(p, im, &d->pair[r[i].dimension][r[i].at], &r[i]);
  snprintf(path, sizeof path, "%s_regions.csv", stem);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

/* The smallest region of each pixel: larger ones are painted first. */
static PetscErrorCode write_map(const char *stem, const MtCubical *im, int n, const Region *r) {
  const int64_t rows = (int64_t)im->n[1] * im->n[2], total = rows * im->n[0];
  double *map = mt_calloc((size_t)total, sizeof *map);
  int64_t *size = mt_calloc((size_t)total, sizeof *size);
  char path[4300];
  for (int k = 0; k < n; k++)
    for (int64_t i = 0; i < r[k].n; i++) {
      const int64_t v = r[k].pixel[i];
      if (size[v] && size[v] <= r[k].n) continue;
      size[v] = r[k].n;
      map[v] = k + 1;
    }
  snprintf(path, sizeof path, "%s_regions.npy", stem);
  PetscErrorCode rc = mt_npy_write(path, rows, im->n[0], map);
  free(map);
  free(size);
  return rc;
}

PetscErrorCode mt_region_table_write(const char *stem, const MtCubical *image, const MtDiagram *d, int most) {
  if (!most) return 0;
  Region *r = mt_malloc(2 * (size_t)most * sizeof *r);
  uint8_t *seen = mt_calloc((size_t)image->n[0] * (size_t)image->n[1] * (size_t)image->n[2], 1);
  int n = longest(d, 0, most, r);
  n += longest(d, d->dims - 1, most, r + n);
  for (int i = 0; i < n; i++)
    r[i].n = mt_pair_region(image, r[i].dimension, &d->pair[r[i].dimension][r[i].at], seen, &r[i].pixel);
  PetscErrorCode rc = write_table(stem, image, d, n, r);
  if (!rc) rc = write_map(stem, image, n, r);
  for (int i = 0; i < n; i++) free(r[i].pixel);
  free(r);
  free(seen);
  return rc;
}
