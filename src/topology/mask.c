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

/* Cut as the images are. */
static int64_t take(MtImages *im, const int n[3], const double *value) {
  int64_t at = 0, shown = 0;
  for (int z = 0; z < im->size[2]; z++)
    for (int y = 0; y < im->size[1]; y++)
      for (int x = 0; x < im->size[0]; x++, at++) {
        const int64_t slice = n[2] > 1 ? z : 0;
        const bool seen = value[(slice * n[1] + y + im->from[1]) * n[0] + x + im->from[0]] != 0; /* also NaN */
        im->hidden[at] = !seen;
        shown += seen;
      }
  return shown;
}

PetscErrorCode mt_mask_read(const MtInput *in, MtImages *im) {
  const char *path = mt_input_string(in, "topology.mask");
  int n[3];
  if (!mt_is_picture(path) && !mt_is_volume(path))
    return mt_error(MT_ERR_INPUT, "%s: this kind of file is not known; a mask is .png, .tif, .tiff, .npy, .h5, .hdf5",
                    path);
  PetscCall(load(im, path, n, NULL));
  PetscCall(check_size(im, path, n));
  double *value = mt_malloc((size_t)n[0] * (size_t)n[1] * (size_t)n[2] * sizeof *value);
  PetscErrorCode rc = load(im, path, n, value);
  if (!rc) {
    im->hidden = mt_malloc((size_t)im->size[0] * (size_t)im->size[1] * (size_t)im->size[2]);
    if (!take(im, n, value)) rc = mt_error(MT_ERR_INPUT, "%s: the mask hides every pixel of the images", path);
  }
  free(value);
  return rc;
}
