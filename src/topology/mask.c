/* The mask of a series: which pixels of its images count. */
#include "images.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <string.h>

static PetscErrorCode load(const MtImages *im, const char *path, int n[3], double *value) {
  return mt_is_picture(path) ? mt_picture_load(path, 0, n, value) : mt_volume_load(path, im->dataset, n, NULL, value);
}

/* A stack or volume may have one picture for all of its slices. */
static PetscErrorCode check_size(const MtImages *im, const char *path, const int n[3]) {
  const int *w = im->whole;
  if (n[0] == w[0] && n[1] == w[1] && (n[2] == w[2] || n[2] == 1)) return 0;
  return mt_error(MT_ERR_INPUT, "%s: the mask has %d x %d x %d pixels, the images %d x %d x %d", path, n[0], n[1], n[2],
                  w[0], w[1], w[2]);
}

PetscErrorCode mt_mask_find(const MtInput *in, MtImages *im) {
  const char *path = mt_input_string(in, "topology.mask");
  int *n = im->mask_size;
  if (!mt_is_picture(path) && !mt_is_volume(path))
    return mt_error(MT_ERR_INPUT, "%s: this kind of file is not known; a mask is .png, .tif, .tiff, .npy, .h5, .hdf5",
                    path);
  PetscCall(load(im, path, n, NULL));
  PetscCall(check_size(im, path, n));
  im->mask = path;
  return 0;
}

/* Slices z0 .. z1-1 and rows y0 .. y1-1 of the images, cut as they are; value: slices of the mask from z0 on, or its
 * only one. */
static int64_t take(const MtImages *im, const int y[2], const int z[2], const double *value, uint8_t *hidden) {
  const int *n = im->mask_size;
  int64_t at = 0, shown = 0;
  for (int k = z[0]; k < z[1]; k++)
    for (int j = y[0]; j < y[1]; j++)
      for (int x = 0; x < im->size[0]; x++, at++) {
        const int64_t slice = n[2] > 1 ? k - z[0] : 0;
        const bool seen = value[(slice * n[1] + j + im->from[1]) * n[0] + x + im->from[0]] != 0; /* also NaN */
        hidden[at] = !seen;
        shown += seen;
      }
  return shown;
}

PetscErrorCode mt_mask_layers(const MtImages *im, int from, int n, uint8_t *hidden, int64_t *shown) {
  const bool volume = im->size[2] > 1, slices = im->mask_size[2] > 1;
  const int z[2] = {volume ? from : 0, volume ? from + n : 1},
            y[2] = {volume ? 0 : from, volume ? im->size[1] : from + n};
  int size[3];
  double *value = mt_malloc((size_t)im->mask_size[0] * (size_t)im->mask_size[1] * (size_t)(slices ? z[1] - z[0] : 1) *
                            sizeof *value);
  PetscErrorCode rc = slices ? mt_volume_load(im->mask, im->dataset, size, z, value) : load(im, im->mask, size, value);
  if (!rc) *shown = take(im, y, z, value, hidden);
  free(value);
  return rc;
}

PetscErrorCode mt_mask_read(const MtInput *in, MtImages *im) {
  int64_t shown = 0;
  PetscCall(mt_mask_find(in, im));
  im->hidden = mt_malloc((size_t)im->size[0] * (size_t)im->size[1] * (size_t)im->size[2]);
  PetscCall(mt_mask_layers(im, 0, im->size[im->size[2] > 1 ? 2 : 1], im->hidden, &shown));
  return shown ? 0 : mt_error(MT_ERR_INPUT, "%s: the mask hides every pixel of the images", im->mask);
}
