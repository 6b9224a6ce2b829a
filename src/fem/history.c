/* Where the next potential starts: the last one plus that combination of the latest changes of potential which comes
 * nearest to the solution in the norm of the energy, by one small dense system (P. F. Fischer, Comput. Methods Appl.
 * Mech. Eng. 163 (1998) 193).  The products of the changes with the operator are differences of products that are
 * computed anyway. */
#include "poisson_impl.h"

static const double DEPENDENT = 1e-10; /* of its own square: what a change must add to those after it */

PetscErrorCode mt_history_create(Vec like, int most, MtHistory **history) {
  MtHistory *h;
  *history = NULL;
  PetscCall(PetscNew(&h));
  h->most = most;
  PetscCall(VecDuplicateVecs(like, most, &h->v));
  PetscCall(VecDuplicateVecs(like, most, &h->Av));
  PetscCall(PetscCalloc1(most * most, &h->gram));
  *history = h;
  return 0;
}

PetscErrorCode mt_history_destroy(MtHistory **history) {
  MtHistory *h = *history;
  if (!h) return 0;
  PetscCall(VecDestroyVecs(h->most, &h->v));
  PetscCall(VecDestroyVecs(h->most, &h->Av));
  PetscCall(PetscFree(h->gram));
  PetscCall(PetscFree(*history));
  return 0;
}

/* Place of the change of age k, 0 the latest. */
static int place(const MtHistory *h, int k) {
  return (h->next - 1 - k + 2 * h->most) % h->most;
}

PetscErrorCode mt_history_add(MtHistory *h, Vec u, Vec Au, Vec before, Vec Abefore) {
  const int at = h->next;
  PetscScalar dot[MT_HISTORY_MOST];
  PetscCall(VecWAXPY(h->v[at], -1, before, u));
  PetscCall(VecWAXPY(h->Av[at], -1, Abefore, Au));
  h->next = (at + 1) % h->most;
  h->n = h->n < h->most ? h->n + 1 : h->n;
  PetscCall(VecMDot(h->Av[at], h->n, h->v, dot)); /* while the ring fills, the first n places are those in use */
  for (int i = 0; i < h->n; i++) h->gram[at * h->most + i] = h->gram[i * h->most + at] = dot[i];
  return 0;
}

/* Solves gram c = r by Cholesky, the latest first; a change that adds nothing to later ones gets 0. */
static void combine(const MtHistory *h, const PetscScalar *r, PetscScalar *c) {
  double L[MT_HISTORY_MOST][MT_HISTORY_MOST], y[MT_HISTORY_MOST];
  const int n = PetscMin(h->n, MT_HISTORY_MOST);
  for (int a = 0; a < n; a++) {
    const double *row = h->gram + place(h, a) * h->most;
    double square = row[place(h, a)], rest = square;
    y[a] = r[place(h, a)];
    for (int b = 0; b < a; b++) {
      L[a][b] = row[place(h, b)];
      for (int k = 0; k < b; k++) L[a][b] -= L[a][k] * L[b][k];
      L[a][b] = L[b][b] > 0 ? L[a][b] / L[b][b] : 0;
      rest -= L[a][b] * L[a][b];
      y[a] -= L[a][b] * y[b];
    }
    L[a][a] = rest > DEPENDENT * square ? sqrt(rest) : 0;
    y[a] = L[a][a] > 0 ? y[a] / L[a][a] : 0;
  }
  for (int a = n - 1; a >= 0; a--) {
    for (int b = a + 1; b < n; b++) y[a] -= L[b][a] * y[b];
    y[a] = L[a][a] > 0 ? y[a] / L[a][a] : 0;
    c[place(h, a)] = y[a];
  }
}

PetscErrorCode mt_history_start(const MtHistory *h, Vec r, Vec u) {
  PetscScalar dot[MT_HISTORY_MOST], c[MT_HISTORY_MOST];
  if (h->n < 1) return 0;
  PetscCall(VecMDot(r, h->n, h->v, dot));
  combine(h, dot, c);
  PetscCall(VecMAXPY(u, h->n, c, h->v));
  for (int i = 0; i < h->n; i++) c[i] = -c[i];
  return VecMAXPY(r, h->n, c, h->Av);
}
