/* The inside of the elastic solver. */
#ifndef MT_PHASEFIELD_ELASTIC_IMPL_H
#define MT_PHASEFIELD_ELASTIC_IMPL_H

#include "magtwin/elastic.h"

struct MtElastic {
  const MtDomain *domain;
  MtElasticModel model;
  bool uniform;   /* one stiffness everywhere */
  bool *held;     /* [n_local] nodes that do not move */
  Mat A, P;       /* at the last c, and with the mean of the two stiffnesses, from which the preconditioner is made */
  KSP ksp;        /* CG; its preconditioner is made once, so that a solve depends on c alone */
  Vec u, b;       /* bs dim; u with ghosts */
  Vec c;          /* with ghosts, of the last solve */
  double mean[6]; /* mean strain of the periodic axes */
  int64_t iterations, solves;
};

/* elastic_operators.c: which nodes are held; an empty matrix; its values for the stiffness at the nodal field c
 * [n_local], NULL: the mean of the two.  Collective. */
PetscErrorCode mt_elastic_hold(MtElastic *e);
PetscErrorCode mt_elastic_matrix(const MtElastic *e, Mat *A);
PetscErrorCode mt_elastic_assemble(const MtElastic *e, const PetscScalar *c, Mat A);
/* The size of an entry of the diagonal.  Not collective. */
double mt_elastic_size(const MtElastic *e);
/* Of the local element t, whose nodes have the values c [n_local]: corners' gradients and volume, c at the centre, and
 * the stiffness there with its derivative by c (NULL: not wanted).  Not collective. */
double mt_elastic_element(const MtElastic *e, PetscInt t, const PetscScalar *c, double grad[4][3], double *volume);
MtStiffness mt_elastic_stiffness(const MtElastic *e, double c, MtStiffness *slope);

#endif
