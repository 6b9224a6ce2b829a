/* What a labelled volume says of its grains: sizes, shapes along an axis, neighbours, areas of contact. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "measured.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOMENTS = 10 }; /* sums over the voxels of a grain: x y z, xx yy zz, yz xz xy, faces on the box */
enum { PATH = 4096 };

/* Faces between two labels, by the direction of the axis they lie across; signed from a to b: of a flat contact the
 * vector is its area times its normal. */
typedef struct {
  int64_t a, b; /* a < b; a -1: no grain */
  int64_t across[3];
  int64_t faces;
} Contact;
enum { NUMBERS = sizeof(Contact) / sizeof(int64_t) };

typedef struct {
  const MtLabels *l;
  int64_t *moment; /* [MOMENTS ngrains] */
  int64_t n, room;
  Contact *contact;
  int *neighbours; /* [ngrains] grains in contact */
  double *aspect, *diameter, *area;
} Statistics;

static int by_ends(const void *p, const void *q) {
  const Contact *x = p, *y = q;
  if (x->a != y->a) return x->a < y->a ? -1 : 1;
  return (x->b > y->b) - (x->b < y->b);
}

static int64_t reduce(int64_t n, Contact *c) {
  int64_t kept = 0;
  if (n > 1) qsort(c, (size_t)n, sizeof *c, by_ends);
  for (int64_t i = 0; i < n; i++) {
    if (!kept || by_ends(&c[kept - 1], &c[i])) {
      c[kept++] = c[i];
      continue;
    }
    for (int d = 0; d < 3; d++) c[kept - 1].across[d] += c[i].across[d];
    c[kept - 1].faces += c[i].faces;
  }
  return kept;
}

static void face(Statistics *s, int32_t from, int32_t to, int direction) {
  if (from == to) return;
  if (s->n == s->room) {
    s->n = reduce(s->n, s->contact);
    if (2 * s->n >= s->room) s->room = 2 * s->room + 16384;
    s->contact = mt_realloc(s->contact, (size_t)s->room * sizeof *s->contact);
  }
  Contact *c = &s->contact[s->n++];
  *c = (Contact){from < to ? from : to, from < to ? to : from, {0, 0, 0}, 1};
  c->across[direction] = from < to ? 1 : -1;
}

static void add_voxel(Statistics *s, int32_t g, int64_t x, int64_t y, int64_t z) {
  const MtLabels *l = s->l;
  int64_t *m = s->moment + MOMENTS * (int64_t)g;
  const int64_t v[9] = {x, y, z, x * x, y * y, z * z, y * z, x * z, x * y};
  for (int i = 0; i < 9; i++) m[i] += v[i];
  m[9] += (x == 0) + (x == l->nx - 1) + (y == 0) + (y == l->ny - 1) + (z == 0) + (z == l->nz - 1);
}

/* above: labels of the slice after the slab. */
static void visit(Statistics *s, const int32_t *above) {
  const MtLabels *l = s->l;
  const int64_t nx = l->nx, slice = nx * l->ny, n = slice * l->nz_local;
  for (int64_t v = 0; v < n; v++) {
    const int64_t i = v % nx, j = v / nx % l->ny, k = v / slice;
    const int32_t g = l->label[v];
    if (g >= 0) add_voxel(s, g, i, j, k + l->z0);
    if (i + 1 < nx) face(s, g, l->label[v + 1], 0);
    if (j + 1 < l->ny) face(s, g, l->label[v + nx], 1);
    if (k + l->z0 + 1 < l->nz) face(s, g, k + 1 < l->nz_local ? l->label[v + slice] : above[v - k * slice], 2);
  }
  s->n = reduce(s->n, s->contact);
}

static PetscErrorCode gather(MPI_Comm comm, Statistics *s) {
  int64_t nall, *all;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->moment, MOMENTS * s->l->ngrains, MPI_INT64_T, MPI_SUM, comm));
  PetscCall(mt_gather_i64(comm, NUMBERS * s->n, (const int64_t *)s->contact, &nall, &all));
  free(s->contact);
  s->contact = (Contact *)all;
  s->n = reduce(nall / NUMBERS, s->contact);
  return 0;
}

static PetscErrorCode collect(MPI_Comm comm, Statistics *s) {
  const MtLabels *l = s->l;
  const int slice = l->nx * l->ny;
  int below, above;
  int32_t *next = mt_malloc((size_t)slice * sizeof *next);
  s->moment = mt_calloc(MOMENTS * (size_t)l->ngrains + 1, sizeof *s->moment);
  mt_labels_neighbours(comm, l, &below, &above);
  PetscCallMPI(MPI_Sendrecv(l->label, slice * (l->nz_local > 0), MPI_INT32_T, below, 0, next, slice, MPI_INT32_T, above,
                            0, comm, MPI_STATUS_IGNORE));
  visit(s, next);
  free(next);
  return gather(comm, s);
}

/* nm2: length of the vector, exact for a flat contact; a curved one is larger. */
static double contact_area(const MtLabels *l, const Contact *c) {
  const double *v = l->voxel, face[3] = {v[1] * v[2], v[0] * v[2], v[0] * v[1]};
  double sum = 0;
  for (int d = 0; d < 3; d++) sum += pow((double)c->across[d] * face[d], 2);
  return sqrt(sum);
}

/* Mean width across the axis over the width along it, of the ellipsoid with the grain's second moments. */
static double aspect(const MtLabels *l, const int64_t *m, double n, const double axis[3]) {
  double c[3][3], along = 0, trace = 0;
  static const int at[3][3] = {{3, 8, 7}, {8, 4, 6}, {7, 6, 5}};
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < 3; b++) {
      const double own = a == b ? 1. / 12 : 0; /* of a voxel itself */
      const double v = (double)m[at[a][b]] / n - (double)m[a] / n * ((double)m[b] / n) + own;
      c[a][b] = v * l->voxel[a] * l->voxel[b];
    }
  for (int a = 0; a < 3; a++) {
    trace += c[a][a];
    for (int b = 0; b < 3; b++) along += axis[a] * c[a][b] * axis[b];
  }
  return sqrt(fmax(0, trace - along) / 2 / along);
}

static void measure(Statistics *s, const double *axis) {
  const MtLabels *l = s->l;
  const size_t n = (size_t)l->ngrains + 1;
  s->neighbours = mt_calloc(n, sizeof *s->neighbours);
  s->aspect = mt_calloc(n, sizeof *s->aspect);
  s->diameter = mt_calloc(n, sizeof *s->diameter);
  s->area = mt_calloc(n, sizeof *s->area);
  for (int g = 0; g < l->ngrains; g++) {
    const double voxels = (double)l->voxels[g], volume = voxels * l->voxel[0] * l->voxel[1] * l->voxel[2];
    s->diameter[g] = cbrt(6 * volume / MT_PI);
    s->aspect[g] = voxels > 0 ? aspect(l, s->moment + MOMENTS * (size_t)g, voxels, axis + 3 * (size_t)g) : 0;
  }
  for (int64_t i = 0; i < s->n; i++) {
    const Contact *c = &s->contact[i];
    if (c->a < 0) continue;
    s->neighbours[c->a]++, s->neighbours[c->b]++;
    s->area[c->a] += contact_area(l, c), s->area[c->b] += contact_area(l, c);
  }
}

/* ---- files ---- */

static PetscErrorCode open_table(const char *folder, const char *name, FILE **f) {
  char path[PATH];
  if (snprintf(path, PATH, "%s/%s", folder, name) >= PATH)
    return mt_error(MT_ERR_INPUT, "the name of the folder is too long: %.60s...", folder);
  *f = fopen(path, "w");
  return *f ? 0 : mt_error(MT_ERR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
}

static PetscErrorCode close_table(FILE *f, const char *name) {
  const bool good = !ferror(f);
  return !fclose(f) && good ? 0 : mt_error(MT_ERR_FAIL, "%s: cannot be written to its end", name);
}

static PetscErrorCode write_grains(const Statistics *s, const char *folder) {
  const MtLabels *l = s->l;
  FILE *f;
  PetscCall(open_table(folder, "grains.csv", &f));
  fprintf(f, "grain,voxels,volume_nm3,diameter_nm,x_nm,y_nm,z_nm,aspect,neighbours,contact_nm2,faces_on_box\n");
  for (int g = 0; g < l->ngrains; g++) {
    const int64_t *m = s->moment + MOMENTS * (size_t)g;
    const double n = (double)l->voxels[g];
    fprintf(f, "%d,%lld,%.9g,%.6g", g + 1, (long long)l->voxels[g], n * l->voxel[0] * l->voxel[1] * l->voxel[2],
            s->diameter[g]);
    for (int d = 0; d < 3; d++) fprintf(f, ",%.6g", ((double)m[d] / n + .5) * l->voxel[d]);
    fprintf(f, ",%.4g,%d,%.6g,%lld\n", s->aspect[g], s->neighbours[g], s->area[g], (long long)m[9]);
  }
  return close_table(f, "grains.csv");
}

static PetscErrorCode write_contacts(const Statistics *s, const char *folder) {
  FILE *f;
  PetscCall(open_table(folder, "contacts.csv", &f));
  fprintf(f, "grain_a,grain_b,voxel_faces,area_nm2\n");
  for (int64_t i = 0; i < s->n; i++) {
    const Contact *c = &s->contact[i];
    fprintf(f, "%lld,%lld,%lld,%.6g\n", (long long)c->a + 1, (long long)c->b + 1, (long long)c->faces,
            contact_area(s->l, c));
  }
  return close_table(f, "contacts.csv");
}

static void mean_of(int n, const double *v, double *mean, double *deviation) {
  double square = 0;
  *mean = 0;
  for (int i = 0; i < n; i++) *mean += v[i] / n;
  for (int i = 0; i < n; i++) square += (v[i] - *mean) * (v[i] - *mean) / n;
  *deviation = sqrt(square);
}

static void tell(const Statistics *s, MtJson *json) {
  const MtLabels *l = s->l;
  double d[2], a[2], near = 0, area = 0;
  mean_of(l->ngrains, s->diameter, &d[0], &d[1]);
  mean_of(l->ngrains, s->aspect, &a[0], &a[1]);
  for (int g = 0; g < l->ngrains; g++) near += (double)s->neighbours[g] / l->ngrains, area += .5 * s->area[g];
  const double volume = (double)l->nx * l->ny * l->nz * l->voxel[0] * l->voxel[1] * l->voxel[2];
  mt_log(
      "grains: diameter %.4g nm (standard deviation %.3g), aspect across/along %.3g (%.2g), %.3g neighbours, contacts "
      "of %.3g nm2 per nm3",
      d[0], d[1], a[0], a[1], near, area / volume);
  mt_json_object(json, "statistics");
  mt_json_int(json, "grains", l->ngrains);
  mt_json_quantity(json, "mean_diameter", d[0], "nm");
  mt_json_quantity(json, "deviation_of_diameter", d[1], "nm");
  mt_json_real(json, "mean_aspect", a[0]);
  mt_json_real(json, "deviation_of_aspect", a[1]);
  mt_json_real(json, "mean_neighbours", near);
  mt_json_int(json, "contacts", s->n);
  mt_json_quantity(json, "contact_area_per_volume", area / volume, "1/nm");
  mt_json_end(json);
}

static PetscErrorCode write_tables(MPI_Comm comm, const Statistics *s, const char *folder) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) rc = write_grains(s, folder);
  if (!rank && !rc) rc = write_contacts(s, folder);
  return mt_agree_root(comm, rc);
}

PetscErrorCode mt_labels_statistics(MPI_Comm comm, const MtLabels *l, const double *axis, const char *folder,
                                    MtJson *json) {
  Statistics s = {.l = l};
  PetscErrorCode rc = collect(comm, &s);
  if (!rc) measure(&s, axis);
  if (!rc) rc = write_tables(comm, &s, folder);
  if (!rc) tell(&s, json);
  free(s.moment);
  free(s.contact);
  free(s.neighbours);
  free(s.aspect);
  free(s.diameter);
  free(s.area);
  return rc;
}
