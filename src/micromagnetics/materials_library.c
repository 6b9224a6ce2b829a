/* Reads the library of materials through the same strict schema as any input. */
#include "materials_library.h"
#include "magtwin/error.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every constant: field of MtMaterial and key in one, unit, range, default, help. */
#define CONSTANTS(X)                                                                                                   \
  X(A, MT_DIM_EXCHANGE, 0, 1e-9, NULL, "Exchange constant.")                                                           \
  X(Js, MT_DIM_FIELD, 0, 10, NULL, "Saturation polarization; 0: nonmagnetic.")                                         \
  X(K1, MT_DIM_ENERGY, -1e9, 1e9, "0", "First uniaxial anisotropy constant; negative: easy plane.")                    \
  X(K2, MT_DIM_ENERGY, -1e9, 1e9, "0", "Second uniaxial anisotropy constant.")                                         \
  X(K3, MT_DIM_ENERGY, -1e9, 1e9, "0", "Third uniaxial anisotropy constant.")                                          \
  X(Kc1, MT_DIM_ENERGY, -1e9, 1e9, "0", "First cubic anisotropy constant; negative: easy axes <111>.")                 \
  X(Kc2, MT_DIM_ENERGY, -1e9, 1e9, "0", "Second cubic anisotropy constant.")                                           \
  X(Ks, MT_DIM_SURFACE, -10, 10, "0", "Surface anisotropy of its faces to the air; positive: the normal is easy.")     \
  X(Ks_inner, MT_DIM_SURFACE, -10, 10, "0", "Surface anisotropy of its faces to other regions of the magnet.")         \
  X(D, MT_DIM_SURFACE, -1, 1, "0", "Bulk Dzyaloshinskii-Moriya constant.")                                             \
  X(Di, MT_DIM_SURFACE, -1, 1, "0", "Interfacial Dzyaloshinskii-Moriya constant, about materials.dmi_normal.")         \
  X(B1, MT_DIM_ENERGY, -1e9, 1e9, "0", "First magneto-elastic constant, for materials.strain.")                        \
  X(B2, MT_DIM_ENERGY, -1e9, 1e9, "0", "Second magneto-elastic constant.")                                             \
  X(lambda100, MT_DIM_NONE, -.1, .1, "0", "Magnetostriction along <100>, for materials.stress.")                       \
  X(lambda111, MT_DIM_NONE, -.1, .1, "0", "Magnetostriction along <111>; equal to lambda100: isotropic.")              \
  X(alpha, MT_DIM_NONE, 0, 100, "0.1", "Gilbert damping; dynamics only.")

#define KEYS(field, unit, low, high, default_, text)                                                                   \
  {.path = "materials[]." #field,                                                                                      \
   .type = MT_KEY_REAL,                                                                                                \
   .dim = (unit),                                                                                                      \
   .def = (default_),                                                                                                  \
   .min = (low),                                                                                                       \
   .max = (high),                                                                                                      \
   .help = (text)},                                                                                                    \
      {.path = "materials[].table." #field,                                                                            \
       .type = MT_KEY_REALS,                                                                                           \
       .dim = (unit),                                                                                                  \
       .def = "",                                                                                                      \
       .min = (low),                                                                                                   \
       .max = (high),                                                                                                  \
       .help = "The same at the temperatures of table.T."},
#define PLACE(field, unit, low, high, default_, text) {#field, offsetof(MtMaterial, field)},

const MtKey mt_library_keys[] = {
    {.path = "materials", .type = MT_KEY_LIST, .min = 1, .max = 10000, .help = "The materials."},
    {.path = "materials[].name", .type = MT_KEY_STRING, .help = "Name by which inputs refer to it."},
    {.path = "materials[].table.T",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TEMPERATURE,
     .def = "",
     .min = 0,
     .max = 1e4,
     .help = "Ascending temperatures at which constants are known, for materials.temperature."},
    CONSTANTS(KEYS){.path = "materials[].easy_plane",
                    .type = MT_KEY_BOOL,
                    .def = "false",
                    .help = "K1 < 0 is meant. Without it only an easy cone (by K2, K3), or a table of temperatures in "
                            "which K1 changes its sign may have it."},
    {.path = "materials[].source", .type = MT_KEY_STRING, .help = "Where the values come from."},
    {0},
};

typedef struct {
  const char *name;
  size_t offset; /* of the double in MtMaterial */
} Constant;
static const Constant constant[] = {CONSTANTS(PLACE)};
enum { NCONSTANTS = sizeof constant / sizeof *constant };

static double *value_of(MtMaterial *m, int c) {
  return (double *)(void *)((char *)m + constant[c].offset);
}

/* The first of the places where a build, an installation or a test program finds the library. */
static PetscErrorCode standard_path(char *path, size_t size) {
  static const char *const places[] = {"/../inputs", "/../../inputs", "/../share/magtwin/inputs"};
  const char *data = getenv("MAGTWIN_DATA");
  char folder[2048];
  if (data && *data) {
    snprintf(path, size, "%s/materials.yaml", data);
    if (access(path, R_OK) == 0) return 0;
    return mt_error(MT_ERR_INPUT, "MAGTWIN_DATA is \"%s\", but there is no materials.yaml in it", data);
  }
  ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
  folder[n > 0 ? n : 0] = 0;
  char *slash = strrchr(folder, '/');
  if (slash) *slash = 0;
  for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
    snprintf(path, size, "%s%s/materials.yaml", folder, places[i]);
    if (access(path, R_OK) == 0) return 0;
  }
  return mt_error(MT_ERR_INPUT,
                  "the library of materials, inputs/materials.yaml, is not found beside the program; give its path "
                  "in materials.library, or its folder in the environment variable MAGTWIN_DATA");
}

/* The same path on every rank. */
static PetscErrorCode library_path(MPI_Comm comm, const MtInput *in, MtLibrary *lib) {
  if (mt_input_has(in, "materials.library")) {
    snprintf(lib->path, sizeof lib->path, "%s", mt_input_string(in, "materials.library"));
    return 0;
  }
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = mt_agree_root(comm, rank ? 0 : standard_path(lib->path, sizeof lib->path));
  if (rc) return rc;
  PetscCallMPI(MPI_Bcast(lib->path, sizeof lib->path, MPI_CHAR, 0, comm));
  return 0;
}

static void take(const MtInput *in, int i, MtMaterial *m) {
  snprintf(m->name, sizeof m->name, "%s", mt_input_string(in, "materials[%d].name", i));
  for (int c = 0; c < NCONSTANTS; c++) *value_of(m, c) = mt_input_real(in, "materials[%d].%s", i, constant[c].name);
}

/* Temperatures of the table of material i ascend, and every constant in it has as many values. */
static PetscErrorCode check_table(const MtInput *in, int i) {
  char path[64];
  snprintf(path, sizeof path, "materials[%d].table.T", i);
  const int n = mt_input_count(in, "%s", path);
  for (int k = 1; k < n; k++)
    if (!(mt_input_real_at(in, k, "%s", path) > mt_input_real_at(in, k - 1, "%s", path)))
      return mt_input_error(in, path, "must ascend, but entry %d is not above the one before", k + 1);
  for (int c = 0; c < NCONSTANTS; c++) {
    snprintf(path, sizeof path, "materials[%d].table.%s", i, constant[c].name);
    if (!mt_input_has(in, "%s", path) || mt_input_count(in, "%s", path) == n) continue;
    return mt_input_error(in, path, "has %d values, but table.T has %d temperatures", mt_input_count(in, "%s", path),
                          n);
  }
  return 0;
}

/* The constants of material i at the temperature T, linear between the entries of its table; those that it does not
 * have stay. */
static void interpolate(const MtInput *in, int i, double T, MtMaterial *m) {
  char path[64];
  int k = 0, n = mt_input_count(in, "materials[%d].table.T", i);
  while (k < n - 2 && mt_input_real_at(in, k + 1, "materials[%d].table.T", i) <= T) k++;
  const double low = mt_input_real_at(in, k, "materials[%d].table.T", i);
  const double high = n > 1 ? mt_input_real_at(in, k + 1, "materials[%d].table.T", i) : low + 1;
  for (int c = 0; c < NCONSTANTS; c++) {
    snprintf(path, sizeof path, "materials[%d].table.%s", i, constant[c].name);
    if (!mt_input_has(in, "%s", path)) continue;
    const double a = mt_input_real_at(in, k, "%s", path);
    const double b = n > 1 ? mt_input_real_at(in, k + 1, "%s", path) : a;
    *value_of(m, c) = T == low ? a : T == high ? b : a + (b - a) * (T - low) / (high - low);
  }
}

/* A spin reorientation. */
static bool passes_zero(const MtInput *in, int i) {
  bool above = false, below = false;
  for (int k = 0; k < mt_input_count(in, "materials[%d].table.K1", i); k++) {
    const double K1 = mt_input_real_at(in, k, "materials[%d].table.K1", i);
    above = above || K1 > 0;
    below = below || K1 < 0;
  }
  return above && below;
}

/* Whatever has a table goes to lib->temperature. */
static void heat(const MtInput *in, int i, MtLibrary *lib) {
  MtTableRange *t = &lib->table[i];
  const int n = mt_input_count(in, "materials[%d].table.T", i);
  t->known = n > 0;
  if (!t->known) return;
  t->from = mt_input_real_at(in, 0, "materials[%d].table.T", i);
  t->to = mt_input_real_at(in, n - 1, "materials[%d].table.T", i);
  if (!(lib->temperature >= t->from && lib->temperature <= t->to)) return;
  interpolate(in, i, lib->temperature, &lib->material[i]);
  t->passes_zero = passes_zero(in, i);
}

/* Rules between values: names are unique and fit; what is magnetic has exchange. */
static PetscErrorCode check(const MtInput *in, const MtLibrary *lib, int i) {
  const MtMaterial *m = &lib->material[i];
  char path[64];
  snprintf(path, sizeof path, "materials[%d].name", i);
  if (strlen(mt_input_string(in, "%s", path)) >= sizeof m->name)
    return mt_input_error(in, path, "is longer than %zu letters", sizeof m->name - 1);
  for (int j = 0; j < i; j++)
    if (!strcmp(lib->name[j], m->name))
      return mt_input_error(in, path, "\"%s\" is there already, as material %d", m->name, j + 1);
  snprintf(path, sizeof path, "materials[%d].A", i);
  if (m->Js > 0 && !(m->A > 0)) return mt_input_error(in, path, "must be > 0 J/m where Js > 0");
  return 0;
}

static PetscErrorCode take_all(const MtInput *in, MtLibrary *lib) {
  lib->n = mt_input_count(in, "materials");
  lib->material = calloc((size_t)lib->n, sizeof *lib->material);
  lib->name = calloc((size_t)lib->n, sizeof *lib->name);
  lib->table = calloc((size_t)lib->n, sizeof *lib->table);
  if (!lib->material || !lib->name || !lib->table) return mt_error(MT_ERR_FAIL, "no memory for %d materials", lib->n);
  for (int i = 0; i < lib->n; i++) {
    take(in, i, &lib->material[i]);
    lib->name[i] = lib->material[i].name;
    lib->table[i].easy_plane = mt_input_bool(in, "materials[%d].easy_plane", i);
    PetscErrorCode rc = check_table(in, i);
    if (!rc) rc = check(in, lib, i);
    if (rc) return rc;
    heat(in, i, lib);
  }
  return 0;
}

PetscErrorCode mt_library_read(MPI_Comm comm, const MtInput *in, MtLibrary *lib) {
  const MtKey *const tables[] = {mt_library_keys, NULL};
  MtInput *file = NULL;
  *lib = (MtLibrary){.temperature = -1};
  if (mt_input_has(in, "materials.temperature")) lib->temperature = mt_input_real(in, "materials.temperature");
  PetscErrorCode rc = library_path(comm, in, lib);
  if (!rc) rc = mt_input_read(comm, lib->path, 0, NULL, tables, &file);
  if (!rc) rc = take_all(file, lib);
  mt_input_destroy(&file);
  if (!rc) rc = mt_library_change(in, lib);
  if (rc) mt_library_free(lib);
  return rc;
}

void mt_library_free(MtLibrary *lib) {
  free(lib->material);
  free(lib->name);
  free(lib->table);
  *lib = (MtLibrary){0};
}
