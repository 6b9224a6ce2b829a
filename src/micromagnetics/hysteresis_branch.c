/* The branches of a run: each from its own start, one after the other; and what is read off each. */
#include "hysteresis.h"
#include <stdlib.h>

void mt_branch_enter(MtHysteresis *h, int k) {
  const MtBranch *b = &h->plan.branch[k];
  h->path = b->path;
  for (int c = 0; c < 3; c++) h->axis[c] = b->axis[c];
}

/* m parallel to the starting field. */
static PetscErrorCode saturate(MtHysteresis *h) {
  PetscScalar *x;
  PetscCall(VecGetArray(h->m_accepted, &x));
  for (PetscInt i = 0; i < h->nodes->n_owned; i++)
    for (int c = 0; c < 3; c++) x[3 * i + c] = h->axis[c];
  return VecRestoreArray(h->m_accepted, &x);
}

static bool is_reversal(const MtHysteresis *h, int k) {
  return h->plan.kind == MT_BRANCH_REVERSAL && k > 0;
}

static PetscErrorCode read_start(MtHysteresis *h, int k) {
  const MtSite site = mt_hysteresis_site(h);
  char name[64];
  snprintf(name, sizeof name, "states/state_%04d.h5", mt_state_of_branch(h, k));
  char *path = mt_path_join(h->folder, name);
  PetscErrorCode rc = mt_site_read_state(&site, path, "field.reversal", h->m_accepted);
  free(path);
  return rc;
}

/* The potential is found from zero, so that a continued run has the same. */
PetscErrorCode mt_branch_start(MtHysteresis *h, int k) {
  h->now.branch = k;
  h->now.past = h->now.stiffness = 0;
  h->now.turn = INFINITY;
  h->now.relaxed = h->now.start = 1;
  mt_branch_enter(h, k);
  mt_stepper_begin(&h->path, &h->now.stepper);
  if (h->u) PetscCall(VecZeroEntries(h->u_accepted));
  if (is_reversal(h, k)) return read_start(h, k);
  if (!h->opt.initial_file) return saturate(h);
  const MtSite site = mt_hysteresis_site(h);
  return mt_site_read_state(&site, h->opt.initial_file, "field.initial_file", h->m_accepted);
}

PetscErrorCode mt_branch_next(MtHysteresis *h) {
  int k = (int)h->now.branch + 1;
  if (h->opt.states != MT_STATES_NONE)
    PetscCall(mt_state_keep(h, h->m_accepted, h->curve.n - 1, MT_TAG_LAST, NULL, NAN));
  for (; k < h->plan.n; k++) {
    if (!is_reversal(h, k) || mt_state_of_branch(h, k) > 0) return mt_branch_start(h, k);
    mt_warn("the path ended before %g T: no reversal curve from there", h->plan.branch[k].from);
  }
  h->now.finished = 1;
  return 0;
}

int mt_branch_here(const MtHysteresis *h) {
  const MtStepper *st = &h->now.stepper;
  if (h->plan.kind != MT_BRANCH_REVERSAL || h->now.branch != 0) return 0;
  for (int k = 1; k < h->plan.n; k++) {
    const MtBranch *b = &h->plan.branch[k];
    if (b->segment == (int)st->segment && b->at == st->s && mt_state_of_branch(h, k) == 0) return k;
  }
  return 0;
}

/* Middle of the field step in which m changed most, along the axis, as a positive field; NaN: no event. */
static double switching_field(const MtHysteresis *h, const MtCurve *curve, const double axis[3]) {
  double most = 0, field = NAN;
  for (int i = 1; i < curve->n; i++) {
    const MtCurveRow *a = &curve->row[i - 1], *b = &curve->row[i];
    double dm = fabs(mt_dot3(b->mean, axis) - mt_dot3(a->mean, axis));
    if (dm <= h->opt.event_drop || dm <= most) continue;
    most = dm;
    field = -.5 * (mt_dot3(a->B, axis) + mt_dot3(b->B, axis));
  }
  return field;
}

/* J along the axis at zero field, on the way from the first row to the last; NaN: not passed. */
static double at_zero_field(const MtHysteresis *h, const MtCurve *curve, const double axis[3]) {
  for (int i = 0; i + 1 < curve->n; i++) {
    double a = mt_dot3(curve->row[i].B, axis), b = mt_dot3(curve->row[i + 1].B, axis);
    if (a == 0) return h->Jsat * mt_dot3(curve->row[i].mean, axis);
    if (b == 0) return h->Jsat * mt_dot3(curve->row[i + 1].mean, axis);
    if (a * b < 0) {
      double t = a / (a - b);
      return h->Jsat * (mt_dot3(curve->row[i].mean, axis) * (1 - t) + mt_dot3(curve->row[i + 1].mean, axis) * t);
    }
  }
  return NAN;
}

enum { MOST_VALUES = 6 };
typedef struct {
  int n;
  const char *const *name; /* as in branches.csv */
  double value[MOST_VALUES];
} Line;

static PetscErrorCode angle_line(const MtHysteresis *h, int k, Line *line) {
  static const char *const name[] = {"angle_deg", "Br_T", "Hc_T", "Hswitch_T", "squareness", "BHmax_kJ/m3"};
  const MtBranch *b = &h->plan.branch[k];
  MtCurve curve = mt_curve_branch(&h->curve, k);
  MtLoopFigures f;
  double *H;
  int n;
  PetscCall(mt_loop_points(h, k, &n, &H));
  mt_loop_figures(n, H, H + n, 0, &f);
  if (k > 0) mt_warn_unreversed(h, k, n, H, f.Hc); /* the first branch's figures are the run's */
  free(H);
  *line = (Line){6, name, {b->angle, f.Br, f.Hc, switching_field(h, &curve, b->axis), f.squareness, f.BHmax}};
  return 0;
}

/* Recoil permeability: of the chord from the start of the curve to zero field. */
static PetscErrorCode reversal_line(const MtHysteresis *h, int k, Line *line) {
  static const char *const name[] = {"from_T", "J_from_T", "J_zero_T", "J_end_T", "recoil_permeability"};
  const MtBranch *b = &h->plan.branch[k];
  MtCurve curve = mt_curve_branch(&h->curve, k);
  double start = h->Jsat * mt_dot3(curve.row[0].mean, b->axis), field = mt_dot3(curve.row[0].B, b->axis);
  double zero = at_zero_field(h, &curve, b->axis), end = h->Jsat * mt_dot3(curve.row[curve.n - 1].mean, b->axis);
  *line = (Line){5, name, {b->from, start, zero, end, field < 0 ? 1 + (zero - start) / -field : NAN}};
  return 0;
}

static void tell_angle(const MtHysteresis *h, int k, const Line *line) {
  const MtCurve curve = mt_curve_branch(&h->curve, k);
  char text[256] = "", doubt[64] = "";
  double most;
  if (h->plan.kind != MT_BRANCH_ANGLE || h->now.finished == 0) return;
  mt_say_quantity(text, sizeof text, "Br", line->value[1], " T");
  mt_say_quantity(text, sizeof text, "Hc", line->value[2], " T");
  mt_say_quantity(text, sizeof text, "largest jump at", line->value[3], " T");
  const int n = mt_unconverged(h, &curve, &most);
  if (n) snprintf(doubt, sizeof doubt, "; %d steps not converged", n);
  mt_log("%g deg: %s%s", line->value[0], text, doubt);
}

static PetscErrorCode branch_line(const MtHysteresis *h, int k, Line *line) {
  return h->plan.kind == MT_BRANCH_ANGLE ? angle_line(h, k, line) : reversal_line(h, k, line);
}

static void put_line(const MtHysteresis *h, MtJson *j, int k, const Line *line) {
  MtCurve curve = mt_curve_branch(&h->curve, k);
  double most;
  mt_json_object(j, NULL);
  mt_json_int(j, "branch", k);
  mt_json_int(j, "first_step", (int64_t)curve.row[0].step);
  mt_json_int(j, "steps", curve.n);
  mt_json_int(j, "unconverged_steps", mt_unconverged(h, &curve, &most));
  for (int i = 0; i < line->n; i++) mt_json_real(j, line->name[i], line->value[i]);
  mt_json_end(j);
}

static void print_line(FILE *f, int k, const Line *line, bool header) {
  if (header) {
    fprintf(f, "branch");
    for (int i = 0; i < line->n; i++) fprintf(f, ",%s", line->name[i]);
    fputc('\n', f);
  }
  fprintf(f, "%d", k);
  for (int i = 0; i < line->n; i++) fprintf(f, ",%.17g", line->value[i]);
  fputc('\n', f);
}

static PetscErrorCode write_table(const MtHysteresis *h, const char *text) {
  char *path = mt_path_join(h->folder, "branches.csv");
  PetscErrorCode rc = mt_agree_root(h->comm, h->rank ? 0 : mt_file_write(path, text));
  free(path);
  return rc;
}

PetscErrorCode mt_branch_results(MtHysteresis *h, MtJson *j) {
  char *text;
  size_t size;
  int first = h->plan.kind == MT_BRANCH_REVERSAL, lines = 0;
  if (h->plan.kind == MT_BRANCH_NONE) return 0;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  mt_json_string(j, "branch_kind", first ? "reversal" : "angle");
  mt_json_array(j, "branches");
  for (int k = first; k < h->plan.n; k++) {
    Line line = {0};
    if (mt_curve_branch(&h->curve, k).n == 0) continue;
    PetscCall(branch_line(h, k, &line));
    put_line(h, j, k, &line);
    tell_angle(h, k, &line);
    print_line(f, k, &line, lines++ == 0);
  }
  mt_json_end(j);
  fclose(f);
  PetscErrorCode rc = write_table(h, text);
  free(text);
  return rc;
}
