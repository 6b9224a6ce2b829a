/* The states of a nodal field in time, and the places where a step of it went wrong. */
#include "stepper.h"
#include <math.h>

enum { VECTORS = 6 };

static void list_vectors(MtMultistep *f, Vec *list[VECTORS]) {
  Vec *const all[VECTORS] = {&f->c[0], &f->c[1], &f->c[2], &f->next, &f->guess, &f->base};
  for (int i = 0; i < VECTORS; i++) list[i] = all[i];
}

PetscErrorCode mt_multistep_create(Vec like, MtMultistep *f) {
  Vec *list[VECTORS];
  list_vectors(f, list);
  for (int i = 0; i < VECTORS; i++) {
    PetscCall(VecDuplicate(like, list[i]));
    PetscCall(VecZeroEntries(*list[i]));
  }
  return 0;
}

PetscErrorCode mt_multistep_destroy(MtMultistep *f) {
  Vec *list[VECTORS];
  list_vectors(f, list);
  for (int i = 0; i < VECTORS; i++) PetscCall(VecDestroy(list[i]));
  return 0;
}

PetscErrorCode mt_multistep_guess(const MtBdf2 *b, const Vec c[3], Vec base, Vec guess) {
  const PetscScalar *a[3];
  PetscScalar *to[2];
  PetscInt n;
  PetscCall(VecGetLocalSize(base, &n));
  for (int k = 0; k < 3; k++) PetscCall(VecGetArrayRead(c[k], &a[k]));
  PetscCall(VecGetArray(base, &to[0]));
  PetscCall(VecGetArray(guess, &to[1]));
  mt_bdf2_predict(b, (size_t)n, a, to[0], to[1]);
  PetscCall(VecRestoreArray(guess, &to[1]));
  PetscCall(VecRestoreArray(base, &to[0]));
  for (int k = 0; k < 3; k++) PetscCall(VecRestoreArrayRead(c[k], &a[k]));
  return 0;
}

PetscErrorCode mt_multistep_predict(MtMultistep *f, const MtBdf2 *b) {
  PetscCall(mt_multistep_guess(b, f->c, f->base, f->guess));
  return VecCopy(f->guess, f->next);
}

PetscErrorCode mt_multistep_error(MtMultistep *f, double share) {
  return VecAXPBY(f->guess, share, -share, f->next);
}

/* The state accepted takes the place of the oldest one; the rate at the beginning stays there for one step more. */
void mt_multistep_accept(MtMultistep *f, bool first) {
  Vec now = f->next;
  f->next = f->c[first ? 1 : 2];
  if (!first) f->c[2] = f->c[1];
  f->c[1] = f->c[0];
  f->c[0] = now;
}

void mt_worst_note(MtWorst *w, const MtDomain *d, PetscInt node, double size, double value, int of) {
  const double *x = d->x + 3 * node;
  if (!(size > w->size)) return;
  *w = (MtWorst){.size = size, .value = value, .x = {x[0], x[1], x[2]}, .of = of, .low = w->low, .high = w->high};
}

PetscErrorCode mt_worst_size(MtWorst *w, const MtDomain *d, Vec v, Vec c, int of) {
  const PetscScalar *a, *value;
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(VecGetArrayRead(c, &value));
  for (PetscInt i = 0; i < d->n_owned; i++) mt_worst_note(w, d, i, fabs(a[i]), value[i], of);
  PetscCall(VecRestoreArrayRead(c, &value));
  return VecRestoreArrayRead(v, &a);
}

PetscErrorCode mt_worst_outside(MtWorst *w, const MtDomain *d, Vec c, int of, double low, double high) {
  const PetscScalar *a;
  PetscCall(VecGetArrayRead(c, &a));
  for (PetscInt i = 0; i < d->n_owned; i++) {
    const double size = fmax(low - a[i], a[i] - high);
    if (!(size > w->size)) continue;
    mt_worst_note(w, d, i, size, a[i], of);
    w->low = low;
    w->high = high;
  }
  return VecRestoreArrayRead(c, &a);
}
