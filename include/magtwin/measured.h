/* A measured demagnetization curve, and how far a computed one is from it: what a fit of parameters minimizes. */
#ifndef MAGTWIN_MEASURED_H
#define MAGTWIN_MEASURED_H

#include "magtwin/input.h"
#include <stdbool.h>

extern const MtKey mt_measured_keys[];

/* A falling branch: n points of field H (T) and polarization J (T), H not rising; owned. */
typedef struct {
  int n;
  double *H, *J; /* [n], one allocation: H is freed */
} MtMeasured;

/* Reads the file of section measured: table with names in its first line, cells parted by commas, semicolons or
 * blanks, lines with # left out; converted to T, a rising branch turned round.  MT_ERR_INPUT with file:line for what
 * is no curve.  Reads on rank 0, the same result on every rank.  Collective; free with mt_measured_free. */
PetscErrorCode mt_measured_read(MPI_Comm comm, const MtInput *in, MtMeasured *m);
/* A zeroed struct is fine. */
void mt_measured_free(MtMeasured *m);
/* Whether it can be read, if the input names one: MT_ERR_INPUT.  Collective. */
PetscErrorCode mt_measured_check(MPI_Comm comm, const MtInput *in);

/* folder/measured.csv, columns mu0_Hext_T and J_T.  Rank 0. */
PetscErrorCode mt_measured_write(const char *folder, const MtMeasured *m);

/* Distance in the plane of weight * H and J between two falling branches, T: the root of the mean square distance of
 * points, evenly spaced along each, from the other one; *largest: the largest of these.  Both are cut to what they
 * share: fields below the smaller of their first ones, polarizations above the larger of their last ones.  A jump is a
 * vertical line, so that a shift of the coercive field counts by its size, not by the height of the jump.  NaN where
 * nothing is shared.  Not collective. */
double mt_curve_distance(int n, const double *H, const double *J, const MtMeasured *m, double weight, double *largest);

#endif
