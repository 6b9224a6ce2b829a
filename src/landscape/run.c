/* magtwin landscape: components and energies of a series -> landscape, passes, maps. */
#include "magtwin/run.h"
#include "landscape_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Scores on every rank: the table is dealt by variables. */
static void take_scores(MtLandscape *l) {
  const MtPca *p = mt_series_pca(l->series);
  const size_t size = (size_t)l->energy.n * (size_t)p->components * sizeof *l->scores;
  l->scores = mt_calloc(1, size);
  memcpy(l->scores, p->across, size);
}

/* PC_k,i = w_k,i (x_i - mean_i): their sum over the variables is PC_k. */
static PetscErrorCode check_sums(MtLandscape *l) {
  const MtTable *t = mt_series_table(l->series);
  const MtPca *p = mt_series_pca(l->series);
  const int K = p->components;
  double *sum = mt_calloc((size_t)t->width * (size_t)K, sizeof *sum), top = 0;
  PetscErrorCode rc = mt_pca_multiply_back(t, K, p->lines, sum);
  for (int64_t i = 0; i < t->width * K; i++) {
    top = fmax(top, fabs(l->scores[i]));
    l->sum_defect = fmax(l->sum_defect, fabs(sum[i] - l->scores[i]));
  }
  l->sum_defect /= top;
  free(sum);
  return rc;
}

/* dE/dPC of one term along one component. */
static void make_slope(MtLandscape *l, int component, int term, const double *dPC, double rest) {
  const MtEnergies *e = &l->energy;
  const int half = (int)mt_input_int(l->in, "landscape.half_window");
  double *E = mt_malloc((size_t)e->n * sizeof *E), *dE = mt_malloc((size_t)e->n * sizeof *dE),
         *out = l->slope + (size_t)component * (size_t)e->n * (size_t)e->terms;
  for (int s = 0; s < e->n; s++) E[s] = e->work[(size_t)s * (size_t)e->terms + (size_t)term];
  mt_path_slopes(e->n, half, E, dE);
  for (int s = 0; s < e->n; s++)
    out[(size_t)s * (size_t)e->terms + (size_t)term] = fabs(dPC[s]) > rest ? dE[s] / dPC[s] : NAN;
  free(E);
  free(dE);
}

static void make_slopes(MtLandscape *l) {
  const MtEnergies *e = &l->energy;
  const int K = mt_series_pca(l->series)->components, half = (int)mt_input_int(l->in, "landscape.half_window");
  double *score = mt_calloc((size_t)e->n, sizeof *score), *dPC = mt_calloc((size_t)e->n, sizeof *dPC);
  l->slope = mt_malloc((size_t)K * (size_t)e->n * (size_t)e->terms * sizeof *l->slope);
  for (int k = 0; k < K; k++) {
    double top = 0;
    for (int s = 0; s < e->n; s++) score[s] = l->scores[s * K + k];
    mt_path_slopes(e->n, half, score, dPC);
    for (int s = 0; s < e->n; s++) top = fmax(top, fabs(dPC[s]));
    for (int t = 0; t < e->terms; t++) make_slope(l, k, t, dPC, 1e-3 * top); /* slower than that: it rests */
  }
  free(score);
  free(dPC);
}

static PetscErrorCode choose_component(MtLandscape *l) {
  const int K = mt_series_pca(l->series)->components;
  l->component = (int)mt_input_int(l->in, "landscape.component") - 1;
  if (l->component < K) return 0;
  return mt_input_error(l->in, "landscape.component", "there are %d components (pca.components)", K);
}

static PetscErrorCode choose_energy(MtLandscape *l) {
  const char *of = mt_input_string(l->in, "landscape.of");
  for (l->of = 0; l->of < l->energy.terms && strcmp(l->energy.name[l->of], of) != 0;) l->of++;
  if (l->of < l->energy.terms) return 0;
  char names[1024] = "";
  for (int t = 0; t < l->energy.terms; t++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", t ? ", " : "", l->energy.name[t]);
  return mt_input_error(l->in, "landscape.of", "there is no energy %s; there are %s", of, names);
}

static void find_passes(MtLandscape *l) {
  const MtEnergies *e = &l->energy;
  double *E = mt_malloc((size_t)e->n * sizeof *E), low = INFINITY, high = -INFINITY;
  for (int s = 0; s < e->n; s++) {
    E[s] = e->work[(size_t)s * (size_t)e->terms + (size_t)l->of];
    low = fmin(low, E[s]), high = fmax(high, E[s]);
  }
  l->pass = mt_malloc(((size_t)e->n / 2 + 2) * sizeof *l->pass);
  l->npasses = high > low ? mt_passes(e->n, E, mt_input_real(l->in, "landscape.min_rise") * (high - low), l->pass) : 0;
  free(E);
}

/* Samples of the maps: those asked for, or all. */
static PetscErrorCode choose_interval(MtLandscape *l) {
  MtMaps *m = &l->maps;
  m->from = 0;
  m->to = l->energy.n - 1;
  if (mt_input_has(l->in, "landscape.from")) m->from = (int)mt_input_int(l->in, "landscape.from") - 1;
  if (mt_input_has(l->in, "landscape.to")) m->to = (int)mt_input_int(l->in, "landscape.to") - 1;
  if (m->from < m->to && m->to < l->energy.n) return 0;
  return mt_input_error(l->in, "landscape.to", "maps go from one sample to a later one of %d, not from %d to %d",
                        l->energy.n, m->from + 1, m->to + 1);
}

static PetscErrorCode regress(MtLandscape *l) {
  const MtTable *t = mt_series_table(l->series);
  const MtEnergies *e = &l->energy;
  const size_t n = (size_t)e->n;
  const MtRegressionOptions o = {.folds = (int)mt_input_int(l->in, "landscape.folds"),
                                 .blocks = mt_input_string(l->in, "landscape.split")[0] == 'b',
                                 .permutations = (int)mt_input_int(l->in, "landscape.permutations"),
                                 .seed = (uint64_t)mt_input_int(l->in, "landscape.seed")};
  if (e->n < o.folds || e->n < 4) {
    mt_warn("%d samples are too few for a regression in %d folds: there is none", e->n, o.folds);
    return 0;
  }
  double *K = mt_malloc(n * n * sizeof *K);
  l->ridge = mt_calloc((size_t)e->terms, sizeof *l->ridge);
  l->alpha = mt_malloc(n * (size_t)e->terms * sizeof *l->alpha);
  PetscErrorCode rc = mt_pca_products(t, K);
  if (!rc) rc = mt_regression(l->comm, &o, e->n, K, e->terms, e->work, l->ridge, l->alpha);
  free(K);
  return rc;
}

static void tell(const MtLandscape *l, MtJson *json) {
  const MtEnergies *e = &l->energy;
  mt_json_object(json, "landscape");
  mt_json_int(json, "samples", e->n);
  mt_json_string(json, "of", e->name[l->of]);
  mt_json_int(json, "component", l->component + 1);
  mt_json_real(json, "sum_defect", l->sum_defect);
  mt_json_int(json, "passes", l->npasses);
  mt_json_int(json, "maps_from", l->maps.from + 1);
  mt_json_int(json, "maps_to", l->maps.to + 1);
  mt_json_quantity(json, "maps_rise",
                   e->work[(size_t)l->maps.to * (size_t)e->terms + (size_t)l->of] -
                       e->work[(size_t)l->maps.from * (size_t)e->terms + (size_t)l->of],
                   "J/m3");
  if (l->ridge) {
    mt_json_object(json, "regression");
    for (int t = 0; t < e->terms; t++) {
      mt_json_object(json, e->name[t]);
      mt_json_real(json, "score", l->ridge[t].score);
      mt_json_real(json, "chance", l->ridge[t].chance);
      mt_json_real(json, "permuted_score", l->ridge[t].permuted);
      mt_json_real(json, "lambda", l->ridge[t].lambda);
      mt_json_end(json);
    }
    mt_json_end(json);
  }
  if (l->truth.net) {
    mt_json_real(json, "roc_area_path", l->roc_path[0]);
    mt_json_real(json, "roc_area_path_net", l->roc_path[1]);
    mt_json_real(json, "roc_area_ridge", l->roc_ridge[0]);
    mt_json_real(json, "roc_area_ridge_net", l->roc_ridge[1]);
  }
  if (l->places.run) mt_json_real(json, "places_excess", l->places.excess);
  if (l->places.on.nodes) mt_json_real(json, "places_on_nodes", l->places.on.share);
  if (l->places.truth.net) {
    mt_json_real(json, "roc_area_places_path", l->places.roc_path[0]);
    mt_json_real(json, "roc_area_places_path_net", l->places.roc_path[1]);
    mt_json_real(json, "roc_area_places_ridge", l->places.roc_ridge[0]);
    mt_json_real(json, "roc_area_places_ridge_net", l->places.roc_ridge[1]);
  }
  mt_json_end(json);
}

static void say(const MtLandscape *l) {
  const MtEnergies *e = &l->energy;
  mt_log("%d pass%s of the %s energy; maps of samples %d to %d, over which it changes by %.4g J/m3", l->npasses,
         l->npasses == 1 ? "" : "es", e->name[l->of], l->maps.from + 1, l->maps.to + 1,
         e->work[(size_t)l->maps.to * (size_t)e->terms + (size_t)l->of] -
             e->work[(size_t)l->maps.from * (size_t)e->terms + (size_t)l->of]);
  for (int t = 0; t < e->terms && l->ridge; t++) {
    char chance[48] = "";
    if (isnan(l->ridge[t].score)) {
      mt_log("regression of %s: none, it does not change", e->name[t]);
      continue;
    }
    if (isfinite(l->ridge[t].chance)) snprintf(chance, sizeof chance, ", by chance %.3g", l->ridge[t].chance);
    mt_log("regression of %s: held-out score %.3f%s", e->name[t], l->ridge[t].score, chance);
  }
  if (isfinite(l->roc_path[0]))
    mt_log("resisting places against the true work: area under the ROC curve %.3f along the component, %.3f by "
           "regression",
           l->roc_path[0], l->roc_ridge[0]);
  if (l->places.truth.net)
    mt_log("resisting places of the features on their pictures against the true work: area under the ROC curve %.3f "
           "along the component, %.3f by regression",
           l->places.roc_path[0], l->places.roc_ridge[0]);
}

static PetscErrorCode read_energies(MtLandscape *l) {
  const int n = (int)mt_series_samples(l->series);
  if (n < 3) return mt_input_error(l->in, "pca.files", "%d samples are no path: three are needed", n);
  mt_phase_begin("energies");
  PetscErrorCode rc = mt_energies_read(l->comm, l->in, n, &l->energy);
  mt_phase_end("energies");
  if (!rc) rc = choose_energy(l);
  return rc ? rc : choose_interval(l);
}

static PetscErrorCode make_components(MtLandscape *l, MtJson *json) {
  PetscCall(mt_series_solve(l->series, true, json));
  PetscCall(choose_component(l));
  take_scores(l);
  return check_sums(l);
}

/* Whatever may be missing of the energies is told before the components are computed. */
static PetscErrorCode run(MtLandscape *l, MtJson *json) {
  PetscCall(mt_series_open(l->comm, l->in, &l->series));
  PetscCall(read_energies(l));
  PetscCall(make_components(l, json));
  make_slopes(l);
  find_passes(l);
  mt_phase_begin("regression");
  PetscErrorCode rc = regress(l);
  mt_phase_end("regression");
  if (rc) return rc;
  mt_landscape_maps(l);
  PetscCall(mt_landscape_score(l));
  mt_phase_begin("places");
  rc = mt_landscape_places(l);
  if (!rc) rc = mt_landscape_score_places(l);
  mt_phase_end("places");
  if (rc) return rc;
  tell(l, json);
  say(l);
  mt_phase_begin("write");
  rc = mt_series_write(l->series, l->folder);
  if (!rc) rc = mt_landscape_write(l);
  mt_phase_end("write");
  return rc;
}

PetscErrorCode mt_landscape_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json) {
  MtLandscape l = {.comm = comm, .in = in, .folder = folder};
  PetscErrorCode rc = run(&l, json);
  free(l.scores);
  free(l.slope);
  free(l.alpha);
  free(l.maps.dPC);
  mt_map_free(&l.maps.path);
  mt_map_free(&l.maps.ridge);
  mt_map_free(&l.truth);
  mt_places_free(&l.places);
  free(l.ridge);
  free(l.pass);
  free(l.label);
  mt_energies_free(&l.energy);
  mt_series_close(&l.series);
  return rc;
}
