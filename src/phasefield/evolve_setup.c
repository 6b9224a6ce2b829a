/* What a phase-field run stands on: domain, model, march, and the state it begins with. */
#include "evolve_impl.h"
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static PetscErrorCode open_domain(MtEvolve *e) {
  PetscErrorCode rc = 0;
  if (mt_input_has(e->in, "box.size")) {
    MtBox box;
    mt_evolve_box(e->in, &box);
    return mt_domain_box(e->comm, &box, &e->domain);
  }
  mt_phase_begin("read mesh");
  rc = mt_mesh_read(e->comm, e->mesh_path, &e->mesh);
  mt_phase_end("read mesh");
  return rc ? rc : mt_domain_mesh(e->mesh, &e->domain);
}

static PetscErrorCode open_flow(MtEvolve *e) {
  const MtFlowModel model = mt_evolve_model(e->in, &e->energy, e->source);
  MtMarchOptions march;
  mt_evolve_march_options(e->in, &e->energy, &march);
  const double given = mt_input_has(e->in, "evolve.newton_tolerance") ? mt_input_real(e->in, "evolve.newton_tolerance")
                       : march.tolerance > 0                          ? .01 * march.tolerance
                                                                      : 1e-9;
  const MtFlowOptions opt = {.newton_tolerance = given, .linear_rtol = mt_input_real(e->in, "evolve.linear_rtol")};
  PetscErrorCode rc = mt_flow_create(e->domain, &model, &opt, &e->flow);
  return rc ? rc : mt_march_create(e->flow, &march, &e->march);
}

PetscErrorCode mt_evolve_open(MtEvolve *e, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                              const char *folder) {
  *e = (MtEvolve){.comm = comm, .in = in, .mesh_path = mesh_path, .folder = folder, .saved_t = -1};
  e->mark.field_t = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &e->rank));
  mt_evolve_options(in, &e->opt);
  PetscErrorCode rc = mt_evolve_energy(in, &e->energy);
  if (!rc) rc = mt_evolve_formula(in, "phasefield.source", &e->source);
  if (!rc) rc = open_domain(e);
  if (rc) return rc;
  mt_phase_begin("set up operators");
  rc = open_flow(e);
  mt_phase_end("set up operators");
  return rc;
}

PetscErrorCode mt_evolve_close(MtEvolve *e) {
  if (e->csv) fclose(e->csv);
  free(e->row);
  free(e->field_times);
  PetscCall(mt_march_destroy(&e->march));
  PetscCall(mt_flow_destroy(&e->flow));
  PetscCall(mt_domain_destroy(&e->domain));
  mt_formula_free(&e->source);
  mt_free_energy_free(&e->energy);
  return mt_mesh_destroy(&e->mesh);
}

static double noise_at(const MtInput *in, int64_t id) {
  MtRandom r;
  uint64_t key = (uint64_t)mt_input_int(in, "phasefield.seed");
  mt_random_seed(&r, mt_splitmix64(&key) ^ (uint64_t)id);
  return mt_input_real(in, "phasefield.noise") * (2 * mt_random_uniform(&r) - 1);
}

static PetscErrorCode from_formula(MtEvolve *e, Vec c) {
  MtFormula *f;
  PetscScalar *a;
  PetscErrorCode rc = mt_evolve_formula(e->in, "phasefield.initial_formula", &f);
  if (rc) return rc;
  PetscCall(VecGetArray(c, &a));
  for (PetscInt i = 0; i < e->domain->n_owned; i++) {
    const double *x = e->domain->x + 3 * i, at[MT_NVARS] = {x[0], x[1], x[2], 0};
    a[i] = mt_formula_value(f, at);
  }
  PetscCall(VecRestoreArray(c, &a));
  mt_formula_free(&f);
  return 0;
}

static PetscErrorCode from_file(MtEvolve *e, Vec c) {
  MtH5 *f;
  const char *path = mt_input_string(e->in, "phasefield.initial_file");
  PetscErrorCode rc = mt_h5_open(e->comm, path, "magtwin-fields", 1, &f);
  if (rc) return rc;
  rc = mt_domain_read(e->domain, f, "/c", c);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

static PetscErrorCode check_start(const MtEvolve *e, Vec c) {
  const PetscScalar *a;
  PetscErrorCode rc = 0;
  PetscCall(VecGetArrayRead(c, &a));
  for (PetscInt i = 0; i < e->domain->n_owned && !rc; i++) {
    const double *x = e->domain->x + 3 * i;
    if (!(a[i] >= e->energy.low && a[i] <= e->energy.high && isfinite(a[i])))
      rc = mt_error(MT_ERR_INPUT, "c at the beginning is %g at (%g, %g, %g) nm, must be a number from %g to %g", a[i],
                    x[0], x[1], x[2], e->energy.low, e->energy.high);
  }
  PetscCall(VecRestoreArrayRead(c, &a));
  return mt_agree(e->comm, rc);
}

PetscErrorCode mt_evolve_initial(MtEvolve *e) {
  Vec c = mt_march_field(e->march, 0);
  PetscScalar *a;
  const bool file = strcmp(mt_input_string(e->in, "phasefield.initial"), "file") == 0;
  PetscErrorCode rc = file ? from_file(e, c) : from_formula(e, c);
  if (rc) return rc;
  if (mt_input_real(e->in, "phasefield.noise") > 0) {
    PetscCall(VecGetArray(c, &a));
    for (PetscInt i = 0; i < e->domain->n_owned; i++) a[i] += noise_at(e->in, e->domain->id[i]);
    PetscCall(VecRestoreArray(c, &a));
  }
  rc = check_start(e, c);
  return rc ? rc : mt_march_start(e->march, 0);
}
