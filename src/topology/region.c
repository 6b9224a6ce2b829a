/* From a pair back to the image: the pixels of a domain before it dies, or of a void when it is born, by flooding. */
#include "region.h"
#include "magtwin/memory.h"
#include <stdlib.h>

int64_t mt_pixel_step(const MtCubical *im, int64_t pixel, const int step[3]) {
  int64_t at[3] = {pixel % im->n[0], pixel / im->n[0] % im->n[1], pixel / im->n[0] / im->n[1]};
  for (int a = 0; a < 3; a++) {
    at[a] += step[a];
    if (im->periodic[a]) at[a] = (at[a] + im->n[a]) % im->n[a];
    if (at[a] < 0 || at[a] >= im->n[a]) return -1;
  }
  return (at[2] * im->n[1] + at[1]) * im->n[0] + at[0];
}

static int by_number(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* What a flood may enter: pixels below (or above) a value, across faces only or corners, too. */
typedef struct {
  const MtCubical *image;
  double limit;
  bool below, corners;
  uint8_t *seen; /* [pixels] */
} Flood;

static bool may_enter(const Flood *f, int64_t p) {
  if (p < 0 || f->seen[p] || (f->image->hidden && f->image->hidden[p])) return false;
  return f->below ? f->image->value[p] < f->limit : f->image->value[p] > f->limit;
}

static int64_t flood(const Flood *f, int64_t start, int64_t **pixels) {
  int64_t n = 0, room = 64, *list = mt_malloc((size_t)room * sizeof *list);
  list[n++] = start;
  f->seen[start] = 1;
  for (int64_t i = 0; i < n; i++)
    for (int k = 0; k < 27; k++) {
      const int step[3] = {k % 3 - 1, k / 3 % 3 - 1, k / 9 - 1};
      if (!f->corners && abs(step[0]) + abs(step[1]) + abs(step[2]) != 1) continue;
      const int64_t p = mt_pixel_step(f->image, list[i], step);
      if (!may_enter(f, p)) continue;
      if (n == room) {
        room *= 2;
        list = mt_realloc(list, (size_t)room * sizeof *list);
      }
      f->seen[p] = 1;
      list[n++] = p;
    }
  for (int64_t i = 0; i < n; i++) f->seen[list[i]] = 0;
  qsort(list, (size_t)n, sizeof *list, by_number);
  *pixels = list;
  return n;
}

int64_t mt_pair_region(const MtCubical *image, int dimension, const MtPair *pair, uint8_t *seen, int64_t **pixels) {
  const bool domain = dimension == 0;
  const Flood f = {image, domain ? pair->death : pair->birth, domain != image->superlevel, domain == image->top_cells,
                   seen};
  return flood(&f, domain ? pair->birth_at : pair->death_at, pixels);
}
