/* Sets the energy up on a mesh: which nodes are magnetic, their weights, the matrices of exchange and demagnetization,
 * and what the other files of the energy set up. */
#include "energy_impl.h"
#include "magtwin/error.h"

/* Coefficient of each local tet from its material. */
static void per_tet(const MtEnergy *e, const MtMaterial *material, double (*value)(const MtMaterial *), double *coef) {
  MtMaterial own;
  for (PetscInt t = 0; t < e->mesh->nt_local; t++)
    coef[t] = value(mt_composition_at(e->composition, e->mesh, material, t, &own));
}
static double polarization(const MtMaterial *m) {
  return m->Js;
}
/* Exchange acts only where there is magnetization: a nonmagnetic layer decouples its sides. */
static double exchange(const MtMaterial *m) {
  return m->Js > 0 ? 2 * m->A * MT_PER_NM2 : 0;
}

/* Nodes of tets with Js > 0.  A rank sees every tet of the nodes it owns; the owner's flag is the right one for ghosts.
 */
static PetscErrorCode magnetic_nodes(const MtMesh *mesh, const double *Js, MtNodes **nodes) {
  double *mark;
  bool *member;
  PetscCall(PetscCalloc1(mesh->nv_local, &mark));
  PetscCall(PetscMalloc1(mesh->nv_local, &member));
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    for (int a = 0; a < 4; a++)
      if (Js[t] > 0) mark[mesh->tet[4 * t + a]] = 1;
  PetscCall(mt_mesh_ghosts(mesh, 1, mark));
  for (PetscInt i = 0; i < mesh->nv_local; i++) member[i] = mark[i] > 0;
  PetscCall(mt_nodes_create(mesh, member, nodes));
  PetscCall(PetscFree(member));
  PetscCall(PetscFree(mark));
  return 0;
}

static PetscErrorCode exchange_setup(MtEnergy *e, const double *coef) {
  Vec diagonal;
  const PetscScalar *d;
  PetscCall(mt_fem_stiffness(e->mesh, e->nodes, coef, &e->exchange));
  PetscCall(mt_fem_threefold(e->exchange, &e->exchange3));
  PetscCall(MatCreateVecs(e->exchange, &diagonal, NULL));
  PetscCall(MatGetDiagonal(e->exchange, diagonal));
  PetscCall(PetscMalloc1(e->n, &e->exchange_diagonal));
  PetscCall(VecGetArrayRead(diagonal, &d));
  PetscCall(PetscArraycpy(e->exchange_diagonal, d, e->n));
  PetscCall(VecRestoreArrayRead(diagonal, &d));
  PetscCall(VecDestroy(&diagonal));
  return 0;
}

static PetscErrorCode demag_setup(MtEnergy *e, const double *Js, int modes) {
  if (modes < 0) return 0;
  if (!(e->mesh->sphere[3] > 0))
    return mt_error(MT_ERR_INPUT,
                    "the demagnetizing field needs air around the magnet that ends on a sphere; this mesh has none");
  PetscCall(mt_poisson_create(e->mesh, modes, &e->poisson));
  PetscCall(mt_fem_divergence(e->mesh, e->nodes, Js, &e->D, &e->G));
  PetscCall(mt_poisson_create_vec(e->poisson, &e->u));
  PetscCall(VecDuplicate(e->u, &e->b));
  PetscCall(VecSet(e->u, 0));
  return 0;
}

static PetscErrorCode totals(MtEnergy *e) {
  double sum = 0;
  for (PetscInt i = 0; i < e->n; i++) sum += e->moment[i];
  PetscCallMPI(MPI_Allreduce(&sum, &e->moment_sum, 1, MPI_DOUBLE, MPI_SUM, e->mesh->comm));
  const MtRegions *r = &e->mesh->regions;
  for (int i = 0; i < r->n; i++)
    if (r->kind[i] != MT_REGION_AIR) e->volume += r->volume[i];
  return 0;
}

static PetscErrorCode setup(MtEnergy *e, const MtMaterial *material, int modes, const MtEnergyExtras *extras) {
  double *Js, *A;
  PetscCall(PetscMalloc2(e->mesh->nt_local, &Js, e->mesh->nt_local, &A));
  per_tet(e, material, polarization, Js);
  per_tet(e, material, exchange, A);
  PetscCall(magnetic_nodes(e->mesh, Js, &e->nodes));
  if (!e->nodes->n_global) return mt_error(MT_ERR_INPUT, "no region of the mesh has a magnetic material");
  e->n = e->nodes->n_owned;
  PetscCall(PetscMalloc1(e->n, &e->moment));
  PetscCall(mt_fem_lumped(e->mesh, e->nodes, Js, e->moment));
  PetscCall(totals(e));
  PetscCall(exchange_setup(e, A));
  PetscCall(mt_energy_setup_anisotropy(e, material, extras->exact));
  PetscCall(mt_energy_setup_more(e, material, extras));
  PetscCall(demag_setup(e, Js, modes));
  PetscCall(mt_energy_create_vec(e, &e->work));
  PetscCall(PetscFree2(Js, A));
  return 0;
}

PetscErrorCode mt_energy_create_with(const MtMesh *mesh, const MtMaterial *material, int demag_modes,
                                     const MtEnergyExtras *extras, MtEnergy **energy) {
  MtEnergy *e;
  PetscCall(PetscNew(&e));
  e->mesh = mesh;
  e->composition = extras->composition;
  *energy = e;
  return setup(e, material, demag_modes, extras);
}

PetscErrorCode mt_energy_create(const MtMesh *mesh, const MtMaterial *material, int demag_modes, MtEnergy **energy) {
  const MtEnergyExtras none = {0};
  return mt_energy_create_with(mesh, material, demag_modes, &none, energy);
}

PetscErrorCode mt_energy_destroy(MtEnergy **energy) {
  MtEnergy *e = *energy;
  if (!e) return 0;
  if (e->poisson) PetscCall(mt_poisson_destroy(&e->poisson));
  PetscCall(MatDestroy(&e->D));
  PetscCall(MatDestroy(&e->G));
  PetscCall(MatDestroy(&e->exchange3));
  PetscCall(MatDestroy(&e->exchange));
  PetscCall(VecDestroy(&e->b));
  PetscCall(VecDestroy(&e->u));
  PetscCall(VecDestroy(&e->work));
  PetscCall(PetscFree(e->moment));
  PetscCall(PetscFree(e->exchange_diagonal));
  PetscCall(mt_energy_free_anisotropy(e));
  PetscCall(mt_energy_free_more(e));
  mt_composition_free(&e->composition);
  if (e->nodes) PetscCall(mt_nodes_destroy(&e->nodes));
  PetscCall(PetscFree(e));
  *energy = NULL;
  return 0;
}

const MtComposition *mt_energy_composition(const MtEnergy *e) {
  return e->composition;
}

const MtNodes *mt_energy_nodes(const MtEnergy *e) {
  return e->nodes;
}

PetscErrorCode mt_energy_create_vec(const MtEnergy *e, Vec *m) {
  PetscCall(VecCreate(e->mesh->comm, m));
  PetscCall(VecSetSizes(*m, 3 * e->n, PETSC_DETERMINE));
  PetscCall(VecSetBlockSize(*m, 3));
  PetscCall(VecSetType(*m, VECSTANDARD));
  return 0;
}
