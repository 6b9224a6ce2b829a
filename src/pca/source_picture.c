/* Pictures: every page is a sample, its gray values as they are in the file. */
#include "magtwin/error.h"
#include "magtwin/image.h"
#include "magtwin/memory.h"
#include "source.h"
#include <math.h>
#include <string.h>

static double top_of(const MtImage *im) {
  return im->real ? 1 : (im->bits == 8 ? 255. : (im->bits == 16 ? 65535. : 4294967295.));
}

/* gray [ny nx] from malloc. */
static PetscErrorCode load(const char *path, int page, MtImage *im, float **gray) {
  if (mt_image_is_png(path)) return mt_png_read_any(path, im, gray);
  PetscCall(mt_tiff_layout(path, page, im));
  *gray = mt_malloc((size_t)im->nx * (size_t)im->ny * sizeof **gray);
  return mt_tiff_read(path, page, im, *gray);
}

static PetscErrorCode layout(const char *path, int page, MtImage *im) {
  float *gray = NULL;
  if (!mt_image_is_png(path)) return mt_tiff_layout(path, page, im);
  PetscErrorCode rc = mt_png_read_any(path, im, &gray);
  free(gray);
  return rc;
}

static PetscErrorCode picture_probe(MtSource *s, const char *path, MtShape *shape) {
  MtImage first, im;
  int pages;
  (void)s;
  PetscCall(mt_image_pages(path, &pages));
  PetscCall(layout(path, 0, &first));
  for (int p = 1; p < pages; p++) {
    PetscCall(layout(path, p, &im));
    if (im.nx != first.nx || im.ny != first.ny)
      return mt_error(MT_ERR_INPUT, "%s: page %d has %d x %d pixels, page 0 %d x %d", path, p, im.nx, im.ny, first.nx,
                      first.ny);
  }
  shape->rows = pages;
  mt_shape_add(shape, "picture", 1, first.ny, first.nx);
  return 0;
}

static PetscErrorCode picture_open(MtSource *s, const char *path) {
  (void)path;
  memset(&s->at.picture, 0, sizeof s->at.picture);
  s->at.picture.page = -1;
  return 0;
}

static void picture_close(MtSource *s) {
  free(s->at.picture.gray);
  s->at.picture.gray = NULL;
}

/* The page stays, for the next window of its pixels. */
static PetscErrorCode show_page(MtSource *s, int64_t page) {
  MtImage im;
  if (s->at.picture.page == page) return 0;
  free(s->at.picture.gray);
  s->at.picture.gray = NULL;
  s->at.picture.page = -1;
  PetscCall(load(s->path, (int)page, &im, &s->at.picture.gray));
  if ((int64_t)im.nx * im.ny != s->own) return mt_error(MT_ERR_INPUT, "%s: has changed while it was read", s->path);
  for (int64_t i = 0; i < s->own && !im.real; i++)
    s->at.picture.gray[i] = (float)rint(s->at.picture.gray[i] * top_of(&im));
  s->at.picture.page = page;
  return 0;
}

static PetscErrorCode picture_read(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out) {
  for (int64_t i = 0; i < nrows; i++) {
    PetscCall(show_page(s, row + i));
    for (int64_t k = 0; k < ncols; k++) out[i * ncols + k] = s->at.picture.gray[col + k];
  }
  return 0;
}

const MtFormat mt_format_picture = {picture_probe, picture_open, picture_close, picture_read};
