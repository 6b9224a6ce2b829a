/* What a dynamics run stands on: mesh, materials, energy, integrator, and the state it begins with. */
#include "dynamics_impl.h"
#include "kernels.h"
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* alpha decides a trajectory, too. */
static uint64_t constants_of(const MtSite *s) {
  uint64_t hash = mt_site_constants(s);
  for (int r = 0; r < s->mesh->regions.n; r++) hash = mt_site_mix(hash, s->material[r].alpha);
  return hash;
}

static PetscErrorCode open_site(MtDynamics *d) {
  MtSite *s = &d->site;
  mt_phase_begin("read mesh");
  PetscErrorCode rc = mt_mesh_read(s->comm, s->mesh_path, &s->mesh);
  mt_phase_end("read mesh");
  if (!rc) rc = mt_materials_assign(s->comm, s->in, &s->mesh->regions, &s->material);
  if (rc) return rc;
  s->constants = constants_of(s);
  return mt_site_fingerprint(s->mesh, &s->fingerprint);
}

static PetscErrorCode open_integrator(MtDynamics *d) {
  const MtLlgField field = {.ctx = &d->field, .at = mt_time_field_at, .next_kink = mt_time_field_kink};
  PetscErrorCode rc = mt_energy_open(d->site.mesh, d->site.in, d->site.material, d->opt.modes, &d->energy);
  if (!rc) rc = mt_llg_create(d->energy, &d->opt.llg, &d->llg);
  if (!rc) rc = mt_llg_set_materials(d->llg, d->site.material, d->opt.own_damping);
  if (!rc) rc = mt_llg_set_field(d->llg, &field);
  return rc;
}

PetscErrorCode mt_dynamics_open(MtDynamics *d, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                                const char *folder) {
  *d = (MtDynamics){.site = {.comm = comm, .in = in, .mesh_path = mesh_path, .folder = folder}, .saved_t = -1};
  d->rows.width = MT_DYNAMICS_ROW;
  d->states.width = MT_DYNAMICS_STATE;
  PetscCallMPI(MPI_Comm_rank(comm, &d->site.rank));
  mt_dynamics_options(in, &d->opt);
  PetscErrorCode rc = mt_time_field_read(in, &d->field);
  if (!rc) rc = open_site(d);
  if (rc) return rc;
  mt_phase_begin("set up operators");
  rc = open_integrator(d);
  mt_phase_end("set up operators");
  if (!rc) rc = mt_petsc_options_used(comm, in);
  if (rc) return rc;
  PetscCall(mt_site_mix_extras(d->energy, &d->site.constants));
  d->site.nodes = mt_energy_nodes(d->energy);
  d->site.composition = mt_energy_composition(d->energy);
  PetscCall(mt_energy_create_vec(d->energy, &d->m));
  PetscCall(mt_energy_potential(d->energy, &d->u));
  return mt_site_warn_coarse(&d->site);
}

PetscErrorCode mt_dynamics_close(MtDynamics *d) {
  if (d->csv) fclose(d->csv);
  mt_table_free(&d->rows);
  mt_table_free(&d->states);
  mt_time_field_free(&d->field);
  PetscCall(VecDestroy(&d->m));
  PetscCall(mt_llg_destroy(&d->llg));
  PetscCall(mt_energy_destroy(&d->energy));
  free(d->site.material);
  return mt_mesh_destroy(&d->site.mesh);
}

typedef struct {
  double axis[3], middle[3], core; /* unit; nm */
  uint64_t seed;
} Start;

static void unit(double m[3]) {
  double norm = sqrt(mt_dot3(m, m));
  for (int c = 0; c < 3; c++) m[c] /= norm;
}

static void saturated(const Start *s, const double x[3], int64_t vid, double m[3]) {
  (void)x;
  (void)vid;
  memcpy(m, s->axis, 3 * sizeof *m);
}

/* Around the axis; in the middle along it. */
static void vortex(const Start *s, const double x[3], int64_t vid, double m[3]) {
  double r[3], around[3];
  (void)vid;
  for (int c = 0; c < 3; c++) r[c] = x[c] - s->middle[c];
  mt_cross3(s->axis, r, around);
  for (int c = 0; c < 3; c++) m[c] = around[c] + s->core * s->axis[c];
  unit(m);
}

/* Uniform on the sphere, by the node's file id: the same for any distribution. */
static void random_state(const Start *s, const double x[3], int64_t vid, double m[3]) {
  MtRandom r;
  uint64_t key = s->seed;
  (void)x;
  mt_random_seed(&r, mt_splitmix64(&key) ^ (uint64_t)vid);
  double z = 2 * mt_random_uniform(&r) - 1, phi = 2 * MT_PI * mt_random_uniform(&r), rho = sqrt(fmax(0, 1 - z * z));
  m[0] = rho * cos(phi);
  m[1] = rho * sin(phi);
  m[2] = z;
}

static PetscErrorCode set_nodes(MtDynamics *d, const Start *s,
                                void (*at)(const Start *s, const double x[3], int64_t vid, double m[3])) {
  const MtMesh *mesh = d->site.mesh;
  PetscScalar *y;
  PetscCall(VecGetArray(d->m, &y));
  for (PetscInt i = 0; i < d->site.nodes->n_owned; i++) {
    PetscInt node = d->site.nodes->node[i];
    at(s, mesh->x + 3 * node, mesh->vid[node], y + 3 * i);
  }
  return VecRestoreArray(d->m, &y);
}

PetscErrorCode mt_dynamics_initial(MtDynamics *d) {
  const MtInput *in = d->site.in;
  const char *kind = mt_input_string(in, "dynamics.initial");
  const double *box = d->site.mesh->magnet_box;
  Start s = {.core = 1};
  if (strcmp(kind, "file") == 0)
    return mt_site_read_state(&d->site, mt_input_string(in, "dynamics.initial_file"), "dynamics.initial_file", d->m);
  mt_input_vec3(in, s.axis, "dynamics.initial_direction");
  unit(s.axis);
  for (int c = 0; c < 3; c++) s.middle[c] = .5 * (box[c] + box[3 + c]);
  if (strcmp(kind, "vortex") == 0) {
    s.core = mt_input_real(in, "dynamics.core");
    return set_nodes(d, &s, vortex);
  }
  if (strcmp(kind, "random") != 0) return set_nodes(d, &s, saturated);
  s.seed = (uint64_t)mt_input_int(in, "dynamics.seed");
  return set_nodes(d, &s, random_state);
}
