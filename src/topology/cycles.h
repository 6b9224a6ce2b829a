/* Representative cycles; private to this module.  None is collective. */
#ifndef TOPOLOGY_CYCLES_H
#define TOPOLOGY_CYCLES_H

#include "gradient.h"

/* A cycle that is born with its pair and bounds when it dies: a pixel (dimension 0), edges or squares. */
typedef struct {
  int dimension;
  MtPair pair;
  int64_t n;
  int32_t (*cell)[6]; /* [n] x y z of two opposite corners, in half pixels; owned */
} MtCycle;

typedef struct {
  int n;
  MtCycle *cycle; /* [n] owned */
} MtCycles;
/* A zeroed struct is fine. */
void mt_cycles_free(MtCycles *c);
/* Adds one without cells and returns it. */
MtCycle *mt_cycles_add(MtCycles *c, int dimension, const MtPair *pair);

/* What is sorted to find the longest ones, by mt_by_length: longest first, then in the order of the diagram. */
typedef struct {
  double length;
  int64_t at;
} MtLength;
int mt_by_length(const void *a, const void *b);

/* The columns with which mt_reduce found its pairs: chains of edges without those of the forest. */
typedef struct MtColumns {
  uint32_t *place; /* one column after the other, each ended by a place 0; owned */
  uint8_t *edges;  /* bits of the edges that enter with that pixel; owned */
  int64_t *start;  /* [pairs] owned */
} MtColumns;
void mt_columns_free(MtColumns *c);

/* The cycle of pair i of a reduction: its column, closed along the forest of pixels and the edges that joined
 * components, joins (critical edges).  Create once for an image; free with mt_closer_free.  closer.c */
typedef struct MtCloser MtCloser;
MtCloser *mt_closer_new(const MtGradient *f, const MtCells *joins);
void mt_closer_free(MtCloser **c);
void mt_closer_cycle(MtCloser *c, const MtColumns *columns, int64_t i, MtCycle *cycle);

/* The diagram, and of a volume of vertices the cycles of the `most` longest pairs of dimension 1.  persistence.c */
PetscErrorCode mt_persistence_loops(const MtCubical *image, MtDiagram *d, int most, MtCycles *loops);

/* The cycles of the `most` longest pairs of each dimension that die.  Loops of volumes are computed anew, those of top
 * cells at twice the resolution, with eight times the memory.  boundary.c */
PetscErrorCode mt_cycles_find(const MtCubical *image, const MtDiagram *d, int most, MtCycles *c);
/* stem_cycles.csv, a line a cell; most: as above, 0: nothing. */
PetscErrorCode mt_cycles_write(const char *stem, const MtCubical *image, const MtDiagram *d, int most);

#endif
