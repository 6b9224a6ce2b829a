/* The steps of a principal component analysis on the centred table A = lines x across; private to this module. */
#ifndef PCA_COMPONENTS_H
#define PCA_COMPONENTS_H

#include "magtwin/pca.h"

/* Mean and factor of each variable into p; the table becomes (x - mean) factor.  Collective. */
PetscErrorCode mt_pca_center(MtTable *t, const MtPcaOptions *o, MtPca *p);

/* Of the lines of this rank: y [n][k] = A x, x [width][k]; and, over all ranks, x = A' y, the same on each.  The second
 * is collective. */
void mt_pca_multiply(const MtTable *t, int k, const double *x, double *y);
PetscErrorCode mt_pca_multiply_back(const MtTable *t, int k, const double *y, double *x);

/* Singular vectors of the table: found <= k of them, lines [n][found], across [width][found], descending, singular [k].
 * norm: of Frobenius.  Collective. */
PetscErrorCode mt_pca_gram(const MtTable *t, int k, int *found, double *singular, double *lines, double *across);
PetscErrorCode mt_pca_svd(const MtTable *t, double norm, int k, int *found, double *singular, double *lines,
                          double *across);
/* G [width width] = A'A over all ranks, both triangles; the same on each.  Collective. */
PetscErrorCode mt_pca_products(const MtTable *t, double *G);

#endif
