/* A heap of keys, the largest first; inline: the reductions of volumes spend much of their time here. */
#ifndef TOPOLOGY_HEAP_H
#define TOPOLOGY_HEAP_H

#include "magtwin/memory.h"
#include <stdint.h>

typedef struct {
  int64_t n, room;
  uint64_t *item; /* owned; free it */
} MtHeap;

static inline void mt_heap_push(MtHeap *h, uint64_t item) {
  if (h->n == h->room) {
    h->room = h->room ? 2 * h->room : 256;
    h->item = mt_realloc(h->item, (size_t)h->room * sizeof *h->item);
  }
  uint64_t *x = h->item;
  int64_t i = h->n++;
  for (int64_t up = (i - 1) / 2; i > 0 && x[up] < item; i = up, up = (i - 1) / 2) x[i] = x[up];
  x[i] = item;
}

/* n must be above 0. */
static inline uint64_t mt_heap_pop(MtHeap *h) {
  uint64_t *x = h->item, top = x[0], item = x[--h->n];
  int64_t i = 0;
  for (int64_t down = 1; down < h->n; i = down, down = 2 * i + 1) {
    if (down + 1 < h->n && x[down + 1] > x[down]) down++;
    if (x[down] <= item) break;
    x[i] = x[down];
  }
  x[i] = item;
  return top;
}

#endif
