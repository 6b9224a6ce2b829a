/* magtwin texture: pictures -> statistics of their bands -> estimates. */
#include "magtwin/run.h"
#include "../topology/images.h"
#include "../topology/prepare.h"
#include "estimate.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  const char *folder;
  MtImages images;
  MtPrepare prepare;
  int scales, orientations, m; /* m features */
  bool window;
  double *feature; /* [images, m] owned */
  double kept;     /* worst error of the sum of energies */
} Job;

static PetscErrorCode read_options(Job *j) {
  const int *n = j->images.size, least = n[0] < n[1] ? n[0] : n[1];
  MtCubical like = {.n = {n[0], n[1], n[2]}};
  if (j->images.parts)
    return mt_input_error(j->in, "topology.diagrams", "texture is that of pictures: give topology.files");
  if (n[2] > 1)
    return mt_input_error(j->in, "topology.files", "%s is a volume of %d x %d x %d: texture is that of pictures",
                          j->images.files.path[0], n[0], n[1], n[2]);
  if (j->images.hidden) return mt_input_error(j->in, "topology.mask", "texture needs pictures without holes");
  j->prepare = mt_prepare_options(j->in, &like);
  j->scales = (int)mt_input_int(j->in, "texture.scales");
  j->orientations = (int)mt_input_int(j->in, "texture.orientations");
  j->window = !strcmp(mt_input_string(j->in, "texture.window"), "hann");
  j->m = mt_texture_count(j->scales, j->orientations);
  if (4 << j->scales > least)
    return mt_input_error(j->in, "texture.scales", "pictures of %d x %d pixels have %d scales at most", n[0], n[1],
                          (int)floor(log2(least / 4.)));
  return 0;
}

/* What differs from the mean fades out; its mean square is kept. */
static void fade(const int n[3], double *value) {
  const size_t total = (size_t)n[0] * (size_t)n[1];
  double mean = 0;
  for (size_t i = 0; i < total; i++) mean += value[i] / (double)total;
  for (int y = 0; y < n[1]; y++)
    for (int x = 0; x < n[0]; x++) {
      const double w = sin(M_PI * (x + .5) / n[0]) * sin(M_PI * (y + .5) / n[1]);
      double *v = &value[(size_t)y * (size_t)n[0] + (size_t)x];
      *v = mean + (*v - mean) * w * w * (8. / 3); /* the mean of sin^4 is 3/8 in each direction */
    }
}

static PetscErrorCode do_one(Job *j, MtPyramid *p, int i) {
  const int *n = j->images.size;
  double *value = mt_malloc((size_t)n[0] * (size_t)n[1] * sizeof *value), kept = 0;
  char name[512];
  PetscErrorCode rc = mt_images_read(&j->images, i, value);
  if (!rc) rc = mt_prepare(&j->prepare, mt_images_name(&j->images, i, name), value);
  if (!rc && j->window) fade(n, value);
  if (!rc) mt_texture_features(p, value, j->feature + (size_t)i * (size_t)j->m, &kept);
  j->kept = fmax(j->kept, kept);
  free(value);
  return rc;
}

/* Shares of the pictures are dealt in blocks; afterwards every rank has all rows. */
static PetscErrorCode do_all(Job *j) {
  int rank, ranks;
  int64_t start, n;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  PetscCallMPI(MPI_Comm_size(j->comm, &ranks));
  mt_slab(j->images.n, rank, ranks, &start, &n);
  j->feature = mt_calloc((size_t)j->images.n * (size_t)j->m, sizeof *j->feature);
  MtPyramid *p = mt_pyramid_new(j->images.size[0], j->images.size[1], j->scales, j->orientations);
  for (int64_t i = start; i < start + n && !rc; i++) {
    rc = do_one(j, p, (int)i);
    mt_progress("picture %lld of %lld on each rank", (long long)(i - start + 1), (long long)n);
  }
  mt_progress_end();
  mt_pyramid_free(&p);
  PetscCall(mt_agree(j->comm, rc));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, j->feature, j->images.n * j->m, MPI_DOUBLE, MPI_SUM, j->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &j->kept, 1, MPI_DOUBLE, MPI_MAX, j->comm));
  return 0;
}

static PetscErrorCode write_csv(const Job *j) {
  const size_t line = 600 + 32 * (size_t)j->m;
  char *text = mt_malloc(line * ((size_t)j->images.n + 1)), *p = stpcpy(text, "image,file"), name[512], path[4200];
  for (int c = 0; c < j->m; c++) {
    mt_texture_name(j->scales, j->orientations, c, name);
    p += sprintf(p, ",%s", name);
  }
  *p++ = '\n';
  for (int i = 0; i < j->images.n; i++) {
    p += sprintf(p, "%d,\"%s\"", i + 1, mt_images_name(&j->images, i, name));
    for (int c = 0; c < j->m; c++)
      p += sprintf(p, ",%s", mt_real_text(j->feature[(size_t)i * (size_t)j->m + (size_t)c], name));
    *p++ = '\n';
  }
  *p = 0;
  snprintf(path, sizeof path, "%s/texture.csv", j->folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

static PetscErrorCode write_names(const Job *j, MtH5 *f) {
  char(*name)[32] = mt_malloc((size_t)j->m * sizeof *name);
  const char **list = mt_malloc((size_t)j->m * sizeof *list);
  for (int c = 0; c < j->m; c++) {
    mt_texture_name(j->scales, j->orientations, c, name[c]);
    list[c] = name[c];
  }
  PetscErrorCode rc = mt_h5_write_strings(f, "/names", j->m, list);
  free(name);
  free(list);
  return rc;
}

static PetscErrorCode write_hdf5(const Job *j) {
  const int64_t bands[2] = {j->scales, j->orientations};
  char path[4200];
  int rank;
  MtH5 *f;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  snprintf(path, sizeof path, "%s/texture.h5", j->folder);
  PetscCall(mt_h5_create(j->comm, path, "magtwin-texture", 1, &f));
  PetscErrorCode rc = mt_h5_set_ints(f, "/", "scales_orientations", 2, bands);
  if (!rc) rc = mt_h5_set_string(f, "/", "input", mt_input_canonical(j->in));
  if (!rc)
    rc = mt_h5_write(f, "/features", H5T_NATIVE_DOUBLE, j->images.n, j->m, 0, rank ? 0 : j->images.n, j->feature, "1");
  if (!rc) rc = write_names(j, f);
  if (!rc) return mt_h5_commit(&f, false);
  if (f) PetscCall(mt_h5_discard(&f));
  return rc;
}

static PetscErrorCode run(Job *j, MtJson *json) {
  char path[4200];
  int rank;
  PetscCallMPI(MPI_Comm_rank(j->comm, &rank));
  PetscCall(mt_images_find(j->comm, j->in, &j->images));
  PetscCall(read_options(j));
  mt_log("%d picture%s of %d x %d pixels, %d statistics each", j->images.n, j->images.n == 1 ? "" : "s",
         j->images.size[0], j->images.size[1], j->m);
  mt_phase_begin("texture");
  PetscCall(do_all(j));
  mt_phase_end("texture");
  snprintf(path, sizeof path, "%s/estimates.csv", j->folder);
  if (!rank) remove(path); /* of an earlier run */
  PetscCall(mt_agree_root(j->comm, rank ? 0 : write_csv(j)));
  PetscCall(write_hdf5(j));
  mt_json_object(json, "texture");
  mt_json_int(json, "pictures", j->images.n);
  mt_json_int(json, "statistics", j->m);
  mt_json_real(json, "energy_error", j->kept); /* of the sum of all bands, the worst picture */
  PetscErrorCode rc = 0;
  mt_phase_begin("estimates");
  if (mt_input_has(j->in, "texture.targets"))
    rc = mt_texture_estimate(j->comm, j->in, j->folder, j->images.n, j->m, j->feature, json);
  mt_phase_end("estimates");
  mt_json_end(json);
  return rc;
}

PetscErrorCode mt_texture_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json) {
  Job j = {.comm = comm, .in = in, .folder = folder};
  PetscErrorCode rc = run(&j, json);
  free(j.feature);
  mt_images_free(&j.images);
  return rc;
}
