/* Nodal fields of a tetrahedral mesh at the points of a grid, and back: each point once in the magnet's tetrahedron
 * that holds it, found by going through the points in the box of every tetrahedron. */
#include "images.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/mesh.h"
#include <float.h>
#include <math.h>
#include <string.h>

typedef struct {
  int64_t node[4];  /* -1: outside the magnet */
  double weight[3]; /* of the last three nodes */
} Point;

struct MtSampler {
  int n[3];
  int64_t nodes;
  double low[3], step[3]; /* nm: corner of the box, from point to point */
  Point *point;           /* [n0 n1 n2] owned */
};

typedef struct {
  double low[3], step[3];
  const int *n;
} Grid;

static PetscErrorCode make_grid(const MtInput *in, const MtMeshData *mesh, const int n[3], Grid *g) {
  double high[3];
  for (int a = 0; a < 3; a++) g->low[a] = mesh->magnet_box[a], high[a] = mesh->magnet_box[3 + a];
  if (mt_input_has(in, "topology.grid.low")) mt_input_vec3(in, g->low, "topology.grid.low");
  if (mt_input_has(in, "topology.grid.high")) mt_input_vec3(in, high, "topology.grid.high");
  g->n = n;
  for (int a = 0; a < 3; a++) {
    if (!(high[a] > g->low[a]))
      return mt_error(MT_ERR_INPUT, "topology.grid: the box from %g to %g nm along %c is empty", g->low[a], high[a],
                      "xyz"[a]);
    g->step[a] = (high[a] - g->low[a]) / n[a];
  }
  return 0;
}

/* Barycentric coordinates of x in the tet with corners p. */
static void barycentric(double (*p)[3], const double x[3], double w[4]) {
  double e[3][3], d[3];
  for (int a = 0; a < 3; a++) {
    for (int c = 0; c < 3; c++) e[c][a] = p[c + 1][a] - p[0][a];
    d[a] = x[a] - p[0][a];
  }
#define DET(u, v, w)                                                                                                   \
  ((u)[0] * ((v)[1] * (w)[2] - (v)[2] * (w)[1]) - (u)[1] * ((v)[0] * (w)[2] - (v)[2] * (w)[0]) +                       \
   (u)[2] * ((v)[0] * (w)[1] - (v)[1] * (w)[0]))
  const double volume = DET(e[0], e[1], e[2]);
  w[1] = DET(d, e[1], e[2]) / volume;
  w[2] = DET(e[0], d, e[2]) / volume;
  w[3] = DET(e[0], e[1], d) / volume;
#undef DET
  w[0] = 1 - w[1] - w[2] - w[3];
}

static void take_point(Point *point, const int64_t *tet, const double w[4]) {
  const double tolerance = -1e-9; /* a point on a face belongs to both sides: the first one found has it */
  if (point->node[0] >= 0 || w[0] < tolerance || w[1] < tolerance || w[2] < tolerance || w[3] < tolerance) return;
  memcpy(point->node, tet, sizeof point->node);
  memcpy(point->weight, w + 1, sizeof point->weight);
}

static void sample_tet(const MtMeshData *mesh, const Grid *g, int64_t t, Point *point) {
  double p[4][3];
  int from[3], to[3];
  for (int c = 0; c < 4; c++) memcpy(p[c], mesh->x + 3 * mesh->tet[4 * t + c], sizeof p[c]);
  for (int a = 0; a < 3; a++) {
    const double low = fmin(fmin(p[0][a], p[1][a]), fmin(p[2][a], p[3][a]));
    const double high = fmax(fmax(p[0][a], p[1][a]), fmax(p[2][a], p[3][a]));
    from[a] = (int)fmax(0, ceil((low - g->low[a]) / g->step[a] - .5 - 1e-9));
    to[a] = (int)fmin(g->n[a] - 1, floor((high - g->low[a]) / g->step[a] - .5 + 1e-9));
  }
  for (int z = from[2]; z <= to[2]; z++)
    for (int y = from[1]; y <= to[1]; y++)
      for (int x = from[0]; x <= to[0]; x++) {
        const double at[3] = {g->low[0] + (x + .5) * g->step[0], g->low[1] + (y + .5) * g->step[1],
                              g->low[2] + (z + .5) * g->step[2]};
        double w[4];
        barycentric(p, at, w);
        take_point(point + ((int64_t)z * g->n[1] + y) * g->n[0] + x, mesh->tet + 4 * t, w);
      }
}

static PetscErrorCode find_points(const MtInput *in, const MtMeshData *mesh, MtSampler *s) {
  Grid g;
  int64_t inside = 0;
  const int64_t total = (int64_t)s->n[0] * s->n[1] * s->n[2];
  PetscCall(make_grid(in, mesh, s->n, &g));
  s->nodes = mesh->nv;
  memcpy(s->low, g.low, sizeof s->low);
  memcpy(s->step, g.step, sizeof s->step);
  s->point = mt_malloc((size_t)total * sizeof *s->point);
  for (int64_t i = 0; i < total; i++) s->point[i].node[0] = -1;
  for (int64_t t = 0; t < mesh->nt; t++)
    if (mesh->regions.kind[mesh->region[t]] != MT_REGION_AIR) sample_tet(mesh, &g, t, s->point);
  for (int64_t i = 0; i < total; i++) inside += s->point[i].node[0] >= 0;
  return inside ? 0 : mt_error(MT_ERR_INPUT, "topology.grid: none of its points lies in the magnet");
}

PetscErrorCode mt_sampler_create(MPI_Comm comm, const MtInput *in, int n[3], MtSampler **s) {
  double points[3];
  MtMeshData mesh;
  mt_input_vec3(in, points, "topology.grid.points");
  *s = mt_calloc(1, sizeof **s);
  for (int a = 0; a < 3; a++) (*s)->n[a] = n[a] = (int)rint(points[a]);
  memset(&mesh, 0, sizeof mesh);
  PetscErrorCode rc = mt_mesh_data_read(PETSC_COMM_SELF, mt_input_string(in, "topology.mesh"), &mesh);
  if (!rc) rc = find_points(in, &mesh, *s);
  mt_mesh_data_free(&mesh);
  return mt_agree(comm, rc);
}

static double part(const double *field, int components, int component, int64_t node) {
  if (components == 1) return field[node];
  const double *v = field + 3 * node;
  return component < 3 ? v[component] : sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

static void interpolate(const MtSampler *s, const double *field, int components, int component, bool outside_low,
                        double *value) {
  const int64_t total = (int64_t)s->n[0] * s->n[1] * s->n[2];
  double low = DBL_MAX, high = -DBL_MAX;
  for (int64_t i = 0; i < total; i++) {
    const Point *p = &s->point[i];
    if (p->node[0] < 0) continue;
    const double first = part(field, components, component, p->node[0]);
    value[i] = first; /* differences, so that a uniform field stays uniform */
    for (int c = 0; c < 3; c++) value[i] += p->weight[c] * (part(field, components, component, p->node[c + 1]) - first);
    low = fmin(low, value[i]);
    high = fmax(high, value[i]);
  }
  for (int64_t i = 0; i < total; i++)
    if (s->point[i].node[0] < 0) value[i] = outside_low ? low : high;
}

/* Numbers a node of the dataset: 1 or 3. */
static PetscErrorCode load_field(const MtSampler *s, const char *path, const char *dataset, double **field,
                                 int *components) {
  int n[3];
  *components = 1;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) return mt_error(MT_ERR_INPUT, "%s: is not a readable HDF5 file", path);
  const hid_t set = H5Dopen2(file, dataset, H5P_DEFAULT);
  const hid_t space = set >= 0 ? H5Dget_space(set) : -1;
  hsize_t dims[H5S_MAX_RANK] = {0};
  const int rank = space >= 0 ? H5Sget_simple_extent_dims(space, dims, NULL) : 0;
  PetscErrorCode rc = 0;
  n[0] = rank == 2 ? (int)dims[1] : 1;
  if (set < 0)
    rc = mt_error(MT_ERR_INPUT, "%s: has no dataset %s (topology.dataset)", path, dataset);
  else if (rank < 1 || rank > 2 || (int64_t)dims[0] != s->nodes || (n[0] != 1 && n[0] != 3))
    rc = mt_error(MT_ERR_INPUT, "%s: dataset %s is not a field on the %lld nodes of topology.mesh", path, dataset,
                  (long long)s->nodes);
  if (!rc) {
    *components = n[0];
    *field = mt_malloc((size_t)s->nodes * (size_t)n[0] * sizeof **field);
    if (H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *field) < 0)
      rc = mt_error(MT_ERR_INPUT, "%s: dataset %s cannot be read: the file is damaged or truncated", path, dataset);
  }
  if (space >= 0) H5Sclose(space);
  if (set >= 0) H5Dclose(set);
  H5Fclose(file);
  return rc;
}

PetscErrorCode mt_sampler_read(const MtSampler *s, const char *path, const char *dataset, int component,
                               bool outside_low, double *value) {
  double *field = NULL;
  int components;
  PetscErrorCode rc = load_field(s, path, dataset, &field, &components);
  if (!rc) interpolate(s, field, components, component, outside_low, value);
  free(field);
  return rc;
}

int64_t mt_sampler_nodes(const MtSampler *s) {
  return s->nodes;
}

void mt_sampler_sample(const MtSampler *s, const double *nodal, double *value) {
  const int64_t total = (int64_t)s->n[0] * s->n[1] * s->n[2];
  for (int64_t i = 0; i < total; i++) {
    const Point *p = &s->point[i];
    value[i] = p->node[0] < 0 ? NAN : nodal[p->node[0]];
    for (int c = 0; c < 3 && p->node[0] >= 0; c++)
      value[i] += p->weight[c] * (nodal[p->node[c + 1]] - nodal[p->node[0]]);
  }
}

/* Cells of the grid around a place, linear between their middles, constant from the outer ones to the end of the box:
 * the first of the two along each axis and the weight of the second.  false: beyond the box. */
static bool locate(const MtSampler *s, const double x[3], int first[3], double second[3]) {
  for (int a = 0; a < 3; a++) {
    const double u = (x[a] - s->low[a]) / s->step[a] - .5, in = fmin(fmax(u, 0), s->n[a] - 1);
    if (fabs(u - in) > .5 + 1e-6) return false;
    first[a] = (int)fmin(floor(in), s->n[a] > 1 ? s->n[a] - 2 : 0);
    second[a] = in - first[a];
  }
  return true;
}

/* Of the numbers of a grid at a place; NAN where none is near. */
static double between_points(const MtSampler *s, const double x[3], const double *value) {
  int first[3];
  double second[3], sum = 0, all = 0;
  if (!locate(s, x, first, second)) return NAN;
  for (int k = 0; k < 8; k++) {
    int64_t at = 0;
    double weight = 1;
    for (int a = 2; a >= 0; a--) {
      const int further = k >> a & 1;
      weight *= further ? second[a] : 1 - second[a];
      at = at * s->n[a] + first[a] + (further && s->n[a] > 1);
    }
    if (!(weight > 0) || s->point[at].node[0] < 0 || !isfinite(value[at])) continue;
    sum += weight * value[at];
    all += weight;
  }
  return all > 0 ? sum / all : NAN;
}

/* What the points in the tets of a node say, by its share in them: sum and weight of the nodes from start on. */
static void add_points(const MtSampler *s, int64_t start, int64_t n, const double *value, double *sum, double *weight) {
  const int64_t total = (int64_t)s->n[0] * s->n[1] * s->n[2];
  for (int64_t i = 0; i < total; i++) {
    const Point *p = &s->point[i];
    const double w[4] = {1 - p->weight[0] - p->weight[1] - p->weight[2], p->weight[0], p->weight[1], p->weight[2]};
    for (int c = 0; c < 4 && p->node[0] >= 0 && isfinite(value[i]); c++) {
      const int64_t node = p->node[c] - start;
      if (node < 0 || node >= n) continue;
      sum[node] += w[c] * value[i];
      weight[node] += w[c];
    }
  }
}

void mt_sampler_onto_nodes(const MtSampler *s, int64_t start, int64_t n, const double *x, const double *value,
                           double *nodal) {
  double *weight = mt_calloc((size_t)n, sizeof *weight);
  memset(nodal, 0, (size_t)n * sizeof *nodal);
  add_points(s, start, n, value, nodal, weight);
  for (int64_t i = 0; i < n; i++) {
    const double between = weight[i] < 1 ? between_points(s, x + 3 * i, value) : NAN;
    if (isfinite(between))
      nodal[i] += (1 - weight[i]) * between;
    else if (weight[i] > 0)
      nodal[i] /= weight[i];
  }
  free(weight);
}

double mt_sampler_cell(const MtSampler *s) {
  return s->step[0] * s->step[1] * s->step[2];
}

void mt_sampler_free(MtSampler **s) {
  if (*s) free((*s)->point);
  free(*s);
  *s = NULL;
}
