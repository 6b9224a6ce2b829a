/* Label volumes in NumPy's .npy format (versions 1 to 3): integers of 1, 2, 4 or 8 bytes, [nz, ny, nx], C or Fortran
 * order. Format: numpy.lib.format.  Every rank reads the bytes of its own slab. */
#include "magtwin/error.h"
#include "measured.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *path;
  FILE *file;
  long long data; /* offset of the first number in bytes */
  int bytes;      /* of a number */
  bool is_signed, swap, fortran;
  long long shape[3]; /* nz ny nx */
} Npy;

static const char *after(const char *header, const char *key) {
  const char *p = strstr(header, key);
  return p ? p + strlen(key) : NULL;
}

static PetscErrorCode parse_type(Npy *f, const char *header) {
  char order, kind;
  const char *p = after(header, "'descr':");
  if (!p || sscanf(p, " '%c%c%d'", &order, &kind, &f->bytes) != 3)
    return mt_error(MT_ERR_INPUT, "%s: the .npy header does not say the type of its numbers", f->path);
  const bool whole = (kind == 'i' || kind == 'u') && (f->bytes == 1 || f->bytes == 2 || f->bytes == 4 || f->bytes == 8);
  if (!whole)
    return mt_error(MT_ERR_INPUT, "%s: labels must be integers of 1, 2, 4 or 8 bytes, the file has '%c%c%d'", f->path,
                    order, kind, f->bytes);
  const int one = 1;
  f->is_signed = kind == 'i';
  f->swap = f->bytes > 1 && (order == '>') == (*(const char *)&one == 1);
  return 0;
}

static PetscErrorCode parse_shape(Npy *f, const char *header) {
  const char *order = after(header, "'fortran_order':"), *shape = after(header, "'shape':");
  char end;
  f->fortran = order && !strncmp(order + strspn(order, " "), "True", 4);
  if (!order || !shape ||
      sscanf(shape, " ( %lld , %lld , %lld %c", &f->shape[0], &f->shape[1], &f->shape[2], &end) != 4 || end != ')')
    return mt_error(MT_ERR_INPUT, "%s: the array must have 3 dimensions (nz, ny, nx)", f->path);
  for (int d = 0; d < 3; d++)
    if (f->shape[d] < 1 || f->shape[d] > 1000000)
      return mt_error(MT_ERR_INPUT, "%s: the array has %lld x %lld x %lld voxels", f->path, f->shape[0], f->shape[1],
                      f->shape[2]);
  return 0;
}

static PetscErrorCode parse_header(Npy *f) {
  unsigned char start[12] = {0};
  if (fread(start, 1, 10, f->file) != 10 || memcmp(start, "\x93NUMPY", 6))
    return mt_error(MT_ERR_INPUT, "%s: is not a .npy file", f->path);
  if (start[6] > 1 && fread(start + 10, 1, 2, f->file) != 2) return mt_error(MT_ERR_INPUT, "%s: is truncated", f->path);
  const size_t prefix = start[6] > 1 ? 12 : 10;
  const size_t length = start[8] + 256U * start[9] + (start[6] > 1 ? 65536U * start[10] + 16777216U * start[11] : 0);
  char header[4096];
  if (length >= sizeof header || fread(header, 1, length, f->file) != length)
    return mt_error(MT_ERR_INPUT, "%s: the .npy header is damaged or truncated", f->path);
  header[length] = 0;
  f->data = (long long)(prefix + length);
  PetscCall(parse_type(f, header));
  PetscCall(parse_shape(f, header));
  const long long size = f->data + f->bytes * f->shape[0] * f->shape[1] * f->shape[2];
  if (fseeko(f->file, 0, SEEK_END) || ftello(f->file) < size)
    return mt_error(MT_ERR_INPUT, "%s: the file is truncated: it has %lld of %lld bytes", f->path,
                    (long long)ftello(f->file), size);
  return 0;
}

/* One number of the file; unsigned 8-byte labels above 2^63 are not expected. */
static int64_t widen(const Npy *f, const unsigned char *p) {
  unsigned char b[8] = {0};
  for (int i = 0; i < f->bytes; i++) b[i] = p[f->swap ? f->bytes - 1 - i : i];
  union {
    int8_t i1;
    int16_t i2;
    int32_t i4;
    int64_t i8;
    uint8_t u1;
    uint16_t u2;
    uint32_t u4;
  } v;
  memcpy(&v, b, (size_t)f->bytes);
  switch (f->bytes) {
  case 1:
    return f->is_signed ? v.i1 : v.u1;
  case 2:
    return f->is_signed ? v.i2 : v.u2;
  case 4:
    return f->is_signed ? v.i4 : (int64_t)v.u4;
  default:
    return v.i8;
  }
}

/* n numbers from number `first` of the file on, to out[0], out[stride], ... */
static PetscErrorCode read_run(const Npy *f, long long first, size_t n, unsigned char *buffer, size_t stride,
                               int64_t *out) {
  if (fseeko(f->file, (off_t)(f->data + first * f->bytes), SEEK_SET) ||
      fread(buffer, (size_t)f->bytes, n, f->file) != n)
    return mt_error(MT_ERR_INPUT, "%s: cannot be read to its end", f->path);
  for (size_t i = 0; i < n; i++) out[i * stride] = widen(f, buffer + i * (size_t)f->bytes);
  return 0;
}

static PetscErrorCode read_slab(const Npy *f, const MtLabels *l, unsigned char *buffer, int64_t *raw) {
  const long long slice = (long long)l->nx * l->ny;
  const size_t local = (size_t)l->nz_local;
  if (!local) return 0;
  if (!f->fortran) {
    for (size_t k = 0; k < local; k++)
      PetscCall(read_run(f, slice * (l->z0 + (long long)k), (size_t)slice, buffer, 1, raw + (size_t)slice * k));
    return 0;
  }
  for (long long i = 0; i < l->nx; i++) /* in the file z runs fastest */
    for (long long j = 0; j < l->ny; j++)
      PetscCall(read_run(f, l->z0 + l->nz * (j + l->ny * i), local, buffer, (size_t)slice, raw + j * l->nx + i));
  return 0;
}

static PetscErrorCode open_file(Npy *f) {
  f->file = fopen(f->path, "rb");
  if (!f->file) return mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", f->path, strerror(errno));
  return parse_header(f);
}

PetscErrorCode mt_volume_npy(MPI_Comm comm, const char *path, MtLabels *l, int64_t **raw) {
  Npy f = {.path = path};
  unsigned char *buffer = NULL;
  PetscErrorCode rc = mt_agree(comm, open_file(&f));
  if (!rc) rc = mt_labels_layout(comm, (int)f.shape[2], (int)f.shape[1], (int)f.shape[0], l);
  if (!rc) {
    const size_t slice = (size_t)l->nx * (size_t)l->ny, longest = slice > (size_t)l->nz ? slice : (size_t)l->nz;
    *raw = malloc((slice * (size_t)l->nz_local + 1) * sizeof **raw);
    buffer = malloc(longest * (size_t)f.bytes);
    rc = *raw && buffer ? read_slab(&f, l, buffer, *raw) : mt_error(MT_ERR_FAIL, "%s: not enough memory", path);
    rc = mt_agree(comm, rc);
  }
  free(buffer);
  if (f.file) fclose(f.file);
  return rc;
}
