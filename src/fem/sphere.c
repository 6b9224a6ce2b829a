/* The outer sphere's Dirichlet-to-Neumann map on the discrete boundary (docs/numerics.md).
 *
 * Outside, u = sum a_lm (R/r)^(l+1) Y_lm, so that -du/dr = (l+1)/R on mode (l,m).  With M the boundary mass matrix
 * (areas scaled to the true sphere) and Q harmonics of degree <= L made M-orthonormal (Cholesky factor of their Gram
 * matrix, ascending degree), the operator is  robin M + (M Q) diag(lambda_l - robin) (M Q)^T:  symmetric, exact on the
 * modes kept, and (L+2)/R, the value of the first mode left out, on everything else. */
#include "magtwin/error.h"
#include "magtwin/units.h"
#include "poisson_impl.h"
#include <math.h>

/* A face with its three local nodes, those ascending. */
typedef struct {
  PetscInt v[3];
  PetscInt tet; /* the local tet it belongs to: order of the file */
} Face;

static int compare_nodes(const void *a, const void *b, void *ctx) {
  const Face *f = a, *g = b;
  (void)ctx;
  for (int k = 0; k < 3; k++)
    if (f->v[k] != g->v[k]) return f->v[k] < g->v[k] ? -1 : 1;
  return 0;
}

static int compare_tets(const void *a, const void *b, void *ctx) {
  const Face *f = a, *g = b;
  if (f->tet != g->tet) return f->tet < g->tet ? -1 : 1;
  return compare_nodes(a, b, ctx);
}

static bool on_sphere(const MtMesh *mesh, PetscInt i) {
  double r2 = 0;
  for (int c = 0; c < 3; c++) r2 += pow(mesh->x[3 * i + c] - mesh->sphere[c], 2);
  return fabs(sqrt(r2) - mesh->sphere[3]) < 1e-6 * mesh->sphere[3];
}

static Face face_opposite(const MtMesh *mesh, PetscInt t, int k) {
  Face f = {.tet = t};
  for (int j = 0, n = 0; j < 4; j++)
    if (j != k) f.v[n++] = mesh->tet[4 * t + j];
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2 - i; j++)
      if (f.v[j] > f.v[j + 1]) {
        const PetscInt v = f.v[j];
        f.v[j] = f.v[j + 1];
        f.v[j + 1] = v;
      }
  return f;
}

/* Deep inside the magnet a rank has no such face, and PetscTimSort does not take none. */
static PetscErrorCode sort_faces(PetscInt n, Face *faces, int (*compare)(const void *, const void *, void *)) {
  return n > 1 ? PetscTimSort(n, faces, sizeof *faces, compare, NULL) : 0;
}

/* Faces of one tet only that touch an owned node, all corners on the sphere; in the order of the tets. */
static PetscErrorCode find_faces(const MtMesh *mesh, PetscInt *n, Face **faces) {
  bool *outer;
  PetscInt candidates = 0;
  PetscCall(PetscMalloc1(mesh->nv_local, &outer));
  for (PetscInt i = 0; i < mesh->nv_local; i++) outer[i] = on_sphere(mesh, i);
  for (int fill = 0; fill < 2; fill++) {
    if (fill) PetscCall(PetscMalloc1(candidates, faces));
    candidates = 0;
    for (PetscInt t = 0; t < mesh->nt_local; t++)
      for (int k = 0; k < 4; k++) {
        const Face f = face_opposite(mesh, t, k);
        if (f.v[0] >= mesh->nv_owned || !outer[f.v[0]] || !outer[f.v[1]] || !outer[f.v[2]]) continue;
        if (fill) (*faces)[candidates] = f;
        candidates++;
      }
  }
  PetscCall(PetscFree(outer));
  PetscCall(sort_faces(candidates, *faces, compare_nodes));
  *n = 0;
  for (PetscInt i = 0; i < candidates; i++) {
    if (i + 1 < candidates && !compare_nodes(*faces + i, *faces + i + 1, NULL))
      i++; /* shared by two tets: inside */
    else
      (*faces)[(*n)++] = (*faces)[i];
  }
  return sort_faces(*n, *faces, compare_tets);
}

static double face_area(const MtMesh *mesh, const Face *f) {
  double a[3], b[3];
  for (int c = 0; c < 3; c++) {
    a[c] = mesh->x[3 * f->v[1] + c] - mesh->x[3 * f->v[0] + c];
    b[c] = mesh->x[3 * f->v[2] + c] - mesh->x[3 * f->v[0] + c];
  }
  const double n0 = a[1] * b[2] - a[2] * b[1], n1 = a[2] * b[0] - a[0] * b[2], n2 = a[0] * b[1] - a[1] * b[0];
  return sqrt(n0 * n0 + n1 * n1 + n2 * n2) / 2;
}

/* Each face counted by the owner of its node with the smallest file id. */
static bool face_owned(const MtMesh *mesh, const Face *f) {
  PetscInt first = f->v[0];
  for (int k = 1; k < 3; k++)
    if (mesh->vid[f->v[k]] < mesh->vid[first]) first = f->v[k];
  return first < mesh->nv_owned;
}

/* 4 pi R^2 over the faceted area. */
static PetscErrorCode area_scale(const MtMesh *mesh, PetscInt n, const Face *face, double *scale) {
  double area = 0, all;
  for (PetscInt i = 0; i < n; i++) area += face_owned(mesh, face + i) ? face_area(mesh, face + i) : 0;
  PetscCallMPI(MPI_Allreduce(&area, &all, 1, MPI_DOUBLE, MPI_SUM, mesh->comm));
  const double exact = 4 * MT_PI * mesh->sphere[3] * mesh->sphere[3];
  if (all < .5 * exact || all > 1.01 * exact)
    return mt_error(MT_ERR_INPUT,
                    "the mesh does not end on its sphere of radius %g nm: the faces there cover %.3g of 4 pi R^2",
                    mesh->sphere[3], all / exact);
  *scale = exact / all;
  return 0;
}

/* Nodes of the faces: slot [nv_local] (-1: none), owned ones first; and the harmonics there, y [n slots, s->n]. */
static PetscErrorCode number_boundary(const MtMesh *mesh, PetscInt nfaces, const Face *face, MtSphere *s,
                                      PetscInt *slot, double **y) {
  PetscInt n = 0;
  for (PetscInt i = 0; i < mesh->nv_local; i++) slot[i] = -1;
  for (PetscInt i = 0; i < 3 * nfaces; i++) slot[face[i / 3].v[i % 3]] = 0;
  for (PetscInt i = 0; i < mesh->nv_local; i++)
    if (slot[i] == 0) {
      slot[i] = n++;
      s->nb += i < mesh->nv_owned;
    }
  PetscCall(PetscMalloc1(s->nb, &s->node));
  PetscCall(PetscMalloc1(n * s->n, y));
  for (PetscInt i = 0; i < mesh->nv_local; i++) {
    double p[3], r = 0;
    if (slot[i] < 0) continue;
    if (i < mesh->nv_owned) s->node[slot[i]] = i;
    for (int c = 0; c < 3; c++) p[c] = mesh->x[3 * i + c] - mesh->sphere[c];
    for (int c = 0; c < 3; c++) r += p[c] * p[c];
    for (int c = 0; c < 3; c++) p[c] /= sqrt(r);
    mt_harmonics(s->modes, p, *y + (size_t)slot[i] * (size_t)s->n);
  }
  return 0;
}

/* K += robin M on the owned rows; column = M Y. */
static PetscErrorCode add_mass(const MtMesh *mesh, PetscInt nfaces, const Face *face, double scale,
                               const PetscInt *slot, const double *y, MtSphere *s, Mat K) {
  const size_t n = (size_t)s->n;
  PetscCall(PetscCalloc1(s->nb * s->n, &s->column));
  for (PetscInt i = 0; i < nfaces; i++) {
    const PetscInt *v = face[i].v;
    const double m = scale * face_area(mesh, face + i) / 12;
    for (int a = 0; a < 3 && v[a] < mesh->nv_owned; a++)
      for (int b = 0; b < 3; b++) {
        const double mass = a == b ? 2 * m : m, *yb = y + (size_t)slot[v[b]] * n;
        double *row = s->column + (size_t)slot[v[a]] * n;
        PetscCall(MatSetValue(K, mesh->row[v[a]], mesh->row[v[b]], s->robin * mass, ADD_VALUES));
        for (size_t k = 0; k < n; k++) row[k] += mass * yb[k];
      }
  }
  PetscCall(MatAssemblyBegin(K, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(K, MAT_FINAL_ASSEMBLY));
  return 0;
}

/* gram = Y^T M Y, lower triangle used. */
static PetscErrorCode gram_matrix(const MtMesh *mesh, const MtSphere *s, const double *y, double *gram) {
  const int n = s->n;
  PetscCall(PetscArrayzero(gram, n * n));
  for (PetscInt i = 0; i < s->nb; i++)
    for (int a = 0; a < n; a++)
      for (int b = 0; b <= a; b++)
        gram[a * n + b] += y[(size_t)i * (size_t)n + (size_t)a] * s->column[(size_t)i * (size_t)n + (size_t)b];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, gram, n * n, MPI_DOUBLE, MPI_SUM, mesh->comm));
  return 0;
}

/* gram -> its lower Cholesky factor.  Fails where a harmonic is, on these nodes, nearly a sum of lower ones. */
static PetscErrorCode cholesky(int modes, int n, double *gram) {
  for (int a = 0; a < n; a++)
    for (int b = 0; b <= a; b++) {
      double sum = gram[a * n + b];
      for (int k = 0; k < b; k++) sum -= gram[a * n + k] * gram[b * n + k];
      if (a == b && sum < 1e-3 * gram[a * n + a])
        return mt_error(
            MT_ERR_INPUT,
            "the sphere around the magnet has too few nodes for %d modes; use fewer, or a smaller mesh.air.size",
            modes);
      gram[a * n + b] = a == b ? sqrt(sum) : sum / gram[b * n + b];
    }
  return 0;
}

/* column = M Y C^-T, row by row. */
static void orthonormalize(MtSphere *s, const double *factor) {
  const int n = s->n;
  for (PetscInt i = 0; i < s->nb; i++) {
    double *row = s->column + (size_t)i * (size_t)n;
    for (int a = 0; a < n; a++) {
      for (int b = 0; b < a; b++) row[a] -= factor[a * n + b] * row[b];
      row[a] /= factor[a * n + a];
    }
  }
}

static PetscErrorCode build(const MtMesh *mesh, Mat K, MtSphere *s) {
  Face *face = NULL;
  PetscInt nfaces, *slot;
  double scale, *y, *gram;
  PetscCall(find_faces(mesh, &nfaces, &face));
  PetscErrorCode rc = area_scale(mesh, nfaces, face, &scale);
  if (rc) {
    PetscCall(PetscFree(face));
    return rc;
  }
  PetscCall(PetscMalloc1(mesh->nv_local, &slot));
  PetscCall(number_boundary(mesh, nfaces, face, s, slot, &y));
  PetscCall(add_mass(mesh, nfaces, face, scale, slot, y, s, K));
  PetscCall(PetscFree(face));
  PetscCall(PetscFree(slot));
  PetscCall(PetscMalloc1(s->n * s->n, &gram));
  PetscCall(gram_matrix(mesh, s, y, gram));
  PetscCall(PetscFree(y));
  rc = cholesky(s->modes, s->n, gram);
  if (!rc) orthonormalize(s, gram);
  PetscCall(PetscFree(gram));
  return rc;
}

PetscErrorCode mt_sphere_create(const MtMesh *mesh, int modes, Mat K, MtSphere **sphere) {
  MtSphere *s;
  if (mesh->sphere[3] <= 0)
    return mt_error(MT_ERR_INPUT, "the mesh has no air around the magnet, but its demagnetizing field is asked for; "
                                  "set mesh.air.radius to 1.1 or leave the field out");
  PetscCall(PetscNew(&s));
  s->modes = modes;
  s->n = (modes + 1) * (modes + 1);
  s->R = mesh->sphere[3];
  s->robin = (modes + 2) / s->R;
  PetscCall(PetscMalloc1(s->n, &s->shift));
  PetscCall(PetscMalloc1(s->n, &s->coefficient));
  for (int l = 0; l <= modes; l++)
    for (int k = l * l; k < (l + 1) * (l + 1); k++) s->shift[k] = (l + 1) / s->R - s->robin;
  PetscErrorCode rc = build(mesh, K, s);
  if (rc) PetscCall(mt_sphere_destroy(&s));
  *sphere = s;
  return rc;
}

PetscErrorCode mt_sphere_destroy(MtSphere **sphere) {
  if (!*sphere) return 0;
  PetscCall(PetscFree((*sphere)->node));
  PetscCall(PetscFree((*sphere)->column));
  PetscCall(PetscFree((*sphere)->shift));
  PetscCall(PetscFree((*sphere)->coefficient));
  PetscCall(PetscFree(*sphere));
  return 0;
}

PetscErrorCode mt_sphere_apply_add(const MtSphere *s, MPI_Comm comm, const double *u, double *y) {
  const size_t n = (size_t)s->n;
  double *c = s->coefficient;
  for (size_t k = 0; k < n; k++) c[k] = 0;
  for (PetscInt i = 0; i < s->nb; i++) {
    const double ui = u[s->node[i]], *row = s->column + (size_t)i * n;
    for (size_t k = 0; k < n; k++) c[k] += row[k] * ui;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, c, s->n, MPI_DOUBLE, MPI_SUM, comm));
  for (size_t k = 0; k < n; k++) c[k] *= s->shift[k];
  for (PetscInt i = 0; i < s->nb; i++) {
    const double *row = s->column + (size_t)i * n;
    double sum = 0;
    for (size_t k = 0; k < n; k++) sum += row[k] * c[k];
    y[s->node[i]] += sum;
  }
  return 0;
}
