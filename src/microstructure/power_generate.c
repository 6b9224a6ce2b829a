/* Grains by chance: seeds uniform in the box, volumes log-normal, easy axes about a texture axis.  The weights that
 * give every cell its volume exactly follow from optimal transport; between two such solves the seeds move to the
 * centroids of their cells, which makes the grains rounder (Lloyd's iteration under volume constraints: D. P. Bourne et
 * al., Phil. Mag. 100, 2677 (2020)). */
#include "magtwin/error.h"
#include "magtwin/microstructure.h"
#include "power_axes.h"
#include "power_transport.h"
#include <math.h>
#include <string.h>

static const double volume_tolerance =
    1e-9; /* of each grain; Newton converges quadratically, so this costs one step more than 1e-5 */

static PetscErrorCode allocate(MtPower *p, int n) {
  memset(p, 0, sizeof *p);
  p->n = n;
  PetscCall(PetscMalloc1(3 * (size_t)n, &p->seed));
  PetscCall(PetscCalloc1((size_t)n, &p->weight));
  PetscCall(PetscMalloc1(3 * (size_t)n, &p->axis));
  PetscCall(PetscMalloc1(4 * (size_t)n, &p->orientation));
  PetscCall(PetscMalloc1((size_t)n, &p->label));
  for (int k = 0; k < n; k++) p->label[k] = k;
  return 0;
}

/* The diameter goes as exp(spread z), z normal, so the volume as exp(3 spread z); scaled to fill the box. */
static void draw_volumes(MtRandom *r, int n, double spread, double box, double *volume) {
  double sum = 0;
  for (int k = 0; k < n; k++) sum += volume[k] = exp(3 * spread * mt_random_normal(r));
  for (int k = 0; k < n; k++) volume[k] *= box / sum;
}

/* Two unit vectors that make a right-handed frame with the unit vector a. */
static void complete_frame(const double a[3], double u[3], double v[3]) {
  int d = fabs(a[0]) < fabs(a[1]) ? 0 : 1;
  if (fabs(a[2]) < fabs(a[d])) d = 2;
  double norm = sqrt(1 - a[d] * a[d]);
  for (int i = 0; i < 3; i++) u[i] = ((i == d) - a[d] * a[i]) / norm;
  for (int i = 0; i < 3; i++) v[i] = a[(i + 1) % 3] * u[(i + 2) % 3] - a[(i + 2) % 3] * u[(i + 1) % 3];
}

static void direction(const double a[3], const double u[3], const double v[3], double cosine, double azimuth,
                      double x[3]) {
  double sine = sqrt(fmax(0, 1 - cosine * cosine)), norm = 0;
  for (int i = 0; i < 3; i++) {
    x[i] = cosine * a[i] + sine * (cos(azimuth) * u[i] + sin(azimuth) * v[i]);
    norm += x[i] * x[i];
  }
  for (int i = 0; i < 3; i++) x[i] /= sqrt(norm);
}

/* An easy axis has no sign: tilts beyond a right angle are folded back by taking the end nearer to the texture axis. */
PetscErrorCode mt_power_draw_axes(const MtInput *in, MtRandom *r, int n, double *axis) {
  double a[3], u[3], v[3], norm = 0;
  bool isotropic = strcmp(mt_input_string(in, "grains.texture"), "isotropic") == 0;
  double spread = mt_input_real(in, "grains.texture_spread") * MT_PI / 180;
  mt_input_vec3(in, a, "grains.texture_axis");
  for (int i = 0; i < 3; i++) norm += a[i] * a[i];
  if (!(norm > 0)) return mt_input_error(in, "grains.texture_axis", "must have a direction, is [0, 0, 0]");
  for (int i = 0; i < 3; i++) a[i] /= sqrt(norm);
  complete_frame(a, u, v);
  for (int k = 0; k < n; k++) {
    double tilt = spread * mt_random_normal(r), azimuth = 2 * MT_PI * mt_random_uniform(r),
           height = mt_random_uniform(r);
    direction(a, u, v, isotropic ? height : fabs(cos(tilt)), azimuth, &axis[3 * k]);
  }
  return 0;
}

static PetscErrorCode move_to_centroids(MtPower *p, const double *volume, int lloyd) {
  MtCells c;
  for (int i = 0; i <= lloyd; i++) {
    PetscCall(mt_power_set_volumes(p, volume, volume_tolerance, &c));
    if (i < lloyd) memcpy(p->seed, c.center, 3 * (size_t)p->n * sizeof *p->seed);
    mt_cells_free(&c);
  }
  return 0;
}

/* Seeds [3n] in the box, volumes [n]: the first that is drawn. */
static void draw_grains(const MtInput *in, const double box[3], int n, MtRandom *r, double *seed, double *volume) {
  mt_random_seed(r, (uint64_t)mt_input_int(in, "grains.seed"));
  for (int i = 0; i < 3 * n; i++) seed[i] = box[i % 3] * mt_random_uniform(r);
  draw_volumes(r, n, mt_input_real(in, "grains.size_spread"), box[0] * box[1] * box[2], volume);
}

static PetscErrorCode draw(const MtInput *in, const double box[3], MtPower *p, double *volume) {
  MtRandom r;
  memcpy(&p->box[3], box, 3 * sizeof *box);
  draw_grains(in, box, p->n, &r, p->seed, volume);
  PetscCall(mt_power_draw_axes(in, &r, p->n, p->axis));
  mt_power_draw_turns((uint64_t)mt_input_int(in, "grains.seed"), p->n, p->axis, p->orientation);
  return 0;
}

PetscErrorCode mt_power_generate_in(const MtInput *in, const double box[3], MtPower *p) {
  double *volume;
  int n = (int)mt_input_int(in, "grains.count");
  PetscCall(allocate(p, n));
  PetscCall(PetscMalloc1((size_t)n, &volume));
  PetscErrorCode rc = draw(in, box, p, volume);
  if (rc == 0) rc = move_to_centroids(p, volume, (int)mt_input_int(in, "grains.lloyd"));
  PetscCall(PetscFree(volume));
  if (rc != 0) mt_power_free(p);
  return rc;
}

PetscErrorCode mt_power_generate(const MtInput *in, MtPower *p) {
  double box[3];
  mt_input_vec3(in, box, "grains.box");
  return mt_power_generate_in(in, box, p);
}

PetscErrorCode mt_power_smallest(const MtInput *in, int *grain, double *volume) {
  MtRandom r;
  double box[3], *seed, *all;
  const int n = (int)mt_input_int(in, "grains.count");
  mt_input_vec3(in, box, "grains.box");
  PetscCall(PetscMalloc2(3 * (size_t)n, &seed, (size_t)n, &all));
  draw_grains(in, box, n, &r, seed, all);
  *grain = 0;
  for (int k = 1; k < n; k++) *grain = all[k] < all[*grain] ? k : *grain;
  *volume = all[*grain];
  return PetscFree2(seed, all);
}
