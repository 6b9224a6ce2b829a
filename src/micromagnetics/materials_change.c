/* materials.change: constants other than those of the library, as a fit or a sweep varies them. */
#include "magtwin/error.h"
#include "materials_library.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int find(const MtLibrary *lib, const char *name) {
  for (int i = 0; i < lib->n; i++)
    if (!strcmp(lib->name[i], name)) return i;
  return -1;
}

static PetscErrorCode unknown(const MtInput *in, int i, const char *key, const MtLibrary *lib) {
  char path[64];
  snprintf(path, sizeof path, "materials.change[%d].%s", i, key);
  const char *name = mt_input_string(in, "%s", path), *near = mt_suggest(name, lib->n, lib->name);
  return mt_input_error(in, path, "there is no material \"%s\" in %s%s%s%s", name, lib->path,
                        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static void *grown(void *old, int n, size_t size) {
  void *more = realloc(old, (size_t)n * size);
  if (!more) abort();
  return more;
}

/* A copy of material `from` under a new name; its number. */
static int copy(MtLibrary *lib, int from, const char *name) {
  const int n = lib->n + 1;
  lib->material = grown(lib->material, n, sizeof *lib->material);
  lib->table = grown(lib->table, n, sizeof *lib->table);
  lib->name = grown(lib->name, n, sizeof *lib->name);
  lib->material[lib->n] = lib->material[from];
  lib->table[lib->n] = lib->table[from];
  snprintf(lib->material[lib->n].name, sizeof lib->material[lib->n].name, "%s", name);
  lib->n = n;
  for (int i = 0; i < n; i++) lib->name[i] = lib->material[i].name;
  return n - 1;
}

static void set(const MtInput *in, int i, const char *key, double *value) {
  if (mt_input_has(in, "materials.change[%d].%s", i, key))
    *value = mt_input_real(in, "materials.change[%d].%s", i, key);
}

static PetscErrorCode change(const MtInput *in, int i, MtLibrary *lib) {
  const char *name = mt_input_string(in, "materials.change[%d].material", i);
  char path[64];
  int at = find(lib, name);
  snprintf(path, sizeof path, "materials.change[%d].material", i);
  if (mt_input_has(in, "materials.change[%d].like", i)) {
    int from = find(lib, mt_input_string(in, "materials.change[%d].like", i));
    if (from < 0) return unknown(in, i, "like", lib);
    if (at >= 0) return mt_input_error(in, path, "\"%s\" is in the library already: leave out like", name);
    if (strlen(name) >= sizeof lib->material->name || !*name)
      return mt_input_error(in, path, "a name has 1 to %zu letters", sizeof lib->material->name - 1);
    at = copy(lib, from, name);
  }
  if (at < 0) return unknown(in, i, "material", lib);
  MtMaterial *m = &lib->material[at];
  set(in, i, "Js", &m->Js);
  set(in, i, "A", &m->A);
  set(in, i, "K1", &m->K1);
  if (mt_input_has(in, "materials.change[%d].K1", i)) lib->table[at].passes_zero = false;
  if (mt_input_bool(in, "materials.change[%d].easy_plane", i)) lib->table[at].easy_plane = true;
  set(in, i, "K2", &m->K2);
  if (m->Js > 0 && !(m->A > 0)) return mt_input_error(in, path, "\"%s\" has Js > 0 but no A > 0 J/m", name);
  return 0;
}

PetscErrorCode mt_library_change(const MtInput *in, MtLibrary *lib) {
  PetscErrorCode rc = 0;
  const int n = mt_input_has(in, "materials.change") ? mt_input_count(in, "materials.change") : 0;
  for (int i = 0; i < n && !rc; i++) rc = change(in, i, lib);
  return rc;
}
