/* Principal components of tables and series of fields that no rank holds as a whole. */
#ifndef MAGTWIN_PCA_H
#define MAGTWIN_PCA_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

extern const MtKey mt_pca_keys[]; /* section pca (src/pca/pca_keys.c) */

/* A matrix of `rows` samples of `columns` variables, dealt to the ranks along one of the two sides (the long one).  A
 * line is one variable with all its samples, or one sample with all its variables. */
typedef struct {
  MPI_Comm comm;
  int64_t rows, columns;
  bool by_columns;  /* the lines are variables, else samples */
  int64_t start, n; /* lines of this rank */
  int64_t width;    /* numbers of a line: rows, or columns */
  double *value;    /* [n][width] owned */
} MtTable;
/* Zeros; unit: so many variables stay together on a rank (components of a node).  Collective. */
PetscErrorCode mt_table_create(MPI_Comm comm, int64_t rows, int64_t columns, bool by_columns, int unit, MtTable *t);
/* A zeroed struct is fine. */
void mt_table_clear(MtTable *t);
/* Lines of rank r of ranks. */
void mt_table_slab(int64_t lines, int unit, int rank, int ranks, int64_t *start, int64_t *n);

typedef enum {
  MT_PCA_AUTO, /* GRAM where the table is narrow, SVD elsewhere or where GRAM turns out not to be sure */
  MT_PCA_GRAM, /* eigenvectors of the products of the lines (LAPACK), one step of subspace iteration, Rayleigh-Ritz */
  MT_PCA_SVD   /* SLEPc: thick-restart Lanczos bidiagonalization, V. Hernandez, J. Roman, A. Tomas, Electron. Trans.
                * Numer. Anal. 31 (2008) 68 */
} MtPcaMethod;
typedef struct {
  int components; /* wanted, at least 1 */
  MtPcaMethod method;
  bool center;          /* subtract the mean of each variable */
  bool scale;           /* divide by its standard deviation; a variable that never changes stays 0 */
  const double *factor; /* multiply the variables: of this rank [n] by columns, else [columns]; NULL: 1 */
} MtPcaOptions;

/* x - mean = sum over k of score_k loading_k / factor.  Loadings are unit vectors, the largest number of each is
 * positive. */
typedef struct {
  int components; /* found: fewer than wanted where the rest has no variance beyond rounding */
  MtPcaMethod method;
  double total;     /* variance of the table (sum over variables, of the centred and scaled ones) */
  double *variance; /* [components] of the scores, descending; over rows - 1, uncentred: rows */
  double residual;  /* largest |A v - s u| and |A' u - s v| over s1, A the centred and scaled table */
  double *lines;    /* [n][components] loadings by columns, else scores; of this rank's lines */
  double *across;   /* [width][components] the others; on every rank */
  double *mean;     /* of this rank's variables [n] by columns, else [columns] on every rank */
  double *factor;   /* likewise: what the variables were multiplied by */
} MtPca;
/* The table becomes the centred and scaled one.  MT_ERR_INPUT: samples that are all equal, more components than there
 * can be.  MT_ERR_FAIL: not found.  Collective.  Free with mt_pca_free. */
PetscErrorCode mt_pca(MtTable *t, const MtPcaOptions *o, MtPca *p);
/* A zeroed struct is fine. */
void mt_pca_free(MtPca *p);
/* The most components a table can have. */
int64_t mt_pca_most(int64_t rows, int64_t columns, bool center);

/* Section pca: reads, computes, writes pca.h5 (format magtwin-pca), scores.csv, explained.csv and with a mesh
 * modes.xdmf.  json: adds counts and results.  Collective. */
PetscErrorCode mt_pca_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json);

#endif
