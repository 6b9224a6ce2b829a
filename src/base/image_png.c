/* Gray pictures as PNG of 8 or 16 bit, and coloured ones to look at.  libpng returns from errors by longjmp: what it is
 * called with lives in one struct, freed at one place. */
#include "magtwin/error.h"
#include "magtwin/image.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const char *path;
  FILE *file;
  png_structp png;
  png_infop info;
  unsigned char *row;
  char message[160];
} Png;

static void keep_error(png_structp png, png_const_charp text) {
  Png *p = png_get_error_ptr(png);
  snprintf(p->message, sizeof p->message, "%s", text);
  png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static PetscErrorCode open_png(Png *p, const char *path, bool writing) {
  memset(p, 0, sizeof *p);
  p->path = path;
  p->file = fopen(path, writing ? "wb" : "rb");
  if (!p->file)
    return mt_error(MT_ERR_INPUT, "%s: cannot be %s: %s", path, writing ? "written" : "read", strerror(errno));
  p->png = writing ? png_create_write_struct(PNG_LIBPNG_VER_STRING, p, keep_error, ignore_warning)
                   : png_create_read_struct(PNG_LIBPNG_VER_STRING, p, keep_error, ignore_warning);
  if (p->png) p->info = png_create_info_struct(p->png);
  return p->info ? 0 : mt_error(MT_ERR_FAIL, "%s: not enough memory", path);
}

static void close_reading(Png *p) {
  png_destroy_read_struct(&p->png, &p->info, NULL);
  free(p->row);
  if (p->file) fclose(p->file);
}

static PetscErrorCode close_writing(Png *p, PetscErrorCode rc) {
  png_destroy_write_struct(&p->png, &p->info);
  free(p->row);
  if (p->file && fclose(p->file) && !rc)
    rc = mt_error(MT_ERR_FAIL, "%s: cannot be written: %s", p->path, strerror(errno));
  return rc;
}

static PetscErrorCode read_failed(const Png *p) {
  return mt_error(MT_ERR_INPUT, "%s: is not a readable PNG file, or it is truncated: %s", p->path, p->message);
}

static PetscErrorCode header(Png *p, MtImage *im) {
  if (setjmp(png_jmpbuf(p->png))) return read_failed(p);
  png_init_io(p->png, p->file);
  png_read_info(p->png, p->info);
  const int colour = png_get_color_type(p->png, p->info), bits = png_get_bit_depth(p->png, p->info);
  if (colour != PNG_COLOR_TYPE_GRAY)
    return mt_error(MT_ERR_INPUT, "%s: is not a gray picture (PNG colour type %d): save it as gray", p->path, colour);
  if (bits != 8 && bits != 16)
    return mt_error(MT_ERR_INPUT, "%s: has %d bit pixels; gray pictures have 8 or 16", p->path, bits);
  if (png_get_interlace_type(p->png, p->info) != PNG_INTERLACE_NONE)
    return mt_error(MT_ERR_INPUT, "%s: is interlaced; save it without", p->path);
  *im = (MtImage){(int)png_get_image_width(p->png, p->info), (int)png_get_image_height(p->png, p->info), bits, false};
  return 0;
}

PetscErrorCode mt_png_layout(const char *path, MtImage *im) {
  Png p;
  PetscErrorCode rc = open_png(&p, path, false);
  if (!rc) rc = header(&p, im);
  close_reading(&p);
  return rc;
}

static PetscErrorCode read_rows(Png *p, const MtImage *im, float *gray) {
  const uint16_t one = 1;
  p->row = mt_malloc((size_t)im->nx * (size_t)im->bits / 8);
  if (setjmp(png_jmpbuf(p->png))) return read_failed(p);
  if (im->bits == 16 && *(const unsigned char *)&one) png_set_swap(p->png);
  for (int j = 0; j < im->ny; j++) {
    png_read_row(p->png, p->row, NULL);
    mt_row_decode(p->row, im, gray + (size_t)j * (size_t)im->nx);
  }
  png_read_end(p->png, NULL);
  return 0;
}

PetscErrorCode mt_png_read(const char *path, const MtImage *im, float *gray) {
  Png p;
  MtImage now;
  PetscErrorCode rc = open_png(&p, path, false);
  if (!rc) rc = header(&p, &now);
  if (!rc && (now.nx != im->nx || now.ny != im->ny || now.bits != im->bits))
    rc = mt_error(MT_ERR_INPUT, "%s: changed while it was read", path);
  if (!rc) rc = read_rows(&p, im, gray);
  close_reading(&p);
  return rc;
}

/* libpng turns what it is into gray of 8 or 16 bit. */
static PetscErrorCode any_header(Png *p, MtImage *im) {
  if (setjmp(png_jmpbuf(p->png))) return read_failed(p);
  png_init_io(p->png, p->file);
  png_read_info(p->png, p->info);
  png_set_expand(p->png);
  png_set_strip_alpha(p->png);
  if (png_get_color_type(p->png, p->info) & PNG_COLOR_MASK_COLOR)
    png_set_rgb_to_gray_fixed(p->png, PNG_ERROR_ACTION_NONE, -1, -1);
  if (png_get_interlace_type(p->png, p->info) != PNG_INTERLACE_NONE)
    return mt_error(MT_ERR_INPUT, "%s: is interlaced; save it without", p->path);
  png_read_update_info(p->png, p->info);
  *im = (MtImage){(int)png_get_image_width(p->png, p->info), (int)png_get_image_height(p->png, p->info),
                  png_get_bit_depth(p->png, p->info), false};
  return 0;
}

PetscErrorCode mt_png_read_any(const char *path, MtImage *im, float **gray) {
  Png p;
  *gray = NULL;
  PetscErrorCode rc = open_png(&p, path, false);
  if (!rc) rc = any_header(&p, im);
  if (!rc) {
    *gray = mt_malloc((size_t)im->nx * (size_t)im->ny * sizeof **gray);
    rc = read_rows(&p, im, *gray);
  }
  close_reading(&p);
  return rc;
}

static PetscErrorCode begin_writing(Png *p, int nx, int ny, int bits, int colour) {
  const uint16_t one = 1;
  if (setjmp(png_jmpbuf(p->png))) return mt_error(MT_ERR_FAIL, "%s: cannot be written: %s", p->path, p->message);
  png_init_io(p->png, p->file);
  png_set_IHDR(p->png, p->info, (png_uint_32)nx, (png_uint_32)ny, bits, colour, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(p->png, p->info);
  if (bits == 16 && *(const unsigned char *)&one) png_set_swap(p->png);
  return 0;
}

static PetscErrorCode write_rows(Png *p, const MtImage *im, const float *gray) {
  p->row = mt_malloc((size_t)im->nx * (size_t)im->bits / 8);
  if (setjmp(png_jmpbuf(p->png))) return mt_error(MT_ERR_FAIL, "%s: cannot be written: %s", p->path, p->message);
  for (int j = 0; j < im->ny; j++) {
    mt_row_encode(gray + (size_t)j * (size_t)im->nx, im, p->row);
    png_write_row(p->png, p->row);
  }
  png_write_end(p->png, NULL);
  return 0;
}

PetscErrorCode mt_png_write(const char *path, const MtImage *im, const float *gray) {
  Png p;
  PetscErrorCode rc = open_png(&p, path, true);
  if (!rc) rc = begin_writing(&p, im->nx, im->ny, im->bits, PNG_COLOR_TYPE_GRAY);
  if (!rc) rc = write_rows(&p, im, gray);
  return close_writing(&p, rc);
}

static PetscErrorCode write_colours(Png *p, int nx, int ny, const unsigned char *rgb) {
  if (setjmp(png_jmpbuf(p->png))) return mt_error(MT_ERR_FAIL, "%s: cannot be written: %s", p->path, p->message);
  for (int j = 0; j < ny; j++) png_write_row(p->png, rgb + 3 * (size_t)j * (size_t)nx);
  png_write_end(p->png, NULL);
  return 0;
}

PetscErrorCode mt_image_write_colour(const char *path, int nx, int ny, const unsigned char *rgb) {
  Png p;
  PetscErrorCode rc = open_png(&p, path, true);
  if (!rc) rc = begin_writing(&p, nx, ny, 8, PNG_COLOR_TYPE_RGB);
  if (!rc) rc = write_colours(&p, nx, ny, rgb);
  return close_writing(&p, rc);
}
