/* The current against trapping: as dphi/dt passes, it carries to one side what a diffuse interface would else carry
 * along, J = A h (1 - h) (c1 - c0) l/(2 phi (1 - phi)) dphi/dt n, n = grad phi/|grad phi|.
 * Sources: A. Karma, Phys. Rev. Lett. 87 (2001) 115701; S. G. Kim, Acta Mater. 55 (2007) 4391; A by docs/numerics.md.
 */
#include "kks_impl.h"
#include <math.h>

PetscErrorCode mt_kks_trapping_create(MtKks *k) {
  const MtDomain *d = k->domain;
  if (k->model->rate > 0) return 0;
  PetscCall(mt_domain_matrix(k->domain, &k->T));
  PetscCall(MatSetOption(k->T, MAT_SYMMETRIC, PETSC_FALSE));
  PetscCall(MatSetOption(k->T, MAT_NO_OFF_PROC_ENTRIES, PETSC_TRUE));
  return VecCreateGhost(d->comm, d->n_owned, PETSC_DETERMINE, d->n_local - d->n_owned, d->row + d->n_owned,
                        &k->profile);
}

PetscErrorCode mt_kks_trapping_destroy(MtKks *k) {
  PetscCall(VecDestroy(&k->profile));
  return MatDestroy(&k->T);
}

/* J over dphi/dt at each owned node; h(1 - h)/(phi (1 - phi)) is a polynomial times h'. */
static PetscErrorCode strengths(MtKks *k, Vec phi) {
  const double part = mt_kks_uneven(&k->now, k->D) * sqrt(2 * k->model->kappa / k->model->well) / 60;
  const PetscScalar *s, *p;
  PetscScalar *a;
  PetscCall(VecGetArrayRead(k->coupling, &s));
  PetscCall(VecGetArrayRead(phi, &p));
  PetscCall(VecGetArray(k->spread, &a));
  for (PetscInt i = 0; i < k->domain->n_owned; i++)
    a[i] = -part * s[i] * (10 + p[i] * (6 * p[i] - 15)) * (1 + p[i] * (6 * p[i] + 3));
  PetscCall(VecRestoreArray(k->spread, &a));
  PetscCall(VecRestoreArrayRead(phi, &p));
  return VecRestoreArrayRead(k->coupling, &s);
}

static PetscErrorCode add_element(MtKks *k, PetscInt e, const PetscScalar *strength, const PetscScalar *phi) {
  const MtDomain *d = k->domain;
  const int n = d->dim + 1;
  const PetscInt *node = d->element + n * e;
  double x[4][3], grad[4][3], volume, slope[3] = {0}, mean = 0;
  PetscScalar value[16];
  PetscInt row[4], column[4];
  mt_domain_corners(d, e, x);
  mt_simplex(d->dim, (const double(*)[3])x, grad, &volume);
  for (int i = 0; i < n; i++) {
    mean += strength[node[i]] / n;
    for (int c = 0; c < 3; c++) slope[c] += phi[node[i]] * grad[i][c];
    column[i] = d->row[node[i]];
    row[i] = node[i] < d->n_owned ? column[i] : -1; /* left out: its owner sums it */
  }
  const double size = sqrt(slope[0] * slope[0] + slope[1] * slope[1] + slope[2] * slope[2]);
  const double flow = mean != 0 && size > 0 ? volume * mean / (n * size) : 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      value[n * i + j] = flow * (grad[i][0] * slope[0] + grad[i][1] * slope[1] + grad[i][2] * slope[2]);
  return MatSetValues(k->T, n, row, n, column, value, ADD_VALUES);
}

static PetscErrorCode to_ghosts(Vec v, Vec *local, const PetscScalar **a) {
  PetscCall(VecGhostUpdateBegin(v, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(v, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(v, local));
  return VecGetArrayRead(*local, a);
}

static PetscErrorCode restore(Vec v, Vec *local, const PetscScalar **a) {
  PetscCall(VecRestoreArrayRead(*local, a));
  return VecGhostRestoreLocalForm(v, local);
}

PetscErrorCode mt_kks_trapping(MtKks *k, Vec phi) {
  const PetscScalar *strength, *p;
  Vec local[2];
  if (!k->T) return 0;
  PetscCall(strengths(k, phi));
  PetscCall(VecCopy(phi, k->profile));
  PetscCall(to_ghosts(k->spread, &local[0], &strength));
  PetscCall(to_ghosts(k->profile, &local[1], &p));
  PetscCall(MatZeroEntries(k->T));
  for (PetscInt e = 0; e < k->domain->ne; e++) PetscCall(add_element(k, e, strength, p));
  PetscCall(restore(k->profile, &local[1], &p));
  PetscCall(restore(k->spread, &local[0], &strength));
  PetscCall(MatAssemblyBegin(k->T, MAT_FINAL_ASSEMBLY));
  return MatAssemblyEnd(k->T, MAT_FINAL_ASSEMBLY);
}

PetscErrorCode mt_kks_trapping_add(MtKks *k, double factor, Vec x, Vec y) {
  if (!k->T) return 0;
  PetscCall(MatMult(k->T, x, k->work));
  return VecAXPY(y, factor, k->work);
}
