/* Copies of the surface's nodes: one for each grain that meets there. */
#include "gb.h"
#include <math.h>

/* Grains at a node, ascending, without repetition. */
static int grains_at(const MtCells *c, const MtSurface *s, int v, int32_t *g, int room) {
  int n = 0;
  for (int i = s->node_start[v]; i < s->node_start[v + 1]; i++) {
    const int32_t *side = c->face_cells + 2 * s->slot_face[s->node_slot[i]];
    for (int k = 0; k < 2; k++) {
      int j = n;
      while (j > 0 && g[j - 1] > side[k]) j--;
      if (side[k] < 0 || (j > 0 && g[j - 1] == side[k]) || n == room) continue;
      memmove(g + j + 1, g + j, (size_t)(n - j) * sizeof *g);
      g[j] = side[k], n++;
    }
  }
  return n;
}

static bool is_corner(const MtSurface *s, const MtTopology *t, int v) {
  return (s->dim[v] == 0 && t->vertex_corner[s->entity[v]]) || (s->dim[v] == 1 && t->ring_corner[s->entity[v]]);
}

PetscErrorCode mt_copies_alloc(const MtCells *c, const MtSurface *s, const MtTopology *t, double thickness,
                               MtCopies *q) {
  const bool split = thickness > 0;
  int room = s->nv;
  memset(q, 0, sizeof *q);
  q->nominal = thickness;
  PetscCall(PetscCalloc1((size_t)c->nfaces + 1, &q->asked));
  for (int f = 0; f < c->nfaces; f++)
    if (c->face_cells[2 * f + 1] >= 0) q->asked[f] = c->thickness ? c->thickness[f] : thickness;
  for (int f = 0; f < c->nfaces; f++) room += 2 * (s->slot_start[f + 1] - s->slot_start[f]);
  PetscCall(PetscMalloc1((size_t)s->nv + 1, &q->start));
  PetscCall(PetscMalloc1((size_t)room, &q->grain));
  q->start[0] = 0;
  for (int v = 0; v < s->nv; v++) {
    int at = q->start[v], n = grains_at(c, s, v, q->grain + at, room - at);
    if (!split) q->grain[at] = -2, n = 1; /* one node for all */
    if (split && is_corner(s, t, v)) q->grain[at + n++] = -1;
    q->start[v + 1] = at + n;
  }
  q->n = q->start[s->nv];
  PetscCall(PetscMalloc1((size_t)q->n, &q->node));
  PetscCall(PetscMalloc1(3 * (size_t)q->n, &q->x));
  PetscCall(PetscMalloc1(3 * (size_t)q->n, &q->full));
  PetscCall(PetscMalloc1((size_t)s->nv, &q->scale));
  PetscCall(PetscCalloc1((size_t)c->nedges + 1, &q->first));
  for (int v = 0; v < s->nv; v++) {
    q->scale[v] = 1;
    for (int i = q->start[v]; i < q->start[v + 1]; i++) {
      q->node[i] = v;
      memcpy(q->x + 3 * i, s->x + 3 * v, 3 * sizeof(double));
    }
  }
  return 0;
}

void mt_copies_free(MtCopies *q) {
  (void)PetscFree(q->start);
  (void)PetscFree(q->grain);
  (void)PetscFree(q->node);
  (void)PetscFree(q->x);
  (void)PetscFree(q->full);
  (void)PetscFree(q->scale);
  (void)PetscFree(q->first);
  (void)PetscFree(q->asked);
}

double mt_copies_asked(const MtSurface *s, const MtCopies *q, int32_t node) {
  double most = 0;
  for (int i = s->node_start[node]; i < s->node_start[node + 1]; i++)
    most = fmax(most, q->asked[s->slot_face[s->node_slot[i]]]);
  return most > 0 ? most : q->nominal;
}

int32_t mt_copies_find(const MtCopies *q, int32_t node, int32_t grain) {
  for (int32_t i = q->start[node]; i < q->start[node + 1]; i++)
    if (q->grain[i] == grain || q->grain[i] == -2) return i;
  return -1;
}
