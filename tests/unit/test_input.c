/* ranks: 1 2 */
/* The input language: values, units, overrides, canonical text, every kind of bad input, and texts that are no input at
 * all. */
#include "magtwin/error.h"
#include "magtwin/input.h"
#include "refused.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const MtKey mesh_keys[] = {
    {.path = "mesh.size", .type = MT_KEY_REAL, .dim = MT_DIM_LENGTH, .min = 0.1, .max = 1e4, .help = "edge length"},
    {.path = "mesh.gb.thickness",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "3 nm",
     .max = INFINITY,
     .exclusive_min = true,
     .help = "thickness"},
    {.path = "mesh.gb.layers", .type = MT_KEY_INT, .def = "1", .min = 1, .max = 8, .help = "layers"},
    {.path = "mesh.kind", .type = MT_KEY_CHOICE, .def = "ball", .choices = "ball|brick|file", .help = "shape"},
    {.path = "mesh.file", .type = MT_KEY_PATH, .when = "mesh.kind=file", .help = "file"},
    {.path = "mesh.radius",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "10",
     .when = "mesh.kind=ball",
     .help = "radius"},
    {.path = "mesh.edges",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_LENGTH,
     .when = "mesh.kind=brick",
     .max = 100,
     .help = "edges"},
    {.path = NULL},
};
static const MtKey other_keys[] = {
    {.path = "title", .type = MT_KEY_STRING, .def = "", .help = "title"},
    {.path = "field.on", .type = MT_KEY_BOOL, .def = "true", .help = "on"},
    {.path = "field.steps",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_FIELD,
     .def = "",
     .min = -INFINITY,
     .max = 10,
     .help = "steps"},
    {.path = "field.names", .type = MT_KEY_STRINGS, .def = "[a, b]", .min = 1, .max = 3, .help = "names"},
    {.path = "field.segments", .type = MT_KEY_LIST, .def = "", .min = 1, .max = 5, .help = "segments"},
    {.path = "field.segments[].to", .type = MT_KEY_REAL, .dim = MT_DIM_FIELD, .help = "end"},
    {.path = "field.segments[].kind",
     .type = MT_KEY_CHOICE,
     .def = "fixed",
     .choices = "fixed|adaptive",
     .help = "kind"},
    {.path = "field.segments[].step",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FIELD,
     .def = "0.1",
     .when = "field.segments[].kind=fixed",
     .help = "step"},
    {.path = "output.folder", .type = MT_KEY_NEWPATH, .def = "out", .help = "folder"},
    {.path = NULL},
};
static const MtKey *const tables[] = {mesh_keys, other_keys, NULL};

static char file[64] = "/tmp/magtwin-input-XXXXXX";
static int rank;

static int make_file(void **state) {
  (void)state;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  int fd = rank ? -1 : mkstemp(file);
  if (fd >= 0) close(fd);
  return MPI_Bcast(file, sizeof file, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static int remove_file(void **state) {
  (void)state;
  return rank ? 0 : remove(file);
}

static PetscErrorCode read_bytes(const char *text, size_t n, int nover, char *const *over, MtInput **in) {
  if (rank == 0) {
    FILE *f = fopen(file, "wb");
    fwrite(text, 1, n, f);
    fclose(f);
  }
  mt_error_clear();
  return mt_input_read(MPI_COMM_WORLD, file, nover, over, tables, in);
}

static MtInput *good(const char *text, int nover, char *const *over) {
  MtInput *in;
  PetscErrorCode rc = read_bytes(text, strlen(text), nover, over, &in);
  if (rc) fail_msg("refused: %s", mt_error_message());
  return in;
}

static void good_or_none(const char *text, const char *needed, int nover, char *const *over, MtInput **in) {
  read_bytes(text, strlen(text), 0, NULL, in);
  mt_input_destroy(in);
  mt_error_clear();
  mt_input_read_for(MPI_COMM_WORLD, file, nover, over, tables, needed, in);
}

/* The message without the name of the file must contain `says`. */
static void refused(const char *text, char *over, const char *says) {
  MtInput *in;
  assert_refused(read_bytes(text, strlen(text), over ? 1 : 0, &over, &in), says);
  assert_null(in);
}

static const char whole[] =
    "title: a \"test\"\n"
    "mesh:\n  size: 2e-3 um\n  gb: {thickness: 25e-10 m}\n  kind: brick\n  edges: [1, 2 nm, .003 um]\n"
    "field:\n  steps: [1, -480 kA/m, 20 kOe]\n  segments:\n    - to: 5 T\n    - {to: -1000 mT, kind: adaptive}\n";

static void test_values(void **state) {
  (void)state;
  double edges[3];
  MtInput *in = good(whole, 0, NULL);
  assert_string_equal(mt_input_string(in, "title"), "a \"test\"");
  assert_float_equal(mt_input_real(in, "mesh.size"), 2, 1e-15);
  assert_float_equal(mt_input_real(in, "mesh.gb.thickness"), 2.5, 1e-15);
  assert_int_equal(mt_input_int(in, "mesh.gb.layers"), 1);
  assert_string_equal(mt_input_string(in, "mesh.kind"), "brick");
  assert_false(mt_input_has(in, "mesh.radius")); /* does not apply, in spite of its default */
  assert_false(mt_input_has(in, "mesh.file"));
  mt_input_vec3(in, edges, "mesh.edges");
  assert_float_equal(edges[2], 3, 1e-15);
  assert_true(mt_input_bool(in, "field.on"));
  assert_int_equal(mt_input_count(in, "field.steps"), 3);
  assert_float_equal(mt_input_real_at(in, 1, "field.steps"), -0.603185789, 1e-9); /* 4 pi 1e-7 * 480e3 */
  assert_float_equal(mt_input_real_at(in, 2, "field.steps"), 2, 1e-15);
  assert_string_equal(mt_input_string_at(in, 1, "field.names"), "b");
  assert_int_equal(mt_input_count(in, "field.segments"), 2);
  assert_float_equal(mt_input_real(in, "field.segments[%d].to", 1), -1, 1e-15);
  assert_float_equal(mt_input_real(in, "field.segments[0].step"), 0.1, 0);
  assert_false(mt_input_has(in, "field.segments[1].step"));
  mt_input_destroy(&in);
}

/* The canonical text is an input itself, with the same canonical text. */
static void test_canonical(void **state) {
  (void)state;
  MtInput *in = good(whole, 0, NULL);
  char *first = strdup(mt_input_canonical(in)), *section = mt_input_section(in, "mesh output");
  mt_input_destroy(&in);
  in = good(first, 0, NULL);
  assert_string_equal(mt_input_canonical(in), first);
  assert_string_equal(section, "mesh:\n  size: 2\n  gb:\n    thickness: 2.5\n    layers: 1\n  kind: brick\n  edges: "
                               "[1, 2, 3]\noutput:\n  folder: \"out\"\n");
  mt_input_destroy(&in);
  free(first);
  free(section);
}

static void test_overrides(void **state) {
  (void)state;
  char *over[] = {"mesh.size=7",       "field.segments[1].to=-2 T", "field.on=false",
                  "output.folder=x=y", "field.names=[p, q, r]",     "mesh.gb.layers=2"};
  MtInput *in = good(whole, 6, over);
  assert_float_equal(mt_input_real(in, "mesh.size"), 7, 0);
  assert_float_equal(mt_input_real(in, "field.segments[1].to"), -2, 0);
  assert_false(mt_input_bool(in, "field.on"));
  assert_string_equal(mt_input_string(in, "output.folder"), "x=y");
  assert_string_equal(mt_input_string_at(in, 2, "field.names"), "r");
  assert_int_equal(mt_input_int(in, "mesh.gb.layers"), 2);
  mt_input_destroy(&in);
  refused(whole, "mesh.size=3 kg",
          "command line: mesh.size=3 kg: mesh.size: \"kg\" is not a unit it can have (accepted: nm, um, mm, m)");
  refused(whole, "mesh.siez=3", "command line: mesh.siez=3: unknown key mesh.siez; did you mean mesh.size?");
  refused(whole, "field.segments[2].to=1", "there is no entry 2: the list has 2");
  refused(whole, "field.segments.to=1", "there is no to in a list");
  refused(whole, "mesh.size.x=1", "there is no x in a single value");
  refused(whole, "mesh.size", "an override is written key=value");
  refused(whole, "=3", "an override is written key=value");
  refused(whole, "mesh.size=", "mesh.size: must be a number, is nothing");
  refused(whole, "mesh.edges=[1, 2", "not valid YAML");
}

static void test_bad_values(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"mesh: {size: -3 nm}", ":1:14: mesh.size: must be >= 0.1 and <= 10000 nm, is -3 nm"},
      {"mesh: {size: 1, gb: {thickness: 0}}", "mesh.gb.thickness: must be > 0 nm, is 0"},
      {"mesh: {size: 3 kg}", "accepted: nm, um, mm, m"},
      {"mesh: {size: .nan}", "must be a finite number"},
      {"mesh: {size: NaN}", "must be a finite number"},
      {"mesh: {size: -inf}", "must be a finite number"},
      {"mesh: {size: 1e999}", "must be a finite number"},
      {"mesh: {size: '1,5'}", "decimals are written with a point"},
      {"mesh: {size: big}", "must be a number, is \"big\""},
      {"mesh: {size: [1]}", "must be a number, is a list"},
      {"mesh: {size: {a: 1}}", "must be a number, is a section"},
      {"mesh: {size: }", "must be a number, is nothing"},
      {"mesh: {size: 1, gb: {layers: 1.5}}", "must be a whole number, is 1.5"},
      {"mesh: {size: 1, gb: {layers: 9}}", "must be >= 1 and <= 8, is 9"},
      {"mesh: {size: 1, gb: {layers: 2 nm}}", "takes a number without a unit"},
      {"mesh: {size: 1, gb: 3}", "mesh.gb: is a section with keys of its own, not a value"},
      {"mesh: {size: 1, kind: bal}", "must be one of ball, brick, file; is \"bal\", did you mean ball?"},
      {"mesh: {size: 1, kind: brick}", "missing key mesh.edges (list of 3 numbers in nm)"},
      {"mesh: {size: 1, kind: brick, edges: [1, 2]}", "must be a list of 3 numbers, has 2"},
      {"mesh: {size: 1, kind: brick, edges: [1, 2, 101]}", "must be >= 0 and <= 100 nm, is 101"},
      {"mesh: {size: 1, kind: brick, edges: 3}", "must be a list of 3 numbers, is a single value"},
      {"mesh: {size: 1, edges: [1, 2, 3]}", "counts only with mesh.kind=brick; here mesh.kind is ball"},
      {"mesh: {size: 1, kind: file, file: /nowhere/*.tif}", "no file matches /nowhere/*.tif"},
      {"mesh: {size: 1, kind: file, file: /nowhere/a}", "there is no file /nowhere/a"},
      {"mesh: {size: 1, size: 2}", ":1:17: mesh.size: given twice"},
      {"mesh: {size: 1}\nfield: {on: yes}", "must be true or false, is \"yes\""},
      {"mesh: {size: 1}\nfield: {names: []}", "number of entries must be >= 1 and <= 3, is 0"},
      {"mesh: {size: 1}\nfield: {segments: [3]}", "field.segments[0]: must be a map of keys"},
      {"mesh: {size: 1}\nfield: {segments: [{kind: fixed}]}", "missing key field.segments[0].to"},
      {"mesh: {size: 1}\nfield: {segments: [{to: 1, kind: adaptive, step: 1}]}",
       "counts only with field.segments[].kind=fixed; here field.segments[0].kind is adaptive"},
      {"mesh: {size: 1}\noutput: {folder: ''}", "output.folder: is an empty name"},
      {"mesh: {sise: 1}", "unknown key mesh.sise; did you mean mesh.size?"},
      {"mesh: {size: 1, thickness: 1}", "unknown key mesh.thickness; did you mean mesh.gb.thickness?"},
      {"mehs: {size: 1}", "unknown key mehs; did you mean mesh?"},
      {"mesh.size: 1", "unknown key mesh.size"},
      {"mesh: {size: 1, zzzzzzzzz: 1}", "unknown key mesh.zzzzzzzzz\n"},
      {"", "missing key mesh.size (number in nm): edge length"},
      {"- 1", "an input is a map of sections"},
      {"3", "an input is a map of sections"},
      {"mesh: [", "not valid YAML"},
      {"mesh:\n\tsize: 1", ":2:1: not valid YAML: indented by a tab; use spaces"},
      {"mesh: {size: 1}\n---\na: 1", "a second YAML document"},
      {"mesh: *a", "undefined alias"},
      {"? [a]\n: 1", "a key must be a plain word"},
      {"a: &a [*a]", "nested more than 16 deep"},
      {"mesh: {size: \xff}", "not valid YAML"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[256];
    snprintf(text, sizeof text, "%s\n", cases[i].text);
    if (strstr(cases[i].text, "zzz")) snprintf(text, sizeof text, "%s\nzzz2: 1\n", cases[i].text);
    refused(text, NULL, cases[i].says);
  }
}

/* A section that the program does not need may be absent, but not half there. */
static void test_needed(void **state) {
  (void)state;
  MtInput *in;
  char *over[] = {"field.on=false", "mesh.kind=ball"};
  good_or_none("output: {folder: x}\n", "output mesh|field.on", 1, over, &in);
  assert_non_null(in);
  assert_false(mt_input_has(in, "mesh.size"));
  assert_false(mt_input_has(in, "mesh.gb.thickness"));
  assert_int_equal(mt_input_count(in, "field.names"), 2);
  mt_input_destroy(&in);
  good_or_none("output: {folder: x}\n", "output mesh|field.on", 0, over, &in);
  assert_null(in);
  assert_non_null(strstr(mt_error_message(), "missing key mesh.size"));
  good_or_none("output: {folder: x}\n", "output", 2, over, &in);
  assert_null(in);
  mt_error_clear();
}

/* A key that is optional in the schema may be asked for by the program: that one, or another instead. */
static void test_needed_keys(void **state) {
  (void)state;
  MtInput *in;
  char *steps[] = {"field.steps=[1]"}, *segments[] = {"field.segments=[{to: 1}]"};
  const char *needed = "field field.segments|field.steps output.folder";
  for (int i = 0; i < 2; i++) {
    good_or_none("output: {folder: x}\n", needed, 1, i ? steps : segments, &in);
    assert_non_null(in);
    mt_input_destroy(&in);
  }
  good_or_none("field: {on: true}\n", needed, 0, NULL, &in);
  assert_null(in);
  assert_non_null(strstr(mt_error_message(), "2 errors in the input"));
  assert_non_null(
      strstr(mt_error_message(), ":1:8: missing key field.segments or field.steps (list of maps): segments"));
  assert_non_null(strstr(mt_error_message(), "missing key output.folder"));
  mt_error_clear();
}

/* All errors at once, in the order of the lines, the command line last. */
static void test_all_errors(void **state) {
  (void)state;
  MtInput *in;
  char wanted[1024], *over[] = {"titel=x"};
  const char *text = "field:\n  on: 3\nmesh:\n  sise: 2\n  gb:\n    layers: 0\n";
  assert_int_equal(read_bytes(text, strlen(text), 1, over, &in), MT_ERR_INPUT);
  snprintf(
      wanted, sizeof wanted,
      "5 errors in the input\n%s:2:7: field.on: must be true or false, is \"3\"\n%s:4:3: missing key mesh.size (number "
      "in nm): edge length\n"
      "%s:4:3: unknown key mesh.sise; did you mean mesh.size?\n%s:6:13: mesh.gb.layers: must be >= 1 and <= 8, is 0\n"
      "command line: titel=x: unknown key titel; did you mean title?",
      file, file, file, file);
  assert_string_equal(mt_error_message(), wanted);
  mt_error_clear();
}

static void test_late_error(void **state) {
  (void)state;
  char wanted[256];
  MtInput *in = good(whole, 0, NULL);
  assert_int_equal(mt_input_error(in, "mesh.gb.thickness", "is larger than a grain (%g nm)", 1.5), MT_ERR_INPUT);
  snprintf(wanted, sizeof wanted, "%s:4:19: mesh.gb.thickness: is larger than a grain (1.5 nm)", file);
  assert_non_null(strstr(mt_error_message(), wanted));
  mt_error_clear();
  mt_input_destroy(&in);
}

static void test_no_file(void **state) {
  (void)state;
  MtInput *in;
  assert_refused(mt_input_read(MPI_COMM_WORLD, "/nowhere/x.yaml", 0, NULL, tables, &in),
                 "cannot read /nowhere/x.yaml: No such file");
  assert_int_equal(mt_input_read(MPI_COMM_WORLD, "/tmp", 0, NULL, tables, &in), MT_ERR_INPUT);
  mt_error_clear();
  assert_refused(read_bytes("a\0b", 3, 0, NULL, &in), "not a text file");
}

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t next_random(uint64_t *s) {
  uint64_t z = (*s += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* Lengths in units of a material: kept until it is known, then nm in values and text, and looked at for their range. */
static void test_lex(void **state) {
  (void)state;
  static const MtKey keys[] = {
      {.path = "edge", .type = MT_KEY_REAL, .dim = MT_DIM_EDGE, .def = "2 nm", .min = 0.1, .max = 10, .help = "edge"},
      {.path = "cells", .type = MT_KEY_VEC3, .dim = MT_DIM_EDGE, .def = "", .min = 0, .max = 10, .help = "cells"},
      {.path = "thick", .type = MT_KEY_REAL, .dim = MT_DIM_LENGTH, .def = "3", .help = "thickness"},
      {.path = NULL}};
  const MtKey *const own[] = {keys, NULL};
  const char *text = "edge: 1.5 lex\ncells: [2 lex, 4 nm, 0.5 lex]\n";
  double v[3], number;
  MtInput *in;
  good_or_none(text, NULL, 0, NULL, &in); /* writes the file */
  mt_input_destroy(&in);
  mt_error_clear();
  assert_int_equal(mt_input_read(MPI_COMM_WORLD, file, 0, NULL, own, &in), 0);
  assert_string_equal(mt_input_in_lex(in, 0, &number), "edge");
  assert_string_equal(mt_input_in_lex(in, 2, &number), "cells");
  assert_true(number == 0.5);
  assert_null(mt_input_in_lex(in, 3, &number));
  assert_int_equal(mt_input_resolve(in, 2), 0);
  mt_input_vec3(in, v, "cells");
  assert_true(mt_input_real(in, "edge") == 3 && v[0] == 4 && v[1] == 4 && v[2] == 1);
  assert_non_null(strstr(mt_input_canonical(in), "edge: 3\ncells: [4, 4, 1]\n"));
  assert_string_equal(mt_input_in_lex(in, 1, &number), "cells");
  assert_true(number == 2);
  mt_input_destroy(&in);
  assert_int_equal(mt_input_read(MPI_COMM_WORLD, file, 0, NULL, own, &in), 0);
  assert_int_equal(mt_input_resolve(in, 8), MT_ERR_INPUT);
  assert_non_null(strstr(mt_error_message(), ":1:7: edge: must be >= 0.1 and <= 10 nm, is 1.5 lex = 12 nm"));
  assert_non_null(strstr(mt_error_message(), ":2:8: cells: must be >= 0 and <= 10 nm, is 2 lex = 16 nm"));
  mt_error_clear();
  mt_input_destroy(&in);
  text = "edge: -1 lex\nthick: 2 lex\n";
  good_or_none(text, NULL, 0, NULL, &in);
  mt_error_clear();
  assert_int_equal(mt_input_read(MPI_COMM_WORLD, file, 0, NULL, own, &in), MT_ERR_INPUT);
  assert_non_null(strstr(mt_error_message(), ":1:7: edge: must be >= 0.1"));
  assert_non_null(
      strstr(mt_error_message(), ":2:8: thick: \"lex\" is not a unit it can have (accepted: nm, um, mm, m)"));
  mt_error_clear();
}

/* Damaged texts: read or refused with a message, never a crash. */
static void test_fuzz(void **state) {
  (void)state;
  const char alphabet[] = "[]{}:,-&*!|>'\"%@`#? \n\t~01eE.\\\x80\xc3";
  uint64_t seed = 1;
  int nrefused = 0, size, rounds;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  rounds = size > 1 ? 100 : 3000; /* several ranks: that they agree */
  for (int round = 0; round < rounds; round++) {
    char text[sizeof whole];
    MtInput *in;
    memcpy(text, whole, sizeof whole);
    for (int k = 0; k <= round % 5; k++)
      text[next_random(&seed) % (sizeof whole - 1)] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    size_t n = round % 7 ? sizeof whole - 1 : next_random(&seed) % sizeof whole;
    PetscErrorCode rc = read_bytes(text, n, 0, NULL, &in);
    assert_true(rc == 0 || (rc == MT_ERR_INPUT && mt_error_message()[0]));
    nrefused += rc != 0;
    mt_input_destroy(&in);
  }
  assert_in_range(nrefused, rounds / 2, rounds - 1);
  mt_error_clear();
}

int main(int argc, char **argv) {
  PetscErrorCode rc = PetscInitialize(&argc, &argv, NULL, NULL);
  if (rc || mt_error_install()) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),     cmocka_unit_test(test_canonical),  cmocka_unit_test(test_overrides),
      cmocka_unit_test(test_bad_values), cmocka_unit_test(test_all_errors), cmocka_unit_test(test_late_error),
      cmocka_unit_test(test_no_file),    cmocka_unit_test(test_needed),     cmocka_unit_test(test_needed_keys),
      cmocka_unit_test(test_lex),        cmocka_unit_test(test_fuzz),
  };
  int failed = cmocka_run_group_tests(tests, make_file, remove_file);
  if (PetscFinalize()) return 1;
  return failed;
}
