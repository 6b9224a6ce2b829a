/* What a phase-field run writes: evolve.csv, the fields kept, its part of summary.json. */
#include "evolve_impl.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *mt_evolve_path(const MtEvolve *e, const char *name) {
  const size_t n = strlen(e->folder) + strlen(name) + 2;
  char *path = malloc(n);
  if (!path) abort();
  snprintf(path, n, "%s/%s", e->folder, name);
  return path;
}

static void print_row(FILE *f, int n, const double *value) {
  for (int c = 0; c < n; c++) fprintf(f, "%s%.17g", c ? "," : "", value[c]);
  fputc('\n', f);
}

static double *row_of(const MtEvolve *e, int i) {
  return e->row + (size_t)i * (size_t)e->system->columns;
}

static PetscErrorCode csv_begin(MtEvolve *e) {
  char *path = mt_evolve_path(e, "evolve.csv"), *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  fprintf(f, "%s\n", e->system->header);
  for (int i = 0; i < e->nrows; i++) print_row(f, e->system->columns, row_of(e, i));
  fclose(f);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  if (!rc && !(e->csv = fopen(path, "a"))) rc = mt_error(MT_ERR_INPUT, "cannot write to %s", path);
  free(path);
  return rc;
}

PetscErrorCode mt_evolve_csv_open(MtEvolve *e) {
  return mt_agree_root(e->comm, e->rank ? 0 : csv_begin(e));
}

static PetscErrorCode grow_rows(MtEvolve *e) {
  if (e->nrows < e->capacity) return 0;
  const int capacity = e->capacity ? 2 * e->capacity : 64;
  double *row = realloc(e->row, (size_t)capacity * (size_t)e->system->columns * sizeof *row);
  if (!row) return mt_error(MT_ERR_FAIL, "out of memory for %d lines", capacity);
  e->row = row;
  e->capacity = capacity;
  return 0;
}

static PetscErrorCode csv_add(MtEvolve *e) {
  print_row(e->csv, e->system->columns, row_of(e, e->nrows - 1));
  if (fflush(e->csv) == 0) return 0;
  return mt_error(MT_ERR_INPUT, "cannot write to %s/evolve.csv: the disk or a quota may be full", e->folder);
}

PetscErrorCode mt_evolve_add_row(MtEvolve *e) {
  if (e->nrows > 0 && row_of(e, e->nrows - 1)[0] >= e->system->clock->t) return 0;
  PetscErrorCode rc = mt_agree(e->comm, grow_rows(e));
  if (rc) return rc;
  PetscCall(e->system->call->row(e->system, row_of(e, e->nrows)));
  e->nrows++;
  return mt_agree_root(e->comm, e->rank ? 0 : csv_add(e));
}

static void field_name(int number, char name[64]) {
  snprintf(name, 64, "fields/fields_%04d.h5", number);
}

/* The shape of a box, so that the file can be drawn by itself. */
static PetscErrorCode write_shape(const MtBox *b, const MtSystem *s, MtH5 *f) {
  int64_t n[3];
  PetscErrorCode rc = 0;
  for (int c = 0; c < 3; c++) n[c] = c < b->dim ? b->cells[c] + !b->periodic[c] : 1;
  for (int i = 0; i < s->fields && !rc; i++) {
    rc = mt_h5_set_ints(f, s->field[i], "nodes", 3, n);
    if (!rc) rc = mt_h5_set_reals(f, s->field[i], "size_nm", 3, b->size);
  }
  return rc;
}

static PetscErrorCode write_field(MtEvolve *e, int number) {
  MtH5 *f;
  char name[64];
  const double t = e->system->clock->t;
  field_name(number, name);
  char *path = mt_evolve_path(e, name);
  PetscErrorCode rc = mt_h5_create(e->comm, path, "magtwin-fields", 1, &f);
  free(path);
  if (rc) return rc;
  rc = e->system->call->write(e->system, f);
  if (!rc && !e->mesh) rc = write_shape(&e->domain->box, e->system, f);
  if (!rc) rc = mt_h5_set_reals(f, "/", "t_s", 1, &t);
  if (!rc) return mt_h5_commit(&f, false);
  mt_h5_discard(&f);
  return rc;
}

static PetscErrorCode write_list(MtEvolve *e, int number) {
  char name[64], *text;
  if (!e->system->call->list) return 0;
  PetscCall(e->system->call->list(e->system, &text));
  snprintf(name, sizeof name, "fields/%s_%04d.csv", e->system->list, number);
  char *path = mt_evolve_path(e, name);
  PetscErrorCode rc = mt_agree_root(e->comm, e->rank ? 0 : mt_file_write(path, text));
  free(path);
  free(text);
  return rc;
}

/* A box as a grid of equal cells: nothing of it is written but this text. */
static void put_box(FILE *out, const MtBox *b, const MtSystem *s, int number, double t) {
  int64_t n[3];
  double h[3];
  char name[64];
  field_name(number, name);
  for (int c = 0; c < 3; c++) {
    n[c] = c < b->dim ? b->cells[c] + !b->periodic[c] : 1;
    h[c] = c < b->dim ? b->size[c] / (double)b->cells[c] : 1;
  }
  fprintf(out, "<Grid Name=\"box\" GridType=\"Uniform\">\n<Time Value=\"%.17g\"/>\n", t);
  fprintf(out, "<Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"%lld %lld %lld\"/>\n", (long long)n[2],
          (long long)n[1], (long long)n[0]);
  fprintf(out,
          "<Geometry GeometryType=\"ORIGIN_DXDYDZ\"><DataItem Dimensions=\"3\" Format=\"XML\">0 0 0</DataItem>"
          "<DataItem Dimensions=\"3\" Format=\"XML\">%.17g %.17g %.17g</DataItem></Geometry>\n",
          h[2], h[1], h[0]);
  for (int i = 0; i < s->fields; i++)
    fprintf(out,
            "<Attribute Name=\"%s\" AttributeType=\"Scalar\" Center=\"Node\"><DataItem Dimensions=\"%lld %lld %lld\" "
            "NumberType=\"Float\" Precision=\"8\" Format=\"HDF\">%s:%s</DataItem></Attribute>\n",
            s->field[i] + 1, (long long)n[2], (long long)n[1], (long long)n[0], name, s->field[i]);
  fprintf(out, "</Grid>\n");
}

static PetscErrorCode index_box(const MtEvolve *e, const char *path) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) abort();
  fprintf(out, "<?xml version=\"1.0\"?>\n<Xdmf Version=\"3.0\">\n<Domain>\n"
               "<Grid Name=\"fields\" GridType=\"Collection\" CollectionType=\"Temporal\">\n");
  for (int i = 0; i < (int)e->mark.fields; i++) put_box(out, &e->domain->box, e->system, i + 1, e->field_times[i]);
  fprintf(out, "</Grid>\n</Domain>\n</Xdmf>\n");
  fclose(out);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

static PetscErrorCode index_mesh(const MtEvolve *e, const char *path) {
  const int n = (int)e->mark.fields, fields = e->system->fields;
  MtXdmfField *field = calloc((size_t)(n * fields) + 1, sizeof *field);
  char(*name)[64] = calloc((size_t)n + 1, sizeof *name), **file = calloc((size_t)n + 1, sizeof *file);
  if (!field || !name || !file) abort();
  for (int i = 0; i < n * fields; i++) {
    const int at = i / fields;
    const char *dataset = e->system->field[i % fields];
    if (i % fields == 0) {
      field_name(at + 1, name[at]);
      file[at] = mt_evolve_path(e, name[at]);
    }
    field[i] = (MtXdmfField){.time = e->field_times[at],
                             .file = file[at],
                             .dataset = dataset,
                             .name = dataset + 1,
                             .ncomp = 1,
                             .nodal = true};
  }
  const MtXdmf xdmf = {.mesh = e->mesh_path,
                       .nv = e->mesh->nv_global,
                       .nt = e->mesh->nt_global,
                       .shown = e->mesh->nt_body,
                       .tet_bytes = e->mesh->nv_global > INT32_MAX ? 8 : 4,
                       .n = n * fields,
                       .field = field};
  PetscErrorCode rc = mt_xdmf_write(e->comm, &xdmf, path);
  for (int i = 0; i < n; i++) free(file[i]);
  free(file);
  free(name);
  free(field);
  return rc;
}

static PetscErrorCode write_index(const MtEvolve *e) {
  char *path = mt_evolve_path(e, "fields.xdmf");
  PetscErrorCode rc = e->mesh ? index_mesh(e, path) : mt_agree_root(e->comm, e->rank ? 0 : index_box(e, path));
  free(path);
  return rc;
}

PetscErrorCode mt_evolve_keep(MtEvolve *e) {
  const double t = e->system->clock->t;
  const int n = (int)e->mark.fields;
  if (n > 0 && e->mark.field_t >= t) return 0;
  if (n == e->field_capacity) {
    e->field_capacity = n ? 2 * n : 16;
    e->field_times = realloc(e->field_times, (size_t)e->field_capacity * sizeof *e->field_times);
    if (!e->field_times) abort();
  }
  PetscErrorCode rc = write_field(e, n + 1);
  if (!rc) rc = write_list(e, n + 1);
  if (rc) return rc;
  e->field_times[n] = e->mark.field_t = t;
  e->mark.fields = n + 1;
  return write_index(e);
}

PetscErrorCode mt_evolve_results(MtEvolve *e, MtJson *j) {
  const MtMarchState *s = e->system->clock;
  mt_json_object(j, "counts");
  mt_json_int(j, "nodes", e->domain->n_global);
  mt_json_int(j, "elements", e->domain->ne_global);
  mt_json_int(j, "rows", e->nrows);
  mt_json_int(j, "fields", (int64_t)e->mark.fields);
  mt_json_int(j, "steps", (int64_t)s->steps);
  mt_json_int(j, "rejected", (int64_t)s->rejected);
  mt_json_int(j, "newton_iterations", (int64_t)s->newton);
  mt_json_int(j, "linear_iterations", (int64_t)s->linear);
  mt_json_end(j);
  mt_json_object(j, "results");
  mt_json_string(j, "end", e->mark.finished > 0 ? "time" : "stopped");
  mt_json_quantity(j, "t", s->t, "s");
  if (!isnan(e->system->energy)) mt_json_quantity(j, "energy", e->system->energy, "J/m3");
  PetscCall(e->system->call->results(e->system, j));
  mt_json_quantity(j, "volume", e->domain->volume, e->domain->dim == 2 ? "nm2" : "nm3");
  if (e->system->call->mean) mt_json_real(j, "largest_drift_of_mean", e->mark.largest_drift);
  if (!isnan(e->system->energy)) mt_json_quantity(j, "largest_rise_of_energy", e->mark.largest_rise, "J/m3");
  mt_json_real(j, "newton_per_step", s->steps > 0 ? s->newton / (s->steps + s->rejected) : NAN);
  mt_json_real(j, "linear_per_newton", s->newton > 0 ? s->linear / s->newton : NAN);
  mt_json_end(j);
  return 0;
}
