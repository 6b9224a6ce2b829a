/* What a grain's magnetization costs in a state: the energy densities that a boundary gains or loses as it moves. */
#include "energy_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "work_impl.h"
#include <stdlib.h>

enum { VOLUME, MOMENT, ANISOTROPY, ZEEMAN, STRAY, SUMS };

typedef struct {
  const MtEnergy *e;
  const PetscScalar *m, *g; /* g: derivative of the stray field's energy */
  const double *B;
  double *sum; /* [SUMS n] */
} Grains;

/* A corner with its share of the volume (box scheme): weight nm3. */
static void add_corner(const Grains *s, const MtMaterial *material, int32_t grain, PetscInt i, double weight) {
  const MtRegions *r = &s->e->mesh->regions;
  const double *m = s->m + 3 * i;
  double *sum = s->sum + (size_t)SUMS * (size_t)grain, none[3] = {0}, frame[9];
  sum[MOMENT] += weight * material->Js;
  sum[ANISOTROPY] += weight * (mt_kernel_anisotropy(m, r->axis + 3 * grain, material->K1, material->K2, none) +
                               mt_kernel_sixth(m, r->axis + 3 * grain, material->K3, none));
  if (material->Kc1 != 0 || material->Kc2 != 0) {
    mt_kernel_crystal(r->orientation + 4 * grain, frame);
    sum[ANISOTROPY] += weight * mt_kernel_cubic(m, frame, material->Kc1, material->Kc2, none);
  }
  sum[ZEEMAN] -= weight * material->Js / MT_MU0 * mt_dot3(m, s->B);
  sum[STRAY] += weight * material->Js * mt_dot3(m, s->g + 3 * i) / s->e->moment[i];
}

/* Every corner by its owner, who holds all tets around it. */
static void add_tets(const Grains *s, const MtMaterial *material) {
  const MtMesh *mesh = s->e->mesh;
  double x[4][3], grad[4][3], volume;
  MtMaterial own;
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    if (!mt_region_is_grain(mesh->regions.kind[mesh->region[t]])) continue;
    const int32_t grain = mesh->regions.grains[4 * mesh->region[t]];
    const MtMaterial *mine = mt_composition_at(s->e->composition, mesh, material, t, &own);
    for (int a = 0; a < 4; a++)
      for (int c = 0; c < 3; c++) x[a][c] = mesh->x[3 * mesh->tet[4 * t + a] + c];
    mt_fem_tet((const double(*)[3])x, grad, &volume);
    for (int a = 0; a < 4; a++) {
      const PetscInt node = mesh->tet[4 * t + a], i = s->e->nodes->index[node];
      if (node < mesh->nv_owned) s->sum[SUMS * grain + VOLUME] += volume / 4;
      if (mine->Js > 0 && i >= 0 && i < s->e->n) add_corner(s, mine, grain, i, volume / 4);
    }
  }
}

static PetscErrorCode take(const MtStand *s, const double *sum, const MtGrainEnergies *e) {
  for (int k = 0; k < e->n; k++) {
    const double *of = sum + (size_t)SUMS * (size_t)k;
    e->volume[k] = of[VOLUME];
    e->anisotropy[k] = of[ANISOTROPY] / of[VOLUME];
    e->zeeman[k] = of[ZEEMAN] / of[VOLUME];
    e->stray[k] = of[STRAY] / of[VOLUME];
    if (of[VOLUME] > 0 && !(of[MOMENT] > 0))
      return mt_error(MT_ERR_INPUT,
                      "grain %d of %s has no polarization in section materials: no state gives it an energy", k,
                      s->site.mesh_path);
  }
  return 0;
}

static void make_room(int n, MtGrainEnergies *e) {
  double **const all[] = {&e->volume, &e->anisotropy, &e->zeeman, &e->stray};
  e->n = n;
  for (int k = 0; k < 4; k++) *all[k] = mt_calloc((size_t)n, sizeof(double));
}

static PetscErrorCode sum_up(MtStand *s, const MtGrainEnergies *e, double *sum) {
  double E;
  Grains of = {.e = s->energy, .B = e->B, .sum = sum};
  PetscCall(mt_energy_term(s->energy, MT_TERM_DEMAG, s->m[0], e->B, &E, s->g[0]));
  PetscCall(VecGetArrayRead(s->m[0], &of.m));
  PetscCall(VecGetArrayRead(s->g[0], &of.g));
  add_tets(&of, s->site.material);
  PetscCall(VecRestoreArrayRead(s->g[0], &of.g));
  PetscCall(VecRestoreArrayRead(s->m[0], &of.m));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, SUMS * e->n, MPI_DOUBLE, MPI_SUM, s->site.comm));
  return take(s, sum, e);
}

static PetscErrorCode measure(MtStand *s, MtGrainEnergies *e) {
  make_room(s->site.mesh->regions.ngrains, e);
  double *sum = mt_calloc((size_t)SUMS * (size_t)e->n, sizeof *sum);
  const PetscErrorCode rc = sum_up(s, e, sum);
  free(sum);
  return rc;
}

PetscErrorCode mt_grain_energies(MPI_Comm comm, const MtInput *in, const char *mesh, const char *key, const char *path,
                                 MtGrainEnergies *e) {
  MtStand s;
  *e = (MtGrainEnergies){0};
  PetscErrorCode rc = mt_stand_open(&s, comm, in, mesh);
  if (!rc) rc = mt_site_read_state(&s.site, path, key, s.m[0]);
  if (!rc) rc = mt_state_field(comm, path, e->B);
  if (!rc) rc = measure(&s, e);
  const PetscErrorCode closed = mt_stand_close(&s);
  return rc ? rc : closed;
}

void mt_grain_energies_free(MtGrainEnergies *e) {
  free(e->volume);
  free(e->anisotropy);
  free(e->zeeman);
  free(e->stray);
  *e = (MtGrainEnergies){0};
}
