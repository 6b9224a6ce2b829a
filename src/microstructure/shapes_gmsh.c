/* Bodies in their sphere of air, by Gmsh (OpenCASCADE kernel, Delaunay, one thread: the same mesh every time).  The
 * edge length is `size` on and in the body and grows linearly, with the share of the way to the sphere, to `air_size`.
 */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "shapes.h"
#include <gmshc.h>
#include <math.h>
#include <stdlib.h>

/* Distance from the body: exact for a box, from its bounding ellipsoid's scaling for a round one. */
static double distance(const MtShape *s, const double p[3]) {
  double d2 = 0, k2 = 0, r2 = 0;
  for (int c = 0; c < 3; c++) {
    const double half = s->edge[c] / 2, q = fabs(p[c] - half);
    d2 += q > half ? (q - half) * (q - half) : 0;
    k2 += q * q / (half * half);
    r2 += q * q;
  }
  if (!s->round) return sqrt(d2);
  return k2 > 1 ? sqrt(r2) * (1 - 1 / sqrt(k2)) : 0;
}

/* Distance from the nearest of the twelve edges of the box. */
static double edge_distance(const MtShape *s, const double p[3]) {
  double near[3], best = INFINITY;
  for (int c = 0; c < 3; c++) near[c] = fmin(fabs(p[c]), fabs(p[c] - s->edge[c]));
  for (int c = 0; c < 3; c++) {
    const double beyond = fmax(fabs(p[c] - s->edge[c] / 2) - s->edge[c] / 2, 0);
    const double a = near[(c + 1) % 3], b = near[(c + 2) % 3];
    best = fmin(best, sqrt(a * a + b * b + beyond * beyond));
  }
  return best;
}

static double size_at(int dim, int tag, double x, double y, double z, void *data) {
  const MtShape *s = data;
  const double p[3] = {x, y, z};
  double r2 = 0;
  (void)dim, (void)tag;
  for (int c = 0; c < 3; c++) r2 += pow(p[c] - s->edge[c] / 2, 2);
  const double d = distance(s, p), left = fmax(s->radius - sqrt(r2), 0);
  const double base = d > 0 && s->radius > 0 ? s->size + (s->air_size - s->size) * d / (d + left) : s->size;
  return s->round ? base : fmin(base, s->edge_size + s->growth * edge_distance(s, p));
}

/* The layers' volumes, tags 1..nlayers. */
static int add_body(const MtShape *s) {
  int err, bad = 0;
  double at = 0;
  for (int l = 0; l < s->nlayers && !s->round; at += s->layer[l++]) {
    double from[3] = {0, 0, 0}, edge[3] = {s->edge[0], s->edge[1], s->edge[2]};
    from[s->axis] = at;
    edge[s->axis] = s->layer[l];
    gmshModelOccAddBox(from[0], from[1], from[2], edge[0], edge[1], edge[2], l + 1, &err);
    bad |= err;
  }
  if (!s->round) return bad;
  const double *e = s->edge, half = e[0] / 2;
  int body[] = {3, 1};
  gmshModelOccAddSphere(half, half, half, half, 1, -asin(1), asin(1), 4 * asin(1), &err);
  bad |= err;
  if (e[1] == e[0] && e[2] == e[0]) return bad;
  gmshModelOccDilate(body, 2, 0, 0, 0, 1, e[1] / e[0], e[2] / e[0], &err);
  return bad | err;
}

/* Cuts body and air along each other; volume tag -> region in `region` [*n pairs], malloc'ed. */
static int fragment(const MtShape *s, int **region, int *n) {
  const int nin = s->nlayers + (s->radius > 0);
  int *in = mt_malloc(sizeof *in * 2 * (size_t)nin), *out, **map, err, bad = 0;
  size_t nout, *nmap, nnmap;
  for (int i = 0; i < nin; i++) {
    in[2 * i] = 3;
    in[2 * i + 1] = i + 1;
  }
  if (s->radius > 0) {
    gmshModelOccAddSphere(s->edge[0] / 2, s->edge[1] / 2, s->edge[2] / 2, s->radius, nin, -asin(1), asin(1),
                          4 * asin(1), &err);
    bad |= err;
  }
  *n = 0;
  if (nin == 1) {
    *region = mt_malloc(2 * sizeof **region);
    (*region)[0] = 1;
    (*region)[1] = 0;
    *n = 1;
    free(in);
    return bad;
  }
  gmshModelOccFragment(in, 2, in + 2, 2 * (size_t)(nin - 1), &out, &nout, &map, &nmap, &nnmap, -1, 1, 1, &err);
  free(in);
  if (bad || err) return 1;
  *region = mt_malloc(sizeof **region * (nout + 2));
  for (size_t i = 0; i < nnmap; i++) /* the air comes last: its pieces that are layers are listed already */
    for (size_t k = 0; k + 1 < nmap[i]; k += 2) {
      bool known = false;
      for (int j = 0; j < *n; j++) known |= (*region)[2 * j] == map[i][k + 1];
      if (known) continue;
      (*region)[2 * *n] = map[i][k + 1];
      (*region)[2 * *n + 1] = (int)i;
      ++*n;
    }
  for (size_t i = 0; i < nnmap; i++) gmshFree(map[i]);
  gmshFree(map), gmshFree(nmap), gmshFree(out);
  return 0;
}

/* Gmsh's node tags -> 0.. in the order of the nodes that tets use. */
static int take_nodes(MtMeshData *m, const size_t *corner, int64_t *number, size_t most) {
  size_t *tag, ntag, nx, nq;
  double *x, *q;
  int err;
  for (size_t i = 0; i <= most; i++) number[i] = -1;
  for (int64_t i = 0; i < 4 * m->nt; i++) number[corner[i]] = 0;
  gmshModelMeshGetNodes(&tag, &ntag, &x, &nx, &q, &nq, -1, -1, 0, 0, &err);
  if (err) return err;
  m->x = mt_malloc(sizeof(double) * (nx + 3));
  for (size_t i = 0; i < ntag; i++) {
    if (tag[i] > most || number[tag[i]] < 0) continue;
    for (int c = 0; c < 3; c++) m->x[3 * m->nv + c] = x[3 * i + (size_t)c];
    number[tag[i]] = m->nv++;
  }
  gmshFree(tag), gmshFree(x), gmshFree(q);
  return 0;
}

/* Tets of each volume in turn -> corner (Gmsh's node tags), mesh->region, mesh->nt. */
static int take_tets(MtMeshData *m, const int *region, int n, size_t **corner) {
  *corner = NULL;
  m->nt = 0;
  for (int i = 0; i < n; i++) {
    size_t *element, *node, ne, nn;
    int err;
    gmshModelMeshGetElementsByType(4, &element, &ne, &node, &nn, region[2 * i], 0, 1, &err);
    if (err) return err;
    *corner = mt_realloc(*corner, sizeof **corner * (4 * (size_t)m->nt + nn + 1));
    m->region = mt_realloc(m->region, sizeof(int32_t) * ((size_t)m->nt + ne + 1));
    for (size_t k = 0; k < nn; k++) (*corner)[4 * (size_t)m->nt + k] = node[k];
    for (size_t k = 0; k < ne; k++) m->region[(size_t)m->nt + k] = region[2 * i + 1];
    m->nt += (int64_t)(nn / 4);
    gmshFree(element), gmshFree(node);
  }
  return m->nt == 0;
}

static int take_mesh(MtMeshData *m, const int *region, int n) {
  size_t *corner, most = 0;
  int bad = take_tets(m, region, n, &corner);
  if (bad) {
    free(corner);
    return bad;
  }
  /* NOLINTBEGIN(clang-analyzer-core.*): take_tets has filled 4 nt corners */
  for (int64_t i = 0; i < 4 * m->nt; i++) most = corner[i] > most ? corner[i] : most;
  int64_t *number = mt_malloc(sizeof *number * (most + 1));
  m->tet = mt_malloc(sizeof(int64_t) * (4 * (size_t)m->nt + 1));
  bad = take_nodes(m, corner, number, most);
  for (int64_t i = 0; !bad && i < 4 * m->nt; i++) m->tet[i] = number[corner[i]];
  /* NOLINTEND(clang-analyzer-core.*) */
  free(number);
  free(corner);
  return bad;
}

static int generate(const MtShape *s, MtMeshData *m) {
  int err, n = 0, *region = NULL;
  MtShape shape = *s; /* Gmsh hands its callback no pointer to const */
  gmshOptionSetNumber("General.Terminal", 0, &err);
  gmshOptionSetNumber("General.NumThreads", 1, &err);
  gmshOptionSetNumber("General.AbortOnError", 2, &err);
  gmshOptionSetNumber("Mesh.RandomSeed", 1, &err);
  gmshOptionSetNumber("Mesh.Algorithm", 6, &err);
  gmshOptionSetNumber("Mesh.Algorithm3D", 1, &err);
  gmshOptionSetNumber("Mesh.Optimize", 1, &err);
  gmshOptionSetNumber("Mesh.MeshSizeExtendFromBoundary", 0, &err);
  gmshOptionSetNumber("Mesh.MeshSizeFromPoints", 0, &err);
  gmshModelAdd("shape", &err);
  int bad = add_body(s);
  if (!bad) bad = fragment(s, &region, &n);
  if (!bad) {
    gmshModelOccSynchronize(&err), bad |= err;
    gmshModelMeshSetSizeCallback(size_at, &shape, &err), bad |= err;
    gmshModelMeshGenerate(3, &err), bad |= err;
    gmshModelMeshRemoveSizeCallback(&err);
  }
  if (!bad) bad = take_mesh(m, region, n);
  free(region);
  return bad;
}

PetscErrorCode mt_shape_gmsh(const MtShape *s, MtMeshData *mesh) {
  int err;
  gmshInitialize(0, NULL, 0, &err);
  const int bad = generate(s, mesh);
  gmshFinalize(&err);
  if (bad)
    return mt_error(MT_ERR_FAIL,
                    "Gmsh could not mesh the body at mesh.size %g nm; try another mesh.size or mesh.air.size", s->size);
  return 0;
}
