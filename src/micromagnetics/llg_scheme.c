/* The methods and their coefficients.
 *
 * Implicit: ROS34PW2 of J. Rang, L. Angermann, BIT 45 (2005) 761, table 6: four stages, order 3 with any matrix in
 * place of the Jacobian, L-stable and stiffly accurate, error estimate of order 2.
 * Explicit: J. R. Dormand, P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19, 5(4); Heun with Euler's for the error. */
#include "llg_impl.h"
#include <string.h>

static const double PW2_GAMMA = 4.3586652150845900e-1;
static const double PW2_ALPHA[4][4] = {
    {0}, {8.7173304301691801e-1}, {8.4457060015369423e-1, -1.1299064236484185e-1}, {0, 0, 1}};
static const double PW2_BELOW[4][4] = {{0},
                                       {-8.7173304301691801e-1},
                                       {-9.0338057013044082e-1, 5.4180672388095326e-2},
                                       {2.4212380706095346e-1, -1.2232505839045147, 5.4526025533510214e-1}};
static const double PW2_B[4] = {2.4212380706095346e-1, -1.2232505839045147, 1.5452602553351020, 4.3586652150845900e-1};
static const double PW2_B2[4] = {3.7810903145819369e-1, -9.6042292212423178e-2, .5, 2.1793326075422950e-1};

/* Inverse of the lower triangular matrix with g on its diagonal and `below` under it. */
static void invert_triangle(int n, double g, const double below[4][4], double inverse[4][4]) {
  memset(inverse, 0, 16 * sizeof(double));
  for (int j = 0; j < n; j++) {
    inverse[j][j] = 1 / g;
    for (int i = j + 1; i < n; i++) {
      double sum = 0;
      for (int k = j; k < i; k++) sum += below[i][k] * inverse[k][j];
      inverse[i][j] = -sum / g;
    }
  }
}

/* b Gamma^-1 */
static void times_inverse(int n, const double *b, double inverse[4][4], double *out) {
  for (int j = 0; j < n; j++) {
    out[j] = 0;
    for (int k = j; k < n; k++) out[j] += b[k] * inverse[k][j];
  }
}

static void rosenbrock(MtLlgScheme *s) {
  double inverse[4][4], difference[4];
  *s = (MtLlgScheme){.stages = 4, .order = 3, .implicit = true, .gamma = PW2_GAMMA};
  invert_triangle(4, PW2_GAMMA, PW2_BELOW, inverse);
  for (int i = 0; i < 4; i++) {
    times_inverse(i, PW2_ALPHA[i], inverse, s->a[i]);
    for (int j = 0; j < i; j++) {
      s->c[i][j] = -inverse[i][j];
      s->time[i] += PW2_ALPHA[i][j];
    }
    difference[i] = PW2_B[i] - PW2_B2[i];
  }
  times_inverse(4, PW2_B, inverse, s->m);
  times_inverse(4, difference, inverse, s->e);
}

static const double DP_A[7][7] = {{0},
                                  {1. / 5},
                                  {3. / 40, 9. / 40},
                                  {44. / 45, -56. / 15, 32. / 9},
                                  {19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
                                  {9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
                                  {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84}};
static const double DP_E[7] = {71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40};

static void dormand_prince(MtLlgScheme *s) {
  *s = (MtLlgScheme){.stages = 7, .order = 5, .fsal = true};
  memcpy(s->a, DP_A, sizeof s->a);
  for (int i = 0; i < 7; i++)
    for (int j = 0; j < i; j++) s->time[i] += DP_A[i][j];
  memcpy(s->m, DP_A[6], sizeof s->m);
  memcpy(s->e, DP_E, sizeof s->e);
}

static void heun(MtLlgScheme *s) {
  *s = (MtLlgScheme){.stages = 2, .order = 2, .m = {.5, .5}, .e = {-.5, .5}};
  s->a[1][0] = s->time[1] = 1;
}

void mt_llg_scheme(MtLlgMethod method, MtLlgScheme *scheme) {
  if (method == MT_LLG_IMPLICIT) rosenbrock(scheme);
  if (method == MT_LLG_DORMAND_PRINCE) dormand_prince(scheme);
  if (method == MT_LLG_HEUN) heun(scheme);
}
