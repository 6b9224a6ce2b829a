/* What magtwin pca leaves: pca.h5, scores.csv, explained.csv, modes.xdmf. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/mesh.h"
#include "run.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATH = 4200 };

/* Rows of a matrix of which every rank has all. */
static PetscErrorCode write_shared(const MtSeries *r, MtH5 *f, const char *name, int64_t rows, int k,
                                   const double *value) {
  int64_t start, n;
  PetscCall(mt_slab_here(r->comm, rows, &start, &n));
  return mt_h5_write(f, name, H5T_NATIVE_DOUBLE, rows, k, start, n, value + start * k, "1");
}

static PetscErrorCode write_lines(const MtSeries *r, MtH5 *f, const char *name, int k, const double *value) {
  const MtTable *t = &r->table;
  return mt_h5_write(f, name, H5T_NATIVE_DOUBLE, t->by_columns ? t->columns : t->rows, k, t->start, t->n, value, "1");
}

static PetscErrorCode write_variables(const MtSeries *r, MtH5 *f, const char *name, const double *value) {
  return r->table.by_columns ? write_lines(r, f, name, 1, value) : write_shared(r, f, name, r->table.columns, 1, value);
}

/* Where the variables come from: names of the blocks, their shapes, where each begins. */
static PetscErrorCode write_blocks(const MtSeries *r, MtH5 *f) {
  const MtShape *s = &r->source.shape;
  int rank;
  int64_t start = 0, *shape = mt_malloc(4 * (size_t)s->nblocks * sizeof *shape);
  const char **name = mt_malloc((size_t)s->nblocks * sizeof *name);
  PetscCallMPI(MPI_Comm_rank(r->comm, &rank));
  for (int i = 0; i < s->nblocks; i++) {
    name[i] = s->block[i].name;
    shape[4 * i] = start;
    memcpy(shape + 4 * i + 1, s->block[i].shape, 3 * sizeof *shape);
    start += mt_block_columns(&s->block[i]);
  }
  PetscErrorCode rc = mt_h5_write_strings(f, "/blocks/name", s->nblocks, name);
  if (!rc)
    rc = mt_h5_write(f, "/blocks/start_shape", H5T_NATIVE_INT64, s->nblocks, 4, 0, rank ? 0 : s->nblocks, shape, "1");
  if (!rc && r->source.name)
    rc = mt_h5_write_strings(f, "/blocks/columns", r->source.nnames, (const char *const *)r->source.name);
  free(shape);
  free(name);
  return rc;
}

/* The pattern that one unit of score adds to the mean: loading / factor, [nodes][unit]. */
static PetscErrorCode write_modes(const MtSeries *r, MtH5 *f) {
  const MtTable *t = &r->table;
  const int k = r->pca.components;
  double *mode = mt_malloc((size_t)t->n * sizeof *mode);
  PetscErrorCode rc = 0;
  for (int c = 0; c < k && !rc; c++) {
    char name[32];
    snprintf(name, sizeof name, "/modes/%04d", c + 1);
    for (int64_t i = 0; i < t->n; i++) mode[i] = r->pca.factor[i] > 0 ? r->pca.lines[i * k + c] / r->pca.factor[i] : 0;
    rc = mt_h5_write(f, name, H5T_NATIVE_DOUBLE, r->nodes, r->unit, t->start / r->unit, t->n / r->unit, mode, NULL);
  }
  free(mode);
  return rc;
}

static PetscErrorCode write_features_range(const MtSeries *r, MtH5 *f) {
  MtH5 *from;
  double range[3];
  PetscCall(mt_h5_open(r->comm, r->source.files.path[0], "magtwin-features", 1, &from));
  PetscErrorCode rc = mt_h5_get_reals(from, "/", "low_high_sigma", 3, range), closed = mt_h5_close(&from);
  if (!rc) rc = mt_h5_set_reals(f, "/", "low_high_sigma", 3, range);
  return rc ? rc : closed;
}

static PetscErrorCode write_contents(const MtSeries *r, MtH5 *f) {
  const MtPca *p = &r->pca;
  const MtTable *t = &r->table;
  const int k = p->components;
  const int64_t divisor = t->rows - mt_input_bool(r->in, "pca.center");
  PetscCall(mt_h5_set_string(f, "/", "input", mt_input_canonical(r->in)));
  PetscCall(mt_h5_set_reals(f, "/", "total_variance", 1, &p->total));
  PetscCall(mt_h5_set_reals(f, "/", "residual", 1, &p->residual));
  PetscCall(mt_h5_set_ints(f, "/", "divisor", 1, &divisor));
  PetscCall(mt_h5_set_string(f, "/", "files", r->source.files.path[0]));
  if (r->source.features) PetscCall(write_features_range(r, f));
  PetscCall(write_shared(r, f, "/variance", k, 1, p->variance));
  PetscCall(t->by_columns ? write_lines(r, f, "/loadings", k, p->lines)
                          : write_shared(r, f, "/loadings", t->columns, k, p->across));
  PetscCall(t->by_columns ? write_shared(r, f, "/scores", t->rows, k, p->across)
                          : write_lines(r, f, "/scores", k, p->lines));
  PetscCall(write_variables(r, f, "/mean", p->mean));
  PetscCall(write_variables(r, f, "/factor", p->factor));
  if (r->nodes) PetscCall(write_modes(r, f));
  return write_blocks(r, f);
}

static PetscErrorCode write_hdf5(const MtSeries *r, const char *folder) {
  MtH5 *f;
  char path[PATH];
  snprintf(path, sizeof path, "%s/pca.h5", folder);
  PetscCall(mt_h5_create(r->comm, path, "magtwin-pca", 1, &f));
  PetscErrorCode rc = write_contents(r, f);
  if (!rc) return mt_h5_commit(&f, false);
  if (f) PetscCall(mt_h5_discard(&f));
  return rc;
}

static void put_sample(FILE *out, const MtSeries *r, int64_t row, const double *score) {
  int64_t inside;
  char buf[32];
  const int file = mt_source_file(&r->source, row, &inside);
  fprintf(out, "%lld,\"%s\",%lld", (long long)row + 1, r->source.files.path[file], (long long)inside + 1);
  for (int c = 0; c < r->pca.components; c++) fprintf(out, ",%s", mt_real_text(score[c], buf));
  fputc('\n', out);
}

/* The scores in the order of the samples, piece by piece to rank 0. */
static PetscErrorCode put_scores(FILE *out, const MtSeries *r) {
  const MtTable *t = &r->table;
  const int k = r->pca.components;
  int rank, ranks;
  PetscCallMPI(MPI_Comm_rank(r->comm, &rank));
  PetscCallMPI(MPI_Comm_size(r->comm, &ranks));
  if (t->by_columns) {
    for (int64_t i = 0; i < t->rows && out; i++) put_sample(out, r, i, r->pca.across + i * k);
    return 0;
  }
  if (rank) {
    PetscCallMPI(MPI_Send(r->pca.lines, (int)(t->n * k), MPI_DOUBLE, 0, 0, r->comm));
    return 0;
  }
  for (int64_t i = 0; i < t->n; i++) put_sample(out, r, i, r->pca.lines + i * k);
  for (int from = 1; from < ranks; from++) {
    int64_t start, n;
    mt_table_slab(t->rows, 1, from, ranks, &start, &n);
    double *piece = mt_malloc((size_t)(n * k) * sizeof *piece);
    PetscCallMPI(MPI_Recv(piece, (int)(n * k), MPI_DOUBLE, from, 0, r->comm, MPI_STATUS_IGNORE));
    for (int64_t i = 0; i < n; i++) put_sample(out, r, start + i, piece + i * k);
    free(piece);
  }
  return 0;
}

/* The text is there once the stream is closed. */
static PetscErrorCode finish_text(const char *folder, const char *name, FILE *out, char **text) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  fclose(out);
  PetscErrorCode rc = mt_file_write(path, *text);
  free(*text);
  return rc;
}

static PetscErrorCode write_scores(const MtSeries *r, const char *folder) {
  int rank;
  char *text = NULL;
  size_t size;
  PetscCallMPI(MPI_Comm_rank(r->comm, &rank));
  FILE *out = rank ? NULL : open_memstream(&text, &size);
  if (out) fputs("sample,file,row", out);
  for (int c = 0; c < r->pca.components && out; c++) fprintf(out, ",PC%d", c + 1);
  if (out) fputc('\n', out);
  PetscErrorCode rc = put_scores(out, r);
  if (out) rc = finish_text(folder, "scores.csv", out, &text);
  return mt_agree(r->comm, rc);
}

static PetscErrorCode write_explained(const MtSeries *r, const char *folder) {
  int rank;
  char *text = NULL, a[32], b[32], c[32];
  size_t size;
  double sum = 0;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(r->comm, &rank));
  if (!rank) {
    FILE *out = open_memstream(&text, &size);
    fputs("component,variance,share,share_up_to_here\n", out);
    for (int i = 0; i < r->pca.components; i++) {
      const double share = r->pca.variance[i] / r->pca.total;
      sum += share;
      fprintf(out, "%d,%s,%s,%s\n", i + 1, mt_real_text(r->pca.variance[i], a), mt_real_text(share, b),
              mt_real_text(sum, c));
    }
    rc = finish_text(folder, "explained.csv", out, &text);
  }
  return mt_agree_root(r->comm, rc);
}

PetscErrorCode mt_series_xdmf(const MtSeries *r, const char *path, int n, const MtXdmfField *field) {
  char *mesh = realpath(mt_input_string(r->in, "pca.mesh"), NULL);
  const MtXdmf xdmf = {.mesh = mesh ? mesh : mt_input_string(r->in, "pca.mesh"),
                       .nv = r->nodes,
                       .nt = r->nt,
                       .shown = r->shown,
                       .tet_bytes = r->nodes > INT32_MAX ? 8 : 4,
                       .n = n,
                       .field = field};
  PetscErrorCode rc = mt_xdmf_write(r->comm, &xdmf, path);
  free(mesh);
  return rc;
}

/* One step of the collection a component. */
static PetscErrorCode write_xdmf(const MtSeries *r, const char *folder) {
  const int k = r->pca.components;
  char file[PATH], path[PATH], (*name)[32] = mt_malloc((size_t)k * sizeof *name);
  MtXdmfField *field = mt_calloc((size_t)k, sizeof *field);
  snprintf(file, sizeof file, "%s/pca.h5", folder);
  snprintf(path, sizeof path, "%s/modes.xdmf", folder);
  for (int c = 0; c < k; c++) {
    snprintf(name[c], sizeof name[c], "/modes/%04d", c + 1);
    field[c] =
        (MtXdmfField){.time = c + 1, .file = file, .dataset = name[c], .name = "mode", .ncomp = r->unit, .nodal = true};
  }
  PetscErrorCode rc = mt_series_xdmf(r, path, k, field);
  free(name);
  free(field);
  return rc;
}

PetscErrorCode mt_series_write(const MtSeries *r, const char *folder) {
  PetscCall(write_hdf5(r, folder));
  PetscCall(write_scores(r, folder));
  PetscCall(write_explained(r, folder));
  return r->nodes ? write_xdmf(r, folder) : 0;
}
