/* Label volumes as TIFF: one file with a page per slice, or a numbered series of files.  8, 16 or 32 bit integers, one
 * sample per pixel.  Every rank decodes the slices of its own slab. */
#include "magtwin/error.h"
#include "measured.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

typedef struct {
  int nx, ny, bits;
  bool is_signed;
} Page;

static char tiff_message[200]; /* what libtiff said last: its handler has no other way out */

static void keep_message(const char *module, const char *format, va_list args) {
  (void)module;
  vsnprintf(tiff_message, sizeof tiff_message, format, args);
}

static PetscErrorCode open_tiff(const char *path, TIFF **t) {
  TIFFSetWarningHandler(NULL);
  TIFFSetErrorHandler(keep_message);
  tiff_message[0] = 0;
  *t = TIFFOpen(path, "r");
  return *t ? 0 : mt_error(MT_ERR_INPUT, "%s: is not a readable TIFF file: %s", path, tiff_message);
}

static PetscErrorCode page_layout(TIFF *t, const char *path, Page *p) {
  uint32_t nx = 0, ny = 0;
  uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT;
  TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &nx);
  TIFFGetField(t, TIFFTAG_IMAGELENGTH, &ny);
  TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &bits);
  TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &samples);
  TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &format);
  const bool whole = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_INT || format == SAMPLEFORMAT_VOID;
  if (samples != 1 || !whole || (bits != 8 && bits != 16 && bits != 32))
    return mt_error(MT_ERR_INPUT,
                    "%s: labels must be one integer of 8, 16 or 32 bit per pixel; the file has %d %s of %d bit", path,
                    samples, whole ? "integers" : "real or complex numbers", bits);
  if (TIFFIsTiled(t)) return mt_error(MT_ERR_INPUT, "%s: is stored in tiles; save it in strips", path);
  if (!nx || !ny || nx > 1000000 || ny > 1000000) return mt_error(MT_ERR_INPUT, "%s: has %u x %u pixels", path, nx, ny);
  *p = (Page){(int)nx, (int)ny, bits, format == SAMPLEFORMAT_INT};
  return 0;
}

static int64_t pixel(const unsigned char *row, int i, const Page *p) {
  int16_t i2;
  int32_t i4;
  switch (p->bits) {
  case 8:
    return p->is_signed ? (int8_t)row[i] : row[i];
  case 16:
    memcpy(&i2, row + 2 * (size_t)i, 2);
    return p->is_signed ? i2 : (uint16_t)i2;
  default:
    memcpy(&i4, row + 4 * (size_t)i, 4);
    return p->is_signed ? i4 : (int64_t)(uint32_t)i4;
  }
}

static PetscErrorCode read_page(TIFF *t, const char *path, const Page *first, int64_t *raw) {
  Page p;
  PetscCall(page_layout(t, path, &p));
  if (p.nx != first->nx || p.ny != first->ny)
    return mt_error(MT_ERR_INPUT,
                    "%s: slice has %d x %d pixels, the first has %d x %d: all slices of a series must have one size",
                    path, p.nx, p.ny, first->nx, first->ny);
  unsigned char *row = malloc((size_t)TIFFScanlineSize(t));
  if (!row) return mt_error(MT_ERR_FAIL, "%s: not enough memory for a row", path);
  PetscErrorCode rc = 0;
  for (int j = 0; j < p.ny && !rc; j++) {
    if (TIFFReadScanline(t, row, (uint32_t)j, 0) != 1)
      rc = mt_error(MT_ERR_INPUT, "%s: row %d cannot be read, the file is damaged or truncated: %s", path, j,
                    tiff_message);
    for (int i = 0; i < p.nx && !rc; i++) raw[(size_t)j * (size_t)p.nx + (size_t)i] = pixel(row, i, &p);
  }
  free(row);
  return rc;
}

static PetscErrorCode read_slice(const MtSeries *files, int k, const Page *first, int64_t *raw) {
  const char *path = files->path[files->n > 1 ? k : 0];
  TIFF *t;
  PetscCall(open_tiff(path, &t));
  PetscErrorCode rc = 0;
  if (files->n == 1 && !TIFFSetDirectory(t, (tdir_t)k))
    rc = mt_error(MT_ERR_INPUT, "%s: page %d cannot be read: %s", path, k, tiff_message);
  if (!rc) rc = read_page(t, path, first, raw);
  TIFFClose(t);
  return rc;
}

static PetscErrorCode first_page(const MtSeries *files, Page *p, int *nz) {
  TIFF *t;
  PetscCall(open_tiff(files->path[0], &t));
  *nz = files->n > 1 ? files->n : (int)TIFFNumberOfDirectories(t);
  TIFFSetDirectory(t, 0);
  PetscErrorCode rc = page_layout(t, files->path[0], p);
  TIFFClose(t);
  return rc;
}

PetscErrorCode mt_volume_tiff(MPI_Comm comm, const MtSeries *files, MtLabels *l, int64_t **raw) {
  Page p = {0};
  int nz = 0;
  PetscCall(mt_agree(comm, first_page(files, &p, &nz)));
  PetscCall(mt_labels_layout(comm, p.nx, p.ny, nz, l));
  const size_t slice = (size_t)p.nx * (size_t)p.ny;
  *raw = malloc((slice * (size_t)l->nz_local + 1) * sizeof **raw);
  PetscErrorCode rc = *raw ? 0 : mt_error(MT_ERR_FAIL, "%s: not enough memory", files->path[0]);
  for (int k = 0; k < l->nz_local && !rc; k++) rc = read_slice(files, l->z0 + k, &p, *raw + slice * (size_t)k);
  return mt_agree(comm, rc);
}
