/* Surface mesh of the cell complex: edges cut into equal segments, then each face on its own in its mean plane
 * (faces_gmsh.c), its inner points lifted by harmonic interpolation when the loop is not quite flat.  Faces are shared
 * out over the ranks and gathered, so that the surface is the same on every rank whatever their number. */
#include "faces.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  double origin[3], u[3], v[3], n[3];
} Frame;

static double dot(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void cross(const double *a, const double *b, double *c) {
  c[0] = a[1] * b[2] - a[2] * b[1], c[1] = a[2] * b[0] - a[0] * b[2], c[2] = a[0] * b[1] - a[1] * b[0];
}

/* ---- edges */

static PetscErrorCode edges_cut(const MtCells *c, double size, MtSurface *s) {
  PetscCall(PetscMalloc1((size_t)c->nedges + 1, &s->edge_start));
  s->edge_start[0] = 0;
  s->nv = c->nvertices;
  for (int e = 0; e < c->nedges; e++) {
    const double *a = c->x + 3 * c->edge[2 * e], *b = c->x + 3 * c->edge[2 * e + 1];
    double d[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
    int n = (int)lround(sqrt(dot(d, d)) / size);
    n = n < 1 ? 1 : n;
    s->edge_start[e + 1] = s->edge_start[e] + n + 1;
    s->nv += n - 1;
  }
  PetscCall(PetscMalloc1((size_t)s->edge_start[c->nedges] + 1, &s->edge_node));
  return 0;
}

static void edges_place(const MtCells *c, MtSurface *s) {
  int at = c->nvertices;
  for (int v = 0; v < c->nvertices; v++) s->dim[v] = 0, s->entity[v] = v;
  memcpy(s->x, c->x, 3 * (size_t)c->nvertices * sizeof(double));
  for (int e = 0; e < c->nedges; e++) {
    int32_t *node = s->edge_node + s->edge_start[e];
    int n = s->edge_start[e + 1] - s->edge_start[e] - 1;
    const double *a = c->x + 3 * c->edge[2 * e], *b = c->x + 3 * c->edge[2 * e + 1];
    node[0] = c->edge[2 * e], node[n] = c->edge[2 * e + 1];
    for (int i = 1; i < n; i++) {
      /* a coordinate common to both ends (a wall's) is kept to the bit */
      for (int k = 0; k < 3; k++) s->x[3 * at + k] = a[k] + (b[k] - a[k]) * i / n;
      s->dim[at] = 1, s->entity[at] = e, node[i] = at++;
    }
  }
}

/* ---- one face */

static int edge_between(const MtCells *c, const int32_t *by_vertex, const int32_t *start, int32_t u, int32_t w) {
  for (int i = start[u]; i < start[u + 1]; i++) {
    int e = by_vertex[i];
    if (c->edge[2 * e] == w || c->edge[2 * e + 1] == w) return e;
  }
  return -1;
}

/* Nodes along the loop of face f; returns their number (loop NULL: only counts). */
static int face_loop(const MtCells *c, const MtTopology *t, const MtSurface *s, int f, int32_t *loop) {
  int start = c->face_start[f], m = c->face_start[f + 1] - start, n = 0;
  for (int i = 0; i < m; i++) {
    int32_t u = c->face_vertex[start + i], w = c->face_vertex[start + (i + 1) % m];
    int e = edge_between(c, t->vertex_edge, t->vertex_edge_start, u, w),
        k = s->edge_start[e + 1] - s->edge_start[e] - 1;
    const int32_t *node = s->edge_node + s->edge_start[e];
    for (int j = 0; j < k; j++, n++)
      if (loop) loop[n] = u == c->edge[2 * e] ? node[j] : node[k - j];
  }
  return n;
}

static void frame_of(int n, const int32_t *loop, const double *x, Frame *w) {
  memset(w, 0, sizeof *w);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 3; k++) w->origin[k] += x[3 * loop[i] + k] / n;
  for (int i = 0; i < n; i++) { /* Newell's normal: that of the plane of least projected-area loss */
    double p[3], q[3], r[3];
    for (int k = 0; k < 3; k++)
      p[k] = x[3 * loop[i] + k] - w->origin[k], q[k] = x[3 * loop[(i + 1) % n] + k] - w->origin[k];
    cross(p, q, r);
    for (int k = 0; k < 3; k++) w->n[k] += r[k];
  }
  double len = sqrt(dot(w->n, w->n));
  for (int k = 0; k < 3; k++) w->n[k] /= len;
  int axis =
      fabs(w->n[0]) < fabs(w->n[1]) ? (fabs(w->n[0]) < fabs(w->n[2]) ? 0 : 2) : (fabs(w->n[1]) < fabs(w->n[2]) ? 1 : 2);
  double a[3] = {0, 0, 0};
  a[axis] = 1;
  cross(w->n, a, w->u);
  len = sqrt(dot(w->u, w->u));
  for (int k = 0; k < 3; k++) w->u[k] /= len;
  cross(w->n, w->u, w->v);
}

/* Heights of the inner points over the mean plane: mean of the neighbours' heights, by Gauss-Seidel. */
static PetscErrorCode lift(int n, int ninner, const double *loop_height, int ntri, const int32_t *tri, double *height) {
  double *sum;
  int *count;
  PetscCall(PetscCalloc2((size_t)(n + ninner), &sum, (size_t)(n + ninner), &count));
  memset(height, 0, (size_t)(n + ninner) * sizeof(double));
  memcpy(height, loop_height, (size_t)n * sizeof(double));
  for (int it = 0; it < 200; it++) {
    memset(sum, 0, (size_t)(n + ninner) * sizeof(double));
    memset(count, 0, (size_t)(n + ninner) * sizeof(int));
    for (int k = 0; k < 3 * ntri; k++) {
      int32_t a = tri[k], b = tri[k % 3 == 2 ? k - 2 : k + 1];
      sum[a] += height[b], sum[b] += height[a], count[a]++, count[b]++;
    }
    for (int i = n; i < n + ninner; i++) height[i] = sum[i] / count[i];
  }
  return PetscFree2(sum, count);
}

/* Places the inner points in space; on a wall their wall coordinate is the wall's to the bit. */
static PetscErrorCode inner_to_space(const MtCells *c, int f, const Frame *w, int n, const double *loop_height,
                                     int ninner, const double *flat, int ntri, const int32_t *tri, double *out) {
  double top = 0, *height;
  for (int i = 0; i < n; i++) top = fmax(top, fabs(loop_height[i]));
  PetscCall(PetscCalloc1((size_t)(n + ninner) + 1, &height));
  if (top > 1e-10) PetscCall(lift(n, ninner, loop_height, ntri, tri, height));
  for (int i = 0; i < ninner; i++)
    for (int k = 0; k < 3; k++)
      out[3 * i + k] = w->origin[k] + flat[2 * i] * w->u[k] + flat[2 * i + 1] * w->v[k] + height[n + i] * w->n[k];
  int wall = -c->face_cells[2 * f + 1] - 1;
  for (int i = 0; i < ninner && wall >= 0; i++) out[3 * i + wall / 2] = c->box[3 * (wall % 2) + wall / 2];
  return PetscFree(height);
}

static PetscErrorCode face_mesh(const MtCells *c, const MtTopology *t, const MtSurface *s, int f, double size,
                                MtFaceMesh *m) {
  int n = face_loop(c, t, s, f, NULL);
  int32_t *loop;
  double *xy, *height, *flat = NULL;
  Frame w;
  PetscCall(PetscMalloc3((size_t)n, &loop, 2 * (size_t)n, &xy, (size_t)n, &height));
  face_loop(c, t, s, f, loop);
  frame_of(n, loop, s->x, &w);
  for (int i = 0; i < n; i++) {
    double d[3];
    for (int k = 0; k < 3; k++) d[k] = s->x[3 * loop[i] + k] - w.origin[k];
    xy[2 * i] = dot(d, w.u), xy[2 * i + 1] = dot(d, w.v), height[i] = dot(d, w.n);
  }
  PetscCall(mt_face_mesh(n, xy, size, &m->ninner, &flat, &m->ntri, &m->tri));
  m->inner = mt_malloc((3 * (size_t)m->ninner + 1) * sizeof(double));
  PetscCall(inner_to_space(c, f, &w, n, height, m->ninner, flat, m->ntri, m->tri, m->inner));
  free(flat);
  return PetscFree3(loop, xy, height);
}

/* ---- all faces */

/* Face k is meshed by rank k % size; the others get it from there. */
static PetscErrorCode faces_share(MPI_Comm comm, int nfaces, MtFaceMesh *m) {
  int size;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (int f = 0; f < nfaces && size > 1; f++) {
    int counts[2] = {m[f].ninner, m[f].ntri}, owner = f % size;
    PetscCallMPI(MPI_Bcast(counts, 2, MPI_INT, owner, comm));
    if (!m[f].tri) {
      m[f].ninner = counts[0], m[f].ntri = counts[1];
      m[f].inner = mt_malloc((3 * (size_t)counts[0] + 1) * sizeof(double));
      m[f].tri = mt_malloc((3 * (size_t)counts[1] + 1) * sizeof(int32_t));
    }
    PetscCallMPI(MPI_Bcast(m[f].inner, 3 * counts[0], MPI_DOUBLE, owner, comm));
    PetscCallMPI(MPI_Bcast(m[f].tri, 3 * counts[1], MPI_INT32_T, owner, comm));
  }
  return 0;
}

static PetscErrorCode faces_mesh(MPI_Comm comm, const MtCells *c, const MtTopology *t, const MtSurface *s, double size,
                                 MtFaceMesh *m) {
  int rank, nranks;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &nranks));
  for (int f = rank; f < c->nfaces && !rc; f += nranks) {
    mt_progress("meshing face %d of %d", f + 1, c->nfaces);
    rc = face_mesh(c, t, s, f, size, m + f);
  }
  mt_progress_end();
  PetscCall(mt_agree(comm, rc));
  return faces_share(comm, c->nfaces, m);
}

/* No triangle is left that two faces have in common. */
static PetscErrorCode faces_part(const MtCells *c, const MtTopology *t, const MtSurface *s, MtFaceMesh *m) {
  int32_t *start, *loop;
  int nturned;
  PetscCall(PetscMalloc1((size_t)c->nfaces + 1, &start));
  start[0] = 0;
  for (int f = 0; f < c->nfaces; f++) start[f + 1] = start[f] + face_loop(c, t, s, f, NULL);
  PetscCall(PetscMalloc1((size_t)start[c->nfaces] + 1, &loop));
  for (int f = 0; f < c->nfaces; f++) face_loop(c, t, s, f, loop + start[f]);
  PetscCall(mt_faces_part(c->nfaces, start, loop, s->x, m, &nturned));
  PetscCall(PetscFree(start));
  return PetscFree(loop);
}

static PetscErrorCode arrays_grow(const MtCells *c, const MtFaceMesh *m, const MtTopology *t, MtSurface *s) {
  int inner = 0, slots = 0;
  s->nt = 0;
  for (int f = 0; f < c->nfaces; f++) {
    inner += m[f].ninner, s->nt += m[f].ntri;
    slots += m[f].ninner + face_loop(c, t, s, f, NULL);
  }
  size_t nv = (size_t)(s->nv + inner);
  PetscCall(PetscRealloc(3 * nv * sizeof(double), &s->x));
  PetscCall(PetscRealloc(nv, &s->dim));
  PetscCall(PetscRealloc(nv * sizeof(int32_t), &s->entity));
  PetscCall(PetscMalloc1(3 * (size_t)s->nt + 1, &s->tri));
  PetscCall(PetscMalloc1((size_t)c->nfaces + 1, &s->face_start));
  PetscCall(PetscMalloc1((size_t)c->nfaces + 1, &s->slot_start));
  PetscCall(PetscMalloc1((size_t)slots + 1, &s->slot_node));
  PetscCall(PetscMalloc1((size_t)slots + 1, &s->slot_face));
  PetscCall(PetscCalloc1(3 * (size_t)slots + 1, &s->slot_normal));
  PetscCall(PetscCalloc1(nv + 2, &s->node_start));
  PetscCall(PetscMalloc1((size_t)slots + 1, &s->node_slot));
  s->face_start[0] = s->slot_start[0] = 0;
  return 0;
}

static void face_append(const MtCells *c, const MtTopology *t, const MtFaceMesh *m, int f, MtSurface *s) {
  int slot = s->slot_start[f], n = face_loop(c, t, s, f, s->slot_node + slot), tri = s->face_start[f];
  for (int i = 0; i < m->ninner; i++) {
    int at = s->nv++;
    memcpy(s->x + 3 * at, m->inner + 3 * i, 3 * sizeof(double));
    s->dim[at] = 2, s->entity[at] = f, s->slot_node[slot + n + i] = at;
  }
  s->slot_start[f + 1] = slot + n + m->ninner;
  for (int i = slot; i < s->slot_start[f + 1]; i++) s->slot_face[i] = f;
  for (int k = 0; k < m->ntri; k++) {
    const double *p[3];
    double a[3], b[3], area[3];
    for (int i = 0; i < 3; i++) {
      s->tri[3 * (tri + k) + i] = s->slot_node[slot + m->tri[3 * k + i]];
      p[i] = s->x + 3 * s->tri[3 * (tri + k) + i];
    }
    for (int i = 0; i < 3; i++) a[i] = p[1][i] - p[0][i], b[i] = p[2][i] - p[0][i];
    cross(a, b, area);
    for (int i = 0; i < 9; i++) s->slot_normal[3 * (slot + m->tri[3 * k + i / 3]) + i % 3] += area[i % 3];
  }
  s->face_start[f + 1] = tri + m->ntri;
}

static void normals_and_incidence(const MtCells *c, MtSurface *s) {
  int slots = s->slot_start[c->nfaces];
  for (int i = 0; i < slots; i++) {
    double *n = s->slot_normal + 3 * i, len = sqrt(dot(n, n));
    for (int k = 0; k < 3; k++) n[k] /= len;
    s->node_start[s->slot_node[i] + 2]++;
  }
  for (int v = 0; v < s->nv; v++) s->node_start[v + 2] += s->node_start[v + 1];
  for (int i = 0; i < slots; i++) s->node_slot[s->node_start[s->slot_node[i] + 1]++] = i;
}

PetscErrorCode mt_surface_make(MPI_Comm comm, const MtCells *c, double size, MtSurface *s) {
  MtTopology t;
  MtFaceMesh *m;
  memset(s, 0, sizeof *s);
  PetscCall(mt_topology_make(c, &t));
  PetscCall(edges_cut(c, size, s));
  PetscCall(PetscMalloc1(3 * (size_t)s->nv, &s->x));
  PetscCall(PetscMalloc1((size_t)s->nv, &s->dim));
  PetscCall(PetscMalloc1((size_t)s->nv, &s->entity));
  edges_place(c, s);
  PetscCall(PetscCalloc1((size_t)c->nfaces + 1, &m));
  PetscCall(faces_mesh(comm, c, &t, s, size, m));
  PetscCall(faces_part(c, &t, s, m));
  PetscCall(arrays_grow(c, m, &t, s));
  for (int f = 0; f < c->nfaces; f++) {
    face_append(c, &t, m + f, f, s);
    free(m[f].inner), free(m[f].tri);
  }
  normals_and_incidence(c, s);
  mt_topology_free(&t);
  return PetscFree(m);
}

void mt_surface_free(MtSurface *s) {
  (void)PetscFree(s->x);
  (void)PetscFree(s->dim);
  (void)PetscFree(s->entity);
  (void)PetscFree(s->edge_start);
  (void)PetscFree(s->edge_node);
  (void)PetscFree(s->face_start);
  (void)PetscFree(s->tri);
  (void)PetscFree(s->slot_start);
  (void)PetscFree(s->slot_node);
  (void)PetscFree(s->slot_face);
  (void)PetscFree(s->slot_normal);
  (void)PetscFree(s->node_start);
  (void)PetscFree(s->node_slot);
}
