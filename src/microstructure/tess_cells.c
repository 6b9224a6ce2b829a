/* A tessellation as a complex of cells: faces between cells and on walls, their edges, the scale. */
#include "cells_internal.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "measured.h"
#include "power_axes.h"
#include "tess.h"
#include <math.h>
#include <string.h>

static const double flat = 1e-6; /* of the box's edge: nearer to a wall than this a vertex lies on it */

/* ---- the box */

static void move_to_origin(const MtTess *t, MtCells *c) {
  double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
  for (int i = 0; i < 3 * t->nvertices; i++) {
    low[i % 3] = fmin(low[i % 3], t->x[i]);
    high[i % 3] = fmax(high[i % 3], t->x[i]);
  }
  for (int k = 0; k < 3; k++) c->box[3 + k] = high[k] - low[k];
  for (int v = 0; v < t->nvertices; v++)
    for (int k = 0; k < 3; k++) {
      double *x = &c->x[3 * v + k], edge = c->box[3 + k];
      *x = t->x[3 * v + k] - low[k];
      if (*x < flat * edge) *x = 0, c->walls[v] |= (int8_t)(1 << (2 * k));
      if (*x > (1 - flat) * edge) *x = edge, c->walls[v] |= (int8_t)(2 << (2 * k));
    }
}

/* ---- faces */

/* The wall on which all vertices of a face lie, -1..-6; 0: none. */
static int32_t wall_of(const MtTess *t, const MtCells *c, int f) {
  int on = 63;
  for (int i = t->face_start[f]; i < t->face_start[f + 1]; i++) on &= c->walls[t->face_vertex[i]];
  for (int b = 0; b < 6; b++)
    if (on >> b & 1) return -(b + 1);
  return 0;
}

/* The cells on both sides of each face, first the one that sees its loop counterclockwise -> side [2 nfaces], -1. */
static PetscErrorCode find_sides(const MtTess *t, const char *path, int32_t *side) {
  for (int f = 0; f < t->nfaces; f++) side[2 * f] = side[2 * f + 1] = -1;
  for (int g = 0; g < t->ncells; g++)
    for (int i = t->cell_start[g]; i < t->cell_start[g + 1]; i++) {
      const int32_t face = t->cell_face[i] > 0 ? t->cell_face[i] - 1 : -t->cell_face[i] - 1;
      int32_t *at = &side[2 * face + (t->cell_face[i] < 0)];
      if (*at >= 0)
        return mt_error(MT_ERR_INPUT, "%s: face %d has cells %d and %d on the same side", path, face + 1, *at + 1,
                        g + 1);
      *at = g;
    }
  return 0;
}

static void add_face(const MtTess *t, int f, int32_t a, int32_t b, bool turn, MtCells *c) {
  const int n = t->face_start[f + 1] - t->face_start[f], at = c->face_start[c->nfaces];
  for (int i = 0; i < n; i++)
    c->face_vertex[at + i] = t->face_vertex[turn ? t->face_start[f + 1] - 1 - i : t->face_start[f] + i];
  c->face_cells[2 * c->nfaces] = a;
  c->face_cells[2 * c->nfaces + 1] = b;
  c->face_start[++c->nfaces] = at + n;
}

static PetscErrorCode take_faces(const MtTess *t, const char *path, const int32_t *side, MtCells *c) {
  for (int f = 0; f < t->nfaces; f++) {
    const int32_t out = side[2 * f], in = side[2 * f + 1], wall = wall_of(t, c, f);
    if (out < 0 && in < 0) continue; /* of a coarser scale */
    if (out >= 0 && in >= 0) {
      add_face(t, f, out < in ? out : in, out < in ? in : out, in < out, c);
      continue;
    }
    if (!wall)
      return mt_error(MT_ERR_INPUT,
                      "%s: face %d of cell %d ends the tessellation, but lies on no wall of the box around it: only "
                      "boxes along the axes can be meshed (neper -domain cube)",
                      path, f + 1, (out >= 0 ? out : in) + 1);
    add_face(t, f, out >= 0 ? out : in, wall, out < 0, c);
  }
  return 0;
}

static int compare_edges(const void *a, const void *b) {
  const int32_t *p = a, *q = b;
  if (p[0] != q[0]) return p[0] < q[0] ? -1 : 1;
  return (p[1] > q[1]) - (p[1] < q[1]);
}

/* From the loops: two vertices that follow each other. */
static PetscErrorCode take_edges(MtCells *c) {
  const int all = c->face_start[c->nfaces];
  PetscCall(PetscMalloc1(2 * (size_t)all, &c->edge));
  for (int f = 0, n = 0; f < c->nfaces; f++)
    for (int i = c->face_start[f]; i < c->face_start[f + 1]; i++, n++) {
      const int32_t u = c->face_vertex[i], w = c->face_vertex[i + 1 < c->face_start[f + 1] ? i + 1 : c->face_start[f]];
      c->edge[2 * n] = u < w ? u : w;
      c->edge[2 * n + 1] = u < w ? w : u;
    }
  qsort(c->edge, (size_t)all, 2 * sizeof *c->edge, compare_edges);
  for (int i = 0; i < all; i++)
    if (c->nedges == 0 || compare_edges(&c->edge[2 * (c->nedges - 1)], &c->edge[2 * i]) != 0)
      memmove(&c->edge[2 * c->nedges++], &c->edge[2 * i], 2 * sizeof *c->edge);
  return 0;
}

/* ---- the whole */

static PetscErrorCode make_room(const MtTess *t, MtCells *c) {
  const size_t n = (size_t)t->ncells, nv = (size_t)t->nvertices, nf = (size_t)t->nfaces;
  c->ngrains = t->ncells, c->nvertices = t->nvertices;
  PetscCall(PetscMalloc1(3 * nv, &c->x));
  PetscCall(PetscCalloc1(nv, &c->walls));
  PetscCall(PetscMalloc1(2 * nf, &c->face_cells));
  PetscCall(PetscCalloc1(nf + 1, &c->face_start));
  PetscCall(PetscMalloc1((size_t)t->face_start[t->nfaces], &c->face_vertex));
  PetscCall(PetscCalloc1(3 * n, &c->axis));
  PetscCall(PetscMalloc1(3 * n, &c->center));
  return PetscMalloc1(n, &c->volume);
}

static double mean_diameter(const MtCells *c) {
  double sum = 0;
  for (int g = 0; g < c->ngrains; g++) sum += cbrt(6 * c->volume[g] / MT_PI) / c->ngrains;
  return sum;
}

static void scale(double factor, MtCells *c) {
  for (int i = 0; i < 3 * c->nvertices; i++) c->x[i] *= factor;
  for (int k = 0; k < 6; k++) c->box[k] *= factor;
  mt_cells_measure(c, false);
}

static PetscErrorCode take_orientations(const MtTess *t, MtCells *c) {
  static const double z[3] = {0, 0, 1};
  if (!t->orientation) return 0;
  PetscCall(PetscMalloc1(4 * (size_t)c->ngrains, &c->orientation));
  memcpy(c->orientation, t->orientation, 4 * (size_t)c->ngrains * sizeof *c->orientation);
  for (int g = 0; g < c->ngrains; g++) mt_quat_rotate(c->orientation + 4 * g, z, c->axis + 3 * g);
  return 0;
}

/* What else is wrong with the topology shows here, before anything is computed with it. */
static PetscErrorCode check(const char *path, const MtCells *c) {
  char why[400];
  for (int g = 0; g < c->ngrains; g++)
    if (!(c->volume[g] > 0)) return mt_error(MT_ERR_INPUT, "%s: cell %d has no volume", path, g + 1);
  if (!mt_cells_check(c)) return 0;
  snprintf(why, sizeof why, "%s", mt_error_message());
  mt_error_clear();
  return mt_error(MT_ERR_INPUT, "%s: the cells do not fill their box just once: %s (numbers from 0)", path, why);
}

PetscErrorCode mt_tess_cells(const MtTess *t, const char *path, double unit, double mean_size, MtCells *c) {
  int32_t *side = mt_malloc(2 * (size_t)t->nfaces * sizeof *side);
  memset(c, 0, sizeof *c);
  PetscErrorCode rc = make_room(t, c);
  if (!rc) {
    move_to_origin(t, c);
    rc = find_sides(t, path, side);
  }
  if (!rc) rc = take_faces(t, path, side, c);
  free(side);
  if (!rc) rc = take_edges(c);
  if (!rc) rc = take_orientations(t, c);
  if (rc) return rc;
  mt_cells_measure(c, false);
  scale(unit > 0 ? unit : mean_size / mean_diameter(c), c);
  return check(path, c);
}

/* ---- source tess */

static PetscErrorCode draw_axes(const MtInput *in, MtCells *c) {
  MtRandom random;
  const uint64_t seed = (uint64_t)mt_input_int(in, "grains.seed");
  mt_log("grains: the file has no orientations: easy axes are drawn about grains.texture_axis");
  mt_random_seed(&random, seed);
  PetscCall(mt_power_draw_axes(in, &random, c->ngrains, c->axis));
  PetscCall(PetscMalloc1(4 * (size_t)c->ngrains, &c->orientation));
  mt_power_draw_turns(seed, c->ngrains, c->axis, c->orientation);
  return 0;
}

static void tell(const MtCells *c, MtJson *json) {
  const double mean = mean_diameter(c);
  mt_log("grains: %d cells of a tessellation in %.4g x %.4g x %.4g nm, diameter %.4g nm", c->ngrains, c->box[3],
         c->box[4], c->box[5], mean);
  mt_json_object(json, "grains");
  mt_json_string(json, "source", "tess");
  mt_json_int(json, "count", c->ngrains);
  mt_json_quantity(json, "mean_diameter", mean, "nm");
  mt_json_reals(json, "box_nm", 3, c->box + 3);
  mt_json_bool(json, "orientations_of_file", c->orientation != NULL);
  mt_json_end(json);
}

/* The file is read by every rank: cells are replicated, and so small that a message would not be quicker. */
PetscErrorCode mt_tess_grains(MPI_Comm comm, const MtInput *in, MtCells *c, MtJson *json) {
  const char *path = mt_input_string(in, "grains.file");
  const bool unit = mt_input_has(in, "grains.unit"), size = mt_input_has(in, "grains.mean_size");
  MtTess t;
  if (unit == size)
    return mt_input_error(in, "grains.source",
                          "tess needs either grains.unit, the length of 1 in the file, or grains.mean_size");
  PetscErrorCode rc = mt_tess_read(path, &t);
  if (!rc)
    rc = mt_tess_cells(&t, path, unit ? mt_input_real(in, "grains.unit") : 0,
                       size ? mt_input_real(in, "grains.mean_size") : 0, c);
  mt_tess_free(&t);
  PetscCall(mt_agree(comm, rc));
  tell(c, json);
  return c->orientation ? 0 : draw_axes(in, c);
}
