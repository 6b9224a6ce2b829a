/* Thermal activation: minimum-energy paths between two states, their energy barriers at several fields, and from those
 * the coercivity at a temperature and a measuring time. */
#ifndef MAGTWIN_BARRIER_H
#define MAGTWIN_BARRIER_H

#include "magtwin/input.h"
#include "magtwin/json.h"

extern const MtKey mt_barrier_keys[]; /* section barrier */

/* The rules between the keys: MT_ERR_INPUT with file:line:column.  To be called before anything is written.  Not
 * collective (the same on every rank). */
PetscErrorCode mt_barrier_check(const MtInput *in);
/* And with the number of ranks of comm.  Not collective. */
PetscErrorCode mt_barrier_check_ranks(MPI_Comm comm, const MtInput *in);

/* The whole run on the mesh file at mesh_path: barriers.csv, barrier.csv, states, checkpoint and restart, results in
 * json (objects "counts" and "results").  *stopped: ended on a signal after a checkpoint.  *missing: fields of
 * which a path stagnated or came to barrier.max_rounds and none has converged.  Collective. */
PetscErrorCode mt_barrier_run(MPI_Comm comm, const MtInput *in, const char *mesh_path, const char *folder, bool resume,
                              MtJson *json, bool *stopped, int *missing);

/* E(H) = E0 (1 - H/H0)^n through n points, H the field against the magnetization. */
typedef struct {
  int points;
  double E0, H0, n; /* J, T, 1 */
  double error;     /* J, root of the mean square of the differences */
  bool at_bound; /* n would go beyond what is tried, 0.5 to 10: E0 and H0 mean little, the barriers have another law */
} MtBarrierFit;
/* H [count] T, ascending or not; E [count] J > 0.  Least squares; with two points n = 2 is taken (coherent rotation
 * along the easy axis), with fewer there is no fit: points 0.  Plain C. */
void mt_barrier_fit(int count, const double *H, const double *E, MtBarrierFit *fit);
/* The field at which the barrier has come down to `wanted` (J): between two of the points the law with the fit's n
 * through both, *between true; else by the fit.  NaN without a fit, 0 if the barrier is smaller than that without a
 * field.
 */
double mt_barrier_field(int count, const double *H, const double *E, const MtBarrierFit *fit, double wanted,
                        bool *between);

#endif
