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

static double normals(const MtMesh *mesh, PetscInt t, double normal[4][3]) {
  double x[4][3];
  for (int k = 0; k < 4; k++)
    for (int c = 0; c < 3; c++) x[k][c] = mesh->x[3 * mesh->tet[4 * t + k] + c];
  return mt_tet_normals((const double(*)[3])x, normal);
}

/* Row on this rank of an owned node: nodes on one place share that of the first. */
static PetscInt place(const MtMesh *mesh, PetscInt v) {
  return mesh->base_row ? mesh->base_row[v] - mesh->row_start : v;
}

static void add_divergence(const Operator *o, PetscInt t, PetscScalar *b) {
  const PetscInt *v = o->mesh->tet + 4 * t;
  double normal[4][3], m[3];
  normals(o->mesh, t, normal);
  for (int c = 0; c < 3; c++) {
    m[c] = o->m[3 * v[0] + c] + o->m[3 * v[1] + c] + o->m[3 * v[2] + c] + o->m[3 * v[3] + c];
    m[c] *= o->coef[t] / 24;
  }
  for (int i = 0; i < 4; i++)
    if (v[i] < o->mesh->nv_owned)
      b[place(o->mesh, v[i])] += normal[i][0] * m[0] + normal[i][1] * m[1] + normal[i][2] * m[2];
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
  double normal[4][3], h[3];
  normals(o->mesh, t, normal);
  for (int c = 0; c < 3; c++) {
    h[c] =
        o->u[v[0]] * normal[0][c] + o->u[v[1]] * normal[1][c] + o->u[v[2]] * normal[2][c] + o->u[v[3]] * normal[3][c];
    h[c] *= o->coef[t] / 24;
  }
  for (int i = 0; i < 4; i++)
    for (int c = 0; c < 3 && o->owned[v[i]] >= 0; c++) g[3 * o->owned[v[i]] + c] += h[c];
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
