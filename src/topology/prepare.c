/* What is done to an image before its homology: a check, the blur, the distance of its phases.  Holes take no part. */
#include "prepare.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

MtPrepare mt_prepare_options(const MtInput *in, const MtCubical *image) {
  const char *binary = mt_input_string(in, "topology.binary");
  MtPrepare p = {.hidden = image->hidden, .threshold = NAN};
  memcpy(p.n, image->n, sizeof p.n);
  memcpy(p.periodic, image->periodic, sizeof p.periodic);
  p.blur = mt_input_real(in, "topology.blur");
  p.binary = strcmp(binary, "none") != 0;
  p.bright = !strcmp(mt_input_string(in, "topology.phase"), "bright");
  if (mt_input_has(in, "topology.threshold")) p.threshold = mt_input_real(in, "topology.threshold");
  p.metric = binary[0] == 'm' ? MT_MANHATTAN : (binary[0] == 'c' ? MT_CHESSBOARD : MT_EUCLIDEAN);
  return p;
}

static int64_t pixels(const MtPrepare *p) {
  return (int64_t)p->n[0] * p->n[1] * p->n[2];
}

static bool seen(const MtPrepare *p, int64_t i) {
  return !p->hidden || !p->hidden[i];
}

static PetscErrorCode check_finite(const MtPrepare *p, const char *name, const double *value) {
  const int64_t nx = p->n[0], ny = p->n[1];
  for (int64_t i = 0; i < pixels(p); i++)
    if (!isfinite(value[i]) && seen(p, i))
      return mt_error(MT_ERR_INPUT, "%s: pixel x %lld, y %lld, z %lld is not a finite number", name,
                      (long long)(i % nx), (long long)(i / nx % ny), (long long)(i / (nx * ny)));
  return 0;
}

/* Gaussian along one axis, cut at four standard deviations; the ends are mirrored, periodic ones go on. */
static void blur_axis(const MtPrepare *p, int a, double *value) {
  const int n = p->n[a], reach = (int)ceil(4 * p->blur);
  const int64_t stride = a == 0 ? 1 : (a == 1 ? p->n[0] : (int64_t)p->n[0] * p->n[1]);
  double *line = mt_malloc((size_t)n * sizeof *line), *kernel = mt_malloc(((size_t)reach + 1) * sizeof *kernel),
         sum = 0;
  for (int i = 0; i <= reach; i++) {
    kernel[i] = exp(-.5 * (i / p->blur) * (i / p->blur));
    sum += (i ? 2 : 1) * kernel[i];
  }
  for (int64_t at0 = 0; at0 < pixels(p); at0++) {
    if (at0 / stride % n) continue; /* lines begin where the coordinate is 0 */
    for (int i = 0; i < n; i++) line[i] = value[at0 + i * stride];
    for (int i = 0; i < n; i++) {
      double v = 0;
      for (int k = -reach; k <= reach; k++) {
        const int period = p->periodic[a] ? n : 2 * n, at = ((i + k) % period + period) % period;
        v += kernel[abs(k)] * line[at < n ? at : 2 * n - 1 - at];
      }
      value[at0 + i * stride] = v / sum;
    }
  }
  free(line);
  free(kernel);
}

static void blur_all(const MtPrepare *p, double *value) {
  for (int a = 0; a < 3; a++)
    if (p->n[a] > 1) blur_axis(p, a, value);
}

/* With holes: what is seen, over the blur of where something is seen. */
static void blur(const MtPrepare *p, double *value) {
  if (!p->hidden) {
    blur_all(p, value);
    return;
  }
  double *weight = mt_malloc((size_t)pixels(p) * sizeof *weight);
  for (int64_t i = 0; i < pixels(p); i++) {
    weight[i] = seen(p, i);
    value[i] = seen(p, i) ? value[i] : 0;
  }
  blur_all(p, value);
  blur_all(p, weight);
  for (int64_t i = 0; i < pixels(p); i++) value[i] = seen(p, i) ? value[i] / weight[i] : 0;
  free(weight);
}

static double half_way(const MtPrepare *p, const double *value) {
  double low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < pixels(p); i++) {
    if (!seen(p, i)) continue;
    low = fmin(low, value[i]);
    high = fmax(high, value[i]);
  }
  return low / 2 + high / 2;
}

/* Holes belong to neither phase: for each phase they are counted to it, so that they are nobody's goal. */
static void distance(const MtPrepare *p, uint8_t *inside, double *value) {
  const int64_t n = pixels(p);
  mt_signed_distance(p->n, p->periodic, p->metric, inside, value);
  if (!p->hidden) return;
  double *other = mt_malloc((size_t)n * sizeof *other);
  uint8_t *flipped = mt_malloc((size_t)n);
  for (int64_t i = 0; i < n; i++) flipped[i] = inside[i] || p->hidden[i];
  mt_signed_distance(p->n, p->periodic, p->metric, flipped, other);
  for (int64_t i = 0; i < n; i++)
    if (inside[i]) value[i] = other[i];
  free(flipped);
  free(other);
}

/* Black and white by the threshold, then the distance. */
static void make_distance(const MtPrepare *p, double *value) {
  const int64_t n = pixels(p);
  const double threshold = isnan(p->threshold) ? half_way(p, value) : p->threshold;
  uint8_t *inside = mt_malloc((size_t)n);
  for (int64_t i = 0; i < n; i++) inside[i] = seen(p, i) && (value[i] > threshold) == p->bright;
  distance(p, inside, value);
  free(inside);
}

PetscErrorCode mt_prepare(const MtPrepare *p, const char *name, double *value) {
  PetscCall(check_finite(p, name, value));
  if (p->blur > 0) blur(p, value);
  if (p->binary) make_distance(p, value);
  return 0;
}
