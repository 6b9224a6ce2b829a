/* Nodes moved one at a time so that the worst dihedral angle around them becomes better: pattern search, within what
 * their planes and walls allow. */
#include "magtwin/memory.h"
#include "voxel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HALVINGS = 5, TRIES = 12, DIRECTIONS = 27 };
static const double low = 0.034074173710931744, high = 0.18084795571100825; /* 1 - cos 15, 1 + cos 145 degrees */
static const double first_step = .3;                                        /* of the mean edge at the node */
static const double gain = 1e-3;

double mt_voxel_score(const double y[4][3]) {
  double normal[4][3], length[4], least = INFINITY;
  const double v6 = mt_tet_normals(y, normal);
  for (int i = 0; i < 4; i++)
    length[i] = sqrt(normal[i][0] * normal[i][0] + normal[i][1] * normal[i][1] + normal[i][2] * normal[i][2]);
  if (!(v6 > 0)) return -1 + 1 / (1 - v6); /* falls with the volume, from 0 to -1 */
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < i; j++) {
      const double c = -(normal[i][0] * normal[j][0] + normal[i][1] * normal[j][1] + normal[i][2] * normal[j][2]) /
                       (length[i] * length[j]);
      least = fmin(least, fmin((1 - c) / low, (1 + c) / high));
    }
  return sqrt(fmax(least, 0));
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

/* Least score around v; ends where it falls to `floor` or below. */
static double least_at(const MtRelax *r, int64_t v, double floor) {
  double least = INFINITY;
  for (int64_t i = r->start[v]; i < r->start[v + 1] && least > floor; i++) least = fmin(least, score_of(r, r->list[i]));
  return least;
}

bool mt_relax_move(MtRelax *r, int64_t v, const double d[3], double floor) {
  double *x = r->x + 3 * v;
  const double old[3] = {x[0], x[1], x[2]}, before = fmin(floor, least_at(r, v, -2));
  for (double part = 1; part > .1; part /= 2) {
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

static void raise_node(MtRelax *r, int64_t v, double enough) {
  if (r->hold[v].fixed) return;
  const unsigned walls = mt_relax_walls(r, r->x + 3 * v);
  double best = least_at(r, v, -2), step = first_step * edge_at(r, v);
  for (int tries = 0, halved = 0; tries < TRIES && halved < HALVINGS && best < enough; tries++)
    if (!step_once(r, v, walls, step, &best)) step /= 2, halved++;
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
        raise_node(r, r->tet[4 * bad[i].tet + k], score * 1.1);
  }
  free(bad);
  return left;
}
