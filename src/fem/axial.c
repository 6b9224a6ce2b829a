/* What the exact integral of K (1 - (m.k)^2) over tetrahedra with linear m adds to the box scheme's, which takes m at
 * the nodes: integral of c^2 = V/20 (sum c_i^2 + (sum c_i)^2), so the difference is K V/20 sum over the edges of (c_i -
 * c_j)^2 with c = m.k.  One number a pair of nodes instead of nine: rows are the places c lives at, a node once for
 * every axis its tets have.  These are numbered on each rank alone; ghosts bring m. */
#include "magtwin/fem.h"

typedef struct {
  PetscInt n_owned, n_local; /* nodes */
  PetscInt n;                /* places */
  PetscInt *node;            /* [n] */
  int32_t *which;            /* [n] axis */
  double *axis;              /* [3 naxes] */
  PetscInt *start, *col;     /* [n+1] rows of owned nodes, those of ghosts are empty; [start[n]] places */
  double *weight;            /* [start[n]] coef V/10 of the tets at the edge */
  double *c;                 /* [n] */
  Vec m;                     /* [3 n_local] with ghosts, of this process alone */
  VecScatter ghosts;
} Operator;

static void projections(const Operator *o, const PetscScalar *m) {
  for (PetscInt p = 0; p < o->n; p++) {
    const double *k = o->axis + 3 * o->which[p], *x = m + 3 * o->node[p];
    o->c[p] = x[0] * k[0] + x[1] * k[1] + x[2] * k[2];
  }
}

static void add_rows(const Operator *o, PetscScalar *w) {
  for (PetscInt p = 0; p < o->n; p++) {
    const double *k = o->axis + 3 * o->which[p];
    double sum = 0;
    for (PetscInt a = o->start[p]; a < o->start[p + 1]; a++) sum += o->weight[a] * (o->c[p] - o->c[o->col[a]]);
    for (int c = 0; c < 3 && o->node[p] < o->n_owned; c++) w[3 * o->node[p] + c] += sum * k[c];
  }
}

static PetscErrorCode add(Operator *o, Vec m, Vec w) {
  const PetscScalar *x;
  PetscScalar *y;
  PetscCall(VecScatterBegin(o->ghosts, m, o->m, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(o->ghosts, m, o->m, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArrayRead(o->m, &x));
  projections(o, x);
  PetscCall(VecRestoreArrayRead(o->m, &x));
  PetscCall(VecGetArray(w, &y));
  add_rows(o, y);
  return VecRestoreArray(w, &y);
}

static PetscErrorCode mult(Mat Q, Vec m, Vec w) {
  Operator *o;
  PetscCall(MatShellGetContext(Q, &o));
  PetscCall(VecZeroEntries(w));
  return add(o, m, w);
}

static PetscErrorCode mult_add(Mat Q, Vec m, Vec start, Vec w) {
  Operator *o;
  PetscCall(MatShellGetContext(Q, &o));
  if (start != w) PetscCall(VecCopy(start, w));
  return add(o, m, w);
}

static PetscErrorCode leave(Mat Q) {
  Operator *o;
  PetscCall(MatShellGetContext(Q, &o));
  PetscCall(PetscFree3(o->node, o->which, o->c));
  PetscCall(PetscFree3(o->start, o->col, o->weight));
  PetscCall(PetscFree(o->axis));
  PetscCall(VecScatterDestroy(&o->ghosts));
  PetscCall(VecDestroy(&o->m));
  return PetscFree(o);
}

/* While the rows are made. */
typedef struct {
  const MtMesh *mesh;
  const MtNodes *nodes;
  const double *coef;
  const int32_t *which;
  PetscInt *corner;      /* [4 nt_local] place of each corner of the tets with coef != 0 */
  PetscInt *first;       /* [n_local] the last place made at a node, -1: none */
  PetscInt *next;        /* [n] the one before it at the same node */
  PetscInt *room, *used; /* [n+1] rows with room for every tet's edges; [n] of it */
  PetscInt *col;
  double *weight;
} Build;

static PetscInt place_of(const Build *b, Operator *o, PetscInt node, int32_t which) {
  PetscInt p = b->first[node];
  while (p >= 0 && o->which[p] != which) p = b->next[p];
  if (p >= 0) return p;
  p = o->n++;
  o->node[p] = node;
  o->which[p] = which;
  b->next[p] = b->first[node];
  return b->first[node] = p;
}

static PetscErrorCode make_places(Build *b, Operator *o) {
  PetscInt most = 0;
  for (PetscInt t = 0; t < b->mesh->nt_local; t++) most += b->coef[t] != 0 ? 4 : 0;
  PetscCall(PetscMalloc1(4 * b->mesh->nt_local, &b->corner));
  PetscCall(PetscMalloc2(b->nodes->n_local, &b->first, most, &b->next));
  PetscCall(PetscMalloc3(most, &o->node, most, &o->which, most, &o->c));
  for (PetscInt i = 0; i < b->nodes->n_local; i++) b->first[i] = -1;
  for (PetscInt t = 0; t < b->mesh->nt_local; t++)
    for (int k = 0; k < 4 && b->coef[t] != 0; k++)
      b->corner[4 * t + k] = place_of(b, o, b->nodes->index[b->mesh->tet[4 * t + k]], b->which[t]);
  return 0;
}

static void add_edge(const Build *b, PetscInt row, PetscInt col, double weight) {
  PetscInt a = b->room[row], end = a + b->used[row];
  while (a < end && b->col[a] != col) a++;
  if (a == end) {
    b->used[row]++;
    b->col[a] = col;
    b->weight[a] = 0;
  }
  b->weight[a] += weight;
}

static void add_tet(const Build *b, const Operator *o, PetscInt t) {
  const PetscInt *p = b->corner + 4 * t;
  double x[4][3], grad[4][3], volume;
  for (int k = 0; k < 4; k++)
    for (int c = 0; c < 3; c++) x[k][c] = b->mesh->x[3 * b->mesh->tet[4 * t + k] + c];
  mt_fem_tet((const double(*)[3])x, grad, &volume);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      if (i != j && o->node[p[i]] < o->n_owned) add_edge(b, p[i], p[j], b->coef[t] * volume / 10);
}

/* Rows without the room that is left over. */
static PetscErrorCode pack(const Build *b, Operator *o) {
  PetscInt total = 0;
  for (PetscInt p = 0; p < o->n; p++) total += b->used[p];
  PetscCall(PetscMalloc3(o->n + 1, &o->start, total, &o->col, total, &o->weight));
  o->start[0] = 0;
  for (PetscInt p = 0; p < o->n; p++) {
    o->start[p + 1] = o->start[p] + b->used[p];
    PetscCall(PetscArraycpy(o->col + o->start[p], b->col + b->room[p], b->used[p]));
    PetscCall(PetscArraycpy(o->weight + o->start[p], b->weight + b->room[p], b->used[p]));
  }
  return 0;
}

static PetscErrorCode make_rows(Build *b, Operator *o) {
  PetscCall(make_places(b, o));
  PetscCall(PetscCalloc2(o->n + 1, &b->room, o->n, &b->used));
  for (PetscInt t = 0; t < b->mesh->nt_local; t++)
    for (int k = 0; k < 4 && b->coef[t] != 0; k++) b->room[b->corner[4 * t + k] + 1] += 3;
  for (PetscInt p = 0; p < o->n; p++) b->room[p + 1] += b->room[p];
  PetscCall(PetscMalloc2(b->room[o->n], &b->col, b->room[o->n], &b->weight));
  for (PetscInt t = 0; t < b->mesh->nt_local; t++)
    if (b->coef[t] != 0) add_tet(b, o, t);
  PetscCall(pack(b, o));
  PetscCall(PetscFree2(b->col, b->weight));
  PetscCall(PetscFree2(b->room, b->used));
  PetscCall(PetscFree2(b->first, b->next));
  return PetscFree(b->corner);
}

static PetscErrorCode make_ghosts(MPI_Comm comm, const MtNodes *nodes, Operator *o) {
  Vec rows;
  IS from;
  PetscCall(VecCreate(comm, &rows));
  PetscCall(VecSetSizes(rows, 3 * o->n_owned, PETSC_DETERMINE));
  PetscCall(VecSetBlockSize(rows, 3));
  PetscCall(VecSetType(rows, VECSTANDARD));
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, 3 * o->n_local, &o->m));
  PetscCall(ISCreateBlock(comm, 3, o->n_local, nodes->row, PETSC_COPY_VALUES, &from));
  PetscCall(VecScatterCreate(rows, from, o->m, NULL, &o->ghosts));
  PetscCall(ISDestroy(&from));
  return VecDestroy(&rows);
}

PetscErrorCode mt_fem_axial(const MtMesh *mesh, const MtNodes *nodes, const double *coef, const int32_t *which,
                            int naxes, const double *axis, Mat *Q) {
  Operator *o;
  Build build = {.mesh = mesh, .nodes = nodes, .coef = coef, .which = which};
  const PetscInt n = 3 * nodes->n_owned;
  PetscCall(PetscNew(&o));
  o->n_owned = nodes->n_owned;
  o->n_local = nodes->n_local;
  PetscCall(make_rows(&build, o));
  PetscCall(PetscMalloc1(3 * naxes, &o->axis));
  PetscCall(PetscArraycpy(o->axis, axis, 3 * naxes));
  PetscCall(make_ghosts(mesh->comm, nodes, o));
  PetscCall(MatCreateShell(mesh->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, o, Q));
  PetscCall(MatShellSetOperation(*Q, MATOP_MULT, (void (*)(void))mult));
  PetscCall(MatShellSetOperation(*Q, MATOP_MULT_ADD, (void (*)(void))mult_add));
  return MatShellSetOperation(*Q, MATOP_DESTROY, (void (*)(void))leave);
}
