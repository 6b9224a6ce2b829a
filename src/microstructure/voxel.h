/* Private: grains of any form, straight from their voxels.  A body-centred cubic lattice is labelled by smoothed
 * indicators of the grains, its tets are cut where labels change, and the cuts are moved onto the smooth boundaries.
 * Order of work: voxel_field (indicators), voxel_weights, voxel_lattice, voxel_cut and voxel_stencil (on all ranks, by
 * layers of cells), voxel_gather, voxel_score and voxel_relax (rank 0), voxel_phase (layer between the grains),
 * voxel_mesh (all). Source of lattice and cuts: F. Labelle, J. R. Shewchuk, ACM Trans. Graph. 26 (2007) 57; J. R.
 * Bronson, J. A. Levine, R. T. Whitaker, IEEE Trans. Vis. Comput. Graph. 20 (2014) 223. */
#ifndef MAGTWIN_VOXEL_H
#define MAGTWIN_VOXEL_H

#include "magtwin/microstructure.h"

enum { MT_MIX_MAX = 16 }; /* grains within reach of a point; more are left out, the least first */

/* Indicators of the grains: labels smoothed with (1 - r^2/radius^2)^3, mirrored at the walls, plus the weights. */
typedef struct {
  int n[3], z0, nz; /* voxels; slices held */
  double voxel[3];  /* nm */
  int32_t *label;   /* [nz n1 n0] no voxel without a grain */
  double radius;    /* nm */
  int ngrains;
  double *weight; /* [ngrains] replicated */
} MtField;

/* The grains at a point, by number. */
typedef struct {
  int n;
  int32_t grain[MT_MIX_MAX];
  double value[MT_MIX_MAX]; /* with the weight */
  double slope[MT_MIX_MAX][3];
} MtMix;

/* Fetches the slices that values between zmin and zmax (nm) need; labels: without gaps.  Collective. */
PetscErrorCode mt_field_make(MPI_Comm comm, const MtLabels *labels, double radius, double zmin, double zmax,
                             const double *weight, MtField *f);
void mt_field_free(MtField *f);
void mt_field_at(const MtField *f, const double x[3], MtMix *mix);
/* Place of the largest value, or of a grain; -1: not there. */
int mt_mix_largest(const MtMix *mix);
int mt_mix_find(const MtMix *mix, int32_t grain);

/* Weights with which the largest indicator at voxel centres gives every grain its voxels as nearly as it can; weight
 * [ngrains].  The same bits for any number of ranks.  Collective. */
PetscErrorCode mt_field_weights(MPI_Comm comm, const MtLabels *labels, double radius, double *weight);

/* Points of the lattice have numbers in a grid of half its spacing: corners even, centres odd in all directions, and
 * centres of faces on the walls. */
typedef struct {
  int n[3];            /* cells */
  double a[3], box[3]; /* nm; the box begins at the origin */
  int k0, k1;          /* layers of cells of this rank */
  int plane0, nplanes; /* planes of the half grid held */
  double *x;           /* [3 per point] */
  int32_t *label;      /* [points] -1: no point of the lattice */
} MtLattice;
void mt_lattice_size(MPI_Comm comm, const double box[3], double size, MtLattice *l); /* not collective */
/* Points of this rank's layers labelled, those close to a boundary moved away from it.  Not collective. */
void mt_lattice_fill(const MtField *f, MtLattice *l);
void mt_lattice_free(MtLattice *l);
int64_t mt_lattice_id(const MtLattice *l, int i, int j, int k); /* in the half grid of the whole box */
int64_t mt_lattice_at(const MtLattice *l, int64_t id);          /* in x and label */

/* A node of the mesh: point of the lattice (one grain), or cut of an edge, a face, a tet with 2, 3, 4 grains. */
typedef struct {
  int64_t key[4];   /* its points of the lattice, ascending, then -1: the same on every rank */
  int32_t grain[4]; /* ascending, -1 unused */
  int ngrains;
  double x[3]; /* nm */
  int nplanes; /* where it belongs: on planes n.x = c, from grain[0] to grain[i+1] */
  double n[3][3], c[3];
} MtVoxelNode;

typedef struct {
  int64_t nv, nt;
  MtVoxelNode *node;
  int64_t *tet;     /* [4nt] positive */
  int32_t *grain;   /* [nt] */
  double box[3], a; /* nm; a: mean spacing of the lattice */
} MtVoxelMesh;
/* a positive definite; b becomes the solution. */
void mt_small_solve(int n, double a[3][3], double b[3]);
/* Adds to d the shortest vector with n[i].d = gap[i], nearly, without the coordinates of the walls (bits). */
void mt_planes_reach(int nplanes, const double n[3][3], const double gap[3], unsigned walls, double d[3]);

void mt_voxel_free(MtVoxelMesh *m);
/* This rank's tets.  Not collective. */
void mt_voxel_cut(const MtField *f, const MtLattice *l, MtVoxelMesh *m);
/* Tets of a lattice tet with corners label[4] over its 15 nodes (4 corners, 6 edges, 4 faces opposite to the corners,
 * centre) into tet [24][4] with their grain; order: ascending corners by number.  Returns their number. */
int mt_voxel_stencil(const int32_t label[4], const double x[15][3], int tet[24][4], int32_t grain[24]);
extern const int mt_voxel_edge[6][2];
/* All on rank 0, by key; others get an empty mesh.  Same bits for any number of ranks.  Collective. */
PetscErrorCode mt_voxel_gather(MPI_Comm comm, MtVoxelMesh *m);

/* 1 where all dihedral angles lie in [15, 145] degrees, less where one does not, negative where inside out. */
double mt_voxel_score(const double y[4][3]);

/* What a node may do: planes it is to keep within `slack` (nm); fixed: not at all.  Walls keep their nodes. */
typedef struct {
  int nplanes;
  double n[3][3], c[3], slack;
  bool fixed;
} MtHold;
typedef struct {
  int64_t nv, nt;
  double *x;
  const int64_t *tet;
  const double *box; /* [6] */
  MtHold *hold;      /* [nv] */
  int64_t *start, *list;
} MtRelax;
void mt_relax_lists(MtRelax *r);
void mt_relax_free(MtRelax *r);
/* Raises the worst tets by moving one node at a time; returns how many are left below `score`. */
int64_t mt_relax_worst(MtRelax *r, double score, int rounds);
/* What is still below `score` may have its nodes further from their planes, by up to 0.4 of a layer's thickness (nm),
 * and the nodes of a tet moved together; returns how many tets are left. */
int64_t mt_relax_loosen(MtRelax *r, double score, double thickness);
/* Moves node v by d as far as its tets allow that: none falls below `floor`, or below what it is. */
bool mt_relax_move(MtRelax *r, int64_t v, const double d[3], double floor);
unsigned mt_relax_walls(const MtRelax *r, const double x[3]);

/* Cuts onto the boundaries, volumes [ngrains] nm3 of the grains met to `within` of each.  On rank 0. */
void mt_voxel_relax(MtVoxelMesh *m, int ngrains, const double *volume, double within);
/* Grain on the other side of the boundary face of tet t, which is opposite to *corner; -1: it has none. */
int32_t mt_voxel_behind(const MtVoxelMesh *m, int64_t t, int *corner);
void mt_voxel_volumes(const MtVoxelMesh *m, int ngrains, double *volume);

/* Labels without gaps -> mesh on rank 0, grains of the volumes of their voxels.  MT_ERR_INPUT names a grain that the
 * lattice misses.  Collective. */
PetscErrorCode mt_voxel_build(MPI_Comm comm, const MtLabels *labels, double size, MtVoxelMesh *m);

#endif
