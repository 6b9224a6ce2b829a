/* Groups of ranks that hold the same mesh, each distributed over the ranks of the group in the same way: images of a
 * path are dealt to them in blocks, and an image goes from one group to another rank by rank. */
#ifndef MT_MICROMAGNETICS_TEAM_H
#define MT_MICROMAGNETICS_TEAM_H

#include <petscvec.h>

typedef struct {
  MPI_Comm world; /* not owned */
  MPI_Comm group; /* the ranks that share this rank's images */
  MPI_Comm cross; /* the ranks with this one's place in their groups, in the order of the groups */
  int ngroups, mine;
} MtTeam;

/* ngroups divides the number of ranks of world.  Collective on world. */
PetscErrorCode mt_team_create(MPI_Comm world, int ngroups, MtTeam *team);
PetscErrorCode mt_team_destroy(MtTeam *team);
/* The group that has image i of n.  Not collective. */
int mt_team_owner(const MtTeam *team, int n, int image);
/* The images of this group: [start, end).  Not collective. */
void mt_team_images(const MtTeam *team, int n, int *start, int *end);
/* v of the group `from` -> w of the group `to`; NULL where a group is neither, copied where it is both.  Called by all
 * groups in the same order.  Collective on the two groups. */
PetscErrorCode mt_team_send(const MtTeam *team, int from, int to, Vec v, Vec w);
/* value [n]: zero but where this group knows it -> known to all.  Collective on world. */
PetscErrorCode mt_team_share(const MtTeam *team, int n, double *value);

#endif
