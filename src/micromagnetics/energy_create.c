/* Sets the energy up on a mesh: which nodes are magnetic, their weights, the matrices of exchange and demagnetization,
 * and the list of easy axes at each node (several where grains touch). */
#include "energy_impl.h"
#include "magtwin/error.h"

/* Coefficient of each local tet from the material of its region. */
static void per_tet(const MtMesh *mesh, const MtMaterial *material, double (*value)(const MtMaterial *), double *coef) {
  for (PetscInt t = 0; t < mesh->nt_local; t++) coef[t] = value(&material[mesh->region[t]]);
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

/* Grain whose axis an element of the region uses, -1 where it has no anisotropy. */
static int32_t axis_of_region(const MtRegions *r, const MtMaterial *material, int32_t region) {
  const MtMaterial *m = &material[region];
  return m->Js > 0 && (m->K1 != 0 || m->K2 != 0) ? r->grains[4 * region] : -1;
}

typedef struct {
  int32_t *grain; /* [capacity of each node's slots] */
  double *K1, *K2;
  PetscInt *start, *count; /* slots of node i: start[i] .. start[i] + count[i] */
} Slots;

/* Adds weights to the slot of (node, grain), a new one at the end if there is none. */
static void slot_add(Slots *s, PetscInt node, int32_t grain, double K1, double K2) {
  PetscInt a = s->start[node], end = a + s->count[node];
  while (a < end && s->grain[a] != grain) a++;
  if (a == end) {
    s->count[node]++;
    s->grain[a] = grain;
    s->K1[a] = s->K2[a] = 0;
  }
  s->K1[a] += K1;
  s->K2[a] += K2;
}

/* Upper bound of a node's slots: its number of elements with anisotropy. */
static PetscErrorCode slots_create(MtEnergy *e, const MtMaterial *material, Slots *s) {
  const MtMesh *mesh = e->mesh;
  PetscCall(PetscCalloc2(e->n + 1, &s->start, e->n, &s->count));
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    if (axis_of_region(&mesh->regions, material, mesh->region[t]) < 0) continue;
    for (int a = 0; a < 4; a++) {
      PetscInt i = e->nodes->index[mesh->tet[4 * t + a]];
      if (i >= 0 && i < e->n) s->start[i + 1]++;
    }
  }
  for (PetscInt i = 0; i < e->n; i++) s->start[i + 1] += s->start[i];
  PetscCall(PetscMalloc3(s->start[e->n], &s->grain, s->start[e->n], &s->K1, s->start[e->n], &s->K2));
  return 0;
}

static void slots_fill(MtEnergy *e, const MtMaterial *material, Slots *s) {
  const MtMesh *mesh = e->mesh;
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    int32_t grain = axis_of_region(&mesh->regions, material, mesh->region[t]);
    if (grain < 0) continue;
    const MtMaterial *m = &material[mesh->region[t]];
    double x[4][3], grad[4][3], volume;
    for (int a = 0; a < 4; a++)
      for (int c = 0; c < 3; c++) x[a][c] = mesh->x[3 * mesh->tet[4 * t + a] + c];
    mt_fem_tet((const double(*)[3])x, grad, &volume);
    for (int a = 0; a < 4; a++) {
      PetscInt i = e->nodes->index[mesh->tet[4 * t + a]];
      if (i >= 0 && i < e->n) slot_add(s, i, grain, m->K1 * volume / 4, m->K2 * volume / 4);
    }
  }
}

/* Slots -> the compact list of the energy. */
static PetscErrorCode slots_pack(MtEnergy *e, const Slots *s) {
  PetscInt total = 0;
  PetscCall(PetscMalloc1(e->n + 1, &e->axis_start));
  for (PetscInt i = 0; i < e->n; i++) {
    e->axis_start[i] = total;
    total += s->count[i];
  }
  e->axis_start[e->n] = total;
  PetscCall(PetscMalloc1(3 * total, &e->axis));
  PetscCall(PetscMalloc1(total, &e->K1));
  PetscCall(PetscMalloc1(total, &e->K2));
  for (PetscInt i = 0; i < e->n; i++)
    for (PetscInt j = 0; j < s->count[i]; j++) {
      PetscInt to = e->axis_start[i] + j, from = s->start[i] + j;
      for (int c = 0; c < 3; c++) e->axis[3 * to + c] = e->mesh->regions.axis[3 * s->grain[from] + c];
      e->K1[to] = s->K1[from];
      e->K2[to] = s->K2[from];
    }
  return 0;
}

static PetscErrorCode anisotropy_setup(MtEnergy *e, const MtMaterial *material) {
  Slots s;
  PetscCall(slots_create(e, material, &s));
  slots_fill(e, material, &s);
  PetscCall(slots_pack(e, &s));
  PetscCall(PetscFree3(s.grain, s.K1, s.K2));
  PetscCall(PetscFree2(s.start, s.count));
  return 0;
}

static PetscErrorCode exchange_setup(MtEnergy *e, const double *coef) {
  Vec diagonal;
  const PetscScalar *d;
  PetscCall(mt_fem_stiffness(e->mesh, e->nodes, coef, &e->exchange));
  PetscCall(MatCreateMAIJ(e->exchange, 3, &e->exchange3));
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
  PetscCall(VecDuplicate(e->u, &e->Au));
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

static PetscErrorCode setup(MtEnergy *e, const MtMaterial *material, int modes) {
  double *Js, *A;
  PetscCall(PetscMalloc2(e->mesh->nt_local, &Js, e->mesh->nt_local, &A));
  per_tet(e->mesh, material, polarization, Js);
  per_tet(e->mesh, material, exchange, A);
  PetscCall(magnetic_nodes(e->mesh, Js, &e->nodes));
  if (!e->nodes->n_global) return mt_error(MT_ERR_INPUT, "no region of the mesh has a magnetic material");
  e->n = e->nodes->n_owned;
  PetscCall(PetscMalloc1(e->n, &e->moment));
  PetscCall(mt_fem_lumped(e->mesh, e->nodes, Js, e->moment));
  PetscCall(totals(e));
  PetscCall(exchange_setup(e, A));
  PetscCall(anisotropy_setup(e, material));
  PetscCall(demag_setup(e, Js, modes));
  PetscCall(mt_energy_create_vec(e, &e->work));
  PetscCall(PetscFree2(Js, A));
  return 0;
}

PetscErrorCode mt_energy_create(const MtMesh *mesh, const MtMaterial *material, int demag_modes, MtEnergy **energy) {
  MtEnergy *e;
  PetscCall(PetscNew(&e));
  e->mesh = mesh;
  *energy = e;
  return setup(e, material, demag_modes);
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
  PetscCall(VecDestroy(&e->Au));
  PetscCall(VecDestroy(&e->work));
  PetscCall(PetscFree(e->moment));
  PetscCall(PetscFree(e->exchange_diagonal));
  PetscCall(PetscFree(e->axis_start));
  PetscCall(PetscFree(e->axis));
  PetscCall(PetscFree(e->K1));
  PetscCall(PetscFree(e->K2));
  if (e->nodes) PetscCall(mt_nodes_destroy(&e->nodes));
  PetscCall(PetscFree(e));
  *energy = NULL;
  return 0;
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
