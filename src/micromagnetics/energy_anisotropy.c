/* Crystal anisotropy: at each node the distinct easy axes and crystals of the elements around it (several where grains
 * touch), with the box weights of their constants; energy, derivative and second derivative.  What the exact integral
 * of K1 adds couples nodes and is a product of its own (fem/axial.c). */
#include "energy_impl.h"
#include "kernels.h"
#include "magtwin/error.h"

enum { MAX_CONSTANTS = 3 };

/* The constants of a material that the list is about; false: none, or no magnetization to feel them. */
typedef bool (*Constants)(const MtMaterial *m, double K[MAX_CONSTANTS]);

static bool uniaxial(const MtMaterial *m, double K[MAX_CONSTANTS]) {
  K[0] = m->K1;
  K[1] = m->K2;
  K[2] = m->K3;
  return m->Js > 0 && (m->K1 != 0 || m->K2 != 0 || m->K3 != 0);
}
static bool cubic(const MtMaterial *m, double K[MAX_CONSTANTS]) {
  K[0] = m->Kc1;
  K[1] = m->Kc2;
  K[2] = 0;
  return m->Js > 0 && (m->Kc1 != 0 || m->Kc2 != 0);
}

typedef struct {
  Constants constants;
  int32_t *grain;          /* [capacity of each node's slots] */
  double *K;               /* [MAX_CONSTANTS] of each slot */
  PetscInt *start, *count; /* slots of node i: start[i] .. start[i] + count[i] */
} Slots;

/* Adds weights to the slot of (node, grain), a new one at the end if there is none. */
static void slot_add(Slots *s, PetscInt node, int32_t grain, const double K[MAX_CONSTANTS], double weight) {
  PetscInt a = s->start[node], end = a + s->count[node];
  while (a < end && s->grain[a] != grain) a++;
  if (a == end) {
    s->count[node]++;
    s->grain[a] = grain;
    for (int c = 0; c < MAX_CONSTANTS; c++) s->K[MAX_CONSTANTS * a + c] = 0;
  }
  for (int c = 0; c < MAX_CONSTANTS; c++) s->K[MAX_CONSTANTS * a + c] += K[c] * weight / 4;
}

/* Upper bound of a node's slots: its number of elements with anisotropy. */
static PetscErrorCode slots_create(MtEnergy *e, const MtMaterial *material, Slots *s) {
  const MtMesh *mesh = e->mesh;
  double K[MAX_CONSTANTS];
  MtMaterial own;
  PetscCall(PetscCalloc2(e->n + 1, &s->start, e->n, &s->count));
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    if (!s->constants(mt_composition_at(e->composition, mesh, material, t, &own), K)) continue;
    for (int a = 0; a < 4; a++) {
      PetscInt i = e->nodes->index[mesh->tet[4 * t + a]];
      if (i >= 0 && i < e->n) s->start[i + 1]++;
    }
  }
  for (PetscInt i = 0; i < e->n; i++) s->start[i + 1] += s->start[i];
  return PetscMalloc2(s->start[e->n], &s->grain, MAX_CONSTANTS * s->start[e->n], &s->K);
}

static void slots_fill(MtEnergy *e, const MtMaterial *material, Slots *s) {
  const MtMesh *mesh = e->mesh;
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    double x[4][3], grad[4][3], volume, K[MAX_CONSTANTS];
    MtMaterial own;
    if (!s->constants(mt_composition_at(e->composition, mesh, material, t, &own), K)) continue;
    for (int a = 0; a < 4; a++)
      for (int c = 0; c < 3; c++) x[a][c] = mesh->x[3 * mesh->tet[4 * t + a] + c];
    mt_fem_tet((const double(*)[3])x, grad, &volume);
    for (int a = 0; a < 4; a++) {
      PetscInt i = e->nodes->index[mesh->tet[4 * t + a]];
      if (i >= 0 && i < e->n) slot_add(s, i, mesh->regions.grains[4 * mesh->region[t]], K, volume);
    }
  }
}

static PetscErrorCode slots_free(Slots *s) {
  PetscCall(PetscFree2(s->grain, s->K));
  return PetscFree2(s->start, s->count);
}

/* Number of slots before each node, without the room that is left over -> start [n+1]. */
static PetscErrorCode pack_starts(const MtEnergy *e, const Slots *s, PetscInt **start) {
  PetscCall(PetscMalloc1(e->n + 1, start));
  (*start)[0] = 0;
  for (PetscInt i = 0; i < e->n; i++) (*start)[i + 1] = (*start)[i] + s->count[i];
  return 0;
}

/* One constant of every slot -> out, malloc'ed. */
static PetscErrorCode pack_constant(const MtEnergy *e, const Slots *s, int c, const PetscInt *start, double **out) {
  PetscCall(PetscMalloc1(start[e->n], out));
  for (PetscInt i = 0; i < e->n; i++)
    for (PetscInt j = 0; j < s->count[i]; j++) (*out)[start[i] + j] = s->K[MAX_CONSTANTS * (s->start[i] + j) + c];
  return 0;
}

static PetscErrorCode pack_axes(MtEnergy *e, const Slots *s) {
  PetscCall(PetscMalloc1(3 * e->axis_start[e->n], &e->axis));
  for (PetscInt i = 0; i < e->n; i++)
    for (PetscInt j = 0; j < s->count[i]; j++)
      PetscCall(PetscArraycpy(e->axis + 3 * (e->axis_start[i] + j),
                              e->mesh->regions.axis + 3 * s->grain[s->start[i] + j], 3));
  return 0;
}

static PetscErrorCode pack_frames(MtEnergy *e, const Slots *s) {
  PetscCall(PetscMalloc1(9 * e->cubic.start[e->n], &e->cubic.frame));
  for (PetscInt i = 0; i < e->n; i++)
    for (PetscInt j = 0; j < s->count[i]; j++)
      mt_kernel_crystal(e->mesh->regions.orientation + 4 * s->grain[s->start[i] + j],
                        e->cubic.frame + 9 * (e->cubic.start[i] + j));
  return 0;
}

/* Does any region have such constants?  The same on every rank. */
static bool any(const MtEnergy *e, const MtMaterial *material, Constants constants, int c) {
  double K[MAX_CONSTANTS];
  MtMaterial own;
  for (int r = 0; r < e->mesh->regions.n; r++)
    if (constants(mt_composition_most(e->composition, material, r, &own), K) && (c < 0 || K[c] != 0)) return true;
  return false;
}

static PetscErrorCode setup_uniaxial(MtEnergy *e, const MtMaterial *material) {
  Slots s = {.constants = uniaxial};
  PetscCall(slots_create(e, material, &s));
  slots_fill(e, material, &s);
  PetscCall(pack_starts(e, &s, &e->axis_start));
  PetscCall(pack_axes(e, &s));
  PetscCall(pack_constant(e, &s, 0, e->axis_start, &e->K1));
  PetscCall(pack_constant(e, &s, 1, e->axis_start, &e->K2));
  if (any(e, material, uniaxial, 2)) PetscCall(pack_constant(e, &s, 2, e->axis_start, &e->K3));
  return slots_free(&s);
}

static PetscErrorCode setup_cubic(MtEnergy *e, const MtMaterial *material) {
  Slots s = {.constants = cubic};
  if (!any(e, material, cubic, -1)) return 0;
  if (!e->mesh->regions.orientation) return mt_error(MT_ERR_INPUT, "cubic anisotropy needs the orientations of grains");
  PetscCall(slots_create(e, material, &s));
  slots_fill(e, material, &s);
  PetscCall(pack_starts(e, &s, &e->cubic.start));
  PetscCall(pack_frames(e, &s));
  PetscCall(pack_constant(e, &s, 0, e->cubic.start, &e->cubic.K1));
  PetscCall(pack_constant(e, &s, 1, e->cubic.start, &e->cubic.K2));
  return slots_free(&s);
}

/* With linear m the integral of K1 (1 - (m.k)^2) over an element is known; terms of higher degree keep the box scheme.
 */
static PetscErrorCode setup_between(MtEnergy *e, const MtMaterial *material) {
  const MtMesh *mesh = e->mesh;
  double *K;
  int32_t *grain;
  if (!any(e, material, uniaxial, 0)) return 0;
  PetscCall(PetscCalloc2(mesh->nt_local, &K, mesh->nt_local, &grain));
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    double constants[MAX_CONSTANTS];
    MtMaterial own;
    if (!uniaxial(mt_composition_at(e->composition, mesh, material, t, &own), constants)) continue;
    K[t] = constants[0];
    grain[t] = mesh->regions.grains[4 * mesh->region[t]];
  }
  PetscCall(mt_fem_axial(mesh, e->nodes, K, grain, mesh->regions.ngrains, mesh->regions.axis, &e->between));
  return PetscFree2(K, grain);
}

PetscErrorCode mt_energy_setup_anisotropy(MtEnergy *e, const MtMaterial *material, bool exact) {
  PetscCall(setup_uniaxial(e, material));
  PetscCall(setup_cubic(e, material));
  return exact ? setup_between(e, material) : 0;
}

PetscErrorCode mt_energy_free_anisotropy(MtEnergy *e) {
  PetscCall(MatDestroy(&e->between));
  PetscCall(PetscFree(e->axis_start));
  PetscCall(PetscFree(e->axis));
  PetscCall(PetscFree(e->K1));
  PetscCall(PetscFree(e->K2));
  PetscCall(PetscFree(e->K3));
  PetscCall(PetscFree(e->cubic.start));
  PetscCall(PetscFree(e->cubic.frame));
  PetscCall(PetscFree(e->cubic.K1));
  return PetscFree(e->cubic.K2);
}

/* The third constant and the cubic ones of node i. */
static double more_of_node(const MtEnergy *e, PetscInt i, const double m[3], double g[3]) {
  double E = 0;
  for (PetscInt a = e->axis_start[i]; e->K3 && a < e->axis_start[i + 1]; a++)
    E += mt_kernel_sixth(m, e->axis + 3 * a, e->K3[a], g);
  const MtCubic *q = &e->cubic;
  for (PetscInt a = q->start ? q->start[i] : 0; q->start && a < q->start[i + 1]; a++)
    E += mt_kernel_cubic(m, q->frame + 9 * a, q->K1[a], q->K2[a], g);
  return E;
}

PetscErrorCode mt_energy_local_anisotropy(MtEnergy *e, Vec m, double *E, Vec g) {
  const PetscScalar *x;
  PetscScalar *y;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArray(g, &y));
  *E = 0;
  for (PetscInt i = 0; i < e->n; i++)
    for (PetscInt a = e->axis_start[i]; a < e->axis_start[i + 1]; a++)
      *E += mt_kernel_anisotropy(x + 3 * i, e->axis + 3 * a, e->K1[a], e->K2[a], y + 3 * i);
  for (PetscInt i = 0; (e->K3 || e->cubic.start) && i < e->n; i++) *E += more_of_node(e, i, x + 3 * i, y + 3 * i);
  PetscCall(VecRestoreArray(g, &y));
  PetscCall(VecRestoreArrayRead(m, &x));
  return e->between ? mt_energy_local_quadratic(e, e->between, m, E, g) : 0;
}

bool mt_energy_has_more(const MtEnergy *e) {
  return e->K3 || e->cubic.start || e->surface || e->elastic;
}

void mt_energy_more_hessian(const MtEnergy *e, PetscInt i, const double m[3], double s[6]) {
  for (PetscInt a = e->axis_start[i]; e->K3 && a < e->axis_start[i + 1]; a++)
    mt_add_dyad3(mt_kernel_sixth_curvature(m, e->axis + 3 * a, e->K3[a]), e->axis + 3 * a, s);
  const MtCubic *q = &e->cubic;
  for (PetscInt a = q->start ? q->start[i] : 0; q->start && a < q->start[i + 1]; a++)
    mt_kernel_cubic_hessian(m, q->frame + 9 * a, q->K1[a], q->K2[a], s);
  for (int c = 0; c < 6; c++) {
    if (e->surface) s[c] += 2 * e->surface[6 * i + c];
    if (e->elastic) s[c] += 2 * e->elastic[6 * i + c];
  }
}
