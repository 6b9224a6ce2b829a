/* Points of a diagram in a k-d tree, in the metric of the larger difference; private to this module. */
#ifndef TOPOLOGY_NEAREST_H
#define TOPOLOGY_NEAREST_H

#include <stdbool.h>

typedef struct {
  int n;
  double *birth, *death; /* [n] owned */
} MtPoints;

/* A balanced tree: node i has the children 2i+1 and 2i+2; each leaf a run of points. */
typedef struct {
  const MtPoints *points; /* borrowed */
  int leaves, nodes;      /* nodes = 2 leaves - 1 */
  int *order;             /* [n] points, leaf by leaf; owned */
  int *start;             /* [leaves + 1] */
  int *leaf_of;           /* [n] node of the leaf of each point; owned */
  double (*box)[4];       /* [nodes] lowest and highest birth, lowest and highest death; owned */
  int *alive;             /* [nodes] points not taken yet; owned */
  bool *taken;            /* [n] owned */
  double *gain;           /* [n] what a match with the point saves; owned, zeros */
  double *most;           /* [nodes] largest gain; owned */
} MtTree;

void mt_tree_create(const MtPoints *points, MtTree *t);
void mt_tree_free(MtTree *t);

/* All points are there again. */
void mt_tree_restore(MtTree *t);
/* Takes a point that is no further than reach from (birth, death) and still there; -1: none. */
int mt_tree_take(MtTree *t, double birth, double death, double reach);
/* Distance of the nearest point, taken or not; limit if none is nearer. */
double mt_tree_nearest(const MtTree *t, double birth, double death, double limit);

void mt_tree_set_gain(MtTree *t, int point, double gain);
/* Distance of a place from the box of a node: 0 inside. */
double mt_tree_away(const MtTree *t, int node, double birth, double death);
double mt_points_apart(const MtPoints *a, int i, const MtPoints *b, int j);

#endif
