/* Divergence of m and gradient of the potential, weighted by the box scheme, tet by tet from the coordinates: as
 * matrices they would be the largest arrays of the program (1.1 kB a node), and reading them takes longer than the
 * three cross products of a tet.  V/4 grad(i) = normal(i)/24 (tet.c): no division.  Each rank sums its own rows over
 * the tets in the order of the file: the same bits for any number of ranks. */
#include "magtwin/fem.h"

typedef struct {
  int users; /* D and G */
  const MtMesh *mesh;
  const MtNodes *nodes;
  double *coef;    /* [nt_local] */
  double *m, *u;   /* [3 nv_local], [nv_local] with ghosts */
  PetscInt *owned; /* [nv_local] row of `nodes` on this rank, -1: none */
} Operator;

/* Edges at the first corner.  The normals are e1 x e2, e2 x e0, e0 x e1 and minus their sum (mesh/tet.c); only sums of
 * them are formed below. */
static inline void edges(const double *x, const PetscInt v[4], double e[3][3]) {
  for (int k = 0; k < 3; k++)
    for (int c = 0; c < 3; c++) e[k][c] = x[3 * v[k + 1] + c] - x[3 * v[0] + c];
}

static inline void cross(const double a[3], const double b[3], double c[3]) {
  c[0] = a[1] * b[2] - a[2] * b[1];
  c[1] = a[2] * b[0] - a[0] * b[2];
  c[2] = a[0] * b[1] - a[1] * b[0];
}

static inline double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Row on this rank of an owned node: nodes on one place share that of the first. */
static PetscInt place(const MtMesh *mesh, PetscInt v) {
  return mesh->base_row ? mesh->base_row[v] - mesh->row_start : v;
}

static void add_divergence(const Operator *o, PetscInt t, PetscScalar *b) {
  const PetscInt *v = o->mesh->tet + 4 * t;
  double e[3][3], m[3], p[3], q[3], part[4];
  for (int c = 0; c < 3; c++) {
    m[c] = o->m[3 * v[0] + c] + o->m[3 * v[1] + c] + o->m[3 * v[2] + c] + o->m[3 * v[3] + c];
    m[c] *= o->coef[t] / 24;
  }
  edges(o->mesh->x, v, e);
  cross(e[2], m, p);
  cross(e[1], m, q);
  part[1] = dot(e[1], p);
  part[2] = -dot(e[0], p);
  part[3] = dot(e[0], q);
  part[0] = -(part[1] + part[2] + part[3]);
  for (int i = 0; i < 4; i++)
    if (v[i] < o->mesh->nv_owned) b[place(o->mesh, v[i])] += part[i];
}

static PetscErrorCode divergence(Mat D, Vec m, Vec b) {
  Operator *o;
  const PetscScalar *x;
  PetscScalar *y;
  PetscCall(MatShellGetContext(D, &o));
  PetscCall(VecGetArrayRead(m, &x));
  for (PetscInt i = 0; i < o->nodes->n_owned; i++)
    for (int c = 0; c < 3; c++) o->m[3 * o->nodes->node[i] + c] = x[3 * i + c];
  PetscCall(VecRestoreArrayRead(m, &x));
  PetscCall(mt_mesh_ghosts(o->mesh, 3, o->m));
  PetscCall(VecZeroEntries(b));
  PetscCall(VecGetArray(b, &y));
  for (PetscInt t = 0; t < o->mesh->nt_local; t++)
    if (o->coef[t] != 0) add_divergence(o, t, y);
  return VecRestoreArray(b, &y);
}

static void add_gradient(const Operator *o, PetscInt t, PetscScalar *g) {
  const PetscInt *v = o->mesh->tet + 4 * t;
  double e[3][3], d[3], w[3], p[3], q[3];
  edges(o->mesh->x, v, e);
  for (int k = 0; k < 3; k++) d[k] = (o->u[v[k + 1]] - o->u[v[0]]) * o->coef[t] / 24;
  for (int c = 0; c < 3; c++) w[c] = d[0] * e[1][c] - d[1] * e[0][c];
  cross(w, e[2], p);
  cross(e[0], e[1], q);
  for (int i = 0; i < 4; i++)
    for (int c = 0; c < 3 && o->owned[v[i]] >= 0; c++) g[3 * o->owned[v[i]] + c] += p[c] + d[2] * q[c];
}

static PetscErrorCode gradient(Mat G, Vec u, Vec g) {
  Operator *o;
  const PetscScalar *x;
  PetscScalar *y;
  PetscCall(MatShellGetContext(G, &o));
  PetscCall(VecGetArrayRead(u, &x));
  for (PetscInt v = 0; v < o->mesh->nv_owned; v++) o->u[v] = x[place(o->mesh, v)];
  PetscCall(VecRestoreArrayRead(u, &x));
  PetscCall(mt_mesh_ghosts(o->mesh, 1, o->u));
  PetscCall(VecZeroEntries(g));
  PetscCall(VecGetArray(g, &y));
  for (PetscInt t = 0; t < o->mesh->nt_local; t++)
    if (o->coef[t] != 0) add_gradient(o, t, y);
  return VecRestoreArray(g, &y);
}

static PetscErrorCode leave(Mat A) {
  Operator *o;
  PetscCall(MatShellGetContext(A, &o));
  if (--o->users) return 0;
  PetscCall(PetscFree(o->coef));
  PetscCall(PetscFree(o->m));
  PetscCall(PetscFree(o->u));
  PetscCall(PetscFree(o->owned));
  return PetscFree(o);
}

static PetscErrorCode shell(Operator *o, PetscInt rows, PetscInt cols, PetscErrorCode (*mult)(Mat, Vec, Vec), Mat *A) {
  PetscCall(MatCreateShell(o->mesh->comm, rows, cols, PETSC_DETERMINE, PETSC_DETERMINE, o, A));
  PetscCall(MatShellSetOperation(*A, MATOP_MULT, (void (*)(void))mult));
  PetscCall(MatShellSetOperation(*A, MATOP_DESTROY, (void (*)(void))leave));
  o->users++;
  return 0;
}

PetscErrorCode mt_fem_divergence(const MtMesh *mesh, const MtNodes *nodes, const double *coef, Mat *D, Mat *G) {
  Operator *o;
  PetscCall(PetscNew(&o));
  o->mesh = mesh;
  o->nodes = nodes;
  PetscCall(PetscMalloc1(mesh->nt_local, &o->coef));
  PetscCall(PetscArraycpy(o->coef, coef, mesh->nt_local));
  PetscCall(PetscCalloc1(3 * mesh->nv_local, &o->m));
  PetscCall(PetscMalloc1(mesh->nv_local, &o->u));
  PetscCall(PetscMalloc1(mesh->nv_local, &o->owned));
  for (PetscInt i = 0; i < mesh->nv_local; i++)
    o->owned[i] = nodes->index[i] >= 0 && nodes->index[i] < nodes->n_owned ? nodes->index[i] : -1;
  PetscCall(shell(o, mesh->nv_owned, 3 * nodes->n_owned, divergence, D));
  return shell(o, 3 * nodes->n_owned, mesh->nv_owned, gradient, G);
}
