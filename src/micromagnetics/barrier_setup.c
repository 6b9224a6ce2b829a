/* What a run of energy barriers stands on: the team, and in each of its groups mesh, materials, energy, minimizer and a
 * share of the images. */
#include "barrier_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <stdlib.h>

/* The first group reads the mesh alone, so that one partition is made and kept beside it for the others. */
static PetscErrorCode read_mesh(MtBarrier *b, const char *mesh_path) {
  PetscErrorCode rc = 0;
  mt_phase_begin("read mesh");
  if (b->team.mine == 0) rc = mt_mesh_read(b->team.group, mesh_path, &b->mesh);
  rc = mt_agree(b->world, rc);
  if (!rc && b->team.mine > 0) rc = mt_mesh_read(b->team.group, mesh_path, &b->mesh);
  mt_phase_end("read mesh");
  return mt_agree(b->world, rc);
}

static PetscErrorCode embed(MtBarrier *b) {
  double body[6], sample[6] = {0};
  if (!mt_sample_read(b->in, sample)) return 0;
  PetscErrorCode rc = mt_energy_body_factors(b->energy, body);
  return rc ? rc : mt_energy_embed(b->energy, body, sample);
}

static PetscErrorCode make_energy(MtBarrier *b) {
  PetscCall(mt_materials_assign(b->team.group, b->in, &b->mesh->regions, &b->material));
  PetscErrorCode rc = mt_energy_open(b->mesh, b->in, b->material, b->opt.modes, &b->energy);
  if (!rc) rc = embed(b);
  return rc ? rc : mt_minimizer_create(b->energy, &b->opt.minimizer, &b->minimizer);
}

static PetscErrorCode make_site(MtBarrier *b, const char *mesh_path) {
  b->site = (MtSite){.comm = b->team.group,
                     .in = b->in,
                     .folder = b->folder,
                     .mesh_path = mesh_path,
                     .mesh = b->mesh,
                     .material = b->material,
                     .nodes = mt_energy_nodes(b->energy),
                     .composition = mt_energy_composition(b->energy)};
  PetscCallMPI(MPI_Comm_rank(b->team.group, &b->site.rank));
  PetscCall(mt_site_fingerprint(b->mesh, &b->site.fingerprint));
  b->site.constants = mt_site_constants(&b->site);
  PetscCall(mt_site_mix_extras(b->energy, &b->site.constants));
  return mt_site_warn_coarse(&b->site);
}

static PetscErrorCode make_path(MtBarrier *b) {
  Vec u;
  PetscCall(mt_path_create(&b->team, b->energy, b->opt.images, &b->opt.path, &b->path));
  if (b->team.mine != b->team.ngroups - 1) return 0;
  PetscCall(mt_energy_create_vec(b->energy, &b->final));
  PetscCall(mt_energy_potential(b->energy, &u));
  if (!u) return 0;
  PetscCall(VecDuplicate(u, &b->final_u));
  return VecZeroEntries(b->final_u);
}

static PetscErrorCode make_all(MtBarrier *b, const char *mesh_path) {
  PetscErrorCode rc = make_energy(b);
  if (!rc) rc = make_site(b, mesh_path);
  return rc ? rc : make_path(b);
}

PetscErrorCode mt_barrier_open(MtBarrier *b, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                               const char *folder) {
  *b = (MtBarrier){.world = comm, .in = in, .folder = folder};
  b->rows.width = MT_BARRIER_ROW;
  b->images.width = MT_IMAGE_ROW;
  b->kept.width = MT_KEPT_IMAGE;
  PetscCallMPI(MPI_Comm_rank(comm, &b->rank));
  mt_barrier_options(in, &b->opt);
  PetscCall(mt_team_create(comm, b->opt.groups, &b->team));
  PetscCall(read_mesh(b, mesh_path));
  mt_phase_begin("set up operators");
  PetscErrorCode rc = mt_agree(comm, make_all(b, mesh_path));
  mt_phase_end("set up operators");
  return rc ? rc : mt_petsc_options_used(comm, in);
}

PetscErrorCode mt_barrier_close(MtBarrier *b) {
  mt_table_free(&b->rows);
  mt_table_free(&b->images);
  mt_table_free(&b->kept);
  PetscCall(VecDestroy(&b->final));
  PetscCall(VecDestroy(&b->final_u));
  PetscCall(mt_path_destroy(&b->path));
  PetscCall(mt_minimizer_destroy(&b->minimizer));
  PetscCall(mt_energy_destroy(&b->energy));
  free(b->material);
  PetscCall(mt_mesh_destroy(&b->mesh));
  return mt_team_destroy(&b->team);
}
