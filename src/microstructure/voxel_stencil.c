/* A tet of the lattice cut into tets of one grain each.  Nodes: 0..3 corners in ascending order of their numbers, 4..9
 * cuts of edges, 10..13 of the faces opposite to corners 0..3, 14 inside.  On a face two corners of one grain are
 * joined by the diagonal from the first of them to the cut of the second's edge; a face of three grains is cut like a
 * star.  So the two tets of a face agree.  Every cut has exactly as many grains around it as its edge, face or tet. */
#include "voxel.h"
#include <math.h>
#include <string.h>

const int mt_voxel_edge[6][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}};

typedef struct {
  int n, (*tet)[4];
  int32_t *grain;
  double ideal[15][3]; /* cuts in the middle: tell which way round a tet is */
} Out;

static int edge(int a, int b) {
  static const int number[4][4] = {{-1, 4, 5, 6}, {4, -1, 7, 8}, {5, 7, -1, 9}, {6, 8, 9, -1}};
  return number[a][b];
}

static int face(int a, int b, int c) {
  return 10 + 6 - a - b - c;
}

static void emit(Out *o, int32_t grain, int a, int b, int c, int d) {
  const int t[4] = {a, b, c, d};
  double y[4][3];
  for (int k = 0; k < 4; k++) memcpy(y[k], o->ideal[t[k]], sizeof y[k]);
  const bool turned = mt_tet_volume((const double(*)[3])y) < 0;
  for (int k = 0; k < 4; k++) o->tet[o->n][k] = t[turned && k < 2 ? 1 - k : k];
  o->grain[o->n++] = grain;
}

/* Columns (a[i], b[i]); diagonals from a[i] to b[j], i < j. */
static void prism(Out *o, int32_t grain, const int a[3], const int b[3]) {
  emit(o, grain, a[0], a[1], a[2], b[2]);
  emit(o, grain, a[0], a[1], b[1], b[2]);
  emit(o, grain, a[0], b[0], b[1], b[2]);
}

static void one_three(Out *o, const int32_t *label, int v, const int u[3]) {
  const int cut[3] = {edge(v, u[0]), edge(v, u[1]), edge(v, u[2])};
  emit(o, label[v], v, cut[0], cut[1], cut[2]);
  prism(o, label[u[0]], u, cut);
}

static double apart(const double x[15][3], int a, int b) {
  double d = 0;
  for (int k = 0; k < 3; k++) d += (x[a][k] - x[b][k]) * (x[a][k] - x[b][k]);
  return d;
}

/* Half of two and two: v and what the others w cut off; `other`: the other diagonal between the cuts. */
static void wedge(Out *o, int32_t grain, const int v[2], const int w[2], bool other) {
  const int w0 = w[other], w1 = w[!other], a[3] = {v[0], edge(v[0], w0), edge(v[0], w1)},
            b[3] = {v[1], edge(v[1], w0), edge(v[1], w1)};
  prism(o, grain, a, b);
}

static void two_two(Out *o, const int32_t *label, const double x[15][3], const int v[2], const int w[2]) {
  const bool other = apart(x, edge(v[0], w[1]), edge(v[1], w[0])) < apart(x, edge(v[0], w[0]), edge(v[1], w[1]));
  wedge(o, label[v[0]], v, w, other);
  wedge(o, label[w[0]], w, v, other);
}

/* v of one grain, w and u of two others: the side of w. */
static void two_one_one(Out *o, const int32_t *label, const double x[15][3], const int v[2], int w, int u) {
  const int c0 = edge(v[0], w), c1 = edge(v[1], w), t0 = face(v[0], w, u), t1 = face(v[1], w, u);
  const bool other = apart(x, t0, c1) < apart(x, c0, t1);
  const int a[3] = {v[0], other ? t0 : c0, other ? c0 : t0}, b[3] = {v[1], other ? t1 : c1, other ? c1 : t1};
  prism(o, label[v[0]], a, b);
  emit(o, label[w], w, edge(w, u), t0, t1);
  emit(o, label[w], w, c0, t0, other ? c1 : t1);
  emit(o, label[w], w, other ? t0 : c0, t1, c1);
}

static void all_different(Out *o, const int32_t *label) {
  for (int v = 0; v < 4; v++)
    for (int w = 0; w < 4; w++)
      for (int u = 0; u < 4; u++)
        if (v != w && v != u && w != u) emit(o, label[v], v, edge(v, w), face(v, w, u), 14);
}

static void ideal_places(const double x[15][3], double ideal[15][3]) {
  for (int k = 0; k < 3; k++) {
    const double sum = x[0][k] + x[1][k] + x[2][k] + x[3][k];
    for (int i = 0; i < 4; i++) ideal[i][k] = x[i][k], ideal[10 + i][k] = (sum - x[i][k]) / 3;
    for (int e = 0; e < 6; e++) ideal[4 + e][k] = (x[mt_voxel_edge[e][0]][k] + x[mt_voxel_edge[e][1]][k]) / 2;
    ideal[14][k] = sum / 4;
  }
}

/* Corners of the grain of corner i, and the others, ascending. */
static int partition(const int32_t label[4], int i, int same[4], int rest[4]) {
  int n = 0, m = 0;
  for (int k = 0; k < 4; k++)
    if (label[k] == label[i])
      same[n++] = k;
    else
      rest[m++] = k;
  return n;
}

int mt_voxel_stencil(const int32_t label[4], const double x[15][3], int tet[24][4], int32_t grain[24]) {
  Out o = {.tet = tet, .grain = grain};
  int same[4], rest[4], most = 0, which = 0;
  ideal_places(x, o.ideal);
  for (int i = 0; i < 4; i++) {
    const int n = partition(label, i, same, rest);
    if (n > most) most = n, which = i;
  }
  partition(label, which, same, rest);
  if (most == 4)
    emit(&o, label[0], 0, 1, 2, 3);
  else if (most == 3)
    one_three(&o, label, rest[0], same);
  else if (most == 1)
    all_different(&o, label);
  else if (label[rest[0]] == label[rest[1]])
    two_two(&o, label, x, same, rest);
  else
    for (int i = 0; i < 2; i++) two_one_one(&o, label, x, same, rest[i], rest[1 - i]);
  return o.n;
}
