/* The numbers of the mesh report, used inside the module. */
#ifndef MAGTWIN_MESH_REPORT_H
#define MAGTWIN_MESH_REPORT_H

#include "magtwin/mesh.h"

enum { MT_GAMMA_BINS = 20, MT_DIHEDRAL_BINS = 18, MT_WORST = 5, MT_THICKNESS_BINS = 21 };

typedef struct {
  int64_t ntets, inverted; /* inverted: volume <= 0 */
  int64_t below_05, below_15;
  double volume; /* nm3 */
  double gamma_min, gamma_sum, dihedral_min, dihedral_max;
  int64_t gamma[MT_GAMMA_BINS];       /* bins of 0.05 from 0 to 1; inverted ones in the first */
  int64_t dihedral[MT_DIHEDRAL_BINS]; /* smallest and largest angle of each tet, bins of 10 deg */
} MtKindQuality;

typedef struct {
  MtKindQuality kind[MT_REGION_NKINDS];
  int64_t worst[MT_WORST]; /* tets of smallest gamma, ascending; -1 unused */
  double worst_gamma[MT_WORST];
  double shortest, longest; /* edges, nm */
  double shortest_at[3];    /* middle of the shortest edge, nm */
} MtQuality;

/* Goes through all tets.  Not collective. */
void mt_mesh_quality(const MtMeshData *m, MtQuality *q);

typedef struct {
  int64_t boundary_faces, broken_faces; /* faces of one tet; faces of more than two */
  double boundary_area;                 /* nm2 */
  int nlayers;                          /* grain-boundary regions that touch grains on both sides */
  double thickness_mean, thickness_min,
      thickness_max; /* nm: volume over mean area of the two sides; mean weighted by area */
  /* nm2 of boundary whose thickness lies in bin k, about k/10 of the asked one; the last takes what is beyond */
  double thickness_area[MT_THICKNESS_BINS];
  double *thickness; /* [regions.n] nm; 0: no such region.  Free with PetscFree */
} MtFaceReport;

/* Matches the faces of all tets.  Not collective. */
PetscErrorCode mt_mesh_faces(const MtMeshData *m, MtFaceReport *r);

#endif
