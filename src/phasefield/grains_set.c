/* Which order parameters are active where: lists of grains at nodes, kept around each grain as it moves. */
#include "grains_impl.h"
#include "magtwin/error.h"
#include <math.h>

enum { MOST = 64 };               /* order parameters at a node; there are rarely ten */
static const double DROPPED = .1; /* of the threshold: below, everywhere around, an order parameter is given up */

typedef struct {
  int n;
  int32_t grain[MOST];
  double level[MOST]; /* largest |eta| at the node and its neighbours */
  bool own[MOST];     /* is active */
} Near;

static PetscErrorCode note(Near *near, int32_t grain, double value, bool own) {
  int at = 0;
  while (at < near->n && near->grain[at] < grain) at++;
  if (at == near->n || near->grain[at] != grain) {
    if (near->n == MOST) return mt_error(MT_ERR_FAIL, "more than %d grains meet at a node", MOST);
    for (int k = near->n++; k > at; k--) {
      near->grain[k] = near->grain[k - 1];
      near->level[k] = near->level[k - 1];
      near->own[k] = near->own[k - 1];
    }
    near->grain[at] = grain;
    near->level[at] = 0;
    near->own[at] = false;
  }
  near->level[at] = fmax(near->level[at], fabs(value));
  near->own[at] = near->own[at] || own;
  return 0;
}

static PetscErrorCode look_around(const MtGrowth *g, PetscInt i, Near *near) {
  const MtGrainSet *s = &g->set;
  PetscErrorCode rc = 0;
  near->n = 0;
  for (PetscInt p = s->start[i]; p < s->start[i + 1] && !rc; p++) rc = note(near, s->grain[p], g->c[0][p], true);
  for (PetscInt k = g->graph.start[i]; k < g->graph.start[i + 1]; k++) {
    const PetscInt j = g->graph.node[k];
    for (PetscInt p = s->start[j]; p < s->start[j + 1] && !rc; p++) rc = note(near, s->grain[p], g->c[0][p], false);
  }
  return rc;
}

static bool active(const MtGrowth *g, const Near *near, int k) {
  return near->level[k] > g->opt.threshold || (near->own[k] && near->level[k] > DROPPED * g->opt.threshold);
}

/* The lists of the owned nodes for the state now; *grain is made as long as they are. */
static PetscErrorCode choose(const MtGrowth *g, PetscInt *start, int32_t **grain) {
  PetscInt room = g->set.n_owned + MOST;
  Near near;
  PetscErrorCode rc = 0;
  PetscCall(PetscMalloc1(room, grain));
  start[0] = 0;
  for (PetscInt i = 0; i < g->domain->n_owned && !rc; i++) {
    PetscInt n = start[i];
    if (n + MOST > room) {
      room = 2 * room;
      PetscCall(PetscRealloc((size_t)room * sizeof **grain, grain));
    }
    rc = look_around(g, i, &near);
    for (int k = 0; k < near.n && !rc; k++)
      if (active(g, &near, k)) (*grain)[n++] = near.grain[k];
    start[i + 1] = n;
  }
  return rc;
}

/* Values of the lists there were, in those to come; 0 where a grain is new. */
static PetscErrorCode carry(const MtGrowth *g, const PetscInt *start, const int32_t *grain, const double *old,
                            double **c) {
  const MtGrainSet *s = &g->set;
  PetscCall(PetscCalloc1(start[g->domain->n_owned] + 1, c));
  for (PetscInt i = 0; i < g->domain->n_owned; i++)
    for (PetscInt p = start[i], q = s->start[i]; p < start[i + 1]; p++) {
      while (q < s->start[i + 1] && s->grain[q] < grain[p]) q++;
      if (q < s->start[i + 1] && s->grain[q] == grain[p]) (*c)[p] = old[q];
    }
  return 0;
}

static PetscErrorCode same_lists(const MtGrowth *g, const PetscInt *start, const int32_t *grain, bool *same) {
  const MtGrainSet *s = &g->set;
  PetscBool a = PETSC_FALSE, b = PETSC_FALSE;
  int changed;
  PetscCall(PetscArraycmp(start, s->start, g->domain->n_owned + 1, &a));
  if (a) PetscCall(PetscArraycmp(grain, s->grain, start[g->domain->n_owned], &b));
  changed = !b;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &changed, 1, MPI_INT, MPI_MAX, g->domain->comm));
  *same = !changed;
  return 0;
}

PetscErrorCode mt_grain_set_adapt(MtGrowth *g) {
  const PetscInt n = g->domain->n_owned;
  PetscInt *start;
  int32_t *grain;
  double *c[MT_GRAIN_STATES];
  bool same;
  PetscCall(mt_grain_ghosts_values(&g->ghosts, g->c[0]));
  PetscCall(PetscMalloc1(n + 1, &start));
  PetscErrorCode rc = mt_agree(g->domain->comm, choose(g, start, &grain));
  if (rc) {
    PetscCall(PetscFree(start));
    PetscCall(PetscFree(grain));
    return rc;
  }
  PetscCall(same_lists(g, start, grain, &same));
  if (same) {
    PetscCall(PetscFree(start));
    return PetscFree(grain);
  }
  for (int k = 0; k < MT_GRAIN_STATES; k++) PetscCall(carry(g, start, grain, g->c[k], &c[k]));
  return mt_grain_set_take(g, start, grain, c);
}

/* The lists of ghosts from their owners. */
static PetscErrorCode add_ghosts(MtGrowth *g) {
  const MtDomain *d = g->domain;
  MtGrainSet *s = &g->set;
  int32_t *count;
  PetscCall(PetscMalloc1(d->n_local, &count));
  for (PetscInt i = 0; i < d->n_owned; i++) count[i] = s->start[i + 1] - s->start[i];
  PetscCall(mt_grain_ghosts_count(&g->ghosts, count));
  for (PetscInt i = d->n_owned; i < d->n_local; i++) s->start[i + 1] = s->start[i] + count[i];
  PetscCall(PetscFree(count));
  s->n_owned = s->start[d->n_owned];
  s->n = s->start[d->n_local];
  PetscCall(mt_grain_ghosts_pairs(&g->ghosts, s->start));
  PetscCall(PetscRealloc(sizeof *s->grain * (size_t)PetscMax(1, s->n), &s->grain));
  return mt_grain_ghosts_ids(&g->ghosts, s->grain);
}

/* Of the pairs at owned node i those of neighbour j, in every stride-th entry of link: both lists ascend. */
static void link_neighbour(const MtGrainSet *s, PetscInt i, PetscInt j, PetscInt stride, PetscInt *link) {
  PetscInt q = s->start[j];
  for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++, link += stride) {
    while (q < s->start[j + 1] && s->grain[q] < s->grain[p]) q++;
    *link = q < s->start[j + 1] && s->grain[q] == s->grain[p] ? q : s->n;
  }
}

static PetscErrorCode make_links(MtGrowth *g) {
  const MtGrainGraph *a = &g->graph;
  MtGrainSet *s = &g->set;
  size_t n = 0;
  PetscCall(PetscMalloc1(g->domain->n_owned, &s->link_start));
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    s->link_start[i] = n;
    n += (size_t)(s->start[i + 1] - s->start[i]) * (size_t)(a->start[i + 1] - a->start[i]);
  }
  PetscCall(PetscMalloc(n * sizeof *s->link, &s->link));
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    const PetscInt first = s->start[i], below = a->above[i] - a->start[i], above = a->start[i + 1] - a->above[i];
    for (PetscInt k = 0; k < below; k++)
      link_neighbour(s, i, a->node[a->start[i] + k], below, mt_grain_links_below(g, i, first) + k);
    for (PetscInt k = 0; k < above; k++)
      link_neighbour(s, i, a->node[a->above[i] + k], above, mt_grain_links_above(g, i, first) + k);
  }
  return 0;
}

static PetscErrorCode gap(const MtGrowth *g, PetscInt i, int32_t a, int32_t b) {
  const double *x = g->domain->x + 3 * i;
  return mt_error(MT_ERR_FAIL,
                  "the table of boundaries does not have the grains %d and %d, which meet at (%.6g, %.6g, %.6g) nm at "
                  "t = %.9g s",
                  a, b, x[0], x[1], x[2], g->stepper.now.t);
}

/* gamma and L of the pairs of grains at a node. */
static PetscErrorCode node_boundaries(const MtGrowth *g, PetscInt i, double *gamma, double *rate) {
  const MtGrainSet *s = &g->set;
  for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++)
    for (PetscInt q = p + 1; q < s->start[i + 1]; q++) {
      double energy, mobility;
      if (!mt_boundary(g->law, s->grain[p], s->grain[q], &energy, &mobility))
        return gap(g, i, s->grain[p], s->grain[q]);
      *gamma++ = mt_grain_model_gamma(g->model, energy);
      *rate++ = mt_grain_model_rate(g->model, energy, mobility);
    }
  return 0;
}

static PetscErrorCode make_boundaries(MtGrowth *g) {
  MtGrainSet *s = &g->set;
  PetscErrorCode rc = 0;
  size_t n = 0;
  if (g->model->uniform) return 0;
  PetscCall(PetscMalloc1(g->domain->n_owned, &s->both_start));
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    const size_t here = (size_t)(s->start[i + 1] - s->start[i]);
    s->both_start[i] = n;
    n += here * (here - 1) / 2;
  }
  PetscCall(PetscMalloc(n * sizeof *s->gamma, &s->gamma));
  PetscCall(PetscMalloc(n * sizeof *s->rate, &s->rate));
  for (PetscInt i = 0; i < g->domain->n_owned && !rc; i++)
    rc = node_boundaries(g, i, s->gamma + s->both_start[i], s->rate + s->both_start[i]);
  return mt_agree(g->domain->comm, rc);
}

PetscErrorCode mt_grain_set_free(MtGrowth *g) {
  MtGrainSet *s = &g->set;
  PetscCall(PetscFree(s->start));
  PetscCall(PetscFree(s->grain));
  PetscCall(PetscFree(s->link));
  PetscCall(PetscFree(s->link_start));
  PetscCall(PetscFree(s->gamma));
  PetscCall(PetscFree(s->rate));
  PetscCall(PetscFree(s->both_start));
  for (int k = 0; k < MT_GRAIN_STATES; k++) PetscCall(PetscFree(g->c[k]));
  for (int k = 0; k < MT_GRAIN_WORK; k++) PetscCall(PetscFree(g->work[k]));
  *s = (MtGrainSet){0};
  return 0;
}

PetscErrorCode mt_grain_set_take(MtGrowth *g, PetscInt *start, int32_t *grain, double *c[MT_GRAIN_STATES]) {
  const MtDomain *d = g->domain;
  PetscCall(mt_grain_set_free(g));
  PetscCall(PetscRealloc(sizeof *start * (size_t)(d->n_local + 1), &start));
  g->set.start = start;
  g->set.grain = grain;
  PetscCall(add_ghosts(g));
  for (int k = 0; k < MT_GRAIN_WORK; k++) PetscCall(PetscCalloc1(g->set.n + 1, &g->work[k]));
  for (int k = 0; k < MT_GRAIN_STATES; k++) {
    PetscCall(PetscCalloc1(g->set.n + 1, &g->c[k]));
    PetscCall(PetscArraycpy(g->c[k], c[k], g->set.n_owned));
    PetscCall(PetscFree(c[k]));
  }
  PetscCall(mt_grain_ghosts_values(&g->ghosts, g->c[0]));
  PetscCall(make_links(g));
  return make_boundaries(g);
}

PetscErrorCode mt_grain_set_labels(MtGrowth *g, const int32_t *label) {
  const PetscInt n = g->domain->n_owned;
  PetscInt *start;
  int32_t *grain;
  double *c[MT_GRAIN_STATES];
  PetscCall(PetscMalloc1(n + 1, &start));
  PetscCall(PetscMalloc1(n, &grain));
  for (int k = 0; k < MT_GRAIN_STATES; k++) PetscCall(PetscCalloc1(n + 1, &c[k]));
  for (PetscInt i = 0; i <= n; i++) start[i] = i;
  for (PetscInt i = 0; i < n; i++) {
    grain[i] = label[i];
    c[0][i] = 1;
  }
  PetscErrorCode rc = mt_grain_set_take(g, start, grain, c);
  return rc ? rc : mt_grain_set_adapt(g);
}
