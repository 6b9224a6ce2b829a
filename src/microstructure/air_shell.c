/* The air between the magnet and a sphere around it.  The sphere is a geodesic one (an icosahedron with its triangles
 * cut regularly and blown up); Gmsh fills the room between it and the magnet's own outer triangles, with sizes taken
 * over from both. */
#include "air.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

/* ---- the magnet's outer triangles */

typedef MtOuterFace Face;

static int compare_face(const void *a, const void *b) {
  const Face *p = a, *q = b;
  for (int k = 0; k < 3; k++)
    if (p->key[k] != q->key[k]) return p->key[k] < q->key[k] ? -1 : 1;
  return 0;
}

bool mt_on_wall(const double *x, const double box[6], const int64_t *t) {
  for (int w = 0; w < 6; w++) {
    bool all = true;
    for (int k = 0; k < 3; k++) all = all && x[3 * t[k] + w % 3] == box[w];
    if (all) return true;
  }
  return false;
}

static Face face_make(int64_t a, int64_t b, int64_t c, int32_t region) {
  Face f = {{a, b, c}, {a, b, c}, region};
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2 - i; j++)
      if (f.key[j] > f.key[j + 1]) {
        int64_t s = f.key[j];
        f.key[j] = f.key[j + 1], f.key[j + 1] = s;
      }
  return f;
}

/* If the triangle lies on a wall. */
static void face_add(const MtTets *m, const double box[6], const int64_t f[3], int32_t region, Face **list, int *room,
                     int *count) {
  if (box && !mt_on_wall(m->x, box, f)) return;
  if (*count == *room) *list = mt_realloc(*list, (size_t)(*room *= 2) * sizeof **list);
  (*list)[(*count)++] = face_make(f[0], f[1], f[2], region);
}

void mt_outer_faces(const MtTets *m, const double box[6], int nmore, const Face *more, Face **list, int *n) {
  static const int side[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};
  int room = 1024, count = 0, kept = 0;
  *list = mt_malloc((size_t)room * sizeof **list);
  for (int64_t t = 0; t < m->nt; t++)
    for (int k = 0; k < 4; k++) {
      const int64_t *v = m->tet + 4 * t, f[3] = {v[side[k][0]], v[side[k][1]], v[side[k][2]]};
      face_add(m, box, f, m->region[t], list, &room, &count);
    }
  for (int i = 0; i < nmore; i++) face_add(m, box, more[i].tri, more[i].region, list, &room, &count);
  qsort(*list, (size_t)count, sizeof **list, compare_face);
  for (int i = 0; i < count; i++) {
    bool twice = i + 1 < count && compare_face(*list + i, *list + i + 1) == 0;
    if (twice)
      i++;
    else
      (*list)[kept++] = (*list)[i];
  }
  *n = kept;
}

/* ---- the sphere */

static const int32_t ico_tri[20][3] = {{0, 11, 5}, {0, 5, 1},  {0, 1, 7},   {0, 7, 10}, {0, 10, 11},
                                       {1, 5, 9},  {5, 11, 4}, {11, 10, 2}, {10, 7, 6}, {7, 1, 8},
                                       {3, 9, 4},  {3, 4, 2},  {3, 2, 6},   {3, 6, 8},  {3, 8, 9},
                                       {4, 9, 5},  {2, 4, 11}, {6, 2, 10},  {8, 6, 7},  {9, 8, 1}};

static void ico_corner(int i, double x[3]) {
  const double g = (1 + sqrt(5.)) / 2, a[3] = {i & 1 ? 1 : -1, i & 2 ? -g : g, 0};
  for (int k = 0; k < 3; k++) x[(k + i / 4) % 3] = a[k];
}

/* Points of edges are shared by two faces: slot by (lower corner, higher corner, step); inner ones by (face, steps). */
static int64_t sphere_slot(int n, int face, const int *w) {
  const int32_t *corner = ico_tri[face];
  int used = 0, at[3] = {0, 0, 0};
  for (int i = 0; i < 3; i++)
    if (w[i]) at[used++] = i;
  if (used == 1) return corner[at[0]];
  if (used == 3) return 12 + 144 * n + ((int64_t)face * n + w[0]) * n + w[1];
  int lo = corner[at[0]] < corner[at[1]] ? 0 : 1;
  return 12 + ((int64_t)corner[at[lo]] * 12 + corner[at[1 - lo]]) * n + w[at[lo]];
}

static int32_t sphere_point(int n, int32_t *number, int face, const int *w, const double centre[3], double radius,
                            MtShell *s) {
  int64_t slot = sphere_slot(n, face, w);
  double x[3] = {0, 0, 0}, p[3];
  if (number[slot] >= 0) return number[slot];
  for (int i = 0; i < 3; i++) {
    ico_corner(ico_tri[face][i], p);
    for (int k = 0; k < 3; k++) x[k] += w[i] * p[k];
  }
  double len = sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
  for (int k = 0; k < 3; k++) s->x[3 * s->nx + k] = centre[k] + radius * x[k] / len;
  number[slot] = s->nx;
  return s->nx++;
}

static void sphere_triangle(int n, int32_t *number, int face, int w[3][3], const double centre[3], double radius,
                            MtShell *s) {
  int32_t *t = s->tri + 3 * s->nt++;
  for (int i = 0; i < 3; i++) t[i] = sphere_point(n, number, face, w[i], centre, radius, s);
  const double *a = s->x + 3 * t[0], *b = s->x + 3 * t[1], *c = s->x + 3 * t[2];
  double y[4][3];
  for (int k = 0; k < 3; k++) y[0][k] = centre[k], y[1][k] = a[k], y[2][k] = b[k], y[3][k] = c[k];
  if (mt_tet_volume((const double(*)[3])y) < 0) {
    int32_t swap = t[0];
    t[0] = t[1], t[1] = swap;
  }
}

/* Geodesic sphere of frequency n: 20 n^2 triangles, outward; appended to s, which has room. */
static PetscErrorCode sphere_add(const double centre[3], double radius, int n, MtShell *s) {
  int32_t *number;
  int slots = 12 + 144 * n + 21 * n * n;
  PetscCall(PetscMalloc1((size_t)slots, &number));
  for (int i = 0; i < slots; i++) number[i] = -1;
  for (int f = 0; f < 20; f++)
    for (int i = 0; i < n; i++)
      for (int j = 0; i + j < n; j++) {
        int k = n - 1 - i - j;
        int up[3][3] = {{i + 1, j, k}, {i, j + 1, k}, {i, j, k + 1}},
            down[3][3] = {{i, j + 1, k}, {i + 1, j, k}, {i + 1, j + 1, k - 1}};
        sphere_triangle(n, number, f, up, centre, radius, s);
        if (k > 0) sphere_triangle(n, number, f, down, centre, radius, s);
      }
  return PetscFree(number);
}

/* ---- both */

/* Sphere first, then the magnet's surface seen from the air; node [shell.nx]: the mesh's node of a point, -1 on the
 * sphere. */
static PetscErrorCode surface_make(const MtTets *m, const Face *face, int nface, const double sphere[4], int n,
                                   MtShell *s, int64_t **node) {
  int64_t *number;
  size_t room = (size_t)(10 * n * n + 2 + 3 * nface);
  *s = (MtShell){0, 0, mt_malloc(3 * room * sizeof(double)),
                 mt_malloc(3 * ((size_t)(20 * n * n) + (size_t)nface) * sizeof(int32_t))};
  *node = mt_malloc(room * sizeof **node);
  PetscCall(sphere_add(sphere, sphere[3], n, s));
  for (int i = 0; i < s->nx; i++) (*node)[i] = -1;
  PetscCall(PetscMalloc1((size_t)m->nv, &number));
  for (int64_t i = 0; i < m->nv; i++) number[i] = -1;
  for (int i = 0; i < nface; i++, s->nt++)
    for (int k = 0; k < 3; k++) {
      int64_t v = face[i].tri[2 - k];
      if (number[v] < 0) {
        memcpy(s->x + 3 * s->nx, m->x + 3 * v, 3 * sizeof(double));
        (*node)[s->nx] = v, number[v] = s->nx++;
      }
      s->tri[3 * s->nt + k] = (int32_t)number[v];
    }
  return PetscFree(number);
}

/* The largest triangle of the geodesic sphere of frequency n is seen from the centre under a half-angle of tangent
 * facet / n (at the middle of the icosahedron's faces: circumradius over distance, 3 - sqrt(5) of them). */
static const double facet = 0.76393202250021;
static const double room_left =
    0.5; /* between the magnet and the nearest triangle, of that between it and the sphere */

/* The least frequency (the mean edge is about 1.1 R / n) with which no flat triangle comes too near to the magnet. */
static int frequency_around(const MtTets *m, int n, const MtOuterFace *face, const double sphere[4]) {
  double far = 0;
  for (int i = 0; i < 3 * n; i++) {
    const double *x = m->x + 3 * face[i / 3].tri[i % 3];
    double r2 = 0;
    for (int k = 0; k < 3; k++) r2 += (x[k] - sphere[k]) * (x[k] - sphere[k]);
    far = fmax(far, sqrt(r2));
  }
  const double cosine = 1 - (1 - room_left) * (1 - far / sphere[3]);
  return far < sphere[3] ? (int)ceil(facet * cosine / sqrt(1 - cosine * cosine)) : 1;
}

PetscErrorCode mt_air_surface(const MtTets *m, int n, const MtOuterFace *face, const double sphere[4], double size,
                              MtAir *air) {
  const int mean = (int)ceil(1.1 * sphere[3] / size), least = frequency_around(m, n, face, sphere);
  const int frequency = mean > least ? mean : least;
  *air = (MtAir){.radius = sphere[3], .size = size, .nface = n};
  return surface_make(m, face, n, sphere, frequency, &air->shell, &air->node);
}

PetscErrorCode mt_air_fill(MtAir *air) {
  if (!mt_fill_shell(&air->shell, air->nface, air->size, NULL, &air->fill))
    return mt_error(
        MT_ERR_FAIL,
        "Gmsh could not fill the air between the magnet and a sphere of radius %g nm; try another mesh.air.size or "
        "mesh.air.radius",
        air->radius);
  mt_fill_smooth(&air->shell, &air->fill);
  mt_fill_repair(&air->shell, &air->fill);
  mt_fill_smooth(&air->shell, &air->fill);
  return 0;
}

PetscErrorCode mt_air_append(const MtAir *air, int32_t region, MtTets *m) {
  const MtShell *s = &air->shell;
  const MtFill *f = &air->fill;
  PetscCall(mt_tets_reserve(m, m->nv + s->nx + f->nx, m->nt + f->nt));
  int64_t *node = mt_malloc(((size_t)s->nx + 1) * sizeof *node);
  for (int i = 0; i < s->nx; i++) {
    node[i] = air->node[i] >= 0 ? air->node[i] : m->nv;
    if (air->node[i] < 0) memcpy(m->x + 3 * m->nv++, s->x + 3 * i, 3 * sizeof(double));
  }
  const int64_t base = m->nv;
  memcpy(m->x + 3 * m->nv, f->x, 3 * (size_t)f->nx * sizeof(double));
  m->nv += f->nx;
  for (int i = 0; i < 4 * f->nt; i++)
    m->tet[4 * m->nt + i] = f->tet[i] < s->nx ? node[f->tet[i]] : base + f->tet[i] - s->nx;
  for (int i = 0; i < f->nt; i++) m->region[m->nt + i] = region;
  m->nt += f->nt;
  free(node);
  return 0;
}

void mt_air_free(MtAir *air) {
  mt_shell_free(&air->shell), mt_fill_free(&air->fill);
  free(air->node);
  memset(air, 0, sizeof *air);
}

PetscErrorCode mt_air_check(const MtInput *in) {
  const double radius = mt_input_real(in, "mesh.air.radius");
  if (radius == 0 || radius >= 1.02) return 0;
  return mt_input_error(in, "mesh.air.radius", "must be 0 (no air) or at least 1.02, is %g", radius);
}
