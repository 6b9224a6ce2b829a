/* Energies of a series of states and the work between them, node by node. */
#include "kernels.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "work_impl.h"
#include <stdlib.h>
#include <string.h>

static const double EXACT = 1e-10; /* relative residual of the stray field */

static PetscErrorCode embed(MtStand *s, const MtInput *in) {
  double body[6], sample[6] = {0};
  if (!mt_sample_read(in, sample)) return 0;
  PetscCall(mt_energy_body_factors(s->energy, body));
  return mt_energy_embed(s->energy, body, sample);
}

PetscErrorCode mt_stand_open(MtStand *s, MPI_Comm comm, const MtInput *in, const char *mesh) {
  const int modes = mt_input_bool(in, "demagnetizing.enabled") ? (int)mt_input_int(in, "demagnetizing.modes") : -1;
  *s = (MtStand){.site = {.comm = comm, .in = in, .mesh_path = mesh}};
  PetscCallMPI(MPI_Comm_rank(comm, &s->site.rank));
  PetscCall(mt_mesh_read(comm, mesh, &s->site.mesh));
  PetscCall(mt_materials_assign(comm, in, &s->site.mesh->regions, &s->site.material));
  PetscCall(mt_energy_open(s->site.mesh, in, s->site.material, modes, &s->energy));
  PetscCall(embed(s, in));
  s->site.nodes = mt_energy_nodes(s->energy);
  for (int i = 0; i < 2; i++) {
    PetscCall(mt_energy_create_vec(s->energy, &s->m[i]));
    PetscCall(VecDuplicate(s->m[i], &s->g[i]));
  }
  s->owned = mt_calloc((size_t)s->site.mesh->nv_owned, sizeof *s->owned);
  return 0;
}

PetscErrorCode mt_stand_close(MtStand *s) {
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDestroy(&s->m[i]));
    PetscCall(VecDestroy(&s->g[i]));
  }
  PetscCall(mt_energy_destroy(&s->energy));
  free(s->site.material);
  free(s->owned);
  return s->site.mesh ? mt_mesh_destroy(&s->site.mesh) : 0;
}

/* Of the nodes of this rank's slab. */
static PetscErrorCode node_volumes(MtStand *s, MtWork *w) {
  MtMesh *mesh = s->site.mesh;
  mt_mesh_node_volumes(mesh, s->owned);
  return mt_mesh_to_file_order(mesh, s->owned, &w->node_volume, &w->count);
}

PetscErrorCode mt_state_field(MPI_Comm comm, const char *path, double B[3]) {
  MtH5 *f;
  PetscCall(mt_h5_open(comm, path, "magtwin-state", 1, &f));
  PetscErrorCode rc = mt_h5_get_reals(f, "/", "field_T", 3, B), closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

/* State i -> m[0], g[0] (without the applied field), its energies, field and polarization. */
static PetscErrorCode take_state(MtStand *s, MtWork *w, const char *key, int i, const char *path) {
  static const double none[3] = {0, 0, 0}, along[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  double *term = w->term + (size_t)i * MT_NTERMS, *B = w->B + 3 * (size_t)i, *J = w->J + 3 * (size_t)i;
  MtEnergyValues E;
  PetscCall(mt_site_read_state(&s->site, path, key, s->m[0]));
  PetscCall(mt_state_field(s->site.comm, path, B));
  PetscCall(mt_energy_eval(s->energy, s->m[0], none, EXACT, &E, s->g[0]));
  for (int t = 0; t < MT_NTERMS; t++) term[t] = E.term[t] / w->volume;
  for (int a = 0; a < 3; a++) PetscCall(mt_energy_polarization(s->energy, s->m[0], along[a], &J[a]));
  term[MT_TERM_ZEEMAN] = -mt_dot3(J, B) / MT_MU0;
  return 0;
}

/* Between the state before, at index 1, and this one. */
static PetscErrorCode take_work(MtStand *s, double *work) {
  const PetscScalar *a, *b, *ga, *gb;
  double *slab;
  int64_t n;
  PetscCall(VecGetArrayRead(s->m[1], &a));
  PetscCall(VecGetArrayRead(s->m[0], &b));
  PetscCall(VecGetArrayRead(s->g[1], &ga));
  PetscCall(VecGetArrayRead(s->g[0], &gb));
  for (PetscInt v = 0; v < s->site.mesh->nv_owned; v++) s->owned[v] = 0;
  for (PetscInt i = 0; i < s->site.nodes->n_owned; i++) {
    double sum = 0;
    for (PetscInt c = 3 * i; c < 3 * i + 3; c++) sum += (b[c] - a[c]) * (ga[c] + gb[c]) / 2;
    s->owned[s->site.nodes->node[i]] = sum;
  }
  PetscCall(VecRestoreArrayRead(s->m[1], &a));
  PetscCall(VecRestoreArrayRead(s->m[0], &b));
  PetscCall(VecRestoreArrayRead(s->g[1], &ga));
  PetscCall(VecRestoreArrayRead(s->g[0], &gb));
  PetscCall(mt_mesh_to_file_order(s->site.mesh, s->owned, &slab, &n));
  memcpy(work, slab, (size_t)n * sizeof *work);
  free(slab);
  return 0;
}

static PetscErrorCode keep_last(MtStand *s) {
  PetscCall(VecSwap(s->m[0], s->m[1]));
  return VecSwap(s->g[0], s->g[1]);
}

static PetscErrorCode compute(MtStand *s, const char *key, int n, const char *const *file, MtWork *w) {
  int ranks;
  PetscCallMPI(MPI_Comm_size(s->site.comm, &ranks));
  w->n = n;
  w->volume = mt_energy_volume(s->energy);
  w->nodes = s->site.mesh->nv_global;
  mt_slab(w->nodes, s->site.rank, ranks, &w->start, &w->count);
  for (int t = 0; t < MT_NTERMS; t++) w->uses[t] = mt_energy_uses(s->energy, (MtTerm)t);
  w->uses[MT_TERM_DEMAG] = mt_input_bool(s->site.in, "demagnetizing.enabled");
  w->term = mt_calloc((size_t)n * MT_NTERMS, sizeof *w->term);
  w->B = mt_calloc(3 * (size_t)n, sizeof *w->B);
  w->J = mt_calloc(3 * (size_t)n, sizeof *w->J);
  PetscCall(node_volumes(s, w));
  w->work = mt_calloc((size_t)(n - 1) * (size_t)w->count, sizeof *w->work);
  for (int i = 0; i < n; i++) {
    PetscCall(take_state(s, w, key, i, file[i]));
    if (i) PetscCall(take_work(s, w->work + (size_t)(i - 1) * (size_t)w->count));
    PetscCall(keep_last(s));
    mt_progress("energies of state %d of %d", i + 1, n);
  }
  mt_progress_end();
  return 0;
}

PetscErrorCode mt_work_compute(MPI_Comm comm, const MtInput *in, const char *mesh, const char *key, int n,
                               const char *const *file, MtWork *w) {
  MtStand s;
  memset(w, 0, sizeof *w);
  PetscErrorCode rc = mt_stand_open(&s, comm, in, mesh);
  if (!rc) rc = compute(&s, key, n, file, w);
  PetscErrorCode closed = mt_stand_close(&s);
  return rc ? rc : closed;
}

void mt_work_free(MtWork *w) {
  free(w->term);
  free(w->B);
  free(w->J);
  free(w->node_volume);
  free(w->work);
  memset(w, 0, sizeof *w);
}
