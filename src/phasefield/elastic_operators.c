/* The stiffness matrix of linear simplices: each rank sums its own rows in the order of its elements. */
#include "elastic_impl.h"
#include <math.h>

double mt_elastic_element(const MtElastic *e, PetscInt t, const PetscScalar *c, double grad[4][3], double *volume) {
  const MtDomain *d = e->domain;
  const PetscInt *node = d->element + (d->dim + 1) * t;
  double x[4][3], sum = 0;
  mt_domain_corners(d, t, x);
  mt_simplex(d->dim, (const double(*)[3])x, grad, volume);
  for (int k = 0; c && k <= d->dim; k++) sum += PetscRealPart(c[node[k]]);
  return sum / (d->dim + 1);
}

static double between(double a, double b, double h) {
  return a + h * (b - a);
}

MtStiffness mt_elastic_stiffness(const MtElastic *e, double c, MtStiffness *slope) {
  const MtStiffness *a = &e->model.phase[0], *b = &e->model.phase[1];
  const double width = e->model.high - e->model.low, p = fmin(1, fmax(0, (c - e->model.low) / width));
  const double h = p * p * (3 - 2 * p), dh = 6 * p * (1 - p) / width;
  if (slope) *slope = (MtStiffness){dh * (b->C11 - a->C11), dh * (b->C12 - a->C12), dh * (b->C44 - a->C44)};
  return (MtStiffness){between(a->C11, b->C11, h), between(a->C12, b->C12, h), between(a->C44, b->C44, h)};
}

/* Ends of a box along axes that are not periodic. */
static void hold_box(const MtDomain *d, PetscScalar *mark) {
  for (PetscInt i = 0; i < d->n_owned; i++)
    for (int c = 0; c < d->dim; c++) {
      const double x = d->x[3 * i + c], edge = 1e-9 * d->box.size[c];
      if (!d->box.periodic[c] && (x <= edge || x >= d->box.size[c] - edge)) mark[i] = 1;
    }
}

/* The surface of the magnet. */
static PetscErrorCode hold_mesh(const MtDomain *d, PetscScalar *mark) {
  PetscInt n, node[3];
  MtFace *face;
  double area[3];
  PetscCall(mt_mesh_region_faces(d->mesh, &n, &face));
  for (PetscInt f = 0; f < n; f++) {
    if (face[f].neighbour >= 0) continue;
    mt_mesh_face(d->mesh, &face[f], node, area);
    for (int k = 0; k < 3; k++) {
      const PetscInt i = d->nodes->index[node[k]];
      if (i >= 0 && i < d->n_owned) mark[i] = 1;
    }
  }
  return PetscFree(face);
}

PetscErrorCode mt_elastic_hold(MtElastic *e) {
  const MtDomain *d = e->domain;
  PetscScalar *mark;
  const PetscScalar *all;
  Vec local;
  PetscCall(PetscCalloc1(d->n_local, &e->held));
  if (!e->model.clamped) return 0;
  PetscCall(VecZeroEntries(e->c));
  PetscCall(VecGetArray(e->c, &mark));
  if (d->mesh)
    PetscCall(hold_mesh(d, mark));
  else
    hold_box(d, mark);
  PetscCall(VecRestoreArray(e->c, &mark));
  PetscCall(VecGhostUpdateBegin(e->c, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostUpdateEnd(e->c, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGhostGetLocalForm(e->c, &local));
  PetscCall(VecGetArrayRead(local, &all));
  for (PetscInt i = 0; i < d->n_local; i++) e->held[i] = PetscRealPart(all[i]) > 0;
  PetscCall(VecRestoreArrayRead(local, &all));
  return VecGhostRestoreLocalForm(e->c, &local);
}

/* A block for each pair of nodes that share an element. */
PetscErrorCode mt_elastic_matrix(const MtElastic *e, Mat *A) {
  const MtDomain *d = e->domain;
  PetscInt *own, *other;
  PetscCall(PetscMalloc2(d->n_owned, &own, d->n_owned, &other));
  PetscCall(mt_domain_entries(d, own, other));
  PetscCall(MatCreate(d->comm, A));
  PetscCall(MatSetSizes(*A, d->dim * d->n_owned, d->dim * d->n_owned, PETSC_DETERMINE, PETSC_DETERMINE));
  PetscCall(MatSetType(*A, MATAIJ));
  PetscCall(MatSetBlockSize(*A, d->dim));
  PetscCall(MatXAIJSetPreallocation(*A, d->dim, own, other, NULL, NULL));
  PetscCall(PetscFree2(own, other));
  PetscCall(MatSetOption(*A, MAT_NO_OFF_PROC_ENTRIES, PETSC_TRUE));
  return MatSetOption(*A, MAT_SYMMETRIC, PETSC_TRUE);
}

/* V (C12 g_a h_b + C44 (g.h d_ab + g_b h_a) + (C11 - C12 - 2 C44) g_a h_a d_ab), g and h the gradients of two nodes. */
static void block(int dim, const MtStiffness *C, const double g[3], const double h[3], double V, PetscScalar *out,
                  int stride) {
  const double dot = g[0] * h[0] + g[1] * h[1] + g[2] * h[2], cubic = C->C11 - C->C12 - 2 * C->C44;
  for (int a = 0; a < dim; a++)
    for (int b = 0; b < dim; b++) {
      double value = C->C12 * g[a] * h[b] + C->C44 * g[b] * h[a];
      if (a == b) value += C->C44 * dot + cubic * g[a] * h[a];
      out[stride * a + b] = V * value;
    }
}

static PetscErrorCode add_element(const MtElastic *e, PetscInt t, const PetscScalar *c, Mat A) {
  const MtDomain *d = e->domain;
  const int n = d->dim + 1, width = d->dim * n;
  const PetscInt *node = d->element + n * t;
  const MtStiffness *a = &e->model.phase[0], *b = &e->model.phase[1];
  double grad[4][3], V;
  PetscScalar value[144];
  PetscInt row[4], column[4];
  const double at = mt_elastic_element(e, t, c, grad, &V);
  const MtStiffness C = c ? mt_elastic_stiffness(e, at, NULL)
                          : (MtStiffness){.5 * (a->C11 + b->C11), .5 * (a->C12 + b->C12), .5 * (a->C44 + b->C44)};
  for (int i = 0; i < n; i++) {
    column[i] = e->held[node[i]] ? -1 : d->row[node[i]];
    row[i] = node[i] < d->n_owned ? column[i] : -1; /* left out: its owner sums it */
    for (int j = 0; j < n; j++)
      block(d->dim, &C, grad[i], grad[j], V, value + (ptrdiff_t)width * d->dim * i + d->dim * j, width);
  }
  return MatSetValuesBlocked(A, n, row, n, column, value, ADD_VALUES);
}

double mt_elastic_size(const MtElastic *e) {
  const MtDomain *d = e->domain;
  return e->model.phase[0].C11 * pow(d->volume / (double)d->n_global, (d->dim - 2.) / d->dim);
}

/* A node that is held has the diagonal of a free one. */
static PetscErrorCode add_held(const MtElastic *e, Mat A) {
  const MtDomain *d = e->domain;
  const double size = mt_elastic_size(e);
  for (PetscInt i = 0; i < d->n_owned; i++)
    for (int a = 0; e->held[i] && a < d->dim; a++)
      PetscCall(MatSetValue(A, d->dim * (d->row_start + i) + a, d->dim * (d->row_start + i) + a, size, ADD_VALUES));
  return 0;
}

PetscErrorCode mt_elastic_assemble(const MtElastic *e, const PetscScalar *c, Mat A) {
  PetscCall(MatZeroEntries(A));
  for (PetscInt t = 0; t < e->domain->ne; t++) PetscCall(add_element(e, t, c, A));
  PetscCall(add_held(e, A));
  PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
  return MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY);
}
