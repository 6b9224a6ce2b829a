/* Radix sort by digits of 11 bits.  The upper half of the bits tells nearly all keys apart: what they leave equal is
 * sorted by the rest afterwards.  A digit that all keys share costs nothing. */
#include "grid.h"
#include "magtwin/memory.h"
#include <string.h>

enum { BITS = 11, BUCKETS = 1 << BITS, DIGITS = 6, HALF = 3, SHORT = 256 };

static void count_digits(int64_t n, const uint64_t *key, int first, uint32_t (*count)[BUCKETS]) {
  for (int64_t i = 0; i < n; i++)
    for (int d = 0; d < HALF; d++) count[d][key[i] >> (BITS * (first + d)) & (BUCKETS - 1)]++;
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

/* Room for copies and counts of at most as many keys as there are. */
typedef struct {
  uint64_t *key;
  uint32_t *load, (*count)[BUCKETS];
} Spare;

/* Sorts by half of the digits, from `first` on. */
static void sort_half(int64_t n, int first, uint64_t *key, uint32_t *payload, const Spare *s) {
  uint64_t *from = key, *to = s->key;
  uint32_t *load = payload, *load_to = s->load;
  memset(s->count, 0, HALF * sizeof *s->count);
  count_digits(n, key, first, s->count);
  for (int d = 0; d < HALF; d++) {
    if (s->count[d][key[0] >> (BITS * (first + d)) & (BUCKETS - 1)] == n) continue;
    sum_up(s->count[d]);
    deal(n, first + d, s->count[d], from, load, to, load_to);
    uint64_t *k = from;
    uint32_t *l = load;
    from = to, load = load_to;
    to = k, load_to = l;
  }
  if (from == key) return;
  memcpy(key, from, (size_t)n * sizeof *key);
  if (payload) memcpy(payload, load, (size_t)n * sizeof *payload);
}

static void insert_sort(int64_t n, uint64_t *key, uint32_t *payload) {
  for (int64_t i = 1; i < n; i++) {
    const uint64_t k = key[i];
    const uint32_t load = payload ? payload[i] : 0;
    int64_t j = i;
    for (; j > 0 && key[j - 1] > k; j--) {
      key[j] = key[j - 1];
      if (payload) payload[j] = payload[j - 1];
    }
    key[j] = k;
    if (payload) payload[j] = load;
  }
}

/* Keys with equal upper halves lie together: each such run by its lower halves. */
static void sort_runs(int64_t n, uint64_t *key, uint32_t *payload, const Spare *s) {
  for (int64_t start = 0, end; start < n; start = end) {
    bool sorted = true;
    for (end = start + 1; end < n && key[end] >> (BITS * HALF) == key[start] >> (BITS * HALF); end++)
      sorted = sorted && key[end - 1] <= key[end];
    uint32_t *load = payload ? payload + start : NULL;
    if (sorted) continue;
    if (end - start <= SHORT)
      insert_sort(end - start, key + start, load);
    else
      sort_half(end - start, 0, key + start, load, s);
  }
}

void mt_sort_keys(int64_t n, uint64_t *key, uint32_t *payload) {
  if (n < 2) return;
  Spare s = {mt_malloc((size_t)n * sizeof *s.key), payload ? mt_malloc((size_t)n * sizeof *s.load) : NULL,
             mt_malloc(HALF * sizeof *s.count)};
  sort_half(n, DIGITS - HALF, key, payload, &s);
  sort_runs(n, key, payload, &s);
  free(s.key);
  free(s.load);
  free(s.count);
}
