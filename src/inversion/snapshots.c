/* Snapshots: fields, arrays and pictures, one value a node of the domain. */
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/files.h"
#include "magtwin/image.h"
#include "magtwin/memory.h"
#include "magtwin/npy.h"
#include <math.h>
#include <string.h>

static bool ends_with(const char *path, const char *end) {
  const size_t n = strlen(path), m = strlen(end);
  return n >= m && strcmp(path + n - m, end) == 0;
}

static void nodes_of(const MtBox *b, int64_t n[3]) {
  for (int c = 0; c < 3; c++) n[c] = c < b->dim ? b->cells[c] + !b->periodic[c] : 1;
}

static PetscErrorCode to_rows(const MtDomain *d, Vec v) {
  PetscCall(VecScatterBegin(d->to_slab, d->slab, v, INSERT_VALUES, SCATTER_REVERSE));
  return VecScatterEnd(d->to_slab, d->slab, v, INSERT_VALUES, SCATTER_REVERSE);
}

/* The shape of an array must be [nz,] ny, nx of the box. */
static PetscErrorCode check_npy(const MtDomain *d, const MtNpy *f) {
  int64_t n[3];
  nodes_of(&d->box, n);
  if (f->fortran && f->dims > 1)
    return mt_error(MT_ERR_INPUT, "%s is in the order of Fortran; save it with numpy.ascontiguousarray", f->path);
  const bool flat = f->dims == 2 && d->dim == 2, solid = f->dims == 3;
  const long long *s = f->shape;
  if ((flat && s[0] == n[1] && s[1] == n[0]) || (solid && s[0] == n[2] && s[1] == n[1] && s[2] == n[0])) return 0;
  return mt_error(MT_ERR_INPUT, "%s is %lld x %lld x %lld (x last), but the box has %lld x %lld x %lld nodes (z, y, x)",
                  f->path, s[0], s[1], s[2], (long long)n[2], (long long)n[1], (long long)n[0]);
}

static PetscErrorCode read_npy(const MtDomain *d, const char *path, Vec v) {
  MtNpy f;
  PetscScalar *a;
  int64_t start, n;
  PetscCall(mt_slab_here(d->comm, d->n_file, &start, &n));
  PetscErrorCode rc = mt_npy_open(path, &f);
  if (!rc) rc = check_npy(d, &f);
  PetscCall(VecGetArray(d->slab, &a));
  if (!rc) rc = mt_npy_read_reals(&f, start, (size_t)n, 1, a);
  PetscCall(VecRestoreArray(d->slab, &a));
  mt_npy_close(&f);
  rc = mt_agree(d->comm, rc);
  return rc ? rc : to_rows(d, v);
}

static PetscErrorCode decode(const MtDomain *d, const char *path, float **gray) {
  int64_t n[3];
  MtImage im;
  nodes_of(&d->box, n);
  PetscErrorCode rc = mt_image_layout(path, 0, &im);
  if (rc) return rc;
  if (n[2] > 1 || im.nx != n[0] || im.ny != n[1])
    return mt_error(MT_ERR_INPUT, "%s has %d x %d pixels, but the box has %lld x %lld x %lld nodes", path, im.nx, im.ny,
                    (long long)n[0], (long long)n[1], (long long)n[2]);
  *gray = mt_malloc((size_t)im.nx * (size_t)im.ny * sizeof **gray);
  return mt_image_read(path, 0, &im, *gray);
}

/* A picture is decoded as a whole, on one rank; the others get their part. */
static PetscErrorCode read_image(const MtDomain *d, const char *path, const double range[2], Vec v) {
  int rank, size;
  float *gray = NULL;
  double *whole = NULL;
  PetscCallMPI(MPI_Comm_rank(d->comm, &rank));
  PetscCallMPI(MPI_Comm_size(d->comm, &size));
  PetscErrorCode rc = mt_agree_root(d->comm, rank ? 0 : decode(d, path, &gray));
  if (rc) {
    free(gray);
    return rc;
  }
  int *count, *from;
  PetscCall(PetscMalloc2(size, &count, size, &from));
  for (int r = 0; r < size; r++) {
    int64_t start, n;
    mt_slab(d->n_file, r, size, &start, &n);
    count[r] = (int)n;
    from[r] = (int)start;
  }
  if (rank == 0) {
    const int64_t nx = d->n_file / (d->box.cells[1] + !d->box.periodic[1]), ny = d->n_file / nx;
    PetscCall(PetscMalloc1(d->n_file, &whole));
    for (int64_t i = 0; i < d->n_file; i++)
      whole[i] = range[0] + (range[1] - range[0]) * (double)gray[(ny - 1 - i / nx) * nx + i % nx];
  }
  PetscScalar *a;
  PetscCall(VecGetArray(d->slab, &a));
  PetscCallMPI(MPI_Scatterv(whole, count, from, MPI_DOUBLE, a, count[rank], MPI_DOUBLE, 0, d->comm));
  PetscCall(VecRestoreArray(d->slab, &a));
  free(gray);
  PetscCall(PetscFree(whole));
  PetscCall(PetscFree2(count, from));
  return to_rows(d, v);
}

/* *t: the time of the file, NAN where it has none. */
static PetscErrorCode read_fields(const MtDomain *d, const char *path, const char *field, Vec v, double *t) {
  MtH5 *f;
  char name[32];
  snprintf(name, sizeof name, "/%s", field);
  PetscErrorCode rc = mt_h5_open(d->comm, path, "magtwin-fields", 1, &f);
  if (rc) return rc;
  rc = mt_domain_read(d, f, name, v);
  if (!rc) rc = mt_h5_get_reals(f, "/", "t_s", 1, t);
  if (!rc && !d->mesh) {
    int64_t n[3], have[3];
    nodes_of(&d->box, n);
    rc = mt_h5_get_ints(f, name, "nodes", 3, have);
    if (!rc && memcmp(n, have, sizeof n) != 0)
      rc = mt_error(MT_ERR_INPUT, "%s has %lld x %lld x %lld nodes, but the box %lld x %lld x %lld", path,
                    (long long)have[0], (long long)have[1], (long long)have[2], (long long)n[0], (long long)n[1],
                    (long long)n[2]);
  }
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

static PetscErrorCode read_one(const MtDomain *d, const char *path, const char *field, const double gray[2], Vec v,
                               double *t) {
  *t = NAN;
  if (ends_with(path, ".h5")) return read_fields(d, path, field, v, t);
  if (d->mesh)
    return mt_error(MT_ERR_INPUT, "%s: on a mesh snapshots are files of fields (.h5) of magtwin evolve", path);
  return ends_with(path, ".npy") ? read_npy(d, path, v) : read_image(d, path, gray, v);
}

/* NaN where the mask is 0, on snapshots and where they have none themselves. */
static PetscErrorCode hide(const MtDomain *d, const MtInput *in, MtSnapshots *s) {
  const PetscScalar *m;
  double t;
  Vec mask;
  if (!mt_input_has(in, "invert.mask")) return 0;
  PetscCall(VecDuplicate(s->value[0], &mask));
  PetscErrorCode rc = read_one(d, mt_input_string(in, "invert.mask"), "c", (const double[]){0, 1}, mask, &t);
  PetscCall(VecGetArrayRead(mask, &m));
  for (int k = 0; k < s->n && !rc; k++) {
    PetscScalar *a;
    PetscCall(VecGetArray(s->value[k], &a));
    for (PetscInt i = 0; i < d->n_owned; i++)
      if (m[i] == 0 || isnan(m[i])) a[i] = NAN;
    PetscCall(VecRestoreArray(s->value[k], &a));
  }
  PetscCall(VecRestoreArrayRead(mask, &m));
  PetscCall(VecDestroy(&mask));
  return rc;
}

static PetscErrorCode count_seen(const MtDomain *d, MtSnapshots *s) {
  double sum = 0;
  for (int k = 0; k < s->n; k++) {
    const PetscScalar *a;
    PetscCall(VecGetArrayRead(s->value[k], &a));
    for (PetscInt i = 0; i < d->n_owned; i++) sum += !isnan(a[i]);
    PetscCall(VecRestoreArrayRead(s->value[k], &a));
  }
  PetscCallMPI(MPI_Allreduce(&sum, &s->count, 1, MPI_DOUBLE, MPI_SUM, d->comm));
  return 0;
}

static PetscErrorCode settle_time(const MtInput *in, const MtFiles *f, int i, MtSnapshots *s) {
  const bool listed = mt_input_count(in, "invert.times") > 0;
  if (listed) s->t[i] = mt_input_real_at(in, i, "invert.times");
  if (isnan(s->t[i])) return mt_input_error(in, "invert.times", "are needed: %s has no time of its own", f->path[i]);
  if (i > 0 && !(s->t[i] > s->t[i - 1]))
    return mt_input_error(in, "invert.snapshots", "%s is of %g s, not after %s (%g s): the times must ascend",
                          f->path[i], s->t[i], f->path[i - 1], s->t[i - 1]);
  return 0;
}

static PetscErrorCode read_all(const MtDomain *d, const MtInput *in, const MtFiles *f, MtSnapshots *s) {
  const int times = mt_input_count(in, "invert.times");
  const double gray[2] = {mt_input_real_at(in, 0, "invert.gray"), mt_input_real_at(in, 1, "invert.gray")};
  if (times && times != f->n)
    return mt_input_error(in, "invert.times", "are %d, but invert.snapshots are %d files", times, f->n);
  if (f->n == 0)
    return mt_input_error(in, "invert.snapshots", "there is no such file: %s", mt_input_string(in, "invert.snapshots"));
  s->t = mt_calloc((size_t)f->n, sizeof *s->t);
  s->value = mt_calloc((size_t)f->n, sizeof(Vec));
  s->name = mt_calloc((size_t)f->n, sizeof *s->name);
  for (int i = 0; i < f->n; i++) {
    PetscCall(VecCreateMPI(d->comm, d->n_owned, PETSC_DETERMINE, &s->value[i]));
    s->n = i + 1;
    s->name[i] = strdup(f->path[i]);
    PetscErrorCode rc = read_one(d, f->path[i], mt_invert_observed(in), gray, s->value[i], &s->t[i]);
    if (!rc) rc = settle_time(in, f, i, s);
    if (rc) return rc;
  }
  return 0;
}

PetscErrorCode mt_snapshots_read(const MtDomain *d, const MtInput *in, MtSnapshots *s) {
  MtFiles f = {0};
  *s = (MtSnapshots){.sigma = mt_input_real(in, "invert.noise")};
  PetscErrorCode rc = mt_files_find(d->comm, mt_input_string(in, "invert.snapshots"), &f);
  if (!rc) rc = read_all(d, in, &f, s);
  mt_files_free(&f);
  if (!rc) rc = hide(d, in, s);
  if (rc) return rc;
  PetscCall(count_seen(d, s));
  return s->count > 0 ? 0 : mt_input_error(in, "invert.mask", "leaves nothing of the snapshots");
}

static void drop_first(MtSnapshots *s) {
  free(s->name[0]);
  s->n--;
  for (int k = 0; k < s->n; k++) {
    s->name[k] = s->name[k + 1];
    s->t[k] = s->t[k + 1];
    s->value[k] = s->value[k + 1];
  }
}

PetscErrorCode mt_snapshots_take_first(const MtDomain *d, const MtInput *in, MtSnapshots *s, Vec c, double *t) {
  PetscReal sum;
  if (s->n < 2) return mt_input_error(in, "invert.initial", "a second snapshot is needed: the first one is the state");
  PetscCall(VecNorm(s->value[0], NORM_1, &sum));
  if (isnan(sum))
    return mt_input_error(in, "invert.initial", "the state at the beginning has holes: %s is not seen everywhere",
                          s->name[0]);
  PetscCall(VecCopy(s->value[0], c));
  *t = s->t[0];
  PetscCall(VecDestroy(&s->value[0]));
  drop_first(s);
  return count_seen(d, s);
}

PetscErrorCode mt_snapshots_free(MtSnapshots *s) {
  for (int k = 0; k < s->n; k++) {
    PetscCall(VecDestroy(&s->value[k]));
    free(s->name[k]);
  }
  free(s->t);
  free(s->value);
  free(s->name);
  *s = (MtSnapshots){0};
  return 0;
}

PetscErrorCode mt_snapshots_misfit(const MtSnapshots *s, int k, Vec c, Vec r, double *sum) {
  const PetscScalar *a, *b;
  PetscScalar *out = NULL;
  PetscInt n;
  const double weight = 1 / (s->sigma * s->sigma);
  PetscCall(VecGetLocalSize(c, &n));
  PetscCall(VecGetArrayRead(c, &a));
  PetscCall(VecGetArrayRead(s->value[k], &b));
  if (r) PetscCall(VecGetArray(r, &out));
  for (PetscInt i = 0; i < n; i++) {
    const double difference = isnan(b[i]) ? 0 : a[i] - b[i];
    *sum += .5 * weight * difference * difference;
    if (out) out[i] = weight * difference;
  }
  if (r) PetscCall(VecRestoreArray(r, &out));
  PetscCall(VecRestoreArrayRead(s->value[k], &b));
  return VecRestoreArrayRead(c, &a);
}

PetscErrorCode mt_snapshots_product(const MtSnapshots *s, int k, Vec x, Vec y, double *sum) {
  const PetscScalar *a, *b, *v;
  PetscInt n;
  double part = 0;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayRead(x, &a));
  PetscCall(VecGetArrayRead(y, &b));
  PetscCall(VecGetArrayRead(s->value[k], &v));
  for (PetscInt i = 0; i < n; i++)
    if (!isnan(v[i])) part += a[i] * b[i];
  PetscCall(VecRestoreArrayRead(s->value[k], &v));
  PetscCall(VecRestoreArrayRead(y, &b));
  PetscCall(VecRestoreArrayRead(x, &a));
  *sum += part / (s->sigma * s->sigma);
  return 0;
}

PetscErrorCode mt_snapshots_weigh(const MtSnapshots *s, int k, Vec v) {
  const PetscScalar *seen;
  PetscScalar *a;
  PetscInt n;
  PetscCall(VecGetLocalSize(v, &n));
  PetscCall(VecGetArrayRead(s->value[k], &seen));
  PetscCall(VecGetArray(v, &a));
  for (PetscInt i = 0; i < n; i++) a[i] = isnan(seen[i]) ? 0 : a[i] / (s->sigma * s->sigma);
  PetscCall(VecRestoreArray(v, &a));
  return VecRestoreArrayRead(s->value[k], &seen);
}
