/* How far the grain-boundary phase pushes the vertices of the grains, and what it leaves of their edges. */
#include "cells_edit.h"
#include "cells_internal.h"
#include <math.h>
#include <string.h>

static const double LEAST_ROOM = .5, MOST_ROOM = 1.5; /* of the inset, along the boundary planes at a vertex */

/* Eigenvalues and vectors (columns of v) of a symmetric 3x3 matrix by cyclic Jacobi rotations (Golub and Van Loan,
 * section 8.5). */
static void symmetric_eigen(double a[3][3], double v[3][3]) {
  memset(v, 0, 9 * sizeof(double));
  for (int i = 0; i < 3; i++) v[i][i] = 1;
  for (int sweep = 0; sweep < 12; sweep++)
    for (int p = 0; p < 2; p++)
      for (int q = p + 1; q < 3; q++) {
        if (fabs(a[p][q]) <= 1e-16 * (fabs(a[p][p]) + fabs(a[q][q]))) continue;
        double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
        for (int k = 0; k < 3; k++) {
          double x = a[k][p], y = a[k][q];
          a[k][p] = c * x - s * y;
          a[k][q] = s * x + c * y;
        }
        for (int k = 0; k < 3; k++) {
          double x = a[p][k], y = a[q][k], z = v[k][p], w = v[k][q];
          a[p][k] = c * x - s * y;
          a[q][k] = s * x + c * y;
          v[k][p] = c * z - s * w;
          v[k][q] = s * z + c * w;
        }
      }
}

/* Singular values below this fraction of the largest are planes that rounding or flatness made all but parallel. */
static const double flat = 0.15;

void mt_least_norm(double ata[3][3], const double atb[3], double d[3]) {
  double v[3][3], largest = 0;
  symmetric_eigen(ata, v);
  for (int i = 0; i < 3; i++) largest = fmax(largest, ata[i][i]);
  memset(d, 0, 3 * sizeof *d);
  for (int i = 0; i < 3; i++) {
    if (!(ata[i][i] > flat * flat * largest)) continue;
    double s = (v[0][i] * atb[0] + v[1][i] * atb[1] + v[2][i] * atb[2]) / ata[i][i];
    for (int k = 0; k < 3; k++) d[k] += s * v[k][i];
  }
}

/* Bits of the walls on which grain g has a face at v; a grain that only touches a wall there is free to leave it. */
static int walls_of_grain(const MtEdit *e, int v, int g) {
  int walls = 0;
  for (int i = 0; i < e->around[v].n; i++) {
    const int f = e->around[v].item[i], wall = -1 - e->face_cells[2 * f + 1];
    if (e->loop[f].n > 0 && wall >= 0 && e->face_cells[2 * f] == g) walls |= 1 << wall;
  }
  return walls;
}

void mt_edit_inset(const MtEdit *e, int v, int g, double inset, double d[3]) {
  double ata[3][3] = {{0}}, atb[3] = {0};
  const int walls = walls_of_grain(e, v, g);
  for (int i = 0; i < e->around[v].n; i++) {
    int f = e->around[v].item[i], side = e->face_cells[2 * f + 1] == g;
    double n[3], norm = 0;
    if (e->loop[f].n == 0 || e->face_cells[2 * f + 1] < 0 || e->face_cells[2 * f + side] != g) continue;
    mt_loop_area(e->x, e->loop[f].n, e->loop[f].item, n);
    for (int k = 0; k < 3; k++) norm += n[k] * n[k];
    norm = (side ? 1 : -1) * sqrt(norm); /* into g */
    if (norm == 0) continue;
    const double depth = e->thickness ? e->thickness[f] / 2 : inset;
    for (int k = 0; k < 3; k++) n[k] = walls >> (2 * k) & 3 ? 0 : n[k] / norm;
    for (int k = 0; k < 3; k++) {
      atb[k] += n[k] * depth;
      for (int m = 0; m < 3; m++) ata[k][m] += n[k] * n[m];
    }
  }
  mt_least_norm(ata, atb, d);
}

/* At a box corner, for one, no copy of the vertex can move: a boundary that ended there would have no thickness. */
bool mt_edit_has_room(const MtEdit *e, int v, const MtLimit *limit) {
  for (int i = 0; i < e->around[v].n; i++) {
    int f = e->around[v].item[i];
    double area[3], size = 0;
    if (e->loop[f].n == 0 || e->face_cells[2 * f + 1] < 0) continue;
    const double inset = e->thickness ? e->thickness[f] / 2 : limit->inset;
    if (!(inset > 0)) continue; /* grains that touch need none */
    mt_loop_area(e->x, e->loop[f].n, e->loop[f].item, area);
    for (int k = 0; k < 3; k++) size += area[k] * area[k];
    for (int side = 0; side < 2; side++) {
      double d[3], moved = 0;
      mt_edit_inset(e, v, e->face_cells[2 * f + side], limit->inset, d);
      for (int k = 0; k < 3; k++) moved += (side ? 1 : -1) * area[k] / sqrt(size) * d[k];
      if (moved < LEAST_ROOM * inset || moved > MOST_ROOM * inset) return false;
    }
  }
  return true;
}

double mt_edit_inset_length(const MtEdit *e, int u, int w, int g, double inset) {
  double du[3], dw[3], length2 = 0, dot = 0;
  mt_edit_inset(e, u, g, inset, du);
  mt_edit_inset(e, w, g, inset, dw);
  for (int k = 0; k < 3; k++) {
    double edge = e->x[3 * w + k] - e->x[3 * u + k];
    length2 += edge * edge;
    dot += edge * (edge + dw[k] - du[k]);
  }
  return length2 > 0 ? dot / sqrt(length2) : 0;
}

double mt_edit_lack(const MtEdit *e, int v, const MtLimit *limit) {
  double lack = 0;
  for (int i = 0; i < e->around[v].n; i++) {
    const MtIntList *loop = &e->loop[e->around[v].item[i]];
    int at = loop->n ? mt_list_find(loop, v) : -1;
    if (at < 0) continue;
    for (int side = 0; side < 2; side++) {
      int g = e->face_cells[2 * e->around[v].item[i] + side];
      if (g < 0) continue;
      lack += fmax(0, limit->min_edge - mt_edit_inset_length(e, v, mt_edit_beside(loop, at, side, 1), g, limit->inset));
    }
  }
  return lack;
}
