/* Persistence images back to their pictures: what the pairs of each sample add to a component, or to an energy by the
 * regression, laid on the pixels that belong to them; its changes along the path are maps as those of pixels are. */
#include "landscape_impl.h"
#include "magtwin/analysed.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 1 << 20 };
static const double MOST_EXCESS = 10; /* before a warning */

static int64_t pixels(const MtPlaces *p) {
  return (int64_t)p->size[0] * p->size[1] * p->size[2];
}

/* Dimension of a block of persistence images; -1: it is none. */
static int dimension_of(const char *name) {
  int k = -1, length = 0;
  return sscanf(name, "/dimension%d/image%n", &k, &length) == 1 && length && !name[length] ? k : -1;
}

/* Of one run: what else there is (texture) has no place. */
static bool has_images(const MtSeries *series) {
  int64_t start, shape[3], inside;
  const char *name, *first = mt_series_file(series, 0, &inside);
  if (strcmp(mt_series_file(series, mt_series_table(series)->rows - 1, &inside), first)) return false;
  for (int b = 0; mt_series_block(series, b, &start, shape, &name); b++)
    if (dimension_of(name) >= 0) return true;
  return false;
}

/* Where the pictures are gone there are no places, and that is no failure. */
static PetscErrorCode open_run(MtLandscape *l) {
  MtPlaces *p = &l->places;
  int64_t inside;
  char folder[4096];
  snprintf(folder, sizeof folder, "%s", mt_series_file(l->series, 0, &inside));
  char *slash = strrchr(folder, '/');
  if (slash)
    *slash = 0;
  else
    strcpy(folder, ".");
  const PetscErrorCode rc = mt_analysed_open(l->comm, folder, &p->run);
  if (rc && rc != MT_ERR_INPUT) return rc;
  if (rc) {
    mt_warn("features are not drawn back on their pictures: %s", mt_error_message());
    mt_error_clear();
    return 0;
  }
  memcpy(p->size, mt_analysed_size(p->run), sizeof p->size);
  if (mt_analysed_count(p->run) == l->energy.n) return 0;
  mt_warn("features are not drawn back on their pictures: %s has %d of them, but there are %d samples", folder,
          mt_analysed_count(p->run), l->energy.n);
  mt_analysed_close(&p->run);
  return 0;
}

/* What a unit of each number of the features adds: to the component, and to the energy by the regression.  Whole on
 * every rank: weight [2][columns]. */
static PetscErrorCode make_weights(const MtLandscape *l, double *weight) {
  const MtTable *t = mt_series_table(l->series);
  const MtPca *p = mt_series_pca(l->series);
  for (int64_t i = 0; i < t->n; i++) {
    double beta = 0;
    for (int s = 0; s < l->energy.n && l->alpha; s++)
      beta += l->alpha[(size_t)s * (size_t)l->energy.terms + (size_t)l->of] * t->value[i * t->width + s];
    weight[t->start + i] = p->lines[i * p->components + l->component] * p->factor[i];
    weight[t->columns + t->start + i] = beta * p->factor[i];
  }
  for (int64_t i = 0; i < 2 * t->columns; i += CHUNK) {
    const int n = (int)(2 * t->columns - i < CHUNK ? 2 * t->columns - i : CHUNK);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, weight + i, n, MPI_DOUBLE, MPI_SUM, l->comm));
  }
  return 0;
}

typedef struct {
  MtLandscape *l;
  MtSpread where;
  const double *weight; /* [2][columns] */
  double *value;        /* [pixels] of the picture at hand */
  double *now[2];       /* [pixels] what its pairs add: to the component, to the energy by the regression */
  double *last[2];      /* and those of the sample before */
  double *amount;       /* room for the pairs of a dimension */
} Walk;

/* One dimension of a picture. */
static void lay_block(Walk *w, const MtCubical *image, const MtDiagram *d, int dimension, int64_t start) {
  const int64_t columns = mt_series_table(w->l->series)->columns, n = d->n[dimension];
  w->amount = mt_realloc(w->amount, ((size_t)n + 1) * sizeof *w->amount);
  for (int k = 0; k < (w->l->alpha ? 2 : 1); k++) {
    mt_persistence_amounts(mt_analysed_features(w->l->places.run), w->weight + k * columns + start, n,
                           d->pair[dimension], w->amount);
    mt_pair_spread(image, w->where, dimension, n, d->pair[dimension], w->amount, w->now[k]);
  }
}

static PetscErrorCode take_sample(Walk *w, int s) {
  const size_t bytes = (size_t)pixels(&w->l->places) * sizeof(double);
  int64_t start, shape[3];
  const char *name;
  MtCubical image;
  MtDiagram d;
  for (int k = 0; k < 2; k++) {
    double *swap = w->last[k];
    w->last[k] = w->now[k], w->now[k] = swap;
    memset(swap, 0, bytes);
  }
  PetscCall(mt_analysed_read(w->l->places.run, s, w->value, &image, &d));
  for (int b = 0; mt_series_block(w->l->series, b, &start, shape, &name); b++)
    if (dimension_of(name) >= 0 && dimension_of(name) < d.dims) lay_block(w, &image, &d, dimension_of(name), start);
  mt_diagram_free(&d);
  return 0;
}

/* Step s to s+1 of the path. */
static void add_step(Walk *w, int s, double slope) {
  MtPlaces *p = &w->l->places;
  for (int64_t i = 0; i < pixels(p); i++) {
    const double moved = w->now[0][i] - w->last[0][i], along = slope * moved, fit = w->now[1][i] - w->last[1][i];
    p->dPC[i] += moved;
    mt_map_add(&p->path, i, along, along > 0);
    if (w->l->alpha) mt_map_add(&p->ridge, i, fit, fit > 0);
  }
  mt_progress("places of sample %d of %d to %d", s + 2, w->l->maps.from + 1, w->l->maps.to + 1);
}

/* Steps are dealt to the ranks in blocks: the sample before the first one is looked at by two. */
static PetscErrorCode walk_steps(Walk *w) {
  const MtMaps *m = &w->l->maps;
  int rank, ranks;
  int64_t start, n;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(w->l->comm, &rank));
  PetscCallMPI(MPI_Comm_size(w->l->comm, &ranks));
  mt_slab(m->to - m->from, rank, ranks, &start, &n);
  if (n) rc = take_sample(w, m->from + (int)start);
  for (int s = m->from + (int)start; s < m->from + (int)(start + n) && !rc; s++) {
    rc = take_sample(w, s + 1);
    if (!rc) add_step(w, s, mt_landscape_step_slope(w->l, s));
  }
  mt_progress_end();
  return mt_agree(w->l->comm, rc);
}

/* Over the ranks, and as a density: its mean over the pixels inside is the change. */
static PetscErrorCode sum_up(const MtLandscape *l, double *value) {
  const MtPlaces *p = &l->places;
  const int64_t n = pixels(p);
  for (int64_t i = 0; i < n; i += CHUNK) {
    const int count = (int)(n - i < CHUNK ? n - i : CHUNK);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, value + i, count, MPI_DOUBLE, MPI_SUM, l->comm));
  }
  for (int64_t i = 0; i < n; i++) value[i] *= (double)p->inside;
  return 0;
}

static PetscErrorCode sum_map(const MtLandscape *l, MtMap *m) {
  double *const part[] = {m->net, m->resisting, m->promoting};
  for (int k = 0; k < 3 && m->net; k++) PetscCall(sum_up(l, part[k]));
  return 0;
}

/* Pixels of the magnet; of a picture those that the mask shows. */
static void count_inside(MtPlaces *p, const MtCubical *image) {
  const int64_t n = pixels(p), nodes = mt_analysed_nodes(p->run);
  p->inside = 0;
  double *one = mt_malloc((size_t)(nodes + 1) * sizeof *one), *value = mt_calloc((size_t)n, sizeof *value);
  for (int64_t i = 0; i < nodes; i++) one[i] = 1;
  if (nodes) mt_analysed_sample(p->run, one, value);
  for (int64_t i = 0; i < n; i++) p->inside += isfinite(value[i]) && !(image->hidden && image->hidden[i]);
  free(one);
  free(value);
}

static PetscErrorCode make_maps(MtLandscape *l) {
  static const char *const ways = "rbc"; /* region, border, cells */
  MtPlaces *p = &l->places;
  const MtCubical image = mt_analysed_options(p->run);
  const size_t n = (size_t)pixels(p);
  const char way = mt_input_string(l->in, "landscape.places")[0];
  double *weight = mt_calloc(2 * (size_t)mt_series_table(l->series)->columns, sizeof *weight);
  Walk w = {.l = l, .where = (MtSpread)(strchr(ways, way) - ways), .weight = weight};
  w.value = mt_malloc(n * sizeof *w.value);
  for (int k = 0; k < 2; k++) {
    w.now[k] = mt_calloc(n, sizeof *w.value);
    w.last[k] = mt_calloc(n, sizeof *w.value);
  }
  count_inside(p, &image);
  p->dPC = mt_calloc(n, sizeof *p->dPC);
  mt_map_make((int64_t)n, &p->path);
  if (l->alpha) mt_map_make((int64_t)n, &p->ridge);
  PetscErrorCode rc = make_weights(l, weight);
  if (!rc) rc = walk_steps(&w);
  if (!rc) rc = sum_up(l, p->dPC);
  if (!rc) rc = sum_map(l, &p->path);
  if (!rc) rc = sum_map(l, &p->ridge);
  for (int k = 0; k < 2; k++) {
    free(w.now[k]);
    free(w.last[k]);
  }
  free(w.value);
  free(w.amount);
  free(weight);
  return rc;
}

/* Features that move while the component hardly does, and the energy goes on changing elsewhere, leave large numbers of
 * both signs. */
static void find_excess(MtPlaces *p) {
  double sum = 0, size = 0;
  for (int64_t i = 0; i < pixels(p); i++) {
    sum += p->path.net[i];
    size += fabs(p->path.net[i]);
  }
  p->excess = size > 0 ? size / fabs(sum) : NAN;
  if (p->excess > MOST_EXCESS)
    mt_warn("the places along the component cancel: without their signs they add up to %.3g times their sum. Take the "
            "maps of one pass (landscape.from and landscape.to, passes.csv), or those by regression",
            p->excess);
}

PetscErrorCode mt_landscape_places(MtLandscape *l) {
  if (!mt_series_is_features(l->series) || mt_input_string(l->in, "landscape.places")[0] == 'n') return 0;
  if (!has_images(l->series)) return 0;
  PetscCall(open_run(l));
  if (!l->places.run) return 0;
  PetscCall(make_maps(l));
  find_excess(&l->places);
  return mt_landscape_on_nodes(l);
}

/* A field of the slabs, whole on rank 0. */
static PetscErrorCode gather(const MtLandscape *l, const double *slab, double *whole) {
  const MtWork *w = &l->energy.nodes;
  int ranks, n = (int)w->count;
  PetscCallMPI(MPI_Comm_size(l->comm, &ranks));
  int *count = mt_malloc((size_t)ranks * sizeof *count), *start = mt_malloc((size_t)ranks * sizeof *start);
  for (int r = 0; r < ranks; r++) {
    int64_t from, size;
    mt_slab(w->nodes, r, ranks, &from, &size);
    start[r] = (int)from, count[r] = (int)size;
  }
  PetscCallMPI(MPI_Gatherv(slab, n, MPI_DOUBLE, whole, count, start, MPI_DOUBLE, 0, l->comm));
  free(count);
  free(start);
  return 0;
}

/* The true work at the pixels, on rank 0. */
static PetscErrorCode sample_truth(MtLandscape *l) {
  MtPlaces *p = &l->places;
  int rank;
  PetscCallMPI(MPI_Comm_rank(l->comm, &rank));
  double *nodal = mt_malloc((rank ? 1 : (size_t)l->energy.nodes.nodes) * sizeof *nodal);
  const double *const from[] = {l->truth.net, l->truth.resisting, l->truth.promoting};
  mt_map_make(pixels(p), &p->truth);
  double *const to[] = {p->truth.net, p->truth.resisting, p->truth.promoting};
  PetscErrorCode rc = 0;
  for (int k = 0; k < 3 && !rc; k++) {
    rc = gather(l, from[k], nodal);
    if (!rc && !rank) mt_analysed_sample(p->run, nodal, to[k]);
  }
  free(nodal);
  return rc;
}

/* Areas of both kinds of a map against the labelled pixels; rank 0 has them all. */
static PetscErrorCode roc_of(const MtLandscape *l, int64_t n, const int64_t *pixel, const bool *label, const MtMap *m,
                             double area[2]) {
  double *score = mt_calloc((size_t)n + 1, sizeof *score);
  const double *const of[] = {m->resisting, m->net};
  PetscErrorCode rc = 0;
  for (int k = 0; k < 2 && m->net && !rc; k++) {
    for (int64_t i = 0; i < n; i++) score[i] = of[k][pixel[i]];
    rc = mt_roc_area(l->comm, n, score, label, &area[k]);
  }
  free(score);
  return rc;
}

static PetscErrorCode score_all(MtLandscape *l, int64_t n, const int64_t *pixel) {
  MtPlaces *p = &l->places;
  const double share = mt_input_real(l->in, "landscape.share");
  double threshold, *truth = mt_malloc(((size_t)n + 1) * sizeof *truth),
                    *one = mt_malloc(((size_t)n + 1) * sizeof *one);
  bool *label = mt_calloc((size_t)n + 1, sizeof *label);
  for (int64_t i = 0; i < n; i++) truth[i] = p->truth.net[pixel[i]], one[i] = 1;
  PetscErrorCode rc = mt_top_threshold(l->comm, n, truth, one, share, &threshold);
  for (int64_t i = 0; i < n && !rc; i++) label[i] = truth[i] >= threshold;
  if (!rc) rc = roc_of(l, n, pixel, label, &p->path, p->roc_path);
  if (!rc) rc = roc_of(l, n, pixel, label, &p->ridge, p->roc_ridge);
  free(truth);
  free(one);
  free(label);
  return rc;
}

PetscErrorCode mt_landscape_score_places(MtLandscape *l) {
  MtPlaces *p = &l->places;
  int rank;
  for (int k = 0; k < 2; k++) p->roc_path[k] = p->roc_ridge[k] = NAN;
  if (!p->run || !l->truth.net || mt_analysed_nodes(p->run) != l->energy.nodes.nodes) return 0;
  PetscCall(sample_truth(l));
  PetscCallMPI(MPI_Comm_rank(l->comm, &rank));
  int64_t n = 0, *pixel = mt_malloc((size_t)pixels(p) * sizeof *pixel);
  for (int64_t i = 0; i < pixels(p) && !rank; i++)
    if (isfinite(p->truth.net[i])) pixel[n++] = i;
  PetscErrorCode rc = score_all(l, n, pixel);
  free(pixel);
  return rc;
}

void mt_places_free(MtPlaces *p) {
  mt_analysed_close(&p->run);
  mt_on_nodes_free(&p->on);
  free(p->dPC);
  mt_map_free(&p->path);
  mt_map_free(&p->ridge);
  mt_map_free(&p->truth);
}
