/* The series of images: files and pages in order, all of one size. */
#include "images.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/image.h"
#include "magtwin/memory.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool mt_is_picture(const char *path) {
  static const char *const ending[] = {".png", ".tif", ".tiff"};
  const char *dot = strrchr(path, '.');
  for (int i = 0; i < 3 && dot; i++)
    if (!strcasecmp(dot, ending[i])) return true;
  return false;
}

bool mt_is_volume(const char *path) {
  static const char *const ending[] = {".npy", ".complex", ".h5", ".hdf5", ".hdf"};
  const char *dot = strrchr(path, '.');
  for (int i = 0; i < 5 && dot; i++)
    if (!strcasecmp(dot, ending[i])) return true;
  return false;
}

static PetscErrorCode check_kinds(const MtInput *in, const MtImages *im) {
  for (int i = 0; i < im->files.n; i++) {
    const char *path = im->files.path[i];
    if (!mt_is_picture(path) && !mt_is_volume(path))
      return mt_input_error(in, "topology.files",
                            "%s: this kind of file is not known; images are .png, .tif, .tiff, .npy, .h5, .hdf5, .hdf, "
                            ".complex",
                            path);
    if (im->stack && !mt_is_picture(path))
      return mt_input_error(in, "topology.stack", "%s is not a picture: the slices of a stack are PNG or TIFF", path);
  }
  return 0;
}

/* Pages of every file -> pages [files]; each rank counts some. */
static PetscErrorCode count_pages(MPI_Comm comm, const MtImages *im, int *pages) {
  int rank, size;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (int i = 0; i < im->files.n; i++) pages[i] = 0;
  for (int i = rank; i < im->files.n && !rc; i += size) {
    pages[i] = 1;
    if (mt_is_picture(im->files.path[i])) rc = mt_image_pages(im->files.path[i], &pages[i]);
  }
  PetscCall(mt_agree(comm, rc));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, pages, im->files.n, MPI_INT, MPI_SUM, comm));
  return 0;
}

static PetscErrorCode list_images(MPI_Comm comm, MtImages *im) {
  int *pages = mt_malloc((size_t)im->files.n * sizeof *pages), n = 0;
  PetscErrorCode rc = count_pages(comm, im, pages);
  for (int i = 0; i < im->files.n && !rc; i++) n += pages[i];
  im->file = mt_calloc((size_t)n, sizeof *im->file);
  im->page = mt_calloc((size_t)n, sizeof *im->page);
  im->n = 0;
  for (int i = 0; i < im->files.n && !rc; i++)
    for (int p = 0; p < pages[i]; p++, im->n++) im->file[im->n] = i, im->page[im->n] = p;
  free(pages);
  return rc;
}

static PetscErrorCode size_of(const MtImages *im, int i, int n[3]) {
  const char *path = im->files.path[im->file[i]];
  return mt_is_picture(path) ? mt_picture_load(path, im->page[i], n, NULL)
                             : mt_volume_load(path, im->dataset, n, NULL, NULL);
}

const char *mt_images_name(const MtImages *im, int i, char buf[512]) {
  const int file = im->file[i];
  const bool pages = im->page[i] || (i + 1 < im->n && im->file[i + 1] == file);
  if (pages)
    snprintf(buf, 512, "%s, page %d", im->files.path[file], im->page[i]);
  else
    snprintf(buf, 512, "%s", im->files.path[file]);
  return buf;
}

/* Every image has the size of the first; each rank looks at some. */
static PetscErrorCode check_sizes(MPI_Comm comm, MtImages *im) {
  int rank;
  int64_t start, n;
  int ranks;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(mt_agree_root(comm, rank ? 0 : size_of(im, 0, im->size)));
  PetscCallMPI(MPI_Bcast(im->size, 3, MPI_INT, 0, comm));
  mt_slab(im->n, rank, ranks, &start, &n);
  PetscErrorCode rc = 0;
  for (int64_t i = start; i < start + n && !rc; i++) {
    int s[3];
    char name[2][512];
    rc = size_of(im, (int)i, s);
    if (!rc && (s[0] != im->size[0] || s[1] != im->size[1] || s[2] != im->size[2]))
      rc = mt_error(MT_ERR_INPUT,
                    "%s has %d x %d x %d pixels, but %s has %d x %d x %d: images of one series have one size",
                    mt_images_name(im, (int)i, name[0]), s[0], s[1], s[2], mt_images_name(im, 0, name[1]), im->size[0],
                    im->size[1], im->size[2]);
  }
  return mt_agree(comm, rc);
}

static PetscErrorCode crop(const MtInput *in, MtImages *im) {
  int corner[4] = {0};
  memcpy(im->whole, im->size, sizeof im->whole);
  if (!mt_input_has(in, "topology.crop") || !mt_input_count(in, "topology.crop")) return 0;
  if (mt_input_count(in, "topology.crop") != 4)
    return mt_input_error(in, "topology.crop", "must be four numbers: x0, y0, x1, y1");
  for (int i = 0; i < 4; i++) corner[i] = (int)mt_input_real_at(in, i, "topology.crop");
  for (int a = 0; a < 2; a++) {
    const int from = corner[a], to = corner[2 + a];
    if (from >= to || to > im->whole[a])
      return mt_input_error(in, "topology.crop", "%d to %d along %c does not lie in images of %d x %d pixels", from, to,
                            'x' + a, im->whole[0], im->whole[1]);
    im->from[a] = from;
    im->size[a] = to - from;
  }
  return 0;
}

/* The pictures found are slices: one image is left. */
static void make_stack(MtImages *im) {
  im->slice_file = im->file;
  im->slice_page = im->page;
  im->size[2] = im->whole[2] = im->n;
  im->n = 1;
  im->file = mt_calloc(1, sizeof *im->file);
  im->page = mt_calloc(1, sizeof *im->page);
}

static int component_of(const char *name) {
  return strcmp(name, "magnitude") ? name[0] - 'x' : 3;
}

static PetscErrorCode find_images(MPI_Comm comm, const MtInput *in, MtImages *im) {
  const char *pattern = mt_input_string(in, "topology.files");
  im->stack = mt_input_bool(in, "topology.stack");
  im->dataset = mt_input_has(in, "topology.dataset") ? mt_input_string(in, "topology.dataset") : NULL;
  im->component = component_of(mt_input_string(in, "topology.component"));
  PetscCall(mt_files_find(comm, pattern, &im->files));
  if (!im->files.n) return mt_input_error(in, "topology.files", "no file matches %s", pattern);
  PetscCall(check_kinds(in, im));
  PetscCall(list_images(comm, im));
  if (mt_input_has(in, "topology.mesh")) {
    if (!im->dataset) im->dataset = "/m";
    PetscCall(mt_sampler_create(comm, in, im->size, &im->sampler));
    return crop(in, im);
  }
  PetscCall(check_sizes(comm, im));
  PetscCall(crop(in, im));
  if (im->stack) make_stack(im);
  return 0;
}

static PetscErrorCode find(MPI_Comm comm, const MtInput *in, MtImages *im,
                           PetscErrorCode (*mask)(const MtInput *, MtImages *)) {
  memset(im, 0, sizeof *im);
  im->superlevel = !strcmp(mt_input_string(in, "topology.levels"), "superlevel");
  if (mt_input_has(in, "topology.diagrams") == mt_input_has(in, "topology.files"))
    return mt_error(MT_ERR_INPUT, "section topology needs either topology.files or topology.diagrams");
  if (mt_input_has(in, "topology.diagrams")) return mt_diagrams_find(comm, in, im);
  PetscCall(find_images(comm, in, im));
  if (!mt_input_has(in, "topology.mask")) return 0;
  return mt_agree(comm, mask(in, im)); /* each rank its own */
}

PetscErrorCode mt_images_find(MPI_Comm comm, const MtInput *in, MtImages *im) {
  return find(comm, in, im, mt_mask_read);
}

PetscErrorCode mt_images_find_large(MPI_Comm comm, const MtInput *in, MtImages *im) {
  return find(comm, in, im, mt_mask_find);
}

static PetscErrorCode read_stack(const MtImages *im, int from, int to, double *value) {
  const size_t slice = (size_t)im->whole[0] * (size_t)im->whole[1];
  for (int z = from; z < to; z++, value += slice) {
    int n[3];
    PetscCall(mt_picture_load(im->files.path[im->slice_file[z]], im->slice_page[z], n, value));
  }
  return 0;
}

static PetscErrorCode read_whole(const MtImages *im, int i, double *value) {
  const char *path = im->files.path[im->file[i]];
  int n[3];
  if (im->sampler) return mt_sampler_read(im->sampler, path, im->dataset, im->component, im->superlevel, value);
  if (im->slice_file) return read_stack(im, 0, im->whole[2], value);
  return mt_is_picture(path) ? mt_picture_load(path, im->page[i], n, value)
                             : mt_volume_load(path, im->dataset, n, NULL, value);
}

/* The part of n slices that is used. */
static void cut(const MtImages *im, int n, const double *whole, double *value) {
  const size_t nx = (size_t)im->size[0], wx = (size_t)im->whole[0], wy = (size_t)im->whole[1];
  for (int z = 0; z < n; z++)
    for (int y = 0; y < im->size[1]; y++, value += nx)
      memcpy(value, whole + ((size_t)z * wy + (size_t)(y + im->from[1])) * wx + im->from[0], nx * sizeof *value);
}

static bool is_cut(const MtImages *im) {
  return im->size[0] != im->whole[0] || im->size[1] != im->whole[1];
}

PetscErrorCode mt_images_read(const MtImages *im, int i, double *value) {
  if (!is_cut(im)) return read_whole(im, i, value);
  double *whole = mt_malloc((size_t)im->whole[0] * (size_t)im->whole[1] * (size_t)im->whole[2] * sizeof *whole);
  PetscErrorCode rc = read_whole(im, i, whole);
  if (!rc) cut(im, im->size[2], whole, value);
  free(whole);
  return rc;
}

static PetscErrorCode read_slices(const MtImages *im, int i, const int range[2], double *value) {
  int n[3];
  if (im->slice_file) return read_stack(im, range[0], range[1], value);
  return mt_volume_load(im->files.path[im->file[i]], im->dataset, n, range, value);
}

static PetscErrorCode read_rows(const MtImages *im, int i, int from, int n, double *value) {
  const size_t nx = (size_t)im->size[0];
  double *all = mt_malloc(nx * (size_t)im->size[1] * sizeof *all);
  PetscErrorCode rc = mt_images_read(im, i, all);
  if (!rc) memcpy(value, all + (size_t)from * nx, (size_t)n * nx * sizeof *value);
  free(all);
  return rc;
}

PetscErrorCode mt_images_read_layers(const MtImages *im, int i, int from, int n, double *value) {
  const int range[2] = {from, from + n};
  if (im->size[2] == 1) return read_rows(im, i, from, n, value);
  if (!is_cut(im)) return read_slices(im, i, range, value);
  double *whole = mt_malloc((size_t)im->whole[0] * (size_t)im->whole[1] * (size_t)n * sizeof *whole);
  PetscErrorCode rc = read_slices(im, i, range, whole);
  if (!rc) cut(im, n, whole, value);
  free(whole);
  return rc;
}

MtCubical mt_images_options(const MtInput *in, const MtImages *im) {
  const char *axes = mt_input_string(in, "topology.periodic");
  MtCubical c = {.top_cells = !strcmp(mt_input_string(in, "topology.construction"), "top-cells"),
                 .superlevel = !strcmp(mt_input_string(in, "topology.levels"), "superlevel"),
                 .hidden = im->hidden};
  for (int a = 0; a < 3; a++) {
    c.n[a] = im->size[a];
    c.periodic[a] = strcmp(axes, "none") != 0 && strchr(axes, 'x' + a);
  }
  return c;
}

int64_t mt_images_nodes(const MtImages *im) {
  return im->sampler ? mt_sampler_nodes(im->sampler) : 0;
}

static size_t whole_size(const MtImages *im) {
  return (size_t)im->whole[0] * (size_t)im->whole[1] * (size_t)im->whole[2];
}

void mt_images_sample(const MtImages *im, const double *nodal, double *value) {
  double *whole = mt_malloc(whole_size(im) * sizeof *whole);
  mt_sampler_sample(im->sampler, nodal, whole);
  cut(im, im->size[2], whole, value);
  free(whole);
}

double mt_images_cell(const MtImages *im) {
  return mt_sampler_cell(im->sampler);
}

void mt_images_onto_nodes(const MtImages *im, int64_t start, int64_t n, const double *x, const double *value,
                          double *nodal) {
  const size_t nx = (size_t)im->size[0], wx = (size_t)im->whole[0], wy = (size_t)im->whole[1], all = whole_size(im);
  double *whole = mt_malloc(all * sizeof *whole);
  for (size_t i = 0; i < all; i++) whole[i] = NAN;
  for (int z = 0; z < im->size[2]; z++)
    for (int y = 0; y < im->size[1]; y++, value += nx)
      memcpy(whole + ((size_t)z * wy + (size_t)(y + im->from[1])) * wx + im->from[0], value, nx * sizeof *value);
  mt_sampler_onto_nodes(im->sampler, start, n, x, whole, nodal);
  free(whole);
}

void mt_images_free(MtImages *im) {
  mt_files_free(&im->files);
  mt_sampler_free(&im->sampler);
  free(im->file);
  free(im->page);
  free(im->slice_file);
  free(im->slice_page);
  free(im->hidden);
  free(im->parts);
  memset(im, 0, sizeof *im);
}
