/* All the curves of a run: the field path of the input, and what branches off it.
 *
 * Reversal curves start from states of the path (recoil curves, minor loops, first-order reversal curves: C. R. Pike,
 * A. P. Roberts, K. L. Verosub, J. Appl. Phys. 85 (1999) 6660), so the path halts at each of their fields.  Angles
 * repeat the path with all its fields turned, each from a state of its own. */
#include "magtwin/error.h"
#include "magtwin/loop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double EDGE = 1e-9; /* relative slack with which fields count as equal */
enum { MOST_BRANCHES = 10000 };

static double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Of the starting field, with its sign. */
static void set_axis(MtBranch *b) {
  double sign = dot(b->path.start, b->path.direction) < 0 ? -1 : 1;
  for (int c = 0; c < 3; c++) b->axis[c] = sign * b->path.direction[c];
}

static PetscErrorCode allocate(MtFieldPlan *plan, int n) {
  plan->branch = calloc((size_t)n, sizeof *plan->branch);
  if (!plan->branch) return mt_error(MT_ERR_FAIL, "out of memory for %d field paths", n);
  plan->n = n;
  return 0;
}

/* Rotation about the unit vector k (O. Rodrigues, J. Math. Pures Appl. 5 (1840) 380). */
static void rotate(const double k[3], double angle, double v[3]) {
  double c = cos(angle), s = sin(angle), kv = dot(k, v), w[3];
  for (int i = 0; i < 3; i++) {
    int a = (i + 1) % 3, b = (i + 2) % 3;
    w[i] = c * v[i] + s * (k[a] * v[b] - k[b] * v[a]) + (1 - c) * kv * k[i];
  }
  memcpy(v, w, sizeof w);
}

static void rotate_path(const double k[3], double angle, MtFieldPath *p) {
  if (angle == 0) return;
  rotate(k, angle, p->start);
  rotate(k, angle, p->direction);
  for (int i = 0; i < p->n; i++) {
    MtSegment *s = &p->segment[i];
    double from[3], to[3], along[3];
    memcpy(from, s->from, sizeof from);
    memcpy(to, s->to, sizeof to);
    memcpy(along, s->along, sizeof along);
    rotate(k, angle, from);
    rotate(k, angle, to);
    rotate(k, angle, along);
    mt_segment_line(s, from, to, along);
  }
}

/* The axis about which field.direction turns towards field.angles_toward. */
static PetscErrorCode turning_axis(const MtInput *in, const double d[3], double k[3]) {
  double toward[3] = {1, 0, 0};
  if (fabs(d[0]) > .9) memcpy(toward, (double[3]){0, 1, 0}, sizeof toward);
  if (mt_input_has(in, "field.angles_toward")) mt_input_vec3(in, toward, "field.angles_toward");
  for (int i = 0; i < 3; i++) k[i] = d[(i + 1) % 3] * toward[(i + 2) % 3] - d[(i + 2) % 3] * toward[(i + 1) % 3];
  double size = sqrt(dot(k, k)), whole = sqrt(dot(toward, toward));
  if (!(size > 1e-6 * whole))
    return mt_input_error(in, "field.angles_toward", "must not be parallel to field.direction or zero");
  for (int i = 0; i < 3; i++) k[i] /= size;
  return 0;
}

static PetscErrorCode read_angles(const MtInput *in, MtFieldPlan *plan) {
  int n = mt_input_count(in, "field.angles");
  double k[3];
  plan->kind = MT_BRANCH_ANGLE;
  if (n < 1) return mt_input_error(in, "field.angles", "needs at least one angle");
  PetscCall(allocate(plan, n));
  for (int i = 0; i < n; i++) {
    MtBranch *b = &plan->branch[i];
    PetscErrorCode rc = mt_field_path_read(in, &b->path);
    if (!rc && i == 0) rc = turning_axis(in, b->path.direction, k);
    if (rc) return rc;
    b->angle = mt_input_real_at(in, i, "field.angles");
    rotate_path(k, b->angle * MT_PI / 180, &b->path);
  }
  return 0;
}

/* Fields of the reversal curves, as listed or evenly from first to last -> *from [*n], malloc. */
static PetscErrorCode reversal_fields(const MtInput *in, int *n, double **from) {
  bool list = mt_input_has(in, "field.reversal.from"), even = mt_input_has(in, "field.reversal.count");
  if (list == even) {
    return mt_input_error(in, list ? "field.reversal.from" : "field.reversal",
                          "needs either from, a list of fields, or first, last and count");
  }
  if (even && !(mt_input_has(in, "field.reversal.first") && mt_input_has(in, "field.reversal.last")))
    return mt_input_error(in, "field.reversal.count", "needs field.reversal.first and field.reversal.last");
  *n = list ? mt_input_count(in, "field.reversal.from") : (int)mt_input_int(in, "field.reversal.count");
  if (*n < 1 || *n > MOST_BRANCHES)
    return mt_input_error(in, "field.reversal.from", "needs 1 to %d fields, has %d", MOST_BRANCHES, *n);
  *from = malloc((size_t)*n * sizeof **from);
  if (!*from) return mt_error(MT_ERR_FAIL, "out of memory for %d reversal curves", *n);
  double first = even ? mt_input_real(in, "field.reversal.first") : 0;
  double step = even && *n > 1 ? (mt_input_real(in, "field.reversal.last") - first) / (*n - 1) : 0;
  for (int i = 0; i < *n; i++)
    (*from)[i] = mt_picotesla(list ? mt_input_real_at(in, i, "field.reversal.from") : first + i * step);
  return 0;
}

/* Where the path first passes the field `from` along its direction. */
static bool locate(const MtFieldPath *p, double from, MtBranch *b) {
  for (int k = 0; k < p->n; k++) {
    const MtSegment *s = &p->segment[k];
    double begin = dot(s->from, s->along), rise = (dot(s->to, s->along) - begin) / s->length;
    double t = rise != 0 ? (from - begin) / rise : -1;
    if (!(t > EDGE * s->length) || t > s->length * (1 + EDGE)) continue;
    if (s->zero >= 0 && fabs(t - s->zero) < 1e-6 * s->step) t = s->zero;
    b->segment = k;
    b->at = fmin(t, s->length);
    b->from = from;
    return true;
  }
  return false;
}

static void take_steps(const MtInput *in, MtSegment *s) {
  s->step = fmin(mt_input_real(in, "field.reversal.step"), s->length);
  s->adaptive = strcmp(mt_input_string(in, "field.reversal.mode"), "adaptive") == 0;
  s->dm_max = mt_input_real(in, "field.reversal.dm_max");
  s->resolution = fmin(mt_input_real(in, "field.reversal.resolution"), s->step);
  s->every_event = mt_input_bool(in, "field.reversal.every_event");
}

/* The path of a reversal curve: from its field to field.reversal.to, and back where the loop is to be closed. */
static PetscErrorCode reversal_path(const MtInput *in, const MtFieldPath *whole, MtBranch *b) {
  const double *along = whole->segment[b->segment].along;
  int n = mt_input_bool(in, "field.reversal.close") ? 2 : 1;
  double to[3];
  b->path.segment = calloc((size_t)n, sizeof *b->path.segment);
  if (!b->path.segment) return mt_error(MT_ERR_FAIL, "out of memory for the path of a reversal curve");
  b->path.n = n;
  mt_segment_point(&whole->segment[b->segment], b->at, b->path.start);
  memcpy(b->path.direction, along, sizeof b->path.direction);
  for (int c = 0; c < 3; c++) to[c] = mt_input_real(in, "field.reversal.to") * along[c];
  mt_segment_line(&b->path.segment[0], b->path.start, to, along);
  if (n == 2) mt_segment_line(&b->path.segment[1], to, b->path.start, along);
  if (b->path.segment[0].length <= 1e-12)
    return mt_input_error(in, "field.reversal.to", "is where the reversal curve from %g T already starts", b->from);
  for (int k = 0; k < n; k++) take_steps(in, &b->path.segment[k]);
  return mt_segment_check_events(in, &b->path.segment[0], "field.reversal.every_event");
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The main path halts where the curves begin. */
static PetscErrorCode add_halts(MtFieldPlan *plan) {
  MtFieldPath *p = &plan->branch[0].path;
  for (int k = 0; k < p->n; k++) {
    MtSegment *s = &p->segment[k];
    s->halt = malloc((size_t)plan->n * sizeof *s->halt);
    if (!s->halt) return mt_error(MT_ERR_FAIL, "out of memory for %d halts of the path", plan->n);
    for (int i = 1; i < plan->n; i++)
      if (plan->branch[i].segment == k) s->halt[s->nhalts++] = plan->branch[i].at;
    qsort(s->halt, (size_t)s->nhalts, sizeof *s->halt, ascending);
  }
  return 0;
}

static PetscErrorCode make_reversals(const MtInput *in, int n, const double *from, MtFieldPlan *plan) {
  const MtFieldPath *whole = &plan->branch[0].path;
  for (int i = 0; i < n; i++) {
    MtBranch *b = &plan->branch[i + 1];
    if (!locate(whole, from[i], b))
      return mt_input_error(in, "field.reversal", "a reversal curve starts at %g T, which the path does not pass",
                            from[i]);
    for (int j = 1; j <= i; j++) {
      const MtBranch *o = &plan->branch[j];
      if (o->segment == b->segment && fabs(o->at - b->at) < 1e-6 * whole->segment[b->segment].step)
        return mt_input_error(in, "field.reversal", "has the field %g T twice", from[i]);
    }
    PetscCall(reversal_path(in, whole, b));
  }
  return add_halts(plan);
}

static PetscErrorCode read_reversals(const MtInput *in, MtFieldPlan *plan) {
  int n = 0;
  double *from = NULL;
  plan->kind = MT_BRANCH_REVERSAL;
  PetscErrorCode rc = reversal_fields(in, &n, &from);
  if (!rc && !mt_input_has(in, "field.reversal.step"))
    rc = mt_input_error(in, "field.reversal", "needs step, the field step of its curves");
  if (!rc && !mt_input_has(in, "field.reversal.to"))
    rc = mt_input_error(in, "field.reversal", "needs to, the field at which its curves end");
  if (!rc) rc = allocate(plan, n + 1);
  if (!rc) rc = mt_field_path_read(in, &plan->branch[0].path);
  if (!rc && from) rc = make_reversals(in, n, from, plan);
  free(from);
  return rc;
}

static PetscErrorCode read_plan(const MtInput *in, MtFieldPlan *plan) {
  bool reversal = mt_input_has(in, "field.reversal.from") || mt_input_has(in, "field.reversal.count") ||
                  mt_input_has(in, "field.reversal.first") || mt_input_has(in, "field.reversal.last") ||
                  mt_input_has(in, "field.reversal.to") || mt_input_has(in, "field.reversal.step");
  bool angles = mt_input_has(in, "field.angles");
  if (reversal && angles) return mt_input_error(in, "field.angles", "and field.reversal cannot go together");
  if (reversal) return read_reversals(in, plan);
  if (angles) return read_angles(in, plan);
  PetscCall(allocate(plan, 1));
  return mt_field_path_read(in, &plan->branch[0].path);
}

PetscErrorCode mt_field_plan_read(const MtInput *in, MtFieldPlan *plan) {
  memset(plan, 0, sizeof *plan);
  PetscErrorCode rc = read_plan(in, plan);
  if (rc) {
    mt_field_plan_free(plan);
    return rc;
  }
  for (int i = 0; i < plan->n; i++) {
    MtBranch *b = &plan->branch[i];
    b->path.length = 0;
    for (int k = 0; k < b->path.n; k++) b->path.length += b->path.segment[k].length;
    if (plan->kind != MT_BRANCH_REVERSAL || i == 0)
      set_axis(b);
    else
      memcpy(b->axis, plan->branch[0].axis, sizeof b->axis);
    plan->length += b->path.length;
  }
  return 0;
}

void mt_field_plan_free(MtFieldPlan *plan) {
  for (int i = 0; i < plan->n; i++) mt_field_path_free(&plan->branch[i].path);
  free(plan->branch);
  memset(plan, 0, sizeof *plan);
}

double mt_field_plan_fraction(const MtFieldPlan *plan, int branch, const MtStepper *st) {
  double done = 0;
  for (int i = 0; i < branch; i++) done += plan->branch[i].path.length;
  return (done + plan->branch[branch].path.length * mt_stepper_fraction(&plan->branch[branch].path, st)) / plan->length;
}
