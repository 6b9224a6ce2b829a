/* Where it happens: contributions of the variables to a component and to an energy, and their score against the true
 * work on the nodes. */
#include "landscape_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

/* dE/dPC over a step of the path, so that the contributions add up to the change of the energy; 0 where the component
 * rests. */
static double step_slope(const MtLandscape *l, int s) {
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

static void add_part(const MtMap *m, int64_t i, double part) {
  m->net[i] += part;
  m->resisting[i] += fmax(part, 0);
  m->promoting[i] += fmin(part, 0);
}

/* One variable with its samples x, loading w: its parts of all maps. */
static void map_variable(const MtLandscape *l, const double *slope, int64_t i, const double *x, double w) {
  const MtMaps *m = &l->maps;
  double beta = 0;
  m->dPC[i] = w * (x[m->to] - x[m->from]);
  for (int s = 0; s < l->energy.n && l->alpha; s++)
    beta += l->alpha[(size_t)s * (size_t)l->energy.terms + (size_t)l->of] * x[s];
  for (int s = m->from; s < m->to; s++) {
    add_part(&m->path, i, slope[s] * w * (x[s + 1] - x[s]));
    if (l->alpha) add_part(&m->ridge, i, beta * (x[s + 1] - x[s]));
  }
}

static void make_map(int64_t n, MtMap *m) {
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
  const MtPca *p = mt_series_pca(l->series);
  MtMaps *m = &l->maps;
  double *slope = mt_malloc((size_t)l->energy.n * sizeof *slope);
  m->dPC = mt_calloc((size_t)t->n, sizeof *m->dPC);
  make_map(t->n, &m->path);
  if (l->alpha) make_map(t->n, &m->ridge);
  for (int s = m->from; s < m->to; s++) slope[s] = step_slope(l, s);
  for (int64_t i = 0; i < t->n; i++)
    map_variable(l, slope, i, t->value + i * t->width, p->lines[i * p->components + l->component]);
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
  make_map(w->count, &l->truth);
  l->label = mt_calloc((size_t)w->count, sizeof *l->label);
  for (int64_t i = 0; i < w->count; i++)
    for (int s = l->maps.from; s < l->maps.to && w->node_volume[i] > 0; s++)
      add_part(&l->truth, i, w->work[(size_t)s * (size_t)w->count + (size_t)i] / w->node_volume[i]);
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
