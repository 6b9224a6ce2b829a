/* magtwin peaks: a spectrum -> number of peaks by the free energy, and what they are. */
#include "magtwin/error.h"
#include "magtwin/exchange.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/peaks.h"
#include "magtwin/run.h"
#include "magtwin/texttable.h"
#include "peaks_model.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MODELS = 21 };

typedef struct {
  int peaks;
  double free_energy, error, noise, moved, exchanged;
  double *mean, *deviation, *best; /* [dims] values; owned */
} Model;

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  const char *folder;
  int n, room;
  double *x, *y; /* [n] owned */
  MtPeakModel shape;
  double noise; /* NAN: not known */
  int models;
  Model model[MODELS];
} Job;

/* The numbers in columns a and b, from 1; false: there are none. */
static bool two_numbers(const MtTextTable *t, int a, int b, double *x, double *y) {
  return a <= t->n && b <= t->n && mt_text_number(t->cell[a - 1], x) && mt_text_number(t->cell[b - 1], y);
}

static void add_point(Job *j, double x, double y) {
  if (j->n == j->room) {
    j->room *= 2;
    j->x = mt_realloc(j->x, (size_t)j->room * sizeof *j->x);
    j->y = mt_realloc(j->y, (size_t)j->room * sizeof *j->y);
  }
  j->x[j->n] = x, j->y[j->n++] = y;
}

static PetscErrorCode read_lines(Job *j, MtTextTable *t, int a, int b) {
  double x, y;
  while (mt_text_next(t)) {
    const bool numbers = two_numbers(t, a, b, &x, &y);
    if (!numbers && !j->n) continue; /* before the first numbers: names */
    if (!numbers)
      return mt_error(MT_ERR_INPUT, "%s:%lld: has no numbers in columns %d and %d", t->path, (long long)t->line, a, b);
    if (!isfinite(x) || !isfinite(y) || (j->n && !(x > j->x[j->n - 1])))
      return mt_error(MT_ERR_INPUT, "%s:%lld: x must ascend, and both must be finite numbers", t->path,
                      (long long)t->line);
    add_point(j, x, y);
  }
  return 0;
}

static PetscErrorCode read_spectrum(Job *j) {
  const char *path = mt_input_string(j->in, "peaks.file");
  if (mt_input_count(j->in, "peaks.columns") != 2)
    return mt_input_error(j->in, "peaks.columns", "must be two numbers: the columns of x and y");
  const int a = (int)mt_input_real_at(j->in, 0, "peaks.columns"), b = (int)mt_input_real_at(j->in, 1, "peaks.columns");
  if (a == b) return mt_input_error(j->in, "peaks.columns", "x and y cannot be the same column");
  MtTextTable t;
  PetscErrorCode rc = mt_text_open(path, &t);
  if (!rc) rc = read_lines(j, &t, a, b);
  mt_text_close(&t);
  return rc;
}

static PetscErrorCode read_options(Job *j) {
  const char *shape = mt_input_string(j->in, "peaks.shape"), *back = mt_input_string(j->in, "peaks.background");
  MtPeakModel *m = &j->shape;
  if (j->n < 5)
    return mt_error(MT_ERR_INPUT, "%s: has %d points in columns %d and %d: 5 are needed",
                    mt_input_string(j->in, "peaks.file"), j->n, (int)mt_input_real_at(j->in, 0, "peaks.columns"),
                    (int)mt_input_real_at(j->in, 1, "peaks.columns"));
  const double range = j->x[j->n - 1] - j->x[0];
  *m = (MtPeakModel){.n = j->n, .x = j->x, .y = j->y, .low = INFINITY, .high = -INFINITY};
  for (int i = 0; i < j->n; i++) m->low = fmin(m->low, j->y[i]), m->high = fmax(m->high, j->y[i]);
  if (!(m->high > m->low))
    return mt_error(MT_ERR_INPUT, "%s: is the same everywhere: there is nothing to fit",
                    mt_input_string(j->in, "peaks.file"));
  m->shape = shape[0] == 'g' ? MT_GAUSS : (shape[0] == 'l' ? MT_LORENTZ : MT_VOIGT);
  m->background = back[0] == 'n' ? 0 : (back[0] == 'c' ? 1 : 2);
  m->height[0] = .05 * (m->high - m->low), m->height[1] = 1.2 * (m->high - m->low);
  m->width[0] = 2 * range / (j->n - 1), m->width[1] = range / 2;
  if (mt_input_has(j->in, "peaks.width")) {
    if (mt_input_count(j->in, "peaks.width") != 2) return mt_input_error(j->in, "peaks.width", "must be two numbers");
    for (int i = 0; i < 2; i++) m->width[i] = mt_input_real_at(j->in, i, "peaks.width");
  }
  if (mt_input_has(j->in, "peaks.height")) {
    if (mt_input_count(j->in, "peaks.height") != 2) return mt_input_error(j->in, "peaks.height", "must be two numbers");
    for (int i = 0; i < 2; i++) m->height[i] = mt_input_real_at(j->in, i, "peaks.height");
  }
  if (!(m->height[1] > m->height[0])) return mt_input_error(j->in, "peaks.height", "the larger number comes last");
  if (!(m->width[0] > 0 && m->width[1] > m->width[0]))
    return mt_input_error(j->in, "peaks.width", "must be two numbers above 0, the larger one last");
  j->noise = mt_input_has(j->in, "peaks.noise") ? mt_input_real(j->in, "peaks.noise") : NAN;
  const int64_t least = mt_input_int(j->in, "peaks.least"), most = mt_input_int(j->in, "peaks.most");
  if (least > most) return mt_input_error(j->in, "peaks.most", "is below peaks.least");
  if (least == 0 && m->background == 0)
    return mt_input_error(j->in, "peaks.least", "no peak and no background is no model");
  return 0;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* A number the noise is not much below: from the median of second differences, which a smooth spectrum hardly has. */
static double rough_noise(const Job *j) {
  double *d = mt_malloc((size_t)j->n * sizeof *d);
  for (int i = 1; i + 1 < j->n; i++) d[i - 1] = fabs(j->y[i - 1] - 2 * j->y[i] + j->y[i + 1]);
  qsort(d, (size_t)j->n - 2, sizeof *d, by_value);
  const double median = d[(j->n - 2) / 2];
  free(d);
  return fmax(median / .6745 / sqrt(6), 1e-5 * (j->shape.high - j->shape.low));
}

static MtExchangeOptions ladder(const Job *j) {
  double mean = 0, square = 0;
  for (int i = 0; i < j->n; i++) mean += j->y[i] / j->n;
  for (int i = 0; i < j->n; i++) square += (j->y[i] - mean) * (j->y[i] - mean) / 2;
  const double floor_noise = isnan(j->noise) ? rough_noise(j) / 2.5 : j->noise;
  MtExchangeOptions o = {.replicas = (int)mt_input_int(j->in, "peaks.replicas"),
                         .burn = (int)mt_input_int(j->in, "peaks.burn"),
                         .sweeps = (int)mt_input_int(j->in, "peaks.sweeps"),
                         .seed = (uint64_t)mt_input_int(j->in, "peaks.seed")};
  o.highest = 1 / (floor_noise * floor_noise);
  o.lowest = fmin(.02 / square, .1 * o.highest);
  return o;
}

/* Free energy of the noise that b stands for: -log of the evidence. */
static double free_energy(const Job *j, const MtExchange *e, int t) {
  return -e->log_integral[t] + .5 * j->n * log(2 * M_PI / e->b[t]);
}

/* The temperature of least free energy, or that of the noise given; the minimum between temperatures by a parabola in
 * log b. */
static int choose(const Job *j, const MtExchange *e, double *least, double *noise) {
  int best = e->replicas - 1;
  if (isnan(j->noise))
    for (int t = 1; t < e->replicas; t++)
      if (free_energy(j, e, t) < free_energy(j, e, best)) best = t;
  *least = free_energy(j, e, best);
  double shift = 0;
  if (isnan(j->noise) && best > 1 && best + 1 < e->replicas) {
    const double low = free_energy(j, e, best - 1), high = free_energy(j, e, best + 1), bend = low - 2 * *least + high;
    if (bend > 0) shift = .5 * (low - high) / bend;
    *least -= .25 * (low - high) * shift;
  }
  *noise = pow(e->b[best], -.5) * pow(e->b[e->replicas - 1] / e->b[e->replicas - 2], -.5 * shift);
  return best;
}

static PetscErrorCode fit(Job *j, int peaks, Model *out) {
  MtPeakModel m = j->shape;
  MtExchange e;
  m.peaks = peaks;
  const int dims = mt_peaks_dims(&m);
  const size_t bytes = (size_t)dims * sizeof(double);
  const MtTarget t = {dims, mt_peaks_energy, dims, mt_peaks_values, &m};
  const MtExchangeOptions o = ladder(j);
  PetscCall(mt_exchange_run(j->comm, &t, &o, &e));
  *out = (Model){.peaks = peaks, .exchanged = 1, .moved = 1};
  const int at = choose(j, &e, &out->free_energy, &out->noise);
  out->error = e.log_error[at];
  for (int k = 1; k < e.replicas; k++) {
    out->moved = fmin(out->moved, e.moved[k]);
    out->exchanged = fmin(out->exchanged, e.exchanged[k - 1]);
  }
  out->mean = mt_malloc(3 * bytes);
  out->deviation = out->mean + dims, out->best = out->mean + 2 * dims;
  memcpy(out->mean, e.mean + at * dims, bytes);
  memcpy(out->deviation, e.deviation + at * dims, bytes);
  mt_peaks_values(&m, e.best, out->best);
  mt_exchange_free(&e);
  mt_log("%d peak%s: free energy %.2f +- %.2f, noise %.4g", peaks, peaks == 1 ? "" : "s", out->free_energy, out->error,
         out->noise);
  return 0;
}

static int best_model(const Job *j) {
  int best = 0;
  for (int k = 1; k < j->models; k++)
    if (j->model[k].free_energy < j->model[best].free_energy) best = k;
  return best;
}

/* Equal odds of all numbers of peaks before the spectrum was seen. */
static double probability(const Job *j, int k) {
  const double least = j->model[best_model(j)].free_energy;
  double sum = 0;
  for (int i = 0; i < j->models; i++) sum += exp(least - j->model[i].free_energy);
  return exp(least - j->model[k].free_energy) / sum;
}

static PetscErrorCode write_models(const Job *j) {
  char text[200 * (MODELS + 1)], *p = text, path[4200], b[4][32];
  p = stpcpy(p, "peaks,free_energy,free_energy_error,probability,noise,least_moved,least_exchanged\n");
  for (int k = 0; k < j->models; k++) {
    const Model *m = &j->model[k];
    p += sprintf(p, "%d,%s,%.3f,%s,%s,%.3f,%.3f\n", m->peaks, mt_real_text(m->free_energy, b[0]), m->error,
                 mt_real_text(probability(j, k), b[1]), mt_real_text(m->noise, b[2]), m->moved, m->exchanged);
  }
  snprintf(path, sizeof path, "%s/models.csv", j->folder);
  return mt_file_write(path, text);
}

static PetscErrorCode write_peaks(const Job *j, const Model *m) {
  static const char *const name[] = {"position", "width", "height", "lorentz_share"};
  const int each = mt_peaks_each(&j->shape);
  char *text = mt_malloc(400 + 400 * (size_t)(m->peaks + 2)), *p = stpcpy(text, "peak"), path[4200], b[2][32];
  for (int c = 0; c < each; c++) p += sprintf(p, ",%s,%s_deviation", name[c], name[c]);
  *p++ = '\n';
  for (int k = 0; k < m->peaks; k++) {
    p += sprintf(p, "%d", k + 1);
    for (int c = k * each; c < (k + 1) * each; c++)
      p += sprintf(p, ",%s,%s", mt_real_text(m->mean[c], b[0]), mt_real_text(m->deviation[c], b[1]));
    *p++ = '\n';
  }
  *p = 0;
  snprintf(path, sizeof path, "%s/peaks.csv", j->folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

/* The best configuration seen, with each of its peaks. */
static PetscErrorCode write_fit(const Job *j, const Model *m) {
  MtPeakModel s = j->shape;
  s.peaks = m->peaks;
  const int each = mt_peaks_each(&s);
  char *text = mt_malloc(((size_t)j->n + 1) * (200 + 32 * (size_t)m->peaks)), *p = stpcpy(text, "x,y,fit,background"),
       path[4200], b[32];
  for (int k = 0; k < m->peaks; k++) p += sprintf(p, ",peak%d", k + 1);
  *p++ = '\n';
  for (int i = 0; i < j->n; i++) {
    const double x = j->x[i], back = mt_background_at(&s, m->best, x);
    double sum = back;
    for (int k = 0; k < m->peaks; k++) sum += mt_peak_at(&s, m->best + k * each, x);
    p += sprintf(p, "%s", mt_real_text(x, b));
    p += sprintf(p, ",%s", mt_real_text(j->y[i], b));
    p += sprintf(p, ",%s", mt_real_text(sum, b));
    p += sprintf(p, ",%s", mt_real_text(back, b));
    for (int k = 0; k < m->peaks; k++) p += sprintf(p, ",%s", mt_real_text(mt_peak_at(&s, m->best + k * each, x), b));
    *p++ = '\n';
  }
  *p = 0;
  snprintf(path, sizeof path, "%s/fit.csv", j->folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

/* Whether sampling longer could turn the choice. */
static void warn_close(const Job *j, int best) {
  for (int k = 0; k < j->models; k++) {
    const Model *a = &j->model[best], *b = &j->model[k];
    const double gap = b->free_energy - a->free_energy, error = hypot(a->error, b->error);
    if (k != best && gap < 2 * error)
      mt_warn("the free energies of %d and %d peaks differ by %.2f and are known to +- %.2f: more peaks.sweeps are "
              "needed to tell them apart",
              a->peaks, b->peaks, gap, error);
  }
}

static void tell(const Job *j, int best, MtJson *json) {
  const Model *m = &j->model[best];
  mt_json_object(json, "peaks");
  mt_json_int(json, "number", m->peaks);
  mt_json_real(json, "probability", probability(j, best));
  mt_json_real(json, "free_energy", m->free_energy);
  mt_json_real(json, "free_energy_error", m->error);
  mt_json_real(json, "noise", m->noise);
  mt_json_end(json);
  mt_log("%d peak%s, probability %.3f", m->peaks, m->peaks == 1 ? "" : "s", probability(j, best));
  if (m->exchanged < .05)
    mt_warn("some neighbouring temperatures exchanged in %.1f %% of the trials only: more peaks.replicas are needed",
            100 * m->exchanged);
  warn_close(j, best);
}

static PetscErrorCode run(Job *j, MtJson *json) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  PetscCall(mt_agree(j->comm, read_spectrum(j)));
  PetscCall(read_options(j));
  mt_phase_begin("peaks");
  for (int k = (int)mt_input_int(j->in, "peaks.least"); k <= (int)mt_input_int(j->in, "peaks.most"); k++)
    PetscCall(fit(j, k, &j->model[j->models++]));
  mt_phase_end("peaks");
  const int best = best_model(j);
  PetscErrorCode rc = rank ? 0 : write_models(j);
  if (!rc && !rank) rc = write_peaks(j, &j->model[best]);
  if (!rc && !rank) rc = write_fit(j, &j->model[best]);
  tell(j, best, json);
  return mt_agree_root(j->comm, rc);
}

PetscErrorCode mt_peaks_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json) {
  Job j = {.comm = comm, .in = in, .folder = folder, .room = 256};
  j.x = mt_malloc((size_t)j.room * sizeof *j.x);
  j.y = mt_malloc((size_t)j.room * sizeof *j.y);
  PetscErrorCode rc = run(&j, json);
  for (int k = 0; k < j.models; k++) free(j.model[k].mean);
  free(j.x);
  free(j.y);
  return rc;
}
