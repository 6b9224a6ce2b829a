/* Terms that few magnets need: surface anisotropy, Dzyaloshinskii-Moriya interaction, magneto-elastic energy.  Each is
 * made only where a material has it; without, nothing is stored and nothing is computed.
 *
 * surface          Ks (1 - (m.n)^2) per area       a third of each face's area to its nodes: a tensor S per node, m.S m
 * magneto-elastic  m.S m, S from strain or stress  a quarter of each element's volume to its nodes: the same
 * DMI              D m.curl m and Di ((m.n) div m - (m.grad)(m.n)): 1/2 m.L m, L a sparse matrix (fem/lifshitz.c)
 *
 * Ks: W. F. Brown, Micromagnetics (1963); bulk and interfacial DMI: A. N. Bogdanov and D. A. Yablonskii, Sov. Phys.
 * JETP 68 (1989) 101; S. Rohart and A. Thiaville, Phys. Rev. B 88 (2013) 184422. */
#include "energy_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include <math.h>

/* Does any region with magnetization have one of these constants?  The same on every rank. */
typedef bool (*Has)(const MtMaterial *m);
static bool has_surface(const MtMaterial *m) {
  return m->Ks != 0 || m->Ks_inner != 0;
}
static bool has_dmi(const MtMaterial *m) {
  return m->D != 0 || m->Di != 0;
}
static bool has_strain(const MtMaterial *m) {
  return m->B1 != 0 || m->B2 != 0;
}
static bool has_stress(const MtMaterial *m) {
  return m->lambda100 != 0 || m->lambda111 != 0;
}
static bool any(const MtEnergy *e, const MtMaterial *material, Has has) {
  MtMaterial own;
  for (int r = 0; r < e->mesh->regions.n; r++) {
    const MtMaterial *m = mt_composition_most(e->composition, material, r, &own);
    if (m->Js > 0 && has(m)) return true;
  }
  return false;
}

/* Local magnetic node of a mesh node if this rank owns it, else -1. */
static PetscInt owned(const MtEnergy *e, PetscInt node) {
  PetscInt i = e->nodes->index[node];
  return i < e->n ? i : -1;
}

/* Ks A/3 (1 - n n) to the three nodes of a face. */
static void add_face(MtEnergy *e, const MtFace *face, double Ks) {
  static const double one[6] = {1, 0, 0, 1, 0, 1};
  PetscInt node[3];
  double a[3], area;
  mt_mesh_face(e->mesh, face, node, a);
  area = sqrt(mt_dot3(a, a));
  for (int k = 0; k < 3; k++) {
    const PetscInt i = owned(e, node[k]);
    if (i < 0) continue;
    for (int c = 0; c < 6; c++) e->surface[6 * i + c] += Ks * MT_PER_NM * area / 3 * one[c];
    mt_add_dyad3(-Ks * MT_PER_NM / (3 * area), a, e->surface + 6 * i);
  }
}

static PetscErrorCode setup_surface(MtEnergy *e, const MtMaterial *material) {
  PetscInt n;
  MtFace *face;
  if (!any(e, material, has_surface)) return 0;
  PetscCall(PetscCalloc1(6 * e->n + 1, &e->surface));
  PetscCall(mt_mesh_region_faces(e->mesh, &n, &face));
  for (PetscInt f = 0; f < n; f++) {
    MtMaterial own;
    const MtMaterial *m = mt_composition_at(e->composition, e->mesh, material, face[f].tet, &own);
    const double Ks = face[f].neighbour < 0 ? m->Ks : m->Ks_inner;
    if (m->Js > 0 && Ks != 0) add_face(e, &face[f], Ks);
  }
  return PetscFree(face);
}

/* The tensors of one kind of data: strain with B, or stress with lambda. */
static void add_elastic(MtEnergy *e, const MtMaterial *material, const double *data, bool stress) {
  const MtMesh *mesh = e->mesh;
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    MtMaterial own;
    const MtMaterial *m = mt_composition_at(e->composition, mesh, material, t, &own);
    const double b1 = stress ? -1.5 * m->lambda100 : m->B1, b2 = stress ? -1.5 * m->lambda111 : m->B2;
    double x[4][3], grad[4][3], volume, frame[9];
    if (!(m->Js > 0) || (b1 == 0 && b2 == 0)) continue;
    for (int a = 0; a < 4; a++)
      for (int c = 0; c < 3; c++) x[a][c] = mesh->x[3 * mesh->tet[4 * t + a] + c];
    mt_fem_tet((const double(*)[3])x, grad, &volume);
    if (b1 != b2) mt_kernel_crystal(mesh->regions.orientation + 4 * mesh->regions.grains[4 * mesh->region[t]], frame);
    for (int a = 0; a < 4; a++) {
      const PetscInt i = owned(e, mesh->tet[4 * t + a]);
      if (i >= 0) mt_kernel_elastic(data + 6 * t, b1 != b2 ? frame : NULL, b1, b2, volume / 4, e->elastic + 6 * i);
    }
  }
}

/* A crystal that is not isotropic needs its orientation. */
static PetscErrorCode check_crystals(const MtEnergy *e, const MtMaterial *material) {
  const MtRegions *r = &e->mesh->regions;
  for (int i = 0; i < r->n; i++) {
    MtMaterial own;
    const MtMaterial *m = mt_composition_most(e->composition, material, i, &own);
    const bool isotropic = m->B1 == m->B2 && m->lambda100 == m->lambda111;
    if (m->Js > 0 && !isotropic && (!r->orientation || !mt_region_is_grain(r->kind[i])))
      return mt_error(
          MT_ERR_INPUT,
          "material \"%s\" has magneto-elastic constants of a crystal, but region \"%s\" has no orientation; "
          "there B1 = B2 and lambda100 = lambda111 (isotropic) is needed",
          m->name, r->name[i]);
  }
  return 0;
}

static PetscErrorCode setup_elastic(MtEnergy *e, const MtMaterial *material, const MtEnergyExtras *extras) {
  if (!extras->strain && !extras->stress) return 0;
  if (extras->strain && !any(e, material, has_strain))
    return mt_error(MT_ERR_INPUT, "there is a strain, but no magnetic material of the mesh has B1 or B2");
  if (extras->stress && !any(e, material, has_stress))
    return mt_error(MT_ERR_INPUT, "there is a stress, but no magnetic material of the mesh has lambda100 or lambda111");
  PetscCall(check_crystals(e, material));
  PetscCall(PetscCalloc1(6 * e->n + 1, &e->elastic));
  if (extras->strain) add_elastic(e, material, extras->strain, false);
  if (extras->stress) add_elastic(e, material, extras->stress, true);
  return 0;
}

static PetscErrorCode setup_dmi(MtEnergy *e, const MtMaterial *material) {
  double *coef;
  if (!any(e, material, has_dmi)) return 0;
  PetscCall(PetscCalloc1(4 * e->mesh->nt_local, &coef));
  for (PetscInt t = 0; t < e->mesh->nt_local; t++) {
    MtMaterial own;
    const MtMaterial *m = mt_composition_at(e->composition, e->mesh, material, t, &own);
    if (!(m->Js > 0)) continue;
    coef[4 * t] = m->D * MT_PER_NM;
    for (int c = 0; c < 3; c++) coef[4 * t + 1 + c] = m->Di * MT_PER_NM * m->dmi_normal[c];
  }
  PetscCall(mt_fem_lifshitz(e->mesh, e->nodes, coef, &e->dmi));
  return PetscFree(coef);
}

PetscErrorCode mt_energy_setup_more(MtEnergy *e, const MtMaterial *material, const MtEnergyExtras *extras) {
  PetscCall(mt_energy_setup_interface(e, material, extras));
  PetscCall(setup_surface(e, material));
  PetscCall(setup_dmi(e, material));
  return setup_elastic(e, material, extras);
}

PetscErrorCode mt_energy_free_more(MtEnergy *e) {
  PetscCall(MatDestroy(&e->interface3));
  PetscCall(MatDestroy(&e->interface));
  PetscCall(MatDestroy(&e->dmi));
  PetscCall(PetscFree(e->surface));
  return PetscFree(e->elastic);
}

bool mt_energy_uses(const MtEnergy *e, MtTerm term) {
  switch (term) {
  case MT_TERM_SURFACE:
    return e->surface != NULL;
  case MT_TERM_DMI:
    return e->dmi != NULL;
  case MT_TERM_ELASTIC:
    return e->elastic != NULL;
  case MT_TERM_INTERFACE:
    return e->interface != NULL;
  default:
    return true;
  }
}

/* E = sum m.S m */
static PetscErrorCode local_tensor(const MtEnergy *e, const double *S, Vec m, double *E, Vec g) {
  const PetscScalar *x;
  PetscScalar *y;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArray(g, &y));
  for (PetscInt i = 0; i < e->n; i++) {
    double w[3];
    mt_symmetric3(S + 6 * i, x + 3 * i, w);
    *E += mt_dot3(x + 3 * i, w);
    for (int c = 0; c < 3; c++) y[3 * i + c] += 2 * w[c];
  }
  PetscCall(VecRestoreArray(g, &y));
  PetscCall(VecRestoreArrayRead(m, &x));
  return 0;
}

PetscErrorCode mt_energy_local_quadratic(MtEnergy *e, Mat L, Vec m, double *E, Vec g) {
  const PetscScalar *x, *w;
  PetscCall(MatMult(L, m, e->work));
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(e->work, &w));
  for (PetscInt i = 0; i < e->n; i++) *E += .5 * mt_dot3(x + 3 * i, w + 3 * i);
  PetscCall(VecRestoreArrayRead(e->work, &w));
  PetscCall(VecRestoreArrayRead(m, &x));
  return VecAXPY(g, 1, e->work);
}

PetscErrorCode mt_energy_local_more(MtEnergy *e, MtTerm term, Vec m, double *E, Vec g) {
  *E = 0;
  if (!mt_energy_uses(e, term)) return 0;
  if (term == MT_TERM_DMI) return mt_energy_local_quadratic(e, e->dmi, m, E, g);
  if (term == MT_TERM_INTERFACE) return mt_energy_local_quadratic(e, e->interface3, m, E, g);
  return local_tensor(e, term == MT_TERM_SURFACE ? e->surface : e->elastic, m, E, g);
}

bool mt_energy_has_more_couplings(const MtEnergy *e) {
  return e->interface || e->between || e->dmi;
}

PetscErrorCode mt_energy_more_couplings(const MtEnergy *e, Vec v, Vec w) {
  if (e->interface) PetscCall(MatMultAdd(e->interface3, v, w, w));
  if (e->between) PetscCall(MatMultAdd(e->between, v, w, w));
  return e->dmi ? MatMultAdd(e->dmi, v, w, w) : 0;
}

PetscErrorCode mt_energy_couplings(const MtEnergy *e, Vec v, Vec w) {
  PetscCall(MatMult(e->exchange3, v, w));
  return mt_energy_more_couplings(e, v, w);
}
