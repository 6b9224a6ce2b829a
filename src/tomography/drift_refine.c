/* The shift of two pictures to a small part of a pixel by least squares: a(x) = gain b(x + shift) + offset.
 *
 * A correlation of two windows is drawn towards the place where the windows lie on each other, most of all along lines
 * that lean little; here b is read anew at every step, and where it meets a nothing draws any more (B. D. Lucas,
 * T. Kanade, IJCAI 1981, 674, with the gradient of a). */
#include "drift.h"
#include <math.h>

static double window(int i, int n) {
  return .5 - .5 * cos(2 * MT_PI * (i + .5) / n);
}

/* Keys' cubic through the four values around t (0 .. 1) beyond the second. */
static double between(double a, double b, double c, double d, double t) {
  return b + .5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

static double pixel_at(const float *b, int stride, double x, double y) {
  const int i = (int)floor(x), j = (int)floor(y);
  double row[4];
  for (int r = 0; r < 4; r++) {
    const float *p = b + (ptrdiff_t)(j + r - 1) * stride + i;
    row[r] = between(p[-1], p[0], p[1], p[2], x - i);
  }
  return between(row[0], row[1], row[2], row[3], y - j);
}

/* Weighted sums over the window. */
typedef struct {
  double w, a, b, aa, bb, ab; /* of the values */
  double gx, gy, xx, xy, yy;  /* of the gradient of a */
  double ax, ay, bx, by;      /* of its products with the values */
} Sums;

static void add(Sums *s, double w, double a, double b, double gx, double gy) {
  s->w += w;
  s->a += w * a, s->b += w * b;
  s->aa += w * a * a, s->bb += w * b * b, s->ab += w * a * b;
  s->gx += w * gx, s->gy += w * gy;
  s->xx += w * gx * gx, s->xy += w * gx * gy, s->yy += w * gy * gy;
  s->ax += w * a * gx, s->ay += w * a * gy;
  s->bx += w * b * gx, s->by += w * b * gy;
}

static Sums sums(const MtRefine *r, const float *a, const float *b, const double shift[2]) {
  Sums s = {0};
  for (int j = 1; j < r->h - 1; j++)
    for (int i = 1; i < r->w - 1; i++) {
      const double x = i + shift[0], y = j + shift[1];
      const float *p = a + (ptrdiff_t)j * r->stride + i;
      if (x < r->lo[0] || y < r->lo[1] || x > r->hi[0] || y > r->hi[1]) continue; /* beyond the picture */
      add(&s, window(i, r->w) * window(j, r->h), p[0], pixel_at(b, r->stride, x, y), .5 * (p[1] - p[-1]),
          .5 * (p[r->stride] - p[-r->stride]));
    }
  return s;
}

/* The step that brings b onto a; false if there is nothing to see. */
static bool step(const Sums *s, double d[2], double *agreement) {
  if (!(s->w > 0)) return false;
  const double aa = s->aa - s->a * s->a / s->w, bb = s->bb - s->b * s->b / s->w, ab = s->ab - s->a * s->b / s->w;
  if (!(aa > 0) || !(bb > 0)) return false;
  const double gain = sqrt(aa / bb);
  const double rx = gain * (s->bx - s->b * s->gx / s->w) - (s->ax - s->a * s->gx / s->w);
  const double ry = gain * (s->by - s->b * s->gy / s->w) - (s->ay - s->a * s->gy / s->w);
  const double still = 1e-3 * (s->xx + s->yy), xx = s->xx + still, yy = s->yy + still, det = xx * yy - s->xy * s->xy;
  if (!(det > 0)) return false;
  d[0] = -(yy * rx - s->xy * ry) / det;
  d[1] = -(xx * ry - s->xy * rx) / det;
  *agreement = ab / sqrt(aa * bb);
  return true;
}

bool mt_refine(const MtRefine *r, const float *a, const float *b, double shift[2], double *agreement) {
  enum { STEPS = 40 };
  for (int i = 0; i < STEPS; i++) {
    double d[2];
    const Sums s = sums(r, a, b, shift);
    if (!step(&s, d, agreement)) return false;
    const double length = hypot(d[0], d[1]), scale = length > 1 ? 1 / length : 1;
    shift[0] += scale * d[0], shift[1] += scale * d[1];
    if (fabs(shift[0]) > r->most || fabs(shift[1]) > r->most) return false;
    if (length < .003) return true;
  }
  return false;
}
