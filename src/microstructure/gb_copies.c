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

/* ---- grains that touch */

/* Entry of grain g at node v, counted from the node's first; -1: not there. */
static int entry_of(const MtCopies *q, int v, int32_t g) {
  for (int i = q->start[v]; i < q->start[v + 1]; i++)
    if (q->grain[i] == g) return i - q->start[v];
  return -1;
}

static void merge(int n, int *of, int a, int b) {
  const int low = of[a] < of[b] ? of[a] : of[b], high = of[a] < of[b] ? of[b] : of[a];
  for (int i = 0; i < n; i++)
    if (of[i] == high) of[i] = low;
}

/* Walls (bits) on which the grains with the same copy as entry i have faces at v. */
static int walls_held(const MtCells *c, const MtSurface *s, const MtCopies *q, int v, const int *of, int i) {
  int walls = 0;
  for (int k = s->node_start[v]; k < s->node_start[v + 1]; k++) {
    const int32_t *side = c->face_cells + 2 * s->slot_face[s->node_slot[k]];
    if (side[1] < 0 && of[entry_of(q, v, side[0])] == of[i]) walls |= 1 << (-side[1] - 1);
  }
  return walls;
}

/* of[i]: the first entry with which entry i has its copy together.  The point itself goes with grains that hold all its
 * walls. */
static void groups_make(const MtCells *c, const MtSurface *s, const MtCopies *q, int v, int *of) {
  const int n = q->start[v + 1] - q->start[v];
  int all = 0;
  for (int i = 0; i < n; i++) of[i] = i;
  for (int k = s->node_start[v]; k < s->node_start[v + 1]; k++) {
    const int f = s->slot_face[s->node_slot[k]];
    const int32_t *side = c->face_cells + 2 * f;
    if (side[1] < 0)
      all |= 1 << (-side[1] - 1);
    else if (!(q->asked[f] > 0))
      merge(n, of, entry_of(q, v, side[0]), entry_of(q, v, side[1]));
  }
  if (q->grain[q->start[v + 1] - 1] != -1) return;
  for (int i = 0; i + 1 < n; i++)
    if (of[n - 1] == n - 1 && of[i] == i && walls_held(c, s, q, v, of, i) == all) of[n - 1] = i;
}

/* Numbers the copies. */
static PetscErrorCode copies_number(const MtCells *c, const MtSurface *s, bool split, MtCopies *q) {
  int most = 1, *of;
  for (int v = 0; v < s->nv; v++) most = q->start[v + 1] - q->start[v] > most ? q->start[v + 1] - q->start[v] : most;
  PetscCall(PetscMalloc1((size_t)most, &of));
  PetscCall(PetscMalloc1((size_t)q->start[s->nv] + 1, &q->copy));
  PetscCall(PetscMalloc1((size_t)s->nv + 1, &q->first_copy));
  q->n = 0;
  for (int v = 0; v < s->nv; v++) {
    const int at = q->start[v], n = q->start[v + 1] - at;
    q->first_copy[v] = q->n;
    of[0] = 0;
    if (split) groups_make(c, s, q, v, of);
    for (int i = 0; i < n; i++) q->copy[at + i] = of[i] == i ? q->n++ : q->copy[at + of[i]];
  }
  q->first_copy[s->nv] = q->n;
  return PetscFree(of);
}

/* ---- all */

static PetscErrorCode entries_make(const MtCells *c, const MtSurface *s, const MtTopology *t, bool split, MtCopies *q) {
  int room = s->nv;
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
  return 0;
}

PetscErrorCode mt_copies_alloc(const MtCells *c, const MtSurface *s, const MtTopology *t, double thickness,
                               MtCopies *q) {
  memset(q, 0, sizeof *q);
  q->nominal = thickness;
  PetscCall(PetscCalloc1((size_t)c->nfaces + 1, &q->asked));
  for (int f = 0; f < c->nfaces; f++)
    if (c->face_cells[2 * f + 1] >= 0) q->asked[f] = c->thickness ? c->thickness[f] : thickness;
  PetscCall(entries_make(c, s, t, thickness > 0, q));
  PetscCall(copies_number(c, s, thickness > 0, q));
  PetscCall(PetscMalloc1((size_t)q->n, &q->node));
  PetscCall(PetscMalloc1(3 * (size_t)q->n, &q->x));
  PetscCall(PetscMalloc1(3 * (size_t)q->n, &q->full));
  PetscCall(PetscMalloc1((size_t)s->nv, &q->scale));
  PetscCall(PetscCalloc1((size_t)c->nedges + 1, &q->first));
  for (int v = 0; v < s->nv; v++) {
    q->scale[v] = 1;
    for (int i = q->first_copy[v]; i < q->first_copy[v + 1]; i++) {
      q->node[i] = v;
      memcpy(q->x + 3 * i, s->x + 3 * v, 3 * sizeof(double));
    }
  }
  return 0;
}

void mt_copies_free(MtCopies *q) {
  (void)PetscFree(q->start);
  (void)PetscFree(q->grain);
  (void)PetscFree(q->copy);
  (void)PetscFree(q->first_copy);
  (void)PetscFree(q->node);
  (void)PetscFree(q->x);
  (void)PetscFree(q->full);
  (void)PetscFree(q->scale);
  (void)PetscFree(q->first);
  (void)PetscFree(q->asked);
  (void)PetscFree2(q->bulge, q->pocket);
}

double mt_copies_asked(const MtSurface *s, const MtCopies *q, int32_t node) {
  double most = 0;
  for (int i = s->node_start[node]; i < s->node_start[node + 1]; i++)
    most = fmax(most, q->asked[s->slot_face[s->node_slot[i]]]);
  return most > 0 ? most : q->nominal;
}

int32_t mt_copies_pocket(const MtCopies *q, int n, const int64_t *copy) {
  int32_t pocket = -1;
  double most = 0;
  for (int i = 0; i < n && q->bulge; i++) {
    if (copy[i] < 0 || !(q->bulge[copy[i]] > 0) || q->bulge[copy[i]] < most) continue;
    if (q->bulge[copy[i]] == most && pocket <= q->pocket[copy[i]]) continue;
    most = q->bulge[copy[i]], pocket = q->pocket[copy[i]];
  }
  return pocket;
}

int32_t mt_copies_find(const MtCopies *q, int32_t node, int32_t grain) {
  for (int32_t i = q->start[node]; i < q->start[node + 1]; i++)
    if (q->grain[i] == grain || q->grain[i] == -2) return q->copy[i];
  return -1;
}

int32_t mt_copies_grain(const MtCopies *q, int32_t copy) {
  int32_t i = q->start[q->node[copy]];
  while (q->copy[i] != copy) i++;
  return q->grain[i];
}

int mt_copies_side(const MtCells *c, const MtCopies *q, int32_t copy, int f) {
  const int32_t *side = c->face_cells + 2 * f, node = q->node[copy];
  const bool first = mt_copies_find(q, node, side[0]) == copy,
             second = side[1] >= 0 && mt_copies_find(q, node, side[1]) == copy;
  return first ? (second ? 2 : 0) : (second ? 1 : -1);
}
