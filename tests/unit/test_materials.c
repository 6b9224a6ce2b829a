/* ranks: 1 2 */
/* The library that comes with the program, which material each region gets, and what a user who mistypes is told. */
#include "magtwin/error.h"
#include "magtwin/micromagnetics.h"
#include "near.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static MtRegionKind kind[] = {MT_REGION_GRAIN,  MT_REGION_GRAIN,    MT_REGION_GB,
                              MT_REGION_TRIPLE, MT_REGION_JUNCTION, MT_REGION_AIR};
static char *name[] = {"grain 0", "grain 1", "gb 0-1", "triple_line 0-1-2 #1", "junction 0-1-2-3 #1", "air"};
static MtRegions regions = {.n = 6, .kind = kind, .name = name};

static PetscErrorCode read_text(const char *yaml, MtInput **in) {
  static const MtKey source[] = {
      {.path = "grains.source", .type = MT_KEY_STRING, .def = "generated", .help = "as the program has it"}, {0}};
  static const MtKey *const tables[] = {mt_materials_keys, source, NULL};
  char path[] = "/tmp/magtwin-materials-XXXXXX";
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) {
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, yaml, strlen(yaml)) < 0 || close(fd)) return MT_ERR_FAIL;
  }
  PetscCallMPI(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, PETSC_COMM_WORLD));
  mt_error_clear();
  *in = NULL;
  PetscErrorCode rc = mt_input_read(PETSC_COMM_WORLD, path, 0, NULL, tables, in);
  if (!rank) unlink(path);
  return rc;
}

/* Materials of the regions for an input given as text. */
static PetscErrorCode assign(const char *yaml, MtMaterial **m) {
  MtInput *in;
  PetscErrorCode rc = read_text(yaml, &in);
  *m = NULL;
  if (!rc) rc = mt_materials_assign(PETSC_COMM_WORLD, in, &regions, m);
  mt_input_destroy(&in);
  return rc;
}

static void check_names(const char *yaml, const char *const expected[6]) {
  MtMaterial *m;
  PetscErrorCode rc = assign(yaml, &m);
  if (rc) print_error("%s\n", mt_error_message());
  assert_int_equal(rc, 0);
  for (int i = 0; i < 6; i++) assert_string_equal(m[i].name, expected[i]);
  free(m);
}

static void defaults_are_hard_grains_in_a_nonmagnetic_phase(void **state) {
  (void)state;
  const char *const expected[] = {"Nd2Fe14B", "Nd2Fe14B", "nonmagnetic", "nonmagnetic", "nonmagnetic", "air"};
  check_names("materials: {grain: Nd2Fe14B}\n", expected);
}
static void the_gb_phase_fills_lines_and_junctions_too(void **state) {
  (void)state;
  const char *const expected[] = {"Nd2Fe14B", "Nd2Fe14B", "gb-0.75T", "gb-0.75T", "nonmagnetic", "air"};
  check_names("materials:\n  gb: gb-0.75T\n  junction: nonmagnetic\n", expected);
}
static void later_assignments_win_and_spare_the_air(void **state) {
  (void)state;
  const char *const expected[] = {"alpha-Fe", "SmCo5", "alpha-Fe", "alpha-Fe", "alpha-Fe", "air"};
  check_names(
      "materials:\n  assign:\n    - {region: '*', material: alpha-Fe}\n    - {region: grain 1, material: SmCo5}\n",
      expected);
}

/* references: A 7.7e-12 J/m, K1 4.3e6 J/m3, Js 1.61 T: anisotropy field 2 K1 mu0/Js = 6.7125 T. */
static void Nd2Fe14B_has_its_anisotropy_field(void **state) {
  (void)state;
  MtMaterial *m;
  assert_int_equal(assign("materials: {grain: Nd2Fe14B}\n", &m), 0);
  assert_near(2 * MT_MU0 * m[0].K1 / m[0].Js, 6.7125, 1e-4);
  assert_near(m[0].A, 7.7e-12, 1e-20);
  assert_near(m[0].K2, 0, 0);
  assert_near(m[2].Js, 0, 0);
  free(m);
}

static void refused(const char *yaml, const char *place, const char *rule) {
  MtMaterial *m;
  assert_int_equal(assign(yaml, &m), MT_ERR_INPUT);
  assert_null(m);
  if (!strstr(mt_error_message(), place) || !strstr(mt_error_message(), rule)) {
    print_error("%s\n", mt_error_message());
    fail();
  }
}
static void unknown_material_is_refused_with_the_nearest(void **state) {
  (void)state;
  refused("materials:\n  grain: Nd2Fe14\n", ":2:10", "did you mean Nd2Fe14B?");
  refused("materials:\n  gb: unobtainium\n", ":2:7", "no material \"unobtainium\"");
}
static void unknown_region_is_refused_with_the_nearest(void **state) {
  (void)state;
  refused("materials:\n  assign:\n    - region: grain 11\n      material: SmCo5\n", ":3:15",
          "did you mean \"grain 1\"?");
}
static void anisotropy_without_an_axis_is_refused(void **state) {
  (void)state;
  refused("materials:\n  gb: SmCo5\n", "", "no easy axis");
}

/* Nd2Fe14B's table has the values of its older relatives; between 400 and 450 K linear. */
static void temperature_interpolates_the_table(void **state) {
  (void)state;
  MtMaterial *m, *old;
  assert_int_equal(assign("materials: {grain: Nd2Fe14B, temperature: 400 K}\n", &m), 0);
  assert_int_equal(assign("materials: {grain: Nd2Fe14B-400K}\n", &old), 0);
  assert_near(m[0].Js, old[0].Js, 0);
  assert_near(m[0].K1, old[0].K1, 0);
  assert_near(m[0].A, old[0].A, 0);
  free(m);
  free(old);
  assert_int_equal(assign("materials: {grain: Nd2Fe14B, temperature: 425 K}\n", &m), 0);
  assert_near(m[0].Js, (1.416 + 1.29) / 2, 1e-12);
  assert_near(m[0].K1, (2.83e6 + 2.09e6) / 2, 1e-6);
  free(m);
  refused("materials:\n  temperature: 500 K\n", ":2:16", "goes from 300 to 473 K");
}

/* materials.library of one material, written for the test. */
static void library_refused(const char *material, const char *rule) {
  char path[] = "/tmp/magtwin-library-XXXXXX", yaml[256];
  PetscMPIInt rank;
  assert_int_equal(MPI_Comm_rank(PETSC_COMM_WORLD, &rank), 0);
  if (!rank) {
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, material, strlen(material)) > 0 && !close(fd));
  }
  assert_int_equal(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, PETSC_COMM_WORLD), 0);
  snprintf(yaml, sizeof yaml, "materials: {library: %s, grain: X, gb: X}\n", path);
  refused(yaml, "", rule);
  assert_int_equal(MPI_Barrier(PETSC_COMM_WORLD), 0);
  if (!rank) unlink(path);
}
static void bad_constants_are_refused(void **state) {
  (void)state;
  const char *head = "materials:\n  - {name: X, source: test, A: 1 pJ/m, ";
  const struct {
    const char *rest, *rule;
  } bad[] = {{"Js: -1 T}\n", "materials[0].Js"},
             {"Js: 1 T, K1: .nan}\n", "materials[0].K1"},
             {"Js: 1 T, table: {T: [300, 200], Js: [1, 1]}}\n", "must ascend"},
             {"Js: 1 T, table: {T: [300, 400], Js: [1]}}\n", "has 1 values, but table.T has 2"},
             {"Js: 1 T, Kc1: 4e4}\n", "no orientations"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[256];
    snprintf(text, sizeof text, "%s%s", head, bad[i].rest);
    library_refused(text, bad[i].rule);
  }
}

/* sqrt(A/Km) and sqrt(A/K1) of Nd2Fe14B by hand, Km = Js^2/(2 mu0); the smallest of all materials counts. */
static void exchange_lengths(void **state) {
  (void)state;
  const struct {
    const char *yaml, *material;
    double exchange, bloch, least;
  } known[] = {
      {"materials: {grain: Nd2Fe14B}\n", "Nd2Fe14B", 2.7324, 1.3382, 1.3382},
      {"materials: {grain: Nd2Fe14B, gb: gb-0.5T}\n", "Nd2Fe14B", 2.7324, 1.3382, 1.3382},
      {"materials: {grain: nonmagnetic, gb: gb-0.5T}\n", "gb-0.5T", 5.0133, 0, 5.0133},
      {"materials: {grain: X, change: [{material: X, like: Nd2Fe14B, K1: 0.5 MJ/m3}]}\n", "X", 2.7324, 3.9243, 2.7324}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    MtInput *in;
    MtLengths l;
    assert_int_equal(read_text(known[i].yaml, &in), 0);
    assert_int_equal(mt_materials_lengths(PETSC_COMM_WORLD, in, &l), 0);
    assert_string_equal(l.material, known[i].material);
    assert_near(l.exchange, known[i].exchange, 1e-4);
    assert_near(l.bloch, known[i].bloch, 1e-4);
    assert_near(l.least, known[i].least, 1e-4);
    mt_input_destroy(&in);
  }
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(mt_error_install());
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_hard_grains_in_a_nonmagnetic_phase),
      cmocka_unit_test(the_gb_phase_fills_lines_and_junctions_too),
      cmocka_unit_test(later_assignments_win_and_spare_the_air),
      cmocka_unit_test(Nd2Fe14B_has_its_anisotropy_field),
      cmocka_unit_test(unknown_material_is_refused_with_the_nearest),
      cmocka_unit_test(unknown_region_is_refused_with_the_nearest),
      cmocka_unit_test(anisotropy_without_an_axis_is_refused),
      cmocka_unit_test(temperature_interpolates_the_table),
      cmocka_unit_test(bad_constants_are_refused),
      cmocka_unit_test(exchange_lengths),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
