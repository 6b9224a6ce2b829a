/* What a phase-field run stands on: the domain and the model. */
#include "evolve_impl.h"
#include "magtwin/run.h"
#include <stdlib.h>

static PetscErrorCode open_domain(MtEvolve *e) {
  PetscErrorCode rc = 0;
  if (mt_evolve_on_box(e->in)) {
    MtBox box;
    if (mt_input_has(e->in, "box.size"))
      mt_evolve_box(e->in, &box);
    else
      rc = mt_labels_box(e->given->labels, &box);
    return rc ? rc : mt_domain_box(e->comm, &box, &e->domain);
  }
  mt_phase_begin("read mesh");
  rc = mt_mesh_read(e->comm, e->mesh_path, &e->mesh);
  mt_phase_end("read mesh");
  return rc ? rc : mt_domain_mesh(e->mesh, &e->domain);
}

PetscErrorCode mt_system_open(const MtDomain *domain, const MtInput *in, MtSystem **s) {
  return mt_grain_growth_asked(in)  ? mt_system_grains(domain, in, s)
         : mt_evolve_two_phases(in) ? mt_system_kks(domain, in, s)
                                    : mt_system_flow(domain, in, s);
}

PetscErrorCode mt_evolve_open(MtEvolve *e, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                              const MtEvolveGiven *given, const char *folder) {
  *e = (MtEvolve){.comm = comm, .in = in, .mesh_path = mesh_path, .given = given, .folder = folder, .saved_t = -1};
  e->mark.field_t = -1;
  PetscCallMPI(MPI_Comm_rank(comm, &e->rank));
  mt_evolve_options(in, &e->opt);
  PetscErrorCode rc = open_domain(e);
  if (rc) return rc;
  e->domain->labels = given->labels;
  e->domain->ngrain_energies = given->ngrains;
  e->domain->grain_energy = given->energy;
  if (!mt_grain_growth_asked(in)) mt_temperature_warn(in);
  mt_phase_begin("set up operators");
  rc = mt_system_open(e->domain, in, &e->system);
  mt_phase_end("set up operators");
  return rc;
}

PetscErrorCode mt_evolve_close(MtEvolve *e) {
  if (e->csv) fclose(e->csv);
  free(e->row);
  free(e->field_times);
  if (e->system) PetscCall(e->system->call->destroy(&e->system));
  PetscCall(mt_domain_destroy(&e->domain));
  return mt_mesh_destroy(&e->mesh);
}
