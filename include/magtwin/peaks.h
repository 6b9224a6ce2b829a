/* Peaks of a spectrum by Bayesian spectroscopy: how many there are, and where.
 *
 * Sources: K. Nagata, S. Sugita, M. Okada, Neural Netw. 28 (2012) 82 (exchange Monte Carlo, number of peaks by the free
 * energy); S. Tokuda, K. Nagata, M. Okada, J. Phys. Soc. Jpn. 86 (2017) 024001 (noise from the same samples).
 */
#ifndef MAGTWIN_PEAKS_H
#define MAGTWIN_PEAKS_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include <petscsys.h>

extern const MtKey mt_peaks_keys[]; /* section peaks */
/* Fits every number of peaks asked for -> models.csv, peaks.csv and fit.csv of the best.  The same on any number of
 * ranks.  json: adds results.  Collective. */
PetscErrorCode mt_peaks_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json);

#endif
