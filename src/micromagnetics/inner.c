/* Conjugate gradients on (1 + L)^-1 A (1 + L')^-1 in single precision; sums over nodes in double.
 *
 * A node's vector is t = G u with the two tangent vectors G of its factor: in these coordinates D' is 1, u and all that
 * conjugate gradients keep have two components a node, and L_ij = K_ij G_i'G_j.  With u = (1 + L')^-1 p the product is
 * u + (1 + L)^-1 (p - 2u + (A - L - L') u), and steps along p are steps along u of the solution. */
#include "inner.h"
#include "inner_rows.h"

typedef float MtPair __attribute__((vector_size(8)));

struct MtInner {
  const MtEnergy *energy;
  MtInnerRows rows;
  PetscInt n;
  MtQuad *t;                 /* what a sweep leaves, in space */
  MtPair *r, *p, *q, *u, *x; /* in the frames of the factors */
  Vec wide, extra;           /* t, and what couplings other than exchange make of it; NULL until there are any */
};

PetscErrorCode mt_inner_create(const MtEnergy *e, MtInner **inner) {
  MtInner *s;
  PetscCall(PetscNew(&s));
  s->energy = e;
  s->n = e->n;
  PetscCall(mt_inner_rows_create(e->exchange, &s->rows));
  PetscCall(PetscCalloc6(s->n, &s->t, s->n, &s->r, s->n, &s->p, s->n, &s->q, s->n, &s->u, s->n, &s->x));
  *inner = s;
  return 0;
}

PetscErrorCode mt_inner_destroy(MtInner **inner) {
  MtInner *s = *inner;
  if (!s) return 0;
  PetscCall(mt_inner_rows_destroy(&s->rows));
  PetscCall(PetscFree6(s->t, s->r, s->p, s->q, s->u, s->x));
  PetscCall(VecDestroy(&s->wide));
  PetscCall(VecDestroy(&s->extra));
  return PetscFree(*inner);
}

static inline float dot(MtQuad a, MtQuad b) {
  const MtQuad c = a * b;
  return c[0] + c[1] + c[2];
}

static inline MtQuad three(const float v[3]) {
  return (MtQuad){v[0], v[1], v[2], 0};
}
static inline MtQuad wide3(const double v[3]) {
  return (MtQuad){(float)v[0], (float)v[1], (float)v[2], 0};
}

/* G'w and G u. */
static inline MtPair to_frame(const float g[6], MtQuad w) {
  return (MtPair){dot(three(g), w), dot(three(g + 3), w)};
}
static inline MtQuad to_space(const float g[6], MtPair u) {
  return u[0] * three(g) + u[1] * three(g + 3);
}

/* The symmetric tensor c = {aa, ab, bb} times p. */
static inline MtPair tensor2(const float c[3], MtPair p) {
  return (MtPair){c[0] * p[0] + c[1] * p[1], c[1] * p[0] + c[2] * p[1]};
}

static PetscErrorCode add_ranks(const MtInner *s, double *sum) {
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 1, MPI_DOUBLE, MPI_SUM, s->energy->mesh->comm));
  return 0;
}

/* Backwards: p = r + beta p, u = (1 + L')^-1 p, t the same in space. */
static void sweep_back(MtInner *s, const float *factor, float beta) {
  for (PetscInt i = s->n - 1; i >= 0; i--) {
    const float *g = factor + 6 * i;
    const MtQuad w = mt_inner_above(&s->rows, i, s->t);
    const MtPair p = s->r[i] + beta * s->p[i], u = p - to_frame(g, w);
    s->p[i] = p;
    s->u[i] = u;
    s->t[i] = to_space(g, u);
  }
}

/* Forwards: q = u + (1 + L)^-1 (p - 2u + (A - L - L') u), with u and the rest of A u given; returns p.q. */
static double sweep_forth(MtInner *s, const MtInnerOperator *A, const double *extra) {
  const MtInnerRows *r = &s->rows;
  double sum = 0;
  for (PetscInt i = 0; i < s->n; i++) {
    const float *g = A->factor + 6 * i;
    const MtPair p = s->p[i], u = s->u[i];
    MtQuad w = r->own.value[r->diagonal[i]] * s->t[i] - mt_inner_below(r, i, s->t);
    if (mt_inner_at_edge(r, i)) w += mt_inner_others(r, i);
    if (extra) w += wide3(extra + 3 * i);
    const MtPair q = p - u + tensor2(A->block + 3 * i, u) + to_frame(g, w);
    s->q[i] = q;
    s->t[i] = to_space(g, q - u);
    sum += p[0] * q[0] + p[1] * q[1];
  }
  return sum;
}

/* extra += steepness (ridge.t) ridge. */
static PetscErrorCode add_ridge(MtInner *s, const MtInnerOperator *A) {
  PetscScalar along;
  if (!A->ridge) return 0;
  PetscCall(VecDot(A->ridge, s->wide, &along));
  return VecAXPY(s->extra, A->steepness * along, A->ridge);
}

/* The couplings that few runs have, in double precision: extra = their product with t. */
static PetscErrorCode add_more(MtInner *s, const MtInnerOperator *A) {
  PetscScalar *wide;
  if (!s->wide) {
    PetscCall(mt_energy_create_vec(s->energy, &s->wide));
    PetscCall(VecDuplicate(s->wide, &s->extra));
  }
  PetscCall(VecGetArrayWrite(s->wide, &wide));
  for (PetscInt i = 0; i < s->n; i++)
    for (int c = 0; c < 3; c++) wide[3 * i + c] = s->t[i][c];
  PetscCall(VecRestoreArrayWrite(s->wide, &wide));
  PetscCall(VecSet(s->extra, 0));
  PetscCall(mt_energy_more_couplings(s->energy, s->wide, s->extra));
  return add_ridge(s, A);
}

/* p = r + beta p, q = the product with p, and p.q of all ranks. */
static PetscErrorCode apply(MtInner *s, const MtInnerOperator *A, float beta, double *pq) {
  const PetscScalar *extra = NULL;
  const bool more = A->ridge || mt_energy_has_more_couplings(s->energy);
  sweep_back(s, A->factor, beta);
  PetscCall(mt_inner_rows_fetch(&s->rows, s->t));
  if (more) {
    PetscCall(add_more(s, A));
    PetscCall(VecGetArrayRead(s->extra, &extra));
  }
  *pq = sweep_forth(s, A, extra);
  if (more) PetscCall(VecRestoreArrayRead(s->extra, &extra));
  return add_ranks(s, pq);
}

/* x += step u, r -= step q, and r.r of all ranks. */
static PetscErrorCode advance(MtInner *s, float step, double *rr) {
  double sum = 0;
  for (PetscInt i = 0; i < s->n; i++) {
    const MtPair r = s->r[i] - step * s->q[i];
    s->x[i] += step * s->u[i];
    s->r[i] = r;
    sum += r[0] * r[0] + r[1] * r[1];
  }
  *rr = sum;
  return add_ranks(s, rr);
}

/* x = p = 0, r = (1 + L)^-1 b/size, and r.r. */
static PetscErrorCode begin(MtInner *s, const float *factor, Vec b, double size, double *rr) {
  const PetscScalar *y;
  const MtPair zero = {0, 0};
  double sum = 0;
  PetscCall(VecGetArrayRead(b, &y));
  for (PetscInt i = 0; i < s->n; i++) {
    const double v[3] = {y[3 * i] / size, y[3 * i + 1] / size, y[3 * i + 2] / size};
    const MtPair r = to_frame(factor + 6 * i, wide3(v) - mt_inner_below(&s->rows, i, s->t));
    s->x[i] = s->p[i] = zero;
    s->r[i] = r;
    s->t[i] = to_space(factor + 6 * i, r);
    sum += r[0] * r[0] + r[1] * r[1];
  }
  PetscCall(VecRestoreArrayRead(b, &y));
  *rr = sum;
  return add_ranks(s, rr);
}

static PetscErrorCode put(const MtInner *s, const float *factor, double size, Vec y) {
  PetscScalar *z;
  PetscCall(VecGetArrayWrite(y, &z));
  for (PetscInt i = 0; i < s->n; i++) {
    const MtQuad x = to_space(factor + 6 * i, s->x[i]);
    for (int c = 0; c < 3; c++) z[3 * i + c] = size * x[c];
  }
  return VecRestoreArrayWrite(y, &z);
}

PetscErrorCode mt_inner_solve(MtInner *s, const MtInnerOperator *A, Vec b, const MtPrecondStop *stop, Vec y,
                              bool *definite, int64_t *its) {
  double rr, pq, next;
  float beta = 0;
  PetscReal size; /* brings b to 1: floats have few exponents */
  *definite = true;
  PetscCall(VecNorm(b, NORM_INFINITY, &size));
  if (size == 0) return VecSet(y, 0);
  PetscCall(begin(s, A->factor, b, size, &rr));
  const double goal = stop->rtol * stop->rtol * rr;
  for (int k = 0; k < stop->iterations && rr > goal; k++) {
    PetscCall(apply(s, A, beta, &pq));
    *definite = pq > 0;
    if (!*definite) break;
    PetscCall(advance(s, (float)(rr / pq), &next));
    beta = (float)(next / rr);
    rr = next;
    ++*its;
  }
  return put(s, A->factor, size, y);
}
