/* Singular vectors from the products of the lines: eigenvectors of A'A by LAPACK, then one step of subspace iteration
 * with Rayleigh-Ritz, which gives back the digits that squaring costs (Y. Saad, Numerical Methods for Large Eigenvalue
 * Problems, 2nd ed. (2011), ch. 5).  Small dense problems are solved on rank 0 and shared, so that all ranks go on with
 * the same bits. */
#include "components.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <petscblaslapack.h>
#include <string.h>

enum { MORE = 8 }; /* vectors beyond those wanted: they speed up the step */

static PetscErrorCode share(MPI_Comm comm, PetscErrorCode rc, int64_t n, double *value) {
  PetscCall(mt_agree_root(comm, rc));
  PetscCallMPI(MPI_Bcast(value, (int)n, MPI_DOUBLE, 0, comm));
  return 0;
}

/* The l largest eigenvalues, descending, and vectors V [n][l] of G [n n], which is destroyed. */
static PetscErrorCode eigenvectors(int64_t n, int l, double *G, double *value, double *V) {
  PetscBLASInt size = (PetscBLASInt)n, from = size - l + 1, to = size, found = 0, room = 64 * size, info = 0;
  double none = 0, all = 0, *w = mt_malloc((size_t)n * sizeof *w), *work = mt_malloc((size_t)room * sizeof *work),
         *z = mt_malloc((size_t)n * (size_t)l * sizeof *z), tolerance = 0;
  PetscBLASInt *integers = mt_malloc(6 * (size_t)n * sizeof *integers);
  LAPACKsyevx_("V", "I", "U", &size, G, &size, &none, &all, &from, &to, &tolerance, &found, w, z, &size, work, &room,
               integers, integers + 5 * n, &info);
  for (int c = 0; c < l && !info; c++) {
    value[c] = w[l - 1 - c];
    for (int64_t j = 0; j < n; j++) V[j * l + c] = z[(size_t)(l - 1 - c) * (size_t)n + (size_t)j];
  }
  free(w);
  free(work);
  free(z);
  free(integers);
  return info || found != l ? mt_error(MT_ERR_FAIL, "the eigenvectors of %lld products were not found (LAPACK %d)",
                                       (long long)n, (int)info)
                            : 0;
}

/* y [n][k] over all ranks becomes orthonormal; false: its vectors are not independent.  Cholesky of the products, twice
 * (Y. Yamamoto et al., Electron. Trans. Numer. Anal. 44 (2015) 306). */
static PetscErrorCode orthonormalize(const MtTable *t, int k, double *y, bool *good) {
  double *M = mt_malloc((size_t)k * (size_t)k * sizeof *M);
  PetscBLASInt size = k, info = 0;
  *good = true;
  for (int pass = 0; pass < 2 && *good; pass++) {
    memset(M, 0, (size_t)k * (size_t)k * sizeof *M);
    for (int64_t i = 0; i < t->n; i++)
      for (int a = 0; a < k; a++)
        for (int b = 0; b < k; b++) M[a * k + b] += y[i * k + a] * y[i * k + b];
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, M, k * k, MPI_DOUBLE, MPI_SUM, t->comm));
    LAPACKpotrf_("U", &size, M, &size, &info); /* M = R'R, R[a][b] at M[b k + a] */
    int failed = info != 0;
    PetscCallMPI(MPI_Bcast(M, k * k, MPI_DOUBLE, 0, t->comm));
    PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, t->comm));
    *good = !failed;
    for (int64_t i = 0; i < t->n && *good; i++)
      for (int b = 0; b < k; b++) {
        for (int a = 0; a < b; a++) y[i * k + b] -= y[i * k + a] * M[b * k + a];
        y[i * k + b] /= M[b * k + b];
      }
  }
  free(M);
  return 0;
}

/* W [w][k] = P diag(s) Q' -> P [w][k] in place, s [k], Q [k][k]. */
static PetscErrorCode small_svd(int64_t w, int k, double *W, double *s, double *Q) {
  PetscBLASInt rows = (PetscBLASInt)w, columns = k, room = 64 * (rows + columns), info = 0;
  double *a = mt_malloc((size_t)w * (size_t)k * sizeof *a), *work = mt_malloc((size_t)room * sizeof *work),
         *qt = mt_malloc((size_t)k * (size_t)k * sizeof *qt), nothing = 0;
  PetscBLASInt one = 1;
  for (int64_t j = 0; j < w; j++)
    for (int c = 0; c < k; c++) a[(size_t)c * (size_t)w + (size_t)j] = W[j * k + c];
  LAPACKgesvd_("O", "A", &rows, &columns, a, &rows, s, &nothing, &one, qt, &columns, work, &room, &info);
  for (int64_t j = 0; j < w; j++)
    for (int c = 0; c < k; c++) W[j * k + c] = a[(size_t)c * (size_t)w + (size_t)j];
  for (int i = 0; i < k; i++)
    for (int c = 0; c < k; c++) Q[i * k + c] = qt[i * k + c]; /* Q'[c][i] lies at qt[i k + c] */
  free(a);
  free(work);
  free(qt);
  return info ? mt_error(MT_ERR_FAIL, "a small singular value decomposition failed (LAPACK %d)", (int)info) : 0;
}

/* y [n][l] orthonormal: the best singular vectors in its span; the first `found` of them. */
static PetscErrorCode rayleigh_ritz(const MtTable *t, int l, int found, const double *y, double *singular,
                                    double *lines, double *across) {
  const int64_t w = t->width;
  int rank;
  double *W = mt_malloc((size_t)w * (size_t)l * sizeof *W), *s = mt_malloc((size_t)l * sizeof *s),
         *Q = mt_malloc((size_t)l * (size_t)l * sizeof *Q);
  PetscCallMPI(MPI_Comm_rank(t->comm, &rank));
  PetscErrorCode rc = mt_pca_multiply_back(t, l, y, W);
  if (!rc) rc = share(t->comm, rank ? 0 : small_svd(w, l, W, s, Q), w * l, W);
  if (!rc) rc = share(t->comm, 0, l, s);
  if (!rc) rc = share(t->comm, 0, (int64_t)l * l, Q);
  for (int c = 0; c < found && !rc; c++) {
    singular[c] = s[c];
    for (int64_t j = 0; j < w; j++) across[j * found + c] = W[j * l + c];
    for (int64_t i = 0; i < t->n; i++) {
      double sum = 0;
      for (int b = 0; b < l; b++) sum += y[i * l + b] * Q[b * l + c];
      lines[i * found + c] = sum;
    }
  }
  free(W);
  free(s);
  free(Q);
  return rc;
}

static PetscErrorCode iterate(const MtTable *t, int k, int l, double *V, const double *value, int *found,
                              double *singular, double *lines, double *across) {
  const double lost = 1e-13; /* eigenvalues below so much of the largest are rounding */
  int good = 0;
  bool independent = true;
  while (good < l && value[good] > lost * value[0]) good++;
  double *x = mt_malloc((size_t)t->width * (size_t)good * sizeof *x),
         *y = mt_malloc((size_t)t->n * (size_t)good * sizeof *y);
  for (int64_t j = 0; j < t->width; j++)
    for (int c = 0; c < good; c++) x[j * good + c] = V[j * l + c] / sqrt(value[c]);
  mt_pca_multiply(t, good, x, y);
  *found = good < k ? good : k;
  PetscErrorCode rc = orthonormalize(t, good, y, &independent);
  if (!independent) *found = 0;
  if (!rc && *found) rc = rayleigh_ritz(t, good, *found, y, singular, lines, across);
  free(x);
  free(y);
  return rc;
}

PetscErrorCode mt_pca_gram(const MtTable *t, int k, int *found, double *singular, double *lines, double *across) {
  const int64_t w = t->width;
  const int l = k + MORE < w ? k + MORE : (int)w;
  int rank;
  double *G = mt_malloc((size_t)w * (size_t)w * sizeof *G), *V = mt_malloc((size_t)w * (size_t)l * sizeof *V),
         *value = mt_malloc((size_t)l * sizeof *value);
  PetscCallMPI(MPI_Comm_rank(t->comm, &rank));
  PetscErrorCode rc = mt_pca_products(t, G);
  if (!rc) rc = share(t->comm, rank ? 0 : eigenvectors(w, l, G, value, V), w * l, V);
  if (!rc) rc = share(t->comm, 0, l, value);
  free(G);
  if (!rc) rc = iterate(t, k, l, V, value, found, singular, lines, across);
  free(V);
  free(value);
  return rc;
}
