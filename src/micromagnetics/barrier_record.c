/* What a path says, taken down: rows of barriers.csv and barrier.csv, states. */
#include "barrier_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>
#include <stdlib.h>

static const double UNSTABLE = -2e-3; /* T; above the accuracy of the eigenvalue */
static const double COARSE =
    1.2;                       /* rad: neighbours turned further at some node do not resolve the path (path_method.c) */
static const double FINE = .7; /* rad: 36 images of a cube whose wall hops from plane to plane (docs/numerics.md) */

const char *mt_barrier_end_name(int end) {
  switch (end) {
  case MT_PATH_CONVERGED:
    return "converged";
  case MT_PATH_SADDLE:
    return "saddle_converged";
  case MT_PATH_STAGNATED:
    return "stagnated";
  case MT_PATH_MAX_ROUNDS:
    return "max_rounds";
  case MT_PATH_NO_BARRIER:
    return "no_barrier";
  case -1:
    return "initial_state_unstable";
  case -3:
    return "no_further_place";
  default:
    return "states_are_one";
  }
}

/* m along the direction of every image, of saturation -> along [n + 1]; at last that of the final state. */
static PetscErrorCode means(MtBarrier *b, double *along) {
  const MtPath *p = &b->path;
  double full = mt_energy_saturation(b->energy);
  for (int i = 0; i <= p->n; i++) {
    Vec m = i == p->n ? b->final : i >= p->start && i < p->end ? p->image[i].m : NULL;
    along[i] = 0;
    if (m) PetscCall(mt_energy_polarization(b->energy, m, b->opt.direction, &along[i]));
    along[i] /= full;
  }
  return 0;
}

/* The two smallest eigenvalues at image i, by its group. */
static PetscErrorCode eigenvalues(MtBarrier *b, int i, double lambda[2]) {
  MtPath *p = &b->path;
  Vec u, mode;
  int products;
  lambda[0] = lambda[1] = 0;
  if (i < p->start || i >= p->end) return 0;
  PetscCall(mt_energy_potential(b->energy, &u));
  if (u) PetscCall(VecCopy(p->image[i].u, u));
  PetscCall(VecDuplicate(p->tangent, &mode));
  PetscErrorCode rc = mt_stability_lowest(b->energy, p->image[i].m, p->B, 2, lambda, mode, &products);
  PetscCall(VecDestroy(&mode));
  if (rc != MT_ERR_FAIL) return rc;
  mt_error_clear();
  lambda[0] = lambda[1] = NAN;
  return 0;
}

static PetscErrorCode add_images(MtBarrier *b, double B, const double *along) {
  const MtPath *p = &b->path;
  for (int i = 0; i < p->n; i++) {
    MtImageRow r = {b->rows.n, B, i, p->s[i], p->turn[i], p->torque[i], along[i], {0}};
    r.energy[0] = (p->E[i].total - p->E[0].total) * MT_JOULE;
    for (int t = 0; t < MT_NTERMS; t++) r.energy[1 + t] = (p->E[i].term[t] - p->E[0].term[t]) * MT_JOULE;
    PetscCall(mt_table_add(&b->images, &r));
  }
  return 0;
}

static int tag(const MtBarrier *b, int i, int top) {
  if (i == 0) return MT_BARRIER_INITIAL;
  if (i == b->path.n - 1) return MT_BARRIER_LAST;
  return i == top ? MT_BARRIER_SADDLE : MT_BARRIER_PATH;
}

typedef struct {
  const MtBarrier *b;
  const MtKeptImage *k;
} Extras;

static PetscErrorCode write_extras(void *ctx, MtH5 *f) {
  static const char *const name[] = {"initial", "path", "saddle", "last"};
  const Extras *x = ctx;
  PetscCall(mt_h5_set_string(f, "/", "tag", name[(int)x->k->tag]));
  PetscCall(mt_h5_set_reals(f, "/", "field_T", 3, x->b->path.B));
  PetscCall(mt_h5_set_reals(f, "/", "field_along_T", 1, &x->k->B));
  PetscCall(mt_h5_set_reals(f, "/", "arc_length_rad", 1, &x->k->s));
  PetscCall(mt_h5_set_reals(f, "/", "energy_above_initial_J", 1, &x->k->energy));
  return mt_h5_set_ints(f, "/", "image", 1, (int64_t[]){(int64_t)x->k->image});
}

static PetscErrorCode write_own(MtBarrier *b, int from) {
  const MtPath *p = &b->path;
  for (int j = from; j < b->kept.n; j++) {
    int i = (int)mt_kept_image(b, j)->image;
    if (i < p->start || i >= p->end) continue;
    Extras x = {b, mt_kept_image(b, j)};
    PetscErrorCode rc = mt_site_state_write(&b->site, j + 1, p->image[i].m, write_extras, &x);
    if (rc) return rc;
  }
  return 0;
}

static PetscErrorCode keep_states(MtBarrier *b, double B, int top) {
  const MtPath *p = &b->path;
  int from = b->kept.n;
  for (int i = 0; b->opt.states && i < p->n; i++) {
    MtKeptImage k = {b->rows.n, B, i, p->s[i], (p->E[i].total - p->E[0].total) * MT_JOULE, tag(b, i, top)};
    if (b->opt.states == 1 && k.tag == MT_BARRIER_PATH) continue;
    PetscCall(mt_table_add(&b->kept, &k));
  }
  return mt_agree(b->world, write_own(b, from));
}

/* Where a path does not converge for want of images. */
static void tell_unresolved(const MtBarrier *b, const MtBarrierRow *r) {
  double widest = 0;
  for (int i = 1; i < b->path.n; i++) widest = fmax(widest, b->path.turn[i]);
  if (widest > COARSE)
    mt_warn("at %g T some node turns by %.2f rad between neighbours of the path, which says nothing of what is between "
            "them: barrier.images of %.0f may resolve it, or a mesh on which walls do not hop",
            r->B, widest, ceil(b->path.n * widest / FINE));
}

static void tell(const MtBarrier *b, const MtBarrierRow *r) {
  double kT = MT_KB * b->opt.temperature;
  if (r->end == -1)
    mt_warn("at %g T the initial state is not stable (smallest eigenvalue %.3g T): it is left without a barrier", r->B,
            r->initial_lambda);
  else if (r->end == -2)
    mt_warn("at %g T the initial state relaxes into the final one: there is no barrier", r->B);
  else if (r->end == -3)
    mt_log("mu0 H %+.4f T: no place is left where start %d could begin", r->B, mt_barrier_start_of(b, r->number) + 1);
  else if (r->end == MT_PATH_NO_BARRIER)
    mt_warn("at %g T the path has no top between its ends: no barrier is found", r->B);
  else if (!mt_path_found((int)r->end))
    mt_warn("the path at %g T is not converged (%s): after %.0f rounds the largest torque of its saddle is %.3g T",
            r->B, mt_barrier_end_name((int)r->end), r->rounds, r->torque);
  if (r->end >= 0 && r->end != MT_PATH_NO_BARRIER && !mt_path_found((int)r->end)) tell_unresolved(b, r);
  if (r->barrier > 0)
    mt_log("mu0 H %+.4f T: barrier %.5g J = %.2f kBT, image %.0f, %.0f rounds, eigenvalues %.3g and %.3g T%s", r->B,
           r->barrier, r->barrier / kT, r->image, r->rounds, r->lambda[0], r->lambda[1],
           r->end == MT_PATH_SADDLE ? "; the path beside the saddle is not at rest" : "");
  if (r->barrier > 0 && r->lambda[1] < UNSTABLE)
    mt_warn("at %g T the top of the path has more than one unstable direction (eigenvalues %.3g and %.3g T): a lower "
            "path passes beside it; try another barrier.nucleus or more images",
            r->B, r->lambda[0], r->lambda[1]);
  if (r->barrier > 0 && r->lambda[0] > UNSTABLE)
    mt_warn("at %g T the top of the path is no saddle (smallest eigenvalue %.3g T): use more images", r->B,
            r->lambda[0]);
}

static PetscErrorCode fill(MtBarrier *b, MtBarrierRow *r, const double *along) {
  const MtPath *p = &b->path;
  int top = mt_path_top(p);
  r->rounds = p->now.rounds;
  r->evaluations = p->now.evaluations;
  r->inner = p->now.inner;
  r->demag = p->now.demag;
  r->m_initial = along[0];
  r->m_final = along[p->n];
  if (top < 0) return 0;
  r->image = top;
  r->barrier = (p->E[top].total - p->E[0].total) * MT_JOULE;
  r->back = (p->E[top].total - b->now.E_final) * MT_JOULE;
  r->torque = p->torque[top];
  r->m_saddle = along[top];
  PetscCall(mt_agree(b->world, eigenvalues(b, top, r->lambda)));
  return mt_team_share(&b->team, 2, r->lambda);
}

PetscErrorCode mt_barrier_record(MtBarrier *b, int end) {
  double B[3], size = mt_barrier_B(b, B), *along;
  MtBarrierRow r = {.number = b->rows.n, .B = size, .end = end, .initial_lambda = b->now.initial_eigenvalue};
  r.barrier = r.back = r.torque = r.m_initial = r.m_saddle = r.m_final = r.lambda[0] = r.lambda[1] = NAN;
  r.image = -1;
  if (end >= 0) {
    PetscCall(mt_path_measure(&b->path));
    PetscCall(PetscMalloc1(b->path.n + 1, &along));
    PetscCall(mt_agree(b->world, means(b, along)));
    PetscCall(mt_team_share(&b->team, b->path.n + 1, along));
    PetscCall(fill(b, &r, along));
    PetscCall(add_images(b, size, along));
    PetscCall(keep_states(b, size, (int)r.image));
    PetscCall(PetscFree(along));
  }
  tell(b, &r);
  return mt_table_add(&b->rows, &r);
}
