/* ranks: 1 2 3 */
/* Stacks of slices: every format reads back what was written, what is wrong with a stack is said, and the generated
 * stack does not depend on the ranks. */
#include "../../src/tomography/scene.h"
#include "../../src/tomography/slabs.h"
#include "folder.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/image.h"
#include "magtwin/tomography.h"
#include "near.h"
#include "refused.h"
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { NX = 11, NY = 9, NZ = 7, SLICE = NX * NY };
static char folder[64] = "/tmp/magtwin_stack_XXXXXX"; /* made by rank 0 */
static int rank;

static const char *in_folder(const char *name) {
  static char path[4][160];
  static int turn;
  turn = (turn + 1) % 4;
  snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
  return path[turn];
}

#define ON_RANK_0(statement)                                                                                           \
  do {                                                                                                                 \
    MPI_Barrier(PETSC_COMM_WORLD);                                                                                     \
    if (!rank) {                                                                                                       \
      statement;                                                                                                       \
    }                                                                                                                  \
    MPI_Barrier(PETSC_COMM_WORLD);                                                                                     \
  } while (0)

static float gray_at(int i, int j, int k) {
  return (float)((7 * i + 3 * j + 11 * k + i * j * k % 5) % 101) / 100;
}

static void paint(int k, float *gray) {
  for (int v = 0; v < SLICE; v++) gray[v] = gray_at(v % NX, v / NX, k);
}

static void write_one(const char *name, int k, MtImage im, bool black) {
  float gray[2 * SLICE] = {0};
  if (!black) paint(k, gray);
  if (mt_image_write(in_folder(name), &im, gray)) fail_msg("%s", mt_error_message());
}

static void clear(void) {
  glob_t g;
  if (!glob(in_folder("s_*"), 0, NULL, &g))
    for (size_t i = 0; i < g.gl_pathc; i++) unlink(g.gl_pathv[i]);
  globfree(&g);
}

static void write_series(const char *ending, MtImage im) {
  char name[32];
  clear();
  for (int k = 0; k < NZ; k++) {
    snprintf(name, sizeof name, "s_%d.%s", 8 + k, ending); /* 8, 9, 10: order by value */
    write_one(name, k, im, false);
  }
}

static void write_pages(MtImage im, double bytes) {
  MtTiff *t;
  float gray[SLICE];
  clear();
  assert_int_equal(mt_tiff_create(in_folder("s_all.tif"), bytes, &t), 0);
  for (int k = 0; k < NZ; k++) {
    paint(k, gray);
    assert_int_equal(mt_tiff_add(t, &im, gray), 0);
  }
  mt_tiff_close(&t);
}

static PetscErrorCode read_stack(const char *pattern, const char *more, MtStack *s) {
  static const MtKey *const tables[] = {mt_stack_keys, NULL};
  char text[400];
  MtInput *in;
  snprintf(text, sizeof text, "stack:\n  files: %s/%s\n%s", folder, pattern, more);
  ON_RANK_0(assert_int_equal(mt_file_write(in_folder("in.yaml"), text), 0));
  PetscErrorCode rc = mt_input_read(PETSC_COMM_WORLD, in_folder("in.yaml"), 0, NULL, tables, &in);
  if (rc) return rc;
  rc = mt_stack_read(PETSC_COMM_WORLD, in, s, NULL);
  mt_input_destroy(&in);
  return rc;
}

#define VOXEL "  voxel: [4, 4, 10]\n"

static void reads(const char *pattern, double tolerance) {
  MtStack s;
  if (read_stack(pattern, VOXEL, &s)) fail_msg("%s: %s", pattern, mt_error_message());
  assert_int_equal(s.nx, NX);
  assert_int_equal(s.ny, NY);
  assert_int_equal(s.nz, NZ);
  for (int k = 0; k < s.nz_local; k++)
    for (int v = 0; v < SLICE; v++) assert_near(s.gray[k * SLICE + v], gray_at(v % NX, v / NX, s.z0 + k), tolerance);
  mt_stack_free(&s);
}

static void formats(void **unused) {
  (void)unused;
  const MtImage depth[] = {{NX, NY, 8, false}, {NX, NY, 16, false}, {NX, NY, 32, false}, {NX, NY, 32, true}};
  const double step[] = {.5 / 255, .5 / 65535, 1e-7, 0};
  for (int i = 0; i < 4; i++) {
    ON_RANK_0(write_series("tif", depth[i]));
    reads("s_*.tif", step[i] + 1e-7);
    ON_RANK_0(write_pages(depth[i], i % 2 ? 1 : 1e10)); /* also as BigTIFF */
    reads("s_all.tif", step[i] + 1e-7);
    if (i < 2) {
      ON_RANK_0(write_series("png", depth[i]));
      reads("s_*.png", step[i] + 1e-7);
    }
  }
}

static void refuses(const char *more, const char *message) {
  MtStack s;
  assert_refused(read_stack("s_*.*", more, &s), message);
}

/* Reads with slice k lost. */
static void fills(int k) {
  MtStack s;
  if (read_stack("s_*.*", VOXEL "  missing: interpolate\n", &s)) fail_msg("%s", mt_error_message());
  assert_int_equal(s.nlost, 1);
  assert_int_equal(s.nz, NZ);
  assert_int_equal(s.lost[k], 1);
  mt_stack_free(&s);
}

static void shorten(const char *name) {
  FILE *f = fopen(in_folder(name), "r+");
  fseek(f, 0, SEEK_END);
  const long size = ftell(f);
  fclose(f);
  assert_int_equal(truncate(in_folder(name), size - 60), 0);
}

static void bad_slices(void **unused) {
  (void)unused;
  const MtImage plain = {NX, NY, 8, false}, tall = {NX, NY + 1, 8, false}, deep = {NX, NY, 16, false};
  ON_RANK_0(write_series("png", plain));
  ON_RANK_0(unlink(in_folder("s_11.png")));
  refuses(VOXEL, "slice 11 is missing: there is no ");
  fills(3);
  ON_RANK_0(write_one("s_011.png", 3, plain, false); write_one("s_11.png", 3, plain, false));
  refuses(VOXEL, "slice 11 is there twice");
  ON_RANK_0(unlink(in_folder("s_011.png")); write_one("s_11.png", 3, tall, false));
  refuses(VOXEL, "s_11.png has 11 x 10 pixels");
  ON_RANK_0(write_one("s_11.png", 3, deep, false));
  refuses(VOXEL, "s_11.png has 16 bit integers");
  ON_RANK_0(write_one("s_11.png", 3, plain, true));
  refuses(VOXEL, "slice 3 (");
  fills(3);
  ON_RANK_0(write_one("s_11.png", 2, plain, false));
  refuses(VOXEL, "is a copy of the slice before it");
  fills(3);
  ON_RANK_0(write_one("s_11.png", 3, plain, false); shorten("s_11.png"));
  refuses(VOXEL, "s_11.png: is not a readable PNG file, or it is truncated");
  fills(3);
}

static void bad_files(void **unused) {
  (void)unused;
  const MtImage plain = {NX, NY, 16, false};
  ON_RANK_0(write_series("tif", plain); shorten("s_12.tif"));
  refuses(VOXEL, "s_12.tif");
  fills(4);
  ON_RANK_0(mt_file_write(in_folder("s_12.tif"), "no picture"));
  refuses(VOXEL, "s_12.tif: is not a readable TIFF file");
  ON_RANK_0(write_one("s_12.tif", 4, plain, false));
  refuses("", "stack.voxel");
  refuses("  voxel: [0, 4, 4]\n", "stack.voxel");
  refuses("  voxel: [4, 4, 400]\n", "more than 50 times as coarse");
  ON_RANK_0(clear(); write_one("s_1.tif", 0, plain, false));
  refuses(VOXEL, "is one picture");
  unsigned char rgb[3 * SLICE] = {0};
  ON_RANK_0(clear(); mt_image_write_colour(in_folder("s_1.png"), NX, NY, rgb);
            mt_image_write_colour(in_folder("s_2.png"), NX, NY, rgb));
  refuses(VOXEL, "is not a gray picture");
}

static void halos(void **unused) {
  (void)unused;
  int size;
  int64_t z0, n;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  mt_slab(NZ, rank, size, &z0, &n);
  int mine[2 * NZ], halo[2 * (NZ + 9)];
  for (int k = 0; k < n; k++) mine[2 * k] = mine[2 * k + 1] = (int)z0 + k;
  for (int i = 0; i < 2 * (NZ + 9); i++) halo[i] = -1;
  assert_int_equal(mt_slab_halo(PETSC_COMM_WORLD, NZ, 4, 5, 2, MPI_INT, mine, halo), 0);
  for (int k = 0; k < n + 9 && n; k++) {
    const int z = (int)z0 - 4 + k;
    assert_int_equal(halo[2 * k + 1], z >= 0 && z < NZ ? z : -1);
  }
}

/* ---- the generated stack ---- */

static void draw(MPI_Comm comm, const char *name, const char *more) {
  static const MtKey *const tables[] = {mt_grains_keys, mt_generate_keys, NULL};
  char text[500], path[160];
  MtInput *in;
  snprintf(text, sizeof text,
           "grains: {source: generated, count: 6, box: [80, 64, 40]}\ngenerate: {voxel: [4, 4, 4], marks: 8%s}\n",
           more);
  snprintf(path, sizeof path, "%s", in_folder("draw.yaml"));
  ON_RANK_0(assert_int_equal(mt_file_write(path, text), 0));
  if (mt_input_read(PETSC_COMM_WORLD, path, 0, NULL, tables, &in)) fail_msg("%s", mt_error_message());
  MtJson *json = mt_json_new();
  if (comm != MPI_COMM_NULL) {
    snprintf(path, sizeof path, "%s", in_folder(name));
    if (mt_stack_generate(comm, in, path, json)) fail_msg("%s", mt_error_message());
  }
  mt_json_free(&json);
  mt_input_destroy(&in);
  MPI_Barrier(PETSC_COMM_WORLD);
}

static bool same_bytes(const char *a, const char *b) {
  FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
  bool same = f && g;
  for (int c = 0; same && c != EOF;) same = (c = fgetc(f)) == fgetc(g);
  if (f) fclose(f);
  if (g) fclose(g);
  return same;
}

static void ranks_do_not_matter(void **unused) {
  (void)unused;
  draw(PETSC_COMM_WORLD, "many", "");
  draw(rank ? MPI_COMM_NULL : MPI_COMM_SELF, "one", "");
  const char *files[] = {"slices/slice_0000.tif", "slices/slice_0009.tif", "truth_drift.csv", "truth_grains.csv"};
  for (int i = 0; i < 4; i++) {
    char a[80], b[80];
    snprintf(a, sizeof a, "many/%s", files[i]);
    snprintf(b, sizeof b, "one/%s", files[i]);
    if (!same_bytes(in_folder(a), in_folder(b))) fail_msg("%s differs", files[i]);
  }
  draw(PETSC_COMM_WORLD, "many", ", format: tiff-stack, bits: 16");
  draw(rank ? MPI_COMM_NULL : MPI_COMM_SELF, "one", ", format: tiff-stack, bits: 16");
  assert_true(same_bytes(in_folder("many/slices/slice_all.tif"), in_folder("one/slices/slice_all.tif")));
}

/* Three grains about the z axis: gray values summed over a fine grid.  Over a line across a boundary the excess is that
 * of the film, thickness times contrast, though it is thinner than a pixel; over the plane with pockets alone it is
 * that of a circle. */
static MtScene three_grains(double *seed, double *weight, double *gray) {
  for (int g = 0; g < 3; g++) {
    seed[3 * g] = 10 * cos(2 * MT_PI * g / 3);
    seed[3 * g + 1] = 10 * sin(2 * MT_PI * g / 3);
    seed[3 * g + 2] = weight[g] = 0;
    gray[g] = .4;
  }
  MtScene s = {.stretch = {1, 1, 1}, .seed = 1, .gray = gray, .width = 4, .gb_gray = .9, .pocket_gray = .9};
  s.power = (MtPower){.n = 3, .seed = seed, .weight = weight};
  return s;
}

static double excess(const MtScene *s, double x0, double x1, double y0, double y1, double step, int *pockets) {
  const int list[3] = {0, 1, 2};
  double sum = 0;
  *pockets = 0;
  for (double y = y0 + step / 2; y < y1; y += step)
    for (double x = x0 + step / 2; x < x1; x += step) {
      MtScenePoint p;
      mt_scene_at(s, (double[3]){x, y, 0}, 3, list, &p);
      sum += p.value - .4;
      *pockets += p.pocket;
    }
  return sum * step * step;
}

static void film_and_pocket_have_their_size(void **unused) {
  (void)unused;
  double seed[9], weight[3], gray[3];
  int pockets;
  MtScene s = three_grains(seed, weight, gray);
  s.gb = 1; /* of a pixel of 4: the boundary of grains 1 and 2 is the negative x axis */
  assert_near(excess(&s, -60, -40, -10, 10, .05, &pockets), 20 * 1 * .5, .02);
  assert_int_equal(pockets, 0);
  s.gb = 0;
  s.width = .1;
  s.pocket = 6;
  s.pocket_fraction = 1;
  const double area = excess(&s, -12, 12, -12, 12, .05, &pockets) / .5;
  const double radius = 6 * (.6 + .8 * mt_scene_chance(s.seed + 1, 0, 1, 2));
  assert_near(area, MT_PI * radius * radius, .01 * area);
  assert_near(pockets * .05 * .05, MT_PI * radius * radius, .01 * area);
}

static int make_folder(void **unused) {
  (void)unused;
  return folder_make(folder, &rank);
}

static int remove_folder(void **unused) {
  (void)unused;
  char command[100];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  MPI_Barrier(PETSC_COMM_WORLD);
  return rank ? 0 : system(command);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(formats),
      cmocka_unit_test(bad_slices),
      cmocka_unit_test(bad_files),
      cmocka_unit_test(halos),
      cmocka_unit_test(ranks_do_not_matter),
      cmocka_unit_test(film_and_pocket_have_their_size),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  if (PetscFinalize()) return 1;
  return failed;
}
