/* Copies around bad tets of the layer and folded triangles of the grains moved one at a time: a pattern search on the
 * worst radius ratio at the copy.  First they slide in their own planes (on edges: along the edge), so that the
 * thickness stays; those for which that does not do leave their planes, which costs less of the layer than thinning it
 * around the place. */
#include "gb_fill.h"
#include "gb_measure.h"
#include <math.h>

static const double relax_below = 0.2;               /* copies of tets under this radius ratio are moved */
static const double free_below = 0.1;                /* and where that does not do, they leave their planes */
static const double least_part[3] = {0.7, 0.4, 0.1}; /* of the thickness is kept then, as much as will do */
static const double most_depth = 2;                  /* of half the thickness */
static const double gain = 1e-4;                     /* less is not worth a move */
enum { PASSES = 4, TRIES = 14, HALVINGS = 6 };

typedef struct {
  MtLayer *l;
  const MtLayerItems *items[MT_LAYER_KINDS]; /* tets, triangles, hinges */
  double *value[MT_LAYER_KINDS];             /* [items[k]->n] as last computed, NAN: a copy there has moved since */
  bool free;                                 /* may leave their planes */
  double part; /* of half the thickness, as thinned, that a move must leave over each of the copy's planes */
  int now;     /* counts the trials */
  int *tried;  /* [copies] when a copy was last tried and not moved, since the freedom is what it is; 0: not yet */
  int *moved;  /* [copies] when it was last moved */
} Work;

/* Nothing that hangs together with the copy has moved since it found no better place. */
static bool is_stuck(const Work *w, int32_t copy) {
  if (w->tried[copy] == 0) return false;
  for (int k = 0; k < MT_LAYER_KINDS; k++)
    for (int i = w->items[k]->start[copy]; i < w->items[k]->start[copy + 1]; i++) {
      const int32_t *other = w->items[k]->copy + (size_t)w->items[k]->per * (size_t)w->items[k]->list[i];
      for (int j = 0; j < w->items[k]->per && other[j] >= 0; j++)
        if (w->moved[other[j]] > w->tried[copy]) return false;
    }
  return true;
}

static void values_forget(Work *w, int32_t copy) {
  for (int k = 0; k < MT_LAYER_KINDS; k++)
    for (int i = w->items[k]->start[copy]; i < w->items[k]->start[copy + 1]; i++)
      w->value[k][w->items[k]->list[i]] = NAN;
}

/* Directions in which a copy may slide: 2 in a face, 1 on an edge, 0 at a vertex. */
static int sliding_directions(const MtCells *c, const MtSurface *s, int32_t node, double d[3][3]) {
  const int8_t dim = s->dim[node];
  if (dim == 0) return 0;
  const int e = s->entity[node];
  double a[3] = {0, 0, 0}, *u = d[0];
  if (dim == 1) {
    for (int k = 0; k < 3; k++) u[k] = c->x[3 * c->edge[2 * e + 1] + k] - c->x[3 * c->edge[2 * e] + k];
  } else {
    const double *n = s->slot_normal + 3 * s->node_slot[s->node_start[node]];
    a[fabs(n[0]) < 0.6 ? 0 : 1] = 1;
    u[0] = n[1] * a[2] - n[2] * a[1], u[1] = n[2] * a[0] - n[0] * a[2], u[2] = n[0] * a[1] - n[1] * a[0];
    double *v = d[1];
    v[0] = n[1] * u[2] - n[2] * u[1], v[1] = n[2] * u[0] - n[0] * u[2], v[2] = n[0] * u[1] - n[1] * u[0];
  }
  for (int m = 0; m < dim; m++) {
    double len = sqrt(d[m][0] * d[m][0] + d[m][1] * d[m][1] + d[m][2] * d[m][2]);
    for (int k = 0; k < 3; k++) d[m][k] /= len;
  }
  return dim;
}

/* All axes but those across the walls on which the copy lies. */
static int free_directions(const MtCells *c, const double *x, double d[3][3]) {
  int n = 0;
  for (int k = 0; k < 3; k++) {
    if (x[k] == c->box[k] || x[k] == c->box[3 + k]) continue;
    memset(d[n], 0, sizeof d[n]);
    d[n++][k] = 1;
  }
  return n;
}

static bool inside(const MtCells *c, const double *x) {
  for (int k = 0; k < 3; k++)
    if (x[k] < c->box[k] || x[k] > c->box[3 + k]) return false;
  return true;
}

/* The copy lies far enough inside its grain from each of the interfaces there; and not too far, where the thickness
 * differs or ends: nothing else would stop it beside a layer that ends. */
static bool deep_enough(const MtCells *c, const Work *w, int32_t copy) {
  const MtLayer *l = w->l;
  const MtSurface *s = l->s;
  const int32_t node = l->q->node[copy];
  if (!w->free) return true;
  for (int i = s->node_start[node]; i < s->node_start[node + 1]; i++) {
    const int32_t slot = s->node_slot[i], f = s->slot_face[slot];
    const int side = mt_copies_side(c, l->q, copy, f);
    double along = 0;
    if (c->face_cells[2 * f + 1] < 0 || side < 0 || side == 2) continue;
    for (int k = 0; k < 3; k++) along += s->slot_normal[3 * slot + k] * (l->m.x[3 * copy + k] - s->x[3 * node + k]);
    const double least = w->part * l->q->asked[f] / 2 * l->q->scale[node];
    if (side == 0) along = -along;
    if (!(along > least) || (c->thickness && along > most_depth * mt_copies_inset(l->q, copy, f))) return false;
  }
  return true;
}

/* One trial of each of the 3^n - 1 directions that are sums of +-d. */
static bool step_taken(const MtCells *c, const Work *w, int32_t copy, int n, double d[3][3], double step, double *best,
                       MtLayerItem *worst) {
  static const int count[4] = {1, 3, 9, 27};
  double *x = w->l->m.x + 3 * copy, old[3] = {x[0], x[1], x[2]};
  for (int m = 0; m < count[n]; m++) {
    const int sign[3] = {m % 3 - 1, m / 3 % 3 - 1, m / 9 - 1};
    for (int j = 0; j < n; j++)
      for (int k = 0; k < 3; k++) x[k] += step * sign[j] * d[j][k];
    if (inside(c, x) && deep_enough(c, w, copy)) {
      double now = mt_layer_worst(w->l, copy, *best + gain, worst);
      if (now > *best + gain) {
        *best = now;
        return true;
      }
    }
    memcpy(x, old, sizeof old);
  }
  return false;
}

/* True when the copy has found a better place. */
static bool move(const MtCells *c, Work *w, int32_t copy) {
  double d[3][3];
  MtLayerItem worst = {-1, 0};
  bool moved = false;
  if (mt_copies_grain(w->l->q, copy) < 0 || is_stuck(w, copy)) return false;
  w->now++;
  double step = mt_copies_asked(w->l->s, w->l->q, w->l->q->node[copy]) / 4;
  int n =
      w->free ? free_directions(c, w->l->m.x + 3 * copy, d) : sliding_directions(c, w->l->s, w->l->q->node[copy], d);
  double best = mt_layer_worst(w->l, copy, -INFINITY, &worst);
  for (int k = 0, halved = 0; k < TRIES && halved < HALVINGS && n > 0; k++) {
    bool better = step_taken(c, w, copy, n, d, step, &best, &worst);
    if (!better) step /= 2, halved++;
    moved = moved || better;
  }
  *(moved ? w->moved + copy : w->tried + copy) = w->now;
  if (moved) values_forget(w, copy);
  return moved;
}

/* Most items are good and nothing near them moves: each is computed once, not in every pass. */
static double value_of(Work *w, int kind, int i) {
  static double (*const measure[MT_LAYER_KINDS])(const MtLayer *, int) = {mt_layer_tet, mt_layer_triangle,
                                                                          mt_layer_hinge};
  double *value = w->value[kind] + i;
  if (isnan(*value)) *value = measure[kind](w->l, i);
  return *value;
}

static bool relax_items(const MtCells *c, Work *w, int kind, double below) {
  const MtLayerItems *items = w->items[kind];
  bool moved = false;
  for (int i = 0; i < items->n; i++) {
    if (value_of(w, kind, i) > below) continue;
    const int32_t *copy = items->copy + (size_t)items->per * (size_t)i;
    for (int k = 0; k < items->per && copy[k] >= 0; k++) moved |= move(c, w, copy[k]);
  }
  return moved;
}

static void relax(const MtCells *c, Work *w, double below) {
  bool moved = true;
  memset(w->tried, 0, (size_t)w->l->q->n * sizeof *w->tried);
  for (int pass = 0; pass < PASSES && moved; pass++) {
    moved = false;
    for (int kind = 0; kind < MT_LAYER_KINDS; kind++) moved |= relax_items(c, w, kind, below);
  }
}

PetscErrorCode mt_layer_relax(const MtCells *c, MtLayer *l) {
  Work w = {.l = l, .items = {&l->tet, &l->tri, &l->hinge}, .free = false};
  PetscCall(PetscCalloc2((size_t)l->q->n + 1, &w.tried, (size_t)l->q->n + 1, &w.moved));
  for (int k = 0; k < MT_LAYER_KINDS; k++) {
    PetscCall(PetscMalloc1((size_t)w.items[k]->n + 1, &w.value[k]));
    for (int i = 0; i < w.items[k]->n; i++) w.value[k][i] = NAN;
  }
  relax(c, &w, relax_below);
  w.free = true;
  for (int k = 0; k < 3; k++) {
    w.part = least_part[k];
    relax(c, &w, free_below);
  }
  for (int k = 0; k < MT_LAYER_KINDS; k++) PetscCall(PetscFree(w.value[k]));
  return PetscFree2(w.tried, w.moved);
}
