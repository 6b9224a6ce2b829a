/* Lifshitz invariants on linear tetrahedra: terms that are linear in the gradient of m.  With w = D grad + grad x p the
 * energy of an element is V/4 sum_ab m_a.(w_b x m_b), and its second derivative between nodes a and b the matrix of V/4
 * (w_b - w_a) x. */
#include "pattern.h"

static void element(const double coef[4], double grad[4][3], double w[4][3]) {
  const double *p = coef + 1;
  for (int b = 0; b < 4; b++)
    for (int c = 0; c < 3; c++) {
      const int d = (c + 1) % 3, e = (c + 2) % 3;
      w[b][c] = coef[0] * grad[b][c] + grad[b][d] * p[e] - grad[b][e] * p[d];
    }
}

/* The vector whose cross product each entry of the pattern is -> value [3 entries]. */
static void sum_vectors(const MtMesh *mesh, const double *coef, const double *used, const MtNumbering *n,
                        const MtPattern *p, PetscScalar *value) {
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    double grad[4][3], w[4][3], volume;
    if (used[t] == 0) continue;
    mt_fem_mesh_tet(mesh, t, grad, &volume);
    element(coef + 4 * t, grad, w);
    for (int a = 0; a < 4; a++)
      for (int b = 0; b < 4; b++) {
        const PetscInt r = n->local[mesh->tet[4 * t + a]], q = n->global[mesh->tet[4 * t + b]];
        if (r < 0 || q < 0) continue;
        PetscScalar *v = value + 3 * mt_pattern_find(p, r, q);
        for (int c = 0; c < 3; c++) v[c] += volume / 4 * (w[b][c] - w[a][c]);
      }
  }
}

/* Row c of the matrix of v x has the columns after and before c, with -v of the other and +v. */
static void row_of(const PetscScalar v[3], int c, PetscInt first, PetscInt col[2], PetscScalar value[2]) {
  const int d = (c + 1) % 3, e = (c + 2) % 3, swap = d > e;
  col[swap] = first + d;
  value[swap] = -v[e];
  col[!swap] = first + e;
  value[!swap] = v[d];
}

static PetscErrorCode to_matrix(MPI_Comm comm, const MtPattern *p, const PetscScalar *value, Mat *L) {
  PetscInt *start, *col;
  PetscScalar *v;
  PetscCall(PetscMalloc3(3 * p->n + 1, &start, 6 * p->start[p->n], &col, 6 * p->start[p->n], &v));
  start[0] = 0;
  for (PetscInt r = 0; r < p->n; r++)
    for (int c = 0; c < 3; c++) {
      PetscInt at = start[3 * r + c];
      for (PetscInt k = p->start[r]; k < p->start[r + 1]; k++, at += 2)
        row_of(value + 3 * k, c, 3 * p->col[k], col + at, v + at);
      start[3 * r + c + 1] = at;
    }
  PetscCall(mt_matrix_from_rows(comm, 3 * p->n, 3 * p->n, start, col, v, L));
  return PetscFree3(start, col, v);
}

PetscErrorCode mt_fem_lifshitz(const MtMesh *mesh, const MtNodes *nodes, const double *coef, Mat *L) {
  MtNumbering n;
  MtPattern p;
  PetscScalar *value;
  double *used;
  PetscCall(PetscMalloc1(mesh->nt_local, &used));
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    const double *c = coef + 4 * t;
    used[t] = c[0] != 0 || c[1] != 0 || c[2] != 0 || c[3] != 0;
  }
  PetscCall(mt_numbering_create(mesh, nodes, &n));
  PetscCall(mt_pattern_create(mesh, used, &n, &n, &p));
  PetscCall(PetscCalloc1(3 * p.start[p.n], &value));
  sum_vectors(mesh, coef, used, &n, &p, value);
  PetscCall(to_matrix(mesh->comm, &p, value, L));
  PetscCall(PetscFree(value));
  PetscCall(PetscFree(used));
  PetscCall(mt_pattern_destroy(&p));
  return mt_numbering_destroy(&n);
}
