/* magtwin unmix: a spectrum image -> maps and spectra of its components. */
#include "../topology/images.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include "magtwin/unmix.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  const char *folder, *path, *dataset;
  MtUnmixOptions o;
  int size[3];                /* channels, pixels along x, y */
  int64_t start, n;           /* pixels of this rank */
  double *x, *maps, *spectra; /* owned */
} Job;

static PetscErrorCode read_options(Job *j) {
  const char *side = mt_input_string(j->in, "unmix.orthogonal");
  j->path = mt_input_string(j->in, "unmix.file");
  j->dataset = mt_input_has(j->in, "unmix.dataset") ? mt_input_string(j->in, "unmix.dataset") : NULL;
  j->o.orthogonal = side[0] == 'm' ? MT_UNMIX_MAPS : (side[0] == 's' ? MT_UNMIX_SPECTRA : MT_UNMIX_NONE);
  j->o.components = (int)mt_input_int(j->in, "unmix.components");
  j->o.starts = (int)mt_input_int(j->in, "unmix.starts");
  j->o.iterations = (int)mt_input_int(j->in, "unmix.iterations");
  j->o.tolerance = mt_input_real(j->in, "unmix.tolerance");
  j->o.seed = (uint64_t)mt_input_int(j->in, "unmix.seed");
  if (mt_is_picture(j->path) || !mt_is_volume(j->path))
    return mt_input_error(j->in, "unmix.file",
                          "%s: this kind of file is not known; spectrum images are .npy, .h5, .hdf5", j->path);
  return 0;
}

static PetscErrorCode check_numbers(const Job *j, int64_t first, int64_t n, double *x) {
  const bool clip = !strcmp(mt_input_string(j->in, "unmix.negative"), "clip");
  for (int64_t i = 0; i < n * j->size[0]; i++) {
    const long long pixel = (long long)(first + i / j->size[0]), channel = (long long)(i % j->size[0]);
    if (!isfinite(x[i]))
      return mt_error(MT_ERR_INPUT, "%s: pixel %lld, channel %lld is not a finite number", j->path, pixel, channel);
    if (x[i] < 0 && !clip)
      return mt_error(MT_ERR_INPUT,
                      "%s: pixel %lld, channel %lld is %g: spectra are not below 0; unmix.negative: clip takes it as 0",
                      j->path, pixel, channel, x[i]);
    x[i] = fmax(0, x[i]);
  }
  return 0;
}

/* Rows of pixels are shared; a list of pixels is read whole and cut. */
static PetscErrorCode read_rows(Job *j) {
  int rank, ranks, n[3];
  int64_t start, rows;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  PetscCallMPI(MPI_Comm_size(j->comm, &ranks));
  PetscCall(mt_agree(j->comm, mt_volume_load(j->path, j->dataset, j->size, NULL, NULL)));
  const bool list = j->size[2] == 1;
  const int64_t row = list ? 1 : j->size[1];
  mt_slab(list ? j->size[1] : j->size[2], rank, ranks, &start, &rows);
  j->start = start * row, j->n = rows * row;
  j->x = mt_calloc((size_t)j->n * (size_t)j->size[0], sizeof *j->x);
  const int range[2] = {(int)start, (int)(start + rows)};
  if (list) {
    double *all = mt_malloc((size_t)j->size[1] * (size_t)j->size[0] * sizeof *all);
    rc = mt_volume_load(j->path, j->dataset, n, NULL, all);
    if (!rc) memcpy(j->x, all + j->start * j->size[0], (size_t)j->n * (size_t)j->size[0] * sizeof *all);
    free(all);
  } else if (rows) {
    rc = mt_volume_load(j->path, j->dataset, n, range, j->x);
  }
  if (!rc) rc = check_numbers(j, j->start, j->n, j->x);
  return mt_agree(j->comm, rc);
}

static PetscErrorCode write_csv(const Job *j) {
  const int k = j->o.components;
  char *text = mt_malloc(((size_t)j->size[0] + 1) * (64 + 32 * (size_t)k)), *p = stpcpy(text, "channel"), path[4200],
       b[32];
  for (int c = 0; c < k; c++) p += sprintf(p, ",component%d", c + 1);
  *p++ = '\n';
  for (int i = 0; i < j->size[0]; i++) {
    p += sprintf(p, "%d", i);
    for (int c = 0; c < k; c++) p += sprintf(p, ",%s", mt_real_text(j->spectra[c * j->size[0] + i], b));
    *p++ = '\n';
  }
  *p = 0;
  snprintf(path, sizeof path, "%s/spectra.csv", j->folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

static PetscErrorCode write_hdf5(const Job *j) {
  const int64_t pixels = (int64_t)j->size[1] * j->size[2], dims[2] = {j->size[2], j->size[1]};
  int rank;
  char path[4200];
  MtH5 *f;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  snprintf(path, sizeof path, "%s/unmix.h5", j->folder);
  PetscCall(mt_h5_create(j->comm, path, "magtwin-unmix", 1, &f));
  PetscErrorCode rc = mt_h5_set_ints(f, "/", "dims", 2, dims);
  if (!rc) rc = mt_h5_set_string(f, "/", "input", mt_input_canonical(j->in));
  if (!rc) rc = mt_h5_write(f, "/maps", H5T_NATIVE_DOUBLE, pixels, j->o.components, j->start, j->n, j->maps, "1");
  if (!rc)
    rc = mt_h5_write(f, "/spectra", H5T_NATIVE_DOUBLE, j->o.components, j->size[0], 0, rank ? 0 : j->o.components,
                     j->spectra, "1");
  if (!rc) return mt_h5_commit(&f, false);
  if (f) PetscCall(mt_h5_discard(&f));
  return rc;
}

static void tell(const MtUnmixResult *r, MtJson *json) {
  mt_log("residual %.4g of the data after %d iterations, largest overlap %.3g", r->residual, r->iterations, r->overlap);
  mt_json_object(json, "unmix");
  mt_json_real(json, "residual", r->residual);
  mt_json_real(json, "overlap", r->overlap);
  mt_json_int(json, "iterations", r->iterations);
  mt_json_end(json);
}

static PetscErrorCode run(Job *j, MtJson *json) {
  MtUnmixResult result;
  int rank;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  PetscCall(read_options(j));
  PetscCall(read_rows(j));
  const int64_t pixels = (int64_t)j->size[1] * j->size[2], least = pixels < j->size[0] ? pixels : j->size[0];
  if (j->o.components > least)
    return mt_input_error(j->in, "unmix.components", "%s has %lld pixels of %d channels: at most %lld components",
                          j->path, (long long)pixels, j->size[0], (long long)least);
  mt_log("%lld pixels of %d channels", (long long)pixels, j->size[0]);
  j->maps = mt_calloc((size_t)j->n * (size_t)j->o.components, sizeof *j->maps);
  j->spectra = mt_calloc((size_t)j->size[0] * (size_t)j->o.components, sizeof *j->spectra);
  mt_phase_begin("unmix");
  PetscCall(mt_unmix(j->comm, &j->o, j->n, j->size[0], j->x, j->maps, j->spectra, &result));
  mt_phase_end("unmix");
  tell(&result, json);
  PetscCall(mt_agree_root(j->comm, rank ? 0 : write_csv(j)));
  return write_hdf5(j);
}

PetscErrorCode mt_unmix_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json) {
  Job j = {.comm = comm, .in = in, .folder = folder};
  PetscErrorCode rc = run(&j, json);
  free(j.x);
  free(j.maps);
  free(j.spectra);
  return rc;
}
