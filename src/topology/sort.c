/* Radix sort by digits of 11 bits from the lowest; a digit that all keys share costs nothing. */
#include "grid.h"
#include "magtwin/memory.h"
#include <string.h>

enum { BITS = 11, BUCKETS = 1 << BITS, DIGITS = 6 };

static void count_digits(int64_t n, const uint64_t *key, uint32_t (*count)[BUCKETS]) {
  for (int64_t i = 0; i < n; i++)
    for (int d = 0; d < DIGITS; d++) count[d][key[i] >> (BITS * d) & (BUCKETS - 1)]++;
}

/* Counts become first positions. */
static void sum_up(uint32_t *count) {
  uint32_t sum = 0;
  for (int b = 0; b < BUCKETS; b++) {
    const uint32_t c = count[b];
    count[b] = sum;
    sum += c;
  }
}

static void deal(int64_t n, int digit, uint32_t *next, const uint64_t *key, const uint32_t *load, uint64_t *key_to,
                 uint32_t *load_to) {
  for (int64_t i = 0; i < n; i++) {
    const uint32_t to = next[key[i] >> (BITS * digit) & (BUCKETS - 1)]++;
    key_to[to] = key[i];
    if (load) load_to[to] = load[i];
  }
}

void mt_sort_keys(int64_t n, uint64_t *key, uint32_t *payload) {
  if (n < 2) return;
  uint32_t(*count)[BUCKETS] = mt_calloc(DIGITS, sizeof *count);
  uint64_t *from = key, *to = mt_malloc((size_t)n * sizeof *to), *spare = to;
  uint32_t *load = payload, *load_to = payload ? mt_malloc((size_t)n * sizeof *load_to) : NULL, *load_spare = load_to;
  count_digits(n, key, count);
  for (int d = 0; d < DIGITS; d++) {
    if (count[d][key[0] >> (BITS * d) & (BUCKETS - 1)] == n) continue;
    sum_up(count[d]);
    deal(n, d, count[d], from, load, to, load_to);
    uint64_t *k = from;
    uint32_t *l = load;
    from = to, load = load_to;
    to = k, load_to = l;
  }
  if (from != key) {
    memcpy(key, from, (size_t)n * sizeof *key);
    if (payload) memcpy(payload, load, (size_t)n * sizeof *payload);
  }
  free(spare);
  free(load_spare);
  free(count);
}
