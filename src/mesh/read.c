/* Reading a mesh file in parallel: each rank reads a slab of nodes and a slab of tets and checks it; then everything
 * goes home. */
#include "magtwin/error.h"
#include "mesh_impl.h"
#include <math.h>
#include <stdlib.h>

#define REMAKE "make the mesh again with magtwin mesh"

static PetscErrorCode slab_sizes(MtH5 *f, MtMeshSlab *s) {
  int64_t nregion;
  PetscCall(mt_h5_rows(f, "/mesh/x", &s->nv));
  PetscCall(mt_h5_rows(f, "/mesh/tet", &s->nt));
  PetscCall(mt_h5_rows(f, "/mesh/region", &nregion));
  if (nregion != s->nt)
    return mt_error(MT_ERR_INPUT, "%s: %lld tets but %lld regions; " REMAKE, s->path, (long long)s->nt,
                    (long long)nregion);
  if (s->nv < 4 || s->nt < 1)
    return mt_error(MT_ERR_INPUT, "%s: %lld nodes and %lld tets are no mesh; " REMAKE, s->path, (long long)s->nv,
                    (long long)s->nt);
  if (3 * s->nv > (int64_t)PETSC_MAX_INT)
    return mt_error(MT_ERR_INPUT, "%s: %lld nodes need a PETSc built with 64-bit indices", s->path, (long long)s->nv);
  return 0;
}

/* A hash of every tet with its id, added up: does not depend on how the tets are dealt out (finalizer of splitmix64).
 */
static uint64_t hash_tet(int64_t id, const int64_t v[4]) {
  uint64_t h = (uint64_t)id;
  for (int k = 0; k < 4; k++) {
    h += 0x9e3779b97f4a7c15u + (uint64_t)v[k];
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    h ^= h >> 31;
  }
  return h;
}

static PetscErrorCode check_tets(const MtMeshSlab *s, int nregions) {
  for (int64_t i = 0; i < s->nts; i++) {
    for (int k = 0; k < 4; k++)
      if (s->tet[4 * i + k] < 0 || s->tet[4 * i + k] >= s->nv)
        return mt_error(MT_ERR_INPUT, "%s: tet %lld names node %lld, but there are %lld nodes; " REMAKE, s->path,
                        (long long)(s->t0 + i), (long long)s->tet[4 * i + k], (long long)s->nv);
    if (s->region[i] < 0 || s->region[i] >= nregions)
      return mt_error(MT_ERR_INPUT, "%s: tet %lld has region %d, but there are %d regions; " REMAKE, s->path,
                      (long long)(s->t0 + i), (int)s->region[i], nregions);
  }
  return 0;
}

static PetscErrorCode check_nodes(const MtMeshSlab *s) {
  for (int64_t i = 0; i < 3 * s->nvs; i++)
    if (!isfinite(s->x[i]))
      return mt_error(MT_ERR_INPUT, "%s: a coordinate of node %lld is not a finite number; " REMAKE, s->path,
                      (long long)(s->v0 + i / 3));
  return 0;
}

static PetscErrorCode slab_read(MtH5 *f, int nregions, MtMeshSlab *s) {
  PetscCall(slab_sizes(f, s));
  mt_slab(s->nv, s->rank, s->nranks, &s->v0, &s->nvs);
  mt_slab(s->nt, s->rank, s->nranks, &s->t0, &s->nts);
  PetscCall(PetscMalloc1(3 * s->nvs, &s->x));
  PetscCall(PetscMalloc1(4 * s->nts, &s->tet));
  PetscCall(PetscMalloc1(s->nts, &s->region));
  PetscCall(mt_h5_read(f, "/mesh/x", H5T_NATIVE_DOUBLE, 3, s->v0, s->nvs, s->x));
  PetscCall(mt_h5_read(f, "/mesh/tet", H5T_NATIVE_INT64, 4, s->t0, s->nts, s->tet));
  PetscCall(mt_h5_read(f, "/mesh/region", H5T_NATIVE_INT32, 1, s->t0, s->nts, s->region));
  PetscErrorCode rc = check_tets(s, nregions);
  PetscCall(mt_agree(s->comm, rc ? rc : check_nodes(s)));
  uint64_t sum = 0;
  for (int64_t i = 0; i < s->nts; i++) sum += hash_tet(s->t0 + i, s->tet + 4 * i);
  PetscCallMPI(MPI_Allreduce(&sum, &s->fingerprint, 1, MPI_UINT64_T, MPI_SUM, s->comm));
  return 0;
}

static PetscErrorCode slab_free(MtMeshSlab *s) {
  PetscCall(PetscFree(s->x));
  PetscCall(PetscFree(s->tet));
  PetscCall(PetscFree(s->region));
  PetscCall(PetscFree(s->owner));
  return 0;
}

static PetscErrorCode read_attributes(MtH5 *f, MtMesh *m) {
  PetscCall(mt_h5_get_reals(f, "/mesh", "sphere", 4, m->sphere));
  PetscCall(mt_h5_get_reals(f, "/mesh", "magnet_box", 6, m->magnet_box));
  PetscCall(mt_h5_get_reals(f, "/mesh", "gb_thickness", 1, &m->gb_thickness));
  PetscCall(mt_h5_get_reals(f, "/mesh", "size", 1, &m->size));
  PetscCall(mt_h5_get_string(f, "/", "input", &m->input));
  return 0;
}

/* Positive volumes, and no node without a tet (its row of every matrix would be empty). */
static PetscErrorCode check_geometry(const char *path, const MtMesh *m) {
  bool *used;
  PetscInt lonely = -1;
  PetscCall(PetscCalloc1(m->nv_local, &used));
  for (PetscInt t = 0; t < m->nt_local; t++) {
    double x[4][3];
    for (int k = 0; k < 4; k++) {
      used[m->tet[4 * t + k]] = true;
      for (int c = 0; c < 3; c++) x[k][c] = m->x[3 * m->tet[4 * t + k] + c];
    }
    const double volume = mt_tet_volume((const double(*)[3])x);
    if (!(volume > 0)) {
      PetscCall(PetscFree(used));
      return mt_error(MT_ERR_INPUT, "%s: tet %lld has volume %g nm3, must be > 0; " REMAKE, path, (long long)m->tid[t],
                      volume);
    }
  }
  for (PetscInt i = 0; i < m->nv_owned && lonely < 0; i++)
    if (!used[i]) lonely = i;
  PetscCall(PetscFree(used));
  if (lonely >= 0)
    return mt_error(MT_ERR_INPUT, "%s: node %lld belongs to no tet; " REMAKE, path, (long long)m->vid[lonely]);
  return 0;
}

static PetscErrorCode make_slab_scatter(MtMesh *m) {
  int64_t start, n;
  PetscInt *vid;
  IS to;
  Vec rows;
  PetscCall(mt_slab_here(m->comm, m->nv_global, &start, &n));
  PetscCall(VecCreateMPI(m->comm, (PetscInt)n, PETSC_DETERMINE, &m->slab));
  PetscCall(VecCreateMPI(m->comm, m->nv_owned, PETSC_DETERMINE, &rows));
  PetscCall(PetscMalloc1(m->nv_owned, &vid));
  for (PetscInt i = 0; i < m->nv_owned; i++) vid[i] = (PetscInt)m->vid[i];
  PetscCall(ISCreateGeneral(m->comm, m->nv_owned, vid, PETSC_OWN_POINTER, &to));
  IS from;
  PetscCall(ISCreateStride(m->comm, m->nv_owned, m->row_start, 1, &from));
  PetscCall(VecScatterCreate(rows, from, m->slab, to, &m->to_slab));
  PetscCall(ISDestroy(&from));
  PetscCall(ISDestroy(&to));
  PetscCall(VecDestroy(&rows));
  return 0;
}

static PetscErrorCode fill(MtH5 *f, MtMeshSlab *s, MtMesh *m) {
  PetscCall(mt_regions_read(f, s->path, &m->regions));
  PetscCall(read_attributes(f, m));
  PetscCall(slab_read(f, m->regions.n, s));
  PetscCall(mt_mesh_partition(s, &m->regions));
  PetscCall(mt_mesh_distribute(s, m));
  PetscCall(mt_agree(m->comm, check_geometry(s->path, m)));
  m->nt_body = m->nt_global;
  if (mt_h5_exists(f, "/body/region")) PetscCall(mt_h5_rows(f, "/body/region", &m->nt_body));
  PetscCall(make_slab_scatter(m));
  return mt_mesh_twins_read(f, s->path, m);
}

PetscErrorCode mt_mesh_read(MPI_Comm comm, const char *path, MtMesh **mesh) {
  MtH5 *f;
  MtMesh *m;
  MtMeshSlab s = {.comm = comm, .path = path};
  *mesh = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &s.rank));
  PetscCallMPI(MPI_Comm_size(comm, &s.nranks));
  PetscCall(mt_h5_open(comm, path, MT_MESH_FORMAT, MT_MESH_VERSION, &f));
  PetscCall(PetscNew(&m));
  m->comm = comm;
  PetscErrorCode rc = fill(f, &s, m);
  PetscCall(slab_free(&s));
  PetscCall(mt_h5_close(&f));
  if (rc) PetscCall(mt_mesh_destroy(&m));
  *mesh = m;
  return rc;
}

PetscErrorCode mt_mesh_destroy(MtMesh **mesh) {
  MtMesh *m = *mesh;
  if (!m) return 0;
  PetscCall(PetscFree(m->vid));
  PetscCall(PetscFree(m->row));
  PetscCall(PetscFree(m->x));
  PetscCall(PetscFree(m->base_row));
  PetscCall(PetscFree(m->tet));
  PetscCall(PetscFree(m->tid));
  PetscCall(PetscFree(m->region));
  PetscCall(PetscFree(m->tet_owned));
  mt_regions_free(&m->regions);
  free(m->input);
  PetscCall(PetscSFDestroy(&m->sf));
  PetscCall(VecScatterDestroy(&m->to_slab));
  PetscCall(VecDestroy(&m->slab));
  PetscCall(PetscFree(*mesh));
  return 0;
}
