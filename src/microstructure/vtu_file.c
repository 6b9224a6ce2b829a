/* A VTK XML file as a tree, by libxml2; raw data behind the tree are cut off before, for they are no XML. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "vtu.h"
#include <errno.h>
#include <libxml/parser.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

PetscErrorCode mt_vtu_fail(const MtVtu *f, const xmlNode *at, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return at ? mt_error(MT_ERR_INPUT, "%s:%ld: %s", f->path, xmlGetLineNo(at), text)
            : mt_error(MT_ERR_INPUT, "%s: %s", f->path, text);
}

xmlNode *mt_vtu_child(const xmlNode *parent, const xmlNode *after, const char *name) {
  for (xmlNode *c = after ? after->next : parent->children; c; c = c->next)
    if (c->type == XML_ELEMENT_NODE && !strcmp((const char *)c->name, name)) return c;
  return NULL;
}

char *mt_vtu_text(const xmlNode *node, const char *attribute) {
  return (char *)xmlGetProp(node, (const xmlChar *)attribute);
}

bool mt_vtu_is(const xmlNode *node, const char *attribute, const char *value) {
  char *text = mt_vtu_text(node, attribute);
  const bool same = text && !strcmp(text, value);
  xmlFree(text);
  return same;
}

/* zlib packs at most 1032 bytes into one. */
PetscErrorCode mt_vtu_count(const MtVtu *f, const xmlNode *node, const char *attribute, int64_t *n) {
  char *text = mt_vtu_text(node, attribute), *end = text;
  errno = 0;
  *n = text ? strtoll(text, &end, 10) : -1;
  const bool number = text && end > text && !*end && !errno && *n >= 0;
  const bool held = number && (uint64_t)*n / 1032 <= f->size;
  PetscErrorCode rc =
      held     ? 0
      : number ? mt_vtu_fail(f, node, "%s=\"%s\" is more than a file of %zu bytes can hold", attribute, text, f->size)
      : text   ? mt_vtu_fail(f, node, "%s=\"%s\" is not a number of things", attribute, text)
               : mt_vtu_fail(f, node, "%s has no %s", (const char *)node->name, attribute);
  xmlFree(text);
  return rc;
}

static PetscErrorCode read_bytes(MtVtu *f) {
  FILE *in = fopen(f->path, "rb");
  size_t room = 1 << 16, n;
  if (!in) return mt_error(MT_ERR_INPUT, "cannot read %s: %s", f->path, strerror(errno));
  f->bytes = mt_malloc(room);
  while ((n = fread(f->bytes + f->size, 1, room - f->size, in)) > 0) {
    f->size += n;
    if (f->size == room) f->bytes = mt_realloc(f->bytes, room *= 2);
  }
  const bool failed = ferror(in);
  fclose(in);
  return failed ? mt_error(MT_ERR_INPUT, "cannot read %s", f->path) : 0;
}

static const unsigned char *find(const unsigned char *from, const unsigned char *end, const char *word) {
  const size_t n = strlen(word);
  while ((size_t)(end - from) >= n && (from = memchr(from, word[0], (size_t)(end - from) - n + 1))) {
    if (!memcmp(from, word, n)) return from;
    from++;
  }
  return NULL;
}

/* What the tree is read from: the file up to the appended data, from malloc. */
static char *text_before_data(MtVtu *f, size_t *n) {
  static const char *const tail = "</AppendedData></VTKFile>";
  const unsigned char *end = f->bytes + f->size, *tag = find(f->bytes, end, "<AppendedData");
  const unsigned char *close = tag ? memchr(tag, '>', (size_t)(end - tag)) : NULL;
  const bool data = close && close[-1] != '/';
  const size_t head = data ? (size_t)(close + 1 - f->bytes) : f->size;
  char *text = mt_malloc(head + strlen(tail) + 1);
  memcpy(text, f->bytes, head);
  strcpy(text + head, data ? tail : "");
  *n = head + strlen(text + head);
  if (!data) return text;
  f->appended = memchr(close, '_', (size_t)(end - close));
  if (f->appended) f->nappended = (size_t)(end - ++f->appended);
  return text;
}

static PetscErrorCode parse(MtVtu *f) {
  size_t n;
  char *text = text_before_data(f, &n);
  if (n <= INT32_MAX)
    f->doc =
        xmlReadMemory(text, (int)n, f->path, NULL,
                      XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_BIG_LINES | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  free(text);
  if (n > INT32_MAX) return mt_vtu_fail(f, NULL, "has more than 2 GB of text: write it with appended data");
  if (f->doc) return 0;
  const xmlError *e = xmlGetLastError();
  const int length = e && e->message ? (int)strcspn(e->message, "\n") : 0;
  return mt_error(MT_ERR_INPUT, "%s:%d: is no complete XML file: %.*s", f->path, e ? e->line : 1, length,
                  length ? e->message : "");
}

/* The attributes of VTKFile: what kind of grid, and how its numbers are written. */
static PetscErrorCode look_at_form(MtVtu *f, const xmlNode *root) {
  static const char *const compressor = "vtkZLibDataCompressor";
  char *type = mt_vtu_text(root, "type"), *order = mt_vtu_text(root, "byte_order"),
       *header = mt_vtu_text(root, "header_type"), *packer = mt_vtu_text(root, "compressor");
  PetscErrorCode rc = 0;
  f->header = header && !strcmp(header, "UInt64") ? 8 : 4;
  f->zlib = packer && *packer;
  if (!type || strcmp(type, "UnstructuredGrid") != 0)
    rc = mt_vtu_fail(f, root, "is a VTK file of type %s, not UnstructuredGrid", type ? type : "(none)");
  else if (order && strcmp(order, "LittleEndian") != 0)
    rc = mt_vtu_fail(f, root, "byte_order=\"%s\" is not read: only LittleEndian", order);
  else if (header && strcmp(header, "UInt64") != 0 && strcmp(header, "UInt32") != 0)
    rc = mt_vtu_fail(f, root, "header_type=\"%s\" is not read: only UInt32 and UInt64", header);
  else if (f->zlib && strcmp(packer, compressor) != 0)
    rc = mt_vtu_fail(f, root, "compressor=\"%s\" is not read: only %s, or none", packer, compressor);
  xmlFree(type), xmlFree(order), xmlFree(header), xmlFree(packer);
  return rc;
}

static PetscErrorCode look_at_appended(MtVtu *f, const xmlNode *root) {
  const xmlNode *a = mt_vtu_child(root, NULL, "AppendedData");
  f->appended_base64 = a && mt_vtu_is(a, "encoding", "base64");
  if (!a || f->appended_base64 || mt_vtu_is(a, "encoding", "raw")) return 0;
  return mt_vtu_fail(f, a, "AppendedData has an encoding that is not read: only raw and base64");
}

PetscErrorCode mt_vtu_open(const char *path, MtVtu *f) {
  *f = (MtVtu){.path = path};
  PetscErrorCode rc = read_bytes(f);
  if (!rc) rc = parse(f);
  if (rc) return rc;
  const xmlNode *root = xmlDocGetRootElement(f->doc);
  if (!root || strcmp((const char *)root->name, "VTKFile") != 0) return mt_vtu_fail(f, root, "is no VTK file");
  if (f->doc->intSubset) return mt_vtu_fail(f, root, "declares a document type, which VTK's files do not");
  rc = look_at_form(f, root);
  if (!rc) rc = look_at_appended(f, root);
  if (rc) return rc;
  f->grid = mt_vtu_child(root, NULL, "UnstructuredGrid");
  return f->grid ? 0 : mt_vtu_fail(f, root, "has no section UnstructuredGrid");
}

void mt_vtu_close(MtVtu *f) {
  if (f->doc) xmlFreeDoc(f->doc);
  free(f->bytes);
  *f = (MtVtu){0};
}
