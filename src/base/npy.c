/* NumPy's .npy files. */
#include "magtwin/npy.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <string.h>

static const char *after(const char *header, const char *key) {
  const char *p = strstr(header, key);
  return p ? p + strlen(key) : NULL;
}

static bool little_endian(void) {
  const int one = 1;
  return *(const char *)&one == 1;
}

static PetscErrorCode parse_type(MtNpy *f, const char *header) {
  char order;
  const char *p = after(header, "'descr':");
  if (!p || sscanf(p, " '%c%c%d'", &order, &f->kind, &f->bytes) != 3)
    return mt_error(MT_ERR_INPUT, "%s: the .npy header does not say the type of its numbers", f->path);
  const bool whole =
      (f->kind == 'i' || f->kind == 'u') && (f->bytes == 1 || f->bytes == 2 || f->bytes == 4 || f->bytes == 8);
  const bool real = f->kind == 'f' && (f->bytes == 4 || f->bytes == 8), truth = f->kind == 'b' && f->bytes == 1;
  if (!whole && !real && !truth)
    return mt_error(MT_ERR_INPUT,
                    "%s: numbers must be integers of 1, 2, 4 or 8 bytes or reals of 4 or 8, the file has '%c%c%d'",
                    f->path, order, f->kind, f->bytes);
  f->swap = f->bytes > 1 && (order == '>') == little_endian();
  return 0;
}

static PetscErrorCode parse_shape(MtNpy *f, const char *header) {
  const char *order = after(header, "'fortran_order':"), *p = after(header, "'shape':");
  f->fortran = order && !strncmp(order + strspn(order, " "), "True", 4);
  p = p ? strchr(p, '(') : NULL;
  if (!order || !p) return mt_error(MT_ERR_INPUT, "%s: the .npy header does not say the shape of the array", f->path);
  for (p++; *(p += strspn(p, " ,")) != ')'; f->dims++) {
    char *end;
    const long long n = strtoll(p, &end, 10);
    if (end == p || f->dims == 3) return mt_error(MT_ERR_INPUT, "%s: the array must have 1 to 3 dimensions", f->path);
    if (n < 1 || n > 4294967296LL) return mt_error(MT_ERR_INPUT, "%s: the array has a side of %lld", f->path, n);
    f->shape[f->dims] = n;
    p = end;
  }
  return f->dims ? 0 : mt_error(MT_ERR_INPUT, "%s: the array must have 1 to 3 dimensions", f->path);
}

static PetscErrorCode parse_header(MtNpy *f) {
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
  const double size =
      (double)f->data + (double)f->bytes * (double)f->shape[0] * (double)f->shape[1] * (double)f->shape[2];
  if (fseeko(f->file, 0, SEEK_END) || (double)ftello(f->file) < size)
    return mt_error(MT_ERR_INPUT, "%s: the file is truncated: it has %lld of %.0f bytes", f->path,
                    (long long)ftello(f->file), size);
  return 0;
}

PetscErrorCode mt_npy_open(const char *path, MtNpy *f) {
  *f = (MtNpy){.path = path, .file = fopen(path, "rb"), .shape = {1, 1, 1}};
  if (!f->file) return mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  return parse_header(f);
}

void mt_npy_close(MtNpy *f) {
  if (f->file) fclose(f->file);
  f->file = NULL;
}

typedef union {
  unsigned char byte[8];
  int8_t i1;
  int16_t i2;
  int32_t i4;
  int64_t i8;
  uint8_t u1;
  uint16_t u2;
  uint32_t u4;
  float f4;
  double f8;
} Number;

static Number load(const MtNpy *f, const unsigned char *p) {
  Number v = {{0}};
  for (int i = 0; i < f->bytes; i++) v.byte[i] = p[f->swap ? f->bytes - 1 - i : i];
  return v;
}

static int64_t whole(const MtNpy *f, Number v) {
  const bool is_signed = f->kind == 'i';
  switch (f->bytes) {
  case 1:
    return is_signed ? v.i1 : v.u1;
  case 2:
    return is_signed ? v.i2 : v.u2;
  case 4:
    return is_signed ? v.i4 : (int64_t)v.u4;
  default:
    return v.i8;
  }
}

/* The bytes of n numbers, from malloc. */
static PetscErrorCode read_bytes(const MtNpy *f, long long first, size_t n, unsigned char **bytes) {
  *bytes = mt_malloc(n * (size_t)f->bytes);
  if (!fseeko(f->file, (off_t)(f->data + first * f->bytes), SEEK_SET) &&
      fread(*bytes, (size_t)f->bytes, n, f->file) == n)
    return 0;
  free(*bytes);
  *bytes = NULL;
  return mt_error(MT_ERR_INPUT, "%s: cannot be read to its end", f->path);
}

PetscErrorCode mt_npy_read_ints(const MtNpy *f, long long first, size_t n, size_t stride, int64_t *out) {
  unsigned char *bytes;
  PetscCall(read_bytes(f, first, n, &bytes));
  for (size_t i = 0; i < n; i++) out[i * stride] = whole(f, load(f, bytes + i * (size_t)f->bytes));
  free(bytes);
  return 0;
}

PetscErrorCode mt_npy_read_reals(const MtNpy *f, long long first, size_t n, size_t stride, double *out) {
  unsigned char *bytes;
  PetscCall(read_bytes(f, first, n, &bytes));
  for (size_t i = 0; i < n; i++) {
    const Number v = load(f, bytes + i * (size_t)f->bytes);
    out[i * stride] = f->kind != 'f' ? (double)whole(f, v) : (f->bytes == 4 ? (double)v.f4 : v.f8);
  }
  free(bytes);
  return 0;
}

PetscErrorCode mt_npy_write(const char *path, int64_t rows, int64_t columns, const double *value) {
  static const unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
  char header[118], text[119];
  FILE *file = fopen(path, "wb");
  if (!file) return mt_error(mt_errno_code(errno), "%s: cannot be written: %s", path, strerror(errno));
  snprintf(text, sizeof text, "{'descr': '%cf8', 'fortran_order': False, 'shape': (%lld, %lld), }",
           little_endian() ? '<' : '>', (long long)rows, (long long)columns);
  memset(header, ' ', sizeof header);
  memcpy(header, text, strlen(text));
  header[sizeof header - 1] = '\n';
  const size_t n = (size_t)rows * (size_t)columns;
  const bool good = fwrite(start, 1, sizeof start, file) == sizeof start &&
                    fwrite(header, 1, sizeof header, file) == sizeof header &&
                    fwrite(value, sizeof *value, n, file) == n;
  if (!fclose(file) && good) return 0;
  return mt_error(mt_errno_code(errno), "%s: cannot be written: %s", path, strerror(errno));
}
