/* Shared by the files of this folder only: the closure of the outer sphere. */
#ifndef MAGTWIN_FEM_POISSON_IMPL_H
#define MAGTWIN_FEM_POISSON_IMPL_H

#include "magtwin/fem.h"
#include <math.h>

/* Rows of this rank's nodes on the sphere. */
typedef struct {
  int modes;           /* L */
  int n;               /* (L+1)^2 */
  double R;            /* nm */
  double robin;        /* (L+2)/R, 1/nm: the term beyond the modes */
  PetscInt nb;         /* owned nodes on the sphere */
  PetscInt *node;      /* [nb] local node, < nv_owned */
  double *column;      /* [nb n] M Q: boundary mass times orthonormal harmonics */
  double *shift;       /* [n] lambda_l - robin, 1/nm */
  double *coefficient; /* [n] work */
} MtSphere;

/* Finds the faces on the sphere, adds robin x boundary mass to K (whose pattern holds it), builds the columns.
 * MT_ERR_INPUT if the mesh has no sphere or too few nodes there.  Collective. */
PetscErrorCode mt_sphere_create(const MtMesh *mesh, int modes, Mat K, MtSphere **sphere);
PetscErrorCode mt_sphere_destroy(MtSphere **sphere);
/* y += M Q diag(shift) (M Q)^T u on the owned nodes.  Collective. */
PetscErrorCode mt_sphere_apply_add(const MtSphere *sphere, MPI_Comm comm, const double *u, double *y);

/* The latest changes of potential, from which the next start is combined. */
enum { MT_HISTORY_MOST = 16 };
typedef struct {
  int most;     /* room, <= MT_HISTORY_MOST */
  int n, next;  /* in use; place of the next one: a ring */
  Vec *v, *Av;  /* [most] changes, and their products with the operator */
  double *gram; /* [most most] v.Av of those in use */
} MtHistory;
PetscErrorCode mt_history_create(Vec like, int most, MtHistory **history);
/* NULL is fine. */
PetscErrorCode mt_history_destroy(MtHistory **history);
/* Keeps the change from `before` to u; Au, Abefore: their products.  Collective. */
PetscErrorCode mt_history_add(MtHistory *history, Vec u, Vec Au, Vec before, Vec Abefore);
/* r = b - A u in; u and r of the best start out.  Collective. */
PetscErrorCode mt_history_start(const MtHistory *history, Vec r, Vec u);

/* Nonzeros of all multigrid levels over those of K, and the cost of one cycle in products with K (1, 1 if the
 * preconditioner is no multigrid).  Collective. */
PetscErrorCode mt_poisson_measure_amg(KSP ksp, Mat K, double *operator_complexity, double *cycle_spmv);

/* Orthogonal real spherical harmonics of degree 0..L at the unit vector p, any common scale in each degree: [(L+1)^2].
 */
void mt_harmonics(int L, const double p[3], double *y);

#endif
