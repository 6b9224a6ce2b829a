/* Shared by the files of this folder only. */
#ifndef MAGTWIN_MESH_IMPL_H
#define MAGTWIN_MESH_IMPL_H

#include "magtwin/h5.h"
#include "magtwin/mesh.h"

#define MT_MESH_FORMAT "magtwin-mesh"
enum { MT_MESH_VERSION = 1 };

void mt_regions_free(MtRegions *r);
PetscErrorCode mt_regions_write(MtH5 *f, const MtRegions *r);
/* Replicated on every rank; MT_ERR_INPUT if the tables contradict each other.  Collective. */
PetscErrorCode mt_regions_read(MtH5 *f, const char *path, MtRegions *r);

/* What one rank reads of the file: a slab of the nodes and a slab of the tets, by file id. */
typedef struct {
  MPI_Comm comm;
  int rank, nranks;
  const char *path;
  int64_t nv, nt;       /* of the file */
  int64_t v0, nvs;      /* this rank's nodes [v0, v0 + nvs) */
  int64_t t0, nts;      /* this rank's tets */
  double *x;            /* [3 nvs] nm */
  int64_t *tet;         /* [4 nts] */
  int32_t *region;      /* [nts] */
  int32_t *owner;       /* [nvs] rank that owns the node */
  uint64_t fingerprint; /* of all tets, the same on every rank: tells whether a cached partition is of this mesh */
} MtMeshSlab;

/* Fills slab->owner: from the cache beside the mesh file, else by METIS on rank 0, then cached.  Collective. */
PetscErrorCode mt_mesh_partition(MtMeshSlab *slab, const MtRegions *regions);
/* /mesh/base, where the file has it, -> mesh->base_row.  MT_ERR_INPUT if nodes do not lie where it says.  Collective.
 */
PetscErrorCode mt_mesh_twins_read(MtH5 *f, const char *path, MtMesh *mesh);
/* Sends nodes and tets home: fills counts, numbering, coordinates, tets and the star forest of mesh.  Collective. */
PetscErrorCode mt_mesh_distribute(const MtMeshSlab *slab, MtMesh *mesh);

#endif
