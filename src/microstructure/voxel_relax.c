/* Cuts are moved onto the boundaries and evened out in them, the lattice follows; then every boundary p-q is shifted
 * along its normal by d_p - d_q, with the d that give each grain its volume to first order (a graph Laplacian weighted
 * with the areas, as for the weights of power diagrams), until all volumes are met. */
#include "magtwin/memory.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 6, VOLUME_ROUNDS = 8, LAST_ROUNDS = 12, CG_STEPS = 500 };
static const double floor_score = .7; /* below which a move may not bring a tet: 10.5 to 155 degrees */
static const double last_floor = .65; /* for the last corrections of volumes: 9.8 to 157 degrees */
static const double slack = .06;      /* of the spacing: how far from its planes a node may stay */
static const double most_shift = .15; /* of the spacing, at once */
static const double evening = .5;     /* part of the way to the mean of the neighbours */

/* ---- areas between grains */

typedef struct {
  int32_t p, q; /* p < q */
  double area;
} Contact;

static bool has(const MtVoxelNode *v, int32_t grain) {
  for (int i = 0; i < v->ngrains; i++)
    if (v->grain[i] == grain) return true;
  return false;
}

int32_t mt_voxel_behind(const MtVoxelMesh *m, int64_t t, int *corner) {
  const int64_t *v = m->tet + 4 * t;
  int inner = 0;
  for (int k = 0; k < 4; k++)
    if (m->node[v[k]].ngrains == 1) inner++, *corner = k;
  if (inner != 1) return -1;
  const MtVoxelNode *a = m->node + v[(*corner + 1) & 3], *b = m->node + v[(*corner + 2) & 3],
                    *c = m->node + v[(*corner + 3) & 3];
  for (int i = 0; i < a->ngrains; i++)
    if (a->grain[i] != m->grain[t] && has(b, a->grain[i]) && has(c, a->grain[i])) return a->grain[i];
  return -1;
}

static int compare_contact(const void *a, const void *b) {
  const Contact *s = a, *t = b;
  if (s->p != t->p) return s->p < t->p ? -1 : 1;
  return (s->q > t->q) - (s->q < t->q);
}

static int64_t contacts(const MtVoxelMesh *m, const double *x, Contact **list) {
  int64_t n = 0, kept = 0;
  *list = mt_malloc((size_t)m->nt * sizeof **list);
  for (int64_t t = 0; t < m->nt; t++) {
    double y[4][3], normal[4][3];
    int k = 0;
    const int32_t q = mt_voxel_behind(m, t, &k);
    if (q <= m->grain[t]) continue;
    for (int i = 0; i < 4; i++) memcpy(y[i], x + 3 * m->tet[4 * t + i], sizeof y[i]);
    mt_tet_normals((const double(*)[3])y, normal);
    const double *s = normal[k];
    (*list)[n++] = (Contact){m->grain[t], q, sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2]) / 2};
  }
  qsort(*list, (size_t)n, sizeof **list, compare_contact);
  for (int64_t i = 0; i < n; i++)
    if (kept && !compare_contact(*list + i, *list + kept - 1))
      (*list)[kept - 1].area += (*list)[i].area;
    else
      (*list)[kept++] = (*list)[i];
  return kept;
}

/* ---- shifts that correct the volumes */

static void laplacian(int64_t n, const Contact *c, int ngrains, const double *d, double *r) {
  memset(r, 0, (size_t)ngrains * sizeof *r);
  for (int64_t i = 0; i < n; i++) {
    const double flow = c[i].area * (d[c[i].p] - d[c[i].q]);
    r[c[i].p] += flow, r[c[i].q] -= flow;
  }
}

static double product(int n, const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* Conjugate gradients; r [ngrains]: the volumes missing, their sum 0. */
static void solve_shifts(int64_t nc, const Contact *c, int n, double *r, double *d) {
  double *p = mt_malloc(2 * (size_t)n * sizeof *p), *q = p + n, rr = product(n, r, r);
  const double enough = 1e-12 * rr;
  memset(d, 0, (size_t)n * sizeof *d);
  memcpy(p, r, (size_t)n * sizeof *p);
  for (int step = 0; step < CG_STEPS && rr > enough; step++) {
    laplacian(nc, c, n, p, q);
    const double pq = product(n, p, q), alpha = pq > 0 ? rr / pq : 0, old = rr;
    for (int i = 0; i < n; i++) d[i] += alpha * p[i], r[i] -= alpha * q[i];
    rr = product(n, r, r);
    for (int i = 0; i < n; i++) p[i] = r[i] + rr / old * p[i];
    if (alpha == 0) break;
  }
  free(p);
}

void mt_voxel_volumes(const MtVoxelMesh *m, int ngrains, double *volume) {
  memset(volume, 0, (size_t)ngrains * sizeof *volume);
  for (int64_t t = 0; t < m->nt; t++) {
    double y[4][3];
    for (int k = 0; k < 4; k++) memcpy(y[k], m->node[m->tet[4 * t + k]].x, sizeof y[k]);
    volume[m->grain[t]] += mt_tet_volume((const double(*)[3])y);
  }
}

static void volumes_of(const MtVoxelMesh *m, const double *x, int ngrains, double *volume) {
  memset(volume, 0, (size_t)ngrains * sizeof *volume);
  for (int64_t t = 0; t < m->nt; t++) {
    double y[4][3];
    for (int k = 0; k < 4; k++) memcpy(y[k], x + 3 * m->tet[4 * t + k], sizeof y[k]);
    volume[m->grain[t]] += mt_tet_volume((const double(*)[3])y);
  }
}

/* Largest relative error of a grain's volume; shifts all planes to mend it. */
static double shift_planes(const MtVoxelMesh *m, MtRelax *r, int n, const double *volume) {
  double *got = mt_malloc(2 * (size_t)n * sizeof *got), *d = got + n, worst = 0, sum = 0;
  Contact *c;
  volumes_of(m, r->x, n, got);
  for (int g = 0; g < n; g++) {
    if (volume[g] > 0) worst = fmax(worst, fabs(got[g] / volume[g] - 1));
    got[g] = volume[g] - got[g], sum += got[g] / n;
  }
  for (int g = 0; g < n; g++) got[g] -= sum;
  const int64_t nc = contacts(m, r->x, &c);
  solve_shifts(nc, c, n, got, d);
  for (int64_t v = 0; v < m->nv; v++) {
    const MtVoxelNode *o = m->node + v;
    for (int i = 0; i < o->nplanes; i++) {
      const double s = d[o->grain[0]] - d[o->grain[i + 1]], most = most_shift * m->a;
      r->hold[v].c[i] += fmax(-most, fmin(most, s));
    }
  }
  free(c), free(got);
  return worst;
}

/* ---- one sweep */

/* Turns d, a wish, into the way nearest to it that ends on the planes; walls keep their coordinates. */
static void onto_planes(const MtHold *h, const double x[3], unsigned walls, double d[3]) {
  double gap[3];
  for (int k = 0; k < 3; k++)
    if (walls & 1u << k) d[k] = 0;
  for (int i = 0; i < h->nplanes; i++) {
    gap[i] = h->c[i];
    for (int k = 0; k < 3; k++) gap[i] -= h->n[i][k] * (x[k] + d[k]);
  }
  mt_planes_reach(h->nplanes, (const double(*)[3])h->n, gap, walls, d);
}

static bool lies_in(const MtVoxelNode *neighbour, const MtVoxelNode *v) {
  for (int i = 0; i < v->ngrains; i++)
    if (!has(neighbour, v->grain[i])) return false;
  return true;
}

/* From v to the mean of its neighbours in the same grain, boundary or line, and in the same walls. */
static void to_mean(const MtVoxelMesh *m, const MtRelax *r, int64_t v, unsigned walls, double d[3]) {
  double sum[3] = {0, 0, 0};
  int n = 0;
  for (int64_t i = r->start[v]; i < r->start[v + 1]; i++)
    for (int k = 0; k < 4; k++) {
      const int64_t u = r->tet[4 * r->list[i] + k];
      const double *y = r->x + 3 * u;
      if (u == v || (m->node[v].ngrains > 1 && !lies_in(m->node + u, m->node + v))) continue;
      if ((mt_relax_walls(r, y) & walls) != walls) continue;
      for (int c = 0; c < 3; c++) sum[c] += y[c];
      n++;
    }
  for (int c = 0; c < 3; c++) d[c] = n ? sum[c] / n - r->x[3 * v + c] : 0;
}

static void sweep(const MtVoxelMesh *m, MtRelax *r, bool even, double least) {
  for (int64_t v = 0; v < r->nv; v++) {
    const double *x = r->x + 3 * v;
    const unsigned walls = mt_relax_walls(r, x);
    double d[3] = {0, 0, 0}, length = 0;
    if (even) to_mean(m, r, v, walls, d);
    for (int k = 0; k < 3; k++) d[k] *= evening;
    onto_planes(r->hold + v, x, walls, d);
    for (int k = 0; k < 3; k++) length += d[k] * d[k];
    if (length > 1e-20) mt_relax_move(r, v, d, least);
  }
}

static void holds_make(const MtVoxelMesh *m, MtRelax *r) {
  r->hold = mt_calloc((size_t)m->nv, sizeof *r->hold);
  r->x = mt_malloc(3 * (size_t)m->nv * sizeof *r->x);
  for (int64_t v = 0; v < m->nv; v++) {
    const MtVoxelNode *o = m->node + v;
    MtHold *h = r->hold + v;
    memcpy(r->x + 3 * v, o->x, sizeof o->x);
    h->nplanes = o->nplanes, h->slack = slack * m->a;
    memcpy(h->n, o->n, sizeof h->n), memcpy(h->c, o->c, sizeof h->c);
  }
}

void mt_voxel_relax(MtVoxelMesh *m, int ngrains, const double *volume, double within) {
  const double box[6] = {0, 0, 0, m->box[0], m->box[1], m->box[2]};
  MtRelax r = {.nv = m->nv, .nt = m->nt, .tet = m->tet, .box = box};
  holds_make(m, &r);
  mt_relax_lists(&r);
  for (int s = 0; s < SWEEPS; s++) {
    if (s > 1) shift_planes(m, &r, ngrains, volume);
    sweep(m, &r, true, floor_score);
  }
  for (int round = 0; round < VOLUME_ROUNDS; round++) {
    mt_relax_worst(&r, 1, 4);
    if (shift_planes(m, &r, ngrains, volume) <= within) break;
    for (int s = 0; s < 2; s++) sweep(m, &r, false, floor_score);
  }
  for (int round = 0; round < LAST_ROUNDS && shift_planes(m, &r, ngrains, volume) > within; round++)
    sweep(m, &r, false, last_floor);
  for (int64_t v = 0; v < m->nv; v++) {
    memcpy(m->node[v].x, r.x + 3 * v, sizeof m->node[v].x);
    memcpy(m->node[v].c, r.hold[v].c, sizeof m->node[v].c);
  }
  free(r.x);
  mt_relax_free(&r);
}
