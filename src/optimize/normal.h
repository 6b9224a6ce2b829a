/* The normal distribution where its tails underflow: logarithms that stay exact.  Plain C. */
#ifndef OPTIMIZE_NORMAL_H
#define OPTIMIZE_NORMAL_H

double mt_erfcx(double x);       /* exp(x^2) erfc(x), x >= 0 */
double mt_log_density(double z); /* log phi(z) */
double mt_log_cdf(double z);     /* log Phi(z) */
/* log h(z), h(z) = phi(z) + z Phi(z) = E max(z - N(0,1), 0), and its derivative Phi/h unless NULL: finite for every
 * finite z.  Source: S. Ament et al., NeurIPS 2023, eq. (9), with a series where that form cancels. */
double mt_log_h(double z, double *slope);
/* log(exp(a) - exp(b)), a > b */
double mt_log_difference(double a, double b);

#endif
