/* JSON text -> values, by recursive descent (RFC 8259). */
#include "magtwin/json.h"
#include "magtwin/memory.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

typedef struct {
  const char *text, *at;
  char *why; /* [200] */
  int depth;
} Reader;

static bool fail(const Reader *r, const char *what) {
  snprintf(r->why, 200, "%s at character %d", what, (int)(r->at - r->text) + 1);
  return false;
}

static void skip(Reader *r) {
  while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r') r->at++;
}

static void clear(MtJsonValue *v) {
  for (int i = 0; i < v->n; i++) {
    if (v->key) free(v->key[i]);
    clear(&v->item[i]);
  }
  free(v->key);
  free(v->item);
  free(v->text);
  *v = (MtJsonValue){0};
}

void mt_json_value_free(MtJsonValue **v) {
  if (!*v) return;
  clear(*v);
  free(*v);
  *v = NULL;
}

/* Four hexadecimal digits of \uXXXX. */
static bool read_hex(Reader *r, unsigned *code) {
  *code = 0;
  for (int i = 0; i < 4; i++, r->at++) {
    if (!isxdigit((unsigned char)*r->at)) return fail(r, "\\u without four hexadecimal digits");
    int c = tolower((unsigned char)*r->at);
    *code = 16 * *code + (unsigned)(isdigit(c) ? c - '0' : c - 'a' + 10);
  }
  return true;
}

static size_t put_utf8(char *to, unsigned code) {
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; code >>= 6) to[i] = (char)(0x80 | (code & 0x3f));
  to[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | code);
  return n;
}

static bool read_escape(Reader *r, char *to, size_t *n) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  unsigned code, low;
  const char *known = *r->at ? strchr(names, *r->at) : NULL;
  if (known) {
    to[(*n)++] = values[known - names];
    r->at++;
    return true;
  }
  if (*r->at++ != 'u') return fail(r, "an escape that JSON does not have");
  if (!read_hex(r, &code)) return false;
  if (code >= 0xd800 && code < 0xdc00 && r->at[0] == '\\' && r->at[1] == 'u') {
    r->at += 2;
    if (!read_hex(r, &low)) return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low & 0x3ff);
  }
  if (!code) return fail(r, "a character of value 0 in a text");
  *n += put_utf8(to + *n, code);
  return true;
}

static bool read_string(Reader *r, char **text) {
  size_t n = 0;
  char *to = mt_malloc(strlen(r->at) + 1); /* no escape becomes longer */
  bool good = true;
  r->at++;
  while (good && *r->at != '"') {
    if ((unsigned char)*r->at < 0x20)
      good = fail(r, *r->at ? "a line break or tab in a text" : "a text that does not end");
    else if (*r->at == '\\') {
      r->at++;
      good = read_escape(r, to, &n);
    } else
      to[n++] = *r->at++;
  }
  to[n] = 0;
  if (!good) {
    free(to);
    return false;
  }
  r->at++;
  *text = mt_realloc(to, n + 1);
  return true;
}

static bool read_number(Reader *r, MtJsonValue *v) {
  const char *s = r->at;
  char *end;
  size_t n = strspn(s, "+-.0123456789eE");
  bool digit = isdigit((unsigned char)s[s[0] == '-']);
  v->kind = MT_JSON_NUMBER;
  v->number = strtod(s, &end);
  if (!n || !digit || end != s + n || !isfinite(v->number)) return fail(r, "no JSON value");
  r->at = end;
  return true;
}

static bool read_word(Reader *r, MtJsonValue *v) {
  static const struct {
    const char *word;
    MtJsonKind kind;
    double number;
  } words[] = {{"null", MT_JSON_NULL, 0}, {"true", MT_JSON_BOOL, 1}, {"false", MT_JSON_BOOL, 0}};
  for (int i = 0; i < 3; i++) {
    size_t n = strlen(words[i].word);
    if (strncmp(r->at, words[i].word, n)) continue;
    v->kind = words[i].kind;
    v->number = words[i].number;
    r->at += n;
    return true;
  }
  return read_number(r, v);
}

static bool read_value(Reader *r, MtJsonValue *v);

static bool read_key(Reader *r, MtJsonValue *v) {
  char *key;
  skip(r);
  if (*r->at != '"') return fail(r, "a key in quotes is missing");
  if (!read_string(r, &key)) return false;
  for (int i = 0; i + 1 < v->n; i++)
    if (!strcmp(v->key[i], key)) {
      free(key);
      return fail(r, "a key given twice");
    }
  v->key[v->n - 1] = key;
  skip(r);
  if (*r->at++ != ':') {
    r->at--;
    return fail(r, "no colon after a key");
  }
  return true;
}

/* One more item, empty. */
static void grow(MtJsonValue *v) {
  size_t n = (size_t)++v->n;
  if (v->kind == MT_JSON_OBJECT) {
    v->key = mt_realloc(v->key, n * sizeof *v->key);
    v->key[n - 1] = NULL;
  }
  v->item = mt_realloc(v->item, n * sizeof *v->item);
  v->item[n - 1] = (MtJsonValue){0};
}

static bool read_items(Reader *r, MtJsonValue *v, char close) {
  r->at++;
  skip(r);
  if (*r->at == close) {
    r->at++;
    return true;
  }
  for (;;) {
    grow(v);
    if (v->kind == MT_JSON_OBJECT && !read_key(r, v)) return false;
    if (!read_value(r, &v->item[v->n - 1])) return false;
    skip(r);
    char c = *r->at;
    if (c != ',' && c != close) return fail(r, close == '}' ? "no comma or }" : "no comma or ]");
    r->at++;
    if (c == close) return true;
  }
}

static bool read_value(Reader *r, MtJsonValue *v) {
  skip(r);
  if (*r->at == '"') {
    v->kind = MT_JSON_STRING;
    return read_string(r, &v->text);
  }
  if (*r->at != '{' && *r->at != '[') return read_word(r, v);
  if (++r->depth > MAX_DEPTH) return fail(r, "nested too deeply");
  bool object = *r->at == '{';
  v->kind = object ? MT_JSON_OBJECT : MT_JSON_ARRAY;
  bool good = read_items(r, v, object ? '}' : ']');
  r->depth--;
  return good;
}

MtJsonValue *mt_json_read(const char *text, char why[200]) {
  Reader r = {text, text, why, 0};
  MtJsonValue *v = mt_calloc(1, sizeof *v);
  bool good = read_value(&r, v);
  skip(&r);
  if (good && *r.at) good = fail(&r, "something after the value");
  if (!good) mt_json_value_free(&v);
  return v;
}

const MtJsonValue *mt_json_member(const MtJsonValue *v, const char *key) {
  for (int i = 0; v && v->kind == MT_JSON_OBJECT && i < v->n; i++)
    if (!strcmp(v->key[i], key)) return &v->item[i];
  return NULL;
}

const MtJsonValue *mt_json_find(const MtJsonValue *v, const char *path) {
  char step[200];
  while (v && *path) {
    size_t n = strcspn(path, ".");
    if (n >= sizeof step) return NULL;
    snprintf(step, sizeof step, "%.*s", (int)n, path);
    path += n + (path[n] == '.');
    if (v->kind == MT_JSON_ARRAY) {
      char *end;
      long i = strtol(step, &end, 10);
      v = !*end && end != step && i >= 0 && i < v->n ? &v->item[i] : NULL;
    } else {
      v = mt_json_member(v, step);
    }
  }
  return v;
}

bool mt_json_number(const MtJsonValue *v, double *number) {
  if (v && v->kind == MT_JSON_OBJECT) v = mt_json_member(v, "value");
  if (!v || v->kind != MT_JSON_NUMBER) return false;
  *number = v->number;
  return true;
}
