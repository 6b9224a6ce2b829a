/* The files of section pca as the rows of one table. */
#include "source.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>
#include <strings.h>

int64_t mt_block_columns(const MtBlock *b) {
  return b->shape[0] * b->shape[1] * b->shape[2];
}

int64_t mt_shape_columns(const MtShape *s) {
  int64_t n = 0;
  for (int i = 0; i < s->nblocks; i++) n += mt_block_columns(&s->block[i]);
  return n;
}

MtBlock *mt_shape_add(MtShape *s, const char *name, int64_t nz, int64_t ny, int64_t nx) {
  s->block = mt_realloc(s->block, ((size_t)s->nblocks + 1) * sizeof *s->block);
  MtBlock *b = &s->block[s->nblocks++];
  memset(b, 0, sizeof *b);
  snprintf(b->name, sizeof b->name, "%s", name);
  b->shape[0] = nz, b->shape[1] = ny, b->shape[2] = nx;
  return b;
}

int mt_source_names(const MtInput *in, const char *key) {
  return mt_input_has(in, "%s", key) ? mt_input_count(in, "%s", key) : 0;
}

static const MtFormat *format_of(const char *path) {
  static const struct {
    const char *ending;
    const MtFormat *format;
  } known[] = {{".csv", &mt_format_csv},     {".txt", &mt_format_csv},      {".dat", &mt_format_csv},
               {".tsv", &mt_format_csv},     {".npy", &mt_format_npy},      {".h5", &mt_format_hdf5},
               {".hdf5", &mt_format_hdf5},   {".hdf", &mt_format_hdf5},     {".png", &mt_format_picture},
               {".tif", &mt_format_picture}, {".tiff", &mt_format_picture}, {NULL, NULL}};
  const char *dot = strrchr(path, '.');
  for (int i = 0; known[i].ending && dot; i++)
    if (!strcasecmp(dot, known[i].ending)) return known[i].format;
  return NULL;
}

static PetscErrorCode check_kinds(MtSource *s) {
  for (int i = 0; i < s->files.n; i++) {
    const char *path = s->files.path[i];
    const MtFormat *format = format_of(path);
    if (!format)
      return mt_input_error(s->in, s->key,
                            "%s: this kind of file is not known; data are .csv, .txt, .dat, .tsv, .npy, .h5, .hdf5, "
                            ".hdf, .png, .tif, .tiff",
                            path);
    if (i && format != s->format)
      return mt_input_error(s->in, s->key, "%s and %s are of different kinds", s->files.path[0], path);
    s->format = format;
  }
  return 0;
}

/* The format attribute of one of our files, "" of others. */
static void our_format(const char *path, char name[64]) {
  name[0] = 0;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT),
              a = file >= 0 && H5Aexists(file, "format") > 0 ? H5Aopen(file, "format", H5P_DEFAULT) : -1,
              type = a >= 0 ? H5Aget_type(a) : -1;
  if (type >= 0 && H5Tget_class(type) == H5T_STRING && !H5Tis_variable_str(type) && H5Tget_size(type) < 64) {
    const size_t n = H5Tget_size(type);
    if (H5Aread(a, type, name) < 0) name[0] = 0;
    name[n] = 0;
  }
  if (type >= 0) H5Tclose(type);
  if (a >= 0) H5Aclose(a);
  if (file >= 0) H5Fclose(file);
}

static void choose_sample(MtSource *s) {
  const char *sample = mt_input_string(s->in, "pca.sample");
  char format[64] = "";
  if (s->format == &mt_format_hdf5) our_format(s->files.path[0], format);
  s->features = !strcmp(format, "magtwin-features");
  s->texture = !strcmp(format, "magtwin-texture");
  s->by_file = !strcmp(sample, "file") || (!strcmp(sample, "auto") && !s->features && !s->texture &&
                                           (s->files.n > 1 || !strcmp(format, "magtwin-state")));
  if (s->format == &mt_format_picture) s->by_file = false; /* a page is a sample */
}

static bool same_shape(const MtShape *a, const MtShape *b) {
  if (a->nblocks != b->nblocks) return false;
  for (int i = 0; i < a->nblocks; i++)
    if (memcmp(a->block[i].shape, b->block[i].shape, sizeof a->block[i].shape) != 0) return false;
  return true;
}

static PetscErrorCode probe(MtSource *s, int i, MtShape *shape) {
  const char *path = s->files.path[i];
  memset(shape, 0, sizeof *shape);
  PetscCall(s->format->probe(s, path, shape));
  if (shape->rows < 1 || mt_shape_columns(shape) < 1) return mt_error(MT_ERR_INPUT, "%s: holds no numbers", path);
  return 0;
}

static PetscErrorCode probe_like_first(MtSource *s, int i, int64_t *rows) {
  MtShape shape;
  PetscErrorCode rc = probe(s, i, &shape);
  if (!rc && !same_shape(&shape, &s->shape)) {
    const int64_t *a = shape.block[0].shape, *b = s->shape.block[0].shape;
    rc = mt_error(
        MT_ERR_INPUT, "%s has %lld numbers a sample (%lld x %lld x %lld), but %s has %lld (%lld x %lld x %lld)",
        s->files.path[i], (long long)mt_shape_columns(&shape), (long long)a[0], (long long)a[1], (long long)a[2],
        s->files.path[0], (long long)s->columns, (long long)b[0], (long long)b[1], (long long)b[2]);
  }
  *rows = shape.rows;
  free(shape.block);
  return rc;
}

/* Rows of all files, each rank looks at some of them. */
static PetscErrorCode count_rows(MPI_Comm comm, MtSource *s) {
  int rank, size;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  s->first = mt_calloc((size_t)s->files.n + 1, sizeof *s->first);
  if (!rank) s->first[1] = s->shape.rows;
  for (int i = rank ? rank : size; i < s->files.n && !rc; i += size) rc = probe_like_first(s, i, &s->first[i + 1]);
  PetscCall(mt_agree(comm, rc));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->first, s->files.n + 1, MPI_INT64_T, MPI_SUM, comm));
  for (int i = 0; i < s->files.n; i++) s->first[i + 1] += s->first[i];
  s->rows = s->first[s->files.n];
  return 0;
}

/* Vectors become one number each. */
static PetscErrorCode choose_value(MtSource *s) {
  MtBlock *b = s->shape.block;
  double length = 0;
  s->transverse = mt_input_string(s->in, "pca.value")[0] == 't';
  if (!s->transverse) return 0;
  mt_input_vec3(s->in, s->axis, "pca.axis");
  for (int a = 0; a < 3; a++) length += s->axis[a] * s->axis[a];
  if (!(length > 0)) return mt_input_error(s->in, "pca.axis", "must not be zero");
  for (int a = 0; a < 3; a++) s->axis[a] /= sqrt(length);
  if (s->shape.nblocks != 1 || b->shape[2] != 3)
    return mt_input_error(s->in, "pca.value", "transverse needs one field with three components, %s has none",
                          s->files.path[0]);
  b->shape[2] = 1;
  return 0;
}

static PetscErrorCode find(MPI_Comm comm, const MtInput *in, const char *key, MtSource *s) {
  memset(s, 0, sizeof *s);
  s->in = in;
  s->key = key;
  s->open = -1;
  PetscCall(mt_files_find(comm, mt_input_string(in, "%s", key), &s->files));
  if (!s->files.n) return mt_input_error(in, key, "no file matches %s", mt_input_string(in, "%s", key));
  PetscCall(check_kinds(s));
  choose_sample(s);
  PetscCall(mt_agree(comm, probe(s, 0, &s->shape)));
  s->columns = s->own = mt_shape_columns(&s->shape);
  return count_rows(comm, s);
}

/* Further columns of the same samples. */
static PetscErrorCode find_beside(MPI_Comm comm, MtSource *s) {
  MtSource *b = s->beside = mt_calloc(1, sizeof *b);
  PetscCall(find(comm, s->in, "pca.beside", b));
  if (b->rows != s->rows)
    return mt_input_error(s->in, "pca.beside", "%s has %lld samples, but %s has %lld", b->files.path[0],
                          (long long)b->rows, s->files.path[0], (long long)s->rows);
  for (int i = 0; i < b->shape.nblocks; i++) {
    const MtBlock *k = &b->shape.block[i];
    mt_shape_add(&s->shape, k->name, k->shape[0], k->shape[1], k->shape[2]);
  }
  s->columns += b->columns;
  return 0;
}

PetscErrorCode mt_source_find(MPI_Comm comm, const MtInput *in, MtSource *s) {
  PetscCall(find(comm, in, "pca.files", s));
  PetscCall(choose_value(s));
  s->columns = s->own = mt_shape_columns(&s->shape);
  return mt_input_has(in, "pca.beside") ? find_beside(comm, s) : 0;
}

void mt_source_free(MtSource *s) {
  if (s->beside) mt_source_free(s->beside);
  free(s->beside);
  if (s->open >= 0) s->format->close(s);
  mt_files_free(&s->files);
  free(s->first);
  free(s->shape.block);
  for (int i = 0; i < s->nnames; i++) free(s->name[i]);
  free(s->name);
  memset(s, 0, sizeof *s);
}

int mt_source_file(const MtSource *s, int64_t row, int64_t *inside) {
  int low = 0, high = s->files.n;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (s->first[middle] <= row)
      low = middle;
    else
      high = middle;
  }
  *inside = row - s->first[low];
  return low;
}

static PetscErrorCode open_file(MtSource *s, int file) {
  if (s->open == file) return 0;
  if (s->open >= 0) s->format->close(s);
  s->open = -1;
  s->path = s->files.path[file];
  PetscErrorCode rc = s->format->open(s, s->path);
  if (rc)
    s->format->close(s);
  else
    s->open = file;
  return rc;
}

static PetscErrorCode check_finite(const MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols,
                                   const double *out) {
  for (int64_t i = 0; i < nrows * ncols; i++)
    if (!isfinite(out[i]))
      return mt_error(MT_ERR_INPUT, "%s: number %lld of sample %lld is not finite", s->path,
                      (long long)(col + i % ncols + 1), (long long)(row + i / ncols + 1));
  return 0;
}

static PetscErrorCode read_raw(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out) {
  while (nrows > 0) {
    int64_t inside;
    const int file = mt_source_file(s, row, &inside);
    const int64_t left = s->first[file + 1] - row, n = nrows < left ? nrows : left;
    PetscCall(open_file(s, file));
    PetscCall(s->format->read(s, inside, n, col, ncols, out));
    PetscCall(check_finite(s, inside, n, col, ncols, out));
    row += n, nrows -= n, out += n * ncols;
  }
  return 0;
}

/* Columns of these files alone. */
static PetscErrorCode read_own(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out) {
  if (!s->transverse) return read_raw(s, row, nrows, col, ncols, out);
  double *m = mt_malloc(3 * (size_t)ncols * sizeof *m);
  PetscErrorCode rc = 0;
  for (int64_t i = 0; i < nrows && !rc; i++) {
    rc = read_raw(s, row + i, 1, 3 * col, 3 * ncols, m);
    for (int64_t k = 0; k < ncols && !rc; k++) {
      const double *v = m + 3 * k, along = v[0] * s->axis[0] + v[1] * s->axis[1] + v[2] * s->axis[2],
                   square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2]; /* 0 where nothing is magnetic */
      out[i * ncols + k] = square - along * along;
    }
  }
  free(m);
  return rc;
}

/* Some columns of a window, into their place in its lines. */
static PetscErrorCode read_part(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, int64_t stride,
                                double *out) {
  double *part = mt_malloc((size_t)nrows * (size_t)ncols * sizeof *part);
  const PetscErrorCode rc = ncols ? read_own(s, row, nrows, col, ncols, part) : 0;
  for (int64_t i = 0; i < nrows && !rc; i++) memcpy(out + i * stride, part + i * ncols, (size_t)ncols * sizeof *part);
  free(part);
  return rc;
}

PetscErrorCode mt_source_read(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out) {
  const int64_t left = col < s->own ? (col + ncols < s->own ? ncols : s->own - col) : 0;
  if (left == ncols) return read_own(s, row, nrows, col, ncols, out);
  PetscCall(read_part(s, row, nrows, col, left, ncols, out));
  return read_part(s->beside, row, nrows, col + left - s->own, ncols - left, ncols, out + left);
}
