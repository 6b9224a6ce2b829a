/* Private: how thick the GB phase is at each boundary. */
#ifndef MAGTWIN_GB_LAW_H
#define MAGTWIN_GB_LAW_H

#include "magtwin/cells.h"
#include "magtwin/input.h"

typedef struct {
  double angle, thickness; /* deg, nm */
} MtGbAngle;

typedef struct {
  char *pattern; /* of "a-b", a < b; owned */
  double thickness;
} MtGbPair;

typedef struct {
  double thickness; /* nm; where nothing else is said */
  int nangles;
  MtGbAngle *angle; /* [nangles] ascending; from the angle between the boundary's normal and the c axes; owned */
  double spread;    /* standard deviation over mean, from boundary to boundary */
  bool normal;      /* else log-normal */
  uint64_t seed;
  double contact; /* part of the boundaries' area without phase */
  int npairs;
  MtGbPair *pair; /* [npairs] later ones win; owned */
} MtGbLaw;

/* From the keys mesh.gb.*.  Call on all ranks alike; free with mt_gb_law_free. */
PetscErrorCode mt_gb_law_read(const MtInput *in, MtGbLaw *law);
void mt_gb_law_free(MtGbLaw *law);
/* The same thickness everywhere. */
bool mt_gb_law_is_constant(const MtGbLaw *law);
/* The largest that it names, before anything random, nm. */
double mt_gb_law_most(const MtGbLaw *law);
/* nm, and the class, of the boundary between grains a < b with this unit normal and these unit c axes.  Random parts
 * depend on seed, a and b alone. */
double mt_gb_law_at(const MtGbLaw *law, int a, int b, const double n[3], const double *axis_a, const double *axis_b,
                    MtGbClass *kind);
/* Sets thickness and gb_class of all faces, from the cells as they are before edges are removed; *mean weighted by
 * area, of the boundaries that have a phase (0: none has).  Nothing is set where the law is constant.  Not collective.
 */
PetscErrorCode mt_gb_law_apply(const MtGbLaw *law, MtCells *c, double *mean);
/* Takes the phase from boundaries, pairs of grains drawn one after the other, until the part of the area that the law
 * says has none; after edges were removed.  Thickness by pair stays.  Not collective. */
PetscErrorCode mt_gb_law_contacts(const MtGbLaw *law, MtCells *c, double *mean);

#endif
