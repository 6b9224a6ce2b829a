/* Principal components of tables and series of fields that no rank holds as a whole. */
#ifndef MAGTWIN_PCA_H
#define MAGTWIN_PCA_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include "magtwin/mesh.h"
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

/* Of the lines of this rank: y [n][k] = A x, x [width][k]; and, over all ranks, x = A' y, the same on each.  The second
 * is collective. */
void mt_pca_multiply(const MtTable *t, int k, const double *x, double *y);
PetscErrorCode mt_pca_multiply_back(const MtTable *t, int k, const double *y, double *x);

/* G [width width] = A'A over all ranks, both triangles; the same on each.  Collective. */
PetscErrorCode mt_pca_products(const MtTable *t, double *G);

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

/* A series of samples with its components, for what builds on them. */
typedef struct MtSeries MtSeries;
/* Section pca: finds the samples and checks what is asked of them, without reading their values.  Collective. */
PetscErrorCode mt_series_open(MPI_Comm comm, const MtInput *in, MtSeries **series);
int64_t mt_series_samples(const MtSeries *series); /* not collective */
/* Reads and computes; by_columns: whatever pca.distribute says.  json: adds counts and results.  Collective. */
PetscErrorCode mt_series_solve(MtSeries *series, bool by_columns, MtJson *json);
/* pca.h5 (format magtwin-pca), scores.csv, explained.csv and with a mesh modes.xdmf into `folder`.  Collective. */
PetscErrorCode mt_series_write(const MtSeries *series, const char *folder);
/* Sets *series to NULL; NULL is fine.  Not collective. */
void mt_series_close(MtSeries **series);
/* Of a solved series, owned by it: the centred and scaled table, and its components.  Not collective. */
const MtTable *mt_series_table(const MtSeries *series);
const MtPca *mt_series_pca(const MtSeries *series);
int64_t mt_series_nodes(const MtSeries *series, int *unit); /* of pca.mesh, and variables a node; 0: no mesh */
/* File of a sample, and its row or page there, from 0.  Not collective. */
const char *mt_series_file(const MtSeries *series, int64_t sample, int64_t *inside);
/* The i-th block of variables: its first one and its name; false: there is none.  Not collective. */
bool mt_series_block(const MtSeries *series, int i, int64_t *start, int64_t shape[3], const char **name);
/* A picture file of nodal fields on pca.mesh.  Collective. */
PetscErrorCode mt_series_xdmf(const MtSeries *series, const char *path, int n, const MtXdmfField *field);
bool mt_series_is_features(const MtSeries *series); /* persistence images of magtwin topology */

/* Section pca: reads, computes, writes pca.h5 (format magtwin-pca), scores.csv, explained.csv and with a mesh
 * modes.xdmf.  json: adds counts and results.  Collective. */
PetscErrorCode mt_pca_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json);

#endif
