/* ranks: 1 2 */
/* A small ball with a steep anisotropy runs its field path; then the end of the run is taken away, damaged or given to
 * another input, and the run is continued.  What comes out must be the uninterrupted run's curve to the byte. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/measured.h"
#include "magtwin/micromagnetics.h"
#include "magtwin/run.h"

#include "ball.h"
#include "near.h"
#include "refused.h"
#include <unistd.h>

static char folder[64], mesh_path[96], input_path[96];
static char *reference;
static int rank;

static const char input_text[] = "field:\n"
                                 "  direction: [0.2, 0, 1]\n"
                                 "  start: 1 T\n"
                                 "  segments:\n"
                                 "    - {to: -6 T, step: 0.5 T, dm_max: 0.05, resolution: 0.1 T}\n"
                                 "minimizer: {torque: 1 mT}\n"
                                 "demagnetizing: {modes: 2}\n"
                                 "checkpoint: {every_steps: 7}\n"
                                 "output: {states: events}\n"
                                 "materials: {grain: hard}\n";
static const char library_text[] =
    "materials:\n"
    "  - {name: hard, A: 7.7 pJ/m, Js: 1.61 T, K1: %s MJ/m3, Ks: 0.01 mJ/m2, source: test}\n"
    "  - {name: nonmagnetic, A: 0 pJ/m, Js: 0 T, K1: 0 MJ/m3, source: test}\n";

static char *path_of(const char *name, char path[128]) {
  snprintf(path, 128, "%s/%s", folder, name);
  return path;
}

/* The whole file on every rank. */
static char *slurp(const char *name) {
  char path[128], *text = NULL;
  long n = 0;
  if (!rank) {
    FILE *f = fopen(path_of(name, path), "rb");
    if (f) {
      fseek(f, 0, SEEK_END);
      n = ftell(f);
      rewind(f);
      text = calloc((size_t)n + 1, 1);
      n = (long)fread(text, 1, (size_t)n, f);
      fclose(f);
    }
  }
  assert_int_equal(MPI_Bcast(&n, 1, MPI_LONG, 0, PETSC_COMM_WORLD), 0);
  if (!text) text = calloc((size_t)n + 1, 1);
  assert_int_equal(MPI_Bcast(text, (int)n, MPI_BYTE, 0, PETSC_COMM_WORLD), 0);
  return text;
}

/* The materials, with this K1. */
static void write_library(const char *K1) {
  char path[128], text[512];
  snprintf(text, sizeof text, library_text, K1);
  if (!rank) assert_int_equal(mt_file_write(path_of("hard.yaml", path), text), 0);
  assert_int_equal(MPI_Barrier(PETSC_COMM_WORLD), 0);
}

static PetscErrorCode run(bool resume, const char *change, const char *mesh) {
  const MtKey *const tables[] = {mt_materials_keys, mt_demag_keys, mt_measured_keys, NULL};
  char library[160], override[128];
  char *const overrides[] = {library, override};
  snprintf(library, sizeof library, "materials.library=%s/hard.yaml", folder);
  MtInput *in;
  bool stopped = true;
  if (change) snprintf(override, sizeof override, "%s", change);
  PetscErrorCode rc =
      mt_input_read_for(PETSC_COMM_WORLD, input_path, change ? 2 : 1, overrides, tables, "materials field", &in);
  if (rc) return rc;
  MtJson *json = mt_json_new();
  rc = mt_hysteresis_run(PETSC_COMM_WORLD, in, mesh, folder, resume, json, &stopped);
  if (!rc) assert_false(stopped);
  mt_json_free(&json);
  mt_input_destroy(&in);
  return rc;
}

/* Overwrites some bytes in the middle of a file, or cuts it there. */
static void damage(const char *name, bool cut) {
  char path[128];
  if (!rank) {
    FILE *f = fopen(path_of(name, path), "r+b");
    fseek(f, 0, SEEK_END);
    long middle = ftell(f) / 2;
    fseek(f, middle, SEEK_SET);
    for (int i = 0; !cut && i < 4096; i++) fputc(0x5a, f);
    fclose(f);
    if (cut) assert_int_equal(truncate(path, middle), 0);
  }
  assert_int_equal(MPI_Barrier(PETSC_COMM_WORLD), 0);
}

static void check_curve(void) {
  char *text = slurp("curve.csv");
  assert_string_equal(text, reference);
  free(text);
}

static void test_whole_run(void **state) {
  (void)state;
  assert_int_equal(run(false, NULL, mesh_path), 0);
  reference = slurp("curve.csv");
  int lines = 0;
  for (const char *s = reference; *s; s++) lines += *s == '\n';
  assert_non_null(strstr(reference, ",event,converged,e_surface_J/m3\n"));
  assert_true(lines > 12); /* header, 1 T to past the reversal */
}

/* The last checkpoint is whole: nothing is left to do, and nothing is written twice. */
static void test_finished(void **state) {
  (void)state;
  assert_int_equal(run(true, NULL, mesh_path), 0);
  check_curve();
}

/* Damage in the middle, and a file cut short: the checkpoint before it is taken, which lacks some steps. */
static void test_damaged(void **state) {
  (void)state;
  for (int cut = 0; cut < 2; cut++) {
    int warnings = mt_warn_count();
    assert_int_equal(run(false, NULL, mesh_path), 0);
    damage("checkpoint.h5", cut);
    assert_int_equal(run(true, NULL, mesh_path), 0);
    assert_true(mt_warn_count() > warnings);
    assert_non_null(strstr(mt_warn_text(mt_warn_count() - 1), ".prev"));
    check_curve();
  }
}

/* Lines of curve.csv that no checkpoint knows are cut off; a half-written one too. */
static void test_surplus_lines(void **state) {
  (void)state;
  char path[128];
  if (!rank) {
    FILE *f = fopen(path_of("curve.csv", path), "a");
    fputs("99,0,-9\n100,0", f);
    fclose(f);
  }
  assert_int_equal(run(true, NULL, mesh_path), 0);
  check_curve();
}

static void test_other_input(void **state) {
  (void)state;
  assert_int_equal(run(true, "demagnetizing.modes=3", mesh_path), MT_ERR_INPUT);
  assert_non_null(strstr(mt_error_message(), "another input"));
  assert_non_null(strstr(mt_error_message(), "modes: 2"));
  mt_error_clear();
  assert_int_equal(run(true, "minimizer.max_iterations=4000", mesh_path), 0); /* this may change */
  check_curve();
}

/* The same ball and counts, one of the nodes elsewhere. */
static void test_other_mesh(void **state) {
  (void)state;
  MtMeshData d = {0};
  char other[128];
  const Ball b = {.n = 8, .s0 = .5, .a = {4.001}, .round = true, .R = 6};
  if (!rank) ball_make(&b, &d);
  assert_int_equal(mt_mesh_data_write(PETSC_COMM_WORLD, rank ? NULL : &d, path_of("other.h5", other), ""), 0);
  mt_mesh_data_free(&d);
  assert_refused(run(true, NULL, other), "another mesh");
}

static void test_other_material(void **state) {
  (void)state;
  write_library("4.4");
  assert_refused(run(true, NULL, mesh_path), "other materials");
  write_library("4.3");
}

/* Without any usable checkpoint a continuation is refused; with none at all the run starts anew. */
static void test_none_usable(void **state) {
  (void)state;
  char path[128];
  damage("checkpoint.h5", true);
  damage("checkpoint.h5.prev", true);
  assert_int_equal(run(true, NULL, mesh_path), MT_ERR_INPUT);
  mt_error_clear();
  if (!rank) {
    unlink(path_of("checkpoint.h5", path));
    unlink(path_of("checkpoint.h5.prev", path));
  }
  assert_int_equal(MPI_Barrier(PETSC_COMM_WORLD), 0);
  assert_int_equal(run(true, NULL, mesh_path), 0);
  check_curve();
}

static int setup(void **state) {
  (void)state;
  MtMeshData d = {0};
  const Ball b = {.n = 8, .s0 = .5, .a = {4}, .round = true, .R = 6};
  assert_int_equal(MPI_Comm_rank(PETSC_COMM_WORLD, &rank), 0);
  strcpy(folder, "/tmp/mt_checkpoint_XXXXXX");
  if (!rank && !mkdtemp(folder)) return 1;
  assert_int_equal(MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, PETSC_COMM_WORLD), 0);
  snprintf(mesh_path, sizeof mesh_path, "%s/mesh.h5", folder);
  snprintf(input_path, sizeof input_path, "%s/run.yaml", folder);
  if (!rank) {
    ball_make(&b, &d);
    if (mt_file_write(input_path, input_text)) return 1;
  }
  write_library("4.3");
  PetscErrorCode rc = mt_mesh_data_write(PETSC_COMM_WORLD, rank ? NULL : &d, mesh_path, "");
  mt_mesh_data_free(&d);
  return rc;
}

static int teardown(void **state) {
  (void)state;
  char command[128];
  free(reference);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  assert_int_equal(MPI_Barrier(PETSC_COMM_WORLD), 0);
  return rank ? 0 : system(command);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole_run),      cmocka_unit_test(test_finished),
                                     cmocka_unit_test(test_damaged),        cmocka_unit_test(test_surplus_lines),
                                     cmocka_unit_test(test_other_input),    cmocka_unit_test(test_other_mesh),
                                     cmocka_unit_test(test_other_material), cmocka_unit_test(test_none_usable)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, setup, teardown);
  return PetscFinalize() || failed;
}
