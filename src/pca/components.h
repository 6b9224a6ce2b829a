/* The steps of a principal component analysis on the centred table A = lines x across; private to this module. */
#ifndef PCA_COMPONENTS_H
#define PCA_COMPONENTS_H

#include "magtwin/pca.h"

/* Mean and factor of each variable into p; the table becomes (x - mean) factor.  Collective. */
PetscErrorCode mt_pca_center(MtTable *t, const MtPcaOptions *o, MtPca *p);

/* Singular vectors of the table: found <= k of them, lines [n][found], across [width][found], descending, singular [k].
 * norm: of Frobenius.  Collective. */
PetscErrorCode mt_pca_gram(const MtTable *t, int k, int *found, double *singular, double *lines, double *across);
PetscErrorCode mt_pca_svd(const MtTable *t, double norm, int k, int *found, double *singular, double *lines,
                          double *across);
#endif
