/* Volumes of grains and of the phase between them from the planes of a power diagram, without any mesh: a second
 * opinion on the mesh's.  A polyhedron is measured by its edges: with c inside it and m inside a face, each edge makes
 * a triangle with m and a tetrahedron with m and c. */
#include "magtwin/microstructure.h"
#include "power_clip.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PLANES = 256 };

/* Half the thickness at each boundary. */
typedef struct {
  int a, b; /* grains, a < b */
  double inset;
} Boundary;
typedef struct {
  double inset; /* everywhere, where there is no table */
  int n;
  Boundary *boundary; /* [n] sorted; NULL: none */
} Insets;

static int compare_boundary(const void *a, const void *b) {
  const Boundary *p = a, *q = b;
  if (p->a != q->a) return p->a < q->a ? -1 : 1;
  return (p->b > q->b) - (p->b < q->b);
}

static PetscErrorCode insets_make(double inset, const MtCells *c, Insets *s) {
  *s = (Insets){inset, 0, NULL};
  if (!c || !c->thickness) return 0;
  PetscCall(PetscMalloc1((size_t)c->nfaces + 1, &s->boundary));
  for (int f = 0; f < c->nfaces; f++)
    if (c->face_cells[2 * f + 1] >= 0)
      s->boundary[s->n++] = (Boundary){c->face_cells[2 * f], c->face_cells[2 * f + 1], c->thickness[f] / 2};
  qsort(s->boundary, (size_t)s->n, sizeof *s->boundary, compare_boundary);
  return 0;
}

static double inset_of(const Insets *s, int i, int j) {
  const Boundary key = {i < j ? i : j, i < j ? j : i, 0};
  const Boundary *found = s->boundary ? bsearch(&key, s->boundary, (size_t)s->n, sizeof key, compare_boundary) : NULL;
  return found ? found->inset : s->inset; /* cells that touch in rounding only have no entry */
}

static double dot(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void cross(const double *a, const double *b, double *c) {
  c[0] = a[1] * b[2] - a[2] * b[1], c[1] = a[2] * b[0] - a[0] * b[2], c[2] = a[0] * b[1] - a[1] * b[0];
}

static void minus(const double *a, const double *b, double *c) {
  for (int k = 0; k < 3; k++) c[k] = a[k] - b[k];
}

/* Unit normal of the plane between cells i and j, from i to j. */
static void normal_between(const MtPower *p, int i, int j, double n[3]) {
  minus(p->seed + 3 * j, p->seed + 3 * i, n);
  double len = sqrt(dot(n, n));
  for (int k = 0; k < 3; k++) n[k] /= len;
}

/* ---- the cell as it is: its planes, lines and points */

typedef struct {
  int nplanes;
  int32_t plane[MAX_PLANES];
  double mean[MAX_PLANES][3]; /* of the corners of each face */
  double center[3];
} Faces;

static int plane_of(Faces *f, int32_t id) {
  int k = 0;
  while (k < f->nplanes && f->plane[k] != id) k++;
  if (k == f->nplanes) f->plane[f->nplanes++] = id;
  return k;
}

static void faces_of(const MtPoly *p, Faces *f) {
  int count[MAX_PLANES] = {0};
  memset(f, 0, sizeof *f);
  for (int i = 0; i < 3 * p->n; i++) {
    int at = plane_of(f, p->v[i / 3].plane[i % 3]);
    for (int k = 0; k < 3; k++) f->mean[at][k] += p->v[i / 3].x[k];
    count[at]++;
  }
  for (int i = 0; i < p->n; i++)
    for (int k = 0; k < 3; k++) f->center[k] += p->v[i].x[k] / p->n;
  for (int i = 0; i < f->nplanes; i++)
    for (int k = 0; k < 3; k++) f->mean[i][k] /= count[i];
}

/* Pairs of cells behind the lines of cell k, and triples behind its points: planes[0..2] of each corner. */
typedef struct {
  int n;
  int32_t (*plane)[3];
} Corners;

static bool meet(const Corners *c, int32_t a, int32_t b) {
  for (int i = 0; i < c->n; i++) {
    const int32_t *q = c->plane[i];
    if ((q[0] == a || q[1] == a || q[2] == a) && (q[0] == b || q[1] == b || q[2] == b)) return true;
  }
  return false;
}

/* ---- shapes of the phase */

/* Corner of the cell with outward unit normals n[0..count-1], each set back by its inset, relative to where they meet.
 */
static void set_back(int count, double n[3][3], const double inset[3], double x[3]) {
  double a[3], b[3], c[3];
  if (count == 2) {
    const double cosine = dot(n[0], n[1]), rest = 1 - cosine * cosine;
    for (int k = 0; k < 3; k++)
      x[k] = -((inset[0] - cosine * inset[1]) * n[0][k] + (inset[1] - cosine * inset[0]) * n[1][k]) / rest;
    return;
  }
  cross(n[1], n[2], a), cross(n[2], n[0], b), cross(n[0], n[1], c);
  for (int k = 0; k < 3; k++) x[k] = -(inset[0] * a[k] + inset[1] * b[k] + inset[2] * c[k]) / dot(n[0], a);
}

/* The set-back corners of cells g[0..n-1] about the line (3) or the point (4) where they meet. */
static void corners_about(const MtPower *p, int n, const int32_t *g, const Insets *s, double x[4][3]) {
  for (int i = 0; i < n; i++) {
    double normal[3][3], inset[3];
    int count = 0;
    for (int j = 0; j < n; j++) {
      if (j == i) continue;
      inset[count] = inset_of(s, g[i], g[j]);
      normal_between(p, g[i], g[j], normal[count++]);
    }
    set_back(count, normal, inset, x[i]);
  }
}

static double line_section(const MtPower *p, const int32_t g[3], const Insets *s) {
  double x[4][3], u[3], v[3], n[3];
  corners_about(p, 3, g, s, x);
  minus(x[1], x[0], u), minus(x[2], x[0], v);
  cross(u, v, n);
  return sqrt(dot(n, n)) / 2;
}

static double junction_volume(const MtPower *p, const int32_t g[4], const Insets *s) {
  double x[4][3], u[3], v[3], w[3], n[3];
  corners_about(p, 4, g, s, x);
  minus(x[1], x[0], u), minus(x[2], x[0], v), minus(x[3], x[0], w);
  cross(u, v, n);
  return fabs(dot(n, w)) / 6;
}

/* ---- one cell */

/* Edge from a to b of the set-back cell k, in the faces of planes s and t. */
static void add_edge(const MtPower *p, int k, const Corners *old, const Faces *f, const int32_t plane[2],
                     const double *a, const double *b, const Insets *s, double *volume) {
  double e[3], n[3], u[3], v[3];
  for (int m = 0; m < 2; m++) {
    int at = 0;
    while (f->plane[at] != plane[m]) at++;
    minus(a, f->mean[at], u), minus(b, f->mean[at], v);
    cross(u, v, n);
    minus(f->center, f->mean[at], u);
    volume[MT_REGION_GRAIN] += fabs(dot(n, u)) / 6;
    if (plane[m] >= 0)
      volume[MT_REGION_GB] += inset_of(s, k, plane[m]) * sqrt(dot(n, n)) / 2; /* half of twice the inset */
  }
  if (plane[0] < 0 || plane[1] < 0 || !meet(old, plane[0], plane[1])) return;
  minus(a, b, e);
  volume[MT_REGION_TRIPLE] += line_section(p, (int32_t[3]){k, plane[0], plane[1]}, s) * sqrt(dot(e, e)) / 3;
}

static void add_cell(const MtPower *p, int k, const Corners *old, const MtPoly *poly, const Insets *s, double *volume) {
  Faces f;
  faces_of(poly, &f);
  for (int i = 0; i < poly->n; i++)
    for (int t = 0; t < 3; t++) {
      const MtPolyVertex *v = poly->v + i;
      const int32_t plane[2] = {v->plane[(t + 1) % 3], v->plane[(t + 2) % 3]};
      if (v->next[t] > i) add_edge(p, k, old, &f, plane, v->x, poly->v[v->next[t]].x, s, volume);
    }
  for (int i = 0; i < old->n; i++) {
    const int32_t *q = old->plane[i];
    if (q[0] < 0 || q[1] < 0 || q[2] < 0) continue;
    volume[MT_REGION_JUNCTION] += junction_volume(p, (int32_t[4]){k, q[0], q[1], q[2]}, s) / 4;
  }
}

/* All planes between cells set back; walls stay. */
static PetscErrorCode cut_back(const MtPower *p, int k, const Insets *s, MtClipper *c, MtClipState *state) {
  Faces f;
  faces_of(&c->poly, &f);
  for (int i = 0; i < f.nplanes && *state == MT_CLIP_OK; i++) {
    double n[3], inset = f.plane[i] < 0 ? 0 : inset_of(s, k, f.plane[i]);
    if (!(inset > 0)) continue;
    normal_between(p, k, f.plane[i], n);
    /* ids of set-back planes are told from the old ones by an offset until the old ones are gone */
    PetscCall(mt_clipper_cut(c, n, dot(n, f.mean[i]) - inset, f.plane[i] + p->n, state));
  }
  for (int i = 0; i < 3 * c->poly.n; i++) {
    int32_t *id = &c->poly.v[i / 3].plane[i % 3];
    if (*id >= p->n) *id -= p->n;
  }
  return 0;
}

static PetscErrorCode measure_cell(const MtPower *p, int k, const Insets *s, MtClipper *c, MtClipState *state,
                                   double *volume) {
  Corners old = {0, NULL};
  PetscCall(mt_clipper_cell(c, k, state));
  if (*state == MT_CLIP_OK && c->poly.n / 2 + 2 > MAX_PLANES) *state = MT_CLIP_DEGENERATE; /* faces, by Euler */
  if (*state != MT_CLIP_OK) return 0;
  old.n = c->poly.n;
  PetscCall(PetscMalloc1((size_t)old.n, &old.plane));
  for (int i = 0; i < old.n; i++) memcpy(old.plane[i], c->poly.v[i].plane, sizeof old.plane[i]);
  PetscCall(cut_back(p, k, s, c, state));
  if (*state == MT_CLIP_OK) add_cell(p, k, &old, &c->poly, s, volume);
  if (*state == MT_CLIP_EMPTY) *state = MT_CLIP_OK; /* nothing is left of the grain */
  return PetscFree(old.plane);
}

PetscErrorCode mt_power_inset_volumes(const MtPower *p, double inset, const MtCells *cells, double *volume,
                                      bool *known) {
  MtClipper c;
  Insets s;
  MtClipState state = MT_CLIP_OK;
  for (int i = 0; i < MT_REGION_NKINDS; i++) volume[i] = 0;
  PetscCall(insets_make(inset, cells, &s));
  PetscCall(mt_clipper_create(p, p->weight, &c));
  for (int k = 0; k < p->n && state == MT_CLIP_OK; k++) PetscCall(measure_cell(p, k, &s, &c, &state, volume));
  PetscCall(mt_clipper_destroy(&c));
  PetscCall(PetscFree(s.boundary));
  *known = state == MT_CLIP_OK;
  return 0;
}
