/* Linear tetrahedra: geometry of an element (plain C), operators on the distributed mesh, and the magnetostatic
 * potential with an open boundary.  Lengths in nm. */
#ifndef MAGTWIN_FEM_H
#define MAGTWIN_FEM_H

#include "magtwin/mesh.h"
#include <petscksp.h>
#include <petscmat.h>

/* Gradients of the four hat functions (1/nm) and the volume (nm3).  x [4][3] nm.  Plain C. */
void mt_fem_tet(const double x[4][3], double grad[4][3], double *volume);

/* Some of the nodes (those of the magnet) with a numbering of their own: rows contiguous by rank, owned first. */
typedef struct {
  PetscInt n_owned, n_local; /* owned, owned + ghosts */
  PetscInt row_start;        /* PETSc row of the first owned one */
  int64_t n_global;
  PetscInt *node;  /* [n_local] local node of the mesh */
  PetscInt *index; /* [mesh->nv_local] local index here, -1 if not a member */
  PetscInt *row;   /* [n_local] PETSc row (of scalars; component c of a 3-vector is 3*row + c) */
} MtNodes;
/* member: [nv_local] flags, consistent on ghosts.  *nodes is the caller's.  Collective on mesh->comm. */
PetscErrorCode mt_nodes_create(const MtMesh *mesh, const bool *member, MtNodes **nodes);
/* Sets *nodes to NULL; NULL is fine.  Not collective. */
PetscErrorCode mt_nodes_destroy(MtNodes **nodes);

/* sum_e coef_e V_e grad(i).grad(j) over the tets with coef != 0, on the rows of `nodes` (NULL: all nodes of the mesh).
 * coef [nt_local].  AIJ, symmetric; *K is the caller's.  Collective on mesh->comm. */
PetscErrorCode mt_fem_stiffness(const MtMesh *mesh, const MtNodes *nodes, const double *coef, Mat *K);
/* The same matrix for the three components of a field: *A knows MatMult only, on Vecs of 3 values a row.  It keeps
 * `scalar`, AIJ, whose values are not to change any more; *A is the caller's.  Collective. */
PetscErrorCode mt_fem_threefold(Mat scalar, Mat *A);
/* Lumped weights sum_e coef_e V_e/4 per owned node -> [n_owned].  Not collective. */
PetscErrorCode mt_fem_lumped(const MtMesh *mesh, const MtNodes *nodes, const double *coef, double *w);
/* D: rows all nodes, columns 3*nodes: (D m)_i = sum_e coef_e V_e/4 sum_b grad(i).m_b.  G = D^T comes with it (rows
 * 3*nodes).  Both know their products alone (no entries), are the caller's, and keep mesh and nodes, which must outlive
 * them; coef [nt_local] is copied.  Collective on mesh->comm. */
PetscErrorCode mt_fem_divergence(const MtMesh *mesh, const MtNodes *nodes, const double *coef, Mat *D, Mat *G);
/* (A f)_i = sum_e coef_e V_e/4 u.grad f over the tets with coef != 0, all of whose nodes belong to `nodes`; u constant.
 * AIJ, rows and columns of `nodes`; *A is the caller's.  Collective on mesh->comm. */
PetscErrorCode mt_fem_advection(const MtMesh *mesh, const MtNodes *nodes, const double *coef, const double u[3],
                                Mat *A);

/* Lifshitz invariants: E = 1/2 m.L m = sum_e V_e/4 sum_ab m_a.(w_b x m_b), w_b = D grad(b) + grad(b) x p; with D alone
 * the integral of D m.curl m, with p = D n that of D ((m.n) div m - (m.grad)(m.n)).  coef [4 nt_local]: D, p of each
 * tet. L: rows and columns 3*nodes, symmetric, with a diagonal of zeros; the caller's.  Collective on mesh->comm. */
PetscErrorCode mt_fem_lifshitz(const MtMesh *mesh, const MtNodes *nodes, const double *coef, Mat *L);

/* E = 1/2 m.Q m = sum_e coef_e V_e/20 sum over edges of (c_i - c_j)^2, c = m.k with the axis k = axis + 3 which_e: the
 * integral of coef (1 - c^2) with linear m less that of the box scheme.  coef, which [nt_local], axis [3 naxes] unit;
 * all copied.  Q: rows and columns 3*nodes, symmetric, knows its products alone (MatMult, MatMultAdd); the caller's.
 * Collective on mesh->comm. */
PetscErrorCode mt_fem_axial(const MtMesh *mesh, const MtNodes *nodes, const double *coef, const int32_t *which,
                            int naxes, const double *axis, Mat *Q);

/* The open-boundary Poisson problem: find u with (grad v, grad u) + <v, DtN u> = b(v) on the mesh that ends on a
 * sphere; the Dirichlet-to-Neumann map of the sphere: modes l <= modes get (l+1)/R, the rest a Robin term (modes+2)/R
 * (docs/numerics.md).  Solved by CG with a cycle of multigrid.h on stiffness + Robin. */
typedef struct MtPoisson MtPoisson;
/* modes >= 0; mesh is kept and must outlive *p.  PETSc's options with the prefix demag_ count.  MT_ERR_INPUT if the
 * mesh has no sphere around it.  Collective on mesh->comm. */
PetscErrorCode mt_poisson_create(const MtMesh *mesh, int modes, MtPoisson **p);
/* u: initial guess in, solution out (rows of the mesh).  Stops when the norm of the residual b - A u
 * falls below rtol |b| or atol; iterations in *its.  MT_ERR_FAIL if it does not converge (with the reason).
 * Collective. */
PetscErrorCode mt_poisson_solve(MtPoisson *p, Vec b, Vec u, double rtol, double atol, PetscInt *its);
/* From now on solves start from u and the best combination of at most `changes` latest changes of u (0: from u alone,
 * as at first); what was kept before is forgotten.  changes <= 16.  Collective. */
PetscErrorCode mt_poisson_remember(MtPoisson *p, int changes);
/* y = operator u, both rows of the mesh.  Collective. */
PetscErrorCode mt_poisson_apply(MtPoisson *p, Vec u, Vec y);
/* The same product for the solution u of the last solve, which often knows it; *Au is p's, valid until the next solve.
 * Collective. */
PetscErrorCode mt_poisson_product(MtPoisson *p, Vec u, Vec *Au);
/* A zero vector of the rows of the mesh, the caller's.  Collective. */
PetscErrorCode mt_poisson_create_vec(MtPoisson *p, Vec *v);
/* Work so far: solves, CG iterations, products with the stiffness matrix (those inside AMG counted as nnz-weighted
 * equivalents). */
typedef struct {
  int64_t solves, iterations;
  double spmv;
  double operator_complexity;
} MtPoissonCount;
/* Not collective. */
MtPoissonCount mt_poisson_count(const MtPoisson *p);
/* Sets *p to NULL; NULL is fine.  Collective. */
PetscErrorCode mt_poisson_destroy(MtPoisson **p);

#endif
