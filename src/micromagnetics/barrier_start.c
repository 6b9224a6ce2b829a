/* The ends of a path at a field, and the first path between them. */
#include "barrier_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include "path_kernels.h"
#include <math.h>
#include <string.h>

static const double UNSTABLE = -2e-3; /* T; above the accuracy of the eigenvalue */
static const double SAME = .02;       /* rad: states closer than this on the mean are one */

double mt_barrier_B(const MtBarrier *b, double B[3]) {
  int field =
      (int)b->now.field < b->opt.fields ? (int)b->now.field : b->opt.fields - 1; /* of a finished run: the last */
  double size = mt_input_real_at(b->in, field, "barrier.fields");
  for (int c = 0; c < 3; c++) B[c] = size * b->opt.direction[c];
  return size;
}

static PetscErrorCode saturate(const MtBarrier *b, double sign, Vec m) {
  PetscScalar *x;
  PetscCall(VecGetArray(m, &x));
  for (PetscInt i = 0; i < b->energy->n; i++)
    for (int c = 0; c < 3; c++) x[3 * i + c] = sign * b->opt.direction[c];
  return VecRestoreArray(m, &x);
}

/* From the file that the key `what`_file names, or saturated. */
static PetscErrorCode end_state(const MtBarrier *b, const char *what, double sign, Vec m) {
  char key[64];
  snprintf(key, sizeof key, "barrier.%s_file", what);
  if (strcmp(mt_input_string(b->in, "barrier.%s", what), "file") != 0) return saturate(b, sign, m);
  return mt_site_read_state(&b->site, mt_input_string(b->in, "%s", key), key, m);
}

PetscErrorCode mt_barrier_ends(MtBarrier *b) {
  PetscErrorCode rc = 0;
  if (b->path.start == 0) rc = end_state(b, "initial", 1, b->path.image[0].m);
  rc = mt_agree(b->world, rc);
  if (!rc && b->final) rc = end_state(b, "final", -1, b->final);
  return mt_agree(b->world, rc);
}

typedef struct {
  MtBarrier *b;
  bool stopped;
} Watch;

static PetscErrorCode watch(void *ctx, int iteration, Vec m, double torque, bool *stop) {
  Watch *w = ctx;
  (void)iteration;
  (void)m;
  (void)torque;
  w->stopped = *stop = mt_stop_agreed(w->b->team.group);
  return 0;
}

/* m to equilibrium at B; u is its potential before and after. */
static PetscErrorCode relax_one(MtBarrier *b, const char *what, Vec m, Vec u, Watch *w, double *E) {
  MtMinimizerReport report;
  double B[3], size = mt_barrier_B(b, B);
  Vec start;
  PetscCall(mt_energy_potential(b->energy, &start));
  if (start) PetscCall(VecCopy(u, start));
  PetscCall(mt_minimizer_set_monitor(b->minimizer, watch, w));
  PetscCall(mt_minimizer_expect(b->minimizer, false, true)); /* nothing here asks for its curvature */
  PetscCall(mt_minimizer_run(b->minimizer, m, B, &report));
  if (start) PetscCall(VecCopy(start, u));
  *E = report.energy.total;
  if (report.converged || w->stopped) return 0;
  PetscErrorCode rc = mt_minimizer_judge(b->minimizer, &report);
  if (rc) return rc;
  char place[256];
  PetscCall(mt_energy_place(b->energy, report.worst_node, sizeof place, place));
  mt_warn("the %s state at %g T did not converge: the largest torque is %.3g T after %d iterations, at %s", what, size,
          report.torque, report.iterations, place);
  return 0;
}

static PetscErrorCode relax(MtBarrier *b, const char *what, Vec m, Vec u, Watch *w, double *E) {
  b->unrelaxed = m;
  PetscCall(relax_one(b, what, m, u, w, E));
  b->unrelaxed = NULL;
  return 0;
}

/* nm: over which a nucleus goes from one state to the other. */
static double front_width(const MtBarrier *b) {
  double most = 0;
  for (int r = 0; r < b->mesh->regions.n; r++) most = fmax(most, MT_PI * mt_site_bloch(&b->material[r]));
  return most > 0 ? most : 3 * b->mesh->size;
}

static double distance_to(const double x[3], const double y[3]) {
  const double d[3] = {x[0] - y[0], x[1] - y[1], x[2] - y[2]};
  return sqrt(mt_dot3(d, d));
}

/* Places of nuclei, and how far a further one keeps from them. */
typedef struct {
  int n;
  double (*place)[3]; /* nm */
  double width;
} Taken;

/* Square of the mode at node i; -1 beside one of the places. */
static double size_at(const MtBarrier *b, const PetscScalar *mode, PetscInt i, const Taken *taken) {
  const double *x = b->mesh->x + 3 * b->site.nodes->node[i];
  for (int k = 0; k < taken->n; k++)
    if (distance_to(x, taken->place[k]) < taken->width) return -1;
  return mt_dot3(mode + 3 * i, mode + 3 * i);
}

/* Place of the node where the mode is largest (the smallest file id of several), beside none that is taken -> place;
 * NaN: nothing is left.  Collective on the group. */
static PetscErrorCode largest_node(const MtBarrier *b, Vec mode, const Taken *taken, double place[3]) {
  const PetscScalar *v;
  const MtNodes *nodes = b->site.nodes;
  double most = -1, largest;
  int64_t vid = INT64_MAX, first;
  double at[3] = {0, 0, 0};
  PetscCall(VecGetArrayRead(mode, &v));
  for (PetscInt i = 0; i < nodes->n_owned; i++) most = fmax(most, size_at(b, v, i, taken));
  PetscCallMPI(MPI_Allreduce(&most, &largest, 1, MPI_DOUBLE, MPI_MAX, b->team.group));
  for (PetscInt i = 0; i < nodes->n_owned; i++)
    if (size_at(b, v, i, taken) >= largest && b->mesh->vid[nodes->node[i]] < vid) vid = b->mesh->vid[nodes->node[i]];
  PetscCall(VecRestoreArrayRead(mode, &v));
  if (largest < 0) {
    for (int c = 0; c < 3; c++) place[c] = NAN;
    return 0;
  }
  PetscCallMPI(MPI_Allreduce(&vid, &first, 1, MPI_INT64_T, MPI_MIN, b->team.group));
  for (PetscInt i = 0; i < nodes->n_owned; i++)
    if (b->mesh->vid[nodes->node[i]] == first) memcpy(at, b->mesh->x + 3 * nodes->node[i], sizeof at);
  PetscCallMPI(MPI_Allreduce(at, place, 3, MPI_DOUBLE, MPI_SUM, b->team.group));
  return 0;
}

/* Where the start of the field in work puts its nucleus: the given place, or the mode's largest node, then further
 * ones. */
static PetscErrorCode choose_place(const MtBarrier *b, Vec mode, double place[3]) {
  const int start = mt_barrier_start_of(b, b->rows.n);
  Taken taken = {.width = front_width(b)};
  PetscCall(PetscMalloc1(start + 1, &taken.place));
  for (; taken.n <= start; taken.n++) {
    double *next = taken.place[taken.n];
    if (taken.n == 0 && b->opt.place_given)
      memcpy(next, b->opt.given, sizeof b->opt.given);
    else
      PetscCall(largest_node(b, mode, &taken, next));
  }
  memcpy(place, taken.place[start], sizeof *taken.place);
  return PetscFree(taken.place);
}

/* The smallest eigenvalue of the initial state, and the place of its mode where a nucleus is wanted there. */
static PetscErrorCode look_at_initial(MtBarrier *b, double *lambda, double place[3]) {
  double B[3];
  int products;
  Vec mode;
  mt_barrier_B(b, B);
  PetscCall(VecDuplicate(b->path.tangent, &mode));
  PetscErrorCode rc = mt_stability_eigenvalue(b->energy, b->path.image[0].m, B, NULL, lambda, mode, &products);
  if (!rc) rc = choose_place(b, mode, place);
  PetscCall(VecDestroy(&mode));
  if (rc != MT_ERR_FAIL) return rc;
  mt_warn("%s: taken for stable", mt_error_message());
  mt_error_clear();
  *lambda = NAN;
  if (b->opt.place_given) memcpy(place, b->opt.given, sizeof b->opt.given);
  return 0;
}

static PetscErrorCode relax_own(MtBarrier *b, bool *stopped, double known[5]) {
  Watch w = {b, false};
  double E;
  if (b->path.start == 0) {
    PetscCall(relax(b, "initial", b->path.image[0].m, b->path.image[0].u, &w, &E));
    if (!w.stopped) PetscCall(look_at_initial(b, &known[0], known + 1));
  }
  if (b->final && !w.stopped) PetscCall(relax(b, "final", b->final, b->final_u, &w, &known[4]));
  *stopped = w.stopped;
  return 0;
}

/* Root of the mean squared angle between the two states. */
static PetscErrorCode apart(MtBarrier *b, double *distance) {
  const PetscScalar *x, *y;
  double sum = 0, v[3];
  int last = b->team.ngroups - 1;
  *distance = 0;
  PetscCall(mt_team_send(&b->team, 0, last, b->path.image[0].m, b->path.before));
  if (b->final) {
    PetscCall(VecGetArrayRead(b->path.before, &x));
    PetscCall(VecGetArrayRead(b->final, &y));
    for (PetscInt i = 0; i < b->energy->n; i++) {
      double angle = mt_kernel_log(x + 3 * i, y + 3 * i, v);
      sum += angle * angle * b->energy->moment[i] / b->energy->moment_sum;
    }
    PetscCall(VecRestoreArrayRead(b->final, &y));
    PetscCall(VecRestoreArrayRead(b->path.before, &x));
    PetscCallMPI(MPI_Allreduce(&sum, distance, 1, MPI_DOUBLE, MPI_SUM, b->team.group));
    *distance = sqrt(*distance);
  }
  return mt_team_share(&b->team, 1, distance);
}

PetscErrorCode mt_barrier_relax(MtBarrier *b, int *end, bool *stopped) {
  double known[5] = {0}, distance;
  bool own = false;
  PetscCall(mt_agree(b->world, relax_own(b, &own, known)));
  PetscCallMPI(MPI_Allreduce(&own, stopped, 1, MPI_C_BOOL, MPI_LOR, b->world));
  if (*stopped) return 0;
  PetscCall(mt_team_share(&b->team, 5, known));
  b->now.initial_eigenvalue = known[0];
  b->now.E_final = known[4];
  memcpy(b->opt.place, known + 1, sizeof b->opt.place);
  PetscCall(apart(b, &distance));
  *end = distance < SAME ? -2 : known[0] < UNSTABLE ? -1 : isnan(known[1]) ? -3 : 0;
  return 0;
}

/* How far the nucleus has to grow: to the corner of the magnet's box furthest from it. */
static double reach(const MtBarrier *b) {
  const double *box = b->mesh->magnet_box;
  double far[3];
  for (int c = 0; c < 3; c++) {
    double low = fabs(b->opt.place[c] - box[c]), high = fabs(b->opt.place[c] - box[3 + c]);
    far[c] = low > high ? box[c] : box[3 + c];
  }
  return distance_to(far, b->opt.place);
}

/* Image i of the first path: where the nucleus has come, the final state; moments that turn about go through `aside`.
 */
static PetscErrorCode nucleus(MtBarrier *b, int i, Vec from, Vec to, Vec m) {
  double part = (double)i / (b->path.n - 1), width = front_width(b), radius = part * (reach(b) + 2 * width) - width;
  double aside[3], other[3];
  const PetscScalar *x, *y;
  PetscScalar *z;
  mt_kernel_frame(b->opt.direction, aside, other);
  PetscCall(VecGetArrayRead(from, &x));
  PetscCall(VecGetArrayRead(to, &y));
  PetscCall(VecGetArray(m, &z));
  for (PetscInt k = 0; k < b->energy->n; k++) {
    double r = distance_to(b->mesh->x + 3 * b->site.nodes->node[k], b->opt.place);
    double t = b->opt.rotation ? part : 1 / (1 + exp(2 * MT_PI * (r - radius) / width));
    mt_kernel_detour(x + 3 * k, y + 3 * k, aside, t, z + 3 * k);
  }
  PetscCall(VecRestoreArray(m, &z));
  PetscCall(VecRestoreArrayRead(to, &y));
  return VecRestoreArrayRead(from, &x);
}

static PetscErrorCode build(MtBarrier *b) {
  MtPath *p = &b->path;
  int last = b->team.ngroups - 1;
  Vec to = b->final;
  for (int g = 1; g <= last; g++) PetscCall(mt_team_send(&b->team, 0, g, p->image[0].m, p->before));
  if (!to) PetscCall(VecDuplicate(p->tangent, &to));
  for (int g = 0; g < last; g++) PetscCall(mt_team_send(&b->team, last, g, to, to));
  for (int i = p->start; i < p->end; i++) {
    if (i == 0 || i == p->n - 1) continue;
    PetscCall(nucleus(b, i, p->start ? p->before : p->image[0].m, to, p->image[i].m));
    if (p->image[i].u) PetscCall(VecZeroEntries(p->image[i].u));
  }
  return b->final ? 0 : VecDestroy(&to);
}

PetscErrorCode mt_barrier_first_path(MtBarrier *b) {
  MtPath *p = &b->path;
  double B[3], open = b->now.usable ? p->now.open : 0;
  if (!b->now.usable) PetscCall(build(b));
  if (b->final && !open) {
    PetscCall(VecCopy(b->final, p->image[p->n - 1].m));
    if (b->final_u) PetscCall(VecCopy(b->final_u, p->image[p->n - 1].u));
  }
  mt_barrier_B(b, B);
  PetscCall(mt_path_begin(p, B));
  p->now.open = open;
  b->now.usable = 1;
  return 0;
}
