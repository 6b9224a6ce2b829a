/* Where the copies lie.  A grain's copy of a node moves by d with n.d = t/2 for every boundary plane of that grain
 * there (n into the grain, t of that boundary): least norm, small singular values cut off, in the tangent space of the
 * walls on which the grain has a face.  Set so at the vertices, d goes on linearly along the edges and harmonically
 * over the faces (mean-value weights, Floater, Comput. Aided Geom. Des. 20 (2003) 19: positive, exact for linear
 * functions, so that a face's triangles are carried along without folding); only the part tangential to the planes is
 * extended, the normal part stays t/2. */
#include "gb.h"
#include <math.h>

enum { MAX_PLANES = 64, SWEEPS = 2000 };
static const double cut_off = 0.15; /* singular values below this fraction of the largest are dropped */
static const double longest =
    4; /* longest displacement in thicknesses: grains are set back fully in wedges down to 15 degrees */
static const double junction_goal = 0.12; /* radius ratio below which a vertex's copies are rounded off */
static const double sor = 1.6, sweep_tolerance = 1e-9;

static double dot(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Eigenvectors (columns of v) and values of a symmetric 3 x 3 matrix, by Jacobi rotations. */
static void eigen3(double a[3][3], double v[3][3], double w[3]) {
  for (int i = 0; i < 9; i++) v[i / 3][i % 3] = i / 3 == i % 3;
  for (int sweep = 0; sweep < 30; sweep++) {
    for (int p = 0; p < 2; p++) {
      for (int q = p + 1; q < 3; q++) {
        if (fabs(a[p][q]) < 1e-300) continue;
        double th = (a[q][q] - a[p][p]) / (2 * a[p][q]), tn = (th < 0 ? -1 : 1) / (fabs(th) + sqrt(th * th + 1));
        double cs = 1 / sqrt(tn * tn + 1), sn = tn * cs;
        for (int k = 0; k < 3; k++) {
          double x = a[k][p], y = a[k][q];
          a[k][p] = cs * x - sn * y, a[k][q] = sn * x + cs * y;
        }
        for (int k = 0; k < 3; k++) {
          double x = a[p][k], y = a[q][k], e = v[k][p], f = v[k][q];
          a[p][k] = cs * x - sn * y, a[q][k] = sn * x + cs * y;
          v[k][p] = cs * e - sn * f, v[k][q] = sn * e + cs * f;
        }
      }
    }
  }
  for (int i = 0; i < 3; i++) w[i] = a[i][i];
}

typedef struct {
  int n;
  double normal[MAX_PLANES][3]; /* into the grain, in the tangent space of the grain's walls */
  double inset[MAX_PLANES];     /* nm, half of what is asked there, as thinned */
  double most;                  /* the largest of them */
  bool fixed[3];                /* coordinates held by walls */
} Planes;

static void planes_at(const MtCells *c, const MtSurface *s, const MtCopies *q, int32_t copy, Planes *p) {
  const int v = q->node[copy];
  memset(p, 0, sizeof *p);
  for (int i = s->node_start[v]; i < s->node_start[v + 1]; i++) {
    int slot = s->node_slot[i], f = s->slot_face[slot];
    const int b = c->face_cells[2 * f + 1], side = mt_copies_side(c, q, copy, f);
    if (side < 0 || side == 2) continue;
    if (b < 0) p->fixed[(-b - 1) / 2] = true;
    if (b < 0 || p->n == MAX_PLANES) continue;
    for (int k = 0; k < 3; k++) p->normal[p->n][k] = (side == 0 ? -1 : 1) * s->slot_normal[3 * slot + k];
    p->inset[p->n] = q->scale[v] * mt_copies_inset(q, copy, f);
    p->most = fmax(p->most, p->inset[p->n++]);
  }
  for (int i = 0; i < p->n; i++)
    for (int k = 0; k < 3; k++)
      if (p->fixed[k]) p->normal[i][k] = 0;
}

static void shorten(double d[3], double most) {
  double len = sqrt(dot(d, d));
  for (int k = 0; k < 3 && len > most; k++) d[k] *= most / len;
}

/* Least-norm least-squares d with normal.d = inset. */
static void displace(const Planes *p, double d[3]) {
  double m[3][3] = {{0}}, v[3][3], w[3], rhs[3] = {0}, top = 0;
  for (int i = 0; i < p->n; i++)
    for (int a = 0; a < 3; a++) {
      rhs[a] += p->normal[i][a] * p->inset[i];
      for (int b = 0; b < 3; b++) m[a][b] += p->normal[i][a] * p->normal[i][b];
    }
  eigen3(m, v, w);
  for (int i = 0; i < 3; i++) top = fmax(top, w[i]);
  d[0] = d[1] = d[2] = 0;
  for (int i = 0; i < 3; i++) {
    if (w[i] <= cut_off * cut_off * top || w[i] < 1e-12) continue;
    double along = (v[0][i] * rhs[0] + v[1][i] * rhs[1] + v[2][i] * rhs[2]) / w[i];
    for (int k = 0; k < 3; k++) d[k] += along * v[k][i];
  }
  for (int k = 0; k < 3; k++)
    if (p->fixed[k]) d[k] = 0;
  shorten(d, 2 * p->most * longest);
}

/* The direction into the grain, a little longer than the largest inset. */
static void inward(const Planes *p, double d[3]) {
  d[0] = d[1] = d[2] = 0;
  for (int i = 0; i < p->n; i++)
    for (int k = 0; k < 3; k++) d[k] += p->normal[i][k];
  double len = sqrt(dot(d, d));
  for (int k = 0; k < 3; k++) d[k] *= len > 1e-9 ? 1.3 * p->most / len : 0;
}

static void vertex_place(const MtCells *c, const MtSurface *s, int v, double round, MtCopies *q) {
  for (int i = q->first_copy[v]; i < q->first_copy[v + 1]; i++) {
    Planes p;
    double d[3] = {0, 0, 0}, in[3];
    if (mt_copies_grain(q, i) >= 0) {
      planes_at(c, s, q, i, &p);
      displace(&p, d);
      inward(&p, in);
      for (int k = 0; k < 3; k++) d[k] += round * (in[k] - d[k]);
    }
    for (int k = 0; k < 3; k++) q->x[3 * i + k] = s->x[3 * v + k] + d[k];
  }
}

/* Exact thickness first; where the junction's tets come out too flat, its corners are rounded off by and by. */
static void vertices_place(const MtCells *c, const MtSurface *s, const MtTopology *t, MtCopies *q) {
  int32_t tet[MT_GB_MAX_STAR][4];
  q->nblended = 0;
  for (int v = 0; v < c->nvertices; v++) {
    double best = -1, best_round = 0, gamma, x[3];
    bool center;
    for (int k = 0; k <= 5 && best < junction_goal; k++) {
      vertex_place(c, s, v, 0.2 * k, q);
      mt_junction_star(c, t, q, v, tet, &center, x, &gamma);
      if (gamma > best) best = gamma, best_round = 0.2 * k;
    }
    vertex_place(c, s, v, best_round, q);
    q->nblended += best_round > 0;
  }
}

static double star_gamma(const MtCells *c, const MtTopology *t, const MtCopies *q, int v) {
  int32_t tet[MT_GB_MAX_STAR][4];
  double x[3], gamma;
  bool center;
  mt_junction_star(c, t, q, v, tet, &center, x, &gamma);
  return gamma;
}

/* Where grains touch at a vertex, two of its triple lines can end on the same flat polygon: unless both cut it along
 * the same diagonals, flat tets would stand between.  Another corner of the line's ring is tried then. */
static void caps_match(const MtCells *c, const MtTopology *t, MtCopies *q) {
  for (int v = 0; v < c->nvertices; v++) {
    if (q->first_copy[v + 1] - q->first_copy[v] == q->start[v + 1] - q->start[v]) continue;
    for (int i = t->vertex_edge_start[v]; i < t->vertex_edge_start[v + 1]; i++) {
      const int e = t->vertex_edge[i], corners = t->ring_start[e + 1] - t->ring_start[e] + t->ring_corner[e];
      const int other = c->edge[2 * e] == v ? c->edge[2 * e + 1] : c->edge[2 * e], before = q->first[e];
      double best = fmin(star_gamma(c, t, q, v), star_gamma(c, t, q, other));
      int choice = before;
      for (int k = 0; k < corners && corners > 3 && best < junction_goal; k++) {
        q->first[e] = k;
        const double now = fmin(star_gamma(c, t, q, v), star_gamma(c, t, q, other));
        if (now > best) best = now, choice = k;
      }
      q->first[e] = choice;
    }
  }
}

static void edge_place(const MtCells *c, const MtSurface *s, int e, MtCopies *q) {
  const int32_t *node = s->edge_node + s->edge_start[e];
  int n = s->edge_start[e + 1] - s->edge_start[e] - 1;
  const double *a = s->x + 3 * node[0], *b = s->x + 3 * node[n];
  double u[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]}, len = sqrt(dot(u, u));
  for (int k = 0; k < 3; k++) u[k] /= len;
  for (int i = 1; i < n; i++) {
    for (int j = q->first_copy[node[i]]; j < q->first_copy[node[i] + 1]; j++) {
      Planes p;
      double d[3], end[2][3];
      const int32_t grain = mt_copies_grain(q, j);
      if (grain < 0) continue;
      planes_at(c, s, q, j, &p);
      displace(&p, d);
      for (int m = 0; m < 2; m++)
        for (int k = 0; k < 3; k++)
          end[m][k] = q->x[3 * mt_copies_find(q, node[m ? n : 0], grain) + k] - (m ? b : a)[k];
      double along = dot(end[0], u) + (dot(end[1], u) - dot(end[0], u)) * i / n - dot(d, u);
      for (int k = 0; k < 3; k++) q->x[3 * j + k] = s->x[3 * node[i] + k] + (p.fixed[k] ? 0 : d[k] + along * u[k]);
    }
  }
}

/* ---- faces */

typedef struct {
  int n, ninner;          /* slots of the face; the inner ones are the last */
  int *start, *neighbour; /* [n+1]: rows of the inner slots */
  double *weight, *d;     /* mean-value weights, their sum 1; displacement [3n] */
} Patch;

static int slot_of(const MtSurface *s, int f, int32_t node) {
  for (int i = s->node_start[node]; i < s->node_start[node + 1]; i++)
    if (s->slot_face[s->node_slot[i]] == f) return s->node_slot[i] - s->slot_start[f];
  return -1;
}

static void add_weights(const MtSurface *s, const int32_t *tri, const int *slot, int k, int *fill, Patch *p) {
  const double *o = s->x + 3 * tri[k];
  double e[2][3], len[2];
  for (int m = 0; m < 2; m++) {
    for (int a = 0; a < 3; a++) e[m][a] = s->x[3 * tri[(k + 1 + m) % 3] + a] - o[a];
    len[m] = sqrt(dot(e[m], e[m]));
  }
  double cosine = fmax(-1 + 1e-12, fmin(1, dot(e[0], e[1]) / (len[0] * len[1]))),
         half = sqrt((1 - cosine) / (1 + cosine));
  for (int m = 0; m < 2; m++) {
    p->neighbour[fill[slot[k]]] = slot[(k + 1 + m) % 3];
    p->weight[fill[slot[k]]++] = half / len[m];
  }
}

static PetscErrorCode patch_make(const MtSurface *s, int f, Patch *p) {
  int nt = s->face_start[f + 1] - s->face_start[f], *fill;
  const int32_t *tri = s->tri + 3 * s->face_start[f];
  p->n = s->slot_start[f + 1] - s->slot_start[f], p->ninner = 0;
  for (int i = s->slot_start[f]; i < s->slot_start[f + 1]; i++) p->ninner += s->dim[s->slot_node[i]] == 2;
  PetscCall(PetscCalloc1((size_t)p->n + 1, &p->start));
  PetscCall(PetscMalloc3(6 * (size_t)nt, &p->neighbour, 6 * (size_t)nt, &p->weight, 3 * (size_t)p->n, &p->d));
  PetscCall(PetscMalloc1((size_t)p->n + 1, &fill));
  for (int k = 0; k < 3 * nt; k++) p->start[slot_of(s, f, tri[k]) + 1] += 2;
  for (int i = 0; i < p->n; i++) p->start[i + 1] += p->start[i], fill[i] = p->start[i];
  for (int k = 0; k < nt; k++) {
    int slot[3];
    for (int i = 0; i < 3; i++) slot[i] = slot_of(s, f, tri[3 * k + i]);
    for (int i = 0; i < 3; i++) add_weights(s, tri + 3 * k, slot, i, fill, p);
  }
  for (int i = 0; i < p->n; i++) {
    double sum = 0;
    for (int j = p->start[i]; j < p->start[i + 1]; j++) sum += p->weight[j];
    for (int j = p->start[i]; j < p->start[i + 1]; j++) p->weight[j] /= sum;
  }
  return PetscFree(fill);
}

/* One relaxed sweep; returns the largest change.  Grains that touch (inset NULL) have no plane to keep. */
static double patch_sweep(const Patch *p, const double *normal, const double *inset, double *d) {
  double most = 0;
  for (int i = p->n - p->ninner; i < p->n; i++) {
    const double *n = normal + 3 * i;
    double m[3] = {0, 0, 0};
    for (int j = p->start[i]; j < p->start[i + 1]; j++)
      for (int k = 0; k < 3; k++) m[k] += p->weight[j] * d[3 * p->neighbour[j] + k];
    double off = inset ? inset[i] - dot(m, n) : 0;
    for (int k = 0; k < 3; k++) {
      double change = sor * (m[k] + off * n[k] - d[3 * i + k]);
      d[3 * i + k] += change;
      most = fmax(most, fabs(change));
    }
  }
  return most;
}

static void face_side_place(const MtCells *c, const MtSurface *s, int f, int side, Patch *p, double *inset,
                            MtCopies *q) {
  int32_t grain = c->face_cells[2 * f + side], wall = c->face_cells[2 * f + 1];
  const int32_t *node = s->slot_node + s->slot_start[f];
  const bool touch = wall >= 0 && !(q->asked[f] > 0);
  for (int i = 0; i < p->n; i++) {
    int32_t copy = mt_copies_find(q, node[i], grain);
    for (int k = 0; k < 3; k++) p->d[3 * i + k] = i < p->n - p->ninner ? q->x[3 * copy + k] - s->x[3 * node[i] + k] : 0;
    inset[i] = wall < 0 ? 0 : (side ? 1 : -1) * q->scale[node[i]] * mt_copies_inset(q, copy, f);
  }
  for (int it = 0; it < SWEEPS && p->ninner > 0; it++)
    if (patch_sweep(p, s->slot_normal + 3 * s->slot_start[f], touch ? NULL : inset, p->d) <
        sweep_tolerance * q->nominal)
      break;
  for (int i = p->n - p->ninner; i < p->n; i++) {
    int32_t copy = mt_copies_find(q, node[i], grain);
    if (wall < 0) p->d[3 * i + (-wall - 1) / 2] = 0;
    for (int k = 0; k < 3; k++) q->x[3 * copy + k] = s->x[3 * node[i] + k] + p->d[3 * i + k];
  }
}

static PetscErrorCode face_place(const MtCells *c, const MtSurface *s, int f, MtCopies *q) {
  Patch p;
  double *inset;
  PetscCall(patch_make(s, f, &p));
  PetscCall(PetscMalloc1((size_t)p.n, &inset));
  for (int side = 0; side < 2; side++)
    if (c->face_cells[2 * f + side] >= 0) face_side_place(c, s, f, side, &p, inset, q);
  PetscCall(PetscFree(inset));
  PetscCall(PetscFree(p.start));
  return PetscFree3(p.neighbour, p.weight, p.d);
}

static const double least_distance = 0.25; /* from a wall, of what it was before the inset */

/* The harmonic extension may leave the box where a face meets a wall at a small angle. */
static void keep_in_box(const MtCells *c, const MtSurface *s, MtCopies *q) {
  for (int64_t i = 0; i < 3 * (int64_t)q->n; i++) {
    const double x0 = s->x[3 * q->node[i / 3] + i % 3], low = c->box[i % 3], high = c->box[3 + i % 3];
    q->x[i] = fmax(q->x[i], low + least_distance * (x0 - low));
    q->x[i] = fmin(q->x[i], high - least_distance * (high - x0));
  }
}

PetscErrorCode mt_copies_place(const MtCells *c, const MtSurface *s, const MtTopology *t, MtCopies *q) {
  vertices_place(c, s, t, q);
  caps_match(c, t, q);
  for (int e = 0; e < c->nedges; e++) edge_place(c, s, e, q);
  for (int f = 0; f < c->nfaces; f++) PetscCall(face_place(c, s, f, q));
  keep_in_box(c, s, q);
  memcpy(q->full, q->x, 3 * (size_t)q->n * sizeof *q->x);
  return 0;
}
