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

static void print_header(const MtEvolve *e, FILE *f) {
  fprintf(f,
          "t_s,dt_s,c_mean,c_min,c_max,f_total_J/m3,f_bulk_J/m3,f_gradient_J/m3,fraction,interface_%s,steps,rejected,"
          "newton_iterations,linear_iterations\n",
          e->domain->dim == 2 ? "nm" : "nm2");
}

static void print_row(FILE *f, const MtEvolveRow *row) {
  double value[MT_EVOLVE_ROW];
  memcpy(value, row, sizeof value);
  for (int c = 0; c < MT_EVOLVE_ROW; c++) fprintf(f, "%s%.17g", c ? "," : "", value[c]);
  fputc('\n', f);
}

static PetscErrorCode csv_begin(MtEvolve *e) {
  char *path = mt_evolve_path(e, "evolve.csv"), *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  print_header(e, f);
  for (int i = 0; i < e->nrows; i++) print_row(f, e->row + i);
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

static PetscErrorCode fill_row(MtEvolve *e, MtEvolveRow *row) {
  const MtMarchState *s = mt_march_state(e->march);
  const MtFlowEnergy energy = mt_march_energy(e->march);
  Vec c = mt_march_field(e->march, 0);
  *row = (MtEvolveRow){.t = s->t,
                       .dt = s->h1,
                       .energy = energy.total,
                       .bulk = energy.bulk,
                       .gradient = energy.gradient,
                       .steps = s->steps,
                       .rejected = s->rejected,
                       .newton = s->newton,
                       .linear = s->linear};
  PetscCall(mt_flow_mean(e->flow, c, &row->mean));
  PetscCall(VecMin(c, NULL, &row->low));
  PetscCall(VecMax(c, NULL, &row->high));
  return mt_flow_level(e->flow, c, e->opt.level, &row->fraction, &row->area);
}

static PetscErrorCode grow_rows(MtEvolve *e) {
  if (e->nrows < e->capacity) return 0;
  const int capacity = e->capacity ? 2 * e->capacity : 64;
  MtEvolveRow *row = realloc(e->row, (size_t)capacity * sizeof *row);
  if (!row) return mt_error(MT_ERR_FAIL, "out of memory for %d lines", capacity);
  e->row = row;
  e->capacity = capacity;
  return 0;
}

static PetscErrorCode csv_add(MtEvolve *e, const MtEvolveRow *row) {
  print_row(e->csv, row);
  if (fflush(e->csv) == 0) return 0;
  return mt_error(MT_ERR_INPUT, "cannot write to %s/evolve.csv: the disk or a quota may be full", e->folder);
}

PetscErrorCode mt_evolve_add_row(MtEvolve *e) {
  MtEvolveRow row;
  if (e->nrows > 0 && e->row[e->nrows - 1].t >= mt_march_state(e->march)->t) return 0;
  PetscCall(fill_row(e, &row));
  PetscErrorCode rc = grow_rows(e);
  if (!rc) e->row[e->nrows++] = row;
  return mt_agree(e->comm, rc || e->rank ? rc : csv_add(e, &row));
}

static void field_name(int number, char name[64]) {
  snprintf(name, 64, "fields/fields_%04d.h5", number);
}

/* The shape of a box, so that the file can be drawn by itself. */
static PetscErrorCode write_shape(const MtBox *b, MtH5 *f) {
  int64_t n[3];
  for (int c = 0; c < 3; c++) n[c] = c < b->dim ? b->cells[c] + !b->periodic[c] : 1;
  PetscErrorCode rc = mt_h5_set_ints(f, "/c", "nodes", 3, n);
  return rc ? rc : mt_h5_set_reals(f, "/c", "size_nm", 3, b->size);
}

static PetscErrorCode write_field(MtEvolve *e, int number) {
  MtH5 *f;
  char name[64];
  const double t = mt_march_state(e->march)->t;
  field_name(number, name);
  char *path = mt_evolve_path(e, name);
  PetscErrorCode rc = mt_h5_create(e->comm, path, "magtwin-fields", 1, &f);
  free(path);
  if (rc) return rc;
  rc = mt_domain_write(e->domain, f, "/c", mt_march_field(e->march, 0), "1");
  if (!rc && !e->mesh) rc = write_shape(&e->domain->box, f);
  if (!rc) rc = mt_h5_set_reals(f, "/", "t_s", 1, &t);
  if (!rc) return mt_h5_commit(&f, false);
  mt_h5_discard(&f);
  return rc;
}

/* A box as a grid of equal cells: nothing of it is written but this text. */
static void put_box(FILE *out, const MtBox *b, int number, double t) {
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
  fprintf(out,
          "<Attribute Name=\"c\" AttributeType=\"Scalar\" Center=\"Node\"><DataItem Dimensions=\"%lld %lld %lld\" "
          "NumberType=\"Float\" Precision=\"8\" Format=\"HDF\">%s:/c</DataItem></Attribute>\n</Grid>\n",
          (long long)n[2], (long long)n[1], (long long)n[0], name);
}

static PetscErrorCode index_box(const MtEvolve *e, const char *path) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) abort();
  fprintf(out, "<?xml version=\"1.0\"?>\n<Xdmf Version=\"3.0\">\n<Domain>\n"
               "<Grid Name=\"fields\" GridType=\"Collection\" CollectionType=\"Temporal\">\n");
  for (int i = 0; i < (int)e->mark.fields; i++) put_box(out, &e->domain->box, i + 1, e->field_times[i]);
  fprintf(out, "</Grid>\n</Domain>\n</Xdmf>\n");
  fclose(out);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

static PetscErrorCode index_mesh(const MtEvolve *e, const char *path) {
  const int n = (int)e->mark.fields;
  MtXdmfField *field = calloc((size_t)n + 1, sizeof *field);
  char(*name)[64] = calloc((size_t)n + 1, sizeof *name), **file = calloc((size_t)n + 1, sizeof *file);
  if (!field || !name || !file) abort();
  for (int i = 0; i < n; i++) {
    field_name(i + 1, name[i]);
    file[i] = mt_evolve_path(e, name[i]);
    field[i] = (MtXdmfField){
        .time = e->field_times[i], .file = file[i], .dataset = "/c", .name = "c", .ncomp = 1, .nodal = true};
  }
  const MtXdmf xdmf = {.mesh = e->mesh_path,
                       .nv = e->mesh->nv_global,
                       .nt = e->mesh->nt_global,
                       .shown = e->mesh->nt_body,
                       .tet_bytes = e->mesh->nv_global > INT32_MAX ? 8 : 4,
                       .n = n,
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
  const double t = mt_march_state(e->march)->t;
  const int n = (int)e->mark.fields;
  if (n > 0 && e->mark.field_t >= t) return 0;
  if (n == e->field_capacity) {
    e->field_capacity = n ? 2 * n : 16;
    e->field_times = realloc(e->field_times, (size_t)e->field_capacity * sizeof *e->field_times);
    if (!e->field_times) abort();
  }
  PetscErrorCode rc = write_field(e, n + 1);
  if (rc) return rc;
  e->field_times[n] = e->mark.field_t = t;
  e->mark.fields = n + 1;
  return write_index(e);
}

PetscErrorCode mt_evolve_results(MtEvolve *e, MtJson *j) {
  const MtMarchState *s = mt_march_state(e->march);
  MtEvolveRow row;
  PetscCall(fill_row(e, &row));
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
  mt_json_quantity(j, "energy", row.energy, "J/m3");
  mt_json_real(j, "c_mean", row.mean);
  mt_json_real(j, "c_min", row.low);
  mt_json_real(j, "c_max", row.high);
  mt_json_real(j, "fraction", row.fraction);
  mt_json_quantity(j, "interface", row.area, e->domain->dim == 2 ? "nm" : "nm2");
  mt_json_quantity(j, "volume", e->domain->volume, e->domain->dim == 2 ? "nm2" : "nm3");
  mt_json_real(j, "largest_drift_of_mean", e->mark.largest_drift);
  mt_json_quantity(j, "largest_rise_of_energy", e->mark.largest_rise, "J/m3");
  mt_json_real(j, "newton_per_step", s->steps > 0 ? s->newton / (s->steps + s->rejected) : NAN);
  mt_json_real(j, "linear_per_newton", s->newton > 0 ? s->linear / s->newton : NAN);
  mt_json_end(j);
  return 0;
}
