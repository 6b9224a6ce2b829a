/* The field path: straight segments in field space, walked in fixed steps, or in adaptive ones that bracket a jump of
 * m.
 *
 * Adaptive: a trial field at which m changed by more than dm_max, or an event happened that is to be bracketed, is
 * remembered as the end of a bracket [s, jump], the state is rolled back and the bracket is bisected until it is no
 * wider than the resolution; then the jump is accepted. The step doubles after each smooth step until it is the asked
 * one again.  A change that the slope of the last accepted step already explains is a smooth rotation: the bracket is
 * given up and the step is fitted to the slope. */
#include "magtwin/error.h"
#include "magtwin/loop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double EDGE = 1e-9; /* relative slack with which fields on a grid count as equal */

static double norm3(const double a[3]) {
  return sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
}

/* Distance from `from` at which the line passes through zero field, -1 if it does not between its ends. */
static double zero_crossing(const MtSegment *s) {
  double u[3], t = 0, off[3];
  for (int c = 0; c < 3; c++) u[c] = (s->to[c] - s->from[c]) / s->length;
  for (int c = 0; c < 3; c++) t -= u[c] * s->from[c];
  for (int c = 0; c < 3; c++) off[c] = s->from[c] + t * u[c];
  bool inside = t > EDGE * s->length && t < (1 - EDGE) * s->length;
  return inside && norm3(off) <= EDGE * s->length ? t : -1;
}

void mt_segment_line(MtSegment *s, const double from[3], const double to[3], const double along[3]) {
  double d[3];
  for (int c = 0; c < 3; c++) {
    s->from[c] = from[c];
    s->to[c] = to[c];
    s->along[c] = along[c];
    d[c] = to[c] - from[c];
  }
  s->length = norm3(d);
  s->zero = s->length > 0 ? zero_crossing(s) : -1;
}

double mt_picotesla(double B) {
  return round(B * 1e12) / 1e12;
}

void mt_segment_point(const MtSegment *s, double t, double B[3]) {
  if (t == s->zero) {
    memset(B, 0, 3 * sizeof *B);
  } else if (t >= s->length) {
    memcpy(B, s->to, 3 * sizeof *B);
  } else {
    for (int c = 0; c < 3; c++) B[c] = mt_picotesla(s->from[c] + t * ((s->to[c] - s->from[c]) / s->length));
  }
}

static const MtSegment *segment_of(const MtFieldPath *path, const MtStepper *st) {
  return &path->segment[(int)st->segment];
}

static void enter_segment(const MtFieldPath *path, MtStepper *st, int k) {
  st->segment = k;
  st->s = 0;
  st->h = path->segment[k].step;
  st->jump = -1;
}

void mt_stepper_begin(const MtFieldPath *path, MtStepper *st) {
  enter_segment(path, st, 0);
  st->s = st->trial = -1;
}

/* The next point of the grid of full steps counted from the start of the segment. */
static double next_on_grid(const MtSegment *s, double t) {
  return s->step * (floor(t / s->step + 1e-6) + 1);
}

/* Within a bracket its middle, near its end the end; otherwise a step of h, on the grid when h is a full step. */
static double propose(const MtSegment *s, const MtStepper *st) {
  if (!s->adaptive) return next_on_grid(s, st->s);
  double gap = st->jump - st->s;
  if (st->jump >= 0) return gap <= s->resolution * (1 + EDGE) ? st->jump : st->s + fmax(gap / 2, s->resolution);
  return st->h >= s->step ? next_on_grid(s, st->s) : st->s + st->h;
}

/* The next point that is always hit: zero field, or the start of a reversal curve. */
static double next_halt(const MtSegment *s, double after) {
  double next = s->zero > after ? s->zero : INFINITY;
  for (int i = 0; i < s->nhalts; i++)
    if (s->halt[i] > after) next = fmin(next, s->halt[i]);
  return next;
}

bool mt_stepper_next(const MtFieldPath *path, MtStepper *st, double B[3]) {
  if (st->s < 0) { /* the start itself */
    st->trial = 0;
    memcpy(B, path->start, 3 * sizeof *B);
    return true;
  }
  if (st->s >= segment_of(path, st)->length) {
    if ((int)st->segment + 1 >= path->n) return false;
    enter_segment(path, st, (int)st->segment + 1);
  }
  const MtSegment *s = segment_of(path, st);
  double t = propose(s, st);
  if (t > s->length - 1e-6 * s->step) t = s->length;
  /* a point beside one that has to be hit would double it: that one takes its place */
  double halt = next_halt(s, st->s);
  if (t > halt - 1e-6 * s->step) t = halt;
  st->trial = t;
  mt_segment_point(s, t, B);
  return true;
}

bool mt_stepper_may_retry(const MtFieldPath *path, const MtStepper *st) {
  const MtSegment *s = segment_of(path, st);
  return s->adaptive && st->s >= 0 && st->trial - st->s > s->resolution * (1 + EDGE);
}

/* The full step halved until it is no larger than wanted or near the resolution.  Steps fitted to a slope come in
 * halves so that the last digits of m, which depend on the number of ranks, do not move the fields. */
static double halved(const MtSegment *s, double wanted) {
  double h = s->step;
  while (h > wanted && h > 2 * s->resolution) h /= 2;
  return h > wanted ? s->resolution : h;
}

/* After a smooth step of size h and slope dm/h: the next step, and whether the bracket still holds a jump. */
static void adapt(const MtSegment *s, MtStepper *st, double h, double dm) {
  if (st->s >= st->jump) st->jump = -1;
  bool smooth = fabs(dm) <= s->dm_max;
  if (st->jump >= 0 && smooth && fabs(dm) / h * (st->jump - st->s) > .5 * s->dm_max) {
    st->jump = -1;
    st->h = halved(s, .7 * s->dm_max * h / fabs(dm));
  } else if (st->jump < 0) {
    st->h = fmin(s->step, smooth ? fmax(st->h, 2 * h) : fmax(h, s->resolution));
    /* no larger than the slope allows: a foreseeable roll-back costs a minimization */
    if (smooth && fabs(dm) > 0) st->h = fmin(st->h, halved(s, .9 * s->dm_max * h / fabs(dm)));
  } else {
    st->h = st->jump - st->s;
  }
}

MtStepVerdict mt_stepper_judge(const MtFieldPath *path, MtStepper *st, double dm) {
  const MtSegment *s = segment_of(path, st);
  if (fabs(dm) > s->dm_max && mt_stepper_may_retry(path, st)) {
    st->jump = st->trial;
    return MT_STEP_ROLLBACK;
  }
  double h = st->trial - st->s;
  bool first = st->s < 0;
  st->s = st->trial;
  if (!first && s->adaptive) adapt(s, st, h, dm);
  return MT_STEP_ACCEPT;
}

double mt_stepper_fraction(const MtFieldPath *path, const MtStepper *st) {
  double done = fmax(st->s, 0);
  for (int k = 0; k < (int)st->segment; k++) done += path->segment[k].length;
  return done / path->length;
}

static void unit_of(double v[3]) {
  double n = norm3(v);
  for (int c = 0; c < 3; c++) v[c] /= n;
}

/* Where segment k begins: the end of the one before. */
static const double *segment_start(const MtFieldPath *p, int k) {
  return k ? p->segment[k - 1].to : p->start;
}

PetscErrorCode mt_segment_check_events(const MtInput *in, const MtSegment *s, const char *key) {
  /* `magtwin check` reads inputs whose section minimizer is not filled in */
  const bool flow = !mt_input_has(in, "minimizer.events") || !strcmp(mt_input_string(in, "minimizer.events"), "flow");
  if (!s->every_event || (s->adaptive && flow)) return 0;
  return mt_input_error(in, key, "needs %s: nothing would be rolled back",
                        flow ? "mode: adaptive" : "minimizer.events: flow");
}

static PetscErrorCode read_steps(const MtInput *in, int k, MtSegment *s) {
  s->step = mt_input_real(in, "field.segments[%d].step", k);
  s->adaptive = strcmp(mt_input_string(in, "field.segments[%d].mode", k), "adaptive") == 0;
  s->dm_max = mt_input_real(in, "field.segments[%d].dm_max", k);
  s->resolution = mt_input_real(in, "field.segments[%d].resolution", k);
  s->every_event = mt_input_bool(in, "field.segments[%d].every_event", k);
  if (s->step > s->length * (1 + EDGE)) {
    char key[64];
    snprintf(key, sizeof key, "field.segments[%d].step", k);
    return mt_input_error(in, key, "is %g T, longer than the segment (%g T); make it smaller", s->step, s->length);
  }
  if (s->adaptive && s->resolution > s->step) {
    char key[64];
    snprintf(key, sizeof key, "field.segments[%d].resolution", k);
    return mt_input_error(in, key, "must not exceed the step (%g T), is %g T", s->step, s->resolution);
  }
  char key[64];
  snprintf(key, sizeof key, "field.segments[%d].every_event", k);
  return mt_segment_check_events(in, s, key);
}

static PetscErrorCode read_direction(const MtInput *in, const char *key, double d[3]) {
  mt_input_vec3(in, d, "%s", key);
  if (!(norm3(d) > 0)) return mt_input_error(in, key, "must not be a zero vector, is [%g, %g, %g]", d[0], d[1], d[2]);
  unit_of(d);
  return 0;
}

static PetscErrorCode read_segment(const MtInput *in, int k, MtFieldPath *p) {
  MtSegment *s = &p->segment[k];
  double along[3], to[3];
  char key[64];
  memcpy(along, p->direction, sizeof along);
  snprintf(key, sizeof key, "field.segments[%d].direction", k);
  if (mt_input_has(in, "%s", key)) PetscCall(read_direction(in, key, along));
  double end = mt_input_real(in, "field.segments[%d].to", k);
  for (int c = 0; c < 3; c++) to[c] = end * along[c];
  mt_segment_line(s, segment_start(p, k), to, along);
  snprintf(key, sizeof key, "field.segments[%d].to", k);
  if (s->length <= 1e-12) {
    return mt_input_error(in, key, "is %g T, where the segment already starts: a path of zero length", end);
  }
  PetscCall(read_steps(in, k, s));
  p->length += s->length;
  return 0;
}

static PetscErrorCode read_path(const MtInput *in, MtFieldPath *p) {
  PetscCall(read_direction(in, "field.direction", p->direction));
  double start = mt_input_real(in, "field.start");
  for (int c = 0; c < 3; c++) p->start[c] = start * p->direction[c];
  if (p->n < 1) return mt_input_error(in, "field.segments", "needs at least one segment: the path has zero length");
  for (int k = 0; k < p->n; k++) PetscCall(read_segment(in, k, p));
  return 0;
}

PetscErrorCode mt_field_path_read(const MtInput *in, MtFieldPath *path) {
  memset(path, 0, sizeof *path);
  path->n = mt_input_count(in, "field.segments");
  path->segment = calloc(path->n > 0 ? (size_t)path->n : 1, sizeof *path->segment);
  if (!path->segment) return mt_error(MT_ERR_FAIL, "out of memory for %d field segments", path->n);
  PetscErrorCode rc = read_path(in, path);
  if (rc) mt_field_path_free(path);
  return rc;
}

void mt_field_path_free(MtFieldPath *path) {
  for (int k = 0; k < path->n; k++) free(path->segment[k].halt);
  free(path->segment);
  memset(path, 0, sizeof *path);
}
