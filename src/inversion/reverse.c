/* The discrete adjoint of the march: the gradient of the misfit by all parameters for the price of one linear solve a
 * step.
 *
 * Step i is R_i = w shift_i (c_(i+1) - base0_i c_i - base1_i c_(i-1)) + w G mu(c_(i+1)) - w s = 0.  Backwards,
 *   S_i' l_i = -dJ/dc_(i+1) + w shift_(i+1) base0_(i+1) l_(i+1) + w shift_(i+2) base1_(i+2) l_(i+2),
 *   dJ/dtheta = sum l_i . dR_i/dtheta.
 * The states are kept, or computed again from pairs of them (BDF2 needs two) at which the run is halved again and
 * again: memory for a logarithm of the steps at a few runs more (A. Griewank, Optim. Methods Softw. 1 (1992) 35). */
#include "invert_impl.h"
#include "magtwin/error.h"
#include <math.h>

typedef struct {
  MtTwin *w;
  Vec one, two;            /* l_(i+1), l_(i+2) */
  double sum[MT_UNKNOWNS]; /* of this rank */
  const Vec *force;        /* [snapshots] in the place of the misfit's derivatives; NULL */
} Reverse;

/* work[2] = -dJ/dc_state and what the steps after it hand back; state 0 has no l of its own. */
static PetscErrorCode right_side(Reverse *r, int state, Vec c, Vec right) {
  MtTwin *w = r->w;
  const int k = w->steps.seen[state];
  double none = 0;
  Vec part = w->work[3];
  PetscCall(VecZeroEntries(right));
  if (k >= 0 && r->force) PetscCall(VecCopy(r->force[k], right));
  if (k >= 0 && !r->force) PetscCall(mt_snapshots_misfit(&w->seen, k, c, right, &none));
  PetscCall(VecScale(right, -1));
  PetscCall(VecZeroEntries(part));
  if (state < w->steps.n) {
    const MtBdf2 b = mt_steps_bdf2(&w->steps, state);
    PetscCall(VecAXPY(part, b.shift * b.base[0], r->one));
  }
  if (state + 1 < w->steps.n) {
    const MtBdf2 b = mt_steps_bdf2(&w->steps, state + 1);
    PetscCall(VecAXPY(part, b.shift * b.base[1], r->two));
  }
  PetscCall(VecPointwiseMult(part, part, mt_flow_weights(w->flow)));
  return VecAXPY(right, 1, part);
}

static PetscErrorCode add_gradient(Reverse *r, Vec l, Vec part) {
  MtTwin *w = r->w;
  for (int p = 0; p < w->n; p++) {
    const PetscScalar *a, *b;
    PetscInt m;
    double sum = 0;
    PetscCall(mt_flow_linear_number(w->linear, w->unknown[p].number, &w->derivative[p], part));
    PetscCall(VecGetLocalSize(l, &m));
    PetscCall(VecGetArrayRead(l, &a));
    PetscCall(VecGetArrayRead(part, &b));
    for (PetscInt j = 0; j < m; j++) sum += a[j] * b[j];
    PetscCall(VecRestoreArrayRead(part, &b));
    PetscCall(VecRestoreArrayRead(l, &a));
    r->sum[p] += sum;
  }
  return 0;
}

/* Step i, from its result c. */
static PetscErrorCode back_step(Reverse *r, int i, Vec c) {
  MtTwin *w = r->w;
  Vec right = w->work[2], l = r->two;
  PetscCall(right_side(r, i + 1, c, right));
  PetscCall(mt_flow_linear_at(w->linear, w->steps.t[i + 1], mt_steps_bdf2(&w->steps, i).shift, c));
  PetscErrorCode rc = mt_flow_linear_solve(w->linear, true, right, l);
  if (rc) return rc;
  r->two = r->one;
  r->one = l;
  return r->force ? 0 : add_gradient(r, l, w->work[3]);
}

/* Runs from states a and a - 1 to b; state j is left in place(j) of `to`, the last two of them at least. */
typedef struct {
  Vec now, before; /* states a, a - 1 */
} Pair;

static PetscErrorCode kept_at(MtTwin *w, int i, Vec *c) {
  if (!w->kept[i]) PetscCall(mt_flow_create_vec(w->flow, &w->kept[i]));
  *c = w->kept[i];
  return 0;
}

/* From state a to state b; first >= 0: into kept[first], kept[first + 1], ...; else the last two are left in `end`. */
static PetscErrorCode run(MtTwin *w, int a, int b, Pair from, int first, Pair *end) {
  Vec c0 = from.now, c1 = a > 0 ? from.before : NULL, c2 = NULL;
  for (int i = a; i < b; i++) {
    bool good;
    Vec next = w->roll[i % 4];
    if (first >= 0) PetscCall(kept_at(w, first + i - a, &next));
    PetscCall(mt_twin_step(w, i, c0, c1, c2, next, &good));
    w->recomputed++;
    if (!good) return mt_error(MT_ERR_FAIL, "the step at t = %.9g s cannot be repeated", w->steps.t[i]);
    c2 = c1;
    c1 = c0;
    c0 = next;
  }
  if (end) *end = (Pair){c0, c1};
  return 0;
}

static PetscErrorCode back_kept(Reverse *r, int a, int b, int first) {
  for (int i = b - 1; i >= a; i--) {
    PetscErrorCode rc = back_step(r, i, r->w->kept[first + i - a]);
    if (rc) return rc;
  }
  return 0;
}

/* Pieces from the end, each as long as there is room, always from the same beginning. */
static PetscErrorCode back_pieces(Reverse *r, int a, int b, Pair from, int first) {
  MtTwin *w = r->w;
  const int room = w->room - first;
  PetscErrorCode rc = 0;
  for (int end = b; end > a && !rc; end -= room) {
    const int begin = end - room > a ? end - room : a;
    Pair at = from;
    rc = run(w, a, begin, from, -1, &at);
    if (!rc) rc = run(w, begin, end, at, first, NULL);
    if (!rc) rc = back_kept(r, begin, end, first);
  }
  return rc;
}

/* Steps a .. b - 1, from the states at a; kept[first] and those after it are free. */
static PetscErrorCode back_halved(Reverse *r, int a, int b, Pair from, int first) {
  MtTwin *w = r->w;
  Pair end, middle;
  if (b - a <= w->room - first || w->room - first < 6) return back_pieces(r, a, b, from, first);
  const int m = a + (b - a) / 2;
  PetscErrorCode rc = run(w, a, m, from, -1, &end);
  if (rc) return rc;
  PetscCall(kept_at(w, first, &middle.now));
  PetscCall(kept_at(w, first + 1, &middle.before));
  PetscCall(VecCopy(end.now, middle.now));
  PetscCall(VecCopy(end.before, middle.before));
  rc = back_halved(r, m, b, middle, first + 2);
  return rc ? rc : back_halved(r, a, m, from, first);
}

/* All steps, from the last one. */
static PetscErrorCode back_all(Reverse *r) {
  MtTwin *w = r->w;
  w->adjoints++;
  return w->whole ? back_kept(r, 0, w->steps.n, 0) : back_halved(r, 0, w->steps.n, (Pair){w->start, NULL}, 0);
}

static PetscErrorCode by_state(Reverse *r, Vec by_start) {
  PetscCall(right_side(r, 0, r->w->start, by_start));
  return VecScale(by_start, -1);
}

PetscErrorCode mt_twin_reverse_of(MtTwin *w, const Vec *force, Vec by_start) {
  Reverse r = {.w = w, .one = w->work[0], .two = w->work[1], .force = force};
  PetscErrorCode rc = back_all(&r);
  return rc ? rc : by_state(&r, by_start);
}

PetscErrorCode mt_twin_reverse(MtTwin *w, double *g, Vec by_start) {
  Reverse r = {.w = w, .one = w->work[0], .two = w->work[1]};
  PetscErrorCode rc = back_all(&r);
  if (rc) return rc;
  PetscCallMPI(MPI_Allreduce(r.sum, g, w->n, MPI_DOUBLE, MPI_SUM, w->comm));
  for (int p = 0; p < w->n; p++) g[p] *= w->unknown[p].factor * mt_unknown_slope(&w->unknown[p], w->theta[p]);
  return by_start ? by_state(&r, by_start) : 0;
}
