/* The picture of one slice without defects: grains below, above them a layer with milled lines that are the same in
 * every slice. */
#include "generate.h"
#include "magtwin/memory.h"
#include <math.h>

enum { BLOCK = 16 };                                   /* pixels; the grains near a block are looked up once */
static const double layer_gray = .55, line_gray = .15; /* metal, and the grooves in it */

/* Centre of pixel (i,j) of slice k in nm of the truth. */
static void place(const MtPainter *p, int k, double i, double j, double x[3]) {
  const double *v = p->scene.voxel;
  x[0] = (i + .5 - p->margin - p->drift[2 * k]) * v[0];
  x[1] = (j + .5 - p->margin - p->marks - p->drift[2 * k + 1]) * v[1];
  x[2] = (k + .5) * v[2];
}

/* Lines at chance places, leaning left or right, about one in 14 pixels; px, py in pixels, 1.5 pixels half width. */
static double layer(const MtPainter *p, double px, double py) {
  const int last = p->mx / 14 + 2;
  double v = layer_gray;
  for (int n = -2; n <= last; n++) {
    const double at = 14 * (n + mt_scene_chance(p->seed, n, 1, 7)), lean = mt_scene_chance(p->seed, n, 2, 7) - .5;
    const double slope = 1.6 * lean, d = fabs(px - at - slope * py) / sqrt(1 + slope * slope);
    v += (line_gray - v) * fmin(1, fmax(0, 2 - d));
  }
  return v;
}

static void paint_block(const MtPainter *p, int k, int i0, int j0, int *list, float *gray) {
  const MtScene *s = &p->scene;
  double x[3];
  place(p, k, i0 + .5 * (BLOCK - 1), j0 + .5 * (BLOCK - 1), x);
  const double radius = .5 * BLOCK * hypot(s->voxel[0], s->voxel[1]);
  const int n = mt_scene_near(s, x, radius, list);
  for (int j = j0; j < j0 + BLOCK && j < p->my; j++)
    for (int i = i0; i < i0 + BLOCK && i < p->mx; i++) {
      MtScenePoint at;
      place(p, k, i, j, x);
      mt_scene_at(s, x, n, list, &at);
      const double above = p->marks ? fmin(1, fmax(0, .5 - x[1] / s->voxel[1])) : 0;
      const double metal = above > 0 ? layer(p, x[0] / s->voxel[0], x[1] / s->voxel[1]) : 0;
      gray[(size_t)j * (size_t)p->mx + (size_t)i] = (float)(above * metal + (1 - above) * at.value);
    }
}

void mt_paint_slice(const MtPainter *p, int k, float *gray) {
  int *list = mt_malloc((size_t)p->scene.power.n * sizeof *list);
  for (int j = 0; j < p->my; j += BLOCK)
    for (int i = 0; i < p->mx; i += BLOCK) paint_block(p, k, i, j, list, gray);
  free(list);
}

static void truth_block(const MtPainter *p, int k, int i0, int j0, int *list, int32_t *label) {
  const double *v = p->scene.voxel;
  const double centre[3] = {(i0 + .5 * BLOCK) * v[0], (j0 + .5 * BLOCK) * v[1], (k + .5) * v[2]};
  const int n = mt_scene_near(&p->scene, centre, .5 * BLOCK * hypot(v[0], v[1]), list);
  for (int j = j0; j < j0 + BLOCK && j < p->ny; j++)
    for (int i = i0; i < i0 + BLOCK && i < p->nx; i++) {
      MtScenePoint at;
      mt_scene_at(&p->scene, (const double[3]){(i + .5) * v[0], (j + .5) * v[1], centre[2]}, n, list, &at);
      label[(size_t)j * (size_t)p->nx + (size_t)i] = at.pocket ? -1 : at.grain;
    }
}

void mt_paint_truth(const MtPainter *p, int k, int32_t *label) {
  int *list = mt_malloc((size_t)p->scene.power.n * sizeof *list);
  for (int j = 0; j < p->ny; j += BLOCK)
    for (int i = 0; i < p->nx; i += BLOCK) truth_block(p, k, i, j, list, label);
  free(list);
}
