/* magtwin register: the map between two pictures of one section, and how far it is off where both show something. */
#include "register.h"
#include "drift.h"
#include "magtwin/error.h"
#include "magtwin/image.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 64, PAD = 12, PATH = 4096, BOARD = 48 };

const MtKey mt_register_keys[] = {
    {.path = "register.fixed", .type = MT_KEY_PATH, .help = "Gray picture (TIFF or PNG) that stays as it is."},
    {.path = "register.moving",
     .type = MT_KEY_PATH,
     .help = "Gray picture of the same section, by another detector: mapped onto the fixed one by an affine map, which "
             "may mirror. Both show the whole section, brighter than what is around it, with the same pores or "
             "scratches."},
    {.path = NULL},
};

static PetscErrorCode read_view(const char *path, MtView *v) {
  MtImage im;
  PetscCall(mt_image_layout(path, 0, &im));
  if (im.nx < 4 * TILE || im.ny < 4 * TILE)
    return mt_error(MT_ERR_INPUT, "%s has only %d x %d pixels; at least %d x %d are needed", path, im.nx, im.ny,
                    4 * TILE, 4 * TILE);
  v->nx = im.nx, v->ny = im.ny;
  v->gray = mt_malloc((size_t)im.nx * (size_t)im.ny * sizeof *v->gray);
  PetscCall(mt_image_read(path, 0, &im, v->gray));
  mt_view_measure(v);
  return 0;
}

typedef struct {
  int n;
  double square, worst;
  FILE *table;
} Residual;

/* The shift that is left between the marks of a tile, measured anew on it alone. */
static void measure_tile(const MtView *f, const float *a, const float *b, int x, int y, Residual *r) {
  const MtRefine rule = {TILE, TILE, f->nx, {-x, -y}, {f->nx - 1 - x, f->ny - 1 - y}, PAD - 3};
  const size_t corner = (size_t)y * (size_t)f->nx + (size_t)x;
  double shift[2] = {0, 0}, agreement = 0, here = 0, there = 0;
  for (int j = 0; j < TILE; j++)
    for (int i = 0; i < TILE; i++) {
      here += a[corner + (size_t)j * (size_t)f->nx + (size_t)i];
      there += b[corner + (size_t)j * (size_t)f->nx + (size_t)i];
    }
  if (here < 20 || there < 20 || !mt_refine(&rule, a + corner, b + corner, shift, &agreement) || agreement < .5) return;
  const double far = hypot(shift[0], shift[1]);
  fprintf(r->table, "%d,%d,%.4g,%.4g,%.3g\n", x + TILE / 2, y + TILE / 2, shift[0], shift[1], agreement);
  r->n++;
  r->square += far * far;
  r->worst = fmax(r->worst, far);
}

static PetscErrorCode measure(const char *folder, const MtView *f, const MtView *m, const MtAffine *t, Residual *r) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/residual.csv", folder);
  r->table = fopen(path, "w");
  if (!r->table) return mt_error(MT_ERR_INPUT, "%s: cannot be written: %s", path, strerror(errno));
  const size_t n = (size_t)f->nx * (size_t)f->ny;
  float *a = mt_malloc(2 * n * sizeof *a), *b = a + n;
  memcpy(a, f->marks, n * sizeof *a);
  mt_affine_apply(t, f, m, m->marks, b);
  mt_smooth_slice(f->nx, f->ny, (const double[2]){2, 2}, a);
  mt_smooth_slice(f->nx, f->ny, (const double[2]){2, 2}, b);
  fprintf(r->table, "x_px,y_px,dx_px,dy_px,agreement\n");
  for (int y = PAD; y + TILE + PAD <= f->ny; y += TILE / 2)
    for (int x = PAD; x + TILE + PAD <= f->nx; x += TILE / 2) measure_tile(f, a, b, x, y, r);
  free(a);
  return fclose(r->table) ? mt_error(MT_ERR_FAIL, "%s: cannot be written to its end", path) : 0;
}

/* Squares of the one and of the other: what crosses their borders must go on. */
static PetscErrorCode draw(const char *folder, const MtView *f, const MtView *m, const MtAffine *t) {
  char path[PATH];
  const size_t n = (size_t)f->nx * (size_t)f->ny;
  float *moved = mt_malloc(n * sizeof *moved), top[2] = {1e-9f, 1e-9f};
  unsigned char *rgb = mt_malloc(3 * n);
  mt_affine_apply(t, f, m, m->gray, moved);
  for (size_t i = 0; i < n; i++) top[0] = fmaxf(top[0], f->gray[i]), top[1] = fmaxf(top[1], moved[i]);
  for (size_t i = 0; i < n; i++) {
    const bool other = (i % (size_t)f->nx / BOARD + i / (size_t)f->nx / BOARD) % 2;
    const float v = fmaxf(0, other ? moved[i] / top[1] : f->gray[i] / top[0]);
    for (int d = 0; d < 3; d++) rgb[3 * i + (size_t)d] = (unsigned char)(255 * v * (other && d == 2 ? .8f : 1) + .5f);
  }
  snprintf(path, sizeof path, "%s/board.png", folder);
  PetscErrorCode rc = mt_image_write_colour(path, f->nx, f->ny, rgb);
  free(moved);
  free(rgb);
  return rc;
}

static PetscErrorCode tell(const MtAffine *t, const Residual *r, MtJson *json) {
  if (r->n < 4)
    return mt_error(MT_ERR_FAIL, "the pictures have too little in common: marks agree in %d places, 4 are needed",
                    r->n);
  const double rms = sqrt(r->square / r->n);
  mt_log("register: x' = %.6g %+.6g x %+.6g y, y' = %.6g %+.6g x %+.6g y%s; correlation of the marks %.2f", t->m[0],
         t->m[1], t->m[2], t->m[3], t->m[4], t->m[5], t->mirrored ? " (mirrored)" : "", t->correlation);
  mt_log("register: what is left: %.2f pixels rms over %d places with marks, at most %.2f", rms, r->n, r->worst);
  mt_json_object(json, "registration");
  mt_json_reals(json, "map", 6, t->m);
  mt_json_bool(json, "mirrored", t->mirrored);
  mt_json_real(json, "correlation", t->correlation);
  mt_json_int(json, "places", r->n);
  mt_json_real(json, "residual_rms_px", rms);
  mt_json_real(json, "residual_most_px", r->worst);
  mt_json_end(json);
  return 0;
}

static PetscErrorCode work(const MtInput *in, const char *folder, MtView *f, MtView *m, MtJson *json) {
  MtAffine t;
  Residual r = {0};
  PetscCall(read_view(mt_input_string(in, "register.fixed"), f));
  PetscCall(read_view(mt_input_string(in, "register.moving"), m));
  if (!mt_affine_find(f, m, &t))
    return mt_error(MT_ERR_FAIL, "the pictures have nothing in common that is seen in both");
  PetscCall(measure(folder, f, m, &t, &r));
  PetscCall(draw(folder, f, m, &t));
  return tell(&t, &r, json);
}

PetscErrorCode mt_register_pictures(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json) {
  MtView f = {0}, m = {0};
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = rank ? 0 : work(in, folder, &f, &m, json);
  mt_view_free(&f);
  mt_view_free(&m);
  return mt_agree_root(comm, rc);
}
