/* The numbers of a DataArray.  Binary data are a head and bytes: without compression the head is their number; with it
 * the blocks: how many, their size, that of the last one (0: full), and the packed size of each. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "vtu.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* ---- types */

typedef struct {
  const char *name;
  char kind; /* i, u, f */
  int bytes;
} Type;

static const Type types[] = {{"Int8", 'i', 1},    {"UInt8", 'u', 1},   {"Int16", 'i', 2}, {"UInt16", 'u', 2},
                             {"Int32", 'i', 4},   {"UInt32", 'u', 4},  {"Int64", 'i', 8}, {"UInt64", 'u', 8},
                             {"Float32", 'f', 4}, {"Float64", 'f', 8}, {"String", 'u', 1}};

static uint64_t unsigned_at(const unsigned char *b, int n) {
  uint64_t v = 0;
  for (int k = n; k > 0; k--) v = v << 8 | b[k - 1];
  return v;
}

static double real_at(const Type *t, const unsigned char *b) {
  float single;
  double wide;
  const uint64_t v = unsigned_at(b, t->bytes);
  if (t->kind == 'u') return (double)v;
  if (t->kind == 'i') return (double)(int64_t)(v << (64 - 8 * t->bytes)) / pow(2, 64 - 8 * t->bytes);
  memcpy(&single, b, sizeof single);
  if (t->bytes == 4) return single;
  memcpy(&wide, b, sizeof wide);
  return wide;
}

/* Name of the array, for messages. */
static const char *array_name(const xmlNode *array, char name[64]) {
  char *own = mt_vtu_text(array, "Name");
  snprintf(name, 64, "%s", own ? own : (const char *)array->parent->name);
  xmlFree(own);
  return name;
}

static PetscErrorCode type_of(const MtVtu *f, const xmlNode *array, const Type **type) {
  char name[64], *own = mt_vtu_text(array, "type");
  *type = NULL;
  for (size_t i = 0; own && i < sizeof types / sizeof *types; i++)
    if (!strcmp(own, types[i].name)) *type = &types[i];
  if (!*type) mt_vtu_fail(f, array, "array %s: type=\"%s\" is not read", array_name(array, name), own ? own : "");
  xmlFree(own);
  return *type ? 0 : MT_ERR_INPUT;
}

/* ---- bytes, as they stand or in base64 */

typedef struct {
  const unsigned char *p, *end;
  bool base64;
  unsigned char left[3];
  int nleft;
} Stream;

static int digit(unsigned char c) {
  return c >= 'A' && c <= 'Z'   ? c - 'A'
         : c >= 'a' && c <= 'z' ? c - 'a' + 26
         : c >= '0' && c <= '9' ? c - '0' + 52
         : c == '+'             ? 62
         : c == '/'             ? 63
                                : -1;
}

/* The next four digits -> up to three bytes; what follows a padding is another text, as heads are encoded by
 * themselves.  False: no more. */
static bool decode_group(Stream *s) {
  uint32_t v = 0;
  int n = 0, padding = 0;
  while (n < 4) {
    while (s->p < s->end && isspace(*s->p)) s->p++;
    if (s->p == s->end) return false;
    const int d = *s->p == '=' ? 0 : digit(*s->p);
    if (d < 0 || (padding && *s->p != '=')) return false;
    padding += *s->p++ == '=';
    v = v << 6 | (uint32_t)d;
    n++;
  }
  s->nleft = 3 - padding;
  for (int k = 0; k < 3; k++) s->left[k] = (unsigned char)(v >> (16 - 8 * k));
  return s->nleft > 0;
}

static size_t stream_read(Stream *s, unsigned char *to, size_t n) {
  size_t done = 0;
  if (!s->base64) {
    done = n < (size_t)(s->end - s->p) ? n : (size_t)(s->end - s->p);
    if (done && s->p) memcpy(to, s->p, done);
    s->p += done;
    return done;
  }
  while (done < n) {
    if (!s->nleft && !decode_group(s)) break;
    to[done++] = s->left[0];
    s->left[0] = s->left[1], s->left[1] = s->left[2], s->nleft--;
  }
  return done;
}

static bool stream_number(const MtVtu *f, Stream *s, uint64_t *v) {
  unsigned char b[8] = {0};
  if (stream_read(s, b, (size_t)f->header) < (size_t)f->header) return false;
  *v = unsigned_at(b, f->header);
  return true;
}

/* ---- one array */

/* Without what its children say (VTK writes ranges there).  Freed with free(). */
static char *own_text(const xmlNode *array) {
  size_t n = 0;
  for (const xmlNode *c = array->children; c; c = c->next)
    if (c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE) n += strlen((char *)c->content);
  char *text = mt_calloc(n + 1, 1);
  n = 0;
  for (const xmlNode *c = array->children; c; c = c->next) {
    if (c->type != XML_TEXT_NODE && c->type != XML_CDATA_SECTION_NODE) continue;
    const size_t more = strlen((char *)c->content);
    memcpy(text + n, c->content, more);
    n += more;
  }
  text[n] = 0;
  return text;
}

typedef struct {
  const MtVtu *f;
  const xmlNode *node;
  char name[64];
  size_t bytes; /* that it must have */
} Array;

static PetscErrorCode cut_short(const Array *a, size_t have) {
  return mt_vtu_fail(a->f, a->node, "array %s: its data end after %zu of %zu bytes", a->name, have, a->bytes);
}

static PetscErrorCode other_size(const Array *a, uint64_t have) {
  return mt_vtu_fail(a->f, a->node, "array %s: holds %llu bytes, must be %zu", a->name, (unsigned long long)have,
                     a->bytes);
}

static PetscErrorCode read_plain(const Array *a, Stream *s, unsigned char *to) {
  uint64_t n;
  if (!stream_number(a->f, s, &n)) return cut_short(a, 0);
  if (n != a->bytes) return other_size(a, n);
  const size_t have = stream_read(s, to, a->bytes);
  return have == a->bytes ? 0 : cut_short(a, have);
}

static PetscErrorCode read_block(const Array *a, Stream *s, int k, size_t packed, unsigned char *to, size_t size) {
  unsigned char *from = mt_malloc(packed);
  uLongf got = (uLongf)size;
  const bool whole = stream_read(s, from, packed) == packed;
  const int bad = whole ? uncompress(to, &got, from, (uLong)packed) : Z_OK;
  free(from);
  if (!whole) return mt_vtu_fail(a->f, a->node, "array %s: its data end in block %d", a->name, k);
  if (bad == Z_OK && got == size) return 0;
  return mt_vtu_fail(a->f, a->node, "array %s: block %d is damaged (zlib)", a->name, k);
}

static PetscErrorCode read_packed(const Array *a, Stream *s, unsigned char *to) {
  uint64_t n, size, last, *packed;
  if (!stream_number(a->f, s, &n)) return cut_short(a, 0);
  if (n == 0) return a->bytes ? other_size(a, 0) : 0;
  if (!stream_number(a->f, s, &size) || !stream_number(a->f, s, &last)) return cut_short(a, 0);
  if (n > a->f->size || size == 0 || n - 1 > a->bytes / size || last > size)
    return mt_vtu_fail(a->f, a->node, "array %s: its head is damaged", a->name);
  const uint64_t all = last ? (n - 1) * size + last : n * size;
  if (all != a->bytes) return other_size(a, all);
  PetscErrorCode rc = 0;
  packed = mt_calloc(n, sizeof *packed);
  for (uint64_t k = 0; k < n && !rc; k++)
    if (!stream_number(a->f, s, &packed[k]) || packed[k] > a->f->size) rc = cut_short(a, 0);
  for (uint64_t k = 0; k < n && !rc; k++)
    rc = read_block(a, s, (int)k, packed[k], to + k * size, k + 1 < n || !last ? size : last);
  free(packed);
  return rc;
}

static PetscErrorCode appended_at(const Array *a, Stream *s) {
  char *text = mt_vtu_text(a->node, "offset"), *end = text;
  errno = 0;
  const unsigned long long at = text ? strtoull(text, &end, 10) : 0;
  const bool number = text && end > text && !*end && !errno && isdigit((unsigned char)*text);
  xmlFree(text);
  if (!number) return mt_vtu_fail(a->f, a->node, "array %s: has no offset into the appended data", a->name);
  if (!a->f->appended) return mt_vtu_fail(a->f, a->node, "array %s: there are no appended data", a->name);
  if (at > a->f->nappended)
    return mt_vtu_fail(a->f, a->node, "array %s: offset %llu lies behind the end of the file, %zu bytes of data",
                       a->name, at, a->f->nappended);
  *s = (Stream){.p = a->f->appended + at, .end = a->f->appended + a->f->nappended, .base64 = a->f->appended_base64};
  return 0;
}

/* text: what s reads from where it is inline, freed by the caller. */
static PetscErrorCode stream_open(const Array *a, bool appended, Stream *s, char **text) {
  *text = NULL;
  if (appended) return appended_at(a, s);
  *text = own_text(a->node);
  *s = (Stream){.p = (unsigned char *)*text, .end = (unsigned char *)*text + strlen(*text), .base64 = true};
  return 0;
}

static PetscErrorCode read_binary(const Array *a, bool appended, unsigned char *to) {
  char *text;
  Stream s = {0};
  PetscErrorCode rc = stream_open(a, appended, &s, &text);
  if (!rc) rc = a->f->zlib ? read_packed(a, &s, to) : read_plain(a, &s, to);
  free(text);
  return rc;
}

/* The number of bytes that the head of a list of texts tells. */
static PetscErrorCode binary_size(Array *a, bool appended) {
  char *text;
  Stream s = {0};
  uint64_t n = 0, size = 0, last = 0;
  PetscErrorCode rc = stream_open(a, appended, &s, &text);
  bool known = !rc && stream_number(a->f, &s, &n);
  if (known && a->f->zlib && n) {
    known = stream_number(a->f, &s, &size) && stream_number(a->f, &s, &last) && n <= a->f->size;
    n = last ? (n - 1) * size + last : n * size;
  }
  free(text);
  a->bytes = (size_t)n;
  if (rc || (known && n / 1032 <= a->f->size)) return rc;
  return mt_vtu_fail(a->f, a->node, "array %s: its head is damaged", a->name);
}

static PetscErrorCode read_text(const Array *a, int64_t n, double *values) {
  char *text = own_text(a->node);
  char *p = text, *end;
  int64_t have = 0;
  PetscErrorCode rc = 0;
  for (;; p = end, have++) {
    const double v = strtod(p, &end);
    if (end == p) break;
    if (have < n) values[have] = v;
  }
  while (isspace((unsigned char)*p)) p++;
  if (*p)
    rc = mt_vtu_fail(a->f, a->node, "array %s: \"%.12s\" is not a number", a->name, p);
  else if (have != n)
    rc = mt_vtu_fail(a->f, a->node, "array %s: has %lld numbers, must have %lld", a->name, (long long)have,
                     (long long)n);
  free(text);
  return rc;
}

PetscErrorCode mt_vtu_reals(const MtVtu *f, const xmlNode *array, int64_t n, double **values) {
  const Type *t = NULL;
  Array a = {.f = f, .node = array};
  const bool appended = mt_vtu_is(array, "format", "appended"), binary = mt_vtu_is(array, "format", "binary");
  *values = NULL;
  PetscCall(type_of(f, array, &t));
  array_name(array, a.name);
  const bool known = appended || binary || mt_vtu_is(array, "format", "ascii"), fits = (uint64_t)n / 1032 <= f->size;
  if (!known) mt_vtu_fail(f, array, "array %s: format is not read: only ascii, binary and appended", a.name);
  if (known && !fits) mt_vtu_fail(f, array, "array %s: is longer than the file", a.name);
  if (!known || !fits) return MT_ERR_INPUT;
  double *v = mt_malloc((size_t)n * sizeof *v);
  unsigned char *bytes = NULL;
  PetscErrorCode rc = 0;
  if (appended || binary) {
    a.bytes = (size_t)n * (size_t)t->bytes;
    bytes = mt_malloc(a.bytes);
    rc = read_binary(&a, appended, bytes);
    for (int64_t i = 0; i < n && !rc; i++) v[i] = real_at(t, bytes + (size_t)i * (size_t)t->bytes);
  } else {
    rc = read_text(&a, n, v);
  }
  free(bytes);
  if (rc) free(v);
  if (!rc) *values = v;
  return rc;
}

PetscErrorCode mt_vtu_integers(const MtVtu *f, const xmlNode *array, int64_t n, int64_t **values) {
  double *v;
  char name[64];
  *values = NULL;
  PetscCall(mt_vtu_reals(f, array, n, &v));
  int64_t *whole = mt_malloc((size_t)n * sizeof *whole), bad = -1;
  for (int64_t i = 0; i < n && bad < 0; i++) {
    if (!(fabs(v[i]) < 9007199254740992.0) || v[i] != floor(v[i]))
      bad = i;
    else
      whole[i] = (int64_t)v[i];
  }
  const double wrong = bad < 0 ? 0 : v[bad];
  free(v);
  if (bad < 0) *values = whole;
  if (bad < 0) return 0;
  free(whole);
  return mt_vtu_fail(f, array, "array %s: entry %lld is %g, not a whole number", array_name(array, name),
                     (long long)bad, wrong);
}

static int64_t count_words(const xmlNode *array) {
  char *text = own_text(array);
  int64_t n = 0;
  for (const char *p = text; *(p += strspn(p, " \t\r\n")); n++) p += strcspn(p, " \t\r\n");
  free(text);
  return n;
}

PetscErrorCode mt_vtu_strings(const MtVtu *f, const xmlNode *array, int64_t *n, char **texts) {
  Array a = {.f = f, .node = array};
  const bool appended = mt_vtu_is(array, "format", "appended"), binary = mt_vtu_is(array, "format", "binary");
  double *code;
  array_name(array, a.name);
  if (appended || binary) PetscCall(binary_size(&a, appended));
  const int64_t length = appended || binary ? (int64_t)a.bytes : count_words(array);
  PetscCall(mt_vtu_reals(f, array, length, &code));
  *texts = mt_malloc((size_t)length + 1);
  *n = 0;
  for (int64_t i = 0; i < length; i++) {
    (*texts)[i] = code[i] > 0 && code[i] < 256 ? (char)(unsigned char)code[i] : 0;
    *n += !(*texts)[i];
  }
  (*texts)[length] = 0;
  free(code);
  return 0;
}
