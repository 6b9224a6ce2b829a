/* Grains, grain-boundary phase and pockets at a point.
 *
 * Grains are the cells of a power diagram; platelets are those of one that is stretched along their short direction.
 * From a point in the cell of grain i, the boundary with grain j is at the distance (f_j - f_i) / |grad (f_j - f_i)|,
 * f_j = |x - s_j|^2 - w_j; f_j - f_i is linear.  The phase is where the nearest boundary is nearer than half its
 * thickness, a pocket where the line in which the two nearest meet is nearer than its size.  What is thinner than a
 * pixel is drawn by the part of the pixel that it covers, along the normal. */
#include "scene.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <math.h>
#include <string.h>

double mt_scene_chance(uint64_t seed, int64_t a, int64_t b, int64_t c) {
  uint64_t state = seed;
  state = mt_splitmix64(&state) ^ (uint64_t)a;
  state = mt_splitmix64(&state) ^ (uint64_t)b;
  state = mt_splitmix64(&state) ^ (uint64_t)c;
  return (double)(mt_splitmix64(&state) >> 11) * 0x1p-53;
}

static void draw_grays(MtScene *s, double mean, double contrast) {
  MtRandom r;
  mt_random_seed(&r, s->seed ^ 0x67726179); /* numbers of its own: the grains of a seed stay the same */
  s->gray = mt_malloc((size_t)s->power.n * sizeof *s->gray);
  for (int g = 0; g < s->power.n; g++) s->gray[g] = fmin(1, fmax(0, mean + contrast * mt_random_normal(&r)));
}

PetscErrorCode mt_scene_make(const MtInput *in, MtScene *s) {
  double box[3];
  memset(s, 0, sizeof *s);
  if (strcmp(mt_input_string(in, "grains.source"), "generated"))
    return mt_input_error(in, "grains.source", "a stack is drawn of generated grains; this must be generated");
  mt_input_vec3(in, s->voxel, "generate.voxel");
  mt_input_vec3(in, s->box, "grains.box");
  const int axis = mt_input_string(in, "generate.aspect_axis")[0] - 'x';
  for (int d = 0; d < 3; d++) {
    s->stretch[d] = d == axis ? mt_input_real(in, "generate.aspect") : 1;
    box[d] = s->box[d] * s->stretch[d];
  }
  PetscCall(mt_power_generate_in(in, box, &s->power));
  s->seed = (uint64_t)mt_input_int(in, "grains.seed");
  s->gb = mt_input_real(in, "generate.gb.thickness");
  s->gb_gray = mt_input_real(in, "generate.gb.gray");
  s->pocket = mt_input_real(in, "generate.pockets.size");
  s->pocket_fraction = mt_input_real(in, "generate.pockets.fraction");
  s->pocket_gray = mt_input_real(in, "generate.pockets.gray");
  s->width = fmin(s->voxel[0], s->voxel[1]);
  draw_grays(s, mt_input_real(in, "generate.gray"), mt_input_real(in, "generate.contrast"));
  return 0;
}

void mt_scene_free(MtScene *s) {
  mt_power_free(&s->power);
  free(s->gray);
  memset(s, 0, sizeof *s);
}

static void stretch(const MtScene *s, const double x[3], double u[3]) {
  for (int d = 0; d < 3; d++) u[d] = x[d] * s->stretch[d];
}

static double power_distance(const MtPower *p, int j, const double u[3]) {
  double f = -p->weight[j];
  for (int d = 0; d < 3; d++) f += (u[d] - p->seed[3 * j + d]) * (u[d] - p->seed[3 * j + d]);
  return f;
}

/* Normal of the boundary of i and j in real coordinates, from i to j; returns |grad (f_j - f_i)|. */
static double boundary_normal(const MtScene *s, int i, int j, double normal[3]) {
  const double *a = s->power.seed + 3 * i, *b = s->power.seed + 3 * j;
  double g = 0;
  for (int d = 0; d < 3; d++) {
    normal[d] = 2 * s->stretch[d] * (b[d] - a[d]);
    g += normal[d] * normal[d];
  }
  for (int d = 0; d < 3; d++) normal[d] /= sqrt(g);
  return sqrt(g);
}

/* Real distance (nm) of the boundary of i and j from where f_j - f_i = h. */
static double boundary_distance(const MtScene *s, int i, int j, double h) {
  double normal[3];
  return h / boundary_normal(s, i, j, normal);
}

int mt_scene_near(const MtScene *s, const double x[3], double radius, int *list) {
  const MtPower *p = &s->power;
  double u[3], least = INFINITY;
  int best = 0, n = 0;
  stretch(s, x, u);
  for (int j = 0; j < p->n; j++) {
    const double f = power_distance(p, j, u);
    if (f < least) least = f, best = j;
  }
  /* boundaries are looked for as far as they draw anything, thrice that for the grain next to the nearest */
  const double reach = radius + 3 * (fmax(s->gb / 2, 1.4 * s->pocket) + s->width);
  list[n++] = best;
  for (int j = 0; j < p->n; j++)
    if (j != best && boundary_distance(s, best, j, power_distance(p, j, u) - least) < reach) list[n++] = j;
  return n;
}

typedef struct {
  int grain[3]; /* of the cell, across the nearest and the second boundary; -1 */
  double to[3]; /* nm to those boundaries (to[0] unused) */
} Surroundings;

static void look_around(const MtScene *s, const double u[3], int n, const int *list, Surroundings *a) {
  double least = INFINITY;
  *a = (Surroundings){{list[0], -1, -1}, {0, INFINITY, INFINITY}};
  for (int k = 0; k < n; k++) {
    const double f = power_distance(&s->power, list[k], u);
    if (f < least) least = f, a->grain[0] = list[k];
  }
  for (int k = 0; k < n; k++) {
    const int j = list[k];
    if (j == a->grain[0]) continue;
    const double d = boundary_distance(s, a->grain[0], j, power_distance(&s->power, j, u) - least);
    if (d < a->to[1]) {
      a->to[2] = a->to[1], a->grain[2] = a->grain[1];
      a->to[1] = d, a->grain[1] = j;
    } else if (d < a->to[2]) {
      a->to[2] = d, a->grain[2] = j;
    }
  }
}

/* Distance from the line of the two nearest boundaries; far where they are parallel. */
static double line_distance(const MtScene *s, const Surroundings *a) {
  double m[3], n[3], cosine = 0;
  if (a->grain[2] < 0) return INFINITY;
  boundary_normal(s, a->grain[0], a->grain[1], m);
  boundary_normal(s, a->grain[0], a->grain[2], n);
  for (int d = 0; d < 3; d++) cosine += m[d] * n[d];
  const double p = a->to[1], q = a->to[2], sine2 = 1 - cosine * cosine;
  return sine2 > 1e-6 ? sqrt(fmax(0, p * p + q * q - 2 * p * q * cosine) / sine2) : INFINITY;
}

/* The three grains of a triple line decide, in any order, whether it has a pocket and how large; 0: none. */
static double pocket_size(const MtScene *s, const int grain[3]) {
  int a = grain[0], b = grain[1], c = grain[2], t;
  if (c < 0) return 0;
  if (a > b) t = a, a = b, b = t;
  if (b > c) t = b, b = c, c = t;
  if (a > b) t = a, a = b, b = t;
  if (mt_scene_chance(s->seed, a, b, c) >= s->pocket_fraction) return 0;
  return s->pocket * (.6 + .8 * mt_scene_chance(s->seed + 1, a, b, c));
}

/* Part of a pixel of width w at distance d outside an edge that lies on the inner side of it. */
static double part(double d, double w) {
  return fmin(1, fmax(0, .5 - d / w));
}

void mt_scene_at(const MtScene *s, const double x[3], int n, const int *list, MtScenePoint *p) {
  double u[3];
  Surroundings a;
  stretch(s, x, u);
  look_around(s, u, n, list, &a);
  a.to[0] = line_distance(s, &a);
  const double size = pocket_size(s, a.grain), w = s->width, half = s->gb / 2;
  p->grain = a.grain[0];
  p->pocket = a.to[0] < size;
  double v = s->gray[a.grain[0]];
  if (a.grain[1] >= 0) {
    const double other = part(a.to[1], w), film = part(a.to[1] - half, w) - part(a.to[1] + half, w);
    v = (1 - film) * ((1 - other) * v + other * s->gray[a.grain[1]]) + film * s->gb_gray;
  }
  const double in = size > 0 ? part(a.to[0] - size, w) : 0;
  p->value = (1 - in) * v + in * s->pocket_gray;
}
