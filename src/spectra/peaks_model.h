/* A spectrum as a sum of peaks; private to this module.  Plain C. */
#ifndef SPECTRA_PEAKS_MODEL_H
#define SPECTRA_PEAKS_MODEL_H

#include <stdbool.h>

typedef enum { MT_GAUSS, MT_LORENTZ, MT_VOIGT } MtPeakShape;
typedef struct {
  int n;
  const double *x, *y; /* [n] the caller's */
  int peaks;
  MtPeakShape shape;
  int background;   /* numbers it has: 0, 1 (a constant), 2 (and a slope) */
  double width[2];  /* full width at half maximum */
  double height[2]; /* from, to */
  double low, high; /* of y */
} MtPeakModel;

/* Per peak position, width, height and, of voigt, the share of lorentz; then the background at the middle of x and its
 * slope. */
int mt_peaks_dims(const MtPeakModel *m);
int mt_peaks_each(const MtPeakModel *m); /* numbers of a peak */
/* From the unit cube to numbers, peaks by position; value [dims]. */
void mt_peaks_values(const void *model, const double *u, double *value);
/* Half of the sum of squares of what the model leaves. */
double mt_peaks_energy(const void *model, const double *u);
/* One peak of these numbers at x; the background. */
double mt_peak_at(const MtPeakModel *m, const double *peak, double x);
double mt_background_at(const MtPeakModel *m, const double *value, double x);

#endif
