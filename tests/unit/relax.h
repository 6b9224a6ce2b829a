/* A mesh, its energy, a state and the minimizer in one hand, for tests of equilibria. */
#ifndef TEST_RELAX_H
#define TEST_RELAX_H

#include "brick.h"
#include "magtwin/micromagnetics.h"

typedef struct {
  MtMesh *mesh;
  MtEnergy *energy;
  MtMinimizer *minimizer;
  Vec m;
  MtMinimizerReport report;
} Relax;

static inline PetscErrorCode relax_create_with(const Brick *b, const MtMaterial *material, int modes, double torque,
                                               const MtEnergyExtras *extras, Relax *r) {
  MtMinimizerOptions opt = {.torque = torque,
                            .max_iterations = 2000,
                            .max_turn = .5,
                            .demag_rtol = 1e-6,
                            .inner_iterations = 40,
                            .inner_rtol = .02};
  PetscCall(brick_mesh(b, &r->mesh));
  PetscCall(mt_energy_create_with(r->mesh, material, modes, extras, &r->energy));
  PetscCall(mt_minimizer_create(r->energy, &opt, &r->minimizer));
  PetscCall(mt_energy_create_vec(r->energy, &r->m));
  return 0;
}
static inline PetscErrorCode relax_create(const Brick *b, const MtMaterial *material, int modes, double torque,
                                          Relax *r) {
  const MtEnergyExtras none = {0};
  return relax_create_with(b, material, modes, torque, &none, r);
}
static inline PetscErrorCode relax_destroy(Relax *r) {
  PetscCall(VecDestroy(&r->m));
  PetscCall(mt_minimizer_destroy(&r->minimizer));
  PetscCall(mt_energy_destroy(&r->energy));
  PetscCall(mt_mesh_destroy(&r->mesh));
  return 0;
}
static inline PetscErrorCode relax_set(Relax *r, void (*state)(const double x[3], double m[3])) {
  const MtNodes *nodes = mt_energy_nodes(r->energy);
  PetscScalar *y;
  PetscCall(VecGetArray(r->m, &y));
  for (PetscInt i = 0; i < nodes->n_owned; i++) state(r->mesh->x + 3 * nodes->node[i], y + 3 * i);
  PetscCall(VecRestoreArray(r->m, &y));
  return 0;
}
/* Equilibrium in the field of B (T) at the angle (deg) to the z axis, in the yz plane. */
static inline PetscErrorCode relax_run(Relax *r, double B, double angle) {
  double field[3] = {0, B * sin(angle * MT_PI / 180), B * cos(angle * MT_PI / 180)};
  return mt_minimizer_run(r->minimizer, r->m, field, &r->report);
}
/* Mean of m.z weighted with the moment. */
static inline PetscErrorCode relax_mz(Relax *r, double *mz) {
  double z[3] = {0, 0, 1};
  PetscCall(mt_energy_polarization(r->energy, r->m, z, mz));
  *mz /= mt_energy_saturation(r->energy);
  return 0;
}

#endif
