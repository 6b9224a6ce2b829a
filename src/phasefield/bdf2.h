/* BDF2 of variable step as linear combinations of states; formulas and source: bdf2.c. */
#ifndef MT_PHASEFIELD_BDF2_H
#define MT_PHASEFIELD_BDF2_H

#include <stdbool.h>
#include <stddef.h>

/* Of a step h after h1 and h2 (0: none yet): shift (c - base) = rate at the end; guess on the parabola through the
 * states before; states are those now, one step and two steps back, the last before the third step the rate at the
 * beginning. */
typedef struct {
  double shift, base[2], guess[3];
  bool rate;    /* is the third state the rate? */
  double share; /* of the distance to the guess, that is the error of the step */
} MtBdf2;
/* Plain C, all. */
MtBdf2 mt_bdf2(double h, double h1, double h2);
/* base [n] and guess [n] of n numbers from their states; what does not change stays as it is to the last bit. */
void mt_bdf2_predict(const MtBdf2 *b, size_t n, const double *const c[3], double *base, double *guess);
/* The next step from the error of this one (of first order without h1). */
double mt_bdf2_next(double h, double h1, double error, double tolerance);
/* A shorter one after an error that was too large. */
double mt_bdf2_shorter(double h, double h1, double error, double tolerance);
/* dt, shortened so that none of the steps to the end of `left` is a splinter. */
double mt_bdf2_fit(double dt, double left);

#endif
