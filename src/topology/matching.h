/* What the two distances share; private to this module. */
#ifndef TOPOLOGY_MATCHING_H
#define TOPOLOGY_MATCHING_H

#include "magtwin/topology.h"
#include "nearest.h"

/* Births and deaths of the pairs that die. */
MtPoints mt_points_of(int64_t n, const MtPair *pair);
void mt_points_free(MtPoints *p);
/* Price of leaving a pair without partner. */
double mt_to_diagonal(const MtPoints *p, int i);

#endif
