/* Magnetic parameters from texture: ridge regression or a Gaussian process, judged by cross-validation. */
#include "estimate.h"
#include "magtwin/error.h"
#include "magtwin/gp.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include "magtwin/texttable.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  int n, m; /* pictures, features */
  const double *feature;
  bool gp;
  int folds, components;
  int *fold;                /* [n] -1: not known */
  const double *target;     /* [n] NAN: not known */
  double *estimate, *error; /* [n]; standard deviation of the Gaussian process, else NAN */
} Job;

/* A random order of the known ones, dealt to the folds in turn. */
static int deal(Job *j, uint64_t seed) {
  int n = 0, *order = mt_malloc((size_t)j->n * sizeof *order);
  MtRandom r;
  mt_random_seed(&r, seed);
  for (int i = 0; i < j->n; i++) {
    j->fold[i] = -1;
    if (!isnan(j->target[i])) order[n++] = i;
  }
  for (int i = n - 1; i > 0; i--) {
    const int k = (int)(mt_random_uniform(&r) * (i + 1)), swap = order[i];
    order[i] = order[k], order[k] = swap;
  }
  for (int i = 0; i < n; i++) j->fold[order[i]] = i % j->folds;
  free(order);
  return n;
}

/* Rows to learn from and rows to estimate. */
typedef struct {
  int n, k;
  int *row;           /* [k] to estimate */
  double *x, *y, *at; /* [n, m], [n]; [k, m] */
} Split;

/* fold -1: learns from all that are known. */
static Split split(const Job *j, int fold) {
  const size_t m = (size_t)j->m, bytes = m * sizeof(double);
  Split s = {0};
  s.row = mt_malloc((size_t)j->n * sizeof *s.row);
  s.x = mt_malloc((size_t)j->n * bytes);
  s.at = mt_malloc((size_t)j->n * bytes);
  s.y = mt_malloc((size_t)j->n * sizeof *s.y);
  for (int i = 0; i < j->n; i++) {
    if (j->fold[i] == fold) {
      memcpy(s.at + (size_t)s.k * m, j->feature + (size_t)i * m, bytes);
      s.row[s.k++] = i;
    } else if (j->fold[i] >= 0) {
      memcpy(s.x + (size_t)s.n * m, j->feature + (size_t)i * m, bytes);
      s.y[s.n++] = j->target[i];
    }
  }
  return s;
}

static void split_free(Split *s) {
  free(s->row);
  free(s->x);
  free(s->y);
  free(s->at);
}

/* Coordinates of the learning rows to 0 .. 1, the others by the same rule; packed [., found]. */
static void to_unit(int n, int k, int keep, int found, double *score, double *at) {
  for (int c = 0; c < found; c++) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) low = fmin(low, score[i * keep + c]), high = fmax(high, score[i * keep + c]);
    for (int i = 0; i < n; i++) score[i * keep + c] = (score[i * keep + c] - low) / (high - low);
    for (int i = 0; i < k; i++) at[i * keep + c] = (at[i * keep + c] - low) / (high - low);
  }
  for (int i = 0; i < n; i++) memmove(score + i * found, score + i * keep, (size_t)found * sizeof *score);
  for (int i = 0; i < k; i++) memmove(at + i * found, at + i * keep, (size_t)found * sizeof *at);
}

static PetscErrorCode by_process(const Job *j, const Split *s) {
  const int keep = j->components;
  double *score = mt_calloc((size_t)s->n * (size_t)keep, sizeof *score),
         *at = mt_calloc((size_t)s->k * (size_t)keep, sizeof *at);
  const int found = mt_scores(s->n, j->m, s->x, keep, s->k, s->at, score, at);
  PetscErrorCode rc = 0;
  if (!found) rc = mt_error(MT_ERR_FAIL, "the textures of the pictures are all the same: nothing to learn from");
  if (!rc) to_unit(s->n, s->k, keep, found, score, at);
  MtGp *gp = rc ? NULL : mt_gp_create(MT_MATERN52, found, s->n, score, s->y);
  MtGpFit fit = mt_gp_fit_default;
  fit.noisy = true;
  fit.seed = (uint64_t)mt_input_int(j->in, "texture.seed");
  if (!rc) rc = mt_gp_fit(j->comm, gp, &fit);
  for (int i = 0; i < s->k && !rc; i++)
    mt_gp_predict(gp, at + (size_t)i * (size_t)found, &j->estimate[s->row[i]], &j->error[s->row[i]], NULL, NULL);
  mt_gp_destroy(&gp);
  free(score);
  free(at);
  return rc;
}

static PetscErrorCode estimate_fold(const Job *j, int fold) {
  Split s = split(j, fold);
  PetscErrorCode rc = 0;
  if (s.k && j->gp) {
    rc = by_process(j, &s);
  } else if (s.k) {
    double *y = mt_malloc((size_t)s.k * sizeof *y);
    mt_ridge(s.n, j->m, s.x, s.y, s.k, s.at, y);
    for (int i = 0; i < s.k; i++) j->estimate[s.row[i]] = y[i];
    free(y);
  }
  split_free(&s);
  return rc;
}

/* Share of the variance that the estimates of left-out pictures explain, and their root mean square error. */
static void judge(const Job *j, double *explained, double *rms) {
  double mean = 0, square = 0, error = 0;
  int n = 0;
  for (int i = 0; i < j->n; i++)
    if (j->fold[i] >= 0) mean += j->target[i], n++;
  mean /= n;
  for (int i = 0; i < j->n; i++) {
    if (j->fold[i] < 0) continue;
    square += pow(j->target[i] - mean, 2);
    error += pow(j->target[i] - j->estimate[i], 2);
  }
  *explained = square > 0 ? 1 - error / square : 0;
  *rms = sqrt(error / n);
}

static char *add_rows(char *p, const Job *j, const char *name) {
  char b[3][32];
  for (int i = 0; i < j->n; i++) {
    const bool known = j->fold[i] >= 0;
    p += sprintf(p, "%d,%s,%s,%s,%s,", i + 1, name, known ? mt_real_text(j->target[i], b[0]) : "",
                 mt_real_text(j->estimate[i], b[1]), isnan(j->error[i]) ? "" : mt_real_text(j->error[i], b[2]));
    p += known ? sprintf(p, "%d\n", j->fold[i] + 1) : sprintf(p, "\n");
  }
  return p;
}

static PetscErrorCode estimate_one(Job *j, const char *path, const char *name, MtJson *json) {
  double explained, rms;
  const int known = deal(j, (uint64_t)mt_input_int(j->in, "texture.seed"));
  if (known < j->folds || known - (known + j->folds - 1) / j->folds < 3)
    return mt_error(MT_ERR_INPUT, "%s: column %s has %d numbers: too few for texture.folds = %d", path, name, known,
                    j->folds);
  for (int f = -1; f < j->folds; f++) PetscCall(estimate_fold(j, f));
  judge(j, &explained, &rms);
  mt_log("%s: explained %.3g of the variance of pictures left out, root mean square error %.4g", name, explained, rms);
  mt_json_object(json, name);
  mt_json_int(json, "known", known);
  mt_json_real(json, "explained", explained);
  mt_json_real(json, "rms_error", rms);
  mt_json_end(json);
  return 0;
}

static bool is_label(const char *name) {
  return !strcmp(name, "image") || !strcmp(name, "file");
}

/* The columns asked for -> their numbers. */
static PetscErrorCode choose_columns(const MtInput *in, const char *path, const MtNumbers *t, int *column, int *n) {
  *n = 0;
  if (!mt_input_has(in, "texture.target")) {
    for (int c = 0; c < t->columns; c++)
      if (!is_label(t->name[c])) column[(*n)++] = c;
    return 0;
  }
  for (int k = 0; k < mt_input_count(in, "texture.target"); k++) {
    const char *name = mt_input_string_at(in, k, "texture.target");
    const int c = mt_numbers_column(t, name);
    if (c < 0) return mt_input_error(in, "texture.target", "%s has no column %s", path, name);
    if (*n == t->columns) return mt_input_error(in, "texture.target", "names a column twice");
    column[(*n)++] = c;
  }
  return 0;
}

static PetscErrorCode estimate_all(Job *j, const char *path, const MtNumbers *t, int n, const int *column,
                                   const char *folder, MtJson *json) {
  const size_t line = 200 + 1000;
  char *text = mt_malloc(100 + (size_t)n * (size_t)j->n * line), *p = text, out[4200];
  double *target = mt_malloc((size_t)j->n * sizeof *target);
  PetscErrorCode rc = 0;
  p = stpcpy(p, "image,target,value,estimate,deviation,fold\n");
  mt_json_object(json, "estimates"); /* of pictures left out */
  for (int k = 0; k < n && !rc; k++) {
    const char *name = t->name[column[k]];
    for (int i = 0; i < j->n; i++) {
      target[i] = t->value[(size_t)i * (size_t)t->columns + (size_t)column[k]];
      j->estimate[i] = j->error[i] = NAN;
    }
    j->target = target;
    rc = strlen(name) < 1000 ? estimate_one(j, path, name, json)
                             : mt_error(MT_ERR_INPUT, "%s: a name of a column is too long", path);
    if (!rc) p = add_rows(p, j, name);
  }
  mt_json_end(json);
  int rank;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  snprintf(out, sizeof out, "%s/estimates.csv", folder);
  if (!rc) rc = mt_agree_root(j->comm, rank ? 0 : mt_file_write(out, text));
  free(text);
  free(target);
  return rc;
}

PetscErrorCode mt_texture_estimate(MPI_Comm comm, const MtInput *in, const char *folder, int n, int m,
                                   const double *feature, MtJson *json) {
  const char *path = mt_input_string(in, "texture.targets");
  Job j = {.comm = comm, .in = in, .n = n, .m = m, .feature = feature};
  MtNumbers t;
  int columns = 0;
  PetscCall(mt_numbers_read(comm, path, &t));
  int *column = mt_malloc((size_t)t.columns * sizeof *column);
  PetscErrorCode rc = 0;
  if (t.rows != n)
    rc = mt_input_error(in, "texture.targets", "%s has %d rows, but there are %d pictures", path, t.rows, n);
  if (!rc) rc = choose_columns(in, path, &t, column, &columns);
  j.gp = !strcmp(mt_input_string(in, "texture.model"), "gp");
  j.folds = (int)mt_input_int(in, "texture.folds");
  j.components = (int)mt_input_int(in, "texture.components");
  j.fold = mt_malloc((size_t)n * sizeof *j.fold);
  j.estimate = mt_malloc((size_t)n * sizeof *j.estimate);
  j.error = mt_malloc((size_t)n * sizeof *j.error);
  if (!rc) rc = estimate_all(&j, path, &t, columns, column, folder, json);
  free(j.fold);
  free(j.estimate);
  free(j.error);
  free(column);
  mt_numbers_free(&t);
  return rc;
}
