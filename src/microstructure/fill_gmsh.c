/* The inside of a closed triangulated surface filled with tetrahedra by Gmsh (Delaunay with boundary recovery, then its
 * optimizer); the surface stays as it is. */
#include "gb.h"
#include "magtwin/memory.h"
#include <gmshc.h>
#include <math.h>
#include <stdlib.h>

void mt_fill_free(MtFill *f) {
  free(f->x), free(f->tet);
  memset(f, 0, sizeof *f);
}

void mt_shell_free(MtShell *s) {
  free(s->x), free(s->tri);
  memset(s, 0, sizeof *s);
}

/* Triangles [first, first + n) as discrete surface `tag` with the points they use (tags: number + 1). */
static int surface_model(const MtShell *s, int tag, int first, int n) {
  int err = 0, np = 0;
  char *used = mt_calloc((size_t)s->nx, 1);
  size_t *point = mt_malloc(((size_t)s->nx + 1) * sizeof *point), *node = mt_malloc((3 * (size_t)n + 1) * sizeof *node);
  size_t *element = mt_malloc(((size_t)n + 1) * sizeof *element);
  double *x = mt_malloc((3 * (size_t)s->nx + 1) * sizeof *x);
  for (int i = 0; i < 3 * n; i++) {
    node[i] = (size_t)s->tri[3 * first + i] + 1;
    used[s->tri[3 * first + i]] = 1;
  }
  for (int i = 0; i < n; i++) element[i] = (size_t)(first + i) + 1;
  for (int i = 0; i < s->nx; i++) {
    if (!used[i]) continue;
    for (int k = 0; k < 3; k++) x[3 * np + k] = s->x[3 * i + k];
    point[np++] = (size_t)i + 1;
  }
  int bad = 0;
  gmshModelAddDiscreteEntity(2, tag, NULL, 0, &err), bad |= err;
  gmshModelMeshAddNodes(2, tag, point, (size_t)np, x, 3 * (size_t)np, NULL, 0, &err), bad |= err;
  gmshModelMeshAddElementsByType(tag, 2, element, (size_t)n, node, 3 * (size_t)n, &err), bad |= err;
  free(used), free(point), free(node), free(element), free(x);
  return bad;
}

/* With this part of the asked size Gmsh's tets have inner edges of that size on average (measured 1.02; 1.33 when sizes
 * are taken over from the surface). */
static const double even_size = 0.75;

/* Where sizes grow Delaunay's edges stay behind: asked to grow by g' they grow by g = g'/(1 + 0.63 g') (measured for g'
 * from 0.1 to 0.9, 8 grains in 64 nm, 2.5 to 8 nm; from 0.6 on they follow no further). */
static double growth_for(double growth) {
  const double lag = 0.63, most = 1;
  return growth < most / (1 + lag * most) ? growth / (1 - lag * growth) : fmax(growth, most);
}

static double graded(const MtGrading *g, double x, double y, double z) {
  double distance = INFINITY;
  for (int i = 0; i < g->nplanes; i++) {
    const double *p = g->plane + 4 * i;
    distance = fmin(distance, p[0] * x + p[1] * y + p[2] * z - p[3]);
  }
  return even_size * fmin(g->inner, g->size + growth_for(g->growth) * fmax(0, distance));
}

/* From 4.9 on Gmsh tells the size it has itself as well. */
#if GMSH_API_VERSION_MAJOR > 4 || (GMSH_API_VERSION_MAJOR == 4 && GMSH_API_VERSION_MINOR >= 9)
static double size_at(int dim, int tag, double x, double y, double z, double own, void *data) {
  (void)dim, (void)tag, (void)own;
  return graded(data, x, y, z);
}
#else
static double size_at(int dim, int tag, double x, double y, double z, void *data) {
  (void)dim, (void)tag;
  return graded(data, x, y, z);
}
#endif

static bool generate(const MtShell *s, int nhole, double size, const MtGrading *grading) {
  MtGrading own = grading ? *grading : (MtGrading){0}; /* Gmsh asks for data that may change */
  int err = 0, bad = 0, loops[2] = {1, 2}, one[1] = {1}, two[1] = {2};
  gmshClear(&err);
  gmshModelAdd("shell", &err);
  bad |= surface_model(s, 1, 0, s->nt - nhole);
  gmshModelGeoAddSurfaceLoop(one, 1, 1, &err), bad |= err;
  if (nhole) {
    bad |= surface_model(s, 2, s->nt - nhole, nhole);
    gmshModelGeoAddSurfaceLoop(two, 1, 2, &err), bad |= err;
  }
  gmshModelGeoAddVolume(loops, nhole ? 2 : 1, 1, &err), bad |= err;
  gmshModelGeoSynchronize(&err), bad |= err;
  gmshOptionSetNumber("Mesh.Algorithm3D", 1, &err);
  gmshOptionSetNumber("Mesh.MeshSizeExtendFromBoundary", nhole > 0,
                      &err); /* around a hole: from the fine to the coarse */
  gmshOptionSetNumber("Mesh.MeshSizeMax", nhole > 0 ? size : even_size * (grading ? grading->inner : size), &err);
  if (grading) gmshModelMeshSetSizeCallback(size_at, &own, &err);
  if (bad) return false;
  srand(1);
  gmshModelMeshGenerate(3, &err);
  const int failed = err;
  if (grading) gmshModelMeshRemoveSizeCallback(&err);
  return !failed;
}

static bool read_points(const MtShell *s, MtFill *f, int32_t **number, size_t *ntags) {
  size_t *tag = NULL, ntag, nx, nq, top = 0;
  double *x = NULL, *q = NULL;
  int err;
  gmshModelMeshGetNodes(&tag, &ntag, &x, &nx, &q, &nq, -1, -1, 0, 0, &err);
  for (size_t i = 0; i < ntag; i++) top = tag[i] > top ? tag[i] : top;
  *number = mt_malloc((top + 1) * sizeof **number);
  f->x = mt_malloc((3 * ntag + 1) * sizeof *f->x);
  *ntags = top + 1;
  for (size_t i = 0; i <= top; i++) (*number)[i] = -1;
  for (size_t i = 0; i < ntag; i++) {
    if (tag[i] <= (size_t)s->nx) {
      (*number)[tag[i]] = (int32_t)tag[i] - 1;
      continue;
    }
    for (int k = 0; k < 3; k++) f->x[3 * f->nx + k] = x[3 * i + k];
    (*number)[tag[i]] = s->nx + f->nx++;
  }
  gmshFree(tag), gmshFree(x), gmshFree(q);
  return !err;
}

static const double *point_of(const MtShell *s, const MtFill *f, int32_t i) {
  return i < s->nx ? s->x + 3 * i : f->x + 3 * (i - s->nx);
}

static double volume_of(const MtShell *s, const MtFill *f, const int32_t *t) {
  double y[4][3];
  for (int k = 0; k < 12; k++) y[k / 3][k % 3] = point_of(s, f, t[k / 3])[k % 3];
  return mt_tet_volume((const double(*)[3])y);
}

/* Tets turned positive; true when their volumes add up to what the surface encloses. */
static bool orient_and_check(const MtShell *s, MtFill *f) {
  double sum = 0, shell = 0;
  bool flat = false;
  for (int i = 0; i < f->nt; i++) {
    int32_t *t = f->tet + 4 * i, swap = t[0];
    double v = volume_of(s, f, t);
    if (v < 0) t[0] = t[1], t[1] = swap;
    flat = flat || v == 0;
    sum += fabs(v);
  }
  for (int i = 0; i < s->nt; i++) {
    const double *o = s->x, *a = s->x + 3 * s->tri[3 * i], *b = s->x + 3 * s->tri[3 * i + 1],
                 *c = s->x + 3 * s->tri[3 * i + 2];
    double y[4][3];
    for (int k = 0; k < 3; k++) y[0][k] = o[k], y[1][k] = a[k], y[2][k] = b[k], y[3][k] = c[k];
    shell += mt_tet_volume((const double(*)[3])y);
  }
  return f->nt > 0 && !flat && fabs(sum - shell) <= 1e-10 * shell;
}

bool mt_fill_shell(const MtShell *s, int nhole, double size, const MtGrading *grading, MtFill *f) {
  size_t *element = NULL, ne = 0, *node = NULL, nn = 0, ntags = 0;
  int32_t *number = NULL;
  int err = 0;
  memset(f, 0, sizeof *f);
  if (!generate(s, nhole, size, grading)) { /* after an error Gmsh stays locked: start it anew */
    mt_gmsh_end();
    mt_gmsh_begin();
    return false;
  }
  bool ok = read_points(s, f, &number, &ntags);
  gmshModelMeshGetElementsByType(4, &element, &ne, &node, &nn, 1, 0, 1, &err);
  f->nt = (int)(nn / 4);
  f->tet = mt_malloc((nn + 1) * sizeof *f->tet);
  for (size_t i = 0; i < nn; i++) {
    f->tet[i] = node[i] < ntags ? number[node[i]] : -1;
    ok = ok && f->tet[i] >= 0;
  }
  gmshFree(element), gmshFree(node), free(number);
  ok = ok && !err && orient_and_check(s, f);
  if (!ok) mt_fill_free(f);
  return ok;
}
