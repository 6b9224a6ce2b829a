/* Reads the library of materials through the same strict schema as any input. */
#include "materials_library.h"
#include "magtwin/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const MtKey keys[] = {
    {.path = "materials", .type = MT_KEY_LIST, .min = 1, .max = 10000, .help = "The materials."},
    {.path = "materials[].name", .type = MT_KEY_STRING, .help = "Name by which inputs refer to it."},
    {.path = "materials[].A",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_EXCHANGE,
     .min = 0,
     .max = 1e-9,
     .help = "Exchange constant."},
    {.path = "materials[].Js",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_FIELD,
     .min = 0,
     .max = 10,
     .help = "Saturation polarization; 0: nonmagnetic."},
    {.path = "materials[].K1",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ENERGY,
     .def = "0",
     .min = -1e9,
     .max = 1e9,
     .help = "First uniaxial anisotropy constant."},
    {.path = "materials[].K2",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ENERGY,
     .def = "0",
     .min = -1e9,
     .max = 1e9,
     .help = "Second uniaxial anisotropy constant."},
    {.path = "materials[].alpha",
     .type = MT_KEY_REAL,
     .def = "0.1",
     .min = 0,
     .max = 100,
     .help = "Gilbert damping; dynamics only."},
    {.path = "materials[].source", .type = MT_KEY_STRING, .help = "Where the values come from."},
    {0},
};

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
  m->A = mt_input_real(in, "materials[%d].A", i);
  m->Js = mt_input_real(in, "materials[%d].Js", i);
  m->K1 = mt_input_real(in, "materials[%d].K1", i);
  m->K2 = mt_input_real(in, "materials[%d].K2", i);
  m->alpha = mt_input_real(in, "materials[%d].alpha", i);
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
  if (!lib->material || !lib->name) return mt_error(MT_ERR_FAIL, "no memory for %d materials", lib->n);
  for (int i = 0; i < lib->n; i++) {
    take(in, i, &lib->material[i]);
    lib->name[i] = lib->material[i].name;
    PetscErrorCode rc = check(in, lib, i);
    if (rc) return rc;
  }
  return 0;
}

PetscErrorCode mt_library_read(MPI_Comm comm, const MtInput *in, MtLibrary *lib) {
  const MtKey *const tables[] = {keys, NULL};
  MtInput *file = NULL;
  *lib = (MtLibrary){0};
  PetscErrorCode rc = library_path(comm, in, lib);
  if (!rc) rc = mt_input_read(comm, lib->path, 0, NULL, tables, &file);
  if (!rc) rc = take_all(file, lib);
  mt_input_destroy(&file);
  if (rc) mt_library_free(lib);
  return rc;
}

void mt_library_free(MtLibrary *lib) {
  free(lib->material);
  free(lib->name);
  *lib = (MtLibrary){0};
}
