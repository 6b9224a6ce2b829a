/* Private: the layer between the grains of a mesh cut from a lattice (voxel_layer.c, voxel_phase.c). */
#ifndef MAGTWIN_VOXEL_PHASE_H
#define MAGTWIN_VOXEL_PHASE_H

#include "gb.h"
#include "voxel.h"

/* A triangle between two grains, an edge among three, a point among four. */
typedef struct {
  int nnodes, ngrains;
  int64_t node[3];     /* ascending */
  int32_t grain[4];    /* ascending, -1 unused */
  double toward[4][3]; /* where each grain lies; of a triangle: times its area, nm2 */
  int32_t region;
} MtPiece;

/* Sorted by kind and nodes; from malloc.  Not collective. */
MtPiece *mt_pieces_find(const MtVoxelMesh *m, int64_t *n);
/* Regions of the grains, of every set of grains that meets, of the air; numbers them in the pieces.  r zeroed. */
void mt_pieces_regions(int ngrains, int64_t n, MtPiece *piece, MtRegions *r);
/* Copies of node v: first[v]..first[v+1]-1, one for each of its grains, or one for all. */
int64_t mt_copy_of(const MtVoxelMesh *m, const int64_t *first, int64_t v, int32_t grain);
/* Tets of grains and pieces over the copies, whose places are the caller's to fill in; out zeroed. */
PetscErrorCode mt_pieces_cut(const MtVoxelMesh *m, const int64_t *first, int64_t n, const MtPiece *piece, MtTets *out);

/* How thick the layer is, by the distances between the copies of each boundary triangle. */
typedef struct {
  double mean, thin; /* nm; part of the area below 0.98 of what was asked */
  int64_t thinned;   /* copies that stay nearer to the boundary */
} MtVoxelLayer;

/* Score that tets of such a mesh can be given.  Plain C. */
double mt_voxel_target(double thickness, double spacing);
/* Grains with a layer of `thickness` (nm; 0: none) between them: tets m with x, regions r, and what each node may do in
 * hold [m->nv], malloc'ed.  Not collective. */
PetscErrorCode mt_voxel_phase(const MtVoxelMesh *v, int ngrains, double thickness, MtRegions *r, MtTets *m,
                              MtHold **hold, MtVoxelLayer *layer);

#endif
