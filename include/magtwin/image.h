/* One gray picture, in or out of a file.  None is collective. */
#ifndef MAGTWIN_IMAGE_H
#define MAGTWIN_IMAGE_H

#include <petscsys.h>
#include <stdbool.h>

typedef struct {
  int nx, ny, bits; /* 8, 16, 32 */
  bool real;        /* 32 bit IEEE numbers, else unsigned integers */
} MtImage;

/* Is this a PNG by its ending?  Everything else is taken for TIFF. */
bool mt_image_is_png(const char *path);
/* Pages of a file (PNG: 1). */
PetscErrorCode mt_image_pages(const char *path, int *pages);
/* Layout of a page, and its pixels gray [ny nx]: integers as 0 .. 1 of their range, reals as they are (those that are
 * not finite are an error).  MT_ERR_INPUT on colour, odd depths, damage. */
PetscErrorCode mt_image_layout(const char *path, int page, MtImage *im);
PetscErrorCode mt_image_read(const char *path, int page, const MtImage *im, float *gray);
/* gray [ny nx] of 0 .. 1, cut there and rounded for integers. */
PetscErrorCode mt_image_write(const char *path, const MtImage *im, const float *gray);
/* A PNG of any kind (colours as their luminance, without transparency, of any depth): its layout, and gray [ny nx] from
 * malloc, the caller's. */
PetscErrorCode mt_png_read_any(const char *path, MtImage *im, float **gray);
/* rgb [ny nx 3], 8 bit PNG. */
PetscErrorCode mt_image_write_colour(const char *path, int nx, int ny, const unsigned char *rgb);

/* The same by format. */
PetscErrorCode mt_png_layout(const char *path, MtImage *im);
PetscErrorCode mt_png_read(const char *path, const MtImage *im, float *gray);
PetscErrorCode mt_png_write(const char *path, const MtImage *im, const float *gray);
PetscErrorCode mt_tiff_layout(const char *path, int page, MtImage *im);
PetscErrorCode mt_tiff_read(const char *path, int page, const MtImage *im, float *gray);

/* A TIFF file with many pages, written one after the other; BigTIFF where `bytes` of pixels need it. */
typedef struct MtTiff MtTiff;
PetscErrorCode mt_tiff_create(const char *path, double bytes, MtTiff **t);
PetscErrorCode mt_tiff_add(MtTiff *t, const MtImage *im, const float *gray);
PetscErrorCode mt_tiff_close(MtTiff **t);

/* Pixels of a row, both ways; bytes in the machine's order. */
void mt_row_decode(const unsigned char *row, const MtImage *im, float *gray);
void mt_row_encode(const float *gray, const MtImage *im, unsigned char *row);

#endif
