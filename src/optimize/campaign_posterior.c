/* The posterior of a campaign's variables in model.json: where the draws lie, and what cannot be told apart. */
#include "campaign_impl.h"
#include "magtwin/memory.h"
#include <math.h>

static int by_value(const void *a, const void *b) {
  const double *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

/* Coordinate k of all draws, sorted -> the share q of them lies below. */
static double quantile(int n, const double *sorted, double q) {
  return sorted[(int)fmin(n - 1, floor(q * n))];
}

static double value_at(const MtVariable *v, double u) {
  if (v->log) return v->min * pow(v->max / v->min, u);
  const double x = v->min + u * (v->max - v->min);
  return v->type == MT_VAR_REAL ? x : round(x);
}

/* The category most draws lie in, and how far the draws are from one category: 1 all alike, 0 only one. */
static int most_frequent(const MtVariable *v, int n, const double *column, double *narrowed) {
  int count[100] = {0}, best = 0;
  for (int i = 0; i < n; i++) count[(int)fmin(v->nvalues - 1, floor(column[i] * v->nvalues))]++;
  for (int k = 1; k < v->nvalues; k++)
    if (count[k] > count[best]) best = k;
  *narrowed = (1 - (double)count[best] / n) / (1 - 1.0 / v->nvalues);
  return best;
}

static void moments(int n, const double *column, double *mean, double *sd) {
  double sum = 0, square = 0;
  for (int i = 0; i < n; i++) sum += column[i];
  *mean = sum / n;
  for (int i = 0; i < n; i++) square += (column[i] - *mean) * (column[i] - *mean);
  *sd = sqrt(square / n);
}

static void put_draws(MtJson *j, const MtVariable *v, int n, const double *column) {
  double *x = mt_malloc(sizeof *x * (size_t)n);
  if (v->type == MT_VAR_CATEGORICAL) {
    mt_json_array(j, "draws");
    for (int i = 0; i < n; i++)
      mt_json_string(j, NULL, v->value[(int)fmin(v->nvalues - 1, floor(column[i] * v->nvalues))]);
    mt_json_end(j);
  } else {
    for (int i = 0; i < n; i++) x[i] = value_at(v, column[i]);
    mt_json_reals(j, "draws", n, x);
  }
  free(x);
}

static void put_variable(MtJson *j, const MtVariable *v, int n, const double *column) {
  double mean, sd, narrowed, *sorted = mt_malloc(sizeof *sorted * (size_t)n);
  moments(n, column, &mean, &sd);
  for (int i = 0; i < n; i++) sorted[i] = column[i];
  qsort(sorted, (size_t)n, sizeof *sorted, by_value);
  mt_json_object(j, NULL);
  mt_json_string(j, "variable", v->name);
  if (v->type == MT_VAR_CATEGORICAL) {
    mt_json_string(j, "middle", v->value[most_frequent(v, n, column, &narrowed)]);
  } else {
    narrowed = sd * sqrt(12); /* over that of the even distribution */
    mt_json_real(j, "low", value_at(v, quantile(n, sorted, 0.05)));
    mt_json_real(j, "middle", value_at(v, quantile(n, sorted, 0.5)));
    mt_json_real(j, "high", value_at(v, quantile(n, sorted, 0.95)));
  }
  mt_json_real(j, "narrowed", narrowed);
  put_draws(j, v, n, column);
  mt_json_end(j);
  free(sorted);
}

/* Pairs of numbers of which the draws know mostly a combination. */
static void put_together(MtJson *j, const MtSpace *s, int n, const double *column) {
  mt_json_array(j, "together");
  for (int a = 0; a < s->nvars; a++)
    for (int b = a + 1; b < s->nvars; b++) {
      const double *p = column + (size_t)a * (size_t)n, *q = column + (size_t)b * (size_t)n;
      double mp, sp, mq, sq, sum = 0;
      if (s->var[a].type == MT_VAR_CATEGORICAL || s->var[b].type == MT_VAR_CATEGORICAL) continue;
      moments(n, p, &mp, &sp);
      moments(n, q, &mq, &sq);
      for (int i = 0; i < n; i++) sum += (p[i] - mp) * (q[i] - mq);
      const double r = sp > 0 && sq > 0 ? sum / n / (sp * sq) : 0;
      if (fabs(r) < 0.8) continue;
      mt_json_object(j, NULL);
      mt_json_array(j, "variables");
      mt_json_string(j, NULL, s->var[a].name);
      mt_json_string(j, NULL, s->var[b].name);
      mt_json_end(j);
      mt_json_real(j, "correlation", r);
      mt_json_end(j);
    }
  mt_json_end(j);
}

void mt_campaign_posterior(const MtCampaign *c, const MtModel *m, MtJson *j) {
  const int nvars = c->space.nvars;
  double *draws, *column, any = 0;
  for (int g = 0; g < c->proposer.ngoals; g++) any += c->scatter[g];
  if (!(any > 0)) return;
  int n = mt_model_posterior(m, c->scatter, c->proposer.seed, &draws);
  column = mt_malloc(sizeof *column * (size_t)n * (size_t)nvars); /* [nvars, n] */
  for (int k = 0; k < nvars; k++)
    for (int i = 0; i < n; i++)
      column[(size_t)k * (size_t)n + (size_t)i] = draws[(size_t)i * (size_t)nvars + (size_t)k];
  if (n > 0) {
    mt_json_object(j, "posterior");
    mt_json_reals(j, "scatter", c->proposer.ngoals, c->scatter);
    mt_json_real(j, "open", mt_model_open(m, c->scatter, c->proposer.seed));
    mt_json_array(j, "variables");
    for (int k = 0; k < nvars; k++) put_variable(j, &c->space.var[k], n, column + (size_t)k * (size_t)n);
    mt_json_end(j);
    put_together(j, &c->space, n, column);
    mt_json_end(j);
  }
  free(column);
  free(draws);
}
