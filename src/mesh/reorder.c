/* Numbers nodes and tets so that what lies close in space lies close in memory. */
#include "magtwin/mesh.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 20 }; /* of each coordinate: a millionth of the mesh */

typedef struct {
  uint64_t key; /* place on the curve; of a tet: region, then its least node */
  int64_t id;
} Place;

/* Coordinates of BITS bits -> the bits of the place on the Hilbert curve, transposed over the three numbers.
 * J. Skilling, AIP Conf. Proc. 707 (2004) 381. */
static void hilbert(uint32_t x[3]) {
  uint32_t t;
  for (uint32_t q = 1u << (BITS - 1); q > 1; q >>= 1)
    for (int i = 0; i < 3; i++) {
      if (x[i] & q) {
        x[0] ^= q - 1;
        continue;
      }
      t = (x[0] ^ x[i]) & (q - 1);
      x[0] ^= t;
      x[i] ^= t;
    }
  x[1] ^= x[0];
  x[2] ^= x[1];
  t = 0;
  for (uint32_t q = 1u << (BITS - 1); q > 1; q >>= 1)
    if (x[2] & q) t ^= q - 1;
  for (int i = 0; i < 3; i++) x[i] ^= t;
}

static uint64_t curve_key(const double x[3], const double low[3], double size) {
  uint32_t c[3];
  uint64_t key = 0;
  for (int i = 0; i < 3; i++) c[i] = (uint32_t)((x[i] - low[i]) / size * ((1u << BITS) - 1));
  hilbert(c);
  for (int bit = BITS - 1; bit >= 0; bit--)
    for (int i = 0; i < 3; i++) key = key << 1 | (c[i] >> bit & 1u);
  return key;
}

static int by_key(const void *a, const void *b) {
  const Place *p = a, *q = b;
  if (p->key != q->key) return p->key < q->key ? -1 : 1;
  return (p->id > q->id) - (p->id < q->id);
}

static void sort_nodes(const MtMeshData *d, Place *place) {
  double low[3] = {INFINITY, INFINITY, INFINITY}, size = 0;
  for (int64_t i = 0; i < 3 * d->nv; i++) low[i % 3] = fmin(low[i % 3], d->x[i]);
  for (int64_t i = 0; i < 3 * d->nv; i++) size = fmax(size, d->x[i] - low[i % 3]);
  for (int64_t i = 0; i < d->nv; i++) place[i] = (Place){curve_key(d->x + 3 * i, low, size > 0 ? size : 1), i};
  qsort(place, (size_t)d->nv, sizeof *place, by_key);
}

static void sort_tets(const MtMeshData *d, Place *place) {
  for (int64_t t = 0; t < d->nt; t++) {
    const int64_t *v = d->tet + 4 * t;
    int64_t least = v[0];
    for (int k = 1; k < 4; k++) least = v[k] < least ? v[k] : least;
    place[t] = (Place){(uint64_t)d->region[t] << 40 | (uint64_t)least, t};
  }
  qsort(place, (size_t)d->nt, sizeof *place, by_key);
}

/* Rows of `size` bytes, the one of place[i].id to i. */
static void permute(void *rows, size_t size, int64_t n, const Place *place, void *copy) {
  char *to = rows;
  memcpy(copy, rows, size * (size_t)n);
  for (int64_t i = 0; i < n; i++) memcpy(to + size * (size_t)i, (const char *)copy + size * (size_t)place[i].id, size);
}

void mt_mesh_data_reorder(MtMeshData *d) {
  const int64_t most = d->nv > d->nt ? d->nv : d->nt;
  Place *place = malloc((size_t)most * sizeof *place);
  void *copy = malloc((size_t)most * 4 * sizeof(int64_t));
  int64_t *number = malloc((size_t)d->nv * sizeof *number);
  if (!place || !copy || !number) abort();
  sort_nodes(d, place);
  permute(d->x, 3 * sizeof *d->x, d->nv, place, copy);
  for (int64_t i = 0; i < d->nv; i++) number[place[i].id] = i;
  for (int64_t i = 0; i < 4 * d->nt; i++) d->tet[i] = number[d->tet[i]];
  sort_tets(d, place);
  permute(d->tet, 4 * sizeof *d->tet, d->nt, place, copy);
  permute(d->region, sizeof *d->region, d->nt, place, copy);
  free(number);
  free(copy);
  free(place);
}
