/* Nodes moved one at a time so that the worst dihedral angle around them becomes better: pattern search, within what
 * their planes and walls allow; in the end the four of a tet. */
#include "magtwin/memory.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HALVINGS = 5, TRIES = 12, DIRECTIONS = 27, LOOSE_ROUNDS = 4, PUSHED = 200 };
static const double low = 0.034074173710931744, high = 0.18084795571100825; /* 1 - cos 15, 1 + cos 145 degrees */
static const double first_step = .3;                                        /* of the mean edge at the node */
static const double gain = 1e-3;
static const double loose = .1; /* of a layer, more in each round */

static void cross(const double a[3], const double b[3], double c[3]) {
  c[0] = a[1] * b[2] - a[2] * b[1], c[1] = a[2] * b[0] - a[0] * b[2], c[2] = a[0] * b[1] - a[1] * b[0];
}

static double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* All the time of the improvement goes here: no calls but the square root. */
double mt_voxel_score(const double y[4][3]) {
  double e[3][3], n[4][3], inverse[4], most = -1, least = 1;
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 3; k++) e[i][k] = y[i + 1][k] - y[0][k];
  cross(e[1], e[2], n[1]), cross(e[2], e[0], n[2]), cross(e[0], e[1], n[3]);
  const double v6 = dot(e[0], n[1]);
  if (!(v6 > 0)) return -1 + 1 / (1 - v6); /* falls with the volume, from 0 to -1 */
  for (int k = 0; k < 3; k++) n[0][k] = -n[1][k] - n[2][k] - n[3][k];
  for (int i = 0; i < 4; i++) inverse[i] = 1 / sqrt(dot(n[i], n[i]));
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < i; j++) {
      const double c = -dot(n[i], n[j]) * inverse[i] * inverse[j];
      most = c > most ? c : most, least = c < least ? c : least;
    }
  const double small = (1 - most) / low, large = (1 + least) / high, s = small < large ? small : large;
  return s > 0 ? sqrt(s) : 0;
}

void mt_relax_lists(MtRelax *r) {
  free(r->start), free(r->list);
  r->start = mt_calloc((size_t)r->nv + 2, sizeof *r->start);
  r->list = mt_malloc(4 * (size_t)r->nt * sizeof *r->list);
  for (int64_t i = 0; i < 4 * r->nt; i++) r->start[r->tet[i] + 2]++;
  for (int64_t v = 0; v < r->nv; v++) r->start[v + 2] += r->start[v + 1];
  for (int64_t i = 0; i < 4 * r->nt; i++) r->list[r->start[r->tet[i] + 1]++] = i / 4;
}

void mt_relax_free(MtRelax *r) {
  free(r->start), free(r->list), free(r->hold);
  r->start = r->list = NULL, r->hold = NULL;
}

unsigned mt_relax_walls(const MtRelax *r, const double x[3]) {
  unsigned walls = 0;
  for (int k = 0; k < 3; k++)
    if (x[k] == r->box[k] || x[k] == r->box[3 + k]) walls |= 1u << k;
  return walls;
}

static double score_of(const MtRelax *r, int64_t t) {
  double y[4][3];
  for (int k = 0; k < 4; k++) memcpy(y[k], r->x + 3 * r->tet[4 * t + k], sizeof y[k]);
  return mt_voxel_score((const double(*)[3])y);
}

/* Least score around v; ends where it falls to `floor` or below, and asks the tet that did it first next time. */
static double least_at(const MtRelax *r, int64_t v, double floor) {
  int64_t *list = r->list + r->start[v], n = r->start[v + 1] - r->start[v];
  double least = INFINITY;
  for (int64_t i = 0; i < n; i++) {
    const double s = score_of(r, list[i]);
    if (s < least) least = s;
    if (s > floor) continue;
    const int64_t first = list[0];
    list[0] = list[i], list[i] = first;
    break;
  }
  return least;
}

bool mt_relax_move(MtRelax *r, int64_t v, const double d[3], double floor) {
  double *x = r->x + 3 * v;
  const double old[3] = {x[0], x[1], x[2]}, before = fmin(floor, least_at(r, v, -2));
  double part = 1;
  for (int halved = 0; halved < 4; halved++, part /= 2) {
    for (int k = 0; k < 3; k++) x[k] = d[k] != 0 ? old[k] + part * d[k] : old[k];
    if (least_at(r, v, before - 1e-9) >= before - 1e-12) return true;
  }
  memcpy(x, old, sizeof old);
  return false;
}

/* ---- the worst */

static double offset(const MtHold *h, int i, const double x[3]) {
  return h->n[i][0] * x[0] + h->n[i][1] * x[1] + h->n[i][2] * x[2] - h->c[i];
}

/* Back between the planes' limits, and into the walls; false where it was nearer to its planes before. */
static bool allowed(const MtHold *h, unsigned walls, const double old[3], double x[3]) {
  for (int pass = 0; pass < 3; pass++)
    for (int i = 0; i < h->nplanes; i++) {
      const double o = offset(h, i, x), most = fmax(h->slack, fabs(offset(h, i, old)));
      const double back = o > most ? o - most : o < -most ? o + most : 0;
      for (int k = 0; k < 3; k++) x[k] -= back * h->n[i][k];
    }
  for (int k = 0; k < 3; k++)
    if (walls & 1u << k) x[k] = old[k];
  for (int i = 0; i < h->nplanes; i++)
    if (fabs(offset(h, i, x)) > fmax(h->slack, fabs(offset(h, i, old))) * 1.001 + 1e-12) return false;
  return true;
}

static double edge_at(const MtRelax *r, int64_t v) {
  double sum = 0;
  int n = 0;
  for (int64_t i = r->start[v]; i < r->start[v + 1]; i++)
    for (int k = 0; k < 4; k++) {
      const double *y = r->x + 3 * r->tet[4 * r->list[i] + k], *x = r->x + 3 * v;
      const double d =
          sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) + (x[2] - y[2]) * (x[2] - y[2]));
      if (d > 0) sum += d, n++;
    }
  return n ? sum / n : 0;
}

/* Best of the 26 directions of a cube; 0: none is better. */
static bool step_once(MtRelax *r, int64_t v, unsigned walls, double step, double *best) {
  double *x = r->x + 3 * v;
  const double old[3] = {x[0], x[1], x[2]};
  double kept[3] = {x[0], x[1], x[2]};
  bool better = false;
  for (int m = 0; m < DIRECTIONS; m++) {
    const int e[3] = {m % 3 - 1, m / 3 % 3 - 1, m / 9 - 1};
    const double length = sqrt(e[0] * e[0] + e[1] * e[1] + e[2] * e[2]);
    for (int k = 0; k < 3 && length > 0; k++) x[k] = old[k] + step * e[k] / length;
    if (length == 0 || !allowed(r->hold + v, walls, old, x)) continue;
    const double now = least_at(r, v, *best + gain);
    if (now > *best + gain) *best = now, memcpy(kept, x, sizeof kept), better = true;
  }
  memcpy(x, kept, sizeof kept);
  return better;
}

/* When each node was moved and tried last: what was in vain is not tried again before something moved around it. */
typedef struct {
  int64_t now, *moved, *tried;
} History;

static bool in_vain(const MtRelax *r, int64_t v, const History *h) {
  if (h->tried[v] == 0) return false;
  for (int64_t i = r->start[v]; i < r->start[v + 1]; i++)
    for (int k = 0; k < 4; k++)
      if (h->moved[r->tet[4 * r->list[i] + k]] > h->tried[v]) return false;
  return true;
}

static void raise_node(MtRelax *r, int64_t v, double enough, History *h) {
  if (r->hold[v].fixed || in_vain(r, v, h)) return;
  const unsigned walls = mt_relax_walls(r, r->x + 3 * v);
  double best = least_at(r, v, -2), step = first_step * edge_at(r, v);
  const double before = best;
  for (int tries = 0, halved = 0; tries < TRIES && halved < HALVINGS && best < enough; tries++)
    if (!step_once(r, v, walls, step, &best)) step /= 2, halved++;
  h->tried[v] = ++h->now;
  if (best > before) h->moved[v] = ++h->now;
}

typedef struct {
  double score;
  int64_t tet;
} Bad;

static int compare_bad(const void *a, const void *b) {
  const Bad *p = a, *q = b;
  if (p->score != q->score) return p->score < q->score ? -1 : 1;
  return (p->tet > q->tet) - (p->tet < q->tet);
}

int64_t mt_relax_worst(MtRelax *r, double score, int rounds) {
  int64_t left = 0, before = INT64_MAX;
  Bad *bad = mt_malloc((size_t)r->nt * sizeof *bad);
  History h = {.moved = mt_calloc((size_t)r->nv, sizeof(int64_t)), .tried = mt_calloc((size_t)r->nv, sizeof(int64_t))};
  for (int round = 0; round <= rounds; round++) {
    left = 0;
    for (int64_t t = 0; t < r->nt; t++) {
      const double s = score_of(r, t);
      if (s < score) bad[left++] = (Bad){s, t};
    }
    if (round == rounds || left == 0 || (left == before && round > 3)) break;
    before = left;
    qsort(bad, (size_t)left, sizeof *bad, compare_bad);
    for (int64_t i = 0; i < left; i++)
      for (int k = 0; k < 4 && score_of(r, bad[i].tet) < score; k++)
        raise_node(r, r->tet[4 * bad[i].tet + k], score * 1.1, &h);
  }
  free(bad), free(h.moved), free(h.tried);
  return left;
}

/* ---- where no node by itself helps any more */

static double least_around(const MtRelax *r, const int64_t *node) {
  double least = INFINITY;
  for (int k = 0; k < 4; k++) least = fmin(least, least_at(r, node[k], -2));
  return least;
}

/* The other nodes of the tet follow one that was moved. */
static void follow(MtRelax *r, const int64_t *node, int moved, double step) {
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < 4; k++) {
      if (k == moved || r->hold[node[k]].fixed) continue;
      double best = least_at(r, node[k], -2);
      step_once(r, node[k], mt_relax_walls(r, r->x + 3 * node[k]), step, &best);
    }
}

/* Moves corner `corner` of a tet, whatever becomes worse, and the others after it; kept if all of it is better. */
static bool push(MtRelax *r, const int64_t *node, int corner, double step) {
  const int64_t v = node[corner];
  const unsigned walls = mt_relax_walls(r, r->x + 3 * v);
  const double before = least_around(r, node);
  double old[4][3];
  for (int k = 0; k < 4; k++) memcpy(old[k], r->x + 3 * node[k], sizeof old[k]);
  for (int m = 0; m < DIRECTIONS; m++) {
    double *x = r->x + 3 * v;
    const int e[3] = {m % 3 - 1, m / 3 % 3 - 1, m / 9 - 1};
    const double length = sqrt(e[0] * e[0] + e[1] * e[1] + e[2] * e[2]);
    for (int k = 0; k < 3 && length > 0; k++) x[k] = old[corner][k] + step * e[k] / length;
    if (length > 0 && allowed(r->hold + v, walls, old[corner], x)) {
      follow(r, node, corner, step);
      if (least_around(r, node) > before + gain) return true;
    }
    for (int k = 0; k < 4; k++) memcpy(r->x + 3 * node[k], old[k], sizeof old[k]);
  }
  return false;
}

/* Returns how many tets are left below `score`; a few at most are looked at. */
static int64_t push_worst(MtRelax *r, double score) {
  int64_t left = 0, looked_at = 0;
  for (int64_t t = 0; t < r->nt; t++) {
    const int64_t *node = r->tet + 4 * t;
    if (!(score_of(r, t) < score)) continue;
    left++;
    if (looked_at++ >= PUSHED) continue;
    for (int halved = 0; halved < 4 && score_of(r, t) < score; halved++)
      for (int k = 0; k < 4 && score_of(r, t) < score; k++)
        while (!r->hold[node[k]].fixed && score_of(r, t) < score &&
               push(r, node, k, first_step * edge_at(r, node[k]) / (1 << halved))) {}
    left -= !(score_of(r, t) < score);
  }
  return left;
}

int64_t mt_relax_loosen(MtRelax *r, double score, double thickness) {
  int64_t bad = 0;
  for (int round = 1; round <= LOOSE_ROUNDS; round++) {
    for (int64_t t = 0; t < r->nt; t++)
      for (int k = 0; k < 4 && score_of(r, t) < score; k++) {
        double *slack = &r->hold[r->tet[4 * t + k]].slack;
        *slack = fmax(*slack, round * loose * thickness);
      }
    bad = mt_relax_worst(r, score, 3);
    if (bad == 0) return 0;
  }
  return push_worst(r, score);
}
