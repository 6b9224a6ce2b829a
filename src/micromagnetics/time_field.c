/* A field that varies in time: constant, ramp, sine, pulse, and sums of them.  Between its kinks each part is smooth.
 */
#include "magtwin/dynamics.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double NS = 1e9; /* s -> ns */

/* The times at which the part's formula changes -> kink; their number. */
static int kinks_of(const MtFieldPart *p, double kink[4]) {
  int n = 0;
  kink[n++] = p->start;
  if (p->wave == MT_WAVE_PULSE && p->rise > 0) kink[n++] = p->start + p->rise;
  kink[n++] = p->end;
  if (p->wave == MT_WAVE_PULSE && p->rise > 0) kink[n++] = p->end + p->rise;
  return n;
}

/* Up from start within rise, down from end within rise. */
static double pulse(const MtFieldPart *p, double from, double t) {
  if (from < p->start || from >= p->end + p->rise) return 0;
  if (from >= p->end) return p->value * (1 - (t - p->end) / p->rise);
  return from < p->start + p->rise ? p->value * (t - p->start) / p->rise : p->value;
}

/* The value at t by the formula that holds just after `from`. */
static double value_of(const MtFieldPart *p, double from, double t) {
  bool on = from >= p->start && from < p->end;
  switch (p->wave) {
  case MT_WAVE_CONSTANT:
    return on ? p->value : 0;
  case MT_WAVE_SINE:
    return on ? p->value * sin(p->omega * (t - p->start) + p->phase) : 0;
  case MT_WAVE_PULSE:
    return pulse(p, from, t);
  default:
    break;
  }
  if (!on) return from < p->start ? p->from : p->value;
  return p->from + (p->value - p->from) * ((t - p->start) / (p->end - p->start));
}

void mt_time_field_at(void *ctx, double from, double t, double B[3]) {
  const MtTimeField *f = ctx;
  for (int c = 0; c < 3; c++) B[c] = 0;
  for (int i = 0; i < f->n; i++) {
    double value = value_of(&f->part[i], from, t);
    for (int c = 0; c < 3; c++) B[c] += value * f->part[i].direction[c];
  }
}

double mt_time_field_kink(void *ctx, double t) {
  const MtTimeField *f = ctx;
  double next = INFINITY;
  for (int i = 0; i < f->n; i++) {
    double kink[4];
    int n = kinks_of(&f->part[i], kink);
    for (int k = 0; k < n; k++)
      if (kink[k] > t) next = fmin(next, kink[k]);
  }
  return next;
}

static MtWave wave_of(const char *text) {
  static const char *const name[] = {"constant", "ramp", "sine", "pulse"};
  int k = 0;
  while (k < 3 && strcmp(name[k], text) != 0) k++;
  return (MtWave)k;
}

static PetscErrorCode read_times(const MtInput *in, int i, MtFieldPart *p) {
  char key[64];
  snprintf(key, sizeof key, "dynamics.field[%d].end", i);
  p->start = NS * mt_input_real(in, "dynamics.field[%d].start", i);
  p->end = mt_input_has(in, "%s", key) ? NS * mt_input_real(in, "%s", key) : INFINITY;
  if ((p->wave == MT_WAVE_RAMP || p->wave == MT_WAVE_PULSE) && p->end == INFINITY)
    return mt_input_error(in, "dynamics.field", "entry %d, a %s, needs an end", i + 1,
                          p->wave == MT_WAVE_RAMP ? "ramp" : "pulse");
  if (!(p->end > p->start))
    return mt_input_error(in, key, "must be after the start (%g ns), is %g ns", p->start, p->end);
  if (p->wave != MT_WAVE_PULSE) return 0;
  snprintf(key, sizeof key, "dynamics.field[%d].rise", i);
  p->rise = NS * mt_input_real(in, "%s", key);
  if (p->start + p->rise <= p->end) return 0;
  return mt_input_error(in, key, "is %g ns, longer than the pulse (%g ns)", p->rise, p->end - p->start);
}

static PetscErrorCode read_part(const MtInput *in, int i, MtFieldPart *p) {
  char key[64];
  double *d = p->direction, norm = 0;
  p->wave = wave_of(mt_input_string(in, "dynamics.field[%d].kind", i));
  p->value = mt_input_real(in, "dynamics.field[%d].value", i);
  snprintf(key, sizeof key, "dynamics.field[%d].direction", i);
  mt_input_vec3(in, d, "%s", key);
  for (int c = 0; c < 3; c++) norm += d[c] * d[c];
  if (!(norm > 0)) return mt_input_error(in, key, "must not be a zero vector");
  for (int c = 0; c < 3; c++) d[c] /= sqrt(norm);
  if (p->wave == MT_WAVE_RAMP) p->from = mt_input_real(in, "dynamics.field[%d].from", i);
  if (p->wave == MT_WAVE_SINE) {
    p->omega = 2 * MT_PI / NS * mt_input_real(in, "dynamics.field[%d].frequency", i);
    p->phase = MT_PI / 180 * mt_input_real(in, "dynamics.field[%d].phase", i);
  }
  return read_times(in, i, p);
}

PetscErrorCode mt_time_field_read(const MtInput *in, MtTimeField *field) {
  int n = mt_input_count(in, "dynamics.field");
  PetscErrorCode rc = 0;
  *field = (MtTimeField){.n = n, .part = calloc((size_t)n + 1, sizeof *field->part)};
  if (!field->part) return mt_error(MT_ERR_FAIL, "out of memory for %d parts of the field", n);
  for (int i = 0; !rc && i < n; i++) rc = read_part(in, i, &field->part[i]);
  if (rc) mt_time_field_free(field);
  return rc;
}

void mt_time_field_free(MtTimeField *field) {
  free(field->part);
  memset(field, 0, sizeof *field);
}
