/* The tetrahedral mesh: its regions, its file, and its distributed form.
 *
 * mesh.h5 (format "magtwin-mesh", version 1), everything by file id, independent of the rank count:
 *   /mesh/x [nv,3] f64 nm, /mesh/tet [nt,4] i32 or i64, positively oriented, /mesh/region [nt] i32
 *   /regions/kind, /regions/grains [nr,4] i32 (unused -1), /regions/name, /regions/volume [nr] nm3
 *   /regions/thickness [nr] nm: what was asked of each boundary's phase, only where it is not the same for all
 *   /grains/axis [ng,3] (easy axis, unit), /grains/center [ng,3] nm
 *   /grains/orientation [ng,4]: unit quaternion w x y z, crystal -> sample; not in files of earlier versions
 *   /mesh/base [nv] i64, only where grains have nodes of their own on shared faces: the smallest node at each one's
 * place attributes on /mesh: sphere [4] (centre, radius, nm; radius 0: no air), magnet_box [6] nm, gb_thickness nm,
 * size nm attribute "input" on /: canonical text of the sections that made it Beside it, made when first needed:
 * mesh.h5.part<N>.h5 (format "magtwin-partition", version 1): /owner [nv] i32, the owner of each node on N ranks
 * (METIS), and the fingerprint of the mesh it is of.  The mesh file itself is never written again.
 */
#ifndef MAGTWIN_MESH_H
#define MAGTWIN_MESH_H

#include <petscsf.h>
#include <petscvec.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  MT_REGION_GRAIN,
  MT_REGION_GB,
  MT_REGION_TRIPLE,
  MT_REGION_JUNCTION,
  MT_REGION_AIR,
  MT_REGION_SURFACE, /* of a grain: its layer at the surface of the magnet */
  MT_REGION_POCKET,  /* of phase at a triple line or junction */
  MT_REGION_NKINDS
} MtRegionKind;
/* "grain", "gb", "triple_line", "junction", "air", "surface", "pocket".  Plain C. */
const char *mt_region_kind_name(MtRegionKind kind);
/* Part of a grain, with its axis: the grain itself or its layer at the surface. */
static inline bool mt_region_is_grain(MtRegionKind kind) {
  return kind == MT_REGION_GRAIN || kind == MT_REGION_SURFACE;
}

/* Arrays from malloc.  Replicated on every rank: its size grows with the number of grains, not of tets. */
typedef struct {
  int n;
  MtRegionKind *kind; /* [n] */
  int32_t *grains; /* [4n] grains that meet there, ascending, -1 unused (a junction of more than 4 keeps the first 4) */
  char **name;     /* [n] "grain 3", "gb 3-7", "triple_line 3-7-9 #12", "junction 3-7-9-11 #5", "air", "surface 3",
                      "pocket 3-7-9 #12" */
  double *volume;  /* [n] nm3, sum of its tets */
  int ngrains;
  double *axis;        /* [3 ngrains] unit easy axes */
  double *orientation; /* [4 ngrains] unit quaternions w, x, y, z: crystal -> sample; NULL: not known */
  double *center;      /* [3 ngrains] nm */
  double *thickness; /* [n] nm, asked of a boundary's phase, 0: no such region; NULL: the same for all (gb_thickness) */
} MtRegions;

/* A whole mesh on one rank, arrays from malloc: what the mesher makes and the file holds. */
typedef struct {
  int64_t nv, nt;
  double *x;       /* [3nv] nm */
  int64_t *tet;    /* [4nt] node, positive volume */
  int32_t *region; /* [nt] index into regions */
  int64_t *base;   /* [nv] smallest node at the same place, NULL: no two nodes lie on one place */
  MtRegions regions;
  double sphere[4];     /* centre and radius of the outer boundary, nm; radius 0: the mesh ends at the magnet */
  double magnet_box[6]; /* bounding box of the magnet: xmin ymin zmin xmax ymax zmax, nm */
  double gb_thickness;  /* nm, mean of what was asked; 0: no GB phase */
  double size;          /* asked edge length in the magnet, nm */
} MtMeshData;
/* A zeroed struct is fine.  Not collective. */
void mt_mesh_data_free(MtMeshData *data);
/* Numbers nodes along a Hilbert curve and tets by region, then by their least node: neighbours lie close in memory.
 * base must be NULL: twins are made afterwards.  Plain C. */
void mt_mesh_data_reorder(MtMeshData *data);
/* Writes rank 0's data to path (atomically; other ranks pass NULL).  input: canonical text kept in the file.
 * Collective. */
PetscErrorCode mt_mesh_data_write(MPI_Comm comm, const MtMeshData *data, const char *path, const char *input);
/* The mesh for other programs, on the rank that has it: Gmsh's MSH 2.2 with the regions as physical groups, and VTK's
 * XML unstructured grid with the cell arrays region and kind.  Atomically; MT_ERR_INPUT with the system's reason. */
PetscErrorCode mt_mesh_data_write_msh(const MtMeshData *data, const char *path);
PetscErrorCode mt_mesh_data_write_vtu(const MtMeshData *data, const char *path);
/* Reads the whole file on rank 0 (others get an empty one): for reports and small tools.  Collective. */
PetscErrorCode mt_mesh_data_read(MPI_Comm comm, const char *path, MtMeshData *data);

/* The distributed mesh.  A rank owns nodes and holds every tet that touches one of them, so that each row of a matrix
 * is summed by its owner alone, in the order of the tets' file ids: no message, the same bits for any number of
 * ranks. */
typedef struct {
  MPI_Comm comm;
  int64_t nv_global, nt_global;
  int64_t nt_body;    /* the first tets, which the file's group /body shows without the air; nt_global: none */
  PetscInt nv_owned;  /* owned nodes come first in local numbering, ascending by file id */
  PetscInt nv_local;  /* owned + ghosts */
  PetscInt row_start; /* PETSc row of the first owned node; rows are contiguous by rank */
  int64_t *vid;       /* [nv_local] file id */
  PetscInt *row;      /* [nv_local] PETSc row (global) */
  double *x;          /* [3 nv_local] nm */
  PetscInt *base_row; /* [nv_local] row of the node on whose place each lies, of the same owner; NULL: its own */
  PetscInt nt_local;  /* tets that touch an owned node, ascending by file id */
  PetscInt *tet;      /* [4 nt_local] local node */
  int64_t *tid;       /* [nt_local] file id */
  int32_t *region;    /* [nt_local] */
  bool *tet_owned;    /* [nt_local] true on exactly one rank: sums over the magnet visit each tet once */
  MtRegions regions;
  double sphere[4], magnet_box[6], gb_thickness, size;
  char *input;        /* canonical input text of the file */
  PetscSF sf;         /* roots: owned nodes, leaves: all local nodes; for ghosts */
  VecScatter to_slab; /* Vec of rows (bs 1) -> file order (mt_slab of nv_global); used by the two calls below */
  Vec slab;           /* work vector in file order */
} MtMesh;

/* Reads by slabs, partitions (cached beside the file for this number of ranks when the folder can be written; else
 * and the first time rank 0 holds the whole graph while METIS splits it), sends home.
 * MT_ERR_INPUT on a damaged or foreign file.  Collective on comm. */
PetscErrorCode mt_mesh_read(MPI_Comm comm, const char *path, MtMesh **mesh);
/* Sets *mesh to NULL; NULL is fine.  Collective. */
PetscErrorCode mt_mesh_destroy(MtMesh **mesh);
/* Copies owned values [nv_owned, bs] to the ghosts of a local array [nv_local, bs].  Collective. */
PetscErrorCode mt_mesh_ghosts(const MtMesh *mesh, int bs, double *local);

/* A side of a face of the magnet where the region changes or the magnet ends. */
typedef struct {
  PetscInt tet, corner; /* local tet on this side, and its corner opposite to the face */
  PetscInt neighbour;   /* local tet on the other side, -1: air or the end of the mesh */
} MtFace;
/* Nodes on one place count as one.  Those with an owned node, in the order of the tets' file ids; *faces from
 * PetscMalloc, the caller's.  Not collective.
 */
PetscErrorCode mt_mesh_region_faces(const MtMesh *mesh, PetscInt *n, MtFace **faces);
/* Nodes of the face, and its outward normal times its area (nm2).  Not collective. */
void mt_mesh_face(const MtMesh *mesh, const MtFace *face, PetscInt node[3], double area[3]);

struct MtH5;
/* Nodal field, local array [nv_local, bs] (owned part used), to/from dataset [nv_global, bs] by file id.
 * MT_ERR_INPUT where the file has no such data.  Collective. */
PetscErrorCode mt_mesh_write_nodal(MtMesh *mesh, struct MtH5 *f, const char *name, int bs, const double *local,
                                   const char *unit);
PetscErrorCode mt_mesh_read_nodal(const MtMesh *mesh, struct MtH5 *f, const char *name, int bs, double *local);

/* A value of each owned node [nv_owned] -> those of this rank's slab of the file's order (mt_slab), from malloc.
 * Collective. */
PetscErrorCode mt_mesh_to_file_order(MtMesh *mesh, const double *owned, double **slab, int64_t *n);
/* Magnet around each owned node, a quarter of every tet that is not air: volume [nv_owned], nm3.  Not collective. */
void mt_mesh_node_volumes(const MtMesh *mesh, double *volume);

/* What ParaView opens: an XDMF text that points into HDF5 files; nothing is copied. */
typedef struct {
  double time;         /* fields of the same time follow each other; each time is one step of the collection */
  const char *file;    /* HDF5 file */
  const char *dataset; /* path inside it, [nv or shown, ncomp] in file order */
  const char *name;    /* as shown */
  int ncomp;           /* 1 scalar, 3 vector, 6 symmetric tensor, 9 tensor */
  bool nodal;          /* else one value per tet */
  bool integer;        /* i32, else f64 */
} MtXdmfField;
typedef struct {
  const char *mesh; /* the mesh file; its regions are always shown */
  int64_t nv, nt;
  int64_t shown; /* tets that are drawn: nt, or MtMesh.nt_body, those of the file's group /body */
  int tet_bytes; /* 4, or 8 when nv > INT32_MAX (mt_mesh_data_write) */
  int n;
  const MtXdmfField *field; /* [n]; n = 0: the mesh alone */
} MtXdmf;
/* Writes path on rank 0, atomically.  Files in the folder of `path` are named without it, so that the folder can be
 * moved.  MT_ERR_INPUT with the system's reason.  Collective. */
PetscErrorCode mt_xdmf_write(MPI_Comm comm, const MtXdmf *xdmf, const char *path);

/* gamma: radius ratio 3 r_in / r_circ (1: regular, 0: flat), Gmsh's "gamma", with the sign of the volume.  Plain C. */
double mt_tet_gamma(const double x[4][3]);
/* Signed, nm3. */
double mt_tet_volume(const double x[4][3]);
/* Inward normals of the four faces, opposite to each node, twice their area long: 6 V grad(lambda_i), nm2.  Returns 6
 * V, nm3. */
double mt_tet_normals(const double x[4][3], double normal[4][3]);
/* Smallest and largest dihedral angle, degrees. */
void mt_tet_dihedral(const double x[4][3], double *min, double *max);

#endif
