/* What magtwin landscape leaves: landscape.h5, landscape.csv, passes.csv, maps.xdmf. */
#include "landscape_impl.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/mesh.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 4200 };

/* Rows that every rank has: rank 0 writes them. */
static PetscErrorCode write_rows(const MtLandscape *l, MtH5 *f, const char *name, int64_t rows, int columns,
                                 const double *value, const char *unit) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(l->comm, &rank));
  return mt_h5_write(f, name, H5T_NATIVE_DOUBLE, rows, columns, 0, rank ? 0 : rows, value, unit);
}

static PetscErrorCode write_map(const MtLandscape *l, MtH5 *f, const char *name, const double *map, const char *unit) {
  const MtTable *t = mt_series_table(l->series);
  return map ? mt_h5_write(f, name, H5T_NATIVE_DOUBLE, t->columns, 1, t->start, t->n, map, unit) : 0;
}

static PetscErrorCode write_three(const MtLandscape *l, MtH5 *f, const char *group, const MtMap *m) {
  const double *const map[] = {m->net, m->resisting, m->promoting};
  static const char *const what[] = {"net", "resisting", "promoting"};
  for (int k = 0; k < 3; k++) {
    char name[64];
    snprintf(name, sizeof name, "/maps/%s/%s", group, what[k]);
    PetscCall(write_map(l, f, name, map[k], "J/m3"));
  }
  return 0;
}

/* The same as densities on the nodes; direct: it is one already. */
static PetscErrorCode write_on_nodes(const MtLandscape *l, MtH5 *f, const char *group, const MtMap *m, bool direct) {
  const MtWork *w = &l->energy.nodes;
  const double *const map[] = {m->net, m->resisting, m->promoting};
  static const char *const what[] = {"net", "resisting", "promoting"};
  double *density = mt_malloc((size_t)w->count * sizeof *density);
  PetscErrorCode rc = 0;
  for (int k = 0; k < 3 && !rc && map[k]; k++) {
    char name[64];
    snprintf(name, sizeof name, "/nodes/%s/%s", group, what[k]);
    for (int64_t i = 0; i < w->count; i++) density[i] = direct ? map[k][i] : mt_landscape_density(l, map[k], i);
    rc = mt_h5_write(f, name, H5T_NATIVE_DOUBLE, w->nodes, 1, w->start, w->count, density, "J/m3");
  }
  free(density);
  return rc;
}

static PetscErrorCode write_nodes(const MtLandscape *l, MtH5 *f) {
  const MtWork *w = &l->energy.nodes;
  int unit;
  if (!w->n) return 0;
  PetscCall(write_on_nodes(l, f, "truth", &l->truth, true));
  PetscCall(mt_h5_write(f, "/nodes/volume", H5T_NATIVE_DOUBLE, w->nodes, 1, w->start, w->count, w->node_volume, "nm3"));
  if (mt_series_nodes(l->series, &unit) != w->nodes) return 0;
  PetscCall(write_on_nodes(l, f, "path", &l->maps.path, false));
  return write_on_nodes(l, f, "ridge", &l->maps.ridge, false);
}

/* At the pixels of the pictures, which rank 0 has. */
static PetscErrorCode write_places(const MtLandscape *l, MtH5 *f) {
  const MtPlaces *p = &l->places;
  const MtMap *const map[] = {&p->path, &p->ridge, &p->truth};
  static const char *const group[] = {"path", "ridge", "truth"}, *const what[] = {"net", "resisting", "promoting"};
  const int64_t side[3] = {p->size[2], p->size[1], p->size[0]};
  for (int m = 0; m < 3; m++) {
    const double *const part[] = {map[m]->net, map[m]->resisting, map[m]->promoting};
    for (int k = 0; k < 3 && part[0]; k++) {
      char name[64];
      snprintf(name, sizeof name, "/places/%s/%s", group[m], what[k]);
      PetscCall(write_rows(l, f, name, side[0] * side[1] * side[2], 1, part[k], "J/m3"));
    }
  }
  if (!p->run) return 0;
  PetscCall(write_rows(l, f, "/places/dPC", side[0] * side[1] * side[2], 1, p->dPC, "1"));
  PetscCall(mt_h5_set_ints(f, "/places", "size_zyx", 3, side));
  return mt_on_nodes_write(l, f);
}

static PetscErrorCode write_regression(const MtLandscape *l, MtH5 *f) {
  const int terms = l->energy.terms;
  double *value = mt_malloc(4 * (size_t)terms * sizeof *value);
  for (int t = 0; t < terms && l->ridge; t++) {
    const MtRegression *r = &l->ridge[t];
    memcpy(value + 4 * (size_t)t, (double[4]){r->score, r->chance, r->permuted, r->lambda}, 4 * sizeof *value);
  }
  PetscErrorCode rc = l->ridge ? write_rows(l, f, "/regression", terms, 4, value, NULL) : 0;
  if (!rc && l->ridge) rc = mt_h5_set_string(f, "/regression", "columns", "score, chance, permuted score, lambda");
  free(value);
  return rc;
}

static PetscErrorCode write_slopes(const MtLandscape *l, MtH5 *f) {
  const MtEnergies *e = &l->energy;
  for (int k = 0; k < mt_series_pca(l->series)->components; k++) {
    char name[32];
    snprintf(name, sizeof name, "/slope/%04d", k + 1);
    PetscCall(write_rows(l, f, name, e->n, e->terms, l->slope + (size_t)k * (size_t)e->n * (size_t)e->terms, "J/m3"));
  }
  return 0;
}

static PetscErrorCode write_contents(const MtLandscape *l, MtH5 *f) {
  const MtEnergies *e = &l->energy;
  const int64_t interval[2] = {l->maps.from, l->maps.to}, which[2] = {l->component, l->of};
  const char **name = mt_malloc((size_t)e->terms * sizeof *name);
  for (int t = 0; t < e->terms; t++) name[t] = e->name[t];
  PetscErrorCode rc = mt_h5_write_strings(f, "/terms", e->terms, name);
  free(name);
  if (rc) return rc;
  PetscCall(mt_h5_set_string(f, "/", "input", mt_input_canonical(l->in)));
  PetscCall(mt_h5_set_ints(f, "/", "from_to", 2, interval));
  PetscCall(mt_h5_set_ints(f, "/", "component_term", 2, which));
  PetscCall(write_rows(l, f, "/scores", e->n, mt_series_pca(l->series)->components, l->scores, "1"));
  PetscCall(write_rows(l, f, "/energy", e->n, e->terms, e->energy, "J/m3"));
  PetscCall(write_rows(l, f, "/work", e->n, e->terms, e->work, "J/m3"));
  if (e->B) PetscCall(write_rows(l, f, "/field", e->n, 1, e->B, "T"));
  if (e->J) PetscCall(write_rows(l, f, "/polarization", e->n, 1, e->J, "T"));
  PetscCall(write_slopes(l, f));
  PetscCall(write_regression(l, f));
  PetscCall(write_map(l, f, "/maps/dPC", l->maps.dPC, "1"));
  PetscCall(write_three(l, f, "path", &l->maps.path));
  PetscCall(write_three(l, f, "ridge", &l->maps.ridge));
  PetscCall(write_places(l, f));
  return write_nodes(l, f);
}

static PetscErrorCode write_hdf5(const MtLandscape *l) {
  MtH5 *f;
  char path[PATH];
  snprintf(path, sizeof path, "%s/landscape.h5", l->folder);
  PetscCall(mt_h5_create(l->comm, path, "magtwin-landscape", 1, &f));
  PetscErrorCode rc = write_contents(l, f);
  if (!rc) return mt_h5_commit(&f, false);
  if (f) PetscCall(mt_h5_discard(&f));
  return rc;
}

static void put(FILE *out, double value) {
  char buf[32];
  fprintf(out, ",%s", isfinite(value) ? mt_real_text(value, buf) : "nan");
}

static void put_samples(FILE *out, const MtLandscape *l) {
  const MtEnergies *e = &l->energy;
  const int K = mt_series_pca(l->series)->components;
  fputs("sample,file,row", out);
  if (e->B) fputs(",mu0_H_T,J_T", out);
  for (int k = 0; k < K; k++) fprintf(out, ",PC%d", k + 1);
  for (int t = 0; t < e->terms; t++) fprintf(out, ",e_%s_J/m3", e->name[t]);
  for (int t = 0; t < e->terms; t++) fprintf(out, ",w_%s_J/m3", e->name[t]);
  for (int t = 0; t < e->terms; t++) fprintf(out, ",dE_%s/dPC%d_J/m3", e->name[t], l->component + 1);
  fputc('\n', out);
  for (int s = 0; s < e->n; s++) {
    int64_t row;
    const char *file = mt_series_file(l->series, s, &row);
    const size_t at = (size_t)s * (size_t)e->terms;
    fprintf(out, "%d,\"%s\",%lld", s + 1, file, (long long)row + 1);
    if (e->B) put(out, e->B[s]), put(out, e->J[s]);
    for (int k = 0; k < K; k++) put(out, l->scores[s * K + k]);
    for (int t = 0; t < e->terms; t++) put(out, e->energy[at + (size_t)t]);
    for (int t = 0; t < e->terms; t++) put(out, e->work[at + (size_t)t]);
    for (int t = 0; t < e->terms; t++)
      put(out, l->slope[((size_t)l->component * (size_t)e->n) * (size_t)e->terms + at + (size_t)t]);
    fputc('\n', out);
  }
}

static void put_passes(FILE *out, const MtLandscape *l) {
  const MtEnergies *e = &l->energy;
  const int K = mt_series_pca(l->series)->components;
  fprintf(out, "pass,from,top,PC%d_from,PC%d_top,rise_%s_J/m3", l->component + 1, l->component + 1, e->name[l->of]);
  for (int t = 0; t < e->terms; t++) fprintf(out, ",part_%s_J/m3", e->name[t]);
  fputc('\n', out);
  for (int i = 0; i < l->npasses; i++) {
    const MtPass *p = &l->pass[i];
    fprintf(out, "%d,%d,%d", i + 1, p->from + 1, p->top + 1);
    put(out, l->scores[p->from * K + l->component]);
    put(out, l->scores[p->top * K + l->component]);
    put(out, p->rise);
    for (int t = 0; t < e->terms; t++)
      put(out, e->work[(size_t)p->top * (size_t)e->terms + (size_t)t] -
                   e->work[(size_t)p->from * (size_t)e->terms + (size_t)t]);
    fputc('\n', out);
  }
}

static PetscErrorCode write_csv(const MtLandscape *l, const char *name,
                                void (*print)(FILE *out, const MtLandscape *l)) {
  char path[PATH], *text = NULL;
  size_t size;
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(l->comm, &rank));
  if (!rank) {
    FILE *out = open_memstream(&text, &size);
    print(out, l);
    fclose(out);
    snprintf(path, sizeof path, "%s/%s", l->folder, name);
    rc = mt_file_write(path, text);
    free(text);
  }
  return mt_agree_root(l->comm, rc);
}

/* All maps on the mesh in one step. */
static PetscErrorCode write_xdmf(const MtLandscape *l) {
  static const char *const name[] = {"truth/net", "truth/resisting", "truth/promoting",
                                     "path/net",  "path/resisting",  "path/promoting",
                                     "ridge/net", "ridge/resisting", "ridge/promoting"};
  char file[PATH], path[PATH], dataset[9][64];
  MtXdmfField field[9];
  const int n = l->alpha ? 9 : 6;
  int unit;
  if (!l->energy.nodes.n || mt_series_nodes(l->series, &unit) != l->energy.nodes.nodes) return 0;
  snprintf(file, sizeof file, "%s/landscape.h5", l->folder);
  snprintf(path, sizeof path, "%s/maps.xdmf", l->folder);
  for (int k = 0; k < n; k++) {
    snprintf(dataset[k], sizeof dataset[k], "/nodes/%s", name[k]);
    field[k] = (MtXdmfField){.file = file, .dataset = dataset[k], .name = name[k], .ncomp = 1, .nodal = true};
  }
  return mt_series_xdmf(l->series, path, n, field);
}

PetscErrorCode mt_landscape_write(const MtLandscape *l) {
  PetscCall(l->places.on.nodes ? mt_on_nodes_xdmf(l) : write_xdmf(l));
  PetscCall(write_hdf5(l));
  PetscCall(write_csv(l, "landscape.csv", put_samples));
  return write_csv(l, "passes.csv", put_passes);
}
