/* Conjugate gradients in single precision; sums over nodes in double. */
#include "inner.h"
#include "inner_rows.h"

struct MtInner {
  const MtEnergy *energy;
  MtInnerRows rows;
  PetscInt n;
  MtQuad *r, *p, *q, *y;
  Vec wide, more; /* p, and the other couplings' product, in double precision; NULL where exchange is all there is */
};

PetscErrorCode mt_inner_create(const MtEnergy *e, MtInner **inner) {
  MtInner *s;
  PetscCall(PetscNew(&s));
  s->energy = e;
  s->n = e->n;
  PetscCall(mt_inner_rows_create(e->exchange, &s->rows));
  PetscCall(PetscCalloc4(s->n, &s->r, s->n, &s->p, s->n, &s->q, s->n, &s->y));
  if (mt_energy_has_more_couplings(e)) {
    PetscCall(mt_energy_create_vec(e, &s->wide));
    PetscCall(VecDuplicate(s->wide, &s->more));
  }
  *inner = s;
  return 0;
}

PetscErrorCode mt_inner_destroy(MtInner **inner) {
  MtInner *s = *inner;
  if (!s) return 0;
  PetscCall(mt_inner_rows_destroy(&s->rows));
  PetscCall(PetscFree4(s->r, s->p, s->q, s->y));
  PetscCall(VecDestroy(&s->wide));
  PetscCall(VecDestroy(&s->more));
  return PetscFree(*inner);
}

static inline float dot(MtQuad a, MtQuad b) {
  const MtQuad c = a * b;
  return c[0] + c[1] + c[2];
}

/* The symmetric tensor s = {xx, xy, xz, yy, yz, zz} times v. */
static inline MtQuad tensor(const float s[6], MtQuad v) {
  const MtQuad x = {s[0], s[1], s[2], 0}, y = {s[1], s[3], s[4], 0}, z = {s[2], s[4], s[5], 0};
  return v[0] * x + v[1] * y + v[2] * z;
}

/* q_i = tangent part of the couplings' w + block p_i; returns p_i.q_i. */
static inline double close_row(MtInner *s, const float *block, const double *m, PetscInt i, MtQuad w) {
  const MtQuad n = {(float)m[3 * i], (float)m[3 * i + 1], (float)m[3 * i + 2], 0}, p = s->p[i];
  w += tensor(block + 6 * i, p) - dot(n, w) * n;
  s->q[i] = w;
  return dot(p, w);
}

/* q = (exchange + block) p and this rank's part of p.q; rows that wait for other ranks come last. */
static PetscErrorCode exchange_and_block(MtInner *s, const float *block, const double *m, double *pq) {
  MtInnerRows *r = &s->rows;
  double sum = 0;
  PetscCall(mt_inner_rows_begin(r, s->p));
  for (PetscInt i = 0; i < s->n; i++)
    if (!mt_inner_at_edge(r, i)) sum += close_row(s, block, m, i, mt_inner_row(&r->own, i, s->p));
  PetscCall(mt_inner_rows_end(r, s->p));
  for (PetscInt k = 0; k < r->nedge; k++) {
    const PetscInt i = r->edge[k];
    sum += close_row(s, block, m, i, mt_inner_row(&r->own, i, s->p) + mt_inner_row(&r->other, i, r->ghost));
  }
  *pq = sum;
  return 0;
}

/* Adds the couplings that few runs have, which are kept in double precision. */
static PetscErrorCode add_more(MtInner *s, const double *m, double *pq) {
  PetscScalar *wide;
  const PetscScalar *more;
  if (!s->wide) return 0;
  PetscCall(VecGetArrayWrite(s->wide, &wide));
  for (PetscInt i = 0; i < s->n; i++)
    for (int c = 0; c < 3; c++) wide[3 * i + c] = s->p[i][c];
  PetscCall(VecRestoreArrayWrite(s->wide, &wide));
  PetscCall(VecSet(s->more, 0));
  PetscCall(mt_energy_more_couplings(s->energy, s->wide, s->more));
  PetscCall(VecGetArrayRead(s->more, &more));
  for (PetscInt i = 0; i < s->n; i++) {
    const MtQuad n = {(float)m[3 * i], (float)m[3 * i + 1], (float)m[3 * i + 2], 0};
    MtQuad w = {(float)more[3 * i], (float)more[3 * i + 1], (float)more[3 * i + 2], 0};
    w -= dot(n, w) * n;
    s->q[i] += w;
    *pq += dot(s->p[i], w);
  }
  return VecRestoreArrayRead(s->more, &more);
}

static PetscErrorCode add_ranks(const MtInner *s, double *sum) {
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 1, MPI_DOUBLE, MPI_SUM, s->energy->mesh->comm));
  return 0;
}

/* Adds the ridge to q and to this rank's part of p.q. */
static PetscErrorCode add_ridge(MtInner *s, const MtInnerOperator *A, double *pq) {
  const PetscScalar *x;
  double local = 0, along;
  if (!A->ridge) return 0;
  PetscCall(VecGetArrayRead(A->ridge, &x));
  for (PetscInt i = 0; i < s->n; i++)
    for (int c = 0; c < 3; c++) local += x[3 * i + c] * s->p[i][c];
  along = local;
  PetscCall(add_ranks(s, &along));
  for (PetscInt i = 0; i < s->n; i++)
    for (int c = 0; c < 3; c++) s->q[i][c] += (float)(A->steepness * along * x[3 * i + c]);
  *pq += A->steepness * along * local;
  return VecRestoreArrayRead(A->ridge, &x);
}

/* q = A p and p.q of all ranks. */
static PetscErrorCode apply(MtInner *s, const MtInnerOperator *A, double *pq) {
  const PetscScalar *m;
  PetscCall(VecGetArrayRead(A->m, &m));
  PetscCall(exchange_and_block(s, A->block, m, pq));
  PetscCall(add_more(s, m, pq));
  PetscCall(VecRestoreArrayRead(A->m, &m));
  PetscCall(add_ridge(s, A, pq));
  return add_ranks(s, pq);
}

/* y += step p, r -= step q, and r.z of all ranks with z = (blocks of the diagonal)^-1 r: one pass over the vectors. */
static PetscErrorCode advance(MtInner *s, const float *jacobi, float step, double *rz) {
  double sum = 0;
  for (PetscInt i = 0; i < s->n; i++) {
    s->y[i] += step * s->p[i];
    s->r[i] -= step * s->q[i];
    sum += dot(s->r[i], tensor(jacobi + 6 * i, s->r[i]));
  }
  *rz = sum;
  return add_ranks(s, rz);
}

/* p = z + beta p; z is made again, which costs no more than keeping it. */
static void next_direction(MtInner *s, const float *jacobi, float beta) {
  for (PetscInt i = 0; i < s->n; i++) s->p[i] = tensor(jacobi + 6 * i, s->r[i]) + beta * s->p[i];
}

/* y = 0, r = b/size, p = z and r.z. */
static PetscErrorCode begin(MtInner *s, const float *jacobi, Vec b, double size, double *rz) {
  const PetscScalar *x;
  PetscCall(VecGetArrayRead(b, &x));
  for (PetscInt i = 0; i < s->n; i++) {
    s->y[i] = s->p[i] = s->q[i] = (MtQuad){0, 0, 0, 0};
    for (int c = 0; c < 3; c++) s->r[i][c] = (float)(x[3 * i + c] / size);
  }
  PetscCall(VecRestoreArrayRead(b, &x));
  PetscCall(advance(s, jacobi, 0, rz));
  next_direction(s, jacobi, 0);
  return 0;
}

static PetscErrorCode put(const MtInner *s, double size, Vec y) {
  PetscScalar *x;
  PetscCall(VecGetArrayWrite(y, &x));
  for (PetscInt i = 0; i < s->n; i++)
    for (int c = 0; c < 3; c++) x[3 * i + c] = size * s->y[i][c];
  return VecRestoreArrayWrite(y, &x);
}

PetscErrorCode mt_inner_solve(MtInner *s, const MtInnerOperator *A, Vec b, const MtPrecondStop *stop, Vec y,
                              bool *definite, int64_t *its) {
  double rz, pq, next;
  PetscReal size; /* brings b to 1: floats have few exponents */
  *definite = true;
  PetscCall(VecNorm(b, NORM_INFINITY, &size));
  if (size == 0) return VecSet(y, 0);
  PetscCall(begin(s, A->jacobi, b, size, &rz));
  const double goal = stop->rtol * stop->rtol * rz;
  for (int k = 0; k < stop->iterations && rz > goal; k++) {
    PetscCall(apply(s, A, &pq));
    *definite = pq > 0;
    if (!*definite) break;
    PetscCall(advance(s, A->jacobi, (float)(rz / pq), &next));
    next_direction(s, A->jacobi, (float)(next / rz));
    rz = next;
    ++*its;
  }
  return put(s, size, y);
}
