/* ranks: 1 2 3 */
/* Section grains, source labels: one volume in every format gives the same grains; and what is wrong with such files.
 */
#include "../../src/microstructure/measured.h"
#include "folder.h"
#include "magtwin/error.h"
#include "magtwin/microstructure.h"
#include "near.h"
#include "refused.h"
#include <glob.h>
#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include <cmocka.h>

enum { NX = 7, NY = 5, NZ = 6, SLICE = NX * NY, N = SLICE * NZ };
static const int names[4] = {3, 0, 7, 120};            /* labels in the files; 0 is the background */
static const int grain[4] = {0, -1, 1, 2};             /* and the numbers they must get */
static char folder[64] = "/tmp/magtwin_labels_XXXXXX"; /* made by rank 0 */
static int rank;

static int kind(int x, int y, int z) {
  return (x / 3 + 2 * (y / 2) + z / 2) % 4;
}

static int kind_at(int v) {
  return kind(v % NX, v / NX % NY, v / SLICE);
}

static const char *in_folder(const char *name) {
  static char path[160];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* ---- files, written on rank 0 ---- */

static void put(unsigned char *to, int64_t value, int bytes, bool big_endian) {
  for (int i = 0; i < bytes; i++) to[big_endian ? bytes - 1 - i : i] = (unsigned char)(value >> 8 * i);
}

static void write_npy(const char *name, const char *descr, bool fortran, int cut) {
  const int bytes = descr[2] - '0';
  unsigned char data[8 * N];
  char header[118];
  for (int v = 0; v < N; v++) {
    const int x = v % NX, y = v / NX % NY, z = v / SLICE, at = fortran ? z + NZ * (y + NY * x) : v;
    put(data + bytes * at, names[kind(x, y, z)], bytes, descr[0] == '>');
  }
  memset(header, ' ', sizeof header);
  const int n = sprintf(header, "{'descr': '%s', 'fortran_order': %s, 'shape': (%d, %d, %d), }", descr,
                        fortran ? "True" : "False", NZ, NY, NX);
  header[n] = ' ';
  header[sizeof header - 1] = '\n';
  FILE *f = fopen(in_folder(name), "wb");
  fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, f);
  fwrite(header, 1, sizeof header, f);
  fwrite(data, 1, (size_t)(bytes * N - cut), f);
  fclose(f);
}

static void write_page(TIFF *t, int z, int bits, int ny) {
  uint32_t row[NX];
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, NX);
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, ny);
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, bits);
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
  for (int y = 0; y < ny; y++) {
    for (int x = 0; x < NX; x++) put((unsigned char *)row + x * bits / 8, names[kind(x, y, z)], bits / 8, false);
    TIFFWriteScanline(t, row, (uint32_t)y, 0);
  }
  TIFFWriteDirectory(t);
}

static void write_stack(const char *name, int bits) {
  TIFF *t = TIFFOpen(in_folder(name), "w");
  for (int z = 0; z < NZ; z++) write_page(t, z, bits, NY);
  TIFFClose(t);
}

static void write_slice(int z, int bits, int ny) {
  char name[32];
  snprintf(name, sizeof name, "z%d.tif", z + 8); /* 8, 9, 10, ...: order by value */
  TIFF *t = TIFFOpen(in_folder(name), "w");
  write_page(t, z, bits, ny);
  TIFFClose(t);
}

static void write_hdf5(const char *name) {
  const hsize_t dims[3] = {NZ, NY, NX};
  int16_t data[N];
  for (int v = 0; v < N; v++) data[v] = (int16_t)names[kind_at(v)];
  const hid_t f = H5Fcreate(in_folder(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
              space = H5Screate_simple(3, dims, NULL);
  const hid_t set = H5Dcreate2(f, "grains_map", H5T_STD_I16BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_INT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  H5Dclose(set);
  H5Sclose(space);
  H5Fclose(f);
}

static void write_text(const char *name, const char *text) {
  FILE *f = fopen(in_folder(name), "w");
  fputs(text, f);
  fclose(f);
}

#define ON_RANK_0(statement)                                                                                           \
  do {                                                                                                                 \
    MPI_Barrier(PETSC_COMM_WORLD);                                                                                     \
    if (!rank) {                                                                                                       \
      statement;                                                                                                       \
    }                                                                                                                  \
    MPI_Barrier(PETSC_COMM_WORLD);                                                                                     \
  } while (0)

/* ---- reading ---- */

static PetscErrorCode read_file(const char *file, const char *more, MtLabels *l) {
  static const MtKey *const tables[] = {mt_grains_keys, NULL};
  char text[500];
  MtInput *in;
  snprintf(text, sizeof text, "grains:\n  source: labels\n  file: %s/%s\n%s", folder, file, more);
  ON_RANK_0(write_text("in.yaml", text));
  if (mt_input_read(PETSC_COMM_WORLD, in_folder("in.yaml"), 0, NULL, tables, &in)) fail_msg("%s", mt_error_message());
  PetscErrorCode rc = mt_labels_read(PETSC_COMM_WORLD, in, l);
  mt_input_destroy(&in);
  return rc;
}

static void assert_volume(const MtLabels *l) {
  int64_t voxels[3] = {0};
  for (int v = 0; v < N; v++)
    if (grain[kind_at(v)] >= 0) voxels[grain[kind_at(v)]]++;
  assert_int_equal(l->nx, NX);
  assert_int_equal(l->ny, NY);
  assert_int_equal(l->nz, NZ);
  assert_int_equal(l->ngrains, 3);
  for (int g = 0; g < 3; g++) assert_int_equal(l->voxels[g], voxels[g]);
  for (int v = 0; v < SLICE * l->nz_local; v++) assert_int_equal(l->label[v], grain[kind_at(v + SLICE * l->z0)]);
  assert_near(l->voxel[2], 10, 1e-12);
}

static void reads(const char *file, const char *more) {
  MtLabels l;
  char keys[200];
  snprintf(keys, sizeof keys, "  voxel: [4, 4, 10]\n%s", more);
  if (read_file(file, keys, &l)) fail_msg("%s: %s", file, mt_error_message());
  assert_volume(&l);
  assert_int_equal(l.source[2], 120);
  mt_labels_free(&l);
}

static void refuses(const char *file, const char *more, const char *message) {
  MtLabels l;
  assert_refused(read_file(file, more, &l), message);
}

static void npy(void **unused) {
  (void)unused;
  const char *descr[6] = {"|u1", "<i2", ">i4", "<u4", "<i8", ">u2"};
  for (int i = 0; i < 12; i++) {
    ON_RANK_0(write_npy("a.npy", descr[i / 2], i % 2, 0));
    reads("a.npy", "");
  }
}

static void bad_npy(void **unused) {
  (void)unused;
  const char *voxel = "  voxel: [4, 4, 10]\n";
  ON_RANK_0(write_npy("b.npy", "<f4", false, 0));
  refuses("b.npy", voxel, "labels must be integers");
  ON_RANK_0(write_npy("b.npy", "<i4", false, 5));
  refuses("b.npy", voxel, "truncated: it has 963 of 968 bytes");
  ON_RANK_0(write_text("b.npy", "no such format"));
  refuses("b.npy", voxel, "is not a .npy file");
  ON_RANK_0(write_npy("b.npy", "|u1", false, 0));
  refuses("b.npy", "", "give grains.voxel");
  refuses("b.npy", "  voxel: [4, 4, 10]\n  texture_axis: [0, 0, 0]\n", "direction");
  ON_RANK_0(write_text("b.dat", "x"));
  refuses("b.dat", voxel, "the format is known by the ending");
}

static void tiff(void **unused) {
  (void)unused;
  for (int bits = 8; bits <= 32; bits *= 2) {
    ON_RANK_0(write_stack("a.tif", bits));
    reads("a.tif", "");
    for (int z = 0; z < NZ; z++) ON_RANK_0(write_slice(z, bits, NY));
    reads("z*.tif", "");
  }
}

static void bad_tiff(void **unused) {
  (void)unused;
  const char *voxel = "  voxel: [4, 4, 10]\n";
  for (int z = 0; z < NZ; z++) ON_RANK_0(write_slice(z, 16, z == 4 ? NY - 1 : NY));
  refuses("z*.tif", voxel, "z12.tif: slice has 7 x 4 pixels, the first has 7 x 5");
  ON_RANK_0(remove(in_folder("z12.tif")));
  refuses("z*.tif", voxel, "z12.tif is missing");
  ON_RANK_0(write_text("c.tif", "not a picture"));
  refuses("c.tif", voxel, "c.tif: is not a readable TIFF file");
}

static void hdf5(void **unused) {
  (void)unused;
  const char *voxel = "  voxel: [4, 4, 10]\n";
  ON_RANK_0(write_hdf5("a.h5"));
  reads("a.h5", "  dataset: /grains_map\n");
  refuses("a.h5", voxel, "has no dataset /labels");
  ON_RANK_0(write_text("b.h5", "not such a file"));
  refuses("b.h5", voxel, "is not a readable HDF5 file");
}

/* Axes of a table; and a file of ours gives back what was written. */
static void axes_and_round_trip(void **unused) {
  (void)unused;
  const char *keys = "  voxel: [4, 4, 10]\n  orientations: ";
  char more[300];
  MtLabels l, again;
  ON_RANK_0(write_npy("a.npy", "|u1", false, 0));
  ON_RANK_0(write_text("axes.csv", "label,ax,ay,az\n7, 0, 0, 2\n3, 1, 0, 0\n# a remark\n120, 0, 3, 4\n"));
  snprintf(more, sizeof more, "%s%s\n", keys, in_folder("axes.csv"));
  assert_int_equal(read_file("a.npy", more, &l), 0);
  const double axis[9] = {1, 0, 0, 0, 0, 1, 0, .6, .8};
  for (int i = 0; i < 9; i++) assert_near(l.axis[i], axis[i], 1e-15);
  char path[160];
  snprintf(path, sizeof path, "%s", in_folder("labels.h5"));
  assert_int_equal(mt_labels_write(PETSC_COMM_WORLD, &l, path, NULL), 0);
  if (read_file("labels.h5", "", &again)) fail_msg("%s", mt_error_message());
  assert_volume(&again);
  for (int i = 0; i < 9; i++) assert_near(again.axis[i], axis[i], 0);
  /* the turn about the axis was drawn: crystal [001] lies along it */
  for (int g = 0; g < 3; g++) {
    const double *q = l.orientation + 4 * g, z[3] = {0, 0, 1};
    double turned[3];
    mt_quat_rotate(q, z, turned);
    for (int d = 0; d < 3; d++) assert_near(turned[d], l.axis[3 * g + d], 1e-14);
    for (int d = 0; d < 4; d++) assert_near(again.orientation[4 * g + d], q[d], 0);
  }
  mt_labels_free(&l);
  mt_labels_free(&again);
}

/* Quaternions instead of axes: the axis is that of crystal [001]. */
static void orientations_of_a_table(void **unused) {
  (void)unused;
  char more[300];
  MtLabels l;
  ON_RANK_0(write_npy("a.npy", "|u1", false, 0));
  ON_RANK_0(write_text("turns.csv", "7, 1, 0, 0, 0\n3, 1, 1, 0, 0\n120, 3, 0, 4, 0\n"));
  snprintf(more, sizeof more, "  voxel: [4, 4, 10]\n  orientations: %s\n", in_folder("turns.csv"));
  assert_int_equal(read_file("a.npy", more, &l), 0);
  const double axis[9] = {0, -1, 0, 0, 0, 1, .96, 0, -.28}, turn[4] = {.6, 0, .8, 0};
  for (int i = 0; i < 9; i++) assert_near(l.axis[i], axis[i], 1e-15);
  for (int i = 0; i < 4; i++) assert_near(l.orientation[8 + i], turn[i], 1e-15);
  mt_labels_free(&l);
  ON_RANK_0(write_text("turns.csv", "7, 1, 0, 0, 0\n3, 1, 1, 0\n"));
  refuses("a.npy", more, "turns.csv:2:11: expected 5 numbers");
}

static void drawn_axes(void **unused) {
  (void)unused;
  MtLabels l;
  ON_RANK_0(write_npy("a.npy", "|u1", false, 0));
  assert_int_equal(read_file("a.npy", "  voxel: [4, 4, 10]\n  texture_axis: [1, 0, 0]\n  texture_spread: 0\n", &l), 0);
  for (int g = 0; g < 3; g++) assert_near(l.axis[3 * g], 1, 1e-12);
  mt_labels_free(&l);
}

static void bad_axes(void **unused) {
  (void)unused;
  char more[300];
  ON_RANK_0(write_npy("a.npy", "|u1", false, 0));
  snprintf(more, sizeof more, "  voxel: [4, 4, 10]\n  orientations: %s\n", in_folder("axes.csv"));
  ON_RANK_0(write_text("axes.csv", "3,1,0,0\n7,1,0\n"));
  refuses("a.npy", more, "axes.csv:2:");
  ON_RANK_0(write_text("axes.csv", "3,1,0,0\n7,0,0,0\n"));
  refuses("a.npy", more, "axes.csv:2: the axis of label 7 has no direction");
  ON_RANK_0(write_text("axes.csv", "3,1,0,0\n3,1,0,0\n"));
  refuses("a.npy", more, "axes.csv:2: label 3 is given twice");
  ON_RANK_0(write_text("axes.csv", "3,1,0,0\n7,1,0,0\n"));
  refuses("a.npy", more, "has no axis for label 120");
}

static int make_folder(void **unused) {
  (void)unused;
  return folder_make(folder, &rank);
}

static int remove_folder(void **unused) {
  (void)unused;
  glob_t g;
  MPI_Barrier(PETSC_COMM_WORLD);
  if (rank) return 0;
  if (!glob(in_folder("*"), 0, NULL, &g))
    for (size_t i = 0; i < g.gl_pathc; i++) remove(g.gl_pathv[i]);
  globfree(&g);
  return rmdir(folder);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(npy),
      cmocka_unit_test(bad_npy),
      cmocka_unit_test(tiff),
      cmocka_unit_test(bad_tiff),
      cmocka_unit_test(hdf5),
      cmocka_unit_test(axes_and_round_trip),
      cmocka_unit_test(orientations_of_a_table),
      cmocka_unit_test(drawn_axes),
      cmocka_unit_test(bad_axes),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  if (PetscFinalize()) return 1;
  return failed;
}
