/* A spectrum as a sum of peaks and a background. */
#include "peaks_model.h"
#include <math.h>
#include <string.h>

enum { MOST = 128 };

int mt_peaks_each(const MtPeakModel *m) {
  return m->shape == MT_VOIGT ? 4 : 3;
}

int mt_peaks_dims(const MtPeakModel *m) {
  return m->peaks * mt_peaks_each(m) + m->background;
}

/* Not ordered: the energy does not depend on it. */
static void to_values(const MtPeakModel *m, const double *u, double *value) {
  const double range = m->x[m->n - 1] - m->x[0], rise = m->high - m->low;
  const int each = mt_peaks_each(m);
  for (int k = 0; k < m->peaks; k++) {
    const double *p = u + k * each;
    double *v = value + k * each;
    v[0] = m->x[0] + range * p[0];
    v[1] = m->width[0] * pow(m->width[1] / m->width[0], p[1]);
    v[2] = m->height[0] + (m->height[1] - m->height[0]) * p[2];
    if (each == 4) v[3] = p[3];
  }
  const double *p = u + m->peaks * each;
  double *v = value + m->peaks * each;
  if (m->background > 0) v[0] = m->low - .2 * rise + 1.2 * rise * p[0];
  if (m->background > 1) v[1] = (2 * p[1] - 1) * rise / range;
}

void mt_peaks_values(const void *model, const double *u, double *value) {
  const MtPeakModel *m = model;
  const int each = mt_peaks_each(m);
  double swap[4];
  to_values(m, u, value);
  for (int i = 1; i < m->peaks; i++)
    for (int j = i; j > 0 && value[j * each] < value[(j - 1) * each]; j--) {
      memcpy(swap, value + j * each, (size_t)each * sizeof *swap);
      memcpy(value + j * each, value + (j - 1) * each, (size_t)each * sizeof *swap);
      memcpy(value + (j - 1) * each, swap, (size_t)each * sizeof *swap);
    }
}

double mt_peak_at(const MtPeakModel *m, const double *peak, double x) {
  const double r = (x - peak[0]) / peak[1], square = 4 * r * r;
  const double share = m->shape == MT_GAUSS ? 0 : (m->shape == MT_LORENTZ ? 1 : peak[3]);
  double f = 0;
  if (share < 1 && square < 53) f += (1 - share) * exp(-M_LN2 * square); /* beyond it is below 1e-16 */
  if (share > 0) f += share / (1 + square);
  return peak[2] * f;
}

double mt_background_at(const MtPeakModel *m, const double *value, double x) {
  const double *b = value + m->peaks * mt_peaks_each(m);
  double f = m->background > 0 ? b[0] : 0;
  if (m->background > 1) f += b[1] * (x - .5 * (m->x[0] + m->x[m->n - 1]));
  return f;
}

double mt_peaks_energy(const void *model, const double *u) {
  const MtPeakModel *m = model;
  const int each = mt_peaks_each(m);
  double value[MOST] = {0}, sum = 0;
  to_values(m, u, value);
  for (int i = 0; i < m->n; i++) {
    double rest = m->y[i] - mt_background_at(m, value, m->x[i]);
    for (int k = 0; k < m->peaks; k++) rest -= mt_peak_at(m, value + k * each, m->x[i]);
    sum += rest * rest;
  }
  return sum / 2;
}
