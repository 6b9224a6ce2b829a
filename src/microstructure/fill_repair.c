/* Slivers between points of the surface, which smoothing cannot move, are removed by a new point: the sliver is the
 * first tet of a cavity; while a face of the cavity gives a bad tet with the point, the tet behind that face is taken
 * in too; then the point is moved to the best place.  The change is kept when its worst tet is better than the worst
 * one taken out (cavity insertion as in Delaunay refinement, Shewchuk, but ruled by the radius ratio). */
#include "gb_fill.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

enum { MAX_CAVITY = 60, MAX_FACES = 130, GROWTHS = 50 };
static const double repair_below = 0.15;

typedef struct {
  const MtShell *s;
  MtFill *f;
  int32_t *beside; /* [4nt] tet behind the face opposite to each corner; -1: surface */
} Mesh;

typedef struct {
  int ntet, nface;
  int32_t tet[MAX_CAVITY];
  int32_t face[MAX_FACES][3]; /* seen from inside positive with the point as first corner */
  int32_t behind[MAX_FACES];
} Cavity;

static const int side[4][3] = {{1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}};

static const double *point_of(const Mesh *m, int32_t i) {
  return i < m->s->nx ? m->s->x + 3 * i : m->f->x + 3 * (i - m->s->nx);
}

static double gamma_with(const Mesh *m, const double *p, const int32_t *face) {
  double y[4][3];
  for (int k = 0; k < 3; k++) {
    y[0][k] = p[k];
    for (int i = 0; i < 3; i++) y[i + 1][k] = point_of(m, face[i])[k];
  }
  return mt_tet_gamma((const double(*)[3])y);
}

static double gamma_of(const Mesh *m, int t) {
  return gamma_with(m, point_of(m, m->f->tet[4 * t]), m->f->tet + 4 * t + 1);
}

/* ---- neighbours */

typedef struct {
  int32_t key[3], at;
} Side;

static int compare_side(const void *a, const void *b) {
  const Side *p = a, *q = b;
  for (int k = 0; k < 3; k++)
    if (p->key[k] != q->key[k]) return p->key[k] < q->key[k] ? -1 : 1;
  return (p->at > q->at) - (p->at < q->at);
}

static void sort3(int32_t *k) {
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2 - i; j++)
      if (k[j] > k[j + 1]) {
        int32_t s = k[j];
        k[j] = k[j + 1], k[j + 1] = s;
      }
}

static void find_neighbours(Mesh *m) {
  int n = 4 * m->f->nt;
  Side *list = mt_malloc(((size_t)n + 1) * sizeof *list);
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < 3; k++) list[i].key[k] = m->f->tet[4 * (i / 4) + side[i % 4][k]];
    sort3(list[i].key);
    list[i].at = i;
    m->beside[i] = -1;
  }
  qsort(list, (size_t)n, sizeof *list, compare_side);
  for (int i = 0; i + 1 < n; i++)
    if (memcmp(list[i].key, list[i + 1].key, sizeof list[i].key) == 0) {
      m->beside[list[i].at] = list[i + 1].at / 4;
      m->beside[list[i + 1].at] = list[i].at / 4;
    }
  free(list);
}

/* ---- the cavity */

static bool cavity_take(const Mesh *m, Cavity *c, int32_t t) {
  if (c->ntet == MAX_CAVITY) return false;
  c->tet[c->ntet++] = t;
  for (int k = 0; k < 4; k++) {
    int32_t f[3], behind = m->beside[4 * t + k];
    bool inner = false;
    for (int i = 0; i < 3; i++) f[i] = m->f->tet[4 * t + side[k][i]];
    for (int i = 0; i < c->nface && !inner; i++) { /* the face we came through, from its other side */
      int32_t a[3] = {f[0], f[1], f[2]}, b[3] = {c->face[i][0], c->face[i][1], c->face[i][2]};
      sort3(a), sort3(b);
      inner = memcmp(a, b, sizeof a) == 0;
      if (!inner) continue;
      c->nface--;
      memcpy(c->face[i], c->face[c->nface], sizeof f);
      c->behind[i] = c->behind[c->nface];
    }
    if (inner) continue;
    if (c->nface == MAX_FACES) return false;
    memcpy(c->face[c->nface], f, sizeof f);
    c->behind[c->nface++] = behind;
  }
  return true;
}

static double star_gamma(const Mesh *m, const Cavity *c, const double *p, int *worst) {
  double least = 2;
  for (int i = 0; i < c->nface; i++) {
    double g = gamma_with(m, p, c->face[i]);
    if (g < least) least = g, *worst = i;
  }
  return least;
}

static double best_place(const Mesh *m, const Cavity *c, double *p, double step) {
  static const int direction[14][3] = {{1, 0, 0},  {-1, 0, 0},  {0, 1, 0},    {0, -1, 0}, {0, 0, 1},
                                       {0, 0, -1}, {1, 1, 1},   {-1, -1, -1}, {1, 1, -1}, {-1, -1, 1},
                                       {1, -1, 1}, {-1, 1, -1}, {-1, 1, 1},   {1, -1, -1}};
  int worst;
  double best = star_gamma(m, c, p, &worst);
  for (int k = 0; k < 20; k++) {
    bool better = false;
    for (int d = 0; d < 14 && !better; d++) {
      double q[3] = {p[0] + step * direction[d][0], p[1] + step * direction[d][1], p[2] + step * direction[d][2]};
      double now = star_gamma(m, c, q, &worst);
      better = now > best + 1e-4;
      if (better) best = now, memcpy(p, q, sizeof q);
    }
    if (!better) step /= 2;
  }
  return best;
}

static double cavity_size(const Mesh *m, const Cavity *c) {
  const double *a = point_of(m, c->face[0][0]), *b = point_of(m, c->face[0][1]);
  return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/* Grows the cavity of tet t and keeps the best stage (of those whose star has a tet for each that goes) of it in *best
 * with its point; returns what its worst tet gains.
 */
static double cavity_search(const Mesh *m, int32_t t, Cavity *best, double place[3]) {
  Cavity c = {0};
  double p[3] = {0, 0, 0}, gain = 0, before = 2;
  for (int k = 0; k < 12; k++) p[k % 3] += point_of(m, m->f->tet[4 * t + k / 3])[k % 3] / 4;
  if (!cavity_take(m, &c, t)) return 0;
  for (int step = 0; step < GROWTHS; step++) {
    before = fmin(before, gamma_of(m, c.tet[c.ntet - 1]));
    double now = best_place(m, &c, p, 0.3 * cavity_size(m, &c));
    if (now - before > gain && now > 0 && c.nface >= c.ntet) gain = now - before, *best = c, memcpy(place, p, sizeof p);
    double least = 2; /* the worst face that has a tet behind it */
    int worst = -1;
    for (int i = 0; i < c.nface; i++) {
      double g = gamma_with(m, p, c.face[i]);
      if (c.behind[i] >= 0 && g < least) least = g, worst = i;
    }
    if (worst < 0 || least > 0.35 || !cavity_take(m, &c, c.behind[worst])) break;
  }
  return gain;
}

static int compare_down(const void *a, const void *b) {
  int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
  return (i < j) - (i > j);
}

/* A cavity that swallowed points or edges may have fewer faces than tets: the last tets of the list take the places of
 * those left over. */
static void remove_tets(MtFill *f, char *tried, int n, int32_t *list) {
  qsort(list, (size_t)n, sizeof *list, compare_down);
  for (int i = 0; i < n; i++) {
    int32_t last = --f->nt;
    memmove(f->tet + 4 * list[i], f->tet + 4 * last, 4 * sizeof(int32_t));
    tried[list[i]] = tried[last];
  }
}

/* Inner points that no tet holds any more go. */
static void drop_unused_points(const MtShell *s, MtFill *f) {
  int32_t *number = mt_calloc((size_t)f->nx + 1, sizeof *number);
  int n = 0;
  for (int i = 0; i < 4 * f->nt; i++)
    if (f->tet[i] >= s->nx) number[f->tet[i] - s->nx] = 1;
  for (int i = 0; i < f->nx; i++) {
    if (!number[i]) continue;
    memmove(f->x + 3 * n, f->x + 3 * i, 3 * sizeof(double));
    number[i] = n++;
  }
  f->nx = n;
  for (int i = 0; i < 4 * f->nt; i++)
    if (f->tet[i] >= s->nx) f->tet[i] = s->nx + number[f->tet[i] - s->nx];
  free(number);
}

static void cavity_replace(Mesh *m, const Cavity *c, const double place[3]) {
  MtFill *f = m->f;
  int32_t v = m->s->nx + f->nx;
  memcpy(f->x + 3 * f->nx++, place, 3 * sizeof(double));
  for (int i = 0; i < c->nface; i++) {
    int32_t t = i < c->ntet ? c->tet[i] : f->nt++;
    memcpy(f->tet + 4 * t, (int32_t[4]){v, c->face[i][0], c->face[i][1], c->face[i][2]}, 4 * sizeof(int32_t));
  }
}

static void grow_arrays(Mesh *m, int ntet, int nx) {
  m->f->tet = mt_realloc(m->f->tet, 4 * (size_t)(m->f->nt + ntet) * sizeof(int32_t));
  m->f->x = mt_realloc(m->f->x, 3 * (size_t)(m->f->nx + nx) * sizeof(double));
  m->beside = mt_realloc(m->beside, 4 * (size_t)(m->f->nt + ntet) * sizeof(int32_t));
}

static int worst_tet(const Mesh *m, const char *tried, double *gamma) {
  int worst = -1;
  *gamma = repair_below;
  for (int t = 0; t < m->f->nt; t++) {
    if (tried[t]) continue;
    double g = gamma_of(m, t);
    if (g < *gamma) *gamma = g, worst = t;
  }
  return worst;
}

void mt_fill_repair(const MtShell *s, MtFill *f) {
  Mesh m = {s, f, mt_malloc((4 * (size_t)f->nt + 1) * sizeof(int32_t))};
  char *tried = mt_calloc((size_t)f->nt + 1, 1);
  double gamma;
  find_neighbours(&m);
  for (int t; (t = worst_tet(&m, tried, &gamma)) >= 0;) {
    Cavity best = {0};
    double place[3];
    tried[t] = 1;
    if (cavity_search(&m, t, &best, place) <= 0.02) continue;
    int before = f->nt;
    grow_arrays(&m, MAX_FACES, 1);
    cavity_replace(&m, &best, place);
    tried = mt_realloc(tried, (size_t)f->nt + 1);
    for (int i = before; i < f->nt; i++) tried[i] = 0;
    if (best.ntet > best.nface) remove_tets(f, tried, best.ntet - best.nface, best.tet + best.nface);
    find_neighbours(&m);
  }
  drop_unused_points(s, f);
  free(tried), free(m.beside);
}
