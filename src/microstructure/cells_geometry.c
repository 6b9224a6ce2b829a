/* Areas, volumes and centroids of a cell complex.  A face that is not plane is cut into triangles about the middle of
 * its loop, the same for both of its cells, so the volumes add up to the box whatever the vertices' positions. */
#include "cells_internal.h"
#include "magtwin/cells.h"
#include <math.h>
#include <string.h>

void mt_loop_area(const double *x, int n, const int32_t *loop, double area[3]) {
  const double *o = &x[3 * loop[0]];
  memset(area, 0, 3 * sizeof *area);
  for (int i = 1; i + 1 < n; i++) {
    const double *p = &x[3 * loop[i]], *q = &x[3 * loop[i + 1]];
    double a[3] = {p[0] - o[0], p[1] - o[1], p[2] - o[2]}, b[3] = {q[0] - o[0], q[1] - o[1], q[2] - o[2]};
    area[0] += (a[1] * b[2] - a[2] * b[1]) / 2;
    area[1] += (a[2] * b[0] - a[0] * b[2]) / 2;
    area[2] += (a[0] * b[1] - a[1] * b[0]) / 2;
  }
}

static void loop_mean(const double *x, int n, const int32_t *loop, double mean[3]) {
  memset(mean, 0, 3 * sizeof *mean);
  for (int i = 0; i < n; i++)
    for (int d = 0; d < 3; d++) mean[d] += x[3 * loop[i] + d] / n;
}

/* Mean of the points along the loop, whose lengths weigh them: the mean of the vertices alone would lean towards short
 * edges, and jump when one is merged.  The surface mesh has nodes all along the edges, too. */
static void loop_middle(const double *x, int n, const int32_t *loop, double middle[3]) {
  const double *o = &x[3 * loop[0]];
  double sum[3] = {0}, length = 0;
  for (int i = 0; i < n; i++) {
    const double *p = &x[3 * loop[i]], *q = &x[3 * loop[(i + 1) % n]];
    const double l = sqrt(pow(q[0] - p[0], 2) + pow(q[1] - p[1], 2) + pow(q[2] - p[2], 2));
    for (int d = 0; d < 3; d++) sum[d] += l * ((p[d] + q[d]) / 2 - o[d]);
    length += l;
  }
  for (int d = 0; d < 3; d++) middle[d] = o[d] + (length > 0 ? sum[d] / length : 0);
}

/* Adds the tetrahedra (apex, middle, p, q) over the edges pq of the loop to a cell's volume and first
 * moment about apex. */
static void add_cone(const double *x, int n, const int32_t *loop, const double apex[3], const double middle[3],
                     double sign, double *volume, double moment[3]) {
  for (int i = 0; i < n; i++) {
    const double *p = &x[3 * loop[i]], *q = &x[3 * loop[(i + 1) % n]];
    double a[3], b[3], m[3];
    for (int d = 0; d < 3; d++) {
      m[d] = middle[d] - apex[d];
      a[d] = p[d] - apex[d];
      b[d] = q[d] - apex[d];
    }
    double v =
        sign / 6 *
        (m[0] * (a[1] * b[2] - a[2] * b[1]) + m[1] * (a[2] * b[0] - a[0] * b[2]) + m[2] * (a[0] * b[1] - a[1] * b[0]));
    *volume += v;
    for (int d = 0; d < 3; d++) moment[d] += v * (m[d] + a[d] + b[d]) / 4;
  }
}

void mt_cells_measure(MtCells *c, bool plane) {
  double apex[3], middle[3];
  for (int d = 0; d < 3; d++) apex[d] = (c->box[d] + c->box[3 + d]) / 2;
  memset(c->volume, 0, (size_t)c->ngrains * sizeof *c->volume);
  memset(c->center, 0, 3 * (size_t)c->ngrains * sizeof *c->center);
  for (int f = 0; f < c->nfaces; f++) {
    const int32_t *loop = &c->face_vertex[c->face_start[f]];
    int n = c->face_start[f + 1] - c->face_start[f];
    (plane ? loop_mean : loop_middle)(c->x, n, loop, middle);
    for (int side = 0; side < 2; side++) {
      int g = c->face_cells[2 * f + side];
      if (g >= 0) add_cone(c->x, n, loop, apex, middle, side ? -1 : 1, &c->volume[g], &c->center[3 * g]);
    }
  }
  for (int g = 0; g < c->ngrains; g++)
    for (int d = 0; d < 3; d++) c->center[3 * g + d] = apex[d] + c->center[3 * g + d] / c->volume[g];
}
