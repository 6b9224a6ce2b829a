/* Boundaries between rigid grains as surfaces that cost less where they are wet: the faces between elements of
 * different grains, their energy dealt to their nodes. */
#include "flow_impl.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  PetscInt node[3]; /* local, ascending by row; the third -1 in two dimensions */
  PetscInt row[3];
  int grain;
  double area;
} Side;

static int by_rows(const void *a, const void *b) {
  const Side *x = a, *y = b;
  for (int k = 0; k < 3; k++)
    if (x->row[k] != y->row[k]) return x->row[k] < y->row[k] ? -1 : 1;
  return (x->grain > y->grain) - (x->grain < y->grain);
}

/* The side opposite to a corner: grad of that corner's function is area/(dim volume). */
static void fill_side(const MtDomain *d, PetscInt e, int corner, int grain, double area, Side *s) {
  int n = 0;
  *s = (Side){.node = {-1, -1, -1}, .row = {-1, -1, -1}, .grain = grain, .area = area};
  for (int k = 0; k <= d->dim; k++) {
    if (k == corner) continue;
    const PetscInt node = d->element[(d->dim + 1) * e + k], row = d->row[node];
    int at = n++;
    for (; at > 0 && s->row[at - 1] > row; at--) {
      s->row[at] = s->row[at - 1];
      s->node[at] = s->node[at - 1];
    }
    s->row[at] = row;
    s->node[at] = node;
  }
}

static void sides_of(const MtDomain *d, PetscInt e, int grain, Side *side) {
  double x[4][3], grad[4][3], volume;
  mt_domain_corners(d, e, x);
  mt_simplex(d->dim, (const double(*)[3])x, grad, &volume);
  for (int k = 0; k <= d->dim; k++) {
    const double size = sqrt(grad[k][0] * grad[k][0] + grad[k][1] * grad[k][1] + grad[k][2] * grad[k][2]);
    fill_side(d, e, k, grain, d->dim * fabs(volume) * size, &side[k]);
  }
}

PetscErrorCode mt_wall_create(const MtDomain *d, const int *grain, double (*energy)(const void *context, int a, int b),
                              const void *context, double *wall, double *area) {
  const PetscInt n = (d->dim + 1) * d->ne;
  Side *side;
  PetscCall(PetscMalloc1(n, &side));
  PetscCall(PetscArrayzero(wall, d->n_owned));
  for (PetscInt e = 0; e < d->ne; e++) sides_of(d, e, grain[e], side + (d->dim + 1) * e);
  qsort(side, (size_t)n, sizeof *side, by_rows);
  *area = 0;
  for (PetscInt i = 0; i + 1 < n; i++) {
    const Side *a = &side[i], *b = a + 1;
    if (a->row[0] != b->row[0] || a->row[1] != b->row[1] || a->row[2] != b->row[2] || a->grain == b->grain) continue;
    const double sigma = 1e9 * energy(context, a->grain, b->grain); /* J/m2 -> J/m3 nm */
    for (int k = 0; k < d->dim; k++) {
      if (a->node[k] >= d->n_owned) continue;
      wall[a->node[k]] += sigma * a->area / d->dim;
      *area += a->area / d->dim;
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, area, 1, MPI_DOUBLE, MPI_SUM, d->comm));
  return PetscFree(side);
}

/* Cubic, so that the profile of an interface between the phases of a double well meets the wall at Young's angle
 * whatever its width: kappa dc/dn = wall p'(c)/2 holds on the whole of a straight one. */
void mt_wall_at(const MtFlowModel *m, double c, double p[3]) {
  const double size = m->wet - m->dry, u = (c - m->dry) / size;
  p[0] = 1 + u * u * (2 * u - 3);
  p[1] = 6 * u * (u - 1) / size;
  p[2] = (12 * u - 6) / (size * size);
}
