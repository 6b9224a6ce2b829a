/* magtwin pca: files -> table -> components -> files. */
#include "run.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <stdio.h>
#include <string.h>

static MtPcaMethod method_of(const MtInput *in) {
  const char *method = mt_input_string(in, "pca.method");
  return method[0] == 'a' ? MT_PCA_AUTO : (method[0] == 'g' ? MT_PCA_GRAM : MT_PCA_SVD);
}

/* As many as asked for, or the default as far as it goes. */
static PetscErrorCode read_options(const MtSeries *r, MtPcaOptions *o) {
  const MtInput *in = r->in;
  const MtSource *s = &r->source;
  *o = (MtPcaOptions){.method = method_of(in),
                      .center = mt_input_bool(in, "pca.center"),
                      .scale = !strcmp(mt_input_string(in, "pca.scale"), "deviation"),
                      .factor = r->weight};
  const int64_t most = mt_pca_most(s->rows, s->columns, o->center);
  if (s->rows < 2)
    return mt_input_error(in, "pca.files", "%s holds one sample; components need two or more", s->files.path[0]);
  o->components = most < 10 ? (int)most : 10;
  if (mt_input_has(in, "pca.components")) o->components = (int)mt_input_int(in, "pca.components");
  if (o->components > most)
    return mt_input_error(
        in, "pca.components", "%lld samples of %lld variables in %s have at most %lld components, not %d",
        (long long)s->rows, (long long)s->columns, mt_input_string(in, "pca.files"), (long long)most, o->components);
  return 0;
}

static PetscErrorCode make_table(MtSeries *r, bool by_columns) {
  const char *deal = mt_input_string(r->in, "pca.distribute");
  const MtSource *s = &r->source;
  by_columns = by_columns || deal[0] == 'c' || (deal[0] == 'a' && s->columns >= s->rows) || r->nodes;
  if (r->nodes && deal[0] == 'r')
    return mt_input_error(r->in, "pca.distribute", "with pca.mesh the nodes are dealt to the ranks: columns");
  mt_log("%lld samples of %lld numbers, %.3g MB over the ranks", (long long)s->rows, (long long)s->columns,
         8e-6 * (double)s->rows * (double)s->columns);
  PetscCall(mt_table_create(r->comm, s->rows, s->columns, by_columns, r->unit, &r->table));
  mt_phase_begin("read");
  PetscErrorCode rc = mt_source_load(&r->source, &r->table, r->unit);
  mt_phase_end("read");
  return rc;
}

static void tell(const MtSeries *r, int asked, MtJson *json) {
  const MtPca *p = &r->pca;
  double sum = 0;
  for (int i = 0; i < p->components; i++) sum += p->variance[i];
  mt_json_object(json, "pca");
  mt_json_int(json, "samples", r->table.rows);
  mt_json_int(json, "variables", r->table.columns);
  mt_json_string(json, "method", p->method == MT_PCA_GRAM ? "gram" : "svd");
  mt_json_int(json, "components", p->components);
  mt_json_real(json, "total_variance", p->total);
  mt_json_reals(json, "variance", p->components, p->variance);
  mt_json_real(json, "explained", sum / p->total);
  mt_json_real(json, "residual", p->residual);
  mt_json_end(json);
  mt_log("%d components hold %.4g %% of the variance, the first %.4g %%", p->components, 100 * sum / p->total,
         100 * p->variance[0] / p->total);
  if (p->components < asked) mt_warn("%d components were asked for; the data have %d", asked, p->components);
  if (p->residual > 1e-8) mt_warn("the components are found to %.1g of the first singular value only", p->residual);
}

PetscErrorCode mt_series_open(MPI_Comm comm, const MtInput *in, MtSeries **series) {
  MtSeries *r = *series = mt_calloc(1, sizeof *r);
  MtPcaOptions o;
  r->comm = comm;
  r->in = in;
  r->unit = 1;
  PetscErrorCode rc = mt_source_find(comm, in, &r->source);
  if (!rc && mt_input_has(in, "pca.mesh")) rc = mt_pca_mesh(r);
  if (!rc) rc = read_options(r, &o);
  if (rc) mt_series_close(series);
  return rc;
}

/* The error of the components with the name of the data. */
static PetscErrorCode say_where(const MtSeries *r) {
  char text[512];
  snprintf(text, sizeof text, "%s", mt_error_message());
  mt_error_clear();
  return mt_error(MT_ERR_INPUT, "%s: %s", mt_input_string(r->in, "pca.files"), text);
}

PetscErrorCode mt_series_solve(MtSeries *r, bool by_columns, MtJson *json) {
  MtPcaOptions o;
  PetscCall(read_options(r, &o));
  PetscCall(make_table(r, by_columns));
  mt_phase_begin("components");
  PetscErrorCode rc = mt_pca(&r->table, &o, &r->pca);
  if (rc == MT_ERR_INPUT) rc = say_where(r);
  mt_phase_end("components");
  if (!rc) tell(r, o.components, json);
  return rc;
}

void mt_series_close(MtSeries **series) {
  MtSeries *r = *series;
  if (!r) return;
  mt_source_free(&r->source);
  mt_table_clear(&r->table);
  mt_pca_free(&r->pca);
  free(r->weight);
  free(r);
  *series = NULL;
}

int64_t mt_series_samples(const MtSeries *r) {
  return r->source.rows;
}

const MtTable *mt_series_table(const MtSeries *r) {
  return &r->table;
}

const MtPca *mt_series_pca(const MtSeries *r) {
  return &r->pca;
}

int64_t mt_series_nodes(const MtSeries *r, int *unit) {
  *unit = r->unit;
  return r->nodes;
}

const char *mt_series_file(const MtSeries *r, int64_t sample, int64_t *inside) {
  return r->source.files.path[mt_source_file(&r->source, sample, inside)];
}

bool mt_series_block(const MtSeries *r, int i, int64_t *start, int64_t shape[3], const char **name) {
  const MtShape *s = &r->source.shape;
  *start = 0;
  if (i >= s->nblocks) return false;
  for (int b = 0; b < i; b++) *start += mt_block_columns(&s->block[b]);
  memcpy(shape, s->block[i].shape, sizeof s->block[i].shape);
  *name = s->block[i].name;
  return true;
}

bool mt_series_is_features(const MtSeries *r) {
  return r->source.features;
}

PetscErrorCode mt_pca_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json) {
  MtSeries *series;
  PetscCall(mt_series_open(comm, in, &series));
  PetscErrorCode rc = mt_series_solve(series, false, json);
  mt_phase_begin("write");
  if (!rc) rc = mt_series_write(series, folder);
  mt_phase_end("write");
  mt_series_close(&series);
  return rc;
}
