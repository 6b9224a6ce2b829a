/* Temperature programs (heat, hold, cool) and coefficients that follow them.  Plain C. */
#ifndef MAGTWIN_TEMPERATURE_H
#define MAGTWIN_TEMPERATURE_H

/* y at ascending x, straight lines between them, the first and last held before and after; NAN for n = 0. */
double mt_polyline(int n, const double *x, const double *y, double at);

/* T at ascending times, straight lines between them, the first and last held before and after.  Arrays from malloc,
 * owned. */
typedef struct {
  int n;         /* 0: no program */
  double *t, *T; /* [n] s, K */
} MtProgram;
/* K; NAN without a program. */
double mt_program_at(const MtProgram *p, double t);
/* The first corner after t, where the rates of change jump: a time step should end there.  INFINITY: none. */
double mt_program_corner(const MtProgram *p, double t);
void mt_program_free(MtProgram *p); /* a zeroed struct is fine */

/* exp(-Q/RT) (S. Arrhenius, Z. Phys. Chem. 4 (1889) 226); Q in J/mol, T in K; 1 for Q = 0, whatever T; never below
 * 1e-100. */
double mt_arrhenius(double Q, double T);

#endif
