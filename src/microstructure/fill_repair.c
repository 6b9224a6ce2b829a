/* Slivers between points of the surface, which smoothing cannot move, and needles over short edges of the surface are
 * removed by a new point: the bad tet is the first of a cavity; while a face of the cavity gives a bad tet with the
 * point, the tet behind that face is taken in too; then the point is moved to the best place.  The change is kept when
 * its worst tet is better than the worst one taken out (cavity insertion as in Delaunay refinement, Shewchuk, but ruled
 * by radius ratio and dihedral angles).  The worst tets come first, those that the changes leave bad after them. */
#include "gb_fill.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>

enum { MAX_CAVITY = 60, MAX_FACES = 130, GROWTHS = 50 };
static const double repair_below = 0.15; /* of the shape: radius ratio, or that of the angles if it is less */
static const double angle_sine = 0.165;  /* of 9.5 deg, whose shape is repair_below */
static const double good_gamma = 0.36;   /* all angles have larger sines above it */

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

/* Radius ratio; where it is small, no more than the least sine of a dihedral angle allows. */
static double shape_of(const double y[4][3]) {
  double gamma = mt_tet_gamma(y), low, high;
  if (!(gamma > 0) || gamma > good_gamma) return gamma;
  mt_tet_dihedral(y, &low, &high);
  return fmin(gamma, repair_below / angle_sine * fmin(sin(low * PETSC_PI / 180), sin(high * PETSC_PI / 180)));
}

static double shape_with(const Mesh *m, const double *p, const int32_t *face) {
  double y[4][3];
  for (int k = 0; k < 3; k++) {
    y[0][k] = p[k];
    for (int i = 0; i < 3; i++) y[i + 1][k] = point_of(m, face[i])[k];
  }
  return shape_of((const double(*)[3])y);
}

static double tet_shape(const Mesh *m, int t) {
  return shape_with(m, point_of(m, m->f->tet[4 * t]), m->f->tet + 4 * t + 1);
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

static double star_shape(const Mesh *m, const Cavity *c, const double *p, int *worst) {
  double least = 2;
  for (int i = 0; i < c->nface; i++) {
    double g = shape_with(m, p, c->face[i]);
    if (g < least) least = g, *worst = i;
  }
  return least;
}

static double best_place(const Mesh *m, const Cavity *c, double *p, double step) {
  static const int direction[14][3] = {{1, 0, 0},  {-1, 0, 0},  {0, 1, 0},    {0, -1, 0}, {0, 0, 1},
                                       {0, 0, -1}, {1, 1, 1},   {-1, -1, -1}, {1, 1, -1}, {-1, -1, 1},
                                       {1, -1, 1}, {-1, 1, -1}, {-1, 1, 1},   {1, -1, -1}};
  int worst;
  double best = star_shape(m, c, p, &worst);
  for (int k = 0; k < 20; k++) {
    bool better = false;
    for (int d = 0; d < 14 && !better; d++) {
      double q[3] = {p[0] + step * direction[d][0], p[1] + step * direction[d][1], p[2] + step * direction[d][2]};
      double now = star_shape(m, c, q, &worst);
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
    before = fmin(before, tet_shape(m, c.tet[c.ntet - 1]));
    double now = best_place(m, &c, p, 0.3 * cavity_size(m, &c));
    if (now - before > gain && now > 0 && c.nface >= c.ntet) gain = now - before, *best = c, memcpy(place, p, sizeof p);
    double least = 2; /* the worst face that has a tet behind it */
    int worst = -1;
    for (int i = 0; i < c.nface; i++) {
      double g = shape_with(m, p, c.face[i]);
      if (c.behind[i] >= 0 && g < least) least = g, worst = i;
    }
    if (worst < 0 || least > 0.35 || !cavity_take(m, &c, c.behind[worst])) break;
  }
  return gain;
}

/* ---- the change */

static int slot_of(const Mesh *m, int32_t t, const int32_t *face) {
  for (int k = 0; k < 4; k++) {
    const int32_t v = m->f->tet[4 * t + k];
    if (v != face[0] && v != face[1] && v != face[2]) return k;
  }
  return 0;
}

/* Tets of the star of point v beside one another and beside what is behind their faces. */
static void join(Mesh *m, const Cavity *c, const int32_t *star) {
  for (int i = 0; i < c->nface; i++) {
    const int32_t *a = c->face[i];
    m->beside[4 * star[i]] = c->behind[i];
    if (c->behind[i] >= 0) m->beside[4 * c->behind[i] + slot_of(m, c->behind[i], a)] = star[i];
    for (int k = 0; k < 3; k++)
      for (int j = 0; j < c->nface; j++) {
        const int32_t *b = c->face[j], from = a[(k + 1) % 3], to = a[(k + 2) % 3];
        const bool joined =
            (b[0] == to && b[1] == from) || (b[1] == to && b[2] == from) || (b[2] == to && b[0] == from);
        if (joined) m->beside[4 * star[i] + 1 + k] = star[j];
      }
  }
}

/* The star's tets take the places of those of the cavity, the rest of either is appended or dead (first corner -1). */
static void cavity_replace(Mesh *m, const Cavity *c, const double place[3], int32_t star[MAX_FACES]) {
  MtFill *f = m->f;
  const int32_t v = m->s->nx + f->nx;
  memcpy(f->x + 3 * f->nx++, place, 3 * sizeof(double));
  for (int i = 0; i < c->nface; i++) {
    star[i] = i < c->ntet ? c->tet[i] : f->nt++;
    memcpy(f->tet + 4 * star[i], (int32_t[4]){v, c->face[i][0], c->face[i][1], c->face[i][2]}, 4 * sizeof(int32_t));
  }
  for (int i = c->nface; i < c->ntet; i++) f->tet[4 * c->tet[i]] = -1;
  join(m, c, star);
}

/* Dead tets go, and inner points that no tet holds any more. */
static void drop_unused(const MtShell *s, MtFill *f) {
  int32_t *number = mt_calloc((size_t)f->nx + 1, sizeof *number);
  int n = 0, nt = 0;
  for (int t = 0; t < f->nt; t++)
    if (f->tet[4 * t] >= 0) memmove(f->tet + 4 * nt++, f->tet + 4 * t, 4 * sizeof(int32_t));
  f->nt = nt;
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

/* ---- the tets to be looked at */

typedef struct {
  double shape;
  int32_t tet;
} Bad;

typedef struct {
  int n, room;
  Bad *bad;
} Queue;

static int compare_bad(const void *a, const void *b) {
  const Bad *p = a, *q = b;
  if (p->shape != q->shape) return p->shape < q->shape ? -1 : 1;
  return p->tet - q->tet;
}

static void queue_add(const Mesh *m, int32_t t, Queue *q) {
  const double shape = tet_shape(m, t);
  if (!(shape < repair_below)) return;
  if (q->n == q->room) q->bad = mt_realloc(q->bad, (size_t)(q->room = 2 * q->room + 64) * sizeof *q->bad);
  q->bad[q->n++] = (Bad){shape, t};
}

static void grow_arrays(Mesh *m, int ntet, int nx, int *room_t, int *room_x) {
  if (m->f->nt + ntet > *room_t) {
    *room_t = m->f->nt + m->f->nt / 4 + ntet;
    m->f->tet = mt_realloc(m->f->tet, 4 * (size_t)*room_t * sizeof(int32_t));
    m->beside = mt_realloc(m->beside, 4 * (size_t)*room_t * sizeof(int32_t));
  }
  if (m->f->nx + nx <= *room_x) return;
  *room_x = m->f->nx + m->f->nx / 4 + nx;
  m->f->x = mt_realloc(m->f->x, 3 * (size_t)*room_x * sizeof(double));
}

/* A tet that has become another one since it was put into the queue stands there again if it is bad. */
static void repair_one(Mesh *m, const Bad *b, Queue *q, int *room_t, int *room_x) {
  Cavity best = {0};
  double place[3];
  int32_t star[MAX_FACES];
  if (m->f->tet[4 * b->tet] < 0 || tet_shape(m, b->tet) != b->shape) return;
  if (cavity_search(m, b->tet, &best, place) <= 0.02) return;
  grow_arrays(m, MAX_FACES, 1, room_t, room_x);
  cavity_replace(m, &best, place, star);
  for (int i = 0; i < best.nface; i++) queue_add(m, star[i], q);
}

void mt_fill_repair(const MtShell *s, MtFill *f) {
  Mesh m = {s, f, mt_malloc((4 * (size_t)f->nt + 1) * sizeof(int32_t))};
  Queue q = {0, 0, NULL};
  int room_t = f->nt, room_x = f->nx, most;
  find_neighbours(&m);
  for (int32_t t = 0; t < f->nt; t++) queue_add(&m, t, &q);
  if (q.n) qsort(q.bad, (size_t)q.n, sizeof *q.bad, compare_bad); /* else there is no array */
  most = 20 * q.n;
  for (int i = 0; i < q.n && i < most; i++) {
    const Bad b = q.bad[i];
    repair_one(&m, &b, &q, &room_t, &room_x);
  }
  drop_unused(s, f);
  free(q.bad), free(m.beside);
}
