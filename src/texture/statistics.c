/* Statistics of a picture's bands, each alone and together. */
#include "magtwin/memory.h"
#include "magtwin/texture.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 4 };
static const int step[STEPS][2] = {{1, 0}, {0, 1}, {1, 1}, {1, -1}};

/* Groups of statistics in the order of the vector: how many each has. */
enum { PIXELS, RESTS, ENERGY, KURTOSIS, ACROSS, PARENT, AUTO, GROUPS };

static int group_size(int group, int s, int k) {
  const int size[GROUPS] = {4, 2, s * k, s * k, s * k * (k - 1) / 2, (s - 1) * k * k, s * k * STEPS};
  return size[group];
}

int mt_texture_count(int scales, int orientations) {
  int n = 0;
  for (int g = 0; g < GROUPS; g++) n += group_size(g, scales, orientations);
  return n;
}

/* Pair a < b number i of k things. */
static void pair_of(int k, int i, int *a, int *b) {
  *a = 0;
  while (i >= k - 1 - *a) i -= k - 1 - (*a)++;
  *b = *a + 1 + i;
}

void mt_texture_name(int scales, int orientations, int i, char name[64]) {
  static const char *const pixel[] = {"mean", "deviation", "skewness", "kurtosis"}, *const rest[] = {"high", "low"};
  const int k = orientations;
  int group = 0, a, b;
  for (; i >= group_size(group, scales, k); group++) i -= group_size(group, scales, k);
  switch (group) {
  case PIXELS:
    snprintf(name, 64, "%s", pixel[i]);
    return;
  case RESTS:
    snprintf(name, 64, "energy_%s", rest[i]);
    return;
  case ENERGY:
    snprintf(name, 64, "energy_%d_%d", i / k, i % k);
    return;
  case KURTOSIS:
    snprintf(name, 64, "kurtosis_%d_%d", i / k, i % k);
    return;
  case ACROSS:
    pair_of(k, i % (k * (k - 1) / 2), &a, &b);
    snprintf(name, 64, "across_%d_%d_%d", i / (k * (k - 1) / 2), a, b);
    return;
  case PARENT:
    snprintf(name, 64, "parent_%d_%d_%d", i / (k * k), i / k % k, i % k);
    return;
  default:
    snprintf(name, 64, "auto_%d_%d_%d", i / (k * STEPS), i / STEPS % k, i % STEPS);
  }
}

/* Mean, standard deviation, skewness, kurtosis (of a normal one 0). */
static void moments(size_t n, const double *v, double m[4]) {
  double mean = 0, power[3] = {0};
  for (size_t i = 0; i < n; i++) mean += v[i] / (double)n;
  for (size_t i = 0; i < n; i++) {
    const double d = v[i] - mean;
    power[0] += d * d / (double)n, power[1] += d * d * d / (double)n, power[2] += d * d * d * d / (double)n;
  }
  const double sd = sqrt(power[0]);
  const bool flat = sd <= 1e-12 * fabs(mean) || sd == 0;
  m[0] = mean;
  m[1] = flat ? 0 : sd;
  m[2] = flat ? 0 : power[1] / (sd * sd * sd);
  m[3] = flat ? 0 : power[2] / (power[0] * power[0]) - 3;
}

/* Mean 0 and mean square 1; all 0 where nothing varies. */
static void standardize(size_t n, double *v) {
  double m[4];
  moments(n, v, m);
  for (size_t i = 0; i < n; i++) v[i] = m[1] > 0 ? (v[i] - m[0]) / m[1] : 0;
}

static double product(size_t n, const double *a, const double *b) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum / (double)n;
}

/* With itself so far away, around the edges. */
static double shifted(int nx, int ny, const double *v, int dx, int dy) {
  double sum = 0;
  for (int y = 0; y < ny; y++)
    for (int x = 0; x < nx; x++) sum += v[y * nx + x] * v[((y + dy % ny + ny) % ny) * nx + (x + dx) % nx];
  return sum / ((double)nx * ny);
}

typedef struct {
  MtPyramid *p;
  int nx, ny, s, k;
  size_t n;
  double variance; /* of the picture */
  double *band;    /* [s k][n] magnitudes, standardized */
  double *real;    /* [n] */
} Work;

static double *band(const Work *w, int scale, int k) {
  return w->band + (size_t)(scale * w->k + k) * w->n;
}

/* Every band's share of the energy and kurtosis; its magnitudes.  Returns the sum of the energies. */
static double single(const Work *w, double *energy, double *kurtosis) {
  double sum = 0, m[4];
  for (int b = 0; b < w->s * w->k; b++) {
    double *magnitude = band(w, 0, b);
    const double square = mt_pyramid_band(w->p, b / w->k, b % w->k, w->real, magnitude);
    for (size_t i = 0; i < w->n; i++) magnitude[i] = hypot(w->real[i], magnitude[i]);
    moments(w->n, w->real, m);
    standardize(w->n, magnitude);
    energy[b] = w->variance > 0 ? square / w->variance : 0;
    kurtosis[b] = m[3];
    sum += square;
  }
  return sum;
}

static double *joint(const Work *w, double *f) {
  for (int s = 0; s < w->s; s++)
    for (int a = 0; a < w->k; a++)
      for (int b = a + 1; b < w->k; b++) *f++ = product(w->n, band(w, s, a), band(w, s, b));
  for (int s = 0; s + 1 < w->s; s++)
    for (int a = 0; a < w->k; a++)
      for (int b = 0; b < w->k; b++) *f++ = product(w->n, band(w, s, a), band(w, s + 1, b));
  for (int s = 0; s < w->s; s++)
    for (int a = 0; a < w->k; a++)
      for (int t = 0; t < STEPS; t++)
        *f++ = shifted(w->nx, w->ny, band(w, s, a), step[t][0] << (s + 1), step[t][1] * (1 << (s + 1)));
  return f;
}

void mt_texture_features(MtPyramid *p, const double *image, double *feature, double *kept) {
  Work w = {.p = p};
  mt_pyramid_size(p, &w.nx, &w.ny, &w.s, &w.k);
  w.n = (size_t)w.nx * (size_t)w.ny;
  w.band = mt_calloc((size_t)(w.s * w.k) * w.n, sizeof *w.band);
  w.real = mt_malloc(w.n * sizeof *w.real);
  moments(w.n, image, feature);
  w.variance = feature[1] * feature[1];
  for (size_t i = 0; i < w.n; i++) w.real[i] = image[i] - feature[0];
  mt_pyramid_set(p, w.real);
  const double high = mt_pyramid_high(p, NULL), low = mt_pyramid_low(p, NULL);
  feature[4] = w.variance > 0 ? high / w.variance : 0;
  feature[5] = w.variance > 0 ? low / w.variance : 0;
  const double sum = high + low + single(&w, feature + 6, feature + 6 + w.s * w.k);
  joint(&w, feature + 6 + 2 * w.s * w.k);
  *kept = w.variance > 0 ? fabs(sum / w.variance - 1) : 0;
  free(w.band);
  free(w.real);
}
