/* One face of the complex meshed in its plane by Gmsh (built-in kernel, frontal-Delaunay): the points of its loop are
 * kept, so that faces meshed apart fit together along their edges. */
#include "gb.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <gmshc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void mt_gmsh_begin(void) {
  int err;
  gmshInitialize(0, NULL, 0, &err);
  gmshOptionSetNumber("General.Terminal", 0, &err);
  gmshOptionSetNumber("General.NumThreads", 1, &err);
  gmshOptionSetNumber("General.AbortOnError", 2, &err); /* an error leaves the call, it does not end the program */
  gmshOptionSetNumber("Mesh.RandomSeed", 1, &err);
  gmshOptionSetNumber("Mesh.Optimize", 1, &err);
  gmshOptionSetNumber("Mesh.MeshSizeExtendFromBoundary", 1, &err);
}

void mt_gmsh_end(void) {
  int err;
  gmshFinalize(&err);
}

void mt_gmsh_version(char text[32]) {
  char *version = NULL;
  int err;
  mt_gmsh_begin();
  gmshOptionGetString("General.Version", &version, &err);
  snprintf(text, 32, "%s", !err && version ? version : GMSH_API_VERSION);
  gmshFree(version);
  mt_gmsh_end();
}

static int loop_model(int n, const double *xy, double size) {
  int err = 0, first_error = 0, *line = mt_malloc((size_t)n * sizeof *line);
  if (!line) return 1;
  gmshClear(&err);
  gmshModelAdd("face", &err);
  for (int i = 0; i < n; i++) {
    gmshModelGeoAddPoint(xy[2 * i], xy[2 * i + 1], 0, size, i + 1, &err);
    first_error |= err;
  }
  for (int i = 0; i < n; i++) {
    line[i] = gmshModelGeoAddLine(i + 1, (i + 1) % n + 1, i + 1, &err);
    first_error |= err;
    gmshModelGeoMeshSetTransfiniteCurve(i + 1, 2, "Progression", 1., &err);
  }
  gmshModelGeoAddCurveLoop(line, (size_t)n, 1, 0, &err);
  first_error |= err;
  int wire[1] = {1};
  gmshModelGeoAddPlaneSurface(wire, 1, 1, &err);
  first_error |= err;
  gmshModelGeoSynchronize(&err);
  free(line);
  return first_error | err;
}

/* Node tags -> 0..n-1 for the loop (whose tags are those of their points), then inner ones in the order of their tags.
 */
static bool read_nodes(int n, const double *xy, int *ninner, double **inner, int32_t **number, size_t *ntags) {
  size_t *tag = NULL, ntag, nx, nq, top = 0;
  double *x = NULL, *q = NULL;
  int err, found = 0;
  gmshModelMeshGetNodes(&tag, &ntag, &x, &nx, &q, &nq, -1, -1, 0, 0, &err);
  for (size_t i = 0; i < ntag; i++) top = tag[i] > top ? tag[i] : top;
  *number = mt_malloc((top + 1) * sizeof **number);
  *inner = mt_malloc((2 * ntag + 1) * sizeof **inner);
  *ninner = 0;
  *ntags = top + 1;
  for (size_t i = 0; i <= top; i++) (*number)[i] = -1;
  for (size_t i = 0; i < ntag; i++) {
    if (tag[i] <= (size_t)n) {
      const double *p = xy + 2 * (tag[i] - 1);
      found += fabs(p[0] - x[3 * i]) + fabs(p[1] - x[3 * i + 1]) == 0;
      (*number)[tag[i]] = (int32_t)tag[i] - 1;
      continue;
    }
    (*inner)[2 * *ninner] = x[3 * i], (*inner)[2 * *ninner + 1] = x[3 * i + 1];
    (*number)[tag[i]] = n + (*ninner)++;
  }
  gmshFree(tag), gmshFree(x), gmshFree(q);
  return found == n;
}

static bool read_triangles(const int32_t *number, size_t ntags, int *ntri, int32_t **tri) {
  size_t *element = NULL, ne, *node = NULL, nn;
  int err;
  bool ok = true;
  gmshModelMeshGetElementsByType(2, &element, &ne, &node, &nn, 1, 0, 1, &err);
  *ntri = (int)(nn / 3);
  *tri = mt_malloc((nn + 1) * sizeof **tri);
  for (size_t i = 0; i < nn; i++) {
    (*tri)[i] = node[i] < ntags ? number[node[i]] : -1;
    ok = ok && (*tri)[i] >= 0;
  }
  gmshFree(element), gmshFree(node);
  return ok && !err && ne > 0;
}

static double area2(const double *a, const double *b, const double *c) {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/* All triangles turned counterclockwise; true when their area is the polygon's and Euler's formula holds. */
static bool orient_and_check(int n, const double *xy, int ninner, const double *inner, int ntri, int32_t *tri) {
  double polygon = 0, sum = 0;
  for (int i = 0; i < n; i++) {
    const double *p = xy + 2 * i, *q = xy + 2 * ((i + 1) % n);
    polygon += p[0] * q[1] - p[1] * q[0];
  }
  for (int k = 0; k < ntri; k++) {
    const double *p[3];
    for (int i = 0; i < 3; i++) p[i] = tri[3 * k + i] < n ? xy + 2 * tri[3 * k + i] : inner + 2 * (tri[3 * k + i] - n);
    double a = area2(p[0], p[1], p[2]);
    if (a < 0) {
      int32_t s = tri[3 * k + 1];
      tri[3 * k + 1] = tri[3 * k + 2], tri[3 * k + 2] = s;
    }
    sum += fabs(a);
  }
  return ntri == 2 * ninner + n - 2 && fabs(sum - polygon) <= 1e-9 * fabs(polygon);
}

static bool try_algorithm(int algorithm, int n, const double *xy, double size, int *ninner, double **inner, int *ntri,
                          int32_t **tri) {
  int err, option_err;
  int32_t *number = NULL;
  size_t ntags = 0;
  *inner = NULL, *tri = NULL;
  if (loop_model(n, xy, size)) return false;
  gmshOptionSetNumber("Mesh.Algorithm", algorithm, &err);
  gmshOptionSetNumber("Mesh.MeshSizeMax", size, &err);
  /* Faces are meshed in a parallel region, which no exception may leave: the result is looked at instead. */
  gmshOptionSetNumber("General.AbortOnError", 0, &err);
  srand(1);
  gmshModelMeshGenerate(2, &err);
  gmshOptionSetNumber("General.AbortOnError", 2, &option_err);
  if (err) return false;
  bool ok = read_nodes(n, xy, ninner, inner, &number, &ntags) && read_triangles(number, ntags, ntri, tri) &&
            orient_and_check(n, xy, *ninner, *inner, *ntri, *tri);
  free(number);
  return ok;
}

PetscErrorCode mt_face_mesh(int n, const double *xy, double size, int *ninner, double **inner, int *ntri,
                            int32_t **tri) {
  static const int algorithm[] = {6, 5, 1}; /* frontal-Delaunay, Delaunay, MeshAdapt */
  for (int k = 0; k < 3; k++) {
    if (try_algorithm(algorithm[k], n, xy, size, ninner, inner, ntri, tri)) return 0;
    free(*inner), free(*tri);
  }
  return mt_error(MT_ERR_FAIL, "Gmsh could not mesh a face with %d points on its loop", n);
}
