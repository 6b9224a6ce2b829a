/* Stiffness and lumped weights of a domain: each rank sums its own rows, in the order of its elements. */
#include "magtwin/phasefield.h"

typedef struct {
  PetscInt *start, *list; /* elements at each owned node: list[start[i] .. start[i + 1]) */
} Around;

static PetscErrorCode elements_around(const MtDomain *d, Around *a) {
  const PetscInt n = (d->dim + 1) * d->ne;
  PetscInt *next;
  PetscCall(PetscCalloc1(d->n_owned + 1, &a->start));
  for (PetscInt i = 0; i < n; i++)
    if (d->element[i] < d->n_owned) a->start[d->element[i] + 1]++;
  for (PetscInt i = 0; i < d->n_owned; i++) a->start[i + 1] += a->start[i];
  PetscCall(PetscMalloc1(a->start[d->n_owned], &a->list));
  PetscCall(PetscMalloc1(d->n_owned, &next));
  PetscCall(PetscArraycpy(next, a->start, d->n_owned));
  for (PetscInt i = 0; i < n; i++)
    if (d->element[i] < d->n_owned) a->list[next[d->element[i]]++] = i / (d->dim + 1);
  return PetscFree(next);
}

/* Entries of each owned row in columns of this rank and of others. */
static PetscErrorCode count_entries(const MtDomain *d, const Around *a, PetscInt *diagonal, PetscInt *other) {
  PetscInt most = 0, *column;
  for (PetscInt i = 0; i < d->n_owned; i++) most = PetscMax(most, a->start[i + 1] - a->start[i]);
  PetscCall(PetscMalloc1((d->dim + 1) * most + 1, &column));
  for (PetscInt i = 0; i < d->n_owned; i++) {
    PetscInt n = 0;
    for (PetscInt j = a->start[i]; j < a->start[i + 1]; j++)
      for (int k = 0; k <= d->dim; k++) column[n++] = d->element[(d->dim + 1) * a->list[j] + k];
    PetscCall(PetscSortRemoveDupsInt(&n, column));
    diagonal[i] = other[i] = 0;
    for (PetscInt j = 0; j < n; j++) *(column[j] < d->n_owned ? &diagonal[i] : &other[i]) += 1;
  }
  return PetscFree(column);
}

PetscErrorCode mt_domain_entries(const MtDomain *d, PetscInt *diagonal, PetscInt *other) {
  Around a;
  PetscCall(elements_around(d, &a));
  PetscCall(count_entries(d, &a, diagonal, other));
  PetscCall(PetscFree(a.start));
  return PetscFree(a.list);
}

static PetscErrorCode allocate(const MtDomain *d, Mat *K) {
  PetscInt *diagonal, *other;
  PetscCall(PetscMalloc2(d->n_owned, &diagonal, d->n_owned, &other));
  PetscCall(mt_domain_entries(d, diagonal, other));
  PetscCall(MatCreateAIJ(d->comm, d->n_owned, d->n_owned, PETSC_DETERMINE, PETSC_DETERMINE, 0, diagonal, 0, other, K));
  PetscCall(PetscFree2(diagonal, other));
  PetscCall(MatSetOption(*K, MAT_NO_OFF_PROC_ENTRIES, PETSC_TRUE));
  return MatSetOption(*K, MAT_SYMMETRIC, PETSC_TRUE);
}

/* g.h, and exactly 0 where faces are perpendicular but for rounding. */
static double coupling(const double g[3], const double h[3]) {
  const double gh = g[0] * h[0] + g[1] * h[1] + g[2] * h[2], gg = g[0] * g[0] + g[1] * g[1] + g[2] * g[2],
               hh = h[0] * h[0] + h[1] * h[1] + h[2] * h[2];
  return gh * gh > 1e-26 * gg * hh ? gh : 0;
}

/* factor times the element's matrix, and its weights where w is wanted.  Pairs that do not couple in any element, as
 * the diagonals of a box, get no entry: in a box of tetrahedra 7 of 15 are left. */
static PetscErrorCode add_element(const MtDomain *d, PetscInt e, double factor, Mat K, PetscScalar *w) {
  const int n = d->dim + 1;
  const PetscInt *node = d->element + n * e;
  double x[4][3], grad[4][3], volume;
  mt_domain_corners(d, e, x);
  mt_simplex(d->dim, (const double(*)[3])x, grad, &volume);
  for (int i = 0; i < n; i++) {
    PetscScalar value[4];
    PetscInt column[4], m = 0;
    if (node[i] >= d->n_owned) continue; /* its owner sums it */
    if (w) w[node[i]] += volume / n;
    for (int j = 0; j < n; j++) {
      const double gradients = coupling(grad[i], grad[j]);
      if (gradients == 0) continue;
      column[m] = d->row[node[j]];
      value[m++] = factor * volume * gradients;
    }
    PetscCall(MatSetValues(K, 1, &d->row[node[i]], m, column, value, ADD_VALUES));
  }
  return 0;
}

PetscErrorCode mt_domain_operators(const MtDomain *d, Mat *K, Vec *w) {
  PetscScalar *a;
  PetscCall(allocate(d, K));
  PetscCall(MatCreateVecs(*K, w, NULL));
  PetscCall(VecZeroEntries(*w));
  PetscCall(VecGetArray(*w, &a));
  for (PetscInt e = 0; e < d->ne; e++) PetscCall(add_element(d, e, 1, *K, a));
  PetscCall(VecRestoreArray(*w, &a));
  PetscCall(MatAssemblyBegin(*K, MAT_FINAL_ASSEMBLY));
  return MatAssemblyEnd(*K, MAT_FINAL_ASSEMBLY);
}

PetscErrorCode mt_domain_stiffness(const MtDomain *d, const bool *part, Mat *K) {
  PetscCall(allocate(d, K));
  for (PetscInt e = 0; e < d->ne; e++) PetscCall(add_element(d, e, part[e] ? 1 : 0, *K, NULL));
  PetscCall(MatAssemblyBegin(*K, MAT_FINAL_ASSEMBLY));
  return MatAssemblyEnd(*K, MAT_FINAL_ASSEMBLY);
}

PetscErrorCode mt_domain_stiffness_set(const MtDomain *d, const double *factor, Mat K) {
  PetscCall(MatZeroEntries(K));
  for (PetscInt e = 0; e < d->ne; e++) PetscCall(add_element(d, e, factor[e], K, NULL));
  PetscCall(MatAssemblyBegin(K, MAT_FINAL_ASSEMBLY));
  return MatAssemblyEnd(K, MAT_FINAL_ASSEMBLY);
}

PetscErrorCode mt_domain_matrix(const MtDomain *d, Mat *A) {
  const int n = d->dim + 1;
  const PetscScalar zero[16] = {0};
  PetscCall(allocate(d, A));
  for (PetscInt e = 0; e < d->ne; e++) {
    const PetscInt *node = d->element + n * e;
    PetscInt row[4], column[4];
    for (int i = 0; i < n; i++) {
      column[i] = d->row[node[i]];
      row[i] = node[i] < d->n_owned ? column[i] : -1; /* left out: its owner's */
    }
    PetscCall(MatSetValues(*A, n, row, n, column, zero, ADD_VALUES));
  }
  PetscCall(MatAssemblyBegin(*A, MAT_FINAL_ASSEMBLY));
  return MatAssemblyEnd(*A, MAT_FINAL_ASSEMBLY);
}
