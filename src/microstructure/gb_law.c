/* The thickness that is asked of the GB phase at each boundary: one value, or by the angle between the boundary and the
 * c axes of its grains, times a random factor of mean 1, or what is said of a pair. */
#include "gb_law.h"
#include "cells_internal.h"
#include "gb.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double farthest = 2.5;                /* standard deviations; draws beyond are drawn anew */
static const double c_plane = 30, side_plane = 60; /* deg, of the classes that are reported */

/* ---- keys */

static int compare_angle(const void *a, const void *b) {
  const MtGbAngle *p = a, *q = b;
  return (p->angle > q->angle) - (p->angle < q->angle);
}

static PetscErrorCode read_angles(const MtInput *in, MtGbLaw *law) {
  law->nangles = mt_input_has(in, "mesh.gb.angles") ? mt_input_count(in, "mesh.gb.angles") : 0;
  law->angle = mt_calloc((size_t)law->nangles + 1, sizeof *law->angle);
  for (int i = 0; i < law->nangles; i++)
    law->angle[i] = (MtGbAngle){mt_input_real(in, "mesh.gb.angles[%d].angle", i),
                                mt_input_real(in, "mesh.gb.angles[%d].thickness", i)};
  qsort(law->angle, (size_t)law->nangles, sizeof *law->angle, compare_angle);
  for (int i = 1; i < law->nangles; i++)
    if (law->angle[i].angle == law->angle[i - 1].angle)
      return mt_input_error(in, "mesh.gb.angles", "has %g deg twice", law->angle[i].angle);
  return 0;
}

/* Can a pair of grains have a name like this? */
static bool can_match(const char *pattern) {
  int a, b, end = 0;
  if (strspn(pattern, "0123456789-*?[]!") < strlen(pattern)) return false;
  return sscanf(pattern, "%d-%d%n", &a, &b, &end) != 2 || pattern[end] || a < b;
}

static PetscErrorCode read_pairs(const MtInput *in, MtGbLaw *law) {
  law->npairs = mt_input_has(in, "mesh.gb.pairs") ? mt_input_count(in, "mesh.gb.pairs") : 0;
  law->pair = mt_calloc((size_t)law->npairs + 1, sizeof *law->pair);
  for (int i = 0; i < law->npairs; i++) {
    char key[64];
    snprintf(key, sizeof key, "mesh.gb.pairs[%d].pair", i);
    const char *pattern = mt_input_string(in, "%s", key);
    if (!can_match(pattern))
      return mt_input_error(in, key, "names two different grains, the smaller number first, as \"3-7\"; is \"%s\"",
                            pattern);
    law->pair[i].pattern = strcpy(mt_malloc(strlen(pattern) + 1), pattern);
    law->pair[i].thickness = mt_input_real(in, "mesh.gb.pairs[%d].thickness", i);
  }
  return 0;
}

PetscErrorCode mt_gb_law_read(const MtInput *in, MtGbLaw *law) {
  *law = (MtGbLaw){.thickness = mt_input_real(in, "mesh.gb.thickness"), .seed = 1};
  if (mt_input_has(in, "mesh.gb.spread")) law->spread = mt_input_real(in, "mesh.gb.spread");
  if (mt_input_has(in, "mesh.gb.distribution"))
    law->normal = strcmp(mt_input_string(in, "mesh.gb.distribution"), "normal") == 0;
  if (mt_input_has(in, "mesh.gb.contact")) law->contact = mt_input_real(in, "mesh.gb.contact");
  if (mt_input_has(in, "mesh.gb.seed")) law->seed = (uint64_t)mt_input_int(in, "mesh.gb.seed");
  PetscCall(read_angles(in, law));
  PetscCall(read_pairs(in, law));
  if (law->thickness == 0 && !mt_gb_law_is_constant(law))
    return mt_input_error(in, "mesh.gb.thickness", "is 0: there is no phase that mesh.gb.%s could say more of",
                          law->nangles      ? "angles"
                          : law->npairs     ? "pairs"
                          : law->spread > 0 ? "spread"
                                            : "contact");
  return 0;
}

void mt_gb_law_free(MtGbLaw *law) {
  for (int i = 0; i < law->npairs; i++) free(law->pair[i].pattern);
  free(law->pair), free(law->angle);
  memset(law, 0, sizeof *law);
}

bool mt_gb_law_is_constant(const MtGbLaw *law) {
  return law->nangles == 0 && law->npairs == 0 && law->spread == 0 && law->contact == 0;
}

double mt_gb_law_most(const MtGbLaw *law) {
  double most = law->nangles ? 0 : law->thickness;
  for (int i = 0; i < law->nangles; i++) most = fmax(most, law->angle[i].thickness);
  for (int i = 0; i < law->npairs; i++) most = fmax(most, law->pair[i].thickness);
  return most;
}

/* ---- one boundary */

/* Mean over the two grains, deg: 0 where the boundary is the basal plane of both, 90 where it holds both c axes. */
static double angle_of(const double n[3], const double *a, const double *b) {
  const double *axis[2] = {a, b};
  double sum = 0;
  for (int i = 0; i < 2; i++) sum += acos(fmin(1, fabs(n[0] * axis[i][0] + n[1] * axis[i][1] + n[2] * axis[i][2])));
  return sum / 2 * 180 / MT_PI;
}

/* Linear between the entries, constant beyond them. */
static double by_angle(const MtGbLaw *law, double angle) {
  const MtGbAngle *t = law->angle;
  int i = 0;
  while (i < law->nangles && t[i].angle < angle) i++;
  if (i == 0) return t[0].thickness;
  if (i == law->nangles) return t[i - 1].thickness;
  return t[i - 1].thickness +
         (t[i].thickness - t[i - 1].thickness) * (angle - t[i - 1].angle) / (t[i].angle - t[i - 1].angle);
}

/* Numbers of the pair's own. */
static void pair_seed(const MtGbLaw *law, int a, int b, MtRandom *r) {
  uint64_t state = law->seed;
  state = mt_splitmix64(&state) ^ ((uint64_t)(uint32_t)a << 32 | (uint32_t)b);
  mt_random_seed(r, mt_splitmix64(&state));
}

static double draw(const MtGbLaw *law, int a, int b) {
  MtRandom r;
  double z;
  pair_seed(law, a, b, &r);
  do z = mt_random_normal(&r);
  while (fabs(z) > farthest);
  return z;
}

/* Mean 1 and relative standard deviation `spread` before the tails are cut; the mean is 1 after that as well. */
static double factor_of(const MtGbLaw *law, int a, int b) {
  const double z = draw(law, a, b);
  if (law->normal) return 1 + law->spread * z;
  const double s = sqrt(log(1 + law->spread * law->spread));
  const double cut = (erf((farthest - s) / sqrt(2)) + erf((farthest + s) / sqrt(2))) / 2 / erf(farthest / sqrt(2));
  return exp(s * z - s * s / 2) / cut;
}

double mt_gb_law_at(const MtGbLaw *law, int a, int b, const double n[3], const double *axis_a, const double *axis_b,
                    MtGbClass *kind) {
  char name[32];
  double t = law->thickness;
  *kind = MT_GB_PLAIN;
  if (law->nangles) {
    const double angle = angle_of(n, axis_a, axis_b);
    t = by_angle(law, angle);
    *kind = angle < c_plane ? MT_GB_C_PLANE : angle > side_plane ? MT_GB_SIDE_PLANE : MT_GB_OBLIQUE;
  }
  if (law->spread > 0) t *= factor_of(law, a, b);
  snprintf(name, sizeof name, "%d-%d", a, b);
  for (int i = law->npairs - 1; i >= 0; i--)
    if (fnmatch(law->pair[i].pattern, name, 0) == 0) {
      *kind = law->pair[i].thickness > 0 ? MT_GB_PAIR : MT_GB_CONTACT;
      return law->pair[i].thickness;
    }
  return t;
}

/* ---- all */

static double boundary_area(const MtCells *c, int f, double n[3]) {
  mt_loop_area(c->x, c->face_start[f + 1] - c->face_start[f], c->face_vertex + c->face_start[f], n);
  const double area = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  for (int k = 0; k < 3 && area > 0; k++) n[k] /= area;
  return area;
}

static double mean_of(const MtCells *c) {
  double sum = 0, total = 0, n[3];
  for (int f = 0; f < c->nfaces; f++) {
    if (!(c->thickness[f] > 0)) continue;
    const double area = boundary_area(c, f, n);
    sum += area * c->thickness[f], total += area;
  }
  return total > 0 ? sum / total : 0;
}

static bool names_boundary(const char *pattern, const MtCells *c) {
  char name[32];
  for (int f = 0; f < c->nfaces; f++) {
    if (c->face_cells[2 * f + 1] < 0) continue;
    snprintf(name, sizeof name, "%d-%d", c->face_cells[2 * f], c->face_cells[2 * f + 1]);
    if (fnmatch(pattern, name, 0) == 0) return true;
  }
  return false;
}

static void warn_unnamed(const MtGbLaw *law, const MtCells *c) {
  int first = 0, n = 0;
  char more[64] = "";
  for (int i = law->npairs - 1; i >= 0; i--)
    if (!names_boundary(law->pair[i].pattern, c)) first = i, n++;
  if (n > 1) snprintf(more, sizeof more, "; entries like this: %d", n);
  if (n > 0) mt_warn("mesh.gb.pairs: no boundary is named \"%s\"%s", law->pair[first].pattern, more);
}

PetscErrorCode mt_gb_law_apply(const MtGbLaw *law, MtCells *c, double *mean) {
  *mean = law->thickness;
  if (mt_gb_law_is_constant(law)) return 0;
  PetscCall(PetscCalloc1((size_t)c->nfaces + 1, &c->thickness));
  PetscCall(PetscCalloc1((size_t)c->nfaces + 1, &c->gb_class));
  for (int f = 0; f < c->nfaces; f++) {
    const int a = c->face_cells[2 * f], b = c->face_cells[2 * f + 1];
    double n[3];
    MtGbClass kind;
    if (b < 0) continue;
    boundary_area(c, f, n);
    c->thickness[f] = mt_gb_law_at(law, a, b, n, c->axis + 3 * a, c->axis + 3 * b, &kind);
    c->gb_class[f] = (int8_t)kind;
  }
  warn_unnamed(law, c);
  *mean = mean_of(c);
  return 0;
}

/* ---- boundaries without phase */

typedef struct {
  bool crowded; /* at one of its vertices a line has more than three grains: only where others do not suffice */
  double order;
  int a, b; /* grains */
} Candidate;

static int compare_candidate(const void *a, const void *b) {
  const Candidate *p = a, *q = b;
  if (p->crowded != q->crowded) return p->crowded ? 1 : -1;
  if (p->order != q->order) return p->order < q->order ? -1 : 1;
  if (p->a != q->a) return p->a < q->a ? -1 : 1;
  return (p->b > q->b) - (p->b < q->b);
}

static PetscErrorCode crowded_vertices(const MtCells *c, bool *crowded) {
  MtTopology t;
  PetscCall(mt_topology_make(c, &t));
  for (int e = 0; e < c->nedges; e++)
    if (t.ring_start[e + 1] - t.ring_start[e] > 3) crowded[c->edge[2 * e]] = crowded[c->edge[2 * e + 1]] = true;
  mt_topology_free(&t);
  return 0;
}

/* A pair of grains has its faces, mostly one, next to each other in no order: they are taken one by one. */
static PetscErrorCode candidates_make(const MtGbLaw *law, const MtCells *c, Candidate *list, int *n) {
  bool *crowded;
  PetscCall(PetscCalloc1((size_t)c->nvertices + 1, &crowded));
  PetscCall(crowded_vertices(c, crowded));
  *n = 0;
  for (int f = 0; f < c->nfaces; f++) {
    MtRandom r;
    Candidate k = {false, 0, c->face_cells[2 * f], c->face_cells[2 * f + 1]};
    if (k.b < 0 || c->gb_class[f] == MT_GB_PAIR || c->gb_class[f] == MT_GB_CONTACT) continue;
    for (int i = c->face_start[f]; i < c->face_start[f + 1]; i++) k.crowded = k.crowded || crowded[c->face_vertex[i]];
    pair_seed(law, k.a, k.b, &r);
    for (int skip = 0; skip < 8; skip++) (void)mt_random_bits(&r); /* not those of the thickness */
    k.order = mt_random_uniform(&r);
    list[(*n)++] = k;
  }
  qsort(list, (size_t)*n, sizeof *list, compare_candidate);
  return PetscFree(crowded);
}

/* Area (nm2) of the boundary of a pair, all its faces; made one of contact where `touch`. */
static double pair_area(MtCells *c, int a, int b, bool touch) {
  double sum = 0, n[3];
  for (int f = 0; f < c->nfaces; f++) {
    if (c->face_cells[2 * f] != a || c->face_cells[2 * f + 1] != b) continue;
    sum += boundary_area(c, f, n);
    if (touch) c->thickness[f] = 0, c->gb_class[f] = MT_GB_CONTACT;
  }
  return sum;
}

PetscErrorCode mt_gb_law_contacts(const MtGbLaw *law, MtCells *c, double *mean) {
  Candidate *list;
  double total = 0, done = 0, n[3];
  int count;
  if (!(law->contact > 0)) return 0;
  for (int f = 0; f < c->nfaces; f++) {
    const double area = c->face_cells[2 * f + 1] < 0 ? 0 : boundary_area(c, f, n);
    total += area, done += c->gb_class[f] == MT_GB_CONTACT ? area : 0;
  }
  PetscCall(PetscMalloc1((size_t)c->nfaces + 1, &list));
  PetscCall(candidates_make(law, c, list, &count));
  for (int i = 0; i < count; i++) {
    const bool again = i > 0 && list[i].a == list[i - 1].a && list[i].b == list[i - 1].b;
    const double area = again ? 0 : pair_area(c, list[i].a, list[i].b, false);
    if (done + area / 2 >= law->contact * total) break;
    if (!again) done += pair_area(c, list[i].a, list[i].b, true);
  }
  *mean = mean_of(c);
  return PetscFree(list);
}
