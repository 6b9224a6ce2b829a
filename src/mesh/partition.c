/* Who owns which node: METIS (multilevel k-way) on the graph of nodes that share a tet, minimizing cut edges at
 * balanced weight.
 *
 * The result is kept beside the mesh in `<mesh>.part<N>.h5`, a file of its own that appears by rename: the mesh file is
 * never opened for writing again, so that a kill at any moment leaves it whole.  A fingerprint of the tets ties the two
 * together; a partition that is damaged or of another mesh is made anew.
 *
 * METIS is serial: while a partition is made rank 0 alone holds arrays of global size (the tets and the nodal graph,
 * about 200 bytes a node); on a machine where that does not fit, make the partition beforehand with a job that has one
 * fat rank. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "mesh_impl.h"
#include <metis.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARTITION_FORMAT "magtwin-partition"
enum {
  PARTITION_VERSION = 1,
  PARTITION_SEED = 1,
  /* Cost of a node in a run: a row of the Poisson operator each; those of the magnet carry the magnetization too, a
   * 3-vector with its exchange, gradient and divergence rows. */
  WEIGHT_AIR = 1,
  WEIGHT_MAGNET = 3,
};

/* The whole mesh's connectivity on rank 0. */
typedef struct {
  int64_t nv, nt;
  idx_t *tet;    /* [4 nt] */
  idx_t *base;   /* [nv] node on whose place each lies, NULL: itself; such nodes go to one owner */
  idx_t *weight; /* [nv] */
} Graph;

/* Nodes on one place are one node of the graph. */
static PetscErrorCode join_twins(const MtMeshSlab *slab, Graph *g) {
  if (!g->base) return 0;
  for (int64_t i = 0; i < slab->nv; i++)
    if (g->base[i] < 0 || g->base[i] > i || g->base[g->base[i]] != g->base[i])
      return mt_error(MT_ERR_INPUT, "%s: /mesh/base of node %lld is %lld; make the mesh again", slab->path,
                      (long long)i, (long long)g->base[i]);
  for (int64_t i = 0; i < 4 * slab->nt; i++) g->tet[i] = g->base[g->tet[i]];
  return 0;
}

static PetscErrorCode read_graph(const MtMeshSlab *slab, const MtRegions *regions, Graph *g) {
  MtH5 *f;
  int32_t *region;
  const hid_t type = sizeof(idx_t) == 8 ? H5T_NATIVE_INT64 : H5T_NATIVE_INT32;
  PetscCall(PetscMalloc2(4 * slab->nt, &g->tet, slab->nv, &g->weight));
  PetscCall(PetscMalloc1(slab->nt, &region));
  g->base = NULL;
  PetscCall(mt_h5_open(PETSC_COMM_SELF, slab->path, MT_MESH_FORMAT, MT_MESH_VERSION, &f));
  PetscCall(mt_h5_read(f, "/mesh/tet", type, 4, 0, slab->nt, g->tet));
  PetscCall(mt_h5_read(f, "/mesh/region", H5T_NATIVE_INT32, 1, 0, slab->nt, region));
  if (mt_h5_exists(f, "/mesh/base")) {
    PetscCall(PetscMalloc1(slab->nv, &g->base));
    PetscCall(mt_h5_read(f, "/mesh/base", type, 1, 0, slab->nv, g->base));
  }
  PetscCall(mt_h5_close(&f));
  PetscCall(join_twins(slab, g));
  for (int64_t i = 0; i < slab->nv; i++) g->weight[i] = WEIGHT_AIR;
  for (int64_t t = 0; t < slab->nt; t++)
    if (regions->kind[region[t]] != MT_REGION_AIR)
      for (int k = 0; k < 4; k++) g->weight[g->tet[4 * t + k]] = WEIGHT_MAGNET;
  PetscCall(PetscFree(region));
  g->nv = slab->nv;
  g->nt = slab->nt;
  return 0;
}

static PetscErrorCode call_metis(Graph *g, int nranks, idx_t *part) {
  idx_t nv = (idx_t)g->nv, nt = (idx_t)g->nt, numbering = 0, ncon = 1, nparts = nranks, cut;
  idx_t *start, *xadj, *adjncy, options[METIS_NOPTIONS];
  PetscCall(PetscMalloc1(g->nt + 1, &start));
  for (idx_t t = 0; t <= nt; t++) start[t] = 4 * t;
  int rc = METIS_MeshToNodal(&nt, &nv, start, g->tet, &numbering, &xadj, &adjncy);
  PetscCall(PetscFree(start));
  if (rc != METIS_OK)
    return mt_error(MT_ERR_FAIL, "METIS cannot make the graph of %lld nodes (code %d)", (long long)nv, rc);
  METIS_SetDefaultOptions(options);
  options[METIS_OPTION_SEED] = PARTITION_SEED;
  rc = METIS_PartGraphKway(&nv, &ncon, xadj, adjncy, g->weight, NULL, NULL, &nparts, NULL, NULL, options, &cut, part);
  METIS_Free(xadj);
  METIS_Free(adjncy);
  if (rc != METIS_OK)
    return mt_error(MT_ERR_FAIL, "METIS cannot split %lld nodes for %d ranks (code %d)", (long long)nv, nranks, rc);
  return 0;
}

static PetscErrorCode make_on_root(const MtMeshSlab *slab, const MtRegions *regions, int32_t *owner) {
  if (slab->nt > (int64_t)(sizeof(idx_t) == 8 ? INT64_MAX / 8 : INT32_MAX / 8))
    return mt_error(MT_ERR_FAIL,
                    "%s: %lld tets are too many for METIS with 32-bit indices; use a METIS built with 64-bit ones",
                    slab->path, (long long)slab->nt);
  Graph g;
  idx_t *part;
  PetscCall(read_graph(slab, regions, &g));
  PetscCall(PetscCalloc1(slab->nv, &part));
  PetscErrorCode rc = call_metis(&g, slab->nranks, part);
  for (int64_t i = 0; i < slab->nv; i++) owner[i] = (int32_t)part[g.base ? g.base[i] : (idx_t)i];
  PetscCall(PetscFree(g.base));
  PetscCall(PetscFree(part));
  PetscCall(PetscFree2(g.tet, g.weight));
  return rc;
}

/* Rank 0 deals the owners out to the slabs. */
static PetscErrorCode deal_out(MtMeshSlab *slab, const int32_t *all) {
  int *count = NULL, *start = NULL;
  if (!slab->rank) {
    PetscCall(PetscMalloc2(slab->nranks, &count, slab->nranks, &start));
    for (int r = 0; r < slab->nranks; r++) {
      int64_t first, n;
      mt_slab(slab->nv, r, slab->nranks, &first, &n);
      count[r] = (int)n;
      start[r] = (int)first;
    }
  }
  PetscCallMPI(MPI_Scatterv(all, count, start, MPI_INT32_T, slab->owner, (int)slab->nvs, MPI_INT32_T, 0, slab->comm));
  if (!slab->rank) PetscCall(PetscFree2(count, start));
  return 0;
}

static bool owners_in_range(const MtMeshSlab *slab) {
  for (int64_t i = 0; i < slab->nvs; i++)
    if (slab->owner[i] < 0 || slab->owner[i] >= slab->nranks) return false;
  return true;
}

/* *found: the file holds a sound partition of this very mesh.  A bad one is no error, it is made again. */
static PetscErrorCode load(MtMeshSlab *slab, const char *path, bool *found) {
  MtH5 *f;
  int present = !slab->rank && access(path, R_OK) == 0;
  *found = false;
  PetscCallMPI(MPI_Bcast(&present, 1, MPI_INT, 0, slab->comm));
  if (!present) return 0;
  int64_t key = 0, rows = 0;
  PetscErrorCode rc = mt_h5_open(slab->comm, path, PARTITION_FORMAT, PARTITION_VERSION, &f);
  if (!rc) {
    rc = mt_h5_get_ints(f, "/", "mesh_fingerprint", 1, &key);
    if (!rc) rc = mt_h5_rows(f, "/owner", &rows);
    if (!rc && rows == slab->nv) rc = mt_h5_read(f, "/owner", H5T_NATIVE_INT32, 1, slab->v0, slab->nvs, slab->owner);
    PetscCall(mt_h5_close(&f));
  }
  int sound = !rc && (uint64_t)key == slab->fingerprint && rows == slab->nv && owners_in_range(slab), all;
  PetscCallMPI(MPI_Allreduce(&sound, &all, 1, MPI_INT, MPI_LAND, slab->comm));
  if (rc) mt_error_clear();
  if (!all) mt_log("%s is damaged or of another mesh: made again", path);
  *found = all;
  return 0;
}

static PetscErrorCode save_content(const MtMeshSlab *slab, MtH5 *f) {
  const int64_t key = (int64_t)slab->fingerprint;
  PetscCall(mt_h5_write(f, "/owner", H5T_NATIVE_INT32, slab->nv, 1, slab->v0, slab->nvs, slab->owner, "1"));
  PetscCall(mt_h5_set_ints(f, "/", "mesh_fingerprint", 1, &key));
  return 0;
}

static PetscErrorCode save_file(const MtMeshSlab *slab, const char *path) {
  MtH5 *f;
  PetscErrorCode rc = mt_h5_create(slab->comm, path, PARTITION_FORMAT, PARTITION_VERSION, &f);
  if (rc) return rc;
  rc = save_content(slab, f);
  if (!rc) return mt_h5_commit(&f, false);
  PetscCall(mt_h5_discard(&f));
  return rc;
}

/* What cannot be written costs the cache, not the run: a folder of someone else, a full disk, another run that keeps
 * its partition of the same mesh at the same moment. */
static PetscErrorCode save(const MtMeshSlab *slab, const char *path) {
  char folder[PETSC_MAX_PATH_LEN];
  PetscCall(PetscStrncpy(folder, path, sizeof folder));
  char *slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = '\0';
  int writable = !slab->rank && access(slash ? folder : ".", W_OK) == 0;
  PetscCallMPI(MPI_Bcast(&writable, 1, MPI_INT, 0, slab->comm));
  if (!writable) {
    mt_log("partition not kept: %s cannot be written", slash ? folder : "the working folder");
    return 0;
  }
  if (save_file(slab, path)) {
    mt_log("partition not kept: %s", mt_error_message());
    mt_error_clear();
  }
  return 0;
}

static PetscErrorCode make(MtMeshSlab *slab, const MtRegions *regions) {
  int32_t *all = NULL;
  PetscErrorCode rc = 0;
  if (!slab->rank) {
    PetscCall(PetscMalloc1(slab->nv, &all));
    rc = make_on_root(slab, regions, all);
  }
  PetscCall(mt_agree_root(slab->comm, rc));
  PetscCall(deal_out(slab, all));
  PetscCall(PetscFree(all));
  return 0;
}

PetscErrorCode mt_mesh_partition(MtMeshSlab *slab, const MtRegions *regions) {
  bool found;
  char path[PETSC_MAX_PATH_LEN];
  PetscCall(PetscMalloc1(slab->nvs, &slab->owner));
  memset(slab->owner, 0, sizeof *slab->owner * (size_t)slab->nvs);
  if (slab->nranks == 1) return 0;
  PetscCall(PetscSNPrintf(path, sizeof path, "%s.part%d.h5", slab->path, slab->nranks));
  PetscCall(load(slab, path, &found));
  if (found) return 0;
  PetscCall(make(slab, regions));
  return save(slab, path);
}
