/* Exchange across faces where two grains touch and have nodes of their own: -J m1.m2 per area (P. Bruno and C.
 * Chappert, Phys. Rev. Lett. 67 (1991) 1602, for the form), counted from the parallel state: J area/3 (1 - m1.m2) for
 * each of the face's three pairs of nodes.  All of a place's nodes belong to one rank, so the matrix couples no ranks.
 */
#include "energy_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>

typedef struct {
  MtEnergy *e;
  const MtMaterial *material;
  const MtEnergyExtras *extras;
  int region[2];            /* the last pair asked for ... */
  const MtInterface *found; /* ... and its entry */
} Interfaces;

void mt_pair_name(const MtRegions *r, int one, int other, char name[32]) {
  const int a = r->grains[4 * one], b = r->grains[4 * other];
  snprintf(name, 32, "%d-%d", a < b ? a : b, a < b ? b : a);
}

static const MtMaterial *material_of(const Interfaces *s, PetscInt t, MtMaterial *own) {
  return mt_composition_at(s->e->composition, s->e->mesh, s->material, t, own);
}

/* Coupling of two tets' grains, J/m2; the last pair is remembered, for faces come in the order of the mesh. */
static PetscErrorCode coupling(Interfaces *s, const MtFace *face, double *J) {
  const MtMesh *mesh = s->e->mesh;
  const int region[2] = {mesh->region[face->tet], mesh->region[face->neighbour]};
  char name[32];
  MtMaterial own;
  if (!s->found || region[0] != s->region[0] || region[1] != s->region[1]) {
    mt_pair_name(&s->e->mesh->regions, region[0], region[1], name);
    s->found = NULL;
    for (int i = s->extras->ninterfaces - 1; i >= 0 && !s->found; i--)
      if (fnmatch(s->extras->interface[i].pair, name, 0) == 0) s->found = &s->extras->interface[i];
    if (!s->found)
      return mt_error(MT_ERR_INPUT,
                      "the grains %s touch and have nodes of their own there (mesh.split_grains), but no entry of "
                      "materials.interfaces says how they are coupled; pair: \"*\" is for all",
                      name);
    s->region[0] = region[0];
    s->region[1] = region[1];
  }
  const double a = material_of(s, face->tet, &own)->A, b = material_of(s, face->neighbour, &own)->A;
  *J = isnan(s->found->J) ? s->found->factor * 2 * (2 * a * b / (a + b)) / (s->found->distance * 1e-9) : s->found->J;
  return 0;
}

/* Node of tet t at the place of `row`, -1: none. */
static PetscInt node_at(const MtMesh *mesh, PetscInt t, PetscInt row) {
  for (int k = 0; k < 4; k++)
    if (mesh->base_row[mesh->tet[4 * t + k]] == row) return mesh->tet[4 * t + k];
  return -1;
}

/* Adds J area/3 to the pairs of one side of a face: rows of this side, of nodes that this rank owns. */
static PetscErrorCode add_side(Interfaces *s, const MtFace *face, Mat L) {
  const MtEnergy *e = s->e;
  const MtMesh *mesh = e->mesh;
  PetscInt node[3];
  double area[3], J = 0;
  mt_mesh_face(mesh, face, node, area);
  PetscErrorCode rc = coupling(s, face, &J);
  if (rc) return rc;
  const double weight = J * MT_PER_NM * sqrt(mt_dot3(area, area)) / 3;
  for (int k = 0; k < 3; k++) {
    const PetscInt other = node_at(mesh, face->neighbour, mesh->base_row[node[k]]);
    if (node[k] >= mesh->nv_owned || other == node[k]) continue;
    const PetscInt row = e->nodes->row[e->nodes->index[node[k]]];
    const PetscInt col[2] = {row, e->nodes->row[e->nodes->index[other]]};
    const PetscScalar value[2] = {weight, -weight};
    PetscCall(MatSetValues(L, 1, &row, 2, col, value, ADD_VALUES));
  }
  return 0;
}

/* Is this a face between two magnetic grains? */
static bool couples(const Interfaces *s, const MtFace *face) {
  const MtMesh *mesh = s->e->mesh;
  if (face->neighbour < 0) return false;
  for (int k = 0; k < 2; k++) {
    const PetscInt t = k ? face->neighbour : face->tet;
    MtMaterial own;
    if (mesh->regions.kind[mesh->region[t]] != MT_REGION_GRAIN || !(material_of(s, t, &own)->Js > 0)) return false;
  }
  return true;
}

/* A row has at most one entry for each of its faces, and the diagonal. */
static PetscErrorCode make_matrix(const MtEnergy *e, PetscInt n, const MtFace *face, Mat *L) {
  PetscInt *room;
  PetscCall(PetscMalloc1(e->n + 1, &room));
  for (PetscInt i = 0; i < e->n; i++) room[i] = 1;
  for (PetscInt f = 0; f < n; f++)
    for (int k = 0; k < 4; k++) {
      const PetscInt i = e->nodes->index[e->mesh->tet[4 * face[f].tet + k]];
      if (i >= 0 && i < e->n && k != face[f].corner) room[i]++;
    }
  for (PetscInt i = 0; i < e->n; i++) room[i] = PetscMin(room[i], e->n);
  PetscCall(MatCreateAIJ(e->mesh->comm, e->n, e->n, PETSC_DETERMINE, PETSC_DETERMINE, 0, room, 0, NULL, L));
  return PetscFree(room);
}

static PetscErrorCode add_diagonal(MtEnergy *e) {
  Vec diagonal;
  const PetscScalar *d;
  PetscCall(MatCreateVecs(e->interface, &diagonal, NULL));
  PetscCall(MatGetDiagonal(e->interface, diagonal));
  PetscCall(VecGetArrayRead(diagonal, &d));
  for (PetscInt i = 0; i < e->n; i++) e->exchange_diagonal[i] += fmax(0, d[i]);
  PetscCall(VecRestoreArrayRead(diagonal, &d));
  return VecDestroy(&diagonal);
}

PetscErrorCode mt_energy_setup_interface(MtEnergy *e, const MtMaterial *material, const MtEnergyExtras *extras) {
  Interfaces s = {.e = e, .material = material, .extras = extras, .region = {-1, -1}};
  PetscErrorCode rc = 0;
  PetscInt n;
  MtFace *face;
  if (!e->mesh->base_row && extras->ninterfaces > 0)
    return mt_error(MT_ERR_INPUT,
                    "materials.interfaces needs grains with nodes of their own where they touch; make the "
                    "mesh with mesh.split_grains: true");
  if (!e->mesh->base_row) return 0;
  PetscCall(mt_mesh_region_faces(e->mesh, &n, &face));
  PetscCall(make_matrix(e, n, face, &e->interface));
  for (PetscInt f = 0; !rc && f < n; f++)
    if (couples(&s, &face[f])) rc = add_side(&s, &face[f], e->interface);
  PetscCall(PetscFree(face));
  rc = mt_agree(e->mesh->comm, rc);
  if (rc) return rc;
  PetscCall(MatAssemblyBegin(e->interface, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(e->interface, MAT_FINAL_ASSEMBLY));
  PetscCall(mt_fem_threefold(e->interface, &e->interface3));
  return add_diagonal(e);
}
