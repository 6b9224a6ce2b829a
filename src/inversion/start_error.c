/* What an error of the state at the beginning adds to the covariance of the parameters.  The state stays as it is taken
 * ("considered", not estimated): to first order the estimate moves by A^-1 B e with it, B = sum dc_k/dtheta' dc_k/dc_0
 * / noise^2, so that the covariance is C + C B B' C times the variance of e (B. D. Tapley, B. E. Schutz, G. H. Born,
 * Statistical Orbit Determination (2004) 6.3).  A row of B is one run of the adjoint, driven by the sensitivity to its
 * parameter in the place of the misfit. */
#include "invert_impl.h"
#include "magtwin/error.h"

PetscErrorCode mt_start_rows(MtTwin *w, Vec *row) {
  const int n = w->n, seen = w->seen.n;
  double misfit, g[MT_UNKNOWNS], H[MT_UNKNOWNS * MT_UNKNOWNS];
  bool good;
  Vec *at; /* [n seen] dc_k/dtheta_p */
  PetscCall(VecDuplicateVecs(w->start, n * seen, &at));
  for (int i = 0; i < n * seen; i++) PetscCall(VecZeroEntries(at[i]));
  PetscErrorCode rc = w->whole ? 0 : mt_twin_forward(w, &misfit, &good, NULL); /* states for all that follows */
  if (!rc) rc = mt_twin_sensitivity(w, &misfit, g, H, at, &good);
  if (!rc && !good) rc = mt_error(MT_ERR_FAIL, "the steps of the march cannot be repeated for the error of the start");
  for (int i = 0; i < n * seen && !rc; i++) rc = mt_snapshots_weigh(&w->seen, i % seen, at[i]);
  for (int p = 0; p < n && !rc; p++) rc = mt_twin_reverse_of(w, at + p * seen, row[p]);
  const PetscErrorCode freed = VecDestroyVecs(n * seen, &at);
  return rc ? rc : freed;
}

/* covariance += C M C, M = variance B B', where parameters are not at bounds. */
static void add(const MtTwin *w, const double *M, MtPosterior *p) {
  const int n = w->n;
  double half[MT_UNKNOWNS * MT_UNKNOWNS], C[MT_UNKNOWNS * MT_UNKNOWNS] = {0};
  for (int i = 0; i < n * n; i++) C[i] = p->covariance[i];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      half[i * n + j] = 0;
      for (int k = 0; k < n; k++)
        if (!p->at_bound[k] && !p->at_bound[j]) half[i * n + j] += C[i * n + k] * M[k * n + j];
    }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      for (int k = 0; k < n; k++) p->covariance[i * n + j] += half[i * n + k] * C[k * n + j];
}

PetscErrorCode mt_posterior_start(MtTwin *w, double noise, MtPosterior *p) {
  const int n = w->n;
  double M[MT_UNKNOWNS * MT_UNKNOWNS] = {0};
  Vec *row;
  PetscCall(VecDuplicateVecs(w->start, n, &row));
  PetscErrorCode rc = mt_start_rows(w, row);
  for (int i = 0; i < n && !rc; i++)
    for (int j = 0; j <= i; j++) {
      PetscScalar product;
      PetscCall(VecDot(row[i], row[j], &product));
      M[i * n + j] = M[j * n + i] = noise * noise * product;
    }
  if (!rc) {
    add(w, M, p);
    mt_posterior_look(w, p);
  }
  const PetscErrorCode freed = VecDestroyVecs(n, &row);
  return rc ? rc : freed;
}
