/* Shapes of the tetrahedra, by kind of region, and the places where they are worst. */
#include "mesh_report.h"
#include <math.h>
#include <string.h>

static void corners(const MtMeshData *m, int64_t t, double x[4][3]) {
  for (int i = 0; i < 4; i++) memcpy(x[i], &m->x[3 * m->tet[4 * t + i]], 3 * sizeof(double));
}

static int bin(double value, double width, int nbins) {
  return (int)fmin(fmax(value / width, 0), nbins - 1);
}

static void add_tet(MtKindQuality *k, double volume, double gamma, double low, double high) {
  k->ntets++;
  k->volume += volume;
  k->inverted += !(volume > 0);
  k->below_05 += !(gamma >= 0.05);
  k->below_15 += !(gamma >= 0.15);
  k->gamma_sum += gamma;
  k->gamma_min = fmin(k->gamma_min, gamma);
  k->dihedral_min = fmin(k->dihedral_min, low);
  k->dihedral_max = fmax(k->dihedral_max, high);
  k->gamma[bin(gamma, 1. / MT_GAMMA_BINS, MT_GAMMA_BINS)]++;
  k->dihedral[bin(low, 180. / MT_DIHEDRAL_BINS, MT_DIHEDRAL_BINS)]++;
  k->dihedral[bin(high, 180. / MT_DIHEDRAL_BINS, MT_DIHEDRAL_BINS)]++;
}

static void keep_if_worst(MtQuality *q, int64_t t, double gamma) {
  int i = MT_WORST;
  for (; i > 0 && (q->worst[i - 1] < 0 || gamma < q->worst_gamma[i - 1]); i--)
    if (i < MT_WORST) {
      q->worst[i] = q->worst[i - 1];
      q->worst_gamma[i] = q->worst_gamma[i - 1];
    }
  if (i == MT_WORST) return;
  q->worst[i] = t;
  q->worst_gamma[i] = gamma;
}

static void measure_edges(MtQuality *q, const double x[4][3]) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < i; j++) {
      double l2 = 0;
      for (int d = 0; d < 3; d++) l2 += (x[i][d] - x[j][d]) * (x[i][d] - x[j][d]);
      double l = sqrt(l2);
      q->longest = fmax(q->longest, l);
      if (l >= q->shortest) continue;
      q->shortest = l;
      for (int d = 0; d < 3; d++) q->shortest_at[d] = (x[i][d] + x[j][d]) / 2;
    }
}

void mt_mesh_quality(const MtMeshData *m, MtQuality *q) {
  memset(q, 0, sizeof *q);
  q->shortest = INFINITY;
  for (int i = 0; i < MT_WORST; i++) q->worst[i] = -1;
  for (int k = 0; k < MT_REGION_NKINDS; k++) {
    q->kind[k].gamma_min = 1;
    q->kind[k].dihedral_min = 180;
  }
  for (int64_t t = 0; t < m->nt; t++) {
    double x[4][3], low, high;
    corners(m, t, x);
    double gamma = mt_tet_gamma((const double(*)[3])x);
    mt_tet_dihedral((const double(*)[3])x, &low, &high);
    add_tet(&q->kind[m->regions.kind[m->region[t]]], mt_tet_volume((const double(*)[3])x), gamma, low, high);
    keep_if_worst(q, t, gamma);
    measure_edges(q, (const double(*)[3])x);
  }
}
