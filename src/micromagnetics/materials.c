/* Which material each region of the mesh has: by its kind, then by the list of exceptions. */
#include "energy_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "materials_library.h"
#include "site.h"
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const MtMaterial AIR = {.name = "air"};

/* A table is not extrapolated. */
static PetscErrorCode check_temperature(const MtInput *in, const MtLibrary *lib, int i) {
  const MtTableRange *t = &lib->table[i];
  if (lib->temperature < 0 || !t->known) return 0;
  if (lib->temperature >= t->from && lib->temperature <= t->to) return 0;
  return mt_input_error(in, "materials.temperature", "is %g K, but the table of %s in %s goes from %g to %g K",
                        lib->temperature, lib->name[i], lib->path, t->from, t->to);
}

/* K1 < 0, and energies sin^2, sin^4, sin^6 of the angle to the axis whose least is between axis and plane: with s =
 * sin^2 the zero of K1 + 2 K2 s + 3 K3 s^2 at which it grows. */
static bool easy_cone(const MtMaterial *m) {
  const double q = sqrt(fmax(0, m->K2 * m->K2 - 3 * m->K1 * m->K3)), s = -m->K1 / (m->K2 + q);
  const double energy = s * (m->K1 + s * (m->K2 + s * m->K3));
  return m->K2 + q > 0 && s < 1 && energy < m->K1 + m->K2 + m->K3;
}

/* A hard magnet has an easy axis; a sign may be a slip. */
static PetscErrorCode check_sign(const MtInput *in, const char *key, const MtLibrary *lib, int i) {
  const MtMaterial *m = &lib->material[i];
  const MtTableRange *t = &lib->table[i];
  if (!(m->Js > 0 && m->K1 < 0) || t->easy_plane || t->passes_zero || easy_cone(m)) return 0;
  return mt_input_error(in, key,
                        "material \"%s\" has K1 = %g J/m3: below 0 its axis is the hardest direction and the plane "
                        "across it easy; if that is meant, say easy_plane: true beside its K1, else give K1 > 0",
                        m->name, m->K1);
}

/* The material an input key names. */
static PetscErrorCode find(const MtInput *in, const char *key, const MtLibrary *lib, const MtMaterial **material) {
  const char *name = mt_input_string(in, "%s", key);
  for (int i = 0; i < lib->n; i++)
    if (strcmp(lib->name[i], name) == 0) {
      *material = &lib->material[i];
      PetscErrorCode rc = check_temperature(in, lib, i);
      return rc ? rc : check_sign(in, key, lib, i);
    }
  const char *near = mt_suggest(name, lib->n, lib->name);
  if (near)
    return mt_input_error(in, key, "there is no material \"%s\" in %s; did you mean %s?", name, lib->path, near);
  return mt_input_error(in, key, "there is no material \"%s\" in %s", name, lib->path);
}

/* triple_line, junction and pocket default to what gb says, surface to what grain says.  Not for air. */
static const char *kind_key(const MtInput *in, MtRegionKind kind) {
  static const char *const key[MT_REGION_NKINDS] = {"materials.grain",    "materials.gb", "materials.triple_line",
                                                    "materials.junction", NULL,           "materials.surface",
                                                    "materials.pocket"};
  if (mt_input_has(in, "%s", key[kind])) return key[kind];
  return mt_region_is_grain(kind) ? "materials.grain" : "materials.gb";
}

/* Only kinds that the mesh has: a library need not name a grain-boundary phase for a mesh without one. */
static PetscErrorCode by_kind(const MtInput *in, const MtLibrary *lib, const MtRegions *r, MtMaterial *per_region) {
  const MtMaterial *of[MT_REGION_NKINDS] = {[MT_REGION_AIR] = &AIR};
  for (int i = 0; i < r->n; i++) {
    MtRegionKind k = r->kind[i];
    PetscErrorCode rc = of[k] ? 0 : find(in, kind_key(in, k), lib, &of[k]);
    if (rc) return rc;
    per_region[i] = *of[k];
  }
  return 0;
}

static PetscErrorCode no_region(const MtInput *in, const char *key, const MtRegions *r) {
  const char *pattern = mt_input_string(in, "%s", key);
  const char *near = mt_suggest(pattern, r->n, (const char *const *)r->name);
  if (near)
    return mt_input_error(in, key, "no region of the mesh is called \"%s\"; did you mean \"%s\"?", pattern, near);
  return mt_input_error(in, key, "no region of the mesh is called \"%s\"", pattern);
}

/* Entry i of materials.assign.  Air keeps its own: a pattern such as * means the magnet. */
static PetscErrorCode by_entry(const MtInput *in, int i, const MtLibrary *lib, const MtRegions *r,
                               MtMaterial *per_region) {
  char key[64];
  const MtMaterial *m;
  snprintf(key, sizeof key, "materials.assign[%d].material", i);
  PetscErrorCode rc = find(in, key, lib, &m);
  if (rc) return rc;
  snprintf(key, sizeof key, "materials.assign[%d].region", i);
  const char *pattern = mt_input_string(in, "%s", key);
  int found = 0;
  for (int j = 0; j < r->n; j++)
    if (r->kind[j] != MT_REGION_AIR && fnmatch(pattern, r->name[j], 0) == 0) {
      per_region[j] = *m;
      found++;
    }
  return found ? 0 : no_region(in, key, r);
}

/* Says once which magnetic materials in use have no table. */
static void warn_without_table(const MtLibrary *lib, const MtRegions *r, const MtMaterial *per_region) {
  for (int i = 0; lib->temperature >= 0 && i < lib->n; i++) {
    bool used = false;
    for (int k = 0; k < r->n; k++) used = used || strcmp(per_region[k].name, lib->name[i]) == 0;
    if (used && !lib->table[i].known && lib->material[i].Js > 0)
      mt_warn("%s has no table of temperatures: its constants are used as they are at %g K", lib->name[i],
              lib->temperature);
  }
}

/* The normal of the film, the same for all materials. */
static PetscErrorCode set_normal(const MtInput *in, const MtRegions *r, MtMaterial *per_region) {
  double n[3] = {0, 0, 1};
  if (mt_input_has(in, "materials.dmi_normal")) mt_input_vec3(in, n, "materials.dmi_normal");
  const double length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  if (!(length > 0)) return mt_input_error(in, "materials.dmi_normal", "must have a direction, is [0, 0, 0]");
  for (int i = 0; i < r->n; i++)
    for (int c = 0; c < 3; c++) per_region[i].dmi_normal[c] = n[c] / length;
  return 0;
}

/* Anisotropy needs an axis, which only grains have, cubic anisotropy the whole orientation. */
static PetscErrorCode check_axes(const MtRegions *r, const MtMaterial *per_region) {
  for (int i = 0; i < r->n; i++) {
    const MtMaterial *m = &per_region[i];
    const bool uniaxial = m->K1 != 0 || m->K2 != 0 || m->K3 != 0, cubic = m->Kc1 != 0 || m->Kc2 != 0;
    if (m->Js > 0 && cubic && !r->orientation)
      return mt_error(
          MT_ERR_INPUT,
          "material \"%s\" has cubic anisotropy, but the mesh file has no orientations of its grains: it was "
          "made by an earlier version; make the mesh again with magtwin mesh",
          m->name);
    if (m->Js > 0 && (uniaxial || cubic) && !mt_region_is_grain(r->kind[i]))
      return mt_error(MT_ERR_INPUT,
                      "material \"%s\" has anisotropy, but region \"%s\" is no grain and has no easy axis", m->name,
                      r->name[i]);
  }
  return 0;
}

static PetscErrorCode assign(const MtInput *in, const MtLibrary *lib, const MtRegions *r, MtMaterial *per_region) {
  PetscErrorCode rc = by_kind(in, lib, r, per_region);
  for (int i = 0; !rc && i < mt_input_count(in, "materials.assign"); i++) rc = by_entry(in, i, lib, r, per_region);
  if (!rc) rc = mt_interfaces_check(in, r);
  if (!rc) rc = set_normal(in, r, per_region);
  if (!rc) warn_without_table(lib, r, per_region);
  return rc ? rc : check_axes(r, per_region);
}

PetscErrorCode mt_materials_assign(MPI_Comm comm, const MtInput *in, const MtRegions *regions,
                                   MtMaterial **per_region) {
  MtLibrary lib;
  *per_region = NULL;
  PetscErrorCode rc = mt_library_read(comm, in, &lib);
  if (rc) return rc;
  MtMaterial *m = malloc(sizeof *m * (size_t)(regions->n > 0 ? regions->n : 1));
  if (!m) rc = mt_error(MT_ERR_FAIL, "no memory for the materials of %d regions", regions->n);
  if (!rc) rc = assign(in, &lib, regions, m);
  mt_library_free(&lib);
  if (rc)
    free(m);
  else
    *per_region = m;
  return rc;
}

/* Whether the mesh may turn out to have no region of the kind, while the key holds no more than its default. */
static bool may_be_absent(const MtInput *in, MtRegionKind kind) {
  bool polycrystal = mt_input_has(in, "grains.source") && strcmp(mt_input_string(in, "grains.source"), "shape") != 0;
  const char *key = kind_key(in, kind);
  return !mt_region_is_grain(kind) && !polycrystal && strcmp(mt_input_string(in, "%s", key), MT_GB_DEFAULT) == 0;
}

/* Coupling of grains needs nodes of their own, and the other way round; a finished mesh is looked at later. */
static PetscErrorCode check_interfaces(const MtInput *in) {
  MtEnergyExtras extras = {0};
  const bool split = mt_input_has(in, "mesh.split_grains") && mt_input_bool(in, "mesh.split_grains");
  PetscErrorCode rc = mt_interfaces_read(in, &extras);
  const int n = extras.ninterfaces;
  PetscCall(mt_energy_extras_free(&extras));
  if (rc || mt_input_has(in, "mesh.file")) return rc;
  if (n > 0 && !split)
    return mt_input_error(in, "materials.interfaces",
                          "needs grains with nodes of their own where they touch: "
                          "mesh.split_grains: true");
  if (!n && split)
    return mt_input_error(in, "mesh.split_grains", "needs materials.interfaces, which says how the grains are coupled");
  return 0;
}

static void take_lengths(const MtMaterial *m, MtLengths *l) {
  MtLengths own = {.exchange = sqrt(2 * m->A * MT_MU0) / m->Js * 1e9, .bloch = mt_site_bloch(m)};
  own.least = own.bloch > 0 ? fmin(own.exchange, own.bloch) : own.exchange;
  snprintf(own.material, sizeof own.material, "%s", m->name);
  if (!(l->least > 0) || own.least < l->least) *l = own;
}

PetscErrorCode mt_materials_lengths(MPI_Comm comm, const MtInput *in, MtLengths *lengths) {
  MtLibrary lib;
  const MtMaterial *m;
  PetscErrorCode rc = mt_library_read(comm, in, &lib);
  *lengths = (MtLengths){0};
  for (int k = 0; !rc && k < MT_REGION_NKINDS; k++) {
    if (k == MT_REGION_AIR || may_be_absent(in, (MtRegionKind)k)) continue;
    rc = find(in, kind_key(in, (MtRegionKind)k), &lib, &m);
    if (!rc && m->Js > 0) take_lengths(m, lengths);
  }
  for (int i = 0; !rc && i < mt_input_count(in, "materials.assign"); i++) {
    char key[64];
    snprintf(key, sizeof key, "materials.assign[%d].material", i);
    rc = find(in, key, &lib, &m);
    if (!rc && m->Js > 0) take_lengths(m, lengths);
  }
  mt_library_free(&lib);
  if (rc || lengths->least > 0) return rc;
  return mt_input_error(in, "materials.grain", "is \"%s\", not magnetic, and no other material is",
                        mt_input_string(in, "materials.grain"));
}

PetscErrorCode mt_materials_check(MPI_Comm comm, const MtInput *in) {
  MtLibrary lib;
  const MtMaterial *m;
  char key[64];
  PetscErrorCode rc = mt_library_read(comm, in, &lib);
  if (rc) return rc;
  for (int k = 0; !rc && k < MT_REGION_NKINDS; k++)
    if (k != MT_REGION_AIR && !may_be_absent(in, (MtRegionKind)k))
      rc = find(in, kind_key(in, (MtRegionKind)k), &lib, &m);
  for (int i = 0; !rc && i < mt_input_count(in, "materials.assign"); i++) {
    snprintf(key, sizeof key, "materials.assign[%d].material", i);
    rc = find(in, key, &lib, &m);
  }
  mt_library_free(&lib);
  return rc ? rc : check_interfaces(in);
}
