/* From an input to grains to a mesh.  Gmsh is used in this module and nowhere else. */
#ifndef MAGTWIN_MICROSTRUCTURE_H
#define MAGTWIN_MICROSTRUCTURE_H

#include "magtwin/cells.h"
#include "magtwin/input.h"
#include "magtwin/json.h"
#include "magtwin/mesh.h"

extern const MtKey mt_grains_keys[]; /* section grains (src/microstructure/grains_keys.c) */
extern const MtKey mt_mesh_keys[];   /* section mesh (src/microstructure/mesh_keys.c) */

/* A labelled volume, distributed by slabs of z: voxel (i,j,k) of rank's slab at [(k-z0)*ny*nx + j*nx + i]. */
typedef struct {
  int nx, ny, nz, z0, nz_local;
  double voxel[3]; /* nm */
  int32_t *label;  /* [nz_local*ny*nx] grain 0..ngrains-1, -1: none */
  int ngrains;
  double *axis;        /* [3 ngrains] easy axis in the sample frame, unit; replicated */
  double *orientation; /* [4 ngrains] unit quaternion w, x, y, z, crystal -> sample; replicated; NULL: not known */
  int64_t *voxels;     /* [ngrains] voxels of each grain, whole volume; replicated */
  int64_t *source;     /* [ngrains] label of the grain in its file; replicated */
  int64_t nregions;    /* connected regions found before the small ones were dissolved (source ebsd; 0 otherwise) */
  double kept;         /* fraction of the volume that lay in grains before that */
  bool axes_drawn;     /* axis is by chance: nothing was known */
  float *confidence;   /* [nz_local*ny*nx] probability that the label is the true one, or NULL: not known; owned */
} MtLabels;
/* A zeroed struct is fine.  Not collective. */
void mt_labels_free(MtLabels *labels);

/* section grains, source ebsd or labels: reads the files and labels grains.  Collective. */
PetscErrorCode mt_labels_read(MPI_Comm comm, const MtInput *in, MtLabels *labels);
/* The same for a use of the voxels themselves: with `fill` those without a label get one, all scaled to
 * grains.mean_size; tells what it did on the log and in json (object "grains").  Collective. */
PetscErrorCode mt_labels_measure(MPI_Comm comm, const MtInput *in, bool fill, MtLabels *labels, MtJson *json);
/* Gives voxels without a label the label that most of their 6-neighbours have (the smaller one on a tie), again and
 * again until none is left; a step uses the labels of the step before, so that ranks do not matter.  Collective. */
PetscErrorCode mt_labels_fill(MPI_Comm comm, MtLabels *labels);
/* labels.h5, format "magtwin-labels" 1: /labels [nz*ny*nx] i32, 0 where there is no grain, else grain + 1, with
 * attributes dims (nz, ny, nx) and voxel (nm, x y z); /grains/axis [n,3], /grains/orientation [n,4], /grains/voxels
 * [n], /grains/source [n]; where it is known also /confidence [nz*ny*nx] u8, 0 .. 1 in 255 steps.  Collective. */
PetscErrorCode mt_labels_write(MPI_Comm comm, const MtLabels *labels, const char *path, const MtInput *in);

/* What the labels say of the grains: `folder`/grains.csv (voxels, volume, diameter of the sphere of that volume,
 * centroid, aspect: mean width across its axis over that along it by second moments, neighbours, area of contact with
 * other grains, voxel faces on the box), contacts.csv (voxel faces and area, that of the vector sum of the faces: exact
 * for flat contacts; grain 0: no grain), and means into the object "statistics" of json.  axis [3 ngrains] unit, the
 * axis of each grain for its aspect.  The same bits for any number of ranks.  Collective. */
PetscErrorCode mt_labels_statistics(MPI_Comm comm, const MtLabels *labels, const double *axis, const char *folder,
                                    MtJson *json);

typedef struct {
  double agreement;        /* fraction of labelled voxels that lie in the cell of their own grain */
  double *grain_agreement; /* [ngrains of the labels] the same per grain; owned */
  double fit_agreement;    /* of the convex fit; differs from agreement when by_volume */
  double strays;           /* share of voxels so far from their grain that labels count as noisy; 0: no noise */
  bool by_volume; /* the fit left `lost` grains without a cell, and the diagram is that of centroids and volumes */
  int lost;
  int iterations;
  double loss; /* mean negative log likelihood at the end of the fit */
} MtFit;
/* Fits a power diagram to labels: softmax regression of argmax_k(a_k.x + b_k), convex.  Box: the volume, from 0 on.  If
 * the fit leaves a grain without a voxel centre in its cell, the result is instead the diagram with seeds near the
 * centroids and the measured volumes; where that does not exist either, such grains are left out of p with a warning.
 * The same bits for any number of ranks. Free fit with mt_fit_free.  Collective. */
PetscErrorCode mt_power_fit(MPI_Comm comm, const MtLabels *labels, MtPower *p, MtFit *fit);
void mt_fit_free(MtFit *fit);

/* The fit of labels that were read, scaled to grains.mean_size; tells the agreement on the log and in json (into the
 * open object), with advice which mesh.route to take. Free p with mt_power_free.  Collective. */
PetscErrorCode mt_grains_fit(MPI_Comm comm, const MtInput *in, const MtLabels *labels, MtPower *p, MtJson *json);
/* Sources ebsd, labels, stack by mesh.route: *voxels true: labels, scaled to grains.mean_size, are to be meshed; else
 * the power diagram fitted to them is (auto: when it fits).  The other one is empty.  Tells what it did like
 * mt_grains_make.  Collective. */
PetscErrorCode mt_grains_measure(MPI_Comm comm, const MtInput *in, MtLabels *labels, MtPower *p, bool *voxels,
                                 MtJson *json);

/* Volumes (nm3) that a layer of thickness 2 inset (or, with cells->thickness, of that of each boundary; cells made
 * from p, NULL: one inset) between the cells of a power diagram gives the kinds of regions, from the planes alone:
 * grains are the cells with their planes set back by `inset`, cut out as polyhedra (exact); between two of them the
 * mean of their faces times the thickness; along a line of three cells the triangle of their set-back corners times the
 * mean of their edges; at a point of four the tetrahedron of their corners.  volume [MT_REGION_NKINDS], air 0.  *known
 * false: cells that meet in too many planes at a point (lattices).  Not collective.
 */
PetscErrorCode mt_power_inset_volumes(const MtPower *p, double inset, const MtCells *cells, double *volume,
                                      bool *known);

/* section grains, source generated: seeded, volumes log-normal, exact by Newton on the weights.  Not collective. */
PetscErrorCode mt_power_generate(const MtInput *in, MtPower *p);
/* The same in a box (nm) of the caller's. */
PetscErrorCode mt_power_generate_in(const MtInput *in, const double box[3], MtPower *p);
/* The smallest of the grains that mt_power_generate would make, and its volume (nm3), without making them. */
PetscErrorCode mt_power_smallest(const MtInput *in, int *grain, double *volume);

/* Whatever the section grains says -> power diagram, scaled to grains.mean_size; tells what it did on the log and in
 * json (object "grains").  Collective. */
PetscErrorCode mt_grains_make(MPI_Comm comm, const MtInput *in, MtPower *p, MtJson *json);

/* Pockets of the phase; size and fraction 0: none. */
typedef struct {
  bool junctions;        /* at junctions, else along triple lines */
  double size, fraction; /* nm they reach along the boundaries; or the part of the magnet's volume they have */
  double share;          /* of the lines or junctions that have one */
  uint64_t seed;         /* which */
  double surface;        /* nm, layer of the magnet's surface, for the report */
} MtPocketOptions;

/* Cells -> tetrahedra with GB phase and air.  Result on rank 0; grains are filled by all ranks.  Collective. */
typedef struct {
  double size;       /* nm, edge length in the magnet */
  double thickness;  /* nm, GB phase, its mean where cells->thickness says more; 0: none */
  int layers;        /* across the GB phase */
  double air_radius; /* sphere radius over the radius of the magnet's circumscribed sphere, > 1; 0: no air */
  double air_size;   /* nm, edge length at the sphere */
  double surface;    /* nm, layer of its own around the cells' box, 0: none; the air begins outside */
  int surface_layers;
  double inner_size; /* nm, edge length in the middle of grains, 0: size */
  double growth;     /* of the edge length from a grain's surface on, per length */
  MtPocketOptions pockets;
} MtMeshOptions;
PetscErrorCode mt_mesh_cells(MPI_Comm comm, const MtCells *cells, const MtMeshOptions *opt, MtMeshData *mesh,
                             MtJson *json);
/* Labels (scaled to what is meshed) -> tetrahedra of a lattice cut at the grains' boundaries, for grains of any form;
 * voxels of no grain are given to those around.  A layer between the grains, one element thick, and air as above.
 * Result on rank 0; the lattice is cut by all ranks.  MT_ERR_INPUT names a grain that the lattice misses.  Collective.
 * Source: docs/numerics.md, "Grains of any form". */
PetscErrorCode mt_mesh_labels(MPI_Comm comm, MtLabels *labels, const MtMeshOptions *opt, MtMeshData *mesh,
                              MtJson *json);
/* section grains, source shape: sphere, ellipsoid, box, stack of layers; for standard problems.  Result on rank 0.
 * Collective. */
PetscErrorCode mt_mesh_shape(MPI_Comm comm, const MtInput *in, MtMeshData *mesh, MtJson *json);

/* Gives every grain nodes of its own on the faces it shares with other grains (mesh->base says where twins lie), for a
 * coupling of choice between them.  Other regions stay as they are: not for meshes with a GB phase.  Returns the number
 * of new nodes.  On the rank that has the data. */
int64_t mt_mesh_split_grains(MtMeshData *mesh);

/* The mesh report on rank 0's data: counts, volume of each region kind against the geometry, thickness histogram, gamma
 * and dihedral histograms, inverted elements, worst places; log and json (object "mesh").  Call on rank 0. */
PetscErrorCode mt_mesh_report(const MtMeshData *mesh, MtJson *json);

/* Volume of each kind of region against that of the geometry, volume [MT_REGION_NKINDS] nm3 (air: the sphere without
 * the box): log and json (object "volumes").  Call on rank 0. */
void mt_mesh_report_volumes(const MtMeshData *mesh, const double *geometry, MtJson *json);

/* Rules between values that a mesh would be refused for, as far as the input alone shows them.  MT_ERR_INPUT with the
 * place.  Not collective. */
PetscErrorCode mt_microstructure_check(const MtInput *in);
/* The whole line: input -> grains -> mesh file at `path`.  Collective. */
PetscErrorCode mt_microstructure_build(MPI_Comm comm, const MtInput *in, const char *path, MtJson *json);

#endif
