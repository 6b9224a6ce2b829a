/* Regression with more features than pictures: all by the Gram matrix of the pictures, whose eigenvectors LAPACK finds.
 */
#include "magtwin/memory.h"
#include "magtwin/texture.h"
#include <math.h>
#include <petscblaslapack.h>
#include <string.h>

/* Training rows centred and scaled, with the eigenvectors of their Gram matrix. */
typedef struct {
  int n, m;
  double *mean, *scale; /* [m] scale 0: the column is constant */
  double *x;            /* [n, m] scaled */
  double *vector;       /* [n, n] eigenvectors as rows */
  double *value;        /* [n] ascending */
} Gram;

static void scale_row(const Gram *g, const double *row, double *out) {
  for (int c = 0; c < g->m; c++) out[c] = (row[c] - g->mean[c]) * g->scale[c];
}

static void find_scales(Gram *g, const double *x) {
  for (int c = 0; c < g->m; c++) {
    double sum = 0, square = 0;
    for (int i = 0; i < g->n; i++) sum += x[(size_t)i * (size_t)g->m + (size_t)c];
    g->mean[c] = sum / g->n;
    for (int i = 0; i < g->n; i++) square += pow(x[(size_t)i * (size_t)g->m + (size_t)c] - g->mean[c], 2);
    const double sd = sqrt(square / g->n);
    g->scale[c] = sd > 1e-12 * fabs(g->mean[c]) && sd > 0 ? 1 / sd : 0;
  }
}

static void gram_create(int n, int m, const double *x, Gram *g) {
  const size_t rows = (size_t)n, columns = (size_t)m;
  PetscBLASInt size = n, inner = m, work = 3 * n + 64, info;
  PetscScalar one = 1, zero = 0;
  *g = (Gram){.n = n, .m = m};
  g->mean = mt_malloc(columns * sizeof(double));
  g->scale = mt_malloc(columns * sizeof(double));
  g->x = mt_malloc(rows * columns * sizeof(double));
  g->vector = mt_calloc(rows * rows, sizeof(double));
  g->value = mt_calloc(rows, sizeof(double));
  find_scales(g, x);
  for (size_t i = 0; i < rows; i++) scale_row(g, x + i * columns, g->x + i * columns);
  double *room = mt_malloc((size_t)work * sizeof *room);
  if (m > 0) BLASgemm_("T", "N", &size, &size, &inner, &one, g->x, &inner, g->x, &inner, &zero, g->vector, &size);
  LAPACKsyev_("V", "L", &size, g->vector, &size, g->value, room, &work, &info);
  free(room);
}

static void gram_free(Gram *g) {
  free(g->mean);
  free(g->scale);
  free(g->x);
  free(g->vector);
  free(g->value);
}

static double dot(int n, const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* Mean square of the errors when each picture is left out; the mean of y counts as a fitted direction. */
static double left_out(const Gram *g, const double *turned, double penalty) {
  double sum = 0;
  for (int i = 0; i < g->n; i++) {
    double residual = 0, free_part = 0;
    for (int j = 0; j < g->n; j++) {
      const double v = g->vector[(size_t)j * (size_t)g->n + (size_t)i];
      const double shrink = penalty / (fmax(0, g->value[j]) + penalty);
      residual += v * shrink * turned[j];
      free_part += v * v * shrink;
    }
    residual /= fmax(free_part - 1. / g->n, 1e-12);
    sum += residual * residual / g->n;
  }
  return sum;
}

static double choose_penalty(const Gram *g, const double *turned) {
  double best = INFINITY, chosen = 1;
  for (int e = -12; e <= 12; e++) {
    const double penalty = g->m * pow(10, e / 3.) * g->n * .01, error = left_out(g, turned, penalty);
    if (error < best) best = error, chosen = penalty;
  }
  return chosen;
}

double mt_ridge(int n, int m, const double *x, const double *y, int k, const double *x_new, double *y_new) {
  Gram g;
  double mean = 0, *turned = mt_calloc((size_t)n, sizeof *turned), *centred = mt_malloc((size_t)n * sizeof *centred),
         *weight = mt_calloc((size_t)m, sizeof *weight), *row = mt_malloc((size_t)m * sizeof *row);
  gram_create(n, m, x, &g);
  for (int i = 0; i < n; i++) mean += y[i] / n;
  for (int i = 0; i < n; i++) centred[i] = y[i] - mean;
  for (int j = 0; j < n; j++) turned[j] = dot(n, g.vector + (size_t)j * (size_t)n, centred);
  const double penalty = choose_penalty(&g, turned);
  for (int i = 0; i < n; i++) {
    double dual = 0;
    for (int j = 0; j < n; j++)
      dual += g.vector[(size_t)j * (size_t)n + (size_t)i] * turned[j] / (fmax(0, g.value[j]) + penalty);
    for (int c = 0; c < m; c++) weight[c] += dual * g.x[(size_t)i * (size_t)m + (size_t)c];
  }
  for (int i = 0; i < k; i++) {
    scale_row(&g, x_new + (size_t)i * (size_t)m, row);
    y_new[i] = mean + dot(m, row, weight);
  }
  gram_free(&g);
  free(turned);
  free(centred);
  free(weight);
  free(row);
  return penalty;
}

int mt_scores(int n, int m, const double *x, int keep, int k, const double *x_new, double *score, double *score_new) {
  Gram g;
  double *axis = mt_calloc((size_t)m, sizeof *axis), *row = mt_malloc((size_t)m * sizeof *row);
  int found = 0;
  gram_create(n, m, x, &g);
  while (found < keep && found < n && g.value[n - 1 - found] > 1e-12 * g.value[n - 1]) found++;
  for (int c = 0; c < found; c++) {
    const int j = n - 1 - c;
    const double *v = g.vector + (size_t)j * (size_t)n;
    memset(axis, 0, (size_t)m * sizeof *axis);
    for (int i = 0; i < n; i++)
      for (int a = 0; a < m; a++) axis[a] += v[i] / sqrt(g.value[j]) * g.x[(size_t)i * (size_t)m + (size_t)a];
    for (int i = 0; i < n; i++) score[i * keep + c] = v[i] * sqrt(g.value[j]);
    for (int i = 0; i < k; i++) {
      scale_row(&g, x_new + (size_t)i * (size_t)m, row);
      score_new[i * keep + c] = dot(m, row, axis);
    }
  }
  gram_free(&g);
  free(axis);
  free(row);
  return found;
}
