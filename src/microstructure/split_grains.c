/* Grains that touch get nodes of their own on the faces they share, so that m may jump there and their coupling be
 * chosen.  The grain with the smallest region keeps the node; every further one gets a twin at the same place, numbered
 * after all others, by node and then by region. */
#include "magtwin/memory.h"
#include "magtwin/microstructure.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  int64_t node;
  int32_t region;
} Pair;

static int compare(const void *a, const void *b) {
  const Pair *p = a, *q = b;
  if (p->node != q->node) return p->node < q->node ? -1 : 1;
  return (p->region > q->region) - (p->region < q->region);
}

static bool in_grain(const MtMeshData *m, int64_t t) {
  return m->regions.kind[m->region[t]] == MT_REGION_GRAIN;
}

/* Smallest grain region at each node, INT32_MAX: none. */
static int32_t *first_regions(const MtMeshData *m) {
  int32_t *first = mt_malloc((size_t)m->nv * sizeof *first);
  for (int64_t i = 0; i < m->nv; i++) first[i] = INT32_MAX;
  for (int64_t t = 0; t < m->nt; t++)
    for (int k = 0; k < 4 && in_grain(m, t); k++) {
      const int64_t v = m->tet[4 * t + k];
      if (m->region[t] < first[v]) first[v] = m->region[t];
    }
  return first;
}

/* Corners that need a twin, sorted and each once -> *n. */
static Pair *find_pairs(const MtMeshData *m, const int32_t *first, int64_t *n) {
  int64_t room = 0, kept = 0;
  for (int64_t i = 0; i < 4 * m->nt; i++) room += in_grain(m, i / 4) && m->region[i / 4] != first[m->tet[i]];
  Pair *pair = mt_malloc((size_t)room * sizeof *pair);
  for (int64_t i = 0; i < 4 * m->nt; i++)
    if (in_grain(m, i / 4) && m->region[i / 4] != first[m->tet[i]])
      pair[kept++] = (Pair){.node = m->tet[i], .region = m->region[i / 4]};
  if (room) qsort(pair, (size_t)room, sizeof *pair, compare);
  kept = 0;
  for (int64_t i = 0; i < room; i++)
    if (!i || compare(&pair[i], &pair[kept - 1])) pair[kept++] = pair[i];
  *n = kept;
  return pair;
}

static void add_nodes(MtMeshData *m, const Pair *pair, int64_t n) {
  m->x = mt_realloc(m->x, 3 * (size_t)(m->nv + n) * sizeof *m->x);
  m->base = mt_malloc((size_t)(m->nv + n) * sizeof *m->base);
  for (int64_t i = 0; i < m->nv; i++) m->base[i] = i;
  for (int64_t i = 0; i < n; i++) {
    m->base[m->nv + i] = pair[i].node;
    memcpy(m->x + 3 * (m->nv + i), m->x + 3 * pair[i].node, 3 * sizeof *m->x);
  }
}

int64_t mt_mesh_split_grains(MtMeshData *m) {
  int64_t n;
  int32_t *first = first_regions(m);
  Pair *pair = find_pairs(m, first, &n);
  add_nodes(m, pair, n);
  for (int64_t i = 0; i < 4 * m->nt; i++) {
    const Pair key = {.node = m->tet[i], .region = m->region[i / 4]};
    if (!in_grain(m, i / 4) || key.region == first[key.node]) continue;
    const Pair *at = bsearch(&key, pair, (size_t)n, sizeof *pair, compare);
    if (at) m->tet[i] = m->nv + (at - pair);
  }
  m->nv += n;
  free(pair);
  free(first);
  return n;
}
