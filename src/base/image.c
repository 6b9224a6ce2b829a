/* Pictures by their ending, and the pixels of a row. */
#include "magtwin/image.h"
#include "magtwin/error.h"
#include <stdint.h>
#include <string.h>
#include <strings.h>

bool mt_image_is_png(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && !strcasecmp(dot, ".png");
}

PetscErrorCode mt_image_layout(const char *path, int page, MtImage *im) {
  return mt_image_is_png(path) ? mt_png_layout(path, im) : mt_tiff_layout(path, page, im);
}

PetscErrorCode mt_image_read(const char *path, int page, const MtImage *im, float *gray) {
  return mt_image_is_png(path) ? mt_png_read(path, im, gray) : mt_tiff_read(path, page, im, gray);
}

PetscErrorCode mt_image_write(const char *path, const MtImage *im, const float *gray) {
  if (mt_image_is_png(path)) return mt_png_write(path, im, gray);
  MtTiff *t = NULL;
  PetscCall(mt_tiff_create(path, (double)im->nx * im->ny * im->bits / 8, &t));
  PetscErrorCode rc = mt_tiff_add(t, im, gray), rc2 = mt_tiff_close(&t);
  return rc ? rc : rc2;
}

void mt_row_decode(const unsigned char *row, const MtImage *im, float *gray) {
  for (int i = 0; i < im->nx; i++) {
    uint16_t v2;
    uint32_t v4;
    switch (im->bits) {
    case 8:
      gray[i] = (float)row[i] / 255;
      break;
    case 16:
      memcpy(&v2, row + 2 * (size_t)i, 2);
      gray[i] = (float)v2 / 65535;
      break;
    default:
      memcpy(&v4, row + 4 * (size_t)i, 4);
      gray[i] = (float)(v4 / 4294967295.0);
      if (im->real) memcpy(gray + i, &v4, 4);
    }
  }
}

static float cut(float v) {
  return v > 0 ? (v < 1 ? v : 1) : 0; /* NaN becomes 0 */
}

void mt_row_encode(const float *gray, const MtImage *im, unsigned char *row) {
  for (int i = 0; i < im->nx; i++) {
    const float v = cut(gray[i]);
    const uint16_t v2 = (uint16_t)(v * 65535 + .5F);
    const uint32_t v4 = (uint32_t)(v * 4294967295.0 + .5);
    if (im->bits == 8)
      row[i] = (unsigned char)(v * 255 + .5F);
    else if (im->bits == 16)
      memcpy(row + 2 * (size_t)i, &v2, 2);
    else if (im->real)
      memcpy(row + 4 * (size_t)i, &v, 4);
    else
      memcpy(row + 4 * (size_t)i, &v4, 4);
  }
}
