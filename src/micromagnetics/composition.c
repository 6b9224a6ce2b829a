/* Constants of every element from a nodal field of the mesh (what an anneal made, a measured map): the field is linear
 * in an element, and its mean there is looked up in the table of the element's region.  What is kept is the field, 8
 * bytes a node; an element's constants are made when operators are set up, so that an evaluation costs what it costs
 * with uniform ones. */
#include "composition.h"
#include "energy_impl.h"
#include "magtwin/error.h"
#include "magtwin/files.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "site.h"
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char KEY[] = "materials.composition.file";
static const double SAME_TIME = 1e-9; /* relative */

static int ntables(const MtInput *in) {
  return mt_input_has(in, "materials.composition.tables") ? mt_input_count(in, "materials.composition.tables") : 0;
}

/* The time of a file, NaN without: fields of others need none. */
static PetscErrorCode time_of(MtH5 *f, double *t) {
  *t = NAN;
  return H5Aexists(mt_h5_id(f), "t_s") > 0 ? mt_h5_get_reals(f, "/", "t_s", 1, t) : 0;
}

static PetscErrorCode look(MPI_Comm comm, const char *path, double *t) {
  MtH5 *f;
  PetscErrorCode rc = mt_h5_open(comm, path, NULL, 1, &f);
  if (rc) return rc;
  rc = time_of(f, t);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

/* Of the fields of a run, that of a time. */
static PetscErrorCode find_time(MPI_Comm comm, const MtInput *in, const MtFiles *files, double wanted, int *which) {
  char text[256] = "";
  for (int i = 0; i < files->n; i++) {
    double t;
    PetscErrorCode rc = look(comm, files->path[i], &t);
    if (rc) return rc;
    *which = i;
    if (fabs(t - wanted) <= SAME_TIME * fabs(wanted)) return 0;
    const size_t used = strlen(text);
    if (used < sizeof text - 32) snprintf(text + used, sizeof text - used, "%s%.9g", used ? ", " : "", t);
  }
  return mt_input_error(in, "materials.composition.time", "%s has no field of %.9g s, but of %s s",
                        mt_input_string(in, "%s", KEY), wanted, text);
}

static PetscErrorCode is_folder(MPI_Comm comm, const char *path, int *folder) {
  struct stat st;
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *folder = rank ? 0 : stat(path, &st) ? -1 : S_ISDIR(st.st_mode) ? 1 : 0;
  PetscCallMPI(MPI_Bcast(folder, 1, MPI_INT, 0, comm));
  return 0;
}

static PetscErrorCode from_folder(MPI_Comm comm, const MtInput *in, const char *name, char path[4096]) {
  MtFiles files;
  int which = 0;
  snprintf(path, 4096, "%s/fields/fields_*.h5", name);
  PetscCall(mt_files_find(comm, path, &files));
  PetscErrorCode rc = 0;
  which = files.n - 1;
  if (!files.n)
    rc = mt_input_error(in, KEY, "%s is a folder without fields/fields_0001.h5: no result of magtwin evolve", name);
  else if (mt_input_has(in, "materials.composition.time"))
    rc = find_time(comm, in, &files, mt_input_real(in, "materials.composition.time"), &which);
  if (!rc) snprintf(path, 4096, "%s", files.path[which]);
  mt_files_free(&files);
  return rc;
}

/* The file that the input means. */
static PetscErrorCode choose_file(MPI_Comm comm, const MtInput *in, char path[4096]) {
  const char *name = mt_input_string(in, "%s", KEY);
  int folder;
  PetscCall(is_folder(comm, name, &folder));
  if (folder < 0) return mt_input_error(in, KEY, "there is no file or folder %s", name);
  if (folder) return from_folder(comm, in, name, path);
  if (mt_input_has(in, "materials.composition.time"))
    return mt_input_error(in, "materials.composition.time", "needs the folder of a run, %s is a file", name);
  if (snprintf(path, 4096, "%s", name) >= 4096) return mt_input_error(in, KEY, "is too long");
  return 0;
}

static char *dataset_of(const MtInput *in) {
  const char *name = mt_input_string(in, "materials.composition.field");
  char *path = mt_malloc(strlen(name) + 2);
  sprintf(path, "%s%s", name[0] == '/' ? "" : "/", name);
  return path;
}

static PetscErrorCode check_file(MPI_Comm comm, const MtInput *in) {
  char path[4096];
  MtH5 *f;
  PetscErrorCode rc = choose_file(comm, in, path);
  if (!rc) rc = mt_h5_open(comm, path, NULL, 1, &f);
  if (rc) return rc;
  char *dataset = dataset_of(in);
  if (!mt_h5_exists(f, dataset))
    rc = mt_input_error(in, "materials.composition.field", "%s has no dataset %s", path, dataset);
  free(dataset);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

PetscErrorCode mt_composition_check(MPI_Comm comm, const MtInput *in, bool file) {
  const bool given = mt_input_has(in, "%s", KEY);
  PetscErrorCode rc = 0;
  if (given && !ntables(in)) return mt_input_error(in, KEY, "needs materials.composition.tables");
  for (int i = 0; i < ntables(in) && !rc; i++) {
    MtCompositionTable t;
    rc = mt_composition_table_read(comm, in, i, &t);
    mt_composition_table_free(&t);
  }
  if (rc || !file || !ntables(in)) return rc;
  if (!given) return mt_input_error(in, "materials.composition.tables", "needs %s, where the composition is", KEY);
  return check_file(comm, in);
}

/* Later entries win. */
static PetscErrorCode choose_tables(const MtMesh *mesh, const MtInput *in, const MtMaterial *material,
                                    MtComposition *s) {
  const MtRegions *r = &mesh->regions;
  s->of_region = mt_malloc((size_t)r->n * sizeof *s->of_region);
  for (int k = 0; k < r->n; k++) s->of_region[k] = -1;
  for (int i = 0; i < s->ntables; i++) {
    const char *region = mt_input_string(in, "materials.composition.tables[%d].region", i);
    const char *name = mt_input_string(in, "materials.composition.tables[%d].material", i);
    char key[64];
    int found = 0;
    for (int k = 0; k < r->n; k++) {
      if (r->kind[k] == MT_REGION_AIR || fnmatch(region, r->name[k], 0) || fnmatch(name, material[k].name, 0)) continue;
      s->of_region[k] = i;
      found++;
    }
    snprintf(key, sizeof key, "materials.composition.tables[%d]", i);
    if (!found) return mt_input_error(in, key, "no region \"%s\" of the mesh has a material \"%s\"", region, name);
  }
  return 0;
}

static bool has_K1(const MtCompositionTable *t) {
  for (int i = 0; t->value[MT_COMPOSED_K1] && i < t->n; i++)
    if (t->value[MT_COMPOSED_K1][i] != 0) return true;
  return false;
}

/* Anisotropy has an axis, polarization has exchange. */
static PetscErrorCode check_regions(const MtMesh *mesh, const MtMaterial *material, const MtComposition *s) {
  const MtRegions *r = &mesh->regions;
  for (int k = 0; k < r->n; k++) {
    const MtCompositionTable *t = s->of_region[k] < 0 ? NULL : &s->table[s->of_region[k]];
    if (!t) continue;
    if (has_K1(t) && !mt_region_is_grain(r->kind[k]))
      return mt_error(MT_ERR_INPUT,
                      "%s gives K1 to region \"%s\", which is no grain and has no easy axis; name its regions, as "
                      "\"grain *\"",
                      t->from, r->name[k]);
    if (t->value[MT_COMPOSED_JS] && !t->value[MT_COMPOSED_A] && !(material[k].A > 0))
      return mt_error(MT_ERR_INPUT, "%s gives Js to region \"%s\" (%s), but neither the table nor the material has A",
                      t->from, r->name[k], material[k].name);
  }
  return 0;
}

static double mean_of(const MtComposition *s, const MtMesh *mesh, PetscInt t) {
  const PetscInt *node = mesh->tet + 4 * t;
  return .25 * (s->c[node[0]] + s->c[node[1]] + s->c[node[2]] + s->c[node[3]]);
}

/* Every element's composition is a number on its table. */
static PetscErrorCode check_values(const MtMesh *mesh, const MtComposition *s) {
  PetscErrorCode rc = 0;
  for (PetscInt t = 0; t < mesh->nt_local && !rc; t++) {
    const int which = s->of_region[mesh->region[t]];
    if (which < 0) continue;
    const MtCompositionTable *table = &s->table[which];
    const double c = mean_of(s, mesh, t), *x = mesh->x + 3 * mesh->tet[4 * t];
    if (isnan(c))
      rc = mt_error(MT_ERR_INPUT, "%s: %s is no number in region \"%s\" at (%g, %g, %g) nm: a field of another mesh?",
                    s->path, s->field, mesh->regions.name[mesh->region[t]], x[0], x[1], x[2]);
    else if (!table->nearest && !mt_composition_table_covers(table, c))
      rc = mt_error(MT_ERR_INPUT,
                    "%s: the composition %g in region \"%s\" at (%g, %g, %g) nm is outside of the table %s, which goes "
                    "from %g to %g; beyond: nearest takes the value of the end",
                    s->path, c, mesh->regions.name[mesh->region[t]], x[0], x[1], x[2], table->from, table->c[0],
                    table->c[table->n - 1]);
  }
  return mt_agree(mesh->comm, rc);
}

static PetscErrorCode read_field(const MtMesh *mesh, MtComposition *s) {
  MtH5 *f;
  PetscErrorCode rc = mt_h5_open(mesh->comm, s->path, NULL, 1, &f);
  if (rc) return rc;
  s->c = mt_malloc((size_t)mesh->nv_local * sizeof *s->c);
  rc = time_of(f, &s->time);
  if (!rc) rc = mt_mesh_read_nodal(mesh, f, s->field, 1, s->c);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

PetscErrorCode mt_composition_read(const MtMesh *mesh, const MtInput *in, const MtMaterial *material,
                                   MtComposition **out) {
  *out = NULL;
  if (!mt_input_has(in, "%s", KEY)) return 0;
  MtComposition *s = *out = mt_calloc(1, sizeof *s);
  PetscErrorCode rc = 0;
  s->ntables = ntables(in);
  s->table = mt_calloc((size_t)s->ntables, sizeof *s->table);
  s->field = dataset_of(in);
  for (int i = 0; i < s->ntables && !rc; i++) rc = mt_composition_table_read(mesh->comm, in, i, &s->table[i]);
  if (!rc) rc = choose_file(mesh->comm, in, s->path);
  if (!rc) rc = choose_tables(mesh, in, material, s);
  if (!rc) rc = check_regions(mesh, material, s);
  if (!rc) rc = read_field(mesh, s);
  return rc ? rc : check_values(mesh, s);
}

void mt_composition_free(MtComposition **composition) {
  MtComposition *s = *composition;
  if (!s) return;
  for (int i = 0; i < s->ntables; i++) mt_composition_table_free(&s->table[i]);
  free(s->table);
  free(s->of_region);
  free(s->field);
  free(s->c);
  free(s);
  *composition = NULL;
}

static double *constant_of(MtMaterial *m, int which) {
  return which == MT_COMPOSED_JS ? &m->Js : which == MT_COMPOSED_K1 ? &m->K1 : &m->A;
}

const MtMaterial *mt_composition_at(const MtComposition *s, const MtMesh *mesh, const MtMaterial *material, PetscInt t,
                                    MtMaterial *own) {
  const int32_t region = mesh->region[t];
  if (!s || s->of_region[region] < 0) return &material[region];
  const MtCompositionTable *table = &s->table[s->of_region[region]];
  const double c = mean_of(s, mesh, t);
  *own = material[region];
  for (int k = 0; k < MT_NCOMPOSED; k++)
    if (table->value[k]) *constant_of(own, k) = mt_composition_table_at(table, (MtComposed)k, c);
  return own;
}

const MtMaterial *mt_composition_most(const MtComposition *s, const MtMaterial *material, int region, MtMaterial *own) {
  if (!s || s->of_region[region] < 0) return &material[region];
  const MtCompositionTable *table = &s->table[s->of_region[region]];
  *own = material[region];
  for (int k = 0; k < MT_NCOMPOSED; k++) {
    double *constant = constant_of(own, k);
    if (!table->value[k]) continue;
    *constant = table->value[k][0];
    for (int i = 1; i < table->n; i++)
      if (fabs(table->value[k][i]) > fabs(*constant)) *constant = table->value[k][i];
  }
  return own;
}

PetscErrorCode mt_composition_mix(const MtComposition *s, const MtMesh *mesh, uint64_t *constants) {
  uint64_t local = 0, sum;
  if (!s) return 0;
  for (int i = 0; i < s->ntables; i++)
    for (int k = 0; k < MT_NCOMPOSED; k++)
      for (int j = 0; s->table[i].value[k] && j < s->table[i].n; j++)
        *constants = mt_site_mix(mt_site_mix(*constants, s->table[i].c[j]), s->table[i].value[k][j]);
  for (PetscInt i = 0; i < mesh->nv_owned; i++) /* a sum over nodes by file id: the same for any distribution */
    if (!isnan(s->c[i])) local += mt_site_mix((uint64_t)mesh->vid[i], s->c[i]);
  PetscCallMPI(MPI_Allreduce(&local, &sum, 1, MPI_UINT64_T, MPI_SUM, mesh->comm));
  *constants = mt_site_mix(*constants, (double)(sum >> 11));
  return 0;
}

typedef struct {
  double volume, c, Js, K1, A; /* sums */
  double low[3], high[3];      /* of c, Js, K1 */
} Sums;

static void add_element(Sums *sum, double V, double c, const MtMaterial *m) {
  const double value[3] = {c, m->Js, m->K1};
  sum->volume += V;
  sum->c += V * c;
  sum->Js += V * m->Js;
  sum->K1 += V * m->K1;
  sum->A += V * m->A;
  for (int k = 0; k < 3; k++) {
    sum->low[k] = fmin(sum->low[k], value[k]);
    sum->high[k] = fmax(sum->high[k], value[k]);
  }
}

/* Over the elements that have a table. */
static PetscErrorCode survey(const MtComposition *s, const MtMesh *mesh, const MtMaterial *material, Sums *sum) {
  *sum = (Sums){.low = {INFINITY, INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY, -INFINITY}};
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    double x[4][3];
    MtMaterial own;
    if (!mesh->tet_owned[t] || s->of_region[mesh->region[t]] < 0) continue;
    for (int a = 0; a < 4; a++)
      for (int c = 0; c < 3; c++) x[a][c] = mesh->x[3 * mesh->tet[4 * t + a] + c];
    add_element(sum, mt_tet_volume((const double(*)[3])x), mean_of(s, mesh, t),
                mt_composition_at(s, mesh, material, t, &own));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum->volume, 5, MPI_DOUBLE, MPI_SUM, mesh->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum->low, 3, MPI_DOUBLE, MPI_MIN, mesh->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum->high, 3, MPI_DOUBLE, MPI_MAX, mesh->comm));
  return 0;
}

static void put_range(MtJson *j, const char *name, double low, double mean, double high, const char *unit) {
  mt_json_object(j, name);
  mt_json_quantity(j, "min", low, unit);
  mt_json_quantity(j, "mean", mean, unit);
  mt_json_quantity(j, "max", high, unit);
  mt_json_end(j);
}

PetscErrorCode mt_composition_results(const MtEnergy *e, const MtMaterial *material, MtJson *j) {
  const MtComposition *s = e->composition;
  Sums sum;
  if (!s) return 0;
  PetscCall(survey(s, e->mesh, material, &sum));
  const double V = sum.volume, Js = sum.Js / V, K1 = sum.K1 / V;
  mt_json_object(j, "composition");
  mt_json_string(j, "file", s->path);
  mt_json_string(j, "field", s->field);
  mt_json_quantity(j, "time", s->time, "s");
  put_range(j, "c", sum.low[0], sum.c / V, sum.high[0], "1");
  put_range(j, "Js", sum.low[1], Js, sum.high[1], "T");
  put_range(j, "K1", sum.low[2], K1, sum.high[2], "J/m3");
  mt_json_quantity(j, "A_mean", sum.A / V, "J/m");
  mt_json_quantity(j, "volume", V, "nm3");
  mt_json_quantity(j, "anisotropy_field_of_the_means", Js > 0 && K1 > 0 ? 2 * K1 * MT_MU0 / Js : NAN, "T");
  mt_json_end(j);
  return 0;
}
