/* A cut-out of a larger sample.  The charges on the walls of a cut-out are not there in the sample: their field, on the
 * average -N_body <J>, is replaced by that of the sample's walls, -N_sample <J>, with a uniform field (N_body -
 * N_sample) <J> and its energy -V/(2 mu0) <J>.(N_body - N_sample) <J>.  N_sample = 0 is a magnet in a closed circuit.
 * The field is right on the average; near the walls it is not.
 *
 * N_body is that of the meshed body, uniformly polarized, in the mesh's own discretization: its energy is N J^2 V/(2
 * mu0). */
#include "energy_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include <math.h>

static const double RTOL = 1e-9; /* of the three potentials */

static PetscErrorCode body_nodes(const MtMesh *mesh, double *one, MtNodes **nodes) {
  double *mark;
  bool *member;
  PetscCall(PetscCalloc1(mesh->nv_local, &mark));
  PetscCall(PetscMalloc1(mesh->nv_local, &member));
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    one[t] = mesh->regions.kind[mesh->region[t]] != MT_REGION_AIR;
    for (int a = 0; one[t] > 0 && a < 4; a++) mark[mesh->tet[4 * t + a]] = 1;
  }
  PetscCall(mt_mesh_ghosts(mesh, 1, mark));
  for (PetscInt i = 0; i < mesh->nv_local; i++) member[i] = mark[i] > 0;
  PetscCall(mt_nodes_create(mesh, member, nodes));
  PetscCall(PetscFree(member));
  return PetscFree(mark);
}

/* Row c of the tensor: the mean field of the body polarized along axis c. */
static PetscErrorCode row_of(MtEnergy *e, Mat D, Mat G, Vec v, Vec field, int c, double row[3]) {
  PetscScalar *x;
  const PetscScalar *y;
  PetscInt n, its;
  double local[3] = {0, 0, 0};
  Vec u;
  PetscCall(VecGetLocalSize(v, &n));
  PetscCall(VecGetArray(v, &x));
  for (PetscInt i = 0; i < n; i++) x[i] = i % 3 == c;
  PetscCall(VecRestoreArray(v, &x));
  PetscCall(VecDuplicate(e->b, &u));
  PetscCall(VecZeroEntries(u));
  PetscCall(MatMult(D, v, e->b));
  PetscCall(mt_poisson_solve(e->poisson, e->b, u, RTOL, 0, &its));
  PetscCall(MatMult(G, u, field));
  PetscCall(VecGetArrayRead(field, &y));
  for (PetscInt i = 0; i < n; i++) local[i % 3] += y[i];
  PetscCall(VecRestoreArrayRead(field, &y));
  PetscCall(VecDestroy(&u));
  PetscCallMPI(MPI_Allreduce(local, row, 3, MPI_DOUBLE, MPI_SUM, e->mesh->comm));
  for (int a = 0; a < 3; a++) row[a] /= e->volume;
  return 0;
}

PetscErrorCode mt_energy_body_factors(MtEnergy *e, double N[6]) {
  double *one, full[3][3];
  MtNodes *nodes;
  Mat D, G;
  Vec v, field;
  if (!e->poisson) return mt_error(MT_ERR_INPUT, "demagnetizing factors need the demagnetizing field");
  PetscCall(PetscMalloc1(e->mesh->nt_local, &one));
  PetscCall(body_nodes(e->mesh, one, &nodes));
  PetscCall(mt_fem_divergence(e->mesh, nodes, one, &D, &G));
  PetscCall(MatCreateVecs(D, &v, NULL));
  PetscCall(VecDuplicate(v, &field));
  for (int c = 0; c < 3; c++) PetscCall(row_of(e, D, G, v, field, c, full[c]));
  for (int a = 0, k = 0; a < 3; a++)
    for (int b = a; b < 3; b++) N[k++] = .5 * (full[a][b] + full[b][a]);
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&field));
  PetscCall(MatDestroy(&D));
  PetscCall(MatDestroy(&G));
  PetscCall(mt_nodes_destroy(&nodes));
  return PetscFree(one);
}

PetscErrorCode mt_energy_embed(MtEnergy *e, const double body[6], const double sample[6]) {
  double *d = e->mean;
  for (int k = 0; k < 6; k++) d[k] = body[k] - sample[k];
  /* largest eigenvalue, from above */
  double most = fmax(d[0] + fabs(d[1]) + fabs(d[2]), d[3] + fabs(d[1]) + fabs(d[4]));
  most = fmax(most, d[5] + fabs(d[2]) + fabs(d[4]));
  e->mean_stiffness = fmax(0, most) * mt_energy_saturation(e);
  e->embedded = true;
  return 0;
}

PetscErrorCode mt_energy_mean_field(MtEnergy *e, Vec v, double *E, Vec g) {
  const PetscScalar *x;
  PetscScalar *y;
  double local[3] = {0, 0, 0}, mean[3], field[3];
  if (!e->embedded) return 0;
  PetscCall(VecGetArrayRead(v, &x));
  for (PetscInt i = 0; i < e->n; i++)
    for (int c = 0; c < 3; c++) local[c] += e->moment[i] * x[3 * i + c];
  PetscCall(VecRestoreArrayRead(v, &x));
  PetscCallMPI(MPI_Allreduce(local, mean, 3, MPI_DOUBLE, MPI_SUM, e->mesh->comm));
  for (int c = 0; c < 3; c++) mean[c] /= e->volume;
  mt_symmetric3(e->mean, mean, field);
  PetscCall(VecGetArray(g, &y));
  for (PetscInt i = 0; i < e->n; i++)
    for (int c = 0; c < 3; c++) y[3 * i + c] -= e->moment[i] / MT_MU0 * field[c];
  PetscCall(VecRestoreArray(g, &y));
  *E -= .5 * mt_dot3(local, field) / MT_MU0;
  return 0;
}
