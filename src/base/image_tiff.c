/* Gray pictures as TIFF and BigTIFF, one or many to a file.  libtiff swaps the bytes of files of the other order. */
#include "magtwin/error.h"
#include "magtwin/image.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

static char tiff_message[200]; /* what libtiff said last: its handler has no other way out */

static void keep_message(const char *module, const char *format, va_list args) {
  (void)module;
  vsnprintf(tiff_message, sizeof tiff_message, format, args);
}

static PetscErrorCode open_tiff(const char *path, const char *mode, TIFF **t) {
  TIFFSetWarningHandler(NULL);
  TIFFSetErrorHandler(keep_message);
  tiff_message[0] = 0;
  *t = TIFFOpen(path, mode);
  if (*t) return 0;
  return mt_error(MT_ERR_INPUT, *mode == 'r' ? "%s: is not a readable TIFF file: %s" : "%s: cannot be written: %s",
                  path, tiff_message);
}

static PetscErrorCode layout(TIFF *t, const char *path, MtImage *im) {
  uint32_t nx = 0, ny = 0;
  uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, colour = PHOTOMETRIC_MINISBLACK;
  TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &nx);
  TIFFGetField(t, TIFFTAG_IMAGELENGTH, &ny);
  TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &bits);
  TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &samples);
  TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &format);
  TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &colour);
  const bool real = format == SAMPLEFORMAT_IEEEFP && bits == 32;
  const bool whole =
      (format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID) && (bits == 8 || bits == 16 || bits == 32);
  if (samples == 1 && colour == PHOTOMETRIC_MINISWHITE)
    return mt_error(MT_ERR_INPUT, "%s: 0 is white in it (%d bit): save it as gray with 0 black", path, bits);
  if (samples != 1 || colour != PHOTOMETRIC_MINISBLACK)
    return mt_error(MT_ERR_INPUT, "%s: is not a gray picture (%d values a pixel, photometric %d): save it as gray",
                    path, samples, colour);
  if (!real && !whole)
    return mt_error(MT_ERR_INPUT,
                    "%s: has %d bit %s pixels; gray pictures have unsigned 8, 16 or 32 bit or real 32 bit", path, bits,
                    format == SAMPLEFORMAT_INT      ? "signed"
                    : format == SAMPLEFORMAT_IEEEFP ? "real"
                                                    : "unsigned");
  if (TIFFIsTiled(t)) return mt_error(MT_ERR_INPUT, "%s: is stored in tiles; save it in strips", path);
  if (!nx || !ny || nx > 1000000 || ny > 1000000) return mt_error(MT_ERR_INPUT, "%s: has %u x %u pixels", path, nx, ny);
  *im = (MtImage){(int)nx, (int)ny, bits, real};
  return 0;
}

static PetscErrorCode open_page(const char *path, int page, TIFF **t) {
  PetscCall(open_tiff(path, "r", t));
  if (!page || TIFFSetDirectory(*t, (tdir_t)page)) return 0;
  TIFFClose(*t);
  return mt_error(MT_ERR_INPUT, "%s: page %d cannot be read, the file is damaged or truncated: %s", path, page,
                  tiff_message);
}

/* Counted by hand: TIFFNumberOfDirectories is silent about a chain of pages that ends in nothing. */
PetscErrorCode mt_image_pages(const char *path, int *pages) {
  TIFF *t;
  *pages = 1;
  if (mt_image_is_png(path)) return 0;
  PetscCall(open_tiff(path, "r", &t));
  while (!TIFFLastDirectory(t)) {
    if (!TIFFReadDirectory(t)) {
      TIFFClose(t);
      return mt_error(MT_ERR_INPUT, "%s: page %d cannot be read, the file is damaged or truncated: %s", path, *pages,
                      tiff_message);
    }
    ++*pages;
  }
  TIFFClose(t);
  return 0;
}

PetscErrorCode mt_tiff_layout(const char *path, int page, MtImage *im) {
  TIFF *t;
  PetscCall(open_page(path, page, &t));
  PetscErrorCode rc = layout(t, path, im);
  TIFFClose(t);
  return rc;
}

static PetscErrorCode read_rows(TIFF *t, const char *path, const MtImage *im, float *gray) {
  PetscErrorCode rc = 0;
  unsigned char *row = mt_malloc((size_t)TIFFScanlineSize(t));
  for (int j = 0; j < im->ny && !rc; j++) {
    float *to = gray + (size_t)j * (size_t)im->nx;
    if (TIFFReadScanline(t, row, (uint32_t)j, 0) != 1)
      rc = mt_error(MT_ERR_INPUT, "%s: row %d cannot be read, the file is damaged or truncated: %s", path, j,
                    tiff_message);
    else
      mt_row_decode(row, im, to);
    for (int i = 0; i < im->nx && !rc; i++)
      if (!isfinite(to[i])) rc = mt_error(MT_ERR_INPUT, "%s: pixel %d of row %d is not a number", path, i, j);
  }
  free(row);
  return rc;
}

PetscErrorCode mt_tiff_read(const char *path, int page, const MtImage *im, float *gray) {
  TIFF *t;
  MtImage now;
  PetscCall(open_page(path, page, &t));
  PetscErrorCode rc = layout(t, path, &now);
  if (!rc && (now.nx != im->nx || now.ny != im->ny || now.bits != im->bits || now.real != im->real))
    rc = mt_error(MT_ERR_INPUT, "%s: page %d changed while it was read", path, page);
  if (!rc) rc = read_rows(t, path, im, gray);
  TIFFClose(t);
  return rc;
}

struct MtTiff {
  TIFF *t;
  char *path;
};

PetscErrorCode mt_tiff_create(const char *path, double bytes, MtTiff **t) {
  TIFF *file;
  PetscCall(open_tiff(path, bytes > 2e9 ? "w8" : "w", &file));
  *t = mt_malloc(sizeof **t);
  **t = (MtTiff){file, mt_malloc(strlen(path) + 1)};
  strcpy((*t)->path, path);
  return 0;
}

static void describe(TIFF *t, const MtImage *im) {
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, im->nx);
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, im->ny);
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, im->bits);
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, im->real ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, TIFFDefaultStripSize(t, 0));
}

PetscErrorCode mt_tiff_add(MtTiff *t, const MtImage *im, const float *gray) {
  unsigned char *row = mt_malloc((size_t)im->nx * (size_t)im->bits / 8);
  bool good = true;
  describe(t->t, im);
  for (int j = 0; j < im->ny && good; j++) {
    mt_row_encode(gray + (size_t)j * (size_t)im->nx, im, row);
    good = TIFFWriteScanline(t->t, row, (uint32_t)j, 0) == 1;
  }
  free(row);
  good = good && TIFFWriteDirectory(t->t);
  return good ? 0 : mt_error(MT_ERR_FAIL, "%s: cannot be written: %s", t->path, tiff_message);
}

PetscErrorCode mt_tiff_close(MtTiff **t) {
  if (!*t) return 0;
  TIFFClose((*t)->t);
  free((*t)->path);
  free(*t);
  *t = NULL;
  return 0;
}
