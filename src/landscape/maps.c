/* Where it happens: contributions of the variables to a component and to an energy, and their score against the true
 * work on the nodes. */
#include "landscape_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

enum { MOST_UNIT = 3 }; /* variables a node: of a field (src/pca/weights.c) */

double mt_landscape_step_slope(const MtLandscape *l, int s) {
  const MtEnergies *e = &l->energy;
  const int K = mt_series_pca(l->series)->components;
  double low = INFINITY, high = -INFINITY;
  for (int i = 0; i < e->n; i++) {
    low = fmin(low, l->scores[i * K + l->component]);
    high = fmax(high, l->scores[i * K + l->component]);
  }
  const double dPC = l->scores[(s + 1) * K + l->component] - l->scores[s * K + l->component],
               dE = e->work[(size_t)(s + 1) * (size_t)e->terms + (size_t)l->of] -
                    e->work[(size_t)s * (size_t)e->terms + (size_t)l->of];
  return fabs(dPC) > 1e-9 * (high - low) ? dE / dPC : 0;
}

void mt_map_add(const MtMap *m, int64_t i, double part, bool resists) {
  m->net[i] += part;
  (resists ? m->resisting : m->promoting)[i] += part;
}

/* beta of the regression for one variable with its samples x. */
static double coefficient(const MtLandscape *l, const double *x) {
  double beta = 0;
  for (int s = 0; s < l->energy.n; s++) beta += l->alpha[(size_t)s * (size_t)l->energy.terms + (size_t)l->of] * x[s];
  return beta;
}

/* Adds one step of the variables of a place, each `factor` times its change: they resist or promote together. */
static void add_step(const MtTable *t, const MtMap *m, int64_t first, int unit, int s, const double *factor) {
  double part[MOST_UNIT], sum = 0;
  for (int c = 0; c < unit; c++) {
    const double *x = t->value + (first + c) * t->width;
    part[c] = factor[c] * (x[s + 1] - x[s]);
    sum += part[c];
  }
  for (int c = 0; c < unit; c++) mt_map_add(m, first + c, part[c], sum > 0);
}

/* The variables of one place (components of a node; else one): their parts of all maps. */
static void map_place(const MtLandscape *l, const double *slope, int64_t first, int unit) {
  const MtTable *t = mt_series_table(l->series);
  const MtPca *p = mt_series_pca(l->series);
  const MtMaps *m = &l->maps;
  double w[MOST_UNIT], beta[MOST_UNIT], along[MOST_UNIT];
  for (int c = 0; c < unit; c++) {
    const double *x = t->value + (first + c) * t->width;
    w[c] = p->lines[(first + c) * p->components + l->component];
    m->dPC[first + c] = w[c] * (x[m->to] - x[m->from]);
    if (l->alpha) beta[c] = coefficient(l, x);
  }
  for (int s = m->from; s < m->to; s++) {
    for (int c = 0; c < unit; c++) along[c] = slope[s] * w[c];
    add_step(t, &m->path, first, unit, s, along);
    if (l->alpha) add_step(t, &m->ridge, first, unit, s, beta);
  }
}

void mt_map_make(int64_t n, MtMap *m) {
  m->net = mt_calloc((size_t)n, sizeof *m->net);
  m->resisting = mt_calloc((size_t)n, sizeof *m->resisting);
  m->promoting = mt_calloc((size_t)n, sizeof *m->promoting);
}

void mt_map_free(MtMap *m) {
  free(m->net);
  free(m->resisting);
  free(m->promoting);
  memset(m, 0, sizeof *m);
}

void mt_landscape_maps(MtLandscape *l) {
  const MtTable *t = mt_series_table(l->series);
  MtMaps *m = &l->maps;
  int unit;
  mt_series_nodes(l->series, &unit);
  double *slope = mt_malloc((size_t)l->energy.n * sizeof *slope);
  m->dPC = mt_calloc((size_t)t->n, sizeof *m->dPC);
  mt_map_make(t->n, &m->path);
  if (l->alpha) mt_map_make(t->n, &m->ridge);
  for (int s = m->from; s < m->to; s++) slope[s] = mt_landscape_step_slope(l, s);
  for (int64_t i = 0; i < t->n; i += unit) map_place(l, slope, i, unit);
  free(slope);
}

double mt_landscape_density(const MtLandscape *l, const double *map, int64_t node) {
  const MtWork *w = &l->energy.nodes;
  int unit;
  double sum = 0;
  mt_series_nodes(l->series, &unit);
  for (int c = 0; c < unit; c++) sum += map[node * unit + c];
  return w->node_volume[node] > 0 ? sum * w->volume / w->node_volume[node] : 0;
}

static PetscErrorCode roc_of(const MtLandscape *l, const double *map, double *area) {
  const int64_t n = l->energy.nodes.count;
  double *score = mt_malloc((size_t)n * sizeof *score);
  bool *label = mt_malloc((size_t)n * sizeof *label);
  int64_t used = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!(l->energy.nodes.node_volume[i] > 0)) continue; /* air */
    score[used] = mt_landscape_density(l, map, i);
    label[used++] = l->label[i];
  }
  PetscErrorCode rc = mt_roc_area(l->comm, used, score, label, area);
  free(score);
  free(label);
  return rc;
}

/* The true work of the steps, as a density; the labels are the places that take up most. */
static PetscErrorCode find_truth(MtLandscape *l) {
  const MtWork *w = &l->energy.nodes;
  double threshold;
  mt_map_make(w->count, &l->truth);
  l->label = mt_calloc((size_t)w->count, sizeof *l->label);
  for (int64_t i = 0; i < w->count; i++)
    for (int s = l->maps.from; s < l->maps.to && w->node_volume[i] > 0; s++) {
      const double part = w->work[(size_t)s * (size_t)w->count + (size_t)i] / w->node_volume[i];
      mt_map_add(&l->truth, i, part, part > 0);
    }
  PetscCall(mt_top_threshold(l->comm, w->count, l->truth.net, w->node_volume, mt_input_real(l->in, "landscape.share"),
                             &threshold));
  for (int64_t i = 0; i < w->count; i++) l->label[i] = l->truth.net[i] >= threshold;
  return 0;
}

static PetscErrorCode roc_of_both(const MtLandscape *l, const MtMap *map, double area[2]) {
  PetscCall(roc_of(l, map->resisting, &area[0]));
  return roc_of(l, map->net, &area[1]);
}

PetscErrorCode mt_landscape_score(MtLandscape *l) {
  int unit;
  for (int k = 0; k < 2; k++) l->roc_path[k] = l->roc_ridge[k] = NAN;
  if (!l->energy.nodes.n) return 0;
  PetscCall(find_truth(l));
  if (mt_series_nodes(l->series, &unit) != l->energy.nodes.nodes) return 0;
  PetscCall(roc_of_both(l, &l->maps.path, l->roc_path));
  return l->alpha ? roc_of_both(l, &l->maps.ridge, l->roc_ridge) : 0;
}
