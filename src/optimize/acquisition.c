/* Acquisition functions with their gradients.
 *
 * log EI: log of the expected improvement over the best expected value so far (S. Ament et al., NeurIPS 2023); PI: log
 * of the probability of an improvement; UCB: -(mean - kappa sd) and Thompson: minus a draw, both over the standard
 * deviation of the values.  The logarithm of the probability of success is added to each (for log EI and PI: the
 * product of the two), that of the expected cost subtracted. */
#include "acquisition.h"
#include "magtwin/memory.h"
#include "normal.h"
#include <math.h>

static MtLogValue one_goal(const MtAcquire *a, double mean, double sd) {
  const MtProposer *p = a->settings;
  double z = (a->best - mean) / sd, slope, log_value;
  switch (a->settings->acquisition) {
  case MT_ACQUIRE_UCB:
    return (MtLogValue){(a->settings->kappa * sd - mean) / a->unit, -1 / a->unit, a->settings->kappa / a->unit};
  case MT_ACQUIRE_PI:
    z -= 0.01 * a->unit / sd; /* an improvement of 1 % of the scatter: a smaller one is none */
    log_value = mt_log_cdf(z);
    slope = exp(mt_log_density(z) - log_value);
    return (MtLogValue){log_value, -slope / sd, -slope * z / sd};
  default:
    return mt_log_improvement(p->has_target[0] ? p->target[0] : NAN, a->best, mean, sd);
  }
}

static double goals(const MtAcquire *a, int dim, const double *u, double *gradient, double *room) {
  const int n = a->settings->ngoals;
  double mean[MT_GOALS_MAX] = {0}, sd[MT_GOALS_MAX] = {0}, by_mean[MT_GOALS_MAX] = {0}, by_sd[MT_GOALS_MAX] = {0},
         value;
  for (int g = 0; g < n; g++) {
    double *d = room + 2 * g * dim;
    mt_gp_predict(a->gp[g], u, &mean[g], &sd[g], gradient ? d : NULL, gradient ? d + dim : NULL);
  }
  if (n > 1) {
    value = mt_log_ehvi(&a->boxes, mean, sd, by_mean, by_sd);
  } else {
    MtLogValue v = one_goal(a, mean[0], sd[0]);
    value = v.value;
    by_mean[0] = v.mean;
    by_sd[0] = v.sd;
  }
  for (int k = 0; gradient && k < dim; k++) {
    gradient[k] = 0;
    for (int g = 0; g < n; g++)
      gradient[k] += by_mean[g] * room[2 * g * dim + k] + by_sd[g] * room[(2 * g + 1) * dim + k];
  }
  return value;
}

/* The smallest loss known, or drawn for the points under way. */
static double best_of_draw(const MtAcquire *a, int s) {
  const MtProposer *p = a->settings;
  int m;
  double best = a->best;
  const double *y = mt_gp_draws_values(a->draws, s, &m);
  for (int i = 0; i < m; i++) best = fmin(best, p->has_target[0] ? fabs(y[i] - p->target[0]) : y[i]);
  return p->has_target[0] ? fmax(best, 1e-9 * a->unit) : best;
}

/* log of the mean over the draws of EI: what this point adds to the joint expected improvement of it and those under
 * way (J. Snoek et al., NeurIPS 2012, sec. 3.2). */
static double joint_improvement(const MtAcquire *a, int dim, const double *u, double *gradient) {
  const int n = mt_gp_draws_count(a->draws);
  const size_t width = (size_t)dim;
  double *mean = mt_malloc(sizeof *mean * ((size_t)n * (width + 1) + width)), *dmean = mean + n,
         *dsd = dmean + (size_t)n * width, sd, top = -INFINITY, sum = 0;
  MtLogValue *part = mt_malloc(sizeof *part * (size_t)n);
  mt_gp_draws_predict(a->draws, u, mean, &sd, gradient ? dmean : NULL, gradient ? dsd : NULL);
  for (int s = 0; s < n; s++) {
    part[s] =
        mt_log_improvement(a->settings->has_target[0] ? a->settings->target[0] : NAN, best_of_draw(a, s), mean[s], sd);
    top = fmax(top, part[s].value);
  }
  for (int k = 0; gradient && k < dim; k++) gradient[k] = 0;
  for (int s = 0; s < n && top > -INFINITY; s++) {
    const double w = exp(part[s].value - top);
    sum += w;
    for (size_t k = 0; gradient && k < width; k++)
      gradient[k] += w * (part[s].mean * dmean[(size_t)s * width + k] + part[s].sd * dsd[k]);
  }
  for (int k = 0; gradient && sum > 0 && k < dim; k++) gradient[k] /= sum;
  free(part);
  free(mean);
  return sum > 0 ? top + log(sum / n) : -INFINITY;
}

/* A draw in Thompson sampling, else the goals. */
static double base_value(const MtAcquire *a, int dim, const double *u, double *gradient, double *room) {
  if (a->draws) return joint_improvement(a, dim, u, gradient);
  if (!a->sample) return goals(a, dim, u, gradient, room);
  const MtProposer *p = a->settings;
  const double y = mt_gp_sample_at(a->sample, u, gradient), slope = p->has_target[0] && y < p->target[0] ? -1 : 1;
  for (int k = 0; gradient && k < dim; k++) gradient[k] *= -slope / a->unit;
  return (p->has_target[0] ? -fabs(y - p->target[0]) : -y) / a->unit;
}

double mt_acquire(const MtAcquire *a, int dim, const double *u, double *gradient) {
  double *room = mt_malloc(sizeof *room * 2 * MT_GOALS_MAX * (size_t)dim), mean, sd;
  double value = base_value(a, dim, u, gradient, room);
  if (a->feasible) {
    value += mt_feasible_log(a->feasible, u, gradient ? room : NULL);
    for (int k = 0; gradient && k < dim; k++) gradient[k] += room[k];
  }
  if (a->cost) {
    mt_gp_predict(a->cost, u, &mean, &sd, gradient ? room : NULL, gradient ? room + dim : NULL);
    value -= mean;
    for (int k = 0; gradient && k < dim; k++) gradient[k] -= room[k];
  }
  free(room);
  return value > -1e300 ? value : -1e300; /* NaN too */
}
