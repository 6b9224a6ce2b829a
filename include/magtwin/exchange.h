/* Exchange Monte Carlo: samples of exp(-b E(u)) on the unit cube for a ladder of inverse temperatures b from 0 up, and
 * the logarithm of each integral.
 *
 * Sources: K. Hukushima, K. Nemoto, J. Phys. Soc. Jpn. 65 (1996) 1604; integrals by C. H. Bennett, J. Comput. Phys. 22
 * (1976) 245, from each temperature to the next.
 */
#ifndef MAGTWIN_EXCHANGE_H
#define MAGTWIN_EXCHANGE_H

#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

enum { MT_EXCHANGE_DIMS = 128 }; /* at most */

typedef struct {
  int dims;
  double (*energy)(const void *model, const double *u); /* finite; u [dims] in [0, 1] */
  int facts; /* numbers of which means are wanted, and how they follow from u; 0: none */
  void (*describe)(const void *model, const double *u, double *fact);
  const void *model; /* the caller's */
} MtTarget;

typedef struct {
  int replicas;           /* >= 2; a few hundred at most */
  double lowest, highest; /* b of the second and last one, in between geometric; the first has 0 */
  int burn, sweeps;       /* sweeps before and while samples are taken (>= 2); step widths are found in the former */
  uint64_t seed;
} MtExchangeOptions;

typedef struct {
  int replicas, dims, facts;
  double *b;                 /* [replicas] */
  double *log_integral;      /* [replicas] log of the integral of exp(-b E) over the cube; first 0 */
  double *log_error;         /* [replicas] its standard error by the means of ten parts of the samples */
  double *energy;            /* [replicas] mean */
  double *moved, *exchanged; /* [replicas] shares of steps taken; of exchanges with the next (last: 0) */
  double *mean, *deviation;  /* [replicas, facts] */
  double least, *best;       /* lowest energy seen, and where [dims] */
} MtExchange;

/* Replicas are dealt to the ranks; random numbers belong to a replica, so that the result has the same bits on any
 * number of ranks (of one kind of machine); all of it is on every rank.  A sweep sends one energy a replica.  Free with
 * mt_exchange_free.  Collective. */
PetscErrorCode mt_exchange_run(MPI_Comm comm, const MtTarget *target, const MtExchangeOptions *o, MtExchange *e);
void mt_exchange_free(MtExchange *e);

#endif
