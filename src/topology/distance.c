/* Exact distance transforms in linear time, an axis at a time: A. Meijster, J. Roerdink, W. Hesselink, in Mathematical
 * Morphology and its Applications to Image and Signal Processing (Kluwer 2000), p. 331.  Each pass takes the lower
 * envelope of one curve a pixel; the curves of one metric cross once. */
#include "magtwin/memory.h"
#include "magtwin/topology.h"
#include <math.h>
#include <string.h>

typedef int64_t (*Curve)(int64_t away, int64_t g); /* height at a distance along the axis from its pixel */
typedef int64_t (*Cross)(int64_t step, int64_t gi,
                         int64_t gu); /* last place, from pixel i, where i is not above i + step */

enum { FAR = 1 << 24 }; /* beyond every distance of an image; its square fits as well */

static int64_t floor_half(int64_t a, int64_t b) { /* floor(a / b), b > 0 */
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

static int64_t euclidean(int64_t away, int64_t g) {
  return away * away + g;
}

static int64_t euclidean_cross(int64_t step, int64_t gi, int64_t gu) {
  return floor_half(step * step + gu - gi, 2 * step);
}

static int64_t manhattan(int64_t away, int64_t g) {
  return llabs(away) + g;
}

static int64_t manhattan_cross(int64_t step, int64_t gi, int64_t gu) {
  if (gu >= gi + step) return INT64_C(1) << 40;
  if (gi > gu + step) return -(INT64_C(1) << 40);
  return floor_half(gu - gi + step, 2);
}

static int64_t chessboard(int64_t away, int64_t g) {
  return llabs(away) > g ? llabs(away) : g;
}

static int64_t chessboard_cross(int64_t step, int64_t gi, int64_t gu) {
  const int64_t middle = floor_half(step, 2);
  if (gi <= gu) return gu > middle ? gu : middle;
  return step - gi < middle ? step - gi : middle;
}

typedef struct {
  Curve curve;
  Cross cross;
  int64_t *g, *out; /* [room] a line */
  int64_t *pixel, *from;
} Pass;

/* out[x] = min over i of curve(x - i, g[i]). */
static void envelope(const Pass *p, int n) {
  int top = 0;
  p->pixel[0] = 0;
  p->from[0] = 0;
  for (int64_t u = 1; u < n; u++) {
    while (top >= 0 &&
           p->curve(p->from[top] - p->pixel[top], p->g[p->pixel[top]]) > p->curve(p->from[top] - u, p->g[u]))
      top--;
    if (top < 0) {
      top = 0;
      p->pixel[0] = u;
      continue;
    }
    const int64_t i = p->pixel[top], begins = i + 1 + p->cross(u - i, p->g[i], p->g[u]);
    if (begins < n) {
      p->pixel[++top] = u;
      p->from[top] = begins;
    }
  }
  for (int64_t x = n - 1; x >= 0; x--) {
    p->out[x] = p->curve(x - p->pixel[top], p->g[p->pixel[top]]);
    if (top > 0 && x == p->from[top]) top--;
  }
}

/* A periodic line is seen with its two neighbours. */
static void line(const Pass *p, int64_t *d, int n, int64_t stride, bool periodic) {
  const int copies = periodic ? 3 : 1, shift = periodic ? n : 0;
  for (int c = 0; c < copies; c++)
    for (int i = 0; i < n; i++) p->g[c * n + i] = d[i * stride];
  envelope(p, copies * n);
  for (int i = 0; i < n; i++) d[i * stride] = p->out[shift + i];
}

static void axis(const Pass *p, const int n[3], int a, bool periodic, int64_t *d) {
  const int64_t stride[3] = {1, n[0], (int64_t)n[0] * n[1]};
  const int b = (a + 1) % 3, c = (a + 2) % 3;
  for (int j = 0; j < n[c]; j++)
    for (int i = 0; i < n[b]; i++) line(p, d + i * stride[b] + j * stride[c], n[a], stride[a], periodic);
}

static void transform(const int n[3], const bool periodic[3], MtMetric metric, const uint8_t *inside, uint8_t goal,
                      int64_t *d) {
  static const Curve curve[] = {manhattan, chessboard, euclidean};
  static const Cross cross[] = {manhattan_cross, chessboard_cross, euclidean_cross};
  const int64_t total = (int64_t)n[0] * n[1] * n[2], far = metric == MT_EUCLIDEAN ? (int64_t)FAR * FAR : FAR;
  int most = 1;
  for (int a = 0; a < 3; a++) most = n[a] > most ? n[a] : most;
  int64_t *line_store = mt_malloc(12 * (size_t)most * sizeof *line_store);
  const Pass p = {curve[metric],         cross[metric],         line_store,
                  line_store + 3 * most, line_store + 6 * most, line_store + 9 * most};
  for (int64_t i = 0; i < total; i++) d[i] = inside[i] == goal ? 0 : far;
  for (int a = 0; a < 3; a++)
    if (n[a] > 1) axis(&p, n, a, periodic[a], d);
  free(line_store);
}

void mt_signed_distance(const int n[3], const bool periodic[3], MtMetric metric, const uint8_t *inside, double *value) {
  const int64_t total = (int64_t)n[0] * n[1] * n[2];
  int64_t *d = mt_calloc((size_t)total, sizeof *d), count = 0;
  for (int64_t i = 0; i < total; i++) count += inside[i];
  memset(value, 0, (size_t)total * sizeof *value);
  for (uint8_t phase = 0; phase < 2 && count > 0 && count < total; phase++) {
    transform(n, periodic, metric, inside, !phase, d); /* to the other phase */
    for (int64_t i = 0; i < total; i++)
      if (inside[i] == phase)
        value[i] = (phase ? -1 : 1) * (metric == MT_EUCLIDEAN ? sqrt((double)d[i]) : (double)d[i]);
  }
  free(d);
}
